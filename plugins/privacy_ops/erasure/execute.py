"""Carries out a frozen plan: intent and suppression first, copied to the locked bucket, then rows.

Everything can be killed and repeated. Rows go in one transaction that opens the gate's lock itself, reads holds
and evidence again, and finds exactly the frozen rows, or does nothing. Objects follow in ``erasure.objects``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from privacy_ops import approvals, ledger, pseudonyms, runs
from privacy_ops.datamap import catalogue
from privacy_ops.erasure import redaction, withdrawal
from privacy_ops.erasure.downstream import work_items
from privacy_ops.erasure.gates import PLAN_GATE, evidence
from privacy_ops.erasure.plan import Content, Plan, covered_catalogue, read_content, require_plan
from privacy_ops.erasure.returning import returned, suppression, sweep
from privacy_ops.erasure.rows import held, retention
from privacy_ops.erasure.rows.builder import Builder, Step
from privacy_ops.erasure.rows.evidence import look_up_by_index
from privacy_ops.errors import PlanChanged
from privacy_ops.gates.lock import require_open
from privacy_ops.runs import Run
from privacy_ops.stores.database import DatabaseFault, quote_table, stream
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

BREAKER = "breaker"
POLICY = "2018-05-15"  # the version of the policy under whose section 10 everything here is erased
_AGAIN = "clear the run from detect_and_restrict on: judge and plan anew, nothing was erased"
_CONTROL_SUBJECTS = 100
_WORK_MEM = "64MB"  # the keys of thousands of people are sorted and joined without a detour over the disk
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
    retention.delete_expired(workspace, now=now)
    held.delete_released(workspace, now=now)
    taken_out = redaction.carry_out(workspace, now=now)
    with workspace.database("erase").transaction(read_only=True) as connection:
        plan = require_plan(connection, run.run_id)
    if plan.state == "frozen":
        allowed = write_ahead(workspace, run, plan, now=now)
        try:
            erase_rows(workspace, run, plan, allowed, now=now)
        except PlanChanged:
            with workspace.database("erase").transaction() as connection:
                withdrawal.withdraw(connection, plan.plan_id, now=now)
            raise
    return _done(workspace, run) | taken_out


def write_ahead(workspace: Workspace, run: Run, plan: Plan, *, now: datetime) -> Content:
    """Commit intent and suppression, and copy both to the locked bucket, before anything is destroyed. Repeatable;
    returns the plan's content, which its gate let through."""
    with workspace.database("erase").transaction() as connection:
        allowed = _require_allowed(connection, run, plan, now)
        ledger.require_sound(connection)
        _write_ahead(connection, workspace, run, plan, now)
    ledger.copy_out(workspace, now)
    return allowed


def erase_rows(workspace: Workspace, run: Run, plan: Plan, allowed: Content, *, now: datetime) -> None:
    """The erasing transaction with all its checks. Raises PlanChanged, GateBlocked: then nothing was erased.

    ``allowed``: the content as ``write_ahead`` read it. It spares reading what nobody touched, and allows nothing.
    """
    try:
        with workspace.database("erase").transaction() as connection:
            erase_in(connection, workspace, run, plan, allowed, now=now)
    except DatabaseFault as fault:
        if fault.sqlstate != _FOREIGN_KEY_VIOLATION:
            raise
        raise PlanChanged(
            "a row that the plan does not know leans on a row that was to go", where=str(fault), do=_AGAIN
        ) from None


def erase_in(
    connection: Connection, workspace: Workspace, run: Run, plan: Plan, allowed: Content, *, now: datetime
) -> None:
    """What the erasing transaction does, first statement to last."""
    # One snapshot: what others write meanwhile is neither counted nor touched. LOCK comes before it is taken.
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    connection.exec_driver_sql("LOCK TABLE gov.erasure_plan IN EXCLUSIVE MODE")
    connection.exec_driver_sql(f"SET LOCAL work_mem = '{_WORK_MEM}'")
    look_up_by_index(connection)
    current = require_plan(connection, run.run_id)
    if current.plan_id != plan.plan_id:
        raise PlanChanged("the run was planned anew meanwhile", where=run.run_id, do=_AGAIN)
    if current.state == "frozen":
        _require_allowed(connection, run, current, now, known=allowed)
        _erase_rows(connection, workspace, run, current, now)


