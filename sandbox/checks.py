"""What CI runs: each check is one line, and a failing one shows what it said. pytest comes last, in full view.

python -m sandbox.checks [lint | test] [pytest arguments]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.state import PROJECT

BIN = Path(sys.executable).parent
# A file stays on one worker, with its fixtures; in the order of collection, the slow ones first. One worker more than
# two processors: each waits for its own servers some of the time.
PARALLEL = ("--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder")


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
    """The checks' environment: our package on the path, none of the caller's settings of Airflow or of us."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PRIVACY_OPS"))}
    return {**kept, "PYTHONPATH": str(PROJECT / "plugins")}


def run(check: Check) -> bool:
    """Run one check and print its line; True when it held."""
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
    print(f"{'ok  ' if held else 'FAIL'} {check.title} ({time.monotonic() - began:.1f} s)", flush=True)
    if not held:
        print(done.stdout.rstrip(), flush=True)
    return held


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when everything held. A failed lint does not hide what the tests say."""
    asked = sys.argv[1:] if arguments is None else arguments
    what = asked[0] if asked else "test"
    results = [run(check) for check in lint_checks()]  # all of them, also after one that failed
    held = all(results)
    if what == "lint":
        return 0 if held else 1
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", *PARALLEL, *asked[1:]],
        cwd=PROJECT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if not held:
        print("FAIL: the tests above ran, but a check before them failed", file=sys.stderr)
    return tests.returncode or (0 if held else 1)


if __name__ == "__main__":
    sys.exit(main())
