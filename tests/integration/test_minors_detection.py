"""Detection on a real database: who gets a case, who is restricted, what a second run does."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from privacy_ops.errors import GateBlocked
from privacy_ops.minors import holds
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources, judge_detection

from tests.integration.press import ADULT, MINOR, NOW, Press


def detect(press: Press, name: str = "run", **changes: object) -> dict[str, object]:
    run = press.open_run(name, **changes)
    check_sources(press.workspace, run)
    return detect_and_restrict(press.workspace, run)


def test_a_confirmed_minor_is_restricted_and_the_old_status_is_remembered(press: Press) -> None:
    child, adult = press.person(born=MINOR), press.person(born=ADULT)
    counts = detect(press)
    case = press.case_of(child)
    assert case._mapping["class"] == "CONFIRMED_MINOR"
    assert (case.state, case.restriction_previous, case.discovered_at) == ("RESTRICTED", "active", NOW)
    assert (press.status(child), press.status(adult)) == ("restricted", "active")
    assert press.case_of(adult) is None
    assert (counts["opened"], counts["restricted"]) == (1, 1)
