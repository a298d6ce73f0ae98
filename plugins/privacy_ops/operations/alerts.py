"""What operators are told, and once: rows in ``gov.operator_alert`` decide, so it holds over processes and kills.

The same kind in the same run within the window is counted, not told again. A channel that was told about a kind of a
DAG within the window is told the rest in one digest after it; ``tell`` is called when something happens and every 15
minutes by the watchkeeper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection

from privacy_ops.operations.messages import Addresses, Message, compose
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Alerts
from privacy_ops.workspace import Workspace

Kind = Literal["failure", "gate_blocked", "approval_waiting", "late_start", "late_finish", "service_level"]
DUTY = "operate"
_ENDS_A_RUN = frozenset({"failure", "gate_blocked"})

Channel = Callable[[Message], None]


@dataclass(frozen=True)
class Alert:
    """Something that people should know. ``codes``: names of error classes, metrics, gates; never a message's text."""

    kind: Kind
    dag_id: str
    run_id: str
    task: str = ""
    gate_result_id: int | None = None
    codes: Sequence[str] = field(default=())


def note(connection: Connection, alert: Alert, *, at: datetime, limits: Alerts) -> int:
    """Write the alert, or count it where one message will do; returns its id. A failed run is not open any more."""
    connection.execute(statement("operations", "lock_alerts"))
    known = connection.execute(
        statement("operations", "repeat_alert"),
        {
            "kind": alert.kind,
            "run_id": alert.run_id,
            "since": at - timedelta(minutes=limits.window_minutes),
            "at": at,
            "codes": list(alert.codes),
        },
    ).scalar_one_or_none()
    if alert.kind in _ENDS_A_RUN:
        connection.execute(statement("operations", "fail_run"), {"run_id": alert.run_id, "at": at})
    if known is not None:
        return int(known)
    row = connection.execute(
        statement("operations", "insert_alert"),
        {
            "kind": alert.kind,
            "dag_id": alert.dag_id,
            "run_id": alert.run_id,
            "task": alert.task,
            "gate_result_id": alert.gate_result_id,
            "codes": list(alert.codes),
            "at": at,
        },
    )
    return int(row.scalar_one())


def tell(
    workspace: Workspace, channels: Mapping[str, Channel], addresses: Addresses, *, now: datetime
) -> dict[str, int]:
    """Send each channel what it has not been told: one message per kind and DAG. Returns messages sent and refused.

    A channel that refuses raises nothing here: its alerts wait for the next look. A process that is killed between
    claim and message leaves a claim that is taken over after ``claim_minutes``; one killed between message and mark
    leads to the same message twice.
    """
    counts = {"messages": 0, "refused": 0}
    database = workspace.database(DUTY)
    for name, send in channels.items():
        with database.transaction() as connection:
            claimed = _claim(connection, name, workspace.thresholds.alerts, now)
        for (kind, dag_id), group in groupby(claimed, key=lambda row: (row.kind, row.dag_id)):
            rows = list(group)
            mine = {"channel": name, "alerts": [row.alert_id for row in rows]}
            try:
                send(compose(kind, dag_id, rows, addresses))
            except Exception:  # noqa: BLE001 - whatever a mail server says may quote an address; the rows are the record
                counts["refused"] += 1
                with database.transaction() as connection:
                    connection.execute(statement("operations", "free_claim"), mine)
                continue
            counts["messages"] += 1
            with database.transaction() as connection:
                connection.execute(statement("operations", "mark_told"), mine | {"at": now})
    return counts


def _claim(connection: Connection, channel: str, limits: Alerts, now: datetime) -> list[Any]:
    connection.execute(statement("operations", "lock_alerts"))
    taken = connection.execute(
        statement("operations", "claim_alerts"),
        {
            "channel": channel,
            "oldest": now - timedelta(hours=limits.keep_hours),
            "window_start": now - timedelta(minutes=limits.window_minutes),
            "stale": now - timedelta(minutes=limits.claim_minutes),
            "at": now,
        },
    ).scalars()
    rows = connection.execute(statement("operations", "select_claimed"), {"alerts": list(taken)}).all()
    return sorted(rows, key=lambda row: (row.kind, row.dag_id, row.alert_id))
