"""Freezes what one run will erase: cases, steps, row keys, object keys and what the sweep will look for.

A plan is made once per run and hashed over everything in it. The gate judges that hash, and the erasure does
nothing but that. Cases under a legal hold or a verified person's open access request stay out and are counted. Of a
case under a hold over parts of it, the plan says which cells are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from privacy_ops import pseudonyms, runs
from privacy_ops.datamap import catalogue, check
from privacy_ops.erasure import breaker, withdrawal
from privacy_ops.erasure.objects import freeze as objects_plan
from privacy_ops.erasure.rows import held as parts_held
from privacy_ops.erasure.rows.builder import Builder
from privacy_ops.erasure.rows.evidence import doubted, look_up_as_usual, look_up_by_index
from privacy_ops.errors import DataMapError, UserError
from privacy_ops.runs import Run
from privacy_ops.stores.database import blocks, copy_rows
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

ERASURE_LOCK = 20180517
# Mailboxes of a ward or an office: what arrives there is nobody's alone.
ROLE_MAILBOXES = (
    "admin",
    "contact",
    "conference",
    "editor",
    "enquiries",
    "hello",
    "icu",
    "info",
    "library",
    "mail",
    "noreply",
    "office",
    "pharmacy",
    "reception",
    "secretary",
    "support",
    "team",
    "ward",
)


@dataclass(frozen=True)
class Plan:
    """A plan as frozen. ``sha256`` covers everything that it will do."""

    plan_id: UUID
    run_id: str
    state: str
    sha256: str
    as_of: datetime
    cases: int
    held: int
    breaker_tripped: bool
    breaker: dict[str, Any]


class _Rehearsed(Exception):
    """Carries the counts of a rehearsal out of the transaction that it rolls back."""

    def __init__(self, counts: dict[str, Any]) -> None:
        super().__init__("rehearsal")
        self.counts = counts


def read_plan(connection: Connection, run_id: str) -> Plan | None:
    """The plan of a run, or None when there is none."""
    row = connection.execute(statement("erasure", "select_plan_of_run"), {"run_id": run_id}).one_or_none()
    if row is None:
        return None
    return Plan(
        row.plan_id,
        row.run_id,
        row.state,
        row.sha256 or "",
        row.as_of,
        row.cases,
        row.held,
        row.breaker_tripped,
        row.breaker,
    )


def plans_in_state(workspace: Workspace, state: str) -> list[Plan]:
    """Plans that wait for the step after ``state``, oldest first."""
    with workspace.database("erase").transaction(read_only=True) as connection:
        names = connection.execute(statement("erasure", "select_unfinished_plans"), {"state": state}).scalars().all()
        return [plan for plan in (read_plan(connection, name) for name in names) if plan is not None]


def require_plan(connection: Connection, run_id: str) -> Plan:
    """The plan of a run. Raises UserError when it was never made."""
    found = read_plan(connection, run_id)
    if found is None:
        raise UserError("this run has no plan", where=run_id, do="clear its plan task; nothing is erased without one")
    return found


def plan(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Make and freeze the plan of ``run``; returns counts.

    A second call makes it anew while nothing was erased (the old one is void), and returns it afterwards.
    A rehearsal makes it in a transaction that is rolled back. Raises DataMapError when the map does not cover
    the live database, UserError when the run's as-of is too old.
    """
    limits = workspace.thresholds
    rehearsal = runs.is_rehearsal(run, max_drift_hours=limits.as_of_max_drift_hours)
    runs.require_fresh(run, now=now, max_drift_hours=limits.as_of_max_drift_hours)
    database = workspace.database("erase")
    try:
        with database.transaction() as connection:
            counts = _make(connection, workspace, run, now)
            if rehearsal:
                raise _Rehearsed(counts)
    except _Rehearsed as done:
        counts = done.counts | {"rehearsal": True}
    with database.transaction() as connection:
        runs.add_facts(connection, run.run_id, {"plan": counts})
    return counts


