"""Renders the console's pages. Every value is escaped; there are no scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privacy_ops.gates import report

if TYPE_CHECKING:
    import jinja2


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    folders = [Path(__file__).parent, Path(report.__file__).parent]
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def message(title: str, text: str, *, link: str = "", link_text: str = "") -> str:
    """A plain page that says one thing, with at most one way on."""
    page = _environment().get_template("page.html.j2")
    return page.render(title=title, message=text, link=link, link_text=link_text)


def case(found: Any, answers: Sequence[Any], cells: Sequence[Any] | None) -> str:
    """The page of one case; ``cells`` None: the evidence was not asked for."""
    page = _environment().get_template("case.html.j2")
    return page.render(case=found._mapping, answers=answers, cells=cells)


def gates(verdicts: Iterable[Any], *, now: datetime) -> str:
    """The list of verdicts (rows of select_newest_verdicts)."""
    rows = [
        {
            **verdict._mapping,
            "expired": verdict.expires_at <= now,
            "failing": [check["id"] for check in verdict.checks if not check["success"]],
        }
        for verdict in verdicts
    ]
    return _environment().get_template("gates.html.j2").render(rows=rows)
