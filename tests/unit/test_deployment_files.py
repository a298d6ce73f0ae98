"""docker-compose.yaml and the Helm values: what a reviewer would look for, and that both say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from privacy_ops.settings import DUTIES

from bench.compose_stack import interpolate

PROJECT = Path(__file__).resolve().parents[2]
TEXT = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
VALUES: dict[str, Any] = yaml.safe_load(
    (PROJECT / "include" / "kubernetes" / "values.yaml").read_text(encoding="utf-8")
)
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


def test_the_helm_values_say_what_the_compose_file_says() -> None:
    said = {
        f"AIRFLOW__{section}__{option}".upper(): value
        for section, options in VALUES["config"].items()
        for option, value in options.items()
    }
    shared = {name for name in said if name in ENVIRONMENT}
    assert {name.partition("__")[2] for name in said if name not in ENVIRONMENT} == {
        "LOGGING__REMOTE_LOGGING", "LOGGING__REMOTE_BASE_LOG_FOLDER", "LOGGING__REMOTE_LOG_CONN_ID",
    }  # fmt: skip
    assert len(shared) >= 10
    for name in shared:
        assert said[name].lower() == ENVIRONMENT[name].lower(), name
    assert f"{VALUES['executor']}" == ENVIRONMENT["AIRFLOW__CORE__EXECUTOR"]
    for entry in VALUES["env"]:
        if entry["name"] != "PRIVACY_OPS_SIGNING_KEY_FILE":
            assert interpolate(ENVIRONMENT[entry["name"]], {}) == entry["value"], entry["name"]


def test_the_helm_values_hold_no_secret_and_run_as_nobody_special() -> None:
    assert VALUES["securityContexts"]["pod"]["runAsNonRoot"] is True
    assert VALUES["securityContexts"]["container"]["allowPrivilegeEscalation"] is False
    assert VALUES["createUserJob"]["defaultUser"]["enabled"] is False
    assert VALUES["workers"]["replicas"] == 2
    assert VALUES["workers"]["celery"]["terminationGracePeriodSeconds"] >= 600
    flat = yaml.safe_dump(VALUES)
    assert not re.search(r"(?i)password:\s*\S", flat)


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
