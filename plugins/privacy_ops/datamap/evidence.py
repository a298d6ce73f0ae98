"""Where the data map says evidence of age stands, and the pieces of SQL by which it is read and read again.

Detection and erasure both build on this and on nothing of each other: a value that detection hashed must come out
as the same text when the erasing transaction looks at it once more. Identifiers come from the map and are quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from privacy_ops.datamap.catalogue import Catalogue
from privacy_ops.datamap.model import AgeEvidence, DataMap, Link
from privacy_ops.errors import DataMapError
from privacy_ops.stores.database import quote, quote_table

DATE_KINDS = ("birth_date", "birth_text")
REPORTS = "gov.minor_report"  # reports by people and processors: our own table, a source like any other
_REPORT_TYPES = {"report_id": "bigint", "says": "text", "reported_at": "timestamp with time zone"}


@dataclass(frozen=True)
class EvidenceColumn:
    """One place that says something about somebody's age. ``number`` tells places apart inside one query."""

    number: int
    table: str
    column: str
    evidence: AgeEvidence

    @cached_property
    def label(self) -> str:
        """The column, and the key inside it where it holds JSON: ``gov.minor_signal.source_column``."""
        return f"{self.column}.{self.evidence.path}" if self.evidence.path else self.column

    @cached_property
    def name(self) -> str:
        return f"{self.table}.{self.label}"

    @property
    def about_row(self) -> bool:
        return self.evidence.subject == "row"

    @property
    def dates(self) -> bool:
        """Whether it holds dates of birth."""
        return self.evidence.kind in DATE_KINDS


def columns(data_map: DataMap) -> tuple[EvidenceColumn, ...]:
    """Every place of evidence in the map's order; the numbers are the same for the same map."""
    return tuple(EvidenceColumn(number, *place) for number, place in enumerate(_places(data_map)))


def _places(data_map: DataMap) -> Iterator[tuple[str, str, AgeEvidence]]:
    for table, entry in data_map.tables.items():
        for name, column in entry.columns.items():
            for evidence in ((column.evidence,) if column.evidence else ()) + column.more_evidence:
                yield table, name, evidence


def readable(data_map: DataMap, catalogue: Catalogue) -> DataMap:
    """The map without evidence and counter-signals that the live database cannot answer, for want of a table or column.

    Whoever is still shown to be a minor is found by the rest. What erases asks for the whole map.
    """

    def stands(table: str, names: Iterable[str]) -> bool:
        live = catalogue.tables.get(table)
        return live is not None and set(names) <= set(live.columns)

    def leads(link: Link, table: str) -> bool:
        return stands(table, link.columns) and stands(link.to, data_map.references_of(link))

    def reaches(table: str) -> bool:
        """Whether its rows can be told apart and lead to people, by every link that may be followed from there."""
        here, entry = table, data_map.tables[table]
        if not stands(table, (*entry.key, *entry.moments())):
            return False
        while here != data_map.subject.table and data_map.tables[here].link is not None:
            links = data_map.tables[here].links()
            if not all(leads(link, here) for link in links):
                return False
            here = links[0].to
        return True

    tables = {}
    for name, entry in data_map.tables.items():
        known = reaches(name)
        kept = {}
        for column, said in entry.columns.items():
            found = [e for e in said.evidences if known and stands(name, (column, *e.columns()))]
            signal = said.counter_signal if known and stands(name, (column,)) else None
            kept[column] = said.model_copy(
                update={
                    "evidence": said.evidence if said.evidence in found else None,
                    "more_evidence": tuple(e for e in said.more_evidence if e in found),
                    "counter_signal": signal,
                }
            )
        tables[name] = entry.model_copy(update={"columns": kept})
    return data_map.model_copy(update={"tables": tables})


