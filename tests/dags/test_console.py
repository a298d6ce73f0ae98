"""The pages below /privacy as the API server serves them: who gets in, what they see, and what a browser may do."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.api_fastapi.app import init_auth_manager, purge_cached_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models.revoked_token import RevokedToken
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import FastAPI
from fastapi.testclient import TestClient
from privacy_ops.console import paging, view
from privacy_ops.gates import runner
from privacy_ops.settings import DUTIES
from privacy_ops.stores import migrations, roles
from privacy_ops.stores.database import Database
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
PASSWORDS = {duty: f"made-up-{duty}" for duty in DUTIES}
FAILED = runner.CheckResult("G-08", "few cases", "critical", False, False, 30, "ask the privacy lead")
BLOCK = runner.Verdict(
    "erasure_plan", "minor_data_deletion/1", "block", "ab" * 32, (FAILED,), NOW, NOW + timedelta(hours=24), "<p>30</p>"
)


def as_airflow_connection(url: str) -> str:
    parts = make_url(url)
    return json.dumps({
        "conn_type": "postgres",
        "host": parts.host,
        "port": parts.port,
        "login": parts.username,
        "password": parts.password,
        "schema": parts.database,
    })


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    """A web server with Airflow's sign-in and the plugin's mount, as the API server makes it."""
    import privacy_console

    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "made-up-" * 8)
    # Whether a token was revoked stands in Airflow's own database, which is not what these tests are about.
    monkeypatch.setattr(RevokedToken, "is_revoked", lambda _jti: False)
    purge_cached_app()
    whole = FastAPI()
    init_auth_manager(whole)
    for part in privacy_console.PrivacyConsole.fastapi_apps:
        whole.mount(part["url_prefix"], part["app"])
    yield whole
    purge_cached_app()


@pytest.fixture(scope="module")
def governed(cluster: PostgresServer) -> Iterator[str]:
    """Superuser address of a database with gov and roles."""
    admin = create_engine(cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE console_publisher"))
    migrations.upgrade(cluster.dsn("console_publisher"))
    roles.apply(cluster.dsn("console_publisher"), PASSWORDS, closed_databases=())
    yield cluster.dsn("console_publisher")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE console_publisher WITH (FORCE)"))


@pytest.fixture
def database(governed: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """gov without verdicts; the console's connection is what Airflow knows as privacy_ops_console."""
    url = make_url(governed).set(username="privacy_console", password=PASSWORDS["console"])
    monkeypatch.setenv(
        "AIRFLOW_CONN_PRIVACY_OPS_CONSOLE", as_airflow_connection(url.render_as_string(hide_password=False))
    )
    everything = Database(governed)
    with everything.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM gov.gate_result"))
    return everything


def client(server: FastAPI, role: str | None = "viewer") -> TestClient:
    """A browser, signed in with ``role``; None is nobody."""
    browser = TestClient(server, base_url="http://testserver", raise_server_exceptions=False)
    if role is not None:
        user = SimpleAuthManagerUser(username="made-up-viewer", role=role)
        browser.headers["Authorization"] = f"Bearer {server.state.auth_manager.generate_jwt(user)}"
    return browser


def record(database: Database, **changes: Any) -> int:
    from dataclasses import replace

    with database.transaction() as connection:
        return runner.record(connection, replace(BLOCK, **changes))


@pytest.mark.parametrize("path", ["/privacy/gates", "/privacy/gates/1", "/privacy/gates/999", "/privacy/gates/x"])
def test_nobody_sees_anything_without_signing_in(server: FastAPI, database: Database, path: str) -> None:
    record(database)
    answer = client(server, None).get(path)
    assert answer.status_code == 401
    assert "<p>30</p>" not in answer.text
    assert "/auth/login" in answer.text


def test_a_forged_token_is_refused(server: FastAPI, database: Database) -> None:
    browser = client(server, None)
    browser.headers["Authorization"] = "Bearer forged"
    assert browser.get("/privacy/gates").status_code == 403


def test_a_signed_in_viewer_reads_the_report_as_it_was_rendered(server: FastAPI, database: Database) -> None:
    number = record(database)
    answer = client(server).get(f"/privacy/gates/{number}")
    assert (answer.status_code, answer.text) == (200, "<p>30</p>")
    assert answer.headers["content-type"].startswith("text/html")


