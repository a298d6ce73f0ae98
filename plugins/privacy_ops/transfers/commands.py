"""``python -m privacy_ops transfers …``: review the reference data, check the declarations, judge another day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, get_args
from zoneinfo import ZoneInfo

import typer

from privacy_ops import settings as configuration
from privacy_ops.errors import UserError
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement
from privacy_ops.transfers import history, intake_commands, inventory, registry, waivers, what_if
from privacy_ops.transfers.assemble import assemble
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import Verdict, judge
from privacy_ops.transfers.observers import DataMapObserver, RegistryObserver
from privacy_ops.transfers.reference import REGIMES, Reference
from privacy_ops.transfers.registry import Registry
from privacy_ops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Cross-border transfers: reference data, declarations, judgement.")
app.add_typer(intake_commands.app, name="load")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is not a date", do="write YYYY-MM-DD") from None


@app.command("review")
def review(by: Annotated[str, typer.Option(help="Name of the person who reviewed include/reference")]) -> None:
    """Record that a person has reviewed exactly these reference tables; the inventory gate asks for it weekly."""
    settings = configuration.from_environment()
    tables = inventory.load_reference(settings.include)
    at = datetime.now(UTC)
    with Database.for_duty(settings, inventory.DUTY).transaction() as connection:
        inventory.record_review(connection, reviewer=by, reviewed_at=at, reference_sha256=tables.sha256)
    typer.echo(f"recorded: {by.strip()} reviewed reference {tables.version} ({tables.sha256[:12]}) on {at:%Y-%m-%d}")


@app.command("check")
def check() -> None:
    """Read reference data and registry and say what they hold; an error names file and line. Needs no database."""
    settings = configuration.from_environment()
    tables = inventory.load_reference(settings.include)
    declared = inventory.load_registry(settings.include, tables)
    typer.echo(
        f"reference {tables.version}: {len(tables.instruments)} instrument rows, {len(tables.territories)} codes,"
        f" {len(tables.cloud_regions)} regions; {sum(row.needs_check for row in tables.rows)} rows ask to be verified"
    )
    typer.echo(
        f"registry: {len(declared.transfers)} transfers to {len(declared.processors)} processors on"
        f" {len(declared.mechanisms)} mechanisms"
    )


def _declared_flows(workspace: Workspace, tables: Reference, declared: Registry) -> tuple[Flow, ...]:
    """Flows that are declared: where the data map says that data are, and where the registry says that they go."""
    looks = (DataMapObserver(workspace.data_map, tables), RegistryObserver(declared))
    entries = assemble([look.observe() for look in looks], declared, workspace.data_map, tables)
    return tuple(entry.flow for entry in entries)


def _observed_flows(settings: configuration.Settings) -> tuple[tuple[Flow, ...], date]:
    """Flows of the newest look at the world, and the day of it. Raises UserError when nobody has looked."""
    with Database.for_duty(settings, inventory.DUTY).transaction(read_only=True) as connection:
        newest = connection.execute(statement("transfers", "select_newest_observed")).one_or_none()
        if newest is None:
            raise UserError(
                "no inventory has been taken yet", do="run transfer_inventory_check, or ask with --flows declared"
            )
        entries = inventory.entries_of(connection, newest.snapshot_id)
    return tuple(entry.flow for entry in entries), newest.judged_on


@app.command("judge")
def judge_day(
    on: Annotated[str, typer.Option(help="Judge as of this day, YYYY-MM-DD")],
    known: Annotated[str | None, typer.Option(help="With the knowledge of this day [default: the same]")] = None,
) -> None:
    """Judge the declared flows as of a day; exit 1 when one is not covered. Writes nothing, needs no database."""
    settings = configuration.from_environment()
    workspace = Workspace.load(settings)
    tables = inventory.load_reference(settings.include)
    day = _day(on)
    knowledge = _day(known) if known else day
    declared = inventory.load_registry(settings.include, tables).on(day)
    bad = 0
    for flow in _declared_flows(workspace, tables, declared):
        judged = judge(flow, tables, day, knowledge, inventory.rules_of(workspace))
        bad += any(j.verdict.rank <= Verdict.UNRESOLVED.rank for j in judged.values())
        typer.echo(
            f"{flow.place} {flow.nature} {flow.country} {flow.importer.entity_id}: "
            + ", ".join(f"{regime} {j.verdict} {j.instrument}".rstrip() for regime, j in judged.items())
        )
    if bad:
        typer.echo(f"{bad} flow(s) not covered on {day.isoformat()}")
        raise typer.Exit(1)


class FlowSource(StrEnum):
    """Which flows a question is about."""

    declared = "declared"
    observed = "observed"


@app.command("what-if")
def what_would_break(
    drop: Annotated[
        list[str] | None,
        typer.Option(help="Instrument, contract or kind of mechanism that falls; may be given more than once"),
    ] = None,
    on: Annotated[str | None, typer.Option(help="Day of the law, YYYY-MM-DD [default: today]")] = None,
    flows: Annotated[FlowSource, typer.Option(help="Declared flows, or those of the newest inventory")] = (
        FlowSource.declared
    ),
    alone: Annotated[bool, typer.Option(help="What depends on the dropped instrument does not fall with it")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table")] = False,
) -> None:
    """List the flows that break when an instrument falls or a day comes. Writes nothing.

    transfers what-if --drop EU-US-DPF; transfers what-if --on 2031-12-28
    """
    if not drop and on is None:
        raise UserError("nothing to ask", do="give --drop NAME, --on YYYY-MM-DD, or both")
    settings = configuration.from_environment()
    workspace = Workspace.load(settings)
    tables = inventory.load_reference(settings.include)
    today = datetime.now(ZoneInfo(workspace.thresholds.legal_timezone)).date()
    day = _day(on) if on else today
    if flows is FlowSource.observed:
        asked, of = _observed_flows(settings)
        about = f"{len(asked)} flows observed on {of.isoformat()}"
    else:
        asked = _declared_flows(workspace, tables, inventory.load_registry(settings.include, tables).on(today))
        about = f"{len(asked)} declared flows"
    dropped = what_if.resolve(drop or [], tables, asked, alone=alone)
    changes = what_if.compare(
        asked,
        tables,
        what_if.Point(today, today),
        what_if.Point(day, min(day, today)),
        dropped,
        inventory.rules_of(workspace),
    )
    breaking = [change for change in changes if change.breaks]
    kept = what_if.carried(asked, tables, what_if.Point(today, today), dropped, inventory.rules_of(workspace))
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "on": day.isoformat(),
                    "known_on": min(day, today).isoformat(),
                    "flows": len(asked),
                    "source": flows.value,
                    "dropped": sorted(dropped.instruments | dropped.mechanisms),
                    "fell_with": [{"name": name, "depends_on": on_what} for name, on_what in dropped.followers],
                    "reference_sha256": tables.sha256,
                    "changes": [change.as_row() for change in changes],
                    "carried": [{**c.as_row(), "carried_by": c.after.instrument} for c in kept],
                },
                indent=2,
                ensure_ascii=False,
            )
        )
        return
    for name, on_what in dropped.followers:
        typer.echo(f"{name} falls with {on_what}, which it depends on (--alone keeps it)")
    if changes:
        typer.echo("\n".join(what_if.table(changes)))
    for one in kept:
        typer.echo(
            f"stays lawful: {one.regime} {one.flow.place} ({one.flow.nature}), carried by {one.after.instrument}"
        )
    typer.echo(
        f"{about}; {len({change.flow.key for change in breaking})} break, under"
        f" {', '.join(f'{r}: {sum(c.regime == r for c in breaking)}' for r in REGIMES)};"
        f" {len(changes) - len(breaking)} get weaker"
    )


@app.command("findings")
def list_findings(
    closed: Annotated[bool, typer.Option("--closed", help="Also those that are gone")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a list")] = False,
) -> None:
    """List the findings that stand: state, severity, until when, who owns it, what to do."""
    settings = configuration.from_environment()
    today = _today(Workspace.load(settings))
    with Database.for_duty(settings, inventory.DUTY).transaction(read_only=True) as connection:
        rows = waivers.standing(connection, process=inventory.PROCESS, today=today, closed=closed)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, default=str, ensure_ascii=False))
        return
    for row in rows:
        state = f"waived until {row['waived_until']}" if row["state"] == "waived" else row["state"]
        due = f"due {row['due_on']}" + (" OVERDUE" if row["overdue"] else "") if row["due_on"] else "to be known"
        typer.echo(
            f"{row['fingerprint'][:12]}  {row['severity']:<8}  {state}, {due}, {row['owner']}\n"
            f"    {row['rule']} at {row['asset']}: {row['title']}\n    {row['what_to_do']}"
        )
    typer.echo(f"{len(rows)} finding(s)")


@app.command("waive")
def waive(
    fingerprint: Annotated[str, typer.Argument(help="Fingerprint of the finding, or how it begins")],
    by: Annotated[str, typer.Option(help="Name of the person who takes the risk")],
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(get_args(waivers.Reason))}")],
    until: Annotated[str, typer.Option(help="Last day that the waiver holds, at most 90 days ahead")],
) -> None:
    """Waive one finding until a day. A critical one cannot be waived."""
    settings = configuration.from_environment()
    with Database.for_duty(settings, inventory.DUTY).transaction() as connection:
        done = waivers.waive(
            connection,
            process=inventory.PROCESS,
            fingerprint=fingerprint,
            approver=by,
            reason=reason,
            until=_day(until),
            at=datetime.now(UTC),
            today=_today(Workspace.load(settings)),
        )
    typer.echo(f"waived until {done.until.isoformat()} by {by.strip()}: {done.severity} {done.fingerprint[:12]}")


def _today(workspace: Workspace) -> date:
    return datetime.now(ZoneInfo(workspace.thresholds.legal_timezone)).date()


registry_app = typer.Typer(no_args_is_help=True, help="Declarations: export, import, edit in the database.")
app.add_typer(registry_app, name="registry")


@registry_app.command("export")
def export_registry(
    folder: Annotated[Path, typer.Argument(help="Folder to write into; made when it is not there")],
    at: Annotated[str | None, typer.Option(help="As recorded at the end of this day, YYYY-MM-DD")] = None,
    database: Annotated[bool, typer.Option("--database", help="What the database holds, not the files")] = False,
) -> None:
    """Write every section as a YAML file; `registry import` and the jobs read the same back."""
    settings = configuration.from_environment()
    tables = inventory.load_reference(settings.include)
    if at or database or settings.transfer_registry == "database":
        zone = ZoneInfo(Workspace.load(settings).thresholds.legal_timezone)
        until = datetime.combine(_day(at) + timedelta(days=1), time.min, zone) if at else None
        with Database.for_duty(settings, inventory.DUTY).transaction(read_only=True) as connection:
            found = history.recorded(connection, tables, until - timedelta(microseconds=1) if until else None)
        if found is None:
            raise UserError("nothing is recorded in the database", where=at or "now", do="import the files first")
    else:
        found = inventory.load_registry(settings.include, tables)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in registry.files_of(found).items():
        (folder / name).write_text(text, encoding="utf-8")
    typer.echo(f"{len(registry.SECTIONS)} files in {folder}, registry {found.sha256[:12]}")


@registry_app.command("import")
def import_registry(
    folder: Annotated[Path, typer.Argument(help="Folder with every section's YAML file")],
    by: Annotated[str, typer.Option(help="Name of the person who answers for the change")],
) -> None:
    """Read a folder, check it whole, and record what differs from the database. Nothing is lost: old states stay."""
    settings = configuration.from_environment()
    found = registry.load(folder, inventory.load_reference(settings.include))
    with Database.for_duty(settings, inventory.DUTY).transaction() as connection:
        changed = history.record(connection, found, at=datetime.now(UTC), by=by)
    typer.echo(f"{changed} declaration(s) changed; registry {found.sha256[:12]}")


@registry_app.command("set")
def set_entry(
    section: Annotated[str, typer.Argument(help="Section, e.g. transfers")],
    name: Annotated[str, typer.Argument(help="Name of the entry")],
    by: Annotated[str, typer.Option(help="Name of the person who answers for the change")],
    file: Annotated[Path | None, typer.Option(help="YAML of the entry's fields; without it the entry is withdrawn")] = (
        None
    ),
) -> None:
    """Change or withdraw one declaration in the database; refused when the registry would not agree afterwards."""
    settings = configuration.from_environment()
    tables = inventory.load_reference(settings.include)
    with Database.for_duty(settings, inventory.DUTY).transaction() as connection:
        before = history.recorded(connection, tables)
        if before is None:
            raise UserError("nothing is recorded in the database", do="transfers registry import FOLDER --by NAME")
        after = registry.with_entry(before, section, name, file, tables)
        changed = history.record(connection, after, at=datetime.now(UTC), by=by)
    typer.echo(f"{changed} declaration(s) changed; registry {after.sha256[:12]}")
