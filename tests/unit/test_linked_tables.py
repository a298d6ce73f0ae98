"""Frames, true tables, primary rules and publication of linked tables, row by row."""

from __future__ import annotations

from fractions import Fraction

import pytest
from privacy_ops.disclosure.linked.cells import Need, PublishedCell
from privacy_ops.disclosure.linked.compare import refused_corrections
from privacy_ops.disclosure.linked.frame import Amount, Dimension, Entry, Frame, Measure, Relation
from privacy_ops.disclosure.linked.primary import primaries
from privacy_ops.disclosure.linked.protect import Mask, protect
from privacy_ops.disclosure.linked.publish import publish
from privacy_ops.disclosure.linked.rules import Bands, Rules
from privacy_ops.disclosure.linked.table import Facts, Institutions, Sum, Table

from tests.linked_tables import COUNTRY, MODULE, RULES, crossed, flat, numbers

CELL = ("*",)
COURSE = flat("module", ["m0"])


def one_cell(counts: dict[str, int], *measures: Measure, minutes: Sum | None = None, **known: Institutions) -> Table:
    """A table of one cell; minutes are counted of the first measure."""
    amounts = (Amount("minutes", of=measures[0].name, most=50400),) if minutes else ()
    frame = Frame((COURSE,), measures, (CELL,), amounts)
    return Table(frame, {CELL: Facts(counts, known, {"minutes": minutes} if minutes else {})})


def reasons(table: Table, rules: Rules = RULES) -> dict[str, str]:
    return {entry.measure: reason for entry, reason in primaries(table, rules).reasons.items()}


STARTERS = Measure("starters")
COHORT = Measure("completers", within="starters", share=True)
CLOSE = Measure("completers", beside="starters")
ACTIVE = (Measure("learners"), Measure("starters", within="learners"), Measure("completers", within="learners"))


@pytest.mark.parametrize(
    ("name", "counts", "measures", "withheld"),
    [
        ("ten_are_published", {"starters": 10}, [STARTERS], {}),
        ("nine_are_withheld", {"starters": 9}, [STARTERS], {"starters": "few"}),
        ("nobody_is_withheld_like_few", {"starters": 0}, [STARTERS], {"starters": "few"}),
        (
            "few_completers_leave_the_starters",
            {"starters": 60, "completers": 9},
            [STARTERS, COHORT],
            {"completers": "few"},
        ),
        ("ten_who_did_not", {"starters": 60, "completers": 50}, [STARTERS, COHORT], {}),
        ("nine_who_did_not", {"starters": 60, "completers": 51}, [STARTERS, COHORT], {"completers": "complement"}),
        ("twelve_of_twelve", {"starters": 12, "completers": 12}, [STARTERS, COHORT], {"completers": "complement"}),
        ("five_per_cent", {"starters": 400, "completers": 20}, [STARTERS, COHORT], {"completers": "share"}),
        ("above_five_per_cent", {"starters": 400, "completers": 21}, [STARTERS, COHORT], {}),
        ("ninety_five_per_cent", {"starters": 400, "completers": 380}, [STARTERS, COHORT], {"completers": "share"}),
        ("below_ninety_five_per_cent", {"starters": 400, "completers": 379}, [STARTERS, COHORT], {}),
        (
            "few_starters_hide_everything",
            {"starters": 9, "completers": 9},
            [STARTERS, COHORT],
            {"starters": "few", "completers": "few"},
        ),
        ("weekly_completers_are_another_cohort", {"learners": 60, "starters": 20, "completers": 30}, ACTIVE, {}),
        (
            "nine_more_than_the_starters",
            {"starters": 20, "completers": 29},
            [STARTERS, CLOSE],
            {"completers": "complement"},
        ),
        (
            "nine_fewer_than_the_starters",
            {"starters": 29, "completers": 20},
            [STARTERS, CLOSE],
            {"completers": "complement"},
        ),
        ("ten_more_than_the_starters", {"starters": 20, "completers": 30}, [STARTERS, CLOSE], {}),
        ("ten_fewer_than_the_starters", {"starters": 30, "completers": 20}, [STARTERS, CLOSE], {}),
        (
            "each_of_the_two_has_its_own_mask",
            {"learners": 60, "starters": 20, "completers": 3},
            ACTIVE,
            {"completers": "few"},
        ),
    ],
)
def test_primary_rules_of_counts(name, counts, measures, withheld):
    assert reasons(one_cell(counts, *measures)) == withheld


