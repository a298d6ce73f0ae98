"""Reads one period from a publisher's sources into temporary tables of small numbers, which the counting steps need.

``period_person(person, country, region, institution)``: who did something and may be counted, under a number that
means nothing outside this transaction. ``period_module(module, course, …)`` and ``period_course(course, modules)``: the
public lists. ``period_event(person, course, module, london_day, started, completed, passed, seconds)``: what they did.
``period_beginner(person, course)``: who started a course for the first time ever; filled for quarters.

PostgreSQL only, and with ``usage.view`` the only place where the export puts identifiers into SQL: all come from the
data map and are quoted. Everything after this is fixed text that knows no publisher and no engine.
"""

# ruff: noqa: S608 - identifiers come from the data map only and are quoted; values are bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from privacy_ops.datamap.model import DataMap, UsageView
from privacy_ops.stores.database import quote, quote_table
from privacy_ops.usage import view
from privacy_ops.usage.institutions import Spelling
from privacy_ops.usage.periods import Period
from privacy_ops.usage.places import Places

# What the counting steps read; another engine needs these and no other.
INPUT = ("period_person", "period_course", "period_event", "period_beginner")
_TABLES = ("period_place", "period_spelling", "period_key", "period_module", *INPUT)
UNRESOLVED = 0  # number of the one institution that all unknown spellings are
_MOST_SECONDS = 86_400  # of one event: a day; the cap of a day comes later
_NORMAL = r"LOWER(REGEXP_REPLACE(TRIM(NORMALIZE({}, NFKC)), '\s+', ' ', 'g'))"


@dataclass(frozen=True)
class Lists:
    """What the numbers in the period's tables stand for. Public lists only: nobody's number leads back to a person."""

    courses: tuple[str, ...]
    modules: tuple[tuple[str, str], ...]  # course, module
    places: Places

    def course(self, number: int) -> str:
        return self.courses[number - 1]

    def module(self, number: int) -> str:
        return self.modules[number - 1][1]

    def country(self, number: int) -> str:
        return self.places.countries[number].code

    def region(self, number: int) -> str:
        return self.places.regions[number]


def build(
    connection: Connection,
    data_map: DataMap,
    period: Period,
    places: Places,
    spellings: Sequence[Spelling],
    courses: Sequence[str],
) -> Lists:
    """Make the period's tables in this transaction, for ``courses`` that exist. Replaces any of this session.

    Raises DataMapError when the map has no usage view, or one that reads a column it may not.
    """
    usage = view.usage_of(data_map)
    connection.execute(text("DROP TABLE IF EXISTS usage_excluded, " + ", ".join(_TABLES)))
    view.exclude(connection, data_map)
    connection.execute(text("ANALYZE usage_excluded"))
    _places(connection, places)
    _spellings(connection, usage, spellings)
    _keys(connection, data_map)
    lists = _modules(connection, usage, places, courses)
    _events(connection, data_map, usage, period)
    _people(connection, data_map, usage, places)
    _beginners(connection, data_map, usage, period)
    return lists


def _places(connection: Connection, places: Places) -> None:
    """Codes as they may be written, with the numbers of country and region: positions in the reference."""
    numbers = {country.code: number for number, country in enumerate(places.countries)}
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE period_place"
            " (code text NOT NULL, country integer NOT NULL, region integer NOT NULL)"
        )
    )
    connection.execute(
        text("INSERT INTO period_place (code, country, region) VALUES (:code, :country, :region)"),
        [
            {"code": code, "country": numbers[country], "region": places.regions.index(places.region_of(country))}
            for code, country in places.spellings
        ],
    )


def _spellings(connection: Connection, usage: UsageView, spellings: Sequence[Spelling]) -> None:
    """Normal form of each known spelling, with the number of its institution.

    Two spellings of the register that fold into one normal form but mean two institutions resolve nothing.
    """
    connection.execute(
        text("CREATE TEMPORARY TABLE period_spelling (spelling text NOT NULL, institution integer NOT NULL)")
    )
    if usage.institution is None:
        return
    if usage.institution.resolved_by == "as_written":
        written = _NORMAL.format(f"CAST(t0.{quote(usage.institution.column)} AS text)")
        connection.execute(
            text(
                "INSERT INTO period_spelling (spelling, institution)"
                f" SELECT d.spelling, CAST(ROW_NUMBER() OVER () AS integer) FROM (SELECT DISTINCT {written} AS spelling"
                f" FROM {quote_table(usage.institution.table)} AS t0) AS d WHERE d.spelling <> ''"
            )
        )
    elif spellings:
        numbers = {name: n for n, name in enumerate(sorted({s.institution for s in spellings}), start=UNRESOLVED + 1)}
        connection.execute(
            text(
                "INSERT INTO period_spelling (spelling, institution) VALUES ("
                + _NORMAL.format("CAST(:spelling AS text)")
                + ", :n)"
            ),
            [{"spelling": s.spelling, "n": numbers[s.institution]} for s in spellings],
        )


