"""What stops an erasure, and what a kill at any point leaves behind."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from privacy_ops import approvals, ledger
from privacy_ops.erasure import execute, release, verify
from privacy_ops.erasure.certificates import certify as certificate
from privacy_ops.erasure.gates import judge_plan
from privacy_ops.erasure.objects import erase as object_erasure
from privacy_ops.erasure.plan import covered_catalogue, plan, require_plan
from privacy_ops.erasure.rows.builder import Builder
from privacy_ops.errors import DataMapError, GateBlocked, PlanChanged, StoreRefused, UserError
from privacy_ops.minors import holds
from privacy_ops.runs import Run
from privacy_ops.stores.objects import NotDeleted, ObjectStore, ObjectVersion
from privacy_ops.thresholds import Breaker
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press


def ready(press: Press) -> tuple[Any, Run]:
    """A minor with an enrolment, found, planned and judged."""
    child = press.person(born=MINOR, photo_key="photos/1")
    press.add("enrolment", user_id=child, course="C")
    run = press.open_run()
    nights.prepare(press.workspace, run)
    return child, run


def still_there(press: Press, child: Any) -> bool:
    return press.count("account", "user_id = :u", u=child) == 1 and press.count("enrolment") > 0


def late_enrolment(press: Press, child: Any) -> None:
    press.add("enrolment", user_id=child, course="late")


def late_visible_child_row(press: Press, _child: Any) -> None:
    press.execute("INSERT INTO press.progress SELECT id, 7 FROM press.enrolment")


def corrected_birthday(press: Press, child: Any) -> None:
    press.execute("UPDATE press.profile SET dob_date = '1980-05-05' WHERE user_id = :u", u=child)


def another_minor_birthday(press: Press, child: Any) -> None:
    press.execute("UPDATE press.profile SET dob_date = '2011-05-05' WHERE user_id = :u", u=child)


def late_hold(press: Press, child: Any) -> None:
    with press.superuser.transaction() as connection:
        holds.place_hold(
            connection,
            press.workspace.settings,
            (str(child),),
            basis="SAFEGUARDING",
            approver="dpo",
            now=NOW,
            review_on=NOW.date(),
        )


def late_access_request(press: Press, child: Any) -> None:
    with press.superuser.transaction() as connection:
        holds.open_access_request(connection, press.workspace.settings, (str(child),), received_at=NOW, verified=True)


def a_row_that_left(press: Press, _child: Any) -> None:
    press.execute("DELETE FROM press.enrolment")
    press.execute("INSERT INTO press.enrolment (user_id, course) SELECT user_id, 'x' FROM press.account LIMIT 0")


@pytest.mark.parametrize(
    "happens",
    [
        late_enrolment,
        late_visible_child_row,
        corrected_birthday,
        another_minor_birthday,
        late_hold,
        late_access_request,
    ],
)
def test_facts_that_move_between_gate_and_erasure_void_the_plan(
    press: Press, happens: Callable[[Press, Any], None]
) -> None:
    child, run = ready(press)
    happens(press, child)
    with pytest.raises(PlanChanged):
        execute.erase_database(press.workspace, run, now=NOW)
    assert still_there(press, child)


def test_a_row_that_left_by_itself_voids_the_plan(press: Press) -> None:
    _, run = ready(press)
    a_row_that_left(press, None)
    with pytest.raises(PlanChanged, match="planned and 0 were found"):
        execute.erase_database(press.workspace, run, now=NOW)


def test_after_a_change_the_same_run_can_be_cleared_and_planned_anew(press: Press) -> None:
    child, run = ready(press)
    late_enrolment(press, child)
    with pytest.raises(PlanChanged):
        execute.erase_database(press.workspace, run, now=NOW)
    nights.whole(press.workspace, run)
    assert press.count("account") == press.count("enrolment") == 0


def test_a_new_table_between_gate_and_erasure_is_seen(press: Press) -> None:
    child, run = ready(press)
    press.execute("CREATE TABLE press.forgotten (id int PRIMARY KEY, user_id uuid REFERENCES press.account)")
    with pytest.raises(DataMapError):
        execute.erase_database(press.workspace, run, now=NOW)
    assert still_there(press, child)


def test_a_plan_that_was_not_judged_is_refused(press: Press) -> None:
    child = press.person(born=MINOR)
    press.add("enrolment", user_id=child, course="C")
    run = press.open_run()
    nights.find(press.workspace, run)
    plan(press.workspace, run, now=NOW)
    with pytest.raises(GateBlocked, match="has not judged"):
        execute.erase_database(press.workspace, run, now=NOW)
    assert still_there(press, child)


def test_a_verdict_on_other_rows_opens_nothing(press: Press) -> None:
    _, run = ready(press)
    other = press.person(born=ADULT)
    press.execute(
        "INSERT INTO gov.erasure_row SELECT plan_id, step_no, ARRAY[:o], case_id FROM gov.erasure_row"
        " JOIN gov.erasure_step USING (plan_id, step_no) WHERE table_name = 'press.account'",
        o=str(other),
    )
    with pytest.raises(GateBlocked, match="something else"):
        execute.erase_database(press.workspace, run, now=NOW)
    assert press.count("account") == 2


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE gov.erasure_row SET row_key = ARRAY[CAST(:other AS text)] WHERE row_key = ARRAY[CAST(:child AS text)]",
        "DELETE FROM gov.erasure_row WHERE row_key <> ARRAY[CAST(:child AS text)]",
        "UPDATE gov.erasure_object SET object_key = 'photos/2'",
        "INSERT INTO gov.erasure_key SELECT plan_id, case_id, 'email', 'other@example.org' FROM gov.erasure_plan_case",
        "UPDATE gov.erasure_step SET table_name = 'press.account' WHERE table_name = 'press.enrolment'",
    ],
    ids=["row of another", "row left out", "object of another", "key of another", "table of another"],
)
def test_a_plan_that_is_changed_after_it_was_written_ahead_erases_nothing(press: Press, forged: str) -> None:
    """The erasing transaction takes nobody's word that the content is what the gate judged."""
    child, run = ready(press)
    other = press.person(born=ADULT)
    with press.superuser.transaction() as connection:
        frozen = require_plan(connection, run.run_id)
    allowed = execute.write_ahead(press.workspace, run, frozen, now=NOW)
    with press.superuser.transaction() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        these = {name: value for name, value in {"other": other, "child": child}.items() if f":{name}" in forged}
        assert connection.execute(text(forged), these).rowcount
    with pytest.raises(GateBlocked, match="something else"):
        execute.erase_rows(press.workspace, run, frozen, allowed, now=NOW)
    assert still_there(press, child)
    assert press.count("account", "user_id = :u", u=other) == 1


