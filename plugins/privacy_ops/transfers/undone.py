"""What the registry itself leaves undone: missing agreements, reviews that are due, names that differ. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from privacy_ops.transfers.declarations import Activity, Contract, Transfer
from privacy_ops.transfers.findings import Finding
from privacy_ops.transfers.regimes import Rules, add_months
from privacy_ops.transfers.registry import Registry

SEEN_BY = ("registry",)


def undone(registry: Registry, on: date, rules: Rules, review_soon_days: int) -> Iterator[Finding]:
    """Findings about declarations as they stand on a day."""
    yield from _processors(registry, on)
    yield from _names(registry)
    yield from _reviews(registry, on, rules, on + timedelta(days=review_soon_days))


def _processors(registry: Registry, on: date) -> Iterator[Finding]:
    """Whoever processes personal data for us needs terms under Article 28(3) that hold today."""
    used = {t.importer: t.owner for t in registry.transfers.values() if t.personal}
    held = {party for c in registry.contracts.values() if c.kind == "ARTICLE_28" and c.holds(on) for party in c.parties}
    for name, owner in sorted(used.items()):
        one = registry.processors[name]
        if one.role == "processor" and one.relationship != "OWN_EMPLOYEE" and name not in held:
            yield Finding(
                "no_processor_agreement",
                "HIGH",
                f"processor:{name}",
                "",
                f"no Article 28 agreement with {name} holds on this day",
                "sign one, and register it in contracts.yaml",
                SEEN_BY,
                one.owner or owner,
            )


def _names(registry: Registry) -> Iterator[Finding]:
    """A list entry under another name may be another company."""
    for name, one in sorted(registry.processors.items()):
        listed = one.dpf.listed_name if one.dpf else ""
        if listed and listed not in {one.name, *one.also_known_as}:
            yield Finding(
                "name_mismatch",
                "LOW",
                f"processor:{name}",
                "dpf",
                f"the Data Privacy Framework list calls it {listed}, the registry {one.name}",
                "see that both are one legal entity; then add the name to also_known_as",
                SEEN_BY,
                one.owner,
            )


def _reviews(registry: Registry, on: date, rules: Rules, soon: date) -> Iterator[Finding]:
    """Review days that are near or gone by. An assessment that is overdue is said of the flows that rest on it."""
    dated: list[tuple[str, date, str]] = []
    kinds: tuple[tuple[str, Mapping[str, Activity | Contract | Transfer]], ...] = (
        ("activities", registry.activities),
        ("contracts", registry.contracts),
        ("transfers", registry.transfers),
    )
    for section, entries in kinds:
        dated += [(f"{section}:{n}", e.review_on, e.owner) for n, e in entries.items() if e.review_on is not None]
    for name, about in registry.assessments.items():
        due = about.due_on or add_months(about.done_on, rules.assessment_review_months)
        if on <= due:
            dated.append((f"assessments:{name}", due, about.owner))
    for asset, day, owner in sorted(dated):
        if day < soon:
            overdue = day < on
            yield Finding(
                "review_overdue" if overdue else "review_due_soon",
                "LOW",
                asset,
                "",
                f"its review was due on {day.isoformat()}" if overdue else f"its review is due on {day.isoformat()}",
                "review it and write the next day into the registry",
                SEEN_BY,
                owner,
            )
