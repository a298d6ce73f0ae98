"""Who is planted: minors by every signal, adults who look like minors, and the traps between them.

A plant has a name, a signal and an expectation:

* ``judge``   in scope of the automatic path: a full date of birth whose every reading says the same, without a
              quality defect or counter-signal. The oracle judges the age at the run's as-of: a minor must be
              erased (or held).
* ``never``   must not be erased automatically, whatever the day: adults, placeholders, contradictions.
* ``outside`` may well be a minor, but by a signal that the automatic path does not act on. Counted by name.

Counts are for 20,000 people and scale with them; ``minimum`` is planted in a publisher of any size.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

import numpy as np

from sandbox.publisher import words
from sandbox.publisher.catalogue import CANARY_COURSE, YOUTH_LIST, make_catalogue
from sandbox.publisher.commerce import write_orders
from sandbox.publisher.conference import write_submission
from sandbox.publisher.objects import Put
from sandbox.publisher.population import People

REFERENCE_PEOPLE = 20_000
MANY = 5_000  # below, nothing can be over-represented
ADULT = 18
Expectation = Literal["judge", "never", "outside"]


@dataclass
class Subject:
    """One planted person in the making, and what the truth database will know of them."""

    people: People
    position: int
    account: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    born: tuple[date, date] | None = None
    hold: str | None = None
    canary: bool = False
    token: str | None = None  # a word that nobody else's data holds
    shared_email: bool = False
    extra: list[Callable[[], None]] = field(default_factory=list)  # rows written once the person stands
    kept: list[tuple[str, str, str]] = field(default_factory=list)  # rows that must survive: table, column, value

    @property
    def rng(self) -> np.random.Generator:
        return self.people.rng

    @property
    def anchor(self) -> date:
        return self.people.anchor

    @property
    def user_id(self) -> str:
        return self.people.user_id[self.position]

    @property
    def email(self) -> str:
        return self.people.account["email_norm"][self.position]

    def another(self) -> int:
        """Position of somebody else: an ordinary adult if the chunk has any."""
        first = self.people.planted if self.people.size > self.people.planted else 0
        other = int(self.rng.integers(first, self.people.size))
        return other if other != self.position else (other + 1) % self.people.size

    def registered(self, day: date) -> None:
        """The account came into being at noon of ``day``."""
        self.account["created_at"] = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 (UTC by COPY)

    def dob(self, day: date, *, form: str = "date", source: str = "web_form") -> None:
        """A full date of birth: as a date (with its text), as ISO text, or as day/month/year text."""
        self.born = (day, day)
        iso = day.isoformat()
        raw = f"{iso[8:]}/{iso[5:7]}/{iso[:4]}" if form == "dmy" else iso
        self.profile |= {"dob_raw": raw, "dob_date": day if form == "date" else None, "dob_source": source}

    def dob_text(self, raw: str, *, source: str = "web_form") -> None:
        self.profile |= {"dob_raw": raw, "dob_date": None, "dob_source": source}

    def row(self, table: str, **values: Any) -> int:
        """Write one row with the next number of ``table`` as its ``id``; returns the number."""
        number = self.people.ids.one(table)
        self.people.rows.add(table, id=number, **values)
        return number

    def moment(self, days: float) -> np.datetime64:
        return self.people.ago(days)


@dataclass(frozen=True)
class Plant:
    name: str
    signal: str
    expectation: Expectation
    make: Callable[[Subject], None]
    per_20k: int
    minimum: int = 1

    def total(self, people: int) -> int:
        """How many among ``people``."""
        scaled = round(self.per_20k * people / REFERENCE_PEOPLE)
        return max(self.minimum, scaled)


def years_before(day: date, years: int) -> date:
    """The same day of the month ``years`` earlier (28 February for a 29th that does not exist)."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _minor_birthday(subject: Subject, low: int = 10, high: int = 17) -> date:
    """A birthday that is no 1 January and at least a month away from the 18th."""
    youngest = years_before(subject.anchor, low)
    oldest = years_before(subject.anchor, high + 1) + timedelta(days=32)
    day = oldest + timedelta(days=int(subject.rng.integers(0, (youngest - oldest).days)))
    return day + timedelta(days=1) if (day.month, day.day) == (1, 1) else day


