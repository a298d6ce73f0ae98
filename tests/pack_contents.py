"""Contents of packs for tests: complete by default, so that a test says only what matters to it."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

from privacy_ops.signing import generate_key_pem
from privacy_ops.usage.files.model import Dimension, Flag, Measure, PackContent, Row, Table, TableSpec, Value
from privacy_ops.usage.files.sums import KeySigner

BANDS = ("0 to 5", "5 to 15", "15 to 30", "30 to 60", "60 to 120", "120 to 240", "240+")
CONTACT = "Privacy office, privacy@publisher.example.org"
RULES = (
    "Staff, automated accounts, people who objected, restricted accounts and people who may be under 18 are left out.",
    "Nothing is said about fewer than 10 people, nor of a course that never had 30 learners.",
    "At most 120 minutes of a person's day are counted.",
)
WEEK = Dimension("iso_week", "Week", "ISO week, Monday to Sunday in London, such as 2026-W47")
COURSE = Dimension("course_id", "Course", "the publisher's number of the course", "course_title")
MODULE = Dimension("module_id", "Module", "the publisher's number of the module", "module_title")
REGION = Dimension("region", "World region", "world region of the learners", whole="all regions")
QUARTER = Dimension("quarter", "Quarter", "ISO quarter, such as 2026-Q4")
MEASURES = (
    Measure("n_starters", "count", "Starters", "people who started it, rounded"),
    Measure("n_completers", "count", "Completers", "people who completed it, rounded"),
    Measure("mean_minutes_band", "band", "Minutes per learner", "band of the mean: lower edge in, upper out", BANDS),
)


def spec(*dimensions: Dimension, **changed: Any) -> TableSpec:
    """Courses by week, unless told otherwise."""
    given: dict[str, Any] = {
        "name": "usage_by_course_week",
        "title": "Use by course and week",
        "description": "People who used each course, one row per course",
        "dimensions": dimensions or (WEEK, COURSE),
        "measures": MEASURES,
        "min_people": 10,
        "round_to": 5,
    }
    return TableSpec(**{**given, **changed})


REGIONS = spec(
    QUARTER,
    COURSE,
    REGION,
    name="usage_by_region_quarter",
    title="Use by world region and quarter",
    description="People who used each course in a quarter, by world region",
    min_people=20,
)


def row(key: tuple[str, ...], *values: Value, labels: tuple[str | None, ...] | None = None) -> Row:
    """A row with a title beside every second part of its key; None is withheld."""
    flags: tuple[Flag, ...] = tuple("withheld" if value is None else "published" for value in values)
    return Row(key, labels or (None, f"Title of {key[1]}", *(None for _ in key[2:])), values, flags)


def week_row(course: str, week: str = "2026-W47", *values: Value, title: str | None = None) -> Row:
    """A row of courses by week; published unless ``values`` say otherwise."""
    return row((week, course), *(values or (40, 20, "15 to 30")), labels=(None, title or f"Title of {course}"))


def withheld(course: str, week: str = "2026-W47", *, title: str | None = None) -> Row:
    return week_row(course, week, None, None, None, title=title)


def content(*rows: Row, **changed: Any) -> PackContent:
    """A pack of one table: a course that is shown and one that is withheld, unless told otherwise."""
    given: dict[str, Any] = {
        "release_id": "R-0123456789abcdef",
        "product": "EXP-SUPPORTER",
        "recipient_name": "A Supporter Ltd",
        "period_key": "2026-W47",
        "first_day": date(2026, 11, 16),
        "last_day": date(2026, 11, 22),
        "spec_version": "usage-2.0a1b2c3d",
        "method_version": "usage-2",
        "tables": (Table.of(spec(), rows or (week_row("c1"), withheld("c2"))),),
        "rules": RULES,
        "contact": CONTACT,
    }
    return PackContent(**{**given, **changed})


def _title(course: int) -> str:
    subjects = ("Asthma in children", "Managing hypertension", "Sepsis: the first hour", "Reading an ECG")
    return f"{subjects[course % 4]}{f', part {course // 4 + 1}' if course >= 4 else ''}"


def year(courses: int = 8, weeks: int = 52) -> PackContent:
    """A full pack: two tables, a year of history, some of it withheld in a pattern that is easy to see."""
    keys = [(date(2025, 11, 24) + timedelta(weeks=n)).isocalendar() for n in range(weeks)]
    periods = [f"{year:04d}-W{number:02d}" for year, number, _ in keys]
    rows = [
        withheld(f"c{c:03d}", period, title=_title(c))
        if (n + 5 * c) % 11 in {0, 1} and c % 2
        else week_row(
            f"c{c:03d}",
            period,
            5 * (16 - c % 5 + round(5 * math.sin(n / 5 + c)) + (7 * n + c) % 3),
            5 * (9 - c % 5 + round(3 * math.sin(n / 5 + c - 1)) + (5 * n + c) % 2),
            BANDS[(n // 9 + c) % 3 + 2],
            title=_title(c),
        )
        for c in range(courses)
        for n, period in enumerate(periods)
    ]
    regions = [
        row(
            ("2026-Q3", f"c{c:03d}", region),
            *((None,) * 3 if (c + i) % 3 == 0 else (90 + 5 * i * c, 45, "15 to 30")),
            labels=(None, _title(c), None),
        )
        for c in range(courses)
        for i, region in enumerate(("Africa", "Americas", "Asia", "Europe", "Oceania"))
    ]
    return content(
        tables=(
            Table.of(spec(), [found for found in rows if found.key[0] == periods[-1]]),
            Table.of(REGIONS, regions),
        ),
        history=(Table.of(spec(), [found for found in rows if found.key[0] != periods[-1]]),),
        period_key=periods[-1],
    )


def signer() -> KeySigner:
    """A key of its own: nothing that it signs is worth anything."""
    return KeySigner(generate_key_pem())
