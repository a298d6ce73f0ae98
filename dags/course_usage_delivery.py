"""### Bring each release to whom it was made for, and to nobody else

Policy section 3 lets anonymised figures go to the authors and supporters of a course. `course_usage_export` registers
a release; this job delivers it. Every hour it packs what was registered and not sent yet into one file per release,
writes each recipient a mail with a link to it, notes who fetched or confirmed it, and takes back what was withdrawn.

**Inputs** `gov.release_register`, recipients, agreements and entitlements as they stand now, the block list of the
transfer inventory, the addresses in `include/registry/recipients.yaml`, the access log of the bucket of exports
(`PRIVACY_OPS_ACCESS_LOGS`). Connections `privacy_ops_export`, `privacy_ops_objects`, `privacy_ops_smtp`.

**Outputs** `delivery/<recipient>/<release>/….zip` in the bucket of exports, one mail per recipient;
`gov.delivery_mail` and `gov.release_delivery` (prepared, sent, blocked, receipt, downloaded, expired, recalled).
Neither an address nor a link stands in any of them, nor in a log.

**Blocked** and visible as a row with its reason: withdrawn, recipient or entitlement ended, destination blocked, bytes
that are not the registered ones, an address that is not the one that was loaded.

**Gate** `export.delivery` (E-16): amber when nobody has fetched or confirmed a release 72 hours after its mail, red
when the links have ended without it, when people must mend what blocks, or when something withdrawn is still served.
A red gate stops no delivery; it calls a person.

**Params** `dry_run`: send nothing, only count (default for runs started by hand). A backfill only counts.

**Example** `airflow dags trigger course_usage_delivery --conf '{"dry_run": false}'` delivers what the next hour would.

**Runbook** `docs/runbooks/course_usage_delivery.md`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task
from privacy_ops.airflow_support.gates import linked
from privacy_ops.airflow_support.jobs import DEFAULT_ARGS, current_job, open_job, utc_now
from privacy_ops.airflow_support.links import XCOM_KEY


@dag(
    schedule=CronDataIntervalTimetable("50 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["privacy", "export", "delivery"],
    params={
        "dry_run": Param(
            True,
            type="boolean",
            title="Only count",
            description="Send nothing and note nothing. Scheduled runs are real whatever stands here.",
        )
    },
)
def course_usage_delivery() -> None:
    @task
    def open_run() -> str:
        """Record the run and its wall clock."""
        _, run = open_job("export", destructive=True)
        return run.run_id

    @task
    def prepare() -> dict[str, Any]:
        """Check and pack what was released and not sent yet."""
        from privacy_ops.usage.delivery.prepare import prepare as prepare_deliveries

        return prepare_deliveries(*current_job("export"), now=utc_now())

    @task
    def follow_up() -> dict[str, Any]:
        """Finish recalls, note downloads, renew links while nobody has come, end what is over."""
        from privacy_ops.usage.delivery.follow_up import follow_up as follow_deliveries

        return follow_deliveries(*current_job("export"), now=utc_now())

    @task
    def send() -> dict[str, Any]:
        """Send the mails that wait; without a mail server they go on waiting, and the gate says so."""
        from privacy_ops.airflow_support.settings import with_mail
        from privacy_ops.stores.mail import MailServer
        from privacy_ops.usage.delivery.send import send as send_mails

        workspace, run = current_job("export")
        workspace = with_mail(workspace)
        if workspace.settings.mail is None:
            return {"no_mail_server": 1}
        return send_mails(workspace, run, MailServer(workspace.settings.mail).send, now=utc_now())

    @task
    def gate_delivery() -> dict[str, Any]:
        """Has everybody got what was released to them, and nobody anything else? Closes the run."""
        from privacy_ops import runs
        from privacy_ops.usage.delivery.gate import judge_delivery

        context = get_current_context()
        workspace, run = current_job("export")
        with linked(context):
            judged = judge_delivery(workspace, run, now=utc_now())
        context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        with workspace.database("export").transaction() as connection:
            runs.close_run(connection, run.run_id, now=utc_now(), state="done", facts={})
        return judged

    open_run() >> prepare() >> follow_up() >> send() >> gate_delivery()


course_usage_delivery()
