"""What is sent to parties, and what counts as their answer."""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from aiosmtpd.controller import Controller
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from privacy_ops import signing
from privacy_ops.erasure.downstream.adapters import Message, mail, sealed_box, webhook
from privacy_ops.erasure.downstream.parties import Party
from privacy_ops.settings import MailSettings
from privacy_ops.stores.mail import MailServer

from tests.integration.press import NOW, key_ring
from tests.integration.processor import Endpoint, answers, hangs, processor, says

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
KEYS = key_ring()
INSTRUCTION = UUID("11111111-2222-4333-8444-555555555555")
SECRET = "child@example.org"
MESSAGE = Message(
    INSTRUCTION, "DELETE", "press", NOW, NOW + timedelta(hours=72), 0, None, [{"as": "email", "value": SECRET}]
)


@pytest.fixture
def endpoint() -> Any:
    with processor() as running:
        yield running


def party(endpoint: Endpoint, **more: Any) -> Party:
    return Party(kind="DELETE", webhook=endpoint.url, **more)


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def test_a_message_is_signed_and_as_documented_and_its_answer_too(endpoint: Endpoint) -> None:
    outcome = webhook.send(party(endpoint), MESSAGE, KEYS)
    assert (outcome.result, outcome.reference, outcome.found) == ("acknowledged", "REF-1", 1)
    request = endpoint.requests[0]
    jsonschema.validate(request.body, schema("downstream_instruction"))
    jsonschema.validate(json.loads(answers()(request)[2]), schema("downstream_answer"))
    assert request.headers["Idempotency-Key"] == str(INSTRUCTION)
    signature = request.headers["Privacy-Ops-Signature"].removeprefix("ed25519=")
    public = signing.public_key_pem(KEYS.signing_key_pem)
    assert signing.canonical_json(request.body).encode() == request.raw
    assert signing.verifies(public, request.body, signature)
    assert not signing.verifies(public, request.body | {"kind": "NOTICE"}, signature)
    reminder = replace(MESSAGE, identifiers=None, reminder=1, first_sent_at=NOW)
    webhook.send(party(endpoint), reminder, KEYS)
    jsonschema.validate(endpoint.requests[1].body, schema("downstream_instruction"))
    assert SECRET not in endpoint.requests[1].raw.decode()


def test_a_busy_processor_is_asked_again_after_longer_and_longer_waits(endpoint: Endpoint) -> None:
    endpoint.script = [says(503), says(429, Retry_After="1"), answers()]
    waits: list[float] = []
    assert webhook.send(party(endpoint), MESSAGE, KEYS, sleep=waits.append).result == "acknowledged"
    assert len(waits) == 2
    assert 0.5 <= waits[0] <= 1
    assert 1 <= waits[1] <= 2
    assert len({request.headers["Idempotency-Key"] for request in endpoint.requests}) == 1


def test_a_long_wait_is_left_to_a_later_run(endpoint: Endpoint) -> None:
    endpoint.script = [says(503, Retry_After="7200")]
    outcome = webhook.send(party(endpoint), MESSAGE, KEYS, sleep=lambda _: pytest.fail("it waited"))
    assert (outcome.result, outcome.wait, len(endpoint.requests)) == ("retry", timedelta(hours=2), 1)


@pytest.mark.parametrize(
    ("behaviour", "result", "reason"),
    [
        (says(200), "retry", "ANSWER_UNREADABLE"),
        (says(200, b"OK"), "retry", "ANSWER_UNREADABLE"),
        (says(200, b'["done"]'), "retry", "ANSWER_UNREADABLE"),
        (says(200, b"[" * 50_000), "retry", "ANSWER_UNREADABLE"),
        (says(200, b"x" * 70_000), "retry", "ANSWER_TOO_LONG"),
        (answers(instruction=str(UUID(int=1))), "retry", "ANSWER_TO_ANOTHER"),
        (answers(reference=None), "retry", "ANSWER_UNREADABLE"),
        (answers(erased=-1), "retry", "ANSWER_UNREADABLE"),
        (answers(erased=True), "retry", "ANSWER_UNREADABLE"),
        (answers("maybe"), "retry", "ANSWER_UNREADABLE"),
        (answers("accepted", 202), "sent", "ACCEPTED"),
        (answers("refused"), "refused", "PARTY_REFUSES"),
        (answers(code=404), "broken", "HTTP_404"),
        (answers(code=410), "broken", "HTTP_410"),
        (answers(code=401), "broken", "HTTP_401"),
        (answers(code=500), "retry", "HTTP_500"),
    ],
)
def test_only_a_well_formed_answer_to_this_instruction_counts(
    endpoint: Endpoint, behaviour: Any, result: str, reason: str
) -> None:
    endpoint.script = [behaviour]
    outcome = webhook.send(party(endpoint), MESSAGE, KEYS, tries=1)
    assert (outcome.result, outcome.reason) == (result, reason)


def test_a_redirect_is_refused_and_not_followed(endpoint: Endpoint) -> None:
    with processor() as elsewhere:
        endpoint.script = [says(307, Location=elsewhere.url)]
        assert webhook.send(party(endpoint), MESSAGE, KEYS).reason == "HTTP_307"
        assert elsewhere.requests == []


