"""Who is told when data are erased, and how: ``include/registry/downstream.yaml``."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from privacy_ops import safe_yaml
from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import ConfigError

Kind = Literal["DELETE", "NOTICE", "ACCREDITOR"]


def _raw_key(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise ValueError("write the 32 raw bytes of the public key in base64")
    return text


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Key = Annotated[str, AfterValidator(_raw_key)]


class Party(BaseModel):
    """One party and the one way to reach it; neither webhook nor email means that nobody has found a way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    webhook: str | None = None
    email: str | None = Field(default=None, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")
    identifiers: Literal["own", "encrypted"] = "own"
    encrypt_to: Key | None = None
    answer_key: Key | None = None
    sla_hours: int = Field(default=72, ge=1, le=72)

    @model_validator(mode="after")
    def _one_way(self) -> Party:
        if self.webhook and self.email:
            raise ValueError("name a webhook or an email, not both")
        if self.identifiers == "encrypted" and not self.encrypt_to:
            raise ValueError("encrypted identifiers need encrypt_to")
        if self.webhook:
            address = urlsplit(self.webhook)
            plain_here = address.scheme == "http" and is_loopback(address.hostname or "")
            if not address.hostname or not (address.scheme == "https" or plain_here):
                raise ValueError("a webhook is an https address")
            if address.username or address.password or address.query or address.fragment:
                raise ValueError("a webhook has no user, query or fragment: they end up in logs")
        return self

    @property
    def method(self) -> Literal["webhook", "email"] | None:
        return "webhook" if self.webhook else "email" if self.email else None


def load(path: Path) -> dict[str, Party]:
    """Read the registry. Raises ConfigError naming each wrong entry."""
    try:
        raw: Any = safe_yaml.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("a registry file cannot be read", where=str(path), do=str(error.strerror)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError("a registry file is not valid YAML", where=str(path), do=str(error)) from None
    if not isinstance(raw, dict) or set(raw) != {"parties"} or not isinstance(raw["parties"], dict):
        raise ConfigError("a registry file has another shape", where=str(path), do="write one mapping, 'parties'")
    found, wrong = {}, []
    for name, entry in raw["parties"].items():
        try:
            found[str(name)] = Party.model_validate(entry)
        except ValidationError as error:
            wrong += [f"{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    if wrong:
        raise ConfigError("a registry file is not valid", where=str(path), do="; ".join(wrong))
    return found


def named(data_map: DataMap) -> set[str]:
    """Every party that the map itself names. Those that stand in rows are known only when a row goes."""
    found = {d.who for t in data_map.tables.values() for d in t.disclosed_to if d.who}
    found |= {who for t in data_map.tables.values() for d in t.disclosed_to for who in d.values.values() if who}
    return found | {e.processor for e in data_map.objects.values() if e.processor}


def unreachable(data_map: DataMap, parties: dict[str, Party]) -> list[str]:
    """Parties that the map names and nobody can reach, and stores kept by a processor that nobody named."""
    missing = sorted(name for name in named(data_map) if name not in parties or parties[name].method is None)
    nameless = [
        f"objects.{key}" for key, e in data_map.objects.items() if e.erase.value == "PROCESSOR" and not e.processor
    ]
    return missing + nameless
