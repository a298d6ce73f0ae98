"""Which runs did not start or end in time: judged from rows of ``gov.run`` and the thresholds, with the time given.

Airflow's deadline alerts are not used: in 3.3.2 a run whose deadline is not missed yet cannot be cleared, and one on
the logical date fires at once on every backfill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from croniter import croniter

from privacy_ops.thresholds import Punctuality


@dataclass(frozen=True)
class Late:
    """One run that is late. ``run_id`` of one that never started names the hour at which it should have."""

    kind: Literal["late_start", "late_finish"]
    dag_id: str
    run_id: str


def last_due(cron: str, before: datetime) -> datetime:
    """The newest hour of ``cron`` (UTC) at or before ``before``."""
    found: datetime = croniter(cron, before + timedelta(microseconds=1)).get_prev(datetime)
    return found.astimezone(UTC)


def late_starts(rules: Mapping[str, Punctuality], scheduled: Iterable[Any], *, now: datetime) -> list[Late]:
    """DAGs whose newest run by the scheduler is older than the hour that is ``start_minutes`` ago or more.

    ``scheduled``: rows of dag_id, newest, first. A DAG that the scheduler has never run is not late: it is not in use
    yet, and ``doctor`` says so. Nor is one whose first hour is still to come.
    """
    seen = {row.dag_id: row for row in scheduled}
    found = []
    for dag_id, rule in sorted(rules.items()):
        due = last_due(rule.cron, now - timedelta(minutes=rule.start_minutes))
        row = seen.get(dag_id)
        if row is not None and row.newest < due:
            found.append(Late("late_start", dag_id, f"{dag_id}/due__{due:%Y-%m-%dT%H:%M:%S+00:00}"))
    return found


def late_finishes(rules: Mapping[str, Punctuality], unfinished: Iterable[Any], *, now: datetime) -> list[Late]:
    """Open runs that should have ended: ``finish_minutes`` after their start, later where people are asked in them.

    ``unfinished``: rows of run_id, dag_id, as_of, run_type, asked. A backfill has no hour and is never late.
    """
    found = []
    for row in unfinished:
        rule = rules.get(row.dag_id)
        if rule is None or row.run_type == "backfill":
            continue
        allowed = timedelta(minutes=rule.finish_minutes, hours=rule.waits_hours if row.asked else 0)
        if now - row.as_of > allowed:
            found.append(Late("late_finish", row.dag_id, row.run_id))
    return sorted(found, key=lambda late: late.run_id)
