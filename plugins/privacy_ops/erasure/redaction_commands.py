"""Commands of staff: take a mention of a minor out of somebody else's text, by two people, the night after."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from privacy_ops import settings as configuration
from privacy_ops.erasure import redaction
from privacy_ops.errors import UserError
from privacy_ops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Mentions of a minor in other people's texts.")


def _workspace() -> Workspace:
    return Workspace.load(configuration.from_environment())


def _whoever_runs_this() -> redaction.Person:
    """The account of the machine, as its system knows it: not a variable that anybody may set.

    Two people who share one are one. `account:` before it, so that it is nobody's id in Airflow.
    """
    return redaction.Person(f"account:{pwd.getpwuid(os.getuid()).pw_name}", "account")


@app.command("mentions")
def mentions() -> None:
    """Rows of others in which a sweep found something of an erased person: case, table, key of the row, day."""
    for one in redaction.mentions(_workspace().database("erase")):
        typer.echo(f"{one.case_id}  {one.asset}  {' '.join(one.row_key)}  {one.found_at:%Y-%m-%d}")


@app.command("propose")
def propose(
    case: Annotated[UUID, typer.Option(help="The case of the minor who is mentioned.")],
    column: Annotated[str, typer.Option(help="schema.table.column of the text.")],
    row: Annotated[list[str], typer.Option(help="The row's key, one value per key column.")],
    span: Annotated[list[str] | None, typer.Option(help="first:last, half open; without it you are asked.")] = None,
) -> None:
    """Name the characters that are to go. Without --span the words are asked for, and never shown or kept."""
    table, _, name = column.rpartition(".")
    words = "" if span else typer.prompt("Words to take out", hide_input=True)
    number = redaction.propose(
        _workspace(),
        case_id=case,
        table=table,
        column=name,
        key=tuple(row),
        spans=[_span(one) for one in span or ()],
        words=words,
        by=_whoever_runs_this(),
        now=datetime.now(UTC),
    )
    typer.echo(f"proposal {number}: two people look at it and confirm")


def _span(written: str) -> redaction.Span:
    first, colon, last = written.partition(":")
    if not (colon and first.isdigit() and last.isdigit()):
        raise UserError("a place is written first:last", where="--span", do="for example --span 10:19")
    return int(first), int(last)


@app.command("list")
def list_open() -> None:
    """Proposals that wait for people or for the night; names nobody who is mentioned."""
    for one in redaction.standing(_workspace().database("erase")):
        typer.echo(
            f"{one.redaction_id}  case {one.case_id}  {one.table_name}.{one.column_name}  {one.places} place(s)"
            f"  {one.state}, {one.confirmations} of {redaction.PEOPLE} confirmed"
        )


@app.command("show")
def show(proposal: UUID) -> None:
    """What stands around each place, the words that would go in [[ ]]. That you looked is written down."""
    workspace, person = _workspace(), _whoever_runs_this()
    database = workspace.database("erase")
    for line in redaction.show(database, workspace.data_map, proposal, person=person, now=datetime.now(UTC)):
        typer.echo(line)


@app.command("confirm")
def confirm(proposal: UUID) -> None:
    """Yes, these words go. After the second person's yes the next night takes them out.

    Two people are two accounts of this machine; where people share one, they confirm in the console.
    """
    typer.echo(f"proposal {proposal} is {_answer(proposal, confirm=True)}")


@app.command("reject")
def reject(proposal: UUID) -> None:
    """No: the text stays as it is."""
    typer.echo(f"proposal {proposal} is {_answer(proposal, confirm=False)}")


def _answer(proposal: UUID, *, confirm: bool) -> str:
    workspace = _workspace()
    return redaction.answer(
        workspace.database("erase"),
        workspace.data_map,
        workspace.settings,
        proposal,
        person=_whoever_runs_this(),
        confirm=confirm,
        now=datetime.now(UTC),
    )
