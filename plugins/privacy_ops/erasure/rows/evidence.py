"""Reads the deciding evidence once more, where it stands, inside the transaction that erases.

Two questions per statement. Is it what the judgement stood on (``unchanged``)? And does it show a minor at the frozen
instant of discovery (``minor``)? The second is answered another way than detection did: here years, months and days
are numbers such as 20081123 that are compared in SQL, there they are intervals of dates in Python. Whatever this way
cannot read counts as no minor, so a doubt erases nobody.
"""

# ruff: noqa: S608 - identifiers are quoted, values are bound
from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops.datamap.catalogue import Catalogue
from privacy_ops.datamap.evidence import REPORTS, EvidenceColumn, Reader, columns, instant, literal
from privacy_ops.datamap.model import AgeEvidence, DataMap
from privacy_ops.datamap.plain_text import plain_sql
from privacy_ops.stores.database import quote, quote_table
from privacy_ops.thresholds import Thresholds

# What can confirm alone. Everything else is shown to people, who confirm or clear.
_AGES = frozenset({"age_number", "age_band", "declared_adult", "attendee_type"})
_DATES = frozenset({"birth_date", "birth_text"})
# A time behind the day: hour, half of the day.
_CLOCK = (
    "(?:t|[ ,]+)([0-9]{1,2}):[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?([ap])[.]?m[.]?)?"
    "(?: ?(?:z|utc|[+-][0-9]{2}(?::?[0-9]{2})?))?$"
)
# Accents in both cases: a database of the locale C knows no letter beyond ASCII.
_MONTHS = (
    "(jan|ene|j[äÄ]n|jaen)", "(feb|f[éÉ]v|fev|f[éÉ]b)", "(mar|m[äÄ]r|mrz|maer)", "(apr|abr|avr)", "(may|mai)",
    "(jun|juin)", "(jul|juil)", "(aug|ago|ao[ûÛ]|aou)", "(sep|set)", "(oct|okt)", "nov", "(dec|dic|d[éÉ]c|dez)",
)  # fmt: skip


# Rows that go, and the evidence about their people, are looked up by their index: to read whole tables for them cost
# more than to delete them, and more the larger the tables.
_RANDOM_PAGE_COST = 1.1


def look_up_by_index(connection: Connection) -> None:
    """For the rest of this transaction: few rows of large tables are read by statements as long as ``evidence``'s."""
    connection.exec_driver_sql(f"SET LOCAL random_page_cost = {_RANDOM_PAGE_COST}")
    connection.exec_driver_sql("SET LOCAL jit = off")  # it compiles for longer than these statements run


def look_up_as_usual(connection: Connection) -> None:
    """Undo ``look_up_by_index``: to freeze what thousands of people left, whole tables are read rather than looked up
    row by row."""
    for setting in ("random_page_cost", "jit"):
        connection.exec_driver_sql(f"SET LOCAL {setting} TO DEFAULT")


def evidence(
    connection: Connection, data_map: DataMap, catalogue: Catalogue, plan_id: UUID, limits: Thresholds
) -> tuple[int, int]:
    """How many planned cases stand on changed evidence, and how many are not shown to be minors by it.

    A case that people confirmed is asked for unchanged evidence only; one that returned after its erasure for none.
    """
    row = connection.execute(
        text(f"""
            SELECT count(*) FILTER (WHERE changed) AS changed, count(*) FILTER (WHERE not_minor) AS not_minor
            FROM ({_cases(Reader(data_map, catalogue))}) AS c
        """),
        parameters(limits) | {"plan_id": plan_id},
    ).one()
    return int(row.changed), int(row.not_minor)


def doubted(
    connection: Connection, data_map: DataMap, catalogue: Catalogue, plan_id: UUID, limits: Thresholds
) -> list[UUID]:
    """The planned cases that ``evidence`` counts."""
    found = connection.execute(
        text(f"SELECT case_id FROM ({_cases(Reader(data_map, catalogue))}) AS c WHERE changed OR not_minor"),
        parameters(limits) | {"plan_id": plan_id},
    )
    return list(found.scalars())