class Reader:
    """SQL pieces for one data map over one live catalogue. Raises DataMapError for what the database lacks."""

    def __init__(self, data_map: DataMap, catalogue: Catalogue) -> None:
        self.map, self.catalogue = data_map, catalogue

    def key(self, table: str) -> tuple[str, ...]:
        """The columns that tell one row of ``table`` from another."""
        if table == REPORTS:
            return ("report_id",)
        return self.map.subject.key if table == self.map.subject.table else self.map.tables[table].key

    def key_array(self, table: str, alias: str, columns: Sequence[str] = ()) -> str:
        """The key of ``alias`` as a text array."""
        return "ARRAY[" + ", ".join(f"CAST({alias}.{quote(c)} AS text)" for c in columns or self.key(table)) + "]"

    def key_matches(self, table: str, alias: str, array: str, columns: Sequence[str] = ()) -> str:
        """``alias``'s key equals a text array, compared in the column's own type so that its index serves."""
        return " AND ".join(
            f"{alias}.{quote(c)} = CAST({array}[{i}] AS {self.type(table, c)})"
            for i, c in enumerate(columns or self.key(table), start=1)
        )

    def type(self, table: str, column: str) -> str:
        """The live type of a column."""
        if table == REPORTS:
            return _REPORT_TYPES[column]
        try:
            return self.catalogue.tables[table].columns[column].type
        except KeyError:
            raise DataMapError(
                f"the database has no {table}.{column}", where="data map", do="run `map check` and mend the map"
            ) from None

    def value(self, source: EvidenceColumn, alias: str) -> str:
        """The canonical text of what stands there: ISO for dates, trimmed text otherwise; NULL where nothing does.

        Its SHA-256 behind the case's id is ``gov.minor_signal.value_hash``.
        """
        return self.text(source.table, source.column, alias, source.evidence.path)

    def text(self, table: str, column: str, alias: str, path: str | None = None, *, trimmed: bool = True) -> str:
        """The canonical text of one column, or of one key of its JSON. ``trimmed``: without the blanks around it."""
        expression = f"{alias}.{quote(column)}"
        if path is None and self.type(table, column) == "date":
            return f"to_char({expression}, 'YYYY-MM-DD')"
        told = f"CAST({expression} AS text)" if path is None else f"({expression} ->> {literal(path)})"
        return f"btrim({told})" if trimmed else told

    def holds(self, table: str, column: str, values: Sequence[str]) -> str:
        """Condition under which a column of alias ``t`` holds one of ``values``, or anything when none is named."""
        text = self.text(table, column, "t")
        return f"{text} IN ({', '.join(map(literal, values))})" if values else f"coalesce({text}, '') <> ''"

    def to_subject(self, table: str, first: Link | None = None, *, subjects: str | None = None) -> tuple[str, str]:
        """JOINs from alias ``t`` of ``table`` to the subject table, and the subject's alias.

        ``first``: another way for the first step than the table's own link. ``subjects``: a relation that stands for
        the subject table, with some of its rows.
        """
        here, parts, links = "t", [], self.map.path_to_subject(table)
        if first is not None:
            links = (first, *self.map.path_to_subject(first.to))
        for number, link in enumerate(links, start=1):
            there = f"p{number}"
            relation = subjects if subjects and link.to == self.map.subject.table else quote_table(link.to)
            parts.append(f"JOIN {relation} AS {there} ON {self.linked(link, here, there)}")
            here = there
        return " ".join(parts), here

    def linked(self, link: Link, child: str, parent: str) -> str:
        """Condition under which the row ``child`` leads to the row ``parent``."""
        pairs = zip(link.columns, self.map.references_of(link), strict=True)
        return " AND ".join(f"{child}.{quote(c)} = {parent}.{quote(r)}" for c, r in pairs)


def instant(expression: str) -> str:
    """An instant, or NULL where what stands there is none that a calendar holds (infinity, before our era).

    One such row, written by hand or by another system, must not end a night for everybody.
    """
    if expression == "NULL":
        return "CAST(NULL AS timestamptz)"
    moment = f"CAST({expression} AS timestamptz)"
    return f"CASE WHEN {moment} >= TIMESTAMPTZ '0002-01-01' AND {moment} < TIMESTAMPTZ '9998-01-01' THEN {moment} END"


def literal(text: str) -> str:
    """A quoted SQL string for words of the data map. Colons are escaped: SQLAlchemy binds what follows one."""
    if "\x00" in text or "\\" in text:
        raise DataMapError("a word of the data map cannot be written in SQL", do="use plain text")
    return "'" + text.replace("'", "''").replace(":", "\\:") + "'"
