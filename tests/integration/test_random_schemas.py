"""Erasure on schemas that were drawn at random; many more and larger ones in `make proof`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from privacy_ops.settings import ObjectSettings
from privacy_ops.workspace import Workspace

from bench import schemas
from sandbox.postgres import PostgresServer
from tests.integration.press_fixtures import fresh_press


@pytest.fixture(scope="module")
def ground(cluster: PostgresServer, press_template: str, object_settings: ObjectSettings) -> schemas.Ground:
    """A new database for each draw: the press's, without the press."""

    @contextmanager
    def fresh() -> Iterator[tuple[str, Workspace]]:
        with fresh_press(cluster, press_template, object_settings) as press:
            press.execute("DROP SCHEMA press CASCADE")
            url = press.superuser._url.set(drivername="postgresql")
            yield url.render_as_string(hide_password=False), press.workspace

    return schemas.Ground(fresh)


@settings(max_examples=2, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), tables=st.integers(4, 9))
@example(seed=7, tables=9)
def test_after_is_before_without_what_was_planned(ground: schemas.Ground, seed: int, tables: int) -> None:
    schemas.examine(ground, schemas.draw(seed, tables), kill=seed % 2 == 1)
