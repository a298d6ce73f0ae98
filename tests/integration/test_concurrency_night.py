"""Two things at once: whatever order they come in, nothing is done twice and nobody else is hurt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops.erasure import execute
from privacy_ops.errors import PlanChanged, StoreUnavailable
from privacy_ops.minors import intake
from privacy_ops.runs import Run
from privacy_ops.stores.database import DatabaseFault
from sqlalchemy import text

from tests.integration import digest, nights
from tests.integration.killed import ALL
from tests.integration.press import ADULT, NOW, Press
from tests.integration.test_signal_intake import child_row, open_intake, report
from tests.integration.towns import Town

PATIENCE = 30  # seconds for anything that waits for another


@contextmanager
def halfway(press: Press) -> Iterator[Callable[[], None]]:
    """The erasure waits inside its transaction, at the first badge scan to go, until what it gives is called."""
    press.execute(
        "CREATE FUNCTION press.wait() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN OLD; END $$"
    )
    press.execute("CREATE TRIGGER wait BEFORE DELETE ON press.badge_scan FOR EACH ROW EXECUTE FUNCTION press.wait()")
    with press.superuser.transaction() as holder:
        holder.execute(text("SELECT pg_advisory_lock(77)"))

        def go_on() -> None:
            holder.execute(text("SELECT pg_advisory_unlock_all()"))

        yield go_on
        go_on()


def wait_until_halfway(press: Press) -> None:
    for _ in range(PATIENCE * 20):
        if press.scalar("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
            return
        time.sleep(0.05)
    pytest.fail("the erasure did not come to its first badge scan")


def prepared(town: Town) -> Run:
    run = town.press.open_run()
    nights.prepare(town.press.workspace, run)
    return run


def erase_beside(town: Town, run: Run, meanwhile: str, **values: Any) -> BaseException | None:
    """Erase, and half-way through its transaction let somebody else write and commit; returns the erasure's error."""
    press = town.press
    with ThreadPoolExecutor(2) as pool, halfway(press) as go_on:
        erasing = pool.submit(execute.erase_database, press.workspace, run, now=NOW)
        wait_until_halfway(press)
        writing = pool.submit(press.execute, meanwhile, **values)
        time.sleep(0.3)  # by now it is written, or waits for the erasure
        go_on()
        failed = writing.exception(timeout=PATIENCE)
        # What leans on a row that has just gone is refused by the database.
        assert failed is None or isinstance(failed, DatabaseFault)
        return erasing.exception(timeout=PATIENCE)


def rows_of(town: Town, people: Iterable[UUID]) -> dict[str, list[str]]:
    """Every row that names one of them."""
    return {
        table: [row for row in rows if any(str(person) in row for person in people)]
        for table, rows in town.state()["rows"].items()
    }


def test_an_event_of_the_minor_that_arrives_during_the_erasure_stops_it_and_goes_with_the_next(town: Town) -> None:
    others = rows_of(town, town.adults)
    run = prepared(town)
    error = erase_beside(town, run, "INSERT INTO press.comment (user_id, body) VALUES (:u, 'late')", u=town.minors[0])
    assert isinstance(error, PlanChanged | StoreUnavailable)
    assert town.press.count("account") == 4
    assert town.press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'erased'") == 0
    with pytest.raises(PlanChanged):  # the retry of the same task does not erase another content than the gate saw
        execute.erase_database(town.press.workspace, run, now=NOW)
    town.second_night()
    assert not any(rows_of(town, town.minors).values())
    assert rows_of(town, town.adults) == others


def test_a_date_of_birth_that_is_corrected_during_the_erasure_saves_the_person(town: Town) -> None:
    run = prepared(town)
    error = erase_beside(
        town,
        run,
        "UPDATE press.profile SET dob_date = CAST(:b AS date) WHERE user_id = :u",
        b=ADULT.isoformat(),
        u=town.minors[0],
    )
    assert isinstance(error, PlanChanged | StoreUnavailable)
    assert town.press.count("account") == 4
    town.second_night()
    assert town.press.count("account", "user_id = :u", u=town.minors[1]) == 0
    assert town.press.status(town.minors[0]) == "restricted"  # two readings stand: people decide
    assert town.press.case_of(town.minors[0])._mapping["class"] == "SUSPECTED_MINOR"


WRITES = (
    "INSERT INTO press.comment (user_id, parent_id, body)"
    " SELECT :adult, id, 'an answer' FROM press.comment WHERE user_id = :minor",
    "INSERT INTO press.comment (user_id, body) VALUES (:adult, 'meanwhile')",
    "UPDATE press.profile SET name = 'Married' WHERE user_id = :adult",
)


