"""### Restrict at once whoever new evidence says is under 18

Policy section 10: should we discover data of anybody under 18, it is deleted immediately. A night is too long for a
ticket that was read at nine. Every 15 minutes this job runs the same detection as `minor_data_deletion` over what came
since its last look: tickets, reports, registrations, forms, imports.

**Inputs** every source of age evidence whose table says when its rows came, `gov.minor_report`, and where the last look
ended (`gov.intake_cursor`).

**Outputs** cases and restrictions, as in the night; the notice to people who were shut out on their own statement; a
run of `minor_data_deletion` when somebody may be erased whom no erasure run has looked at (confirmed now, decided by
people, or the time to answer the notice is over); a run of `minor_case_review` for what people should decide today.

**Gate** `minors.intake`: sources were read, and the look is not late. It is judged after the restrictions.

**Params** `dry_run`: only count (default for runs started by hand). A backfill only counts.

**Example** `airflow dags trigger minor_signal_intake --conf '{"dry_run": false}'` looks now, not in a few
minutes.

**Runbook** `docs/runbooks/minor_signal_intake.md`
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
    schedule=CronDataIntervalTimetable("*/15 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["privacy", "minors", "intake"],
    params={
        "dry_run": Param(
            True,
            type="boolean",
            title="Only count",
            description="Judge and count, restrict and start nothing. Scheduled runs are real whatever stands here.",
        )
    },
)
def minor_signal_intake() -> None:
    @task
    def open_run() -> str:
        """Record the run and its wall clock, as of which everybody is judged."""
        _, run = open_job("detect", destructive=True)
        return run.run_id

    @task
    def take_in() -> dict[str, Any]:
        """Judge and restrict what is new, and queue the notices; then judge whether the intake sees."""
        from privacy_ops.airflow_support.settings import with_mail
        from privacy_ops.minors import intake

        context = get_current_context()
        workspace, run = current_job("detect")
        with linked(context):
            counts = intake.take_in(with_mail(workspace), run, now=utc_now())
        context["ti"].xcom_push(key=XCOM_KEY, value=counts["gate_result_id"])
        return counts

    @task
    def tell() -> dict[str, Any]:
        """Send the notices that are queued. A mail server that is down holds up no erasure."""
        from privacy_ops.airflow_support.settings import with_mail
        from privacy_ops.minors import notices
        from privacy_ops.stores.mail import MailServer

        workspace, run = current_job("notify")
        workspace = with_mail(workspace)
        if workspace.settings.mail is None or run.dry_run:
            return {"sent": 0}
        return notices.send(workspace, MailServer(workspace.settings.mail).send, now=utc_now())

    # Only the start is left out: the run is closed whatever is wanted.
    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def erasure_wanted() -> int:
        """How many cases wait for an erasure run; 0 starts none."""
        from privacy_ops.minors import intake

        return intake.request_erasure(*current_job("detect"), now=utc_now())

    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def review_wanted() -> int:
        """How many cases people should decide today; 0 asks nobody."""
        from privacy_ops.minors import intake

        return intake.urgent_reviews(*current_job("detect"), now=utc_now())

    start_erasure = TriggerDagRunOperator(
        task_id="start_erasure",
        trigger_dag_id="minor_data_deletion",
        trigger_run_id="intake__{{ run_id }}",  # a retry starts no second one
        conf={"dry_run": False},
        skip_when_already_exists=True,
    )
    start_review = TriggerDagRunOperator(
        task_id="start_review",
        trigger_dag_id="minor_case_review",
        trigger_run_id="intake__{{ run_id }}",
        skip_when_already_exists=True,
    )

    @task(trigger_rule="none_failed")
    def close_run() -> None:
        """Close the run."""
        from privacy_ops import runs

        workspace, run = current_job("detect")
        with workspace.database("detect").transaction() as connection:
            runs.close_run(connection, run.run_id, now=utc_now(), state="done", facts={})

    taken, erasure, review = take_in(), erasure_wanted(), review_wanted()
    open_run() >> taken >> [tell(), erasure, review]
    erasure >> start_erasure
    review >> start_review
    [start_erasure, start_review] >> close_run()


minor_signal_intake()
