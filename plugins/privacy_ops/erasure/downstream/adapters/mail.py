"""Plain mail for parties without a webhook. A person there answers; a person here types the acknowledgement."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime

from privacy_ops import signing
from privacy_ops.erasure.downstream.adapters import Message, Outcome, sealed_box
from privacy_ops.erasure.downstream.parties import Party
from privacy_ops.errors import ConfigError, StoreRefused, StoreUnavailable
from privacy_ops.stores.mail import MailServer

_ASKED = {
    "DELETE": "Please delete everything that you hold about the person known to you as stated below, as our data"
    " processing agreement provides, and have your sub-processors do the same.",
    "NOTICE": "We have erased the data of a person whose data we had passed on to you. Under Article 19 GDPR we notify"
    " you of the erasure. Please check whether you must erase them as well.",
    "ACCREDITOR": "We have withdrawn and erased the certificate stated below. Please delete your record of it.",
}


def compose(party: Party, message: Message) -> EmailMessage:
    """A neutral mail: no name, no address, no reason. The same Message-ID however often one attempt is repeated."""
    mail = EmailMessage()
    reminder = f"Reminder {message.reminder}: " if message.reminder else ""
    mail["To"] = party.email or ""
    mail["Subject"] = f"{reminder}Erasure request {message.instruction_id}"
    mail["Date"] = format_datetime(message.sent_at)
    mail["Message-ID"] = f"<{message.instruction_id}.{message.reminder}@{message.publisher}.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    lines = [_ASKED[message.kind], ""]
    box = None
    if message.identifiers is None:
        lines.append("You have received the particulars with our first message.")
    elif party.identifiers == "encrypted" and party.encrypt_to is not None:
        plain = signing.canonical_json({"identifiers": message.identifiers}).encode()
        box = sealed_box.seal(party.encrypt_to, plain, str(message.instruction_id).encode())
        lines.append("The attachment says whom it concerns; it is encrypted to the key that you gave us.")
    else:
        lines += [f"  {one['as']}: {one['value']}" for one in message.identifiers]
    if message.first_sent_at is not None:
        lines += ["", f"First sent on {message.first_sent_at:%Y-%m-%d}."]
    lines += [
        "",
        f"Please answer by {message.due_at:%Y-%m-%d %H:%M} UTC, quoting {message.instruction_id} and a reference of"
        " your own.",
    ]
    mail.set_content("\n".join(lines) + "\n")
    if box is not None:
        mail.add_attachment(
            signing.canonical_json(box).encode(),
            maintype="application",
            subtype="json",
            filename="identifiers.json",
        )
    return mail


def send(party: Party, message: Message, server: MailServer) -> Outcome:
    """Hand one mail to the server. That it was taken is not an acknowledgement."""
    if party.identifiers == "own" and any("@" in one["value"] for one in message.identifiers or ()):
        return Outcome("broken", "ADDRESS_IN_PLAIN_MAIL")
    try:
        server.send(compose(party, message))
    except StoreUnavailable:
        return Outcome("retry", "MAIL_SERVER")
    except (StoreRefused, ConfigError):
        return Outcome("broken", "MAIL_REFUSED")
    return Outcome("sent", "MAILED")
