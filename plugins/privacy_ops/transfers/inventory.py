"""The transfer inventory of one run: observe, judge, publish findings. Each step is one call of one task;
``publishing.publish`` goes on with outputs, gate and sign-off.

A scheduled run looks at the world and judges it as of its wall clock. A backfill over a past day, and a run that
names a day, judge what was stored on that day, or else what was declared then, with the law and the knowledge of that
day: such a snapshot says which of these it is, and never touches today's findings or block list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from privacy_ops.errors import ConfigError, StoreRefused, UserError
from privacy_ops.runs import Run, close_run
from privacy_ops.settings import Settings
from privacy_ops.stores.objects import ObjectExists, ObjectStore
from privacy_ops.stores.sql import statement
from privacy_ops.transfers import assemble, days, files, findings, history, observers, reference, registry
from privacy_ops.transfers.assemble import Entry
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.observers import ConnectionFact, Note, Observation, ObservedFlow, Seen
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.regimes import Judgement, Rules
from privacy_ops.transfers.registry import Registry
from privacy_ops.transfers.undone import undone
from privacy_ops.workspace import Workspace

DUTY = "inventory"
PROCESS = "transfers"


def load_reference(include: Path) -> Reference:
    """``include/reference``. Raises ConfigError."""
    return reference.load(include / "reference")


def load_registry(include: Path, tables: Reference) -> Registry:
    """``include/registry``. Raises ConfigError."""
    return registry.load(include / "registry", tables)


def current_registry(connection: Connection, settings: Settings, tables: Reference) -> Registry:
    """The registry of today, from the place where it is edited. Raises ConfigError."""
    if settings.transfer_registry == "files":
        return load_registry(settings.include, tables)
    found = history.recorded(connection, tables)
    if found is None:
        raise ConfigError(
            "the registry is edited in the database, and nothing is there",
            where="gov.registry_entry",
            do="python -m privacy_ops transfers registry import FOLDER --by NAME",
        )
    return found


def record_review(connection: Connection, *, reviewer: str, reviewed_at: datetime, reference_sha256: str) -> None:
    """A named person has reviewed exactly these reference tables. Raises UserError without a name."""
    if not reviewer.strip():
        raise UserError("a review needs the name of who did it", do="give it with --by")
    connection.execute(
        statement("transfers", "insert_review"),
        {"reviewed_at": reviewed_at, "reviewer": reviewer.strip(), "sha256": reference_sha256},
    )


def rules_of(workspace: Workspace) -> Rules:
    """The numbers of the thresholds that a judgement uses."""
    t = workspace.thresholds.transfers
    return Rules(t.expiring_months, t.assessment_review_months, t.dpf_check_max_age_days)


def _snapshot(connection: Connection, run: Run) -> Any:
    row = connection.execute(statement("transfers", "select_snapshot"), {"run_id": run.run_id}).one_or_none()
    if row is None:
        raise UserError("this run has no inventory", where=run.run_id, do="clear the run's observing task")
    return row


# --- observe ---------------------------------------------------------------------------------------------------


def _load_declarations(connection: Connection, declared: Registry) -> None:
    sets: dict[str, list[dict[str, Any]]] = {
        "processors": [
            {"processor_id": k, **p.model_dump(mode="json")} for k, p in sorted(declared.processors.items())
        ],
        "transfer_mechanisms": [m.model_dump(mode="json") for _, m in sorted(declared.mechanisms.items())],
        "transfers": [{"transfer_id": k, **t.model_dump(mode="json")} for k, t in sorted(declared.transfers.items())],
    }
    for name, rows in sets.items():
        parameters = {"registry_sha256": declared.sha256}
        connection.execute(
            statement("transfers", f"upsert_{name}"), {**parameters, "rows": json.dumps(rows, sort_keys=True)}
        )
        connection.execute(statement("transfers", f"withdraw_{name}"), parameters)


def observe(
    workspace: Workspace,
    run: Run,
    connections: Sequence[ConnectionFact] | None,
    *,
    connections_left_out: str = "",
    judge_on: date | None = None,
) -> dict[str, Any]:
    """Look at everything, put it beside the registry, and freeze the flows as the run's snapshot.

    ``connections``: configured connections without secrets, or None when they could not be listed;
    ``connections_left_out``: which ones that list cannot hold. ``judge_on``: a day to judge instead of the run's own.
    Raises ConfigError, UserError when the inventory is published already.
    """
    tables = load_reference(workspace.settings.include)
    with workspace.database(DUTY).transaction() as connection:
        day = days.asked(connection, run, judge_on, workspace.thresholds.legal_timezone)
        today = current_registry(connection, workspace.settings, tables)
        then = history.recorded(connection, tables, day.declared_at) if day.declared_at else None
    written = then or today
    declared = written.on(day.on)
    if day.basis == "observed":
        seen = observers.look(
            workspace,
            tables,
            declared,
            connections,
            duty=DUTY,
            as_of=run.as_of,
            on=day.on,
            left_out=connections_left_out,
        )
    elif day.basis == "stored":
        seen = Seen(_observations(day.source.observers), geoip=day.source.geoip)
    else:
        seen = observers.look_at_declarations(workspace, tables, declared)
    entries = assemble.assemble(seen.observations, declared, workspace.data_map, tables)
    said = day.source.observers if day.basis == "stored" else [_said(o) for o in seen.observations]
    with workspace.database(DUTY).transaction() as connection:
        if day.basis == "observed":
            _load_declarations(connection, today)
            history.record(connection, today, at=run.as_of, by=run.run_id)
        reviewed_at = connection.execute(
            statement("transfers", "select_last_review"), {"sha256": tables.sha256, "as_of": run.as_of}
        ).scalar_one()
        reviewed_on = max(tables.reviewed_on, reviewed_at.date()) if reviewed_at else tables.reviewed_on
        snapshot_id = connection.execute(
            statement("transfers", "insert_snapshot"),
            {
                "run_id": run.run_id,
                "basis": day.basis,
                "taken_at": run.as_of,
                "judged_on": day.on,
                "known_on": day.known,
                "reference_version": tables.version,
                "reference_sha256": tables.sha256,
                "reviewed_on": reviewed_on,
                "registry_sha256": written.sha256 if day.source is None else day.source.registry_sha256,
                "map_sha256": workspace.map_sha256 if day.source is None else day.source.map_sha256,
                "observers": json.dumps(said),
                "geoip": json.dumps(seen.geoip) if seen.geoip else None,
                "source": None if day.source is None else day.source.snapshot_id,
                "declared_at": day.declared_at,
            },
        ).scalar_one_or_none()
        if snapshot_id is None:
            raise UserError(
                "the inventory of this run is published and stays as it is", where=run.run_id, do="start a new run"
            )
        connection.execute(statement("transfers", "delete_verdicts"), {"snapshot_id": snapshot_id})
        connection.execute(statement("transfers", "delete_flows"), {"snapshot_id": snapshot_id})
        if day.source is not None:
            connection.execute(
                statement("transfers", "copy_flows"), {"snapshot_id": snapshot_id, "source": day.source.snapshot_id}
            )
            entries = entries_of(connection, snapshot_id)
        else:
            connection.execute(
                statement("transfers", "insert_flows"),
                {"snapshot_id": snapshot_id, "rows": json.dumps([_flow_row(e) for e in entries], sort_keys=True)},
            )
        connection.execute(statement("transfers", "delete_access_counts"), {"snapshot_id": snapshot_id})
        connection.execute(
            statement("transfers", "insert_access_counts"),
            {"snapshot_id": snapshot_id, "rows": json.dumps(_access_rows(seen), sort_keys=True)},
        )
        if day.basis == "observed":
            keep = timedelta(days=workspace.thresholds.transfers.access_keep_days)
            connection.execute(statement("transfers", "delete_old_accesses"), {"before": run.as_of - keep})
    return {
        "snapshot_id": snapshot_id,
        "basis": day.basis,
        "judged_on": day.on.isoformat(),
        "flows": len(entries),
        "undeclared_destinations": len(assemble.undeclared_destinations(entries)),
        "observers": {o["observer"]: o["flows"] if o["looked"] else None for o in said},
        "blind": [o["observer"] for o in said if not o["looked"]],
    }


def _said(observation: Observation) -> dict[str, Any]:
    return {
        "observer": observation.observer,
        "looked": observation.looked,
        "reason": observation.reason,
        "flows": len(observation.flows),
        "buckets": sorted({f.place for f in observation.flows if f.place.startswith("bucket:")}),
        "notes": [asdict(note) for note in observation.notes],
    }


def _access_rows(seen: Seen) -> list[dict[str, Any]]:
    """Numbers by country: no address and nobody's reference."""
    return [
        {
            "source": source,
            "engagement": group.engagement,
            "employer": group.employer,
            "country": group.country or "",
            "n": n,
        }
        for source, counts in seen.accesses.items()
        for group, n in counts.items()
    ]


