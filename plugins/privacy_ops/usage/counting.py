"""True counts of one period, by the staged statements of ``include/sql/usage/count``: deduplicate, then add upward.

The statements are plain queries over the tables of ``usage.period_view``: small numbers, no functions of one engine,
no GROUPING SETS, no COUNT(DISTINCT) over events. An ``Engine`` keeps their rows: PostgreSQL in temporary tables;
DuckDB runs the same text.

A ``TrueCell`` must not leave the process that protects it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from sqlalchemy import Connection, text

from privacy_ops.stores.sql import read_statement
from privacy_ops.usage.period_view import Lists
from privacy_ops.usage.periods import Kind, Period

Table = Literal["period", "country_quarter", "region_quarter", "region_year"]

AREA = "usage/count"
# Which cells each table has: the course itself, and its parts.
LEVELS_OF: dict[Table, tuple[str, ...]] = {
    "period": ("course", "module"),
    "country_quarter": ("country",),
    "region_quarter": ("course", "region"),
    "region_year": ("course", "region"),
}
# Every step is kept as a table of its own name; each reads those before it. First what people did …
_PEOPLE = (
    *("person_module", "person_course", "long_day", "over_day", "excess"),
    *("module_contribution", "course_contribution"),
)
# … then the cells of each level with their longest stays, and their institutions. Regions and courses add up countries.
_LEVELS: dict[str, tuple[str, ...]] = {
    level: (f"{level}_cell", f"{level}_institution") for level in ("country", "region", "course", "module")
}
# Joined by steps after them, which would take them for larger or smaller than they are.
_SETTLED = frozenset({"person_course", "excess"})
STEPS = (*_PEOPLE, *(step for steps in _LEVELS.values() for step in steps))
_COHORT = slice(4, 7)  # among the facts of a row
# Enough for the hash tables of a large publisher's week; without it they go to the disk.
_WORK_MEMORY = "SET LOCAL work_mem = '128MB'"
# What is joined next is looked at for its size: a small sample is enough.
_SMALL_SAMPLE = "SET LOCAL default_statistics_target = 10"


class Engine(Protocol):
    """Something that runs the statements. ``bound`` holds their ``:name`` parameters."""

    def forget(self, names: Sequence[str]) -> None:
        """Forget what was kept under these names, if anything was."""

    def keep(self, name: str, query: str, bound: Mapping[str, int]) -> None:
        """Keep the rows of a query under a name."""

    def settle(self, names: Sequence[str]) -> None:
        """These are joined next: look at how large they are, if that helps."""

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        """Rows of a query, its columns in order."""


@dataclass(frozen=True)
class Postgres:
    """Keeps rows in temporary tables of the connection's transaction."""

    connection: Connection

    def __post_init__(self) -> None:
        for setting in (_WORK_MEMORY, _SMALL_SAMPLE):
            self.connection.execute(text(setting))

    def forget(self, names: Sequence[str]) -> None:
        self.connection.execute(text("DROP TABLE IF EXISTS " + ", ".join(names)))

    def keep(self, name: str, query: str, bound: Mapping[str, int]) -> None:
        self.connection.execute(text(f"CREATE TEMPORARY TABLE {name} AS\n{query}"), dict(bound))

    def settle(self, names: Sequence[str]) -> None:
        self.connection.execute(text("ANALYZE " + ", ".join(names)))

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        return self.connection.execute(text(query)).all()


class CellKey(NamedTuple):
    """Which cell: of which table, course and period; then a module, a country or a region, or neither."""

    table: Table
    course_id: str
    period_key: str
    module_id: str | None = None
    country: str | None = None
    region: str | None = None


