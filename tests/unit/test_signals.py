"""What one piece of evidence says, kind by kind, and how a statement goes stale."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.datamap.evidence import EvidenceColumn
from privacy_ops.datamap.model import AgeEvidence, Column
from privacy_ops.minors import school_years
from privacy_ops.minors.age import Interval, age_on, born_when_aged
from privacy_ops.minors.classify import CaseClass, classify
from privacy_ops.minors.readings import Context, Flag
from privacy_ops.minors.signals import Said, earlier_dates, interpret, school_domain, school_regex
from pydantic import ValidationError

TODAY = date(2026, 11, 22)


def source(kind: str, signal: str = "SIG-01", **more: Any) -> EvidenceColumn:
    return EvidenceColumn(0, "t", "c", AgeEvidence(signal=signal, kind=kind, **more))  # type: ignore[arg-type]


def class_of(place: EvidenceColumn, value: str, on: date | None = TODAY, **said: str) -> str:
    found = interpret(place, Said(value, on, **said), Context(on=TODAY))
    return str(classify([found] if found else [], on=TODAY).case_class)


AGO = {days: TODAY - timedelta(days=days) for days in (20, 352, 987)}


@pytest.mark.parametrize(
    ("what", "place", "value", "on", "expected"),
    [
        ("seventeen_today", source("age_number"), "17", TODAY, "CONFIRMED_MINOR"),
        ("seventeen_almost_a_year_ago", source("age_number"), "17", AGO[352], "INDETERMINATE"),
        ("sixteen_long_ago", source("age_number"), "16", AGO[987], "ADULT"),
        ("eighteen_today", source("age_number"), "18", TODAY, "ADULT"),
        ("fifteen_and_a_half", source("age_number"), "15.5", TODAY, "CONFIRMED_MINOR"),
        ("five_in_a_form_for_readers", source("age_number"), "5", TODAY, "SUSPECTED_MINOR"),
        ("an_age_nobody_reaches", source("age_number"), "119", TODAY, "DOB_UNUSABLE"),
        ("no_day_no_age", source("age_number"), "16", None, "NO_EVIDENCE"),
        ("below_18_today", source("age_band"), "<18", TODAY, "CONFIRMED_MINOR"),
        ("below_18_some_weeks_ago", source("age_band"), "<18", AGO[20], "INDETERMINATE"),
        ("sixteen_to_eighteen", source("age_band"), "16–18", TODAY, "INDETERMINATE"),
        ("thirteen_to_seventeen", source("age_band"), "13-17", TODAY, "CONFIRMED_MINOR"),
        ("eighteen_to_twenty_four", source("age_band"), "18-24", TODAY, "ADULT"),
        ("sixty_five_and_more", source("age_band"), "65+", TODAY, "ADULT"),
        ("not_an_adult_today", source("declared_adult"), "false", TODAY, "CONFIRMED_MINOR"),
        ("not_an_adult_yesterday", source("declared_adult"), "false", AGO[20], "INDETERMINATE"),
        ("the_tick_proves_nothing", source("declared_adult"), "true", TODAY, "NO_EVIDENCE"),
        ("gate_refused", source("age_gate", says_minor=("NO",)), "NO", AGO[20], "SUSPECTED_MINOR"),
        ("gate_passed", source("age_gate", says_minor=("NO",)), "YES", AGO[20], "NO_EVIDENCE"),
        ("gate_refused_long_ago", source("age_gate", says_minor=("NO",)), "NO", date(2006, 11, 1), "NO_EVIDENCE"),
        ("child_ticket_today", source("attendee_type"), "child", TODAY, "CONFIRMED_MINOR"),
        ("delegate", source("attendee_type"), "delegate", TODAY, "NO_EVIDENCE"),
        ("guardian", source("guardian"), "7", AGO[20], "SUSPECTED_MINOR"),
        ("youth_list", source("youth_list", says_minor=("young",)), "young", None, "SUSPECTED_MINOR"),
        ("another_list", source("youth_list", says_minor=("young",)), "news", None, "NO_EVIDENCE"),
        ("report_of_an_age", source("report"), "15", AGO[20], "SUSPECTED_MINOR"),
        ("report_long_grown_up", source("report"), "15", date(2020, 1, 1), "NO_EVIDENCE"),
        ("report_without_age", source("report"), "UNDER_18", AGO[20], "SUSPECTED_MINOR"),
        ("school_mail_alone", source("mail_domain"), "a@oakfield.sch.uk.example.org", AGO[20], "WEAK_SIGNAL"),
        ("pupil_alone", source("occupation"), "Year 11 pupil", AGO[20], "WEAK_SIGNAL"),
        ("payment_service_alone", source("payment_text"), "declined: card holder under 18", AGO[20], "WEAK_SIGNAL"),
        ("scan_of_a_file", source("scan"), "dates of birth", None, "THIRD_PARTY_MINOR"),
        ("first_person_text", source("free_text", "SIG-12"), "I am 16 and want to be a doctor.", AGO[20],
         "SUSPECTED_MINOR"),
        ("first_person_text_long_ago", source("free_text", "SIG-12"), "I am 16 and want to be a doctor.",
         date(2020, 1, 1), "NO_EVIDENCE"),
        ("my_son_in_a_biography", source("free_text", "SIG-12"), "My son used my account.", TODAY, "NO_EVIDENCE"),
        ("my_son_in_a_ticket", source("free_text", "SIG-10"), "My son used my account.", TODAY, "SUSPECTED_MINOR"),
        ("sixteen_years_of_experience", source("free_text", "SIG-12"), "I have 16 years of experience.", TODAY,
         "NO_EVIDENCE"),
        ("a_patient_of_15", source("free_text", "SIG-12"), "The case of a 15-year-old patient.", TODAY, "NO_EVIDENCE"),
        ("bare_age_beside_dates", source("birth_text", ages=True), "9", TODAY, "CONFIRMED_MINOR"),
    ],
    ids=lambda v: v if isinstance(v, str) and "_" in v and v == v.lower() else "",
)  # fmt: skip
def test_what_one_statement_makes_of_its_subject(
    what: str, place: EvidenceColumn, value: str, on: date | None, expected: str
) -> None:
    assert class_of(place, value, on) == expected


@pytest.mark.parametrize(
    ("words", "pupil"),
    [
        ("School pupil", True), ("Year 11", True), ("A-level student", True), ("GCSE", True),
        ("work experience", True), ("Sixth former", True), ("Schülerin", True), ("lycéenne", True),
        ("Student", False), ("Medical student", False), ("2", False), ("year 2", False), ("School nurse", False),
        ("Year 11 teacher", False), ("GCSE examiner", False), ("Head of Year 11", False), ("Physician", False),
    ],
)  # fmt: skip
def test_student_alone_is_no_signal_and_staff_of_schools_are_none(words: str, pupil: bool) -> None:
    assert (class_of(source("occupation"), words) == "WEAK_SIGNAL") is pupil


@pytest.mark.parametrize(
    ("domain", "school"),
    [
        ("oakfield.sch.uk", True), ("mail.oakfield.sch.uk", True), ("district.k12.ca.us", True), ("abc.ed.jp", True),
        ("x.hs.kr", True), ("y.school.nz", True), ("z.sch.ae", True), ("K12.TR", True),
        ("sc.us", False), ("state.sc.us", False), ("state.ms.us", False), ("x.sc.cn", False), ("x.ms.it", False),
        ("med.ac.uk", False), ("school.example.org", False), ("notsch.uk", False), ("sch.uk.evil.example.org", False),
        ("k12.example.org", False),
    ],
)  # fmt: skip
def test_school_domains_and_what_only_looks_like_one(domain: str, school: bool) -> None:
    import re

    assert school_domain(f"somebody@{domain}") is school
    if school:  # the pre-filter in SQL lets everybody through whom Python would find
        assert re.search(school_regex(), f"somebody@{domain}", re.IGNORECASE)


@pytest.mark.parametrize(
    ("words", "country", "stated", "first", "last"),
    [
        ("Year 12", "GB", date(2026, 11, 2), date(2009, 9, 1), date(2010, 8, 31)),
        ("Year 13", "UK", date(2026, 11, 2), date(2008, 9, 1), date(2009, 8, 31)),
        ("Year 12", "GB", date(2027, 2, 2), date(2009, 9, 1), date(2010, 8, 31)),
        ("9th grade", "US", date(2026, 10, 1), date(2011, 9, 1), date(2012, 8, 31)),
        ("Terminale", "FR", date(2026, 10, 1), date(2009, 1, 1), date(2009, 12, 31)),
        ("4º de la ESO", "ES", date(2026, 10, 1), date(2011, 1, 1), date(2011, 12, 31)),
        ("10. Klasse", "DE", date(2026, 10, 1), date(2010, 7, 1), date(2011, 6, 30)),
    ],
)
def test_a_school_year_is_a_span_of_birth_dates(
    words: str, country: str, stated: date, first: date, last: date
) -> None:
    assert school_years.birth_dates(words, country, stated) == (Interval(first, last),)


@pytest.mark.parametrize("month", ["²", "五", "0", "13", "May", "٥", " 5\r"])
def test_a_month_beside_a_year_may_be_anything_that_people_type(month: str) -> None:
    assert class_of(source("birth_text"), "2012", extra=month) in {"CONFIRMED_MINOR", "NO_EVIDENCE"}


def test_a_school_year_never_confirms() -> None:
    place = source("school_year", "SIG-15")
    assert class_of(place, "Year 12", date(2026, 11, 2), extra="GB") == "SUSPECTED_MINOR"
    assert class_of(place, "Year 13", date(2026, 11, 2), extra="GB") == "INDETERMINATE"
    assert class_of(place, "Year 12", date(2020, 11, 2), extra="GB") == "ADULT"
    assert class_of(place, "none", date(2026, 11, 2), extra="GB") == "NO_EVIDENCE"


def test_in_the_summer_the_year_that_ended_and_the_one_to_come_are_meant() -> None:
    assert len(school_years.birth_dates("Year 12", "GB", date(2026, 8, 1))) == 2


@given(st.dates(date(1950, 1, 1), TODAY), st.dates(date(1990, 1, 1), TODAY), st.sampled_from(["MAR_1", "FEB_28"]))
def test_everybody_of_that_age_is_in_the_span_and_nobody_else(birth: date, said: date, rule: Any) -> None:
    for age in {age_on(birth, said, rule), 17}:
        if age >= 0:
            span = born_when_aged(age, age, said, rule)
            assert (span.first <= birth <= span.last) is (age_on(birth, said, rule) == age)


@given(st.integers(0, 60), st.integers(0, 8000))
def test_who_said_an_age_only_gets_older(age: int, days: int) -> None:
    """A statement that is an adult's today stays one; it never makes anybody younger."""
    place, order = source("age_number"), ["CONFIRMED_MINOR", "SUSPECTED_MINOR", "INDETERMINATE", "ADULT"]
    said = TODAY - timedelta(days=days)
    found = interpret(place, Said(str(age), said), Context(on=TODAY))
    assert found is not None
    today, later = (str(classify([found], on=TODAY + timedelta(days=d)).case_class) for d in (0, 400))
    assert order.index(today) <= order.index(later)


