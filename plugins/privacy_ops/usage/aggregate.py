"""Counts one window in staged, set-based steps: deduplicate first, then add cells upward.

No GROUPING SETS and no COUNT(DISTINCT) over events: each step's text runs on other engines too.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from privacy_ops.disclosure.cells import Counts, CourseTable
from privacy_ops.disclosure.rules import Rules
from privacy_ops.stores.sql import statement
from privacy_ops.usage.view import PublicCourse

_STEPS = ("person_module_day", "person_course_day", "person_module", "person_course")


def course_tables(connection: Connection, rules: Rules, courses: Mapping[str, PublicCourse]) -> dict[str, CourseTable]:
    """True tables of ``courses`` from usage_event, with zeros where nobody was. They must not leave the process."""
    connection.execute(text("DROP TABLE IF EXISTS " + ", ".join(f"usage_{step}" for step in _STEPS)))
    for step in _STEPS:
        bound = {"cap_seconds": rules.minutes_cap_per_day * 60} if step == "person_module" else {}
        connection.execute(statement("usage", f"create_{step}"), bound)
        connection.execute(text(f"ANALYZE usage_{step}"))
    cells = {
        (row.course_id, row.module_id): Counts(
            int(row.learners), int(row.starters), int(row.completers), int(row.seconds)
        )
        for row in connection.execute(statement("usage", "select_cells"))
    }
    return {
        course_id: CourseTable(
            course_id,
            cells.get((course_id, ""), Counts()),
            {module: cells.get((course_id, module), Counts()) for module, _ in course.modules},
        )
        for course_id, course in courses.items()
    }
