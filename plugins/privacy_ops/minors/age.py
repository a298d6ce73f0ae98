"""Age algebra: how old somebody is on a civil date, and between which ages an uncertain birth date leaves them.

A person reaches an age at the start of the anniversary day (Family Law Reform Act 1969 s.9). A birthday on
29 February falls, in common years, on 1 March (rule ``MAR_1``, the protective reading) or on 28 February
(``FEB_28``). Instants become dates in the controller's legal time zone, never in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

LeapRule = Literal["MAR_1", "FEB_28"]


@dataclass(frozen=True, order=True)
class Interval:
    """A closed interval of possible birth dates. Raises ValueError when it ends before it begins."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("an interval of birth dates ends before it begins")

    @classmethod
    def day(cls, birth: date) -> Interval:
        return cls(birth, birth)


@lru_cache(maxsize=4096)  # what one person has often came at one instant
def civil_date(instant: datetime, timezone: str) -> date:
    """The calendar date that ``instant`` (aware) has in ``timezone``. Raises ValueError for a naive instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(ZoneInfo(timezone)).date()


def age_on(birth: date, on: date, leap_rule: LeapRule = "MAR_1") -> int:
    """Completed years on the date ``on``; negative before birth."""
    born = (birth.month, birth.day)
    if leap_rule == "FEB_28" and born == (2, 29) and not _is_leap(on.year):
        born = (2, 28)
    return on.year - birth.year - ((on.month, on.day) < born)


def birthday(birth: date, age: int, leap_rule: LeapRule = "MAR_1") -> date:
    """The first day on which somebody born on ``birth`` has reached ``age`` years."""
    year = birth.year + age
    if (birth.month, birth.day) == (2, 29) and not _is_leap(year):
        return date(year, 3, 1) if leap_rule == "MAR_1" else date(year, 2, 28)
    return birth.replace(year=year)


def age_range(birth: Interval, on: date, leap_rule: LeapRule = "MAR_1") -> tuple[int, int]:
    """The youngest and the oldest age that the interval allows on ``on``."""
    return age_on(birth.last, on, leap_rule), age_on(birth.first, on, leap_rule)


@lru_cache(maxsize=4096)
def born_when_aged(youngest: int, oldest: int, on: date, leap_rule: LeapRule = "MAR_1") -> Interval:
    """All birth dates of people who were ``youngest`` to ``oldest`` completed years old on the date ``on``.

    Somebody aged n on the day d was born after d - (n + 1) years and not after d - n years.
    """
    return Interval(_first_aged_at_most(oldest, on, leap_rule), _last_aged_at_least(youngest, on, leap_rule))


def _first_aged_at_most(age: int, on: date, leap_rule: LeapRule) -> date:
    day = _back(on, age + 1) - timedelta(days=2)
    while age_on(day, on, leap_rule) > age:
        day += timedelta(days=1)
    return day


def _last_aged_at_least(age: int, on: date, leap_rule: LeapRule) -> date:
    day = _back(on, age) + timedelta(days=5)  # beyond the end of any month
    while age_on(day, on, leap_rule) < age:
        day -= timedelta(days=1)
    return day


def _back(on: date, years: int) -> date:
    """About the same day so many years earlier, never before the calendar begins."""
    return date(max(on.year - years, 2), on.month, min(on.day, 28))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
