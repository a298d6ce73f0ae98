"""Takes one subject out of use and gives it free again: SQL from the data map. The set-based lock is detection's.

A person is restricted in one column of the publisher's; a row is put in quarantine where the map says how.
"""

# ruff: noqa: S608 - identifiers are quoted, values are bound
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import Reader
from privacy_ops.datamap.model import DataMap
from privacy_ops.stores.database import quote, quote_table


@dataclass(frozen=True)
class _Place:
    """A column that takes subjects of one kind and table out of use. ``matches``: row ``r`` is that of case ``c``."""

    kind: str
    subject_table: str
    table: str
    column: str
    value: str
    type: str
    matches: str


class Restriction:
    """The restriction and quarantine columns of one publisher, by case."""

    def __init__(self, data_map: DataMap, connection: Connection) -> None:
        how = data_map.restriction
        reader = Reader(data_map, catalogue.read(connection))

        def place(kind: str, subject: str, table: str, key: tuple[str, ...], column: str, value: str) -> _Place:
            matches = reader.key_matches(table, "r", "c.subject_key", key)
            return _Place(kind, subject, quote_table(table), quote(column), value, reader.type(table, column), matches)

        self.places = [place("person", data_map.subject.table, how.table, how.key, how.column, how.value)]
        self.places += [
            place("row", table, table, reader.key(table), quarantine.column, quarantine.value)
            for table, quarantine in data_map.quarantines().items()
        ]
        self.connection = connection

    def lock(self, case_id: Any, *, at: datetime) -> int:
        """Take the subject of a case out of use that was only flagged, or softly restricted; returns 0 or 1.

        What stood there before is remembered.
        """
        return sum(self._lock(place, case_id, at) for place in self.places)

    def release(self, case_id: Any) -> int:
        """Put back what stood there before, unless the publisher changed it since. Returns 0 or 1."""
        return sum(self._release(place, case_id) for place in self.places)

    def _lock(self, place: _Place, case_id: Any, at: datetime) -> int:
        statement = f"""
            WITH locked AS (
                SELECT c.case_id, CAST(r.{place.column} AS text) AS previous
                FROM gov.minor_case AS c JOIN {place.table} AS r ON {place.matches}
                WHERE c.case_id = :case_id AND c.subject_kind = :kind AND c.subject_table = :subject_table
                  AND (c.restricted_at IS NULL OR c.restriction <> 'HARD')
                FOR UPDATE OF r
            ),
            updated AS (
                UPDATE {place.table} AS r SET {place.column} = :value
                FROM gov.minor_case AS c JOIN locked USING (case_id) WHERE {place.matches}
            )
            UPDATE gov.minor_case AS c SET
                restricted_at = coalesce(c.restricted_at, :at), restriction = 'HARD', restriction_previous = l.previous
            FROM locked AS l WHERE c.case_id = l.case_id
        """
        return int(self.connection.execute(text(statement), _bound(place, case_id) | {"at": at}).rowcount)

    def _release(self, place: _Place, case_id: Any) -> int:
        statement = f"""
            UPDATE {place.table} AS r SET {place.column} = CAST(c.restriction_previous AS {place.type})
            FROM gov.minor_case AS c
            WHERE c.case_id = :case_id AND c.subject_kind = :kind AND c.subject_table = :subject_table
              AND c.restricted_at IS NOT NULL AND c.restriction = 'HARD'
              AND CAST(r.{place.column} AS text) = :value AND {place.matches}
        """
        return int(self.connection.execute(text(statement), _bound(place, case_id)).rowcount)


def _bound(place: _Place, case_id: Any) -> dict[str, Any]:
    return {"case_id": case_id, "value": place.value, "kind": place.kind, "subject_table": place.subject_table}
