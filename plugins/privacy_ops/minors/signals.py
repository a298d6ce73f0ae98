"""What one piece of evidence says: from the text that stands in a source to a statement with its strength.

Pure. Whatever was said on a day goes stale with it: "I am 16" and "under 18" become spans of birth dates, counted
from the day they were said. A report without any day says what it says until a person decides.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import NamedTuple

from privacy_ops.datamap.evidence import EvidenceColumn
from privacy_ops.datamap.plain_text import plain
from privacy_ops.minors import freetext, school_years
from privacy_ops.minors.age import Interval, born_when_aged
from privacy_ops.minors.classify import Place, Statement, Strength
from privacy_ops.minors.readings import Context, Flag, Readings, read
from privacy_ops.settings import home_directory

# Strength by kind; free text brings its own.
STRENGTHS: dict[str, Strength] = {
    "birth_date": "S",
    "birth_text": "S",
    "age_number": "S",
    "age_band": "S",
    "school_year": "S",
    "declared_adult": "S",
    "attendee_type": "S",
    "age_gate": "R",
    "guardian": "R",
    "youth_list": "R",
    "report": "R",
    "identity_link": "R",
    "free_text": "R",
    "mail_domain": "W",
    "occupation": "W",
    "payment_text": "W",
    "scan": "T",
}
# Kinds whose every value is part of the evidence, readable or not; of the others only what says something.
ALWAYS_READ = frozenset({
    "birth_date", "birth_text", "age_number", "age_band", "school_year", "declared_adult", "attendee_type",
})  # fmt: skip

NO = ("false", "f", "no", "n", "0")
# Simple enough for PostgreSQL and Python alike; both match without regard to case.
PUPIL = (
    "school ?(pupil|boy|girl|student)|(high|secondary|primary|middle) school (pupil|student)|sixth[ -]?form(er)?"
    "|(year|yr) ?(7|8|9|10|11|12|13)([^0-9]|$)|a-?levels?|gcse|work experience|lyc[ée]en|coll[ée]gien"
    "|sch[üu]ler|alumn[oa] de (la )?(eso|bach)|bachillerato|schulpraktik"
)
# Whoever works with pupils writes the same words.
AT_WORK = (
    "teach|nurse|doctor|physician|lectur|tutor|examin|head of|headmaster|headmistress|head ?teacher|lead|coordinat"
    "|manager|consultant|research|paediatric|pediatric|psycholog|librar|assistant|counsel|governor|officer|author"
    "|editor|profess|lehrer|enseign|profesor|maestr|coach|liaison|service"
)
PAYMENT = "under ?-?18|under ?-?age|minor card|card ?holder (is )?(a )?minor|age (restriction|limit)|parental"
_PUPIL, _AT_WORK, _PAYMENT = (re.compile(p, re.IGNORECASE) for p in (PUPIL, AT_WORK, PAYMENT))
_LETTERS = re.IGNORECASE | re.ASCII  # as the database compares them when it reads again
_AGE = re.compile(r"(?:age[d]?\s*)?([0-9]{1,3})(?:[.,][0-9]+)?\s*(?:years?|yrs?|y|yo|y/o)?(?:\s*old)?\.?", _LETTERS)
_MONTHS_OLD = re.compile(r"([0-9]{1,2})\s*(?:months?|mths?|mo?)(?:\s*old)?", _LETTERS)
_BELOW = re.compile(r"(?:<|under|below|less than|unter|moins de|menos de)\s*(?:the age of\s*)?([0-9]{1,3})", _LETTERS)
_FROM_TO = re.compile(r"([0-9]{1,3})\s*(?:-|–|—|to|bis|à|a)\s*([0-9]{1,3})", _LETTERS)
_FROM = re.compile(r"(?:>=?|≥|over|from|above)?\s*([0-9]{1,3})\s*(?:\+|and over|or over|and older|or older)?", _LETTERS)
_MAX_AGE = 130


class Said(NamedTuple):
    """One value and what stood around it. ``on``: the day it was said; ``extra``: the month beside a year, or the
    country of a school year; ``changed_by``: who replaced this earlier value."""

    value: str
    on: date | None = None
    extra: str = ""
    changed_by: str = ""


def interpret(source: EvidenceColumn, said: Said, context: Context) -> Statement | None:
    """What ``said`` states about its subject's age. None: nothing, and it is not recorded."""
    kind = source.evidence.kind
    readings: Readings | None
    strength, place = STRENGTHS[kind], None
    if kind in {"birth_date", "birth_text"}:
        readings = _birth(source, said, context)
    elif kind == "age_number":
        readings = _age(said, context)
    elif kind == "age_band":
        readings = _band(said, context)
    elif kind == "school_year":
        readings = _school_year(said, context)
    elif kind == "declared_adult":
        readings = under_age(said.on, context) if plain(said.value).lower() in NO else Readings()
    elif kind == "attendee_type":
        minor = said.value in source.evidence.minor_values
        readings = under_age(said.on, context) if minor else Readings()
    elif kind == "free_text":
        found = _text(source, said, context)
        if found is None:
            return None
        readings, strength, place = found
    elif kind == "report":
        readings = _report(said, context)
    elif kind == "scan":
        wanted = source.evidence.minor_values
        readings = Readings() if said.value and (not wanted or said.value in wanted) else None
    elif kind == "identity_link":
        readings = Readings(flags=frozenset({Flag.LINKED}))
    elif _says(source, said.value):
        readings = under_age(said.on, context)
    else:
        readings = None
    if readings is None:
        return None
    return Statement(source.name, readings, strength, source.evidence.signal, place)


