"""Protection of a course's periods: linked in time, nested for stricter audiences, the same in every order."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from privacy_ops.disclosure.linked.audit import audit, too_narrow
from privacy_ops.disclosure.linked.frame import Entry
from privacy_ops.usage import frames
from privacy_ops.usage.frames import ALL
from privacy_ops.usage.protection import Protected, cells_of, keys_of, protect_period, told

from tests.protected_courses import (
    COURSE,
    PLACES,
    QUARTER,
    SPEC,
    WEEKS,
    YEAR,
    protected_week,
    quarter_cells,
    week_cells,
)


def shown(kept: Protected, key, name="starters", product="EXP-AUTHOR", table="period"):
    return told(cells_of(kept, product, table))[Entry(key, name)]


def test_a_week_with_two_good_modules_is_shown_to_both_audiences():
    kept = protected_week(WEEKS[0])
    week = WEEKS[0].key
    assert kept.exposed == 0
    assert shown(kept, (week, ALL, ALL)) == shown(kept, (week, ALL, ALL), product="EXP-SUPPORTER") == 70
    assert (shown(kept, (week, "10", ALL)), shown(kept, (week, "10", ALL), "minutes")) == (40, "15-30")
    assert set(told(kept.views["EXP-SUPPORTER/period"])) == {
        Entry((week, ALL, ALL), name) for name in ("learners", "starters", "completers", "minutes")
    }


def test_a_small_module_takes_a_second_one_with_it_or_the_course():
    kept = protected_week(WEEKS[0], 40, 4)
    hidden = [m for m in (ALL, "10", "11") if shown(kept, (WEEKS[0].key, m, ALL)) is None]
    assert "11" in hidden
    assert len(hidden) > 1
    assert kept.exposed == 0


def test_a_course_that_never_had_thirty_people_says_nothing():
    kept = protected_week(WEEKS[0], is_open=False)
    assert set(told(kept.master).values()) == {None}


def test_supporters_need_five_institutions_where_authors_need_three():
    cells = [found._replace(institutions=4) for found in week_cells(WEEKS[0])]
    kept = protect_period(WEEKS[0], "week", COURSE, PLACES, SPEC, cells, (), is_open=True)
    week = (WEEKS[0].key, ALL, ALL)
    assert shown(kept, week) == 70
    assert shown(kept, week, product="EXP-SUPPORTER") is None


def test_a_quarter_is_linked_to_its_weeks_and_nested_for_supporters():
    weekly = dict(zip(WEEKS, [60] * 13 + [5], strict=True))
    weeks = [protected_week(week, people - people // 2, people // 2) for week, people in weekly.items()]
    cells = quarter_cells({"Europe": 500, "Asia": 200, "Africa": 70, "Oceania": 15}, weekly=weekly)
    started = time.monotonic()
    kept = protect_period(QUARTER, "week", COURSE, PLACES, SPEC, cells, weeks, is_open=True)
    assert time.monotonic() - started < 20
    assert kept.exposed == 0
    author = {region: shown(kept, (QUARTER.key, ALL, region)) for region in ("Europe", "Asia", "Africa", "Oceania")}
    supporter = {
        region: shown(kept, (QUARTER.key, ALL, region), product="EXP-SUPPORTER", table="region_quarter")
        for region in author
    }
    assert author["Oceania"] in {15, None}
    assert supporter["Oceania"] is None
    assert {r for r, n in supporter.items() if n is not None} <= {r for r, n in author.items() if n is not None}
    # Everything that anybody holds of the quarter, together.
    frame = frames.activity_frame(QUARTER, "week", COURSE, PLACES, SPEC)
    every = [c for part in (*weeks, kept) for c in part.master]
    assert too_narrow(audit(every_activity(every), frame, SPEC.rules())) == ()


def every_activity(cells):
    names = {"learners", "starters", "completers", "minutes"}
    return [replace(c, values={n: v for n, v in c.values.items() if n in names}) for c in cells]


def test_shares_are_of_the_quarters_cohort_and_by_place():
    cells = quarter_cells({"Europe": 300, "Asia": 200}, cohort=True)
    kept = protect_period(QUARTER, "quarter", COURSE, PLACES, SPEC, cells, (), is_open=True)
    key = (QUARTER.key, ALL, "Europe")
    assert shown(kept, key, "share cohort_completers", "EXP-SUPPORTER", "region_quarter") == "40-60"
    assert told(kept.master)[Entry(key, "share cohort_passed")] == "20-40"
    assert kept.exposed == 0


def test_a_course_by_quarters_may_show_supporters_a_total_that_its_regions_may_not():
    cells = quarter_cells({"Europe": 8, "Asia": 8})
    kept = protect_period(QUARTER, "quarter", COURSE, PLACES, SPEC, cells, (), is_open=True)
    total = (QUARTER.key, ALL, ALL)
    assert shown(kept, total, product="EXP-SUPPORTER") == 15
    assert shown(kept, total, product="EXP-SUPPORTER", table="region_quarter") is None


@pytest.mark.parametrize(
    ("table", "period", "base", "parts"),
    [
        ("period", WEEKS[0], "week", 3),
        ("period", QUARTER, "week", 0),
        ("period", QUARTER, "quarter", 3),
        ("country_quarter", QUARTER, "week", len(PLACES.countries) - 1),
        ("region_year", YEAR, "week", 6),
        ("region_year", QUARTER, "week", 0),
    ],
)
def test_which_cells_a_table_of_authors_has(table, period, base, parts):
    frame = frames.activity_frame(period, base, COURSE, PLACES, SPEC)
    assert len(keys_of(table, SPEC.audiences["EXP-AUTHOR"].tables[table], period, base, frame)) == parts
