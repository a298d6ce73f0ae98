"""``python -m privacy_ops downstream``: what people do about instructions to processors and notices to recipients."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from privacy_ops import settings as configuration
from privacy_ops.erasure.downstream import outbox as downstream
from privacy_ops.erasure.downstream import parties
from privacy_ops.errors import UserError
from privacy_ops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Processors and recipients: who was told, who has answered.")

InstructionArgument = Annotated[str, typer.Argument(help="Id of the instruction")]


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended")] = False,
) -> None:
    """Instructions that are open: party, state, reason, since when. Nobody's data."""
    rows = downstream.listing(_workspace(), everything=everything)
    for row in rows:
        told = f"told {row.instructed_at:%Y-%m-%d %H:%M}" if row.instructed_at else "not told"
        typer.echo(f"{row.instruction_id}  {row.party}  {row.state}  {row.reason or '-'}  {told}, {row.attempts} tries")
    typer.echo(f"{len(rows)} instructions")


@app.command("acknowledge")
def acknowledge(
    instruction: InstructionArgument,
    reference: Annotated[str, typer.Option(help="What the party wrote; kept as a hash only")],
) -> None:
    """Record that a party answered by mail or telephone."""
    party = downstream.acknowledge(_workspace(), _uuid(instruction), reference, now=datetime.now(UTC))
    typer.echo(f"{party} has acknowledged {instruction}")


@app.command("retry")
def retry(instruction: InstructionArgument) -> None:
    """Let the next run send an instruction again, after what was wrong is mended."""
    party = downstream.retry(_workspace(), _uuid(instruction), now=datetime.now(UTC))
    typer.echo(f"{instruction} goes to {party} with the next run")


@app.command("close")
def close(
    instruction: InstructionArgument,
    because: Annotated[str, typer.Option(help="One of " + ", ".join(downstream.CLOSING_REASONS))],
) -> None:
    """End an instruction without an answer, for a reason that is recorded (GDPR Art. 19)."""
    party = downstream.close(_workspace(), _uuid(instruction), because, now=datetime.now(UTC))
    typer.echo(f"the instruction to {party} has ended: {because}")


@app.command("check")
def check() -> None:
    """Whether everybody whom the data map names can be reached; exit 1 when not. Needs no database."""
    workspace = _workspace()
    known = downstream.load_parties(workspace)
    missing = parties.unreachable(workspace.data_map, known)
    for name in missing:
        typer.echo(f"{name}: no webhook and no email")
    typer.echo(f"{len(known)} parties, {len(missing) or 'none'} that cannot be reached")
    if missing:
        raise typer.Exit(1)


def _workspace() -> Workspace:
    return Workspace.load(configuration.from_environment())


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UserError("this is not the id of an instruction", do="`downstream list` shows them") from None
