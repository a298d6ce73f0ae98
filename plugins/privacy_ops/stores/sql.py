"""Fixed statements: one per file below ``include/sql``, found by area and name.

A file begins with a header of ``--`` lines (purpose, parameters, grain, idempotency) and holds one
statement with ``:name`` parameters. Values are always bound; identifiers are never put into a file.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import TextClause, text

from privacy_ops.errors import ConfigError
from privacy_ops.settings import home_directory


@cache
def read_statement(area: str, name: str) -> str:
    """Text of ``include/sql/<area>/<name>.sql``. Raises ConfigError when it is not there."""
    path = home_directory() / "include" / "sql" / area / f"{name}.sql"
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise ConfigError("an SQL statement is missing", where=str(path), do="restore it from the repository") from None


def statement(area: str, name: str) -> TextClause:
    """The same as an executable SQLAlchemy clause."""
    return text(read_statement(area, name))
