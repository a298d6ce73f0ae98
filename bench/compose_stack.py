"""docker-compose.yaml carried out without Docker: the same commands with the same environment, as local processes.

A real Redis, PostgreSQL and the S3 endpoint of the sandbox, two Celery workers; a whole night of minor_data_deletion
through CeleryExecutor under FAB's roles, one worker killed (SIGKILL) while it runs a task. What differs from Docker is
in ``LOCAL``: hosts are loopback, ports and folders are this machine's, and each worker is given a name.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml
from privacy_ops.operations.figures import METRICS
from privacy_ops.settings import DUTIES

from bench import listeners, overhead
from sandbox import demo, facts, processors
from sandbox.airflow import DATABASE, geoip_file
from sandbox.airflow_api import AirflowApi, DagRun
from sandbox.demo import DELETION, Demo
from sandbox.postgres import HOST, find_binaries, free_port
from sandbox.provision import PUBLISHER
from sandbox.publisher import oracle
from sandbox.publisher.database import connect
from sandbox.runtime import Runtime
from sandbox.state import PROJECT, keys

# Name, role in FAB: the people who act in the night.
PEOPLE = (
    ("emil", "Privacy engineer"),
    ("rosa", "Privacy reviewer"),
    ("ravi", "Privacy reviewer"),
    ("lena", "Privacy lead"),
)
AIRFLOW_SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer")
WORKERS = ("worker-1", "worker-2")
KILLED_IN = ("detect_and_restrict", "plan", "erase_database", "erase_objects", "verify")
# The inventory first: nothing leaves while no block list is set. It ends in a question that may stay open.
REST_OF_THE_NIGHT = ("transfer_inventory_check", "erasure_propagation", "erasure_verification", "watchkeeper")
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")

# ``read_only`` with the memory that the file allows: /tmp, where the homes and logs of this run are, and nothing else.
_READ_ONLY = (
    "unshare", "--mount", "sh", "-c",
    'mount --make-rprivate / && mount --bind /tmp /tmp && mount -o remount,ro,bind / && exec "$@"', "sh",
)  # fmt: skip

_NOT_STARTED = """
UPDATE gov.run SET as_of = as_of - interval '2 days'
WHERE dag_id = 'minor_data_deletion' AND run_type = 'scheduled'
"""
_NOT_ENDED = """
INSERT INTO gov.run
SELECT (jsonb_populate_record(r, jsonb_build_object(
    'run_id', format('erasure_verification/scheduled__2026-01-0%s', n), 'state', 'open', 'closed_at', NULL,
    'as_of', now() - interval '6 hours'))).*
FROM gov.run AS r, generate_series(1, 3) AS n
WHERE r.run_id = (SELECT min(run_id) FROM gov.run WHERE dag_id = 'erasure_verification')
"""
_BLOCKED = """
SELECT g.gate, c ->> 'id' FROM gov.gate_result AS g, jsonb_array_elements(g.checks) AS c
WHERE g.verdict = 'block' AND NOT (c ->> 'success')::boolean
"""
# One message for the run that never began, and one digest for the three that never ended; each once.
LATE = [
    "[privacy operations] erasure_verification did not finish in time (3 times)",
    "[privacy operations] minor_data_deletion did not start in time",
]

_USERS = """
import json, os
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
with get_application_builder() as builder:
    for name, role, word in json.loads(os.environ["PEOPLE_OF_THE_NIGHT"]):
        made = builder.sm.add_user(name, name, "made-up", name + "@example.org", builder.sm.find_role(role), word)
        assert made, name
