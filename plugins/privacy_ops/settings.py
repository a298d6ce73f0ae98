"""Where things are: databases by duty, the object store, keys and files. Never what a rule says.

Every process builds one frozen ``Settings``: Airflow tasks from Airflow connections
(``airflow_support.settings``), everything else from the environment (``from_environment``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from privacy_ops.errors import ConfigError

# One least-privilege database role per duty; `migrate` owns the gov schema, `console` only reads it for the pages.
# `review` records what people decide, `evidence` shows them the evidence, `notify` writes to the person, `operate`
# watches the jobs and tells operators.
DUTIES = (
    "detect", "erase", "export", "inventory", "canary", "migrate", "console", "review", "evidence", "notify", "operate",
)  # fmt: skip

# One key per purpose, so that tables keyed for different purposes cannot be joined. "work_items" encrypts, the others
# are HMAC keys.
KEY_PURPOSES = ("suppression", "ledger", "join", "export", "notices", "work_items", "sweep", "contact")


@dataclass(frozen=True)
class ObjectSettings:
    """How boto3 reaches the object store. ``endpoint_url`` None means AWS itself.

    ``link_url``: the address under which recipients reach it, when that is another one than ours.
    """

    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    region: str = "eu-west-2"
    link_url: str | None = None


@dataclass(frozen=True)
class MailSettings:
    """A mail server. ``sender`` is what stands in From. Without TLS only on this machine."""

    host: str
    port: int = 587
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sender: str = ""
    tls: bool = True


@dataclass(frozen=True)
class KeyRing:
    """HMAC keys by purpose and key id (old ids stay usable), and the Ed25519 signing key (PEM).

    ``trusted_keys_pem``: public keys of former signing keys, so that what they signed still verifies.
    """

    hmac: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)
    current: Mapping[str, str] = field(default_factory=dict)
    signing_key_pem: bytes | None = field(default=None, repr=False)
    trusted_keys_pem: bytes = b""

    def current_key(self, purpose: str) -> tuple[str, bytes]:
        """Key id and key bytes in use today for ``purpose``. Raises ConfigError when there is none."""
        try:
            key_id = self.current[purpose]
            return key_id, self.hmac[purpose][key_id]
        except KeyError:
            raise ConfigError(
                f"no HMAC key for the purpose {purpose!r}",
                where="PRIVACY_OPS_HMAC_KEYS",
                do="add a key for each of " + ", ".join(KEY_PURPOSES),
            ) from None


@dataclass(frozen=True)
class NoticeSettings:
    """What a notice to a person names. ``answer_url`` is a page of the publisher; ``{token}`` stands in it."""

    answer_url: str = ""
    contact: str = ""
    complaint: str = ""


@dataclass(frozen=True)
class Settings:
    """Everything a process needs to find its stores. Values are addresses and keys, never rules."""

    home: Path
    dsns: Mapping[str, str] = field(default_factory=dict, repr=False)
    objects: ObjectSettings = field(default_factory=ObjectSettings)
    keys: KeyRing = field(default_factory=KeyRing)
    data_map: str = "imp"
    evidence_bucket: str = "imp-evidence"
    exports_bucket: str = "imp-exports"
    staging_bucket: str = "imp-staging"
    reviewers: tuple[str, ...] = ()  # Airflow user ids that decide about cases; none named: whoever Airflow lets answer
    privacy_leads: tuple[str, ...] = ()  # those among them to whom cases are escalated
    editors: tuple[str, ...] = ()  # those among them who answer for what is published
    notice: NoticeSettings = field(default_factory=NoticeSettings)
    mail: MailSettings | None = None
    downstream_registry: Path | None = None  # default: include/registry/downstream.yaml
    recipients_registry: Path | None = None  # default: include/registry/recipients.yaml
    alert_mail: tuple[str, ...] = ()  # addresses of operators; none: nobody is told by mail
    runbooks_url: str = ""  # where docs/runbooks is served; empty: the path in the repository
    transfer_registry: str = "files"  # where declarations of transfers are edited: files, or database
    geoip: Path | None = None  # country database in MMDB format; none: nobody can tell where addresses are
    access_logs: str = ""  # bucket/prefix where S3 writes who fetched from the exports bucket; empty: nowhere

    @property
    def include(self) -> Path:
        return self.home / "include"

    @property
    def recipients_path(self) -> Path:
        """The registry of recipients: with their addresses, which no table holds."""
        return self.recipients_registry or self.include / "registry" / "recipients.yaml"

    @property
    def data_map_path(self) -> Path:
        return self.include / "datamap" / self.data_map

    def dsn(self, duty: str) -> str:
        """SQLAlchemy URL (postgresql+psycopg://…) of the role for ``duty``."""
        if duty not in DUTIES:
            raise ConfigError(f"unknown duty {duty!r}", do="use one of " + ", ".join(DUTIES))
        try:
            return self.dsns[duty]
        except KeyError:
            raise ConfigError(
                f"no database address for the duty {duty!r}",
                where=f"environment PRIVACY_OPS_DSN_{duty.upper()} or Airflow connection privacy_ops_{duty}",
                do="set it to postgresql+psycopg://user:password@host:port/database",
            ) from None


def home_directory() -> Path:
    """The project folder that holds ``include/``: PRIVACY_OPS_HOME, else found beside the package."""
    named = os.environ.get("PRIVACY_OPS_HOME")
    return Path(named) if named else Path(__file__).resolve().parents[2]


def parse_keys(
    text: str, *, where: str = "PRIVACY_OPS_HMAC_KEYS"
) -> tuple[dict[str, dict[str, bytes]], dict[str, str]]:
    """Read ``{"purpose": {"current": "k1", "keys": {"k1": "<hex>"}}}``; raises ConfigError."""
    try:
        raw = json.loads(text)
        hmac = {p: {k: bytes.fromhex(v) for k, v in entry["keys"].items()} for p, entry in raw.items()}
        current = {p: str(entry["current"]) for p, entry in raw.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(
            "the HMAC keys cannot be read",
            where=where,
            do='write {"purpose": {"current": "k1", "keys": {"k1": "<hex of 32 bytes or more>"}}}',
        ) from None
    for purpose, keys in hmac.items():
        for key_id, value in keys.items():
            if len(value) < 32:
                raise ConfigError(f"HMAC key {purpose}/{key_id} is shorter than 32 bytes", do="make a longer one")
    return hmac, current


def parse_mail(url: str) -> MailSettings:
    """Read ``smtp://user:password@host:port?from=address`` (``smtp+plain`` for no TLS). Raises ConfigError."""
    try:
        parts = urlsplit(url)
        sender = parse_qs(parts.query).get("from", [""])[0]
        port = parts.port or 587
    except ValueError:
        parts, sender, port = urlsplit(""), "", 0
    if parts.scheme not in {"smtp", "smtp+plain"} or not parts.hostname or "@" not in sender:
        raise ConfigError(
            "the mail server cannot be read",  # never shown: it may hold a password
            where="PRIVACY_OPS_SMTP_URL",
            do="write smtp://user:password@host:port?from=privacy@example.org",
        )
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return MailSettings(parts.hostname, port, user, password, sender, tls=parts.scheme == "smtp")


def _key_file(path: str, variable: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"a key file cannot be read ({error.strerror})", where=f"{variable}={path}", do="name a file that is there"
        ) from None


def _text(env: Mapping[str, str]) -> bytes | None:
    """The signing key itself, where a secrets backend hands it over as text."""
    return env["PRIVACY_OPS_SIGNING_KEY"].encode() if env.get("PRIVACY_OPS_SIGNING_KEY") else None


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _one_of(env: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """One of ``words``; the first when nothing is said."""
    said = env.get(name) or words[0]
    if said not in words:
        raise ConfigError(f"{said!r} is not one of {', '.join(words)}", where=f"environment {name}", do="write one")
    return said


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from PRIVACY_OPS_* variables. Raises ConfigError for values that cannot be read."""
    env = os.environ if environ is None else environ
    dsns = {d: env[f"PRIVACY_OPS_DSN_{d.upper()}"] for d in DUTIES if f"PRIVACY_OPS_DSN_{d.upper()}" in env}
    hmac, current = parse_keys(env["PRIVACY_OPS_HMAC_KEYS"]) if "PRIVACY_OPS_HMAC_KEYS" in env else ({}, {})
    pem_path = env.get("PRIVACY_OPS_SIGNING_KEY_FILE")
    trusted_path = env.get("PRIVACY_OPS_TRUSTED_KEYS_FILE")
    return Settings(
        home=home_directory(),
        dsns=dsns,
        objects=ObjectSettings(
            endpoint_url=env.get("PRIVACY_OPS_S3_ENDPOINT") or None,
            access_key=env.get("PRIVACY_OPS_S3_ACCESS_KEY"),
            secret_key=env.get("PRIVACY_OPS_S3_SECRET_KEY"),
            region=env.get("PRIVACY_OPS_S3_REGION", "eu-west-2"),
            link_url=env.get("PRIVACY_OPS_S3_LINK_URL") or None,
        ),
        keys=KeyRing(
            hmac=hmac,
            current=current,
            signing_key_pem=_key_file(pem_path, "PRIVACY_OPS_SIGNING_KEY_FILE") if pem_path else _text(env),
            trusted_keys_pem=_key_file(trusted_path, "PRIVACY_OPS_TRUSTED_KEYS_FILE") if trusted_path else b"",
        ),
        data_map=env.get("PRIVACY_OPS_DATA_MAP", "imp"),
        evidence_bucket=env.get("PRIVACY_OPS_EVIDENCE_BUCKET", "imp-evidence"),
        exports_bucket=env.get("PRIVACY_OPS_EXPORTS_BUCKET", "imp-exports"),
        staging_bucket=env.get("PRIVACY_OPS_STAGING_BUCKET", "imp-staging"),
        mail=parse_mail(env["PRIVACY_OPS_SMTP_URL"]) if env.get("PRIVACY_OPS_SMTP_URL") else None,
        downstream_registry=Path(registry) if (registry := env.get("PRIVACY_OPS_DOWNSTREAM_REGISTRY")) else None,
        recipients_registry=Path(listed) if (listed := env.get("PRIVACY_OPS_RECIPIENTS_REGISTRY")) else None,
        transfer_registry=_one_of(env, "PRIVACY_OPS_TRANSFER_REGISTRY", ("files", "database")),
        geoip=Path(database) if (database := env.get("PRIVACY_OPS_GEOIP")) else None,
        access_logs=env.get("PRIVACY_OPS_ACCESS_LOGS", ""),
        alert_mail=_names(env.get("PRIVACY_OPS_ALERT_MAIL", "")),
        runbooks_url=env.get("PRIVACY_OPS_RUNBOOKS_URL", "").rstrip("/"),
        reviewers=_names(env.get("PRIVACY_OPS_REVIEWERS", "")),
        privacy_leads=_names(env.get("PRIVACY_OPS_PRIVACY_LEADS", "")),
        editors=_names(env.get("PRIVACY_OPS_EDITORS", "")),
        notice=NoticeSettings(
            answer_url=env.get("PRIVACY_OPS_ANSWER_URL", ""),
            contact=env.get("PRIVACY_OPS_PRIVACY_CONTACT", ""),
            complaint=env.get("PRIVACY_OPS_COMPLAINT_ADDRESS", ""),
        ),
    )
