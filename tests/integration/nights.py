"""A whole night of the deletion job, task after task, as the DAG calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from privacy_ops.erasure import execute, verify
from privacy_ops.erasure.certificates import certify as certificate
from privacy_ops.erasure.gates import judge_plan
from privacy_ops.erasure.objects import erase as object_erasure
from privacy_ops.erasure.plan import plan
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources, judge_detection
from privacy_ops.runs import Run
from privacy_ops.workspace import Workspace

from tests.integration.press import NOW


def find(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Check sources, detect, restrict, judge the detection."""
    check_sources(workspace, run)
    counts = detect_and_restrict(workspace, run)
    judge_detection(workspace, run, counts)
    return counts


def prepare(workspace: Workspace, run: Run, now: datetime = NOW) -> dict[str, Any]:
    """Everything before the erasure: find, plan, judge the plan."""
    find(workspace, run)
    made = plan(workspace, run, now=now)
    judge_plan(workspace, run, now=now)
    return made


def finish(workspace: Workspace, run: Run, now: datetime = NOW) -> dict[str, Any]:
    """The erasure and everything after it."""
    return {
        "database": execute.erase_database(workspace, run, now=now),
        "objects": object_erasure.erase_objects(workspace, run, now=now),
        "verified": verify.verify(workspace, run, now=now),
        "certified": certificate.certify(workspace, run, now=now),
    }


def whole(workspace: Workspace, run: Run, now: datetime = NOW) -> dict[str, Any]:
    """A night without people in it."""
    return {"plan": prepare(workspace, run, now)} | finish(workspace, run, now)


def _detect(workspace: Workspace, run: Run, _now: datetime) -> Any:
    return judge_detection(workspace, run, detect_and_restrict(workspace, run))


# The tasks of the DAG in their order, for tests that stop between two of them.
STEPS: Mapping[str, Callable[[Workspace, Run, datetime], Any]] = {
    "check_sources": lambda workspace, run, _now: check_sources(workspace, run),
    "detect_and_restrict": _detect,
    "plan": lambda workspace, run, now: plan(workspace, run, now=now),
    "gate_plan": lambda workspace, run, now: judge_plan(workspace, run, now=now),
    "erase_database": lambda workspace, run, now: execute.erase_database(workspace, run, now=now),
    "erase_objects": lambda workspace, run, now: object_erasure.erase_objects(workspace, run, now=now),
    "verify": lambda workspace, run, now: verify.verify(workspace, run, now=now),
    "certify": lambda workspace, run, now: certificate.certify(workspace, run, now=now),
}
