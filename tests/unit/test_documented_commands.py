"""Whoever follows the documents word by word finds every command and every option that they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from privacy_ops.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = typer.main.get_command(app)
WHOLE = re.compile(r"python -m privacy_ops ((?:[^`|\n\\]|\\\n)+)")


def leaf(words: list[str]) -> tuple[click.Command, list[str]] | None:
    """The command that the words begin with, and the words after it; None where they name none."""
    command: click.Command = COMMANDS
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return None
        command, words = command.commands[words[0]], words[1:]
    return command, words


def documented() -> Iterator[tuple[str, list[str], bool]]:
    """(where, words, whether the whole command is written out)."""
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for found in WHOLE.finditer(text):
            written = re.split(r"  +#| #|>| \|\| ", found[1].replace("\\\n", " "))[0].strip().rstrip(".,;:")
            yield path.name, shlex.split(written), True
        for found in re.finditer(r"`([a-z-]+ [a-z-]+)`", text):
            if found[1].split()[0] in COMMANDS.commands:
                yield path.name, found[1].split(), False


SAID = sorted({(where, tuple(words), whole) for where, words, whole in documented()})


def test_the_documents_were_read() -> None:
    assert {"certificate find", "hold place", "restore-replay --from", "ledger verify"} <= {
        " ".join(words[:2]) for _, words, _ in SAID
    }


@pytest.mark.parametrize(("where", "words", "whole"), SAID, ids=[" ".join(words) for _, words, _ in SAID])
def test_a_documented_command_exists_with_its_options(where: str, words: tuple[str, ...], whole: bool) -> None:
    found = leaf(list(words))
    assert found is not None, f"{where}: no such command"
    command, rest = found
    known = {name for parameter in command.params for name in parameter.opts}
    named = {word for word in rest if word.startswith("--")}
    assert named <= known, where
    if whole and rest and "…" not in words:
        asked = [p for p in command.params if isinstance(p, click.Option) and p.required]
        assert not [p.name for p in asked if not named & set(p.opts)], f"{where}: more must be named"
