"""A pack judged from its bytes: what a gate counts, and a refusal for whoever wants none of it.

It knows the specs, the keys that are trusted and the public rules, and nothing of how the files came about.
A finding says what and where, never a value.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from privacy_ops.errors import ReleaseRefused
from privacy_ops.usage.files import metadata, personal, sums, text
from privacy_ops.usage.files.columns import Column, columns, flag_of, primary_key, written
from privacy_ops.usage.files.model import PackContent, TableSpec, fits
from privacy_ops.usage.files.page import Page
from privacy_ops.usage.files.read import (
    ReadTable,
    Unreadable,
    csv_table,
    parquet_secrets,
    parquet_table,
    parquet_types,
)

_DESCRIPTIONS = ("csv-metadata.json", "datapackage.json")
_PROSE = ("DATA_DICTIONARY.md", "README.md")
_REPORT = "report.html"
_PARQUET_TYPES = {"integer": "int64", "text": "string"}


@dataclass(frozen=True)
class Expected:
    """What a pack has to be. ``told`` are texts that its prose may hold although they look personal: the contact."""

    specs: tuple[TableSpec, ...]
    method_version: str
    public_keys: tuple[bytes, ...]
    told: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every file that there has to be, and no other."""
        tables = {f"{spec.name}.{kind}" for spec in self.specs for kind in ("csv", "parquet")}
        return frozenset({*tables, *_DESCRIPTIONS, *_PROSE, _REPORT, sums.SUMS, sums.SIGNATURE, sums.SIGNERS})


def expected_of(content: PackContent, public_keys: tuple[bytes, ...]) -> Expected:
    """What the pack of ``content`` has to be, signed with one of ``public_keys`` (32 bytes each)."""
    told = (content.contact, content.release_id, *((content.supersedes,) if content.supersedes else ()))
    return Expected(tuple(table.spec for table in content.tables), content.method_version, public_keys, told)


@dataclass(frozen=True)
class Findings:
    """Counts for a gate; all are zero in a pack that may go out. ``details`` say what and where."""

    missing_files: int = 0
    unlisted_files: int = 0
    bad_hashes: int = 0
    bad_signatures: int = 0
    unreadable_files: int = 0
    unknown_columns: int = 0
    missing_columns: int = 0
    undocumented_columns: int = 0
    mismatching_values: int = 0
    misplaced_rows: int = 0
    metadata_violations: int = 0
    hidden_data: int = 0
    active_content: int = 0
    flag_violations: int = 0
    unrounded_counts: int = 0
    small_counts: int = 0
    unknown_values: int = 0
    formula_cells: int = 0
    personal_values: int = 0
    details: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The counts, for a gate's table of metrics."""
        return tuple(name for name in cls.__dataclass_fields__ if name != "details")

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in asdict(self).items() if name != "details"}

    @property
    def total(self) -> int:
        return sum(self.counts().values())


class _Notes:
    """Collects findings."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.details: list[str] = []

    def add(self, kind: str, detail: str, times: int = 1) -> None:
        if times:
            self.counts[kind] += times
            self.details.append(f"{detail} ({times})" if times > 1 else detail)

    def findings(self) -> Findings:
        return Findings(**self.counts, details=tuple(self.details))


def verify(files: Mapping[str, bytes], expected: Expected) -> dict[str, ReadTable]:
    """The tables of a pack by name. Raises ReleaseRefused, saying everything that is wrong, when something is."""
    findings = inspect(files, expected)
    if findings.total:
        raise ReleaseRefused(
            f"a pack has {findings.total} fault(s): {'; '.join(findings.details[:20])}",
            do="do not send it; clear the step that wrote it",
        )
    return {spec.name: csv_table(files[f"{spec.name}.csv"], _integers(spec)) for spec in expected.specs}


def differences_from(content: PackContent, files: Mapping[str, bytes]) -> int:
    """Cells of a pack's CSV files that are not what ``content`` says. Raises Unreadable."""
    found = 0
    for table in content.tables:
        header = tuple(column.name for column in columns(table.spec))
        said = ReadTable(header, tuple(written(table, content.method_version)))
        found += _differences(said, csv_table(files[f"{table.spec.name}.csv"], _integers(table.spec)))
    return found


