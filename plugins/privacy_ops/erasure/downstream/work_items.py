"""What processors and recipients know an erased person by: taken down before the rows go, encrypted, short-lived.

After the erasure nobody could tell a processor whom it is to delete. One item per case and party, AES-256-GCM with
case and party as associated data, destroyed when the party acknowledged and after seven days at the latest.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, text

from privacy_ops import signing
from privacy_ops.erasure.downstream import disclosures
from privacy_ops.erasure.plan import Plan, covered_catalogue
from privacy_ops.erasure.rows.builder import Builder
from privacy_ops.errors import ConfigError, UserError
from privacy_ops.settings import KeyRing
from privacy_ops.stores.database import stream
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

PURPOSE = "work_items"
_BATCH = 500
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Sealed:
    """An encrypted item. ``key_id`` names the key of the ring that opens it."""

    key_id: str
    nonce: bytes
    sealed: bytes


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    # Keys of the ring are 32 bytes or more; this makes exactly 32 of them, for this purpose alone.
    return AESGCM(HKDF(SHA256(), 32, None, b"privacy_ops work item").derive(key))


def _associated(case_id: UUID, party: str) -> bytes:
    return f"{case_id}\n{party}".encode()


def encrypt(keys: KeyRing, plain: bytes, *, case_id: UUID, party: str) -> Sealed:
    """Seal one item under the key in use. Raises ConfigError when there is none."""
    key_id, key = keys.current_key(PURPOSE)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return Sealed(key_id, nonce, _cipher(key).encrypt(nonce, plain, _associated(case_id, party)))


def decrypt(keys: KeyRing, item: Sealed, *, case_id: UUID, party: str) -> bytes:
    """Open one item. Raises ConfigError (its key is gone), UserError (it was changed, or is of another case)."""
    from cryptography.exceptions import InvalidTag

    key = keys.hmac.get(PURPOSE, {}).get(item.key_id)
    if key is None:
        raise ConfigError(
            f"the key {item.key_id} of work items is not in the ring",
            where="PRIVACY_OPS_HMAC_KEYS",
            do="keep former keys for seven days after a rotation",
        )
    try:
        return bytes(_cipher(key).decrypt(item.nonce, item.sealed, _associated(case_id, party)))
    except InvalidTag:
        raise UserError(
            "a work item does not open: it was changed, or belongs to another case or party",
            where=f"case {case_id}",
            do="treat it as an incident; the party must be told by hand",
        ) from None


def seal(connection: Connection, workspace: Workspace, plan: Plan, now: datetime) -> int:
    """Write an instruction and its encrypted item per case and party of ``plan``; returns how many there are now.

    In the transaction that writes intent and suppression, before anything is deleted. The same when called again.
    Nothing is sent before the plan's rows are erased. Raises ConfigError when there is no key.
    """
    builder = Builder(workspace.data_map, covered_catalogue(connection, workspace))
    sql = disclosures.identifiers(builder)
    if sql is None:
        return 0
    expires = now + timedelta(days=workspace.thresholds.downstream.item_days)
    batch: list[dict[str, Any]] = []

    def flush() -> None:
        connection.execute(statement("downstream", "insert_instruction"), batch)
        connection.execute(statement("downstream", "insert_work_item"), [b for b in batch if b["sealed"] is not None])
        connection.execute(statement("downstream", "insert_created_event"), batch)
        batch.clear()

    count = 0
    rows = stream(connection, text(sql), {"plan_id": plan.plan_id})
    for case_id, party, known, shared in _by_party(rows, builder):
        plain = signing.canonical_json({"identifiers": known}).encode()
        sealed = encrypt(workspace.settings.keys, plain, case_id=case_id, party=party) if known else None
        batch.append({
            "instruction_id": instruction_id(plan.plan_id, case_id, party),
            "plan_id": plan.plan_id,
            "case_id": case_id,
            "party": party,
            # A number that several people share would make a processor delete somebody else.
            "state": "pending" if known else "undeliverable",
            "reason": "" if not shared else "SOME_SHARED" if known else "ONLY_SHARED",
            "key_id": sealed.key_id if sealed else None,
            "nonce": sealed.nonce if sealed else None,
            "sealed": sealed.sealed if sealed else None,
            "at": now,
            "expires_at": expires,
        })
        count += 1
        if len(batch) == _BATCH:
            flush()
    if batch:
        flush()
    return count


def instruction_id(plan_id: UUID, case_id: UUID, party: str) -> UUID:
    """The same for the same plan, case and party: the key by which a party knows that it was told before."""
    return uuid5(plan_id, f"{case_id}\n{party}")


def _by_party(rows: Iterator[Any], builder: Builder) -> Iterator[tuple[UUID, str, list[dict[str, str]], bool]]:
    """(case, party, identifiers that are the person's alone, whether others were left out), party by party."""
    told = [disclosure for _, disclosure in disclosures.listed(builder.map)]
    for case_id, group in groupby(rows, key=lambda row: row.case_id):
        own: dict[str, set[tuple[str, str]]] = {}
        shared: set[str] = set()
        for row in group:
            party = told[row.disclosure].party(row.named)
            if party is None:
                continue
            known = own.setdefault(party, set())
            if row.shared:
                shared.add(party)
            else:
                known.add((row.known_as, row.value))
        for party in sorted(own):
            known_list = [{"as": known_as, "value": value} for known_as, value in sorted(own[party])]
            yield case_id, party, known_list, party in shared


def identifiers_of(keys: KeyRing, row: Any) -> list[dict[str, str]] | None:
    """What stands in the item of an instruction's row; None when it was destroyed."""
    if row.sealed is None:
        return None
    item = Sealed(row.key_id, bytes(row.nonce), bytes(row.sealed))
    found = json.loads(decrypt(keys, item, case_id=row.case_id, party=row.party))["identifiers"]
    return [{"as": str(one["as"]), "value": str(one["value"])} for one in found]
