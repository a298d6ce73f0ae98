"""What people say about an age, or others say about theirs, in any other way than a date of birth."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np

from sandbox.publisher.catalogue import YOUTH_LIST
from sandbox.publisher.commerce import write_orders
from sandbox.publisher.conference import write_submission
from sandbox.publisher.subject import Subject, address, years_before


def bio(words_: str) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        s.profile["bio"] = words_

    return make


def said(days_ago: int, **answers: Any) -> Callable[[Subject], None]:
    """A survey answer given ``days_ago`` before the anchor."""

    def make(s: Subject) -> None:
        s.registered(s.anchor - timedelta(days=days_ago + 10))
        s.born = _meant(s.anchor - timedelta(days=days_ago), answers)
        s.extra.append(
            lambda: (
                s.row(
                    "feedback.survey_response",
                    survey_id=1,
                    user_id=s.user_id,
                    answers=answers,
                    at=s.moment(days_ago),
                )
                and None
            )
        )

    return make


def _meant(on: date, answers: dict[str, Any]) -> tuple[date, date] | None:
    """All birth dates that an age, or a band of ages, on a day may mean."""
    bands = {"<18": (0, 17), "16-18": (16, 18)}
    ages = bands.get(answers.get("age_band", "")) or (answers.get("age"), answers.get("age"))
    if ages[0] is None or ages[1] is None:
        return None
    return years_before(on, ages[1] + 1) + timedelta(days=1), years_before(on, ages[0])


def two_digit_minor(s: Subject) -> None:
    """Fifteen, or a hundred and fifteen, which nobody is."""
    day = date(s.anchor.year - 15, 5, 14)
    _import(s, f"{day:%d/%m/%y}", day)


def excel_serial(s: Subject) -> None:
    """A spreadsheet's number of days, from 1900 or from 1904: a minor by both."""
    days = (s.anchor - date(1899, 12, 30)).days - 5400
    day = date(1899, 12, 30) + timedelta(days=days)
    _import(s, f"{days}", day, day + timedelta(days=1462))


def utc_shift(s: Subject) -> None:
    day = date(s.anchor.year - 14, 5, 3)
    _import(s, f"{day}T23:00:00Z", day, day + timedelta(days=1), source="api")


def year_only(s: Subject) -> None:
    year = s.anchor.year - 16
    _import(s, f"{year}", date(year, 1, 1), date(year, 12, 31))


def no_leap_day(s: Subject) -> None:
    year = s.anchor.year - 15
    year += calendar.isleap(year)
    _import(s, f"{year}-02-29", date(year, 2, 28), date(year, 3, 1))


def year_and_month(s: Subject) -> None:
    year = s.anchor.year - 15
    _import(s, f"{year}-05", date(year, 5, 1), date(year, 5, 31))


def _import(s: Subject, raw: str, first: date, last: date | None = None, source: str = "import_csv") -> None:
    s.dob_text(raw, first, last, source=source)
    s.registered(s.anchor - timedelta(days=200))


def declared_under_18(s: Subject) -> None:
    s.account["age_declared_18"] = False


def gate_refused_then_passed(s: Subject) -> None:
    def rows() -> None:
        session = s.user_id
        for event, minutes in (("AGE_GATE_REFUSED", 5), ("AGE_GATE_PASSED", 2)):
            s.row(
                "core.registration_event",
                at=s.moment(30) - np.timedelta64(minutes * 60, "s"),
                session_id=session,
                email_norm=s.email,
                event=event,
            )

    s.extra.append(rows)


def guardian_on_file(s: Subject) -> None:
    """A parent's address on file reports a child: a case of the row. What is known of the account is not an age."""

    def rows() -> None:
        number = s.row(
            "core.guardian_contact",
            user_id=s.user_id,
            name="A Parent",
            email=f"parent.{s.people.label}{s.people.first + s.position}@mail.example.org",
            relation="mother",
            created_at=s.moment(40),
        )
        s.rows_expected.append(("core.guardian_contact", "id", str(number), "reviewed"))

    s.extra.append(rows)


