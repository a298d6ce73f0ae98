"""The locks hold what the ``.in`` files ask for, with hashes, and agree with each other."""

from __future__ import annotations

import re

import pytest

from sandbox.lock import LOCKS
from sandbox.state import PROJECT

NAMES = [name for name, _ in LOCKS]
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?==([^\s;\\]+)([^\n]*)\n((?:    --hash=\S+[^\n]*\n)*)", re.M)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked(name: str) -> set[str]:
    """Names that an ``.in`` file lists, with those of the files it includes."""
    found = set()
    for line in (PROJECT / f"{name}.in").read_text().splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("-r "):
            found |= asked(text[3:].strip().removesuffix(".in"))
        elif text:
            found.add(canonical(re.split(r"[\[<>=!~; ]", text)[0]))
    return found


def pins(name: str) -> dict[tuple[str, str], int]:
    """(name, version) → number of hashes."""
    text = (PROJECT / f"{name}.txt").read_text()
    return {(canonical(m[1]), m[2]): m[4].count("--hash=sha256:") for m in _PIN.finditer(text)}


@pytest.mark.parametrize("name", NAMES)
def test_the_lock_holds_everything_asked_for(name: str) -> None:
    locked = {package for package, _ in pins(name)}
    assert asked(name)
    assert asked(name) <= locked, "run `make lock`"


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_hashes(name: str) -> None:
    text = (PROJECT / f"{name}.txt").read_text()
    assert len(pins(name)) == len(re.findall(r"^[A-Za-z0-9][\w.\[\],-]*==", text, re.M))
    assert min(pins(name).values()) > 0


@pytest.mark.parametrize("name", NAMES)
def test_no_lock_names_an_index_or_a_path(name: str) -> None:
    text = (PROJECT / f"{name}.txt").read_text()
    assert not re.search(r"https?://|--(?:extra-)?index-url|file:|^\s*-e|/home/|/root/", text, re.M)


def test_development_has_the_very_versions_of_production() -> None:
    assert set(pins("requirements")) <= set(pins("requirements-dev"))