def _keys(connection: Connection, data_map: DataMap) -> None:
    """Numbers for everybody who may be counted, in no order. The keys never leave this transaction."""
    keys = [f"s.{quote(key)}" for key in data_map.subject.key]
    named = ", ".join(f"{key} AS key_{n}" for n, key in enumerate(keys))
    connection.execute(
        text(
            f"CREATE TEMPORARY TABLE period_key AS SELECT CAST(ROW_NUMBER() OVER () AS integer) AS person, {named}"
            f" FROM {quote_table(data_map.subject.table)} AS s WHERE NOT EXISTS"
            f" (SELECT 1 FROM usage_excluded AS x WHERE x.person = {view.key_text(keys)})"
        )
    )
    connection.execute(text("ANALYZE period_key"))


def _people(connection: Connection, data_map: DataMap, usage: UsageView, places: Places) -> None:
    """Place and institution of everybody who did something.

    Somebody of whom a table says two countries or two institutions has the first in order of spelling.
    """
    joins, columns = "", {"country": str(len(places.countries) - 1), "region": str(len(places.regions) - 1)}
    if usage.country:
        told = _told(data_map, usage.country.table, usage.country.column, "UPPER(TRIM({}))")
        joins += f" LEFT JOIN {told} AS c ON {_same_key(data_map, 'k', 'c')}"
        joins += " LEFT JOIN period_place AS l ON l.code = c.told"
        columns = {name: f"COALESCE(l.{name}, {unknown})" for name, unknown in columns.items()}
    columns["institution"] = str(UNRESOLVED)
    if usage.institution:
        told = _told(data_map, usage.institution.table, usage.institution.column, _NORMAL)
        joins += f" LEFT JOIN {told} AS i ON {_same_key(data_map, 'k', 'i')}"
        # A normal form of two institutions is none of them.
        joins += (
            " LEFT JOIN (SELECT n.spelling, MIN(n.institution) AS institution FROM period_spelling AS n"
            " GROUP BY n.spelling HAVING MIN(n.institution) = MAX(n.institution)) AS n ON n.spelling = i.told"
        )
        columns["institution"] = f"COALESCE(n.institution, {UNRESOLVED})"
    listed = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    connection.execute(
        text(
            f"CREATE TEMPORARY TABLE period_person AS SELECT k.person, {listed} FROM period_key AS k{joins}"
            " WHERE EXISTS (SELECT 1 FROM period_event AS e WHERE e.person = k.person)"
        )
    )
    connection.execute(text("ANALYZE period_person"))


def _told(data_map: DataMap, table: str, column: str, form: str) -> str:
    """Query of one value per person, with the person's key as key_0, key_1, …"""
    joins, _, columns = view.way_to_person(data_map, table)
    value = form.format(f"CAST(t0.{quote(column)} AS text)")
    named = ", ".join(f"{key} AS key_{n}" for n, key in enumerate(columns))
    return (
        f"(SELECT {named}, MIN({value}) AS told FROM {quote_table(table)} AS t0 {joins} GROUP BY {', '.join(columns)})"
    )


def _same_key(data_map: DataMap, left: str, right: str) -> str:
    return " AND ".join(f"{left}.key_{n} = {right}.key_{n}" for n in range(len(data_map.subject.key)))


def _modules(connection: Connection, usage: UsageView, places: Places, courses: Sequence[str]) -> Lists:
    """The public list of the courses' modules, numbered in order of their ids."""
    course, module = f"m.{quote(usage.module_course)}", f"m.{quote(usage.module_key)}"
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE period_module AS SELECT"
            f" CAST(ROW_NUMBER() OVER (ORDER BY CAST({course} AS text), CAST({module} AS text)) AS integer) AS module,"
            f" CAST(DENSE_RANK() OVER (ORDER BY CAST({course} AS text)) AS integer) AS course,"
            f" CAST({course} AS text) AS course_id, CAST({module} AS text) AS module_id, {module} AS key_0"
            f" FROM {quote_table(usage.module_table)} AS m WHERE CAST({course} AS text) = ANY(:courses)"
        ),
        {"courses": list(courses)},
    )
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE period_course AS SELECT m.course, CAST(COUNT(*) AS integer) AS modules"
            " FROM period_module AS m GROUP BY m.course"
        )
    )
    connection.execute(text("ANALYZE period_module, period_course"))
    rows = connection.execute(
        text("SELECT m.course, m.course_id, m.module_id FROM period_module AS m ORDER BY m.module")
    ).all()
    named = sorted({(int(row.course), str(row.course_id)) for row in rows})
    return Lists(
        tuple(course_id for _, course_id in named),
        tuple((str(row.course_id), str(row.module_id)) for row in rows),
        places,
    )


