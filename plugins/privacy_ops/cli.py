"""The command line: what a person does by hand around the jobs. Needs no Airflow.

Addresses and keys come from PRIVACY_OPS_* variables. Exit codes: 0 done; 1 the answer is no (problems found, the
ledger is broken); 2 it could not be asked (bad input, a store that is down), with one message and no traceback.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from privacy_ops import settings as configuration
from privacy_ops.datamap import catalogue, check, docs, grants, loader, scaffold
from privacy_ops.datamap.model import DataMap
from privacy_ops.erasure import redaction_commands
from privacy_ops.erasure.certificates import commands as certificate_commands
from privacy_ops.erasure.downstream import commands as downstream_commands
from privacy_ops.erasure.returning import commands as return_commands
from privacy_ops.erasure.traces import commands as traces_commands
from privacy_ops.errors import ConfigError, PrivacyOpsError, UserError
from privacy_ops.minors import commands as minors_commands
from privacy_ops.minors import hold_commands
from privacy_ops.operations import commands as operations_commands
from privacy_ops.settings import DUTIES, Settings
from privacy_ops.stores.database import Database
from privacy_ops.transfers import commands as transfers_commands
from privacy_ops.usage import commands as usage_commands
from privacy_ops.usage import release_commands

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Privacy operations: data map, grants, governance schema, ledger.",
)
map_app = typer.Typer(no_args_is_help=True, help="The data map: check it, draft one, document it.")
grants_app = typer.Typer(no_args_is_help=True, help="What each duty may do in the publisher's tables.")
gov_app = typer.Typer(no_args_is_help=True, help="The governance schema.")
roles_app = typer.Typer(no_args_is_help=True, help="One database role per duty.")
ledger_app = typer.Typer(no_args_is_help=True, help="The erasure ledger.")
for name, sub in (
    ("map", map_app), ("grants", grants_app), ("gov", gov_app), ("roles", roles_app), ("ledger", ledger_app),
    ("transfers", transfers_commands.app), ("recipients", usage_commands.app),
    ("release", release_commands.app),
    ("report", minors_commands.report_app), ("notice", minors_commands.notice_app),
    ("suppression", return_commands.suppression_app), ("keys", return_commands.keys_app),
    ("certificate", certificate_commands.app), ("downstream", downstream_commands.app),
    ("traces", traces_commands.app),
    ("redaction", redaction_commands.app),
    ("hold", hold_commands.hold_app), ("request", hold_commands.request_app), ("canary", hold_commands.canary_app),
):  # fmt: skip
    app.add_typer(sub, name=name)
app.command("doctor")(operations_commands.doctor_command)
app.command("service-levels")(minors_commands.service_levels_command)
app.command("restore-replay")(return_commands.restore_replay)
app.command("restore-ready")(return_commands.restore_ready)

MapOption = Annotated[
    Path | None, typer.Option("--map", help="File or folder of the map [default: PRIVACY_OPS_DATA_MAP, imp]")
]
DsnOption = Annotated[
    str | None,
    typer.Option(
        envvar="PRIVACY_OPS_ADMIN_DSN",
        help="postgresql://user:password@host:port/database [default: the duty `migrate`]",
    ),
]
# By the environment, so that no password need stand among the arguments, which every list of processes shows.
AdminOption = Annotated[
    str,
    typer.Option("--dsn", envvar="PRIVACY_OPS_ADMIN_DSN", help="Address of an administrator or of the tables' owner"),
]


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        app(prog_name="python -m privacy_ops", standalone_mode=True)
    except PrivacyOpsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@map_app.command("check")
def map_check(
    map_path: MapOption = None,
    dsn: DsnOption = None,
    objects: Annotated[bool, typer.Option(help="Also compare with the buckets of the object store")] = False,
) -> None:
    """Compare the data map with the live database; exit 1 when they disagree."""
    settings = configuration.from_environment()
    data_map = _load(settings, map_path)
    database = Database(_address(dsn, settings), duty="migrate")
    with database.transaction(read_only=True) as connection:
        live = catalogue.read(connection)
    buckets = _buckets(settings) if objects else None
    problems = check.check(data_map, live, buckets)
    for line in _report(problems):
        print(line)
    print(
        f"{data_map.publisher.name}: {len(data_map.tables)} tables mapped, {len(live.tables)} in {database.address}"
        + (f", {len(data_map.objects)} stores mapped, {len(buckets)} buckets" if buckets is not None else "")
        + f"; {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}."
    )
    if problems:
        raise typer.Exit(1)


@map_app.command("scaffold")
def map_scaffold(
    dsn: Annotated[str, typer.Option(help="Address of the database to draft a map for")],
    key: Annotated[str | None, typer.Option(help="Short name of the publisher [default: the database's]")] = None,
    name: Annotated[str | None, typer.Option(help="Its full name")] = None,
    country: Annotated[str, typer.Option(help="Two letters; ZZ: not known yet")] = "ZZ",
    region: Annotated[str, typer.Option(help="Where the database lies")] = "DECIDE",
    provider: Annotated[str, typer.Option(help="Who runs it")] = "DECIDE",
    table: Annotated[list[str] | None, typer.Option(help="Only the entry of this table; may be repeated")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; never replaces one [default: the terminal]")] = None,
) -> None:
    """Draft a map for a database that nobody has seen. Reads the catalogue only, no row."""
    address = _address(dsn, None)
    database = Database(address, duty="scaffold")
    with database.transaction(read_only=True) as connection:
        live = catalogue.read(connection)
    key = key or _key_of(make_url(address).database or "")
    draft = scaffold.draft(live, key=key, name=name or key, country=country, region=region, provider=provider)
    text = scaffold.to_yaml(draft, tuple(table or ()))
    if out is None:
        print(text, end="")
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserError("the file is there already", where=str(out), do="name another, or remove it") from None
    except OSError as error:
        raise UserError(f"the file cannot be written ({error.strerror})", where=str(out)) from None
    print(f"{out}: {len(table or draft.tables)} tables, {text.count('DECIDE') - 1} points to decide.")


@map_app.command("docs")
def map_docs(
    map_path: MapOption = None,
    out: Annotated[Path | None, typer.Option(help="[default: docs/data_dictionary.md]")] = None,
    verify: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when the file is stale")] = False,
) -> None:
    """Write the data dictionary from the map."""
    settings = configuration.from_environment()
    text = docs.render(_load(settings, map_path))
    target = out or settings.home / "docs" / "data_dictionary.md"
    if verify:
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            print(f"{target} is stale: run `python -m privacy_ops map docs`")
            raise typer.Exit(1)
        print(f"{target} is up to date")
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"the file cannot be written ({error.strerror})", where=str(target)) from None
    print(f"wrote {target}")


@grants_app.command("show")
def grants_show(
    map_path: MapOption = None,
    duty: Annotated[str | None, typer.Option(help="Only of this duty: " + ", ".join(DUTIES))] = None,
) -> None:
    """Print the statements that give each duty exactly what the map says."""
    if duty is not None and duty not in DUTIES:
        raise ConfigError(f"unknown duty {duty!r}", do="use one of " + ", ".join(DUTIES))
    data_map = _load(configuration.from_environment(), map_path)
    for statement in grants.statements(data_map):
        if duty is None or statement.endswith(f' TO "{grants.ROLES[duty]}"'):
            print(statement + ";")


@grants_app.command("apply")
def grants_apply(dsn: AdminOption, map_path: MapOption = None) -> None:
    """Take back all rights of the duties in the publisher's tables and grant what the map says, in one transaction."""
    done = grants.apply(_address(dsn, None), _load(configuration.from_environment(), map_path))
    print(f"{done} statements applied")


