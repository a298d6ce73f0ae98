"""From masters to packs and back: what a pack says, and that the gate's numbers notice what must not be said."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from privacy_ops.disclosure.linked.audit import audit, too_narrow
from privacy_ops.disclosure.linked.cells import PublishedCell, share_of
from privacy_ops.disclosure.linked.rules import Bands
from privacy_ops.errors import ReleaseRefused
from privacy_ops.settings import home_directory
from privacy_ops.usage import frames, institutions, periods
from privacy_ops.usage.counting import due
from privacy_ops.usage.files.build import build
from privacy_ops.usage.frames import ALL
from privacy_ops.usage.master import Master, digest, from_json, to_json
from privacy_ops.usage.measure import Metrics, _exposed_shares, _needs, family_keys, measure
from privacy_ops.usage.pack import content_of, content_type, file_tables, pack_sha256
from privacy_ops.usage.plan import Grant, PlannedPack, release_id
from privacy_ops.usage.protecting import References
from privacy_ops.usage.protection import Protected, protect_period, view_name
from privacy_ops.usage.utility import level_reports, utility

from tests.pack_contents import signer
from tests.protected_courses import COURSE, PLACES, QUARTER, SPEC, WEEKS, protected_week, quarter_cells
from tests.public_keys import public_keys

SIGNER = signer()
REFERENCES = References(SPEC, PLACES, institutions.load(home_directory() / "include" / "registry"))
REGIONS = view_name("EXP-SUPPORTER", "region_quarter")


def master(protected: Protected, period=WEEKS[0], base="week") -> Master:
    return Master(COURSE.course_id, period.key, base, COURSE.title, COURSE.modules, protected)


def pack(product="EXP-AUTHOR", period=WEEKS[0], *modules: str) -> PlannedPack:
    ident = release_id(product, "someone", period.key, SPEC.spec_version)
    week = period.windows()[-1].key
    return PlannedPack(product, "someone", "Some One", period, week, ident, SPEC.spec_version, (Grant("1", modules),))


@pytest.fixture(scope="module")
def quarter() -> Protected:
    """A course by quarters, with one region too small for supporters and not for authors."""
    cells = quarter_cells({"Europe": 300, "Asia": 200, "Africa": 60, "Americas": 15}, cohort=True)
    return protect_period(QUARTER, "quarter", COURSE, PLACES, SPEC, cells, (), is_open=True)


def judged(kept: Master, *packs: PlannedPack, says: Master | None = None, beside=(), **files: bytes):
    """The gate's numbers of packs that say what ``says`` does, against the master that was kept."""
    masters, told = {("1", kept.period_key): kept}, {("1", kept.period_key): says or kept}
    contents = {p: content_of(p, masters, PLACES, SPEC, "privacy office") for p in packs}
    staged = {p.prefix: build(content_of(p, told, PLACES, SPEC, "privacy office"), SIGNER) | files for p in packs}
    others = {("1", packs[0].period): list(beside)}
    return measure(contents, packs, staged, masters, others, REFERENCES, (SIGNER.public_key,))


def wrong(metrics) -> dict[str, int]:
    return {name: value for name, value in metrics.row().items() if value and name != "packs"}


def rows(content, name) -> dict[tuple[str, ...], tuple]:
    table = next(table for table in content.tables if table.spec.name == name)
    return {row.key: row.values for row in table.rows}


def test_a_week_goes_to_authors_by_course_and_module_and_to_supporters_by_course():
    kept = {("1", WEEKS[0].key): master(protected_week(WEEKS[0]))}
    author = content_of(pack(), kept, PLACES, SPEC, "privacy office")
    assert rows(author, "usage_by_course_week") == {(WEEKS[0].key, "1"): (70, 35, "15 to 30")}
    assert rows(author, "usage_by_module_week")[WEEKS[0].key, "1", "10"] == (40, 20, "15 to 30")
    supporter = content_of(pack("EXP-SUPPORTER"), kept, PLACES, SPEC, "privacy office")
    assert [table.spec.name for table in supporter.tables] == ["usage_by_course_week"]


def test_the_author_of_a_module_sees_that_module_alone():
    kept = {("1", WEEKS[0].key): master(protected_week(WEEKS[0]))}
    content = content_of(pack("EXP-AUTHOR", WEEKS[0], "11"), kept, PLACES, SPEC, "privacy office")
    assert {key for table in content.tables for key in rows(content, table.spec.name)} == {(WEEKS[0].key, "1", "11")}