def test_a_plan_whose_rows_were_written_anew_alike_is_still_the_one_that_was_judged(press: Press) -> None:
    child, run = ready(press)
    with press.superuser.transaction() as connection:
        frozen = require_plan(connection, run.run_id)
    allowed = execute.write_ahead(press.workspace, run, frozen, now=NOW)
    press.execute("UPDATE gov.erasure_row SET step_no = step_no")  # new versions of the same
    execute.erase_rows(press.workspace, run, frozen, allowed, now=NOW)
    assert not still_there(press, child)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("UPDATE press.profile SET name = name WHERE user_id = :u", {"press.profile"}),
        ("DELETE FROM press.profile WHERE user_id = :u", {"press.profile"}),
        ("UPDATE press.account SET status = status", {"press.account"}),
        ("UPDATE press.profile SET name = 'x' WHERE user_id <> :u", set()),
    ],
    ids=["a row written anew alike", "a row gone", "the account itself", "a row of the one who goes"],
)
def test_the_control_group_sees_whatever_the_erasing_transaction_writes(
    press: Press, change: str, seen: set[str]
) -> None:
    other = press.person(born=ADULT)
    _, run = ready(press)
    with press.workspace.database("erase").transaction(read_only=True) as connection:
        frozen = require_plan(connection, run.run_id)
        live = covered_catalogue(connection, press.workspace)
    with press.superuser.transaction() as connection:
        control = execute._Control(connection, Builder(press.workspace.data_map, live), frozen, defaultdict(int))
        before = control.figures()
        connection.execute(text(change), {"u": other} if ":u" in change else {})
        after = control.figures()
    assert before["press.account"][0] == 1
    assert {table for table in before if before[table] != after[table]} == seen


