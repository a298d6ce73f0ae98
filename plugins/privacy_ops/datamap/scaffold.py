"""Drafts a data map for a database that nobody has seen, from its foreign keys and column names. Pure.

The draft is a valid map. What a person must decide is a note that begins with DECIDE, and ``check`` reports each as
MAP-DECIDE and blocks all work until it is gone: a guess never erases or publishes anything.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import yaml

from privacy_ops.datamap import words
from privacy_ops.datamap.catalogue import Catalogue, ForeignKey, LiveColumn, LiveTable
from privacy_ops.datamap.model import (
    AgeEvidence,
    Column,
    DataMap,
    EraseAction,
    Link,
    Location,
    Publisher,
    Purpose,
    Restriction,
    Subject,
    Table,
)
from privacy_ops.errors import DataMapError

_PEOPLE = {"user", "users", "account", "accounts", "person", "people", "member", "members", "customer", "customers",
           "reader", "readers", "patient", "patients", "student", "students", "client", "clients", "subscriber",
           "learner", "learners", "author", "authors"}  # fmt: skip
_STATUS = {"status", "state", "active", "enabled", "disabled", "blocked", "locked", "suspended", "restricted"}
_BEGAN = {"created", "registered", "joined", "signup", "since", "inserted", "added", "opened"}
_CHANGED = {"updated", "changed", "modified", "edited"}
_KEPT_BY_LAW = {"order", "orders", "invoice", "invoices", "receipt", "receipts", "billing", "transaction",
                "transactions"}  # fmt: skip
_PURPOSES: tuple[tuple[set[str], Purpose], ...] = (
    (_KEPT_BY_LAW | {"payment", "payments", "subscription", "subscriptions"}, Purpose.FULFIL_ORDERS),
    ({"newsletter", "campaign", "marketing", "subscriber", "mailing", "crm"}, Purpose.MARKETING_WITH_CONSENT),
    ({"session", "login", "credential", "password"}, Purpose.SECURITY),
    ({"certificate", "certificates"}, Purpose.CERTIFY),
    ({"attendee", "conference", "badge"}, Purpose.CONFERENCES),
    ({"comment", "comments", "remark", "forum", "post"}, Purpose.INTERACTIVE_FEATURES),
    ({"survey", "feedback"}, Purpose.IMPROVE_SERVICES),
    ({"submission", "submissions", "manuscript"}, Purpose.PUBLISH),
)


@dataclass
class _Draft:
    """What was found out about one table while drafting."""

    about: str = "nobody"
    link: Link | None = None
    also: list[Link] = field(default_factory=list)
    erase: EraseAction = EraseAction.KEEP
    unlink: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def draft(
    catalogue: Catalogue, *, key: str, name: str, country: str = "ZZ", region: str = "DECIDE", provider: str = "DECIDE"
) -> DataMap:
    """A valid first map of ``catalogue``. ``country`` ZZ and ``region`` DECIDE mean: not yet known.

    Raises DataMapError when no table can hold people.
    """
    candidates = subject_candidates(catalogue)
    if not candidates:
        raise DataMapError(
            "no table looks as if it held people: none with a primary key, and a name, e-mail address or birth date",
            where="the live catalogue",
            do="write the map by hand",
        )
    subject = candidates[0]
    drafts = _drafts(catalogue, subject)
    restriction = _restriction_column(catalogue.tables[subject])
    tables = {table: _table(catalogue.tables[table], entry, subject) for table, entry in drafts.items()}
    tables[subject] = _with_decisions(tables[subject], catalogue.tables[subject], restriction, candidates)
    live = catalogue.tables[subject]
    began = words.first_moment(list(live.columns.values()), wanted=_BEGAN)
    boolean = restriction in live.columns and live.columns[restriction].type == "boolean"
    wanted_false = boolean and bool(set(words.tokens(restriction)) & {"active", "enabled"})
    return DataMap(
        version=1,
        publisher=Publisher(key=key, name=name, country=country, regimes=("UK", "EU"), legal_timezone="Europe/London"),
        location=Location(country=country, region=region, provider=provider),
        subject=Subject(
            table=subject, key=live.primary_key, registered_at=began.name if began else live.primary_key[0]
        ),
        restriction=Restriction(
            table=subject,
            key=live.primary_key,
            column=restriction,
            value=("false" if wanted_false else "true") if boolean else "restricted",
        ),
        tables=tables,
    )


def subject_candidates(catalogue: Catalogue) -> list[str]:
    """Tables that may hold one row per person, best first: much refers to them, and they name people."""

    def score(table: LiveTable) -> float:
        guesses = [words.guess(column) for column in table.columns.values()]
        kinds = {g.identifier for g in guesses if g}
        children = {key.table for key in catalogue.foreign_keys if key.to == table.name} - {table.name}
        personal = (
            4 * ("email" in kinds)
            + 4 * any(words.says_birth(c) for c in table.columns.values())
            + 2 * ("name" in kinds or "account" in kinds)
            + 3 * bool(set(words.tokens(table.name.rpartition(".")[2])) & _PEOPLE)
        )
        return personal + min(len(children), 10) if personal else 0

    scored = {name: score(table) for name, table in catalogue.tables.items() if table.primary_key}
    return sorted((name for name, value in scored.items() if value), key=lambda name: (-scored[name], name))


# --- how tables lead to the person --------------------------------------------------------------------------------


def _drafts(catalogue: Catalogue, subject: str) -> dict[str, _Draft]:
    drafts = {name: _Draft() for name in sorted(catalogue.tables)}
    drafts[subject].about, drafts[subject].erase = "subject", EraseAction.DELETE
    above = _ancestors(catalogue, subject)
    order = _reached(catalogue, subject, above, drafts)
    for name in order:
        _choose_erase(catalogue.tables[name], drafts[name], drafts)
    for name, entry in drafts.items():
        if entry.about == "nobody":
            _unreached(catalogue, name, entry, subject)
    for key in catalogue.foreign_keys:
        _let_go(key, catalogue, drafts)
    return drafts


def _ancestors(catalogue: Catalogue, subject: str) -> set[str]:
    """What people's rows refer to (branches, households, forms): shared, so not one person's."""
    found: set[str] = set()
    waiting = [subject]
    while waiting:
        here = waiting.pop()
        for key in catalogue.tables[here].foreign_keys if here in catalogue.tables else ():
            if key.to not in found and key.to != subject:
                found.add(key.to)
                waiting.append(key.to)
    return found


def _reached(catalogue: Catalogue, subject: str, above: set[str], drafts: dict[str, _Draft]) -> list[str]:
    """Sets the links of every table that leads to the subject, by the shortest way; returns them nearest first."""
    distance = {subject: 0}
    waiting = deque([subject])
    order = []
    while waiting:
        parent = waiting.popleft()
        for key in sorted(catalogue.foreign_keys, key=lambda k: (k.table, _nullable(k, catalogue), k.columns)):
            if key.to != parent or key.table in above or key.table in distance or key.table not in drafts:
                continue
            best = _best_way(catalogue.tables[key.table], distance, distance[parent], catalogue)
            entry = drafts[key.table]
            entry.about = "subject"
            entry.link = _link(best, catalogue)
            distance[key.table] = distance[parent] + 1
            waiting.append(key.table)
            order.append(key.table)
    return order


def _best_way(table: LiveTable, distance: dict[str, int], at: int, catalogue: Catalogue) -> ForeignKey:
    """Of the keys that lead to tables as near as ``at``, one that is always filled."""
    ways = [key for key in table.foreign_keys if distance.get(key.to) == at]
    return min(ways, key=lambda key: (_nullable(key, catalogue), key.columns))


def _nullable(key: ForeignKey, catalogue: Catalogue) -> bool:
    table = catalogue.tables[key.table]
    return any(table.columns[column].nullable for column in key.columns)


def _link(key: ForeignKey, catalogue: Catalogue) -> Link:
    same = key.references == catalogue.tables[key.to].primary_key
    return Link(
        to=key.to,
        columns=key.columns,
        references=() if same else key.references,
        optional=_nullable(key, catalogue),
    )


def _choose_erase(table: LiveTable, entry: _Draft, drafts: dict[str, _Draft]) -> None:
    assert entry.link is not None  # noqa: S101 - set for every table that was reached
    by_law = set(words.tokens(table.name.rpartition(".")[2])) & _KEPT_BY_LAW
    parent_goes = drafts[entry.link.to].erase is EraseAction.DELETE
    nullable = {column for column in entry.link.columns if table.columns[column].nullable}
    names = [c for c in table.columns.values() if _identifies(c)]
    if by_law and (nullable or not parent_goes) and all(c.nullable for c in names):
        entry.erase = EraseAction.RETAIN_MIN
        if parent_goes:
            entry.unlink |= nullable
        entry.notes.append("does the law keep these rows, and for how long?")
    else:
        entry.erase = EraseAction.DELETE


def _identifies(column: LiveColumn) -> bool:
    found = words.guess(column)
    return found is not None and found.identifier in {"email", "phone", "name"}


def _unreached(catalogue: Catalogue, name: str, entry: _Draft, subject: str) -> None:
    """No foreign key leads to the subject: perhaps a shared e-mail address does, perhaps these are other people."""
    table, people = catalogue.tables[name], catalogue.tables[subject]

    def mail(of: LiveTable) -> list[LiveColumn]:
        return [c for c in of.columns.values() if (g := words.guess(c)) and g.identifier == "email"]

    theirs = sorted(mail(people), key=lambda c: ("norm" not in words.tokens(c.name), c.name))
    if mail(table) and theirs:
        mine = mail(table)[0]
        entry.about, entry.erase = "subject", EraseAction.DELETE
        entry.link = Link(to=subject, columns=(mine.name,), references=(theirs[0].name,), optional=True)
        entry.notes.append(f"rows are found by the e-mail address in {mine.name}; may people share one?")
    elif any((g := words.guess(c)) and g.telling for c in table.columns.values()):
        entry.about = "others"
        entry.notes.append("whose data is this, and how do its rows lead to a person?")
    else:
        entry.notes.append("is it really about nobody?")


def _let_go(key: ForeignKey, catalogue: Catalogue, drafts: dict[str, _Draft]) -> None:
    """A key into rows that go, other than the table's own link: emptied if it can be, else a second way to a person."""
    entry, target = drafts.get(key.table), drafts.get(key.to)
    if entry is None or target is None or target.erase is not EraseAction.DELETE:
        return
    own = entry.link is not None and (entry.link.to, entry.link.columns) == (key.to, key.columns)
    if own and entry.erase is EraseAction.DELETE:
        return
    table = catalogue.tables[key.table]
    nullable = {column for column in key.columns if table.columns[column].nullable}
    if nullable:
        entry.unlink |= nullable
    elif entry.about == "subject" and key.to != key.table:
        entry.also.append(_link(key, catalogue))
        entry.notes.append(f"rows also belong to whom {', '.join(key.columns)} names; do they go with either?")
    else:
        entry.notes.append(f"{', '.join(key.columns)} leans on {key.to}, whose rows go, and may not be empty")


