"""What a written date of birth may mean: a set of intervals and the reasons to distrust it.

The quality rules come before any arithmetic on ages. A placeholder is no proof of adulthood, a form's default is
no proof of childhood, and a text that two conventions read differently keeps both readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal

from privacy_ops.minors.age import Interval, LeapRule, age_on

DayOrder = Literal["dmy", "mdy", "unknown"]


class Flag(StrEnum):
    """Why a value is unusable, or usable only with a person's judgement."""

    MISSING = "DOB_MISSING"  # DQ-01: empty or not a date
    DEFAULT = "DOB_DEFAULT"  # DQ-02: a placeholder such as 1900-01-01
    FUTURE = "DOB_FUTURE"  # DQ-03: after the day of judgement
    EQUALS_REGISTRATION = "DOB_EQ_REG"  # DQ-04: a date picker left untouched
    IMPLAUSIBLE_YOUNG = "DOB_IMPLAUSIBLE_YOUNG"  # DQ-05: too young to have registered
    IMPLAUSIBLE_OLD = "DOB_IMPLAUSIBLE_OLD"  # DQ-06: older than people get
    DAY_MONTH_AMBIGUOUS = "DOB_DM_AMBIG"  # DQ-08: both readings are kept
    YEAR_ONLY = "DOB_PARTIAL"  # DQ-02: a 1 January far too frequent in its source says the year at most
    SPREADSHEET_EPOCH = "DOB_EXCEL_EPOCH"  # DQ-09: the sheet may have counted its days from 1904
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"  # written in a way that is not read yet: counted, no case


@dataclass(frozen=True)
class Context:
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


# Days between the two date systems of spreadsheets (Microsoft Knowledge Base 214330).
EPOCH_SHIFT = timedelta(days=1462)

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_NUMERIC = re.compile(r"([0-9]{1,2})([/.\-])([0-9]{1,2})\2([0-9]{4})")
# Text that tries to be a date but in a form that is read later (years alone, months by name, two digits, …).
_LIKE_A_DATE = re.compile(r"[0-9]{2}")


def read(raw: str | date | None, context: Context) -> Readings:
    """The readings of ``raw``. Never raises for what people typed."""
    if raw is None:
        return Readings(flags=frozenset({Flag.MISSING}))
    if isinstance(raw, date):
        return _judge([raw], context)
    text = raw.strip()
    days = list(_days(text, context.order))
    if days:
        return _judge(days, context)
    if _ISO.fullmatch(text) or _NUMERIC.fullmatch(text) or not _LIKE_A_DATE.search(text):
        return Readings(flags=frozenset({Flag.MISSING}))  # 31 April, "n/a", blank
    return Readings(flags=frozenset({Flag.UNSUPPORTED_FORMAT}))


def _days(text: str, order: DayOrder) -> Iterator[date]:
    """The calendar days that a full date may mean; none when it is no full date."""
    if iso := _ISO.fullmatch(text):
        yield from _day(int(iso[1]), int(iso[2]), int(iso[3]))
    elif numeric := _NUMERIC.fullmatch(text):
        first, second, year = int(numeric[1]), int(numeric[3]), int(numeric[4])
        meanings = {
            "dmy": ((second, first),),
            "mdy": ((first, second),),
            "unknown": ((second, first), (first, second)),
        }[order]
        for month, day in dict.fromkeys(meanings):
            yield from _day(year, month, day)


def _day(year: int, month: int, day: int) -> Iterator[date]:
    try:
        yield date(year, month, day)
    except ValueError:
        return


def _judge(days: list[date], context: Context) -> Readings:
    """Drop the readings that a quality rule makes unusable and collect the flags."""
    flags = {Flag.DAY_MONTH_AMBIGUOUS} if len(days) > 1 else set()
    usable: list[Interval] = []
    for day in days:
        if reason := _unusable(day, context):
            flags.add(reason)
            continue
        if _too_young_to_register(day, context):
            flags.add(Flag.IMPLAUSIBLE_YOUNG)
        if day in context.year_only:
            flags.add(Flag.YEAR_ONLY)
            usable.append(Interval(day, day.replace(month=12, day=31)))
        else:
            usable.append(Interval.day(day))
    if usable and context.spreadsheet:
        flags.add(Flag.SPREADSHEET_EPOCH)
        usable += _other_epochs(usable, context)
    return Readings(tuple(sorted(usable)), frozenset(flags))


def _other_epochs(usable: list[Interval], context: Context) -> list[Interval]:
    """The same days counted from the other epoch, where that makes sense at all."""
    shifted = [interval.first + sign * EPOCH_SHIFT for interval in usable for sign in (-1, 1)]
    return [
        Interval.day(day)
        for day in shifted
        if _unusable(day, context) is None and not _too_young_to_register(day, context)
    ]


def _unusable(day: date, context: Context) -> Flag | None:
    if day in context.defaults:
        return Flag.DEFAULT
    if day > context.on:
        return Flag.FUTURE
    if any(abs(day - registered) <= timedelta(days=1) for registered in context.registered):
        return Flag.EQUALS_REGISTRATION
    if age_on(day, context.on, context.leap_rule) > context.max_age:
        return Flag.IMPLAUSIBLE_OLD
    return None


def _too_young_to_register(day: date, context: Context) -> bool:
    if context.min_age_at_registration is None or not context.registered:
        return False
    return age_on(day, min(context.registered), context.leap_rule) < context.min_age_at_registration
