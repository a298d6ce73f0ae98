"""A run is late from the minute after its limit on, and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.operations.lateness import last_due, late_finishes, late_starts
from privacy_ops.thresholds import Punctuality

NIGHT = Punctuality(cron="15 2 * * *", start_minutes=30, finish_minutes=240, waits_hours=20)
RULES = {"minor_data_deletion": NIGHT}
DUE = datetime(2026, 11, 28, 2, 15, tzinfo=UTC)
START = DUE + timedelta(seconds=5)


def scheduled(newest: datetime) -> Any:
    return SimpleNamespace(dag_id="minor_data_deletion", newest=newest, first=newest)


def unfinished(**changed: Any) -> Any:
    row = {
        "run_id": "minor_data_deletion/scheduled__2026-11-27T02:15:00+00:00",
        "dag_id": "minor_data_deletion",
        "as_of": START,
        "run_type": "scheduled",
        "asked": False,
    }
    return SimpleNamespace(**row | changed)


@pytest.mark.parametrize(
    ("newest", "now", "late"),
    [
        pytest.param(
            DUE - timedelta(days=1), DUE + timedelta(minutes=30) - timedelta(seconds=1), 0, id="still in time"
        ),
        pytest.param(DUE - timedelta(days=1), DUE + timedelta(minutes=30), 1, id="at the limit, and not started"),
        pytest.param(DUE, DUE + timedelta(minutes=30), 0, id="started in its very minute"),
        pytest.param(DUE - timedelta(microseconds=1), DUE + timedelta(minutes=30), 1, id="only the run before it"),
        pytest.param(DUE + timedelta(minutes=29), DUE + timedelta(minutes=31), 0, id="started late, but started"),
        pytest.param(DUE - timedelta(days=9), DUE + timedelta(minutes=45), 1, id="paused for a week"),
    ],
)
def test_a_run_that_did_not_start(newest: datetime, now: datetime, late: int) -> None:
    found = late_starts(RULES, [scheduled(newest)], now=now)
    assert len(found) == late
    if late:
        assert found[0].run_id == "minor_data_deletion/due__2026-11-28T02:15:00+00:00"
        assert found[0].kind == "late_start"


def test_a_dag_that_the_scheduler_never_ran_is_not_late() -> None:
    assert late_starts(RULES, [], now=DUE + timedelta(days=3)) == []


@pytest.mark.parametrize(
    ("changed", "after", "late"),
    [
        pytest.param({}, timedelta(minutes=240), 0, id="at its limit"),
        pytest.param({}, timedelta(minutes=240, seconds=1), 1, id="over its limit"),
        pytest.param({"asked": True}, timedelta(hours=24), 0, id="people were asked: at the longer limit"),
        pytest.param({"asked": True}, timedelta(hours=24, seconds=1), 1, id="people were asked: over it"),
        pytest.param({"run_type": "manual"}, timedelta(minutes=241), 1, id="started by the intake or a person"),
        pytest.param({"run_type": "backfill"}, timedelta(days=3), 0, id="a backfill has no hour"),
        pytest.param({"dag_id": "somebody_elses"}, timedelta(days=3), 0, id="a DAG without a threshold"),
    ],
)
def test_a_run_that_did_not_end(changed: dict[str, Any], after: timedelta, late: int) -> None:
    found = late_finishes(RULES, [unfinished(**changed)], now=START + after)
    assert len(found) == late
    assert all(one.kind == "late_finish" for one in found)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - given a zone below
def test_the_hour_that_was_due_is_the_newest_one_not_to_come(moment: datetime) -> None:
    before = moment.replace(tzinfo=UTC)
    due = last_due(NIGHT.cron, before)
    assert due <= before < due + timedelta(days=1)
    assert (due.hour, due.minute, due.second, due.microsecond) == (2, 15, 0, 0)