def _flow_row(entry: Entry) -> dict[str, Any]:
    flow = entry.flow
    return {
        "flow_key": flow.key,
        "place": flow.place,
        "nature": flow.nature,
        "country": flow.country,
        "importer": flow.importer.entity_id,
        "transfer_id": flow.transfer_id,
        "personal": flow.personal,
        "special_category": flow.special_category,
        "seen_by": list(entry.seen_by),
        "detail": entry.detail,
        "destination": entry.destination,
        "facts": flow.model_dump(mode="json"),
    }


# --- judge -----------------------------------------------------------------------------------------------------


def entries_of(connection: Connection, snapshot_id: int) -> tuple[Entry, ...]:
    """The flows of a snapshot as they were frozen."""
    rows = connection.execute(statement("transfers", "select_flows"), {"snapshot_id": snapshot_id})
    return tuple(Entry(Flow.model_validate(row.facts), tuple(row.seen_by), row.detail, row.destination) for row in rows)


def _observations(said: Sequence[Mapping[str, Any]]) -> tuple[Observation, ...]:
    """The frozen word of each observer, as far as findings read it: whether it looked, which buckets, its notes."""
    return tuple(
        Observation(
            o["observer"],
            tuple(ObservedFlow(place, "STORAGE", None, "") for place in o["buckets"]),
            bool(o["looked"]),
            o["reason"],
            tuple(Note(**note) for note in o.get("notes", ())),
        )
        for o in said
    )


