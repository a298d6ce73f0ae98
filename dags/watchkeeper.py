"""### Notice what nobody else notices

A job that fails tells operators itself. One that never starts, never ends, or keeps its promises too late tells
nobody. Every 15 minutes this job looks: did each DAG start and end in time, is a service level (M1 to M8) over its
limit, has every channel been told what it should know? It also sends the figures of the dashboard.

**Inputs** `gov.run`, the punctuality and alert thresholds of `include/thresholds.yaml`, the tables that the service
levels are measured from. Connections `privacy_ops_operate`, `privacy_ops_objects`; to tell somebody,
`privacy_ops_smtp` with `PRIVACY_OPS_ALERT_MAIL`, or `privacy_ops_webhook`.

**Outputs** `gov.operator_alert`, `gov.alert_delivery`; one message per kind and DAG, repeated failures as one digest
after the window; gauges through Airflow's own metrics (`docs/metrics.md`).

**Params** none: it looks and counts, and changes nothing that a job decides by. A backfill looks at what stands now.

**Example** `airflow dags trigger watchkeeper` looks now.

**Runbook** `docs/runbooks/watchkeeper.md`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task
from privacy_ops.airflow_support.jobs import DEFAULT_ARGS, current_job, open_job, utc_now


@dag(
    schedule=CronDataIntervalTimetable("*/15 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["privacy", "operations"],
)
def watchkeeper() -> None:
    @task
    def look() -> dict[str, Any]:
        """Note what is late or over its limit, and tell who is to be told."""
        from privacy_ops.airflow_support import notifiers
        from privacy_ops.operations import watch

        workspace, _ = open_job("operate")
        now = utc_now()
        found = watch.look(workspace, now=now)
        return found | dict(notifiers.tell(workspace, now=now))

    @task(trigger_rule="all_done")
    def measure() -> dict[str, Any]:
        """Send the figures of the dashboard, also when the look failed."""
        from privacy_ops.airflow_support import metrics
        from privacy_ops.operations import figures

        workspace, _ = current_job("operate")
        return {"metrics": metrics.send(figures.measure(workspace, now=utc_now()))}

    # Of both: a run whose look failed must not end well because the figures were sent.
    @task
    def close_run() -> None:
        """Close the run."""
        from privacy_ops import runs

        workspace, run = current_job("operate")
        with workspace.database("operate").transaction() as connection:
            runs.close_run(connection, run.run_id, now=utc_now(), state="done", facts={})

    looked, measured = look(), measure()
    looked >> measured
    [looked, measured] >> close_run()


watchkeeper()
