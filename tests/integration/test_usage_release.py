"""Whole export runs on a real PostgreSQL, as the export's own role, and on an S3 API."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from privacy_ops.errors import GateBlocked, PrivacyOpsError, ReleaseRefused, StoreRefused
from privacy_ops.stores.database import Database, quote
from privacy_ops.usage import master, release, release_spec, weeks
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from tests import block_list
from tests import usage_world as world
from tests.attack.attacks import side_channels
from tests.integration import delivery_crash
from tests.integration.killed import ALL
from tests.integration.usage_fixtures import administer, begin_again, one, sql
from tests.usage_world import NOW, WEEK

SUPPORTER, AUTHOR = "usage_by_course_week.csv", "usage_by_module_week.csv"


def table(
    ws: Workspace, recipient: str, week: str = WEEK.key, name: str = SUPPORTER
) -> dict[tuple[str, str], dict[str, str]]:
    """The rows that a recipient got, by course and module."""
    keys = [k for k in world.exported(ws) if f"/{recipient}/{week}/" in k and k.endswith(f"/{name}")]
    assert len(keys) == 1
    rows = csv.DictReader(io.StringIO(world.exported(ws)[keys[0]].decode()))
    return {(row["course_id"], row.get("module_id", "")): row for row in rows}


def shown(row: dict[str, str]) -> tuple[str, ...]:
    return row["n_starters"], row["n_completers"], row["mean_minutes_band"], row["n_starters_flag"]


WITHHELD = ("", "", "", "withheld")


def test_a_week_is_released_to_those_who_may_have_it(ws, dsn):
    assert world.export(ws) == {"iso_week": WEEK.key, "published": 3, "adopted": 0, "served": 0}
    # Course 1: people 0–54 learn, 25 + 20 complete with five in both, a twenty-minute view per module.
    courses = table(ws, "supporter-one")
    assert shown(courses["1", ""]) == ("55", "40", "15 to 30", "published")
    assert shown(courses["2", ""]) == ("40", "30", "15 to 30", "published")
    assert shown(courses["3", ""]) == WITHHELD, "twelve learners ever: below thirty"
    assert shown(table(ws, "author-one")["1", ""]) == shown(courses["1", ""])
    modules = table(ws, "author-one", name=AUTHOR)
    assert shown(modules["1", "10"]) == ("40", "25", "15 to 30", "published")
    assert shown(modules["1", "12"]) == WITHHELD, "three learners"
    assert shown(modules["3", "30"]) == WITHHELD
    assert shown(table(ws, "author-two", name=AUTHOR)["2", "21"]) == WITHHELD
    assert not [key for key in world.exported(ws) if "supporter-gone" in key], "the agreement ended on Saturday"
    assert one(dsn, "SELECT count(*) FROM gov.release_register") == 3
    assert one(dsn, "SELECT count(*) FROM gov.release_event WHERE kind = 'published'") == 3


def test_a_pack_is_whole_and_tells_nothing_of_the_run(ws):
    world.export(ws)
    files = {k.rpartition("/")[2]: b for k, b in world.exported(ws).items() if "supporter-one" in k}
    assert set(files) == {
        SUPPORTER, SUPPORTER.replace("csv", "parquet"), "csv-metadata.json", "datapackage.json", "DATA_DICTIONARY.md",
        "README.md", "report.html", "SHA256SUMS", "SHA256SUMS.sig", "allowed_signers",
    }  # fmt: skip
    assert all(b"\r" not in body for name, body in files.items() if not name.endswith("parquet"))
    assert b"course_usage_export" not in b"".join(files.values())
    assert not side_channels(world.exported(ws))


def test_a_rerun_and_a_cleared_run_serve_the_same_bytes(ws):
    world.export(ws)
    before = world.exported(ws)
    versions = {(v.key, v.version_id) for v in ws.objects().versions("imp-exports")}
    assert world.export(ws, "one")["served"] == 3
    assert world.export(ws, "two")["served"] == 3
    assert world.exported(ws) == before
    assert {(v.key, v.version_id) for v in ws.objects().versions("imp-exports")} == versions


def test_erasing_one_person_changes_no_released_byte(ws, dsn):
    world.export(ws)
    before = world.exported(ws)
    with Database(dsn).transaction() as c:
        world.erase_person(c, 39)
    assert world.export(ws, "after")["served"] == 3
    assert world.exported(ws) == before


def test_a_course_that_falls_below_thirty_stays_open(ws, dsn):
    world.export(ws)
    with Database(dsn).transaction() as c:
        for number in range(55):
            world.erase_person(c, number)
    week = "2026-W47"
    later = NOW + timedelta(days=7)
    with Database(dsn).transaction() as c:
        world.view_page(c, 100, 10, WEEK.end + timedelta(hours=5), 60)
        world.detect(c, later - timedelta(hours=3))
    world.export(ws, "later", week=week, now=later)
    assert one(dsn, "SELECT lifetime_reached FROM gov.release_master WHERE course_id = '1' AND period_key = :w", w=week)


def test_backfills_in_any_order_give_the_same_bytes(ws, dsn, cluster, template, object_settings):
    one_way, other_way = ((2, 0, 1), (1, 2, 0)) if ALL else ((1, 0), (0, 1))
    for week in (WEEK.before(back).key for back in one_way):
        world.export(ws, f"backfill-{week}", week=week)
    first = world.exported(ws)
    assert len({key.split("/")[3] for key in first}) == len(one_way)

    name = f"usage_{secrets.token_hex(4)}"
    administer(cluster, f"CREATE DATABASE {quote(name)} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        store = ws.objects()
        store.delete_versions("imp-exports", list(store.versions("imp-exports")))
        again = world.workspace(cluster.dsn(name), object_settings)
        for week in (WEEK.before(back).key for back in other_way):
            world.export(again, f"backfill-{week}", week=week)
        assert world.exported(again) == first
    finally:
        administer(cluster, f"DROP DATABASE {quote(name)} WITH (FORCE)")


def test_a_crash_between_put_and_register_is_adopted_by_the_next_try(ws, dsn, monkeypatch):
    run = world.prepare(ws)
    world.approve(ws, run)

    def crash(*_args, **_kwargs):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(release, "_register", crash)
        with pytest.raises(RuntimeError):
            release.publish(ws, run, now=NOW)
    left = world.exported(ws)
    assert left
    assert one(dsn, "SELECT count(*) FROM gov.release_register") == 0
    outcome = release.publish(ws, run, now=NOW)
    assert outcome["adopted"] == 1
    assert left.items() <= world.exported(ws).items()
    assert one(dsn, "SELECT count(*) FROM gov.release_register") == 3


@pytest.mark.skipif(not ALL, reason="long: part of make proof")
@pytest.mark.timeout(3_600)
def test_a_run_killed_at_any_moment_releases_once(ws, dsn, subtests):
    """Every commit, and every tenth writing request, of a whole run under thresholds."""
    moments = delivery_crash.export(ws.settings, world.open_run(ws, "undisturbed"), NOW)
    every = world.exported(ws)
    numbers = "SELECT string_agg(sha256, ' ' ORDER BY course_id, period_key) FROM gov.release_master"
    masters = one(dsn, numbers)
    chosen = delivery_crash.some_of(moments)
    assert len(chosen) > 20
    for moment in chosen:
        with subtests.test(moment):
            begin_again(ws, dsn)
            run = world.open_run(ws, secrets.token_hex(4))
            assert moment in delivery_crash.export(ws.settings, run, NOW, kill_at=moment)
            left = world.exported(ws)
            for step in world.STEPS.values():
                step(ws, run, NOW)
            assert left.items() <= every.items()
            assert world.exported(ws) == every
            assert one(dsn, numbers) == masters
            assert one(dsn, "SELECT count(*) FROM gov.release_register") == 3
            assert len(list(ws.objects().versions("imp-exports", ""))) == len(every), "each file was put once"


def test_another_file_of_the_same_name_is_never_overwritten(ws, dsn):
    run = world.prepare(ws)
    world.approve(ws, run)
    prefix = next(iter(release.read_staged(ws, run)))
    ws.objects().put("imp-exports", f"{prefix}README.md", b"something else")
    with pytest.raises(ReleaseRefused, match="another file"):
        release.publish(ws, run, now=NOW)
    assert ws.objects().get("imp-exports", f"{prefix}README.md") == b"something else"
    assert one(dsn, "SELECT count(*) FROM gov.release_register") == 0


def test_two_runs_of_one_week_at_once_release_it_once(ws, dsn):
    outcomes: list[dict] = []

    def run(name: str) -> None:
        found = world.prepare(ws, name)
        world.approve(ws, found)
        barrier.wait()
        outcomes.append(release.publish(ws, found, now=NOW))

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=run, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted((o["published"], o["served"]) for o in outcomes) == [(0, 3), (3, 0)]
    assert one(dsn, "SELECT count(*) FROM gov.release_register") == 3


def test_a_question_stands_when_another_run_releases_the_same_columns_first(ws):
    """Of two first releases at once each keeps its own question: the slower one is neither lost nor let through."""
    first, second = world.prepare(ws, "first"), world.prepare(ws, "second", week=WEEK.before(1).key)
    asked = release.release_request(ws, second)
    assert asked is not None
    world.approve(ws, first)
    assert release.publish(ws, first, now=NOW)["published"]
    assert release.release_request(ws, second) == asked
    release.judge_files(ws, second, now=NOW)  # a gate that judges again does not change it either
    assert release.release_request(ws, second) == asked
    with pytest.raises(GateBlocked, match="release"):
        release.publish(ws, second, now=NOW)
    world.approve(ws, second)
    assert release.publish(ws, second, now=NOW)["published"]


def test_nothing_is_released_before_a_person_approved_the_first_release(ws, dsn):
    run = world.prepare(ws)
    with pytest.raises(GateBlocked, match="release"):
        release.publish(ws, run, now=NOW)
    world.approve(ws, run, decision="reject")
    world.approve(ws, run)
    with pytest.raises(GateBlocked, match="release"):
        release.publish(ws, run, now=NOW)
    assert world.exported(ws) == {}


def test_files_changed_after_the_gate_are_not_published(ws):
    run = world.prepare(ws)
    world.approve(ws, run)
    key = next(k for k in ws.objects().keys("imp-staging") if k.endswith(".csv"))
    ws.objects().put("imp-staging", key, ws.objects().get("imp-staging", key) + b"x")
    with pytest.raises(GateBlocked, match="something else"):
        release.publish(ws, run, now=NOW)
    assert world.exported(ws) == {}


def test_input_that_moved_after_the_gate_is_not_counted(ws, dsn):
    run = world.open_run(ws)
    release.judge_input(ws, run, now=NOW)
    with Database(dsn).transaction() as c:
        world.view_page(c, 1, 10, WEEK.start + timedelta(hours=1), 60)
    with pytest.raises(GateBlocked, match="something else"):
        release.protect(ws, run, now=NOW)
    assert one(dsn, "SELECT count(*) FROM gov.release_master") == 0


def test_a_blocked_gate_marked_as_success_opens_nothing(ws, dsn):
    run = world.open_run(ws, now=WEEK.end + timedelta(hours=1))
    with pytest.raises(GateBlocked, match="E-04"):
        release.judge_input(ws, run, now=WEEK.end + timedelta(hours=1))
    with pytest.raises(GateBlocked):
        release.protect(ws, run, now=WEEK.end + timedelta(hours=1))


def test_a_withdrawn_release_is_refused_and_the_others_are_served(ws, dsn):
    world.export(ws)
    ident = one(dsn, "SELECT release_id FROM gov.release_register WHERE recipient_id = 'author-two'")
    sql(
        dsn,
        "INSERT INTO gov.release_event (release_id, kind, run_id, at, reason) VALUES (:r, 'withdrawn', '-', :at, 'x')",
        r=ident,
        at=NOW,
    )
    run = world.open_run(ws, "again")
    release.judge_input(ws, run, now=NOW)
    release.protect(ws, run, now=NOW)
    assert release.stage(ws, run)["withdrawn"] == 1
    release.judge_files(ws, run, now=NOW)
    assert release.publish(ws, run, now=NOW)["served"] == 2


def test_published_bytes_that_were_changed_are_noticed(ws):
    world.export(ws)
    key = next(k for k in world.exported(ws) if k.endswith(".csv"))
    ws.objects().put("imp-exports", key, b"changed")
    run = world.open_run(ws, "again")
    with pytest.raises(GateBlocked, match="E-12-bytes"):
        release.judge_published(ws, run, now=NOW)
    with pytest.raises(ReleaseRefused, match="register"):
        release.stage(ws, run)


def learners(ws: Workspace, dsn: str, course: str) -> set[str]:
    """Who is counted, straight from the view."""
    from privacy_ops.usage import view

    with ws.database("export").transaction() as c:
        view.build(c, ws.data_map, WEEK)
        rows = c.execute(text("SELECT DISTINCT person FROM usage_event WHERE course_id = :c"), {"c": course})
        return {row.person for row in rows}


EXCLUDED = (
    ("staff", "UPDATE core.user_account SET account_type = 'staff' WHERE user_id = :u"),
    ("bot", "UPDATE core.user_account SET account_type = 'bot' WHERE user_id = :u"),
    ("restricted", "UPDATE core.user_account SET status = 'restricted' WHERE user_id = :u"),
    (
        "objects_to_statistics",
        "INSERT INTO consent.preference_current (user_id, no_statistics, updated_at) VALUES (:u, true, now())",
    ),
    (
        "refuses_third_parties",
        "INSERT INTO consent.preference_current (user_id, no_third_party, updated_at) VALUES (:u, true, now())",
    ),
    (
        "suspected_minor",
        "INSERT INTO gov.minor_case (subject_kind, subject_table, subject_key, subject_ref, ref_key_id, class,"
        " state, discovered_at, opened_by_run, judged_by_run) VALUES ('person', 'core.user_account',"
        " ARRAY[CAST(:u AS text)], 'r', 'k', 'SUSPECTED_MINOR', 'IN_REVIEW', now(), 'x', 'x')",
    ),
    (
        "judged_by_a_source_that_cannot_be_trusted",  # not locked, and yet in no statistic
        "INSERT INTO gov.minor_case (subject_kind, subject_table, subject_key, subject_ref, ref_key_id, class,"
        " state, restriction, discovered_at, opened_by_run, judged_by_run) VALUES ('person', 'core.user_account',"
        " ARRAY[CAST(:u AS text)], 'r', 'k', 'SOURCE_SUSPECT', 'OPEN', 'SOFT', now(), 'x', 'x')",
    ),
)


def test_people_who_enter_no_statistic(ws, dsn):
    everybody = {str(world.person(n)) for n in range(55)}
    assert learners(ws, dsn, "1") == everybody
    for number, (_, statement) in enumerate(EXCLUDED):
        sql(dsn, statement, u=world.person(number))
    left = learners(ws, dsn, "1")
    counted = {name: str(world.person(n)) in left for n, (name, _) in enumerate(EXCLUDED)}
    assert counted == {name: False for name, _ in EXCLUDED}
    assert len(left) == 55 - len(EXCLUDED)


def test_a_cleared_case_is_counted_again(ws, dsn):
    sql(
        dsn,
        "INSERT INTO gov.minor_case (subject_kind, subject_table, subject_key, subject_ref, ref_key_id, class, state,"
        " decision, decided_at, discovered_at, opened_by_run, judged_by_run) VALUES ('person', 'core.user_account',"
        " ARRAY[CAST(:u AS text)], 'r', 'k', 'SUSPECTED_MINOR', 'CLEARED', 'CLEARED', now(), now(), 'x', 'x')",
        u=world.person(5),
    )
    assert str(world.person(5)) in learners(ws, dsn, "1")


def test_visitors_and_other_weeks_are_not_counted(ws, dsn):
    with Database(dsn).transaction() as c:
        c.execute(
            text("INSERT INTO web.page_view (at, session_id, module_id, url) VALUES (:at, gen_random_uuid(), 10, 'x')"),
            {"at": WEEK.start},
        )
        world.view_page(c, 110, 10, WEEK.start - timedelta(seconds=1), 60)
        world.view_page(c, 111, 10, WEEK.end, 60)
        world.view_page(c, 112, 10, WEEK.start, 60)
        world.view_page(c, 113, 10, WEEK.end - timedelta(seconds=1), 60)
    found = learners(ws, dsn, "1")
    assert {str(world.person(n)) in found for n in (110, 111)} == {False}
    assert {str(world.person(n)) in found for n in (112, 113)} == {True}


INPUT_BLOCKS = {
    "E-01": lambda c: c.execute(text("UPDATE gov.run SET as_of = as_of - interval '30 hours'")),
    "E-05": lambda c: (
        c.execute(text("DELETE FROM web.page_view WHERE at >= :a AND at < :b"), {"a": WEEK.start, "b": WEEK.end})
        and c.execute(text("DELETE FROM learn.module_progress"))
    ),
    "E-02": lambda c: c.execute(text("UPDATE gov.recipient SET status = 'ended'")),
    "E-02-courses": lambda c: c.execute(text("UPDATE gov.entitlement SET course_id = '99' WHERE course_id = '2'")),
}


@pytest.mark.parametrize("check", INPUT_BLOCKS)
def test_the_input_gate_blocks(ws, dsn, check):
    with Database(dsn).transaction() as c:
        INPUT_BLOCKS[check](c)
    run = world.open_run(ws)
    with pytest.raises(GateBlocked, match=rf"blocks: {check}\. "):
        release.judge_input(ws, run, now=NOW)


@pytest.mark.parametrize("kind", [{"dry_run": True}, {"state": "failed"}, {"rehearsal": True}, {"rehearsal": None}])
def test_a_rehearsal_or_a_failed_detection_does_not_open_the_export(ws, dsn, kind):
    with Database(dsn).transaction() as c:
        c.execute(text("DELETE FROM gov.run"))
        world.detect(c, NOW - timedelta(hours=1), **kind)
    with pytest.raises(GateBlocked, match="E-01"):
        release.judge_input(ws, world.open_run(ws), now=NOW)


def test_somebody_left_in_the_input_by_mistake_blocks(ws, dsn, monkeypatch):
    """A faulty view builder: the gate asks the sources anew."""
    from privacy_ops.usage import view

    sql(dsn, "UPDATE core.user_account SET status = 'restricted' WHERE user_id = :u", u=world.person(5))
    run = world.open_run(ws)
    build = view.build

    def faulty(connection, data_map, window):
        build(
            connection,
            data_map.model_copy(update={"usage": data_map.usage.model_copy(update={"exclusions": ()})}),
            window,
        )

    monkeypatch.setattr(view, "build", faulty)
    with pytest.raises(GateBlocked, match=r"blocks: E-03\. "):
        release.judge_input(ws, run, now=NOW)


def test_no_baseline_warns_and_does_not_block(ws, dsn):
    sql(dsn, "DELETE FROM web.page_view WHERE at < :a", a=WEEK.before(2).start)
    assert release.judge_input(ws, world.open_run(ws), now=NOW)["verdict"] == "warn"


def test_a_full_week_passes_without_a_warning(ws):
    assert release.judge_input(ws, world.open_run(ws), now=NOW)["verdict"] == "pass"


def test_a_week_in_which_everything_is_withheld_is_published(ws, dsn):
    week = WEEK.before(1).key
    world.export(ws, week=week)
    rows = [row for name in ("supporter-one", "author-one", "author-two") for row in table(ws, name, week).values()]
    assert rows
    assert {shown(row) for row in rows} == {WITHHELD}


def test_an_agreement_without_a_clause_gives_nothing(ws, dsn, tmp_path: Path):
    registry = copy.deepcopy(world.REGISTRY)
    registry["agreements"][1]["clauses"] = registry["agreements"][1]["clauses"][:-1]
    world.entitle(dsn, tmp_path, registry)
    assert world.export(ws)["published"] == 2
    assert not [key for key in world.exported(ws) if "author-two" in key]


@pytest.mark.parametrize(
    ("name", "dates", "packs"),
    [
        ("covers_week_and_release_day", {"from": date(2026, 11, 9), "to": date(2026, 11, 18)}, 3),
        ("ends_the_day_before_the_release", {"to": date(2026, 11, 17)}, 2),
        ("begins_on_the_tuesday_of_the_week", {"from": date(2026, 11, 10)}, 2),
    ],
)
def test_an_agreement_covers_the_whole_week_and_the_day_of_release(ws, dsn, tmp_path, name, dates, packs):
    registry = copy.deepcopy(world.REGISTRY)
    registry["agreements"][1] |= dates
    world.entitle(dsn, tmp_path, registry)
    assert world.export(ws)["published"] == packs


def test_the_register_and_masters_are_never_changed(ws, dsn):
    world.export(ws)
    for name in ("release_master", "release_register", "release_event"):
        with pytest.raises(PrivacyOpsError):
            sql(dsn, f"DELETE FROM gov.{name}")
    with pytest.raises(PrivacyOpsError):
        sql(dsn, "UPDATE gov.release_register SET n_rows = 0")


FORBIDDEN = (
    "SELECT email_norm FROM core.user_account",
    "SELECT username FROM core.user_account",
    "SELECT * FROM core.user_profile",
    "SELECT url FROM web.page_view",
    "SELECT score FROM learn.assessment_attempt",
    "SELECT subject_ref FROM gov.minor_case",
    "UPDATE gov.entitlement SET valid_to = '2099-01-01'",
    "INSERT INTO gov.recipient VALUES ('x-y', 'author', 'x', 'GB', 'active')",
    "DELETE FROM gov.release_register",
    "UPDATE gov.release_master SET sha256 = ''",
    "DELETE FROM web.page_view",
)


@pytest.fixture
def as_export(ws: Workspace) -> Callable[[str], None]:
    def run(statement: str) -> None:
        with ws.database("export").transaction() as c:
            c.execute(text(statement))

    return run


def test_the_export_can_read_no_address_and_change_no_right(as_export):
    for statement in FORBIDDEN:
        with pytest.raises(StoreRefused):
            as_export(statement)


def test_no_true_count_stays_behind(ws, dsn):
    """Twelve learners of course 3 and three of module 12 stand nowhere in gov."""
    world.export(ws)
    kept = one(dsn, "SELECT string_agg(cells::text, ' ') FROM gov.release_master")
    assert '"learners": 12' not in kept
    assert not re.search(r'"learners": 3\D', kept)
    assert not re.search(r'"starters": (3|12)\D', kept)
    # The server clears a session's temporary tables a moment after it ended.
    for _ in range(50):
        left = one(dsn, "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relname ~ '^(usage|period)_'")
        if not left:
            break
        time.sleep(0.1)
    assert left == 0


@contextmanager
def other_rules() -> Iterator[None]:
    """After somebody raised a threshold."""
    real = release_spec.load

    def changed(path: Path) -> release_spec.ReleaseSpec:
        told = real(path).model_dump()
        told["thresholds"]["min_people"] = 15
        return release_spec.ReleaseSpec.model_validate(told)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(release_spec, "load", changed)
        yield


def test_other_rules_later_serve_a_released_week_as_it_was(ws, dsn):
    world.export(ws)
    before = world.exported(ws)
    with other_rules():
        assert world.export(ws, "again")["served"] == 3
    assert world.exported(ws) == before


def entitle_another(dsn, tmp_path, **entitled):
    registry = copy.deepcopy(world.REGISTRY)
    registry["recipients"].append({"id": "supporter-new", "kind": "supporter", "name": "New", "country": "GB"})
    registry["agreements"].append({"id": "A5", "recipient": "supporter-new", **world.AGREED})
    registry["entitlements"].append({
        "recipient": "supporter-new",
        "product": "EXP-SUPPORTER",
        "agreement": "A5",
        "courses": ["1"],
        **entitled,
    })
    world.entitle(dsn, tmp_path, registry)


def test_a_released_week_is_not_shown_to_a_new_recipient_under_other_rules(ws, dsn, tmp_path):
    world.export(ws)
    entitle_another(dsn, tmp_path)
    with other_rules(), pytest.raises(GateBlocked, match=r"blocks: E-15\. "):
        world.prepare(ws, "new")
    # Under the rules of that week he is given what everybody else was given.
    assert world.export(ws, "same") == {"iso_week": WEEK.key, "published": 1, "adopted": 0, "served": 3}
    assert shown(table(ws, "supporter-new")["1", ""]) == shown(table(ws, "supporter-one")["1", ""])


LAST = "2026-W53"  # closes the week, the third block, the quarter and the year
AFTER = datetime(2027, 1, 6, 6, tzinfo=UTC)


def close_the_year(dsn: str) -> None:
    """Something is seen in the last week of the year, and the night's detection has ended."""
    with Database(dsn).transaction() as c:
        for number in range(50):
            world.view_page(c, number, 40, weeks.from_key(LAST).start + timedelta(hours=5 + number % 120), 600)
        world.detect(c, AFTER - timedelta(hours=3))


