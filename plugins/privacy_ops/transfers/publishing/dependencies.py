"""What each instrument and contract carries, and what breaks without it. Pure: each flow is judged again without it.

A flow that has another ground does not break; the report says so, because such a ground is what a second contract is
signed for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from privacy_ops.transfers import what_if
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.reasons import Verdict
from privacy_ops.transfers.reference import REGIMES, Instrument, Reference, Regime
from privacy_ops.transfers.regimes import Judgement, Rules
from privacy_ops.transfers.what_if import Point

JudgedFlow = tuple[Flow, Mapping[Regime, Judgement]]


@dataclass(frozen=True)
class Affected:
    """One flow under one regime that leans on the ground, and its verdict without it."""

    flow: Flow
    regime: Regime
    before: Verdict
    after: Verdict
    instead: str  # what would carry it, or empty

    @property
    def breaks(self) -> bool:
        return not self.after.covered


@dataclass(frozen=True)
class Dependency:
    """One ground: an adequacy instrument, or a mechanism of the registry."""

    ground: str
    title: str
    regimes: tuple[Regime, ...]
    last_day: date | None  # it ends of itself
    danger: str  # why it may fall earlier; empty: no sign of it
    followers: tuple[str, ...]  # instruments that fall with it
    affected: tuple[Affected, ...]

    @property
    def breaking(self) -> tuple[Affected, ...]:
        return tuple(a for a in self.affected if a.breaks)

    @property
    def carried(self) -> tuple[Affected, ...]:
        return tuple(a for a in self.affected if not a.breaks)


def depend(judged: Sequence[JudgedFlow], reference: Reference, at: Point, rules: Rules) -> tuple[Dependency, ...]:
    """Every ground that some flow leans on: those that may fall or end first, then by how many flows break."""
    flows = [flow for flow, _ in judged]
    grounds = sorted({j.instrument for _, both in judged for j in both.values() if _leans(j)})
    rows = {row.instrument_id: row for row in reference.instruments if row.known_on(at.known)}
    found = [_one(ground, rows.get(ground), judged, flows, reference, at, rules) for ground in grounds]
    return tuple(sorted(found, key=lambda d: (not d.danger, d.last_day or date.max, -len(d.breaking), d.ground)))


def _leans(judgement: Judgement) -> bool:
    return judgement.verdict.covered and judgement.verdict is not Verdict.NOT_A_TRANSFER


def _one(
    ground: str,
    row: Instrument | None,
    judged: Sequence[JudgedFlow],
    flows: Sequence[Flow],
    reference: Reference,
    at: Point,
    rules: Rules,
) -> Dependency:
    dropped = what_if.resolve([ground], reference, flows)
    gone = dropped.instruments | dropped.mechanisms
    tables = what_if.without(reference, dropped, at.on)
    affected: list[Affected] = []
    last_day: date | None = None
    for flow, both in judged:
        leaning = {j.instrument for j in both.values()} & gone
        if not leaning and what_if.bare(flow, dropped) is flow:
            continue
        then = judge(what_if.bare(flow, dropped), tables, at.on, at.known, rules)
        for regime, was in both.items():
            if not _leans(was) or (was.instrument not in gone and then[regime].verdict.rank >= was.verdict.rank):
                continue
            after = then[regime]
            affected.append(
                Affected(flow, regime, was.verdict, after.verdict, after.instrument if _leans(after) else "")
            )
            last_day = was.expires_on if was.instrument == ground else last_day
    challenged = row is not None and row.status == "IN_FORCE_CHALLENGED"
    return Dependency(
        ground,
        row.instrument if row else ground,
        tuple(regime for regime in REGIMES if any(a.regime == regime for a in affected)),
        last_day,
        f"challenged: {row.review_note}" if row is not None and challenged else "",
        tuple(name for name, _ in dropped.followers),
        tuple(sorted(affected, key=lambda a: (a.flow.place, a.flow.nature, a.flow.country or "", a.regime))),
    )
