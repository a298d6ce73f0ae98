"""Colours of the policy's promises from evidence: each rule of the page alone turns a promise, at its boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from privacy_ops.console import promises
from privacy_ops.console.promises import Evidence, Gate, Job, JobState, OpenFindings, Promise, Promises
from privacy_ops.errors import ConfigError
from privacy_ops.settings import home_directory

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
GOOD = {"title": "t", "breached": 0, "over": 0}
REGISTRY = Promises(
    jobs={"night": Job(every_hours=24), "hour": Job(every_hours=1)},
    promises=(
        Promise(id="P-1", section="10", words="w", jobs=("night",), signs=("service_levels", "canaries")),
        Promise(id="P-2", section="7", words="w", jobs=("night",), findings=("undeclared",)),
        Promise(id="P-3", section="7", words="w", jobs=("night",), findings=("*",)),
        Promise(id="P-4", section="1", words="w"),
        Promise(id="P-5", section="1", words="w", jobs=("night", "hour"), signs=("returns", "ledger")),
    ),
)


def state(hours: float, *gates: Gate, **changes: object) -> JobState:
    end = NOW - timedelta(hours=hours)
    return replace(JobState("night/1", "done", end, end, gates), **changes)


def gate(verdict: str, name: str = "g") -> Gate:
    return Gate(name, verdict, 5, NOW, ("G-1",) if verdict != "pass" else ())


FINE = Evidence(
    jobs={"night": state(2, gate("pass")), "hour": state(1)},
    levels={"M1": GOOD},
    canaries=[(NOW - timedelta(hours=30), True)],
    ledger_holds=True,
)


def colours(evidence: Evidence) -> dict[str, str]:
    return {one.promise.id: one.colour for one in promises.judge(REGISTRY, evidence, NOW)}


def test_everything_in_order_is_green_and_what_nobody_keeps_is_not_judged() -> None:
    assert colours(FINE) == {"P-1": "green", "P-2": "green", "P-3": "green", "P-5": "green"}
    assert [one.id for one in REGISTRY.open] == ["P-4"]


def test_no_evidence_at_all_is_red_everywhere() -> None:
    assert set(colours(Evidence()).values()) == {"red"}
    (first, *_) = promises.judge(REGISTRY, Evidence(paused={"night"}), NOW)
    assert first.evidence_at is None
    assert "paused" in first.said[0].text


@pytest.mark.parametrize(("hours", "colour"), [(48, "green"), (48.01, "red")])
def test_evidence_older_than_twice_the_period_is_none(hours: float, colour: str) -> None:
    assert colours(replace(FINE, jobs=FINE.jobs | {"night": state(hours)}))["P-2"] == colour


@pytest.mark.parametrize(
    ("verdicts", "colour"),
    [(["pass"], "green"), (["warn"], "amber"), (["warn", "block"], "red"), (["warn"] * 9, "amber")],
)
def test_a_gate_of_the_newest_run_counts(verdicts: list[str], colour: str) -> None:
    gates = [gate(verdict, f"g{n}") for n, verdict in enumerate(verdicts)]
    judged = promises.judge(REGISTRY, replace(FINE, jobs=FINE.jobs | {"night": state(2, *gates)}), NOW)[1]
    assert judged.colour == colour
    assert len(judged.said) <= 4, "nine warnings are one line"
    assert [s.link for s in judged.said if "shut" in s.text] == ["gates/5"] * verdicts.count("block")


@pytest.mark.parametrize("ended", ["open", "failed"])
def test_a_newer_run_that_has_not_ended_well_is_to_look_at(ended: str) -> None:
    newer = state(2, state=ended, as_of=NOW - timedelta(hours=1))
    assert colours(replace(FINE, jobs=FINE.jobs | {"night": newer}))["P-2"] == "amber"


@pytest.mark.parametrize(
    ("changes", "colour"),
    [
        ({"levels": {"M1": GOOD | {"over": 1}}}, "amber"),
        ({"levels": {"M1": GOOD | {"over": 1, "breached": 1}}}, "red"),
        ({"levels": None}, "red"),
        ({"canaries": []}, "amber"),
        ({"canaries": [(NOW - timedelta(hours=25), False)]}, "amber"),
        ({"canaries": [(NOW - timedelta(hours=27), False)]}, "red"),
        ({"canaries": [(NOW - timedelta(hours=1), False), (NOW - timedelta(hours=30), True)]}, "green"),
    ],
)
def test_signs_of_the_deletion(changes: dict[str, object], colour: str) -> None:
    assert colours(replace(FINE, **changes))["P-1"] == colour


@pytest.mark.parametrize(
    ("changes", "colour"),
    [({"returned": 1}, "red"), ({"ledger_holds": None}, "amber"), ({"ledger_holds": False}, "red")],
)
def test_signs_of_what_stays_away(changes: dict[str, object], colour: str) -> None:
    assert colours(replace(FINE, **changes))["P-5"] == colour


@pytest.mark.parametrize(
    ("finding", "colour"),
    [
        (OpenFindings("undeclared", "INFO", 3, 0), "green"),
        (OpenFindings("undeclared", "MEDIUM", 1, 0), "amber"),
        (OpenFindings("undeclared", "MEDIUM", 1, 1), "red"),
        (OpenFindings("undeclared", "HIGH", 1, 0), "red"),
    ],
)
def test_findings_of_its_rules(finding: OpenFindings, colour: str) -> None:
    judged = colours(replace(FINE, findings=[finding]))
    assert (judged["P-2"], judged["P-3"]) == (colour, "green"), "a rule that is claimed is not everything else"


def test_a_rule_that_nobody_claims_is_not_lost() -> None:
    judged = colours(replace(FINE, findings=[OpenFindings("quite_new", "CRITICAL", 1, 0)]))
    assert (judged["P-2"], judged["P-3"]) == ("green", "red")


def test_the_registry_lists_every_promise_and_only_jobs_that_are_there() -> None:
    registry = promises.load(home_directory() / "include" / "registry" / "promises.yaml")
    assert [one.id for one in registry.promises] == [f"P-{n:02}" for n in range(1, 66)]
    dags = {path.stem for path in (home_directory() / "dags").glob("*.py")}
    assert set(registry.jobs) <= dags
    assert len(registry.covered) >= 10
    others = [p for p in registry.promises if promises.EVERYTHING_ELSE in p.findings]
    assert len(others) == 1


@pytest.mark.parametrize(
    "text",
    ["jobs: {}\npromises: [{id: P-1, section: a, words: w, jobs: [gone]}]", "promises: 1", "jobs: ["],
)
def test_a_registry_that_does_not_agree_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "promises.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="promises"):
        promises.load(path)
