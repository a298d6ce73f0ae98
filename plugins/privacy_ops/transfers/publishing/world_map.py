"""Where personal data go, on a map: countries in the colour of their gravest verdict. Pure but for its two tables.

Outlines are Natural Earth's at 1:110m (``geography/README.md``). Every destination is marked with a dot and its code
as well, because many are too small for an outline: islands, city states, and territories far from the country whose
law they share. Two drawings: the world, and Europe, where most destinations are close together.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from privacy_ops import svg
from privacy_ops.transfers.publishing import paint
from privacy_ops.transfers.reasons import Verdict

Point = tuple[float, float]
Ring = tuple[Point, ...]


@dataclass(frozen=True)
class View:
    """A part of the world: borders in degrees, the meridian in its middle, width in pixels."""

    ident: str
    title: str
    west: float
    east: float
    south: float
    north: float
    width: int

    @property
    def middle(self) -> float:
        return (self.west + self.east) / 2


WORLD = View("world", "World", -169.0, 191.0, -56.0, 78.0, 640)
EUROPE = View("europe", "Europe", -25.0, 35.0, 34.5, 66.0, 330)
# A projected outline reaches a little beyond its view's borders, which are straight.
_MARGIN = 12.0


@cache
def outlines() -> Mapping[str, tuple[tuple[Ring, ...], ...]]:
    """Polygons by country code: rings of (longitude, latitude), the outer one first."""
    text = files(__package__).joinpath("geography", "countries_110m.json").read_text(encoding="utf-8")
    return {
        code: tuple(tuple(tuple((x, y) for x, y in ring) for ring in polygon) for polygon in polygons)
        for code, polygons in json.loads(text).items()
    }


@cache
def places() -> Mapping[str, Point]:
    """(longitude, latitude) of the principal place of each ISO code, as the time zone database lists it first."""
    found: dict[str, Point] = {}
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        code, where, *_ = line.split("\t")
        found.setdefault(code, _degrees(where))
    return found


def _degrees(iso6709: str) -> Point:
    """±DDMM±DDDMM or ±DDMMSS±DDDMMSS, latitude first."""

    def number(text: str, digits: int) -> float:
        parts = [text[1 : 1 + digits], text[1 + digits : 3 + digits], text[3 + digits :]]
        size = sum(int(part or 0) / (1.0, 60.0, 3600.0)[power] for power, part in enumerate(parts))
        return -size if text[0] == "-" else size

    found = re.fullmatch(r"([+-]\d{4}(?:\d{2})?)([+-]\d{5}(?:\d{2})?)", iso6709)
    if found is None:
        raise ValueError(f"{iso6709!r} is no place in ISO 6709")
    return number(found[2], 3), number(found[1], 2)


def project(longitude: float, latitude: float, middle: float) -> Point:
    """Equal Earth (Šavrič, Patterson and Jenny 2018): areas compare, so that the north is not blown up."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    theta = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(latitude)))
    turn = math.radians(longitude - middle)
    square = theta * theta
    six = square**3
    x = 2 * math.sqrt(3) * turn * math.cos(theta) / (3 * (a1 + 3 * a2 * square + six * (7 * a3 + 9 * a4 * square)))
    return x, theta * (a1 + a2 * square + six * (a3 + a4 * square))


def _around(point: Point, view: View) -> Point:
    """The same place with a longitude inside the view's turn."""
    x, y = point
    return (x + 360 if x < view.middle - 180 else x - 360 if x > view.middle + 180 else x), y


def _inside(point: Point, view: View) -> bool:
    x, y = _around(point, view)
    return view.west <= x <= view.east and view.south <= y <= view.north


