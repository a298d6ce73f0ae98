"""Judges a frame with Great Expectations, and lets no value of the frame out.

Great Expectations prints values in results and in exceptions whatever its result format says, so what leaves
here is built from an allow-list: the check's own words, success or not, and a number where a number is safe.
Its import costs seconds and is done on first use; one ephemeral context serves the process.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from sqlalchemy import Connection

from privacy_ops.errors import ConfigError, GateBlocked
from privacy_ops.gates import report
from privacy_ops.gates.suite import Check, Severity, Suite
from privacy_ops.stores.sql import statement

if TYPE_CHECKING:
    import pandas as pd

Decision = Literal["pass", "warn", "block"]
REPORT_PATH = "/privacy/gates/{gate_result_id}"

# Even this format leaves values in `observed_value` and in exceptions: hence the allow-list below.
_RESULT_FORMAT = {
    "result_format": "BASIC",
    "exclude_unexpected_values": True,
    "partial_unexpected_count": 0,
}


_own = threading.local()


@dataclass(frozen=True)
class CheckResult:
    """One check after judging. ``observed`` is a number that names nobody, or None."""

    id: str
    title: str
    severity: Severity
    success: bool
    errored: bool
    observed: float | int | None
    do: str


@dataclass(frozen=True)
class Verdict:
    """What a gate said about one frozen subject, and until when that holds."""

    gate: str
    run_id: str
    verdict: Decision
    subject_sha256: str
    checks: tuple[CheckResult, ...]
    judged_at: datetime
    expires_at: datetime
    report_html: str

    @property
    def failed(self) -> tuple[str, ...]:
        """Ids of the checks that failed or erred, blocking ones first."""
        blocking = [c.id for c in self.checks if _blocks(c)]
        return (*blocking, *(c.id for c in self.checks if not c.success and not _blocks(c)))


def judge(
    suite: Suite,
    frame: pd.DataFrame,
    *,
    run_id: str,
    subject_sha256: str,
    judged_at: datetime,
    valid_for: timedelta,
) -> Verdict:
    """Judge ``frame`` (a metrics row, or a small table when the suite is native) and render the report.

    A check that errs, and a NULL in a metrics row that a check reads, block whatever their severity.
    Raises ConfigError for an expectation that does not exist, times without zone, or many rows in metrics mode.
    """
    if judged_at.tzinfo is None:
        raise ConfigError("the time of judgement has no time zone", where=f"gate {suite.gate}")
    if suite.mode == "metrics":
        if len(frame) > 1:
            raise ConfigError(
                f"{len(frame)} rows were given as a metrics row",
                where=f"gate {suite.gate}",
                do="aggregate to one row, or make the suite mode='native'",
            )
        frame = _plain_numbers(frame)
    raw = _validate(suite, frame)
    checks = tuple(_scrub(check, raw.get(check.id), frame, suite.mode == "metrics") for check in suite.checks)
    decision = decide(checks)
    expires_at = judged_at + valid_for
    html = report.render(
        suite,
        checks,
        verdict=decision,
        run_id=run_id,
        subject_sha256=subject_sha256,
        judged_at=judged_at,
        expires_at=expires_at,
    )
    return Verdict(suite.gate, run_id, decision, subject_sha256, checks, judged_at, expires_at, html)


def _blocks(check: CheckResult) -> bool:
    return check.errored or (not check.success and check.severity == "critical")


def decide(checks: tuple[CheckResult, ...]) -> Decision:
    """Pass, warn or block, from severities. Nothing judged is a block."""
    if not checks or any(_blocks(c) for c in checks):
        return "block"
    return "pass" if all(c.success for c in checks) else "warn"


def record(connection: Connection, verdict: Verdict) -> int:
    """Insert the verdict into gov.gate_result and return its id. The caller commits it before acting on it."""
    row = connection.execute(
        statement("gates", "insert_gate_result"),
        {
            "run_id": verdict.run_id,
            "gate": verdict.gate,
            "verdict": verdict.verdict,
            "subject_sha256": verdict.subject_sha256,
            "checks": json.dumps([asdict(c) for c in verdict.checks], allow_nan=False),
            "judged_at": verdict.judged_at,
            "expires_at": verdict.expires_at,
            "report_html": verdict.report_html,
        },
    )
    return int(row.scalar_one())


def raise_if_blocked(verdict: Verdict, gate_result_id: int) -> None:
    """Raise GateBlocked, naming the failed checks and the report, when the verdict is block."""
    if verdict.verdict != "block":
        return
    path = REPORT_PATH.format(gate_result_id=gate_result_id)
    blocking = ", ".join(c.id for c in verdict.checks if _blocks(c))
    error = GateBlocked(
        f"gate {verdict.gate} blocks: {blocking}",
        where=f"run {verdict.run_id}, report {path}",
        do="read the report; mend the cause and clear the gate's task. Marking it as success opens nothing",
    )
    error.gate_result_id = gate_result_id
    raise error


@cache
def _context() -> Any:
    """The process's one context: in memory, with neither log lines nor progress bars."""
    # Before the import: it logs hundreds of lines, and warnings about failed metrics quote values.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _source() -> tuple[Any, Any]:
    """This thread's engine for frames and what it takes a whole frame with: an engine knows one frame at a time.

    Kept, because the context writes all its settings as YAML with each source that comes or goes.
    """
    if not hasattr(_own, "source"):
        source = _context().data_sources.add_pandas(f"frame-{uuid4()}")
        whole = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")
        _own.source = source.get_execution_engine(), whole
    found: tuple[Any, Any] = _own.source
    return found


