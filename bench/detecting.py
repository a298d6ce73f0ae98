"""What detection costs beside a plain scan of the columns that it reads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import Reader, columns
from privacy_ops.datamap.model import DataMap
from privacy_ops.minors import detect
from privacy_ops.runs import Run
from privacy_ops.stores.database import Connection, quote_table
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from bench.child import open_run


def scan_statements(connection: Connection, data_map: DataMap) -> Iterator[str]:
    """One statement per place of evidence that looks at every value of it, as the simplest search would."""
    reader = Reader(data_map, catalogue.read(connection))
    for source in columns(data_map):
        value = reader.value(source, "t")
        table = quote_table(source.table)
        yield f"SELECT count(*) FROM {table} AS t WHERE {value} ~ '(^|[^0-9])(1[0-7]|20[01][0-9])([^0-9]|$)'"


def scan(workspace: Workspace) -> float:
    """Seconds of a plain scan of all places of evidence."""
    with workspace.database("detect").transaction() as connection:
        statements = list(scan_statements(connection, workspace.data_map))
        began = time.perf_counter()
        for statement in statements:
            connection.execute(text(statement)).scalar_one()
        return time.perf_counter() - began


def detection(workspace: Workspace, run: Run) -> float:
    """Seconds of one detection; the sources were checked in the same run."""
    began = time.perf_counter()
    detect.detect_and_restrict(workspace, run)
    return time.perf_counter() - began


def checked_run(workspace: Workspace, run_id: str) -> Run:
    from privacy_ops.minors import gates

    run = open_run(workspace, run_id)
    gates.check_sources(workspace, run)
    return run


def today() -> date:
    return datetime.now(UTC).date()
