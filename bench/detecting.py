"""What detection costs beside a plain scan of the columns that it reads.

Compared are one scan (every value fetched and compared once, nobody joined, nobody judged) and one whole detection as a
rehearsal: every table of evidence is read once, whoever may be a minor is read with everything on record and judged.
Reading the catalogue and making temporary tables costs the same for one person and for a million; the cost per person
is therefore the slope between two publishers that differ in size alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import Reader, columns, literal
from privacy_ops.datamap.model import DataMap
from privacy_ops.minors import detect, gates
from privacy_ops.runs import Run
from privacy_ops.stores.database import Connection, quote, quote_table
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from bench.child import open_run


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


def scan(workspace: Workspace) -> float:
    """Seconds of a plain scan of all places of evidence."""
    with workspace.database("detect").transaction() as connection:
        statements = list(scan_statements(connection, workspace.data_map))
        began = time.perf_counter()
        for statement in statements:
            connection.execute(text(statement)).one()
        return time.perf_counter() - began


def detection(workspace: Workspace, run: Run) -> float:
    """Seconds of one detection; the sources were checked in the same run."""
    began = time.perf_counter()
    detect.detect_and_restrict(workspace, run)
    return time.perf_counter() - began


@dataclass(frozen=True)
class Detected:
    """Seconds of the fastest of several turns, in which scan and detection alternate."""

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
    if large.scan <= small.scan:
        raise ValueError("a scan of more people took no longer: measure larger publishers")
    return (large.detection - small.detection) / (large.scan - small.scan)


def measure(workspace: Workspace, run_id: str, repeats: int) -> Detected:
    """Detection beside the plain scan. A rehearsal: cases are opened once in a life, looking is done every night."""
    run = open_run(workspace, run_id, dry_run=True)
    began = time.perf_counter()
    gates.check_sources(workspace, run)
    checks = time.perf_counter() - began
    counts = detect.detect_and_restrict(workspace, run)
    turns = [(scan(workspace), detection(workspace, run)) for _ in range(repeats)]
    return Detected(min(s for s, _ in turns), min(d for _, d in turns), checks, sum(counts["classes"].values()))
