"""Compares a data map with the live catalogue and with itself, and names every disagreement.

A problem says what it blocks: a table that nobody mapped makes every certificate and every export doubtful, but
detection and restriction go on with the rest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from privacy_ops.datamap.catalogue import Catalogue, ForeignKey, LiveTable
from privacy_ops.datamap.graph import pairs
from privacy_ops.datamap.model import (
    AgeEvidence,
    Column,
    DataMap,
    EraseAction,
    Link,
    ObjectStoreEntry,
    Purpose,
    SharedRows,
    Table,
)
from privacy_ops.errors import ConfigError
from privacy_ops.settings import home_directory

Work = Literal["erasure", "certificates", "exports"]

_ALL: frozenset[Work] = frozenset({"erasure", "certificates", "exports"})
_ERASURE: frozenset[Work] = frozenset({"erasure", "certificates"})
_DOUBT: frozenset[Work] = frozenset({"certificates", "exports"})
_EXPORTS: frozenset[Work] = frozenset({"exports"})
_NOTHING: frozenset[Work] = frozenset()

_STAYS = {EraseAction.KEEP, EraseAction.KEEP_ANON}
_ROW_STAYS = {EraseAction.UNLINK, EraseAction.RETAIN_MIN}
# Types whose values compare with one another.
_FAMILIES = (
    {"smallint", "integer", "bigint", "numeric"},
    {"text", "character varying", "character", "citext", "name"},
    {"timestamp with time zone", "timestamp without time zone", "date"},
)
_DATES = {"date", "timestamp with time zone", "timestamp without time zone"}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Problem:
    """One disagreement. ``code`` is stable; ``blocks`` names the work that must not go on (empty: a finding only)."""

    code: str
    where: str
    what: str
    do: str
    blocks: frozenset[Work]


def blocking(problems: Collection[Problem], work: Work) -> tuple[Problem, ...]:
    """Those that block ``work``."""
    return tuple(problem for problem in problems if work in problem.blocks)


def check(data_map: DataMap, catalogue: Catalogue, buckets: Collection[str] | None = None) -> tuple[Problem, ...]:
    """Every problem, sorted by place. ``buckets`` are the names that exist, None when nobody looked. Pure."""
    found = [
        *_tables(data_map, catalogue),
        *_foreign_keys(data_map, catalogue),
        *_subject_and_restriction(data_map, catalogue),
        *_usage(data_map),
        *_stores(data_map, buckets),
        *_undecided(data_map),
    ]
    for name, table in data_map.tables.items():
        live = catalogue.tables.get(name)
        found.extend(_columns(name, table, data_map))
        if live is not None:
            found.extend(_columns_live(name, table, live))
            found.extend(_links_live(name, table, data_map, catalogue))
    return tuple(sorted(set(found), key=lambda problem: (problem.where, problem.code, problem.what)))


# --- the map against the catalogue ------------------------------------------------------------------------------


def _goes(data_map: DataMap, table: str) -> bool:
    """Whether erasure deletes rows of ``table``."""
    return table in data_map.tables and data_map.tables[table].erase is EraseAction.DELETE


def _tables(data_map: DataMap, catalogue: Catalogue) -> Iterator[Problem]:
    for name, live in catalogue.tables.items():
        if name in data_map.tables:
            continue
        leans = any(_goes(data_map, key.to) for key in live.foreign_keys)
        yield Problem(
            "MAP-UNKNOWN-TABLE",
            name,
            f"the database has a {live.kind} that the map does not know"
            + (", and its rows lean on people" if leans else ""),
            "map it (`map scaffold` drafts an entry), or drop it",
            _ALL if leans else _DOUBT,
        )
    for name, table in data_map.tables.items():
        found = catalogue.tables.get(name)
        if found is None:
            yield Problem(
                "MAP-MISSING-TABLE",
                name,
                "the map names a table that the database does not have",
                "remove the entry, or restore the table",
                _ALL,
            )
            continue
        for column in found.columns:
            if column not in table.columns:
                yield Problem(
                    "MAP-UNKNOWN-COLUMN",
                    f"{name}.{column}",
                    "the database has a column that the map does not know",
                    "map it: category, purpose, retention, erase action",
                    _DOUBT,
                )
        for column in table.columns:
            if column not in found.columns:
                yield Problem(
                    "MAP-MISSING-COLUMN",
                    f"{name}.{column}",
                    "the map names a column that the database does not have",
                    "remove the entry, or restore the column",
                    _ALL,
                )


def _foreign_keys(data_map: DataMap, catalogue: Catalogue) -> Iterator[Problem]:
    for key in catalogue.foreign_keys:
        if key.table not in data_map.tables:
            continue
        table = data_map.tables[key.table]
        links = {
            pairs(ForeignKey("", key.table, link.columns, link.to, data_map.references_of(link)))
            for link in table.links()
            if link.to in data_map.tables
        }
        followed = pairs(key) in links
        if not _goes(data_map, key.to) and not followed:
            continue
        where = f"{key.table}({', '.join(key.columns)}) → {key.to}"
        if not catalogue.tables[key.table].indexed(key.columns):
            yield Problem(
                "MAP-FK-NOT-INDEXED",
                where,
                "a foreign key that leads to people has no index: each erasure would read the whole table",
                "create an index that leads with these columns",
                _ERASURE,
            )
        if not _goes(data_map, key.to):
            continue
        with_the_person = followed and table.erase is EraseAction.DELETE
        if not with_the_person and not set(key.columns) <= set(table.emptied()):
            yield Problem(
                "MAP-FK-LEFT-BEHIND",
                where,
                "rows here lean on rows that erasure deletes, and neither go with them nor let go of them",
                "make it a link of a table with erase DELETE, or give its columns erase UNLINK",
                _ERASURE,
            )
        if key.on_delete in {"cascade", "set default"} and not with_the_person:
            yield Problem(
                "MAP-FK-CASCADES",
                where,
                f"ON DELETE {key.on_delete.upper()} changes rows that the map does not give to the person",
                "make the foreign key NO ACTION, so that what was forgotten fails loudly",
                _ERASURE,
            )


def _subject_and_restriction(data_map: DataMap, catalogue: Catalogue) -> Iterator[Problem]:
    restriction = data_map.restriction
    live = catalogue.tables.get(restriction.table)
    if live is None or restriction.column not in live.columns:
        yield Problem(
            "MAP-NO-RESTRICTION",
            f"{restriction.table}.{restriction.column}",
            "the column that restricts a person does not exist",
            "name the column, or the view's table, that the publisher's applications obey",
            _ALL,
        )
    if len(restriction.key) != len(data_map.subject.key):
        yield Problem(
            "MAP-NO-RESTRICTION",
            restriction.table,
            "its key and the subject's key differ in number",
            "name the columns in the order of the subject's key",
            _ALL,
        )


def _columns_live(name: str, table: Table, live: LiveTable) -> Iterator[Problem]:
    known = set(live.columns)
    if set(table.key) <= known and not live.unique(table.key):
        yield Problem(
            "MAP-KEY-NOT-UNIQUE",
            f"{name}({', '.join(table.key)})",
            "the key of the map is neither the primary key nor unique",
            "name the columns that tell one row from another",
            _ERASURE,
        )
    for column in table.emptied():
        if column in known and (not live.columns[column].nullable or live.columns[column].computed):
            yield Problem(
                "MAP-NOT-NULLABLE",
                f"{name}.{column}",
                "erasure is to empty this column, but it may not be empty",
                "drop NOT NULL, or choose DELETE for the row",
                _ERASURE,
            )
    for column, entry in table.columns.items():
        for evidence in _evidences(entry) if column in known else ():
            if reason := _unreadable(evidence, live.columns[column].type, table):
                yield Problem(
                    "MAP-EVIDENCE",
                    f"{name}.{column}",
                    f"{evidence.signal} cannot be read here: {reason}",
                    "correct kind, path or source of the evidence",
                    _DOUBT,
                )


def _evidences(column: Column) -> tuple[AgeEvidence, ...]:
    return ((column.evidence,) if column.evidence else ()) + column.more_evidence


def _unreadable(evidence: AgeEvidence, type_name: str, table: Table) -> str:
    if evidence.source and evidence.source not in table.columns:
        return f"its source column {evidence.source} is not in the map"
    if evidence.path is not None and type_name not in {"json", "jsonb"}:
        return f"a path needs a JSON column, this one is {type_name}"
    if evidence.path is None and evidence.kind == "birth_date" and type_name not in _DATES:
        return f"a birth_date needs a date, this one is {type_name}"
    return ""


def _links_live(name: str, table: Table, data_map: DataMap, catalogue: Catalogue) -> Iterator[Problem]:
    live = catalogue.tables[name]
    if table.about == "subject":
        try:
            data_map.path_to_subject(name)
        except ValueError:
            yield Problem(
                "MAP-NO-WAY",
                name,
                f"its links do not lead to {data_map.subject.table}",
                "correct the links, or say that it is about nobody or about others",
                _ERASURE,
            )
    for link in table.links():
        target = catalogue.tables.get(link.to)
        references = data_map.references_of(link)
        if target is None or not set(references) <= set(target.columns) or not set(link.columns) <= set(live.columns):
            continue  # named above as missing
        yield from _link_live(f"{name}({', '.join(link.columns)}) → {link.to}", link, references, live, target)


def _link_live(
    where: str, link: Link, references: tuple[str, ...], live: LiveTable, target: LiveTable
) -> Iterator[Problem]:
    for column, reference in zip(link.columns, references, strict=True):
        mine, theirs = live.columns[column].type, target.columns[reference].type
        if mine != theirs and not any({mine, theirs} <= family for family in _FAMILIES):
            yield Problem(
                "MAP-LINK-TYPES",
                where,
                f"{column} is {mine}, {reference} is {theirs}: they never compare",
                "correct the link",
                _ERASURE,
            )
    if not link.optional and not target.unique(references):
        yield Problem(
            "MAP-LINK-NOT-UNIQUE",
            where,
            f"({', '.join(references)}) is not unique there: a row would belong to several people",
            "link to a key; by a shared identifier only as an optional link",
            _ERASURE,
        )
    if not link.optional and any(live.columns[column].nullable for column in link.columns):
        yield Problem(
            "MAP-LINK-NULLABLE",
            where,
            "the link may be empty: such rows belong to nobody",
            "say `optional: true`, and what becomes of rows without a person",
            _ERASURE,
        )


# --- the map against the rules ----------------------------------------------------------------------------------


@cache
def categories() -> frozenset[str]:
    """Keys of the fideslang data categories, from ``include/datamap/categories.txt``. Raises ConfigError."""
    path = home_directory() / "include" / "datamap" / "categories.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        raise ConfigError("the list of data categories is missing", where=str(path), do="restore it") from None
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _columns(name: str, table: Table, data_map: DataMap) -> Iterator[Problem]:
    for column, entry in table.columns.items():
        where = f"{name}.{column}"
        if entry.category not in categories():
            yield Problem(
                "MAP-NO-CATEGORY",
                where,
                f"{entry.category} is not a data category",
                "use a key of include/datamap/categories.txt",
                _DOUBT,
            )
        if not entry.personal:
            continue
        if table.about == "nobody":
            yield Problem(
                "MAP-NOBODY",
                where,
                f"a column of {entry.category} in a table about nobody",
                "say whom the table is about and how its rows lead there, or correct the category",
                _DOUBT,
            )
            continue
        purpose = table.purpose if entry.purpose is None else entry.purpose
        yield from _personal(where, purpose, entry.retention or table.retention)
        if entry.erase is None and table.erase in _STAYS and table.about == "subject":
            yield Problem(
                "MAP-NO-ERASE",
                where,
                "a personal column without an erase action",
                "say what erasure does to it, for the table or for the column",
                _ERASURE,
            )
        if (
            table.erase in _ROW_STAYS
            and entry.identifier in {"email", "phone", "name"}
            and column not in table.emptied()
        ):
            yield Problem(
                "MAP-IDENTIFIER-STAYS",
                where,
                f"the row stays when its person is erased, and with it the {entry.identifier}",
                'give the column erase "NULL"',
                _ERASURE,
            )
        if entry.aggregate == "feed" and entry.identifier:
            yield Problem(
                "MAP-AGGREGATE",
                where,
                "a column that identifies people may not feed a statistic",
                "set aggregate to never",
                _EXPORTS,
            )
        if (
            entry.object
            and data_map.objects[entry.object].erase is EraseAction.OBJ_ALL_VERSIONS
            and table.erase in _STAYS
        ):
            yield Problem(
                "MAP-NO-ERASE",
                where,
                "the object goes, the row that names it stays",
                "let the row go, or empty the column",
                _ERASURE,
            )


def _personal(where: str, purpose: tuple[Purpose, ...], retention: str | None) -> Iterator[Problem]:
    if not purpose:
        yield Problem("MAP-NO-PURPOSE", where, "personal data without a purpose", "name why it is kept", _DOUBT)
    if not retention:
        yield Problem("MAP-NO-RETENTION", where, "personal data without a retention", "name how long", _DOUBT)


def _usage(data_map: DataMap) -> Iterator[Problem]:
    usage = data_map.usage
    if usage is None:
        return
    allowed = {"feed": {"feed"}, "filter": {"feed", "filter"}}
    needs = [(table, column, "feed") for table, column in usage.feeds()]
    needs += [(table, column, "filter") for table, column in usage.filters()]
    for table, column, mark in needs:
        if data_map.tables[table].columns[column].aggregate not in allowed[mark]:
            yield Problem(
                "MAP-AGGREGATE",
                f"{table}.{column}",
                f"the usage view uses a column that is not marked aggregate: {mark}",
                "mark it, or take it out of the usage view",
                _EXPORTS,
            )


def _stores(data_map: DataMap, buckets: Collection[str] | None) -> Iterator[Problem]:
    if not data_map.location.region.strip():
        yield Problem("MAP-NO-REGION", "location", "the database has no region", "name it", _DOUBT)
    named_by_columns = {c.object for t in data_map.tables.values() for c in t.columns.values() if c.object}
    for key, entry in data_map.objects.items():
        where = f"objects.{key}"
        if not entry.region.strip():
            yield Problem("MAP-NO-REGION", where, "a store without a region", "name where its bytes lie", _DOUBT)
        if entry.category not in categories():
            yield Problem(
                "MAP-NO-CATEGORY",
                where,
                f"{entry.category} is not a data category",
                "use a key of include/datamap/categories.txt",
                _DOUBT,
            )
        if entry.personal:
            yield from _personal(where, entry.purpose, entry.retention)
            if entry.erase in _STAYS:
                yield Problem("MAP-NO-ERASE", where, "a personal store without an erase action", "choose one", _ERASURE)
        if entry.rows is not None:
            yield from _row_way(where, entry.rows, data_map)
        if entry.erase is EraseAction.OBJ_ALL_VERSIONS:
            yield from _object_way(where, entry, key in named_by_columns, data_map)
        if buckets is not None and entry.bucket not in buckets:
            yield Problem(
                "MAP-MISSING-BUCKET",
                where,
                f"the bucket {entry.bucket} does not exist",
                "create it, correct its name, or remove the entry",
                _ERASURE,
            )
    for bucket in sorted(set(buckets or ()) - {entry.bucket for entry in data_map.objects.values()}):
        # The transfer inventory carries this one as an undeclared flow; it does not hold up an erasure elsewhere.
        yield Problem(
            "MAP-UNKNOWN-BUCKET",
            bucket,
            "the object store has a bucket that the map does not know",
            "map it, or empty and remove it",
            _NOTHING,
        )


def _undecided(data_map: DataMap) -> Iterator[Problem]:
    """What a draft leaves to a person: notes, retentions and places that say DECIDE."""
    open_points = [
        ("location", "where the database lies: country, region, provider")
        for place in (data_map.location.country, data_map.publisher.country, data_map.location.region)
        if place in {"ZZ", "DECIDE"}
    ]
    for name, table in data_map.tables.items():
        open_points += [(name, note) for note in (table.note,) if note and note.startswith("DECIDE")]
        if table.retention == "DECIDE":
            open_points.append((name, "how long its rows are kept"))
        open_points += [
            (f"{name}.{column}", entry.note)
            for column, entry in table.columns.items()
            if entry.note and entry.note.startswith("DECIDE")
        ]
    for where, question in open_points:
        yield Problem(
            "MAP-DECIDE",
            where,
            f"not decided: {question.removeprefix('DECIDE:').strip()}",
            "decide it, correct the entry, and remove the word DECIDE",
            _ALL,
        )


def _row_way(where: str, rows: SharedRows, data_map: DataMap) -> Iterator[Problem]:
    """Fields that nothing could ever match find nobody, and look like success."""
    known = {"email"} | {
        f"{c.identifier}:{name}"
        for t in data_map.tables.values()
        for name, c in t.columns.items()
        if c.identifier in {"account", "external"}
    }
    for key in rows.keys:
        if key.kind == "subject" and len(key.fields) != len(data_map.subject.key):
            yield Problem(
                "MAP-NO-WAY",
                where,
                "a row's fields do not make up the subject's key",
                f"name {len(data_map.subject.key)} fields, in the order of the key",
                _ERASURE,
            )
        elif key.kind != "subject" and key.kind not in known:
            yield Problem(
                "MAP-NO-WAY",
                where,
                f"no column of the map holds identifiers of the kind {key.kind}",
                "name a kind that erasure collects, or mark the column with `identifier:`",
                _ERASURE,
            )


def _object_way(where: str, entry: ObjectStoreEntry, in_column: bool, data_map: DataMap) -> Iterator[Problem]:
    if entry.person_key is None:
        if not in_column:
            yield Problem(
                "MAP-NO-WAY",
                where,
                "nothing says which objects are whose",
                "give person_key, or mark the column that holds the keys with `object:`",
                _ERASURE,
            )
        return
    table = data_map.tables[entry.person_table or data_map.subject.table]
    holes = _PLACEHOLDER.findall(entry.person_key)
    if wrong := [hole for hole in holes if hole not in table.columns] or ([] if holes else ["(none)"]):
        yield Problem(
            "MAP-NO-WAY",
            where,
            f"person_key names no column of its table: {', '.join(wrong)}",
            "write the columns of person_table in braces",
            _ERASURE,
        )
    elif entry.person_key.endswith("}"):
        yield Problem(
            "MAP-NO-WAY",
            where,
            "person_key ends in a value: the prefix of person 1 is also one of person 12",
            "end it with a delimiter, such as /",
            _ERASURE,
        )
