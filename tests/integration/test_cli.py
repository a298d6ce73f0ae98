"""The command line as a person meets it: exit codes, one clear message, no traceback, no Airflow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from privacy_ops import cli, ledger
from privacy_ops.settings import Settings
from privacy_ops.stores import migrations
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from sqlalchemy.engine import make_url

from tests.datamap_factories import DDL, raw_map

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``python -m privacy_ops`` with only the given PRIVACY_OPS_* variables, in this process (a new one is slow)."""

    def go(*arguments: str, **environment: str) -> Result:
        for name in [name for name in os.environ if name.startswith("PRIVACY_OPS_")]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["privacy_ops", *arguments])
        code = cli.main()
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return go


def refused(result: Result, says: str) -> None:
    assert result.returncode == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.fixture
def tiny_map(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(raw_map()), encoding="utf-8")
    return path


@pytest.fixture
def tiny(empty_database: str) -> str:
    with Database(empty_database).transaction() as connection:
        connection.exec_driver_sql(DDL)
    return empty_database


def test_map_check_is_silent_about_a_map_that_fits_and_names_what_does_not(run: Run, tiny: str, tiny_map: Path) -> None:
    clean = run("map", "check", "--map", str(tiny_map), PRIVACY_OPS_DSN_MIGRATE=tiny)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "Tiny Press: 7 tables mapped, 7 in" in clean.stdout
    with Database(tiny).transaction() as connection:
        connection.exec_driver_sql("DROP INDEX note_person; CREATE TABLE extra (id int)")
    broken = run("map", "check", "--map", str(tiny_map), PRIVACY_OPS_DSN_MIGRATE=tiny)
    assert broken.returncode == 1
    assert "MAP-UNKNOWN-TABLE     extra" in broken.stdout
    assert "MAP-FK-NOT-INDEXED    note(person_id) → person" in broken.stdout
    assert "do: create an index" in broken.stdout
    assert "2 problems" in broken.stdout


def test_map_scaffold_writes_a_draft_that_loads_and_never_replaces_a_file(run: Run, tiny: str, tmp_path: Path) -> None:
    out = tmp_path / "draft.yaml"
    first = run("map", "scaffold", "--dsn", tiny.replace("+psycopg", ""), "--key", "tiny", "--out", str(out))
    assert (first.returncode, first.stderr) == (0, "")
    assert "points to decide" in first.stdout
    check = run("map", "check", "--map", str(out), "--dsn", tiny)
    assert check.returncode == 1
    assert {line.split()[0] for line in check.stdout.splitlines() if line.startswith("MAP-")} == {"MAP-DECIDE"}
    refused(run("map", "scaffold", "--dsn", tiny, "--key", "tiny", "--out", str(out)), "is there already")


def test_map_scaffold_drafts_the_entry_of_one_new_table(run: Run, tiny: str) -> None:
    result = run("map", "scaffold", "--dsn", tiny, "--table", "receipt")
    assert list(yaml.safe_load(result.stdout)) == ["tables"]
    assert list(yaml.safe_load(result.stdout)["tables"]) == ["receipt"]
    refused(run("map", "scaffold", "--dsn", tiny, "--table", "ghost"), "no table ghost")


