"""The law's tables: territories, home areas, adequacy instruments, mechanism rules, cloud regions.

Two clocks. Law time (``valid_from``/``valid_to``, both days inclusive, empty = open) says when a rule held;
knowledge time (``known_from``/``known_to``) says when we knew the row. Asking "as of a day, with the knowledge of a
day" lets a past run be judged again as it would have been judged then. Files: ``include/reference``; each row names
its source. Changing the law is a row.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from privacy_ops import safe_yaml
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
MechanismCode = Literal[
    "SCC_2021", "SCC_OLD", "UK_IDTA", "UK_ADDENDUM", "BCR", "UK_BCR", "DPF", "COC", "CERT", "ART49", "NONE_NEEDED"
]
Area = Literal["UK", "EEA"]

_Day = Annotated[date | None, BeforeValidator(lambda value: value or None)]
_Yes = Annotated[bool, BeforeValidator(lambda value: {"yes": True, "no": False}.get(value, value))]
_Listed = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(filter(None, value.split("+"))) if isinstance(value, str) else value),
]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    source: str = Field(min_length=1)
    line: int = Field(default=0, exclude=True, description="where it stands in its file")

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

    def applies(self, on: date, known: date) -> bool:
        """Whether the rule held on ``on``, as far as was known on ``known``."""
        return self.valid(on) and self.known_on(known)


class Territory(_Bitemporal):
    """A code and what it stands for. PSEUDO and CHECK codes are no place that can be judged."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9](-[A-Z]+)?$|^EEA$")
    name: str = Field(min_length=1)
    kind: Literal["COUNTRY", "TERRITORY", "AREA", "ORGANISATION", "ALIAS", "PSEUDO", "CHECK"]
    alias_of: str
    note: str

    @cached_property
    def cite(self) -> str:
        return f"territories.csv:{self.code}"


class HomeArea(_Bitemporal):
    """A territory that is inside the home area of a regime: no flow to it is a transfer."""

    code: str
    area: Area
    member: Literal["EU_MEMBER", "EFTA_EEA", "EU_TERRITORY", "EU_INSTITUTION", "HOME_STATE", "TRANSITION", "BRIDGE"]
    note: str

    @cached_property
    def cite(self) -> str:
        return f"home_areas.csv:{self.code}/{self.area}/{self.member}"


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
    also_called: _Listed  # names that people use
    depends_on: str  # the instrument without which this one stands on nothing
    review_note: str

    @cached_property
    def cite(self) -> str:
        """The row: its instrument and, as one instrument has a row per state of knowledge, since when it was known."""
        since = f"@{self.known_from.isoformat()}" if self.known_from else ""
        return f"adequacy_instruments.csv:{self.instrument_id}{since}"


class MechanismRule(_Bitemporal):
    """When a kind of contract or derogation may be signed under a regime, and until when it holds."""

    code: MechanismCode
    regime: Regime
    instrument: str = Field(min_length=1)
    sign_from: _Day
    sign_to: _Day
    beneath: MechanismCode | Literal[""]  # needs this contract beneath it
    modules: _Yes  # whether a module must match the roles
    annexes: Literal["", "MODULE", "TABLES"]  # what must be filled: the module's annexes, or the tables of part 1
    assessment: _Yes  # whether it needs a transfer risk assessment
    approval: _Yes  # whether an authority must have approved it
    article_28: _Yes  # whether it brings processor terms of its own
    group: _Yes  # binds companies of one group only
    occasional: _Yes  # carries occasional transfers only
    note: str

    @cached_property
    def cite(self) -> str:
        since = f"@{self.known_from.isoformat()}" if self.known_from else ""
        return f"mechanism_rules.csv:{self.code}/{self.regime}{since}"


