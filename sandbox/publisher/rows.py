"""Rows on their way to COPY: columns of text in blocks, and the numbers that identify them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.publisher.database import Connection

NULL = "\\N"
Stamps = npt.NDArray[np.datetime64]


def text(value: Any) -> str:
    """One value in PostgreSQL's COPY text format."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, np.datetime64):
        return str(value)
    if isinstance(value, Mapping):
        value = json.dumps(value)
    elif isinstance(value, list | tuple):
        value = "{" + ",".join(json.dumps(part) for part in value) + "}"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def stamps(values: Stamps) -> list[str]:
    """Instants (UTC, to the second) as text; NaT becomes NULL."""
    out: list[str] = np.datetime_as_string(values).tolist()
    return [NULL if t == "NaT" else t for t in out] if np.isnat(values).any() else out


def pick(words: Sequence[str], where: npt.NDArray[np.integer[Any]]) -> list[str]:
    """``words`` at the positions ``where``."""
    return [words[i] for i in where.tolist()]


def where(mask: npt.NDArray[np.bool_], values: Sequence[str]) -> list[str]:
    """``values`` where ``mask`` holds, NULL elsewhere."""
    return [v if m else NULL for m, v in zip(mask.tolist(), values, strict=True)]


def constant(value: str, n: int) -> list[str]:
    return [value] * n


def uuids(rng: np.random.Generator, n: int) -> list[str]:
    """Random (version 4) identifiers in canonical form."""
    raw = rng.integers(0, 256, size=(n, 16), dtype=np.uint8)
    raw[:, 6] = (raw[:, 6] & 0x0F) | 0x40
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    h = raw.tobytes().hex()
    return [
        f"{h[i : i + 8]}-{h[i + 8 : i + 12]}-{h[i + 12 : i + 16]}-{h[i + 16 : i + 20]}-{h[i + 20 : i + 32]}"
        for i in range(0, 32 * n, 32)
    ]


class Ids:
    """The next number of each table with a numbered key."""

    def __init__(self, start: Mapping[str, int] | None = None) -> None:
        self._next = dict(start or {})

    def take(self, table: str, n: int = 1) -> range:
        first = self._next.get(table, 1)
        self._next[table] = first + n
        return range(first, first + n)

    def one(self, table: str) -> int:
        return self.take(table)[0]

    def tables(self) -> Iterable[tuple[str, int]]:
        """(table, next number) of every table that took one."""
        return self._next.items()


class Rows:
    """The rows of one chunk. Holds text only until ``copy`` empties it."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self.count = 0

    def columns(self, table: str, **columns: Sequence[str]) -> None:
        """Add rows given as columns of clean text (no tab, line feed or backslash except NULL)."""
        lines = list(map("\t".join, zip(*columns.values(), strict=True)))
        if lines:
            self.count += len(lines)
            self._blocks.setdefault((table, tuple(columns)), []).append("\n".join(lines) + "\n")

    def add(self, table: str, **values: Any) -> None:
        """Add one row of Python values."""
        self.count += 1
        line = "\t".join(map(text, values.values())) + "\n"
        self._blocks.setdefault((table, tuple(values)), []).append(line)

    def copy(self, connection: Connection) -> None:
        """COPY everything and forget it."""
        with connection.cursor() as cursor:
            for (table, columns), blocks in self._blocks.items():
                with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for block in blocks:
                        copy.write(block)
        self._blocks.clear()
