"""Lines over time as SVG for the middle of a page, drawn by pygal and coloured by the page's style sheet.

pygal's own styles and scripts are taken out: the page's policy allows neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from xml.etree import ElementTree

from markupsafe import Markup

WIDTH, HEIGHT = 440, 150
_DROPPED = frozenset({"style", "script", "defs", "desc", "title"})
_SVG = "http://www.w3.org/2000/svg"


def line(
    title: str, times: Sequence[datetime], series: Mapping[str, Sequence[float | None]], *, limit: float | None = None
) -> Markup:
    """An ``<svg>`` element: one line per series over ``times`` (oldest first), and a dashed one at ``limit``.

    Colours are classes: ``serie-0``, ``serie-1``… and ``limit``. Escapes ``title``.
    """
    return _line(title, tuple(times), tuple((name, tuple(values)) for name, values in series.items()), limit)


@lru_cache(maxsize=256)
def _line(
    title: str,
    times: tuple[datetime, ...],
    series: tuple[tuple[str, tuple[float | None, ...]], ...],
    limit: float | None,
) -> Markup:
    """Drawn once for the same measurements: they change by the night, and people look more often."""
    import pygal

    known = [value for _, values in series for value in values if value is not None]
    chart = pygal.Line(
        width=WIDTH,
        height=HEIGHT,
        show_legend=False,
        margin=4,
        show_dots=len(times) < 40,
        dots_size=2,
        truncate_label=-1,
        y_labels_major_count=3,
        show_minor_y_labels=False,
        min_scale=2,
        max_scale=4,
        range=(0, max([*known, limit or 0, 1])),
        no_data_text="nothing measured",
        x_labels=[f"{at:%d %b}" if place in {0, len(times) - 1} else "" for place, at in enumerate(times)],
        value_formatter=lambda value: f"{value:,.6g}",
        classes=["chart"],
    )
    for name, values in series:
        chart.add(name, list(values), allow_interruptions=True)
    if limit is not None:
        chart.add("limit", [limit] * len(times), show_dots=False)
    root = chart.render_tree()
    _strip(root)
    root.attrib |= {"role": "img", "aria-label": title, "class": "chart", "viewBox": f"0 0 {WIDTH} {HEIGHT}"}
    if limit is not None:
        for group in root.iter():
            if f"serie-{len(series)}" in group.attrib.get("class", "").split():
                group.attrib["class"] += " limit"
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - serialised from a tree


def _strip(element: ElementTree.Element) -> None:
    """Take out what the page's policy forbids and what only pygal's script would use; lose the prefixes."""
    element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
    for name in [name for name in element.attrib if name in {"style", "id", "onload"} or name.startswith("{")]:
        del element.attrib[name]
    for child in list(element):
        local = child.tag.removeprefix(f"{{{_SVG}}}") if isinstance(child.tag, str) else ""
        if local in _DROPPED or not local:
            element.remove(child)
        else:
            _strip(child)
