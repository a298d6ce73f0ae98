"""The regular expression that lets a database pass by texts in which nothing can be found.

Written in the part of the syntax that PostgreSQL and Python read alike; needs case-insensitive matching. Every finding
has an opening word ("I", "mi hija") and, within ``REACH`` characters, a fact (a number, a year, "minor"), or a phrase
that stands for itself ("16 years old"). The tables give them in folded letters; here every letter becomes all the
characters that fold to it.
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
_GAP = f"([{WHITE}]*[^{WHITE}]){{0,{REACH}}}[{WHITE}]*"
_DIGITS = "(?<![0-9])(0?[0-9]|1[0-8])(?![0-9])"
_BEGIN, _END = "(?<![a-z])", "(?![a-z])"


def regex(languages: Iterable[Language]) -> str:
    """One expression for all the languages."""
    several = list(languages)
    words = _any(word for language in several for word in language.numbers)
    number = f"({_DIGITS}|{_BEGIN}{words}(?![a-ik-z]))"
    branches = [
        f"{_any(o for language in several for o in language.openers)}{_GAP}({number}|[12][09][0-9][0-9])",
        f"{number}[^0-9]{{0,6}}{_any(unit for language in several for unit in language.units)}",
        *(f"{_any(openers)}{_GAP}{_any(facts)}" for language in several for openers, facts in language.pairs),
    ]
    return f"{_BEGIN}({'|'.join(branches)})"


@cache
def gate(language: Language) -> re.Pattern[str]:
    """The expression of one language, compiled: cheaper than the rules behind it."""
    return re.compile(regex([language]), re.IGNORECASE)


def _any(pieces: Iterable[str]) -> str:
    return "(" + "|".join(dict.fromkeys(map(_raw, pieces))) + ")"


def _raw(piece: str) -> str:
    """``piece``, written in folded letters, as it may stand in an original text; ``<>`` is the end of a word."""
    symbols = [*_SYMBOL.findall(piece), ""]
    raw = []
    for symbol, following in pairwise(symbols):
        several = _END if symbol == "<>" else _LETTERS.get(symbol, symbol)
        raw.append(f"({several})" if following == "?" and several != symbol else several)
    return "".join(raw)