def _make(connection: Connection, workspace: Workspace, run: Run, now: datetime) -> dict[str, Any]:
    connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": ERASURE_LOCK})
    known = read_plan(connection, run.run_id)
    if known is not None and known.state not in {"building", "frozen"}:
        return _summary(connection, known)
    builder = Builder(workspace.data_map, covered_catalogue(connection, workspace))
    for row in connection.execute(statement("erasure", "void_unexecuted_plans")).all():
        withdrawal.withdraw(connection, row.plan_id, now=now)
        forget(connection, row.plan_id)
    connection.execute(statement("erasure", "delete_void_rewrites"))
    held = _hold(connection, workspace, run, now)
    plan_id = uuid4()
    connection.execute(
        statement("erasure", "insert_plan"), {"plan_id": plan_id, "run_id": run.run_id, "at": now, "as_of": run.as_of}
    )
    cases = connection.execute(
        statement("erasure", "insert_plan_cases"), {"plan_id": plan_id, "run_id": run.run_id}
    ).rowcount
    aside = _set_aside(connection, builder, workspace, plan_id)
    freeze(connection, builder, plan_id)
    kept = {"rows_with_held_cells": parts_held.freeze(connection, builder, plan_id)}
    shared = objects_plan.freeze(connection, workspace, plan_id)
    figures, decision = _breaker(connection, builder, workspace, run)
    connection.execute(
        statement("erasure", "freeze_plan"),
        {
            "plan_id": plan_id,
            "sha256": content_sha256(connection, plan_id),
            "cases": cases - aside,
            "held": held["held"],
            "tripped": decision.tripped,
            "breaker": json.dumps(
                {**figures.__dict__, "reasons": list(decision.reasons), "baseline": decision.baseline}, sort_keys=True
            ),
        },
    )
    made = read_plan(connection, run.run_id)
    assert made is not None  # noqa: S101 - written above
    return _summary(connection, made) | held | kept | shared | {"set_aside": aside}


def _set_aside(connection: Connection, builder: Builder, workspace: Workspace, plan_id: UUID) -> int:
    """Leave out, case by case, whose evidence changed since or does not show a minor when it is read a second way; how
    many. They stay restricted: the next detection judges them anew, and the gate tells people of them."""
    connection.execute(text("ANALYZE gov.erasure_plan_case"))
    look_up_by_index(connection)
    cases = doubted(connection, builder.map, builder.catalogue, plan_id, workspace.thresholds)
    look_up_as_usual(connection)
    if cases:
        connection.execute(statement("erasure", "set_cases_aside"), {"plan_id": plan_id, "cases": cases})
    return len(cases)


def covered_catalogue(connection: Connection, workspace: Workspace) -> catalogue.Catalogue:
    """The live catalogue, when the map covers it. Raises DataMapError naming what blocks erasure."""
    live = catalogue.read(connection)
    problems = check.blocking(check.check(workspace.data_map, live), "erasure")
    if problems:
        first = "; ".join(f"{p.code} {p.where}" for p in problems[:5])
        raise DataMapError(
            f"the data map does not cover the live database ({len(problems)} problems): {first}",
            where=f"data map {workspace.data_map.publisher.key}",
            do="run `map check`; nothing is erased until every table that leans on people has a rule",
        )
    return live


def _hold(connection: Connection, workspace: Workspace, run: Run, now: datetime) -> dict[str, int]:
    """Fill ``eligible`` and ``held``, set the cases' states, and count."""
    connection.execute(statement("erasure", "create_eligible_table"))
    these = {"as_of": run.as_of, "now": now, "run_id": run.run_id}
    rows = connection.execute(statement("erasure", "select_eligible_cases"), these)
    copy_rows(connection, "eligible", ("case_id", "subject_refs"), _references(rows, workspace))
    parts_held.note_partial(connection, workspace.data_map)
    connection.execute(statement("erasure", "create_held_table"))
    connection.execute(statement("erasure", "update_held_cases"))
    row = connection.execute(statement("erasure", "count_held"), {"run_id": run.run_id}).mappings().one()
    return {name: int(value) for name, value in row.items()}


def _references(rows: Any, workspace: Workspace) -> Iterator[tuple[UUID, list[str]]]:
    """References under every key still held: a hold may be older than the key in use."""
    keys = workspace.settings.keys
    for row in rows:
        canonical = pseudonyms.subject_text(
            row.subject_key, table="" if row.subject_kind == "person" else row.subject_table
        )
        yield row.case_id, [r.value for r in pseudonyms.references_all_keys(keys, "ledger", canonical)]


