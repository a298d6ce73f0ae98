"""Every kind of evidence on a real database: one night, one subject per rule, and what a second look does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops.datamap import grants
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources
from privacy_ops.settings import ObjectSettings
from privacy_ops.workspace import Workspace

from sandbox.postgres import PostgresServer
from tests.integration.press import ACCOUNT, ADULT, COMMON, MAYBE_ACCOUNT, MINOR, NOW, Press, _columns, map_of
from tests.integration.press_fixtures import fresh_press

TODAY, LATELY, LONG_AGO = NOW - timedelta(hours=1), NOW - timedelta(days=20), NOW - timedelta(days=2400)
TABLES = """
ALTER TABLE press.account ADD COLUMN adult boolean, ADD COLUMN adult_said timestamptz;
ALTER TABLE press.profile ADD COLUMN bio text, ADD COLUMN job text, ADD COLUMN at timestamptz;
CREATE TABLE press.answer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES press.account, answers jsonb NOT NULL, at timestamptz NOT NULL);
CREATE TABLE press.gate (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id uuid, email text,
    event text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE press.link (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES press.account, kind text NOT NULL, ext text NOT NULL, sure text NOT NULL);
CREATE TABLE press.earlier (user_id uuid REFERENCES press.account, since timestamptz, dob_date date, by text,
    PRIMARY KEY (user_id, since));
CREATE TABLE press.file (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES press.account, status text NOT NULL, found text);
"""


def evidence(signal: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"evidence": {"signal": signal, "kind": kind, **more}}


def table(columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"key": ["id"], "erase": "DELETE", **COMMON, "link": MAYBE_ACCOUNT, "columns": columns, **more}


def wider_map() -> Any:
    base = map_of().model_dump(mode="json", exclude_none=True, exclude_defaults=True)["tables"]
    account, profile, ticket = base["press.account"], base["press.profile"], base["press.ticket_message"]
    account["columns"] |= _columns("adult_said", adult=evidence("SIG-05", "declared_adult", stated_on="adult_said"))
    account["columns"]["email_norm"] |= evidence("SIG-13", "mail_domain")
    profile["columns"] |= _columns(
        "at",
        bio=evidence("SIG-12", "free_text", stated_on="at"),
        job=evidence("SIG-14", "occupation", stated_on="at"),
    )
    ticket["columns"]["body"] |= evidence("SIG-10", "free_text")
    inside = [
        {"signal": "SIG-03", "kind": "age_number", "path": "age"},
        {"signal": "SIG-04", "kind": "age_band", "path": "band"},
        {"signal": "SIG-02", "kind": "birth_text", "path": "year", "month": "month"},
        {"signal": "SIG-15", "kind": "school_year", "path": "school", "country": "country"},
    ]
    by_mail = [{"to": "press.account", "columns": ["email"], "references": ["email_norm"]}]
    return map_of(
        account=account,
        profile=profile,
        ticket_message=ticket,
        answer=table(_columns("id at", user_id={}, answers={"more_evidence": inside}), created_at="at"),
        gate=table(
            _columns("id at", user_id={}, email={}, event=evidence("SIG-05", "age_gate", says_minor=["REFUSED"])),
            created_at="at",
            also=by_mail,
        ),
        link=table(
            _columns(
                "id kind sure",
                user_id={},
                ext=evidence("SIG-19", "identity_link", same=["kind"], where={"sure": ["FK"]}),
            )
        ),
        earlier=table(
            _columns(
                "since by",
                user_id={},
                dob_date=evidence("SIG-01", "birth_date", changed_by="by", verified=["support"]),
            ),
            key=["user_id", "since"],
            link=ACCOUNT,
            created_at="since",
        ),
        file=table(
            _columns(
                "id status",
                user_id={},
                found=evidence(
                    "SIG-16", "scan", subject="row", quarantine={"column": "status", "value": "quarantined"}
                ),
            )
        ),
    )


def widen(press: Press) -> Press:
    """The press with a column or table for every kind of evidence."""
    press.execute(TABLES)
    data_map = wider_map()
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    press.workspace = press.with_map(data_map)
    return press


@pytest.fixture
def wide(press: Press) -> Press:
    return widen(press)


def night(press: Press, name: str = "run", workspace: Workspace | None = None, **changes: Any) -> dict[str, Any]:
    run = press.open_run(name, **changes)
    check_sources(workspace or press.workspace, run)
    return detect_and_restrict(workspace or press.workspace, run)


def answered(press: Press, at: datetime, **answers: Any) -> UUID:
    who = press.person()
    press.execute(
        "INSERT INTO press.answer (user_id, answers, at) VALUES (:u, CAST(:a AS jsonb), :at)",
        u=who,
        a=json.dumps(answers),
        at=at,
    )
    return who


def verdict(press: Press, key: Any) -> tuple[str, str] | None:
    """(class, restriction) of a case, or of the list of those who may be asked."""
    if case := press.case_of(key):
        return case._mapping["class"], case.restriction
    listed = press.execute("SELECT class FROM gov.age_question WHERE subject_key = ARRAY[:k]", k=str(key))
    return (listed[0][0], "LISTED") if listed else None


CONFIRMED, SUSPECTED, UNCLEAR = ("CONFIRMED_MINOR", "HARD"), ("SUSPECTED_MINOR", "HARD"), ("INDETERMINATE", "HARD")
GROWN_UP, WEAK = ("ADULT_NOW_COLLECTED_AS_MINOR", "NONE"), ("WEAK_SIGNAL", "LISTED")


def plant_kinds(wide: Press) -> dict[UUID, Any]:
    """One subject for every kind of evidence, and what it must be judged."""

    def declared(at: datetime) -> UUID:
        who = wide.person()
        wide.execute("UPDATE press.account SET adult = false, adult_said = :at WHERE user_id = :u", at=at, u=who)
        return who

    def wrote(body: str, at: datetime = LATELY, **profile: Any) -> UUID:
        who = wide.person(**profile)
        ticket = wide.add("ticket", requester_email="somebody@example.org", user_id=who)
        wide.add("ticket_message", ticket_id=ticket, body=body)
        return who

    def refused(at: datetime) -> UUID:
        who = wide.person(email=f"gate{at:%Y%m%d}@example.org")
        wide.add("gate", email=f"gate{at:%Y%m%d}@example.org", event="REFUSED", at=at)
        wide.add("gate", email=f"gate{at:%Y%m%d}@example.org", event="PASSED", at=at)
        return who

    def before(earlier: date, now: date, by: str) -> UUID:
        who = wide.person(born=now)
        wide.execute("INSERT INTO press.earlier VALUES (:u, :at, :d, :by)", u=who, at=LATELY, d=earlier, by=by)
        return who

    return {
        answered(wide, TODAY, age=15): CONFIRMED,
        answered(wide, LATELY, age="15"): CONFIRMED,
        answered(wide, NOW - timedelta(days=352), age=17): UNCLEAR,
        answered(wide, LONG_AGO, age=16): GROWN_UP,
        answered(wide, TODAY, age=34): None,
        answered(wide, TODAY, band="<18"): CONFIRMED,
        answered(wide, LATELY, band="<18"): UNCLEAR,
        answered(wide, TODAY, band="16-18"): UNCLEAR,
        answered(wide, TODAY, band="18-24"): None,
        answered(wide, TODAY, year=2010): CONFIRMED,
        answered(wide, TODAY, year=2008): UNCLEAR,
        answered(wide, TODAY, year=2008, month=12): CONFIRMED,
        answered(wide, TODAY, school="Year 12", country="GB"): SUSPECTED,
        declared(TODAY): CONFIRMED,
        declared(LATELY): UNCLEAR,
        refused(LATELY): SUSPECTED,
        refused(NOW - timedelta(days=7000)): None,
        wrote("Hello, I am 15 and need help."): SUSPECTED,
        wrote("My son used my account."): SUSPECTED,
        wrote("A 15-year-old patient asked me."): None,
        wide.person(bio="I am 16 and like biology.", at=LATELY): SUSPECTED,
        wide.person(bio="I am 16 and like biology.", at=LONG_AGO): None,
        wide.person(bio="I have 16 years of experience.", at=LATELY): None,
        wide.person(job="Year 11 pupil", at=LATELY): WEAK,
        wide.person(job="Medical student", at=LATELY): None,
        wide.person(email="a@oakfield.sch.uk.example.org"): WEAK,
        wide.person(email="b@oakfield.sch.uk.example.org", job="GCSE student", at=LATELY): SUSPECTED,
        wide.person(email="c@state.sc.us.example.org"): None,
        wide.person(born=date(1900, 1, 1)): ("DOB_UNUSABLE", "LISTED"),
        wide.person(born=date(1996, 5, 5), created=datetime(2013, 5, 5, tzinfo=UTC)): GROWN_UP,
        before(ADULT, MINOR, "user"): SUSPECTED,
        before(MINOR, ADULT, "user"): SUSPECTED,
        before(MINOR, ADULT, "support"): None,
        before(MINOR, MINOR, "user"): CONFIRMED,
    }


def plant_links(wide: Press) -> list[UUID]:
    """A child, another account of it, one a step further, one linked loosely, and an adult's."""
    people = [wide.person(born=d) for d in (MINOR, None, None, None, ADULT)]
    child, other, further, loosely, adult = people
    for who, ext, sure in (
        (child, "a", "FK"),
        (other, "a", "FK"),
        (other, "b", "FK"),
        (further, "b", "FK"),
        (loosely, "a", "NAME_MATCH"),
        (adult, "a", "FK"),
    ):
        wide.add("link", user_id=who, kind="install", ext=ext, sure=sure)
    return people


def plant_reports(wide: Press) -> list[UUID]:
    """Somebody reported as under 18 and somebody reported as 47."""
    people = [wide.person(), wide.person()]
    for who, says in zip(people, ("UNDER_18", "47"), strict=True):
        wide.execute(
            "INSERT INTO gov.minor_report (signal, reporter, subject_table, subject_key, says, reported_at)"
            " VALUES ('SIG-20', 'PROCESSOR', 'press.account', ARRAY[:u], :s, :at)",
            u=str(who),
            s=says,
            at=LATELY,
        )
    return people


@dataclass
class Nights:
    """Two nights in a row over everybody at once; only ``listed`` changes between them."""

    press: Press
    kinds: dict[UUID, Any]
    links: list[UUID]
    reported: list[UUID]
    sender: UUID
    files: list[int]
    listed: UUID
    first: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)
    after_first: dict[Any, Any] = field(default_factory=dict)
    locked: set[UUID] = field(default_factory=set)


