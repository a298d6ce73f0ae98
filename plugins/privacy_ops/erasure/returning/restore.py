"""Erases again what a restored backup brought back, before anybody may use the database.

A backup is older than the erasures made since. What they were lies outside the database, in the locked bucket:
the ledger, the suppression list and the references for sweeps. A replay verifies them, brings the restored ledger
up to date, finds the people by keyed reference, restricts them at once and erases them through the same engine.
The database is ready when a last search finds nobody. Everything can be killed and called again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from privacy_ops import ledger, runs, signing
from privacy_ops.erasure import execute, verify
from privacy_ops.erasure import gates as erasure_gates
from privacy_ops.erasure import plan as plans
from privacy_ops.erasure.certificates import certify as certificate
from privacy_ops.erasure.objects import erase as objects
from privacy_ops.erasure.returning import resweep, returned
from privacy_ops.erasure.returning.returned import Returns
from privacy_ops.errors import ConfigError, LedgerBroken
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Suite, at_most, one_row
from privacy_ops.ledger import Copy
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

DAG_ID = "restore_replay"  # a run of no DAG: a person starts it by hand
RESTORED_GATE = "erasure.restored"
RUNBOOK = "docs/runbooks/restore.md"
_LOCK = 20180518


def replay(
    workspace: Workspace, source: str, *, clock: Callable[[], datetime], step: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Erase again what the restored database holds of erased people; returns counts and ``ready``.

    source: ``s3://bucket`` with the copies. clock: the wall clock; a replay may take hours. step: told what begins.
    Raises LedgerBroken (a copy was tampered with, or the database went another way), GateBlocked, UserError.
    """
    store = workspace.objects()
    bucket = _bucket(source)
    if bucket != workspace.settings.evidence_bucket:
        raise ConfigError(
            "certificates and copies would go to another bucket than this one",
            where="PRIVACY_OPS_EVIDENCE_BUCKET",
            do=f"set it to {bucket}",
        )
    step("reading and verifying the copies")
    copy = ledger.read_copy(store, bucket, signing.trusted_keys(workspace.settings.keys))
    run, restore_id, counts = _open(workspace, copy, source, clock())
    step("finding and restricting who came back")
    with workspace.database("erase").transaction(read_only=True) as connection:
        found = _look(connection, workspace, clock())
    with workspace.database("detect").transaction() as connection:
        counts |= returned.open_cases(connection, workspace, run.run_id, found.findings, now=run.as_of)
    counts["found"] = len(found.findings)
    _judge(workspace, run, found, clock())
    step("erasing them again")
    _erase(workspace, run, clock)
    step("searching once more")
    now = clock()
    with workspace.database("detect").transaction() as connection:
        connection.execute(statement("erasure", "close_reopened"))
    with workspace.database("erase").transaction(read_only=True) as connection:
        left = _look(connection, workspace, now)
    faults = {"residual": len(left.findings), "blind": left.blind, "unreadable": left.unreadable}
    clean = not any(faults.values())
    with workspace.database("erase").transaction() as connection:
        connection.execute(
            statement("erasure", "update_restore"),
            {
                "restore_id": restore_id,
                "state": "ready" if clean else "swept",
                "residual": sum(faults.values()),
                "at": now if clean else None,
            },
        )
        if clean:
            ledger.append(
                connection,
                "restored",
                {"restore_id": str(restore_id), "run_id": run.run_id, "found": counts["found"], "residual": 0},
                at=now,
            )
        runs.close_run(connection, run.run_id, now=now, state="done" if clean else "failed", facts=counts | faults)
    ledger.copy_out(workspace, now)
    return counts | faults | {"ready": clean, "restore_id": str(restore_id)}


def ready(workspace: Workspace) -> list[str]:
    """Why the database may not take traffic; empty when it may. A publisher's start-up asks this.

    Not ready: a replay was begun and not finished, or the ledger lacks what was copied out of it (it is a restored
    backup, and nobody replayed).
    """
    why = []
    with workspace.database("erase").transaction(read_only=True) as connection:
        if connection.execute(statement("erasure", "select_unfinished_restore")).one_or_none() is not None:
            why.append("a replay was begun and has not ended with nobody left: run restore-replay again")
        bucket = workspace.settings.evidence_bucket
        store = workspace.objects()
        if next(store.versions(bucket, ledger.HEADS), None) is None:
            return why  # nothing was ever erased
        copy = ledger.read_copy(store, bucket, signing.trusted_keys(workspace.settings.keys))
        try:
            if ledger.require_continued(connection, copy) < copy.seq:
                why.append("the database is older than its newest copy: it was restored; run restore-replay")
        except LedgerBroken as error:
            why.append(str(error))
    return why


def _bucket(source: str) -> str:
    bucket = source.removeprefix("s3://").strip("/")
    if not source.startswith("s3://") or not bucket or "/" in bucket:
        raise ConfigError("this names no bucket", where="--from", do="write s3://bucket")
    return bucket


