"""From what is on record about one subject to a class of case. Facts only: no score, no guess.

Under the age of 18 means strictly less than 18 (policy section 10). Only the person's own structured statement can
confirm, only when every usable reading agrees, and only when nothing speaks against it; the rest is for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from privacy_ops.minors.age import Interval, LeapRule, age_range, birthday
from privacy_ops.minors.readings import Flag, Readings


class CaseClass(StrEnum):
    """What a subject is judged to be at the instant of discovery."""

    CONFIRMED_MINOR = "CONFIRMED_MINOR"
    CONFIRMED_PENDING_COUNTER = "CONFIRMED_PENDING_COUNTER"  # something speaks against it: one reviewer
    SUSPECTED_MINOR = "SUSPECTED_MINOR"
    INDETERMINATE = "INDETERMINATE"  # one statement that may mean either side of 18
    DOB_UNUSABLE = "DOB_UNUSABLE"
    ADULT = "ADULT"
    NO_EVIDENCE = "NO_EVIDENCE"


# Classes that open a case, and those whose person is restricted at once (every signal here is a self-statement).
OPENS_CASE = frozenset({
    CaseClass.CONFIRMED_MINOR,
    CaseClass.CONFIRMED_PENDING_COUNTER,
    CaseClass.SUSPECTED_MINOR,
    CaseClass.INDETERMINATE,
})
RESTRICTS = OPENS_CASE
# What a class reads when the subject's open case stands on other evidence than today's: a person decides.
REOPENED_AS = CaseClass.SUSPECTED_MINOR

_UNUSABLE = frozenset({Flag.DEFAULT, Flag.FUTURE, Flag.EQUALS_REGISTRATION, Flag.IMPLAUSIBLE_OLD})


@dataclass(frozen=True)
class Statement:
    """One structured self-statement: the readings of one value in one source."""

    source: str
    readings: Readings


@dataclass(frozen=True)
class Judgement:
    """The class, the flags of all statements, and the last day by which the subject turns 18, if known."""

    case_class: CaseClass
    flags: frozenset[Flag] = frozenset()
    adult_on: date | None = None


class _Side(StrEnum):
    MINOR = "minor"
    ADULT = "adult"
    SPANS = "spans"


def classify(
    statements: Sequence[Statement],
    *,
    on: date,
    counter_signals: bool = False,
    adult_age: int = 18,
    leap_rule: LeapRule = "MAR_1",
) -> Judgement:
    """Judge one subject on the civil date ``on``.

    counter_signals: a fact such as a professional registration number speaks against childhood; it never
    overturns a statement by itself but takes the decision away from the machine.
    """
    flags = frozenset(flag for s in statements for flag in s.readings.flags)
    usable = [s for s in statements if s.readings.usable]
    if not usable:
        unusable = flags & _UNUSABLE
        return Judgement(CaseClass.DOB_UNUSABLE if unusable else CaseClass.NO_EVIDENCE, flags)
    adult_on = max(birthday(interval.last, adult_age, leap_rule) for s in usable for interval in s.readings.intervals)
    sides = [_side_of(s.readings.intervals, on, adult_age, leap_rule) for s in usable]
    return Judgement(_class_of(sides, flags, counter_signals), flags, adult_on)


def _class_of(sides: Sequence[_Side], flags: frozenset[Flag], counter_signals: bool) -> CaseClass:
    if all(side is _Side.ADULT for side in sides):
        return CaseClass.ADULT
    if all(side is _Side.MINOR for side in sides):
        if counter_signals:
            return CaseClass.CONFIRMED_PENDING_COUNTER
        if flags & {Flag.IMPLAUSIBLE_YOUNG, Flag.YEAR_ONLY}:
            return CaseClass.SUSPECTED_MINOR
        return CaseClass.CONFIRMED_MINOR
    # Two sources that disagree, or a sheet of unknown epoch, are a suspicion; one statement is only unclear.
    suspicious = _Side.MINOR in sides or Flag.SPREADSHEET_EPOCH in flags
    return CaseClass.SUSPECTED_MINOR if suspicious else CaseClass.INDETERMINATE


def _side_of(intervals: Sequence[Interval], on: date, adult_age: int, leap_rule: LeapRule) -> _Side:
    """On which side of the line one statement stands, over all its readings."""
    ages = [age_range(interval, on, leap_rule) for interval in intervals]
    if all(oldest < adult_age for _, oldest in ages):
        return _Side.MINOR
    if all(youngest >= adult_age for youngest, _ in ages):
        return _Side.ADULT
    return _Side.SPANS
