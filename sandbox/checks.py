"""What CI runs: each check is one line, and a failing one shows what it said; pytest runs beside them, in full view.

python -m sandbox.checks [lint | test] [pytest arguments]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.state import PROJECT

BIN = Path(sys.executable).parent
# A file stays on one worker, with its fixtures; in the order of collection, the slow ones first. One worker more than
# two processors: each waits for its own servers some of the time.
PARALLEL = ("--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder")

# The tests copy and drop a database hundreds of times, thousands of files each: in memory that costs a tenth.
MEMORY = Path("/dev/shm")  # ruff: ignore[S108] a folder of its own is made in it
MEMORY_NEEDED = 6 * 1024**3  # bytes: for the data and logs of each worker's server, and of the demo's


@dataclass(frozen=True)
class Check:
    """A command that must end with 0. Programs are started through this environment's Python."""

    title: str
    command: tuple[str, ...]


def _tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(BIN / name), *arguments)


def _shipped(sources: list[str]) -> list[str]:
    """What runs outside the tests."""
    return [name for name in sources if name != "tests"]


def lint_checks() -> list[Check]:
    """Everything that reads and does not run. Only what exists is checked."""
    sources = [
        name for name in ("bench", "dags", "include", "plugins", "sandbox", "tests") if (PROJECT / name).is_dir()
    ]
    checks = [
        Check("ruff check", _tool("ruff", "check", "--quiet", *sources)),
        Check("ruff format", _tool("ruff", "format", "--check", "--quiet", *sources)),
        Check(
            "security (bandit)",
            _tool("bandit", "--quiet", "--recursive", "--configfile", "pyproject.toml", *_shipped(sources)),
        ),
        Check("types (mypy)", _tool("mypy")),
        Check("direction of imports (import-linter)", _tool("lint-imports", "--no-logo")),
        Check(
            "SQL (sqlfluff)",
            _tool("sqlfluff", "lint", "--nocolor", "--disable-progress-bar", "--processes", "2", "include/sql"),
        ),
        Check(
            "YAML (yamllint)",
            _tool("yamllint", "--strict", *sources, *sorted(path.name for path in PROJECT.glob("*.yaml"))),
        ),
    ]
    if (PROJECT / "docker-compose.yaml").exists():
        compose = ("--builtin-schema", "vendor.compose-spec", "docker-compose.yaml")
        checks.append(Check("docker-compose.yaml", _tool("check-jsonschema", *compose)))
    helm = PROJECT / "include" / "kubernetes"
    if (helm / "values.yaml").exists():
        values = ("--schemafile", str(helm / "values.schema.json"), str(helm / "values.yaml"))
        checks.append(Check("values of the Helm chart", _tool("check-jsonschema", *values)))
    return checks


def environment() -> dict[str, str]:
    """The checks' environment: our package on the path, none of the caller's settings of Airflow or of us.

    Nor the wish to keep no bytecode: the tests start dozens of programs, and each would compile us for half a second.
    """
    ours = ("AIRFLOW", "PRIVACY_OPS", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return {**kept, "PYTHONPATH": str(PROJECT / "plugins")}


@contextmanager
def temporary_folder() -> Iterator[dict[str, str]]:
    """Where the tests put what they make: a folder in memory, or the system's own when there is no room.

    Yields the variable that says so; the folder is gone afterwards. What killed runs left goes first.
    """
    for left in MEMORY.glob("privacy-ops-checks-*-*"):
        if not psutil.pid_exists(int(left.name.split("-")[3])):
            shutil.rmtree(left, ignore_errors=True)
    if not _has_room(MEMORY):
        yield {}
        return
    folder = Path(tempfile.mkdtemp(prefix=f"privacy-ops-checks-{os.getpid()}-", dir=MEMORY))
    folder.chmod(0o711)  # the database server runs as another user when the tests run as root
    try:
        yield {"TMPDIR": str(folder)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_room(folder: Path) -> bool:
    """Whether much may be written to ``folder`` in memory, and programs that lie there may be run."""
    if not os.access(folder, os.W_OK) or os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
        return False
    return min(shutil.disk_usage(folder).free, psutil.virtual_memory().available) > MEMORY_NEEDED


def judge(check: Check) -> tuple[bool, str]:
    """Run one check: whether it held, and its line, with what it said when it did not."""
    began = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    held = done.returncode == 0
    line = f"{'ok  ' if held else 'FAIL'} {check.title} ({time.monotonic() - began:.1f} s)"
    return held, line if held else f"{line}\n{done.stdout.rstrip()}"


def run(check: Check) -> bool:
    """Run one check and print its line; True when it held."""
    held, said = judge(check)
    print(said, flush=True)
    return held


class Beside(threading.Thread):
    """Runs the checks one after the other while something else goes on, and keeps what they had to say."""

    def __init__(self, checks: list[Check]) -> None:
        super().__init__(daemon=True)
        self._checks = checks
        self.said: list[tuple[bool, str]] = []

    def run(self) -> None:
        for check in self._checks:
            self.said.append(judge(check))

    def held(self) -> bool:
        """Wait for the rest; print what each said. True when all held, and none is missing."""
        self.join()
        for _, said in self.said:
            print(said, flush=True)
        return len(self.said) == len(self._checks) and all(held for held, _ in self.said)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when everything held. A failed lint does not hide what the tests say, nor they what it says."""
    asked = sys.argv[1:] if arguments is None else arguments
    if asked and asked[0] == "lint":
        results = [run(check) for check in lint_checks()]  # all of them, also after one that failed
        return 0 if all(results) else 1
    beside = Beside(lint_checks())  # the tests wait for their own servers some of the time
    beside.start()
    with temporary_folder() as folder:
        tests = subprocess.run(
            [sys.executable, "-m", "pytest", *PARALLEL, *asked[1:]],
            cwd=PROJECT,
            env=environment() | folder,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    held = beside.held()
    if not held or tests.returncode:
        wrong = [*(["a check"] if not held else []), *(["the tests"] if tests.returncode else [])]
        print(f"FAIL: {' and '.join(wrong)}", file=sys.stderr)
    return tests.returncode or (0 if held else 1)


if __name__ == "__main__":
    sys.exit(main())
