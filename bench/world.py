"""A publisher of its own for measurements: PostgreSQL and an S3 endpoint in a temporary folder, gone afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from privacy_ops import settings as settings_of
from privacy_ops.settings import DUTIES, KEY_PURPOSES, ObjectSettings
from privacy_ops.workspace import Workspace

from bench.processor import Meter
from sandbox import objects, provision
from sandbox.postgres import PostgresServer, free_port
from sandbox.processes import Processes
from sandbox.publisher.database import Connection, connect
from sandbox.publisher.objects import client, create_buckets
from sandbox.publisher.truth import create_truth
from sandbox.state import PROJECT, new_signing_key

SEED = 20180525
# Adults whom nothing speaks against and whose age stands in one place only become minors of any age from 14 to 17. They
# are spread over the feeds: one that says of every tenth of its people that they are minors is taken for broken.
_MAKE_MINORS = """
WITH chosen AS (
    SELECT a.user_id, row_number() OVER () AS n
    FROM core.user_account AS a
    JOIN core.user_profile AS p USING (user_id)
    WHERE a.status = 'active' AND a.account_type = 'member' AND p.professional_reg_no IS NULL
      AND p.dob_date < %(adult)s
      AND NOT EXISTS (SELECT FROM core.user_profile_history AS h WHERE h.user_id = a.user_id)
      AND NOT EXISTS (SELECT FROM events.attendee AS t WHERE t.user_id = a.user_id)
      AND NOT EXISTS (SELECT FROM submissions.submission AS s WHERE s.corresponding_user_id = a.user_id)
    ORDER BY percent_rank() OVER (PARTITION BY p.dob_source ORDER BY hashtext(a.user_id::text)) LIMIT %(people)s
)
UPDATE core.user_profile AS p
SET dob_date = %(anchor)s - 5150 - CAST(c.n * 7 %% 1300 AS integer), dob_raw = NULL, updated_at = %(anchor)s
FROM chosen AS c WHERE p.user_id = c.user_id
"""


@dataclass
class World:
    """One filled publisher. ``anchor`` is its present day."""

    name: str
    server: PostgresServer
    object_settings: ObjectSettings
    environment: Mapping[str, str]
    anchor: date
    people: int = 0
    _number: int = field(default=0, repr=False)

    @property
    def dsn(self) -> str:
        """The superuser's address of the publisher."""
        return self.server.dsn(self.name)

    @property
    def truth_dsn(self) -> str:
        return self.server.dsn(f"{self.name}_truth")

    @cached_property
    def workspace(self) -> Workspace:
        return Workspace.load(settings_of.from_environment(self.environment))

    @property
    def meter(self) -> Meter:
        """Processor time of this process and of the publisher's server."""
        postmaster = self.server.pid()
        assert postmaster is not None, "the server runs"
        return Meter(postmaster)

    def connect(self) -> Any:
        """A superuser's transaction."""
        return connect(self.dsn)

    def next_run(self, dag_id: str) -> str:
        self._number += 1
        return f"{dag_id}/bench-{self._number}"

    def child(self, what: str, **arguments: object) -> dict[str, Any]:
        """Run one step of ``bench.child`` in a process of its own; its answer holds seconds and peak memory."""
        given = {
            "dsn": self.dsn,
            "truth_dsn": self.truth_dsn,
            "anchor": self.anchor.isoformat(),
            **arguments,
        }
        path = os.pathsep.join(filter(None, [str(PROJECT), str(PROJECT / "plugins"), os.environ.get("PYTHONPATH", "")]))
        done = subprocess.run(
            [sys.executable, "-m", "bench.child", what],
            input=json.dumps(given),
            env={**os.environ, **self.environment, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    def generate(self, people: int, events: int, *, with_objects: bool = False, seed: int = SEED) -> dict[str, Any]:
        """Fill the publisher in a child process."""
        self.people = people
        return self.child(
            "generate", people=people, seed=seed, events_per_person=events / people, with_objects=with_objects
        )

    def make_minors(self, people: int) -> int:
        """Turn so many ordinary adults into minors by their stated birth date; returns how many."""
        with self.connect() as connection:
            adult = date(self.anchor.year - 25, 1, 1)
            values = {"people": people, "anchor": self.anchor, "adult": adult}
            return int(connection.execute(_MAKE_MINORS, values).rowcount)

    def settle(self) -> None:
        """Nothing left to write or to clean up: what is measured next pays for itself alone."""
        with self.connect() as connection:
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def checkpoint(self) -> None:
        """What is written next is written into the log whole, page by page, as on any night, and nothing is left of
        what a turn took back: no measurement profits from the one before it, or pays for it."""
        with self.connect() as connection:
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM")
            connection.execute("CHECKPOINT")

    def detect(self) -> dict[str, Any]:
        """Open a deletion run and detect in it, in a child process; the answer names the run."""
        run_id = self.next_run("minor_data_deletion")
        return {**self.child("detect", run_id=run_id), "run_id": run_id}


@contextmanager
def stores(folder: Path | None = None) -> Iterator[tuple[PostgresServer, ObjectSettings]]:
    """An embedded PostgreSQL and an S3 endpoint below ``folder`` (default: a temporary one), removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="privacy-ops-bench-", dir=folder))
    home.chmod(0o755)  # the server runs as another user when we are root
    server = PostgresServer(home / "postgres", free_port(), secrets.token_hex(16))
    processes = Processes(home)
    try:
        server.start()
        port = free_port()
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "plugins")])}
        objects.start(processes, port, environ)
        yield server, objects.settings(port, "bench")
    finally:
        processes.stop_all(spare=server.pid())
        server.remove()
        processes.stop_all()
        shutil.rmtree(home, ignore_errors=True)


def make(
    server: PostgresServer,
    object_settings: ObjectSettings,
    name: str,
    anchor: date,
    *,
    evidence_bucket: str = "imp-evidence",
) -> World:
    """An empty publisher called ``name``: schema, gov, roles, grants, truth, and an evidence bucket of its own."""
    if evidence_bucket != "imp-evidence":
        make_evidence_bucket(object_settings, evidence_bucket)
    for database in (name, f"{name}_truth"):
        provision.create_database(server, database)
    provision.create_publisher(server, name, passwords_of(server))
    create_truth(server.dsn(f"{name}_truth"))
    return World(name, server, object_settings, environment_of(server, object_settings, name, evidence_bucket), anchor)


def passwords_of(server: PostgresServer) -> dict[str, str]:
    """By duty. Roles belong to the server: several publishers on it share their passwords."""
    return {duty: hashlib.sha256(f"{server.password} {duty}".encode()).hexdigest() for duty in DUTIES}


def environment_of(
    server: PostgresServer, object_settings: ObjectSettings, name: str, evidence_bucket: str
) -> dict[str, str]:
    """What a process of the publisher in the database ``name`` is started with."""
    passwords = passwords_of(server)
    key = server.directory.parent / f"{name}.pem"
    key.write_text(new_signing_key(), encoding="utf-8")
    ring = {p: {"current": "k1", "keys": {"k1": secrets.token_hex(32)}} for p in KEY_PURPOSES}
    return {
        "PRIVACY_OPS_HOME": str(PROJECT),
        "PRIVACY_OPS_HMAC_KEYS": json.dumps(ring),
        "PRIVACY_OPS_SIGNING_KEY_FILE": str(key),
        "PRIVACY_OPS_S3_ENDPOINT": object_settings.endpoint_url or "",
        "PRIVACY_OPS_S3_ACCESS_KEY": object_settings.access_key or "",
        "PRIVACY_OPS_S3_SECRET_KEY": object_settings.secret_key or "",
        "PRIVACY_OPS_S3_REGION": object_settings.region,
        "PRIVACY_OPS_EVIDENCE_BUCKET": evidence_bucket,
        **{f"PRIVACY_OPS_DSN_{d.upper()}": server.dsn(name, f"privacy_{d}", passwords[d]) for d in DUTIES},
    }


def fresh_buckets(object_settings: ObjectSettings) -> None:
    """Every bucket, empty: evidence of one publisher must not meet the ledger of another."""
    import urllib.request

    address = f"{object_settings.endpoint_url}/moto-api/reset"
    with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=60):  # ruff: ignore[S310]
        pass
    create_buckets(object_settings)


def make_evidence_bucket(object_settings: ObjectSettings, name: str) -> None:
    """A bucket with object lock, as the ledger's copies need it."""
    client(object_settings).create_bucket(
        Bucket=name,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-2"},
    )


def now() -> datetime:
    return datetime.now(UTC)


def number(connection: Connection, statement: str, *values: object) -> int:
    """The one number that a query gives."""
    row = connection.execute(statement.encode(), values or None).fetchone()
    return int(row[0] or 0) if row else 0
