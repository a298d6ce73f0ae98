"""The SQL of detection: the only builder of it. Where evidence stands comes from the data map, by ``datamap.evidence``.

Identifiers come from the data map and are quoted; values are bound. Every statement is set-based; what leaves the
database row by row is only what needs the calendar: subjects with at least one value that is not clearly adult.
"""

# ruff: noqa: S608 - identifiers are quoted, values are bound
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

from privacy_ops.datamap.catalogue import Catalogue
from privacy_ops.datamap.evidence import REPORTS, EvidenceColumn, Reader, columns, instant, literal
from privacy_ops.datamap.model import AgeEvidence, CounterSignal, DataMap, Link
from privacy_ops.datamap.plain_text import ANY_DIGIT, plain_sql
from privacy_ops.minors import freetext
from privacy_ops.minors.signals import ALWAYS_READ, NO, PAYMENT, PUPIL, reports_others, school_regex
from privacy_ops.minors.written_dates import EPOCH_SHIFT, FORMS
from privacy_ops.stores.database import quote, quote_table
from privacy_ops.thresholds import Thresholds

ISO = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
NUMERIC = r"^[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{4}$"
# Rows of these kinds are really about children: nobody registers them by mistake (waives DQ-05).
CHILD_ROW_TYPES = frozenset({"child", "youth", "youth_delegate", "accompanying_child", "accompanying_person"})
# A person's own date of birth follows from a key, never from an address that two people may share.
_BY_KEY_ONLY = frozenset({
    "birth_date", "birth_text", "age_number", "age_band", "school_year", "declared_adult", "attendee_type",
    "mail_domain", "occupation", "identity_link",
})  # fmt: skip

# In the name of a feed: its days may count from another epoch.
SPREADSHEET = "xls|excel|ods|sheet"
_MARGIN = 3  # days

_BELOW = "<|under|below|less|unter|moins|menos"
# Kinds that are found by a regular expression, and the parameter that holds it.
_PATTERNS = {
    "mail_domain": "school_domain",
    "occupation": "pupil",
    "payment_text": "payment",
}
# The feed that says of the largest share of its people that they are under age.
_WORST_FEED = """worst AS (
                SELECT minors, stated FROM per_feed
                WHERE minors >= greatest(:min_minors, :min_minors_share * (SELECT sum(stated) FROM per_feed))
                ORDER BY minors / CAST(stated AS double precision) DESC LIMIT 1
            )"""
_OF_WORST_FEED = "coalesce((SELECT minors FROM worst), 0) AS minors, coalesce((SELECT stated FROM worst), 0) AS stated"
# A column of person_in_question beside those of the publisher's own table.
_KEY = "key of the person in question"
# Kinds whose values many people share.
_REPEATED = ("mail_domain", "occupation", "payment_text")


def sources(data_map: DataMap) -> tuple[EvidenceColumn, ...]:
    """Every place of evidence in the map, and after them the reports that people and processors sent."""
    found = columns(data_map)
    report = AgeEvidence(signal="SIG-11", kind="report")
    return (*found, EvidenceColumn(len(found), REPORTS, "says", report))


@dataclass(frozen=True)
class _About:
    """Where the rows about subjects in question come from: FROM clause, kind and table of the subjects, their key."""

    tables: str
    kind: str
    table: str
    key: str

    @property
    def columns(self) -> str:
        """The columns that name the subject."""
        return f"'{self.kind}' AS subject_kind, {literal(self.table)} AS subject_table, {self.key} AS subject_key"


