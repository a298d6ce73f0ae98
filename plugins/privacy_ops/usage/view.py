"""Builds the canonical usage view of a publisher from its data map, as temporary tables of one transaction.

``usage_event(person, course_id, module_id, at, kind, seconds)`` holds the window's events of people who may be
counted; ``usage_excluded(person, why)`` the others; ``usage_day`` the window's London days. From here on SQL is
fixed text (``include/sql/usage``) that knows no publisher.

The only place where the export puts identifiers into SQL: all come from the data map and are quoted. Only
columns that the map lets feed or filter an aggregate are read, and the keys that link tables: anything else is
refused. People are excluded at the input: staff, bots, objectors, restricted people, open minor cases.
"""

# ruff: noqa: S608 - identifiers come from the data map only and are quoted; values are bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from privacy_ops.datamap.model import DataMap, UsageEvent, UsageExclusion, UsageView
from privacy_ops.errors import DataMapError
from privacy_ops.stores.database import quote, quote_table
from privacy_ops.stores.sql import statement
from privacy_ops.usage.periods import Period
from privacy_ops.usage.weeks import Window


@dataclass(frozen=True)
class Select:
    """A query built from the map, and the values bound to it."""

    sql: str
    values: dict[str, object]


def usage_of(data_map: DataMap) -> UsageView:
    """The map's usage view. Raises DataMapError when it has none, or reads a column it may not."""
    usage = data_map.usage
    if usage is None:
        raise DataMapError("the data map has no usage view", where="usage", do="say which columns make it")
    wrong = [f"{t}.{c} may not feed" for t, c in usage.feeds() if data_map.tables[t].columns[c].aggregate != "feed"]
    wrong += [
        f"{t}.{c} may not filter" for t, c in usage.filters() if data_map.tables[t].columns[c].aggregate == "never"
    ]
    if wrong:
        raise DataMapError(
            "the usage view reads columns that may not enter an aggregate: " + ", ".join(sorted(set(wrong))),
            where="usage",
            do="say aggregate: feed or filter at the column after a review, or leave the column out",
        )
    return usage


def key_text(parts: Sequence[str]) -> str:
    """One text for a key: of a single part its text, of several length-prefixed parts, so that none collide."""
    texts = [f"CAST({part} AS text)" for part in parts]
    if len(texts) == 1:
        return texts[0]
    return " || ".join(f"CAST(LENGTH({t}) AS text) || ':' || {t}" for t in texts)


def way_to_person(data_map: DataMap, table: str) -> tuple[str, str, list[str]]:
    """Joins from ``table`` (alias t0) towards the subject, the person's text, and the columns it is made of."""
    joins: list[str] = []
    alias = "t0"
    for depth, link in enumerate(data_map.path_to_subject(table), start=1):
        references = data_map.references_of(link)
        here = dict(zip(references, link.columns, strict=True))
        if link.to == data_map.subject.table and set(data_map.subject.key) <= set(here):
            columns = [f"{alias}.{quote(here[key])}" for key in data_map.subject.key]
            return " ".join(joins), key_text(columns), columns
        on = " AND ".join(f"t{depth}.{quote(r)} = {alias}.{quote(c)}" for r, c in here.items())
        joins.append(f"INNER JOIN {quote_table(link.to)} AS t{depth} ON {on}")
        alias = f"t{depth}"
    columns = [f"{alias}.{quote(key)}" for key in data_map.subject.key]
    return " ".join(joins), key_text(columns), columns


def _events(data_map: DataMap, usage: UsageView, event: UsageEvent) -> str:
    joins, person, columns = way_to_person(data_map, event.table)
    at = f"t0.{quote(event.at)}"
    seconds = f"GREATEST(COALESCE(CAST(t0.{quote(event.seconds)} AS bigint), 0), 0)" if event.seconds else "0"
    known = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    return (
        f"SELECT {person} AS person, CAST(m.{quote(usage.module_course)} AS text) AS course_id,"
        f" CAST(m.{quote(usage.module_key)} AS text) AS module_id, {at} AS at,"
        f" '{event.kind}' AS kind, {seconds} AS seconds"
        f" FROM {quote_table(event.table)} AS t0"
        f" INNER JOIN {quote_table(usage.module_table)} AS m ON m.{quote(usage.module_key)} = t0.{quote(event.module)}"
        f" {joins} WHERE {at} >= :starts_at AND {at} < :ends_at AND {known}"
    )


