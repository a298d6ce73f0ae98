"""The one message to a person who was shut out on its own statement, and the answer "this date is wrong".

Detection queues it in ``gov.notice``; the address is read where the publisher keeps it when the mail is handed over,
and is never stored or logged. Delivery is at least once: a row is held locked while its mail is sent, so a sender that
dies between the server's yes and our commit leaves it queued and it is sent again, with the same Message-ID by which
mail programs drop the copy. The other way round somebody might never hear of the way out.

The answer is a link to a page of the publisher with a signed token that names the case. What the page hands on ends as
an objection: from then on only people decide.
"""

# ruff: noqa: S608 - identifiers are quoted, values are bound
from __future__ import annotations

import base64
import hmac
import string
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from privacy_ops import runs
from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import Reader
from privacy_ops.errors import ConfigError, StoreRefused, StoreUnavailable, UserError
from privacy_ops.runs import Run
from privacy_ops.settings import KeyRing
from privacy_ops.stores.database import quote, quote_table
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace

PURPOSE = "notices"
_MOST = 1000
_MAC_BYTES = 20
_PAYLOAD = struct.Struct(">16sI")  # case id, seconds of expiry since 1970


# ---- queueing


def queue(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, int]:
    """Queue a notice for everybody who was restricted on its own statement and has not been told; returns counts.

    Erasing them waits for the answer, ``notice.answer_hours`` since they were judged or, once the mail is out, since
    then. Nobody waits when nobody can be told (no mail server, or words missing): the DAG that sends is red then.
    """
    limits = workspace.thresholds
    if runs.is_rehearsal(run, max_drift_hours=limits.as_of_max_drift_hours):
        return {"rehearsal": 1}
    if workspace.settings.mail is None or missing_words(workspace):
        return {"cannot_tell": 1}
    with workspace.database("detect").transaction() as connection:
        queued = connection.execute(
            statement("notices", "queue_notices"),
            {"at": now, "answer_hours": limits.notice.answer_hours},
        ).rowcount
    return {"queued": int(queued)}


def answer_until(now: datetime, discovered_at: datetime, limits: Thresholds) -> datetime:
    """Until when erasing waits for an answer to a notice sent ``now``; the hard limit does not move."""
    hours = limits.notice.answer_hours
    last = discovered_at + timedelta(hours=limits.service_levels.erased.breach_hours - hours)
    return max(min(now + timedelta(hours=hours), last), now)


def missing_words(workspace: Workspace) -> list[str]:
    """Settings without which a notice would leave out how to answer, whom to ask or where to complain."""
    words = workspace.settings.notice
    return [
        name
        for name, value in (
            ("PRIVACY_OPS_ANSWER_URL", "{token}" in words.answer_url and words.answer_url),
            ("PRIVACY_OPS_PRIVACY_CONTACT", words.contact),
            ("PRIVACY_OPS_COMPLAINT_ADDRESS", words.complaint),
        )
        if not value
    ]


def require_words(workspace: Workspace) -> None:
    """Refuse to write to anybody without a way to answer, to ask and to complain. Raises ConfigError."""
    if missing := missing_words(workspace):
        raise ConfigError(
            "a notice would leave out what the person may do",
            where=", ".join(missing),
            do="name a page with {token} in its address, a contact, and where to complain",
        )


# ---- sending


def send(
    workspace: Workspace, hand_over: Callable[[EmailMessage], None], *, now: datetime, most: int = _MOST
) -> dict[str, int]:
    """Send what is queued through ``hand_over`` (of a mail server); returns counts by what came of each.

    A server that cannot be reached ends the round: the rest waits for the next. Raises ConfigError.
    """
    counts = {"sent": 0, "failed": 0, "needless": 0, "waiting": 0}
    require_words(workspace)
    database = workspace.database("notify")
    with database.transaction(read_only=True) as connection:
        queued = connection.execute(statement("notices", "select_queued"), {"most": most}).scalars().all()
        reader = Reader(workspace.data_map, catalogue.read(connection)) if queued else None
    if reader is None:
        return counts
    template = (workspace.settings.include / "notices" / "restricted.txt").read_text(encoding="utf-8")
    for number, notice_id in enumerate(queued):
        this = {"notice_id": notice_id}
        with database.transaction() as connection:
            attempts = workspace.thresholds.notice.attempts
            state = connection.execute(statement("notices", "update_attempt"), this | {"attempts": attempts}).scalar()
        if state != "queued":
            counts["failed"] += state == "failed"
            continue
        try:
            with database.transaction() as connection:
                result, fault = _send_one(connection, workspace, reader, template, notice_id, hand_over, now)
                sent_at = now if result == "sent" else None
                connection.execute(
                    statement("notices", "update_notice"), this | {"state": result, "fault": fault, "sent_at": sent_at}
                )
        except StoreUnavailable:
            counts["waiting"] += len(queued) - number
            break
        if result != "taken":
            counts[result] += 1
    return counts


