"""A small publisher for tests of detection and erasure: every kind of table that erasure treats in its own way."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from privacy_ops import runs, signing, thresholds
from privacy_ops.datamap.loader import sha256
from privacy_ops.datamap.model import DataMap
from privacy_ops.runs import Run
from privacy_ops.settings import KEY_PURPOSES, KeyRing, ObjectSettings, Settings
from privacy_ops.stores.database import Database
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace
from sqlalchemy import text

HOME = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
MINOR, ADULT = date(2010, 5, 5), date(1980, 5, 5)
_SIGNING_KEY = signing.generate_key_pem()
_NAMESPACE = UUID("00000000-0000-4000-8000-000000000001")

SCHEMA = """
CREATE SCHEMA press;
CREATE TABLE press.account (user_id uuid PRIMARY KEY, email text NOT NULL, email_norm text NOT NULL UNIQUE,
    status text NOT NULL DEFAULT 'active', created_at timestamptz NOT NULL);
CREATE TABLE press.profile (user_id uuid PRIMARY KEY REFERENCES press.account, name text, dob_raw text,
    dob_date date, dob_source text, reg_no text, photo_key text);
CREATE TABLE press.comment (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES press.account, parent_id bigint REFERENCES press.comment, body text);
CREATE INDEX ON press.comment (user_id);
CREATE INDEX ON press.comment (parent_id);
CREATE TABLE press.sale (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES press.account, bill_name text, total numeric NOT NULL);
CREATE INDEX ON press.sale (user_id);
CREATE TABLE press.sale_line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sale_id bigint NOT NULL REFERENCES press.sale, sku text NOT NULL);
CREATE INDEX ON press.sale_line (sale_id);
CREATE TABLE press.enrolment (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES press.account, course text NOT NULL);
CREATE INDEX ON press.enrolment (user_id);
CREATE TABLE press.progress (enrolment_id bigint REFERENCES press.enrolment, module int,
    PRIMARY KEY (enrolment_id, module));
CREATE TABLE press.attendee (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid REFERENCES press.account, name text NOT NULL, email text, badge_code text NOT NULL UNIQUE,
    attendee_type text NOT NULL, age_or_dob text, registered_at timestamptz NOT NULL);
CREATE INDEX ON press.attendee (user_id);
CREATE TABLE press.badge_scan (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    badge_code text NOT NULL REFERENCES press.attendee (badge_code), exhibitor text NOT NULL);
CREATE INDEX ON press.badge_scan (badge_code);
CREATE TABLE press.subscriber (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL,
    user_id uuid REFERENCES press.account);
CREATE INDEX ON press.subscriber (user_id);
CREATE TABLE press.ticket (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, requester_email text NOT NULL,
    user_id uuid REFERENCES press.account);
