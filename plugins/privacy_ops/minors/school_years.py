"""Between which birth dates the pupils of a school year are, by country. Never enough to confirm.

England and Wales: the year group of those who reach an age between 1 September and 31 August (Education Act 1996
s.8). United States, France, Spain and Germany: the usual cohorts; states differ and pupils repeat years.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from privacy_ops.minors.age import Interval


@dataclass(frozen=True)
class _Form:
    """How a country writes a school year, and the first birth year of the cohort that began it in year Y."""

    pattern: re.Pattern[str]
    years: Callable[[re.Match[str]], int]  # how many years before the school year began the cohort's span begins
    begins: tuple[int, int] = (9, 1)  # month and day at which a cohort's span begins


def _form(pattern: str, years: Callable[[re.Match[str]], int], begins: tuple[int, int] = (9, 1)) -> _Form:
    return _Form(re.compile(pattern, re.IGNORECASE), years, begins)


_FRENCH = {
    "terminale": 17,
    "tle": 17,
    "première": 16,
    "premiere": 16,
    "1ère": 16,
    "1ere": 16,
    "seconde": 15,
    "2nde": 15,
}
_FORMS: dict[str, tuple[_Form, ...]] = {
    "GB": (
        _form(r"\b(?:year|yr|y)\s*-?\s*(1[0-3]|[1-9])\b", lambda m: int(m[1]) + 5),
        _form(r"\blower\s+sixth\b", lambda _: 17),
        _form(r"\bupper\s+sixth\b", lambda _: 18),
    ),
    "US": (
        _form(r"\b(1[0-2]|[1-9])(?:st|nd|rd|th)[\s-]+grade", lambda m: int(m[1]) + 6),
        _form(r"\bgrade\s*(1[0-2]|[1-9])\b", lambda m: int(m[1]) + 6),
    ),
    "FR": (
        _form(rf"\b({'|'.join(_FRENCH)})\b", lambda m: _FRENCH[m[1].lower()], (1, 1)),
        _form(r"\b([3-6])\s*[eè](?:me)?\b", lambda m: 17 - int(m[1]), (1, 1)),
    ),
    "ES": (
        _form(r"\b([1-4])\s*[º°o.]?\s*(?:de\s+)?(?:la\s+)?eso\b", lambda m: int(m[1]) + 11, (1, 1)),
        _form(r"\b([12])\s*[º°o.]?\s*(?:de\s+)?bach", lambda m: int(m[1]) + 15, (1, 1)),
    ),
    "DE": (
        _form(r"\b(1[0-3]|[1-9])\s*\.?\s*klasse\b", lambda m: int(m[1]) + 6, (7, 1)),
        _form(r"\bklasse\s*(1[0-3]|[1-9])\b", lambda m: int(m[1]) + 6, (7, 1)),
    ),
}
_ALIASES = {"UK": "GB", "USA": "US"}


def birth_dates(text: str, country: str, stated: date) -> tuple[Interval, ...]:
    """Spans of birth dates of who said ``text`` on the day ``stated``; none when it is no school year known here.

    In July and August both the year that ended and the one to come may be meant. An unknown country is read by every
    form that fits.
    """
    code = _ALIASES.get(country.strip().upper(), country.strip().upper())
    forms = _FORMS.get(code) or tuple(f for found in _FORMS.values() for f in found)
    began = {stated.year if stated.month >= 9 else stated.year - 1}
    if stated.month in {7, 8}:
        began.add(stated.year)
    spans = set()
    for form in forms:
        if found := form.pattern.search(text):
            for year in began:
                first = date(year - form.years(found), *form.begins)
                spans.add(Interval(first, date.fromordinal(date(first.year + 1, *form.begins).toordinal() - 1)))
    return tuple(sorted(spans))
