"""Resolve ``requirements*.in`` to hashed, universal locks with uv (`make lock`).

Production first; development is resolved under its constraints, so that both agree on every version.
"""

from __future__ import annotations

import os
import subprocess
import sys

from sandbox.state import PROJECT

FLOOR = "3.11"  # the oldest Python that the locks must serve
LOCKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("requirements-bootstrap", ()),
    ("requirements", ()),
    ("requirements-dev", ("-c", "requirements.txt")),
    ("requirements-spark", ()),
)


def main(arguments: list[str] | None = None) -> int:
    """Write the locks. Arguments (``--upgrade``) go to uv."""
    uv = PROJECT / ".venv-tools" / "bin" / "uv"
    if not uv.exists():
        print(f"lock: {uv} is missing; remove .venv and run `make lock` again", file=sys.stderr)
        return 1
    extra = sys.argv[1:] if arguments is None else arguments
    for name, constraints in LOCKS:
        command = [str(uv), "pip", "compile", "--quiet", "--universal", "--python-version", FLOOR, "--generate-hashes"]
        subprocess.run(
            [*command, *constraints, *extra, f"{name}.in", "-o", f"{name}.txt"],
            cwd=PROJECT,
            check=True,
            # Headers name the command of this project, never a machine's paths or a package index.
            env={**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"},
        )
        print(f"lock: {name}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
