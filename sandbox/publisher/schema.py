"""The publisher's PostgreSQL schema: applies ``schema/*.sql`` in name order and partitions events by quarter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.publisher.database import connect

OWNER = "publisher_owner"
FILES = Path(__file__).parent / "schema"
EVENT_TABLES = ("web.page_view", "mobile.usage_event_account", "mobile.usage_event_anon")
WEEKS_BACK = 57  # page views are kept for 13 months
WEEKS_AHEAD = 4


def today_in_london() -> date:
    """The civil date where the publisher lives. Only entry points ask; everything below takes an anchor."""
    return datetime.now(UTC).astimezone(ZoneInfo("Europe/London")).date()


def event_partitions(table: str, first: date, last: date) -> Iterator[str]:
    """CREATE TABLE statements for the quarters (from midnight UTC) that hold ``first`` to ``last``, both included.

    Existing partitions are left alone, so any range may be asked for again. Every foreign-key check on a person asks
    each partition: with one per week, that was most of what deleting somebody took.
    """
    quarter = first.year * 4 + (first.month - 1) // 3
    while (start := _first_day(quarter)) <= last:
        yield (
            f"CREATE TABLE IF NOT EXISTS {table}_{start.year}q{quarter % 4 + 1} PARTITION OF {table} "
            f"FOR VALUES FROM ('{start} 00:00+00') TO ('{_first_day(quarter + 1)} 00:00+00')"
        )
        quarter += 1


def _first_day(quarter: int) -> date:
    return date(quarter // 4, quarter % 4 * 3 + 1, 1)


def create_schema(dsn: str, *, first: date | None = None, last: date | None = None) -> None:
    """Create all publisher schemas in an empty database, owned by ``publisher_owner``.

    ``dsn`` is a superuser's. Event partitions cover ``first`` to ``last``, by default 57 weeks back to 4 weeks
    ahead of today; rows outside of them land in a default partition.
    """
    today = today_in_london()
    first = first or today - timedelta(weeks=WEEKS_BACK)
    last = last or today + timedelta(weeks=WEEKS_AHEAD)
    with connect(dsn) as connection:
        # Roles belong to the cluster: several databases may be created at the same time.
        connection.execute(
            f"DO $$ BEGIN CREATE ROLE {OWNER} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        database = connection.info.dbname.replace('"', '""')
        connection.execute(f'GRANT CREATE ON DATABASE "{database}" TO {OWNER}')
        connection.execute(f"SET LOCAL ROLE {OWNER}")
        for path in sorted(FILES.glob("*.sql")):
            connection.execute(path.read_text(encoding="utf-8"))
        for table in EVENT_TABLES:
            connection.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
            connection.execute(";".join(event_partitions(table, first, last)))
