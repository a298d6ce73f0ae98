"""True cells of a course as linked tables: what everybody knows of them (the frame), and the facts. Pure.

A key is (time, module, place). The year, its quarters and their weeks or blocks are one dimension, so a quarter is
linked to what its weeks told, and a year to what its quarters told. Countries lie in regions, regions in the course.
People who come back, or use several modules, make these counts unions along time and modules; along places they add
up.

How many people learned (with whatever they did) is never published: it is here because minutes are theirs. The start
cohort of a quarter has a frame of its own: only its shares are published, and it knows neither weeks nor modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from privacy_ops.disclosure.linked.frame import Amount, Dimension, Frame, Key, Measure
from privacy_ops.disclosure.linked.table import Facts, Institutions, Sum, Table
from privacy_ops.usage import periods
from privacy_ops.usage.counting import TrueCell
from privacy_ops.usage.periods import Period
from privacy_ops.usage.places import NOT_KNOWN, NOT_KNOWN_NAME, Places
from privacy_ops.usage.release_spec import BasePeriod, ReleaseSpec

ALL = "*"
LEARNERS, STARTERS, COMPLETERS, MINUTES = "learners", "starters", "completers", "minutes"
COHORT, FINISHED, PASSED = "cohort", "cohort_completers", "cohort_passed"
UNSHOWN = (NOT_KNOWN, NOT_KNOWN_NAME)  # places that close totals and have no row anywhere
_OVERLAP = frozenset({"time", "module"})
_ACTIVITY = (
    Measure(LEARNERS, unions=_OVERLAP),
    Measure(STARTERS, unions=_OVERLAP),
    # In a period some complete who started before it; most did not, so the difference is not to tell of a few.
    Measure(COMPLETERS, unions=_OVERLAP, beside=STARTERS),
)
_COHORTS = (
    Measure(COHORT),
    Measure(FINISHED, within=COHORT, share=True),
    Measure(PASSED, within=COHORT, share=True),
)


class Course(Protocol):
    """The public side of a course: every module it has, whether anybody used it or not."""

    @property
    def modules(self) -> tuple[tuple[str, str], ...]: ...


def parts_of(period: Period, base: BasePeriod) -> tuple[Period, ...]:
    """Periods inside ``period`` that it is linked to: of a year its quarters, of a quarter its weeks or blocks."""
    if period.kind == "year":
        return tuple(periods.within(period, "quarter"))
    if period.kind == "quarter" and base != "quarter":
        return tuple(periods.within(period, base))
    return ()


def activity_frame(period: Period, base: BasePeriod, course: Course, places: Places, spec: ReleaseSpec) -> Frame:
    """The master of a course and period, together with every period that it is linked to."""
    modules = [module for module, _ in course.modules]
    keys: list[Key] = []
    for part in parts_of(period, base):
        keys.append((part.key, ALL, ALL))
        inside = places.regions if period.kind == "year" else ()
        keys += [(part.key, ALL, region) for region in inside]
        keys += [(part.key, module, ALL) for module in modules if period.kind == "quarter"]
    keys.append((period.key, ALL, ALL))
    if period.kind == base:
        keys += [(period.key, module, ALL) for module in modules]
    if period.kind in {"quarter", "year"}:
        keys += [(period.key, ALL, region) for region in places.regions]
    if period.kind == "quarter":
        keys += [(period.key, ALL, country.code) for country in places.countries]
    most = spec.cap_seconds * 7 * period.weeks
    return Frame(_dimensions(period, base, modules, places), _ACTIVITY, tuple(keys), (Amount(MINUTES, LEARNERS, most),))


def cohort_frame(quarter: Period, course: Course, places: Places) -> Frame:
    """The start cohort of a quarter, by place."""
    at = [ALL, *places.regions, *(country.code for country in places.countries)]
    dimensions = _dimensions(quarter, "quarter", [module for module, _ in course.modules], places)
    return Frame(dimensions, _COHORTS, tuple((quarter.key, ALL, place) for place in at))


def inverted_frame(quarter: Period, course: Course, places: Places) -> Frame:
    """What who inverts shares knows: the published starters bound the cohort, since every beginner is a starter."""
    cohort = cohort_frame(quarter, course, places)
    known, (outer, *inner) = Measure(STARTERS), cohort.measures
    return Frame(cohort.dimensions, (known, replace(outer, within=STARTERS), *inner), cohort.keys)


def _dimensions(period: Period, base: BasePeriod, modules: list[str], places: Places) -> tuple[Dimension, ...]:
    parts = parts_of(period, base)
    root = "year" if period.kind == "year" else "time"
    times = dict.fromkeys((part.key for part in parts), period.key) | {period.key: root}
    where = {country.code: country.region for country in places.countries}
    return (
        Dimension("time", times),
        Dimension("module", dict.fromkeys(modules or ["-"], ALL)),
        Dimension("place", where | dict.fromkeys(places.regions, ALL)),
    )


def activity_table(frame: Frame, cells: Iterable[TrueCell]) -> Table:
    """What people did, with zeros where nobody was. Raises ValueError for cells that do not hang together."""
    found = _by_key(cells)
    return Table(frame, {key: _activity(found.get(key)) for key in frame.keys})


def cohort_table(frame: Frame, cells: Iterable[TrueCell]) -> Table:
    """Who of a quarter's beginners completed and passed. Raises ValueError."""
    found = _by_key(cells)
    return Table(frame, {key: _cohort(found.get(key)) for key in frame.keys})


def _by_key(cells: Iterable[TrueCell]) -> Mapping[Key, TrueCell]:
    """A course's total may come with several tables: it is the same total."""
    return {(cell.period_key, cell.module_id or ALL, cell.country or cell.region or ALL): cell for cell in cells}


def _activity(cell: TrueCell | None) -> Facts:
    counts = {name: getattr(cell, name) if cell else 0 for name in (LEARNERS, STARTERS, COMPLETERS)}
    seconds = Sum(cell.seconds, cell.seconds_top1, cell.seconds_top2) if cell else Sum(0)
    return Facts(counts, _institutions(cell, counts), {MINUTES: seconds})


def _cohort(cell: TrueCell | None) -> Facts:
    counts = {
        COHORT: cell.cohort_starters if cell else 0,
        FINISHED: cell.cohort_completers if cell else 0,
        PASSED: cell.cohort_passed if cell else 0,
    }
    return Facts(counts, _institutions(cell, counts))


def _institutions(cell: TrueCell | None, counts: Mapping[str, int]) -> dict[str, Institutions]:
    """Institutions are those of all who learned in a cell; one of them stands for as large a part of each count."""
    if cell is None or not cell.learners:
        return {name: Institutions(0, 0) for name in counts}
    return {
        name: Institutions(cell.institutions, -(-cell.largest_institution * count // cell.learners))
        for name, count in counts.items()
    }
