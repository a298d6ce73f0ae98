"""Writes the data dictionary from the data map: the same map always gives the same text."""

from __future__ import annotations

from collections.abc import Iterator

from privacy_ops.datamap.model import AgeEvidence, Column, DataMap, Link, ObjectStoreEntry, Table

_SIGNALS = {
    "SIG-01": "date of birth",
    "SIG-02": "part of a date of birth",
    "SIG-03": "age as a number, with the day it was stated",
    "SIG-04": "age band",
    "SIG-05": "declaration at the age gate",
    "SIG-06": "attendance as a child",
    "SIG-07": "a guardian's contact",
    "SIG-10": "report to the help desk",
    "SIG-12": "own age in free text",
    "SIG-14": "school or occupation",
    "SIG-15": "school year, with the day it was stated",
    "SIG-17": "payment refused for age",
}
_ABOUT = {"subject": "people", "nobody": "nobody", "others": "people who are not subjects here"}


def render(data_map: DataMap) -> str:
    """The data dictionary as Markdown. Pure."""
    return "\n".join(_lines(data_map)) + "\n"


def _lines(data_map: DataMap) -> Iterator[str]:
    publisher, location, restriction = data_map.publisher, data_map.location, data_map.restriction
    yield f"# Data dictionary: {publisher.name}"
    yield ""
    yield "Generated from the data map by `python -m privacy_ops map docs`; do not edit. A test fails when it is stale."
    yield ""
    yield f"- Publisher: {publisher.name} ({publisher.country}), under {' and '.join(publisher.regimes)} law,"
    yield f"  civil dates of {publisher.legal_timezone}."
    yield f"- Database: {location.provider} {location.region} ({location.country})" + (
        f", processor {location.processor}." if location.processor else "."
    )
    yield f"- A person is a row of `{data_map.subject.table}`, known by {_code(data_map.subject.key)}."
    yield (
        f"- A person is restricted when `{restriction.table}.{restriction.column}` is `{restriction.value}`; "
        "the publisher's applications obey it."
    )
    yield (
        f"- {len(data_map.tables)} tables with {sum(len(t.columns) for t in data_map.tables.values())} columns, "
        f"{sum(c.personal for t in data_map.tables.values() for c in t.columns.values())} of them personal; "
        f"{len(data_map.objects)} object stores."
    )
    yield ""
    yield "Categories are keys of the [fideslang](https://github.com/ethyca/fideslang) taxonomy; those that begin"
    yield "with `user` are personal data. What erasure does: `DELETE` the row goes; `NULL` the column is emptied;"
    yield "`UNLINK` the key to the person is emptied; `RETAIN_MIN` the law keeps a minimum; `OBJ_ALL_VERSIONS` every"
    yield "version of the object goes; `OBJ_ROWS` the person's rows in objects of many people go; `PROCESSOR` a"
    yield "processor is told; `AGE_OUT` it goes with its age; `KEEP_ANON` it holds nobody; `KEEP` it is nobody's."
    yield ""
    yield "## Where evidence of age stands"
    yield ""
    yield from _evidence(data_map)
    yield "## What a statistic may read"
    yield ""
    yield from _aggregates(data_map)
    yield "## Object stores"
    yield ""
    yield from _stores(data_map)
    yield "## Tables"
    for name, table in data_map.tables.items():
        yield ""
        yield from _table(name, table, data_map)


def _evidence(data_map: DataMap) -> Iterator[str]:
    yield "| Signal | What it is | Column | Kind | Whose age |"
    yield "|---|---|---|---|---|"
    rows = [
        (evidence.signal, f"`{name}.{column}`" + (f" → `{evidence.path}`" if evidence.path else ""), evidence)
        for name, table in data_map.tables.items()
        for column, entry in table.columns.items()
        for evidence in _evidences(entry)
    ]
    for signal, where, evidence in sorted(rows, key=lambda row: (row[0], row[1])):
        whose = "the person's" if evidence.subject == "person" else "the row's own, not the account's"
        yield f"| {signal} | {_SIGNALS.get(signal, '–')} | {where} | {evidence.kind} | {whose} |"
    yield ""


def _aggregates(data_map: DataMap) -> Iterator[str]:
    yield "Everything else is denied."
    yield ""
    yield "| Column | Use |"
    yield "|---|---|"
    for name, table in data_map.tables.items():
        for column, entry in table.columns.items():
            if entry.aggregate != "never":
                yield f"| `{name}.{column}` | {entry.aggregate} |"
    yield ""


def _stores(data_map: DataMap) -> Iterator[str]:
    yield "| Bucket and prefix | Region | Category | Retention | Erase | Whose |"
    yield "|---|---|---|---|---|---|"
    for key, entry in data_map.objects.items():
        features = [w for w, on in (("versioned", entry.versioned), ("locked", entry.locked)) if on]
        place = f"{entry.region} ({entry.country or '?'})" + (f", {', '.join(features)}" if features else "")
        yield (
            f"| `{entry.bucket}/{entry.prefix}` | {place} | {entry.category} | {_cell(entry.retention or '–')} "
            f"| {entry.erase} | {_whose(key, entry, data_map)} |"
        )
    yield ""


def _whose(key: str, entry: ObjectStoreEntry, data_map: DataMap) -> str:
    if entry.rows:
        fields = ", ".join(f"`{'`, `'.join(k.fields)}` ({k.kind})" for k in entry.rows.keys)
        return f"rows of {entry.rows.format}, by {fields}"
    if entry.person_key:
        return f"`{entry.person_key}` of `{entry.person_table or data_map.subject.table}`"
    holders = [f"`{n}.{c}`" for n, t in data_map.tables.items() for c, e in t.columns.items() if e.object == key]
    return ", ".join(holders) or "–"


def _table(name: str, table: Table, data_map: DataMap) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    about = "the subject table" if name == data_map.subject.table else f"about {_ABOUT[table.about]}"
    facts = [about, f"key {_code(table.key)}", f"erase {table.erase}"]
    if table.purpose:
        facts.append("for " + ", ".join(table.purpose))
    if table.retention:
        facts.append(f"kept: {table.retention}")
    yield "; ".join(facts) + "."
    for link in table.links():
        yield ""
        yield f"Leads to {_link(link, data_map)}."
    if table.note:
        yield ""
        yield f"Note: {table.note}."
    yield ""
    yield "| Column | Category | Erase | Marks |"
    yield "|---|---|---|---|"
    for column, entry in table.columns.items():
        yield f"| `{column}` | {entry.category} | {table.erase_of(column)} | {_cell(_marks(entry))} |"


def _link(link: Link, data_map: DataMap) -> str:
    where = f"`{link.to}` by {_code(link.columns)} = {_code(data_map.references_of(link))}"
    return where + (", where it is filled" if link.optional else "")


def _marks(column: Column) -> str:
    marks = [f"{evidence.signal} {evidence.kind}" for evidence in _evidences(column)]
    if column.counter_signal:
        marks.append(f"counter-signal {column.counter_signal.code}")
    if column.identifier:
        marks.append(f"identifies by {column.identifier}")
    if column.aggregate != "never":
        marks.append(f"aggregate: {column.aggregate}")
    if column.object:
        marks.append(f"object in {column.object}")
    if column.purpose:
        marks.append("for " + ", ".join(column.purpose))
    if column.retention:
        marks.append(f"kept: {column.retention}")
    if column.note:
        marks.append(column.note)
    return "; ".join(marks)


def _evidences(column: Column) -> tuple[AgeEvidence, ...]:
    return ((column.evidence,) if column.evidence else ()) + column.more_evidence


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
