"""The row set of a release: public lists and the calendar, never what people did."""

from __future__ import annotations

from collections import Counter

import pytest
from privacy_ops.settings import home_directory
from privacy_ops.usage import counting, periods, places
from privacy_ops.usage.counting import CellKey
from privacy_ops.usage.view import PublicCourse

from tests.public_keys import public_keys

PLACES = places.load(home_directory() / "include" / "reference")
COURSES = {
    "a": PublicCourse("a", "A", (("a1", "One"), ("a2", "Two"))),
    "b": PublicCourse("b", "B", (("b1", "One"),)),
}


@pytest.mark.parametrize(
    ("key", "due"),
    [
        ("2026-W47", {"weekly": ("period",)}),
        ("2026-Q4-B2", {"blocks": ("period",)}),
        (
            "2026-Q4",
            {
                "weekly": ("country_quarter", "region_quarter"),
                "blocks": ("country_quarter", "region_quarter"),
                "quarterly": ("period", "country_quarter", "region_quarter"),
            },
        ),
        ("2026", dict.fromkeys(("weekly", "blocks", "quarterly"), ("region_year",))),
    ],
)
def test_which_tables_close_with_a_period_follows_from_the_base_period(key, due):
    bases = {"weekly": "week", "blocks": "block", "quarterly": "quarter"}
    assert counting.due(periods.from_key(key), bases) == due


def test_a_week_has_every_module_and_the_course_itself():
    keys = public_keys(periods.from_key("2026-W47"), PLACES, COURSES, {"a": ("period",), "b": ("period",)})
    assert keys == [
        CellKey("period", "a", "2026-W47"),
        CellKey("period", "a", "2026-W47", "a1"),
        CellKey("period", "a", "2026-W47", "a2"),
        CellKey("period", "b", "2026-W47"),
        CellKey("period", "b", "2026-W47", "b1"),
    ]


def test_a_quarter_has_every_country_and_region_of_the_reference():
    period = periods.from_key("2026-Q4")
    due = counting.due(period, {"a": "quarter", "b": "week"})
    keys = public_keys(period, PLACES, COURSES, due)
    sizes = Counter((key.course_id, key.table) for key in keys)
    assert sizes == {
        ("a", "period"): 3,
        ("a", "country_quarter"): len(PLACES.countries),
        ("a", "region_quarter"): 1 + len(PLACES.regions),
        ("b", "country_quarter"): len(PLACES.countries),
        ("b", "region_quarter"): 1 + len(PLACES.regions),
    }
    assert len(set(keys)) == len(keys)
    assert {key.country for key in keys if key.table == "country_quarter"} == {c.code for c in PLACES.countries}
    assert {key.region for key in keys if key.table == "region_quarter"} == {None, *PLACES.regions}


def test_a_year_has_every_region():
    period = periods.from_key("2026")
    keys = public_keys(period, PLACES, COURSES, {"a": ("region_year",)})
    assert [key.region for key in keys] == [None, "Africa", "Americas", "Asia", "Europe", "Oceania", "not known"]
    assert {key.period_key for key in keys} == {"2026"}
