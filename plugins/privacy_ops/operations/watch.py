"""One look at the jobs: what is late, which service levels are over their limit. ``alerts.tell`` tells it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from privacy_ops.minors import service_levels
from privacy_ops.operations import alerts, lateness
from privacy_ops.operations.alerts import DUTY, Alert
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

_LOOK_BACK = timedelta(days=7)


def look(workspace: Workspace, *, now: datetime) -> dict[str, int]:
    """Note late runs and breached service levels, each once; returns how many stand and how many are new."""
    rules, limits = workspace.thresholds.punctuality, workspace.thresholds.alerts
    breached = breaches(workspace, now=now)
    with workspace.database(DUTY).transaction() as connection:
        scheduled = connection.execute(statement("operations", "select_scheduled_runs")).all()
        unfinished = connection.execute(statement("operations", "select_open_runs"), {"since": now - _LOOK_BACK}).all()
        late = [
            *lateness.late_starts(rules, scheduled, now=now),
            *lateness.late_finishes(rules, unfinished, now=now),
        ]
        wanted = [Alert(one.kind, one.dag_id, one.run_id) for one in late] + breached
        fresh = [alert for alert in wanted if not _known(connection, alert)]
        for alert in fresh:
            alerts.note(connection, alert, at=now, limits=limits)
    return {"late": len(late), "breached": sum(len(alert.codes) for alert in breached), "new": len(fresh)}


def breaches(workspace: Workspace, *, now: datetime) -> list[Alert]:
    """The service levels that are over their limit now, as one alert a day."""
    over = [level.metric for level in service_levels.measure(workspace, now=now, duty=DUTY) if level.breached]
    if not over:
        return []
    return [Alert("service_level", "minor_data_deletion", f"minor_data_deletion/levels__{now:%Y-%m-%d}", codes=over)]


def _known(connection: Connection, alert: Alert) -> bool:
    return bool(
        connection.execute(
            statement("operations", "select_noted"), {"kind": alert.kind, "run_ids": [alert.run_id]}
        ).first()
    )
