"""Whether a pack's metadata is valid and describes the files that lie beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from privacy_ops.usage.files.columns import Column, columns, primary_key
from privacy_ops.usage.files.model import TableSpec

_PROFILE = Path(__file__).parent / "profiles" / "data-package-2.0.json"
_PROFILES = "https://datapackage.org/profiles/2.0/"
_DATA_FORMATS = ("csv", "parquet")


@cache
def _profile() -> Any:
    import jsonschema

    return jsonschema.Draft7Validator(
        json.loads(_PROFILE.read_text(encoding="utf-8")), format_checker=jsonschema.FormatChecker()
    )


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body.decode())
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def data_package_violations(body: bytes, files: Mapping[str, bytes], specs: Sequence[TableSpec]) -> list[str]:
    """What is wrong with datapackage.json, by the published profile and by the files."""
    found = _parsed(body)
    if found is None:
        return ["datapackage.json is not a JSON object"]
    wrong = [f"datapackage.json: the profile objects at {error.json_path}" for error in _profile().iter_errors(found)]
    if wrong:
        return wrong
    if found.get("$schema") != f"{_PROFILES}datapackage.json":
        wrong.append("datapackage.json is not version 2.0")
    resources = {resource.get("path"): resource for resource in found["resources"]}
    expected = {f"{spec.name}.{kind}": spec for spec in specs for kind in _DATA_FORMATS}
    if set(resources) != set(expected) or len(found["resources"]) != len(expected):
        wrong.append("datapackage.json describes other files than the pack has")
    for path in sorted(set(resources) & set(expected) & set(files)):
        wrong += [
            f"datapackage.json: {path}: {what}" for what in _resource(resources[path], files[path], expected[path])
        ]
    return wrong


def _resource(resource: Mapping[str, Any], body: bytes, spec: TableSpec) -> list[str]:
    schema = resource.get("schema", {})
    facts = {
        "the number of bytes": resource.get("bytes") == len(body),
        "the hash": resource.get("hash") == f"sha256:{hashlib.sha256(body).hexdigest()}",
        "what an empty value means": schema.get("missingValues") == [""],
        "the primary key": schema.get("primaryKey") == primary_key(spec),
        "the fields": [_field(field) for field in schema.get("fields", [])] == list(map(_of_column, columns(spec))),
    }
    return [f"{what} is wrong" for what, holds in facts.items() if not holds]


def _field(field: Mapping[str, Any]) -> tuple[Any, ...]:
    limits = field.get("constraints", {})
    return (
        field.get("name"),
        field.get("type"),
        limits.get("required"),
        limits.get("minimum"),
        tuple(limits.get("enum", ())),
    )


def _of_column(column: Column) -> tuple[Any, ...]:
    return (
        column.name,
        "integer" if column.kind == "integer" else "string",
        column.required,
        column.least,
        column.allowed,
    )


def csvw_violations(body: bytes, specs: Sequence[TableSpec]) -> list[str]:
    """What is wrong with csv-metadata.json. W3C publishes no schema of it, so its rules that matter here are named."""
    found = _parsed(body)
    if found is None:
        return ["csv-metadata.json is not a JSON object"]
    wrong = []
    context = found.get("@context")
    if context != "http://www.w3.org/ns/csvw" and (
        not isinstance(context, list) or context[:1] != ["http://www.w3.org/ns/csvw"]
    ):
        wrong.append("csv-metadata.json has another context")
    tables = found.get("tables")
    if not isinstance(tables, list) or [_url(table) for table in tables] != [f"{spec.name}.csv" for spec in specs]:
        return [*wrong, "csv-metadata.json describes other files than the pack has"]
    for table, spec in zip(tables, specs, strict=True):
        schema = table.get("tableSchema", {})
        described = schema.get("columns", [])
        if schema.get("primaryKey") != primary_key(spec):
            wrong.append(f"csv-metadata.json: {spec.name}: the primary key is wrong")
        if [_described(column) for column in described] != [_wanted(column) for column in columns(spec)]:
            wrong.append(f"csv-metadata.json: {spec.name}: the columns are wrong")
    return wrong


def _url(table: Any) -> Any:
    return table.get("url") if isinstance(table, dict) else None


def _described(column: Mapping[str, Any]) -> tuple[Any, ...]:
    kind = column.get("datatype", {})
    return (
        column.get("name"),
        column.get("titles"),
        kind.get("base"),
        kind.get("minimum"),
        column.get("required"),
        column.get("null"),
    )


def _wanted(column: Column) -> tuple[Any, ...]:
    return (
        column.name,
        column.name,
        "integer" if column.kind == "integer" else "string",
        None if column.least is None else str(column.least),
        column.required,
        "",
    )
