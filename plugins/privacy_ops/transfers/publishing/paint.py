"""One colour per verdict, the same in maps, diagrams and tables; the page says what it looks like in light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from privacy_ops.transfers.reasons import Verdict


def css_name(verdict: Verdict) -> str:
    """The verdict as a class and as a CSS variable."""
    return verdict.value.lower().replace("_", "-")


# Gravest first: what a place or a band of flows is shown as when its flows differ.
ORDER: tuple[Verdict, ...] = tuple(sorted(Verdict, key=lambda verdict: verdict.rank))

# Colours to draw with, which no page shows: each stands for a CSS variable.
_DRAWN: Mapping[Verdict, str] = {verdict: f"#0{number}0101" for number, verdict in enumerate(ORDER)}
LAND, LINE, INK, QUIET, PAGE = "#010201", "#010202", "#010203", "#010204", "#010205"
CSS: Mapping[str, str] = {
    **{colour: f"var(--{css_name(verdict)})" for verdict, colour in _DRAWN.items()},
    LAND: "var(--land)",
    LINE: "var(--line)",
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    PAGE: "var(--page)",
}
# Told apart without colour as well: on paper, and by who sees no red.
HATCH: Mapping[Verdict, str] = {
    Verdict.UNCOVERED: "xxxx",
    Verdict.SCOPE_MISMATCH: "////",
    Verdict.UNRESOLVED: "....",
}


def drawn(verdict: Verdict) -> str:
    """The colour to draw with."""
    return _DRAWN[verdict]


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that somebody must look at first. Raises ValueError when there is none."""
    return min(verdicts, key=lambda verdict: verdict.rank)
