"""The protected master of a course and period: protected once, kept for ever, and what every pack is a filter of."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from privacy_ops.disclosure.linked.cells import PublishedCell
from privacy_ops.errors import ReleaseRefused
from privacy_ops.stores.sql import statement
from privacy_ops.usage.levels import Level
from privacy_ops.usage.protection import Cells, Protected
from privacy_ops.usage.release_spec import BasePeriod


@dataclass(frozen=True)
class Master:
    """Protected cells of one course and period, with the public titles of the day they were protected.

    ``base``: base period of the course in the quarter that the period is in or is; of a year, the quarter.
    """

    course_id: str
    period_key: str
    base: BasePeriod
    title: str
    modules: tuple[tuple[str, str], ...]
    protected: Protected


Masters = Mapping[tuple[str, str], Master]  # by course and period


def to_json(master: Master) -> str:
    """Canonical text: its SHA-256 is kept beside it."""
    kept = {
        "course_id": master.course_id,
        "period_key": master.period_key,
        "base": master.base,
        "title": master.title,
        "modules": master.modules,
        "master": _cells(master.protected.master),
        "views": {name: _cells(cells) for name, cells in master.protected.views.items()},
        "costs": master.protected.costs,
        "people": master.protected.people,
        "exposed": master.protected.exposed,
        "levels": {
            name: {part: level.row() for part, level in levels.items()}
            for name, levels in master.protected.levels.items()
        },
    }
    return _canonical(kept)


def from_json(kept: dict[str, Any], sha256: str) -> Master:
    """The master as kept. Raises ReleaseRefused when it is not what was kept."""
    if digest(_canonical(kept)) != sha256:
        raise ReleaseRefused(
            "a protected master is not what was stored",
            where="gov.release_master",
            do="treat it as an incident: compare with a backup, release nothing of this period",
        )
    views = {name: _read_cells(cells) for name, cells in kept["views"].items()}
    levels = {  # masters of before it was kept have none
        name: {part: Level.of(level) for part, level in parts.items()} for name, parts in kept.get("levels", {}).items()
    }
    return Master(
        kept["course_id"],
        kept["period_key"],
        kept["base"],
        kept["title"],
        tuple((module, title) for module, title in kept["modules"]),
        Protected(_read_cells(kept["master"]), views, kept["costs"], kept["people"], kept["exposed"], levels),
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_masters(
    connection: Connection,
    spec_version: str,
    periods: Iterable[str],
    courses: Sequence[str],
    *,
    revision: int = 0,
    least: int = 0,
) -> Masters:
    """Masters of ``courses`` in ``periods`` as they stand; those never protected are missing. Raises ReleaseRefused.

    A correction counts once it is released; ``revision`` names one that is being made, and counts already.
    ``least``: older revisions than this are not wanted.
    """
    rows = connection.execute(
        statement("usage", "select_masters"),
        {
            "periods": list(periods),
            "spec_version": spec_version,
            "courses": list(courses),
            "revision": revision,
            "least": least,
        },
    )
    return {(row.course_id, row.period_key): from_json(row.cells, row.sha256) for row in rows}


def read_revisions(
    connection: Connection, spec_version: str, periods: Iterable[str], courses: Sequence[str], *, revision: int
) -> dict[tuple[str, str], list[tuple[int, Master]]]:
    """Every released revision of such masters up to ``revision``, which may be one that is being made, with its
    number; the oldest first. Raises ReleaseRefused."""
    found: dict[tuple[str, str], list[tuple[int, Master]]] = defaultdict(list)
    for row in connection.execute(
        statement("usage", "select_master_revisions"),
        {"periods": list(periods), "spec_version": spec_version, "courses": list(courses), "revision": revision},
    ):
        found[row.course_id, row.period_key].append((row.revision, from_json(row.cells, row.sha256)))
    return found


def _canonical(kept: Mapping[str, Any]) -> str:
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _cells(cells: Cells) -> list[list[Any]]:
    """A withheld number is named without a value, so that the text stays short: most cells are empty."""
    return [
        [list(cell.key), {n: v for n, v in cell.values.items() if v is not None}, sorted(cell.values)] for cell in cells
    ]


def _read_cells(kept: Iterable[Any]) -> Cells:
    return tuple(PublishedCell(tuple(key), {name: values.get(name) for name in names}) for key, values, names in kept)
