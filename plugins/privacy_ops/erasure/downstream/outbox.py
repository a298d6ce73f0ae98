"""The outbox: tells processors and recipients about erasures, and keeps at them until they have answered.

Nothing is told before a plan's rows are erased. An attempt is written down before it is made: a kill in between means
the same message once more, with the same key, and never a message lost. Clocks run from the moment the party took the
first message, or from the erasure while it has taken none (GDPR Art. 12(3), 19, 28).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops import blocks, runs
from privacy_ops.erasure.downstream import parties as registry
from privacy_ops.erasure.downstream import work_items
from privacy_ops.erasure.downstream.adapters import Message, Outcome, mail, webhook
from privacy_ops.erasure.downstream.parties import Party
from privacy_ops.errors import UserError
from privacy_ops.runs import Run
from privacy_ops.stores.mail import MailServer
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

_PROBE, _CHUNK, _THREADS = 4, 32, 8
_MOST_PER_RUN = 5000
_FIRST_WAIT = timedelta(minutes=30)
_LONGEST_WAIT = timedelta(hours=24)
CLOSING_REASONS = ("IMPOSSIBLE", "DISPROPORTIONATE", "TOLD_BY_HAND")

Sender = Callable[[Party, Message], Outcome]


def load_parties(workspace: Workspace) -> dict[str, Party]:
    """Everybody who may be told, by name. Raises ConfigError."""
    settings = workspace.settings
    return registry.load(settings.downstream_registry or settings.include / "registry" / "downstream.yaml")


def destination(party: str) -> str:
    """The name under which the transfer inventory blocks a party."""
    return f"processor:{party}"


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: half an hour, doubled each time, a day at most."""
    return min(_FIRST_WAIT * (1 << min(max(attempts - 1, 0), 10)), _LONGEST_WAIT)


