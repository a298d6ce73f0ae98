"""Hosts that configured connections lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from privacy_ops.errors import PrivacyOpsError
from privacy_ops.transfers.geoip import GeoDatabase
from privacy_ops.transfers.observers import hosts
from privacy_ops.transfers.observers.base import Observation, ObservedFlow, blind
from privacy_ops.transfers.registry import Registry

# Connections of these types lead to no host of their own: files, and S3, whose regions the buckets tell.
_PLACELESS_TYPES = frozenset({"fs", "file", "package_index", "python", "generic", "aws"})


@dataclass(frozen=True)
class ConnectionFact:
    """A configured connection without its login and password. ``host`` and ``more`` (addresses of the extra field)
    are cut down to names before anything else sees them."""

    conn_id: str
    conn_type: str
    host: str | None = field(repr=False)
    more: tuple[str, ...] = field(default=(), repr=False)

    @property
    def reached(self) -> hosts.Hosts:
        """Every host of the connection."""
        found = [hosts.hosts_in(text) for text in (self.host, *self.more)]
        names = tuple(dict.fromkeys(name for one in found for name in one.names))
        return hosts.Hosts(names, unread=any(one.unread for one in found))


def flow_to(place: str, host: str, registry: Registry, home: str) -> ObservedFlow:
    """Where a host is and whose, as far as the registry tells."""
    if hosts.own(host):
        return ObservedFlow(place, "PROCESSING", home, host, home=True)
    entry = registry.host(host)
    if entry is None:
        return ObservedFlow(place, "PROCESSING", None, host)
    return ObservedFlow(place, "PROCESSING", entry.country, host, entity=entry.processor)


class ConnectionObserver:
    """Hosts by name, or by an address that is registered. ``records`` None means that nobody could list them;
    ``partial`` says what the list leaves out. Other addresses are left to ``AddressObserver``."""

    name = "connections"

    def __init__(
        self, records: Sequence[ConnectionFact] | None, registry: Registry, home: str, partial: str = ""
    ) -> None:
        self._records, self._registry, self._home, self._partial = records, registry, home, partial

    def _flows(self, record: ConnectionFact) -> Iterator[ObservedFlow]:
        place = f"connection:{record.conn_id}"
        reached = record.reached
        for host in reached.names:
            if not hosts.literal(host, self._registry):
                yield flow_to(place, host, self._registry, self._home)
        said_nothing = not reached.names and record.conn_type not in _PLACELESS_TYPES
        if reached.unread or said_nothing:
            yield ObservedFlow(place, "PROCESSING", None, "host not told")

    def observe(self) -> Observation:
        if self._records is None:
            return blind(self.name, "the configured connections were not listed")
        seen = dict.fromkeys(flow for record in self._records for flow in self._flows(record))
        return Observation(self.name, tuple(seen), looked=True, reason=self._partial)


class AddressObserver:
    """Connections that lead to a bare address of the world: its country by GeoIP, which is an estimate."""

    name = "addresses"

    def __init__(
        self, records: Sequence[ConnectionFact] | None, registry: Registry, geo: GeoDatabase | PrivacyOpsError
    ) -> None:
        self._records, self._registry, self._geo = records, registry, geo

    def observe(self) -> Observation:
        if self._records is None:
            return blind(self.name, "the configured connections were not listed")
        literals = [
            (f"connection:{record.conn_id}", host)
            for record in self._records
            for host in record.reached.names
            if hosts.literal(host, self._registry)
        ]
        if literals and isinstance(self._geo, PrivacyOpsError):
            return blind(self.name, self._geo)
        flows: list[ObservedFlow] = []
        for place, host in literals:
            assert not isinstance(self._geo, PrivacyOpsError)  # noqa: S101 - said above
            country = self._geo.country(host)
            flows.append(ObservedFlow(place, "PROCESSING", country, host, estimated=country is not None))
        return Observation(self.name, tuple(dict.fromkeys(flows)), looked=True)