# --- tables and columns -------------------------------------------------------------------------------------------


def _table(live: LiveTable, entry: _Draft, subject: str) -> Table:
    began = words.first_moment(list(live.columns.values()), wanted=_BEGAN | {"at", "on", "time", "date", "sent"})
    moments = (c for c in live.columns.values() if c.type in words.DATES and c != began)
    changed = next((c for c in moments if set(words.tokens(c.name)) & _CHANGED), None)
    key = live.primary_key or next((i.columns for i in live.indexes if i.unique and i.usable), tuple(live.columns))
    personal = entry.about != "nobody"
    notes = list(entry.notes)
    if personal:
        notes.insert(0, "purpose, retention and erase action are guesses")
    if not live.primary_key:
        notes.append("it has no primary key: what tells its rows apart?")
    if live.name == subject:
        notes.insert(0, "is this where people are?")
    return Table.model_validate({
        "about": entry.about,
        "key": key,
        "link": entry.link,
        "also": tuple(entry.also),
        "created_at": began.name if began else None,
        "changed_at": changed.name if changed else None,
        "purpose": (_purpose(live.name),) if personal else (),
        "retention": "DECIDE" if personal else None,
        "erase": entry.erase,
        "columns": {c.name: _column(c, live, entry, key) for c in live.columns.values()},
        "note": "DECIDE: " + "; ".join(notes) if notes else None,
    })


