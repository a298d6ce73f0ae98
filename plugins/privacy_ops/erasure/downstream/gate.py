"""The gate of the outbox (G-34): has everybody been told, in time, and has everybody answered?"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from privacy_ops import runs, signing
from privacy_ops.datamap.model import DataMap
from privacy_ops.erasure.downstream import parties as registry
from privacy_ops.erasure.downstream.outbox import acknowledgement_times, load_parties
from privacy_ops.erasure.downstream.parties import Party
from privacy_ops.erasure.gates import judge
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Check, Suite, at_most, one_row
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace

GATE = "downstream.acknowledged"
RUNBOOK = "docs/runbooks/erasure_propagation.md"


def suite(limits: Thresholds) -> Suite:
    """What must hold about the outbox; figures of ``metrics``."""
    hours, days = limits.downstream, "docs/runbooks/erasure_propagation.md says whom to call"

    def none(check_id: str, title: str, column: str, do: str) -> Check:
        return at_most(check_id, title, column, 0, do=do)

    def warn(check_id: str, title: str, column: str, do: str) -> Check:
        return at_most(check_id, title, column, 0, severity="warning", do=do)

    return Suite(
        GATE,
        "Everybody who holds an erased person's data was told and has answered",
        (
            one_row(),
            none(
                "G-34-REACH",
                "Every party that the data map names can be reached",
                "unreachable_parties",
                "give each a webhook or an email in include/registry/downstream.yaml",
            ),
            none(
                "G-34-COMPLETE",
                "Every erased case has told those who always know its people",
                "forgotten",
                "the work item was not written before the deletion: treat it as an incident",
            ),
            none(
                "G-34-UNDELIVERABLE",
                "Every instruction can be delivered",
                "undeliverable",
                "`python -m privacy_ops downstream list` names party and reason; mend it, then `downstream retry`",
            ),
            warn(
                "G-34-SHARED",
                "Every party knows the person by something that is theirs alone",
                "only_shared",
                "it was not told, as it would erase somebody else too: talk to it, then `downstream close`",
            ),
            none("G-34-REFUSED", "No party refuses", "refused", "talk to the party; its contract decides"),
            none(
                "G-34-INSTRUCTED",
                f"Everybody is told within {hours.instruct_hours} hours of the erasure",
                "not_instructed",
                "find why it is not delivered; identifiers are kept for seven days only",
            ),
            none(
                "G-34-GONE",
                "Nobody's identifiers were destroyed before the party was told",
                "identifiers_gone",
                "the party can no longer be told by the machine: tell it by hand, then `downstream close`",
            ),
            warn(
                "G-34-GOING",
                "No untold party's identifiers end soon",
                "identifiers_going",
                "deliver them first",
            ),
            none("G-34-ITEMS", "No work item is older than its time", "items_overdue", "clear follow_up"),
            warn(
                "G-34-LATE",
                f"Everybody answers within {hours.chase_hours} hours",
                "late",
                "they were reminded",
            ),
            none("G-34-ESCALATED", f"Nobody is silent for {hours.escalate_days} days", "escalated", days),
            none("G-34-BREACH", f"Nobody is silent for {hours.breach_days} days", "breached", days),
            warn(
                "G-34-NOTHING",
                "No party says that it found nothing to erase",
                "acknowledged_nothing",
                "it may know the person by another number: compare with the map's known_by",
            ),
        ),
        RUNBOOK,
    )


def always_told(data_map: DataMap) -> list[tuple[str, str]]:
    """(table, party) where every row that goes names the person to the party: by its own key, or by its link."""
    found = []
    for name, table in data_map.tables.items():
        certain = set(table.key) | (set(table.link.columns) if table.link and not table.link.optional else set())
        found += [(name, d.who) for d in table.disclosed_to if d.who and certain & set(d.known_by)]
    return found


def metrics(
    connection: Connection, workspace: Workspace, parties: dict[str, Party], *, now: datetime
) -> dict[str, float]:
    """The figures of the suite."""
    limits = workspace.thresholds.downstream
    told = always_told(workspace.data_map)
    row = connection.execute(
        statement("downstream", "select_gate_metrics"),
        {
            "at": now,
            "instruct_before": now - timedelta(hours=limits.instruct_hours),
            "chase_before": now - timedelta(hours=limits.chase_hours),
            "breach_before": now - timedelta(days=limits.breach_days),
            "soon": now + timedelta(days=1),
            "tables": [table for table, _ in told],
            "parties": [party for _, party in told],
        },
    )
    found = {name: float(value) for name, value in row.mappings().one().items()}
    return found | {"unreachable_parties": float(len(registry.unreachable(workspace.data_map, parties)))}


def judge_outbox(
    workspace: Workspace, run: Run, *, now: datetime, parties: dict[str, Party] | None = None
) -> dict[str, Any]:
    """Judge the outbox and record the verdict and service level M5. Raises GateBlocked."""
    parties = load_parties(workspace) if parties is None else parties
    with workspace.database("erase").transaction() as connection:
        figures = metrics(connection, workspace, parties, now=now)
        sha256 = hashlib.sha256(signing.canonical_json(figures).encode()).hexdigest()
        verdict = judge(suite(workspace.thresholds), figures, run.run_id, sha256, now, workspace.thresholds)
        gate_result_id = runner.record(connection, verdict)
        times = acknowledgement_times(connection)
        runs.add_facts(connection, run.run_id, {"acknowledgement": times})
    runner.raise_if_blocked(verdict, gate_result_id)
    return {"gate": verdict.verdict, "gate_result_id": gate_result_id, **times}
