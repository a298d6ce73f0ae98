"""Each disagreement between map and database, provoked one by one on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from privacy_ops.datamap import catalogue, loader, scaffold
from privacy_ops.datamap.check import Problem, blocking, check
from privacy_ops.datamap.model import DataMap
from privacy_ops.stores.database import Database
from sqlalchemy import Connection

from sandbox import provision
from sandbox.postgres import PostgresServer
from sandbox.publisher import objects as publisher_objects
from sandbox.publisher import schema
from tests.datamap_factories import BUCKETS, DDL, raw_map

PROJECT = Path(__file__).parents[2]
SMALLPRESS = PROJECT / "sandbox" / "publisher" / "smallpress_schema" / "10_tables.sql"


class Undo(Exception):
    """Leaves a transaction without a trace."""


@pytest.fixture(scope="module")
def tiny(cluster: PostgresServer) -> Iterator[Database]:
    provision.create_database(cluster, "check_tiny")
    database = Database(cluster.dsn("check_tiny"))
    with database.transaction() as connection:
        connection.exec_driver_sql(DDL)
    yield database
    provision.drop_database(cluster, "check_tiny")


@pytest.fixture
def connection(tiny: Database) -> Iterator[Connection]:
    with pytest.raises(Undo), tiny.transaction() as connection:  # noqa: PT012
        yield connection
        raise Undo


def problems(
    connection: Connection, ddl: str = "", change: Callable[[dict[str, Any]], object] | None = None, **kwargs: Any
) -> tuple[Problem, ...]:
    if ddl:
        connection.exec_driver_sql(ddl)
    raw = raw_map()
    if change:
        change(raw)
    return check(DataMap.model_validate(raw), catalogue.read(connection), **kwargs)


def found(result: tuple[Problem, ...]) -> set[tuple[str, str]]:
    return {(problem.code, problem.where) for problem in result}


def test_map_that_fits_has_no_problem(connection: Connection) -> None:
    assert problems(connection, buckets=BUCKETS) == ()


IN_THE_DATABASE = [
    ("CREATE TABLE extra (id int PRIMARY KEY)", "MAP-UNKNOWN-TABLE", "extra"),
    ("CREATE MATERIALIZED VIEW extra AS SELECT mail FROM person", "MAP-UNKNOWN-TABLE", "extra"),
    ("ALTER TABLE person ADD nickname text", "MAP-UNKNOWN-COLUMN", "person.nickname"),
    ("ALTER TABLE view_of_chapter ADD browser text", "MAP-UNKNOWN-COLUMN", "view_of_chapter.browser"),
    ("DROP TABLE letter", "MAP-MISSING-TABLE", "letter"),
    ("ALTER TABLE note DROP COLUMN words", "MAP-MISSING-COLUMN", "note.words"),
    ("DROP INDEX note_person", "MAP-FK-NOT-INDEXED", "note(person_id) → person"),
    ("DROP INDEX receipt_person", "MAP-FK-NOT-INDEXED", "receipt(person_id) → person"),
    ("DROP INDEX view_person", "MAP-FK-NOT-INDEXED", "view_of_chapter(person_id) → person"),
    (
        "ALTER TABLE author ADD FOREIGN KEY (id) REFERENCES person (id)",
        "MAP-FK-LEFT-BEHIND",
        "author(id) → person",
    ),
    (
        "ALTER TABLE note DROP CONSTRAINT note_answers_fkey,"
        " ADD FOREIGN KEY (answers) REFERENCES note (id) ON DELETE CASCADE",
        "MAP-FK-CASCADES",
        "note(answers) → note",
    ),
    ("ALTER TABLE letter DROP CONSTRAINT letter_pkey", "MAP-KEY-NOT-UNIQUE", "letter(mail)"),
    ("ALTER TABLE receipt ALTER payer SET NOT NULL", "MAP-NOT-NULLABLE", "receipt.payer"),
    ("ALTER TABLE note ALTER person_id DROP NOT NULL", "MAP-LINK-NULLABLE", "note(person_id) → person"),
    ("ALTER TABLE letter ALTER mail TYPE uuid USING gen_random_uuid()", "MAP-LINK-TYPES", "letter(mail) → person"),
    ("ALTER TABLE person ALTER born TYPE text", "MAP-EVIDENCE", "person.born"),
    ("ALTER TABLE note ALTER facts TYPE text", "MAP-EVIDENCE", "note.facts"),
]


@pytest.mark.parametrize(
    ("ddl", "code", "where"), IN_THE_DATABASE, ids=[f"{c}: {d[:40]}" for d, c, _ in IN_THE_DATABASE]
)
def test_change_of_the_database_is_one_named_problem(connection: Connection, ddl: str, code: str, where: str) -> None:
    assert found(problems(connection, ddl)) == {(code, where)}


def put(*path: str, **values: object) -> Callable[[dict[str, Any]], None]:
    """A change that sets keys below ``path``; None removes."""

    def change(raw: dict[str, Any]) -> None:
        here = raw
        for part in path:
            here = here[part]
        for key, value in values.items():
            if value is None:
                del here[key]
            else:
                here[key] = value

    return change


NOTE, PERSON, RECEIPT = ("tables", "note"), ("tables", "person"), ("tables", "receipt")
IN_THE_MAP = [
    (put(*NOTE, "columns", "words", category="user.gossip"), "MAP-NO-CATEGORY", "note.words"),
    (put(*NOTE, "columns", "words", purpose=[]), "MAP-NO-PURPOSE", "note.words"),
    (put(*NOTE, "columns", "words", erase="KEEP_ANON"), None, ""),  # said on purpose
    (put("tables", "form", "columns", "title", category="user.name"), "MAP-NOBODY", "form.title"),
    (put(*RECEIPT, "columns", "payer", erase="RETAIN_MIN"), "MAP-IDENTIFIER-STAYS", "receipt.payer"),
    (put(*NOTE, "columns", "answers", erase=None), "MAP-FK-LEFT-BEHIND", "note(answers) → note"),
    (put(*PERSON, "columns", "staff", aggregate="never"), "MAP-AGGREGATE", "person.staff"),
    (put("tables", "view_of_chapter", "columns", "seconds", aggregate="filter"), "MAP-AGGREGATE",
     "view_of_chapter.seconds"),
    (put(*PERSON, "columns", "mail", aggregate="feed"), "MAP-AGGREGATE", "person.mail"),
    (put(*PERSON, "columns", "born", "evidence", source="nothing"), "MAP-EVIDENCE", "person.born"),
    (put(*NOTE, note="DECIDE: keep?"), "MAP-DECIDE", "note"),
    (put(*NOTE, "columns", "words", note="DECIDE: keep?"), "MAP-DECIDE", "note.words"),
    (put(*NOTE, retention="DECIDE"), "MAP-DECIDE", "note"),
    (put("location", country="ZZ"), "MAP-DECIDE", "location"),
    (put("location", region=" "), "MAP-NO-REGION", "location"),
    (put("objects", "uploads", region=""), "MAP-NO-REGION", "objects.uploads"),
    (put("objects", "uploads", purpose=None), "MAP-NO-PURPOSE", "objects.uploads"),
    (put("objects", "uploads", retention=None), "MAP-NO-RETENTION", "objects.uploads"),
    (put("objects", "uploads", erase="KEEP"), "MAP-NO-ERASE", "objects.uploads"),
    (put("objects", "uploads", category="user.gossip"), "MAP-NO-CATEGORY", "objects.uploads"),
    (put("objects", "uploads", person_key=None), "MAP-NO-WAY", "objects.uploads"),
    (put("objects", "uploads", person_key="uploads/"), "MAP-NO-WAY", "objects.uploads"),
    (put("objects", "uploads", person_key="uploads/{ghost}/"), "MAP-NO-WAY", "objects.uploads"),
    (put("objects", "uploads", person_key="uploads/{id}"), "MAP-NO-WAY", "objects.uploads"),
    (put("objects", "uploads", bucket="tiny-elsewhere"), "MAP-MISSING-BUCKET", "objects.uploads"),
    (put("restriction", key=["id", "state"]), "MAP-NO-RESTRICTION", "person"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "where"), IN_THE_MAP, ids=[f"{n} {c}" for n, (_, c, _w) in enumerate(IN_THE_MAP)]
)
def test_change_of_the_map_is_one_named_problem(
    connection: Connection, change: Callable[[dict[str, Any]], None], code: str | None, where: str
) -> None:
    buckets = (*BUCKETS, "tiny-elsewhere") if code != "MAP-MISSING-BUCKET" else BUCKETS
    result = problems(connection, change=change, buckets=buckets)
    expected = {(code, where)} if code else set()
    assert {p for p in found(result) if p[0] != "MAP-UNKNOWN-BUCKET"} == expected


def test_personal_table_without_retention_or_erase_action_names_each_column(connection: Connection) -> None:
    result = problems(connection, change=put("tables", "view_of_chapter", retention=None, erase=None))
    columns = {"person_id", "chapter", "at", "seconds"}
    assert found(result) >= {("MAP-NO-RETENTION", f"view_of_chapter.{c}") for c in columns}
    assert found(result) >= {("MAP-NO-ERASE", f"view_of_chapter.{c}") for c in columns}


def test_object_that_goes_while_the_row_that_names_it_stays(connection: Connection) -> None:
    result = problems(connection, change=put("tables", "author", "columns", "name", object="pictures"))
    assert ("MAP-NO-ERASE", "author.name") in found(result)


def test_links_that_end_nowhere(connection: Connection) -> None:
    result = problems(connection, change=put(*NOTE, link={"to": "form", "columns": ["id"]}))
    assert ("MAP-NO-WAY", "note") in found(result)


def test_always_filled_link_to_what_is_not_unique(connection: Connection) -> None:
    result = problems(
        connection, "ALTER TABLE person DROP CONSTRAINT person_mail_key",
        put("tables", "letter", "link", optional=False),
    )  # fmt: skip
    assert found(result) == {("MAP-LINK-NOT-UNIQUE", "letter(mail) → person")}


def test_restriction_column_that_is_gone_stops_everything(connection: Connection) -> None:
    result = problems(connection, "ALTER TABLE person DROP COLUMN state")
    (problem,) = (p for p in result if p.code == "MAP-NO-RESTRICTION")
    assert problem.blocks == {"erasure", "certificates", "exports"}


def test_unknown_table_that_leans_on_people_also_blocks_erasure(connection: Connection) -> None:
    result = problems(
        connection,
        "CREATE TABLE lone (id int); CREATE TABLE leaning (id int REFERENCES person);",
    )
    assert [p.where for p in blocking(result, "erasure")] == ["leaning"]
    assert {p.where for p in blocking(result, "exports")} == {"lone", "leaning"}


def test_new_partition_is_no_news(connection: Connection) -> None:
    ddl = "CREATE TABLE view_next PARTITION OF view_of_chapter FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')"
    assert problems(connection, ddl) == ()


def test_cascade_along_the_tables_own_link_is_no_problem(connection: Connection) -> None:
    ddl = (
        "ALTER TABLE note DROP CONSTRAINT note_person_id_fkey,"
        " ADD FOREIGN KEY (person_id) REFERENCES person (id) ON DELETE CASCADE"
    )
    assert problems(connection, ddl) == ()


def test_unknown_bucket_is_found_and_blocks_nothing(connection: Connection) -> None:
    (problem,) = problems(connection, buckets=(*BUCKETS, "tiny-forgotten"))
    assert (problem.code, problem.where, problem.blocks) == ("MAP-UNKNOWN-BUCKET", "tiny-forgotten", frozenset())


def test_every_problem_says_what_to_do(connection: Connection) -> None:
    connection.exec_driver_sql("DROP TABLE letter; DROP INDEX note_person; ALTER TABLE person ADD x int")
    result = problems(connection, buckets=())
    assert len({p.code for p in result}) == 4
    for problem in result:
        assert problem.code.startswith("MAP-")
        assert problem.what
        assert problem.do


# --- whole databases ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def publisher(cluster: PostgresServer) -> Iterator[Database]:
    provision.create_database(cluster, "check_publisher")
    schema.create_schema(cluster.dsn("check_publisher"))
    yield Database(cluster.dsn("check_publisher"))
    provision.drop_database(cluster, "check_publisher")


@pytest.fixture(scope="module")
def smallpress(cluster: PostgresServer) -> Iterator[Database]:
    provision.create_database(cluster, "check_smallpress")
    database = Database(cluster.dsn("check_smallpress"))
    with database.transaction() as connection:
        connection.exec_driver_sql(SMALLPRESS.read_text(encoding="utf-8"))
    yield database
    provision.drop_database(cluster, "check_smallpress")


def live(database: Database) -> catalogue.Catalogue:
    with database.transaction(read_only=True) as connection:
        return catalogue.read(connection)


def test_publishers_map_fits_its_database_and_only_the_planted_buckets_are_unknown(publisher: Database) -> None:
    data_map = loader.load(PROJECT / "include" / "datamap" / "imp")
    result = check(data_map, live(publisher), [bucket.name for bucket in publisher_objects.BUCKETS])
    planted = {bucket.name for bucket in publisher_objects.BUCKETS if bucket.planted}
    assert found(result) == {("MAP-UNKNOWN-BUCKET", name) for name in planted}


def test_declared_stores_are_as_the_publisher_made_them() -> None:
    data_map = loader.load(PROJECT / "include" / "datamap" / "imp")
    made = {bucket.name: bucket for bucket in publisher_objects.BUCKETS}
    for entry in data_map.objects.values():
        bucket = made[entry.bucket]
        assert (entry.region, entry.versioned, entry.locked) == (bucket.region, bucket.versioned, bucket.locked)


def test_small_presss_map_fits_its_database(smallpress: Database) -> None:
    assert check(loader.load(PROJECT / "include" / "datamap" / "smallpress.yaml"), live(smallpress)) == ()


@pytest.mark.parametrize(
    ("name", "subject", "births"),
    [
        ("publisher", "core.user_account", {"core.user_profile", "core.user_profile_history", "events.attendee"}),
        ("smallpress", "reader", {"reader"}),
    ],
)
def test_draft_of_an_unseen_database_finds_its_people_and_leaves_only_decisions(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, subject: str, births: set[str]
) -> None:
    seen = live(request.getfixturevalue(name))
    path = tmp_path / "draft.yaml"
    path.write_text(scaffold.to_yaml(scaffold.draft(seen, key=name, name=name)), encoding="utf-8")
    draft = loader.load(path)
    assert {problem.code for problem in check(draft, seen)} == {"MAP-DECIDE"}
    assert draft.subject.table == subject
    evidence = {
        t for t, e in draft.tables.items() for c in e.columns.values() if c.evidence and c.evidence.signal == "SIG-01"
    }
    assert evidence == births


@pytest.mark.parametrize(("name", "path"), [("publisher", "imp"), ("smallpress", "smallpress.yaml")])
def test_draft_sees_as_people_s_every_table_that_the_finished_map_does(
    request: pytest.FixtureRequest, name: str, path: str
) -> None:
    finished = loader.load(PROJECT / "include" / "datamap" / path)
    draft = scaffold.draft(live(request.getfixturevalue(name)), key=name, name=name)
    missed = {t for t, e in finished.tables.items() if e.about == "subject" and draft.tables[t].about != "subject"}
    assert missed == set()