@pytest.fixture(scope="module")
def nights(cluster: PostgresServer, press_template: str, object_settings: ObjectSettings) -> Iterator[Nights]:
    with fresh_press(cluster, press_template, object_settings) as press:
        wide = widen(press)
        sender = wide.person(born=ADULT)
        files = [wide.add("file", user_id=sender, status="new", found=f) for f in ("dates of birth", None)]
        listed = wide.person(born=date(1900, 1, 1))
        made = Nights(wide, plant_kinds(wide), plant_links(wide), plant_reports(wide), sender, files, listed)
        made.first = night(wide)
        everybody = (*made.kinds, *made.links, *made.reported, sender, listed)
        made.after_first = {key: verdict(wide, key) for key in everybody}
        made.locked = {key for key in everybody if wide.status(key) == "restricted"}
        wide.execute("UPDATE press.profile SET dob_date = :d WHERE user_id = :u", d=MINOR, u=listed)
        made.second = night(wide, "second", at=NOW + timedelta(days=1))
        yield made


def test_one_subject_per_kind_of_evidence(nights: Nights) -> None:
    assert {key: nights.after_first[key] for key in nights.kinds} == nights.kinds
    assert nights.locked & set(nights.kinds) == {
        key for key, found in nights.kinds.items() if found and found[1] == "HARD"
    }
    signals = nights.press.execute("SELECT DISTINCT signal, strength FROM gov.minor_signal ORDER BY 1, 2")
    assert {"SIG-02", "SIG-03", "SIG-04", "SIG-05", "SIG-08", "SIG-09", "SIG-10", "SIG-12", "SIG-15"} <= {
        s.signal for s in signals
    }


