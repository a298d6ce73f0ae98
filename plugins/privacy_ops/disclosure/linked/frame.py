"""What everybody knows of a set of linked tables: dimensions, measures, the row set, and how cells hang together.

A cell is named by one member of each dimension; a dimension's root stands for all of it, so ``("*", "GB", "*")`` is
the course in one country and all professions. Tables are linked by sharing such cells. The row set is a public list
given from outside: a cell is there whether anybody was counted in it or not.

How a parent comes from its children differs by measure: learners are unions over modules (one person may be in many:
``largest ≤ parent ≤ sum``) and sums over countries (everybody has one).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

Key = tuple[str, ...]


class Entry(NamedTuple):
    """One number: a measure of a cell."""

    key: Key
    measure: str


@dataclass(frozen=True)
class Dimension:
    """A tree of members, given as child → parent. Exactly one member, the root, is nobody's child."""

    name: str
    parents: Mapping[str, str]

    def __post_init__(self) -> None:
        roots = set(self.parents.values()) - set(self.parents)
        if len(roots) != 1:
            raise ValueError(f"dimension {self.name} needs exactly one root, it has {sorted(roots)}")
        for member in self.parents:
            seen = {member}
            while (member := self.parents.get(member, "")) in self.parents:
                if member in seen:
                    raise ValueError(f"dimension {self.name} runs in a circle at {member}")
                seen.add(member)

    @cached_property
    def root(self) -> str:
        return next(iter(set(self.parents.values()) - set(self.parents)))

    @cached_property
    def members(self) -> frozenset[str]:
        return frozenset(self.parents) | {self.root}

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Children of each member that has any, in order of name."""
        found: dict[str, list[str]] = {}
        for child, parent in sorted(self.parents.items()):
            found.setdefault(parent, []).append(child)
        return {parent: tuple(children) for parent, children in found.items()}


@dataclass(frozen=True)
class Measure:
    """A count of people. ``within``: the measure that these people are some of; the others are then its complement.

    ``unions``: dimensions along which one person may be counted in several members. ``unrelated``: dimensions along
    which nothing can be said (to complete a course may take more than to complete each of its modules).
    ``share``: the share of ``within`` is published as a band. ``beside``: a measure of which these people are mostly
    some, without being so by definition: a small difference of the two tells of few people as a complement does.
    """

    name: str
    within: str | None = None
    unions: frozenset[str] = frozenset()
    unrelated: frozenset[str] = frozenset()
    share: bool = False
    beside: str | None = None

    def __post_init__(self) -> None:
        if self.share and self.within is None:
            raise ValueError(f"a share of what? {self.name} is within no other measure")


@dataclass(frozen=True)
class Amount:
    """Something that each person adds to, up to ``most`` (minutes, capped); published as a band of its mean.

    ``of``: the measure that counts these people. Amounts add up along every dimension.
    """

    name: str
    of: str
    most: int


class Relation(NamedTuple):
    """A parent cell and those of its parts that are in the row set; ``complete`` when they are all of it."""

    dimension: str
    parent: Key
    children: tuple[Key, ...]
    complete: bool


def rest_of(measure: str) -> str:
    """Name of the complement of a measure: who is in the measure around it, but not in it."""
    return f"not {measure}"


@dataclass(frozen=True)
class Frame:
    """The public side of linked tables. Measures are listed from the outermost in: ``within`` names an earlier one."""

    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    keys: tuple[Key, ...]
    amounts: tuple[Amount, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(sorted(set(self.keys))))
        for key in self.keys:
            if len(key) != len(self.dimensions):
                raise ValueError(f"{key} does not name one member of each dimension")
            for dimension, member in zip(self.dimensions, key, strict=True):
                if member not in dimension.members:
                    raise ValueError(f"{member} is not a member of {dimension.name}")
        names = [measure.name for measure in self.measures] + [amount.name for amount in self.amounts]
        if not self.measures or len(set(names)) != len(names):
            raise ValueError("measures need names of their own, and there must be one")
        for index, measure in enumerate(self.measures):
            if measure.within is not None and measure.within not in names[:index]:
                raise ValueError(f"{measure.name} is within {measure.within}, which is not listed before it")
            if measure.beside is not None and measure.beside not in names[:index]:
                raise ValueError(f"{measure.name} is beside {measure.beside}, which is not listed before it")
        for amount in self.amounts:
            if amount.of not in names[: len(self.measures)]:
                raise ValueError(f"{amount.name} is of {amount.of}, which is no measure")

    @cached_property
    def inner(self) -> Mapping[str, tuple[str, ...]]:
        """For each measure, what must be withheld with it: measures within it and amounts of it, at any depth."""
        outer = {m.name: m.within for m in self.measures} | {a.name: a.of for a in self.amounts}
        found: dict[str, list[str]] = {name: [] for name in outer}
        for name in outer:
            around = outer[name]
            while around is not None:
                found[around].append(name)
                around = outer[around]
        return {name: tuple(inside) for name, inside in found.items()}

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """Every cell that has parts in the row set, along each dimension."""
        listed = set(self.keys)
        found = []
        for key in self.keys:
            for place, dimension in enumerate(self.dimensions):
                children, complete = self._parts(key, place, dimension, listed)
                if children:
                    found.append(Relation(dimension.name, key, tuple(children), complete))
        return tuple(found)

    @cached_property
    def siblings(self) -> Mapping[Key, tuple[Relation, ...]]:
        """Cells without parts, with the relations that they are a part of: two with the same could change places."""
        whole = {relation.parent for relation in self.relations}
        found: dict[Key, list[Relation]] = {key: [] for key in self.keys if key not in whole}
        for relation in self.relations:
            for child in relation.children:
                if child in found:
                    found[child].append(relation)
        return {key: tuple(relations) for key, relations in found.items()}

    def _parts(self, key: Key, place: int, dimension: Dimension, listed: Collection[Key]) -> tuple[list[Key], bool]:
        """The nearest listed parts below a cell: where a level is not listed, the one beneath it."""
        members = dimension.children.get(key[place], ())
        parts: list[Key] = []
        complete = bool(members)
        for member in members:
            part = (*key[:place], member, *key[place + 1 :])
            if part in listed:
                parts.append(part)
                continue
            below, whole = self._parts(part, place, dimension, listed)
            parts += below
            complete = complete and whole
        return parts, complete

    def only(self, keys: Iterable[Key]) -> Frame:
        """The frame of a file that holds some of the rows. Raises ValueError for a row that is not listed."""
        chosen = tuple(keys)
        if not set(chosen) <= set(self.keys):
            raise ValueError("a row is not in the public list")
        return Frame(self.dimensions, self.measures, chosen, self.amounts)
