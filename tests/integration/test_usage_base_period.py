"""The base period of a course in a quarter: from the quarter before, decided once, the same in every order."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator

import pytest
from privacy_ops.errors import PrivacyOpsError
from privacy_ops.runs import Run
from privacy_ops.settings import home_directory
from privacy_ops.stores.database import Database, quote
from privacy_ops.usage import base_period, periods, release_spec
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from sandbox.postgres import PostgresServer
from tests import usage_world
from tests.conftest import administer
from tests.usage_world import NOW

SPEC = release_spec.load(home_directory() / "include" / "release_spec.yaml")
TEMPLATE = "base_period_template"
NEXT = periods.from_key("2027-Q1")  # its quarter before is that of the world's week
COURSES = ["1", "2", "3", "4"]


@pytest.fixture(scope="module")
def template(cluster: PostgresServer) -> Iterator[str]:
    administer(cluster, f"CREATE DATABASE {TEMPLATE}")
    usage_world.make_database(cluster.dsn(TEMPLATE))
    usage_world.fill(cluster.dsn(TEMPLATE))
    yield TEMPLATE
    administer(cluster, f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


@pytest.fixture
def dsn(cluster: PostgresServer, template: str) -> Iterator[str]:
    name = f"base_period_{secrets.token_hex(4)}"
    administer(cluster, f"CREATE DATABASE {quote(name)} TEMPLATE {template} STRATEGY FILE_COPY")
    yield cluster.dsn(name)
    administer(cluster, f"DROP DATABASE {quote(name)} WITH (FORCE)")


@pytest.fixture
def ws(dsn: str, object_settings) -> Workspace:
    return usage_world.workspace(dsn, object_settings)


@pytest.fixture
def run(ws: Workspace) -> Run:
    return usage_world.open_run(ws)


def decide(ws: Workspace, run: Run, quarter: periods.Period = NEXT, courses: list[str] = COURSES) -> dict[str, str]:
    with ws.database("export").transaction() as c:
        return base_period.decide(c, ws.data_map, run, SPEC, quarter, courses, now=NOW)


def start(dsn: str, course: int, module: int, people: range) -> None:
    """So many more people who start a module in the world's week."""
    with Database(dsn).transaction() as c:
        usage_world.add_people(c, people)
        c.execute(
            text(
                "INSERT INTO learn.enrolment (user_id, course_id, enrolled_at, status) VALUES (:u, :c, :at, 'active')"
            ),
            [{"u": usage_world.person(p), "c": course, "at": usage_world.WEEK.start} for p in people],
        )
        for person in people:
            usage_world.learn(c, person, module, day=0, minutes=1, completes=False)


def test_a_course_gets_the_period_that_its_last_quarter_carries(ws, run, dsn):
    start(dsn, 2, 20, range(200, 223))  # 40 + 23, which rounds to 65
    start(dsn, 4, 40, range(300, 510))  # 50 + 210
    assert decide(ws, run) == {"1": "quarter", "2": "block", "3": "quarter", "4": "week"}
    assert decide(ws, run, periods.from_key("2026-Q4")) == dict.fromkeys(COURSES, "quarter"), "nobody was there before"


def test_what_was_decided_stays_when_people_come_or_go(ws, run, dsn):
    start(dsn, 2, 20, range(200, 225))
    before = decide(ws, run)
    with Database(dsn).transaction() as c:
        for person in range(60, 100):
            usage_world.erase_person(c, person)
    start(dsn, 3, 30, range(400, 480))
    assert decide(ws, run) == before
    assert before["2"] == "block"


def test_people_who_enter_no_statistic_are_not_counted(ws, run, dsn):
    start(dsn, 2, 20, range(200, 225))
    with Database(dsn).transaction() as c:
        c.execute(
            text(
                "UPDATE core.user_account SET account_type = 'bot'"
                " WHERE username IN ('person200', 'person201', 'person202')"
            )
        )
    assert decide(ws, run)["2"] == "quarter", "62 people, which rounds to 60"


def test_a_course_that_comes_later_is_decided_then_and_the_others_stay(ws, run, dsn):
    assert decide(ws, run, courses=["1"]) == {"1": "quarter"}
    start(dsn, 1, 10, range(200, 300))
    start(dsn, 2, 20, range(300, 400))
    assert decide(ws, run) == {"1": "quarter", "2": "block", "3": "quarter", "4": "quarter"}


def test_two_runs_at_once_decide_once(ws, run, dsn):
    answers: list[dict[str, str]] = []
    barrier = threading.Barrier(2)

    def one() -> None:
        barrier.wait()
        answers.append(decide(ws, run))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [dict.fromkeys(COURSES, "quarter")] * 2
    with Database(dsn).transaction() as c:
        assert c.execute(text("SELECT COUNT(*) FROM gov.release_base_period")).scalar_one() == len(COURSES)


@pytest.mark.parametrize(
    "change",
    ["UPDATE gov.release_base_period SET base = 'week'", "DELETE FROM gov.release_base_period"],
)
def test_a_decision_cannot_be_changed(ws, run, dsn, change):
    decide(ws, run)
    for database in (ws.database("export"), Database(dsn)):
        with pytest.raises(PrivacyOpsError), database.transaction() as c:
            c.execute(text(change))


def test_only_a_quarter_has_a_quarter_before_it(ws, run):
    with pytest.raises(ValueError, match="quarter"):
        decide(ws, run, periods.from_key("2026-W47"))


def test_no_count_is_kept(ws, run, dsn):
    decide(ws, run)
    with Database(dsn).transaction() as c:
        kept = c.execute(text("SELECT * FROM gov.release_base_period")).mappings().all()
    assert {name for row in kept for name, value in row.items() if isinstance(value, int)} == set()
    assert {row["decided_at"] for row in kept} == {NOW}
