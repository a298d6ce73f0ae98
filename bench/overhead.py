"""What Airflow costs: parsing the DAG folder beyond importing Airflow, and its share of a nightly run's wall time.

python -m bench.overhead [--people 2000] [--run VAR]    with --run, the runs of the runtime in VAR are read, if it is up

Without it a small publisher is made, inventory, deletion and export run once each by schedule, and all is taken down.
The result goes to bench/OVERHEAD.md.

The parse time is processor time of fresh processes (import of Airflow alone, and the same with the folder parsed),
the best of three each. The share of a run is read from Airflow's own rows: what lies between the start and the end of
a run and is not inside one of its tasks, without the time that people took to answer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.airflow import DATABASE
from sandbox.publisher.database import connect
from sandbox.runtime import Runtime
from sandbox.state import PROJECT

LIMIT_SECONDS = 1.5
JOBS = ("transfer_inventory_check", "minor_data_deletion", "course_usage_export")
_IMPORT = "import airflow.sdk, airflow.dag_processing.dagbag"
_PARSE = (
    f"{_IMPORT}; b = airflow.dag_processing.dagbag.DagBag({str(PROJECT / 'dags')!r});"
    " assert b.dags and not b.import_errors, b.import_errors"
)
_MEASURED = "; import os, sys; t = os.times(); print('CPU', t.user + t.system, file=sys.stderr)"

_RUNS = """
SELECT r.run_id, extract(epoch FROM r.end_date - r.start_date)
FROM dag_run AS r
WHERE r.dag_id = %s AND r.state = 'success' AND r.start_date IS NOT NULL AND r.end_date IS NOT NULL
"""
_TASKS = """
SELECT t.start_date, t.end_date, t.operator
FROM task_instance AS t
WHERE t.dag_id = %s AND t.run_id = %s AND t.start_date IS NOT NULL AND t.end_date IS NOT NULL
"""


@dataclass(frozen=True)
class Parsing:
    """Processor seconds: importing Airflow, and the folder beyond that."""

    importing: float
    folder: float

    @property
    def held(self) -> bool:
        return self.folder <= LIMIT_SECONDS


def parsing(repeats: int = 3) -> Parsing:
    """Measure in fresh processes; each pair side by side."""
    alone = min(_seconds(_IMPORT) for _ in range(repeats))
    whole = min(_seconds(_PARSE) for _ in range(repeats))
    return Parsing(alone, whole - alone)


def _seconds(code: str) -> float:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PRIVACY_OPS"))}
    environ |= {
        "PYTHONPATH": os.pathsep.join([str(PROJECT / "plugins"), str(PROJECT)]),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW_HOME": str(PROJECT / "var" / "overhead"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code + _MEASURED], env=environ, capture_output=True, text=True, check=True, timeout=300
    )
    line = next(one for one in done.stderr.splitlines() if one.startswith("CPU "))
    return float(line.split()[1])


@dataclass(frozen=True)
class Share:
    """One run, in seconds: from start to end, inside tasks (two at once count once), waiting for people."""

    run_id: str
    whole: float
    inside: float
    people: float

    @property
    def overhead(self) -> float:
        """Airflow's part of the time that was not people's."""
        return 1 - self.inside / (self.whole - self.people)


def covered(spans: list[tuple[float, float]]) -> float:
    """Length of the union of spans."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(spans):
        if end > reached:
            total += end - max(begin, reached)
            reached = end
    return total


def shares(runtime: Runtime, dag_id: str = "minor_data_deletion") -> list[Share]:
    """Every successful run of a DAG in the runtime's Airflow. A question's task counts as people's time."""
    found = []
    with connect(runtime.server.dsn(DATABASE)) as connection:
        for run_id, whole in connection.execute(_RUNS, (dag_id,)).fetchall():
            rows: list[Any] = connection.execute(_TASKS, (dag_id, run_id)).fetchall()
            asked = [(b.timestamp(), e.timestamp()) for b, e, operator in rows if operator == "AskPerson"]
            worked = [(b.timestamp(), e.timestamp()) for b, e, operator in rows if operator != "AskPerson"]
            found.append(Share(f"{dag_id}/{run_id}", float(whole), covered(worked), covered(asked)))
    return found


def night(people: int) -> list[Share]:
    """The three jobs once, in a runtime of its own that is taken down again."""
    from sandbox.demo import DELETION, EXPORT, INVENTORY, Demo, prepare

    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        runtime = Runtime(Path(folder))
        try:
            runtime.up(people)
            demo = Demo(runtime, prepare(runtime))
            for dag_id in (INVENTORY, DELETION, EXPORT):
                demo.run(dag_id, {"dry_run": False} if dag_id == DELETION else {}, scheduled=True)
            return every(runtime)
        finally:
            runtime.down()


def every(runtime: Runtime) -> list[Share]:
    """The runs of the three jobs that ended well."""
    return [share for dag_id in JOBS for share in shares(runtime, dag_id)]


def table(found: Sequence[Share]) -> list[str]:
    """The shares as lines of Markdown."""
    return [
        "| run | from start to end | inside tasks | people | Airflow's share of the rest |",
        "|---|---|---|---|---|",
        *(
            f"| {one.run_id} | {one.whole:.0f} s | {one.inside:.0f} s | {one.people:.0f} s | {one.overhead:.0%} |"
            for one in found
        ),
    ]


def report(parsed: Parsing, found: Sequence[Share], *, about: str, date: str, what: str) -> str:
    """bench/OVERHEAD.md."""
    return "\n".join([
        "# What Airflow costs",
        "",
        f"Written by `python -m bench.overhead` on {date}. Machine: {about}.",
        "",
        f"Parsing the DAG folder: {parsed.folder:.2f} s of processor time beyond importing Airflow"
        f" ({parsed.importing:.2f} s); allowed {LIMIT_SECONDS} s.",
        "",
        f"Runs: {what}. Airflow's share is what lies between start and end of a run",
        "and is in none of its tasks, without the time that people took: scheduling, starting a process per task.",
        "It is a number of seconds per task, so the share falls as the work grows.",
        "",
        *table(found),
        "",
    ])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; exit code 1 when parsing takes longer than it may, or no run ended well."""
    from bench.measure import machine  # it imports this module

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--run", type=Path, default=None, help="folder of a runtime that is up")
    parser.add_argument("--output", type=Path, default=PROJECT / "bench" / "OVERHEAD.md")
    given = parser.parse_args(arguments)
    parsed = parsing()
    if given.run:
        runtime = Runtime(given.run)
        found, people = every(runtime), runtime.publisher.people
    else:
        found, people = night(given.people), given.people
    what = f"a publisher of {people:,} people, LocalExecutor, metadata in PostgreSQL"
    text = report(parsed, found, about=machine(), date=f"{datetime.now(UTC):%Y-%m-%d}", what=what)
    given.output.write_text(text, encoding="utf-8")
    print(text)
    return 0 if parsed.held and found else 1


if __name__ == "__main__":
    sys.exit(main())
