"""What a press looks like from outside, without times and random names: equal digests mean the same state."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from typing import Any
from uuid import UUID

from privacy_ops import ledger
from privacy_ops.stores.objects import ObjectStore

from tests.integration.press import BUCKETS, Press

# Facts of a certificate that a kill may not change. Times and the numbers of ledger entries do.
_CERTIFIED = ("subject", "subject_ref", "assets", "swept_assets", "residual")
# Once per case, however often the night was killed. A plan that was made anew leaves its intent behind.
ONCE = frozenset({"erased", "certified"})
BEFORE_ERASURE = frozenset({"OPEN", "RESTRICTED", "DECIDED"})
AFTER_OBJECTS = frozenset({"objects_erased", "verified", "certified"})


def of(press: Press, store: ObjectStore) -> dict[str, Any]:
    """Rows of every table, objects of every bucket, and what ``gov`` says was done to whom."""
    return {
        "rows": {table: _rows(press, f"press.{table}") for table in tables(press)},
        "objects": {
            bucket: sorted((v.key, v.is_marker, v.size) for v in store.versions(bucket)) for bucket, _ in BUCKETS
        },
        "cases": sorted(map(tuple, press.execute("SELECT subject_ref, class, state FROM gov.minor_case"))),
        "suppressed": sorted({(r.id_type, r.hmac) for r in press.execute("SELECT * FROM gov.suppression_entry")}),
        "ledger": ledger_facts(press),
        "certificates": certificates(press, store),
        "unfinished plans": press.execute(
            "SELECT state FROM gov.erasure_plan WHERE state NOT IN ('certified', 'void')"
        ),
        "keys in plans": press.scalar("SELECT count(*) FROM gov.erasure_row"),
    }


def dishonest(press: Press, store: ObjectStore, people: Collection[UUID]) -> list[str]:
    """What is claimed of ``people`` (all of them confirmed minors) and not so. Asked after a kill, must be nothing."""
    gone = len(people) - press.count("account", "user_id = ANY(:p)", p=list(people))
    said = {r.kind: r.n for r in press.execute("SELECT kind, count(*) AS n FROM gov.erasure_ledger GROUP BY 1")}
    copied = any(True for _ in store.keys(press.workspace.settings.evidence_bucket, ledger.ENTRIES))
    left = sum(any(str(person) in v.key for person in people) for bucket, _ in BUCKETS for v in store.versions(bucket))
    states = {r.state for r in press.execute("SELECT state FROM gov.minor_case")}
    plans = {r.state for r in press.execute("SELECT state FROM gov.erasure_plan")}
    claims = {
        "rows went before the intent was copied": gone and not (said.get("intent") and copied),
        "rows went by halves": gone not in {0, len(people)},
        "the ledger names people as erased who are there": said.get("erased", 0) and not gone,
        "cases are past the erasure of people who are there": states - BEFORE_ERASURE and not gone,
        "objects are said to be erased and are there": plans & AFTER_OBJECTS and left,
        "a case was closed without a certificate": "CLOSED" in states and len(certificates(press, store)) < len(people),
        "the ledger is broken": not _chain_is_sound(press),
    }
    return [claim for claim, holds in claims.items() if holds]


def _chain_is_sound(press: Press) -> bool:
    with press.superuser.transaction() as connection:
        return ledger.verify(connection).sound


def tables(press: Press) -> list[str]:
    found = press.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'press' ORDER BY 1")
    return [row.table_name for row in found]


def _rows(press: Press, table: str) -> list[str]:
    return sorted(
        json.dumps(row.row, sort_keys=True) for row in press.execute(f"SELECT to_jsonb(t) AS row FROM {table} AS t")
    )


def ledger_facts(press: Press) -> dict[str, int]:
    """How often the ledger says of a subject that it was erased and certified."""
    found: Counter[str] = Counter()
    for row in press.execute("SELECT kind, payload, case_id FROM gov.erasure_ledger WHERE case_id IS NOT NULL"):
        payload = row.payload if isinstance(row.payload, dict) else json.loads(row.payload)
        if row.kind in ONCE:
            found[
                f"{row.kind} {payload.get('subject_ref', '')} {json.dumps(payload.get('rows', {}), sort_keys=True)}"
            ] += 1
    return dict(sorted(found.items()))


def certificates(press: Press, store: ObjectStore) -> list[str]:
    """The lasting facts of every certificate in the evidence bucket."""
    bucket = press.workspace.settings.evidence_bucket
    found = []
    for key in store.keys(bucket, "certificates/"):
        if key.endswith(".json"):
            body = json.loads(store.get(bucket, key))["body"]
            found.append(json.dumps({name: body[name] for name in _CERTIFIED}, sort_keys=True))
    return sorted(found)
