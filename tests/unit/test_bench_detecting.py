"""The cost of detection per person is a slope: what does not grow with people falls out."""

from __future__ import annotations

import pytest

from bench.detecting import Detected, slope, slope_at


def test_fixed_costs_fall_out_of_the_cost_per_person() -> None:
    small, large = Detected(0.1, 1.2, 0.5, 10), Detected(1.1, 3.2, 0.5, 100)
    assert slope(small, large) == pytest.approx(2.0)
    assert large.ratio == pytest.approx(3.2 / 1.1)


def test_a_scan_that_does_not_grow_gives_no_slope() -> None:
    same = Detected(0.1, 1.2, 0.5, 10)
    with pytest.raises(ValueError, match="larger"):
        slope(same, same)


def test_what_one_in_question_costs_is_taken_out_and_put_back() -> None:
    # A person costs 1 in a scan and 2 in detection, a person in question 10 more; 5 are the fixed costs.
    def seen(people: int, in_question: int) -> Detected:
        return Detected(people, 5 + 2 * people + 10 * in_question, 0, in_question)

    small, large, denser = seen(100, 10), seen(1100, 60), seen(1100, 160)
    assert slope(small, large) == pytest.approx(2.5)
    assert slope_at(small, large, denser, more_people=1000, in_question=0.05) == pytest.approx(2.5)
    assert slope_at(small, large, denser, more_people=1000, in_question=0.0) == pytest.approx(2.0)
