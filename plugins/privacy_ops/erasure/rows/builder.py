# ruff: noqa: S608 - identifiers are quoted, values are bound
"""The one SQL builder of erasure: what the data map and the live foreign keys say, as set-based statements.

Rows of a table belong to a subject along the map's links. They are frozen as keys in ``gov.erasure_row`` and only
frozen keys are ever touched. Rows of others that point at rows that go lose the pointer, where the map allows it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from privacy_ops.datamap.catalogue import Catalogue, ForeignKey
from privacy_ops.datamap.evidence import Reader, literal
from privacy_ops.datamap.graph import Graph, link_edges
from privacy_ops.datamap.model import DataMap, EraseAction, Link, ObjectStoreEntry
from privacy_ops.stores.database import quote, quote_table

Action = Literal["DELETE", "EMPTY", "UNLINK", "KEEP"]
_GOES = {EraseAction.DELETE, EraseAction.NULL, EraseAction.UNLINK, EraseAction.OBJ_ALL_VERSIONS}
_LOUD = {"no action", "restrict"}  # foreign keys that refuse what would leave a row behind
# Types of keys whose rows are told apart by a sum of hashes.
_HASHED = frozenset({
    "bigint", "integer", "smallint", "uuid", "text", "character varying", "numeric", "date",
    "timestamp with time zone", "timestamp without time zone",
})  # fmt: skip
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Step:
    """One statement on one table. ``edge`` is the pointer that an UNLINK step empties.

    Steps of one ``circle`` (above 0) refer to each other and go in one statement.
    """

    number: int
    table: str
    action: Action
    columns: tuple[str, ...]
    key: tuple[str, ...]
    why: str
    edge: ForeignKey | None = None
    circle: int = 0


class Builder(Reader):
    """Steps and statements for one data map over one live catalogue."""

    def __init__(self, data_map: DataMap, catalogue: Catalogue) -> None:
        super().__init__(data_map, catalogue)
        self.steps = self._number(list(self._unlinks()), self._owned())
        self.own = {step.table: step for step in self.steps if step.action != "UNLINK"}

    # --- which steps ---------------------------------------------------------------------------------------

    def _owned(self) -> list[Step]:
        """One step per table about subjects: emptied first, then rows that go, leaves first, then what is kept."""
        emptied, kept, goes = [], [], {}
        for name, table in self.map.tables.items():
            if name != self.map.subject.table and table.about != "subject":
                continue
            step = Step(0, name, "KEEP", (), self.key(name), table.erase.value)
            if table.erase is EraseAction.DELETE:
                goes[name] = replace(step, action="DELETE")
            elif columns := table.emptied():
                emptied.append(replace(step, action="EMPTY", columns=columns))
            else:
                kept.append(step)
        held = [edge for edge in Graph.of(self.catalogue, self.map).edges if not self._emptied(edge)]
        ordered = [
            replace(goes[name], circle=number if len(component) > 1 else 0)
            for number, component in enumerate(Graph(tuple(held)).deletion_order(goes), start=1)
            for name in component
        ]
        return [*emptied, *ordered, *kept]

    def _unlinks(self) -> Iterator[Step]:
        """Pointers at rows that go, which the map lets us empty in rows of anybody."""
        for edge in self.catalogue.foreign_keys:
            if self._goes(edge.to) and edge.table in self.map.tables and self._emptied(edge):
                yield Step(0, edge.table, "UNLINK", edge.columns, self.key(edge.table), f"points at {edge.to}", edge)

    def _goes(self, table: str) -> bool:
        entry = self.map.tables.get(table)
        return bool(entry) and entry is not None and entry.about == "subject" and entry.erase is EraseAction.DELETE

    def _emptied(self, edge: ForeignKey) -> bool:
        table = self.map.tables.get(edge.table)
        return table is not None and set(edge.columns) <= set(table.emptied())

    @staticmethod
    def _number(unlinks: Sequence[Step], owned: Sequence[Step]) -> tuple[Step, ...]:
        return tuple(replace(step, number=n) for n, step in enumerate([*unlinks, *owned], start=1))

    def rounds(self) -> Iterator[tuple[Step, ...]]:
        """Steps in the order of execution; those of a circle together."""
        for _, steps in groupby(self.steps, key=lambda step: step.circle or -step.number):
            yield tuple(steps)

    def collection_order(self) -> list[tuple[tuple[Step, ...], bool]]:
        """Own steps, after the tables that their links lead to; True: their links run in a circle, so that collecting
        is repeated until nothing new is found (a reply to a reply)."""
        links = Graph(tuple(edge for edge in link_edges(self.map) if edge.table in self.own and edge.to in self.own))
        return [
            (
                tuple(self.own[name] for name in component),
                len(component) > 1 or bool(links.refers_to_itself(component[0])),
            )
            for component in reversed(links.deletion_order(self.own))
        ]

    # --- freezing rows -------------------------------------------------------------------------------------

    def freeze_subjects(self, table: str) -> str:
        """The rows that are themselves the subjects of planned cases. Parameters: plan_id, kind, table."""
        step = self.own[table]
        return f"""
            INSERT INTO gov.erasure_row (plan_id, step_no, row_key, case_id)
            SELECT p.plan_id, {step.number}, {self.key_array(table, "t")}, c.case_id
            FROM gov.erasure_plan_case AS p JOIN gov.minor_case AS c USING (case_id)
            JOIN {self.rows_of(table)} AS t ON {self.key_matches(table, "t", "c.subject_key")}
            WHERE p.plan_id = :plan_id AND c.subject_kind = :kind AND c.subject_table = :table
            ON CONFLICT DO NOTHING
        """

    def freeze_linked(self, step: Step) -> Iterator[str]:
        """The rows of one table that belong to frozen rows of others, link by link. Parameter: plan_id."""
        table = self.map.tables[step.table]
        for link in table.links():
            if link.to not in self.own:
                continue
            if link in table.also and self._by_email(step.table, link):
                yield self._freeze_by_email(step, link)
            else:
                yield self._freeze_by_link(step, link, only_unowned=link in table.also)

    def _freeze_by_link(self, step: Step, link: Link, *, only_unowned: bool) -> str:
        parent = self.own[link.to]
        references = self.map.references_of(link)
        pairs = " AND ".join(f"t.{quote(c)} = p.{quote(r)}" for c, r in zip(link.columns, references, strict=True))
        return f"""
            INSERT INTO gov.erasure_row (plan_id, step_no, row_key, case_id)
            SELECT r.plan_id, {step.number}, {self.key_array(step.table, "t")}, r.case_id
            FROM gov.erasure_row AS r
            JOIN {self.rows_of(link.to)} AS p ON {self.key_matches(link.to, "p", "r.row_key")}
            JOIN {self.rows_of(step.table)} AS t ON {pairs}
            WHERE r.plan_id = :plan_id AND r.step_no = {parent.number}{self._unowned(step.table, only_unowned)}
            ON CONFLICT DO NOTHING
        """

    def _freeze_by_email(self, step: Step, link: Link) -> str:
        """Rows that nobody owns, under an address that is one subject's alone."""
        return f"""
            INSERT INTO gov.erasure_row (plan_id, step_no, row_key, case_id)
            SELECT k.plan_id, {step.number}, {self.key_array(step.table, "t")}, k.case_id
            FROM {self.rows_of(step.table)} AS t
            JOIN gov.erasure_key AS k ON k.plan_id = :plan_id AND k.kind = 'email'
                AND k.value = {normal_email(f"t.{quote(link.columns[0])}")}
            WHERE true{self._unowned(step.table, True)}
            ON CONFLICT DO NOTHING
        """

    def _unowned(self, table: str, wanted: bool) -> str:
        first = self.map.tables[table].link
        if not wanted or first is None:
            return ""
        return "".join(f" AND t.{quote(c)} IS NULL" for c in first.columns)

    def _by_email(self, table: str, link: Link) -> bool:
        return len(link.columns) == 1 and self.map.tables[table].columns[link.columns[0]].identifier == "email"

    def freeze_unlinks(self, step: Step) -> str:
        """Rows that point at frozen rows that go and do not go themselves. Parameter: plan_id."""
        edge = step.edge
        assert edge is not None  # noqa: S101 - UNLINK steps are made from an edge
        parent = self.own[edge.to]
        pairs = " AND ".join(f"t.{quote(c)} = p.{quote(r)}" for c, r in zip(edge.columns, edge.references, strict=True))
        stays = self._not_frozen_to_go(edge.table, before=parent)
        return f"""
            INSERT INTO gov.erasure_row (plan_id, step_no, row_key, case_id)
            SELECT r.plan_id, {step.number}, {self.key_array(edge.table, "t")}, r.case_id
            FROM gov.erasure_row AS r
            JOIN {self.rows_of(edge.to)} AS p ON {self.key_matches(edge.to, "p", "r.row_key")}
            JOIN {self.rows_of(edge.table)} AS t ON {pairs}
            WHERE r.plan_id = :plan_id AND r.step_no = {parent.number}{stays}
            ON CONFLICT DO NOTHING
        """

    def _not_frozen_to_go(self, table: str, *, before: Step) -> str:
        """Condition: the row is not deleted by its own step in time. Rows deleted after their parent lose the key."""
        own = self.own.get(table)
        if own is None or own.action != "DELETE" or own.number > before.number:
            return ""
        return f""" AND NOT EXISTS (
            SELECT 1 FROM gov.erasure_row AS o WHERE o.plan_id = :plan_id AND o.step_no = {own.number}
              AND o.row_key = {self.key_array(table, "t")})"""

    def count_uncovered(self, *, quiet: bool = False) -> str | None:
        """Live children of rows that go which no step takes care of. Parameter: plan_id. None: no such key exists.

        ``quiet``: only along keys that would change such a child without a word (ON DELETE CASCADE, SET NULL, SET
        DEFAULT); the others refuse the deletion themselves, row by row.
        """
        counts = []
        for edge in self.catalogue.foreign_keys:
            if not self._goes(edge.to) or edge.to not in self.own or self._emptied(edge):
                continue
            if quiet and edge.on_delete in _LOUD:
                continue
            parent, own = self.own[edge.to], self.own.get(edge.table)
            going = (
                f"""AND NOT EXISTS (SELECT 1 FROM gov.erasure_row AS o WHERE o.plan_id = :plan_id
                AND o.step_no = {own.number} AND o.row_key = {self.key_array(edge.table, "t")})"""
                if (own and own.action == "DELETE")
                else ""
            )
            pairs = " AND ".join(
                f"t.{quote(c)} = p.{quote(r)}" for c, r in zip(edge.columns, edge.references, strict=True)
            )
            counts.append(f"""SELECT count(*) AS n FROM gov.erasure_row AS r
                JOIN {self.rows_of(edge.to)} AS p ON {self.key_matches(edge.to, "p", "r.row_key")}
                JOIN {self.rows_of(edge.table)} AS t ON {pairs}
                WHERE r.plan_id = :plan_id AND r.step_no = {parent.number} {going}""")
        return f"SELECT sum(n) FROM ({' UNION ALL '.join(counts)}) AS uncovered" if counts else None

    # --- what the sweep will look for ------------------------------------------------------------------------

    def freeze_emails(self) -> Iterator[str]:
        """Addresses of the planned accounts, normalised. Parameter: plan_id."""
        subject = self.map.subject.table
        for column, entry in self.map.tables[subject].columns.items():
            if entry.identifier == "email":
                yield self._freeze_key("email", subject, normal_email(f"t.{quote(column)}"))

    def mark_shared_emails(self) -> Iterator[str]:
        """Addresses that somebody else uses too name nobody. Parameters: plan_id, role_names (text[])."""
        yield """
            UPDATE gov.erasure_key SET kind = 'email_shared'
            WHERE plan_id = :plan_id AND kind = 'email'
              AND split_part(value, '@', 1) = ANY(CAST(:role_names AS text[]))
        """
        subject = self.map.subject
        for name, table in self.map.tables.items():
            others_address = any(c.evidence and c.evidence.kind == "guardian" for c in table.columns.values())
            owned = table.link is not None and table.link.to == subject.table and name in self.own
            for column, entry in table.columns.items():
                if entry.identifier != "email" or name == subject.table or not owned or table.link is None:
                    continue
                mine = " AND ".join(
                    f"t.{quote(c)} = CAST(r.row_key[{subject.key.index(reference) + 1}] AS {self.type(name, c)})"
                    for c, reference in zip(table.link.columns, self.map.references_of(table.link), strict=True)
                    if reference in subject.key
                )
                someone = " AND ".join(f"t.{quote(c)} IS NOT NULL" for c in table.link.columns)
                of_others = f"""AND {someone} AND NOT EXISTS (
                    SELECT 1 FROM gov.erasure_row AS r WHERE r.plan_id = k.plan_id AND r.case_id = k.case_id
                      AND r.step_no = {self.own[subject.table].number} AND {mine or "true"})"""
                yield f"""
                    UPDATE gov.erasure_key AS k SET kind = 'email_shared'
                    FROM {self.rows_of(name)} AS t
                    WHERE k.plan_id = :plan_id AND k.kind = 'email'
                      AND k.value = {normal_email(f"t.{quote(column)}")} {"" if others_address else of_others}
                """

    def freeze_keys(self) -> Iterator[str]:
        """Subject keys and every account or external identifier in rows that go. Parameter: plan_id."""
        step = self.own[self.map.subject.table]
        yield f"""
            INSERT INTO gov.erasure_key (plan_id, case_id, kind, value)
            SELECT plan_id, case_id, 'subject', CAST(row_key AS text) FROM gov.erasure_row
            WHERE plan_id = :plan_id AND step_no = {step.number} ON CONFLICT DO NOTHING
        """
        for table, column, kind in self._identifiers():
            yield self._freeze_key(kind, table, f"CAST(t.{quote(column)} AS text)")

    def mark_shared_identifiers(self) -> Iterator[str]:
        """Identifiers that stand in a row of somebody else too (one payer, two accounts) name nobody alone."""
        for name, column, kind in self._identifiers():
            link = self.map.tables[name].link
            owned = "".join(f" AND t.{quote(c)} IS NOT NULL" for c in link.columns) if link else ""
            yield f"""
                UPDATE gov.erasure_key AS k SET kind = k.kind || '_shared'
                FROM {self.rows_of(name)} AS t
                WHERE k.plan_id = :plan_id AND k.kind = {literal(kind)}
                  AND {self._same_identifier(kind, name, column)}{owned}
                  AND NOT EXISTS (
                      SELECT 1 FROM gov.erasure_row AS r WHERE r.plan_id = :plan_id
                        AND r.step_no = {self.own[name].number} AND r.row_key = {self.key_array(name, "t")})
            """

    def _identifiers(self) -> Iterator[tuple[str, str, str]]:
        for name in self.own:
            table = self.map.tables[name]
            for column, entry in table.columns.items():
                if entry.identifier in {"account", "external"} and table.erase_of(column) in _GOES:
                    yield name, column, f"{entry.identifier}:{column}"

    def _freeze_key(self, kind: str, table: str, value: str) -> str:
        step = self.own[table]
        return f"""
            INSERT INTO gov.erasure_key (plan_id, case_id, kind, value)
            SELECT DISTINCT r.plan_id, r.case_id, {literal(kind)}, {value}
            FROM gov.erasure_row AS r JOIN {self.rows_of(table)} AS t ON {self.key_matches(table, "t", "r.row_key")}
            WHERE r.plan_id = :plan_id AND r.step_no = {step.number} AND coalesce({value}, '') <> ''
            ON CONFLICT DO NOTHING
        """

    # --- objects -----------------------------------------------------------------------------------------------

    def freeze_objects(self) -> Iterator[str]:
        """Object keys that stand in columns of frozen rows, and folders named by their keys. Parameter: plan_id."""
        for name, step in self.own.items():
            for column, entry in self.map.tables[name].columns.items():
                if entry.object and self.map.tables[name].erase_of(column) in _GOES:
                    store = self.map.objects[entry.object]
                    if store.erase is EraseAction.OBJ_ALL_VERSIONS:
                        yield self._objects_in_column(step, column, entry.object, store)
        for key, store in self.map.objects.items():
            if store.person_key and store.erase is EraseAction.OBJ_ALL_VERSIONS:
                yield self._objects_by_name(key, store)

    def _objects_in_column(self, step: Step, column: str, key: str, store: ObjectStoreEntry) -> str:
        shared = "".join(
            f""" AND NOT EXISTS (SELECT 1 FROM {self.rows_of(other)} AS o
                WHERE {self._holds(other, other_column, "o", "f.object_key")} AND NOT EXISTS (
                    SELECT 1 FROM gov.erasure_row AS e WHERE e.plan_id = :plan_id
                      AND e.step_no = {self.own[other].number} AND e.row_key = {self.key_array(other, "o")}))"""
            for other, other_column in self._columns_of_store(key)
        )
        return f"""
            INSERT INTO gov.erasure_object (plan_id, case_id, store, bucket, object_key, is_prefix)
            SELECT DISTINCT :plan_id, f.case_id, {literal(key)}, {literal(store.bucket)}, f.object_key, false
            FROM (SELECT r.case_id, {self._each(step.table, column)} AS object_key
                  FROM gov.erasure_row AS r
                  JOIN {self.rows_of(step.table)} AS t ON {self.key_matches(step.table, "t", "r.row_key")}
                  WHERE r.plan_id = :plan_id AND r.step_no = {step.number}) AS f
            WHERE coalesce(f.object_key, '') <> ''{shared}
            ON CONFLICT DO NOTHING
        """

    def _objects_by_name(self, key: str, store: ObjectStoreEntry) -> str:
        table = store.person_table or self.map.subject.table
        step = self.own[table]
        template = store.person_key or ""
        columns = _PLACEHOLDER.findall(template)
        parts = [
            literal(part) if number % 2 == 0 else f"CAST(t.{quote(part)} AS text)"
            for number, part in enumerate(_PLACEHOLDER.split(template))
            if part
        ]
        filled = "".join(f" AND coalesce(CAST(t.{quote(c)} AS text), '') <> ''" for c in columns)
        return f"""
            INSERT INTO gov.erasure_object (plan_id, case_id, store, bucket, object_key, is_prefix)
            SELECT DISTINCT r.plan_id, r.case_id, {literal(key)}, {literal(store.bucket)}, {" || ".join(parts)},
                   {"true" if template.endswith("/") else "false"}
            FROM gov.erasure_row AS r JOIN {self.rows_of(table)} AS t ON {self.key_matches(table, "t", "r.row_key")}
            WHERE r.plan_id = :plan_id AND r.step_no = {step.number}{filled}
            ON CONFLICT DO NOTHING
        """

    def _columns_of_store(self, key: str) -> Iterator[tuple[str, str]]:
        for name in self.own:
            for column, entry in self.map.tables[name].columns.items():
                if entry.object == key:
                    yield name, column

    def _each(self, table: str, column: str) -> str:
        name = f"t.{quote(column)}"
        return f"unnest({name})" if self.type(table, column).endswith("[]") else f"CAST({name} AS text)"

    def _holds(self, table: str, column: str, alias: str, value: str) -> str:
        name = f"{alias}.{quote(column)}"
        return f"{value} = ANY({name})" if self.type(table, column).endswith("[]") else f"{name} = {value}"

    # --- erasing -------------------------------------------------------------------------------------------------

    def erase(self, steps: Sequence[Step]) -> str:
        """Delete, or empty columns, by frozen keys. Gives one row: how many rows each step changed. Parameter: plan_id.

        Steps of a circle go in one statement: foreign keys are checked at its end.
        """
        parts = ", ".join(f"s{step.number} AS ({self._change(step)} RETURNING 1)" for step in steps)
        counts = ", ".join(f"(SELECT count(*) FROM s{step.number})" for step in steps)
        return f"WITH {parts} SELECT {counts}"

    def _change(self, step: Step) -> str:
        frozen = f"({self._frozen_keys(step)}) AS k"
        matches = " AND ".join(f"t.{quote(c)} = k.k{i}" for i, c in enumerate(step.key, start=1))
        if step.action == "DELETE":
            return f"DELETE FROM {self.rows_of(step.table)} AS t USING {frozen} WHERE {matches}"
        emptied = ", ".join(f"{quote(c)} = NULL" for c in step.columns)
        return f"UPDATE {self.rows_of(step.table)} AS t SET {emptied} FROM {frozen} WHERE {matches}"

    def _frozen_keys(self, step: Step) -> str:
        """The frozen keys of a step in their own types, as k1, k2, …"""
        keys = ", ".join(
            f"CAST(r.row_key[{i}] AS {self.type(step.table, c)}) AS k{i}" for i, c in enumerate(step.key, start=1)
        )
        return f"SELECT {keys} FROM gov.erasure_row AS r WHERE r.plan_id = :plan_id AND r.step_no = {step.number}"

    def by_owner(self, step: Step) -> bool:
        """Whether the step's rows are deleted by the way from their owners: those of a partitioned table. Looking up
        each key would ask every partition for every row; the way from the owner asks once per owner."""
        link = self.map.tables[step.table].link
        live = self.catalogue.tables.get(step.table)
        if step.action != "DELETE" or live is None or not live.partitions or link is None or link.to not in self.own:
            return False
        return all(self.type(step.table, column) in _HASHED for column in step.key)

    def digest(self, step: Step) -> str:
        """Write down what tells the frozen rows of a step from any others: the sum of the hashes of their keys.
        Parameter: plan_id."""
        return f"""
            UPDATE gov.erasure_step SET digest = (
                SELECT coalesce(sum({self._hash([f"k.k{i}" for i in range(1, len(step.key) + 1)])}), 0)
                FROM ({self._frozen_keys(step)}) AS k
            )
            WHERE plan_id = :plan_id AND step_no = {step.number}
        """

    def erase_by_owner(self, step: Step) -> str:
        """Delete the rows that lead to frozen rows of their parent. Parameter: plan_id.

        Gives how many went, and their digest: unless both are the plan's, the caller takes it back. Rows without an
        owner are left to ``erase_by_key``.
        """
        link = self.map.tables[step.table].link
        assert link is not None  # noqa: S101 - by_owner asked for it
        parent = self.own[link.to]
        pairs = " AND ".join(
            f"t.{quote(c)} = p.{quote(r)}" for c, r in zip(link.columns, self.map.references_of(link), strict=True)
        )
        return f"""
            WITH p AS MATERIALIZED (
                SELECT {", ".join(f"p.{quote(c)}" for c in self.map.references_of(link))} FROM gov.erasure_row AS r
                JOIN {self.rows_of(link.to)} AS p ON {self.key_matches(link.to, "p", "r.row_key")}
                WHERE r.plan_id = :plan_id AND r.step_no = {parent.number}
            ), gone AS (
                DELETE FROM {self.rows_of(step.table)} AS t USING p WHERE {pairs} RETURNING {self._hash_of(step)} AS h
            )
            SELECT count(*), coalesce(sum(h), 0) FROM gone
        """

    def erase_by_key(self, step: Step) -> str:
        """``erase`` of one step; gives how many rows went, and their digest. Parameter: plan_id."""
        return f"""WITH gone AS ({self._change(step)} RETURNING {self._hash_of(step)} AS h)
            SELECT count(*), coalesce(sum(h), 0) FROM gone"""

    def _hash_of(self, step: Step) -> str:
        return self._hash([f"t.{quote(c)}" for c in step.key])

    @staticmethod
    def _hash(values: Sequence[str]) -> str:
        return f"hash_record_extended(ROW({', '.join(values)}), 0)"

    def count_present(self, step: Step) -> str:
        """How many frozen rows are there now. Parameter: plan_id."""
        return f"""SELECT count(*) FROM gov.erasure_row AS r JOIN {self.rows_of(step.table)} AS t
            ON {self.key_matches(step.table, "t", "r.row_key")}
            WHERE r.plan_id = :plan_id AND r.step_no = {step.number}"""

    def count_arrived(self) -> str | None:
        """Rows that belong to frozen rows and are not frozen: they came after the plan. Parameter: plan_id.

        Only along links that nothing enforces, and below rows that stay: a foreign key refuses the others itself.
        """
        counts = []
        for name, step in self.own.items():
            for link in self.map.tables[name].links():
                if link.to not in self.own or link in self.map.tables[name].also or link.to == name:
                    continue
                if self.own[link.to].action == "DELETE" and self._enforced(name, link, _LOUD):
                    continue
                pairs = " AND ".join(
                    f"t.{quote(c)} = p.{quote(r)}"
                    for c, r in zip(link.columns, self.map.references_of(link), strict=True)
                )
                counts.append(f"""SELECT count(*) AS n FROM gov.erasure_row AS r
                    JOIN {self.rows_of(link.to)} AS p ON {self.key_matches(link.to, "p", "r.row_key")}
                    JOIN {self.rows_of(name)} AS t ON {pairs}
                    WHERE r.plan_id = :plan_id AND r.step_no = {self.own[link.to].number} AND NOT EXISTS (
                        SELECT 1 FROM gov.erasure_row AS o WHERE o.plan_id = :plan_id AND o.step_no = {step.number}
                          AND o.row_key = {self.key_array(name, "t")})""")
        return f"SELECT sum(n) FROM ({' UNION ALL '.join(counts)}) AS arrived" if counts else None

    def count_rows(self, table: str) -> str:
        return f"SELECT count(*) FROM {self.rows_of(table)}"

    def count_subjects(self) -> str:
        return self.count_rows(self.map.subject.table)

    # --- sweeping ------------------------------------------------------------------------------------------------

    def sweeps(self) -> Iterator[tuple[str, str]]:
        """(table, SQL that counts what is left of a plan in it) for every mapped table. Parameter: plan_id."""
        subject = self.map.subject
        for name, table in self.map.tables.items():
            counts = []
            if name == subject.table:
                counts.append(self._left("subject", name, self.key_matches(name, "t", "(CAST(k.value AS text[]))")))
            for link in table.links():
                references = self.map.references_of(link)
                if link.to == subject.table and set(references) == set(subject.key):
                    ordered = [link.columns[references.index(k)] for k in subject.key]
                    matches = " AND ".join(
                        f"t.{quote(c)} = CAST((CAST(k.value AS text[]))[{i}] AS {self.type(name, c)})"
                        for i, c in enumerate(ordered, start=1)
                    )
                    counts.append(self._left("subject", name, matches))
            emails = {link.columns[0] for link in table.also if self._by_email(name, link)}
            for column, entry in table.columns.items():
                if table.about == "others" or table.erase_of(column) not in _GOES:
                    continue
                if entry.identifier == "email" and (name == subject.table or column in emails):
                    counts.append(self._left("email", name, f"{normal_email(f't.{quote(column)}')} = k.value"))
                elif entry.identifier in {"account", "external"}:
                    kind = f"{entry.identifier}:{column}"
                    counts.append(self._left(kind, name, self._same_identifier(kind, name, column)))
            if counts := counts + self._still_there(name):
                yield name, "SELECT " + " + ".join(f"({count})" for count in counts)

    def _left(self, kind: str, table: str, matches: str) -> str:
        # Materialised: a value is cast to a column's type only after its kind was looked at.
        return f"""WITH k AS MATERIALIZED (
                SELECT e.value FROM gov.erasure_key AS e WHERE e.plan_id = :plan_id AND e.kind = {literal(kind)}
            ) SELECT count(*) FROM k JOIN {self.rows_of(table)} AS t ON {matches}"""

    def _same_identifier(self, kind: str, table: str, column: str) -> str:
        """Compared in the column's own type, so that its index serves, where all columns of the kind share one."""
        types = {self.type(t, c) for t, c, k in self._identifiers() if k == kind} | {self.type(table, column)}
        if len(types) == 1:
            return f"t.{quote(column)} = CAST(k.value AS {types.pop()})"
        return f"CAST(t.{quote(column)} AS text) = k.value"

    def _still_there(self, table: str) -> list[str]:
        """Rows that were to go, or to be emptied, and still stand or still hold something."""
        found = []
        for step in self.steps:
            if step.table != table or step.action == "KEEP":
                continue
            matches = self.key_matches(table, "t", "r.row_key")
            filled = ""
            if step.action != "DELETE":
                filled = " AND (" + " OR ".join(f"t.{quote(c)} IS NOT NULL" for c in step.columns) + ")"
            found.append(f"""SELECT count(*) FROM gov.erasure_row AS r JOIN {self.rows_of(table)} AS t ON {matches}
                WHERE r.plan_id = :plan_id AND r.step_no = {step.number}{filled}""")
        return found

    def count_orphans(self) -> str | None:
        """Rows whose link leads nowhere: in tables that link to rows that go, whether or not a key enforces it."""
        counts = []
        for name, table in self.map.tables.items():
            link = table.link
            if link is None or not self._goes(link.to):
                continue
            pairs = " AND ".join(
                f"p.{quote(r)} = t.{quote(c)}" for c, r in zip(link.columns, self.map.references_of(link), strict=True)
            )
            present = " AND ".join(f"t.{quote(c)} IS NOT NULL" for c in link.columns)
            if self._enforced(name, link):
                continue
            counts.append(f"""SELECT count(*) AS n FROM {self.rows_of(name)} AS t WHERE {present}
                AND NOT EXISTS (SELECT 1 FROM {self.rows_of(link.to)} AS p WHERE {pairs})""")
        return f"SELECT sum(n) FROM ({' UNION ALL '.join(counts)}) AS orphans" if counts else None

    def _enforced(self, table: str, link: Link, actions: Collection[str] = ()) -> bool:
        wanted = set(zip(link.columns, self.map.references_of(link), strict=True))
        return any(
            key.table == table
            and key.to == link.to
            and set(zip(key.columns, key.references, strict=True)) == wanted
            and (not actions or key.on_delete in actions)
            for key in self.catalogue.foreign_keys
        )

    def create_control_group(self) -> str:
        """A random group of subjects outside the plan. Parameters: plan_id, share (percent of pages), seed, size."""
        subject = self.map.subject
        keys = ", ".join(f"t.{quote(c)} AS k{i}" for i, c in enumerate(subject.key, start=1))
        return f"""
            CREATE TEMPORARY TABLE control_subject ON COMMIT DROP AS
            SELECT {keys} FROM {self.rows_of(subject.table)} AS t TABLESAMPLE SYSTEM (:share) REPEATABLE (:seed)
            WHERE NOT EXISTS (
                SELECT 1 FROM gov.erasure_row AS r WHERE r.plan_id = :plan_id
                  AND r.step_no = {self.own[subject.table].number}
                  AND r.row_key = {self.key_array(subject.table, "t")})
            LIMIT :size
        """

    def control_figures(self, mixed: Collection[int]) -> tuple[list[str], str]:
        """Tables, and the SQL that gives (place of the table, number, hash) of the control group's rows that the plan
        does not name. The hash is over where each row lies: whatever a transaction changes in a row, it writes anew.

        mixed: steps that may hold rows of people who stay; others are not looked through. Parameter: plan_id.
        """
        subject = self.map.subject
        tables: list[str] = []
        figures: list[str] = []
        for name in self.own:
            table = self.map.tables[name]
            if name == subject.table:
                columns: Sequence[str] = subject.key
            elif table.link is not None and table.link.to == subject.table:
                references = self.map.references_of(table.link)
                if set(references) != set(subject.key):
                    continue
                columns = [table.link.columns[references.index(k)] for k in subject.key]
            else:
                continue
            matches = " AND ".join(f"t.{quote(c)} = g.k{i}" for i, c in enumerate(columns, start=1))
            numbers = ", ".join(str(step.number) for step in self.steps if step.table == name and step.number in mixed)
            others = (
                f"""WHERE NOT EXISTS (
                    SELECT 1 FROM gov.erasure_row AS r WHERE r.plan_id = :plan_id AND r.step_no IN ({numbers})
                      AND r.row_key = {self.key_array(name, "t")})"""
                if numbers
                else ""
            )
            figures.append(f"""
                SELECT {len(tables)} AS place, count(*),
                       coalesce(sum(hashtidextended(t.ctid, CAST(t.tableoid AS bigint))), 0)
                FROM control_subject AS g JOIN {self.rows_of(name)} AS t ON {matches} {others}""")
            tables.append(name)
        return tables, " UNION ALL ".join(figures)

    # --- pieces ----------------------------------------------------------------------------------------------------

    def rows_of(self, table: str) -> str:
        """The table for FROM: without the tables that inherit from it, whose rows are their own entry's; with its
        partitions, whose rows are its own."""
        live = self.catalogue.tables.get(table)
        return quote_table(table) if live is None or live.kind != "table" else f"ONLY {quote_table(table)}"


def normal_email(expression: str) -> str:
    """The address as compared: trimmed, lower case. (NFKC and IDNA are applied before a keyed reference is made.)"""
    return f"lower(btrim({expression}))"
