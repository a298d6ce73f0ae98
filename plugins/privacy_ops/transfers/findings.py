"""What somebody must act on: findings with a severity, a due day and a fingerprint that stays the same. Pure.

Severities: CRITICAL blocks the destination the same day; HIGH five working days; MEDIUM twenty; LOW sixty days; INFO
is to be known. A finding never fails a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from privacy_ops import working_days
from privacy_ops.transfers.assemble import Entry
from privacy_ops.transfers.flows import SAME_ENTITY, Flow
from privacy_ops.transfers.observers.base import Observation, Severity
from privacy_ops.transfers.reasons import Code, Verdict
from privacy_ops.transfers.reference import Regime
from privacy_ops.transfers.regimes import Judgement
from privacy_ops.transfers.registry import Registry

Judged = Mapping[Regime, Judgement]
SEVERITIES: tuple[Severity, ...] = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")


@dataclass(frozen=True)
class Finding:
    """``asset``: where. ``observers``: who must have looked before silence means that it is gone."""

    rule: str
    severity: Severity
    asset: str
    subject: str  # what tells it from others of the rule at the same asset
    title: str
    do: str
    observers: tuple[str, ...]
    owner: str = ""
    destination: str = ""  # what a CRITICAL one blocks

    @property
    def fingerprint(self) -> str:
        """Of rule, asset and subject: the same trouble keeps its name while wording and severity may change."""
        return hashlib.sha256("\0".join((self.rule, self.asset, self.subject)).encode()).hexdigest()[:24]


WORKING_DAYS: Mapping[Severity, int] = {"HIGH": 5, "MEDIUM": 20}


def due_on(severity: Severity, first_seen: date) -> date | None:
    """Last day to act; None for INFO. CRITICAL: the same day; LOW: sixty days; the others in working days."""
    if severity == "INFO":
        return None
    if severity == "CRITICAL":
        return first_seen
    if severity == "LOW":
        return first_seen + timedelta(days=60)
    return working_days.after(first_seen, WORKING_DAYS[severity])


def _worst(judged: Judged) -> Verdict:
    return min((j.verdict for j in judged.values()), key=lambda verdict: verdict.rank)


def _verdicts(judged: Judged) -> str:
    return ", ".join(f"{regime} {judgement.verdict}" for regime, judgement in judged.items())


def _undeclared_access(entry: Entry) -> Finding:
    """People of another organisation reach the data from a country that nobody declared: never CRITICAL.

    MEDIUM on one source, HIGH where two agree (GeoIP, the log's own country, the people list). An employee abroad is
    no transfer, and a matter of security.
    """
    flow = entry.flow
    if flow.importer.relationship in SAME_ENTITY:
        return _employee_abroad(entry)
    return Finding(
        "contractor_access_undeclared",
        "HIGH" if len(entry.seen_by) > 1 else "MEDIUM",
        flow.place,
        flow.country or "?",
        f"contractor access from {flow.country or 'an unknown country'}, which nobody declared;"
        f" told by {', '.join(entry.seen_by)}",
        "ask the organisation; declare the country with its mechanism, or close the access",
        entry.seen_by,
        flow.owner,
    )


def _employee_abroad(entry: Entry) -> Finding:
    flow = entry.flow
    return Finding(
        "employee_abroad",
        "INFO",
        flow.place,
        flow.country or "?",
        f"own employee reaches personal data from {flow.country}: no transfer, duties of security stay",
        "see that device, account and country are approved",
        entry.seen_by,
        flow.owner,
    )


def _capped(finding: Finding, entry: Entry) -> Finding:
    """GeoIP alone is never more than MEDIUM, and blocks nothing."""
    if not entry.flow.estimated or finding.severity not in {"CRITICAL", "HIGH"}:
        return finding
    return replace(finding, severity="MEDIUM", title=f"{finding.title} (by GeoIP alone)", destination="")


def _noted(observations: Sequence[Observation]) -> Iterator[Finding]:
    """What observers saw that is no flow."""
    for observation in observations:
        for note in observation.notes:
            yield Finding(
                note.rule,
                note.severity,
                note.asset,
                note.subject,
                note.title,
                note.do,
                (observation.observer,),
                destination=note.destination,
            )


def _undeclared(entry: Entry, judged: Judged, registry: Registry) -> Finding:
    flow, worst = entry.flow, _worst(judged)
    severity: Severity = "MEDIUM"
    if worst is Verdict.UNCOVERED:
        severity = "CRITICAL"
    elif worst is Verdict.SCOPE_MISMATCH:
        severity = "HIGH"
    elif worst is Verdict.NOT_A_TRANSFER:
        severity = "LOW"
    moved = flow.place in registry.places
    return Finding(
        "place_differs" if moved else "undeclared_flow",
        severity,
        flow.place,
        flow.country or "?",
        f"{'another country than declared' if moved else 'nobody declared this flow'}:"
        f" {flow.country or 'country unknown'} ({entry.detail}); {_verdicts(judged)}",
        "stop it, or declare it with importer and mechanism in the registry",
        entry.seen_by,
        flow.owner,
        entry.destination,
    )


_DEAD = frozenset({Code.MECHANISM_DEAD, Code.MECHANISM_ENDED})


def _rule_of(flow: Flow, judgement: Judgement) -> str:
    """The verdict's own rule, or a narrower one where the trouble has a name of its own."""
    codes = {reason.code for reason in judgement.reasons}
    if judgement.verdict is Verdict.UNCOVERED:
        shield = Code.INSTRUMENT_INVALIDATED in codes and flow.importer.subject_to.get("PRIVACY_SHIELD")
        if _DEAD & codes or judgement.code is Code.INSTRUMENT_ENDED or shield:
            return "expired_instrument"
    if judgement.verdict is Verdict.SCOPE_MISMATCH and judgement.code is Code.ASSESSMENT_MISSING:
        return "assessment_missing"
    return judgement.verdict.value.lower()


def _of_verdict(entry: Entry, regime: Regime, judgement: Judgement) -> Finding | None:
    flow, verdict = entry.flow, judgement.verdict
    grave = flow.special_category or flow.children
    severity: Severity
    if verdict is Verdict.UNCOVERED:
        severity, do = "CRITICAL", "stop the flow, or put a mechanism in place"
    elif verdict is Verdict.SCOPE_MISMATCH:
        severity, do = "CRITICAL" if grave else "HIGH", "mend the mechanism, or put another in place"
    elif verdict is Verdict.UNRESOLVED:
        severity, do = "HIGH" if grave else "MEDIUM", "find out the missing fact and register it"
    else:
        return None
    return Finding(
        _rule_of(flow, judgement),
        severity,
        flow.place,
        f"{regime}/{flow.nature}/{flow.country or '?'}/{flow.importer.entity_id}",
        f"{regime} {verdict} to {flow.importer.entity_id} in {flow.country or 'an unknown country'}:"
        f" {judgement.decided.text}",
        do,
        entry.seen_by,
        flow.owner,
        entry.destination if severity == "CRITICAL" else "",
    )


_FLAGS: Mapping[str, tuple[Severity, str, str]] = {
    "assessment_overdue": ("MEDIUM", "the transfer risk assessment is overdue", "review it and record the day"),
    "no_article_28_terms": ("HIGH", "no Article 28 terms are linked", "sign a processor agreement and link it"),
    "dpf_check_stale": (
        "MEDIUM",
        "the importer's entry on the Data Privacy Framework list was not looked up lately",
        "look it up and write what it says and the day into processors.yaml",
    ),
}


def _of_flow(entry: Entry, judged: Judged) -> Iterator[Finding]:
    flow = entry.flow
    for regime, judgement in judged.items():
        if finding := _of_verdict(entry, regime, judgement):
            yield finding
    for flag in sorted({flag for j in judged.values() for flag in j.flags}):
        severity, title, do = _FLAGS[flag]
        yield Finding(flag, severity, flow.place, flow.importer.entity_id, title, do, entry.seen_by, flow.owner)
    yield from _fallbacks(entry, judged)
    if flow.importer.relationship == "OWN_EMPLOYEE" and flow.nature == "REMOTE_ACCESS":
        yield _employee_abroad(entry)
    if not flow.owner and flow.transfer_id and flow.importer.relationship not in {"OWN_BRANCH", "OWN_EMPLOYEE"}:
        yield Finding("owner_missing", "LOW", flow.place, flow.transfer_id, "no owner", "name one", entry.seen_by)


# What a fallback is not blamed for: it was never meant for this regime.
_OTHER_LAW = frozenset({Code.OTHER_REGIME, Code.EU_CLAUSES_ALONE, Code.MECHANISM_HOLDS, Code.MECHANISM_EXPIRING})


def _fallbacks(entry: Entry, judged: Judged) -> Iterator[Finding]:
    """Contracts that would not carry if what carries today fell away."""
    for regime, judgement in judged.items():
        if not judgement.verdict.covered:
            continue
        for reason in judgement.reasons:
            if reason.step == "mechanism" and reason.code not in _OTHER_LAW:
                name = reason.cites.partition(" + ")[0]
                yield Finding(
                    "fallback_fails",
                    "LOW",
                    entry.flow.place,
                    f"{regime}/{name}",
                    f"{regime}: {name} would not carry if {judgement.instrument} fell away: {reason.text}",
                    "mend it while nothing hangs on it, or take it out of the declaration",
                    entry.seen_by,
                    entry.flow.owner,
                )


def _of_instruments(judged: Sequence[tuple[Entry, Judged]]) -> Iterator[Finding]:
    """One finding per instrument that many flows lean on: what breaks when it falls."""
    leaning: dict[tuple[str, Severity, str], list[Entry]] = {}
    for entry, verdicts in judged:
        for judgement in verdicts.values():
            if judgement.verdict is Verdict.COVERED_CHALLENGED:
                leaning.setdefault(("challenged_instrument", "INFO", judgement.instrument), []).append(entry)
            if judgement.verdict is Verdict.COVERED_EXPIRING:
                leaning.setdefault(("expiring_instrument", "INFO", judgement.instrument), []).append(entry)
            if judgement.by_state:
                leaning.setdefault(("efta_unverified", "MEDIUM", judgement.instrument), []).append(entry)
    says = {
        "challenged_instrument": ("is before a court", "keep a contract ready for each dependent flow"),
        "expiring_instrument": ("ends soon", "prepare what replaces it"),
        "efta_unverified": (
            "has no verified position for Iceland, Liechtenstein and Norway: unresolved there",
            "verify the position of the EEA Joint Committee and record it in the reference data",
        ),
    }
    for (rule, severity, instrument), entries in sorted(leaning.items()):
        seen_by = tuple(sorted({observer for e in entries for observer in e.seen_by}))
        yield Finding(
            rule,
            severity,
            f"instrument:{instrument}",
            "",
            f"{instrument} {says[rule][0]}; {len(entries)} flow(s) lean on it",
            says[rule][1],
            seen_by,
        )


def _unseen(observations: Sequence[Observation], registry: Registry) -> Iterator[Finding]:
    """Declared buckets that the object store does not have."""
    buckets = next((o for o in observations if o.observer == "buckets" and o.looked), None)
    if buckets is None:
        return
    seen = {flow.place for flow in buckets.flows}
    for place in sorted(p for p in registry.places if p.startswith("bucket:") and p not in seen):
        yield Finding(
            "declared_not_observed",
            "LOW",
            place,
            "",
            "declared, and the object store does not list it",
            "remove the declaration, or give the inventory's credentials a view of it",
            ("buckets",),
        )


def _partial(observations: Sequence[Observation]) -> Iterator[Finding]:
    """Observers that looked, and say what they left out."""
    for observation in observations:
        if observation.looked and observation.reason:
            yield Finding(
                "observer_partial",
                "LOW",
                f"observer:{observation.observer}",
                "",
                observation.reason,
                "give the observer what it lacks",
                (observation.observer,),
            )


ANSWERS = "privacy"  # who owns a finding that nobody else does


def find(
    judged: Sequence[tuple[Entry, Judged]],
    observations: Sequence[Observation],
    registry: Registry,
    also: Iterable[Finding] = (),
) -> tuple[Finding, ...]:
    """All findings, gravest first, one per fingerprint, each with an owner. ``also``: those of other sources."""
    found: list[Finding] = []
    for entry, verdicts in judged:
        if entry.flow.declared:
            found += (_capped(finding, entry) for finding in _of_flow(entry, verdicts))
        elif entry.flow.nature == "REMOTE_ACCESS":
            found.append(_undeclared_access(entry))
        else:
            found.append(_capped(_undeclared(entry, verdicts, registry), entry))
    found += [*_of_instruments(judged), *_unseen(observations, registry), *_partial(observations)]
    found += [*_noted(observations), *also]
    found.sort(key=lambda f: (SEVERITIES.index(f.severity), f.rule, f.asset, f.subject))
    by_name: dict[str, Finding] = {}
    for finding in found:
        first = by_name.setdefault(finding.fingerprint, finding)
        both = tuple(sorted({*first.observers, *finding.observers}))
        by_name[finding.fingerprint] = replace(first, observers=both, owner=first.owner or ANSWERS)
    return tuple(by_name.values())
