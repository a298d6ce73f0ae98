"""One step in a process of its own, so that its peak memory is its alone. Arguments come as JSON on stdin."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from privacy_ops import runs
from privacy_ops import settings as settings_of
from privacy_ops.runs import Run
from privacy_ops.workspace import Workspace

from bench.processor import peak_mib

Arguments = dict[str, Any]


def generate(given: Arguments) -> dict[str, Any]:
    """Fill an empty publisher."""
    from sandbox.publisher import generate as publisher
    from sandbox.publisher.objects import create_buckets

    objects = settings_of.from_environment().objects if given["with_objects"] else None
    if objects:
        create_buckets(objects)
    return publisher.load(
        given["dsn"],
        given["truth_dsn"],
        objects,
        people=given["people"],
        seed=given["seed"],
        anchor=date.fromisoformat(given["anchor"]),
        events_per_person=given["events_per_person"],
    )


def detect(given: Arguments) -> dict[str, Any]:
    """Check the sources, judge everybody, restrict, and judge the detection."""
    from privacy_ops.minors import detect as detection
    from privacy_ops.minors import gates

    workspace = Workspace.load(settings_of.from_environment())
    run = open_run(workspace, given["run_id"])
    gates.check_sources(workspace, run)
    counts = detection.detect_and_restrict(workspace, run)
    return {**counts, **gates.judge_detection(workspace, run, counts)}


def plan(given: Arguments) -> dict[str, Any]:
    """Freeze the plan of a run."""
    from privacy_ops.erasure import plan as planning

    workspace = Workspace.load(settings_of.from_environment())
    return planning.plan(workspace, _read_run(workspace, given["run_id"]), now=datetime.now(UTC))


def erase(given: Arguments) -> dict[str, Any]:
    """Carry out the plan of a run: what is written ahead, and the erasing transaction."""
    from privacy_ops.erasure import execute

    workspace = Workspace.load(settings_of.from_environment())
    return execute.erase_database(workspace, _read_run(workspace, given["run_id"]), now=datetime.now(UTC))


def sweep(given: Arguments) -> dict[str, Any]:
    """Erase the objects of a run whose rows are gone, look through every store, and certify."""
    from privacy_ops.erasure import verify
    from privacy_ops.erasure.certificates import certify
    from privacy_ops.erasure.objects import erase as object_erasure

    workspace = Workspace.load(settings_of.from_environment())
    run = _read_run(workspace, given["run_id"])
    object_erasure.erase_objects(workspace, run, now=datetime.now(UTC))
    verify.verify(workspace, run, now=datetime.now(UTC))
    return certify.certify(workspace, run, now=datetime.now(UTC))


def judge(given: Arguments) -> dict[str, Any]:
    """Judge so many flows under both regimes."""
    from bench import transfers

    return transfers.run(given["flows"])


def _read_run(workspace: Workspace, run_id: str) -> Run:
    with workspace.database("erase").transaction(read_only=True) as connection:
        return runs.read_run(connection, run_id)


def open_run(workspace: Workspace, run_id: str, *, dry_run: bool = False) -> Run:
    """Record a run as of now, one that really acts unless it is a rehearsal."""
    with workspace.database("detect").transaction() as connection:
        return runs.open_run(
            connection,
            run_id=run_id,
            dag_id=run_id.partition("/")[0],
            now=datetime.now(UTC),
            run_type="manual",
            dry_run=dry_run,
            thresholds_sha256=workspace.thresholds.sha256(),
            map_sha256=workspace.map_sha256,
        )


STEPS: dict[str, Callable[[Arguments], dict[str, Any]]] = {
    "generate": generate,
    "detect": detect,
    "plan": plan,
    "erase": erase,
    "sweep": sweep,
    "judge": judge,
}


def main() -> None:
    given = json.load(sys.stdin)
    began = time.perf_counter()
    answer = STEPS[sys.argv[1]](given)
    seconds = time.perf_counter() - began
    print(json.dumps({**answer, "seconds": seconds, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