def _done(workspace: Workspace, run: Run) -> dict[str, Any]:
    with workspace.database("erase").transaction(read_only=True) as connection:
        plan = require_plan(connection, run.run_id)
        deleted, retained = connection.execute(
            text("SELECT sum(deleted), sum(retained) FROM gov.erasure_step WHERE plan_id = :p"), {"p": plan.plan_id}
        ).one()
    return {"state": plan.state, "cases": plan.cases, "deleted": int(deleted or 0), "retained": int(retained or 0)}


def _require_allowed(
    connection: Connection, run: Run, plan: Plan, now: datetime, *, known: Content | None = None
) -> Content:
    """The gate judged exactly this content, and a tripped breaker was released for exactly this content."""
    content = read_content(connection, plan.plan_id, known=known)
    require_open(connection, run_id=run.run_id, gate=PLAN_GATE, subject_sha256=content.sha256, now=now)
    if plan.breaker_tripped:
        approvals.require(connection, run.run_id, BREAKER, content.sha256, people=2)
    return content


def _write_ahead(connection: Connection, workspace: Workspace, run: Run, plan: Plan, now: datetime) -> None:
    """Intent into the ledger and identifiers into the suppression list, once, before anything is destroyed."""
    written = connection.execute(
        text("UPDATE gov.erasure_plan SET intent_at = :now WHERE plan_id = :p AND intent_at IS NULL"),
        {"now": now, "p": plan.plan_id},
    ).rowcount
    if not written:
        return
    this = {"plan_id": plan.plan_id}
    released_by = len(set(approvals.approvers(connection, run.run_id, BREAKER, plan.sha256)))
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
                    "subject_table": case.subject_table,
                    "planned": case.planned,
                    "rules": case.rules,
                    "policy": POLICY,
                    "code_version": run.code_version,
                    "approvals": released_by,
                    **({"exception": "PERSON_HAS_DIED"} if case.died else {}),
                },
                case.case_id,
            )
            for case in stream(connection, statement("erasure", "select_planned_cases"), this)
        ),
        at=now,
    )
    suppression.write(
        connection,
        workspace.settings.keys,
        _to_suppress(connection, workspace, plan, now),
        at=now,
        providers=workspace.thresholds.suppression.providers,
    )
    sweep.remember(connection, workspace, plan, now)
    work_items.seal(connection, workspace, plan, now)


def _to_suppress(
    connection: Connection, workspace: Workspace, plan: Plan, now: datetime
) -> Iterator[tuple[Any, str, str, Any]]:
    """(case, id type, canonical identifier, valid until): the subject's key, own addresses and external ids."""
    limits, today, this = workspace.thresholds, now.date(), {"plan_id": plan.plan_id}
    for case in stream(connection, statement("erasure", "select_cases_of_plan"), this):
        person = case.subject_kind == "person"
        canonical = pseudonyms.subject_text(case.subject_key, table="" if person else case.subject_table)
        until = suppression.valid_until(case.adult_on, today=today, thresholds=limits)
        yield case.case_id, "account" if person else "row", canonical, until
    for row in stream(connection, statement("erasure", "select_keys_of_cases"), this):
        until = suppression.valid_until(row.adult_on, today=today, thresholds=limits)
        yield row.case_id, row.kind, row.value, until


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
    planned = {number: int(row.planned) for number, row in known.items()}
    control = _Control(connection, builder, plan, planned)
    before = control.figures()
    changes = _Changes(connection, builder)
    done = dict.fromkeys(planned, 0)
    for step in builder.own.values():
        retention.retain(connection, builder, step, planned[step.number], this)
    held.keep(connection, builder, plan.plan_id, plan.sha256, at=now)
    for steps in builder.rounds():
        done |= _carry_out(connection, builder, [step for step in steps if planned[step.number]], known, this)
        for step in steps:
            if done[step.number] != planned[step.number]:
                raise PlanChanged(
                    f"{planned[step.number]} rows were planned and {done[step.number]} were found",
                    where=f"step {step.number}, {step.table}",
                    do=_AGAIN,
                )
    # What a publisher's deferred constraint or trigger does at the end is to happen before it is counted.
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    changes.require_only_planned(plan, planned)
    connection.execute(
        statement("erasure", "update_steps_done"),
        this | {"steps": list(done), "found": list(done.values())},
    )
    _record_erased(connection, plan, now)
    connection.execute(
        statement("erasure", "update_plan_database_erased"),
        this | {"at": now, "control": json.dumps({"before": before, "after": control.figures()})},
    )
    connection.execute(statement("erasure", "update_cases_of_plan"), this | {"state": "PRIMARY_ERASED"})


