"""What a gate checks, as code: a suite of checks, each one expectation in plain words.

A suite that could pass without having looked at anything is refused when it is made: no checks at all,
or no critical check that rows are there (most expectations hold on an empty table).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from privacy_ops.errors import ConfigError

Severity = Literal["critical", "warning"]
Mode = Literal["metrics", "native"]


@dataclass(frozen=True)
class Check:
    """One expectation. ``critical`` blocks when it fails, ``warning`` warns; one that errs always blocks."""

    id: str
    title: str
    expectation: str
    kwargs: Mapping[str, object]
    severity: Severity = "critical"
    do: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the expectation reads."""
        named = [self.kwargs[k] for k in ("column", "column_A", "column_B") if k in self.kwargs]
        listed = self.kwargs.get("column_list", ())
        return tuple(map(str, [*named, *(listed if isinstance(listed, list | tuple) else ())]))

    @property
    def proves_rows(self) -> bool:
        """Whether it fails on an empty table."""
        if self.severity != "critical":
            return False
        if self.expectation == "ExpectTableRowCountToEqual":
            return _at_least_one(self.kwargs.get("value"))
        if self.expectation == "ExpectTableRowCountToBeBetween":
            return _at_least_one(self.kwargs.get("min_value"))
        return False


def _at_least_one(value: object) -> bool:
    return isinstance(value, int) and value >= 1


@dataclass(frozen=True)
class Suite:
    """The checks of one gate. Raises ConfigError when made without substance.

    ``mode`` says what is judged. ``metrics``: one row of numbers from one aggregate query; its numbers may
    be shown, and a NULL that a check reads blocks. ``native``: a small frozen table; only counts are shown.
    """

    gate: str
    title: str
    checks: tuple[Check, ...]
    runbook: str = ""
    mode: Mode = "metrics"

    def __post_init__(self) -> None:
        where = f"gate {self.gate}"
        if not self.checks:
            raise ConfigError("the suite has no checks", where=where, do="an empty suite would always pass")
        twice = sorted(i for i, n in Counter(c.id for c in self.checks).items() if n > 1)
        if twice:
            raise ConfigError(f"check ids are used twice: {', '.join(twice)}", where=where, do="give each its own")
        if not any(check.proves_rows for check in self.checks):
            raise ConfigError(
                "no critical check says how many rows there must be",
                where=where,
                do="add ExpectTableRowCountToEqual (1 for a metrics row), or ToBeBetween with min_value ≥ 1",
            )


def one_row() -> Check:
    """The metrics row is there: the check that keeps a metrics suite from passing on nothing."""
    return Check("ROWS", "The figures were gathered", "ExpectTableRowCountToEqual", {"value": 1})


def at_most(
    check_id: str, title: str, column: str, limit: float, *, severity: Severity = "critical", do: str = ""
) -> Check:
    """The figure ``column`` of a metrics row is at most ``limit``."""
    kwargs = {"column": column, "max_value": limit}
    return Check(check_id, title, "ExpectColumnMaxToBeBetween", kwargs, severity, do)


def at_least(
    check_id: str, title: str, column: str, limit: float, *, severity: Severity = "critical", do: str = ""
) -> Check:
    """The figure ``column`` of a metrics row is at least ``limit``."""
    kwargs = {"column": column, "min_value": limit}
    return Check(check_id, title, "ExpectColumnMinToBeBetween", kwargs, severity, do)
