"""When a suppression entry stops blocking."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops import thresholds
from privacy_ops.erasure.returning.suppression import end_of_quarter, valid_until

LIMITS = thresholds.load(Path(__file__).parents[2] / "include" / "thresholds.yaml")
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 3, 31), date(2026, 3, 31)),
        (date(2026, 4, 1), date(2026, 6, 30)),
        (date(2026, 9, 30), date(2026, 9, 30)),
        (date(2026, 12, 31), date(2026, 12, 31)),
    ],
)
def test_end_of_quarter(day: date, end: date) -> None:
    assert end_of_quarter(day) == end


def test_it_ends_with_the_quarter_of_the_eighteenth_birthday() -> None:
    assert valid_until(date(2028, 5, 5), today=TODAY, thresholds=LIMITS) == date(2028, 6, 30)


def test_an_unknown_birthday_blocks_two_years() -> None:
    assert valid_until(None, today=TODAY, thresholds=LIMITS) == date(2028, 12, 31)


def test_it_outlives_every_backup() -> None:
    assert valid_until(date(2026, 11, 23), today=date(2026, 12, 20), thresholds=LIMITS) == date(2027, 1, 24)


@given(st.dates(date(2026, 1, 1), date(2050, 1, 1)))
def test_the_end_says_nothing_about_the_birthday_but_its_quarter(adult_on: date) -> None:
    end = valid_until(adult_on, today=date(2025, 1, 1), thresholds=LIMITS)
    assert end >= adult_on
    assert (end + timedelta(days=1)).day == 1
    assert (end + timedelta(days=1)).month in {1, 4, 7, 10}
