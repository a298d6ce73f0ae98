"""Releases with noisy counts: one draw of a period, one charge, and nobody in more counts than the noise allows for."""

from __future__ import annotations

import copy
import csv
import io
import secrets
import threading
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from privacy_ops.disclosure import noise
from privacy_ops.errors import GateBlocked, PrivacyOpsError, ReleaseRefused, StoreRefused
from privacy_ops.stores.database import Database, DatabaseFault
from privacy_ops.usage import corrections, drawing, periods, release, weeks
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from tests import usage_world as world
from tests.integration import delivery_crash, faulty
from tests.integration.killed import ALL
from tests.integration.usage_fixtures import begin_again, bounded_counts, one, sql
from tests.usage_world import NOW, WEEK

long = pytest.mark.skipif(not ALL, reason="takes long: part of make proof")
DRAWS = "SELECT count(*) FROM gov.privacy_draw"
SPENT = "SELECT sum(rho) FROM gov.privacy_draw WHERE year_key = '2026'"


@pytest.fixture
def noisy(ws: Workspace, tmp_path: Path) -> Workspace:
    return world.with_noise(ws, tmp_path)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dice that always show nothing: what is drawn is then what was counted."""
    monkeypatch.setattr(noise, "draw", lambda counts, dice: list(counts))


def rows(ws: Workspace, recipient: str, name: str) -> dict[tuple[str, str], tuple[str, str]]:
    (key,) = [k for k in world.exported(ws) if f"/{recipient}/{WEEK.key}/" in k and k.endswith(f"/{name}.csv")]
    read = csv.DictReader(io.StringIO(world.exported(ws)[key].decode()))
    return {(r["course_id"], r.get("module_id", "")): (r["n_starters"], r["n_completers"]) for r in read}


def test_a_week_of_noisy_counts_is_released_and_served_again(noisy, dsn):
    assert world.export(noisy) == {"iso_week": WEEK.key, "published": 3, "adopted": 0, "served": 0}
    first = world.exported(noisy)
    assert world.export(noisy, "again")["served"] == 3
    assert world.exported(noisy) == first
    assert one(dsn, DRAWS) == 1
    assert str(one(dsn, SPENT)) == "0.0147"
    assert one(dsn, "SELECT count(*) FROM gov.release_master") == 0, "no master of cells that are drawn"
    kept = one(dsn, "SELECT DISTINCT utility -> 'privacy' FROM gov.release_register")
    assert kept == {"rho": "0.0147", "cells_per_person": 5}
    readme = next(body.decode() for key, body in first.items() if key.endswith("README.md"))
    for said in ("a random number was added", "Two of three are off by less than 13", "0.78 for a person in a year"):
        assert said in " ".join(readme.split())
    assert "fewer than 10 people" not in readme


def test_every_course_and_module_of_the_public_list_is_drawn_and_both_audiences_read_one_number(noisy, quiet):
    world.export(noisy)
    author = rows(noisy, "author-one", "usage_by_module_week")
    assert set(author) == {("1", "10"), ("1", "11"), ("1", "12"), ("3", "30")}
    courses = rows(noisy, "author-one", "usage_by_course_week")
    supporter = rows(noisy, "supporter-one", "usage_by_course_week")
    assert courses["1", ""] == supporter["1", ""]
    assert courses["3", ""] == ("", ""), "a dozen people are below what is shown"
    assert author["1", "12"] == ("", ""), "as three are"


def bounded(ws: Workspace, dsn: str, without: int | None = None) -> tuple[dict[tuple, int], dict[tuple, int]]:
    """Bounded counts of the week by cell, and each cell's turn."""
    erase = None if without is None else partial(world.erase_person, number=without)
    return bounded_counts(ws, dsn, WEEK, erase)


