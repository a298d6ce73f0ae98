"""Files of a pack: what is in them, that they are the same bytes each time, and what the files gate sees in them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from privacy_ops.disclosure.cells import PublishedCell
from privacy_ops.disclosure.rules import Rules
from privacy_ops.errors import ReleaseRefused
from privacy_ops.usage import weeks
from privacy_ops.usage.master import Master, digest, from_json, to_json
from privacy_ops.usage.measure import Metrics, measure
from privacy_ops.usage.pack import COLUMNS, DICTIONARY, TABLE_OF, build, pack_sha256, read_back, safe_text
from privacy_ops.usage.plan import Grant, PlannedPack, release_id
from privacy_ops.usage.spec import Spec

SPEC = Spec(Rules())
WEEK = weeks.from_key("2026-W46")
ZERO = dict.fromkeys(Metrics.names(), 0)


def published(module: str | None, learners: int = 60, starters: int = 40, completers: int = 20) -> PublishedCell:
    return PublishedCell("1", module, "published", learners, starters, completers, "15-30")


def withheld(module: str | None) -> PublishedCell:
    return PublishedCell("1", module, "withheld")


def master(*cells: PublishedCell, title: str = "HIV, “basics”") -> Master:
    """Course 1 whose modules a and b are small and c is shown, unless told otherwise."""
    cells = cells or (published(None, 100, 80, 50), withheld("a"), withheld("b"), published("c"))
    titles = tuple((c.module_id, f"Part {c.module_id}") for c in cells if c.module_id)
    return Master("1", title, titles, cells)


def planned(product: str = "EXP-AUTHOR", recipient: str = "author-one", modules: tuple[str, ...] = ()) -> PlannedPack:
    ident = release_id(product, recipient, WEEK.key, SPEC.version)
    return PlannedPack(product, recipient, WEEK.key, ident, SPEC.version, (Grant("1", modules, ("A1",)),))


def files(pack: PlannedPack | None = None, found: Master | None = None) -> dict[str, bytes]:
    return dict(build(pack or planned(), {"1": found or master()}, WEEK, SPEC).files)


def rows(content: dict[str, bytes]) -> list[dict[str, str]]:
    return list(read_back(content).rows)


def test_a_supporter_gets_courses_and_an_author_modules():
    assert [r["n_learners"] for r in rows(files(planned("EXP-SUPPORTER", "supporter-one")))] == ["100"]
    assert [r["module_id"] for r in rows(files())] == ["a", "b", "c"]
    assert "n_learners" in DICTIONARY
    assert all("module" not in column for column in COLUMNS[TABLE_OF["EXP-SUPPORTER"]])


def test_an_author_of_some_modules_gets_these_only():
    assert [r["module_id"] for r in rows(files(planned(modules=("b", "c"))))] == ["b", "c"]


def test_withheld_is_empty_and_flagged_and_never_zero():
    row = rows(files())[0]
    assert {row[name] for name in ("n_learners", "n_starters", "n_completers", "mean_minutes_band")} == {""}
    assert {v for k, v in row.items() if k.endswith("_flag")} == {"withheld"}


def test_bytes_are_the_same_each_time_and_independent_of_the_order_of_grants():
    both = (Grant("1"), Grant("2"))
    second = replace(master(), course_id="2", cells=tuple(replace(c, course_id="2") for c in master().cells))
    masters = {"1": master(), "2": second}
    one = build(replace(planned(), grants=both), masters, WEEK, SPEC)
    other = build(replace(planned(), grants=both[::-1]), dict(reversed(masters.items())), WEEK, SPEC)
    assert one.sha256 == other.sha256


def test_the_manifest_and_the_sums_describe_the_files():
    content = files()
    manifest = json.loads(content["manifest.json"])
    for entry in manifest["files"]:
        assert entry["sha256"] == hashlib.sha256(content[entry["name"]]).hexdigest()
        assert entry["bytes"] == len(content[entry["name"]])
    assert [c["name"] for c in manifest["columns"]] == list(read_back(content).header)
    sums = dict(line.split("  ")[::-1] for line in content["SHA256SUMS"].decode().splitlines())
    assert sums == {n: hashlib.sha256(b).hexdigest() for n, b in content.items() if n != "SHA256SUMS"}


@pytest.mark.parametrize(
    ("name", "title", "shown"),
    [
        ("formula", "=1+2", "'=1+2"),
        ("plus", "+44", "'+44"),
        ("minus", "-1", "'-1"),
        ("at_sign", "@SUM(A1)", "'@SUM(A1)"),
        ("tab", "\tx", "' x"),
        ("return", "\rx", "' x"),
        ("ordinary", "HIV = hard", "HIV = hard"),
        ("blank_before_a_formula", " =1+2", "' =1+2"),
        ("quotes_and_commas", 'a "b", c', 'a "b", c'),
        ("line_breaks_become_blanks", "a\r\nb", "a b"),
    ],
)
def test_titles_cannot_become_formulas_and_survive_quoting(name, title, shown):
    assert safe_text(title) == shown
    assert rows(files(found=master(title=title)))[0]["course_title"] == shown


def test_a_kept_master_that_was_changed_is_refused():
    text = to_json(master())
    assert from_json(json.loads(text), digest(text)) == master()
    changed = json.loads(text)
    changed["cells"][0]["learners"] += 5
    with pytest.raises(ReleaseRefused, match="not what was stored"):
        from_json(changed, digest(text))


# --- what the files gate sees -------------------------------------------------------------------------------------


def judged(content: dict[str, bytes], pack: PlannedPack | None = None, found: Master | None = None) -> dict[str, int]:
    pack = pack or planned()
    result = measure([pack], {pack.prefix: content}, {"1": found or master()}, SPEC.rules, spec_version=SPEC.version)
    return {name: value for name, value in result.row().items() if value and name != "packs"}


def resigned(content: dict[str, bytes]) -> dict[str, bytes]:
    """The same files with sums that fit them."""
    lines = [f"{hashlib.sha256(b).hexdigest()}  {n}\n" for n, b in sorted(content.items()) if n != "SHA256SUMS"]
    return content | {"SHA256SUMS": "".join(lines).encode()}


def edited(change: Callable[[list[list[str]]], object]) -> dict[str, bytes]:
    """An author's pack whose table was changed before it was signed."""
    content = files()
    table = TABLE_OF["EXP-AUTHOR"]
    lines = list(csv.reader(io.StringIO(content[table].decode())))
    change(lines)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return resigned(content | {table: text.getvalue().encode()})


