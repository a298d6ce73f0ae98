"""How a gate's task ends, and the button in the UI that opens its report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from privacy_ops.airflow_support import gates
from privacy_ops.airflow_support.links import GateReportLink, TransferReportLink
from privacy_ops.errors import GateBlocked
from privacy_ops.gates import runner

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)


class Pushed:
    """Stands for a task instance: remembers what was pushed."""

    def __init__(self) -> None:
        self.xcoms: dict[str, object] = {}

    def xcom_push(self, *, key: str, value: object) -> None:
        self.xcoms[key] = value


def verdict(decision: Any) -> runner.Verdict:
    held = runner.CheckResult("G-08", "few cases", "critical", decision != "block", False, 3, "")
    return runner.Verdict("plan", "d/1", decision, "ab" * 32, (held,), NOW, NOW + timedelta(hours=1), "<html>")


@pytest.mark.parametrize("decision", ["pass", "warn"])
def test_an_open_gate_pushes_its_number_and_goes_on(decision: str) -> None:
    task = Pushed()
    assert gates.finish(verdict(decision), 42, {"ti": task}) == 42
    assert task.xcoms == {"gate_result_id": 42}


def test_a_blocked_gate_pushes_its_number_first_and_fails() -> None:
    task = Pushed()
    with pytest.raises(GateBlocked, match="/privacy/gates/42"):
        gates.finish(verdict("block"), 42, {"ti": task})
    assert task.xcoms == {"gate_result_id": 42}


def test_a_step_that_raises_by_itself_gets_its_link_too() -> None:
    task = Pushed()
    with pytest.raises(GateBlocked), gates.linked({"ti": task}):
        runner.raise_if_blocked(verdict("block"), 7)
    assert task.xcoms == {"gate_result_id": 7}


def test_a_block_without_a_verdict_pushes_nothing() -> None:
    task = Pushed()
    with pytest.raises(GateBlocked), gates.linked({"ti": task}):
        raise GateBlocked("gate plan has not judged this run")
    assert task.xcoms == {}


@pytest.mark.parametrize(
    ("pushed", "link"),
    [("42", "/privacy/gates/42"), ("", ""), ("javascript:alert(1)", ""), ("4/../2", ""), ("None", "")],
)
@pytest.mark.parametrize("base", ["http://localhost:8080", "https://example.org/airflow/"])
def test_the_button_leads_to_the_report_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, pushed: str, link: str, base: str
) -> None:
    from airflow.serialization.definitions.operatorlink import XComOperatorLink

    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
    monkeypatch.setattr(XComOperatorLink, "get_link", lambda *_args, **_kwargs: pushed)
    prefix = "/airflow" if "/airflow" in base and link else ""
    assert GateReportLink().get_link(None, ti_key=None) == prefix + link
    page = link.replace("gates/42", "transfers/42/report.html")
    assert TransferReportLink().get_link(None, ti_key=None) == prefix + page


def test_the_plugin_registers_pages_navigation_and_button() -> None:
    from privacy_console import PrivacyConsole

    assert [a["url_prefix"] for a in PrivacyConsole.fastapi_apps] == ["/privacy"]
    assert ("/privacy/gates", "nav") in [(v["href"], v["destination"]) for v in PrivacyConsole.external_views]
    assert [link.name for link in PrivacyConsole.global_operator_extra_links] == [
        "Gate report",
        "Transfer report",
    ]