def _cases(reader: Reader) -> str:
    """(case_id, changed, not_minor) of every planned case that stands on evidence of its own."""
    return f"""
        SELECT case_id, NOT coalesce(e.unchanged, c.decision IS NOT NULL) AS changed,
               c.decision IS DISTINCT FROM 'CONFIRMED' AND NOT coalesce(e.minor, false) AS not_minor
        FROM gov.erasure_plan_case AS p
        JOIN gov.minor_case AS c USING (case_id)
        LEFT JOIN (
            SELECT case_id, bool_and(unchanged) AS unchanged, bool_and(minor) AS minor
            FROM ({statements(reader)}) AS s GROUP BY case_id
        ) AS e USING (case_id)
        WHERE p.plan_id = :plan_id AND c.returned_of IS NULL"""


def parameters(limits: Thresholds) -> dict[str, object]:
    """What ``statements`` and ``judged`` bind, besides plan_id."""
    return {
        "zone": limits.legal_timezone,
        "adult_age": limits.adult_age,
        "max_age": limits.plausible_age.max,
        "feb_28": limits.leap_rule == "FEB_28",
    }


def statements(reader: Reader) -> str:
    """(case_id, unchanged, minor) of every usable statement of planned cases. ``minor`` NULL: it does not decide."""
    places = columns(reader.map)
    report = EvidenceColumn(len(places), REPORTS, "says", AgeEvidence(signal="SIG-11", kind="report"))
    stated = " UNION ALL ".join(_stated(reader, source) for source in (*places, report))
    died = "".join(f" UNION ALL {sql}" for sql in _died(reader))
    return f"""
        SELECT case_id,
               coalesce(value_hash = encode(sha256(convert_to(
                   CAST(case_id AS text) || ' ' || value, 'UTF8')), 'hex'), false) AS unchanged,
               minor
        FROM ({judged(stated)}) AS j{died}
    """


def _died(reader: Reader) -> Iterator[str]:
    """A record that the person has died, which the judgement knew of or not: it is for the privacy lead to decide."""
    subject = reader.map.subject.table
    for name, table in reader.map.tables.items():
        for column, entry in table.columns.items():
            if entry.counter_signal is None or not entry.counter_signal.died:
                continue
            says = reader.holds(name, column, entry.counter_signal.values)
            about = [(name, "", "t")]
            if table.link or name == subject:
                about = [(subject, *reader.to_subject(name)), *(about if name != subject else [])]
            for whose, joins, alias in about:
                yield f"""
                    SELECT c.case_id, 'DIED' = ANY(c.flags) AS unchanged, CAST(NULL AS boolean) AS minor
                    FROM gov.erasure_plan_case AS p
                    JOIN gov.minor_case AS c USING (case_id)
                    WHERE p.plan_id = :plan_id AND c.subject_table = {literal(whose)} AND EXISTS (
                        SELECT FROM {quote_table(name)} AS t {joins}
                        WHERE {reader.key_matches(whose, alias, "c.subject_key")} AND {says}
                    )"""


def _stated(reader: Reader, source: EvidenceColumn) -> str:
    """What stands now where each usable statement of this source was read."""
    found = source.evidence
    decides = found.kind in _AGES | _DATES
    return f"""
        SELECT s.case_id, c.discovered_at, s.value_hash, {reader.value(source, "t")} AS value,
               {literal(found.kind if decides else "")} AS kind, {literal(found.order)} AS day_order,
               {"true" if found.ages else "false"} AS ages, {_said_at(reader, source)} AS said_at,
               {_month(reader, source)} AS month, {_feed(reader, source)} AS feed
        FROM gov.erasure_plan_case AS p
        JOIN gov.minor_case AS c USING (case_id)
        JOIN gov.minor_signal AS s USING (case_id)
        LEFT JOIN {quote_table(source.table)} AS t ON {reader.key_matches(source.table, "t", "s.row_key")}
        {_subject(reader, source)}
        WHERE p.plan_id = :plan_id AND s.usable AND s.source_table = {literal(source.table)}
          AND s.source_column = {literal(source.label)}"""


def _needs_subject(reader: Reader, source: EvidenceColumn) -> bool:
    if source.table == REPORTS or source.about_row or source.evidence.kind not in _AGES | _DATES:
        return False
    return source.table != reader.map.subject.table


def _subject(reader: Reader, source: EvidenceColumn) -> str:
    if not _needs_subject(reader, source):
        return ""
    table = reader.map.subject.table
    return f"LEFT JOIN {quote_table(table)} AS a ON {reader.key_matches(table, 'a', 'c.subject_key')}"


