"""The step that destroys or publishes asks the database, not the picture that the scheduler shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from privacy_ops.errors import GateBlocked, StoreRefused
from privacy_ops.gates import lock, runner
from privacy_ops.stores import migrations
from privacy_ops.stores.database import Database
from sqlalchemy import text

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
RUN, GATE, SHA = "minor_data_deletion/scheduled__1", "erasure_plan", "ab" * 32
HELD = runner.CheckResult("G-08", "few cases", "critical", True, False, 3, "")
PASS = runner.Verdict(GATE, RUN, "pass", SHA, (HELD,), NOW, NOW + timedelta(hours=24), "<html></html>")


@pytest.fixture
def database(empty_database: str) -> Database:
    migrations.upgrade(empty_database)
    return Database(empty_database)


def record(database: Database, **changes: Any) -> int:
    with database.transaction() as connection:
        return runner.record(connection, replace(PASS, **changes))


def act(database: Database, *, sha: str = SHA, now: datetime = NOW, run: str = RUN, gate: str = GATE) -> None:
    with database.transaction() as connection:
        lock.require_open(connection, run_id=run, gate=gate, subject_sha256=sha, now=now)


@pytest.mark.parametrize("verdict", ["pass", "warn"])
def test_pass_and_warn_open_for_exactly_what_was_judged(database: Database, verdict: str) -> None:
    record(database, verdict=verdict)
    act(database)


def test_a_recorded_verdict_reads_back_as_judged(database: Database) -> None:
    number = record(database)
    with database.transaction() as connection:
        row = connection.execute(text("SELECT * FROM gov.gate_result")).one()
    assert (row.gate_result_id, row.run_id, row.gate, row.verdict) == (number, RUN, GATE, "pass")
    assert row.checks == [
        {
            "id": "G-08",
            "title": "few cases",
            "severity": "critical",
            "success": True,
            "errored": False,
            "observed": 3,
            "do": "",
        }
    ]
    assert (row.judged_at, row.expires_at, row.report_html) == (NOW, NOW + timedelta(hours=24), "<html></html>")


def test_marking_a_blocked_gate_as_success_opens_nothing(database: Database) -> None:
    """A click in the UI changes Airflow's picture of the task and writes no row here: the verdict stays block."""
    record(database, verdict="block")
    with pytest.raises(GateBlocked, match=r"gate erasure_plan blocks.*/privacy/gates/1.*opens nothing"):
        act(database)


def test_marking_a_gate_that_never_ran_as_success_opens_nothing(database: Database) -> None:
    with pytest.raises(GateBlocked, match="has not judged this run"):
        act(database)


def test_the_newest_verdict_counts_in_both_directions(database: Database) -> None:
    record(database)
    record(database, verdict="block")
    with pytest.raises(GateBlocked):
        act(database)
    record(database)
    act(database)


def test_an_older_judgement_recorded_last_counts_as_newest(database: Database) -> None:
    """Rows are ordered by when they were written, so that a clock set back cannot hide a block."""
    record(database)
    record(database, verdict="block", judged_at=NOW - timedelta(hours=1))
    with pytest.raises(GateBlocked):
        act(database)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (NOW - timedelta(microseconds=1), False),
        (NOW, True),
        (NOW + timedelta(hours=24) - timedelta(microseconds=1), True),
        (NOW + timedelta(hours=24), False),
    ],
    ids=["before_it_was_judged", "the_moment_it_was_judged", "last_moment", "the_moment_it_expires"],
)
def test_a_verdict_is_good_for_its_time_only(database: Database, now: datetime, opens: bool) -> None:
    record(database)
    if opens:
        act(database, now=now)
    else:
        with pytest.raises(GateBlocked, match="not valid now"):
            act(database, now=now)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda d: act(d, sha="cd" * 32),
        lambda d: act(d, sha=SHA.upper()),
        lambda d: act(d, run="minor_data_deletion/scheduled__2"),
        lambda d: act(d, gate="release"),
    ],
    ids=["another_plan", "another_spelling", "another_run", "another_gate"],
)
def test_nothing_else_is_let_through(database: Database, attempt: Callable[[Database], None]) -> None:
    record(database)
    with pytest.raises(GateBlocked):
        attempt(database)


def test_a_refused_step_leaves_nothing_of_its_transaction(database: Database) -> None:
    record(database, verdict="block")
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE victims AS SELECT 1 AS n"))
    with pytest.raises(GateBlocked), database.transaction() as connection:  # noqa: PT012 - one transaction
        connection.execute(text("DELETE FROM victims"))
        lock.require_open(connection, run_id=RUN, gate=GATE, subject_sha256=SHA, now=NOW)
    with database.transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM victims")).scalar_one() == 1


def test_a_verdict_cannot_be_turned_afterwards(database: Database) -> None:
    record(database, verdict="block")
    for statement in ("UPDATE gov.gate_result SET verdict = 'pass'", "DELETE FROM gov.gate_result"):
        with pytest.raises(StoreRefused), database.transaction() as connection:
            connection.execute(text(statement))
