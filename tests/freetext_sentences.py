"""The labelled sentences about age, and what a scan says about one."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from privacy_ops.minors import freetext

FOLDER = Path(__file__).parent / "data" / "freetext"
LABELS = ("self_minor", "self_maybe", "other_minor", "none")


@dataclass(frozen=True)
class Sentence:
    part: str
    label: str
    trap: str
    ages: tuple[int, int] | None
    on: date | None
    text: str


def sentences(language: str, part: str | None = None) -> list[Sentence]:
    """The sentences of a language, of one part or of all."""
    with (FOLDER / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            Sentence(
                part=row["part"],
                label=row["label"],
                trap=row["trap"],
                ages=(int(row["age_first"]), int(row["age_last"])) if row["age_first"] else None,
                on=date.fromisoformat(row["on"]) if row["on"] else None,
                text=row["text"],
            )
            for row in csv.DictReader(file)
        ]
    return [row for row in rows if part in {None, row.part}]


def label(findings: Iterable[freetext.Finding]) -> str:
    """The label that findings amount to: what the writer says of himself or herself comes first."""
    about = list(findings)
    own = [finding for finding in about if finding.about == "self"]
    if any(finding.strength == "R" and finding.minor == "yes" for finding in own):
        return "self_minor"
    if own:
        return "self_maybe"
    return "other_minor" if about else "none"
