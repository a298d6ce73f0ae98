"""What a language says about ages, as tables, and what is found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Literal

Strength = Literal["R", "W"]
About = Literal["self", "other"]
Minor = Literal["yes", "maybe"]
# How a rule's numbers become an age in completed years:
#   is        the number itself                turning   the birthday of that number is still to come
#   below     anything under the number        months    a number of months
#   grade     a school year: number + shift, and one more     born   a year, judged on the day of the text
#   fixed     the rule's own two ages          unknown   the text does not tell
Reads = Literal["is", "turning", "below", "months", "grade", "born", "fixed", "unknown"]


@dataclass(frozen=True)
class Finding:
    """Where a text states that somebody is under 18. Never holds any of the text.

    ``start``, ``end``: half-open character offsets in the text as given. ``strength``: R a clear first-person
    statement (or a report that a child uses the service), W something a person must read. ``minor``: ``yes`` when
    every stated age is under 18 on the day of the text, ``maybe`` when the ages are open, span 18 or are hedged.
    ``age_first``, ``age_last``: youngest and oldest age on that day in completed years, None when the text does not
    tell. ``rule`` starts with the language code.
    """

    rule: str
    strength: Strength
    start: int
    end: int
    about: About
    minor: Minor
    age_first: int | None
    age_last: int | None


@dataclass(frozen=True)
class Rule:
    """One way to state an age. ``pattern``: a regular expression over folded text; ``<word>`` inserts a piece of the
    language; the groups ``n`` hold ages, ``years`` a number of years ahead, ``y`` a year,
    ``bare`` marks a number without a unit. A group may be named more than once."""

    id: str
    pattern: str
    strength: Strength = "R"
    about: About = "self"
    reads: Reads = "is"
    ages: tuple[int, int] | None = None
    shift: int = 0
    hedged: bool = False
    least: int = 0  # a smaller number states nothing


@dataclass(frozen=True, eq=False)
class Language:
    """Tables of one language, all of them over folded text."""

    code: str
    months: tuple[str, ...]  # January to December, as many letters as tell them apart
    numbers: Mapping[str, int]
    pieces: Mapping[str, str]
    rules: tuple[Rule, ...]
    unreal_before: str  # words right before a statement that make it no statement: "imagine that"
    hedge_before: str  # words right before a statement that weaken it: "if", "until", "I told them that"
    own_words: str  # near a quotation: the writer quotes himself or herself
    child_uses: str  # in the sentence of a child's age: the child uses the service
    # For the database. Every finding holds an opener and after it a number or a year, or a number and right after it
    # a unit, or one of the pairs: a word of the first and after it one of the second. ``<>`` is the end of a word.
    openers: tuple[str, ...]
    units: tuple[str, ...]
    pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    # The same for statements about others, beside what stands above.
    kin: tuple[str, ...]
    kin_pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    @cached_property
    def words(self) -> str:
        """The number words, the longest first, so that "dix-sept" is not read as "dix"."""
        return "|".join(sorted(self.numbers, key=len, reverse=True))

    def expand(self, pattern: str) -> str:
        """``pattern`` with every ``<word>`` replaced by the language's piece. Raises KeyError for an unknown one."""
        while (expanded := _PIECE.sub(lambda m: f"(?:{self._piece(m[1])})", pattern)) != pattern:
            pattern = expanded
        serial = count()
        pattern = _SPACE.sub(lambda m: m[0].replace(" ", " \\n" if m[0][0] == "[" else "[ \\n]"), pattern)
        return _GROUP.sub(lambda m: f"(?P<{m[1]}_{next(serial)}>", pattern)

    def _piece(self, name: str) -> str:
        number = rf"\d{{1,2}}(?![\d%°€$£]|[.,/:]\d)|(?:{self.words})(?!\w|-(?![yj])\w)"
        own = {
            # A number may stand in emphasis or brackets: *16*, "16", (16).
            "n": rf"[\"*_(']?(?: ?(?<![\d.,:/$€£-])(?P<n>{number}))(?: ?[\"*_)'](?!\w))?",
            "m": rf"(?P<n>{number})",
            "k": rf"(?P<years>{number})",
            # A year, with what may stand before it in a date; the town may be named before that.
            "date": (
                r"(?:(?:\d{1,2}[a-z.,]{0,3}|<month>,?|de|del|of|the|year|ano|jahre?|annee|l'annee) ){0,5}"
                r"(?:\d{1,2}[/.-]\d{1,2}[/.-])?<y>"
            ),
            "month": rf"(?:{'|'.join(self.months)})[a-z]{{0,10}}\.?",
            "place": r"(?:(?:in|en|a|at) [a-z]{1,20},? (?=in |en |on |el |le |am |im ))?",
            "y": r"(?P<y>(?:19|20)\d\d)(?!\d)",
        }
        return own.get(name) or self.pieces[name]

    @cached_property
    def month_names(self) -> re.Pattern[str]:
        return re.compile("|".join(rf"\b({name})[a-z]{{0,10}}" for name in self.months))

    @cached_property
    def compiled(self) -> tuple[tuple[Rule, re.Pattern[str]], ...]:
        return tuple((rule, re.compile(self.expand(rule.pattern))) for rule in self.rules)

    @cached_property
    def unreal(self) -> re.Pattern[str]:
        return re.compile(self.expand(rf"\b(?:{self.unreal_before}) ?[:,]? ?$"))

    @cached_property
    def hedge(self) -> re.Pattern[str]:
        return re.compile(self.expand(rf"\b(?:{self.hedge_before}) ?$"))

    @cached_property
    def own(self) -> re.Pattern[str]:
        return re.compile(self.expand(rf"\b(?:{self.own_words})\b"))

    @cached_property
    def uses(self) -> re.Pattern[str]:
        return re.compile(self.expand(rf"\b(?:{self.child_uses})"))


# A blank in a table stands for a line end as well; a class in brackets is taken whole.
_SPACE = re.compile(r"\[(?:\\.|[^]\\])*\]| ")
_GROUP = re.compile(r"\(\?P<([a-z]+)>")
_PIECE = re.compile(r"(?<!P)<([a-z][a-z0-9_]*)>")
