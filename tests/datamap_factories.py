"""A small publisher with one of everything, as tables and as the map that fits them: tests change one thing each."""

from __future__ import annotations

import copy
from typing import Any

from privacy_ops.datamap.catalogue import Catalogue, ForeignKey, Index, LiveColumn, LiveTable
from privacy_ops.datamap.model import DataMap

DDL = """
CREATE TABLE form (id integer PRIMARY KEY, title text);
CREATE TABLE person (
    id integer PRIMARY KEY, mail text UNIQUE, born date, born_feed text, joined timestamptz NOT NULL,
    state text NOT NULL, staff boolean NOT NULL, form_id integer REFERENCES form (id));
CREATE TABLE note (
    id integer PRIMARY KEY, person_id integer NOT NULL REFERENCES person (id), words text,
    answers integer REFERENCES note (id), facts jsonb, picture text);
CREATE INDEX note_person ON note (person_id);
CREATE INDEX note_answers ON note (answers);
CREATE TABLE receipt (
    no integer PRIMARY KEY, person_id integer REFERENCES person (id), payer text, amount numeric NOT NULL);
CREATE INDEX receipt_person ON receipt (person_id);
CREATE TABLE view_of_chapter (
    person_id integer REFERENCES person (id), chapter integer NOT NULL, at timestamptz NOT NULL,
    seconds integer, PRIMARY KEY (chapter, at)) PARTITION BY RANGE (at);
CREATE INDEX view_person ON view_of_chapter (person_id);
CREATE TABLE view_of_chapter_2026 PARTITION OF view_of_chapter FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE view_of_chapter_2027 PARTITION OF view_of_chapter FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE TABLE letter (mail text PRIMARY KEY);
CREATE TABLE author (id integer PRIMARY KEY, name text);
"""

_SYSTEM = {"category": "system.operations"}
_ID = {"category": "user.unique_id"}

