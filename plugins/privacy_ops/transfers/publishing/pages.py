"""report.html and art30.html: self-contained pages for a screen, a phone and paper, in light and dark.

They need no network and run no script, and their own policy forbids both. What a map or a diagram shows is in a table
as well, in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privacy_ops import templates
from privacy_ops.transfers.findings import SEVERITIES
from privacy_ops.transfers.publishing import flow_diagram, paint, words, world_map
from privacy_ops.transfers.publishing.content import Content, FlowLine
from privacy_ops.transfers.publishing.flow_diagram import Strand
from privacy_ops.transfers.reasons import Verdict
from privacy_ops.transfers.reference import REGIMES

if TYPE_CHECKING:
    import jinja2

_FOLDER = Path(__file__).parent
_OWN = "OWN_BRANCH"  # the publisher's own machines: nobody receives anything


@dataclass(frozen=True)
class _Country:
    """A line of the table of countries."""

    code: str
    name: str
    flows: int
    receivers: tuple[str, ...]
    counts: tuple[tuple[Verdict, int], ...]
    gravest: Verdict


@cache
def _environment() -> jinja2.Environment:
    environment = templates.environment(_FOLDER)
    environment.filters |= {"verdict": words.verdict, "plain": words.plain, "css": paint.css_name}
    return environment


def _page(template: str, **said: Any) -> bytes:
    css = templates.asset(_FOLDER / "report.css")
    page = _environment().get_template(template).render(style=css, style_hash=templates.csp_hash(css), **said)
    return page.encode(errors="replace")


def report(content: Content) -> bytes:
    """The report of a run for the privacy lead."""
    import markupsafe

    personal = [flow for flow in content.flows if flow.personal]
    abroad = [flow for flow in personal if flow.relationship != _OWN]
    countries = tuple(_countries(personal))
    seen = {c.code: c.gravest for c in countries if c.code}
    return _page(
        "report.html.j2",
        content=content,
        meaning=words.MEANING,
        order=paint.ORDER,
        regimes=REGIMES,
        totals=_totals(content.flows),
        severities=[(s, n) for s in SEVERITIES if (n := sum(f.severity == s for f in content.findings))],
        countries=countries,
        world=markupsafe.Markup(world_map.drawing(world_map.WORLD, seen)),  # noqa: S704 - texts escaped there
        europe=markupsafe.Markup(world_map.drawing(world_map.EUROPE, seen)),  # noqa: S704
        diagram=markupsafe.Markup(flow_diagram.drawing(_strands(abroad))),  # noqa: S704
        receivers=_receivers(content.flows),
        impersonal=len(content.flows) - len(personal),
    )


def record(content: Content) -> bytes:
    """The record of processing activities, to print and sign."""
    return _page("art30.html.j2", content=content, record=content.record)


def _totals(flows: Sequence[FlowLine]) -> list[tuple[Verdict, list[int]]]:
    """How many flows each regime gave each verdict, gravest first; verdicts that nobody gave are left out."""
    counts = {regime: Counter(f.judged[regime].verdict for f in flows if regime in f.judged) for regime in REGIMES}
    lines = [(verdict, [counts[regime][verdict] for regime in REGIMES]) for verdict in paint.ORDER]
    return [(verdict, numbers) for verdict, numbers in lines if any(numbers)]


def _countries(flows: Iterable[FlowLine]) -> Iterable[_Country]:
    """Countries with their flows, the gravest first."""
    by_code: dict[str, list[FlowLine]] = {}
    for flow in flows:
        by_code.setdefault(flow.country or "", []).append(flow)
    found = []
    for code, here in by_code.items():
        counts = Counter(flow.gravest for flow in here)
        found.append(
            _Country(
                code,
                here[0].country_name,
                len(here),
                tuple(sorted({flow.importer_name for flow in here})),
                tuple((verdict, counts[verdict]) for verdict in paint.ORDER if counts[verdict]),
                paint.gravest(counts),
            )
        )
    return sorted(found, key=lambda c: (c.gravest.rank, c.name))


def _strands(flows: Iterable[FlowLine]) -> Iterable[Strand]:
    for flow in flows:
        for purpose in flow.purposes or (words.NO_PURPOSE,):
            yield Strand((words.plain(purpose), flow.importer_name, flow.country_name), flow.gravest)


def _receivers(flows: Iterable[FlowLine]) -> list[tuple[str, str, list[FlowLine]]]:
    """Flows by receiver: the one with the gravest flow first."""

    def who(flow: FlowLine) -> tuple[str, str]:
        return flow.importer_name, flow.relationship

    groups = [
        (name, relationship, sorted(group, key=lambda f: (f.gravest.rank, f.place, f.nature, f.country or "")))
        for (name, relationship), group in groupby(sorted(flows, key=who), key=who)
    ]
    return sorted(groups, key=lambda g: (g[2][0].gravest.rank, g[0]))