def _recently(subject: Subject, born: date) -> None:
    """Registered in the last year and a half, at ten or older."""
    tenth = years_before(born, -9) + timedelta(days=40)
    earliest = max(subject.anchor - timedelta(days=540), tenth)
    latest = subject.anchor - timedelta(days=3)
    days = max((latest - earliest).days, 0)
    subject.registered(earliest + timedelta(days=int(subject.rng.integers(0, days + 1))))


def _minor(subject: Subject, *, form: str = "date") -> None:
    born = _minor_birthday(subject)
    if form == "dmy" and born.day <= 12:
        born = born.replace(day=13 + born.day)
    subject.dob(born, form=form, source=("web_form", "api", "conference")[int(subject.rng.integers(0, 3))])
    _recently(subject, born)
    subject.account["age_declared_18"] = bool(subject.rng.random() < 0.8) or None


# --- minors by a full date of birth ---------------------------------------------------------------------------


def minor_iso_text(s: Subject) -> None:
    _minor(s, form="iso")


def minor_dmy_text(s: Subject) -> None:
    _minor(s, form="dmy")


def minor_with_orders(s: Subject) -> None:
    _minor(s)
    s.extra.append(lambda: _order(s))


def _order(s: Subject) -> None:
    for order in write_orders(s.people, np.array([s.position])):
        s.kept.append(("commerce.order_header", "order_id", str(order)))


def minor_with_replies(s: Subject) -> None:
    """Others answered the minor's comment: the answers stay."""
    _minor(s)

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
    _minor(s)
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
    _minor(s)
    s.extra.append(lambda: _email_only(s))


