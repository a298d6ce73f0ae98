"""What detection costs beside a plain scan of the columns that it reads.

Compared are one scan (every value fetched and compared once, nobody joined, nobody judged) and one whole detection as a
rehearsal: every table of evidence is read once, whoever may be a minor is read with everything on record and judged.
Reading the catalogue and making temporary tables costs the same for one person and for a million; the cost per person
is therefore the slope between two publishers that differ in size alone. What one person in question costs, who is
judged with everything on record, is the slope between the same publisher before and after more people are made minors.

Counted is processor time, of this process and of the server: a machine that others use says nothing by its clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import Reader, columns, literal
from privacy_ops.datamap.model import DataMap
from privacy_ops.minors import detect, gates
from privacy_ops.stores.database import Connection, quote, quote_table
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from bench.child import open_run
from bench.processor import Meter

_SCANS = 5


def scan_statements(connection: Connection, data_map: DataMap) -> Iterator[str]:
    """One pass over each table that holds evidence, with one simple comparison for every place of evidence in it.

    This is the least that anybody pays who looks at all of it: every value of the same columns of the same rows is
    fetched (JSON is opened as well) and compared once, dates with a day, everything else with ``[0-9]``. It joins
    nothing, judges nobody and finds no minor.
    """
    reader = Reader(data_map, catalogue.read(connection))
    compared: dict[str, list[str]] = {}
    for source in columns(data_map):
        column = f"t.{quote(source.column)}"
        if source.evidence.path is not None:
            condition = f"({column} ->> {literal(source.evidence.path)}) ~ '[0-9]'"
        elif reader.type(source.table, source.column) == "date":
            condition = f"{column} > DATE '2008-01-01'"
        else:
            condition = f"CAST({column} AS text) ~ '[0-9]'"
        compared.setdefault(source.table, []).append(f"count(*) FILTER (WHERE {condition})")
    for table, counts in compared.items():
        yield f"SELECT {', '.join(counts)} FROM {quote_table(table)} AS t"


def scan(workspace: Workspace) -> None:
    """A plain scan of all places of evidence."""
    with workspace.database("detect").transaction() as connection:
        for statement in scan_statements(connection, workspace.data_map):
            connection.execute(text(statement)).one()


@dataclass(frozen=True)
class Detected:
    """Processor seconds of the cheapest of several turns, in which scan and detection alternate; ``checks`` by the
    clock."""

    scan: float
    detection: float
    checks: float
    in_question: int

    @property
    def ratio(self) -> float:
        """Everything that one detection costs, whatever the number of people, over the scan."""
        return self.detection / self.scan


def slope(small: Detected, large: Detected) -> float:
    """What more people cost in detection over what they cost in a scan: fixed costs fall out on both sides.

    Raises ValueError when the scan of the larger publisher was not the longer one.
    """
    return (large.detection - small.detection) / _scanned(small, large)


def slope_at(small: Detected, large: Detected, denser: Detected, *, more_people: int, in_question: float) -> float:
    """The same slope, were another share of the people in question. ``denser``: the large one with more minors."""
    judging = (denser.detection - large.detection) / (denser.in_question - large.in_question)
    judged = large.in_question - small.in_question
    looking = large.detection - small.detection - judging * judged
    return (looking + judging * in_question * more_people) / _scanned(small, large)


def _scanned(small: Detected, large: Detected) -> float:
    if large.scan <= small.scan:
        raise ValueError("a scan of more people took no longer: measure larger publishers")
    return large.scan - small.scan


def measure(workspace: Workspace, run_id: str, repeats: int, meter: Meter) -> Detected:
    """Detection beside the plain scan. A rehearsal: cases are opened once in a life, looking is done every night."""
    run = open_run(workspace, run_id, dry_run=True)
    began = time.perf_counter()
    gates.check_sources(workspace, run)
    checks = time.perf_counter() - began
    counts: dict[str, Any] = {}
    meter.spent(lambda: counts.update(detect.detect_and_restrict(workspace, run)))
    turns = [
        (
            meter.spent(lambda: scan(workspace), _SCANS),
            meter.spent(lambda: detect.detect_and_restrict(workspace, run), 2),
        )
        for _ in range(repeats)
    ]
    return Detected(min(s for s, _ in turns), min(d for _, d in turns), checks, sum(counts["classes"].values()))