def test_a_quarter_is_by_country_for_authors_and_by_region_for_supporters(quarter):
    kept = {("1", QUARTER.key): master(quarter, QUARTER, "quarter")}
    author = content_of(pack("EXP-AUTHOR", QUARTER), kept, PLACES, SPEC, "privacy office")
    countries = rows(author, "usage_by_country_quarter")
    assert len(countries) == len(PLACES.countries) - 1
    assert (QUARTER.key, "1", "ZZ") not in countries
    supporter = content_of(pack("EXP-SUPPORTER", QUARTER), kept, PLACES, SPEC, "privacy office")
    regions = rows(supporter, "usage_by_region_quarter")
    assert {key[2] for key in regions} == {"all regions", "Africa", "Americas", "Asia", "Europe", "Oceania"}
    assert regions[QUARTER.key, "1", "Americas"] == (None, None, None, None)
    assert regions[QUARTER.key, "1", "Europe"][-1] == "40 to 60"
    tables = list(file_tables(pack("EXP-SUPPORTER", QUARTER), SPEC))
    said = utility(supporter, [kept["1", QUARTER.key]], tables)
    assert set(said["tables"]) == {"usage_by_course_quarter", "usage_by_region_quarter"}
    assert said["withheld_by"]["few"] > 0
    assert said["people"]["1"]["course"] == 100
    assert said["people"]["1"]["region"] > 0
    assert said["people"]["1"]["country"] == 0, "a country that is all of its region tells that nobody is from another"
    assert all(percent % 5 == 0 for percent in said["people"]["1"].values())


@pytest.mark.parametrize("period", [WEEKS[0], QUARTER], ids=["week", "quarter"])
def test_honest_packs_of_both_audiences_have_nothing_wrong(quarter, period):
    kept = master(quarter, QUARTER, "quarter") if period == QUARTER else master(protected_week(period))
    found = judged(kept, pack("EXP-AUTHOR", period), pack("EXP-SUPPORTER", period))
    assert found.packs == 2
    assert wrong(found) == {}


