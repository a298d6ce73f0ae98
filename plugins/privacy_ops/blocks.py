"""The block list: destinations of uncleared transfers, which every job asks before it writes there.

The transfer inventory sets it (a CRITICAL finding blocks, its closing lifts) and notes when it did. A list that was not
set of late, or that cannot be read, clears nothing: nobody looked, so nobody knows. Destinations are ``bucket:…``,
``recipient:…``, ``processor:…``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from privacy_ops.errors import GateBlocked
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds

RUNBOOK = "docs/runbooks/transfer_inventory_check.md"


@dataclass(frozen=True)
class BlockList:
    """What the list says of the destinations that were asked for. ``fresh`` False: it clears nothing."""

    fresh: bool
    blocked: frozenset[str]

    def require_fresh(self) -> None:
        """Raises GateBlocked when no inventory has set the list of late."""
        if not self.fresh:
            raise GateBlocked(
                "the block list of transfers was not set of late, so no transfer is cleared",
                where="gov.block_list_renewal",
                do=f"see why transfer_inventory_check does not end; {RUNBOOK}",
            )

    def require_clear(self) -> None:
        """Raises GateBlocked when the list is stale or names one of the destinations."""
        self.require_fresh()
        if self.blocked:
            raise GateBlocked(
                "the transfer inventory has blocked the destination",
                where=", ".join(sorted(self.blocked)),
                do="mend what transfer_inventory_check found; its next run lifts the block",
            )


def fresh_after(limits: Thresholds, now: datetime) -> datetime:
    """A list that was set before this is stale at ``now``."""
    return now - timedelta(hours=limits.transfers.block_list_max_age_hours)


def ask(connection: Connection, destinations: Iterable[str], limits: Thresholds, *, now: datetime) -> BlockList:
    """What the list says of ``destinations``, in the caller's transaction."""
    row = connection.execute(
        statement("blocks", "select_block_list"),
        {"destinations": sorted(set(destinations)), "fresh_after": fresh_after(limits, now)},
    ).one()
    return BlockList(bool(row.fresh), frozenset(row.blocked))


def reached_by(store: ObjectStore, bucket: str) -> tuple[str, ...]:
    """Where a write to ``bucket`` ends: the bucket, and every bucket that its rules copy to at this moment.

    Raises StoreRefused, StoreUnavailable when the store does not tell: then nobody knows where a write would end.
    """
    return (f"bucket:{bucket}", *(f"bucket:{target}" for target in store.copies(bucket)))
