"""datapackage.json: Data Package v2, one resource per table and format, with hashes and schema.

https://datapackage.org/standard/data-package/ ; the published profile lies beside this module.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from privacy_ops.usage.files.columns import Column, columns, primary_key
from privacy_ops.usage.files.csvw import title
from privacy_ops.usage.files.model import PackContent, TableSpec

PROFILES = "https://datapackage.org/profiles/2.0/"
FORMATS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def write(content: PackContent, files: Mapping[str, bytes]) -> bytes:
    """The descriptor of the tables in ``files``."""
    described: dict[str, Any] = {
        "$schema": f"{PROFILES}datapackage.json",
        "name": "course-usage",
        "id": content.release_id,
        "title": title(content),
        "version": content.method_version,
        "product": content.product,
        "specVersion": content.spec_version,
        "period": {
            "key": content.period_key,
            "firstDay": content.first_day.isoformat(),
            "lastDay": content.last_day.isoformat(),
        },
        **({"supersedes": content.supersedes} if content.supersedes else {}),
        "resources": [_resource(table.spec, kind, files) for table in content.tables for kind in FORMATS],
    }
    return (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode()


def _resource(spec: TableSpec, kind: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    path = f"{spec.name}.{kind}"
    encoding = {"encoding": "utf-8", "dialect": {"$schema": f"{PROFILES}tabledialect.json", "lineTerminator": "\n"}}
    return {
        "$schema": f"{PROFILES}dataresource.json",
        "name": f"{spec.name.replace('_', '-')}-{kind}",
        "type": "table",
        "path": path,
        "format": kind,
        "mediatype": FORMATS[kind],
        **(encoding if kind == "csv" else {}),
        "bytes": len(files[path]),
        "hash": f"sha256:{hashlib.sha256(files[path]).hexdigest()}",
        "title": spec.title,
        "description": spec.description,
        "schema": {
            "$schema": f"{PROFILES}tableschema.json",
            "fields": [_field(column) for column in columns(spec)],
            "missingValues": [""],
            "primaryKey": primary_key(spec),
        },
    }


def _field(column: Column) -> dict[str, Any]:
    limits: dict[str, Any] = {"required": column.required}
    if column.least is not None:
        limits["minimum"] = column.least
    if column.allowed:
        limits["enum"] = list(column.allowed)
    return {
        "name": column.name,
        "type": "integer" if column.kind == "integer" else "string",
        "title": column.title,
        "description": column.description,
        "constraints": limits,
    }
