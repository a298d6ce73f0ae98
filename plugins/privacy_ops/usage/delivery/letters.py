"""The two mails that a recipient gets, in plain words and without attachments: here it is, and please delete it."""

from __future__ import annotations

import string
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from privacy_ops.stores.objects import Link
from privacy_ops.usage import periods
from privacy_ops.usage.files import sums
from privacy_ops.usage.periods import in_words

_FEW = 3
_RELATION = {"EXP-AUTHOR": "wrote", "EXP-SUPPORTER": "support"}


@dataclass(frozen=True)
class Announced:
    """What a mail says about one release."""

    release_id: str
    product: str
    period_key: str
    first_day: date
    last_day: date
    file_name: str
    n_bytes: int
    sha256: str
    signed: bool  # there is a signature of SHA256SUMS inside
    signer: str  # name of the key that made it, as ssh-keygen prints it; "": the key is not ours to name
    link: Link
    supersedes: str | None = None  # the release that this one corrects, and why
    because: str | None = None


@dataclass(frozen=True)
class Recalled:
    release_id: str
    period_key: str
    why: str


@dataclass(frozen=True)
class Envelope:
    """What both mails share."""

    mail_id: UUID
    to: Address
    publisher: str
    publisher_key: str
    contact: str
    timezone: str
    sent_at: datetime
    open_days: int = 14


def announce(template: str, envelope: Envelope, releases: Sequence[Announced]) -> EmailMessage:
    """Here it is: what, of when, what it corrects, until when the link works, how to check it, what was agreed."""
    blocks = [
        "\n".join((
            f"Release {one.release_id}: {in_words(one.period_key)}, {_span(one.first_day, one.last_day)}",
            *_corrects(one),
            f"File: {one.file_name}, {one.n_bytes:,} bytes",
            f"SHA-256: {one.sha256}",
            f"Fetch it until {_until(one.link.expires_at, envelope.timezone)}:",
            one.link.url,
        ))
        for one in releases
    ]
    return _mail(
        template,
        envelope,
        releases,
        relation=" or ".join(sorted({_RELATION.get(one.product, "take part in") for one in releases})),
        releases="\n\n".join(blocks),
        signature=_how_to_verify(releases),
    )


def recall(template: str, envelope: Envelope, releases: Sequence[Recalled]) -> EmailMessage:
    """Please delete it: what, and why."""
    blocks = [f"Release {one.release_id} ({in_words(one.period_key)})\nReason: {one.why}" for one in releases]
    return _mail(template, envelope, releases, releases="\n\n".join(blocks))


def _mail(
    template: str, envelope: Envelope, about: Sequence[Announced] | Sequence[Recalled], **words: str
) -> EmailMessage:
    filled = string.Template(template).substitute(
        publisher=envelope.publisher,
        contact=envelope.contact,
        open_days=str(envelope.open_days),
        periods=_named({one.period_key for one in about}),
        ids=", ".join(one.release_id for one in about),
        **words,
    )
    first, _, body = filled.partition("\n\n")
    mail = EmailMessage()
    mail["To"] = envelope.to
    mail["Subject"] = first.removeprefix("Subject:").strip()
    mail["Date"] = format_datetime(envelope.sent_at)
    # The same however often one mail is handed over: mail programs drop the copy.
    mail["Message-ID"] = f"<{envelope.mail_id}@{envelope.publisher_key}.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body, cte="quoted-printable")  # links are longer than a line of mail may be
    return mail


def _corrects(one: Announced) -> tuple[str, ...]:
    if one.supersedes is None:
        return ()
    return (f"It corrects release {one.supersedes}: please delete that one, and every copy.", f"Reason: {one.because}")


def _named(keys: Collection[str]) -> str:
    """Periods as a subject line names them: each of a few, the first and the last of many."""
    names = [in_words(period.key) for period in sorted(map(periods.from_key, keys))]
    return ", ".join(names) if len(names) <= _FEW else f"{names[0]} to {names[-1]}"


def _how_to_verify(releases: Sequence[Announced]) -> str:
    """The third step of checking a file, when any has a signature. The mail is another way than the file itself."""
    if not any(one.signed for one in releases):
        return ""
    signers = sorted({one.signer for one in releases if one.signer})
    if not signers:
        return f"\n3. {sums.SIGNATURE} is our signature of that list; README.md in the folder says how to check it."
    named = " or ".join(signers)
    return f"\n3. Run this line there. It must answer Good and name the key {named}:\n\n{sums.COMMAND}"


def _span(first: date, last: date) -> str:
    return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"


def _until(moment: datetime, timezone: str) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%H:%M} on {local.day} {local:%B %Y} ({timezone.rpartition('/')[2]} time)"
