"""Which duty may do what to the publisher's tables: GRANT statements that follow from the data map alone.

A duty gets columns, not tables, wherever it can do with less. ``apply`` first takes back everything, so that what
leaves the map leaves the grants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from privacy_ops.datamap import catalogue as live
from privacy_ops.datamap.catalogue import Catalogue
from privacy_ops.datamap.model import DataMap, EraseAction, Link, Table
from privacy_ops.errors import DataMapError, UserError
from privacy_ops.settings import DUTIES
from privacy_ops.stores.database import Database, quote, quote_table

ROLES: Mapping[str, str] = {duty: f"privacy_{duty}" for duty in DUTIES}


@dataclass
class Rights:
    """What one duty may do in one table. ``None`` columns mean the whole table."""

    select: set[str] | None = field(default_factory=set)
    update: set[str] = field(default_factory=set)
    delete: bool = False
    insert: bool = False


def rights(data_map: DataMap, duty: str) -> dict[str, Rights]:
    """Rights of ``duty`` by table; a table that is not named may not be touched. Pure."""
    granted: dict[str, Rights] = {}
    rules = {
        "detect": _detect,
        "erase": _erase,
        "export": _export,
        "canary": _canary,
        "inventory": _inventory,
        "review": _review,
        "evidence": _evidence,
        "notify": _notify,
    }
    rules.get(duty, _nothing)(data_map, granted)
    return granted


def statements(data_map: DataMap, roles: Mapping[str, str] = ROLES) -> list[str]:
    """REVOKE and GRANT statements for every duty, in a fixed order. Identifiers come from the map and are quoted."""
    everybody = ", ".join(quote(roles[duty]) for duty in DUTIES)
    schemas = sorted({_schema(name) for name in data_map.tables})
    found = []
    for schema in schemas:
        found.append(f"REVOKE ALL ON ALL TABLES IN SCHEMA {quote(schema)} FROM {everybody}")
        found.append(f"REVOKE ALL ON SCHEMA {quote(schema)} FROM {everybody}")
    for duty in DUTIES:
        granted = rights(data_map, duty)
        to = quote(roles[duty])
        found += [f"GRANT USAGE ON SCHEMA {quote(s)} TO {to}" for s in sorted({_schema(name) for name in granted})]
        for name in sorted(granted):
            if privileges := _privileges(granted[name]):
                found.append(f"GRANT {', '.join(privileges)} ON {quote_table(name)} TO {to}")
    return found


def apply(dsn: str, data_map: DataMap, roles: Mapping[str, str] = ROLES) -> int:
    """Run the statements in one transaction as the owner of the tables (or a superuser); returns how many.

    Raises DataMapError when the map names what the database does not have, UserError when a role is missing.
    """
    database = Database(dsn, duty="owner")
    with database.transaction() as connection:
        _require_tables(data_map, live.read(connection))
        present = set(connection.exec_driver_sql("SELECT rolname FROM pg_catalog.pg_roles").scalars())
        if missing := sorted({roles[duty] for duty in DUTIES} - present):
            raise UserError(
                f"these roles do not exist: {', '.join(missing)}",
                where=database.address,
                do="create the roles of the duties first, then apply the grants again",
            )
        todo = statements(data_map, roles)
        for statement in todo:
            connection.exec_driver_sql(statement.replace("%", "%%"))
    return len(todo)


def _detect(data_map: DataMap, granted: dict[str, Rights]) -> None:
    """Reads evidence and the way from it to the person; writes the restriction and nothing else."""
    for name, table in data_map.tables.items():
        columns = set()
        for column, entry in table.columns.items():
            if entry.evidences or entry.counter_signal:
                columns.add(column)
            for evidence in entry.evidences:
                columns |= evidence.columns()
                if evidence.quarantine:
                    columns.add(evidence.quarantine.column)
                    granted.setdefault(name, Rights()).update.add(evidence.quarantine.column)
        if not columns:
            continue
        _select(granted, name, columns | set(table.key) | set(table.moments()))
        _way(data_map, name, granted)
        for here in (name, *(link.to for link in data_map.path_to_subject(name))):
            for link in data_map.tables[here].also:  # reports and events lead to the person by an address as well
                _select(granted, here, set(link.columns))
                _select(granted, link.to, set(data_map.references_of(link)))
    subject, restriction = data_map.subject, data_map.restriction
    _select(granted, subject.table, {*subject.key, subject.registered_at})
    _select(granted, restriction.table, {*restriction.key, restriction.column})
    granted[restriction.table].update.add(restriction.column)


def _erase(data_map: DataMap, granted: dict[str, Rights]) -> None:
    """Reads what is about people, deletes where rows go, empties what the map says to empty, and takes mentions out of
    what people wrote."""
    for name, table in data_map.tables.items():
        changed = {*table.emptied(), *table.redactable()}
        if table.about == "nobody" and not changed:
            continue
        granted[name] = Rights(
            select=None if _has_people(name, table, data_map) else {*table.key, *changed},
            update=changed,
            delete=table.erase is EraseAction.DELETE,
        )
    for table in data_map.tables.values():
        for disclosure in table.disclosed_to:
            if disclosure.through and disclosure.by:
                columns = {*data_map.references_of(disclosure.through), disclosure.by}
                _select(granted, disclosure.through.to, columns)


def _export(data_map: DataMap, granted: dict[str, Rights]) -> None:
    """Reads what may feed or filter a statistic, and the keys that lead from there to the person."""
    for name, table in data_map.tables.items():
        if columns := {c for c, entry in table.columns.items() if entry.aggregate != "never"}:
            _select(granted, name, columns)
            if table.about == "subject":
                _way(data_map, name, granted)


def _canary(data_map: DataMap, granted: dict[str, Rights]) -> None:
    """Writes made-up people into every store and reads them back."""
    for name, table in data_map.tables.items():
        if _has_people(name, table, data_map):
            granted[name] = Rights(select=None, insert=True)


def _inventory(data_map: DataMap, granted: dict[str, Rights]) -> None:
    """Reads to whom rows are handed and where those are: columns that name recipients, never whose rows they are."""
    for name, table in data_map.tables.items():
        for disclosure in table.disclosed_to:
            if disclosure.by is None:
                continue
            here = name
            if through := disclosure.through:
                _select(granted, name, set(through.columns))
                _select(granted, through.to, set(data_map.references_of(through)))
                here = through.to
            _select(granted, here, {disclosure.by})
            if (located := disclosure.located) and disclosure.country:
                _select(granted, here, set(located.columns))
                _select(granted, located.to, {*data_map.references_of(located), disclosure.country})


def _review(data_map: DataMap, granted: dict[str, Rights]) -> None:
    """Lifts the restriction of a person, or the quarantine of a row, that was cleared; sees nothing else."""
    restriction = data_map.restriction
    _select(granted, restriction.table, {*restriction.key, restriction.column})
    granted[restriction.table].update.add(restriction.column)
    for name, quarantine in data_map.quarantines().items():
        _select(granted, name, {*data_map.tables[name].key, quarantine.column})
        granted[name].update.add(quarantine.column)


def _evidence(data_map: DataMap, granted: dict[str, Rights]) -> None:
    """Reads the columns in which evidence of age stands, or a mention that people decide about, and not whose they
    are."""
    for name, table in data_map.tables.items():
        evidence = {c for c, entry in table.columns.items() if entry.evidence or entry.more_evidence}
        if columns := evidence | set(table.redactable()):
            _select(granted, name, columns | set(table.key))


def _notify(data_map: DataMap, granted: dict[str, Rights]) -> None:
    """Reads the one address at which a person is told."""
    if address := data_map.address_column():
        _select(granted, data_map.subject.table, {*data_map.subject.key, address})


def _nothing(_data_map: DataMap, _granted: dict[str, Rights]) -> None:
    """Migration and the pages do not touch the publisher's tables."""


