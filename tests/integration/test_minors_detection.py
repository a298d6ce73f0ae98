"""Detection on a real database: who gets a case, who is restricted, and what a second look does."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from privacy_ops.erasure import plan
from privacy_ops.errors import DataMapError, GateBlocked
from privacy_ops.minors import holds, reports
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources, judge_detection

from tests.integration.press import ADULT, MINOR, NOW, Press, map_of

TOMORROW = NOW + timedelta(days=1)


def detect(press: Press, name: str = "run", **changes: Any) -> dict[str, Any]:
    run = press.open_run(name, **changes)
    check_sources(press.workspace, run)
    return detect_and_restrict(press.workspace, run)


def class_of(press: Press, key: Any) -> str | None:
    case = press.case_of(key)
    return case._mapping["class"] if case else None


def test_a_confirmed_minor_is_restricted_and_the_old_status_is_remembered(press: Press) -> None:
    child, adult = press.person(born=MINOR), press.person(born=ADULT)
    counts = detect(press)
    case = press.case_of(child)
    assert class_of(press, child) == "CONFIRMED_MINOR"
    assert (case.state, case.restriction_previous, case.discovered_at) == ("RESTRICTED", "active", NOW)
    assert (press.status(child), press.status(adult)) == ("restricted", "active")
    assert press.case_of(adult) is None
    assert (counts["opened"], counts["restricted"]) == (1, 1)


def test_who_is_what(press: Press) -> None:
    """One night, one person per rule."""
    expected = {
        press.person(born=date(2008, 11, 23)): "CONFIRMED_MINOR",  # turns 18 tomorrow
        press.person(born=date(2008, 11, 22)): "ADULT_NOW_COLLECTED_AS_MINOR",  # turns 18 today
        press.person(born=date(2008, 11, 22), created=NOW - timedelta(hours=1)): None,  # and registered today
        press.person(written="23/11/2009"): "CONFIRMED_MINOR",
        press.person(written="12/11/2008"): "INDETERMINATE",
        press.person(born=MINOR, written="1980-05-05"): "SUSPECTED_MINOR",
        press.person(born=MINOR, reg_no="R123"): "CONFIRMED_PENDING_COUNTER",
        press.person(born=MINOR, reg_no="  "): "CONFIRMED_MINOR",
        press.person(born=date(2022, 1, 2)): "SUSPECTED_MINOR",  # three when registering
        press.person(born=date(1900, 1, 1)): None,
        press.person(born=date(2027, 5, 1)): None,
        press.person(born=(NOW - timedelta(days=400)).date()): None,  # the day of registration
        press.person(written="Nov 2010"): "CONFIRMED_MINOR",
        press.person(written="2010 or so"): None,
        press.person(written="31/02/2010"): None,
        press.person(): None,
    }
    counts = detect(press)
    assert {key: class_of(press, key) for key in expected} == expected
    restricted = {key for key in expected if press.status(key) == "restricted"}
    assert restricted == {key for key, found in expected.items() if found not in {None, "ADULT_NOW_COLLECTED_AS_MINOR"}}
    assert counts["flags"]["UNSUPPORTED_FORMAT"] == 1


def test_a_summer_night_is_judged_by_the_date_in_london(press: Press) -> None:
    """23:30 UTC on 14 July is already the 15th in London: who was born on 15 July 2008 is 18."""
    child = press.person(born=date(2008, 7, 16))
    adult = press.person(born=date(2008, 7, 15))
    detect(press, at=datetime(2026, 7, 14, 23, 30, tzinfo=UTC))
    assert (class_of(press, child), class_of(press, adult)) == ("CONFIRMED_MINOR", "ADULT_NOW_COLLECTED_AS_MINOR")
    assert press.status(adult) == "active"


def test_a_child_on_a_parents_account_is_the_row_and_never_the_account(press: Press) -> None:
    parent = press.person(born=ADULT)
    row = press.add(
        "attendee",
        user_id=parent,
        name="Child",
        badge_code="B1",
        attendee_type="child",
        age_or_dob="2022-03-04",
        registered_at=NOW - timedelta(days=30),
    )
    detect(press)
    case = press.case_of(row)
    assert (case.subject_kind, case.subject_table, case.state) == ("row", "press.attendee", "OPEN")
    assert class_of(press, row) == "CONFIRMED_MINOR"
    assert (press.case_of(parent), press.status(parent)) == (None, "active")


def test_a_second_night_opens_no_second_case_and_keeps_the_discovery(press: Press) -> None:
    child = press.person(born=date(2008, 11, 23))
    detect(press)
    counts = detect(press, "second", at=TOMORROW)  # eighteen by now
    assert (counts["opened"], counts["rejudged"], counts["restricted"]) == (0, 0, 0)
    case = press.case_of(child)
    assert (case.discovered_at, class_of(press, child)) == (NOW, "CONFIRMED_MINOR")


def test_a_corrected_date_goes_to_people_and_the_person_stays_restricted(press: Press) -> None:
    child = press.person(born=MINOR)
    detect(press)
    press.execute("UPDATE press.profile SET dob_date = '1980-05-05' WHERE user_id = :u", u=child)
    counts = detect(press, "second", at=TOMORROW)
    assert counts["rejudged"] == 1
    assert (class_of(press, child), press.status(child)) == ("SUSPECTED_MINOR", "restricted")


def test_a_date_that_was_removed_goes_to_people(press: Press) -> None:
    child = press.person(born=MINOR)
    press.person(born=ADULT)
    detect(press)
    press.execute("UPDATE press.profile SET dob_date = NULL WHERE user_id = :u", u=child)
    detect(press, "second", at=TOMORROW)
    assert class_of(press, child) == "SUSPECTED_MINOR"
    assert detect(press, "third", at=TOMORROW + timedelta(days=1))["rejudged"] == 0


def test_who_was_cleared_on_this_evidence_is_not_taken_up_again(press: Press) -> None:
    child = press.person(born=MINOR)
    detect(press)
    press.execute("UPDATE gov.minor_case SET state = 'CLEARED', decision = 'CLEARED', decided_at = now()")
    assert detect(press, "second", at=TOMORROW)["opened"] == 0
    press.execute("UPDATE press.profile SET dob_date = '2011-05-05' WHERE user_id = :u", u=child)
    assert detect(press, "third", at=TOMORROW)["opened"] == 1


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("a_dry_run", {"run_type": "manual", "dry_run": True}),
        ("a_backfill_whatever_its_dry_run_says", {"run_type": "backfill"}),
        ("a_date_long_past", {"logical_date": datetime(2019, 1, 1, tzinfo=UTC)}),
    ],
)
def test_a_rehearsal_counts_and_changes_nothing(press: Press, what: str, changes: dict[str, Any]) -> None:
    child = press.person(born=MINOR)
    adult_now = press.person(born=date(2008, 1, 1))  # was a child in 2019
    counts = detect(press, **changes)
    assert counts["rehearsal"]
    assert counts["classes"]["CONFIRMED_MINOR"] == 1  # judged as of now
    assert press.execute("SELECT 1 FROM gov.minor_case") == []
    assert (press.status(child), press.status(adult_now)) == ("active", "active")
    facts = press.scalar("SELECT facts FROM gov.run")
    assert facts["detection"]["classes"]["CONFIRMED_MINOR"] == 1


def test_a_feed_that_writes_one_date_for_everybody_is_left_out_and_the_others_go_on(press: Press) -> None:
    press.crowd(20, "DATE '2010-05-05'")
    child = press.person(written="2011-02-03")
    run = press.open_run()
    found = check_sources(press.workspace, run)
    assert found["excluded"] == ["press.profile.dob_date"]
    counts = detect_and_restrict(press.workspace, run)
    assert (counts["sources_excluded"], counts["opened"]) == (1, 1)
    assert press.status(child) == "restricted"


def test_over_represented_first_of_january_is_no_date(press: Press) -> None:
    press.crowd(112, "DATE '1971-02-03' + 97 * CAST(n AS integer)")
    people = press.crowd(20, "DATE '2000-01-01'")
    counts = detect(press)
    assert counts["classes"].get("CONFIRMED_MINOR", 0) == 0
    assert press.scalar(
        "SELECT over_represented FROM gov.source_observation WHERE source = 'press.profile.dob_date'"
    ) == [date(2000, 1, 1)]
    assert all(press.status(p) == "active" for p in people)


def test_an_empty_table_that_should_have_rows_is_left_out(press: Press) -> None:
    press.add(
        "attendee", name="A", badge_code="B", attendee_type="delegate", age_or_dob="1980-01-02", registered_at=NOW
    )
    found = check_sources(press.workspace, press.open_run())
    assert found["excluded"] == ["press.profile.dob_date", "press.profile.dob_raw"]


def test_without_one_source_to_trust_people_are_restricted_softly_and_the_night_is_red(press: Press) -> None:
    unlisted = press.workspace.data_map.tables["press.attendee"].model_dump(mode="json", exclude_none=True)
    unlisted["columns"]["attendee_type"].pop("evidence")  # leaves dates of birth alone as sources
    workspace = press.with_map(map_of(attendee=unlisted))
    press.execute(
        "INSERT INTO press.attendee (name, badge_code, attendee_type, age_or_dob, registered_at)"
        " SELECT 'A', 'B' || n, 'delegate', 'x', now() FROM generate_series(1, 5) AS n"
    )
    child, adult, reported = press.person(), press.person(born=ADULT), press.person()
    press.crowd(30, "DATE '2010-05-05'")
    press.execute("UPDATE press.profile SET dob_raw = CASE WHEN user_id = :u THEN '3.4.2011' ELSE 'x' END", u=child)
    reports.add(workspace, (str(reported),), signal="SIG-11", reporter="TEACHER", says="15", ticket=None, now=NOW)
    run = press.open_run()
    assert len(check_sources(workspace, run)["excluded"]) == 3
    counts = detect_and_restrict(workspace, run)
    soft = "SELECT class, restriction FROM gov.minor_case WHERE subject_key = ARRAY[CAST(:u AS text)]"
    assert press.execute(soft, u=str(child)) == [("SOURCE_SUSPECT", "SOFT")]
    assert press.execute(soft, u=str(adult)) == []
    assert press.status(reported) == "restricted"
    with pytest.raises(GateBlocked, match="G-01-SOURCES"):
        judge_detection(workspace, run, counts)


@pytest.mark.parametrize(
    ("change", "blind"),
    [
        ("ALTER TABLE press.profile RENAME COLUMN dob_raw TO birthday", ["press.profile.dob_raw"]),
        (
            "ALTER TABLE press.attendee RENAME TO participant",
            ["press.attendee.age_or_dob", "press.attendee.attendee_type"],
        ),
        ("ALTER TABLE press.profile RENAME COLUMN reg_no TO number", []),
    ],
)
def test_what_was_renamed_blinds_its_own_source_alone_and_nothing_is_erased(
    press: Press, change: str, blind: list[str]
) -> None:
    earlier, later = press.person(written="1.2.2011"), press.person()
    detect(press)
    press.execute(change)
    press.execute("UPDATE press.profile SET dob_date = DATE '2010-05-05' WHERE user_id = :u", u=later)
    run = press.open_run("renamed")
    assert check_sources(press.workspace, run)["excluded"] == blind
    detect_and_restrict(press.workspace, run)
    # Whoever only the lost column knows waits as it was: locked, and no longer for a machine to erase.
    lost = "press.profile.dob_raw" in blind
    assert class_of(press, earlier) == ("SOURCE_SUSPECT" if lost else "CONFIRMED_MINOR")
    assert [press.status(p) for p in (earlier, later)] == ["restricted", "restricted"]
    assert class_of(press, later) == "CONFIRMED_MINOR"
    failed = press.execute(
        "SELECT checks FROM gov.gate_result WHERE gate = ANY(:g) AND run_id = :r",
        g=[f"minors.source.{name}" for name in blind],
        r=run.run_id,
    )
    assert [[c["id"] for c in row.checks if not c["success"] and c["severity"] == "critical"] for row in failed] == [
        ["G-03"]
    ] * len(blind)
    with pytest.raises(DataMapError):
        plan.plan(press.workspace, run, now=NOW)


def test_detection_before_the_sources_were_checked_is_refused(press: Press) -> None:
    with pytest.raises(GateBlocked, match="not checked"):
        detect_and_restrict(press.workspace, press.open_run())


def test_a_canary_that_is_not_found_blocks_after_the_restriction(press: Press) -> None:
    child = press.person(born=MINOR)
    blind = press.person(born=ADULT)
    with press.superuser.transaction() as connection:
        holds.register_canary(connection, press.workspace.settings, (str(blind),), now=NOW)
    run = press.open_run()
    check_sources(press.workspace, run)
    counts = detect_and_restrict(press.workspace, run)
    with pytest.raises(GateBlocked, match="CANARY-FOUND"):
        judge_detection(press.workspace, run, counts)
    assert press.status(child) == "restricted"


def test_a_found_canary_lets_the_night_go_on(press: Press) -> None:
    child = press.person(born=MINOR)
    with press.superuser.transaction() as connection:
        holds.register_canary(connection, press.workspace.settings, (str(child),), now=NOW)
    run = press.open_run()
    check_sources(press.workspace, run)
    assert judge_detection(press.workspace, run, detect_and_restrict(press.workspace, run))["gate"] == "pass"


def test_nobody_stands_in_logs_facts_or_verdicts(press: Press, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    child = press.person(written="05.05.2010", email="robin.hart@example.org")
    press.person(written="not a date: robin.hart@example.org")
    counts = detect(press)
    spoken = " ".join([
        caplog.text,
        str(counts),
        str(press.execute("SELECT * FROM gov.run")),
        str(press.execute("SELECT * FROM gov.gate_result")),
    ])
    for trace in (str(child), "robin.hart", "05.05.2010", "2010-05-05"):
        assert trace not in spoken


def test_a_far_too_frequent_first_of_january_says_the_year_and_a_person_decides(press: Press) -> None:
    press.crowd(112, "DATE '1971-02-03' + 97 * CAST(n AS integer)")
    people = press.crowd(20, "DATE '2010-01-01'")
    counts = detect(press)
    assert counts["classes"].get("CONFIRMED_MINOR", 0) == 0
    assert counts["classes"]["SUSPECTED_MINOR"] == 20
    assert all(press.status(p) == "restricted" for p in people)
