"""Commands about what must not come back: checking an import, changing keys, replaying erasures after a restore."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from privacy_ops import settings as configuration
from privacy_ops.errors import UserError
from privacy_ops.workspace import Workspace

suppression_app = typer.Typer(no_args_is_help=True, help="The list that keeps erased people from coming back.")
keys_app = typer.Typer(no_args_is_help=True, help="HMAC keys: add one, see what lives under them, drop one.")

FileOption = Annotated[Path | None, typer.Option(help="New file for these records; holds people, owner-only")]


def _workspace() -> Workspace:
    return Workspace.load(configuration.from_environment())


@suppression_app.callback()
def _suppression() -> None:
    """The list that keeps erased people from coming back."""


@suppression_app.command("check")
def suppression_check(
    file: Annotated[Path, typer.Option(help="CSV with a first line of names, UTF-8")],
    column: Annotated[
        list[str], typer.Option(help="NAME=TYPE; types: email, account, external:<column>. May be repeated")
    ],
    created: Annotated[str | None, typer.Option(help="Column that says when the record was first made (ISO)")] = None,
    sign_up: Annotated[bool, typer.Option("--sign-up", help="Every record is somebody who signs up now")] = False,
    delimiter: Annotated[str, typer.Option(help="Between fields")] = ",",
    accepted: FileOption = None,
    rejected: FileOption = None,
    review: FileOption = None,
) -> None:
    """Check a file before it is imported; exit 1 when a record may not simply come in. Says how many, never who."""
    from privacy_ops.erasure.returning.suppression import Answer, Import, check_file

    outputs = {Answer.ACCEPT: accepted, Answer.REJECT: rejected, Answer.REVIEW: review}
    counts = check_file(
        _workspace(),
        Import(
            file,
            dict(_named(text) for text in column),
            created,
            sign_up,
            delimiter,
            {answer: path for answer, path in outputs.items() if path is not None},
        ),
        now=datetime.now(UTC),
    )
    typer.echo(f"{counts['accept']} accepted, {counts['review']} for review, {counts['reject']} rejected")
    if counts["reject"] or counts["review"]:
        raise typer.Exit(1)


def _named(text: str) -> tuple[str, str]:
    name, _, kind = text.partition("=")
    kind = kind or "email"
    if not name or (kind not in {"email", "account"} and not kind.startswith("external:")):
        raise UserError(f"cannot read --column {text}", do="write NAME=email, NAME=account or NAME=external:<column>")
    return name, kind


@keys_app.command("check")
def keys_check() -> None:
    """Name the keys under which references live; exit 1 when one of them is not held."""
    from privacy_ops.erasure.returning import keys

    found = keys.in_use(_workspace(), today=datetime.now(UTC).date())
    for key in found:
        typer.echo(f"{key.purpose}/{key.key_id}: {key.references} references" + ("" if key.held else "; NOT HELD"))
    if any(not key.held for key in found):
        typer.echo("Put what is missing back into PRIVACY_OPS_HMAC_KEYS: these references say nothing without it.")
        raise typer.Exit(1)


@keys_app.command("rotate")
def keys_rotate(
    purpose: Annotated[str, typer.Option(help="Purpose that gets a new key")],
    out: Annotated[Path, typer.Option(help="New file for the value of PRIVACY_OPS_HMAC_KEYS; owner-only")],
) -> None:
    """Write the key ring with one more key, in use from then on. Old keys stay in it."""
    from privacy_ops.erasure.returning import keys

    _write(out, keys.rotated(configuration.from_environment().keys, purpose))
    typer.echo(f"{out}: hand it to every process as PRIVACY_OPS_HMAC_KEYS, then remove the file")


@keys_app.command("drop")
def keys_drop(
    purpose: Annotated[str, typer.Option(help="Purpose of the key")],
    key_id: Annotated[str, typer.Option("--key-id", help="Name of the key")],
    out: Annotated[Path, typer.Option(help="New file for the value of PRIVACY_OPS_HMAC_KEYS; owner-only")],
) -> None:
    """Write the key ring without one key; refused while references live under it."""
    from privacy_ops.erasure.returning import keys

    _write(out, keys.dropped(_workspace(), purpose, key_id, today=datetime.now(UTC).date()))
    typer.echo(f"{out}: the key ring without {purpose}/{key_id}")


def _write(path: Path, text: str) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except FileExistsError:
        raise UserError("the file is there already", where=str(path), do="name another, or remove it") from None
    except OSError as error:
        raise UserError(f"the file cannot be written ({error.strerror})", where=str(path)) from None


def restore_replay(
    source: Annotated[str, typer.Option("--from", help="s3://bucket with the copies of the ledger")],
) -> None:
    """Erase again what a restored database brought back; exit 1 while anybody is left. Call it again after a kill."""
    from privacy_ops.erasure.returning import restore

    done = restore.replay(_workspace(), source, clock=lambda: datetime.now(UTC), step=typer.echo)
    typer.echo(
        f"{done['entries_replayed']} ledger entries replayed, {done['found']} things found and erased again,"
        f" {done['residual']} left"
    )
    if not done["ready"]:
        typer.echo("NOT READY: do not open this database; follow docs/runbooks/restore.md")
        raise typer.Exit(1)
    typer.echo("ready")


def restore_ready() -> None:
    """Whether the database may take traffic: exit 0, or 1 with the reasons. For a publisher's start-up."""
    from privacy_ops.erasure.returning import restore

    why = restore.ready(_workspace())
    for reason in why:
        typer.echo(reason)
    if why:
        raise typer.Exit(1)
    typer.echo("ready")
