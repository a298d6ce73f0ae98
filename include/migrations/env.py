"""Alembic environment of the gov schema.

The caller gives the transaction in ``config.attributes["connection"]``, so that several revisions are
applied together or not at all; or only an address in ``config.attributes["dsn"]``.
"""

from contextlib import nullcontext

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

# One migration at a time; the lock is the transaction's.
_LOCK = 20180515, 2


def migrate(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": _LOCK[0], "b": _LOCK[1]})
    if connection.execute(text("SELECT to_regnamespace('gov')")).scalar_one() is None:
        connection.execute(text("CREATE SCHEMA gov"))
    options = {"version_table": "schema_version", "version_table_schema": "gov"}
    context.configure(connection=connection, **options)
    with context.begin_transaction():
        context.run_migrations()
    reached = MigrationContext.configure(connection, opts=options).get_current_heads()
    context.config.attributes["reached"] = list(reached)


given = context.config.attributes.get("connection")
if given is not None:
    opened = nullcontext(given)
else:
    opened = create_engine(context.config.attributes["dsn"], hide_parameters=True).begin()
with opened as connection:
    migrate(connection)
