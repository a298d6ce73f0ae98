"""What operators are told, by real mail and over real HTTP: once, as a digest, without a word about anybody."""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from privacy_ops.airflow_support import notifiers
from privacy_ops.airflow_support import settings as airflow_settings
from privacy_ops.airflow_support.notifiers import OperatorNotifier, WebhookNotifier
from privacy_ops.datamap import loader
from privacy_ops.errors import ConfigError, GateBlocked, StoreRefused
from privacy_ops.operations import alerts, deployment, doctor, watch
from privacy_ops.operations.alerts import Alert
from privacy_ops.operations.messages import Addresses, Message
from privacy_ops.settings import DUTIES, KeyRing, ObjectSettings, Settings, home_directory
from privacy_ops.stores.database import Database
from privacy_ops.workspace import Workspace
from sqlalchemy import text
from sqlalchemy.engine import make_url

from sandbox import provision
from sandbox.postgres import PostgresServer, free_port
from sandbox.state import new_signing_key

NOW = datetime(2026, 11, 28, 2, 20, tzinfo=UTC)
SECRET = "ann.minor@example.org"
MAP = functools.cache(loader.load)
RUN = "scheduled__2026-11-27T02:15:00+00:00"


@dataclass
class Inbox:
    """What arrived, and what the other side answers."""

    texts: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def chat() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if inbox.status == 200:
                inbox.texts.append(body["text"])
            inbox.paths.append(self.path)
            inbox.tokens.append(self.headers.get("Authorization"))
            self.send_response(inbox.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield inbox, server.server_port
    server.shutdown()
    server.server_close()


@contextmanager
def mail_server() -> Iterator[tuple[list[Any], int]]:
    received: list[Any] = []

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            received.append(envelope)
            return "250 OK"

    port = free_port()
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield received, port
    finally:
        controller.stop()


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **parts: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_PRIVACY_OPS_{name.upper()}", json.dumps(parts))


@pytest.fixture(scope="module")
def governed(
    cluster: PostgresServer, object_settings: ObjectSettings, _empty_template: tuple[str, dict[str, str]]
) -> Iterator[tuple[str, Settings]]:
    """One empty publisher for all tests here: the superuser's address, and its settings."""
    template, passwords = _empty_template
    provision.create_database(cluster, "operated", template=template)
    provision.grant(cluster.dsn("operated"), passwords)
    dsns = {duty: cluster.dsn("operated", f"privacy_{duty}", passwords[duty]) for duty in DUTIES}
    ring = KeyRing(signing_key_pem=new_signing_key().encode())
    yield cluster.dsn("operated"), Settings(home=home_directory(), dsns=dsns, objects=object_settings, keys=ring)
    provision.drop_database(cluster, "operated")


@pytest.fixture
def operated(governed: tuple[str, Settings], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An empty publisher whose connections Airflow finds; nobody is told yet."""
    monkeypatch.setattr(loader, "load", MAP)  # the same map for each look: read once
    admin, settings = governed
    with Database(admin).transaction() as connection:
        connection.execute(text("TRUNCATE gov.alert_delivery, gov.operator_alert, gov.run, gov.backup_age_out"))
    url = make_url(settings.dsn("operate"))
    connect(
        monkeypatch, "operate",
        conn_type="postgres", host=url.host, port=url.port, login=url.username, password=url.password,
        schema=url.database,
    )  # fmt: skip
    connect(
        monkeypatch, "objects",
        conn_type="aws", login="test", password="test-secret", extra={"endpoint_url": settings.objects.endpoint_url},
    )  # fmt: skip
    return settings


def context(error: BaseException | None = None, run: str = RUN, dag: str = "minor_data_deletion") -> dict[str, Any]:
    class Named:
        dag_id, task_id = dag, "gate_plan"

    return {"dag": Named, "task": Named, "run_id": run, "exception": error}


def rows(settings: Settings, query: str) -> list[Any]:
    with Database(settings.dsn("operate")).transaction() as connection:
        return list(connection.execute(text(query)).all())


def workspace(settings: Settings) -> Workspace:
    return Workspace.load(settings)


def noted(made: Workspace, alert: Alert, at: datetime) -> int:
    with made.database("operate").transaction() as connection:
        return alerts.note(connection, alert, at=at, limits=made.thresholds.alerts)


def test_a_failure_reaches_mail_and_chat_without_the_words_of_its_exception(
    operated: Settings, chat: tuple[Inbox, int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inbox, port = chat
    caplog.set_level(logging.DEBUG)
    with mail_server() as (received, smtp):
        connect(monkeypatch, "webhook", conn_type="http", schema="http", host="127.0.0.1", port=port,
                password="tok/en", extra={"path": "hooks/{password}"})  # fmt: skip
        connect(monkeypatch, "smtp", conn_type="smtp", host="127.0.0.1", port=smtp,
                extra={"from_email": "jobs@example.org", "disable_ssl": True, "disable_tls": True})  # fmt: skip
        monkeypatch.setenv("PRIVACY_OPS_ALERT_MAIL", "operators@example.org, lead@example.org")

        OperatorNotifier()(context(ValueError(f"could not erase {SECRET} born 2012-03-04")))

        (mail,) = received
        assert mail.rcpt_tos == ["operators@example.org", "lead@example.org"]
        parsed = message_from_bytes(mail.content)
        body = "".join(str(part.get_payload(decode=True)) for part in parsed.walk() if not part.is_multipart())
        assert parsed["Subject"] == "[privacy operations] minor_data_deletion failed"
    (told,) = inbox.texts
    assert inbox.paths == ["/hooks/tok/en"]
    for words in (told, body):
        assert "ValueError" in words
        assert "docs/runbooks/minor_data_deletion.md" in words
        assert "scheduled__2026-11-27T02:15:00" in words
    everything = (
        told + body + parsed["Subject"] + caplog.text + repr(rows(operated, "SELECT * FROM gov.operator_alert"))
    )
    for forbidden in (SECRET, "ann.minor", "2012-03-04", "could not erase", "tok/en"):
        assert forbidden not in everything


def test_a_gate_that_blocks_is_told_as_that_and_leads_to_its_report(
    operated: Settings, chat: tuple[Inbox, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, port = chat
    connect(monkeypatch, "webhook", conn_type="http", host=f"http://127.0.0.1:{port}/hook", password="t0ken")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.org/")
    with Database(operated.dsn("detect")).transaction() as connection:
        gate_result_id = connection.execute(
            text(
                "INSERT INTO gov.gate_result (run_id, gate, verdict, subject_sha256, checks, judged_at, expires_at)"
                " VALUES ('minor_data_deletion/r', 'erasure.plan', 'block', 'aa', '[]', now(), now())"
                " RETURNING gate_result_id"
            )
        ).scalar_one()
    error = GateBlocked(f"blocks because of {SECRET}")
    error.gate_result_id = gate_result_id

    OperatorNotifier()(context(error))

    (told,) = inbox.texts
    assert "minor_data_deletion blocked by a gate" in told
    assert "gate erasure.plan" in told
    assert f"https://airflow.example.org/privacy/gates/{gate_result_id}" in told
    assert SECRET not in told
    assert inbox.tokens == ["Bearer t0ken"]


def test_nothing_configured_fails_nothing_and_keeps_the_row(operated: Settings) -> None:
    OperatorNotifier()(context(ValueError(SECRET)))
    assert rows(operated, "SELECT kind, codes FROM gov.operator_alert") == [("failure", ["ValueError"])]
    assert rows(operated, "SELECT * FROM gov.alert_delivery") == []


def test_a_database_that_is_away_fails_nothing_and_says_only_the_class(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_PRIVACY_OPS_OPERATE", raising=False)
    OperatorNotifier()(context(ValueError(SECRET)))
    assert SECRET not in caplog.text


def test_a_failed_run_is_not_open_any_more(operated: Settings) -> None:
    with Database(operated.dsn("detect")).transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO gov.run (run_id, dag_id, as_of, run_type, dry_run, code_version, thresholds_sha256,"
                f" map_sha256, tzdata_version) VALUES ('minor_data_deletion/{RUN}', 'minor_data_deletion', now(),"
                " 'scheduled', false, '1', '', '', '')".replace(":", "\\:")
            )
        )
    OperatorNotifier()(context(ValueError()))
    assert rows(operated, "SELECT state, closed_at IS NOT NULL FROM gov.run") == [("failed", True)]


def test_a_storm_is_one_message_and_the_rest_one_digest(operated: Settings) -> None:
    made = workspace(operated)
    sent: list[Message] = []
    channel = {"chat": sent.append}
    for minute in range(6):  # six runs, each failing twice
        at = NOW + timedelta(minutes=minute)
        for _ in range(2):
            noted(made, Alert("failure", "erasure_propagation", f"erasure_propagation/{minute}"), at)
            alerts.tell(made, channel, Addresses(), now=at)
    assert len(sent) == 1

    window = timedelta(minutes=made.thresholds.alerts.window_minutes)
    alerts.tell(made, channel, Addresses(), now=NOW + window - timedelta(seconds=1))
    assert len(sent) == 1, "the window is not over"
    alerts.tell(made, channel, Addresses(), now=NOW + window)
    assert [message.subject for message in sent[1:]] == ["[privacy operations] erasure_propagation failed (5 times)"]
    assert "It happened 10 times in all." in sent[1].text
    alerts.tell(made, channel, Addresses(), now=NOW + 3 * window)
    assert len(sent) == 2, "nothing is told twice"


def test_another_kind_or_another_dag_does_not_wait_for_the_window(operated: Settings) -> None:
    made = workspace(operated)
    sent: list[Message] = []
    for alert in (
        Alert("failure", "erasure_propagation", "erasure_propagation/1"),
        Alert("approval_waiting", "erasure_propagation", "erasure_propagation/1"),
        Alert("failure", "course_usage_export", "course_usage_export/1"),
    ):
        noted(made, alert, NOW)
        alerts.tell(made, {"chat": sent.append}, Addresses(), now=NOW)
    assert len(sent) == 3


def test_a_run_that_fails_again_after_the_window_is_told_again(operated: Settings) -> None:
    made = workspace(operated)
    alert = Alert("failure", "course_usage_export", "course_usage_export/1")
    window = timedelta(minutes=made.thresholds.alerts.window_minutes)
    first = noted(made, alert, NOW)
    assert noted(made, alert, NOW + window - timedelta(seconds=1)) == first
    assert noted(made, alert, NOW + 3 * window) != first


def test_processes_that_fail_at_once_send_one_message(operated: Settings) -> None:
    made = workspace(operated)
    sent: list[Message] = []

    def fail(number: int) -> None:
        noted(made, Alert("failure", "minor_signal_intake", f"minor_signal_intake/{number % 4}"), NOW)
        alerts.tell(made, {"chat": sent.append}, Addresses(), now=NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fail, range(16)))
    assert len(sent) == 1
    counted = rows(operated, "SELECT run_id, times FROM gov.operator_alert ORDER BY run_id")
    assert counted == [(f"minor_signal_intake/{n}", 4) for n in range(4)]


def test_a_channel_that_refuses_is_asked_again_and_the_other_is_not(operated: Settings) -> None:
    made = workspace(operated)
    sent: list[Message] = []

    def refuses(_message: Message) -> None:
        raise StoreRefused(f"no {SECRET}")

    noted(made, Alert("failure", "course_usage_export", "course_usage_export/1"), NOW)
    counts = alerts.tell(made, {"chat": sent.append, "mail": refuses}, Addresses(), now=NOW)
    assert counts == {"messages": 1, "refused": 1}
    again: list[Message] = []
    alerts.tell(made, {"chat": sent.append, "mail": again.append}, Addresses(), now=NOW + timedelta(minutes=15))
    assert (len(sent), len(again)) == (1, 1)


def test_a_sender_that_was_killed_is_replaced_after_a_while(operated: Settings) -> None:
    made = workspace(operated)
    sent: list[Message] = []

    def dies(_message: Message) -> None:
        raise SystemExit  # what no handler of ours catches: as if the process were gone

    noted(made, Alert("failure", "course_usage_export", "course_usage_export/1"), NOW)
    with pytest.raises(SystemExit):
        alerts.tell(made, {"chat": dies}, Addresses(), now=NOW)
    limit = timedelta(minutes=made.thresholds.alerts.claim_minutes)
    alerts.tell(made, {"chat": sent.append}, Addresses(), now=NOW + limit - timedelta(seconds=1))
    assert sent == [], "it may still be at work"
    alerts.tell(made, {"chat": sent.append}, Addresses(), now=NOW + limit)
    assert len(sent) == 1


def test_the_watch_notes_each_late_run_once(operated: Settings) -> None:
    made = workspace(operated)
    with Database(operated.dsn("migrate")).transaction() as connection:
        for run_id, dag_id, at, state in (
            ("minor_data_deletion/a", "minor_data_deletion", NOW - timedelta(days=1), "done"),
            ("erasure_verification/b", "erasure_verification", NOW - timedelta(hours=5), "open"),
            ("transfer_inventory_check/c", "transfer_inventory_check", NOW - timedelta(minutes=5), "open"),
        ):
            connection.execute(
                text(
                    "INSERT INTO gov.run (run_id, dag_id, as_of, run_type, dry_run, code_version, thresholds_sha256,"
                    " map_sha256, tzdata_version, state) VALUES (:r, :d, :at, 'scheduled', false, '1', '', '', '', :s)"
                ),
                {"r": run_id, "d": dag_id, "at": at, "s": state},
            )
    later = NOW + timedelta(minutes=30)
    found = watch.look(made, now=later)
    assert found == {"late": 2, "breached": 0, "new": 2}
    assert rows(operated, "SELECT kind, dag_id FROM gov.operator_alert ORDER BY kind") == [
        ("late_finish", "erasure_verification"),
        ("late_start", "minor_data_deletion"),
    ]
    assert watch.look(made, now=later + timedelta(minutes=20))["new"] == 0


def test_a_service_level_over_its_limit_is_told_once_a_day(operated: Settings) -> None:
    made = workspace(operated)
    with Database(operated.dsn("migrate")).transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO gov.backup_age_out (case_id, erased_at, ages_out_on)"
                " VALUES (gen_random_uuid(), :erased, :out)"
            ),
            {"erased": NOW - timedelta(days=36), "out": (NOW - timedelta(days=1)).date()},
        )
    assert watch.look(made, now=NOW)["breached"] == 1
    watch.look(made, now=NOW + timedelta(hours=2))
    assert rows(operated, "SELECT kind, codes FROM gov.operator_alert") == [("service_level", ["M6"])]
    watch.look(made, now=NOW + timedelta(days=1))
    assert len(rows(operated, "SELECT 1 FROM gov.operator_alert")) == 2


def test_the_address_of_a_webhook_is_never_plain_beyond_this_machine_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, chat: tuple[Inbox, int]
) -> None:
    connect(monkeypatch, "webhook", conn_type="http", schema="http", host="chat.example.org", password="s3cret")
    with pytest.raises(ConfigError, match="TLS") as refused:
        WebhookNotifier("hello")({})
    assert "s3cret" not in str(refused.value)
    for host in ("chat..example.org", "chat.example.org:s3cret", "[::1"):
        connect(monkeypatch, "webhook", conn_type="http", schema="https", host=host, password="s3cret",
                extra={"path": "{password}"})  # fmt: skip
        with pytest.raises(ConfigError, match="address") as refused:
            WebhookNotifier("hello")({})
        assert "s3cret" not in str(refused.value)
    inbox, port = chat
    inbox.status = 403
    connect(monkeypatch, "webhook", conn_type="http", schema="http", host="127.0.0.1", port=port,
            password="s3cret", extra={"path": "{password}"})  # fmt: skip
    with pytest.raises(StoreRefused, match="403") as refused:
        WebhookNotifier("hello")({})
    assert "s3cret" not in str(refused.value)


def test_keys_come_from_variables_where_the_environment_names_none(
    operated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = {"ledger": {"current": "k2", "keys": {"k1": "11" * 32, "k2": "22" * 32}}}
    pem = (operated.keys.signing_key_pem or b"").decode()
    for name in ("PRIVACY_OPS_HMAC_KEYS", "PRIVACY_OPS_SIGNING_KEY_FILE", "PRIVACY_OPS_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AIRFLOW_VAR_PRIVACY_OPS_HMAC_KEYS_SECRET", json.dumps(ring))
    monkeypatch.setenv("AIRFLOW_VAR_PRIVACY_OPS_SIGNING_PRIVATE_KEY", pem)

    found = airflow_settings.settings_for("operate")

    assert found.keys.current_key("ledger") == ("k2", bytes.fromhex("22" * 32))
    assert found.keys.signing_key_pem == pem.encode()
    assert "22" * 32 not in repr(found)
    environ = airflow_settings.command_environment()
    assert environ["PRIVACY_OPS_DSN_OPERATE"] == operated.dsn("operate")
    assert json.loads(environ["PRIVACY_OPS_HMAC_KEYS"]) == ring
    # What the environment names comes first.
    own = {"ledger": {"current": "k9", "keys": {"k9": "99" * 32}}}
    monkeypatch.setenv("PRIVACY_OPS_HMAC_KEYS", json.dumps(own))
    assert airflow_settings.settings_for("operate").keys.current_key("ledger")[0] == "k9"


def test_a_variable_that_holds_no_keys_is_named_and_not_quoted(
    operated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRIVACY_OPS_HMAC_KEYS", raising=False)
    monkeypatch.setenv("AIRFLOW_VAR_PRIVACY_OPS_HMAC_KEYS_SECRET", '{"ledger": "s3cret"}')
    with pytest.raises(ConfigError, match="Variable privacy_ops_hmac_keys_secret") as refused:
        airflow_settings.settings_for("operate")
    assert "s3cret" not in str(refused.value)


def test_channels_are_those_that_are_configured(operated: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert notifiers.channels(operated) == {}
    connect(monkeypatch, "smtp", conn_type="smtp", host="127.0.0.1")
    assert notifiers.channels(operated) == {}, "a mail server, but nobody to write to"
    told = replace(operated, alert_mail=("operators@example.org",))
    connect(monkeypatch, "webhook", conn_type="http", host="chat.example.org")
    assert set(notifiers.channels(told)) == {"mail", "webhook"}


def test_doctor_asks_airflow_itself_and_hears_no_secret(operated: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "webhook", conn_type="http", host="chat.example.org", password="s3cret-word")
    for name, value in (
        ("AIRFLOW__CORE__LOAD_EXAMPLES", "True"),
        ("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor"),
        ("AIRFLOW__API_AUTH__JWT_SECRET", "s3cret-word" * 6),
    ):
        monkeypatch.setenv(name, value)

    found = deployment.airflow_facts(operated)

    assert found["channels"] == ("webhook",)
    assert found["airflow"]["core.load_examples"] == "True"
    assert (found["airflow"]["core.executor"], found["airflow"]["jwt_length"]) == ("CeleryExecutor", 66)
    assert "s3cret-word" not in repr(found)
    said = {p.where for p in doctor.examine(doctor.Deployment(now=NOW, **found)) if p.check == "airflow"}
    assert "AIRFLOW__CORE__LOAD_EXAMPLES" in said


def test_the_runner_of_a_real_task_calls_it_and_a_fault_of_it_is_not_the_task_s(
    operated: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The callback as Airflow's own task runner calls it, on a task of the real DAG."""
    import structlog
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.execution_time.task_runner import _run_task_state_change_callbacks

    bag = DagBag(str(operated.home / "dags" / "erasure_propagation.py"))
    dag = bag.dags["erasure_propagation"]
    task = dag.get_task("deliver")
    found = {"dag": dag, "task": task, "run_id": RUN, "exception": ValueError(SECRET), "outlet_events": {}}

    _run_task_state_change_callbacks(task, "on_failure_callback", found, structlog.get_logger())

    assert rows(operated, "SELECT kind, dag_id, task, codes FROM gov.operator_alert") == [
        ("failure", "erasure_propagation", "deliver", ["ValueError"])
    ]
    assert SECRET not in caplog.text