"""


class CannotProve(Exception):
    """Something of the system is missing."""


@dataclass
class Found:
    """What the night came to."""

    run: DagRun
    rest: dict[str, str]
    minors: dict[str, Any]
    killed: str
    killed_in: str
    retried: dict[str, int]
    health: dict[str, bool]
    read_only: bool
    shown_secrets: list[str]
    kept_secrets: list[str]
    messages: list[str]
    mails: list[tuple[str, str]]
    metrics: dict[str, float]
    overhead: list[overhead.Share]
    seconds: float
    failures: list[str] = field(default_factory=list)


def interpolate(text: str, values: Mapping[str, str]) -> str:
    """A value of a Compose file as Compose reads it. Raises KeyError for a required variable that is not set."""

    def one(match: re.Match[str]) -> str:
        name, how, rest = match.groups()
        if name is None:
            return "$"
        value = values.get(name, "")
        if value or how is None:
            return value
        if how == "?":
            raise KeyError(f"{name}: {rest}")
        return rest

    return _VARIABLE.sub(one, text)


@dataclass
class Stack:
    """The services of docker-compose.yaml on loopback. ``runtime`` has the stores up."""

    runtime: Runtime
    ports: dict[str, int]
    values: dict[str, str]

    @classmethod
    def on(cls, runtime: Runtime) -> Stack:
        taken: set[int] = set(runtime.state.ports.values())
        ports: dict[str, int] = {}
        for name in ("api-server", "redis", "health", "triggerer", *WORKERS):
            ports[name] = free_port(avoid=frozenset(taken))
            taken.add(ports[name])
        held, words, objects = keys(runtime.var), runtime.state.passwords, runtime.object_settings
        store = {
            "conn_type": "aws", "login": objects.access_key, "password": objects.secret_key,
            "extra": {"endpoint_url": objects.endpoint_url, "region_name": objects.region},
        }  # fmt: skip
        values = {
            "AIRFLOW_BASE_URL": f"http://{HOST}:{ports['api-server']}",
            "AIRFLOW_FERNET_KEY": held.fernet,
            "AIRFLOW_API_SECRET": held.api_secret,
            "AIRFLOW_JWT_SECRET": held.jwt,
            "POSTGRES_PASSWORD": words["postgres"],
            "AIRFLOW_DB_PASSWORD": words["airflow"],
            "AIRFLOW_READER_DB_PASSWORD": words["airflow_reader"],
            "REDIS_PASSWORD": secrets.token_hex(16),
            "S3_ACCESS_KEY": objects.access_key or "",
            "S3_SECRET_KEY": objects.secret_key or "",
            "PRIVACY_OPS_HMAC_KEYS": held.hmac,
            "PRIVACY_OPS_SIGNING_KEY_PATH": str(held.signing_key_file),
            "CONN_OBJECTS": json.dumps(store),
            "PRIVACY_OPS_GEOIP": str(geoip_file(runtime.var)),
            "PRIVACY_OPS_DOWNSTREAM_REGISTRY": str(processors.registry(runtime.var)),
            **{f"{duty.upper()}_DB_PASSWORD": words[f"privacy_{duty}"] for duty in DUTIES},
        }  # fmt: skip
        return cls(runtime, ports, values)

    @property
    def services(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text(encoding="utf-8"))[
            "services"
        ]
        return found

    def local(self, text: str) -> str:
        """LOCAL: hosts, ports and folders of this machine in the place of the containers'."""
        for there, here in (
            ("@postgres:5432", f"@{HOST}:{self.runtime.state.ports['postgres']}"),
            ("@redis:6379", f"@{HOST}:{self.ports['redis']}"),
            ("http://api-server:8080", f"http://{HOST}:{self.ports['api-server']}"),
            ("localhost:8080", f"{HOST}:{self.ports['api-server']}"),
            ("localhost:8974", f"{HOST}:{self.ports['health']}"),
            ("/opt/airflow/project", str(PROJECT)),
            ("/run/secrets/signing_key", self.values["PRIVACY_OPS_SIGNING_KEY_PATH"]),
        ):
            text = text.replace(there, here)
        return text

    def environment(self, service: str, name: str = "") -> dict[str, str]:
        """The environment of a service, and what this machine needs besides."""
        name = name or service
        given = {k: str(v) for k, v in self.services[service]["environment"].items()}
        resolved = {k: self.local(interpolate(v, self.values)) for k, v in given.items()}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PRIVACY_OPS", "PYTHON"))}
        home = self.runtime.var / "compose" / name
        home.mkdir(parents=True, exist_ok=True)
        here = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(find_binaries()), kept.get("PATH", "")]),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.runtime.var / "compose" / "logs"),
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(self.ports["api-server"]),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.ports["health"]),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(self.ports["triggerer"]),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self.ports.get(name, 0) or self.ports[WORKERS[0]]),
            "HOSTNAME": socket.gethostname(),  # as a shell in a container has it
            "NO_PROXY": f"localhost,{HOST}",
            "no_proxy": f"localhost,{HOST}",
            "PGHOST": HOST,
            "PGPORT": str(self.runtime.state.ports["postgres"]),
            "REDIS_PORT": str(self.ports["redis"]),
        }
        return {**kept, **resolved, **here}

    def tell(self, *, chat: int, mail: int, metrics: int) -> None:
        """Where those listen who are told: ports on loopback."""
        webhook = {"conn_type": "http", "schema": "http", "host": HOST, "port": chat, "password": secrets.token_hex(8)}
        smtp = {
            "conn_type": "smtp", "host": HOST, "port": mail,
            "extra": {"from_email": "jobs@example.org", "disable_tls": True, "disable_ssl": True},
        }  # fmt: skip
        self.values |= {
            "CONN_WEBHOOK": json.dumps(webhook),
            "CONN_SMTP": json.dumps(smtp),
            "PRIVACY_OPS_ALERT_MAIL": "operators@example.org",
            "OTEL_ON": "true",
            "OTEL_ENDPOINT": f"http://{HOST}:{metrics}",
        }

    def start_redis(self) -> None:
        """The command of the service, on a port of this machine."""
        shell = [interpolate(str(part), self.values) for part in self.services["redis"]["command"]]
        shell[-1] += f" --port {self.ports['redis']} --bind {HOST}"
        self.runtime.processes.start("redis", shell, environ=self.environment("redis"))
        _wait(lambda: _listens(self.ports["redis"]), "redis", 30)

    def initialise(self) -> None:
        """The one-shot migration: its script as it stands. Raises RuntimeError with the end of its log."""
        service = self.services["airflow-init"]
        script = self.local(interpolate(service["command"][0], self.values))
        code = self.runtime.processes.run(
            "airflow-init", [*service["entrypoint"], script], environ=self.environment("airflow-init"), seconds=900
        )
        if code:
            raise RuntimeError(f"airflow-init ended with {code}: {self._tail('airflow-init')}")

    def make_people(self) -> None:
        """Made-up people with the roles of docs/roles.md; their passwords go by the environment."""
        words = self.runtime.state.passwords
        wanted = json.dumps([(name, role, words[f"ui_{name}"]) for name, role in PEOPLE])
        code = self.runtime.processes.run(
            "people",
            [sys.executable, "-c", _USERS],
            environ=self.environment("airflow-init") | {"PEOPLE_OF_THE_NIGHT": wanted},
            seconds=300,
        )
        if code:
            raise RuntimeError(f"users could not be made: {self._tail('people')}")

    def start(self, service: str, name: str = "") -> None:
        """A service of Airflow, by its command, as the image's entrypoint runs it."""
        name = name or service
        command = ["airflow", *shlex.split(self.services[service]["command"])]
        if name in WORKERS:  # containers have host names of their own
            command += ["--celery-hostname", f"{name}@%h"]
        if self.services[service].get("read_only") and self.can_be_read_only():
            command = [*_READ_ONLY, *command]
        self.runtime.processes.start(name, command, environ=self.environment(service, name), cwd=PROJECT)

    def can_be_read_only(self) -> bool:
        """Whether this machine lets us, and the run's folder would stay writable: as root on Linux, below /tmp."""
        if not self.runtime.var.is_relative_to("/tmp") or not shutil.which("unshare"):  # noqa: S108
            return False
        tried = subprocess.run([*_READ_ONLY, "touch", str(PROJECT / ".written")], capture_output=True, check=False)
        return b"Read-only" in tried.stderr

    def is_healthy(self, service: str, name: str = "") -> bool:
        """The health check of the service, as it stands."""
        kind, *command = (
            self.local(interpolate(str(p), self.values)) for p in self.services[service]["healthcheck"]["test"]
        )
        if kind == "CMD-SHELL":
            command = ["sh", "-c", command[0]]
        if service == "worker":
            command[-1] = command[-1].replace("celery@${HOSTNAME}", f"{name}@$(hostname)")
        if service == "redis":
            command[-1] = command[-1].replace("redis-cli", "redis-cli -p $REDIS_PORT")
        done = subprocess.run(
            command, env=self.environment(service, name), capture_output=True, timeout=180, check=False, cwd=PROJECT
        )
        return done.returncode == 0

    def api(self, person: str) -> AirflowApi:
        word = self.runtime.state.passwords[f"ui_{person}"]
        return AirflowApi(f"http://{HOST}:{self.ports['api-server']}", person, word)

    def _tail(self, name: str) -> str:
        lines = self.runtime.processes.log(name).read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-5:])

    def busy(self) -> str | None:
        """A worker that runs a task now: it has a process with a task's supervisor among its own."""
        for name in WORKERS:
            log = self.runtime.processes.log(name)
            text = log.read_text(errors="replace") if log.exists() else ""
            if text.count("] received") > text.count("] succeeded") + text.count("raised unexpected"):
                return name
        return None

    def kill(self, name: str) -> int:
        """SIGKILL for a worker and all that it started, as when its container dies; returns how many processes."""
        members = self.runtime.processes.members(name=name)
        for process in members:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        return len(members)

    def known_secrets(self) -> dict[str, str]:
        """Every secret of this stack by name, the HMAC keys one by one."""
        found = {
            name: value
            for name, value in self.values.items()
            if name.endswith(("PASSWORD", "SECRET", "FERNET_KEY", "S3_SECRET_KEY")) and len(value) >= 12
        }
        ring = json.loads(self.values["PRIVACY_OPS_HMAC_KEYS"])
        found |= {f"HMAC {p}/{k}": v for p, entry in ring.items() for k, v in entry["keys"].items()}
        found |= {f"password of {name}": self.runtime.state.passwords[f"ui_{name}"] for name, _ in PEOPLE}
        pem = Path(self.values["PRIVACY_OPS_SIGNING_KEY_PATH"]).read_text(encoding="utf-8").splitlines()
        return found | {"signing key": next(line for line in pem if not line.startswith("-----"))}

    def secrets_kept(self) -> list[str]:
        """Names of secrets that stand in Airflow's database (rendered fields, XCom, logs, everything) or in any log."""
        known, kept = self.known_secrets(), set()
        logs = [*(self.runtime.var / "compose" / "logs").rglob("*.log"), *(self.runtime.var / "logs").glob("*.log")]
        assert len(logs) > 20, "there is nothing to look at"
        for path in logs:
            text = path.read_text(errors="replace")
            kept |= {f"{name} ({path.name})" for name, value in known.items() if value in text}
        with connect(self.runtime.server.dsn(DATABASE)) as connection:
            tables = connection.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            assert len(tables) > 30
            for (table,) in tables:
                text = "\n".join(row for (row,) in connection.execute(f"SELECT t::text FROM {table} AS t").fetchall())
                kept |= {f"{name} (table {table})" for name, value in known.items() if value in text}
        return sorted(kept)

    def secrets_in_process_list(self) -> list[str]:
        """Names of secrets that stand among the arguments of any process of this stack. [] is what must be."""
        known = self.known_secrets()
        shown = set()
        members = self.runtime.processes.members()
        assert len(members) > 8, "there is nothing to look at"
        for process in members:
            try:
                line = "\0".join(process.cmdline())
            except psutil.Error:
                continue
            shown |= {name for name, value in known.items() if value in line}
        return sorted(shown)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _wait(ready: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not ready after {seconds:.0f} s")
        time.sleep(0.5)


@dataclass
class Night(Demo):
    """The demo's way to run a job and answer its questions, as FAB's people, with a worker that dies."""

    stack: Stack | None = None
    killed: str = ""
    killed_in: str = ""
    noticed: bool = False

    def api(self, person: str) -> AirflowApi:
        assert self.stack is not None
        return self.stack.api(person)

    def _show(self, task: str, state: str) -> None:
        super()._show(task, state)
        self.noticed = self.noticed or (task == self.killed_in and state == "up_for_retry")
        if task == self.killed_in and state == "success" and not self.noticed:
            # The task had ended a moment before its worker died, which shows nothing: again with the next one.
            assert self.stack is not None
            self.stack.start("worker", self.killed)
            self.killed = self.killed_in = ""
        if state == "running" and task in KILLED_IN and not self.killed:
            assert self.stack is not None
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not (busy := self.stack.busy()):
                time.sleep(0.05)
            if busy := self.stack.busy():
                count = self.stack.kill(busy)
                self.killed, self.killed_in = busy, task
                self.say(f"    killed {busy} ({count} processes) while it ran {task}")


@contextmanager
def stores(people: int, var: Path | None) -> Iterator[Runtime]:
    """PostgreSQL, the S3 endpoint and the processors with a small publisher, removed afterwards."""
    folder = var or Path(tempfile.mkdtemp(prefix="privacy-ops-compose-"))
    folder.chmod(0o755)
    runtime = Runtime(folder)
    try:
        runtime.up(people, with_airflow=False)
        yield runtime
    finally:
        runtime.processes.stop_all(first=(*WORKERS, *AIRFLOW_SERVICES, "redis"), patience=8, spare=runtime.server.pid())
        runtime.down()
        if var is None:
            shutil.rmtree(folder, ignore_errors=True)


def prove(people: int, say: Callable[[str], None], var: Path | None = None) -> Found:
    """Carry the night through. Raises CannotProve when Redis is missing."""
    if not shutil.which("redis-server"):
        raise CannotProve("redis-server is missing (apt-get install redis-server)")
    began = time.monotonic()
    with (
        stores(people, var) as runtime,
        listeners.chat() as (chat, texts),
        listeners.mailbox() as (post, mails),
        listeners.collector() as (otlp, metrics),
    ):
        stack = Stack.on(runtime)
        stack.tell(chat=chat, mail=post, metrics=otlp)
        number = demo.prepare(runtime)
        stack.start_redis()
        say("airflow-init")
        stack.initialise()
        stack.make_people()
        stack.start("api-server")
        say("api-server")
        _wait(lambda: stack.is_healthy("api-server"), "api-server", 300)
        for service in AIRFLOW_SERVICES[1:]:
            stack.start(service)
        for worker in WORKERS:
            stack.start("worker", worker)
        say("scheduler, dag-processor, triggerer, two workers")
        _wait(lambda: DELETION in {d["dag_id"] for d in stack.api("emil").dags()}, "the DAGs", 600)
        health: dict[str, bool] = {
            name: _soon(lambda name=name: stack.is_healthy(name)) for name in ("redis", "postgres", *AIRFLOW_SERVICES)
        }
        health |= {name: _soon(lambda name=name: stack.is_healthy("worker", name)) for name in WORKERS}
        shown = stack.secrets_in_process_list()
        night = Night(runtime, number, stack=stack)
        run = night.run(DELETION, {"dry_run": False}, scheduled=True)
        rest = {dag_id: night.run(dag_id, {"dry_run": False}, scheduled=True).state for dag_id in REST_OF_THE_NIGHT}
        minors = facts.minors(runtime, [run], number)  # before anything is moved in time
        with connect(runtime.server.dsn(PUBLISHER)) as connection:
            night.failures += [f"the gate {gate} was shut by {check}" for gate, check in connection.execute(_BLOCKED)]
        make_late(runtime)
        for _ in range(2):  # the second look tells nothing again
            rest["watchkeeper"] = night.run("watchkeeper", {}, scheduled=False).state
        raw = stack.api("emil").call(
            "GET", f"/dags/{DELETION}/dagRuns/{run.run_id.replace('+', '%2B')}/taskInstances", query={"limit": 100}
        )["task_instances"]
        retried = {task["task_id"]: task["try_number"] for task in raw if task["try_number"] > 1}
        found = Found(
            run, rest, minors, night.killed, night.killed_in, retried, health,
            stack.can_be_read_only(), shown,
            stack.secrets_kept(), texts, mails, metrics, overhead.shares(runtime), time.monotonic() - began,
            list(night.failures),
        )  # fmt: skip
    return judged(found)


def make_late(runtime: Runtime) -> None:
    """As if the scheduler had not started the deletion for two days, and three verifications had never ended."""
    with connect(runtime.server.dsn(PUBLISHER)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(_NOT_STARTED)
        connection.execute(_NOT_ENDED)


def late_mails(found: Found) -> list[str]:
    """Subjects of the mails that tell what is late."""
    return sorted(subject for subject, _ in found.mails if "in time" in subject)


def _soon(check: Callable[[], bool], tries: int = 4) -> bool:
    """Health checks are tried more than once, as Compose does."""
    for _ in range(tries):
        if check():
            return True
        time.sleep(3)
    return False


def _may_end(dag_id: str) -> frozenset[str]:
    """States in which a run is good; the inventory's sign-off is left open."""
    return frozenset({"success", "running"} if dag_id == "transfer_inventory_check" else {"success"})


def judged(found: Found) -> Found:
    """Add what is not as it must be."""
    minors, wrong = found.minors, found.failures
    if found.run.state != "success":
        wrong.append(f"the run ended {found.run.state}")
    wrong += [f"{dag_id} ended {state}" for dag_id, state in found.rest.items() if state not in _may_end(dag_id)]
    if not found.killed:
        wrong.append("no worker was killed while it ran a task, so nothing is proven about that")
    elif found.killed_in not in found.retried:
        wrong.append(f"the task {found.killed_in}, whose worker was killed, was not run again")
    if not minors["planted_confirmed"] or minors["detected"] != minors["planted_confirmed"]:
        wrong.append("what was detected is not what was planted")
    if minors["erased"] + minors["held"] != minors["planted_confirmed"]:
        wrong.append("erased and held do not add up to what was planted")
    wrong += [f"{name} is {minors[name]}, not 0" for name in oracle.MUST_BE_ZERO if minors[name]]
    wrong += [f"the health check of {name} did not pass" for name, good in found.health.items() if not good]
    wrong += [f"the secret {name} stands in the list of processes" for name in found.shown_secrets]
    wrong += [f"the secret {name} was kept" for name in found.kept_secrets]
    if not any("minor_data_deletion waits for a person" in text for text in found.messages):
        wrong.append("nobody was told that the run waits for people")
    if late_mails(found) != LATE:
        wrong.append(f"the late runs were told as {late_mails(found)}")
    ours = [text for subject, text in found.mails if subject.startswith("[privacy operations]")]
    wrong += ["a message to operators names no runbook" for text in (*found.messages, *ours) if ".md" not in text]
    wrong += ["a message to operators holds an address" for text in (*found.messages, *ours) if "@" in text]
    lacking = {f"airflow.{metric.name}" for metric in METRICS} - set(found.metrics)
    if lacking:
        wrong.append(f"{len(lacking)} figures did not reach the OpenTelemetry collector")
    return found
