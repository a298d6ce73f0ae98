"""The CSV and JSON files of a run, as bytes: the same content gives the same bytes. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from privacy_ops.transfers.files import cell
from privacy_ops.transfers.publishing.content import FindingLine
from privacy_ops.transfers.publishing.dependencies import Dependency
from privacy_ops.transfers.publishing.diff import Change

DEPENDENCY_COLUMNS = (
    "ground", "title", "last_day", "danger", "regime", "place", "nature", "country", "importer", "transfer_id",
    "verdict", "verdict_without", "breaks", "carried_instead_by",
)  # fmt: skip


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def findings(lines: Iterable[FindingLine]) -> bytes:
    """One line per finding, gravest first, with its due day."""
    names = [field.name for field in fields(FindingLine)]
    return _csv(names, ([getattr(line, name) for name in names] for line in lines))


def changes(found: Iterable[Change]) -> bytes:
    """One line per difference from the inventory before; ``explanation`` says why, or ``unexplained``."""
    names = [field.name for field in fields(Change)]
    return _csv(names, ([getattr(change, name) for name in names] for change in found))


def dependencies(found: Iterable[Dependency]) -> bytes:
    """One line per ground, regime and flow that leans on it: what becomes of the flow without the ground."""
    return _csv(
        DEPENDENCY_COLUMNS,
        (
            (
                d.ground, d.title, d.last_day, d.danger, a.regime, a.flow.place, a.flow.nature, a.flow.country,
                a.flow.importer.entity_id, a.flow.transfer_id, a.before, a.after, a.breaks, a.instead,
            )
            for d in found
            for a in d.affected
        ),
    )  # fmt: skip