class Builder(Reader):
    """Statements for one data map over one live catalogue."""

    def __init__(self, data_map: DataMap, catalogue: Catalogue) -> None:
        super().__init__(data_map, catalogue)
        self.row_tables = {s.table for s in columns(data_map) if s.about_row}

    # --- quality -----------------------------------------------------------------------------------------

    def quality(self, source: EvidenceColumn) -> str:
        """One row of numbers about one source, in one pass over its table.

        ``minors``, ``stated``: the values that may be those of somebody under age, and all that are filled in, of the
        feed where their share is largest. A feed with fewer than :min_minors, or than :min_minors_share of everybody
        in the source, counts as none: a small feed of children discredits no whole column. Earlier states are one
        feed, because the few dates that are ever changed are children's more often than others.
        Parameters: always, when_frequent (text[] of ISO dates), frequent_min_rows, frequent_factor, on (date), as_of,
        adult_age, min_minors, min_minors_share.
        """
        return self._quality_of_dates(source) if source.dates else self._quality(source)

    def _quality(self, source: EvidenceColumn) -> str:
        """The same row for what is no date: nothing in it can be over-represented."""
        value, feed = self.value(source, "t"), self._beside(source, _feed(source))
        like = {"age_number": "^[^0-9]*[0-9]{1,3}", "age_band": "[0-9]"}.get(source.evidence.kind, "")
        return f"""
            WITH per_feed AS (
                SELECT {feed} AS feed, count(*) AS n,
                       count(*) FILTER (WHERE coalesce({value}, '') = '') AS nulls,
                       count(*) FILTER (WHERE {value} <> '' AND {value} ~ {literal(like)}) AS parsed,
                       count(*) FILTER (WHERE {self._says_minor(source)}) AS minors,
                       count(*) - count(*) FILTER (WHERE coalesce({value}, '') = '') AS stated,
                       CAST({self._newest(source)} AS timestamptz) AS newest
                FROM {quote_table(source.table)} AS t GROUP BY 1
            ),
            {_WORST_FEED}
            SELECT coalesce(sum(n), 0) AS rows, coalesce(sum(nulls), 0) AS nulls, coalesce(sum(parsed), 0) AS parsed,
                   0 AS placeholders, 0 AS peak, CAST(NULL AS double precision) AS daily_median,
                   CAST('{{}}' AS text[]) AS over_represented, max(newest) AS newest_row_at, {_OF_WORST_FEED}
            FROM per_feed
        """

    def _says_minor(self, source: EvidenceColumn) -> str:
        """Whether a value, by itself, may be that of somebody who is under age now. Only of statements by people of
        themselves: rows, lists and school years are about the young by their nature."""
        evidence, value = source.evidence, self.value(source, "t")
        number = f"CAST(substring({value} FROM '[0-9]{{1,3}}') AS integer)"
        below = f"{value} ~* '^[^0-9]*({_BELOW})'"
        upto = f"coalesce(CAST(substring({value} FROM '[0-9]{{1,3}}[^0-9]+([0-9]{{1,3}})') AS integer), {number})"
        says, years = {
            "age_number": (f"{number} < :adult_age", number),
            "age_band": (
                f"{upto} <= :adult_age AND ({number} < :adult_age OR {below})",
                f"CASE WHEN {below} THEN 0 ELSE {number} END",
            ),
            "declared_adult": (f"lower({value}) IN ({', '.join(map(literal, NO))})", "0"),
            "attendee_type": (f"{value} IN ({', '.join(map(literal, evidence.minor_values))})", "0"),
        }.get(evidence.kind, ("false", "0"))
        if source.about_row or says == "false":
            return "false"
        said = f"CAST(t.{quote(evidence.stated_on)} AS timestamptz)" if evidence.stated_on else "NULL"
        moment = f"coalesce({said}, CAST({self._created(source)} AS timestamptz), :as_of)"
        return f"{says} AND {moment} > CAST(:as_of AS timestamptz) - (:adult_age - ({years})) * interval '1 year'"

    def _newest(self, source: EvidenceColumn) -> str:
        created = self._created(source)
        if created == "NULL":
            return instant(created)
        # One comparison for each row: `instant` is asked of the newest alone.
        return instant(f"max({created}) FILTER (WHERE {created} < '9998-01-01')")

    def _quality_of_dates(self, source: EvidenceColumn) -> str:
        value, feed = self.value(source, "t"), self._beside(source, _feed(source))
        born = "to_char(CAST(:on AS date) - CAST(:adult_age AS integer) * interval '1 year', 'YYYY-MM-DD')"
        # What the judgement will be able to read; an age may stand beside the dates.
        read = f"CASE WHEN value ~ '{ISO}' THEN true ELSE {plain_sql('lower(value)')} ~ {literal(FORMS)} END"
        if source.evidence.ages:
            read = f"value ~ '{ANY_DIGIT}'"
        # Written in words, or a year alone: its year tells.
        year = "substring(value FROM '((19|20)[0-9]{2})')"
        minors = (
            "false"
            if source.about_row
            else f"""CASE
                           WHEN day = ANY(CAST(:always AS text[])) OR day = ANY(defaults.days) THEN false
                           WHEN day IS NOT NULL THEN day > {born} AND day <= to_char(CAST(:on AS date), 'YYYY-MM-DD')
                           ELSE {year} >= left({born}, 4) AND {year} <= to_char(CAST(:on AS date), 'YYYY') END"""
        )
        return f"""
            WITH per_text AS (  -- the same dates come again and again: each is looked at once for every feed
                SELECT {value} AS value, {feed} AS feed, count(*) AS n,
                       CAST({self._newest(source)} AS timestamptz) AS newest
                FROM {quote_table(source.table)} AS t GROUP BY 1, 2
            ),
            per_value AS MATERIALIZED (
                SELECT {self._day(source, "value")} AS day, value, coalesce(value, '') = '' AS blank,
                       {read} AS like_a_date, feed, n, newest
                FROM per_text
            ),
            per_day AS (SELECT day, sum(n) AS n FROM per_value WHERE day IS NOT NULL GROUP BY day),
            usual AS (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY n) AS median FROM per_day),
            defaults AS (
                SELECT coalesce(array_agg(day ORDER BY day), '{{}}') AS days FROM per_day
                WHERE (day = ANY(CAST(:when_frequent AS text[])) OR day LIKE '%-01-01')
                  AND NOT day = ANY(CAST(:always AS text[])) AND n >= :frequent_min_rows
                  AND n > :frequent_factor * (SELECT median FROM usual)
            ),
            per_feed AS (
                SELECT sum(n) FILTER (WHERE {minors}) AS minors, sum(n) AS stated
                FROM per_value, defaults WHERE NOT blank GROUP BY feed
            ),
            {_WORST_FEED}
            SELECT coalesce(sum(n), 0) AS rows,
                   coalesce(sum(n) FILTER (WHERE blank), 0) AS nulls,
                   coalesce(sum(n) FILTER (WHERE NOT blank AND like_a_date), 0) AS parsed,
                   coalesce(sum(n) FILTER (WHERE day = ANY(CAST(:always AS text[]))), 0) AS placeholders,
                   coalesce((SELECT max(n) FROM per_day WHERE NOT day = ANY(CAST(:always AS text[]))), 0) AS peak,
                   (SELECT median FROM usual) AS daily_median,
                   (SELECT days FROM defaults) AS over_represented,
                   max(newest) AS newest_row_at, {_OF_WORST_FEED}
            FROM per_value
        """

    # --- candidates --------------------------------------------------------------------------------------

    def candidates(self, several: Sequence[EvidenceColumn], *, since: bool) -> str:
        """Names the subjects with a value that is not clearly adult: one pass over the table of ``several`` sources.

        Parameters: those of ``parameters`` and of ``placeholders`` of each source; with ``since`` only rows that came
        after :since.
        """
        table = several[0].table
        newer = self._newer(several[0]) if since else "true"
        if table == REPORTS:
            return f"""
                INSERT INTO candidate (source_no, subject_kind, subject_table, subject_key)
                SELECT {several[0].number}, t.subject_kind, t.subject_table, t.subject_key
                FROM {REPORTS} AS t WHERE t.withdrawn_at IS NULL AND {newer}
            """
        ways: dict[tuple[str, str, str], list[EvidenceColumn]] = {}
        for source in several:
            for way in self._leads(source):
                ways.setdefault(way, []).append(source)
        kept = {*self.key(table), *(c for link in self.map.tables[table].links() for c in link.columns)}
        again = [s for s in several if self._joined(s)]  # asked once more when the person is known
        kept |= {c for s in again for c in (s.column, self.map.tables[table].created_at, _feed(s)) if c}
        speaks = ", ".join(f"{self._speaks(s, self._registered(s))} AS {_says(s)}" for s in several)
        found = " UNION ".join(self._found(joins, who, alias, by) for (joins, who, alias), by in ways.items())
        return f"""
            WITH hit AS MATERIALIZED (  -- OFFSET: every condition is asked once of every row
                SELECT * FROM (
                    SELECT {", ".join(f"t.{quote(c)}" for c in sorted(kept))}, {speaks}
                    FROM {quote_table(table)} AS t WHERE {newer} OFFSET 0
                ) AS t
                -- Rarely true, and written so that the planner expects it to be.
                WHERE CASE WHEN {" OR ".join(map(_says, several))} THEN 1 END = 1
            )
            INSERT INTO candidate (source_no, subject_kind, subject_table, subject_key) {found}
        """

    def texts(self, source: EvidenceColumn, *, since: bool) -> str:
        """The key (as text, column by column) and the text of every row of a source of free text.

        Parameters: :since, with ``since``: only rows that came after it.
        """
        text = self.text(source.table, source.column, "t", source.evidence.path, trimmed=False)
        keys = ", ".join(f"CAST(t.{quote(c)} AS text)" for c in self.key(source.table))
        where = self._where(source) + (f" AND {self._newer(source)}" if since else "")
        return f"SELECT {keys}, {text} FROM {quote_table(source.table)} AS t WHERE {text} <> ''{where}"

    def speaking(self, source: EvidenceColumn) -> Iterator[str]:
        """Name the subjects of the rows in ``speaking``, whose texts may state an age."""
        for joins, subject_table, alias in self._leads(source):
            kind = "person" if subject_table == self.map.subject.table else "row"
            yield f"""
                INSERT INTO candidate (source_no, subject_kind, subject_table, subject_key)
                SELECT DISTINCT {source.number}, '{kind}', {literal(subject_table)},
                    {self.key_array(subject_table, alias)}
                FROM speaking AS s
                JOIN {quote_table(source.table)} AS t ON {self.key_matches(source.table, "t", "s.row_key")} {joins}
                WHERE s.source_no = {source.number}
            """

    def _found(self, joins: str, subject_table: str, alias: str, several: Sequence[EvidenceColumn]) -> str:
        """The subjects of the rows in ``hit`` to whom one way leads."""
        kind = "person" if subject_table == self.map.subject.table else "row"
        says = []
        for source in several:
            # Only now the person is known, whose own registration decides.
            own = f" AND {self._speaks(source, self._registered(source, alias))}" if self._joined(source) else ""
            says.append(f"CASE WHEN t.{_says(source)}{own} THEN {source.number} END")
        return f"""
            SELECT DISTINCT unnest(array_remove(ARRAY[{", ".join(says)}], NULL)), '{kind}', {literal(subject_table)},
                {self.key_array(subject_table, alias)}
            FROM hit AS t {joins}"""

    def _leads(self, source: EvidenceColumn) -> Iterator[tuple[str, str, str]]:
        """Joins from a row of ``source`` to each table of its subjects, that table, and its alias."""
        if source.about_row:
            yield "", source.table, "t"
        else:
            for joins, person in self._ways(source):
                yield joins, self.map.subject.table, person

    def _joined(self, source: EvidenceColumn) -> bool:
        """Whether a date stands elsewhere than the registration with which it is compared."""
        return source.dates and not source.about_row and source.table != self.map.subject.table

    def _registered(self, source: EvidenceColumn, person: str | None = None) -> str | None:
        """When the subject of a row came; None while its person is not joined."""
        if source.about_row:
            return self._created(source)
        alias = "t" if source.table == self.map.subject.table else person
        return f"{alias}.{quote(self.map.subject.registered_at)}" if alias else None

    def first_registered(self) -> str:
        """When the very first of the people registered."""
        subject = self.map.subject
        column = quote(subject.registered_at)
        return (
            f"SELECT CAST(min({column}) AS timestamptz) FROM {quote_table(subject.table)}"
            f" WHERE {column} >= '0002-01-01' AND {column} < '9998-01-01'"  # as `instant`, and an index serves
        )

    def _ways(self, source: EvidenceColumn, *, subjects: str | None = None) -> Iterator[tuple[str, str]]:
        """Every way from a row of ``source`` to its person: the link, and for reports a shared address as well.

        subjects: a relation that stands for the subject table.
        """
        yield self.to_subject(source.table, subjects=subjects)
        if source.evidence.kind not in _BY_KEY_ONLY:
            for here, before in self._chain(source.table):
                for link in self.map.tables[here].also:
                    if link.to == self.map.subject.table:
                        yield self._way(before, link, subjects)

    def _chain(self, table: str) -> Iterator[tuple[str, tuple[Link, ...]]]:
        """The tables on the way to the subject, with the links that lead to each."""
        before: tuple[Link, ...] = ()
        yield table, before
        for link in self.map.path_to_subject(table):
            before = (*before, link)
            if link.to != self.map.subject.table:
                yield link.to, before

    def _way(self, before: Sequence[Link], last: Link, subjects: str | None) -> tuple[str, str]:
        here, parts = "t", []
        for number, link in enumerate((*before, last), start=1):
            there = f"p{number}"
            relation = subjects if subjects and link.to == self.map.subject.table else quote_table(link.to)
            parts.append(f"JOIN {relation} AS {there} ON {self.linked(link, here, there)}")
            here = there
        return " ".join(parts), here

    def _speaks(self, source: EvidenceColumn, registered: str | None) -> str:
        """Condition under which a row may say that somebody is under age, or was when the data came.

        registered: when its subject came; None while that is not known, for a condition that is true more often.
        """
        evidence, kind = source.evidence, source.evidence.kind
        value = self.value(source, "t")
        where = self._where(source)
        if source.dates:
            return self._date_not_clearly_adult(source, registered) + where
        number = f"CAST(substring({value} FROM '[0-9]{{1,3}}') AS integer) < :adult_age"
        condition = {
            "age_number": f"{value} ~ '^[^0-9]*[0-9]{{1,3}}' AND {number}",
            "age_band": f"{value} ~ '[0-9]' AND ({number} OR {value} ~* '^[^0-9]*({_BELOW})')",
            "school_year": f"{value} <> ''",
            "declared_adult": f"lower({value}) IN ({', '.join(map(literal, NO))})",
            "guardian": f"{value} <> ''",
            "scan": f"{value} <> ''",
            "identity_link": "false",  # only beside a confirmed minor: see `linked_accounts`
            "free_text": "false",  # see `texts`
        }.get(kind)
        if pattern := _PATTERNS.get(kind):
            condition = f"{value} ~* :{pattern}"
        if kind in _REPEATED:
            # Few different words for many people: each is searched once. Of a mail address the domain counts.
            word = self.text(source.table, source.column, "t", source.evidence.path, trimmed=False)
            found, told = "btrim(v)", f"{word} <> ''"
            if kind == "mail_domain":
                word, found = f"split_part({word}, '@', -1)", "'@' || btrim(v)"
            condition = (
                f"{word} IN (SELECT v FROM (SELECT DISTINCT {word} AS v FROM {quote_table(source.table)} AS t"
                f" WHERE {told} OFFSET 0) AS d WHERE {found} ~* :{pattern})"
            )
        if evidence.minor_values and kind in {"attendee_type", "age_gate", "youth_list", "scan"}:
            condition = f"{value} IN ({', '.join(map(literal, evidence.minor_values))})"
        return f"{condition}{where}"

    def _date_not_clearly_adult(self, source: EvidenceColumn, registered: str | None) -> str:
        """Younger than the horizon, under age when the first data came, or a placeholder.

        Only what is adult by every reading is left out: an ISO date has one (29 February of a common year two, a day
        apart), day and month of the other form stay in their year, and what came through a spreadsheet may be 1462
        days younger: of those, everything up to that much older than the horizon is looked at.
        """
        column, number = f"t.{quote(source.column)}", source.number
        moments = dict.fromkeys(at for at in (registered, self._created(source)) if at and at != "NULL")
        then = f"CAST(least({', '.join(moments)}) AS timestamptz) - CAST(:majority AS integer) * interval '1 day'"
        sheet = f"{self._beside(source, _feed(source))} ~* :spreadsheet" if _feed(source) else "false"

        def young(written: str, first_born: str, reached: str) -> str:
            """Born later than ``reached``; nobody known is under age who was born before the first, unless the row
            came before all of them."""
            if source.about_row:
                return f"{written} >= {reached}"
            early = "".join(f" OR {at} < CAST(:first_registered AS timestamptz)" for at in moments if at != registered)
            return f"({written} >= {first_born}{early})" + (f" AND {written} >= {reached}" if registered else "")

        if source.evidence.path is None and self.type(source.table, source.column) == "date":
            return (
                f"({column} > CAST(:horizon AS date) OR {column} < CAST(:oldest AS date)"
                f" OR {column} = ANY(CAST(:defaults_{number} AS date[]))"
                f" OR {young(column, 'CAST(:first_born AS date)', f'CAST({then} AS date)')}"
                f" OR ({column} >= CAST(:sheet_horizon AS date) AND {sheet}))"
            )
        # Most text is written in two ways. The first sorts like days; of the second the year is compared. That it is
        # digits and dashes is enough to know of the first: small expressions cost PostgreSQL far less than exact ones.
        text = self.value(source, "t") if source.evidence.path is not None else f"CAST({column} AS text)"

        def near(written: str, form: str, defaults: str) -> str:
            written, which = f'{written} COLLATE "C"', "day" if "DD" in form else "year"
            child = young(written, f"CAST(:first_born_{which} AS text)", f"to_char({then}, '{form}')")
            return (
                f"({written} >= CAST(:horizon_{which} AS text) OR {written} < CAST(:oldest_year AS text)"
                f" OR {defaults} OR {child}"
                f" OR ({written} >= CAST(:sheet_horizon_year AS text) AND {sheet}))"
            )

        slashes = f"translate({text}, '.-', '//')"
        return f"""({text} <> '' AND CASE
            WHEN {text} LIKE '____-__-__' AND {text} !~ '[^0-9-]'
            THEN {near(text, "YYYY-MM-DD", f"{text} = ANY(CAST(:defaults_iso_{number} AS text[]))")}
            WHEN {text} LIKE '%____' AND {text} ~ '{NUMERIC}'
            THEN {near(f"right({text}, 4)", "YYYY", f"{slashes} = ANY(CAST(:defaults_numeric_{number} AS text[]))")}
            ELSE {text} ~ '{ANY_DIGIT}' END)"""

    def linked_accounts(self, source: EvidenceColumn) -> str:
        """Other accounts of confirmed minors by a fixed link, into ``linked_subject``. One step, never further.

        Parameters: subject_table.
        """
        joins, person = self.to_subject(source.table)
        table, subject = quote_table(source.table), self.map.subject.table
        same = (source.column, *source.evidence.same)
        where = self._where(source)
        return f"""
            WITH confirmed AS (
                SELECT subject_key FROM judged
                WHERE subject_table = :subject_table AND class = 'CONFIRMED_MINOR'
                UNION
                SELECT subject_key FROM gov.minor_case
                WHERE subject_table = :subject_table AND class = 'CONFIRMED_MINOR' AND subject_key IS NOT NULL
                  AND state NOT IN ('CLOSED', 'CLEARED')
            ),
            theirs AS (
                SELECT {", ".join(f"t.{quote(c)}" for c in same)}, f.subject_key
                FROM confirmed AS f, {table} AS t {joins}
                WHERE {self.key_matches(subject, person, "f.subject_key")}{where}
            )
            INSERT INTO linked_subject (subject_key, row_key)
            SELECT DISTINCT {self.key_array(subject, person)}, {self.key_array(source.table, "t")}
            FROM theirs AS o
            JOIN {table} AS t ON {" AND ".join(f"t.{quote(c)} = o.{quote(c)}" for c in same)} {joins}
            WHERE {self.key_array(subject, person)} <> o.subject_key{where}
              AND NOT {self.key_array(subject, person)} IN (SELECT subject_key FROM confirmed)
        """

    def _where(self, source: EvidenceColumn) -> str:
        return "".join(
            f" AND CAST(t.{quote(c)} AS text) IN ({', '.join(map(literal, values))})"
            for c, values in source.evidence.where.items()
        )

    # --- evidence ----------------------------------------------------------------------------------------

    def people_in_question(self) -> str:
        """What the subject table says of the people in ``subject_in_question`` that leads to their rows elsewhere.

        The evidence of few is found from here: nobody else's account is read again for every source.
        """
        subject = self.map.subject
        leading = {r for link in self._last_links() for r in self.map.references_of(link)}
        wanted = ", ".join(f"t.{quote(c)}" for c in sorted({*subject.key, subject.registered_at, *leading}))
        return f"""
            CREATE TEMPORARY TABLE person_in_question ON COMMIT DROP AS
            SELECT q.subject_key AS {quote(_KEY)}, {wanted}
            FROM subject_in_question AS q JOIN {quote_table(subject.table)} AS t
                ON {self.key_matches(subject.table, "t", "q.subject_key")}
            WHERE q.subject_kind = 'person' AND q.subject_table = {literal(subject.table)}
        """

    def _last_links(self) -> Iterator[Link]:
        """The links into the subject table along which evidence and counter-signals lead to people."""
        for name, table in self.map.tables.items():
            sources = [s for s in columns(self.map) if s.table == name and not s.about_row]
            if name == self.map.subject.table or not (sources or any(c.counter_signal for c in table.columns.values())):
                continue
            yield from (link for link in self.map.path_to_subject(name) if link.to == self.map.subject.table)
            if any(s.evidence.kind not in _BY_KEY_ONLY for s in sources):
                for here, _ in self._chain(name):
                    yield from (link for link in self.map.tables[here].also if link.to == self.map.subject.table)

    def evidence(self, sources: Sequence[EvidenceColumn]) -> str:
        """Everything on record about every subject in ``subject_in_question``, ordered by subject.

        Reads ``person_in_question`` as well, which holds the people among them.

        Columns: subject_kind, subject_table, subject_key, source_no (NULL: a counter-signal), row_key, value,
        registered_at, created_at, arrived_at, said_at, feed, row_type, extra, changed_by.
        """
        branches = [branch for source in sources for branch in self._branches(source)]
        branches += self._counter_branches()
        # Two ways may lead to the same row (a key and an address): it counts once.
        order = 'subject_kind, subject_table COLLATE "C", subject_key COLLATE "C", source_no NULLS LAST,'
        order += ' row_key COLLATE "C"'
        return (
            f"SELECT DISTINCT ON ({order.replace(' NULLS LAST', '')}) * FROM ("
            + "\nUNION ALL\n".join(branches)
            + f") AS e ORDER BY {order}"
        )

    def _branches(self, source: EvidenceColumn) -> Iterator[str]:
        if source.table == REPORTS:
            yield f"""SELECT q.subject_kind, q.subject_table, q.subject_key,
                CAST({source.number} AS integer) AS source_no, {self.key_array(REPORTS, "t")} AS row_key,
                {self.value(source, "t")} AS value, CAST(NULL AS timestamptz) AS registered_at,
                t.reported_at AS created_at, t.reported_at AS arrived_at, t.reported_at AS said_at, '' AS feed,
                t.signal AS row_type,
                '' AS extra, '' AS changed_by
            FROM subject_in_question AS q
            JOIN {REPORTS} AS t ON t.subject_table = q.subject_table AND t.subject_key = q.subject_key
            WHERE t.withdrawn_at IS NULL"""
        elif source.about_row:
            yield self._branch(source, self._rows_in_question(source.table), registered=self._created(source))
        else:
            for joins, person in self._ways(source, subjects="person_in_question"):
                registered = f"{person}.{quote(self.map.subject.registered_at)}"
                yield self._branch(source, self._people_in_question(source.table, joins, person), registered=registered)

    def _branch(self, source: EvidenceColumn, about: _About, *, registered: str) -> str:
        evidence, created = source.evidence, self._created(source)
        value = self.value(source, "t")
        said = f"t.{quote(evidence.stated_on)}" if evidence.stated_on else "NULL"
        condition = f"coalesce({value}, '') <> ''{self._where(source)}"
        if evidence.kind == "identity_link":
            condition = (
                f"EXISTS (SELECT FROM linked_subject AS l WHERE l.subject_key = {about.key}"
                f" AND l.row_key = {self.key_array(source.table, 't')})"
            )
        elif evidence.kind not in ALWAYS_READ:
            condition = self._speaks(source, registered)
        kind = next(
            (
                n
                for n, c in self.map.tables[source.table].columns.items()
                for e in c.evidences
                if e.kind == "attendee_type"
            ),
            None,
        )
        found = f"""SELECT {about.columns},
                CAST({source.number} AS integer) AS source_no,
                {self.key_array(source.table, "t")} AS row_key, {value} AS value,
                {instant(registered)} AS registered_at, {instant(created)} AS created_at,
                {self._arrived(source)} AS arrived_at,
                coalesce({instant(said)}, {instant(created)}, {instant(registered)}) AS said_at,
                {self._beside(source, evidence.source)} AS feed,
                {self._beside(source, kind if source.about_row else None)} AS row_type,
                {self._inside(source, evidence.month or evidence.country)} AS extra,
                {self._beside(source, evidence.changed_by)} AS changed_by
            FROM {about.tables}
            WHERE """
        pattern = _PATTERNS.get(evidence.kind)
        if pattern or evidence.kind == "free_text":
            # OFFSET 0: texts are searched after the join, only those of the subjects in question.
            matches = f"x.value ~* :{pattern}" if pattern else _may_speak(source, "x.value")
            return f"SELECT * FROM ({found}{value} <> ''{self._where(source)} OFFSET 0) AS x WHERE {matches}"
        return found + condition

    def _rows_in_question(self, table: str) -> _About:
        """Rows of ``table`` (alias t) that are themselves in question."""
        return _About(
            f"subject_in_question AS q JOIN {quote_table(table)} AS t ON q.subject_kind = 'row'"
            f" AND q.subject_table = {literal(table)} AND {self.key_matches(table, 't', 'q.subject_key')}",
            "row",
            table,
            "q.subject_key",
        )

    def _people_in_question(self, table: str, joins: str, person: str) -> _About:
        """Rows of ``table`` (alias t) that lead to people in question."""
        subject, key = self.map.subject, f"{person}.{quote(_KEY)}"
        if person == "t":
            same = " AND ".join(f"t.{quote(c)} = q.{quote(c)}" for c in subject.key)
            joins, key = f"JOIN person_in_question AS q ON {same}", f"q.{quote(_KEY)}"
        return _About(f"{quote_table(table)} AS t {joins}", "person", subject.table, key)

    def _beside(self, source: EvidenceColumn, column: str | None) -> str:
        """The text of another column of the same row; empty without one."""
        return f"coalesce({self.text(source.table, column, 't')}, '')" if column else "CAST('' AS text)"

    def _inside(self, source: EvidenceColumn, name: str | None) -> str:
        """The text of another key of the same JSON, or of another column."""
        if name and source.evidence.path is not None:
            return f"coalesce({self.text(source.table, source.column, 't', name)}, '')"
        return self._beside(source, name)

    def _counter_branches(self) -> Iterator[str]:
        """Rows that hold a counter-signal: of the row that is itself a subject, and of the person it leads to."""
        for name, table in self.map.tables.items():
            for column, entry in table.columns.items():
                if entry.counter_signal is None:
                    continue
                if name in self.row_tables:
                    yield self._counter(name, column, entry.counter_signal, self._rows_in_question(name))
                if table.link or name == self.map.subject.table:
                    joins, person = self.to_subject(name, subjects="person_in_question")
                    about = self._people_in_question(name, joins, person)
                    yield self._counter(name, column, entry.counter_signal, about)

    def _counter(self, table: str, column: str, signal: CounterSignal, about: _About) -> str:
        return f"""SELECT {about.columns}, CAST(NULL AS integer) AS source_no,
                {self.key_array(table, "t")} AS row_key, '' AS value, CAST(NULL AS timestamptz) AS registered_at,
                CAST(NULL AS timestamptz) AS created_at, CAST(NULL AS timestamptz) AS arrived_at,
                CAST(NULL AS timestamptz) AS said_at, '' AS feed,
                {literal(signal.code)} AS row_type, '' AS extra, '' AS changed_by
            FROM {about.tables} WHERE {self._counters(table, column, signal, about)}"""

    def _counters(self, table: str, column: str, signal: CounterSignal, about: _About) -> str:
        """Condition under which a counter-signal column says something. Parameter: as_of."""
        text = self.text(table, column, "t")
        if signal.domains and not signal.values:
            ends = "|".join(domain.replace(".", "[.]") for domain in signal.domains)
            # It names the subject in question, so that it is searched after the join: only those are.
            return f"concat({text}, left({about.key}[1], 0)) ~* {literal(f'[@.]({ends})$')}"
        if signal.values or signal.older_than_years is None:
            return self.holds(table, column, signal.values)
        years = signal.older_than_years
        if self.type(table, column).startswith(("date", "timestamp")):
            return f"t.{quote(column)} <= CAST(:as_of AS timestamptz) - interval '{years} years'"
        return (
            f"{text} ~ '^[0-9]{{4}}' AND CAST(substring({text} FROM '^[0-9]{{4}}') AS integer)"
            f" <= extract(year FROM CAST(:as_of AS timestamptz)) - {years}"
        )

    # --- restriction -------------------------------------------------------------------------------------

    def restrictions(self) -> Iterator[str]:
        """Take the subjects of open cases out of use and remember what stood there. Parameters: value, at.

        A person is restricted as the map says; a row is put in quarantine where the map says how.
        """
        how = self.map.restriction
        yield self._restrict("person", self.map.subject.table, how.table, how.key, how.column, literal(how.value))
        done = set()
        for source in columns(self.map):
            quarantine = source.evidence.quarantine
            if quarantine and source.table not in done:
                done.add(source.table)
                yield self._restrict(
                    "row", source.table, source.table, self.key(source.table), quarantine.column,
                    literal(quarantine.value),
                )  # fmt: skip

    def _restrict(
        self, kind: str, subject_table: str, table: str, key: Sequence[str], column_name: str, value: str
    ) -> str:
        column = quote(column_name)
        case_key = self.key_matches(table, "r", "c.subject_key", key)
        again = " AND ".join(f"r.{quote(k)} = l.{quote(f'key_{i}')}" for i, k in enumerate(key))
        keys = ", ".join(f"r.{quote(k)} AS {quote(f'key_{i}')}" for i, k in enumerate(key))
        return f"""
            WITH locked AS (
                SELECT c.case_id, {keys}, CAST(r.{column} AS text) AS previous
                FROM gov.minor_case AS c JOIN {quote_table(table)} AS r ON {case_key}
                WHERE c.subject_kind = '{kind}' AND c.subject_table = {literal(subject_table)}
                  AND c.restriction = 'HARD' AND c.restricted_at IS NULL AND c.state IN ('OPEN', 'IN_REVIEW')
                FOR UPDATE OF r, c
            ),
            updated AS (
                UPDATE {quote_table(table)} AS r SET {column} = {value} FROM locked AS l
                WHERE {again} AND r.{column} IS DISTINCT FROM {value}
            )
            UPDATE gov.minor_case AS c SET
                state = CASE c.state WHEN 'OPEN' THEN 'RESTRICTED' ELSE c.state END,
                restricted_at = :at, restriction_previous = l.previous
            FROM locked AS l WHERE c.case_id = l.case_id
        """

    def count_subjects(self) -> str:
        return f"SELECT count(*) FROM {quote_table(self.map.subject.table)}"

    # --- pieces ------------------------------------------------------------------------------------------

    def _created(self, source: EvidenceColumn) -> str:
        if source.table == REPORTS:
            return "t.reported_at"
        created = self.map.tables[source.table].created_at
        return f"t.{quote(created)}" if created else "NULL"

    def _arrived(self, source: EvidenceColumn) -> str:
        """When what stands there came or was last changed."""
        if source.table == REPORTS:
            return self._created(source)
        moments = [instant(f"t.{quote(c)}") for c in self.map.tables[source.table].moments()]
        return f"greatest({', '.join(moments)})" if moments else instant("NULL")

    def _newer(self, source: EvidenceColumn) -> str:
        """Condition under which a row came, or was changed, after :since; one index serves each column."""
        moments = ("reported_at",) if source.table == REPORTS else self.map.tables[source.table].moments()
        return "(" + " OR ".join(f"t.{quote(c)} > :since" for c in moments) + ")"

    def _day(self, source: EvidenceColumn, value: str) -> str:
        """The day a clean value stands for, as ISO text, for counting; NULL for anything else."""
        if source.evidence.path is None and self.type(source.table, source.column) == "date":
            return value
        year, first = f"right({value}, 4)", rf"lpad(substring({value} FROM '^([0-9]+)'), 2, '0')"
        second = rf"lpad(substring({value} FROM '^[0-9]+.([0-9]+)'), 2, '0')"
        month, day = (first, second) if source.evidence.order == "mdy" else (second, first)
        return (
            f"CASE WHEN {value} ~ '{ISO}' THEN {value}"
            f" WHEN {value} ~ '{NUMERIC}' THEN {year} || '-' || {month} || '-' || {day} END"
        )