def inspect(files: Mapping[str, bytes], expected: Expected) -> Findings:
    """Everything that is wrong with a pack. Never raises for what its files hold."""
    notes = _Notes()
    for name in sorted(expected.names - set(files)):
        notes.add("missing_files", f"{name} is missing")
    notes.add("unlisted_files", "files are there that no pack has", len(set(files) - expected.names))
    _sums(files, expected, notes)
    for spec in expected.specs:
        _table(files, spec, expected.method_version, notes)
    _descriptions(files, expected, notes)
    _prose(files, expected, notes)
    return notes.findings()


def _sums(files: Mapping[str, bytes], expected: Expected, notes: _Notes) -> None:
    """Every file but the sums and their signature is listed with its hash, and a trusted key signed the list."""
    listed: dict[str, str] = {}
    try:
        listed = sums.parse(files.get(sums.SUMS, b""))
    except ValueError:
        notes.add("bad_hashes", f"{sums.SUMS} cannot be read")
    covered = {name: body for name, body in files.items() if name not in {sums.SUMS, sums.SIGNATURE}}
    for name in sorted(expected.names & set(covered)):
        if listed.get(name) != hashlib.sha256(covered[name]).hexdigest():
            notes.add("bad_hashes", f"{name} is not the file that {sums.SUMS} lists")
    notes.add("bad_hashes", f"{sums.SUMS} lists files that are not there", len(set(listed) - set(covered)))
    if not sums.verifies(files.get(sums.SUMS, b""), files.get(sums.SIGNATURE, b""), expected.public_keys):
        notes.add("bad_signatures", f"no trusted key has signed {sums.SUMS}")
    if sums.SIGNERS in files and files[sums.SIGNERS] not in map(sums.allowed_signers, expected.public_keys):
        notes.add("bad_signatures", f"{sums.SIGNERS} names a key that is not trusted")


def _integers(spec: TableSpec) -> tuple[str, ...]:
    return tuple(measure.name for measure in spec.measures if measure.kind == "count")


def _table(files: Mapping[str, bytes], spec: TableSpec, method_version: str, notes: _Notes) -> None:
    """One table: both files readable, the same columns and values, and only values that may be there."""
    readers: dict[str, Callable[[bytes], ReadTable]] = {
        f"{spec.name}.csv": lambda body: csv_table(body, _integers(spec)),
        f"{spec.name}.parquet": parquet_table,
    }
    tables: list[ReadTable] = []
    for name, reader in readers.items():
        if name not in files:
            continue
        try:
            table = reader(files[name])
        except Unreadable as error:
            notes.add("unreadable_files", f"{name}: {error}")
            continue
        tables.append(table)
        _columns(name, table, spec, notes)
        _rows(name, table, spec, method_version, notes)
    if len(tables) == 2:
        notes.add("mismatching_values", f"{spec.name}: CSV and Parquet differ", _differences(*tables))
        _parquet(f"{spec.name}.parquet", files[f"{spec.name}.parquet"], spec, notes)


def _columns(name: str, table: ReadTable, spec: TableSpec, notes: _Notes) -> None:
    known = [column.name for column in columns(spec)]
    notes.add("unknown_columns", f"{name}: columns that are not in the dictionary", len(set(table.header) - set(known)))
    notes.add("missing_columns", f"{name}: columns are missing", len(set(known) - set(table.header)))
    if set(table.header) == set(known) and list(table.header) != known:
        notes.add("metadata_violations", f"{name}: the columns are in another order")


def _parquet(name: str, body: bytes, spec: TableSpec, notes: _Notes) -> None:
    for what, times in Counter(parquet_secrets(body)).items():
        notes.add("hidden_data", f"{name}: {what}", times)
    wanted = {column.name: (_PARQUET_TYPES[column.kind], not column.required) for column in columns(spec)}
    if parquet_types(body) != wanted:
        notes.add("metadata_violations", f"{name}: a column has another type")


def _differences(one: ReadTable, other: ReadTable) -> int:
    """Cells that differ in value or type; a row or column that only one file has counts with all its cells."""
    if one.header != other.header:
        return max(len(one.rows), 1) * len(set(one.header) ^ set(other.header)) or 1
    longer = abs(len(one.rows) - len(other.rows)) * len(one.header)
    pairs = zip(one.rows, other.rows, strict=False)
    return longer + sum(
        type(a) is not type(b) or a != b for left, right in pairs for a, b in zip(left, right, strict=True)
    )


