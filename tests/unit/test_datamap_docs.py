"""The data dictionary is the map, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from privacy_ops.datamap import check, docs, loader

from tests.datamap_factories import a_map

PROJECT = Path(__file__).parents[2]


def test_data_dictionary_in_the_repository_is_not_stale() -> None:
    written = (PROJECT / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    fresh = docs.render(loader.load(PROJECT / "include" / "datamap" / "imp"))
    assert written == fresh, "run `python -m privacy_ops map docs`"


def test_every_table_and_column_and_store_is_in_it() -> None:
    data_map = a_map()
    text = docs.render(data_map)
    for name, table in data_map.tables.items():
        section = text.split(f"### {name}\n")[1].split("\n### ")[0]
        for column in table.columns:
            assert f"| `{column}` |" in section
    for store in data_map.objects.values():
        assert f"`{store.bucket}/{store.prefix}`" in text


def test_statistics_list_holds_only_what_may_feed_or_filter() -> None:
    section = docs.render(a_map()).split("## What a statistic may read")[1].split("\n## ")[0]
    assert "`person.staff` | filter" in section
    assert "`view_of_chapter.seconds` | feed" in section
    assert "mail" not in section


def test_evidence_inside_json_names_its_key() -> None:
    assert "| SIG-03 | age as a number, with the day it was stated | `note.facts` → `age` |" in docs.render(a_map())


def test_every_problem_code_is_explained_and_no_other() -> None:
    code = re.compile(r"MAP-[A-Z]+(?:-[A-Z]+)*")
    source = Path(check.__file__).read_text(encoding="utf-8")
    guide = (PROJECT / "docs" / "data_map.md").read_text(encoding="utf-8")
    assert set(code.findall(guide)) == set(code.findall(source))
