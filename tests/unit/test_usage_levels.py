"""What is kept of a release's utility: cells and shares of people by level and rule, never a count of few people."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.usage.levels import IN_WORDS, STEPS, Level, level, percent
from privacy_ops.usage.utility import level_reports, report_lines

LEAST = 10


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 0, 0),
        (200, 200, 100),
        (199, 200, 95),  # 5 per cent are ten people
        (199, 199, 100),
        (198, 199, 90),  # 5 per cent would be fewer
        (19, 20, 50),
        (20, 20, 100),
        (9, 19, 0),  # all or nothing
        (18, 19, 0),
        (3, 3, 100),
    ],
)
def test_a_share_of_people_is_told_in_steps_worth_the_threshold(part, whole, told):
    assert percent(part, whole, LEAST) == told


@given(st.integers(1, 5_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_no_share_between_none_and_all_tells_of_fewer_people_than_the_threshold(pair):
    part, whole = pair
    told = percent(part, whole, LEAST)
    alike = [n for n in range(whole + 1) if percent(n, whole, LEAST) == told]
    assert told == 100 or len(alike) >= min(LEAST, whole)
    assert told * whole <= 100 * part
    assert told in {0, 100} or any(told % step == 0 for step in STEPS)


def test_a_level_counts_cells_and_people_by_the_rule_that_withheld_them():
    found = level([(150, None), (30, "linked"), (8, "few"), (0, "few"), (12, "nested")], LEAST)
    assert found == Level(5, 1, 75, {"few": (2, 0), "linked": (1, 15), "nested": (1, 5)})
    assert Level.of(json.loads(json.dumps(found.row()))) == found


def test_the_release_report_adds_cells_over_courses_and_never_shares():
    kept = {
        "tables": {"usage_by_region_quarter": {"values": 8, "published": 3}},
        "levels": {
            "usage_by_region_quarter": {
                "region": {
                    "1": level([(150, None), (30, "linked"), (8, "few")], LEAST).row(),
                    "2": level([(70, None), (40, None), (8, "few")], LEAST).row(),
                }
            }
        },
    }
    (one,) = level_reports(kept)
    assert (one.courses, one.cells, one.published, one.percent, one.people) == (2, 6, 3, 50, (70, 70, 90))
    assert [(rule, cells, people) for rule, _, cells, people in one.rules] == [("few", 2, 0), ("linked", 1, 10)]
    said = "\n".join(report_lines(kept))
    assert "3 of 6 cells published (50 %) in 2 course(s), with at least 70 to 90 %, median 70 %" in said
    assert f"few: 2 cells, less than a step of a course's starters: {IN_WORDS['few']}" in said
    assert "linked: 1 cells, up to 10 %" in said


def test_a_release_of_before_levels_were_kept_says_so():
    assert level_reports({}) == ()
    assert "not kept" in "\n".join(report_lines({}))
