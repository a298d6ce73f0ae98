"""Keeps what the law asks for when its person is erased, apart from everything else, and deletes it at its term.

Which row falls under which rule stands in the data map (``retain`` of a table): columns, limits, years and the law. A
record holds the named columns and nothing that leads back to an account.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from privacy_ops import ledger
from privacy_ops.datamap.evidence import literal
from privacy_ops.datamap.model import Condition, RetainedMinimum
from privacy_ops.erasure.rows.builder import Builder, Step
from privacy_ops.errors import PlanChanged
from privacy_ops.stores.database import quote
from privacy_ops.workspace import Workspace


def retain(connection: Connection, builder: Builder, step: Step, planned: int, this: dict[str, Any]) -> None:
    """Copy the minimum of a step's rows, before they are emptied. Raises PlanChanged unless every row was judged."""
    rules = builder.map.tables[step.table].retain
    if not rules or not planned or step.action == "UNLINK":
        return
    found = 0
    for record, asset in statements(builder, step, rules):
        found += connection.execute(text(record), this).rowcount
        connection.execute(text(asset), this)
    if found != planned:
        raise PlanChanged(
            f"{planned} rows were planned and {found} fell under a rule of retention", where=step.table, do="plan anew"
        )


def statements(builder: Builder, step: Step, rules: tuple[RetainedMinimum, ...]) -> Iterator[tuple[str, str]]:
    """(SQL that writes the records of one rule, SQL that counts them case by case). Parameter: plan_id."""
    before: list[str] = []
    for rule in rules:
        holds = " AND ".join(_holds(builder, step.table, condition) for condition in rule.when) or "true"
        mine = " AND ".join([f"coalesce({holds}, false)", *before])
        before.append(f"NOT coalesce({holds}, false)")
        kept = ", ".join(f"{literal(name)}, t.{quote(column)}" for name, column in rule.keep.items())
        # An order that never got a tax point: its term counts from the day of the plan, and it stops nobody's erasure.
        planned = "(SELECT CAST(p.frozen_at AS date) FROM gov.erasure_plan AS p WHERE p.plan_id = :plan_id)"
        day = f"coalesce(CAST(t.{quote(rule.counted_from)} AS date), {planned})"
        if rule.from_year_end:
            day = f"make_date(CAST(extract(year FROM {day}) AS int), 12, 31)"
        rows = f"""FROM gov.erasure_row AS r
            JOIN {builder.rows_of(step.table)} AS t ON {builder.key_matches(step.table, "t", "r.row_key")}
            WHERE r.plan_id = :plan_id AND r.step_no = {step.number} AND {mine}"""
        yield (
            f"""INSERT INTO gov.retained_record (source, rule, kept, delete_after)
            SELECT {literal(step.table)}, {literal(rule.rule)}, jsonb_strip_nulls(jsonb_build_object({kept})),
                   CAST({day} + make_interval(years => {rule.years}) AS date)
            {rows}""",
            f"""INSERT INTO gov.erasure_asset (plan_id, case_id, asset, method, planned, done)
            SELECT r.plan_id, r.case_id, {literal(f"gov.retained_record of {step.table}")},
                   {literal(f"RETAINED {rule.rule}")}, count(*), count(*)
            {rows} GROUP BY r.plan_id, r.case_id""",
        )


def _holds(builder: Builder, table: str, condition: Condition) -> str:
    column = f"t.{quote(condition.column)}"
    if condition.at_most is not None:
        return f"{column} <= {condition.at_most!r}"
    values = ", ".join(literal(value) for value in condition.is_in if value is not None)
    tests = [f"CAST({column} AS text) IN ({values})"] if values else []
    tests += [f"{column} IS NULL"] if None in condition.is_in else []
    builder.type(table, condition.column)  # the database has it
    return f"({' OR '.join(tests)})"


def delete_expired(workspace: Workspace, *, now: datetime) -> int:
    """Delete records whose term is over; returns how many. Every night, and by hand. The ledger keeps the number."""
    with workspace.database("erase").transaction() as connection:
        today = now.date()
        gone = int(connection.execute(text("SELECT gov.delete_retained(:today)"), {"today": today}).scalar_one())
        if gone:
            ledger.append(connection, "retention_ended", {"records": gone}, at=now)
    return gone
