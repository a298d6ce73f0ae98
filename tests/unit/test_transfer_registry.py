"""Declarations: written and read again without loss, resolved, dated, and refused with line and reason."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.errors import ConfigError
from privacy_ops.transfers import declaration_files, reference, registry
from privacy_ops.transfers.registry import SECTIONS, Registry

from tests.unit.transfer_flows import ROOT, TODAY

TABLES = reference.load(ROOT / "include" / "reference")
SHIPPED = registry.load(ROOT / "include" / "registry", TABLES)
# What YAML likes to take for something else, and what a person may well write.
ODD = st.sampled_from([
    "NO",
    "yes",
    "on",
    "null",
    "~",
    "1e3",
    "2026-11-22",
    "12:30",
    "# no",
    "a: b",
    "- x",
    "'",
    '"',
    "Ø\t",
])
WORDS = (
    ODD | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), min_size=1, max_size=12)
).filter(lambda text: text.strip() != "")
DAYS = st.dates(date(2018, 1, 1), date(2033, 12, 31))
MAYBE = st.none() | DAYS
CODES = st.sampled_from(["GB", "NO", "US", "IN", "XO-EPO"])
NAMES = st.from_regex(r"[a-z][a-z0-9_.:-]{0,8}", fullmatch=True)


def some(of: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(of), unique=True) if of else st.just([])


@st.composite
def contents(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Sections of a registry that agrees with itself."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    one = st.sampled_from(names)
    processors = {
        name: {
            "name": draw(WORDS),
            "established": draw(CODES),
            "relationship": draw(st.sampled_from(["PROCESSOR", "CONTROLLER", "GROUP_COMPANY"])),
            "subject_to": draw(st.dictionaries(st.sampled_from(["PIPEDA", "APPI"]), st.booleans())),
            "also_known_as": draw(st.lists(WORDS, max_size=2)),
            "note": draw(st.just("") | WORDS),
            "reviewed_on": draw(MAYBE),
        }
        for name in names
    }
    assessments = {
        "tra": {"kind": "TRA", "done_on": draw(DAYS), "due_on": draw(MAYBE), "outcome": "PROCEED", "owner": draw(WORDS)}
    }
    contracts = {"dpa": {"kind": "ARTICLE_28", "parties": [draw(one)], "signed_on": draw(MAYBE), "owner": draw(WORDS)}}
    mechanisms = {
        "m1": {
            "code": "SCC_2021",
            "parties": [draw(one)],
            "signed_on": draw(MAYBE),
            "modules": draw(st.lists(st.sampled_from([1, 2, 3, 4]), unique=True)),
            "annexes": draw(some(["I", "II", "III"])),
            "assessment": draw(st.sampled_from([None, "tra"])),
            "linked_agreement": draw(st.sampled_from([None, "dpa"])),
        },
        "m2": {"code": "ART49", "parties": [draw(one)], "derogation": "LEGAL_CLAIMS", "notified_on": draw(MAYBE)},
    }
    transfers = {
        name: {
            "importer": draw(one),
            "purposes": [draw(WORDS)],
            "mechanisms": draw(some(["m1", "m2"])),
            "declared_from": draw(MAYBE),
            "note": draw(st.just("") | WORDS),
            "special_category": draw(st.booleans()),
            "encryption": draw(
                st.sampled_from([None, {"in_transit": True, "at_rest": False, "key_holder": "importer"}])
            ),
            "flows": [{"country": draw(CODES), "nature": "STORAGE", "places": []}],
        }
        for name in draw(st.lists(NAMES, max_size=3, unique=True))
    }
    hosts = {"a.example.org": {"processor": draw(one), "country": draw(CODES)}}
    return {
        "processors": processors,
        "assessments": assessments,
        "contracts": contracts,
        "mechanisms": mechanisms,
        "transfers": transfers,
        "hosts": hosts,
        "attested": {"x": {"detector": "T-D3", "says": draw(WORDS), "owner": draw(WORDS), "attested_on": draw(DAYS)}},
        "subprocessors": {draw(one): {"reviewed_on": draw(DAYS), "subprocessors": {draw(WORDS): [draw(CODES)]}}},
        "organisations": {
            "o": {"name": draw(WORDS), "established": "GB", "contact": draw(WORDS), "security": draw(WORDS)}
        },
        "activities": {},
    }


def written_and_read(one: Registry) -> Registry:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in registry.files_of(one).items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return registry.load(Path(folder), TABLES)


@settings(max_examples=20, deadline=None)
@given(contents())
def test_nothing_is_lost_in_files_or_rows(content: dict[str, dict[str, Any]]) -> None:
    one = registry.of_content(content, TABLES, "drawn")

    assert written_and_read(one) == one
    assert registry.of_content(one.content(), TABLES, "rows") == one
    assert written_and_read(one).sha256 == one.sha256


def test_the_shipped_registry_comes_back_whole() -> None:
    assert written_and_read(SHIPPED) == SHIPPED
    assert all(SHIPPED.section(section) for section in SECTIONS)


def test_a_change_of_any_field_changes_the_hash() -> None:
    content = SHIPPED.content()
    content["processors"]["tindertree"]["note"] = "seen"

    assert registry.of_content(content, TABLES, "x").sha256 != SHIPPED.sha256


def test_categories_are_those_of_the_data_map() -> None:
    known = {
        line
        for line in (ROOT / "include" / "datamap" / "categories.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    named = {c for a in (*SHIPPED.activities.values(), *SHIPPED.transfers.values()) for c in a.data_categories}

    assert named
    assert named <= known


def test_a_ground_takes_assessment_and_signed_terms_from_their_own_files() -> None:
    ground = SHIPPED.mechanisms["idta-sahyadri"]

    assert ground.assessment is not None
    assert (ground.assessment.reference, ground.assessment.outcome) == ("tra-sahyadri", "PROCEED_WITH_MEASURES")
    assert (ground.linked_agreement, ground.terms_from) == ("dpa-sahyadri", date(2025, 4, 14))


def test_terms_that_nobody_signed_are_no_terms() -> None:
    content = SHIPPED.content()
    del content["contracts"]["dpa-sahyadri"]["signed_on"]

    assert registry.of_content(content, TABLES, "x").mechanisms["idta-sahyadri"].linked_agreement is None


def test_declarations_hold_on_their_first_and_last_day() -> None:
    content = SHIPPED.content()
    content["transfers"]["helpdesk"] |= {"declared_from": "2026-11-01", "declared_until": "2026-11-22"}
    one = registry.of_content(content, TABLES, "x")

    held = [d for d in range(1, 31) if "helpdesk" in one.on(date(2026, 11, d)).transfers]
    assert held == list(range(1, 23))
    assert "helpdesk" not in one.on(date(2026, 10, 31)).transfers


def test_one_place_may_pass_from_one_declaration_to_the_next() -> None:
    content = SHIPPED.content()
    first = content["transfers"]["badge_scans"]
    content["transfers"]["badge_scans_after"] = {**first, "declared_from": "2026-12-01"}
    with pytest.raises(ConfigError, match="declared by badge_scans already"):
        registry.of_content(content, TABLES, "x")

    first["declared_until"] = "2026-11-30"
    assert registry.of_content(content, TABLES, "x").on(TODAY).transfers.keys() >= {"badge_scans"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "include" / "registry", tmp_path / "registry")
    return tmp_path / "registry"


def test_norway_is_no_truth_value(folder: Path) -> None:
    path = folder / "processors.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("established: NZ", "established: NO", 1), encoding="utf-8")

    assert registry.load(folder, TABLES).processors["tindertree"].established == "NO"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "another shape"),
        (b"hosts: []", "another shape"),
        (b"hosts: {a: [}", "line 1"),
        (b"hosts:\n  a: {processor: paylane}\n  a: {processor: paylane}\n", "line 3: a stands twice"),
        (b"hosts: {a: {processor: paylane, country: \xff}}", "not UTF-8"),
        (b"hosts: {? {a: b} : c}", "not valid YAML"),
        (b"hosts: {a: &x {b: *x}}", "hosts"),
        (b"hosts: !!python/object:os.system {}", "line 1"),
        (b"hosts: {a: {processor: paylane, country: IE, port: 1}}", r"line 1, hosts\.a\.port: Extra"),
        (b"hosts: " + b"[" * 1500, "not valid YAML"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_with_its_line(folder: Path, body: bytes, says: str) -> None:
    (folder / "hosts.yaml").write_bytes(body)

    with pytest.raises(ConfigError, match=says):
        registry.load(folder, TABLES)


def test_a_missing_file_says_how_an_empty_one_looks(folder: Path) -> None:
    (folder / "contracts.yaml").unlink()

    with pytest.raises(ConfigError, match=r"contracts: \{\}"):
        registry.load(folder, TABLES)


def test_all_faults_are_told_at_once(folder: Path) -> None:
    path = folder / "transfers.yaml"
    text = path.read_text(encoding="utf-8").replace("importer: paylane", "importer: payline")
    path.write_text(text.replace("country: NZ", "country: N1"), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"payments\.importer: no processor payline") as caught:
        registry.load(folder, TABLES)
    assert "no country N1" in str(caught.value)


def test_one_entry_is_changed_and_withdrawn(tmp_path: Path) -> None:
    file = tmp_path / "entry.yaml"
    file.write_text("processor: paylane\ncountry: IE\n", encoding="utf-8")

    more = registry.with_entry(SHIPPED, "hosts", "x.example.org", file, TABLES)
    assert more.hosts["x.example.org"].processor == "paylane"
    assert registry.with_entry(more, "hosts", "x.example.org", None, TABLES) == SHIPPED
    with pytest.raises(ConfigError, match="no processor tindertree"):
        registry.with_entry(SHIPPED, "processors", "tindertree", None, TABLES)
    with pytest.raises(ConfigError, match="no section"):
        registry.with_entry(SHIPPED, "processor", "x", None, TABLES)


def test_rows_of_a_section_that_nobody_knows_are_refused() -> None:
    with pytest.raises(ConfigError, match="remove vendors"):
        registry.of_content({"vendors": {}}, TABLES, "rows")


def test_reading_keeps_the_line_of_each_part(folder: Path) -> None:
    document = declaration_files.read(folder / "hosts.yaml", "hosts")
    lines = (folder / "hosts.yaml").read_text(encoding="utf-8").splitlines()

    for name in document.entries:
        assert name in lines[document.line((name,)) - 1]


def test_the_page_names_every_field_of_every_section() -> None:
    page = (ROOT / "docs" / "registry.md").read_text(encoding="utf-8")
    parts = {part.split(".yaml", 1)[0]: part for part in page.split("\n## ")[1:]}

    assert parts.keys() == SECTIONS.keys()
    for section, model in SECTIONS.items():
        listed = [line.split("`")[1] for line in parts[section].splitlines() if line.startswith("| `")]
        assert listed == list(model.model_fields)
