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
from enum import StrEnum
from typing import Literal

from privacy_ops.transfers.flows import SAME_ENTITY, Flow
from privacy_ops.transfers.reference import Reference, Regime


class Verdict(StrEnum):
    """Outcome for one flow under one regime."""

    NOT_A_TRANSFER = "NOT_A_TRANSFER"
    COVERED = "COVERED"
    COVERED_EXPIRING = "COVERED_EXPIRING"  # what carries it ends within the months of the thresholds
    COVERED_CHALLENGED = "COVERED_CHALLENGED"  # what carries it is before a court
    UNRESOLVED = "UNRESOLVED"  # a fact is missing; a finding, never a pass
    SCOPE_MISMATCH = "SCOPE_MISMATCH"  # there is an instrument or contract, and it does not fit
    UNCOVERED = "UNCOVERED"

    @property
    def rank(self) -> int:
        """Higher is better; grounds are compared by it."""
        return -list(Verdict).index(self)

    @property
    def covered(self) -> bool:
        return self.rank >= Verdict.COVERED_CHALLENGED.rank


@dataclass(frozen=True)
class Rules:
    """Numbers of the thresholds that the judgement uses, in months."""

    expiring_months: int = 24
    assessment_review_months: int = 12


@dataclass(frozen=True)
class Reason:
    """One step of the chain: which question, what the answer was, which row or contract says so."""

    step: Literal["law", "data", "nature", "entity", "place", "adequacy", "mechanism", "state"]
    text: str
    cites: str = ""


@dataclass(frozen=True)
class Ground:
    """One thing that a flow could rest on, weighed."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    instrument: str = ""
    expires_on: date | None = None
    flags: tuple[str, ...] = ()  # covered, and yet somebody must act: assessment_overdue, no_article_28_terms
    efta_unverified: bool = False


@dataclass(frozen=True)
class Judgement:
    """Verdict of one regime on one flow. ``by_state``: EFTA states for which it differs."""

    regime: Regime
    verdict: Verdict
    reasons: tuple[Reason, ...]
    instrument: str = ""
    expires_on: date | None = None
    flags: tuple[str, ...] = ()
    by_state: Mapping[str, Verdict] = field(default_factory=dict)


# First day on which each law could be asked. The UK GDPR began when the transition period ended.
BEGINS: Mapping[Regime, date] = {"UK": date(2020, 12, 31), "EU": date(2018, 5, 25)}
HOME: Mapping[Regime, Literal["UK", "EEA"]] = {"UK": "UK", "EU": "EEA"}
EFTA_STATES = ("IS", "LI", "NO")


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of a shorter month; never beyond the last day there is."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def outside(regime: Regime, flow: Flow, reference: Reference, on: date) -> tuple[Verdict | None, tuple[Reason, ...]]:
    """Answers that end the question before any instrument is read: no transfer, or no place.

    Returns (None, reasons so far) when the flow is a transfer that needs a ground.
    """
    said: list[Reason] = []

    def end(verdict: Verdict, reason: Reason) -> tuple[Verdict, tuple[Reason, ...]]:
        return verdict, (*said, reason)

    if on < BEGINS[regime]:
        return end(Verdict.NOT_A_TRANSFER, Reason("law", f"the {regime} regime began on {BEGINS[regime].isoformat()}"))
    if regime not in flow.regimes:
        return end(Verdict.NOT_A_TRANSFER, Reason("law", f"{regime} law does not govern these data"))
    if not flow.personal:
        return end(Verdict.NOT_A_TRANSFER, Reason("data", "the data are about nobody"))
    if flow.nature == "TRANSIT":
        return end(Verdict.NOT_A_TRANSFER, Reason("nature", "data only pass through the country"))
    if flow.nature == "DIRECT_COLLECTION":
        return end(Verdict.NOT_A_TRANSFER, Reason("nature", "the person abroad gives the data directly"))
    if flow.nature == "RETURN" and flow.exporter_role == "processor" and regime == "UK":
        return end(
            Verdict.NOT_A_TRANSFER,
            Reason("nature", "a processor returning data to its controller does not initiate a transfer"),
        )
    if flow.importer.relationship in SAME_ENTITY:
        return end(
            Verdict.NOT_A_TRANSFER,
            Reason("entity", "same legal entity as the exporter; duties of security stay", flow.importer.entity_id),
        )
    if flow.importer.relationship == "UNKNOWN":
        said.append(Reason("entity", "nobody declared who receives the data: taken as a separate organisation"))
    else:
        said.append(
            Reason("entity", f"separate organisation ({flow.importer.relationship.lower()})", flow.importer.entity_id)
        )
    place = reference.territory(flow.country)
    if place is None:
        return end(Verdict.UNRESOLVED, Reason("place", "the country is not known", flow.country or ""))
    if place.kind in {"PSEUDO", "CHECK"}:
        return end(Verdict.UNRESOLVED, Reason("place", f"{place.name}: {place.note}", f"territories.csv:{place.code}"))
    home = reference.membership(place.code, HOME[regime], on)
    if home is not None:
        return end(
            Verdict.NOT_A_TRANSFER,
            Reason(
                "place",
                f"{place.name} is inside the {HOME[regime]} ({home.member})",
                f"home_areas.csv:{home.code}/{home.area}/{home.member}",
            ),
        )
    said.append(Reason("place", f"{place.name} is outside the {HOME[regime]}", f"territories.csv:{place.code}"))
    return None, tuple(said)
