"""Fixtures of the small press: one migrated template per session, a copy of it per test, real roles and buckets."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

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
from tests.integration.press import BUCKETS, SCHEMA, Press, map_of, settings_of, workspace_of

_PASSWORDS = dict.fromkeys(DUTIES, "press")


@pytest.fixture(scope="module")
def press_template(cluster: PostgresServer) -> Iterator[str]:
    """Name of a database with the press's schema, gov, roles and grants."""
    name = f"press_{secrets.token_hex(4)}"
    admin = create_engine(cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    dsn = cluster.dsn(name)
    with Database(dsn).transaction() as connection:
        connection.exec_driver_sql(SCHEMA)
    migrations.upgrade(dsn)
    roles.apply(dsn, _PASSWORDS, closed_databases=())
    grants.apply(dsn, map_of())
    yield name
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def press(
    cluster: PostgresServer, press_template: str, objects: ObjectStore, object_settings: ObjectSettings
) -> Iterator[Press]:
    """A press of its own: fresh database, empty buckets."""
    name = f"press_{secrets.token_hex(4)}"
    admin = create_engine(cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {press_template}"))
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
    url = make_url(cluster.dsn(name))
    dsns = {
        duty: url.set(username=f"privacy_{duty}", password=_PASSWORDS[duty]).render_as_string(hide_password=False)
        for duty in DUTIES
    }
    yield Press(Database(cluster.dsn(name)), workspace_of(settings_of(dsns, object_settings)))
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
