"""Gates judged by the real Great Expectations, and what of the judged frame gets out: no value, anywhere."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
import weakref
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest
from privacy_ops.errors import ConfigError, GateBlocked
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Check, Mode, Severity, Suite

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
SHA = "ab" * 32
PLANTED = "planted.child@example.org"
PLANTED_DATE = "2011-03-04"
ONE_ROW = Check("G-ROWS", "there is exactly one row of numbers", "ExpectTableRowCountToEqual", {"value": 1})
SOME_ROWS = Check("G-ROWS", "rows are there", "ExpectTableRowCountToBeBetween", {"min_value": 1})


def at_most(column: str, most: float, severity: Severity = "critical", check_id: str = "G-01") -> Check:
    kwargs = {"column": column, "max_value": most}
    return Check(check_id, f"{column} stays small", "ExpectColumnMaxToBeBetween", kwargs, severity, do="look")


def judge(frame: pd.DataFrame, *checks: Check, mode: Mode = "metrics") -> runner.Verdict:
    rows = ONE_ROW if mode == "metrics" else SOME_ROWS
    return runner.judge(
        Suite("plan", "The erasure plan", (rows, *checks), runbook="docs/runbooks/x.md", mode=mode),
        frame,
        run_id="minor_data_deletion/manual__1",
        subject_sha256=SHA,
        judged_at=NOW,
        valid_for=timedelta(hours=24),
    )


def test_a_metrics_row_within_bounds_passes_and_shows_its_numbers() -> None:
    verdict = judge(pd.DataFrame([{"late": 2}]), at_most("late", 3))
    assert (verdict.verdict, verdict.failed) == ("pass", ())
    assert [c.observed for c in verdict.checks] == [1, 2]
    assert (verdict.judged_at, verdict.expires_at) == (NOW, NOW + timedelta(hours=24))


@pytest.mark.parametrize(
    ("late", "verdict"),
    [(3, "pass"), (4, "block"), (Decimal("3.0"), "pass"), (Decimal("3.5"), "block"), (True, "pass")],
)
def test_the_bound_itself_holds_and_one_more_blocks(late: object, verdict: str) -> None:
    assert judge(pd.DataFrame([{"late": late}]), at_most("late", 3)).verdict == verdict


def test_a_failed_warning_warns_and_does_not_block() -> None:
    verdict = judge(pd.DataFrame([{"late": 4, "shift": 9}]), at_most("late", 5), at_most("shift", 3, "warning", "W-01"))
    assert (verdict.verdict, verdict.failed) == ("warn", ("W-01",))
    runner.raise_if_blocked(verdict, 1)


@pytest.mark.parametrize("severity", ["critical", "warning"])
@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NaT, pd.NA], ids=["None", "nan", "NaT", "NA"])
def test_a_null_in_a_metrics_row_blocks_whatever_its_severity(nothing: object, severity: Severity) -> None:
    verdict = judge(pd.DataFrame([{"late": nothing}]), at_most("late", 3, severity))
    assert verdict.verdict == "block"
    assert [c.errored for c in verdict.checks] == [False, True]


@pytest.mark.parametrize(
    ("expectation", "kwargs"),
    [
        ("ExpectColumnValuesToBeBetween", {"column": "late", "max_value": 3}),
        ("ExpectColumnValuesToBeInSet", {"column": "late", "value_set": [0]}),
        ("ExpectColumnPairValuesToBeEqual", {"column_A": "late", "column_B": "found"}),
        ("ExpectMulticolumnSumToEqual", {"column_list": ["late", "found"], "sum_total": 1}),
    ],
)
def test_expectations_that_skip_nulls_block_on_them_too(expectation: str, kwargs: dict[str, object]) -> None:
    """Left to themselves these pass on NULL, as SQL's logic would."""
    check = Check("G-02", "holds", expectation, kwargs, "warning")
    assert judge(pd.DataFrame([{"late": None, "found": 1}]), check).verdict == "block"


def test_a_column_that_is_not_there_blocks_even_as_a_warning() -> None:
    verdict = judge(pd.DataFrame([{"late": 1}]), at_most("missing", 3, "warning"))
    assert (verdict.verdict, verdict.failed) == ("block", ("G-01",))


def test_no_row_at_all_blocks() -> None:
    verdict = judge(pd.DataFrame({"late": pd.Series([], dtype="int64")}), at_most("late", 3, "warning"))
    assert (verdict.verdict, verdict.failed) == ("block", ("G-ROWS", "G-01"))


