# ruff: noqa: S608 - identifiers come from the catalogue and are quoted
"""Looks for people in what the orchestrator keeps of itself: its metadata database and its task logs.

Whatever a task was given, returned, rendered or logged stays there for months, outside every data map. Every column
that can hold text is read, by the catalogue, so that a table of tomorrow's version is seen too. What is looked for:
everybody erased (keyed references), everybody about to be (open cases and plans), and whoever the caller names, such as
people planted for a test. What is found is counted and never shown.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops import runs, signing
from privacy_ops.erasure.gates import judge
from privacy_ops.erasure.returning import returned
from privacy_ops.erasure.returning.search import CONTROL, Wanted
from privacy_ops.erasure.returning.sweep import is_word
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Check, Suite, at_least, at_most, one_row
from privacy_ops.runs import Run
from privacy_ops.stores.database import Database, quote, stream
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

LOGS = "logs"
GATE = "orchestrator.traces"
RUNBOOK = "docs/runbooks/erasure_verification.md"
_PLAIN = UUID(int=1)  # a person known in plain: open, about to be erased, or named by the caller
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ADDRESS = re.compile(r"[^\s\"'<>()\[\]{},;:=\\/|`@]+@[^\s\"'<>()\[\]{},;:=\\/|`@]+[^\W_]")
_WORDS = re.compile(r"[\w-]{8,}")
# The ways in which JSON, addresses of pages and mails write "@", "-" and "_" otherwise.
_WRITTEN_OTHERWISE = {
    r"\u0040": "@",
    "%40": "@",
    "&#64;": "@",
    "=40": "@",
    r"\u002d": "-",
    "%2D": "-",
    "%2d": "-",
}
_REMEMBERED = 200_000
_LARGEST = 64 * 1024 * 1024  # of one value when it is unpacked


@dataclass
class Report:
    """What was looked at, and how often somebody was found where. ``blind``: a value known to be there was missed."""

    columns: int = 0
    values: int = 0
    files: int = 0
    lines: int = 0
    blind: int = 0
    found: Counter[str] = field(default_factory=Counter)

    @property
    def traces(self) -> int:
        return self.found.total()


class Seeker:
    """Finds people in texts. Remembers what it has compared already: the same ids stand everywhere."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._match = lru_cache(_REMEMBERED)(self._cases)

    def people(self, value: str) -> set[UUID]:
        """The cases that a text names."""
        found: set[UUID] = set()
        for form in _forms(value):
            for kind, token in _tokens(form):
                found |= self._match(kind, token)
        return found

    def _cases(self, kind: str, token: str) -> set[UUID]:
        if kind == "subject":
            return self._wanted.match("subject", (token.lower(),)) | self._wanted.match("word", token)
        return self._wanted.match(kind, token)


def _forms(value: str) -> Iterator[str]:
    yield value
    plain = value
    for written, meant in _WRITTEN_OTHERWISE.items():
        plain = plain.replace(written, meant)
    if plain != value:
        yield plain


def _tokens(value: str) -> Iterator[tuple[str, str]]:
    if "@" in value:
        for match in _ADDRESS.finditer(value):
            yield "email", match[0]
    for match in _UUID.finditer(value):
        yield "subject", match[0]
    for match in _WORDS.finditer(value):
        word = match[0]
        for part in {word, *word.split("_"), *word.split("--")}:
            if is_word(part):
                yield "word", part


def wanted(workspace: Workspace, planted: Iterable[str] = ()) -> Wanted:
    """Everybody to look for. ``planted``: identifiers that the caller knows (addresses, ids)."""
    with workspace.database("erase").transaction(read_only=True) as connection:
        found = returned.wanted_for(connection, workspace, None)
        plain = connection.execute(statement("erasure", "select_plain_identifiers")).scalars().all()
    for value in (*plain, *planted):
        found.add_plain("email" if "@" in value else "word", value, _PLAIN)
    return found


def search_database(connection: Connection, people: Wanted, report: Report) -> None:
    """Read every column that can hold text, table by table. Raises StoreRefused for one that may not be read."""
    control = _control(connection)
    if control is not None:
        people.add_plain("word", control, CONTROL)
    seeker, seen = Seeker(people), False
    for schema, table, columns in _tables(connection):
        names = ", ".join(f"{_as_text(kind)(quote(name))} AS c{n}" for n, (name, kind) in enumerate(columns))
        sql = f"SELECT {names} FROM {quote(schema)}.{quote(table)}"
        report.columns += len(columns)
        for row in stream(connection, text(sql.replace(":", r"\:"))):
            for (name, _), value in zip(columns, row, strict=True):
                if value is None:
                    continue
                report.values += 1
                cases = {case for part in _readable(value) for case in seeker.people(part)}
                seen |= CONTROL in cases
                if cases - {CONTROL}:
                    report.found[f"{schema}.{table}.{name}"] += 1
    report.blind += control is None or not seen


