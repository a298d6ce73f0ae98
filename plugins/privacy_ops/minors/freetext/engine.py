"""Applies the tables of a language to a text."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date

from privacy_ops.minors.age import Interval, age_range
from privacy_ops.minors.freetext.folding import Folded, fold
from privacy_ops.minors.freetext.model import Finding, Language, Rule
from privacy_ops.minors.freetext.prefilter import gate

ADULT = 18
# Who writes "I am 3." counts something; a clear statement without a unit begins here.
YOUNGEST_WRITER = 8
_BEFORE, _AFTER = 60, 80


def search(text: str, languages: Iterable[Language], on: date | None) -> Iterator[Finding]:
    """Every finding in ``text``, overlapping ones too."""
    spoken = [language for language in languages if speaks(text, language)]
    if not spoken:
        return
    folded = fold(text)
    for language in spoken:
        for rule, pattern in language.compiled:
            for match in pattern.finditer(folded.text):
                finding = _judge(language, rule, match, folded, on)
                if finding is not None:
                    yield finding


def speaks(text: str, language: Language, *, others: bool = True) -> bool:
    """Whether anything can be found in ``text``; ``others``: about anybody, otherwise about the writer alone."""
    return gate(language, others=others).search(text) is not None


def strongest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of overlapping findings the clearest, in the order of the text."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=_rank):
        if all(finding.end <= other.start or other.end <= finding.start for other in kept):
            kept.append(finding)
    return tuple(sorted(kept, key=lambda finding: (finding.start, finding.end)))


def _rank(finding: Finding) -> tuple[bool, bool, bool, int, int, str]:
    """The clear before the weak, the certain before the possible, known ages before open ones, the longer first."""
    return (
        finding.strength == "W",
        finding.minor == "maybe",
        finding.age_last is None,
        finding.start - finding.end,
        finding.start,
        finding.rule,
    )


def _judge(language: Language, rule: Rule, match: re.Match[str], folded: Folded, on: date | None) -> Finding | None:
    ages = _ages(language, rule, match, on)
    if ages is not None and (ages[0] >= ADULT or ages[1] < 0):
        return None
    if ages is not None and ages[1] < rule.least:
        return None
    before = folded.text[max(0, match.start() - _BEFORE) : match.start()]
    if rule.about == "self" and language.unreal.search(before):
        return None
    quoted = rule.about == "self" and _in_quotation(folded.text, match)
    if quoted and not language.own.search(_around(folded.text, match)):
        return None
    hedged = rule.hedged or quoted or bool(language.hedge.search(before)) or _counts(rule, match, ages)
    strength = "W" if hedged else rule.strength
    if rule.about == "other":
        strength = "R" if language.uses.search(_around(folded.text, match)) and not hedged else "W"
    certain = ages is not None and ages[1] < ADULT and not hedged
    start, end = folded.span(match.start(), match.end())
    return Finding(
        rule=f"{language.code}-{rule.id}",
        strength=strength,
        start=start,
        end=end,
        about=rule.about,
        minor="yes" if certain else "maybe",
        age_first=ages[0] if ages else None,
        age_last=ages[1] if ages else None,
    )


def _ages(language: Language, rule: Rule, match: re.Match[str], on: date | None) -> tuple[int, int] | None:
    """The ages that a match states, in completed years; None when it does not tell."""
    if rule.reads == "unknown":
        return None
    if rule.reads == "fixed":
        return rule.ages
    if rule.reads == "born":
        return _born(language, match[0], int(_group(match, "y")[0]), on)
    numbers = [_number(language, word) for word in _group(match, "n")]
    low, high = min(numbers), max(numbers)
    if rule.reads == "below":
        return 0, high - 1
    if rule.reads == "months":
        return low // 12, high // 12
    if rule.reads == "grade":
        return low + rule.shift, high + rule.shift + 1
    if rule.reads == "turning":
        for ahead in _group(match, "years"):
            years = _number(language, ahead)
            return low - years - 1, high - years
        return low - 1, high - 1
    return low, high


def _born(language: Language, said: str, year: int, on: date | None) -> tuple[int, int] | None:
    """Ages of somebody born in ``year``, closer where ``said`` names a month or day; None without a day to judge on."""
    if on is None:
        return None if year >= 2000 else (ADULT, ADULT)
    ages = [age_range(birth, on) for birth in _births(language, said, year)]
    return min(first for first, _ in ages), max(last for _, last in ages)


def _births(language: Language, said: str, year: int) -> list[Interval]:
    """Every way to read the birth date: with 3/4/2010 both the third of April and the fourth of March."""
    days = [int(number) for number in re.findall(r"\b\d{1,2}\b", said)]
    month = language.month_names.search(said)
    if month is not None and month.lastindex is not None:
        readings = [(month.lastindex, days[0] if days else None)]
    elif len(days) == 2:
        readings = [(days[0], days[1]), (days[1], days[0])]
    else:
        readings = []
    births = []
    for number, day in readings:
        if 1 <= number <= 12:
            length = monthrange(year, number)[1]
            if day is None or 1 <= day <= length:
                births.append(Interval(date(year, number, day or 1), date(year, number, day or length)))
    return births or [Interval(date(year, 1, 1), date(year, 12, 31))]


def _number(language: Language, word: str) -> int:
    return int(word) if word[0].isdigit() else language.numbers[" ".join(word.split())]


def _group(match: re.Match[str], name: str) -> list[str]:
    """What the groups of that name hold, in the order of the pattern."""
    return [held for key, held in match.groupdict().items() if held is not None and key.partition("_")[0] == name]


def _counts(rule: Rule, match: re.Match[str], ages: tuple[int, int] | None) -> bool:
    """A bare small number rather counts something than states an age."""
    return bool(_group(match, "bare")) and rule.reads == "is" and ages is not None and ages[1] < YOUNGEST_WRITER


def _in_quotation(text: str, match: re.Match[str]) -> bool:
    """Whether the match stands inside quotation marks that do not enclose the whole text."""
    begin, end = match.span()
    opened = text.count('"', max(0, begin - 500), begin)
    if opened % 2:
        return not (text.strip()[:1] == '"' and text.strip()[-1:] == '"' and opened == 1)
    single = text[max(0, begin - 2) : begin]
    return single.endswith("'") and "'" in text[end : end + _AFTER]


def _around(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - _BEFORE) : match.end() + _AFTER]
