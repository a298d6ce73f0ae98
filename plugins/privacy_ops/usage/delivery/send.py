"""The second step: the mails that wait. Links are made when a mail is composed and exist nowhere else.

Delivery is at least once, as with the notices to people: a mail is held locked while it is handed over, so a sender
that dies between the server's yes and our commit leaves it queued, and it goes out again with the same Message-ID.
Whether a release may still go out is asked again under the release's lock, which a withdrawal takes too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from privacy_ops import runs
from privacy_ops.errors import ConfigError, StoreRefused, StoreUnavailable
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.usage.delivery import archive, letters, standing
from privacy_ops.usage.delivery.checks import Checks
from privacy_ops.usage.delivery.letters import Announced, Envelope, Recalled
from privacy_ops.usage.delivery.standing import BYTES_CHANGED, DUTY, MAIL_REFUSED, Standing
from privacy_ops.usage.files import sums
from privacy_ops.workspace import Workspace

_MOST = 1000
HandOver = Callable[[EmailMessage], None]


def send(workspace: Workspace, run: Run, hand_over: HandOver, *, now: datetime, most: int = _MOST) -> dict[str, int]:
    """Send what is queued through ``hand_over`` (of a mail server); returns counts by what came of each mail.

    A server or store that cannot be reached ends the round: the rest waits for the next. Raises ConfigError.
    """
    counts = {"sent": 0, "failed": 0, "needless": 0, "waiting": 0}
    database = workspace.database(DUTY)
    with database.transaction(read_only=True) as connection:
        queued = connection.execute(statement("delivery", "select_queued"), {"most": most}).scalars().all()
    if not queued or runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return counts | {"waiting": len(queued)}
    round_ = _Round(workspace, run, hand_over, now)
    for number, mail_id in enumerate(queued):
        with database.transaction() as connection:
            state = connection.execute(
                statement("delivery", "update_attempt"),
                {"mail_id": mail_id, "attempts": workspace.thresholds.delivery.attempts},
            ).scalar()
        if state != "queued":
            counts["failed"] += state == "failed"
            continue
        try:
            with database.transaction() as connection:
                outcome = round_.send_one(connection, mail_id)
        except StoreUnavailable:
            counts["waiting"] += len(queued) - number
            break
        if outcome:
            counts[outcome] += 1
    return counts


class _Round:
    """What one round of sending shares: the registry with the addresses, the store, the words."""

    def __init__(self, workspace: Workspace, run: Run, hand_over: HandOver, now: datetime) -> None:
        if not workspace.settings.notice.contact:
            raise ConfigError(
                "a delivery would not say whom to ask",
                where="PRIVACY_OPS_PRIVACY_CONTACT",
                do="name the address that recipients write to",
            )
        self.workspace, self.run, self.hand_over, self.now = workspace, run, hand_over, now
        self.checks = Checks(workspace)

    def send_one(self, connection: Connection, mail_id: UUID) -> str | None:
        """State of one mail, or None when another sender has it. Raises StoreUnavailable, ConfigError."""
        mail = connection.execute(statement("delivery", "lock_mail"), {"mail_id": mail_id}).one_or_none()
        if mail is None:
            return None
        standing.lock(connection, mail.releases)
        found = standing.read(connection, self.workspace, now=self.now, releases=mail.releases)
        address = self.checks.address(found[0])
        return (
            self._announce(connection, mail, found, address)
            if mail.kind == "LINK"
            else self._recall(connection, mail, found, address)
        )

    def _announce(self, connection: Connection, mail: Any, found: Sequence[Standing], address: Address | str) -> str:
        parts: list[tuple[Standing, Announced]] = []
        for one in found:
            part = one.blocked() or (address if isinstance(address, str) else self._announced(one))
            if isinstance(part, Announced):
                parts.append((one, part))
            else:
                standing.note_blocked(connection, one, part, at=self.now, by=self.run.run_id)
        if not parts or isinstance(address, str):
            return self._end(connection, mail, "needless", "NOTHING_TO_SEND")
        letter = letters.announce(self._template("link"), self._envelope(mail, address), [part for _, part in parts])
        try:
            self.hand_over(letter)
        except StoreRefused:
            for one, _ in parts:
                standing.note_blocked(connection, one, MAIL_REFUSED, at=self.now, by=self.run.run_id)
            return self._end(connection, mail, "failed", "REFUSED")
        for one, part in parts:
            standing.note(
                connection,
                one.release_id,
                "sent",
                at=self.now,
                by=self.run.run_id,
                mail_id=mail.mail_id,
                country=one.country,
                expires_at=part.link.expires_at,
            )
        return self._end(connection, mail, "sent", None)

    def _announced(self, one: Standing) -> Announced | str:
        """The release with a fresh link to exactly the prepared version, or why not."""
        bucket, key, body = self.workspace.settings.exports_bucket, one.object_key, self.checks.body(one)
        if key is None or body is None:
            return BYTES_CHANGED
        lasts = timedelta(days=self.workspace.thresholds.delivery.link_days)
        return Announced(
            one.release_id,
            one.product,
            one.period_key,
            one.first_day,
            one.last_day,
            key.rpartition("/")[2],
            len(body),
            one.sha256 or "",
            any(file["name"] == sums.SIGNATURE for file in one.files),
            archive.signer(body, self.workspace.settings.keys),
            self.checks.store.link(bucket, key, one.version_id or "", lasts=lasts),
            one.supersedes,
            one.corrected_because,
        )

    def _recall(self, connection: Connection, mail: Any, found: Sequence[Standing], address: Address | str) -> str:
        """Also to a recipient that has ended: whoever holds the files must hear of it."""
        if isinstance(address, str):
            return self._end(connection, mail, "failed", address)
        reasons = {
            row.release_id: row.reason
            for row in connection.execute(statement("delivery", "select_withdrawals"), {"releases": mail.releases})
        }
        parts = [Recalled(one.release_id, one.period_key, reasons[one.release_id]) for one in found if one.withdrawn]
        try:
            self.hand_over(letters.recall(self._template("recall"), self._envelope(mail, address), parts))
        except StoreRefused:
            return self._end(connection, mail, "failed", "REFUSED")
        return self._end(connection, mail, "sent", None)

    def _end(self, connection: Connection, mail: Any, state: str, fault: str | None) -> str:
        sent_at = self.now if state == "sent" else None
        connection.execute(
            statement("delivery", "update_mail"),
            {"mail_id": mail.mail_id, "state": state, "fault": fault, "sent_at": sent_at},
        )
        return state

    def _envelope(self, mail: Any, address: Address) -> Envelope:
        publisher = self.workspace.data_map.publisher
        return Envelope(
            mail.mail_id,
            address,
            publisher.name,
            publisher.key,
            self.workspace.settings.notice.contact,
            self.workspace.thresholds.legal_timezone,
            self.now,
            self.workspace.thresholds.delivery.open_days,
        )

    def _template(self, name: str) -> str:
        path = self.workspace.settings.include / "notices" / f"release_{name}.txt"
        return path.read_text(encoding="utf-8")
