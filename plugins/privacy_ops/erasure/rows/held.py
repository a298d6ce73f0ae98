# ruff: noqa: S608 - identifiers are quoted, values are bound
"""Keeps what a hold over parts of a case covers, while everything else of the case goes.

The cells are copied, inside the erasing transaction, to a table that no duty may read, and go with their rows from
where they stood: whatever refers to what, only what the hold names is kept. The night after its end deletes the copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops import ledger
from privacy_ops.datamap import scope
from privacy_ops.datamap.model import DataMap
from privacy_ops.erasure.rows.builder import Builder
from privacy_ops.errors import PlanChanged, UserError
from privacy_ops.stores.database import copy_rows
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace


def note_partial(connection: Connection, data_map: DataMap) -> None:
    """Fill ``partial_hold`` with the holds that cover named parts only. One whose scope the map does not know any more
    covers the whole case: nothing goes that somebody wanted kept."""
    connection.execute(statement("erasure", "create_partial_hold_table"))
    understood = list(_understood(connection, data_map))  # read before the COPY begins: a connection does one thing
    copy_rows(connection, "partial_hold", ("hold_id",), understood)


def _understood(connection: Connection, data_map: DataMap) -> Iterator[tuple[int]]:
    for hold in connection.execute(statement("erasure", "select_scoped_holds")).all():
        try:
            scope.cells(data_map, hold.scope)
        except UserError:
            continue
        yield (hold.hold_id,)


def freeze(connection: Connection, builder: Builder, plan_id: UUID) -> int:
    """Write down what the plan keeps; returns how many rows have cells that are kept."""
    rows = 0
    for hold in connection.execute(statement("erasure", "select_holds_of_plan"), {"plan_id": plan_id}).all():
        for table, columns in scope.cells(builder.map, hold.scope).items():
            rows += connection.execute(
                statement("erasure", "insert_hold_of_plan"),
                {
                    "plan_id": plan_id,
                    "case_id": hold.case_id,
                    "hold_id": hold.hold_id,
                    "step_no": builder.own[table].number,
                    "table_name": table,
                    "columns": list(columns),
                },
            ).scalar_one()
    return rows


def keep(connection: Connection, builder: Builder, plan_id: UUID, plan_sha256: str, *, at: datetime) -> None:
    """Copy the cells of frozen rows before they go; the ledger says so. Raises PlanChanged when one is missing."""
    this = {"plan_id": plan_id}
    holds = connection.execute(statement("erasure", "select_kept_of_plan"), this).all()
    for table in dict.fromkeys(hold.table_name for hold in holds):
        planned = sum(hold.planned for hold in holds if hold.table_name == table)
        copied = connection.execute(text(_copy(builder, table)), this | {"at": at}).rowcount
        if copied != planned:
            raise PlanChanged(
                f"{planned} rows under a hold were planned and {copied} were found", where=table, do="plan anew"
            )
    if holds:
        connection.execute(statement("erasure", "update_holds_kept"), this)
        ledger.append_many(
            connection,
            "held",
            (
                (
                    {
                        "plan_sha256": plan_sha256,
                        "hold": hold.hold_id,
                        "basis": hold.basis,
                        "asset": hold.table_name,
                        "columns": list(hold.columns),
                        "rows": hold.planned,
                    },
                    hold.case_id,
                )
                for hold in holds
            ),
            at=at,
        )


def _copy(builder: Builder, table: str) -> str:
    step = builder.own[table]
    return f"""
        INSERT INTO gov.held_record (hold_id, case_id, source, cells, kept_at)
        SELECT h.hold_id, h.case_id, h.table_name, (
            SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(to_jsonb(t)) AS c WHERE c.key = ANY(h.columns)
        ), :at
        FROM gov.erasure_hold AS h
        JOIN gov.erasure_row AS r USING (plan_id, case_id, step_no)
        JOIN {builder.rows_of(table)} AS t ON {builder.key_matches(table, "t", "r.row_key")}
        WHERE h.plan_id = :plan_id AND h.step_no = {step.number}
    """


def delete_released(workspace: Workspace, *, now: datetime) -> int:
    """Delete what was kept for holds that ended, every night; returns how many rows. The ledger names each case."""
    with workspace.database("erase").transaction() as connection:
        gone = connection.execute(statement("erasure", "delete_held")).all()
        ledger.append_many(
            connection,
            "held_erased",
            (({"hold": row.ended_hold, "rows": row.records}, row.held_case) for row in gone),
            at=now,
        )
    return sum(row.records for row in gone)