class TrueCell(NamedTuple):
    """True facts of one cell that is not empty. Every count is of distinct people in the whole period.

    ``starters`` and ``completers`` started and completed the module; of a course, at least one of its modules. So
    along modules and along time a count is that of a union: ``largest part ≤ whole ≤ sum``; along places it is a sum.
    ``cohort_*`` (courses, quarters only): who started the course for the first time ever, and who of them completed
    every module of it, and passed an assessment of it, by the end of the quarter. ``seconds`` are capped by person,
    course and day; they add up along modules, places and time. ``seconds_top1`` and ``_top2``: what the two people
    add who add most. ``institutions``: those resolved, and one for all others; ``largest_institution``: its people.
    """

    table: Table
    course_id: str
    period_key: str
    module_id: str | None
    country: str | None
    region: str | None
    learners: int
    starters: int
    completers: int
    seconds: int
    cohort_starters: int
    cohort_completers: int
    cohort_passed: int
    institutions: int
    largest_institution: int
    seconds_top1: int
    seconds_top2: int

    @property
    def key(self) -> CellKey:
        return CellKey(self.table, self.course_id, self.period_key, self.module_id, self.country, self.region)


# Tables that close with a period; `period` for the courses whose base period is of that kind.
_CLOSING: dict[Kind, tuple[Table, ...]] = {
    "week": ("period",),
    "block": ("period",),
    "quarter": ("period", "country_quarter", "region_quarter"),
    "year": ("region_year",),
}


def due(period: Period, bases: Mapping[str, Kind]) -> dict[str, tuple[Table, ...]]:
    """Tables that each course has in ``period``, by its base period; a course that has none is missing."""
    found = {
        course: tuple(table for table in _CLOSING[period.kind] if table != "period" or base == period.kind)
        for course, base in bases.items()
    }
    return {course: tables for course, tables in found.items() if tables}


def count(
    engine: Engine, period: Period, lists: Lists, tables: Mapping[str, Collection[Table]], cap_seconds: int
) -> list[TrueCell]:
    """Cells with people, from what ``period_view.build`` read.

    ``tables``: which tables each course has, as ``due`` says; all its courses must be among those that were read.
    ``cap_seconds``: of one person, course and day. Deterministic: in order of table, course and cell.
    """
    wanted = {table for named in tables.values() for table in named}
    levels = {level for table in wanted for level in LEVELS_OF[table]}
    run_steps(engine, cap_seconds, levels)
    rows = {level: engine.rows(read_statement(AREA, f"select_{level}")) for level in sorted(levels)}
    found = [
        cell
        for table in sorted(wanted)
        for level in LEVELS_OF[table]
        for cell in _cells(table, level, period, lists, rows[level])
        if table in tables.get(cell.course_id, ())
    ]
    return sorted(found, key=_order)


def run_steps(engine: Engine, cap_seconds: int, levels: Collection[str]) -> None:
    """Every step that the cells of these levels need, without reading any."""
    needed = [*_PEOPLE, "country_cell"]
    needed += [step for level in _LEVELS if level in levels for step in _LEVELS[level]]
    engine.forget(STEPS)
    for step in dict.fromkeys(needed):
        query = read_statement(AREA, step)
        engine.keep(step, query, {"cap_seconds": cap_seconds} if ":cap_seconds" in query else {})
        if step in _SETTLED:
            engine.settle([step])


def _cells(table: Table, level: str, period: Period, lists: Lists, rows: Iterable[Sequence[Any]]) -> Iterable[TrueCell]:
    """``rows`` of ``select_<level>``: the course, the part if the level has one, then the facts of a TrueCell."""
    for course, *rest in rows:
        part = 0 if level == "course" else rest.pop(0)
        if period.kind != "quarter":
            rest[_COHORT] = [0, 0, 0]
        yield TrueCell(
            table,
            lists.course(course),
            period.key,
            lists.module(part) if level == "module" else None,
            lists.country(part) if level == "country" else None,
            lists.region(part) if level == "region" else None,
            *rest,
        )


def _order(cell: TrueCell) -> tuple[str, ...]:
    """By what a cell is, the whole before its parts; never by what is in it."""
    return cell.table, cell.course_id, cell.period_key, cell.module_id or "", cell.country or "", cell.region or ""