@gov_app.command("migrate")
def gov_migrate(dsn: DsnOption = None) -> None:
    """Bring the schema gov to the newest revision."""
    from privacy_ops.stores import migrations

    print(f"gov is at revision {migrations.upgrade(_address(dsn, configuration.from_environment()))}")


@roles_app.command("apply")
def roles_apply(dsn: AdminOption) -> None:
    """Create or alter the role of every duty with the password of its PRIVACY_OPS_DSN_<DUTY>, and its rights in gov."""
    from privacy_ops.stores import roles

    settings = configuration.from_environment()
    passwords = {duty: make_url(_address(settings.dsn(duty), None)).password or "" for duty in DUTIES}
    roles.apply(_address(dsn, None), passwords)
    print(f"{len(passwords)} roles: " + ", ".join(roles.role_name(duty) for duty in DUTIES))


@ledger_app.command("verify")
def ledger_verify(
    copies: Annotated[bool, typer.Option(help="Compare with the signed heads in the evidence bucket too")] = True,
) -> None:
    """Recompute the chain of the erasure ledger; exit 1 when anything is changed, missing, moved or added."""
    from privacy_ops import ledger
    from privacy_ops.workspace import Workspace

    workspace = Workspace.load(configuration.from_environment())
    if copies:
        report = ledger.check(workspace)
    else:
        with workspace.database("erase").transaction(read_only=True) as connection:
            report = ledger.verify(connection)
    for fault in report.faults:
        print(f"entry {fault.seq}: {fault.what}")
    compared = f", {report.heads_compared} signed heads compared" if copies else "; copies not compared"
    print(f"{report.entries} entries, head {report.head.seq}{compared}: " + ("sound" if report.sound else "BROKEN"))
    if not report.sound:
        print(f"{report.fault_count} faults. Erase nothing; follow docs/runbooks/ledger.md")
        raise typer.Exit(1)


def _load(settings: Settings, path: Path | None) -> DataMap:
    if path is None:
        path = settings.data_map_path
        path = path if path.is_dir() else path.with_suffix(".yaml")
    return loader.load(path)


def _address(dsn: str | None, settings: Settings | None) -> str:
    """A SQLAlchemy address for psycopg from what was typed, else that of the duty `migrate`."""
    if dsn is None:
        dsn = (settings or configuration.from_environment()).dsn("migrate")
    scheme, separator, rest = dsn.partition("://")
    if scheme in {"postgres", "postgresql"}:
        scheme = "postgresql+psycopg"
    try:
        url = make_url(scheme + separator + rest)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername != "postgresql+psycopg" or not url.database:
        raise ConfigError(
            "this is not the address of a PostgreSQL database",  # never shown: it may hold a password
            where="--dsn or PRIVACY_OPS_DSN_MIGRATE",
            do="write postgresql://user:password@host:port/database",
        )
    return scheme + separator + rest


def _key_of(database: str) -> str:
    """A publisher key from a database's name."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in database.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"p_{plain}".rstrip("_")


def _buckets(settings: Settings) -> list[str]:
    from privacy_ops.stores.objects import ObjectStore

    return ObjectStore(settings.objects).buckets()


def _report(problems: Iterable[check.Problem]) -> Iterator[str]:
    """Problems as lines: where each is, then what is wrong, what to do and what it holds up."""
    for problem in problems:
        yield f"{problem.code:<22}{problem.where}"
        held_up = ", ".join(sorted(problem.blocks)) or "nothing"
        for label, said in (("", problem.what), ("do: ", problem.do), ("blocks: ", held_up)):
            yield textwrap.fill(label + said, 110, initial_indent=" " * 22, subsequent_indent=" " * 24)
        yield ""
