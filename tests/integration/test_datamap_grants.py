"""What each duty can and cannot do in the publisher's tables: tried on the server with its own login."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from privacy_ops.datamap import grants, loader
from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import DataMapError, StoreRefused, UserError
from privacy_ops.settings import DUTIES
from privacy_ops.stores import migrations, roles
from privacy_ops.stores.database import Database, quote, quote_table
from sqlalchemy import text
from sqlalchemy.engine import make_url

from sandbox import provision
from sandbox.postgres import PostgresServer
from sandbox.publisher import schema
from tests.datamap_factories import DDL, a_map

IMP = loader.load(Path(__file__).parents[2] / "include" / "datamap" / "imp")
DATABASE = "grants_test"


class Undo(Exception):
    """Leaves a transaction without a trace."""


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    return {duty: secrets.token_hex(8) for duty in DUTIES}


@pytest.fixture(scope="module")
def owner(cluster: PostgresServer, passwords: dict[str, str]) -> Iterator[str]:
    """A publisher with every role and the grants of its map; superuser address."""
    provision.create_database(cluster, DATABASE)
    dsn = cluster.dsn(DATABASE)
    schema.create_schema(dsn)
    migrations.upgrade(dsn)
    roles.apply(dsn, passwords)
    grants.apply(dsn, IMP)
    yield dsn
    provision.drop_database(cluster, DATABASE)


@pytest.fixture
def login(owner: str, passwords: dict[str, str]):
    def database(duty: str) -> Database:
        url = make_url(owner).set(username=roles.role_name(duty), password=passwords[duty])
        return Database(url.render_as_string(hide_password=False), duty=duty)

    return database


def attempt(database: Database, sql: str) -> None:
    """Run one statement and undo it. Raises StoreRefused when the role may not."""
    with pytest.raises(Undo), database.transaction() as connection:  # noqa: PT012
        connection.execute(text(sql))
        raise Undo


def may(database: Database, sql: str) -> bool:
    try:
        attempt(database, sql)
    except StoreRefused:
        return False
    return True


def column_rights(owner: str, duty: str, right: str) -> set[tuple[str, str]]:
    """What the server says of a duty's role, whatever the schema: (table, column) on which it holds ``right``."""
    columns = [(name, column) for name, table in IMP.tables.items() for column in table.columns]
    question = text(
        "SELECT place FROM unnest(CAST(:t AS text[]), CAST(:c AS text[])) WITH ORDINALITY AS u (t, c, place)"
        " WHERE has_column_privilege(:role, CAST(t AS regclass), c, :r)"
    )
    asked = {"t": [quote_table(t) for t, _ in columns], "c": [c for _, c in columns]}
    with Database(owner).transaction(read_only=True) as connection:
        held = connection.execute(question, {**asked, "role": roles.role_name(duty), "r": right}).scalars()
        return {columns[place - 1] for place in held}


def table_rights(owner: str, duty: str, right: str) -> set[str]:
    """The same for whole tables."""
    question = text(
        "SELECT t FROM unnest(CAST(:t AS text[])) AS t WHERE has_table_privilege(:role, CAST(t AS regclass), :r)"
    )
    names = {quote_table(name): name for name in IMP.tables}
    with Database(owner).transaction(read_only=True) as connection:
        bound = {"t": list(names), "role": roles.role_name(duty), "r": right}
        return {names[quoted] for quoted in connection.execute(question, bound).scalars()}


PEOPLE = {name for name, table in IMP.tables.items() if table.about != "nobody"}
GOES = {name for name, table in IMP.tables.items() if table.erase == "DELETE"}


# Where people write as they like: a mention of a minor may be taken out.
TEXTS = {
    ("core.user_profile", "bio"),
    ("core.user_profile_history", "bio"),
    ("feedback.comment", "text"),
    ("learn.course_feedback", "text"),
    ("support.ticket", "subject"),
    ("support.ticket_message", "body"),
    # The authors of a published article: what an editor and a privacy lead may decide to take out.
    ("submissions.submission_author", "affiliation"),
    ("submissions.submission_author", "email"),
    ("submissions.submission_author", "name"),
    ("submissions.submission_author", "orcid"),
}


