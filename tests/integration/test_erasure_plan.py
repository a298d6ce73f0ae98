"""What a plan holds, whom it leaves out, and when there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from privacy_ops.erasure.gates import judge_plan
from privacy_ops.erasure.plan import plan
from privacy_ops.errors import DataMapError, GateBlocked
from privacy_ops.minors import holds
from privacy_ops.stores.objects import ObjectStore

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press, map_of


def made(press: Press, name: str = "run", **changes: Any) -> dict[str, Any]:
    run = press.open_run(name, **changes)
    nights.find(press.workspace, run)
    return plan(press.workspace, run, now=run.as_of)


def hold(press: Press, user_id: object, kind: str) -> int:
    keys = press.workspace.settings
    with press.superuser.transaction() as connection:
        if kind == "legal_hold":
            return holds.place_hold(
                connection, keys, (str(user_id),), basis="LEGAL_CLAIM", approver="legal", now=NOW, review_on=NOW.date()
            )
        return holds.open_access_request(
            connection, keys, (str(user_id),), received_at=NOW, verified=kind == "access_request"
        )


@pytest.mark.parametrize("kind", ["legal_hold", "access_request"])
def test_a_held_minor_stays_restricted_and_out_of_the_plan(press: Press, kind: str) -> None:
    held, free = press.person(born=MINOR), press.person(born=MINOR)
    hold(press, held, kind)
    counts = made(press)
    assert (counts["cases"], counts["held"]) == (1, 1)
    assert press.case_of(held).state == "ON_HOLD"
    assert press.status(held) == "restricted"
    assert press.case_of(free).state == "RESTRICTED"


def test_an_unverified_request_delays_nothing(press: Press) -> None:
    hold(press, press.person(born=MINOR), "unverified_request")
    assert made(press)["cases"] == 1


def test_when_the_hold_ends_the_next_night_takes_the_case_up(press: Press) -> None:
    number = hold(press, press.person(born=MINOR), "legal_hold")
    made(press)
    with press.superuser.transaction() as connection:
        holds.release_hold(connection, number, now=NOW)
    assert made(press, "second", at=NOW + timedelta(days=1))["cases"] == 1


def test_only_confirmed_cases_are_planned(press: Press) -> None:
    press.person(born=MINOR, written="1980-01-02")
    press.person(written="12/11/2008")
    press.person(born=MINOR, reg_no="R1")
    assert made(press)["cases"] == 0


def test_an_odd_value_of_one_keeps_nobody_else_waiting(press: Press) -> None:
    """What was corrected since it was judged, and what only one of the two readings understands, waits; others go."""
    odd, other = press.person(born=MINOR), press.person(born=MINOR)
    run = press.open_run()
    nights.find(press.workspace, run)
    press.execute("UPDATE press.profile SET dob_date = dob_date + 1 WHERE user_id = :u", u=odd)
    counts = plan(press.workspace, run, now=run.as_of)
    assert (counts["cases"], counts["set_aside"]) == (1, 1)
    assert judge_plan(press.workspace, run, now=run.as_of)["gate"] == "warn"
    nights.finish(press.workspace, run)
    assert press.execute("SELECT user_id FROM press.account") == [(odd,)]
    assert (press.case_of(odd).state, press.status(odd)) == ("RESTRICTED", "restricted")
    assert other != odd
    tomorrow = NOW + timedelta(days=1)
    nights.whole(press.workspace, press.open_run("second", at=tomorrow), tomorrow)
    assert press.count("account") == 0


def test_where_most_are_odd_nobody_goes(press: Press) -> None:
    for _ in range(2):
        press.person(born=MINOR)
    run = press.open_run()
    nights.find(press.workspace, run)
    press.execute("UPDATE press.profile SET dob_date = dob_date + 1")
    assert plan(press.workspace, run, now=run.as_of)["set_aside"] == 2
    with pytest.raises(GateBlocked, match="G-21-MOST"):
        judge_plan(press.workspace, run, now=run.as_of)


def test_a_rehearsal_leaves_no_plan(press: Press) -> None:
    press.person(born=MINOR)
    nights.find(press.workspace, press.open_run())
    counts = plan(press.workspace, press.open_run("dry", dry_run=True), now=NOW)
    assert (counts["cases"], counts["rehearsal"]) == (1, True)
    assert press.execute("SELECT 1 FROM gov.erasure_plan") == []
    assert press.execute("SELECT 1 FROM gov.erasure_row") == []


def test_the_same_content_has_the_same_hash_and_a_new_row_another(press: Press) -> None:
    child = press.person(born=MINOR)
    first = made(press)
    run = press.open_run()
    again = plan(press.workspace, run, now=NOW)
    assert (again["sha256"], again["plan_id"] == first["plan_id"]) == (first["sha256"], False)
    press.add("enrolment", user_id=child, course="C")
    assert plan(press.workspace, run, now=NOW)["sha256"] != first["sha256"]


def test_a_void_plan_keeps_no_keys(press: Press) -> None:
    press.person(born=MINOR)
    made(press)
    made(press, "second", at=NOW + timedelta(days=1))
    left = press.execute("SELECT 1 FROM gov.erasure_row JOIN gov.erasure_plan USING (plan_id) WHERE state = 'void'")
    assert left == []


def test_a_forgotten_table_that_leans_on_people_stops_the_plan(press: Press) -> None:
    press.person(born=MINOR)
    press.execute("CREATE TABLE press.forgotten (id int PRIMARY KEY, user_id uuid REFERENCES press.account)")
    run = press.open_run()
    nights.find(press.workspace, run)
    with pytest.raises(DataMapError, match=r"MAP-UNKNOWN-TABLE press\.forgotten"):
        plan(press.workspace, run, now=NOW)


def test_a_map_that_forgets_a_table_stops_the_plan(press: Press) -> None:
    press.person(born=MINOR)
    run = press.open_run()
    nights.find(press.workspace, run)
    with pytest.raises(DataMapError, match="MAP-UNKNOWN-TABLE"):
        plan(press.with_map(map_of(progress=None)), run, now=NOW)


def test_replies_of_others_are_unlinked_and_own_replies_go(press: Press) -> None:
    child, other = press.person(born=MINOR), press.person(born=ADULT)
    question = press.add("comment", user_id=child, body="q")
    answer = press.add("comment", user_id=other, parent_id=question, body="a")
    thanks = press.add("comment", user_id=child, parent_id=answer, body="t")
    late = press.add("comment", user_id=other, parent_id=thanks, body="l")
    nights.whole(press.workspace, press.open_run())
    assert press.execute("SELECT id, parent_id, user_id FROM press.comment ORDER BY id") == [
        (answer, None, other),
        (late, None, other),
    ]


def test_a_mailbox_that_somebody_else_uses_is_not_the_minors(press: Press) -> None:
    other = press.person(born=ADULT)
    for address in ("home@example.org", "icu@example.org", "kim@example.org"):
        press.person(born=MINOR, email=address)
        press.add("ticket", requester_email=address)
    press.add("ticket", requester_email="Home@example.org", user_id=other)
    nights.whole(press.workspace, press.open_run())
    left = press.execute("SELECT requester_email, user_id FROM press.ticket ORDER BY id")
    assert left == [("home@example.org", None), ("icu@example.org", None), ("Home@example.org", other)]


def test_erasing_a_childs_row_leaves_the_parent_alone(press: Press) -> None:
    parent = press.person(born=ADULT)
    for badge, kind, age in (("B1", "child", "2020-03-04"), ("B2", "delegate", "1980-03-04")):
        press.add(
            "attendee",
            user_id=parent,
            name="N",
            badge_code=badge,
            attendee_type=kind,
            age_or_dob=age,
            registered_at=NOW - timedelta(days=30),
        )
        press.add("badge_scan", badge_code=badge, exhibitor="E")
    facts = nights.whole(press.workspace, press.open_run())
    assert facts["certified"]["certificates"] == 1
    assert press.execute("SELECT badge_code FROM press.attendee") == [("B2",)]
    assert press.execute("SELECT badge_code FROM press.badge_scan") == [("B2",)]
    assert press.status(parent) == "active"


def test_an_object_that_others_use_too_stays(press: Press, objects: ObjectStore) -> None:
    press.person(born=MINOR, photo_key="photos/default.png")
    press.person(born=ADULT, photo_key="photos/default.png")
    objects.put("press-photos", "photos/default.png", b"default")
    nights.whole(press.workspace, press.open_run())
    assert objects.exists("press-photos", "photos/default.png")


def test_every_version_and_marker_of_the_exact_key_goes_and_the_neighbour_stays(
    press: Press, objects: ObjectStore
) -> None:
    child = press.person(born=MINOR, photo_key="photos/1")
    other = press.person(born=ADULT, photo_key="photos/10")
    for key in ("photos/1", "photos/10"):
        objects.put("press-photos", key, b"a")
        objects.put("press-photos", key, b"b")
        objects.client.delete_object(Bucket="press-photos", Key=key)
        objects.put("press-photos", key, b"c")
    objects.client.create_multipart_upload(Bucket="press-photos", Key="photos/1")
    objects.client.create_multipart_upload(Bucket="press-photos", Key="photos/10")
    objects.put("press-events", f"events/{child}/1.json", b"x")
    objects.put("press-events", f"events/{other}/1.json", b"y")
    done = nights.whole(press.workspace, press.open_run())["objects"]
    assert {v.key for v in objects.versions("press-photos")} == {"photos/10"}
    assert len(list(objects.versions("press-photos"))) == 4
    assert [key for key, _ in objects.multipart_uploads("press-photos")] == ["photos/10"]
    assert list(objects.keys("press-events")) == [f"events/{other}/1.json"]
    assert (done["markers"], done["uploads"]) == (1, 1)
