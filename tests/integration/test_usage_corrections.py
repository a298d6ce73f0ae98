"""Corrections and people who are asked, in whole runs on a real PostgreSQL and an S3 API."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from privacy_ops.errors import GateBlocked, ReleaseRefused, UserError
from privacy_ops.stores.database import Database
from privacy_ops.usage import corrections, periods, release, weeks
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from tests import usage_world as world
from tests.integration.killed import ALL
from tests.integration.usage_fixtures import one, sql
from tests.usage_world import NOW, WEEK

long = pytest.mark.skipif(not ALL, reason="takes long: part of make proof")


def ask(ws: Workspace, period: str = WEEK.key) -> int:
    with ws.database("export").transaction() as c:
        return corrections.request(c, periods.from_key(period), reason="Loaded too late.", by="privacy lead", now=NOW)


def correct(ws: Workspace, number: int, name: str, *, decision: str = "approve") -> dict:
    """A whole run that carries a correction out."""
    run = world.open_run(ws, name)
    release.open_week(ws, run, WEEK, correction=number, now=NOW)
    release.judge_input(ws, run, now=NOW)
    release.protect(ws, run, now=NOW)
    staged = release.stage(ws, run)
    release.judge_files(ws, run, now=NOW)
    assert world.approve(ws, run, decision=decision)
    done = release.publish(ws, run, now=NOW)
    release.judge_published(ws, run, now=NOW)
    return staged | done


def test_a_correction_is_a_revision_that_everybody_is_served_from_then_on(ws, dsn):
    world.export(ws)
    first = world.exported(ws)
    world.load_late(dsn, range(100, 120))
    number = ask(ws)

    with pytest.raises(GateBlocked, match="release"):
        correct(ws, number, "rejected", decision="reject")
    assert world.exported(ws) == first
    assert world.export(ws, "after-rejection")["served"] == 3, "what was refused is never read"

    number = ask(ws)
    done = correct(ws, number, "corrected")
    assert (done["published"], done["unchanged"]) == (2, 1), "the author of courses 1 and 3 is not bothered"
    every = world.exported(ws)
    assert first.items() <= every.items(), "the first revision stays as it was released"

    kept = [key for key in every if key not in first and "/supporter-one/" in key]
    readme = next(every[key] for key in kept if key.endswith("README.md")).decode()
    old = one(dsn, "SELECT supersedes FROM gov.release_register WHERE recipient_id = 'supporter-one' AND revision > 0")
    assert f"It replaces the release `{old}`" in readme
    rows = next(every[key] for key in kept if key.endswith("course_week.csv")).decode().splitlines()
    assert [row.split(",")[3] for row in rows if row.split(",")[1] == "2"] == ["60"], "40 and 20 who came late"
    assert [row.split(",")[3] for row in rows if row.split(",")[1] == "1"] == ["55"]

    served = world.export(ws, "again")
    assert (served["served"], served["published"]) == (3, 0)
    assert world.exported(ws) == every
    staged = release.read_staged(ws, world.open_run(ws, "again"))
    assert old not in "".join(staged), "the newest revision is what is served"

    with pytest.raises(UserError, match="another run"):
        release.open_week(ws, world.open_run(ws, "thief"), WEEK, correction=number, now=NOW)


def test_what_cannot_be_corrected_is_refused_with_the_reason(ws, dsn):
    with pytest.raises(UserError, match="nothing of this period is released"):
        ask(ws)
    with pytest.raises(UserError, match="no such correction"):
        release.open_week(ws, world.open_run(ws, "none"), WEEK, correction=99, now=NOW)
    world.export(ws)
    number = ask(ws)
    run = world.open_run(ws, "same")
    release.open_week(ws, run, WEEK, correction=number, now=NOW)
    release.judge_input(ws, run, now=NOW)
    with pytest.raises(ReleaseRefused, match="nothing to correct"):
        release.protect(ws, run, now=NOW)
    assert one(dsn, "SELECT count(*) FROM gov.release_master WHERE revision > 0") == 0


def test_five_more_people_are_withheld_and_not_told(ws, dsn):
    """A correction by a handful would tell of the handful."""
    world.export(ws)
    world.load_late(dsn, range(100, 105))
    assert correct(ws, ask(ws), "few")["published"] == 2
    with Database(dsn).transaction() as c:
        prefix = c.execute(
            text("SELECT object_prefix FROM gov.release_register WHERE revision > 0 AND recipient_id = 'supporter-one'")
        ).scalar_one()
    rows = ws.objects().get("imp-exports", f"{prefix}usage_by_course_week.csv").decode().splitlines()
    assert [row.split(",")[3] for row in rows if row.split(",")[1] == "2"] == [""]


def ready(ws: Workspace, dsn: str) -> str:
    """The week after, as busy as those before it, with its detection; returns its key."""
    count = one(dsn, "SELECT count(*) FROM web.page_view WHERE at >= :a AND at < :b", a=WEEK.before(1).start,
                b=WEEK.start)  # fmt: skip
    sql(
        dsn,
        "INSERT INTO web.page_view (at, session_id, user_id, module_id, url, dwell_s) SELECT CAST(:at AS timestamptz)"
        " + (n % 7) * interval '1 day', gen_random_uuid(), :u, 40, 'x', 60 FROM generate_series(1, :n) AS n",
        at=WEEK.end + timedelta(hours=3), u=world.person(1), n=count,
    )  # fmt: skip
    with Database(dsn).transaction() as c:
        world.detect(c, NOW + timedelta(days=7) - timedelta(hours=3))
    return "2026-W47"


def test_a_person_is_asked_about_a_new_column_and_after_a_warning_and_else_not(ws, dsn):
    world.export(ws)
    later, week = NOW + timedelta(days=7), ready(ws, dsn)
    green = world.prepare(ws, "green", week=week, now=later)
    assert release.release_request(ws, green) is None
    assert release.publish(ws, green, now=later)["published"] == 3

    amber = world.prepare(ws, "amber", week=WEEK.before(1).key)
    asked = release.release_request(ws, amber)
    assert asked is not None
    assert "E-05-baseline" in asked.body
    with pytest.raises(GateBlocked, match="release"):
        release.publish(ws, amber, now=NOW)

    sql(dsn, "ALTER TABLE gov.release_register DISABLE TRIGGER append_only")
    sql(dsn, "UPDATE gov.release_register SET columns = array_remove(columns, 'usage_by_module_week.module_id')")
    new = release.release_request(ws, world.prepare(ws, "dimension", week=WEEK.before(1).key))
    assert new is not None
    assert "EXP-AUTHOR: usage_by_module_week.module_id was never released" in new.body


LAST, AFTER = "2026-W53", datetime(2027, 1, 6, 6, tzinfo=UTC)  # closes a block, the quarter and the year


@pytest.fixture(params=["week", "block"])
def chain(ws: Workspace, dsn: str, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Workspace, str]:
    """Course 2 goes by weeks or blocks; the busy one, the quarter and the year are released to a supporter. With the
    key of the busy one."""
    base = request.param
    sql(dsn, "ALTER TABLE gov.release_base_period DISABLE TRIGGER append_only")
    sql(dsn, f"UPDATE gov.release_base_period SET base = '{base}'")
    registry = copy.deepcopy(world.REGISTRY)
    registry["entitlements"] = [e for e in registry["entitlements"] if e["recipient"] == "supporter-one"]
    registry["entitlements"][0]["courses"] = ["2"]
    world.entitle(dsn, tmp_path, registry)
    if base == "week":
        world.export(ws, "part")
    else:
        world.export(ws, "part", week=ready(ws, dsn), now=NOW + timedelta(days=7))
    with Database(dsn).transaction() as c:
        world.view_page(c, 1, 40, weeks.from_key(LAST).start + timedelta(hours=5), 600)
        world.detect(c, AFTER - timedelta(hours=3))
    world.export(ws, "quarter", week=LAST, now=AFTER)
    return ws, WEEK.key if base == "week" else "2026-Q4-B2"


def started(ws: Workspace) -> dict[str, str]:
    """Starters of the course by period, as the supporter is served them now."""
    with ws.database("export").transaction() as c:
        rows = c.execute(text("SELECT period_key, object_prefix FROM gov.release_register ORDER BY revision")).all()
    prefixes = {row.period_key: row.object_prefix for row in rows}
    found = {}
    for key, prefix in prefixes.items():
        kind = periods.from_key(key).kind
        part = f"course_{kind}" if kind in {"week", "block"} else f"region_{kind}"
        lines = ws.objects().get("imp-exports", f"{prefix}usage_by_{part}.csv").decode().splitlines()
        named = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
        (found[key],) = [row["n_starters"] for row in named if row.get("region", "all regions") == "all regions"]
    return found


def carry_out(ws: Workspace, number: int, name: str, *, week: str = "2026-W47", now: datetime = AFTER) -> dict:
    """As ``correct``, after the year has ended."""
    run = world.open_run(ws, name, week=week, now=now)
    release.open_week(ws, run, WEEK, correction=number, now=now)
    release.judge_input(ws, run, now=now)
    release.protect(ws, run, now=now)
    staged = release.stage(ws, run)
    release.judge_files(ws, run, now=now)
    assert world.approve(ws, run, now=now)
    done = release.publish(ws, run, now=now)
    release.judge_published(ws, run, now=now)
    return staged | done


@long
def test_twenty_more_are_told_in_the_part_and_in_what_it_is_in(chain, dsn):
    """The chain's own numbers, and what both revisions of all of it tell together, are safe: nothing refuses it."""
    ws, part = chain
    before = started(ws)
    busy = {part, "2026-Q4", "2026"}
    assert {key: before[key] for key in busy} == dict.fromkeys(busy, "40")
    world.load_late(dsn, range(100, 120))
    done = carry_out(ws, ask(ws, part), "more")
    assert (done["published"], done["unchanged"], done["ended"]) == (3, 0, 0)
    assert started(ws) == before | dict.fromkeys(busy, "60")
    with Database(dsn).transaction() as c:  # fifteen of them leave: far from the second release, too near the first
        for number in range(100, 115):
            world.erase_person(c, number)
    done = carry_out(ws, ask(ws, part), "fewer")
    assert done["published"] == 3
    assert started(ws) == before | dict.fromkeys(busy, "")


