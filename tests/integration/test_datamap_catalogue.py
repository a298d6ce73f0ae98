"""What the live catalogue says, asked of a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from privacy_ops.datamap import catalogue
from privacy_ops.datamap.catalogue import Catalogue, ForeignKey
from privacy_ops.stores.database import Database
from sqlalchemy import Connection

from sandbox import provision
from sandbox.postgres import PostgresServer


@pytest.fixture(scope="module")
def database(cluster: PostgresServer) -> Iterator[Database]:
    provision.create_database(cluster, "catalogue_test")
    yield Database(cluster.dsn("catalogue_test"))
    provision.drop_database(cluster, "catalogue_test")


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction that leaves nothing behind."""

    class Undo(Exception):
        pass

    with pytest.raises(Undo), database.transaction() as connection:  # noqa: PT012
        yield connection
        raise Undo


def read_after(connection: Connection, ddl: str) -> Catalogue:
    connection.exec_driver_sql(ddl)
    return catalogue.read(connection)


def test_tables_of_public_go_without_schema_others_with_it(connection: Connection) -> None:
    live = read_after(connection, "CREATE TABLE a (id int); CREATE SCHEMA s; CREATE TABLE s.a (id int)")
    assert sorted(live.tables) == ["a", "s.a"]


def test_gov_airflow_views_and_temporary_tables_are_left_out(connection: Connection) -> None:
    live = read_after(
        connection,
        "CREATE SCHEMA gov; CREATE TABLE gov.run (id int); CREATE SCHEMA airflow; CREATE TABLE airflow.dag (id int);"
        "CREATE TABLE mine (id int); CREATE VIEW seen AS SELECT * FROM mine; CREATE TEMP TABLE passing (id int)",
    )
    assert list(live.tables) == ["mine"]


def test_materialised_views_hold_copies_and_are_in(connection: Connection) -> None:
    live = read_after(
        connection, "CREATE TABLE mine (id int); CREATE MATERIALIZED VIEW copied AS SELECT id AS who FROM mine"
    )
    assert live.tables["copied"].kind == "materialised view"
    assert list(live.tables["copied"].columns) == ["who"]


def test_columns_keep_their_order_and_say_type_null_default_and_whether_they_can_be_written(
    connection: Connection,
) -> None:
    live = read_after(
        connection,
        "CREATE DOMAIN filled AS text NOT NULL; CREATE TABLE t (z varchar(9), a int NOT NULL DEFAULT 1, f filled,"
        " twice int GENERATED ALWAYS AS (a * 2) STORED, gone int); ALTER TABLE t DROP COLUMN gone",
    )
    columns = live.tables["t"].columns
    assert list(columns) == ["z", "a", "f", "twice"]
    assert (columns["z"].type, columns["z"].nullable, columns["z"].has_default) == ("character varying", True, False)
    assert (columns["a"].nullable, columns["a"].has_default) == (False, True)
    assert not columns["f"].nullable
    assert (columns["twice"].computed, columns["a"].computed) == (True, False)


def test_composite_foreign_key_keeps_its_pairs_and_its_actions(connection: Connection) -> None:
    live = read_after(
        connection,
        "CREATE SCHEMA s; CREATE TABLE s.p (a int, b text, PRIMARY KEY (a, b));"
        "CREATE TABLE c (x text, y int, CONSTRAINT k FOREIGN KEY (x, y) REFERENCES s.p (b, a)"
        " ON DELETE CASCADE ON UPDATE SET NULL)",
    )
    assert live.foreign_keys == (
        ForeignKey("k", "c", ("x", "y"), "s.p", ("b", "a"), on_delete="cascade", on_update="set null"),
    )


def test_self_reference_is_a_foreign_key_of_its_own_table(connection: Connection) -> None:
    live = read_after(connection, "CREATE TABLE c (id int PRIMARY KEY, answers int REFERENCES c)")
    (key,) = live.foreign_keys
    assert (key.table, key.to, key.on_delete) == ("c", "c", "no action")


PARTITIONED = """
CREATE TABLE who (id int PRIMARY KEY);
CREATE TABLE ev (at date NOT NULL, who int REFERENCES who, n int, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE ev_2 PARTITION OF ev FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY RANGE (at);
CREATE TABLE ev_2a PARTITION OF ev_2 DEFAULT;
"""


def test_partitions_of_any_depth_fold_into_their_root(connection: Connection) -> None:
    live = read_after(connection, PARTITIONED + "CREATE INDEX ev_who ON ev (who)")
    assert sorted(live.tables) == ["ev", "who"]
    assert live.tables["ev"].partitions == 2
    assert [(k.table, k.to) for k in live.foreign_keys] == [("ev", "who")]
    assert live.tables["ev"].primary_key == ("at",)
    assert live.tables["ev"].indexed(["who"])


def test_foreign_key_that_only_a_partition_has_counts_for_the_root(connection: Connection) -> None:
    live = read_after(connection, PARTITIONED + "ALTER TABLE ev_1 ADD FOREIGN KEY (n) REFERENCES who")
    assert sorted(k.columns for k in live.foreign_keys) == [("n",), ("who",)]
    assert {k.table for k in live.foreign_keys} == {"ev"}


def test_index_on_one_partition_does_not_serve_the_root(connection: Connection) -> None:
    live = read_after(connection, PARTITIONED + "CREATE INDEX ON ev_1 (who)")
    assert not live.tables["ev"].indexed(["who"])


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        ("(a)", True),
        ("(a, c)", True),
        ("USING hash (a)", True),
        ("(a) WHERE a IS NOT NULL", True),
        ("(c, a)", False),
        ("(a) WHERE c > 0", False),
        ("(abs(a))", False),
        ("USING brin (a)", False),
        ("(c) INCLUDE (a)", False),
    ],
)
def test_an_index_serves_a_key_when_it_leads_with_its_columns_and_leaves_no_row_out(
    connection: Connection, index: str, serves: bool
) -> None:
    ddl = index if index.startswith("USING") else f" {index}"
    live = read_after(connection, f"CREATE TABLE t (a int, b int, c int); CREATE INDEX ON t {ddl}")
    assert live.tables["t"].indexed(["a"]) is serves


def test_composite_key_may_be_indexed_in_any_order_but_not_by_half(connection: Connection) -> None:
    live = read_after(connection, "CREATE TABLE t (a int, b int, c int); CREATE INDEX ON t (b, a, c)")
    assert live.tables["t"].indexed(["a", "b"])
    assert not live.tables["t"].indexed(["a", "c"])


def test_only_whole_unique_indexes_make_a_key(connection: Connection) -> None:
    live = read_after(
        connection,
        "CREATE TABLE t (a int, b int, c int); CREATE UNIQUE INDEX ON t (a, b);"
        "CREATE UNIQUE INDEX ON t (c) WHERE c IS NOT NULL",
    )
    assert live.tables["t"].unique(["b", "a"])
    assert not live.tables["t"].unique(["a"])
    assert not live.tables["t"].unique(["c"])


def test_a_role_without_any_right_may_read_it(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE secret (id int); CREATE ROLE nobody_at_all; SET LOCAL ROLE nobody_at_all")
    assert list(catalogue.read(connection).tables) == ["secret"]
