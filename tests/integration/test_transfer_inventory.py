"""The inventory on a real database and a real S3 interface: planted flows, blindness, gates, findings over runs."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from privacy_ops import runs
from privacy_ops.datamap import grants, loader
from privacy_ops.errors import ConfigError, GateBlocked, StoreRefused, UserError
from privacy_ops.runs import Run
from privacy_ops.settings import DUTIES, ObjectSettings, Settings, home_directory
from privacy_ops.stores import migrations, roles
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.transfers import inventory
from privacy_ops.transfers.observers import ConnectionFact
from privacy_ops.transfers.publishing import publish
from privacy_ops.workspace import Workspace
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer
from sandbox.publisher import geoip
from sandbox.publisher.objects import client, create_buckets
from sandbox.publisher.schema import create_schema

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
PASSWORDS = {duty: f"long password of {duty}" for duty in DUTIES}
CONNECTIONS = (
    ConnectionFact("privacy_ops_inventory", "postgres", "127.0.0.1"),
    ConnectionFact("privacy_ops_objects", "aws", "http://127.0.0.1:5000"),
)
PLANTED = ("bucket:imp-analytics-scratch", "bucket:imp-backups-copy")


# A publisher in which everything that an observer reads is filled, and nothing is undeclared but the buckets.
QUIET = (
    "INSERT INTO gov.staff VALUES ('E1', 'employee', 'imp_staff', 'GB', NULL)",
    f"INSERT INTO gov.access_log (actor, at, ip, country) SELECT 'E1', CAST(:now AS timestamptz) + n * interval"
    f" '1 day', '{geoip.address('GB', 7)}', 'GB' FROM generate_series(-1, 40) AS n",
    "INSERT INTO gov.subprocessor_listing SELECT p, DATE '2026-11-01', '', '', '', 'annex' FROM"
    " unnest(ARRAY['aws_emea', 'brightmail', 'confluence_badges', 'lecternware', 'meridian_metrics', 'tindertree'])"
    " AS p",
)


@pytest.fixture(scope="module")
def governed(cluster: PostgresServer) -> Iterator[str]:
    """Superuser address of a database with gov and roles."""
    admin = create_engine(cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE transfers_publisher"))
    dsn = cluster.dsn("transfers_publisher")
    create_schema(dsn, first=NOW.date(), last=NOW.date())
    migrations.upgrade(dsn)
    roles.apply(dsn, PASSWORDS, closed_databases=())
    grants.apply(dsn, loader.load(home_directory() / "include" / "datamap" / "imp"))
    yield dsn
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE transfers_publisher WITH (FORCE)"))


Done = tuple["Office", Run, dict[str, Any]]


@dataclass
class Office:
    """A workspace whose registry and reference files a test may change, and a way to run the job's steps."""

    workspace: Workspace
    superuser: Database
    include: Path
    connections: tuple[ConnectionFact, ...] | None = CONNECTIONS
    number: int = field(default=0)

    def open(self, at: datetime = NOW, *, run_type: str = "scheduled", logical: datetime | None = None) -> Run:
        self.number += 1
        with self.workspace.database("inventory").transaction() as connection:
            return runs.open_run(
                connection,
                run_id=f"transfer_inventory_check/{run_type}__{self.number}",
                dag_id="transfer_inventory_check",
                now=at,
                run_type=run_type,
                dry_run=False,
                thresholds_sha256=self.workspace.thresholds.sha256(),
                map_sha256=self.workspace.map_sha256,
                logical_date=logical,
            )

    def look(self, run: Run, **said: Any) -> dict[str, Any]:
        seen = inventory.observe(self.workspace, run, self.connections, **said)
        inventory.judge_all(self.workspace, run)
        return seen

    def whole(self, at: datetime = NOW) -> tuple[Run, dict[str, Any]]:
        """Every step of a run; returns the run and what it changed in the findings."""
        run = self.open(at)
        self.look(run)
        changed = inventory.publish_findings(self.workspace, run)
        publish.write_outputs(self.workspace, run)
        publish.gate(self.workspace, run, now=at)
        publish.publish(self.workspace, run, now=at)
        return run, changed

    def find(self, at: datetime = NOW) -> dict[str, Any]:
        """A run as far as its findings; returns what it changed in them."""
        run = self.open(at)
        self.look(run)
        return inventory.publish_findings(self.workspace, run)

    def ask(self, sql: str, **said: Any) -> list[Any]:
        with self.superuser.transaction() as connection:
            return list(connection.execute(text(sql), said))

    def write(self, name: str, old: str, new: str) -> None:
        """Replace ``old`` in a file below include."""
        path = self.include / name
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new), encoding="utf-8")

    def prefix(self, run: Run) -> str:
        with self.workspace.database("inventory").transaction() as connection:
            return inventory.object_prefix(run, inventory.judged_snapshot(connection, run))

    def file(self, run: Run, name: str) -> bytes:
        return self.workspace.objects().get("imp-evidence", self.prefix(run) + name)


