"""Puts what was observed beside what is declared: one inventory of flows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from privacy_ops.datamap.model import DataMap, ObjectStoreEntry
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.observers import Observation, ObservedFlow
from privacy_ops.transfers.reference import Reference, Regime
from privacy_ops.transfers.registry import ITSELF, UNDECLARED, Registry

# Category keys (fideslang, as in include/datamap/categories.txt) of special categories under GDPR Article 9.
SPECIAL_CATEGORIES = (
    "user.health",
    "user.biometrics",
    "user.authorization.biometrics",
    "user.demographic.political_opinion",
    "user.demographic.race_ethnicity",
    "user.demographic.religious_belief",
    "user.demographic.sexual_orientation",
)
PUBLISHER = "publisher"  # stands where a transfer id would: the publisher's own machines need no declaration


@dataclass(frozen=True)
class Entry:
    """One flow of the inventory, who saw it, what they saw, and what would be blocked."""

    flow: Flow
    seen_by: tuple[str, ...]
    detail: str
    destination: str


def _stores_at(place: str, data_map: DataMap) -> tuple[ObjectStoreEntry, ...]:
    """Entries of the map whose data are at a place: the bucket's, or those of the bucket that is copied from."""
    kind, _, name = place.partition(":")
    bucket = name.split(">", 1)[0] if kind in {"replication", "grant"} else name if kind == "bucket" else ""
    return tuple(entry for entry in data_map.objects.values() if entry.bucket == bucket)


def _with_map(flow: Flow, data_map: DataMap) -> Flow:
    """What the map says about the data at the flow's place wins over what the declaration says of all its places."""
    stores = _stores_at(flow.place, data_map)
    if not stores:
        return flow
    special = any(entry.category.startswith(SPECIAL_CATEGORIES) for entry in stores)
    return flow.model_copy(
        update={
            "personal": any(entry.personal for entry in stores),
            "special_category": flow.special_category or special,
        }
    )


def assemble(
    observations: Sequence[Observation], registry: Registry, data_map: DataMap, reference: Reference
) -> tuple[Entry, ...]:
    """One entry per flow (by its key), sorted by place. A flow that nothing declares has no ``transfer_id``."""
    regimes: tuple[Regime, ...] = data_map.publisher.regimes

    def code(country: str | None) -> str | None:
        place = reference.territory(country)
        return place.code if place else country

    declared: dict[tuple[str, str, str | None], Flow] = {}
    of_entity: dict[tuple[str, str | None], Flow] = {}
    for declaration in registry.declared(regimes):
        flow = declaration.model_copy(update={"country": code(declaration.country)})
        declared[flow.place, flow.nature, flow.country] = flow
        of_entity.setdefault((flow.importer.entity_id, flow.country), flow)

    def flow_of(seen: ObservedFlow) -> Flow:
        country = code(seen.country)
        bare = Flow(place=seen.place, nature=seen.nature, country=country, importer=UNDECLARED, regimes=regimes)
        if seen.importer:
            return bare.model_copy(
                update={
                    "importer": seen.importer,
                    "personal": seen.personal,
                    "owner": "exports",
                    "transfer_id": f"agreement:{seen.agreement}" if seen.agreement else None,
                }
            )
        if seen.home:
            return bare.model_copy(update={"importer": ITSELF, "transfer_id": PUBLISHER})
        if found := declared.get((seen.place, seen.nature, country)):
            return found
        if seen.entity and (found := of_entity.get((seen.entity, country))):
            return found.model_copy(update={"place": seen.place, "nature": seen.nature})
        if seen.entity and seen.entity in registry.processors:
            return bare.model_copy(update={"importer": registry.processors[seen.entity].importer(seen.entity)})
        return bare

    entries: dict[str, Entry] = {}
    for observation in observations:
        for seen in observation.flows:
            flow = _with_map(flow_of(seen), data_map)
            before = entries.get(flow.key)
            # One source that is more than a guess makes the flow more than a guess.
            estimated = seen.estimated and (before is None or before.flow.estimated)
            flow = flow.model_copy(update={"estimated": estimated})
            seen_by = {observation.observer, *(before.seen_by if before else ())}
            entries[flow.key] = Entry(
                flow,
                tuple(sorted(seen_by)),
                before.detail if before and before.detail != "declared" else seen.detail,
                seen.destination or (before.destination if before else "") or seen.place,
            )
    return tuple(sorted(entries.values(), key=lambda e: (e.flow.place, e.flow.nature, e.flow.country or "")))


def undeclared_destinations(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Where undeclared flows end: a bucket that receives a copy counts once, however it was seen."""
    return tuple(sorted({e.destination for e in entries if not e.flow.declared}))
