"""The wiring of the later sweeps: what waits for the gate, and what must not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DAG_FILE = Path(__file__).resolve().parents[2] / "dags" / "erasure_verification.py"


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAG_FILE))
    assert bag.import_errors == {}
    return bag.dags["erasure_verification"]


def after(dag: Any, task_id: str) -> set[str]:
    return {t.task_id for t in dag.get_task(task_id).get_flat_relatives(upstream=False)}


def test_what_came_back_is_erased_again_whatever_the_gate_says(dag: Any) -> None:
    assert after(dag, "judge_sweep") == set(), "restriction and erasure never wait for the judgement"
    assert {"judge_sweep", "anything_to_erase", "erase_again"} == after(dag, "sweep")


def test_it_starts_the_engine_of_every_night_for_real(dag: Any) -> None:
    again = dag.get_task("erase_again")
    assert (again.trigger_dag_id, again.conf) == ("minor_data_deletion", {"dry_run": False})


@pytest.mark.parametrize(
    ("counts", "starts"),
    [
        ({"returned": 2, "rehearsal": False}, True),
        ({"returned": 0, "rehearsal": False}, False),
        ({"returned": 2, "rehearsal": True}, False),
    ],
)
def test_it_starts_it_only_when_something_came_back(
    dag: Any, monkeypatch: pytest.MonkeyPatch, counts: dict[str, object], starts: bool
) -> None:
    function = dag.get_task("anything_to_erase").python_callable

    class Instance:
        def xcom_pull(self, task_ids: str) -> object:
            assert task_ids == "sweep"
            return counts

    monkeypatch.setitem(function.__globals__, "get_current_context", lambda: {"ti": Instance()})
    assert function() is starts
