"""### Tell authors and supporters how their courses are used, and nothing about anybody

Policy section 3: anonymised and aggregated data about specific courses and modules may be released to their authors
and supporters. Every Wednesday at 06:00 UTC the job takes the London ISO week that ended on the Sunday before, closed
for 48 hours, and releases what closes with it: the week for busy courses, a block of 4-4-5 weeks or the quarter for
others, every quarter by country (authors) and world region (supporters), every year by region. It counts starters,
completers, minutes and, of a quarter's beginners, who finished; it withholds and rounds until nobody can be worked
out, and publishes one pack per recipient and period.

**Inputs** `include/release_spec.yaml` (dimensions, measures, thresholds, audiences); the data map's usage view and its
exclusions; open minor cases; countries and institutions (`include/reference`, `include/registry`); recipients,
agreements and entitlements (`include/registry/recipients.yaml`).

**Outputs** `gov.release_base_period`, `gov.release_master` (protected cells, kept once), `gov.release_register`,
`gov.release_event`; in the bucket of exports `exports/<product>/<recipient>/<week>/<release>/` with the files of
`docs/packs.md`, signed.

**Gates** `export_input`: detection of minors green within 26 hours, nobody who must not be counted, week closed,
volume. `export_files`: judged on the staged files as read back: thresholds, rounding, an attacker's intervals from each
pack, from all packs and from all periods together, columns, metadata, signature, identifiers, entitlements, nothing
restated. `export_published`: published bytes are the registered ones. Protecting and publishing open the locks
themselves: marking a gate as success opens nothing.

**A person approves**, having read the staged files as an intruder would, whenever they hold a product, dimension or
measure that was never released before, when a gate warned, and each correction. Nobody answering means no. Other
releases do not ask.

**Again** A released period is served as it was: re-running, clearing and backfilling in any order give the same bytes,
also after somebody was erased. A week with which nothing closes releases nothing and is green.

**Corrections** `python -m privacy_ops release correct 2026-W40 --reason … --by …` answers with a number; a run with
that number counts the week, and the quarter and year that it is in, once more and releases a new revision of the packs
that say something else. A published value may change by nothing or by 15 and more, or become withheld.

**Params** `iso_week`: the week to export, such as `2026-W47`. Empty: the week of the run's interval, or the latest one
that has been closed for 48 hours. `correction`: number of a correction to carry out, instead of a week.

**Example** `airflow dags trigger course_usage_export --conf '{"iso_week": "2026-W40"}'`; past weeks by
`airflow backfill create --dag-id course_usage_export --from-date 2026-10-21 --to-date 2026-11-11`

**Runbook** `docs/runbooks/course_usage_export.md`
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task
from privacy_ops.airflow_support.approvals import AskPerson
from privacy_ops.airflow_support.gates import linked
from privacy_ops.airflow_support.jobs import DEFAULT_ARGS, current_job, open_job, utc_now
from privacy_ops.airflow_support.links import XCOM_KEY


@dag(
    schedule=CronDataIntervalTimetable("0 6 * * 3", timezone="UTC"),
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=2,  # a first release that waits must not hold up a backfill; the year's lock serialises the rest
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["privacy", "export"],
    params={
        "iso_week": Param(
            None,
            type=["null", "string"],
            pattern=r"^\d{4}-W\d{2}$",
            title="ISO week",
            description="The London week to export, such as 2026-W47. Empty: the latest that is closed.",
        ),
        "correction": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Correction",
            description="Number that `release correct` answered with: count that period again, and nothing else.",
        ),
    },
)
def course_usage_export() -> None:
    @task
    def open_run() -> dict[str, Any]:
        """Record the run, its wall clock and its week."""
        from privacy_ops.airflow_support.windows import current_week
        from privacy_ops.usage import release

        workspace, run = open_job("export")
        number = get_current_context()["params"].get("correction")
        week = current_week(run, workspace.thresholds)
        return release.open_week(workspace, run, week, correction=number, now=utc_now())

    @task
    def gate_input() -> dict[str, Any]:
        """May this week be counted?"""
        from privacy_ops.usage import release

        context = get_current_context()
        with linked(context):
            judged = release.judge_input(*current_job("export"), now=utc_now())
        context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        return judged

    @task
    def protect() -> dict[str, Any]:
        """Count, withhold and round what closes with the week, once; keep the protected cells."""
        from privacy_ops.usage import release

        return release.protect(*current_job("export"), now=utc_now())

    @task
    def stage() -> dict[str, Any]:
        """Write each recipient's pack where only the gate reads it."""
        from privacy_ops.usage import release

        return release.stage(*current_job("export"))

    @task
    def gate_files() -> dict[str, Any]:
        """May exactly these files be published?"""
        from privacy_ops.usage import release

        context = get_current_context()
        with linked(context):
            judged = release.judge_files(*current_job("export"), now=utc_now())
        context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        return judged

    approve_release = AskPerson(
        task_id="approve_release",
        request="privacy_ops.usage.release:release_request",
        duty="export",
        waits=timedelta(hours=20),
    )

    @task
    def publish() -> dict[str, Any]:
        """Put the judged files under free names and register them, all packs or none."""
        from privacy_ops.usage import release

        return release.publish(*current_job("export"), now=utc_now())

    @task
    def gate_published() -> dict[str, Any]:
        """Is what stands in the bucket what was judged and registered? Then the run ends with its numbers."""
        from privacy_ops.usage import release

        context = get_current_context()
        workspace, run = current_job("export")
        with linked(context):
            judged = release.judge_published(workspace, run, now=utc_now())
        context["ti"].xcom_push(key=XCOM_KEY, value=judged["gate_result_id"])
        return release.close(workspace, run, judged, now=utc_now())

    judged = open_run() >> gate_input() >> protect() >> stage() >> gate_files()
    judged >> approve_release >> publish() >> gate_published()


course_usage_export()
