"""Primary rules: which counts are withheld for what they are, and how well each is protected.

Zeros are treated like small counts: a published zero says that nobody did, and limits what a neighbour can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from privacy_ops.disclosure.linked.cells import Need
from privacy_ops.disclosure.linked.frame import Amount, Entry, Key, Measure, rest_of
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.linked.table import Facts, Institutions, Sum, Table

Reason = Literal["few", "institutions", "complement", "share", "dominance", "around", "activity", "linked", "given"]


@dataclass(frozen=True)
class Primaries:
    """Entries withheld by a rule with the first rule that said so, and what must be protected.

    Complements are in ``needs`` and never in ``reasons``: nobody publishes them.
    """

    reasons: Mapping[Entry, Reason]
    needs: Mapping[Entry, Need]


def primaries(table: Table, rules: Rules) -> Primaries:
    """What the rules withhold in each cell. An inner measure goes with the one around it."""
    reasons: dict[Entry, Reason] = {}
    needs: dict[Entry, Need] = {}
    small = Need(width=rules.min_people, down_to=0, up_to=rules.min_people)
    for key in table.frame.keys:
        facts = table.facts[key]
        for measure in table.frame.measures:
            entry = Entry(key, measure.name)
            reason = _judge(measure, facts, rules)
            if reason is None and measure.within is not None and (outer := Entry(key, measure.within)) in reasons:
                reason = "institutions" if reasons[outer] == "institutions" else "around"
            if reason is not None:
                reasons[entry] = reason
                needs[entry] = need_of(table, entry, reason, rules)
            if measure.within is not None and table.value(rest := Entry(key, rest_of(measure.name))) < rules.min_people:
                needs[rest] = small
        for amount in table.frame.amounts:
            _judge_amount(table, key, amount, rules, reasons, needs)
    return Primaries(reasons, needs)


def need_of(table: Table, entry: Entry, reason: Reason, rules: Rules) -> Need:
    """How well a withheld entry is protected.

    A small count: from 0 to the threshold. Where an institution dominates: a fifth of the count. Anything else, even
    what is withheld only to protect another: as wide as the threshold, so that nothing withheld is ever recovered.
    An amount: a quarter of itself, which makes the interval at least a fifth of whatever may lie in it.
    """
    value = table.value(entry)
    if entry.measure in table.facts[entry.key].amounts:
        return Need(width=float(value * rules.protect_share / (1 - rules.protect_share)))
    if value < rules.min_people:
        return Need(width=rules.min_people, down_to=0, up_to=rules.min_people)
    if reason == "institutions":
        return Need(width=max(float(rules.min_people), float(value * rules.protect_share)))
    return Need(width=rules.min_people)


def _judge(measure: Measure, facts: Facts, rules: Rules) -> Reason | None:
    count = facts.counts[measure.name]
    if count < rules.min_people:
        return "few"
    if _is_dominated(facts.institutions.get(measure.name), count, measure, rules):
        return "institutions"
    if measure.beside is not None and abs(facts.counts[measure.beside] - count) < rules.min_people:
        return "complement"
    if measure.within is None:
        return None
    around = facts.counts[measure.within]
    if around - count < rules.min_people:
        return "complement"
    top = rules.share_bands.top
    if measure.share and (100 * count <= rules.share_bands.edges[0] * around or 100 * count >= (top or 100) * around):
        return "share"
    return None


def _is_dominated(known: Institutions | None, count: int, measure: Measure, rules: Rules) -> bool:
    """Too few institutions, or most people from one. An outermost count of which nothing is known fails."""
    if rules.min_institutions == 0:
        return False
    if known is None:
        return measure.within is None
    return known.resolved < rules.min_institutions or known.largest > rules.max_institution_share * count


def _judge_amount(
    table: Table, key: Key, amount: Amount, rules: Rules, reasons: dict[Entry, Reason], needs: dict[Entry, Need]
) -> None:
    entry = Entry(key, amount.name)
    reason: Reason | None = None
    if Entry(key, amount.of) in reasons:
        reason = "around"
    elif _is_owned(table.facts[key].amounts[amount.name], rules):
        reason = "dominance"
    if reason is not None:
        reasons[entry] = reason
        needs[entry] = need_of(table, entry, reason, rules)


def _is_owned(amount: Sum, rules: Rules) -> bool:
    """Two people add nine tenths (n = 2, k = 0.9), or the second could tell the first within p = 10 %."""
    rest = amount.total - amount.largest - amount.second
    return (
        amount.largest + amount.second > rules.dominance_share * amount.total or rest < rules.p_ratio * amount.largest
    )
