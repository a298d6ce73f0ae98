"""What a legal hold over parts of a case covers: tables and columns of the data map. Pure.

A hold reaches no further than the claim that it is for (policy section 10; a hold over everything would keep a child's
data that nobody needs), so it may name ``schema.table`` or ``schema.table.column``.
"""

from __future__ import annotations

from collections.abc import Iterable

from privacy_ops.datamap.model import DataMap, EraseAction
from privacy_ops.errors import UserError


def cells(data_map: DataMap, scope: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Table → columns that a scope covers, for what an erasure would take away; empty for an empty scope.

    Raises UserError for a table or column that the map does not name, that no erasure touches, or that leads to a file:
    a file is kept by a hold over the whole case only.
    """
    found: dict[str, dict[str, None]] = {}
    for name in scope:
        table, columns = _named(data_map, name)
        entry = data_map.tables[table]
        goes = entry.columns if entry.erase is EraseAction.DELETE else entry.emptied()
        wanted = columns or tuple(goes)
        if unknown := [column for column in wanted if column not in entry.columns]:
            raise _wrong("the data map names no such column", f"{table}.{unknown[0]}", "name columns of the map")
        if untouched := [column for column in wanted if column not in goes]:
            raise _wrong("no erasure touches this column", f"{table}.{untouched[0]}", "leave it out: it stays anyway")
        if files := [column for column in wanted if entry.columns[column].object]:
            raise _wrong(
                "this column leads to files, which a hold over parts does not keep",
                f"{table}.{files[0]}",
                "name the other columns, or hold the whole case",
            )
        found.setdefault(table, {}).update(dict.fromkeys(wanted))
    return {table: tuple(columns) for table, columns in found.items()}


def _named(data_map: DataMap, name: str) -> tuple[str, tuple[str, ...]]:
    """(table, columns named; none: all of them)."""
    table, _, column = name.rpartition(".")
    found, columns = (name, ()) if name in data_map.tables else (table, (column,))
    entry = data_map.tables.get(found)
    if entry is None:
        raise _wrong("the data map names no such table", name, "write schema.table or schema.table.column")
    about_people = found == data_map.subject.table or entry.about == "subject"
    if not about_people or not (entry.erase is EraseAction.DELETE or entry.emptied()):
        raise _wrong("no erasure touches this table", name, "leave it out: it stays anyway")
    return found, columns


def _wrong(what: str, where: str, do: str) -> UserError:
    return UserError(what, where=f"scope {where}", do=do)
