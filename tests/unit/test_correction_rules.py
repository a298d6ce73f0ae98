"""Corrections: a value changes by nothing, by 15 and more, or becomes withheld; both revisions are attacked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.disclosure.linked.audit import Contradiction
from privacy_ops.disclosure.linked.cells import Need, PublishedCell
from privacy_ops.disclosure.linked.compare import compare_revisions, may_follow, refused_corrections
from privacy_ops.disclosure.linked.frame import Entry, Frame, Measure
from privacy_ops.usage.frames import ALL
from privacy_ops.usage.periods import Period
from privacy_ops.usage.protection import IN_FILES, Protected, protect_period
from privacy_ops.usage.release_spec import BasePeriod

from tests.linked_tables import RULES, flat
from tests.protected_courses import (
    COURSE,
    PLACES,
    QUARTER,
    SPEC,
    WEEKS,
    cell,
    protected_week,
    quarter_cells,
    week_cells,
)
from tests.unit.test_usage_packs import SIGNER, master, pack, shown_anyway, wrong

WEEK = WEEKS[0]
COURSE_CELL = (WEEK.key, ALL, ALL)


def corrected(before: Protected | list[Protected], one: int, other: int) -> Protected:
    cells = week_cells(WEEK, one, other)
    revisions = before if isinstance(before, list) else [before]
    return protect_period(WEEK, "week", COURSE, PLACES, SPEC, cells, (), is_open=True, corrects=revisions)


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


def test_a_second_correction_may_not_differ_by_a_handful_from_the_first_release_either():
    """Twenty more, and then fifteen fewer: each step is large enough, and both together tell of five."""
    first = protected_week(WEEK)
    second = corrected(first, 60, 30)
    assert (shown(first), shown(second)) == (70, 90)
    assert shown(corrected(second, 45, 30)) == 75, "a weakened correction knows of one revision alone"
    assert shown(corrected([first, second], 45, 30)) is None


# What older revisions tell beside the newest: a shown total of 100 and one part of 50, three parts withheld

FLAT = Frame((flat("region", ["a", "b", "c", "d"]),), (Measure("starters"),), tuple((k,) for k in ("*", *"abcd")))
NEWEST = [PublishedCell((k,), {"starters": v}) for k, v in {"*": 100, "a": None, "b": None, "c": 50, "d": None}.items()]
ROOM = {Entry(("a",), "starters"): Need(10)}


def older(**told: int) -> list[PublishedCell]:
    return [PublishedCell((k,), {"starters": v}) for k, v in told.items()]


@pytest.mark.parametrize(
    ("name", "then", "narrowed"),
    [
        ("nothing_is_known_of_before", [], False),
        ("the_older_part_leaves_no_room_for_the_rest", older(b=50), True),
        ("a_smaller_one_does", older(b=20), False),
        ("what_cannot_be_true_any_more_tells_nothing", older(d=200), False),
        ("and_takes_nothing_away_from_what_can", older(b=50, d=200), True),
        ("whatever_comes_first", older(d=200, b=50), True),
        ("of_two_that_contradict_each_other_each_is_tried", older(b=20, d=50) + older(b=50), True),
        ("what_is_restated_is_not_what_it_was", older(c=95), False),
    ],
)
def test_what_an_older_revision_tells_beside_the_newest(name, then, narrowed):
    told = compare_revisions(NEWEST, then, FLAT, RULES, ROOM)
    assert [one.entry for one in told] == [*ROOM] * narrowed


def test_the_newest_revisions_are_attacked_where_no_older_number_fits():
    pinned = [PublishedCell(c.key, {"starters": 50 if c.key == ("b",) else c.values["starters"]}) for c in NEWEST]
    assert [one.entry for one in compare_revisions(pinned, older(d=200), FLAT, RULES, ROOM)] == [*ROOM]
    with pytest.raises(Contradiction):
        compare_revisions([*NEWEST, *older(b=90)], [], FLAT, RULES, ROOM)


def judged(old: Protected, new: Protected, period: Period = WEEK, base: BasePeriod = "week"):
    """The gate's numbers of a correction, from the files of both revisions."""
    from privacy_ops.usage.files.build import build
    from privacy_ops.usage.measure import measure
    from privacy_ops.usage.pack import content_of

    from tests.unit.test_usage_packs import REFERENCES

    contents, staged, replaced = {}, {}, {}
    kept = {("1", period.key): master(new, period, base)}
    for one in (pack("EXP-AUTHOR", period), pack("EXP-SUPPORTER", period)):
        contents[one] = content_of(one, kept, PLACES, SPEC, "privacy office")
        staged[one.prefix] = build(contents[one], SIGNER)
        told = content_of(one, {("1", period.key): master(old, period, base)}, PLACES, SPEC, "privacy office")
        replaced[one] = [build(told, SIGNER)]
    return wrong(measure(contents, [*contents], staged, kept, {}, REFERENCES, (SIGNER.public_key,), replaced))


def test_an_honest_correction_has_nothing_wrong():
    before = protected_week(WEEK)
    assert judged(before, corrected(before, 60, 30)) == {}


def test_a_correction_is_held_where_the_first_release_gives_back_what_both_withhold():
    """Four people live in America. The newest release withholds Africa with them; the first one had shown it."""
    cells = quarter_cells({"Europe": 300, "Asia": 200, "Africa": 64, "Americas": 4})
    newest = protect_period(QUARTER, "quarter", COURSE, PLACES, SPEC, cells, (), is_open=True)
    africa = {((QUARTER.key, ALL, place), "starters"): 65 for place in ("Africa", "ZA")}
    assert {c.key: c.values for c in newest.master}[QUARTER.key, ALL, "Africa"]["starters"] is None
    assert judged(newest, newest, QUARTER, "quarter") == {}
    first = replace(newest, master=shown_anyway(newest.master, africa),
                    views={name: shown_anyway(view, africa) for name, view in newest.views.items()})  # fmt: skip
    assert set(judged(first, newest, QUARTER, "quarter")) == {"narrowed_cells"}


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
