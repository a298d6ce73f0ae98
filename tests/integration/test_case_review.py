"""People decide about a case on a real database: who counts, what an answer is bound to, what it does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops import runs
from privacy_ops.datamap import grants
from privacy_ops.erasure import execute
from privacy_ops.erasure.certificates import certify
from privacy_ops.erasure.gates import judge_plan
from privacy_ops.erasure.plan import plan
from privacy_ops.errors import GateBlocked, PlanChanged, StoreRefused, UserError
from privacy_ops.minors import review
from privacy_ops.minors.review import SamePersonAgain
from privacy_ops.runs import Run
from privacy_ops.stores.database import DatabaseFault
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press, map_of
from tests.integration.test_minors_signals import wider_map

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)  # NOW is a Sunday night


def open_review(press: Press, *, at: datetime = MONDAY, name: str = "r") -> Run:
    with press.superuser.transaction() as connection:
        return runs.open_run(
            connection,
            run_id=f"minor_case_review/{name}",
            dag_id="minor_case_review",
            now=at,
            run_type="scheduled",
            dry_run=False,
            thresholds_sha256="x",
            map_sha256="x",
        )


def suspect(press: Press) -> UUID:
    """Somebody with a minor's and an adult's date of birth, found and shut out in the night."""
    person = press.person(born=MINOR, written=ADULT.isoformat())
    nights.find(press.workspace, press.open_run())
    assert press.case_of(person)._mapping["class"] == "SUSPECTED_MINOR"
    assert press.status(person) == "restricted"
    return person


def answer(press: Press, run: Run, case: Any, person: str, said: str, **changes: Any) -> dict[str, Any]:
    values = {"evidence_hash": case.evidence_hash, "reason": "EVIDENCE_READ", "now": MONDAY} | changes
    workspace = values.pop("workspace", press.workspace)
    return review.decide(
        workspace,
        run,
        str(case.case_id),
        answer=said,  # type: ignore[arg-type]
        person_id=person,
        person_name=person.title(),
        **values,
    )


def with_people(press: Press) -> Workspace:
    old = press.workspace
    named = replace(old.settings, reviewers=("ann", "bob"), privacy_leads=("lena",))
    return Workspace(named, old.thresholds, old.data_map, old.map_sha256)


def test_two_people_confirm_a_suspicion_and_it_is_ready_to_be_erased(press: Press) -> None:
    person = suspect(press)
    run, case = open_review(press), press.case_of(person)

    assert answer(press, run, case, "ann", "CONFIRM") == {"recorded": True, "outcome": None, "released": 0}
    with pytest.raises(SamePersonAgain):
        answer(press, run, case, "ann", "CONFIRM")
    assert press.case_of(person).state == "RESTRICTED"
    assert answer(press, run, case, "bob", "CONFIRM")["outcome"] == "CONFIRMED"

    decided = press.case_of(person)
    assert (decided.state, decided.decision, decided.decided_at) == ("DECIDED", "CONFIRMED", MONDAY)
    assert press.status(person) == "restricted"
    rows = press.execute("SELECT step, person_id, decision FROM gov.case_decision ORDER BY decision_id")
    assert rows == [(1, "ann", "CONFIRM"), (2, "bob", "CONFIRM")]
    for statement in ("UPDATE gov.case_decision SET decision = 'CLEAR'", "DELETE FROM gov.case_decision"):
        with pytest.raises(StoreRefused):
            press.execute(statement)


def test_clearing_gives_back_what_stood_there_and_the_same_evidence_opens_nothing_again(press: Press) -> None:
    """Active, locked and restricted before; and one whose account the publisher closed meanwhile."""
    people = {
        before: press.person(born=MINOR, written=ADULT.isoformat()) for before in ("active", "locked", "restricted")
    }
    for before, person in people.items():
        press.execute("UPDATE press.account SET status = :s WHERE user_id = :u", s=before, u=person)
    people["closed"] = press.person(born=MINOR, written=ADULT.isoformat())
    nights.find(press.workspace, press.open_run())
    assert {press.status(person) for person in people.values()} == {"restricted"}
    press.execute("UPDATE press.account SET status = 'closed' WHERE user_id = :u", u=people["closed"])
    run, hashes = open_review(press), set()
    for person in people.values():
        case = press.case_of(person)
        hashes.add(case.evidence_hash)
        assert answer(press, run, case, "ann", "CLEAR")["outcome"] is None, "a stated date of birth takes two"
        assert press.case_of(person).state == "RESTRICTED"
        assert answer(press, run, case, "bob", "CLEAR")["outcome"] == "CLEARED"

    assert {before: press.status(person) for before, person in people.items()} == {b: b for b in people}
    cleared = press.execute("SELECT state, subject_key, adult_on, evidence_hash FROM gov.minor_case")
    assert {(c.state, c.subject_key, c.adult_on) for c in cleared} == {("CLEARED", None, None)}
    assert {c.evidence_hash for c in cleared} == hashes
    assert press.scalar("SELECT count(*) FROM gov.minor_signal") == 0

    nights.find(press.workspace, press.open_run("next", at=NOW + timedelta(days=1)))
    assert press.status(people["active"]) == "active"
    assert press.scalar("SELECT count(*) FROM gov.minor_case") == len(people)


def test_an_answer_counts_for_the_evidence_that_was_shown_and_for_no_other(press: Press) -> None:
    person = suspect(press)
    run, case = open_review(press), press.case_of(person)
    answer(press, run, case, "ann", "CONFIRM")
    press.execute("UPDATE press.profile SET dob_date = '2011-01-02' WHERE user_id = :u", u=person)
    nights.find(press.workspace, press.open_run("next", at=NOW + timedelta(days=1)))

    assert answer(press, run, case, "bob", "CONFIRM")["recorded"] is False
    assert press.scalar("SELECT count(*) FROM gov.case_decision") == 1
    assert answer(press, run, press.case_of(person), "bob", "CONFIRM")["outcome"] is None

    # What two people decided is undone by other evidence before anything is erased.
    assert answer(press, run, press.case_of(person), "ann", "CONFIRM")["outcome"] == "CONFIRMED"
    press.execute("UPDATE press.profile SET dob_date = '2011-03-04' WHERE user_id = :u", u=person)
    nights.find(press.workspace, press.open_run("third", at=NOW + timedelta(days=2)))
    undone = press.case_of(person)
    assert (undone.state, undone.decision, undone.decided_at) == ("RESTRICTED", None, None)


def test_an_answer_that_was_written_down_is_not_asked_for_again_in_the_same_run(press: Press) -> None:
    """Airflow tries the task of an answered question once more when it hears too late that its worker ended."""
    person = suspect(press)
    run, case = open_review(press), press.case_of(person)
    this = {"case_id": str(case.case_id), "now": MONDAY}
    assert review.question(press.workspace, run, person=1, **this) is not None
    answer(press, run, case, "ann", "CONFIRM")

    assert review.question(press.workspace, run, person=1, **this) is None
    second = review.question(press.workspace, run, person=2, **this)
    assert second is not None
    assert "1 have answered" in second.body
    # In another run the first answer is still to be joined by somebody else's.
    assert review.question(press.workspace, open_review(press, name="later"), person=1, **this) is not None
    answer(press, run, case, "bob", "KEEP")
    assert review.question(press.workspace, run, person=2, **this) is None


def test_a_case_with_other_evidence_is_asked_about_anew_and_does_not_wait_for_the_old_question(press: Press) -> None:
    person = suspect(press)
    morning, noon = open_review(press), open_review(press, name="noon", at=MONDAY + timedelta(hours=4))
    case = press.case_of(person)
    assert review.choose(press.workspace, morning, now=MONDAY)["cases"] == [str(case.case_id)]
    assert review.choose(press.workspace, noon, now=noon.as_of)["asked"] == 0
    press.execute("UPDATE press.profile SET dob_date = '2011-01-02' WHERE user_id = :u", u=person)
    nights.find(press.workspace, press.open_run("next", at=MONDAY + timedelta(hours=2)))

    assert answer(press, morning, case, "ann", "CONFIRM")["recorded"] is False
    assert review.choose(press.workspace, noon, now=noon.as_of)["cases"] == [str(case.case_id)]
    review.give_back(press.workspace, morning, str(case.case_id))
    assert press.case_of(person).asked_until == review.deadline(press.workspace, noon), "it is another run's question"
    review.give_back(press.workspace, noon, str(case.case_id))
    assert press.case_of(person).asked_until is None


def test_a_case_that_people_decide_after_the_plan_waits_for_the_next_run_and_stops_none(press: Press) -> None:
    suspected = suspect(press)
    confirmed = press.person(born=MINOR)
    later = NOW + timedelta(hours=1)
    run = press.open_run("night", at=later)
    nights.find(press.workspace, run)
    assert plan(press.workspace, run, now=later)["cases"] == 1
    case, review_run = press.case_of(suspected), open_review(press)
    for reviewer in ("ann", "bob"):
        decided = answer(press, review_run, case, reviewer, "CONFIRM", now=later + timedelta(minutes=1))
    assert decided["outcome"] == "CONFIRMED"

    judge_plan(press.workspace, run, now=later + timedelta(minutes=2))
    nights.finish(press.workspace, run, later + timedelta(minutes=3))
    assert press.execute("SELECT user_id FROM press.account") == [(suspected,)]
    assert press.scalar("SELECT count(*) FROM gov.minor_case WHERE state = 'CLOSED'") == 1, confirmed
    after = later + timedelta(hours=2)
    assert nights.whole(press.workspace, press.open_run("after", at=after), after)["plan"]["cases"] == 1
    assert press.scalar("SELECT count(*) FROM press.account") == 0


def test_one_reviewer_and_nobody_else_decides_where_only_a_counter_signal_speaks_against_it(press: Press) -> None:
    person = press.person(born=MINOR, reg_no="R-1")
    nights.find(press.workspace, press.open_run())
    case = press.case_of(person)
    assert case._mapping["class"] == "CONFIRMED_PENDING_COUNTER"
    run = open_review(press)
    with pytest.raises(UserError, match="only reviewers"):
        answer(press, run, case, "emil", "CONFIRM", workspace=with_people(press))
    with pytest.raises(UserError, match="codes"):
        answer(press, run, case, "ann", "CONFIRM", reason="Kim told me so")
    assert press.scalar("SELECT count(*) FROM gov.case_decision") == 0
    assert answer(press, run, case, "ann", "CONFIRM", workspace=with_people(press))["outcome"] == "CONFIRMED"


# ---- somebody who has died


def with_deaths(press: Press) -> None:
    """A column of the profile that says when somebody died."""
    press.execute("ALTER TABLE press.profile ADD COLUMN died_on date")
    profile = press.workspace.data_map.tables["press.profile"].model_dump(mode="json", exclude_defaults=True)
    profile["columns"]["died_on"] = {"category": "user.account", "counter_signal": {"code": "died"}}
    data_map = map_of(profile=profile)
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    press.workspace = press.with_map(data_map)


def dies(press: Press, person: UUID) -> None:
    press.execute("UPDATE press.profile SET died_on = '2026-11-20' WHERE user_id = :u", u=person)


def test_a_minor_who_has_died_stays_out_of_use_and_only_the_lead_erases(press: Press) -> None:
    with_deaths(press)
    person, adult = press.person(born=MINOR), press.person(born=ADULT)
    for one in (person, adult):
        dies(press, one)

    made = nights.prepare(press.workspace, press.open_run())

    assert made["cases"] == 0, "no machine erases somebody who has died"
    assert (press.status(person), press.status(adult)) == ("restricted", "active")
    case = press.case_of(person)
    assert (case._mapping["class"], "DIED" in case.flags) == ("CONFIRMED_PENDING_COUNTER", True)
    workspace, run = with_people(press), open_review(press)
    assert review.choose(workspace, run, now=MONDAY)["asked"] == 1
    asked = review.question(workspace, run, str(case.case_id), person=1, now=MONDAY)
    assert asked is not None
    assert asked.people == ("lena",)
    assert "recorded as having died" in asked.body
    assert answer(press, run, case, "ann", "CONFIRM", workspace=workspace)["outcome"] is None
    decided = answer(press, run, case, "lena", "CONFIRM", workspace=workspace, reason="PERSON_HAS_DIED")
    assert decided["outcome"] == "CONFIRMED"

    night = nights.whole(press.workspace, press.open_run("next", at=NOW + timedelta(hours=8)), NOW + timedelta(hours=8))

    assert night["certified"]["certificates"] == 1
    assert press.execute("SELECT user_id, status FROM press.account") == [(adult, "active")]
    files = certify.files_of(press.workspace, case.case_id)
    body = json.loads(files[f"{case.case_id}.json"])["body"]
    assert (body["died"], body["decided"]) == (True, "by people")
    assert b"recorded as having died" in files[f"{case.case_id}.html"]
    said = press.scalar("SELECT CAST(payload AS jsonb) ->> 'exception' FROM gov.erasure_ledger WHERE kind = 'intent'")
    assert said == "PERSON_HAS_DIED"


def test_a_death_recorded_after_the_plan_stops_the_erasure_and_is_asked_about(press: Press) -> None:
    with_deaths(press)
    person, other = press.person(born=MINOR), press.person(born=MINOR)
    run = press.open_run()
    assert nights.prepare(press.workspace, run)["cases"] == 2
    dies(press, person)

    with pytest.raises(PlanChanged, match="evidence of 1 cases"):
        execute.erase_database(press.workspace, run, now=NOW)
    assert press.status(other) == "restricted", "nothing was erased"
    later = NOW + timedelta(hours=1)
    nights.whole(press.workspace, press.open_run("again", at=later), later)

    assert press.execute("SELECT user_id, status FROM press.account") == [(person, "restricted")]
    assert "DIED" in press.case_of(person).flags


def test_a_decision_about_the_living_is_asked_again_when_the_person_dies(press: Press) -> None:
    with_deaths(press)
    person = suspect(press)
    run, case = open_review(press), press.case_of(person)
    for reviewer in ("ann", "bob"):
        answer(press, run, case, reviewer, "CONFIRM")
    dies(press, person)
    nights.find(press.workspace, press.open_run("next", at=NOW + timedelta(days=1)))
    assert (press.case_of(person).decision, press.case_of(person).state) == (None, "RESTRICTED")

    press.execute("UPDATE press.profile SET died_on = NULL WHERE user_id = :u", u=person)
    nights.find(press.workspace, press.open_run("third", at=NOW + timedelta(days=2)))
    assert "DIED" not in press.case_of(person).flags, "a death recorded by mistake leaves nothing behind"


# ---- what is asked


def test_a_question_says_codes_and_days_and_never_who(press: Press) -> None:
    person = press.person(born=MINOR, written=ADULT.isoformat(), email="kim.lowe@example.org", name="Kim Lowe")
    nights.find(press.workspace, press.open_run())
    run = open_review(press)
    assert review.choose(press.workspace, run, now=MONDAY)["asked"] == 1
    case = press.case_of(person)

    asked = review.question(with_people(press), run, str(case.case_id), person=1, now=MONDAY, base="/airflow")

    assert asked is not None
    assert "SIG-01 x 2" in asked.body
    assert f"(/airflow/privacy/cases/{case.case_id})" in asked.body
    assert "Waits since 1 working day(s), due 2026-11-23: in time" in asked.body
    assert asked.people == ("ann", "bob", "lena")
    told = (asked.title + asked.body).lower()
    assert not any(word in told for word in ("kim", "lowe", "example.org", str(person), "2010", "1980"))

    # The second goes to somebody else, and only after a first answer.
    workspace, this = with_people(press), {"person": 2, "now": MONDAY}
    assert review.question(workspace, run, str(case.case_id), **this) is None
    answer(press, run, case, "bob", "CONFIRM", workspace=workspace)
    second = review.question(workspace, run, str(case.case_id), **this)
    assert second is not None
    assert second.people == ("ann", "lena")
    late = review.deadline(workspace, run) - timedelta(minutes=14)
    assert review.question(workspace, run, str(case.case_id), person=1, now=late) is None, "it would time out at once"


def test_questions_are_bounded_counted_before_the_cut_and_the_rest_waits(press: Press) -> None:
    for _ in range(3):
        press.person(born=MINOR, written=ADULT.isoformat())
    nights.find(press.workspace, press.open_run())
    few = press.with_thresholds(review=press.workspace.thresholds.review.model_copy(update={"questions_per_run": 2}))
    run = open_review(press)

    first = review.choose(few, run, now=MONDAY)
    assert (first["waiting"], first["asked"], first["not_asked"]) == (3, 2, 1)
    assert review.choose(few, run, now=MONDAY)["cases"] == first["cases"], "a retry asks about the same"
    other = review.choose(few, open_review(press, name="by hand", at=MONDAY + timedelta(hours=1)), now=MONDAY)
    assert other["asked"] == 1, "what another run asks about is left alone"
    assert set(other["cases"]).isdisjoint(first["cases"])


def test_silence_lets_a_case_rise_to_the_lead_and_nothing_else(press: Press) -> None:
    person = suspect(press)
    workspace = with_people(press)
    levels = []
    for days in (0, 2, 3, 4, 6, 7, 12, 21):
        at = MONDAY + timedelta(days=days)
        run = open_review(press, name=str(days), at=at)
        assert review.choose(workspace, run, now=at)["asked"] == 1
        levels.append(press.case_of(person).escalation)
    assert levels == [0, 2, 2, 3, 3, 3, 4, 4]
    case = press.case_of(person)
    asked = review.question(workspace, run, str(case.case_id), person=1, now=at)
    assert asked is not None
    assert asked.people == ("lena",)
    assert (case.state, case.decision, press.status(person)) == ("RESTRICTED", None, "restricted")


def test_the_database_itself_refuses_what_must_not_happen(press: Press) -> None:
    """Released without people, erased without a confirmation, cleared and kept shut out."""
    suspect(press)
    for change in (
        "state = 'CLEARED'",
        "state = 'PRIMARY_ERASED'",
        "decision = 'CLEARED', decided_at = now()",
    ):
        with pytest.raises(DatabaseFault, match="minor_case_"):
            press.execute(f"UPDATE gov.minor_case SET {change}")


def test_a_decision_that_nobody_gave_erases_nobody(press: Press) -> None:
    """Detection may take decisions back, and so may write that column: what it wrote there is no answer of people."""
    person = suspect(press)
    with press.workspace.database("detect").transaction() as connection:
        connection.execute(
            text("UPDATE gov.minor_case SET decision = 'CONFIRMED', decided_at = :at, state = 'DECIDED'"), {"at": NOW}
        )
    later = NOW + timedelta(days=1)
    with pytest.raises(GateBlocked, match="G-20-CLASS"):
        nights.prepare(press.workspace, press.open_run("forged", at=later), later)
    assert press.count("account", "user_id = :u", u=person) == 1


# ---- two classes that are not about a person under 18


def scanned_file(press: Press) -> tuple[UUID, Any]:
    """A sender of a file in which a child was found, and the file's case, after a night."""
    press.execute(
        "CREATE TABLE press.file (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " user_id uuid REFERENCES press.account, status text NOT NULL, found text);"
        "CREATE INDEX ON press.file (user_id)"
    )
    data_map = map_of(file=wider_map().tables["press.file"].model_dump(mode="json", exclude_none=True))
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    press.workspace = press.with_map(data_map)
    sender = press.person(born=ADULT)
    file = press.add("file", user_id=sender, status="new", found="a date of birth")
    nights.find(press.workspace, press.open_run())
    assert press.scalar("SELECT status FROM press.file") == "quarantined"
    return sender, press.case_of(file)


