"""Carries out a frozen plan: intent and suppression first, copied to the locked bucket, then rows.

Everything can be killed and repeated. Rows go in one transaction that opens the gate's lock itself, reads holds
and evidence again, and finds exactly the frozen rows, or does nothing. Objects follow in ``erasure.objects``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops import approvals, ledger, pseudonyms, runs
from privacy_ops.erasure import suppression, sweep
from privacy_ops.erasure.builder import Builder
from privacy_ops.erasure.gates import PLAN_GATE, evidence
from privacy_ops.erasure.plan import Plan, content_sha256, covered_catalogue, require_plan
from privacy_ops.errors import PlanChanged
from privacy_ops.gates.lock import require_open
from privacy_ops.runs import Run
from privacy_ops.stores.database import DatabaseFault, quote_table
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

BREAKER = "breaker"
_AGAIN = "clear the run from detect_and_restrict on: judge and plan anew, nothing was erased"
_COUNT_BELOW = 2_000_000  # larger tables are conserved by step counts and the control group, not by counting
_CONTROL_SUBJECTS = 200
_FOREIGN_KEY_VIOLATION = "23503"


def erase_database(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Erase the rows of this run's plan; returns counts. Called again after a kill it goes on, or reports.

    Raises GateBlocked (gate shut, or the breaker not released by two people), PlanChanged (facts moved: nothing
    was erased), UserError (as-of too old), LedgerBroken.
    """
    limits = workspace.thresholds
    if runs.is_rehearsal(run, max_drift_hours=limits.as_of_max_drift_hours):
        return {"rehearsal": True}
    runs.require_fresh(run, now=now, max_drift_hours=limits.as_of_max_drift_hours)
    database = workspace.database("erase")
    with database.transaction(read_only=True) as connection:
        plan = require_plan(connection, run.run_id)
    if plan.state != "frozen":
        return _done(workspace, run)
    with database.transaction() as connection:
        _require_allowed(connection, run, plan, now)
        ledger.require_sound(connection)
        _write_ahead(connection, workspace, plan, now)
    ledger.copy_out(workspace, now)
    try:
        with database.transaction() as connection:
            # One snapshot: what others write meanwhile is neither counted nor touched. LOCK comes before it is taken.
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("LOCK TABLE gov.erasure_plan IN EXCLUSIVE MODE")
            current = require_plan(connection, run.run_id)
            if current.plan_id != plan.plan_id:
                raise PlanChanged("the run was planned anew meanwhile", where=run.run_id, do=_AGAIN)
            if current.state == "frozen":
                _require_allowed(connection, run, current, now)
                _erase_rows(connection, workspace, run, current, now)
    except DatabaseFault as fault:
        if fault.sqlstate != _FOREIGN_KEY_VIOLATION:
            raise
        raise PlanChanged(
            "a row that the plan does not know leans on a row that was to go", where=str(fault), do=_AGAIN
        ) from None
    return _done(workspace, run)


def _done(workspace: Workspace, run: Run) -> dict[str, Any]:
    with workspace.database("erase").transaction(read_only=True) as connection:
        plan = require_plan(connection, run.run_id)
        deleted, retained = connection.execute(
            text("SELECT sum(deleted), sum(retained) FROM gov.erasure_step WHERE plan_id = :p"), {"p": plan.plan_id}
        ).one()
    return {"state": plan.state, "cases": plan.cases, "deleted": int(deleted or 0), "retained": int(retained or 0)}


def _require_allowed(connection: Connection, run: Run, plan: Plan, now: datetime) -> None:
    """The gate judged exactly this content, and a tripped breaker was released for exactly this content."""
    sha256 = content_sha256(connection, plan.plan_id)
    require_open(connection, run_id=run.run_id, gate=PLAN_GATE, subject_sha256=sha256, now=now)
    if plan.breaker_tripped:
        approvals.require(connection, run.run_id, BREAKER, sha256, people=2)


