"""One run of the delivery by Airflow itself, with a real mail server: what its tables and its logs hold afterwards."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from privacy_ops.settings import home_directory
from sqlalchemy.engine import make_url

from tests.delivery_world import ASK, CONTACTS, NOW, ask
from tests.integration.test_adapters import inbox  # noqa: F401 - a fixture
from tests.integration.test_delivery import RING, Office, office, week  # noqa: F401 - fixtures


@pytest.fixture
def airflow_home(office: Office, inbox: Any, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """Airflow's own database and log folder, and the connections of this publisher."""
    from airflow import settings
    from airflow.utils.db import initdb
    from privacy_ops.airflow_support import jobs

    url, objects, mail = make_url(office.ws.settings.dsn("export")), office.ws.settings.objects, inbox.server._settings
    connections: dict[str, dict[str, Any]] = {
        "EXPORT": {
            "conn_type": "postgres", "host": url.host, "port": url.port, "login": url.username,
            "password": url.password, "schema": url.database,
        },
        "OBJECTS": {
            "conn_type": "aws", "login": objects.access_key, "password": objects.secret_key,
            "extra": {"endpoint_url": objects.endpoint_url, "region_name": objects.region},
        },
        "SMTP": {
            "conn_type": "smtp", "host": mail.host, "port": mail.port,
            "extra": {"from_email": mail.sender, "disable_tls": True},
        },
    }  # fmt: skip
    for name, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_PRIVACY_OPS_{name}", json.dumps(connection))
    monkeypatch.setenv("PRIVACY_OPS_HMAC_KEYS", RING)
    monkeypatch.setenv("PRIVACY_OPS_RECIPIENTS_REGISTRY", str(office.path))
    monkeypatch.setenv("PRIVACY_OPS_PRIVACY_CONTACT", ASK)
    monkeypatch.setattr(jobs, "utc_now", lambda: NOW)  # entitlements end one day
    initdb()
    # Where Airflow of this process really keeps its things: it read its settings when it was imported.
    return Path(str(settings.engine.url.database)).parent


def test_a_run_sends_the_mails_and_leaves_no_address_and_no_link_in_airflow(
    office: Office,  # noqa: F811
    inbox: Any,  # noqa: F811
    airflow_home: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(str(home_directory() / "dags" / "course_usage_delivery.py")).dags["course_usage_delivery"]
    done = dag.test(logical_date=NOW, run_conf={"dry_run": False})
    assert str(done.state) == "success"
    assert sorted(str(mail["To"]) for mail in inbox.mails) == sorted(
        CONTACTS[name] for name in ("author-one", "author-two", "supporter-one")
    )
    assert len(ask(office.dsn, "SELECT 1 FROM gov.release_delivery WHERE kind = 'sent'")) == 3
    (run,) = ask(office.dsn, "SELECT state, dry_run FROM gov.run WHERE dag_id = 'course_usage_delivery'")
    assert tuple(run) == ("done", False)
    said = capfd.readouterr()
    kept = {"output": (said.out + said.err).encode()}
    kept |= {str(path): path.read_bytes() for path in airflow_home.rglob("*") if path.is_file()}
    assert any(b"gate_delivery" in held for held in kept.values()), "the canary looks where something is"
    for where, held in kept.items():
        assert b"X-Amz-Signature" not in held, where
        assert not [contact for contact in CONTACTS.values() if contact.encode() in held], where
    with sqlite3.connect(next(airflow_home.glob("*.db"))) as database:
        pushed = dict(database.execute("SELECT task_id, value FROM xcom WHERE key = 'return_value'"))
    assert '"sent": 3' in str(pushed["send"]), pushed