def freeze(connection: Connection, builder: Builder, plan_id: UUID) -> None:
    """Write steps, rows, keys and objects of a plan's cases by INSERT … SELECT."""
    for step in builder.steps:
        connection.execute(
            statement("erasure", "insert_step"),
            {
                "plan_id": plan_id,
                "step_no": step.number,
                "table_name": step.table,
                "action": step.action,
                "columns": list(step.columns),
                "key_columns": list(step.key),
                "why": step.why,
            },
        )
    this = {"plan_id": plan_id}
    subject = builder.map.subject.table
    for name in builder.own:
        kind = "person" if name == subject else "row"
        connection.execute(text(builder.freeze_subjects(name)), this | {"kind": kind, "table": name})
    for sql in builder.freeze_emails():
        connection.execute(text(sql), this)
    for number, sql in enumerate(builder.mark_shared_emails()):
        connection.execute(text(sql), this | ({"role_names": list(ROLE_MAILBOXES)} if number == 0 else {}))
    for steps, circular in builder.collection_order():
        found = 1
        while found:
            found = sum(
                connection.execute(text(sql), this).rowcount for step in steps for sql in builder.freeze_linked(step)
            )
            if not circular:
                break
    for step in builder.steps:
        if step.action == "UNLINK":
            connection.execute(text(builder.freeze_unlinks(step)), this)
    for sql in (*builder.freeze_keys(), *builder.mark_shared_identifiers(), *builder.freeze_objects()):
        connection.execute(text(sql), this)
    stores = {key: store.bucket for key, store in builder.map.objects.items()}
    connection.execute(
        statement("erasure", "insert_returned_objects"),
        this | {"stores": list(stores), "buckets": list(stores.values())},
    )
    connection.execute(statement("erasure", "update_planned_counts"), this)
    connection.execute(statement("erasure", "update_planned_of_cases"), this)
    for step in builder.steps:
        if builder.by_owner(step):
            connection.execute(text(builder.digest(step)), this)
    # Statistics of an earlier plan made the gate's counts 300 times slower (32 s for 375 people).
    connection.execute(text("ANALYZE gov.erasure_row, gov.erasure_key, gov.erasure_plan_case, gov.erasure_object"))


@dataclass(frozen=True)
class Content:
    """Digests of everything that a plan holds: ``frame`` of its cases, steps, rewrites and holds, ``items`` of its
    rows, objects and keys; ``versions`` says which versions of the latter stood in the database when they were read."""

    frame: str
    items: str
    versions: str

    @property
    def sha256(self) -> str:
        """What the gate judges and people approve."""
        return hashlib.sha256(f"{self.frame} {self.items}".encode()).hexdigest()


def read_content(connection: Connection, plan_id: UUID, *, known: Content | None = None) -> Content:
    """Read anew what the plan holds; streamed.

    ``known``: an earlier reading. Where the very same row versions stand there still, its ``items`` hold: a version is
    never changed in place, and to hash the rows once more takes as long as to delete a fourth of them.
    """
    # Before the content: what another session writes in between is then read again, never overlooked.
    versions = _digest(connection, "select_plan_versions", plan_id)
    frame = _digest(connection, "select_plan_frame", plan_id)
    if known is not None and known.versions == versions:
        return Content(frame, known.items, versions)
    return Content(frame, _digest(connection, "select_plan_items", plan_id), versions)


def content_sha256(connection: Connection, plan_id: UUID) -> str:
    """Hash over everything that the plan holds, read anew."""
    return read_content(connection, plan_id).sha256


def _digest(connection: Connection, query: str, plan_id: UUID) -> str:
    digest = hashlib.sha256()
    for block in blocks(connection, statement("erasure", query), {"plan_id": plan_id}):
        for (content,) in block:
            line = content.encode()
            digest.update(len(line).to_bytes(8, "big") + line)
    return digest.hexdigest()


def forget(connection: Connection, plan_id: UUID, *, cases: bool = True) -> None:
    """Empty a plan of every key of a person. Steps and counts stay; ``cases`` also drops which cases it held."""
    for name in ("rows", "objects", "keys", "rewrites", *(("plan_cases", "holds") if cases else ())):
        connection.execute(statement("erasure", f"delete_plan_{name}"), {"plan_id": plan_id})


def _breaker(
    connection: Connection, builder: Builder, workspace: Workspace, run: Run
) -> tuple[breaker.Figures, breaker.Decision]:
    limits = workspace.thresholds.breaker
    row = connection.execute(
        statement("erasure", "select_breaker_figures"),
        {
            "as_of": run.as_of,
            "run_id": run.run_id,
            "window_hours": limits.window_hours,
            "median_days": limits.median_days,
        },
    ).one()
    subjects = connection.execute(text(builder.count_subjects())).scalar_one()
    figures = breaker.Figures(
        int(row.confirmed), int(subjects), int(row.largest_feed), int(row.history_runs), float(row.median or 0)
    )
    return figures, breaker.decide(figures, limits)


def _summary(connection: Connection, made: Plan) -> dict[str, Any]:
    steps = connection.execute(statement("erasure", "select_steps"), {"plan_id": made.plan_id}).all()
    objects = connection.execute(
        text("SELECT count(*) FROM gov.erasure_object WHERE plan_id = :p"), {"p": made.plan_id}
    ).scalar_one()
    rows: dict[str, int] = {}
    for step in steps:
        rows[step.action] = rows.get(step.action, 0) + step.planned
    return {
        "plan_id": str(made.plan_id),
        "sha256": made.sha256,
        "cases": made.cases,
        "held": made.held,
        "rows": rows,
        "tables": sum(1 for step in steps if step.planned),
        "objects": int(objects),
        "breaker_tripped": made.breaker_tripped,
        "breaker": made.breaker,
        "rehearsal": False,
    }
