"""The weekly aggregate: our statements on PostgreSQL beside one naive statement, and beside themselves on DuckDB.

Events of one week are made up in the database, as many as a publisher with a million people has: 769,000, of 500
courses, 30 countries and 320 institutions with a heavy tail. Both ways give the very same cells, which is asserted:
course, module, country and world region, each with people, capped seconds, institutions, longest stays and cohorts.
A third statement does less than ours, for comparison: people, institutions and seconds without a cap. It is a part of
the naive one: no such statement that gives the same cells is much cheaper than both. All have the same memory.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
from privacy_ops.settings import home_directory
from privacy_ops.stores.database import Connection, Database
from privacy_ops.usage import counting, periods, places
from privacy_ops.usage.counting import Postgres, TrueCell
from privacy_ops.usage.period_view import INPUT, Lists
from sqlalchemy import text

from bench import duck

_Answer = TypeVar("_Answer")
PEOPLE, EVENTS = 1_000_000, 769_000
COURSES, MODULES = 500, 5_000
CAP_SECONDS = 7_200
REPEATS = 3
# Counted as if it were a quarter, which has every level.
PERIOD = periods.from_key("2026-Q4")
# The same cells in one statement, as somebody would write it who looks for nothing but the answer: every level from
# the events themselves, people told apart in each by COUNT(DISTINCT). The quickest of its kind that we found: counts
# and institutions in one pass, cohorts from the list of beginners.
_LEVELS = "(v.course), (v.course, v.module), (v.course, v.country), (v.course, v.region)"
_PLACES = "(v.course), (v.course, v.country), (v.course, v.region)"
_COUNTED = f"""
SELECT
    i.course, i.module, i.country, i.region,
    MAX(i.learners) FILTER (WHERE i.institution IS NULL) AS learners,
    MAX(i.starters) FILTER (WHERE i.institution IS NULL) AS starters,
    MAX(i.completers) FILTER (WHERE i.institution IS NULL) AS completers,
    MAX(i.seconds) FILTER (WHERE i.institution IS NULL) AS seconds,
    COUNT(i.institution) AS institutions,
    MAX(i.learners) FILTER (WHERE i.institution IS NOT NULL) AS largest_institution
FROM (
    SELECT
        v.course, v.module, v.country, v.region, v.institution,
        COUNT(DISTINCT v.person) AS learners,
        COUNT(DISTINCT v.person) FILTER (WHERE v.started = 1) AS starters,
        COUNT(DISTINCT v.person) FILTER (WHERE v.completed = 1) AS completers,
        SUM(v.seconds) AS seconds
    FROM (
        SELECT e.*, p.country, p.region, p.institution
        FROM period_event AS e
        INNER JOIN period_person AS p ON e.person = p.person
    ) AS v
    GROUP BY GROUPING SETS ((), (v.institution)), GROUPING SETS ({_LEVELS})
) AS i
GROUP BY i.course, i.module, i.country, i.region
"""
NAIVE = f"""
WITH counted AS ({_COUNTED}),

-- Two hours of a person's day in a course; each module keeps its share of them in whole seconds.
day AS (
    SELECT
        d.person, d.course, d.module, p.country, p.region,
        CASE
            WHEN SUM(d.seconds) OVER one_day <= {CAP_SECONDS} THEN d.seconds
            ELSE d.seconds * {CAP_SECONDS} / CAST(SUM(d.seconds) OVER one_day AS bigint)
        END AS seconds
    FROM (
        SELECT e.person, e.course, e.module, e.london_day, SUM(e.seconds) AS seconds
        FROM period_event AS e
        GROUP BY e.person, e.course, e.module, e.london_day
    ) AS d
    INNER JOIN period_person AS p ON d.person = p.person
    WINDOW one_day AS (PARTITION BY d.person, d.course, d.london_day)
),

stays AS (
    SELECT
        s.course, s.module, s.country, s.region,
        SUM(s.seconds) AS seconds,
        MAX(s.seconds) FILTER (WHERE s.place = 1) AS seconds_top1,
        COALESCE(MAX(s.seconds) FILTER (WHERE s.place = 2), 0) AS seconds_top2
    FROM (
        SELECT
            v.course, v.module, v.country, v.region,
            SUM(v.seconds) AS seconds,
            ROW_NUMBER() OVER (
                PARTITION BY v.course, v.module, v.country, v.region ORDER BY SUM(v.seconds) DESC
            ) AS place
        FROM day AS v
        GROUP BY v.person, GROUPING SETS ({_LEVELS})
    ) AS s
    GROUP BY s.course, s.module, s.country, s.region
),

