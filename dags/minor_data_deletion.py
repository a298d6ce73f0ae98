"""### Find people under 18 and erase what we hold about them

Policy section 10: should we discover data of anybody under 18, it is deleted immediately. Every night at 02:15 UTC
the job looks at everything that people declared or reported about an age, judges everybody as of the run's wall clock,
takes out of use at once whoever is or may be a minor, and erases confirmed minors from the database and every object
store. Nothing is guessed from names, pictures or behaviour.

**What it reads** Dates of birth however they are written, stated ages and age bands, boxes and age gates, school
years, kinds of attendance, guardians, reports, what a scan found in submitted files; and what people wrote in English,
Spanish, French and German, of which only the rule and the offsets are kept. Where each stands is an entry of the map.

**What follows** The person's own statement, with nothing against it, confirms: restricted, told, erased. A report, a
sentence, contradicting or unclear statements make a suspicion: restricted until people decide in `minor_case_review`;
no machine erases or releases it. A child who is a row (an attendee, a file) is judged as that row, never as the account
it hangs on. A source that cannot be trusted tonight locks and erases nobody: its people are left out of exports and
sends and the privacy lead is asked. `minor_signal_intake` does the same with new evidence every 15 minutes.

**Inputs** the data map, the publisher's database and buckets, `gov.minor_report`, `gov.case_decision`,
`gov.legal_hold`, `gov.dsr_request`.

**Outputs** `gov.minor_case` and `gov.minor_signal` (codes and hashes, no values), the notices, the ledger and the
suppression list with their copies in the evidence bucket, `gov.erasure_plan` and its steps, instructions to processors,
signed certificates (`certificates/<case>.json` in the evidence bucket).

**Gates** `minors.source.<column>` per source: a faulty source is left out, the others go on. `minors.detection`: the
detectors see. `erasure.plan`: every subject was under 18 at discovery, recomputed from the sources; no hold, no open
access request; every foreign-key child covered; plan frozen and hashed. `erasure.done`: nothing left, nothing else
gone. Restriction never waits for a gate. The erasure opens the lock itself: marking a gate as success opens nothing.

**Volume breaker** Many cases in one night wait for two different people; nobody answering means no.

**Params** `dry_run`: only count (default for runs started by hand). A backfill is judged as of now and only counts.

**Example** `airflow dags trigger minor_data_deletion --conf '{"dry_run": false}'` erases now what the night would.

**Runbook** `docs/runbooks/minor_data_deletion.md`
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task
from privacy_ops.airflow_support.approvals import AskPerson
from privacy_ops.airflow_support.gates import linked
from privacy_ops.airflow_support.jobs import DEFAULT_ARGS, DESTRUCTIVE_POOL, current_job, open_job, utc_now
from privacy_ops.airflow_support.links import XCOM_KEY

# The two waits together stay below the 24 hours for which the gate's verdict holds.
WAITS = timedelta(hours=10)


@dag(
    schedule=CronDataIntervalTimetable("15 2 * * *", timezone="UTC"),
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
            description="Judge and count, restrict and erase nothing. Scheduled runs are real whatever stands here.",
        )
    },
)
def minor_data_deletion() -> None:
    @task
    def open_run() -> str:
        """Record the run and its wall clock, as of which everybody is judged."""
        _, run = open_job("detect", destructive=True)
        return run.run_id

    @task
    def check_sources() -> dict[str, Any]:
        """Judge each source of age evidence; a faulty one is left out."""
        from privacy_ops.minors import gates

        with linked(get_current_context()):
            return gates.check_sources(*current_job("detect"))

    @task
    def detect_and_restrict() -> dict[str, Any]:
        """Open cases and restrict in one transaction, queue the notices; then judge whether the detectors see."""
        from privacy_ops.airflow_support.settings import with_mail
        from privacy_ops.minors import detect, gates, notices

        context = get_current_context()
        workspace, run = current_job("detect")
        counts = detect.detect_and_restrict(workspace, run)
        counts["notices"] = notices.queue(with_mail(workspace), run, now=utc_now())
        with linked(context):
            judged = gates.judge_detection(workspace, run, counts)
        context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        return counts | judged

    @task
    def plan() -> dict[str, Any]:
        """Freeze what would be erased, row by row and object by object."""
        from privacy_ops.erasure import plan

        return plan.plan(*current_job("erase"), now=utc_now())

    @task
    def gate_plan() -> dict[str, Any]:
        """May exactly this be destroyed?"""
        from privacy_ops.erasure import gates

        context = get_current_context()
        with linked(context):
            judged = gates.judge_plan(*current_job("erase"), now=utc_now())
        if "gate_result_id" in judged:
            context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        return judged

    first_approval, second_approval = (
        AskPerson(
            task_id=name,
            request="privacy_ops.erasure.release:breaker_request",
            duty="erase",
            person=person,
            waits=WAITS,
        )
        for person, name in ((1, "first_approval"), (2, "second_approval"))
    )

    @task(pool=DESTRUCTIVE_POOL)
    def erase_database() -> dict[str, Any]:
        """Write ahead, then erase the frozen rows in one transaction that opens the lock itself."""
        from privacy_ops.erasure import execute

        with linked(get_current_context()):
            return execute.erase_database(*current_job("erase"), now=utc_now())

    @task(pool=DESTRUCTIVE_POOL)
    def erase_objects() -> dict[str, Any]:
        """Erase every version of the planned objects, and finish what a killed run left."""
        from privacy_ops.erasure.objects import erase as objects

        return objects.erase_objects(*current_job("erase"), now=utc_now())

    @task
    def verify() -> dict[str, Any]:
        """Search every mapped table and bucket for what may be left, and judge."""
        from privacy_ops.erasure import verify

        with linked(get_current_context()):
            return verify.verify(*current_job("erase", "detect"), now=utc_now())

    @task
    def certify() -> dict[str, Any]:
        """Sign a certificate per case, close the cases, empty our own tables of keys; close the run, measure."""
        from privacy_ops import runs
        from privacy_ops.erasure.certificates import certify as certificate
        from privacy_ops.minors import service_levels

        workspace, run = current_job("erase")
        counts = certificate.certify(workspace, run, now=utc_now())
        with workspace.database("erase").transaction() as connection:
            runs.close_run(connection, run.run_id, now=utc_now(), state="done", facts={})
        return counts | {"breached": service_levels.record(workspace, run, now=utc_now())}

    (
        open_run()
        >> check_sources()
        >> detect_and_restrict()
        >> plan()
        >> gate_plan()
        >> first_approval
        >> second_approval
        >> erase_database()
        >> erase_objects()
        >> verify()
        >> certify()
    )


minor_data_deletion()
