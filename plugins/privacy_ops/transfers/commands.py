"""``python -m privacy_ops transfers …``: review the reference data, check the declarations, judge another day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.errors import UserError
from privacy_ops.stores.database import Database
from privacy_ops.transfers import intake_commands, inventory
from privacy_ops.transfers.assemble import assemble
from privacy_ops.transfers.judge import Verdict, judge
from privacy_ops.transfers.observers import DataMapObserver, RegistryObserver
from privacy_ops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Cross-border transfers: reference data, declarations, judgement.")
app.add_typer(intake_commands.app, name="load")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is not a date", do="write YYYY-MM-DD") from None


@app.command("review")
def review(by: Annotated[str, typer.Option(help="Name of the person who reviewed include/reference")]) -> None:
    """Record that a person has reviewed exactly these reference tables; the inventory gate asks for it weekly."""
    settings = configuration.from_environment()
    tables = inventory.load_reference(settings.include)
    at = datetime.now(UTC)
    with Database.for_duty(settings, inventory.DUTY).transaction() as connection:
        inventory.record_review(connection, reviewer=by, reviewed_at=at, reference_sha256=tables.sha256)
    typer.echo(f"recorded: {by.strip()} reviewed reference {tables.version} ({tables.sha256[:12]}) on {at:%Y-%m-%d}")


@app.command("check")
def check() -> None:
    """Read reference data and registry and say what they hold; an error names file and line. Needs no database."""
    settings = configuration.from_environment()
    tables = inventory.load_reference(settings.include)
    declared = inventory.load_registry(settings.include, tables)
    typer.echo(
        f"reference {tables.version}: {len(tables.instruments)} instrument rows, {len(tables.territories)} codes,"
        f" {len(tables.cloud_regions)} regions; {sum(row.needs_check for row in tables.rows)} rows ask to be verified"
    )
    typer.echo(
        f"registry: {len(declared.transfers)} transfers to {len(declared.processors)} processors on"
        f" {len(declared.mechanisms)} mechanisms"
    )


@app.command("judge")
def judge_day(
    on: Annotated[str, typer.Option(help="Judge as of this day, YYYY-MM-DD")],
    known: Annotated[str | None, typer.Option(help="With the knowledge of this day [default: the same]")] = None,
) -> None:
    """Judge the declared flows as of a day; exit 1 when one is not covered. Writes nothing, needs no database."""
    settings = configuration.from_environment()
    workspace = Workspace.load(settings)
    tables = inventory.load_reference(settings.include)
    declared = inventory.load_registry(settings.include, tables)
    day = _day(on)
    knowledge = _day(known) if known else day
    bad = 0
    looks = (DataMapObserver(workspace.data_map, tables), RegistryObserver(declared))
    for entry in assemble([look.observe() for look in looks], declared, workspace.data_map, tables):
        flow = entry.flow
        judged = judge(flow, tables, day, knowledge, inventory.rules_of(workspace))
        bad += any(j.verdict.rank <= Verdict.UNRESOLVED.rank for j in judged.values())
        typer.echo(
            f"{flow.place} {flow.nature} {flow.country} {flow.importer.entity_id}: "
            + ", ".join(f"{regime} {j.verdict} {j.instrument}".rstrip() for regime, j in judged.items())
        )
    if bad:
        typer.echo(f"{bad} flow(s) not covered on {day.isoformat()}")
        raise typer.Exit(1)
