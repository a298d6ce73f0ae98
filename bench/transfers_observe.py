"""Ten million accesses by country of origin: grouped in the database, each network looked up once, memory flat.

python -m bench.transfers_observe [--rows 10000000] [--addresses 500000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from privacy_ops.settings import home_directory
from privacy_ops.stores.database import Database
from privacy_ops.transfers import inventory
from privacy_ops.transfers.geoip import GeoDatabase
from privacy_ops.transfers.observers.access import AccessGeoObserver, AccessLogObserver
from sqlalchemy import text

from bench.processor import peak_mib
from bench.world import passwords_of
from sandbox import provision
from sandbox.postgres import PostgresServer
from sandbox.publisher import geoip

ROWS, ADDRESSES = 10_000_000, 500_000
NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
_DATABASE = "bench_accesses"
_PEOPLE = 50
# One statement beside which ours is measured: the very grouping, and nothing looked up.
_FLOOR = "SELECT count(*) FROM (SELECT l.ip, l.actor FROM gov.access_log AS l GROUP BY l.ip, l.actor) AS g"


@dataclass(frozen=True)
class Looked:
    """What one look at the log took, in a process of its own."""

    rows: int
    seconds: float
    cpu: float
    peak_mib: float
    networks: int
    accesses: int


@dataclass(frozen=True)
class Found:
    """A tenth of the log, the whole log, and the bare grouping of the whole log."""

    small: Looked
    large: Looked
    floor: float
    addresses: int


def measure(server: PostgresServer, *, rows: int = ROWS, addresses: int = ADDRESSES) -> Found:
    """Fill a publisher's access log and look at a tenth of it and at all of it."""
    provision.create_database(server, _DATABASE)
    try:
        passwords = passwords_of(server)  # they belong to the server: its other publishers keep theirs
        provision.create_publisher(server, _DATABASE, passwords)
        dsn = server.dsn(_DATABASE)
        login = server.dsn(_DATABASE, "privacy_inventory", passwords["inventory"])
        with tempfile.TemporaryDirectory(prefix="privacy-ops-geoip-") as folder:
            path = geoip.write(Path(folder) / "made-up.mmdb", NOW)
            _fill(dsn, 0, rows // 10, addresses)
            small = _look(login, path)
            _fill(dsn, rows // 10, rows, addresses)
            large = _look(login, path)
        began = time.perf_counter()
        with Database(dsn).transaction(read_only=True) as connection:
            connection.execute(text(_FLOOR)).one()
        floor = time.perf_counter() - began
    finally:
        provision.drop_database(server, _DATABASE)
    return Found(small, large, floor, addresses)


def _fill(dsn: str, first: int, last: int, addresses: int) -> None:
    """Accesses of made-up people from addresses all over the made-up networks."""
    with Database(dsn).transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO gov.staff SELECT 'P' || n, CASE WHEN n % 3 = 0 THEN 'employee' ELSE 'contractor' END,"
                " CASE WHEN n % 3 = 0 THEN 'imp_staff' ELSE 'sahyadri' END, 'GB', NULL"
                f" FROM generate_series(0, {_PEOPLE - 1}) AS n ON CONFLICT DO NOTHING"
            )
        )
        connection.execute(
            text(
                "INSERT INTO gov.access_log (actor, at, ip, country) SELECT 'P' || n % :people,"
                " CAST(:now AS timestamptz) - (n % 2500000) * interval '1 second',"
                " inet '100.64.0.0' + (n * 7919 % :addresses) * :stride, CASE WHEN n % 2 = 0 THEN 'GB' END"
                " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint) - 1) AS n"
            ),
            {
                "people": _PEOPLE, "now": NOW, "addresses": addresses, "first": first, "last": last,
                "stride": max(1, (len(geoip.networks()) << 14) // addresses),
            },
        )  # fmt: skip
    with Database(dsn).transaction() as connection:
        connection.execute(text("ANALYZE gov.access_log"))


def _look(dsn: str, path: Path) -> Looked:
    done = subprocess.run(
        [sys.executable, "-m", "bench.transfers_observe", "--child"],
        input=json.dumps({"dsn": dsn, "geoip": str(path)}),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return Looked(**json.loads(done.stdout.splitlines()[-1]))


def _child(given: dict[str, Any]) -> dict[str, Any]:
    """Both observers of the log, as the inventory's role."""
    tables = inventory.load_reference(home_directory() / "include")
    declared = inventory.load_registry(home_directory() / "include", tables)
    database = Database(given["dsn"], duty="inventory")
    geo = GeoDatabase.open(Path(given["geoip"]), tables, now=NOW, max_age_days=30)
    window = {"as_of": NOW.replace(hour=6), "window_days": 60}
    began, used = time.perf_counter(), time.process_time()
    observer = AccessGeoObserver(database, declared, tables, "GB", geo=geo, **window)
    said = AccessLogObserver(database, declared, tables, "GB", **window)  # type: ignore[arg-type]
    assert observer.observe().looked, "the access log was not looked at"
    assert said.observe().looked, "the countries of the access log were not looked at"
    accesses = sum(observer.counts.values())
    return {
        "rows": accesses,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "peak_mib": peak_mib(),
        "networks": observer.networks,
        "accesses": accesses,
    }


def lines(found: Found) -> list[tuple[str, str]]:
    """What the report says."""
    small, large = found.small, found.large
    return [
        (
            f"access log by country, {large.rows:,} accesses from {found.addresses:,} addresses",
            f"{large.seconds:.1f} s ({large.cpu:.1f} s of our processor, the rest in the database);"
            f" {large.networks:,} networks looked up; the bare grouping {found.floor:.1f} s",
        ),
        (
            f"the same for a tenth, {small.rows:,} accesses",
            f"{small.seconds:.1f} s; peak memory {small.peak_mib:.0f} MiB beside {large.peak_mib:.0f} MiB",
        ),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.transfers_observe", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--addresses", type=int, default=ADDRESSES)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(_child(json.load(sys.stdin))))
        return 0
    from bench import world

    with world.stores() as (server, _):
        for what, measured in lines(measure(server, rows=given.rows, addresses=given.addresses)):
            print(f"{what}: {measured}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