@dataclass(frozen=True)
class _Source:
    """One table of events. ``does``: which of started, completed and passed a row of it says."""

    table: str
    module: str
    at: str
    does: str = ""
    seconds: str | None = None
    only: str = ""


def _sources(usage: UsageView) -> list[_Source]:
    does = {"activity": "", "start": "started", "complete": "completed"}
    found = [_Source(e.table, e.module, e.at, does[e.kind], e.seconds) for e in usage.events]
    if p := usage.passes:
        found.append(_Source(p.table, p.module, p.at, "passed", only=p.column))
    return found


def _select(data_map: DataMap, source: _Source, listed: str) -> str:
    """Rows of a source before the period's end by people who may be counted, in modules of the public list."""
    joins, _, columns = view.way_to_person(data_map, source.table)
    same = " AND ".join(f"k.key_{n} = {column}" for n, column in enumerate(columns))
    only = f" AND LOWER(CAST(t0.{quote(source.only)} AS text)) = ANY(:values)" if source.only else ""
    return (
        f"SELECT {listed} FROM {quote_table(source.table)} AS t0"
        f" INNER JOIN period_module AS m ON m.key_0 = t0.{quote(source.module)} {joins}"
        f" INNER JOIN period_key AS k ON {same} WHERE t0.{quote(source.at)} < :ends_at{only}"
    )


def _events(connection: Connection, data_map: DataMap, usage: UsageView, period: Period) -> None:
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE period_event (person integer NOT NULL, course integer NOT NULL,"
            " module integer NOT NULL, london_day date NOT NULL, started integer NOT NULL, completed integer NOT NULL,"
            " passed integer NOT NULL, seconds integer NOT NULL)"
        )
    )
    for source in _sources(usage):
        at = f"t0.{quote(source.at)}"
        seconds = (
            f"LEAST(GREATEST(COALESCE(t0.{quote(source.seconds)}, 0), 0), {_MOST_SECONDS})" if source.seconds else "0"
        )
        marks = ", ".join("1" if source.does == name else "0" for name in ("started", "completed", "passed"))
        listed = (
            f"k.person, m.course, m.module, CAST({at} AT TIME ZONE :timezone AS date), {marks},"
            f" CAST({seconds} AS integer)"
        )
        connection.execute(
            text(f"INSERT INTO period_event {_select(data_map, source, listed)} AND {at} >= :starts_at"),
            {**_bound(usage, source, period), "timezone": period.timezone, "starts_at": period.start},
        )
    connection.execute(text("ANALYZE period_event"))


def _beginners(connection: Connection, data_map: DataMap, usage: UsageView, period: Period) -> None:
    """First starts ever that fall into a quarter; of any event, in a map without starts."""
    connection.execute(
        text("CREATE TEMPORARY TABLE period_beginner (person integer NOT NULL, course integer NOT NULL)")
    )
    if period.kind != "quarter":
        return
    every = _sources(usage)
    starts = [s for s in every if s.does == "started"] or every
    union = " UNION ALL ".join(
        _select(data_map, source, f"k.person, m.course, t0.{quote(source.at)} AS at") for source in starts
    )
    values = {k: v for source in starts for k, v in _bound(usage, source, period).items()}
    connection.execute(
        text(
            f"INSERT INTO period_beginner (person, course) SELECT f.person, f.course FROM ({union}) AS f"
            " GROUP BY f.person, f.course HAVING MIN(f.at) >= :starts_at"
        ),
        {**values, "starts_at": period.start},
    )
    connection.execute(text("ANALYZE period_beginner"))


def _bound(usage: UsageView, source: _Source, period: Period) -> dict[str, object]:
    values: dict[str, object] = {"ends_at": period.end}
    if source.only and usage.passes:
        values["values"] = [str(value).lower() for value in usage.passes.values]
    return values
