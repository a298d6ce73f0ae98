"""A signed certificate per case, kept in the locked evidence bucket, and then the sealing of everything we held.

A certificate says what was done to which asset and how it was checked, who else was told, what is kept and what goes
with its age. It names a keyed reference, never a person. A row that was deleted is called a deleted row: this is not
the sanitisation of media (NIST SP 800-88). What parties answer later follows in signed supplements.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops import ledger, pseudonyms, runs
from privacy_ops.datamap.model import DataMap, EraseAction
from privacy_ops.erasure.certificates import document as documents
from privacy_ops.erasure.objects import erase as objects
from privacy_ops.erasure.plan import Plan, forget, plans_in_state
from privacy_ops.erasure.returning import suppression
from privacy_ops.erasure.verify import gate_of
from privacy_ops.errors import GateBlocked, LedgerBroken, UserError
from privacy_ops.gates.lock import require_open
from privacy_ops.runs import Run
from privacy_ops.stores.objects import ObjectExists, ObjectStore
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

_FOLDER = "certificates/"
_THREADS = 8
_SUPPLEMENTS_PER_RUN = 1000
_AGES_OUT = "database: dead tuples, write-ahead log, replicas"


def certify(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Issue a certificate for each case of verified plans and seal them; returns counts. Repeatable after a kill.

    Raises GateBlocked, after all others are done, when the gate after the erasure does not let a plan through.
    """
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": True}
    issued = 0
    plans = plans_in_state(workspace, "verified")
    blocked: list[GateBlocked] = []
    for plan in plans:
        try:
            issued += _certify_plan(workspace, run, plan, now)
        except GateBlocked as error:
            blocked.append(error)
    ledger.copy_out(workspace, now)
    counts = {"plans": len(plans) - len(blocked), "certificates": issued}
    with workspace.database("erase").transaction() as connection:
        runs.add_facts(connection, run.run_id, {"certificates": counts})
    if blocked:
        raise blocked[0]
    if left := plans_in_state(workspace, "objects_erased"):
        raise GateBlocked(
            f"{len(left)} plans are not proven: something of their people is left",
            where=", ".join(plan.run_id for plan in left[:3]),
            do=f"read the newest report of {gate_of(left[0], run)}; what this run erased itself is certified",
        )
    return counts


def _certify_plan(workspace: Workspace, run: Run, plan: Plan, now: datetime) -> int:
    """Write the bytes down, put them into the bucket, then seal.

    The bytes come first: a kill before the sealing, a new key or a party's answer in between must not make another
    certificate of the same case.
    """
    this = {"plan_id": plan.plan_id}
    database, settings = workspace.database("erase"), workspace.settings
    gate = {"run_id": run.run_id, "gate": gate_of(plan, run), "subject_sha256": plan.sha256}
    with database.transaction() as connection:
        require_open(connection, **gate, now=now)
        drafted = set(
            connection.execute(
                text("SELECT case_id FROM gov.certificate_draft WHERE plan_id = :plan_id"), this
            ).scalars()
        )
        for case_id, body in _bodies(connection, workspace, plan, gate, now).items():
            if case_id not in drafted:
                document, page = documents.issue(settings.keys.signing_key_pem, body)
                connection.execute(
                    statement("erasure", "insert_certificate_draft"),
                    this | {"case_id": case_id, "document": document, "page": page},
                )
    with database.transaction(read_only=True) as connection:
        drafts = connection.execute(
            text("SELECT case_id, document, page FROM gov.certificate_draft WHERE plan_id = :plan_id ORDER BY case_id"),
            this,
        ).all()
    _put_all(workspace, drafts, now)
    with database.transaction() as connection:
        require_open(connection, **gate, now=now)
        written = []
        for draft in drafts:
            document = draft.document.encode()
            digest = hashlib.sha256(document).hexdigest()
            told = [(one["instruction"], one["state"]) for one in json.loads(document)["body"]["told"]]
            connection.execute(
                statement("erasure", "insert_certificate"),
                this
                | {
                    "case_id": draft.case_id,
                    "bucket": settings.evidence_bucket,
                    "object_key": f"{_FOLDER}{draft.case_id}.json",
                    "sha256": digest,
                    "told_sha256": documents.told_sha256(told),
                    "at": now,
                },
            )
            written.append(({"plan_sha256": plan.sha256, "certificate_sha256": digest}, draft.case_id))
        ledger.append_many(connection, "certified", written, at=now)
        connection.execute(statement("erasure", "delete_signals_of_plan"), this)
        connection.execute(statement("erasure", "seal_cases"), this | {"at": now})
        connection.execute(
            statement("erasure", "update_plan_state"),
            this | {"state": "certified", "before": "verified", "at": now},
        )
        connection.execute(text("DELETE FROM gov.certificate_draft WHERE plan_id = :plan_id"), this)
        forget(connection, plan.plan_id, cases=False)
    return len(drafts)