def _email_only(s: Subject) -> None:
    s.people.rows.add(
        "crm.email_subscriber",
        subscriber_id=s.people.ids.one("crm.email_subscriber"),
        email=s.email,
        list="conference-news",
        source="booth",
        status="subscribed",
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
    _minor(s)
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


def minor_either_way(s: Subject) -> None:
    """Day and month may be swapped: a minor both ways, so every reading says the same."""
    year = s.anchor.year - 15
    s.dob_text(f"04/03/{year}")
    s.born = (date(year, 3, 4), date(year, 4, 3))
    s.registered(s.anchor - timedelta(days=200))


def _boundary(days: int) -> Callable[[Subject], None]:
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
    _recently(s, date(year, 2, 29))


def adult_leap_birth(s: Subject) -> None:
    year = s.anchor.year - ADULT - 1
    while not calendar.isleap(year):
        year -= 1
    s.dob(date(year, 2, 29))
    s.registered(s.anchor - timedelta(days=300))


def _held(kind: str) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        _minor(s)
        s.hold = kind

    return make


def canary(s: Subject) -> None:
    """A made-up minor with a row in every personal table and an object in every personal bucket."""
    _minor(s)
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


# --- adults by the same signal, judged at as-of ----------------------------------------------------------------


def registered_at_seventeen(s: Subject) -> None:
    """Thirty now, a child when the account was made: an adult at discovery."""
    born = years_before(s.anchor, 30) - timedelta(days=int(s.rng.integers(5, 300)))
    s.dob(born)
    s.registered(years_before(born, -17) + timedelta(days=30))


# --- must never be erased by a machine ---------------------------------------------------------------------------


def _fixed(day: date) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        s.profile |= {"dob_raw": day.isoformat(), "dob_date": day, "dob_source": "web_form"}

    return make


def first_january_common(s: Subject) -> None:
    """1 January eight years ago and more, far too often: somebody meant only the year."""
    day = date(s.anchor.year - 16, 1, 1)
    s.profile |= {"dob_raw": day.isoformat(), "dob_date": day, "dob_source": "web_form"}
    s.registered(s.anchor - timedelta(days=150))


def dob_is_registration(days: int) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        day = s.anchor - timedelta(days=int(s.rng.integers(20, 900)))
        s.registered(day)
        s.dob(day + timedelta(days=days))
        s.born = None

    return make


def dob_in_future(s: Subject) -> None:
    s.dob(s.anchor + timedelta(days=int(s.rng.integers(400, 3000))))
    s.born = None


def buddhist_year(s: Subject) -> None:
    s.dob_text(f"{s.anchor.year - 16 + 543}-04-01", source="api")


def implausibly_young(s: Subject) -> None:
    """Five when the account was made: a typing error more likely than a reader of five."""
    s.registered(s.anchor - timedelta(days=300))
    s.dob(years_before(s.anchor - timedelta(days=300), 5))


def implausibly_old(s: Subject) -> None:
    s.dob(date(s.anchor.year - 131, 5, 5))


def doctor_with_typo(s: Subject) -> None:
    """A registered doctor; the year of birth was mistyped."""
    s.registered(s.anchor - timedelta(days=400))
    s.dob(date(s.anchor.year - 14, 3, 17))
    s.profile |= {
        "title": "Dr",
        "occupation_code": "PHYS",
        "occupation_text": "Physician",
        "professional_reg_no": f"{int(s.rng.integers(1_000_000, 9_999_999))}",
        "reg_body": "GMC",
    }


def day_month_spanning(s: Subject) -> None:
    """One order of day and month gives an adult, the other a minor."""
    limit = years_before(s.anchor, ADULT)
    for low in range(1, 13):
        for high in range(low + 1, 13):
            adult, minor = date(limit.year, low, high), date(limit.year, high, low)
            if adult <= limit < minor:
                s.dob_text(f"{high:02d}/{low:02d}/{limit.year}")
                s.registered(s.anchor - timedelta(days=300))
                return
    s.dob_text(f"02/03/{limit.year - 1}")  # late in December no such pair exists


def two_digit_adult(s: Subject) -> None:
    s.dob_text("14/05/68", source="import_csv")


def excel_1904_spanning(s: Subject) -> None:
    """A minor, or an adult if the sheet counted from 1904."""
    born = years_before(s.anchor, 17) - timedelta(days=20)
    s.dob(born, source="import_xlsx")
    s.account["source"] = "import"
    s.registered(s.anchor - timedelta(days=200))


def utc_shift_spanning(s: Subject) -> None:
    """Written as an instant: eighteen in one time zone, seventeen in the next."""
    s.dob_text(f"{years_before(s.anchor, ADULT)}T23:30:00Z", source="api")


def year_only_spanning(s: Subject) -> None:
    s.dob_text(f"{s.anchor.year - ADULT}", source="import_csv")


def month_only_spanning(s: Subject) -> None:
    s.dob_text(f"{s.anchor.year - ADULT}-{s.anchor.month:02d}", source="import_csv")


def raw_and_date_disagree(s: Subject) -> None:
    """The text says an adult, the date column a minor: both readings stand."""
    s.dob(_minor_birthday(s))
    s.profile["dob_raw"] = "1988-06-15"
    s.registered(s.anchor - timedelta(days=300))


def _history(s: Subject, earlier: date, later: date, by: str) -> None:
    s.dob(later)
    s.registered(s.anchor - timedelta(days=500))
    s.extra.append(
        lambda: s.people.rows.add(
            "core.user_profile_history",
            user_id=s.user_id,
            valid_from=s.moment(499),
            valid_to=s.moment(30),
            dob_raw=earlier.isoformat(),
            dob_date=earlier,
            dob_source="web_form",
            changed_by=by,
            reason="date of birth",
        )
    )


def changed_adult_to_minor(s: Subject) -> None:
    _history(s, date(1985, 7, 9), _minor_birthday(s, 12, 16), "user")


def changed_minor_to_adult(s: Subject) -> None:
    _history(s, _minor_birthday(s, 12, 16), date(s.anchor.year - 25, 7, 9), "user")


def _bio(words_: str) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        s.profile["bio"] = words_

    return make


def school_staff(s: Subject) -> None:
    s.account |= _address(s, "oakfield.sch.uk.example.org")
    s.profile |= {"occupation_text": "School nurse", "occupation_code": "NURS"}


def _address(s: Subject, domain: str) -> dict[str, str]:
    email = f"{s.people.account['username'][s.position]}@{domain}"
    return {"email_raw": email, "email_norm": email}


def medical_student(s: Subject) -> None:
    s.profile |= {"occupation_text": "Medical student", "occupation_code": "STUD", "year_of_study": "2"}


def parent_with_child(s: Subject) -> None:
    """A parent's account and booking; the child is a row of the conference, not the account."""
    s.dob(date(s.anchor.year - 41, 8, 20))

    def rows() -> None:
        for number, (kind, age) in enumerate((("accompanying_person", None), ("child", "9"), ("child", "2014-06-02"))):
            s.row(
                "events.attendee",
                conference_id=1,
                user_id=s.user_id,
                name=f"Family {number} {s.people.profile['family_name'][s.position]}",
                email=s.email,
                badge_code=f"B-family-{s.people.label}{s.people.first + s.position}-{number}",
                attendee_type=kind,
                age_or_dob=age,
                registered_at=s.moment(15),
            )

    s.extra.append(rows)


def _said(days_ago: int, **answers: Any) -> Callable[[Subject], None]:
    """A survey answer given ``days_ago`` before the anchor."""

    def make(s: Subject) -> None:
        s.registered(s.anchor - timedelta(days=days_ago + 10))
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


# --- may be minors, by signals that the automatic path does not act on -------------------------------------------


def _text(make: Callable[[date], str], source: str = "import_csv") -> Callable[[Subject], None]:
    def plant(s: Subject) -> None:
        s.dob_text(make(s.anchor), source=source)
        s.registered(s.anchor - timedelta(days=200))

    return plant


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
    s.extra.append(
        lambda: (
            s.row(
                "core.guardian_contact",
                user_id=s.user_id,
                name="A Parent",
                email=f"parent.{s.people.label}{s.people.first + s.position}@mail.example.org",
                relation="mother",
                created_at=s.moment(40),
            )
            and None
        )
    )


def _ticket(channel: str, subject: str, body: str, *, own: bool = True) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        def rows() -> None:
            sender = s.email if own else "reporter@partner.example.org"
            ticket = s.row(
                "support.ticket",
                requester_email=sender,
                user_id=s.user_id if own else None,
                subject=subject,
                channel=channel,
                opened_at=s.moment(3),
            )
            message = body if own else f"{body} The account is {s.email}."
            s.row("support.ticket_message", ticket_id=ticket, author="requester", body=message, at=s.moment(3))

        s.extra.append(rows)

    return make


def school_domain(s: Subject) -> None:
    s.account |= _address(s, "pupils.oakfield.sch.uk.example.org")


def school_year(s: Subject) -> None:
    s.profile |= {"occupation_text": "Year 11 pupil", "year_of_study": "Year 11"}


def dataset_with_children(s: Subject) -> None:
    s.extra.append(
        lambda: (
            write_submission(
                s.people,
                s.position,
                kind="dataset",
                body="patient,birth_date,age\n1,2015-02-03,11\n2,2016-09-30,10\n",
                findings="dates of birth",
            )
            and None
        )
    )


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


PLANTS: tuple[Plant, ...] = (
    # In scope of the automatic path, minors today. The first one leads each chunk.
    Plant("minor_dob_date", "SIG-01", "judge", _minor, 62, 2),
    Plant("minor_dob_iso_text", "SIG-01", "judge", minor_iso_text, 12),
    Plant("minor_dob_day_month_text", "SIG-01", "judge", minor_dmy_text, 12),
    Plant("minor_day_month_either_way", "SIG-01", "judge", minor_either_way, 3),
    Plant("minor_with_orders", "SIG-01", "judge", minor_with_orders, 6),
    Plant("minor_with_replies_by_others", "SIG-01", "judge", minor_with_replies, 6),
    Plant("minor_shared_mailbox", "SIG-01", "judge", minor_shared_mailbox, 3),
    Plant("minor_rows_by_email_only", "SIG-01", "judge", minor_email_only_rows, 6),
    Plant("minor_with_certificate", "SIG-01", "judge", minor_with_certificate, 4),
    Plant("minor_turns_18_tomorrow", "SIG-01", "judge", _boundary(1), 2),
    Plant("minor_turns_18_in_a_week", "SIG-01", "judge", _boundary(7), 2),
    Plant("minor_leap_birth", "SIG-01", "judge", minor_leap_birth, 1),
    Plant("minor_legal_hold", "SIG-01", "judge", _held("legal_hold"), 4),
    Plant("minor_access_request", "SIG-01", "judge", _held("access_request"), 3),
    Plant("minor_unverified_request", "SIG-01", "judge", _held("unverified_request"), 2),
    Plant("canary", "SIG-01", "judge", canary, 2),
    # In scope, adults at any as-of from the anchor on.
    Plant("adult_since_today", "SIG-01", "judge", _boundary(0), 2),
    Plant("adult_since_yesterday", "SIG-01", "judge", _boundary(-1), 2),
    Plant("adult_leap_birth", "SIG-01", "judge", adult_leap_birth, 1),
    Plant("adult_registered_at_17", "SIG-01", "judge", registered_at_seventeen, 8),
    # Never by a machine: dates that are no evidence.
    Plant("placeholder_1900", "DQ-02", "never", _fixed(date(1900, 1, 1)), 25),
    Plant("placeholder_1901", "DQ-02", "never", _fixed(date(1901, 1, 1)), 3),
    Plant("placeholder_1899", "DQ-02", "never", _fixed(date(1899, 12, 30)), 2),
    Plant("placeholder_1970", "DQ-02", "never", _fixed(date(1970, 1, 1)), 10),
    Plant("placeholder_1753", "DQ-02", "never", _fixed(date(1753, 1, 1)), 2),
    Plant("placeholder_0001", "DQ-02", "never", _fixed(date(1, 1, 1)), 2),
    Plant("placeholder_9999", "DQ-02", "never", _fixed(date(9999, 12, 31)), 2),
    Plant("frequent_2000_01_01", "DQ-02", "never", _fixed(date(2000, 1, 1)), 30),
    Plant("frequent_1990_01_01", "DQ-02", "never", _fixed(date(1990, 1, 1)), 30),
    Plant("frequent_first_january", "DQ-02", "never", first_january_common, 30, 30),
    Plant("dob_in_future", "DQ-03", "never", dob_in_future, 4),
    Plant("dob_buddhist_year", "DQ-03", "never", buddhist_year, 3),
    Plant("dob_is_registration_date", "DQ-04", "never", dob_is_registration(0), 12),
    Plant("dob_day_before_registration", "DQ-04", "never", dob_is_registration(-1), 4),
    Plant("dob_implausibly_young", "DQ-05", "never", implausibly_young, 6),
    Plant("dob_implausibly_old", "DQ-06", "never", implausibly_old, 6),
    # Never by a machine: two readings, or facts against the date.
    Plant("doctor_with_typo", "SIG-01", "never", doctor_with_typo, 6),
    Plant("dob_day_month_spanning", "DQ-08", "never", day_month_spanning, 3),
    Plant("dob_two_digit_adult", "DQ-07", "never", two_digit_adult, 3),
    Plant("dob_excel_1904_spanning", "DQ-09", "never", excel_1904_spanning, 3),
    Plant("dob_utc_shift_spanning", "DQ-10", "never", utc_shift_spanning, 2),
    Plant("dob_year_only_spanning", "DQ-11", "never", year_only_spanning, 3),
    Plant("dob_month_only_spanning", "DQ-11", "never", month_only_spanning, 3),
    Plant("dob_text_and_date_disagree", "DQ-12", "never", raw_and_date_disagree, 3),
    Plant("dob_changed_adult_to_minor", "SIG-08", "never", changed_adult_to_minor, 3),
    Plant("dob_changed_minor_to_adult", "SIG-09", "never", changed_minor_to_adult, 3),
    # Never by a machine: adults that weak signals point at.
    Plant("said_17_last_year", "SIG-03", "never", _said(352, age=17), 3),
    Plant("said_16_long_ago", "SIG-03", "never", _said(987, age=16), 3),
    Plant("band_16_to_18", "SIG-04", "never", _said(30, age_band="16-18"), 3),
    Plant("sixteen_years_experience", "SIG-12", "never", _bio("I have 16 years of experience in virology."), 5),
    Plant("sixteen_years_qualified", "SIG-12", "never", _bio("I am 16 years qualified."), 3),
    Plant("patient_aged_15", "SIG-12", "never", _bio("Known for the case of a 15-year-old patient."), 3),
    Plant("school_staff", "SIG-13", "never", school_staff, 6),
    Plant("medical_student", "SIG-14", "never", medical_student, 6),
    Plant("parent_with_child", "SIG-06", "never", parent_with_child, 8),
    # May be minors; other signals.
    Plant("dob_two_digit_minor", "DQ-07", "outside", _text(lambda a: f"14/05/{(a.year - 15) % 100:02d}"), 3),
    Plant("dob_excel_serial", "DQ-09", "outside", _text(lambda a: f"{(a - date(1899, 12, 30)).days - 5400}"), 3),
    Plant("dob_utc_shift_minor", "DQ-10", "outside", _text(lambda a: f"{a.year - 14}-05-03T23:00:00Z", "api"), 2),
    Plant("dob_year_only_minor", "DQ-11", "outside", _text(lambda a: f"{a.year - 16}"), 3),
    Plant("dob_leap_day_in_common_year", "DQ-13", "outside", _text(lambda a: f"{_common(a)}-02-29"), 2),
    Plant("dob_year_and_month", "SIG-02", "outside", _text(lambda a: f"{a.year - 15}-05"), 4),
    Plant("said_15_this_month", "SIG-03", "outside", _said(20, age=15), 5),
    Plant("band_under_18", "SIG-04", "outside", _said(20, age_band="<18"), 5),
    Plant("declared_under_18", "SIG-05", "outside", declared_under_18, 6),
    Plant("gate_refused_then_passed", "SIG-05", "outside", gate_refused_then_passed, 4),
    Plant("guardian_on_file", "SIG-07", "outside", guardian_on_file, 4),
    Plant("ticket_i_am_15", "SIG-10", "outside", _ticket("email", "Account", "Hello, I am 15 and need help."), 4),
    Plant("ticket_my_son", "SIG-10", "outside", _ticket("email", "Account", "My son used my account."), 2),
    Plant(
        "report_by_teacher", "SIG-11", "outside",
        _ticket("report_form", "Report", "A pupil of ours registered.", own=False), 3,
    ),
    Plant("bio_i_am_16", "SIG-12", "outside", _bio("I am 16 and want to become a doctor."), 4),
    Plant("bio_tengo_15", "SIG-12", "outside", _bio("Tengo 15 años y me gusta la biología."), 2),
    Plant("bio_ich_bin_16", "SIG-12", "outside", _bio("Ich bin 16 und lerne Biologie."), 2),
    Plant("school_domain", "SIG-13", "outside", school_domain, 5),
    Plant("school_year", "SIG-14", "outside", school_year, 5),
    Plant("survey_school_year", "SIG-15", "outside", _said(20, school_year="Year 12", country="GB"), 3),
    Plant("dataset_with_children", "SIG-16", "outside", dataset_with_children, 3),
    Plant("payment_refused_under_18", "SIG-17", "outside", payment_refused, 3),
    Plant("youth_list", "SIG-18", "outside", youth_list, 5),
    Plant("linked_to_a_minor", "SIG-19", "outside", linked_to_a_minor, 2),
    Plant(
        "processor_report", "SIG-20", "outside",
        _ticket("processor", "Notice", "Our check shows a user below 18.", own=False), 3,
    ),
)  # fmt: skip

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


def _common(anchor: date) -> int:
    year = anchor.year - 15
    return year if not calendar.isleap(year) else year + 1


def planted_in(people: int, first: int, last: int) -> Iterator[Plant]:
    """The plants of the chunk ``first``…``last`` of ``people``; each total is spread over all chunks.

    The first is always an ordinary confirmed minor.
    """
    for index, plant in enumerate(PLANTS):
        total = 0 if plant.name == "frequent_first_january" and people < MANY else plant.total(people)
        count = total * last // people - total * first // people
        yield from [plant] * (max(count, 1) if index == 0 else count)


def planted_tonight() -> Iterator[Plant]:
    for plant in PLANTS:
        yield from [plant] * NIGHT.get(plant.name, 0)
