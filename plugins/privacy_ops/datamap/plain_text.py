"""A value without what people and exports put around it: any blank is a blank, a digit of another script a digit.

Once in Python and once in SQL: a value that detection reads has to read the same when the erasing transaction looks at
it again. Where one of the two stumbled over a line end, nobody at all would be erased that night.
"""

from __future__ import annotations

import re

# Also those that nobody sees: line ends of another system, no-break and zero-width spaces, marks of direction.
_BLANK = r"[\s\u001c-\u001f\u0085\u00a0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f\u2060\u2066-\u2069\u3000\ufeff]+"
# Full-width, Arabic, Persian, Devanagari, Thai.
_DIGITS = "０１２３４５６７８９٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९๐๑๒๓๔๕๖๗๘๙"
_OURS = "0123456789" * (len(_DIGITS) // 10)
ANY_DIGIT = f"[0-9{_DIGITS}]"

_blanks = re.compile(_BLANK)
_to_ours = str.maketrans(_DIGITS, _OURS)


def plain(text: str) -> str:
    """The text with single blanks, none around it, and digits of ours."""
    return _blanks.sub(" ", text).strip(" ").translate(_to_ours)


def plain_sql(expression: str) -> str:
    """The same of a SQL expression of type text."""
    return f"translate(btrim(regexp_replace({expression}, '{_BLANK}', ' ', 'g')), '{_DIGITS}', '{_OURS}')"
