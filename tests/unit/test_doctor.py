"""Each check of `doctor` complains about exactly its own fault, and a sound deployment hears nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from privacy_ops.operations import doctor
from privacy_ops.operations.doctor import AIRFLOW, CHECKS, QUIET, Bucket, Deployment, examine
from privacy_ops.settings import DUTIES, KEY_PURPOSES, KeyRing

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
DAGS = ("minor_data_deletion", "watchkeeper")
EVIDENCE = Bucket("imp-evidence", True, True, True, True, must_version=True, must_lock=True)
STAGING = Bucket("imp-staging", True, encrypted=True)
RING = KeyRing(
    hmac={purpose: {"k1": bytes([number]) * 32} for number, purpose in enumerate(KEY_PURPOSES, 1)},
    current=dict.fromkeys(KEY_PURPOSES, "k1"),
    signing_key_pem=b"made-up",
)
AIRFLOW_SOUND: dict[str, Any] = {name: wanted for name, (wanted, _) in AIRFLOW.items()} | {
    "core.executor": "CeleryExecutor", "logging.remote_logging": "True", "fernet": True, "jwt_length": 86,
    "pool_slots": 1,
}  # fmt: skip
SOUND = Deployment(
    now=NOW,
    server_version=180000,
    encoding="UTF8",
    server_settings={duty: dict(QUIET) for duty in DUTIES},
    gov_revision="0021_parts_held",
    gov_head="0021_parts_held",
    keys=RING,
    passwords={duty: f"made-up-{duty}" for duty in DUTIES},
    buckets=(EVIDENCE, STAGING),
    skew={"the database": timedelta(seconds=30), "the object store": timedelta(seconds=-30)},
    tzdata="2026.3",
    reviewed_at=NOW - timedelta(days=7),
    last_runs=dict.fromkeys(DAGS, NOW - timedelta(hours=1)),
    dag_ids=DAGS,
    channels=("webhook",),
    airflow=AIRFLOW_SOUND,
)


def ring(**changed: Any) -> KeyRing:
    return replace(RING, **changed)


def airflow(**changed: Any) -> dict[str, Any]:
    return AIRFLOW_SOUND | {name.replace("__", "."): value for name, value in changed.items()}


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "a duty that cannot connect": ("databases", {"unreachable": {"erase": "refused the password"}}),
    "a right that the map gives is not there": ("rights", {"missing_rights": {"detect": ["SELECT public.a.b"]}}),
    "a right that the map does not give": ("rights", {"excess_rights": {"export": ["DELETE public.a"]}}),
    "PostgreSQL 16": ("server", {"server_version": 169999}),
    "another encoding": ("server", {"encoding": "LATIN1"}),
    "a chatty server log": (
        "server_log",
        {"server_settings": {"detect": dict(QUIET) | {"log_error_verbosity": "default"}}},
    ),
    "an older gov": ("governance", {"gov_revision": "0013_periods"}),
    "a purpose without a key": ("keys", {"keys": ring(current={p: "k1" for p in KEY_PURPOSES if p != "sweep"})}),
    "no signing key": ("keys", {"keys": ring(signing_key_pem=None)}),
    "one key for two purposes": ("keys_differ", {"keys": ring(hmac=dict(RING.hmac) | {"sweep": RING.hmac["join"]})}),
    "one password for two duties": (
        "passwords_differ",
        {"passwords": {"detect": "the same", "erase": "the same", "export": "another"}},
    ),
    "an object store that is away": ("object_store", {"objects_fault": "cannot be reached", "buckets": None}),
    "a bucket that is not there": ("buckets", {"buckets": (replace(STAGING, exists=False), EVIDENCE)}),
    "evidence without versions": ("buckets", {"buckets": (replace(EVIDENCE, versioned=False), STAGING)}),
    "evidence without lock": ("buckets", {"buckets": (replace(EVIDENCE, locked=False), STAGING)}),
    "a bucket that does not encrypt": ("encryption", {"buckets": (EVIDENCE, replace(STAGING, encrypted=False))}),
    "a database whose clock is ahead": ("clocks", {"skew": {"the database": timedelta(seconds=31)}}),
    "an object store whose clock is behind": ("clocks", {"skew": {"the object store": timedelta(seconds=-31)}}),
    "no zone for London": ("time_zones", {"zone_known": False}),
    "time zones of long ago": ("time_zones", {"tzdata": "2025.1"}),
    "time zones of nobody knows when": ("time_zones", {"tzdata": "system"}),
    "reference data a second too old": ("reference", {"reviewed_at": NOW - timedelta(days=7, seconds=1)}),
    "reference data that nobody reviewed": ("reference", {"reviewed_at": None}),
    "a GeoIP database of last quarter": (
        "geoip",
        {"geoip_fault": ("the GeoIP database was built on 2026-08-01", "geoip.mmdb", "fetch the current one")},
    ),
    "examples": ("airflow", {"airflow": airflow(core__load_examples="True")}),
    "usage data sent away": ("airflow", {"airflow": airflow(usage_data_collection__enabled="True")}),
    "connections shown": ("airflow", {"airflow": airflow(core__hide_sensitive_var_conn_fields="False")}),
    "the configuration shown": ("airflow", {"airflow": airflow(api__expose_config="non-sensitive-only")}),
    "jobs that start by themselves": ("airflow", {"airflow": airflow(core__dags_are_paused_at_creation="False")}),
    "an Airflow that does not answer": ("airflow", {"airflow": None, "airflow_fault": "could not be asked"}),
    "the executor of the tests": ("executor", {"airflow": airflow(core__executor="SequentialExecutor")}),
    "no pool": ("pools", {"airflow": airflow(pool_slots=None)}),
    "a pool of two": ("pools", {"airflow": airflow(pool_slots=2)}),
    "no Fernet key": ("secrets", {"airflow": airflow(fernet=False)}),
    "a short JWT secret": ("secrets", {"airflow": airflow(jwt_length=63)}),
    "nobody is told": ("notifications", {"channels": ()}),
    "a watchkeeper that sleeps": (
        "watch",
        {"last_runs": dict.fromkeys(DAGS, NOW) | {"watchkeeper": NOW - timedelta(hours=1, seconds=1)}},
    ),
    "a watchkeeper that never ran": ("watch", {"last_runs": {"minor_data_deletion": NOW}}),
}
NOTES: dict[str, tuple[str, dict[str, Any]]] = {
    "a store that does not say whether it encrypts": (
        "encryption",
        {"buckets": (EVIDENCE, replace(STAGING, encrypted=None))},
    ),
    "logs that go with their worker": ("remote_logs", {"airflow": airflow(logging__remote_logging="False")}),
    "a job that never ran": ("never_ran", {"last_runs": {"watchkeeper": NOW}}),
    "Airflow was not asked": ("airflow", {"airflow": None, "airflow_fault": ""}),
}


def test_a_sound_deployment_at_every_limit_has_nothing_to_mend() -> None:
    assert examine(SOUND) == []


@pytest.mark.parametrize(("check", "changed"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_by_its_own_check_and_no_other(check: str, changed: dict[str, Any]) -> None:
    problems = examine(replace(SOUND, **changed))
    assert {problem.check for problem in problems} == {check}
    assert all(problem.must and problem.what and problem.where and problem.do for problem in problems)


@pytest.mark.parametrize(("check", "changed"), NOTES.values(), ids=NOTES)
def test_what_is_worth_knowing_is_no_fault(check: str, changed: dict[str, Any]) -> None:
    problems = examine(replace(SOUND, **changed))
    assert [(problem.check, problem.must) for problem in problems] == [(check, False)]


def test_every_check_has_a_fault_of_its_own_here() -> None:
    tried = {check for check, _ in (FAULTS | NOTES).values()}
    assert tried == {check.__name__ for check in CHECKS}


def test_no_message_holds_a_key_or_a_password() -> None:
    same = dict.fromkeys(DUTIES, "s3cret-word")
    found = replace(SOUND, passwords=same, keys=ring(hmac={p: {"k1": b"\x11" * 32} for p in KEY_PURPOSES}))
    said = repr(examine(found)) + repr(found)
    assert len(examine(found)) > 10
    assert "s3cret-word" not in said
    assert "11" * 32 not in said


def test_checks_after_one_that_could_not_look_say_nothing() -> None:
    away = Deployment(now=NOW, unreachable=dict.fromkeys(DUTIES, "cannot be reached"), objects_fault="away")
    said = {problem.check for problem in examine(away)}
    assert said.isdisjoint({"rights", "server", "governance", "buckets", "reference", "watch", "never_ran"})
    assert doctor.databases.__name__ in said
