"""Made-up minors planted through the data map: found by the next night, and it is red when they are not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from privacy_ops.errors import GateBlocked, UserError
from privacy_ops.minors import canaries, detect, gates

from tests.integration.press import NOW, Press

EARLIER = NOW - timedelta(minutes=5)


def test_planted_people_are_found_by_the_next_night(press: Press) -> None:
    assert canaries.plant(press.workspace, 3, now=EARLIER, given={}) == 3
    run = press.open_run("run")
    gates.check_sources(press.workspace, run)
    counts = detect.detect_and_restrict(press.workspace, run)
    assert counts["classes"]["CONFIRMED_MINOR"] == 3
    gates.judge_detection(press.workspace, run, counts)
    assert press.scalar("SELECT count(*) FROM gov.minor_case JOIN gov.canary USING (subject_ref)") == 3
    assert press.count("account", "email LIKE '%@canary.example.org'") == press.count("account") == 3


def test_a_night_that_does_not_find_one_is_red(press: Press) -> None:
    canaries.plant(press.workspace, 2, now=EARLIER, given={})
    press.execute(
        "UPDATE press.profile SET dob_date = NULL, dob_raw = NULL"
        " WHERE user_id = (SELECT user_id FROM press.profile LIMIT 1)"
    )
    run = press.open_run("run")
    gates.check_sources(press.workspace, run)
    counts = detect.detect_and_restrict(press.workspace, run)
    with pytest.raises(GateBlocked, match="CANARY-FOUND"):
        gates.judge_detection(press.workspace, run, counts)


def test_a_value_that_the_database_refuses_plants_nobody_and_says_what_to_do(press: Press) -> None:
    press.execute("ALTER TABLE press.account ADD COLUMN kind text NOT NULL CHECK (kind IN ('a', 'b'))")
    with pytest.raises(UserError, match="--set"):
        canaries.plant(press.workspace, 2, now=EARLIER, given={})
    assert (press.count("account"), press.scalar("SELECT count(*) FROM gov.canary")) == (0, 0)
    assert canaries.plant(press.workspace, 2, now=EARLIER, given={("press.account", "kind"): "b"}) == 2
