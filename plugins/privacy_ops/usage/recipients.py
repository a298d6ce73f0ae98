"""The registry of recipients: who may be given which course, validated and loaded into ``gov``.

Entered by the owner of gov (duty ``migrate``): the job that releases can read it and cannot entitle anybody. The
address that a release is announced to stays in the file; gov keeps a keyed hash of it, so that a file which was
changed and not loaded sends nothing anywhere.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import Connection

from privacy_ops import pseudonyms, safe_yaml
from privacy_ops.errors import ConfigError
from privacy_ops.settings import KeyRing
from privacy_ops.stores.sql import statement

# What a recipient must have promised before anything is given.
CLAUSES = (
    "no_reidentification",
    "no_combination",
    "no_onward_disclosure",
    "delete_on_request",
    "report_identification",
    "audit",
)
CONTACT_PURPOSE = "contact"
Product = Literal["EXP-AUTHOR", "EXP-SUPPORTER"]
_PRODUCT_OF = {"author": "EXP-AUTHOR", "supporter": "EXP-SUPPORTER"}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Recipient(_Frozen):
    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    kind: Literal["author", "supporter"]
    name: str = Field(min_length=1)
    country: str = Field(pattern=r"^[A-Z]{2}$")
    status: Literal["active", "ended"] = "active"
    # One plain address, and nothing that could end a header or name a second one.
    contact: str | None = Field(
        default=None, repr=False, max_length=254, pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
    )


class Agreement(_Frozen):
    id: str = Field(min_length=1)
    recipient: str
    clauses: tuple[str, ...]
    valid_from: date = Field(alias="from")
    valid_to: date = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Agreement:
        if self.valid_to < self.valid_from:
            raise ValueError("it ends before it begins")
        if unknown := sorted(set(self.clauses) - set(CLAUSES)):
            raise ValueError("unknown clauses: " + ", ".join(unknown))
        return self


class Entitlement(_Frozen):
    """``from`` and ``to`` default to the agreement's."""

    recipient: str
    product: Product
    agreement: str
    courses: tuple[str, ...] = Field(min_length=1)
    modules: tuple[str, ...] = ()
    valid_from: date | None = Field(default=None, alias="from")
    valid_to: date | None = Field(default=None, alias="to")


class Registry(_Frozen):
    recipients: tuple[Recipient, ...] = Field(min_length=1)
    agreements: tuple[Agreement, ...]
    entitlements: tuple[Entitlement, ...]

    @model_validator(mode="after")
    def _refers_to_itself(self) -> Registry:
        people = {r.id: r for r in self.recipients}
        papers = {a.id: a for a in self.agreements}
        wrong: list[str] = []
        if len(people) != len(self.recipients) or len(papers) != len(self.agreements):
            wrong.append("a recipient or agreement is listed twice")
        wrong += [f"agreement {a.id}: no recipient {a.recipient}" for a in self.agreements if a.recipient not in people]
        for e in self.entitlements:
            where = f"entitlement of {e.recipient}"
            if e.recipient not in people:
                wrong.append(f"{where}: no such recipient")
            elif _PRODUCT_OF[people[e.recipient].kind] != e.product:
                wrong.append(f"{where}: {e.product} is not for a {people[e.recipient].kind}")
            if e.agreement not in papers:
                wrong.append(f"{where}: no agreement {e.agreement}")
            elif papers[e.agreement].recipient != e.recipient:
                wrong.append(f"{where}: agreement {e.agreement} is somebody else's")
            if e.modules and (len(e.courses) > 1 or e.product != "EXP-AUTHOR"):
                wrong.append(f"{where}: a list of modules goes with one course of an author")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def read_registry(path: Path) -> Registry:
    """Read and validate ``path`` (YAML). Raises ConfigError naming each wrong entry."""
    try:
        return Registry.model_validate(safe_yaml.load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            "the registry of recipients cannot be read", where=str(path), do=str(error.strerror)
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError("the registry of recipients is not valid YAML", where=str(path), do=str(error)) from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'registry'}: {_said(e['loc'], e['msg'])}" for e in error.errors()
        )
        raise ConfigError("the registry of recipients is not valid", where=str(path), do=wrong) from None


def _said(where: tuple[int | str, ...], message: str) -> str:
    return "give one plain mail address" if where and where[-1] == "contact" else message


def contact_reference(keys: KeyRing, contact: str) -> pseudonyms.Reference:
    """What gov keeps of an address. Raises ConfigError when there is no key for it."""
    return pseudonyms.reference(keys, CONTACT_PURPOSE, pseudonyms.normalise_email(contact))


def load_registry(connection: Connection, path: Path, keys: KeyRing | None = None) -> dict[str, int]:
    """Make gov say exactly what the file says; recipients that left the file end, they are not deleted.

    Entitlements are replaced as a whole: releases keep their own snapshot. Without ``keys`` no contact is noted, and
    nothing can be delivered. Returns counts.
    """
    registry = read_registry(path)
    papers = {a.id: a for a in registry.agreements}
    connection.execute(statement("usage", "delete_entitlements"))
    connection.execute(statement("usage", "end_other_recipients"), {"recipients": [r.id for r in registry.recipients]})
    for recipient in registry.recipients:
        noted = contact_reference(keys, recipient.contact) if keys and recipient.contact else None
        connection.execute(
            statement("usage", "upsert_recipient"),
            recipient.model_dump(exclude={"contact"})
            | {"contact_key_id": noted and noted.key_id, "contact_hmac": noted and noted.value},
        )
    for agreement in registry.agreements:
        connection.execute(
            statement("usage", "upsert_agreement"), {**agreement.model_dump(), "clauses": list(agreement.clauses)}
        )
    entries = [
        {
            "recipient": e.recipient,
            "course": course,
            "modules": list(e.modules),
            "product": e.product,
            "agreement": e.agreement,
            "valid_from": e.valid_from or papers[e.agreement].valid_from,
            "valid_to": e.valid_to or papers[e.agreement].valid_to,
        }
        for e in registry.entitlements
        for course in e.courses
    ]
    for entry in entries:
        connection.execute(statement("usage", "insert_entitlement"), entry)
    return {
        "recipients": len(registry.recipients),
        "agreements": len(registry.agreements),
        "entitlements": len(entries),
    }
