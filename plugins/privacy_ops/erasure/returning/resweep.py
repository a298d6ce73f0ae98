"""The sweeps one, seven and 35 days after a case was closed: has anything come back?

All due cases are looked for in one pass per night. What is found is restricted and gets a case in the same
transaction that records it; the gate then says so, and says whether the search saw at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from privacy_ops import ledger, runs, signing
from privacy_ops.datamap import catalogue
from privacy_ops.datamap.model import EraseAction
from privacy_ops.erasure.gates import judge
from privacy_ops.erasure.objects.freeze import Copies, shared_stores
from privacy_ops.erasure.objects.rewrite.find import find
from privacy_ops.erasure.returning import returned, search, sweep
from privacy_ops.erasure.returning.returned import OBJECTS, Finding, Returns, Root
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Check, Suite, at_most, one_row
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

SWEEP_GATE = "erasure.sweep"
RUNBOOK = "docs/runbooks/erasure_verification.md"


def sweep_due(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Look for every closed case whose sweep is due; reopen, restrict and record. Returns counts.

    A rehearsal only counts. Repeatable: a sweep that was recorded is not due any more.
    """
    rehearsal = runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours)
    with workspace.database("erase").transaction() as connection:
        due = connection.execute(
            statement("erasure", "select_due_sweeps"),
            {"days": list(workspace.thresholds.sweep.after_days), "at": now},
        ).all()
        found = look(connection, workspace, sorted({row.case_id for row in due})) if due else Returns()
        canaries = _canaries_returned(connection, found)
    counts: dict[str, Any] = {
        "due": len(due),
        "cases": len({row.case_id for row in due}),
        "assets": len(found.assets),
        "assets_not_looked_at": len(expected(workspace) - found.assets) if due else 0,
        "returned": found.count("returned"),
        "new_records": found.count("new_record"),
        "mentions": found.count("mention"),
        "canaries_returned": canaries,
        "blind": found.blind,
        "unreadable": found.unreadable,
        "rehearsal": rehearsal,
    }
    if not rehearsal:
        counts |= note_backups(workspace, now=now)
        with workspace.database("detect").transaction() as connection:
            counts |= returned.open_cases(connection, workspace, run.run_id, found.findings, now=now)
            by_case: dict[UUID, int] = {}
            for finding in found.findings:
                by_case[finding.case_id] = by_case.get(finding.case_id, 0) + finding.rows
            if due:
                connection.execute(
                    statement("erasure", "insert_sweep"),
                    [
                        {
                            "case_id": row.case_id,
                            "after_days": row.after_days,
                            "run_id": run.run_id,
                            "at": now,
                            "found": by_case.get(row.case_id, 0),
                        }
                        for row in due
                    ],
                )
            connection.execute(statement("erasure", "close_reopened"))
    with workspace.database("erase").transaction() as connection:
        if not rehearsal:
            counts["forgotten"] = sweep.forget_swept(connection, workspace, now)
        runs.add_facts(connection, run.run_id, {"sweep": counts})
    return counts


def look(connection: Connection, workspace: Workspace, case_ids: Sequence[UUID] | None) -> Returns:
    """Search every mapped table and personal bucket for erased cases (None: for all). Writes nothing."""
    data_map, live = workspace.data_map, catalogue.read(connection)
    wanted = returned.wanted_for(connection, workspace, case_ids)
    given = {"cases": None if case_ids is None else [str(c) for c in case_ids]}
    row_tables = set(connection.execute(statement("erasure", "select_row_tables"), given).scalars())
    where = list(search.targets(data_map, live, row_tables))
    hits, blind = search.search(connection, data_map, wanted, where)
    findings = returned.examine(connection, data_map, hits, returned.erased_moments(connection, case_ids))
    objects, buckets = search.search_objects(workspace.objects(), data_map, wanted)
    findings += [
        Finding(case_id, OBJECTS + bucket, "object", "returned", 1, root=Root("row", OBJECTS + bucket, (key,)))
        for bucket, key, case_id in objects
        if case_id != search.CONTROL
    ]
    in_shared, read = _look_in_shared(workspace, wanted)
    looked = {target.table for target in where} | search.guarded(data_map, live) | read
    return Returns(findings + in_shared, looked | {OBJECTS + b for b in buckets}, blind, wanted.unreadable)


def _look_in_shared(workspace: Workspace, wanted: search.Wanted) -> tuple[list[Finding], set[str]]:
    """Rows of erased people inside objects of many people, and the stores that could be read whole.

    A row there is a mention: the object is others' too, and a person decides.
    """

    def whose(kind: str, values: tuple[str, ...]) -> UUID | None:
        cases = wanted.match(kind, list(values) if kind == "subject" else values[0]) - {search.CONTROL}
        return min(cases, default=None)

    store, findings, read = workspace.objects(), [], set()
    for shared in shared_stores(workspace, Copies(store)):
        asset, whole = f"{OBJECTS}{shared.bucket}/{shared.prefix} rows", True
        for found in find(store, [shared], whose):
            version = found.version
            whole = whole and not found.code
            if version is None:
                continue
            place = (version.key, version.version_id)
            for case_id, rows in found.found.items():
                assert isinstance(case_id, UUID)  # noqa: S101 - what ``whose`` gives
                findings.append(Finding(case_id, asset, "shared", "mention", rows, row_key=place))
        if whole:
            read.add(asset)
    return findings, read


