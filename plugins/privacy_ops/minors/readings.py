"""What a written date of birth may mean: a set of intervals and the reasons to distrust it.

The quality rules come before any arithmetic on ages. A placeholder is no proof of adulthood, a form's default is
no proof of childhood, and a text that two conventions read differently keeps both readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from privacy_ops.datamap.plain_text import plain
from privacy_ops.minors.age import Interval, LeapRule, age_on
from privacy_ops.minors.written_dates import (
    EPOCH_SHIFT,
    LIKE_A_DATE,
    DayOrder,
    Meaning,
    Way,
    meanings,
    other_calendars,
    written_like_a_date,
)

__all__ = ["EPOCH_SHIFT", "Context", "DayOrder", "Flag", "Readings", "read"]


class Flag(StrEnum):
    """Why a value is unusable, or usable only with a person's judgement."""

    MISSING = "DOB_MISSING"  # DQ-01: empty or not a date
    DEFAULT = "DOB_DEFAULT"  # DQ-02: a placeholder such as 1900-01-01
    FUTURE = "DOB_FUTURE"  # DQ-03: after the day of judgement
    OTHER_CALENDAR = "DOB_OTHER_CALENDAR"  # DQ-03: read by another calendar, because ours makes no sense of it
    EQUALS_REGISTRATION = "DOB_EQ_REG"  # DQ-04: a date picker left untouched
    IMPLAUSIBLE_YOUNG = "DOB_IMPLAUSIBLE_YOUNG"  # DQ-05: too young to have registered
    IMPLAUSIBLE_OLD = "DOB_IMPLAUSIBLE_OLD"  # DQ-06: older than people get
    TWO_DIGIT_YEAR = "DOB_2DIGIT"  # DQ-07: this century or the last
    DAY_MONTH_AMBIGUOUS = "DOB_DM_AMBIG"  # DQ-08: both readings are kept
    SPREADSHEET_EPOCH = "DOB_EXCEL_EPOCH"  # DQ-09: the sheet may have counted its days from 1904
    TIME_ZONE_SHIFT = "DOB_TZ_SHIFT"  # DQ-10: an instant near midnight; both days are kept
    PARTIAL = "DOB_PARTIAL"  # DQ-11: a year, or a year and a month
    CONFLICT = "DOB_CONFLICT"  # DQ-12: two statements that cannot both be true
    INVALID_LEAP = "DOB_INVALID_LEAP"  # DQ-13: 29 February of a common year
    YEAR_ONLY = "DOB_DEFAULT_YEAR"  # DQ-02: a 1 January far too frequent in its source says the year at most
    SCHOOL_YEAR = "SCHOOL_YEAR"  # ages of a school year differ by country and by pupil
    CORRECTED = "DOB_CORRECTED"  # an earlier date that support corrected after a check: no evidence any more
    CHANGED = "DOB_CHANGED"  # an earlier date that differs from today's
    LINKED = "LINKED_TO_MINOR"  # another account of a confirmed minor
    BOUNDARY = "BOUNDARY"  # elsewhere on earth it is already, or still, the other side of the birthday
    DIED = "DIED"  # the person is recorded as having died: the privacy lead decides
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"  # written in a way that is not read: counted, no case


_FLAG_OF = {
    Way.TWO_DIGIT_YEAR: Flag.TWO_DIGIT_YEAR,
    Way.SWAPPABLE: Flag.DAY_MONTH_AMBIGUOUS,
    Way.SERIAL: Flag.SPREADSHEET_EPOCH,
    Way.SHIFTED: Flag.TIME_ZONE_SHIFT,
    Way.PARTIAL: Flag.PARTIAL,
    Way.NO_LEAP_DAY: Flag.INVALID_LEAP,
    Way.OTHER_CALENDAR: Flag.OTHER_CALENDAR,
}


class Context(NamedTuple):
    """What is known about where a value stood.

    on: civil date of judgement. registered: civil dates on which the account or row came into being.
    defaults: dates that stand for "nobody entered one" in this source. year_only: first days of a year that are far
    too frequent in it; only their year is believed. order: of day and month in text.
    min_age_at_registration: None waives DQ-05 (accompanying children are real).
    spreadsheet: the value came through one, whose days may count from 1900 or from 1904.
    """

    on: date
    registered: tuple[date, ...] = ()
    defaults: frozenset[date] = frozenset()
    year_only: frozenset[date] = frozenset()
    order: DayOrder = "unknown"
    min_age_at_registration: int | None = 8
    max_age: int = 110
    spreadsheet: bool = False
    leap_rule: LeapRule = "MAR_1"


@dataclass(frozen=True)
class Readings:
    """Every usable meaning of one value, and its flags. No interval means no evidence either way."""

    intervals: tuple[Interval, ...] = ()
    flags: frozenset[Flag] = frozenset()

    @property
    def usable(self) -> bool:
        return bool(self.intervals)


