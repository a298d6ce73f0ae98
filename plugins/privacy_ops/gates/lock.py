"""A gate is a lock, not an edge in a graph: the step that destroys or publishes opens it itself.

Marking a blocked gate's task as success changes the orchestrator's picture and nothing here.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from privacy_ops.errors import GateBlocked
from privacy_ops.gates.runner import REPORT_PATH
from privacy_ops.stores.sql import statement


def require_open(connection: Connection, *, run_id: str, gate: str, subject_sha256: str, now: datetime) -> None:
    """Return only when the newest verdict of this run and gate lets exactly this subject through.

    Call it inside the transaction that acts, with the hash of what is about to be done, computed anew.
    Raises GateBlocked: never judged, blocked, expired, not yet valid, or judged on something else.
    """
    row = connection.execute(
        statement("gates", "select_newest_verdict"), {"run_id": run_id, "gate": gate}
    ).one_or_none()
    if row is None:
        raise GateBlocked(
            f"gate {gate} has not judged this run",
            where=f"run {run_id}",
            do="clear the gate's task; marking it as success opens nothing",
        )
    where = f"run {run_id}, report {REPORT_PATH.format(gate_result_id=row.gate_result_id)}"
    if row.verdict not in {"pass", "warn"}:
        raise GateBlocked(
            f"gate {gate} blocks", where=where, do="read the report; marking the task as success opens nothing"
        )
    if not row.judged_at <= now < row.expires_at:
        raise GateBlocked(
            f"the verdict of gate {gate} is not valid now", where=where, do="clear the run from the gate's task on"
        )
    if row.subject_sha256 != subject_sha256:
        raise GateBlocked(
            f"gate {gate} judged something else than what is about to happen",
            where=where,
            do="clear the run from the step that freezes its work on",
        )
