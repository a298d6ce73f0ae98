"""Looks at what is really there. An observer that could not look says so; it never reports an empty success."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import PrivacyOpsError
from privacy_ops.stores.objects import BucketFacts, ObjectStore
from privacy_ops.transfers.flows import Nature
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.registry import Registry

# Connections of these types lead to no host of their own: files, and S3, whose regions the buckets tell.
_PLACELESS_TYPES = frozenset({"fs", "file", "package_index", "python", "generic"})


@dataclass(frozen=True)
class ObservedFlow:
    """Data are, or can go, to ``country`` (None: could not be told) at ``place``. ``entity``: who, when known."""

    place: str
    nature: Nature
    country: str | None
    detail: str  # region or host
    entity: str | None = None
    destination: str = ""  # what would have to be blocked; default: the place
    home: bool = False  # the publisher's own machine


@dataclass(frozen=True)
class Observation:
    """What one observer saw. ``looked`` False: it could not. ``reason``: why not, or what it left out; no secrets."""

    observer: str
    flows: tuple[ObservedFlow, ...]
    looked: bool
    reason: str = ""


class Observer(Protocol):
    """One way of seeing flows."""

    name: str

    def observe(self) -> Observation: ...


@dataclass(frozen=True)
class ConnectionFact:
    """A configured connection without its secrets: whatever is typed into ``host`` is cut down to a name."""

    conn_id: str
    conn_type: str
    host: str | None


def _blind(observer: str, error: PrivacyOpsError | str) -> Observation:
    return Observation(observer, (), looked=False, reason=str(error))


class BucketObserver:
    """Regions and replication of every bucket that the object store lists, through its own interface.

    ``expected``: buckets that the data map declares; an empty listing beside them is blindness, not news.
    """

    name = "buckets"

    def __init__(self, store: ObjectStore, reference: Reference, expected: frozenset[str]) -> None:
        self._store, self._reference, self._expected = store, reference, expected

    def _places(self, bucket: str, facts: BucketFacts | None, place: str) -> list[ObservedFlow]:
        nature: Nature = "STORAGE"
        if facts is None:
            return [ObservedFlow(place, nature, None, "region not told", destination=f"bucket:{bucket}")]
        region = self._reference.region("aws", facts.location)
        detail = region.region if region else f"unknown region {facts.location}"
        countries: Sequence[str | None] = (region.countries if region else ()) or (None,)
        return [ObservedFlow(place, nature, c, detail, destination=f"bucket:{bucket}") for c in countries]

    def _target(self, bucket: str) -> BucketFacts | None:
        """Facts of a replication target; another account's bucket may not tell."""
        try:
            return self._store.facts(bucket)
        except PrivacyOpsError:
            return None

    def observe(self) -> Observation:
        flows: list[ObservedFlow] = []
        try:
            names = self._store.buckets()
            if self._expected and not names:
                return _blind(self.name, "no bucket is listed although the data map declares some")
            for name in names:
                facts = self._store.facts(name)
                flows += self._places(name, facts, f"bucket:{name}")
                for target in facts.replication_targets:
                    flows += self._places(target, self._target(target), f"replication:{name}>{target}")
        except PrivacyOpsError as error:
            return _blind(self.name, error)
        return Observation(self.name, tuple(flows), looked=True)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def host_of(text: str | None) -> str | None:
    """The bare host name in what somebody typed into a host field: no scheme, user, password, path or port."""
    raw = (text or "").strip()
    if not raw:
        return None
    try:
        # A password may hold @, / and #: what follows the last @ is the host.
        rest = raw.split("://", 1)[-1].rsplit("@", 1)[-1]
        if _is_address(rest):  # a bare IPv6 address: its colons are no port
            return rest.lower()
        found = urlsplit("//" + rest).hostname
    except ValueError:
        return None
    return found if found and re.fullmatch(r"[a-z0-9_.:-]+", found) else None


def _own(host: str) -> bool:
    """Loopback, private and local names: the publisher's own network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))
    return address.is_loopback or address.is_private or address.is_link_local


class ConnectionObserver:
    """Hosts of the configured connections. ``records`` None means that nobody could list them; ``partial`` says what
    the list leaves out."""

    name = "connections"

    def __init__(
        self, records: Sequence[ConnectionFact] | None, registry: Registry, home: str, partial: str = ""
    ) -> None:
        self._records, self._registry, self._home, self._partial = records, registry, home, partial

    def _flow(self, record: ConnectionFact) -> ObservedFlow | None:
        place = f"connection:{record.conn_id}"
        host = host_of(record.host)
        if host is None:
            if not record.host and (record.conn_type in _PLACELESS_TYPES or record.conn_type == "aws"):
                return None
            return ObservedFlow(place, "PROCESSING", None, "host not told")
        if _own(host):
            return ObservedFlow(place, "PROCESSING", self._home, host, home=True)
        entry = self._registry.host(host)
        if entry is None:
            return ObservedFlow(place, "PROCESSING", None, host)
        return ObservedFlow(place, "PROCESSING", entry.country, host, entity=entry.processor)

    def observe(self) -> Observation:
        if self._records is None:
            return _blind(self.name, "the configured connections were not listed")
        seen = (self._flow(record) for record in self._records)
        return Observation(self.name, tuple(flow for flow in seen if flow), looked=True, reason=self._partial)


class DataMapObserver:
    """Where the data map says that the database and the buckets are."""

    name = "data_map"

    def __init__(self, data_map: DataMap, reference: Reference) -> None:
        self._map, self._reference = data_map, reference

    def observe(self) -> Observation:
        location = self._map.location
        place = f"database:{self._map.publisher.key}"
        flows = [ObservedFlow(place, "STORAGE", location.country, location.region)]
        for entry in self._map.objects.values():
            region = self._reference.region("aws", entry.region)
            countries: Sequence[str | None] = (
                (entry.country,) if entry.country else (region.countries if region else ()) or (None,)
            )
            flows += [ObservedFlow(f"bucket:{entry.bucket}", "STORAGE", c, entry.region) for c in countries]
        return Observation(self.name, tuple(dict.fromkeys(flows)), looked=True)


class RegistryObserver:
    """What the registry declares of processors: flows into their own systems, that no interface shows."""

    name = "registry"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def observe(self) -> Observation:
        flows = [
            ObservedFlow(place, flow.nature, flow.country, "declared", entity=transfer.importer)
            for transfer in self._registry.transfers.values()
            for flow in transfer.flows
            for place in flow.places or (f"processor:{transfer.importer}",)
        ]
        if not flows:
            return _blind(self.name, "the registry declares no transfer")
        return Observation(self.name, tuple(flows), looked=True)
