"""YAML files of declarations: read so that an error can name its line, written so that reading gives the same back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from privacy_ops.errors import ConfigError
from privacy_ops.safe_yaml import SafeLoader

Where = tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """The one mapping of a file, and the line on which each of its parts begins."""

    path: Path
    entries: dict[str, Any]
    lines: Mapping[Where, int]

    def line(self, where: Where) -> int:
        """Line of ``where``, or of the nearest part around it that is written down."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)


class _Strict(SafeLoader):
    """YAML in which only true and false are truth values, as in YAML 1.2: NO is Norway."""


_Strict.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}
_Strict.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _walk(node: yaml.Node, at: Where = ()) -> Iterator[tuple[Where, int]]:
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inside = (*at, str(key.value))
            yield inside, key.start_mark.line + 1
            yield from ((where, line) for where, line in _walk(value, inside) if where != inside)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walk(value, (*at, str(number)))


def _repeated(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:merge" and str(key.value) in seen:
                yield f"line {line}: {key.value} stands twice (first on line {seen[str(key.value)]})"
            seen[str(key.value)] = line
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)


def read(path: Path, key: str) -> Document:
    """The mapping ``key`` of a YAML file. Raises ConfigError naming file and line."""
    raw, node = _parse(path, f"write it; with nothing to declare it says {key}: {{}}")
    if not isinstance(raw, dict) or set(raw) != {key} or not isinstance(raw[key], dict):
        raise ConfigError("a registry file has another shape", where=str(path), do=f"write one mapping, {key!r}")
    lines: dict[Where, int] = {}
    for at, number in _walk(node) if node is not None else ():
        lines.setdefault(at, number)
    entries = {str(name): entry for name, entry in raw[key].items()}
    return Document(path, entries, {at[1:]: number for at, number in lines.items() if at[:1] == (key,)})


def read_fields(path: Path) -> dict[str, Any]:
    """The fields of one entry. Raises ConfigError naming file and line."""
    raw, _ = _parse(path, "name a file with the entry's fields")
    if not isinstance(raw, dict):
        raise ConfigError("the file has another shape", where=str(path), do="write the fields as one mapping")
    return {str(name): value for name, value in raw.items()}


def _parse(path: Path, missing: str) -> tuple[Any, yaml.Node | None]:
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ConfigError("a registry file is missing", where=str(path), do=missing) from None
    except OSError as error:
        raise ConfigError("a registry file cannot be read", where=str(path), do=str(error.strerror)) from None
    except UnicodeDecodeError as error:
        where = f"{path}, byte {error.start}"
        raise ConfigError("a registry file is not UTF-8", where=where, do="save it as UTF-8") from None
    try:
        loader = _Strict(text)  # both readings of one parse: a registry is read several times in a run
        node = loader.get_single_node()
        repeated = list(_repeated(node)) if node is not None else []
        raw = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise ConfigError("a registry file is not valid YAML", where=place, do=error.problem or "mend it") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        # A mapping as a key, a date that does not exist, nesting without end: YAML allows to write it.
        raise ConfigError("a registry file is not valid YAML", where=str(path), do=type(error).__name__) from None
    if repeated:
        raise ConfigError("a registry file says something twice", where=str(path), do="; ".join(repeated))
    return raw, node


def render(key: str, entries: Mapping[str, Any]) -> str:
    """The text of a file: entries in the order given, fields in the order of their model."""
    return yaml.safe_dump({key: dict(entries)}, sort_keys=False, allow_unicode=True, width=110)
