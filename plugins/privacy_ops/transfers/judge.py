"""Judges one flow under both regimes, as of a day, with the knowledge of a day. Pure.

Every ground that a flow could rest on (adequacy, each mechanism) is weighed; the best carries it, so that a further
good contract never makes a verdict worse. The chain of reasons names all that was weighed and the row that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.mechanisms import weigh
from privacy_ops.transfers.reference import REGIMES, Instrument, Reference, Regime, Scope
from privacy_ops.transfers.regimes import (
    EFTA_STATES,
    Ground,
    Judgement,
    Reason,
    Rules,
    Verdict,
    add_months,
    outside,
)

__all__ = ["Judgement", "Reason", "Rules", "Verdict", "judge"]

_DEFAULT_RULES = Rules()
_Answer = tuple[Verdict, str]  # COVERED: in scope; the others say why not
_Predicate = Callable[[Flow, date], _Answer]


def _scheme(name: str, whom: str) -> _Predicate:
    """The importer must be subject to a law or on a list; not knowing is not a pass."""

    def answer(flow: Flow, _on: date) -> _Answer:
        subject = flow.importer.subject_to.get(name)
        if subject is None:
            return Verdict.UNRESOLVED, f"not known whether the importer is {whom}"
        return (
            (Verdict.COVERED, f"importer is {whom}")
            if subject
            else (
                Verdict.SCOPE_MISMATCH,
                f"importer is not {whom}",
            )
        )

    return answer


def _dpf(flow: Flow, on: date) -> _Answer:
    listing = flow.importer.dpf
    if listing is None:
        return Verdict.UNCOVERED, "importer is not on the Data Privacy Framework list"
    if not listing.active(on):
        return Verdict.SCOPE_MISMATCH, "importer is not active on the Data Privacy Framework list on this day"
    if flow.data_type not in listing.data:
        return Verdict.SCOPE_MISMATCH, f"importer is certified for {'+'.join(listing.data)}, data are {flow.data_type}"
    return Verdict.COVERED, f"importer is active on the list for {flow.data_type} (checked {listing.checked_on})"


def _dpf_uk(flow: Flow, on: date) -> _Answer:
    verdict, text = _dpf(flow, on)
    if verdict is not Verdict.COVERED or flow.importer.dpf is None:
        return verdict, text
    extension = flow.importer.dpf.uk_extension_from
    if extension is None or on < extension:
        return Verdict.SCOPE_MISMATCH, "importer has not taken the UK Extension"
    if flow.special_category and not flow.special_flagged:
        return Verdict.SCOPE_MISMATCH, "sensitive data must be flagged to the importer, and are not"
    if "journalism" in flow.purposes:
        return Verdict.SCOPE_MISMATCH, "the UK Extension does not carry data for journalism"
    return Verdict.COVERED, text + ", with the UK Extension"


def _unless(text: str, broken: Callable[[Flow], bool]) -> _Predicate:
    return lambda flow, _on: (Verdict.SCOPE_MISMATCH, text) if broken(flow) else (Verdict.COVERED, "in scope")


_SCOPES: Mapping[Scope, _Predicate] = {
    "FULL": lambda _flow, _on: (Verdict.COVERED, "whole country"),
    "INTL_ORG": lambda _flow, _on: (Verdict.COVERED, "the organisation itself"),
    "NONE": lambda _flow, _on: (Verdict.UNCOVERED, "no instrument was found"),
    "PIPEDA_ORGS": _scheme("PIPEDA", "subject to PIPEDA"),
    "APPI_PRIVATE": _scheme("APPI", "a business subject to APPI"),
    "PIPA": _scheme("PIPA", "subject to PIPA"),
    "PIPA_EXCL": _scheme("PIPA", "subject to PIPA"),
    "PS_LIST": _scheme("PRIVACY_SHIELD", "on the Privacy Shield list"),
    "AUTOMATED_PROCESSING": _unless("only automated processing is covered", lambda f: not f.automated),
    "EXCL_IMMIGRATION": _unless("immigration control is excluded", lambda f: "immigration_control" in f.purposes),
    "DPF_ACTIVE": _dpf,
    "DPF_UK_EXT_ACTIVE": _dpf_uk,
}
# Korea's EU decision leaves these out although the importer is subject to PIPA.
_PIPA_EXCLUDED = frozenset({"credit_information", "religious_mission", "political_candidates"})


def _adequacy(row: Instrument, flow: Flow, on: date, rules: Rules) -> Ground:
    cites = f"adequacy_instruments.csv:{row.instrument_id}"

    def ends(verdict: Verdict, text: str) -> Ground:
        return Ground(verdict, (Reason("adequacy", f"{row.instrument}: {text}", cites),), row.instrument_id)

    if row.status == "NOT_ADEQUATE":
        return ends(Verdict.UNCOVERED, row.scope_note or "no instrument was found")
    if not row.valid(on):
        if row.valid_to and row.valid_to < on:
            why = row.scope_note if row.status == "INVALIDATED" else "ended"
            return ends(Verdict.UNCOVERED, f"{why}, last good day {row.valid_to.isoformat()}")
        return ends(Verdict.UNCOVERED, f"not yet in force, from {row.valid_from}")
    verdict, text = _SCOPES[row.scope](flow, on)
    if row.scope == "PIPA_EXCL" and _PIPA_EXCLUDED & set(flow.purposes):
        verdict, text = Verdict.SCOPE_MISMATCH, "these purposes are excluded"
    if verdict is Verdict.COVERED:
        if row.valid_to and row.valid_to < add_months(on, rules.expiring_months):
            verdict, text = Verdict.COVERED_EXPIRING, f"{text}; ends {row.valid_to.isoformat()}"
        if row.status == "IN_FORCE_CHALLENGED":
            verdict, text = Verdict.COVERED_CHALLENGED, f"{text}; challenged: {row.review_note}"
    return Ground(
        verdict,
        (Reason("adequacy", f"{row.instrument}: {text}", cites),),
        row.instrument_id,
        row.valid_to,
        efta_unverified=row.efta == "unverified",
    )


def _for_efta(ground: Ground) -> Ground:
    """The same ground for a person in IS, LI or NO: a decision whose EEA position nobody verified carries nothing."""
    if not (ground.efta_unverified and ground.verdict.covered):
        return ground
    return Ground(Verdict.UNRESOLVED, ground.reasons, ground.instrument, ground.expires_on, ground.flags)


def _best(grounds: tuple[Ground, ...]) -> Ground:
    nothing = Ground(Verdict.UNCOVERED, (Reason("adequacy", "no instrument and no mechanism"),))
    return max(grounds, key=lambda g: (g.verdict.rank, -len(g.flags)), default=nothing)


def _judge_one(regime: Regime, flow: Flow, reference: Reference, on: date, known: date, rules: Rules) -> Judgement:
    ended, said = outside(regime, flow, reference, on)
    if ended is not None:
        return Judgement(regime, ended, said)
    place = reference.territory(flow.country)
    country = place.code if place else ""
    grounds = (
        *(_adequacy(row, flow, on, rules) for row in reference.adequacy(regime, country, on, known)),
        *(weigh(m, flow, regime, reference, on, known, rules) for m in flow.mechanisms),
    )
    weighed = said + tuple(reason for ground in grounds for reason in ground.reasons)
    if not grounds:
        weighed += (Reason("adequacy", f"no {regime} instrument for {country} and no mechanism"),)
    best = _best(grounds)
    by_state: dict[str, Verdict] = {}
    if regime == "EU":
        states = flow.subject_states or ("EU", *EFTA_STATES)
        efta = tuple(state for state in EFTA_STATES if state in states)
        there = _best(tuple(map(_for_efta, grounds)))
        if efta and there.verdict is not best.verdict:
            text = f"position of {', '.join(efta)} on this decision is not verified: {there.verdict} there"
            weighed += (Reason("state", text, best.instrument),)
            if len(efta) == len(states):
                best = there
            else:
                by_state = dict.fromkeys(efta, there.verdict)
    return Judgement(regime, best.verdict, weighed, best.instrument, best.expires_on, best.flags, by_state)


def judge(
    flow: Flow, reference: Reference, on: date, known: date, rules: Rules = _DEFAULT_RULES
) -> dict[Regime, Judgement]:
    """Both regimes' judgement of ``flow`` as of ``on``, from what was known on ``known``.

    Neither regime reads the other's instruments.
    """
    return {regime: _judge_one(regime, flow, reference, on, known, rules) for regime in REGIMES}
