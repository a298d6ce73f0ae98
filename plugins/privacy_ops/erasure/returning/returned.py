# ruff: noqa: S608 - identifiers are quoted, values are bound
"""What becomes of an erased person's data that stands somewhere again: a new case about it, and a restriction.

A case that was erased stays sealed; it is marked REOPENED, and a new case names what came back. Old data is erased
again on the strength of the first confirmation. A record made after the erasure may be a new sign-up of somebody
who came of age: people look at it. An identifier in somebody else's row is theirs to look at too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops import pseudonyms
from privacy_ops.datamap import catalogue
from privacy_ops.datamap.model import DataMap, EraseAction
from privacy_ops.erasure.plan import Plan
from privacy_ops.erasure.returning.search import Hit, Wanted, cases_of_key, cases_of_row, rows_of, targets
from privacy_ops.stores.database import quote, quote_table
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

Verdict = Literal["returned", "new_record", "mention"]
_STAYS = {EraseAction.KEEP, EraseAction.KEEP_ANON, EraseAction.AGE_OUT, EraseAction.PROCESSOR}
OBJECTS = "s3://"


@dataclass(frozen=True)
class Root:
    """What an erasure begins with: a person's account, a row that hangs on nobody, or an object (table s3://…)."""

    kind: Literal["person", "row"]
    table: str
    key: tuple[str, ...]


@dataclass
class Finding:
    """One thing found. ``root`` is None for a mention; ``row_key`` then says in which row."""

    case_id: UUID
    asset: str
    found_by: str
    verdict: Verdict
    rows: int
    root: Root | None = None
    row_key: tuple[str, ...] | None = None
    dated: bool = False  # the row says when it was made


@dataclass
class Returns:
    """Everything one search found, and how well it saw."""

    findings: list[Finding] = field(default_factory=list)
    assets: set[str] = field(default_factory=set)
    blind: int = 0
    unreadable: int = 0

    def count(self, verdict: Verdict) -> int:
        return sum(1 for finding in self.findings if finding.verdict == verdict)


def wanted_for(connection: Connection, workspace: Workspace, case_ids: Sequence[UUID] | None) -> Wanted:
    """Every reference kept of erased cases (None: of all): sweep identifiers, suppression list, ledger."""
    wanted = Wanted(workspace.settings.keys)
    given = {"cases": None if case_ids is None else [str(c) for c in case_ids]}
    for row in connection.execute(statement("erasure", "select_references_of_cases"), given):
        wanted.add(row.purpose, row.key_id, row.hmac, row.case_id)
    return wanted


def examine(
    connection: Connection,
    data_map: DataMap,
    hits: Iterable[Hit],
    erased_at: Mapping[UUID, datetime],
) -> list[Finding]:
    """What each hit means, one finding per case, root and kind."""
    standing = {hit: rows_of(connection, data_map, hit) for hit in dict.fromkeys(hits)}
    people = {(hit.case_id, hit.value) for hit in standing if hit.target.kind == "subject"}
    direct = {(hit.case_id, hit.target.table, key) for hit, keys in standing.items() for key in keys}
    found: dict[tuple[Any, ...], Finding] = {}
    for hit, keys in standing.items():
        for key in keys:
            finding = _finding(connection, data_map, hit, key, people, direct, erased_at.get(hit.case_id))
            same = (finding.case_id, finding.verdict, finding.root, finding.row_key, finding.asset)
            if same in found:
                found[same].rows += 1
            else:
                found[same] = finding
    return list(found.values())


def _finding(
    connection: Connection,
    data_map: DataMap,
    hit: Hit,
    key: tuple[str, ...],
    people: set[tuple[UUID, str | tuple[str, ...]]],
    direct: set[tuple[UUID, str, tuple[str, ...]]],
    erased_at: datetime | None,
) -> Finding:
    name, subject = hit.target.table, data_map.subject.table
    mention = Finding(hit.case_id, name, hit.target.kind, "mention", 1, row_key=key)
    if hit.target.text:
        return mention
    top, top_key = _top(connection, data_map, name, key)
    if top == subject:
        mine = (hit.case_id, top_key) in people or (hit.case_id, subject, top_key) in direct
        root = Root("person", top, top_key) if mine else None
    elif (hit.case_id, top, top_key) in direct:
        root = Root("row", top, top_key)
    else:
        root = Root("row", name, key)
    if root is None or (root.table != subject and not _goes(data_map, root.table)):
        return mention
    made = _created(connection, data_map, root.table, root.key)
    newer = made is not None and erased_at is not None and made >= erased_at
    # Only a human being signs up: an event that names an erased account is late, whatever its time.
    verdict: Verdict = "new_record" if newer and (root.kind == "person" or hit.target.kind == "email") else "returned"
    return Finding(hit.case_id, name, hit.target.kind, verdict, 1, root=root, dated=made is not None)


