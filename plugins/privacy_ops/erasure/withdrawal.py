"""Takes back what was written ahead of an erasure that did not happen."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from privacy_ops import ledger
from privacy_ops.stores.sql import statement


def withdraw(connection: Connection, plan_id: UUID, *, now: datetime) -> None:
    """Take back what was written ahead of a plan that erased nothing: suppression and what sweeps would look for.

    Otherwise the records of somebody who was never erased could not be imported. The ledger keeps the intent, and an
    entry that it was withdrawn. Nothing happens to a plan that wrote nothing ahead, or was carried out.
    """
    this = {"plan_id": plan_id}
    plan = connection.execute(statement("erasure", "withdraw_intent"), this).one_or_none()
    if plan is None:
        return
    connection.execute(statement("erasure", "delete_suppression_of_plan"), this | {"intent_at": plan.intent_at})
    connection.execute(statement("erasure", "delete_sweep_identifiers_of_plan"), this)
    ledger.append(connection, "withdrawn", {"plan_sha256": plan.sha256}, at=now)
