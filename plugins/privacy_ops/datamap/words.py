"""What a column's name and type suggest about what it holds. Guesses for a first draft, never a decision. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from privacy_ops.datamap.catalogue import LiveColumn

Identifier = Literal["account", "email", "phone", "name", "external", "session"]

TEXT = {"text", "character varying", "character", "citext"}
DATES = {"date", "timestamp with time zone", "timestamp without time zone"}
NUMBERS = {"smallint", "integer", "bigint", "numeric"}


@dataclass(frozen=True)
class Guess:
    """A category, what it identifies by, and whether it says that the row is about a person whatever the table."""

    category: str
    identifier: Identifier | None = None
    telling: bool = False


def tokens(name: str) -> tuple[str, ...]:
    """Words of a column or table name: ``photoKey`` and ``photo_key`` are the same two."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return tuple(word for word in re.split(r"[^0-9a-zA-Zà-ÿÀ-Ÿ]+", spaced.lower()) if word)


_BIRTH = {"dob", "birth", "birthday", "birthdate", "dateofbirth", "born", "geburtsdatum", "naissance", "nacimiento"}
_NOT_THE_VALUE = {"source", "feed", "origin", "verified", "checked"}
_THINGS = {"file", "host", "product", "course", "module", "event", "list", "campaign", "item", "table", "type", "app"}

# First match wins: (words of which one must be there, types (None: any), guess).
_RULES: tuple[tuple[frozenset[str], set[str] | None, Guess], ...] = tuple(
    (frozenset(words.split()), types, guess)
    for words, types, guess in (
        ("hmac", None, Guess("user.unique_id", "external")),
        ("password passwd pwd", None, Guess("user.authorization.password", telling=True)),
        ("mfa otp credential secret token", None, Guess("user.authorization.credentials")),
        ("ip inet cidr", None, Guess("user.device.ip_address", telling=True)),
        ("email mail emails courriel correo", TEXT, Guess("user.contact.email", "email", telling=True)),
        ("phone telephone tel msisdn cellphone", TEXT, Guess("user.contact.phone_number", "phone", telling=True)),
        ("username login nickname", TEXT, Guess("user.account.username", "account", telling=True)),
        ("given forename firstname vorname prenom", TEXT, Guess("user.name.first", "name", telling=True)),
        ("family surname lastname nachname apellido", TEXT, Guess("user.name.last", "name", telling=True)),
        ("iban bic sortcode", None, Guess("user.financial.bank_account", telling=True)),
        ("pan cvv cvc", None, Guess("user.financial.credit_card", telling=True)),
        ("passport", None, Guess("user.government_id.passport_number", telling=True)),
        ("gender sex", None, Guess("user.demographic.gender", telling=True)),
        ("dietary diet allergy allergies diagnosis health disability", None, Guess("user.health", telling=True)),
        ("guardian", None, Guess("user.children", telling=True)),
        ("orcid licence license", None, Guess("user.unique_id", "external", telling=True)),
        ("latitude longitude lat lon lng", None, Guess("user.location.precise")),
        ("photo picture avatar portrait selfie", None, Guess("user.content.self_image", telling=True)),
        ("postcode zip postal", None, Guess("user.contact.address.postal_code", telling=True)),
        ("street address addr", TEXT, Guess("user.contact.address.street", telling=True)),
        ("town city", TEXT, Guess("user.contact.address.city")),
        ("country region geo", None, Guess("user.location.coarse")),
        ("session cookie", None, Guess("user.device.cookie_id", "session")),
        ("device install", None, Guess("user.device.device_id", "external")),
        ("ua agent browser os", TEXT, Guess("user.device")),
        ("reg", TEXT, Guess("user.professional_information", "external")),
        ("occupation profession job specialty", None, Guess("user.professional_information.job_title")),
        ("institution employer company organisation organization affiliation", None,
         Guess("user.professional_information.workplace")),
        ("locale language timezone", None, Guess("user.settings")),
        ("consent optin opt preference", None, Guess("user.privacy_preferences")),
        ("url referrer referer page", TEXT, Guess("user.behavior.browsing_history")),
        ("query search q", TEXT, Guess("user.behavior.search_history")),
        ("total amount price paid currency invoice receipt brand psp", None, Guess("user.payment")),
        ("bio text body message comment remark words note notes answers content subject feedback", None,
         Guess("user.content.private")),
    )
)  # fmt: skip


def guess(column: LiveColumn) -> Guess | None:
    """What ``column`` seems to hold, or None when its name says nothing."""
    words = tokens(column.name)
    if says_birth(column) or (column.type in NUMBERS | TEXT and set(words) & {"birth", "dob"}):
        return Guess("user.demographic.date_of_birth", telling=True)
    if "age" in words:
        return Guess("user.demographic.age_range", telling=True)
    if words and words[-1] == "name" and column.type in TEXT and not set(words[:-1]) & _THINGS:
        parts = set(words[:-1])
        narrow = ".first" if "first" in parts else ".last" if parts & {"last", "family"} else ""
        # A bare `name` may be a person's or a thing's; the table decides.
        return Guess("user.name" + narrow, "name", telling=bool(parts))
    for wanted, types, found in _RULES:
        if wanted & set(words) and (types is None or column.type in types):
            return found
    return None


def says_birth(column: LiveColumn) -> bool:
    """Whether the column seems to hold a date of birth as a date or as text."""
    words = set(tokens(column.name))
    return bool(words & _BIRTH) and not words & _NOT_THE_VALUE and column.type in DATES | TEXT


def free_text(column: LiveColumn) -> bool:
    """Whether people seem to write sentences here."""
    found = guess(column)
    sentences = found is not None and found.category == "user.content.private" and column.type in TEXT
    return sentences and "key" not in tokens(column.name)


def first_moment(columns: list[LiveColumn], *, wanted: set[str]) -> LiveColumn | None:
    """The date or time column whose name holds one of ``wanted``, else the first that is not a birth date."""
    moments = [c for c in columns if c.type in DATES and not says_birth(c)]
    named = [c for c in moments if set(tokens(c.name)) & wanted]
    return next(iter(named or moments), None)
