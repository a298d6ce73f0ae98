"""What one level of a protected course shows, and what each rule took from it: cells, and shares of those who started.

For people of the house. It is kept for good, longer than true counts are: so shares of people are told in steps of
which none is worth fewer people than the threshold. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

STEPS = (5, 10, 20, 25, 50, 100)  # per cent; each divides the whole
# Why a number is withheld: the rules of the disclosure engine, and what the exports add to them.
IN_WORDS: Mapping[str, str] = {
    "few": "fewer people than the threshold",
    "institutions": "too few institutions, or most people from one",
    "complement": "a difference from another figure that is few people",
    "share": "a share of nearly none or nearly all",
    "dominance": "minutes that one or two people make up",
    "around": "part of a figure that is withheld",
    "activity": "a course that never had enough learners",
    "linked": "complementary: so that no other figure can be worked out, or narrowed down to less than its width",
    "nested": "withheld in the master already: a stricter audience sees no more than a laxer one",
    "given": "withheld in a part of this period already",
    "revised": "a correction that would change it by few people, or show what was withheld",
    "unshown": "people whose country is not known: they have no row anywhere",
}


@dataclass(frozen=True)
class Level:
    """``people``: of those who started, per cent in cells that show them. ``withheld``: by rule, the cells whose
    starters it withheld, and per cent of those who started in them. Per cent in steps, rounded down."""

    cells: int
    published: int
    people: int
    withheld: Mapping[str, tuple[int, int]]

    def row(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "cells": self.cells,
            "published": self.published,
            "people": self.people,
            "withheld": {rule: list(cost) for rule, cost in self.withheld.items()},
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Level:
        """What ``row`` made."""
        withheld = {rule: (int(cells), int(people)) for rule, (cells, people) in kept["withheld"].items()}
        return cls(kept["cells"], kept["published"], kept["people"], withheld)


def level(cells: Iterable[tuple[int, str | None]], least: int) -> Level:
    """Of cells with how many started, and the rule that withheld them (None: published). ``least``: the threshold."""
    people: Counter[str | None] = Counter()
    number: Counter[str | None] = Counter()
    for count, rule in cells:
        people[rule] += count
        number[rule] += 1
    whole = people.total()
    rules = sorted(rule for rule in number if rule is not None)
    return Level(
        number.total(),
        number[None],
        percent(people[None], whole, least),
        {rule: (number[rule], percent(people[rule], whole, least)) for rule in rules},
    )


def percent(part: int, whole: int, least: int) -> int:
    """``part`` of ``whole`` in the smallest of the steps that is worth ``least`` people, rounded down; in a smaller
    whole than that, all or nothing is told."""
    if not whole:
        return 0
    step = next((step for step in STEPS if step * whole >= 100 * least), STEPS[-1])
    return 100 * part // (whole * step) * step
