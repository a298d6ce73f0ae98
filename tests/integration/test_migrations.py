"""The gov schema goes up, down and up again, all or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from privacy_ops.errors import ConfigError, PrivacyOpsError, StoreRefused, StoreUnavailable
from privacy_ops.stores import migrations
from privacy_ops.stores.database import Database
from sqlalchemy import text

_TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'gov'"


def count_tables(dsn: str) -> int:
    with Database(dsn).transaction(read_only=True) as connection:
        return int(connection.execute(text(_TABLES)).scalar_one())


def test_up_down_and_up_again_ends_where_it_began(empty_database: str) -> None:
    assert migrations.current(empty_database) is None
    head = migrations.upgrade(empty_database)
    tables = count_tables(empty_database)
    assert head == migrations.current(empty_database)
    assert tables >= 7

    assert migrations.downgrade(empty_database, "base") == "base"
    assert count_tables(empty_database) == 1  # the version table itself

    assert migrations.upgrade(empty_database) == head
    assert count_tables(empty_database) == tables


def test_a_second_upgrade_changes_nothing(empty_database: str) -> None:
    head = migrations.upgrade(empty_database)
    tables = count_tables(empty_database)
    assert migrations.upgrade(empty_database) == head
    assert count_tables(empty_database) == tables


def test_a_failing_migration_leaves_nothing_behind(empty_database: str) -> None:
    with Database(empty_database).transaction() as connection:
        connection.execute(text("CREATE SCHEMA gov"))
        connection.execute(text("CREATE TABLE gov.suppression_entry (in_the_way int)"))
    with pytest.raises(PrivacyOpsError, match="42P07"):
        migrations.upgrade(empty_database)
    assert migrations.current(empty_database) is None
    assert count_tables(empty_database) == 1


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(empty_database: str) -> None:
    migrations.upgrade(empty_database)
    with Database(empty_database).transaction() as connection:
        connection.execute(text("UPDATE gov.schema_version SET version_num = '9999_future'"))
    with pytest.raises(ConfigError, match=r"9999_future.*run the version"):
        migrations.upgrade(empty_database)


def test_a_server_that_is_down_and_a_wrong_password_are_told_apart(empty_database: str) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        migrations.upgrade("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    user, _, rest = empty_database.partition("://")[2].partition(":")
    wrong = f"postgresql+psycopg://{user}:wrong@{rest.partition('@')[2]}"
    with pytest.raises(StoreRefused) as caught:
        migrations.upgrade(wrong)
    assert "wrong" not in str(caught.value).replace("wrong password", "")


def test_a_release_of_a_week_becomes_one_of_a_period(empty_database: str) -> None:
    """What was released before periods were known keeps its week, and closes when the week did in London."""
    migrations.upgrade(empty_database, "0012_base_period")
    with Database(empty_database).transaction() as connection:
        connection.execute(text("INSERT INTO gov.recipient VALUES ('a-b', 'author', 'A', 'GB', 'active')"))
        connection.execute(
            text("INSERT INTO gov.release_master VALUES ('1', '2026-W12', 'usage-1.x', true, '{}', 's', 'r', now())")
        )
        connection.execute(
            text(
                "INSERT INTO gov.release_register VALUES ('r1', 'EXP-AUTHOR', 'a-b', '2026-W12', now(), now(),"
                " 'usage-1.x', now(), now(), 'r', 'c', 't', 'm', 'p/', '[]', 's', 1, 0, '[]', 1, '{}')"
            )
        )
    migrations.upgrade(empty_database)
    with Database(empty_database).transaction() as connection:
        kept = connection.execute(text("SELECT period_key, ends_at FROM gov.release_master")).one()
        released = connection.execute(text("SELECT period_key, iso_week, utility FROM gov.release_register")).one()
        with pytest.raises(PrivacyOpsError), Database(empty_database).transaction() as other:
            other.execute(text("UPDATE gov.release_register SET n_rows = 2"))
    assert kept == ("2026-W12", datetime(2026, 3, 23, tzinfo=UTC))
    assert released == ("2026-W12", "2026-W12", {})
