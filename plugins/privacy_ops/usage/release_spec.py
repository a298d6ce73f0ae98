"""The release specification: what the exports are, declared in ``include/release_spec.yaml`` and checked here.

Bytes of a release follow from its period and the version of its spec. Change ``METHOD`` with anything that changes
bytes without changing the file (columns, wording, order of steps).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from privacy_ops import safe_yaml
from privacy_ops.disclosure.linked.rules import Bands, Rules
from privacy_ops.errors import ConfigError
from privacy_ops.usage.counting import LEVELS_OF, Table
from privacy_ops.usage.periods import Kind

METHOD = "usage-3"
Product = Literal["EXP-AUTHOR", "EXP-SUPPORTER"]
Part = Literal["course", "module", "country", "region"]
Profile = Literal["threshold", "differential_privacy"]
MeasureName = Literal["starters", "completers", "mean_minutes", "completion_share", "pass_share"]
BasePeriod = Literal["week", "block", "quarter"]

# What policy and accreditation rules keep from a product for good, whatever the file says.
_NEVER: dict[Product, frozenset[Part]] = {
    "EXP-AUTHOR": frozenset(),
    "EXP-SUPPORTER": frozenset({"module", "country"}),
}
_QUARTERLY: frozenset[Table] = frozenset({"country_quarter", "region_quarter"})
_LEAST_PEOPLE, _LEAST_INSTITUTIONS, _LEAST_LIFETIME = 10, 3, 30
# Parts whose counts add up to one another: a region is its countries, a course its regions, at any time.
_FAMILY: dict[Part, str] = {"course": "place", "region": "place", "country": "place", "module": "module"}
_DRAWN: dict[Table, Kind] = {
    "period": "week",
    "country_quarter": "quarter",
    "region_quarter": "quarter",
    "region_year": "year",
}
_MOST_DRAWS: dict[Kind, int] = {"week": 53, "block": 12, "quarter": 4, "year": 1}  # in a long year
_EDGES = (5, 95)  # of shares: what is outside says something about nearly everybody


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dimensions(_Frozen):
    """Hierarchies from the finest level up. Fixed: other levels need other statements."""

    course: tuple[Literal["module"], Literal["course"]]
    place: tuple[Literal["country"], Literal["region"], Literal["all"]]
    time: tuple[Literal["week"], Literal["block"], Literal["quarter"], Literal["year"]]


class Count(_Frozen):
    kind: Literal["count"]


class Mean(_Frozen):
    """Mean minutes of the people of a cell, as a band; the last band is open."""

    kind: Literal["mean"]
    bands: tuple[int, ...] = Field(min_length=2)
    cap_per_day: int = Field(ge=1, le=1440, description="minutes of one person, course and London day")

    @model_validator(mode="after")
    def _rise_from_zero(self) -> Self:
        if self.bands[0] != 0 or list(self.bands) != sorted(set(self.bands)):
            raise ValueError("bands of minutes begin at 0 and rise")
        return self


class Share(_Frozen):
    """Share of a quarterly start cohort in per cent, as a band; below the first edge and from ``top`` never shown."""

    kind: Literal["share"]
    bands: tuple[int, ...] = Field(min_length=2)
    top: int

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if [*self.bands, self.top] != sorted({*self.bands, self.top}):
            raise ValueError("bands of a share rise up to its top")
        if self.bands[0] < _EDGES[0] or self.top > _EDGES[1]:
            raise ValueError(f"a share below {_EDGES[0]} or above {_EDGES[1]} per cent is never shown")
        return self


class Measures(_Frozen):
    starters: Count
    completers: Count
    mean_minutes: Mean
    completion_share: Share
    pass_share: Share

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        if (self.completion_share.bands, self.completion_share.top) != (self.pass_share.bands, self.pass_share.top):
            raise ValueError("both shares have the same bands")
        return self


class Thresholds(_Frozen):
    """Primary rules of the master. Shares in per cent."""

    min_people: int = Field(ge=_LEAST_PEOPLE)
    round_to: int = Field(ge=3)
    min_institutions: int = Field(ge=_LEAST_INSTITUTIONS)
    max_institution_share: int = Field(gt=0, le=70)
    dominance_share: int = Field(gt=0, le=90)
    p_ratio: int = Field(ge=10, le=100)
    protect_share: int = Field(ge=20, le=100)
    lifetime_min_learners: int = Field(ge=_LEAST_LIFETIME)

    @model_validator(mode="after")
    def _rounding_fits(self) -> Self:
        if self.round_to % 2 == 0:
            raise ValueError("an even round_to has ties; take an odd one")
        if self.min_people % self.round_to:
            raise ValueError("min_people must be a multiple of round_to, or rounding could pass below it")
        return self


class BaseLimits(_Frozen):
    """Starters of a course in a quarter from which it has blocks, and weeks, in the next."""

    week_from: int = Field(ge=1)
    block_from: int = Field(ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.block_from >= self.week_from:
            raise ValueError("weeks need more starters than blocks: block_from below week_from")
        return self

    def of(self, starters: int, round_to: int) -> BasePeriod:
        """Base period after a quarter with so many starters.

        Decided on the rounded number, the one that a reader may know: on the true one, the choice would tell on
        which side of a limit it lies within its rounding interval.
        """
        known = (starters + (round_to - 1) // 2) // round_to * round_to
        return "week" if known >= self.week_from else "block" if known >= self.block_from else "quarter"


class AudienceTable(_Frozen):
    """What an audience gets of a table. ``min_people`` stricter than the master's means a nested mask."""

    parts: tuple[Part, ...] = Field(min_length=1)
    measures: tuple[MeasureName, ...] = Field(min_length=1)
    min_people: int | None = None
    profile: Profile = "threshold"

    @model_validator(mode="after")
    def _once(self) -> Self:
        for named in (self.parts, self.measures):
            if len(set(named)) != len(named):
                raise ValueError("something stands twice")
        return self