def _write_ahead(connection: Connection, workspace: Workspace, plan: Plan, now: datetime) -> None:
    """Intent into the ledger and identifiers into the suppression list, once, before anything is destroyed."""
    written = connection.execute(
        text("UPDATE gov.erasure_plan SET intent_at = :now WHERE plan_id = :p AND intent_at IS NULL"),
        {"now": now, "p": plan.plan_id},
    ).rowcount
    if not written:
        return
    this = {"plan_id": plan.plan_id}
    planned = _planned_by_case(connection, plan)
    cases = connection.execute(statement("erasure", "select_cases_of_plan"), this).all()
    ledger.append_many(
        connection,
        "intent",
        (
            (
                {
                    "plan_sha256": plan.sha256,
                    "run_id": plan.run_id,
                    "as_of": plan.as_of.isoformat(),
                    "subject_ref": case.subject_ref,
                    "ref_key_id": case.ref_key_id,
                    "class": case._mapping["class"],
                    "subject": case.subject_kind,
                    "planned": planned.get(case.case_id, {}),
                },
                case.case_id,
            )
            for case in cases
        ),
        at=now,
    )
    suppression.write(
        connection, workspace.settings.keys, _to_suppress(connection, workspace, plan, cases, now), at=now
    )
    sweep.remember(connection, workspace, plan, now)


def _planned_by_case(connection: Connection, plan: Plan) -> dict[UUID, dict[str, int]]:
    found: dict[UUID, dict[str, int]] = {}
    for row in connection.execute(
        text(
            "SELECT r.case_id, s.table_name, count(*) AS n FROM gov.erasure_row AS r"
            " JOIN gov.erasure_step AS s USING (plan_id, step_no) WHERE r.plan_id = :p GROUP BY 1, 2"
            " UNION ALL SELECT o.case_id, 's3\\://' || o.bucket, count(*) FROM gov.erasure_object AS o"
            " WHERE o.plan_id = :p GROUP BY 1, 2"
        ),
        {"p": plan.plan_id},
    ):
        found.setdefault(row.case_id, {})[row.table_name] = int(row.n)
    return found


def _to_suppress(
    connection: Connection, workspace: Workspace, plan: Plan, cases: Any, now: datetime
) -> Iterator[tuple[Any, str, str, Any]]:
    """(case, id type, canonical identifier, valid until): the subject's key, own addresses and external ids."""
    limits, today = workspace.thresholds, now.date()
    for case in cases:
        person = case.subject_kind == "person"
        canonical = pseudonyms.subject_text(case.subject_key, table="" if person else case.subject_table)
        until = suppression.valid_until(case.adult_on, today=today, thresholds=limits)
        yield case.case_id, "account" if person else "row", canonical, until
    rows = connection.execute(statement("erasure", "select_keys_of_cases"), {"plan_id": plan.plan_id})
    for row in rows:
        until = suppression.valid_until(row.adult_on, today=today, thresholds=limits)
        value = pseudonyms.normalise_email(row.value) if row.kind == "email" else row.value
        yield row.case_id, row.kind, value, until


def _erase_rows(connection: Connection, workspace: Workspace, run: Run, plan: Plan, now: datetime) -> None:
    """All steps of a plan, after reading again what could have moved. Raises PlanChanged."""
    this = {"plan_id": plan.plan_id}
    builder = Builder(workspace.data_map, covered_catalogue(connection, workspace))
    _require_unmoved(connection, builder, workspace, plan)
    known = {row.step_no: row for row in connection.execute(statement("erasure", "select_steps"), this)}
    if {n: (r.table_name, r.action, tuple(r.columns)) for n, r in known.items()} != {
        s.number: (s.table, s.action, s.columns) for s in builder.steps
    }:
        raise PlanChanged("data map or schema changed since the plan", where=run.run_id, do=_AGAIN)
    touched = [step for step in builder.steps if known[step.number].planned]
    control = _Control(connection, builder, plan)
    before = control.figures()
    sizes = _sizes(connection, builder, {s.table for s in touched if s.action == "DELETE"})
    results: dict[int, tuple[int, int, int]] = {}
    for step in builder.steps:
        planned = int(known[step.number].planned)
        done = int(connection.execute(text(builder.count_present(step)), this).scalar_one()) if planned else 0
        if step.action != "KEEP" and planned:
            done = int(connection.execute(text(builder.erase(step)), this).rowcount)
        if done != planned:
            raise PlanChanged(
                f"{planned} rows were planned and {done} were found",
                where=f"step {step.number}, {step.table}",
                do=_AGAIN,
            )
        results[step.number] = (done, done, 0) if step.action == "DELETE" else (done, 0, done)
    for step in builder.steps:
        found, deleted, retained = results[step.number]
        size = sizes.get(step.table) if step.action == "DELETE" else None
        after = None if size is None else connection.execute(text(builder.count_rows(step.table))).scalar_one()
        connection.execute(
            statement("erasure", "update_step_done"),
            this
            | {
                "step_no": step.number,
                "found": found,
                "deleted": deleted,
                "retained": retained,
                "rows_before": size,
                "rows_after": after,
            },
        )
    connection.execute(statement("erasure", "insert_assets"), this)
    _record_erased(connection, plan, now)
    connection.execute(
        statement("erasure", "update_plan_database_erased"),
        this | {"at": now, "control": json.dumps({"before": before, "after": control.figures()})},
    )
    connection.execute(statement("erasure", "update_cases_of_plan"), this | {"state": "PRIMARY_ERASED"})


