"""Locks one person and lets one person go again: SQL from the data map. The set-based lock is detection's."""

# ruff: noqa: S608 - identifiers are quoted, values are bound
from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import Reader
from privacy_ops.datamap.model import DataMap
from privacy_ops.stores.database import quote, quote_table


class Restriction:
    """The restriction column of one publisher, by case."""

    def __init__(self, data_map: DataMap, connection: Connection) -> None:
        how = data_map.restriction
        reader = Reader(data_map, catalogue.read(connection))
        self.value = how.value
        self.table, self.column = quote_table(how.table), quote(how.column)
        self.type = reader.type(how.table, how.column)
        self.matches = reader.key_matches(how.table, "r", "c.subject_key", how.key)
        self.connection = connection

    def lock(self, case_id: Any, *, at: datetime) -> int:
        """Restrict the person of a case that was only flagged, or softly restricted; returns 0 or 1.

        What stood there before is remembered.
        """
        statement = f"""
            WITH locked AS (
                SELECT c.case_id, CAST(r.{self.column} AS text) AS previous
                FROM gov.minor_case AS c JOIN {self.table} AS r ON {self.matches}
                WHERE c.case_id = :case_id AND c.subject_kind = 'person'
                  AND (c.restricted_at IS NULL OR c.restriction <> 'HARD')
                FOR UPDATE OF r
            ),
            updated AS (
                UPDATE {self.table} AS r SET {self.column} = :value
                FROM gov.minor_case AS c JOIN locked USING (case_id) WHERE {self.matches}
            )
            UPDATE gov.minor_case AS c SET
                restricted_at = coalesce(c.restricted_at, :at), restriction = 'HARD', restriction_previous = l.previous
            FROM locked AS l WHERE c.case_id = l.case_id
        """
        return int(self.connection.execute(text(statement), self._bound(case_id) | {"at": at}).rowcount)

    def release(self, case_id: Any) -> int:
        """Put back what stood there before, unless the publisher changed it since. Returns 0 or 1."""
        statement = f"""
            UPDATE {self.table} AS r SET {self.column} = CAST(c.restriction_previous AS {self.type})
            FROM gov.minor_case AS c
            WHERE c.case_id = :case_id AND c.subject_kind = 'person'
              AND c.restricted_at IS NOT NULL AND c.restriction = 'HARD'
              AND CAST(r.{self.column} AS text) = :value AND {self.matches}
        """
        return int(self.connection.execute(text(statement), self._bound(case_id)).rowcount)

    def _bound(self, case_id: Any) -> dict[str, Any]:
        return {"case_id": case_id, "value": self.value}
