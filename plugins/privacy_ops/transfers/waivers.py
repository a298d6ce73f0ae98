"""A named person takes the risk of one finding until a day: never of a critical one, never for more than 90 days.

A waived finding stays a finding; it is not overdue while the waiver holds, and open again on the day after. A finding
that becomes critical is waived no more, whatever was signed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection

from privacy_ops.errors import UserError
from privacy_ops.stores.sql import statement

Reason = Literal["FIX_SCHEDULED", "CONTRACT_IN_SIGNATURE", "ANSWER_AWAITED", "RISK_ACCEPTED", "FALSE_POSITIVE"]
LONGEST = timedelta(days=90)
_SHORTEST_PREFIX = 6


@dataclass(frozen=True)
class Waived:
    """What was recorded."""

    fingerprint: str
    severity: str
    title: str
    until: date


def waive(
    connection: Connection,
    *,
    process: str,
    fingerprint: str,
    approver: str,
    reason: str,
    until: date,
    at: datetime,
    today: date,
) -> Waived:
    """Waive the one open finding whose fingerprint begins so. Raises UserError saying what is not allowed.

    ``reason``: one of ``Reason``; free text could name people. ``until``: last day that the waiver holds.
    """
    if not approver.strip():
        raise UserError("a waiver needs the name of who takes the risk", do="give it with --by")
    if reason not in get_args(Reason):
        raise UserError(f"{reason!r} is no reason for a waiver", do=f"use one of {', '.join(get_args(Reason))}")
    if until < today:
        raise UserError("the waiver would have ended already", where=until.isoformat(), do="name a day to come")
    if until > today + LONGEST:
        latest = (today + LONGEST).isoformat()
        raise UserError("a waiver holds for 90 days at most", where=until.isoformat(), do=f"end it by {latest}")
    found = _named(connection, process, fingerprint)
    if found.status != "open":
        raise UserError("the finding is closed", where=found.fingerprint, do="nothing is to be waived")
    if found.severity == "CRITICAL":
        raise UserError(
            "a critical finding cannot be waived",
            where=found.fingerprint,
            do="stop the flow, or put a mechanism in place; the next run lifts the block",
        )
    connection.execute(
        statement("transfers", "insert_waiver"),
        {
            "fingerprint": found.fingerprint,
            "approver": approver.strip(),
            "reason": reason,
            "at": at,
            "today": today,
            "until": until,
        },
    )
    return Waived(found.fingerprint, found.severity, found.title, until)


def _named(connection: Connection, process: str, fingerprint: str) -> Any:
    prefix = fingerprint.strip().lower()
    if len(prefix) < _SHORTEST_PREFIX:
        raise UserError(
            f"{fingerprint!r} is too short", where="fingerprint", do=f"give {_SHORTEST_PREFIX} letters or more"
        )
    rows = connection.execute(
        statement("transfers", "select_findings_named"), {"process": process, "prefix": prefix}
    ).all()
    if not rows:
        raise UserError("no finding has this fingerprint", where=prefix, do="see `transfers findings`")
    if len(rows) > 1:
        raise UserError("several findings begin so", where=prefix, do="give more of the fingerprint")
    return rows[0]


def standing(connection: Connection, *, process: str, today: date, closed: bool = False) -> list[dict[str, Any]]:
    """Findings that stand (and those that are gone, if asked): state is new, open, changed, reopened, waiver_ended,
    waived or closed."""
    rows = connection.execute(
        statement("transfers", "select_standing_findings"), {"process": process, "today": today, "closed": closed}
    )
    return [dict(row) for row in rows.mappings()]
