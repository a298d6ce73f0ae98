"""The evidence of one case, read where it stands at the moment somebody looks. Nothing is kept."""

# ruff: noqa: S608 - identifiers are quoted, values are bound
from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops.datamap import catalogue, evidence
from privacy_ops.datamap.evidence import REPORTS, Reader
from privacy_ops.datamap.model import DataMap
from privacy_ops.stores.database import quote, quote_table
from privacy_ops.stores.sql import statement

MOST_CELLS = 50
MOST_CHARACTERS = 4000


@dataclass(frozen=True)
class Cell:
    """One piece of evidence. ``value`` is None where it no longer stands; ``changed``: not as it was judged."""

    signal: str
    place: str
    usable: bool
    flags: tuple[str, ...]
    value: str | None
    changed: bool


def cells(connection: Connection, data_map: DataMap, case_id: UUID) -> Iterator[Cell]:
    """The pieces of evidence of a case, each read by the key of its row, at most ``MOST_CELLS``."""
    reader = Reader(data_map, catalogue.read(connection))
    places = {(place.table, place.label): place for place in evidence.columns(data_map)}
    found = connection.execute(statement("console", "select_signals"), {"case_id": case_id, "most": MOST_CELLS}).all()
    for signal in found:
        place = places.get((signal.source_table, signal.source_column))
        value = None
        if place is not None:
            value = _value(connection, reader, place.table, reader.value(place, "t"), signal.row_key)
        elif signal.source_table == REPORTS:
            value = _value(connection, reader, REPORTS, f"t.{quote(signal.source_column)}", signal.row_key)
        yield Cell(
            signal.signal,
            f"{signal.source_table}.{signal.source_column}",
            signal.usable,
            tuple(signal.flags),
            None if value is None else value[:MOST_CHARACTERS],
            value is None or _hash(case_id, value) != signal.value_hash,
        )


def _value(connection: Connection, reader: Reader, table: str, expression: str, key: list[str]) -> str | None:
    matches = reader.key_matches(table, "t", "(CAST(:key AS text[]))")
    query = text(f"SELECT {expression} FROM {quote_table(table)} AS t WHERE {matches}")
    found = connection.execute(query, {"key": key}).scalar_one_or_none()
    return None if found is None else str(found)


def _hash(case_id: UUID, value: str) -> str:
    return hashlib.sha256(f"{case_id} {value}".encode()).hexdigest()
