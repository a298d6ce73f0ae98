"""docker-compose.yaml and the Helm values: what a reviewer would look for, and that both say the same."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from privacy_ops.settings import DUTIES

from bench.compose_stack import interpolate

PROJECT = Path(__file__).resolve().parents[2]
TEXT = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
KUBERNETES = PROJECT / "include" / "kubernetes"
VALUES: dict[str, Any] = yaml.safe_load((KUBERNETES / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((KUBERNETES / "values.schema.json").read_text(encoding="utf-8"))
ENVIRONMENT: dict[str, str] = SERVICES["scheduler"]["environment"]
OURS = ("api-server", "scheduler", "dag-processor", "triggerer", "worker", "airflow-init")
SECRET = re.compile(r"PASSWORD|SECRET|_KEY|HMAC|FERNET|CONN_(?:OBJECTS|SMTP)")


def test_the_services_are_those_of_a_production_stack() -> None:
    assert set(SERVICES) == {*OURS, "postgres", "redis", "objects"}
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_limits_and_a_health_check(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory"}
    assert ("healthcheck" in SERVICES[name]) == (name != "airflow-init"), "the one-shot ends; all others are looked at"


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_as_nobody_special_over_files_that_they_cannot_change(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in {"0", "root"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(v.endswith(":ro") for v in service["volumes"] if "/opt/airflow/project" in v)
    assert service["read_only"] is True
    assert {mount.partition(":")[0] for mount in service["tmpfs"]} == {"/tmp", "/opt/airflow"}


def test_only_the_object_store_may_change_its_own_image() -> None:
    assert {name for name, service in SERVICES.items() if not service.get("read_only")} == {"objects"}


def test_every_secret_is_required_and_none_has_a_default() -> None:
    named = re.findall(r"\$\{(\w+)(:?[-?])?([^}]*)\}", TEXT)
    # Public keys are no secret.
    secrets = {(name, how) for name, how, _ in named if SECRET.search(name) and "TRUSTED" not in name}
    assert len(secrets) > 15
    assert [name for name, how in secrets if how != ":?"] == []


def test_no_secret_stands_in_a_command_or_a_health_check() -> None:
    for service in SERVICES.values():
        for part in ("command", "entrypoint"):
            said = str(service.get(part, ""))
            assert not re.search(r"\$\{\w*(PASSWORD|SECRET|KEY)", said), said
        said = str(service.get("healthcheck", {}).get("test", ""))
        assert " -a " not in said


def test_every_duty_has_a_password_and_a_connection() -> None:
    jobs = set(DUTIES) - {"migrate", "canary"}
    for duty in jobs:
        assert f"privacy_{duty}:" in ENVIRONMENT[f"AIRFLOW_CONN_PRIVACY_OPS_{duty.upper()}"]
    for duty in DUTIES:
        assert f"privacy_{duty}:" in SERVICES["airflow-init"]["environment"][f"PRIVACY_OPS_DSN_{duty.upper()}"]


def test_what_is_published_is_published_on_this_machine_alone() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


CONFIG: dict[str, str] = {
    f"AIRFLOW__{section}__{option}".upper(): value
    for section, options in VALUES["config"].items()
    for option, value in options.items()
}
# What the chart's templates put into airflow.cfg or the environment themselves (docs/operations.md).
OF_THE_CHART = {
    "AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CELERY__BROKER_URL", "AIRFLOW__CELERY__RESULT_BACKEND",
    "AIRFLOW__METRICS__STATSD_ON", "AIRFLOW__METRICS__STATSD_HOST", "AIRFLOW__METRICS__STATSD_PORT",
    "AIRFLOW__METRICS__OTEL_ON",
}  # fmt: skip
OF_THE_SECRET = ("PRIVACY_OPS_", "AIRFLOW_CONN_PRIVACY_OPS_", "OTEL_EXPORTER_OTLP_")


def test_the_helm_values_say_what_the_compose_file_says() -> None:
    shared = {name for name in CONFIG if name in ENVIRONMENT}
    assert {name.partition("__")[2] for name in CONFIG if name not in ENVIRONMENT} == {
        "LOGGING__REMOTE_LOGGING", "LOGGING__REMOTE_BASE_LOG_FOLDER", "LOGGING__REMOTE_LOG_CONN_ID",
        "LOGGING__DELETE_LOCAL_LOGS",
    }  # fmt: skip
    assert len(shared) >= 10
    for name in shared - {"AIRFLOW__API__BASE_URL"}:
        assert CONFIG[name].lower() == ENVIRONMENT[name].lower(), name
    assert f"{VALUES['executor']}" == ENVIRONMENT["AIRFLOW__CORE__EXECUTOR"]
    for entry in VALUES["env"]:
        if entry["name"] != "PRIVACY_OPS_SIGNING_KEY_FILE":
            assert interpolate(ENVIRONMENT[entry["name"]], {}) == entry["value"], entry["name"]


def test_every_variable_of_the_compose_file_reaches_the_pods_by_one_way() -> None:
    named = {entry["name"] for entry in VALUES["env"]}
    referred = {entry["envName"] for entry in VALUES["secret"]}
    ways = {name: [name in OF_THE_CHART, name in CONFIG, name in named, name in referred] for name in ENVIRONMENT}
    left = {name for name, taken in ways.items() if not any(taken)}
    assert {name for name, taken in ways.items() if sum(taken) > 1} == set()
    assert {name for name in left if not name.startswith(OF_THE_SECRET)} == set()
    assert len(left) > 20


def test_the_helm_values_hold_no_secret_and_run_as_nobody_special() -> None:
    contexts = VALUES["securityContexts"]
    assert contexts["pod"]["runAsNonRoot"] is True
    assert contexts["containers"]["allowPrivilegeEscalation"] is False
    assert contexts["containers"]["capabilities"] == {"drop": ["ALL"]}
    assert VALUES["createUserJob"]["enabled"] is False
    assert VALUES["workers"]["celery"]["replicas"] == SERVICES["worker"]["deploy"]["replicas"]
    assert VALUES["workers"]["celery"]["terminationGracePeriodSeconds"] >= 600
    flat = yaml.safe_dump(VALUES)
    assert not re.search(r"(?i)password:\s*\S", flat)


def test_what_a_pod_can_write_is_what_a_service_can() -> None:
    assert VALUES["securityContexts"]["containers"]["readOnlyRootFilesystem"] is True
    empty = {volume["name"] for volume in VALUES["volumes"] if volume.get("emptyDir") == {}}
    written = {mount["mountPath"] for mount in VALUES["volumeMounts"] if mount["name"] in empty}
    # A volume over Compose's home would hide the project, which is in a pod's image.
    assert written == {"/tmp", VALUES["airflowHome"]}
    assert not any(CONFIG["AIRFLOW__CORE__DAGS_FOLDER"].startswith(path) for path in written)
    assert all(mount["readOnly"] for mount in VALUES["volumeMounts"] if mount["name"] not in empty)


def test_the_helm_values_give_each_part_what_the_compose_file_gives_it() -> None:
    parts = {
        "worker": VALUES["workers"]["celery"], "api-server": VALUES["apiServer"], "scheduler": VALUES["scheduler"],
        "dag-processor": VALUES["dagProcessor"], "triggerer": VALUES["triggerer"],
    }  # fmt: skip
    for name, part in parts.items():
        limits, given = part["resources"]["limits"], SERVICES[name]["deploy"]["resources"]["limits"]
        cpus = limits["cpu"]
        cores = float(cpus[:-1]) / 1000 if cpus.endswith("m") else float(cpus)
        assert cores == float(given["cpus"]), name
        assert limits["memory"] == given["memory"].replace("g", "Gi"), name


def _refused(values: dict[str, Any]) -> list[str]:
    """Where the values break the schema of the chart's keys, as paths; nothing where they hold."""
    found = jsonschema.Draft7Validator(SCHEMA).iter_errors(values)
    return sorted("/".join(map(str, error.absolute_path)) for error in found)


