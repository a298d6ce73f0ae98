"""What may be said in a pack at all: the model refuses it before a file could."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from privacy_ops.usage.files.columns import columns, written
from privacy_ops.usage.files.model import Dimension, Measure, Row, Table

from tests.pack_contents import BANDS, COURSE, MEASURES, REGIONS, WEEK, content, row, spec, week_row, withheld

PUBLISHED = ("published",) * 3


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((0, 20, "15 to 30"), id="zero"),
        pytest.param((5, 20, "15 to 30"), id="below the threshold"),
        pytest.param((41, 20, "15 to 30"), id="not rounded"),
        pytest.param((-40, 20, "15 to 30"), id="negative"),
        pytest.param((True, 20, "15 to 30"), id="a truth value"),
        pytest.param((40, 20, "15 to 31"), id="a band that is not one"),
        pytest.param((40, 20, 15), id="a number for a band"),
        pytest.param((40, "20", "15 to 30"), id="a text for a number"),
    ],
)
def test_a_value_that_must_never_be_shown_is_refused_and_not_quoted(values):
    with pytest.raises(ValueError, match="small, not rounded or not one of its bands") as refused:
        Table.of(spec(), [week_row("c1", "2026-W47", *values)])
    assert str(values[0]) not in str(refused.value).replace("course_week", "")


def test_the_smallest_count_is_the_rounded_threshold():
    assert spec(min_people=10, round_to=5).least_count == 10
    assert spec(min_people=12, round_to=5).least_count == 10
    assert spec(min_people=13, round_to=5).least_count == 15
    assert spec(min_people=1, round_to=5).least_count == 5  # never zero
    with pytest.raises(ValueError, match="small"):
        Table.of(REGIONS, [row(("2026-Q3", "c1", "Asia"), 15, 20, "0 to 5")])


@pytest.mark.parametrize(
    "changed",
    [
        {"flags": ("withheld", "published", "published")},
        {"values": (None, 20, "15 to 30")},
        {"flags": ("ok", "published", "published")},
        {"values": (40, 20), "flags": ("published", "published")},
        {"labels": ("title of a week", "Title of c1")},
        {"labels": (None, None)},
        {"labels": (None,)},
        {"key": ("2026-W47",)},
        {"key": ("2026-W47", "")},
    ],
)
def test_a_row_that_does_not_fit_its_table_is_refused(changed):
    Table.of(spec(), [week_row("c1")])
    with pytest.raises(ValueError, match="usage_by_course_week"):
        Table.of(spec(), [replace(week_row("c1"), **changed)])


def test_rows_are_sorted_by_key_whatever_order_they_come_in():
    rows = [week_row("c2"), withheld("c10"), week_row("c1")]
    assert [found.key[1] for found in Table.of(spec(), rows).rows] == ["c1", "c10", "c2"]
    with pytest.raises(ValueError, match="sorted"):
        Table(spec(), tuple(rows))
    with pytest.raises(ValueError, match="twice"):
        Table.of(spec(), [week_row("c1"), withheld("c1")])


@pytest.mark.parametrize("name", ["", "Usage", "../x", "a b", "usage.csv", "1st", "a" * 64, "ü", "x\n"])
def test_names_of_files_and_columns_are_plain(name):
    with pytest.raises(ValueError, match="not a name"):
        spec(name=name)
    with pytest.raises(ValueError, match="not a name"):
        Measure(name, "count", "", "")
    with pytest.raises(ValueError, match="not a name"):
        Dimension("d", "", "", name)


def test_bands_belong_to_bands():
    with pytest.raises(ValueError, match="bands"):
        Measure("m", "count", "", "", BANDS)
    with pytest.raises(ValueError, match="bands"):
        Measure("m", "band", "", "")
    with pytest.raises(ValueError, match="twice"):
        Measure("m", "band", "", "", ("0 to 5", "0 to 5"))


@pytest.mark.parametrize("band", ["5-15", "0-5", "1/2", "1.2", "2026-11", "5-15-20"])
def test_a_band_that_a_spreadsheet_may_read_as_a_date_is_refused(band):
    Measure("m", "band", "", "", ("5 to 15", "240+", "20-30 %"))
    with pytest.raises(ValueError, match="a date"):
        Measure("m", "band", "", "", (band,))


def test_two_columns_never_share_a_name():
    with pytest.raises(ValueError, match="same name"):
        columns(spec(measures=(MEASURES[0], Measure("n_starters_flag", "count", "", ""))))


def test_history_continues_the_tables_of_the_pack_and_repeats_nothing():
    past = Table.of(spec(), [week_row("c1", "2026-W46")])
    assert content(history=(past,)).history == (past,)
    with pytest.raises(ValueError, match="columns are others"):
        content(history=(replace(past, spec=spec(min_people=15)),))
    with pytest.raises(ValueError, match="repeats"):
        content(history=(Table.of(spec(), [week_row("c1")]),))
    with pytest.raises(ValueError, match="repeats"):
        content(history=(past, past))


def test_a_pack_has_tables_and_a_period_that_ends_after_it_begins():
    table = Table.of(spec(), [week_row("c1")])
    for tables in ((), (table, table)):
        with pytest.raises(ValueError, match="no table, or one of them twice"):
            content(tables=tables)
    with pytest.raises(ValueError, match="ends before"):
        content(last_day=date(2026, 11, 15))


def test_keys_that_a_reader_could_not_tell_apart_are_refused():
    table = Table.of(spec(), [week_row("c1"), week_row("c1\u202a")])
    with pytest.raises(ValueError, match="look the same"):
        written(table, "m")
    with pytest.raises(ValueError, match="nothing to show"):
        written(Table.of(spec(), [week_row("\u202a")]), "m")


def test_a_title_that_is_empty_gives_way_to_its_key():
    rows = written(Table.of(spec(), [Row(("2026-W47", "c1"), (None, "\t "), (40, 20, "0 to 5"), PUBLISHED)]), "usage-2")
    assert rows == [("2026-W47", "c1", "c1", 40, "published", 20, "published", "0 to 5", "published", "usage-2")]
    assert [column.name for column in columns(spec(WEEK, COURSE))][:3] == ["iso_week", "course_id", "course_title"]
