"""Periods of the export: ISO weeks in London, 4-4-5 blocks, ISO quarters and ISO years. Pure, no clock.

A quarter is weeks 01-13, 14-26, 27-39 and 40-52, or 40-53 in a year that has 53 (2026 has). Its blocks hold four, four
and five weeks; the last block of a long year holds six. So any two periods are nested or disjoint, which is what keeps
a reader from subtracting one from another: calendar months would cut weeks in two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from privacy_ops.errors import UserError
from privacy_ops.usage import weeks
from privacy_ops.usage.weeks import ZONE, Window

Kind = Literal["week", "block", "quarter", "year"]
KINDS: tuple[Kind, ...] = ("week", "block", "quarter", "year")  # from the finest
QUARTERS = (1, 2, 3, 4)
BLOCKS = (1, 2, 3)

_KEY = re.compile(r"(\d{4})(?:-W(\d{2})|-Q([1-4])(?:-B([1-3]))?)?")
_FIRST_WEEK = {1: 1, 2: 14, 3: 27, 4: 40}  # of each quarter
_BLOCK_STARTS = {1: 0, 2: 4, 3: 8}  # weeks of the quarter before each block


@dataclass(frozen=True, order=True)
class Period:
    """``weeks`` whole ISO weeks from ``monday`` on. Made by ``from_key`` and the functions below only.

    Ordered by its beginning, the shorter first.
    """

    monday: date
    weeks: int
    kind: Kind
    key: str  # 2026-W47, 2026-Q4-B2, 2026-Q4, 2026
    timezone: str = ZONE

    @property
    def start(self) -> datetime:
        """First instant, UTC."""
        return weeks.midnight(self.monday, self.timezone)

    @property
    def end(self) -> datetime:
        """First instant after it, UTC."""
        return weeks.midnight(self.monday + timedelta(weeks=self.weeks), self.timezone)

    @property
    def last_day(self) -> date:
        return self.monday + timedelta(weeks=self.weeks, days=-1)

    @property
    def iso_year(self) -> int:
        return self.monday.isocalendar().year

    @property
    def hours(self) -> int:
        """168 for each week, one less or more for each change of clocks in it."""
        return int((self.end - self.start) / timedelta(hours=1))

    def days(self) -> tuple[tuple[date, datetime, datetime], ...]:
        """Each London day with its begin and end in UTC."""
        return tuple(day for window in self.windows() for day in window.days())

    def windows(self) -> tuple[Window, ...]:
        """Its weeks, in order."""
        return tuple(Window(self.monday + timedelta(weeks=n), self.timezone) for n in range(self.weeks))

    def covers(self, other: Period) -> bool:
        """Whether every instant of ``other`` is in this period."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Period) -> bool:
        """Whether they share an instant."""
        return self.start < other.end and other.start < self.end


def from_key(key: str, timezone: str = ZONE) -> Period:
    """The period called ``key``. Raises UserError for one that does not exist."""
    match = _KEY.fullmatch(key)
    if match and "0001" <= match[1] < "9999":
        year = int(match[1])
        if match[2]:
            return of_week(weeks.from_key(key, timezone))
        if match[4]:
            return block(year, int(match[3]), int(match[4]), timezone)
        return quarter(year, int(match[3]), timezone) if match[3] else whole_year(year, timezone)
    raise UserError("there is no such period", where=key, do="write it like 2026-W47, 2026-Q4-B2, 2026-Q4 or 2026")


def in_words(key: str) -> str:
    """A period as people say it: ``week 47 of 2026``, ``part 2 of quarter 4 of 2026``. Raises UserError."""
    found = from_key(key)
    year = found.iso_year
    if found.kind == "week":
        return f"week {int(key[-2:])} of {year}"
    if found.kind == "block":
        return f"part {key[-1]} of quarter {key[-4]} of {year}"
    return f"quarter {key[-1]} of {year}" if found.kind == "quarter" else f"the year {year}"


def of_week(window: Window) -> Period:
    """A week as a period."""
    return Period(window.monday, 1, "week", window.key, window.timezone)


def block(year: int, number: int, part: int, timezone: str = ZONE) -> Period:
    """Block ``part`` (1 to 3) of quarter ``number``."""
    within = quarter(year, number, timezone)
    begins = _BLOCK_STARTS[part]
    length = _BLOCK_STARTS.get(part + 1, within.weeks) - begins
    return Period(within.monday + timedelta(weeks=begins), length, "block", f"{within.key}-B{part}", timezone)


def quarter(year: int, number: int, timezone: str = ZONE) -> Period:
    """Quarter ``number`` (1 to 4) of the ISO year."""
    first = _FIRST_WEEK[number]
    length = _FIRST_WEEK.get(number + 1, weeks_of(year) + 1) - first
    return Period(date.fromisocalendar(year, first, 1), length, "quarter", f"{year:04d}-Q{number}", timezone)


def whole_year(year: int, timezone: str = ZONE) -> Period:
    """The ISO year: from the Monday of week 01, which may lie in December, to the end of week 52 or 53."""
    return Period(date.fromisocalendar(year, 1, 1), weeks_of(year), "year", f"{year:04d}", timezone)


def weeks_of(year: int) -> int:
    """52 or 53: 28 December is always in the last week."""
    return date(year, 12, 28).isocalendar().week


def around(window: Window) -> tuple[Period, Period, Period, Period]:
    """The week, block, quarter and year that ``window`` is in, each within the next."""
    year, week, _ = window.monday.isocalendar()
    number = min((week - 1) // 13 + 1, 4)
    part = max(p for p, before in _BLOCK_STARTS.items() if week - _FIRST_WEEK[number] >= before)
    return (
        of_week(window),
        block(year, number, part, window.timezone),
        quarter(year, number, window.timezone),
        whole_year(year, window.timezone),
    )


def closing_with(window: Window) -> tuple[Period, ...]:
    """Periods that end when this week ends, the finest first: the week itself, and at times a block, quarter, year."""
    return tuple(period for period in around(window) if period.end == window.end)


def of_kind(window: Window, kind: Kind) -> Period:
    """The period of that kind that the week is in."""
    return around(window)[KINDS.index(kind)]


def previous_quarter(period: Period) -> Period:
    """The quarter before ``period``, which is a quarter."""
    if period.kind != "quarter":
        raise ValueError("only a quarter follows a quarter")
    return of_kind(Window(period.monday - timedelta(weeks=1), period.timezone), "quarter")


def within(period: Period, kind: Kind) -> Iterator[Period]:
    """Periods of that kind inside ``period``, in order; none when that kind is the coarser one."""
    if KINDS.index(kind) <= KINDS.index(period.kind):
        seen: set[str] = set()
        for window in period.windows():
            found = of_kind(window, kind)
            if found.key not in seen:
                seen.add(found.key)
                yield found