def expected(workspace: Workspace) -> set[str]:
    """Assets that have to be looked at, from the map alone."""
    data_map = workspace.data_map
    tables = {n for n, t in data_map.tables.items() if n == data_map.subject.table or t.about == "subject"}
    stores = {OBJECTS + e.bucket for e in data_map.objects.values() if e.erase is EraseAction.OBJ_ALL_VERSIONS}
    stores |= {f"{OBJECTS}{e.bucket}/{e.prefix} rows" for e in data_map.objects.values() if e.rows}
    return tables | stores


def _canaries_returned(connection: Connection, found: Returns) -> int:
    """How many findings are about made-up people: they come back only when somebody tests that they are found."""
    cases = sorted({str(f.case_id) for f in found.findings if f.verdict == "returned"})
    row = connection.execute(statement("erasure", "count_canary_cases"), {"cases": cases}).scalar_one()
    return int(row)


def note_backups(workspace: Workspace, *, now: datetime) -> dict[str, int]:
    """Write for each erased case when the last backup that may hold it is gone; returns counts (measure M6)."""
    limits = workspace.thresholds
    with workspace.database("erase").transaction() as connection:
        noted = connection.execute(
            statement("erasure", "insert_backup_age_out"), {"days": limits.backup_max_age_days}
        ).rowcount
        oldest = _oldest_backup(workspace)
        gone = connection.execute(
            statement("erasure", "update_aged_out"), {"at": now, "oldest": oldest, "today": now.date()}
        ).rowcount
        overdue = connection.execute(statement("erasure", "count_backups_overdue"), {"today": now.date()}).scalar_one()
    return {"noted": int(noted), "aged_out": int(gone), "backups_overdue": int(overdue)}


def _oldest_backup(workspace: Workspace) -> datetime | None:
    """When the oldest backup that still exists was written; None when there is none, or the map names no store."""
    store = workspace.objects()
    buckets = {e.bucket for e in workspace.data_map.objects.values() if e.backup}
    return min((v.modified for b in sorted(buckets) for v in store.versions(b) if v.modified), default=None)


def sweep_suite() -> Suite:
    """What must hold after a later sweep."""

    def none(check_id: str, title: str, column: str, do: str) -> Check:
        return at_most(check_id, title, column, 0, do=do)

    return Suite(
        SWEEP_GATE,
        "Nobody who was erased came back",
        (
            one_row(),
            none(
                "G-28-RETURNED",
                "No data of an erased person stands anywhere again",
                "returned",
                "it is restricted and has a case; find what brought it back before the next night",
            ),
            none(
                "G-28-LOOKED",
                "Every mapped table and bucket was looked at",
                "assets_not_looked_at",
                "a store could not be read; clear the task",
            ),
            none(
                "G-28-BLIND",
                "A value known to be there was found in every column",
                "blind",
                "the search does not see: look at the keys and at how identifiers are written",
            ),
            none(
                "G-28-KEYS",
                "Every reference was made by a key that is still held",
                "unreadable",
                "put the dropped key back into PRIVACY_OPS_HMAC_KEYS (see `keys check`)",
            ),
            none("G-39-LATE", "No sweep is overdue", "overdue", "run the sweep; look why it did not run"),
            none("G-33", "The ledger verifies, with its copies", "ledger_faults", "follow docs/runbooks/ledger.md"),
            none(
                "M6",
                "No backup is older than it may be",
                "backups_overdue",
                "delete the backups that hold people erased too long ago",
            ),
            at_most(
                "G-28-MENTIONS",
                "No list or text of others names an erased person",
                "mentions",
                0,
                severity="warning",
                do="a person looks at the rows named in gov.return_finding and takes the identifier out",
            ),
            at_most(
                "G-28-NEW",
                "Nobody signed up anew before coming of age",
                "new_records",
                0,
                severity="warning",
                do="a person decides the case; nothing was erased",
            ),
        ),
        RUNBOOK,
    )


def judge_sweep(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Judge what the sweep of this run counted and record the verdict. Raises GateBlocked; a rehearsal has none."""
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": True}
    with workspace.database("erase").transaction() as connection:
        facts = connection.execute(statement("erasure", "select_facts_of_run"), {"run_id": run.run_id}).scalar_one()
        late = connection.execute(
            statement("erasure", "select_due_sweeps"),
            {
                "days": list(workspace.thresholds.sweep.after_days),
                "at": now - timedelta(hours=workspace.thresholds.sweep.late_hours),
            },
        ).all()
    counts = facts.get("sweep", {})
    names = (
        "returned", "assets_not_looked_at", "blind", "unreadable", "mentions", "new_records", "backups_overdue",
    )  # fmt: skip
    metrics = {name: float(counts[name]) for name in names if name in counts}
    metrics |= {"overdue": float(len(late)), "ledger_faults": float(ledger.check(workspace).fault_count)}
    sha256 = hashlib.sha256(signing.canonical_json(counts).encode()).hexdigest()
    verdict = judge(sweep_suite(), metrics, run.run_id, sha256, now, workspace.thresholds)
    with workspace.database("erase").transaction() as connection:
        gate_result_id = runner.record(connection, verdict)
    runner.raise_if_blocked(verdict, gate_result_id)
    return {"gate": verdict.verdict, "gate_result_id": gate_result_id}
