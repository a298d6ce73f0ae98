"""The gate on deliveries (E-16): has everybody got what was released, and nobody what was not theirs any more?"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from privacy_ops import signing
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Suite, at_most, one_row
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.usage.delivery.standing import DUTY, ENDED
from privacy_ops.workspace import Workspace

GATE = "export.delivery"
RUNBOOK = "docs/runbooks/course_usage_delivery.md"


def suite(limits: Thresholds) -> Suite:
    """What must hold about deliveries; figures of ``select_gate_metrics``."""
    hours, see = limits.delivery, "`python -m privacy_ops release list --open` names them"
    return Suite(
        GATE,
        "Has everybody got what was released to them?",
        (
            one_row(),
            at_most(
                "E-16",
                f"Every release was fetched or confirmed within {hours.receipt_hours} hours of its mail",
                "silent",
                0,
                severity="warning",
                do=f"{see}; ask the recipient, then `release receipt` or `release resend`",
            ),
            at_most(
                "E-16-NEVER",
                f"No release stayed unfetched for the {hours.open_days} days that its links worked",
                "never_fetched",
                0,
                do=f"{see}; call the recipient, then `release resend` or `release receipt`",
            ),
            at_most(
                "E-16-BLOCKED",
                "Nothing that people here can mend blocks a delivery",
                "blocked",
                0,
                do="`python -m privacy_ops release show RELEASE` says why; the runbook what to do",
            ),
            at_most(
                "E-16-ENDED",
                "No release waits for a recipient whose agreement or entitlement has ended",
                "blocked_ended",
                0,
                severity="warning",
                do="it is not sent; extend the agreement and load the registry, or leave it",
            ),
            at_most(
                "E-16-MAIL",
                f"No mail failed, or waits for more than {hours.mail_hours} hours",
                "unsent",
                0,
                do="look at the connection privacy_ops_smtp and the address; then `release resend`",
            ),
            at_most(
                "E-16-RECALL",
                "What was withdrawn is gone from the bucket",
                "not_recalled",
                0,
                do="clear follow_up; if it comes back, look for object lock",
            ),
            at_most(
                "E-16-WITHDRAWN",
                "Nobody fetched a release after it was withdrawn",
                "after_withdrawal",
                0,
                do="treat it as an incident: a copy was still served; call the recipient",
            ),
            at_most(
                "E-16-LATE",
                "Nobody fetched a release after the entitlement had ended",
                "after_entitlement",
                0,
                severity="warning",
                do="ask the recipient to delete it, or extend the agreement",
            ),
        ),
        RUNBOOK,
    )


def judge_delivery(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Judge all deliveries as they stand now and record the verdict. Raises GateBlocked."""
    import pandas as pd

    limits = workspace.thresholds
    hours = limits.delivery
    with workspace.database(DUTY).transaction() as connection:
        row = connection.execute(
            statement("delivery", "select_gate_metrics"),
            {
                "silent_before": now - timedelta(hours=hours.receipt_hours),
                "mail_before": now - timedelta(hours=hours.mail_hours),
                "recent": now - timedelta(days=hours.finding_days),
                "ended": list(ENDED),
            },
        )
        figures = {name: int(value) for name, value in row.mappings().one().items()}
        verdict = runner.judge(
            suite(limits),
            pd.DataFrame([figures]),
            run_id=run.run_id,
            subject_sha256=hashlib.sha256(signing.canonical_json(figures).encode()).hexdigest(),
            judged_at=now,
            valid_for=timedelta(hours=limits.gate.validity_hours),
        )
        gate_result_id = runner.record(connection, verdict)
    runner.raise_if_blocked(verdict, gate_result_id)
    return {"gate": GATE, "verdict": verdict.verdict, "gate_result_id": gate_result_id, **figures}
