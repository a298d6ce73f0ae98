"""A mistake to find on the tour: somebody typed a course that does not exist into the registry of recipients.

python -m sandbox.mistake        load it, and start an export, whose first gate will shut
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from privacy_ops import settings as settings_of
from privacy_ops.usage import recipients
from privacy_ops.workspace import Workspace

from sandbox import facts
from sandbox.airflow_api import DagRun
from sandbox.runtime import FAILURES, Runtime

EXPORT = "course_usage_export"
RIGHT, WRONG = "5", "505"
ENGINEER = "emil"


def mistyped(registry: str) -> str:
    """The registry's text with one course id of its entitlements mistyped. Raises ValueError when it names none."""
    entries = yaml.safe_load(registry)
    for entitlement in entries["entitlements"]:
        if RIGHT in entitlement["courses"]:
            entitlement["courses"] = [WRONG if course == RIGHT else course for course in entitlement["courses"]]
            return str(yaml.safe_dump(entries, sort_keys=False))
    raise ValueError(f"nobody is entitled to course {RIGHT}")


def make(runtime: Runtime) -> DagRun:
    """Load the mistyped registry and start an export of a week that nobody was given yet; returns the run.

    Raises one of FAILURES.
    """
    workspace = Workspace.load(settings_of.from_environment(runtime.project_environment()))
    text = workspace.settings.recipients_path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="privacy-ops-mistake-") as folder:
        path = Path(folder) / "recipients.yaml"
        path.write_text(mistyped(text), encoding="utf-8")
        with workspace.database("migrate").transaction() as connection:
            recipients.load_registry(connection, path, workspace.settings.keys)
    engineer = runtime.api(ENGINEER)
    engineer.unpause(EXPORT)
    return engineer.trigger(EXPORT, conf={"iso_week": facts.next_older_week(runtime)})


def mend(runtime: Runtime) -> None:
    """Load the registry as it stands in the file."""
    workspace = Workspace.load(settings_of.from_environment(runtime.project_environment()))
    with workspace.database("migrate").transaction() as connection:
        recipients.load_registry(connection, workspace.settings.recipients_path, workspace.settings.keys)


def main() -> int:
    runtime = Runtime()
    try:
        run = make(runtime)
    except FAILURES as error:
        runtime.console.print(f"[red]{error}[/red]")
        return 1
    runtime.console.print(f"{EXPORT} {run.run_id} was started; its first gate will shut. Find out why: docs/tour.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
