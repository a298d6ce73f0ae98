"""The register of institutions: spellings that are known to mean one hospital, university or clinic.

``include/registry/institutions.csv``. What people write is compared after folding case, width and spaces; a spelling
that is not in here might be a listed institution under another name, so all such spellings together count as one.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from privacy_ops.errors import ConfigError

FILE = "institutions.csv"
_COLUMNS = ("spelling", "institution", "source")


@dataclass(frozen=True)
class Spelling:
    """One way in which an institution is written."""

    spelling: str
    institution: str


def load(folder: Path) -> tuple[Spelling, ...]:
    """Read the register below ``include/registry``. Raises ConfigError naming file and line."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            "the register of institutions cannot be read", where=str(path), do=str(error.strerror)
        ) from None
    rows = csv.DictReader(text.splitlines())
    if tuple(rows.fieldnames or ()) != _COLUMNS:
        raise ConfigError("the register of institutions has other columns", where=str(path), do=",".join(_COLUMNS))
    found: dict[str, str] = {}
    wrong: list[str] = []
    for number, row in enumerate(rows, start=2):
        spelling, institution = (row["spelling"] or "").strip(), (row["institution"] or "").strip()
        if not spelling or not institution:
            wrong.append(f"line {number}: a spelling and the institution it means")
        elif found.setdefault(spelling, institution) != institution:
            wrong.append(f"line {number}: this spelling means another institution above")
    if wrong:
        raise ConfigError("the register of institutions is not valid", where=str(path), do="; ".join(wrong))
    return tuple(Spelling(spelling, institution) for spelling, institution in sorted(found.items()))
