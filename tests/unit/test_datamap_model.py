"""The map as it is written: what loads, what is refused, and what each refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from privacy_ops.datamap import loader
from privacy_ops.datamap.model import DataMap, EraseAction
from privacy_ops.errors import DataMapError
from pydantic import ValidationError

from tests.datamap_factories import a_map, raw_map

MAPS = Path(__file__).parents[2] / "include" / "datamap"


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["imp", "smallpress.yaml"])
def test_maps_in_the_repository_load_and_every_way_ends_at_a_person(name: str) -> None:
    data_map = loader.load(MAPS / name)
    for table, entry in data_map.tables.items():
        if entry.about == "subject":
            way = data_map.path_to_subject(table)
            assert not way or way[-1].to == data_map.subject.table


@pytest.mark.parametrize("name", ["imp", "smallpress.yaml"])
def test_what_every_kind_of_evidence_says_is_seen_between_two_nights(name: str) -> None:
    """The intake looks at rows that came or changed; links alone are looked at anew each time."""
    tables = loader.load(MAPS / name).tables
    told = {
        t: e for t, e in tables.items() for c in e.columns.values() for v in c.evidences if v.kind != "identity_link"
    }
    assert len(told) > 1
    assert [table for table, entry in told.items() if not entry.moments()] == []


def test_a_death_is_not_recorded_where_a_restriction_would_overwrite_it() -> None:
    raw = raw_map()
    restriction = raw["restriction"]
    column = raw["tables"][restriction["table"]]["columns"][restriction["column"]]
    column["counter_signal"] = {"code": "died", "values": ["deceased"]}
    with pytest.raises(ValidationError, match="overwrite the record that it has died"):
        DataMap.model_validate(raw)


def test_same_map_in_one_file_or_split_has_the_same_content(tmp_path: Path) -> None:
    raw = raw_map()
    whole = loader.load(write(tmp_path, "whole.yaml", raw))
    folder = tmp_path / "split"
    folder.mkdir()
    letters = {"letter": raw["tables"].pop("letter")}
    write(folder, "a.yaml", raw)
    write(folder, "b.yaml", {"tables": letters})
    assert loader.load(folder).tables == whole.tables


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("tables: [", "not valid YAML"),
        ("", "empty"),
        ("tables: {a: 1}\ntables: {b: 1}", "stands twice"),
    ],
)
def test_unreadable_file_is_named(tmp_path: Path, content: str, says: str) -> None:
    path = write(tmp_path, "map.yaml", content)
    with pytest.raises(DataMapError, match=says) as error:
        loader.load(path)
    assert str(path) in str(error.value)


def test_absent_map_says_how_to_draft_one(tmp_path: Path) -> None:
    with pytest.raises(DataMapError, match="map scaffold"):
        loader.load(tmp_path / "nothing.yaml")


def test_table_in_two_files_is_refused(tmp_path: Path) -> None:
    raw = raw_map()
    write(tmp_path, "a.yaml", raw)
    write(tmp_path, "b.yaml", {"tables": {"letter": raw["tables"]["letter"]}})
    with pytest.raises(DataMapError, match="listed in two files: letter"):
        loader.load(tmp_path)


def test_unknown_key_is_named_with_its_place(tmp_path: Path) -> None:
    raw = raw_map()
    raw["tables"]["person"]["colour"] = "blue"
    with pytest.raises(DataMapError, match=r"tables\.person\.colour"):
        loader.load(write(tmp_path, "map.yaml", raw))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda raw: raw["subject"].update(table="nobody"), "subject: no table nobody"),
        (lambda raw: raw["restriction"].update(column="mood"), r"restriction: no column person\.mood"),
        (lambda raw: raw["tables"]["note"].pop("link"), "no link to a person"),
        (lambda raw: raw["tables"]["note"]["link"].update(to="nowhere"), "no table nowhere"),
        (lambda raw: raw["tables"]["note"]["link"].update(columns=["ghost"]), "not listed: ghost"),
        (lambda raw: raw["tables"]["note"]["link"].update(references=["id", "mail"]), "differ in number"),
        (lambda raw: raw["tables"]["form"].update(link={"to": "person", "columns": ["id"]}), "about nobody"),
        (lambda raw: raw["tables"]["note"]["columns"]["picture"].update(object="attic"), "no object store attic"),
        (lambda raw: raw["usage"]["events"][0].update(at="when"), r"no column view_of_chapter\.when"),
    ],
)  # fmt: skip
def test_map_that_disagrees_with_itself_is_refused(change, says: str) -> None:
    raw = raw_map()
    change(raw)
    with pytest.raises(ValidationError, match=says):
        DataMap.model_validate(raw)


def test_links_in_a_circle_have_no_end() -> None:
    raw = raw_map()
    raw["tables"]["note"]["link"] = {"to": "receipt", "columns": ["id"]}
    raw["tables"]["receipt"]["link"] = {"to": "note", "columns": ["no"]}
    with pytest.raises(ValueError, match="do not lead to person"):
        DataMap.model_validate(raw).path_to_subject("note")


def test_emptied_columns_are_those_that_say_so_and_the_key_of_an_unlinked_table() -> None:
    raw = raw_map()
    assert a_map().tables["receipt"].emptied() == ("person_id", "payer")
    raw["tables"]["receipt"]["erase"] = "UNLINK"
    del raw["tables"]["receipt"]["columns"]["person_id"]["erase"]
    assert DataMap.model_validate(raw).tables["receipt"].emptied() == ("person_id", "payer")
    raw["tables"]["receipt"]["erase"] = "DELETE"
    assert DataMap.model_validate(raw).tables["receipt"].emptied() == ("payer",)


def test_a_column_takes_the_erase_action_of_its_table() -> None:
    note = a_map().tables["note"]
    assert (note.erase_of("words"), note.erase_of("answers")) == (EraseAction.DELETE, EraseAction.UNLINK)


def test_hash_moves_with_the_content() -> None:
    raw = raw_map()
    before = loader.sha256(DataMap.model_validate(raw))
    assert before == loader.sha256(a_map())
    raw["tables"]["note"]["retention"] = "25 months"
    assert before != loader.sha256(DataMap.model_validate(raw))