def _require_unmoved(connection: Connection, builder: Builder, workspace: Workspace, plan: Plan) -> None:
    """Holds, requests, evidence and rows are what the gate saw. The age is the one at discovery, never now's."""
    this = {"plan_id": plan.plan_id}
    waits = connection.execute(statement("erasure", "count_held_in_plan"), this).one()
    if waits.legal_holds or waits.access_requests:
        raise PlanChanged(
            f"{waits.legal_holds} legal holds and {waits.access_requests} access requests came after the plan",
            where=plan.run_id,
            do=_AGAIN,
        )
    changed, not_minor = evidence(connection, builder, plan, workspace.thresholds)
    if changed or not_minor:
        raise PlanChanged(
            f"the evidence of {max(changed, not_minor)} cases changed after the plan", where=plan.run_id, do=_AGAIN
        )
    if unproven := returned.unproven(connection, workspace, plan):
        raise PlanChanged(
            f"{unproven} rows no longer carry what an erased case was known by", where=plan.run_id, do=_AGAIN
        )
    checks = (("arrived", builder.count_arrived()), ("are not covered", builder.count_uncovered(quiet=True)))
    for what, sql in checks:
        count = int(connection.execute(text(sql), this).scalar_one() or 0) if sql else 0
        if count:
            raise PlanChanged(f"{count} rows of planned subjects {what} since the plan", where=plan.run_id, do=_AGAIN)


def _carry_out(
    connection: Connection, builder: Builder, steps: Sequence[Step], known: Mapping[int, Row[Any]], this: dict[str, Any]
) -> dict[int, int]:
    """Carry out steps that go together; how many rows each found. Raises PlanChanged for a row that is not frozen."""
    if not steps:
        return {}
    first = steps[0]
    if first.action == "KEEP":
        return {first.number: int(connection.execute(text(builder.count_present(first)), this).scalar_one())}
    frozen = known[first.number]
    if len(steps) == 1 and frozen.digest is not None and builder.by_owner(first):
        found, digest = connection.execute(text(builder.erase_by_owner(first)), this).one()
        if found < frozen.planned:
            rest = connection.execute(text(builder.erase_by_key(first)), this).one()
            found, digest = found + rest[0], digest + rest[1]
        if found == frozen.planned and digest != frozen.digest:
            raise PlanChanged(f"{found} rows were planned and others were found", where=first.table, do=_AGAIN)
        return {first.number: int(found)}
    counts = connection.execute(text(builder.erase(steps)), this).one()
    return {step.number: int(count) for step, count in zip(steps, counts, strict=True)}