@pytest.mark.parametrize(
    ("duty", "right", "tables"),
    [
        ("detect", "INSERT", set()),
        ("detect", "DELETE", set()),
        ("erase", "INSERT", set()),
        ("erase", "DELETE", GOES),
        ("export", "INSERT", set()),
        ("export", "DELETE", set()),
        ("canary", "INSERT", PEOPLE),
        ("canary", "DELETE", set()),
        *((duty, "TRUNCATE", set()) for duty in DUTIES),
    ],
)
def test_whole_rows_are_written_and_deleted_only_where_the_duty_is(
    owner: str, duty: str, right: str, tables: set[str]
) -> None:
    assert table_rights(owner, duty, right) == tables


@pytest.mark.parametrize(
    ("duty", "columns"),
    [
        ("detect", {("core.user_account", "status"), ("submissions.submission_file", "scan_status")}),
        ("erase", {(name, column) for name, table in IMP.tables.items() for column in table.emptied()} | TEXTS),
        ("export", set()),
        ("canary", set()),
        ("inventory", set()),
        ("migrate", set()),
        ("console", set()),
        ("review", {("core.user_account", "status"), ("submissions.submission_file", "scan_status")}),
        ("evidence", set()),
        ("notify", set()),
    ],
)
def test_columns_are_changed_only_where_the_duty_is(owner: str, duty: str, columns: set[tuple[str, str]]) -> None:
    assert column_rights(owner, duty, "UPDATE") == columns


def test_the_inventory_reads_recipients_and_countries_but_nobody(owner: str, login) -> None:
    assert column_rights(owner, "inventory", "SELECT") == {
        ("commerce.payment_ref", "psp"),
        ("core.identity_link", "kind"),
        ("events.attendee", "conference_id"),
        ("events.badge_scan", "exhibitor_id"),
        ("events.conference", "country"),
        ("events.conference", "id"),
        ("events.exhibitor", "country"),
        ("events.exhibitor", "id"),
        ("learn.certificate", "course_id"),
        ("learn.course", "accreditation_body"),
        ("learn.course", "id"),
    }
    with pytest.raises(StoreRefused):
        attempt(login("inventory"), "SELECT badge_code FROM events.badge_scan LIMIT 1")


@pytest.mark.parametrize("duty", ["migrate", "console"])
def test_duties_without_a_need_read_nothing_of_the_publisher(owner: str, login, duty: str) -> None:
    assert column_rights(owner, duty, "SELECT") == set()
    with pytest.raises(StoreRefused):
        attempt(login(duty), "SELECT 1 FROM core.user_account LIMIT 1")


def test_detection_reads_births_and_mail_domains_but_neither_names_nor_pictures(login) -> None:
    database = login("detect")
    attempt(database, "SELECT user_id, dob_date, dob_raw, dob_source FROM core.user_profile")
    attempt(database, "UPDATE core.user_account SET status = 'restricted' WHERE user_id = gen_random_uuid()")
    for sql in (
        "SELECT given_name FROM core.user_profile",
        "SELECT * FROM core.user_profile",
        "SELECT email_raw FROM core.user_account",  # of the two addresses the one whose domain is a signal
        "SELECT telephone FROM core.user_profile",
        "SELECT photo_key FROM core.user_profile",
        "SELECT name FROM core.guardian_contact",
        "UPDATE core.user_account SET account_type = 'bot'",
        "DELETE FROM core.user_account",
        "SELECT url FROM web.page_view",
    ):
        assert not may(database, sql), sql


