"""The demo, small: every job through a real scheduler on real stores, judged by the ground truth.

One start of the runtime serves all tests here; it lives in a folder of its own, with a blank in its path.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PEOPLE = "6000"  # enough that something may be published, and that default dates can be over-represented
BACKFILLED = 2  # weeks, both at once

pytestmark = pytest.mark.timeout(900)


def _run(var: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PRIVACY_OPS"))}
    try:
        return subprocess.run(
            [sys.executable, "-m", module, "--var", str(var), *arguments],
            cwd=PROJECT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=850,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or ""
        raise AssertionError(f"{module} took too long; it said at last:\n{said[-3000:]}") from None


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    var = tmp_path_factory.mktemp("whole") / "a runtime"
    try:
        yield var, _run(var, "sandbox.demo", "--people", PEOPLE, "--weeks", str(BACKFILLED))
    finally:
        assert _run(var, "sandbox.runtime", "down").returncode == 0, "a process is left over"


@pytest.fixture(scope="module")
def summary(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> dict[str, Any]:
    var, done = demo
    written = var / "demo" / "summary.json"
    found = json.loads(written.read_text(encoding="utf-8")) if written.exists() else {"failures": ["it has no summary"]}
    # The runtime is removed behind the tests: what failed has to be said here.
    assert done.returncode == 0, "\n".join([*found["failures"], done.stdout[-3000:], done.stderr[-3000:]])
    return found


def test_the_nightly_deletion_leaves_nothing_and_takes_nobody_else(summary: dict[str, Any]) -> None:
    facts = summary["jobs"]["minor_data_deletion"]

    assert facts["planted_confirmed"] > 20
    assert facts["erased"] + facts["held"] == facts["detected"] == facts["planted_confirmed"]
    assert facts["held"] > 0
    assert [facts[name] for name in ("missed", "wrongly_erased", "residual_rows", "residual_objects")] == [0, 0, 0, 0]
    assert facts["canaries_erased"] == facts["canaries"] > 0
    assert facts["rows_of_others_lost"] == 0
    assert facts["gates"]["erasure.done"] == {"pass": 1}


def test_what_comes_in_by_day_is_restricted_by_one_intake_and_the_confirmed_are_erased(summary: dict[str, Any]) -> None:
    facts = summary["jobs"]["minor_signal_intake"]

    assert facts["detected"] == facts["restricted"] == facts["planted_confirmed"] + facts["planted_suspected"] == 6
    assert facts["erased"] == facts["certified"] == facts["planted_confirmed"] == 2
    assert facts["minutes_to_restriction"] <= 15
    assert [facts[name] for name in ("missed", "wrongly_erased", "residual_rows", "residual_objects")] == [0, 0, 0, 0]
    assert [run["run_id"].split("__")[0] for run in facts["runs"]][-1] == "intake"
    assert facts["gates"]["minors.intake"] in ({"pass": 1}, {"warn": 1})


def test_the_watchkeeper_notes_what_stands_and_nothing_else(summary: dict[str, Any]) -> None:
    facts = summary["jobs"]["watchkeeper"]

    assert facts["closed"] is True
    assert facts["breached"] == facts["breached_by_the_night"]
    assert facts["noted"] == facts["new"]


def test_released_weeks_serve_the_same_bytes(summary: dict[str, Any]) -> None:
    facts = summary["jobs"]["course_usage_export"]

    assert facts["bytes_identical_on_rerun"] is True
    assert facts["released_weeks"] == 1 + BACKFILLED
    assert facts["recipients"] >= 4
    assert 0 < facts["cells_withheld"] < facts["cells"]
    assert [run["type"] for run in facts["runs"]].count("backfill") == BACKFILLED


def test_every_undeclared_flow_is_found_and_its_destination_blocked(summary: dict[str, Any]) -> None:
    facts = summary["jobs"]["transfer_inventory_check"]

    assert facts["undeclared_found"] == facts["undeclared_planted"] == 15
    assert facts["declared_lookalikes"] == 9
    assert facts["false_alarms"] == 0
    assert facts["blocked_destinations"] >= 7
    assert sum(facts["verdicts_UK"].values()) == sum(facts["verdicts_EU"].values()) == facts["flows"]


def test_one_question_is_left_open_for_a_person(summary: dict[str, Any]) -> None:
    assert summary["open_action"]["task"] == "sign_off"


def test_airflow_remembers_no_person(
    summary: dict[str, Any], demo: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    """No planted person's key or address stands in Airflow's database, its logs, or what the demo printed."""
    assert summary
    var, done = demo
    from sandbox.airflow import DATABASE
    from sandbox.provision import GROUND_TRUTH
    from sandbox.publisher import flows
    from sandbox.publisher.database import connect
    from sandbox.runtime import Runtime

    server = Runtime(var).server
    with connect(server.dsn(GROUND_TRUTH)) as truth:
        people = truth.execute("SELECT user_key, email, token FROM truth.planted_subject").fetchall()
    wanted = {part.lower() for row in people for part in row if part and len(part) > 5}
    assert len(wanted) > 100
    wanted.add(flows.SECRET)  # of the made-up connections, foreign servers and policies

    texts = {"what the demo printed": (done.stdout + done.stderr).lower()}
    for path in (*(var / "airflow").rglob("*.log"), *(var / "logs").rglob("*.log"), *(var / "demo").rglob("*.json")):
        texts[str(path)] = path.read_text(errors="replace").lower()
    with connect(server.dsn(DATABASE)) as airflow:
        tables = [
            name
            for (name,) in airflow.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'"
            )
        ]
        for table in tables:
            rows = airflow.execute(f"SELECT t::text FROM {table} AS t")  # type: ignore[call-overload]
            texts[f"table {table}"] = "\n".join(text for (text,) in rows).lower()
    assert len(tables) > 30
    assert any("xcom" in name for name in texts)
    found = {name for name, text in texts.items() if any(word in text for word in wanted)}
    assert found == set()
