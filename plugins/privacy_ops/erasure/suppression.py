"""What keeps an erased child from coming back with an import or a restore, and when it stops doing so.

Entries are keyed references, written before anything is deleted because the address is needed to make them. They
expire: somebody who has come of age may register. The end is rounded up to a quarter so that it gives no birthday.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from privacy_ops import pseudonyms
from privacy_ops.settings import KeyRing
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds

_BATCH = 1000


def end_of_quarter(day: date) -> date:
    """The last day of the calendar quarter that holds ``day``."""
    month = 3 * ((day.month - 1) // 3 + 1)
    first_after = date(day.year + month // 12, month % 12 + 1, 1)
    return first_after - timedelta(days=1)


def valid_until(adult_on: date | None, *, today: date, thresholds: Thresholds) -> date:
    """Until when an entry blocks.

    adult_on: the latest possible eighteenth birthday; None (unknown) counts from today. Never ends before the
    last backup that may hold the person's data is gone.
    """
    if adult_on is None:
        months = today.year * 12 + today.month - 1 + thresholds.suppression.unknown_birth_months
        adult_on = date(months // 12, months % 12 + 1, 1)
    return max(end_of_quarter(adult_on), today + timedelta(days=thresholds.backup_max_age_days))


def write(connection: Connection, keys: KeyRing, entries: Iterable[tuple[Any, str, str, date]], *, at: datetime) -> int:
    """Insert entries (case id, id type, canonical identifier, valid until); returns how many were given."""
    batch: list[dict[str, Any]] = []
    count = 0
    for case_id, id_type, identifier, until in entries:
        reference = pseudonyms.reference(keys, "suppression", identifier)
        batch.append({
            "hmac": reference.value,
            "id_type": id_type,
            "key_id": reference.key_id,
            "valid_until": until,
            "case_id": case_id,
            "at": at,
        })
        count += 1
        if len(batch) == _BATCH:
            connection.execute(statement("erasure", "insert_suppression"), batch)
            batch.clear()
    if batch:
        connection.execute(statement("erasure", "insert_suppression"), batch)
    return count
