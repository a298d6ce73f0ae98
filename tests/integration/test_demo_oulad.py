"""The export on Open University data: a tiny class in the published format, and the real files if OULAD_DIR is set."""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from privacy_ops.datamap import loader
from privacy_ops.errors import GateBlocked
from privacy_ops.settings import Settings, home_directory
from privacy_ops.usage.recipients import CLAUSES
from privacy_ops.workspace import Workspace

from sandbox import demo_oulad
from sandbox.publisher import oulad
from tests.integration.killed import ALL

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
WEEK, QUIET_DAY = "2013-W45", 35  # day 35 of a presentation that begins on 1 October 2013 is Tuesday, 5 November
BIG, SMALL = range(60), range(100, 105)
REGIONS = ("Wales", "Scotland", "Ireland", "South Region", "London Region", "East Anglian Region")


def write(folder: Path, name: str, header: str, rows: list[tuple[object, ...]]) -> None:
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split())
        writer.writerows(rows)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Sixty students of one course, every second of whom passes, and five of another."""
    folder = tmp_path / "data"
    folder.mkdir()
    people = [("BIG", n) for n in BIG] + [("SML", n) for n in SMALL]
    write(
        folder,
        "courses",
        "code_module code_presentation module_presentation_length",
        [("BIG", "2013J", 268), ("SML", "2013J", 268)],
    )
    write(
        folder,
        "assessments",
        "code_module code_presentation id_assessment assessment_type",
        [("BIG", "2013J", 11, "TMA"), ("BIG", "2013J", 12, "CMA"), ("SML", "2013J", 21, "TMA")],
    )
    write(
        folder,
        "studentInfo",
        "code_module code_presentation id_student region final_result",
        [(course, "2013J", n, REGIONS[n % len(REGIONS)], "Pass" if n % 2 else "Fail") for course, n in people],
    )
    write(
        folder,
        "studentRegistration",
        "code_module code_presentation id_student date_registration",
        [(course, "2013J", n, -20) for course, n in people],
    )
    submitted = [(11, n) for n in range(50)] + [(12, n) for n in range(20, 60)] + [(21, n) for n in SMALL]
    write(
        folder,
        "studentAssessment",
        "id_assessment id_student date_submitted is_banked",
        [(assessment, n, QUIET_DAY + n % 3, 0) for assessment, n in submitted],
    )
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    agreed = {"clauses": list(CLAUSES), "from": "2013-01-01", "to": "2032-12-31"}
    path = tmp_path / "recipients.yaml"
    content = {
        "recipients": [
            {"id": "author", "kind": "author", "name": "Author", "country": "GB"},
            {"id": "supporter", "kind": "supporter", "name": "Supporter", "country": "GB"},
        ],
        "agreements": [
            {"id": "A1", "recipient": "author", **agreed},
            {"id": "A2", "recipient": "supporter", **agreed},
        ],
        "entitlements": [
            {"recipient": "author", "product": "EXP-AUTHOR", "agreement": "A1", "courses": ["1", "2"]},
            {"recipient": "supporter", "product": "EXP-SUPPORTER", "agreement": "A2", "courses": ["1", "2"]},
        ],
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture
def workspace(settings: Settings) -> Workspace:
    """An empty publisher, seen with the map of this data set."""
    return demo_oulad.workspace_for(settings)


def rows(folder: Path, recipient: str, table: str) -> dict[tuple[str, str], tuple[str, ...]]:
    (path,) = folder.glob(f"*/{recipient}/{WEEK}/usage_by_{table}_week.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["course_id"], row.get("module_id", "")): (
                row["n_starters"], row["n_completers"], row["n_completers_flag"],
            )
            for row in csv.DictReader(file)
        }  # fmt: skip


def test_known_counts_come_out_and_a_week_stands(
    workspace: Workspace, owner_dsn: str, sample: Path, registry: Path, tmp_path: Path
) -> None:
    oulad.load(owner_dsn, sample)
    released, same = demo_oulad.go(workspace, (WEEK,), clock=lambda: NOW, registry=registry)
    assert same
    assert [(r.iso_week, r.courses_shown, r.courses, r.cells_shown, r.cells_withheld, r.files) for r in released] == [
        (WEEK, 1, 2, 3, 2, 22)
    ]
    assert released[0].outcome == {"published": 2, "adopted": 0, "served": 0}
    assert demo_oulad.copy_packs(workspace, WEEK, tmp_path / "packs") == 22
    withheld = ("", "", "withheld")
    assert rows(tmp_path / "packs", "supporter", "course") == {
        ("1", ""): ("60", "30", "published"),
        ("2", ""): withheld,
    }
    assert rows(tmp_path / "packs", "author", "module") == {
        ("1", "11"): ("50", "25", "published"),
        ("1", "12"): ("40", "20", "published"),
        ("2", "21"): withheld,
    }


def test_packs_of_an_earlier_go_do_not_stand_in_the_way(workspace: Workspace, registry: Path) -> None:
    """The database is made anew with each go, so what the last one published goes, and nobody else's packs."""
    store, bucket = workspace.objects(), workspace.settings.exports_bucket
    store.put(bucket, "exports/EXP-AUTHOR/author/2013-W45/x/old.csv", b"old")
    store.put(bucket, "exports/EXP-AUTHOR/author-two/2013-W45/x/old.csv", b"not ours")
    demo_oulad.register(workspace, registry)
    assert list(store.keys(bucket)) == ["exports/EXP-AUTHOR/author-two/2013-W45/x/old.csv"]


def test_an_export_without_detection_is_refused(
    workspace: Workspace, owner_dsn: str, sample: Path, registry: Path
) -> None:
    oulad.load(owner_dsn, sample)
    demo_oulad.register(workspace, registry)
    with pytest.raises(GateBlocked, match="E-01"):
        demo_oulad.export(workspace, WEEK, name="early", now=NOW)


def test_only_this_map_excuses_missing_dates_of_birth() -> None:
    publisher = loader.load(home_directory() / "include" / "datamap" / "imp")
    ours = demo_oulad.data_map(publisher)
    assert publisher.tables["core.user_profile"].expect_rows
    assert not ours.tables["core.user_profile"].expect_rows
    assert {name for name, table in ours.tables.items() if table != publisher.tables[name]} == {"core.user_profile"}


@pytest.mark.skipif("OULAD_DIR" not in os.environ, reason="OULAD_DIR names no copy of the data set")
def test_real_weeks_are_released(workspace: Workspace, owner_dsn: str) -> None:
    oulad.load(owner_dsn, os.environ["OULAD_DIR"])
    weeks = ("2013-W45", "2014-W12") if ALL else ("2014-W12",)
    released, same = demo_oulad.go(workspace, weeks, clock=lambda: NOW)
    assert same
    assert all(week.courses == 22 and week.cells_shown and week.cells_withheld for week in released)
    assert [(week.outcome["published"], week.files) for week in released] == [(3, 34)] * len(weeks)


def test_a_missing_file_is_named_before_anything_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo_oulad.main([str(tmp_path), "--var", str(tmp_path / "var")]) == 1
    assert "courses.csv" in capsys.readouterr().err
    assert not (tmp_path / "var" / "postgres").exists()


def test_no_folder_is_a_clear_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo_oulad.main([""]) == 2
    assert "DIR=" in capsys.readouterr().err
