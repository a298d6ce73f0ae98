"""The second publisher of `make bench` is what its measurements say: eleven tables, all in its map and its script."""

from __future__ import annotations

import re
from pathlib import Path

from privacy_ops.datamap import loader
from privacy_ops.datamap.model import EraseAction

from bench import journal

FOLDER = Path(journal.__file__).parent


def named(file: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (FOLDER / file).read_text(encoding="utf-8"), re.MULTILINE))


def test_map_schema_and_script_name_the_same_eleven_tables() -> None:
    tables = named("schema.sql", r"^CREATE TABLE (\S+) \(")
    data_map = loader.load(FOLDER / "map.yaml")
    assert len(tables) == 11
    assert set(data_map.tables) == tables
    assert {table.erase for table in data_map.tables.values()} == {EraseAction.DELETE}
    assert named("erase_by_hand.sql", r"^DELETE FROM (\S+) AS") == tables


def test_every_foreign_key_has_its_index() -> None:
    keys = named("fill.sql", r"^ALTER TABLE (\S+) ADD FOREIGN KEY \((\w+)\)")
    indexes = named("fill.sql", r"^CREATE INDEX ON (\S+) \((\w+)\)")
    by_primary_key = {("journal.profile", "user_id"), ("journal.progress", "enrolment_id")}
    assert len(keys) == 11
    assert keys - indexes == by_primary_key
