"""The wiring of the hourly outbox."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

DAG_FILE = Path(__file__).resolve().parents[2] / "dags" / "erasure_propagation.py"
ORDER = ["open_run", "follow_up", "deliver", "supplement", "gate_acknowledged"]


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAG_FILE))
    assert bag.import_errors == {}
    return bag.dags["erasure_propagation"]


def test_the_clock_moves_first_and_the_gate_judges_last(dag: Any) -> None:
    assert [task.task_id for task in dag.topological_sort()] == ORDER
    assert {task.trigger_rule for task in dag.tasks} == {"all_success"}
    for before, after in itertools.pairwise(ORDER):
        assert dag.get_task(after).upstream_task_ids == {before}
    assert dag.max_active_runs == 1


def test_by_hand_it_only_counts_unless_told(dag: Any) -> None:
    assert dag.params["dry_run"] is True
