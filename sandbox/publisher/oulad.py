"""Real course usage: the Open University Learning Analytics Dataset, loaded into the publisher's learning tables.

Kuzilek, Hlosta, Zdrahal (2017), Scientific Data 4:170171, CC BY 4.0; https://analyse.kmi.open.ac.uk/open_dataset.
A presentation becomes a course, an assessment a module, a student an account (made-up mail addresses), the region
of residence the institution. A submission becomes an attempt, and progress that starts and completes on its day.
The data has days, no hours: noon UTC stands for a day. A banked result was carried over from an earlier
presentation: it is an attempt, but nobody worked on the module that day.

``python -m sandbox.publisher.oulad --dsn … DIR`` with an existing schema in an otherwise empty database.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TextIO, cast

from privacy_ops.errors import UserError

from sandbox.publisher.database import Connection, connect
from sandbox.publisher.rows import Rows

FILES = {
    "courses": ("code_module", "code_presentation", "module_presentation_length"),
    "assessments": ("code_module", "code_presentation", "id_assessment", "assessment_type"),
    "studentInfo": ("code_module", "code_presentation", "id_student", "region", "final_result"),
    "studentRegistration": ("code_module", "code_presentation", "id_student", "date_registration"),
    "studentAssessment": ("id_assessment", "id_student", "date_submitted", "is_banked"),
}
STARTS = {"B": 2, "J": 10}  # presentations begin in February or October
STATUS = {"Withdrawn": "withdrawn", "Pass": "completed", "Distinction": "completed", "Fail": "active"}
PASS_MARK = 40
BLOCK = 20_000  # rows held before they are copied
_NAMESPACE = uuid.UUID("8f4e6a1c-0d55-4d0e-9f0b-6f756c616420")

Row = dict[str, str]
Presentation = tuple[str, str]


@dataclass(frozen=True)
class Course:
    number: int
    code: str
    starts: date


def load(dsn: str, directory: Path | str) -> dict[str, int]:
    """Load the data set below ``directory`` (CSV files, also gzipped). Returns counts; all or nothing.

    ``dsn`` is a superuser's. Raises UserError for a missing folder, file or column, or a row that refers to nothing.
    """
    folder = Path(directory)
    check(folder)
    with connect(dsn) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        courses = _courses(connection, folder)
        modules = _modules(connection, folder, courses)
        enrolments, passed = _enrolments(connection, folder, courses)
        submissions, progress = _submissions(connection, folder, modules, enrolments, passed)
        for table in ("learn.enrolment", "learn.assessment_attempt"):
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608
            )
        students = len({student for _, student in enrolments})
    with connect(dsn) as connection:
        connection.execute("ANALYZE")
    return {
        "courses": len(courses),
        "modules": len(modules),
        "students": students,
        "enrolments": len(enrolments),
        "submissions": submissions,
        "progress": progress,
    }


def _find(folder: Path, name: str) -> Path:
    for candidate in (folder / f"{name}.csv.gz", folder / f"{name}.csv"):
        if candidate.is_file():
            return candidate
    raise UserError(
        f"the file {name}.csv (or {name}.csv.gz) is missing",
        where=str(folder),
        do="download the data set from https://analyse.kmi.open.ac.uk/open_dataset and unpack it there",
    )


def check(folder: Path) -> None:
    """Raises UserError for a missing folder, file or column."""
    if not folder.is_dir():
        raise UserError(
            "the folder of the Open University data does not exist",
            where=str(folder),
            do="name the folder that holds courses.csv, studentInfo.csv and the others",
        )
    for name, columns in FILES.items():
        with _open(_find(folder, name)) as text:
            present = next(csv.reader(text), [])
        if missing := [c for c in columns if c not in present]:
            raise UserError(
                f"columns are missing in {name}.csv: {', '.join(missing)}",
                where=str(folder),
                do="use the files as they were published",
            )


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _read(folder: Path, name: str) -> Iterator[Row]:
    with _open(_find(folder, name)) as text:
        yield from csv.DictReader(text)


def _presentation(row: Row) -> Presentation:
    return row["code_module"], row["code_presentation"]


def starts_on(presentation: str) -> date:
    """First day of a presentation such as ``2013J`` (October) or ``2014B`` (February)."""
    try:
        return date(int(presentation[:4]), STARTS[presentation[4:]], 1)
    except (ValueError, KeyError):
        raise UserError(
            "a presentation is neither February (B) nor October (J)", where="courses.csv, code_presentation"
        ) from None


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _courses(connection: Connection, folder: Path) -> dict[Presentation, Course]:
    rows, courses = Rows(), {}
    for number, row in enumerate(sorted(_read(folder, "courses"), key=_presentation), start=1):
        module, presentation = _presentation(row)
        starts = starts_on(presentation)
        courses[module, presentation] = Course(number, f"{module}-{presentation}", starts)
        rows.add(
            "learn.course",
            id=number,
            code=f"{module}-{presentation}",
            title=f"Open University {module}, {starts:%B %Y}",
            live_from=starts,
            live_to=starts + timedelta(days=int(row["module_presentation_length"])),
        )
    rows.copy(connection)
    return courses


def _course(courses: dict[Presentation, Course], row: Row, name: str) -> Course:
    try:
        return courses[_presentation(row)]
    except KeyError:
        raise UserError("a row names a presentation that courses.csv does not", where=f"{name}.csv") from None


def _modules(connection: Connection, folder: Path, courses: dict[Presentation, Course]) -> dict[str, Course]:
    """The course of each assessment."""
    rows, modules = Rows(), {}
    for row in _read(folder, "assessments"):
        course = _course(courses, row, "assessments")
        number = row["id_assessment"]
        modules[number] = course
        rows.add(
            "learn.module",
            id=int(number),
            course_id=course.number,
            code=f"{course.code}-{number}",
            title=f"{course.code} {row['assessment_type']} {number}",
            live_from=course.starts,
        )
    rows.copy(connection)
    return modules


def _enrolments(
    connection: Connection, folder: Path, courses: dict[Presentation, Course]
) -> tuple[dict[tuple[int, str], int], set[int]]:
    """Number of each enrolment by (course, student), and those that ended well.

    A student's account begins with the first registration.
    """
    registered: dict[tuple[int, str], date] = {}
    for row in _read(folder, "studentRegistration"):
        course = _course(courses, row, "studentRegistration")
        days = row["date_registration"]  # empty for a few
        registered[course.number, row["id_student"]] = course.starts + timedelta(days=int(days or -30))
    rows, numbers = Rows(), {}
    passed: set[int] = set()
    since: dict[str, tuple[date, str]] = {}
    for number, row in enumerate(_read(folder, "studentInfo"), start=1):
        course, student = _course(courses, row, "studentInfo"), row["id_student"]
        key = (course.number, student)
        day = registered.get(key, course.starts - timedelta(days=30))
        numbers[key] = number
        if STATUS.get(row["final_result"]) == "completed":
            passed.add(number)
        since[student] = min(since.get(student, (day, row["region"])), (day, row["region"]))
        rows.add(
            "learn.enrolment",
            id=number,
            user_id=_account(student),
            course_id=course.number,
            enrolled_at=_noon(day),
            status=STATUS.get(row["final_result"], "active"),
            route="open university",
            region=row["region"],
        )
        if number % BLOCK == 0:
            rows.copy(connection)
    for student, (day, region) in since.items():
        _person(rows, student, day, region)
    rows.copy(connection)
    return numbers, passed


def _account(student: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, student)


def _person(rows: Rows, student: str, day: date, region: str) -> None:
    email = f"student.{student}@students.example.org"
    rows.add(
        "core.user_account",
        user_id=_account(student),
        email_raw=email,
        email_norm=email,
        username=f"student.{student}",
        status="active",
        account_type="member",
        created_at=_noon(day),
        country_declared="GB",
        timezone="Europe/London",
        source="import",
    )
    rows.add("core.user_profile", user_id=_account(student), institution=region, updated_at=_noon(day))


def _submissions(
    connection: Connection,
    folder: Path,
    modules: dict[str, Course],
    enrolments: dict[tuple[int, str], int],
    passed: set[int],
) -> tuple[int, int]:
    rows, attempts, progress = Rows(), 0, 0
    for row in _read(folder, "studentAssessment"):
        try:
            course = modules[row["id_assessment"]]
            enrolment = enrolments[course.number, row["id_student"]]
        except KeyError:
            raise UserError(
                "a submission belongs to no assessment or no enrolment",
                where=f"studentAssessment.csv, data row {attempts + 1}",
                do="use the files as they were published, all from the same copy",
            ) from None
        at = _noon(course.starts + timedelta(days=int(row["date_submitted"])))
        attempts += 1
        score = row.get("score") or None  # not part of every copy
        rows.add(
            "learn.assessment_attempt",
            id=attempts,
            enrolment_id=enrolment,
            module_id=row["id_assessment"],
            score=score,
            passed=None if score is None else float(score) >= PASS_MARK,
            at=at,
        )
        if row["is_banked"] != "1":
            progress += 1
            rows.add(
                "learn.module_progress",
                enrolment_id=enrolment,
                module_id=row["id_assessment"],
                started_at=at,
                completed_at=at if enrolment in passed else None,
            )
        if attempts % BLOCK == 0:
            rows.copy(connection)
    rows.copy(connection)
    return attempts, progress


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.publisher.oulad", description=__doc__)
    parser.add_argument("--dsn", required=True, help="superuser address of a database that has the schema")
    parser.add_argument("directory", type=Path)
    given = parser.parse_args()
    try:
        counts = load(given.dsn, given.directory)
    except UserError as error:
        parser.exit(2, f"{error}\n")
    print(", ".join(f"{value:,} {name}" for name, value in counts.items()))


if __name__ == "__main__":
    main()
