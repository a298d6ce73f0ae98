"""Open University data: a tiny sample in the published format, and the real files where OULAD_DIR names them."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from privacy_ops.errors import UserError

from sandbox.publisher.database import connect
from sandbox.publisher.oulad import load, starts_on
from sandbox.publisher.schema import create_schema

SAMPLE = {
    "courses": (
        '"code_module","code_presentation","module_presentation_length"\n'
        '"XXX","2013J","268"\n"XXX","2014B","240"\n'
    ),
    "assessments": (
        '"code_module","code_presentation","id_assessment","assessment_type","date","weight"\n'
        '"XXX","2013J","11","TMA","19","10"\n"XXX","2014B","12","TMA","20","10"\n"XXX","2014B","13","Exam","","100"\n'
    ),
    "studentInfo": (
        '"code_module","code_presentation","id_student","gender","region","highest_education","imd_band",'
        '"age_band","num_of_prev_attempts","studied_credits","disability","final_result"\n'
        '"XXX","2013J","501","M","Scotland","HE Qualification","","55<=","0","240","N","Fail"\n'
        '"XXX","2014B","501","M","Scotland","HE Qualification","","55<=","1","240","N","Pass"\n'
        '"XXX","2014B","502","F","Wales","A Level","20-30%","0-35","0","60","N","Withdrawn"\n'
    ),
    "studentRegistration": (
        '"code_module","code_presentation","id_student","date_registration","date_unregistration"\n'
        '"XXX","2013J","501","-10",""\n"XXX","2014B","501","-5",""\n"XXX","2014B","502","","12"\n'
    ),
    # This file does not quote its fields.
    "studentAssessment": (
        "id_assessment,id_student,date_submitted,is_banked\n11,501,18,0\n12,501,-1,1\n13,501,200,0\n12,502,19,0\n"
    ),
}  # fmt: skip


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    for name, content in SAMPLE.items():
        if name == "courses":
            (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
        else:
            with gzip.open(tmp_path / f"{name}.csv.gz", "wt", encoding="utf-8") as file:
                file.write(content)
    return tmp_path


def test_sample_lands_in_the_learning_tables(sample: Path, empty_database: str) -> None:
    create_schema(empty_database, first=date(2014, 1, 1), last=date(2014, 1, 1))
    assert load(empty_database, sample) == {
        "courses": 2, "modules": 3, "students": 2, "enrolments": 3, "submissions": 4, "progress": 3,
    }  # fmt: skip
    with connect(empty_database) as connection:
        assert connection.execute("SELECT code, live_from FROM learn.course ORDER BY id").fetchall() == [
            ("XXX-2013J", date(2013, 10, 1)),
            ("XXX-2014B", date(2014, 2, 1)),
        ]
        assert connection.execute("SELECT status FROM learn.enrolment ORDER BY id").fetchall() == [
            ("active",),
            ("completed",),
            ("withdrawn",),
        ]
        first = connection.execute(
            "SELECT p.started_at, p.completed_at, u.created_at, f.institution, u.country_declared "
            "FROM learn.module_progress AS p JOIN learn.enrolment AS e ON e.id = p.enrolment_id "
            "JOIN core.user_account AS u USING (user_id) JOIN core.user_profile AS f USING (user_id) "
            "WHERE p.module_id = 11"
        ).fetchone()
        submitted = datetime(2013, 10, 19, 12, tzinfo=UTC)
        # This student failed the presentation in the end: started, not completed.
        assert first == (submitted, None, datetime(2013, 9, 21, 12, tzinfo=UTC), "Scotland", "GB")
        passed = datetime(2014, 8, 20, 12, tzinfo=UTC)
        assert connection.execute("SELECT completed_at FROM learn.module_progress WHERE module_id = 13").fetchall() == [
            (passed,)
        ]
        banked = connection.execute(
            "SELECT count(*) FROM learn.module_progress WHERE completed_at < '2014-02-01' AND module_id = 12"
        ).fetchone()
        assert banked == (0,)
        next_number = connection.execute(
            "INSERT INTO learn.assessment_attempt (enrolment_id, at) VALUES (1, now()) RETURNING id"
        ).fetchone()
        assert next_number == (5,)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        load("", tmp_path / "nowhere")


@pytest.mark.parametrize("name", sorted(SAMPLE))
def test_missing_file_is_named(sample: Path, name: str) -> None:
    next(sample.glob(f"{name}.csv*")).unlink()
    with pytest.raises(UserError, match=f"{name}.csv"):
        load("", sample)


def test_missing_column_is_named(sample: Path) -> None:
    (sample / "courses.csv").write_text("code_module,code_presentation\n", encoding="utf-8")
    with pytest.raises(UserError, match="module_presentation_length"):
        load("", sample)


def test_a_submission_without_enrolment_stops_the_load(sample: Path, empty_database: str) -> None:
    create_schema(empty_database, first=date(2014, 1, 1), last=date(2014, 1, 1))
    with gzip.open(sample / "studentAssessment.csv.gz", "at", encoding="utf-8") as file:
        file.write("11,999,3,0\n")
    with pytest.raises(UserError, match="data row 5"):
        load(empty_database, sample)
    with connect(empty_database) as connection:
        assert connection.execute("SELECT count(*) FROM learn.enrolment").fetchone() == (0,)


@pytest.mark.parametrize("presentation", ["2013X", "B2013", "J"])
def test_unknown_presentation_is_refused(presentation: str) -> None:
    with pytest.raises(UserError, match="February"):
        starts_on(presentation)


@pytest.mark.skipif("OULAD_DIR" not in os.environ, reason="OULAD_DIR names no copy of the data set")
def test_real_data_lands_whole(empty_database: str) -> None:
    create_schema(empty_database, first=date(2014, 1, 1), last=date(2014, 1, 1))
    counts = load(empty_database, os.environ["OULAD_DIR"])
    assert (counts["courses"], counts["enrolments"], counts["submissions"]) == (22, 32_593, 173_912)