cohorts AS (
    SELECT
        v.course, v.country, v.region,
        COUNT(DISTINCT v.person) AS cohort_starters,
        COUNT(DISTINCT v.finisher) AS cohort_completers,
        COUNT(DISTINCT v.passer) AS cohort_passed
    FROM (
        SELECT b.course, b.person, p.country, p.region, f.person AS finisher, q.person AS passer
        FROM period_beginner AS b
        INNER JOIN period_person AS p ON b.person = p.person
        LEFT JOIN (
            SELECT c.person, c.course
            FROM period_event AS c
            INNER JOIN period_course AS k ON c.course = k.course
            WHERE c.completed = 1
            GROUP BY c.person, c.course, k.modules
            HAVING COUNT(DISTINCT c.module) >= k.modules
        ) AS f ON b.person = f.person AND b.course = f.course
        LEFT JOIN (
            SELECT DISTINCT a.person, a.course FROM period_event AS a WHERE a.passed = 1
        ) AS q ON b.person = q.person AND b.course = q.course
    ) AS v
    GROUP BY GROUPING SETS ({_PLACES})
)

SELECT
    a.course, a.module, a.country, a.region,
    MAX(a.learners), MAX(a.starters), MAX(a.completers), MAX(a.seconds),
    COALESCE(MAX(a.cohort_starters), 0), COALESCE(MAX(a.cohort_completers), 0), COALESCE(MAX(a.cohort_passed), 0),
    MAX(a.institutions), MAX(a.largest_institution), MAX(a.seconds_top1), MAX(a.seconds_top2)
FROM (
    SELECT
        c.course, c.module, c.country, c.region, c.learners, c.starters, c.completers,
        CAST(NULL AS numeric) AS seconds, CAST(NULL AS bigint) AS cohort_starters,
        CAST(NULL AS bigint) AS cohort_completers, CAST(NULL AS bigint) AS cohort_passed, c.institutions,
        c.largest_institution, CAST(NULL AS numeric) AS seconds_top1, CAST(NULL AS numeric) AS seconds_top2
    FROM counted AS c
    UNION ALL
    SELECT
        s.course, s.module, s.country, s.region, NULL, NULL, NULL, s.seconds, NULL, NULL, NULL, NULL, NULL,
        s.seconds_top1, s.seconds_top2
    FROM stays AS s
    UNION ALL
    SELECT
        h.course, NULL, h.country, h.region, NULL, NULL, NULL, NULL, h.cohort_starters, h.cohort_completers,
        h.cohort_passed, NULL, NULL, NULL, NULL
    FROM cohorts AS h
) AS a
GROUP BY a.course, a.module, a.country, a.region
"""
# Less work than ours: no cap, no longest stays, no cohorts.
NAIVE_COUNTS = _COUNTED
# Numbers that look random and are the same every time. Few courses and hospitals have most of the people.
_WEEK = (
    "SELECT setseed(0.5)",
    "CREATE TEMPORARY TABLE period_course AS SELECT n AS course, {per_course} AS modules"
    " FROM generate_series(1, {courses}) AS n",
    # Somebody studies a module: five views, on one or two days, in the order in which they came.
    "CREATE TEMPORARY TABLE study AS SELECT CAST(1 + ({people} - 1) * random() AS integer) AS person,"
    " CAST(1 + ({courses} - 1) * random() ^ 2 AS integer) AS course,"
    " CAST(1 + ({per_course} - 1) * random() AS integer) AS part, CAST(5 * random() AS integer) AS day,"
    " random() AS luck FROM generate_series(1, {events} / 5)",
    "CREATE TEMPORARY TABLE period_event AS SELECT s.person, s.course,"
    " (s.course - 1) * {per_course} + s.part AS module,"
    " DATE '2026-11-16' + s.day + n / 4 AS london_day, CASE WHEN n = 1 AND s.luck < 0.4 THEN 1 ELSE 0 END AS started,"
    " CASE WHEN n = 5 AND s.luck > 0.7 THEN 1 ELSE 0 END AS completed,"
    " CASE WHEN n = 5 AND s.luck > 0.8 THEN 1 ELSE 0 END AS passed,"
    " CAST(15 + 600 * random() ^ 2 + CASE WHEN random() < 0.005 THEN 7200 ELSE 0 END AS integer) AS seconds"
    " FROM study AS s CROSS JOIN generate_series(1, 5) AS n ORDER BY london_day, s.luck",
    "CREATE TEMPORARY TABLE period_beginner AS SELECT DISTINCT e.person, e.course FROM period_event AS e"
    " WHERE e.started = 1",
    # As the reading of a publisher's tables leaves it: nobody who did nothing.
    "CREATE TEMPORARY TABLE period_person AS SELECT c.person, c.country, (c.country - 1) / 6 AS region,"
    " CASE WHEN random() < 0.1 THEN 0 ELSE CAST(320 * random() ^ 3 AS integer) END AS institution"
    " FROM (SELECT s.person, CAST(1 + 29 * random() ^ 2 AS integer) AS country FROM study AS s GROUP BY s.person) AS c",
    "DROP TABLE study",
    "ANALYZE " + ", ".join(INPUT),
)


@dataclass(frozen=True)
class Spent:
    """Best of some tries: seconds on the clock, and seconds of processors, here and in the server."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Aggregate:
    """What giving the same cells took; ``naive_counts`` gives the counts alone."""

    events: int
    cells: int
    ours: Spent
    naive: Spent
    naive_counts: Spent
    duckdb: Spent
    parquet_bytes: int

    @property
    def to_naive(self) -> float:
        """In processor time: both run on one, and what neighbours do to the clock is left out."""
        return self.ours.cpu / self.naive.cpu

    @property
    def to_naive_counts(self) -> float:
        return self.ours.cpu / self.naive_counts.cpu

    @property
    def to_duckdb(self) -> float:
        """By the clock: DuckDB uses every processor."""
        return self.ours.wall / self.duckdb.wall


