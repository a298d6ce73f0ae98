"""Made-up minors planted through the data map: found by the next night, and it is red when they are not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from privacy_ops.errors import GateBlocked, UserError
from privacy_ops.minors import canaries, detect, gates

from tests.integration import nights
from tests.integration.press import NOW, Press

EARLIER = NOW - timedelta(minutes=5)
ADULTS = "DATE '1980-01-01' + CAST(n AS integer)"


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


def test_one_that_can_never_be_found_is_withdrawn_by_somebody(press: Press) -> None:
    press.crowd(20, ADULTS)
    canaries.plant(press.workspace, 1, now=EARLIER, given={})
    press.execute(
        "DELETE FROM press.profile USING press.account AS a WHERE a.user_id = profile.user_id AND a.email ~ 'canary'"
    )
    run = press.open_run("run")
    gates.check_sources(press.workspace, run)
    counts = detect.detect_and_restrict(press.workspace, run)
    with pytest.raises(GateBlocked, match="CANARY-FOUND"):
        gates.judge_detection(press.workspace, run, counts)
    with pytest.raises(UserError, match="answers"):
        canaries.withdraw(press.workspace, before=NOW, by=" ", now=NOW)
    assert canaries.withdraw(press.workspace, before=EARLIER, by="dora", now=NOW) == 0  # planted at it, not before it
    assert canaries.withdraw(press.workspace, before=NOW, by="dora", now=NOW) == 1
    assert canaries.withdraw(press.workspace, before=NOW, by="dora", now=NOW) == 0
    assert gates.judge_detection(press.workspace, run, counts)["gate"] == "warn"  # none lives: CANARY-PLANTED
    assert press.scalar("SELECT count(*) FROM gov.canary_state") == 0


def test_only_a_living_one_counts_as_planted(press: Press) -> None:
    press.crowd(20, ADULTS)
    canaries.plant(press.workspace, 1, now=EARLIER, given={})
    run = press.open_run("run")
    nights.whole(press.workspace, run)
    planted = "SELECT 1 FROM gov.gate_result, jsonb_array_elements(checks) AS c WHERE run_id = :r"
    failed = f"{planted} AND c ->> 'id' = 'CANARY-PLANTED' AND NOT (c ->> 'success')::boolean"
    assert press.execute(failed, r="minor_data_deletion/run") == []
    nights.find(press.workspace, press.open_run("second", at=NOW + timedelta(days=1)))
    assert len(press.execute(failed, r="minor_data_deletion/second")) == 1
    assert canaries.withdraw(press.workspace, before=NOW, by="dora", now=NOW) == 0, "who was erased stays as proof"


def test_a_value_that_the_database_refuses_plants_nobody_and_says_what_to_do(press: Press) -> None:
    press.execute("ALTER TABLE press.account ADD COLUMN kind text NOT NULL CHECK (kind IN ('a', 'b'))")
    with pytest.raises(UserError, match="--set"):
        canaries.plant(press.workspace, 2, now=EARLIER, given={})
    assert (press.count("account"), press.scalar("SELECT count(*) FROM gov.canary")) == (0, 0)
    assert canaries.plant(press.workspace, 2, now=EARLIER, given={("press.account", "kind"): "b"}) == 2
