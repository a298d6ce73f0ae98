"""From what is on record about one subject to a class of case. Facts only: no score, no guess.

Under the age of 18 means strictly less than 18 (policy section 10). Only the person's own structured statement can
confirm, only when every usable reading agrees, and only when nothing speaks against it; the rest is for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from privacy_ops.minors.age import Interval, LeapRule, birthday, born_when_aged
from privacy_ops.minors.readings import Flag, Readings

# S: the person's own structured statement. R: a report, or a statement that people have to read. W: circumstances,
# never enough alone. T: somebody else's age inside submitted content.
Strength = Literal["S", "R", "W", "T"]


class CaseClass(StrEnum):
    """What a subject is judged to be at the instant of discovery."""

    CONFIRMED_MINOR = "CONFIRMED_MINOR"
    CONFIRMED_PENDING_COUNTER = "CONFIRMED_PENDING_COUNTER"  # something speaks against it: one reviewer
    SUSPECTED_MINOR = "SUSPECTED_MINOR"
    INDETERMINATE = "INDETERMINATE"  # one statement that may mean either side of 18
    THIRD_PARTY_MINOR = "THIRD_PARTY_MINOR"  # a minor inside content that somebody submitted
    SOURCE_SUSPECT = "SOURCE_SUSPECT"  # would be a case, but the source cannot be trusted tonight
    ADULT_NOW_COLLECTED_AS_MINOR = "ADULT_NOW_COLLECTED_AS_MINOR"
    DOB_UNUSABLE = "DOB_UNUSABLE"  # asked to confirm at the next login
    WEAK_SIGNAL = "WEAK_SIGNAL"  # one circumstance: noted, nothing follows
    ADULT = "ADULT"
    NO_EVIDENCE = "NO_EVIDENCE"


# Classes that open a case; those whose subject is out of use at once; those that only stand in a list.
OPENS_CASE = frozenset({
    CaseClass.CONFIRMED_MINOR,
    CaseClass.CONFIRMED_PENDING_COUNTER,
    CaseClass.SUSPECTED_MINOR,
    CaseClass.INDETERMINATE,
    CaseClass.THIRD_PARTY_MINOR,
    CaseClass.SOURCE_SUSPECT,
    CaseClass.ADULT_NOW_COLLECTED_AS_MINOR,
})
RESTRICTS = frozenset({
    CaseClass.CONFIRMED_MINOR,
    CaseClass.CONFIRMED_PENDING_COUNTER,
    CaseClass.SUSPECTED_MINOR,
    CaseClass.INDETERMINATE,
    CaseClass.THIRD_PARTY_MINOR,
})
_CONFIRMED = frozenset({CaseClass.CONFIRMED_MINOR, CaseClass.CONFIRMED_PENDING_COUNTER})
LISTED = frozenset({CaseClass.DOB_UNUSABLE, CaseClass.WEAK_SIGNAL})
# What a class reads when the subject's open case stands on other evidence than today's: a person decides.
REOPENED_AS = CaseClass.SUSPECTED_MINOR

_UNUSABLE = frozenset({Flag.DEFAULT, Flag.FUTURE, Flag.EQUALS_REGISTRATION, Flag.IMPLAUSIBLE_OLD})
# Minor by every reading, but by a statement that a machine does not act on.
_NOT_ALONE = frozenset({Flag.IMPLAUSIBLE_YOUNG, Flag.YEAR_ONLY, Flag.OTHER_CALENDAR, Flag.SCHOOL_YEAR})
# Readings far apart: whoever stands on both sides of 18 is a suspicion, not merely unclear.
_FAR_APART = frozenset({Flag.SPREADSHEET_EPOCH, Flag.TWO_DIGIT_YEAR, Flag.OTHER_CALENDAR})
_WEAK_ENOUGH = 2
_NO_FLAGS: frozenset[Flag] = frozenset()


@dataclass(frozen=True)
class Place:
    """Where a statement stands inside a free text: the rule that found it and half-open character offsets."""

    rule: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """The readings of one value in one source. Of reports and circumstances (R, W) no interval means: no day known.

    place: only of free text.
    """

    source: str
    readings: Readings
    strength: Strength = "S"
    signal: str = "SIG-01"
    place: Place | None = None


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
    collected: date | None = None,
    elsewhere: tuple[date, date] | None = None,
) -> Judgement:
    """Judge one subject on the civil date ``on``.

    counter_signals: a fact such as a professional registration number speaks against childhood; it never
    overturns a statement by itself but takes the decision away from the machine. collected: the first day from which
    we hold data of the subject. elsewhere: the first and last civil date on earth at that instant; where they would
    judge otherwise, the flag BOUNDARY says so and ``on`` decides.
    """
    line = _first_under_age(on, adult_age, leap_rule)
    sides = {id(s): _side_of(s.readings.intervals, line) for s in statements}

    def side(statement: Statement) -> _Side:
        return sides[id(statement)]

    flags = _NO_FLAGS.union(*[s.readings.flags for s in statements])
    own = [s for s in statements if s.strength == "S" and s.readings.usable]
    # A date that only another calendar makes sense of may show a child, never an adult.
    own = [s for s in own if not (Flag.OTHER_CALENDAR in s.readings.flags and side(s) is _Side.ADULT)]
    reports = [s for s in statements if s.strength == "R" and (not s.readings.usable or side(s) is not _Side.ADULT)]
    weak = {s.signal for s in statements if s.strength == "W" and (not s.readings.usable or side(s) is not _Side.ADULT)}
    if any(s.strength == "T" for s in statements):
        return Judgement(CaseClass.THIRD_PARTY_MINOR, flags)
    several = len(own) > 1
    if several and _conflict(own):
        flags |= {Flag.CONFLICT}
    adult_on = _latest_birthday(own or reports, adult_age, leap_rule)
    telling = _without_wider(own) if several else own
    lines = [_first_under_age(there, adult_age, leap_rule) for there in elsewhere or () if there != on]
    if lines and any(_side_of(s.readings.intervals, other) is not side(s) for s in telling for other in lines):
        flags |= {Flag.BOUNDARY}
    found = _by_own_statements([side(s) for s in telling], flags, counter_signals=counter_signals)
    if found not in _CONFIRMED and (reports or len(weak) >= _WEAK_ENOUGH):
        found = CaseClass.SUSPECTED_MINOR
    if found is CaseClass.ADULT and collected and _a_child_then(telling, collected, adult_age, leap_rule):
        found = CaseClass.ADULT_NOW_COLLECTED_AS_MINOR
    if found is CaseClass.NO_EVIDENCE:
        found = CaseClass.DOB_UNUSABLE if flags & _UNUSABLE else CaseClass.WEAK_SIGNAL if weak else found
    return Judgement(found, flags, adult_on)


def _by_own_statements(sides: Sequence[_Side], flags: frozenset[Flag], *, counter_signals: bool) -> CaseClass:
    if not sides:
        return CaseClass.NO_EVIDENCE
    if all(side is _Side.ADULT for side in sides):
        return CaseClass.ADULT
    if all(side is _Side.MINOR for side in sides):
        if flags & _NOT_ALONE:
            return CaseClass.SUSPECTED_MINOR
        return CaseClass.CONFIRMED_PENDING_COUNTER if counter_signals else CaseClass.CONFIRMED_MINOR
    # Two sources that disagree, or readings far apart, are a suspicion; one statement is only unclear.
    suspicious = _Side.MINOR in sides or flags & _FAR_APART
    return CaseClass.SUSPECTED_MINOR if suspicious else CaseClass.INDETERMINATE


def _without_wider(own: Sequence[Statement]) -> list[Statement]:
    """Leave out a span of birth dates ("under 18", "16 last year") within which another statement says more.

    Only one single span: of readings that exclude each other none is ever dropped.
    """
    kept = list(own)
    for statement in own:
        intervals = statement.readings.intervals
        if len(intervals) > 1 or intervals[0].first == intervals[0].last:
            continue
        span = intervals[0]
        others = (o for o in kept if o is not statement)
        if any(all(span.first <= i.first and i.last <= span.last for i in o.readings.intervals) for o in others):
            kept.remove(statement)
    return kept


def _conflict(own: Sequence[Statement]) -> bool:
    """Whether two statements have no birth date in common."""
    spans = [s.readings.intervals for s in own]
    return any(not _overlap(a, b) for n, a in enumerate(spans) for b in spans[n + 1 :])


def _overlap(some: Iterable[Interval], others: Sequence[Interval]) -> bool:
    return any(a.first <= b.last and b.first <= a.last for a in some for b in others)


def _latest_birthday(statements: Sequence[Statement], adult_age: int, leap_rule: LeapRule) -> date | None:
    return max((birthday(i.last, adult_age, leap_rule) for s in statements for i in s.readings.intervals), default=None)


def _a_child_then(statements: Sequence[Statement], collected: date, adult_age: int, leap_rule: LeapRule) -> bool:
    """Whether the subject was surely under age when the first data came: the eldest it can be was."""
    intervals = [i for s in statements for i in s.readings.intervals]
    return bool(intervals) and all(birthday(i.first, adult_age, leap_rule) > collected for i in intervals)


def _first_under_age(on: date, adult_age: int, leap_rule: LeapRule) -> date:
    """The line: who was born on it or later is under age on the date ``on``."""
    return born_when_aged(0, adult_age - 1, on, leap_rule).first


def _side_of(intervals: Sequence[Interval], line: date) -> _Side:
    """On which side of the line one statement stands, over all its readings."""
    for interval in intervals:
        if interval.first < line:
            break
    else:
        return _Side.MINOR
    for interval in intervals:
        if interval.last >= line:
            return _Side.SPANS
    return _Side.ADULT
