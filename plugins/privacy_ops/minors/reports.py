"""Reports by people: somebody tells us that a person is under 18 (SIG-11), or a processor does (SIG-20).

A report is evidence like any other: the next intake reads it and restricts; people decide.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import text

from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import Reader
from privacy_ops.errors import UserError
from privacy_ops.stores.database import DatabaseFault, quote_table
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

REPORTERS = ("STAFF", "TEACHER", "PARENT", "POLICE", "PARTNER", "PROCESSOR")
Signal = Literal["SIG-11", "SIG-20"]


def add(
    workspace: Workspace,
    key: tuple[str, ...],
    *,
    signal: str,
    reporter: str,
    says: str,
    ticket: str | None,
    now: datetime,
) -> int:
    """Record a report about the account with this key; returns its number.

    ``says``: UNDER_18, or the age that was named. ``ticket``: where the report itself is kept. Raises UserError for an
    account that is not there and for anything that is not a code; the message never repeats the key.
    """
    subject = workspace.data_map.subject
    if signal not in {"SIG-11", "SIG-20"}:
        raise UserError("a report is SIG-11 (by people) or SIG-20 (by a processor)", do="name one of them")
    if (signal == "SIG-20") != (reporter == "PROCESSOR") or reporter not in REPORTERS:
        raise UserError(
            "signal and reporter do not go together", do="SIG-20 with PROCESSOR; SIG-11 with one of " + _others()
        )
    if says != "UNDER_18" and not (says.isascii() and says.isdecimal() and int(says) < 18):
        raise UserError("a report says UNDER_18 or an age under 18", do="write the age in digits, or leave it out")
    if len(key) != len(subject.key):
        raise UserError(
            f"the key of a person has {len(subject.key)} part(s), {len(key)} were given",
            do="give --key once for each of " + ", ".join(subject.key),
        )
    missing = UserError("there is no account with this key", do="look the key up in the publisher's own tool")
    try:
        with workspace.database("detect").transaction() as connection:
            reader = Reader(workspace.data_map, catalogue.read(connection))
            matches = reader.key_matches(subject.table, "t", "(CAST(:key AS text[]))", subject.key)
            there = text(f"SELECT 1 FROM {quote_table(subject.table)} AS t WHERE {matches}")  # noqa: S608
            if connection.execute(there, {"key": list(key)}).one_or_none() is None:
                raise missing
            number = connection.execute(
                statement("intake", "insert_report"),
                {
                    "signal": signal,
                    "reporter": reporter,
                    "table": subject.table,
                    "key": list(key),
                    "says": says,
                    "at": now,
                    "ticket": ticket,
                },
            ).scalar_one()
    except DatabaseFault:  # not even of the key's type
        raise missing from None
    return int(number)


def _others() -> str:
    return ", ".join(name for name in REPORTERS if name != "PROCESSOR")
