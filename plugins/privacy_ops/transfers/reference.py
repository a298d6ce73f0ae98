"""The law's tables: territories, home areas, adequacy instruments, mechanism rules, cloud regions.

Two clocks. Law time (``valid_from``/``valid_to``, both days inclusive, empty = open) says when a rule held;
knowledge time (``known_from``/``known_to``) says when we knew the row. Asking "as of a day, with the knowledge of a
day" lets a past run be judged again as it would have been judged then. Files: ``include/reference``; each row names
its source.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from privacy_ops.errors import ConfigError

Regime = Literal["UK", "EU"]
REGIMES: tuple[Regime, ...] = ("UK", "EU")
Scope = Literal[
    "FULL",
    "PIPEDA_ORGS",
    "AUTOMATED_PROCESSING",
    "APPI_PRIVATE",
    "PIPA",
    "PIPA_EXCL",
    "EXCL_IMMIGRATION",
    "DPF_ACTIVE",
    "DPF_UK_EXT_ACTIVE",
    "PS_LIST",
    "INTL_ORG",
    "NONE",
]
MechanismCode = Literal["SCC_2021", "SCC_OLD", "UK_IDTA", "UK_ADDENDUM", "BCR", "UK_BCR", "ART49"]

_Day = Annotated[date | None, BeforeValidator(lambda value: value or None)]
_Yes = Annotated[bool, BeforeValidator(lambda value: {"yes": True, "no": False}.get(value, value))]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    source: str = Field(min_length=1)

    @property
    def needs_check(self) -> bool:
        """Whether its source asks for somebody to verify it."""
        return "verify" in self.source


class _Dated(_Row):
    valid_from: _Day
    valid_to: _Day

    def valid(self, on: date) -> bool:
        """Whether the rule held on this day; first and last day count."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    @model_validator(mode="after")
    def _forward(self) -> _Dated:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        return self


class _Bitemporal(_Dated):
    known_from: _Day
    known_to: _Day

    def known_on(self, known: date) -> bool:
        """Whether this row was what we knew on this day."""
        return (self.known_from is None or self.known_from <= known) and (
            self.known_to is None or known <= self.known_to
        )

    @model_validator(mode="after")
    def _known_forward(self) -> _Bitemporal:
        if self.known_from and self.known_to and self.known_to < self.known_from:
            raise ValueError("known_to is before known_from")
        return self


class Territory(_Row):
    """A code and what it stands for. PSEUDO and CHECK codes are no place that can be judged."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9](-[A-Z]+)?$|^EEA$")
    name: str = Field(min_length=1)
    kind: Literal["COUNTRY", "TERRITORY", "AREA", "ORGANISATION", "ALIAS", "PSEUDO", "CHECK"]
    alias_of: str
    note: str


class HomeArea(_Dated):
    """A territory that is inside the home area of a regime: no flow to it is a transfer."""

    code: str
    area: Literal["UK", "EEA"]
    member: Literal["EU_MEMBER", "EFTA_EEA", "EU_TERRITORY", "HOME_STATE", "TRANSITION", "BRIDGE"]
    note: str


class Instrument(_Bitemporal):
    """One state of our knowledge of one adequacy decision (EU) or regulation (UK)."""

    instrument_id: str = Field(min_length=1)
    regime: Regime
    country: str
    instrument: str = Field(min_length=1)
    scope: Scope
    scope_note: str
    status: Literal["IN_FORCE", "IN_FORCE_SUNSET", "IN_FORCE_CHALLENGED", "INVALIDATED", "NOT_ADEQUATE"]
    efta: Literal["", "applies", "unverified"]  # position of IS, LI and NO, for EU decisions
    review_note: str


class MechanismRule(_Bitemporal):
    """When a kind of contract or derogation may be signed under a regime, and until when it holds."""

    code: MechanismCode
    regime: Regime
    instrument: str = Field(min_length=1)
    sign_from: _Day
    sign_to: _Day
    beneath: MechanismCode | Literal[""]  # needs this contract beneath it
    modules: _Yes  # whether a module must match the roles
    note: str


class CloudRegion(_Row):
    """What a provider's interface answers, the region it means, and the countries that region may be in."""

    provider: str = Field(min_length=1)
    observed: str  # empty: the interface answered nothing
    region: str = Field(min_length=1)
    countries: tuple[str, ...]  # empty: no place (a global endpoint)
    note: str

    @model_validator(mode="before")
    @classmethod
    def _split(cls, row: Any) -> Any:
        if isinstance(row, dict) and isinstance(row.get("countries"), str):
            return {**row, "countries": tuple(filter(None, row["countries"].split("+")))}
        return row


