"""The embedded server: loopback only, password required, and no committed row lost by ``kill -9``."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, exc, text
from sqlalchemy.pool import NullPool

from sandbox import postgres
from sandbox.postgres import PortTaken, PostgresServer, free_port, port_is_free


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A durable server of its own, in a folder with blanks that other users cannot enter."""
    folder = tmp_path_factory.mktemp("a folder with blanks")
    one = PostgresServer(folder / "my server", free_port(), secrets.token_hex(8))
    try:
        yield one
    finally:
        one.remove()


def _scalar(dsn: str, statement: str) -> object:
    with create_engine(dsn, poolclass=NullPool).begin() as connection:
        result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


def test_it_is_version_18_with_our_settings(cluster: PostgresServer) -> None:
    assert str(_scalar(cluster.dsn(), "SHOW server_version")).startswith("18.")
    assert _scalar(cluster.dsn(), "SHOW wal_compression") == "off"
    assert _scalar(cluster.dsn(), "SHOW max_connections") == "200"
    assert _scalar(cluster.dsn(), "SHOW listen_addresses") == "127.0.0.1"


def test_a_wrong_password_is_refused(cluster: PostgresServer) -> None:
    with pytest.raises(exc.OperationalError, match="password authentication failed"):
        _scalar(cluster.dsn(password="wrong"), "SELECT 1")


def test_a_fresh_database_is_empty(empty_database: str) -> None:
    assert _scalar(empty_database, "SELECT count(*) FROM pg_stat_user_tables") == 0, (
        "a fresh database must hold no table"
    )


def test_kill_9_loses_no_committed_row_and_a_start_recovers(server: PostgresServer) -> None:
    server.start()
    _scalar(server.dsn(), "CREATE TABLE kept (n int)")
    _scalar(server.dsn(), "INSERT INTO kept SELECT generate_series(1, 1000)")
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    for _ in range(100):
        if server.pid() is None:
            break
        time.sleep(0.05)
    assert not server.is_running()

    server.start()

    assert server.pid() != pid
    assert _scalar(server.dsn(), "SELECT count(*) FROM kept") == 1000


def test_a_stale_lock_that_names_a_stranger_does_not_stop_the_start(server: PostgresServer) -> None:
    server.start()
    server.stop()
    lock = server.data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{server.data}\n1\n{server.port}\n\n127.0.0.1\n\nready   \n")
    assert not server.is_running()
    server.start()
    assert server.is_running()


def test_start_and_stop_can_be_said_twice(server: PostgresServer) -> None:
    server.start()
    pid = server.pid()
    server.start()
    assert server.pid() == pid
    server.stop()
    server.stop()
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_an_interrupted_initialisation_is_made_anew(server: PostgresServer) -> None:
    server.initialise()
    half = server.home / "data.new"
    server.data.rename(half)
    server.start()
    assert server.is_running()
    assert not half.exists()


def test_another_handle_finds_the_running_server_and_its_port(server: PostgresServer) -> None:
    server.start()
    other = PostgresServer(server.directory, 1, server.password)
    assert other.is_running()
    assert other.port == server.port


def test_a_port_that_is_taken_is_named(server: PostgresServer) -> None:
    with socket.create_server(("127.0.0.1", server.port)), pytest.raises(PortTaken, match=str(server.port)):
        server.start()


def test_free_port_steps_over_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not port_is_free(port)
        assert free_port(port) != port


def test_the_data_folder_is_private(server: PostgresServer) -> None:
    server.initialise()
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_root_keeps_data_outside_a_folder_that_others_cannot_enter(server: PostgresServer, tmp_path: Path) -> None:
    server.initialise()
    assert server.home != server.directory, "the folder of pytest is 0700, so a stand-in is needed"
    home = server.home
    assert home.exists()
    server.remove()
    assert not home.exists()
    assert not server.directory.exists()


def test_another_major_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "MAJOR", "")  # the wheel's other folder holds version 16
    with pytest.raises(postgres.PostgresError, match="16"):
        postgres.find_binaries()
