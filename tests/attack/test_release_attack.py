"""An attacker who holds every published cell and knows the rules: he must fail, and he must be able to succeed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from privacy_ops.disclosure.audit import audit, unprotected
from privacy_ops.disclosure.cells import COUNTS, PublishedCell
from privacy_ops.disclosure.protect import must_withhold, protect, rounded
from privacy_ops.disclosure.rules import Rules
from scipy.optimize import linprog

from tests.disclosure_tables import RULES, counts, course, public_list, tables


@settings(max_examples=300)
@given(tables())
def test_no_withheld_cell_can_be_pinned(table):
    cells = protect(table, RULES, course_is_open=True)
    assert unprotected(cells, RULES, public_list(table)) == ()


@given(tables())
def test_the_true_value_is_always_inside_the_attackers_interval(table):
    cells = protect(table, RULES, course_is_open=True)
    for found in audit(cells, RULES, public_list(table)):
        truth = table.course if found.module_id is None else table.modules[found.module_id]
        value = truth.seconds / 60 if found.measure == "minutes" else getattr(truth, found.measure)
        assert found.low <= value
        assert found.high is None or value <= found.high


@given(tables())
def test_an_authors_file_of_some_modules_is_no_weaker(table):
    cells = protect(table, RULES, course_is_open=True)
    some = [c for c in cells if c.module_id is not None][:2]
    assert unprotected(some, RULES, public_list(table)) == ()


def only_the_primary_rule(table):
    """A weakened release: small cells are withheld, nothing protects them, nothing is rounded."""
    exact = Rules(round_to=1)
    return [
        PublishedCell("C1", m, "withheld")
        if must_withhold(c, RULES)
        else PublishedCell(
            "C1", m, "published", c.learners, c.starters, c.completers, exact.band(c.seconds, c.learners)
        )
        for m, c in [(None, table.course), *table.modules.items()]
    ], exact


def test_a_release_without_complementary_withholding_is_broken():
    table = course(A=counts(60), B=counts(70), C=counts(7, 7, 7))
    cells, exact = only_the_primary_rule(table)
    found = {i.measure: (i.low, i.high) for i in unprotected(cells, exact, public_list(table))}
    assert found["learners"][0] == 7, "137 − 60 − 70: the attacker knows that at least seven are withheld"


def test_a_release_that_is_only_rounded_is_broken():
    table = course(A=counts(60), B=counts(70), C=counts(9, 9, 9))
    cells = list(protect(course(A=counts(60), B=counts(70)), RULES, course_is_open=True))[1:]
    course_cell = PublishedCell(
        "C1", None, "published", *(rounded(getattr(table.course, n), RULES) for n in COUNTS), "5-15"
    )
    weak = [course_cell, *cells, PublishedCell("C1", "C", "withheld")]
    assert "learners" in {i.measure for i in unprotected(weak, RULES, public_list(table))}


def test_a_published_module_under_a_withheld_course_is_noticed():
    table = course(A=counts(), B=counts())
    cells = list(protect(table, RULES, course_is_open=True))
    cells[0] = PublishedCell("C1", None, "withheld")
    assert {i.measure for i in unprotected(cells, RULES, public_list(table))} >= set(COUNTS)


def test_minutes_given_as_fine_bands_are_broken():
    fine = Rules(minute_edges=tuple(range(840)), round_to=1)
    table = course(A=counts(1000, 500, 400, 100_000), B=counts(7, 7, 7, 90_000))
    cells = [
        PublishedCell("C1", None, "published", 1007, 507, 407, fine.band(table.course.seconds, 1007)),
        PublishedCell("C1", "A", "published", 1000, 500, 400, fine.band(table.modules["A"].seconds, 1000)),
        PublishedCell("C1", "B", "withheld"),
    ]
    assert "minutes" in {i.measure for i in unprotected(cells, fine, public_list(table))}


def test_two_readers_who_hold_different_values_are_noticed():
    table = course(A=counts(), B=counts())
    cells = protect(table, RULES, course_is_open=True)
    with pytest.raises(ValueError, match="two ways"):
        audit([*cells, replace(cells[1], learners=999)], RULES, public_list(table))


def test_counts_that_contradict_each_other_are_noticed():
    cells = [
        PublishedCell("C1", None, "published", 10, 10, 10, "0-5"),
        PublishedCell("C1", "A", "published", 90, 90, 90, "0-5"),
        PublishedCell("C1", "B", "withheld"),
    ]
    with pytest.raises(ValueError, match="contradict"):
        audit(cells, RULES, {"C1": ["A", "B"]})


@settings(max_examples=60, deadline=None)
@given(tables())
def test_a_linear_program_finds_the_same_intervals(table):
    """The oracle: HiGHS over the same public facts, for any mask, protected or not."""
    cells, exact = only_the_primary_rule(table)
    modules = sorted(table.modules)
    found = {(i.module_id, i.measure): (i.low, i.high) for i in audit(cells, exact, public_list(table))}
    for measure in COUNTS:
        names = [None, *modules]
        shown = {c.module_id: getattr(c, measure) for c in cells}
        bounds = [(shown[n], shown[n]) if shown[n] is not None else (0, None) for n in names]
        rows = [[-1, *(1 if m == n else 0 for n in modules)] for m in modules] + [[1] + [-1] * len(modules)]
        for index, name in enumerate(names):
            if shown[name] is not None:
                continue
            goal = np.zeros(len(names))
            goal[index] = 1
            low = linprog(goal, A_ub=rows, b_ub=[0] * len(rows), bounds=bounds)
            high = linprog(-goal, A_ub=rows, b_ub=[0] * len(rows), bounds=bounds)
            assert low.status == 0
            expected = None if high.fun is None else round(-high.fun, 6)  # unbounded
            assert found[name, measure] == (round(low.fun, 6), expected)
