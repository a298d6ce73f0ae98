"""``python -m privacy_ops release``: what was released to whom, and what people do about its delivery."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.usage import corrections, periods
from privacy_ops.usage.delivery import by_hand, recall
from privacy_ops.usage.delivery.standing import DUTY, MEANING
from privacy_ops.usage.utility import report_lines, utility_lines
from privacy_ops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Releases: what was delivered to whom; send again, confirm, withdraw.")

ReleaseArgument = Annotated[str, typer.Argument(help="Id of the release, such as r0123456789abcde")]


@app.command("list")
def list_(
    recipient: Annotated[str | None, typer.Option(help="Only of this recipient")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Only what nobody has fetched or confirmed")] = False,
) -> None:
    """Releases and where their delivery stands."""
    rows = by_hand.listing(_workspace(), recipient=recipient, open_only=open_)
    for row in rows:
        state = f"{row.kind} {row.at:%Y-%m-%d %H:%M}" if row.kind else "not delivered yet"
        withdrawn = " WITHDRAWN" if row.withdrawn else " SUPERSEDED" if row.superseded else ""
        reason = f" {row.reason}" if row.reason else ""
        typer.echo(f"{row.release_id}  {row.period_key}  {row.product}  {row.recipient_id}  {state}{reason}{withdrawn}")
    typer.echo(f"{len(rows)} releases")


@app.command("show")
def show(release: ReleaseArgument) -> None:
    """One release with its files and everything that happened to it."""
    shown = by_hand.show(_workspace(), release)
    row = shown.release
    typer.echo(f"{row.release_id}: {row.product} for {row.recipient_id}, {row.period_key}, method {row.spec_version}")
    typer.echo(f"released {row.released_at:%Y-%m-%d %H:%M} UTC, pack {row.pack_sha256}")
    if row.supersedes:
        typer.echo(f"corrects {row.supersedes}: {row.corrected_because}")
    if row.superseded_by:
        typer.echo(f"superseded by {row.superseded_by}")
    for line in utility_lines(row.utility):
        typer.echo(f"  {line}")
    for file in row.files:
        typer.echo(f"  {file['sha256']}  {file['name']}")
    for event in shown.history:
        more = " ".join(
            filter(
                None,
                (
                    event.reason,
                    f"({MEANING[event.reason]})" if event.reason in MEANING else "",
                    f"said by {event.said_by}" if event.said_by else "",
                    f"link until {event.expires_at:%Y-%m-%d %H:%M}" if event.expires_at else "",
                ),
            )
        )
        typer.echo(f"{event.at:%Y-%m-%d %H:%M}  {event.kind:<10}  {event.noted_by}  {more}".rstrip())


@app.command("utility")
def utility(release: ReleaseArgument) -> None:
    """What a release says, level by level, and what each rule cost in cells and people. For people of the house."""
    row = by_hand.show(_workspace(), release).release
    typer.echo(f"{row.release_id}: {row.product} for {row.recipient_id}, {row.period_key}, method {row.spec_version}")
    for line in report_lines(row.utility):
        typer.echo(line)


@app.command("withdraw")
def withdraw(
    release: ReleaseArgument,
    reason: Annotated[str, typer.Option(help="Why, in plain words: the recipient reads them")],
    by: Annotated[str, typer.Option(help="Who decided it")],
) -> None:
    """Take a release back for good: its delivery is deleted, the recipient is told why, it is never served again."""
    done = recall.withdraw(_workspace(), release, reason=reason, by=by, now=datetime.now(UTC))
    said = "is withdrawn" if done.first else "was withdrawn before; the first reason stands"
    typer.echo(f"{release} {said}; {done.deleted} versions of its delivery deleted")
    if done.told:
        typer.echo("a recall goes out with the next run")
    elif done.first:
        typer.echo("nobody was sent it, so nobody is told")
    typer.echo("the released files stay in the bucket of exports until you remove them")


@app.command("correct")
def correct(
    period: Annotated[str, typer.Argument(help="What was counted wrong: 2026-W47, 2026-Q4-B2, 2026-Q4 or 2026")],
    reason: Annotated[str, typer.Option(help="Why, in plain words: the recipients read them")],
    by: Annotated[str, typer.Option(help="Who asks for it")],
) -> None:
    """Ask for a released period to be counted again; answers with the number that the run is given.

    Mend the sources first. What is released then is a revision in which a published value changes by nothing, by 15 or
    more, or becomes withheld; a person approves it, and the recipients are told.
    """
    workspace = _workspace()
    why, who = recall.plain(reason, "the reason", 300), f"by hand: {recall.plain(by, 'the name', 80)}"
    found = periods.from_key(period, workspace.thresholds.legal_timezone)
    with workspace.database(DUTY).transaction() as connection:
        number = corrections.request(connection, found, reason=why, by=who, now=datetime.now(UTC))
    typer.echo(f"correction {number} of {period} is asked for; carry it out with")
    typer.echo(f"airflow dags trigger course_usage_export --conf '{{\"correction\": {number}}}'")


@app.command("resend")
def resend(release: ReleaseArgument, by: Annotated[str, typer.Option(help="Who asked for it")]) -> None:
    """Send another mail with a fresh link with the next run."""
    queued = by_hand.resend(_workspace(), release, by=by, now=datetime.now(UTC))
    typer.echo(f"{release}: " + ("a fresh link goes out with the next run" if queued else "a mail is waiting already"))


@app.command("receipt")
def receipt(
    release: ReleaseArgument,
    by: Annotated[str, typer.Option(help="Who at the recipient says so: a name or an office, no address")],
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="When, in UTC [default: now]"),
    ] = None,
) -> None:
    """Note that the recipient has it; after a withdrawal, that it has deleted it."""
    now = datetime.now(UTC)
    by_hand.receipt(_workspace(), release, said_by=by, at=at.replace(tzinfo=UTC) if at else now, now=now)
    typer.echo(f"{release}: receipt noted")


def _workspace() -> Workspace:
    return Workspace.load(configuration.from_environment())
