"""The database server: where it is, and every way by which rows leave it or come to it by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from privacy_ops.errors import PrivacyOpsError
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement
from privacy_ops.transfers.geoip import GeoDatabase
from privacy_ops.transfers.observers import hosts
from privacy_ops.transfers.observers.base import Note, Observation, ObservedFlow, blind, each
from privacy_ops.transfers.observers.connections import flow_to
from privacy_ops.transfers.registry import Registry


class Link(Protocol):
    """One row of ``gov.data_links()``: a replica, an idle slot, a publication, a foreign server, a subscription; its
    host without anything else."""

    kind: str
    name: str
    host: str | None


class PostgresObserver:
    """The host that the inventory's own address names, and the links of that server. No secret is read: the function
    ``gov.data_links`` cuts addresses down to hosts inside the database.
    """

    name = "postgres"

    def __init__(
        self, database: Database, publisher: str, registry: Registry, home: str, geo: GeoDatabase | PrivacyOpsError
    ) -> None:
        self._database, self._publisher, self._registry, self._home, self._geo = (
            database, publisher, registry, home, geo,
        )  # fmt: skip

    def observe(self) -> Observation:
        try:
            with self._database.transaction(read_only=True) as connection:
                links: list[Any] = list(connection.execute(statement("transfers", "select_data_links")))
        except PrivacyOpsError as error:
            return blind(self.name, error)
        unseen = [link.name for link in links if link.kind == "unseen"]
        if unseen:
            return blind(self.name, f"the administrator's function may not read {', '.join(sorted(unseen))}")
        try:
            flows, notes = each(self._parts(links))
        except PrivacyOpsError as error:
            return blind(self.name, error)
        return Observation(self.name, flows, looked=True, notes=notes)

    def _parts(self, links: Iterable[Link]) -> Iterator[ObservedFlow | Note]:
        yield from self._server()
        for link in links:
            if link.kind == "idle_slot":
                yield Note(
                    "idle_replication_slot",
                    "LOW",
                    f"slot:{link.name}",
                    "",
                    "a replication slot that nobody reads now: whoever reads it gets every change",
                    "drop it, or find out whose it is",
                )
                continue
            place = f"{link.kind}:{link.name}"
            if link.kind == "publication":
                yield from self._published(place)
                continue
            found = hosts.hosts_in(link.host)
            for host in found.names:
                yield self._flow(place, host)
            if found.unread or not found.names:
                yield ObservedFlow(place, "PROCESSING", None, "host not told")

    def _published(self, place: str) -> Iterator[ObservedFlow | Note]:
        """The server does not know who may read a publication: it is declared, or unknown."""
        declared = [
            ObservedFlow(place, flow.nature, flow.country, "publication", transfer.importer)
            for transfer in self._registry.transfers.values()
            for flow in transfer.flows
            if place in flow.places
        ]
        yield from declared
        if not declared:
            yield Note(
                "publication_readers_unknown",
                "LOW",
                place,
                "",
                "a publication of the database of which nobody declared who reads it: a subscriber gets every change",
                f"name {place} among the places of the transfer that it serves, or drop it",
            )

    def _server(self) -> Iterator[ObservedFlow]:
        """The server itself. On this machine or network it is where the data map says."""
        place = f"database:{self._publisher}"
        for host in hosts.hosts_in(self._database.host).names:
            entry = self._registry.host(host)
            if hosts.own(host):
                continue
            country = (
                entry.country if entry else self._geo_country(host) if hosts.literal(host, self._registry) else None
            )
            yield ObservedFlow(
                place,
                "STORAGE",
                country,
                host,
                entry.processor if entry else None,
                estimated=bool(country and not entry),
            )

    def _flow(self, place: str, host: str) -> ObservedFlow:
        if not hosts.literal(host, self._registry):
            return flow_to(place, host, self._registry, self._home)
        country = self._geo_country(host)
        return ObservedFlow(place, "PROCESSING", country, host, estimated=country is not None)

    def _geo_country(self, host: str) -> str | None:
        if isinstance(self._geo, PrivacyOpsError):
            raise self._geo
        return self._geo.country(host)
