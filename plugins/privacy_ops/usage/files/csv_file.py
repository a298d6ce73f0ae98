"""The CSV of a table: RFC 4180 quoting, UTF-8 without a byte order mark, LF, withheld as an empty cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from privacy_ops.usage.files.columns import Column
from privacy_ops.usage.files.model import Value


def write(columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> bytes:
    """The file's bytes; the first line names the columns."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.name for column in columns)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return out.getvalue().encode()