@pytest.mark.parametrize(
    ("name", "known", "withheld"),
    [
        ("three_institutions", {"starters": Institutions(3, 50)}, {}),
        ("two_institutions", {"starters": Institutions(2, 50)}, {"starters": "institutions"}),
        ("seventy_per_cent_from_one", {"starters": Institutions(5, 70)}, {}),
        ("more_than_seventy_per_cent_from_one", {"starters": Institutions(5, 71)}, {"starters": "institutions"}),
        ("of_which_nothing_is_known", {}, {"starters": "institutions"}),
    ],
)
def test_primary_rule_of_institutions(name, known, withheld):
    table = one_cell({"starters": 100}, STARTERS, **known)
    assert reasons(table, Rules(min_institutions=3)) == withheld
    assert reasons(table) == {}, "an audience without the rule"


@pytest.mark.parametrize(
    ("name", "minutes", "withheld"),
    [
        ("evenly_spread", Sum(10000, 500, 500), {}),
        ("two_add_nine_tenths", Sum(10000, 5000, 4000), {}),
        ("two_add_more_than_nine_tenths", Sum(10000, 5000, 4001), {"minutes": "dominance"}),
        ("the_second_could_tell_the_first_within_a_tenth", Sum(10000, 9000, 101), {"minutes": "dominance"}),
        ("no_minutes_at_all", Sum(0), {}),
    ],
)
def test_primary_rule_of_amounts(name, minutes, withheld):
    assert reasons(one_cell({"starters": 40}, STARTERS, minutes=minutes)) == withheld


def test_amounts_of_few_people_go_with_them():
    assert reasons(one_cell({"starters": 4}, STARTERS, minutes=Sum(4000, 1000, 1000)))["minutes"] == "around"


@pytest.mark.parametrize(
    ("name", "need", "low", "high", "is_met"),
    [
        ("from_zero_to_the_threshold", Need(10, 0, 10), 0, 10, True),
        ("does_not_reach_zero", Need(10, 0, 10), 1, 60, False),
        ("does_not_reach_the_threshold", Need(5, 0, 10), 0, 9, False),
        ("wide_enough", Need(40), 100, 140, True),
        ("a_person_too_narrow", Need(40), 100, 139, False),
    ],
)
def test_needs(name, need, low, high, is_met):
    assert need.met_by(low, high) is is_met


def test_what_each_kind_of_number_needs():
    table = one_cell({"starters": 400, "completers": 397}, STARTERS, COHORT, starters=Institutions(1, 400))
    needs = primaries(table, Rules(min_institutions=3)).needs
    assert needs[Entry(CELL, "starters")] == Need(width=80)
    assert needs[Entry(CELL, "not completers")] == Need(10, 0, 10)


# Frames


def test_relations_skip_levels_that_are_not_listed_and_say_when_parts_are_missing():
    keys = (("*",), ("GB",), ("FR",), ("US",))
    assert Frame((COUNTRY,), (STARTERS,), keys).relations == (
        Relation("country", ("*",), (("US",), ("FR",), ("GB",)), True),
    )
    assert Frame((COUNTRY,), (STARTERS,), keys[:3]).relations == (
        Relation("country", ("*",), (("FR",), ("GB",)), False),
    )
    whole = Frame((COUNTRY,), (STARTERS,), crossed((COUNTRY,), ("country",)))
    assert [r.parent for r in whole.relations] == [("*",), ("america",), ("europe",)]


