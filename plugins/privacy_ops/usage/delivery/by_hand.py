"""What people do about a delivery: look, send again, note that it was received."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from privacy_ops.errors import UserError
from privacy_ops.stores.sql import statement
from privacy_ops.usage.delivery import standing
from privacy_ops.usage.delivery.checks import Checks
from privacy_ops.usage.delivery.recall import plain, require_release
from privacy_ops.usage.delivery.standing import DUTY, MEANING
from privacy_ops.workspace import Workspace


@dataclass(frozen=True)
class Shown:
    """One release and its history, oldest first."""

    release: Any
    history: list[Any]


def listing(workspace: Workspace, *, recipient: str | None = None, open_only: bool = False) -> list[Any]:
    """Releases with the state of their delivery, newest week first."""
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        wanted = {"recipient": recipient, "open_only": open_only}
        return list(connection.execute(statement("delivery", "select_deliveries"), wanted))


def show(workspace: Workspace, release_id: str) -> Shown:
    """One release. Raises UserError when there is none of this id."""
    this = {"release_id": release_id}
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        row = connection.execute(statement("delivery", "select_release"), this).first()
        require_release(row)
        return Shown(row, list(connection.execute(statement("delivery", "select_history"), this)))


def resend(workspace: Workspace, release_id: str, *, by: str, now: datetime) -> bool:
    """Queue another mail with a fresh link; False when one is waiting already. Raises UserError when it may not go."""
    who = plain(by, "the name", 80)
    with workspace.database(DUTY).transaction() as connection:
        standing.lock(connection, [release_id])
        found = standing.read(connection, workspace, now=now, releases=[release_id])
        require_release(found[0] if found else None)
        if reason := Checks(workspace).reason(found[0]):
            raise UserError(
                f"this release cannot be delivered: {MEANING[reason]}",
                where=f"{release_id}, {reason}",
                do="docs/runbooks/course_usage_delivery.md says what mends it",
            )
        if found[0].object_key is None:
            raise UserError(
                "this release was not prepared yet", where=release_id, do="wait for the next run of the delivery"
            )
        connection.execute(statement("delivery", "free_failed"), {"release_id": release_id})
        return bool(standing.queue(connection, [release_id], "LINK", at=now, by=f"by hand: {who}"))


def receipt(workspace: Workspace, release_id: str, *, said_by: str, at: datetime, now: datetime) -> None:
    """Note that the recipient has it, or has deleted what was withdrawn. Raises UserError."""
    who = plain(said_by, "the name", 80)
    shown = show(workspace, release_id)
    sent = [event.at for event in shown.history if event.kind == "sent"]
    if at > now or not sent or at < min(sent):
        raise UserError(
            "a receipt comes after the first mail and not from the future",
            where=f"{release_id}, first mail " + (f"{min(sent):%Y-%m-%d %H:%M} UTC" if sent else "not sent yet"),
            do="look at `python -m privacy_ops release show`",
        )
    with workspace.database(DUTY).transaction() as connection:
        standing.note(connection, release_id, "receipt", at=at, by="by hand", said_by=who)
