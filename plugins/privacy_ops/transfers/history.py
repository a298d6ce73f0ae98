"""Declarations as rows: what was declared when. Only ever added to; the newest row of a name is what counts.

A run that reads the files records what changed in them, so that a past day can be judged from what was declared then.
Where the database is the place of editing, its newest rows are the registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from privacy_ops.errors import UserError
from privacy_ops.stores.sql import statement
from privacy_ops.transfers import registry
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.registry import Content, Registry


def _newest(connection: Connection, at: datetime | None) -> dict[tuple[str, str], Mapping[str, Any] | None]:
    rows = connection.execute(statement("transfers", "select_registry_entries"), {"at": at})
    return {(row.section, row.name): row.body for row in rows}


def recorded(connection: Connection, tables: Reference, at: datetime | None = None) -> Registry | None:
    """The registry as its rows stood at an instant (None: now), or None when nothing had been recorded.

    Raises ConfigError when the rows do not agree with each other or with the reference data.
    """
    rows = _newest(connection, at)
    if not rows:
        return None
    content: dict[str, dict[str, Any]] = {}
    for (section, name), body in sorted(rows.items()):
        if body is not None:
            content.setdefault(section, {})[name] = dict(body)
    when = f" at {at.isoformat()}" if at else ""
    return registry.of_content(content, tables, f"gov.registry_entry{when}")


def record(connection: Connection, declared: Registry, *, at: datetime, by: str) -> int:
    """Add a row for every entry that differs from its newest one; returns how many. ``by``: a person or a run.

    Raises UserError without a name.
    """
    if not by.strip():
        raise UserError("a change of the registry needs the name of who made it", do="give it with --by")
    connection.execute(statement("transfers", "lock_registry"))
    before = _newest(connection, None)
    content: Content = declared.content()
    now = {(section, name): body for section, entries in content.items() for name, body in entries.items()}
    changed: list[dict[str, Any]] = [
        {"section": section, "name": name, "body": body}
        for (section, name), body in sorted(now.items())
        if before.get((section, name)) != body
    ]
    changed += [
        {"section": section, "name": name, "body": None}
        for (section, name), body in sorted(before.items())
        if body is not None and (section, name) not in now
    ]
    if changed:
        connection.execute(
            statement("transfers", "insert_registry_entries"),
            {"rows": json.dumps(changed, sort_keys=True), "at": at, "by": by.strip()},
        )
    return len(changed)
