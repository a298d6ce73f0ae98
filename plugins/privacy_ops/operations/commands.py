"""`doctor`: what a deployment lacks, with what to do about it."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.operations import deployment, doctor


def doctor_command(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
    with_airflow: Annotated[bool, typer.Option("--airflow/--no-airflow", help="Also ask Airflow")] = True,
) -> None:
    """Check this deployment and say what to mend; exit 1 when something must be mended."""
    found = deployment.look(configuration.from_environment(), now=datetime.now(UTC), with_airflow=with_airflow)
    problems = doctor.examine(found)
    must = [problem for problem in problems if problem.must]
    if as_json:
        shown = {"checks": [check.__name__ for check in doctor.CHECKS], "problems": [asdict(p) for p in problems]}
        typer.echo(json.dumps(shown, indent=2, sort_keys=True))
    else:
        for problem in problems:
            mark = "mend" if problem.must else "note"
            typer.echo(f"{mark}  {problem.check:<16} {problem.where}")
            for label, said in (("", problem.what), ("do: ", problem.do)):
                typer.echo(textwrap.fill(label + said, 110, initial_indent=" " * 6, subsequent_indent=" " * 8))
        typer.echo(f"{len(doctor.CHECKS)} checks, {len(must)} to mend, {len(problems) - len(must)} to know.")
    if must:
        raise typer.Exit(1)
