"""The regular expression that lets a database pass by texts in which nothing can be found.

Written in the part of the syntax that PostgreSQL and Python read alike. A language's ``candidates`` are written in
folded words; here every letter is turned back into all the characters that fold to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from privacy_ops.minors.freetext.folding import ACCENTED, APOSTROPHES, DASHES, FIRST_MARK, LAST_MARK, WHITE
from privacy_ops.minors.freetext.model import Language

# The longest way from the first word of a statement to its number, in characters that are no white space.
REACH = 80
_MARK = f"[{FIRST_MARK}-{LAST_MARK}]?"
_LETTER = {plain: f"[{plain}{plain.upper()}{several}]{_MARK}" for plain, several in ACCENTED.items()}
_LETTER["o"] = f"[oO{ACCENTED['o']}ºŒœ]{_MARK}"
_LETTER["a"] = f"[aA{ACCENTED['a']}ª]{_MARK}"
_LETTER["s"] = "[sSßẞ]"
_LETTER["'"] = f"[{APOSTROPHES}]"
_LETTER["-"] = f"[{DASHES[1:]}-]"
_LETTER[" "] = f"[{WHITE}]+"
_TOKEN = re.compile(r"\{[a-z]+\}|\\.|\[[^]]*\]|.", re.DOTALL)


def regex(languages: Iterable[Language]) -> str:
    """One alternation of every candidate of every language."""
    return "|".join(dict.fromkeys(_raw(language, candidate) for language in languages for candidate in language.candidates))


def _raw(language: Language, candidate: str) -> str:
    return "".join(_piece(language, token) for token in _TOKEN.findall(candidate))


def _piece(language: Language, token: str) -> str:
    gap = f"([{WHITE}]*[^{WHITE}]){{0,{REACH}}}[{WHITE}]*"
    if token == "{gap}":
        return gap
    if token == "{age}":
        words = "|".join(_raw(language, word) for word in sorted(language.numbers))
        return f"((^|[^0-9])(0?[0-9]|1[0-8])([^0-9]|$)|{words})"
    if token == "{year}":
        return "20[0-9][0-9]"
    return _LETTER.get(token, token)
