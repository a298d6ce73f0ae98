"""The record of processing activities: GDPR Article 30(1) as controller, 30(2) as processor. Pure.

Who, why and on which basis is what people declare (``include/registry``: organisations, activities). What is really
held comes from the data map (categories, time limits, stores), and where it really goes from the judged flows: the
record says what is, beside what somebody once wrote down.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from privacy_ops.datamap.model import Column, DataMap, Table
from privacy_ops.transfers.assemble import SPECIAL_CATEGORIES
from privacy_ops.transfers.declarations import Activity, Contact, Organisation
from privacy_ops.transfers.files import cell
from privacy_ops.transfers.flows import Flow, Mechanism
from privacy_ops.transfers.reasons import Verdict
from privacy_ops.transfers.reference import REGIMES, Regime
from privacy_ops.transfers.regimes import Judgement

JudgedFlow = tuple[Flow, Mapping[Regime, Judgement]]


@dataclass(frozen=True)
class Entry:
    """One activity, as a line of the record. Lists are sorted and hold each value once."""

    activity: str
    name: str
    on_behalf_of: str  # the controller, where we are processor
    purposes: tuple[str, ...]
    legal_basis: str
    data_subjects: tuple[str, ...]
    data_categories: tuple[str, ...]  # as declared
    categories_in_data_map: tuple[str, ...]  # as held under these purposes
    special_categories: tuple[str, ...]
    recipients: tuple[str, ...]
    third_country_transfers: tuple[str, ...]
    article_49_safeguards: tuple[str, ...]
    time_limits: str
    time_limits_in_data_map: tuple[str, ...]
    stores: tuple[str, ...]
    security: str
    owner: str


@dataclass(frozen=True)
class Record:
    """The whole record of one publisher. ``unrecorded``: places of flows that no activity owns."""

    organisation: Organisation
    controller: tuple[Entry, ...]
    processor: tuple[Entry, ...]
    unrecorded: tuple[str, ...]


def record(
    organisation: Organisation,
    activities: Mapping[str, Activity],
    judged: Sequence[JudgedFlow],
    data_map: DataMap,
    countries: Mapping[str, str],
) -> Record:
    """Put declarations, data map and judged flows together. ``countries``: names by code."""
    entries = {
        key: _entry(key, activity, organisation, judged, data_map, countries) for key, activity in activities.items()
    }  # fmt: skip
    owned = {id(flow) for key, activity in activities.items() for flow, _ in _flows(key, activity, judged)}
    unrecorded = {flow.place for flow, both in judged if flow.personal and id(flow) not in owned and _crosses(both)}
    return Record(
        organisation,
        tuple(entries[k] for k, a in sorted(activities.items()) if a.role == "controller"),
        tuple(entries[k] for k, a in sorted(activities.items()) if a.role == "processor"),
        tuple(sorted(unrecorded)),
    )


def _flows(key: str, activity: Activity, judged: Iterable[JudgedFlow]) -> Iterator[JudgedFlow]:
    """Flows of an activity: those that name it, and those that name none and share a purpose with it."""
    for flow, both in judged:
        named = flow.activity == key
        shared = not flow.activity and flow.declared and flow.exporter_role == activity.role
        if flow.personal and (named or (shared and set(flow.purposes) & set(activity.purposes))):
            yield flow, both


def _crosses(both: Mapping[Regime, Judgement]) -> bool:
    return any(judgement.verdict is not Verdict.NOT_A_TRANSFER for judgement in both.values())


def _entry(
    key: str,
    activity: Activity,
    organisation: Organisation,
    judged: Sequence[JudgedFlow],
    data_map: DataMap,
    countries: Mapping[str, str],
) -> Entry:
    flows = [*_flows(key, activity, judged)]
    held = [*_held(activity, data_map)] if activity.role == "controller" else []
    categories = {category for _, category, _, _ in held}
    # The data map calls receivers by the keys of the registry.
    known = {flow.importer.entity_id: _recipient(flow) for flow, _ in judged}
    security = " ".join(filter(None, (organisation.security, activity.security)))
    return Entry(
        key,
        activity.name,
        activity.on_behalf_of or "",
        _once(activity.purposes),
        activity.legal_basis,
        _once(activity.data_subjects),
        _once(activity.data_categories),
        _once(categories),
        _once(c for c in (*categories, *activity.data_categories) if c.startswith(SPECIAL_CATEGORIES)),
        _once((*(_recipient(flow) for flow, _ in flows), *(known.get(w, w) for *_, told in held for w in told))),
        _once(_transfer(flow, both, countries) for flow, both in flows if _crosses(both)),
        _once(text for flow, _ in flows for m in flow.mechanisms for text in _safeguards(m)),
        activity.retention,
        _once(limit for _, _, limit, _ in held if limit),
        _once(store for store, *_ in held),
        security,
        activity.owner,
    )


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _held(activity: Activity, data_map: DataMap) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Store, category, time limit and others who are told, of all that is held for the activity's purposes."""
    wanted = set(activity.purposes)
    for name, table in data_map.tables.items():
        told = tuple(_told(table))
        for column in table.columns.values():
            if column.personal and wanted & {p.value for p in _purposes(column, table)}:
                yield name, column.category, column.retention or table.retention or "", told
    for entry in data_map.objects.values():
        if entry.personal and wanted & {p.value for p in entry.purpose}:
            place = f"s3://{entry.bucket}/{entry.prefix}"
            yield place, entry.category, entry.retention or "", (entry.processor,) if entry.processor else ()