def column(name: str) -> int:
    return COLUMNS[TABLE_OF["EXP-AUTHOR"]].index(name)


def put(row: int, name: str, value: str) -> Callable[[list[list[str]]], None]:
    def change(lines: list[list[str]]) -> None:
        lines[row][column(name)] = value

    return change


def test_a_good_pack_has_nothing_wrong():
    assert judged(files()) == {}


@pytest.mark.parametrize(
    ("name", "change", "seen"),
    [
        ("count_of_five", put(3, "n_starters", "5"), {"small_counts", "wrong_values"}),
        ("count_that_is_not_rounded", put(3, "n_starters", "41"), {"unrounded_counts", "wrong_values"}),
        ("count_with_a_point", put(3, "n_starters", "40.0"), {"unrounded_counts", "wrong_values", "wrong_flags"}),
        ("other_count_than_the_master", put(3, "n_starters", "45"), {"wrong_values"}),
        ("flag_finer_than_two", put(3, "n_starters_flag", "rounded"), {"wrong_flags"}),
        ("value_under_a_withheld_flag", put(1, "n_learners", "60"), {"wrong_flags", "wrong_values"}),
        ("band_nobody_knows", put(3, "mean_minutes_band", "16"), {"wrong_flags", "wrong_values", "contradictions"}),
        ("another_week", put(3, "iso_week", "2026-W45"), {"wrong_grain"}),
        ("row_twice", lambda lines: lines.append(lines[-1]), {"wrong_grain"}),
        ("rows_out_of_order", lambda lines: lines.insert(1, lines.pop(2)), {"wrong_grain"}),
        ("row_missing", lambda lines: lines.pop(1), {"wrong_rows"}),
        ("column_nobody_knows", lambda lines: [line.append("x") for line in lines], {"wrong_columns"}),
        ("mail_address", put(3, "module_title", "ask somebody@mail.example.org"), {"identifiers"}),
        ("uuid", put(3, "module_title", "0b0e7c1e-5b0a-5d0e-8f57-0a2c8c6f1a11"), {"identifiers"}),
        ("ip_address", put(3, "module_title", "10.1.2.3"), {"identifiers"}),
        ("telephone", put(3, "module_title", "+44 20 7946 0000"), {"identifiers"}),
    ],
)
def test_what_is_wrong_in_a_table_is_seen(name, change, seen):
    assert set(judged(edited(change))) == seen


def test_sums_that_do_not_fit_are_seen():
    content = files()
    assert judged(content | {"README.md": b"changed"}) == {"wrong_sums": 1}
    assert judged({n: b for n, b in content.items() if n != "SHA256SUMS"}) == {"wrong_sums": 1}


def test_a_pack_more_or_less_than_planned_is_seen():
    assert measure([planned()], {}, {"1": master()}, SPEC.rules, spec_version=SPEC.version).packs_off_plan == 1
    extra = {planned().prefix: files(), "exports/EXP-AUTHOR/somebody/x/": files()}
    assert measure([planned()], extra, {"1": master()}, SPEC.rules, spec_version=SPEC.version).packs_off_plan == 1


def test_two_files_that_are_safe_alone_and_not_together_are_seen():
    """A master that leaves one module alone: the author cannot work it out, author and supporter together can."""
    weak = master(published(None, 130, 90, 60), published("a", 60, 40, 25), published("b", 60, 40, 20), withheld("c"))
    author, supporter = planned(), planned("EXP-SUPPORTER", "supporter-one")
    assert judged(files(author, weak), author, weak) == {}
    assert judged(files(supporter, weak), supporter, weak) == {}
    both = {p.prefix: files(p, weak) for p in (author, supporter)}
    found = measure([author, supporter], both, {"1": weak}, SPEC.rules, spec_version=SPEC.version)
    assert found.exposed_cells > 0


def test_a_pack_hash_covers_names_and_bytes():
    content = files()
    assert pack_sha256(content) == pack_sha256(dict(reversed(content.items())))
    assert pack_sha256(content) != pack_sha256(content | {"README.md": b""})
    assert pack_sha256({"a": b"1"}) != pack_sha256({"b": b"1"})