@pytest.fixture
def office(governed: str, object_settings: ObjectSettings, tmp_path: Path) -> Office:
    """An office of one test's own."""
    return opened(governed, object_settings, tmp_path)


@pytest.fixture(scope="class")
def done(governed: str, object_settings: ObjectSettings, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """One whole run, for all tests of a class that only look at what it left."""
    office = opened(governed, object_settings, tmp_path_factory.mktemp("office"))
    return office, *office.whole()


def opened(governed: str, object_settings: ObjectSettings, tmp_path: Path) -> Office:
    """What runs before left is taken back: rows, buckets, files."""
    from tests.conftest import _reset

    _reset(object_settings)
    create_buckets(object_settings)
    include = tmp_path / "include"
    real = home_directory() / "include"
    for name in ("reference", "registry", "datamap"):
        shutil.copytree(real / name, include / name)
    shutil.copy(real / "thresholds.yaml", include / "thresholds.yaml")
    url = make_url(governed)
    settings = Settings(
        home=tmp_path,
        dsns={
            d: url.set(username=f"privacy_{d}", password=PASSWORDS[d]).render_as_string(hide_password=False)
            for d in DUTIES
        },
        objects=object_settings,
        geoip=geoip.write(tmp_path / "geoip.mmdb", NOW),
    )
    superuser = Database(governed)
    with superuser.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM gov.registry_entry"))
        connection.execute(text("DELETE FROM gov.finding_waiver"))
        connection.execute(
            text(
                "TRUNCATE gov.run, gov.inventory_output, gov.inventory_change, gov.inventory_sign_off,"
                " gov.inventory_snapshot, gov.inventory_flow, gov.flow_verdict, gov.finding,"
                " gov.finding_change, gov.blocked_destination, gov.reference_review, gov.processor, gov.transfer,"
                " gov.transfer_mechanism, gov.staff, gov.access_log, gov.subprocessor_listing, gov.access_by_country,"
                " gov.block_list_renewal, events.exhibitor, events.conference CASCADE"
            )
        )
        connection.execute(text("SET LOCAL session_replication_role = origin"))
        for sql in QUIET:
            connection.execute(text(sql), {"now": NOW})
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM gov.gate_result"))
        connection.execute(text("DELETE FROM gov.approval"))
    return Office(Workspace.load(settings), superuser, include)


def gated(office: Office, run: Run, *, now: datetime) -> dict[str, Any]:
    """Write the outputs of a judged run, and judge them."""
    publish.write_outputs(office.workspace, run)
    return publish.gate(office.workspace, run, now=now)


def failed_checks(office: Office, run: Run) -> list[str]:
    rows = office.ask(
        "SELECT checks FROM gov.gate_result WHERE run_id = :r ORDER BY gate_result_id DESC LIMIT 1", r=run.run_id
    )
    return [c["id"] for c in rows[0].checks if not c["success"] and c["severity"] == "critical"]


# --- the whole -------------------------------------------------------------------------------------------------


class TestOneRun:
    def test_planted_flows_are_found_and_blocked_and_nothing_else_is_undeclared(self, done: Done) -> None:
        office, run, changed = done

        facts = inventory.summary(office.workspace, run)
        assert facts["undeclared_destinations"] == list(PLANTED)
        assert changed["blocked_destinations"] == len(PLANTED)
        blocked = office.ask(
            "SELECT DISTINCT destination FROM gov.blocked_destination WHERE lifted_at IS NULL ORDER BY 1"
        )
        assert [b.destination for b in blocked] == list(PLANTED)
        assets = office.ask("SELECT asset FROM gov.finding WHERE severity = 'CRITICAL' ORDER BY asset")
        assert [a.asset for a in assets] == [*PLANTED, "replication:imp-backups>imp-backups-copy"]

    def test_every_flow_has_two_verdicts_with_reasons(self, done: Done) -> None:
        office, run, _ = done

        facts = inventory.summary(office.workspace, run)
        assert sum(facts["verdicts"]["UK"].values()) == sum(facts["verdicts"]["EU"].values()) == facts["flows"] > 20
        assert not facts["verdicts"]["UK"].get("UNRESOLVED")
        assert office.ask("SELECT count(*) AS n FROM gov.flow_verdict WHERE reasons = '[]'")[0].n == 0

    def test_files_are_what_the_manifest_says_and_stay(self, done: Done) -> None:
        import hashlib

        office, run, _ = done
        manifest = json.loads(office.file(run, "manifest.json"))

        for name, said in manifest["files"].items():
            assert hashlib.sha256(office.file(run, name)).hexdigest() == said["sha256"]
        rows = list(csv.DictReader(io.StringIO(office.file(run, "inventory.csv").decode())))
        scratch = next(r for r in rows if r["place"] == "bucket:imp-analytics-scratch")
        assert (scratch["country"], scratch["uk_verdict"], scratch["eu_verdict"]) == ("IN", "UNCOVERED", "UNCOVERED")
        assert publish.publish(office.workspace, run, now=NOW)["prefix"]  # a retry finds its own bytes
        with pytest.raises(UserError, match="published"):
            inventory.observe(office.workspace, run, CONNECTIONS)

    def test_a_bucket_without_location_constraint_is_in_virginia(self, done: Done) -> None:
        office, _, _ = done
        flows = office.ask("SELECT country, detail FROM gov.inventory_flow WHERE place = 'bucket:imp-esp-exports'")

        assert [(f.country, f.detail) for f in flows] == [("US", "us-east-1")]

    @pytest.mark.parametrize("duty", ["erase", "export"])
    def test_the_other_jobs_can_ask_the_block_list_and_change_nothing(self, done: Done, duty: str) -> None:
        office, _, _ = done
        other = office.workspace.database(duty)
        with other.transaction() as connection:
            asked = connection.execute(text("SELECT destination FROM gov.blocked_destination WHERE lifted_at IS NULL"))
            assert set(PLANTED) <= {row.destination for row in asked}
        for refused in (
            "UPDATE gov.blocked_destination SET lifted_at = now()",
            "DELETE FROM gov.blocked_destination",
            "SELECT * FROM gov.finding",
            "INSERT INTO gov.reference_review (reviewed_at, reviewer, reference_sha256) VALUES (now(), 'x', 'x')",
        ):
            with pytest.raises(StoreRefused), other.transaction() as connection:
                connection.execute(text(refused))

    def test_the_inventory_cannot_delete_findings_or_reviews(self, done: Done) -> None:
        office, _, _ = done
        for table in ("gov.finding", "gov.blocked_destination", "gov.reference_review", "gov.inventory_snapshot"):
            with (
                pytest.raises(StoreRefused),
                office.workspace.database("inventory").transaction() as connection,
            ):
                connection.execute(text(f"DELETE FROM {table}"))


# --- findings over time ----------------------------------------------------------------------------------------


def test_findings_open_stay_close_and_come_back_under_one_name(office: Office) -> None:
    def scratch() -> Any:
        (row,) = office.ask("SELECT * FROM gov.finding WHERE asset = 'bucket:imp-analytics-scratch'")
        return row

    run, first = office.whole()
    new = scratch()
    next_run, same = office.whole(NOW + timedelta(hours=1))
    office.workspace.objects().client.delete_bucket(Bucket="imp-analytics-scratch")
    second = office.find(NOW + timedelta(days=1))
    closed = scratch()
    create_buckets(office.workspace.settings.objects)
    third = office.find(NOW + timedelta(days=2))
    again = scratch()

    assert first["new"] > 0
    assert (new.status, new.first_seen) == ("open", NOW)
    # The same world gives the same inventory.
    for name in ("inventory.csv", "findings.csv"):
        assert office.file(run, name) == office.file(next_run, name)
    assert same == {**same, "new": 0, "reopened": 0, "changed": 0, "closed": 0}
    assert (second["closed"], closed.status, closed.closed_at) == (1, "closed", NOW + timedelta(days=1))
    assert second["blocked_destinations"] == 1
    assert (third["reopened"], again.status, again.fingerprint) == (1, "open", new.fingerprint)
    assert third["blocked_destinations"] == 2
    assert again.first_seen == NOW


def test_blindness_closes_no_finding(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.find()

    def refuse(_self: ObjectStore) -> list[str]:
        raise StoreRefused("the object store refused (AccessDenied)", where="bucket (all)")

    monkeypatch.setattr(ObjectStore, "buckets", refuse)
    run = office.open(NOW + timedelta(days=1))
    office.look(run)
    changed = inventory.publish_findings(office.workspace, run)

    assert changed["closed"] == 0
    assert changed["blocked_destinations"] == len(PLANTED)


def test_a_run_that_looked_earlier_changes_nothing(office: Office) -> None:
    early = office.open(NOW - timedelta(hours=1))
    office.look(early)
    office.find()
    before = office.ask("SELECT * FROM gov.finding ORDER BY fingerprint")

    assert inventory.publish_findings(office.workspace, early)["superseded"] is True
    assert office.ask("SELECT * FROM gov.finding ORDER BY fingerprint") == before


def test_an_undeclared_flow_that_gets_declared_is_no_longer_blocked(office: Office) -> None:
    office.find()
    office.write(
        "registry/transfers.yaml",
        "  platform_support:\n",
        "  scratch:\n    importer: sahyadri\n    purposes: [improve_services]\n    owner: web\n"
        "    mechanisms: [scc-sahyadri, idta-sahyadri]\n    flows:\n"
        "      - {country: IN, nature: STORAGE, places: [bucket:imp-analytics-scratch]}\n  platform_support:\n",
    )
    changed = office.find(NOW + timedelta(days=1))

    assert changed["blocked_destinations"] == 1


# --- as of another day -----------------------------------------------------------------------------------------


def test_a_backfill_judges_with_the_law_of_its_day_and_touches_nothing_of_today(office: Office) -> None:
    office.find()
    tables = ("gov.finding", "gov.finding_change", "gov.blocked_destination")
    before = [office.ask(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables]

    day = datetime(2025, 6, 1, 5, 0, tzinfo=UTC)
    run = office.open(NOW + timedelta(hours=1), run_type="backfill", logical=day)
    seen = office.look(run)
    inventory.publish_findings(office.workspace, run)
    gated(office, run, now=NOW + timedelta(hours=1))
    out = publish.publish(office.workspace, run, now=NOW + timedelta(hours=1))

    assert (seen["basis"], seen["judged_on"]) == ("declared_now", "2025-06-01")
    brazil = office.ask(
        "SELECT v.verdict FROM gov.flow_verdict AS v JOIN gov.inventory_flow AS f USING (snapshot_id, flow_key)"
        " WHERE v.snapshot_id = :s AND f.country = 'BR' AND regime = 'EU'",
        s=seen["snapshot_id"],
    )
    assert [b.verdict for b in brazil] != ["COVERED"]
    assert [office.ask(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables] == before
    assert out["prefix"].startswith("transfers/as_of/2025-06-01/")
    assert publish.sign_off_request(office.workspace, run) is None


def test_the_day_after_the_sunset_all_london_flows_are_uncovered_for_the_eu(office: Office) -> None:
    run = office.open(run_type="manual")
    office.look(run, judge_on=date(2031, 12, 28))
    rows = office.ask(
        "SELECT DISTINCT v.verdict FROM gov.flow_verdict AS v JOIN gov.inventory_flow AS f"
        " USING (snapshot_id, flow_key) WHERE f.importer = 'aws_emea'"
        " AND f.country = 'GB' AND f.personal AND v.regime = 'EU'"
    )

    assert [r.verdict for r in rows] == ["UNCOVERED"]


# --- the gate: each check blocks alone -------------------------------------------------------------------------


def blocked_by(office: Office, run: Run, *, at: datetime = NOW) -> list[str]:
    with pytest.raises(GateBlocked):
        gated(office, run, now=at)
    with pytest.raises(GateBlocked):
        publish.publish(office.workspace, run, now=at)
    return failed_checks(office, run)


def test_an_observer_that_cannot_look_blocks(office: Office) -> None:
    office.connections = None
    run = office.open()
    seen = office.look(run)

    assert seen["blind"] == ["connections", "addresses"]
    assert blocked_by(office, run) == ["T-BLIND"]
    assert inventory.publish_findings(office.workspace, run)["new"] > 0  # findings are out all the same


def test_an_empty_listing_is_blindness(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ObjectStore, "buckets", lambda _self: [])
    run = office.open()

    assert office.look(run)["blind"] == ["buckets"]
    assert blocked_by(office, run) == ["T-BLIND"]


def test_a_flow_judged_under_one_regime_and_nothing_observed_block_each_alone(office: Office) -> None:
    run = office.open()
    office.look(run)
    office.ask(
        "DELETE FROM gov.flow_verdict WHERE regime = 'UK' AND flow_key ="
        " (SELECT min(flow_key) FROM gov.inventory_flow) RETURNING 1"
    )
    assert blocked_by(office, run) == ["T-08"]

    inventory.judge_all(office.workspace, run)
    office.ask("UPDATE gov.inventory_flow SET seen_by = ARRAY['registry'] RETURNING 1")  # nobody but the declarations
    assert blocked_by(office, run) == ["T-SEEN"]


def test_a_store_without_country_blocks(office: Office, object_settings: ObjectSettings) -> None:
    for number in range(60):  # so that one unresolved flow stays below the share
        office.write(
            "registry/transfers.yaml",
            "  editor_abroad:\n",
            f"  shop_{number}:\n    importer: paylane\n    purposes: [fulfil_orders]\n    owner: finance\n"
            f"    flows:\n      - {{country: IE, nature: STORAGE, places: [database:shop-{number}]}}\n"
            "  editor_abroad:\n",
        )
    text_of = (office.include / "reference" / "cloud_regions.csv").read_text(encoding="utf-8")
    row = next(line for line in text_of.splitlines(keepends=True) if line.startswith("aws,il-central-1,"))
    office.write("reference/cloud_regions.csv", row, "")
    client(replace(object_settings, region="il-central-1")).create_bucket(
        Bucket="imp-far", CreateBucketConfiguration={"LocationConstraint": "il-central-1"}
    )
    run = office.open()
    office.look(run)

    assert blocked_by(office, run) == ["T-01"]


def test_stale_reference_data_block_and_a_recorded_review_opens(office: Office) -> None:
    late = NOW + timedelta(days=8)
    with office.workspace.database("inventory").transaction() as connection:  # of other tables: it does not count
        inventory.record_review(connection, reviewer="lena", reviewed_at=late, reference_sha256="0" * 64)
    run = office.open(late)
    office.look(run)
    assert blocked_by(office, run, at=late) == ["T-03"]

    tables = inventory.load_reference(office.include)
    with office.workspace.database("inventory").transaction() as connection:
        inventory.record_review(
            connection, reviewer="lena", reviewed_at=late - timedelta(days=1), reference_sha256=tables.sha256
        )
    again = office.open(late)
    office.look(again)
    assert gated(office, again, now=late)["verdict"] in {"pass", "warn"}


def test_reference_data_are_good_on_the_seventh_day(office: Office) -> None:
    run = office.open(NOW + timedelta(days=7))
    office.look(run)

    assert gated(office, run, now=NOW + timedelta(days=7))["verdict"] == "warn"


def test_unknown_hosts_above_the_share_block(office: Office) -> None:
    office.connections = (*CONNECTIONS, ConnectionFact("vendor", "http", "ftp.somewhere.example.net"))
    run = office.open()
    office.look(run)

    assert blocked_by(office, run) == ["T-11"]


def test_one_unresolved_flow_of_special_data_blocks(office: Office) -> None:
    for number in range(60):
        office.write(
            "registry/transfers.yaml",
            "  editor_abroad:\n",
            f"  shop_{number}:\n    importer: paylane\n    purposes: [fulfil_orders]\n    owner: finance\n"
            f"    flows:\n      - {{country: IE, nature: STORAGE, places: [database:shop-{number}]}}\n"
            "  editor_abroad:\n",
        )
    office.write("registry/processors.yaml", "    subject_to: {PIPEDA: true}\n", "")
    office.write(
        "registry/transfers.yaml", "    owner: learning\n", "    owner: learning\n    special_category: true\n"
    )
    office.write("registry/transfers.yaml", "      - {country: CA, nature: SUPPORT}\n", "")
    run = office.open()
    office.look(run)

    assert blocked_by(office, run) == ["T-11S"]


SECRET = "hunter2-Xq9"


def test_a_secret_in_an_output_blocks_and_is_not_in_the_findings(office: Office) -> None:
    office.write(
        "registry/transfers.yaml",
        "    owner: finance\n",
        f'    owner: "ask sftp://finance:{SECRET}@files.example.org"\n',
    )
    run = office.open()
    office.look(run)

    assert blocked_by(office, run) == ["T-12"]
    inventory.publish_findings(office.workspace, run)
    store = office.workspace.objects()
    for key in store.keys("imp-evidence"):
        assert SECRET.encode() not in store.get("imp-evidence", key)
    assert SECRET not in str(office.ask("SELECT * FROM gov.finding"))
    assert SECRET not in str(office.ask("SELECT * FROM gov.gate_result"))


def test_a_password_typed_into_a_connections_host_reaches_no_output(office: Office) -> None:
    office.connections = (
        *CONNECTIONS,
        ConnectionFact("planted", "http", f"https://user:{SECRET}@api.paylane.example.org/x"),
    )
    run, _ = office.whole()

    (flow,) = office.ask("SELECT * FROM gov.inventory_flow WHERE place = 'connection:planted'")
    assert (flow.country, flow.importer, flow.detail) == ("IE", "paylane", "api.paylane.example.org")
    everything = [office.file(run, n) for n in ("inventory.csv", "findings.csv", "manifest.json")]
    everything += [str(office.ask(f"SELECT * FROM gov.{t}")).encode() for t in ("inventory_flow", "inventory_snapshot")]
    assert not any(SECRET.encode() in part for part in everything)


def test_a_password_that_the_job_knows_blocks_wherever_it_stands(office: Office) -> None:
    office.write("registry/transfers.yaml", "    owner: finance\n", f'    owner: "{PASSWORDS["inventory"]}"\n')
    run = office.open()
    office.look(run)

    assert blocked_by(office, run) == ["T-12"]


def test_an_undeclared_replication_only_warns(office: Office) -> None:
    run = office.open()
    office.look(run)

    assert gated(office, run, now=NOW)["verdict"] == "warn"


def test_what_changed_after_the_gate_is_not_published(office: Office) -> None:
    run = office.open()
    office.look(run)
    gated(office, run, now=NOW)
    office.ask("UPDATE gov.inventory_output SET body = body || '\\x20' WHERE name = 'inventory.csv' RETURNING 1")

    with pytest.raises(GateBlocked, match="something else"):
        publish.publish(office.workspace, run, now=NOW)
    assert not [k for k in office.workspace.objects().keys("imp-evidence") if k.endswith("inventory.csv")]


# --- sign-off --------------------------------------------------------------------------------------------------


def test_a_sign_off_is_asked_once_in_thirty_days_for_the_same_inventory(office: Office) -> None:
    from privacy_ops import approvals

    # An entry of the list that ages meanwhile would make it another inventory.
    office.write("registry/processors.yaml", "checked_on: 2026-11-20", "checked_on: 2026-12-20")
    run = office.open()
    office.look(run)
    request = publish.sign_off_request(office.workspace, run)
    assert request is not None
    assert request.what == "sign_off"
    with office.workspace.database("inventory").transaction() as connection:
        approvals.record(connection, run.run_id, request, approver="lena", decision="approve", at=NOW)
    tables = inventory.load_reference(office.include)

    def asked(days: int) -> bool:
        at = NOW + timedelta(days=days)
        with office.workspace.database("inventory").transaction() as connection:
            inventory.record_review(connection, reviewer="lena", reviewed_at=at, reference_sha256=tables.sha256)
        geoip.write(office.include.parent / "geoip.mmdb", at)
        later = office.open(at)
        office.look(later)
        return publish.sign_off_request(office.workspace, later) is not None

    assert not asked(1)
    assert not asked(30)
    assert asked(31)


def test_a_rejection_is_no_sign_off(office: Office) -> None:
    from privacy_ops import approvals

    run = office.open()
    office.look(run)
    request = publish.sign_off_request(office.workspace, run)
    assert request is not None
    with office.workspace.database("inventory").transaction() as connection:
        approvals.record(connection, run.run_id, request, approver="lena", decision="reject", at=NOW)
    later = office.open(NOW + timedelta(days=1))
    office.look(later)

    assert publish.sign_off_request(office.workspace, later) is not None


# --- duties ----------------------------------------------------------------------------------------------------


# --- bad input -------------------------------------------------------------------------------------------------


def test_a_registry_that_names_an_unknown_processor_says_so(office: Office) -> None:
    office.write("registry/transfers.yaml", "importer: paylane", "importer: payline")

    with pytest.raises(ConfigError, match=r"transfers\.payments\.importer: no processor payline"):
        office.look(office.open())


def test_a_registry_changed_between_looking_and_judging_is_refused(office: Office) -> None:
    run = office.open()
    inventory.observe(office.workspace, run, CONNECTIONS)
    office.write("registry/transfers.yaml", "owner: finance", "owner: treasury")

    with pytest.raises(UserError, match="changed after"):
        inventory.judge_all(office.workspace, run)


def test_the_steps_need_the_ones_before(office: Office) -> None:
    run = office.open()
    with pytest.raises(UserError, match="no inventory"):
        inventory.judge_all(office.workspace, run)
    inventory.observe(office.workspace, run, CONNECTIONS)
    with pytest.raises(UserError, match="judged nothing"):
        gated(office, run, now=NOW)


def test_the_registry_is_in_the_database_and_what_it_drops_is_marked(office: Office) -> None:
    office.look(office.open())
    office.write(
        "registry/transfers.yaml", "  helpdesk:\n    importer: tindertree\n", "  desk:\n    importer: tindertree\n"
    )
    office.look(office.open(NOW + timedelta(days=1)))

    rows = office.ask("SELECT transfer_id, withdrawn FROM gov.transfer WHERE importer = 'tindertree' ORDER BY 1")
    assert [(r.transfer_id, r.withdrawn) for r in rows] == [("desk", False), ("helpdesk", True)]


def test_an_object_store_that_is_away_is_blindness_not_emptiness(office: Office) -> None:
    away = replace(office.workspace.settings.objects, endpoint_url="http://127.0.0.1:9")
    run = office.open()
    blind = replace(office.workspace, settings=replace(office.workspace.settings, objects=away))

    assert "buckets" in inventory.observe(blind, run, CONNECTIONS)["blind"]
