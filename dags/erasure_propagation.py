"""### Tell processors and recipients about erasures, and keep at them until they have answered

Whoever was given an erased person's data is told: processors are instructed to delete (with their sub-processors),
other controllers are notified (GDPR Art. 19), accreditors learn that a certificate is withdrawn. Every hour the job
sends what is due, tries again what failed, reminds after 72 hours, escalates after 7 days and writes down a breach
after 30.

**Inputs** `gov.downstream_instruction` and `gov.work_item`, written before the rows were deleted;
`include/registry/downstream.yaml`: who is reached how. Connections `privacy_ops_erase`, `privacy_ops_objects`,
`privacy_ops_smtp`.

**Outputs** signed webhooks and mails, `gov.downstream_event`, signed supplements beside the certificates, service level
M5 (hours from instruction to acknowledgement) in the run's facts. What a party knows a person by is destroyed when it
has answered, and after 7 days at the latest.

**Gates** `downstream.acknowledged`: everybody can be reached, was told in time and has answered; a red gate stops
nothing but calls a person.

**Params** `dry_run`: tell nobody, only count (default for runs started by hand). A backfill only counts.

**Example** `airflow dags trigger erasure_propagation --conf '{"dry_run": false}'` sends now what the next hour would.

**Runbook** `docs/runbooks/erasure_propagation.md`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task
from privacy_ops.airflow_support.gates import linked
from privacy_ops.airflow_support.jobs import DEFAULT_ARGS, current_job, open_job, utc_now
from privacy_ops.airflow_support.links import XCOM_KEY


@dag(
    schedule=CronDataIntervalTimetable("40 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["privacy", "minors", "erasure", "downstream"],
    params={
        "dry_run": Param(
            True,
            type="boolean",
            title="Only count",
            description="Tell nobody and move nothing. Scheduled runs are real whatever stands here.",
        )
    },
)
def erasure_propagation() -> None:
    @task
    def open_run() -> str:
        """Record the run and its wall clock."""
        _, run = open_job("erase", destructive=True)
        return run.run_id

    @task
    def follow_up() -> dict[str, Any]:
        """Chase, escalate, withdraw what was never carried out, destroy identifiers whose time is over."""
        from privacy_ops.erasure.downstream import outbox as downstream

        return downstream.follow_up(*current_job("erase"), now=utc_now())

    @task
    def deliver() -> dict[str, Any]:
        """Send what is due, party by party."""
        from privacy_ops.airflow_support.settings import with_mail
        from privacy_ops.erasure.downstream import outbox as downstream

        workspace, run = current_job("erase")
        return downstream.deliver(with_mail(workspace), run, now=utc_now())

    @task
    def supplement() -> dict[str, Any]:
        """Sign what parties answered after a case was certified."""
        from privacy_ops.erasure.certificates import certify as certificate

        return certificate.supplement(*current_job("erase"), now=utc_now())

    @task
    def gate_acknowledged() -> dict[str, Any]:
        """Has everybody been told in time, and has everybody answered? Closes the run."""
        from privacy_ops import runs
        from privacy_ops.erasure.downstream import gate as downstream_gate

        context = get_current_context()
        workspace, run = current_job("erase")
        with linked(context):
            judged = downstream_gate.judge_outbox(workspace, run, now=utc_now())
        context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        with workspace.database("erase").transaction() as connection:
            runs.close_run(connection, run.run_id, now=utc_now(), state="done", facts={})
        return judged

    open_run() >> follow_up() >> deliver() >> supplement() >> gate_acknowledged()


erasure_propagation()
