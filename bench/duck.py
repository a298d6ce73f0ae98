"""DuckDB as a second engine of the counting statements: the same text, on Parquet files that PostgreSQL filled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from privacy_ops.usage.period_view import INPUT
from sqlalchemy import Connection

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


@dataclass(frozen=True)
class Duck:
    """Keeps rows in tables of one DuckDB connection; only the sign before a parameter differs from PostgreSQL."""

    connection: duckdb.DuckDBPyConnection

    def forget(self, names: Sequence[str]) -> None:
        for name in names:
            self.connection.execute(f"DROP TABLE IF EXISTS {name}")

    def keep(self, name: str, query: str, bound: Mapping[str, int]) -> None:
        marked = _PARAMETER.sub(r"$\1", query)
        self.connection.execute(f"CREATE TEMPORARY TABLE {name} AS\n{marked}", dict(bound) or None)

    def settle(self, names: Sequence[str]) -> None:
        """DuckDB knows the size of what it keeps."""

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        return self.connection.execute(query).fetchall()


def export(connection: Connection, folder: Path) -> None:
    """Write the counting steps' input from a PostgreSQL transaction to one Parquet file per table."""
    raw: Any = connection.connection.dbapi_connection
    with duckdb.connect() as duck:
        for table in INPUT:
            text = folder / f"{table}.csv"
            with (
                raw.cursor() as cursor,
                text.open("wb") as file,
                cursor.copy(f"COPY {table} TO STDOUT (FORMAT csv, HEADER)") as copy,
            ):
                for block in copy:
                    file.write(block)
            columns = text.open(encoding="utf-8").readline().strip().split(",")
            types = {name: "DATE" if name == "london_day" else "INTEGER" for name in columns}
            duck.execute(
                f"COPY (SELECT * FROM read_csv('{text}', header = true, columns = {types}))"
                f" TO '{folder / table}.parquet' (FORMAT parquet)"
            )
            text.unlink()


def engine(folder: Path, threads: int = 2) -> Duck:
    """A DuckDB that reads the files of ``export`` whenever a statement names their tables."""
    connection = duckdb.connect(config={"threads": threads})
    for table in INPUT:
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{folder / table}.parquet')")
    return Duck(connection)