def test_a_second_night_over_the_same_people_changes_nothing(nights: Nights) -> None:
    assert (nights.second["rejudged"], nights.second["opened"], nights.second["restricted"]) == (0, 1, 1)  # the listed


def test_whoever_is_only_listed_leaves_the_list_when_the_reason_goes(nights: Nights) -> None:
    assert nights.after_first[nights.listed] == ("DOB_UNUSABLE", "LISTED")
    assert verdict(nights.press, nights.listed) == CONFIRMED
    asked = "SELECT count(*) FROM gov.age_question WHERE subject_key = ARRAY[:u]"
    assert nights.press.scalar(asked, u=str(nights.listed)) == 0


def test_a_file_with_children_in_it_is_put_in_quarantine_and_its_sender_is_not(nights: Nights) -> None:
    press, (file, clean) = nights.press, nights.files
    case = press.case_of(file)
    assert (case._mapping["class"], case.state, case.subject_kind) == ("THIRD_PARTY_MINOR", "RESTRICTED", "row")
    assert case.restriction_previous == "new"
    assert press.execute("SELECT status FROM press.file WHERE id IN (:a, :b) ORDER BY id", a=file, b=clean) == [
        ("quarantined",),
        ("new",),
    ]
    assert nights.after_first[nights.sender] is None