def _said_at(reader: Reader, source: EvidenceColumn) -> str:
    """When it was said: the column for it, else when the row came, else when the person registered."""
    if source.evidence.kind not in _AGES | _DATES:
        return "CAST(NULL AS timestamptz)"
    registered = quote(reader.map.subject.registered_at)
    created = reader.map.tables[source.table].created_at
    found = [f"t.{quote(c)}" for c in (source.evidence.stated_on, created) if c]
    if _needs_subject(reader, source):
        found.append(f"a.{registered}")
    elif source.table == reader.map.subject.table:
        found.append(f"t.{registered}")
    return f"coalesce({', '.join(map(instant, [*found, 'NULL']))})"


def _month(reader: Reader, source: EvidenceColumn) -> str:
    month = source.evidence.month
    if not month:
        return "CAST(NULL AS text)"
    if source.evidence.path is not None:
        return reader.text(source.table, source.column, "t", month)
    return reader.text(source.table, month, "t")


def _feed(reader: Reader, source: EvidenceColumn) -> str:
    feed = source.evidence.source
    return reader.text(source.table, feed, "t") if feed else "CAST(NULL AS text)"


def judged(stated: str) -> str:
    """``stated`` with the column ``minor``. Columns needed: value, kind, day_order, ages, said_at, month, feed,
    discovered_at. A number such as 20081123 is a day; adding 180000 to it gives the eighteenth birthday.
    """
    sheet = "CASE WHEN s.feed ~* 'xls|excel|ods|sheet' THEN 1462 ELSE 0 END"  # it may have counted from 1904
    return f"""
        WITH stated AS MATERIALIZED ({stated}),
        -- Nearly all are iso: no other pattern below matches these, and to try each costs more than to delete.
        given AS (SELECT s.*, s.value ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' AS iso FROM stated AS s),
        plain AS (
            SELECT s.*, {plain_sql("s.month")} AS in_month,
                   CASE WHEN iso THEN s.value ELSE {plain_sql("lower(s.value)")} END AS low
            FROM given AS s
        ),
        numbered AS (  -- day: without the time behind it
            SELECT s.*, row_number() OVER () AS n,
                   CASE WHEN iso THEN low ELSE regexp_replace(low, {_pattern(_CLOCK)}, '') END AS day,
                   CASE WHEN NOT iso THEN regexp_match(low, {_pattern(_CLOCK)}) END AS clock,
                   {_number("CAST(s.discovered_at AT TIME ZONE :zone AS date)")} AS today,
                   {_number("CAST(s.said_at AT TIME ZONE :zone AS date)")} AS said
            FROM plain AS s
        ),
        span AS (  -- first: the eldest, last: the youngest that a single span of days allows
            SELECT n, said - (a.oldest + 1) * 10000 + 1 AS first, said - a.youngest * 10000 AS last
            FROM numbered, LATERAL ({_ages()}) AS a (youngest, oldest)
            WHERE a.oldest IS NOT NULL
            UNION ALL
            SELECT n, y * 10000 + coalesce(m, 1) * 100 + 1, y * 10000 + coalesce(m, 12) * 100 + 31
            FROM numbered, LATERAL ({_partial()}) AS p (y, m)
            WHERE kind IN ('birth_date', 'birth_text') AND NOT iso AND coalesce(m, 1) BETWEEN 1 AND 12
        ),
        written AS ({" UNION ALL ".join(_full())}),
        day AS (  -- a day that does not exist is dropped; of 29 February in a common year the day before stays
            SELECT n, y, m, CASE WHEN m = 2 AND d = 29 AND NOT {_leap("y")} THEN 28 ELSE d END AS d, back
            FROM written
            WHERE y BETWEEN 1 AND 9998 AND m BETWEEN 1 AND 12 AND d BETWEEN 1 AND
                CASE WHEN m = 2 THEN 29 WHEN m IN (4, 6, 9, 11) THEN 30 ELSE 31 END
        ),
        alternative AS (
            SELECT d.n, {_number(f"make_date(d.y, d.m, d.d) - d.back - {sheet}")} AS number
            FROM day AS d JOIN numbered AS s USING (n)
        ),
        eldest AS (SELECT n, min(number) AS number FROM alternative GROUP BY n)
        SELECT s.*, CASE
            WHEN s.kind = '' THEN NULL
            WHEN e.number > s.today THEN NULL  -- a day to come says nothing; another calendar is for people
            WHEN e.number IS NOT NULL THEN {_turns("e.number")} > s.today
            WHEN p.first + :adult_age * 10000 > s.today THEN true
            WHEN p.last + :adult_age * 10000 > s.today THEN NULL
            WHEN s.kind IN ('declared_adult', 'attendee_type') AND p.n IS NULL THEN NULL
            ELSE false
        END AS minor
        FROM numbered AS s
        LEFT JOIN eldest AS e USING (n)
        LEFT JOIN span AS p USING (n)
    """