def _tables(connection: Connection) -> list[tuple[str, str, list[tuple[str, str]]]]:
    tables: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in connection.execute(statement("erasure", "select_text_columns")):
        tables.setdefault((row.schema_name, row.table_name), []).append((row.column_name, row.kind))
    return [(schema, table, columns) for (schema, table), columns in tables.items()]


def _as_text(kind: str) -> Any:
    return (lambda name: name) if kind == "bytes" else (lambda name: f"CAST({name} AS text)")


def _control(connection: Connection) -> str | None:
    """A word that is known to stand in the database: the version of its schema."""
    rows = connection.execute(statement("erasure", "select_trace_control")).all()
    if not rows:
        return None
    schema, table, column = rows[0]
    sql = f"SELECT CAST({quote(column)} AS text) FROM {quote(schema)}.{quote(table)} LIMIT 1"
    value = connection.execute(text(sql)).scalar_one_or_none()
    return value if value is not None and is_word(value) else None


def _readable(value: Any) -> Iterator[str]:
    """A value as text: bytes as they are, and unpacked where they are packed."""
    if isinstance(value, str):
        yield value
        return
    raw = bytes(value)
    yield raw.decode("utf-8", "replace")
    unpacker = zlib.decompressobj(wbits=47)  # zlib or gzip, whichever it is
    try:
        yield unpacker.decompress(raw, _LARGEST).decode("utf-8", "replace")
    except zlib.error:
        return


def search_files(folder: Path, people: Wanted, report: Report) -> None:
    """Read every file below a folder, line by line, and its name."""
    seeker = Seeker(people)
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        report.files += 1
        # A name that names somebody is not shown either.
        if seeker.people(name) - {CONTROL}:
            report.found[f"{LOGS} (name of a file)"] += 1
            name = "(not shown)"
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rb") as file:
            for line in file:
                report.lines += 1
                if seeker.people(line.decode("utf-8", "replace")) - {CONTROL}:
                    report.found[f"{LOGS}/{name}"] += 1


def sweep(workspace: Workspace, orchestrator: Database, logs: Path, *, planted: Iterable[str] = ()) -> Report:
    """Look through the orchestrator's database and its log files. Writes nothing. Raises StoreRefused."""
    people, report = wanted(workspace, planted), Report()
    with orchestrator.transaction(read_only=True) as connection:
        search_database(connection, people, report)
    search_files(logs, people, report)
    return report


def suite() -> Suite:
    """What must hold about the orchestrator's own traces."""

    def some(check_id: str, title: str, column: str, do: str) -> Check:
        return at_least(check_id, title, column, 1, do=do)

    return Suite(
        GATE,
        "The orchestrator keeps nobody's data",
        (
            one_row(),
            at_most(
                "TRACES",
                "Nobody who was or will be erased stands in the metadata database or a log",
                "traces",
                0,
                do="the run's facts name table and column, or the log: empty it, and mend what wrote it",
            ),
            some("TRACES-COLUMNS", "Columns were read", "columns", "give the reader rights on every table"),
            some("TRACES-FILES", "Log files were read", "files", "name the folder that holds the task logs"),
            at_most("TRACES-BLIND", "A word known to be there was found", "blind", 0, do="the search does not see"),
        ),
        RUNBOOK,
    )


def judge_traces(workspace: Workspace, run: Run, report: Report, *, now: datetime) -> dict[str, Any]:
    """Judge a report and record it in the run's facts: places and counts. Raises GateBlocked."""
    figures = {
        "traces": float(report.traces),
        "columns": float(report.columns),
        "files": float(report.files),
        "blind": float(report.blind),
    }
    sha256 = hashlib.sha256(signing.canonical_json(figures).encode()).hexdigest()
    verdict = judge(suite(), figures, run.run_id, sha256, now, workspace.thresholds)
    with workspace.database("erase").transaction() as connection:
        gate_result_id = runner.record(connection, verdict)
        facts = {name: int(value) for name, value in figures.items()} | {"places": dict(report.found)}
        runs.add_facts(connection, run.run_id, {"traces": facts})
    runner.raise_if_blocked(verdict, gate_result_id)
    return {
        "gate": verdict.verdict,
        "gate_result_id": gate_result_id,
        "columns": report.columns,
        "files": report.files,
    }
