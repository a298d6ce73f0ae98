"""Between two nights: the same detection over what is new, every 15 minutes, so that "immediately" is no nightly word.

It restricts as the night does and erases nothing itself. When a case may be erased that no erasure run has looked at,
it says so, and the DAG starts a run of the one erasure there is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from privacy_ops import runs, working_days
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Suite, at_least, at_most, one_row
from privacy_ops.minors import decisions, detect, notices
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace

GATE = "minors.intake"
RUNBOOK = "docs/runbooks/minor_signal_intake.md"
CURSOR = "minor_signal_intake"
ERASURE_DAG = "minor_data_deletion"
# A row's timestamp is set before its transaction commits: look back, what was judged already changes nothing.
LOOK_BACK = timedelta(minutes=30)


def suite(limits: Thresholds) -> Suite:
    """Whether the intake saw anything and keeps up."""
    return Suite(
        GATE,
        "The intake reads what is new",
        (
            one_row(),
            at_least("G-01-SOURCES", "At least one source was read", "sources", 1, do="mend the sources"),
            at_most(
                "G-01-EXCLUDED",
                "No source was left out",
                "sources_excluded",
                0,
                severity="warning",
                do="read the last night's gate of that source: its people are restricted softly until it is sound",
            ),
            at_most(
                "M1-BEHIND",
                f"What is read is at most {limits.intake.late_minutes} minutes old",
                "minutes_behind",
                limits.intake.late_minutes,
                severity="warning",
                do="the scheduler or the database was away; what came meanwhile was read now",
            ),
        ),
        RUNBOOK,
    )


def take_in(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Judge and restrict what came since the last intake, and queue the notices; returns counts and the verdict's id.

    The position moves only after the restrictions are committed: a killed intake reads the same again. A rehearsal
    moves nothing. Raises GateBlocked after restricting, never before.
    """
    database = workspace.database("detect")
    with database.transaction(read_only=True) as connection:
        position = connection.execute(
            statement("intake", "select_position"), {"name": CURSOR, "dag_id": ERASURE_DAG}
        ).scalar_one()
    limits = workspace.thresholds
    since = position or run.as_of - timedelta(hours=limits.detection_max_age_hours)
    counts = detect.detect_and_restrict(workspace, run, since=since - LOOK_BACK)
    told = notices.queue(workspace, run, now=now)
    metrics = {
        "sources": counts["sources_read"],
        "sources_excluded": counts["sources_excluded"],
        "minutes_behind": round(max((run.as_of - since).total_seconds(), 0) / 60, 1),
    }
    with database.transaction() as connection:
        if not counts["rehearsal"]:
            connection.execute(
                statement("intake", "upsert_position"), {"name": CURSOR, "position": run.as_of, "run_id": run.run_id}
            )
        kept = {k: counts[k] for k in ("classes", "values_read", "rehearsal", "opened", "restricted") if k in counts}
        runs.add_facts(connection, run.run_id, {"intake": kept | metrics, "notices": told})
        verdict = _judge(metrics, run, limits, now)
        gate_result_id = runner.record(connection, verdict)
    runner.raise_if_blocked(verdict, gate_result_id)
    return counts | {"notices": told, "gate": verdict.verdict, "gate_result_id": gate_result_id}


def _judge(metrics: Mapping[str, float], run: Run, limits: Thresholds, now: datetime) -> runner.Verdict:
    import pandas as pd

    return runner.judge(
        suite(limits),
        pd.DataFrame([dict(metrics)]),
        run_id=run.run_id,
        subject_sha256=hashlib.sha256(json.dumps(dict(metrics), sort_keys=True).encode()).hexdigest(),
        judged_at=now,
        valid_for=timedelta(minutes=limits.intake.late_minutes),
    )


def request_erasure(workspace: Workspace, run: Run, *, now: datetime) -> int:
    """How many cases wait for an erasure run that nobody has asked for yet; they are claimed by this run."""
    limits = workspace.thresholds
    if runs.is_rehearsal(run, max_drift_hours=limits.as_of_max_drift_hours):
        return 0
    with workspace.database("detect").transaction() as connection:
        wanted = connection.execute(
            statement("intake", "request_erasure"), {"run_id": run.run_id, "now": now, "dag_id": ERASURE_DAG}
        ).rowcount
        runs.add_facts(connection, run.run_id, {"erasure_requested": int(wanted)})
    return int(wanted)


def urgent_reviews(workspace: Workspace, run: Run, *, now: datetime) -> int:
    """How many cases should be decided today and were not asked about yet; 0 when nobody is at work."""
    limits = workspace.thresholds
    local = now.astimezone(ZoneInfo(limits.legal_timezone))
    at_work = working_days.is_working_day(local.date()) and 8 <= local.hour < 17
    if not at_work or runs.is_rehearsal(run, max_drift_hours=limits.as_of_max_drift_hours):
        return 0
    classes = sorted(name for name, days in decisions.DUE_DAYS.items() if days == 0)
    with workspace.database("detect").transaction(read_only=True) as connection:
        found = connection.execute(statement("intake", "count_urgent_reviews"), {"classes": classes})
        return int(found.scalar_one())
