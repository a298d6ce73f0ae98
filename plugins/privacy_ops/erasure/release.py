"""What two people are asked when the volume breaker has tripped. Nobody is asked otherwise."""

from __future__ import annotations

from privacy_ops import runs
from privacy_ops.approvals import ApprovalRequest
from privacy_ops.erasure.execute import BREAKER
from privacy_ops.erasure.plan import read_plan
from privacy_ops.runs import Run
from privacy_ops.workspace import Workspace

_REASONS = {
    "SHARE_OF_ACCOUNTS": "more than the usual share of all accounts",
    "MULTIPLE_OF_MEDIAN": "several times the median of the last four weeks",
    "SINGLE_SOURCE": "nearly all of them came through one feed: it may be broken",
}


def breaker_request(workspace: Workspace, run: Run) -> ApprovalRequest | None:
    """The question about this run's plan, or None when the breaker has not tripped."""
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return None
    with workspace.database("erase").transaction(read_only=True) as connection:
        plan = read_plan(connection, run.run_id)
    if plan is None or not plan.breaker_tripped or plan.state != "frozen":
        return None
    figures = plan.breaker
    reasons = "\n".join(f"- {_REASONS.get(code, code)}" for code in figures["reasons"])
    return ApprovalRequest(
        what=BREAKER,
        subject_sha256=plan.sha256,
        title=f"Erase {plan.cases} people? The volume breaker has tripped",
        body=(
            f"**{figures['confirmed']}** confirmed cases found in the last"
            f" {workspace.thresholds.breaker.window_hours} hours or still waiting, of {figures['subjects']}"
            " accounts.\n\n"
            f"{reasons}\n\n"
            f"Largest feed: {figures['largest_feed']} cases. Median of {figures['history_runs']} earlier runs:"
            f" {figures['median']:g}.\n\n"
            "Everybody concerned is restricted already. Two different people must approve exactly this plan"
            f" (`{plan.sha256[:16]}`). Rejecting, or no answer, erases nothing; the next run asks again."
        ),
    )