class _Changes:
    """What this transaction changed in every table of the publisher, as PostgreSQL itself counts it.

    It sees what nobody planned: a cascade, a trigger that deletes, or that writes a copy elsewhere. Costs nothing,
    however large the tables are.
    """

    def __init__(self, connection: Connection, builder: Builder) -> None:
        self.connection, self.builder = connection, builder
        self.before = self._counted()

    def _counted(self) -> dict[str, tuple[int, int, int]]:
        rows = self.connection.execute(
            statement("erasure", "select_changes"), {"excluded": list(catalogue.NOT_THE_PUBLISHERS)}
        )
        return {
            catalogue.table_name(r.schema_name, r.table_name): (int(r.inserted), int(r.updated), int(r.deleted))
            for r in rows
        }

    def require_only_planned(self, plan: Plan, planned: Mapping[int, int]) -> None:
        """Record planned and counted changes table by table. Raises PlanChanged when they differ.

        Tables about nobody may be written to by triggers (a counter); nothing may be deleted there.
        """
        expected: dict[str, list[int]] = {}
        for step in self.builder.steps:
            if step.action != "KEEP" and planned[step.number]:
                expected.setdefault(step.table, [0, 0])[step.action == "DELETE"] += planned[step.number]
        entries, wrong = [], []
        counted = self._counted()
        for table in sorted(counted.keys() | expected.keys()):
            now, then = counted.get(table, (0, 0, 0)), self.before.get(table, (0, 0, 0))
            inserted, updated, deleted = (n - t for n, t in zip(now, then, strict=True))
            to_update, to_delete = expected.get(table, (0, 0))
            entry = self.builder.map.tables.get(table)
            if (entry is not None and entry.about == "nobody") and table not in expected:
                inserted = updated = 0
            if (inserted, updated, deleted) != (0, to_update, to_delete):
                wrong.append(f"{table}: {inserted} inserted, {updated} updated, {deleted} deleted")
            if updated or deleted or inserted:
                entries.append({
                    "plan_id": plan.plan_id,
                    "table_name": table,
                    "inserted": inserted,
                    "updated": updated,
                    "deleted": deleted,
                    "to_update": to_update,
                    "to_delete": to_delete,
                })
        if wrong:
            raise PlanChanged(
                f"the database did something else than was planned ({'; '.join(wrong[:5])})",
                where=plan.run_id,
                do="look for a trigger, a rule or a cascade on these tables; nothing was erased",
            )
        if entries:
            self.connection.execute(statement("erasure", "insert_change"), entries)


class _Control:
    """A random group of others whose rows are counted and hashed before and after."""

    def __init__(self, connection: Connection, builder: Builder, plan: Plan, planned: Mapping[int, int]) -> None:
        self.connection, self.plan = connection, plan
        row_cases = connection.execute(statement("erasure", "count_row_cases"), {"plan_id": plan.plan_id}).scalar_one()
        # Where a planned row may hang on somebody who stays: only there rows have to be told apart.
        mixed = {
            step.number for step in builder.steps if planned[step.number] and (step.action == "UNLINK" or row_cases)
        }
        self.tables, self.statement = builder.control_figures(mixed)
        subject = quote_table(builder.map.subject.table)
        size = connection.execute(statement("erasure", "select_table_size"), {"table_name": subject}).one()
        # Whole pages are drawn, so that a large table is not read for it; three times what is needed, some are ours.
        share = min(100.0, 300.0 * _CONTROL_SUBJECTS / max(float(size.estimate), 1.0)) if size.pages > 20 else 100.0
        connection.execute(
            text(builder.create_control_group()),
            {"plan_id": plan.plan_id, "share": share, "size": _CONTROL_SUBJECTS, "seed": int(plan.sha256[:6], 16)},
        )
        # Without its size the planner reads whole event tables for these few people.
        connection.execute(text("ANALYZE control_subject"))

    def figures(self) -> dict[str, list[int]]:
        # By index, whatever the planner thinks of it: a scan would cost as much as the table is large.
        self.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        found = self.connection.execute(text(self.statement), {"plan_id": self.plan.plan_id}).all()
        self.connection.exec_driver_sql("SET LOCAL enable_seqscan = on")
        return {self.tables[place]: [int(count), int(digest)] for place, count, digest in found}


def _record_erased(connection: Connection, plan: Plan, now: datetime) -> None:
    """One entry per case in the ledger, with what its steps found."""
    connection.execute(statement("erasure", "append_erased"), {"plan_id": plan.plan_id, "at": now})