def _verdict_row(flow_key: str, judgement: Judgement) -> dict[str, Any]:
    return {
        "flow_key": flow_key,
        "regime": judgement.regime,
        "verdict": judgement.verdict.value,
        "code": judgement.code.value,
        "instrument": judgement.instrument,
        "expires_on": judgement.expires_on.isoformat() if judgement.expires_on else None,
        "flags": list(judgement.flags),
        "by_state": dict(judgement.by_state),
        "reasons": [asdict(reason) for reason in judgement.reasons],
    }


def _render(connection: Connection, snapshot_id: int, found: Sequence[Mapping[str, Any]]) -> tuple[bytes, bytes]:
    rows = connection.execute(statement("transfers", "select_inventory"), {"snapshot_id": snapshot_id})
    return files.inventory_csv([dict(row) for row in rows.mappings()]), files.findings_csv(found)


def unchanged_declarations(workspace: Workspace, run: Run, snapshot: Any) -> tuple[Reference, Registry]:
    """Reference data and registry, as the snapshot was taken with them. Raises UserError when they have changed.

    For a day that is judged again the registry is the one recorded then, or today's where nothing was recorded.
    """
    tables = load_reference(workspace.settings.include)
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        then = history.recorded(connection, tables, snapshot.declared_at) if snapshot.declared_at else None
        declared = then or current_registry(connection, workspace.settings, tables)
    same = snapshot.declared_at is not None or snapshot.registry_sha256 == declared.sha256
    if snapshot.reference_sha256 != tables.sha256 or not same:
        raise UserError(
            "reference data or registry changed after this run observed",
            where=run.run_id,
            do="clear the run from its observing task",
        )
    return tables, declared.on(snapshot.judged_on)