def by_hand(order: dict[tuple, int]) -> Counter[tuple]:
    """Bounded counts of the made-up publisher, person by person, from what is known of it by heart."""
    does: dict[int, set[tuple]] = defaultdict(set)
    for course, modules in world.MODULES.items():
        for module in modules:
            people, completers = world.STARTS[module]
            for person in people:
                country = "GB" if person % 3 else "ZA"
                region = "Europe" if person % 3 else "Africa"
                told = ["starters"] + ["completers"] * (person - people.start < completers)
                where = ((str(module), "*"), ("*", "*"), ("*", country), ("*", region))
                does[person] |= {(str(course), key, measure) for key in where for measure in told}
    counts: Counter[tuple] = Counter()
    for cells in does.values():
        counts.update(sorted(cells & set(order), key=order.__getitem__)[:5])
    return counts


def test_nobody_is_counted_in_more_than_five_and_everybody_in_the_first_five(noisy, dsn):
    found, order = bounded(noisy, dsn)
    assert found == by_hand(order)
    assert len(found) > 20


def test_two_worlds_that_differ_by_a_person_differ_in_five_counts_by_one(noisy, dsn):
    """With four levels a person of two modules would be in fourteen counts."""
    everybody, _ = bounded(noisy, dsn)
    moved = Counter()
    for number in range(0, 120, 1 if ALL else 30):
        fewer, _ = bounded(noisy, dsn, without=number)
        differences = [everybody[cell] - fewer.get(cell, 0) for cell in everybody]
        assert set(differences) <= {0, 1}, "nobody's absence adds to another count"
        assert set(fewer) <= set(everybody)
        moved[sum(differences)] += 1
    assert max(moved) == 5, "who does much is in as many as are allowed, and no more"


def test_a_second_run_at_once_finds_the_draw(noisy, dsn):
    outcomes: list[dict] = []

    def run(name: str) -> None:
        found = world.open_run(noisy, name)
        release.judge_input(noisy, found, now=NOW)
        barrier.wait()
        outcomes.append(release.protect(noisy, found, now=NOW))

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=run, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(o["drawn"] for o in outcomes) == [0, 1]
    assert one(dsn, DRAWS) == 1


def test_two_hundred_reruns_are_one_draw(noisy, dsn):
    run = world.open_run(noisy)
    release.judge_input(noisy, run, now=NOW)
    assert [release.protect(noisy, run, now=NOW)["drawn"] for _ in range(200 if ALL else 5)][:2] == [1, 0]
    assert one(dsn, DRAWS) == 1
    assert str(one(dsn, SPENT)) == "0.0147"


@long
def test_who_leaves_after_the_draw_changes_no_byte(noisy, dsn):
    world.export(noisy)
    before = world.exported(noisy)
    with Database(dsn).transaction() as c:
        world.erase_person(c, 5)
    assert world.export(noisy, "after")["served"] == 3
    assert world.exported(noisy) == before


def test_a_course_made_after_the_draw_is_left_out_and_stops_nobody(noisy, dsn, tmp_path):
    """The public list is frozen with the draw: who gets an older course as well gets that one, who gets no other,
    nothing."""
    world.export(noisy)
    first = world.exported(noisy)
    with Database(dsn).transaction() as c:
        c.execute(text("INSERT INTO learn.course (id, code, title, live_from) VALUES (5, 'C5', 'New', '2020-01-01')"))
        c.execute(
            text(
                "INSERT INTO learn.module (id, course_id, code, title, live_from) VALUES"
                " (50, 5, 'M50', 'New', '2020-01-01'), (13, 1, 'M13', 'Newer', '2020-01-01')"
            )
        )
    registry = copy.deepcopy(world.REGISTRY)
    for name, courses in (("both", [{"course": "1"}, {"course": "5"}]), ("new", [{"course": "5"}]),
                          ("module", [{"course": "1", "modules": ["13"]}])):  # fmt: skip
        registry["recipients"].append({"id": name, "kind": "author", "name": name, "country": "GB"})
        registry["agreements"].append({"id": f"of-{name}", "recipient": name, **world.AGREED})
        registry["entitlements"] += [
            {"recipient": name, "product": "EXP-AUTHOR", "agreement": f"of-{name}", "courses": [given["course"]]}
            | ({"modules": given["modules"]} if "modules" in given else {})
            for given in courses
        ]
    world.entitle(dsn, tmp_path, registry)
    assert world.export(noisy, "later") == {"iso_week": WEEK.key, "published": 1, "adopted": 0, "served": 3}
    assert one(dsn, DRAWS) == 1
    courses = rows(noisy, "both", "usage_by_course_week")
    assert courses == {("1", ""): rows(noisy, "author-one", "usage_by_course_week")["1", ""]}
    assert set(rows(noisy, "both", "usage_by_module_week")) == {("1", "10"), ("1", "11"), ("1", "12")}
    kept = one(dsn, "SELECT entitlement FROM gov.release_register WHERE recipient_id = 'both'")
    assert [grant["course_id"] for grant in kept] == ["1"]
    assert first.items() <= world.exported(noisy).items()


