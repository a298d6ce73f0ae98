"""A hold over parts of a case: what it names is kept apart, everything else is erased, and its end erases the rest."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops import ledger, signing
from privacy_ops.erasure import execute
from privacy_ops.erasure.certificates import certify as certificate
from privacy_ops.erasure.certificates import document
from privacy_ops.erasure.gates import judge_plan
from privacy_ops.erasure.plan import plan
from privacy_ops.errors import GateBlocked, PlanChanged, UserError
from privacy_ops.minors import holds
from privacy_ops.stores.objects import ObjectStore

from tests.integration import nights
from tests.integration.press import MINOR, NOW, Press

LATER = NOW + timedelta(days=1)
SCOPE = ("press.comment.body", "press.account.email", "press.sale")


def child_with_traces(press: Press) -> UUID:
    child = press.person(born=MINOR, name="Ada Lowe", email="ada@example.org")
    press.add("comment", user_id=child, body="he copied my figure")
    press.add("comment", user_id=child, body="see you in court")
    press.add("enrolment", user_id=child, course="C1")
    press.add("sale", user_id=child, bill_name="Ada Lowe", total=10)
    return child


def hold(press: Press, child: UUID, *scope: str) -> int:
    with press.workspace.database("detect").transaction() as connection:
        return holds.place_hold(
            connection,
            press.workspace.settings,
            (str(child),),
            basis="LEGAL_CLAIM",
            approver="legal",
            now=NOW,
            review_on=NOW.date(),
            data_map=press.workspace.data_map,
            scope=scope,
        )


def release(press: Press, number: int) -> None:
    with press.workspace.database("detect").transaction() as connection:
        holds.release_hold(connection, number, now=NOW)


def kept(press: Press) -> list[tuple[str, dict[str, Any]]]:
    return [(row.source, row.cells) for row in press.execute("SELECT * FROM gov.held_record ORDER BY record_id")]


def entries(press: Press, kind: str) -> list[dict[str, Any]]:
    rows = press.execute("SELECT payload FROM gov.erasure_ledger WHERE kind = :k ORDER BY seq", k=kind)
    return [json.loads(row.payload) for row in rows]


def test_only_what_the_hold_names_is_kept_and_its_end_erases_it(press: Press, objects: ObjectStore) -> None:
    child = child_with_traces(press)
    others = press.person(born=MINOR)
    press.add("comment", user_id=others, body="nobody holds this")
    number = hold(press, child, *SCOPE)
    made = nights.whole(press.workspace, press.open_run())
    assert (made["plan"]["cases"], made["plan"]["held"], made["plan"]["rows_with_held_cells"]) == (2, 0, 4)
    assert made["verified"]["gates"] in (["pass"], ["warn"])
    assert made["verified"]["residual_rows"] == 0
    assert [press.count(t) for t in ("account", "profile", "comment", "enrolment")] == [0, 0, 0, 0]
    assert press.count("sale", "user_id IS NULL AND bill_name IS NULL AND total = 10") == 1
    stands = kept(press)
    assert sorted((t, c["body"]) for t, c in stands if t == "press.comment") == [
        ("press.comment", "he copied my figure"),
        ("press.comment", "see you in court"),
    ]
    assert [c for t, c in stands if t == "press.account"] == [{"email": "ada@example.org"}]
    assert [c for t, c in stands if t == "press.sale"] == [{"user_id": str(child), "bill_name": "Ada Lowe"}]
    assert len(stands) == 4
    said = [json.loads(objects.get(bucket, key)) for bucket, key in _certificates(press)]
    held = [one["body"]["held"] for one in said if one["body"]["held"]]
    assert len(said) == 2
    assert len(held) == 1, "the other child's certificate knows of no hold"
    assert {(one["asset"], one["rows"], one["basis"], one["hold"]) for one in held[0]} == {
        ("press.comment", 2, "LEGAL_CLAIM", number),
        ("press.account", 1, "LEGAL_CLAIM", number),
        ("press.sale", 1, "LEGAL_CLAIM", number),
    }
    case = next(one["body"]["case_id"] for one in said if one["body"]["held"])
    files = certificate.files_of(press.workspace, UUID(case))
    page = files[f"{case}.html"]
    assert b"kept apart because of a hold" in page
    assert b"Ada" not in page
    public = signing.public_key_pem(press.workspace.settings.keys.signing_key_pem)
    assert document.faults(files[f"{case}.json"], page, public) == []
    assert sorted((e["asset"], e["rows"]) for e in entries(press, "held")) == [
        ("press.account", 1),
        ("press.comment", 2),
        ("press.sale", 1),
    ]
    # While it stands, nights leave it; its end erases it the next night, with a ledger entry for the case.
    nights.whole(press.workspace, press.open_run("second", at=LATER), LATER)
    assert len(kept(press)) == 4
    release(press, number)
    nights.whole(press.workspace, press.open_run("third", at=LATER + timedelta(days=1)), LATER + timedelta(days=1))
    assert kept(press) == []
    assert entries(press, "held_erased") == [{"hold": number, "rows": 4}]
    assert ledger.check(press.workspace).fault_count == 0
    # Whoever holds the certificate can show that it is over: a signed supplement, once.
    hour = press.open_run("hour", at=LATER + timedelta(days=1, hours=1))
    assert certificate.supplement(press.workspace, hour, now=hour.as_of) == {"supplements": 1}
    assert certificate.supplement(press.workspace, hour, now=hour.as_of + timedelta(hours=1)) == {"supplements": 0}
    files = certificate.files_of(press.workspace, UUID(case))
    supplement, page = files[f"{case}.supplement-1.json"], files[f"{case}.supplement-1.html"]
    assert document.faults(supplement, page, public) == []
    (ended,) = json.loads(supplement)["body"]["held_erased"]
    assert (ended["hold"], ended["rows"]) == (number, 4)
    assert b"is erased since it ended" in page


def test_no_duty_may_read_what_is_kept(press: Press) -> None:
    readers = press.execute(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'privacy%' AND rolname <> 'privacy_migrate'"
        " AND has_table_privilege(rolname, 'gov.held_record', 'SELECT')"
    )
    assert readers == []


def test_a_hold_over_the_whole_case_wins_over_one_over_parts(press: Press) -> None:
    child = child_with_traces(press)
    hold(press, child, "press.comment.body")
    hold(press, child)
    nights.find(press.workspace, press.open_run())
    assert plan(press.workspace, press.open_run(), now=NOW)["held"] == 1
    assert press.case_of(child).state == "ON_HOLD"


def test_a_scope_that_the_map_no_longer_knows_holds_the_whole_case(press: Press) -> None:
    child = child_with_traces(press)
    number = hold(press, child, "press.comment.body")
    press.execute("UPDATE gov.legal_hold SET scope = '{press.gone}' WHERE hold_id = :h", h=number)
    nights.find(press.workspace, press.open_run())
    assert plan(press.workspace, press.open_run(), now=NOW)["held"] == 1


def test_a_hold_over_parts_that_comes_after_the_plan_stops_the_erasure(press: Press) -> None:
    child = child_with_traces(press)
    run = press.open_run()
    nights.prepare(press.workspace, run)
    hold(press, child, "press.comment.body")
    with pytest.raises(PlanChanged, match="1 legal holds"):
        execute.erase_database(press.workspace, run, now=NOW)
    assert press.count("comment") == 2
    plan(press.workspace, run, now=NOW)
    judge_plan(press.workspace, run, now=NOW)
    nights.finish(press.workspace, run)
    assert len(kept(press)) == 2


def test_a_hold_over_parts_is_in_the_hash_that_the_gate_judged(press: Press) -> None:
    child = child_with_traces(press)
    hold(press, child, "press.comment.body")
    run = press.open_run()
    nights.prepare(press.workspace, run)
    press.execute("DELETE FROM gov.erasure_hold")
    with pytest.raises(GateBlocked):
        execute.erase_database(press.workspace, run, now=NOW)
    assert press.count("comment") == 2


def test_what_the_ledger_says_was_erased_goes_again_after_a_restore(press: Press) -> None:
    child = child_with_traces(press)
    number = hold(press, child, "press.comment.body")
    nights.whole(press.workspace, press.open_run())
    press.execute("CREATE TABLE public.backup AS SELECT * FROM gov.held_record")
    release(press, number)
    nights.whole(press.workspace, press.open_run("second", at=LATER), LATER)
    press.execute(
        "INSERT INTO gov.held_record (hold_id, case_id, source, cells, kept_at)"
        " SELECT hold_id, case_id, source, cells, kept_at FROM public.backup"
    )
    press.execute("DROP TABLE public.backup")
    press.execute("UPDATE gov.legal_hold SET released_at = NULL")
    later = LATER + timedelta(days=1)
    nights.whole(press.workspace, press.open_run("third", at=later), later)
    assert kept(press) == []


def test_a_scope_is_refused_when_it_is_placed(press: Press) -> None:
    with pytest.raises(UserError, match="no such column"):
        hold(press, press.person(born=MINOR), "press.comment.colour")
    assert press.scalar("SELECT count(*) FROM gov.legal_hold") == 0


def _certificates(press: Press) -> list[tuple[str, str]]:
    return [(r.bucket, r.object_key) for r in press.execute("SELECT bucket, object_key FROM gov.certificate")]
