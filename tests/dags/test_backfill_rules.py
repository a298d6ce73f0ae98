"""What a run of each DAG may do by the way it was started: the table of docs/backfills.md, DAG by DAG."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from privacy_ops.airflow_support import jobs, windows
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.dags.test_dag_policy import DRY_BY_DEFAULT, dags
from tests.dags.test_operator_messages import connect, governed, operated

__all__ = ["dags", "governed", "operated"]
PROJECT = Path(__file__).resolve().parents[2]
# Their runs by hand do what the schedule does; a released period is served as it was, a day is judged again.
REAL_BY_HAND = {"minor_case_review", "course_usage_export", "transfer_inventory_check"}


@pytest.fixture
def connected(operated: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for duty in ("detect", "erase", "export", "review", "inventory"):
        url = make_url(operated.dsn(duty))
        connect(
            monkeypatch, duty, conn_type="postgres", host=url.host, port=url.port, login=url.username,
            password=url.password, schema=url.database,
        )  # fmt: skip
    return operated


def opened(
    settings: Settings,
    dag: Any,
    monkeypatch: pytest.MonkeyPatch,
    run_type: str,
    conf: dict[str, Any],
    logical: datetime | None = None,
) -> Any:
    """What the DAG's own first task recorded about a run that was started like this."""
    end = logical or datetime(2026, 11, 25, 6, tzinfo=UTC)
    context = {
        "dag": dag,
        "run_id": f"{run_type}__{'_'.join(map(str, conf.values())) or 'plain'}",
        "dag_run": SimpleNamespace(run_type=run_type, logical_date=logical, data_interval_end=end),
        "params": {**{name: dag.params[name] for name in dag.params}, **conf},
    }
    for module in (jobs, windows):
        monkeypatch.setattr(module, "get_current_context", lambda: context)
    first = dag.task_dict["open_run"].python_callable
    monkeypatch.setitem(first.__globals__, "get_current_context", lambda: context)
    first()
    with Database(settings.dsn("detect")).transaction() as connection:
        return connection.execute(
            text("SELECT dry_run, note FROM gov.run WHERE run_id = :r"), {"r": f"{dag.dag_id}/{context['run_id']}"}
        ).one()


@pytest.mark.parametrize("dag_id", sorted(DRY_BY_DEFAULT))
def test_a_destructive_job_is_real_by_schedule_or_by_saying_so_and_never_in_a_backfill(
    dags: dict[str, Any], connected: Settings, monkeypatch: pytest.MonkeyPatch, dag_id: str
) -> None:
    dag = dags[dag_id]
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert opened(connected, dag, monkeypatch, "scheduled", {}, yesterday) == (False, "")
    assert opened(connected, dag, monkeypatch, "manual", {}) == (True, "")
    assert opened(connected, dag, monkeypatch, "manual", {"dry_run": False}) == (False, "")
    assert opened(connected, dag, monkeypatch, "asset_triggered", {}) == (True, "")
    backfill = opened(connected, dag, monkeypatch, "backfill", {"dry_run": False}, yesterday - timedelta(days=900))
    assert backfill == (True, "Backfill: judged as of now, dry run only.")
    # By hand, real, but about a day long past: it says so, and every destructive step counts only (runs.is_rehearsal).
    old = opened(
        connected, dag, monkeypatch, "manual", {"dry_run": False, "about": "2019"}, yesterday.replace(year=2019)
    )
    assert old == (False, "About a day long past: judged as of now, only counted.")


@pytest.mark.parametrize("dag_id", sorted(REAL_BY_HAND))
def test_the_others_do_by_hand_what_they_do_by_schedule(
    dags: dict[str, Any], connected: Settings, monkeypatch: pytest.MonkeyPatch, dag_id: str
) -> None:
    assert "dry_run" not in dags[dag_id].params
    assert opened(connected, dags[dag_id], monkeypatch, "manual", {}).dry_run is False


def test_every_dag_is_of_one_kind_or_the_other(dags: dict[str, Any]) -> None:
    assert DRY_BY_DEFAULT | REAL_BY_HAND | {"watchkeeper"} == set(dags)


REFUSED = [
    *((dag_id, {"dry_run": "no"}) for dag_id in sorted(DRY_BY_DEFAULT)),
    ("course_usage_export", {"iso_week": "last week"}),
    ("course_usage_export", {"iso_week": "2026-W7"}),
    ("course_usage_export", {"iso_week": 202647}),
    ("transfer_inventory_check", {"judge_on": "28.12.2031"}),
    ("minor_case_review", {"most_questions": 0}),
    ("minor_case_review", {"most_questions": "all"}),
]


@pytest.mark.parametrize(("dag_id", "conf"), REFUSED, ids=lambda v: json.dumps(v) if isinstance(v, dict) else v)
def test_conf_that_is_not_of_the_schema_is_refused_before_anything_runs(
    dags: dict[str, Any], dag_id: str, conf: dict[str, Any]
) -> None:
    """The same check stands behind the dialog, REST and the command line."""
    params = copy.deepcopy(dags[dag_id].params)

    def given() -> None:
        params.update(conf)
        params.validate()

    with pytest.raises((ParamValidationError, ValueError)):
        given()


def test_the_docs_say_for_each_dag_what_a_backfill_means(dags: dict[str, Any]) -> None:
    said = (PROJECT / "docs" / "backfills.md").read_text(encoding="utf-8")
    for dag_id in dags:
        assert f"## {dag_id}\n" in said
