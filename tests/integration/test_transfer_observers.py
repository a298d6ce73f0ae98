"""Planted flows of every kind, found through the real stores and a real server, and nothing else called undeclared."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from privacy_ops import runs
from privacy_ops.airflow_support.connections import fact
from privacy_ops.runs import Run
from privacy_ops.settings import DUTIES, KeyRing, ObjectSettings, Settings, home_directory
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.transfers import inventory
from privacy_ops.transfers.observers import ConnectionFact
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
    return world.look()


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
    assert inventory.gate(world.workspace, looked[0], now=NOW)["verdict"] == "warn"


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


def test_no_secret_of_a_connection_server_or_mapping_is_in_anything_that_was_kept(
    world: World, looked: tuple[Run, dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    kept = "".join(
        str(world.ask(f"SELECT * FROM gov.{table}"))
        for table in ("inventory_snapshot", "inventory_flow", "flow_verdict", "finding", "blocked_destination", "run")
    )
    store = ObjectStore(world.workspace.settings.objects)
    kept += "".join(store.get("imp-evidence", key).decode() for key in store.keys("imp-evidence"))
    kept += str(looked[1]) + str(world.connections) + "".join(capfd.readouterr())

    assert "crm_mirror" in kept
    assert "not-a-real-password" not in kept