def _rows(name: str, table: ReadTable, spec: TableSpec, method_version: str, notes: _Notes) -> None:
    rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    keys = [tuple(str(row.get(part)) for part in primary_key(spec)) for row in rows]
    if keys != sorted(set(keys)):
        notes.add("misplaced_rows", f"{name}: rows are not sorted by their key, or a key is there twice")
    for row in rows:
        for kind, column in _faults(row, spec, method_version):
            notes.add(kind, f"{name}: {column}")
    # A name that is not in the dictionary may itself be a value: it is not repeated.
    known = {column.name: column.name for column in columns(spec)}
    for column, value in ((column, value) for row in rows for column, value in row.items() if isinstance(value, str)):
        where = f"{name}: {known.get(column, 'a column that is not in the dictionary')}"
        if text.is_formula(value):
            notes.add("formula_cells", where)
        for kind in personal.kinds(value):
            notes.add("personal_values", f"{where}: {kind}")


def _faults(row: Mapping[str, Any], spec: TableSpec, method_version: str) -> Iterator[tuple[str, str]]:
    """Kind of finding and column, for every value of a row that may not be there."""
    for column in columns(spec):
        value = row.get(column.name)
        if column.required and column.name in row and not _is_right(column, value, method_version):
            yield "unknown_values", column.name
    for measure in spec.measures:
        value, flag = row.get(measure.name), row.get(flag_of(measure))
        if (flag == "published") != (value is not None):
            yield "flag_violations", flag_of(measure)
        if value is None or fits(spec, measure, value):
            continue
        if measure.kind == "band" or not isinstance(value, int):
            yield "unknown_values", measure.name
            continue
        if value < spec.least_count:
            yield "small_counts", measure.name
        if value % spec.round_to:
            yield "unrounded_counts", measure.name


def _is_right(column: Column, value: object, method_version: str) -> bool:
    if column.name == "method_version":
        return value == text.safe(method_version)
    return isinstance(value, str) and (not column.allowed or value in column.allowed)


def _descriptions(files: Mapping[str, bytes], expected: Expected, notes: _Notes) -> None:
    judges: dict[str, Callable[[bytes], list[str]]] = {
        "csv-metadata.json": lambda body: metadata.csvw_violations(body, expected.specs),
        "datapackage.json": lambda body: metadata.data_package_violations(body, files, expected.specs),
    }
    for name, judge in judges.items():
        if name not in files:
            continue
        for what in judge(files[name]):
            notes.add("metadata_violations", what)
        for said in _strings(files[name]):
            for kind in personal.kinds(personal.without(said, expected.told)):
                notes.add("personal_values", f"{name}: {kind}")


def _strings(body: bytes) -> Iterator[str]:
    """Every text in a JSON file, keys among them."""
    try:
        queue: list[Any] = [json.loads(body)]
    except ValueError:
        return
    while queue:
        match queue.pop():
            case str() as said:
                yield said
            case list() as items:
                queue += items
            case dict() as items:
                queue += [*items, *items.values()]


def _prose(files: Mapping[str, bytes], expected: Expected, notes: _Notes) -> None:
    """README, dictionary and report: nothing personal, every column explained, nothing that loads or runs."""
    told = [*expected.told, *map(text.markdown, expected.told), *map(sums.fingerprint, expected.public_keys)]
    texts = {name: [files[name].decode(errors="replace")] for name in _PROSE if name in files}
    if "DATA_DICTIONARY.md" in texts:
        for spec in expected.specs:
            absent = [
                column.name for column in columns(spec) if f"| `{column.name}` |" not in texts["DATA_DICTIONARY.md"][0]
            ]
            notes.add("undocumented_columns", f"DATA_DICTIONARY.md lacks columns of {spec.name}", len(absent))
    if _REPORT in files:
        page = Page(files[_REPORT].decode(errors="replace"))
        texts[_REPORT] = page.texts
        for what, times in Counter(page.active).items():
            notes.add("active_content", f"{_REPORT}: {what}", times)
    for name, pieces in texts.items():
        for kind in (kind for piece in pieces for kind in personal.kinds(personal.without(piece, told))):
            notes.add("personal_values", f"{name}: {kind}")
