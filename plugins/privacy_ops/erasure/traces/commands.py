"""``python -m privacy_ops traces``: look for people in what the orchestrator keeps of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.erasure.traces import look as traces
from privacy_ops.errors import UserError
from privacy_ops.stores.database import Database
from privacy_ops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="People in the orchestrator's own database and logs.")


@app.callback()
def group() -> None:
    """Keeps `sweep` a command of its own."""


@app.command()
def sweep(
    dsn: Annotated[
        str,
        typer.Option(
            envvar="PRIVACY_OPS_AIRFLOW_DSN",
            help="postgresql+psycopg://reader:password@host:port/database of Airflow",
        ),
    ],
    logs: Annotated[Path, typer.Option(help="Folder of the task logs")],
    planted: Annotated[
        Path | None, typer.Option(help="File of further addresses and ids to look for, one a line")
    ] = None,
) -> None:
    """Read every column and every log; exit 1 when anybody is found or nothing was read. Says where, never who."""
    workspace = Workspace.load(configuration.from_environment())
    report = traces.sweep(workspace, Database(dsn, duty="airflow_reader"), logs, planted=_lines(planted))
    for place, count in sorted(report.found.items()):
        typer.echo(f"{place}: {count}")
    typer.echo(
        f"{report.traces} traces in {report.columns} columns ({report.values} values) and {report.files} files"
        f" ({report.lines} lines)" + ("; the search did not see its control" if report.blind else "")
    )
    if report.traces or report.blind or not report.columns or not report.files:
        raise typer.Exit(1)


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise UserError(f"the file cannot be read ({error.strerror})", where=str(path)) from None
