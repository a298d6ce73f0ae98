"""The public rules of a release: everything here is told to the reader, and so to an attacker."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True)
class Bands:
    """Intervals that hide a ratio: a lower edge is in, an upper edge is out. No ``top``: the last band is open."""

    edges: tuple[int, ...]
    top: int | None = None

    def __post_init__(self) -> None:
        edges = self.edges if self.top is None else (*self.edges, self.top)
        if not self.edges or list(edges) != sorted(set(edges)):
            raise ValueError("the edges of bands must rise")

    def labels(self) -> tuple[str, ...]:
        """Every band in order, e.g. ``15-30`` and ``240+``."""
        closed = [f"{low}-{high}" for low, high in zip(self.edges, self.edges[1:], strict=False)]
        return (*closed, f"{self.edges[-1]}+" if self.top is None else f"{self.edges[-1]}-{self.top}")

    def of(self, total: int, over: int) -> str:
        """Band of ``total / over``. Raises ValueError for a ratio outside all bands."""
        index = sum(1 for edge in self.edges if edge * over <= total) - 1
        if index < 0 or (self.top is not None and total >= self.top * over):
            raise ValueError("a ratio is outside every band")
        return self.labels()[index]

    def limits(self, label: str) -> tuple[int, int | None]:
        """Edges of a band. Raises ValueError for one that is not in the rules."""
        index = self.labels().index(label)
        return self.edges[index], (*self.edges[1:], self.top)[index]


@dataclass(frozen=True)
class Rules:
    """Thresholds of the primary rules. Shares are per cent, ``minute_bands`` minutes per person.

    ``min_institutions`` 0 means that the audience's rule has none; otherwise a cell without facts about its
    institutions is withheld. ``protect_share`` is the least width of an interval around a count or an amount that one
    institution or person dominates, as a share of it.
    """

    min_people: int = 10
    round_to: int = 5
    min_institutions: int = 0
    max_institution_share: Fraction = Fraction(7, 10)
    dominance_share: Fraction = Fraction(9, 10)
    p_ratio: Fraction = Fraction(1, 10)
    protect_share: Fraction = Fraction(1, 5)
    share_bands: Bands = field(default=Bands((5, 20, 40, 60, 80), top=95))
    amount_bands: Bands = field(default=Bands((0, 5, 15, 30, 60, 120, 240)))
    amount_unit: int = 60

    def __post_init__(self) -> None:
        if self.round_to < 1 or self.round_to % 2 == 0:
            raise ValueError("an even base has ties; take an odd one")
        if self.min_people < 1 or self.min_people % self.round_to:
            raise ValueError("the threshold must be a multiple of the rounding base, or rounding could pass below")
        if self.amount_bands.edges[0] != 0 or self.amount_bands.top is not None:
            raise ValueError("the bands of amounts must begin at 0 and leave no amount out")

    @property
    def half(self) -> int:
        """How far a rounded count may be from the true one."""
        return (self.round_to - 1) // 2

    def rounded(self, count: int) -> int:
        """The nearest multiple of the (odd) base."""
        return (count + self.half) // self.round_to * self.round_to