def _send_one(
    connection: Connection,
    workspace: Workspace,
    reader: Reader,
    template: str,
    notice_id: UUID,
    hand_over: Callable[[EmailMessage], None],
    now: datetime,
) -> tuple[str, str | None]:
    """State and fault of one notice. Raises StoreUnavailable when the server asks to wait."""
    notice = connection.execute(statement("notices", "lock_notice"), {"notice_id": notice_id}).one_or_none()
    if notice is None:
        return "taken", None  # another sender holds it, or has sent it
    if not notice.still_due:
        return "needless", "CASE_MOVED_ON"
    address = _address(connection, reader, notice.subject_key)
    if address is None:
        return "failed", "NO_ADDRESS"
    until = answer_until(now, notice.discovered_at, workspace.thresholds)
    try:
        hand_over(compose(workspace, template, notice_id, notice.case_id, address, now, until))
    except StoreRefused:
        return "failed", "REFUSED"
    connection.execute(statement("notices", "update_erase_after"), {"case_id": notice.case_id, "until": until})
    return "sent", None


def _address(connection: Connection, reader: Reader, key: list[str]) -> Address | None:
    """The person's address as the publisher keeps it, when it is exactly one and well formed."""
    subject, column = reader.map.subject, reader.map.address_column()
    if column is None:
        return None
    matches = reader.key_matches(subject.table, "t", "(CAST(:key AS text[]))", subject.key)
    found = connection.execute(
        text(f"SELECT btrim(t.{quote(column)}) FROM {quote_table(subject.table)} AS t WHERE {matches}"), {"key": key}
    ).scalar_one_or_none()
    try:
        address = Address(addr_spec=found or "")
    except (ValueError, IndexError):  # also several addresses, or line breaks that would add headers
        return None
    return address if address.username and address.domain else None


def compose(
    workspace: Workspace,
    template: str,
    notice_id: UUID,
    case_id: UUID,
    address: Address,
    now: datetime,
    until: datetime,
) -> EmailMessage:
    """A neutral mail: no name, no date of birth, no word about any subject of the service."""
    limits, words = workspace.thresholds, workspace.settings.notice
    until = until.astimezone(ZoneInfo(limits.legal_timezone))
    expires = now + timedelta(days=limits.notice.token_days)
    filled = string.Template(template).substitute(
        publisher=workspace.data_map.publisher.name,
        until=until.strftime("%H:%M on %d %B %Y (London time)"),
        answer_link=words.answer_url.replace("{token}", token(workspace.settings.keys, case_id, expires)),
        backup_days=limits.backup_max_age_days,
        contact=words.contact,
        complaint=words.complaint,
    )
    first, _, body = filled.partition("\n\n")
    mail = EmailMessage()
    mail["To"] = address
    mail["Subject"] = first.removeprefix("Subject:").strip()
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{notice_id}@{workspace.data_map.publisher.key}.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    return mail


# ---- the answer


def token(keys: KeyRing, case_id: UUID, expires: datetime) -> str:
    """A token for the link: key id, case and expiry, signed. It names nobody and opens nothing but an objection."""
    key_id, key = keys.current_key(PURPOSE)
    payload = _PAYLOAD.pack(case_id.bytes, int(expires.timestamp()))
    return f"{key_id}.{_text(payload + _mac(key, key_id, payload))}"


def read_token(keys: KeyRing, given: str, *, now: datetime) -> UUID:
    """The case of a token. Raises UserError when it is forged, damaged or too old; the message does not say which."""
    refused = UserError("this link does not count", do="ask the person to use the whole link from the mail")
    key_id, _, rest = given.strip().partition(".")
    key = keys.hmac.get(PURPOSE, {}).get(key_id)
    try:
        raw = base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4))
    except ValueError:
        raise refused from None
    payload, mac = raw[: _PAYLOAD.size], raw[_PAYLOAD.size :]
    # The last letter holds spare bits: two spellings of one token would both count.
    if (
        key is None
        or _text(raw) != rest
        or len(payload) != _PAYLOAD.size
        or not hmac.compare_digest(mac, _mac(key, key_id, payload))
    ):
        raise refused
    case, expires = _PAYLOAD.unpack(payload)
    if now.timestamp() > expires:
        raise refused
    return UUID(bytes=case)


def _mac(key: bytes, key_id: str, payload: bytes) -> bytes:
    return hmac.new(key, b"this date is wrong:" + key_id.encode() + b":" + payload, sha256).digest()[:_MAC_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def object_to(workspace: Workspace, given: str, *, now: datetime) -> dict[str, Any]:
    """Record "this date is wrong" for the case of a token; returns what it came to.

    ``people_decide``: nothing is erased before people have decided. False: it was erased or decided already, and a
    person must answer. The same link used again changes nothing. Raises UserError.
    """
    case_id = read_token(workspace.settings.keys, given, now=now)
    this = {"case_id": case_id, "at": now}
    with workspace.database("review").transaction() as connection:
        connection.execute(statement("review", "lock_case"), {"case_id": case_id})
        first = connection.execute(statement("notices", "insert_objection"), this).rowcount
        connection.execute(statement("notices", "update_objected"), this)
        row = connection.execute(
            text(
                "SELECT objected_at IS NOT NULL AND decision IS NULL AND subject_key IS NOT NULL AS waits"
                " FROM gov.minor_case WHERE case_id = :case_id"
            ),
            this,
        ).one_or_none()
    if row is None:
        raise UserError("there is no such case in this database", do="look whether the link is from another system")
    return {"case_id": str(case_id), "recorded": bool(first), "people_decide": bool(row.waits)}