def test_many_rows_are_not_a_metrics_row() -> None:
    with pytest.raises(ConfigError, match=r"2 rows.*mode='native'"):
        judge(pd.DataFrame({"late": [1, 2]}), at_most("late", 3))


def test_results_are_matched_to_their_checks_whatever_order_they_come_back_in() -> None:
    """Several checks on one column, one fails: exactly that one is named."""
    checks = [at_most("late", n, check_id=f"G-{n:02}") for n in (9, 1, 8, 7, 6)]
    verdict = judge(pd.DataFrame([{"late": 5}]), *checks)
    assert verdict.failed == ("G-01",)
    assert [c.id for c in verdict.checks] == ["G-ROWS", "G-09", "G-01", "G-08", "G-07", "G-06"]


def test_the_very_same_expectation_twice_keeps_both_ids() -> None:
    verdict = judge(pd.DataFrame([{"late": 5}]), at_most("late", 3, check_id="G-A"), at_most("late", 3, check_id="G-B"))
    assert verdict.failed == ("G-A", "G-B")


def test_an_unknown_expectation_and_wrong_arguments_are_the_authors_errors() -> None:
    frame = pd.DataFrame([{"late": 1}])
    with pytest.raises(ConfigError, match="ExpectMiracle does not exist"):
        judge(frame, Check("G-01", "t", "ExpectMiracle", {}))
    with pytest.raises(ConfigError, match="not valid") as caught:
        judge(frame, Check("G-01", "t", "ExpectColumnMaxToBeBetween", {"column": "late", "bad": PLANTED}))
    assert PLANTED not in str(caught.value)


def test_a_native_frame_shows_counts_only() -> None:
    frame = pd.DataFrame({"user_id": [770001, 770002, 770003], "age": [12, 13, 19]})
    under_age = Check("E-01", "all are under 18", "ExpectColumnValuesToBeBetween", {"column": "age", "max_value": 17})
    verdict = judge(frame, under_age, at_most("user_id", 1, check_id="E-02"), mode="native")
    assert (verdict.verdict, [c.observed for c in verdict.checks]) == ("block", [3, 1, None])


def leak_frames() -> dict[str, tuple[pd.DataFrame, Mode]]:
    return {
        "native": (
            pd.DataFrame({
                "email": [PLANTED, "b@example.org"],
                "born": [date(2011, 3, 4), date(2000, 1, 1)],
                "n": [770001, 5],
            }),
            "native",
        ),
        "metrics": (pd.DataFrame([{"email": PLANTED, "born": date(2011, 3, 4), "n": 5}]), "metrics"),
    }


