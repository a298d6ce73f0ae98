"""The wiring of the weekly export, which week a run takes, and what its tasks leave in XCom."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from privacy_ops import thresholds
from privacy_ops.airflow_support import windows
from privacy_ops.settings import home_directory

DAG_FILE = Path(__file__).resolve().parents[2] / "dags" / "course_usage_export.py"
LIMITS = thresholds.load(home_directory() / "include" / "thresholds.yaml")
ORDER = ["open_run", "gate_input", "protect", "stage", "gate_files", "approve_release", "publish", "gate_published"]
WEDNESDAY = datetime(2026, 11, 18, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAG_FILE))
    assert bag.import_errors == {}
    return bag.dags["course_usage_export"]


def test_one_step_after_the_other_and_nothing_after_a_block(dag: Any) -> None:
    assert [task.task_id for task in dag.topological_sort()] == ORDER
    assert {task.trigger_rule for task in dag.tasks} == {"all_success"}
    for before, after in itertools.pairwise(ORDER):
        assert dag.get_task(after).upstream_task_ids == {before}


def test_nobody_answering_means_no_and_comes_before_the_verdict_expires(dag: Any) -> None:
    ask = dag.get_task("approve_release")
    assert ask.defaults == ["Reject"]
    assert ask.on_reject == "fail"
    assert ask.response_timeout < timedelta(hours=LIMITS.gate.validity_hours)


def test_the_policy_of_every_job(dag: Any) -> None:
    assert dag.catchup is False
    assert len(dag.tasks) <= 12
    assert {t.owner for t in dag.tasks} == {"privacy-operations"}
    assert all(t.retries >= 2 for t in dag.tasks)
    assert "docs/runbooks/course_usage_export.md" in dag.doc_md
    assert (DAG_FILE.parents[1] / "docs/runbooks/course_usage_export.md").is_file()
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
    assert {"privacy", "export"} <= set(dag.tags)


@pytest.mark.parametrize(("value", "good"), [(None, True), ("2026-W47", True), ("2026-47", False), (47, False)])
def test_the_week_is_written_as_a_week_or_left_out(dag: Any, value: object, good: bool) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    param = dag.params.get_param("iso_week")
    if good:
        assert param.resolve(value=value) == value
    else:
        with pytest.raises(ParamValidationError):
            param.resolve(value=value)


@pytest.mark.parametrize(("value", "good"), [(None, True), (3, True), (0, False), ("2026-W47", False)])
def test_a_correction_is_named_by_its_number(dag: Any, value: object, good: bool) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    param = dag.params.get_param("correction")
    if good:
        assert param.resolve(value=value) == value
    else:
        with pytest.raises(ParamValidationError):
            param.resolve(value=value)


@pytest.mark.parametrize(
    ("name", "run_type", "interval_end", "iso_week", "week"),
    [
        ("scheduled_takes_the_week_that_ended_on_sunday", "scheduled", WEDNESDAY, None, "2026-W46"),
        ("backfilled_takes_its_interval", "backfill", WEDNESDAY - timedelta(weeks=3), None, "2026-W43"),
        ("backfill_over_new_year", "backfill", datetime(2027, 1, 6, 6, tzinfo=UTC), None, "2026-W53"),
        ("by_hand_takes_the_latest_closed", "manual", None, None, "2026-W46"),
        ("by_hand_with_an_empty_interval", "manual", WEDNESDAY - timedelta(weeks=9), None, "2026-W46"),
        ("by_hand_names_a_week", "manual", None, "2026-W40", "2026-W40"),
    ],
)
def test_which_week_a_run_takes(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    run_type: str,
    interval_end: datetime | None,
    iso_week: str | None,
    week: str,
) -> None:
    context = {"dag_run": SimpleNamespace(data_interval_end=interval_end), "params": {"iso_week": iso_week}}
    monkeypatch.setattr(windows, "get_current_context", lambda: context)
    run: Any = SimpleNamespace(run_type=run_type, as_of=datetime(2026, 11, 19, 15, tzinfo=UTC))
    assert windows.current_week(run, LIMITS).key == week


def test_the_interval_of_a_wednesday_ends_when_its_week_is_closed(dag: Any) -> None:
    """Every scheduled run of two years finds its week closed for 48 hours, and takes each week once."""
    from privacy_ops.usage import weeks

    keys = []
    moment = datetime(2026, 1, 7, 6, tzinfo=UTC)
    for _ in range(104):
        window = weeks.resolve(iso_week=None, interval_end=moment, now=moment, grace_hours=LIMITS.export.grace_hours)
        assert window.hours_closed(moment) >= LIMITS.export.grace_hours
        keys.append(window.key)
        moment += timedelta(days=7)
    assert len(set(keys)) == 104


class Task:
    """Stands for a task instance: remembers what was pushed."""

    def __init__(self) -> None:
        self.pushed: dict[str, object] = {}

    def xcom_push(self, *, key: str, value: object) -> None:
        self.pushed[key] = value


def test_the_tasks_call_the_steps_in_one_run_and_push_counts_only(dag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole recipe with the steps replaced: what is passed on, linked and returned."""
    from privacy_ops.usage import release

    called: list[str] = []

    def step(name: str, answer: dict[str, Any]) -> Any:
        def run(*_args: Any, **_kwargs: Any) -> dict[str, Any]:
            called.append(name)
            return answer

        return run

    judged = {"verdict": "pass", "gate_result_id": 7}
    for name in ("judge_input", "judge_files", "judge_published"):
        monkeypatch.setattr(release, name, step(name, judged))
    for name in ("open_week", "protect", "stage", "publish"):
        monkeypatch.setattr(release, name, step(name, {"packs": 3}))
    monkeypatch.setattr(release, "close", lambda _w, _r, facts, now: dict(facts))
    monkeypatch.setattr(windows, "current_week", lambda *_: None)
    job = (SimpleNamespace(thresholds=LIMITS), SimpleNamespace(run_id="course_usage_export/x"))
    task = Task()
    for name in ORDER:
        if name == "approve_release":
            continue
        call = dag.get_task(name).python_callable
        monkeypatch.setitem(call.__globals__, "current_job", lambda *_: job)
        monkeypatch.setitem(call.__globals__, "open_job", lambda *_: job)
        monkeypatch.setitem(
            call.__globals__, "get_current_context", lambda: {"ti": task, "params": {"correction": None}}
        )
        task.pushed.clear()
        assert call() in ({"packs": 3}, judged)
        assert task.pushed == ({"gate_result_id": 7} if name.startswith("gate_") else {})
    assert called == ["open_week", "judge_input", "protect", "stage", "judge_files", "publish", "judge_published"]
