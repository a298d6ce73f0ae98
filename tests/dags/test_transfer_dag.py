"""The wiring of the transfer inventory: what waits for what, and what does not."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

DAG_FILE = Path(__file__).resolve().parents[2] / "dags" / "transfer_inventory_check.py"


@pytest.fixture(scope="module")
def dag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAG_FILE))
    assert bag.import_errors == {}
    return bag.dags["transfer_inventory_check"]


def after(dag: Any, task_id: str) -> set[str]:
    return {t.task_id for t in dag.get_task(task_id).get_flat_relatives(upstream=False)}


def test_findings_do_not_wait_for_the_gate_and_files_do(dag: Any) -> None:
    assert "publish_findings" not in after(dag, "gate")
    assert {"publish_inventory", "close_run", "sign_off", "record_sign_off"} <= after(dag, "gate")
    # Outputs say what findings have become, so they are written after them, and judged as written.
    assert dag.get_task("write_outputs").upstream_task_ids == {"publish_findings"}
    assert dag.get_task("gate").upstream_task_ids == {"write_outputs"}


def test_no_task_runs_after_a_blocked_gate(dag: Any) -> None:
    assert {dag.get_task(t).trigger_rule for t in after(dag, "gate")} == {"all_success"}


def test_an_open_sign_off_does_not_hold_up_the_next_day(dag: Any) -> None:
    sign_off = dag.get_task("sign_off")

    assert dag.max_active_runs >= 2
    assert after(dag, "sign_off") == {"record_sign_off"}
    assert sign_off.defaults == ["Reject"]
    assert sign_off.response_timeout == timedelta(hours=20)


def test_the_policy_of_every_job(dag: Any) -> None:
    assert dag.catchup is False
    assert len(dag.tasks) <= 12
    assert {t.owner for t in dag.tasks} == {"privacy-operations"}
    assert all(t.retries >= 2 for t in dag.tasks)
    assert "docs/runbooks/transfer_inventory_check.md" in dag.doc_md
    assert (DAG_FILE.parents[1] / "docs/runbooks/transfer_inventory_check.md").is_file()
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"


@pytest.mark.parametrize(("value", "good"), [(None, True), ("2031-12-28", True), ("soon", False), (3, False)])
def test_the_day_to_judge_is_a_date_or_nothing(dag: Any, value: object, good: bool) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    param = dag.params.get_param("judge_on")
    if good:
        assert param.resolve(value=value) == value
    else:
        with pytest.raises(ParamValidationError):
            param.resolve(value=value)


def test_connections_of_the_environment_become_records_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    from privacy_ops.airflow_support import connections

    secret = "hunter2-Xq9"
    monkeypatch.setattr(connections.os, "environ", {
        **{k: v for k, v in connections.os.environ.items() if not k.startswith("AIRFLOW_CONN_")},
        "AIRFLOW_CONN_VENDOR": f"http://joe:{secret}@api.example.org:8443/x",
        "AIRFLOW_CONN_STORE": json.dumps({
            "conn_type": "aws", "login": "a", "password": secret, "extra": {"endpoint_url": "http://127.0.0.1:9"}
        }),
    })  # fmt: skip
    found, left_out = connections.configured_connections()

    assert left_out == connections.ENVIRONMENT_ONLY
    assert found is not None
    assert {(f.conn_id, f.conn_type, f.host) for f in found} == {
        ("vendor", "http", "api.example.org"),
        ("store", "aws", "127.0.0.1"),
    }
    assert secret not in repr(found)


def test_an_api_that_does_not_answer_is_no_short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    from privacy_ops.airflow_support import connections

    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_OPS_AIRFLOW_API", "http://reader:pw@127.0.0.1:9")

    assert connections.configured_connections() == (None, "")
