"""Who is planted: minors by every signal, adults who look like minors, and the traps between them.

A plant has a name, a signal and an expectation, from which the oracle knows what a run must do on its day:

* ``stated``  an own structured statement (``born``: all that it may mean). Under 18 by every reading: erased, or
              held. Adult by every reading: left alone. In between: restricted, and people decide.
* ``review``  restricted, and people decide; never erased by a machine. Left alone once ``born`` is adult throughout.
* ``flag``    one circumstance: noted. Nobody is restricted.
* ``never``   left alone, whatever the day: adults, placeholders, other people's ages.

``seen_as`` is the class of a case that people decide ("" when the rules allow more than one). What is planted in
rows that are people of their own (a child in a booking, a child in a dataset) stands in ``truth.planted_row``.

Counts are for 20,000 people and scale with them; ``minimum`` is planted in a publisher of any size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sandbox.publisher import lookalikes as like
from sandbox.publisher import minors as m
from sandbox.publisher import statements as say
from sandbox.publisher.subject import Subject, minor

REFERENCE_PEOPLE = 20_000
MANY = 5_000  # below, nothing can be over-represented
Expectation = Literal["stated", "review", "flag", "never"]
SUSPECTED, INDETERMINATE, COUNTERED = "SUSPECTED_MINOR", "INDETERMINATE", "CONFIRMED_PENDING_COUNTER"


@dataclass(frozen=True)
class Plant:
    name: str
    signal: str
    expectation: Expectation
    make: Callable[[Subject], None]
    per_20k: int
    minimum: int = 1
    seen_as: str = ""

    def total(self, people: int) -> int:
        """How many among ``people``."""
        scaled = round(self.per_20k * people / REFERENCE_PEOPLE)
        return max(self.minimum, scaled)


def _stated(name: str, signal: str, make: Callable[[Subject], None], per_20k: int, minimum: int = 1) -> Plant:
    return Plant(name, signal, "stated", make, per_20k, minimum)


def _spanning(name: str, signal: str, make: Callable[[Subject], None], per_20k: int, seen_as: str = "") -> Plant:
    return Plant(name, signal, "stated", make, per_20k, seen_as=seen_as)


def _review(name: str, signal: str, make: Callable[[Subject], None], per_20k: int, seen_as: str = SUSPECTED) -> Plant:
    return Plant(name, signal, "review", make, per_20k, seen_as=seen_as)


def _flag(name: str, signal: str, make: Callable[[Subject], None], per_20k: int) -> Plant:
    return Plant(name, signal, "flag", make, per_20k)


def _never(name: str, signal: str, make: Callable[[Subject], None], per_20k: int, minimum: int = 1) -> Plant:
    return Plant(name, signal, "never", make, per_20k, minimum)


PLANTS: tuple[Plant, ...] = (
    # Minors by a full date of birth. The first one leads each chunk.
    _stated("minor_dob_date", "SIG-01", minor, 62, 2),
    _stated("minor_dob_iso_text", "SIG-01", m.minor_iso_text, 12),
    _stated("minor_dob_day_month_text", "SIG-01", m.minor_dmy_text, 12),
    _stated("minor_day_month_either_way", "SIG-01", m.minor_either_way, 3),
    _stated("minor_with_orders", "SIG-01", m.minor_with_orders, 6),
    _stated("minor_with_replies_by_others", "SIG-01", m.minor_with_replies, 6),
    _stated("minor_shared_mailbox", "SIG-01", m.minor_shared_mailbox, 3),
    _stated("minor_rows_by_email_only", "SIG-01", m.minor_email_only_rows, 6),
    _stated("minor_with_certificate", "SIG-01", m.minor_with_certificate, 4),
    _stated("minor_known_to_processors", "SIG-01", m.minor_known_to_processors, 3),
    _stated("minor_with_scanned_badge", "SIG-01", m.minor_with_scanned_badge, 3),
    _stated("minor_studies_medicine", "SIG-01", m.minor_studies_medicine, 3),
    _stated("minor_turns_18_tomorrow", "SIG-01", m.boundary(1), 2),
    _stated("minor_turns_18_in_a_week", "SIG-01", m.boundary(7), 2),
    _stated("minor_leap_birth", "SIG-01", m.minor_leap_birth, 1),
    _stated("minor_legal_hold", "SIG-01", m.held("legal_hold"), 4),
    _stated("minor_access_request", "SIG-01", m.held("access_request"), 3),
    _stated("minor_unverified_request", "SIG-01", m.held("unverified_request"), 2),
    _stated("canary", "SIG-01", m.canary, 2),
    # Minors by any other statement of their own that leaves no doubt.
    _stated("minor_dob_two_digit", "DQ-07", say.two_digit_minor, 3),
    _stated("minor_dob_excel_serial", "DQ-09", say.excel_serial, 3),
    _stated("minor_dob_utc_shift", "DQ-10", say.utc_shift, 2),
    _stated("minor_dob_year_only", "DQ-11", say.year_only, 3),
    _stated("minor_dob_leap_day_in_common_year", "DQ-13", say.no_leap_day, 2),
    _stated("minor_dob_year_and_month", "SIG-02", say.year_and_month, 4),
    _stated("minor_said_15_this_month", "SIG-03", say.said(20, age=15), 5),
    # Adults by the same statements, from the anchor on.
    _stated("adult_since_today", "SIG-01", m.boundary(0), 2),
    _stated("adult_since_yesterday", "SIG-01", m.boundary(-1), 2),
    _stated("adult_leap_birth", "SIG-01", m.adult_leap_birth, 1),
    _stated("adult_registered_at_17", "SIG-01", like.registered_at_seventeen, 8),
    _stated("adult_said_16_long_ago", "SIG-03", say.said(987, age=16), 3),
    # Dates that are no evidence.
    _never("placeholder_1900", "DQ-02", like.fixed(date(1900, 1, 1)), 25),
    _never("placeholder_1901", "DQ-02", like.fixed(date(1901, 1, 1)), 3),
    _never("placeholder_1899", "DQ-02", like.fixed(date(1899, 12, 30)), 2),
    _never("placeholder_1970", "DQ-02", like.fixed(date(1970, 1, 1)), 10),
    _never("placeholder_1753", "DQ-02", like.fixed(date(1753, 1, 1)), 2),
    _never("placeholder_0001", "DQ-02", like.fixed(date(1, 1, 1)), 2),
    _never("placeholder_9999", "DQ-02", like.fixed(date(9999, 12, 31)), 2),
    _never("frequent_2000_01_01", "DQ-02", like.fixed(date(2000, 1, 1)), 30),
    _never("frequent_1990_01_01", "DQ-02", like.fixed(date(1990, 1, 1)), 30),
    _never("dob_in_future", "DQ-03", like.dob_in_future, 4),
    _never("dob_is_registration_date", "DQ-04", like.dob_is_registration(0), 12),
    _never("dob_day_before_registration", "DQ-04", like.dob_is_registration(-1), 4),
    _never("dob_implausibly_old", "DQ-06", like.implausibly_old, 6),
    _never("dob_two_digit_adult", "DQ-07", like.two_digit_adult, 3),
    _never("dob_corrected_by_support", "SIG-09", like.corrected_by_support, 3),
    # Under 18 by every reading, and yet for people: defaults, other calendars, facts against it.
    Plant("frequent_first_january", "DQ-02", "review", like.first_january_common, 30, 30, SUSPECTED),
    _review("dob_buddhist_year", "DQ-03", like.buddhist_year, 3),
    _review("dob_implausibly_young", "DQ-05", like.implausibly_young, 6),
    _review("doctor_with_typo", "SIG-01", like.doctor_with_typo, 6, COUNTERED),
    _review("minor_who_has_died", "SIG-01", m.minor_who_has_died, 2, COUNTERED),
    # Two readings, on either side of 18.
    _spanning("dob_day_month_spanning", "DQ-08", like.day_month_spanning, 3),
    _review("dob_two_digit_either_century", "DQ-07", like.either_century, 3),
    _review("dob_excel_1904_spanning", "DQ-09", like.excel_1904_spanning, 3),
    _spanning("dob_utc_shift_spanning", "DQ-10", like.utc_shift_spanning, 2),
    _spanning("dob_year_only_spanning", "DQ-11", like.year_only_spanning, 3, INDETERMINATE),
    _spanning("dob_month_only_spanning", "DQ-11", like.month_only_spanning, 3, INDETERMINATE),
    _review("dob_text_and_date_disagree", "DQ-12", like.raw_and_date_disagree, 3),
    _review("dob_changed_adult_to_minor", "SIG-08", like.changed_adult_to_minor, 3),
    _review("dob_changed_minor_to_adult", "SIG-09", like.changed_minor_to_adult, 3),
    _spanning("said_17_last_year", "SIG-03", say.said(352, age=17), 3, INDETERMINATE),
    _spanning("band_under_18", "SIG-04", say.said(20, age_band="<18"), 5, INDETERMINATE),
    _spanning("band_16_to_18", "SIG-04", say.said(30, age_band="16-18"), 3, INDETERMINATE),
    # Reports, and statements that people have to read.
    _review("declared_under_18", "SIG-05", say.declared_under_18, 6, ""),
    _review("gate_refused_then_passed", "SIG-05", say.gate_refused_then_passed, 4),
    _review("ticket_i_am_15", "SIG-10", say.ticket("email", "Account", "Hello, I am 15 and need help."), 4),
    _review("ticket_my_son", "SIG-10", say.ticket("email", "Account", "My son used my account."), 2),
    _review("report_by_teacher", "SIG-11", say.reported("TEACHER"), 3),
    _review("bio_i_am_16", "SIG-12", say.bio("I am 16 and want to become a doctor."), 4),
    _review("bio_turning_18", "SIG-12", say.bio("I turn 18 next month."), 2),
    _review("bio_tengo_15", "SIG-12", say.bio("Tengo 15 años y me gusta la biología."), 2),
    _review("bio_j_ai_17", "SIG-12", say.bio("J'ai 17 ans et la biologie me plaît."), 2),
    _review("bio_ich_bin_16", "SIG-12", say.bio("Ich bin 16 und lerne Biologie."), 2),
    _review("school_domain_and_year", "SIG-13", say.school_domain_and_year, 3),
    _review("survey_school_year", "SIG-15", say.said(20, school_year="Year 12", country="GB"), 3),
    _review("youth_list", "SIG-18", say.youth_list, 5),
    _review("linked_to_a_minor", "SIG-19", say.linked_to_a_minor, 2),
    _review("processor_report", "SIG-20", say.reported("PROCESSOR"), 3),
    # One circumstance alone.
    _flag("school_staff", "SIG-13", say.school_staff, 6),
    _flag("school_domain", "SIG-13", say.school_domain, 5),
    _flag("school_year", "SIG-14", say.school_year, 5),
    _flag("payment_refused_under_18", "SIG-17", say.payment_refused, 3),
    # Others' ages, and words that only look like an age.
    _never("sixteen_years_experience", "SIG-12", say.bio("I have 16 years of experience in virology."), 5),
    _never("sixteen_years_experience_es", "SIG-12", say.bio("Tengo 16 años de experiencia en virología."), 2),
    _never("sixteen_years_experience_fr", "SIG-12", say.bio("J'ai 16 ans d'expérience en virologie."), 2),
    _never("sixteen_years_experience_de", "SIG-12", say.bio("Ich habe 16 Jahre Erfahrung in der Virologie."), 2),
    _never("sixteen_years_qualified", "SIG-12", say.bio("I am 16 years qualified."), 3),
    _never("was_16_then", "SIG-12", say.bio("I was 16 when I began."), 2),
    _never("months_from_retirement", "SIG-12", say.bio("I am under 18 months from retirement."), 2),
    _never("patient_aged_15", "SIG-12", say.bio("Known for the case of a 15-year-old patient."), 3),
    _never("cohort_aged_12_to_17", "SIG-12", say.bio("Lead of a trial in a cohort aged 12-17, CD4 17."), 2),
    _never("state_that_sounds_like_a_school", "SIG-13", say.state_domain, 3),
    _never("medical_student", "SIG-14", like.medical_student, 6),
    # Children who are rows, never the account that the row hangs on.
    _never("parent_with_child", "SIG-06", say.parent_with_child, 8),
    _never("guardian_on_file", "SIG-07", say.guardian_on_file, 4),
    _never("dataset_with_children", "SIG-16", say.dataset_with_children, 3),
)

# A further night: fresh minors only, and one canary.
NIGHT = {
    "minor_dob_date": 5,
    "minor_dob_iso_text": 1,
    "minor_dob_day_month_text": 1,
    "minor_with_orders": 1,
    "minor_with_replies_by_others": 1,
    "minor_rows_by_email_only": 1,
    "minor_turns_18_tomorrow": 1,
    "minor_with_certificate": 1,
    "canary": 1,
}


# What comes in between two nights: a form and a spreadsheet that confirm; a box, a ticket, a report and a partner's
# list that do not.
BY_DAY = {
    "minor_dob_date": 1,
    "minor_dob_excel_serial": 1,
    "declared_under_18": 1,
    "ticket_i_am_15": 1,
    "report_by_teacher": 1,
    "youth_list": 1,
}


def planted_in(people: int, first: int, last: int) -> Iterator[Plant]:
    """The plants of the chunk ``first``…``last`` of ``people``; each total is spread over all chunks.

    The first is always an ordinary confirmed minor.
    """
    for index, plant in enumerate(PLANTS):
        total = 0 if plant.name == "frequent_first_january" and people < MANY else plant.total(people)
        count = total * last // people - total * first // people
        yield from [plant] * (max(count, 1) if index == 0 else count)


def planted_tonight(counts: Mapping[str, int] = NIGHT) -> Iterator[Plant]:
    for plant in PLANTS:
        yield from [plant] * counts.get(plant.name, 0)
