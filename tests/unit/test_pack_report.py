"""The report of a pack: nothing that loads or runs, every chart beside its figures, withheld never zero."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from typing import Any

import html5lib
import pytest
from privacy_ops.usage.files import chart, report
from privacy_ops.usage.files.model import Table
from privacy_ops.usage.files.page import Page

from tests.pack_contents import REGIONS, content, row, spec, week_row, withheld, year

WEEKS = ("2026-W44", "2026-W45", "2026-W46")


def page(**changed: Any) -> Any:
    """The report as a browser understands it; strict, so that a slip of the markup fails."""
    return parse(report.write(content(**changed)).decode())


def parse(html: str) -> Any:
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    for element in tree.iter():
        element.tag = str(element.tag).removeprefix("{http://www.w3.org/2000/svg}")
    return tree


def words(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def history(*rows: Any) -> tuple[Table, ...]:
    return (Table.of(spec(), rows),)


@pytest.fixture(scope="module")
def html() -> str:
    return report.write(year(courses=3, weeks=20)).decode()


@pytest.fixture(scope="module")
def tree(html: str) -> Any:
    return parse(html)


def test_the_page_loads_nothing_and_runs_nothing(html):
    assert Page(html).active == []
    assert "http://" not in html
    assert "https://" not in html
    assert "<script" not in html
    assert "javascript:" not in html
    assert 'style="' not in html


def test_the_policy_forbids_everything_but_the_one_style_sheet(html, tree):
    policy = tree.find(".//meta[@http-equiv]").get("content")
    style = re.findall(r"<style>(.*?)</style>", html, re.S)
    assert len(style) == 1
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_every_chart_has_a_name_and_its_figures_in_a_table_of_the_same_card(tree):
    cards = tree.findall(".//article")
    assert len(cards) == len(tree.findall(".//svg")) == 3
    for card in cards:
        drawn = card.find(".//svg")
        assert drawn.get("role") == "img"
        named = [card.find(f".//*[@id='{ident}']") for ident in drawn.get("aria-labelledby").split()]
        assert [element.tag for element in named] == ["title", "desc"]
        assert all(words(element) for element in named)
        assert len(card.findall(".//tbody/tr")) == 20
        assert [words(head) for head in card.findall(".//thead//th")] == [
            "Week",
            "Starters",
            "Completers",
            "Minutes per learner",
        ]


def test_the_table_of_a_chart_holds_the_figures_that_were_given(tree):
    given = year(courses=3, weeks=20)
    values = {found.key: found for table in (*given.history, given.tables[0]) for found in table.rows}
    for number, card in enumerate(tree.findall(".//article")):
        for line in card.findall(".//tbody/tr"):
            found = values[words(line.find("th")), f"c{number:03d}"]
            assert [words(cell) for cell in line.findall("td")] == [str(v or "withheld") for v in found.values]


def test_withheld_is_said_and_hatched_and_is_never_a_zero():
    past = [withheld("c1", WEEKS[0]), week_row("c1", WEEKS[1]), withheld("c1", WEEKS[2])]
    tree = page(tables=history(week_row("c1")), history=history(*past))
    cells = [[words(cell) for cell in line.findall("td")] for line in tree.findall(".//article//tbody/tr")]
    assert cells == [["40", "20", "15 to 30"], ["withheld"] * 3, ["40", "20", "15 to 30"], ["withheld"] * 3]
    assert all("withheld" in cell.get("class") for cell in tree.findall(".//td") if words(cell) == "withheld")
    assert "0" not in [words(cell) for cell in tree.findall(".//td")]
    assert "Withheld is not zero." in words(tree)
    # Two stretches in each of three panels, hatched over the whole height of their panel.
    spans = [path for path in tree.findall(".//svg//path") if (path.get("fill") or "").startswith("url(#")]
    assert len(spans) == 6
    assert words(tree.find(".//figcaption")).startswith("Hatched: withheld, not zero.")
    heights = {round(max(ys) - min(ys)) for ys in (_ys(path.get("d")) for path in spans)}
    assert heights == {chart.PLOT_HEIGHT, chart.BAND_HEIGHT * 7}


def _ys(d: str) -> list[float]:
    return [float(y) for y in re.findall(r"[ML] [-\d.]+ ([-\d.]+)", d)]


def test_a_line_is_never_drawn_through_a_withheld_period():
    """The path breaks: a reader cannot read a value between two neighbours."""
    panel = chart.Panel("Starters", (40, None, 60, 65), ("published", "withheld", "published", "published"))
    drawn = chart.svg([panel], ["a", "b", "c", "d"], ident="x", title="t", description="d")
    lines = re.findall(r'd="([^"]+)"[^>]*stroke="var\(--mark\)" stroke-width="1.6"', drawn)
    assert len(lines) == 1
    assert lines[0].count("M") == 2


def test_a_measure_alone_may_be_withheld_and_the_others_stay():
    mixed = row(("2026-W47", "c1"), 40, None, "0 to 5", labels=(None, "One"))
    tree = page(tables=history(mixed), history=history(week_row("c1", WEEKS[2])))
    assert [words(cell) for cell in tree.find(".//section//tbody/tr").findall("td")] == ["40", "withheld", "0 to 5"]
    spans = [path for path in tree.findall(".//svg//path") if (path.get("fill") or "").startswith("url(#")]
    assert len(spans) == 1


def test_a_period_without_a_release_of_a_course_is_empty_and_said():
    past = history(week_row("c1", WEEKS[1]), week_row("c1", WEEKS[2]), week_row("c2", WEEKS[2]))
    tree = page(tables=history(week_row("c1"), week_row("c2")), history=past)
    second = tree.findall(".//article")[1]
    cells = [words(line.find("td")) for line in second.findall(".//tbody/tr")]
    assert cells == ["40", "40", "no release"]
    assert words(second.find(".//figcaption")).startswith("Nothing is withheld.")
    assert not [path for path in second.findall(".//path") if (path.get("fill") or "").startswith("url(#")]


def test_a_course_released_by_quarter_has_no_gaps_in_the_weeks_of_another():
    past = history(week_row("c1", WEEKS[2]), week_row("c2", "2026-Q2"))
    tree = page(tables=history(week_row("c1"), week_row("c2", "2026-Q3"), week_row("c3", "2026-W44-W47")), history=past)
    periods = [[words(head) for head in card.findall(".//tbody//th")] for card in tree.findall(".//article")]
    assert periods == [["2026-W47", "2026-W46"], ["2026-Q3", "2026-Q2"]]  # the third has one period, and no chart


def test_one_period_alone_has_no_chart_and_all_its_figures():
    tree = page()
    assert tree.findall(".//svg") == []
    cells = [words(cell) for cell in tree.findall(".//td")]
    assert cells[:6] == ["40", "20", "15 to 30", *["withheld"] * 3]
    given = [("Starters", "1 of 2 (50 %)"), ("Completers", "1 of 2 (50 %)"), ("Minutes per learner", "1 of 2 (50 %)")]
    assert cells[6:] == [cell for name, count in given for cell in ("Course", name, count, "–")]
    assert "Figures of this release: 2026-W47" in words(tree)
    assert "3 of 6 figures; 3 withheld" in words(tree)


def test_the_page_has_a_language_landmarks_and_headings_in_order(tree):
    assert tree.get("lang") == "en"
    assert [len(tree.findall(f".//{name}")) for name in ("header", "main", "footer", "h1", "nav")] == [1] * 5
    levels = [int(e.tag[1]) for e in tree.iter() if re.fullmatch(r"h\d", str(e.tag))]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for cell in tree.findall(".//thead//th") + tree.findall(".//tbody//th"):
        assert cell.get("scope") in {"col", "row"}


def test_ids_are_there_once_and_every_reference_within_the_page_leads_somewhere(tree):
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    wanted = set()
    for element in tree.iter():
        for name, value in element.attrib.items():
            if name == "href":
                wanted.add(value.removeprefix("#"))
            if name in {"aria-labelledby", "aria-describedby"}:
                wanted |= set(value.split())
            wanted |= set(re.findall(r"url\(#([^)]+)\)", value))
    assert wanted
    assert wanted <= set(ids)


def test_titles_and_names_are_text_and_never_markup():
    evil = "<script>alert(1)</script><img src=x onerror=y>\"'&\u202e\x00"
    tables = history(week_row("c1", title=evil), week_row("<b>c2"))
    past = history(week_row("c1", WEEKS[2], title=evil), week_row("<b>c2", WEEKS[2]))
    html = report.write(content(tables=tables, history=past, recipient_name=evil, contact=evil, rules=(evil,))).decode()
    assert Page(html).active == []
    assert "alert(1)" in words(parse(html.replace("\x00", "")))


def test_a_dollar_in_a_period_or_title_is_no_formula_to_the_chart():
    panel = chart.Panel("$x_1$ and $y", (40, 45), ("published", "published"))
    drawn = chart.svg([panel], ["$a_1$", "<&>"], ident="x", title="a & b", description="<d>")
    assert "$x_1$ and $y" in drawn
    assert "$a_1$" in drawn
    assert "&lt;&amp;&gt;" in drawn


def test_a_chart_is_the_same_whatever_matplotlib_was_told_before():
    import matplotlib as mpl

    panel = chart.Panel("Starters", (40, 45), ("published", "published"))

    def drawn() -> str:
        return chart.svg([panel], ["a", "b"], ident="x", title="t", description="d")

    before = drawn()
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "path", "axes.grid": True}):
        assert drawn() == before


def test_each_chart_is_small_and_carries_no_date_font_or_tool():
    past = history(*(week_row("c1", f"2025-W{n:02d}") for n in range(1, 53)))
    tree = report.write(content(tables=history(week_row("c1")), history=past)).decode()
    drawn = re.findall(r"<svg.*?</svg>", tree, re.S)
    assert len(drawn) == 1
    assert len(drawn[0]) < 16_000
    for tell_tale in ("matplotlib v", "DejaVu", "metadata", "Date", "xmlns", "<style"):
        assert tell_tale not in drawn[0], tell_tale


def test_tables_of_other_dimensions_are_there_with_their_own_names():
    regions = Table.of(
        REGIONS, [row(("2026-Q3", "c1", "Asia"), 25, 20, "0 to 5"), row(("2026-Q3", "c1", "Africa"), *[None] * 3)]
    )
    tree = page(tables=(Table.of(spec(), [week_row("c1")]), regions))
    second = tree.findall(".//main/section")[1]
    assert [words(head) for head in second.findall(".//thead//th")][:2] == ["Course", "World region"]
    assert [words(head) for head in second.find(".//tbody/tr").findall("th")] == ["Title of c1", "Africa"]


# --- contrast: WCAG 2.2, 1.4.3 for text and 1.4.11 for what a chart is read by ---

_TEXT = [("ink", "page"), ("ink", "card"), ("quiet", "page"), ("quiet", "card"), ("link", "page"), ("link", "card")]
_TEXT += [("withheld", "withheld-bg"), ("ink", "withheld-bg")]
_GRAPHIC = [("mark", "card"), ("hatch", "card"), ("mark", "page"), ("hatch", "page")]


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_charts_have_enough_contrast(html, scheme):
    blocks = [block for block in re.findall(r":root \{(.*?)\}", html, re.S) if "--ink" in block]
    assert len(blocks) == 2
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[scheme]))
    for pairs, least in ((_TEXT, 4.5), (_GRAPHIC, 3.0)):
        for front, back in pairs:
            assert _contrast(colours[front], colours[back]) >= least, (front, back)
