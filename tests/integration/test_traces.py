"""People in what the orchestrator keeps of itself: found wherever they stand, counted, never shown."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from privacy_ops.erasure.returning.search import Wanted
from privacy_ops.erasure.traces import look as traces
from privacy_ops.errors import GateBlocked, StoreRefused
from privacy_ops.stores.database import Database

from tests.integration import nights
from tests.integration.press import MINOR, NOW, Press, key_ring

METADATA = """
CREATE SCHEMA meta;
CREATE TABLE meta.alembic_version (version_num text);
INSERT INTO meta.alembic_version VALUES ('a1b2c3d4e5f6');
CREATE TABLE meta.xcom (task_id text, value jsonb);
CREATE TABLE meta.rendered (fields json);
CREATE TABLE meta.of_tomorrow (id bigint, at timestamptz, tags text[], packed bytea, owner uuid);
INSERT INTO meta.xcom VALUES ('plan', '{"cases": 3, "plan_id": "6c0fd6f5-95cb-4d16-8a2f-7d0f2c1f5b61"}');
"""


@pytest.fixture
def metadata(empty_database: str) -> Database:
    database = Database(empty_database)
    with database.transaction() as connection:
        connection.exec_driver_sql(METADATA)
    return database


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "dag_id=minor_data_deletion" / "task_id=plan"
    folder.mkdir(parents=True)
    (folder / "attempt=1.log").write_text('{"event": "3 cases planned"}\n')
    return tmp_path


def plant(metadata: Database, sql: str, **values: Any) -> None:
    from sqlalchemy import text

    with metadata.transaction() as connection:
        connection.execute(text(sql), values)


def test_who_was_erased_who_waits_and_who_was_planted_are_found_wherever_they_stand(
    press: Press, metadata: Database, logs: Path
) -> None:
    erased = press.person(born=MINOR, email="Kim.Lowe@example.org")
    nights.whole(press.workspace, press.open_run())
    waiting = press.person(born=MINOR, email="sam.ray@example.org")
    nights.find(press.workspace, press.open_run("second"))
    clean = traces.sweep(press.workspace, metadata, logs)
    assert (clean.traces, clean.blind, clean.files, clean.columns) == (0, 0, 1, 7)

    returned = json.dumps({"to": "kim.lowe@example.org"})
    plant(metadata, "INSERT INTO meta.xcom VALUES ('x', CAST(:v AS jsonb))", v=returned)
    plant(
        metadata,
        "INSERT INTO meta.rendered VALUES (CAST(:v AS json))",
        v='{"sql": "kim.lowe\\u0040example.org"}',
    )
    plant(metadata, "INSERT INTO meta.of_tomorrow (tags) VALUES (ARRAY['a', :v])", v=f"user_{erased}")
    plant(metadata, "INSERT INTO meta.of_tomorrow (packed) VALUES (:v)", v=zlib.compress(str(erased).encode()))
    plant(metadata, "INSERT INTO meta.of_tomorrow (owner) VALUES (:v)", v=waiting)
    (logs / "task.log").write_text(f"INFO nothing\nWARN user={waiting} failed\nINFO to PLANTED-0042 now\n")
    with gzip.open(logs / "old.log.gz", "wb") as packed:
        packed.write(b"GET /verify?mail=KIM.LOWE%40example.org HTTP/1.1\n")
    (logs / f"run_id={erased}.log").write_text("nothing here\n")
    report = traces.sweep(press.workspace, metadata, logs, planted=["PLANTED-0042"])
    assert dict(report.found) == {
        "meta.xcom.value": 1,
        "meta.rendered.fields": 1,
        "meta.of_tomorrow.tags": 1,
        "meta.of_tomorrow.packed": 1,
        "meta.of_tomorrow.owner": 1,
        "logs/task.log": 2,
        "logs/old.log.gz": 1,
        "logs (name of a file)": 1,
    }
    run = press.open_run("traces")
    with pytest.raises(GateBlocked) as blocked:
        traces.judge_traces(press.workspace, run, report, now=NOW)
    shown = str(blocked.value) + str(press.execute("SELECT facts FROM gov.run WHERE run_id = :r", r=run.run_id))
    shown += str(press.execute("SELECT checks, report_html FROM gov.gate_result ORDER BY gate_result_id DESC LIMIT 1"))
    for value in ("lowe", str(erased), str(waiting), "PLANTED"):
        assert value not in shown


def test_a_search_that_looked_at_nothing_blocks(press: Press, empty_database: str, tmp_path: Path) -> None:
    report = traces.sweep(press.workspace, Database(empty_database), tmp_path)
    with pytest.raises(GateBlocked):
        traces.judge_traces(press.workspace, press.open_run(), report, now=NOW)
    checks = press.execute("SELECT checks FROM gov.gate_result ORDER BY gate_result_id DESC LIMIT 1")[0].checks
    failed = {check["id"] for check in checks if not check["success"]}
    assert failed == {"TRACES-COLUMNS", "TRACES-FILES", "TRACES-BLIND"}


def test_a_table_that_may_not_be_read_is_no_empty_table(press: Press, metadata: Database, tmp_path: Path) -> None:
    plant(metadata, "CREATE ROLE trace_reader LOGIN PASSWORD 'reader'")
    plant(metadata, "GRANT USAGE ON SCHEMA meta TO trace_reader")
    plant(metadata, "GRANT SELECT ON meta.alembic_version, meta.xcom TO trace_reader")
    url = metadata._url.set(username="trace_reader", password="reader").render_as_string(hide_password=False)
    try:
        with pytest.raises(StoreRefused):
            traces.sweep(press.workspace, Database(url), tmp_path)
    finally:
        plant(metadata, "DROP OWNED BY trace_reader")
        plant(metadata, "DROP ROLE trace_reader")


@pytest.mark.parametrize("text", ["", "@", "a@", "@b", "x" * 100_000, "@" * 10_000, "a-" * 50_000, "\ud800", "\x00"])
def test_any_text_can_be_read(text: str) -> None:
    wanted = Wanted(key_ring())
    wanted.add_plain("word", "PLANTED-0042", uuid4())
    seeker = traces.Seeker(wanted)
    assert seeker.people(text) == set()
    assert seeker.people(f"{text} {uuid4()} {text}") == set()
    assert len(seeker.people(f"{text} planted-0042 {text}")) == 1
