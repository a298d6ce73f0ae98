"""Gives the courses of a made-up publisher weeks, whatever their size: a demonstration shows weeks.

By itself a course of this size has one release a quarter (`include/release_spec.yaml`, base_period). What stands is
never changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from privacy_ops.stores.sql import statement
from privacy_ops.usage import periods
from privacy_ops.usage.weeks import Window
from privacy_ops.workspace import Workspace


def show_weeks(workspace: Workspace, courses: Iterable[str], weeks: Iterable[Window], *, now: datetime) -> None:
    """Decide for weeks in every quarter of ``weeks`` (duty `migrate`)."""
    quarters = sorted({periods.of_kind(week, "quarter").key for week in weeks})
    rows = [
        {
            "course_id": course,
            "quarter": quarter,
            "base": "week",
            "spec_version": "demonstration",
            "run_id": "demonstration",
            "decided_at": now,
        }
        for course in sorted(set(courses))
        for quarter in quarters
    ]
    with workspace.database("migrate").transaction() as connection:
        connection.execute(statement("usage", "insert_base_period"), rows)
