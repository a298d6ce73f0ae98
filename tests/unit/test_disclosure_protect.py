"""The primary rule, what is withheld to protect it, and rounding, row by row."""

import pytest
from hypothesis import given
from privacy_ops.disclosure.cells import Counts, CourseTable
from privacy_ops.disclosure.protect import mask_of, must_withhold, protect, rounded
from privacy_ops.disclosure.rules import Rules

from tests.disclosure_tables import RULES, counts, course, tables


@pytest.mark.parametrize(
    ("name", "cell", "withheld"),
    [
        ("ordinary_cell_is_published", counts(), False),
        ("nine_learners_are_withheld", Counts(9, 9, 9), True),
        ("ten_completers_are_published", counts(40, 20, 10), False),
        ("nine_completers_are_withheld", counts(40, 20, 9), True),
        ("ten_starters_are_published", counts(40, 10, 12), False),
        ("nine_starters_are_withheld", counts(40, 9, 12), True),
        ("nobody_is_withheld_like_few", Counts(), True),
        ("no_starter_is_withheld_like_few", counts(40, 0, 20), True),
        ("no_completer_is_withheld_like_few", counts(40, 20, 0), True),
        ("ten_who_did_not_complete_are_published", counts(60, 55, 45), False),
        ("nine_who_did_not_complete_are_withheld", counts(60, 55, 46), True),
        ("fifty_beside_fifty_five_tells_of_five", counts(60, 55, 50), True),
        ("twelve_of_twelve_completed", counts(12, 12, 12), True),
        ("more_completers_than_starters_are_another_cohort", counts(60, 20, 25), False),
    ],
)
def test_primary_rule(name, cell, withheld):
    assert must_withhold(cell, RULES) is withheld


@pytest.mark.parametrize(
    ("count", "shown"), [(10, 10), (11, 10), (12, 10), (13, 15), (14, 15), (15, 15), (17, 15), (18, 20), (102, 100)]
)
def test_counts_are_rounded_to_the_nearest_five(count, shown):
    assert rounded(count, RULES) == shown


@pytest.mark.parametrize(
    ("name", "table", "mask"),
    [
        ("nothing_to_withhold", course(A=counts(), B=counts()), set()),
        (
            "one_small_module_takes_the_next_smallest_with_it",
            course(A=counts(9, 9, 9), B=counts(90), C=counts(60)),
            {"A", "C"},
        ),
        (
            "of_two_equals_the_smaller_id_goes",
            course(A=counts(9, 9, 9), B=counts(60), C=counts(60)),
            {"A", "B"},
        ),
        (
            "two_small_modules_need_no_third",
            course(A=counts(9, 9, 9), B=counts(0, 0, 0, 0), C=counts(60)),
            {"A", "B"},
        ),
        ("an_unused_module_counts_as_withheld", course(A=counts(), B=Counts()), {"A", "B"}),
        (
            "a_withheld_course_takes_its_modules_with_it",
            CourseTable("C1", counts(60, 45, 40, 1200), {"A": counts(60, 45, 30), "B": counts(60, 40, 30)}),
            {None, "A", "B"},
        ),
        ("the_only_module_is_the_course", course(A=counts(9, 9, 9)), {None, "A"}),
    ],
)
def test_mask(name, table, mask):
    assert mask_of(table, RULES) == mask


@given(tables())
def test_what_is_published_is_never_small_never_unrounded_and_lists_every_key(table):
    cells = protect(table, RULES, course_is_open=True)
    assert [c.module_id for c in cells] == [None, *sorted(table.modules)]
    for cell in cells:
        if cell.flag == "published":
            shown = (cell.learners, cell.starters, cell.completers)
            assert min(shown) >= 10
            assert all(value % 5 == 0 for value in shown)
    hidden = [c for c in cells if c.module_id is not None and c.flag == "withheld"]
    assert cells[0].flag == "withheld" or len(hidden) != 1


@given(tables())
def test_a_course_that_never_had_thirty_learners_shows_nothing(table):
    assert {c.flag for c in protect(table, RULES, course_is_open=False)} == {"withheld"}


@pytest.mark.parametrize(
    ("name", "seconds", "learners", "band"),
    [
        ("no_time", 0, 10, "0-5"),
        ("a_second_below_five_minutes", 5 * 60 * 10 - 1, 10, "0-5"),
        ("five_minutes_exactly", 5 * 60 * 10, 10, "5-15"),
        ("a_great_deal", 300 * 60 * 12, 12, "240+"),
    ],
)
def test_mean_minutes_are_shown_as_a_band(name, seconds, learners, band):
    assert RULES.band(seconds, learners) == band


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("threshold_below_a_step", {"min_learners": 12}),
        ("even_base_has_ties", {"round_to": 4, "min_learners": 12}),
        ("bands_that_fall", {"minute_edges": (0, 10, 5)}),
    ],
)
def test_rules_that_would_not_protect_are_refused(name, wrong):
    with pytest.raises(ValueError, match=r"must|ties"):
        Rules(**wrong)


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        CourseTable("C1", counts(10, 10, 10), {"A": counts(60)})
    with pytest.raises(ValueError, match="seconds"):
        CourseTable("C1", counts(minutes=1), {"A": counts(minutes=2)})
    with pytest.raises(ValueError, match="learners"):
        Counts(5, 6, 0)
