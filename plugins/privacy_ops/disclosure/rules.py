"""The public rules of a release: everything here is told to the reader, and so to an attacker."""

from __future__ import annotations

from dataclasses import dataclass, field

# Lower edges of the bands of mean minutes per learner; the last band is open.
MINUTE_EDGES = (0, 5, 15, 30, 60, 120, 240)


@dataclass(frozen=True)
class Rules:
    """``min_learners`` people per count (the ONS and the ACRO tool use 10), counts rounded to ``round_to``."""

    min_learners: int = 10
    round_to: int = 5
    lifetime_min_learners: int = 30
    minutes_cap_per_day: int = 120
    days: int = 7
    minute_edges: tuple[int, ...] = field(default=MINUTE_EDGES)

    def __post_init__(self) -> None:
        if self.min_learners % self.round_to:
            raise ValueError("the threshold must be a multiple of the rounding base, or rounding could pass below")
        if self.round_to % 2 == 0:
            raise ValueError("an even base has ties; take an odd one")
        if self.minute_edges[0] != 0 or list(self.minute_edges) != sorted(set(self.minute_edges)):
            raise ValueError("the bands of minutes must begin at 0 and rise")

    @property
    def half(self) -> int:
        """How far a rounded count may be from the true one."""
        return (self.round_to - 1) // 2

    @property
    def most_minutes(self) -> int:
        """The most minutes one person can add to one cell."""
        return self.minutes_cap_per_day * self.days

    def band(self, seconds: int, learners: int) -> str:
        """Band of the mean minutes per learner, e.g. ``15-30``; a mean on an edge belongs to the upper band."""
        index = sum(1 for edge in self.minute_edges if edge * 60 * learners <= seconds) - 1
        return self.bands()[index]

    def bands(self) -> tuple[str, ...]:
        """Every band, in order: a lower edge is in, an upper edge is out."""
        pairs = zip(self.minute_edges, self.minute_edges[1:], strict=False)
        return (*(f"{low}-{high}" for low, high in pairs), f"{self.minute_edges[-1]}+")

    def band_limits(self, band: str) -> tuple[int, int]:
        """Least and greatest mean minutes of a band. Raises ValueError for one that is not in the rules."""
        index = self.bands().index(band)
        edges = (*self.minute_edges, max(self.most_minutes, self.minute_edges[-1]))
        return edges[index], edges[index + 1]
