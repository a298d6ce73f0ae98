"""The protected master of a course and week: protected once, kept for ever, and what every pack is a filter of.

True counts exist in temporary tables and in this process only, until the transaction ends.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from privacy_ops.datamap.model import DataMap
from privacy_ops.disclosure.cells import PublishedCell
from privacy_ops.disclosure.protect import protect
from privacy_ops.errors import ReleaseRefused, UserError
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.usage import view
from privacy_ops.usage.aggregate import course_tables
from privacy_ops.usage.spec import Spec
from privacy_ops.usage.weeks import Window


@dataclass(frozen=True)
class Master:
    """Protected cells of one course and week, with the public titles of the day they were protected."""

    course_id: str
    title: str
    module_titles: tuple[tuple[str, str], ...]
    cells: tuple[PublishedCell, ...]

    @property
    def modules(self) -> tuple[str, ...]:
        return tuple(module for module, _ in self.module_titles)

    def cell(self, module_id: str | None) -> PublishedCell:
        return next(cell for cell in self.cells if cell.module_id == module_id)


def to_json(master: Master) -> str:
    """Canonical text: its SHA-256 is kept beside it."""
    return json.dumps(asdict(master), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_json(kept: dict[str, Any], sha256: str) -> Master:
    """The master as kept. Raises ReleaseRefused when it is not what was kept."""
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if digest(text) != sha256:
        raise ReleaseRefused(
            "a protected master is not what was stored",
            where="gov.release_master",
            do="treat it as an incident: compare with a backup, release nothing of this week",
        )
    return Master(
        kept["course_id"],
        kept["title"],
        tuple((m, t) for m, t in kept["module_titles"]),
        tuple(PublishedCell(**cell) for cell in kept["cells"]),
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_masters(
    connection: Connection, window: Window, spec_version: str, courses: Sequence[str]
) -> dict[str, Master]:
    """Kept masters of ``courses``; those never protected are missing."""
    rows = connection.execute(
        statement("usage", "select_masters"),
        {"iso_week": window.key, "spec_version": spec_version, "courses": list(courses)},
    )
    return {row.course_id: from_json(row.cells, row.sha256) for row in rows}


def protect_missing(
    connection: Connection,
    data_map: DataMap,
    run: Run,
    window: Window,
    spec: Spec,
    courses: Sequence[str],
    *,
    now: datetime,
) -> dict[str, int]:
    """Protect and keep the courses that have no master yet. Needs usage_event and the window's lock.

    Returns counts. Raises UserError for a course that the publisher does not have.
    """
    kept = read_masters(connection, window, spec.version, courses)
    missing = [course for course in courses if course not in kept]
    public = view.public_courses(connection, data_map, missing)
    if unknown := sorted(set(missing) - set(public)):
        raise UserError(
            f"{len(unknown)} entitled course(s) do not exist: {', '.join(unknown)}",
            where="registry of recipients",
            do="correct the course ids and load the registry again",
        )
    if missing:
        tables = course_tables(connection, spec.rules, public)
        open_courses = _open_courses(connection, data_map, window, spec, missing)
        for course_id, table in tables.items():
            cells = protect(table, spec.rules, course_is_open=course_id in open_courses)
            found = Master(course_id, public[course_id].title, public[course_id].modules, cells)
            text = to_json(found)
            connection.execute(
                statement("usage", "insert_master"),
                {
                    "course_id": course_id,
                    "iso_week": window.key,
                    "spec_version": spec.version,
                    "lifetime_reached": course_id in open_courses,
                    "cells": text,
                    "sha256": digest(text),
                    "run_id": run.run_id,
                    "protected_at": now,
                },
            )
    return {"protected": len(missing), "kept": len(kept)}


def _open_courses(
    connection: Connection, data_map: DataMap, window: Window, spec: Spec, courses: Sequence[str]
) -> set[str]:
    """Courses with enough learners ever by the window's end, or in a week that was protected up to it."""
    latched = connection.execute(
        statement("usage", "select_latched_courses"), {"iso_week": window.key, "courses": list(courses)}
    )
    found = {str(row.course_id) for row in latched}
    ask = [course for course in courses if course not in found]
    ever = view.count_lifetime_learners(connection, data_map, window, ask) if ask else {}
    return found | {c for c, learners in ever.items() if learners >= spec.rules.lifetime_min_learners}