def _put_all(workspace: Workspace, drafts: Iterable[Any], now: datetime) -> None:
    store = workspace.objects()
    _ = store.client  # made here: making it in several threads at once is not safe
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda d: _put(workspace, store, str(d.case_id), d.document, d.page, now), drafts))


def _put(workspace: Workspace, store: ObjectStore, name: str, document: str, page: str, now: datetime) -> None:
    """Both files of one certificate into the locked bucket, or find them there. Raises LedgerBroken."""
    bucket = workspace.settings.evidence_bucket
    until = now + timedelta(days=workspace.thresholds.evidence.lock_days)
    _put_same(store, bucket, f"{_FOLDER}{name}.html", page.encode(), "text/html", until)
    _put_same(store, bucket, f"{_FOLDER}{name}.json", document.encode(), "application/json", until)


def _put_same(store: ObjectStore, bucket: str, key: str, data: bytes, content_type: str, until: datetime) -> None:
    try:
        store.put_same(bucket, key, data, content_type=content_type, locked_until=until)
    except ObjectExists:
        raise LedgerBroken(
            "another certificate of this case lies in the evidence bucket",
            where=f"bucket {bucket}",
            do="find out who wrote it; nothing was sealed",
        ) from None


def _bodies(
    connection: Connection, workspace: Workspace, plan: Plan, gate: Mapping[str, str], now: datetime
) -> dict[UUID, dict[str, Any]]:
    """What each certificate says."""
    this = {"plan_id": plan.plan_id}
    times = connection.execute(
        text(
            "SELECT p.intent_at, p.database_erased_at, p.objects_erased_at, p.verified_at, r.code_version,"
            " r.thresholds_sha256, r.map_sha256 FROM gov.erasure_plan AS p JOIN gov.run AS r USING (run_id)"
            " WHERE p.plan_id = :plan_id"
        ),
        this,
    ).one()
    looked_at = connection.execute(
        text("SELECT count(DISTINCT asset) FROM gov.erasure_residual WHERE plan_id = :plan_id"), this
    ).scalar_one()
    ranges = {
        row.case_id: [int(row.first), int(row.last)]
        for row in connection.execute(
            text(
                "SELECT l.case_id, min(l.seq) AS first, max(l.seq) AS last FROM gov.erasure_ledger AS l"
                " JOIN gov.erasure_plan_case AS p ON p.case_id = l.case_id AND p.plan_id = :plan_id GROUP BY l.case_id"
            ),
            this,
        )
    }
    assets: dict[UUID, list[dict[str, Any]]] = {}
    for row in connection.execute(statement("erasure", "select_assets"), this):
        assets.setdefault(row.case_id, []).append({
            "asset": row.asset,
            "method": row.method,
            "planned": int(row.planned),
            "done": int(row.done),
        })
    told: dict[UUID, list[dict[str, Any]]] = {}
    for row in connection.execute(statement("erasure", "select_told"), this):
        told.setdefault(row.case_id, []).append(_told(row))
    people = {row.case_id: row.died for row in connection.execute(statement("erasure", "select_decisions"), this)}
    exceptions = objects.exceptions(connection, plan)
    held = _held(connection, this)
    taken_out = _taken_out(connection.execute(statement("redaction", "select_of_plan"), this))
    verification = _verification(connection, gate)
    data_map = workspace.data_map
    backups = times.database_erased_at + timedelta(days=workspace.thresholds.backup_max_age_days)
    return {
        case.case_id: {
            "format": documents.FORMAT,
            "certificate_of": "erasure",
            "case_id": str(case.case_id),
            "publisher": data_map.publisher.name,
            "subject": case.subject_kind,
            "subject_ref": case.subject_ref,
            "ref_key_id": case.ref_key_id,
            "ground": "policy section 10: no data of anybody under 18",
            "decided": "by people" if case.case_id in people else "by rule",
            "died": people.get(case.case_id, False),
            "discovered_at": case.discovered_at.isoformat(),
            "restricted_at": case.restricted_at.isoformat() if case.restricted_at else None,
            "intent_at": times.intent_at.isoformat(),
            "database_erased_at": times.database_erased_at.isoformat(),
            "objects_erased_at": times.objects_erased_at.isoformat(),
            "verified_at": times.verified_at.isoformat(),
            "issued_at": now.isoformat(),
            "run_id": plan.run_id,
            "plan_sha256": plan.sha256,
            "code_version": times.code_version,
            "thresholds_sha256": times.thresholds_sha256,
            "map_sha256": times.map_sha256,
            "ledger": ranges[case.case_id],
            "assets": assets.get(case.case_id, []),
            "methods": documents.METHODS,
            "retained": _retained(data_map, assets.get(case.case_id, [])),
            "held": held.get(case.case_id, []),
            "redactions": taken_out.get(case.case_id, []),
            "exceptions": [*exceptions.get(case.case_id, []), *exceptions.get(None, [])],
            "ages_out": _ages_out(data_map),
            "backups_beyond_use_until": backups.date().isoformat(),
            "logs_of_visitors": "NOT_ATTRIBUTABLE",
            "verification": verification,
            "swept_assets": int(looked_at),
            "residual": 0,
            "told": told.get(case.case_id, []),
        }
        for case in connection.execute(statement("erasure", "select_cases_of_plan"), this)
    }


