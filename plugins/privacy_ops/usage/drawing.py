"""Draws of noisy counts: one per period, over every public course, made once, paid for once, and kept.

Reserve, draw, keep, publish: under the year's lock, in one transaction, the year's budget is looked at, people are
counted with what each adds bounded, noise is drawn, and the draw is entered with its cost. A kill before the commit
leaves neither a draw that anybody saw nor a cost; after it, the draw is served for ever. Averaging reruns is therefore
of no use. What is kept is already rounded and withheld: neither a true nor a noisy count stays.

Everything but the counts is public: the courses, their parts, the order in which a person's cells are taken.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, text

from privacy_ops.datamap.model import DataMap
from privacy_ops.disclosure import noise
from privacy_ops.disclosure.linked.cells import PublishedCell
from privacy_ops.disclosure.linked.frame import Key
from privacy_ops.disclosure.noise import Noise
from privacy_ops.errors import ReleaseRefused
from privacy_ops.runs import Run
from privacy_ops.stores.sql import read_statement, statement
from privacy_ops.usage import counting, period_view, periods, view
from privacy_ops.usage.counting import Engine, Postgres
from privacy_ops.usage.frames import ALL, COMPLETERS, STARTERS, UNSHOWN
from privacy_ops.usage.institutions import Spelling
from privacy_ops.usage.period_view import Lists
from privacy_ops.usage.periods import Period
from privacy_ops.usage.places import Places
from privacy_ops.usage.release_spec import DifferentialPrivacy, Part, ReleaseSpec
from privacy_ops.usage.view import PublicCourse

AREA = "usage/draw"
STEPS = ("person_cell", "bounded_cell")
_LEVELS: dict[Part, int] = {"course": 0, "module": 1, "country": 2, "region": 3}
_MEASURES: dict[Literal["starters", "completers"], str] = {"starters": STARTERS, "completers": COMPLETERS}


class DrawnCell(NamedTuple):
    """One count of the public list: a measure of a course or of a part of it, by name and by number."""

    course_id: str
    key: Key  # without the period: module, place
    measure: str
    course: int
    level: int
    part: int
    number: int  # of the measure


@dataclass(frozen=True)
class Draw:
    """Published counts of one period by course, with the public titles of the day on which they were drawn.

    ``rho``: what it costs each person who was there; ``cells_per_person``: how many counts one may add to.
    """

    period_key: str
    rho: Decimal
    cells_per_person: int
    courses: Mapping[str, PublicCourse]
    cells: Mapping[str, tuple[PublishedCell, ...]]

    def tells_of(self, course_id: str, modules: Collection[str] = ()) -> bool:
        """Whether a course, or one of these modules of it, was there when it was drawn."""
        course = self.courses.get(course_id)
        return course is not None and (not modules or any(module in modules for module, _ in course.modules))


Draws = Mapping[str, Draw]  # by period


def public_cells(lists: Lists, parts: Mapping[Part, Iterable[str]]) -> Iterator[DrawnCell]:
    """Every count that the tables of a period show, whether anybody is in it or not.

    ``parts``: measures that are drawn of each part.
    """
    modules: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, (course_id, module) in enumerate(lists.modules, start=1):
        modules[course_id].append((number, module))
    places = lists.places
    regions = [(n, name) for n, name in enumerate(places.regions) if name not in UNSHOWN]
    countries = [(n, c.code) for n, c in enumerate(places.countries) if c.code not in UNSHOWN]
    for course, course_id in enumerate(lists.courses, start=1):
        of: dict[Part, list[tuple[int, Key]]] = {
            "course": [(0, (ALL, ALL))],
            "module": [(n, (module, ALL)) for n, module in modules[course_id]],
            "country": [(n, (ALL, code)) for n, code in countries],
            "region": [(n, (ALL, name)) for n, name in regions],
        }
        for part, named in parts.items():
            for number, (name, measure) in enumerate(_MEASURES.items()):
                if name in named:
                    for place, key in of[part]:
                        yield DrawnCell(course_id, key, measure, course, _LEVELS[part], place, number)


def in_public_order(cells: Iterable[DrawnCell], period_key: str) -> list[DrawnCell]:
    """The order in which a person's cells are taken: as if by lot, another in each period, and known to all."""

    def lot(cell: DrawnCell) -> str:
        name = json.dumps([period_key, cell.course_id, cell.key, cell.measure])
        return hashlib.sha256(name.encode()).hexdigest()

    return sorted(cells, key=lot)


def bounded_counts(engine: Engine, cells_per_person: int) -> dict[int, int]:
    """People of each cell of ``drawn_cell`` that has any, from the period's tables and the steps of counting.

    No person adds to more than ``cells_per_person``, so without one the counts differ in as many at most, by one each.
    """
    engine.forget([*STEPS, *counting.STEPS])
    for step in ("person_module", "person_course"):
        engine.keep(step, read_statement(counting.AREA, step), {})
    for step in STEPS:
        query = read_statement(AREA, step)
        engine.keep(step, query, {"cells_per_person": cells_per_person} if ":cells_per_person" in query else {})
    return {int(cell): int(people) for cell, people in engine.rows("SELECT b.cell, b.people FROM bounded_cell AS b")}


def published(
    cells: Sequence[DrawnCell],
    counts: Mapping[int, int],
    period_key: str,
    rules: DifferentialPrivacy,
    dice: Noise,
    round_to: int,
) -> dict[str, tuple[PublishedCell, ...]]:
    """Noise on every count of the list, then the threshold and the rounding, which look at the noisy count alone."""
    noisy = noise.draw([counts.get(number, 0) for number in range(len(cells))], dice)
    found: dict[str, dict[Key, dict[str, int | str | None]]] = defaultdict(lambda: defaultdict(dict))
    for cell, count in zip(cells, noisy, strict=True):
        found[cell.course_id][period_key, *cell.key][cell.measure] = noise.shown(count, rules.least_shown, round_to)
    return {
        course: tuple(PublishedCell(key, dict(sorted(values.items()))) for key, values in sorted(by_key.items()))
        for course, by_key in sorted(found.items())
    }


