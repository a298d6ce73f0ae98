"""Tables of a pack read back from bytes, by the CSV and by the Parquet file, sharing nothing with what wrote them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Cell = int | str | None

_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}")


class Unreadable(ValueError):
    """A file is not what its name says. The message never holds a value."""


@dataclass(frozen=True)
class ReadTable:
    """Header and rows; an empty cell is None."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def csv_table(body: bytes, integers: Sequence[str] = ()) -> ReadTable:
    """The table of a CSV. Columns named in ``integers`` become integers. Raises Unreadable.

    Only what a pack may hold is read: UTF-8 without a byte order mark, LF, no ragged row, no second spelling of a
    number.
    """
    if body.startswith(b"\xef\xbb\xbf") or b"\r" in body or not body.endswith(b"\n"):
        raise Unreadable("it has a byte order mark or a carriage return, or no line end at its end")
    try:
        lines = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise Unreadable("it is not CSV in UTF-8") from None
    header = tuple(lines[0])
    if len(set(header)) != len(header) or any(len(line) != len(header) for line in lines):
        raise Unreadable("it is ragged, or a column is there twice")
    numbers = {index for index, name in enumerate(header) if name in integers}
    return ReadTable(
        header, tuple(tuple(_cell(text, i in numbers) for i, text in enumerate(line)) for line in lines[1:])
    )


def _cell(text: str, is_number: bool) -> Cell:
    if not text:
        return None
    if not is_number:
        return text
    if not _INTEGER.fullmatch(text):
        raise Unreadable("a count is not a plain whole number")
    return int(text)


def parquet_table(body: bytes) -> ReadTable:
    """The table of a Parquet file. Raises Unreadable."""
    table = _parquet(body).read()
    columns = [column.to_pylist() for column in table.columns]
    return ReadTable(tuple(table.column_names), tuple(zip(*columns, strict=True)) if columns else ())


def parquet_types(body: bytes) -> dict[str, tuple[str, bool]]:
    """Type and whether it may be empty, by column. Raises Unreadable."""
    return {field.name: (str(field.type), field.nullable) for field in _parquet(body).schema_arrow}


def parquet_secrets(body: bytes) -> list[str]:
    """What a Parquet file says beside its rows: statistics, indexes, dictionaries, foreign metadata."""
    meta = _parquet(body).metadata
    found = []
    if meta.metadata:
        found.append("key-value metadata")
    if not re.fullmatch(r"parquet-cpp-arrow version \d+(\.\d+)*", meta.created_by):
        found.append("a writer that is not known")
    if meta.num_row_groups > 1:
        found.append("several row groups")
    for group in range(meta.num_row_groups):
        for index in range(meta.num_columns):
            column = meta.row_group(group).column(index)
            if column.is_stats_set:
                found.append("column statistics")
            if column.has_dictionary_page:
                found.append("a dictionary page")
            if column.has_column_index or column.has_offset_index:
                found.append("a page index")
            if column.bloom_filter_offset is not None:
                found.append("a Bloom filter")
    return found


def _parquet(body: bytes) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(io.BytesIO(body))
    except (pa.ArrowException, OSError):
        raise Unreadable("it is not Parquet") from None