def test_noisy_counts_are_never_corrected(noisy, dsn):
    world.export(noisy)
    first = world.exported(noisy)
    drawn = one(dsn, "SELECT sha256 FROM gov.privacy_draw")
    with Database(dsn).transaction() as c:
        for number in range(40):
            world.erase_person(c, number)
    with noisy.database("export").transaction() as c:
        number = corrections.request(c, release.periods.from_key(WEEK.key), reason="x", by="y", now=NOW)
    run = world.open_run(noisy, "correction")
    release.open_week(noisy, run, WEEK, correction=number, now=NOW)
    with pytest.raises(ReleaseRefused, match="all that was released of it are noisy counts"):
        release.judge_input(noisy, run, now=NOW)
    assert (one(dsn, DRAWS), one(dsn, "SELECT sha256 FROM gov.privacy_draw")) == (1, drawn)
    assert world.exported(noisy) == first


@long
def test_a_correction_of_a_pack_of_both_profiles_counts_the_one_again_and_draws_nothing(ws, dsn, tmp_path):
    """A quarter's modules under thresholds, and its countries and regions as noisy counts of one kept draw."""
    counts, drawn = ["starters", "completers"], {"profile": "differential_privacy"}
    tables = {
        "EXP-AUTHOR": {"period": {"parts": ["module"], "measures": counts},
                       "country_quarter": {"parts": ["country"], "measures": counts, **drawn}},
        "EXP-SUPPORTER": {"region_quarter": {"parts": ["region"], "measures": counts, **drawn}},
    }  # fmt: skip
    both = world.with_noise(ws, tmp_path, tables, rho={"quarter": 0.15})
    sql(dsn, "ALTER TABLE gov.release_base_period DISABLE TRIGGER append_only")
    sql(dsn, "UPDATE gov.release_base_period SET base = 'quarter'")
    last, after = weeks.from_key("2026-W53"), datetime(2027, 1, 6, 6, tzinfo=UTC)
    with Database(dsn).transaction() as c:
        world.view_page(c, 1, 40, last.start + timedelta(hours=5), 600)
        world.detect(c, after - timedelta(hours=3))
    world.export(both, "quarter", week=last.key, now=after)

    def told(revision: int) -> dict[str, bytes]:
        """Tables of the author of course 2 in that revision."""
        prefix = one(dsn, "SELECT object_prefix FROM gov.release_register WHERE recipient_id = 'author-two'"
                     f" AND revision = {revision}")  # fmt: skip
        every = world.exported(both)
        return {name: every[f"{prefix}usage_by_{name}_quarter.csv"] for name in ("module", "country")}

    first, spent = told(0), one(dsn, SPENT)
    assert len(first["country"].splitlines()) > 200
    world.load_late(dsn, range(100, 120))
    with both.database("export").transaction() as c:
        asked = corrections.request(c, periods.from_key("2026-Q4"), reason="x", by="y", now=after)
    run = world.open_run(both, "correction", week=last.key, now=after)
    release.open_week(both, run, WEEK, correction=asked, now=after)
    done = {name: step(both, run, after) for name, step in world.STEPS.items()}
    again = told(asked)
    assert done["publish"] == {"iso_week": last.key, "published": 1, "adopted": 0, "served": 0}, "of course 2 alone"
    assert again["module"] != first["module"]
    assert again["country"] == first["country"], "twenty more people, and the one draw"
    assert (one(dsn, DRAWS), one(dsn, SPENT)) == (1, spent)