def _number(day: str) -> str:
    return f"CAST(to_char({day}, 'YYYYMMDD') AS integer)"


def _leap(year: str) -> str:
    return f"({year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0))"


def _turns(number: str) -> str:
    """The day of majority of somebody born on ``number``; by the rule FEB_28 a leap day's is 28 February."""
    year = f"({number} / 10000 + :adult_age)"
    return (
        f"CASE WHEN :feb_28 AND {number} % 10000 = 229 AND NOT {_leap(year)}"
        f" THEN {number} + :adult_age * 10000 - 1 ELSE {number} + :adult_age * 10000 END"
    )


def _ages() -> str:
    """Youngest and oldest age that a statement names; no row's ``oldest`` is NULL where it names one."""
    first, second = "CAST(found[1] AS integer)", "CAST(found[2] AS integer)"
    forms = (
        (r"^(?:<|under|below|less than|unter|moins de|menos de) *(?:the age of *)?([0-9]{1,3})$", "0", f"{first} - 1"),
        (r"^([0-9]{1,3}) *(?:-|–|—|to|bis|à|a) *([0-9]{1,3})$", first, second),
        (r"^(?:>=?|≥|over|from|above) *([0-9]{1,3}) *(?:\+|and over|or over|and older|or older)?$", first, ":max_age"),
        (r"^([0-9]{1,3}) *(?:\+|and over|or over|and older|or older)$", first, ":max_age"),
    )
    plain = r"^(?:aged? *)?([0-9]{1,3})(?:[.,][0-9]+)? *(?:years?|yrs?|y|yo|y/o)? *(?:old)?[.]?$"
    months = r"^([0-9]{1,2}) *(?:months?|mths?|mo?) *(?:old)?$"
    branches = [
        "SELECT 0, :adult_age - 1 WHERE kind = 'declared_adult' AND low IN ('false', 'f', 'no', 'n', '0')",
        "SELECT 0, :adult_age - 1 WHERE kind = 'attendee_type' AND value <> ''",
        *(
            f"SELECT {low}, {high} FROM regexp_match(low, {_pattern(form)}) AS r (found)"
            " WHERE kind = 'age_band' AND found IS NOT NULL"
            for form, low, high in forms
        ),
        f"SELECT {first}, {first} FROM regexp_match(low, {_pattern(plain)}) AS r (found)"
        f" WHERE (kind IN ('age_number', 'age_band') OR ages) AND {first} < 130",
        f"SELECT {first} / 12, {first} / 12 FROM regexp_match(low, {_pattern(months)}) AS r (found)"
        " WHERE (kind = 'age_number' OR ages) AND found IS NOT NULL",
    ]
    return " UNION ALL ".join(branches)


def _partial() -> str:
    """A year, or a year and a month: in figures or by name."""
    return f"""
        SELECT CAST(low AS integer), CASE WHEN in_month ~ '^[0-9]{{1,2}}$' THEN CAST(in_month AS integer) END
        WHERE low ~ '^[0-9]{{4}}$'
        UNION ALL
        SELECT CAST(f[1] AS integer), CAST(f[2] AS integer)
        FROM regexp_match(low, {_pattern("^([0-9]{4})[-/.]([0-9]{1,2})$")}) AS r (f) WHERE f IS NOT NULL
        UNION ALL
        SELECT CAST(f[2] AS integer), CAST(f[1] AS integer)
        FROM regexp_match(low, {_pattern("^([0-9]{1,2})[-/.]([0-9]{4})$")}) AS r (f) WHERE f IS NOT NULL
        UNION ALL
        SELECT CAST(f[2] AS integer), {_month_number("f[1]")}
        FROM regexp_match(low, {_pattern("^([^0-9 .,/-]+)[.]?,?[- ]*(?:de |del )?([0-9]{4})$")}) AS r (f)
        WHERE {_month_number("f[1]")} IS NOT NULL
    """


