"""A year's backfill of the export: every week of an ISO year through the real steps, on PostgreSQL and an S3 endpoint.

The publisher is the small one of the tests (four courses, two of them by weeks), with people in every week, so what is
measured is what each week costs whatever its size: reading, counting, protecting what closes, packing, judging,
publishing, registering.

    PYTHONPATH=plugins:. python -m bench.backfill [--weeks 53]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.usage import periods
from privacy_ops.usage.periods import Period
from sqlalchemy import text

from bench import world as bench_world
from tests import usage_world as world

YEAR = periods.from_key("2026")


@dataclass(frozen=True)
class Backfilled:
    """``processor``: of this process; the database's and the store's are their own. ``peak_mib``: of this process."""

    weeks: int
    releases: int
    seconds: float
    processor: float
    slowest: float
    peak_mib: float


def prepare(dsn: str, folder: Path) -> None:
    """A publisher with people in every week of the year: 60 start something, in both large courses."""
    world.make_database(dsn)
    world.fill(dsn)
    world.settle(dsn)
    registry = world.REGISTRY | {
        "agreements": [a for a in world.REGISTRY["agreements"] if a["id"] != "A4"],
        "entitlements": [e for e in world.REGISTRY["entitlements"] if e["agreement"] != "A4"],
    }
    for agreement in registry["agreements"]:
        agreement["to"] = agreement["to"].replace(year=2028)
    world.entitle(dsn, folder, registry)
    with Database(dsn).transaction() as c:
        for quarter in periods.within(YEAR, "quarter"):
            c.execute(
                text(
                    "INSERT INTO gov.release_base_period SELECT CAST(n AS text), :quarter,"
                    " CASE WHEN n <= 2 THEN 'week' ELSE 'quarter' END, 's', 'bench', :at"
                    " FROM generate_series(1, 4) AS n ON CONFLICT DO NOTHING"
                ),
                {"quarter": quarter.key, "at": world.NOW},
            )
        for number, week in enumerate(periods.within(YEAR, "week")):
            for person in range(60):
                at = week.start + timedelta(hours=6 + 2 * person)
                module = (10, 11, 20, 40)[(person + number) % 4]
                world.view_page(c, person, module, at, 600)


def run(dsn: str, objects: ObjectSettings, weeks: int, say: Callable[[str], None] = lambda _: None) -> Backfilled:
    """Release the year's first ``weeks`` weeks in order."""
    ws = world.workspace(dsn, objects)
    store = ObjectStore(objects)
    for bucket in (ws.settings.staging_bucket, ws.settings.exports_bucket):
        store.client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    store.client.put_bucket_versioning(Bucket="imp-exports", VersioningConfiguration={"Status": "Enabled"})
    began, cpu, slowest, releases = time.perf_counter(), time.process_time(), 0.0, 0
    for week in list(periods.within(YEAR, "week"))[:weeks]:
        one = time.perf_counter()
        releases += _release(dsn, ws, week)
        slowest = max(slowest, time.perf_counter() - one)
        say(f"{week.key}: {releases} releases")
    return Backfilled(
        weeks,
        releases,
        time.perf_counter() - began,
        time.process_time() - cpu,
        slowest,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _release(dsn: str, ws: world.Workspace, week: Period) -> int:
    now = week.end + timedelta(hours=54)
    with Database(dsn).transaction() as c:
        world.detect(c, now - timedelta(hours=3))
    return int(world.export(ws, week.key, week=week.key, now=now)["published"])


def measure(weeks: int = 53, say: Callable[[str], None] = lambda _: None) -> Backfilled:
    """Everything from nothing."""
    with bench_world.stores() as (server, objects), tempfile.TemporaryDirectory() as made:
        _create(server.dsn())
        dsn = server.dsn("backfill")
        prepare(dsn, Path(made))
        return run(dsn, objects, weeks, say)


def _create(dsn: str) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    with create_engine(dsn, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
        connection.execute(text("CREATE DATABASE backfill"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=YEAR.weeks)
    found = measure(parser.parse_args().weeks, say=lambda said: print(said, flush=True))
    print(
        f"{found.weeks} weeks, {found.releases} releases: {found.seconds:.0f} s, {found.processor:.0f} s of this"
        f" process's processor, slowest week {found.slowest:.1f} s, peak memory {found.peak_mib:.0f} MiB"
    )


if __name__ == "__main__":
    main()
