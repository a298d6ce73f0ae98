"""Judges one flow under both regimes, as of a day, with the knowledge of a day. Pure.

Every ground that a flow could rest on (adequacy, each mechanism) is weighed; the best carries it, so that a further
good contract never makes a verdict worse. The chain of reasons names all that was weighed and the row that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.mechanisms import weigh
from privacy_ops.transfers.reasons import Code, Reason, Verdict
from privacy_ops.transfers.reference import REGIMES, Instrument, Law, Reference, Regime, Scope
from privacy_ops.transfers.regimes import (
    EFTA_STATES,
    Flag,
    Ground,
    Judgement,
    Outside,
    Rules,
    add_months,
    outside,
)

__all__ = ["Code", "Judgement", "Reason", "Rules", "Verdict", "judge", "judge_under"]

_DEFAULT_RULES = Rules()
_Answer = tuple[Verdict, Code, str]  # COVERED: in scope; the others say why not
_Predicate = Callable[[Flow, date], _Answer]


def _scheme(name: str, whom: str) -> _Predicate:
    """The importer must be subject to a law or on a list; not knowing is not a pass."""
    unknown = (Verdict.UNRESOLVED, Code.SCOPE_UNKNOWN, f"not known whether the importer is {whom}")
    inside = (Verdict.COVERED, Code.ADEQUATE, f"importer is {whom}")
    apart = (Verdict.SCOPE_MISMATCH, Code.SCHEME_NOT_SUBJECT, f"importer is not {whom}")

    def answer(flow: Flow, _on: date) -> _Answer:
        subject = flow.importer.subject_to.get(name)
        return unknown if subject is None else inside if subject else apart

    return answer


def _dpf(flow: Flow, on: date) -> _Answer:
    listing = flow.importer.dpf
    if listing is None:
        text = "importer is not on the Data Privacy Framework list"
        return Verdict.UNCOVERED, Code.DPF_NOT_LISTED, text
    if not listing.active(on):
        text = "importer is not active on the Data Privacy Framework list on this day"
        return Verdict.SCOPE_MISMATCH, Code.DPF_INACTIVE, text
    if flow.data_type not in listing.data:
        text = f"importer is certified for {'+'.join(listing.data)}, data are {flow.data_type}"
        return Verdict.SCOPE_MISMATCH, Code.DPF_DATA_TYPE, text
    text = f"importer is active on the list for {flow.data_type} (checked {listing.checked_on})"
    return Verdict.COVERED, Code.ADEQUATE, text


def _dpf_uk(flow: Flow, on: date) -> _Answer:
    verdict, code, text = _dpf(flow, on)
    if verdict is not Verdict.COVERED or flow.importer.dpf is None:
        return verdict, code, text
    extension = flow.importer.dpf.uk_extension_from
    if extension is None or on < extension:
        return Verdict.SCOPE_MISMATCH, Code.DPF_NO_UK_EXTENSION, "importer has not taken the UK Extension"
    if flow.special_category and not flow.special_flagged:
        text = "sensitive data must be flagged to the importer, and are not"
        return Verdict.SCOPE_MISMATCH, Code.DPF_NOT_FLAGGED, text
    if "journalism" in flow.purposes:
        text = "the UK Extension does not carry data for journalism"
        return Verdict.SCOPE_MISMATCH, Code.DPF_JOURNALISM, text
    return Verdict.COVERED, Code.ADEQUATE, text + ", with the UK Extension"


def _unless(text: str, broken: Callable[[Flow], bool]) -> _Predicate:
    outside_it = (Verdict.SCOPE_MISMATCH, Code.SCOPE_EXCLUDED, text)
    inside = (Verdict.COVERED, Code.ADEQUATE, "in scope")
    return lambda flow, _on: outside_it if broken(flow) else inside


def _always(verdict: Verdict, code: Code, text: str) -> _Predicate:
    answer = (verdict, code, text)
    return lambda _flow, _on: answer


# Korea's EU decision leaves these out although the importer is subject to PIPA.
_PIPA_EXCLUDED = frozenset({"credit_information", "religious_mission", "political_candidates"})
_pipa = _scheme("PIPA", "subject to PIPA")


def _pipa_excluding(flow: Flow, on: date) -> _Answer:
    if _PIPA_EXCLUDED.intersection(flow.purposes):
        return Verdict.SCOPE_MISMATCH, Code.SCOPE_EXCLUDED, "these purposes are excluded"
    return _pipa(flow, on)


_SCOPES: Mapping[Scope, _Predicate] = {
    "FULL": _always(Verdict.COVERED, Code.ADEQUATE, "whole country"),
    "INTL_ORG": _always(Verdict.COVERED, Code.ADEQUATE, "the organisation itself"),
    "NONE": _always(Verdict.UNCOVERED, Code.NO_INSTRUMENT, "no instrument was found"),
    "PIPEDA_ORGS": _scheme("PIPEDA", "subject to PIPEDA"),
    "APPI_PRIVATE": _scheme("APPI", "a business subject to APPI"),
    "PIPA": _pipa,
    "PIPA_EXCL": _pipa_excluding,
    "PS_LIST": _scheme("PRIVACY_SHIELD", "on the Privacy Shield list"),
    "AUTOMATED_PROCESSING": _unless("only automated processing is covered", lambda f: not f.automated),
    "EXCL_IMMIGRATION": _unless("immigration control is excluded", lambda f: "immigration_control" in f.purposes),
    "DPF_ACTIVE": _dpf,
    "DPF_UK_EXT_ACTIVE": _dpf_uk,
}
_DPF_SCOPES: frozenset[Scope] = frozenset({"DPF_ACTIVE", "DPF_UK_EXT_ACTIVE"})


def _not_in_force(row: Instrument, on: date) -> _Answer | None:
    if row.status == "NOT_ADEQUATE":
        return Verdict.UNCOVERED, Code.NO_INSTRUMENT, row.scope_note or "no instrument was found"
    if row.valid_from and on < row.valid_from:
        return Verdict.UNCOVERED, Code.NOT_YET_IN_FORCE, f"not yet in force, from {row.valid_from.isoformat()}"
    if row.valid_to and row.valid_to < on:
        struck = row.status == "INVALIDATED"
        why, code = (
            (row.scope_note or "invalidated", Code.INSTRUMENT_INVALIDATED)
            if struck
            else ("ended", Code.INSTRUMENT_ENDED)
        )
        return Verdict.UNCOVERED, code, f"{why}, last good day {row.valid_to.isoformat()}"
    return None


def _adequacy(row: Instrument, flow: Flow, law: Law, rules: Rules) -> Ground:
    on = law.on
    verdict, code, text = _not_in_force(row, on) or _SCOPES[row.scope](flow, on)
    flags: tuple[Flag, ...] = ()
    if verdict is Verdict.COVERED:
        if row.valid_to and row.valid_to < add_months(on, rules.expiring_months):
            text = f"{text}; ends {row.valid_to.isoformat()}"
            verdict, code = Verdict.COVERED_EXPIRING, Code.ADEQUATE_EXPIRING
        if row.status == "IN_FORCE_CHALLENGED":
            text = f"{text}; challenged: {row.review_note}"
            verdict, code = Verdict.COVERED_CHALLENGED, Code.ADEQUATE_CHALLENGED
        listing = flow.importer.dpf
        if row.scope in _DPF_SCOPES and listing and (law.known - listing.checked_on).days > rules.dpf_check_days:
            flags = ("dpf_check_stale",)
    return Ground(
        verdict,
        Reason("adequacy", code, f"{row.instrument}: {text}", row.cite),
        row.instrument_id,
        row.valid_to if verdict.covered else None,
        flags,
        efta_unverified=row.efta == "unverified",
    )


def _for_efta(ground: Ground) -> Ground:
    """The same ground for a person in IS, LI or NO: a decision whose EEA position nobody verified carries nothing."""
    if not (ground.efta_unverified and ground.verdict.covered):
        return ground
    reason = Reason("state", Code.EFTA_UNVERIFIED, ground.reason.text, ground.reason.cites)
    return Ground(Verdict.UNRESOLVED, reason, ground.instrument, ground.expires_on, ground.flags)


# Grounds of the other law: they stand in the chain, and decide only where nothing else was said.
_OTHER_LAW = frozenset({Code.EU_CLAUSES_ALONE, Code.OTHER_REGIME})


def _order(ground: Ground) -> tuple[int, int, bool]:
    """Best verdict, then fewest flags, then what is of this law."""
    return ground.verdict.rank, -len(ground.flags), ground.reason.code not in _OTHER_LAW


def _grounds(regime: Regime, flow: Flow, country: str, law: Law, rules: Rules) -> list[Ground]:
    """Everything the flow could rest on. A mechanism declared as DPF names the list, which adequacy has weighed."""
    found = [_adequacy(row, flow, law, rules) for row in law.adequacy(regime, country)]
    found += [weigh(m, flow, regime, law, rules) for m in flow.mechanisms if m.code != "DPF"]
    if not found:
        text = f"no {regime} instrument for {country} and no mechanism"
        found.append(Ground(Verdict.UNCOVERED, Reason("adequacy", Code.NO_INSTRUMENT, text)))
    return found


def judge_under(regime: Regime, flow: Flow, law: Law, rules: Rules) -> Judgement:
    """One regime's judgement, from the tables of one day."""
    begun = outside(regime, flow, law)
    if isinstance(begun, Outside):
        rests = f"NONE_NEEDED/{begun.code}" if begun.verdict is Verdict.NOT_A_TRANSFER else ""
        return Judgement(regime, begun.verdict, begun.code, begun.reasons, rests)
    place = law.territory(flow.country)
    grounds = _grounds(regime, flow, place.code if place else "", law, rules)
    reasons = (*begun, *(ground.reason for ground in grounds))
    best = max(grounds, key=_order)
    by_state: dict[str, Verdict] = {}
    if regime == "EU" and any(ground.efta_unverified for ground in grounds):
        best, by_state, said = _efta(flow, grounds, best)
        reasons += said
    return Judgement(
        regime,
        best.verdict,
        best.reason.code,
        reasons,
        best.instrument,
        best.expires_on,
        best.flags,
        by_state,
    )


def _efta(flow: Flow, grounds: list[Ground], best: Ground) -> tuple[Ground, dict[str, Verdict], tuple[Reason, ...]]:
    """Iceland, Liechtenstein and Norway are judged for themselves; the rest of the EEA keeps its own verdict."""
    states = flow.subject_states or ("EU", *EFTA_STATES)
    efta = tuple(state for state in EFTA_STATES if state in states)
    there = max(map(_for_efta, grounds), key=_order)
    if not efta or there.verdict is best.verdict:
        return best, {}, ()
    text = f"position of {', '.join(efta)} on this decision is not verified: {there.verdict} there"
    said = (Reason("state", Code.EFTA_UNVERIFIED, text, best.reason.cites),)
    if len(efta) == len(states):
        return there, {}, said
    return best, dict.fromkeys(efta, there.verdict), said


def judge(
    flow: Flow, reference: Reference, on: date, known: date, rules: Rules = _DEFAULT_RULES
) -> dict[Regime, Judgement]:
    """Both regimes' judgement of ``flow`` as of ``on``, from what was known on ``known``.

    Neither regime reads the other's instruments.
    """
    law = reference.law(on, known)
    return {regime: judge_under(regime, flow, law, rules) for regime in REGIMES}
