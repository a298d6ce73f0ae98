"""What a small publisher's readers still see: 60 courses, 20,000 learners, 256 starts a week (SPEC 4.3).

A made-up publisher at the level of use: courses of uneven popularity, learners of uneven countries and hospitals, and a
year behind it, because a course that never had thirty learners is not released at all. Counted by
the statements of the export on DuckDB and protected by its engine; each course has the base period that its quarter
before decides. A cell is a course in one of its base periods; it is published where its starters are shown.

    PYTHONPATH=plugins:. python -m bench.utility [--quarters 2026-Q2 2026-Q3]
"""

from __future__ import annotations

import argparse
import random
import time
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

import duckdb
from privacy_ops.settings import home_directory
from privacy_ops.usage import counting, periods, places, release_spec
from privacy_ops.usage.counting import TrueCell
from privacy_ops.usage.frames import ALL, STARTERS, parts_of
from privacy_ops.usage.period_view import Lists
from privacy_ops.usage.periods import Period
from privacy_ops.usage.protecting import TABLES
from privacy_ops.usage.protection import Protected, cells_of, protect_period
from privacy_ops.usage.release_spec import BasePeriod, Product
from privacy_ops.usage.view import PublicCourse

from bench.duck import Duck

COURSES, LEARNERS, STARTS = 60, 20_000, 256  # starts a week, over all courses
PAST = 4  # quarters before the first that is measured
SPREAD = 0.85  # of the logarithm of a course's popularity
INCLUDE = home_directory() / "include"
SPEC = release_spec.load(INCLUDE / "release_spec.yaml")
PLACES = places.load(INCLUDE / "reference")
PRODUCTS: tuple[Product, ...] = ("EXP-AUTHOR", "EXP-SUPPORTER")
# Where the learners of a British publisher live, roughly; the others are spread over the rest of the world.
HOMES = {"GB": 40, "US": 14, "IE": 5, "DE": 5, "IN": 5, "AU": 4, "CA": 4, "FR": 3, "IT": 3, "ES": 3, "ZA": 2, "NL": 2}


@dataclass(frozen=True)
class Event:
    person: int
    course: int
    module: int
    day: date
    started: int
    completed: int
    passed: int
    seconds: int


@dataclass
class World:
    """Everybody and everything that they did, by day."""

    lists: Lists
    people: list[tuple[int, int, int, int]]  # person, country, region, institution
    events: list[Event]
    began: dict[tuple[int, int], date] = field(default_factory=dict)  # first start of a person in a course


def make(seed: int, first: date, weeks: int, *, courses: int = COURSES, starts: int = STARTS) -> World:
    """A publisher from a seed. Who starts a course goes through its modules, or leaves on the way."""
    dice = random.Random(seed)  # noqa: S311 - a made-up publisher
    modules = [(f"c{c + 1:02d}", f"c{c + 1:02d}m{m + 1}") for c in range(courses) for m in range(dice.randint(3, 8))]
    lists = Lists(tuple(f"c{c + 1:02d}" for c in range(courses)), tuple(modules), PLACES)
    of: dict[int, list[int]] = defaultdict(list)
    for number, (course, _) in enumerate(modules, start=1):
        of[lists.courses.index(course) + 1].append(number)
    numbers = {country.code: n for n, country in enumerate(PLACES.countries)}
    rest = [code for code in numbers if code not in HOMES]
    people = []
    for person in range(1, LEARNERS + 1):
        code = dice.choices([*HOMES, ""], [*HOMES.values(), 10])[0] or dice.choice(rest)
        institution = 0 if dice.random() < 0.1 else int(320 * dice.random() ** 3) + 1
        people.append((person, numbers[code], PLACES.regions.index(PLACES.region_of(code)), institution))
    popular = list(accumulate(dice.lognormvariate(0, SPREAD) for _ in range(courses)))
    world = World(lists, people, [])
    for week in range(weeks):
        for _ in range(starts):
            course = bisect(popular, dice.random() * popular[-1]) + 1
            person = dice.randint(1, LEARNERS)
            if (person, course) not in world.began:
                _study(world, dice, person, course, of[course], first + timedelta(7 * week + dice.randint(0, 6)))
    return world


def _study(world: World, dice: random.Random, person: int, course: int, modules: list[int], day: date) -> None:
    world.began[person, course] = day
    for module in modules:
        completes = dice.random() < 0.8
        passes = completes and dice.random() < 0.85
        seconds = int(60 * dice.lognormvariate(3, 0.6))
        world.events.append(Event(person, course, module, day, 1, int(completes), int(passes), seconds))
        if not completes:
            return
        day += timedelta(dice.choice((0, 0, 0, 0, 0, 0, 0, 0, 1, 5)))