def drawing(view: View, verdicts: Mapping[str, Verdict]) -> str:
    """The map as an element of a page. ``verdicts``: the gravest of each country code; unknown codes are left out."""
    low, high = project(0, view.south, 0)[1], project(0, view.north, 0)[1]
    widest = view.south if view.south > 0 else 0.0
    left, right = project(view.west, widest, view.middle)[0], project(view.east, widest, view.middle)[0]
    height = view.width * (high - low) / (right - left)

    def fill(figure: Any) -> None:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(left, right)
        axes.set_ylim(low, high)
        for code, shape in _shapes(view).items():
            _land(axes, shape, verdicts.get(code))
        scale = (right - left) / view.width
        taken: list[Point] = []
        for code, verdict in sorted(verdicts.items()):
            where = places().get(code)
            if where is None or not _inside(where, view):
                continue
            spot = project(*_around(where, view), view.middle)
            _dot(axes, spot, verdict)
            # In the world's picture Europe is too dense for letters; its own picture has them.
            if view is not WORLD or not _inside(where, EUROPE):
                _code(axes, code, spot, scale, taken)

    told = "; ".join(f"{code} {verdict.value}" for code, verdict in sorted(verdicts.items()) if code in places())
    return svg.draw(
        paint.CSS,
        fill,
        width=view.width,
        height=round(height),
        ident=f"map-{view.ident}",
        title=f"{view.title}: destinations by verdict",
        description=f"{told or 'no destination'}. The table of countries says the same.",
        settings={"hatch.linewidth": 0.7},
    )


@cache
def _shapes(view: View) -> Mapping[str, Any]:
    """Each country that the view shows, as one path of matplotlib in the view's projection."""
    from matplotlib.path import Path

    found = {}
    for code, polygons in sorted(outlines().items()):
        # A ring is moved as a whole, so that it never runs across the seam of the map.
        rings = [moved for polygon in polygons for ring in polygon if _meets(moved := _moved(ring, view), view)]
        if rings:
            corners = [project(x, y, view.middle) for ring in rings for x, y in ring]
            codes = [
                int(kind) for ring in rings for kind in (Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY)
            ]
            found[code] = Path(corners, codes, readonly=True)
    return found


def _land(axes: Any, shape: Any, verdict: Verdict | None) -> None:
    from matplotlib.patches import PathPatch

    patch = PathPatch(
        shape,
        facecolor=paint.drawn(verdict) if verdict else paint.LAND,
        edgecolor=paint.PAGE,
        linewidth=0.6,
        hatch=paint.HATCH.get(verdict) if verdict else None,
    )
    axes.add_patch(patch)


def _moved(ring: Ring, view: View) -> Ring:
    middle = (min(x for x, _ in ring) + max(x for x, _ in ring)) / 2
    shift = _around((middle, 0.0), view)[0] - middle
    return tuple((x + shift, y) for x, y in ring)


def _meets(ring: Ring, view: View) -> bool:
    """Whether any of the ring may show."""
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    across = max(xs) >= view.west - _MARGIN and min(xs) <= view.east + _MARGIN
    return across and max(ys) >= view.south and min(ys) <= view.north


def _dot(axes: Any, where: Point, verdict: Verdict) -> None:
    x, y = where
    axes.plot(
        [x], [y], marker="o", markersize=5.5, markerfacecolor=paint.drawn(verdict), markeredgecolor=paint.INK,
        markeredgewidth=0.9,
    )  # fmt: skip


def _code(axes: Any, code: str, where: Point, scale: float, taken: list[Point]) -> None:
    """The code beside its dot, where no other code stands."""
    x, y = where
    beside = [(x + 6 * scale, y), (x - 20 * scale, y), (x - 6 * scale, y + 10 * scale), (x - 6 * scale, y - 10 * scale)]
    free = [p for p in beside if all(abs(p[0] - q[0]) > 16 * scale or abs(p[1] - q[1]) > 10 * scale for q in taken)]
    spot = (free or beside)[0]
    taken.append(spot)
    axes.text(*spot, code, fontsize=9, color=paint.INK, va="center", ha="left", fontweight="bold", parse_math=False)
