"""The volume breaker trips at enough cases and one of three reasons."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops import thresholds
from privacy_ops.erasure.breaker import Figures, decide

LIMITS = thresholds.load(Path(__file__).parents[2] / "include" / "thresholds.yaml").breaker


def figures(**changes: float) -> Figures:
    ordinary = {"confirmed": 25, "subjects": 1_000_000, "largest_feed": 10, "history_runs": 20, "median": 20.0}
    return Figures(**(ordinary | changes))  # type: ignore[arg-type]


def test_an_ordinary_night_passes() -> None:
    assert decide(figures(), LIMITS) == decide(figures(confirmed=24), LIMITS)
    assert not decide(figures(), LIMITS).tripped


@pytest.mark.parametrize(
    ("what", "changes", "reasons"),
    [
        ("just_at_half_a_percent", {"subjects": 5000}, ()),
        ("just_above_half_a_percent", {"subjects": 4999}, ("SHARE_OF_ACCOUNTS",)),
        ("five_times_the_median", {"confirmed": 100}, ()),
        ("above_five_times_the_median", {"confirmed": 101}, ("MULTIPLE_OF_MEDIAN",)),
        ("a_median_below_one_counts_as_one", {"median": 0.0}, ("MULTIPLE_OF_MEDIAN",)),
        ("without_baseline_the_median_is_silent", {"confirmed": 101, "history_runs": 7}, ()),
        ("one_feed_brought_four_fifths", {"largest_feed": 20}, ()),
        ("one_feed_brought_more", {"largest_feed": 21}, ("SINGLE_SOURCE",)),
        ("few_cases_never_trip", {"confirmed": 24, "subjects": 24, "largest_feed": 24, "median": 0.0}, ()),
    ],
)
def test_boundaries(what: str, changes: dict[str, float], reasons: tuple[str, ...]) -> None:
    decision = decide(figures(**changes), LIMITS)
    assert decision.reasons == reasons
    assert decision.tripped is bool(reasons)


@given(
    st.integers(0, 10_000), st.integers(1, 10_000_000), st.integers(0, 10_000), st.integers(0, 28), st.floats(0, 1e4)
)
def test_more_cases_never_untrip(confirmed: int, subjects: int, feed: int, history: int, median: float) -> None:
    few = Figures(confirmed, subjects, confirmed, history, median)
    more = Figures(confirmed + 1 + feed, subjects, confirmed + 1 + feed, history, median)
    assert decide(more, LIMITS).tripped or not decide(few, LIMITS).tripped
