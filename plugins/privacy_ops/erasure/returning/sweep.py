"""What later sweeps look for: identifiers of an erased person as keyed references, kept when the plan is emptied.

They are written before anything is deleted, under a key of their own purpose, and go after the last sweep. A kind
says what an identifier is: ``subject`` (the person's key), ``row:<table>`` (the key of a row that was the subject),
``email``, ``account:<column>``, ``external:<column>``, and ``word``: an identifier that is long and odd enough to
be recognised in a list, a text or the name of an object.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from privacy_ops import pseudonyms
from privacy_ops.datamap.model import DataMap
from privacy_ops.erasure.plan import Plan
from privacy_ops.settings import KeyRing
from privacy_ops.stores.database import stream
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

PURPOSE = "sweep"
_BATCH = 1000
_WORD = re.compile(r"(?=[\w-]*\d)[\w-]{8,}")  # long enough, and with a digit: no word of a language


def canonical(kind: str, value: str) -> str:
    """The text of an identifier that its keyed reference is made of: the same however it was written."""
    if kind == "email":
        return pseudonyms.normalise_email(value)
    folded = unicodedata.normalize("NFKC", value).strip()
    return folded.casefold() if kind == "word" else folded


def is_word(value: str) -> bool:
    """Whether an identifier is odd enough to mean one person wherever it stands."""
    return _WORD.fullmatch(canonical("word", value)) is not None


def keyed_text(kind: str, value: str) -> str:
    """What the reference is computed over. The kind is in it: equal numbers of two kinds are two identifiers."""
    return pseudonyms.subject_text([canonical(kind, value)], table=kind)


def remember(connection: Connection, workspace: Workspace, plan: Plan, now: datetime) -> int:
    """Keep what the later sweeps of a plan's cases look for, in the caller's transaction; returns how many.

    Called with the suppression entries, before anything is deleted. Repeatable.
    """
    limits = workspace.thresholds.sweep
    until = now.date() + timedelta(days=max(limits.after_days) + limits.slack_days)
    rows = stream(connection, statement("erasure", "select_keys_to_remember"), {"plan_id": plan.plan_id})
    return write(connection, workspace.settings.keys, _kept(rows, workspace.data_map), until=until)


def write(connection: Connection, keys: KeyRing, found: Iterable[tuple[UUID, str, str]], *, until: Any) -> int:
    """Insert (case id, kind, identifier) as keyed references under the current key; returns how many were given."""
    batch: list[dict[str, Any]] = []
    count = 0

    def flush() -> None:
        if batch:
            connection.execute(statement("erasure", "insert_sweep_identifier"), batch)
            batch.clear()

    for case_id, kind, value in found:
        reference = pseudonyms.reference(keys, PURPOSE, keyed_text(kind, value))
        batch.append({
            "case_id": case_id, "kind": kind, "hmac": reference.value, "key_id": reference.key_id, "until": until,
        })  # fmt: skip
        count += 1
        if len(batch) == _BATCH:
            flush()
    flush()
    return count


def _kept(rows: Iterable[Any], data_map: DataMap) -> Iterator[tuple[UUID, str, str]]:
    """(case, kind, identifier) of everything in a plan that names one person alone."""
    own_key = data_map.subject.key
    for row in rows:
        if row.parts is not None:  # a key
            yield row.case_id, row.kind, pseudonyms.subject_text(row.parts)
            for part in row.parts:
                if is_word(part):
                    yield row.case_id, "word", part
            continue
        sort, _, column = row.kind.partition(":")
        if sort in {"account", "external"} and column in own_key:
            continue  # the whole key says it, and a part of it may be somebody else's too
        yield row.case_id, row.kind, row.value
        if sort != "email" and is_word(row.value):
            yield row.case_id, "word", row.value


def forget_swept(connection: Connection, workspace: Workspace, now: datetime) -> int:
    """Drop the references of cases whose last sweep is done and whose time is over; returns how many went."""
    last = {"today": now.date(), "last_day": max(workspace.thresholds.sweep.after_days)}
    return int(connection.execute(statement("erasure", "delete_swept_identifiers"), last).rowcount)