def judge_all(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Judge every flow of the snapshot under both regimes and freeze verdicts, findings and the files' hashes.

    Raises ConfigError when reference data or registry changed since the snapshot was taken.
    """
    rules = rules_of(workspace)
    with workspace.database(DUTY).transaction() as connection:
        snapshot = _snapshot(connection, run)
        tables, declared = unchanged_declarations(workspace, run, snapshot)
        if snapshot.published_at is not None:
            raise UserError("the inventory of this run is published", where=run.run_id, do="start a new run")
        entries = entries_of(connection, snapshot.snapshot_id)
        judged = [(e, judge(e.flow, tables, snapshot.judged_on, snapshot.known_on, rules)) for e in entries]
        soon = workspace.thresholds.transfers.review_soon_days
        found = findings.find(
            judged,
            _observations(snapshot.observers),
            declared,
            undone(declared, snapshot.judged_on, rules, soon),
        )
        rows = [_verdict_row(entry.flow.key, j) for entry, both in judged for j in both.values()]
        secrets = known_secrets(workspace.settings)
        frozen = [
            {
                "fingerprint": f.fingerprint,
                "rule": f.rule,
                "severity": f.severity,
                "asset": f.asset,
                "title": files.redact(f.title, secrets),
                "what_to_do": f.do,
                "owner": files.redact(f.owner, secrets),
                "observers": list(f.observers),
                "destination": f.destination,
            }
            for f in found
        ]
        connection.execute(statement("transfers", "delete_verdicts"), {"snapshot_id": snapshot.snapshot_id})
        connection.execute(
            statement("transfers", "insert_verdicts"),
            {"snapshot_id": snapshot.snapshot_id, "rows": json.dumps(rows, sort_keys=True)},
        )
        inventory, listed = _render(connection, snapshot.snapshot_id, frozen)
        connection.execute(
            statement("transfers", "freeze_judgement"),
            {
                "snapshot_id": snapshot.snapshot_id,
                "findings": json.dumps(frozen),
                "inventory_sha256": files.sha256(inventory),
                "findings_sha256": files.sha256(listed),
            },
        )
    return {"snapshot_id": snapshot.snapshot_id, "flows": len(entries), "findings": len(frozen)}


def judged_snapshot(connection: Connection, run: Run) -> Any:
    """The run's snapshot. Raises UserError when there is none, or nothing of it is judged."""
    snapshot = _snapshot(connection, run)
    if snapshot.inventory_sha256 is None:
        raise UserError("this run has judged nothing yet", where=run.run_id, do="clear the run's judging task")
    return snapshot


# --- publish findings ------------------------------------------------------------------------------------------


def known_secrets(settings: Settings) -> tuple[str, ...]:
    """Secrets of this process, to look for in what is about to be published."""
    passwords = [make_url(dsn).password for dsn in settings.dsns.values()]
    return tuple(str(s) for s in (*passwords, settings.objects.secret_key) if s)


def object_prefix(run: Run, snapshot: Any) -> str:
    """Folder of a run's files in the evidence bucket; days that are judged again stand apart."""
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in run.run_id)
    apart = "" if snapshot.basis == "observed" else "as_of/"
    return f"transfers/{apart}{snapshot.judged_on.isoformat()}/{name}/"


def put_once(store: ObjectStore, bucket: str, key: str, body: bytes, content_type: str) -> None:
    """Write once. Finding the very same bytes there is a retry; finding others is refused."""
    try:
        store.put_same(bucket, key, body, content_type=content_type)
    except ObjectExists:
        raise StoreRefused(
            "evidence of this run exists already and differs", where=f"bucket {bucket}", do="start a new run"
        ) from None


