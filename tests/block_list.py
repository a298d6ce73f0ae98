"""The block list as the transfer inventory would set it: tests of other jobs need no inventory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from sqlalchemy import text


def renew(dsn: str, at: str = "infinity") -> None:
    """Say that the list was set at ``at``, as a superuser. ``infinity``: fresh on every day."""
    with Database(dsn).transaction() as connection:
        connection.execute(text("DELETE FROM gov.block_list_renewal"))
        connection.execute(
            text("INSERT INTO gov.block_list_renewal VALUES (CAST(:at AS timestamptz), 'test')"), {"at": at}
        )


def block(dsn: str, destination: str) -> None:
    """Put one destination on the list, with the finding that it needs."""
    with Database(dsn).transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO gov.finding (fingerprint, process, rule, severity, asset, title, what_to_do, owner,"
                " observers, status, first_seen, last_seen, last_run_id) VALUES (:d, 'transfers', 'r', 'CRITICAL', 'a',"
                " 't', 'd', 'o', '{}', 'open', now(), now(), 'r') ON CONFLICT DO NOTHING"
            ),
            {"d": destination},
        )
        connection.execute(
            text("INSERT INTO gov.blocked_destination VALUES (:d, :d, 'undeclared', now(), NULL)"), {"d": destination}
        )


@contextmanager
def unreadable(dsn: str, duty: str) -> Iterator[None]:
    """Meanwhile the duty's role may not read the list."""
    table = f"SELECT ON gov.blocked_destination {{}} privacy_{duty}"
    with Database(dsn).transaction() as connection:
        connection.execute(text(f"REVOKE {table.format('FROM')}"))
    try:
        yield
    finally:
        with Database(dsn).transaction() as connection:
            connection.execute(text(f"GRANT {table.format('TO')}"))


def lift(dsn: str) -> None:
    """Lift every block."""
    with Database(dsn).transaction() as connection:
        connection.execute(text("UPDATE gov.blocked_destination SET lifted_at = now()"))


def replicate(store: ObjectStore, bucket: str, target: str) -> None:
    """Let ``bucket`` copy itself to ``target``."""
    store.client.put_bucket_replication(
        Bucket=bucket,
        ReplicationConfiguration={
            "Role": "arn:aws:iam::123456789012:role/copy",
            "Rules": [
                {
                    "ID": "copy", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                    "Destination": {"Bucket": f"arn:aws:s3:::{target}"},
                }
            ],
        },
    )  # fmt: skip