def _excluded(data_map: DataMap, exclusion: UsageExclusion, number: int) -> Select:
    joins, person, _ = way_to_person(data_map, exclusion.table)
    values = [str(v).lower() if isinstance(v, bool) else v for v in exclusion.values]
    return Select(
        f"SELECT {person} AS person, '{exclusion.why}' AS why FROM {quote_table(exclusion.table)} AS t0 {joins}"
        f" WHERE CAST(t0.{quote(exclusion.column)} AS text) = ANY(:values_{number})",
        {f"values_{number}": values},
    )


def excluded_people(data_map: DataMap) -> Select:
    """Query of (person, why) for everybody who enters no statistic, one row per reason."""
    usage = usage_of(data_map)
    parts = [_excluded(data_map, exclusion, n) for n, exclusion in enumerate(usage.exclusions)]
    key = key_text([f"c.subject_key[{n}]" for n in range(1, len(data_map.subject.key) + 1)])
    minors = Select(
        f"SELECT {key} AS person, 'minor' AS why FROM gov.minor_case AS c WHERE c.subject_kind = 'person'"
        " AND c.subject_table = :subject_table AND c.subject_key IS NOT NULL"
        " AND c.state NOT IN ('CLOSED', 'CLEARED')",
        {"subject_table": data_map.subject.table},
    )
    values: dict[str, object] = {}
    for part in (*parts, minors):
        values |= part.values
    return Select(" UNION ALL ".join(part.sql for part in (*parts, minors)), values)


def exclude(connection: Connection, data_map: DataMap) -> None:
    """Make usage_excluded in this transaction; it must not be there."""
    connection.execute(text("CREATE TEMPORARY TABLE usage_excluded (person text NOT NULL, why text NOT NULL)"))
    excluded = excluded_people(data_map)
    connection.execute(text(f"INSERT INTO usage_excluded (person, why) {excluded.sql}"), excluded.values)


def build(connection: Connection, data_map: DataMap, window: Window | Period) -> None:
    """Make usage_day, usage_excluded and usage_event in this transaction, replacing any of this session."""
    usage = usage_of(data_map)
    connection.execute(text("DROP TABLE IF EXISTS usage_event, usage_excluded, usage_day"))
    connection.execute(statement("usage", "create_usage_day"))
    connection.execute(
        statement("usage", "insert_usage_day"),
        [{"day": day, "starts_at": begin, "ends_at": end} for day, begin, end in window.days()],
    )
    exclude(connection, data_map)
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE usage_event (person text NOT NULL, course_id text NOT NULL,"
            " module_id text NOT NULL, at timestamp with time zone NOT NULL, kind text NOT NULL,"
            " seconds bigint NOT NULL)"
        )
    )
    union = " UNION ALL ".join(_events(data_map, usage, event) for event in usage.events)
    connection.execute(
        text(
            f"INSERT INTO usage_event (person, course_id, module_id, at, kind, seconds) SELECT v.* FROM ({union}) AS v"
            " WHERE NOT EXISTS (SELECT 1 FROM usage_excluded AS x WHERE x.person = v.person)"
        ),
        {"starts_at": window.start, "ends_at": window.end},
    )
    connection.execute(text("ANALYZE usage_event, usage_excluded, usage_day"))


def count_excluded_left(connection: Connection, data_map: DataMap) -> dict[str, int]:
    """How many people of usage_event must not be there, by reason, asked of the sources anew."""
    excluded = excluded_people(data_map)
    rows = connection.execute(
        text(
            f"SELECT x.why, COUNT(DISTINCT x.person) FROM ({excluded.sql}) AS x"
            " WHERE EXISTS (SELECT 1 FROM usage_event AS e WHERE e.person = x.person) GROUP BY x.why"
        ),
        excluded.values,
    )
    return {str(why): int(count) for why, count in rows}


