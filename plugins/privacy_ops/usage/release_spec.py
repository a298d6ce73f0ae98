"""The release specification: what the exports are, declared in ``include/release_spec.yaml`` and checked here.

Bytes of a release follow from its period and the version of its spec. Change ``METHOD`` with anything that changes
bytes without changing the file (columns, wording, order of steps).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from privacy_ops.disclosure.linked.rules import Bands, Rules
from privacy_ops.errors import ConfigError
from privacy_ops.usage.counting import LEVELS_OF, Table

METHOD = "usage-3"
Product = Literal["EXP-AUTHOR", "EXP-SUPPORTER"]
Part = Literal["course", "module", "country", "region"]
Profile = Literal["threshold", "differential_privacy"]
MeasureName = Literal["starters", "completers", "mean_minutes", "completion_share", "pass_share"]
BasePeriod = Literal["week", "block", "quarter"]

# What policy and accreditation rules keep from a product for good (SPEC 4.1), whatever the file says.
_NEVER: dict[Product, frozenset[Part]] = {
    "EXP-AUTHOR": frozenset(),
    "EXP-SUPPORTER": frozenset({"module", "country"}),
}
_QUARTERLY: frozenset[Table] = frozenset({"country_quarter", "region_quarter"})
_LEAST_PEOPLE, _LEAST_INSTITUTIONS, _LEAST_LIFETIME = 10, 3, 30
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


class ReleaseSpec(_Frozen):
    """The whole specification. ``spec_version`` names what it says and the method that carries it out."""

    version: Literal[1]
    dimensions: Dimensions
    measures: Measures
    thresholds: Thresholds
    base_period: BaseLimits
    audiences: dict[Product, Audience] = Field(min_length=1)

    @cached_property
    def spec_version(self) -> str:
        """For example ``usage-2.1f0c9a3e``: the same for the same content, however it is written down."""
        return f"{METHOD}.{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]}"

    @property
    def cap_seconds(self) -> int:
        """Seconds of one person, course and London day that are counted."""
        return self.measures.mean_minutes.cap_per_day * 60

    def tables(self) -> tuple[Table, ...]:
        """Every table that any audience gets: what the master has to hold."""
        return tuple(table for table in LEVELS_OF if any(table in a.tables for a in self.audiences.values()))

    def min_people(self, product: Product, table: Table) -> int:
        """Least people of a cell of that audience's table."""
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
        """No cell under two profiles: what one hides, the other would tell."""
        seen: dict[tuple[str, str], tuple[Profile, str]] = {}
        wrong: list[str] = []
        for product, audience in self.audiences.items():
            for table, given in audience.tables.items():
                for part in given.parts:
                    # A course whose base period is a quarter or less closes with it: the same people.
                    cell = ("quarter" if table != "region_year" and part == "course" else table, part)
                    profile, where = seen.setdefault(cell, (given.profile, f"{product}.{table}"))
                    if profile != given.profile:
                        wrong.append(
                            f"audiences.{product}.tables.{table}.profile: {where} has the same cells under {profile}"
                        )
        return wrong


def load(path: Path) -> ReleaseSpec:
    """Read a spec. Raises ConfigError naming file, line, field and what to do."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError("the release spec cannot be read", where=str(path), do=str(error.strerror)) from None
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        read = yaml.safe_load(text)
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
