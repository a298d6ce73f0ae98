"""DATA_DICTIONARY.md: every column of every table, from the spec alone."""

from __future__ import annotations

from privacy_ops.usage.files.columns import Column, columns, primary_key
from privacy_ops.usage.files.model import PackContent, TableSpec
from privacy_ops.usage.files.text import markdown


def write(content: PackContent) -> bytes:
    """The dictionary as Markdown."""
    parts = [
        "# Data dictionary\n",
        "Every column that may appear. A CSV file and the Parquet file of the same name hold the same values.",
        "An empty cell (null in Parquet) whose flag is `withheld` is not zero: it says nothing at all.\n",
        *(_table(table.spec) for table in content.tables),
    ]
    return ("\n".join(parts).rstrip("\n") + "\n").encode()


def _table(spec: TableSpec) -> str:
    key = ", ".join(f"`{name}`" for name in primary_key(spec))
    lines = [
        f"## {spec.name}\n",
        f"{markdown(spec.title)}. {markdown(spec.description)}\n",
        f"One row for each {key}. Counts are at least {spec.least_count} and multiples of {spec.round_to}.\n",
        "| column | type | empty | values | meaning |",
        "|---|---|---|---|---|",
        *(_row(column) for column in columns(spec)),
    ]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    allowed = ", ".join(f"`{value}`" for value in column.allowed)
    limits = allowed or (f"{column.least} or more" if column.least is not None else "")
    empty = "never" if column.required else "when withheld"
    return f"| `{column.name}` | {column.kind} | {empty} | {limits} | {markdown(column.description)} |"
