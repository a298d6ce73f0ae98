"""What "immediately" comes to, on rows at the boundary of each target and limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from privacy_ops import thresholds
from privacy_ops.minors import service_levels
from privacy_ops.settings import home_directory

LIMITS = thresholds.load(home_directory() / "include" / "thresholds.yaml")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def case(case_class: str = "CONFIRMED_MINOR", **changes: Any) -> Any:
    values = {
        "state": "CLOSED",
        "decision": None,
        "discovered_at": NOW - hours(48),
        "restricted_at": NOW - hours(48),
        "restriction": "HARD",
        "decided_at": None,
        "objected_at": None,
        "subject_kind": "person",
        "available_at": NOW - hours(48.1),
        "backlog": False,
        "erased_at": NOW - hours(47),
        "everywhere_at": NOW - hours(46),
    } | changes
    return SimpleNamespace(**values, _mapping=values | {"class": case_class})


@pytest.mark.parametrize(
    ("name", "late", "over", "breached"),
    [("at_the_target", 0.25, 0, 0), ("over_it", 0.26, 1, 0), ("at_the_limit", 26, 1, 0), ("over_that", 26.1, 1, 1)],
)
def test_restriction_is_measured_from_the_evidence(name: str, late: float, over: int, breached: int) -> None:
    rows = [case(available_at=NOW - hours(late), restricted_at=NOW), case(restriction="NONE"), case(subject_kind="row")]
    level = service_levels.restricted(rows, LIMITS, NOW)
    assert (level.measured, level.over, level.breached, level.open) == (1, over, breached, 0)


def test_old_evidence_has_a_night_and_who_is_not_restricted_yet_is_measured_up_to_now() -> None:
    old = case(available_at=NOW - hours(20), restricted_at=NOW, backlog=True)
    waits = case(available_at=NOW - hours(27), restricted_at=None)
    level = service_levels.restricted([old, waits], LIMITS, NOW)
    assert (level.measured, level.over, level.breached, level.open) == (2, 1, 1, 1)
    assert "1 stood there before anybody looked" in level.note


@pytest.mark.parametrize(
    ("name", "days_ago", "decided", "over", "breached"),
    [
        ("the_next_working_day", 1, True, 0, 0),
        ("two_days", 2, True, 1, 0),
        ("a_week_is_five_working_days", 7, True, 1, 0),
        ("eight_days_are_six", 8, True, 1, 1),
        ("undecided_runs_on", 8, False, 1, 1),
    ],
)
def test_decisions_are_measured_in_working_days(
    name: str, days_ago: int, decided: bool, over: int, breached: int
) -> None:
    row = case(
        "SUSPECTED_MINOR",
        state="RESTRICTED",
        restricted_at=NOW - timedelta(days=days_ago),
        decided_at=NOW if decided else None,
        decision="CONFIRMED" if decided else None,
    )
    level = service_levels.decided([row, case()], LIMITS, NOW)
    assert (level.measured, level.over, level.breached, level.open) == (1, over, breached, int(not decided))


def test_a_counter_signal_is_due_on_the_same_day_and_a_birthday_is_waited_for() -> None:
    yesterday = {"state": "RESTRICTED", "restricted_at": NOW - hours(24)}
    rows = [case("CONFIRMED_PENDING_COUNTER", **yesterday), case("INDETERMINATE", **yesterday)]
    level = service_levels.decided(rows, LIMITS, NOW)
    assert (level.measured, level.over) == (1, 1)


@pytest.mark.parametrize(
    ("name", "row", "measured", "over", "breached"),
    [
        ("in_time", case(discovered_at=NOW - hours(4), erased_at=NOW), 1, 0, 0),
        ("late", case(discovered_at=NOW - hours(4.1), erased_at=NOW), 1, 1, 0),
        ("at_the_limit", case(discovered_at=NOW - hours(24), erased_at=NOW), 1, 1, 0),
        ("over_it", case(discovered_at=NOW - hours(24.1), erased_at=NOW), 1, 1, 1),
        ("still_there", case(state="RESTRICTED", discovered_at=NOW - hours(25), erased_at=None), 1, 1, 1),
        ("held_by_law", case(state="ON_HOLD", erased_at=None), 0, 0, 0),
        ("a_suspicion", case("SUSPECTED_MINOR", state="RESTRICTED", erased_at=None), 0, 0, 0),
        ("people_decide_it", case(state="RESTRICTED", objected_at=NOW, erased_at=None), 0, 0, 0),
        (
            "from_the_decision_on",
            case("SUSPECTED_MINOR", decision="CONFIRMED", decided_at=NOW - hours(1), erased_at=NOW),
            1,
            0,
            0,
        ),
    ],
)
def test_erasure_is_measured_from_the_confirmation(
    name: str, row: Any, measured: int, over: int, breached: int
) -> None:
    level, _ = service_levels.erased([row], LIMITS, NOW)
    assert (level.measured, level.over, level.breached) == (measured, over, breached)


def test_every_store_answers_and_backups() -> None:
    _, everywhere = service_levels.erased([case(everywhere_at=NOW + hours(25))], LIMITS, NOW)
    assert (everywhere.over, everywhere.breached) == (1, 1)  # 73 hours

    told = SimpleNamespace(created_at=NOW - hours(73), instructed_at=NOW - hours(72), acked_at=None)
    never = SimpleNamespace(created_at=NOW - hours(721), instructed_at=None, acked_at=None)
    level = service_levels.acknowledged([told, never], LIMITS, NOW)
    assert (level.over, level.breached, level.open) == (1, 1, 2)

    young = SimpleNamespace(erased_at=NOW - timedelta(days=35), ages_out_on=NOW.date(), aged_out_at=NOW)
    old = SimpleNamespace(
        erased_at=NOW - timedelta(days=36), ages_out_on=NOW.date() - timedelta(days=1), aged_out_at=None
    )
    level = service_levels.backed_up([young, old], LIMITS, NOW)
    assert (level.breached, level.open) == (1, 1)
    assert level.note.startswith("1 past")


def test_false_positives_are_a_share_of_all_restricted_and_nothing_is_divided_by_nobody() -> None:
    rows = [case(decision="CLEARED", state="CLEARED"), case(), case(), case(restricted_at=None)]
    assert service_levels.false_positives(rows).median == 0.3333
    assert service_levels.false_positives([]).median is None
    assert service_levels.restricted([], LIMITS, NOW).worst is None
