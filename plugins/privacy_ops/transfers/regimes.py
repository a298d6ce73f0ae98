"""Two laws, judged apart: when each began, where its home is, and what it does not call a transfer at all.

UK: the three steps of the ICO's transfer guidance of 15 January 2026 (the law applies; we initiate the transfer to an
organisation outside the UK; that organisation is a separate legal entity). EU: EDPB Guidelines 05/2021 (an exporter
under the GDPR discloses or makes available; another controller or processor; in a third country).
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal

from privacy_ops.transfers.flows import SAME_ENTITY, Flow, Relationship
from privacy_ops.transfers.reasons import Code, Reason, Verdict
from privacy_ops.transfers.reference import Area, Law, Regime

# Covered, and yet somebody must act.
Flag = Literal["assessment_overdue", "no_article_28_terms", "dpf_check_stale"]


@dataclass(frozen=True)
class Rules:
    """Numbers of the thresholds that the judgement uses."""

    expiring_months: int = 24
    assessment_review_months: int = 12
    dpf_check_days: int = 30


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a flow could rest on, weighed; its reason says how."""

    verdict: Verdict
    reason: Reason
    instrument: str = ""
    expires_on: date | None = None
    flags: tuple[Flag, ...] = ()
    efta_unverified: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdict of one regime on one flow.

    ``code``: the reason that decided. ``instrument``: what carries it, or ``NONE_NEEDED/<code>``.
    ``by_state``: EFTA states for which the verdict differs.
    """

    regime: Regime
    verdict: Verdict
    code: Code
    reasons: tuple[Reason, ...]
    instrument: str = ""
    expires_on: date | None = None
    flags: tuple[Flag, ...] = ()
    by_state: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def decided(self) -> Reason:
        """The reason that decided."""
        return next((r for r in self.reasons if r.code is self.code), self.reasons[-1])


# First day on which each law could be asked. The UK GDPR began when the transition period ended.
BEGINS: Mapping[Regime, date] = {"UK": date(2020, 12, 31), "EU": date(2018, 5, 25)}
HOME: Mapping[Regime, Area] = {"UK": "UK", "EU": "EEA"}
EFTA_STATES = ("IS", "LI", "NO")


@lru_cache(maxsize=4096)
def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of a shorter month; never beyond the last day there is."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Outside:
    """The question ended before any instrument was read: no transfer, or no place. ``reason`` is the last of them."""

    verdict: Verdict
    reasons: tuple[Reason, ...]

    @property
    def code(self) -> Code:
        return self.reasons[-1].code


_NOTHING_LEAVES = {
    "TRANSIT": Reason("nature", Code.TRANSIT, "data only pass through the country"),
    "DIRECT_COLLECTION": Reason("nature", Code.DIRECT_COLLECTION, "the person abroad gives the data directly"),
}
_ABOUT_NOBODY = Reason("data", Code.ANONYMOUS, "the data are about nobody")
_RETURNED = Reason(
    "nature", Code.NOT_INITIATED, "a processor returning data to its controller does not initiate a transfer"
)
_NOT_GOVERNED: Mapping[Regime, Reason] = {
    regime: Reason("law", Code.NOT_GOVERNED, f"{regime} law does not govern these data") for regime in BEGINS
}
_NOT_BEGUN: Mapping[Regime, Reason] = {
    regime: Reason("law", Code.BEFORE_REGIME, f"the {regime} regime began on {first.isoformat()}")
    for regime, first in BEGINS.items()
}


def _ends_at_once(regime: Regime, flow: Flow, law: Law) -> Reason | None:
    """What makes it no transfer before anybody asks who receives the data."""
    if law.on < BEGINS[regime]:
        return _NOT_BEGUN[regime]
    if regime not in flow.regimes:
        return _NOT_GOVERNED[regime]
    if not flow.personal:
        return _ABOUT_NOBODY
    if flow.nature == "RETURN" and flow.exporter_role == "processor" and regime == "UK":
        return _RETURNED
    return _NOTHING_LEAVES.get(flow.nature)


@lru_cache(maxsize=4096)
def _entity(entity_id: str, relationship: Relationship) -> Reason:
    cites = f"processors.yaml:{entity_id}"
    if relationship in SAME_ENTITY:
        text = "same legal entity as the exporter; duties of security stay"
        return Reason("entity", Code.SAME_ENTITY, text, cites)
    if relationship == "UNKNOWN":
        text = "nobody declared who receives the data: taken as a separate organisation"
        return Reason("entity", Code.IMPORTER_UNKNOWN, text)
    return Reason("entity", Code.SEPARATE_ENTITY, f"separate organisation ({relationship.lower()})", cites)


def outside(regime: Regime, flow: Flow, law: Law) -> Outside | tuple[Reason, ...]:
    """Answers that end the question before any instrument is read.

    Returns the reasons so far when the flow is a transfer that needs a ground.
    """
    if ended := _ends_at_once(regime, flow, law):
        return Outside(Verdict.NOT_A_TRANSFER, (ended,))
    entity = _entity(flow.importer.entity_id, flow.importer.relationship)
    if entity.code is Code.SAME_ENTITY:
        return Outside(Verdict.NOT_A_TRANSFER, (entity,))
    place = law.territory(flow.country)
    if place is None:
        says = Reason("place", Code.COUNTRY_UNKNOWN, "the country is not known", flow.country or "")
        return Outside(Verdict.UNRESOLVED, (entity, says))
    if place.kind in {"PSEUDO", "CHECK"}:
        code = Code.NOT_A_COUNTRY if place.kind == "PSEUDO" else Code.STATUS_UNCHECKED
        return Outside(Verdict.UNRESOLVED, (entity, Reason("place", code, f"{place.name}: {place.note}", place.cite)))
    home = law.membership(place.code, HOME[regime])
    if home is not None:
        text = f"{place.name} is inside the {HOME[regime]} ({home.member})"
        return Outside(Verdict.NOT_A_TRANSFER, (entity, Reason("place", Code.HOME_AREA, text, home.cite)))
    return entity, Reason("place", Code.THIRD_COUNTRY, f"{place.name} is outside the {HOME[regime]}", place.cite)
