"""What stays for a while and why: invoices, sealed answers, holds; and what a publisher's database does unasked."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from privacy_ops import ledger
from privacy_ops.datamap import grants, loader
from privacy_ops.erasure import execute
from privacy_ops.erasure.plan import plan
from privacy_ops.erasure.rows import retention
from privacy_ops.errors import PlanChanged, StoreRefused, UserError
from privacy_ops.minors import holds
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.workspace import Workspace

from tests.integration import nights
from tests.integration.press import ADULT, HOME, MINOR, NOW, Press, map_of

RULES = loader.load(HOME / "include" / "datamap" / "imp").tables["commerce.order_header"].retain


def with_invoices(press: Press) -> Workspace:
    """The press, whose sales are judged by the rules of the large publisher."""
    press.execute(
        "ALTER TABLE press.sale ADD bill_address text, ADD country text, ADD currency text, ADD tax_point date,"
        " ADD invoice_no text, ADD invoice_type text, ADD location_evidence_1 text, ADD location_evidence_2 text"
    )
    plain = {"category": "system.operations"}
    emptied = {"category": "user.contact.address", "erase": "NULL"}
    names = ("country", "currency", "tax_point", "invoice_no", "invoice_type", "id", "total")
    columns: dict[str, Any] = dict.fromkeys(names, plain)
    columns |= dict.fromkeys(("bill_address", "location_evidence_1", "location_evidence_2"), emptied)
    columns |= {
        "user_id": {"category": "user", "erase": "UNLINK"},
        "bill_name": {"category": "user.name", "erase": "NULL", "identifier": "name"},
    }
    sale = {
        "key": ["id"],
        "link": {"to": "press.account", "columns": ["user_id"], "optional": True},
        "erase": "RETAIN_MIN",
        "purpose": ["fulfil_orders"],
        "retention": "six years",
        "retain": [rule.model_dump() for rule in RULES],
        "columns": columns,
    }
    data_map = map_of(sale=sale)
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    return press.with_map(data_map)


def sale(press: Press, user_id: Any, total: int, **values: Any) -> None:
    press.add(
        "sale",
        user_id=user_id,
        total=total,
        **{
            "bill_name": "Kim Lowe",
            "bill_address": "1 Road",
            "country": "GB",
            "currency": "GBP",
            "tax_point": date(2026, 3, 1),
            "invoice_no": f"I-{total}",
            "invoice_type": "simplified",
            "location_evidence_1": "loc",
            "location_evidence_2": "ip",
        }
        | values,
    )


def kept(press: Press) -> dict[int, tuple[str, date, set[str]]]:
    rows = press.execute("SELECT rule, kept, delete_after FROM gov.retained_record ORDER BY record_id")
    return {int(r.kept["amount"]): (r.rule, r.delete_after, set(r.kept)) for r in rows}


def test_an_order_leaves_what_its_country_amount_and_invoice_ask_for(press: Press) -> None:
    workspace = with_invoices(press)
    child, other = press.person(born=MINOR), press.person(born=ADULT)
    sale(press, child, 120)
    sale(press, child, 250)
    sale(press, child, 251)
    sale(press, child, 200, invoice_type="full")
    sale(press, child, 199, invoice_type=None)
    sale(press, child, 400, invoice_type="full")
    sale(press, child, 90, country="FR", currency="EUR")
    sale(press, child, 91, country="FR", currency="EUR", invoice_type="full")
    sale(press, child, 30, tax_point=None, invoice_no=None, invoice_type="none")  # put together and never invoiced
    sale(press, other, 500, invoice_type="full")
    nights.whole(workspace, press.open_run())

    minimum = {"invoice_no", "tax_point", "amount", "currency", "country"}
    person, place = {"name", "address"}, {"location_evidence_1", "location_evidence_2"}
    six, ten = date(2032, 3, 1), date(2036, 12, 31)
    assert kept(press) == {
        120: ("UK_NO_IDENTITY", six, minimum),
        250: ("UK_NO_IDENTITY", six, minimum),
        251: ("FULL_INVOICE", six, minimum | person),
        200: ("FULL_INVOICE", six, minimum | person),
        199: ("FULL_INVOICE", six, minimum | person),
        400: ("FULL_INVOICE", six, minimum | person),
        90: ("OSS_NO_INVOICE", ten, minimum | place),
        91: ("OSS_FULL_INVOICE", ten, minimum | person | place),
        30: ("UK_NO_IDENTITY", date(2032, 11, 22), {"amount", "currency", "country"}),  # counts from the erasure
    }
    assert press.execute("SELECT DISTINCT user_id, bill_name, bill_address FROM press.sale WHERE total <> 500") == [
        (None, None, None)
    ]
    assert press.scalar("SELECT bill_name FROM press.sale WHERE total = 500") == "Kim Lowe"


def test_a_retained_record_is_read_by_no_duty_and_goes_at_its_term(press: Press) -> None:
    workspace = with_invoices(press)
    sale(press, press.person(born=MINOR), 400, invoice_type="full")
    nights.whole(workspace, press.open_run())
    for duty in ("detect", "erase", "export", "inventory", "canary"):
        with pytest.raises(StoreRefused), workspace.database(duty).transaction() as connection:
            connection.exec_driver_sql("SELECT * FROM gov.retained_record")
    term = NOW.replace(year=2032, month=3, day=1)
    assert retention.delete_expired(workspace, now=term) == 0
    assert retention.delete_expired(workspace, now=term + timedelta(days=1)) == 1
    assert press.execute("SELECT 1 FROM gov.retained_record") == []
    assert ledger.check(workspace).entries
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'retention_ended'") == 1


def test_a_verified_request_waits_for_its_sealed_answer_and_no_longer(press: Press, objects: ObjectStore) -> None:
    child = press.person(born=MINOR)
    with press.superuser.transaction() as connection:
        number = holds.open_access_request(
            connection, press.workspace.settings, (str(child),), received_at=NOW, verified=True
        )
    nights.whole(press.workspace, press.open_run())
    assert press.count("account") == 1
    objects.put("press-photos", "seal", b"cipher text")
    later = NOW + timedelta(hours=20)
    with press.workspace.database("detect").transaction() as connection:
        holds.seal_access_request(
            connection, number, bucket="press-photos", key="seal", sha256="0" * 64, approver="dpo", now=later
        )
    nights.whole(press.workspace, press.open_run("second", at=later), later)
    assert press.count("account") == 0
    assert objects.exists("press-photos", "seal")  # the person still gets the answer
    with press.workspace.database("detect").transaction() as connection:
        assert holds.deliver_access_request(connection, objects, number, now=later) == 1
    assert list(objects.versions("press-photos", "seal")) == []
    assert press.scalar("SELECT closed_at IS NOT NULL AND seal_destroyed_at IS NOT NULL FROM gov.dsr_request")


def test_an_unverified_request_is_never_sealed(press: Press) -> None:
    child = press.person(born=MINOR)
    with press.superuser.transaction() as connection:
        number = holds.open_access_request(
            connection, press.workspace.settings, (str(child),), received_at=NOW, verified=False
        )
    with press.workspace.database("detect").transaction() as connection, pytest.raises(UserError, match="verif"):
        holds.seal_access_request(connection, number, bucket="b", key="k", sha256="0" * 64, approver="dpo", now=NOW)


@pytest.mark.parametrize(
    ("basis", "days", "allowed"),
    [("LEGAL_CLAIM", 90, True), ("LEGAL_CLAIM", 91, False), ("SAFEGUARDING", 1, True), ("SAFEGUARDING", 2, False)],
)
def test_a_hold_is_reviewed_in_time(press: Press, basis: str, days: int, allowed: bool) -> None:
    child = press.person(born=MINOR)

    def place() -> int:
        with press.workspace.database("detect").transaction() as connection:
            review = NOW.date() + timedelta(days=days)
            return holds.place_hold(
                connection,
                press.workspace.settings,
                (str(child),),
                basis=basis,
                approver="legal",
                now=NOW,
                review_on=review,
            )

    if allowed:
        assert place() > 0
    else:
        with pytest.raises(UserError, match="reviewed within"):
            place()


def test_a_review_that_is_late_is_a_finding_and_releases_nobody(press: Press) -> None:
    held = press.person(born=MINOR)
    press.person(born=MINOR)
    with press.workspace.database("detect").transaction() as connection:
        holds.place_hold(
            connection,
            press.workspace.settings,
            (str(held),),
            basis="LEGAL_CLAIM",
            approver="legal",
            now=NOW,
            review_on=NOW.date(),
        )
    later = NOW + timedelta(days=1)
    facts = nights.whole(press.workspace, press.open_run(at=later), later)
    assert (facts["plan"]["held"], press.count("account")) == (1, 1)
    checks = press.scalar("SELECT checks FROM gov.gate_result WHERE gate = 'erasure.plan'")
    failed = [c["id"] for c in (json.loads(checks) if isinstance(checks, str) else checks) if not c["success"]]
    assert "G-22-REVIEW" in failed


def test_what_was_written_ahead_of_a_plan_that_changed_blocks_nobody(press: Press) -> None:
    child = press.person(born=MINOR)
    run = press.open_run()
    nights.prepare(press.workspace, run)
    press.add("enrolment", user_id=child, course="late")
    with pytest.raises(PlanChanged):
        execute.erase_database(press.workspace, run, now=NOW)
    assert press.execute("SELECT 1 FROM gov.suppression_entry") == []
    assert press.execute("SELECT 1 FROM gov.sweep_identifier") == []
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'withdrawn'") == 1
    assert ledger.check(press.workspace).sound
    nights.whole(press.workspace, run)
    assert press.execute("SELECT 1 FROM gov.suppression_entry")


ARCHIVE = """
CREATE FUNCTION press.archive() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN INSERT INTO press.comment (body) VALUES ('kept'); RETURN OLD; END $$;
CREATE TRIGGER archive AFTER DELETE ON press.profile FOR EACH ROW EXECUTE FUNCTION press.archive();
"""
NEIGHBOUR = """
CREATE FUNCTION press.more() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN DELETE FROM press.enrolment; RETURN NULL; END $$;
CREATE TRIGGER more AFTER DELETE ON press.profile FOR EACH STATEMENT EXECUTE FUNCTION press.more();
"""
LATE = """
CREATE FUNCTION press.late() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN UPDATE press.profile SET name = 'x'; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER DELETE ON press.profile DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION press.late();
"""


@pytest.mark.parametrize("trigger", [ARCHIVE, NEIGHBOUR, LATE], ids=["archives", "deletes-more", "at-commit"])
def test_what_the_database_does_besides_stops_the_erasure(press: Press, trigger: str) -> None:
    child, other = press.person(born=MINOR), press.person(born=ADULT)
    press.add("enrolment", user_id=other, course="C")
    run = press.open_run()
    nights.prepare(press.workspace, run)
    with press.superuser.transaction() as connection:
        connection.exec_driver_sql(trigger)
    with pytest.raises(PlanChanged, match="something else"):
        execute.erase_database(press.workspace, run, now=NOW)
    assert press.count("account", "user_id = :u", u=child) == 1
    assert (press.count("enrolment"), press.count("comment")) == (1, 0)


def test_a_cascade_to_a_row_that_came_late_stops_the_erasure(press: Press) -> None:
    press.execute("ALTER TABLE press.enrolment DROP CONSTRAINT enrolment_user_id_fkey")
    press.execute("ALTER TABLE press.enrolment ADD FOREIGN KEY (user_id) REFERENCES press.account ON DELETE CASCADE")
    child = press.person(born=MINOR)
    run = press.open_run()
    nights.prepare(press.workspace, run)
    press.add("enrolment", user_id=child, course="late")
    with pytest.raises(PlanChanged):
        execute.erase_database(press.workspace, run, now=NOW)
    assert press.count("enrolment") == press.count("account") == 1


def test_a_table_that_inherits_keeps_its_own_rows(press: Press) -> None:
    press.execute("CREATE TABLE press.old_comment () INHERITS (press.comment)")
    child = press.person(born=MINOR)
    press.add("comment", user_id=child, body="mine")
    run = press.open_run()
    nights.find(press.workspace, run)
    press.execute("INSERT INTO press.old_comment (id, user_id, body) VALUES (900, :u, 'old')", u=child)
    # The map does not know the table, and no foreign key leads from it to people: it may not be touched by accident.
    plan(press.workspace, run, now=NOW)
    nights.judge_plan(press.workspace, run, now=NOW)
    execute.erase_database(press.workspace, run, now=NOW)
    assert press.scalar("SELECT count(*) FROM ONLY press.comment") == 0
    assert press.scalar("SELECT count(*) FROM press.old_comment") == 1
