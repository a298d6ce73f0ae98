"""A signed certificate per case, kept in the locked evidence bucket, and then the sealing of everything we held.

A certificate says what was done to which asset and how it was checked. It names a keyed reference, never a person.
A row that was deleted is called a deleted row: this is not the sanitisation of media (NIST SP 800-88).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from privacy_ops import ledger, runs, signing
from privacy_ops.erasure.plan import Plan, forget, plans_in_state
from privacy_ops.erasure.verify import gate_of
from privacy_ops.errors import LedgerBroken
from privacy_ops.gates.lock import require_open
from privacy_ops.runs import Run
from privacy_ops.stores.objects import ObjectExists
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

_METHODS = {
    "DELETE": "rows deleted; dead tuples, write-ahead log and replicas age out",
    "EMPTY": "identifying columns emptied; the rest is kept on the ground named in the data map",
    "UNLINK": "pointers in other people's rows emptied",
    "KEEP": "kept: holds nothing that names the person",
    "OBJECT_VERSIONS": "every version and delete marker deleted by version id",
}


def certify(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Issue a certificate for each case of verified plans and seal them; returns counts. Repeatable after a kill.

    Raises GateBlocked when the gate after the erasure does not let exactly this plan through.
    """
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": True}
    issued = 0
    plans = plans_in_state(workspace, "verified")
    for plan in plans:
        issued += _certify_plan(workspace, run, plan, now)
    ledger.copy_out(workspace, now)
    counts = {"plans": len(plans), "certificates": issued}
    with workspace.database("erase").transaction() as connection:
        runs.add_facts(connection, run.run_id, {"certificates": counts})
    return counts


def _certify_plan(workspace: Workspace, run: Run, plan: Plan, now: datetime) -> int:
    this = {"plan_id": plan.plan_id}
    settings = workspace.settings
    store = workspace.objects()
    until = now + timedelta(days=workspace.thresholds.evidence.lock_days)
    with workspace.database("erase").transaction() as connection:
        require_open(connection, run_id=run.run_id, gate=gate_of(plan, run), subject_sha256=plan.sha256, now=now)
        bodies = _bodies(connection, workspace, plan)
        written = []
        for case_id, body in bodies.items():
            signed = {"body": body, "signature": signing.sign(settings.keys.signing_key_pem, body)}
            data = signing.canonical_json(signed).encode()
            key = f"certificates/{case_id}.json"
            try:
                store.put_if_absent(
                    settings.evidence_bucket, key, data, content_type="application/json", locked_until=until
                )
            except ObjectExists:
                if store.get(settings.evidence_bucket, key) != data:
                    raise LedgerBroken(
                        "another certificate of this case lies in the evidence bucket",
                        where=f"bucket {settings.evidence_bucket}",
                        do="find out who wrote it; nothing was sealed",
                    ) from None
            digest = hashlib.sha256(data).hexdigest()
            connection.execute(
                statement("erasure", "insert_certificate"),
                this
                | {
                    "case_id": case_id,
                    "bucket": settings.evidence_bucket,
                    "object_key": key,
                    "sha256": digest,
                    "at": now,
                },
            )
            written.append(({"plan_sha256": plan.sha256, "certificate_sha256": digest}, case_id))
        ledger.append_many(connection, "certified", written, at=now)
        connection.execute(statement("erasure", "delete_signals_of_plan"), this)
        connection.execute(statement("erasure", "seal_cases"), this | {"at": now})
        connection.execute(
            statement("erasure", "update_plan_state"), this | {"state": "certified", "before": "verified", "at": now}
        )
        forget(connection, plan.plan_id, cases=False)
    return len(bodies)


def _bodies(connection: Connection, workspace: Workspace, plan: Plan) -> dict[Any, dict[str, Any]]:
    """What each certificate says. The same however often it is asked: a killed task writes the same bytes."""
    this = {"plan_id": plan.plan_id}
    times = connection.execute(
        text(
            "SELECT intent_at, database_erased_at, objects_erased_at, verified_at FROM gov.erasure_plan"
            " WHERE plan_id = :plan_id"
        ),
        this,
    ).one()
    looked_at = connection.execute(
        text("SELECT count(DISTINCT asset) FROM gov.erasure_residual WHERE plan_id = :plan_id"), this
    ).scalar_one()
    ranges = {
        row.case_id: [row.first, row.last]
        for row in connection.execute(
            text(
                "SELECT l.case_id, min(l.seq) AS first, max(l.seq) AS last FROM gov.erasure_ledger AS l"
                " JOIN gov.erasure_plan_case AS p ON p.case_id = l.case_id AND p.plan_id = :plan_id GROUP BY l.case_id"
            ),
            this,
        )
    }
    assets: dict[Any, list[dict[str, object]]] = {}
    for row in connection.execute(statement("erasure", "select_assets"), this):
        assets.setdefault(row.case_id, []).append({
            "asset": row.asset,
            "method": row.method,
            "planned": int(row.planned),
            "done": int(row.done),
        })
    backups = times.database_erased_at + timedelta(days=workspace.thresholds.backup_max_age_days)
    bodies = {}
    for case in connection.execute(statement("erasure", "select_cases_of_plan"), this):
        bodies[case.case_id] = {
            "format": 1,
            "certificate_of": "erasure",
            "case_id": str(case.case_id),
            "subject": case.subject_kind,
            "subject_ref": case.subject_ref,
            "ref_key_id": case.ref_key_id,
            "ground": "policy section 10; under 18 at discovery by an own statement",
            "discovered_at": case.discovered_at.isoformat(),
            "restricted_at": case.restricted_at.isoformat() if case.restricted_at else None,
            "intent_at": times.intent_at.isoformat(),
            "database_erased_at": times.database_erased_at.isoformat(),
            "objects_erased_at": times.objects_erased_at.isoformat(),
            "verified_at": times.verified_at.isoformat(),
            "run_id": plan.run_id,
            "plan_sha256": plan.sha256,
            "ledger": ranges.get(case.case_id, []),
            "assets": assets.get(case.case_id, []),
            "methods": _METHODS,
            "swept_assets": int(looked_at),
            "residual": 0,
            "backups_beyond_use_until": backups.date().isoformat(),
            "logs_of_visitors": "NOT_ATTRIBUTABLE",
        }
    return bodies
