"""Contracts and derogations: does this one carry this flow under this regime on this day?

Sources: Decision (EU) 2021/914 (modules by role, Annexes I–III, clause 14 assessment), the ICO's IDTA and Addendum
(in force 21 March 2022; old clauses dead 21 March 2024), GDPR Articles 46, 47 and 49.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from privacy_ops.transfers.flows import Flow, Mechanism, Role
from privacy_ops.transfers.reference import Reference, Regime
from privacy_ops.transfers.regimes import Ground, Reason, Rules, Verdict, add_months

# (exporter, importer) → module of the 2021 clauses.
MODULE: Mapping[tuple[Role, Role], int] = {
    ("controller", "controller"): 1,
    ("controller", "processor"): 2,
    ("processor", "processor"): 3,
    ("processor", "controller"): 4,
}


def weigh(
    mechanism: Mechanism, flow: Flow, regime: Regime, reference: Reference, on: date, known: date, rules: Rules
) -> Ground:
    """Weigh one mechanism. UNCOVERED: it is not in force; SCOPE_MISMATCH: in force, and it does not fit."""
    cites = mechanism.mechanism_id

    def ends(verdict: Verdict, text: str) -> Ground:
        return Ground(verdict, (Reason("mechanism", text, cites),), cites)

    rule = reference.mechanism_rule(regime, mechanism.code, known)
    if rule is None:
        text = (
            "the EU clauses alone do nothing under UK law: an Addendum or IDTA is needed"
            if (mechanism.code, regime) == ("SCC_2021", "UK")
            else f"{mechanism.code} has no effect under {regime} law"
        )
        return ends(Verdict.SCOPE_MISMATCH, text)
    if rule.valid_from and on < rule.valid_from:
        return ends(Verdict.UNCOVERED, f"{mechanism.code} could not be used before {rule.valid_from.isoformat()}")
    if rule.valid_to and rule.valid_to < on:
        return ends(Verdict.UNCOVERED, f"{mechanism.code} is dead since {rule.valid_to.isoformat()}")
    if text := _not_in_force(mechanism, on):
        return ends(Verdict.UNCOVERED, text)
    signed = mechanism.signed_on
    if signed and ((rule.sign_from and signed < rule.sign_from) or (rule.sign_to and rule.sign_to < signed)):
        return ends(
            Verdict.UNCOVERED, f"{mechanism.code} could not be signed on {signed.isoformat()} under {regime} law"
        )
    if text := _misfit(mechanism, flow, on, modules=rule.modules, beneath=rule.beneath):
        return ends(Verdict.SCOPE_MISMATCH, text)
    flags: list[str] = []
    if mechanism.code != "ART49":
        assessment = mechanism.assessment
        if assessment is None or on < assessment.done_on:
            return ends(Verdict.SCOPE_MISMATCH, "there is no transfer risk assessment")
        due = assessment.due_on or add_months(assessment.done_on, rules.assessment_review_months)
        if due < on:
            flags.append("assessment_overdue")
    if mechanism.code == "UK_IDTA" and flow.importer.role == "processor" and not mechanism.linked_agreement:
        flags.append("no_article_28_terms")
    last = min((d for d in (mechanism.ends_on, rule.valid_to) if d), default=None)
    verdict = (
        Verdict.COVERED_EXPIRING
        if last is not None and last < add_months(on, rules.expiring_months)
        else Verdict.COVERED
    )
    text = f"{rule.instrument}, signed {signed.isoformat() if signed else 'never'}" + (
        f", until {last.isoformat()}" if last else ""
    )
    return Ground(verdict, (Reason("mechanism", text, cites),), cites, last, tuple(flags))


def _not_in_force(mechanism: Mechanism, on: date) -> str:
    if mechanism.signed_on is None:
        return f"{mechanism.code} is not signed"
    if on < mechanism.signed_on:
        return f"{mechanism.code} is signed only on {mechanism.signed_on.isoformat()}"
    if mechanism.ends_on and mechanism.ends_on < on:
        return f"{mechanism.code} ended on {mechanism.ends_on.isoformat()}"
    return ""


def _misfit(mechanism: Mechanism, flow: Flow, on: date, *, modules: bool, beneath: str) -> str:
    """What does not fit, in words; empty when all does."""
    if flow.importer.entity_id not in mechanism.parties:
        return f"{flow.importer.entity_id} is not a party"
    if mechanism.countries and flow.country not in mechanism.countries:
        return f"it does not name the country {flow.country}"
    if not mechanism.annexes_complete:
        return "its annexes are not filled"
    if flow.special_category and not mechanism.lists_special_category:
        return "it does not list the special categories of data that flow"
    if mechanism.code == "ART49" and not flow.occasional:
        return "a derogation carries occasional transfers, and this one is systematic"
    if mechanism.code in {"BCR", "UK_BCR"} and flow.importer.relationship != "GROUP_COMPANY":
        return "binding corporate rules bind the group, and the importer is not of it"
    if beneath:
        base = next((m for m in flow.mechanisms if m.mechanism_id == mechanism.beneath), None)
        if base is None or base.code != beneath:
            return f"it needs {beneath} beneath it, and there is none"
        if text := _not_in_force(base, on) or _misfit(base, flow, on, modules=modules, beneath=""):
            return f"the {beneath} beneath it does not carry: {text}"
        return ""  # the Addendum has no modules of its own
    if modules:
        need = MODULE[flow.exporter_role, flow.importer.role]
        if need not in mechanism.modules:
            return f"module {need} is needed for {flow.exporter_role} to {flow.importer.role}"
    return ""
