"""The environment is made by any Python, from the lock alone, and an interrupted install is begun anew."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import bootstrap
from sandbox.bootstrap import BootstrapError, candidates, find_python, is_current, main, make_environment
from sandbox.state import PROJECT


def fake_python(folder: Path, name: str, version: str) -> Path:
    """A program that answers the probe as a Python of ``version`` would."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {version}\necho '{path}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "a home with blanks"
    folder.mkdir()
    return folder


def environ(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": str(home / "bin"), "HOME": str(home), **more}


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_each_supported_version_fits(home: Path, version: str) -> None:
    path = fake_python(home / "bin", f"python{version}", version)
    assert find_python(environ(home)) == (version, str(path))


@pytest.mark.parametrize("version", ["3.10", "3.14", "2.7"])
def test_an_unsupported_version_is_refused_by_name(home: Path, version: str) -> None:
    path = fake_python(home / "bin", "python3", version)
    with pytest.raises(BootstrapError, match=re.escape(f"{path} (is {version})")):
        find_python(environ(home))


def test_no_python_at_all_says_what_was_looked_for(home: Path) -> None:
    with pytest.raises(BootstrapError, match=r"3\.11, 3\.12 or 3\.13.*python3\.12, python3\.13") as error:
        find_python(environ(home))
    assert "make PYTHON=" in str(error.value)


def test_python_3_12_is_preferred(home: Path) -> None:
    for version in ("3.11", "3.13", "3.12"):
        fake_python(home / "bin", f"python{version}", version)
    assert find_python(environ(home))[0] == "3.12"


def test_one_that_only_pyenv_holds_is_found(home: Path) -> None:
    path = fake_python(home / ".pyenv/versions/3.12.1/bin", "python3", "3.12")
    assert find_python(environ(home)) == ("3.12", str(path))


def test_the_named_one_is_taken_and_no_other(home: Path) -> None:
    fake_python(home / "bin", "python3.12", "3.12")
    named = fake_python(home, "mine", "3.13")
    assert candidates(environ(home, PYTHON=str(named))) == [str(named)]
    assert find_python(environ(home, PYTHON=str(named)))[0] == "3.13"
    with pytest.raises(BootstrapError, match="/nowhere/python"):
        find_python(environ(home, PYTHON="/nowhere/python"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an empty lock, installed by a uv that does nothing but count."""
    root = tmp_path / "a project with blanks"
    root.mkdir()
    (root / bootstrap.LOCK).write_text("# nothing\n")
    tools = root / ".venv-tools"
    (tools / "bin").mkdir(parents=True)
    uv = tools / "bin" / "uv"
    uv.write_text('#!/bin/sh\necho x >> "$0.calls"\ntest ! -e "$0.broken"\n')
    uv.chmod(0o755)
    monkeypatch.setattr(bootstrap, "make_tools", lambda root, pythons: tools)
    monkeypatch.setattr(bootstrap, "installer_settings", lambda python: {})
    return root


def calls(project: Path) -> int:
    counted = project / ".venv-tools" / "bin" / "uv.calls"
    return len(counted.read_text().splitlines()) if counted.exists() else 0


NAMED = {"PYTHON": sys.executable, "PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def test_the_second_call_installs_nothing(project: Path) -> None:
    make_environment(project, NAMED)
    assert is_current(project, NAMED)
    make_environment(project, NAMED)
    assert calls(project) == 1


def test_a_changed_lock_is_installed(project: Path) -> None:
    make_environment(project, NAMED)
    (project / bootstrap.LOCK).write_text("# something else\n")
    assert not is_current(project, NAMED)
    make_environment(project, NAMED)
    assert calls(project) == 2


def test_an_interrupted_install_is_begun_anew(project: Path) -> None:
    broken = project / ".venv-tools" / "bin" / "uv.broken"
    broken.touch()
    with pytest.raises(BootstrapError, match="begins anew"):
        make_environment(project, NAMED)
    remains = project / ".venv" / "half-installed"
    remains.touch()
    assert not is_current(project, NAMED)
    broken.unlink()

    make_environment(project, NAMED)

    assert is_current(project, NAMED)
    assert not remains.exists()


def test_an_environment_that_was_moved_is_not_current(project: Path) -> None:
    make_environment(project, NAMED)
    moved = project.with_name("moved")
    project.rename(moved)
    assert not is_current(moved, NAMED)


def test_a_failure_is_one_line_and_an_exit_code(project: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(project, environ(home)) == 1
    said = capsys.readouterr().err
    assert said.startswith("bootstrap: no Python that fits")
    assert "Traceback" not in said


def test_it_needs_nothing_but_the_standard_library() -> None:
    """Isolated from every installed package, it still imports."""
    code = f"import sys; sys.path.insert(0, {str(PROJECT / 'sandbox')!r}); import bootstrap"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
