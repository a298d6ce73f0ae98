"""The made-up publisher of ``usage_world`` with its releases published, ready to be delivered."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import yaml
from privacy_ops import runs
from privacy_ops.runs import Run
from privacy_ops.settings import KeyRing, NoticeSettings
from privacy_ops.stores.database import Database
from privacy_ops.usage import recipients
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from tests import usage_world as world

RELEASED = world.NOW
NOW = RELEASED + timedelta(hours=1)
ASK = "usage@press.example.org"
KEYS = KeyRing({"contact": {"k1": b"c" * 32}}, {"contact": "k1"}, world.KEYS.signing_key_pem)
CONTACTS = {
    "author-one": "desk@author-one.example.org",
    "author-two": "desk@author-two.example.org",
    "supporter-one": "grants@supporter-one.example.org",
    "supporter-gone": "grants@supporter-gone.example.org",
}


def registry(contacts: dict[str, str] | None = None, **changed: Any) -> dict[str, Any]:
    """The registry of ``usage_world`` with addresses; ``changed`` replaces whole sections."""
    made = copy.deepcopy(world.REGISTRY) | changed
    for entry in made["recipients"]:
        if contact := (contacts or CONTACTS).get(entry["id"]):
            entry["contact"] = contact
    return made


def write(path: Path, entries: dict[str, Any] | None = None) -> None:
    path.write_text(yaml.safe_dump(entries or registry(), sort_keys=False), encoding="utf-8")


def load(dsn: str, path: Path, keys: KeyRing = KEYS) -> None:
    """As the owner of gov."""
    with Database(world.as_role(dsn, "migrate"), duty="migrate").transaction() as connection:
        recipients.load_registry(connection, path, keys)


def able(ws: Workspace, path: Path, **settings: Any) -> Workspace:
    """The workspace of a job that can write: keys, an address to ask, the registry file."""
    told = replace(ws.settings, keys=KEYS, notice=NoticeSettings(contact=ASK), recipients_registry=path, **settings)
    return replace(ws, settings=told)


def open_run(ws: Workspace, name: str = "one", *, now: Any = NOW, dry_run: bool = False) -> Run:
    with ws.database("export").transaction() as connection:
        return runs.open_run(
            connection, run_id=f"course_usage_delivery/{name}", dag_id="course_usage_delivery", now=now,
            run_type="scheduled", dry_run=dry_run, thresholds_sha256="t", map_sha256="m",
        )  # fmt: skip


def take_back(dsn: str) -> None:
    """Undo what deliveries, withdrawals and tests left, so that the next test finds a freshly released week."""
    ask(
        dsn,
        "SET LOCAL session_replication_role = replica;"  # tables that only grow refuse even their owner
        " ALTER TABLE gov.release_delivery ENABLE TRIGGER append_only;"
        " DELETE FROM gov.release_delivery; DELETE FROM gov.delivery_mail_release; DELETE FROM gov.delivery_mail;"
        " DELETE FROM gov.access_log_read; DELETE FROM gov.blocked_destination; DELETE FROM gov.finding;"
        " DELETE FROM gov.release_event WHERE kind = 'withdrawn'; DELETE FROM gov.release_register"
        " WHERE release_id = 'rother'; DELETE FROM gov.gate_result WHERE gate = 'export.delivery';"
        " DELETE FROM gov.run WHERE run_id NOT IN ('course_usage_export/one')"
        " AND dag_id <> 'minor_data_deletion'",
    )


class Box:
    """Takes mails as a mail server does."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    def take(self, mail: EmailMessage) -> None:
        self.mails.append(mail)

    def to(self, recipient: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == CONTACTS[recipient]]


def links(mail: EmailMessage) -> list[str]:
    return [line for line in mail.get_content().splitlines() if line.startswith("http")]


def ask(dsn: str, statement: str, **values: Any) -> list[Any]:
    with Database(dsn).transaction() as connection:
        done = connection.execute(text(statement), values)
        return list(done) if done.returns_rows else []


def events(dsn: str, recipient: str = "author-one") -> list[tuple[str, str]]:
    """Kind and reason of everything that happened to a recipient's deliveries, in order."""
    return [
        tuple(row)
        for row in ask(
            dsn,
            "SELECT d.kind, d.reason FROM gov.release_delivery AS d JOIN gov.release_register AS r USING (release_id)"
            " WHERE r.recipient_id = :r ORDER BY d.release_delivery_id",
            r=recipient,
        )
    ]


def release_of(dsn: str, recipient: str = "author-one") -> str:
    found = ask(
        dsn, "SELECT release_id FROM gov.release_register WHERE recipient_id = :r ORDER BY iso_week", r=recipient
    )
    return str(found[0][0])
