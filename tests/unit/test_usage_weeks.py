"""London ISO weeks: length around clock changes, week 53, and which week a run takes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.errors import UserError
from privacy_ops.usage import weeks


@pytest.mark.parametrize(
    ("name", "key", "hours", "start"),
    [
        ("an_ordinary_winter_week", "2026-W47", 168, datetime(2026, 11, 16, tzinfo=UTC)),
        ("clocks_go_forward", "2026-W13", 167, datetime(2026, 3, 23, tzinfo=UTC)),
        ("clocks_go_back", "2026-W43", 169, datetime(2026, 10, 18, 23, tzinfo=UTC)),
        ("summer_weeks_begin_on_sunday_evening_utc", "2026-W30", 168, datetime(2026, 7, 19, 23, tzinfo=UTC)),
        ("2026_has_week_53", "2026-W53", 168, datetime(2026, 12, 28, tzinfo=UTC)),
    ],
)
def test_a_week_is_a_london_week(name, key, hours, start):
    window = weeks.from_key(key)
    assert (window.key, window.hours, window.start) == (key, hours, start)
    assert next(begin for _, begin, _ in window.days()) == window.start
    assert [end for _, _, end in window.days()][-1] == window.end


@pytest.mark.parametrize("key", ["2025-W53", "2026-W00", "2026-W54", "2026W47", "2026-47", "", "2026-W47 ", "2026-W7"])
def test_a_week_that_does_not_exist_is_refused(key):
    with pytest.raises(UserError, match="no such ISO week"):
        weeks.from_key(key)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_keys_and_windows_are_inverse_and_weeks_leave_no_gap(day):
    window = weeks.containing(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    assert weeks.from_key(window.key) == window
    assert window.before(1).end == window.start
    assert window.hours in {167, 168, 169}
    assert sum(((end - begin) for _, begin, end in window.days()), timedelta()) == window.end - window.start


@pytest.mark.parametrize(
    ("name", "moment", "key"),
    [
        ("wednesday_six_o_clock", datetime(2026, 11, 25, 6, tzinfo=UTC), "2026-W47"),
        ("a_second_before_the_grace_is_over", datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC), "2026-W46"),
        ("when_the_grace_is_over", datetime(2026, 11, 25, 0, tzinfo=UTC), "2026-W47"),
        ("summer_grace_is_over_an_hour_earlier_in_utc", datetime(2026, 7, 28, 23, tzinfo=UTC), "2026-W30"),
        ("first_week_of_the_next_year", datetime(2027, 1, 6, 6, tzinfo=UTC), "2026-W53"),
    ],
)
def test_the_latest_closed_week(name, moment, key):
    assert weeks.latest_closed(moment, 48).key == key


def test_a_run_takes_the_named_week_then_its_interval_then_the_clock():
    now = datetime(2026, 11, 26, 9, tzinfo=UTC)
    interval_end = datetime(2026, 11, 4, 6, tzinfo=UTC)
    take = {"now": now, "grace_hours": 48}
    assert weeks.resolve(iso_week="2026-W40", interval_end=interval_end, **take).key == "2026-W40"
    assert weeks.resolve(iso_week=None, interval_end=interval_end, **take).key == "2026-W44"
    assert weeks.resolve(iso_week=None, interval_end=None, **take).key == "2026-W47"
