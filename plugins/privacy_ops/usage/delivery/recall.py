"""Taking a release back: a later event row, the delivered object gone in every version, and a mail that says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from privacy_ops.errors import StoreRefused, UserError
from privacy_ops.stores.sql import statement
from privacy_ops.usage.delivery import standing
from privacy_ops.usage.delivery.standing import DUTY
from privacy_ops.workspace import Workspace


@dataclass(frozen=True)
class Withdrawal:
    """What came of it. ``first``: it was not withdrawn before. ``told``: a recall is queued to the recipient."""

    first: bool
    told: bool
    deleted: int


def withdraw(workspace: Workspace, release_id: str, *, reason: str, by: str, now: datetime) -> Withdrawal:
    """Withdraw a release for good: it is never served, planned or sent again. Doing it again changes nothing.

    ``reason``: plain words that the recipient reads. Raises UserError for an unknown release or unusable words.
    """
    why, who = plain(reason, "the reason", 300), plain(by, "the name", 80)
    with workspace.database(DUTY).transaction() as connection:
        standing.lock(connection, [release_id])
        require_release(connection.execute(statement("delivery", "select_release"), {"release_id": release_id}).first())
        before = connection.execute(statement("delivery", "select_withdrawals"), {"releases": [release_id]}).first()
        told = False
        if before is None:
            connection.execute(
                statement("usage", "insert_release_event"),
                {"release_id": release_id, "kind": "withdrawn", "run_id": f"by hand: {who}", "at": now, "reason": why},
            )
            # Whoever may hold it is told, also when the sender died before it could say that the mail was out.
            maybe = connection.execute(statement("delivery", "select_maybe_told"), {"release_id": release_id})
            if maybe.scalar_one():
                told = bool(standing.queue(connection, [release_id], "RECALL", at=now, by=f"by hand: {who}"))
    return Withdrawal(before is None, told, finish(workspace, by=f"by hand: {who}", now=now, release_id=release_id))


def finish(workspace: Workspace, *, by: str, now: datetime, release_id: str | None = None) -> int:
    """Delete every version of what was delivered of withdrawn releases, and note that it is gone; returns versions.

    Goes on where a try before was cut off. Raises StoreRefused when a version stays.
    """
    database, store, bucket = workspace.database(DUTY), workspace.objects(), workspace.settings.exports_bucket
    with database.transaction(read_only=True) as connection:
        rows = connection.execute(statement("delivery", "select_to_recall")).all()
    gone = 0
    for row in rows:
        if release_id not in {None, row.release_id}:
            continue
        gone += store.delete_versions(bucket, list(store.versions(bucket, row.object_key, exact=True)))
        if any(True for _ in store.versions(bucket, row.object_key, exact=True)):
            raise StoreRefused(
                "a version of a withdrawn delivery is still there",
                where=f"bucket {bucket}, release {row.release_id}",
                do="look for object lock or replication; the link that was sent may still work",
            )
        with database.transaction() as connection:
            standing.note(connection, row.release_id, "recalled", at=now, by=by)
    return gone


def require_release(row: object) -> None:
    """Raises UserError when the register has no such release."""
    if row is None:
        raise UserError(
            "there is no such release", do="`python -m privacy_ops release list` shows them; ids begin with r"
        )


def plain(text: str, what: str, longest: int) -> str:
    """One line of plain words. Raises UserError: empty, too long, or with a mail address in it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not line or len(line) > longest or "@" in line:
        raise UserError(
            f"{what} is empty, longer than {longest} letters, or holds a mail address",
            do="write plain words; the recipient reads them, and they are kept for ever",
        )
    return line
