"""Made-up linked tables for the tests and measurements of disclosure control: people first, then their counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from hypothesis import strategies as st
from privacy_ops.disclosure.linked.frame import Amount, Dimension, Frame, Key, Measure
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.linked.table import Facts, Institutions, Sum, Table

RULES = Rules()


def flat(name: str, members: Iterable[str]) -> Dimension:
    """A dimension without levels between its members and all of them."""
    return Dimension(name, dict.fromkeys(members, "*"))


def crossed(dimensions: Sequence[Dimension], *tables: Sequence[str]) -> tuple[Key, ...]:
    """Keys of linked tables: each table crosses the named dimensions at all their levels."""
    return tuple({
        key
        for table in tables
        for key in product(*(sorted(d.members) if d.name in table else [d.root] for d in dimensions))
    })


def numbers(*rows: Sequence[int]) -> Table:
    """A plain table of counts with its margins: one measure, two dimensions, everybody in exactly one cell."""
    dimensions = (
        flat("row", [f"r{i}" for i in range(len(rows))]),
        flat("column", [f"c{i}" for i in range(len(rows[0]))]),
    )
    frame = Frame(dimensions, (Measure("starters"),), crossed(dimensions, ("row", "column")))
    counts: Counter[Key] = Counter()
    for i, row in enumerate(rows):
        for j, count in enumerate(row):
            for key in product((f"r{i}", "*"), (f"c{j}", "*")):
                counts[key] += count
    return Table(frame, {key: Facts({"starters": counts[key]}) for key in frame.keys})


@dataclass(frozen=True)
class Person:
    """What is counted of one person: a place along each dimension (several where people overlap), and more."""

    places: tuple[tuple[str, ...], ...]
    measures: frozenset[str]
    seconds: int = 0
    institution: str = "unresolved"


def count(frame: Frame, people: Iterable[Person]) -> Table:
    """The table of these people, by definition: everybody once in every cell that they belong to."""
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    sums: dict[Key, list[int]] = defaultdict(list)
    where: dict[tuple[Key, str], Counter[str]] = defaultdict(Counter)
    listed = set(frame.keys)
    for person in people:
        leaves = list(product(*person.places))
        spent: Counter[Key] = Counter()
        for leaf in leaves:
            for key in product(*(_upwards(d, m) for d, m in zip(frame.dimensions, leaf, strict=True))):
                if key in listed:
                    spent[key] += person.seconds // len(leaves)
        for key, seconds in spent.items():
            sums[key].append(seconds)
            for measure in person.measures:
                counts[key][measure] += 1
                where[key, measure][person.institution] += 1
    return Table(frame, {key: _facts(frame, key, counts[key], sums[key], where) for key in frame.keys})


def _upwards(dimension: Dimension, member: str) -> list[str]:
    found = [member]
    while found[-1] in dimension.parents:
        found.append(dimension.parents[found[-1]])
    return found


def _facts(
    frame: Frame, key: Key, counts: Counter[str], sums: list[int], where: Mapping[tuple[Key, str], Counter[str]]
) -> Facts:
    top = [*sorted(sums, reverse=True), 0, 0]
    return Facts(
        {m.name: counts[m.name] for m in frame.measures},
        {
            m.name: Institutions(len(found), max(found.values(), default=0))
            for m in frame.measures
            if (found := where.get((key, m.name), Counter())) is not None
        },
        {a.name: Sum(sum(sums), top[0], top[1]) for a in frame.amounts},
    )


MODULE = flat("module", ["m0", "m1", "m2"])
COUNTRY = Dimension("country", {"GB": "europe", "FR": "europe", "US": "america", "europe": "*", "america": "*"})
PROFESSION = flat("profession", ["doctor", "nurse"])
LINKS = (("module", "country"), ("module", "profession"), ("country", "profession"))
CAP = 7 * 120 * 60


def course_frame(
    *tables: Sequence[str], module_is: Literal["union", "unrelated"] = "union", minutes: bool = False
) -> Frame:
    """A course by module, country and profession: starters, completers among them, and their minutes."""
    modules = frozenset({"module"})
    kinds = {"unions": modules} if module_is == "union" else {"unrelated": modules}
    return Frame(
        (MODULE, COUNTRY, PROFESSION),
        (Measure("starters", **kinds), Measure("completers", within="starters", share=True, **kinds)),
        crossed((MODULE, COUNTRY, PROFESSION), *tables),
        (Amount("minutes", of="starters", most=CAP),) if minutes else (),
    )


@st.composite
def linked_tables(draw: st.DrawFn) -> Table:
    """Groups of people with the modules they touched, counted: small and large, with zeros, over linked tables."""
    tables = draw(st.lists(st.sampled_from(LINKS), min_size=1, max_size=3, unique=True))
    frame = course_frame(*tables, minutes=draw(st.booleans()))
    people: list[Person] = []
    for _ in range(draw(st.integers(1, 7))):
        modules = tuple(draw(st.lists(st.sampled_from(["m0", "m1", "m2"]), min_size=1, max_size=3, unique=True)))
        country = draw(st.sampled_from(["GB", "FR", "US"]))
        profession = draw(st.sampled_from(["doctor", "nurse"]))
        size = draw(st.sampled_from([1, 3, 9, 10, 11, 25, 60]))
        done = draw(st.integers(0, size))
        seconds = draw(st.sampled_from([0, 300, 5000, CAP]))
        people += [
            Person(
                (modules, (country,), (profession,)),
                frozenset({"starters", "completers"} if number < done else {"starters"}),
                seconds if number else CAP,
                institution=f"hospital {number % 7}",
            )
            for number in range(size)
        ]
    return count(frame, people)


def stress(
    seed: int,
    people: int = 2500,
    *,
    modules: int = 20,
    countries: int = 30,
    professions: int = 10,
    with_completers: bool = True,
) -> Table:
    """The stress bundle: a course of modules × countries in regions, × professions, and country × profession.

    With 2,500 people, 4 in 10 of its cells are small.
    """
    dimensions = (
        flat("module", [f"m{i:02}" for i in range(modules)]),
        Dimension(
            "country",
            {f"c{i:02}": f"region{i % 6}" for i in range(countries)} | {f"region{i}": "*" for i in range(6)},
        ),
        flat("profession", [f"p{i:02}" for i in range(professions)]),
    )
    union = frozenset({"module"})
    frame = Frame(
        dimensions,
        (
            Measure("starters", unions=union),
            *([Measure("completers", within="starters", unions=union, share=True)] if with_completers else []),
        ),
        crossed(dimensions, ("module", "country"), ("module", "profession"), ("country", "profession")),
    )
    draw = np.random.default_rng(seed)
    nations = draw.permutation(countries)
    country = nations[draw.choice(countries, people, p=_zipf(countries))]
    profession = draw.choice(professions, people, p=_zipf(professions))
    begun = draw.random((people, modules)) < draw.uniform(0.05, 0.5, modules)
    begun[np.arange(people), draw.integers(0, modules, people)] = True
    done = begun & (draw.random((people, 1)) < 0.5) & (draw.random((people, modules)) < 0.7)
    cubes = {"starters": _cube(country, profession, begun), "completers": _cube(country, profession, done)}
    facts = {key: Facts({m.name: cubes[m.name][key] for m in frame.measures}) for key in frame.keys}
    return Table(frame, facts)


def _zipf(n: int) -> np.ndarray:
    weights = 1 / np.arange(1, n + 1)
    return weights / weights.sum()


def _cube(country: np.ndarray, profession: np.ndarray, chosen: np.ndarray) -> Counter[Key]:
    """Distinct people of every cell of the stress bundle."""
    found: Counter[Key] = Counter()
    anything = chosen.any(axis=1)
    for c, p in zip(country[anything], profession[anything], strict=True):
        for nation in (f"c{c:02}", f"region{c % 6}", "*"):
            for job in (f"p{p:02}", "*"):
                found["*", nation, job] += 1
    for place, names in ((country, "c"), (profession, "p")):
        for member in np.unique(place):
            for module, people in enumerate(chosen[place == member].sum(axis=0).tolist()):
                nations = (f"c{member:02}", f"region{member % 6}", "*") if names == "c" else ()
                for nation in nations:
                    found[f"m{module:02}", nation, "*"] += people
                if names == "p":
                    found[f"m{module:02}", "*", f"p{member:02}"] += people
    return found
