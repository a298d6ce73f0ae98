"""Parquet, row group by row group, with the schema, metadata, codecs and encodings that the file had.

Rows that stay are equal in value; their bytes may be laid out anew. pyarrow is loaded only when a file is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from privacy_ops.datamap.model import RowKey, SharedRows
from privacy_ops.erasure.objects.rewrite.identify import Lookup, whose
from privacy_ops.erasure.objects.rewrite.lines import Read, Unreadable

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def count(file: IO[bytes], spec: SharedRows, lookup: Lookup) -> Read:
    """Count rows, and those that ``lookup`` knows; reads only the columns that name people. Raises Unreadable."""
    read = Read()
    if not _has_content(file):
        return read
    opened = _open(file, spec)
    for group in range(opened.num_row_groups):
        table = _read(opened, group, sorted({f.split(".")[0] for key in spec.keys for f in key.fields}))
        read.rows += table.num_rows
        read.found += Counter(person for person in _people(table, spec, lookup) if person is not None)
    return read


def strip(file: IO[bytes], target: IO[bytes], spec: SharedRows, lookup: Lookup) -> Read:
    """Write everything but the rows that ``lookup`` knows, and compare what was written. Raises Unreadable."""
    import pyarrow.parquet as pq

    read = Read()
    if not _has_content(file):
        return read
    source = _open(file, spec)
    with pq.ParquetWriter(target, source.schema_arrow, **_as_before(source)) as writer:
        for group in range(source.num_row_groups):
            table = _read(source, group)
            stays = _stays(table, spec, lookup, read)
            writer.write_table(stays, row_group_size=max(stays.num_rows, 1))
        kept = {k: v for k, v in (source.metadata.metadata or {}).items() if k != b"ARROW:schema"}
        if kept:
            writer.add_key_value_metadata(kept)
    target.flush()
    target.seek(0)
    _require_equal(source, _open(target, spec), spec, lookup)
    return read


def _has_content(file: IO[bytes]) -> bool:
    size = file.seek(0, 2)
    file.seek(0)
    return size > 0


def _open(file: IO[bytes], spec: SharedRows) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
    except (pa.ArrowException, OSError):
        raise Unreadable("NOT_PARQUET", "it is not a Parquet file, is cut short, or is encrypted") from None
    for name in (f for key in spec.keys for f in key.fields):
        if not _has_path(opened.schema_arrow, name.split(".")):
            raise Unreadable("NO_COLUMN", f"it has no column {name}; was it renamed?")
    return opened


def _has_path(schema: Any, path: Sequence[str]) -> bool:
    import pyarrow as pa

    for name in path:
        if isinstance(schema, pa.DataType) and not pa.types.is_struct(schema):
            return False
        if schema.get_field_index(name) < 0:
            return False
        schema = schema.field(name).type
    return True


def _read(opened: pq.ParquetFile, group: int, columns: list[str] | None = None) -> pa.Table:
    import pyarrow as pa

    try:
        return opened.read_row_group(group, columns=columns)
    except (pa.ArrowException, OSError):
        raise Unreadable("BROKEN_GROUP", f"its row group {group} cannot be read") from None


def _stays(table: pa.Table, spec: SharedRows, lookup: Lookup, read: Read) -> pa.Table:
    import pyarrow as pa

    people = list(_people(table, spec, lookup))
    read.rows += len(people)
    read.found += Counter(person for person in people if person is not None)
    return table.filter(pa.array([person is None for person in people], pa.bool_()))


def _people(table: pa.Table, spec: SharedRows, lookup: Lookup) -> Iterator[Hashable | None]:
    """Row by row whose it is."""
    known: dict[tuple[str, tuple[str | None, ...]], Hashable | None] = {}

    def person(key: RowKey, values: tuple[str | None, ...]) -> Hashable | None:
        if (key.kind, values) not in known:
            if len(known) > 100_000:
                known.clear()
            known[key.kind, values] = whose(key.kind, values, lookup)
        return known[key.kind, values]

    keys = [(key, zip(*(_texts(table, f.split(".")) for f in key.fields), strict=True)) for key in spec.keys]
    for _ in range(table.num_rows):
        found = [person(key, next(values)) for key, values in keys]
        yield next((one for one in found if one is not None), None)


def _texts(table: pa.Table, path: Sequence[str]) -> Iterator[str | None]:
    """A column's values as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for chunk in table.column(path[0]).chunks:
        for name in path[1:]:
            chunk = pc.struct_field(chunk, name)
        if isinstance(chunk, pa.ExtensionArray):
            chunk = chunk.storage
        if pa.types.is_dictionary(chunk.type):
            chunk = chunk.dictionary_decode()
        for value in chunk.to_pylist():
            yield _text(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return str(UUID(bytes=value)) if len(value) == 16 else value.decode("utf-8", "replace")
    if isinstance(value, list | dict):
        raise Unreadable("SEVERAL_PEOPLE", "a column that names people holds lists")
    return str(value)


def _as_before(source: pq.ParquetFile) -> dict[str, Any]:
    """Options of a writer that lay the file out as it was: version, codecs, dictionaries, statistics, sort order."""
    metadata = source.metadata
    codecs, dictionaries, statistics, int96 = {}, set(), set(), False
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    for place in range(metadata.num_columns):
        int96 |= metadata.schema.column(place).physical_type == "INT96"
        chunks = [group.column(place) for group in groups]
        path = metadata.schema.column(place).path
        codecs[path] = next((c.compression for c in chunks), "UNCOMPRESSED")
        if any("DICTIONARY" in encoding for c in chunks for encoding in c.encodings):
            dictionaries.add(path)
        if any(c.is_stats_set for c in chunks):
            statistics.add(path)
    return {
        "version": metadata.format_version,
        "compression": {p: "NONE" if c == "UNCOMPRESSED" else c for p, c in codecs.items()},
        "use_dictionary": sorted(dictionaries) or False,
        "write_statistics": sorted(statistics) or False,
        "use_deprecated_int96_timestamps": int96,
        "store_schema": b"ARROW:schema" in (metadata.metadata or {}),
        "sorting_columns": groups[0].sorting_columns if groups and groups[0].sorting_columns else None,
    }


def _require_equal(source: pq.ParquetFile, written: pq.ParquetFile, spec: SharedRows, lookup: Lookup) -> None:
    """Schema, metadata and every row that stays are as they were. Raises Unreadable: then nothing is replaced."""

    def own(opened: pq.ParquetFile) -> dict[bytes, bytes]:
        return {k: v for k, v in (opened.metadata.metadata or {}).items() if k != b"ARROW:schema"}

    same = (
        source.schema.equals(written.schema)
        and source.schema_arrow.equals(written.schema_arrow, check_metadata=True)
        and own(source) == own(written)
        and source.num_row_groups == written.num_row_groups
    )
    for group in range(source.num_row_groups if same else 0):
        stays, found = _stays(_read(source, group), spec, lookup, Read()), _read(written, group)
        same = same and _equal(stays, found)
    if not same:
        raise Unreadable("NOT_REPRODUCIBLE", "written anew, it would not be what it was (an unusual type or encoding)")


def _equal(one: pa.Table, other: pa.Table) -> bool:
    if one.num_rows != other.num_rows or one.schema != other.schema:
        return False
    for left, right in zip(one.columns, other.columns, strict=True):
        # NaN is not equal to itself; as text it is.
        if not left.equals(right) and repr(left.to_pylist()) != repr(right.to_pylist()):
            return False
    return True
