"""What a pack is made of: the seam between protecting figures and writing files.

A value that is not here cannot reach a file. The classes refuse what must never be written: a withheld value, a
zero, a count that is small or not rounded, a row twice. Nothing here knows true counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

Flag = Literal["published", "withheld"]
Value = int | str | None

FLAGS: tuple[Flag, ...] = ("published", "withheld")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _is_name(value: str) -> str:
    """Names become columns and file names, so they are plain. Raises ValueError."""
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a name: lower-case letters, digits and underscores")
    return value


@dataclass(frozen=True)
class Measure:
    """A figure of a cell: a rounded count of people, or a band out of ``bands``, in their order."""

    name: str
    kind: Literal["count", "band"]
    title: str
    description: str
    bands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _is_name(self.name)
        if (self.kind == "band") != bool(self.bands):
            raise ValueError(f"{self.name}: bands, and only bands, have a list of them")
        if len(set(self.bands)) != len(self.bands) or "" in self.bands:
            raise ValueError(f"{self.name}: a band is empty or named twice")
        if any(map(_DATE.fullmatch, self.bands)):
            raise ValueError(f"{self.name}: a spreadsheet may read a band as a date; write it like '5 to 15'")


@dataclass(frozen=True)
class Dimension:
    """A part of a row's key. ``label`` names the column of the public title beside it, if there is one.

    ``whole``: only where every person is in one value of it alone, so that their counts add up: what a row that stands
    for all of them has in its place (such a row need not be there).
    """

    name: str
    title: str
    description: str
    label: str | None = None
    whole: str | None = None

    def __post_init__(self) -> None:
        _is_name(self.name)
        if self.label is not None:
            _is_name(self.label)


@dataclass(frozen=True)
class TableSpec:
    """Columns and thresholds of one table. The first dimension is the period, written so that it sorts by time.

    ``min_people`` and ``round_to`` are the public rule of every count in it: no published one is below the rounded
    threshold, each is a multiple of the base.
    """

    name: str
    title: str
    description: str
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    min_people: int
    round_to: int

    def __post_init__(self) -> None:
        _is_name(self.name)
        if not self.dimensions or not self.measures:
            raise ValueError(f"{self.name}: a table has a period and a measure at least")
        if self.min_people < 1 or self.round_to < 1:
            raise ValueError(f"{self.name}: thresholds begin at 1")

    @property
    def least_count(self) -> int:
        """The smallest count that rounding can make of ``min_people`` or more."""
        return max((self.min_people + (self.round_to - 1) // 2) // self.round_to * self.round_to, self.round_to)


@dataclass(frozen=True)
class Row:
    """One protected cell. ``labels`` are aligned to the dimensions, ``values`` and ``flags`` to the measures.

    A withheld value is None: too few, none, and withheld to protect another look the same.
    """

    key: tuple[str, ...]
    labels: tuple[str | None, ...]
    values: tuple[Value, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Table:
    """Rows sorted by key, each key once."""

    spec: TableSpec
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            _check(self.spec, row)
        keys = [row.key for row in self.rows]
        if keys != sorted(set(keys)):
            raise ValueError(f"{self.spec.name}: rows are not sorted by key, or a key is there twice")

    @classmethod
    def of(cls, spec: TableSpec, rows: Iterable[Row]) -> Table:
        """The table of rows in any order. Raises ValueError for rows that may not be written."""
        return cls(spec, tuple(sorted(rows, key=lambda row: row.key)))

    @property
    def n_withheld(self) -> int:
        """Values that are withheld, over all rows and measures."""
        return sum(flag == "withheld" for row in self.rows for flag in row.flags)

    @property
    def n_values(self) -> int:
        return len(self.rows) * len(self.spec.measures)


def _check(spec: TableSpec, row: Row) -> None:
    """Raises ValueError, without the value, for a row that may not be written."""
    if len(row.key) != len(spec.dimensions) or not all(row.key):
        raise ValueError(f"{spec.name}: a row's key does not fit its dimensions, or is empty")
    if [label is None for label in row.labels] != [dimension.label is None for dimension in spec.dimensions]:
        raise ValueError(f"{spec.name}: a row's labels do not fit its dimensions")
    if not len(row.values) == len(row.flags) == len(spec.measures):
        raise ValueError(f"{spec.name}: a row's values do not fit its measures")
    for measure, value, flag in zip(spec.measures, row.values, row.flags, strict=True):
        if flag not in FLAGS or (flag == "withheld") != (value is None):
            raise ValueError(f"{spec.name}: {measure.name} is withheld and has a value, or is published without one")
        if value is not None and not fits(spec, measure, value):
            raise ValueError(f"{spec.name}: {measure.name} is small, not rounded or not one of its bands")


def fits(spec: TableSpec, measure: Measure, value: int | str) -> bool:
    """Whether a published value is one that this measure may show."""
    if measure.kind == "band":
        return value in measure.bands
    return type(value) is int and value >= spec.least_count and value % spec.round_to == 0


@dataclass(frozen=True)
class PackContent:
    """All that a pack says.

    ``history`` holds rows of other periods for the charts of the report: in tables of the pack, with the same specs, or
    in tables of its own (the weeks of a quarter). Its choice has to follow from the window and the spec, never from
    what happens to be released already, or the bytes depend on the order of a backfill.
    ``rules`` are the thresholds and the method in plain words, a sentence each. ``contact`` is where to ask, and to
    whom a suspected identification is reported. ``supersedes`` is the release that this one corrects.
    """

    release_id: str
    product: str
    recipient_name: str
    period_key: str
    first_day: date
    last_day: date
    spec_version: str
    method_version: str
    tables: tuple[Table, ...]
    rules: tuple[str, ...]
    contact: str
    history: tuple[Table, ...] = ()
    supersedes: str | None = None

    def __post_init__(self) -> None:
        specs = {table.spec.name: table.spec for table in self.tables}
        if not specs or len(specs) != len(self.tables):
            raise ValueError("a pack has no table, or one of them twice")
        if self.first_day > self.last_day:
            raise ValueError("the period ends before it begins")
        seen = {(table.spec.name, row.key) for table in self.tables for row in table.rows}
        for table in self.history:
            if specs.setdefault(table.spec.name, table.spec) != table.spec:
                raise ValueError("the history has a table whose columns are others than those of the pack's")
            keys = {(table.spec.name, row.key) for row in table.rows}
            if keys & seen:
                raise ValueError(f"{table.spec.name}: the history repeats a row")
            seen |= keys