def test_another_account_of_a_confirmed_minor_is_suspected_one_step_far_and_by_fixed_links_only(
    nights: Nights,
) -> None:
    assert [nights.after_first[who] for who in nights.links] == [CONFIRMED, SUSPECTED, None, None, SUSPECTED]
    assert nights.first["linked"] == 2


def test_a_report_is_read_like_any_source_and_forgotten_with_its_subject(nights: Nights) -> None:
    press, (pupil, teacher) = nights.press, nights.reported
    assert (nights.after_first[pupil], nights.after_first[teacher]) == (SUSPECTED, None)
    of_pupil = "SELECT signal, strength FROM gov.minor_signal WHERE case_id = :c"
    assert press.execute(of_pupil, c=press.case_of(pupil).case_id) == [("SIG-20", "R")]
    press.execute(
        "UPDATE gov.minor_case SET subject_key = NULL, state = 'CLOSED' WHERE subject_key = ARRAY[:u]", u=str(pupil)
    )
    assert press.scalar("SELECT count(*) FROM gov.minor_report") == 1


def counter(code: str, **more: Any) -> dict[str, Any]:
    return {"counter_signal": {"code": code, **more}}


def with_counter_signals(press: Press) -> None:
    """Every kind of fact that speaks against childhood, each in a column of its own."""
    press.execute("""
        ALTER TABLE press.profile ADD COLUMN degree text, ADD COLUMN paper text, ADD COLUMN job text;
        ALTER TABLE press.sale ADD COLUMN sold date;
    """)
    base = map_of().model_dump(mode="json", exclude_none=True, exclude_defaults=True)["tables"]
    account, profile, sale, attendee = (base[f"press.{t}"] for t in ("account", "profile", "sale", "attendee"))
    account["columns"]["created_at"] |= counter("account_age", older_than_years=5)
    account["columns"]["email_norm"] |= counter("mail_domain", domains=["hospital.example.org"])
    profile["columns"] |= _columns(
        "",
        degree=counter("qualification", older_than_years=3),
        paper=counter("publication", values=["published"]),
        job=counter("occupation", values=["nurse", "physician"]),
    )
    sale["columns"] |= _columns("", sold=counter("first_order", older_than_years=3) | {"erase": "KEEP"})
    attendee["columns"]["attendee_type"] |= counter("speaker", values=["speaker"])
    data_map = map_of(account=account, profile=profile, sale=sale, attendee=attendee)
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    press.workspace = press.with_map(data_map)