def test_a_processor_that_hangs_or_is_gone_is_tried_later(endpoint: Endpoint) -> None:
    endpoint.script = [hangs(0.5)]
    outcome = webhook.send(party(endpoint), MESSAGE, KEYS, tries=1, seconds=0.1)
    assert (outcome.result, outcome.reason) == ("retry", "TIMEOUT")
    gone = Party(kind="DELETE", webhook="http://127.0.0.1:1/erasure")
    outcome = webhook.send(gone, MESSAGE, KEYS, tries=1)
    assert (outcome.result, outcome.reason) == ("retry", "CONNECTION")


def test_a_party_that_signs_its_answers_is_believed_only_when_it_did(endpoint: Endpoint) -> None:
    key = Ed25519PrivateKey.generate()
    answer_key = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    signing_party = party(endpoint, answer_key=answer_key)
    assert webhook.send(signing_party, MESSAGE, KEYS, tries=1).reason == "ANSWER_NOT_SIGNED"

    def signed(request: Any) -> tuple[int, dict[str, str], bytes]:
        code, _, body = answers()(request)
        return code, {"Privacy-Ops-Signature": "ed25519=" + key.sign(body).hex()}, body

    endpoint.script = [signed]
    assert webhook.send(signing_party, MESSAGE, KEYS, tries=1).result == "acknowledged"


def test_identifiers_encrypted_to_a_party_open_with_its_key_and_for_this_instruction_alone(endpoint: Endpoint) -> None:
    key = X25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    webhook.send(party(endpoint, encrypt_to=public), MESSAGE, KEYS)
    body = endpoint.requests[0].body
    jsonschema.validate(body, schema("downstream_instruction"))
    assert SECRET not in endpoint.requests[0].raw.decode()
    private = key.private_bytes_raw()
    plain = sealed_box.unseal(private, body["sealed"], str(INSTRUCTION).encode())
    assert json.loads(plain) == {"identifiers": MESSAGE.identifiers}
    with pytest.raises(InvalidTag):
        sealed_box.unseal(private, body["sealed"], str(UUID(int=1)).encode())


def test_no_identifier_reaches_a_log(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.script = [says(503), says(404, SECRET.encode())]
    webhook.send(party(endpoint), MESSAGE, KEYS, sleep=lambda _: None)
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("9" * 300, 86_400),
        ("Sun, 22 Nov 2026 02:16:00 GMT", 60),
        ("Sun, 22 Nov 2020 02:16:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_the_wait_that_a_server_asks_for(text: str, seconds: int | None) -> None:
    now = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
    assert webhook.retry_after(text, now) == (None if seconds is None else timedelta(seconds=seconds))


# --- mail -----------------------------------------------------------------------------------------------------------


class Inbox:
    """Keeps what arrives; refuses who is told to be refused."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuse = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return self.refuse
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def inbox() -> Any:
    received = Inbox()
    controller = Controller(received, hostname="127.0.0.1", port=0)
    controller.port = _free_port()
    controller.start()
    received.server = MailServer(  # type: ignore[attr-defined]
        MailSettings("127.0.0.1", controller.port, sender="privacy@press.example.org", tls=False)
    )
    yield received
    controller.stop()


def _free_port() -> int:
    from sandbox.postgres import free_port

    return free_port()


EXHIBITOR = Party(kind="NOTICE", email="privacy@exhibitor.example.org")
NOTICE = replace(MESSAGE, kind="NOTICE", identifiers=[{"as": "badge", "value": "B-42"}])


def test_a_mail_is_neutral_and_names_what_the_recipient_knows(inbox: Any) -> None:
    assert mail.send(EXHIBITOR, NOTICE, inbox.server).result == "sent"
    received = inbox.mails[0]
    assert received["Subject"] == f"Erasure request {INSTRUCTION}"
    text = received.get_content()
    assert "badge: B-42" in text
    assert "Article 19" in text
    for word in ("child", "minor", "age", "under 18", "hepatitis"):
        assert word not in text.lower().replace("message", "")
    mail.send(EXHIBITOR, NOTICE, inbox.server)
    assert inbox.mails[1]["Message-ID"] == received["Message-ID"]


def test_an_address_never_stands_in_a_plain_mail(inbox: Any) -> None:
    assert mail.send(EXHIBITOR, MESSAGE, inbox.server).reason == "ADDRESS_IN_PLAIN_MAIL"
    assert inbox.mails == []


def test_encrypted_identifiers_travel_as_an_attachment(inbox: Any) -> None:
    key = X25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    party = Party(kind="DELETE", email="p@processor.example.org", identifiers="encrypted", encrypt_to=public)
    assert mail.send(party, MESSAGE, inbox.server).result == "sent"
    attached = next(inbox.mails[0].iter_attachments())
    box = json.loads(attached.get_content())
    plain = sealed_box.unseal(key.private_bytes_raw(), box, str(INSTRUCTION).encode())
    assert json.loads(plain)["identifiers"] == MESSAGE.identifiers
    assert SECRET not in str(inbox.mails[0])


def test_a_mail_server_that_refuses_or_is_away(inbox: Any) -> None:
    inbox.refuse = "554 no such person " + SECRET
    assert mail.send(EXHIBITOR, NOTICE, inbox.server).result == "broken"
    inbox.refuse = "451 later"
    assert mail.send(EXHIBITOR, NOTICE, inbox.server).result == "retry"
    away = MailServer(MailSettings("127.0.0.1", 1, sender="privacy@press.example.org", tls=False))
    assert mail.send(EXHIBITOR, NOTICE, away).result == "retry"
