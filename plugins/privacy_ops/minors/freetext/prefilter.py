"""What must stand in a text for anything to be found in it, as regular expressions.

Every finding has an opening word ("I", "mi hija") and after it a number, a year or a fact ("minor"), or a number with a
unit right after it ("16 years"). The tables give these in folded letters; here every letter becomes all the characters
that fold to it. Two forms: one for PostgreSQL, which is fast without look-around and with gaps of any length, and one
for Python, whose matcher needs gaps with an end. Both need case-insensitive matching.

PostgreSQL builds its automaton anew for every text, and that costs by the size of the expression: so the exact one
comes after small ones that know the words by their beginnings only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from privacy_ops.minors.freetext.folding import ACCENTED, APOSTROPHES, DASHES, FIRST_MARK, LAST_MARK, WHITE
from privacy_ops.minors.freetext.model import Language

# The longest way from an opening word to its fact, in characters that are no white space.
REACH = 80
# Accents that are characters of their own are rare: a text with any of them passes.
_MARK = f"[{FIRST_MARK}-{LAST_MARK}]"
_ALSO = {"a": "ª", "o": "ºœŒ"}
_LETTERS = {plain: f"[{plain}{several}{_ALSO.get(plain, '')}]" for plain, several in ACCENTED.items()}
_LETTERS |= {"'": f"[{APOSTROPHES}]", "-": f"[{DASHES[1:]}-]", " ": f"[{WHITE}]+"}
_DIGITS, _YEAR = "(0?[0-9]|1[0-8])", "[12][09][0-9][0-9]"
_BEGIN, _END = "(^|[^a-z])", "([^a-z]|$)"
_WORD_END = "<>"
_STEM = 4  # letters by which a word is known at first
_Pair = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Stages:
    """A text with a finding matches ``opener`` or ``unit``, and ``number``, and ``exact``. Cheap ones come first."""

    opener: str
    unit: str
    number: str
    exact: str


def stages(languages: Iterable[Language], *, others: bool) -> Stages:
    """For PostgreSQL: no look-around, nothing counted but a few characters. Python reads it alike.

    others: with statements about other people; otherwise only what writers say of themselves.
    """
    several = list(languages)
    openers = {opener for language in several for opener in _openers(language, others)}
    pairs = [pair for language in several for pair in _pairs(language, others)]
    numbers = {word for language in several for word in language.numbers}
    facts = {word for _, then in pairs for word in then}
    return Stages(
        opener=f"{_MARK}|{_BEGIN}{_stems(openers | {word for first, _ in pairs for word in first})}",
        unit=_anywhere({unit for language in several for unit in language.units}),
        # A fact may end a longer word: "highschool", "Realschule".
        number=f"{_MARK}|[0-9]|{_BEGIN}{_stems(numbers)}|{_stems(facts)}",
        exact=_exact(several, openers, pairs),
    )


def _exact(several: Sequence[Language], openers: Iterable[str], pairs: Iterable[_Pair]) -> str:
    anything = r"(.|\n)*"
    words = _tree({word for language in several for word in language.numbers})
    units = _any((unit for language in several for unit in language.units), _END)
    either = "|".join(f"{_any(first, '[^a-z]')}{anything}{_any(then, _END)}" for first, then in pairs)
    number = f"({anything}[^0-9])?{_DIGITS}([^0-9]|$)|({anything}[^a-z])?{words}([^a-ik-z]|$)|{anything}{_YEAR}"
    with_unit = f"((^|[^0-9]){_DIGITS}|{_BEGIN}{words})[^0-9a-z]{{0,4}}{units}"
    return f"{_MARK}|{_BEGIN}({_any(openers, '[^a-z]')}({number})|{either})|{with_unit}"


@cache
def gate(language: Language, *, others: bool) -> re.Pattern[str]:
    """For Python, one language: cheaper than the rules behind it, with bounded work at every place of a text."""
    begin, end = "(?<![a-z])", "(?![a-z])"
    gap = f"([{WHITE}]*[^{WHITE}]){{0,{REACH}}}[{WHITE}]*"
    number = f"((?<![0-9]){_DIGITS}(?![0-9])|{begin}{_tree(language.numbers)}(?![a-ik-z]))"
    branches = [
        f"{_any(_openers(language, others), end)}{gap}({number}|{_YEAR})",
        f"{number}[^0-9a-z]{{0,4}}{_any(language.units, end)}",
        *(f"{_any(first, end)}{gap}{_any(then, end)}" for first, then in _pairs(language, others)),
    ]
    return re.compile(f"{_MARK}|{begin}({'|'.join(branches)})", re.IGNORECASE)


def _openers(language: Language, others: bool) -> tuple[str, ...]:
    return language.openers + language.kin * others


def _pairs(language: Language, others: bool) -> tuple[_Pair, ...]:
    return language.pairs + language.kin_pairs * others


def _anywhere(words: Iterable[str]) -> str:
    """Any of ``words``, of which only beginnings may stand inside longer words."""
    several = set(words)
    whole = {word.removesuffix(_WORD_END) for word in several if word.endswith(_WORD_END)}
    return f"{_BEGIN}{_tree(whole)}{_END}|{_tree({word for word in several if not word.endswith(_WORD_END)})}"


def _stems(words: Iterable[str]) -> str:
    """The beginnings of ``words``."""
    return _tree({word.removesuffix(_WORD_END)[:_STEM] for word in words})


def _any(words: Iterable[str], end: str) -> str:
    """Any of ``words``: beginnings, or whole words, which ``<>`` marks and ``end`` ends."""
    several = set(words)
    whole = {word.removesuffix(_WORD_END) for word in several if word.endswith(_WORD_END)}
    parts = {word for word in several if not word.endswith(_WORD_END)}
    branches = [_tree(whole) + end] * bool(whole) + [_tree(parts)] * bool(parts)
    return f"({'|'.join(branches)})"


def _tree(words: Iterable[str]) -> str:
    """``words``, given in folded letters, as they may stand in an original text; common beginnings once."""
    branches, optional = [], ""
    for first, several in groupby(sorted(set(words)), key=lambda word: word[:1]):
        rests = [word[1:] for word in several]
        if first:
            rest = _tree(rests) if rests != [""] else ""
            branches.append(_LETTERS.get(first, re.escape(first)) + rest)
        else:
            optional = "?"
    return f"({'|'.join(branches)}){optional}"