def test_a_fact_against_childhood_leaves_a_confirmation_to_people_and_half_a_fact_does_not(press: Press) -> None:
    with_counter_signals(press)

    def child(**more: Any) -> UUID:
        return press.person(born=MINOR, **more)

    def buyer(sold: date) -> UUID:
        who = child()
        press.add("sale", user_id=who, bill_name="Made up", total=19, sold=sold)
        return who

    def guest(attendee_type: str, badge: str) -> UUID:
        who = child()
        press.add(
            "attendee", user_id=who, name="Guest", badge_code=badge, attendee_type=attendee_type, registered_at=LATELY
        )
        return who

    speaks_against = {
        "registered": child(reg_no="R123"),
        "three years since the degree": child(degree="2023-06-30"),
        "a published paper": child(paper="published"),
        "a nurse": child(job="nurse"),
        "an address of the hospital": child(email="a@ward.hospital.example.org"),
        "an account six years old": child(created=NOW - timedelta(days=6 * 366)),
        "an order three years ago": buyer(date(2023, 11, 20)),
        "a speaker": guest("speaker", "B1"),
    }
    says_too_little = {
        "an empty number": child(reg_no=" "),
        "a degree of two years ago": child(degree="2024-01-01"),
        "a degree without a year": child(degree="soon"),
        "a paper in review": child(paper="submitted"),
        "a pupil": child(job="pupil"),
        "an address that only ends alike": child(email="b@nothospital.example.org"),
        "an account four years old": child(created=NOW - timedelta(days=4 * 365)),
        "an order last week": buyer(date(2026, 11, 15)),
        "a delegate": guest("delegate", "B2"),
    }
    night(press)
    assert {why: verdict(press, who) for why, who in speaks_against.items()} == dict.fromkeys(
        speaks_against, ("CONFIRMED_PENDING_COUNTER", "HARD")
    )
    assert {why: verdict(press, who) for why, who in says_too_little.items()} == dict.fromkeys(
        says_too_little, CONFIRMED
    )


def test_adding_a_source_is_a_map_entry(wide: Press) -> None:
    who = answered(wide, TODAY, years="12")
    assert night(wide)["opened"] == 0
    answer = wide.workspace.data_map.tables["press.answer"].model_dump(mode="json", exclude_none=True)
    answer["columns"]["answers"]["more_evidence"].append({"signal": "SIG-03", "kind": "age_number", "path": "years"})
    tables = wide.workspace.data_map.model_dump(mode="json", exclude_none=True) | {}
    tables["tables"]["press.answer"] = answer
    night(wide, "second", wide.with_map(type(wide.workspace.data_map).model_validate(tables)))
    assert verdict(wide, who) == CONFIRMED


# --- sources that cannot be trusted -----------------------------------------------------------------------------