def _told(row: Any) -> dict[str, Any]:
    return {
        "instruction": str(row.instruction_id),
        "party": row.party,
        "kind": row.kind,
        "state": row.state,
        "reason": row.reason,
        "method": row.method,
        "told_at": row.instructed_at.isoformat() if row.instructed_at else None,
        "answered_at": row.acked_at.isoformat() if row.acked_at else None,
        "erased": row.ack_found,
    }


def _verification(connection: Connection, gate: Mapping[str, str]) -> dict[str, Any]:
    row = connection.execute(statement("erasure", "select_verdict_of_plan"), dict(gate)).one()
    return {
        "gate": gate["gate"],
        "gate_result_id": int(row.gate_result_id),
        "verdict": row.verdict,
        "judged_at": row.judged_at.isoformat(),
        "checks": {str(check["id"]): bool(check["success"]) for check in row.checks},
    }


def _retained(data_map: DataMap, assets: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What stays of a case's rows, and on what ground."""
    found = []
    for asset in assets:
        table = data_map.tables.get(asset["asset"])
        if table is not None and asset["method"] in {"EMPTY", "KEEP"}:
            ground = table.retention or ", ".join(purpose.value for purpose in table.purpose) or "not about the person"
            found.append({"asset": asset["asset"], "ground": ground, "rows": asset["done"]})
    return found


def _held(connection: Connection, this: Mapping[str, Any]) -> dict[UUID, list[dict[str, Any]]]:
    """What is kept of each case, cell by cell, because of a hold over parts of it."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in connection.execute(statement("erasure", "select_kept_of_plan"), this):
        found.setdefault(row.case_id, []).append({
            "asset": row.table_name,
            "columns": list(row.columns),
            "hold": int(row.hold_id),
            "basis": row.basis,
            "review_on": row.review_on.isoformat(),
            "rows": int(row.planned),
        })
    return found


def _taken_out(rows: Iterable[Any]) -> dict[UUID, list[dict[str, Any]]]:
    """What was taken out of other people's texts, case by case."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append({
            "asset": row.asset,
            "texts": int(row.texts),
            "places": int(row.places),
            "redacted_at": row.redacted_at.isoformat(),
        })
    return found


def _ages_out(data_map: DataMap) -> list[dict[str, str]]:
    stores = [
        {"asset": f"s3://{entry.bucket}/{entry.prefix}", "rule": entry.retention or "by age"}
        for entry in data_map.objects.values()
        if entry.personal and entry.erase is EraseAction.AGE_OUT
    ]
    return [*stores, {"asset": _AGES_OUT, "rule": "overwritten by vacuum, checkpoints and replication"}]


# --- supplements ------------------------------------------------------------------------------------------------------


