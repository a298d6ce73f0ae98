"""Between two nights: what is new is judged and restricted, and the one erasure is asked for once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from privacy_ops import runs
from privacy_ops.datamap import grants
from privacy_ops.errors import UserError
from privacy_ops.minors import holds, intake, notices, reports, review, service_levels
from privacy_ops.runs import Run

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press, map_of
from tests.integration.test_notices import able_to_write

MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)


def open_intake(press: Press, at: datetime, *, dag_id: str = "minor_signal_intake", **changes: Any) -> Run:
    with press.superuser.transaction() as connection:
        return runs.open_run(
            connection,
            run_id=f"{dag_id}/{at:%d%H%M}",
            dag_id=dag_id,
            now=at,
            **({"run_type": "scheduled", "dry_run": False, "logical_date": at} | changes),
            thresholds_sha256="x",
            map_sha256="x",
        )


def child_row(press: Press, at: datetime, number: int = 1) -> Any:
    """An accompanying child that was registered at ``at``: a row that says when it came."""
    return press.add(
        "attendee", name="C", badge_code=f"B{number}", attendee_type="child", age_or_dob="2015-01-02", registered_at=at
    )


def report(press: Press, person: Any, at: datetime) -> int:
    return reports.add(
        press.workspace,
        (str(person),),
        signal="SIG-11",
        reporter="TEACHER",
        says="UNDER_18",
        ticket="T-1",
        now=at,
    )


def test_what_is_new_is_restricted_at_once_and_one_erasure_run_is_asked_for(press: Press) -> None:
    reader, other = press.person(born=ADULT), press.person(born=ADULT)
    night = press.open_run()
    nights.find(press.workspace, night)
    child_row(press, MORNING - timedelta(minutes=10))
    report(press, reader, MORNING - timedelta(minutes=5))
    run = open_intake(press, MORNING)

    counts = intake.take_in(press.workspace, run, now=MORNING)

    assert counts["gate"] == "warn", "hours behind: the first look since the night"
    assert press.status(reader) == "restricted"
    assert press.status(other) == "active"
    reported = press.case_of(reader)
    assert (reported._mapping["class"], reported.discovered_at) == ("SUSPECTED_MINOR", MORNING)
    assert press.scalar("SELECT position FROM gov.intake_cursor") == MORNING

    # The child's row is confirmed; a report alone is for people.
    assert intake.request_erasure(press.workspace, run, now=MORNING) == 1
    assert intake.request_erasure(press.workspace, run, now=MORNING) == 1, "a retry asks for the same"
    later = MORNING + timedelta(minutes=15)
    second = open_intake(press, later)
    assert intake.take_in(press.workspace, second, now=later)["opened"] == 0
    assert intake.request_erasure(press.workspace, second, now=later) == 0, "asked for once"

    # The erasure that it asked for is the night's own.
    erasing = press.open_run("by intake", at=later, run_type="manual", logical_date=None)
    assert nights.whole(press.workspace, erasing, later)["certified"]["certificates"] == 1
    assert press.count("attendee") == 0


def test_evidence_that_was_changed_since_is_looked_at_as_if_it_had_just_come(press: Press) -> None:
    """Rows of long ago: one was corrected to a child's age this morning, one that says the same was not touched."""
    press.execute("ALTER TABLE press.attendee ADD COLUMN changed_at timestamptz")
    attendee = press.workspace.data_map.tables["press.attendee"].model_dump(mode="json", exclude_defaults=True)
    attendee["columns"]["changed_at"] = {"category": "user.behavior"}
    data_map = map_of(attendee=attendee | {"changed_at": "changed_at"})
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    press.workspace = press.with_map(data_map)
    long_ago, changed = NOW - timedelta(days=60), MORNING - timedelta(minutes=5)
    press.person(born=ADULT)
    corrected = press.add(
        "attendee", name="D", badge_code="D", attendee_type="delegate", age_or_dob="1990-01-02", registered_at=long_ago
    )
    nights.find(press.workspace, press.open_run())
    child_row(press, long_ago)  # came by another way than the applications: the night's
    press.execute(
        "UPDATE press.attendee SET age_or_dob = '2015-03-04', changed_at = :t WHERE badge_code = 'D'", t=changed
    )

    counts = intake.take_in(press.workspace, open_intake(press, MORNING), now=MORNING)

    assert counts["opened"] == 1
    case = press.case_of(corrected)
    assert case.evidence_at == changed, "how fast it was restricted is counted from the change"


