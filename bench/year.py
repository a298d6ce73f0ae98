"""A year of weekly exports through a real scheduler, by ``airflow backfill create``, in several orders: same bytes.

In the last of them the scheduler is killed three times with all that it runs, and started again.

python -m bench.year [--weeks 52] [--people 1000] [--orders in_order reversed parallel interrupted]

One publisher; between two passes the register and the bucket of exports are emptied, which only the superuser can do.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from rich.markup import escape
from sqlalchemy import text

from sandbox import airflow, facts
from sandbox.airflow_api import FINISHED
from sandbox.demo import DELETION, ENGINEER, EXPORT, INVENTORY, Demo, prepare
from sandbox.provision import PUBLISHER
from sandbox.runtime import Runtime
from sandbox.state import PROJECT

WEEKS, PEOPLE = 52, 1000
BUCKET = "imp-exports"
ORDERS = {
    "in_order": ["--max-active-runs", "1"],
    "reversed": ["--max-active-runs", "1", "--run-backwards"],
    "parallel": ["--max-active-runs", "4"],
    "interrupted": ["--max-active-runs", "3", "--run-backwards"],
}
_RELEASES = ("release_event", "release_register", "release_master")


@dataclass(frozen=True)
class Pass:
    """One pass over the year. ``failed``: runs that did not end well, or are missing; ``files``: SHA-256 by name of
    everything that stands in the bucket afterwards."""

    name: str
    seconds: float
    runs: int
    failed: int
    releases: int
    files: dict[str, str]

    def differences(self, other: Pass) -> int:
        """Files that are not the same in both, or in one only."""
        return len(self.files.items() ^ other.files.items())


def prove(weeks: int = WEEKS, *, people: int = PEOPLE, orders: Sequence[str] = tuple(ORDERS)) -> Iterator[Pass]:
    """Carry the passes out in a runtime of its own, which is taken down again; each comes when it is over."""
    with tempfile.TemporaryDirectory(prefix="year-") as folder:
        runtime = Runtime(Path(folder))
        try:
            runtime.up(people)
            demo = Demo(runtime, prepare(runtime))
            demo.run(INVENTORY, {}, scheduled=True)
            demo.run(DELETION, {"dry_run": False}, scheduled=True)
            demo.run(EXPORT, {}, scheduled=True)
            newest = facts.newest_exported_week(runtime)
            if newest is None:
                raise RuntimeError("no week was exported")
            for name in orders:
                yield _pass(runtime, demo, name, newest, weeks)
        finally:
            runtime.down()


def _pass(runtime: Runtime, demo: Demo, name: str, newest: str, weeks: int) -> Pass:
    _forget(runtime)
    engineer = runtime.api(ENGINEER)
    monday = datetime.strptime(newest + "-1", "%G-W%V-%u").replace(tzinfo=UTC)
    last = monday + timedelta(days=2, hours=6)  # the interval that exports a week begins on its Wednesday
    first = last - timedelta(weeks=weeks - 1)
    began = time.monotonic()
    command = [
        *(sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", EXPORT, *ORDERS[name]),
        *("--from-date", first.isoformat(), "--to-date", last.isoformat(), "--reprocess-behavior", "completed"),
    ]
    subprocess.run(command, cwd=PROJECT, env=runtime.airflow_environment(), check=True, stdout=subprocess.DEVNULL)
    number = max(one["id"] for one in engineer.call("GET", "/backfills", query={"dag_id": EXPORT})["backfills"])
    kill_after = sorted({max(weeks * part // 4, 1) for part in (1, 2, 3)}) if name == "interrupted" else []
    runs = engineer.wait_backfill(
        EXPORT,
        number,
        seconds=3600 * 6,
        on_action=demo.answer,
        on_change=_Watch(runtime, demo, name, kill_after),
    )
    store = ObjectStore(runtime.object_settings)
    files = {key: hashlib.sha256(store.get(BUCKET, key)).hexdigest() for key in store.keys(BUCKET, "exports/")}
    with Database(runtime.server.dsn(PUBLISHER)).transaction() as connection:
        releases = connection.execute(text("SELECT count(*) FROM gov.release_register")).scalar_one()
    unsuccessful = [run for run in runs if run.state != "success"]
    for run in unsuccessful:
        for trouble in engineer.troubles(run):
            demo.say(escape(f"{name} {run.run_id}: {trouble}"))
    return Pass(name, time.monotonic() - began, len(runs), len(unsuccessful) + weeks - len(runs), int(releases), files)


@dataclass
class _Watch:
    """Tells of what becomes of the runs; each time that many are over it kills the scheduler with all that it runs, in
    the middle of the others, and starts it again."""

    runtime: Runtime
    demo: Demo
    name: str
    kill_after: list[int]
    over: int = 0

    def __call__(self, run_id: str, state: str) -> None:
        self.demo.say(f"{self.name} {run_id}: {state}")
        self.over += state in FINISHED
        if self.kill_after and self.over >= self.kill_after[0]:
            self.kill_after.pop(0)
            self.runtime.processes.stop(airflow.SCHEDULER, patience=0)
            self.demo.say(f"{self.name}: the scheduler was killed")
            self.runtime.up(PEOPLE)


def _forget(runtime: Runtime) -> None:
    """As if nothing had ever been released, judged or approved."""
    with Database(runtime.server.dsn(PUBLISHER)).transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("approval", "gate_result", "run"):
            connection.execute(text(f"DELETE FROM gov.{table} WHERE run_id LIKE :runs"), {"runs": f"{EXPORT}/%"})
        for table in ("delivery_mail_release", "release_delivery", "delivery_mail", *_RELEASES):
            connection.execute(text(f"DELETE FROM gov.{table}"))
        # What the demonstration decided stays: a publisher of this size has no weeks by itself.
        connection.execute(text("DELETE FROM gov.release_base_period WHERE run_id <> 'demonstration'"))
    store = ObjectStore(runtime.object_settings)
    store.delete_versions(BUCKET, list(store.versions(BUCKET)))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.year", description=__doc__)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--orders", nargs="+", choices=tuple(ORDERS), default=tuple(ORDERS))
    given = parser.parse_args(arguments)
    wrong = 0
    first = None
    for one in prove(given.weeks, people=given.people, orders=given.orders):
        first = first or one
        differ = one.differences(first)
        wrong += bool(differ or one.failed or not one.files)
        print(
            f"{one.name}: {one.runs} runs, {one.failed} failed, {one.releases} releases, {len(one.files)} files,"
            f" {differ} differ from the first pass, {one.seconds:.0f} s",
            flush=True,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
