"""Lists that people or the publisher's own pipelines hand over: people with access, accesses, sub-processors.

CSV with a header line. A wrong line stops the whole file: its number and column are named, never its content.
"""

from __future__ import annotations

import csv
import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from privacy_ops.errors import UserError
from privacy_ops.stores.database import copy_rows
from privacy_ops.stores.sql import statement
from privacy_ops.transfers.reference import Reference

_ENGAGEMENTS = ("employee", "contractor", "agency")
Reader = Callable[[str], Any]


def _some(text: str) -> str:
    if not text.strip():
        raise ValueError
    return text.strip()


def _maybe(text: str) -> str | None:
    return text.strip() or None


def _one_of(*values: str) -> Reader:
    def read(text: str) -> str:
        if text.strip() not in values:
            raise ValueError
        return text.strip()

    return read


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text.strip())
    if at.tzinfo is None:
        raise ValueError
    return at.isoformat()


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text.strip()))


def _day(text: str) -> str:
    return date.fromisoformat(text.strip()).isoformat()


def _country(reference: Reference) -> Reader:
    def read(text: str) -> str:
        place = reference.territory(text)
        if place is None:
            raise ValueError
        return place.code

    return read


def _optional(reader: Reader) -> Reader:
    return lambda text: reader(text) if text.strip() else None


def _rows(path: Path, columns: Mapping[str, Reader]) -> Iterator[dict[str, Any]]:
    """Rows of a CSV file, checked one by one. Raises UserError naming line and column."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file, strict=True)
            if set(lines.fieldnames or ()) != set(columns):
                raise UserError(
                    "the file has other columns", where=path.name, do="write the header " + ",".join(columns)
                )
            for row in lines:
                found = {}
                for name, read in columns.items():
                    try:
                        found[name] = read(row[name] or "")
                    except (ValueError, TypeError):
                        raise UserError(
                            f"column {name} cannot be read",
                            where=f"{path.name}, line {lines.line_num}",
                            do="docs/operations.md says what each column holds",
                        ) from None
                if None in row:
                    raise UserError("too many fields", where=f"{path.name}, line {lines.line_num}", do="quote commas")
                yield found
    except OSError as error:
        raise UserError("the file cannot be read", where=path.name, do=str(error.strerror)) from None
    except (csv.Error, UnicodeDecodeError):
        raise UserError("the file is no CSV in UTF-8", where=path.name, do="export it again as CSV in UTF-8") from None


def load_people(connection: Connection, path: Path, reference: Reference, *, listed_on: date) -> int:
    """Take over the list of people with access; whom it no longer names has ended. Returns how many there are.

    Columns: staff_ref (a reference, no name), engagement, employer (key of the registry), home_country, ended_on.
    Raises UserError; an empty list is refused, as it would end everybody.
    """
    rows = list(
        _rows(
            path,
            {
                "staff_ref": _some,
                "engagement": _one_of(*_ENGAGEMENTS),
                "employer": _some,
                "home_country": _country(reference),
                "ended_on": _optional(_day),
            },
        )
    )
    if not rows:
        raise UserError("the list names nobody", where=path.name, do="an empty list would end everybody's access")
    if len({row["staff_ref"] for row in rows}) != len(rows):
        raise UserError("the list names somebody twice", where=path.name, do="give each reference once")
    connection.execute(statement("transfers", "upsert_staff"), {"rows": json.dumps(rows), "listed_on": listed_on})
    return len(rows)


def load_accesses(connection: Connection, path: Path) -> int:
    """Append accesses; returns how many. Columns: actor, at (with time zone), ip, country, store, purpose, ticket_id.

    Streams. Raises UserError. The same file twice counts twice: whoever ships the log ships each line once.
    """
    readers: dict[str, Reader] = {
        "actor": _some,
        "at": _moment,
        "ip": _address,
        "country": _maybe,
        "store": str.strip,
        "purpose": str.strip,
        "ticket_id": _maybe,
    }
    return copy_rows(
        connection, "gov.access_log", tuple(readers), (tuple(row.values()) for row in _rows(path, readers))
    )


def load_subprocessors(
    connection: Connection, path: Path, reference: Reference, *, processor: str, listed_on: date, source: str
) -> int:
    """Note one processor's list of a day; returns how many sub-processors it names (none is a list, too).

    Columns: subprocessor, country, purpose. Raises UserError.
    """
    columns: dict[str, Reader] = {"subprocessor": _some, "country": _country(reference), "purpose": str.strip}
    rows = list(_rows(path, columns))
    shared = {"processor_id": processor, "listed_on": listed_on.isoformat(), "source": _some(source)}
    written = [{**row, **shared} for row in rows] or [{"subprocessor": "", "country": "", "purpose": "", **shared}]
    connection.execute(statement("transfers", "insert_subprocessors"), {"rows": json.dumps(written)})
    return len(rows)
