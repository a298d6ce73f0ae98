"""How much a release gives and what its rules cost, counted in its own rows. Pure.

Everything here is a function of what the CSV files say and of the public rules, so it tells a reader nothing that he
could not work out himself; ``tests/attack`` works it out from the files alone. What follows from true counts (which
rule withheld a figure, and how many people it hides) is not here: ``usage.utility`` keeps that in the house.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from privacy_ops.usage.files.model import Measure, PackContent, Row, Table


@dataclass(frozen=True)
class Given:
    """Figures of one column on one level of a table.

    ``covered``: of the people in the wholes that are published, about how many per cent are in published parts: sum of
    rounded parts by sum of rounded wholes, at most 100. None where people are not divided among the rows, for a band,
    and where no whole is published.
    """

    table: str
    level: str
    measure: str
    given: int
    rows: int
    covered: int | None = None

    @property
    def percent(self) -> int:
        """Per cent of the figures that are given, rounded down: 100 is all of them."""
        return 100 * self.given // self.rows


def count(content: PackContent) -> tuple[Given, ...]:
    """Every column of every table, level by level from the whole down."""
    return tuple(found for table in content.tables for found in _levels(table, content.tables))


def costs(content: PackContent) -> tuple[str, ...]:
    """What the rules cost, in plain words: what is without a figure, and how far rounding may move one."""
    rows = [row for table in content.tables for row in table.rows]
    whole = sum("withheld" not in row.flags for row in rows)
    none = sum("published" not in row.flags for row in rows)
    said = [
        f"Withholding: of {len(rows)} rows, which are all that the public lists have, {whole} have every figure,"
        f" {len(rows) - whole - none} have some and {none} have none."
    ]
    for table in content.tables:
        counts = [value for row in table.rows for value in row.values if isinstance(value, int)]
        furthest = table.spec.round_to // 2
        line = f"Rounding, {table.spec.title}: no count moves by more than {furthest}"
        if counts:
            most = -(-100 * furthest * len(counts) // sum(counts))
            line += f", all {len(counts)} together by at most {most} per cent of what they come to"
        said.append(f"{line}.")
    bands = sum(isinstance(value, str) for row in rows for value in row.values)
    if any(measure.kind == "band" for table in content.tables for measure in table.spec.measures):
        said.append(f"Bands: {bands} means and shares are given as bands, none as a number.")
    return tuple(said)


def _levels(table: Table, tables: Sequence[Table]) -> Iterator[Given]:
    finest = table.spec.dimensions[-1]
    wholes = [row for row in table.rows if row.key[-1] == finest.whole]
    parts = [row for row in table.rows if row.key[-1] != finest.whole]
    around = _wholes(table, wholes, tables) if finest.whole is not None else {}
    for level, rows in ((table.spec.dimensions[-2].title if wholes else "", wholes), (finest.title, parts)):
        for place, measure in enumerate(table.spec.measures):
            if rows:
                shown = sum(row.flags[place] == "published" for row in rows)
                covered = _covered(rows, place, around.get(measure.name, {})) if rows is parts else None
                yield Given(table.spec.title, level, measure.title, shown, len(rows), covered)


def _wholes(table: Table, own: Sequence[Row], tables: Sequence[Table]) -> Mapping[str, Mapping[tuple[str, ...], int]]:
    """Published counts of what the rows of a table are parts of, by measure and key: from the table itself, or from one
    of the pack that has the same dimensions but the last."""
    names = [dimension.name for dimension in table.spec.dimensions[:-1]]
    found: dict[str, dict[tuple[str, ...], int]] = {}
    for other in tables:
        if [dimension.name for dimension in other.spec.dimensions] == names:
            _add(found, other.spec.measures, {row.key: row for row in other.rows})
    _add(found, table.spec.measures, {row.key[:-1]: row for row in own})
    return found


def _add(
    found: dict[str, dict[tuple[str, ...], int]], measures: Sequence[Measure], rows: Mapping[tuple[str, ...], Row]
) -> None:
    for place, measure in enumerate(measures):
        if measure.kind == "count":
            counts = {key: value for key, row in rows.items() if isinstance(value := row.values[place], int)}
            found.setdefault(measure.name, {}).update(counts)


def _covered(parts: Sequence[Row], place: int, wholes: Mapping[tuple[str, ...], int]) -> int | None:
    """Per cent of the published wholes that published parts come to."""
    all_ = sum({row.key[:-1]: wholes.get(row.key[:-1], 0) for row in parts}.values())
    if not all_:
        return None
    shown = sum(v for row in parts if row.key[:-1] in wholes and isinstance(v := row.values[place], int))
    return min(100, 100 * shown // all_)
