"""### Look for erased people again

A person who was erased comes back from a restored backup, a vendor's list, a phone that was offline. One, seven and 35
days after a case was closed, every night at 04:30 UTC, this job looks for all due cases in one pass over every
identifier of every mapped table and over every bucket of people. Nothing is known of them any more but keyed
references, so what stands in the stores is hashed and compared.

Airflow's own database and task logs are searched as well: nobody may stand in them.

**Inputs** `gov.sweep_identifier`, the suppression list and the ledger (references), the data map, the publisher's
database and buckets, the buckets of backups.

**Outputs** `gov.sweep` (what was looked for), `gov.return_finding` (what was found), new cases in `gov.minor_case`
with the restriction of their people, `gov.backup_age_out` (from when no backup holds an erased person).

**Gates** `erasure.sweep`: nothing came back; every table and bucket was read; a value known to be there was found in
every column; no reference was made by a key now gone; no sweep and no backup is overdue; the ledger verifies.
Restriction and erasure of what came back never wait for it. `orchestrator.traces`: nobody stands in what Airflow keeps
of itself (connection `privacy_ops_airflow_db`), and the search looked and saw.

**Params** `dry_run`: only count (default for runs started by hand). A backfill only counts.

**Example** `airflow dags trigger erasure_verification --conf '{"dry_run": false}'` sweeps now what is due.

**Runbook** `docs/runbooks/erasure_verification.md`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task
from privacy_ops.airflow_support.gates import linked
from privacy_ops.airflow_support.jobs import DEFAULT_ARGS, current_job, open_job, utc_now
from privacy_ops.airflow_support.links import XCOM_KEY


@dag(
    schedule=CronDataIntervalTimetable("30 4 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["privacy", "minors", "erasure"],
    params={
        "dry_run": Param(
            True,
            type="boolean",
            title="Only count",
            description="Look and count, restrict nobody. Scheduled runs are real whatever stands here.",
        )
    },
)
def erasure_verification() -> None:
    @task
    def open_run() -> str:
        """Record the run and its wall clock."""
        _, run = open_job("erase", "detect", destructive=True)
        return run.run_id

    @task
    def sweep() -> dict[str, Any]:
        """Look for every case that is due; restrict and open a case for what came back."""
        from privacy_ops.erasure.returning import resweep

        return resweep.sweep_due(*current_job("erase", "detect"), now=utc_now())

    @task
    def search_orchestrator() -> dict[str, Any]:
        """Look for people in Airflow's metadata database and task logs, and judge."""
        from privacy_ops.airflow_support import traces

        context = get_current_context()
        with linked(context):
            judged = traces.sweep_traces(*current_job("erase"), now=utc_now())
        context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        return judged

    @task
    def judge_sweep() -> dict[str, Any]:
        """Did anybody come back, and did the search see? Closes the run."""
        from privacy_ops import runs
        from privacy_ops.erasure.returning import resweep

        context = get_current_context()
        workspace, run = current_job("erase")
        with linked(context):
            judged = resweep.judge_sweep(workspace, run, now=utc_now())
        if "gate_result_id" in judged:
            context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        with workspace.database("erase").transaction() as connection:
            runs.close_run(connection, run.run_id, now=utc_now(), state="done", facts={})
        return judged

    @task.short_circuit
    def anything_to_erase() -> bool:
        """Whether something came back that is to be erased again."""
        counts = get_current_context()["ti"].xcom_pull(task_ids="sweep")
        return bool(counts["returned"]) and not counts["rehearsal"]

    # The engine that erased the first time erases again, with all its gates; beside the judgement, not after it.
    erase_again = TriggerDagRunOperator(
        task_id="erase_again",
        trigger_dag_id="minor_data_deletion",
        conf={"dry_run": False},
    )

    found = sweep()
    opened = open_run()
    opened >> found >> judge_sweep()
    # Beside the others: a trace in a log must not keep anybody who came back from being erased.
    opened >> search_orchestrator()
    found >> anything_to_erase() >> erase_again


erasure_verification()
