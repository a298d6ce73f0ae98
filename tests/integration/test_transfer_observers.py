"""Planted flows of every kind, found through the real stores and a real server, and nothing else called undeclared."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from privacy_ops import runs
from privacy_ops.airflow_support.connections import fact
from privacy_ops.errors import PrivacyOpsError
from privacy_ops.runs import Run
from privacy_ops.settings import DUTIES, KeyRing, ObjectSettings, Settings, home_directory
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.transfers import inventory
from privacy_ops.transfers.observers import ConnectionFact
from privacy_ops.transfers.publishing import publish
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from sandbox import provision
from sandbox.postgres import PostgresServer
from sandbox.publisher import flows, geoip, truth
from sandbox.publisher.objects import create_buckets

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
# `make proof` asks for more.
SEEDS = tuple(int(seed) for seed in os.environ.get("PRIVACY_OPS_TEST_SEEDS", "11").split(","))


@dataclass
class World:
    """An empty publisher with everything of one seed planted."""

    workspace: Workspace
    dsn: str
    truth_dsn: str
    connections: tuple[ConnectionFact, ...]
    planted: flows.Flows
    number: int = 0

    def open(self, at: datetime = NOW) -> Run:
        self.number += 1
        with self.workspace.database("inventory").transaction() as connection:
            return runs.open_run(
                connection, run_id=f"transfer_inventory_check/scheduled__{self.number}",
                dag_id="transfer_inventory_check", now=at, run_type="scheduled", dry_run=False,
                thresholds_sha256="t", map_sha256=self.workspace.map_sha256,
            )  # fmt: skip

    def look(self, at: datetime = NOW) -> tuple[Run, dict[str, Any]]:
        run = self.open(at)
        seen = inventory.observe(self.workspace, run, self.connections)
        inventory.judge_all(self.workspace, run)
        inventory.publish_findings(self.workspace, run)
        return run, seen

    def ask(self, sql: str, **said: Any) -> list[Any]:
        with Database(self.dsn).transaction() as connection:
            return list(connection.execute(text(sql), said))

    def alarms(self) -> dict[str, str]:
        """Asset → severity of every open finding that calls something undeclared."""
        rows = self.ask(
            "SELECT asset, severity FROM gov.finding WHERE status = 'open' AND rule = ANY(:rules)",
            rules=list(flows.FOUND_BY),
        )
        return {row.asset: row.severity for row in rows}


def planted_world(
    cluster: PostgresServer, object_settings: ObjectSettings, folder: Path, seed: int
) -> tuple[World, list[str]]:
    """A world of this seed and the names of its databases; the caller uproots and drops them."""
    names = [f"flows_{secrets.token_hex(4)}", f"flows_truth_{secrets.token_hex(4)}"]
    for name in names:
        provision.create_database(cluster, name)
    passwords = {duty: secrets.token_hex(8) for duty in DUTIES}
    provision.create_publisher(cluster, names[0], passwords)
    truth.create_truth(cluster.dsn(names[1]))
    create_buckets(object_settings)
    flows.plant(cluster.dsn(names[0]), cluster.dsn(names[1]), object_settings, seed=seed, now=NOW)
    settings = Settings(
        home=home_directory(),
        dsns={duty: cluster.dsn(names[0], f"privacy_{duty}", passwords[duty]) for duty in DUTIES},
        objects=object_settings,
        keys=KeyRing(),
        geoip=geoip.write(folder / "geoip.mmdb", NOW - timedelta(days=3)),
    )
    connections = tuple(
        fact(name, one["conn_type"], one.get("host"), one.get("extra", {}))
        for name, one in flows.Flows.of(seed).connections().items()
    )
    return World(
        Workspace.load(settings), cluster.dsn(names[0]), cluster.dsn(names[1]), connections, flows.Flows.of(seed)
    ), names


@pytest.fixture(scope="module", params=SEEDS)
def world(
    cluster: PostgresServer,
    object_settings: ObjectSettings,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[World]:
    from tests.conftest import _reset

    _reset(object_settings)
    made, names = planted_world(cluster, object_settings, tmp_path_factory.mktemp("geoip"), request.param)
    yield made
    flows.uproot(made.dsn)
    for name in names:
        provision.drop_database(cluster, name)


@pytest.fixture(scope="module")
def looked(world: World) -> tuple[Run, dict[str, Any]]:
    """A run with everything that it puts out, and what its first task returns."""
    run, seen = world.look()
    publish.write_outputs(world.workspace, run)
    publish.gate(world.workspace, run, now=NOW)
    publish.publish(world.workspace, run, now=NOW)
    return run, seen


def test_every_planted_flow_is_found_and_no_declared_one_is_called_undeclared(
    world: World, looked: tuple[Run, dict[str, Any]]
) -> None:
    with Database(world.truth_dsn).transaction() as connection:
        planted = list(connection.execute(text("SELECT place, kind, declared FROM truth.planted_flow")))
    hidden = {row.place for row in planted if not row.declared}
    kinds = {row.kind for row in planted if not row.declared}

    assert looked[1]["blind"] == []
    assert len(kinds) == 11
    assert set(world.alarms()) == hidden
    assert sum(row.declared for row in planted) == 9


def test_the_inventory_can_be_trusted_all_the_same(world: World, looked: tuple[Run, dict[str, Any]]) -> None:
    (row,) = world.ask("SELECT verdict FROM gov.gate_result")

    assert row.verdict in {"pass", "warn"}


def test_what_geoip_alone_says_is_at_most_medium_and_two_sources_are_high(
    world: World, looked: tuple[Run, dict[str, Any]]
) -> None:
    alarms = world.alarms()

    assert alarms["connection:legacy_sftp"] == "MEDIUM"
    assert alarms["processor:sahyadri"] == "HIGH"
    assert alarms["foreign_server:crm_mirror"] == "CRITICAL"


def test_an_employee_abroad_is_to_be_known_and_no_alarm(world: World, looked: tuple[Run, dict[str, Any]]) -> None:
    rows = world.ask("SELECT severity, title FROM gov.finding WHERE rule = 'employee_abroad'")

    assert {row.severity for row in rows} == {"INFO"}
    assert any("from FR" in row.title for row in rows)


def test_accesses_are_counted_by_country_and_nobody_stands_in_them(
    world: World, looked: tuple[Run, dict[str, Any]]
) -> None:
    rows = world.ask("SELECT * FROM gov.access_by_country WHERE source = 'geoip' ORDER BY employer, country")
    counted = {(row.employer, row.country): row.n for row in rows}

    assert counted["sahyadri", world.planted.contractor] == 20
    assert counted["imp_staff", ""] == 20  # through a tunnel
    assert sum(counted.values()) == world.ask("SELECT count(*) AS n FROM gov.access_log")[0].n
    outputs = (
        str(rows) + str(world.ask("SELECT * FROM gov.inventory_flow")) + str(world.ask("SELECT * FROM gov.finding"))
    )
    outputs += str(world.ask("SELECT observers FROM gov.inventory_snapshot"))
    for row in world.ask("SELECT DISTINCT actor, host(ip) AS ip FROM gov.access_log"):
        assert row.ip not in outputs
        assert f"'{row.actor}'" not in outputs


def test_destinations_of_critical_findings_are_blocked(world: World, looked: tuple[Run, dict[str, Any]]) -> None:
    rows = world.ask("SELECT destination FROM gov.blocked_destination WHERE lifted_at IS NULL")
    blocked = {row.destination for row in rows}
    planted = world.planted

    assert {"processor:exhibitor:9", f"bucket:{planted.grant[0]}", f"bucket:{planted.bucket[0]}"} <= blocked
    assert "connection:legacy_sftp" not in blocked
    assert not any(place in blocked for place in ("processor:sahyadri", "processor:exhibitor:3"))
    assert world.ask("SELECT count(*) AS n FROM gov.block_list_renewal")[0].n >= 1


def test_the_same_world_gives_the_same_inventory_on_another_day(
    world: World, looked: tuple[Run, dict[str, Any]]
) -> None:
    world.look(NOW + timedelta(hours=1))
    hashes = world.ask("SELECT DISTINCT inventory_sha256 FROM gov.inventory_snapshot")

    assert len(hashes) == 1


def outputs(world: World) -> dict[str, str]:
    """Every file in the evidence bucket, every table of gov but the log of accesses and the people list."""
    store = ObjectStore(world.workspace.settings.objects)
    found = {key: store.get("imp-evidence", key).decode("utf-8", "replace") for key in store.keys("imp-evidence")}
    tables = world.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'gov'")
    for table in {row.tablename for row in tables} - {"access_log", "staff"}:
        found[table] = "\n".join(row[0] for row in world.ask(f"SELECT t::text FROM gov.{table} AS t"))
    return found


def test_no_secret_and_nobody_is_in_anything_that_was_kept_returned_or_logged(
    world: World,
    looked: tuple[Run, dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    _, returned = world.look(NOW + timedelta(hours=2))
    kept = outputs(world)
    kept["returned"] = str(returned) + str(looked[1]) + repr(world.connections)
    kept["logged"] = caplog.text + "".join(capfd.readouterr())

    assert any(name.endswith("inventory.csv") and "crm_mirror" in text for name, text in kept.items())
    assert len(kept) > 30
    assert {name for name, text in kept.items() if flows.SECRET in text} == set()
    addresses = {row.ip for row in world.ask("SELECT DISTINCT host(ip) AS ip FROM gov.access_log")}
    assert len(addresses) > 100
    assert {name for name, text in kept.items() if any(f"{ip}," in f"{text}," for ip in addresses)} == set()


def test_the_secret_is_where_it_was_planted(world: World) -> None:
    """What the test above looks for is really there to be found."""
    store = ObjectStore(world.workspace.settings.objects)

    assert flows.SECRET in (store.sharing("imp-esp-exports").policy or "")
    assert flows.SECRET in str(world.ask("SELECT subconninfo FROM pg_subscription"))
    assert flows.SECRET in str(world.ask("SELECT umoptions FROM pg_user_mapping"))
    assert flows.SECRET in str(world.planted.connections())


def test_the_inventorys_role_cannot_read_the_secrets_itself(world: World) -> None:
    for sql in ("SELECT subconninfo FROM pg_subscription", "SELECT umoptions FROM pg_user_mapping"):
        with (
            pytest.raises(PrivacyOpsError),
            world.workspace.database("inventory").transaction() as connection,
        ):
            connection.execute(text(sql))


def test_a_password_with_a_question_mark_is_no_host(world: World) -> None:
    """libpq reads up to the @; a part of the password that passed for a name would also look like our own network."""
    with Database(world.dsn).transaction() as connection:
        connection.execute(
            text(
                f"CREATE SUBSCRIPTION odd CONNECTION 'postgresql://r:1?{flows.SECRET}@198.51.100.7:5432/x'"
                " PUBLICATION p WITH (connect = false, enabled = false, slot_name = NONE)"
            )
        )
    try:
        with world.workspace.database("inventory").transaction(read_only=True) as connection:
            links = {row.name: row.host for row in connection.execute(text("SELECT * FROM gov.data_links()"))}
    finally:
        with Database(world.dsn).transaction() as connection:
            connection.execute(text("DROP SUBSCRIPTION odd"))
    assert links["odd"] == "198.51.100.7:5432"
    assert links["beside_us"] == "127.0.0.1:5432"


def test_an_access_point_with_a_policy_of_its_own_is_seen(world: World, looked: tuple[Run, dict[str, Any]]) -> None:
    store = ObjectStore(world.workspace.settings.objects)
    account = store.account()
    client = store._side_client("s3control", "eu-west-2", account)
    client.create_access_point(AccountId=account, Name="partner", Bucket="imp-certificates")
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "s3:GetObject"}]}
    client.put_access_point_policy(AccountId=account, Name="partner", Policy=json.dumps(policy))
    try:
        world.look(NOW + timedelta(hours=3))
        assert world.alarms()["grant:imp-certificates>444455556666"] == "CRITICAL"
    finally:
        client.delete_access_point(AccountId=account, Name="partner")
    world.look(NOW + timedelta(hours=4))
    assert "grant:imp-certificates>444455556666" not in world.alarms()  # and the block is lifted with it
    lifted = world.ask("SELECT lifted_at FROM gov.blocked_destination WHERE destination = 'bucket:imp-certificates'")
    assert [row.lifted_at for row in lifted] == [NOW + timedelta(hours=4)]


def test_a_blind_observer_lets_the_block_list_age_but_a_blind_estimate_does_not(world: World) -> None:
    def renewals() -> int:
        return int(world.ask("SELECT count(*) AS n FROM gov.block_list_renewal")[0].n)

    at, listed, settings = NOW + timedelta(hours=5), world.connections, world.workspace.settings
    before = renewals()
    world.connections = None  # type: ignore[assignment]
    _, seen = world.look(at)
    assert ("connections" in seen["blind"], renewals()) == (True, before)
    world.connections = listed
    world.workspace = replace(world.workspace, settings=replace(settings, geoip=None))
    _, seen = world.look(at + timedelta(hours=1))
    assert (seen["blind"], renewals()) == (["addresses", "access_geoip"], before + 1)
    world.workspace = replace(world.workspace, settings=settings)


def test_a_server_whose_roles_were_not_applied_again_is_blindness(world: World) -> None:
    def rename(old: str, new: str) -> None:
        with Database(world.dsn).transaction() as connection:
            connection.execute(text(f"ALTER FUNCTION gov.{old}() RENAME TO {new}"))

    rename("data_links", "data_links_away")
    try:
        seen = inventory.observe(world.workspace, world.open(NOW + timedelta(hours=7)), world.connections)
    finally:
        rename("data_links_away", "data_links")

    assert seen["blind"] == ["postgres"]


def test_old_accesses_are_deleted(world: World) -> None:
    world.ask(
        "INSERT INTO gov.access_log (actor, at, ip) VALUES ('E001', :at, '100.64.0.9') RETURNING 1",
        at=NOW - timedelta(days=91),
    )
    inventory.observe(world.workspace, world.open(NOW + timedelta(hours=8)), world.connections)

    assert world.ask("SELECT count(*) AS n FROM gov.access_log WHERE at < :t", t=NOW - timedelta(days=90))[0].n == 0
