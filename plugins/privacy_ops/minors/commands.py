"""`python -m privacy_ops report | notice | service-levels`: what staff and the publisher's web page hand in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.minors import notices, reports, service_levels
from privacy_ops.workspace import Workspace

report_app = typer.Typer(no_args_is_help=True, help="Reports that a person is under 18.")
notice_app = typer.Typer(no_args_is_help=True, help="Answers to the notice about a closed account.")


@report_app.callback()
def _reports() -> None:
    """Keeps `add` a command of its own."""


@notice_app.callback()
def _notices() -> None:
    """Keeps `objection` a command of its own."""


@report_app.command("add")
def report_add(
    signal: Annotated[str, typer.Option(help="SIG-11: reported by people; SIG-20: by a processor")] = "SIG-11",
    reporter: Annotated[str, typer.Option(help=", ".join(reports.REPORTERS))] = "STAFF",
    key: Annotated[
        list[str] | None, typer.Option(help="Key of the account; asked for when left out, and never shown")
    ] = None,
    says: Annotated[str, typer.Option(help="UNDER_18, or the age that was named")] = "UNDER_18",
    ticket: Annotated[str | None, typer.Option(help="Where the report itself is kept")] = None,
) -> None:
    """Record that somebody says a person is under 18; the next intake restricts, and people decide."""
    workspace = Workspace.load(configuration.from_environment())
    if not key:  # not on the command line, where it would stay in the shell's history
        key = [str(typer.prompt(f"{part} of the person", hide_input=True)) for part in workspace.data_map.subject.key]
    number = reports.add(
        workspace, tuple(key), signal=signal, reporter=reporter, says=says, ticket=ticket, now=datetime.now(UTC)
    )
    typer.echo(f"report {number} recorded; the intake reads it within {workspace.thresholds.intake.minutes} minutes")


@notice_app.command("objection")
def notice_objection(
    token: Annotated[str, typer.Argument(help="From the link in the notice; - reads it from standard input")],
) -> None:
    """Record "this date is wrong"; exit 1 when it came too late and a person must answer."""
    workspace = Workspace.load(configuration.from_environment())
    given = typer.get_text_stream("stdin").readline() if token == "-" else token  # noqa: S105 - no password
    answer = notices.object_to(workspace, given, now=datetime.now(UTC))
    typer.echo(json.dumps(answer, sort_keys=True))
    if not answer["people_decide"]:
        raise typer.Exit(1)


def service_levels_command(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """Measure M1 to M8 from rows; exit 1 when a limit is breached."""
    workspace = Workspace.load(configuration.from_environment())
    levels = service_levels.measure(workspace, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(service_levels.facts(levels), sort_keys=True, indent=2))
    else:
        typer.echo(f"Last {workspace.thresholds.service_levels.window_days} days, and everything that still waits.")
        for level in levels:
            typer.echo(_line(level))
    if breached := [level.metric for level in levels if level.breached]:
        typer.echo(f"breached: {', '.join(breached)}")
        raise typer.Exit(1)


def _line(level: service_levels.Level) -> str:
    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:g}"

    bounds = f"target {number(level.target)}, limit {number(level.limit)}" if level.limit is not None else "reported"
    found = f"median {number(level.median)}, worst {number(level.worst)}"
    return (
        f"{level.metric}  {level.title:<36}{level.measured:>7} measured, {level.open} open; {found} {level.unit}"
        f" ({bounds}); {level.over} late, {level.breached} breached" + (f"; {level.note}" if level.note else "")
    )
