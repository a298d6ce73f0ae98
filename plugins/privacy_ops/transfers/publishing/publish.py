"""Write the outputs of a run, judge whether they can be trusted, publish them once, and record who stands behind them.

``write_outputs`` keeps every file as a row; ``gate`` judges the hash of the manifest that names them all; ``publish``
asks the gate's lock in its own transaction, with the hash computed anew from the rows, and puts exactly those bytes
into the evidence bucket. From then on the rows stay as they are (a trigger), and the objects do (written once).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from privacy_ops.approvals import ApprovalRequest
from privacy_ops.errors import ConfigError, UserError
from privacy_ops.gates import lock, runner
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.transfers import files, inventory
from privacy_ops.transfers.assemble import Entry
from privacy_ops.transfers.gates import GATE, suite
from privacy_ops.transfers.inventory import DUTY
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.observers import DECLARED
from privacy_ops.transfers.publishing import art30, dependencies, diff, outputs
from privacy_ops.transfers.publishing.content import Content, FindingLine, FlowLine, Judged, SignedOff
from privacy_ops.transfers.publishing.outputs import Output
from privacy_ops.transfers.reasons import Verdict
from privacy_ops.transfers.reference import REGIMES, Reference
from privacy_ops.transfers.registry import Registry
from privacy_ops.transfers.what_if import Point
from privacy_ops.workspace import Workspace

# --- write -----------------------------------------------------------------------------------------------------


def write_outputs(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Render every file of the run and keep it as a row; returns names and numbers.

    Files in which a secret stands are counted and not kept: the gate blocks, and nobody can publish them.
    Raises UserError: nothing is judged, it is published already, or reference data or registry changed meanwhile.
    """
    with workspace.database(DUTY).transaction() as connection:
        snapshot = inventory.judged_snapshot(connection, run)
        if snapshot.published_at is not None:
            raise UserError("the inventory of this run is published", where=run.run_id, do="start a new run")
        tables, declared = inventory.unchanged_declarations(workspace, run, snapshot)
        rows = [
            dict(row)
            for row in connection.execute(
                statement("transfers", "select_inventory"), {"snapshot_id": snapshot.snapshot_id}
            ).mappings()
        ]
        before = connection.execute(
            statement("transfers", "select_earlier_snapshot"),
            {
                "taken_at": snapshot.taken_at,
                "run_id": run.run_id,
                "source_snapshot_id": snapshot.source_snapshot_id,
            },
        ).one_or_none()
        changes = _changes(connection, run, snapshot, before)
        content = _content(workspace, run, connection, snapshot, rows, changes, before, tables, declared)
        written = outputs.build(content, files.inventory_csv(rows), _about(run, snapshot))
        secrets = files.count_secrets([o.body for o in written], inventory.known_secrets(workspace.settings))
        _keep(connection, snapshot.snapshot_id, changes, () if secrets else written)
        connection.execute(
            statement("transfers", "freeze_outputs"),
            {
                "snapshot_id": snapshot.snapshot_id,
                "compared_with": before.snapshot_id if before else None,
                "outputs_sha256": written[-1].sha256,
                "secrets": secrets,
            },
        )
    return {
        "outputs": [output.name for output in written],
        "changes": len(changes),
        "unexplained": content.unexplained,
        "secrets": secrets,
    }


def _keep(
    connection: Connection, snapshot_id: int, changes: Sequence[diff.Change], written: Iterable[Output]
) -> None:  # fmt: skip
    this = {"snapshot_id": snapshot_id}
    connection.execute(statement("transfers", "delete_changes"), this)
    numbered = [{"change_no": number, **asdict(change)} for number, change in enumerate(changes, 1)]
    connection.execute(statement("transfers", "insert_changes"), {**this, "rows": json.dumps(numbered)})
    connection.execute(statement("transfers", "delete_outputs"), this)
    for output in written:
        connection.execute(
            statement("transfers", "insert_output"),
            {
                **this,
                "name": output.name,
                "media_type": output.media_type,
                "sha256": output.sha256,
                "body": output.body,
            },
        )


def _changes(connection: Connection, run: Run, snapshot: Any, before: Any) -> tuple[diff.Change, ...]:
    if before is None:
        return ()
    return diff.compare(
        _comparable(connection, before, before.thresholds_sha256, before.code_version),
        _comparable(connection, snapshot, run.thresholds_sha256, run.code_version),
    )


