"""One least-privilege PostgreSQL role per duty, and what each may do in gov and with the databases.

Order on a new server: ``migrations.upgrade`` with an administrator's address, then ``apply``. After that the
duty ``migrate`` owns gov and can migrate it. Grants on the publisher's tables come from its data map.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from privacy_ops.errors import ConfigError
from privacy_ops.settings import DUTIES, home_directory
from privacy_ops.stores.database import Database

# Databases of the same server that no duty may enter: the sandbox's ground truth and the orchestrator's own.
CLOSED_DATABASES = ("ground_truth", "airflow")
GRANT_FILES = tuple(
    f"gov_grants_{area}"
    for area in (
        *("frame", "minors", "usage", "transfers", "review", "erasure", "return", "downstream", "delivery"),
        *("console", "operate"),
    )
)

# Nobody guesses a duty's way into more rights: it can neither become another role nor make one.
_ATTRIBUTES = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT")

# What a duty's statement holds never stands in the server's log, however it fails: no DETAIL, no CONTEXT (a COPY would
# quote its row there), no statement, no parameters.
_QUIET = {"log_error_verbosity": "terse", "log_min_error_statement": "panic", "log_parameter_max_length_on_error": "0"}


def role_name(duty: str) -> str:
    """Login role of a duty. Raises ConfigError for an unknown one."""
    if duty not in DUTIES:
        raise ConfigError(f"unknown duty {duty!r}", do="use one of " + ", ".join(DUTIES))
    return f"privacy_{duty}"


def apply(
    superuser_dsn: str,
    passwords: Mapping[str, str],
    *,
    closed_databases: Iterable[str] = CLOSED_DATABASES,
) -> None:
    """Create or alter the role of every duty, and set exactly its rights; all in one transaction.

    ``superuser_dsn``: an administrator of the database that holds gov (migrated). ``passwords``: by duty; each
    leaves this process only as a SCRAM verifier. Raises ConfigError, StoreRefused, StoreUnavailable.
    """
    missing = [duty for duty in DUTIES if not passwords.get(duty)]
    if missing:
        raise ConfigError(f"no password for {', '.join(missing)}", do="give one for each duty")
    unknown = sorted(set(passwords) - set(DUTIES))
    if unknown:
        raise ConfigError(f"passwords for unknown duties: {', '.join(unknown)}", do="remove them")
    with Database(superuser_dsn, duty="administrator").transaction() as connection:
        raw: Any = connection.connection.dbapi_connection  # psycopg's: the address fixes the driver
        with raw.cursor() as cursor:
            # Roles belong to the whole server: two that change them at once would collide.
            cursor.execute("SELECT pg_advisory_xact_lock(20180515, 3)")
            _require_migrated(cursor)
            for duty in DUTIES:
                _make_role(cursor, role_name(duty), passwords[duty])
            cursor.execute("DROP FUNCTION IF EXISTS gov.data_links()")
            _own_gov(cursor)
            _rights_on_databases(cursor, make_url(superuser_dsn).database or "", closed_databases)
            _rights_on_gov(cursor)
            # Stays the administrator's: only he may read where replicas and subscriptions lead.
            cursor.execute((home_directory() / "include" / "sql" / "roles" / "create_data_links.sql").read_bytes())


def _require_migrated(cursor: psycopg.Cursor) -> None:
    cursor.execute("SELECT to_regclass('gov.schema_version')")
    if cursor.fetchone() == (None,):
        raise ConfigError(
            "the schema gov is not there", do="run `python -m privacy_ops gov migrate` first, as the administrator"
        )


def _make_role(cursor: psycopg.Cursor, role: str, password: str) -> None:
    name = sql.Identifier(role)
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
    if cursor.fetchone() is None:
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
    # Hashed here, so that neither the server's log nor its statistics ever see the password.
    verifier = cursor.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    cursor.execute(sql.SQL("ALTER ROLE {} {} PASSWORD {}").format(name, _ATTRIBUTES, sql.Literal(verifier.decode())))
    for setting, value in _QUIET.items():
        try:
            with cursor.connection.transaction():
                cursor.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
                )
        except psycopg.errors.InsufficientPrivilege:
            pass  # a hosted server whose administrator is no superuser: its own parameters say it (docs/operations.md)


def _own_gov(cursor: psycopg.Cursor) -> None:
    """Hand gov and everything in it to the duty that migrates it."""
    owner = sql.Identifier(role_name("migrate"))
    cursor.execute(sql.SQL("ALTER SCHEMA gov OWNER TO {}").format(owner))
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'gov'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
    )
    for (relation,) in cursor.fetchall():
        cursor.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier("gov", relation), owner))
    cursor.execute("SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'gov'::regnamespace")
    for (signature,) in cursor.fetchall():
        # regprocedure prints a quoted, complete signature.
        cursor.execute(sql.SQL("ALTER ROUTINE {} OWNER TO {}").format(sql.SQL(signature), owner))


def _rights_on_databases(cursor: psycopg.Cursor, database: str, closed: Iterable[str]) -> None:
    """CONNECT for the duties only, TEMPORARY for those that run jobs, CREATE for migrate; nothing on the closed."""
    roles = sql.SQL(", ").join(sql.Identifier(role_name(duty)) for duty in DUTIES)
    here = sql.Identifier(database)
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(here, roles))
    cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(here, roles))
    jobs = sql.SQL(", ").join(
        sql.Identifier(role_name(d)) for d in DUTIES if d not in {"migrate", "console", "evidence", "notify", "operate"}
    )
    cursor.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(here, jobs))
    cursor.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(here, sql.Identifier(role_name("migrate"))))
    cursor.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    cursor.execute("SELECT datname FROM pg_database WHERE datname = ANY(%s)", (list(closed),))
    for (name,) in cursor.fetchall():
        if name != database:
            cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(sql.Identifier(name), roles))


def _rights_on_gov(cursor: psycopg.Cursor) -> None:
    """Take every right on gov away and give what the grant files say, so that a line removed is a right lost."""
    roles = sql.SQL(", ").join(sql.Identifier(role_name(duty)) for duty in DUTIES if duty != "migrate")
    for kind in ("ALL TABLES IN SCHEMA", "ALL SEQUENCES IN SCHEMA", "ALL ROUTINES IN SCHEMA", "SCHEMA"):
        cursor.execute(sql.SQL("REVOKE ALL ON {} gov FROM PUBLIC, {}").format(sql.SQL(kind), roles))
    for name in GRANT_FILES:
        path = home_directory() / "include" / "sql" / "roles" / f"{name}.sql"
        if path.is_file():
            cursor.execute(path.read_bytes())
        elif name == "gov_grants_frame":
            raise ConfigError("the grants are missing", where=str(path), do="restore the file")
