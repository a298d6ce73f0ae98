"""A plan that cannot be proven holds up no other, and still keeps the job red."""

from __future__ import annotations

from datetime import timedelta

import pytest
from privacy_ops.errors import GateBlocked

from tests.integration import nights
from tests.integration.press import MINOR, NOW, Press


def test_a_plan_that_is_not_proven_holds_up_no_later_one(press: Press) -> None:
    first = press.person(born=MINOR)
    run = press.open_run()
    nights.prepare(press.workspace, run)
    for step in ("erase_database", "erase_objects"):
        nights.STEPS[step](press.workspace, run, NOW)
    came_back = {"email": "x@example.org", "email_norm": "x@example.org", "created_at": NOW}
    press.add("account", user_id=first, **came_back)
    with pytest.raises(GateBlocked, match="G-28"):
        nights.STEPS["verify"](press.workspace, run, NOW)
    later = NOW + timedelta(days=1)
    press.person(born=MINOR)
    second = press.open_run("second", at=later)
    with pytest.raises(GateBlocked, match="not proven"):
        nights.whole(press.workspace, second, later)
    assert press.count("account") == 1
    states = press.execute("SELECT run_id, state FROM gov.erasure_plan ORDER BY frozen_at")
    assert [state for _, state in states] == ["objects_erased", "certified"]
    press.execute("DELETE FROM press.account")
    third = press.open_run("third", at=later + timedelta(days=1))
    nights.whole(press.workspace, third, later + timedelta(days=1))
    assert {s for (s,) in press.execute("SELECT state FROM gov.erasure_plan")} == {"certified"}
    assert press.case_of(first) is None
