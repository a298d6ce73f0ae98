"""What tests of every kind share: one embedded PostgreSQL and one S3 endpoint per session.

Nothing starts before a test asks for it, and everything ends with the session: by fixture, on SIGTERM, and
by a watcher process when pytest itself is killed.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.database import quote
from privacy_ops.stores.objects import ObjectStore
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer, free_port

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
    reset = urllib.request.Request(f"{object_settings.endpoint_url}/moto-api/reset", method="POST")  # ruff: ignore[S310]
    with urllib.request.urlopen(reset, timeout=30):  # ruff: ignore[S310]
        pass
    return ObjectStore(object_settings)