class CloudRegion(_Bitemporal):
    """What a provider's interface answers, the region it means, and the countries that region may be in."""

    provider: str = Field(min_length=1)
    observed: str  # empty: the interface answered nothing
    region: str = Field(min_length=1)
    countries: _Listed  # empty: no place (a global endpoint)
    pair: str  # region that geo-redundant storage copies to
    note: str

    @cached_property
    def cite(self) -> str:
        return f"cloud_regions.csv:{self.provider}/{self.observed or '(nothing)'}"


@dataclass(frozen=True, eq=False)
class Law:
    """The tables as they stood on one day, as known on one day: look-ups only."""

    on: date
    known: date
    _territories: Mapping[str, Territory]
    _homes: Mapping[tuple[str, Area], HomeArea]
    _instruments: Mapping[tuple[Regime, str], tuple[Instrument, ...]]
    _rules: Mapping[tuple[Regime, str], MechanismRule]

    def territory(self, code: str | None) -> Territory | None:
        """The place that ``code`` stands for, aliases followed (EL is GR, UK is GB); None when it is no known code."""
        if code is None:
            return None
        return self._territories.get(code) or self._territories.get(code.strip().upper())

    def membership(self, code: str, area: Area) -> HomeArea | None:
        """The row that puts ``code`` inside ``area``, or None."""
        return self._homes.get((code, area))

    def adequacy(self, regime: Regime, country: str) -> tuple[Instrument, ...]:
        """Rows of one regime about one country, those in force first."""
        return self._instruments.get((regime, country), ())

    def mechanism_rule(self, regime: Regime, code: str) -> MechanismRule | None:
        """The rule of one kind of mechanism under one regime, or None: no use there."""
        return self._rules.get((regime, code))


@dataclass(frozen=True, eq=False)
class Reference:
    """All tables. ``sha256`` is of the files' bytes; look-ups never ask the clock.

    Compared and hashed by identity: one reading of the files is one value.
    """

    version: str
    reviewed_on: date
    sha256: str
    territories: tuple[Territory, ...]
    home_areas: tuple[HomeArea, ...]
    instruments: tuple[Instrument, ...]
    mechanism_rules: tuple[MechanismRule, ...]
    cloud_regions: tuple[CloudRegion, ...]
    _laws: dict[tuple[date, date], Law] = field(default_factory=dict, init=False, repr=False)

    @property
    def rows(self) -> tuple[_Bitemporal, ...]:
        """Every row of every table."""
        return (
            *self.territories,
            *self.home_areas,
            *self.instruments,
            *self.mechanism_rules,
            *self.cloud_regions,
        )

    def age(self, on: date) -> int:
        """Days since a person last reviewed the tables, by their own word."""
        return (on - self.reviewed_on).days

    def law(self, on: date, known: date) -> Law:
        """The tables of one day, indexed once and kept for the next question about the same days."""
        found = self._laws.get((on, known))
        if found is None:
            if len(self._laws) >= _LAWS_KEPT:
                self._laws.clear()
            found = self._laws[on, known] = self._index(on, known)
        return found

    def _index(self, on: date, known: date) -> Law:
        listed = {t.code: t for t in self.territories if t.applies(on, known)}
        named = {code: listed.get(t.alias_of) if t.kind == "ALIAS" else t for code, t in listed.items()}
        homes = {(h.code, h.area): h for h in self.home_areas if h.applies(on, known)}
        by_country: dict[tuple[Regime, str], list[Instrument]] = {}
        for row in self.instruments:
            if not row.known_on(known):
                continue
            inside = [c for c, area in homes if area == "EEA"] if row.country == "EEA" else []
            for country in dict.fromkeys((row.country, *inside)):
                by_country.setdefault((row.regime, country), []).append(row)
        return Law(
            on,
            known,
            {code: t for code, t in named.items() if t is not None},
            homes,
            {
                key: tuple(sorted(rows, key=lambda i: (not i.valid(on), i.instrument_id)))
                for key, rows in by_country.items()
            },
            {(m.regime, m.code): m for m in self.mechanism_rules if m.known_on(known)},
        )

    @cached_property
    def _territory(self) -> Mapping[str, Territory]:
        return {t.code: t for t in self.territories if t.known_to is None}

    @cached_property
    def _region(self) -> Mapping[tuple[str, str], CloudRegion]:
        return {(r.provider, r.observed): r for r in self.cloud_regions if r.known_to is None}

    def territory(self, code: str | None) -> Territory | None:
        """As ``Law.territory``, by the newest knowledge and whatever the day: for reading what is written today."""
        found = self._territory.get((code or "").strip().upper())
        return self._territory.get(found.alias_of) if found and found.kind == "ALIAS" else found

    def region(self, provider: str, observed: str | None) -> CloudRegion | None:
        """What a provider's answer means, by the newest knowledge; nothing is S3's null, which is us-east-1."""
        return self._region.get((provider, observed or "")) or self._region.get(("any", observed or ""))

    def pair(self, provider: str, region: str) -> CloudRegion | None:
        """Where geo-redundant storage of a region copies to, or None: nowhere that is known."""
        found = self._region.get((provider, region))
        return self._region.get((provider, found.pair)) if found and found.pair else None


