"""The embedded runtime: PostgreSQL, an S3 endpoint, the filled publisher and Airflow, up and down again.

python -m sandbox.runtime up [--people N] | down | status | env
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
from privacy_ops.errors import ConfigError, PrivacyOpsError
from privacy_ops.settings import DUTIES, KeyRing, ObjectSettings, parse_keys
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandbox import airflow, objects, processors, provision
from sandbox.airflow import AirflowError
from sandbox.airflow_api import AirflowApi, ApiError
from sandbox.objects import ObjectsError
from sandbox.postgres import PortTaken, PostgresError, PostgresServer, free_port, port_is_free
from sandbox.processes import MARK, Processes
from sandbox.processors import ProcessorsError
from sandbox.provision import SEED, Publisher
from sandbox.publisher import flows, generate, geoip
from sandbox.publisher.schema import today_in_london
from sandbox.state import PEOPLE, PREFERRED_PORTS, PROJECT, State, keys

VAR = PROJECT / "var"
DEFAULT_PEOPLE = 20_000
POOL = "privacy_destructive"

# Who listens on which port, to know whether a saved port is taken by us.
LISTENERS = {
    "objects": objects.PROCESS,
    "processors": processors.PROCESS,
    "airflow": airflow.API,
    "scheduler_health": airflow.SCHEDULER,
    "worker_logs": airflow.SCHEDULER,
    "trigger_logs": airflow.TRIGGERER,
}

FAILURES = (PostgresError, ObjectsError, ProcessorsError, AirflowError, ApiError, PrivacyOpsError, TimeoutError)


class Runtime:
    """One runtime in the folder ``var``. ``say`` is where progress is shown."""

    def __init__(self, var: Path = VAR, console: Console | None = None) -> None:
        self.var = var.resolve()
        self.console = console or Console(highlight=False)
        self.processes = Processes(self.var)
        self.state = State.load(self.var)
        self.server = PostgresServer(
            self.var / "postgres",
            self.state.ports.get("postgres", 0),
            self.state.passwords["postgres"],
            environ={MARK: self.processes.mark},
        )

    # ---- addresses, for whoever works on top

    @property
    def object_settings(self) -> ObjectSettings:
        return objects.settings(self.state.ports["objects"], self.state.passwords["objects"])

    def api(self, person: str = "lena") -> AirflowApi:
        """Airflow's REST API as one of the made-up people."""
        return AirflowApi(self.state.url, person, self.state.passwords[f"ui_{person}"])

    def project_environment(self, database: str = provision.PUBLISHER) -> dict[str, str]:
        """PRIVACY_OPS_* for ``python -m privacy_ops`` and ``settings.from_environment``."""
        return airflow.project_environment(self.state, self.object_settings, database)

    @property
    def publisher(self) -> Publisher:
        """What the databases were filled with. Raises PostgresError before that."""
        if self.state.filled is None:
            raise PostgresError("the publisher was not filled yet; run `make up`")
        made = dict(self.state.filled["publisher"])  # type: ignore[call-overload]
        made["anchor"] = type(today_in_london()).fromisoformat(made["anchor"])
        return Publisher(**made)

    # ---- up

    def up(self, people: int = DEFAULT_PEOPLE, *, with_airflow: bool = True) -> None:
        """Start what does not run; create and fill database and object store when they are not. Idempotent.

        Raises one of FAILURES, each saying what to do.
        """
        if people < generate.SMALLEST:
            raise ConfigError(f"{people} people are too few", where="PEOPLE", do=f"ask for {generate.SMALLEST} or more")
        with self._alone():
            began = time.monotonic()
            self._settle_what_is_there()
            self._choose_ports()
            keys(self.var)
            geoip.write(airflow.geoip_file(self.var), datetime.now(UTC))
            airflow.write_passwords(self.state)
            self._start_stores()
            core = None
            fresh = self.state.filled is None
            if fresh:
                provision.create_airflow_database(
                    self.server, self.state.passwords["airflow"], self.state.passwords[provision.AIRFLOW_READER]
                )
            if with_airflow:
                core = _Background(self._start_airflow_core)
            if fresh:
                self._fill(people)
            if core:
                core.join()
                self._start_airflow_rest()
            self._say(f"ready after {time.monotonic() - began:.0f} s")

    def _settle_what_is_there(self) -> None:
        """Database and objects belong together: both as they were filled, or both made anew."""
        if self.state.filled is not None:
            if self.state.filled["objects"] == self._objects_identity() and (self.server.data / "PG_VERSION").exists():
                return
            self._say(
                "[yellow]the object store had stopped, and it keeps nothing on disk: "
                "database and object store are made anew"
            )
        elif self.processes.names() or self.server.directory.exists():
            self._say("[yellow]an earlier start did not finish: beginning anew")
        self._remove_stores()

    def _objects_identity(self) -> list[float] | None:
        pid = self.processes.pid(objects.PROCESS)
        return None if pid is None else [pid, psutil.Process(pid).create_time()]

    def _choose_ports(self) -> None:
        chosen: dict[str, int] = {}
        for name, preferred in PREFERRED_PORTS.items():
            saved = self.state.ports.get(name, preferred)
            ours = (name in LISTENERS and self.processes.is_running(LISTENERS[name])) or (
                name == "postgres" and self.server.is_running()
            )
            if name == "postgres" and ours:
                saved = self.server.port
            chosen[name] = saved if ours else free_port(saved, avoid=frozenset(chosen.values()))
            if chosen[name] != preferred and not ours:
                taken = f"port {preferred} is taken, using" if not port_is_free(preferred) else "using port"
                self._say(f"{name.replace('_', ' ')}: {taken} {chosen[name]}")
        self.state.ports = chosen
        self.server.port = chosen["postgres"]
        self.state.save()

    def _start_stores(self) -> None:
        with self._step("PostgreSQL") as done:
            self._on_free_port("postgres", self._start_postgres)
            done(f"127.0.0.1:{self.server.port}")
        with self._step("S3 endpoint") as done:
            self._on_free_port("objects", self._start_objects)
            done(self.object_settings.endpoint_url or "")
        with self._step("made-up processors") as done:
            self._on_free_port("processors", self._start_processors)
            done(f"127.0.0.1:{self.state.ports['processors']}")

    def _start_postgres(self, port: int) -> None:
        self.server.port = port
        self.server.start()

    def _start_objects(self, port: int) -> None:
        objects.start(self.processes, port, self._environment())

    def _start_processors(self, port: int) -> None:
        processors.start(self.processes, port, self._environment())
        processors.write_registry(self.var, port)

    def _on_free_port(self, name: str, start: Callable[[int], None]) -> None:
        """Start on the chosen port; on the next free one when somebody was faster between our look and the start."""
        for _ in range(10):
            try:
                start(self.state.ports[name])
                return
            except PortTaken:
                others = frozenset(port for other, port in self.state.ports.items() if other != name)
                self.state.ports[name] = free_port(self.state.ports[name] + 1, avoid=others)
                self.state.save()
                self._say(f"{name}: somebody else was faster, using port {self.state.ports[name]}")
        raise PortTaken(f"no port can be had for {name}")

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
        return {**os.environ, "PYTHONPATH": path}

    def _fill(self, people: int) -> None:
        publisher = Publisher(people, SEED, today_in_london())
        with self._step("schemas, roles and grants"):
            for name in (provision.PUBLISHER, provision.GROUND_TRUTH):
                provision.create_database(self.server, name)
            passwords = {duty: self.state.passwords[airflow.role(duty)] for duty in DUTIES}
            ring = KeyRing(*parse_keys(keys(self.var).hmac))
            provision.create_publisher(self.server, provision.PUBLISHER, passwords, ring)
        with self._bar(f"making up {people:,} people", people) as report:
            counts = provision.fill(
                self.server,
                provision.PUBLISHER,
                provision.GROUND_TRUTH,
                self.object_settings,
                publisher,
                report,
            )
        counts["undeclared flows"] = flows.plant(
            self.server.dsn(provision.PUBLISHER),
            self.server.dsn(provision.GROUND_TRUTH),
            self.object_settings,
            seed=SEED,
            now=datetime.now(UTC),
        )
        self._say("publisher: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))
        self.state.filled = {
            "objects": self._objects_identity(),
            "publisher": {**asdict(publisher), "anchor": publisher.anchor.isoformat()},
            "counts": counts,
        }
        self.state.save()

    # ---- airflow

    def airflow_environment(self) -> dict[str, str]:
        """What ``airflow`` needs on the command line."""
        return airflow.environment(self.state, self.object_settings)

    def _start_airflow_core(self) -> None:
        if not self.processes.is_running(airflow.API):
            for program in airflow.PROGRAMS:  # they may know another address of it
                self.processes.stop(program, patience=4)
        if not self.state.migrated:
            airflow.migrate(self.processes, self.airflow_environment())
            self.state.migrated = True
            self.state.save()
        self._on_free_port("airflow", self._start_api)
        airflow.start(self.processes, airflow.DAG_PROCESSOR, self.airflow_environment())

    def _start_api(self, port: int) -> None:
        airflow.start(self.processes, airflow.API, self.airflow_environment())

        def answers() -> bool:
            if not self.processes.is_running(airflow.API) and not port_is_free(port):
                raise PortTaken(f"port {port} is in use by another program")
            return self.api().answers() and self.processes.listens(airflow.API, port)

        self._wait_for(answers, airflow.API, "the api-server")

    def _start_airflow_rest(self) -> None:
        environ = self.airflow_environment()
        api = self.api()
        # Workers that start before the api-server answers fail their tasks.
        with self._step("Airflow") as done:
            airflow.start(self.processes, airflow.SCHEDULER, environ)
            airflow.start(self.processes, airflow.TRIGGERER, environ)
            api.set_pool(POOL, 1, "Steps that destroy data, one at a time")
            for part, program in (
                ("dag_processor", airflow.DAG_PROCESSOR),
                ("scheduler", airflow.SCHEDULER),
                ("triggerer", airflow.TRIGGERER),
            ):
                self._wait_for(partial(_is_healthy, api, part), program, part)
            done(self.state.url)
        with self._step("DAGs") as done:
            expected = len(list((PROJECT / "dags").glob("[!_]*.py")))
            self._wait_for(
                lambda: len(api.dags()) + len(api.import_errors()) >= expected, airflow.DAG_PROCESSOR, "the DAGs"
            )
            done(", ".join(dag["dag_id"] for dag in api.dags()) or "none")
        for error in api.import_errors():
            self._say(f"[red]does not load: {error}")

    def _wait_for(self, ready: Callable[[], bool], program: str, what: str, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.processes.is_running(program):
                ready()  # may know that it ended because its port is taken
                raise AirflowError(f"{what} ended; its log is {self.processes.log(program)}: {self._tail(program)}")
            if time.monotonic() > deadline:
                raise AirflowError(
                    f"{what} was not ready after {seconds:.0f} s; its log is {self.processes.log(program)}"
                )
            time.sleep(0.2)

    def _tail(self, program: str) -> str:
        lines = self.processes.log(program).read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:])

    # ---- down

    def down(self) -> int:
        """End everything and remove the data of both stores; returns how many processes are left over (0)."""
        with self._alone():
            left = self._remove_stores()
            if left:
                self._say(f"[red]{left} processes could not be ended")
            else:
                self._say("everything has ended; database and object store will be made anew")
            return left

    def _remove_stores(self) -> int:
        for program in airflow.PROGRAMS:
            if self.processes.is_running(program):
                self._say(f"ending {program}")
        self.processes.stop_all(first=airflow.PROGRAMS, patience=4, spare=self.server.pid())
        self.server.remove()
        left = self.processes.stop_all()
        shutil.rmtree(self.var / "airflow" / "logs", ignore_errors=True)
        self.state.filled, self.state.migrated = None, False
        self.state.save()
        return left

    # ---- showing

    def show(self) -> None:
        """Who may log in, and where."""
        table = Table(title=f"Airflow: {self.state.url}", title_justify="left", title_style="bold")
        for column in ("user", "password", "role", "who"):
            table.add_column(column)
        for person in PEOPLE:
            table.add_row(person.name, self.state.passwords[f"ui_{person.name}"], person.role, person.duty)
        self.console.print(table)

    def status(self) -> dict[str, bool]:
        """Which parts run."""
        return {
            "postgres": self.server.is_running(),
            **{name: self.processes.is_running(name) for name in (objects.PROCESS, *reversed(airflow.PROGRAMS))},
        }

    def _say(self, message: str) -> None:
        self.console.print(f"[dim]runtime:[/] {message}")

    @contextmanager
    def _step(self, title: str) -> Iterator[Callable[[str], None]]:
        began = time.monotonic()
        detail: list[str] = []
        with self.console.status(f"{title} …"):
            yield detail.append
        self._say(f"[green]✓[/] {title} {' '.join(detail)} [dim]({time.monotonic() - began:.1f} s)")

    @contextmanager
    def _bar(self, title: str, total: int) -> Iterator[Callable[[int, int], None]]:
        columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=total)
            yield lambda done, of: progress.update(task, completed=done, total=of)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One `up` or `down` at a time."""
        with (self.var / "runtime.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say("another `make up` or `make down` is at work; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            # Whoever held the lock before us may have written; what is new is kept from here on.
            self.state = State.load(self.var)
            self.state.save()
            self.server.password = self.state.passwords["postgres"]
            yield


def _is_healthy(api: AirflowApi, part: str) -> bool:
    return api.health().get(part) == "healthy"


class _Background:
    """Runs ``work`` beside us; ``join`` waits and raises what it raised."""

    def __init__(self, work: Callable[..., None], **kwargs: object) -> None:
        self._error: BaseException | None = None

        def run() -> None:
            try:
                work(**kwargs)
            except BaseException as error:  # ruff: ignore[BLE001] raised again by join
                self._error = error

        # A daemon, so that an interrupted `up` ends at once; its programs are found by their pid files.
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when it worked."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.runtime")
    parser.add_argument("--var", type=Path, default=VAR, help="folder of the runtime")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything")
    up.add_argument("--people", type=int, default=int(os.environ.get("PEOPLE") or DEFAULT_PEOPLE))
    up.add_argument("--no-airflow", action="store_true", help="only the stores")
    commands.add_parser("down", help="end everything; the data go")
    commands.add_parser("status", help="what runs")
    commands.add_parser("env", help='settings for a shell: eval "$(python -m sandbox.runtime env)"')
    asked = parser.parse_args(arguments)
    runtime = Runtime(asked.var)
    try:
        if asked.command == "up":
            runtime.up(asked.people, with_airflow=not asked.no_airflow)
            runtime.show()
        elif asked.command == "down":
            return 1 if runtime.down() else 0
        elif asked.command == "status":
            for name, running in runtime.status().items():
                print(f"{name:15} {'running' if running else '-'}")
        else:
            for name, value in runtime.project_environment().items():
                print(f"export {name}={shlex.quote(value)}")
    except FAILURES as error:
        print(f"runtime: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("runtime: interrupted; `make down` ends what was started", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
