"""Folds text for matching and remembers where every folded character stood.

Lower case; vowels, c and n without their accents (also when an accent is a combining mark of its own); sharp s as
``ss``; one kind of apostrophe, quotation mark and dash; every run of white space one blank, or one line feed where a
line ends. Every other character stays as it is. One pass, any text.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

ACCENTED = {
    "a": "àáâãäåÀÁÂÃÄÅ",
    "c": "çÇ",
    "e": "èéêëÈÉÊË",
    "i": "ìíîïÌÍÎÏ",
    "n": "ñÑ",
    "o": "òóôõöÒÓÔÕÖ",
    "u": "ùúûüÙÚÛÜ",
    "y": "ýÿÝ",
}
APOSTROPHES = "'\u2018\u2019\u02bc\u00b4\u0060\u2032"
QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a'
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
WHITE = (
    " \t\n\r\x0b\x0c\x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
FIRST_MARK, LAST_MARK = "\u0300", "\u036f"

_FOLDED: dict[str, str] = {chr(upper): chr(upper + 32) for upper in range(ord("A"), ord("Z") + 1)}
_FOLDED |= {accented: plain for plain, several in ACCENTED.items() for accented in several}
_FOLDED |= dict.fromkeys("ßẞ", "ss") | {"œ": "oe", "Œ": "oe", "º": "o", "ª": "a"}
_FOLDED |= dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(QUOTES, '"') | dict.fromkeys(DASHES, "-")
_WHITE = frozenset(WHITE)
_TAKES_MARK = frozenset(ACCENTED)


@dataclass(frozen=True)
class Folded:
    """``text`` is what the rules read; ``offsets[i]`` is where its i-th character stood, with the end as last item."""

    text: str
    offsets: array[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Half-open offsets in the original text of the folded span ``start``..``end``."""
        if end <= start:
            return self.offsets[start], self.offsets[start]
        # Two folded characters of one letter (ß) stand at one place: step over the letter.
        return self.offsets[start], max(self.offsets[end], self.offsets[end - 1] + 1)


def fold(text: str) -> Folded:
    """``text`` (any Unicode) folded. Linear in its length."""
    folded: list[str] = []
    offsets = array("Q")
    position, length = 0, len(text)
    while position < length:
        character = text[position]
        if character in _WHITE:
            end = position
            while end < length and text[end] in _WHITE:
                end += 1
            folded.append("\n" if "\n" in text[position:end] else " ")
            offsets.append(position)
            position = end
            continue
        for one in _FOLDED.get(character, character):
            folded.append(one)
            offsets.append(position)
        position += 1
        if folded[-1] in _TAKES_MARK and position < length and FIRST_MARK <= text[position] <= LAST_MARK:
            position += 1
    offsets.append(length)
    return Folded("".join(folded), offsets)
