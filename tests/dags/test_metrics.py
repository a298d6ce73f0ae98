"""Figures reach a StatsD listener over UDP, and the dashboard asks for exactly those."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from privacy_ops.operations import figures
from privacy_ops.operations.figures import METRICS
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from bench.listeners import collector
from tests.dags.test_operator_messages import NOW, governed, operated

__all__ = ["governed", "operated"]
PROJECT = Path(__file__).resolve().parents[2]
DASHBOARD = PROJECT / "include" / "grafana" / "privacy_operations.json"

# A task process sets its metrics up like this before it runs a task.
_SEND = """
import json, sys
from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from privacy_ops.airflow_support import metrics
legacy = conf.getboolean("metrics", "legacy_names_on")
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=legacy)
print(metrics.send(json.loads(sys.argv[1])))
"""


def test_the_figures_are_those_of_the_rows(operated: Settings, governed: tuple[str, Settings]) -> None:
    found = figures.measure(Workspace.load(operated), now=NOW)
    assert list(found) == [metric.name for metric in METRICS]
    assert found["privacy_ops.people.restricted"] == found["privacy_ops.canaries.planted"] == 0
    with Database(governed[0]).transaction() as connection:
        for number, (state, restriction) in enumerate([
            ("RESTRICTED", "HARD"),
            ("OPEN", "NONE"),
            ("CLOSED", "HARD"),
            ("RESTRICTED", "SOFT"),
            ("RESTRICTED", "HARD"),
        ]):
            connection.execute(
                text(
                    "INSERT INTO gov.minor_case (subject_kind, subject_table, subject_ref, ref_key_id, class, state,"
                    " restriction, discovered_at, opened_by_run, judged_by_run) VALUES ('person', 't', :ref, 'k1',"
                    " 'CONFIRMED_MINOR', :state, :restriction, :at, 'r', 'r')"
                ),
                {"ref": f"ref{number}", "state": state, "restriction": restriction, "at": NOW},
            )
        connection.execute(
            text(
                "INSERT INTO gov.canary (subject_ref, ref_key_id, planted_at) VALUES"
                " ('ref4', 'k1', :old), ('ref9', 'k1', :old), ('ref10', 'k1', :new)"
            ),
            {"old": NOW.replace(day=1), "new": NOW},
        )
        for gate, verdict in (("a", "block"), ("a", "pass"), ("b", "block"), ("c", "warn")):
            connection.execute(
                text(
                    "INSERT INTO gov.gate_result (run_id, gate, verdict, subject_sha256, checks, judged_at, expires_at)"
                    " VALUES ('m/1', :gate, :verdict, 'aa', '[]', :at, :at)"
                ),
                {"gate": gate, "verdict": verdict, "at": NOW},
            )
    found = figures.measure(Workspace.load(operated), now=NOW)
    expected = {
        "privacy_ops.people.restricted": 2,  # not the one nobody restricted, the closed one, the made-up one
        "privacy_ops.cases.open": 3,
        "privacy_ops.canaries.planted": 2,
        "privacy_ops.canaries.missed": 1,
        "privacy_ops.gates.blocked": 1,  # gate a was judged again and passes
        "privacy_ops.gates.passed": 1,
        "privacy_ops.gates.warned": 1,
        "privacy_ops.watch.looked": 1,
    }
    assert {name: found[name] for name in expected} == expected


def test_every_figure_arrives_at_a_statsd_listener() -> None:
    wanted = {metric.name: float(number) for number, metric in enumerate(METRICS)}
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(5)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    done = subprocess.run(
        [sys.executable, "-c", _SEND, json.dumps(wanted)],
        env={
            **os.environ,
            "PYTHONPATH": str(PROJECT / "plugins"),
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(listener.getsockname()[1]),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    arrived: dict[str, float] = {}
    try:
        while len(arrived) < len(wanted):
            name, _, value = listener.recv(4096).decode().partition(":")
            if name.startswith("airflow.privacy_ops."):  # Airflow sends some of its own
                arrived[name] = float(value.removesuffix("|g"))
    except TimeoutError:
        pytest.fail(f"only {len(arrived)} of {len(wanted)} arrived")
    finally:
        listener.close()
    assert arrived == {f"airflow.{name}": value for name, value in wanted.items()}


def test_every_figure_arrives_at_an_opentelemetry_collector() -> None:
    """OTLP over HTTP, as a collector takes it: Airflow sends what it has when the process ends."""
    wanted = {metric.name: float(number) for number, metric in enumerate(METRICS)}
    with collector() as (port, arrived):
        done = subprocess.run(
            [sys.executable, "-c", _SEND, json.dumps(wanted)],
            env={
                **os.environ,
                "PYTHONPATH": str(PROJECT / "plugins"),
                "NO_PROXY": "127.0.0.1",
                "AIRFLOW__METRICS__OTEL_ON": "True",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    ours = {name: value for name, value in arrived.items() if ".privacy_ops." in name}
    assert ours == {f"airflow.{name}": value for name, value in wanted.items()}


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    asked = {
        name
        for panel in board["panels"]
        for target in panel.get("targets", [])
        for name in re.findall(r"airflow_privacy_ops_\w+", target["expr"])
    }
    assert asked == {"airflow_" + metric.name.replace(".", "_") for metric in METRICS}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert board["schemaVersion"] >= 39
    assert board["title"]


def test_every_metric_is_documented() -> None:
    text_of = (PROJECT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for metric in METRICS:
        assert f"`{metric.name}` | {metric.title} |" in text_of, metric.name
