"""What a release says and what its rules cost: whole in the register, for the privacy lead.

Recipients are told what their own files show: their report counts it there (``usage.files.given``). Which rule withheld
a figure, and how many people it hides, follow from true counts and would tell of them; this stays in the house.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privacy_ops.usage.drawing import Draw
from privacy_ops.usage.files import given
from privacy_ops.usage.files.model import PackContent
from privacy_ops.usage.levels import IN_WORDS, Level
from privacy_ops.usage.master import Master
from privacy_ops.usage.pack import FileTable
from privacy_ops.usage.protection import levels_of


def utility(
    content: PackContent, masters: Sequence[Master], shown: Sequence[FileTable], draw: Draw | None = None
) -> dict[str, object]:
    """What the register keeps. ``tables``: values and published values. ``given``: the same by level and column, as the
    recipient's report has it. ``levels``: by table, part and course, cells and people shown and withheld by each rule.
    ``people``: of the masters, by course and part. ``withheld_by``: numbers withheld by each rule in the masters.
    ``privacy``: what a draw of noisy counts costs each person.

    ``shown``: tables that can close with the pack. A table's rules are counted over the whole course, also where
    the recipient sees some of its modules.
    """
    costs: Counter[str] = Counter()
    for master in masters:
        costs.update(master.protected.costs)
    spent = {"privacy": {"rho": str(draw.rho), "cells_per_person": draw.cells_per_person}} if draw else {}
    names = {table.spec.name for table in content.tables}
    return {
        **spent,
        "tables": {t.spec.name: {"values": t.n_values, "published": t.n_values - t.n_withheld} for t in content.tables},
        "given": [
            {"table": g.table, "level": g.level, "measure": g.measure, "given": g.given, "rows": g.rows}
            for g in given.count(content)
        ],
        "levels": {
            table.spec.name: _levels(table, content.product, masters)
            for table in shown
            if table.spec.name in names and table.profile == "threshold"
        },
        "people": {master.course_id: dict(master.protected.people) for master in masters},
        "withheld_by": dict(sorted(costs.items())),
        "rounding": list(given.costs(content)[1:]),
    }


def _levels(table: FileTable, product: str, masters: Sequence[Master]) -> dict[str, dict[str, Any]]:
    """By part and course."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for master in masters:
        for part, level in levels_of(master.protected, product, table.name).items():
            if part in table.parts:
                found[part][master.course_id] = level.row()
    return dict(found)


@dataclass(frozen=True)
class LevelReport:
    """One level of a table over all courses of a release. Of the people of a course who started: the least, median and
    largest share, in per cent. ``rules``: code, what it means, cells withheld, and the largest share of a course's
    people that they are."""

    table: str
    part: str
    courses: int
    cells: int
    published: int
    people: tuple[int, int, int]
    rules: tuple[tuple[str, str, int, int], ...]

    @property
    def percent(self) -> int:
        """Per cent of the cells that are published, rounded down."""
        return 100 * self.published // self.cells

    @property
    def shown(self) -> str:
        """The shares of people in words."""
        least, median, most = self.people
        return f"at least {least} %" if least == most else f"at least {least} to {most} %, median {median} %"


def level_reports(kept: Mapping[str, Any]) -> tuple[LevelReport, ...]:
    """From what the register keeps; nothing of releases of before it was kept."""
    return tuple(
        _level_report(table, part, [Level.of(level) for level in courses.values()])
        for table, parts in kept.get("levels", {}).items()
        for part, courses in parts.items()
    )


def _level_report(table: str, part: str, levels: Sequence[Level]) -> LevelReport:
    shares = [level.people for level in levels]
    cells: Counter[str] = Counter()
    people: dict[str, int] = defaultdict(int)
    for level in levels:
        for rule, (number, share) in level.withheld.items():
            cells[rule] += number
            people[rule] = max(people[rule], share)
    return LevelReport(
        table,
        part,
        len(levels),
        sum(level.cells for level in levels),
        sum(level.published for level in levels),
        (min(shares), int(statistics.median_low(shares)), max(shares)),
        tuple((rule, IN_WORDS.get(rule, rule), cells[rule], people[rule]) for rule in sorted(cells)),
    )


def utility_lines(kept: Mapping[str, Any]) -> Iterator[str]:
    """What the register keeps of a release's utility, in plain words. For people of the house only."""
    for table, count in kept.get("tables", {}).items():
        share = 100 * count["published"] // count["values"] if count["values"] else 0
        yield f"{table}: {count['published']} of {count['values']} figures published ({share} %)"
    for course, parts in kept.get("people", {}).items():
        by_part = ", ".join(f"{share} % by {part}" for part, share in parts.items())
        yield f"course {course}: of those who started, at least {by_part} are in figures that are shown"
    if privacy := kept.get("privacy"):
        yield f"noisy counts: a cost of {privacy['rho']} (zCDP) to each person, once for all recipients of the period"
    for reason, count in kept.get("withheld_by", {}).items():
        yield f"{count} numbers withheld in its masters: {IN_WORDS.get(reason, reason)}"


def report_lines(kept: Mapping[str, Any]) -> Iterator[str]:
    """The whole release report: ``utility_lines``, then level by level what each rule cost in cells and in people."""
    yield from utility_lines(kept)
    reports = level_reports(kept)
    for one in reports:
        yield (
            f"{one.table} by {one.part}: {one.published} of {one.cells} cells published ({one.percent} %) in"
            f" {one.courses} course(s), with {one.shown} of a course's starters"
        )
        for rule, words, cells, people in one.rules:
            share = f"up to {people} %" if people else "less than a step"
            yield f"  {rule}: {cells} cells, {share} of a course's starters: {words}"
    if not reports:
        yield "by level: not kept for this release (before levels were kept, or noisy counts alone)"
    yield from kept.get("rounding", ())
    yield "Differencing: no cell; a release that earlier ones would unmask is held as a whole, and this one was not"