def count(world: World, period: Period, courses: Iterable[str]) -> dict[str, list[TrueCell]]:
    """True cells of a period by course, by the statements of the export."""
    last = period.last_day
    events = [e for e in world.events if period.monday <= e.day <= last]
    there = {e.person for e in events}
    begun = [key for key, day in world.began.items() if period.kind == "quarter" and period.monday <= day <= last]
    sizes = Counter(course for course, _ in world.lists.modules)
    with duckdb.connect() as duck:
        _fill(duck, "period_person", "person, country, region, institution", [p for p in world.people if p[0] in there])
        _fill(duck, "period_course", "course, modules", [(n + 1, sizes[c]) for n, c in enumerate(world.lists.courses)])
        _fill(duck, "period_beginner", "person, course", begun)
        rows = [(e.person, e.course, e.module, e.day.toordinal(), *_done(e)) for e in events]
        listed = "person, course, module, london_day, started, completed, passed, seconds"
        _fill(duck, "period_event", listed, rows)
        due = dict.fromkeys(courses, TABLES[period.kind])
        found: dict[str, list[TrueCell]] = {course: [] for course in due}
        for cell in counting.count(Duck(duck), period, world.lists, due, SPEC.cap_seconds):
            found[cell.course_id].append(cell)
    return found


def _done(event: Event) -> tuple[int, ...]:
    return event.started, event.completed, event.passed, event.seconds


def _fill(duck: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Sequence[tuple[int, ...]]) -> None:
    names = columns.split(", ")
    duck.execute(f"CREATE TABLE {table} ({', '.join(f'{name} INTEGER' for name in names)})")
    for begin in range(0, len(rows), 1_000):
        some = ", ".join(str(row) if len(row) > 1 else f"({row[0]})" for row in rows[begin : begin + 1_000])
        duck.execute(f"INSERT INTO {table} VALUES {some}")


@dataclass(frozen=True)
class Utility:
    """Cells by what became of them. ``measures``: of all course × base-period cells, which measures are shown."""

    cells: Counter[tuple[Product, BasePeriod]]
    published: Counter[tuple[Product, BasePeriod]]
    measures: Counter[tuple[Product, str]]
    costs: Counter[str]
    why: Counter[str]  # first rule that withheld the starters of such a cell, as far as a rule did
    exposed: int
    weekly: float  # shares of course × week and course × quarter cells with ten starters: what SPEC 4.3 simulated
    quarterly: float
    seconds: float

    def share(self, product: Product) -> float:
        total = sum(n for (p, _), n in self.cells.items() if p == product)
        return sum(n for (p, _), n in self.published.items() if p == product) / total


def measure(
    seed: int = 1,
    quarters: Sequence[str] = ("2026-Q2", "2026-Q3"),
    *,
    workers: int = 2,
    courses: int = COURSES,
    starts: int = STARTS,
    say: Callable[[str], None] = lambda _said: None,
) -> Utility:
    """Protect every course of a made-up publisher in these quarters, and look at what is left to read."""
    began = time.monotonic()
    before = [periods.previous_quarter(periods.from_key(quarters[0]))]
    while len(before) < PAST:
        before.append(periods.previous_quarter(before[-1]))
    first, oldest = before[0], before[-1]
    weeks = sum(period.weeks for period in (*before, *map(periods.from_key, quarters)))
    world = make(seed, oldest.monday, weeks, courses=courses, starts=starts)
    found = Utility(Counter(), Counter(), Counter(), Counter(), Counter(), 0, *_simulated(world, quarters), 0.0)
    exposed = 0
    started = _starters(count(world, first, world.lists.courses), first)
    for key in quarters:
        quarter = periods.from_key(key)
        bases = {c: SPEC.base_period.of(started[c], SPEC.thresholds.round_to) for c in world.lists.courses}
        counted = {p: count(world, p, world.lists.courses) for p in _periods(quarter, set(bases.values()))}
        started = _starters(counted[quarter], quarter)
        ever = Counter(course for (_, course), day in world.began.items() if day <= quarter.last_day)
        least = SPEC.thresholds.lifetime_min_learners
        tasks: list[tuple[Any, ...]] = [
            (
                quarter,
                bases[course],
                PublicCourse(course, course, tuple((m, m) for c, m in world.lists.modules if c == course)),
                {part: counted[part][course] for part in (*parts_of(quarter, bases[course]), quarter)},
                ever[number] >= least,
            )
            for number, course in enumerate(world.lists.courses, 1)
        ]
        with ProcessPoolExecutor(workers) as pool:
            for course, base, masters in pool.map(_protect, tasks):
                for period, kept in masters:
                    exposed += kept.exposed
                    found.costs.update(kept.costs)
                    if period.kind == base:
                        _note(found, base, period, kept, counted[period][course])
        say(f"{key}: {sum(found.published.values())} of {sum(found.cells.values())} cells")
    return Utility(
        **{name: getattr(found, name) for name in ("cells", "published", "measures", "costs", "why")},
        exposed=exposed,
        weekly=found.weekly,
        quarterly=found.quarterly,
        seconds=time.monotonic() - began,
    )