def count_source_events(connection: Connection, data_map: DataMap, window: Window, weeks: int) -> list[int]:
    """Events in the sources of each of the ``weeks`` weeks before the window, oldest first, then of the window."""
    usage = usage_of(data_map)
    edges: list[datetime] = [window.before(n).start for n in range(weeks, -1, -1)] + [window.end]
    counts = [0] * (weeks + 1)
    for event in usage.events:
        at = f"t0.{quote(event.at)}"
        rows = connection.execute(
            text(
                f"SELECT WIDTH_BUCKET({at}, CAST(:edges AS timestamptz[])) AS week, COUNT(*)"
                f" FROM {quote_table(event.table)} AS t0 WHERE {at} >= :first AND {at} < :last"
                f" AND t0.{quote(event.module)} IS NOT NULL GROUP BY week"
            ),
            {"edges": edges, "first": edges[0], "last": edges[-1]},
        )
        for week, count in rows:
            counts[int(week) - 1] += int(count)
    return counts


def count_starters(
    connection: Connection, data_map: DataMap, starts_at: datetime, ends_at: datetime, courses: Sequence[str]
) -> dict[str, int]:
    """Distinct people who started one of the ``courses`` in that time, by course; a course without is missing.

    All events count when the map has no starts. Reads usage_excluded, which ``exclude`` makes.
    """
    usage = usage_of(data_map)
    starts = [e for e in usage.events if e.kind == "start"] or list(usage.events)
    union = " UNION ALL ".join(_events(data_map, usage, event) for event in starts)
    rows = connection.execute(
        text(
            f"SELECT d.course_id, COUNT(*) FROM (SELECT v.course_id, v.person FROM ({union}) AS v"
            " WHERE v.course_id = ANY(:courses) AND NOT EXISTS"
            " (SELECT 1 FROM usage_excluded AS x WHERE x.person = v.person)"
            " GROUP BY v.course_id, v.person) AS d GROUP BY d.course_id"
        ),
        {"starts_at": starts_at, "ends_at": ends_at, "courses": list(courses)},
    )
    return {str(course): int(count) for course, count in rows}


@dataclass(frozen=True)
class PublicCourse:
    """A course and its modules as anybody may see them: ids and titles."""

    course_id: str
    title: str
    modules: tuple[tuple[str, str], ...]


def all_courses(connection: Connection, data_map: DataMap) -> list[str]:
    """Ids of every course of the publisher, whoever is entitled to it and whether anybody uses it."""
    u = usage_of(data_map)
    rows = connection.execute(
        text(f"SELECT CAST(c.{quote(u.course_key)} AS text) AS course_id FROM {quote_table(u.course_table)} AS c")
    )
    return sorted(str(row.course_id) for row in rows)


def public_courses(connection: Connection, data_map: DataMap, courses: Sequence[str]) -> dict[str, PublicCourse]:
    """The public list: each of ``courses`` that exists, with all of its modules by id."""
    u = usage_of(data_map)
    rows = connection.execute(
        text(
            f"SELECT CAST(c.{quote(u.course_key)} AS text), c.{quote(u.course_title)},"
            f" CAST(m.{quote(u.module_key)} AS text), m.{quote(u.module_title)}"
            f" FROM {quote_table(u.course_table)} AS c LEFT JOIN {quote_table(u.module_table)} AS m"
            f" ON m.{quote(u.module_course)} = c.{quote(u.course_key)}"
            f" WHERE CAST(c.{quote(u.course_key)} AS text) = ANY(:courses)"
        ),
        {"courses": list(courses)},
    ).all()
    titles = {course: title for course, title, _, _ in rows}
    return {
        course: PublicCourse(
            course,
            str(title),
            tuple(sorted((str(m), str(t)) for c, _, m, t in rows if c == course and m is not None)),
        )
        for course, title in sorted(titles.items())
    }
