"""Every check of the export's gates: a good row passes, and one wrong number blocks by exactly that check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from privacy_ops import thresholds
from privacy_ops.gates.runner import judge
from privacy_ops.settings import home_directory
from privacy_ops.usage import release_spec
from privacy_ops.usage.measure import Metrics
from privacy_ops.usage.suites import files_suite, input_suite, published_suite

SPEC = release_spec.load(home_directory() / "include" / "release_spec.yaml")
LIMITS = thresholds.load(home_directory() / "include" / "thresholds.yaml")
GOOD_INPUT = {
    "detection_hours": 3.75,
    "minors_left": 0,
    "excluded_left": 0,
    "entitled_courses": 4,
    "unknown_courses": 0,
    "hours_closed": 54.0,
    "window_hours": 168,
    "events": 1000,
    "missing_days": 0,
    "empty_weeks": 0,
    "baseline_weeks": 8,
    "source_ratio": 1.1,
}
GOOD_FILES = dict.fromkeys(Metrics.names(), 0) | {"packs": 4}
GOOD_PUBLISHED = {"packs": 4, "unregistered": 0, "unapproved": 0, "wrong_bytes": 0}
SUITES = {
    "input": (input_suite(LIMITS), GOOD_INPUT),
    "files": (files_suite(SPEC), GOOD_FILES),
    "published": (published_suite(), GOOD_PUBLISHED),
}


def verdict(gate: str, **changes: object):
    suite, good = SUITES[gate]
    return judge(
        suite,
        pd.DataFrame([good | changes]),
        run_id="x/y",
        subject_sha256="0" * 64,
        judged_at=datetime(2026, 11, 18, 6, tzinfo=UTC),
        valid_for=timedelta(hours=24),
    )


@pytest.mark.parametrize("gate", SUITES)
def test_a_good_row_passes(gate):
    found = verdict(gate)
    assert (found.verdict, found.failed) == ("pass", ())


@pytest.mark.parametrize(
    ("gate", "column", "value", "check"),
    [
        ("input", "detection_hours", 26.1, "E-01"),
        ("input", "detection_hours", None, "E-01"),
        ("input", "minors_left", 1, "E-01-minors"),
        ("input", "entitled_courses", 0, "E-02"),
        ("input", "unknown_courses", 1, "E-02-courses"),
        ("input", "excluded_left", 1, "E-03"),
        ("input", "hours_closed", 47.9, "E-04"),
        ("input", "hours_closed", -3.0, "E-04"),
        ("input", "window_hours", 170, "E-04-hours"),
        ("input", "events", 0, "E-05"),
        ("files", "packs_off_plan", 1, "E-12-plan"),
        ("files", "wrong_files", 1, "E-12-files"),
        ("files", "wrong_metadata", 1, "E-12-metadata"),
        ("files", "uncovered", 1, "E-02-files"),
        ("files", "small_counts", 1, "E-06"),
        ("files", "unrounded_counts", 1, "E-06-round"),
        ("files", "wrong_flags", 1, "E-06-flags"),
        ("files", "exposed_masters", 1, "E-07"),
        ("files", "exposed_cells", 1, "E-08"),
        ("files", "contradictions", 1, "E-08-same"),
        ("files", "narrowed_cells", 1, "E-09"),
        ("files", "wrong_columns", 1, "E-10"),
        ("files", "wrong_grain", 1, "E-10-grain"),
        ("files", "wrong_rows", 1, "E-10-rows"),
        ("files", "wrong_values", 1, "E-10-values"),
        ("files", "unknown_values", 1, "E-11"),
        ("files", "hidden_data", 1, "E-12-hidden"),
        ("files", "formulas", 1, "E-12-formulas"),
        ("files", "identifiers", 1, "E-13"),
        ("files", "restated", 1, "E-15"),
        ("files", "overspent", 1, "E-17"),
        ("files", "refused_corrections", 1, "E-15-correction"),
        ("published", "unregistered", 1, "E-12-registered"),
        ("published", "unapproved", 1, "E-14"),
        ("published", "wrong_bytes", 1, "E-12-bytes"),
    ],
)
def test_exactly_one_check_blocks(gate, column, value, check):
    found = verdict(gate, **{column: value})
    assert (found.verdict, found.failed) == ("block", (check,))


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [
        ("missing_days", 1, "E-05-days"),
        ("empty_weeks", 1, "E-05-weeks"),
        ("baseline_weeks", 7, "E-05-baseline"),
        ("source_ratio", 0.59, "E-05-volume"),
        ("source_ratio", 1.41, "E-05-volume"),
    ],
)
def test_some_only_warn(column, value, check):
    found = verdict("input", **{column: value})
    assert (found.verdict, found.failed) == ("warn", (check,))


def test_every_check_was_seen_to_fail():
    """A new check without a row above is noticed here."""
    rows = {mark.args[1][i] for mark in _marks() for i in range(len(mark.args[1]))}
    seen = {row[-1] for row in rows}
    assert {c.id for suite, _ in SUITES.values() for c in suite.checks} - {"E-00"} == seen


def _marks():
    for function in (test_exactly_one_check_blocks, test_some_only_warn):
        yield from function.pytestmark
