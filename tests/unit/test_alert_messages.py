"""A message is made of codes: what a person could have written gets into none."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.operations.messages import TITLES, Addresses, compose

UI = Addresses("https://airflow.example.org", "https://docs.example.org/runbooks")
RUN = "minor_data_deletion/scheduled__2026-11-27T02:15:00+00:00"


def row(**changed: Any) -> Any:
    made = {
        "run_id": RUN, "task": "gate_plan", "gate": "erasure.plan", "gate_result_id": 7, "codes": ["GateBlocked"],
        "times": 1, "noted_at": datetime(2026, 11, 28, 2, 20, tzinfo=UTC),
    }  # fmt: skip
    return SimpleNamespace(**made | changed)


def test_a_message_names_run_gate_report_and_runbook() -> None:
    text = compose("gate_blocked", "minor_data_deletion", [row()], UI).text
    assert text.startswith("[privacy operations] minor_data_deletion blocked by a gate\n")
    for part in (
        "scheduled__2026-11-27T02:15:00+00:00",
        "task gate_plan, gate erasure.plan: GateBlocked",
        "https://airflow.example.org/dags/minor_data_deletion/runs/scheduled__2026-11-27T02%3A15%3A00%2B00%3A00",
        "https://airflow.example.org/privacy/gates/7",
        "https://docs.example.org/runbooks/minor_data_deletion.md",
    ):
        assert part in text


def test_many_are_one_digest_and_no_endless_one() -> None:
    message = compose("failure", "erasure_propagation", [row(times=3) for _ in range(30)], UI)
    assert "(30 times)" in message.subject
    assert "… and 20 more" in message.text
    assert "It happened 90 times in all." in message.text
    assert message.text.count("task gate_plan") == 10


def test_a_question_says_where_it_is_answered_and_what_silence_means() -> None:
    text = compose("approval_waiting", "minor_case_review", [row(times=50, gate=None, codes=[])], UI).text
    assert "50 question(s) wait under Required Actions: https://airflow.example.org/required_actions" in text
    assert "Nobody answering means no." in text


@pytest.mark.parametrize(
    "name",
    [
        "about ann.minor@example.org",
        "manual__ann.minor@example.org",
        "ann",
        "{{ var.value.secret }}",
        "manual__2026_ann minor",
    ],
)
def test_a_name_that_a_person_gave_a_run_is_not_repeated(name: str) -> None:
    message = compose("failure", "minor_data_deletion", [row(run_id=f"minor_data_deletion/{name}")], UI)
    assert name not in message.text + message.as_html
    assert "run with a name of its own" in message.text
    assert "/runs/" not in message.text


@given(st.text(min_size=1), st.text(min_size=1), st.sampled_from(sorted(TITLES)))
def test_no_address_and_no_markup_gets_in(name: str, code: str, kind: str) -> None:
    planted = row(run_id=f"d/{name}@example.org", codes=[f"<b>{code}", "a@example.org"], task=f"{code}@example.org")
    message = compose(kind, "minor_data_deletion", [planted], Addresses())
    assert "@" not in message.text
    assert "<b>" not in message.as_html
