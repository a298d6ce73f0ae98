"""What breaks when an instrument falls, a contract ends, or a day comes. Pure: everything is judged twice.

A flow breaks under a regime when it is lawful before and not covered afterwards. One that merely gets weaker (ends
soon, is challenged) is listed as weakened.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from privacy_ops.errors import UserError
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.reasons import Code
from privacy_ops.transfers.reference import REGIMES, Instrument, Reference, Regime
from privacy_ops.transfers.regimes import Judgement, Rules


@dataclass(frozen=True)
class Point:
    """Law of a day, as known on a day."""

    on: date
    known: date


@dataclass(frozen=True)
class Dropped:
    """What is taken away. ``instruments``: by id, those that fall with them included; ``mechanisms``: ids or kinds."""

    instruments: frozenset[str] = frozenset()
    mechanisms: frozenset[str] = frozenset()
    followers: tuple[tuple[str, str], ...] = ()  # (what falls as well, what it depends on)


@dataclass(frozen=True)
class Change:
    """One flow under one regime that is worse off. ``why``: the reason that decides afterwards, and what it cites."""

    flow: Flow
    regime: Regime
    before: Judgement
    after: Judgement

    @property
    def breaks(self) -> bool:
        return not self.after.verdict.covered

    @property
    def why(self) -> str:
        decided = self.after.decided
        return f"{decided.text} [{decided.cites}]" if decided.cites else decided.text

    def as_row(self) -> dict[str, Any]:
        return {
            "place": self.flow.place,
            "nature": self.flow.nature,
            "country": self.flow.country,
            "importer": self.flow.importer.entity_id,
            "transfer_id": self.flow.transfer_id,
            "regime": self.regime,
            "before": self.before.verdict.value,
            "rested_on": self.before.instrument,
            "after": self.after.verdict.value,
            "code": self.after.code.value,
            "why": self.why,
            "breaks": self.breaks,
            "owner": self.flow.owner,
        }


def resolve(names: Iterable[str], reference: Reference, flows: Sequence[Flow], *, alone: bool = False) -> Dropped:
    """What people mean by these names: an instrument's id or another name of it, a mechanism's id, or a kind of it.

    Instruments that depend on a dropped one fall with it unless ``alone``. Raises UserError for an unknown name.
    """
    by_name: dict[str, str] = {}
    for row in reference.instruments:
        for name in (row.instrument_id, *row.also_called):
            by_name[name.upper()] = row.instrument_id
    held = {m.mechanism_id.upper(): m.mechanism_id for flow in flows for m in flow.mechanisms}
    kinds = {rule.code: rule.code for rule in reference.mechanism_rules}
    instruments: set[str] = set()
    mechanisms: set[str] = set()
    for name in names:
        key = name.strip().upper()
        if key in by_name:
            instruments.add(by_name[key])
        elif key in held:
            mechanisms.add(held[key])
        elif key in kinds:
            mechanisms.add(key)
        else:
            near = difflib.get_close_matches(key, [*by_name, *held, *kinds], n=3)
            listed = ", ".join(near) or "an id of adequacy_instruments.csv or mechanisms.yaml"
            raise UserError(f"nothing is called {name!r}", where="--drop", do=f"perhaps {listed}")
    followers: list[tuple[str, str]] = []
    while not alone:
        more = {
            (row.instrument_id, row.depends_on)
            for row in reference.instruments
            if row.depends_on in instruments and row.instrument_id not in instruments
        }
        if not more:
            break
        followers += sorted(more)
        instruments |= {name for name, _ in more}
    return Dropped(frozenset(instruments), frozenset(mechanisms), tuple(followers))


def without(reference: Reference, dropped: Dropped, on: date) -> Reference:
    """The tables in which the dropped instruments have been struck down the day before."""
    return replace(
        reference,
        instruments=tuple(
            _struck(row, on) if row.instrument_id in dropped.instruments else row for row in reference.instruments
        ),
    )


def _struck(row: Instrument, on: date) -> Instrument:
    last = on - timedelta(days=1)
    return row.model_copy(
        update={
            "status": "INVALIDATED",
            "scope_note": "taken away for this question",
            "valid_from": min(row.valid_from, last) if row.valid_from else None,
            "valid_to": min(row.valid_to, last) if row.valid_to else last,
        }
    )


def compare(
    flows: Sequence[Flow],
    reference: Reference,
    before: Point,
    after: Point,
    dropped: Dropped,
    rules: Rules,
) -> tuple[Change, ...]:
    """Every flow and regime that is worse off, breaking ones first."""
    tables = without(reference, dropped, after.on) if dropped.instruments else reference
    found: list[Change] = []
    for flow in flows:
        was = judge(flow, reference, before.on, before.known, rules)
        then = judge(bare(flow, dropped), tables, after.on, after.known, rules)
        found += [
            Change(flow, regime, was[regime], then[regime])
            for regime in REGIMES
            if was[regime].verdict.covered and then[regime].verdict.rank < was[regime].verdict.rank
        ]
    return tuple(sorted(found, key=_order))


def carried(
    flows: Sequence[Flow], reference: Reference, at: Point, dropped: Dropped, rules: Rules
) -> tuple[Change, ...]:
    """Flows that could rest on something dropped, and stay lawful on another ground (``after.instrument``)."""
    tables = without(reference, dropped, at.on)
    found: list[Change] = []
    for flow in flows:
        left = bare(flow, dropped)
        was, then = (judge(f, t, at.on, at.known, rules) for f, t in ((flow, reference), (left, tables)))
        found += [
            Change(flow, regime, was[regime], then[regime])
            for regime in REGIMES
            if then[regime].verdict.covered and _could_rest(was[regime], dropped)
        ]
    return tuple(sorted(found, key=_order))


_CARRIES = frozenset({
    Code.ADEQUATE,
    Code.ADEQUATE_EXPIRING,
    Code.ADEQUATE_CHALLENGED,
    Code.MECHANISM_HOLDS,
    Code.MECHANISM_EXPIRING,
})


def _could_rest(judgement: Judgement, dropped: Dropped) -> bool:
    """Whether something dropped was among the grounds that would carry."""
    names = {f"adequacy_instruments.csv:{name}" for name in dropped.instruments}
    names |= {f"mechanisms.yaml:{name}" for name in dropped.mechanisms}
    cited = {
        reason.cites.partition(" + ")[0].partition("@")[0] for reason in judgement.reasons if reason.code in _CARRIES
    }
    kinds = {f"mechanism_rules.csv:{name}/{judgement.regime}" for name in dropped.mechanisms}
    rules = {
        reason.cites.partition(" + ")[2].partition("@")[0] for reason in judgement.reasons if reason.code in _CARRIES
    }
    return bool(names & cited or kinds & rules)


def bare(flow: Flow, dropped: Dropped) -> Flow:
    """The flow without the dropped mechanisms."""
    kept = tuple(m for m in flow.mechanisms if not {m.mechanism_id, m.code} & dropped.mechanisms)
    return flow if len(kept) == len(flow.mechanisms) else flow.model_copy(update={"mechanisms": kept})


def _order(change: Change) -> tuple[bool, int, str, str, str, str]:
    flow = change.flow
    return (
        not change.breaks,
        change.after.verdict.rank,
        flow.place,
        flow.nature,
        flow.country or "",
        change.regime,
    )


_HEAD = ("regime", "place", "country", "importer", "before", "after", "why")


def table(changes: Sequence[Change]) -> list[str]:
    """Lines for a person: one per flow and regime, columns aligned; the reason comes last and may be long."""
    rows = [_HEAD] + [
        (
            c.regime,
            f"{c.flow.place} ({c.flow.nature})",
            c.flow.country or "?",
            c.flow.importer.entity_id,
            c.before.verdict.value,
            c.after.verdict.value,
            c.why,
        )
        for c in changes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