def _goes(data_map: DataMap, table: str) -> bool:
    entry = data_map.tables[table]
    return entry.about == "subject" and (entry.erase not in _STAYS or bool(entry.emptied()))


def _top(connection: Connection, data_map: DataMap, table: str, key: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The row that a row hangs on in the end: an account, or the last one that hangs on nobody."""
    seen = 0
    while table != data_map.subject.table and seen <= len(data_map.tables):
        seen += 1
        link = data_map.tables[table].link
        if link is None:
            break
        values = _read(connection, data_map, table, key, link.columns)
        if values is None or None in values:
            break
        parent_key = data_map.subject.key if link.to == data_map.subject.table else data_map.tables[link.to].key
        matches = " AND ".join(
            f"CAST(p.{quote(c)} AS text) = :v{i}" for i, c in enumerate(data_map.references_of(link))
        )
        keys = ", ".join(f"CAST(p.{quote(c)} AS text)" for c in parent_key)
        parent = connection.execute(
            text(f"SELECT ARRAY[{keys}] FROM {quote_table(link.to)} AS p WHERE {matches} LIMIT 1"),
            {f"v{i}": value for i, value in enumerate(values)},
        ).scalar_one_or_none()
        if parent is None:
            break
        table, key = link.to, tuple(parent)
    return table, key


def _read(
    connection: Connection, data_map: DataMap, table: str, key: Sequence[str], columns: Sequence[str]
) -> list[str | None] | None:
    """Values of some columns of one row as text; None when the row is not there."""
    own = data_map.subject.key if table == data_map.subject.table else data_map.tables[table].key
    matches = " AND ".join(f"CAST(t.{quote(c)} AS text) = :k{i}" for i, c in enumerate(own))
    wanted = ", ".join(f"CAST(t.{quote(c)} AS text)" for c in columns)
    found = connection.execute(
        text(f"SELECT CAST(ARRAY[{wanted}] AS text[]) FROM {quote_table(table)} AS t WHERE {matches}"),
        {f"k{i}": part for i, part in enumerate(key)},
    ).scalar_one_or_none()
    return None if found is None else list(found)


def _created(connection: Connection, data_map: DataMap, table: str, key: Sequence[str]) -> datetime | None:
    """When the row at the root was made, as it says itself."""
    subject = data_map.subject
    column = subject.registered_at if table == subject.table else data_map.tables[table].created_at
    if column is None:
        return None
    own = subject.key if table == subject.table else data_map.tables[table].key
    matches = " AND ".join(f"CAST(t.{quote(c)} AS text) = :k{i}" for i, c in enumerate(own))
    found: datetime | None = connection.execute(
        text(f"SELECT CAST(t.{quote(column)} AS timestamptz) FROM {quote_table(table)} AS t WHERE {matches}"),
        {f"k{i}": part for i, part in enumerate(key)},
    ).scalar_one_or_none()
    return found


def open_cases(
    connection: Connection, workspace: Workspace, run_id: str, findings: Iterable[Finding], *, now: datetime
) -> dict[str, int]:
    """Record findings, open a case for each root and restrict its person, in one transaction of the duty detect.

    Repeatable: a root that has an open case gets no second one. Returns counts.
    """
    keys, data_map = workspace.settings.keys, workspace.data_map
    counts = {"opened": 0, "restricted": 0, "mentions": 0}
    opened: dict[Root, UUID] = {}
    for finding in findings:
        follow_up: UUID | None = None
        if finding.root is None:
            counts["mentions"] += 1
        else:
            root = finding.root
            if root not in opened:
                person = root.kind == "person"
                reference = pseudonyms.reference(
                    keys, "ledger", pseudonyms.subject_text(root.key, table="" if person else root.table)
                )
                row = connection.execute(
                    statement("erasure", "insert_returned_case"),
                    {
                        "kind": root.kind,
                        "table": root.table,
                        "key": list(root.key),
                        "ref": reference.value,
                        "ref_key_id": reference.key_id,
                        "class": "CONFIRMED_MINOR" if finding.verdict == "returned" else "SUSPECTED_MINOR",
                        "at": now,
                        "run_id": run_id,
                        "returned_of": finding.case_id,
                    },
                ).one()
                opened[root] = row.case_id
                counts["opened"] += int(row.opened)
            follow_up = opened[root]
        connection.execute(
            statement("erasure", "insert_return_finding"),
            {
                "case_id": finding.case_id,
                "run_id": run_id,
                "at": now,
                "asset": finding.asset,
                "found_by": finding.found_by,
                "verdict": finding.verdict,
                "rows": finding.rows,
                "row_key": list(finding.row_key) if finding.row_key else None,
                "follow_up": follow_up,
            },
        )
    if opened:
        counts["restricted"] = int(
            connection.execute(
                text(_restrict(workspace)),
                {"value": data_map.restriction.value, "at": now, "cases": [str(c) for c in opened.values()]},
            ).rowcount
        )
        connection.execute(statement("erasure", "mark_reopened"), {"run_id": run_id})
    return counts


def _restrict(workspace: Workspace) -> str:
    """Lock the people of these open cases and remember what stood there. Parameters: value, at, cases (text[])."""
    how = workspace.data_map.restriction
    column = quote(how.column)
    matches = " AND ".join(f"CAST(r.{quote(c)} AS text) = c.subject_key[{i}]" for i, c in enumerate(how.key, start=1))
    keys = ", ".join(f"r.{quote(k)} AS {quote(f'key_{i}')}" for i, k in enumerate(how.key))
    again = " AND ".join(f"r.{quote(k)} = l.{quote(f'key_{i}')}" for i, k in enumerate(how.key))
    return f"""
        WITH locked AS (
            SELECT c.case_id, {keys}, CAST(r.{column} AS text) AS previous
            FROM gov.minor_case AS c JOIN {quote_table(how.table)} AS r ON {matches}
            WHERE c.case_id = ANY(CAST(:cases AS uuid[])) AND c.state = 'OPEN' AND c.subject_kind = 'person'
            FOR UPDATE OF r, c
        ),
        updated AS (
            UPDATE {quote_table(how.table)} AS r SET {column} = :value FROM locked AS l
            WHERE {again} AND r.{column} IS DISTINCT FROM :value
        )
        UPDATE gov.minor_case AS c SET state = 'RESTRICTED', restricted_at = :at, restriction_previous = l.previous
        FROM locked AS l WHERE c.case_id = l.case_id
    """


def unproven(connection: Connection, workspace: Workspace, plan: Plan) -> int:
    """How many planned cases about returned data are not shown to be so: read anew, in the caller's transaction.

    Shown: the ledger says that the first case was erased, and the row still carries one of its identifiers (or is
    gone, then there is nothing to erase).
    """
    rows = connection.execute(statement("erasure", "select_returned_of_plan"), {"plan_id": plan.plan_id}).all()
    if not rows:
        return 0
    data_map = workspace.data_map
    wanted = wanted_for(connection, workspace, [row.returned_of for row in rows])
    row_tables = {row.subject_table for row in rows}
    where = list(targets(data_map, catalogue.read(connection), row_tables))
    wrong = 0
    for row in rows:
        if not row.erased:
            wrong += 1
        elif row.subject_table.startswith(OBJECTS):
            bucket = row.subject_table.removeprefix(OBJECTS)
            stores = [e for e in data_map.objects.values() if e.bucket == bucket]
            wrong += row.returned_of not in cases_of_key(data_map, wanted, stores, row.subject_key[0])
        elif _read(connection, data_map, row.subject_table, row.subject_key, ()) is not None:
            carried = cases_of_row(connection, data_map, wanted, where, row.subject_table, row.subject_key)
            wrong += row.returned_of not in carried
    return wrong


def erased_moments(connection: Connection, case_ids: Sequence[UUID] | None) -> dict[UUID, datetime]:
    """When the rows of erased cases went, as the ledger says. None: of all."""
    given = {"cases": None if case_ids is None else [str(c) for c in case_ids]}
    return {r.case_id: r.at for r in connection.execute(statement("erasure", "select_erased_moments"), given)}
