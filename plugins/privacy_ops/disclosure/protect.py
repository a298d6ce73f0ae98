"""From true counts to published cells: primary rule, complementary withholding, then rounding. Pure.

The order matters: rounding comes last, because a rounded table that is then thinned out can be solved.
The mask is a function of this course's counts in this period and of nothing else, so that any order of
backfills gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from privacy_ops.disclosure.cells import COUNTS, Counts, CourseTable, PublishedCell
from privacy_ops.disclosure.rules import Rules

COURSE = None  # the key of the course's own cell in a mask


def must_withhold(counts: Counts, rules: Rules) -> bool:
    """The primary rule: one mask for all measures of a cell.

    Every published count is at least ``min_learners``. Zeros are withheld like small counts: a published zero
    says that nobody did, and limits what a withheld neighbour can be. The complement, starters who did not
    complete, must be as large when it is a count of people at all, or 55 beside 50 would tell of about five;
    in a week, completers may outnumber starters, who are another cohort.
    """
    if min(getattr(counts, name) for name in COUNTS) < rules.min_learners:
        return True
    return 0 <= counts.starters - counts.completers < rules.min_learners


def mask_of(table: CourseTable, rules: Rules) -> frozenset[str | None]:
    """Cells to withhold, ``None`` being the course: primaries, and what protects them.

    * A withheld course takes its modules with it: a published module would put a floor under it.
    * Never exactly one withheld module under a published course: course minus the others gives it back.
    * Then more, until a reader's interval for every withheld count reaches 0 and the threshold.

    The next cell withheld is the module with the fewest learners, then the smaller id.
    """
    masked: set[str | None] = {m for m, counts in table.modules.items() if must_withhold(counts, rules)}
    if must_withhold(table.course, rules):
        masked.add(COURSE)
    queue = sorted(set(table.modules) - masked, key=lambda m: (table.modules[str(m)].learners, str(m)))
    while COURSE not in masked and not _protected(table, masked, rules):
        masked.add(queue.pop(0) if queue else COURSE)
    return frozenset({COURSE, *table.modules} if COURSE in masked else masked)


def _protected(table: CourseTable, masked: Iterable[str | None], rules: Rules) -> bool:
    """Whether no withheld module of a published course can be pinned, by counting only what is public."""
    hidden = [m for m in masked if m is not COURSE]
    if not hidden:
        return True
    if len(hidden) == 1:
        return False
    for name in COUNTS:
        low, high = _reach(getattr(table.course, name), rules)
        shown = sum(_reach(getattr(counts, name), rules)[1] for m, counts in table.modules.items() if m not in hidden)
        # Each withheld module may be empty if the other withheld ones can fill the course; none exceeds it.
        if low - shown - (len(hidden) - 1) * high > 0 or high < rules.min_learners:
            return False
    return True


def _reach(count: int, rules: Rules) -> tuple[int, int]:
    """What a reader knows of a published count: its rounding interval, above the threshold."""
    shown = rounded(count, rules)
    return max(shown - rules.half, rules.min_learners), shown + rules.half


def rounded(count: int, rules: Rules) -> int:
    """The nearest multiple of the (odd) base."""
    return (count + rules.half) // rules.round_to * rules.round_to


def protect(table: CourseTable, rules: Rules, *, course_is_open: bool) -> tuple[PublishedCell, ...]:
    """Published cells of a course and its modules, the course first, then modules by id.

    ``course_is_open``: whether the course ever had ``lifetime_min_learners``; if not, all is withheld.
    """
    masked = mask_of(table, rules) if course_is_open else frozenset({COURSE, *table.modules})
    cells: list[tuple[str | None, Counts]] = [(COURSE, table.course), *sorted(table.modules.items())]
    return tuple(
        PublishedCell(table.course_id, module, "withheld")
        if module in masked
        else PublishedCell(
            table.course_id,
            module,
            "published",
            learners=rounded(counts.learners, rules),
            starters=rounded(counts.starters, rules),
            completers=rounded(counts.completers, rules),
            mean_minutes_band=rules.band(counts.seconds, counts.learners),
        )
        for module, counts in cells
    )
