"""Whose row is it? Values of a row's fields, made canonical and looked up among the identifiers of planned subjects."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from privacy_ops import pseudonyms

_UUID = re.compile(r"^\{?[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\}?$")


class Lookup(Protocol):
    """Says whose identifier this is, or None. ``values`` are canonical (see ``canonical``)."""

    def __call__(self, kind: str, values: tuple[str, ...]) -> Hashable | None: ...


def canonical(kind: str, value: str) -> str:
    """The spelling that is compared: addresses normalised, UUIDs in their usual form, everything else trimmed."""
    value = value.strip()
    if kind == "email":
        # The same for plain ASCII, and much faster: most values of a large object are.
        return value.lower() if value.isascii() else pseudonyms.normalise_email(value)
    if _UUID.match(value):
        return str(UUID(value))
    return value


class Known:
    """A lookup among identifiers that are known in plain text: (kind, values, whose)."""

    def __init__(self, identifiers: Iterable[tuple[str, Sequence[str], Hashable]]) -> None:
        self._whose: dict[tuple[str, tuple[str, ...]], Hashable] = {}
        for kind, values, whose in identifiers:
            key = tuple(canonical(kind, value) for value in values)
            if all(key):
                self._whose[kind, key] = whose

    def __len__(self) -> int:
        return len(self._whose)

    def __call__(self, kind: str, values: tuple[str, ...]) -> Hashable | None:
        return self._whose.get((kind, values))


def whose(kind: str, values: Sequence[str | None], lookup: Lookup) -> Hashable | None:
    """The person that these fields of a row name, or None. Empty fields name nobody."""
    key = tuple(canonical(kind, value) for value in values if value is not None)
    return lookup(kind, key) if len(key) == len(values) and all(key) else None


Counts = Mapping[Hashable, int]
