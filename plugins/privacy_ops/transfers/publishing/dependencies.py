"""What each instrument and contract carries, and what breaks without it. Pure: each flow is judged again without it.

A flow that has another ground does not break; the report says so, because such a ground is what a second contract is
signed for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.reasons import Verdict
from privacy_ops.transfers.reference import Instrument, Reference, Regime
from privacy_ops.transfers.regimes import Judgement, Rules


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
    affected: tuple[Affected, ...]

    @property
    def breaking(self) -> tuple[Affected, ...]:
        return tuple(a for a in self.affected if a.breaks)

    @property
    def carried(self) -> tuple[Affected, ...]:
        return tuple(a for a in self.affected if not a.breaks)


def depend(
    judged: Sequence[tuple[Flow, Mapping[Regime, Judgement]]], reference: Reference, on: date, known: date, rules: Rules
) -> tuple[Dependency, ...]:
    """Every ground that some flow leans on: those that may fall or end first, then by how many flows break."""
    leaning: dict[str, list[tuple[Flow, Judgement]]] = {}
    for flow, both in judged:
        for judgement in both.values():
            if judgement.verdict.covered and judgement.verdict is not Verdict.NOT_A_TRANSFER:
                leaning.setdefault(judgement.instrument, []).append((flow, judgement))
    rows = {row.instrument_id: row for row in reference.instruments if row.known_on(known)}
    found = [
        _one(ground, rows.get(ground), entries, reference, on, known, rules) for ground, entries in leaning.items()
    ]
    return tuple(
        sorted(found, key=lambda d: (not d.danger, d.last_day or date.max, -len(d.breaking), d.ground))
    )  # fmt: skip


def _one(
    ground: str,
    row: Instrument | None,
    entries: Iterable[tuple[Flow, Judgement]],
    reference: Reference,
    on: date,
    known: date,
    rules: Rules,
) -> Dependency:
    without = replace(
        reference, instruments=tuple(i for i in reference.instruments if i.instrument_id != ground)
    )  # fmt: skip
    affected = []
    last_day: date | None = None
    for flow, judgement in entries:
        bare = flow.model_copy(
            update={"mechanisms": tuple(m for m in flow.mechanisms if m.mechanism_id != ground)}
        )  # fmt: skip
        after = judge(bare, without, on, known, rules)[judgement.regime]
        affected.append(Affected(flow, judgement.regime, judgement.verdict, after.verdict, _carrier(after)))
        last_day = judgement.expires_on
    challenged = row is not None and row.status == "IN_FORCE_CHALLENGED"
    return Dependency(
        ground,
        row.instrument if row else ground,
        tuple(sorted({a.regime for a in affected}, reverse=True)),
        last_day,
        f"challenged: {row.review_note}" if row is not None and challenged else "",
        tuple(sorted(affected, key=lambda a: (a.flow.place, a.flow.nature, a.flow.country or "", a.regime))),
    )


def _carrier(judgement: Judgement) -> str:
    carried = judgement.verdict.covered and judgement.verdict is not Verdict.NOT_A_TRANSFER
    return judgement.instrument if carried else ""
