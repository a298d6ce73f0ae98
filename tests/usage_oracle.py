"""The counts of a period said once more in plain Python, person by person: what every engine must agree with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from privacy_ops.usage.counting import Table, TrueCell
from privacy_ops.usage.period_view import Lists
from privacy_ops.usage.periods import Period


@dataclass(frozen=True)
class Person:
    """Positions in the reference; institution 0 is not resolved."""

    country: int
    region: int
    institution: int


@dataclass(frozen=True)
class Event:
    person: int
    course: int
    module: int
    london_day: date
    started: int = 0
    completed: int = 0
    passed: int = 0
    seconds: int = 0


def count(
    events: Iterable[Event],
    people: Mapping[int, Person],
    beginners: Iterable[tuple[int, int]],
    lists: Lists,
    period: Period,
    tables: Iterable[Table],
    cap: int,
) -> list[TrueCell]:
    """The cells that the engines have to find."""
    events = list(events)
    seconds = _capped(events, cap)
    modules_of = Counter(course for course, _ in lists.modules)
    begun = set(beginners) if period.kind == "quarter" else set()
    cells: list[TrueCell] = []
    for table in tables:
        groups: dict[tuple, list[Event]] = defaultdict(list)
        for event in events:
            person = people[event.person]
            groups[event.course, None, None, None].append(event)
            if table == "period":
                groups[event.course, event.module, None, None].append(event)
            elif table == "country_quarter":
                groups[event.course, None, person.country, None].append(event)
            else:
                groups[event.course, None, None, person.region].append(event)
        for (course, module, country, region), found in groups.items():
            if table == "country_quarter" and country is None:
                continue
            there = {e.person for e in found}
            cohort = {p for p in there if module is None and (p, course) in begun}
            wanted = modules_of[lists.course(course)]
            finished = {p for p in cohort if len({e.module for e in found if e.person == p and e.completed}) == wanted}
            by_institution = Counter(people[p].institution for p in there)
            each = sorted(
                (
                    sum(s for (p, m), s in seconds.items() if p == who and m in {e.module for e in found})
                    for who in there
                ),
                reverse=True,
            )
            cells.append(
                TrueCell(
                    table,
                    lists.course(course),
                    period.key,
                    lists.module(module) if module else None,
                    None if country is None else lists.country(country),
                    None if region is None else lists.region(region),
                    learners=len(there),
                    starters=len({e.person for e in found if e.started}),
                    completers=len({e.person for e in found if e.completed}),
                    seconds=sum(each),
                    cohort_starters=len(cohort),
                    cohort_completers=len(finished),
                    cohort_passed=len({e.person for e in found if e.passed} & cohort),
                    institutions=len(by_institution),
                    largest_institution=max(by_institution.values()),
                    seconds_top1=each[0],
                    seconds_top2=each[1] if len(each) > 1 else 0,
                )
            )
    return sorted(cells, key=lambda cell: tuple(part or "" for part in cell.key))


def _capped(events: Iterable[Event], cap: int) -> dict[tuple[int, int], int]:
    """Seconds by person and module after the cap of a person's day in a course."""
    days: dict[tuple[int, int, date], Counter[int]] = defaultdict(Counter)
    for event in events:
        days[event.person, event.course, event.london_day][event.module] += event.seconds
    found: Counter[tuple[int, int]] = Counter()
    for (person, _, _), modules in days.items():
        whole = sum(modules.values())
        for module, seconds in modules.items():
            found[person, module] += seconds if whole <= cap else seconds * cap // whole
    return dict(found)
