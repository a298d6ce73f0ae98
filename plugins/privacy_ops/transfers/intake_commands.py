"""``python -m privacy_ops transfers load …``: take over lists that the observers read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.errors import UserError
from privacy_ops.stores.database import Database
from privacy_ops.transfers import intake, inventory

app = typer.Typer(no_args_is_help=True, help="Lists that the observers read: people, accesses, sub-processors.")

FileArgument = Annotated[Path, typer.Argument(help="CSV file, UTF-8, with a header line")]


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text) if text else datetime.now(UTC).date()
    except ValueError:
        raise UserError("this is not a date", do="write YYYY-MM-DD") from None


@app.command("people")
def people(file: FileArgument, on: Annotated[str | None, typer.Option(help="Day of the list [today]")] = None) -> None:
    """Who may reach personal data: staff_ref, engagement, employer, home_country, ended_on. Replaces the list."""
    settings = configuration.from_environment()
    tables = inventory.load_reference(settings.include)
    with Database.for_duty(settings, inventory.DUTY).transaction() as connection:
        count = intake.load_people(connection, file, tables, listed_on=_day(on))
    typer.echo(f"{count} people with access")


@app.command("accesses")
def accesses(file: FileArgument) -> None:
    """Append accesses: actor, at, ip, country, store, purpose, ticket_id. Deleted again when they have aged."""
    settings = configuration.from_environment()
    with Database.for_duty(settings, inventory.DUTY).transaction() as connection:
        count = intake.load_accesses(connection, file)
    typer.echo(f"{count} accesses")


@app.command("subprocessors")
def subprocessors(
    file: FileArgument,
    processor: Annotated[str, typer.Option(help="Key of the processor in the registry")],
    source: Annotated[str, typer.Option(help="Where the list stands: annex, page, mail")],
    on: Annotated[str | None, typer.Option(help="Day of the list [today]")] = None,
) -> None:
    """One processor's own list: subprocessor, country, purpose. A file of the header alone says that it uses nobody."""
    settings = configuration.from_environment()
    tables = inventory.load_reference(settings.include)
    if processor not in inventory.load_registry(settings.include, tables).processors:
        raise UserError("the registry knows no such processor", do="use a key of include/registry/processors.yaml")
    with Database.for_duty(settings, inventory.DUTY).transaction() as connection:
        count = intake.load_subprocessors(
            connection, file, tables, processor=processor, listed_on=_day(on), source=source
        )
    typer.echo(f"{processor} lists {count} sub-processors")
