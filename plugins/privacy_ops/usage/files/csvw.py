"""csv-metadata.json: W3C CSV on the Web, so that a tool reads the tables with their types and empty cells.

https://www.w3.org/TR/tabular-metadata/ . ``titles`` is what the header line says; the words for people are in
``dc:title`` and ``dc:description``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from privacy_ops.usage.files.columns import Column, columns, primary_key
from privacy_ops.usage.files.model import PackContent, TableSpec
from privacy_ops.usage.periods import in_words

CONTEXT = ["http://www.w3.org/ns/csvw", {"@language": "en"}]
NULL = ""


def write(content: PackContent) -> bytes:
    """Metadata of every CSV in the pack."""
    described: dict[str, Any] = {
        "@context": CONTEXT,
        "dc:title": title(content),
        "dc:identifier": content.release_id,
        "dc:temporal": f"{content.first_day.isoformat()}/{content.last_day.isoformat()}",
        "dc:conformsTo": content.spec_version,
        **({"dc:replaces": content.supersedes} if content.supersedes else {}),
        "dialect": {"encoding": "utf-8", "lineTerminators": ["\n"], "header": True, "delimiter": ","},
        "tables": [_table(table.spec) for table in content.tables],
    }
    return (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode()


def title(content: PackContent) -> str:
    """What the pack is called wherever it has one line to say so."""
    return f"Use of courses in {in_words(content.period_key)} ({content.period_key})"


def _table(spec: TableSpec) -> dict[str, Any]:
    return {
        "url": f"{spec.name}.csv",
        "dc:title": spec.title,
        "dc:description": spec.description,
        "tableSchema": {
            "columns": [_column(column) for column in columns(spec)],
            "primaryKey": primary_key(spec),
        },
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "titles": column.name,
        "dc:title": column.title,
        "dc:description": column.description,
        "datatype": _datatype(column),
        "required": column.required,
        "null": NULL,
    }


def _datatype(column: Column) -> dict[str, str]:
    if column.kind == "integer":
        return {"base": "integer", **({} if column.least is None else {"minimum": str(column.least)})}
    if column.allowed:
        return {"base": "string", "format": "|".join(map(re.escape, column.allowed))}
    return {"base": "string"}