def test_a_verdict_expires(press: Press) -> None:
    child, run = ready(press)
    with pytest.raises(GateBlocked, match="not valid now"):
        execute.erase_database(press.workspace, run, now=NOW + timedelta(hours=25))
    with pytest.raises(UserError, match="26 hours"):
        execute.erase_database(press.workspace, run, now=NOW + timedelta(hours=27))
    assert still_there(press, child)


def test_who_turns_eighteen_in_the_queue_is_erased_as_promised(press: Press) -> None:
    child = press.person(born=date(2008, 11, 23))
    run = press.open_run()
    later = NOW + timedelta(hours=23)  # the 23rd in London: eighteen now, seventeen at discovery
    nights.find(press.workspace, run)
    nights.prepare(press.workspace, run, later)
    nights.finish(press.workspace, run, later)
    assert press.count("account", "user_id = :u", u=child) == 0


def test_the_suppression_list_and_intent_are_in_the_locked_bucket_before_anything_goes(
    press: Press, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, run = ready(press)

    def killed(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(execute, "_erase_rows", killed)
    with pytest.raises(RuntimeError):
        execute.erase_database(press.workspace, run, now=NOW)
    assert still_there(press, child)
    assert [r.kind for r in press.execute("SELECT kind FROM gov.erasure_ledger")] == ["intent"]
    copied = list(objects.keys("press-evidence"))
    assert any(k.startswith(ledger.ENTRIES) for k in copied)
    assert any(k.startswith(ledger.SUPPRESSION) for k in copied)
    monkeypatch.undo()
    nights.finish(press.workspace, run)
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'intent'") == 1


POINTS = (
    ("ledger", "copy_out"),
    ("execute", "_record_erased"),
    ("objects", "erase_chunk"),
    ("verify", "sweep"),
    ("verify", "_sweep_objects"),
    ("certificate", "_bodies"),
    ("certificate", "forget"),
)


@pytest.mark.parametrize(("module", "name"), POINTS)
def test_a_kill_at_any_point_is_survived_by_doing_it_again(
    press: Press, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    child, run = ready(press)
    other = press.person(born=ADULT)
    objects.put("press-photos", "photos/1", b"x")
    place = {
        "ledger": ledger,
        "execute": execute,
        "objects": object_erasure,
        "verify": verify,
        "certificate": certificate,
    }[module]

    def killed(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(place, name, killed)
        with pytest.raises(RuntimeError, match="killed"):
            nights.finish(press.workspace, run)
    facts = nights.finish(press.workspace, run)
    assert press.execute("SELECT user_id FROM press.account") == [(other,)]
    assert list(objects.versions("press-photos")) == []
    assert press.execute("SELECT state FROM gov.minor_case") == [("CLOSED",)]
    assert press.scalar("SELECT count(*) FROM gov.certificate") == 1
    assert facts["certified"]["certificates"] == 1
    assert ledger.check(press.workspace).sound
    assert str(child) not in str(press.execute("SELECT * FROM gov.erasure_row"))


def test_what_a_killed_night_left_the_next_night_finishes(press: Press, objects: ObjectStore) -> None:
    _, run = ready(press)
    objects.put("press-photos", "photos/1", b"x")
    execute.erase_database(press.workspace, run, now=NOW)
    tomorrow = NOW + timedelta(days=1)
    press.person(born=ADULT)
    nights.whole(press.workspace, press.open_run("second", at=tomorrow), tomorrow)
    assert list(objects.versions("press-photos")) == []
    assert press.execute("SELECT state FROM gov.minor_case") == [("CLOSED",)]


def test_objects_that_came_into_a_plan_after_its_gate_stay(press: Press, objects: ObjectStore) -> None:
    _, run = ready(press)
    objects.put("press-photos", "photos/1", b"x")
    objects.put("press-photos", "photos/of-somebody-else", b"x")
    execute.erase_database(press.workspace, run, now=NOW)
    press.execute(
        "INSERT INTO gov.erasure_object (plan_id, case_id, store, bucket, object_key, is_prefix)"
        " SELECT plan_id, case_id, store, bucket, 'photos/of-somebody-else', false FROM gov.erasure_object"
        " WHERE object_key = 'photos/1'"
    )
    with pytest.raises(PlanChanged, match="not the one that was judged"):
        object_erasure.erase_objects(press.workspace, run, now=NOW)
    assert sorted(objects.keys("press-photos")) == ["photos/1", "photos/of-somebody-else"]


def test_an_object_that_is_refused_keeps_no_other_from_going(
    press: Press, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(press)
    press.person(born=MINOR, photo_key="photos/2")
    run = press.open_run("second")
    nights.prepare(press.workspace, run)
    for name in ("photos/1", "photos/2"):
        objects.put("press-photos", name, b"x")
    execute.erase_database(press.workspace, run, now=NOW)
    delete_batch = ObjectStore.delete_batch

    def refuse_first(store: ObjectStore, bucket: str, versions: Sequence[ObjectVersion]) -> list[NotDeleted]:
        refused = [v for v in versions if v.key == "photos/1"]
        delete_batch(store, bucket, [v for v in versions if v not in refused])
        return [NotDeleted(v.key, v.version_id, "AccessDenied") for v in refused]

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "delete_batch", refuse_first)
        with pytest.raises(StoreRefused, match="AccessDenied"):
            object_erasure.erase_objects(press.workspace, run, now=NOW)
    assert list(objects.keys("press-photos")) == ["photos/1"]
    nights.finish(press.workspace, run)
    assert list(objects.versions("press-photos")) == []


def test_a_night_killed_between_proof_and_certificate_is_certified_by_the_next(press: Press) -> None:
    _, run = ready(press)
    execute.erase_database(press.workspace, run, now=NOW)
    object_erasure.erase_objects(press.workspace, run, now=NOW)
    verify.verify(press.workspace, run, now=NOW)
    tomorrow = NOW + timedelta(days=1)
    press.person(born=ADULT)
    facts = nights.whole(press.workspace, press.open_run("second", at=tomorrow), tomorrow)
    assert facts["certified"]["certificates"] == 1
    assert press.execute("SELECT state FROM gov.minor_case") == [("CLOSED",)]
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'verified'") == 2  # one per plan
    assert ledger.check(press.workspace).sound


def test_a_row_that_comes_back_stops_the_certificate(press: Press) -> None:
    child, run = ready(press)
    execute.erase_database(press.workspace, run, now=NOW)
    object_erasure.erase_objects(press.workspace, run, now=NOW)
    press.add("account", user_id=child, email="x@example.org", email_norm="x@example.org", created_at=NOW)
    with pytest.raises(GateBlocked, match="G-28-ROWS"):
        verify.verify(press.workspace, run, now=NOW)
    with pytest.raises(GateBlocked, match="not proven"):
        certificate.certify(press.workspace, run, now=NOW)
    assert press.execute("SELECT 1 FROM gov.certificate") == []


def test_an_object_that_comes_back_stops_the_certificate(press: Press, objects: ObjectStore) -> None:
    child, run = ready(press)
    execute.erase_database(press.workspace, run, now=NOW)
    object_erasure.erase_objects(press.workspace, run, now=NOW)
    objects.put("press-attachments", f"elsewhere/{child}/scan.pdf", b"late")
    with pytest.raises(GateBlocked, match="G-28-OBJECTS"):
        verify.verify(press.workspace, run, now=NOW)


def narrow(press: Press) -> Workspace:
    """The breaker trips at one case."""
    values = press.workspace.thresholds.breaker.model_dump() | {"min_cases": 1, "max_share": 0.0001}
    return press.with_thresholds(breaker=Breaker(**values))


def approve(press: Press, workspace: Workspace, run: Run, *people: str, decision: Any = "approve") -> None:
    request = release.breaker_request(workspace, run)
    assert request is not None
    with workspace.database("erase").transaction() as connection:
        for person in people:
            approvals.record(connection, run.run_id, request, approver=person, decision=decision, at=NOW)


def test_a_tripped_breaker_waits_for_two_different_people(press: Press) -> None:
    child = press.person(born=MINOR)
    workspace, run = narrow(press), press.open_run()
    assert nights.prepare(workspace, run)["breaker_tripped"]
    assert press.status(child) == "restricted"  # restricting never waits
    for people in ((), ("ann",), ("ann", "ann")):
        approve(press, workspace, run, *people)
        with pytest.raises(GateBlocked, match="breaker needs 2"):
            execute.erase_database(workspace, run, now=NOW)
    approve(press, workspace, run, "bea")
    nights.finish(workspace, run)
    assert press.count("account") == 0


def test_one_rejection_stops_it_whoever_approved(press: Press) -> None:
    press.person(born=MINOR)
    workspace, run = narrow(press), press.open_run()
    nights.prepare(workspace, run)
    approve(press, workspace, run, "ann", "bea")
    approve(press, workspace, run, "cid", decision="reject")
    with pytest.raises(GateBlocked):
        execute.erase_database(workspace, run, now=NOW)


@pytest.mark.parametrize("decision", ["reject", "timeout"])
def test_what_nobody_released_last_night_is_asked_for_again_tonight(press: Press, decision: str) -> None:
    child = press.person(born=MINOR)
    workspace, run = narrow(press), press.open_run()
    nights.prepare(workspace, run)
    approve(press, workspace, run, "ann", decision=decision)
    later = NOW + timedelta(days=2)  # discovered before tonight's window began
    second = press.open_run("second", at=later)
    assert nights.prepare(workspace, second, later)["breaker_tripped"]
    assert release.breaker_request(workspace, second) is not None
    with pytest.raises(GateBlocked, match="breaker needs 2"):
        execute.erase_database(workspace, second, now=later)
    assert press.count("account", "user_id = :u", u=child) == 1


def test_an_approval_of_another_plan_opens_nothing(press: Press) -> None:
    child = press.person(born=MINOR)
    workspace, run = narrow(press), press.open_run()
    nights.prepare(workspace, run)
    approve(press, workspace, run, "ann", "bea")
    press.add("enrolment", user_id=child, course="C")
    plan(workspace, run, now=NOW)
    judge_plan(workspace, run, now=NOW)
    with pytest.raises(GateBlocked, match="breaker needs 2"):
        execute.erase_database(workspace, run, now=NOW)


def test_nobody_is_asked_on_an_ordinary_night(press: Press) -> None:
    press.person(born=MINOR)
    run = press.open_run()
    nights.prepare(press.workspace, run)
    assert release.breaker_request(press.workspace, run) is None


def test_canaries_do_not_count_towards_the_breaker(press: Press) -> None:
    child = press.person(born=MINOR)
    with press.superuser.transaction() as connection:
        holds.register_canary(connection, press.workspace.settings, (str(child),), now=NOW)
    assert not nights.prepare(narrow(press), press.open_run())["breaker_tripped"]


def test_a_broken_ledger_stops_the_gate(press: Press) -> None:
    ready(press)
    press.execute("ALTER TABLE gov.erasure_ledger DISABLE TRIGGER append_only")
    press.execute("INSERT INTO gov.erasure_ledger VALUES (1, now(), 'note', NULL, '{}', 'x', 'y')")
    run = press.open_run("second")
    nights.find(press.workspace, run)
    plan(press.workspace, run, now=NOW)
    with pytest.raises(GateBlocked, match="G-33"):
        judge_plan(press.workspace, run, now=NOW)


def test_a_dry_run_destroys_nothing_in_any_task(press: Press, objects: ObjectStore) -> None:
    child = press.person(born=MINOR, photo_key="photos/1")
    objects.put("press-photos", "photos/1", b"x")
    run = press.open_run(dry_run=True, run_type="manual")
    facts = nights.whole(press.workspace, run)
    assert facts["database"] == facts["objects"] == {"rehearsal": True}
    assert press.status(child) == "active"
    assert objects.exists("press-photos", "photos/1")
    assert press.execute("SELECT 1 FROM gov.erasure_ledger") == []


def test_nobody_stands_in_logs_results_or_refusals(press: Press, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    child = press.person(born=MINOR, email="sam.reed@example.org")
    run = press.open_run()
    said = [str(nights.prepare(press.workspace, run))]
    press.add("enrolment", user_id=child, course="late")
    with pytest.raises(PlanChanged) as refused:
        execute.erase_database(press.workspace, run, now=NOW)
    said += [str(refused.value), str(nights.whole(press.workspace, run))]
    with press.superuser.transaction() as connection:
        said.append(str(require_plan(connection, run.run_id)))
    said += [caplog.text, str(press.execute("SELECT facts FROM gov.run"))]
    said.append(str(press.execute("SELECT checks, report_html FROM gov.gate_result")))
    for trace in (str(child), "sam.reed", "2010-05-05"):
        assert not {r.name for r in caplog.records if trace in r.getMessage()}
        assert not [n for n, words in enumerate(said) if trace in words]