def _comparable(connection: Connection, snapshot: Any, thresholds: str, code: str) -> diff.Snapshot:
    rows = connection.execute(statement("transfers", "select_snapshot_lines"), {"snapshot_id": snapshot.snapshot_id})
    lines = [
        diff.Line(
            row.flow_key,
            row.place,
            row.nature,
            row.country,
            row.importer,
            row.transfer_id,
            tuple(row.seen_by),
            row.facts,
            {regime: _outcome(row.verdicts[regime]) for regime in REGIMES if regime in row.verdicts},
        )
        for row in rows
    ]
    return diff.Snapshot(
        snapshot.run_id,
        snapshot.taken_at.date(),
        snapshot.judged_on,
        {
            "registry": snapshot.registry_sha256,
            "data map": snapshot.map_sha256,
            "reference data": snapshot.reference_sha256,
            "thresholds": thresholds,
            "code": code,
        },
        {o["observer"]: bool(o["looked"]) for o in snapshot.observers},
        {line.key: line for line in lines},
    )


def _outcome(said: Mapping[str, Any]) -> diff.Outcome:
    ends = date.fromisoformat(said["expires_on"]) if said["expires_on"] else None
    because = next((r["text"] for r in reversed(said["reasons"]) if r["step"] != "state"), "")
    return diff.Outcome(said["verdict"], said["instrument"], ends, because)


def _content(
    workspace: Workspace,
    run: Run,
    connection: Connection,
    snapshot: Any,
    rows: Sequence[Mapping[str, Any]],
    changes: tuple[diff.Change, ...],
    before: Any,
    tables: Reference,
    declared: Registry,
) -> Content:
    data_map, limits = workspace.data_map, workspace.thresholds.transfers
    rules = inventory.rules_of(workspace)
    entries = inventory.entries_of(connection, snapshot.snapshot_id)
    judged = [(e.flow, judge(e.flow, tables, snapshot.judged_on, snapshot.known_on, rules)) for e in entries]
    organisation = declared.organisations.get(data_map.publisher.key)
    if organisation is None:
        raise ConfigError(
            f"no organisation {data_map.publisher.key} is declared",
            where="include/registry/organisations.yaml",
            do="write name, contact and security of the publisher: the record of processing begins with it",
        )
    names = {t.code: t.name for t in tables.territories}
    return Content(
        run_id=run.run_id,
        as_of=run.as_of,
        basis=snapshot.basis,
        judged_on=snapshot.judged_on,
        known_on=snapshot.known_on,
        publisher=data_map.publisher.name,
        flows=tuple(_flow_line(row, names) for row in _sorted(rows)),
        findings=_finding_lines(connection, snapshot),
        changes=changes,
        compared_with=before.run_id if before else "",
        record=art30.record(organisation, declared.activities, judged, data_map, names),
        dependencies=dependencies.depend(judged, tables, Point(snapshot.judged_on, snapshot.known_on), rules),
        reference=_reference_manifest(snapshot, tables, entries),
        observers=tuple(snapshot.observers),
        signed_off=_signed_off(connection, workspace, run),
        sign_off_days=limits.sign_off_max_age_days,
    )


def _sorted(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda r: (r["place"], r["nature"], r["country"] or "", r["importer"], r["detail"]))


def _flow_line(row: Mapping[str, Any], names: Mapping[str, str]) -> FlowLine:
    judged = {
        regime: Judged(
            Verdict(row[f"{column}_verdict"]),
            row[f"{column}_instrument"],
            row[f"{column}_expires_on"],
            tuple(row[f"{column}_flags"]),
            row["eu_by_state"] if regime == "EU" else {},
            tuple(row[f"{column}_reasons"]),
        )
        for regime, column in zip(REGIMES, map(str.lower, REGIMES), strict=True)
        if row[f"{column}_verdict"] is not None
    }
    return FlowLine(
        place=row["place"],
        nature=row["nature"],
        country=row["country"],
        country_name=names.get(row["country"] or "", row["country"] or "country unknown"),
        importer=row["importer"],
        importer_name=row["importer_name"],
        relationship=row["relationship"],
        transfer_id=row["transfer_id"],
        detail=row["detail"],
        seen_by=tuple(row["seen_by"]),
        personal=row["personal"],
        special_category=row["special_category"],
        children=row["children"] == "true",
        purposes=tuple(row["purposes"]),
        owner=row["owner"],
        note=row["note"],
        judged=judged,
    )


def _finding_lines(connection: Connection, snapshot: Any) -> tuple[FindingLine, ...]:
    """The run's findings; those of a look at the world with what is known of them over time."""
    states = {}
    if snapshot.basis == "observed":
        fingerprints = [finding["fingerprint"] for finding in snapshot.findings]
        found = connection.execute(statement("transfers", "select_finding_states"), {"fingerprints": fingerprints})
        states = {row.fingerprint: row for row in found}
    lines = []
    for finding in snapshot.findings:
        said = {name: finding[name] for name in files.FINDING_COLUMNS}
        state = states.get(finding["fingerprint"])
        known = (state.status, state.first_seen.date(), state.due_on) if state else ("", None, None)
        lines.append(FindingLine(**said, status=known[0], first_seen=known[1], due_on=known[2]))
    return tuple(lines)


