"""Which day a run judges, and from what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement

# observed: the world, now. stored: the flows of that day's snapshot. declared_then: the registry as recorded on that
# day. declared_now: today's registry, as nothing was recorded then, or the day is to come.
Basis = Literal["observed", "stored", "declared_then", "declared_now"]


@dataclass(frozen=True)
class Asked:
    """Law of ``on``, knowledge of ``known``. ``source``: the stored snapshot; ``declared_at``: instant of the
    registry that belongs to it, None for today's."""

    basis: Basis
    on: date
    known: date
    source: Any = None
    declared_at: datetime | None = None


def asked(connection: Connection, run: Run, judge_on: date | None, timezone: str) -> Asked:
    """What this run is asked to judge. Days are those of ``timezone``.

    A scheduled run looks at the world; a backfill, or a run that names a day, judges that day and looks at nothing.
    Knowledge is that of the day, and for a day to come that of today.
    """
    zone = ZoneInfo(timezone)
    today = run.as_of.astimezone(zone).date()
    if judge_on is None and run.run_type == "backfill" and run.logical_date is not None:
        judge_on = run.logical_date.astimezone(zone).date()
    if judge_on is None:
        return Asked("observed", today, today)
    known = min(judge_on, today)
    if judge_on >= today:
        return Asked("declared_now", judge_on, known)
    begins = datetime.combine(judge_on, time.min, zone)
    ends = datetime.combine(judge_on + timedelta(days=1), time.min, zone)
    source = connection.execute(
        statement("transfers", "select_stored_snapshot"), {"since": begins, "until": ends}
    ).one_or_none()
    if source is not None:
        return Asked("stored", judge_on, known, source, source.taken_at)
    last = ends - timedelta(microseconds=1)
    if connection.execute(statement("transfers", "count_registry_entries"), {"at": last}).scalar_one():
        return Asked("declared_then", judge_on, known, declared_at=last)
    return Asked("declared_now", judge_on, known)