def _has_people(name: str, table: Table, data_map: DataMap) -> bool:
    return name == data_map.subject.table or table.about != "nobody"


def _way(data_map: DataMap, name: str, granted: dict[str, Rights]) -> None:
    """The columns that join ``name`` to the subject, on both sides of each step."""
    for here, link in _steps(data_map, name):
        _select(granted, here, set(link.columns))
        _select(granted, link.to, set(data_map.references_of(link)))
    _select(granted, data_map.subject.table, set(data_map.subject.key))


def _steps(data_map: DataMap, name: str) -> Iterator[tuple[str, Link]]:
    here = name
    for link in data_map.path_to_subject(name):
        yield here, link
        here = link.to


def _select(granted: dict[str, Rights], name: str, columns: set[str]) -> None:
    entry = granted.setdefault(name, Rights())
    if entry.select is not None:
        entry.select |= columns


def _privileges(entry: Rights) -> list[str]:
    found = []
    if entry.select is None:
        found.append("SELECT")
    elif entry.select:
        found.append(f"SELECT ({_list(entry.select)})")
    if entry.insert:
        found.append("INSERT")
    if entry.update:
        found.append(f"UPDATE ({_list(entry.update)})")
    if entry.delete:
        found.append("DELETE")
    return found


def _list(columns: set[str]) -> str:
    return ", ".join(map(quote, sorted(columns)))


def _schema(name: str) -> str:
    schema, dot, _ = name.partition(".")
    return schema if dot else "public"


def _require_tables(data_map: DataMap, catalogue: Catalogue) -> None:
    missing = [
        name if name not in catalogue.tables else f"{name}.{column}"
        for name, table in data_map.tables.items()
        for column in table.columns
        if name not in catalogue.tables or column not in catalogue.tables[name].columns
    ]
    if missing:
        raise DataMapError(
            "the map names what the database does not have: " + ", ".join(sorted(set(missing))[:10]),
            where="grants",
            do="run `map check` and mend the map first",
        )