def _reference_manifest(snapshot: Any, tables: Reference, entries: Iterable[Entry]) -> dict[str, Any]:
    """What the verdicts rest on, by version and hash."""
    listed = {
        e.flow.importer.entity_id: e.flow.importer.dpf.model_dump(mode="json") for e in entries if e.flow.importer.dpf
    }
    rows = tables.rows
    return {
        "instruments": {
            "version": snapshot.reference_version,
            "sha256": snapshot.reference_sha256,
            "reviewed_on": snapshot.reference_reviewed_on.isoformat(),
            "rows": len(rows),
            "rows_to_verify": sum(row.needs_check for row in rows),
        },
        "registry_sha256": snapshot.registry_sha256,
        "data_map_sha256": snapshot.map_sha256,
        "geoip": snapshot.geoip,
        "dpf_list": {
            "entries": len(listed),
            "oldest_check": min((one["checked_on"] for one in listed.values()), default=None),
            "sha256": files.sha256(json.dumps(listed, sort_keys=True).encode()),
        },
    }


def _signed_off(connection: Connection, workspace: Workspace, run: Run) -> SignedOff | None:
    row = connection.execute(
        statement("transfers", "select_last_sign_off"), {"since": _since(workspace, run), "as_of": run.as_of}
    ).one_or_none()
    if row is None:
        return None
    return SignedOff(row.approver_name or row.approver, row.role, row.signed_at.date(), row.inventory_sha256)


def _since(workspace: Workspace, run: Run) -> datetime:
    return run.as_of - timedelta(days=workspace.thresholds.transfers.sign_off_max_age_days)


def _about(run: Run, snapshot: Any) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "as_of": run.as_of.isoformat(),
        "basis": snapshot.basis,
        "judged_on": snapshot.judged_on.isoformat(),
        "known_on": snapshot.known_on.isoformat(),
        "reference": {
            "version": snapshot.reference_version,
            "sha256": snapshot.reference_sha256,
            "reviewed_on": snapshot.reference_reviewed_on.isoformat(),
        },
        "registry_sha256": snapshot.registry_sha256,
        "data_map_sha256": snapshot.map_sha256,
        "thresholds_sha256": run.thresholds_sha256,
        "code_version": run.code_version,
        "observers": [{k: o[k] for k in ("observer", "looked", "reason", "flows")} for o in snapshot.observers],
    }


# --- gate ------------------------------------------------------------------------------------------------------


def _written(connection: Connection, run: Run) -> Any:
    snapshot = inventory.judged_snapshot(connection, run)
    if snapshot.outputs_sha256 is None:
        raise UserError("this run has written no outputs", where=run.run_id, do="clear the run's writing task")
    return snapshot


def _kept(connection: Connection, snapshot: Any) -> tuple[Output, ...]:
    rows = connection.execute(statement("transfers", "select_outputs"), {"snapshot_id": snapshot.snapshot_id})
    return tuple(Output(row.name, bytes(row.body)) for row in rows)


def _subject(written: Iterable[Output]) -> str:
    """Hash of the manifest, if the files are what it says; of nothing that a gate has judged otherwise."""
    by_name = {output.name: output for output in written}
    manifest = by_name.pop(outputs.MANIFEST, None)
    if manifest is None:
        return ""
    said = {name: one["sha256"] for name, one in json.loads(manifest.body)["files"].items()}
    return manifest.sha256 if said == {name: output.sha256 for name, output in by_name.items()} else ""