def test_a_file_with_a_child_in_it_is_asked_about_and_given_free_when_it_identifies_nobody(press: Press) -> None:
    _, case = scanned_file(press)
    run = open_review(press)
    assert review.choose(press.workspace, run, now=MONDAY)["cases"] == [str(case.case_id)]
    asked = review.question(press.workspace, run, str(case.case_id), person=1, now=MONDAY)
    assert asked is not None
    assert asked.title.startswith("Does this file identify somebody under 18?")
    assert "in quarantine until you decide" in asked.body
    found = answer(press, run, case, "ann", "CLEAR", reason="IDENTIFIES_NOBODY")
    assert (found["outcome"], found["released"]) == ("CLEARED", 1)
    assert press.scalar("SELECT status FROM press.file") == "new"
    nights.find(press.workspace, press.open_run("next", at=NOW + timedelta(days=1)))
    assert press.scalar("SELECT status FROM press.file") == "new", "the same finding opens nothing again"


def test_a_file_that_two_people_confirm_is_deleted_and_its_sender_stays(press: Press) -> None:
    sender, case = scanned_file(press)
    run = open_review(press)
    assert answer(press, run, case, "ann", "CONFIRM")["outcome"] is None
    assert (press.scalar("SELECT status FROM press.file"), press.count("file")) == ("quarantined", 1)
    assert answer(press, run, case, "bob", "CONFIRM")["outcome"] == "CONFIRMED"
    later = NOW + timedelta(days=1)
    nights.whole(press.workspace, press.open_run("next", at=later), later)
    assert (press.count("file"), press.count("account", "user_id = :u", u=sender)) == (0, 1)
    assert press.scalar("SELECT state FROM gov.minor_case") == "CLOSED"


