"""Charts over time as SVG for the middle of an HTML page: deterministic, small, and coloured by the page.

matplotlib draws (``privacy_ops.svg``). A withheld stretch is hatched over its whole height, so it can never pass for
zero; a period that was not released is left empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from privacy_ops import svg as drawing

State = Literal["published", "withheld", "absent"]

# Colours to draw with, and what the page makes of them.
_PAINT = {"#010101": "var(--quiet)", "#020202": "var(--line)", "#030303": "var(--mark)", "#040404": "var(--hatch)"}
_QUIET, _LINE, _MARK, _HATCH = _PAINT

# Pixels of a narrow phone, so that text keeps its size there.
WIDTH, LEFT, RIGHT, TOP, GAP, BOTTOM = 340, 62, 6, 20, 30, 24
PLOT_HEIGHT, BAND_HEIGHT, TICKS = 64, 13, 4


@dataclass(frozen=True)
class Panel:
    """One measure over the periods. ``values`` are counts, or indexes into ``bands``; None where there is none."""

    title: str
    values: tuple[int | None, ...]
    states: tuple[State, ...]
    bands: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        return max(PLOT_HEIGHT, BAND_HEIGHT * len(self.bands))


def svg(panels: Sequence[Panel], periods: Sequence[str], *, ident: str, title: str, description: str) -> str:
    """An ``<svg>`` element for an HTML page. ``ident`` is unique on the page; texts are escaped here."""
    from cycler import cycler

    height = TOP + sum(panel.height for panel in panels) + GAP * (len(panels) - 1) + BOTTOM

    def fill(figure: Any) -> None:
        top = height - TOP
        for panel in panels:
            width = WIDTH - LEFT - RIGHT
            box = (LEFT / WIDTH, (top - panel.height) / height, width / WIDTH, panel.height / height)
            _draw(figure.add_axes(box), panel, periods, dates=panel is panels[-1])
            top -= panel.height + GAP

    return drawing.draw(
        _PAINT,
        fill,
        width=WIDTH,
        height=height,
        ident=ident,
        title=title,
        description=description,
        settings={"hatch.linewidth": 0.9, "axes.prop_cycle": cycler(color=[_MARK])},
    )


def _draw(axes: Any, panel: Panel, periods: Sequence[str], *, dates: bool) -> None:
    axes.set_title(panel.title, loc="left", fontsize=11, pad=5, parse_math=False)
    axes.patch.set_visible(False)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_LINE)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=_LINE, linewidth=0.6)
    axes.tick_params(length=0, labelsize=10, labelcolor=_QUIET, pad=4)
    axes.set_xlim(-0.6, len(periods) - 0.4)
    if dates:
        _name_dates(axes, periods)
    else:
        axes.set_xticks([])
    _scale(axes, panel)
    hidden = [(first - 0.5, last - first + 1) for first, last in _stretches(panel.states, "withheld")]
    axes.broken_barh(
        hidden, (0, 1), transform=axes.get_xaxis_transform(), facecolor="none", edgecolor=_HATCH, hatch="////", lw=0
    )
    values = [float("nan") if value is None else value for value in panel.values]
    style = "steps-mid" if panel.bands else "default"
    axes.plot(
        values, color=_MARK, linewidth=1.6, drawstyle=style, marker="o", markersize=3, markevery=_dots(panel.states)
    )


def _dots(states: Sequence[State]) -> list[int]:
    """Where a dot is needed: everywhere in a short chart; in a long one where no line would show a lone value."""
    stretches = _stretches(states, "published")
    return [i for first, last in stretches for i in range(first, last + 1) if len(states) <= 16 or first == last]


def _scale(axes: Any, panel: Panel) -> None:
    """Counts from zero up, so that heights compare; bands at equal steps in their order."""
    if panel.bands:
        axes.set_ylim(-0.5, len(panel.bands) - 0.5)
        axes.set_yticks(range(len(panel.bands)), panel.bands, parse_math=False)
        return
    from matplotlib.ticker import MaxNLocator

    axes.set_ylim(0, max((value for value in panel.values if value is not None), default=1) * 1.12)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True, steps=[1, 2, 5, 10]))


def _name_dates(axes: Any, periods: Sequence[str]) -> None:
    """A few periods below the chart, the first and the last among them, inside its width."""
    last = len(periods) - 1
    shown = sorted({round(i * last / (TICKS - 1)) for i in range(TICKS)})
    names = _short(periods)
    labels = axes.set_xticks(shown, [names[i] for i in shown], parse_math=False)
    labels[0].label1.set_horizontalalignment("left")
    labels[-1].label1.set_horizontalalignment("right")


def _short(periods: Sequence[str]) -> list[str]:
    """Names without what all have in common and the title says: ``W47`` of ``2026-W47``."""
    parts = [period.split("-") for period in periods]
    common = 0
    while len({tuple(part[: common + 1]) for part in parts}) == 1 and all(len(part) > common + 1 for part in parts):
        common += 1
    return ["-".join(part[common:]) for part in parts]


def _stretches(states: Sequence[State], wanted: State) -> Iterator[tuple[int, int]]:
    """First and last index of each run of ``wanted``."""
    for state, run in groupby(enumerate(states), key=lambda pair: pair[1]):
        indexes = [index for index, _ in run]
        if state == wanted:
            yield indexes[0], indexes[-1]
