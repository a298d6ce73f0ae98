"""What a deployment lacks: one small function per check, over facts that ``deployment.look`` gathered.

Each check says what is wrong, where, and what to do. ``CHECKS`` is the list; a check that could not look because
something before it is away says nothing, since that is said already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from privacy_ops.settings import KEY_PURPOSES, KeyRing

OLDEST_POSTGRESQL = 170000
SKEW = timedelta(seconds=30)
TZDATA_MONTHS = 18
WATCH_SILENT = timedelta(hours=1)
QUIET = {"log_error_verbosity": "terse", "log_min_error_statement": "panic", "log_parameter_max_length_on_error": "0"}
# What Airflow's settings must say, and why.
AIRFLOW = {
    "core.load_examples": ("False", "examples are DAGs that nobody of yours reviewed"),
    "usage_data_collection.enabled": ("False", "nothing about this installation leaves it"),
    "core.hide_sensitive_var_conn_fields": ("True", "passwords would show in the UI and in logs"),
    "api.expose_config": ("False", "the configuration holds addresses with passwords"),
    "core.dags_are_paused_at_creation": ("True", "a new job must not start by itself"),
}
EXECUTORS = frozenset({"LocalExecutor", "CeleryExecutor", "KubernetesExecutor"})
POOL = "privacy_destructive"


@dataclass(frozen=True)
class Problem:
    """Something to mend. ``must`` False: worth knowing, and no reason to exit with 1."""

    check: str
    what: str
    where: str
    do: str
    must: bool = True


@dataclass(frozen=True)
class Bucket:
    """A bucket as it is, and as it has to be. ``encrypted`` None: the store does not say."""

    name: str
    exists: bool
    versioned: bool = False
    locked: bool = False
    encrypted: bool | None = None
    must_version: bool = False
    must_lock: bool = False


@dataclass(frozen=True)
class Deployment:
    """Facts about a deployment. None: it could not be looked at."""

    now: datetime
    unreachable: Mapping[str, str] = field(default_factory=dict)  # duty: why
    missing_rights: Mapping[str, list[str]] = field(default_factory=dict)  # duty: "SELECT table.column"
    excess_rights: Mapping[str, list[str]] = field(default_factory=dict)
    server_version: int | None = None
    encoding: str | None = None
    server_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # duty: name: value
    gov_revision: str | None = None
    gov_head: str = ""
    keys: KeyRing = field(default_factory=KeyRing)
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)  # duty: password, to be told apart
    objects_fault: str = ""
    buckets: tuple[Bucket, ...] | None = None
    skew: Mapping[str, timedelta] = field(default_factory=dict)  # of whom: their clock minus ours
    tzdata: str = ""
    zone_known: bool = True
    reviewed_at: datetime | None = None
    review_max_days: int = 7
    geoip_fault: tuple[str, str, str] | None = None  # what, where, what to do
    last_runs: Mapping[str, datetime] | None = None
    dag_ids: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    airflow: Mapping[str, Any] | None = None
    airflow_fault: str = ""


Check = Callable[[Deployment], Iterator[Problem]]


def databases(found: Deployment) -> Iterator[Problem]:
    for duty, why in found.unreachable.items():
        yield Problem(
            "databases", why, f"duty {duty}",
            f"set PRIVACY_OPS_DSN_{duty.upper()} or the connection privacy_ops_{duty}; `roles apply` sets its password",
        )  # fmt: skip


def rights(found: Deployment) -> Iterator[Problem]:
    for duty, lacking in found.missing_rights.items():
        yield Problem("rights", f"may not: {_some(lacking)}", f"role privacy_{duty}", "run `grants apply`")
    for duty, extra in found.excess_rights.items():
        yield Problem(
            "rights", f"may more than the map says: {_some(extra)}", f"role privacy_{duty}",
            "run `grants apply`; look for a grant to PUBLIC or to another role that it is in",
        )  # fmt: skip


def server(found: Deployment) -> Iterator[Problem]:
    if found.server_version is not None and found.server_version < OLDEST_POSTGRESQL:
        major = found.server_version // 10000
        yield Problem("server", f"PostgreSQL {major} is too old", "the publisher's server", "upgrade to 17 or newer")
    if found.encoding not in {None, "UTF8"}:
        yield Problem("server", f"encoding {found.encoding}", "the publisher's database", "use a UTF8 database")


def server_log(found: Deployment) -> Iterator[Problem]:
    for duty, settings in found.server_settings.items():
        for name, wanted in QUIET.items():
            if settings.get(name) != wanted:
                yield Problem(
                    "server_log", f"{name} is {settings.get(name)}: the server's log could quote people's rows",
                    f"role privacy_{duty}", f"`roles apply` as superuser, or set {name} = {wanted} for the server",
                )  # fmt: skip


def governance(found: Deployment) -> Iterator[Problem]:
    if found.gov_revision != found.gov_head and "migrate" not in found.unreachable:
        yield Problem(
            "governance", f"schema gov is at {found.gov_revision or 'nothing'}, the code wants {found.gov_head}",
            "the publisher's database", "run `gov migrate`, then `roles apply`",
        )  # fmt: skip


def keys(found: Deployment) -> Iterator[Problem]:
    for purpose in KEY_PURPOSES:
        try:
            found.keys.current_key(purpose)
        except Exception:  # noqa: BLE001 - ConfigError; its text is the same for all
            yield Problem("keys", f"no current key for {purpose}", "PRIVACY_OPS_HMAC_KEYS", "add one of 32 bytes")
    if found.keys.signing_key_pem is None:
        yield Problem(
            "keys", "no signing key", "PRIVACY_OPS_SIGNING_KEY_FILE", "openssl genpkey -algorithm ed25519 -out …"
        )


def keys_differ(found: Deployment) -> Iterator[Problem]:
    held = [(f"{p}/{k}", value) for p, ring in found.keys.hmac.items() for k, value in ring.items()]
    for (one, a), (other, b) in combinations(held, 2):
        if a == b:
            yield Problem(
                "keys_differ", f"the keys {one} and {other} are the same: what was kept apart can be joined",
                "PRIVACY_OPS_HMAC_KEYS", "make another key and rotate (docs/operations.md)",
            )  # fmt: skip


def passwords_differ(found: Deployment) -> Iterator[Problem]:
    for (one, a), (other, b) in combinations(sorted(found.passwords.items()), 2):
        if a and a == b:
            yield Problem(
                "passwords_differ", f"the duties {one} and {other} have the same password", "their addresses",
                "give each its own and run `roles apply`",
            )  # fmt: skip


def object_store(found: Deployment) -> Iterator[Problem]:
    if found.objects_fault:
        yield Problem("object_store", found.objects_fault, "the object store", "correct endpoint, keys or network")


def buckets(found: Deployment) -> Iterator[Problem]:
    for bucket in found.buckets or ():
        if not bucket.exists:
            yield Problem("buckets", "the bucket is not there", bucket.name, "create it, or name another")
            continue
        if bucket.must_version and not bucket.versioned:
            yield Problem("buckets", "no versioning", bucket.name, "switch versioning on")
        if bucket.must_lock and not bucket.locked:
            yield Problem(
                "buckets", "no object lock: copies of the ledger could be overwritten", bucket.name,
                "object lock is set when a bucket is created: make a new one and name it",
            )  # fmt: skip


def encryption(found: Deployment) -> Iterator[Problem]:
    for bucket in found.buckets or ():
        if bucket.exists and bucket.encrypted is not True:
            said = "has no default encryption" if bucket.encrypted is False else "does not say whether it encrypts"
            yield Problem(
                "encryption", said, bucket.name, "set default encryption (SSE), or make sure of the disks below",
                must=bucket.encrypted is False,
            )  # fmt: skip


def clocks(found: Deployment) -> Iterator[Problem]:
    for whose, skew in found.skew.items():
        if abs(skew) > SKEW:
            yield Problem(
                "clocks", f"its clock is {skew.total_seconds():+.0f} s from ours", whose, "synchronise both (NTP)"
            )


def time_zones(found: Deployment) -> Iterator[Problem]:
    if not found.zone_known:
        yield Problem("time_zones", "Europe/London is not known", "tzdata", "install the locked requirements")
    year, _, number = found.tzdata.partition(".")
    if not (year.isdigit() and number.isdigit()):
        yield Problem("time_zones", "the version of tzdata is not known", "tzdata", "install the locked requirements")
    elif (found.now.year - int(year)) * 12 + found.now.month > TZDATA_MONTHS:
        yield Problem("time_zones", f"tzdata {found.tzdata} is old", "tzdata", "run `make lock` and build anew")


def reference(found: Deployment) -> Iterator[Problem]:
    if "inventory" in found.unreachable or found.gov_revision is None:
        return
    limit = timedelta(days=found.review_max_days)
    if found.reviewed_at is None or found.now - found.reviewed_at > limit:
        said = "nobody has reviewed" if found.reviewed_at is None else f"last reviewed {found.reviewed_at:%Y-%m-%d}"
        yield Problem(
            "reference", f"{said}: the inventory's gate blocks", "include/reference",
            "look at it, then `transfers review --by NAME`",
        )  # fmt: skip


def geoip(found: Deployment) -> Iterator[Problem]:
    if found.geoip_fault is not None:
        what, where, do = found.geoip_fault
        yield Problem("geoip", f"{what}: the inventory cannot say where people look from", where, do)


def watch(found: Deployment) -> Iterator[Problem]:
    if found.last_runs is None:
        return
    seen = found.last_runs.get("watchkeeper")
    if seen is None or found.now - seen > WATCH_SILENT:
        yield Problem(
            "watch", "the watchkeeper has not looked for an hour" if seen else "the watchkeeper never ran", "Airflow",
            "unpause the DAG watchkeeper; look at the scheduler",
        )  # fmt: skip


def never_ran(found: Deployment) -> Iterator[Problem]:
    for dag_id in found.dag_ids if found.last_runs is not None else ():
        if dag_id not in (found.last_runs or {}) and dag_id != "watchkeeper":
            yield Problem("never_ran", "never ran for real", f"DAG {dag_id}", "unpause it", must=False)


def notifications(found: Deployment) -> Iterator[Problem]:
    if not found.channels:
        yield Problem(
            "notifications", "nobody is told about failures, blocked gates or questions", "Airflow connections",
            "create privacy_ops_webhook, or privacy_ops_smtp and PRIVACY_OPS_ALERT_MAIL",
        )  # fmt: skip


def airflow(found: Deployment) -> Iterator[Problem]:
    if found.airflow is None:
        yield Problem(
            "airflow", found.airflow_fault or "its settings could not be read", "Airflow",
            "run doctor where Airflow runs, or with --no-airflow", must=bool(found.airflow_fault),
        )  # fmt: skip
        return
    for name, (wanted, why) in AIRFLOW.items():
        said = str(found.airflow.get(name))
        if said.lower() != wanted.lower():
            section, _, option = name.partition(".")
            yield Problem(
                "airflow", f"{name} is {said}: {why}", f"AIRFLOW__{section}__{option}".upper(), f"set it to {wanted}"
            )


def executor(found: Deployment) -> Iterator[Problem]:
    if found.airflow is not None and found.airflow.get("core.executor") not in EXECUTORS:
        yield Problem(
            "executor", f"the executor is {found.airflow.get('core.executor')}", "AIRFLOW__CORE__EXECUTOR",
            "use " + ", ".join(sorted(EXECUTORS)),
        )  # fmt: skip


def pools(found: Deployment) -> Iterator[Problem]:
    if found.airflow is not None and found.airflow.get("pool_slots") != 1:
        yield Problem(
            "pools", f"the pool {POOL} has {found.airflow.get('pool_slots') or 'no'} slots, not 1", "Airflow pools",
            f'airflow pools set {POOL} 1 "one destructive task at a time"',
        )  # fmt: skip


def remote_logs(found: Deployment) -> Iterator[Problem]:
    if found.airflow is None or str(found.airflow.get("logging.remote_logging")).lower() == "true":
        return
    many = found.airflow.get("core.executor") in {"CeleryExecutor", "KubernetesExecutor"}
    if many:
        yield Problem(
            "remote_logs", "logs stay on the workers, and go with them", "AIRFLOW__LOGGING__REMOTE_LOGGING",
            "set remote logs, or share the folder of logs", must=False,
        )  # fmt: skip


def secrets(found: Deployment) -> Iterator[Problem]:
    if found.airflow is None:
        return
    if not found.airflow.get("fernet"):
        yield Problem(
            "secrets", "no Fernet key: connections stand in Airflow's database as text",
            "AIRFLOW__CORE__FERNET_KEY", "set one",
        )  # fmt: skip
    if int(found.airflow.get("jwt_length") or 0) < 64:
        yield Problem(
            "secrets", "the JWT secret is shorter than 64 characters", "AIRFLOW__API_AUTH__JWT_SECRET",
            "set a longer one, the same in every part of Airflow",
        )  # fmt: skip


CHECKS: tuple[Check, ...] = (
    databases, server, governance, rights, server_log, keys, keys_differ, passwords_differ, object_store, buckets,
    encryption, clocks, time_zones, reference, geoip, airflow, executor, pools, secrets, remote_logs, notifications,
    watch, never_ran,
)  # fmt: skip


def examine(found: Deployment) -> list[Problem]:
    """All problems, in the order of ``CHECKS``."""
    return [problem for check in CHECKS for problem in check(found)]


def _some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
