"""Signed JSON over HTTPS. Only a well-formed answer to this very instruction counts; a bare 200 or a 404 never does."""

from __future__ import annotations

import base64
import json
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from privacy_ops import signing
from privacy_ops.erasure.downstream.adapters import Message, Outcome, sealed_box
from privacy_ops.erasure.downstream.parties import Party, is_loopback
from privacy_ops.settings import KeyRing

if TYPE_CHECKING:
    import httpx

TRIES = 3
SECONDS = 10.0
_WHOLE_SECONDS = 30.0  # an answer that drips in byte by byte never runs into the time limit of one read
_LONGEST_ANSWER = 64 * 1024
_LONGEST_WAIT_HERE = 5.0
_AGAIN = {408, 425, 429}
_TAKEN = {200, 201, 202}


def body_of(message: Message, party: Party) -> dict[str, object]:
    """What is sent, as ``docs/schemas/downstream_instruction.json`` says."""
    body: dict[str, object] = {
        "format": 1,
        "instruction": str(message.instruction_id),
        "kind": message.kind,
        "publisher": message.publisher,
        "sent_at": _moment(message.sent_at),
        "due_at": _moment(message.due_at),
        "reminder": message.reminder,
    }
    if message.first_sent_at is not None:
        body["first_sent_at"] = _moment(message.first_sent_at)
    if message.identifiers is None:
        return body
    if party.encrypt_to is None:
        return body | {"identifiers": message.identifiers}
    plain = signing.canonical_json({"identifiers": message.identifiers}).encode()
    return body | {"sealed": sealed_box.seal(party.encrypt_to, plain, str(message.instruction_id).encode())}


def send(
    party: Party,
    message: Message,
    keys: KeyRing,
    *,
    tries: int = TRIES,
    seconds: float = SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """POST one message; tries again at once where that may help. Never raises for what the other side does."""
    import httpx

    for name in ("httpx", "httpcore"):  # their lines name addresses, at DEBUG also headers
        logging.getLogger(name).setLevel(logging.WARNING)
    body = body_of(message, party)
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": str(message.instruction_id),
        "Privacy-Ops-Timestamp": str(body["sent_at"]),
        "Privacy-Ops-Key": signing.fingerprint(signing.public_key_pem(keys.signing_key_pem)),
        "Privacy-Ops-Signature": "ed25519=" + signing.sign(keys.signing_key_pem, body),
    }
    data = signing.canonical_json(body).encode()
    address = party.webhook or ""
    here = is_loopback(urlsplit(address).hostname or "")
    outcome = Outcome("retry", "NOT_TRIED")
    with httpx.Client(timeout=seconds, follow_redirects=False, trust_env=not here) as client:
        for number in range(tries):
            try:
                outcome = _once(client, address, data, headers, party, message)
            except httpx.TimeoutException:
                outcome = Outcome("retry", "TIMEOUT")
            except httpx.HTTPError as error:
                outcome = Outcome("retry", "TLS" if "CERTIFICATE" in str(error).upper() else "CONNECTION")
            except (httpx.InvalidURL, UnicodeError):
                return Outcome("broken", "ADDRESS")
            wait = outcome.wait.total_seconds() if outcome.wait else 0.0
            if outcome.result != "retry" or number + 1 == tries or wait > _LONGEST_WAIT_HERE:
                break
            sleep(max(wait, 2.0**number * random.uniform(0.5, 1.0)))  # ruff: ignore[S311]
    return outcome


def _once(
    client: httpx.Client, address: str, data: bytes, headers: dict[str, str], party: Party, message: Message
) -> Outcome:
    end = time.monotonic() + _WHOLE_SECONDS
    with client.stream("POST", address, content=data, headers=headers) as answer:
        status = answer.status_code
        if status not in _TAKEN:
            code = f"HTTP_{status}"
            if status in _AGAIN or status >= 500:
                return Outcome("retry", code, wait=retry_after(answer.headers.get("Retry-After"), message.sent_at))
            return Outcome("broken", code)
        received = b""
        for part in answer.iter_bytes():
            received += part
            if len(received) > _LONGEST_ANSWER or time.monotonic() > end:
                return Outcome("retry", "ANSWER_TOO_LONG")
        return read_answer(received, answer.headers.get("Privacy-Ops-Signature", ""), party, message)


def read_answer(received: bytes, signature: str, party: Party, message: Message) -> Outcome:
    """What an answer says (``docs/schemas/downstream_answer.json``). Anything else is no acknowledgement."""
    if party.answer_key is not None and not _signed(received, signature, party.answer_key):
        return Outcome("retry", "ANSWER_NOT_SIGNED")
    try:
        said: Any = json.loads(received)
    except (ValueError, RecursionError):
        return Outcome("retry", "ANSWER_UNREADABLE")
    if not isinstance(said, dict) or said.get("format") != 1:
        return Outcome("retry", "ANSWER_UNREADABLE")
    if said.get("instruction") != str(message.instruction_id):
        return Outcome("retry", "ANSWER_TO_ANOTHER")
    status, reference, found = said.get("status"), said.get("reference"), said.get("erased")
    good_reference = isinstance(reference, str) and 0 < len(reference) <= 200
    good_found = found is None or (type(found) is int and 0 <= found < 2**31)
    if not good_found or (reference is not None and not good_reference):
        return Outcome("retry", "ANSWER_UNREADABLE")
    if status == "done" and good_reference:
        return Outcome("acknowledged", reference=reference, found=found)
    if status == "accepted":
        return Outcome("sent", "ACCEPTED")
    if status == "refused":
        return Outcome("refused", "PARTY_REFUSES", reference=reference)
    return Outcome("retry", "ANSWER_UNREADABLE")


def _signed(received: bytes, signature: str, answer_key: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        raw = bytes.fromhex(signature.removeprefix("ed25519="))
        Ed25519PublicKey.from_public_bytes(base64.b64decode(answer_key)).verify(raw, received)
    except (InvalidSignature, ValueError):
        return False
    return True


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date, at most a day. None when it says neither."""
    if not value:
        return None
    try:
        if value.strip().isdigit():
            seconds = float(value)
        else:
            until = parsedate_to_datetime(value)
            seconds = ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return timedelta(seconds=min(max(seconds, 0.0), 86_400.0))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