def spend(dsn: str, rho: str, key: str) -> None:
    """An earlier draw of the year, under whatever spec."""
    sql(
        dsn,
        "INSERT INTO gov.privacy_draw VALUES (:key, LEFT(:key, 4), 'old', CAST(:rho AS numeric), 5, 13, '{}', 's', 'r',"
        " now())",
        rho=rho,
        key=key,
    )


def test_a_year_whose_budget_is_used_up_draws_no_more_and_counts_nobody(noisy, dsn):
    spend(dsn, "0.7654", "2026-W01")  # 0.78 less 0.0146: a ten-thousandth too little is left
    run = world.open_run(noisy)
    release.judge_input(noisy, run, now=NOW)
    with pytest.raises(ReleaseRefused, match=r"budget of 2026 does not cover another draw: 0\.0146 of 0\.78 left"):
        release.protect(noisy, run, now=NOW)
    assert one(dsn, DRAWS) == 1
    assert not world.exported(noisy)


@long
def test_the_last_draw_that_the_budget_covers_is_made_and_last_years_cost_nothing(noisy, dsn):
    spend(dsn, "0.7653", "2026-W01")
    spend(dsn, "0.78", "2025-W52")
    assert world.export(noisy)["published"] == 3
    assert str(one(dsn, SPENT)) == "0.7800"


def test_a_draw_that_goes_beyond_the_budget_some_other_way_is_not_published(noisy, dsn):
    run = world.open_run(noisy)
    release.judge_input(noisy, run, now=NOW)
    release.protect(noisy, run, now=NOW)
    spend(dsn, "0.77", "2026-W02")
    release.stage(noisy, run)
    with pytest.raises(GateBlocked, match=r"E-17"):
        release.judge_files(noisy, run, now=NOW)


def test_agreements_are_looked_at_for_packs_that_are_drawn_alone(noisy, monkeypatch):
    monkeypatch.setattr(release.planning, "uncovered", lambda pairs, *_: list(pairs))
    with pytest.raises(GateBlocked, match=r"E-02-files"):
        world.export(noisy)


