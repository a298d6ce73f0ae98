"""Looks at what is really there. An observer that could not look says so; it never reports an empty success.

``registered`` is the list of them all: a new observer is a class, a line there, and a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from privacy_ops.errors import ConfigError, PrivacyOpsError
from privacy_ops.transfers.geoip import GeoDatabase
from privacy_ops.transfers.observers.access import AccessGeoObserver, AccessLogObserver, Counts, PeopleObserver
from privacy_ops.transfers.observers.base import Guarded, Note, Observation, ObservedFlow, Observer
from privacy_ops.transfers.observers.buckets import AccessPointObserver, BucketObserver, GrantObserver
from privacy_ops.transfers.observers.connections import AddressObserver, ConnectionFact, ConnectionObserver
from privacy_ops.transfers.observers.declared import (
    AttestedObserver,
    DataMapObserver,
    RegistryObserver,
    StandIn,
)
from privacy_ops.transfers.observers.deliveries import ExportObserver, InstructionObserver
from privacy_ops.transfers.observers.disclosures import DisclosureObserver
from privacy_ops.transfers.observers.hosts import host_of
from privacy_ops.transfers.observers.postgres import PostgresObserver
from privacy_ops.transfers.observers.processors import SubprocessorObserver
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.registry import Registry
from privacy_ops.workspace import Workspace

__all__ = [
    "BucketObserver",
    "ConnectionFact",
    "ConnectionObserver",
    "DataMapObserver",
    "Note",
    "Observation",
    "ObservedFlow",
    "Observer",
    "RegistryObserver",
    "Seen",
    "host_of",
    "look",
]

# Observers whose word is an estimate: while one of them is blind the block list can still be trusted.
ESTIMATES = frozenset({"access_geoip", "addresses"})
# Observers that only repeat what is declared: seeing nothing else is seeing nothing.
DECLARED = frozenset({"data_map", "registry", "attested"})


@dataclass(frozen=True)
class Seen:
    """What all observers said, the accesses that they counted by source, and which GeoIP edition they used."""

    observations: tuple[Observation, ...]
    accesses: dict[str, Counts] = field(default_factory=dict)
    geoip: dict[str, str] | None = None


def look(
    workspace: Workspace,
    tables: Reference,
    declared: Registry,
    connections: Sequence[ConnectionFact] | None,
    *,
    duty: str,
    as_of: datetime,
    on: date,
    left_out: str = "",
) -> Seen:
    """Ask every observer; each one's fault is its own blindness.

    ``connections``: configured connections without secrets, or None; ``left_out``: which ones that list cannot hold.
    Raises ConfigError when a file of the registry cannot be read.
    """
    limits = workspace.thresholds.transfers
    geo = _geoip(workspace.settings.geoip, tables, as_of, limits.geoip_max_age_days)
    database, store = workspace.database(duty), workspace.objects()
    home, data_map = workspace.data_map.location.country, workspace.data_map
    attested = declared.attested
    expected = frozenset(entry.bucket for entry in data_map.objects.values())
    window = {"as_of": as_of, "window_days": limits.access_window_days}
    access = (
        AccessGeoObserver(database, declared, tables, home, geo=geo, **window),
        AccessLogObserver(database, declared, tables, home, **window),  # type: ignore[arg-type]
        PeopleObserver(database, declared, tables, home, as_of=as_of),
    )
    every: list[Observer] = [
        DataMapObserver(data_map, tables),
        RegistryObserver(declared),
        BucketObserver(store, tables, expected, declared),
        GrantObserver(store, declared),
        AccessPointObserver(store, declared),
        PostgresObserver(database, data_map.publisher.key, declared, home, geo),
        ConnectionObserver(connections, declared, home, left_out),
        AddressObserver(connections, declared, geo),
        *access,
        SubprocessorObserver(database, declared, tables, on=on, max_age_days=limits.subprocessors_max_age_days),
        ExportObserver(database, on=on),
        InstructionObserver(database, declared),
        DisclosureObserver(database, data_map, declared, tables),
        AttestedObserver(attested, on=on, max_age_days=limits.attestation_max_age_days),
    ]
    known = {observer.name for observer in every}
    for name, one in attested.items():
        if one.stands_for is not None and one.stands_for not in known:
            raise ConfigError(
                f"no observer {one.stands_for}",
                where=f"attested.yaml, {name}.stands_for",
                do="use one of " + ", ".join(sorted(known)),
            )
    stand_ins = {one.stands_for: (name, one) for name, one in attested.items() if one.stands_for}
    observations = []
    for observer in every:
        if observer.name in stand_ins:
            name, one = stand_ins[observer.name]
            observer = StandIn(observer, name, one, on=on, max_age_days=limits.attestation_max_age_days)
        observations.append(Guarded(observer).observe())
    edition = None
    if isinstance(geo, GeoDatabase):
        edition = {"database_type": geo.database_type, "built_on": geo.built_at.date().isoformat()}
    return Seen(tuple(observations), {one.source: one.counts for one in access if one.counts}, edition)


def look_at_declarations(workspace: Workspace, tables: Reference, declared: Registry) -> Seen:
    """Only what is declared: for a day that cannot be looked at any more."""
    observers: tuple[Observer, ...] = (DataMapObserver(workspace.data_map, tables), RegistryObserver(declared))
    return Seen(tuple(observer.observe() for observer in observers))


def _geoip(path: Path | None, tables: Reference, as_of: datetime, max_age_days: int) -> GeoDatabase | PrivacyOpsError:
    try:
        return GeoDatabase.open(path, tables, now=as_of, max_age_days=max_age_days)
    except PrivacyOpsError as error:
        return error
