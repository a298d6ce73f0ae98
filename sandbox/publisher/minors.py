"""Minors by a date of birth, with the things around them that an erasure must take along or leave."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from sandbox.publisher import words
from sandbox.publisher.catalogue import CANARY_COURSE, make_catalogue
from sandbox.publisher.commerce import write_orders
from sandbox.publisher.conference import write_submission
from sandbox.publisher.objects import Put
from sandbox.publisher.subject import ADULT, Subject, address, minor, recently, years_before


def minor_iso_text(s: Subject) -> None:
    minor(s, form="iso")


def minor_dmy_text(s: Subject) -> None:
    minor(s, form="dmy")


def minor_with_orders(s: Subject) -> None:
    minor(s)
    s.extra.append(lambda: _order(s))


def _order(s: Subject) -> None:
    for order in write_orders(s.people, np.array([s.position])):
        s.kept.append(("commerce.order_header", "order_id", str(order)))


def minor_with_replies(s: Subject) -> None:
    """Others answered the minor's comment: the answers stay."""
    minor(s)

    def rows() -> None:
        comment = s.row(
            "feedback.comment",
            user_id=s.user_id,
            text="Is there an easier version of this?",
            context="course/1",
            at=s.moment(2.9),
        )
        for _ in range(2):
            author = s.people.user_id[s.another()]
            reply = s.row(
                "feedback.comment",
                user_id=author,
                parent_id=comment,
                text="Yes, see part 1.",
                context="course/1",
                at=s.moment(1),
            )
            if s.people.size > s.people.planted:
                s.kept.append(("feedback.comment", "id", str(reply)))

    s.extra.append(rows)


def minor_shared_mailbox(s: Subject) -> None:
    """An adult of the family uses the same address: the rows under the adult's account are the adult's."""
    minor(s)
    s.shared_email = True

    def rows() -> None:
        other = s.another()
        adult = s.people.user_id[other]
        ticket = s.row(
            "support.ticket",
            requester_email=s.email,
            user_id=adult,
            subject="Invoice copy",
            channel="email",
            opened_at=s.moment(20),
        )
        attendee = s.row(
            "events.attendee",
            conference_id=1,
            user_id=adult,
            name="Adult at the same address",
            email=s.email,
            badge_code=f"B-shared-{s.people.label}{s.people.first + s.position}",
            attendee_type="delegate",
            registered_at=s.moment(20),
        )
        if s.people.size > s.people.planted:
            s.kept += [("support.ticket", "id", str(ticket)), ("events.attendee", "id", str(attendee))]

    s.extra.append(rows)


def minor_email_only_rows(s: Subject) -> None:
    """Rows that lead to the account by its mail address alone."""
    minor(s)
    s.extra.append(lambda: _email_only(s))


def _email_only(s: Subject) -> None:
    s.people.rows.add(
        "crm.email_subscriber",
        subscriber_id=s.people.ids.one("crm.email_subscriber"),
        email=s.email,
        list="conference-news",
        source="booth",
        status="subscribed",
        added_at=s.moment(2),
    )
    ticket = s.row(
        "support.ticket", requester_email=s.email, subject="Question", channel="email", opened_at=s.moment(2)
    )
    s.row(
        "support.ticket_message",
        ticket_id=ticket,
        author="requester",
        body="How do I print a certificate?",
        at=s.moment(2),
    )
    s.row(
        "core.registration_event",
        at=s.moment(2),
        session_id=s.people.user_id[s.position],
        email_norm=s.email,
        event="AGE_GATE_PASSED",
    )


def minor_with_certificate(s: Subject) -> None:
    minor(s)
    s.extra.append(lambda: _certificate(s))


def _certificate(s: Subject) -> None:
    serial = f"IMP-{s.people.ids.one('learn.certificate'):09d}"
    name = f"{s.people.profile['given_name'][s.position]} {s.people.profile['family_name'][s.position]}"
    key = f"certificates/{serial}.pdf"
    s.people.rows.add(
        "learn.certificate",
        serial=serial,
        user_id=s.user_id,
        course_id=2,
        issued_at=s.moment(2),
        printed_name=name,
        pdf_key=key,
        public_verify_slug=f"v-{serial.lower()}",
    )
    s.people.objects.append(Put("imp-certificates", key, f"certificate for {name}, account {s.user_id}", 2))


