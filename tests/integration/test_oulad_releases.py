"""Attacks on what a real run releases of the Open University's data: killed, overlapping, neighbouring, side channels.

Weeks of 2013 with the quarter that closes with the last; `make proof` carries them out (attacks).
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from privacy_ops.disclosure.noise import Noise
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement
from privacy_ops.usage import release_spec, weeks
from privacy_ops.workspace import Workspace
from sqlalchemy import Connection, text

from sandbox import base_periods, demo_oulad
from sandbox.publisher import oulad
from tests import usage_world as world
from tests.attack.attacks import advantage, allowed, overlapping_windows, side_channels, windows_of
from tests.integration import delivery_crash
from tests.integration.killed import ALL
from tests.integration.usage_fixtures import bounded_counts, one

pytestmark = [
    pytest.mark.skipif("OULAD_DIR" not in os.environ, reason="OULAD_DIR names no copy of the data set"),
    pytest.mark.skipif(not ALL, reason="long: part of make proof"),
    pytest.mark.timeout(3_600),
]
NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
WEEK, LAST = "2013-W45", "2013-W52"  # a busy one; the last of quarter and year
DRAWS = 20_000


@pytest.fixture
def university(settings: Settings, owner_dsn: str) -> Workspace:
    """The data set as a publisher, its recipients, weekly base periods, and a detection of this night."""
    ws = demo_oulad.workspace_for(settings)
    oulad.load(owner_dsn, os.environ["OULAD_DIR"])
    demo_oulad.register(ws)
    with ws.database("export").transaction() as c:
        courses = sorted({str(row.course_id) for row in c.execute(text("SELECT course_id FROM gov.entitlement"))})
    assert len(courses) == 22
    base_periods.show_weeks(ws, courses, map(weeks.from_key, (WEEK, LAST)), now=NOW)
    demo_oulad.run_detection(ws, now=NOW)
    with ws.database("inventory").transaction() as c:
        c.execute(statement("transfers", "insert_block_list_renewal"), {"run_id": "test", "at": NOW})
    return ws


@pytest.fixture
def noisy(university: Workspace, tmp_path: Path) -> Workspace:
    return world.with_noise(university, tmp_path)


def test_killed_between_draw_and_publication_there_is_one_draw_one_charge_one_release(noisy, owner_dsn):
    for number, moment in enumerate(("protect/commit/1", "protect/committed/1", "publish/send PUT/3")):
        run = world.open_run(noisy, f"killed{number}", week=WEEK, now=NOW)
        assert moment in delivery_crash.export(noisy.settings, run, NOW, kill_at=moment)
        left = world.exported(noisy)
        drawn = one(owner_dsn, "SELECT min(sha256) FROM gov.privacy_draw")
        assert (drawn is None) == (moment == "protect/commit/1")
    assert 0 < len(left) < 34
    done = world.export(noisy, "after", week=WEEK, now=NOW)
    assert done["adopted"] + done["published"] == 3
    assert one(owner_dsn, "SELECT count(*) FROM gov.privacy_draw") == 1
    assert one(owner_dsn, "SELECT sha256 FROM gov.privacy_draw") == drawn
    assert str(one(owner_dsn, "SELECT sum(rho) FROM gov.privacy_draw")) == "0.0147"
    assert one(owner_dsn, "SELECT count(*) FROM gov.release_register") == 3
    every = world.exported(noisy)
    assert left.items() <= every.items()
    assert len(list(noisy.objects().versions("imp-exports", ""))) == len(every), "each file was put once"


def erase(c: Connection, user: object) -> None:
    for deletion in (
        "DELETE FROM learn.module_progress WHERE enrolment_id IN (SELECT id FROM learn.enrolment WHERE user_id = :u)",
        "DELETE FROM learn.assessment_attempt WHERE enrolment_id IN"
        " (SELECT id FROM learn.enrolment WHERE user_id = :u)",
        "DELETE FROM web.page_view WHERE user_id = :u",
        "DELETE FROM learn.enrolment WHERE user_id = :u",
    ):
        c.execute(text(deletion), {"u": user})


def busiest(dsn: str) -> list[object]:
    """Those who did most in the week."""
    week = weeks.from_key(WEEK)
    with Database(dsn).transaction() as c:
        found = c.execute(
            text(
                "SELECT e.user_id FROM learn.module_progress AS p JOIN learn.enrolment AS e ON e.id = p.enrolment_id"
                " WHERE p.started_at >= :a AND p.started_at < :b GROUP BY e.user_id"
                " ORDER BY count(*) DESC, e.user_id LIMIT 3"
            ),
            {"a": week.start, "b": week.end},
        )
        users = list(found.scalars())
    assert len(users) == 3
    return users


def test_whether_a_student_was_there_cannot_be_told_from_noisy_counts(noisy, owner_dsn):
    """For the students who did most that week: at most five counts differ, by one each, and noise covers them."""
    spec = release_spec.load(noisy.settings.include / "release_spec.yaml").differential_privacy
    assert spec
    dice = Noise(Fraction(spec.rho["week"]), spec.cells_per_person)
    week = weeks.from_key(WEEK)
    everybody, _ = bounded_counts(noisy, owner_dsn, week)
    assert sum(everybody.values()) > 1_000
    for user in busiest(owner_dsn):
        without, _ = bounded_counts(noisy, owner_dsn, week, lambda c, user=user: erase(c, user))
        moved = Counter(everybody)
        moved.subtract(without)
        differ = {cell: by for cell, by in moved.items() if by}
        assert 0 < len(differ) <= spec.cells_per_person
        assert set(differ.values()) == {1}
        counts = [without.get(cell, 0) for cell in differ]
        error = 5 * (0.5 / DRAWS) ** 0.5
        assert advantage(counts, dice, DRAWS) <= allowed(float(spec.rho["week"])) + error


def test_released_files_stand_nest_and_tell_nothing_beside_their_numbers(university, owner_dsn):
    """A week, the week after it, and the one with which the quarter closes; from the objects alone.

    The year closes too, and nobody gets it: agreements begin on 1 January, a day after it did.
    """
    for week in (WEEK, "2013-W46", LAST):
        world.export(university, week, week=week, now=NOW)
    files = world.exported(university)
    windows = windows_of(files)
    assert {key for key, _ in windows} == {WEEK, "2013-W46", LAST, "2013-Q4"}
    assert not overlapping_windows(windows)
    assert len(files) > 100
    assert not side_channels(files)
    with Database(owner_dsn).transaction() as c:
        erase(c, busiest(owner_dsn)[0])
    done = world.export(university, "after-erasure", week=WEEK, now=NOW)
    assert (done["published"], done["served"]) == (0, 3)
    assert world.exported(university) == files
