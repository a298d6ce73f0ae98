"""What a recipient's report says about how much is given is worked out again from the CSV files alone.

So it cannot tell more than they do. Two courses whose true counts differ, and whose files do not, have the same report;
and shares of people from true counts, which the register keeps, are not in it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import html5lib
import pytest
from privacy_ops.usage.files import given
from privacy_ops.usage.files.build import build
from privacy_ops.usage.files.model import Table
from privacy_ops.usage.master import Master
from privacy_ops.usage.pack import content_of
from privacy_ops.usage.plan import Grant, PlannedPack, release_id
from privacy_ops.usage.protection import MASTER, Protected, protect_period

from tests.pack_contents import REGIONS, content, row, signer, spec
from tests.protected_courses import COURSE, PLACES, QUARTER, SPEC, quarter_cells

Files = Mapping[str, bytes]
ALL = "all regions"
LEVELS = {"course_id": "Course", "module_id": "Module", "country": "Country", "region": "World region"}


def quarter(**people: int) -> Protected:
    """One region is too small for supporters, and one more protects it."""
    cells = quarter_cells({"Europe": 300, "Asia": 200, "Africa": 60, "Americas": 15} | people, cohort=True)
    return protect_period(QUARTER, "quarter", COURSE, PLACES, SPEC, cells, (), is_open=True)


def files_of(protected: Protected, product: str) -> Files:
    ident = release_id(product, "someone", QUARTER.key, SPEC.spec_version)
    last = QUARTER.windows()[-1].key
    pack = PlannedPack(product, "someone", "Some One", QUARTER, last, ident, SPEC.spec_version, (Grant("1", ()),))
    kept = {("1", QUARTER.key): Master("1", QUARTER.key, "quarter", COURSE.title, COURSE.modules, protected)}
    return build(content_of(pack, kept, PLACES, SPEC, "privacy office"), SIGNER)


SIGNER = signer()


def worked_out(files: Files) -> list[list[str]]:
    """The report's table, by an outsider who has the CSV files and the names of their columns."""
    titles = {r["path"]: r["title"] for r in json.loads(files["datapackage.json"])["resources"]}
    tables = {
        name: list(csv.DictReader(io.StringIO(body.decode()))) for name, body in files.items() if name.endswith(".csv")
    }
    courses = {  # published counts of whole courses, in whatever table they stand
        (column, one["course_id"]): int(value)
        for rows in tables.values()
        for one in rows
        if not {"module_id", "country"} & set(one) and one.get("region", ALL) == ALL
        for column, value in one.items()
        if column.startswith("n_") and value.isdigit()
    }
    found = []
    for name, rows in sorted(tables.items()):
        finest = next(c for c in ("module_id", "country", "region", "course_id") if c in rows[0])
        wholes = [one for one in rows if one.get("region") == ALL]
        for level, some in (("Course", wholes), (LEVELS[finest], [one for one in rows if one not in wholes])):
            for column in (c.removesuffix("_flag") for c in rows[0] if c.endswith("_flag")):
                if not some:
                    continue
                values = [one[column] for one in some]
                number = sum(value != "" for value in values)
                whole = sum(courses.get((column, c), 0) for c in {one["course_id"] for one in some})
                part = sum(int(v) for v in values if v.isdigit())
                divided = finest in {"country", "region"} and some is not wholes and whole
                found.append([
                    titles[name], level, column, f"{number} of {len(some)} ({100 * number // len(some)} %)",
                    f"about {min(100, 100 * part // whole)} %" if divided else "–",
                ])  # fmt: skip
    return found


def told(files: Files) -> list[list[str]]:
    """What the report says, its figures named by their columns, in the order of the tables' names."""
    columns = {
        field["title"]: field["name"]
        for resource in json.loads(files["datapackage.json"])["resources"]
        for field in resource["schema"]["fields"]
    }
    tree = html5lib.parse(files["report.html"].decode(), namespaceHTMLElements=False)
    section = next(s for s in tree.iter("section") if s.get("aria-labelledby") == "given")
    lines = [["".join(cell.itertext()) for cell in line] for line in section.findall(".//tbody/tr")]
    return [[table, level, columns[figure], *rest] for table, level, figure, *rest in lines]