@long
def test_a_handful_more_is_withheld_in_the_part_and_in_what_it_is_in(chain, dsn):
    ws, part = chain
    world.load_late(dsn, range(100, 105))
    done = carry_out(ws, ask(ws, part), "few")
    assert (done["published"], done["unchanged"], done["ended"]) == (3, 0, 0)
    assert set(started(ws).values()) == {""}
    assert one(dsn, "SELECT count(DISTINCT revision) FROM gov.release_register WHERE revision > 0") == 1


def test_who_is_entitled_again_is_given_the_newest_revision_and_who_is_not_keeps_the_old(ws, dsn, tmp_path):
    """Entitlement counts on the day of the release and over the whole window: revision by revision."""
    registry = copy.deepcopy(world.REGISTRY)
    registry["entitlements"] = [
        e for e in registry["entitlements"] if e["recipient"] in {"supporter-one", "author-two"}
    ]
    registry["entitlements"] = [e | {"courses": ["2"]} for e in registry["entitlements"]]
    world.entitle(dsn, tmp_path, registry)
    world.export(ws)
    world.load_late(dsn, range(100, 120))
    without = registry | {"entitlements": [e for e in registry["entitlements"] if e["recipient"] == "author-two"]}
    world.entitle(dsn, tmp_path, without)
    first = ask(ws)
    done = correct(ws, first, "ended")
    assert (done["published"], done["ended"]) == (1, 1)

    short = copy.deepcopy(registry)  # an agreement that lasts, but began within the window
    for agreement in short["agreements"]:
        if agreement["recipient"] == "supporter-one":
            agreement["from"] = WEEK.monday + timedelta(days=1)
    world.entitle(dsn, tmp_path, short)
    run = world.open_run(ws, "short")
    release.open_week(ws, run, WEEK, correction=ask(ws), now=NOW)
    release.judge_input(ws, run, now=NOW)
    with pytest.raises(ReleaseRefused, match="nothing to correct"):
        release.protect(ws, run, now=NOW)

    world.entitle(dsn, tmp_path, registry)
    second = ask(ws)
    done = correct(ws, second, "again")
    assert (done["published"], done["unchanged"], done["ended"]) == (1, 1, 0), "the author has it since the first"
    with Database(dsn).transaction() as c:
        rows = c.execute(
            text("SELECT recipient_id, revision, supersedes FROM gov.release_register ORDER BY recipient_id, revision")
        ).all()
    assert [(row.recipient_id, row.revision) for row in rows] == [
        ("author-two", 0), ("author-two", first), ("supporter-one", 0), ("supporter-one", second)
    ]  # fmt: skip
    assert started(ws) == {WEEK.key: "60"}


def test_a_release_that_nobody_approved_though_it_was_new_is_noticed(ws, dsn):
    """E-14: the lock in publish was passed by some other way."""
    world.export(ws)
    run = world.prepare(ws)
    assert release.judge_published(ws, run, now=NOW)["verdict"] == "pass"
    sql(dsn, "ALTER TABLE gov.release_register DISABLE TRIGGER append_only")
    sql(dsn, "UPDATE gov.release_register SET approvers = '{}' WHERE recipient_id = 'supporter-one'")
    with pytest.raises(GateBlocked, match=r"blocks: E-14\. "):
        release.judge_published(ws, run, now=NOW)
