"""Public titles as one line of text that no spreadsheet takes for a formula, and back again.

What begins a formula gets an apostrophe in front, as today's pack does; here also behind quotation marks, blanks and
invisible characters, and in full-width spelling. No two texts become the same: ``plain`` takes the apostrophe away.
Source of the rule: OWASP, CSV Injection.
"""

from __future__ import annotations

import re
import unicodedata

# Characters that end a line or are no text; what turns the direction of writing hides what a reader sees.
_BREAKS = {"Cc", "Zl", "Zp"}
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›＂＇"
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫−"
_FORMULA = re.compile(rf"[\s{_QUOTES}\u200b-\u200f\u2060\ufeff\u00ad]*[{_SIGNS}]")


def _char(char: str) -> str:
    category = unicodedata.category(char)
    if category in _BREAKS:
        return " "
    if category == "Cs":
        return "\ufffd"  # half of a surrogate pair: UTF-8 cannot say it
    return "" if char in _TURNS else char


def one_line(value: str) -> str:
    """One line of well-formed Unicode without blanks around it."""
    return "".join(map(_char, value)).strip()


def safe(value: str) -> str:
    """One line that a spreadsheet takes for text. A tab or line break in front is gone, so it cannot begin one."""
    line = one_line(value)
    return f"'{line}" if _FORMULA.match(line) else line


def plain(value: str) -> str:
    """What ``safe`` was given, on one line."""
    return value[1:] if value.startswith("'") and _FORMULA.match(value) else value


def is_formula(value: str) -> bool:
    """Whether a spreadsheet may take this cell for a formula, or cut it into another cell."""
    return bool(_FORMULA.match(value)) and not value.startswith("'")


def markdown(value: str) -> str:
    """One line for Markdown, without marks that it would act upon."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", one_line(value))
