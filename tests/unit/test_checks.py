"""`make test`: what runs beside the tests is heard, and what the tests wrote into memory is gone afterwards."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import checks
from sandbox.checks import Beside, Check

GOOD = Check("good", (sys.executable, "-S", "-c", "print('not shown')"))
BAD = Check("bad", (sys.executable, "-S", "-c", "raise SystemExit('what is wrong')"))
ABSENT = Check("absent", ("./no-such-program",))


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(checks, "MEMORY", tmp_path)
    monkeypatch.setattr(checks, "MEMORY_NEEDED", 0)
    return tmp_path


@pytest.mark.parametrize(
    ("them", "held"), [([GOOD, GOOD], True), ([BAD, GOOD], False), ([GOOD, BAD], False)], ids=["good", "first", "last"]
)
def test_a_check_that_fails_beside_the_tests_is_shown_and_hides_no_other(
    them: list[Check], held: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = Beside(them)
    beside.start()
    assert beside.held() is held
    said = capsys.readouterr().out
    assert said.count("ok   good") == them.count(GOOD)
    assert ("what is wrong" in said) is not held
    assert "not shown" not in said


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_check_that_could_not_be_run_did_not_hold() -> None:
    beside = Beside([GOOD, ABSENT])
    beside.start()
    assert beside.held() is False


def test_the_folder_in_memory_goes_with_the_tests_and_so_does_what_killed_ones_left(memory: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    (memory / f"privacy-ops-checks-{ended.pid}-left").mkdir()
    (memory / "of-somebody-else").mkdir()
    with contextlib.suppress(KeyboardInterrupt), checks.temporary_folder() as said:
        folder = Path(said["TMPDIR"])
        (folder / "data").write_text("x")
        assert folder.parent == memory
        with checks.temporary_folder():  # another run meanwhile leaves this one alone
            assert (folder / "data").exists()
        raise KeyboardInterrupt
    assert [path.name for path in memory.iterdir()] == ["of-somebody-else"]


@pytest.mark.parametrize("missing", ["room", "folder"])
def test_without_room_in_memory_the_tests_use_the_systems_folder(
    memory: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "room":
        monkeypatch.setattr(checks, "MEMORY_NEEDED", 2**62)
    else:
        monkeypatch.setattr(checks, "MEMORY", memory / "absent")
    with checks.temporary_folder() as said:
        assert said == {}


def test_the_checks_take_over_no_setting_of_ours_and_keep_what_python_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = ("AIRFLOW__CORE__FERNET_KEY", "PRIVACY_OPS_TEST_MOMENTS", "PYTHONDONTWRITEBYTECODE")
    for name in (*theirs, "PYTHONUNBUFFERED"):
        monkeypatch.setenv(name, "1")
    found = checks.environment()
    assert not found.keys() & set(theirs)
    assert found["PYTHONUNBUFFERED"] == "1"
