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
from itertools import pairwise

from privacy_ops.minors.freetext.folding import ACCENTED, APOSTROPHES, DASHES, FIRST_MARK, LAST_MARK, WHITE
from privacy_ops.minors.freetext.model import Language

# The longest way from an opening word to its fact, in characters that are no white space.
REACH = 80
_MARK = f"[{FIRST_MARK}-{LAST_MARK}]?"
_ALSO = {"a": "ª", "o": "ºœŒ"}
_LETTERS = {plain: f"[{plain}{several}{_ALSO.get(plain, '')}]{_MARK}" for plain, several in ACCENTED.items()}
_LETTERS |= {"'": f"[{APOSTROPHES}]", "-": f"[{DASHES[1:]}-]", " ": f"[{WHITE}]+"}
_SYMBOL = re.compile(r"<>|\\.|\[[^]]*\]|.", re.DOTALL)
_DIGITS, _YEAR = "(0?[0-9]|1[0-8])", "[12][09][0-9][0-9]"


def regex(languages: Iterable[Language]) -> str:
    """For PostgreSQL: no look-around, nothing counted but a few characters. Python reads it alike."""
    several = list(languages)
    anything, begin = r"(.|\n)*", "(^|[^a-z])"
    words = _any(word for language in several for word in language.numbers)
    number = f"(({anything}[^0-9])?{_DIGITS}([^0-9]|$)|({anything}[^a-z])?{words}([^a-ik-z]|$)|{anything}{_YEAR})"
    units = _any(unit for language in several for unit in language.units)
    branches = [
        f"{begin}{_opened(o for language in several for o in language.openers)}{number}",
        f"(^|[^0-9]){_DIGITS}[^0-9a-z]{{0,4}}{units}",
        f"{begin}{words}[^0-9a-z]{{0,4}}{units}",
        *(
            f"{begin}{_opened(openers)}{anything}{_any(facts, end='([^a-z]|$)')}"
            for language in several
            for openers, facts in language.pairs
        ),
    ]
    return "|".join(branches)


@cache
def gate(language: Language) -> re.Pattern[str]:
    """For Python, one language: cheaper than the rules behind it, with bounded work at every place of a text."""
    begin, end = "(?<![a-z])", "(?![a-z])"
    gap = f"([{WHITE}]*[^{WHITE}]){{0,{REACH}}}[{WHITE}]*"
    number = f"((?<![0-9]){_DIGITS}(?![0-9])|{begin}{_any(language.numbers)}(?![a-ik-z]))"
    branches = [
        f"{_any(language.openers, end)}{gap}({number}|{_YEAR})",
        f"{number}[^0-9a-z]{{0,4}}{_any(language.units)}",
        *(f"{_any(openers, end)}{gap}{_any(facts, end)}" for openers, facts in language.pairs),
    ]
    return re.compile(f"{begin}({'|'.join(branches)})", re.IGNORECASE)


def _opened(openers: Iterable[str]) -> str:
    """Any of the opening words; a whole word takes the character after it along, which is no letter."""
    several = list(dict.fromkeys(openers))
    whole = [opener.removesuffix("<>") for opener in several if opener.endswith("<>")]
    parts = [opener for opener in several if not opener.endswith("<>")]
    branches = [f"{_any(whole)}[^a-z]"] * bool(whole) + [_any(parts)] * bool(parts)
    return f"({'|'.join(branches)})"


def _any(pieces: Iterable[str], end: str = "") -> str:
    return "(" + "|".join(dict.fromkeys(_raw(piece, end) for piece in pieces)) + ")"


def _raw(piece: str, end: str) -> str:
    """``piece``, written in folded letters, as it may stand in an original text; ``<>`` is the end of a word."""
    symbols = [*_SYMBOL.findall(piece), ""]
    raw = []
    for symbol, following in pairwise(symbols):
        several = end if symbol == "<>" else _LETTERS.get(symbol, symbol)
        raw.append(f"({several})" if following == "?" and several != symbol else several)
    return "".join(raw)