def _expectation(check: Check) -> Any:
    import great_expectations as gx

    kind = getattr(gx.expectations, check.expectation, None)
    if kind is None:
        raise ConfigError(
            f"the expectation {check.expectation} does not exist",
            where=f"check {check.id}",
            do="use the class name of a Great Expectations expectation",
        )
    try:
        return kind(**check.kwargs, meta={"id": check.id})
    except Exception as error:  # noqa: BLE001 - pydantic's message quotes what was passed
        raise ConfigError(
            f"the arguments of {check.expectation} are not valid ({type(error).__name__})",
            where=f"check {check.id}",
            do="correct the check's kwargs",
        ) from None


def _validate(suite: Suite, frame: pd.DataFrame) -> Mapping[str, Any]:
    """Raw results by check id: they come back in another order than they were asked."""
    engine, whole = _source()
    from great_expectations.core.expectation_suite import ExpectationSuite

    expectations = [_expectation(check) for check in suite.checks]
    try:
        batch = whole.get_batch(batch_parameters={"dataframe": frame})
        result = batch.validate(
            ExpectationSuite(name=suite.gate, expectations=expectations), result_format=_RESULT_FORMAT
        )
        return {r.expectation_config.meta["id"]: r for r in result.results}
    except Exception:  # noqa: BLE001 - whatever it says may quote values; no result means every check erred
        return {}
    finally:
        # The engine holds the frame, which must not outlive the judgement.
        engine.batch_manager.reset_batch_cache()
        engine.batch_manager.batch_data_cache.clear()


def _scrub(check: Check, raw: Any, frame: pd.DataFrame, metrics: bool) -> CheckResult:
    """Keep success and a safe number of one raw result; an absent or excepted result, or a NULL, is an error."""
    errored = raw is None or _excepted(raw.exception_info)
    observed: float | int | None = None
    if metrics and check.columns:
        cells = [_number_or_none(frame[c].iloc[0]) for c in check.columns if c in frame and len(frame) == 1]
        missing = any(c not in frame or len(frame) != 1 or _is_null(frame[c].iloc[0]) for c in check.columns)
        errored = errored or missing
        observed = cells[0] if len(cells) == 1 else None
    elif not errored:
        result = raw.result or {}
        if check.expectation.startswith("ExpectTable"):
            observed = _number_or_none(result.get("observed_value"))
        else:
            observed = _number_or_none(result.get("unexpected_count"))
    success = not errored and bool(raw.success)
    return CheckResult(check.id, check.title, check.severity, success, errored, observed, check.do)


def _excepted(info: Any) -> bool:
    """Whether an exception was raised: the info is one record, or one per metric."""
    if not isinstance(info, Mapping):
        return False
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(v, Mapping) and v.get("raised_exception") for v in info.values())


def _is_null(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _number_or_none(value: object) -> float | int | None:
    """A finite plain number, or None: dates, texts and lists are values of the frame."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real | Decimal):
        number = float(value)
        return None if math.isnan(number) or math.isinf(number) else number
    return None


def _plain_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """The metrics row with booleans as 0/1 and decimals as numbers, which is what the checks compare."""
    import numpy as np
    import pandas as pd

    def plain(value: object) -> object:
        if isinstance(value, bool | np.bool_):
            return int(value)
        if isinstance(value, Decimal) and value.is_finite():
            return int(value) if value == value.to_integral_value() else float(value)
        return value

    return pd.DataFrame({str(c): [plain(v) for v in frame[c]] for c in frame.columns})