def _purposes(column: Column, table: Table) -> Iterable[Any]:
    return table.purpose if column.purpose is None else column.purpose


def _told(table: Table) -> Iterator[str]:
    """Everybody to whom rows of the table are disclosed, by the names of the data map."""
    for disclosure in table.disclosed_to:
        if disclosure.who:
            yield disclosure.who
        elif disclosure.prefix:
            yield f"each {disclosure.prefix} named in {disclosure.by}"
        else:
            yield from filter(None, disclosure.values.values())


def _recipient(flow: Flow) -> str:
    who = flow.importer
    return f"{who.name} ({who.role})"


def _transfer(flow: Flow, both: Mapping[Regime, Judgement], countries: Mapping[str, str]) -> str:
    """Country, importer, and what carries it under each regime that calls it a transfer."""
    said = ", ".join(
        f"{regime} {both[regime].verdict.value} {both[regime].instrument}".rstrip()
        for regime in REGIMES
        if regime in both and both[regime].verdict is not Verdict.NOT_A_TRANSFER
    )
    country = countries.get(flow.country or "", flow.country or "country unknown")
    return f"{country}: {flow.importer.name}, {flow.nature.lower().replace('_', ' ')} ({said})"


def _safeguards(mechanism: Mechanism) -> Iterator[str]:
    """Article 30(1)(e): for compelling interests, Article 49(1) second subparagraph, the safeguards are documented."""
    if mechanism.code == "ART49" and mechanism.derogation == "COMPELLING_INTERESTS":
        measures = mechanism.assessment.measures if mechanism.assessment else ()
        yield f"{mechanism.mechanism_id}: {', '.join(measures) or 'no safeguards are documented'}"


COLUMNS = tuple(field.name for field in fields(Entry))
_HEAD = ("controller", "contact", "representative", "data_protection_officer", "joint_controllers")


def to_csv(record: Record, entries: Iterable[Entry]) -> bytes:
    """One line per activity, each with the publisher's particulars (Article 30(1)(a), 30(2)(a)) in front."""
    publisher = record.organisation
    head = (
        publisher.name,
        publisher.contact,
        _contact(publisher.representative),
        _contact(publisher.dpo),
        "; ".join(map(_contact, publisher.joint_controllers)),
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*_HEAD, *COLUMNS))
    writer.writerows(
        [cell(value) for value in (*head, *(getattr(entry, name) for name in COLUMNS))] for entry in entries
    )
    return out.getvalue().encode()


def _contact(contact: Contact | None) -> str:
    return f"{contact.name}, {contact.contact}" if contact else ""