def test_map_docs_says_when_the_dictionary_is_stale(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "dictionary.md"
    assert run("map", "docs", "--check", "--out", str(out)).returncode == 1
    assert run("map", "docs", "--out", str(out)).returncode == 0
    assert run("map", "docs", "--check", "--out", str(out)).returncode == 0


def test_grants_show_prints_statements_of_one_duty(run: Run) -> None:
    result = run("grants", "show", "--duty", "export")
    assert result.returncode == 0
    assert all(line.endswith(' TO "privacy_export";') for line in result.stdout.splitlines())
    refused(run("grants", "show", "--duty", "cook"), "unknown duty 'cook'")


def test_new_server_is_set_up_from_the_command_line_and_its_empty_ledger_is_sound(
    run: Run, tiny: str, tiny_map: Path
) -> None:
    from privacy_ops.settings import DUTIES

    url = make_url(tiny)
    # Roles belong to the server, which other tests share: their passwords change with every test that sets them up.
    dsns = {
        f"PRIVACY_OPS_DSN_{duty.upper()}": url.set(username=f"privacy_{duty}", password=f"cli-{duty}").render_as_string(
            hide_password=False
        )
        for duty in DUTIES
    }
    migrated = run("gov", "migrate", "--dsn", tiny)
    assert migrated.returncode == 0, migrated.stderr
    assert "gov is at revision 0" in migrated.stdout
    assert run("roles", "apply", "--dsn", tiny, **dsns).returncode == 0
    assert run("grants", "apply", "--dsn", tiny, "--map", str(tiny_map)).returncode == 0
    again = run("gov", "migrate", **dsns)
    assert (again.returncode, again.stdout) == (0, migrated.stdout)
    ledger = run("ledger", "verify", "--no-copies", **dsns)
    assert ledger.returncode == 0, ledger.stderr
    assert "0 entries" in ledger.stdout
    assert "sound" in ledger.stdout


def test_map_check_looks_at_buckets_when_asked(run: Run, tiny: str, tiny_map: Path, objects: ObjectStore) -> None:
    where = objects._settings
    store = {
        "PRIVACY_OPS_S3_ENDPOINT": str(where.endpoint_url),
        "PRIVACY_OPS_S3_ACCESS_KEY": str(where.access_key),
        "PRIVACY_OPS_S3_SECRET_KEY": str(where.secret_key),
    }
    for bucket in ("tiny-pictures", "tiny-forgotten"):
        objects.client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    result = run("map", "check", "--map", str(tiny_map), "--objects", PRIVACY_OPS_DSN_MIGRATE=tiny, **store)
    assert result.returncode == 1
    assert "MAP-UNKNOWN-BUCKET    tiny-forgotten" in result.stdout
    assert "MAP-MISSING-BUCKET    objects.uploads" in result.stdout
    assert "2 problems" in result.stdout


def test_object_store_that_is_down_is_one_clear_message(run: Run, tiny: str, tiny_map: Path) -> None:
    store = {"PRIVACY_OPS_S3_ENDPOINT": "http://127.0.0.1:1", "PRIVACY_OPS_S3_ACCESS_KEY": "a"}
    result = run(
        "map", "check", "--map", str(tiny_map), "--objects",
        PRIVACY_OPS_DSN_MIGRATE=tiny, PRIVACY_OPS_S3_SECRET_KEY="secret-word", **store,
    )  # fmt: skip
    refused(result, "the object store cannot be reached")


def test_ledger_verify_says_no_when_an_entry_was_changed(run: Run, empty_database: str) -> None:
    migrations.upgrade(empty_database)
    with Database(empty_database).transaction() as connection:
        for number in range(3):
            ledger.append(connection, "note", {"n": number}, at=datetime(2026, 11, 20, tzinfo=UTC))
    ask = ("ledger", "verify", "--no-copies")
    assert run(*ask, PRIVACY_OPS_DSN_ERASE=empty_database).returncode == 0
    with Database(empty_database).transaction() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # past the trigger
        connection.exec_driver_sql("UPDATE gov.erasure_ledger SET payload = '{\"n\":9}' WHERE seq = 2")
    result = run(*ask, PRIVACY_OPS_DSN_ERASE=empty_database)
    assert result.returncode == 1
    assert "BROKEN" in result.stdout
    assert "entry 2" in result.stdout


def test_the_registry_goes_through_the_database_and_back_without_loss(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    where = {"PRIVACY_OPS_DSN_INVENTORY": settings.dsn("inventory")}
    database = {**where, "PRIVACY_OPS_TRANSFER_REGISTRY": "database"}

    def registry(*arguments: str, **environment: str) -> str:
        result = run("transfers", "registry", *arguments, **(environment or where))
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout.rpartition("registry ")[2].strip()

    def files(name: str) -> dict[str, Any]:
        # Rows have no order of their own: entries come back sorted by name.
        return {path.name: yaml.safe_load(path.read_bytes()) for path in sorted((tmp_path / name).iterdir())}

    # What the database holds cannot be asked for before anything is there.
    refused(run("transfers", "registry", "export", str(tmp_path / "none"), **database), "nothing is recorded")
    as_files = registry("export", str(tmp_path / "files"))
    assert registry("import", str(tmp_path / "files"), "--by", "lena") == as_files
    assert registry("export", str(tmp_path / "rows"), **database) == as_files
    assert len(files("rows")) == 10
    assert files("rows") == files("files")

    # One entry changes by hand and changes back: the same registry, and every state is kept with its author.
    entry = files("rows")["transfers.yaml"]["transfers"]["payments"]
    file = tmp_path / "payments.yaml"
    file.write_text(yaml.safe_dump({**entry, "owner": "treasury"}), encoding="utf-8")
    changed = registry("set", "transfers", "payments", "--file", str(file), "--by", "mo")
    assert registry("export", str(tmp_path / "changed"), **database) == changed != as_files
    assert [n for n, body in files("changed").items() if body != files("rows")[n]] == ["transfers.yaml"]
    file.write_text(yaml.safe_dump(entry), encoding="utf-8")
    assert registry("set", "transfers", "payments", "--file", str(file), "--by", "mo") == as_files
    assert registry("set", "transfers", "payments", "--by", "lena") != as_files
    assert registry("import", str(tmp_path / "files"), "--by", "lena") == as_files
    assert registry("export", str(tmp_path / "again"), **database) == as_files
    assert files("again") == files("files")
    with Database(settings.dsn("inventory")).transaction() as connection:
        kept = connection.exec_driver_sql(
            "SELECT recorded_by, body ->> 'owner' FROM gov.registry_entry WHERE name = 'payments'"
            " ORDER BY registry_entry_id"
        )
        assert [tuple(row) for row in kept] == [
            ("lena", "finance"), ("mo", "treasury"), ("mo", "finance"), ("lena", None), ("lena", "finance"),
        ]  # fmt: skip

    # What would not agree with the rest is refused and leaves nothing; nobody changes it without a name.
    file.write_text(yaml.safe_dump({**entry, "importer": "payline"}), encoding="utf-8")
    ask = ("transfers", "registry", "set")
    refused(run(*ask, "transfers", "payments", "--file", str(file), "--by", "mo", **where), "payline")
    refused(run(*ask, "processors", "paylane", "--by", "mo", **where), "paylane")
    refused(run(*ask, "transfers", "payments", "--by", " ", **where), "--by")
    assert registry("export", str(tmp_path / "last"), **database) == as_files


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        ("postgresql://someone:secret-word@127.0.0.1:1/nowhere", "cannot be reached at 127.0.0.1:1/nowhere"),
        ("mysql://someone:secret-word@host/db", "not the address of a PostgreSQL database"),
        ("someone:secret-word@host", "not the address of a PostgreSQL database"),
        ("postgresql://someone:secret-word@host", "not the address of a PostgreSQL database"),
        ("postgresql://someone:secret-word@host:port/db", "not the address of a PostgreSQL database"),
    ],
)
def test_bad_address_is_one_clear_message_without_the_password(run: Run, dsn: str, says: str) -> None:
    result = run("map", "check", "--dsn", dsn)
    refused(result, says)
    assert "secret-word" not in result.stderr + result.stdout


