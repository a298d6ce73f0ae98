"""Contracts and derogations: does this one carry this flow under this regime on this day?

What each kind of mechanism needs stands in mechanism_rules.csv. Sources: Decision (EU) 2021/914 (modules by role,
Annexes I to III, clause 14 assessment), the ICO's IDTA and Addendum (in force 21 March 2022; old clauses dead
21 March 2024), GDPR Articles 46, 47 and 49.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from privacy_ops.transfers.flows import Annex, Assessment, Flow, Mechanism, Role
from privacy_ops.transfers.reasons import Code, Reason, Verdict
from privacy_ops.transfers.reference import Law, MechanismRule, Regime
from privacy_ops.transfers.regimes import Flag, Ground, Rules, add_months

# (exporter, importer) → module of the 2021 clauses.
MODULE: Mapping[tuple[Role, Role], int] = {
    ("controller", "controller"): 1,
    ("controller", "processor"): 2,
    ("processor", "processor"): 3,
    ("processor", "controller"): 4,
}
# Annex I: parties and transfer; II: security; III: sub-processors. Module 4 needs the first alone.
MODULE_ANNEXES: Mapping[int, tuple[Annex, ...]] = {
    1: ("I", "II"),
    2: ("I", "II", "III"),
    3: ("I", "II", "III"),
    4: ("I",),
}
_Fault = tuple[Code, str]


def weigh(mechanism: Mechanism, flow: Flow, regime: Regime, law: Law, rules: Rules) -> Ground:
    """Weigh one mechanism. UNCOVERED: it is not in force; SCOPE_MISMATCH: in force, and it does not fit."""
    rule = law.mechanism_rule(regime, mechanism.code)
    cites = f"mechanisms.yaml:{mechanism.mechanism_id}" + (f" + {rule.cite}" if rule else "")

    def ends(verdict: Verdict, fault: _Fault) -> Ground:
        return Ground(verdict, Reason("mechanism", fault[0], fault[1], cites), mechanism.mechanism_id)

    if mechanism.claims is not None:
        text = f"declared as needing no ground ({mechanism.claims}), and that does not hold"
        return ends(Verdict.UNCOVERED, (Code.CLAIM_REFUSED, text))
    if rule is None:
        return ends(Verdict.SCOPE_MISMATCH, _no_effect(mechanism, regime))
    if dead := _not_usable(mechanism, rule, law.on) or _not_in_force(mechanism, law.on):
        return ends(Verdict.UNCOVERED, dead)
    if signed_wrong := _signed_out_of_time(mechanism, rule):
        return ends(Verdict.UNCOVERED, signed_wrong)
    if misfit := _misfit(mechanism, flow, law, rule):
        return ends(Verdict.SCOPE_MISMATCH, misfit)
    flags: list[Flag] = []
    if rule.assessment:
        if mechanism.assessment and mechanism.assessment.outcome == "DO_NOT_TRANSFER" and _done(mechanism, law.on):
            text = f"{mechanism.assessment.reference} says that data must not go"
            return ends(Verdict.UNCOVERED, (Code.ASSESSMENT_REFUSES, text))
        if fault := _not_assessed(mechanism.assessment, law.on):
            return ends(Verdict.SCOPE_MISMATCH, fault)
        if mechanism.assessment and _due(mechanism.assessment, rules) < law.on:
            flags.append("assessment_overdue")
    if not rule.article_28 and flow.importer.role == "processor" and not _terms(mechanism, law.on):
        flags.append("no_article_28_terms")
    return _holds(mechanism, rule, law, rules, cites, tuple(flags))


def _holds(
    mechanism: Mechanism, rule: MechanismRule, law: Law, rules: Rules, cites: str, flags: tuple[Flag, ...]
) -> Ground:
    """It carries; the first day to end it decides how long."""
    ends = [mechanism.ends_on, rule.valid_to, mechanism.approval.ends_on if mechanism.approval else None]
    last = min((day for day in ends if day), default=None)
    soon = last is not None and last < add_months(law.on, rules.expiring_months)
    signed = mechanism.signed_on.isoformat() if mechanism.signed_on else "never"
    text = f"{rule.instrument}, signed {signed}" + (f", until {last.isoformat()}" if last else "")
    verdict, code = (
        (Verdict.COVERED_EXPIRING, Code.MECHANISM_EXPIRING) if soon else (Verdict.COVERED, Code.MECHANISM_HOLDS)
    )
    return Ground(verdict, Reason("mechanism", code, text, cites), mechanism.mechanism_id, last, flags)


def _no_effect(mechanism: Mechanism, regime: Regime) -> _Fault:
    if (mechanism.code, regime) == ("SCC_2021", "UK"):
        return Code.EU_CLAUSES_ALONE, "the EU clauses alone do nothing under UK law: an Addendum or IDTA is needed"
    return Code.OTHER_REGIME, f"{mechanism.code} has no effect under {regime} law"


def _not_usable(mechanism: Mechanism, rule: MechanismRule, on: date) -> _Fault | None:
    if rule.valid_from and on < rule.valid_from:
        return Code.NOT_YET_USABLE, f"{mechanism.code} could not be used before {rule.valid_from.isoformat()}"
    if rule.valid_to and rule.valid_to < on:
        return Code.MECHANISM_DEAD, f"{mechanism.code} is dead; its last good day was {rule.valid_to.isoformat()}"
    return None


def _not_in_force(mechanism: Mechanism, on: date) -> _Fault | None:
    if mechanism.signed_on is None:
        return Code.NOT_SIGNED, f"{mechanism.code} is not signed"
    if on < mechanism.signed_on:
        return Code.NOT_SIGNED, f"{mechanism.code} is signed only on {mechanism.signed_on.isoformat()}"
    if mechanism.ends_on and mechanism.ends_on < on:
        return Code.MECHANISM_ENDED, f"{mechanism.code} ended on {mechanism.ends_on.isoformat()}"
    return None


def _signed_out_of_time(mechanism: Mechanism, rule: MechanismRule) -> _Fault | None:
    signed = mechanism.signed_on
    if signed and ((rule.sign_from and signed < rule.sign_from) or (rule.sign_to and rule.sign_to < signed)):
        text = f"{mechanism.code} could not be signed on {signed.isoformat()} under {rule.regime} law"
        return Code.SIGNED_OUT_OF_TIME, text
    return None


def _misfit(mechanism: Mechanism, flow: Flow, law: Law, rule: MechanismRule) -> _Fault | None:
    """What does not fit; None when all does."""
    if fault := _signed_for(mechanism, flow):
        return fault
    if rule.group and flow.importer.relationship != "GROUP_COMPANY":
        return Code.NOT_IN_GROUP, "it binds the group, and the importer is not of it"
    if rule.approval and not (mechanism.approval and mechanism.approval.holds(law.on)):
        return Code.NOT_APPROVED, "no approval of an authority holds on this day"
    if rule.occasional and not flow.occasional:
        return Code.SYSTEMATIC, "a derogation carries occasional transfers, and this one is systematic"
    if mechanism.derogation == "COMPELLING_INTERESTS" and not _told(mechanism, law.on):
        return Code.NOT_NOTIFIED, "compelling interests need a notice to the authority and to the people"
    # An Addendum takes the description of the data from the clauses beneath it, which are asked themselves.
    fault = _described(mechanism, flow, modules=rule.modules, annexes=rule.annexes, special=not rule.beneath)
    return fault or (_beneath(mechanism, flow, law, rule) if rule.beneath else None)


def _signed_for(mechanism: Mechanism, flow: Flow) -> _Fault | None:
    """This importer, in this country."""
    if flow.importer.entity_id not in mechanism.parties:
        return Code.NOT_A_PARTY, f"{flow.importer.entity_id} is not a party"
    if mechanism.countries and flow.country not in mechanism.countries:
        return Code.COUNTRY_NOT_NAMED, f"it does not name the country {flow.country}"
    return None


def _described(mechanism: Mechanism, flow: Flow, *, modules: bool, annexes: str, special: bool) -> _Fault | None:
    """The right module, everything filled, special categories named."""
    module = MODULE[flow.exporter_role, flow.importer.role]
    if modules and module not in mechanism.modules:
        return Code.WRONG_MODULE, f"module {module} is needed for {flow.exporter_role} to {flow.importer.role}"
    needed: tuple[Annex, ...] = ()
    if annexes:
        needed = MODULE_ANNEXES[module] if annexes == "MODULE" else ("TABLES",)
    if missing := [annex for annex in needed if annex not in mechanism.annexes]:
        return Code.ANNEXES_MISSING, f"not filled: {', '.join(missing)}"
    if special and flow.special_category and not mechanism.lists_special_category:
        return Code.SPECIAL_NOT_LISTED, "it does not list the special categories of data that flow"
    return None


def _beneath(mechanism: Mechanism, flow: Flow, law: Law, rule: MechanismRule) -> _Fault | None:
    """Whether the contract that this one amends is there, in force, and fits.

    The clauses are read as the Addendum takes them over: what they say, not whether EU law would let them carry.
    """
    base = next((m for m in flow.mechanisms if m.mechanism_id == mechanism.beneath), None)
    if base is None or base.code != rule.beneath:
        return Code.BASE_MISSING, f"it needs {rule.beneath} beneath it, and there is none"
    fault = (
        _not_in_force(base, law.on)
        or _signed_for(base, flow)
        or _described(base, flow, modules=True, annexes="MODULE", special=True)
    )
    if fault:
        return Code.BASE_FAILS, f"the {rule.beneath} beneath it ({base.mechanism_id}) does not carry: {fault[1]}"
    return None


def _done(mechanism: Mechanism, on: date) -> bool:
    return mechanism.assessment is not None and mechanism.assessment.done_on <= on


def _not_assessed(assessment: Assessment | None, on: date) -> _Fault | None:
    if assessment is None or on < assessment.done_on:
        return Code.ASSESSMENT_MISSING, "there is no transfer risk assessment"
    if assessment.outcome == "PROCEED_WITH_MEASURES" and not (
        assessment.measures_from and assessment.measures_from <= on
    ):
        return Code.MEASURES_MISSING, f"{assessment.reference} asks for measures that are not in place"
    return None


def _due(assessment: Assessment, rules: Rules) -> date:
    return assessment.due_on or add_months(assessment.done_on, rules.assessment_review_months)


def _terms(mechanism: Mechanism, on: date) -> bool:
    """Whether linked Article 28 terms hold on this day."""
    return (
        bool(mechanism.linked_agreement)
        and (mechanism.terms_from is None or mechanism.terms_from <= on)
        and (mechanism.terms_until is None or on <= mechanism.terms_until)
    )


def _told(mechanism: Mechanism, on: date) -> bool:
    return mechanism.notified_on is not None and mechanism.notified_on <= on
