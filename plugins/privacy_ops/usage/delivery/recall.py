"""Taking a release back: a later event row, the delivered object gone in every version, and a mail that says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from privacy_ops.errors import StoreRefused, UserError
from privacy_ops.stores.sql import statement
from privacy_ops.usage.delivery import archive, standing
from privacy_ops.usage.delivery.standing import DUTY
from privacy_ops.workspace import Workspace


@dataclass(frozen=True)
class Withdrawal:
    """What came of it. ``first``: it was not withdrawn before. ``told``: a recall is queued to the recipient."""

    first: bool
    told: bool
    deleted: int


def withdraw(workspace: Workspace, release_id: str, *, reason: str, by: str, now: datetime) -> Withdrawal:
    """Withdraw a release for good: it is never served, planned or sent again.

    Doing it again changes nothing, but finishes what was cut off, and tries a recall again that could not be sent.

    ``reason``: plain words that the recipient reads. Raises UserError for an unknown release or unusable words.
    """
    why, who = plain(reason, "the reason", 300), f"by hand: {plain(by, 'the name', 80)}"
    this = {"release_id": release_id}
    with workspace.database(DUTY).transaction() as connection:
        standing.lock(connection, [release_id])
        row = require_release(connection.execute(statement("delivery", "select_release"), this).first())
        before = connection.execute(statement("delivery", "select_withdrawals"), {"releases": [release_id]}).first()
        if before is not None:
            told = bool(connection.execute(statement("delivery", "requeue_recall"), this).rowcount)
        else:
            event = this | {"kind": "withdrawn", "run_id": who, "at": now, "reason": why}
            connection.execute(statement("usage", "insert_release_event"), event)
            # Whoever may hold it is told, also when the sender died before it could say that the mail was out.
            maybe = connection.execute(statement("delivery", "select_maybe_told"), this).scalar_one()
            told = maybe and bool(standing.queue(connection, [release_id], "RECALL", at=now, by=who))
    gone = finish(workspace, by=who, now=now, release_id=release_id)
    # Also what a try put there that died before it could note it.
    gone += _delete(workspace, release_id, archive.prefix_of(row.recipient_id, release_id))
    return Withdrawal(before is None, told, gone)


def finish(workspace: Workspace, *, by: str, now: datetime, release_id: str | None = None) -> int:
    """Delete every version of what was delivered of withdrawn releases, and note that it is gone; returns versions.

    Goes on where a try before was cut off. Raises StoreRefused when a version stays.
    """
    database = workspace.database(DUTY)
    with database.transaction(read_only=True) as connection:
        rows = connection.execute(statement("delivery", "select_to_recall")).all()
    gone = 0
    for row in rows:
        if release_id in {None, row.release_id}:
            gone += _delete(workspace, row.release_id, archive.prefix_of(row.recipient_id, row.release_id))
            with database.transaction() as connection:
                standing.note(connection, row.release_id, "recalled", at=now, by=by)
    return gone


def _delete(workspace: Workspace, release_id: str, prefix: str) -> int:
    """Delete every version below a delivery's prefix and look again; returns how many. Raises StoreRefused."""
    store, bucket = workspace.objects(), workspace.settings.exports_bucket
    gone = store.delete_versions(bucket, list(store.versions(bucket, prefix)))
    if any(True for _ in store.versions(bucket, prefix)):
        raise StoreRefused(
            "a version of a withdrawn delivery is still there",
            where=f"bucket {bucket}, release {release_id}",
            do="look for object lock or replication; the link that was sent may still work",
        )
    return gone


def require_release(row: Any) -> Any:
    """The row of the register. Raises UserError when there is none."""
    if row is None:
        raise UserError(
            "there is no such release", do="`python -m privacy_ops release list` shows them; ids begin with r"
        )
    return row


def plain(text: str, what: str, longest: int) -> str:
    """One line of plain words. Raises UserError: empty, too long, or with a mail address in it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not line or len(line) > longest or "@" in line:
        raise UserError(
            f"{what} is empty, longer than {longest} letters, or holds a mail address",
            do="write plain words; the recipient reads them, and they are kept for ever",
        )
    return line
