"""All that the publisher declares, agreed with itself: read from files or rows, checked, written again without loss."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from privacy_ops.errors import ConfigError
from privacy_ops.transfers import declaration_files
from privacy_ops.transfers.declaration_files import Document, Where
from privacy_ops.transfers.declarations import (
    Activity,
    Agreed,
    AssessmentEntry,
    Attestation,
    Contract,
    Entry,
    Host,
    MechanismEntry,
    Organisation,
    Processor,
    Transfer,
)
from privacy_ops.transfers.flows import Assessment, Flow, Importer, Mechanism
from privacy_ops.transfers.reference import Reference, Regime

UNDECLARED = Importer(entity_id="undeclared", name="nobody declared it", relationship="UNKNOWN")
ITSELF = Importer(entity_id="publisher", name="the publisher itself", relationship="OWN_BRANCH", role="controller")

# Section (key of its file, and file name without .yaml) and the shape of its entries.
SECTIONS: Mapping[str, type[Entry]] = {
    "organisations": Organisation,
    "activities": Activity,
    "processors": Processor,
    "subprocessors": Agreed,
    "contracts": Contract,
    "assessments": AssessmentEntry,
    "mechanisms": MechanismEntry,
    "transfers": Transfer,
    "attested": Attestation,
    "hosts": Host,
}
Content = dict[str, dict[str, dict[str, Any]]]
_PLAIN = re.compile(r"[\w.:>()& -]{1,120}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_CATEGORY = re.compile(r"[a-z_]+(\.[a-z_]+)*")


@dataclass(frozen=True)
class Registry:
    """All declarations, agreed with each other."""

    organisations: Mapping[str, Organisation] = field(default_factory=dict)
    activities: Mapping[str, Activity] = field(default_factory=dict)
    processors: Mapping[str, Processor] = field(default_factory=dict)
    subprocessors: Mapping[str, Agreed] = field(default_factory=dict)  # by processor
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    assessments: Mapping[str, AssessmentEntry] = field(default_factory=dict)
    mechanism_entries: Mapping[str, MechanismEntry] = field(default_factory=dict)
    transfers: Mapping[str, Transfer] = field(default_factory=dict)
    attested: Mapping[str, Attestation] = field(default_factory=dict)
    hosts: Mapping[str, Host] = field(default_factory=dict)

    def section(self, name: str) -> Mapping[str, Entry]:
        """Entries of one of ``SECTIONS``."""
        return cast("Mapping[str, Entry]", getattr(self, _attribute(name)))

    @cached_property
    def mechanisms(self) -> Mapping[str, Mechanism]:
        """Grounds with the assessment and the terms that their entries name."""
        return {name: self._mechanism(name, entry) for name, entry in self.mechanism_entries.items()}

    def _mechanism(self, name: str, entry: MechanismEntry) -> Mechanism:
        said = entry.model_dump(exclude={"assessment", "linked_agreement"})
        about = self.assessments.get(entry.assessment) if entry.assessment else None
        if about is not None:
            facts = about.model_dump(exclude={"owner", "countries"})
            said["assessment"] = Assessment(reference=entry.assessment, **facts)
        terms = self.contracts.get(entry.linked_agreement) if entry.linked_agreement else None
        if terms is not None and terms.kind == "ARTICLE_28" and terms.signed_on is not None:
            said |= {
                "linked_agreement": entry.linked_agreement,
                "terms_from": terms.signed_on,
                "terms_until": terms.ends_on,
            }
        return Mechanism(mechanism_id=name, **said)

    def content(self) -> Content:
        """Everything as plain values, section by section; defaults are left out. ``of_content`` reads it back."""
        return {
            section: {
                name: entry.model_dump(mode="json", exclude_defaults=True)
                for name, entry in self.section(section).items()
            }
            for section in SECTIONS
        }

    @cached_property
    def sha256(self) -> str:
        """Of the content, whatever file or row it came from."""
        return hashlib.sha256(json.dumps(self.content(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def declared(self, regimes: tuple[Regime, ...]) -> Iterator[Flow]:
        """Every declared flow; ``regimes`` are those of the publisher, used where a transfer names none."""
        for transfer_id, transfer in self.transfers.items():
            importer = self.processors[transfer.importer].importer(transfer.importer)
            said = transfer.model_dump(include=_OF_FLOW)
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

    def on(self, day: date) -> Registry:
        """What was declared on a day: transfers that begin later or ended before are left out."""
        return replace(self, transfers={name: t for name, t in self.transfers.items() if t.declared_on(day)})

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


_OF_FLOW = (set(Transfer.model_fields) & set(Flow.model_fields)) - {"importer", "mechanisms", "regimes"}


def _attribute(section: str) -> str:
    return "mechanism_entries" if section == "mechanisms" else section


# --- agreement -------------------------------------------------------------------------------------------------

Problem = tuple[str, Where, str]  # section, where in it, what is wrong


def _shown(value: str) -> str:
    """A value as an error may show it: an address, which may hold a password, stays out."""
    return value if _PLAIN.fullmatch(value) else "of that spelling"


def _names(
    section: str, name: str, field_name: str, values: Iterable[str], known: Iterable[str], what: str
) -> Iterator[Problem]:
    listed = set(known)
    for value in values:
        if value not in listed:
            yield section, (name, *filter(None, [field_name])), f"no {what} {_shown(value)}"


def _countries(registry: Registry, reference: Reference) -> Iterator[Problem]:
    def place(section: str, where: Where, codes: Iterable[str]) -> Iterator[Problem]:
        for code in codes:
            if reference.territory(code) is None:
                yield section, where, f"no country {_shown(code)} in the reference data"

    for section in ("organisations", "processors"):
        for name, one in registry.section(section).items():
            yield from place(section, (name, "established"), [one.established])  # type: ignore[attr-defined]
    for section in ("assessments", "mechanisms"):
        for name, one in registry.section(section).items():
            yield from place(section, (name, "countries"), one.countries)  # type: ignore[attr-defined]
    for name, agreed in registry.subprocessors.items():
        for sub, codes in agreed.subprocessors.items():
            yield from place("subprocessors", (name, "subprocessors", sub), codes)
    for name, host in registry.hosts.items():
        yield from place("hosts", (name, "country"), [host.country])
    for name, transfer in registry.transfers.items():
        for number, entry in enumerate(transfer.flows):
            yield from place("transfers", (name, "flows", str(number), "country"), [entry.country])


def _references(r: Registry) -> Iterator[Problem]:
    for name in r.subprocessors:
        yield from _names("subprocessors", name, "", [name], r.processors, "processor")
    for name, contract in r.contracts.items():
        yield from _names("contracts", name, "parties", contract.parties, r.processors, "processor")
    for name, ground in r.mechanism_entries.items():
        yield from _names("mechanisms", name, "parties", ground.parties, r.processors, "processor")
        yield from _names(
            "mechanisms", name, "assessment", filter(None, [ground.assessment]), r.assessments, "assessment"
        )
        yield from _names(
            "mechanisms", name, "linked_agreement", filter(None, [ground.linked_agreement]), r.contracts, "contract"
        )
        if ground.beneath and ground.beneath not in r.mechanism_entries:
            yield "mechanisms", (name, "beneath"), f"nothing called {ground.beneath} to stand on"
    for name, transfer in r.transfers.items():
        yield from _names("transfers", name, "importer", [transfer.importer], r.processors, "processor")
        yield from _names("transfers", name, "mechanisms", transfer.mechanisms, r.mechanism_entries, "mechanism")
        yield from _names("transfers", name, "activity", filter(None, [transfer.activity]), r.activities, "activity")
    for name, host in r.hosts.items():
        yield from _names("hosts", name, "processor", [host.processor], r.processors, "processor")


def _twice(r: Registry) -> Iterator[Problem]:
    """One place, nature and country belongs to one declaration at a time."""
    taken: dict[tuple[str, str, str], list[tuple[str, date, date]]] = {}
    for name, transfer in r.transfers.items():
        begins, ends = transfer.declared_from or date.min, transfer.declared_until or date.max
        if ends < begins:
            yield "transfers", (name, "declared_until"), "is before declared_from"
        for number, entry in enumerate(transfer.flows):
            for place in entry.places:
                others = taken.setdefault((place, entry.nature, entry.country), [])
                for other, from_, until in others:
                    if other != name and begins <= until and from_ <= ends:
                        yield (
                            "transfers",
                            (name, "flows", str(number)),
                            f"{_shown(place)} is declared by {other} already",
                        )
                others.append((name, begins, ends))


def _words(r: Registry) -> Iterator[Problem]:
    for section in SECTIONS:
        for name in r.section(section):
            if not _NAME.fullmatch(name):
                yield section, (name,), "a name is letters, digits and _ . : - without blanks"
    described: tuple[tuple[str, Mapping[str, Activity] | Mapping[str, Transfer]], ...] = (
        ("activities", r.activities),
        ("transfers", r.transfers),
    )
    for section, entries in described:
        for name, entry in entries.items():
            for category in entry.data_categories:
                if not _CATEGORY.fullmatch(category):
                    yield section, (name, "data_categories"), f"{category} is no fideslang data category"


def _disagreements(registry: Registry, reference: Reference) -> Iterator[Problem]:
    yield from _words(registry)
    yield from _countries(registry, reference)
    yield from _references(registry)
    yield from _twice(registry)


# --- reading and writing ---------------------------------------------------------------------------------------


def _entries(section: str, raw: Mapping[str, Any]) -> tuple[dict[str, Entry], list[Problem]]:
    model, found, wrong = SECTIONS[section], {}, []
    for name, entry in raw.items():
        try:
            found[name] = model.model_validate(entry)
        except ValidationError as error:
            wrong += [(section, (name, *map(str, e["loc"])), e["msg"]) for e in error.errors(include_input=False)]
    return found, wrong


def _build(raw: Mapping[str, Mapping[str, Any]], reference: Reference) -> tuple[Registry | None, list[Problem]]:
    read = {section: _entries(section, raw[section]) for section in SECTIONS}
    if wrong := [problem for _, problems in read.values() for problem in problems]:
        return None, wrong
    registry = Registry(**{_attribute(section): entries for section, (entries, _) in read.items()})  # type: ignore[arg-type]
    return registry, list(_disagreements(registry, reference))


def _checked(built: tuple[Registry | None, list[Problem]], where: str, tell: Any) -> Registry:
    registry, problems = built
    if problems or registry is None:
        raise ConfigError(
            "the registry is not valid",
            where=where,
            do="; ".join(f"{tell(section, at)}: {text}" for section, at, text in problems),
        )
    return registry


def load(folder: Path, reference: Reference) -> Registry:
    """Read ``include/registry`` and check that it agrees with itself and the known codes.

    Raises ConfigError that names file, line and what is wrong, all faults at once.
    """
    documents = {section: declaration_files.read(folder / f"{section}.yaml", section) for section in SECTIONS}

    def tell(section: str, at: Where) -> str:
        document: Document = documents[section]
        return f"{section}.yaml line {document.line(at)}, {'.'.join((section, *at))}"

    return _checked(_build({s: d.entries for s, d in documents.items()}, reference), str(folder), tell)


def of_content(content: Mapping[str, Mapping[str, Any]], reference: Reference, where: str) -> Registry:
    """The registry that ``content()`` of another gave, or that rows of the database hold. Raises ConfigError.

    A section that is not there is empty; one that nobody knows is an error.
    """
    if unknown := sorted(set(content) - set(SECTIONS)):
        raise ConfigError("the registry has sections that nobody knows", where=where, do=f"remove {', '.join(unknown)}")
    raw = {section: content.get(section, {}) for section in SECTIONS}
    return _checked(_build(raw, reference), where, lambda section, at: ".".join((section, *at)))


def with_entry(before: Registry, section: str, name: str, file: Path | None, reference: Reference) -> Registry:
    """``before`` with one entry as a YAML file of its fields says it, or without it when there is no file.

    Raises ConfigError when the section is none, the file cannot be read, or the whole would not agree.
    """
    if section not in SECTIONS:
        raise ConfigError(f"no section {section}", where="section", do=f"use one of {', '.join(SECTIONS)}")
    content = before.content()
    if file is None:
        if content[section].pop(name, None) is None:
            raise ConfigError(f"nothing is called {name}", where=section, do="see `transfers registry export`")
        return of_content(content, reference, f"without {section}.{name}")
    document = declaration_files.read_fields(file)
    content[section][name] = document
    return of_content(content, reference, str(file))


def files_of(registry: Registry) -> dict[str, str]:
    """File name and text of every section; ``load`` of the written files gives an equal registry."""
    return {
        f"{section}.yaml": declaration_files.render(
            section, {n: _plain(e.model_dump(exclude_defaults=True)) for n, e in registry.section(section).items()}
        )
        for section in SECTIONS
    }


def _plain(value: Any) -> Any:
    """Lists for tuples; dates stay dates, so that a file shows them without quotes."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value