def test_tables_that_share_cells_are_linked():
    frame = Frame((MODULE, COUNTRY), (STARTERS,), (*crossed((MODULE, COUNTRY), ("module",), ("country",)),))
    assert {r.dimension for r in frame.relations if r.parent == ("*", "*")} == {"module", "country"}


def test_a_region_of_one_country_says_what_the_country_says():
    """Withholding a country alone would leave its region as the answer."""
    frame = Frame((COUNTRY,), (STARTERS,), crossed((COUNTRY,), ("country",)))
    sums = {"GB": 50, "FR": 60, "US": 7, "europe": 110, "america": 7, "*": 117}
    mask = protect(Table(frame, {(k,): Facts({"starters": n}) for k, n in sums.items()}), RULES)
    assert {entry.key for entry in mask.withheld} >= {("US",), ("america",)}
    assert len(mask.withheld) > 2


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("two_roots", lambda: Dimension("d", {"a": "x", "b": "y"}), "one root"),
        ("a_circle", lambda: Dimension("d", {"a": "b", "b": "a", "c": "*"}), "circle"),
        ("unknown_member", lambda: Frame((COUNTRY,), (STARTERS,), (("DE",),)), "not a member"),
        ("too_many_members", lambda: Frame((COUNTRY,), (STARTERS,), (("GB", "x"),)), "one member of each"),
        ("inner_before_outer", lambda: Frame((COUNTRY,), (COHORT, STARTERS), (("GB",),)), "listed before"),
        ("one_name_twice", lambda: Frame((COUNTRY,), (STARTERS, STARTERS), (("GB",),)), "names of their own"),
        ("a_share_of_nothing", lambda: Measure("starters", share=True), "share of what"),
        ("amount_of_nobody", lambda: Frame((COUNTRY,), (STARTERS,), (("GB",),), (Amount("m", "x", 1),)), "no measure"),
    ],
)
def test_frames_that_cannot_be_are_refused(name, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


@pytest.mark.parametrize(
    ("name", "facts", "message"),
    [
        ("a_cell_is_missing", {("*",): 5}, "row set"),
        ("parts_exceed_the_whole", {("*",): 5, ("m0",): 6}, "does not fit"),
        ("below_zero", {("*",): 5, ("m0",): -1}, "below zero"),
    ],
)
def test_facts_that_contradict_the_frame_are_refused(name, facts, message):
    frame = Frame((COURSE,), (STARTERS,), (("*",), ("m0",)))
    with pytest.raises(ValueError, match=message):
        Table(frame, {key: Facts({"starters": n}) for key, n in facts.items()})


@pytest.mark.parametrize(
    ("name", "unions", "course", "fits"),
    [
        ("as_large_as_the_largest", True, 60, True),
        ("as_large_as_the_sum", True, 100, True),
        ("smaller_than_the_largest", True, 59, False),
        ("larger_than_the_sum", True, 101, False),
        ("plain_parts_add_up", False, 100, True),
        ("plain_parts_do_not_overlap", False, 99, False),
    ],
)
def test_a_course_is_the_union_of_its_modules(name, unions, course, fits):
    modules = flat("module", ["m0", "m1"])
    measure = Measure("starters", unions=frozenset({"module"} if unions else ()))
    frame = Frame((modules,), (measure,), crossed((modules,), ("module",)))
    facts = {("*",): course, ("m0",): 60, ("m1",): 40}

    def build() -> Table:
        return Table(frame, {key: Facts({"starters": n}) for key, n in facts.items()})

    if fits:
        assert build().value(Entry(("*",), "starters")) == course
    else:
        with pytest.raises(ValueError, match="does not fit"):
            build()


# Rules and publication


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("threshold_between_steps", {"min_people": 12}),
        ("even_base_has_ties", {"round_to": 4, "min_people": 12}),
        ("bands_that_leave_amounts_out", {"amount_bands": Bands((5, 10))}),
    ],
)
def test_rules_that_would_not_protect_are_refused(name, wrong):
    with pytest.raises(ValueError, match=r"must|ties"):
        Rules(**wrong)