def ensure(
    connection: Connection,
    data_map: DataMap,
    run: Run,
    period: Period,
    spec: ReleaseSpec,
    places: Places,
    spellings: Sequence[Spelling],
    *,
    now: datetime,
) -> bool:
    """Make and keep the draw of a period, if its kind has tables that are drawn and there is none yet.

    The caller holds the lock of the period's year. Returns whether one was made. Raises ReleaseRefused when the
    year's budget does not cover it: then nothing was counted.
    """
    tables, rules = spec.drawn(period.kind), spec.differential_privacy
    if not tables or rules is None or read(connection, spec.spec_version, [period.key]):
        return False
    year = periods.of_kind(period.windows()[-1], "year").key
    rho = rules.rho[period.kind]  # type: ignore[index]  # validated: of every kind that has such tables
    left = rules.rho_per_year - spent(connection, year)
    if rho > left:
        raise ReleaseRefused(
            f"the privacy budget of {year} does not cover another draw: {left} of {rules.rho_per_year} left, {rho}"
            " needed",
            where=period.key,
            do="release no more noisy counts of this year; what was drawn is served as it is."
            " A new spec does not give the budget back",
        )
    courses = view.all_courses(connection, data_map)
    lists = period_view.build(connection, data_map, period, places, spellings, courses)
    parts: dict[Part, set[str]] = defaultdict(set)
    for table in tables.values():
        for part in table.parts:
            parts[part] |= set(table.measures)
    cells = in_public_order(public_cells(lists, parts), period.key)
    list_cells(connection, cells)
    dice = Noise(Fraction(rho), rules.cells_per_person)
    counts = bounded_counts(Postgres(connection), rules.cells_per_person)
    public = view.public_courses(connection, data_map, courses)
    shown = published(cells, counts, period.key, rules, dice, spec.thresholds.round_to)
    said = _canonical(public, shown)
    connection.execute(
        statement("usage", "insert_draw"),
        {
            "period_key": period.key,
            "year_key": year,
            "spec_version": spec.spec_version,
            "rho": rho,
            "cells_per_person": rules.cells_per_person,
            "scale": dice.scale,
            "cells": said,
            "sha256": hashlib.sha256(said.encode()).hexdigest(),
            "run_id": run.run_id,
            "drawn_at": now,
        },
    )
    return True


def spent(connection: Connection, year_key: str) -> Decimal:
    """What the draws of a year have cost each person who was there all year (zCDP: costs add up)."""
    return Decimal(connection.execute(statement("usage", "select_privacy_spent"), {"year_key": year_key}).scalar_one())


def is_overspent(connection: Connection, spec: ReleaseSpec, period: Period) -> bool:
    """Whether the draws of the period's year cost more than may be, or the period's own is missing."""
    year = periods.of_kind(period.windows()[-1], "year").key
    limit = spec.differential_privacy.rho_per_year if spec.differential_privacy else Decimal(0)
    return spent(connection, year) > limit or not read(connection, spec.spec_version, [period.key])


def read(connection: Connection, spec_version: str, keys: Sequence[str]) -> Draws:
    """Kept draws of these periods; those never drawn are missing. Raises ReleaseRefused for one that was changed."""
    rows = connection.execute(statement("usage", "select_draws"), {"periods": list(keys), "spec_version": spec_version})
    return {row.period_key: _read(row) for row in rows}


def list_cells(connection: Connection, cells: Sequence[DrawnCell]) -> None:
    """The public list as a table of numbers: a cell's number is its turn."""
    connection.execute(text("DROP TABLE IF EXISTS drawn_cell"))
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE drawn_cell AS SELECT CAST(t.turn - 1 AS integer) AS cell,"
            " CAST(t.turn AS integer) AS turn, t.course, t.level, t.part, t.measure"
            " FROM UNNEST(CAST(:courses AS integer[]), CAST(:levels AS integer[]), CAST(:parts AS integer[]),"
            " CAST(:measures AS integer[])) WITH ORDINALITY AS t(course, level, part, measure, turn)"
        ),
        {
            "courses": [cell.course for cell in cells],
            "levels": [cell.level for cell in cells],
            "parts": [cell.part for cell in cells],
            "measures": [cell.number for cell in cells],
        },
    )
    connection.execute(text("ANALYZE drawn_cell"))


def _canonical(courses: Mapping[str, PublicCourse], cells: Mapping[str, Iterable[PublishedCell]]) -> str:
    kept = {
        course: {
            "title": courses[course].title,
            "modules": courses[course].modules,
            "cells": [[list(cell.key), dict(cell.values)] for cell in of],
        }
        for course, of in cells.items()
    }
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _read(row: Any) -> Draw:
    said = json.dumps(row.cells, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if hashlib.sha256(said.encode()).hexdigest() != row.sha256:
        raise ReleaseRefused(
            "a kept draw is not what was stored",
            where="gov.privacy_draw",
            do="treat it as an incident: compare with a backup, release nothing of this period; do not draw again",
        )
    return Draw(
        row.period_key,
        Decimal(row.rho),
        row.cells_per_person,
        {
            course: PublicCourse(course, kept["title"], tuple((m, t) for m, t in kept["modules"]))
            for course, kept in row.cells.items()
        },
        {
            course: tuple(PublishedCell(tuple(key), values) for key, values in kept["cells"])
            for course, kept in row.cells.items()
        },
    )
