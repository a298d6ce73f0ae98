"""Charts of the console: nothing in them that the page's policy forbids, whatever the numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.console import pages, paging, trends

START = datetime(2026, 11, 1, tzinfo=UTC)
VALUES = st.lists(st.none() | st.floats(0, 1e9, allow_nan=False), max_size=70)


@settings(max_examples=25, deadline=None)
@given(VALUES, st.none() | st.floats(0, 1e6))
def test_any_series_is_a_picture_without_style_and_script(values: list[float | None], limit: float | None) -> None:
    times = [START + timedelta(days=n) for n in range(len(values))]
    root = ElementTree.fromstring(trends.line('<b>"&', times, {"a": values}, limit=limit))  # noqa: S314 - our own
    assert (root.attrib["role"], root.attrib["aria-label"]) == ("img", '<b>"&')
    for element in root.iter():
        assert element.tag.rpartition("}")[2] in {"svg", "g", "path", "rect", "text", "circle"}, element.tag
        assert not {name for name in element.attrib if name in {"style", "id"} or name.startswith("on")}


def test_lines_begin_and_end_with_their_day_and_the_limit_is_told_apart() -> None:
    times = [START + timedelta(days=n) for n in range(30)]
    drawn = trends.line("t", times, {"a": list(range(30))}, limit=40)
    assert drawn.count("Nov</text>") == 2
    assert "serie-1 color-1 limit" in drawn


def test_keys_of_a_page_come_back_as_they_were() -> None:
    from collections import namedtuple
    from urllib.parse import parse_qs

    Row = namedtuple("Row", "at key")
    found = [Row(START + timedelta(hours=n), f"k{n}") for n in range(paging.PAGE + 1)]
    page = paging.page(found, lambda row: (row.at, row.key), cursor="", course="a&b", period="")
    told = parse_qs(page.older)
    assert told.pop("course") == ["a&b"]
    (cursor,) = told.pop("after")
    assert not told
    assert paging.after(cursor, datetime.fromisoformat, str) == [found[paging.PAGE - 1].at, f"k{paging.PAGE - 1}"]
    assert paging.page(found[:-1], lambda row: (row.at, row.key), cursor=cursor).older == ""


@pytest.mark.parametrize("cursor", ["", "x", "W10=", "WyJhIiwgMV0=", "e30=", "é", "W251bGwsbnVsbF0="])
def test_a_cursor_that_nobody_of_us_wrote_is_the_first_page(cursor: str) -> None:
    assert paging.after(cursor, datetime.fromisoformat, str) == [None, None]


def test_times_and_figures_read_well() -> None:
    now = START + timedelta(days=2)
    assert [pages.since(now - timedelta(hours=h), now) for h in (0, 1, 49, -3)] == [
        "just now", "1 hour ago", "2 days ago", "in 3 hours",
    ]  # fmt: skip
    assert [pages.number(v) for v in (None, 12345, 1.5, 2.0, "x")] == ["–", "12,345", "1.5", "2", "x"]
