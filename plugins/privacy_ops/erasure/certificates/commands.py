"""``python -m privacy_ops certificate``: check one offline, show one, find one, name the public keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from privacy_ops import settings as configuration
from privacy_ops import signing
from privacy_ops.erasure.certificates import certify as certificate
from privacy_ops.erasure.certificates import document as certificate_document
from privacy_ops.errors import UserError
from privacy_ops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Certificates of erasure: check, show, find.")

CaseArgument = Annotated[str, typer.Argument(help="Id of the case")]


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The certificate's .json (or the .html beside it)")],
    public_key: Annotated[Path, typer.Option(help="PEM file with one or more Ed25519 public keys")],
    page: Annotated[Path | None, typer.Option(help="Its page [default: the .html beside the .json]")] = None,
) -> None:
    """Check signature, shape and page. Needs no settings, database or network; exit 1: it is not ours."""
    document = file.with_suffix(".json") if file.suffix == ".html" else file
    if page is None:
        beside = document.with_suffix(".html")
        page = beside if beside.is_file() or file.suffix == ".html" else None
    wrong = certificate_document.faults(_read(document), _read(page) if page else None, _read(public_key))
    for fault in wrong:
        typer.echo(fault)
    if wrong:
        typer.echo(f"{document}: NOT a certificate of ours")
        raise typer.Exit(1)
    typer.echo(f"{document}: signed and whole" + ("; so is its page" if page else "; no page was compared"))


@app.command("show")
def show(
    case_id: CaseArgument,
    out: Annotated[Path | None, typer.Option(help="Folder to write all its files and the public key to")] = None,
) -> None:
    """Show the certificate of a case with its supplements, or write all its files into a folder to hand over."""
    workspace = _workspace()
    case = _uuid(case_id)
    files = certificate.files_of(workspace, case)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name, data in files.items():
                (out / name).write_bytes(data)
            (out / "public_key.pem").write_bytes(signing.trusted_keys(workspace.settings.keys))
        except OSError as error:
            raise UserError(f"the files cannot be written ({error.strerror})", where=str(out)) from None
        typer.echo(f"{out}: {len(files)} files and public_key.pem")
    else:
        for name, data in files.items():
            if name.endswith(".json"):
                typer.echo(data.decode())
    for row in certificate.open_instructions(workspace, case):
        typer.echo(f"open: {row.party} {row.state} {row.reason} {row.instruction_id}".replace("  ", " "))


@app.command("find")
def find(
    table: Annotated[str, typer.Option(help="Table of the row, for a case about a single row")] = "",
    email: Annotated[bool, typer.Option("--email", help="Ask for the mail address instead of the key")] = False,
) -> None:
    """Find certificates by a subject's key or mail address, which is asked for and neither shown nor kept."""
    workspace = _workspace()
    if email and table:
        raise UserError("a row is found by its key", where="--table", do="leave out --email")
    if email:
        found = certificate.find_by_address(workspace, typer.prompt("Mail address", hide_input=True))
    else:
        typed = typer.prompt("Key of the subject (parts separated by commas)", hide_input=True)
        found = certificate.find(workspace, tuple(part.strip() for part in typed.split(",")), table=table)
    for row in found:
        typer.echo(f"case {row.case_id}, issued {row.issued_at:%Y-%m-%d %H:%M} UTC, {row.state}")
    if not found:
        typer.echo("no certificate names this subject")
        raise typer.Exit(1)


@app.command("public-key")
def public_key() -> None:
    """Print the public keys that certificates verify with: the one in use and its predecessors."""
    typer.echo(signing.trusted_keys(configuration.from_environment().keys).decode(), nl=False)


def _workspace() -> Workspace:
    return Workspace.load(configuration.from_environment())


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UserError("this is not the id of a case", do="give the 36 characters of a UUID") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"the file cannot be read ({error.strerror})", where=str(path)) from None
