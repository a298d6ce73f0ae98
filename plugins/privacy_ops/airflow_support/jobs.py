"""What every DAG shares: default arguments, and the way a task gets its workspace and its recorded run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule, get_current_context

from privacy_ops import runs
from privacy_ops.airflow_support.notifiers import OperatorNotifier
from privacy_ops.airflow_support.settings import settings_for
from privacy_ops.runs import Run
from privacy_ops.workspace import Workspace

DESTRUCTIVE_POOL = "privacy_destructive"

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "privacy-operations",
    # What a person must mend fails at once; a store that is away is tried again for 8 to 16 minutes (each wait is twice
    # the one before, and up to as long again): a database moves to its replica, a starved machine recovers.
    "retries": 5,
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": 2,
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(
                exception="privacy_ops.errors.UserError",
                action=RetryAction.FAIL,
                reason="a person must mend this; trying again does not help",
            )
        ]
    ),
    "on_failure_callback": [OperatorNotifier()],
}

# Of a task that asks people. Airflow 3.3.2 fails a try when its answer comes before the scheduler has heard that the
# worker which parked the question ended (it takes that for the end of the answered task); on a busy machine this is
# seconds later. The question is then raised again, soon, and must not run out of tries, nor when one person answers
# twice.
ASKED_AGAIN: dict[str, Any] = {"retries": 40, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": 0}


def utc_now() -> datetime:
    """The wall clock. Tasks read it and pass it on; nothing below the tasks does."""
    return datetime.now(UTC)


def run_key(context: Any) -> str:
    """Name of the run in ``gov``: DAG and run id."""
    return f"{context['dag'].dag_id}/{context['run_id']}"


def open_job(*duties: str, destructive: bool = False) -> tuple[Workspace, Run]:
    """Record the current run (once) and return workspace and run. ``duties[0]`` writes the record.

    A destructive job is real when scheduled, obeys its ``dry_run`` Param when started by hand, and is always
    a dry run in a backfill: ages are judged now, and an old date must never destroy anything.
    """
    context = get_current_context()
    dag_run = context["dag_run"]
    run_type = str(getattr(dag_run.run_type, "value", dag_run.run_type))
    dry_run, note = False, ""
    if destructive and run_type == "backfill":
        dry_run, note = True, "Backfill: judged as of now, dry run only."
    elif destructive and run_type != "scheduled":
        dry_run = bool(context["params"].get("dry_run", True))
    workspace = Workspace.load(settings_for(*duties))
    now, drift = utc_now(), workspace.thresholds.as_of_max_drift_hours
    if destructive and not note and runs.is_old(dag_run.logical_date, now, max_drift_hours=drift):
        note = "About a day long past: judged as of now, only counted."
    with workspace.database(duties[0]).transaction() as connection:
        run = runs.open_run(
            connection,
            run_id=run_key(context),
            dag_id=context["dag"].dag_id,
            now=now,
            run_type=run_type,
            dry_run=dry_run,
            note=note,
            logical_date=dag_run.logical_date,
            thresholds_sha256=workspace.thresholds.sha256(),
            map_sha256=workspace.map_sha256,
        )
    return workspace, run


def current_job(*duties: str) -> tuple[Workspace, Run]:
    """Workspace and run of a task after the first. Raises UserError when the run was never opened."""
    workspace = Workspace.load(settings_for(*duties))
    with workspace.database(duties[0]).transaction(read_only=True) as connection:
        return workspace, runs.read_run(connection, run_key(get_current_context()))
