"""`make demo-oulad DIR=…`: the export on real course usage, the Open University Learning Analytics Dataset.

Loads the data set (see sandbox.publisher.oulad) into a database of its own beside the synthetic publisher, lets
the detection look at it, and takes weeks of 2013 and 2014 through the very steps of ``course_usage_export``: gates,
protection, files, approval, publishing, register. One week is run twice, to show that it serves the same bytes.
The packs are copied to ``var/demo/oulad/``.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from privacy_ops import approvals, runs
from privacy_ops import settings as settings_of
from privacy_ops.datamap import loader
from privacy_ops.datamap.model import DataMap
from privacy_ops.minors import detect, gates
from privacy_ops.runs import Run
from privacy_ops.settings import DUTIES, Settings
from privacy_ops.stores.sql import statement
from privacy_ops.usage import recipients, release, weeks
from privacy_ops.usage.frames import ALL, STARTERS
from privacy_ops.usage.master import read_masters
from privacy_ops.usage.protecting import references
from privacy_ops.workspace import Workspace
from rich.table import Table

from sandbox import base_periods, provision
from sandbox.airflow import role
from sandbox.postgres import PostgresServer
from sandbox.publisher import oulad
from sandbox.runtime import DEFAULT_PEOPLE, FAILURES, Runtime

DATABASE = "oulad"
REGISTRY = Path(__file__).parent / "publisher" / "oulad_recipients.yaml"
# Weeks in the middle of presentations that began in February and in October, three of them in a row.
WEEKS = ("2013-W12", "2013-W20", "2013-W45", "2013-W46", "2013-W47", "2014-W12", "2014-W20", "2014-W45")
APPROVER = "lena"


@dataclass(frozen=True)
class Released:
    """One week after its run: how many courses and cells were shown and withheld, and what publishing said."""

    iso_week: str
    courses_shown: int
    courses: int
    cells_shown: int
    cells_withheld: int
    files: int
    outcome: Mapping[str, int]


def data_map(publisher: DataMap) -> DataMap:
    """The publisher's map, as it holds for this data set: it has no dates of birth, and nobody misses them.

    Everything else is the same schema. The gates of the sources then say "nothing to read" and do not block; on the
    publisher itself an empty column of birth dates stays a reason to block.
    """
    said = publisher.model_dump()
    said["publisher"] |= {"key": "open_university", "name": "Open University Learning Analytics Dataset"}
    said["tables"]["core.user_profile"]["expect_rows"] = False
    said["usage"]["institution"]["resolved_by"] = "as_written"  # a student's region, from a closed list
    return DataMap.model_validate(said)


def workspace_for(settings: Settings) -> Workspace:
    """What the jobs start from, with the map of this data set."""
    loaded = Workspace.load(settings)
    ours = data_map(loaded.data_map)
    return Workspace(settings, loaded.thresholds, ours, loader.sha256(ours))


def make_database(server: PostgresServer, passwords: Mapping[str, str], folder: Path) -> dict[str, int]:
    """The database ``oulad`` anew: schema, gov, roles, grants, the data set. Raises UserError for bad files."""
    provision.drop_database(server, DATABASE)
    provision.create_database(server, DATABASE)
    try:
        provision.create_publisher(server, DATABASE, passwords)
        return oulad.load(server.dsn(DATABASE), folder)
    except BaseException:
        provision.drop_database(server, DATABASE)
        raise


def register(workspace: Workspace, registry: Path = REGISTRY) -> dict[str, int]:
    """Enter the made-up recipients; packs that an earlier go gave them are removed with their database."""
    store, bucket = workspace.objects(), workspace.settings.exports_bucket
    for entry in recipients.read_registry(registry).entitlements:
        prefix = f"exports/{entry.product}/{entry.recipient}/"
        store.delete_versions(bucket, list(store.versions(bucket, prefix)))
    with workspace.database("migrate").transaction() as connection:
        return recipients.load_registry(connection, registry)


def run_detection(workspace: Workspace, *, now: datetime) -> dict[str, Any]:
    """The detection that every export demands, to its end. It finds nobody here: no date of birth is on record."""
    run = _open(workspace, "detect", "minor_data_deletion", "oulad", now)
    gates.check_sources(workspace, run)
    counts = detect.detect_and_restrict(workspace, run)
    judged = gates.judge_detection(workspace, run, counts)
    with workspace.database("detect").transaction() as connection:
        runs.close_run(connection, run.run_id, now=now, state="done", facts={})
    return {"sources": counts["sources"], "candidates": sum(counts["candidates"].values()), **judged}


def export(workspace: Workspace, iso_week: str, *, name: str, now: datetime) -> Released:
    """One run of the export, step by step as the DAG has it; a made-up person approves a first release."""
    run = _open(workspace, "export", "course_usage_export", name, now)
    window = weeks.from_key(iso_week, workspace.thresholds.legal_timezone)
    release.open_week(workspace, run, window)
    release.judge_input(workspace, run, now=now)
    release.protect(workspace, run, now=now)
    release.stage(workspace, run)
    release.judge_files(workspace, run, now=now)
    # These data have no inventory of transfers: nothing is blocked, and here somebody says so.
    with workspace.database("inventory").transaction() as connection:
        connection.execute(statement("transfers", "insert_block_list_renewal"), {"run_id": run.run_id, "at": now})
    request = release.release_request(workspace, run)
    if request is not None:
        with workspace.database("export").transaction() as connection:
            approvals.record(connection, run.run_id, request, approver=APPROVER, decision="approve", at=now)
    outcome = release.publish(workspace, run, now=now)
    published = release.judge_published(workspace, run, now=now)
    version = references(workspace).spec.spec_version
    with workspace.database("export").transaction() as connection:
        runs.close_run(connection, run.run_id, now=now, state="done", facts={})
        entitled = sorted({e.course_id for e in connection.execute(statement("usage", "select_registry"))})
        masters = read_masters(connection, version, [iso_week], entitled).values()
    cells = [cell for master in masters for cell in master.protected.master]
    shown = [cell for cell in cells if cell.values[STARTERS] is not None]
    return Released(
        iso_week,
        courses_shown=sum(cell.key[1] == ALL for cell in shown),
        courses=len(masters),
        cells_shown=len(shown),
        cells_withheld=len(cells) - len(shown),
        files=published["files"],
        outcome={key: outcome[key] for key in ("published", "adopted", "served")},
    )


def released_files(workspace: Workspace, iso_week: str) -> dict[str, tuple[str, str]]:
    """Hash and object version of every file of a week, read from the bucket."""
    store, bucket = workspace.objects(), workspace.settings.exports_bucket
    with workspace.database("export").transaction(read_only=True) as connection:
        rows = connection.execute(statement("usage", "select_registered"), {"periods": [iso_week]}).all()
    return {
        version.key: (hashlib.sha256(store.get(bucket, version.key)).hexdigest(), version.version_id)
        for row in rows
        for version in store.versions(bucket, row.object_prefix)
    }


def copy_packs(workspace: Workspace, iso_week: str, folder: Path) -> int:
    """Copy the packs of a week to ``folder`` (product/recipient/week); returns the number of files."""
    store, bucket = workspace.objects(), workspace.settings.exports_bucket
    keys = released_files(workspace, iso_week)
    for key in keys:
        _, product, recipient, week, _, name = key.split("/")
        target = folder / product / recipient / week / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(store.get(bucket, key))
    return len(keys)


def go(
    workspace: Workspace,
    chosen: tuple[str, ...],
    *,
    clock: Callable[[], datetime],
    registry: Path = REGISTRY,
    say: Callable[[str], None] = lambda _text: None,
) -> tuple[list[Released], bool]:
    """Recipients, detection, every week, and the first week once more. Returns the weeks and whether bytes stood."""
    entered = register(workspace, registry)
    say("registry: " + ", ".join(f"{n} {what}" for what, n in entered.items()))
    entitled = [course for entry in recipients.read_registry(registry).entitlements for course in entry.courses]
    base_periods.show_weeks(workspace, entitled, map(weeks.from_key, chosen), now=clock())
    found = run_detection(workspace, now=clock())
    say(f"detection: {found['sources']} sources, {found['candidates']} candidates, gate {found['gate']}")
    released = []
    for week in chosen:
        released.append(export(workspace, week, name=f"oulad-{week}", now=clock()))
        say(f"{week}: {released[-1].cells_shown} cells published, {released[-1].cells_withheld} withheld")
    before = released_files(workspace, chosen[0])
    again = export(workspace, chosen[0], name=f"oulad-{chosen[0]}-again", now=clock())
    same = bool(before) and before == released_files(workspace, chosen[0]) and again.outcome["published"] == 0
    return released, same


def _open(workspace: Workspace, duty: str, dag_id: str, name: str, now: datetime) -> Run:
    with workspace.database(duty).transaction() as connection:
        return runs.open_run(
            connection,
            run_id=f"{dag_id}/{name}",
            dag_id=dag_id,
            now=now,
            run_type="manual",
            dry_run=False,
            thresholds_sha256=workspace.thresholds.sha256(),
            map_sha256=workspace.map_sha256,
        )


def _table(released: list[Released]) -> Table:
    table = Table(title="Open University: released weeks", title_justify="left")
    for column, justify in (
        ("week", "left"),
        ("courses shown", "right"),
        ("cells published", "right"),
        ("cells withheld", "right"),
        ("files", "right"),
        ("packs", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for week in released:
        packs = ", ".join(f"{n} {what}" for what, n in week.outcome.items() if n)
        table.add_row(
            week.iso_week,
            f"{week.courses_shown} of {week.courses}",
            str(week.cells_shown),
            str(week.cells_withheld),
            str(week.files),
            packs,
        )
    return table


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when every week was released and the repeated one served the same bytes."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo_oulad", description=__doc__)
    parser.add_argument("directory", help="folder with courses.csv, studentInfo.csv and the others (also .csv.gz)")
    parser.add_argument("--weeks", nargs="+", default=WEEKS, metavar="2013-W45")
    parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE, help="of the synthetic publisher, if it is new")
    parser.add_argument("--var", type=Path, default=None, help="folder of the runtime (default: var)")
    given = parser.parse_args(arguments)
    if not given.directory:
        print("make demo-oulad needs the folder of the data set: make demo-oulad DIR=…", file=sys.stderr)
        return 2
    folder = Path(given.directory).expanduser()
    began = time.monotonic()
    runtime = Runtime(given.var) if given.var else Runtime()
    say = runtime.console.print
    try:
        oulad.check(folder)  # before anything is started
        for week in given.weeks:
            weeks.from_key(week)
        runtime.up(given.people, with_airflow=False)
        passwords = {duty: runtime.state.passwords[role(duty)] for duty in DUTIES}
        loaded = make_database(runtime.server, passwords, folder)
        say("loaded: " + ", ".join(f"{count:,} {what}" for what, count in loaded.items()))
        workspace = workspace_for(settings_of.from_environment(runtime.project_environment(DATABASE)))
        released, same = go(workspace, tuple(given.weeks), clock=lambda: datetime.now(UTC), say=say)
        target = runtime.var / "demo" / "oulad"
        shutil.rmtree(target, ignore_errors=True)
        copied = sum(copy_packs(workspace, week.iso_week, target) for week in released)
    except FAILURES as error:
        print(f"demo-oulad: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo-oulad: interrupted; `make down` ends what was started", file=sys.stderr)
        return 130
    say(_table(released))
    say(f"{released[0].iso_week} was run twice: " + ("the same bytes" if same else "[red]the bytes differ"))
    say(f"{copied} files are in {target} ({time.monotonic() - began:.0f} s)", soft_wrap=True)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
