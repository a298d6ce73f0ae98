"""The judgement of the Compose proof sees each thing that may go wrong, and Airflow's share is counted as said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from privacy_ops.operations.figures import METRICS

from bench.compose_stack import LATE, Found, judged
from bench.overhead import Share, covered
from sandbox.airflow_api import DagRun
from sandbox.publisher import oracle

MINORS: dict[str, Any] = {
    **dict.fromkeys(oracle.MUST_BE_ZERO, 0),
    "planted_confirmed": 31, "detected": 31, "erased": 29, "held": 2,
}  # fmt: skip
GOOD = Found(
    run=DagRun("minor_data_deletion", "scheduled__1", "success"),
    rest={"erasure_propagation": "success"},
    minors=MINORS,
    killed="worker-2",
    killed_in="plan",
    retried={"plan": 2},
    health={"redis": True},
    read_only=True,
    shown_secrets=[],
    kept_secrets=[],
    messages=["[privacy operations] minor_data_deletion waits for a person\nRunbook: minor_data_deletion.md"],
    mails=[(subject, "Runbook: docs/runbooks/x.md") for subject in LATE],
    metrics={f"airflow.{metric.name}": 0.0 for metric in METRICS},
    overhead=[],
    seconds=1.0,
)


def test_a_good_night_is_good() -> None:
    assert judged(replace(GOOD, failures=[])).failures == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"run": DagRun("d", "r", "failed")}, "the run ended failed"),
        ({"rest": {"watchkeeper": "failed"}}, "watchkeeper ended failed"),
        ({"killed": ""}, "no worker was killed"),
        ({"retried": {"verify": 2}}, "was not run again"),
        ({"minors": MINORS | {"planted_confirmed": 0, "detected": 0, "erased": 0, "held": 0}}, "what was detected"),
        ({"minors": MINORS | {"detected": 30}}, "what was detected"),
        ({"minors": MINORS | {"erased": 28}}, "do not add up"),
        ({"minors": MINORS | {oracle.MUST_BE_ZERO[0]: 1}}, "is 1, not 0"),
        ({"health": {"redis": False}}, "health check of redis"),
        ({"shown_secrets": ["REDIS_PASSWORD"]}, "REDIS_PASSWORD stands in the list"),
        ({"kept_secrets": ["signing key (table log)"]}, "signing key (table log) was kept"),
        ({"messages": []}, "nobody was told"),
        ({"messages": [*GOOD.messages, "ann@example.org, x.md"]}, "holds an address"),
        ({"messages": [*GOOD.messages, "something"]}, "names no runbook"),
        ({"mails": GOOD.mails[:1]}, "the late runs were told as"),
        ({"mails": [*GOOD.mails, GOOD.mails[0]]}, "the late runs were told as"),
        ({"metrics": dict(list(GOOD.metrics.items())[1:])}, "1 figures did not reach"),
    ],
)
def test_what_goes_wrong_is_named(changed: dict[str, Any], said: str) -> None:
    failures = judged(replace(GOOD, failures=[], **changed)).failures
    assert len(failures) == 1
    assert said in failures[0]


def test_time_inside_tasks_is_counted_once_where_two_ran_at_once() -> None:
    assert covered([(0, 10), (5, 12), (20, 21), (6, 7)]) == 13
    assert covered([]) == 0
    assert Share("r", whole=100, inside=60, people=20).overhead == pytest.approx(0.25)
