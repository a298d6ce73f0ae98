"""What the database really holds: tables, columns, keys and indexes, read from the system catalogue.

Partitions are folded into their root. Tables of the schema ``public`` are named without it, as in the map.
Views hold nothing and are left out; materialised views and foreign tables hold copies and are in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection

from privacy_ops.stores.sql import statement

# Our own schema, and the usual one of an orchestrator that shares the database.
NOT_THE_PUBLISHERS = ("gov", "airflow")

Action = Literal["no action", "restrict", "cascade", "set null", "set default"]
_ACTIONS: Mapping[str, Action] = {
    "a": "no action",
    "r": "restrict",
    "c": "cascade",
    "n": "set null",
    "d": "set default",
}
_KINDS = {"r": "table", "p": "partitioned table", "m": "materialised view", "f": "foreign table"}


@dataclass(frozen=True)
class LiveColumn:
    """One column. ``computed`` columns cannot be written."""

    name: str
    type: str
    nullable: bool
    has_default: bool = False
    computed: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """``columns`` of ``table`` equal ``references`` of ``to``, pair by pair."""

    name: str
    table: str
    columns: tuple[str, ...]
    to: str
    references: tuple[str, ...]
    on_delete: Action = "no action"
    on_update: Action = "no action"


@dataclass(frozen=True)
class Index:
    """One index. ``usable`` is false when it is invalid, on an expression, or partial.

    ``partial`` is true when it leaves rows out; an index that leaves out only rows whose own column is NULL still
    finds every row by equality, and counts as usable.
    """

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    primary: bool = False
    usable: bool = True
    partial: bool = False
    method: str = "btree"

    def finds(self, columns: Sequence[str]) -> bool:
        """Whether rows can be found by equality of all ``columns`` through this index."""
        if not self.usable or self.method not in {"btree", "hash"}:
            return False
        return set(self.columns[: len(columns)]) == set(columns)


@dataclass(frozen=True)
class LiveTable:
    """One relation that holds rows. ``columns`` keep the table's order."""

    name: str
    columns: Mapping[str, LiveColumn]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    kind: str = "table"
    partitions: int = 0

    def indexed(self, columns: Sequence[str]) -> bool:
        """Whether an index leads with exactly these columns, in any order."""
        return any(index.finds(columns) for index in self.indexes)

    def unique(self, columns: Sequence[str]) -> bool:
        """Whether a whole (not partial) unique index or primary key stands on exactly these columns."""
        return any(i.unique and i.usable and not i.partial and set(i.columns) == set(columns) for i in self.indexes)


@dataclass(frozen=True)
class Catalogue:
    """All tables of one database that belong to the publisher, by name."""

    tables: Mapping[str, LiveTable] = field(default_factory=dict)

    @property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        return tuple(key for table in self.tables.values() for key in table.foreign_keys)


def table_name(schema: str, table: str) -> str:
    """The name by which the map calls a table: ``schema.table``, or only ``table`` in ``public``."""
    return table if schema == "public" else f"{schema}.{table}"


def read(connection: Connection, *, excluded: Sequence[str] = NOT_THE_PUBLISHERS) -> Catalogue:
    """The live catalogue, without the schemas in ``excluded``. Needs no right beyond connecting."""

    def rows(name: str) -> list[tuple[str, Mapping[str, object]]]:
        return [
            (table_name(row["schema_name"], row["table_name"]), dict(row))
            for row in connection.execute(statement("datamap", name), {"excluded": list(excluded)}).mappings()
        ]

    columns: dict[str, dict[str, LiveColumn]] = {}
    for table, row in rows("select_columns"):
        name = str(row["column_name"])
        columns.setdefault(table, {})[name] = LiveColumn(
            name,
            str(row["type_name"]),
            nullable=bool(row["nullable"]),
            has_default=bool(row["has_default"]),
            computed=bool(row["computed"]),
        )
    keys: dict[str, list[ForeignKey]] = {}
    for table, row in rows("select_foreign_keys"):
        key = ForeignKey(
            str(row["key_name"]),
            table,
            _names(row["column_names"]),
            table_name(str(row["to_schema"]), str(row["to_table"])),
            _names(row["reference_names"]),
            on_delete=_ACTIONS[str(row["on_delete"])],
            on_update=_ACTIONS[str(row["on_update"])],
        )
        keys.setdefault(table, []).append(key)
    indexes: dict[str, list[Index]] = {}
    for table, row in rows("select_indexes"):
        names, predicate = _names(row["column_names"]), str(row["predicate"])
        index = Index(
            str(row["index_name"]),
            names,
            unique=bool(row["is_unique"]),
            primary=bool(row["is_primary"]),
            usable=bool(row["usable"]) and (not predicate or predicate in {f"({n} IS NOT NULL)" for n in names}),
            partial=bool(predicate),
            method=str(row["method"]),
        )
        indexes.setdefault(table, []).append(index)
    return Catalogue({
        table: LiveTable(
            table,
            columns.get(table, {}),
            primary_key=next((i.columns for i in indexes.get(table, ()) if i.primary), ()),
            foreign_keys=tuple(keys.get(table, ())),
            indexes=tuple(indexes.get(table, ())),
            kind=_KINDS[str(row["kind"])],
            partitions=int(str(row["partitions"])),
        )
        for table, row in rows("select_tables")
    })


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