def _require_unmoved(connection: Connection, builder: Builder, workspace: Workspace, plan: Plan) -> None:
    """Holds, requests, evidence and rows are what the gate saw. The age is the one at discovery, never now's."""
    this = {"plan_id": plan.plan_id}
    held = connection.execute(statement("erasure", "count_held_in_plan"), this).one()
    if held.legal_holds or held.access_requests:
        raise PlanChanged(
            f"{held.legal_holds} legal holds and {held.access_requests} access requests came after the plan",
            where=plan.run_id,
            do=_AGAIN,
        )
    changed, not_minor = evidence(connection, builder, plan, workspace.thresholds)
    if changed or not_minor:
        raise PlanChanged(
            f"the evidence of {max(changed, not_minor)} cases changed after the plan", where=plan.run_id, do=_AGAIN
        )
    for what, sql in (("arrived", builder.count_arrived()), ("are not covered", builder.count_uncovered())):
        count = int(connection.execute(text(sql), this).scalar_one() or 0) if sql else 0
        if count:
            raise PlanChanged(f"{count} rows of planned subjects {what} since the plan", where=plan.run_id, do=_AGAIN)


def _sizes(connection: Connection, builder: Builder, tables: set[str]) -> dict[str, int]:
    """Rows of each table that loses some, where counting is cheap."""
    sizes = {}
    for table in sorted(tables):
        estimate = connection.execute(
            statement("erasure", "select_table_size"), {"table_name": quote_table(table)}
        ).scalar_one()
        if estimate < _COUNT_BELOW:
            sizes[table] = int(connection.execute(text(builder.count_rows(table))).scalar_one())
    return sizes


class _Control:
    """A random group of others whose rows are counted and hashed before and after."""

    def __init__(self, connection: Connection, builder: Builder, plan: Plan) -> None:
        self.connection, self.plan = connection, plan
        self.statements = dict(builder.control_figures())
        total = int(connection.execute(text(builder.count_subjects())).scalar_one())
        share = min(100.0, 100.0 * 2 * _CONTROL_SUBJECTS / max(total, 1))
        connection.execute(
            text(builder.create_control_group()),
            {"plan_id": plan.plan_id, "share": share, "size": _CONTROL_SUBJECTS, "seed": int(plan.sha256[:6], 16)},
        )
        # Without its size the planner reads whole event tables for these few people.
        connection.execute(text("ANALYZE control_subject"))

    def figures(self) -> dict[str, list[int]]:
        found = {}
        for table, sql in self.statements.items():
            count, digest = self.connection.execute(text(sql), {"plan_id": self.plan.plan_id}).one()
            found[table] = [int(count), int(digest)]
        return found


def _record_erased(connection: Connection, plan: Plan, now: datetime) -> None:
    done: dict[UUID, dict[str, int]] = {}
    for row in connection.execute(statement("erasure", "select_assets"), {"plan_id": plan.plan_id}):
        done.setdefault(row.case_id, {})[f"{row.asset} {row.method}"] = int(row.done)
    cases = connection.execute(statement("erasure", "select_cases_of_plan"), {"plan_id": plan.plan_id}).all()
    ledger.append_many(
        connection,
        "erased",
        (
            (
                {
                    "plan_sha256": plan.sha256,
                    "subject_ref": case.subject_ref,
                    "ref_key_id": case.ref_key_id,
                    "rows": done.get(case.case_id, {}),
                },
                case.case_id,
            )
            for case in cases
        ),
        at=now,
    )
