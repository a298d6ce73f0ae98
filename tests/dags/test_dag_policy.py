"""What every DAG of the project must be, whoever writes the next one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DAG_IDS = [
    "course_usage_delivery",
    "course_usage_export",
    "erasure_propagation",
    "erasure_verification",
    "minor_case_review",
    "minor_data_deletion",
    "minor_signal_intake",
    "transfer_inventory_check",
    "watchkeeper",
]
# By hand these only count unless somebody turns it off; of the others docs/backfills.md says what a run by hand does.
DRY_BY_DEFAULT = {
    "minor_data_deletion",
    "minor_signal_intake",
    "erasure_propagation",
    "erasure_verification",
    "course_usage_delivery",
}
LONGEST_ABSENCE = timedelta(minutes=5)  # of a store, without the end of a run
DESTROYS = {("minor_data_deletion", "erase_database"), ("minor_data_deletion", "erase_objects")}


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(PROJECT / "dags"))
    assert bag.import_errors == {}
    return bag.dags


def test_every_job_is_there(dags: dict[str, Any]) -> None:
    assert sorted(dags) == DAG_IDS


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_dag_keeps_the_policy(dags: dict[str, Any], dag_id: str) -> None:
    dag = dags[dag_id]
    assert dag.catchup is False
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable", "an explicit window, never an empty interval"
    assert len(dag.tasks) <= 12
    assert "privacy" in dag.tags
    for section in ("**Inputs**", "**Outputs**", "**Params**", "**Example**", "**Runbook**"):
        assert section in dag.doc_md, section
    assert (PROJECT / "docs" / "runbooks" / f"{dag_id}.md").is_file()
    for name, param in dag.params.items():
        assert dag.params.get_param(name).description, f"Param {name} has no description"
        assert dag.params.get_param(name).schema.get("type"), f"Param {name} has no type: {param!r}"
        assert dag.params.get_param(name).schema.get("title"), f"Param {name} has no title"
    if dag_id in DRY_BY_DEFAULT:
        assert dag.params["dry_run"] is True, "a run by hand destroys or sends nothing unless somebody says so"


def test_punctuality_is_judged_by_the_hours_of_the_dags(dags: dict[str, Any]) -> None:
    """The thresholds repeat each DAG's cron, because the watch must not load the DAGs: here they are compared."""
    from privacy_ops import thresholds
    from privacy_ops.settings import home_directory

    rules = thresholds.load(home_directory() / "include" / "thresholds.yaml").punctuality
    assert set(rules) == set(dags) - {"watchkeeper"}, "who watches the watch: the metric watch.looked, and doctor"
    for dag_id, rule in rules.items():
        timetable = dags[dag_id].timetable
        assert (timetable.expression, str(timetable.timezone)) == (rule.cron, "UTC")
        asks = any(hasattr(task, "response_timeout") for task in dags[dag_id].tasks)
        assert (rule.waits_hours > 0) == asks, f"{dag_id}: a run that waits for people is late later"


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_task_keeps_the_policy(dags: dict[str, Any], dag_id: str) -> None:
    for task in dags[dag_id].tasks:
        assert task.owner == "privacy-operations", task.task_id
        waits = [task.retry_delay * (task.retry_exponential_backoff or 1) ** number for number in range(task.retries)]
        assert sum(waits, timedelta()) >= LONGEST_ABSENCE, (
            f"{task.task_id}: a store that is away for minutes ends a run"
        )
        assert waits[0] <= timedelta(seconds=30), task.task_id
        assert task.retry_policy is not None, f"{task.task_id}: what a person must mend has to fail at once"
        assert [type(c).__name__ for c in task.on_failure_callback] == ["OperatorNotifier"], task.task_id
        if (dag_id, task.task_id) in DESTROYS:
            assert task.pool == "privacy_destructive", task.task_id
        if hasattr(task, "response_timeout"):
            assert task.defaults in (["Reject"], ["Keep restricted"]), f"{task.task_id}: silence must never approve"
            assert task.response_timeout is not None, f"{task.task_id} would wait for ever"
            assert [n.kind for n in task.notifiers] == ["approval_waiting"], (
                f"{task.task_id}: who is told that it waits?"
            )
            assert task.retries >= 10, f"{task.task_id}: a lost answer is asked for again, often if need be"
            assert waits[-1] == waits[0], f"{task.task_id}: whose answer was lost is not to wait to be asked again"


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_no_task_takes_personal_data_from_run_conf(dags: dict[str, Any], dag_id: str) -> None:
    assert set(dags[dag_id].params) <= {"dry_run", "iso_week", "judge_on", "most_questions", "correction"}


def test_approvals_time_out_before_the_verdict_that_they_release_expires(dags: dict[str, Any]) -> None:
    """Both waits together: what nobody answered is asked again by the next night, never by an expired gate."""
    from privacy_ops import thresholds
    from privacy_ops.settings import home_directory

    gate = thresholds.load(home_directory() / "include" / "thresholds.yaml").gate
    tasks = dags["minor_data_deletion"].tasks
    waits = sum((t.response_timeout for t in tasks if hasattr(t, "response_timeout")), timedelta())
    assert waits <= timedelta(hours=gate.approval_timeout_hours)
    assert waits < timedelta(hours=gate.validity_hours)
    # And before the next night begins, so that it can ask.
    assert waits < timedelta(hours=24) - timedelta(hours=2, minutes=15)


def test_notices_wait_before_anything_is_planned_and_the_intake_starts_the_one_erasure(dags: dict[str, Any]) -> None:
    intake = dags["minor_signal_intake"]
    starts = {t.trigger_dag_id: t for t in intake.tasks if hasattr(t, "trigger_dag_id")}
    assert set(starts) == {"minor_data_deletion", "minor_case_review"}
    assert starts["minor_data_deletion"].conf == {"dry_run": False}
    assert all(t.skip_when_already_exists and "run_id" in t.trigger_run_id for t in starts.values())
    # A short circuit skips what comes right after it: closing the run must not be that.
    assert intake.get_task("close_run").upstream_task_ids == {"start_erasure", "start_review"}
    assert intake.get_task("close_run").trigger_rule == "none_failed"
    for name in ("erasure_wanted", "review_wanted"):
        assert intake.get_task(name).ignore_downstream_trigger_rules is False
    after_mail = {t.task_id for t in intake.get_task("tell").get_flat_relatives(upstream=False)}
    assert after_mail == set(), "a mail server that is down holds up no erasure"
    assert not {t.task_id for t in intake.tasks} & {"erase_database", "erase_objects"}, "there is one erasure"
