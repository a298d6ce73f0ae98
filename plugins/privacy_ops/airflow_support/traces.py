"""Airflow's own database and task logs, searched for people: connection and folder are Airflow's."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from airflow.sdk.configuration import conf

from privacy_ops.airflow_support.settings import database_url
from privacy_ops.erasure.traces import look as traces
from privacy_ops.runs import Run
from privacy_ops.stores.database import Database
from privacy_ops.workspace import Workspace

CONNECTION = "privacy_ops_airflow_db"


def sweep_traces(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Look through metadata database and log folder and judge. Raises GateBlocked, ConfigError (no connection).

    The connection is a reader's: it can write nothing, and sees nothing but Airflow's tables.
    """
    orchestrator = Database(database_url(CONNECTION), duty="airflow_reader")
    report = traces.sweep(workspace, orchestrator, Path(conf.get("logging", "base_log_folder")))
    return traces.judge_traces(workspace, run, report, now=now)
