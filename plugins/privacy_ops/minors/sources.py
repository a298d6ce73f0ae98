"""Where the data map says evidence of age stands, and the SQL that reads it: the only SQL builder of detection.

Identifiers come from the data map and are quoted; values are bound. Every statement is set-based; what leaves the
database row by row is only what needs the calendar: people with at least one value that is not clearly adult.
"""

# ruff: noqa: S608 - identifiers are quoted, values are bound
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from privacy_ops.datamap.catalogue import Catalogue
from privacy_ops.datamap.model import AgeEvidence, Column, DataMap, Link
from privacy_ops.errors import DataMapError
from privacy_ops.stores.database import quote, quote_table

ISO = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
NUMERIC = r"^[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{4}$"
DATE_KINDS = ("birth_date", "birth_text")
# Rows of these kinds are really about children: nobody registers them by mistake (waives DQ-05).
CHILD_ROW_TYPES = frozenset({"child", "youth", "youth_delegate", "accompanying_person"})


@dataclass(frozen=True)
class Source:
    """One column that holds dates of birth. ``number`` tells sources apart inside one query."""

    number: int
    table: str
    column: str
    evidence: AgeEvidence

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def about_row(self) -> bool:
        return self.evidence.subject == "row"


def in_scope(data_map: DataMap) -> tuple[Source, ...]:
    """Columns with full dates of birth stated by the person (SIG-01), in the map's order."""
    found = [
        (table, column, evidence)
        for table, column, evidence in _evidence(data_map)
        if evidence.signal == "SIG-01" and evidence.kind in DATE_KINDS and evidence.path is None
    ]
    return tuple(Source(number, *entry) for number, entry in enumerate(found))


def out_of_scope(data_map: DataMap) -> dict[str, int]:
    """Evidence columns that no detector reads yet, counted by signal code."""
    known = {(source.table, source.column) for source in in_scope(data_map)}
    counts: dict[str, int] = {}
    for table, column, evidence in _evidence(data_map):
        if (table, column) not in known or evidence.signal != "SIG-01":
            counts[evidence.signal] = counts.get(evidence.signal, 0) + 1
    return dict(sorted(counts.items()))


def _evidence(data_map: DataMap) -> Iterator[tuple[str, str, AgeEvidence]]:
    for table, entry in data_map.tables.items():
        for name, column in entry.columns.items():
            for evidence in ((column.evidence,) if column.evidence else ()) + column.more_evidence:
                yield table, name, evidence


