"""### Where personal data really go, and whether the law lets them

Every day at 05:00 UTC the job looks at bucket regions and replication, at the hosts of the configured connections, at
the data map and at the registered processors; resolves each flow to a country and an organisation; judges it under UK
and EU law as of the day; and writes findings.

**Inputs** the data map, `include/registry` (processors, mechanisms, transfers, hosts), `include/reference` (adequacy,
territories, regions), the object store's interface, Airflow's connections.

**Outputs** `gov.inventory_snapshot`, `gov.inventory_flow`, `gov.flow_verdict`; `gov.finding`;
`gov.blocked_destination`; and, as rows of `gov.inventory_output` and once in the evidence bucket under
`transfers/<day>/<run>/`, with a manifest of their SHA-256: `report.html` (map, flows, findings, reasons; the task
`publish_inventory` links it), `inventory.csv`, `findings.csv`, `diff.csv`, the Art. 30 record (`art30.html`,
`art30_controller.csv`, `art30_processor.csv`), `dependencies.csv` (what breaks if an instrument falls),
`reference_manifest.json`, and `sign_off.json` once somebody has signed. Days that are judged again go to
`transfers/as_of/<day>/<run>/` and say so.

**Gate** `transfer_inventory`: blocks only when the inventory cannot be trusted (nothing seen, an observer that could
not look, a store without a country, one regime missing, stale reference data, too much unresolved, a secret in an
output). A finding never fails a run; findings are published whatever the gate says. Critical ones put their destination
on the block list that the other jobs ask before they write.

**Params** `judge_on`: a day. The flows declared now are judged with the law and the knowledge of that day; findings
and block list stay untouched. A backfill does the same for each of its days.

**Example** `airflow dags trigger transfer_inventory_check --conf '{"judge_on": "2031-12-28"}'` shows what breaks when
the EU's decision on the UK has ended.

**Runbook** `docs/runbooks/transfer_inventory_check.md`
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task
from privacy_ops.airflow_support.approvals import AskPerson
from privacy_ops.airflow_support.jobs import DEFAULT_ARGS, current_job, open_job, utc_now


@dag(
    schedule=CronDataIntervalTimetable("0 5 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=4,  # a sign-off that is still open must not hold up the next day
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["privacy", "transfers"],
    params={
        "judge_on": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Judge another day",
            description="Judge the flows declared now with the law of this day. Empty: look, and judge today.",
        )
    },
)
def transfer_inventory_check() -> None:
    @task
    def open_run() -> str:
        """Record the run and its wall clock."""
        _, run = open_job("inventory")
        return run.run_id

    @task
    def observe() -> dict[str, Any]:
        """Look at everything and freeze the flows."""
        from datetime import date

        from privacy_ops.airflow_support.connections import configured_connections
        from privacy_ops.transfers import inventory

        workspace, run = current_job("inventory")
        judge_on = get_current_context()["params"].get("judge_on")
        connections, left_out = configured_connections()
        return inventory.observe(
            workspace,
            run,
            connections,
            connections_left_out=left_out,
            judge_on=date.fromisoformat(judge_on) if judge_on else None,
        )

    @task
    def judge() -> dict[str, Any]:
        """Judge each flow under both regimes and freeze verdicts and findings."""
        from privacy_ops.transfers import inventory

        return inventory.judge_all(*current_job("inventory"))

    @task
    def publish_findings() -> dict[str, Any]:
        """Open, refresh and close findings; block and unblock destinations. Does not wait for the gate."""
        from privacy_ops.transfers import inventory

        return inventory.publish_findings(*current_job("inventory"))

    @task
    def write_outputs() -> dict[str, Any]:
        """Compare with the inventory before, and write report, record and tables as rows."""
        from privacy_ops.transfers.publishing import publish

        return publish.write_outputs(*current_job("inventory"))

    @task
    def gate() -> dict[str, Any]:
        """Can this inventory be trusted?"""
        from privacy_ops.airflow_support.gates import linked
        from privacy_ops.airflow_support.links import XCOM_KEY
        from privacy_ops.transfers.publishing import publish

        context = get_current_context()
        with linked(context):
            result = publish.gate(*current_job("inventory"), now=utc_now())
        context["ti"].xcom_push(key=XCOM_KEY, value=result["gate_result_id"])
        return result

    @task
    def publish_inventory() -> dict[str, Any]:
        """Put the judged files into the evidence bucket; asks the gate's lock itself."""
        from privacy_ops.airflow_support.links import SNAPSHOT_KEY
        from privacy_ops.transfers.publishing import publish

        result = publish.publish(*current_job("inventory"), now=utc_now())
        get_current_context()["ti"].xcom_push(key=SNAPSHOT_KEY, value=result["snapshot_id"])
        return result

    @task
    def close_run() -> dict[str, Any]:
        """Record the numbers of the run."""
        from privacy_ops.transfers import inventory

        return inventory.close(*current_job("inventory"), now=utc_now())

    sign_off = AskPerson(
        task_id="sign_off",
        request="privacy_ops.transfers.publishing.publish:sign_off_request",
        duty="inventory",
        on_reject="record",
        waits=timedelta(hours=20),
    )

    @task
    def record_sign_off() -> dict[str, Any]:
        """Keep who stands behind the inventory, beside its files."""
        from privacy_ops.transfers.publishing import publish

        return publish.record_sign_off(*current_job("inventory"))

    judged = open_run() >> observe() >> judge() >> publish_findings() >> write_outputs()
    judged >> gate() >> publish_inventory() >> close_run() >> sign_off >> record_sign_off()


transfer_inventory_check()