class Audience(_Frozen):
    min_institutions: int
    tables: dict[Table, AudienceTable] = Field(min_length=1)


class DifferentialPrivacy(_Frozen):
    """The second profile: noisy counts of every public key. One draw per period, over all courses and tables of it.

    ``rho``: what a draw costs each person (zCDP), by kind of period; ``rho_per_year``: what all draws of a year may
    cost together. ``cells_per_person``: counts that one person may add to in a draw. ``least_shown``: noisy counts
    below are withheld; it looks at nothing but the noisy count.
    """

    rho: dict[Literal["week", "quarter", "year"], Decimal] = Field(min_length=1)
    rho_per_year: Decimal = Field(gt=0, le=1)
    cells_per_person: int = Field(ge=1, le=20)
    least_shown: int = Field(ge=_LEAST_PEOPLE)

    @field_validator("rho", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        """``0.0147`` is 147 of 10,000, not the nearest binary fraction."""
        return {k: str(v) for k, v in value.items()} if isinstance(value, dict) else value

    @field_validator("rho_per_year", mode="before")
    @classmethod
    def _year_as_written(cls, value: object) -> object:
        return str(value)

    @model_validator(mode="after")
    def _cost(self) -> Self:
        if any(rho <= 0 for rho in self.rho.values()):
            raise ValueError("a draw costs more than nothing")
        return self


class ReleaseSpec(_Frozen):
    """The whole specification. ``spec_version`` names what it says and the method that carries it out."""

    version: Literal[1]
    dimensions: Dimensions
    measures: Measures
    thresholds: Thresholds
    base_period: BaseLimits
    audiences: dict[Product, Audience] = Field(min_length=1)
    differential_privacy: DifferentialPrivacy | None = None

    @cached_property
    def spec_version(self) -> str:
        """For example ``usage-2.1f0c9a3e``: the same for the same content, however it is written down."""
        return f"{METHOD}.{hashlib.sha256(self._said().encode()).hexdigest()[:8]}"

    def _said(self) -> str:
        """What it says, as text. A spec without the second profile reads as it did before there was one."""
        return self.model_dump_json(exclude=None if self.differential_privacy else {"differential_privacy"})

    @property
    def cap_seconds(self) -> int:
        """Seconds of one person, course and London day that are counted."""
        return self.measures.mean_minutes.cap_per_day * 60

    def tables(self) -> tuple[Table, ...]:
        """Every table that any audience gets: what the master has to hold."""
        return tuple(table for table in LEVELS_OF if any(table in a.tables for a in self.audiences.values()))

    def closing(
        self, product: Product, kind: Kind, due: Collection[Table], profile: Profile | None = None
    ) -> set[Table]:
        """Tables that an audience has of a course whose period of that kind closes; those of one profile, if named.

        ``due``: those that the course has by its base period. Noisy tables know none: it follows from true counts.
        """
        tables = self.audiences[product].tables if product in self.audiences else {}
        return {
            name
            for name, table in tables.items()
            if profile in {None, table.profile}
            and (name in due if table.profile == "threshold" else self.draws(kind, name))
        }

    def drawn(self, kind: Kind) -> dict[tuple[Product, Table], AudienceTable]:
        """Tables with noisy counts that close with a period of that kind."""
        return {
            (product, name): table
            for product, audience in self.audiences.items()
            for name, table in audience.tables.items()
            if table.profile == "differential_privacy" and self.draws(kind, name)
        }

    @staticmethod
    def draws(kind: Kind, table: Table) -> bool:
        """Whether a table with noisy counts closes with a period of that kind: by week, whatever a course's size."""
        return _DRAWN[table] == kind

    def min_people(self, product: Product, table: Table) -> int:
        """Least people of a cell of that audience's table; of a noisy one, the least count that is shown."""
        if self.differential_privacy and self.audiences[product].tables[table].profile == "differential_privacy":
            return self.differential_privacy.least_shown
        return self.audiences[product].tables[table].min_people or self.thresholds.min_people

    def rules(self, product: Product | None = None, table: Table | None = None) -> Rules:
        """Rules that the protection takes: the master's, or the stricter ones of an audience's table."""
        found, shares = self.thresholds, self.measures.completion_share
        return Rules(
            min_people=self.min_people(product, table) if product and table else found.min_people,
            round_to=found.round_to,
            min_institutions=self.audiences[product].min_institutions if product else found.min_institutions,
            max_institution_share=Fraction(found.max_institution_share, 100),
            dominance_share=Fraction(found.dominance_share, 100),
            p_ratio=Fraction(found.p_ratio, 100),
            protect_share=Fraction(found.protect_share, 100),
            share_bands=Bands(shares.bands, top=shares.top),
            amount_bands=Bands(self.measures.mean_minutes.bands),
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        wrong: list[str] = []
        for product, audience in self.audiences.items():
            where = f"audiences.{product}"
            if audience.min_institutions < self.thresholds.min_institutions:
                wrong.append(f"{where}.min_institutions: no audience may have less than the master")
            for table, given in audience.tables.items():
                wrong += [f"{where}.tables.{table}.{said}" for said in self._table(product, table, given)]
        wrong += self._profiles()
        wrong += self._budget()
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _table(self, product: Product, table: Table, given: AudienceTable) -> list[str]:
        wrong = [f"parts: {table} has no cells by {part}" for part in given.parts if part not in LEVELS_OF[table]]
        wrong += [f"parts: {product} never shows anything by {part}" for part in given.parts if part in _NEVER[product]]
        for name in given.measures:
            if getattr(self.measures, name).kind == "share" and table not in _QUARTERLY:
                wrong.append(f"measures: {name} is of quarterly start cohorts, which {table} does not have")
        if given.min_people is not None:
            if given.min_people < self.thresholds.min_people:
                wrong.append("min_people: no audience may have less than the master")
            if given.min_people % self.thresholds.round_to:
                wrong.append("min_people: must be a multiple of round_to")
        return wrong

    def _profiles(self) -> list[str]:
        """No cell under two profiles, nor cells that add up to one another: what one hides, the other would tell."""
        seen: dict[str, tuple[Profile, str]] = {}
        wrong: list[str] = []
        for product, audience in self.audiences.items():
            for table, given in audience.tables.items():
                for part in given.parts:
                    profile, where = seen.setdefault(_FAMILY[part], (given.profile, f"{product}.{table}"))
                    if profile != given.profile:
                        wrong.append(
                            f"audiences.{product}.tables.{table}.profile: {where} has the same cells, or cells that add"
                            f" up to them, under {profile}"
                        )
        return wrong

    def _budget(self) -> list[str]:
        """Noise needs its numbers, tables that it can serve, and a budget that lasts to the end of a long year."""
        kinds: set[Kind] = set()
        wrong: list[str] = []
        for product, audience in self.audiences.items():
            for table, given in audience.tables.items():
                if given.profile != "differential_privacy":
                    continue
                where = f"audiences.{product}.tables.{table}"
                kinds.add(_DRAWN[table])
                if other := [m for m in given.measures if getattr(self.measures, m).kind != "count"]:
                    wrong.append(f"{where}.measures: {', '.join(other)} cannot be drawn, only counts can")
                if given.min_people is not None:
                    wrong.append(f"{where}.min_people: noisy counts have differential_privacy.least_shown")
        found = self.differential_privacy
        if found is None:
            return [*wrong, "differential_privacy: missing, and some tables have this profile"] if kinds else wrong
        if missing := sorted(kinds - set(found.rho)):
            return [*wrong, f"differential_privacy.rho: {', '.join(missing)} missing, and some tables are drawn then"]
        if unused := sorted(set(found.rho) - kinds):
            wrong.append(f"differential_privacy.rho: no table is drawn by {', '.join(unused)}")
        if found.least_shown % self.thresholds.round_to:
            wrong.append("differential_privacy.least_shown: must be a multiple of round_to")
        year = sum((_MOST_DRAWS[kind] * rho for kind, rho in found.rho.items()), Decimal(0))
        if year > found.rho_per_year:
            wrong.append(f"differential_privacy.rho: a year of 53 weeks would cost {year}, more than rho_per_year")
        return wrong


def load(path: Path) -> ReleaseSpec:
    """Read a spec. Raises ConfigError naming file, line, field and what to do."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError("the release spec cannot be read", where=str(path), do=str(error.strerror)) from None
    try:
        tree = yaml.compose(text, Loader=safe_yaml.SafeLoader)
        read = safe_yaml.load(text)
    except yaml.YAMLError as error:
        raise ConfigError("the release spec is not valid YAML", where=str(path), do=str(error)) from None
    if twice := _twice(tree):
        raise ConfigError("the release spec says something twice", where=str(path), do="; ".join(twice))
    try:
        return ReleaseSpec.model_validate(read)
    except ValidationError as error:
        wrong = "; ".join(
            f"line {_line(tree, found['loc'])}, {'.'.join(map(str, found['loc'])) or 'spec'}: "
            + found["msg"].removeprefix("Value error, ")
            for found in error.errors()
        )
        raise ConfigError("the release spec is not valid", where=str(path), do=f"correct it: {wrong}") from None


def _line(node: yaml.Node | None, steps: Sequence[int | str]) -> int:
    """Line of the deepest entry on the way to a field that is there."""
    line = node.start_mark.line + 1 if node else 1
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _twice(node: yaml.Node | None) -> list[str]:
    """Keys that stand twice in one mapping: the later one would silently win."""
    if isinstance(node, yaml.SequenceNode):
        return [said for item in node.value for said in _twice(item)]
    if not isinstance(node, yaml.MappingNode):
        return []
    wrong: list[str] = []
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            wrong.append(f"line {key.start_mark.line + 1}: {key.value}")
        seen.add(key.value)
        wrong += _twice(value)
    return wrong
