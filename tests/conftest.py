"""What tests of every kind share: one embedded PostgreSQL and one S3 endpoint per session.

Nothing starts before a test asks for it, and everything ends with the session: by fixture, on SIGTERM, and
by a watcher process when pytest itself is killed.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from privacy_ops.settings import DUTIES, KEY_PURPOSES, KeyRing, ObjectSettings, Settings, home_directory
from privacy_ops.stores import roles
from privacy_ops.stores.database import quote
from privacy_ops.stores.objects import ObjectStore
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from sandbox.objects import serve_at_less_cost
from sandbox.postgres import PostgresServer, free_port
from sandbox.state import new_signing_key
from tests import block_list

PROJECT = Path(__file__).resolve().parents[1]

# Before anything imports Airflow: a home of its own, never the one of whoever runs the tests.
_AIRFLOW_HOME = tempfile.mkdtemp(prefix="privacy-ops-airflow-")
atexit.register(shutil.rmtree, _AIRFLOW_HOME, ignore_errors=True)
os.environ |= {
    "AIRFLOW_HOME": _AIRFLOW_HOME,
    "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
}

_WATCHER = "import os, signal, sys; sys.stdin.read(); os.kill(int(sys.argv[1]), signal.SIGQUIT)"


@pytest.fixture(scope="session", autouse=True)
def _end_politely_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the session through its fixtures, as Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


def administer(server: PostgresServer, statement: str) -> None:
    """Run one statement outside a transaction (CREATE and DROP DATABASE demand that)."""
    engine = create_engine(server.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresServer]:
    """An embedded PostgreSQL of this session; ``cluster.dsn()`` is the superuser's address."""
    folder = Path(tempfile.mkdtemp(prefix="privacy-ops-test-"))
    folder.chmod(0o755)  # the server runs as another user when the tests run as root
    # Durability is not what these tests are about, except where they start a server of their own.
    fast = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
    fast |= {"max_wal_size": "512MB"}  # it may lie in memory
    fast |= {"scram_iterations": "1"}  # a duty connects for each of its transactions
    server = PostgresServer(folder / "postgres", free_port(), secrets.token_hex(16), settings=fast)
    watcher = None
    try:
        server.start()
        watcher = subprocess.Popen(
            [sys.executable, "-S", "-c", _WATCHER, str(server.pid())],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        yield server
    finally:
        if watcher is not None:
            watcher.kill()
            watcher.wait()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_database(cluster: PostgresServer) -> Iterator[str]:
    """Superuser address of a fresh, empty database, dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    administer(cluster, f"CREATE DATABASE {quote(name)}")
    try:
        yield cluster.dsn(name)
    finally:
        administer(cluster, f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)")


@pytest.fixture(scope="session")
def object_settings() -> Iterator[ObjectSettings]:
    """Address of an S3 endpoint (moto's server, in a thread of this process)."""
    from moto.server import ThreadedMotoServer

    serve_at_less_cost()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line per request, each with a key
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield ObjectSettings(f"http://{host}:{port}", "test", "test-secret", "eu-west-2")
    finally:
        server.stop()


@pytest.fixture
def objects(object_settings: ObjectSettings) -> ObjectStore:
    """An object store without any bucket."""
    _reset(object_settings)
    return ObjectStore(object_settings)


def _reset(object_settings: ObjectSettings) -> None:
    reset = urllib.request.Request(f"{object_settings.endpoint_url}/moto-api/reset", method="POST")  # ruff: ignore[S310]
    with urllib.request.urlopen(reset, timeout=30):  # ruff: ignore[S310]
        pass


@dataclass(frozen=True)
class Sandbox:
    """A small publisher of one test: its settings (all duties), and ways in for whoever checks the outcome."""

    settings: Settings
    dsn: str  # superuser, the publisher's database
    truth_dsn: str  # superuser, what was planted
    anchor: date


@dataclass(frozen=True)
class _Template:
    database: str
    truth: str
    passwords: dict[str, str]
    objects: list[tuple[str, str, bytes]]  # every version, oldest first
    anchor: date


# Fixed, so that a test which fails today fails tomorrow; dates of birth are relative to it.
ANCHOR = date(2026, 11, 20)
SMALL = 300


@pytest.fixture(scope="session")
def _empty_template(cluster: PostgresServer) -> tuple[str, dict[str, str]]:
    """Database of a publisher with nobody in it, and the duties' passwords."""
    from sandbox import provision

    passwords = {duty: secrets.token_hex(12) for duty in DUTIES}
    provision.create_database(cluster, "template_empty")
    provision.create_publisher(cluster, "template_empty", passwords)
    block_list.renew(cluster.dsn("template_empty"))
    return "template_empty", passwords


@pytest.fixture(scope="session")
def _template(
    cluster: PostgresServer, object_settings: ObjectSettings, _empty_template: tuple[str, dict[str, str]]
) -> _Template:
    from sandbox import provision
    from sandbox.publisher.objects import BUCKETS

    _reset(object_settings)
    empty, passwords = _empty_template
    provision.create_database(cluster, "template_publisher", template=empty)
    provision.create_database(cluster, "template_truth")
    made = provision.Publisher(SMALL, 7, ANCHOR, events_per_person=5)
    provision.fill(cluster, "template_publisher", "template_truth", object_settings, made)
    store = ObjectStore(object_settings)
    held = []
    for bucket in BUCKETS:
        # Listed newest first within a key.
        for version in reversed(list(store.versions(bucket.name))):
            body = store.client.get_object(Bucket=bucket.name, Key=version.key, VersionId=version.version_id)
            held.append((bucket.name, version.key, body["Body"].read()))
    return _Template("template_publisher", "template_truth", passwords, held, ANCHOR)


@pytest.fixture
def publisher(cluster: PostgresServer, object_settings: ObjectSettings, _template: _Template) -> Iterator[Sandbox]:
    """A filled publisher for this test alone: databases cloned, buckets and objects put anew, gov empty."""
    from sandbox import provision
    from sandbox.publisher.objects import create_buckets

    name = f"publisher_{secrets.token_hex(6)}"
    truth = f"{name}_truth"
    try:
        provision.create_database(cluster, name, template=_template.database)
        provision.create_database(cluster, truth, template=_template.truth)
        _let_in(cluster, name, _template.passwords)
        _reset(object_settings)
        create_buckets(object_settings)
        store = ObjectStore(object_settings)
        for bucket, key, body in _template.objects:
            store.put(bucket, key, body)
        yield Sandbox(
            _settings(cluster, name, _template.passwords, object_settings),
            cluster.dsn(name),
            cluster.dsn(truth),
            _template.anchor,
        )
    finally:
        provision.drop_database(cluster, name)
        provision.drop_database(cluster, truth)


@pytest.fixture
def publisher_database(publisher: Sandbox) -> Settings:
    """Settings of a filled publisher for this test alone."""
    return publisher.settings


@pytest.fixture
def settings(
    cluster: PostgresServer,
    object_settings: ObjectSettings,
    objects: ObjectStore,
    _empty_template: tuple[str, dict[str, str]],
) -> Iterator[Settings]:
    """Settings of an empty publisher: schema, gov, roles, grants and buckets, but nobody in it."""
    from sandbox import provision
    from sandbox.publisher.objects import create_buckets

    name = f"empty_{secrets.token_hex(6)}"
    template, passwords = _empty_template
    try:
        provision.create_database(cluster, name, template=template)
        _let_in(cluster, name, passwords)
        create_buckets(object_settings)
        yield _settings(cluster, name, passwords, object_settings)
    finally:
        provision.drop_database(cluster, name)


@pytest.fixture
def owner_dsn(cluster: PostgresServer, settings: Settings) -> str:
    """The database of ``settings`` as its owner sees it."""
    return cluster.dsn(make_url(settings.dsn("erase")).database)


def _let_in(cluster: PostgresServer, database: str, passwords: dict[str, str]) -> None:
    """Rights on a database are not cloned with it, those on its tables are; passwords belong to the whole server."""
    roles.apply(cluster.dsn(database), {duty: passwords[duty] for duty in DUTIES})


def _settings(
    cluster: PostgresServer, database: str, passwords: dict[str, str], object_settings: ObjectSettings
) -> Settings:
    hmac = {purpose: {"k1": secrets.token_bytes(32)} for purpose in KEY_PURPOSES}
    return Settings(
        home=home_directory(),
        dsns={duty: cluster.dsn(database, f"privacy_{duty}", passwords[duty]) for duty in DUTIES},
        objects=object_settings,
        keys=KeyRing(
            hmac=hmac,
            current=dict.fromkeys(KEY_PURPOSES, "k1"),
            signing_key_pem=new_signing_key().encode(),
        ),
    )


# A worker that begins one of these last keeps everybody waiting. Dearest first.
_LONGEST = (
    "test_whole_runs.py",
    "test_usage_release.py",
    "test_delivery.py",
    "test_erasure_safety.py",
    "test_transfer_inventory.py",
    "test_usage_drawing.py",
    "test_crash_night.py",
    "test_erasure_restore.py",
    "test_usage_corrections.py",
    "test_demo_oulad.py",
    "test_mark_success.py",
)
_TURN = {name: turn for turn, name in enumerate(_LONGEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, everything else as it was collected."""
    items.sort(key=lambda item: _TURN.get(item.path.name, len(_TURN)))