def _feed(source: EvidenceColumn) -> str | None:
    """The column by whose values the quality of a source is told apart."""
    return None if source.evidence.changed_by else source.evidence.source


def parameters(
    on: date, as_of: datetime, limits: Thresholds, first_registered: datetime | None = None
) -> dict[str, Any]:
    """What the statements bind. ``on``: the civil date of judgement; ``first_registered``: see ``Builder``."""
    # Days on the safe side: what the pre-filter leaves out is adult in every time zone and by every leap rule.
    majority = 366 * limits.adult_age + _MARGIN
    horizon = on - timedelta(days=majority)
    # Days of a sheet may count from the other epoch: an adult as written, under age 1462 days later (DQ-09).
    sheet_horizon = horizon - EPOCH_SHIFT
    first_born = (first_registered - timedelta(days=majority)).date() if first_registered else None
    oldest = date(on.year - limits.plausible_age.max, 1, 1)
    return {
        "as_of": as_of,
        "adult_age": limits.adult_age,
        "majority": majority,
        "horizon": horizon,
        "horizon_day": horizon.isoformat(),
        "horizon_year": f"{horizon.year:04d}",
        "sheet_horizon": sheet_horizon,
        "sheet_horizon_year": f"{sheet_horizon.year:04d}",
        "spreadsheet": SPREADSHEET,
        "oldest": oldest,
        "oldest_year": f"{oldest.year:04d}",
        "first_registered": first_registered,
        "first_born": first_born,
        "first_born_day": first_born.isoformat() if first_born else None,
        "first_born_year": f"{first_born.year:04d}" if first_born else None,
        **_searched(others=False),
        **_searched(others=True),
        "school_domain": school_regex(),
        "pupil": PUPIL,
        "payment": PAYMENT,
    }


