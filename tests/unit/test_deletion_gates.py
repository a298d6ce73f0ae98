"""Each check of the deletion gates: exactly it fails when exactly its figure is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from privacy_ops import thresholds
from privacy_ops.erasure.gates import done_suite, plan_suite
from privacy_ops.erasure.returning.restore import restored_suite
from privacy_ops.erasure.returning.resweep import sweep_suite
from privacy_ops.gates.runner import judge
from privacy_ops.gates.suite import Suite
from privacy_ops.minors.gates import detection_suite, source_metrics, source_suite

LIMITS = thresholds.load(Path(__file__).parents[2] / "include" / "thresholds.yaml")
NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
SUITES = (
    source_suite("press.profile.dob_date", LIMITS),
    detection_suite(),
    plan_suite(LIMITS),
    done_suite(),
    sweep_suite(),
    restored_suite(),
)
ONE_IS_GOOD = {"parse_rate", "sources", "candidates", "canaries_planted", "canaries_erased_or_idle"}


def figures(suite: Suite) -> dict[str, float]:
    """A row on which every check holds."""
    columns = {column for check in suite.checks for column in check.columns}
    return {column: 1.0 if column in ONE_IS_GOOD else 0.0 for column in columns}


def verdict_on(suite: Suite, row: dict[str, float]) -> tuple[str, tuple[str, ...]]:
    found = judge(
        suite,
        pd.DataFrame([row]),
        run_id="d/1",
        subject_sha256="ab" * 32,
        judged_at=NOW,
        valid_for=timedelta(hours=1),
    )
    return found.verdict, found.failed


CHECKS = [(suite, check) for suite in SUITES for check in suite.checks if check.columns]


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: s.gate)
def test_a_row_without_fault_passes(suite: Suite) -> None:
    assert verdict_on(suite, figures(suite)) == ("pass", ())


@pytest.mark.parametrize(("suite", "check"), CHECKS, ids=[f"{s.gate}-{c.id}" for s, c in CHECKS])
def test_exactly_this_check_fails_on_its_figure(suite: Suite, check: object) -> None:
    (column,) = check.columns  # type: ignore[attr-defined]
    wrong = figures(suite) | {column: 0.0 if column in ONE_IS_GOOD else 1e6}
    expected = "block" if check.severity == "critical" else "warn"  # type: ignore[attr-defined]
    assert verdict_on(suite, wrong) == (expected, (check.id,))  # type: ignore[attr-defined]


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: s.gate)
def test_a_figure_that_nobody_gathered_blocks(suite: Suite) -> None:
    row = figures(suite)
    row.popitem()
    assert verdict_on(suite, row)[0] == "block"


def observed(**changes: object) -> dict[str, object]:
    return {
        "rows": 1000,
        "nulls": 100,
        "parsed": 900,
        "peak": 5,
        "newest_row_at": NOW,
        "minors": 0,
        "stated": 0,
    } | changes


def measured(history_runs: int = 8, **changes: object) -> dict[str, float]:
    history = {"runs": history_runs, "median_rows": 1000.0 if history_runs else None}
    return source_metrics(observed(**changes), history, expect_rows=True, at=NOW, limits=LIMITS)


def test_seven_runs_are_no_baseline_and_eight_are() -> None:
    assert measured(7, rows=1)["baseline_missing"] == 1.0
    assert measured(7, rows=1)["volume_deviation"] == 0.0
    assert measured(8)["baseline_missing"] == 0.0


def test_the_volume_may_move_by_its_band() -> None:
    suite = SUITES[0]
    assert verdict_on(suite, measured(rows=1300, parsed=1200)) == ("pass", ())
    assert verdict_on(suite, measured(rows=1301, parsed=1201)) == ("block", ("G-02-VOLUME",))
    assert verdict_on(suite, measured(rows=699, parsed=599)) == ("block", ("G-02-VOLUME",))


def test_zero_rows_block_without_any_baseline() -> None:
    found = verdict_on(SUITES[0], measured(0, rows=0, nulls=0, parsed=0, peak=0))
    assert found == ("block", ("G-02-EMPTY", "G-02-BASELINE"))


def test_a_few_equal_dates_are_chance_and_twenty_are_not() -> None:
    assert measured(rows=30, nulls=0, parsed=30, peak=19)["single_date_share"] == 0.0
    assert measured(rows=30, nulls=0, parsed=30, peak=20)["single_date_share"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("minors", "stated", "found"),
    [
        (99, 1000, ("pass", ())),
        (100, 1000, ("pass", ())),
        (101, 1000, ("block", ("G-05-MINORS",))),
        (24, 24, ("pass", ())),  # a small publisher with a few children
        (25, 25, ("block", ("G-05-MINORS",))),
    ],
)
def test_a_feed_in_which_too_many_are_children_is_a_broken_feed(minors: int, stated: int, found: object) -> None:
    assert verdict_on(SUITES[0], measured(minors=minors, stated=stated)) == found
