"""The fixtures that other tests stand on: filled, separate from each other, and open to every duty."""

from __future__ import annotations

import pytest
from privacy_ops.settings import DUTIES, Settings
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.conftest import SMALL, Sandbox


def _count(dsn: str, table: str) -> int:
    with create_engine(dsn, poolclass=NullPool).begin() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_filled_publisher_of_its_own(publisher: Sandbox, turn: int) -> None:
    assert _count(publisher.dsn, "core.user_account") >= SMALL
    assert _count(publisher.truth_dsn, "truth.planted_subject") > 0
    assert _count(publisher.dsn, "gov.run") == 0
    store = ObjectStore(publisher.settings.objects)
    assert sum(1 for _ in store.versions("imp-profile-photos")) > 0
    with create_engine(publisher.dsn, poolclass=NullPool).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO gov.run (run_id, dag_id, as_of, run_type, dry_run, note, code_version,"
                " thresholds_sha256, map_sha256, tzdata_version)"
                " VALUES ('a/b', 'a', now(), 'manual', true, '', '', '', '', '')"
            )
        )


def test_every_duty_gets_into_the_empty_publisher_that_has_nobody(settings: Settings) -> None:
    for duty in DUTIES:
        with Database.for_duty(settings, duty).transaction() as connection:
            assert connection.execute(text("SELECT current_user")).scalar_one() == f"privacy_{duty}"
    assert set(ObjectStore(settings.objects).buckets()) > {"imp-evidence", "imp-exports"}
    with Database.for_duty(settings, "detect").transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM core.user_account")).scalar_one() == 0