def minor_known_to_processors(s: Subject) -> None:
    """Three processors know the person by numbers of their own."""
    minor(s)

    def rows() -> None:
        for kind in ("esp_id", "psp_customer_id", "crm_id"):
            s.row(
                "core.identity_link",
                user_id=s.user_id,
                kind=kind,
                external_id=f"{kind}-{s.user_id[:13]}",
                confidence="VERIFIED_EMAIL",
            )

    s.extra.append(rows)


def minor_with_scanned_badge(s: Subject) -> None:
    """Two exhibitors scanned the badge: they are told."""
    minor(s)

    def rows() -> None:
        badge = f"B-scanned-{s.people.label}{s.people.first + s.position}"
        s.row(
            "events.attendee",
            conference_id=1,
            user_id=s.user_id,
            name="Young visitor",
            email=s.email,
            badge_code=badge,
            attendee_type="delegate",
            registered_at=s.moment(2),
        )
        for exhibitor in (1, 2):
            s.row("events.badge_scan", badge_code=badge, exhibitor_id=exhibitor, scanned_at=s.moment(1))

    s.extra.append(rows)


def minor_studies_medicine(s: Subject) -> None:
    """Some medical schools admit at seventeen: the date decides, not the occupation."""
    s.dob(years_before(s.anchor, ADULT) + timedelta(days=120))
    s.registered(s.anchor - timedelta(days=60))
    s.account |= address(s, "students.ac.uk.example.org")
    s.profile |= {"occupation_text": "Medical student", "occupation_code": "STUD", "year_of_study": "1"}


def minor_who_has_died(s: Subject) -> None:
    """Out of use like anybody under 18, and left to the privacy lead."""
    minor(s)
    s.profile["died_on"] = s.anchor - timedelta(days=2)


def minor_either_way(s: Subject) -> None:
    """Day and month may be swapped: a minor both ways, so every reading says the same."""
    year = s.anchor.year - 15
    s.dob_text(f"04/03/{year}", date(year, 3, 4), date(year, 4, 3))
    s.registered(s.anchor - timedelta(days=200))


def boundary(days: int) -> Callable[[Subject], None]:
    """Turns 18 ``days`` after the anchor."""

    def make(s: Subject) -> None:
        born = years_before(s.anchor + timedelta(days=days), ADULT)
        s.dob(born)
        s.registered(s.anchor - timedelta(days=200))

    return make


def minor_leap_birth(s: Subject) -> None:
    year = s.anchor.year - ADULT + 1
    while not calendar.isleap(year):
        year += 1
    s.dob(date(year, 2, 29))
    recently(s, date(year, 2, 29))


def adult_leap_birth(s: Subject) -> None:
    year = s.anchor.year - ADULT - 1
    while not calendar.isleap(year):
        year -= 1
    s.dob(date(year, 2, 29))
    s.registered(s.anchor - timedelta(days=300))


def held(kind: str) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        minor(s)
        s.hold = kind

    return make


def canary(s: Subject) -> None:
    """A made-up minor with a row in every personal table and an object in every personal bucket."""
    minor(s)
    s.canary = True
    tag = f"Canary{s.people.label}{s.people.first + s.position}x{s.user_id[:8]}"
    s.token = tag
    s.profile |= {"family_name": tag, "bio": "I like biology."}
    s.account["username"] = tag.lower()
    s.extra.append(lambda: _canary_rows(s, tag))


