"""Airflow 3.3.2 on the embedded runtime: its environment and its four programs.

LocalExecutor, metadata in the embedded PostgreSQL, one api-server worker. The programs are started one by one
(`airflow standalone` leaves children behind when it is ended).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from privacy_ops.settings import DUTIES, ObjectSettings

from sandbox import processors
from sandbox.postgres import HOST
from sandbox.processes import Processes
from sandbox.provision import SEED
from sandbox.publisher.flows import Flows
from sandbox.state import PEOPLE, PROJECT, State, keys, write_private

DATABASE = "airflow"
API, SCHEDULER, DAG_PROCESSOR, TRIGGERER = "api-server", "scheduler", "dag-processor", "triggerer"
PROGRAMS = (SCHEDULER, TRIGGERER, DAG_PROCESSOR, API)  # in the order in which they are ended


class AirflowError(RuntimeError):
    """A program of Airflow does not come up. The message says what to do."""


def role(duty: str) -> str:
    """The PostgreSQL role of a duty."""
    return f"privacy_{duty}"


def geoip_file(var: Path) -> Path:
    """Where the made-up GeoIP database stands; each start builds it anew."""
    return var / "geoip.mmdb"


def _url(state: State, user: str, database: str) -> str:
    return f"postgresql+psycopg://{user}:{state.passwords[user]}@{HOST}:{state.ports['postgres']}/{database}"


def project_environment(state: State, objects: ObjectSettings, database: str = "publisher") -> dict[str, str]:
    """PRIVACY_OPS_* for the command line: every duty's address, the object store, the keys."""
    held = keys(state.var)
    return {
        "PRIVACY_OPS_HOME": str(PROJECT),
        "PRIVACY_OPS_HMAC_KEYS": held.hmac,
        "PRIVACY_OPS_SIGNING_KEY_FILE": str(held.signing_key_file),
        "PRIVACY_OPS_S3_ENDPOINT": objects.endpoint_url or "",
        "PRIVACY_OPS_S3_ACCESS_KEY": objects.access_key or "",
        "PRIVACY_OPS_S3_SECRET_KEY": objects.secret_key or "",
        "PRIVACY_OPS_S3_REGION": objects.region,
        "PRIVACY_OPS_GEOIP": str(geoip_file(state.var)),
        "PRIVACY_OPS_DOWNSTREAM_REGISTRY": str(processors.registry(state.var)),
        "PRIVACY_OPS_REVIEWERS": ",".join(p.name for p in PEOPLE if p.duty == "privacy reviewer"),
        "PRIVACY_OPS_PRIVACY_LEADS": ",".join(p.name for p in PEOPLE if p.duty == "privacy lead"),
        **{f"PRIVACY_OPS_DSN_{duty.upper()}": _url(state, role(duty), database) for duty in DUTIES},
    }


def connections(state: State, objects: ObjectSettings, database: str = "publisher") -> dict[str, str]:
    """Airflow connections as AIRFLOW_CONN_*: one per duty, one to Airflow's own database, one to the object store."""
    duties = {
        f"AIRFLOW_CONN_PRIVACY_OPS_{duty.upper()}": json.dumps({
            "conn_type": "postgres",
            "host": HOST,
            "port": state.ports["postgres"],
            "login": role(duty),
            "password": state.passwords[role(duty)],
            "schema": database,
        })
        for duty in DUTIES
    }
    reader = {
        "conn_type": "postgres",
        "host": HOST,
        "port": state.ports["postgres"],
        "login": "airflow_reader",
        "password": state.passwords["airflow_reader"],
        "schema": DATABASE,
    }
    store = {
        "conn_type": "aws",
        "login": objects.access_key,
        "password": objects.secret_key,
        "extra": {"endpoint_url": objects.endpoint_url, "region_name": objects.region},
    }
    return {
        **duties,
        # Of the made-up publisher's other pipelines: the inventory has to know where they lead.
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(one) for name, one in Flows.of(SEED).connections().items()},
        "AIRFLOW_CONN_PRIVACY_OPS_AIRFLOW_DB": json.dumps(reader),
        "AIRFLOW_CONN_PRIVACY_OPS_OBJECTS": json.dumps(store),
    }


def environment(state: State, objects: ObjectSettings) -> dict[str, str]:
    """The whole environment of Airflow's programs. Nothing of the caller's AIRFLOW_* or PRIVACY_OPS_* leaks in."""
    held = keys(state.var)
    home = state.var / "airflow"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PRIVACY_OPS", "PYTHON"))}
    # Tasks get their databases from the connections, each only its own; no address of a duty is in the air.
    project = {
        k: v
        for k, v in project_environment(state, objects).items()
        if not k.startswith(("PRIVACY_OPS_DSN", "PRIVACY_OPS_S3"))
    }
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__FERNET_KEY": held.fernet,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{p.name}:{p.role}" for p in PEOPLE),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{state.ports['airflow']}/execution/",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(state.ports["airflow"]),
        "AIRFLOW__API__BASE_URL": state.url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": held.api_secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": held.jwt,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _url(state, "airflow", DATABASE),
        # psycopg serves both; left to itself Airflow would look for asyncpg.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": _url(state, "airflow", DATABASE),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(state.ports["worker_logs"]),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(state.ports["trigger_logs"]),
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(state.ports["scheduler_health"]),
        # What a killed scheduler left running is taken up again after a minute, and not after five.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        # The first call of a cold api-server took 6.8 s against a default of 5.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        # 3.3.2 has no collector any more; both switches stay off for any version that has one.
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": _with_loopback(os.environ.get("NO_PROXY", "")),
        "no_proxy": _with_loopback(os.environ.get("no_proxy", "")),
    }
    if sys.platform == "darwin":
        # Task processes are forked; macOS ends a forked process that touches its frameworks.
        settings |= {"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES", "NO_PROXY": "*", "no_proxy": "*"}
    return {**inherited, **project, **settings, **connections(state, objects)}


def _with_loopback(listed: str) -> str:
    return ",".join(dict.fromkeys([*filter(None, listed.split(",")), "localhost", HOST]))


def write_passwords(state: State) -> None:
    """The password file that Airflow's simple auth manager reads."""
    passwords = {person.name: state.passwords[f"ui_{person.name}"] for person in PEOPLE}
    write_private(state.var / "airflow" / "passwords.json", json.dumps(passwords) + "\n")


def migrate(processes: Processes, environ: Mapping[str, str]) -> None:
    """Bring the metadata database up. Raises AirflowError."""
    code = processes.run(
        "airflow-migrate",
        [sys.executable, "-m", "airflow", "db", "migrate"],
        environ=environ,
        seconds=300,
    )
    if code:
        log = processes.log("airflow-migrate")
        raise AirflowError(f"`airflow db migrate` failed (exit code {code}); its log is {log}")


def start(processes: Processes, program: str, environ: Mapping[str, str]) -> None:
    """Start one of ``PROGRAMS`` in the background. Does nothing when it runs."""
    module = ["sandbox.scheduler"] if program == SCHEDULER else ["airflow", program]
    processes.start(program, [sys.executable, "-m", *module], environ=environ, cwd=PROJECT)