def gate(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Judge whether the inventory can be trusted, record the verdict, and raise GateBlocked when it cannot."""
    import pandas as pd

    with workspace.database(DUTY).transaction(read_only=True) as connection:
        snapshot = _written(connection, run)
        metrics = connection.execute(
            statement("transfers", "select_gate_metrics"),
            {
                "snapshot_id": snapshot.snapshot_id,
                "as_of": run.as_of,
                "today": run.as_of.date(),
                "sign_off_since": _since(workspace, run),
                "declared": sorted(DECLARED),
            },
        )
        row = dict(metrics.mappings().one())
    verdict = runner.judge(
        suite(workspace.thresholds),
        pd.DataFrame([row]),
        run_id=run.run_id,
        subject_sha256=snapshot.outputs_sha256,
        judged_at=now,
        valid_for=timedelta(hours=workspace.thresholds.gate.validity_hours),
    )
    with workspace.database(DUTY).transaction() as connection:
        gate_result_id = runner.record(connection, verdict)
    runner.raise_if_blocked(verdict, gate_result_id)
    return {"gate_result_id": gate_result_id, "verdict": verdict.verdict}


# --- publish ---------------------------------------------------------------------------------------------------


def publish(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Put the outputs into the evidence bucket, once, when the gate judged exactly these bytes.

    Raises GateBlocked, StoreRefused.
    """
    store, bucket = workspace.objects(), workspace.settings.evidence_bucket
    with workspace.database(DUTY).transaction() as connection:
        snapshot = _written(connection, run)
        written = _kept(connection, snapshot)
        lock.require_open(connection, run_id=run.run_id, gate=GATE, subject_sha256=_subject(written), now=now)
        prefix = inventory.object_prefix(run, snapshot)
        # The manifest goes last: where it stands, everything that it names does.
        for output in sorted(written, key=lambda o: (o.name == outputs.MANIFEST, o.name)):
            inventory.put_once(store, bucket, prefix + output.name, output.body, output.media_type)
            connection.execute(
                statement("transfers", "mark_output_published"),
                {"snapshot_id": snapshot.snapshot_id, "name": output.name, "object_key": prefix + output.name},
            )
        connection.execute(
            statement("transfers", "mark_published"),
            {"snapshot_id": snapshot.snapshot_id, "at": now, "prefix": prefix},
        )
    return {
        "snapshot_id": snapshot.snapshot_id,
        "bucket": bucket,
        "prefix": prefix,
        "inventory_sha256": snapshot.inventory_sha256,
    }


# --- sign off --------------------------------------------------------------------------------------------------


def _approval(connection: Connection, workspace: Workspace, run: Run, snapshot: Any) -> Any:
    """The newest approval of exactly this inventory, lately enough, by somebody who may give it; or None."""
    return connection.execute(
        statement("transfers", "select_sign_off"),
        {
            "sha256": snapshot.inventory_sha256,
            "since": _since(workspace, run),
            "leads": list(workspace.settings.privacy_leads),
        },
    ).one_or_none()


def sign_off_request(workspace: Workspace, run: Run) -> ApprovalRequest | None:
    """What the privacy lead is asked; None when this very inventory was signed off lately or is re-judged."""
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        snapshot = inventory.judged_snapshot(connection, run)
        if snapshot.basis != "observed" or _approval(connection, workspace, run, snapshot) is not None:
            return None
        unexplained = connection.execute(
            statement("transfers", "count_unexplained"), {"snapshot_id": snapshot.snapshot_id}
        ).scalar_one()
    facts = inventory.summary(workspace, run)
    lines = [
        f"- {facts['flows']} flows; judged as of {facts['judged_on']}",
        *(
            f"- {regime}: " + ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
            for regime, counts in facts["verdicts"].items()
        ),
        "- findings: " + (", ".join(f"{n} {s}" for s, n in sorted(facts["findings"].items())) or "none"),
        f"- changes that nothing explains: {unexplained}",
        f"- [the report](/privacy/transfers/{snapshot.snapshot_id}/report.html)",
        f"- inventory {snapshot.inventory_sha256[:12]} in the evidence bucket, {snapshot.object_prefix or ''}",
    ]
    return ApprovalRequest("sign_off", snapshot.inventory_sha256, "Sign off the transfer inventory", "\n".join(lines))


def record_sign_off(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Keep who stands behind this inventory, as a row and beside its files; nobody, when nobody has signed.

    A sign-off of the very same inventory counts for later runs until it is too old; it keeps its own day.
    """
    with workspace.database(DUTY).transaction() as connection:
        snapshot = inventory.judged_snapshot(connection, run)
        if snapshot.basis != "observed" or snapshot.published_at is None:
            return {"signed": False}
        approval = _approval(connection, workspace, run, snapshot)
        if approval is None:
            return {"signed": False}
        leads = workspace.settings.privacy_leads
        row = {
            "snapshot_id": snapshot.snapshot_id,
            "inventory_sha256": snapshot.inventory_sha256,
            "approver": approval.approver,
            "approver_name": approval.approver_name or "",
            "role": "privacy lead" if approval.approver in leads else "answered the required action",
            "signed_at": approval.decided_at,
        }
        connection.execute(statement("transfers", "insert_sign_off"), row)
        stands = connection.execute(
            statement("transfers", "select_sign_off_of_snapshot"), {"snapshot_id": snapshot.snapshot_id}
        ).one()
        last = stands.signed_at + timedelta(days=workspace.thresholds.transfers.sign_off_max_age_days)
        body = files.manifest_json({
            "inventory_sha256": stands.inventory_sha256,
            "manifest_sha256": snapshot.outputs_sha256,
            "run_id": run.run_id,
            "person": stands.approver_name or stands.approver,
            "person_id": stands.approver,
            "role": stands.role,
            "signed_at": stands.signed_at.isoformat(),
            "good_until": last.date().isoformat(),
        })
        inventory.put_once(
            workspace.objects(),
            workspace.settings.evidence_bucket,
            snapshot.object_prefix + outputs.SIGN_OFF,
            body,
            "application/json",
        )
    return {"signed": True}
