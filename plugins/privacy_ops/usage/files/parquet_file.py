"""The Parquet file of a table: the values of its CSV, and as little else as the format and pyarrow allow.

No column statistics, no page index, no dictionary pages, one row group, no Arrow or pandas schema, no key-value
metadata. pyarrow writes two things that cannot be switched off: ``created_by`` (its own version, no path or machine),
and the format's size statistics (how many bytes and how many empty cells a column has), which follow from the rows.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from privacy_ops.usage.files.columns import Column
from privacy_ops.usage.files.model import Value


def write(columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> bytes:
    """The file's bytes: texts as UTF-8 strings, counts as 64-bit integers, withheld as null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([
        pa.field(column.name, pa.int64() if column.kind == "integer" else pa.string(), nullable=not column.required)
        for column in columns
    ])
    arrays = [pa.array([row[i] for row in rows], type=field.type) for i, field in enumerate(schema)]
    out = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        out,
        version="2.6",
        compression="snappy",  # every reader has it
        row_group_size=max(len(rows), 1),
        use_dictionary=False,
        write_statistics=False,
        write_page_index=False,
        store_schema=False,
    )
    return out.getvalue()