def _column(column: LiveColumn, live: LiveTable, entry: _Draft, key: tuple[str, ...]) -> Column:
    if entry.about == "nobody":
        category, identifier = "system.operations", None
    else:
        found = words.guess(column)
        keys = set(key) | {c for foreign in live.foreign_keys for c in foreign.columns}
        if found and not (column.name in keys and not found.telling):
            category, identifier = found.category, found.identifier
        elif column.name in keys:
            category, identifier = "user.unique_id", None
        elif column.type in words.DATES:
            category, identifier = "user.behavior", None
        else:
            category, identifier = "user", None
    erase = EraseAction.UNLINK if column.name in entry.unlink else None
    if entry.erase is EraseAction.RETAIN_MIN and _identifies(column) and erase is None:
        erase = EraseAction.NULL
    return Column(
        category=category,
        erase=erase,
        identifier=identifier,
        evidence=_evidence(column, live, entry),
        note=_column_note(column, entry),
    )


def _evidence(column: LiveColumn, live: LiveTable, entry: _Draft) -> AgeEvidence | None:
    if entry.about == "nobody":
        return None
    # Rows that name somebody themselves may be about somebody else than the account they belong to.
    subject = "row" if entry.about == "others" else "person"
    parts = words.tokens(column.name)
    if words.says_birth(column):
        kind = "birth_text" if column.type in words.TEXT else "birth_date"
        feed = [c for c in live.columns if {*words.tokens(c)} >= {parts[0], "source"} and c != column.name]
        return AgeEvidence.model_validate({
            "signal": "SIG-01", "kind": kind, "subject": subject, "source": feed[0] if feed else None,
        })  # fmt: skip
    if "age" in parts:
        if column.type == "boolean":
            return AgeEvidence.model_validate({"signal": "SIG-05", "kind": "declared_adult", "subject": subject})
        if column.type in words.NUMBERS:
            return AgeEvidence.model_validate({"signal": "SIG-03", "kind": "age_number", "subject": subject})
        if column.type in words.TEXT and set(parts) & {"band", "group", "range"}:
            return AgeEvidence.model_validate({"signal": "SIG-04", "kind": "age_band", "subject": subject})
    if words.free_text(column):
        return AgeEvidence.model_validate({"signal": "SIG-12", "kind": "free_text", "subject": subject})
    return None