@dataclass(frozen=True)
class Reference:
    """All tables. ``sha256`` is of the files' bytes; look-ups never ask the clock."""

    version: str
    reviewed_on: date
    sha256: str
    territories: tuple[Territory, ...]
    home_areas: tuple[HomeArea, ...]
    instruments: tuple[Instrument, ...]
    mechanism_rules: tuple[MechanismRule, ...]
    cloud_regions: tuple[CloudRegion, ...]

    @cached_property
    def _territory(self) -> Mapping[str, Territory]:
        return {t.code: t for t in self.territories}

    @cached_property
    def _region(self) -> Mapping[tuple[str, str], CloudRegion]:
        return {(r.provider, r.observed): r for r in self.cloud_regions}

    @property
    def rows(self) -> tuple[_Row, ...]:
        """Every row of every table."""
        return (*self.territories, *self.home_areas, *self.instruments, *self.mechanism_rules, *self.cloud_regions)

    def territory(self, code: str | None) -> Territory | None:
        """The place that ``code`` stands for, aliases followed (EL is GR, UK is GB); None when it is no known code."""
        found = self._territory.get((code or "").strip().upper())
        return self._territory.get(found.alias_of) if found and found.kind == "ALIAS" else found

    def membership(self, code: str, area: Literal["UK", "EEA"], on: date) -> HomeArea | None:
        """The row that puts ``code`` inside ``area`` on this day, or None."""
        return next((h for h in self.home_areas if h.code == code and h.area == area and h.valid(on)), None)

    def adequacy(self, regime: Regime, country: str, on: date, known: date) -> tuple[Instrument, ...]:
        """Rows of one regime about one country, as known on ``known``, those valid on ``on`` first."""
        areas = {country} | ({"EEA"} if self.membership(country, "EEA", on) else set())
        rows = [i for i in self.instruments if i.regime == regime and i.country in areas and i.known_on(known)]
        return tuple(sorted(rows, key=lambda i: (not i.valid(on), i.instrument_id)))

    def mechanism_rule(self, regime: Regime, code: str, known: date) -> MechanismRule | None:
        """The rule of one kind of mechanism under one regime as known on ``known``, or None: no use there."""
        rows = self.mechanism_rules
        return next((m for m in rows if m.regime == regime and m.code == code and m.known_on(known)), None)

    def region(self, provider: str, observed: str | None) -> CloudRegion | None:
        """What a provider's answer means; ``observed`` None or empty is S3's null, which is us-east-1."""
        return self._region.get((provider, observed or "")) or self._region.get(("any", observed or ""))


_R = TypeVar("_R", bound=_Row)


def _read(folder: Path, name: str, model: type[_R], key: Callable[[_R], object] | None = None) -> tuple[_R, ...]:
    path = folder / name
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError("a reference table cannot be read", where=str(path), do=str(error.strerror)) from None
    rows: list[_R] = []
    wrong: list[str] = []
    for number, raw in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            rows.append(model.model_validate(raw))
        except ValidationError as error:
            wrong += [f"line {number}, {'.'.join(map(str, e['loc'])) or 'row'}: {e['msg']}" for e in error.errors()]
    if key is not None:
        seen: set[object] = set()
        for row in rows:
            if key(row) in seen:
                wrong.append(f"{key(row)} stands twice")
            seen.add(key(row))
    if not rows and not wrong:
        wrong.append("it has no rows")
    if wrong:
        raise ConfigError("a reference table is not valid", where=str(path), do="; ".join(wrong))
    return tuple(rows)


def _unknown_codes(reference: Reference) -> Iterable[str]:
    known = {t.code for t in reference.territories}
    for t in reference.territories:
        if (t.kind == "ALIAS") != bool(t.alias_of) or (t.alias_of and t.alias_of not in known):
            yield f"territories.csv: {t.code}: an alias, and only an alias, names a listed code"
    for h in reference.home_areas:
        if h.code not in known:
            yield f"home_areas.csv: {h.code} is not in territories.csv"
    for i in reference.instruments:
        if i.country not in known:
            yield f"adequacy_instruments.csv: {i.instrument_id}: {i.country} is not in territories.csv"
        if (i.regime == "EU") != bool(i.efta):
            yield f"adequacy_instruments.csv: {i.instrument_id}: EU rows, and only they, say what efta is"
    for r in reference.cloud_regions:
        for country in r.countries:
            if country not in known:
                yield f"cloud_regions.csv: {r.provider} {r.region}: {country} is not in territories.csv"


def _overlaps(reference: Reference) -> Iterable[str]:
    """Two states of knowledge of one instrument on the same day would be a coin toss."""
    by_id: dict[str, list[Instrument]] = {}
    for row in reference.instruments:
        by_id.setdefault(row.instrument_id, []).append(row)
    for name, rows in by_id.items():
        ordered = sorted(rows, key=lambda r: r.known_from or date.min)
        for earlier, later in itertools.pairwise(ordered):
            if earlier.known_to is None or (later.known_from or date.min) <= earlier.known_to:
                yield f"adequacy_instruments.csv: {name}: two rows are known on the same day"


def load(folder: Path) -> Reference:
    """Read and check ``include/reference``. Raises ConfigError naming file, line and reason."""
    manifest = folder / "reference.yaml"
    try:
        about = yaml.safe_load(manifest.read_text(encoding="utf-8"))
        version, reviewed_on = str(about["version"]), about["reviewed_on"]
        files = sorted(map(str, about["files"]))
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise ConfigError(
            "the reference data have no readable description",
            where=str(manifest),
            do="write version, reviewed_on (a date) and files",
        ) from None
    if type(reviewed_on) is not date:
        raise ConfigError("reviewed_on is not a date", where=str(manifest), do="write YYYY-MM-DD")
    tables = (
        _read(folder, "territories.csv", Territory, lambda r: r.code),
        _read(folder, "home_areas.csv", HomeArea, lambda r: (r.code, r.area, r.valid_from)),
        _read(folder, "adequacy_instruments.csv", Instrument, lambda r: (r.instrument_id, r.known_from)),
        _read(folder, "mechanism_rules.csv", MechanismRule, lambda r: (r.code, r.regime, r.known_from)),
        _read(folder, "cloud_regions.csv", CloudRegion, lambda r: (r.provider, r.observed)),
    )
    digest = hashlib.sha256()
    for name in files:
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes())
    reference = Reference(version, reviewed_on, digest.hexdigest(), *tables)
    if wrong := [*_unknown_codes(reference), *_overlaps(reference)]:
        raise ConfigError("the reference tables do not agree", where=str(folder), do="; ".join(wrong))
    return reference
