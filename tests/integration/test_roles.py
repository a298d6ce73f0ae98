"""What each duty can do in gov, and what it cannot: the whole matrix, asked of the server and tried on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from privacy_ops.errors import ConfigError, PrivacyOpsError, StoreRefused
from privacy_ops.settings import DUTIES
from privacy_ops.stores import migrations, roles
from privacy_ops.stores.database import Database
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer

PASSWORDS = {duty: f"pässword 'of' {duty}" for duty in DUTIES}
JOBS = {"detect", "erase", "export", "inventory", "canary"}

# (table, right) → duties that hold it. What is not named here, nobody but the owner holds.
ALLOWED = {
    ("gov.run", "SELECT"): JOBS | {"console", "review", "notify", "operate"},
    ("gov.run", "INSERT"): JOBS | {"review", "operate"},
    ("gov.gate_result", "SELECT"): JOBS | {"console", "operate"},
    ("gov.gate_result", "INSERT"): JOBS,
    ("gov.approval", "SELECT"): {"erase", "export", "inventory", "console", "operate"},
    ("gov.approval", "INSERT"): {"erase", "export", "inventory"},
    ("gov.erasure_ledger", "SELECT"): {"erase"},
    ("gov.ledger_copy", "SELECT"): {"erase"},
    ("gov.ledger_copy", "INSERT"): {"erase"},
    ("gov.suppression_entry", "SELECT"): {"erase", "detect"},
    ("gov.suppression_entry", "INSERT"): {"erase"},
    ("gov.suppression_entry", "DELETE"): {"erase"},  # of nobody who was erased: a trigger refuses that
}
TABLES = sorted({table for table, _ in ALLOWED})
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
ATTEMPTS = {
    "SELECT": "SELECT count(*) FROM {table}",
    "UPDATE": "UPDATE {table} SET run_id = run_id",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table}",
}


@pytest.fixture(scope="module")
def governed(cluster: PostgresServer) -> Iterator[str]:
    """Superuser address of a database with gov and roles, beside a ground truth."""
    admin = create_engine(cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    names = ("roles_publisher", "roles_truth")
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f"CREATE DATABASE {name}"))
    migrations.upgrade(cluster.dsn("roles_publisher"))
    roles.apply(cluster.dsn("roles_publisher"), PASSWORDS, closed_databases=("roles_truth", "not_there"))
    yield cluster.dsn("roles_publisher")
    with admin.connect() as connection:
        for name in names:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def as_duty(superuser: str, duty: str, database: str | None = None) -> Database:
    url = make_url(superuser).set(username=f"privacy_{duty}", password=PASSWORDS[duty])
    url = url.set(database=database) if database else url
    return Database(url.render_as_string(hide_password=False), duty=duty)


@pytest.mark.parametrize("duty", [d for d in DUTIES if d != "migrate"])
def test_rights_on_the_tables_are_exactly_the_matrix(governed: str, duty: str) -> None:
    with as_duty(governed, duty).transaction() as connection:
        held = {
            (table, right)
            for table, right in itertools.product(TABLES, RIGHTS)
            if connection.execute(text("SELECT has_table_privilege(:t, :r)"), {"t": table, "r": right}).scalar_one()
        }
    assert held == {what for what, duties in ALLOWED.items() if duty in duties}


@pytest.mark.parametrize(
    ("table", "right", "duty"),
    [
        (table, right, duty)
        for table in TABLES
        for right in ATTEMPTS
        for duty in DUTIES
        if duty != "migrate" and duty not in ALLOWED.get((table, right), set())
    ],
)
def test_what_is_not_granted_is_refused_when_tried(governed: str, table: str, right: str, duty: str) -> None:
    statement = ATTEMPTS[right].format(table=table)
    if right == "UPDATE" and table != "gov.run":
        column = {"gov.erasure_ledger": "payload", "gov.ledger_copy": "hash", "gov.suppression_entry": "hmac"}
        statement = f"UPDATE {table} SET {column.get(table, 'run_id')} = 'forged'"
    with pytest.raises(StoreRefused, match="42501"), as_duty(governed, duty).transaction() as connection:
        connection.execute(text(statement))


_HELD = """
SELECT c.relname, p.privilege
FROM pg_class AS c, unnest(CAST(:rights AS text [])) AS p (privilege)
WHERE c.relnamespace = 'gov'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    AND has_table_privilege(:role, c.oid, p.privilege)
"""


@pytest.mark.parametrize("duty", sorted(JOBS))
def test_no_job_truncates_triggers_or_references_in_any_table_of_gov(governed: str, duty: str) -> None:
    """Every table of every process, also those that come later."""
    with Database(governed).transaction() as connection:
        found = connection.execute(
            text(_HELD), {"role": f"privacy_{duty}", "rights": ["TRUNCATE", "REFERENCES", "TRIGGER"]}
        ).all()
    assert found == []


def test_the_console_writes_down_what_people_take_and_changes_nothing_else(governed: str) -> None:
    with Database(governed).transaction() as connection:
        found = connection.execute(
            text(_HELD),
            {"role": "privacy_console", "rights": ["INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]},
        ).all()
    assert [tuple(row)[:2] for row in found] == [("console_action", "INSERT")]


def test_a_table_that_only_grows_is_changed_by_no_duty(governed: str) -> None:
    """Every table with the append-only trigger, whoever made it."""
    with Database(governed).transaction() as connection:
        found = connection.execute(
            text(
                "SELECT c.relname, r.rolname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid,"
                " pg_roles AS r WHERE t.tgfoid = 'gov.refuse_change'::regproc AND r.rolname LIKE 'privacy\\_%'"
                " AND r.rolname <> 'privacy_migrate'"
                " AND (has_any_column_privilege(r.oid, c.oid, 'UPDATE') OR has_table_privilege(r.oid, c.oid, 'DELETE'))"
            )
        ).all()
    assert found == []


@pytest.mark.parametrize("duty", DUTIES)
def test_only_erasure_appends_to_the_ledger(governed: str, duty: str) -> None:
    call = text("SELECT seq FROM gov.append_to_ledger(ARRAY[now()], ARRAY['note'], ARRAY[NULL::uuid], ARRAY['{}'])")
    if duty in {"erase", "migrate"}:  # migrate owns the function
        with as_duty(governed, duty).transaction() as connection:
            assert connection.execute(call).scalar_one() >= 1
    else:
        with pytest.raises(StoreRefused), as_duty(governed, duty).transaction() as connection:
            connection.execute(call)


@pytest.mark.parametrize("table", ["erasure_ledger", "gate_result", "approval", "ledger_copy"])
@pytest.mark.parametrize("statement", ["DELETE FROM gov.{}", "TRUNCATE gov.{}"])
def test_not_even_the_owner_takes_rows_out_of_a_table_that_only_grows(
    governed: str, table: str, statement: str
) -> None:
    with pytest.raises(StoreRefused), as_duty(governed, "migrate").transaction() as connection:
        connection.execute(text(statement.format(table)))


# The DAGs of each duty; the run of every other is another's.
OWN_DAGS = {
    "detect": {"minor_data_deletion", "minor_signal_intake", "erasure_verification"},
    "erase": {"minor_data_deletion", "erasure_verification", "erasure_propagation", "restore_replay"},
    "review": {"minor_case_review"},
    "export": {"course_usage_export", "course_usage_delivery"},
    "inventory": {"transfer_inventory_check"},
    "canary": set[str](),
    "operate": {"watchkeeper"},
}
DAGS = sorted(set().union(*OWN_DAGS.values()))
OPEN = (
    "INSERT INTO gov.run (run_id, dag_id, as_of, run_type, dry_run, code_version, thresholds_sha256, map_sha256,"
    " tzdata_version) VALUES (:run, :dag, now(), 'manual', false, '1', 's', 's', '1')"
)
JUDGE = (
    "INSERT INTO gov.gate_result (run_id, gate, verdict, subject_sha256, checks, judged_at, expires_at)"
    " VALUES (:run, 'erasure.plan', 'pass', 's', '[]', now(), now())"
)
APPROVE = (
    "INSERT INTO gov.approval (run_id, what, subject_sha256, approver, decision, decided_at)"
    " VALUES (:run, 'breaker', 's', :who, 'approve', now())"
)


def _try(governed: str, duty: str, statement: str, **values: str) -> bool:
    """Whether the duty may; what it did is taken back. Raises what is no refusal."""
    try:
        with as_duty(governed, duty).transaction() as connection:
            connection.execute(text(statement), values)
            raise _Done
    except _Done:
        return True
    except StoreRefused as refused:
        if "42501" not in str(refused):
            raise
        return False


class _Done(Exception):
    pass


@pytest.fixture(scope="module")
def opened(governed: str) -> Iterator[str]:
    """An open run of every DAG."""
    with Database(governed).transaction() as connection:
        for dag in DAGS:
            connection.execute(text(OPEN), {"run": f"{dag}/r1", "dag": dag})
    yield governed
    with Database(governed).transaction() as connection:
        connection.execute(text("DELETE FROM gov.run"))


def test_every_dag_has_a_duty_that_writes_its_runs(governed: str) -> None:
    with Database(governed).transaction() as connection:
        found = connection.execute(text("SELECT role, dag_id FROM gov.run_writer")).all()
    assert {(role, dag) for role, dag in found} == {
        (f"privacy_{d}", dag) for d, dags in OWN_DAGS.items() for dag in dags
    }
    files = {path.stem for path in (Path(__file__).parents[2] / "dags").glob("*.py")}
    assert files == {dag for _, dag in found} - {"restore_replay"}


@pytest.mark.parametrize("duty", sorted(OWN_DAGS))
def test_a_duty_writes_runs_of_its_own_dags_and_of_no_other(opened: str, duty: str) -> None:
    close = "UPDATE gov.run SET state = 'done', closed_at = now(), facts = '{\"n\": 1}' WHERE run_id = :run"
    for dag in DAGS:
        own = dag in OWN_DAGS[duty]
        assert _try(opened, duty, OPEN, run=f"{dag}/r2", dag=dag) is own, dag
        assert _try(opened, duty, close, run=f"{dag}/r1") is own, dag


@pytest.mark.parametrize("duty", sorted(OWN_DAGS))
def test_a_run_cannot_be_squatted_under_a_name_of_ones_own(opened: str, duty: str) -> None:
    own = next(iter(sorted(OWN_DAGS[duty])), "a_dag_of_the_publisher")
    others = sorted(set(DAGS) - OWN_DAGS[duty])
    for other in others:
        assert not _try(opened, duty, OPEN, run=f"{other}/r3", dag=own), other
        assert not _try(opened, duty, OPEN, run=f"{own}/r3", dag=other), other


@pytest.mark.parametrize("duty", sorted(JOBS))
def test_a_duty_judges_and_approves_only_runs_of_its_own_dags(opened: str, duty: str) -> None:
    for dag in DAGS:
        own = dag in OWN_DAGS[duty]
        assert _try(opened, duty, JUDGE, run=f"{dag}/r1") is own, dag
        if duty in ALLOWED["gov.approval", "INSERT"]:
            assert _try(opened, duty, APPROVE, run=f"{dag}/r1", who="p") is own, dag


def test_the_watch_says_that_an_open_run_failed_and_nothing_else_of_it(opened: str) -> None:
    fail = "UPDATE gov.run SET state = 'failed', closed_at = now(){} WHERE run_id = 'course_usage_export/r1'"
    assert _try(opened, "operate", fail.format(""))
    assert not _try(opened, "operate", fail.format(", facts = '{\"n\": 1}'"))
    for duty in sorted(JOBS - {"export"}):
        assert not _try(opened, duty, fail.format("")), duty


@pytest.mark.parametrize("duty", sorted(JOBS | {"review", "operate"}))
def test_a_job_cannot_move_the_clock_of_a_run(opened: str, duty: str) -> None:
    for column in ("as_of", "dry_run", "map_sha256", "run_id", "dag_id"):
        assert not _try(opened, duty, f"UPDATE gov.run SET {column} = {column}")


_CHANGED = """
SELECT DISTINCT
    c.relname || '.' || a.attname AS name,
    EXISTS (
        SELECT 1 FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = any(i.indkey)
    ) AS is_key,
    a.attname IN (
        'first_seen', 'created_at', 'opened_at', 'as_of', 'taken_at', 'run_id', 'frozen_at', 'planted_at', 'noted_at'
    ) AS is_beginning
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN unnest(CAST(:duties AS text [])) AS d (duty)
WHERE c.relnamespace = 'gov'::regnamespace AND c.relkind IN ('r', 'p')
    AND has_column_privilege(d.duty, c.oid, a.attnum, 'UPDATE')