@pytest.mark.parametrize("product", ["EXP-AUTHOR", "EXP-SUPPORTER"])
@pytest.mark.parametrize("left", ["one", "half", "all_but_one"])
def test_rows_that_are_left_out_everywhere_are_missed(quarter, product, left):
    """Master, files and metadata agree, and yet tell where nobody was: half of a level's rows or one, it is seen."""
    part = "ZA" if product == "EXP-AUTHOR" else "Africa"
    level = {c.key for c in quarter.master if (len(c.key[2]) == 2) == (len(part) == 2) and c.key[2] != ALL}
    shown = {c.key for c in quarter.master if c.values["starters"] is not None}
    nobody = sorted(level - shown) or sorted(level)
    gone = set({"one": nobody[:1], "half": nobody[: len(level) // 2], "all_but_one": sorted(level)[1:]}[left])
    weak = replace(
        quarter,
        master=tuple(c for c in quarter.master if c.key not in gone),
        views={name: tuple(c for c in view if c.key not in gone) for name, view in quarter.views.items()},
    )
    found = wrong(judged(master(weak, QUARTER, "quarter"), pack(product, QUARTER)))
    assert set(found) == {"wrong_rows"}
    assert found["wrong_rows"] == len(gone - {(QUARTER.key, ALL, place) for place in frames.UNSHOWN})


def test_a_table_that_is_left_out_lacks_all_its_rows():
    """The modules of a week: no file of them at all."""
    kept = protected_week(WEEKS[0])
    weak = replace(kept, master=tuple(c for c in kept.master if c.key[1] == ALL))
    assert wrong(judged(master(weak), pack())) == {"wrong_rows": 2}


def shown_anyway(cells, truth: dict[tuple[tuple[str, ...], str], int]):
    """A weakened release: these numbers are shown, whatever the mask said."""
    return tuple(PublishedCell(c.key, {n: truth.get((c.key, n), v) for n, v in c.values.items()}) for c in cells)


def test_a_master_that_is_only_thinned_out_for_supporters_is_broken(quarter):
    """All regions but one, and their total: the small one is what is missing."""
    weak = {((QUARTER.key, ALL, region), "starters"): n for region, n in
            {"Europe": 300, "Asia": 200, "Africa": 60, "Oceania": 20, ALL: 575}.items()}  # fmt: skip
    views = {**quarter.views, REGIONS: shown_anyway(quarter.views[REGIONS], weak)}
    kept = master(replace(quarter, views=views), QUARTER, "quarter")
    assert wrong(judged(kept, pack("EXP-SUPPORTER", QUARTER)))["exposed_cells"] > 0


def test_a_week_is_held_beside_a_quarter_that_says_too_much(quarter):
    """Everybody of the course is from Europe, and the table says so: nobody is from anywhere else."""
    told = {((QUARTER.key, ALL, place), "starters"): 560 for place in ("Europe", ALL)}
    weak = replace(quarter, master=shown_anyway(blank(quarter.master), told))
    week = master(protected_week(WEEKS[0]))
    assert wrong(judged(week, pack(), beside=[master(quarter, QUARTER)])) == {}
    assert set(wrong(judged(week, pack(), beside=[master(weak, QUARTER)]))) == {"narrowed_cells"}


def test_a_week_is_held_beside_a_quarter_that_contradicts_it(quarter):
    """More people in the week than in the quarter around it."""
    told = {((QUARTER.key, ALL, ALL), "starters"): 20}
    wrong_quarter = replace(quarter, master=shown_anyway(blank(quarter.master), told))
    found = judged(master(protected_week(WEEKS[0])), pack(), beside=[master(wrong_quarter, QUARTER)])
    assert wrong(found) == {"contradictions": 1}


def blank(cells):
    return tuple(PublishedCell(cell.key, dict.fromkeys(cell.values)) for cell in cells)


def test_starters_and_completers_that_differ_by_few_are_not_shown_side_by_side():
    """A master without that rule: 70 starters beside 65 completers tell of about five people."""
    kept = master(protected_week(WEEKS[0]))
    cells = tuple(
        replace(cell, values=cell.values | {"completers": 65}) if cell.key == (WEEKS[0].key, ALL, ALL) else cell
        for cell in kept.protected.master
    )
    weakened = replace(kept, protected=replace(kept.protected, master=cells))
    assert "small_counts" not in wrong(judged(kept, pack()))
    assert wrong(judged(weakened, pack()))["small_counts"] == 1


def test_numbers_that_are_not_the_masters_are_noticed():
    kept = master(protected_week(WEEKS[0]))
    other = master(protected_week(WEEKS[0], 60, 30))
    assert wrong(judged(kept, pack(), says=other))["wrong_values"] > 0


@pytest.mark.parametrize(
    ("change", "metric"),
    [
        ({"more.csv": b"a\n"}, "wrong_files"),
        ({"README.md": b"# ask lena@example.org\n"}, "identifiers"),
        ({"usage_by_course_week.csv": b"\xff"}, "wrong_files"),
        ({"report.html": b"<script>x</script>"}, "hidden_data"),
    ],
)
def test_files_that_were_tampered_with_are_noticed(change, metric):
    assert wrong(judged(master(protected_week(WEEKS[0])), pack("EXP-SUPPORTER"), **change))[metric] > 0


def test_a_pack_that_nobody_planned_is_noticed():
    kept = master(protected_week(WEEKS[0]))
    found = measure({}, [], {pack().prefix: {}}, {("1", kept.period_key): kept}, {}, REFERENCES, ())
    assert wrong(found) == {"packs_off_plan": 1}


def test_a_master_comes_back_as_it_was_kept_or_not_at_all(quarter):
    kept = master(quarter, QUARTER, "quarter")
    text = to_json(kept)
    assert from_json(json.loads(text), digest(text)) == kept
    with pytest.raises(ReleaseRefused, match="not what was stored"):
        from_json({**json.loads(text), "title": "Other"}, digest(text))


def test_a_master_of_before_levels_were_kept_is_read_and_its_release_says_so(quarter):
    kept = json.loads(to_json(master(quarter, QUARTER, "quarter")))
    del kept["levels"]
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    old = from_json(kept, digest(text))
    assert old.protected == replace(quarter, levels={})
    supporter = pack("EXP-SUPPORTER", QUARTER)
    content = content_of(supporter, {("1", QUARTER.key): old}, PLACES, SPEC, "privacy office")
    said = utility(content, [old], list(file_tables(supporter, SPEC)))
    assert level_reports(said) == ()
    assert said["people"] == {"1": dict(quarter.people)}


def test_levels_name_the_rule_of_every_withheld_cell_of_a_table(quarter):
    """Those of the files: one cell of starters each, published or withheld, and the rule that took it."""
    kept = {("1", QUARTER.key): master(quarter, QUARTER, "quarter")}
    for product in ("EXP-AUTHOR", "EXP-SUPPORTER"):
        asked = pack(product, QUARTER)
        content = content_of(asked, kept, PLACES, SPEC, "privacy office")
        found = level_reports(utility(content, [kept["1", QUARTER.key]], list(file_tables(asked, SPEC))))
        for table in content.tables:
            levels = [one for one in found if one.table == table.spec.name]
            shown = sum(row.flags[0] == "published" for row in table.rows)
            assert (sum(one.cells for one in levels), sum(one.published for one in levels)) == (len(table.rows), shown)
            for one in levels:
                assert one.cells - one.published == sum(cells for _, _, cells, _ in one.rules)
    by_rule = {rule: cells for one in found for rule, _, cells, _ in one.rules}
    assert {"few", "linked"} <= set(by_rule)


def test_a_release_is_named_by_what_it_is():
    names = {
        release_id(product, who, period, version)
        for product in ("EXP-AUTHOR", "EXP-SUPPORTER")
        for who in ("a", "b")
        for period in ("2026-W47", "2026-Q4")
        for version in ("usage-2.1", "usage-2.2")
    }
    assert len(names) == 16
    assert pack().prefix == f"exports/EXP-AUTHOR/someone/{WEEKS[0].key}/{pack().release_id}/"
    assert pack("EXP-AUTHOR", QUARTER).prefix.split("/")[3] == "2026-W53"


def test_every_row_of_every_file_is_in_the_public_list(quarter):
    """Whatever people did: the list knows courses, modules and places, nobody's numbers."""
    listed = public_keys(QUARTER, PLACES, {"1": COURSE}, due(QUARTER, {"1": "quarter"}))
    places = {key.country or key.region or "all regions" for key in listed if key.module_id is None}
    kept = {("1", QUARTER.key): master(quarter, QUARTER, "quarter")}
    for product in ("EXP-AUTHOR", "EXP-SUPPORTER"):
        for table in content_of(pack(product, QUARTER), kept, PLACES, SPEC, "privacy office").tables:
            parts = {row.key[2] for row in table.rows if len(row.key) > 2}
            assert parts <= places | {module for module, _ in COURSE.modules}
            assert not parts & {"ZZ", "not known"}


def test_periods_that_hang_together():
    assert set(family_keys(WEEKS[0])) == {
        *(week.key for week in WEEKS[1:]), "2026-Q4-B1", "2026-Q4-B2", "2026-Q4-B3", "2026-Q4",
    }  # fmt: skip
    assert family_keys(periods.from_key("2026")) == ("2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4")
    assert "2026" not in family_keys(QUARTER)


def test_the_same_masters_give_the_same_bytes(quarter):
    kept = {("1", QUARTER.key): master(quarter, QUARTER, "quarter")}
    again = {
        ("1", QUARTER.key): from_json(
            json.loads(to_json(kept["1", QUARTER.key])), digest(to_json(kept["1", QUARTER.key]))
        )
    }
    one, other = (
        build(content_of(pack("EXP-SUPPORTER", QUARTER), found, PLACES, SPEC, "privacy office"), SIGNER)
        for found in (kept, again)
    )
    assert pack_sha256(one) == pack_sha256(other)
    assert {content_type(name) for name in one} >= {"text/csv; charset=utf-8", "application/vnd.apache.parquet"}
    header = next(csv.reader(io.StringIO(one["usage_by_region_quarter.csv"].decode())))
    assert header[:4] == ["quarter", "course_id", "course_title", "region"]


@pytest.mark.parametrize(
    ("name", "narrow", "label", "told"),
    [("bands_of_the_spec", False, "5-20", 0), ("cohorts_and_bands_of_a_hundredth", True, "10-11", 1)],
)
def test_a_withheld_share_is_told_by_the_others_if_cohorts_are_and_bands_are_narrow(name, narrow, label, told):
    """Attack 14, ratios, from the starters of each region and of all. A weakened release tells the cohorts as well."""
    rules = replace(SPEC.rules(), share_bands=Bands((5, 10, 11), top=95)) if narrow else SPEC.rules()
    share = share_of("cohort_completers")
    cells = [
        PublishedCell((QUARTER.key, ALL, place), {
            "starters": starters, **({"cohort": people} if narrow else {}), share: None if place == "Africa" else label,
        })
        for place, people, starters in (("Europe", 100, 120), ("Africa", 60, 80), (ALL, 160, 200))
    ]  # fmt: skip
    frame = frames.inverted_frame(QUARTER, COURSE, PLACES)
    assert _exposed_shares(cells, frame, rules, Metrics()) == told


@pytest.mark.parametrize(("name", "narrow"), [("bands_of_the_spec", False), ("bands_of_six_seconds", True)])
def test_withheld_minutes_are_told_by_narrow_means_of_the_others(name, narrow):
    """Attack 14, means. A weakened release: the means of a quarter and of two blocks, as numbers, give the third."""
    rules = SPEC.rules()
    if narrow:
        rules = replace(rules, amount_bands=Bands((0, 200, 201)), amount_unit=6)
    label = rules.amount_bands.of(20 * 60, rules.amount_unit)
    frame = frames.activity_frame(QUARTER, "block", COURSE, PLACES, SPEC)
    one, two, three = (block.key for block in periods.within(QUARTER, "block"))
    cells = [
        PublishedCell((key, ALL, ALL), {"learners": people, "minutes": None if key == three else label})
        for key, people in {one: 300, two: 300, three: 300, QUARTER.key: 900}.items()
    ]
    needs = _needs(cells, SPEC)
    assert [(entry.key[0], entry.measure) for entry in needs] == [(three, "minutes")]
    assert bool(too_narrow(audit(cells, frame, rules, needs))) is narrow