@long
def test_another_spec_does_not_draw_a_released_week_again(ws, dsn, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    noisy = world.with_noise(ws, tmp_path / "one")
    other = world.with_noise(ws, tmp_path / "two", least_shown=30)
    world.export(noisy)
    first = world.exported(noisy)
    assert world.export(other, "again")["served"] == 3
    assert one(dsn, DRAWS) == 1
    assert world.exported(noisy) == first


@pytest.mark.parametrize("change", ["UPDATE gov.privacy_draw SET rho = 0.0001", "DELETE FROM gov.privacy_draw"])
def test_no_draw_and_no_charge_is_ever_changed(noisy, dsn, change):
    run = world.open_run(noisy)
    release.judge_input(noisy, run, now=NOW)
    release.protect(noisy, run, now=NOW)
    with pytest.raises(StoreRefused):
        sql(dsn, change)
    assert one(dsn, DRAWS) == 1


@long
def test_a_changed_draw_is_not_released(noisy, dsn):
    run = world.open_run(noisy)
    release.judge_input(noisy, run, now=NOW)
    release.protect(noisy, run, now=NOW)
    sql(dsn, "ALTER TABLE gov.privacy_draw DISABLE TRIGGER append_only")
    sql(dsn, """UPDATE gov.privacy_draw SET cells = jsonb_set(cells, '{1,title}', '"x"')""")
    with pytest.raises(ReleaseRefused, match="not what was stored"):
        release.stage(noisy, run)


def test_neither_a_true_nor_a_noisy_count_is_kept(noisy, dsn):
    world.export(noisy)
    kept = one(dsn, "SELECT cells FROM gov.privacy_draw")
    values = [v for course in kept.values() for _, values in course["cells"] for v in values.values()]
    assert len(values) > 10
    assert all(value is None or (value % 5 == 0 and value >= 25) for value in values)


DRAWN = "protect/committed/1"  # the moment after the draw; the one that is tried outside `make proof`


@pytest.mark.timeout(3_600 if ALL else 300)
def test_a_run_killed_at_any_moment_ends_with_one_draw_one_charge_one_release(noisy, dsn, subtests):
    """In `make proof` every commit, and every tenth writing request."""
    moments = [DRAWN]
    if ALL:
        moments = delivery_crash.export(noisy.settings, world.open_run(noisy, "undisturbed"), NOW)
        assert {"protect/commit/1", DRAWN, "publish/send PUT/1"} <= set(moments)
        moments = delivery_crash.some_of(moments)
        assert len(moments) > 20
    for moment in moments:
        with subtests.test(moment):
            begin_again(noisy, dsn)
            run = world.open_run(noisy, secrets.token_hex(4))
            assert moment in delivery_crash.export(noisy.settings, run, NOW, kill_at=moment)
            left = world.exported(noisy)
            drawn = one(dsn, "SELECT min(sha256) FROM gov.privacy_draw")
            assert moment != DRAWN or drawn
            for step in world.STEPS.values():
                step(noisy, run, NOW)
            assert one(dsn, DRAWS) == 1
            assert str(one(dsn, SPENT)) == "0.0147"
            assert drawn in {None, one(dsn, "SELECT sha256 FROM gov.privacy_draw")}, "never drawn again"
            assert one(dsn, "SELECT count(*) FROM gov.release_register") == 3
            assert left.items() <= world.exported(noisy).items(), "what stood there stays"
            versions = list(noisy.objects().versions("imp-exports", ""))
            assert len(versions) == len(world.exported(noisy)), "each file was put once"


def puts_to_exports(asked: faulty.Asked) -> bool:
    return asked.method == "PUT" and asked.path.startswith("/imp-exports/")


def test_stores_that_fail_between_put_and_register_release_once(noisy, dsn, object_settings):
    """Refused, carried out but never answered, and gone for good in the middle: one release, one draw, one charge."""
    run = world.prepare(noisy)
    world.approve(noisy, run)
    with faulty.in_front_of(object_settings.endpoint_url or "") as store:
        shaky = replace(noisy.settings.objects, endpoint_url=store.address)
        behind = Workspace.load(replace(noisy.settings, objects=shaky))
        seen = Counter[bool]()

        def gone_after_a_few(asked: faulty.Asked) -> faulty.Fault | None:
            seen[puts_to_exports(asked)] += puts_to_exports(asked)
            return "unavailable" if puts_to_exports(asked) and seen[True] > 6 else None

        store.spoil = gone_after_a_few
        with pytest.raises(PrivacyOpsError):
            release.publish(behind, run, now=NOW)
        left = world.exported(noisy)
        assert 0 < len(left) <= 6
        assert one(dsn, "SELECT count(*) FROM gov.release_register") == 0
        faults: list[faulty.Fault] = ["unanswered", "unavailable", "unanswered", "unavailable"]
        store.in_turn(faults, when=puts_to_exports)
        outcome = release.publish(behind, run, now=NOW)
        assert len(store.met) > len(faults)
    assert outcome["adopted"] > 0
    assert one(dsn, "SELECT count(*) FROM gov.release_register") == 3
    assert (one(dsn, DRAWS), str(one(dsn, SPENT))) == (1, "0.0147")
    assert left.items() <= world.exported(noisy).items()
    assert len(list(noisy.objects().versions("imp-exports", ""))) == len(world.exported(noisy)), "each was put once"


def test_a_register_that_forgets_draws_and_charges_twice(noisy, dsn, monkeypatch):
    """What the kept draw and its key are there for: without either, a rerun draws and pays again."""
    run = world.open_run(noisy)
    release.judge_input(noisy, run, now=NOW)
    release.protect(noisy, run, now=NOW)
    monkeypatch.setattr(drawing, "read", lambda *_: {})
    with pytest.raises(DatabaseFault, match="privacy_draw_pkey"):
        release.protect(noisy, run, now=NOW)
    sql(dsn, "ALTER TABLE gov.privacy_draw DROP CONSTRAINT privacy_draw_pkey")
    release.protect(noisy, run, now=NOW)
    assert one(dsn, DRAWS) == 2
    assert one(dsn, "SELECT count(DISTINCT sha256) FROM gov.privacy_draw") == 2
    assert str(one(dsn, SPENT)) == "0.0294"
