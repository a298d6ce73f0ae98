"""Age algebra: every boundary by name, the oracle's ages, and invariants."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.minors.age import Interval, age_on, age_range, birthday, civil_date

ORACLE = Path(__file__).parents[1] / "data" / "age_oracle.csv"


def oracle() -> list[dict[str, str]]:
    with ORACLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


WITH_AGES = [row for row in oracle() if row["age_min"]]


def test_the_oracle_holds_twenty_rows() -> None:
    assert len(oracle()) == 20
    assert len(WITH_AGES) == 15


@pytest.mark.parametrize("row", WITH_AGES, ids=lambda row: row["case"])
def test_ages_of_the_oracle(row: dict[str, str]) -> None:
    born = Interval(date.fromisoformat(row["dob_min"]), date.fromisoformat(row["dob_max"]))
    ages = age_range(born, date.fromisoformat(row["as_of_london_date"]))
    assert ages == (int(row["age_min"]), int(row["age_max"]))


@pytest.mark.parametrize(
    ("what", "born", "on", "age"),
    [
        ("day_before_eighteenth_birthday", date(2008, 11, 23), date(2026, 11, 22), 17),
        ("eighteenth_birthday", date(2008, 11, 22), date(2026, 11, 22), 18),
        ("leap_birth_on_28_february_of_a_common_year", date(2008, 2, 29), date(2026, 2, 28), 17),
        ("leap_birth_on_1_march_of_a_common_year", date(2008, 2, 29), date(2026, 3, 1), 18),
        ("leap_birth_in_a_leap_year", date(2008, 2, 29), date(2024, 2, 29), 16),
        ("leap_birth_the_day_before_in_a_leap_year", date(2008, 2, 29), date(2024, 2, 28), 15),
        ("born_on_28_february", date(2008, 2, 28), date(2026, 2, 28), 18),
        ("the_day_of_birth", date(2026, 11, 22), date(2026, 11, 22), 0),
        ("the_day_before_birth", date(2026, 11, 22), date(2026, 11, 21), -1),
        ("2100_is_a_common_year", date(2080, 2, 29), date(2100, 2, 28), 19),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_boundaries(what: str, born: date, on: date, age: int) -> None:
    assert age_on(born, on) == age


def test_the_other_leap_rule_turns_on_28_february() -> None:
    assert age_on(date(2008, 2, 29), date(2026, 2, 28), "FEB_28") == 18
    assert age_on(date(2008, 2, 29), date(2026, 2, 27), "FEB_28") == 17
    assert birthday(date(2008, 2, 29), 18, "FEB_28") == date(2026, 2, 28)
    assert age_on(date(2008, 2, 29), date(2028, 2, 28), "FEB_28") == 19  # 2028 has a 29 February


@pytest.mark.parametrize(
    ("what", "instant", "day"),
    [
        ("summer_night_is_tomorrow_in_london", datetime(2026, 7, 14, 23, 30, tzinfo=UTC), date(2026, 7, 15)),
        ("winter_night_is_the_same_day", datetime(2026, 11, 22, 23, 30, tzinfo=UTC), date(2026, 11, 22)),
        ("last_minute_before_clocks_go_forward", datetime(2026, 3, 28, 23, 59, tzinfo=UTC), date(2026, 3, 28)),
        ("night_after_clocks_went_forward", datetime(2026, 3, 29, 23, 0, tzinfo=UTC), date(2026, 3, 30)),
        ("night_before_clocks_go_back", datetime(2026, 10, 24, 23, 0, tzinfo=UTC), date(2026, 10, 25)),
        ("night_after_clocks_went_back", datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 25)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_civil_date_in_london(what: str, instant: datetime, day: date) -> None:
    assert civil_date(instant, "Europe/London") == day


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        civil_date(datetime(2026, 1, 1), "Europe/London")  # noqa: DTZ001


def test_an_interval_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="ends before"):
        Interval(date(2008, 1, 2), date(2008, 1, 1))


DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
RULES = st.sampled_from(["MAR_1", "FEB_28"])


@given(DAYS, st.integers(0, 110), RULES)
def test_the_birthday_is_the_first_day_of_an_age(born: date, age: int, rule: str) -> None:
    day = birthday(born, age, rule)  # type: ignore[arg-type]
    assert age_on(born, day, rule) == age  # type: ignore[arg-type]
    if age:
        assert age_on(born, day - timedelta(days=1), rule) == age - 1  # type: ignore[arg-type]


@given(DAYS, DAYS, DAYS)
def test_a_later_birth_is_never_older(first: date, second: date, on: date) -> None:
    early, late = sorted((first, second))
    assert age_on(late, on) <= age_on(early, on)
    youngest, oldest = age_range(Interval(early, late), on)
    assert youngest <= oldest
