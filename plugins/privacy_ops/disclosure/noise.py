"""Counts under differential privacy: discrete Gaussian noise, accounted for in zero-concentrated terms (zCDP).

Pure but for the dice. The noise is OpenDP's, exact and from the system's generator: nobody draws it again, so whoever
needs the same numbers twice has to keep them. Unit: everything that one person adds in one period. A person adds one
to each of at most ``cells`` counts, so two worlds that differ by a person lie at most √cells apart (L2), and noise of
variance ``cells / 2ρ`` costs ρ (Bun and Steinke 2016). What costs add up to over a year is added: ρ₁ + ρ₂ + ….
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Noise:
    """How much noise each count gets. ``rho``: what one draw may cost a person; ``cells``: counts that one person
    may add to."""

    rho: Fraction
    cells: int

    def __post_init__(self) -> None:
        if self.rho <= 0 or self.cells < 1:
            raise ValueError("noise needs a cost above zero and a bound on what a person adds")

    @property
    def distance(self) -> float:
        """How far one person can move all counts together (L2), never rounded down."""
        return math.nextafter(math.sqrt(self.cells), math.inf)

    @cached_property
    def scale(self) -> float:
        """Standard deviation of the noise: the least that OpenDP accounts for with ``rho`` or less."""
        scale = math.sqrt(self.cells / (2 * float(self.rho)))
        while Fraction(cost(scale, self.distance)) > self.rho:
            scale = math.nextafter(scale, math.inf)
        return scale


def draw(counts: Sequence[int], noise: Noise) -> list[int]:
    """Each count with noise of its own; another answer at every call. ``counts`` are of every public key, zeros too."""
    return [int(count) for count in _gaussian(noise.scale)(list(counts))] if counts else []


def shown(noisy: int, least: int, round_to: int) -> int | None:
    """What readers get of a noisy count: rounded, or nothing below ``least``. It knows no true count."""
    rounded = (noisy + (round_to - 1) // 2) // round_to * round_to
    return rounded if rounded >= least else None


def epsilon(rho: Fraction, delta: float) -> float:
    """The same cost in the terms of (ε, δ), as tight as OpenDP converts it."""
    import opendp.prelude as dp

    scale = math.sqrt(1 / (2 * float(rho)))
    converted: Any = dp.c.make_zCDP_to_approxDP(_gaussian(scale))
    return float(converted.map(1.0).epsilon(delta))


def cost(scale: float, distance: float) -> float:
    """What OpenDP says that noise of this scale costs (zCDP) where one person moves the counts so far."""
    return float(_gaussian(scale).map(distance))


def _gaussian(scale: float) -> Any:
    """OpenDP's mechanism over vectors of whole numbers; imported here, so that nobody waits for it but who draws."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    return dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T=float), scale=scale)