def read(raw: str | date | None, context: Context) -> Readings:
    """The readings of ``raw``. Never raises for what people typed."""
    if raw is None:
        return Readings(flags=frozenset({Flag.MISSING}))
    if isinstance(raw, date):
        return _judge([Meaning(Interval.day(raw))], context)
    text = plain(raw)
    if found := meanings(text, context.order):
        return _judge(found, context)
    if written_like_a_date(text) or not LIKE_A_DATE.search(text):
        return Readings(flags=frozenset({Flag.MISSING}))  # 31 April, "n/a", blank
    return Readings(flags=frozenset({Flag.UNSUPPORTED_FORMAT}))


def _judge(found: Sequence[Meaning], context: Context) -> Readings:
    """Drop the readings that a quality rule makes unusable and collect the flags."""
    if len(found) == 1 and (plain := _plain(found[0], context)):
        return plain
    flags: set[Flag] = set()
    usable: list[Interval] = []
    refused: list[Interval] = []
    for meaning in found:
        flags |= {_FLAG_OF[way] for way in meaning.ways}
        interval = _until_today(meaning.interval, context)
        if reason := _unusable(interval, context):
            flags.add(reason)
            if reason in {Flag.FUTURE, Flag.IMPLAUSIBLE_OLD} and Way.TWO_DIGIT_YEAR not in meaning.ways:
                refused.append(interval)
            continue
        usable += _accept(interval, context, flags)
    if not usable and refused:
        usable += _by_other_calendars(refused, context, flags)
    if usable and context.spreadsheet and Flag.SPREADSHEET_EPOCH not in flags:
        flags.add(Flag.SPREADSHEET_EPOCH)
        usable += _other_epochs(usable, context)
    return Readings(tuple(sorted(set(usable))), frozenset(flags))


def _plain(meaning: Meaning, context: Context) -> Readings | None:
    """One day and nothing to say against it, as most are; None otherwise."""
    interval = meaning.interval
    if meaning.ways or context.spreadsheet or interval.first in context.year_only or not _one_day(interval):
        return None
    if _unusable(interval, context) or _too_young_to_register(interval, context):
        return None
    return Readings((interval,))


def _accept(interval: Interval, context: Context, flags: set[Flag]) -> Iterator[Interval]:
    """A usable interval, with the flags that take it from the machine."""
    if _too_young_to_register(interval, context):
        flags.add(Flag.IMPLAUSIBLE_YOUNG)
    if interval.first == interval.last and interval.first in context.year_only:
        flags.add(Flag.YEAR_ONLY)
        yield _until_today(Interval(interval.first, interval.first.replace(month=12, day=31)), context)
    else:
        yield interval


def _by_other_calendars(refused: Iterable[Interval], context: Context, flags: set[Flag]) -> Iterator[Interval]:
    for interval in refused:
        for meant in other_calendars(interval.first.year, interval.first.month, interval.first.day):
            if _unusable(meant, context) is None:
                flags.add(Flag.OTHER_CALENDAR)
                yield from _accept(meant, context, flags)


def _other_epochs(usable: list[Interval], context: Context) -> list[Interval]:
    """The same days counted from the other epoch, where that makes sense at all."""
    shifted = [interval.first + sign * EPOCH_SHIFT for interval in usable if _one_day(interval) for sign in (-1, 1)]
    return [
        interval
        for interval in map(Interval.day, shifted)
        if _unusable(interval, context) is None and not _too_young_to_register(interval, context)
    ]


def _unusable(interval: Interval, context: Context) -> Flag | None:
    if _one_day(interval) and interval.first in context.defaults:
        return Flag.DEFAULT
    if interval.first > context.on:
        return Flag.FUTURE
    near = timedelta(days=1)
    if _one_day(interval) and any(abs(interval.first - registered) <= near for registered in context.registered):
        return Flag.EQUALS_REGISTRATION
    if age_on(interval.last, context.on, context.leap_rule) > context.max_age:
        return Flag.IMPLAUSIBLE_OLD
    return None


def _too_young_to_register(interval: Interval, context: Context) -> bool:
    """Whether any birth date in the interval would mean a registration in early childhood."""
    if context.min_age_at_registration is None or not context.registered:
        return False
    return age_on(interval.last, min(context.registered), context.leap_rule) < context.min_age_at_registration


def _until_today(interval: Interval, context: Context) -> Interval:
    """Nobody is born after the day of judgement: an interval that has begun ends there."""
    if interval.first <= context.on < interval.last:
        return Interval(interval.first, context.on)
    return interval


def _one_day(interval: Interval) -> bool:
    return interval.first == interval.last
