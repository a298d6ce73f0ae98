"""Why, to whom and where to: bands from purposes through receivers to countries, in the colour of their verdict.

matplotlib draws the bands. Its own ``sankey`` module draws one junction with arrows, plotly needs a browser or a
script in the page, and graphviz is a system program: bands between three columns are a few curves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from privacy_ops import svg
from privacy_ops.transfers.publishing import paint
from privacy_ops.transfers.reasons import Verdict

MOST = 24  # names in a column; the rest of a large inventory is one band
OTHERS = "others"
WIDTH, TOP, BAR, GAP, UNIT, LONGEST = 900, 26, 8, 12, 9, 34
_COLUMNS = (("Purpose", 210.0), ("Receiver", 470.0), ("Country", 735.0))


@dataclass(frozen=True)
class Strand:
    """One flow under one of its purposes: a name in each column, and its gravest verdict."""

    names: tuple[str, str, str]
    verdict: Verdict


@dataclass(frozen=True)
class _Node:
    """A name in a column: its upper edge and height in pixels."""

    top: float
    height: float


def drawing(strands: Iterable[Strand]) -> str:
    """The diagram as an element of a page; without flows it is empty but for its heads."""
    kept = _few(tuple(strands))
    bands = Counter((s.names, s.verdict) for s in kept)
    columns = [_column(bands, index) for index in range(3)]
    height = TOP + max((max((n.top + n.height for n in c.values()), default=0) for c in columns), default=0) + GAP

    def fill(figure: Any) -> None:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(height, 0)
        for (head, x), column in zip(_COLUMNS, columns, strict=True):
            axes.text(x, 10, head, fontsize=10, color=paint.QUIET, va="center", ha="center", parse_math=False)
            _names(axes, x, column, left=x == _COLUMNS[0][1])
        for index in (0, 1):
            _bands(axes, bands, columns, index)

    return svg.draw(
        paint.CSS,
        fill,
        width=WIDTH,
        height=round(height),
        ident="flows-diagram",
        title="Purposes, receivers and countries of the flows",
        description=f"{len(kept)} strands, as wide as they are many. The table of flows says the same in words.",
    )


def _few(strands: Sequence[Strand]) -> tuple[Strand, ...]:
    """The names with the gravest and most strands of each column; all others are one."""
    keep: list[set[str]] = []
    for index in range(3):
        weight: dict[str, tuple[int, int]] = {}
        for strand in strands:
            rank, many = weight.get(strand.names[index], (0, 0))
            weight[strand.names[index]] = (min(rank, strand.verdict.rank), many + 1)
        keep.append(set(sorted(weight, key=lambda name: (weight[name][0], -weight[name][1], name))[:MOST]))
    return tuple(
        Strand(
            (
                strand.names[0] if strand.names[0] in keep[0] else OTHERS,
                strand.names[1] if strand.names[1] in keep[1] else OTHERS,
                strand.names[2] if strand.names[2] in keep[2] else OTHERS,
            ),
            strand.verdict,
        )
        for strand in strands
    )


def _column(bands: Counter[tuple[tuple[str, str, str], Verdict]], index: int) -> dict[str, _Node]:
    """Names of a column from above: by where their bands come from, so that few bands cross."""
    many: Counter[str] = Counter()
    first: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for (names, _), n in bands.items():
        many[names[index]] += n
        first[names[index]].append(names[:index])
    nodes: dict[str, _Node] = {}
    top = float(TOP)
    for name in sorted(many, key=lambda name: (name == OTHERS, min(first[name]), name)):
        height = max(BAR, many[name] * UNIT)
        nodes[name] = _Node(top, height)
        top += height + GAP
    return nodes


def _names(axes: Any, x: float, column: dict[str, _Node], *, left: bool) -> None:
    from matplotlib.patches import Rectangle

    for name, node in column.items():
        axes.add_patch(Rectangle((x - BAR / 2, node.top), BAR, node.height, facecolor=paint.INK, linewidth=0))
        shown = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        axes.text(
            x + (-BAR if left else BAR), node.top + node.height / 2, shown, fontsize=10, color=paint.INK, va="center",
            ha="right" if left else "left", parse_math=False, zorder=3,
            bbox={"facecolor": paint.PAGE, "alpha": 0.7, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


def _bands(
    axes: Any, bands: Counter[tuple[tuple[str, str, str], Verdict]], columns: Sequence[dict[str, _Node]], index: int
) -> None:
    """All bands from one column to the next, thick as they are many."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    pairs: Counter[tuple[str, str, Verdict]] = Counter()
    for (names, verdict), n in bands.items():
        pairs[names[index], names[index + 1], verdict] += n
    here, there = columns[index], columns[index + 1]
    used_here: Counter[str] = Counter()
    used_there: Counter[str] = Counter()
    x0, x1 = _COLUMNS[index][1] + BAR / 2, _COLUMNS[index + 1][1] - BAR / 2
    bend = (x0 + x1) / 2
    order = sorted(pairs, key=lambda p: (here[p[0]].top, there[p[1]].top, p[2].rank))
    for source, target, verdict in order:
        wide = pairs[source, target, verdict] * UNIT
        y0, y1 = here[source].top + used_here[source], there[target].top + used_there[target]
        used_here[source] += wide
        used_there[target] += wide
        path = Path(
            [
                (x0, y0), (bend, y0), (bend, y1), (x1, y1),
                (x1, y1 + wide), (bend, y1 + wide), (bend, y0 + wide), (x0, y0 + wide), (x0, y0),
            ],
            [int(c) for c in (
                Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY,
            )],
        )  # fmt: skip
        axes.add_patch(PathPatch(path, facecolor=paint.drawn(verdict), alpha=0.5, edgecolor=paint.PAGE, linewidth=0.5))
