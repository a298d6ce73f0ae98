"""A filled publisher of one's own for each test of the export, and ways to ask it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from privacy_ops.stores.database import Database, quote
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.workspace import Workspace
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer
from tests import usage_world as world

TEMPLATE = "usage_template"


def administer(cluster: PostgresServer, statement: str) -> None:
    engine = create_engine(cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


@pytest.fixture(scope="module")
def template(cluster: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A filled publisher that each test copies."""
    administer(cluster, f"CREATE DATABASE {TEMPLATE}")
    world.make_database(cluster.dsn(TEMPLATE))
    world.fill(cluster.dsn(TEMPLATE))
    world.settle(cluster.dsn(TEMPLATE))
    world.entitle(cluster.dsn(TEMPLATE), tmp_path_factory.mktemp("registry"))
    yield TEMPLATE
    administer(cluster, f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


@pytest.fixture
def dsn(cluster: PostgresServer, template: str) -> Iterator[str]:
    """Superuser address of a publisher of one's own."""
    name = f"usage_{secrets.token_hex(4)}"
    administer(cluster, f"CREATE DATABASE {quote(name)} TEMPLATE {template} STRATEGY FILE_COPY")
    yield cluster.dsn(name)
    administer(cluster, f"DROP DATABASE {quote(name)} WITH (FORCE)")


@pytest.fixture
def ws(dsn: str, objects: ObjectStore, object_settings) -> Workspace:
    for bucket in ("imp-staging", "imp-exports"):
        region = {"LocationConstraint": "eu-west-2"}
        objects.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=region)
    objects.client.put_bucket_versioning(Bucket="imp-exports", VersioningConfiguration={"Status": "Enabled"})
    return world.workspace(dsn, object_settings)


def sql(dsn: str, statement: str, **values: object) -> None:
    with Database(dsn).transaction() as c:
        c.execute(text(statement), values)


def one(dsn: str, statement: str, **values: object):
    with Database(dsn).transaction() as c:
        return c.execute(text(statement), values).scalar_one()