_LAWS_KEPT = 64
_R = TypeVar("_R", bound=_Row)


def _cells(path: Path, columns: Sequence[str]) -> Iterable[tuple[int, dict[str, str]]]:
    """Line number and cells of each row. Raises ConfigError about what is no such table."""

    def wrong(line: int, text: str) -> ConfigError:
        return ConfigError("a reference table is not valid", where=f"{path}, line {line}", do=text)

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError("a reference table cannot be read", where=str(path), do=str(error.strerror)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            "a reference table is not UTF-8", where=f"{path}, byte {error.start}", do="save it as UTF-8"
        ) from None
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = next(reader, [])
        if sorted(header) != sorted(columns):
            missing, unknown = sorted(set(columns) - set(header)), sorted(set(header) - set(columns))
            says = [f"add the column {c}" for c in missing] + [f"remove the column {c}" for c in unknown]
            raise wrong(1, "; ".join(says) or "a column stands twice")
        for cells in reader:
            if len(cells) != len(header):
                raise wrong(reader.line_num, f"it has {len(cells)} cells for {len(header)} columns")
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise wrong(reader.line_num, str(error)) from None


def _read(folder: Path, name: str, model: type[_R]) -> tuple[_R, ...]:
    path = folder / name
    rows: list[_R] = []
    wrong: list[str] = []
    columns = [c for c in model.model_fields if c != "line"]
    for number, raw in _cells(path, columns):
        try:
            rows.append(model.model_validate({**raw, "line": number}))
        except ValidationError as error:
            wrong += [f"line {number}, {'.'.join(map(str, e['loc'])) or 'row'}: {e['msg']}" for e in error.errors()]
    if not rows and not wrong:
        wrong.append("it has no rows")
    if wrong:
        raise ConfigError("a reference table is not valid", where=str(path), do="; ".join(wrong))
    return tuple(rows)


def _unknown_codes(reference: Reference) -> Iterable[str]:
    known = {t.code for t in reference.territories}
    for t in reference.territories:
        if (t.kind == "ALIAS") != bool(t.alias_of) or (t.alias_of and t.alias_of not in known):
            yield f"territories.csv line {t.line}: {t.code}: an alias, and only an alias, names a listed code"
    for h in reference.home_areas:
        if h.code not in known:
            yield f"home_areas.csv line {h.line}: {h.code} is not in territories.csv"
    instruments = {i.instrument_id for i in reference.instruments}
    for i in reference.instruments:
        at = f"adequacy_instruments.csv line {i.line}: {i.instrument_id}:"
        if i.country not in known:
            yield f"{at} {i.country} is not in territories.csv"
        if (i.regime == "EU") != bool(i.efta):
            yield f"{at} EU rows, and only they, say what efta is"
        if i.depends_on and (i.depends_on not in instruments or i.depends_on == i.instrument_id):
            yield f"{at} depends_on names no other instrument: {i.depends_on}"
    regions = {(r.provider, r.region) for r in reference.cloud_regions}
    for r in reference.cloud_regions:
        at = f"cloud_regions.csv line {r.line}: {r.provider} {r.region}:"
        for country in r.countries:
            if country not in known:
                yield f"{at} {country} is not in territories.csv"
        if r.pair and (r.provider, r.pair) not in regions:
            yield f"{at} its pair {r.pair} is not listed"


