"""The attacker: what can be worked out about withheld cells from published ones and the public rules alone.

Independent of ``protect`` on purpose: it sees ``PublishedCell``, ``Rules`` and the public list of courses and
modules, never a true count, and shares no arithmetic with the protector. It may be given the files of one
reader, or of all readers together.

Of a withheld cell, and of one that is in no file he holds, the attacker may assume only that it is not
negative: zeros carry the same mark. For each measure the interval is exact. (Starters ≤ learners adds nothing:
a withheld cell withholds all its measures.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from privacy_ops.disclosure.cells import COUNTS, PublishedCell
from privacy_ops.disclosure.rules import Rules

# Least and greatest; no greatest means that nothing limits it.
Bounds = tuple[int, int | None]


@dataclass(frozen=True)
class Interval:
    """What the attacker knows of one measure of one withheld cell. ``module_id`` None is the course."""

    course_id: str
    module_id: str | None
    measure: str
    low: int
    high: int | None
    protected: bool


def audit(
    cells: Iterable[PublishedCell], rules: Rules, modules_of: Mapping[str, Collection[str]]
) -> tuple[Interval, ...]:
    """Intervals of every withheld cell among ``cells``; ``modules_of`` is the public list of modules by course.

    Raises ValueError when a cell is shown in two ways, is not in the public list, or cells contradict each other.
    """
    courses: dict[str, dict[str | None, PublishedCell]] = defaultdict(dict)
    for cell in cells:
        if courses[cell.course_id].setdefault(cell.module_id, cell) != cell:
            raise ValueError("one cell is shown in two ways")
        if cell.module_id is not None and cell.module_id not in modules_of.get(cell.course_id, ()):
            raise ValueError("a cell is not in the public list of courses and modules")
    found: list[Interval] = []
    for course_id, parts in sorted(courses.items()):
        for measure in (*COUNTS, "minutes"):
            course = _known(parts.get(None), measure, rules)
            modules = {m: _known(parts.get(m), measure, rules) for m in modules_of.get(course_id, ())}
            solve = _solve_sum if measure == "minutes" else _solve_union
            solved = solve(course, modules)
            found.extend(
                Interval(course_id, m, measure, *solved[m], _is_protected(measure, solved[m], rules))
                for m, cell in parts.items()
                if cell.flag == "withheld"
            )
    return tuple(found)


def unprotected(
    cells: Iterable[PublishedCell], rules: Rules, modules_of: Mapping[str, Collection[str]]
) -> tuple[Interval, ...]:
    """Only the intervals that say too much."""
    return tuple(interval for interval in audit(cells, rules, modules_of) if not interval.protected)


def _is_protected(measure: str, bounds: Bounds, rules: Rules) -> bool:
    """A count: from 0 to the threshold or wider. Minutes: no tighter than a fifth of what they may be."""
    low, high = bounds
    if measure == "minutes":
        return high is None or 5 * (high - low) >= high
    return low <= 0 and (high is None or high >= rules.min_learners)


def _known(cell: PublishedCell | None, measure: str, rules: Rules) -> Bounds:
    """What the cell itself tells: nothing, a rounding interval, or a band times the people in it."""
    if cell is None or cell.flag == "withheld":
        return 0, None
    shown = int(getattr(cell, "learners" if measure == "minutes" else measure))
    low, high = max(shown - rules.half, rules.min_learners), shown + rules.half
    if measure != "minutes":
        return low, high
    least, most = rules.band_limits(str(cell.mean_minutes_band))
    return least * low, most * high


def _total(limits: Iterable[int | None]) -> int | None:
    """Sum of upper limits; unlimited as soon as one is."""
    listed = list(limits)
    return None if None in listed else sum(limit for limit in listed if limit is not None)


def _smaller(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else min(a, b)


def _solve_union(course: Bounds, modules: Mapping[str, Bounds]) -> dict[str | None, Bounds]:
    """Exact bounds under ``largest module ≤ course ≤ sum of modules``."""
    low = max(course[0], *(least for least, _ in modules.values()), 0)
    high = _smaller(course[1], _total(most for _, most in modules.values()))
    solved: dict[str | None, Bounds] = {None: (low, high)}
    solved.update(modules.items())
    if high is None:
        return solved
    # A course that is known is known to a few sizes: try each of them.
    for module, (least, most) in modules.items():
        others = [limit for m, (_, limit) in modules.items() if m != module]
        fits: list[tuple[int, int]] = []
        for size in range(low, high + 1):
            ceiling = size if most is None else min(most, size)
            needed = max(least, size - sum(size if limit is None else min(limit, size) for limit in others))
            if needed <= ceiling:
                fits.append((needed, ceiling))
        if not fits:
            raise ValueError("the published counts contradict each other")
        solved[module] = (min(n for n, _ in fits), max(c for _, c in fits))
    return solved


def _solve_sum(course: Bounds, modules: Mapping[str, Bounds]) -> dict[str | None, Bounds]:
    """Exact bounds when the modules add up to the course."""
    solved: dict[str | None, Bounds] = {
        None: (
            max(course[0], sum(least for least, _ in modules.values())),
            _smaller(course[1], _total(most for _, most in modules.values())),
        )
    }
    for module, (least, most) in modules.items():
        others = [bounds for m, bounds in modules.items() if m != module]
        reachable = _total(limit for _, limit in others)
        left = None if course[1] is None else course[1] - sum(low for low, _ in others)
        solved[module] = (
            least if reachable is None else max(least, course[0] - reachable),
            _smaller(most, left),
        )
    return solved