def test_whom_a_run_has_looked_at_who_is_held_and_who_may_still_answer_is_not_asked_for_again(press: Press) -> None:
    workspace = able_to_write(press)
    _, held, canary, waits = (press.person(born=MINOR) for _ in range(4))
    night = press.open_run()
    nights.find(workspace, night)
    run = open_intake(press, NOW + timedelta(minutes=15))
    assert intake.request_erasure(workspace, run, now=run.as_of) == 0, "the night itself looks at them"

    press.execute("UPDATE gov.minor_case SET discovered_at = :t", t=run.as_of)
    press.execute("UPDATE gov.minor_case SET state = 'ON_HOLD' WHERE subject_key = ARRAY[:k]", k=str(held))
    with press.superuser.transaction() as connection:
        holds.register_canary(connection, workspace.settings, (str(canary),), now=NOW)
    assert notices.queue(workspace, run, now=run.as_of)["queued"] == 2, "no notice to the made-up and the held"
    assert intake.request_erasure(workspace, run, now=run.as_of) == 0, "they may answer"
    over = run.as_of + timedelta(hours=2)
    assert intake.request_erasure(workspace, open_intake(press, over), now=over) == 2
    assert press.case_of(waits).erasure_requested_by is not None


def test_people_decided_and_objected_cases_reach_the_right_job_in_working_hours(press: Press) -> None:
    person = press.person(born=MINOR, reg_no="R-1")
    nights.find(press.workspace, press.open_run())
    run = open_intake(press, MORNING)
    asking = open_intake(press, MORNING, dag_id="minor_case_review")
    assert intake.urgent_reviews(press.workspace, run, now=MORNING) == 1
    for closed in (NOW, MORNING + timedelta(hours=9), datetime(2026, 12, 25, 10, tzinfo=UTC)):
        assert intake.urgent_reviews(press.workspace, run, now=closed) == 0, "nobody is at work"
    asked = review.choose(press.workspace, asking, now=MORNING)
    assert asked["asked"] == 1
    assert intake.urgent_reviews(press.workspace, run, now=MORNING) == 0, "asked about already"

    case = press.case_of(person)
    decided = review.decide(
        press.workspace,
        asking,
        str(case.case_id),
        evidence_hash=case.evidence_hash,
        answer="CONFIRM",
        reason="OWN_STATEMENT",
        person_id="ann",
        person_name="Ann",
        now=MORNING,
    )
    assert decided["outcome"] == "CONFIRMED"
    assert intake.request_erasure(press.workspace, run, now=MORNING) == 1
    at = MORNING + timedelta(minutes=1)
    erasing = press.open_run("decided", at=at, run_type="manual", logical_date=None)
    assert nights.whole(press.workspace, erasing, at)["certified"]["certificates"] == 1
    assert press.count("account") == 0

    # From detection to certificate, as the rows tell it.
    end = at + timedelta(minutes=1)
    breached = service_levels.record(press.workspace, erasing, now=end)
    levels = {level.metric: level for level in service_levels.measure(press.workspace, now=end)}
    assert breached == []
    assert [levels[m].measured for m in ("M1", "M2", "M3", "M4", "M7", "M8")] == [1, 1, 1, 1, 0, 1]
    assert (levels["M2"].over, levels["M2"].worst, levels["M2"].unit) == (1, 1, "working days")
    assert (levels["M3"].worst, levels["M4"].worst) == (0.02, 0.02)  # one minute after the decision
    kept = press.scalar("SELECT facts -> 'service_levels' FROM gov.run WHERE run_id = :r", r=erasing.run_id)
    assert set(kept) == {f"M{number}" for number in range(1, 9)}


def test_a_dry_run_moves_nothing_and_a_report_is_checked_without_repeating_the_key(press: Press) -> None:
    person = press.person(born=ADULT)
    child_row(press, MORNING)
    run = open_intake(press, MORNING, dry_run=True)
    intake.take_in(press.workspace, run, now=MORNING)
    assert intake.request_erasure(press.workspace, run, now=MORNING) == 0
    assert press.scalar("SELECT count(*) FROM gov.minor_case") == 0
    assert press.scalar("SELECT count(*) FROM gov.intake_cursor") == 0

    good = {"signal": "SIG-11", "reporter": "PARENT", "says": "15", "ticket": None, "now": NOW}
    for key, change in (
        (("not-a-number",), {}),
        (("00000000-0000-4000-8000-00000000dead",), {}),
        ((str(person), "x"), {}),
        ((str(person),), {"says": "18"}),
        ((str(person),), {"says": "Kim is 15"}),
        ((str(person),), {"signal": "SIG-01"}),
        ((str(person),), {"reporter": "PROCESSOR"}),
    ):
        with pytest.raises(UserError) as refused:
            reports.add(press.workspace, key, **(good | change))
        assert key[0] not in str(refused.value)
    assert press.scalar("SELECT count(*) FROM gov.minor_report") == 0