@pytest.mark.parametrize("writes", WRITES if ALL else WRITES[:1])
def test_what_others_write_during_the_erasure_does_not_disturb_it(town: Town, writes: str) -> None:
    values = {
        name: value for name, value in (("adult", town.adults[0]), ("minor", town.minors[0])) if f":{name}" in writes
    }
    run = prepared(town)
    error = erase_beside(town, run, writes, **values)
    if error is None:
        nights.finish(town.press.workspace, run)
    else:  # an answer that was written in time leans on a row that was to go
        assert isinstance(error, PlanChanged | StoreUnavailable)
        town.second_night()
    assert not any(rows_of(town, town.minors).values())
    assert town.press.count("account") == 2


def test_one_task_that_runs_twice_at_once_erases_once(town: Town) -> None:
    """A worker that was given up for dead, and the retry."""
    run = prepared(town)
    results = at_once(*[lambda: execute.erase_database(town.press.workspace, run, now=NOW)] * 3)
    done = [r for r in results if not isinstance(r, BaseException)]
    assert done
    assert all(r["state"] == "database_erased" for r in done)
    assert all(isinstance(r, StoreUnavailable) for r in results if r not in done)
    nights.finish(town.press.workspace, run)
    facts = digest.ledger_facts(town.press)
    erased = {what: times for what, times in facts.items() if what.startswith("erased")}
    assert len(erased) == len(town.minors)
    assert set(erased.values()) == {1}
    assert sum(facts.values()) == 2 * len(town.minors)  # and certified as often
    assert town.press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'intent'") == len(town.minors)


def test_a_backfill_beside_the_scheduled_night_only_counts(town: Town) -> None:
    scheduled = town.press.open_run()
    long_ago = town.press.open_run("backfill", run_type="backfill", logical_date=NOW.replace(year=2019))
    night, backfill = at_once(
        lambda: nights.whole(town.press.workspace, scheduled), lambda: nights.whole(town.press.workspace, long_ago)
    )
    assert night["certified"]["certificates"] == len(town.minors)
    assert backfill["database"] == backfill["certified"] == {"rehearsal": True}
    assert not any(rows_of(town, town.minors).values())
    assert town.press.count("account") == 2
    assert town.press.scalar("SELECT count(*) FROM gov.erasure_plan WHERE run_id LIKE '%backfill'") == 0


def test_the_intake_beside_the_nightly_run_opens_each_case_once(town: Town) -> None:
    """Both see the same new evidence: a child's row and a report about an adult's account."""
    press, at = town.press, NOW + timedelta(minutes=1)
    child_row(press, NOW - timedelta(minutes=5))
    report(press, town.adults[0], NOW - timedelta(minutes=5))
    night, between = press.open_run(), open_intake(press, NOW)
    found = at_once(
        lambda: nights.find(press.workspace, night), lambda: intake.take_in(press.workspace, between, now=at)
    )
    assert sum(f["opened"] for f in found) == len(town.minors) + 2
    cases = press.execute("SELECT subject_key, restriction_previous FROM gov.minor_case WHERE subject_kind = 'person'")
    assert sorted(c.subject_key[0] for c in cases) == sorted(map(str, (*town.minors, town.adults[0])))
    assert {c.restriction_previous for c in cases} == {"active"}
    assert press.scalar("SELECT count(*) FROM gov.minor_case WHERE subject_kind = 'row'") == 1
    nights.prepare(press.workspace, night)
    nights.finish(press.workspace, night)
    assert not any(rows_of(town, town.minors).values())
    assert press.count("account") == 2


def test_the_intake_restricts_while_the_erasure_is_halfway_and_disturbs_it_not(town: Town) -> None:
    press, at = town.press, NOW + timedelta(minutes=15)
    run = prepared(town)
    report(press, town.adults[0], NOW + timedelta(minutes=10))
    with ThreadPoolExecutor(2) as pool, halfway(press) as go_on:
        erasing = pool.submit(execute.erase_database, press.workspace, run, now=NOW)
        wait_until_halfway(press)
        looking = pool.submit(intake.take_in, press.workspace, open_intake(press, at), now=at)
        try:
            assert looking.result(timeout=PATIENCE)["opened"] == 1
            assert press.status(town.adults[0]) == "restricted", "restriction waits for nothing"
            assert not erasing.done()
        finally:
            go_on()
        assert erasing.result(timeout=PATIENCE)["state"] == "database_erased"
    nights.finish(press.workspace, run)
    assert not any(rows_of(town, town.minors).values())
    assert press.status(town.adults[0]) == "restricted"


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """All of them, begun at the same moment; what each returned or raised."""
    gate = threading.Barrier(len(works))

    def begin(work: Callable[[], Any]) -> Any:
        gate.wait(PATIENCE)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(begin, work) for work in works]
        return [r.exception(PATIENCE * 4) or r.result() for r in running]