def under_age(said_on: date | None, context: Context, adult_age: int = 18) -> Readings:
    """Who was under age on a day: every birth date after the one that had reached it. No day: no span."""
    return Readings((born_when_aged(0, adult_age - 1, said_on, context.leap_rule),)) if said_on else Readings()


def _birth(source: EvidenceColumn, said: Said, context: Context) -> Readings:
    if source.evidence.ages and said.value and (aged := _stated_age(said, context)):
        return aged
    value = said.value
    if re.fullmatch(r"[0-9]{1,2}", month := plain(said.extra)) and re.fullmatch(r"[0-9]{4}", plain(value)):
        value = f"{plain(value)}-{int(month):02d}"
    readings = read(value, context)
    if said.changed_by and said.changed_by in source.evidence.verified:
        # Support checked the person and corrected this date. As evidence of a child it is withdrawn; as evidence of
        # an adult it stands: a correction never makes anything easier to erase.
        line = born_when_aged(0, 17, context.on, context.leap_rule).first
        if readings.usable and all(i.first >= line for i in readings.intervals):
            return Readings(flags=readings.flags | {Flag.CORRECTED})
    return readings


def _stated_age(said: Said, context: Context) -> Readings | None:
    """A bare age beside dates, such as "9" or "7 months"; None when it is not one."""
    value = plain(said.value)
    if found := _MONTHS_OLD.fullmatch(value):
        return _aged(int(found[1]) // 12, int(found[1]) // 12, said, context)
    if (found := _AGE.fullmatch(value)) and int(found[1]) < _MAX_AGE:
        return _aged(int(found[1]), int(found[1]), said, context)
    return None


def _age(said: Said, context: Context) -> Readings:
    return _stated_age(said, context) or Readings(flags=frozenset({Flag.MISSING}))


def _band(said: Said, context: Context) -> Readings:
    text = plain(said.value)
    if found := _BELOW.fullmatch(text):
        return _aged(0, int(found[1]) - 1, said, context)
    if found := _FROM_TO.fullmatch(text):
        return _aged(int(found[1]), int(found[2]), said, context)
    if (found := _FROM.fullmatch(text)) and not text.isdigit():
        return _aged(int(found[1]), context.max_age, said, context)
    return _age(said, context)


def _aged(youngest: int, oldest: int, said: Said, context: Context) -> Readings:
    """People of these ages on the day it was said. Ages beyond reason and statements without a day are no evidence."""
    if said.on is None or not 0 <= youngest <= oldest:
        return Readings(flags=frozenset({Flag.MISSING}))
    if youngest > context.max_age:
        return Readings(flags=frozenset({Flag.IMPLAUSIBLE_OLD}))
    interval = born_when_aged(youngest, oldest, said.on, context.leap_rule)
    if context.min_age_at_registration is not None and oldest < context.min_age_at_registration:
        return Readings((interval,), frozenset({Flag.IMPLAUSIBLE_YOUNG}))
    return Readings((interval,))


def _school_year(said: Said, context: Context) -> Readings:
    spans = school_years.birth_dates(said.value, said.extra, said.on) if said.on else ()
    if not spans:
        return Readings(flags=frozenset({Flag.MISSING}))
    return Readings(_usable(spans, context), frozenset({Flag.SCHOOL_YEAR}))


def _usable(spans: Sequence[Interval], context: Context) -> tuple[Interval, ...]:
    return tuple(span for span in spans if span.first <= context.on)


def _text(source: EvidenceColumn, said: Said, context: Context) -> tuple[Readings, Strength, Place] | None:
    """The strongest first-person statement in a text; in tickets also a report about somebody else."""
    about_others = reports_others(source)
    if not about_others and not freetext.speaks_of_writer(said.value):
        return None
    best: tuple[Readings, Strength, Place] | None = None
    for finding in freetext.find(said.value, on=said.on):
        if finding.about == "other" and not about_others:
            continue
        strength: Strength = "W" if finding.strength == "W" else "R"
        readings = under_age(said.on, context)
        if said.on and finding.age_last is not None:
            readings = Readings((born_when_aged(finding.age_first or 0, finding.age_last, said.on, context.leap_rule),))
        if best is None or (best[1], strength) == ("W", "R"):
            best = readings, strength, Place(finding.rule, finding.start, finding.end)
    return best


def reports_others(source: EvidenceColumn) -> bool:
    """Whether a free text there is also read as a report about other people: a message to support is."""
    return source.evidence.signal == "SIG-10"


def _report(said: Said, context: Context) -> Readings:
    if re.fullmatch(r"[0-9]{1,2}", said.value) and said.on:
        return Readings((born_when_aged(int(said.value), int(said.value), said.on, context.leap_rule),))
    return under_age(said.on, context)


def _says(source: EvidenceColumn, value: str) -> bool:
    """Whether a value of the kinds that only ever say "under 18" says so."""
    kind = source.evidence.kind
    if kind == "mail_domain":
        return school_domain(value)
    if kind == "occupation":
        return bool(_PUPIL.search(value)) and not _AT_WORK.search(value)
    if kind == "payment_text":
        return bool(_PAYMENT.search(value))
    if kind == "guardian":
        return True
    return value in source.evidence.minor_values


# --- schools' mail domains --------------------------------------------------------------------------------------


@cache
def school_suffixes() -> tuple[tuple[str, bool], ...]:
    """(suffix, whether it is a school's) of the reference table, longest first."""
    path = home_directory() / "include" / "reference" / "school_email_suffixes.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return tuple(sorted(((r["suffix"], r["school"] == "yes") for r in rows), key=lambda s: (-len(s[0]), s[0])))


def school_domain(address: str) -> bool:
    """Whether the domain of a mail address is below a school's suffix. The longest suffix that fits decides."""
    domain = address.rpartition("@")[2].strip().lower().rstrip(".")
    for suffix, school in school_suffixes():
        if re.search(_suffix_pattern(suffix), domain):
            return school
    return False


def school_regex() -> str:
    """A short regular expression of PostgreSQL that every address at a school matches, and some others do."""
    labels = sorted({suffix.removeprefix("*.").split(".")[0] for suffix, school in school_suffixes() if school})
    return rf"[.@]({'|'.join(labels)})([.][a-z0-9-]+)+$"


def _suffix_pattern(suffix: str) -> str:
    """`*.sch.uk` needs a label before it, `k12.*.us` one inside; `ed.jp` is itself a suffix that names are below."""
    inside = re.escape(suffix.removeprefix("*.")).replace(r"\*", "[a-z0-9-]+")
    return rf"(^|[.@]){inside}$"


def earlier_dates(
    stated: Sequence[tuple[EvidenceColumn, Statement]], on: date
) -> list[tuple[EvidenceColumn, Statement]]:
    """Mark earlier dates of birth that differ from today's: from adult to minor (SIG-08) or back (SIG-09)."""
    if not any(source.evidence.changed_by for source, _ in stated):
        return list(stated)
    today = {
        i
        for source, s in stated
        if source.dates and not source.evidence.changed_by and s.strength == "S"
        for i in s.readings.intervals
    }
    line = born_when_aged(0, 17, on).first
    found = []
    for source, statement in stated:
        readings, earlier = statement.readings, statement
        if source.evidence.changed_by and today and readings.usable and not set(readings.intervals) & today:
            was_minor = any(i.last >= line for i in readings.intervals)
            marked = replace(readings, flags=readings.flags | {Flag.CHANGED})
            earlier = replace(statement, readings=marked, signal="SIG-09" if was_minor else "SIG-08")
        found.append((source, earlier))
    return found
