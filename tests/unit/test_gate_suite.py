"""A suite that could pass without having looked is refused when it is made."""

from __future__ import annotations

import pytest
from privacy_ops.errors import ConfigError
from privacy_ops.gates.runner import CheckResult, decide
from privacy_ops.gates.suite import Check, Suite

ROWS = Check("G-ROWS", "there is one row", "ExpectTableRowCountToEqual", {"value": 1})
SMALL = Check("G-01", "few are late", "ExpectColumnMaxToBeBetween", {"column": "late", "max_value": 3})


def row_check(expectation: str, severity: str = "critical", **kwargs: object) -> Check:
    return Check("G-ROWS", "rows are there", expectation, kwargs, severity)  # type: ignore[arg-type]


def test_a_suite_without_checks_is_refused() -> None:
    with pytest.raises(ConfigError, match="no checks"):
        Suite("plan", "The plan", ())


@pytest.mark.parametrize(
    "rows",
    [
        SMALL,
        row_check("ExpectTableRowCountToEqual", "warning", value=1),
        row_check("ExpectTableRowCountToEqual", value=0),
        row_check("ExpectTableRowCountToBeBetween", min_value=0, max_value=9),
        row_check("ExpectTableRowCountToBeBetween", max_value=9),
        row_check("ExpectTableColumnCountToEqual", value=1),
    ],
    ids=[
        "no_row_count",
        "row_count_only_warns",
        "equal_to_zero",
        "from_zero",
        "no_lower_bound",
        "columns_are_not_rows",
    ],
)
def test_a_suite_that_an_empty_table_would_pass_is_refused(rows: Check) -> None:
    with pytest.raises(ConfigError, match="how many rows"):
        Suite("plan", "The plan", (rows,))


@pytest.mark.parametrize(
    "rows", [ROWS, row_check("ExpectTableRowCountToBeBetween", min_value=1)], ids=["exactly_one", "one_or_more"]
)
def test_a_suite_that_counts_rows_is_accepted(rows: Check) -> None:
    assert Suite("plan", "The plan", (rows, SMALL)).checks == (rows, SMALL)


def test_a_check_id_used_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"used twice: G-01"):
        Suite("plan", "The plan", (ROWS, SMALL, SMALL))


def test_columns_of_every_kind_of_expectation_are_known() -> None:
    assert SMALL.columns == ("late",)
    assert Check("x", "", "E", {"column_A": "found", "column_B": "gone"}).columns == ("found", "gone")
    assert Check("x", "", "E", {"column_list": ["a", "b"]}).columns == ("a", "b")
    assert ROWS.columns == ()


def result(severity: str, *, success: bool, errored: bool = False) -> CheckResult:
    return CheckResult("G-01", "t", severity, success, errored, None, "")  # type: ignore[arg-type]


HOLDS = result("critical", success=True)


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ((), "block"),
        ((HOLDS,), "pass"),
        ((HOLDS, result("warning", success=True)), "pass"),
        ((HOLDS, result("warning", success=False)), "warn"),
        ((HOLDS, result("critical", success=False)), "block"),
        ((result("warning", success=False), result("critical", success=False)), "block"),
        ((HOLDS, result("warning", success=False, errored=True)), "block"),
    ],
    ids=["nothing", "holds", "all_hold", "warning_fails", "critical_fails", "both_fail", "warning_errs"],
)
def test_the_verdict_comes_from_severities(checks: tuple[CheckResult, ...], verdict: str) -> None:
    assert decide(checks) == verdict