def _full() -> Iterator[str]:
    """Whole days: (n, y, m, d, back). ``back``: days by which an instant may stand for an earlier day."""
    hour = "CAST(clock[1] AS integer)"
    back = (
        f"CASE WHEN CASE WHEN clock[2] IS NULL THEN {hour} ELSE {hour} % 12 + 12 * CAST(clock[2] = 'p' AS integer) END"
        " < 3 THEN 1 ELSE 0 END"
    )

    def of(pattern: str, y: str, m: str, d: str, where: str = "true") -> str:
        return f"""
            SELECT n, {y} AS y, {m} AS m, {d} AS d, {back} AS back
            FROM numbered, LATERAL regexp_match(day, {_pattern(pattern)}) AS r (f)
            WHERE kind IN ('birth_date', 'birth_text') AND NOT iso AND f IS NOT NULL AND {where}"""

    first, second, third = (f"CAST(f[{i}] AS integer)" for i in (1, 2, 3))
    y, m, d = (f"CAST(substr(low, {start}, {length}) AS integer)" for start, length in ((1, 4), (6, 2), (9, 2)))
    yield f"""
            SELECT n, {y} AS y, {m} AS m, {d} AS d, 0 AS back
            FROM numbered WHERE kind IN ('birth_date', 'birth_text') AND iso"""
    yield of(r"^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})[.]?$", first, second, third)
    yield of("^((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])$", first, second, third)
    # Read by the orders that the source does not rule out; of two digits the century in which somebody may still live.
    for other, month, day in (("mdy", second, first), ("dmy", first, second)):
        possible = f"day_order <> {literal(other)} AND {month} <= 12"
        yield of("^([0-9]{1,2}) ?[/.-] ?([0-9]{1,2}) ?[/.-] ?([0-9]{4})[.]?$", third, month, day, where=possible)
        yield of("^([0-9]{1,2})[ ,] ?([0-9]{1,2})[ ,] ?([0-9]{4})$", third, month, day, where=possible)
        yield of("^([0-9]{2})([0-9]{2})((?:19|20)[0-9]{2})$", third, month, day, where=possible)
        then = f"(1901 + {third} + :max_age) * 10000 + {month} * 100 + {day}"
        year = f"CASE WHEN {then} <= today THEN 2000 ELSE 1900 END + {third}"
        yield of("^([0-9]{1,2}) ?[/.-] ?([0-9]{1,2}) ?[/.-] ?([0-9]{2})[.]?$", year, month, day, where=possible)
    serial = "DATE '1899-12-30' + CAST(f[1] AS integer)"
    year, month, day = (f"CAST(extract({part} FROM {serial}) AS integer)" for part in ("year", "month", "day"))
    yield of("^([1-7][0-9]{4})(?:[.][0-9]+)?$", year, month, day, where="clock IS NULL")
    alpha, years = "([^0-9 .,/-]+)[.]?", "([0-9]{4})"
    yield of(
        f"^([0-9]{{1,2}})(?:st|nd|rd|th|er|º|[.])?[- ]*(?:of |de )?{alpha},?[- ]*(?:de |del )?{years}$",
        third, _month_number("f[2]"), first,
    )  # fmt: skip
    yield of(f"^{alpha} +([0-9]{{1,2}})(?:st|nd|rd|th)?,? +{years}$", third, _month_number("f[1]"), second)
    yield of("^([0-9]{1,4}) *年 *([0-9]{1,2}) *月 *([0-9]{1,2}) *日?$", first, second, third)
    era = "CASE f[1] WHEN '令和' THEN 2018 WHEN 'r' THEN 2018 WHEN '昭和' THEN 1925 WHEN 's' THEN 1925 ELSE 1988 END"
    yield of(
        "^(令和|平成|昭和|[rhs]) *([0-9]{1,2}) *[年./-] *([0-9]{1,2}) *[月./-] *([0-9]{1,2}) *日?$",
        f"{era} + {second}", third, "CAST(f[4] AS integer)",
    )  # fmt: skip


def _month_number(expression: str) -> str:
    whens = " ".join(f"WHEN {expression} ~ '^{names}' THEN {number}" for number, names in enumerate(_MONTHS, start=1))
    return f"CASE {whens} END"


def _pattern(pattern: str) -> str:
    """A regular expression as a SQL string: colons are escaped, as SQLAlchemy binds what follows one."""
    return "'" + pattern.replace("'", "''").replace(":", "\\:") + "'"