def _canary_rows(s: Subject, tag: str) -> None:
    user, people, rows = s.user_id, s.people, s.people.rows
    _order(s)
    _email_only(s)
    _certificate(s)
    write_submission(people, s.position, kind="figure", body=f"figure by {user}", status="draft", own_author=False)
    rows.add(
        "core.user_profile_history",
        user_id=user,
        valid_from=s.moment(2.5),
        valid_to=s.moment(2),
        family_name=tag,
        given_name="Robin",
        dob_raw=s.profile["dob_raw"],
        dob_date=s.profile["dob_date"],
        dob_source=s.profile["dob_source"],
        changed_by="user",
        reason="name",
    )
    s.row(
        "core.guardian_contact",
        user_id=user,
        name=f"Guardian of {tag}",
        email=f"guardian.{tag.lower()}@mail.example.org",
        relation="parent",
        created_at=s.moment(2),
    )
    rows.add(
        "core.session",
        session_id=user,
        user_id=user,
        created_at=s.moment(1),
        last_seen_at=s.moment(1),
        expires_at=s.moment(-29),
        ip="203.0.113.9",
        ua=words.USER_AGENTS[0],
    )
    s.row("core.login_event", user_id=user, at=s.moment(1), ip="203.0.113.9", country="GB", success=True)
    s.row(
        "core.identity_link",
        user_id=user,
        kind="esp_id",
        external_id=f"esp-{tag.lower()}",
        confidence="VERIFIED_EMAIL",
    )
    consent = s.row(
        "consent.consent_event",
        user_id=user,
        purpose="BADGE_SCAN:1",
        action="GIVEN",
        at=s.moment(2),
        channel="booth",
    )
    subscriber = people.ids.one("crm.email_subscriber")
    rows.add(
        "crm.email_subscriber",
        subscriber_id=subscriber,
        email=s.email,
        list="hepatitis-quarterly",
        source="website",
        status="subscribed",
        user_id=user,
        added_at=s.moment(2),
    )
    s.row("crm.campaign_send", campaign_id=1, subscriber_id=subscriber, sent_at=s.moment(1))
    s.row(
        "commerce.subscription",
        user_id=user,
        product_id=1,
        valid_from=people.anchor - timedelta(days=2),
        status="active",
    )
    enrolment = s.row(
        "learn.enrolment",
        user_id=user,
        course_id=CANARY_COURSE,
        enrolled_at=s.moment(2.2),
        status="active",
        route="canary",
    )
    module = int(make_catalogue().first_module[CANARY_COURSE])
    rows.add(
        "learn.module_progress",
        enrolment_id=enrolment,
        module_id=module,
        started_at=s.moment(2.1),
        completed_at=s.moment(2),
        seconds_active=600,
    )
    s.row(
        "learn.assessment_attempt",
        enrolment_id=enrolment,
        module_id=module,
        score=70,
        passed=True,
        answers={"q1": "a"},
        at=s.moment(2),
    )
    s.row("learn.course_feedback", user_id=user, course_id=CANARY_COURSE, rating=5, text="Good", at=s.moment(1))
    s.row(
        "web.page_view",
        at=s.moment(2),
        session_id=user,
        user_id=user,
        module_id=module,
        url=f"https://www.example.org/courses/{CANARY_COURSE}",
        dwell_s=60,
        geo_country="GB",
        ip_trunc="203.0.113.0/24",
        ua_family="Firefox",
    )
    s.row("web.search_query", user_id=user, q="what is a virus", at=s.moment(2))
    s.row(
        "mobile.usage_event_account",
        user_id=user,
        install_id=user,
        event="open",
        at=s.moment(2),
        late_arrival=True,
    )
    report = f"reports/{user}/summary.pdf"
    s.row(
        "mobile.emailed_report",
        user_id=user,
        to_email="friend.of.canary@mail.example.org",
        sent_at=s.moment(1),
        content_key=report,
    )
    s.row("feedback.comment", user_id=user, text="Nice", context=f"course/{CANARY_COURSE}", at=s.moment(1))
    s.row("feedback.survey_response", survey_id=1, user_id=user, answers={"text": "fine"}, at=s.moment(1))
    ticket = s.row(
        "support.ticket",
        requester_email=s.email,
        user_id=user,
        subject="App",
        channel="web_form",
        opened_at=s.moment(1),
    )
    attachment = f"tickets/{ticket}/picture.txt"
    s.row(
        "support.ticket_message",
        ticket_id=ticket,
        author="requester",
        body=f"Please see, {tag}",
        attachments=[attachment],
        at=s.moment(1),
    )
    badge = f"B-{tag.lower()}"
    s.row(
        "events.attendee",
        conference_id=1,
        user_id=user,
        name=tag,
        email=s.email,
        badge_code=badge,
        attendee_type="delegate",
        dietary="vegan",
        registered_at=s.moment(1),
    )
    s.row("events.badge_scan", badge_code=badge, exhibitor_id=1, scanned_at=s.moment(1), consent_event_id=consent)
    people.objects += [
        Put("imp-mobile-events", f"events/{user}/batch-1.json", f'{{"user": "{user}"}}'),
        Put("imp-mobile-events", report, f"report of {user}"),
        Put("imp-survey-attachments", f"surveys/{user}/scan.txt", f"answers of {user}"),
        Put("imp-support-attachments", attachment, f"picture sent by {s.email}", versions=2),
    ]
