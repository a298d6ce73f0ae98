"""Fixtures of the small press: one migrated template per session, a copy of it per test, real roles and buckets."""

from __future__ import annotations

import secrets
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from privacy_ops.datamap import grants
from privacy_ops.settings import DUTIES, ObjectSettings
from privacy_ops.stores import migrations, roles
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer
from tests import block_list
from tests.integration.press import BUCKETS, SCHEMA, Press, map_of, settings_of, workspace_of
from tests.integration.towns import Town, found_town

_PASSWORDS = dict.fromkeys(DUTIES, "press")


@pytest.fixture(scope="session")
def migrated_press(cluster: PostgresServer) -> str:
    name = new_name()
    create_template(cluster, name)
    return name


@pytest.fixture(scope="module")
def press_template(cluster: PostgresServer, migrated_press: str) -> str:
    """Name of a database with the press's schema, gov, roles and grants."""
    # Passwords belong to the whole server, and tests of other kinds set their own.
    roles.apply(cluster.dsn(migrated_press), _PASSWORDS, closed_databases=())
    return migrated_press


@pytest.fixture
def press(
    cluster: PostgresServer, press_template: str, objects: ObjectStore, object_settings: ObjectSettings
) -> Iterator[Press]:
    """A press of its own: fresh database, empty buckets. After ``objects``, which empties the object store too."""
    with fresh_press(cluster, press_template, object_settings) as made:
        yield made


@pytest.fixture
def town(press: Press) -> Town:
    """The press with its four people."""
    return found_town(press)


@contextmanager
def fresh_press(server: PostgresServer, template: str, object_settings: ObjectSettings) -> Iterator[Press]:
    """A copy of the template in a database of its own, the object store emptied for it."""
    name = new_name()
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    _empty(object_settings)
    create_buckets(ObjectStore(object_settings))
    made = open_press(server, name, object_settings)
    try:
        yield made
    finally:
        made.superuser._engine.dispose()
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def new_name() -> str:
    return f"press_{secrets.token_hex(4)}"


def create_template(server: PostgresServer, name: str) -> None:
    """An empty press in a new database of ``server``."""
    _administer(server, f"CREATE DATABASE {name}")
    dsn = server.dsn(name)
    with Database(dsn).transaction() as connection:
        connection.exec_driver_sql(SCHEMA)
    migrations.upgrade(dsn)
    roles.apply(dsn, _PASSWORDS, closed_databases=())
    grants.apply(dsn, map_of())
    block_list.renew(dsn)


def create_buckets(objects: ObjectStore) -> None:
    """The press's buckets, empty, and the locked one for evidence."""
    location = {"LocationConstraint": "eu-west-2"}
    for bucket, versioned in BUCKETS:
        objects.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)  # type: ignore[arg-type]
        if versioned:
            objects.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    objects.client.create_bucket(
        Bucket="press-evidence",
        CreateBucketConfiguration=location,  # type: ignore[arg-type]
        ObjectLockEnabledForBucket=True,
    )


def open_press(server: PostgresServer, name: str, object_settings: ObjectSettings) -> Press:
    """The press in the database ``name``."""
    url = make_url(server.dsn(name))
    dsns = {
        duty: url.set(username=f"privacy_{duty}", password=_PASSWORDS[duty]).render_as_string(hide_password=False)
        for duty in DUTIES
    }
    press = Press(Database(server.dsn(name)), workspace_of(settings_of(dsns, object_settings)))
    _keep_connection(press)
    return press


def _keep_connection(press: Press) -> None:
    """Let ``press`` write its many single rows through one connection; nobody can copy its database meanwhile."""
    press.superuser._engine = create_engine(
        press.superuser._url,
        pool_size=1,
        pool_pre_ping=True,  # the server may have been killed, or the database put back
        connect_args={"options": "-c timezone=UTC", "prepare_threshold": None},  # tables change under prepared ones
    )


def _empty(object_settings: ObjectSettings) -> None:
    address = f"{object_settings.endpoint_url}/moto-api/reset"
    with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=30):  # ruff: ignore[S310]
        pass


def _administer(server: PostgresServer, statement: str) -> None:
    engine = create_engine(server.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))
