"""Lists that people hand over: taken whole or not at all, and a wrong line is named without its content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from privacy_ops.cli import app
from privacy_ops.errors import UserError
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database
from privacy_ops.transfers import intake
from sqlalchemy import text

from tests.unit.transfer_flows import reference

TABLES = reference()
PEOPLE = "staff_ref,engagement,employer,home_country,ended_on\n"
ACCESSES = "actor,at,ip,country,store,purpose,ticket_id\n"
Load = Callable[[str, str], int]


@pytest.fixture
def load(settings: Settings, tmp_path: Path) -> Load:
    database = Database.for_duty(settings, "inventory")

    def one(what: str, body: str) -> int:
        path = tmp_path / "list.csv"
        path.write_text(body, encoding="utf-8")
        with database.transaction() as connection:
            if what == "people":
                return intake.load_people(connection, path, TABLES, listed_on=date(2026, 11, 20))
            if what == "accesses":
                return intake.load_accesses(connection, path)
            said = {"processor": "tindertree", "listed_on": date(2026, 11, 20), "source": "annex"}
            return intake.load_subprocessors(connection, path, TABLES, **said)  # type: ignore[arg-type]

    return one


def rows(settings: Settings, sql: str) -> list[Any]:
    with Database.for_duty(settings, "inventory").transaction() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_the_people_list_replaces_the_one_before(load: Load, settings: Settings) -> None:
    assert load("people", PEOPLE + "E1,employee,imp_staff,UK,\nC1,contractor,sahyadri,in,\n") == 2
    assert load("people", PEOPLE + "C1,contractor,sahyadri,VN,\n") == 1

    assert rows(settings, "SELECT staff_ref, home_country, ended_on FROM gov.staff ORDER BY 1") == [
        ("C1", "VN", None), ("E1", "GB", date(2026, 11, 20)),
    ]  # fmt: skip


def test_accesses_are_appended_with_addresses_of_both_kinds(load: Load, settings: Settings) -> None:
    line = "E1,2026-11-20T08:00:00+00:00,{},GB,database:imp,support,T-1\n"
    assert load("accesses", ACCESSES + line.format("100.64.0.1") + line.format("2001:db8::7")) == 2

    assert rows(settings, "SELECT host(ip), country FROM gov.access_log ORDER BY access_log_id") == [
        ("100.64.0.1", "GB"), ("2001:db8::7", "GB"),
    ]  # fmt: skip


def test_a_list_of_nobody_is_a_list(load: Load, settings: Settings) -> None:
    head = "subprocessor,country,purpose\n"
    assert load("subprocessors", head) == 0
    assert load("subprocessors", head + "Tuatara Hosting Ltd,NZ,hosting\n") == 1
    assert rows(settings, "SELECT subprocessor, country FROM gov.subprocessor_listing ORDER BY 1") == [
        ("", ""), ("Tuatara Hosting Ltd", "NZ"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "body", "named"),
    [
        ("people", PEOPLE, "names nobody"),
        ("people", "", "other columns"),
        ("people", "name,home\nx,y\n", "other columns"),
        ("people", PEOPLE + "E1,employee,imp_staff,GB,\nE1,employee,imp_staff,GB,\n", "twice"),
        ("people", PEOPLE + "E1,employee,imp_staff,GB,\nE2,friend,imp_staff,GB,\n", "column engagement .* line 3"),
        ("people", PEOPLE + "E1,employee,imp_staff,QQ,\n", "column home_country .* line 2"),
        ("people", PEOPLE + "E1,employee,imp_staff,GB,soon\n", "column ended_on .* line 2"),
        ("people", PEOPLE + ",employee,imp_staff,GB,\n", "column staff_ref .* line 2"),
        ("people", PEOPLE + "E1,employee,imp_staff,GB,,,more\n", "too many fields"),
        ("accesses", ACCESSES + "E1,2026-11-20T08:00:00,100.64.0.1,,,,\n", "column at .* line 2"),
        ("accesses", ACCESSES + "E1,2026-11-20T08:00:00Z,hunter2,,,,\n", "column ip .* line 2"),
        ("accesses", ACCESSES + "E1,2026-11-20T08:00:00Z,10.0.0.0/8,,,,\n", "column ip .* line 2"),
        ("subprocessors", "subprocessor,country,purpose\n,NZ,x\n", "column subprocessor .* line 2"),
    ],
)
def test_a_wrong_line_stops_the_whole_file_and_is_not_quoted(
    load: Load, settings: Settings, what: str, body: str, named: str
) -> None:
    with pytest.raises(UserError, match=named) as error:
        load(what, body)
    assert "hunter2" not in str(error.value)
    for table in ("staff", "access_log", "subprocessor_listing"):
        assert rows(settings, f"SELECT count(*) FROM gov.{table}") == [(0,)]


def test_the_commands_are_there() -> None:
    from typer.testing import CliRunner

    shown = CliRunner().invoke(app, ["transfers", "load", "--help"])

    assert shown.exit_code == 0
    assert all(word in shown.output for word in ("people", "accesses", "subprocessors"))
