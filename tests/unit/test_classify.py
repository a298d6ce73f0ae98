"""From readings to a class of case."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.minors.age import Interval
from privacy_ops.minors.classify import CaseClass, Statement, classify
from privacy_ops.minors.readings import Context, Flag, Readings, read

TODAY = date(2026, 11, 22)
ORACLE = Path(__file__).parents[1] / "data" / "age_oracle.csv"
FULL_DATES = {"A01", "A02", "A03", "A04", "A13", "A14", "A15"}

with ORACLE.open(encoding="utf-8") as file:
    ROWS = [r for r in csv.DictReader(line for line in file if not line.startswith("#")) if r["case"] in FULL_DATES]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_classes_of_the_oracle_for_full_dates(row: dict[str, str]) -> None:
    on = date.fromisoformat(row["as_of_london_date"])
    registered = (date(2026, 11, 20),) if row["case"] == "A14" else (date(2024, 5, 1),)
    where = Context(on=on, registered=registered, defaults=frozenset({date(1900, 1, 1)}))
    found = classify([Statement("a", read(row["dob_min"], where))], on=on)
    assert found.case_class == row["expected_class"]


def test_all_seven_rows_were_asked() -> None:
    assert {row["case"] for row in ROWS} == FULL_DATES


def said(*births: date, flags: frozenset[Flag] = frozenset(), source: str = "a") -> Statement:
    return Statement(source, Readings(tuple(sorted(Interval.day(b) for b in births)), flags))


MINOR, ADULT = date(2010, 5, 5), date(1980, 5, 5)


def class_of(*statements: Statement, counter: bool = False) -> CaseClass:
    return classify(statements, on=TODAY, counter_signals=counter).case_class


def test_nothing_said_is_no_evidence() -> None:
    assert class_of() == CaseClass.NO_EVIDENCE
    assert class_of(Statement("a", Readings(flags=frozenset({Flag.MISSING})))) == CaseClass.NO_EVIDENCE


def test_an_unread_format_opens_nothing() -> None:
    assert class_of(Statement("a", Readings(flags=frozenset({Flag.UNSUPPORTED_FORMAT})))) == CaseClass.NO_EVIDENCE


def test_a_placeholder_beside_a_minor_date_does_not_make_an_adult() -> None:
    assert class_of(said(flags=frozenset({Flag.DEFAULT})), said(MINOR, source="b")) == CaseClass.CONFIRMED_MINOR


def test_two_sources_that_disagree_are_a_suspicion() -> None:
    assert class_of(said(MINOR), said(ADULT, source="b")) == CaseClass.SUSPECTED_MINOR


def test_one_statement_on_both_sides_of_the_line_is_indeterminate() -> None:
    assert class_of(said(date(2008, 11, 12), date(2008, 12, 11))) == CaseClass.INDETERMINATE


def test_a_spreadsheet_that_spans_the_line_is_a_suspicion() -> None:
    read_as = read("2009-05-02", Context(on=TODAY, spreadsheet=True))
    assert classify([Statement("sheet", read_as)], on=TODAY).case_class == "SUSPECTED_MINOR"


def test_an_ambiguous_statement_with_only_minor_readings_confirms() -> None:
    ambiguous = said(date(2010, 3, 4), date(2010, 4, 3), flags=frozenset({Flag.DAY_MONTH_AMBIGUOUS}))
    assert class_of(ambiguous) == CaseClass.CONFIRMED_MINOR


def test_a_professional_registration_takes_the_decision_from_the_machine() -> None:
    assert class_of(said(MINOR), counter=True) == CaseClass.CONFIRMED_PENDING_COUNTER


def test_a_counter_signal_changes_nothing_for_adults() -> None:
    assert class_of(said(ADULT), counter=True) == CaseClass.ADULT


def test_too_young_to_have_registered_is_for_people_to_judge() -> None:
    assert class_of(said(date(2022, 1, 1), flags=frozenset({Flag.IMPLAUSIBLE_YOUNG}))) == CaseClass.SUSPECTED_MINOR


def test_the_latest_possible_birthday_is_kept() -> None:
    judged = classify([said(date(2008, 11, 12), date(2008, 12, 11))], on=TODAY)
    assert judged.adult_on == date(2026, 12, 11)


@given(
    st.lists(st.lists(st.dates(date(1930, 1, 1), TODAY), min_size=1, max_size=2), min_size=1, max_size=4), st.booleans()
)
def test_confirmed_means_every_reading_is_below_eighteen(births: list[list[date]], counter: bool) -> None:
    found = class_of(*(said(*b, source=str(i)) for i, b in enumerate(births)), counter=counter)
    everyone = [b for group in births for b in group]
    line = date(2008, 11, 22)  # born later: still a minor today
    if found is CaseClass.CONFIRMED_MINOR:
        assert all(b > line for b in everyone)
        assert not counter
    if found is CaseClass.ADULT:
        assert all(b <= line for b in everyone)


def test_a_year_of_children_alone_is_a_suspicion_and_never_confirms() -> None:
    readings = Readings((Interval(date(2010, 1, 1), date(2010, 12, 31)),), frozenset({Flag.YEAR_ONLY}))
    assert class_of(Statement("a", readings)) is CaseClass.SUSPECTED_MINOR


def test_a_year_that_spans_the_line_is_indeterminate() -> None:
    readings = Readings((Interval(date(2008, 1, 1), date(2008, 12, 31)),), frozenset({Flag.YEAR_ONLY}))
    assert class_of(Statement("a", readings)) is CaseClass.INDETERMINATE
