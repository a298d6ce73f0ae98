"""Charts over time as SVG for the middle of an HTML page: deterministic, small, and coloured by the page.

matplotlib draws; then its SVG is made part of a page: no style attributes (the page's policy forbids them), no fonts
of its own (text stays text), ids that no other chart has, and CSS variables for colours, so that one drawing serves
light, dark and paper. A withheld stretch is hatched over its whole height, so it can never pass for zero; a period
that was not released is left empty.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

State = Literal["published", "withheld", "absent"]

# Colours to draw with, and what the page makes of them.
_PAINT = {"#010101": "var(--quiet)", "#020202": "var(--line)", "#030303": "var(--mark)", "#040404": "var(--hatch)"}
_QUIET, _LINE, _MARK, _HATCH = _PAINT

# Pixels of a narrow phone, so that text keeps its size there.
WIDTH, LEFT, RIGHT, TOP, GAP, BOTTOM = 340, 62, 6, 20, 30, 24
PLOT_HEIGHT, BAND_HEIGHT, TICKS = 64, 13, 4
_NUMBER = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


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
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    height = TOP + sum(panel.height for panel in panels) + GAP * (len(panels) - 1) + BOTTOM
    # Whatever the machine's matplotlibrc says; a fixed salt instead of random ids.
    settings = {**mpl.rcParamsDefault, "svg.fonttype": "none", "svg.hashsalt": ident, "hatch.linewidth": 0.9}
    settings["axes.prop_cycle"] = cycler(color=[_MARK])
    settings.pop("backend", None)
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        top = height - TOP
        for panel in panels:
            width = WIDTH - LEFT - RIGHT
            box = (LEFT / WIDTH, (top - panel.height) / height, width / WIDTH, panel.height / height)
            _draw(figure.add_axes(box), panel, periods, dates=panel is panels[-1])
            top -= panel.height + GAP
        out = io.BytesIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(out, format="svg", metadata=nothing)
    return _inline(out.getvalue(), height, ident, title, description)


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


def _inline(drawn: bytes, height: int, ident: str, title: str, description: str) -> str:
    """matplotlib's document as an element of a page."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(drawn)  # noqa: S314 - drawn above, no foreign document
    for element in root.iter():
        _adapt(element, ident)
    root[:] = [child for child in root if child.tag not in {"metadata", "defs"} or child.findall("*[@id]")]
    root.attrib = {
        "class": "chart",
        "viewBox": f"0 0 {WIDTH} {height}",
        "role": "img",
        "aria-labelledby": f"{ident}-title {ident}-text",
        "stroke-linejoin": "round",
    }
    for tag, said in (("desc", description), ("title", title)):
        told = ElementTree.Element(tag, {"id": f"{ident}-{'text' if tag == 'desc' else 'title'}"})
        told.text = said
        root.insert(0, told)
    return ElementTree.tostring(root, encoding="unicode")


def _adapt(element: Element, ident: str) -> None:
    """Plain names, no style attribute, ids of this chart only, the page's colours, coordinates to a tenth."""
    element.tag = element.tag.rpartition("}")[2]
    element.text = element.text if element.text and element.text.strip() else None
    element.tail = None
    found = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    for declaration in filter(None, found.pop("style", "").split("; ")):
        name, _, value = declaration.partition(": ")
        if name != "font-family":
            found[name] = _PAINT.get(value, value)
    for name, value in found.items():
        if name == "id":
            found[name] = f"{ident}-{value}"
        elif name == "href":
            found[name] = f"#{ident}-{value.removeprefix('#')}"
        elif name in {"d", "x", "y", "transform", "width", "height"}:
            found[name] = _NUMBER.sub(lambda n: f"{float(n[0]):.1f}", " ".join(value.split()))
        else:
            found[name] = _REFERENCE.sub(rf"url(#{ident}-\1)", value)
    element.attrib = found
