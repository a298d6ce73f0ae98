"""Decisions of people that a step waits for, bound to the hash of exactly what they saw.

The row in ``gov.approval`` is the lock; the task in the Airflow UI is only how it gets there. A step that needs
one calls ``require`` in its own transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

from privacy_ops.errors import GateBlocked

Decision = Literal["approve", "reject", "timeout"]


@dataclass(frozen=True)
class ApprovalRequest:
    """What a person is asked. ``title`` and ``body`` (Markdown) hold counts and links, never a person."""

    what: str  # breaker, release, sign_off
    subject_sha256: str
    title: str
    body: str


def record(
    connection: Connection,
    run_id: str,
    request: ApprovalRequest,
    *,
    approver: str,
    decision: Decision,
    at: datetime,
    approver_name: str = "",
) -> None:
    """Write a decision once per person; the same person deciding again changes nothing.

    ``approver``: the person's id, by which people are told apart; ``approver_name`` is for reading only.
    """
    connection.execute(
        text(
            "INSERT INTO gov.approval (run_id, what, subject_sha256, approver, approver_name, decision, decided_at)"
            " VALUES (:run, :what, :sha, :approver, :name, :decision, :at)"
            " ON CONFLICT (run_id, what, subject_sha256, approver) DO NOTHING"
        ),
        {
            "run": run_id,
            "what": request.what,
            "sha": request.subject_sha256,
            "approver": approver,
            "name": approver_name,
            "decision": decision,
            "at": at,
        },
    )


def approvers(connection: Connection, run_id: str, what: str, subject_sha256: str) -> tuple[str, ...]:
    """Who approved exactly this, in order; empty as soon as anybody rejected it."""
    rows = connection.execute(
        text(
            "SELECT approver, decision FROM gov.approval WHERE run_id = :run AND what = :what"
            " AND subject_sha256 = :sha ORDER BY approval_id"
        ),
        {"run": run_id, "what": what, "sha": subject_sha256},
    ).all()
    if any(decision != "approve" for _, decision in rows):
        return ()
    return tuple(approver for approver, _ in rows)


def require(connection: Connection, run_id: str, what: str, subject_sha256: str, *, people: int) -> tuple[str, ...]:
    """Ids of at least ``people`` different approvers of exactly this. Raises GateBlocked otherwise."""
    found = approvers(connection, run_id, what, subject_sha256)
    if len(set(found)) < people:
        raise GateBlocked(
            f"{what} needs {people} different approver(s), {len(set(found))} approved exactly this",
            where=run_id,
            do="answer the required action in the Airflow UI; a task marked as success approves nothing",
        )
    return found
