"""A filled publisher of one's own for each test of the export, and ways to ask it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from privacy_ops.stores.database import Database, quote
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.usage import drawing, period_view, periods, release, release_spec, view
from privacy_ops.usage.counting import Postgres
from privacy_ops.usage.weeks import Window
from privacy_ops.workspace import Workspace
from sqlalchemy import Connection, create_engine, text
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


def begin_again(ws: Workspace, dsn: str) -> None:
    """As if the week had never been protected, drawn or released."""
    with Database(dsn).transaction() as c:
        for table in ("release_event", "release_register", "release_master", "privacy_draw"):
            c.execute(text(f"ALTER TABLE gov.{table} DISABLE TRIGGER append_only"))
            c.execute(text(f"DELETE FROM gov.{table}"))
            c.execute(text(f"ALTER TABLE gov.{table} ENABLE TRIGGER append_only"))
    store = ws.objects()
    store.delete_versions("imp-exports", list(store.versions("imp-exports", "")))


class _Undo(Exception):
    pass


def bounded_counts(
    ws: Workspace, dsn: str, week: Window, erase: Callable[[Connection], None] | None = None
) -> tuple[dict[tuple, int], dict[tuple, int]]:
    """Bounded counts of a week by cell, and each cell's turn, in a transaction that is undone; ``erase`` goes first."""
    spec = release_spec.load(ws.settings.include / "release_spec.yaml")
    known = release.references(ws)
    found: dict[tuple, int] = {}
    order: dict[tuple, int] = {}
    with suppress(_Undo), Database(dsn).transaction() as c:
        if erase is not None:
            erase(c)
        period = next(iter(periods.closing_with(week)))
        courses = view.all_courses(c, ws.data_map)
        lists = period_view.build(c, ws.data_map, period, known.places, known.spellings, courses)
        parts = dict.fromkeys(("course", "module", "country", "region"), ("starters", "completers"))
        cells = drawing.in_public_order(drawing.public_cells(lists, parts), period.key)
        drawing.list_cells(c, cells)
        assert spec.differential_privacy
        counts = drawing.bounded_counts(Postgres(c), spec.differential_privacy.cells_per_person)
        order |= {cell[:3]: turn for turn, cell in enumerate(cells)}
        found |= {cells[number][:3]: people for number, people in counts.items()}
        raise _Undo
    return found, order
