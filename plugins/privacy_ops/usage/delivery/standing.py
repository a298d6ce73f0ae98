"""Whether a release may be delivered now, and if not, why: a code that people read in ``release list``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from privacy_ops import blocks
from privacy_ops.stores.sql import statement
from privacy_ops.usage.recipients import CLAUSES
from privacy_ops.workspace import Workspace

DUTY = "export"

# Why nothing is sent. The first three are for good, and nobody here can mend the fourth and fifth.
WITHDRAWN = "WITHDRAWN"
SUPERSEDED = "SUPERSEDED"
BYTES_CHANGED = "BYTES_CHANGED"
RECIPIENT_ENDED = "RECIPIENT_ENDED"
NOT_ENTITLED = "NOT_ENTITLED"
DESTINATION_BLOCKED = "DESTINATION_BLOCKED"
NOT_CLEARED = "NOT_CLEARED"
NO_CONTACT = "NO_CONTACT"
CONTACT_CHANGED = "CONTACT_CHANGED"
MAIL_REFUSED = "MAIL_REFUSED"
ENDED = (RECIPIENT_ENDED, NOT_ENTITLED)

MEANING = {
    WITHDRAWN: "the release was withdrawn",
    SUPERSEDED: "a correction has taken its place",
    BYTES_CHANGED: "its files are not the registered ones",
    RECIPIENT_ENDED: "the recipient has ended",
    NOT_ENTITLED: "an agreement or entitlement does not cover it any more",
    DESTINATION_BLOCKED: "the transfer inventory has blocked the destination",
    NOT_CLEARED: "the transfer inventory has not looked of late, so nothing is cleared",
    NO_CONTACT: "no address of the recipient is known",
    CONTACT_CHANGED: "the address in the registry is not the one that was loaded",
    MAIL_REFUSED: "the mail server refused it",
}


@dataclass(frozen=True)
class Standing:
    """One release of the register, as far as its delivery is concerned."""

    release_id: str
    product: str
    recipient_id: str
    period_key: str
    object_prefix: str
    files: Sequence[Any]
    pack_sha256: str
    status: str
    country: str
    contact_key_id: str | None
    contact_hmac: str | None
    object_key: str | None  # of the prepared object; None: there is none yet
    sha256: str | None
    version_id: str | None
    first_day: date
    last_day: date
    withdrawn: bool
    superseded: bool
    supersedes: str | None  # the release that this one corrects
    corrected_because: str | None
    destination_blocked: bool
    entitled: bool
    noted: str | None  # reason of the newest event that says whether it may go out
    cleared: bool  # the block list was set of late

    def blocked(self) -> str | None:
        """The code of what forbids the delivery, or None. What cannot be undone comes first."""
        reasons = (
            (self.withdrawn, WITHDRAWN),
            (self.superseded, SUPERSEDED),
            (self.status != "active", RECIPIENT_ENDED),
            (not self.entitled, NOT_ENTITLED),
            (self.destination_blocked, DESTINATION_BLOCKED),
            (not self.cleared, NOT_CLEARED),
            (self.contact_hmac is None, NO_CONTACT),
        )
        return next((code for holds, code in reasons if holds), None)


def read(
    connection: Connection, workspace: Workspace, *, now: datetime, releases: Collection[str] | None = None
) -> list[Standing]:
    """Standing of these releases, or of all that were never sent; judged as of ``now``.

    Raises StoreRefused, StoreUnavailable when the store does not tell to where it copies the bucket of exports.
    """
    zone = workspace.thresholds.legal_timezone
    rows = connection.execute(
        statement("delivery", "select_standing"),
        {
            "releases": None if releases is None else sorted(releases),
            "today": now.astimezone(ZoneInfo(zone)).date(),
            "timezone": zone,
            "clauses": list(CLAUSES),
            "destinations": list(blocks.reached_by(workspace.objects(), workspace.settings.exports_bucket)),
        },
    )
    cleared = blocks.ask(connection, (), workspace.thresholds, now=now).fresh
    return [Standing(**row, cleared=cleared) for row in rows.mappings()]


def lock(connection: Connection, releases: Iterable[str]) -> None:
    """Hold these releases until the transaction ends: whoever withdraws one waits for whoever sends it."""
    connection.execute(statement("delivery", "lock_releases"), {"releases": sorted(releases)}).all()


def note(
    connection: Connection,
    release_id: str,
    kind: str,
    *,
    at: datetime,
    by: str,
    **facts: Any,
) -> bool:
    """Append one event; False when what may be only once was noted before. ``by``: run, or who did it by hand."""
    row = dict.fromkeys((
        "object_key",
        "sha256",
        "bytes",
        "version_id",
        "mail_id",
        "country",
        "expires_at",
        "request_ref",
    ))
    row |= {"release_id": release_id, "kind": kind, "at": at, "run_id": by, "reason": "", "said_by": ""} | facts
    return bool(connection.execute(statement("delivery", "insert_event"), row).rowcount)


def note_blocked(connection: Connection, one: Standing, reason: str, *, at: datetime, by: str) -> bool:
    """A blocked delivery is a row, once for as long as the reason stays the same."""
    return one.noted != reason and note(connection, one.release_id, "blocked", at=at, by=by, reason=reason)


def queue(connection: Connection, releases: Iterable[str], kind: str, *, at: datetime, by: str) -> int:
    """Queue one mail to each recipient about these releases; returns how many releases were queued."""
    wanted = {"releases": sorted(releases), "kind": kind, "at": at, "by": by}
    return len(connection.execute(statement("delivery", "queue_mails"), wanted).all())
