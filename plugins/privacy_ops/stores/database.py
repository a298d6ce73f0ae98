"""PostgreSQL, one role per duty. This package is the only user of an SQL driver.

Errors that leave here carry the driver's class and SQLSTATE, never its message: messages quote values.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, TextClause, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from privacy_ops.errors import PrivacyOpsError, StoreRefused, StoreUnavailable
from privacy_ops.settings import Settings

__all__ = ["Connection", "Database", "blocks", "copy_rows", "quote", "quote_table", "stream"]

# PostgreSQL error classes that another attempt may get past: connection, resources, shutdown, lock, serialisation.
_TRANSIENT = ("08", "53", "57", "40", "55P03")


@lru_cache(maxsize=64)
def _engine(url: URL, duty: str) -> Engine:
    """What knows the way to a database. It keeps no connection; what it learnt of the server and the statements that
    it compiled serve the next transaction too.
    """
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": 10, "application_name": f"privacy_ops {duty}".strip()},
    )

    @event.listens_for(engine, "connect")
    def _utc(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
        connection.commit()

    return engine


class DatabaseFault(PrivacyOpsError):
    """The server refused a statement. Holds SQLSTATE and constraint or table name, never values."""

    def __init__(self, sqlstate: str, about: str = "") -> None:
        self.sqlstate = sqlstate
        super().__init__(f"database error {sqlstate}" + (f" ({about})" if about else ""))


class Database:
    """One database seen by one duty. Cheap to make; connects when a transaction begins."""

    def __init__(self, dsn: str, *, duty: str = "") -> None:
        self._url = make_url(dsn)
        self.duty = duty
        self._engine = _engine(self._url, duty)

    @classmethod
    def for_duty(cls, settings: Settings, duty: str) -> Database:
        return cls(settings.dsn(duty), duty=duty)

    @property
    def address(self) -> str:
        """host:port/database, without user and password."""
        return f"{self._url.host}:{self._url.port or 5432}/{self._url.database}"

    @property
    def host(self) -> str:
        return self._url.host or ""

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Generator[Connection, None, None]:
        """One transaction: committed at the end, rolled back on any error.

        ``read_only`` also makes it one snapshot (REPEATABLE READ). Raises StoreUnavailable, StoreRefused,
        DatabaseFault.
        """
        try:
            connection = self._engine.connect()
        except exc.DBAPIError as error:
            raise self._connect_error(error) from None
        try:
            with connection, connection.begin():
                if read_only:
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield connection
        except exc.DBAPIError as error:
            raise self._fault(error.orig) from None
        except psycopg.Error as error:
            raise self._fault(error) from None

    def _connect_error(self, error: exc.DBAPIError) -> PrivacyOpsError:
        text = str(error.orig)
        if "password authentication failed" in text or "no password supplied" in text:
            return StoreRefused(
                f"the database refused the password of the duty {self.duty or '(none)'}",
                where=self.address,
                do="correct the connection's user and password",
            )
        if "does not exist" in text:
            return StoreRefused(
                "the database or role does not exist", where=self.address, do="create it, or name another"
            )
        return StoreUnavailable(
            f"the database cannot be reached at {self.address}. What to do: start it, or correct the address"
        )

    @staticmethod
    def _fault(error: BaseException | None) -> PrivacyOpsError:
        sqlstate = getattr(error, "sqlstate", None) or "unknown"
        diag = getattr(error, "diag", None)
        about = " ".join(
            part for part in (getattr(diag, "table_name", None), getattr(diag, "constraint_name", None)) if part
        )
        if sqlstate == "42501":
            return StoreRefused(
                f"the role may not do this (database error {sqlstate})", do="apply the grants of its duty"
            )
        if sqlstate == "unknown" or sqlstate.startswith(_TRANSIENT):
            return StoreUnavailable(f"database error {sqlstate}" + (f" ({about})" if about else ""))
        return DatabaseFault(sqlstate, about)


def quote(identifier: str) -> str:
    """A quoted SQL identifier. Identifiers come from the data map or the catalogue only."""
    if "\x00" in identifier or not identifier:
        raise ValueError("not an identifier")
    return '"' + identifier.replace('"', '""') + '"'


def quote_table(name: str) -> str:
    """``schema.table`` (or ``table``) with each part quoted."""
    return ".".join(quote(part) for part in name.split(".", 1))


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """COPY ``rows`` into ``table`` inside the connection's transaction; returns how many. Streams.

    A list is a text array: its items are strings.
    """
    raw: Any = connection.connection.dbapi_connection
    target = f"COPY {quote_table(table)} ({', '.join(map(quote, columns))}) FROM STDIN"
    count = 0
    with raw.cursor() as cursor, cursor.copy(target) as copy:
        for row in rows:
            copy.write_row([text_array(value) if isinstance(value, list) else value for value in row])
            count += 1
    return count


def text_array(items: list[str]) -> str:
    """``items`` as PostgreSQL reads an array: the driver's own way looks up the type of every item.

    For ``copy_rows`` as well: an array that stands in many rows is written once.
    """
    if not items:
        return "{}"
    plain = "\x00".join(items)  # which no text of PostgreSQL holds
    if '"' not in plain and "\\" not in plain:
        return '{"' + plain.replace("\x00", '","') + '"}'
    escaped = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join([f'"{item}"' for item in escaped]) + "}"


def stream(
    connection: Connection, statement: Any, parameters: dict[str, Any] | None = None, *, size: int = 5000
) -> Iterator[Any]:
    """Rows of a query through a server-side cursor: memory stays flat whatever their number."""
    # Options of this statement only: on the connection they would turn its later statements into cursors too.
    options = {"stream_results": True, "max_row_buffer": size}
    yield from connection.execute(statement, parameters or {}, execution_options=options)


def blocks(
    connection: Connection, statement: TextClause, parameters: dict[str, Any] | None = None, *, size: int = 1000
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a query as plain tuples, ``size`` at a time, through a server-side cursor.

    They come from the driver itself: to wrap each row costs twice as much as to read it.
    """
    compiled = statement.compile(dialect=connection.dialect)
    raw: Any = connection.connection.dbapi_connection
    with raw.cursor(name="blocks") as cursor:
        cursor.itersize = size
        cursor.execute(str(compiled), compiled.construct_params(parameters or {}))
        while rows := cursor.fetchmany(size):
            yield rows
