"""report.html: the figures as one self-contained page with charts, for a phone, a screen and paper.

It needs no network and no script, and its own policy forbids both. Every chart has its figures in a table below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from privacy_ops import templates
from privacy_ops.usage import periods
from privacy_ops.usage.files import chart, given
from privacy_ops.usage.files.csvw import title
from privacy_ops.usage.files.model import Flag, Measure, PackContent, Row, Table, TableSpec, Value
from privacy_ops.usage.files.text import one_line

if TYPE_CHECKING:
    import jinja2

_FOLDER = Path(__file__).parent
# Not from the machine: its language must not change a byte.
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December")  # fmt: skip
_AUDIENCES = {"EXP-AUTHOR": ", figures for authors", "EXP-SUPPORTER": ", figures for supporters"}


@dataclass(frozen=True)
class _Figure:
    """A value as shown."""

    state: chart.State
    text: str = ""


@dataclass(frozen=True)
class _Line:
    names: tuple[str, ...]
    values: tuple[_Figure, ...]


@dataclass(frozen=True)
class _Point:
    period: str
    values: tuple[_Figure, ...]


@dataclass(frozen=True)
class _Series:
    """One course, module or region over time."""

    ident: str
    title: str
    chart: str
    n_withheld: int
    points: tuple[_Point, ...]


@dataclass(frozen=True)
class _Section:
    """One table."""

    ident: str
    title: str
    description: str
    caption: str
    period: str
    heads: tuple[str, ...]
    measures: tuple[str, ...]
    rows: tuple[_Line, ...]
    series: tuple[_Series, ...]
    silent: tuple[str, ...] = ()  # of which nothing is given in any period


@cache
def _template() -> jinja2.Template:
    return templates.environment(_FOLDER).get_template("report.html.j2")


def write(content: PackContent) -> bytes:
    """The page. Charts appear as soon as a table has two periods, those of the history counted."""
    css = templates.asset(_FOLDER / "report.css")
    sections = (*_sections(content), *_over_time(content))
    page = _template().render(
        content=content,
        title=title(content),
        first_day=_day(content.first_day),
        last_day=_day(content.last_day),
        audience=_AUDIENCES.get(content.product, f", {content.product}"),
        recipient=one_line(content.recipient_name),
        n_values=sum(table.n_values for table in content.tables),
        n_published=sum(table.n_values - table.n_withheld for table in content.tables),
        sections=sections,
        no_chart="" if any(section.series or section.silent for section in sections) else _no_chart(content.period_key),
        given=given.count(content),
        costs=given.costs(content),
        style=css,
        style_hash=templates.csp_hash(css),
    )
    return page.encode(errors="replace")


def _no_chart(period_key: str) -> str:
    """Why a report compares no two periods: it shows the parts of its own window, and nothing of any other."""
    kind = periods.from_key(period_key).kind
    return (
        f"No chart over time: this report is about one {kind} alone, and a report shows nothing of other periods than"
        " its own, since what you may see is decided for each of them. Reports of quarters and years compare the"
        " periods inside them, unless these are noisy counts."
    )


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _sections(content: PackContent) -> Iterator[_Section]:
    for number, table in enumerate(content.tables, 1):
        earlier = [row for past in content.history if past.spec.name == table.spec.name for row in past.rows]
        spec = table.spec
        # A period that all rows share is said once; a table of periods alone keeps them.
        seen = sorted({one_line(row.key[0]) for row in table.rows})
        skip = 1 if len(seen) == 1 and len(spec.dimensions) > 1 else 0
        yield _Section(
            ident=f"t{number}",
            title=spec.title,
            description=spec.description,
            caption=f"Figures of this release{f': {seen[0]}' if skip else ''}",
            period=spec.dimensions[0].title,
            heads=tuple(dimension.title for dimension in spec.dimensions[skip:]),
            measures=tuple(measure.title for measure in spec.measures),
            rows=tuple(_Line(_names(row)[skip:], _figures(row.values, row.flags)) for row in table.rows),
            series=tuple(_series(table, earlier, f"t{number}")),
        )


def _over_time(content: PackContent) -> Iterator[_Section]:
    """Tables that only the history has: the weeks or blocks of a quarter, the quarters of a year."""
    own = {table.spec.name for table in content.tables}
    past = sorted({table.spec.name: table.spec for table in content.history if table.spec.name not in own}.items())
    for number, (name, spec) in enumerate(past, 1):
        rows = {row.key: row for table in content.history if table.spec.name == name for row in table.rows}
        # Also a part of which nothing is there any more: a release that was withdrawn leaves a gap.
        kind = periods.from_key(min(rows)[0]).kind
        every = [part.key for part in periods.within(periods.from_key(content.period_key), kind)]
        newest = {row.key[1:]: row for _, row in sorted(rows.items())}
        spoken = {rest for rest, row in newest.items() if any(_speaks(rows.get((period, *rest))) for period in every)}
        ident = f"h{number}"
        yield _Section(
            ident=ident,
            title=f"{spec.title}: over time",
            description=f"{spec.description}, in each {spec.dimensions[0].title.lower()} of this release's period.",
            caption="",
            period=spec.dimensions[0].title,
            heads=(),
            measures=tuple(measure.title for measure in spec.measures),
            rows=(),
            series=tuple(
                _drawn(spec, rows, every, row, f"{ident}s{place}")
                for place, (rest, row) in enumerate(sorted(newest.items()), 1)
                if rest in spoken
            ),
            silent=tuple(", ".join(_names(row)[1:]) for rest, row in sorted(newest.items()) if rest not in spoken),
        )


def _speaks(row: Row | None) -> bool:
    return row is not None and "published" in row.flags


def _names(row: Row) -> tuple[str, ...]:
    """The parts of a key as a reader knows them: the public title, or the key where there is none."""
    return tuple(
        (one_line(label) if label else "") or one_line(key) for key, label in zip(row.key, row.labels, strict=True)
    )


def _figures(values: Sequence[Value], flags: Sequence[Flag]) -> tuple[_Figure, ...]:
    return tuple(_Figure(flag, "" if value is None else str(value)) for value, flag in zip(values, flags, strict=True))


def _series(table: Table, earlier: Sequence[Row], prefix: str) -> Iterator[_Series]:
    """Each row of this release with its earlier ones, as soon as there are two periods to compare."""
    rows = {row.key: row for row in (*earlier, *table.rows)}
    every = sorted({key[0] for key in rows})
    newest = {row.key[1:]: row for row in table.rows}
    for number, (rest, row) in enumerate(sorted(newest.items()), 1):
        # A course that is released by quarter has no gap in the weeks of another.
        kinds = {_kind(period) for period in every if (period, *rest) in rows}
        periods = [period for period in every if _kind(period) in kinds]
        if len(periods) >= 2:
            yield _drawn(table.spec, rows, periods, row, f"{prefix}s{number}")


def _drawn(
    spec: TableSpec, rows: Mapping[tuple[str, ...], Row], periods: Sequence[str], newest: Row, ident: str
) -> _Series:
    """One course, module or region over ``periods``, with its chart; ``newest`` names it."""
    named = ", ".join(_names(newest)[1:]) or spec.title
    run = [rows.get((period, *newest.key[1:])) for period in periods]
    withheld = sum(past is not None and "withheld" in past.flags for past in run)
    drawn = _chart(spec, run, periods, withheld, ident=ident, named=named)
    return _Series(ident, named, drawn, withheld, _points(spec, run, periods))


def _kind(period: str) -> str:
    """What periods of the same kind have in common: ``2026-W47`` and ``2026-W05``, but not ``2026-Q4``."""
    return re.sub(r"\d+", "#", period)


def _points(spec: TableSpec, run: Sequence[Row | None], periods: Sequence[str]) -> tuple[_Point, ...]:
    """The newest first: it is what a reader looks for."""
    nothing = (_Figure("absent"),) * len(spec.measures)
    return tuple(
        _Point(one_line(period), nothing if row is None else _figures(row.values, row.flags))
        for period, row in reversed([*zip(periods, run, strict=True)])
    )


def _chart(
    spec: TableSpec, run: Sequence[Row | None], periods: Sequence[str], withheld: int, *, ident: str, named: str
) -> str:
    import markupsafe

    drawn = chart.svg(
        [_panel(measure, index, run) for index, measure in enumerate(spec.measures)],
        [one_line(period) for period in periods],
        ident=f"{ident}c",
        title=f"{named}, {one_line(periods[0])} to {one_line(periods[-1])}",
        description=(
            f"{', '.join(measure.title for measure in spec.measures)} in {len(periods)} periods,"
            f" with something withheld in {withheld}. The table after the chart holds the figures."
        ),
    )
    return markupsafe.Markup(drawn)  # noqa: S704 - an element serialised with its texts escaped


def _panel(measure: Measure, index: int, run: Sequence[Row | None]) -> chart.Panel:
    def shown(value: Value) -> int | None:
        return measure.bands.index(value) if isinstance(value, str) else value

    return chart.Panel(
        measure.title,
        tuple(None if row is None else shown(row.values[index]) for row in run),
        tuple("absent" if row is None else row.flags[index] for row in run),
        measure.bands,
    )
