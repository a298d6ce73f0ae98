"""What a run leaves behind, on a real database and a real S3 interface: files, differences, gate, sign-off."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from privacy_ops import approvals
from privacy_ops.errors import GateBlocked, StoreRefused, UserError
from privacy_ops.runs import Run
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.database import DatabaseFault
from privacy_ops.transfers import inventory
from privacy_ops.transfers.publishing import publish
from sqlalchemy import text

from sandbox.publisher.objects import client
from tests.integration.test_transfer_inventory import (  # noqa: F401 - fixtures
    NOW,
    Done,
    Office,
    done,
    failed_checks,
    gated,
    governed,
    office,
)

NEXT = NOW + timedelta(days=1)
EVERY_FILE = [
    "art30.html",
    "art30_controller.csv",
    "art30_processor.csv",
    "dependencies.csv",
    "diff.csv",
    "findings.csv",
    "inventory.csv",
    "manifest.json",
    "reference_manifest.json",
    "report.html",
]


def rows(office: Office, run: Run, name: str) -> list[dict[str, str]]:  # noqa: F811
    return list(csv.DictReader(io.StringIO(office.file(run, name).decode())))


def test_a_run_and_the_next_and_its_sign_off(office: Office, object_settings: ObjectSettings) -> None:  # noqa: F811
    first, _ = office.whole()

    # Every file stands in the bucket once, is a row, and is what the manifest says.
    store, prefix = office.workspace.objects(), office.prefix(first)
    assert (
        sorted(k.removeprefix(prefix) for k in store.keys("imp-evidence", prefix) if "findings-" not in k) == EVERY_FILE
    )
    manifest = json.loads(office.file(first, "manifest.json"))
    kept = office.ask("SELECT name, sha256, object_key FROM gov.inventory_output ORDER BY name")
    assert [k.name for k in kept] == EVERY_FILE
    for row in kept:
        body = office.file(first, row.name)
        assert (hashlib.sha256(body).hexdigest(), row.object_key) == (row.sha256, prefix + row.name)
        assert row.name == "manifest.json" or manifest["files"][row.name] == {"sha256": row.sha256, "bytes": len(body)}
    # Published, they stay: the rows by a trigger, the run by itself.
    # Not even the owner changes them, nor what they rest on, nor the other way round takes the publication back.
    for change in (
        "UPDATE gov.inventory_output SET body = ''",
        "DELETE FROM gov.inventory_output",
        "UPDATE gov.inventory_snapshot SET published_at = NULL",
        "UPDATE gov.inventory_snapshot SET findings_sha256 = 'x'",
        "DELETE FROM gov.flow_verdict",
        "INSERT INTO gov.inventory_flow SELECT snapshot_id, 'k', 'p', 'n', NULL, 'i', NULL, true, false, '{}', 'd',"
        " 'd', '{}' FROM gov.inventory_snapshot",
        "INSERT INTO gov.inventory_output (snapshot_id, name, media_type, sha256, body)"
        " SELECT snapshot_id, 'n', 't', 's', '' FROM gov.inventory_snapshot",
    ):
        with pytest.raises(DatabaseFault), office.superuser.transaction() as connection:
            connection.execute(text(change))
    # The duty itself tried it: it took the publication back and changed what was out.
    with pytest.raises(DatabaseFault), office.workspace.database("inventory").transaction() as connection:
        connection.execute(text("UPDATE gov.inventory_snapshot SET published_at = NULL, object_prefix = NULL"))
    with pytest.raises(StoreRefused), office.workspace.database("inventory").transaction() as connection:
        connection.execute(text("UPDATE gov.inventory_output SET snapshot_id = snapshot_id"))
    with pytest.raises(UserError, match="published"):
        publish.write_outputs(office.workspace, first)
    assert rows(office, first, "diff.csv") == []
    assert b"first inventory" in office.file(first, "report.html")

    # Nobody has signed: the gate says so, and the lead is asked.
    assert "T-14" in warned(office, first)
    request = publish.sign_off_request(office.workspace, first)
    assert request is not None
    assert publish.record_sign_off(office.workspace, first) == {"signed": False}
    with office.workspace.database("inventory").transaction() as connection:
        approvals.record(
            connection, first.run_id, request, approver="7", approver_name="Lena", decision="approve", at=NOW
        )
    for _ in range(2):  # a second try finds its own record
        assert publish.record_sign_off(office.workspace, first) == {"signed": True}
    signed = json.loads(office.file(first, "sign_off.json"))
    assert (signed["person"], signed["good_until"]) == ("Lena", "2026-12-22")
    assert signed["manifest_sha256"] == hashlib.sha256(office.file(first, "manifest.json")).hexdigest()

    # The next day: a declared change is explained, a new bucket is not.
    office.write("registry/transfers.yaml", "    owner: web\n", "    owner: web\n    note: asked for by the web team\n")
    far = client(replace(object_settings, region="ap-southeast-1"))
    far.create_bucket(Bucket="imp-surprise", CreateBucketConfiguration={"LocationConstraint": "ap-southeast-1"})
    second, _ = office.whole(NEXT)
    changes = {c["place"]: c for c in rows(office, second, "diff.csv")}
    assert changes["bucket:imp-surprise"]["explanation"] == "unexplained"
    assert changes["processor:meridian_metrics"]["explanation"] == "registry changed: note"
    assert len(changes) == 2
    assert "T-13" in warned(office, second)
    assert "T-14" not in warned(office, second)
    report = office.file(second, "report.html").decode()
    assert "Lena" in report
    assert "1 unexplained" in report
    # Another inventory needs another sign-off; and what is printed is the law of the day.
    assert publish.sign_off_request(office.workspace, second) is not None
    findings = {f["asset"]: f for f in rows(office, second, "findings.csv")}
    assert findings["bucket:imp-surprise"]["due_on"] == "2026-11-23"
    assert findings["bucket:imp-analytics-scratch"]["first_seen"] == "2026-11-22"


class TestOneRun:
    def test_what_breaks_and_the_record_are_those_of_the_judged_flows(self, done: Done) -> None:  # noqa: F811
        office, run, _ = done  # noqa: F811

        london = [d for d in rows(office, run, "dependencies.csv") if d["ground"] == "EU-GB"]
        assert {(d["last_day"], d["verdict_without"], d["breaks"]) for d in london} == {
            ("2031-12-27", "UNCOVERED", "yes")
        }
        assert "bucket:imp-certificates" in {d["place"] for d in london}
        controller = {r["activity"]: r for r in rows(office, run, "art30_controller.csv")}
        campaigns = controller["campaigns"]
        assert campaigns["controller"] == "International Medical Press"
        assert "United States: Brightmail" in campaigns["third_country_transfers"]
        assert "until unsubscribed" in campaigns["time_limits_in_data_map"]
        assert "user.contact.email" in campaigns["categories_in_data_map"]
        assert controller["conferences"]["special_categories"] == "user.health"
        (processor,) = rows(office, run, "art30_processor.csv")
        assert "Society for Inherited Infections" in processor["on_behalf_of"]
        page = office.file(run, "art30.html").decode()
        assert "bucket:imp-analytics-scratch" in page  # nobody's activity, and it is said
        assert "Article 30(2)" in page

    def test_only_a_named_lead_signs_off(self, done: Done) -> None:  # noqa: F811
        office, run, _ = done  # noqa: F811
        named = replace(office.workspace, settings=replace(office.workspace.settings, privacy_leads=("9",)))
        request = publish.sign_off_request(named, run)
        assert request is not None
        for approver, signed in (("7", False), ("9", True)):
            with office.workspace.database("inventory").transaction() as connection:
                approvals.record(connection, run.run_id, request, approver=approver, decision="approve", at=NOW)
            assert publish.record_sign_off(named, run) == {"signed": signed}
        assert json.loads(office.file(run, "sign_off.json"))["role"] == "privacy lead"


def test_a_day_that_is_judged_again_stands_apart_and_says_so(office: Office) -> None:  # noqa: F811
    office.whole()
    day = datetime(2031, 12, 28, 5, tzinfo=UTC)
    run = office.open(NEXT, run_type="manual")
    office.look(run, judge_on=day.date())
    inventory.publish_findings(office.workspace, run)
    gated(office, run, now=NEXT)
    out = publish.publish(office.workspace, run, now=NEXT)

    assert out["prefix"].startswith("transfers/as_of/2031-12-28/")
    for name in ("report.html", "art30.html"):
        assert (
            "today&#39;s inventory" in office.file(run, name).decode() or "Not today" in office.file(run, name).decode()
        )
    ended = [c for c in rows(office, run, "diff.csv") if c["kind"] == "verdict_changed" and c["regime"] == "EU"]
    assert ended
    assert "the last good day of EU-GB was 2031-12-27" in {c["explanation"] for c in ended}
    assert publish.record_sign_off(office.workspace, run) == {"signed": False}


def test_outputs_that_stand_there_and_differ_are_not_overwritten(office: Office) -> None:  # noqa: F811
    run = office.open()
    office.look(run)
    gated(office, run, now=NOW)
    office.workspace.objects().put("imp-evidence", office.prefix(run) + "report.html", b"something else")

    with pytest.raises(StoreRefused, match="differs"):
        publish.publish(office.workspace, run, now=NOW)
    assert office.ask("SELECT published_at FROM gov.inventory_snapshot")[0].published_at is None


def test_a_judgement_made_again_voids_the_outputs(office: Office) -> None:  # noqa: F811
    run = office.open()
    office.look(run)
    publish.write_outputs(office.workspace, run)
    inventory.judge_all(office.workspace, run)

    with pytest.raises(UserError, match="no outputs"):
        publish.gate(office.workspace, run, now=NOW)


# --- what warns, alone -----------------------------------------------------------------------------------------


def warned(office: Office, run: Run) -> set[str]:  # noqa: F811
    """Warnings of the newest verdict of a run."""
    (found,) = office.ask(
        "SELECT checks FROM gov.gate_result WHERE run_id = :r ORDER BY gate_result_id DESC LIMIT 1", r=run.run_id
    )
    assert not [c["id"] for c in found.checks if not c["success"] and c["severity"] == "critical"]
    return {c["id"] for c in found.checks if not c["success"]}


_FLOW = "UPDATE gov.inventory_flow SET {} WHERE flow_key = :key RETURNING 1"
_VERDICT = "UPDATE gov.flow_verdict SET {} WHERE regime = 'UK' AND flow_key = :key RETURNING 1"
_PLACE = "place = 'processor:paylane', nature = 'PROCESSING', transfer_id = 'payments'"
# What spoils a quiet inventory for one check, and what mends it again.
SPOILS = {
    "T-02": (_FLOW.format("transfer_id = NULL, nature = 'STORAGE'"), _FLOW.format(_PLACE)),
    "T-04": (_VERDICT.format("verdict = 'UNCOVERED'"), _VERDICT.format("verdict = 'COVERED'")),
    "T-05": (_VERDICT.format("verdict = 'SCOPE_MISMATCH'"), _VERDICT.format("verdict = 'COVERED'")),
    "T-06": (_VERDICT.format("flags = ARRAY['assessment_overdue']"), _VERDICT.format("flags = '{}'")),
    "T-07": (_FLOW.format("transfer_id = NULL, nature = 'REMOTE_ACCESS'"), _FLOW.format(_PLACE)),
    "T-09": (_FLOW.format("transfer_id = NULL, place = 'replication:a>b'"), _FLOW.format(_PLACE)),
    "T-10": (
        'UPDATE gov.inventory_snapshot SET findings = \'[{"rule": "subprocessor_undeclared"}]\' RETURNING 1',
        "UPDATE gov.inventory_snapshot SET findings = '[]' RETURNING 1",
    ),
    "T-13": (
        "INSERT INTO gov.inventory_change SELECT snapshot_id, 1, 'flow_added', 'k', 'p', 'STORAGE', NULL, 'i', '',"
        " '', '', 'unexplained' FROM gov.inventory_snapshot RETURNING 1",
        "DELETE FROM gov.inventory_change RETURNING 1",
    ),
}


def test_each_check_warns_alone_and_blocks_nothing(office: Office) -> None:  # noqa: F811
    run = office.open()
    quiet(office, run)
    assert publish.gate(office.workspace, run, now=NOW)["verdict"] == "warn"
    assert warned(office, run) == {"T-14"}
    sign(office, NOW - timedelta(days=31))  # too old
    assert publish.gate(office.workspace, run, now=NOW)["verdict"] == "warn"
    assert warned(office, run) == {"T-14"}
    sign(office, NOW - timedelta(days=30))
    assert publish.gate(office.workspace, run, now=NOW)["verdict"] == "pass"

    (paylane,) = office.ask("SELECT flow_key FROM gov.inventory_flow WHERE place = 'processor:paylane'")
    for check, (spoil, mend) in SPOILS.items():
        said = {"key": paylane.flow_key} if ":key" in spoil else {}
        assert office.ask(spoil, **said)
        publish.gate(office.workspace, run, now=NOW)
        assert warned(office, run) == {check}
        assert office.ask(mend, **said)
    assert publish.gate(office.workspace, run, now=NOW)["verdict"] == "pass"

    # The GeoIP database blocks, alone, once it is older than thirty days.
    aged = "UPDATE gov.inventory_snapshot SET geoip = jsonb_build_object('built_on', CAST(:b AS text)) RETURNING 1"
    office.ask(aged, b="2026-10-23")
    assert publish.gate(office.workspace, run, now=NOW)["verdict"] == "pass"
    office.ask(aged, b="2026-10-22")
    with pytest.raises(GateBlocked):
        publish.gate(office.workspace, run, now=NOW)
    assert failed_checks(office, run) == ["T-03G"]


def sign(office: Office, at: datetime) -> None:  # noqa: F811
    """Somebody signed at this time, and at no other."""
    with office.superuser.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # signatures are only added to
        connection.execute(text("DELETE FROM gov.inventory_sign_off"))
        connection.execute(
            text(
                "INSERT INTO gov.inventory_sign_off SELECT snapshot_id, '', '7', '', '', :at"
                " FROM gov.inventory_snapshot"
            ),
            {"at": at},
        )


def quiet(office: Office, run: Run) -> None:  # noqa: F811
    """A written inventory in which nothing is wrong: what the sandbox plants and finds is taken out of it."""
    office.look(run)
    publish.write_outputs(office.workspace, run)
    office.ask(
        "UPDATE gov.flow_verdict SET verdict = 'COVERED', flags = '{}' WHERE verdict NOT IN ('COVERED',"
        " 'NOT_A_TRANSFER') OR flags <> '{}' RETURNING 1"
    )
    office.ask("UPDATE gov.inventory_flow SET transfer_id = 'x' WHERE transfer_id IS NULL RETURNING 1")
    office.ask("UPDATE gov.inventory_snapshot SET findings = '[]' RETURNING 1")