def test_people_of_a_faulty_feed_are_out_of_use_and_not_locked_until_it_is_sound_again(press: Press) -> None:
    """One date for everybody: nobody is locked or erased; who is known from elsewhere is judged by that."""
    many = press.crowd(20, "DATE '2010-05-05'")
    both = press.person(born=MINOR, written="2011-02-03")
    counts = night(press)
    assert (counts["opened"], counts["opened_soft"]) == (1, 20)
    assert verdict(press, both) == CONFIRMED
    assert {verdict(press, who) for who in many} == {("SOURCE_SUSPECT", "SOFT")}
    assert {press.status(who) for who in many} == {"active"}
    assert press.case_of(many[0]).source_faults == ["press.profile.dob_date"]
    soft = press.execute("SELECT subject_key FROM gov.out_of_use WHERE restriction = 'SOFT'")
    assert {key for (key,) in soft for key in key} == {str(who) for who in many}
    press.execute("UPDATE press.profile SET dob_date = '1980-05-05' WHERE user_id = ANY(:u)", u=many[1:])
    press.crowd(200, "DATE '1970-01-02' + CAST(n AS integer)")  # mended: no single date stands out any more
    night(press, "second", at=NOW + timedelta(days=1))
    assert verdict(press, many[0]) == CONFIRMED
    assert press.status(many[0]) == "restricted"
    # The others are adults by the mended feed: a person says so, no job lets them go or locks them.
    assert {verdict(press, who) for who in many[1:]} == {("SOURCE_SUSPECT", "SOFT")}


def test_a_confirmed_case_waits_while_its_source_cannot_be_trusted(press: Press) -> None:
    child = press.person(born=date(2011, 7, 8))
    press.crowd(30, "DATE '1970-01-02' + CAST(n AS integer)")
    night(press)
    assert verdict(press, child) == CONFIRMED
    press.crowd(30, "DATE '1985-03-03'")
    night(press, "second", at=NOW + timedelta(days=1))
    assert verdict(press, child) == ("SOURCE_SUSPECT", "HARD")
    assert press.status(child) == "restricted"
    press.execute("UPDATE press.profile SET dob_date = NULL WHERE dob_date = '1985-03-03'")
    night(press, "third", at=NOW + timedelta(days=2))
    assert verdict(press, child) == CONFIRMED


# --- between two nights -----------------------------------------------------------------------------------------


def test_a_look_between_two_nights_reads_only_what_is_new(wide: Press) -> None:
    old, new = answered(wide, LATELY, age=15), answered(wide, TODAY, age=15)
    run = wide.open_run("intake")
    counts = detect_and_restrict(wide.workspace, run, since=NOW - timedelta(hours=2))  # no night has run yet
    assert (verdict(wide, old), verdict(wide, new)) == (None, CONFIRMED)
    assert wide.status(new) == "restricted"
    assert counts["opened"] == 1
    # Dates in tables that do not know when their rows came wait for the night.
    child = wide.person(born=MINOR)
    assert detect_and_restrict(wide.workspace, wide.open_run("next"), since=NOW - timedelta(hours=2))["opened"] == 0
    night(wide, "night")
    assert {verdict(wide, who) for who in (old, new, child)} == {CONFIRMED}


def test_a_look_between_two_nights_judges_by_everything_on_record_and_changes_no_other_case(wide: Press) -> None:
    child = wide.person(born=MINOR)
    doctor = wide.person(born=ADULT)
    night(wide)
    found = wide.case_of(child).discovered_at
    wide.execute(
        "INSERT INTO press.answer (user_id, answers, at) VALUES (:u, '{\"age\": 15}', :at)", u=doctor, at=TODAY
    )
    later = NOW + timedelta(minutes=15)
    counts = detect_and_restrict(wide.workspace, wide.open_run("intake", at=later), since=NOW - timedelta(hours=2))
    assert verdict(wide, doctor) == SUSPECTED  # the adult date stands beside the new age
    assert (counts["rejudged"], wide.case_of(child).discovered_at) == (0, found)
    assert wide.case_of(child).state == "RESTRICTED"


def test_detection_may_read_no_name_and_no_picture(wide: Press) -> None:
    """What the duty can select, over the whole map: evidence, keys, times and the way to the person."""
    granted = grants.rights(wide.workspace.data_map, "detect")
    names = {
        (name, column)
        for name, entry in wide.workspace.data_map.tables.items()
        for column, c in entry.columns.items()
        if c.identifier == "name" or c.object
    }
    readable = {(name, column) for name, right in granted.items() for column in right.select or ()}
    assert names
    assert readable.isdisjoint(names)
