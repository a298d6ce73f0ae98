"""Looks for what an erasure may have left, anew and by other ways than the erasure went.

Every mapped table is searched by subject keys, addresses and external ids that the plan kept, every personal
bucket is listed. Nothing is certified before the gate has seen all of them empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from privacy_ops import ledger, runs
from privacy_ops.datamap import catalogue
from privacy_ops.erasure.gates import DONE_GATE, done_suite, judge
from privacy_ops.erasure.objects import erase as objects
from privacy_ops.erasure.plan import Plan, covered_catalogue, plans_in_state
from privacy_ops.erasure.returning import returned, search
from privacy_ops.erasure.rows.builder import Builder
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Suite
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

_SWEPT_ACTIONS = {"OBJ_ALL_VERSIONS"}
_CASES = text("SELECT case_id FROM gov.erasure_plan_case WHERE plan_id = :plan_id")


def gate_of(plan: Plan, run: Run) -> str:
    """Name of the gate after the erasure: an older plan finished by this run has one of its own."""
    return DONE_GATE if plan.run_id == run.run_id else f"{DONE_GATE}.{plan.plan_id}"


def verify(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Sweep and judge every plan whose objects are gone; returns counts. Raises GateBlocked when this run's plan left
    anything. An older plan that is blocked holds up no later one: ``certify`` names it after the others are done.

    A plan that was proven before and has no certificate yet (a kill, or a verdict that expired) is proven again:
    its certificate needs a verdict of this run.
    """
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": True}
    total: dict[str, Any] = {"plans": 0, "assets": 0, "residual_rows": 0, "residual_objects": 0}
    total |= {"residual_elsewhere": 0, "gates": []}
    own: tuple[runner.Verdict, int] | None = None
    for plan in [p for state in ("verified", "objects_erased") for p in plans_in_state(workspace, state)]:
        metrics = sweep(workspace, plan, now=now) | elsewhere(workspace, run, plan, now=now)
        suite = done_suite()
        named = Suite(gate_of(plan, run), suite.title, suite.checks, suite.runbook)
        verdict = judge(named, metrics, run.run_id, plan.sha256, now, workspace.thresholds)
        with workspace.database("erase").transaction() as connection:
            gate_result_id = runner.record(connection, verdict)
            if verdict.verdict != "block":
                this = {"plan_id": plan.plan_id}
                moved = connection.execute(
                    statement("erasure", "update_plan_state"),
                    this | {"state": "verified", "before": "objects_erased", "at": now},
                ).rowcount
                if moved:
                    connection.execute(statement("erasure", "update_cases_of_plan"), this | {"state": "VERIFYING"})
                    ledger.append(
                        connection, "verified", {"plan_sha256": plan.sha256, "gate_result_id": gate_result_id}, at=now
                    )
        total["plans"] += 1
        total["assets"] += int(metrics["assets_looked_at"])
        total["residual_rows"] += int(metrics["residual_rows"])
        total["residual_objects"] += int(metrics["residual_objects"])
        total["residual_elsewhere"] += int(metrics["residual_elsewhere"])
        total["gates"].append(verdict.verdict)
        if plan.run_id == run.run_id:
            own = verdict, gate_result_id
    with workspace.database("erase").transaction() as connection:
        runs.add_facts(connection, run.run_id, {"verification": total})
    if own is not None:
        runner.raise_if_blocked(*own)
    return total


def sweep(workspace: Workspace, plan: Plan, *, now: datetime) -> dict[str, float]:
    """The figures that the gate after the erasure judges. Writes what was counted asset by asset."""
    this = {"plan_id": plan.plan_id}
    found: dict[str, int] = {}
    with workspace.database("erase").transaction() as connection:
        builder = Builder(workspace.data_map, covered_catalogue(connection, workspace))
        for table, sql in builder.sweeps():
            found[table] = int(connection.execute(text(sql), this).scalar_one())
        rows = sum(found.values())
        for asset, count in _sweep_objects(connection, workspace, plan):
            found[asset] = count
        for asset, count in found.items():
            connection.execute(
                statement("erasure", "insert_residual"), this | {"asset": asset, "at": now, "found": count}
            )
        orphans = builder.count_orphans()
        own = connection.execute(statement("erasure", "select_done_metrics"), this).mappings().one()
        metrics = {name: float(value) for name, value in own.items() if value is not None}
        metrics["orphans"] = float(connection.execute(text(orphans)).scalar_one() or 0) if orphans else 0.0
    metrics["canaries_erased_or_idle"] = 1.0 if metrics["canaries_erased"] or not metrics["cases"] else 0.0
    return metrics | {
        "residual_rows": float(rows),
        "residual_objects": float(sum(found.values()) - rows),
        "assets_looked_at": float(len(found)),
        "assets_not_looked_at": float(len(_expected(workspace, builder) - set(found))),
        "ledger_faults": float(ledger.check(workspace).fault_count),
    }


def elsewhere(workspace: Workspace, run: Run, plan: Plan, *, now: datetime) -> dict[str, float]:
    """What carries an identifier of the erased where no link leads: addresses in any column, lists, texts.

    Read and hashed like the later sweeps, so by another way than the plan went. A row that hangs on nobody gets a
    case and goes the next night; a mention in somebody else's row or text is for people.
    """
    with workspace.database("erase").transaction(read_only=True) as connection:
        cases = [row.case_id for row in connection.execute(_CASES, {"plan_id": plan.plan_id})]
        if not cases:
            return {"residual_elsewhere": 0.0, "mentions": 0.0}
        live = catalogue.read(connection)
        wanted = returned.wanted_for(connection, workspace, cases)
        where = [t for t in search.targets(workspace.data_map, live) if t.text or t.kind == "email"]
        hits, blind = search.search(connection, workspace.data_map, wanted, where)
        moments = returned.erased_moments(connection, cases)
        findings = [
            f for f in returned.examine(connection, workspace.data_map, hits, moments) if f.verdict != "new_record"
        ]
    if findings:
        with workspace.database("detect").transaction() as connection:
            returned.open_cases(connection, workspace, run.run_id, findings, now=now)
    left = sum(f.rows for f in findings if f.verdict == "returned")
    return {
        "residual_elsewhere": float(left + blind),
        "mentions": float(sum(1 for f in findings if f.verdict == "mention")),
    }


def _expected(workspace: Workspace, builder: Builder) -> set[str]:
    """Assets that must be looked at, named from the map and not from what the sweep did."""
    tables = {step.table for step in builder.steps if step.action != "KEEP"}
    stores = {f"s3://{e.bucket}" for e in workspace.data_map.objects.values() if e.erase.value in _SWEPT_ACTIONS}
    stores |= {f"s3://{e.bucket}/{e.prefix} rows" for e in workspace.data_map.objects.values() if e.rows}
    return tables | stores


def _sweep_objects(connection: Connection, workspace: Workspace, plan: Plan) -> Iterator[tuple[str, int]]:
    """(bucket or shared store, what is left there of a plan): by listing, and by reading shared objects anew."""
    yield from objects.residual(connection, workspace, plan)
    yield from objects.residual_rows_of(connection, workspace, plan)
