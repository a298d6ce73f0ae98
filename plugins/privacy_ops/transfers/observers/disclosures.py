# ruff: noqa: S608 - identifiers come from the data map and are quoted; values are bound
"""To whom rows of the publisher are handed, by the rows themselves: exhibitors that scan badges, organisers abroad.

The data map says in which column a recipient stands and where its country is; only recipients and numbers are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text

from privacy_ops.datamap.model import DataMap, Disclosure
from privacy_ops.errors import PrivacyOpsError
from privacy_ops.stores.database import Database, quote, quote_table
from privacy_ops.transfers.observers.base import Note, Observation, ObservedFlow, blind
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.registry import Registry


def disclosures(data_map: DataMap) -> Iterator[tuple[str, Disclosure]]:
    """Disclosures whose recipients stand in rows, with their table."""
    for name, table in data_map.tables.items():
        yield from ((name, d) for d in table.disclosed_to if d.by is not None)


def query(data_map: DataMap, name: str, disclosure: Disclosure) -> str:
    """Distinct (recipient, country) of a table's rows, grouped in the database. Grain: recipient and country."""
    joins, party = "", "t"
    if through := disclosure.through:
        joins += _join(data_map, "b", "t", through.to, through.columns, data_map.references_of(through))
        party = "b"
    country = "CAST(NULL AS text)"
    if located := disclosure.located:
        joins += _join(data_map, "c", party, located.to, located.columns, data_map.references_of(located), left=True)
        country = f"CAST(c.{quote(disclosure.country or '')} AS text)"
    by = f"CAST({party}.{quote(disclosure.by or '')} AS text)"
    return (
        f"SELECT {by} AS recipient, {country} AS country, count(*) AS disclosed"
        f" FROM {quote_table(name)} AS t{joins} WHERE {by} <> '' GROUP BY 1, 2 ORDER BY 1, 2"
    )


def _join(
    _map: DataMap,
    alias: str,
    of: str,
    to: str,
    columns: tuple[str, ...],
    references: tuple[str, ...],
    *,
    left: bool = False,
) -> str:
    matches = " AND ".join(f"{alias}.{quote(r)} = {of}.{quote(c)}" for c, r in zip(columns, references, strict=True))
    return f" {'LEFT ' if left else ''}JOIN {quote_table(to)} AS {alias} ON {matches}"


def _unexplained(table: str, disclosure: Disclosure) -> Note:
    return Note(
        "recipient_unexplained",
        "MEDIUM",
        f"table:{table}",
        disclosure.by or "",
        f"column {disclosure.by} names recipients whom the data map does not explain",
        "name them in disclosed_to of the table, or say that they are nobody",
    )


class DisclosureObserver:
    """Recipients that stand in rows. Without a country in the rows it is the registry's."""

    name = "disclosures"

    def __init__(self, database: Database, data_map: DataMap, registry: Registry, reference: Reference) -> None:
        self._database, self._map, self._registry, self._reference = database, data_map, registry, reference

    def observe(self) -> Observation:
        flows: list[ObservedFlow] = []
        unexplained: dict[Note, None] = {}
        try:
            with self._database.transaction(read_only=True) as connection:
                for name, disclosure in disclosures(self._map):
                    for row in connection.execute(text(query(self._map, name, disclosure))):
                        party = disclosure.party(row.recipient)
                        if party and party.startswith("unknown:"):  # a value of a row, which is not shown
                            unexplained.setdefault(_unexplained(name, disclosure))
                        elif party:
                            flows += self._flows(name, party, row.country)
        except PrivacyOpsError as error:
            return blind(self.name, error)
        notes = (*unexplained, *self._unregistered())
        return Observation(self.name, tuple(dict.fromkeys(flows)), looked=True, notes=notes)

    def _unregistered(self) -> Iterator[Note]:
        """Parties that the map names outright and no register knows."""
        named = {d.who for t in self._map.tables.values() for d in t.disclosed_to if d.who}
        named |= {who for t in self._map.tables.values() for d in t.disclosed_to for who in d.values.values() if who}
        named |= {entry.processor for entry in self._map.objects.values() if entry.processor}
        for party in sorted(named - self._registry.processors.keys()):
            yield Note(
                "processor_not_registered",
                "HIGH",
                f"processor:{party}",
                "",
                "the data map hands rows or objects to a party that no register knows",
                "register it with its contract and transfer",
            )

    def _flows(self, table: str, party: str, country: str | None) -> Iterator[ObservedFlow]:
        known = self._registry.processors.get(party)
        place = self._reference.territory(country)
        told: set[str | None] = {place.code} if place else set()
        if not told and known:
            told = {f.country for t in self._registry.transfers.values() if t.importer == party for f in t.flows}
            told = told or {known.established}
        for where in sorted(told or {None}, key=str):
            yield ObservedFlow(
                f"processor:{party}", "DISCLOSURE", where, f"rows of {table}", entity=party if known else None
            )
