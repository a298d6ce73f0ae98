"""CSV and JSON lines, plain or gzip, record by record and byte for byte.

Records are split and judged as bytes; those that stay are handed on as they were read, with their line ends, quotes
and spelling. Only encodings in which a comma, a quote and a line end are the same bytes as in ASCII are taken.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, cast

from privacy_ops.datamap.model import SharedRows
from privacy_ops.erasure.objects.rewrite.identify import Lookup, whose

LONGEST_RECORD = 64 * 2**20  # bytes; more is a file that lost its line ends
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Unreadable(Exception):
    """An object is not what the map says. ``what`` says how, with line numbers and never with content."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code, self.what = code, what


@dataclass
class Read:
    """What one reading of an object showed. ``rest_sha256`` is over the bytes of everything that was nobody's."""

    rows: int = 0
    found: Counter[Hashable] = field(default_factory=Counter)
    rest_sha256: str = ""

    @property
    def hits(self) -> int:
        return self.found.total()


def count(stream: IO[bytes], spec: SharedRows, lookup: Lookup) -> Read:
    """Count rows, and those that ``lookup`` knows. Raises Unreadable."""
    return _pass(stream, spec, lookup, None)


def strip(stream: IO[bytes], target: IO[bytes], spec: SharedRows, lookup: Lookup) -> Read:
    """Copy everything but the rows that ``lookup`` knows. Raises Unreadable."""
    if spec.compression == "none":
        return _pass(stream, spec, lookup, target)
    with gzip.GzipFile(fileobj=target, mode="wb", mtime=0, filename="") as packed:
        return _pass(stream, spec, lookup, cast("IO[bytes]", packed))


def _pass(stream: IO[bytes], spec: SharedRows, lookup: Lookup, target: IO[bytes] | None) -> Read:
    read, digest = Read(), hashlib.sha256()
    with _unpacked(stream, spec) as plain:
        for raw, is_row, person in _records(plain, spec, lookup):
            read.rows += is_row
            if person is not None:
                read.found[person] += 1
                continue
            digest.update(raw)
            if target is not None:
                target.write(raw)
    read.rest_sha256 = digest.hexdigest()
    return read


@contextmanager
def _unpacked(stream: IO[bytes], spec: SharedRows) -> Iterator[io.BufferedReader[Any]]:
    source = io.BufferedReader(cast("io.RawIOBase", _Raw(stream)), 2**16)
    starts = source.peek(4)
    if spec.compression == "gzip":
        if starts and starts[:2] != b"\x1f\x8b":
            raise Unreadable("NOT_GZIP", "the map says gzip, and the object is not; correct the map or the object")
        packed = gzip.GzipFile(fileobj=source)
        try:
            yield io.BufferedReader(cast("io.RawIOBase", packed), 2**16)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise Unreadable("BROKEN_GZIP", "its gzip stream is broken or cut short; put it anew") from None
        return
    if starts[:2] == b"\x1f\x8b":
        raise Unreadable("IS_GZIP", "the map says it is not compressed, and it is gzip; correct the map")
    if starts[:2] in _UTF_16:
        raise Unreadable("UTF_16", "it is UTF-16, which cannot be split byte for byte; put it as UTF-8")
    yield source