def publish_findings(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Write the findings, whatever the gate says: open what is new, close what is gone, block and unblock.

    What an observer saw is closed only when that observer has looked again. A run that looked earlier than one whose
    findings are out changes nothing, and so does a run that re-judges another day.
    """
    with workspace.database(DUTY).transaction() as connection:
        connection.execute(statement("transfers", "lock_findings"))
        snapshot = judged_snapshot(connection, run)
        newer = connection.execute(
            statement("transfers", "select_newer_published"), {"taken_at": snapshot.taken_at, "run_id": run.run_id}
        ).scalar_one()
        counts: dict[str, Any] = {"findings": len(snapshot.findings), "superseded": bool(newer)}
        if snapshot.basis == "observed" and not newer:
            counts |= _update_findings(connection, run, snapshot, workspace.thresholds.legal_timezone)
        connection.execute(
            statement("transfers", "mark_findings_published"),
            {"snapshot_id": snapshot.snapshot_id, "at": run.as_of},
        )
        listed = files.findings_csv(snapshot.findings)
    key = object_prefix(run, snapshot) + f"findings-{snapshot.findings_sha256[:12]}.csv"
    put_once(workspace.objects(), workspace.settings.evidence_bucket, key, listed, "text/csv")
    return counts


def _legal_day(run: Run, timezone: str) -> date:
    return run.as_of.astimezone(ZoneInfo(timezone)).date()


def _update_findings(connection: Connection, run: Run, snapshot: Any, timezone: str) -> dict[str, Any]:
    rows = []
    for finding in snapshot.findings:
        due = findings.due_on(finding["severity"], _legal_day(run, timezone))
        rows.append({**finding, "due_on": due.isoformat() if due else None})
    at = {"run_id": run.run_id, "at": run.as_of}
    everything = json.dumps(rows)
    connection.execute(statement("transfers", "insert_findings"), {**at, "process": PROCESS, "rows": everything})
    connection.execute(statement("transfers", "record_new_findings"), {**at, "rows": everything})
    connection.execute(statement("transfers", "refresh_findings"), {**at, "rows": everything})
    today = {"today": _legal_day(run, timezone), "process": PROCESS}
    connection.execute(statement("transfers", "record_ended_waivers"), {**at, **today})
    looked = [o["observer"] for o in snapshot.observers if o["looked"]]
    connection.execute(statement("transfers", "close_findings"), {**at, "process": PROCESS, "looked": looked})
    critical = [row for row in rows if row["severity"] == "CRITICAL" and row["destination"]]
    connection.execute(statement("transfers", "block_destinations"), {"at": run.as_of, "rows": json.dumps(critical)})
    connection.execute(statement("transfers", "lift_blocks"), {"at": run.as_of})
    # Without a look that could have blocked something, the list ages until nothing is cleared any more.
    if {o["observer"] for o in snapshot.observers if not o["looked"]} <= observers.ESTIMATES:
        connection.execute(statement("transfers", "insert_block_list_renewal"), at)
    changes = connection.execute(statement("transfers", "count_changes"), {"run_id": run.run_id})
    blocked = connection.execute(statement("transfers", "select_blocked")).all()
    return {
        "new": 0,
        "reopened": 0,
        "changed": 0,
        "closed": 0,
        "waiver_ended": 0,
        **{row.change: row.n for row in changes},
        "blocked_destinations": len(blocked),
    }


def summary(workspace: Workspace, run: Run) -> dict[str, Any]:
    """What the run found, in numbers: flows, verdicts per regime, findings by severity, undeclared destinations."""
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        snapshot = judged_snapshot(connection, run)
        entries = entries_of(connection, snapshot.snapshot_id)
        verdicts: dict[str, dict[str, int]] = {"UK": {}, "EU": {}}
        for row in connection.execute(statement("transfers", "count_verdicts"), {"snapshot_id": snapshot.snapshot_id}):
            verdicts[row.regime][row.verdict] = row.n
        severities: dict[str, int] = {}
        for finding in snapshot.findings:
            severities[finding["severity"]] = severities.get(finding["severity"], 0) + 1
        return {
            "basis": snapshot.basis,
            "judged_on": snapshot.judged_on.isoformat(),
            "flows": len(entries),
            "verdicts": verdicts,
            "findings": severities,
            "undeclared_destinations": list(assemble.undeclared_destinations(entries)),
            "inventory_sha256": snapshot.inventory_sha256,
            "published": snapshot.published_at is not None,
        }


def close(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Close the run's record with its numbers."""
    facts = summary(workspace, run)
    with workspace.database(DUTY).transaction() as connection:
        close_run(connection, run.run_id, now=now, state="done", facts=facts)
    return facts
