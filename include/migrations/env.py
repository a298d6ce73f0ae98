"""Alembic environment of the gov schema. The address comes from ``config.attributes['dsn']``."""

from alembic import context
from sqlalchemy import create_engine, text

engine = create_engine(context.config.attributes["dsn"], hide_parameters=True)
with engine.begin() as connection:
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS gov"))
    context.configure(connection=connection, version_table="schema_version", version_table_schema="gov")
    with context.begin_transaction():
        context.run_migrations()
