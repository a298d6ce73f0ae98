"""A block list that was set just now, whenever a test says that now is: tests of other jobs need no inventory."""

from __future__ import annotations

from privacy_ops.stores.database import Database
from sqlalchemy import text


def renew(dsn: str, at: str = "infinity") -> None:
    """As a superuser. ``infinity``: fresh on every day."""
    with Database(dsn).transaction() as connection:
        connection.execute(text("DELETE FROM gov.block_list_renewal"))
        connection.execute(
            text("INSERT INTO gov.block_list_renewal VALUES (CAST(:at AS timestamptz), 'test')"), {"at": at}
        )