def test_the_list_shows_the_newest_first_and_links_each(server: FastAPI, database: Database) -> None:
    first, second = record(database), record(database, verdict="pass", run_id="<b>run</b>")
    answer = client(server).get("/privacy/gates")
    assert answer.status_code == 200
    assert answer.text.index(f"/privacy/gates/{second}") < answer.text.index(f"/privacy/gates/{first}")
    assert "G-08" in answer.text
    assert "(expired)" in answer.text or datetime.now(UTC) < NOW + timedelta(hours=24)
    assert "<b>run</b>" not in answer.text


def test_the_list_goes_on_by_key_page_after_page(server: FastAPI, database: Database) -> None:
    with database.transaction() as connection:
        numbers = [runner.record(connection, BLOCK) for _ in range(paging.PAGE + 5)]
    first = client(server).get("/privacy/gates?verdict=block")
    assert first.text.count("report ") == paging.PAGE
    (way_on,) = re.findall(r'href="(\?after=[^"]+)"', first.text)
    assert "verdict=block" in html.unescape(way_on)
    second = client(server).get(f"/privacy/gates{html.unescape(way_on)}")
    assert [f"/privacy/gates/{number}" in second.text for number in numbers[:6]] == [True] * 5 + [False]
    assert client(server).get("/privacy/gates?after=rubbish").text.count("report ") == paging.PAGE


def test_an_empty_list_says_so(server: FastAPI, database: Database) -> None:
    assert "No gate has judged anything yet" in client(server).get("/privacy/gates").text


@pytest.mark.parametrize("path", ["/privacy/gates/999", "/privacy/gates/0", "/privacy/gates/x", "/privacy/nothing"])
def test_what_is_not_there_is_a_plain_page(server: FastAPI, database: Database, path: str) -> None:
    answer = client(server).get(path)
    assert (answer.status_code, "Not found" in answer.text) == (404, True)


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**40])
def test_numbers_beyond_the_column_do_not_break_it(server: FastAPI, database: Database, number: int) -> None:
    assert client(server).get(f"/privacy/gates/{number}").status_code == 404


@pytest.mark.parametrize("role", ["viewer", None])
@pytest.mark.parametrize("path", ["/privacy/gates", "/privacy/gates/1", "/privacy/gates/999"])
def test_every_answer_forbids_scripts_framing_and_caching(
    server: FastAPI, database: Database, path: str, role: str | None
) -> None:
    number = record(database)
    headers = client(server, role).get(path.replace("gates/1", f"gates/{number}")).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert ("script-src" in policy) == (path != "/privacy/gates/1" or role is None)
    assert "http" not in policy
    assert "frame-ancestors 'self'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_changed_from_here(server: FastAPI, database: Database, method: str) -> None:
    number = record(database)
    assert getattr(client(server), method)(f"/privacy/gates/{number}").status_code == 405


def test_airflow_is_given_an_entry_and_tabs_that_lead_to_pages(server: FastAPI, database: Database) -> None:
    from privacy_console import PrivacyConsole

    views = PrivacyConsole.external_views
    assert {one["destination"] for one in views} == {"nav", "dag", "dag_run"}
    for one in views:
        path = one["href"].replace("{DAG_ID}", "minor_data_deletion").replace("{RUN_ID}", "manual__1")
        assert path.startswith("/privacy/")
        assert client(server, None).get(path).status_code == 401, path
        assert client(server).get(path).status_code == 200, path


@pytest.mark.parametrize("path", ["/privacy/docs", "/privacy/openapi.json", "/privacy/redoc"])
def test_the_interface_is_not_described_to_strangers(server: FastAPI, database: Database, path: str) -> None:
    assert client(server, None).get(path).status_code in {401, 404}


def test_a_database_that_is_down_is_a_plain_page_without_password(
    server: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_PRIVACY_OPS_CONSOLE",
        as_airflow_connection("postgresql+psycopg://privacy_console:hidden-word@127.0.0.1:1/publisher"),
    )
    answer = client(server).get("/privacy/gates")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text
    assert "hidden-word" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_missing_connection_says_which(server: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_conn_id: str) -> Connection:
        raise AirflowNotFoundException("absent")

    monkeypatch.setattr(Connection, "get", absent)
    answer = client(server).get("/privacy/gates")
    assert (answer.status_code, "privacy_ops_console" in answer.text) == (503, True)


def test_the_console_reads_no_ledger_and_no_suppression_list(database: Database) -> None:
    from privacy_ops.errors import StoreRefused

    for table in ("gov.erasure_ledger", "gov.suppression_entry"):
        with pytest.raises(StoreRefused), view.console_database().transaction() as connection:
            connection.execute(text(f"SELECT * FROM {table}"))