def placeholders(source: EvidenceColumn, defaults: frozenset[date]) -> dict[str, Any]:
    """What ``candidates`` binds for one source: the dates that stand for "nobody entered one" in it."""
    return {
        f"defaults_{source.number}": sorted(defaults),
        f"defaults_iso_{source.number}": sorted(d.isoformat() for d in defaults),
        f"defaults_numeric_{source.number}": sorted({written for d in defaults for written in _numeric(d)}),
    }


def _searched(*, others: bool) -> dict[str, str]:
    about = "anybody" if others else "writer"
    return {f"{about}_{stage}": regex for stage, regex in asdict(freetext.prefilter(others=others)).items()}


def _may_speak(source: EvidenceColumn, value: str) -> str:
    """Whether a free text may state an age; what is cheap comes first. In tickets others' ages count as well."""
    about = "anybody" if reports_others(source) else "writer"
    return (
        f"(({value} ~* :{about}_opener OR {value} ~* :{about}_unit)"
        f" AND {value} ~* :{about}_number AND {value} ~* :{about}_exact)"
    )


def _says(source: EvidenceColumn) -> str:
    return f"says_{source.number}"


def _numeric(day: date) -> Iterator[str]:
    """A date as ``NUMERIC`` has it, with slashes: day first or month first, with leading zeros or without."""
    for one, two in ((day.day, day.month), (day.month, day.day)):
        for a, b in product((f"{one}", f"{one:02d}"), (f"{two}", f"{two:02d}")):
            yield f"{a}/{b}/{day.year:04d}"
