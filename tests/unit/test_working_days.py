"""The clock of everything that waits for people."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops import working_days

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("name", "since", "until", "days"),
    [
        ("same_day", date(2026, 11, 20), date(2026, 11, 20), 0),
        ("friday_to_saturday", date(2026, 11, 20), date(2026, 11, 21), 0),
        ("friday_to_monday", date(2026, 11, 20), date(2026, 11, 23), 1),
        ("a_week", date(2026, 11, 16), date(2026, 11, 23), 5),
        ("over_christmas_boxing_day_in_lieu", date(2026, 12, 24), date(2026, 12, 29), 1),
        ("good_friday_and_easter_monday", date(2026, 4, 2), date(2026, 4, 7), 1),
        ("late_summer_holiday_of_england_not_of_scotland", date(2026, 8, 28), date(2026, 8, 31), 0),
        ("scottish_second_of_january_is_a_working_day_here", date(2026, 1, 1), date(2026, 1, 2), 1),
        ("backwards", date(2026, 11, 20), date(2026, 11, 10), 0),
    ],
)
def test_working_days_between(name: str, since: date, until: date, days: int) -> None:
    assert working_days.between(since, until) == days


@pytest.mark.parametrize(
    ("since", "days", "due"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 11, 20), 0, date(2026, 11, 20)),
        (date(2026, 11, 21), 0, date(2026, 11, 23)),
        (date(2026, 12, 24), 1, date(2026, 12, 29)),
        (date(2026, 11, 20), 10, date(2026, 12, 4)),
    ],
)
def test_the_day_by_which_people_should_have_decided(since: date, days: int, due: date) -> None:
    assert working_days.after(since, days) == due


@settings(max_examples=60, deadline=None)
@given(DAYS, st.integers(1, 30))
def test_counting_there_and_counting_back_agree(since: date, days: int) -> None:
    due = working_days.after(since, days)
    assert working_days.is_working_day(due)
    assert working_days.between(since, due) == days


def test_an_evening_in_summer_is_the_next_day_in_london() -> None:
    since = datetime(2026, 7, 5, 23, 30, tzinfo=UTC)  # Monday 00:30 in London
    assert working_days.waited(since, datetime(2026, 7, 6, 12, tzinfo=UTC), "Europe/London") == 0
    assert working_days.waited(since, datetime(2026, 7, 6, 12, tzinfo=UTC), "UTC") == 1
