"""Made-up course tables for the tests of disclosure control: by hand, and drawn at random by Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st
from privacy_ops.disclosure.cells import Counts, CourseTable
from privacy_ops.disclosure.rules import Rules

RULES = Rules()


def counts(learners: int = 60, starters: int = 40, completers: int = 20, minutes: int = 600) -> Counts:
    """A cell that is publishable unless the test says otherwise."""
    return Counts(learners, starters, completers, minutes * 60)


def course(**modules: Counts) -> CourseTable:
    """A course whose modules share nobody, so that the course's counts are their sums."""
    parts = modules.values()
    total = Counts(
        sum(c.learners for c in parts),
        sum(c.starters for c in parts),
        sum(c.completers for c in parts),
        sum(c.seconds for c in parts),
    )
    return CourseTable("C1", total, modules)


@st.composite
def tables(draw: st.DrawFn) -> CourseTable:
    """People with the modules they touched, counted: every linked table that can occur, small and large."""
    n_modules = draw(st.integers(1, 6))
    names = [f"M{i}" for i in range(n_modules)]
    learners: dict[str, set[int]] = {m: set() for m in names}
    starters: dict[str, set[int]] = {m: set() for m in names}
    completers: dict[str, set[int]] = {m: set() for m in names}
    seconds = dict.fromkeys(names, 0)
    for name in names:
        people = draw(st.sampled_from([0, 1, 5, 9, 10, 11, 12, 13, 20, 30, 45, 60]))
        first = draw(st.integers(0, 40))  # the further apart, the less the modules share
        learners[name] = set(range(first, first + people))
        begun = draw(st.integers(0, people))
        done = draw(st.one_of(st.integers(0, begun), st.integers(0, people)))
        starters[name] = set(range(first, first + begun))
        completers[name] = set(range(first, first + done))
        seconds[name] = sum(draw(st.integers(0, 7 * 7200)) for _ in range(min(people, 3))) * max(people // 3, 1)
    modules = {m: Counts(len(learners[m]), len(starters[m]), len(completers[m]), seconds[m]) for m in names}
    union = Counts(
        len(set().union(*learners.values())),
        len(set().union(*starters.values())),
        len(set().union(*completers.values())),
        sum(seconds.values()),
    )
    return CourseTable("C1", union, modules)


def public_list(*found: CourseTable) -> dict[str, list[str]]:
    """What everybody knows: which modules a course has."""
    return {table.course_id: sorted(table.modules) for table in found}