def ticket(channel: str, subject: str, body: str) -> Callable[[Subject], None]:
    """The person wrote to the help desk."""

    def make(s: Subject) -> None:
        def rows() -> None:
            number = s.row(
                "support.ticket",
                requester_email=s.email,
                user_id=s.user_id,
                subject=subject,
                channel=channel,
                opened_at=s.moment(3),
            )
            s.row("support.ticket_message", ticket_id=number, author="requester", body=body, at=s.moment(3))

        s.extra.append(rows)

    return make


def reported(reporter: str) -> Callable[[Subject], None]:
    """Somebody else told us; staff enter it (``governance``)."""

    def make(s: Subject) -> None:
        s.reporter = reporter

    return make


def school_staff(s: Subject) -> None:
    s.account |= address(s, "oakfield.sch.uk.example.org")
    s.profile |= {"occupation_text": "School nurse", "occupation_code": "NURS"}


def school_domain_and_year(s: Subject) -> None:
    """Two circumstances that agree."""
    school_domain(s)
    school_year(s)


def state_domain(s: Subject) -> None:
    """South Carolina and Mississippi, not schools."""
    s.account |= address(s, ("health.sc.us.example.org", "health.ms.us.example.org")[s.position % 2])


def school_domain(s: Subject) -> None:
    s.account |= address(s, "pupils.oakfield.sch.uk.example.org")


def school_year(s: Subject) -> None:
    s.profile |= {"occupation_text": "Year 11 pupil", "year_of_study": "Year 11"}


def dataset_with_children(s: Subject) -> None:
    """Dates of birth of patients in a submitted file: the file is out of use, its author is not."""

    def rows() -> None:
        number = write_submission(
            s.people,
            s.position,
            kind="dataset",
            body="patient,birth_date,age\n1,2015-02-03,11\n2,2016-09-30,10\n",
            findings="dates of birth",
        )
        s.rows_expected.append(("submissions.submission_file", "submission_id", str(number), "quarantined"))

    s.extra.append(rows)


def parent_with_child(s: Subject) -> None:
    """A parent's account and booking; the child is a row of the conference, not the account."""
    s.dob(date(s.anchor.year - 41, 8, 20))
    n = s.people.first + s.position
    # Children of many families: one date for all of them would be a broken form, not children.
    born = date(s.anchor.year - 12, 1 + n % 12, 1 + n // 12 % 28).isoformat()

    def rows() -> None:
        for place, (kind, age) in enumerate((("accompanying_person", None), ("child", "9"), ("child", born))):
            number = s.row(
                "events.attendee",
                conference_id=1,
                user_id=s.user_id,
                name=f"Family {place} {s.people.profile['family_name'][s.position]}",
                email=s.email,
                badge_code=f"B-family-{s.people.label}{s.people.first + s.position}-{place}",
                attendee_type=kind,
                age_or_dob=age,
                registered_at=s.moment(15),
            )
            if age:
                s.rows_expected.append(("events.attendee", "id", str(number), "gone"))
            else:
                s.kept.append(("events.attendee", "id", str(number)))

    s.extra.append(rows)


def payment_refused(s: Subject) -> None:
    def rows() -> None:
        order = write_orders(s.people, np.array([s.position]))[0]
        s.row(
            "commerce.payment_ref",
            order_id=order,
            psp="paywell",
            psp_message="declined: card holder under 18",
            created_at=s.moment(2),
        )

    s.extra.append(rows)


def youth_list(s: Subject) -> None:
    s.extra.append(
        lambda: s.people.rows.add(
            "crm.email_subscriber",
            subscriber_id=s.people.ids.one("crm.email_subscriber"),
            email=s.email,
            list=YOUTH_LIST,
            source="partner import",
            status="subscribed",
            user_id=s.user_id,
            added_at=s.moment(1),
        )
    )


def linked_to_a_minor(s: Subject) -> None:
    """The same app installation as a confirmed minor of this chunk (position 0 is always one)."""

    def rows() -> None:
        for user in (s.user_id, s.people.user_id[0]):
            s.row(
                "core.identity_link",
                user_id=user,
                kind="app_install_id",
                external_id=f"install-{s.user_id}",
                confidence="FK",
            )

    s.extra.append(rows)
