"""The oracle's own arithmetic, and plants that agree with their expectation. No server."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.publisher.oracle import judge, london, reaches_eighteen
from sandbox.publisher.plants import NIGHT, PLANTS, planted_in, planted_tonight
from sandbox.publisher.population import People, make_people
from sandbox.publisher.rows import Ids, Rows, text, uuids
from sandbox.publisher.schema import event_partitions
from sandbox.publisher.subject import Subject

AGES = Path(__file__).parents[1] / "data" / "age_oracle.csv"
NOVEMBER = date(2026, 11, 22)


def full_dates() -> list[dict[str, str]]:
    with AGES.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return [r for r in rows if r["age_min"] and r["dob_min"] == r["dob_max"]]


@pytest.mark.parametrize("row", full_dates(), ids=lambda r: r["case"])
def test_full_dates_agree_with_the_age_table(row: dict[str, str]) -> None:
    day = date.fromisoformat(row["as_of_london_date"])
    outcome = judge("stated", date.fromisoformat(row["dob_min"]), date.fromisoformat(row["dob_max"]), None, day)
    assert outcome == ("must_erase" if int(row["age_min"]) < 18 else "must_leave_alone")


@pytest.mark.parametrize(
    ("born", "adult"),
    [
        (date(2008, 11, 22), date(2026, 11, 22)),
        (date(2008, 2, 29), date(2026, 3, 1)),
        (date(2000, 2, 29), date(2018, 3, 1)),
        (date(2004, 2, 29), date(2022, 3, 1)),
        (date(2006, 3, 1), date(2024, 3, 1)),
        (date(2008, 12, 31), date(2026, 12, 31)),
    ],
)
def test_day_on_which_somebody_is_eighteen(born: date, adult: date) -> None:
    assert reaches_eighteen(born) == adult


@given(st.dates(date(1900, 1, 1), date(2050, 1, 1)))
def test_eighteen_comes_after_eighteen_calendar_years(born: date) -> None:
    adult = reaches_eighteen(born)
    assert adult.year - born.year == 18
    assert 0 <= (adult.month - born.month) * 31 + adult.day - born.day <= 3


@pytest.mark.parametrize(
    ("hold", "outcome"),
    [
        (None, "must_erase"),
        ("legal_hold", "must_hold"),
        ("access_request", "must_hold"),
        ("unverified_request", "must_erase"),
    ],
)
def test_only_verified_requests_and_holds_delay(hold: str | None, outcome: str) -> None:
    assert judge("stated", date(2012, 5, 5), date(2012, 5, 5), hold, NOVEMBER) == outcome


def test_adult_under_hold_is_still_an_adult() -> None:
    assert judge("stated", date(1990, 5, 5), date(1990, 5, 5), "legal_hold", NOVEMBER) == "must_leave_alone"


def test_interval_with_an_adult_in_it_is_for_people() -> None:
    assert judge("stated", date(2008, 1, 1), date(2008, 12, 31), None, NOVEMBER) == "must_review"
    assert judge("stated", date(2008, 1, 1), date(2008, 12, 31), None, date(2026, 12, 31)) == "must_leave_alone"


def test_doubt_ends_when_every_reading_is_an_adult() -> None:
    assert judge("review", date(2012, 5, 5), date(2012, 5, 5), None, NOVEMBER) == "must_review"
    assert judge("review", date(2008, 5, 5), date(2008, 5, 5), None, NOVEMBER) == "must_leave_alone"
    assert judge("review", None, None, None, NOVEMBER) == "must_review"


def test_never_and_flag_do_not_depend_on_dates() -> None:
    assert judge("never", date(2012, 5, 5), date(2012, 5, 5), None, NOVEMBER) == "must_leave_alone"
    assert judge("flag", None, None, None, NOVEMBER) == "must_flag"


def test_late_summer_evening_in_utc_is_tomorrow_in_london() -> None:
    assert london(datetime(2026, 7, 1, 23, 30, tzinfo=UTC)) == date(2026, 7, 2)
    assert london(datetime(2026, 11, 1, 23, 30, tzinfo=UTC)) == date(2026, 11, 1)


def test_as_of_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        london(datetime(2026, 7, 1, 12))  # noqa: DTZ001


# --- plants -------------------------------------------------------------------------------------------------------


def crowd(anchor: date) -> tuple[People, list[Subject]]:
    plants = list(planted_in(300, 0, 300))
    people = People(
        rng=np.random.default_rng(3),
        ids=Ids(),
        rows=Rows(),
        anchor=anchor,
        first=0,
        size=300,
        planted=len(plants),
        label="",
        objects_share=1.0,
    )
    make_people(people)
    subjects = []
    for position, plant in enumerate(plants):
        subject = Subject(people, position)
        plant.make(subject)
        subjects.append(subject)
    return people, subjects


@pytest.mark.parametrize(
    "anchor",
    [NOVEMBER, date(2026, 3, 1), date(2028, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2026, 6, 30)],
    ids=str,
)
def test_names_tell_the_truth_on_any_anchor(anchor: date) -> None:
    _, subjects = crowd(anchor)
    for plant, subject in zip(planted_in(300, 0, 300), subjects, strict=True):
        if plant.expectation != "stated":
            continue
        assert subject.born is not None, plant.name
        outcome = judge("stated", *subject.born, subject.hold, anchor)
        if plant.name.startswith(("minor", "canary")):
            assert outcome in {"must_erase", "must_hold"}, plant.name
        elif plant.name.startswith("adult"):
            assert outcome == "must_leave_alone", plant.name
        else:  # spans the line on most days of the year
            assert outcome in {"must_review", "must_leave_alone", "must_erase"}, plant.name


def test_who_is_to_be_erased_is_under_18_by_every_reading_of_a_plausible_date() -> None:
    """No default, not equal to registration, old enough to have registered, nothing that speaks against it."""
    _, subjects = crowd(NOVEMBER)
    seen = 0
    for plant, subject in zip(planted_in(300, 0, 300), subjects, strict=True):
        if not plant.name.startswith(("minor", "canary")):
            continue
        seen += 1
        assert subject.born is not None
        youngest, registered = subject.born[1], subject.account["created_at"].date()
        assert (subject.born[0].month, subject.born[0].day) != (1, 1) or youngest > subject.born[0]
        assert registered < NOVEMBER
        assert (registered - youngest).days >= 8 * 366, plant.name
        assert not subject.profile.get("professional_reg_no")
    assert seen >= 20


def test_every_class_of_case_is_planted() -> None:
    assert {p.seen_as for p in PLANTS} >= {"SUSPECTED_MINOR", "INDETERMINATE", "CONFIRMED_PENDING_COUNTER"}
    assert {p.expectation for p in PLANTS} == {"stated", "review", "flag", "never"}
    assert len({p.name for p in PLANTS}) == len(PLANTS)


def test_every_signal_and_quality_rule_is_planted() -> None:
    signals = {p.signal for p in PLANTS}
    assert {f"SIG-{n:02d}" for n in range(1, 21)} <= signals
    assert {f"DQ-{n:02d}" for n in range(2, 14)} <= signals  # DQ-01, no date at all, is a third of all people


def test_plants_are_spread_and_add_up() -> None:
    whole = sorted(p.name for p in planted_in(20_000, 0, 20_000))
    parts = sorted(p.name for first in range(0, 20_000, 2_000) for p in planted_in(20_000, first, first + 2_000))
    assert whole == parts
    confirmed = [n for n in whole if n.startswith(("minor", "canary"))]
    assert 100 < len(confirmed) < 200  # more than the half per cent at which the volume breaker trips


def test_over_represented_first_of_january_needs_many_people() -> None:
    assert "frequent_first_january" not in {p.name for p in planted_in(300, 0, 300)}
    assert sum(p.name == "frequent_first_january" for p in planted_in(5_000, 0, 5_000)) >= 20


def test_a_night_is_twelve_minors_and_a_canary() -> None:
    tonight = [p.name for p in planted_tonight()]
    assert len(tonight) == sum(NIGHT.values()) == 13
    assert tonight.count("canary") == 1
    assert all(p.expectation == "stated" for p in planted_tonight())


# --- rows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "\\N"),
        (True, "t"),
        (date(1, 1, 1), "0001-01-01"),
        ("a\tb\\c\nd", "a\\tb\\\\c\\nd"),
        (["k/1"], '{"k/1"}'),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_copy_text(value: object, written: str) -> None:
    assert text(value) == written


def test_identifiers_are_version_four_and_repeatable() -> None:
    first = uuids(np.random.default_rng(1), 50)
    assert first == uuids(np.random.default_rng(1), 50)
    assert len(set(first)) == 50
    assert all(u[14] == "4" and u[19] in "89ab" for u in first)


def test_quarters_begin_on_their_first_day_and_cover_the_range() -> None:
    made = list(event_partitions("web.page_view", date(2026, 9, 30), date(2027, 1, 1)))
    assert len(made) == 3
    assert "web.page_view_2026q3" in made[0]
    assert "FROM ('2026-07-01 00:00+00') TO ('2026-10-01 00:00+00')" in made[0]
    assert "web.page_view_2026q4" in made[1]
    assert "TO ('2027-01-01 00:00+00')" in made[1]
    assert "web.page_view_2027q1" in made[2]