def _periods(quarter: Period, bases: set[BasePeriod]) -> list[Period]:
    return [p for base in sorted(bases) for p in parts_of(quarter, base)] + [quarter]


def _protect(task: tuple[Any, ...]) -> tuple[str, BasePeriod, list[tuple[Period, Protected]]]:
    """One course in one quarter: its weeks or blocks first, as the export does it."""
    quarter, base, course, cells, is_open = task
    masters: list[tuple[Period, Protected]] = []
    for part in parts_of(quarter, base):
        kept = protect_period(part, base, course, PLACES, SPEC, cells[part], (), is_open=is_open)
        masters.append((part, kept))
    every = [cell for counted in cells.values() for cell in counted]
    told = [kept for _, kept in masters]
    if base == "quarter":
        masters.append((quarter, protect_period(quarter, base, course, PLACES, SPEC, every, told, is_open=is_open)))
    return course.course_id, base, masters


def _note(found: Utility, base: BasePeriod, period: Period, kept: Protected, true: Sequence[TrueCell]) -> None:
    for product in PRODUCTS:
        (cell,) = [c for c in cells_of(kept, product, "period") if c.key == (period.key, ALL, ALL)]
        found.cells[product, base] += 1
        found.measures.update((product, name) for name, value in cell.values.items() if value is not None)
        if cell.values[STARTERS] is not None:
            found.published[product, base] += 1
        else:
            found.why[f"{product}: {_why(kept, true, SPEC.audiences[product].min_institutions)}"] += 1


def _why(kept: Protected, true: Sequence[TrueCell], institutions: int) -> str:
    whole = [cell for cell in true if (cell.module_id, cell.country, cell.region) == (None, None, None)]
    if not whole or whole[0].starters < SPEC.thresholds.min_people:
        return "fewer than ten"
    if whole[0].institutions < institutions or 10 * whole[0].largest_institution > 7 * whole[0].learners:
        return "institutions"
    return "to protect another" if kept.costs.keys() != {"activity"} else "never thirty learners"


def _starters(counted: dict[str, list[TrueCell]], period: Period) -> dict[str, int]:
    found = dict.fromkeys(counted, 0)
    for course, cells in counted.items():
        for cell in cells:
            if (cell.module_id, cell.country, cell.region, cell.period_key) == (None, None, None, period.key):
                found[course] = cell.starters
    return found


def _simulated(world: World, quarters: Sequence[str]) -> tuple[float, float]:
    """Shares of cells with ten starters if every course went by weeks, or by quarters."""
    shares = []
    for kind in ("week", "quarter"):
        every = [
            p
            for key in quarters
            for p in (periods.within(periods.from_key(key), "week") if kind == "week" else [periods.from_key(key)])
        ]
        started: dict[tuple[str, int], set[int]] = defaultdict(set)
        for event in world.events:
            for period in every:
                if period.monday <= event.day <= period.last_day:
                    started[period.key, event.course].add(event.person)
        shares.append(sum(len(people) >= 10 for people in started.values()) / (len(every) * len(world.lists.courses)))
    return shares[0], shares[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quarters", nargs="+", default=["2026-Q2", "2026-Q3"])
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = measure(given.seed, given.quarters, say=print)
    print(f"ten starters in {found.weekly:.0%} of weeks and {found.quarterly:.0%} of quarters; {found.seconds:.0f} s")
    for product in PRODUCTS:
        print(f"{product}: {found.share(product):.1%} of course × base-period cells published")
    for name in ("cells", "published", "measures", "costs", "why"):
        print(name, dict(getattr(found, name)))
    print("exposed", found.exposed)


if __name__ == "__main__":
    main()
