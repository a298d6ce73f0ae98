"""Whoever stands before a red gate finds each of its checks in the runbook that the report names, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from privacy_ops import thresholds
from privacy_ops.erasure import gates as erasure
from privacy_ops.erasure.downstream import gate as downstream
from privacy_ops.erasure.returning import restore, resweep
from privacy_ops.erasure.traces import look
from privacy_ops.gates.suite import Suite
from privacy_ops.minors import gates as minors
from privacy_ops.minors import intake

ROOT = Path(__file__).parents[2]
LIMITS = thresholds.load(ROOT / "include" / "thresholds.yaml")
SUITES = (
    minors.source_suite("a", LIMITS),
    minors.source_suite("a", LIMITS, dates=False),
    minors.detection_suite(),
    intake.suite(LIMITS),
    erasure.plan_suite(LIMITS),
    erasure.done_suite(),
    downstream.suite(LIMITS),
    resweep.sweep_suite(),
    restore.restored_suite(),
    look.suite(),
)
RUNBOOKS = sorted({suite.runbook for suite in SUITES})


def explained(runbook: str) -> set[str]:
    """Checks in the first cell of a table row whose last cell says what to do."""
    rows = re.findall(r"^\| (`[A-Z].*?) \| .+ \| (.+) \|$", (ROOT / runbook).read_text(encoding="utf-8"), re.MULTILINE)
    return {name for first, do in rows if do.strip() for name in re.findall(r"`([A-Z][A-Z0-9-]+)`", first)}


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.gate)
def test_every_check_of_a_gate_has_a_row_in_its_runbook(suite: Suite) -> None:
    assert {check.id for check in suite.checks} - {"ROWS"} <= explained(suite.runbook)


@pytest.mark.parametrize("runbook", RUNBOOKS)
def test_no_runbook_explains_a_check_that_is_gone(runbook: str) -> None:
    known = {check.id for suite in SUITES for check in suite.checks}
    assert {name for name in explained(runbook) if re.match(r"(G-\d|M\d-|CANARY|TRACES)", name)} <= known
