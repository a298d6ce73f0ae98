"""Databases, roles and grants of the sandbox, in the order in which a publisher would set them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from privacy_ops.datamap import grants, loader
from privacy_ops.settings import DUTIES, KeyRing, ObjectSettings, home_directory
from privacy_ops.stores import migrations, roles
from privacy_ops.stores.database import Database, quote
from privacy_ops.usage import recipients
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer
from sandbox.publisher import generate, objects, schema, truth

PUBLISHER, GROUND_TRUTH, AIRFLOW = "publisher", "ground_truth", "airflow"
AIRFLOW_READER = "airflow_reader"  # looks for people in what Airflow keeps of itself
SEED = 20180525

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Publisher:
    """What to make up: how many people, from which seed, as of which day (its 00:00 UTC is the present)."""

    people: int
    seed: int
    anchor: date
    events_per_person: float = generate.EVENTS_PER_PERSON


def administer(server: PostgresServer, *statements: str) -> None:
    """Run statements outside a transaction (CREATE and DROP DATABASE demand that) as the superuser."""
    engine = create_engine(server.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool, hide_parameters=True)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def create_database(server: PostgresServer, name: str, *, owner: str = "", template: str = "") -> None:
    """Create a database that only its owner and the superuser may enter."""
    administer(
        server,
        f"CREATE DATABASE {quote(name)}"
        + (f" OWNER {quote(owner)}" if owner else "")
        + (f" TEMPLATE {quote(template)} STRATEGY FILE_COPY" if template else ""),
        f"REVOKE ALL ON DATABASE {quote(name)} FROM PUBLIC",
    )


def drop_database(server: PostgresServer, name: str) -> None:
    """Drop a database and whoever is connected to it. Does nothing when it is absent."""
    administer(server, f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)")


def create_airflow_database(server: PostgresServer, password: str, reader_password: str) -> None:
    """The metadata database of Airflow, the role that owns it, and one that may only read it.

    The passwords hold no quote.
    """
    reader = quote(AIRFLOW_READER)
    administer(
        server,
        f"CREATE ROLE {quote(AIRFLOW)} LOGIN PASSWORD '{password}'",
        f"CREATE ROLE {reader} LOGIN PASSWORD '{reader_password}'",
        f"ALTER ROLE {reader} SET default_transaction_read_only = on",
    )
    create_database(server, AIRFLOW, owner=AIRFLOW)
    with Database(server.dsn(AIRFLOW)).transaction() as connection:
        connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {quote(AIRFLOW)} TO {reader}")
        # Also the tables that a later version of Airflow brings.
        connection.exec_driver_sql(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(AIRFLOW)} GRANT SELECT ON TABLES TO {reader}"
        )


def create_publisher(
    server: PostgresServer, database: str, passwords: Mapping[str, str], ring: KeyRing | None = None
) -> None:
    """An empty publisher: its schema, gov migrated, one role per duty, grants from the data map, who may be given what.

    ``passwords`` by duty. Without ``ring`` no recipient's address is noted.
    """
    dsn = server.dsn(database)
    schema.create_schema(dsn)
    migrations.upgrade(dsn)
    grant(dsn, passwords)
    with Database(dsn).transaction() as connection:
        recipients.load_registry(connection, home_directory() / "include" / "registry" / "recipients.yaml", ring)


def grant(dsn: str, passwords: Mapping[str, str]) -> None:
    """Roles, their passwords and their rights, on an existing publisher."""
    roles.apply(dsn, {duty: passwords[duty] for duty in DUTIES})
    grants.apply(dsn, loader.load(home_directory() / "include" / "datamap" / "imp"))


def fill(
    server: PostgresServer,
    database: str,
    ground_truth: str,
    object_settings: ObjectSettings,
    publisher: Publisher,
    report: Report | None = None,
) -> dict[str, int]:
    """Make up the people: rows, objects, and what was planted (into ``ground_truth``). Returns counts."""
    truth.create_truth(server.dsn(ground_truth))
    objects.create_buckets(object_settings)
    return generate.load(
        server.dsn(database),
        server.dsn(ground_truth),
        object_settings,
        people=publisher.people,
        seed=publisher.seed,
        anchor=publisher.anchor,
        events_per_person=publisher.events_per_person,
        report=report,
    )