def supplement(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Sign what came after a case was certified: what parties answered, once nobody's answer is open, what was taken
    out of other people's texts, and what a hold had kept and was erased when it ended; returns counts.

    A new document beside the certificate, written down before it is put there, so that a kill changes no byte.
    """
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": True}
    database = workspace.database("erase")
    with database.transaction(read_only=True) as connection:
        due = connection.execute(statement("erasure", "select_due_supplements"), {"most": _SUPPLEMENTS_PER_RUN}).all()
    for row in due:
        _supplement_case(workspace, row, now)
    if due:
        ledger.copy_out(workspace, now)
    with database.transaction() as connection:
        runs.add_facts(connection, run.run_id, {"supplements": len(due)})
    return {"supplements": len(due)}


def _supplement_case(workspace: Workspace, row: Any, now: datetime) -> None:
    settings, database = workspace.settings, workspace.database("erase")
    this = {"case_id": row.case_id, "plan_id": row.plan_id}
    with database.transaction() as connection:
        told = connection.execute(statement("erasure", "select_told_of_case"), this).all()
        redacted = connection.execute(statement("redaction", "select_of_case"), {"case_id": row.case_id}).all()
        ended = connection.execute(statement("erasure", "select_held_erased"), {"case_id": row.case_id}).all()
        moments = [one.moved_at for one in told] + [one.verified_at for one in redacted] + [one.at for one in ended]
        body = {
            "format": documents.FORMAT,
            "certificate_of": "supplement",
            "case_id": str(row.case_id),
            "publisher": workspace.data_map.publisher.name,
            "number": int(row.number),
            "supplements_sha256": row.sha256,
            "as_of": max(moments).isoformat(),
            "told": [_told(one) for one in told],
            "redactions": _taken_out(redacted).get(row.case_id, []),
            "held_erased": [
                {"hold": int(one.hold), "rows": int(one.records), "erased_at": one.at.isoformat()} for one in ended
            ],
        }
        document, page = documents.issue(settings.keys.signing_key_pem, body)
        connection.execute(
            statement("erasure", "insert_certificate_draft"), this | {"document": document, "page": page}
        )
    with database.transaction(read_only=True) as connection:
        draft = connection.execute(
            text("SELECT document, page FROM gov.certificate_draft WHERE plan_id = :plan_id AND case_id = :case_id"),
            this,
        ).one()
    said = json.loads(draft.document)["body"]
    name = f"{row.case_id}.supplement-{said['number']}"
    _put(workspace, workspace.objects(), name, draft.document, draft.page, now)
    digest = hashlib.sha256(draft.document.encode()).hexdigest()
    with database.transaction() as connection:
        moved = connection.execute(
            statement("erasure", "insert_supplement"),
            this
            | {
                "number": said["number"],
                "bucket": settings.evidence_bucket,
                "object_key": f"{_FOLDER}{name}.json",
                "sha256": digest,
                "told_sha256": documents.told_sha256([(one["instruction"], one["state"]) for one in said["told"]]),
                "at": now,
            },
        ).rowcount
        if moved:
            ledger.append(connection, "supplemented", {"certificate_sha256": digest}, at=now, case_id=row.case_id)
        connection.execute(
            text("DELETE FROM gov.certificate_draft WHERE plan_id = :plan_id AND case_id = :case_id"), this
        )


# --- proving it to somebody -------------------------------------------------------------------------------------------


def files_of(workspace: Workspace, case_id: UUID) -> dict[str, bytes]:
    """Every file of a case's certificate by name, supplements included. Raises UserError when there is none."""
    store, bucket = workspace.objects(), workspace.settings.evidence_bucket
    with workspace.database("erase").transaction(read_only=True) as connection:
        known = connection.execute(
            text("SELECT sha256 FROM gov.certificate WHERE case_id = :c"), {"c": case_id}
        ).scalar_one_or_none()
    if known is None:
        raise UserError(
            "this case has no certificate",
            where=f"case {case_id}",
            do="`certificate find` looks by a subject's key; an open case gets one when it is closed",
        )
    keys = [k for k in store.keys(bucket, f"{_FOLDER}{case_id}") if k[len(_FOLDER) + 36 :][:1] == "."]
    return {key.removeprefix(_FOLDER): store.get(bucket, key) for key in sorted(keys)}


def find(workspace: Workspace, key: tuple[str, ...], *, table: str = "") -> list[Any]:
    """Certificates about a subject: (case, issued at, state of the case). ``table``: for a case about a single row.

    The key is only made into references, under every key still held; it is neither kept nor printed.
    """
    canonical = pseudonyms.subject_text(key, table=table)
    refs = [r.value for r in pseudonyms.references_all_keys(workspace.settings.keys, "ledger", canonical)]
    with workspace.database("erase").transaction(read_only=True) as connection:
        return list(connection.execute(statement("erasure", "select_certificates_of_references"), {"refs": refs}))


def find_by_address(workspace: Workspace, address: str) -> list[Any]:
    """Certificates about whoever used this mail address alone, as ``find``: most people come with nothing else.

    By the suppression list, which holds an address as a reference. One that several people used is not in it.
    """
    providers = workspace.thresholds.suppression.providers
    refs = list(suppression.references(workspace.settings.keys, "email", address, providers))
    with workspace.database("erase").transaction(read_only=True) as connection:
        return list(connection.execute(statement("erasure", "select_certificates_of_addresses"), {"refs": refs}))


def open_instructions(workspace: Workspace, case_id: UUID) -> list[Any]:
    """Who has not answered about a case now."""
    with workspace.database("erase").transaction(read_only=True) as connection:
        rows = connection.execute(statement("downstream", "select_instructions"), {"everything": False}).all()
    return [row for row in rows if row.case_id == case_id]
