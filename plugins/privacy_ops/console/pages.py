"""Renders the console's pages. Every value is escaped; styles and the one script stand in the page, by their hash."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from privacy_ops import templates

if TYPE_CHECKING:
    import jinja2

_FOLDER = Path(__file__).parent
_MAPS = re.compile(r'<div class="maps">((?:<svg .*?</svg>)+)</div>', re.DOTALL)
# What the pages are called in their navigation: path below /privacy, title, right that one needs.
SECTIONS = (
    ("", "Overview", "look"),
    ("erasures", "Erasures", "erasures"),
    ("releases", "Releases", "releases"),
    ("transfers", "Transfers", "transfers"),
    ("gates", "Gates", "look"),
)


def _asset(name: str) -> Markup:
    return templates.asset(_FOLDER / "templates" / name)


def _hash(text: str) -> str:
    return f"'{templates.csp_hash(text)}'"


def policy(*, styles: Iterable[str], scripts: Iterable[str] = (), forms: bool = False) -> str:
    """A Content-Security-Policy: exactly these styles and scripts, nothing from elsewhere, no foreign frame."""
    parts = ["default-src 'none'", "style-src " + " ".join(map(_hash, styles))]
    if listed := [*map(_hash, scripts)]:
        parts.append("script-src " + " ".join(listed))
    target = "'self'" if forms else "'none'"
    return "; ".join([*parts, "base-uri 'none'", f"form-action {target}", "frame-ancestors 'self'"])


@cache
def own_policy() -> str:
    """The policy of the console's own pages."""
    return policy(styles=[_asset("console.css")], scripts=[_asset("console.js")], forms=True)


def report_policy(html: str) -> str:
    """The policy of a stored report: its own style, which stands before anything that was judged, and no script."""
    head = html.partition("</head>")[0]
    found = re.search(r"<style>(.*?)</style>", head, re.DOTALL)
    return policy(styles=[found.group(1) if found else ""])


def maps(report: bytes) -> Markup:
    """The drawings of the world in the report of an inventory, which stand before its list of flows; "" without any.

    The report is a file of ours, kept as it was published, with every text in it escaped.
    """
    found = _MAPS.search(bytes(report).decode(errors="ignore"))
    return Markup(found[1] if found else "")  # noqa: S704 - drawn and escaped by us, see above


def moment(at: datetime | None) -> Markup:
    """A time to the minute, in UTC, that machines can read too."""
    if at is None:
        return Markup("–")
    shown, exact = at.strftime("%Y-%m-%d %H:%M"), at.isoformat()
    return Markup('<time datetime="{}">{}</time>').format(exact, shown)


def since(at: datetime | None, now: datetime) -> str:
    """How long ago, in one unit: "3 hours ago", "in 2 days"."""
    if at is None:
        return "never"
    passed = now - at
    ahead, passed = passed < timedelta(0), abs(passed)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if passed.total_seconds() >= length:
            n = int(passed.total_seconds() // length)
            return f"in {n} {unit}{'s' * (n > 1)}" if ahead else f"{n} {unit}{'s' * (n > 1)} ago"
    return "in a moment" if ahead else "just now"


def number(value: Any) -> str:
    """A figure for reading: thousands apart, no tail of zeros."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


def words(code: str) -> str:
    """A code as plain words: CONFIRMED_MINOR → confirmed minor."""
    return code.replace("_", " ").lower()


@cache
def _environment() -> jinja2.Environment:
    made = templates.environment(_FOLDER / "templates")
    made.filters |= {"moment": moment, "since": since, "number": number, "words": words}
    made.globals |= {"style": _asset("console.css"), "script": _asset("console.js"), "sections": SECTIONS}
    return made


def render(template: str, **values: Any) -> str:
    """The page of a template. Raises jinja2.UndefinedError when a value is missing."""
    return _environment().get_template(f"{template}.html.j2").render(**values)
