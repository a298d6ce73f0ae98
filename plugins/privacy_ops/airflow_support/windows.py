"""The window of a run, resolved in one place for scheduled, manual, REST and backfilled runs."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import get_current_context

from privacy_ops.runs import Run
from privacy_ops.thresholds import Thresholds
from privacy_ops.usage import weeks
from privacy_ops.usage.weeks import Window


def current_week(run: Run, thresholds: Thresholds) -> Window:
    """The ISO week this run exports: the Param ``iso_week``, else the data interval, else the recorded clock.

    Runs started by hand or by REST may have no interval at all; runs of a bare cron string have an empty one.
    """
    context = get_current_context()
    end: datetime | None = context["dag_run"].data_interval_end
    scheduled = run.run_type in {"scheduled", "backfill"}
    return weeks.resolve(
        iso_week=context["params"].get("iso_week") or None,
        interval_end=end if scheduled else None,
        now=run.as_of,
        grace_hours=thresholds.export.grace_hours,
        timezone=thresholds.legal_timezone,
    )
