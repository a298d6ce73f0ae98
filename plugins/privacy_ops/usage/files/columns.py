"""Columns of a table as every file has them: the order, the types, what a reader is told about each.

The CSV, the Parquet file, both kinds of metadata and the dictionary are written from these, so they agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from privacy_ops.usage.files import text
from privacy_ops.usage.files.model import FLAGS, Measure, Row, Table, TableSpec, Value

METHOD = "method_version"


@dataclass(frozen=True)
class Column:
    """``required``: never empty. ``least``: smallest integer. ``allowed``: the only texts, when they are a list."""

    name: str
    kind: Literal["text", "integer"]
    title: str
    description: str
    required: bool = True
    least: int | None = None
    allowed: tuple[str, ...] = ()


def columns(spec: TableSpec) -> tuple[Column, ...]:
    """Dimensions with their public titles, each measure with its flag, and the version of the method.

    Raises ValueError when two would have the same name.
    """
    found = (*_dimensions(spec), *_measures(spec), Column(METHOD, "text", "Method", "version of the method"))
    if len({column.name for column in found}) != len(found):
        raise ValueError(f"{spec.name}: two columns have the same name")
    return found


def _dimensions(spec: TableSpec) -> Iterator[Column]:
    for dimension in spec.dimensions:
        yield Column(dimension.name, "text", dimension.title, dimension.description)
        if dimension.label is not None:
            yield Column(dimension.label, "text", f"{dimension.title}: title", f"public title of {dimension.name}")


def _measures(spec: TableSpec) -> Iterator[Column]:
    for measure in spec.measures:
        yield _measure(spec, measure)
        said = f"whether {measure.name} is given; withheld is not zero"
        yield Column(flag_of(measure), "text", f"{measure.title}: published or withheld", said, allowed=FLAGS)


def _measure(spec: TableSpec, measure: Measure) -> Column:
    if measure.kind == "band":
        return Column(measure.name, "text", measure.title, measure.description, False, allowed=measure.bands)
    return Column(measure.name, "integer", measure.title, measure.description, False, least=spec.least_count)


def flag_of(measure: Measure) -> str:
    """The column that says whether a measure is given."""
    return f"{measure.name}_flag"


def primary_key(spec: TableSpec) -> list[str]:
    return [dimension.name for dimension in spec.dimensions]


def written(table: Table, method_version: str) -> list[tuple[Value, ...]]:
    """The rows as files hold them, sorted by what they show: texts made safe, a missing title replaced by its key,
    withheld as None.

    Raises ValueError when two keys would look the same.
    """
    rows = {tuple(map(text.safe, row.key)): _written(table.spec, row, method_version) for row in table.rows}
    if len(rows) != len(table.rows):
        raise ValueError(f"{table.spec.name}: two keys look the same on one line")
    return [rows[key] for key in sorted(rows)]


def _written(spec: TableSpec, row: Row, method_version: str) -> tuple[Value, ...]:
    cells: list[Value] = []
    for key, label in zip(row.key, row.labels, strict=True):
        if not (shown := text.safe(key)):
            raise ValueError(f"{spec.name}: a key has nothing to show")
        cells.append(shown)
        if label is not None:
            cells.append(text.safe(label) or shown)
    for value, flag in zip(row.values, row.flags, strict=True):
        cells += [value, flag]
    return (*cells, text.safe(method_version))
