"""Spark as a third engine of the counting statements: the same text, on the same Parquet files.

pyspark is large and wanted here alone, so it is installed beside the environment, below ``var``, when a proof asks.
The engine runs in a process of its own, with that folder on its path:

    PYTHONPATH=plugins:.:var/spark python -m bench.spark <folder of Parquet> <answer>
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privacy_ops.settings import home_directory
from privacy_ops.stores.database import Database
from privacy_ops.usage import counting, periods, places
from privacy_ops.usage.counting import Postgres, TrueCell
from privacy_ops.usage.period_view import INPUT, Lists

from bench import duck, exports
from sandbox.state import PROJECT

FOLDER = PROJECT / "var" / "spark"
LOCK = PROJECT / "requirements-spark.txt"
PEOPLE, EVENTS = 100_000, 100_000


class CannotRun(RuntimeError):
    """Java or pyspark cannot be had."""


@dataclass(frozen=True)
class Sparked:
    """Keeps rows in cached views of one Spark session; Spark knows named parameters by the same sign."""

    session: Any

    def forget(self, names: Sequence[str]) -> None:
        for name in names:
            self.session.catalog.dropTempView(name)

    def keep(self, name: str, query: str, bound: Mapping[str, int]) -> None:
        frame = self.session.sql(query, args=dict(bound)).cache()
        frame.count()  # now: each step reads those before it, and plans of plans grow
        frame.createOrReplaceTempView(name)

    def settle(self, names: Sequence[str]) -> None:
        """Spark looks at what it keeps by itself."""

    def rows(self, query: str) -> Sequence[Sequence[Any]]:
        return [tuple(row) for row in self.session.sql(query).collect()]


@dataclass(frozen=True)
class Compared:
    """Cells that are equal on all three engines, and seconds of each."""

    events: int
    cells: int
    seconds: Mapping[str, float]


def install() -> None:
    """pyspark below ``var``, from its lock. Raises CannotRun."""
    if shutil.which("java") is None:
        raise CannotRun("Java is missing")
    if (FOLDER / "pyspark").is_dir():
        return
    uv = PROJECT / ".venv-tools" / "bin" / "uv"
    if not uv.exists():
        raise CannotRun("uv is missing")
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(FOLDER)]
    done = subprocess.run([*command, "--require-hashes", "-r", str(LOCK)], check=False, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(FOLDER, ignore_errors=True)
        raise CannotRun("pyspark could not be installed")


def compare(dsn: str, *, people: int = PEOPLE, events: int = EVENTS) -> Compared:
    """One made-up quarter on PostgreSQL, DuckDB and Spark. Raises CannotRun, AssertionError where a cell differs."""
    install()
    seconds = {}
    with Database(dsn).transaction() as connection, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lists = exports.make_week(connection, people=people, events=events)
        due = counting.due(exports.PERIOD, dict.fromkeys(lists.courses, exports.PERIOD.kind))
        duck.export(connection, folder)
        engines = {"PostgreSQL": Postgres(connection), "DuckDB": duck.engine(folder)}
        found: dict[str, list[TrueCell]] = {}
        for name, engine in engines.items():
            began = time.perf_counter()
            found[name] = counting.count(engine, exports.PERIOD, lists, due, exports.CAP_SECONDS)
            seconds[name] = time.perf_counter() - began
        answer = folder / "answer.json"
        (folder / "lists.json").write_text(json.dumps([lists.courses, lists.modules]), encoding="utf-8")
        path = os.pathsep.join([str(PROJECT / "plugins"), str(PROJECT), str(FOLDER)])
        subprocess.run(
            [sys.executable, "-m", "bench.spark", str(folder), str(answer)],
            check=True,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
        )
        told = json.loads(answer.read_text(encoding="utf-8"))
    seconds["Spark"] = told["seconds"]
    here = [list(cell) for cell in found["PostgreSQL"]]
    assert found["DuckDB"] == found["PostgreSQL"], "DuckDB and PostgreSQL differ"
    assert told["cells"] == here, "Spark and PostgreSQL differ"
    assert here, "nothing was counted"
    return Compared(events, len(here), seconds)


def _count(folder: Path, answer: Path) -> None:
    """In the process that has pyspark."""
    import pyspark.sql

    session = (
        pyspark.sql.SparkSession.builder
        .master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .getOrCreate()
    )
    try:
        for table in INPUT:
            session.read.parquet(str(folder / f"{table}.parquet")).createOrReplaceTempView(table)
        courses, modules = json.loads((folder / "lists.json").read_text(encoding="utf-8"))
        reference = places.load(home_directory() / "include" / "reference")
        lists = Lists(tuple(courses), tuple((course, module) for course, module in modules), reference)
        due = counting.due(periods.from_key(exports.PERIOD.key), dict.fromkeys(lists.courses, exports.PERIOD.kind))
        began = time.perf_counter()
        cells = counting.count(Sparked(session), exports.PERIOD, lists, due, exports.CAP_SECONDS)
        spent = time.perf_counter() - began
        told = {"seconds": spent, "cells": [list(cell) for cell in cells]}
        answer.write_text(json.dumps(told), encoding="utf-8")
    finally:
        session.stop()


if __name__ == "__main__":
    _count(Path(sys.argv[1]), Path(sys.argv[2]))