"""


def test_no_duty_changes_a_key_of_any_table_or_when_it_began(governed: str) -> None:
    """What a row is about stays: no grant of UPDATE covers a primary key or a column that says since when."""
    with Database(governed).transaction() as connection:
        held = connection.execute(text(_CHANGED), {"duties": [f"privacy_{d}" for d in DUTIES if d != "migrate"]}).all()
    # Whether an address is one person's alone is part of a plan's key of a person.
    assert {row.name for row in held if row.is_key or row.is_beginning} == {"erasure_key.kind"}
    assert len(held) > 100


# By duty, the columns of a case that it changes. Whoever is not named changes none.
OF_A_CASE = {
    "detect": "class state flags evidence_hash feed discovered_at evidence_at adult_on judged_by_run restriction"
    " source_faults restricted_at restriction_previous decision decided_at decision_reason asked_until review_due"
    " erase_after erasure_requested_by",
    "review": "class state decision decided_at decision_reason review_due escalation asked_until objected_at"
    " subject_key adult_on closed_at decided_by restricted_at restriction restriction_previous",
    "erase": "state subject_key evidence_hash adult_on restriction_previous flags closed_at",
    "notify": "erase_after",
}


@pytest.mark.parametrize("duty", [d for d in DUTIES if d != "migrate"])
def test_a_duty_changes_its_own_columns_of_a_case_and_is_refused_every_other(governed: str, duty: str) -> None:
    with Database(governed).transaction() as connection:
        columns = connection.execute(
            text("SELECT attname FROM pg_attribute WHERE attrelid = 'gov.minor_case'::regclass AND attnum > 0")
        ).scalars()
        everything = {name for name in columns if "." not in name}
    own = set(OF_A_CASE.get(duty, "").split())
    assert own < everything
    for column in sorted(everything):
        change = text(f"UPDATE gov.minor_case SET {column} = {'NULL' if column in own else 'DEFAULT'}")
        if column in own:
            with as_duty(governed, duty).transaction() as connection:
                connection.execute(change)
        else:
            with pytest.raises(StoreRefused, match="42501"), as_duty(governed, duty).transaction() as connection:
                connection.execute(change)


@pytest.mark.parametrize("duty", DUTIES)
def test_no_duty_enters_a_closed_database(governed: str, duty: str) -> None:
    with pytest.raises(PrivacyOpsError), as_duty(governed, duty, "roles_truth").transaction():
        pytest.fail("connected")


@pytest.mark.parametrize("duty", DUTIES)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.notes (x int)",
        "CREATE ROLE friend",
        "SET ROLE postgres",
        "SET ROLE privacy_migrate",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
        "SET session_replication_role = replica",  # would switch the triggers off
    ],
)
def test_no_duty_climbs(governed: str, duty: str, statement: str) -> None:
    if duty == "migrate" and "privacy_migrate" in statement:
        statement = "SET ROLE privacy_erase"
    with pytest.raises(PrivacyOpsError), as_duty(governed, duty).transaction() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("duty", [d for d in DUTIES if d != "migrate"])
def test_only_migrate_creates_in_the_database_and_in_gov(governed: str, duty: str) -> None:
    for statement in ("CREATE SCHEMA mine", "CREATE TABLE gov.mine (x int)"):
        with pytest.raises(StoreRefused), as_duty(governed, duty).transaction() as connection:
            connection.execute(text(statement))


def test_a_stranger_does_not_connect(governed: str) -> None:
    with Database(governed).transaction() as connection:
        connection.execute(text("DROP ROLE IF EXISTS roles_stranger"))
        connection.execute(text("CREATE ROLE roles_stranger LOGIN PASSWORD 'made-up'"))
    url = make_url(governed).set(username="roles_stranger", password="made-up")
    with pytest.raises(PrivacyOpsError), Database(url.render_as_string(hide_password=False)).transaction():
        pytest.fail("connected")


def test_the_owner_migrates_after_roles_were_applied(governed: str) -> None:
    url = make_url(governed).set(username="privacy_migrate", password=PASSWORDS["migrate"])
    dsn = url.render_as_string(hide_password=False)
    head = migrations.current(dsn)
    migrations.downgrade(dsn, "base")
    assert migrations.upgrade(dsn) == head
    roles.apply(governed, PASSWORDS, closed_databases=("roles_truth",))


def test_a_new_password_replaces_the_old_one_and_is_never_in_the_statement(governed: str) -> None:
    new = {**PASSWORDS, "canary": "another-made-up-password"}
    roles.apply(governed, new, closed_databases=("roles_truth",))
    try:
        with pytest.raises(StoreRefused, match="password"), as_duty(governed, "canary").transaction():
            pytest.fail("connected with the old password")
        with Database(governed).transaction() as connection:
            kept = connection.execute(
                text("SELECT rolpassword FROM pg_authid WHERE rolname = 'privacy_canary'")
            ).scalar_one()
        assert kept.startswith("SCRAM-SHA-256$")
    finally:
        roles.apply(governed, PASSWORDS, closed_databases=("roles_truth",))


def test_a_right_given_by_hand_is_gone_after_the_next_apply(governed: str) -> None:
    with Database(governed).transaction() as connection:
        connection.execute(text("GRANT DELETE ON gov.erasure_ledger TO privacy_export"))
    roles.apply(governed, PASSWORDS, closed_databases=("roles_truth",))
    with as_duty(governed, "export").transaction() as connection:
        assert not connection.execute(text("SELECT has_table_privilege('gov.erasure_ledger', 'DELETE')")).scalar_one()


def test_a_missing_or_unknown_password_and_an_unmigrated_database_are_named(empty_database: str) -> None:
    with pytest.raises(ConfigError, match="no password for erase"):
        roles.apply(empty_database, {d: p for d, p in PASSWORDS.items() if d != "erase"})
    with pytest.raises(ConfigError, match="unknown duties: visitor"):
        roles.apply(empty_database, {**PASSWORDS, "visitor": "x"})
    with pytest.raises(ConfigError, match="gov is not there"):
        roles.apply(empty_database, PASSWORDS)


def test_the_append_function_cannot_be_fooled_by_a_search_path(governed: str) -> None:
    with as_duty(governed, "erase").transaction() as connection:
        connection.execute(text("CREATE TEMP TABLE erasure_ledger (seq bigint, hash text)"))
        connection.execute(text("SET LOCAL search_path = pg_temp, gov"))
        connection.execute(
            text(
                "SELECT * FROM gov.append_to_ledger("
                "ARRAY[CAST(:at AS timestamptz)], ARRAY['note'], ARRAY[NULL::uuid], ARRAY['{}'])"
            ),
            {"at": datetime(2026, 1, 1, tzinfo=UTC)},
        )
        assert connection.execute(text("SELECT count(*) FROM pg_temp.erasure_ledger")).scalar_one() == 0
