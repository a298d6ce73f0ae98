"""Erasing a group of people three ways: the project's, by a hand-written script, and the same script without checks."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privacy_ops import approvals, runs
from privacy_ops.approvals import ApprovalRequest
from privacy_ops.erasure import execute, gates, plan
from privacy_ops.erasure.objects import erase as object_erasure
from privacy_ops.runs import Run

from bench.processor import of_session
from bench.world import World, now
from sandbox.publisher.database import Connection

_HERE = Path(__file__).parent
APPROVERS = ("rosa", "ravi")  # made-up people: many in one night need two


@dataclass(frozen=True)
class Script:
    """Erasing by hand: the statements, and the query that gives their temporary table ``victim``, for one run."""

    path: Path
    victims: str


BY_HAND = Script(
    _HERE / "erase_by_hand.sql",
    "SELECT a.user_id, lower(btrim(a.email_norm)) AS email"
    " FROM gov.minor_case AS c JOIN core.user_account AS a ON a.user_id::text = c.subject_key[1]"
    " WHERE c.class = 'CONFIRMED_MINOR' AND c.state = 'RESTRICTED' AND c.subject_kind = 'person'"
    " AND c.judged_by_run = %s",
)


@dataclass(frozen=True)
class Erased:
    """Processor seconds of each part (this process and PostgreSQL's), and what was planned and deleted.

    ``rows_gone`` is the erasing transaction with every check in it: holds, evidence, hash of the plan, control group,
    counts of the server, the ledger's entries of the cases. ``ahead`` is what is committed and copied before it; what
    each case left, for its certificate, is summed up when its objects are gone.
    """

    cases: int
    rows: int  # deleted
    retained: int  # emptied and kept
    plan: float
    gate: float
    ahead: float
    rows_gone: float

    @property
    def execute(self) -> float:
        """The erasing task as a whole."""
        return self.ahead + self.rows_gone

    @property
    def seconds(self) -> float:
        """Everything that a person would wait for, without the gate."""
        return self.plan + self.ahead + self.rows_gone


def erase(world: World, run_id: str, *, repeats: int = 3, between: Callable[[], object] = lambda: None) -> Erased:
    """Plan, judge and erase the database part of what the run's detection found.

    The erasing transaction is the best of ``repeats``. ``between`` is called before each: what it measures there had
    the same machine, whose speed changes with what its neighbours do.
    """
    workspace = world.workspace
    with workspace.database("erase").transaction(read_only=True) as connection:
        run = runs.read_run(connection, run_id)
    meter = world.meter
    times = [meter.used()]

    def lap() -> float:
        times.append(meter.used())
        return times[-1] - times[-2]

    plan.plan(workspace, run, now=now())
    planned = lap()
    gates.judge_plan(workspace, run, now=now())
    judged = lap()
    approve(world, run)
    with workspace.database("erase").transaction(read_only=True) as connection:
        frozen = plan.require_plan(connection, run.run_id)
    lap()
    allowed = execute.write_ahead(workspace, run, frozen, now=now())
    ahead = lap()
    # As the script is: the best of several, rolled back.
    gone = math.inf
    for _ in range(repeats):
        between()
        gone = min(gone, _taken_back(world, run, frozen, allowed))
    execute.erase_rows(workspace, run, frozen, allowed, now=now())
    done = execute.erase_database(workspace, run, now=now())  # nothing is left to do: it tells the counts
    return Erased(done["cases"], done["deleted"], done["retained"], planned, judged, ahead, gone)


def peak(world: World, people: int) -> tuple[int, dict[str, float]]:
    """Make, find and erase ``people`` minors; how many cases, and the peak memory (MiB) of each step.

    Each is a process of its own, as it is a task of its own; the gate between them is not measured.
    """
    world.make_minors(people)
    found = world.detect()
    run_id = found["run_id"]
    planned = world.child("plan", run_id=run_id)
    with world.workspace.database("erase").transaction(read_only=True) as connection:
        run = runs.read_run(connection, run_id)
    gates.judge_plan(world.workspace, run, now=now())
    approve(world, run)
    erased = world.child("erase", run_id=run_id)
    swept = world.child("sweep", run_id=run_id)
    steps = {"detect": found, "plan": planned, "erase": erased, "sweep and certify": swept}
    return erased["cases"], {step: answer["peak_mib"] for step, answer in steps.items()}


class _Back(Exception):
    """Rolls a transaction back."""


def _taken_back(world: World, run: Run, frozen: plan.Plan, allowed: plan.Content) -> float:
    """Processor seconds of the erasing transaction, rolled back at its end."""
    world.checkpoint()
    spent = 0.0
    try:
        with world.workspace.database("erase").transaction() as connection:
            driver: Any = connection.connection.dbapi_connection
            session = driver.info.backend_pid
            began = time.process_time() + of_session(session)
            execute.erase_in(connection, world.workspace, run, frozen, allowed, now=now())
            spent = time.process_time() + of_session(session) - began
            raise _Back
    except _Back:
        return spent


def approve(world: World, run: Run) -> None:
    """Two made-up people release a plan that the volume breaker holds."""
    with world.workspace.database("erase").transaction() as connection:
        made = plan.require_plan(connection, run.run_id)
        if not made.breaker_tripped:
            return
        request = ApprovalRequest(execute.BREAKER, made.sha256, "bench", "bench")
        for name in APPROVERS:
            approvals.record(connection, run.run_id, request, approver=name, decision="approve", at=now())


def by_hand(world: World, run_id: str, *, checks: bool = True, script: Script = BY_HAND) -> tuple[float, int]:
    """Processor seconds and deleted rows of the hand-written script for the people whom the run found; rolled back.

    Without ``checks`` no trigger and no foreign key is looked at: nothing can be faster.
    """
    world.checkpoint()
    with world.connect() as connection:
        if not checks:
            connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(f"CREATE TEMPORARY TABLE victim ON COMMIT DROP AS {script.victims}".encode(), (run_id,))
        connection.execute("ALTER TABLE victim ADD PRIMARY KEY (user_id)")
        connection.execute("ANALYZE victim")
        session = connection.info.backend_pid
        began = of_session(session)
        deleted = _carry_out(connection, script)
        seconds = of_session(session) - began
        connection.rollback()
    return seconds, deleted


def _carry_out(connection: Connection, script: Script) -> int:
    """Run the script statement by statement; returns how many rows it deleted."""
    text = re.sub(r"^--.*$", "", script.path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    deleted = 0
    for statement in filter(None, map(str.strip, text.split(";"))):
        cursor = connection.execute(statement.encode())
        if statement.startswith("DELETE"):
            deleted += cursor.rowcount
    return deleted


def finish(world: World, run_id: str) -> dict[str, Any]:
    """Erase objects, sweep and certify: what follows the database part."""
    from privacy_ops.erasure import verify
    from privacy_ops.erasure.certificates import certify as certificate

    workspace = world.workspace
    with workspace.database("erase").transaction(read_only=True) as connection:
        run = runs.read_run(connection, run_id)
    objects = object_erasure.erase_objects(workspace, run, now=now())
    found = verify.verify(workspace, run, now=now())
    certified = certificate.certify(workspace, run, now=now())
    return {"objects": objects, "verification": found, "certificates": certified}
