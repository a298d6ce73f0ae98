"""The whole night on a real database and a real S3 API."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

from privacy_ops import ledger, signing
from privacy_ops.stores.objects import ObjectStore

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press


def furnish(press: Press, user_id: UUID, objects: ObjectStore, *, photo: str = "") -> None:
    """One row in every table and something in every bucket."""
    address = press.scalar("SELECT email FROM press.account WHERE user_id = :u", u=user_id)
    press.add("comment", user_id=user_id, body="text")
    sale = press.add("sale", user_id=user_id, bill_name="Reader", total=12)
    press.add("sale_line", sale_id=sale, sku="BOOK")
    enrolment = press.add("enrolment", user_id=user_id, course="C1")
    press.execute("INSERT INTO press.progress VALUES (:e, 1)", e=enrolment)
    badge = f"B-{user_id}"
    press.add(
        "attendee",
        user_id=user_id,
        name="Reader",
        badge_code=badge,
        attendee_type="delegate",
        registered_at=NOW - timedelta(days=90),
    )
    press.add("badge_scan", badge_code=badge, exhibitor="E1")
    press.add("subscriber", email=address, user_id=user_id)
    press.add("subscriber", email=f"  {address.upper()} ")
    ticket = press.add("ticket", requester_email=address, user_id=user_id)
    attachment = f"tickets/{ticket}/letter.pdf"
    press.add("ticket_message", ticket_id=ticket, body="text", attachments=[attachment])
    photo = photo or f"photos/{user_id}.jpg"
    press.execute("UPDATE press.profile SET photo_key = :k WHERE user_id = :u", k=photo, u=user_id)
    objects.put("press-photos", photo, b"first")
    objects.put("press-photos", photo, b"second")
    objects.put("press-attachments", attachment, b"letter")
    objects.put("press-events", f"events/{user_id}/2026/1.json", b"{}")


def everything(press: Press) -> dict[str, int]:
    tables = press.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'press'")
    return {t.table_name: press.count(t.table_name) for t in tables}


def test_everything_of_a_confirmed_minor_goes_and_nothing_of_others(press: Press, objects: ObjectStore) -> None:
    child, other = press.person(born=MINOR), press.person(born=ADULT)
    furnish(press, other, objects)
    before = everything(press)
    photos = {v.version_id for v in objects.versions("press-photos")}
    furnish(press, child, objects)

    facts = nights.whole(press.workspace, press.open_run())

    after = everything(press)
    kept = {"sale", "sale_line"}
    assert {t: n for t, n in after.items() if t not in kept} == {
        t: n - (t in {"account", "profile"}) for t, n in before.items() if t not in kept
    }
    assert press.execute("SELECT user_id, bill_name, total FROM press.sale ORDER BY id DESC LIMIT 1") == [
        (None, None, 12)
    ]
    assert press.count("sale_line") == 2
    assert {v.version_id for v in objects.versions("press-photos")} == photos
    assert all(str(child) not in v.key for b in ("press-events", "press-attachments") for v in objects.versions(b))
    assert facts["verified"]["residual_rows"] == facts["verified"]["residual_objects"] == 0
    assert facts["certified"]["certificates"] == 1
    assert press.status(other) == "active"


def test_the_certificate_is_signed_and_nothing_of_the_person_is_left_with_us(
    press: Press, objects: ObjectStore
) -> None:
    child = press.person(born=MINOR, email="Kim.Lowe@example.org")
    furnish(press, child, objects)
    nights.whole(press.workspace, press.open_run())

    case = press.execute("SELECT * FROM gov.minor_case")[0]
    assert (case.state, case.subject_key, case.evidence_hash, case.adult_on) == ("CLOSED", None, None, None)
    signed = json.loads(objects.get("press-evidence", f"certificates/{case.case_id}.json"))
    keys = signing.trusted_keys(press.workspace.settings.keys)
    assert signing.verifies(keys, signed["body"], signed["signature"])
    assert signed["body"]["residual"] == 0
    assert {a["asset"] for a in signed["body"]["assets"]} >= {"press.account", "press.sale", "s3://press-photos"}
    assert ledger.check(press.workspace).sound
    kinds = {r.kind for r in press.execute("SELECT kind FROM gov.erasure_ledger")}
    assert kinds == {"intent", "erased", "verified", "certified"}
    assert press.execute("SELECT 1 FROM gov.suppression_entry WHERE id_type = 'email'")
    tables = press.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'gov'")
    names = {t.table_name for t in tables}
    # The tests' block list stands for ever, which is no moment of Python's: that row is read as text.
    as_text = {"block_list_renewal"}
    read = [f"SELECT * FROM gov.{name}" for name in names - as_text]
    read += [f"SELECT r::text FROM gov.{name} AS r" for name in names & as_text]
    ours = "".join(str(press.execute(statement)) for statement in read).lower()
    copies = "".join(objects.get("press-evidence", k).decode() for k in objects.keys("press-evidence")).lower()
    for trace in (str(child), "kim.lowe", "2010-05-05"):
        assert trace not in ours
        assert trace not in copies


def test_the_ledger_says_of_each_case_what_went_table_by_table(press: Press, objects: ObjectStore) -> None:
    """The database writes these entries; they are canonical as those that Python writes."""
    child, sibling = press.person(born=MINOR), press.person(born=MINOR)
    furnish(press, child, objects)
    nights.whole(press.workspace, press.open_run())
    entries = press.execute(
        "SELECT case_id, payload FROM gov.erasure_ledger WHERE kind = 'erased' AND case_id IS NOT NULL ORDER BY seq"
    )
    assert [e.case_id for e in entries] == sorted(e.case_id for e in entries)
    said = [json.loads(e.payload) for e in entries]
    assert [signing.canonical_json(one) for one in said] == [e.payload for e in entries]
    cases = {c.subject_ref: c.ref_key_id for c in press.execute("SELECT subject_ref, ref_key_id FROM gov.minor_case")}
    assert {one["subject_ref"]: one["ref_key_id"] for one in said} == cases
    assert {one["plan_sha256"] for one in said} == {press.scalar("SELECT sha256 FROM gov.erasure_plan")}
    bare, furnished = sorted((one["rows"] for one in said), key=len)
    assert bare == {"press.account DELETE": 1, "press.profile DELETE": 1}
    assert furnished["press.subscriber DELETE"] == 2
    assert furnished["press.sale EMPTY"] == furnished["press.sale UNLINK"] == furnished["press.progress DELETE"] == 1
    assert len({child, sibling}) == len(said)


def test_a_second_night_finds_nothing_to_do(press: Press, objects: ObjectStore) -> None:
    furnish(press, press.person(born=MINOR), objects)
    press.person(born=ADULT)
    nights.whole(press.workspace, press.open_run())
    before = everything(press)
    facts = nights.whole(press.workspace, press.open_run("second", at=NOW + timedelta(days=1)), NOW + timedelta(days=1))
    assert facts["plan"]["cases"] == 0
    assert everything(press) == before


def test_each_task_called_twice_does_its_work_once(press: Press, objects: ObjectStore) -> None:
    furnish(press, press.person(born=MINOR), objects)
    run = press.open_run()
    nights.whole(press.workspace, run)
    entries = press.scalar("SELECT count(*) FROM gov.erasure_ledger")
    nights.finish(press.workspace, run)
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger") == entries
    assert press.scalar("SELECT count(*) FROM gov.minor_case") == 1
