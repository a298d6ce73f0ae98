"""A person marks a blocked gate as success in the UI. In Airflow's eyes all is well; nothing is destroyed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from privacy_ops.gates import runner
from privacy_ops.settings import home_directory
from privacy_ops.stores import migrations
from privacy_ops.stores.database import Database
from sqlalchemy import text

DAG = """
import os
from datetime import UTC, datetime, timedelta
from airflow.sdk import dag, task

SHA = "ab" * 32

@dag(schedule=None, catchup=False)
def destroys():
    @task
    def gate():
        import pandas as pd
        from airflow.sdk import get_current_context
        from privacy_ops.airflow_support import gates
        from privacy_ops.gates import runner
        from privacy_ops.gates.suite import Check, Suite
        from privacy_ops.stores.database import Database

        suite = Suite("plan", "The plan", (
            Check("ROWS", "one row", "ExpectTableRowCountToEqual", {"value": 1}),
            Check("G-08", "few cases", "ExpectColumnMaxToBeBetween", {"column": "cases", "max_value": 25}),
        ))
        frame = pd.DataFrame([{"cases": int(os.environ["CASES"])}])
        verdict = runner.judge(suite, frame, run_id="destroys/1", subject_sha256=SHA,
                               judged_at=datetime.now(UTC), valid_for=timedelta(hours=1))
        with Database(os.environ["GOV"]).transaction() as connection:
            number = runner.record(connection, verdict)
        gates.finish(verdict, number, get_current_context())

    @task
    def destroy():
        from sqlalchemy import text
        from privacy_ops.gates import lock
        from privacy_ops.stores.database import Database

        with Database(os.environ["GOV"]).transaction() as connection:
            connection.execute(text("DELETE FROM people"))
            lock.require_open(connection, run_id="destroys/1", gate="plan", subject_sha256=SHA,
                              now=datetime.now(UTC))

    gate() >> destroy()

destroys()
"""


@pytest.fixture
def database(empty_database: str) -> Database:
    migrations.upgrade(empty_database)
    database = Database(empty_database)
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE people AS SELECT n FROM generate_series(1, 3) AS n"))
    return database


@pytest.fixture(scope="module")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Airflow of its own, with its database made and one DAG."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    (home / "dags" / "destroys.py").write_text(textwrap.dedent(DAG))
    assert airflow(home, "db", "migrate").returncode == 0
    return home


def airflow(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),  # none: the console has no part in this
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(home_directory() / "plugins"),
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "airflow", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def left(database: Database) -> int:
    with database.transaction() as connection:
        return int(connection.execute(text("SELECT count(*) FROM people")).scalar_one())


def verdicts(database: Database) -> list[str]:
    with database.transaction() as connection:
        return list(connection.execute(text("SELECT verdict FROM gov.gate_result ORDER BY 1")).scalars())


def run(home: Path, dsn: str, *arguments: str, cases: int) -> subprocess.CompletedProcess[str]:
    return airflow(home, "dags", "test", "destroys", *arguments, GOV=dsn, CASES=str(cases))


def test_an_open_gate_lets_the_step_through(airflow_home: Path, database: Database, empty_database: str) -> None:
    """Without this the test below could not fail."""
    assert run(airflow_home, empty_database, cases=3).returncode == 0
    assert (verdicts(database), left(database)) == (["pass"], 0)


def test_a_blocked_gate_marked_as_success_lets_nothing_through(
    airflow_home: Path, database: Database, empty_database: str
) -> None:
    check = runner.CheckResult("G-08", "few cases", "critical", False, False, 30, "")
    now = datetime.now(UTC)
    block = runner.Verdict("plan", "destroys/1", "block", "ab" * 32, (check,), now, now + timedelta(hours=1), "")
    with database.transaction() as connection:
        runner.record(connection, block)

    marked = run(airflow_home, empty_database, "--mark-success-pattern", "gate", cases=3)
    assert (marked.returncode, verdicts(database), left(database)) == (1, ["block"], 3)
    assert "gate plan blocks" in marked.stdout + marked.stderr
