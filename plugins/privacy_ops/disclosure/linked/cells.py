"""What passes between those who protect and the attacker: published cells, and how wide an interval was promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privacy_ops.disclosure.linked.frame import Key


def share_of(measure: str) -> str:
    """Name of the published share of a measure."""
    return f"share {measure}"


@dataclass(frozen=True)
class PublishedCell:
    """One cell as a reader sees it: a count, a band, or None for anything withheld, zeros and small counts alike."""

    key: Key
    values: Mapping[str, int | str | None]


@dataclass(frozen=True)
class Need:
    """What an attacker's interval must be at least: reach down, reach up, be so wide. None asks for nothing.

    ``part``: as wide as this part of its upper end, for amounts, of which a reader does not know how large they are.
    """

    width: float
    down_to: float | None = None
    up_to: float | None = None
    part: float = 0.0

    def met_by(self, low: float, high: float, slack: float = 1e-6) -> bool:
        """Whether an interval is wide enough."""
        return (
            high - low >= max(self.width, self.part * high) - slack
            and (self.down_to is None or low <= self.down_to + slack)
            and (self.up_to is None or high >= self.up_to - slack)
        )
