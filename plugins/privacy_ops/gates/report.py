"""The page of one gate run: one self-contained HTML file, readable offline, without scripts.

It is rendered from what was judged and kept in gov.gate_result; it shows no value that the scrub did not let out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from privacy_ops import templates
from privacy_ops.gates.suite import Suite

if TYPE_CHECKING:
    import jinja2

    from privacy_ops.gates.runner import CheckResult

BANNERS = {
    "pass": "Open. Every check holds; the next step may go ahead.",
    "warn": "Open with warnings. The next step may go ahead; somebody should look at the warnings.",
    "block": "Blocked. The next step will refuse to run until this gate is judged again and opens.",
}


@cache
def _template() -> jinja2.Template:
    return templates.environment(Path(__file__).parent).get_template("report.html.j2")


def _state(check: CheckResult) -> str:
    if check.errored:
        return "could not be judged, so it blocks"
    if check.success:
        return "holds"
    return "fails and blocks" if check.severity == "critical" else "fails and warns"


def _order(check: CheckResult) -> int:
    """What blocks first, then warnings, then what holds."""
    if check.success:
        return 2
    return 0 if check.errored or check.severity == "critical" else 1


def render(
    suite: Suite,
    checks: Sequence[CheckResult],
    *,
    verdict: Literal["pass", "warn", "block"],
    run_id: str,
    subject_sha256: str,
    judged_at: datetime,
    expires_at: datetime,
) -> str:
    """The page as text. ``checks`` are scrubbed results; times are aware and shown in UTC."""
    rows: list[dict[str, Any]] = [
        {"check": check, "state": _state(check), "tone": ("block", "warn", "pass")[_order(check)]}
        for check in sorted(checks, key=_order)
    ]
    return _template().render(
        suite=suite,
        rows=rows,
        verdict=verdict,
        banner=BANNERS[verdict],
        failing=sum(not c.success for c in checks),
        run_id=run_id,
        subject_sha256=subject_sha256,
        judged_at=judged_at,
        expires_at=expires_at,
    )
