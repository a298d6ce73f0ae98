"""What must stand in a text for anything to be found in it, as regular expressions.

Every finding has an opening word ("I", "mi hija") and after it a number, a year or a fact ("minor"), or a number with a
unit right after it ("16 years"). The tables give these in folded letters; here every letter becomes all the characters
that fold to it. Two forms: one for PostgreSQL, which is fast without look-around and with gaps of any length, and one
for Python, whose matcher needs gaps with an end. Both need case-insensitive matching.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
_WORD_END = "<>"


def regex(languages: Iterable[Language]) -> str:
    """For PostgreSQL: no look-around, nothing counted but a few characters. Python reads it alike.

    PostgreSQL builds its automaton anew for every text, so beginnings that words share are written once.
    """
    several = list(languages)
    anything, begin, end = r"(.|\n)*", "(^|[^a-z])", "([^a-z]|$)"
    openers = _any((opener for language in several for opener in language.openers), "[^a-z]")
    words = _tree({word for language in several for word in language.numbers})
    units = _tree({unit for language in several for unit in language.units})
    pairs = "|".join(
        f"{_any(first, '[^a-z]')}{anything}{_any(then, end)}" for language in several for first, then in language.pairs
    )
    number = f"({anything}[^0-9])?{_DIGITS}([^0-9]|$)|({anything}[^a-z])?{words}([^a-ik-z]|$)|{anything}{_YEAR}"
    return f"{_MARK}|{begin}({openers}({number})|{pairs})|((^|[^0-9]){_DIGITS}|{begin}{words})[^0-9a-z]{{0,4}}{units}"


@cache
def gate(language: Language) -> re.Pattern[str]:
    """For Python, one language: cheaper than the rules behind it, with bounded work at every place of a text."""
    begin, end = "(?<![a-z])", "(?![a-z])"
    gap = f"([{WHITE}]*[^{WHITE}]){{0,{REACH}}}[{WHITE}]*"
    number = f"((?<![0-9]){_DIGITS}(?![0-9])|{begin}{_tree(language.numbers)}(?![a-ik-z]))"
    branches = [
        f"{_any(language.openers, end)}{gap}({number}|{_YEAR})",
        f"{number}[^0-9a-z]{{0,4}}{_tree(language.units)}",
        *(f"{_any(first, end)}{gap}{_any(then, end)}" for first, then in language.pairs),
    ]
    return re.compile(f"{_MARK}|{begin}({'|'.join(branches)})", re.IGNORECASE)


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