def follow_up(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Move what the clock moves: withdraw, chase, escalate, note a breach, destroy items; returns counts.

    Repeatable; a rehearsal only counts what is open.
    """
    limits = workspace.thresholds
    if runs.is_rehearsal(run, max_drift_hours=limits.as_of_max_drift_hours):
        return {"rehearsal": True}
    this = {
        "at": now,
        "chase_before": now - timedelta(hours=limits.downstream.chase_hours),
        "escalate_before": now - timedelta(days=limits.downstream.escalate_days),
        "breach_before": now - timedelta(days=limits.downstream.breach_days),
    }
    with workspace.database("erase").transaction() as connection:
        counts = {
            name: int(connection.execute(statement("downstream", sql), this).rowcount)
            for name, sql in (
                ("withdrawn", "withdraw_void"),
                ("escalated", "escalate"),
                ("chased", "chase"),
                ("breached", "note_breach"),
                ("items_destroyed", "destroy_work_items"),
            )
        }
        runs.add_facts(connection, run.run_id, {"follow_up": counts})
    return counts


def deliver(
    workspace: Workspace,
    run: Run,
    *,
    now: datetime,
    parties: dict[str, Party] | None = None,
    send: Sender | None = None,
    most: int = _MOST_PER_RUN,
) -> dict[str, Any]:
    """Send what is due, party by party; returns counts. A party that does not answer is left until the next run, and
    so is one whose destination the transfer inventory has blocked (``held``).

    Raises ConfigError when the registry cannot be read, GateBlocked when the block list is stale: then nothing leaves.
    What a party does wrong is written down, never raised.
    """
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        with workspace.database("erase").transaction(read_only=True) as connection:
            due = connection.execute(statement("downstream", "select_due_parties"), {"at": now}).all()
        return {"rehearsal": True, "due": sum(int(row.due) for row in due)}
    parties = load_parties(workspace) if parties is None else parties
    send = send or _sender(workspace)
    with workspace.database("erase").transaction(read_only=True) as connection:
        due = connection.execute(statement("downstream", "select_due_parties"), {"at": now}).all()
        listed = blocks.ask(connection, [destination(row.party) for row in due], workspace.thresholds, now=now)
    if due:
        listed.require_fresh()
    results: Counter[str] = Counter()
    held = {row.party: int(row.due) for row in due if destination(row.party) in listed.blocked}
    for row in due:
        if row.party in held:
            continue
        left = most - results.total()
        if left > 0:
            results += _deliver_to(workspace, row.party, parties.get(row.party), send, now, left)
    counts = {"parties": len(due), **{name: results[name] for name in sorted(results)}}
    if held:
        counts["held"] = sum(held.values())
    with workspace.database("erase").transaction() as connection:
        runs.add_facts(connection, run.run_id, {"delivery": counts})
    return counts


def _sender(workspace: Workspace) -> Sender:
    settings = workspace.settings

    def send(party: Party, message: Message) -> Outcome:
        if party.method == "webhook":
            return webhook.send(party, message, settings.keys)
        return mail.send(party, message, MailServer(settings.mail))

    return send


def _deliver_to(
    workspace: Workspace, name: str, party: Party | None, send: Sender, now: datetime, most: int
) -> Counter[str]:
    """Everything due to one party: a few first, and the rest only if anybody is there."""
    results: Counter[str] = Counter()
    size = _PROBE
    while results.total() < most:
        claimed = _claim(workspace, name, party, now, min(size, most - results.total()))
        if not claimed:
            break
        with ThreadPoolExecutor(_THREADS) as pool:
            outcomes = list(pool.map(lambda row: _attempt(workspace, party, row, send, now), claimed))
        _record(workspace, claimed, outcomes, now)
        results.update(outcome.result for outcome in outcomes)
        if all(outcome.result in {"retry", "broken"} for outcome in outcomes) and party is not None:
            break
        size = _CHUNK
    return results


def _claim(workspace: Workspace, name: str, party: Party | None, now: datetime, size: int) -> Sequence[Any]:
    """Take due instructions: the attempt is committed before anything leaves, so that a kill loses none."""
    with workspace.database("erase").transaction() as connection:
        claimed = connection.execute(
            statement("downstream", "claim_due"),
            {
                "party": name,
                "destination": destination(name),
                "fresh_after": blocks.fresh_after(workspace.thresholds, now),
                "at": now,
                "size": size,
                "kind": party.kind if party else None,
                "method": party.method if party else None,
                "longest_minutes": int(_LONGEST_WAIT.total_seconds() // 60),
                "first_minutes": int(_FIRST_WAIT.total_seconds() // 60),
            },
        ).all()
        _note(connection, [(row.instruction_id, "sending", "") for row in claimed], now)
    return claimed


def _attempt(workspace: Workspace, party: Party | None, row: Any, send: Sender, now: datetime) -> Outcome:
    """One message. Raises nothing: one party's or one item's fault must not hold up the others."""
    if party is None:
        return Outcome("broken", "UNKNOWN_PARTY")
    if party.method is None:
        return Outcome("broken", "NO_WAY_TO_REACH")
    try:
        identifiers = work_items.identifiers_of(workspace.settings.keys, row)
    except UserError:
        return Outcome("broken", "ITEM_DOES_NOT_OPEN")
    if identifiers is None and row.instructed_at is None:
        return Outcome("broken", "IDENTIFIERS_GONE")
    first = row.instructed_at
    message = Message(
        instruction_id=row.instruction_id,
        kind=party.kind,
        publisher=workspace.data_map.publisher.key,
        sent_at=now,
        due_at=(first or now) + timedelta(hours=party.sla_hours),
        reminder=int(row.reminders),
        first_sent_at=first,
        identifiers=identifiers,
    )
    try:
        return send(party, message)
    except UserError:  # our own settings: no signing key, no mail server
        return Outcome("broken", "OUR_SETTINGS")
    except Exception:  # ruff: ignore[BLE001] - whatever it was may quote an identifier
        return Outcome("retry", "ADAPTER_FAULT")


_EVENTS = {
    "acknowledged": "acknowledged",
    "sent": "sent",
    "refused": "refused",
    "retry": "failed",
    "broken": "undeliverable",
}


def _record(workspace: Workspace, rows: Sequence[Any], outcomes: Sequence[Outcome], now: datetime) -> None:
    limits = workspace.thresholds.downstream
    with workspace.database("erase").transaction() as connection:
        for row, outcome in zip(rows, outcomes, strict=True):
            first = row.instructed_at or now
            connection.execute(
                statement("downstream", "update_after_attempt"),
                {
                    "instruction_id": row.instruction_id,
                    "result": outcome.result,
                    "reason": outcome.reason,
                    "at": now,
                    "ack_sha256": _digest(outcome.reference),
                    "found": outcome.found,
                    # When the clock would speak next; a reminder of an escalated one follows weekly.
                    "next_reminder_at": _next_reminder(now, first, limits.chase_hours, limits.escalate_days),
                    "retry_at": now + max(outcome.wait or timedelta(0), backoff(row.attempts)),
                },
            )
        _note(
            connection,
            [(r.instruction_id, _EVENTS[o.result], o.reason) for r, o in zip(rows, outcomes, strict=True)],
            now,
        )
        connection.execute(statement("downstream", "destroy_work_items"), {"at": now})


def _next_reminder(now: datetime, first: datetime, chase_hours: int, escalate_days: int) -> datetime:
    for moment in (first + timedelta(hours=chase_hours), first + timedelta(days=escalate_days)):
        if moment > now:
            return moment
    return now + timedelta(days=escalate_days)


def _note(connection: Connection, events: Sequence[tuple[UUID, str, str]], now: datetime) -> None:
    if events:
        connection.execute(
            statement("downstream", "insert_event"),
            [{"instruction_id": i, "event": event, "detail": detail, "at": now} for i, event, detail in events],
        )


def _digest(reference: str | None) -> str | None:
    return None if reference is None else hashlib.sha256(reference.encode()).hexdigest()


# --- what people do -------------------------------------------------------------------------------------------------


def acknowledge(workspace: Workspace, instruction_id: UUID, reference: str, *, now: datetime) -> str:
    """Record that a party answered by mail or telephone; returns the party. The reference is kept as a hash only.

    The same answer twice is one. Raises UserError for an unknown instruction, or one that was never sent.
    """
    if not reference.strip():
        raise UserError("an acknowledgement needs the party's reference", do="give what the party wrote")
    with workspace.database("erase").transaction() as connection:
        row = _locked(connection, instruction_id)
        if row.state == "acknowledged" and row.ack_sha256 == _digest(reference.strip()):
            return str(row.party)
        if row.state == "withdrawn" or (row.instructed_at is None and row.state != "escalated"):
            raise UserError(
                f"this instruction is {row.state} and nobody was told yet",
                where=str(instruction_id),
                do="a party that was never told cannot have answered; look at its events",
            )
        connection.execute(
            statement("downstream", "update_acknowledged"),
            {"instruction_id": instruction_id, "at": now, "ack_sha256": _digest(reference.strip())},
        )
        _note(connection, [(instruction_id, "acknowledged", "BY_HAND")], now)
        connection.execute(statement("downstream", "destroy_work_items"), {"at": now})
    return str(row.party)


def close(workspace: Workspace, instruction_id: UUID, because: str, *, now: datetime) -> str:
    """End an instruction without an answer, for a recorded reason (Art. 19: impossible, or disproportionate)."""
    if because not in CLOSING_REASONS:
        raise UserError(f"unknown reason {because!r}", do="use one of " + ", ".join(CLOSING_REASONS))
    with workspace.database("erase").transaction() as connection:
        row = _locked(connection, instruction_id)
        if row.state in {"acknowledged", "withdrawn"}:
            raise UserError(f"this instruction is {row.state} already", where=str(instruction_id))
        connection.execute(
            statement("downstream", "update_withdrawn"), {"instruction_id": instruction_id, "reason": because}
        )
        _note(connection, [(instruction_id, "withdrawn", because)], now)
        connection.execute(statement("downstream", "destroy_work_items"), {"at": now})
    return str(row.party)


def retry(workspace: Workspace, instruction_id: UUID, *, now: datetime) -> str:
    """Let the next run send an instruction again, after a person mended what was wrong; returns the party."""
    with workspace.database("erase").transaction() as connection:
        row = _locked(connection, instruction_id)
        if row.state in {"acknowledged", "withdrawn"}:
            raise UserError(f"this instruction is {row.state} already", where=str(instruction_id))
        connection.execute(
            text(
                "UPDATE gov.downstream_instruction SET next_attempt_at = :now,"
                " state = CASE WHEN state IN ('refused', 'undeliverable') THEN"
                " CASE WHEN instructed_at IS NULL THEN 'pending' ELSE 'sent' END ELSE state END"
                " WHERE instruction_id = :i"
            ),
            {"now": now, "i": instruction_id},
        )
        _note(connection, [(instruction_id, "rearmed", "")], now)
    return str(row.party)


def _locked(connection: Connection, instruction_id: UUID) -> Any:
    row = connection.execute(
        text(
            "SELECT instruction_id, party, state, instructed_at, ack_sha256 FROM gov.downstream_instruction"
            " WHERE instruction_id = :i FOR UPDATE"
        ),
        {"i": instruction_id},
    ).one_or_none()
    if row is None:
        raise UserError(
            "there is no such instruction",
            where=str(instruction_id),
            do="see `python -m privacy_ops downstream list`",
        )
    return row


def listing(workspace: Workspace, *, everything: bool = False) -> list[Any]:
    """Instructions that are open, or all; oldest first. No identifiers."""
    with workspace.database("erase").transaction(read_only=True) as connection:
        return list(connection.execute(statement("downstream", "select_instructions"), {"everything": everything}))


def acknowledgement_times(connection: Connection) -> dict[str, float]:
    """M5: hours from instruction to acknowledgement, from the rows: median, longest, how many, how many still open."""
    row = connection.execute(statement("downstream", "select_acknowledgement_times")).mappings().one()
    return {name: float(value) for name, value in row.items() if value is not None}
