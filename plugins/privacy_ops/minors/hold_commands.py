"""Commands of staff: suspend an erasure, answer a verified person's access request before it goes ahead, and plant
made-up people that every night must find."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.errors import UserError
from privacy_ops.minors import canaries, holds
from privacy_ops.workspace import Workspace

hold_app = typer.Typer(no_args_is_help=True, help="Legal and safeguarding holds.")
canary_app = typer.Typer(no_args_is_help=True, help="Made-up minors that a night must find.")
request_app = typer.Typer(no_args_is_help=True, help="Access requests that an erasure has to wait for.")

Person = Annotated[list[str], typer.Option("--person", help="The person's key, one value per key column.")]


def _workspace() -> Workspace:
    return Workspace.load(configuration.from_environment())


@hold_app.command("place")
def place(
    person: Person,
    basis: Annotated[str, typer.Option(help="A code, such as LEGAL_CLAIM or SAFEGUARDING.")],
    approver: Annotated[str, typer.Option(help="Who answers for the hold.")],
    review_on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="When it is reviewed at the latest.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="schema.table or schema.table.column: keep these cells only.")
    ] = None,
    table: Annotated[str, typer.Option(help="Where a row, not an account, is the subject.")] = "",
) -> None:
    """Suspend the erasure of one person; with --scope everything goes but the cells named. Restriction stays."""
    workspace, now = _workspace(), datetime.now(UTC)
    day = date(review_on.year, review_on.month, review_on.day)
    with workspace.database("detect").transaction() as connection:
        number = holds.place_hold(
            connection,
            workspace.settings,
            tuple(person),
            basis=basis,
            approver=approver,
            now=now,
            review_on=day,
            table=table,
            data_map=workspace.data_map,
            scope=tuple(scope or ()),
        )
    over = f" over {len(scope)} parts; the rest of the case is erased" if scope else ""
    typer.echo(f"hold {number} stands{over}; review it by {day}")


@hold_app.command("list")
def list_holds() -> None:
    """Holds that stand: number, ground, who answers, when it is reviewed, what it covers. Names nobody held."""
    today = datetime.now(UTC).date()
    with _workspace().database("detect").transaction(read_only=True) as connection:
        for hold in holds.standing(connection):
            late = "  OVERDUE" if hold.review_on < today else ""
            covers = ", ".join(hold.scope) or "the whole case"
            typer.echo(f"{hold.hold_id}  {hold.basis}  {hold.approver}  review by {hold.review_on}  {covers}{late}")


@hold_app.command("release")
def release(hold_id: int) -> None:
    """End a hold: the next night erases what it kept."""
    with _workspace().database("detect").transaction() as connection:
        holds.release_hold(connection, hold_id, now=datetime.now(UTC))
    typer.echo(f"hold {hold_id} is released; the next night erases what it kept")


@request_app.command("open")
def open_request(person: Person, verified: Annotated[bool, typer.Option(help="Their identity is proven.")]) -> None:
    """Record an access request. Only a verified one suspends an erasure."""
    workspace = _workspace()
    with workspace.database("detect").transaction() as connection:
        number = holds.open_access_request(
            connection, workspace.settings, tuple(person), received_at=datetime.now(UTC), verified=verified
        )
    typer.echo(f"request {number} is open")


@request_app.command("seal")
def seal(
    request_id: int,
    answer: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The encrypted answer.")],
    approver: Annotated[str, typer.Option(help="Who answers for erasing while the request runs.")],
    bucket: Annotated[str, typer.Option(help="Where the answer is kept until it is delivered.")],
) -> None:
    """Keep the encrypted answer, and let the erasure go ahead."""
    import hashlib

    workspace = _workspace()
    body = answer.read_bytes()
    key = f"access-requests/{request_id}"
    workspace.objects().put(bucket, key, body)
    with workspace.database("detect").transaction() as connection:
        holds.seal_access_request(
            connection,
            request_id,
            bucket=bucket,
            key=key,
            sha256=hashlib.sha256(body).hexdigest(),
            approver=approver,
            now=datetime.now(UTC),
        )
    typer.echo(f"the answer to request {request_id} is sealed; the next plan takes the case up")


@request_app.command("deliver")
def deliver(request_id: int) -> None:
    """The answer was handed over: destroy the sealed copy and close the request."""
    workspace = _workspace()
    with workspace.database("detect").transaction() as connection:
        gone = holds.deliver_access_request(connection, workspace.objects(), request_id, now=datetime.now(UTC))
    typer.echo(f"request {request_id} is closed; {gone} versions of the sealed answer are destroyed")


@canary_app.command("plant")
def plant(
    number: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 2,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="table.column=value, where the publisher's own rules ask for it.")
    ] = None,
) -> None:
    """Plant made-up people of 14 through the data map; the night that does not find them erases nothing."""
    given = {}
    for value in values or ():
        place, equals, said = value.partition("=")
        table, dot, column = place.rpartition(".")
        if not (equals and dot and table and column):
            raise UserError("a value is written table.column=value", where=f"--set {place}", do="write it so")
        given[table, column] = said
    planted = canaries.plant(_workspace(), number, now=datetime.now(UTC), given=given)
    typer.echo(f"{planted} made-up people planted; the next night must find them, and takes them away")


@canary_app.command("withdraw")
def withdraw(
    by: Annotated[str, typer.Option(help="Who answers for it.")],
    planted_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="UTC; default: all of them.")
    ] = None,
) -> None:
    """Look no more for made-up people that can never be found. Their rows, where they stand, go the next night."""
    now = datetime.now(UTC)
    before = planted_before.replace(tzinfo=UTC) if planted_before else now
    number = canaries.withdraw(_workspace(), before=before, by=by, now=now)
    typer.echo(f"{number} made-up people withdrawn; plant others before the next night")