def prose(files: Files) -> str:
    """Everything that the report says about it."""
    tree = html5lib.parse(files["report.html"].decode(), namespaceHTMLElements=False)
    section = next(s for s in tree.iter("section") if s.get("aria-labelledby") == "given")
    return " ".join("".join(section.itertext()).split())


@pytest.fixture(scope="module")
def protected() -> Protected:
    return quarter()


@pytest.mark.parametrize("product", ["EXP-AUTHOR", "EXP-SUPPORTER"])
def test_how_much_is_given_follows_from_the_csv_files_alone(protected, product):
    files = files_of(protected, product)
    expected = worked_out(files)
    assert sorted(told(files)) == sorted(expected)
    assert any(line[-1].startswith("about ") for line in expected), "some people are divided among rows"
    assert any(line[-1] == "–" for line in expected)


def test_true_counts_that_the_files_do_not_show_move_no_byte_of_the_report(protected):
    other = quarter(Europe=301, Africa=61, Americas=13)  # rounded alike, withheld alike
    for product in ("EXP-AUTHOR", "EXP-SUPPORTER"):
        one, two = files_of(protected, product), files_of(other, product)
        names = [name for name in one if name.endswith(".csv")]
        assert [one[name] for name in names] == [two[name] for name in names], "another example is needed"
        assert (one["report.html"], one["README.md"]) == (two["report.html"], two["README.md"])


def test_what_the_register_keeps_of_rules_and_people_is_not_in_the_report(protected):
    """The recomputation notices a share of people from true counts in the place of the published one."""
    files = files_of(protected, "EXP-SUPPORTER")
    said = prose(files)
    for rule in ("few", "linked", "nested", "complement"):
        assert f"{rule}:" not in said
    true = protected.levels[MASTER]["region"].people
    weak = {**files, "report.html": files["report.html"].replace(b"about 86 %", f"about {true} %".encode())}
    assert weak != files
    assert sorted(told(weak)) != sorted(worked_out(weak))


def test_parts_count_as_covered_only_where_their_whole_is_published():
    def region(course: str, place: str, count: int | None) -> Any:
        return row(("2026-Q3", course, place), count, None, None, labels=(None, f"Title of {course}", None))

    rows = [region("c1", ALL, 100), region("c1", "Asia", 60), region("c1", "Africa", None)]
    rows += [region("c2", ALL, None), region("c2", "Asia", 900), region("c2", "Africa", 40)]
    whole = spec(*REGIONS.dimensions[:2], name="usage_by_course_quarter")
    regions = Table.of(REGIONS, rows)
    by_level = {(one.level, one.measure): one for one in given.count(content(tables=(regions,)))}
    assert by_level["World region", "Starters"].covered == 60, "the course without a total tells nothing"
    assert by_level["World region", "Completers"].covered is None
    assert by_level["Course", "Starters"].covered is None

    more = [region("c1", ALL, 100), region("c1", "Asia", 60), region("c1", "Africa", 45)]
    by_level = {(one.level, one.measure): one for one in given.count(content(tables=(Table.of(REGIONS, more),)))}
    assert by_level["World region", "Starters"].covered == 100, "rounded parts may come to more than the whole"

    elsewhere = Table.of(whole, [row(("2026-Q3", "c1"), 200, None, None)])
    parts = Table.of(REGIONS, [region("c1", "Asia", 60)])
    found = given.count(content(tables=(elsewhere, parts)))
    assert [one.covered for one in found if one.measure == "Starters"] == [None, 30]


def test_the_cost_of_rounding_and_withholding_is_counted_in_rows():
    said = given.costs(content(row(("2026-W47", "c1"), 40, 20, "0 to 5"), row(("2026-W47", "c2"), 10, None, None)))
    assert said == (
        "Withholding: of 2 rows, which are all that the public lists have, 1 have every figure, 1 have some and 0 have"
        " none.",
        "Rounding, Use by course and week: no count moves by more than 2, all 3 together by at most 9 per cent of what"
        " they come to.",
        "Bands: 1 means and shares are given as bands, none as a number.",
    )
    nothing = given.costs(content(row(("2026-W47", "c1"), None, None, None)))
    assert "no count moves by more than 2." in nothing[1]
