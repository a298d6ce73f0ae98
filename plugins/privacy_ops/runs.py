"""The record of a run: its wall clock, taken once, and what code, thresholds and map it ran with.

Ages are judged at ``as_of``, never at a logical date: a backfill dated years ago would make adults children.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import Connection, text

from privacy_ops import __version__
from privacy_ops.errors import UserError

_SELECT_RUN = (
    "SELECT run_id, dag_id, as_of, logical_date, run_type, dry_run, note, code_version, thresholds_sha256, map_sha256"
    " FROM gov.run WHERE run_id = :r"
)


@dataclass(frozen=True)
class Run:
    """One run of one DAG. ``as_of`` and ``logical_date`` are aware datetimes in UTC."""

    run_id: str
    dag_id: str
    as_of: datetime
    logical_date: datetime | None
    run_type: str
    dry_run: bool
    note: str
    code_version: str
    thresholds_sha256: str
    map_sha256: str


def tzdata_version() -> str:
    """Version of the time-zone data in use."""
    try:
        return version("tzdata")
    except PackageNotFoundError:
        return "system"


def open_run(
    connection: Connection,
    *,
    run_id: str,
    dag_id: str,
    now: datetime,
    run_type: str,
    dry_run: bool,
    thresholds_sha256: str,
    map_sha256: str,
    logical_date: datetime | None = None,
    note: str = "",
) -> Run:
    """Record the run, or return it as first recorded: a retry or a clear never moves its wall clock."""
    connection.execute(
        text(
            "INSERT INTO gov.run (run_id, dag_id, as_of, logical_date, run_type, dry_run, note, code_version,"
            " thresholds_sha256, map_sha256, tzdata_version) VALUES (:run_id, :dag_id, :as_of, :logical_date,"
            " :run_type, :dry_run, :note, :code, :thresholds, :map, :tzdata) ON CONFLICT (run_id) DO NOTHING"
        ),
        {
            "run_id": run_id,
            "dag_id": dag_id,
            "as_of": now,
            "logical_date": logical_date,
            "run_type": run_type,
            "dry_run": dry_run,
            "note": note,
            "code": __version__,
            "thresholds": thresholds_sha256,
            "map": map_sha256,
            "tzdata": tzdata_version(),
        },
    )
    return read_run(connection, run_id)


def read_run(connection: Connection, run_id: str) -> Run:
    """The run as recorded. Raises UserError when it never opened."""
    row = connection.execute(text(_SELECT_RUN), {"r": run_id}).one_or_none()
    if row is None:
        raise UserError("this run was never opened", where=run_id, do="clear the run's first task")
    return Run(*row)


def close_run(connection: Connection, run_id: str, *, now: datetime, state: str, facts: Mapping[str, object]) -> None:
    """Write the end of a run and its counts (numbers and ids only)."""
    connection.execute(
        text("UPDATE gov.run SET state = :s, closed_at = :now, facts = facts || CAST(:f AS jsonb) WHERE run_id = :r"),
        {"s": state, "now": now, "f": json.dumps(dict(facts), sort_keys=True), "r": run_id},
    )


def require_fresh(run: Run, *, now: datetime, max_drift_hours: int) -> None:
    """Refuse a destructive step whose as-of is older than ``max_drift_hours`` (gate G-07). Raises UserError."""
    if abs(now - run.as_of) > timedelta(hours=max_drift_hours):
        raise UserError(
            f"the run's as-of is more than {max_drift_hours} hours from now",
            where=run.run_id,
            do="start a new run; an old one must not destroy or release anything",
        )


def is_rehearsal(run: Run, *, max_drift_hours: int) -> bool:
    """Whether a destructive job only counts in this run: a dry run, a backfill, or a run about a day long past.

    A nightly run is about the day before, so one interval of 24 hours comes on top of the drift.
    """
    return (
        run.dry_run
        or run.run_type == "backfill"
        or is_old(run.logical_date, run.as_of, max_drift_hours=max_drift_hours)
    )


def is_old(logical_date: datetime | None, as_of: datetime, *, max_drift_hours: int) -> bool:
    """Whether a run is about a day long past (or to come): it may count, and destroys nothing."""
    return logical_date is not None and abs(as_of - logical_date) > timedelta(hours=max_drift_hours + 24)


def add_facts(connection: Connection, run_id: str, facts: Mapping[str, object]) -> None:
    """Merge counts (numbers and ids only) into the record of the run."""
    connection.execute(
        text("UPDATE gov.run SET facts = facts || CAST(:f AS jsonb) WHERE run_id = :r"),
        {"f": json.dumps(dict(facts), sort_keys=True), "r": run_id},
    )