def test_erasure_deletes_people_but_changes_nothing_that_stays_beyond_its_columns(login) -> None:
    database = login("erase")
    attempt(database, "DELETE FROM web.page_view WHERE user_id = gen_random_uuid()")
    attempt(database, "UPDATE commerce.order_header SET bill_name = NULL, user_id = NULL WHERE order_id = 1")
    for sql in (
        "DELETE FROM commerce.order_header",
        "UPDATE commerce.order_header SET total = 0",
        "UPDATE core.user_account SET status = 'active'",
        "DELETE FROM learn.course",
        "SELECT title FROM learn.course",
        "INSERT INTO feedback.comment (context, at) VALUES ('x', now())",
        "TRUNCATE web.page_view",
    ):
        assert not may(database, sql), sql


def test_export_counts_events_but_sees_no_session_address_page_or_score(login) -> None:
    database = login("export")
    attempt(
        database,
        "SELECT v.module_id, count(DISTINCT a.user_id), sum(v.dwell_s) FROM web.page_view AS v"
        " JOIN core.user_account AS a ON a.user_id = v.user_id WHERE a.status <> 'restricted' GROUP BY 1",
    )
    attempt(
        database,
        "SELECT e.user_id, p.module_id, p.started_at FROM learn.module_progress AS p"
        " JOIN learn.enrolment AS e ON e.id = p.enrolment_id",
    )
    for sql in (
        "SELECT session_id FROM web.page_view",
        "SELECT url FROM web.page_view",
        "SELECT email_norm FROM core.user_account",
        "SELECT created_at FROM core.user_account",
        "SELECT region FROM learn.enrolment",
        "SELECT score FROM learn.assessment_attempt",
        "SELECT text FROM learn.course_feedback",
        "SELECT dob_date FROM core.user_profile",
        "UPDATE learn.module SET title = 'x'",
    ):
        assert not may(database, sql), sql


def test_canaries_are_planted_and_read_but_never_removed_by_their_own_duty(login) -> None:
    database = login("canary")
    attempt(database, "INSERT INTO web.search_query (q, at) VALUES ('canary', now())")
    for sql in ("DELETE FROM web.search_query", "UPDATE web.search_query SET q = ''", "SELECT 1 FROM learn.course"):
        assert not may(database, sql), sql


def test_a_partition_cannot_be_read_past_its_table(login) -> None:
    assert not may(login("erase"), "SELECT 1 FROM web.page_view_default")


def test_grants_follow_the_map_when_it_gets_narrower(owner: str, login) -> None:
    raw = IMP.model_dump(mode="json")
    raw["usage"] = None
    for table in raw["tables"].values():
        for column in table["columns"].values():
            column["aggregate"] = "never"
    try:
        grants.apply(owner, DataMap.model_validate(raw))
        assert column_rights(owner, "export", "SELECT") == set()
    finally:
        grants.apply(owner, IMP)
    assert ("web.page_view", "dwell_s") in column_rights(owner, "export", "SELECT")


def test_map_that_does_not_fit_changes_no_grant(owner: str, login) -> None:
    with pytest.raises(DataMapError, match="map check"):
        grants.apply(owner, a_map())
    assert may(login("export"), "SELECT dwell_s FROM web.page_view")


def test_absent_role_is_named(empty_database: str) -> None:
    with Database(empty_database).transaction() as connection:
        connection.exec_driver_sql(DDL)
    names = {duty: f"absent_{duty}" for duty in DUTIES}
    with pytest.raises(UserError, match="absent_detect"):
        grants.apply(empty_database, a_map(), names)


def test_small_database_without_schemas_gets_its_grants(owner: str, empty_database: str) -> None:
    with Database(empty_database).transaction() as connection:
        connection.exec_driver_sql(DDL)
    assert grants.apply(empty_database, a_map()) == len(grants.statements(a_map()))
    with Database(empty_database).transaction() as connection:
        connection.exec_driver_sql(f"SET LOCAL ROLE {quote('privacy_detect')}")
        assert connection.execute(text("SELECT count(born) FROM person")).scalar_one() == 0
