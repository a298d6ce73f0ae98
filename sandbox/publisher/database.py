"""Connections of the sandbox: superuser, one transaction each, COPY in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


def plain(dsn: str) -> str:
    """A libpq URL from a libpq or SQLAlchemy one."""
    return dsn.replace("postgresql+psycopg://", "postgresql://", 1)


@contextmanager
def connect(dsn: str) -> Iterator[Connection]:
    """One transaction in UTC: committed at the end, rolled back on any error."""
    with psycopg.connect(plain(dsn), connect_timeout=10, application_name="publisher sandbox") as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.commit()
        yield connection