def _column_note(column: LiveColumn, entry: _Draft) -> str | None:
    if entry.about == "nobody":
        return None
    if words.says_birth(column):
        return "DECIDE: whose birth is it, the account's or the row's own?"
    if column.type in words.TEXT and set(words.tokens(column.name)) & {"key"} and len(words.tokens(column.name)) > 1:
        return "DECIDE: does it name an object in a bucket?"
    if column.name in entry.unlink and entry.erase is not EraseAction.RETAIN_MIN:
        return "DECIDE: is it right to empty this when the person goes, and to keep the row?"
    return None


def _purpose(table: str) -> Purpose:
    parts = set(words.tokens(table))
    return next((purpose for wanted, purpose in _PURPOSES if wanted & parts), Purpose.PROVIDE_SERVICE)


def _restriction_column(live: LiveTable) -> str:
    """The subject's column that seems to say whether a person is active; a new name when there is none."""
    named = [name for name in live.columns if set(words.tokens(name)) & _STATUS]
    return next(iter(sorted(named, key=lambda n: len(words.tokens(n)))), "restriction_state")


def _with_decisions(table: Table, live: LiveTable, restriction: str, candidates: list[str]) -> Table:
    """The subject's table, with the questions that the whole map hangs on."""
    columns = dict(table.columns)
    if restriction in columns:
        question = "DECIDE: which value restricts a person, and do all applications obey it?"
        columns[restriction] = columns[restriction].model_copy(update={"note": question})
    else:
        columns[restriction] = Column(
            category="user.account", note="DECIDE: nothing restricts a person yet; create this column or name another"
        )
    others = ", ".join(candidates[1:4])
    first = live.primary_key[0]
    question = f"DECIDE: are people known by this key? Other tables that look like people: {others or 'none'}"
    columns[first] = columns[first].model_copy(update={"note": question, "identifier": "account"})
    return table.model_copy(update={"columns": columns})


# --- YAML ---------------------------------------------------------------------------------------------------------


class _Flow(dict[str, Any]):
    """Written on one line."""


class _Dumper(yaml.SafeDumper):
    """Writes columns and links on one line each."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


_Dumper.add_representer(
    _Flow, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)

_HEADER = """\
# First draft, from the foreign keys and column names of the database alone. Answer every DECIDE, then remove it:
# `map check` blocks all work while one is left.
"""


def to_yaml(data_map: DataMap, only: tuple[str, ...] = ()) -> str:
    """The map as YAML that ``loader.load`` reads back as the same map; with ``only``, entries of these tables.

    Raises DataMapError for a table that is not in the map.
    """
    if missing := [name for name in only if name not in data_map.tables]:
        raise DataMapError(f"the database has no table {', '.join(missing)}", do="correct the name; see `map check`")
    raw = data_map.model_dump(mode="json", exclude_defaults=True)
    raw["version"] = data_map.version
    raw.setdefault("tables", {})
    for table in raw["tables"].values():
        table["columns"] = {name: _Flow(column) for name, column in table["columns"].items()}
        if "link" in table:
            table["link"] = _Flow(table["link"])
        if "also" in table:
            table["also"] = [_Flow(link) for link in table["also"]]
    if only:
        raw = {"tables": {name: raw["tables"][name] for name in only}}
    return _HEADER + yaml.dump(raw, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
