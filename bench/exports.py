"""The weekly aggregate: our statements on PostgreSQL beside one naive statement, and beside themselves on DuckDB.

Events of one week are made up in the database, as many as a publisher with a million people has: 769,000, of 500
courses, 30 countries and 320 institutions with a heavy tail. Both ways count the same eight levels: course, module,
country and world region, each also by institution. The naive ones do not find the longest stays, and one of them does
not cap minutes; both have the same memory as ours.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
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
_NAIVE = """
SELECT
    e.course, e.module, p.country, p.region, p.institution,
    COUNT(DISTINCT e.person) AS learners,
    COUNT(DISTINCT e.person) FILTER (WHERE e.started = 1) AS starters,
    COUNT(DISTINCT e.person) FILTER (WHERE e.completed = 1) AS completers,
    SUM(e.seconds) AS seconds
FROM {events} AS e
INNER JOIN period_person AS p ON e.person = p.person
GROUP BY GROUPING SETS (
    (e.course), (e.course, e.module), (e.course, p.country), (e.course, p.region),
    (e.course, p.institution), (e.course, e.module, p.institution),
    (e.course, p.country, p.institution), (e.course, p.region, p.institution)
)
"""
# Every second counts …
NAIVE = _NAIVE.format(events="period_event")
# … or, as in ours, two hours of a person's day in a course.
NAIVE_CAPPED = _NAIVE.format(
    events="""(
    SELECT
        person, course, module, started, completed,
        CASE WHEN day_seconds <= 7200 THEN seconds ELSE seconds * CAST(7200 AS bigint) / day_seconds END AS seconds
    FROM (
        SELECT v.*, SUM(v.seconds) OVER (PARTITION BY v.person, v.course, v.london_day) AS day_seconds
        FROM period_event AS v
    ) AS d
)"""
)
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
    """What giving the same cells took. ``naive`` does not cap minutes, ``naive_capped`` does."""

    events: int
    cells: int
    ours: Spent
    naive: Spent
    naive_capped: Spent
    duckdb: Spent
    parquet_bytes: int

    @property
    def to_naive(self) -> float:
        """In processor time: both run on one, and what neighbours do to the clock is left out."""
        return self.ours.cpu / self.naive.cpu

    @property
    def to_naive_capped(self) -> float:
        return self.ours.cpu / self.naive_capped.cpu

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
    """Count one made-up week in all three ways, in turns; raises AssertionError where they differ."""
    with Database(dsn).transaction() as connection, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lists = make_week(connection, people=people, events=events)
        due = counting.due(PERIOD, dict.fromkeys(lists.courses, PERIOD.kind))
        duck.export(connection, folder)
        size = sum(path.stat().st_size for path in folder.iterdir())
        on_duck = duck.engine(folder)
        on_postgres = Postgres(connection)  # sets the memory of a sort or hash table, for the naive statement too
        server = psutil.Process(int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one()))
        times = {name: Times(server) for name in ("ours", "naive", "naive_capped", "duckdb")}
        for _ in range(repeats):
            ours = times["ours"].of(lambda: counting.count(on_postgres, PERIOD, lists, due, CAP_SECONDS))
            naive = times["naive"].of(lambda: connection.execute(text(NAIVE)).all())
            capped = times["naive_capped"].of(lambda: connection.execute(text(NAIVE_CAPPED)).all())
            theirs = times["duckdb"].of(lambda: counting.count(on_duck, PERIOD, lists, due, CAP_SECONDS))
        assert theirs == ours, "the engines differ"
        _compare(ours, naive, lists)
        _compare(ours, capped, lists)
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


def _compare(ours: list[TrueCell], naive: list[Any], lists: Lists) -> None:
    """The naive counts of course, module, country and region are ours."""
    expected = {
        (
            lists.course(row.course),
            None if row.module is None else lists.module(row.module),
            None if row.country is None else lists.country(row.country),
            None if row.region is None else lists.region(row.region),
        ): (row.learners, row.starters, row.completers)
        for row in naive
        if row.institution is None
    }
    found = {(c.course_id, c.module_id, c.country, c.region): (c.learners, c.starters, c.completers) for c in ours}
    assert found == expected, "the two ways differ"


def main() -> None:
    """Measure on a PostgreSQL of its own and say the ratios."""
    from bench import world

    with world.stores() as (server, _):
        found = measure(server.dsn())
    print(f"{found.events:,} events, {found.cells:,} cells, {found.parquet_bytes / 2**20:.1f} MiB of Parquet")
    for name in ("ours", "naive", "naive_capped", "duckdb"):
        spent: Spent = getattr(found, name)
        print(f"{name:13} {spent.wall:.2f} s by the clock, {spent.cpu:.2f} s of processors")
    print(f"ours / naive {found.to_naive:.2f}, with capped minutes {found.to_naive_capped:.2f} (at most 0.6)")
    print(f"ours / DuckDB {found.to_duckdb:.2f} (at most 5)")


if __name__ == "__main__":
    main()