CREATE INDEX ON press.ticket (user_id);
CREATE TABLE press.ticket_message (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id bigint NOT NULL REFERENCES press.ticket, body text, attachments text[] NOT NULL DEFAULT '{}');
CREATE INDEX ON press.ticket_message (ticket_id);
"""


def _columns(plain: str, **special: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: {"category": "system.operations"} for name in plain.split()}
    return found | {name: {"category": "user"} | entry for name, entry in special.items()}


ACCOUNT = {"to": "press.account", "columns": ["user_id"]}
MAYBE_ACCOUNT = ACCOUNT | {"optional": True}
DOB = {"signal": "SIG-01", "source": "dob_source"}
COMMON = {"purpose": ["provide_service"], "retention": "account life"}


def map_of(**changes: Any) -> DataMap:
    """The map of the press. ``changes`` replace whole entries of ``tables`` (None drops one)."""
    tables: dict[str, Any] = {
        "press.account": {
            "key": ["user_id"],
            "created_at": "created_at",
            "erase": "DELETE",
            "expect_rows": True,
            "columns": _columns(
                "status created_at",
                user_id={"identifier": "account"},
                email={"identifier": "email"},
                email_norm={"identifier": "email"},
            ),
        },
        "press.profile": {
            "key": ["user_id"],
            "link": ACCOUNT,
            "erase": "DELETE",
            "expect_rows": True,
            "columns": _columns(
                "dob_source",
                user_id={},
                name={"identifier": "name"},
                dob_raw={"evidence": DOB | {"kind": "birth_text"}},
                dob_date={"evidence": DOB | {"kind": "birth_date"}},
                reg_no={"identifier": "external", "counter_signal": {"code": "registration_number"}},
                photo_key={"object": "photos"},
            ),
        },
        "press.comment": {
            "key": ["id"],
            "link": MAYBE_ACCOUNT,
            "erase": "DELETE",
            "columns": _columns("id", user_id={}, parent_id={"erase": "UNLINK"}, body={}),
        },
        "press.sale": {
            "key": ["id"],
            "link": MAYBE_ACCOUNT,
            "erase": "RETAIN_MIN",
            "columns": _columns(
                "id total", user_id={"erase": "UNLINK"}, bill_name={"erase": "NULL", "identifier": "name"}
            ),
        },
        "press.sale_line": {
            "key": ["id"],
            "link": {"to": "press.sale", "columns": ["sale_id"]},
            "erase": "RETAIN_MIN",
            "columns": _columns("id sale_id sku"),
        },
        "press.enrolment": {
            "key": ["id"],
            "link": ACCOUNT,
            "erase": "DELETE",
            "columns": _columns("id course", user_id={}),
        },
        "press.progress": {
            "key": ["enrolment_id", "module"],
            "link": {"to": "press.enrolment", "columns": ["enrolment_id"]},
            "erase": "DELETE",
            "columns": _columns("enrolment_id module"),
        },
        "press.attendee": {
            "key": ["id"],
            "link": MAYBE_ACCOUNT,
            "created_at": "registered_at",
            "erase": "DELETE",
            "columns": _columns(
                "id registered_at",
                user_id={},
                name={"identifier": "name"},
                email={"identifier": "email"},
                badge_code={"identifier": "external"},
                attendee_type={
                    "evidence": {"signal": "SIG-06", "kind": "attendee_type", "subject": "row", "says_minor": ["child"]}
                },
                age_or_dob={"evidence": {"signal": "SIG-01", "kind": "birth_text", "subject": "row"}},
            ),
        },
        "press.badge_scan": {
            "key": ["id"],
            "link": {"to": "press.attendee", "columns": ["badge_code"], "references": ["badge_code"]},
            "erase": "DELETE",
            "columns": _columns("id exhibitor", badge_code={"identifier": "external"}),
        },
        "press.subscriber": {
            "key": ["id"],
            "link": MAYBE_ACCOUNT,
            "also": [{"to": "press.account", "columns": ["email"], "references": ["email_norm"]}],
            "erase": "DELETE",
            "columns": _columns("id", email={"identifier": "email"}, user_id={}),
        },
        "press.ticket": {
            "key": ["id"],
            "link": MAYBE_ACCOUNT,
            "also": [{"to": "press.account", "columns": ["requester_email"], "references": ["email_norm"]}],
            "erase": "DELETE",
            "columns": _columns("id", requester_email={"identifier": "email"}, user_id={}),
        },
        "press.ticket_message": {
            "key": ["id"],
            "link": {"to": "press.ticket", "columns": ["ticket_id"]},
            "erase": "DELETE",
            "columns": _columns("id ticket_id", body={}, attachments={"object": "attachments"}),
        },
    }
    for entry in tables.values():
        entry |= COMMON
    for name, entry in changes.items():
        tables[f"press.{name}"] = entry
    store = {"region": "eu-west-2", "category": "user", "erase": "OBJ_ALL_VERSIONS"} | COMMON
    return DataMap.model_validate({
        "version": 1,
        "publisher": {
            "key": "press",
            "name": "Small press",
            "country": "GB",
            "regimes": ["UK"],
            "legal_timezone": "Europe/London",
        },
        "location": {"country": "GB", "region": "eu-west-2", "provider": "own"},
        "subject": {"table": "press.account", "key": ["user_id"], "registered_at": "created_at"},
        "restriction": {"table": "press.account", "key": ["user_id"], "column": "status", "value": "restricted"},
        "tables": {name: entry for name, entry in tables.items() if entry is not None},
        "objects": {
            "photos": store | {"bucket": "press-photos", "versioned": True},
            "attachments": store | {"bucket": "press-attachments", "versioned": True},
            "events": store | {"bucket": "press-events", "prefix": "events/", "person_key": "events/{user_id}/"},
            "lists": store
            | {
                "bucket": "press-attachments",
                "prefix": "lists/",
                "erase": "OBJ_ROWS",
                "rows": {"format": "csv", "pattern": "*.csv", "keys": [{"fields": ["email"], "kind": "email"}]},
            },
            "batches": store
            | {
                "bucket": "press-events",
                "prefix": "batches/",
                "erase": "OBJ_ROWS",
                "rows": {
                    "format": "jsonl",
                    "compression": "gzip",
                    "keys": [{"fields": ["user.id"], "kind": "subject"}],
                },
            },
        },
    })


_numbers = itertools.count(1)


@dataclass
class Press:
    """One press with its database, buckets and workspace. ``add`` inserts and returns the key."""

    superuser: Database
    workspace: Workspace
    runs: dict[str, Run] = field(default_factory=dict)

    def execute(self, sql: str, **values: Any) -> Any:
        with self.superuser.transaction() as connection:
            result = connection.execute(text(sql), values)
            return result.all() if result.returns_rows else result.rowcount

    def scalar(self, sql: str, **values: Any) -> Any:
        return self.execute(sql, **values)[0][0]

    def add(self, table: str, **values: Any) -> Any:
        names, marks = ", ".join(values), ", ".join(f":{v}" for v in values)
        key = {"account": "user_id", "profile": "user_id"}.get(table, "id")
        return self.scalar(f"INSERT INTO press.{table} ({names}) VALUES ({marks}) RETURNING {key}", **values)

    def person(
        self,
        *,
        born: date | None = None,
        written: str | None = None,
        email: str | None = None,
        created: datetime = NOW - timedelta(days=400),
        source: str = "web_form",
        **profile: Any,
    ) -> UUID:
        """An account with a profile; returns its user id."""
        number = next(_numbers)
        user_id = uuid5(_NAMESPACE, str(number))
        address = email or f"reader{number}@example.org"
        self.add("account", user_id=user_id, email=address, email_norm=address.strip().lower(), created_at=created)
        profile = {"name": f"Reader {number}", "dob_source": source} | profile
        self.add("profile", user_id=user_id, dob_date=born, dob_raw=written, **profile)
        return user_id

    def crowd(self, count: int, born: str) -> list[UUID]:
        """So many people at once; ``born``: an SQL date, with n from 1 on."""
        rows = self.execute(
            f"""
            WITH made AS (
                INSERT INTO press.account (user_id, email, email_norm, created_at)
                SELECT gen_random_uuid(), m, m, :at
                FROM generate_series(1, :count) AS n,
                    LATERAL (SELECT md5(CAST(random() AS text) || n) || '@example.org') AS x (m)
                RETURNING user_id
            ), numbered AS (SELECT user_id, row_number() OVER () AS n FROM made)
            INSERT INTO press.profile (user_id, dob_date, dob_source)
            SELECT user_id, {born}, 'web_form' FROM numbered RETURNING user_id
            """,
            at=NOW - timedelta(days=400),
            count=count,
        )
        return [row.user_id for row in rows]

    def open_run(self, name: str = "run", *, at: datetime = NOW, **changes: Any) -> Run:
        with self.superuser.transaction() as connection:
            return runs.open_run(
                connection,
                run_id=f"minor_data_deletion/{name}",
                dag_id="minor_data_deletion",
                now=at,
                **({"run_type": "scheduled", "dry_run": False, "logical_date": at - timedelta(days=1)} | changes),
                thresholds_sha256=self.workspace.thresholds.sha256(),
                map_sha256=self.workspace.map_sha256,
            )

    def case_of(self, key: Any) -> Any:
        rows = self.execute("SELECT * FROM gov.minor_case WHERE subject_key = ARRAY[:k]", k=str(key))
        return rows[0] if rows else None

    def status(self, user_id: UUID) -> str:
        return str(self.scalar("SELECT status FROM press.account WHERE user_id = :u", u=user_id))

    def count(self, table: str, where: str = "true", **values: Any) -> int:
        return int(self.scalar(f"SELECT count(*) FROM press.{table} WHERE {where}", **values))

    def with_map(self, data_map: DataMap) -> Workspace:
        old = self.workspace
        return Workspace(old.settings, old.thresholds, data_map, sha256(data_map))

    def with_thresholds(self, **changes: Any) -> Workspace:
        old = self.workspace
        return Workspace(old.settings, old.thresholds.model_copy(update=changes), old.data_map, old.map_sha256)


def key_ring() -> KeyRing:
    return KeyRing(
        hmac={purpose: {"k1": purpose.encode().ljust(32, b"-")} for purpose in KEY_PURPOSES},
        current=dict.fromkeys(KEY_PURPOSES, "k1"),
        signing_key_pem=_SIGNING_KEY,
    )


def settings_of(dsns: dict[str, str], objects: ObjectSettings) -> Settings:
    return Settings(home=HOME, dsns=dsns, objects=objects, keys=key_ring(), evidence_bucket="press-evidence")


@cache
def _thresholds() -> Thresholds:
    return thresholds.load(HOME / "include" / "thresholds.yaml")


@cache
def _map() -> DataMap:
    return map_of()


def workspace_of(settings: Settings) -> Workspace:
    return Workspace(settings, _thresholds(), _map(), sha256(_map()))


BUCKETS: Sequence[tuple[str, bool]] = (
    ("press-photos", True),
    ("press-attachments", True),
    ("press-events", False),
)
