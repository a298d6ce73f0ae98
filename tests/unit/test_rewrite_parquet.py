"""Rows taken out of Parquet files: values, types, metadata and layout of the rest stay."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.datamap.model import SharedRows
from privacy_ops.erasure.objects.rewrite import parquet
from privacy_ops.erasure.objects.rewrite.identify import Known
from privacy_ops.erasure.objects.rewrite.lines import Read, Unreadable

CHILD = "0f0e0d0c-0000-4000-8000-000000000001"
OTHER = "0f0e0d0c-0000-4000-8000-000000000002"
KNOWN = Known([("subject", (CHILD,), "case"), ("subject", ("7",), "seven")])


def spec(field: str = "user_id") -> SharedRows:
    return SharedRows.model_validate({"format": "parquet", "keys": [{"fields": [field], "kind": "subject"}]})


def written(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def stripped(data: bytes, how: SharedRows | None = None) -> tuple[bytes, Read]:
    out = io.BytesIO()
    read = parquet.strip(io.BytesIO(data), out, how or spec(), KNOWN)
    return out.getvalue(), read


def rich(people: list[str | None]) -> pa.Table:
    """A table with every type that tends to get lost."""
    n = len(people)
    at = datetime.datetime(2026, 11, 22, 1, 2, 3, 4567, datetime.UTC)
    columns = {
        "user_id": pa.array(people, pa.string()),
        "money": pa.array([Decimal("1.10") if i % 2 else None for i in range(n)], pa.decimal128(12, 2)),
        "at": pa.array([at] * n, pa.timestamp("us", "UTC")),
        "at_ns": pa.array(list(range(n)), pa.timestamp("ns")),
        "ratio": pa.array([float("nan") if i % 3 else None for i in range(n)], pa.float64()),
        "tag": pa.array([f"t{i % 2}" for i in range(n)]).dictionary_encode(),
        "list": pa.array([[1, None], None, []] * n, pa.list_(pa.int32()))[:n],
        "deep": pa.array([{"id": p, "n": i} for i, p in enumerate(people)]),
        "raw": pa.array([b"\x00\xff"] * n, pa.binary()),
        "day": pa.array([datetime.date(2026, 1, 1)] * n),
    }
    fields = [pa.field(name, array.type, metadata={"about": name}) for name, array in columns.items()]
    return pa.table(list(columns.values()), schema=pa.schema(fields, metadata={"made_by": "a test"}))


@pytest.mark.parametrize("field", ["user_id", "deep.id"])
@pytest.mark.parametrize("codec", ["snappy", "zstd", "none"])
def test_what_stays_is_equal_in_every_respect(field: str, codec: str) -> None:
    table = rich([CHILD, OTHER, None, CHILD, OTHER, OTHER, CHILD])
    data = written(table, row_group_size=3, compression=codec, use_dictionary=["tag"])
    out, read = stripped(data, spec(field))
    before, after = pq.ParquetFile(io.BytesIO(data)), pq.ParquetFile(io.BytesIO(out))
    kept = table.filter(pa.array([p != CHILD for p in table["user_id"].to_pylist()]))
    assert repr(after.read().to_pylist()) == repr(kept.to_pylist())
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert after.schema.equals(before.schema)
    assert [after.metadata.row_group(n).num_rows for n in range(3)] == [2, 2, 0]
    assert {after.metadata.row_group(0).column(n).compression for n in range(3)} == {
        before.metadata.row_group(0).column(n).compression for n in range(3)
    }
    assert after.metadata.format_version == before.metadata.format_version
    assert (read.rows, read.hits) == (7, 3)


@pytest.mark.parametrize("version", ["1.0", "2.4", "2.6"])
@pytest.mark.parametrize("int96", [False, True])
def test_older_files_stay_older_files(version: str, int96: bool) -> None:
    table = pa.table({"user_id": [CHILD, OTHER], "at": pa.array([1, 2], pa.timestamp("ns" if int96 else "us"))})
    data = written(table, version=version, use_deprecated_int96_timestamps=int96, store_schema=False)
    after = pq.ParquetFile(io.BytesIO(stripped(data)[0]))
    assert after.schema.equals(pq.ParquetFile(io.BytesIO(data)).schema)
    assert after.read().to_pylist() == pq.read_table(io.BytesIO(data)).to_pylist()[1:]
    assert b"ARROW:schema" not in (after.metadata.metadata or {})


@pytest.mark.parametrize(
    "people",
    [
        pa.array([7, 8], pa.int64()),
        pa.array(["7", "8"], pa.large_string()),
        pa.array(["7", "8"]).dictionary_encode(),
        pa.array([UUID(CHILD).bytes, UUID(OTHER).bytes], pa.binary(16)),
    ],
    ids=["number", "large text", "dictionary", "sixteen bytes"],
)
def test_people_are_named_in_columns_of_many_types(people: pa.Array) -> None:
    out, read = stripped(written(pa.table({"user_id": people, "n": [1, 2]})))
    assert pq.read_table(io.BytesIO(out))["n"].to_pylist() == [2]
    assert read.hits == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"not parquet at all", "NOT_PARQUET"),
        (written(pa.table({"user_id": [CHILD]}))[:-20], "NOT_PARQUET"),
        (written(pa.table({"uid": [CHILD]})), "NO_COLUMN"),
        (written(pa.table({"user_id": [[CHILD]]})), "SEVERAL_PEOPLE"),
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as raised:
        parquet.count(io.BytesIO(data), spec(), KNOWN)
    assert raised.value.code == code
    assert CHILD not in raised.value.what


def test_an_empty_object_holds_nobody() -> None:
    assert parquet.count(io.BytesIO(b""), spec(), KNOWN).rows == 0
    assert stripped(b"")[0] == b""


def test_what_would_come_out_differently_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_equal", lambda *_: False)
    with pytest.raises(Unreadable, match="would not be what it was"):
        stripped(written(rich([CHILD, OTHER])))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([CHILD, OTHER, None]), max_size=9), st.integers(1, 4))
def test_any_file_keeps_everybody_else_in_order(people: list[str | None], group: int) -> None:
    table = rich(people)
    data = written(table, row_group_size=group)
    out, read = stripped(data)
    kept = [row for row, person in zip(table.to_pylist(), people, strict=True) if person != CHILD]
    assert repr(pq.read_table(io.BytesIO(out)).to_pylist()) == repr(kept)
    assert (read.rows, read.hits) == (len(people), people.count(CHILD))
