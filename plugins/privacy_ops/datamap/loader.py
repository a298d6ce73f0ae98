"""Reads a data map from YAML files and says clearly what is wrong with it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import DataMapError
from privacy_ops.safe_yaml import SafeLoader


class _UniqueKeys(SafeLoader):
    """A table or column listed twice is an error, not a silent overwrite."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(path: Path) -> DataMap:
    """Read one file, or every ``*.yaml`` of a folder merged (``tables`` and ``objects`` add up).

    Raises DataMapError naming file, entry and reason.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files or not files[0].exists():
        raise DataMapError("there is no data map", where=str(path), do="write one, or draft it with `map scaffold`")
    merged: dict[str, Any] = {}
    for file in files:
        try:
            part = yaml.load(file.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
        except yaml.YAMLError as error:
            raise DataMapError("the data map is not valid YAML", where=str(file), do=str(error)) from None
        if not isinstance(part, dict):
            raise DataMapError("the data map is empty or not a mapping", where=str(file), do="see docs/data_map.md")
        for key, value in part.items():
            if key in {"tables", "objects"} and isinstance(value, dict):
                known = merged.setdefault(key, {})
                if twice := sorted(set(known) & set(value)):
                    raise DataMapError(f"listed in two files: {', '.join(twice)}", where=str(file), do="keep one")
                known.update(value)
            elif key in merged:
                raise DataMapError(f"{key!r} stands in two files", where=str(file), do="keep one")
            else:
                merged[key] = value
    try:
        return DataMap.model_validate(merged)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'map'}: {e['msg']}" for e in error.errors())
        raise DataMapError("the data map is not valid", where=str(path), do=wrong) from None


def sha256(data_map: DataMap) -> str:
    """Hash of what the map says, recorded with each run."""
    return hashlib.sha256(data_map.model_dump_json().encode()).hexdigest()