def test_bands_that_fall_are_refused():
    with pytest.raises(ValueError, match="rise"):
        Bands((0, 10, 5))


@pytest.mark.parametrize(
    ("name", "total", "over", "band"),
    [
        ("lower_edge_is_in", 20 * 7, 7, "20-40"),
        ("upper_edge_is_out", 40 * 7 - 1, 7, "20-40"),
        ("last_band", 94 * 7, 7, "80-95"),
    ],
)
def test_shares_are_shown_as_bands(name, total, over, band):
    assert RULES.share_bands.of(total, over) == band


@pytest.mark.parametrize("total", [4 * 7, 95 * 7])
def test_a_share_near_none_or_all_has_no_band(total):
    with pytest.raises(ValueError, match="outside"):
        RULES.share_bands.of(total, 7)


def test_a_published_cell_is_rounded_and_banded():
    table = one_cell({"starters": 83, "completers": 41}, STARTERS, COHORT, minutes=Sum(83 * 20 * 60, 1200, 1200))
    (cell,) = publish(table, Mask({}, {}), RULES)
    assert cell.values == {"starters": 85, "completers": 40, "share completers": "40-60", "minutes": "15-30"}


def test_given_and_shown_numbers_must_be_different_numbers_of_the_table():
    table = numbers([40, 50], [60, 70])
    entry = Entry(("r0", "c0"), "starters")
    with pytest.raises(ValueError, match="different entries"):
        protect(table, RULES, given=[entry], shown=[entry])
    with pytest.raises(ValueError, match="entries of the table"):
        protect(table, RULES, given=[Entry(("r9", "c9"), "starters")])


def test_what_was_shown_already_stays_and_an_unmeetable_need_withholds_all_else():
    table = numbers([4, 50], [60, 70])
    shown = [Entry(key, "starters") for key in (("r0", "c1"), ("r0", "*"))]
    mask = protect(table, RULES, shown=shown)
    assert mask.unmet == {Entry(("r0", "c0"), "starters")}
    assert mask.withheld == {Entry(key, "starters") for key in table.frame.keys} - set(shown)


def test_each_rules_cost_is_counted():
    mask = protect(numbers([4, 50, 60], [60, 70, 80], [90, 60, 70]), RULES)
    assert mask.costs["few"] == 1
    assert mask.costs["linked"] == len(mask.withheld) - 1 >= 3


def test_thresholds_are_those_of_the_specification():
    assert (RULES.min_people, RULES.round_to, RULES.protect_share) == (10, 5, Fraction(1, 5))
    assert (RULES.dominance_share, RULES.p_ratio, RULES.max_institution_share) == (
        Fraction(9, 10),
        Fraction(1, 10),
        Fraction(7, 10),
    )


@pytest.mark.parametrize(
    ("name", "was", "becomes", "is_refused"),
    [
        ("stays", 40, 40, False),
        ("changes_by_fifteen", 40, 55, False),
        ("falls_by_fifteen", 40, 25, False),
        ("changes_by_ten", 40, 50, True),
        ("becomes_withheld", 40, None, False),
        ("appears", None, 40, True),
        ("stays_withheld", None, None, False),
        ("a_band_moves", "5-15", "15-30", True),
        ("a_band_stays", "5-15", "5-15", False),
    ],
)
def test_what_a_correction_may_restate(name, was, becomes, is_refused):
    before, after = ([PublishedCell(CELL, {"starters": value})] for value in (was, becomes))
    assert refused_corrections(before, after) == ((Entry(CELL, "starters"),) if is_refused else ())


def test_a_correction_neither_adds_nor_drops_a_row():
    row = [PublishedCell(CELL, {"starters": 40})]
    assert refused_corrections(row, []) == refused_corrections([], row) == (Entry(CELL, "starters"),)
