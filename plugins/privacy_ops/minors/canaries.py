"""Plants made-up minors where the data map says that people and their dates of birth stand.

A night that finds none of them is blind and erases nothing (check CANARY-FOUND); the erasure takes them away again
like anybody else under 18. A named person withdraws one that can never be found. Names and addresses are made up and
lead to nobody.
"""

# ruff: noqa: S608 - identifiers are quoted, values are bound
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from privacy_ops.datamap import catalogue
from privacy_ops.datamap.catalogue import Catalogue, LiveColumn
from privacy_ops.datamap.evidence import EvidenceColumn, columns
from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import UserError
from privacy_ops.minors import holds
from privacy_ops.stores.database import DatabaseFault, quote, quote_table
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

AGE = 14
_DOMAIN = "canary.example.org"
Given = Mapping[tuple[str, str], str]  # (table, column): the value that a publisher's own rules ask for


def plant(workspace: Workspace, number: int, *, now: datetime, given: Given) -> int:
    """Plant ``number`` people of 14 and register them; all of them or, on any error, none. Returns how many.

    Filled are keys, links, addresses, the date of birth, and what may not be empty. ``given``: values for columns that
    something else decides (a list of allowed words, a branch that must exist). Raises UserError when the map names no
    date of birth that leads to a person by one link, or the database refuses a row.
    """
    try:
        with workspace.database("canary").transaction() as connection:
            live = catalogue.read(connection)
            source = _source(workspace.data_map)
            for _ in range(number):
                key = _plant_one(connection, workspace.data_map, live, source, now, given)
                holds.register_canary(connection, workspace.settings, key, now=now)
    except DatabaseFault as fault:
        raise UserError(
            f"the database refused a made-up person: {fault}",
            where="canary plant",
            do="give the values that its rules ask for: --set table.column=value",
        ) from None
    return number


def withdraw(workspace: Workspace, *, before: datetime, by: str, now: datetime) -> int:
    """No night looks any more for made-up people planted before ``before`` that were not erased; returns how many.

    For one that can never be found (its row was deleted, its map entry ended) and would keep every night red. Rows that
    stand go the next night like anybody else's. ``by``: who answers for it. Raises UserError.
    """
    if not by.strip():
        raise UserError("somebody answers for a night that looks for fewer", where="canary withdraw", do="name them")
    with workspace.database("canary").transaction() as connection:
        these = {"before": before, "by": by, "at": now}
        return int(connection.execute(statement("minors", "withdraw_canaries"), these).rowcount)


def _source(data_map: DataMap) -> EvidenceColumn:
    """A person's own stated date of birth, one link from the person at most."""
    subject = data_map.subject.table
    for source in columns(data_map):
        link = data_map.tables[source.table].link
        near = source.table == subject or (link is not None and link.to == subject)
        if source.dates and not source.about_row and near and source.evidence.path is None:
            return source
    raise UserError(
        "the data map names no date of birth that leads to a person by one link",
        where="data map",
        do="give its column `evidence: {kind: birth_date}`",
    )


def _plant_one(
    connection: Connection, data_map: DataMap, live: Catalogue, source: EvidenceColumn, now: datetime, given: Given
) -> tuple[str, ...]:
    token, subject = uuid4(), data_map.subject
    born = date(now.year - AGE, 1, 1 + token.int % 28)
    known: dict[str, object] = {subject.registered_at: now}
    stated = {source.column: born if live.tables[source.table].columns[source.column].type == "date" else f"{born}"}
    row = known | (stated if source.table == subject.table else {})
    key = _insert(connection, data_map, live, subject.table, row, token, now, given, returning=subject.key)
    if source.table != subject.table:
        link = data_map.tables[source.table].link
        assert link is not None  # noqa: S101 - see _source
        references = data_map.references_of(link)
        found = connection.execute(
            text(
                f"SELECT {', '.join(map(quote, references))} FROM {quote_table(subject.table)} WHERE "
                + " AND ".join(f"CAST({quote(c)} AS text) = :k{n}" for n, c in enumerate(subject.key))
            ),
            {f"k{n}": value for n, value in enumerate(key)},
        ).one()
        row = stated | dict(zip(link.columns, found, strict=True))
        _insert(connection, data_map, live, source.table, row, token, now, given, returning=())
    return key


def _insert(
    connection: Connection,
    data_map: DataMap,
    live: Catalogue,
    table: str,
    row: Mapping[str, object],
    token: UUID,
    now: datetime,
    given: Given,
    *,
    returning: tuple[str, ...],
) -> tuple[str, ...]:
    """One row: ``row``, what was given for the table, and something made up where nothing may not stand."""
    values = dict(row)
    for name, column in live.tables[table].columns.items():
        if (table, name) in given:
            values[name] = given[table, name]
        elif name not in values and not column.computed and not column.has_default and not column.nullable:
            entry = data_map.tables[table].columns.get(name)
            values[name] = _made_up(column, token, now, email=entry is not None and entry.identifier == "email")
    names = list(values)
    # Whatever is given as text becomes what the column holds.
    bound = ", ".join(f"CAST(:v{n} AS {live.tables[table].columns[name].type})" for n, name in enumerate(names))
    keys = ", ".join(f"CAST({quote(c)} AS text)" for c in returning) or "1"
    inserted = connection.execute(
        text(f"INSERT INTO {quote_table(table)} ({', '.join(map(quote, names))}) VALUES ({bound}) RETURNING {keys}"),
        {f"v{n}": values[name] for n, name in enumerate(names)},
    ).one()
    return tuple(str(value) for value in inserted)


def _made_up(column: LiveColumn, token: UUID, now: datetime, *, email: bool) -> object:
    """Something of the column's type that is no other row's."""
    kind = column.type
    if email:
        return f"canary-{token.hex}@{_DOMAIN}"
    if kind == "uuid":
        return token
    if kind in {"smallint", "integer", "bigint"} or kind.startswith("numeric"):
        return token.int % {"smallint": 2**15, "integer": 2**31}.get(kind, 2**31)
    if kind == "boolean":
        return False
    if kind.startswith("timestamp"):
        return now
    if kind == "date":
        return now.date()
    if kind in {"json", "jsonb"} or kind.endswith("[]"):
        return "{}"
    if kind == "text" or kind.startswith("character"):
        return f"canary-{token.hex}"
    raise UserError(
        f"nothing can be made up for the type {kind}", where=column.name, do="give it: --set table.column=value"
    )
