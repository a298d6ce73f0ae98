"""What the publisher declares: processors, mechanisms, transfers, known hosts (``include/registry/*.yaml``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from privacy_ops.errors import ConfigError
from privacy_ops.transfers.flows import (
    DataType,
    DpfListing,
    Flow,
    Importer,
    Mechanism,
    Nature,
    Relationship,
    Role,
)
from privacy_ops.transfers.reference import Reference, Regime

UNDECLARED = Importer(entity_id="undeclared", name="nobody declared it", relationship="UNKNOWN")
ITSELF = Importer(entity_id="publisher", name="the publisher itself", relationship="OWN_BRANCH", role="controller")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Processor(_Frozen):
    """An organisation (or own staff) that can receive or reach data; the field names follow ``flows.Importer``."""

    name: str = Field(min_length=1)
    established: str
    relationship: Relationship
    role: Role = "processor"
    subject_to: dict[str, bool] = Field(default_factory=dict)
    dpf: DpfListing | None = None
    note: str = ""

    def importer(self, entity_id: str) -> Importer:
        said = self.model_dump(include={"name", "relationship", "role", "subject_to"})
        return Importer(entity_id=entity_id, dpf=self.dpf, **said)


class DeclaredFlow(_Frozen):
    """Where data go: each place, or the importer's own systems when none is named."""

    country: str
    nature: Nature
    places: tuple[str, ...] = ()


class Transfer(_Frozen):
    """One declaration: to whom, for what, on which mechanisms, where."""

    importer: str
    exporter_role: Role = "controller"
    purposes: tuple[str, ...] = Field(min_length=1)
    data_type: DataType = "NON_HR"
    personal: bool = True
    special_category: bool = False
    special_flagged: bool = False
    children: bool = False
    automated: bool = True
    occasional: bool = False
    regimes: tuple[Regime, ...] | None = None  # default: the publisher's
    subject_states: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    owner: str = ""
    review_on: date | None = None
    flows: tuple[DeclaredFlow, ...] = Field(min_length=1)
    note: str = ""


class Host(_Frozen):
    processor: str
    country: str


_M = TypeVar("_M")


@dataclass(frozen=True)
class Registry:
    """All declarations, agreed with each other. ``sha256`` is of the files' bytes."""

    processors: dict[str, Processor]
    mechanisms: dict[str, Mechanism]
    transfers: dict[str, Transfer]
    hosts: dict[str, Host]
    sha256: str

    def declared(self, regimes: tuple[Regime, ...]) -> Iterator[Flow]:
        """Every declared flow; ``regimes`` are those of the publisher, used where a transfer names none."""
        for transfer_id, transfer in self.transfers.items():
            importer = self.processors[transfer.importer].importer(transfer.importer)
            said = transfer.model_dump(exclude={"importer", "flows", "mechanisms", "regimes", "review_on"})
            for entry in transfer.flows:
                for place in entry.places or (f"processor:{transfer.importer}",):
                    yield Flow(
                        **said,
                        place=place,
                        nature=entry.nature,
                        country=entry.country,
                        importer=importer,
                        regimes=regimes if transfer.regimes is None else transfer.regimes,
                        transfer_id=transfer_id,
                        mechanisms=self._resting_on(transfer.mechanisms),
                    )

    def _resting_on(self, names: Iterable[str]) -> tuple[Mechanism, ...]:
        return tuple(self.mechanisms[name] for name in names)

    @cached_property
    def places(self) -> frozenset[str]:
        """Every place that some declaration names."""
        return frozenset(p for t in self.transfers.values() for f in t.flows for p in f.places)

    def host(self, name: str) -> Host | None:
        """The entry of a host: itself, or the nearest domain above it. None: nobody registered it."""
        labels = name.lower().rstrip(".").split(".")
        return next(
            (self.hosts[d] for d in (".".join(labels[i:]) for i in range(len(labels))) if d in self.hosts), None
        )


def _read(path: Path, key: str, model: type[_M]) -> tuple[dict[str, _M], bytes]:
    try:
        data = path.read_bytes()
        raw: Any = yaml.safe_load(data)
    except OSError as error:
        raise ConfigError("a registry file cannot be read", where=str(path), do=str(error.strerror)) from None
    except yaml.YAMLError as error:
        raise ConfigError("a registry file is not valid YAML", where=str(path), do=str(error)) from None
    if not isinstance(raw, dict) or set(raw) != {key} or not isinstance(raw[key], dict):
        raise ConfigError("a registry file has another shape", where=str(path), do=f"write one mapping, {key!r}")
    if model is Mechanism:
        raw[key] = {k: {**v, "mechanism_id": k} if isinstance(v, dict) else v for k, v in raw[key].items()}
    try:
        return TypeAdapter(dict[str, model]).validate_python(raw[key]), data  # type: ignore[valid-type]
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError("a registry file is not valid", where=str(path), do=wrong) from None


def load(folder: Path, reference: Reference) -> Registry:
    """Read ``include/registry`` and check that it agrees with itself and the known codes. Raises ConfigError."""
    processors, one = _read(folder / "processors.yaml", "processors", Processor)
    mechanisms, two = _read(folder / "mechanisms.yaml", "mechanisms", Mechanism)
    transfers, three = _read(folder / "transfers.yaml", "transfers", Transfer)
    hosts, four = _read(folder / "hosts.yaml", "hosts", Host)
    registry = Registry(
        processors, mechanisms, transfers, hosts, hashlib.sha256(b"\0".join((one, two, three, four))).hexdigest()
    )
    if wrong := list(_disagreements(registry, reference)):
        raise ConfigError("the registry does not agree with itself", where=str(folder), do="; ".join(wrong))
    return registry


def _disagreements(registry: Registry, reference: Reference) -> Iterator[str]:
    def place(code: str, where: str) -> Iterator[str]:
        if reference.territory(code) is None:
            yield f"{where}: no country {code} in the reference data"

    def processor(name: str, where: str) -> Iterator[str]:
        if name not in registry.processors:
            yield f"{where}: no processor {name}"

    for name, one in registry.processors.items():
        yield from place(one.established, f"processors.{name}")
    for name, mechanism in registry.mechanisms.items():
        for party in mechanism.parties:
            yield from processor(party, f"mechanisms.{name}")
        if mechanism.beneath and mechanism.beneath not in registry.mechanisms:
            yield f"mechanisms.{name}: nothing called {mechanism.beneath} to stand on"
    taken: dict[tuple[str, str, str], str] = {}
    for name, transfer in registry.transfers.items():
        yield from processor(transfer.importer, f"transfers.{name}")
        for used in transfer.mechanisms:
            if used not in registry.mechanisms:
                yield f"transfers.{name}: no mechanism {used}"
        for entry in transfer.flows:
            yield from place(entry.country, f"transfers.{name}")
            for where in entry.places:
                first = taken.setdefault((where, entry.nature, entry.country), name)
                if first != name:
                    yield f"transfers.{name}: {where} is declared by {first} already"
    for name, host in registry.hosts.items():
        yield from processor(host.processor, f"hosts.{name}")
        yield from place(host.country, f"hosts.{name}")