def grown_up(press: Press) -> tuple[UUID, Any]:
    """An adult who was seventeen on joining, and its case after a night."""
    person = press.person(born=date(2008, 3, 4))
    press.workspace = with_people(press)
    nights.find(press.workspace, press.open_run())
    case = press.case_of(person)
    assert (case._mapping["class"], press.status(person)) == ("ADULT_NOW_COLLECTED_AS_MINOR", "active")
    return person, case


def test_of_an_adult_whose_data_came_as_a_childs_the_lead_decides_and_keeps_the_account(press: Press) -> None:
    person, case = grown_up(press)
    locked = press.person(born=MINOR, written=ADULT.isoformat())
    nights.find(press.workspace, press.open_run("with a suspicion"))
    run = open_review(press)
    assert review.choose(press.workspace, run, now=MONDAY, most=1)["cases"] == [str(press.case_of(locked).case_id)]
    asked = review.question(press.workspace, run, str(case.case_id), person=1, now=MONDAY)
    assert asked is not None
    assert asked.people == ("lena",)
    assert "flagged, not shut out" in asked.body

    at = MONDAY + timedelta(days=45)  # silence releases and erases nobody
    late = open_review(press, name="late", at=at)
    assert review.choose(press.workspace, late, now=at)["lead_decides"] == 2
    assert (press.case_of(person).state, press.status(person)) == ("OPEN", "active")

    assert answer(press, run, case, "ann", "CLEAR")["outcome"] is None
    assert answer(press, run, case, "lena", "CLEAR")["outcome"] == "CLEARED"
    assert press.status(person) == "active"
    nights.find(press.workspace, press.open_run("next", at=NOW + timedelta(days=1)))
    assert press.case_of(person) is None, "the same evidence opens nothing again"


def test_an_adult_is_erased_only_by_the_lead_and_somebody_else(press: Press) -> None:
    person, case = grown_up(press)
    run = open_review(press)
    assert answer(press, run, case, "ann", "CONFIRM", reason="ERASURE_REQUESTED")["outcome"] is None
    later = NOW + timedelta(days=1)
    nights.whole(press.workspace, press.open_run("before", at=later), later)
    assert press.count("account") == 1
    assert answer(press, run, case, "lena", "CONFIRM", reason="ERASURE_REQUESTED")["outcome"] == "CONFIRMED"
    assert press.status(person) == "restricted"
    nights.whole(press.workspace, press.open_run("after", at=later), later)
    assert press.count("account") == 0