class _Raw(io.RawIOBase):
    """Any readable as a raw stream, so that it can be buffered."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


Record = tuple[bytes, bool, Hashable | None]  # bytes, whether it is a row, whose it is


def _records(stream: io.BufferedReader[Any], spec: SharedRows, lookup: Lookup) -> Iterator[Record]:
    if stream.peek(3)[:3] == _BOM:
        yield stream.read(3), False, None
    yield from (_csv if spec.format == "csv" else _json_lines)(stream, spec, lookup)


def _line(stream: io.BufferedReader[Any], number: int) -> bytes:
    line = stream.readline(LONGEST_RECORD)
    if len(line) == LONGEST_RECORD:
        raise Unreadable("TOO_LONG", f"line {number} is longer than {LONGEST_RECORD // 2**20} MiB")
    return line


# --- CSV ---------------------------------------------------------------------------------------------------------


def _csv(stream: io.BufferedReader[Any], spec: SharedRows, lookup: Lookup) -> Iterator[Record]:
    columns: list[tuple[str, list[int]]] | None = None
    needed = 0
    if not spec.header:
        columns = [(key.kind, [int(f) - 1 for f in key.fields]) for key in spec.keys]
        needed = max(max(places) for _, places in columns) + 1
    for number, raw in csv_records(stream, spec):
        if not raw.strip(b"\r\n"):
            yield raw, False, None
            continue
        fields = split_fields(raw, spec)
        if columns is None:
            columns = _columns(fields, spec)
            needed = max(max(places) for _, places in columns) + 1
            yield raw, False, None
            continue
        if len(fields) < needed:
            raise Unreadable("FEW_FIELDS", f"the record at line {number} has {len(fields)} fields; {needed} are needed")
        yield raw, True, _first(_decoded(columns, fields, spec, number), lookup)


def csv_records(stream: io.BufferedReader[Any], spec: SharedRows) -> Iterator[tuple[int, bytes]]:
    """(line number, record) with line ends; a record goes on over lines inside quotes. Raises Unreadable."""
    number = 0
    while line := _line(stream, number + 1):
        number += 1
        first = number
        if spec.quote.encode() in line:
            state = _ends_inside(line, spec, inside=False)
            lines, size = [line], len(line)
            while state:
                more = _line(stream, number + 1)
                size += len(more)
                if not more or size > LONGEST_RECORD:
                    raise Unreadable("OPEN_QUOTE", f"a quote that opens in the record at line {first} is never closed")
                number += 1
                lines.append(more)
                state = _ends_inside(more, spec, inside=True)
            line = b"".join(lines)
        elif first == 1 and b"\r" in line.rstrip(b"\r\n"):
            # Further down it is part of a field; here it ends lines, and everything would be one record.
            raise Unreadable("LONE_CR", "its lines end in carriage returns alone; put it with line feeds")
        yield first, line


def _ends_inside(line: bytes, spec: SharedRows, *, inside: bool) -> bool:
    """Whether a quoted field is open at the end of ``line``. A quote opens a field only at its start."""
    quote, delimiter, place = spec.quote.encode(), spec.delimiter.encode(), 0
    while True:
        if inside:
            place = line.find(quote, place)
            if place < 0:
                return True
            place += 1
            if line[place : place + 1] == quote:  # doubled: a quote in the field
                place += 1
                continue
            inside = False
        elif line[place : place + 1] == quote:
            inside, place = True, place + 1
            continue
        place = line.find(delimiter, place)
        if place < 0:
            return False
        place += 1


def split_fields(record: bytes, spec: SharedRows) -> list[bytes]:
    """The fields of one record, unquoted."""
    quote, delimiter = spec.quote.encode(), spec.delimiter.encode()
    record = record.removesuffix(b"\n").removesuffix(b"\r")
    if quote not in record:
        return record.split(delimiter)
    fields, place = [], 0
    while True:
        value = b""
        if record[place : place + 1] == quote:
            place += 1
            while True:
                end = record.find(quote, place)
                value += record[place:end]
                place = end + 1
                if record[place : place + 1] != quote:
                    break
                value += quote
                place += 1
        end = record.find(delimiter, place)
        if end < 0:
            fields.append(value + record[place:])
            return fields
        fields.append(value + record[place:end])
        place = end + 1


def _columns(header: Sequence[bytes], spec: SharedRows) -> list[tuple[str, list[int]]]:
    names = [name.decode(spec.encoding, "replace").strip() for name in header]
    found = []
    for key in spec.keys:
        # What was found is not told: without a header, the first line is a person's.
        if missing := [f for f in key.fields if names.count(f) != 1]:
            raise Unreadable(
                "NO_COLUMN",
                f"its first line does not name the column {', '.join(missing)} once ({len(names)} columns); "
                "was the header lost or a column renamed?",
            )
        found.append((key.kind, [names.index(f) for f in key.fields]))
    return found


def _decoded(
    columns: Sequence[tuple[str, list[int]]], fields: Sequence[bytes], spec: SharedRows, number: int
) -> Iterator[tuple[str, list[str]]]:
    for kind, places in columns:
        try:
            yield kind, [fields[place].decode(spec.encoding) for place in places]
        except UnicodeDecodeError:
            raise Unreadable(
                "ENCODING", f"the record at line {number} is not {spec.encoding}; correct the map's encoding"
            ) from None


def _first(named: Iterator[tuple[str, list[str]]], lookup: Lookup) -> Hashable | None:
    return next((person for kind, values in named if (person := whose(kind, values, lookup)) is not None), None)


# --- JSON lines ----------------------------------------------------------------------------------------------------


def _json_lines(stream: io.BufferedReader[Any], spec: SharedRows, lookup: Lookup) -> Iterator[Record]:
    paths = [(key.kind, [tuple(f.split(".")) for f in key.fields]) for key in spec.keys]
    number = rows = seen = 0
    while raw := _line(stream, number + 1):
        number += 1
        if not raw.strip():
            yield raw, False, None
            continue
        try:
            entry = json.loads(raw.decode(spec.encoding))
        except (ValueError, RecursionError):
            raise Unreadable("BROKEN_LINE", f"line {number} is not JSON in {spec.encoding}") from None
        rows += 1
        person = None
        for kind, fields in paths:
            values = [values_at(entry, path) for path in fields]
            seen += any(_has_path(entry, path) for path in fields)
            person = person or _person_of_line(kind, values, lookup, number)
        yield raw, True, person
    if rows and not seen:
        raise Unreadable("NO_FIELD", f"none of its {rows} lines has a field that names a person; was it renamed?")


def values_at(entry: Any, path: Sequence[str]) -> list[str]:
    """Texts at a dotted path; a list on the way is walked through. Numbers as text, null and missing as nothing."""
    if not path:
        if isinstance(entry, list):
            return [value for one in entry for value in values_at(one, ())]
        if entry is None or isinstance(entry, dict):
            return []
        return [json.dumps(entry) if isinstance(entry, bool | float) else str(entry)]
    if isinstance(entry, list):
        return [value for one in entry for value in values_at(one, path)]
    return values_at(entry.get(path[0]), path[1:]) if isinstance(entry, dict) else []


def _has_path(entry: Any, path: Sequence[str]) -> bool:
    """Whether the path is there, be its value null."""
    if not path:
        return True
    if isinstance(entry, list):
        return any(_has_path(one, path) for one in entry)
    return isinstance(entry, dict) and path[0] in entry and _has_path(entry[path[0]], path[1:])


def _person_of_line(kind: str, values: list[list[str]], lookup: Lookup, number: int) -> Hashable | None:
    if len(values) > 1:
        if any(len(v) > 1 for v in values):
            raise Unreadable("SEVERAL_PEOPLE", f"line {number} names several people by a key of several fields")
        return whose(kind, [v[0] if v else None for v in values], lookup)
    people = [whose(kind, [value], lookup) for value in dict.fromkeys(values[0])]
    named = [person for person in people if person is not None]
    if named and len(named) < len(people):
        raise Unreadable("SEVERAL_PEOPLE", f"line {number} names planned and other people in one list; split it")
    return named[0] if named else None