def _overlaps(reference: Reference) -> Iterable[str]:
    """Two rows that say something of one thing, on one day, by the knowledge of one day, would be a coin toss."""
    tables: tuple[tuple[str, Iterable[_Bitemporal], Callable[[Any], Hashable]], ...] = (
        ("territories.csv", reference.territories, lambda r: r.code),
        ("home_areas.csv", reference.home_areas, lambda r: (r.code, r.area)),
        ("mechanism_rules.csv", reference.mechanism_rules, lambda r: (r.code, r.regime)),
        ("cloud_regions.csv", reference.cloud_regions, lambda r: (r.provider, r.observed)),
    )
    for name, rows, key in tables:
        by_key: dict[Hashable, list[_Bitemporal]] = {}
        for row in rows:
            by_key.setdefault(key(row), []).append(row)
        for what, same in by_key.items():
            for one, other in itertools.combinations(same, 2):
                together = _meet(one.known_from, one.known_to, other.known_from, other.known_to)
                if together and _meet(one.valid_from, one.valid_to, other.valid_from, other.valid_to):
                    said = " ".join(filter(None, map(str, what))) if isinstance(what, tuple) else what
                    yield f"{name} lines {one.line} and {other.line}: {said} stands twice for the same days"
    by_id: dict[str, list[Instrument]] = {}
    for instrument in reference.instruments:
        by_id.setdefault(instrument.instrument_id, []).append(instrument)
    for name, states in by_id.items():
        for one, other in itertools.combinations(states, 2):
            if _meet(one.known_from, one.known_to, other.known_from, other.known_to):
                at = f"adequacy_instruments.csv lines {one.line} and {other.line}: {name}:"
                yield f"{at} two rows are known on the same day"


def _meet(a_from: date | None, a_to: date | None, b_from: date | None, b_to: date | None) -> bool:
    """Whether two spans of days share a day."""
    return (a_from or date.min) <= (b_to or date.max) and (b_from or date.min) <= (a_to or date.max)


_TABLES: Mapping[str, type[_Bitemporal]] = {
    "territories.csv": Territory,
    "home_areas.csv": HomeArea,
    "adequacy_instruments.csv": Instrument,
    "mechanism_rules.csv": MechanismRule,
    "cloud_regions.csv": CloudRegion,
}


def load(folder: Path) -> Reference:
    """Read and check ``include/reference``. Raises ConfigError naming file, line and reason."""
    manifest = folder / "reference.yaml"
    try:
        about = safe_yaml.load(manifest.read_text(encoding="utf-8"))
        version, reviewed_on = str(about["version"]), about["reviewed_on"]
        files = sorted(map(str, about["files"]))
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        raise ConfigError(
            "the reference data have no readable description",
            where=str(manifest),
            do="write version, reviewed_on (a date) and files",
        ) from None
    if type(reviewed_on) is not date:
        raise ConfigError("reviewed_on is not a date", where=str(manifest), do="write YYYY-MM-DD")
    if files != sorted(_TABLES):
        raise ConfigError("files names other tables", where=str(manifest), do=f"name {', '.join(_TABLES)}")
    tables: tuple[Any, ...] = tuple(_read(folder, name, model) for name, model in _TABLES.items())
    digest = hashlib.sha256()
    for name in files:
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes())
    reference = Reference(version, reviewed_on, digest.hexdigest(), *tables)
    if wrong := [*_unknown_codes(reference), *_overlaps(reference)]:
        raise ConfigError("the reference tables do not agree", where=str(folder), do="; ".join(wrong))
    return reference
