"""Charts over time: the weeks of a quarter in its report, from window and spec alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from privacy_ops.settings import home_directory
from privacy_ops.usage import institutions, plan
from privacy_ops.usage.files import report
from privacy_ops.usage.files.build import build
from privacy_ops.usage.master import Master
from privacy_ops.usage.measure import measure
from privacy_ops.usage.pack import content_of, parts_shown
from privacy_ops.usage.plan import Grant, PlannedPack, release_id
from privacy_ops.usage.protecting import References
from privacy_ops.usage.protection import Protected, protect_period

from tests.pack_contents import signer
from tests.protected_courses import COURSE, PLACES, QUARTER, SPEC, WEEKS, protected_week, quarter_cells

SIGNER = signer()
REFERENCES = References(SPEC, PLACES, institutions.load(home_directory() / "include" / "registry"))
SMALL = WEEKS[4]


def pack(product: str) -> PlannedPack:
    ident = release_id(product, "someone", QUARTER.key, SPEC.spec_version)
    last = QUARTER.windows()[-1].key
    return PlannedPack(
        product,
        "someone",
        "Some One",
        QUARTER,
        last,
        ident,
        SPEC.spec_version,
        (Grant("1"),),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def masters() -> dict[tuple[str, str], Master]:
    """A busy course: one week of the quarter is too small for anything, and module 11 is in that week too."""
    people = {week: 5 if week == SMALL else 80 for week in WEEKS}
    weekly = {week: protected_week(week, count - count // 2, count // 2) for week, count in people.items()}
    cells = quarter_cells({"Europe": 545, "Asia": 300, "Africa": 200}, weekly=people, cohort=True)
    kept = protect_period(QUARTER, "week", COURSE, PLACES, SPEC, cells, [*weekly.values()], is_open=True)
    every: dict[str, Protected] = {week.key: found for week, found in weekly.items()} | {QUARTER.key: kept}
    return {("1", key): Master("1", key, "week", COURSE.title, COURSE.modules, found) for key, found in every.items()}


def content(masters, product="EXP-AUTHOR", withdrawn=()):
    return content_of(pack(product), masters, PLACES, SPEC, "privacy office", withdrawn)


def test_a_quarter_shows_its_weeks_as_each_audience_may_see_them(masters):
    assert [part.key for part in parts_shown(pack("EXP-AUTHOR"), masters)] == [week.key for week in WEEKS]
    author, supporter = content(masters), content(masters, "EXP-SUPPORTER")
    assert {table.spec.name for table in author.history} == {"usage_by_course_week", "usage_by_module_week"}
    assert {table.spec.name for table in supporter.history} == {"usage_by_course_week"}
    rows = {row.key[0]: row for row in supporter.history[0].rows}
    assert set(rows) == {week.key for week in WEEKS}
    assert rows[WEEKS[0].key].values == (80, 40, "15 to 30")
    assert rows[SMALL.key].values == (None, None, None)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("2026-W40", "about one week alone"),
        ("2026-Q4-B1", "about one block alone"),
        ("2026-Q4", "about one quarter alone"),
        ("2026", "about one year alone"),
    ],
)
def test_a_report_without_a_chart_says_why(masters, key, said):
    week = replace(pack("EXP-SUPPORTER"), period=WEEKS[0], iso_week=WEEKS[0].key)
    alone = replace(content_of(week, masters, PLACES, SPEC, "privacy office", ()), period_key=key)
    page = " ".join(report.write(alone).decode().split())
    assert page.count("No chart over time: ") == 1
    assert said in page
    assert "<svg" not in page


def test_a_report_with_a_chart_needs_no_excuse(masters):
    assert "No chart over time" not in report.write(content(masters)).decode()


def test_the_page_hatches_the_withheld_week_and_never_draws_a_zero(masters):
    page = report.write(content(masters, "EXP-SUPPORTER")).decode()
    assert page.count("<svg") == 1
    assert "Hatched: withheld, not zero." in page
    row = page[page.index(f'class="key">{SMALL.key}<') :].split("</tr>")[0]
    assert row.count("withheld</td>") == 3
    assert 'class="figure">0</td>' not in page


def test_a_withdrawn_week_is_left_out(masters):
    left = content(masters, "EXP-SUPPORTER", {WEEKS[1].key})
    assert WEEKS[1].key not in {row.key[0] for table in left.history for row in table.rows}
    assert "no release" in report.write(left).decode()


def test_a_missing_master_is_an_error_and_not_a_gap(masters):
    few = {at: found for at, found in masters.items() if at[1] != WEEKS[2].key}
    with pytest.raises(KeyError):
        content(few)


def judged(masters, told, *, files=()):
    packs = [pack("EXP-AUTHOR"), pack("EXP-SUPPORTER")]
    contents = {p: content_of(p, told, PLACES, SPEC, "privacy office", ()) for p in packs}
    staged = {p.prefix: build(contents[p], SIGNER) | dict(files) for p in packs}
    weekly = [masters["1", week.key] for week in WEEKS]
    found = measure(contents, packs, staged, masters, {("1", QUARTER): weekly}, REFERENCES, (SIGNER.public_key,))
    return {name: value for name, value in found.row().items() if value and name != "packs"}


def test_honest_charts_have_nothing_wrong(masters):
    assert judged(masters, masters) == {}


def test_charts_that_do_not_say_what_the_weeks_said_are_noticed(masters):
    """A weakened release: the charts tell another number of one week than its own pack."""
    one = masters["1", WEEKS[0].key]
    cells = tuple(
        replace(cell, values={n: 9000 if n == "starters" else v for n, v in cell.values.items()})
        for cell in one.protected.master
    )
    views = dict.fromkeys(one.protected.views, cells)
    weak = {**masters, ("1", WEEKS[0].key): replace(one, protected=replace(one.protected, master=cells, views=views))}
    assert judged(masters, weak).get("contradictions", 0) > 0


def test_a_report_that_is_not_what_the_content_says_is_noticed(masters):
    found = judged(masters, masters, files={"report.html": report.write(content(masters)) + b" "}.items())
    assert found["wrong_values"] == 2


def test_a_quarter_whose_charts_alone_would_change_is_corrected_too(masters, monkeypatch):
    """A week was counted again, the quarter comes to the same: its old charts would contradict the new week."""
    at = ("1", WEEKS[0].key)
    new = {**masters, at: replace(masters[at], protected=protected_week(WEEKS[0], 60, 60))}
    recounted = {WEEKS[0]: ("1",), QUARTER: ("1",)}

    def says_otherwise(revised, product):
        def read(_connection, _version, keys, _courses, *, revision):
            return {at: [(0, masters[at]), (revision, found)] for at, found in revised.items() if at[1] in keys}

        monkeypatch.setattr(plan, "read_revisions", read)
        return plan._Found(None, SPEC, recounted, 3).says_otherwise(pack(product), 0)

    for product in ("EXP-AUTHOR", "EXP-SUPPORTER"):
        assert not says_otherwise(masters, product)
        assert says_otherwise(new, product)
