"""What the attacks are carried out on: random tables, a made-up publisher, and the Open University's presentations."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from privacy_ops.disclosure.linked.cells import PublishedCell
from privacy_ops.disclosure.linked.frame import Amount, Dimension, Entry, Frame, Key, Measure
from privacy_ops.disclosure.linked.protect import Mask, protect
from privacy_ops.disclosure.linked.publish import project, publish
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.linked.table import Table
from privacy_ops.usage import frames, periods
from privacy_ops.usage.frames import ALL, COMPLETERS, MINUTES, STARTERS, parts_of
from privacy_ops.usage.protection import cells_of, keys_of, protect_period
from privacy_ops.usage.release_spec import BasePeriod
from privacy_ops.usage.view import PublicCourse

from bench import utility
from tests.attack.attacks import Insider, Released
from tests.linked_tables import CAP, Person, count, crossed, flat

OULAD = os.environ.get("OULAD_DIR")
PRESENTATIONS = 22


@dataclass(frozen=True)
class Case:
    """A release with the truth behind it, which only the scoring sees, and what an insider may bring."""

    name: str
    released: Released
    table: Table
    insider: Insider
    largest: Mapping[Entry, tuple[int, int]]


def of_table(name: str, table: Table, rules: Rules, mask: Mask | None = None) -> Case:
    """A table protected and released to three readers: all of it, its first two dimensions, and its margins."""
    cells = publish(table, mask or protect(table, rules), rules)
    roots = [dimension.root for dimension in table.frame.dimensions]
    names = list(cells[0].values)
    margins = [key for key in table.frame.keys if sum(k != r for k, r in zip(key, roots, strict=True)) <= 1]
    first = [key for key in table.frame.keys if key[1:] == tuple(roots[1:]) or key[0] == roots[0]]
    files = (cells, project(cells, margins, names), project(cells, first, names))
    lists = (frozenset(table.frame.keys), frozenset(margins), frozenset(first))
    return Case(name, Released(table.frame, rules, files, lists), table, _insider(table), _largest(table))


def _insider(table: Table) -> Insider:
    """Somebody of the largest institution of every cell, which is more than any one person is."""
    own = {
        Entry(key, measure): known.largest
        for key, facts in table.facts.items()
        for measure, known in facts.institutions.items()
    }
    return Insider({entry: people for entry, people in own.items() if people})


def _largest(table: Table) -> dict[Entry, tuple[int, int]]:
    return {
        Entry(key, name): (amount.largest, amount.second)
        for key, facts in table.facts.items()
        for name, amount in facts.amounts.items()
    }


# A made-up publisher


QUARTER = periods.from_key("2026-Q2")
READERS = (("EXP-AUTHOR", ("period", "country_quarter")), ("EXP-SUPPORTER", ("period", "region_quarter")))


@cache
def publisher(courses: int, base: BasePeriod, seed: int = 5) -> tuple[Case, ...]:
    """Courses of one quarter, in their weeks or blocks and by country and region, as three readers get them: an author,
    a supporter, and whoever has the files of all periods."""
    world = utility.make(seed, QUARTER.monday, QUARTER.weeks, courses=courses, starts=40 * courses)
    every = (*parts_of(QUARTER, base), QUARTER)
    counted = {period: utility.count(world, period, world.lists.courses) for period in every}
    return tuple(_course(course, base, world, counted) for course in world.lists.courses)


def _course(course_id: str, base: BasePeriod, world: utility.World, counted: Mapping) -> Case:
    course = PublicCourse(course_id, course_id, tuple((m, m) for c, m in world.lists.modules if c == course_id))
    places, spec = utility.PLACES, utility.SPEC
    masters = []
    for period in counted:
        cells = [cell for part in (*parts_of(period, base), period) for cell in counted[part][course_id]]
        told = [kept for _, kept in masters] if period == QUARTER else []
        masters.append((period, protect_period(period, base, course, places, spec, cells, told, is_open=True)))
    frame = frames.activity_frame(QUARTER, base, course, places, spec)
    table = frames.activity_table(frame, [cell for part in counted.values() for cell in part[course_id]])
    files: list[tuple[PublishedCell, ...]] = []
    lists: list[frozenset[Key]] = []
    for product, tables in READERS:
        mine: dict[Key, PublishedCell] = {}
        listed: set[Key] = set()
        for period, kept in masters:
            for name in tables:
                given = spec.audiences[product].tables[name]
                own = frames.activity_frame(period, base, course, places, spec)
                keys = set(keys_of(name, given, period, base, own))
                listed |= keys
                for cell in cells_of(kept, product, name):
                    if cell.key in keys:
                        mine[cell.key] = _seen(cell, mine.get(cell.key))
        files.append(tuple(mine[key] for key in sorted(mine)))
        lists.append(frozenset(listed))
    whole = tuple(cell for _, kept in masters for cell in kept.master if cell.key in set(frame.keys))
    files.append(tuple(_seen(cell, None) for cell in sorted(whole, key=lambda cell: cell.key)))
    released = Released(frame, spec.rules(), tuple(files), (*lists, frozenset(frame.keys)))
    return Case(course_id, released, table, _insider(table), _largest(table))


def _seen(cell: PublishedCell, before: PublishedCell | None) -> PublishedCell:
    """Starters, completers and minutes: how many learned is never shown."""
    values = {name: cell.values[name] for name in (STARTERS, COMPLETERS, MINUTES)}
    if before is not None:
        values = {name: value if value is not None else before.values[name] for name, value in values.items()}
    return PublishedCell(cell.key, values)


# The Open University, region × education


@cache
def presentations() -> tuple[str, ...]:
    """Names of all presentations, the smallest first."""
    sizes = Counter(f"{row['code_module']} {row['code_presentation']}" for row in _rows("studentInfo"))
    return tuple(sorted(sizes, key=lambda name: (sizes[name], name)))


@cache
def open_university(presentation: str) -> Case:
    """Who enrolled, who passed, and what they handed in, by region and education and by time (in blocks of 60 days).

    The band of deprivation stands for a group whose members may know each other. A submission counts as an hour.
    """
    module, code = presentation.split()
    handed: dict[str, list[int]] = defaultdict(list)
    mine = {
        r["id_assessment"] for r in _rows("assessments") if (r["code_module"], r["code_presentation"]) == (module, code)
    }
    for row in _rows("studentAssessment"):
        if row["id_assessment"] in mine:
            handed[row["id_student"]].append(int(row["date_submitted"]))
    people = []
    regions, educations = set(), set()
    for row in _rows("studentInfo"):
        if (row["code_module"], row["code_presentation"]) != (module, code):
            continue
        regions.add(row["region"])
        educations.add(row["highest_education"])
        days = handed[row["id_student"]]
        times = sorted({f"t{min(max(day, 0) // 60, 4)}" for day in days}) or ["t0"]
        measures = {STARTERS} | ({COMPLETERS} if row["final_result"] in {"Pass", "Distinction"} else set())
        people.append(
            Person(
                ((row["region"],), (row["highest_education"],), tuple(times)),
                frozenset(measures),
                min(3600 * len(days), CAP),
                row["imd_band"] or "unresolved",
            )
        )
    dimensions = (
        flat("region", regions),
        flat("education", educations),
        Dimension("time", dict.fromkeys([f"t{n}" for n in range(5)], "*")),
    )
    over = frozenset({"time"})
    frame = Frame(
        dimensions,
        (Measure(STARTERS, unions=over), Measure(COMPLETERS, within=STARTERS, unions=over, share=True)),
        crossed(dimensions, ("region", "education"), ("time",)),
        (Amount(MINUTES, of=STARTERS, most=CAP),),
    )
    return of_table(presentation, count(frame, people), Rules(min_institutions=3))


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    assert OULAD
    with gzip.open(Path(OULAD) / f"{name}.csv.gz", "rb") as file:
        return tuple(csv.DictReader(io.TextIOWrapper(file, "utf-8")))


def of(cases: Iterable[Case]) -> list[Case]:
    """Some cases, of which there must be some, with something withheld and something shown in each."""
    found = list(cases)
    assert found
    for case in found:
        values = case.released.values().values()
        assert any(value is None for value in values), case.name
        assert any(value is not None for value in values), case.name
    return found


__all__ = ["ALL", "OULAD", "PRESENTATIONS", "Case", "of", "of_table", "open_university", "presentations", "publisher"]
