"""The calendar of the export: periods nest or are disjoint, cover a year without a gap, and keep London time."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.errors import UserError
from privacy_ops.usage import periods, weeks
from privacy_ops.usage.periods import KINDS, Period

YEARS = st.integers(1990, 2090)
WEEKS = st.dates(date(1990, 1, 1), date(2090, 12, 31)).map(
    lambda day: weeks.Window(day - timedelta(days=day.weekday()))
)


def all_periods(year: int) -> list[Period]:
    whole = periods.whole_year(year)
    return [found for kind in KINDS for found in periods.within(whole, kind)]


@pytest.mark.parametrize(
    ("key", "first", "weeks_in_it", "last"),
    [
        ("2026-W47", date(2026, 11, 16), 1, date(2026, 11, 22)),
        ("2026-Q4-B2", date(2026, 10, 26), 4, date(2026, 11, 22)),
        ("2026-Q4-B3", date(2026, 11, 23), 6, date(2027, 1, 3)),  # 2026 has a week 53
        ("2026-Q4", date(2026, 9, 28), 14, date(2027, 1, 3)),
        ("2026", date(2025, 12, 29), 53, date(2027, 1, 3)),
        ("2025-Q4-B3", date(2025, 11, 24), 5, date(2025, 12, 28)),
        ("2025-Q4", date(2025, 9, 29), 13, date(2025, 12, 28)),
        ("2025-Q1", date(2024, 12, 30), 13, date(2025, 3, 30)),
        ("2025", date(2024, 12, 30), 52, date(2025, 12, 28)),
    ],
)
def test_a_period_is_what_its_key_says(key, first, weeks_in_it, last):
    period = periods.from_key(key)
    assert (period.key, period.monday, period.weeks, period.last_day) == (key, first, weeks_in_it, last)


@pytest.mark.parametrize("key", ["2025-W53", "2026-W00", "2026-W54", "2026-Q5", "2026-Q0", "2026-Q1-B4", "2026-11", ""])
def test_a_period_that_does_not_exist_is_refused(key):
    with pytest.raises(UserError):
        periods.from_key(key)


@given(YEARS)
def test_any_two_periods_of_neighbouring_years_nest_or_are_disjoint(year):
    # Weeks are left out of the pairs on purpose: every other period is made of whole ones, see the next test.
    found = [p for y in (year, year + 1) for p in all_periods(y) if p.kind != "week"]
    for a, b in itertools.combinations(found, 2):
        assert not a.overlaps(b) or a.covers(b) or b.covers(a), (a.key, b.key)


@given(YEARS)
def test_periods_of_each_kind_cover_the_year_without_a_gap(year):
    whole = periods.whole_year(year)
    for kind in KINDS:
        found = list(periods.within(whole, kind))
        assert [p.start for p in found] == [whole.start, *(p.end for p in found[:-1])]
        assert found[-1].end == whole.end
        assert len({p.key for p in found}) == len(found)
    assert periods.whole_year(year + 1).start == whole.end
    assert [p.weeks for p in periods.within(whole, "block")] == [4, 4, 5] * 3 + [4, 4, whole.weeks - 47]
    assert whole.weeks in {52, 53}


@given(WEEKS)
def test_a_week_is_in_one_period_of_each_kind_and_each_is_in_the_next(window):
    found = periods.around(window)
    assert tuple(p.kind for p in found) == KINDS
    assert all(outer.covers(inner) for inner, outer in itertools.pairwise(found))
    assert found[0].key == window.key


@given(WEEKS)
def test_what_closes_with_a_week_is_every_period_that_ends_then(window):
    closing = periods.closing_with(window)
    ends_then = [p for p in all_periods(window.monday.isocalendar().year) if p.end == window.end]
    assert sorted(closing) == sorted(ends_then)
    assert closing[0].kind == "week"


def test_a_last_week_closes_its_year_and_an_ordinary_one_itself():
    assert [p.key for p in periods.closing_with(weeks.from_key("2026-W53"))] == [
        "2026-W53", "2026-Q4-B3", "2026-Q4", "2026",
    ]  # fmt: skip
    assert [p.key for p in periods.closing_with(weeks.from_key("2026-W52"))] == ["2026-W52"]
    assert [p.key for p in periods.closing_with(weeks.from_key("2025-W43"))] == ["2025-W43", "2025-Q4-B1"]


@given(YEARS, st.sampled_from(KINDS))
def test_keys_lead_back_to_their_periods(year, kind):
    for period in periods.within(periods.whole_year(year), kind):
        assert periods.from_key(period.key) == period


@given(YEARS)
def test_hours_are_those_of_its_weeks_and_a_quarter_with_a_change_of_clocks_has_one_more_or_less(year):
    for period in all_periods(year):
        assert period.hours == sum(window.hours for window in period.windows())
        assert (period.end - period.start) == timedelta(hours=period.hours)


def test_periods_begin_and_end_at_midnight_in_london():
    quarter = periods.from_key("2026-Q2")  # begins and ends in summer time
    assert quarter.start == datetime(2026, 3, 29, 23, tzinfo=UTC)
    assert quarter.end == datetime(2026, 6, 28, 23, tzinfo=UTC)
    first, last = periods.from_key("2026-Q1"), periods.from_key("2026-Q4")
    assert (first.hours, last.hours) == (13 * 168 - 1, 14 * 168 + 1)


@pytest.mark.parametrize(("key", "before"), [("2026-Q4", "2026-Q3"), ("2026-Q1", "2025-Q4"), ("2027-Q1", "2026-Q4")])
def test_the_quarter_before(key, before):
    found = periods.previous_quarter(periods.from_key(key))
    assert found == periods.from_key(before)
    assert found.end == periods.from_key(key).start


def test_a_finer_period_holds_none_of_a_coarser_kind():
    assert list(periods.within(periods.from_key("2026-W47"), "quarter")) == []