def test_the_last_week_of_a_year_releases_week_quarter_and_year(ws, dsn):
    world.export(ws)
    close_the_year(dsn)
    assert world.export(ws, "last", week=LAST, now=AFTER)["published"] == 9
    released = {key.split("/")[-1] for key in world.exported(ws) if f"/{LAST}/" in key and key.endswith(".csv")}
    assert released == {
        "usage_by_course_week.csv", "usage_by_module_week.csv", "usage_by_country_quarter.csv",
        "usage_by_region_quarter.csv", "usage_by_region_year.csv",
    }  # fmt: skip
    with Database(dsn).transaction() as c:
        periods_ = c.execute(
            text("SELECT period_key, iso_week FROM gov.release_register WHERE recipient_id = 'author-one' ORDER BY 1")
        ).all()
        utility = c.execute(text("SELECT utility FROM gov.release_register WHERE period_key = '2026-Q4'")).scalars()
    assert [tuple(row) for row in periods_] == [
        ("2026", LAST), ("2026-Q4", LAST), (WEEK.key, WEEK.key), (LAST, LAST)
    ]  # fmt: skip
    for found in utility:
        assert found["withheld_by"]
        assert all(table["published"] <= table["values"] for table in found["tables"].values())


@pytest.mark.skipif(not ALL, reason="takes long: part of make proof")
def test_a_quarter_released_before_its_weeks_gives_the_same_bytes(ws, dsn, cluster, template, object_settings):
    close_the_year(dsn)
    order = (WEEK.key, LAST)
    for week in order:
        world.export(ws, week, week=week, now=AFTER)
    first = world.exported(ws)
    assert first

    name = f"usage_{secrets.token_hex(4)}"
    administer(cluster, f"CREATE DATABASE {quote(name)} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        store = ws.objects()
        store.delete_versions("imp-exports", list(store.versions("imp-exports")))
        again = world.workspace(cluster.dsn(name), object_settings)
        close_the_year(cluster.dsn(name))
        for week in reversed(order):
            world.export(again, week, week=week, now=AFTER)
        assert world.exported(again) == first
    finally:
        administer(cluster, f"DROP DATABASE {quote(name)} WITH (FORCE)")


def test_a_week_in_which_no_course_closes_anything_releases_nothing_and_is_green(ws, dsn, cluster, object_settings):
    with Database(dsn).transaction() as c:
        c.execute(text("ALTER TABLE gov.release_base_period DISABLE TRIGGER append_only"))
        c.execute(text("UPDATE gov.release_base_period SET base = 'quarter'"))
    outcome = world.export(ws)
    assert outcome == {"iso_week": WEEK.key, "published": 0, "adopted": 0, "served": 0}
    assert world.exported(ws) == {}


def test_who_wrote_some_modules_sees_those_and_no_course(ws, dsn, tmp_path):
    registry = copy.deepcopy(world.REGISTRY)
    registry["entitlements"][0] = {
        "recipient": "author-one", "product": "EXP-AUTHOR", "agreement": "A1", "courses": ["1"], "modules": ["10"],
    }  # fmt: skip
    world.entitle(dsn, tmp_path, registry)
    world.export(ws)
    assert set(table(ws, "author-one", name=AUTHOR)) == {("1", "10")}
    assert not [key for key in world.exported(ws) if "author-one" in key and key.endswith("course_week.csv")]


def test_masters_that_say_too_much_together_are_held(ws, dsn):
    """E-09: a master of the same quarter that contradicts this week's."""
    world.export(ws)
    with Database(dsn).transaction() as c:
        c.execute(text("ALTER TABLE gov.release_master DISABLE TRIGGER append_only"))
        c.execute(
            text(
                "INSERT INTO gov.release_master SELECT course_id, '2026-Q4', spec_version, lifetime_reached,"
                " replace(replace(cells::text, '2026-W46', '2026-Q4'), ': 55', ': 10')::jsonb, sha256, run_id,"
                " protected_at, ends_at FROM gov.release_master WHERE course_id = '1' AND period_key = :w"
            ),
            {"w": WEEK.key},
        )
        kept = c.execute(
            text("SELECT cells FROM gov.release_master WHERE course_id = '1' AND period_key = '2026-Q4'")
        ).scalar_one()
        sha256 = master.digest(json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
        c.execute(
            text("UPDATE gov.release_master SET sha256 = :s WHERE course_id = '1' AND period_key = '2026-Q4'"),
            {"s": sha256},
        )
        world.detect(c, NOW + timedelta(days=7) - timedelta(hours=3))
        world.view_page(c, 1, 10, WEEK.end + timedelta(hours=5), 60)
    with pytest.raises(GateBlocked, match=r"blocks: E-0[89]"):
        world.prepare(ws, "next", week="2026-W47", now=NOW + timedelta(days=7))


@pytest.mark.parametrize("how", ["blocked", "copied to a blocked bucket", "stale", "never set"])
def test_nothing_is_written_to_an_uncleared_bucket(ws, dsn, how):
    run = world.prepare(ws)
    world.approve(ws, run)
    if how == "blocked":
        block_list.block(dsn, "bucket:imp-exports")
    elif how == "copied to a blocked bucket":
        block_list.block(dsn, "bucket:imp-backups-copy")
        block_list.replicate(ws.objects(), "imp-exports", "imp-backups-copy")
    elif how == "stale":
        block_list.renew(dsn, (NOW - timedelta(hours=50, seconds=1)).isoformat())
    else:
        sql(dsn, "DELETE FROM gov.block_list_renewal")
    with pytest.raises(GateBlocked, match="cleared" if how in {"stale", "never set"} else "has blocked"):
        release.publish(ws, run, now=NOW)
    assert world.exported(ws) == {}
    if how == "stale":
        block_list.renew(dsn, (NOW - timedelta(hours=50)).isoformat())
        release.publish(ws, run, now=NOW)
        assert world.exported(ws)


def test_nothing_is_written_while_the_block_list_cannot_be_read(ws, dsn):
    run = world.prepare(ws)
    world.approve(ws, run)
    with block_list.unreadable(dsn, "export"), pytest.raises(StoreRefused, match="may not do this"):
        release.publish(ws, run, now=NOW)
    assert world.exported(ws) == {}
    assert one(dsn, "SELECT count(*) FROM gov.release_register") == 0
    release.publish(ws, run, now=NOW)
    assert world.exported(ws)