@pytest.mark.parametrize("kind", ["native", "metrics"])
def test_no_planted_value_reaches_result_report_error_or_output(
    kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Checks that fail, that list values, that show the extreme value, and that raise quoting it."""
    frame, mode = leak_frames()[kind]
    checks = [
        Check("L-1", "t", "ExpectColumnValuesToBeInSet", {"column": "email", "value_set": ["nobody"]}),
        Check("L-2", "t", "ExpectColumnMaxToBeBetween", {"column": "born", "max_value": date(1990, 1, 1)}),
        Check("L-3", "t", "ExpectColumnMinToBeBetween", {"column": "email", "min_value": 3}),
        Check("L-4", "t", "ExpectColumnDistinctValuesToBeInSet", {"column": "email", "value_set": ["nobody"]}),
        Check("L-5", "t", "ExpectColumnMostCommonValueToBeInSet", {"column": "email", "value_set": ["nobody"]}),
        Check("L-6", "t", "ExpectColumnValuesToMatchRegex", {"column": "email", "regex": "^[0-9]+$"}),
        Check("L-7", "t", "ExpectColumnValuesToBeDateutilParseable", {"column": "email"}),
        Check("L-8", "t", "ExpectColumnMeanToBeBetween", {"column": "email", "max_value": 1}),
        Check("L-9", "t", "ExpectColumnSumToBeBetween", {"column": "born", "max_value": 1}),
        Check("L-10", "t", "ExpectColumnMaxToBeBetween", {"column": "n", "max_value": 1}),
    ]
    with caplog.at_level(logging.DEBUG):
        verdict = judge(frame, *checks, mode=mode)
    assert verdict.verdict == "block"
    with pytest.raises(GateBlocked) as caught:
        runner.raise_if_blocked(verdict, 7)
    out, err = capfd.readouterr()
    everything = "\n".join([
        json.dumps([asdict(c) for c in verdict.checks]),
        verdict.report_html,
        str(caught.value),
        repr(verdict),
        caplog.text,
        out,
        err,
    ])
    for value in (PLANTED, "planted", PLANTED_DATE, "2011", "770001", "b@example.org"):
        assert value not in everything, value
    assert "Calculating Metrics" not in err  # progress bars fill task logs


def test_the_leak_test_would_see_a_leak() -> None:
    """Raw results of Great Expectations, in the very format that is asked for, do hold the planted value."""
    frame, _ = leak_frames()["native"]
    check = Check("L-2", "t", "ExpectColumnMaxToBeBetween", {"column": "born", "max_value": date(1990, 1, 1)})
    suite = Suite("plan", "t", (SOME_ROWS, check), mode="native")
    raw = runner._validate(suite, frame)
    assert any(PLANTED_DATE in str(r.to_json_dict()) for r in raw.values())


def test_a_crash_inside_the_library_blocks_every_check_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> Any:
        raise ValueError(PLANTED)

    from great_expectations.datasource.fluent.interfaces import Batch

    monkeypatch.setattr(Batch, "validate", crash)
    verdict = judge(pd.DataFrame([{"late": 1}]), at_most("late", 3, "warning"))
    assert (verdict.verdict, verdict.failed) == ("block", ("G-ROWS", "G-01"))
    assert PLANTED not in repr(verdict)


def test_the_frame_does_not_outlive_its_judgement() -> None:
    frame = pd.DataFrame({"user_id": [1, 2]})
    gone = weakref.ref(frame)
    judge(frame, at_most("user_id", 3), mode="native")
    del frame
    gc.collect()
    assert gone() is None


def test_the_blocking_error_names_checks_run_report_and_what_to_do() -> None:
    verdict = judge(pd.DataFrame([{"late": 9, "shift": 9}]), at_most("late", 3), at_most("shift", 3, "warning", "W-1"))
    with pytest.raises(
        GateBlocked, match=r"gate plan blocks: G-01\. .*manual__1.*/privacy/gates/42.*What to do"
    ) as caught:
        runner.raise_if_blocked(verdict, 42)
    assert caught.value.gate_result_id == 42
    assert "W-1" not in str(caught.value)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def page(html: str) -> _Page:
    parsed = _Page()
    parsed.feed(html)
    return parsed


@pytest.mark.parametrize(
    ("late", "shift", "word", "sentence"),
    [(1, 1, "PASS", "may go ahead"), (1, 9, "WARN", "warnings"), (9, 1, "BLOCK", "will refuse to run")],
)
def test_the_report_says_in_words_what_was_decided(late: int, shift: int, word: str, sentence: str) -> None:
    verdict = judge(
        pd.DataFrame([{"late": late, "shift": shift}]), at_most("late", 3), at_most("shift", 3, "warning", "W-1")
    )
    seen = page(verdict.report_html)
    for part in (word, sentence, SHA, "minor_data_deletion/manual__1", "2026-11-22 02:15:00 UTC", "2026-11-23"):
        assert part in seen.words
    assert ("What to do:" in seen.words) == (word != "PASS")


def test_the_report_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    seen = page(judge(pd.DataFrame([{"late": 9}]), at_most("late", 3)).report_html)
    tags = {tag for tag, _ in seen.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not any(name in {"src", "href"} or name.startswith("on") for _, attrs in seen.tags for name in attrs)
    assert "url(" not in seen.words
    assert "@import" not in seen.words
    assert "prefers-color-scheme: dark" in seen.words
    assert dict(seen.tags)["html"] == {"lang": "en"}


def test_the_report_escapes_what_it_shows() -> None:
    check = Check(
        "G-<1>", "<script>alert(1)</script>", "ExpectColumnMaxToBeBetween", {"column": "late", "max_value": 1}
    )
    html = judge(pd.DataFrame([{"late": 9}]), check).report_html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_importing_gates_does_not_import_the_heavy_libraries() -> None:
    """DAG files are parsed every few seconds; Great Expectations takes five of them."""
    code = (
        "import sys; import privacy_ops.gates.runner, privacy_ops.gates.lock;"
        "sys.exit(int('pandas' in sys.modules or 'great_expectations' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd="plugins", check=False).returncode == 0