def make_week(connection: Connection, *, people: int = PEOPLE, events: int = EVENTS) -> Lists:
    """Fill the counting steps' input in this transaction."""
    numbers = {"people": people, "events": events, "courses": COURSES, "per_course": MODULES // COURSES}
    for statement in _WEEK:
        connection.execute(text(statement.format(**numbers)))
    modules = tuple((f"c{m // (MODULES // COURSES) + 1:03d}", f"m{m + 1:04d}") for m in range(MODULES))
    reference = places.load(home_directory() / "include" / "reference")
    return Lists(tuple(f"c{n + 1:03d}" for n in range(COURSES)), modules, reference)


def measure(dsn: str, *, people: int = PEOPLE, events: int = EVENTS, repeats: int = REPEATS) -> Aggregate:
    """Count one made-up week in all ways, in turns; raises AssertionError where they differ."""
    with Database(dsn).transaction() as connection, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lists = make_week(connection, people=people, events=events)
        due = counting.due(PERIOD, dict.fromkeys(lists.courses, PERIOD.kind))
        duck.export(connection, folder)
        size = sum(path.stat().st_size for path in folder.iterdir())
        on_duck = duck.engine(folder)
        on_postgres = Postgres(connection)  # sets the memory of a sort or hash table, for the naive statement too
        server = psutil.Process(int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one()))
        times = {name: Times(server) for name in ("ours", "naive", "naive_counts", "duckdb")}
        for _ in range(repeats):
            ours = times["ours"].of(lambda: counting.count(on_postgres, PERIOD, lists, due, CAP_SECONDS))
            naive = times["naive"].of(lambda: connection.execute(text(NAIVE)).all())
            counts = times["naive_counts"].of(lambda: connection.execute(text(NAIVE_COUNTS)).all())
            theirs = times["duckdb"].of(lambda: counting.count(on_duck, PERIOD, lists, due, CAP_SECONDS))
        assert theirs == ours, "the engines differ"
        assert {_named(row, lists) for row in naive} == {_told(cell, 11) for cell in ours}, "the two ways differ"
        assert {_named(row[:7], lists) for row in counts} == {_told(cell, 3) for cell in ours}, "the counts differ"
        return Aggregate(events, len(ours), parquet_bytes=size, **{name: found.best for name, found in times.items()})


class Times:
    """Seconds of one thing done several times by this process and the server's."""

    def __init__(self, server: psutil.Process) -> None:
        self._processes = (psutil.Process(), server)
        self._found: list[Spent] = []

    def _cpu(self) -> float:
        return sum(t.user + t.system for t in (process.cpu_times() for process in self._processes))

    def of(self, step: Callable[[], _Answer]) -> _Answer:
        """Do it once more."""
        cpu, wall = self._cpu(), time.perf_counter()
        answer = step()
        self._found.append(Spent(time.perf_counter() - wall, self._cpu() - cpu))
        return answer

    @property
    def best(self) -> Spent:
        return Spent(min(f.wall for f in self._found), min(f.cpu for f in self._found))


def _named(row: Sequence[Any], lists: Lists) -> tuple[object, ...]:
    """A row of a naive statement: its course, module, country and region by name, then its facts."""
    course, module, country, region, *facts = row
    return (
        lists.course(course),
        None if module is None else lists.module(module),
        None if country is None else lists.country(country),
        None if region is None else lists.region(region),
        *facts,
    )


def _told(cell: TrueCell, facts: int) -> tuple[object, ...]:
    """The same of a cell of ours, with so many of its facts."""
    first = TrueCell._fields.index("learners")
    return (cell.course_id, cell.module_id, cell.country, cell.region, *cell[first : first + facts])


def main() -> None:
    """Measure on a PostgreSQL of its own and say the ratios."""
    from bench import world

    with world.stores() as (server, _):
        found = measure(server.dsn())
    print(f"{found.events:,} events, {found.cells:,} cells, {found.parquet_bytes / 2**20:.1f} MiB of Parquet")
    for name in ("ours", "naive", "naive_counts", "duckdb"):
        spent: Spent = getattr(found, name)
        print(f"{name:13} {spent.wall:.2f} s by the clock, {spent.cpu:.2f} s of processors")
    print(f"ours / naive {found.to_naive:.2f} (at most 0.6), counts alone {found.to_naive_counts:.2f}")
    print(f"ours / DuckDB {found.to_duckdb:.2f} (at most 5)")


if __name__ == "__main__":
    main()
