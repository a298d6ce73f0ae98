"""`python -m privacy_ops recipients`: who may receive usage of which course."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.stores.database import Database
from privacy_ops.usage import recipients

app = typer.Typer(no_args_is_help=True, help="Who may receive usage of which course.")


@app.callback()
def group() -> None:
    """Keeps `load` a command of its own."""


@app.command()
def load(
    file: Annotated[
        Path | None, typer.Option("--file", help="Registry to load [default: include/registry/recipients.yaml]")
    ] = None,
) -> None:
    """Make the database say exactly what the registry file says (duty `migrate`); validates first."""
    settings = configuration.from_environment()
    path = file or settings.recipients_path
    recipients.read_registry(path)
    with Database.for_duty(settings, "migrate").transaction() as connection:
        counts = recipients.load_registry(connection, path, settings.keys)
    typer.echo(", ".join(f"{count} {what}" for what, count in counts.items()))
