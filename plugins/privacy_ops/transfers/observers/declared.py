"""What is said rather than seen: the data map's places, the registry's flows, and what people attest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from privacy_ops.datamap.model import DataMap
from privacy_ops.transfers.declarations import Attestation
from privacy_ops.transfers.observers.base import Note, Observation, ObservedFlow, Observer, blind
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.registry import Registry


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
            return blind(self.name, "the registry declares no transfer")
        return Observation(self.name, tuple(flows), looked=True)


class AttestedObserver:
    """The attestations: nothing is seen, and what has aged is to be attested again."""

    name = "attested"

    def __init__(self, attested: Mapping[str, Attestation], *, on: date, max_age_days: int) -> None:
        self._attested, self._on, self._max_age = attested, on, max_age_days

    def observe(self) -> Observation:
        notes = tuple(
            Note(
                "attestation_stale",
                "MEDIUM",
                f"attested:{name}",
                one.detector,
                f"{one.detector}, {name}: last attested on {one.attested_on.isoformat()} by {one.owner}",
                "look again, and write day and owner into attested.yaml",
            )
            for name, one in sorted(self._attested.items())
            if not one.fresh(self._on, self._max_age)
        )
        if not self._attested:
            return blind(self.name, "nobody attests what the job cannot see (attested.yaml is empty)")
        return Observation(self.name, (), looked=True, notes=notes)


class StandIn:
    """A person's word in place of an observer that does not apply here, while it is fresh; then blindness."""

    def __init__(self, observer: Observer, said: str, attestation: Attestation, *, on: date, max_age_days: int) -> None:
        self.name = observer.name
        self._said, self._attestation, self._on, self._max_age = said, attestation, on, max_age_days

    def observe(self) -> Observation:
        one = self._attestation
        if not one.fresh(self._on, self._max_age):
            return blind(self.name, f"the attestation {self._said} of {one.attested_on.isoformat()} has aged")
        return Observation(self.name, (), looked=True, reason=f"not looked: attested by {one.owner} as {self._said}")
