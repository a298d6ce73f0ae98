"""How people and machines write a date of birth: every calendar meaning that a text may have. No judgement here.

A meaning is an interval of days. Day and month may be swapped, a year may have two digits or belong to another
calendar, a spreadsheet may have stored a number of days, a computer may have moved the day through a time zone.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from privacy_ops.minors.age import Interval

DayOrder = Literal["dmy", "mdy", "unknown"]


class Way(StrEnum):
    """What had to be assumed to read a text so."""

    TWO_DIGIT_YEAR = "two_digit_year"
    SWAPPABLE = "swappable"
    SERIAL = "serial"  # days since 1899-12-30 or, 1462 days later, since 1904-01-01
    SHIFTED = "shifted"  # an instant near midnight
    PARTIAL = "partial"
    NO_LEAP_DAY = "no_leap_day"  # 29 February of a common year
    OTHER_CALENDAR = "other_calendar"


@dataclass(frozen=True)
class Meaning:
    """One interval that a text may stand for, and what was assumed."""

    interval: Interval
    ways: frozenset[Way] = frozenset()


Reader = Callable[[str, DayOrder], Iterable[Meaning]]

# Days between the two date systems of spreadsheets (Microsoft Knowledge Base 214330).
EPOCH_SHIFT = timedelta(days=1462)
_EPOCH = date(1899, 12, 30)
_SERIALS = range(10_000, 80_000)  # 1927 to 2119

_MONTHS = {
    1: ("january", "jan", "enero", "ene", "janvier", "janv", "januar", "jänner", "jän"),
    2: ("february", "feb", "febrero", "février", "fevrier", "févr", "fevr", "fév", "februar", "feber"),
    3: ("march", "mar", "marzo", "mars", "märz", "maerz", "mär", "mrz"),
    4: ("april", "apr", "abril", "abr", "avril", "avr"),
    5: ("may", "mayo", "mai"),
    6: ("june", "jun", "junio", "juin", "juni"),
    7: ("july", "jul", "julio", "juillet", "juil", "juli"),
    8: ("august", "aug", "agosto", "ago", "août", "aout"),
    9: ("september", "sept", "sep", "septiembre", "setiembre", "septembre"),
    10: ("october", "oct", "octubre", "octobre", "oktober", "okt"),
    11: ("november", "nov", "noviembre", "novembre"),
    12: ("december", "dec", "diciembre", "dic", "décembre", "decembre", "déc", "dezember", "dez"),
}
MONTHS: dict[str, int] = {name: number for number, names in _MONTHS.items() for name in names}
_ERAS = {"令和": 2018, "r": 2018, "平成": 1988, "h": 1988, "昭和": 1925, "s": 1925}  # year 1 is one later

# A time behind the day: hour, half of the day.
CLOCK = (
    r"(?:t|[ ,]+)([0-9]{1,2}):[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?([ap])[.]?m[.]?)?"
    r"(?: ?(?:z|utc|[+-][0-9]{2}(?::?[0-9]{2})?))?$"
)
_CLOCK = re.compile(CLOCK, re.IGNORECASE | re.ASCII)
_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})\.?")
_COMPACT = re.compile(r"((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])")
_NUMERIC = re.compile(r"([0-9]{1,2}) ?([/.\-]) ?([0-9]{1,2}) ?\2 ?([0-9]{4}|[0-9]{2})\.?")
_APART = re.compile(r"([0-9]{1,2})([ ,]) ?([0-9]{1,2})\2 ?([0-9]{4})")
_TOGETHER = re.compile(r"([0-9]{2})()([0-9]{2})((?:19|20)[0-9]{2})")
_SERIAL = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")
_YEAR = re.compile(r"([0-9]{4})")
_YEAR_MONTH = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[-/.]([0-9]{4})")
_WORD = r"([^\W\d_]+)\.?"
_DAY_NAME_YEAR = re.compile(
    rf"([0-9]{{1,2}})(?:st|nd|rd|th|er|º|\.)?[\s-]*(?:of\s+|de\s+)?{_WORD},?[\s-]*(?:de\s+|del\s+)?([0-9]{{4}})"
)
_NAME_DAY_YEAR = re.compile(rf"{_WORD}\s+([0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+([0-9]{{4}})")
_NAME_YEAR = re.compile(rf"{_WORD},?[\s-]*(?:de\s+|del\s+)?([0-9]{{4}})")
_EAST_ASIAN = re.compile(r"([0-9]{1,4})\s*年\s*([0-9]{1,2})\s*月\s*([0-9]{1,2})\s*日?")
_ERA = re.compile(r"(令和|平成|昭和|[rhs])\s*([0-9]{1,2})\s*[年./-]\s*([0-9]{1,2})\s*[月./-]\s*([0-9]{1,2})\s*日?")
LIKE_A_DATE = re.compile(r"[0-9]{2}")

# Every form above in one expression that PostgreSQL reads as Python does, for texts in small letters: where too little
# of a source matches, its format has changed, and its people would be passed over without a word.
_CAPITALS = str.maketrans("éûä", "ÉÛÄ")  # which are left by a database that knows no letter beyond ASCII
_NAMES = "|".join(sorted({*MONTHS, *(name.translate(_CAPITALS) for name in MONTHS)}, key=len, reverse=True))
_MONTH_NAME = f"({_NAMES})[.]?"
FORMS = "^({})({})?$".format(
    "|".join((
        "[0-9]{4}[-/.][0-9]{1,2}([-/.][0-9]{1,2}[.]?)?",
        "[0-9]{1,2} ?[-/., ] ?[0-9]{1,2} ?[-/., ] ?([0-9]{2}|[0-9]{4})[.]?",
        "[0-9]{1,2}[-/.][0-9]{4}",
        "[0-9]{4}|[0-9]{5}([.][0-9]+)?|[0-9]{8}",
        f"[0-9]{{1,2}}(st|nd|rd|th|er|º|[.])?[ -]*(of |de )?{_MONTH_NAME},?[ -]*(de |del )?[0-9]{{4}}",
        f"{_MONTH_NAME} [0-9]{{1,2}}(st|nd|rd|th)?,? [0-9]{{4}}",
        f"{_MONTH_NAME},?[ -]*(de |del )?[0-9]{{4}}",
        "(令和|平成|昭和|[rhs])? ?[0-9]{1,4} ?[年./-] ?[0-9]{1,2} ?[月./-] ?[0-9]{1,2} ?日?",
    )),
    CLOCK.removesuffix("$"),
)


@lru_cache(maxsize=4096)  # the same date often stands in several places
def meanings(text: str, order: DayOrder = "unknown") -> tuple[Meaning, ...]:
    """Every meaning of a text without anything around it (`plain`); none when it is written in no way that is known."""
    if clock := _CLOCK.search(text):
        return tuple(_at(clock, _first_read(text[: clock.start()], order, (_full, _named, _eastern))))
    return _first_read(text, order, (_full, _serial, _named, _eastern, _partial))


def _first_read(text: str, order: DayOrder, readers: Iterable[Reader]) -> tuple[Meaning, ...]:
    for reader in readers:
        if found := tuple(reader(text, order)):
            return found
    return ()


def written_like_a_date(text: str) -> bool:
    """Whether it is in a known form, though no such day exists (31 April)."""
    day = _CLOCK.sub("", text)
    return any(form.fullmatch(day) for form in (_ISO, _NUMERIC, _APART, _COMPACT, _EAST_ASIAN))


def other_calendars(year: int, month: int, day: int) -> tuple[Interval, ...]:
    """What a year that cannot be meant so says in the Buddhist (minus 543), Minguo or Islamic calendar."""
    found: list[Interval] = []
    if 2300 <= year <= 2700:
        found += _day(year - 543, month, day)
    if 0 < year <= 150:
        found += _day(year + 1911, month, day)
    if 1250 <= year <= 1500:  # lunar years are shorter: the year alone, as days differ by country
        first = int(year * 0.970224 + 621.57)
        found.append(Interval(date(first, 1, 1), date(first + 1, 12, 31)))
    return tuple(found)


def _at(clock: re.Match[str], days: Iterable[Meaning]) -> Iterator[Meaning]:
    """A date of birth is a calendar date: near midnight the instant may stand for the day before or after."""
    hour = int(clock[1]) if clock[2] is None else int(clock[1]) % 12 + 12 * (clock[2].lower() == "p")
    shift = 1 if hour in {22, 23} else -1 if hour in {0, 1, 2} else 0
    for day in days:
        if day.interval.first != day.interval.last:
            continue  # no month has a time of the day
        ways = day.ways | ({Way.SHIFTED} if shift else frozenset())
        yield Meaning(day.interval, ways)
        if shift:
            yield Meaning(Interval.day(day.interval.first + timedelta(days=shift)), ways)


def _full(text: str, order: DayOrder) -> Iterator[Meaning]:
    if iso := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        yield from _calendar(int(iso[1]), int(iso[2]), int(iso[3]))
    elif numeric := _NUMERIC.fullmatch(text) or _APART.fullmatch(text) or _TOGETHER.fullmatch(text):
        first, second = int(numeric[1]), int(numeric[3])
        orders = {
            "dmy": ((second, first),),
            "mdy": ((first, second),),
            "unknown": ((second, first), (first, second)),
        }[order]
        short = len(numeric[4]) == 2
        years = (1900 + int(numeric[4]), 2000 + int(numeric[4])) if short else (int(numeric[4]),)
        ways = frozenset({Way.TWO_DIGIT_YEAR} if short else ())
        found = [m for month, day in dict.fromkeys(orders) for year in years for m in _calendar(year, month, day, ways)]
        days = {(m.interval.first.month, m.interval.first.day) for m in found if Way.NO_LEAP_DAY not in m.ways}
        swappable = frozenset({Way.SWAPPABLE} if len(days) > 1 else ())
        yield from (Meaning(m.interval, m.ways | swappable) for m in found)


def _serial(text: str, _order: DayOrder) -> Iterator[Meaning]:
    if (found := _SERIAL.fullmatch(text)) and int(found[1]) in _SERIALS:
        day = _EPOCH + timedelta(days=int(found[1]))
        for meant in (day, day + EPOCH_SHIFT):
            yield Meaning(Interval.day(meant), frozenset({Way.SERIAL}))


def _named(text: str, _order: DayOrder) -> Iterator[Meaning]:
    """Months by name, in English, Spanish, French and German."""
    folded = text.lower()
    if (found := _DAY_NAME_YEAR.fullmatch(folded)) and (month := MONTHS.get(found[2])):
        yield from _calendar(int(found[3]), month, int(found[1]))
    elif (found := _NAME_DAY_YEAR.fullmatch(folded)) and (month := MONTHS.get(found[1])):
        yield from _calendar(int(found[3]), month, int(found[2]))
    elif (found := _NAME_YEAR.fullmatch(folded)) and (month := MONTHS.get(found[1])):
        yield from _month(int(found[2]), month)


def _eastern(text: str, _order: DayOrder) -> Iterator[Meaning]:
    if found := _ERA.fullmatch(text.lower()):
        yield from _calendar(_ERAS[found[1]] + int(found[2]), int(found[3]), int(found[4]))
    elif found := _EAST_ASIAN.fullmatch(text):
        yield from _calendar(int(found[1]), int(found[2]), int(found[3]))


def _partial(text: str, _order: DayOrder) -> Iterator[Meaning]:
    if (found := _YEAR.fullmatch(text)) and (year := int(found[1])):
        yield Meaning(Interval(date(year, 1, 1), date(year, 12, 31)), frozenset({Way.PARTIAL}))
    elif found := _YEAR_MONTH.fullmatch(text):
        yield from _month(int(found[1]), int(found[2]))
    elif found := _MONTH_YEAR.fullmatch(text):
        yield from _month(int(found[2]), int(found[1]))


def _month(year: int, month: int) -> Iterator[Meaning]:
    if 1 <= month <= 12 and year:
        last = monthrange(year, month)[1]
        yield Meaning(Interval(date(year, month, 1), date(year, month, last)), frozenset({Way.PARTIAL}))


def _calendar(year: int, month: int, day: int, ways: Iterable[Way] = ()) -> Iterator[Meaning]:
    """One day; for 29 February of a common year the day before and the day after."""
    given = frozenset(ways)
    if found := _day(year, month, day):
        yield from (Meaning(interval, given) for interval in found)
    elif (month, day) == (2, 29) and year:
        for meant in (date(year, 2, 28), date(year, 3, 1)):
            yield Meaning(Interval.day(meant), given | {Way.NO_LEAP_DAY})


def _day(year: int, month: int, day: int) -> tuple[Interval, ...]:
    try:
        return (Interval.day(date(year, month, day)),)
    except ValueError:
        return ()
