# ruff: noqa: S608 - identifiers are quoted, values are bound
"""One streaming pass over everything that can identify a person, looking for the few who were erased.

The other way round than an erasure goes: no key of theirs is known any more, so the distinct identifiers of every
mapped column are read and hashed, whoever they belong to, and compared with the references that were kept. Memory
holds the references and the hits, never the table.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops import pseudonyms
from privacy_ops.datamap.catalogue import Catalogue
from privacy_ops.datamap.model import Column, DataMap, EraseAction, Link, ObjectStoreEntry, Table
from privacy_ops.erasure.returning.sweep import canonical, is_word, keyed_text
from privacy_ops.settings import KeyRing
from privacy_ops.stores.database import quote, quote_table, stream
from privacy_ops.stores.objects import ObjectStore

_GOES = {EraseAction.DELETE, EraseAction.NULL, EraseAction.UNLINK, EraseAction.OBJ_ALL_VERSIONS}
_NOT_IN_A_WORD = re.compile(r"[^\w-]+")
_ADDRESS = r"""([^[\:space\:]<>,;"()]+@[^[\:space\:]<>,;"()]+[[\:alnum\:]])"""  # in PostgreSQL; colons escaped
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
CONTROL = UUID(int=0)  # stands for a value that is known to be there: a search that does not find it is blind


@dataclass(frozen=True)
class Target:
    """One thing to read. ``kind``: what its values are. ``text``: identifiers are picked out of what people wrote."""

    table: str
    columns: tuple[str, ...]
    kind: str
    text: bool = False


@dataclass(frozen=True)
class Hit:
    """An identifier of an erased person, somewhere. ``value``: as it stands there; ``first``: the oldest such row."""

    case_id: UUID
    target: Target
    value: str | tuple[str, ...]
    rows: int
    first: datetime | None


@dataclass
class Wanted:
    """The references to look for: (purpose, key id) → reference → cases. ``unreadable``: made by a key now gone."""

    keys: KeyRing
    lists: dict[tuple[str, str], dict[str, set[UUID]]] = field(default_factory=dict)
    unreadable: int = 0

    def add(self, purpose: str, key_id: str, reference: str, case_id: UUID) -> None:
        if key_id not in self.keys.hmac.get(purpose, {}):
            self.unreadable += 1
            return
        self.lists.setdefault((purpose, key_id), {}).setdefault(reference, set()).add(case_id)

    def add_plain(self, kind: str, value: str, case_id: UUID) -> None:
        """Look for an identifier that is still known."""
        reference = pseudonyms.reference(self.keys, "sweep", keyed_text(kind, value))
        self.add("sweep", reference.key_id, reference.value, case_id)

    def __len__(self) -> int:
        return sum(map(len, self.lists.values()))

    def match(self, kind: str, value: Any) -> set[UUID]:
        """The cases that an identifier belongs to. ``value``: text, or the parts of a key."""
        found: set[UUID] = set()
        forms: dict[str, str | None] = {}
        for (purpose, key_id), references in self.lists.items():
            if purpose not in forms:
                forms[purpose] = _form(purpose, kind, value)
            form = forms[purpose]
            if form is None:
                continue
            digest = hmac.digest(self.keys.hmac[purpose][key_id], form.encode(), "sha256").hex()
            if digest in references:
                found |= references[digest]
        return found


def _form(purpose: str, kind: str, value: Any) -> str | None:
    """The text that a reference of this purpose is made of, for one identifier; None: it keeps no such kind."""
    sort, _, rest = kind.partition(":")
    if purpose == "sweep":
        return keyed_text(kind, value if isinstance(value, str) else pseudonyms.subject_text(value))
    if sort in {"subject", "row"}:
        return pseudonyms.subject_text(value, table=rest)
    if purpose == "suppression" and sort in {"email", "external"}:
        return canonical(kind, value)
    return None


def targets(data_map: DataMap, catalogue: Catalogue, row_tables: Iterable[str] = ()) -> Iterator[Target]:
    """What is read, table by table. ``row_tables``: tables whose own rows were subjects.

    A key to the person that a foreign key enforces is not read: it cannot point at nobody, and the account itself
    is read.
    """
    subject = data_map.subject
    for name, table in data_map.tables.items():
        if name != subject.table and table.about == "nobody":
            continue
        if name == subject.table:
            yield Target(name, subject.key, "subject")
        elif name in row_tables:
            yield Target(name, table.key, f"row:{name}")
        for link in table.links():
            columns = _key_columns(data_map, link)
            if columns and not _enforced(data_map, catalogue, name, link):
                yield Target(name, columns, "subject")
        yield from _identifiers(data_map, name, table)


def guarded(data_map: DataMap, catalogue: Catalogue) -> set[str]:
    """Tables that need no reading: a foreign key, or the table that they hang on, says whose rows they are."""
    return {
        name
        for name, table in data_map.tables.items()
        if table.link is not None
        and (table.link.to != data_map.subject.table or _enforced(data_map, catalogue, name, table.link))
    }


def _key_columns(data_map: DataMap, link: Link) -> tuple[str, ...]:
    """The columns of a link that hold the whole key of a person, in its order."""
    references = data_map.references_of(link)
    if link.to != data_map.subject.table or set(references) != set(data_map.subject.key):
        return ()
    return tuple(link.columns[references.index(k)] for k in data_map.subject.key)


def _enforced(data_map: DataMap, catalogue: Catalogue, name: str, link: Link) -> bool:
    wanted = set(zip(link.columns, data_map.references_of(link), strict=True))
    return any(
        key.table == name and key.to == link.to and set(zip(key.columns, key.references, strict=True)) == wanted
        for key in catalogue.foreign_keys
    )


def _identifiers(data_map: DataMap, name: str, table: Table) -> Iterator[Target]:
    for column, entry in table.columns.items():
        if entry.identifier == "email" and (table.about == "others" or table.erase_of(column) in _GOES):
            yield Target(name, (column,), "email")
        elif entry.identifier in {"account", "external"} and table.erase_of(column) in _GOES:
            if column not in data_map.subject.key:
                yield Target(name, (column,), f"{entry.identifier}:{column}")
        elif entry.lists or _written_by_people(entry):
            yield Target(name, (column,), "email", text=True)
            yield Target(name, (column,), "word", text=True)


def _written_by_people(entry: Column) -> bool:
    """Whether people write freely into a column, and may write about others."""
    if any(e.kind == "free_text" for e in entry.evidences):
        return True
    return entry.category.startswith("user.content") and entry.object is None and entry.identifier is None


def search(connection: Connection, data_map: DataMap, wanted: Wanted, where: Sequence[Target]) -> tuple[list[Hit], int]:
    """All hits, and how many targets hold values but did not show the one planted as a control."""
    hits: list[Hit] = []
    blind = 0
    for target in where:
        control = _control(connection, target)
        if control is not None:
            plain = control if isinstance(control, str) else pseudonyms.subject_text(control)
            wanted.add_plain(target.kind, plain, CONTROL)
        seen = False
        for row in stream(connection, text(_values(data_map, target))):
            for case_id in wanted.match(target.kind, row.value):
                if case_id == CONTROL:
                    seen = True
                else:
                    value = row.value if isinstance(row.value, str) else tuple(row.value)
                    hits.append(Hit(case_id, target, value, int(row.n), row.first))
        blind += control is not None and not seen
    return hits, blind


def _control(connection: Connection, target: Target) -> Any:
    """Some value of a target as the database holds it, found by the shortest way; None when there is none."""
    if target.text:
        return None  # whether anybody wrote an identifier is chance
    present = " AND ".join(f"t.{quote(c)} IS NOT NULL AND CAST(t.{quote(c)} AS text) <> ''" for c in target.columns)
    sql = f"SELECT {_value(target)} FROM {quote_table(target.table)} AS t WHERE {present} LIMIT 1"
    return connection.execute(text(sql)).scalar_one_or_none()


def _value(target: Target) -> str:
    columns = [f"CAST(t.{quote(c)} AS text)" for c in target.columns]
    return f"ARRAY[{', '.join(columns)}]" if _is_key(target) else columns[0]


def _is_key(target: Target) -> bool:
    return target.kind == "subject" or target.kind.startswith("row:")


def _values(data_map: DataMap, target: Target) -> str:
    """Distinct values of a target with the time of the oldest row and the number of rows."""
    table = data_map.tables[target.table]
    created = f"CAST(t.{quote(table.created_at)} AS timestamptz)" if table.created_at else "CAST(NULL AS timestamptz)"
    source = quote_table(target.table)
    column = quote(target.columns[0])
    if target.text and target.kind == "email":
        return f"""SELECT lower(m.found[1]) AS value, min({created}) AS first, count(*) AS n FROM {source} AS t,
            regexp_matches(CAST(t.{column} AS text), '{_ADDRESS}', 'g') AS m (found)
            WHERE CAST(t.{column} AS text) LIKE '%@%' GROUP BY 1"""
    if target.text:
        return f"""SELECT lower(w.word) AS value, min({created}) AS first, count(*) AS n FROM {source} AS t,
            regexp_split_to_table(CAST(t.{column} AS text), '[^[\\:alnum\\:]_-]+') AS w (word)
            WHERE length(w.word) >= 8 AND w.word ~ '[0-9]' GROUP BY 1"""
    present = " AND ".join(f"t.{quote(c)} IS NOT NULL" for c in target.columns)
    if set(target.columns) >= set(_key_of(data_map, target.table)):  # every value once: nothing to group
        return f"SELECT {_value(target)} AS value, {created} AS first, 1 AS n FROM {source} AS t WHERE {present}"
    return f"""SELECT {_value(target)} AS value, min({created}) AS first, count(*) AS n
        FROM {source} AS t WHERE {present} GROUP BY 1"""


def _key_of(data_map: DataMap, table: str) -> tuple[str, ...]:
    return data_map.subject.key if table == data_map.subject.table else data_map.tables[table].key


def rows_of(connection: Connection, data_map: DataMap, hit: Hit) -> list[tuple[str, ...]]:
    """Keys of the rows that a hit is about."""
    target = hit.target
    key = ", ".join(f"CAST(t.{quote(c)} AS text)" for c in _key_of(data_map, target.table))
    values: tuple[str, ...]
    if target.text:
        where = f"strpos(lower(CAST(t.{quote(target.columns[0])} AS text)), :v0) > 0"
        values = (str(hit.value),)
    else:
        # As text: what the pass read is what is asked for. Hits are few.
        where = " AND ".join(f"CAST(t.{quote(c)} AS text) = :v{i}" for i, c in enumerate(target.columns))
        values = (hit.value,) if isinstance(hit.value, str) else hit.value
    found = connection.execute(
        text(f"SELECT ARRAY[{key}] FROM {quote_table(target.table)} AS t WHERE {where}"),
        {f"v{i}": value for i, value in enumerate(values)},
    )
    return [tuple(row) for row in found.scalars()]


def cases_of_row(
    connection: Connection, data_map: DataMap, wanted: Wanted, where: Iterable[Target], table: str, key: Sequence[str]
) -> set[UUID]:
    """The cases whose identifiers one row carries now."""
    found: set[UUID] = set()
    matches = " AND ".join(f"CAST(t.{quote(c)} AS text) = :k{i}" for i, c in enumerate(_key_of(data_map, table)))
    for target in where:
        if target.table != table or target.text:
            continue
        value = connection.execute(
            text(f"SELECT {_value(target)} FROM {quote_table(table)} AS t WHERE {matches}"),
            {f"k{i}": part for i, part in enumerate(key)},
        ).scalar_one_or_none()
        if value is not None and (isinstance(value, str) or None not in value):
            found |= wanted.match(target.kind, value)
    return found


def search_objects(
    store: ObjectStore, data_map: DataMap, wanted: Wanted
) -> tuple[list[tuple[str, str, UUID]], set[str]]:
    """(bucket, key, case) of every object, version or marker named after an erased person; and buckets read."""
    stores: dict[str, list[ObjectStoreEntry]] = {}
    for entry in data_map.objects.values():
        if entry.erase is EraseAction.OBJ_ALL_VERSIONS:
            stores.setdefault(entry.bucket, []).append(entry)
    found: dict[tuple[str, str, UUID], None] = {}
    for bucket, entries in stores.items():
        last = ""
        for version in store.versions(bucket):
            if version.key == last:
                continue
            last = version.key
            for case_id in cases_of_key(data_map, wanted, entries, version.key):
                found[bucket, version.key, case_id] = None
    return list(found), set(stores)


def cases_of_key(data_map: DataMap, wanted: Wanted, entries: Iterable[ObjectStoreEntry], key: str) -> set[UUID]:
    """The cases that the name of an object gives away: by the map's template, or by a word of it."""
    cases: set[UUID] = set()
    for entry in entries:
        if parts := _named(data_map, entry, key):
            cases |= wanted.match("subject", parts)
    for word in _NOT_IN_A_WORD.split(key):
        if is_word(word):
            cases |= wanted.match("word", word)
    return cases


def _named(data_map: DataMap, entry: ObjectStoreEntry, key: str) -> list[str]:
    """The key of the person whom the template of a store reads out of an object's name."""
    if not entry.person_key or (entry.person_table or data_map.subject.table) != data_map.subject.table:
        return []
    pieces = _PLACEHOLDER.split(entry.person_key)
    pattern = "".join(f"(?P<p{i}>[^/]+)" if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))
    found = re.match(pattern, key)
    values = {pieces[i]: found.group(f"p{i}") for i in range(1, len(pieces), 2)} if found else {}
    return [values[k] for k in data_map.subject.key] if set(values) >= set(data_map.subject.key) else []