class Builder:
    """Statements for one data map over one live catalogue."""

    def __init__(self, data_map: DataMap, catalogue: Catalogue) -> None:
        self.map, self.catalogue = data_map, catalogue

    # --- quality -----------------------------------------------------------------------------------------

    def quality(self, source: Source) -> str:
        """One row of numbers about one source. Parameters: always, when_frequent (text[] of ISO dates)."""
        table = self.map.tables[source.table]
        value, day = self._value(source, "t"), self._day(source, "t")
        newest = f"max(t.{quote(table.created_at)})" if table.created_at else "CAST(NULL AS timestamptz)"
        return f"""
            WITH per_value AS (
                SELECT {day} AS day, coalesce({value}, '') = '' AS blank, {value} ~ '[0-9]' AS like_a_date,
                       count(*) AS n, CAST({newest} AS timestamptz) AS newest
                FROM {quote_table(source.table)} AS t GROUP BY 1, 2, 3
            ),
            per_day AS (SELECT day, sum(n) AS n FROM per_value WHERE day IS NOT NULL GROUP BY day)
            SELECT coalesce(sum(n), 0) AS rows,
                   coalesce(sum(n) FILTER (WHERE blank), 0) AS nulls,
                   coalesce(sum(n) FILTER (WHERE NOT blank AND like_a_date), 0) AS parsed,
                   coalesce(sum(n) FILTER (WHERE day = ANY(CAST(:always AS text[]))), 0) AS placeholders,
                   coalesce((SELECT max(n) FROM per_day WHERE NOT day = ANY(CAST(:always AS text[]))), 0) AS peak,
                   (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY n) FROM per_day) AS daily_median,
                   coalesce((SELECT array_agg(day ORDER BY day) FROM per_day
                             WHERE (day = ANY(CAST(:when_frequent AS text[])) OR day LIKE '%-01-01')
                               AND NOT day = ANY(CAST(:always AS text[])) AND n >= :frequent_min_rows
                               AND n > :frequent_factor
                                   * (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY n) FROM per_day)),
                            '{{}}') AS over_represented,
                   max(newest) AS newest_row_at
            FROM per_value
        """

    # --- candidates --------------------------------------------------------------------------------------

    def candidates(self, source: Source) -> str:
        """Subjects with a value that is not clearly adult. Parameters: horizon (date), horizon_text, horizon_year."""
        interesting = self._not_clearly_adult(source)
        if source.about_row:
            return f"""
                INSERT INTO candidate (source_no, subject_kind, subject_table, subject_key)
                SELECT {source.number}, 'row', :subject_table, {self._key_array(source.table, "t")}
                FROM {quote_table(source.table)} AS t WHERE {interesting}
            """
        joins, person = self._to_subject(source.table)
        return f"""
            INSERT INTO candidate (source_no, subject_kind, subject_table, subject_key)
            SELECT DISTINCT {source.number}, 'person', :subject_table, {self._key_array(self.map.subject.table, person)}
            FROM {quote_table(source.table)} AS t {joins} WHERE {interesting}
        """

    def _not_clearly_adult(self, source: Source) -> str:
        column = f"t.{quote(source.column)}"
        if self._is_date(source):
            return f"{column} > :horizon"
        text = self._value(source, "t")
        year = f"right({text}, 4)"
        return (
            f"{text} <> '' AND NOT ({text} ~ '{ISO}' AND {text} COLLATE \"C\" < :horizon_text)"
            f" AND NOT ({text} ~ '{NUMERIC}' AND {year} COLLATE \"C\" < :horizon_year)"
        )

    # --- evidence ----------------------------------------------------------------------------------------

    def evidence(self, sources: Sequence[Source]) -> str:
        """Everything on record about every subject in ``subject_in_question``, ordered by subject.

        Columns: subject_kind, subject_table, subject_key, source_no (NULL: a counter-signal), row_key, value,
        registered_at, created_at, feed, row_type.
        """
        branches = [self._row_branch(s) if s.about_row else self._person_branch(s) for s in sources]
        branches += self._counter_branches()
        return (
            "SELECT * FROM (" + "\nUNION ALL\n".join(branches) + ") AS e"
            ' ORDER BY subject_kind, subject_table COLLATE "C", subject_key COLLATE "C", source_no NULLS LAST,'
            ' row_key COLLATE "C"'
        )

    def _person_branch(self, source: Source) -> str:
        table = self.map.tables[source.table]
        joins, person = self._to_subject(source.table)
        return self._branch(
            "person",
            f"{quote_table(source.table)} AS t {joins}",
            self.map.subject.table,
            person,
            source_no=str(source.number),
            row_key=self._key_array(source.table, "t"),
            value=self._value(source, "t"),
            registered=f"{person}.{quote(self.map.subject.registered_at)}",
            created=f"t.{quote(table.created_at)}" if table.created_at else "NULL",
            feed=f"t.{quote(source.evidence.source)}" if source.evidence.source else "''",
        )

    def _row_branch(self, source: Source) -> str:
        table = self.map.tables[source.table]
        created = f"t.{quote(table.created_at)}" if table.created_at else "NULL"
        kind = next((n for n, c in table.columns.items() if c.evidence and c.evidence.kind == "attendee_type"), None)
        return self._branch(
            "row",
            f"{quote_table(source.table)} AS t",
            source.table,
            "t",
            source_no=str(source.number),
            row_key=self._key_array(source.table, "t"),
            value=self._value(source, "t"),
            registered=created,
            created=created,
            feed=f"t.{quote(source.evidence.source)}" if source.evidence.source else "''",
            row_type=f"t.{quote(kind)}" if kind else "''",
        )

    def _counter_branches(self) -> Iterator[str]:
        for name, table in self.map.tables.items():
            for column_name, column in table.columns.items():
                if column.counter_signal is None:
                    continue
                where = _speaks(column, f"t.{quote(column_name)}")
                row_key = self._key_array(name, "t")
                if any(s.about_row and s.table == name for s in in_scope(self.map)):
                    yield self._branch("row", f"{quote_table(name)} AS t", name, "t", row_key=row_key, extra=where)
                elif table.link or name == self.map.subject.table:
                    joins, person = self._to_subject(name)
                    yield self._branch(
                        "person",
                        f"{quote_table(name)} AS t {joins}",
                        self.map.subject.table,
                        person,
                        row_key=row_key,
                        extra=where,
                    )

    def _branch(
        self,
        kind: str,
        tables: str,
        subject_table: str,
        alias: str,
        *,
        source_no: str = "NULL",
        row_key: str,
        value: str = "''",
        registered: str = "NULL",
        created: str = "NULL",
        feed: str = "''",
        row_type: str = "''",
        extra: str = "",
    ) -> str:
        matches = self._key_matches(subject_table, alias, "q.subject_key")
        condition = extra or f"coalesce({value}, '') <> ''"
        return f"""SELECT q.subject_kind, q.subject_table, q.subject_key, CAST({source_no} AS integer) AS source_no,
                {row_key} AS row_key, {value} AS value, CAST({registered} AS timestamptz) AS registered_at,
                CAST({created} AS timestamptz) AS created_at, CAST({feed} AS text) AS feed,
                CAST({row_type} AS text) AS row_type
            FROM subject_in_question AS q, {tables}
            WHERE q.subject_kind = '{kind}' AND q.subject_table = {_literal(subject_table)} AND {matches}
              AND {condition}"""

    # --- restriction -------------------------------------------------------------------------------------

    def restrict(self) -> str:
        """Lock the people of open cases and remember what stood there. Parameters: value, at, classes."""
        how = self.map.restriction
        column = quote(how.column)
        case_key = self._key_matches(how.table, "r", "c.subject_key", how.key)
        again = " AND ".join(f"r.{quote(k)} = l.{quote(f'key_{i}')}" for i, k in enumerate(how.key))
        keys = ", ".join(f"r.{quote(k)} AS {quote(f'key_{i}')}" for i, k in enumerate(how.key))
        return f"""
            WITH locked AS (
                SELECT c.case_id, {keys}, CAST(r.{column} AS text) AS previous
                FROM gov.minor_case AS c JOIN {quote_table(how.table)} AS r ON {case_key}
                WHERE c.state = 'OPEN' AND c.subject_kind = 'person' AND c.class = ANY(CAST(:classes AS text[]))
                FOR UPDATE OF r, c
            ),
            updated AS (
                UPDATE {quote_table(how.table)} AS r SET {column} = :value FROM locked AS l
                WHERE {again} AND r.{column} IS DISTINCT FROM :value
            )
            UPDATE gov.minor_case AS c SET state = 'RESTRICTED', restricted_at = :at, restriction_previous = l.previous
            FROM locked AS l WHERE c.case_id = l.case_id
        """

    def count_subjects(self) -> str:
        return f"SELECT count(*) FROM {quote_table(self.map.subject.table)}"

    # --- pieces ------------------------------------------------------------------------------------------

    def _is_date(self, source: Source) -> bool:
        return self._type(source.table, source.column) == "date"

    def _value(self, source: Source, alias: str) -> str:
        """The value as text: ISO for dates, trimmed text otherwise."""
        column = f"{alias}.{quote(source.column)}"
        return f"to_char({column}, 'YYYY-MM-DD')" if self._is_date(source) else f"btrim(CAST({column} AS text))"

    def _day(self, source: Source, alias: str) -> str:
        """The day a clean value stands for, as ISO text, for counting; NULL for anything else."""
        value = self._value(source, alias)
        if self._is_date(source):
            return value
        year, first = f"right({value}, 4)", rf"lpad(substring({value} FROM '^([0-9]+)'), 2, '0')"
        second = rf"lpad(substring({value} FROM '^[0-9]+.([0-9]+)'), 2, '0')"
        month, day = (first, second) if source.evidence.order == "mdy" else (second, first)
        return (
            f"CASE WHEN {value} ~ '{ISO}' THEN {value}"
            f" WHEN {value} ~ '{NUMERIC}' THEN {year} || '-' || {month} || '-' || {day} END"
        )

    def _type(self, table: str, column: str) -> str:
        try:
            return self.catalogue.tables[table].columns[column].type
        except KeyError:
            raise DataMapError(
                f"the database has no {table}.{column}", where="data map", do="run `map check` and mend the map"
            ) from None

    def _key_array(self, table: str, alias: str, key: Sequence[str] = ()) -> str:
        columns = key or self._key(table)
        return "ARRAY[" + ", ".join(f"CAST({alias}.{quote(c)} AS text)" for c in columns) + "]"

    def _key(self, table: str) -> tuple[str, ...]:
        return self.map.subject.key if table == self.map.subject.table else self.map.tables[table].key

    def _key_matches(self, table: str, alias: str, array: str, key: Sequence[str] = ()) -> str:
        """``alias``'s key equals the text array, compared in the column's own type so that its index serves."""
        return " AND ".join(
            f"{alias}.{quote(c)} = CAST({array}[{i}] AS {self._type(table, c)})"
            for i, c in enumerate(key or self._key(table), start=1)
        )

    def _to_subject(self, table: str) -> tuple[str, str]:
        """JOINs from alias ``t`` of ``table`` to the subject table, and the subject's alias."""
        here, parts = "t", []
        for number, link in enumerate(self.map.path_to_subject(table), start=1):
            there = f"p{number}"
            parts.append(f"JOIN {quote_table(link.to)} AS {there} ON {self._linked(link, here, there)}")
            here = there
        return " ".join(parts), here

    def _linked(self, link: Link, child: str, parent: str) -> str:
        pairs = zip(link.columns, self.map.references_of(link), strict=True)
        return " AND ".join(f"{child}.{quote(c)} = {parent}.{quote(r)}" for c, r in pairs)


def _speaks(column: Column, name: str) -> str:
    """Condition under which a counter-signal column says something."""
    assert column.counter_signal is not None  # noqa: S101 - for the type checker
    if not column.counter_signal.values:
        return f"coalesce(btrim(CAST({name} AS text)), '') <> ''"
    return f"CAST({name} AS text) IN ({', '.join(map(_literal, column.counter_signal.values))})"


def _literal(text: str) -> str:
    """A quoted SQL string for words of the data map. Colons are escaped: SQLAlchemy binds what follows one."""
    if "\x00" in text or "\\" in text:
        raise DataMapError("a word of the data map cannot be written in SQL", do="use plain text")
    return "'" + text.replace("'", "''").replace(":", "\\:") + "'"