def test_the_helm_values_keep_to_the_keys_and_types_of_the_chart() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert _refused(VALUES) == []


WRONG: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    # The chart itself passes over the first three without a word.
    "a misspelt key at the top": (("apiServerr",), {}, ""),
    "the singular, which the chart does not read": (("securityContexts", "container"), {}, "securityContexts"),
    "a misspelt key of the workers": (("workers", "celery", "replica"), 2, "workers/celery"),
    "a switch that decides nothing": (("createUserJob", "defaultUser"), {"enabled": False}, "createUserJob"),
    "a deprecated place": (("workers", "replicas"), 2, "workers"),
    "a connection's Secret, misspelt": (("data", "metadataSecret"), "privacy-metadata", "data"),
    "a list where text is meant": (("extraEnvFrom",), [{"secretRef": {"name": "x"}}], "extraEnvFrom"),
    "a number of workers as text": (("workers", "celery", "replicas"), "2", "workers/celery/replicas"),
    "a switch as text": (("redis", "enabled"), "false", "redis/enabled"),
    "an octal mode as text": (("volumes", 0, "secret", "defaultMode"), "0440", "volumes/0/secret/defaultMode"),
    "a setting that is a list": (("config", "core", "load_examples"), [False], "config/core/load_examples"),
    "a variable without a value": (("env", 0), {"name": "PRIVACY_OPS_HOME"}, "env/0"),
    "an executor that is none": (("executor",), "celery", "executor"),
}


@pytest.mark.parametrize("what", WRONG)
def test_helm_values_with_a_wrong_key_or_type_are_refused(what: str) -> None:
    way, value, where = WRONG[what]
    values: Any = copy.deepcopy(VALUES)
    part = values
    for step in way[:-1]:
        part = part[step]
    part[way[-1]] = value
    assert _refused(values) == [where]


def test_the_schema_says_from_which_chart_it_was_read() -> None:
    version = re.search(r"--version (\S+)", (KUBERNETES / "values.yaml").read_text(encoding="utf-8"))
    assert version
    assert version[1] in SCHEMA["title"]
    assert re.search(r"commit [0-9a-f]{40}", SCHEMA["description"])


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("${A:?set it}", "1"),
        ("x-${A}-${B:-two}-${C:-}", "x-1-two-"),
        ('printf "%s" "$$A"', 'printf "%s" "$A"'),
    ],
)
def test_values_are_read_as_compose_reads_them(text: str, is_: str) -> None:
    assert interpolate(text, {"A": "1"}) == is_


def test_a_required_value_that_is_missing_is_named() -> None:
    with pytest.raises(KeyError, match="MISSING: set it"):
        interpolate("${MISSING:?set it}", {})