def _open(workspace: Workspace, copy: Copy, source: str, now: datetime) -> tuple[Run, UUID, dict[str, Any]]:
    """Begin or go on: bring ledger and lists up to date, close what was erased already, open a run."""
    with workspace.database("erase").transaction() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        last = ledger.require_continued(connection, copy)
        appended = ledger.append_copied(connection, (entry for entry in copy.entries() if entry.seq > last))
        suppressed = _insert(connection, "insert_copied_suppression", copy.rows("suppression"))
        remembered = _insert(connection, "insert_copied_sweep_identifier", copy.rows("sweep"))
        row = connection.execute(
            statement("erasure", "upsert_restore"),
            {"restore_id": uuid4(), "source": source, "last": last, "head": copy.seq, "at": now},
        ).one()
        erased = [
            dict(case)
            for case in connection.execute(
                statement("erasure", "select_erased_cases"), {"table": workspace.data_map.subject.table}
            ).mappings()
        ]
    with workspace.database("detect").transaction() as connection:
        _insert(connection, "insert_erased_case", erased)
    with workspace.database("erase").transaction() as connection:
        connection.execute(statement("erasure", "delete_signals_of_erased"))
        for plan in connection.execute(statement("erasure", "void_certified_plans")).all():
            plans.forget(connection, plan.plan_id)
        sealed = connection.execute(statement("erasure", "seal_erased_cases"), {"at": now}).rowcount
        run = runs.open_run(
            connection,
            run_id=f"{DAG_ID}/{row.restore_id}/{row.attempts}",
            dag_id=DAG_ID,
            now=now,
            run_type="manual",
            dry_run=False,
            thresholds_sha256=workspace.thresholds.sha256(),
            map_sha256=workspace.map_sha256,
        )
    counts = {
        "entries_replayed": appended,
        "suppressed": suppressed,
        "remembered": remembered,
        "cases_erased": len(erased),
        "cases_sealed": int(sealed),
        "attempt": int(row.attempts),
    }
    return run, row.restore_id, counts


def _insert(connection: Connection, name: str, rows: Any) -> int:
    batch: list[dict[str, Any]] = []
    count = 0
    for row in rows:
        batch.append(row)
        count += 1
        if len(batch) == 1000:
            connection.execute(statement("erasure", name), batch)
            batch.clear()
    if batch:
        connection.execute(statement("erasure", name), batch)
    return count


def _look(connection: Connection, workspace: Workspace, now: datetime) -> Returns:
    """What came back of anybody who was ever erased. New sign-ups and mentions are not a restore's to judge."""
    found = resweep.look(connection, workspace, None)
    ended = set(connection.execute(statement("erasure", "select_ended_cases"), {"today": now.date()}).scalars())
    # An address without a date, after the end of the block: it may be somebody who lawfully came back.
    findings = [
        f
        for f in found.findings
        if f.verdict == "returned" and not (f.found_by == "email" and not f.dated and f.case_id in ended)
    ]
    return Returns(findings, found.assets, found.blind, found.unreadable)


def restored_suite() -> Suite:
    """What must hold before what a search found is erased again: it saw, and saw everything."""
    return Suite(
        RESTORED_GATE,
        "The search for restored people can be trusted",
        (
            one_row(),
            at_most(
                "G-28-LOOKED",
                "Every mapped table and bucket was looked at",
                "assets_not_looked_at",
                0,
                do="a store could not be read; replay again",
            ),
            at_most(
                "G-28-BLIND",
                "A value known to be there was found in every column",
                "blind",
                0,
                do="the search does not see: look at the keys",
            ),
            at_most(
                "G-28-KEYS",
                "Every reference was made by a key that is still held",
                "unreadable",
                0,
                do="put the missing key back into PRIVACY_OPS_HMAC_KEYS",
            ),
        ),
        RUNBOOK,
    )


def _judge(workspace: Workspace, run: Run, found: Returns, now: datetime) -> None:
    missing = resweep.expected(workspace) - found.assets
    metrics = {
        "assets_not_looked_at": float(len(missing)),
        "blind": float(found.blind),
        "unreadable": float(found.unreadable),
    }
    sha256 = hashlib.sha256(signing.canonical_json({"run_id": run.run_id, **metrics}).encode()).hexdigest()
    verdict = erasure_gates.judge(restored_suite(), metrics, run.run_id, sha256, now, workspace.thresholds)
    with workspace.database("erase").transaction() as connection:
        gate_result_id = runner.record(connection, verdict)
    runner.raise_if_blocked(verdict, gate_result_id)


def _erase(workspace: Workspace, run: Run, clock: Callable[[], datetime]) -> None:
    """The engine of every night, on what came back alone; it also finishes what an earlier attempt left."""
    plans.plan(workspace, run, now=clock())
    erasure_gates.judge_plan(workspace, run, now=clock())
    execute.erase_database(workspace, run, now=clock())
    objects.erase_objects(workspace, run, now=clock())
    verify.verify(workspace, run, now=clock())
    certificate.certify(workspace, run, now=clock())