def test_a_child_that_support_corrected_after_a_check_is_no_evidence_but_an_adult_stays_one() -> None:
    place = source("birth_date", changed_by="by", verified=("support",))
    for value, by, usable in (
        ("2010-05-05", "support", False),
        ("2010-05-05", "user", True),
        ("1980-05-05", "support", True),
    ):
        found = interpret(place, Said(value, changed_by=by), Context(on=TODAY))
        assert found is not None
        assert found.readings.usable is usable


@pytest.mark.parametrize(
    ("earlier", "now", "signal", "expected"),
    [
        ("1980-05-05", "2010-05-05", "SIG-08", CaseClass.SUSPECTED_MINOR),
        ("2010-05-05", "1980-05-05", "SIG-09", CaseClass.SUSPECTED_MINOR),
        ("2010-05-05", "2010-05-05", "SIG-01", CaseClass.CONFIRMED_MINOR),
    ],
)
def test_a_changed_date_of_birth_is_a_suspicion(earlier: str, now: str, signal: str, expected: CaseClass) -> None:
    context = Context(on=TODAY)
    before = source("birth_date", changed_by="by", verified=("support",))
    stated = [
        (before, interpret(before, Said(earlier, changed_by="user"), context)),
        (source("birth_date"), interpret(source("birth_date"), Said(now), context)),
    ]
    marked = earlier_dates(stated, TODAY)  # type: ignore[arg-type]
    assert marked[0][1].signal == signal
    assert (Flag.CHANGED in marked[0][1].readings.flags) is (earlier != now)
    assert classify([s for _, s in marked], on=TODAY).case_class is expected


@pytest.mark.parametrize(
    "category",
    ["user.name", "user.name.first", "user.content.self_image", "user.behavior.browsing_history",
     "user.location.coarse",
     "user.device.ip_address", "user.biometric.health", "user.demographic.gender", "user.health"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["free_text", "birth_text", "occupation"])
def test_no_age_is_read_from_names_pictures_or_behaviour(category: str, kind: str) -> None:
    with pytest.raises(ValidationError, match="not evidence"):
        Column.model_validate({"category": category, "evidence": {"signal": "SIG-12", "kind": kind}})
    with pytest.raises(ValidationError, match="not evidence"):
        Column.model_validate({
            "category": category,
            "more_evidence": [{"signal": "SIG-12", "kind": kind, "path": "a"}],
        })


@pytest.mark.parametrize(
    "wrong",
    [
        {"signal": "SIG-05", "kind": "age_gate"},
        {"signal": "SIG-18", "kind": "youth_list"},
        {"signal": "SIG-01", "kind": "age_number", "month": "m"},
        {"signal": "SIG-16", "kind": "scan", "quarantine": {"column": "c", "value": "v"}},
    ],
)
def test_evidence_that_could_not_be_read_is_refused_in_the_map(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AgeEvidence.model_validate(wrong)
