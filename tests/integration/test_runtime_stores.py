"""The runtime's stores belong together, survive a crash of the database, and go without a trace."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from privacy_ops.errors import ConfigError
from privacy_ops.settings import DUTIES, from_environment
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from rich.console import Console
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from sandbox import runtime as runtime_module
from sandbox.postgres import PortTaken
from sandbox.processes import MARK
from sandbox.runtime import Runtime

PEOPLE = 200


@pytest.fixture(scope="module")
def var() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="privacy-ops runtime "))
    folder.chmod(0o755)
    yield folder / "var"
    Runtime(folder / "var", Console(file=io.StringIO())).down()
    shutil.rmtree(folder, ignore_errors=True)


def up(var: Path) -> tuple[Runtime, str]:
    """Bring it up as a new `make up` would; returns it and what it said."""
    said = io.StringIO()
    runtime = Runtime(var, Console(file=said, width=200))
    runtime.up(PEOPLE, with_airflow=False)
    return runtime, said.getvalue()


def count(runtime: Runtime, table: str = "core.user_account") -> int:
    with create_engine(runtime.server.dsn("publisher"), poolclass=NullPool).begin() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_life_of_the_stores(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One story, because each start costs seconds: up, up, crash of one, crash of the other, down."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        monkeypatch.setitem(runtime_module.PREFERRED_PORTS, "postgres", taken)
        runtime, said = up(var)
        assert f"port {taken} is taken, using {runtime.server.port}" in said
    people = count(runtime)
    assert people >= PEOPLE
    assert set(ObjectStore(runtime.object_settings).buckets()) >= {"imp-exports", "imp-evidence"}

    # Every duty gets in with what `runtime env` prints, and secrets are for the owner alone.
    settings = from_environment(runtime.project_environment())
    for duty in DUTIES:
        with Database.for_duty(settings, duty).transaction() as connection:
            assert connection.execute(text("SELECT current_user")).scalar_one() == f"privacy_{duty}"
    for private in (var / "runtime.json", *(var / "keys").iterdir()):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600, private.name

    # No secret stands among the arguments of what was started: anybody can list processes.
    members = runtime.processes.members()
    lines = ["\0".join(process.cmdline()) for process in members]
    assert len(lines) >= 3
    secret = [
        *runtime.state.passwords.values(),
        *(v for ring in settings.keys.hmac.values() for v in map(bytes.hex, ring.values())),
    ]
    assert not [line for line in lines if any(word in line for word in secret)]

    # A second start changes nothing.
    with create_engine(runtime.server.dsn("publisher"), poolclass=NullPool).begin() as connection:
        connection.execute(text("CREATE TABLE public.mark_of_this_filling ()"))
    pids = runtime.server.pid(), runtime.processes.pid("objects")
    again, _ = up(var)
    assert (again.server.pid(), again.processes.pid("objects")) == pids

    # The database dies and recovers, with every row.
    kill(runtime.server.pid())
    again, said = up(var)
    assert count(again) == people
    assert count(again, "public.mark_of_this_filling") == 0
    assert "made anew" not in said

    # The object store dies: it keeps nothing, so both are made anew, and that is said.
    kill(again.processes.pid("objects"))
    anew, said = up(var)
    assert "database and object store are made anew" in said
    with create_engine(anew.server.dsn("publisher"), poolclass=NullPool).begin() as connection:
        assert connection.execute(text("SELECT to_regclass('public.mark_of_this_filling')")).scalar_one() is None
    assert count(anew) == people

    # Nothing is left after down.
    home = anew.server.home
    assert anew.down() == 0
    assert not home.joinpath("data").exists()
    assert not [p for p in psutil.process_iter() if _marked(p, str(var.resolve()))]
    assert anew.down() == 0, "down can be said twice"


def _marked(process: psutil.Process, var: str) -> bool:
    try:
        return process.environ().get(MARK) == var
    except (psutil.Error, OSError):
        return False


def test_too_few_people_are_refused_before_anything_starts(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path / "var", Console(file=io.StringIO()))
    with pytest.raises(ConfigError, match="too few"):
        runtime.up(3)
    assert not any(runtime.status().values())


def test_a_program_that_ends_between_two_looks_may_still_say_that_its_port_was_taken(tmp_path: Path) -> None:
    """Two runtimes that start at once: the slower one moves on to the next port, on a busy machine too."""
    looks = iter([False])

    def ready() -> bool:
        for look in looks:
            return look
        raise PortTaken("port 8080 is in use by another program")

    with pytest.raises(PortTaken):
        Runtime(tmp_path)._wait_for(ready, "api-server", "the api-server")


def test_an_interrupted_filling_is_begun_anew(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: object, **_named: object) -> dict[str, int]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runtime_module.provision, "fill", interrupt)
        with pytest.raises(KeyboardInterrupt):
            up(var)
    runtime, said = up(var)
    assert "did not finish: beginning anew" in said
    assert count(runtime) >= PEOPLE
    assert runtime.down() == 0
