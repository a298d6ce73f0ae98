"""Countries and the world regions they lie in: a public reference, so that the rows of a table never depend on data.

``include/reference/world_regions.csv`` has one row for each ISO code, with its region in UN M49, and one for each
spelling of a code that the EU uses. Whoever gives no country, or one that is not in it, is counted under ``NOT_KNOWN``:
a class of its own, public as the others are. It is in every table, so that totals close, but never shown by itself:
what cannot be said of a group of people is also what sets it apart.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from privacy_ops.errors import ConfigError

NOT_KNOWN = "ZZ"  # ISO 3166 leaves this code to its users
NOT_KNOWN_NAME = "not known"
FILE = "world_regions.csv"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    name: Annotated[str, Field(min_length=1)]
    region: Annotated[str, Field(min_length=1)]
    m49: Annotated[str, Field(pattern=r"^\d{3}$")]
    source: Annotated[str, Field(min_length=1)]
    as_of: date


@dataclass(frozen=True, order=True)
class Country:
    """A country with the region it lies in."""

    code: str
    name: str
    region: str

    @property
    def shown_alone(self) -> bool:
        """Whether a file may have a row for it."""
        return self.code != NOT_KNOWN


@dataclass(frozen=True)
class Places:
    """The whole reference. ``countries`` in order of their codes, with the class of those not known."""

    countries: tuple[Country, ...]
    spellings: tuple[tuple[str, str], ...]  # code as it may be written, code of the country

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Every region once, in order of their names, the class of those not known last."""
        return (*sorted({c.region for c in self.countries if c.shown_alone}), NOT_KNOWN_NAME)

    @cached_property
    def _by_code(self) -> Mapping[str, Country]:
        return {country.code: country for country in self.countries}

    @cached_property
    def _by_spelling(self) -> Mapping[str, str]:
        return dict(self.spellings)

    def country(self, written: str | None) -> Country:
        """The country that a code stands for, whatever its case; the class of those not known for anything else."""
        return self._by_code[self._by_spelling.get((written or "").strip().upper(), NOT_KNOWN)]

    def region_of(self, country: str) -> str:
        """Region of a country of the reference. Raises KeyError for another code."""
        return self._by_code[country].region


def load(folder: Path) -> Places:
    """Read the reference below ``include/reference``. Raises ConfigError naming file, line and field."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError("the world regions cannot be read", where=str(path), do=str(error.strerror)) from None
    rows: list[_Row] = []
    wrong: list[str] = []
    for number, raw in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            rows.append(_Row.model_validate(raw))
        except ValidationError as error:
            wrong += [f"line {number}, {'.'.join(map(str, e['loc'])) or 'row'}: {e['msg']}" for e in error.errors()]
    own = {row.code for row in rows if row.code == row.country}
    wrong += [f"{row.code}: its country {row.country} has no row of its own" for row in rows if row.country not in own]
    wrong += [f"{NOT_KNOWN} stands for countries not known" for row in rows if NOT_KNOWN in {row.code, row.country}]
    codes = [row.code for row in rows]
    wrong += [f"{code} stands twice" for code in sorted({c for c in codes if codes.count(c) > 1})]
    if not rows and not wrong:
        wrong.append("it has no rows")
    if wrong:
        raise ConfigError("the world regions are not valid", where=str(path), do="; ".join(wrong))
    found = [Country(row.code, row.name, row.region) for row in rows if row.code == row.country]
    unknown = Country(NOT_KNOWN, NOT_KNOWN_NAME, NOT_KNOWN_NAME)
    return Places((*sorted(found), unknown), tuple(sorted((row.code, row.country) for row in rows)))
