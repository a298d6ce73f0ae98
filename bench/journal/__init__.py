"""A second publisher for the measurement of erasure, of the shape for which its limits were set.

Eleven tables, 33 rows per person, events partitioned by week and clustered by person, every foreign key indexed. The
engine knows it by ``map.yaml`` alone. (The sandbox's publisher has 25 foreign keys to an account, each of which is
looked up for everybody who goes: there a script by hand is further from the floor than the limit allows.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from privacy_ops import settings as settings_of
from privacy_ops.datamap import grants, loader
from privacy_ops.datamap.model import DataMap
from privacy_ops.minors import detect, gates
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores import migrations, roles
from privacy_ops.workspace import Workspace

from bench import erasing, world
from bench.child import open_run
from bench.world import World
from sandbox import provision
from sandbox.postgres import PostgresServer

_HERE = Path(__file__).parent
EVENTS_PER_PERSON = 20
BY_HAND = erasing.Script(
    _HERE / "erase_by_hand.sql",
    "SELECT a.user_id FROM gov.minor_case AS c JOIN journal.account AS a ON a.user_id::text = c.subject_key[1]"
    " WHERE c.class = 'CONFIRMED_MINOR' AND c.state = 'RESTRICTED' AND c.judged_by_run = %s",
)


class Journal(World):
    """The publisher, empty or filled."""

    @cached_property
    def workspace(self) -> Workspace:
        given = Workspace.load(settings_of.from_environment(self.environment))
        data_map = _map()
        return Workspace(given.settings, given.thresholds, data_map, loader.sha256(data_map))

    def fill(self, people: int, *, minors: int) -> None:
        """Make up ``people``, of whom ``minors`` are under age."""
        self.people = people
        values = {":people": str(people), ":one_in": str(people // minors)}
        text = (_HERE / "fill.sql").read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(name, value)
        with self.connect() as connection:
            connection.execute(text.encode())

    def find(self) -> str:
        """Detect and restrict as a night does; returns the run."""
        run = open_run(self.workspace, self.next_run("minor_data_deletion"))
        gates.check_sources(self.workspace, run)
        gates.judge_detection(self.workspace, run, detect.detect_and_restrict(self.workspace, run))
        return run.run_id


def _map() -> DataMap:
    return loader.load(_HERE / "map.yaml")


def make(server: PostgresServer, object_settings: ObjectSettings, name: str) -> Journal:
    """An empty publisher in a database ``name``, with roles, rights and an evidence bucket of its own."""
    bucket = f"imp-evidence-{name}"
    world.make_evidence_bucket(object_settings, bucket)
    provision.create_database(server, name)
    dsn = server.dsn(name)
    journal = Journal(
        name, server, object_settings, world.environment_of(server, object_settings, name, bucket), world.now().date()
    )
    with journal.connect() as connection:
        connection.execute((_HERE / "schema.sql").read_text(encoding="utf-8").encode())
    migrations.upgrade(dsn)
    roles.apply(dsn, world.passwords_of(server))
    grants.apply(dsn, _map())
    return journal


@dataclass(frozen=True)
class Measured:
    """Processor seconds of three ways to erase the same people; ``people`` and ``rows`` that went."""

    ours: erasing.Erased
    by_hand: Sequence[float]
    floor: Sequence[float]
    people: int
    rows: int


def measure(journal: Journal, repeats: int) -> Measured:
    """Find the minors of a filled publisher; erase them three ways in turn, rolled back, and in the end our way."""
    journal.settle()
    run_id = journal.find()
    journal.settle()
    hand, floor, deleted = [], [], set()

    def others() -> None:
        for found, checks in ((hand, True), (floor, False)):
            seconds, rows = erasing.by_hand(journal, run_id, checks=checks, script=BY_HAND)
            found.append(seconds)
            deleted.add(rows)

    ours = erasing.erase(journal, run_id, repeats=repeats, between=others)
    assert deleted == {ours.rows}, f"the script deleted {deleted} rows, the plan {ours.rows}"
    return Measured(ours, hand, floor, ours.cases, ours.rows)
