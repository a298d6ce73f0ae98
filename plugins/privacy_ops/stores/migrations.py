"""Brings the gov schema to the newest revision with Alembic, without an alembic.ini."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from privacy_ops.errors import ConfigError
from privacy_ops.settings import home_directory
from privacy_ops.stores.database import Database

if TYPE_CHECKING:
    from alembic.config import Config


def _config(dsn: str) -> Config:
    from alembic.config import Config

    folder: Path = home_directory() / "include" / "migrations"
    if not (folder / "env.py").is_file():
        raise ConfigError("the migrations are missing", where=str(folder), do="restore them, or set PRIVACY_OPS_HOME")
    config = Config()
    # '%' would be read as interpolation by the configuration parser.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["dsn"] = dsn
    return config


def upgrade(dsn: str, revision: str = "head") -> str:
    """Migrate the database at ``dsn`` up to ``revision`` in one transaction; returns the revision reached.

    Nothing happens when it is there already. The role needs CREATE on the database (or to own gov).
    Raises StoreUnavailable, StoreRefused, DatabaseFault, ConfigError.
    """
    return _migrate(dsn, revision, up=True)


def downgrade(dsn: str, revision: str) -> str:
    """Migrate down to ``revision`` ("base" removes every table of gov, and what was recorded in them)."""
    return _migrate(dsn, revision, up=False)


def _migrate(dsn: str, revision: str, *, up: bool) -> str:
    from alembic import command
    from alembic.util.exc import CommandError

    database = Database(dsn, duty="migrate")
    config = _config(dsn)
    with database.transaction() as connection:
        config.attributes["connection"] = connection
        try:
            (command.upgrade if up else command.downgrade)(config, revision)
        except CommandError as error:
            raise ConfigError(
                f"the database cannot be migrated to {revision!r}: {error}",
                where=database.address,
                do="run the version of this project that migrated it last, or name a revision that exists",
            ) from None
        reached: list[str] = config.attributes["reached"]
    return reached[0] if reached else "base"


def head() -> str:
    """Newest revision that this code knows. Asks no database."""
    from alembic.script import ScriptDirectory

    folder = home_directory() / "include" / "migrations"
    found = ScriptDirectory(str(folder)).get_current_head()
    if found is None:
        raise ConfigError("the migrations are missing", where=str(folder), do="restore them, or set PRIVACY_OPS_HOME")
    return found


def current(dsn: str) -> str | None:
    """Revision of the database, or None when gov was never migrated."""
    database = Database(dsn, duty="migrate")
    with database.transaction(read_only=True) as connection:
        exists = connection.exec_driver_sql("SELECT to_regclass('gov.schema_version')").scalar_one()
        if exists is None:
            return None
        return connection.exec_driver_sql("SELECT version_num FROM gov.schema_version").scalar_one_or_none()
