"""The true counts on a frame. They never leave the process that counted them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from privacy_ops.disclosure.linked.frame import Entry, Frame, Key, rest_of


@dataclass(frozen=True)
class Institutions:
    """Where the people of a count work: distinct resolved institutions, and people of the largest.

    All unresolved spellings together count as one institution.
    """

    resolved: int
    largest: int


@dataclass(frozen=True)
class Sum:
    """An amount of a cell: its sum, and what the two people add who add most."""

    total: int
    largest: int = 0
    second: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.second <= self.largest or self.largest + self.second > self.total:
            raise ValueError("the two largest contributions do not fit their sum")


@dataclass(frozen=True)
class Facts:
    """True facts of one cell, by name of measure or amount."""

    counts: Mapping[str, int]
    institutions: Mapping[str, Institutions] = field(default_factory=dict)
    amounts: Mapping[str, Sum] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Facts of every cell of a frame, no more and no fewer.

    Raises ValueError when facts are missing or contradict the frame: the protection is only as good as the equations
    are true. The message names no number.
    """

    frame: Frame
    facts: Mapping[Key, Facts]

    def __post_init__(self) -> None:
        if set(self.facts) != set(self.frame.keys):
            raise ValueError("the facts are not those of the public row set")
        names = {measure.name for measure in self.frame.measures}
        amounts = {amount.name for amount in self.frame.amounts}
        for facts in self.facts.values():
            if set(facts.counts) != names or set(facts.amounts) != amounts:
                raise ValueError("a cell lacks a measure, or has one too many")
            if min(facts.counts.values()) < 0:
                raise ValueError("a count is below zero")
            for measure in self.frame.measures:
                if measure.within is not None and facts.counts[measure.name] > facts.counts[measure.within]:
                    raise ValueError(f"{measure.name} cannot be more than {measure.within}")
            for amount in self.frame.amounts:
                if facts.amounts[amount.name].total > amount.most * facts.counts[amount.of]:
                    raise ValueError(f"{amount.name} is more than its cap allows")
        for relation in self.frame.relations:
            for measure in self.frame.measures:
                if relation.dimension in measure.unrelated:
                    continue
                whole = self.facts[relation.parent].counts[measure.name]
                parts = [self.facts[child].counts[measure.name] for child in relation.children]
                union = relation.dimension in measure.unions
                least = max(parts) if union else sum(parts)
                if whole < least or (relation.complete and whole > sum(parts)):
                    raise ValueError(f"{measure.name} does not fit along {relation.dimension}")
            for amount in self.frame.amounts:
                whole = self.facts[relation.parent].amounts[amount.name].total
                added = sum(self.facts[child].amounts[amount.name].total for child in relation.children)
                if whole < added or (relation.complete and whole != added):
                    raise ValueError(f"{amount.name} does not add up along {relation.dimension}")

    def value(self, entry: Entry) -> int:
        """The true number of an entry, complements included."""
        facts = self.facts[entry.key]
        if entry.measure in facts.amounts:
            return facts.amounts[entry.measure].total
        if entry.measure in facts.counts:
            return facts.counts[entry.measure]
        for measure in self.frame.measures:
            if measure.within is not None and rest_of(measure.name) == entry.measure:
                return facts.counts[measure.within] - facts.counts[measure.name]
        raise KeyError(entry.measure)

    def only(self, keys: tuple[Key, ...]) -> Table:
        """The same facts of fewer cells, for a file that is a filter of the master."""
        return Table(self.frame.only(keys), {key: self.facts[key] for key in keys})
