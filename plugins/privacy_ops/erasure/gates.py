"""Gates around an erasure: may exactly this be destroyed, and was exactly this destroyed?

Both judge one row of figures. The figures of the first come from the plan and, a second time and by another way,
from the sources themselves; those of the second from the counts of the steps and from a sweep that looks anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from privacy_ops import ledger, runs
from privacy_ops.erasure.plan import Plan, content_sha256, covered_catalogue, require_plan
from privacy_ops.erasure.returning import returned
from privacy_ops.erasure.rows.builder import Builder
from privacy_ops.erasure.rows.evidence import evidence as read_again
from privacy_ops.erasure.rows.evidence import look_up_by_index
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Check, Suite, at_least, at_most, one_row
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace

PLAN_GATE = "erasure.plan"
DONE_GATE = "erasure.done"
RUNBOOK = "docs/runbooks/minor_data_deletion.md"


def _none(check_id: str, title: str, column: str, do: str) -> Check:
    return at_most(check_id, title, column, 0, do=do)


def _warn(check_id: str, title: str, column: str, do: str) -> Check:
    return at_most(check_id, title, column, 0, severity="warning", do=do)


def plan_suite(limits: Thresholds) -> Suite:
    """What must hold before anything is destroyed."""
    replan = "clear the run from detect_and_restrict on, so that it is judged and planned anew"
    return Suite(
        PLAN_GATE,
        "The plan may be carried out",
        (
            one_row(),
            _none("G-20-COMPLETE", "Every confirmed case is planned or held", "left_out", replan),
            _none("G-20-FROZEN", "The plan is as it was frozen", "content_changed", replan),
            _none("G-20-CLASS", "Only confirmed cases in an allowed state are planned", "not_allowed", replan),
            _none("G-20-OWNED", "Every planned row belongs to a planned case", "rows_without_case", replan),
            _none(
                "G-21",
                "Everybody is under 18 at the frozen instant of discovery, recomputed from the sources",
                "not_minor",
                replan,
            ),
            _none("G-21-EVIDENCE", "The evidence is what it was at discovery", "evidence_changed", replan),
            _warn(
                "G-21-ASIDE",
                "The evidence of every confirmed case, read a second way, is what it stands on",
                "few_set_aside",
                "they wait, restricted, and are judged anew tomorrow; if they stay, find what is read two ways",
            ),
            _none(
                "G-21-MOST",
                "No more cases are set aside than planned",
                "most_set_aside",
                "this is no odd value but a source or a reading that changed: mend it; nothing is erased before",
            ),
            _none(
                "G-21-RETURNED",
                "What came back is shown to be that of an erased case",
                "returned_unproven",
                "look at gov.return_finding: the row no longer carries an identifier of the case; settle it by hand",
            ),
            _none("G-22", "No legal hold that the plan does not heed", "legal_holds", replan),
            _none(
                "G-23", "No access request of a verified person whose answer is not sealed", "access_requests", replan
            ),
            _warn(
                "G-22-REVIEW",
                "Every hold was reviewed in time",
                "holds_overdue",
                "whoever approved the hold reviews it: release it, or place it anew; nothing releases it by itself",
            ),
            _none(
                "G-04-SUSPECT",
                "No case stands on a source that was not trusted tonight",
                "from_suspect_source",
                "mend the source first; its people stay as they are",
            ),
            _none(
                "G-25",
                "Every live foreign-key child of a row that goes is in the plan",
                "uncovered_children",
                "a row outside the plan leans on a row in it: mend the data map, then plan anew",
            ),
            at_most(
                "G-07",
                f"The as-of of the run is at most {limits.as_of_max_drift_hours} hours from now",
                "as_of_age_hours",
                limits.as_of_max_drift_hours,
                do="start a new run",
            ),
            _none(
                "CANARY",
                "The detection gate lets this run through",
                "detection_blocked",
                "read the report of minors.detection: a detector may be blind",
            ),
            _none(
                "G-33", "The ledger's chain verifies", "ledger_faults", "follow docs/runbooks/ledger.md; erase nothing"
            ),
            _warn(
                "G-08",
                "The volume is ordinary; if not, two people must release exactly this plan",
                "breaker_tripped",
                "answer the two required actions after looking at the feeds",
            ),
            _warn(
                "G-08-BASELINE",
                "There is a baseline for the volume",
                "baseline_missing",
                "no baseline yet: the median rule is silent until enough nights have run",
            ),
            _warn(
                "G-20-EMPTY",
                "Every planned case still has rows",
                "cases_without_rows",
                "somebody was deleted by other means; the certificate will say nothing was found",
            ),
        ),
        RUNBOOK,
    )


def done_suite() -> Suite:
    """What must hold before anybody says that it is done."""
    return Suite(
        DONE_GATE,
        "Everything planned is gone, and nothing else",
        (
            one_row(),
            _none(
                "G-27", "Found = planned = deleted + retained, in every step", "steps_unbalanced", "look at the steps"
            ),
            _none(
                "G-27-HELD",
                "Every cell under a hold was kept apart",
                "held_unbalanced",
                "stop, and treat it as an incident: what a hold covers may be lost",
            ),
            _none("G-27-OBJECTS", "Every planned object was proven gone", "objects_failed", "clear erase_objects"),
            _none("G-28-ROWS", "Nothing is left in any mapped table", "residual_rows", "find the writer, then replan"),
            _none(
                "G-28-OBJECTS", "No version or marker is left in any bucket", "residual_objects", "clear erase_objects"
            ),
            _none(
                "G-28-ELSEWHERE",
                "No row without an owner carries an address of the erased",
                "residual_elsewhere",
                "it has a case and goes the next night; then map the link that was missing",
            ),
            _warn(
                "G-28-MENTIONS",
                "No list or text of others names an erased person",
                "mentions",
                "a person looks at the rows named in gov.return_finding and takes the identifier out",
            ),
            _warn(
                "G-28-REDACTED",
                "Every text from which a mention was taken out is as it was left",
                "redactions_unproven",
                "its author changed it at that moment: a person looks whether the mention is back",
            ),
            _none(
                "G-28-LOOKED",
                "Every mapped table and bucket was looked at",
                "assets_not_looked_at",
                "a store could not be read; nothing is certified",
            ),
            _none("G-29-ORPHANS", "No row points at nobody", "orphans", "stop, and treat it as an incident"),
            _none(
                "G-29-ROWS",
                "Rows after = rows before − deleted, in every touched table",
                "tables_not_conserved",
                "stop, and treat it as an incident: more or less than the plan was deleted",
            ),
            _none(
                "G-29-CONTROL",
                "The rows of a control group of others are unchanged",
                "control_changed",
                "stop, and treat it as an incident",
            ),
            _none("G-33", "The ledger verifies, with its copies", "ledger_faults", "follow docs/runbooks/ledger.md"),
            _none(
                "CANARY-ERASED",
                "Every made-up minor of this night was erased",
                "canaries_left",
                "an end of the chain is blind: look at the canary's case",
            ),
            at_least(
                "CANARY-SEEN",
                "A made-up minor was among the erased",
                "canaries_erased_or_idle",
                1,
                severity="warning",
                do="plant canaries every night",
            ),
        ),
        RUNBOOK,
    )


def plan_metrics(
    connection: Connection, workspace: Workspace, run: Run, plan: Plan, *, now: datetime
) -> dict[str, float]:
    """The figures that ``plan_suite`` judges, gathered in one transaction."""
    builder = Builder(workspace.data_map, covered_catalogue(connection, workspace))
    this = {"plan_id": plan.plan_id}
    look_up_by_index(connection)
    own = (
        connection
        .execute(statement("erasure", "select_plan_metrics"), this | {"run_id": run.run_id, "as_of": run.as_of})
        .mappings()
        .one()
    )
    aside = float(own["set_aside"])
    most = aside > own["cases"]
    held = connection.execute(statement("erasure", "count_held_in_plan"), this).one()
    changed, not_minor = evidence(connection, builder, plan, workspace.thresholds)
    uncovered = builder.count_uncovered()
    return {
        **{name: float(value) for name, value in own.items() if value is not None},
        "few_set_aside": 0.0 if most else aside,
        "most_set_aside": aside if most else 0.0,
        "content_changed": float(content_sha256(connection, plan.plan_id) != plan.sha256),
        "evidence_changed": float(changed),
        "not_minor": float(not_minor),
        "returned_unproven": float(returned.unproven(connection, workspace, plan)),
        "legal_holds": float(held.legal_holds),
        "access_requests": float(held.access_requests),
        "uncovered_children": float(connection.execute(text(uncovered), this).scalar_one() or 0) if uncovered else 0.0,
        "as_of_age_hours": abs((now - plan.as_of).total_seconds()) / 3600,
        "ledger_faults": float(ledger.verify(connection).fault_count),
        "breaker_tripped": float(plan.breaker_tripped),
        "baseline_missing": float(not plan.breaker.get("baseline", False)),
    }


def evidence(connection: Connection, builder: Builder, plan: Plan, limits: Thresholds) -> tuple[int, int]:
    """How many planned cases stand on changed evidence, and how many are not shown to be minors by it."""
    return read_again(connection, builder.map, builder.catalogue, plan.plan_id, limits)


def judge_plan(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Judge the frozen plan and record the verdict. Raises GateBlocked; a rehearsal has nothing to judge."""
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": True}
    with workspace.database("erase").transaction() as connection:
        plan = require_plan(connection, run.run_id)
        metrics = plan_metrics(connection, workspace, run, plan, now=now)
        verdict = judge(plan_suite(workspace.thresholds), metrics, run.run_id, plan.sha256, now, workspace.thresholds)
        gate_result_id = runner.record(connection, verdict)
    runner.raise_if_blocked(verdict, gate_result_id)
    return {"gate": verdict.verdict, "gate_result_id": gate_result_id, "cases": plan.cases}


def judge(
    suite: Suite, metrics: Mapping[str, float], run_id: str, sha256: str, now: datetime, limits: Thresholds
) -> runner.Verdict:
    """Judge one row of figures."""
    import pandas as pd

    return runner.judge(
        suite,
        pd.DataFrame([dict(metrics)]),
        run_id=run_id,
        subject_sha256=sha256,
        judged_at=now,
        valid_for=timedelta(hours=limits.gate.validity_hours),
    )
