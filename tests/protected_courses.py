"""True cells of a made-up course, and what becomes of them: weeks of two modules, quarters by region."""

from __future__ import annotations

from collections.abc import Mapping

from privacy_ops.settings import home_directory
from privacy_ops.usage import periods, places, release_spec
from privacy_ops.usage.counting import TrueCell
from privacy_ops.usage.periods import Period
from privacy_ops.usage.protection import Protected, protect_period
from privacy_ops.usage.view import PublicCourse

INCLUDE = home_directory() / "include"
PLACES = places.load(INCLUDE / "reference")
SPEC = release_spec.load(INCLUDE / "release_spec.yaml")
COURSE = PublicCourse("1", "Course 1", (("10", "Module 10"), ("11", "Module 11")))
QUARTER, YEAR = periods.from_key("2026-Q4"), periods.from_key("2026")
WEEKS = list(periods.within(QUARTER, "week"))
COUNTRY_OF = {"Europe": "GB", "Africa": "ZA", "Asia": "JP", "Americas": "US", "Oceania": "AU", "not known": "ZZ"}


def cell(
    period: Period,
    learners: int,
    *,
    module: str | None = None,
    country: str | None = None,
    region: str | None = None,
    completers: int = 0,
    minutes: int = 20,
    **more: int,
) -> TrueCell:
    """Facts of a cell; everybody starts, and spends as long, unless told otherwise."""
    given: dict[str, object] = {
        "table": "period", "course_id": "1", "period_key": period.key, "module_id": module, "country": country,
        "region": region, "learners": learners, "starters": learners,
        "completers": completers, "seconds": learners * minutes * 60, "cohort_starters": 0, "cohort_completers": 0,
        "cohort_passed": 0, "institutions": 9, "largest_institution": learners // 3,
        "seconds_top1": minutes * 60 if learners else 0, "seconds_top2": minutes * 60 if learners > 1 else 0,
    }  # fmt: skip
    return TrueCell(**given | more)  # type: ignore[arg-type]


def week_cells(period: Period, one: int = 40, other: int = 30) -> list[TrueCell]:
    """A week in which nobody takes both modules."""
    return [
        cell(period, one + other, completers=one // 2 + other // 2),
        cell(period, one, module="10", completers=one // 2),
        cell(period, other, module="11", completers=other // 2),
    ]


def protected_week(period: Period, *sizes: int, is_open: bool = True) -> Protected:
    return protect_period(period, "week", COURSE, PLACES, SPEC, week_cells(period, *sizes), (), is_open=is_open)


def quarter_cells(
    regions: Mapping[str, int], *, weekly: Mapping[Period, int] | None = None, cohort: bool = False
) -> list[TrueCell]:
    """A quarter: people by region, each in one country of it, and its weeks; with ``cohort``, all began in it."""
    found = []
    for region, people in regions.items():
        mine = _cohort(people) if cohort else {}
        found.append(cell(QUARTER, people, region=region, completers=people // 2, **mine))
        found.append(cell(QUARTER, people, country=COUNTRY_OF[region], completers=people // 2, **mine))
    total, completers = sum(regions.values()), sum(people // 2 for people in regions.values())
    parts = [_cohort(people) for people in regions.values()] if cohort else []
    summed = {name: sum(part[name] for part in parts) for name in _cohort(0)} if parts else {}
    found.append(cell(QUARTER, total, completers=completers, **summed))
    if weekly is None:
        modules = total // 2
        found.append(cell(QUARTER, modules, module="10", completers=modules // 2))
        found.append(cell(QUARTER, total - modules, module="11", completers=completers - modules // 2))
    for period, people in (weekly or {}).items():
        found += week_cells(period, people - people // 2, people // 2)
    return found


def _cohort(people: int) -> dict[str, int]:
    return {"cohort_starters": people, "cohort_completers": people // 2, "cohort_passed": people // 4}
