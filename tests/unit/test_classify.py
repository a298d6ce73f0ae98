"""From readings to a class of case."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.datamap.evidence import EvidenceColumn
from privacy_ops.datamap.model import AgeEvidence
from privacy_ops.minors.age import Interval, age_range
from privacy_ops.minors.classify import CaseClass, Statement, Strength, classify
from privacy_ops.minors.readings import Context, Flag, Readings, read
from privacy_ops.minors.signals import Said, interpret

TODAY = date(2026, 11, 22)
ORACLE = Path(__file__).parents[1] / "data" / "age_oracle.csv"

with ORACLE.open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(line for line in file if not line.startswith("#")))


# How each case of the oracle was stated, where its two dates alone do not tell: kind, value, day of the statement.
STATED = {
    "A05": ("age_number", "17", date(2025, 12, 5)),
    "A06": ("age_number", "16", date(2024, 3, 10)),
    "A07": ("age_number", "17", TODAY),
    "A08": ("birth_text", "2009", None),
    "A09": ("birth_text", "2008", None),
    "A10": ("birth_text", "2008-11", None),
    "A11": ("school_year", "Year 12", TODAY),
    "A12": ("school_year", "Year 13", TODAY),
    "A18": ("birth_text", "03/04/2008", None),
    "A19": ("birth_text", "12/11/2008", None),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_classes_of_the_oracle(row: dict[str, str]) -> None:
    on = date.fromisoformat(row["as_of_london_date"])
    kind, value, day = STATED.get(row["case"], ("birth_text", row["dob_min"], None))
    # A14 was registered on the day that stands as the birth date; A18 has had nobody's data as a child's.
    registered = {"A14": date(2026, 11, 20), "A18": on}.get(row["case"], day or date(2026, 5, 1))
    if row["case"] in {"A02", "A04"}:
        registered = on
    where = Context(
        on=on,
        registered=(registered,),
        defaults=frozenset({date(1900, 1, 1)}),
        spreadsheet=row["case"] == "A17",
    )
    place = EvidenceColumn(0, "t", "c", AgeEvidence(signal="SIG-01", kind=kind))  # type: ignore[arg-type]
    statement = interpret(place, Said(value, day, extra="GB"), where)
    assert statement is not None
    intervals = statement.readings.intervals
    if row["age_min"]:
        assert (intervals[0].first.isoformat(), intervals[-1].last.isoformat()) == (row["dob_min"], row["dob_max"]) or (
            row["case"] in {"A16", "A17"}  # the oracle gives the date as written
        )
        assert (
            age_range(Interval(intervals[0].first, intervals[-1].last), on)
            == (
                int(row["age_min"]),
                int(row["age_max"]),
            )
            or row["case"] == "A17"
        )
    assert classify([statement], on=on, collected=registered).case_class == row["expected_class"]


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


# --- reports, circumstances, spans, other days --------------------------------------------------------------------


def span(first: date, last: date, source: str = "span") -> Statement:
    return Statement(source, Readings((Interval(first, last),)))


def weaker(strength: Strength, signal: str = "SIG-13", *births: date) -> Statement:
    return Statement(signal, Readings(tuple(Interval.day(b) for b in births)), strength, signal)


@pytest.mark.parametrize(
    ("what", "statements", "expected"),
    [
        ("one_report", [weaker("R")], CaseClass.SUSPECTED_MINOR),
        ("a_report_about_somebody_grown_up_since", [weaker("R", "SIG-10", ADULT)], CaseClass.NO_EVIDENCE),
        ("one_circumstance", [weaker("W")], CaseClass.WEAK_SIGNAL),
        ("the_same_circumstance_twice", [weaker("W"), weaker("W")], CaseClass.WEAK_SIGNAL),
        ("two_circumstances", [weaker("W"), weaker("W", "SIG-14")], CaseClass.SUSPECTED_MINOR),
        ("a_report_beside_an_adult_date", [said(ADULT), weaker("R")], CaseClass.SUSPECTED_MINOR),
        ("a_circumstance_beside_an_adult_date", [said(ADULT), weaker("W")], CaseClass.ADULT),
        ("a_report_beside_a_minor_date", [said(MINOR), weaker("R")], CaseClass.CONFIRMED_MINOR),
        ("a_report_beside_a_placeholder", [said(flags=frozenset({Flag.DEFAULT})), weaker("R")],
         CaseClass.SUSPECTED_MINOR),
        ("a_circumstance_beside_a_placeholder", [said(flags=frozenset({Flag.DEFAULT})), weaker("W")],
         CaseClass.DOB_UNUSABLE),
        ("a_report_beside_an_unclear_date", [said(date(2008, 11, 12), date(2008, 12, 11)), weaker("R")],
         CaseClass.SUSPECTED_MINOR),
        ("somebody_else_inside_a_file", [weaker("T")], CaseClass.THIRD_PARTY_MINOR),
        ("a_span_that_holds_the_minor_date", [span(date(2005, 1, 1), TODAY), said(MINOR)], CaseClass.CONFIRMED_MINOR),
        ("a_span_that_holds_the_adult_date", [span(date(1970, 1, 1), TODAY), said(ADULT)], CaseClass.ADULT),
        ("a_span_that_contradicts", [span(date(2007, 1, 1), date(2009, 1, 1)), said(MINOR)], CaseClass.SUSPECTED_MINOR),
        ("two_equal_spans", [span(date(2005, 1, 1), TODAY), span(date(2005, 1, 1), TODAY)], CaseClass.INDETERMINATE),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)  # fmt: skip
def test_what_several_statements_make_together(what: str, statements: list[Statement], expected: CaseClass) -> None:
    assert classify(statements, on=TODAY).case_class is expected


def test_readings_that_exclude_each_other_are_never_dropped_for_a_date_among_them() -> None:
    either = said(date(2008, 11, 12), date(2008, 12, 11))
    assert class_of(either, said(date(2008, 12, 11), source="b")) is CaseClass.SUSPECTED_MINOR


def test_a_conflict_says_so() -> None:
    assert Flag.CONFLICT in classify([said(MINOR), said(ADULT, source="b")], on=TODAY).flags
    assert Flag.CONFLICT not in classify([said(MINOR), said(MINOR, source="b")], on=TODAY).flags


def test_another_calendar_may_show_a_child_and_never_an_adult() -> None:
    child, grown = (read(f"{year}-04-01", Context(on=TODAY)) for year in (2553, 2550))
    assert classify([Statement("a", child)], on=TODAY).case_class is CaseClass.SUSPECTED_MINOR
    assert classify([Statement("a", grown)], on=TODAY).case_class is CaseClass.DOB_UNUSABLE


@pytest.mark.parametrize(
    ("collected", "expected"),
    [
        (date(1998, 5, 4), CaseClass.ADULT_NOW_COLLECTED_AS_MINOR),  # the day before the eighteenth birthday
        (date(1998, 5, 5), CaseClass.ADULT),
        (None, CaseClass.ADULT),
    ],
)
def test_an_adult_whose_data_came_in_childhood_is_told_apart(collected: date | None, expected: CaseClass) -> None:
    assert classify([said(ADULT)], on=TODAY, collected=collected).case_class is expected


@pytest.mark.parametrize(
    ("born", "flagged"),
    [(date(2008, 11, 22), True), (date(2008, 11, 23), True), (date(2008, 11, 24), False), (date(2008, 11, 21), False)],
)
def test_who_is_eighteen_elsewhere_on_earth_is_marked_and_judged_by_london(born: date, flagged: bool) -> None:
    judged = classify([said(born)], on=TODAY, elsewhere=(date(2026, 11, 21), date(2026, 11, 23)))
    assert (Flag.BOUNDARY in judged.flags) is flagged
    assert (judged.case_class is CaseClass.CONFIRMED_MINOR) is (born > date(2008, 11, 22))


days_of_birth = st.dates(date(1930, 1, 1), TODAY)
statements_of_any_kind = st.builds(
    lambda births, strength, signal, flags: Statement(
        "any", Readings(tuple(sorted(Interval.day(b) for b in births)), frozenset(flags)), strength, signal
    ),
    st.lists(days_of_birth, max_size=3),
    st.sampled_from(["S", "R", "W"]),
    st.sampled_from(["SIG-01", "SIG-10", "SIG-13", "SIG-14"]),
    st.lists(st.sampled_from([Flag.SPREADSHEET_EPOCH, Flag.PARTIAL, Flag.DEFAULT, Flag.YEAR_ONLY]), max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(statements_of_any_kind, max_size=4), st.dates(date(1930, 1, 1), date(2008, 11, 22)), st.booleans())
def test_with_one_adult_reading_of_the_persons_own_nothing_is_ever_confirmed(
    others: list[Statement], adult: date, counter: bool
) -> None:
    found = classify([*others, said(adult, source="own")], on=TODAY, counter_signals=counter).case_class
    assert found not in {CaseClass.CONFIRMED_MINOR, CaseClass.CONFIRMED_PENDING_COUNTER}


def test_a_counter_signal_leaves_a_suspicion_to_two_people() -> None:
    doubtful = Statement("any", Readings((Interval.day(date(2009, 1, 1)),), frozenset({Flag.YEAR_ONLY})))
    assert classify([doubtful], on=TODAY, counter_signals=True).case_class is CaseClass.SUSPECTED_MINOR


@settings(max_examples=60, deadline=None)
@given(st.lists(statements_of_any_kind, max_size=4))
def test_reports_and_circumstances_never_confirm_and_order_does_not_matter(statements: list[Statement]) -> None:
    found = classify(statements, on=TODAY)
    assert classify(statements[::-1], on=TODAY) == found
    if not any(s.strength == "S" for s in statements):
        assert found.case_class not in {CaseClass.CONFIRMED_MINOR, CaseClass.CONFIRMED_PENDING_COUNTER}
    # A counter-signal takes decisions from the machine and gives none back.
    countered = classify(statements, on=TODAY, counter_signals=True).case_class
    assert countered is not CaseClass.CONFIRMED_MINOR
    assert countered is found.case_class or found.case_class is CaseClass.CONFIRMED_MINOR
