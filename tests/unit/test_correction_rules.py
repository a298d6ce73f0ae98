"""Corrections: a value changes by nothing, by 15 and more, or becomes withheld; both revisions are attacked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.disclosure.linked.cells import PublishedCell
from privacy_ops.disclosure.linked.compare import may_follow, refused_corrections
from privacy_ops.usage.frames import ALL
from privacy_ops.usage.protection import IN_FILES, Protected, protect_period

from tests.protected_courses import COURSE, PLACES, SPEC, WEEKS, cell, protected_week, week_cells
from tests.unit.test_usage_packs import SIGNER, master, pack, wrong

WEEK = WEEKS[0]
COURSE_CELL = (WEEK.key, ALL, ALL)


def corrected(before: Protected, one: int, other: int) -> Protected:
    cells = week_cells(WEEK, one, other)
    return protect_period(WEEK, "week", COURSE, PLACES, SPEC, cells, (), is_open=True, corrects=before)


def shown(kept: Protected, key=COURSE_CELL) -> int | str | None:
    return {c.key: c.values for c in kept.master}[key]["starters"]


def in_files(cells) -> list[PublishedCell]:
    return [PublishedCell(c.key, {n: v for n, v in c.values.items() if n in IN_FILES}) for c in cells]


@pytest.mark.parametrize(
    ("name", "sizes", "course"),
    [
        ("the_same_again", (40, 30), 70),
        ("two_more_round_to_the_same", (41, 31), 70),
        ("five_more_would_tell_of_five", (45, 30), None),
        ("ten_more_would_tell_of_ten", (50, 30), None),
        ("twenty_more_may_be_said", (60, 30), 90),
        ("thirty_fewer_may_be_said", (20, 20), 40),
        ("what_is_small_now_is_withheld", (3, 2), None),
    ],
)
def test_what_becomes_of_a_value(name, sizes, course):
    before = protected_week(WEEK)
    after = corrected(before, *sizes)
    assert shown(before) == 70
    assert shown(after) == course
    assert refused_corrections(in_files(before.master), in_files(after.master)) == ()


def test_what_was_withheld_never_appears():
    before = protected_week(WEEK, 40, 3)
    after = corrected(before, 40, 30)
    assert shown(before, (WEEK.key, "11", ALL)) is None
    assert shown(after, (WEEK.key, "11", ALL)) is None


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.integers(0, 90)] * 4))
def test_every_correction_may_follow_what_was_there(sizes):
    before = protected_week(WEEK, *sizes[:2])
    after = corrected(before, *sizes[2:])
    assert refused_corrections(in_files(before.master), in_files(after.master)) == ()
    for name, view in after.views.items():
        assert refused_corrections(in_files(before.views[name]), in_files(view)) == ()


@pytest.mark.parametrize(
    ("was", "becomes", "good"),
    [(40, 40, True), (40, 45, False), (40, 54, False), (40, 55, True), (40, 25, True), (40, None, True),
     (None, 40, False), (None, None, True), ("5-15", "15-30", False), ("5-15", None, True)],
)  # fmt: skip
def test_which_value_may_follow_which(was, becomes, good):
    assert may_follow(was, becomes) is good


def judged(old: Protected, new: Protected):
    """The gate's numbers of a correction, from the files of both revisions."""
    from privacy_ops.usage.files.build import build
    from privacy_ops.usage.measure import measure
    from privacy_ops.usage.pack import content_of

    from tests.unit.test_usage_packs import REFERENCES

    contents, staged, replaced = {}, {}, {}
    kept = {("1", WEEK.key): master(new)}
    for one in (pack("EXP-AUTHOR"), pack("EXP-SUPPORTER")):
        contents[one] = content_of(one, kept, PLACES, SPEC, "privacy office")
        staged[one.prefix] = build(contents[one], SIGNER)
        replaced[one] = build(content_of(one, {("1", WEEK.key): master(old)}, PLACES, SPEC, "privacy office"), SIGNER)
    return wrong(measure(contents, [*contents], staged, kept, {}, REFERENCES, (SIGNER.public_key,), replaced))


def test_an_honest_correction_has_nothing_wrong():
    before = protected_week(WEEK)
    assert judged(before, corrected(before, 60, 30)) == {}


def test_a_correction_that_only_counts_again_is_refused():
    """A weakened correction: the mask knows nothing of the first revision, and five more people are told of."""
    found = judged(protected_week(WEEK), protected_week(WEEK, 45, 30))
    assert set(found) == {"refused_corrections"}
    assert found["refused_corrections"] >= 2, "in both packs"


def test_a_correction_that_shows_what_was_withheld_is_refused():
    found = judged(protected_week(WEEK, 40, 3), protected_week(WEEK, 60, 30))
    assert found["refused_corrections"] > 0


def test_a_row_that_was_not_there_before_is_refused():
    old = protect_period(
        WEEK, "week", type(COURSE)("1", "Course 1", (("10", "Module 10"),)), PLACES, SPEC,
        [cell(WEEK, 40, completers=20), cell(WEEK, 40, module="10", completers=20)], (), is_open=True,
    )  # fmt: skip
    assert judged(old, protected_week(WEEK, 60, 30))["refused_corrections"] > 0
