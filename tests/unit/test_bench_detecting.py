"""The cost of detection per person is a slope: what does not grow with people falls out."""

from __future__ import annotations

import pytest

from bench.detecting import Detected, slope


def test_fixed_costs_fall_out_of_the_cost_per_person() -> None:
    small, large = Detected(0.1, 1.2, 0.5, 10), Detected(1.1, 3.2, 0.5, 100)
    assert slope(small, large) == pytest.approx(2.0)
    assert large.ratio == pytest.approx(3.2 / 1.1)


def test_a_scan_that_does_not_grow_gives_no_slope() -> None:
    same = Detected(0.1, 1.2, 0.5, 10)
    with pytest.raises(ValueError, match="larger"):
        slope(same, same)