def test_wrong_password_names_the_duty_and_the_address(run: Run, empty_database: str) -> None:
    wrong = make_url(empty_database).set(password="not-the-password").render_as_string(hide_password=False)
    result = run("map", "check", PRIVACY_OPS_DSN_MIGRATE=wrong)
    refused(result, "refused the password of the duty migrate")
    assert "not-the-password" not in result.stderr


def test_missing_settings_and_maps_say_what_to_do(run: Run, tmp_path: Path) -> None:
    refused(run("map", "check"), "PRIVACY_OPS_DSN_MIGRATE")
    refused(run("map", "check", "--map", str(tmp_path / "none")), "map scaffold")
    refused(run("grants", "show", PRIVACY_OPS_DATA_MAP="nobody_wrote_this"), "there is no data map")


def test_map_with_an_unknown_key_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("version: 1\ncolour: blue\n", encoding="utf-8")
    refused(run("grants", "show", "--map", str(path)), "colour: Extra inputs are not permitted")


def test_process_of_its_own_ends_with_the_code_and_one_line(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "privacy_ops", "map", "check", "--map", str(tmp_path / "none")],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "plugins")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: there is no data map")
    assert result.stderr.count("\n") == 1


def test_command_line_needs_no_airflow() -> None:
    code = (
        "import sys; sys.modules['airflow'] = None; import privacy_ops.cli;"
        "print(sorted(m for m in ('airflow', 'boto3', 'pandas', 'great_expectations') if sys.modules.get(m)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "plugins")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr
