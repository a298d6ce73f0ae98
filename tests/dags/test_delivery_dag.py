"""The wiring of the hourly delivery, and what its tasks leave in XCom."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from privacy_ops.errors import ConfigError

DAG_FILE = Path(__file__).resolve().parents[2] / "dags" / "course_usage_delivery.py"
ORDER = ["open_run", "prepare", "follow_up", "send", "gate_delivery"]


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAG_FILE))
    assert bag.import_errors == {}
    return bag.dags["course_usage_delivery"]


def test_recalls_come_before_mails_and_the_gate_judges_last(dag: Any) -> None:
    assert [task.task_id for task in dag.topological_sort()] == ORDER
    assert {task.trigger_rule for task in dag.tasks} == {"all_success"}
    for before, after in itertools.pairwise(ORDER):
        assert dag.get_task(after).upstream_task_ids == {before}
    assert dag.max_active_runs == 1


def test_by_hand_it_only_counts_unless_told(dag: Any) -> None:
    assert dag.params["dry_run"] is True


@pytest.mark.parametrize("there", [True, False])
def test_without_a_mail_server_the_mails_wait(dag: Any, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    from dataclasses import replace

    from privacy_ops.airflow_support import settings as air
    from privacy_ops.settings import MailSettings, Settings, home_directory
    from privacy_ops.usage.delivery import send
    from privacy_ops.workspace import Workspace

    server = MailSettings("127.0.0.1", 1, sender="usage@press.example.org", tls=False)

    def mail_settings() -> MailSettings:
        if there:
            return server
        raise ConfigError("there is no Airflow connection privacy_ops_smtp")

    workspace = Workspace.load(Settings(home_directory()))
    task = dag.get_task("send").python_callable
    monkeypatch.setitem(task.__globals__, "current_job", lambda _duty: (workspace, SimpleNamespace(dry_run=False)))
    monkeypatch.setattr(air, "mail_settings", mail_settings)
    seen: list[Workspace] = []

    def counted(ws: Workspace, _run: Any, _hand_over: Any, **_: Any) -> dict[str, int]:
        seen.append(ws)
        return {"sent": 1}

    monkeypatch.setattr(send, "send", counted)
    assert task() == ({"sent": 1} if there else {"no_mail_server": 1})
    assert [ws.settings for ws in seen] == ([replace(workspace.settings, mail=server)] if there else [])
