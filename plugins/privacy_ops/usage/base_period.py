"""The base period of each course in each quarter: weeks, blocks or the quarter, whatever its size can carry.

It follows from the starters of the quarter before, which is over, so backfills in any order decide alike. It is decided
when a quarter is first touched and then kept: a course that people leave later, or are erased from, does not change
the shape of its files in the middle of a quarter, and what was released is counted again in the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from privacy_ops.datamap.model import DataMap
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.usage import periods, view
from privacy_ops.usage.periods import Period
from privacy_ops.usage.release_spec import BasePeriod, ReleaseSpec


def decide(
    connection: Connection,
    data_map: DataMap,
    run: Run,
    spec: ReleaseSpec,
    quarter: Period,
    courses: Sequence[str],
    *,
    now: datetime,
) -> dict[str, BasePeriod]:
    """Base period of each of ``courses`` in ``quarter``: as it was decided, or decided now.

    Replaces usage_excluded of this session. Raises ValueError for a period that is no quarter.
    """
    before = periods.previous_quarter(quarter)
    known = decided(connection, quarter, courses)
    if open_ := sorted(set(courses) - set(known)):
        connection.execute(text("DROP TABLE IF EXISTS usage_excluded"))
        view.exclude(connection, data_map)
        starters = view.count_starters(connection, data_map, before.start, before.end, open_)
        connection.execute(
            statement("usage", "insert_base_period"),
            [
                {
                    "course_id": course,
                    "quarter": quarter.key,
                    "base": spec.base_period.of(starters.get(course, 0), spec.thresholds.round_to),
                    "spec_version": spec.spec_version,
                    "run_id": run.run_id,
                    "decided_at": now,
                }
                for course in open_
            ],
        )
        known = decided(connection, quarter, courses)  # another run may have been first
    return known


def decided(connection: Connection, quarter: Period, courses: Sequence[str]) -> dict[str, BasePeriod]:
    """Base periods of ``courses`` that were decided; the others are missing."""
    rows = connection.execute(
        statement("usage", "select_base_periods"), {"quarter": quarter.key, "courses": list(courses)}
    )
    return {str(row.course_id): row.base for row in rows}
