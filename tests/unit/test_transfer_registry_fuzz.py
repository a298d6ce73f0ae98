"""Whatever is written into the registry's files: read, or refused with a clear error that quotes no value."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from privacy_ops.errors import ConfigError
from privacy_ops.transfers import registry

from tests.unit.transfer_flows import ROOT, reference

TABLES = reference()
SOURCE = ROOT / "include" / "registry"
# The files of this registry; recipients, parties and promises are read by others.
OTHERS = {"recipients.yaml", "downstream.yaml", "promises.yaml"}
FILES = sorted(path.name for path in SOURCE.glob("*.yaml") if path.name not in OTHERS)
SECRET = "hunter2Xq9"
LOAD = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(SOURCE, tmp_path_factory.mktemp("registry") / "registry"))


def load_with(folder: Path, name: str, body: bytes) -> str:
    """The error of reading the registry with one file replaced; "" when it was read."""
    before = (SOURCE / name).read_bytes()
    (folder / name).write_bytes(body)
    try:
        registry.load(folder, TABLES)
    except ConfigError as error:
        return str(error)
    finally:
        (folder / name).write_bytes(before)
    return ""


def test_the_files_themselves_are_read(folder: Path) -> None:
    assert len(FILES) >= 9
    assert all(load_with(folder, name, (SOURCE / name).read_bytes()) == "" for name in FILES)


@LOAD
@given(st.sampled_from(FILES), st.binary(max_size=200))
def test_any_bytes_are_refused_with_the_files_name(folder: Path, name: str, body: bytes) -> None:
    said = load_with(folder, name, body)

    assert name in said
    assert "What to do" in said


@LOAD
@given(st.sampled_from(FILES), st.data())
def test_a_file_with_a_piece_cut_out_is_read_or_refused(folder: Path, name: str, data: st.DataObject) -> None:
    whole = (SOURCE / name).read_bytes()
    first = data.draw(st.integers(0, len(whole)))
    last = data.draw(st.integers(first, len(whole)))
    said = load_with(folder, name, whole[:first] + whole[last:])

    assert said == "" or "What to do" in said


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where values stand below the one mapping of a file."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at] * (len(at) > 1) + [path for key, one in inside for path in _paths(one, (*at, key))]


PLACES = {name: _paths(yaml.safe_load((SOURCE / name).read_bytes())) for name in FILES}
ODD = st.sampled_from([
    f"https://user:{SECRET}@host.example.org", SECRET, {SECRET: SECRET}, [SECRET], 7, -1, 1e309, True, None, "", [], {},
    "2026-02-30", "9" * 5000, "NO", "\x07", "💥",
])  # fmt: skip


@LOAD
@given(st.sampled_from(FILES), ODD, st.data())
def test_a_value_of_another_kind_is_read_or_refused_and_never_quoted(
    folder: Path, name: str, odd: Any, data: st.DataObject
) -> None:
    raw = yaml.safe_load((SOURCE / name).read_bytes())
    *way, last = data.draw(st.sampled_from(PLACES[name]))
    inside = raw
    for key in way:
        inside = inside[key]
    inside[last] = odd
    said = load_with(folder, name, yaml.safe_dump(raw, allow_unicode=True).encode("utf-8", "surrogatepass"))

    assert f"user:{SECRET}" not in said
    assert said == "" or "What to do" in said
