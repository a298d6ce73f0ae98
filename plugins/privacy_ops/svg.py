"""Drawings of matplotlib as elements of an HTML page: deterministic, small, and coloured by the page.

matplotlib writes a document of its own with style attributes, fonts and random ids. A page whose policy forbids style
attributes takes none of that: here they become plain attributes, ids that no other drawing of the page has, and CSS
variables for colours, so that one drawing serves light, dark and paper. Text stays text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NUMBER = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def draw(
    paint: Mapping[str, str],
    fill: Callable[[Any], None],
    *,
    width: float,
    height: float,
    ident: str,
    title: str,
    description: str,
    settings: Mapping[str, Any] | None = None,
) -> str:
    """An ``<svg>`` element of ``width`` times ``height`` pixels with what ``fill`` draws on the figure.

    ``paint``: CSS value by colour drawn with. ``ident`` is unique on the page. ``settings``: of matplotlib, over its
    defaults; whatever the machine's own say is not read. ``title`` and ``description`` are escaped here.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # A fixed salt instead of random ids.
    chosen: dict[Any, Any] = {**mpl.rcParamsDefault, "svg.fonttype": "none", "svg.hashsalt": ident, **(settings or {})}
    chosen.pop("backend", None)
    with mpl.rc_context(chosen):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        fill(figure)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _inline(out.getvalue(), paint, f"0 0 {width:g} {height:g}", ident, title, description)


def _inline(drawn: bytes, paint: Mapping[str, str], box: str, ident: str, title: str, description: str) -> str:
    """matplotlib's document as an element of a page."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(drawn)  # noqa: S314 - drawn above, no foreign document
    for element in root.iter():
        _adapt(element, paint, ident)
    root[:] = [child for child in root if child.tag not in {"metadata", "defs"} or child.findall("*[@id]")]
    root.attrib = {
        "class": "chart",
        "viewBox": box,
        "role": "img",
        "aria-labelledby": f"{ident}-title {ident}-text",
        "stroke-linejoin": "round",
    }
    for tag, said in (("desc", description), ("title", title)):
        told = ElementTree.Element(tag, {"id": f"{ident}-{'text' if tag == 'desc' else 'title'}"})
        told.text = said
        root.insert(0, told)
    return ElementTree.tostring(root, encoding="unicode")


def _adapt(element: Element, paint: Mapping[str, str], ident: str) -> None:
    """Plain names, no style attribute, ids of this drawing only, the page's colours, coordinates to a tenth."""
    element.tag = element.tag.rpartition("}")[2]
    element.text = element.text if element.text and element.text.strip() else None
    element.tail = None
    found = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    for declaration in filter(None, found.pop("style", "").split("; ")):
        name, _, value = declaration.partition(": ")
        if name != "font-family":
            found[name] = paint.get(value, value)
    for name, value in found.items():
        if name == "id":
            found[name] = f"{ident}-{value}"
        elif name == "href":
            found[name] = f"#{ident}-{value.removeprefix('#')}"
        elif name in {"d", "x", "y", "transform", "width", "height"}:
            found[name] = _NUMBER.sub(lambda n: f"{float(n[0]):.1f}", " ".join(value.split()))
        else:
            found[name] = paint.get(value) or _REFERENCE.sub(rf"url(#{ident}-\1)", value)
    element.attrib = found