RAW: dict[str, Any] = {
    "version": 1,
    "publisher": {
        "key": "tiny",
        "name": "Tiny Press",
        "country": "GB",
        "regimes": ["UK"],
        "legal_timezone": "Europe/London",
    },
    "location": {"country": "GB", "region": "eu-west-2", "provider": "aws"},
    "subject": {"table": "person", "key": ["id"], "registered_at": "joined"},
    "restriction": {"table": "person", "key": ["id"], "column": "state", "value": "restricted"},
    "usage": {
        "course_table": "form",
        "course_key": "id",
        "course_title": "title",
        "module_table": "form",
        "module_key": "id",
        "module_course": "id",
        "module_title": "title",
        "events": [
            {"kind": "activity", "table": "view_of_chapter", "module": "chapter", "at": "at", "seconds": "seconds"}
        ],
        "exclusions": [{"table": "person", "column": "staff", "values": [True], "why": "staff"}],
    },
    "tables": {
        "form": {
            "about": "nobody",
            "key": ["id"],
            "columns": {
                "id": {**_SYSTEM, "aggregate": "feed"},
                "title": {**_SYSTEM, "aggregate": "feed"},
            },
        },
        "person": {
            "key": ["id"],
            "purpose": ["provide_service"],
            "retention": "while a member",
            "erase": "DELETE",
            "columns": {
                "id": {**_ID, "identifier": "account"},
                "mail": {"category": "user.contact.email", "identifier": "email"},
                "born": {
                    "category": "user.demographic.date_of_birth",
                    "evidence": {"signal": "SIG-01", "kind": "birth_date", "source": "born_feed"},
                },
                "born_feed": {"category": "user.account"},
                "joined": {"category": "user.account"},
                "state": {"category": "user.account"},
                "staff": {"category": "user.account", "aggregate": "filter"},
                "form_id": {"category": "user.account"},
            },
        },
        "note": {
            "key": ["id"],
            "link": {"to": "person", "columns": ["person_id"]},
            "purpose": ["interactive_features"],
            "retention": "24 months",
            "erase": "DELETE",
            "columns": {
                "id": _ID,
                "person_id": _ID,
                "words": {"category": "user.content.private"},
                "answers": {**_ID, "erase": "UNLINK"},
                "facts": {
                    "category": "user.content.private",
                    "more_evidence": [{"signal": "SIG-03", "kind": "age_number", "path": "age"}],
                },
                "picture": {"category": "user.content", "object": "pictures"},
            },
        },
        "receipt": {
            "key": ["no"],
            "link": {"to": "person", "columns": ["person_id"], "optional": True},
            "purpose": ["fulfil_orders"],
            "retention": "6 years",
            "erase": "RETAIN_MIN",
            "columns": {
                "no": {"category": "user.payment"},
                "person_id": {**_ID, "erase": "UNLINK"},
                "payer": {"category": "user.name", "identifier": "name", "erase": "NULL"},
                "amount": {"category": "user.payment"},
            },
        },
        "view_of_chapter": {
            "key": ["chapter", "at"],
            "link": {"to": "person", "columns": ["person_id"], "optional": True},
            "purpose": ["aggregate_statistics"],
            "retention": "13 months",
            "erase": "DELETE",
            "columns": {
                "person_id": _ID,
                "chapter": {"category": "user.behavior", "aggregate": "feed"},
                "at": {"category": "user.behavior", "aggregate": "feed"},
                "seconds": {"category": "user.behavior", "aggregate": "feed"},
            },
        },
        "letter": {
            "key": ["mail"],
            "link": {"to": "person", "columns": ["mail"], "references": ["mail"], "optional": True},
            "purpose": ["marketing_with_consent"],
            "retention": "until unsubscribed",
            "erase": "DELETE",
            "columns": {"mail": {"category": "user.contact.email", "identifier": "email"}},
        },
        "author": {
            "about": "others",
            "key": ["id"],
            "purpose": ["publish"],
            "retention": "public record",
            "columns": {"id": _ID, "name": {"category": "user.name", "identifier": "name"}},
        },
    },
    "objects": {
        "pictures": {
            "bucket": "tiny-pictures",
            "region": "eu-west-2",
            "country": "GB",
            "category": "user.content",
            "purpose": ["interactive_features"],
            "retention": "24 months",
            "erase": "OBJ_ALL_VERSIONS",
        },
        "uploads": {
            "bucket": "tiny-uploads",
            "region": "eu-west-2",
            "country": "GB",
            "category": "user.content",
            "purpose": ["interactive_features"],
            "retention": "24 months",
            "erase": "OBJ_ALL_VERSIONS",
            "person_key": "uploads/{id}/",
        },
    },
}
BUCKETS = ("tiny-pictures", "tiny-uploads")


def raw_map() -> dict[str, Any]:
    """The map of ``DDL`` as one may write it, to be changed freely."""
    return copy.deepcopy(RAW)


def a_map() -> DataMap:
    return DataMap.model_validate(RAW)


def a_table(name: str, columns: str, *keys: ForeignKey, key: tuple[str, ...] = ("id",)) -> LiveTable:
    """A live table from ``"id integer, born date?"`` (``?``: may be empty), every key indexed."""
    live = {}
    for part in columns.split(","):
        column, type_name = part.strip().split(" ", 1)
        live[column] = LiveColumn(column, type_name.rstrip("?"), nullable=type_name.endswith("?"))
    indexes = [Index(f"{name}_pkey", key, unique=True, primary=True)] if key else []
    indexes += [Index(f"{name}_{'_'.join(k.columns)}", k.columns) for k in keys]
    return LiveTable(name, live, primary_key=key, foreign_keys=keys, indexes=tuple(indexes))


def a_key(table: str, columns: str, to: str, references: str = "id") -> ForeignKey:
    return ForeignKey(f"{table}_{columns}", table, tuple(columns.split()), to, tuple(references.split()))


def a_catalogue(*tables: LiveTable) -> Catalogue:
    return Catalogue({table.name: table for table in tables})
