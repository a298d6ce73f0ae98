# ruff: noqa: S311 - identifiers and values are made here; nothing secret is drawn
"""Erasure on databases that nobody designed: random tables, keys, references, circles and rows.

A draw says what a schema looks like and whose each row is. The expected end is computed from the rows alone, in
Python, by following references; the engine gets the database and a map. After the night every table holds exactly
what is expected, cell by cell: what was planned is gone, nobody else's row changed, nothing points at nobody. Then
the night is repeated, and the same is done with a kill in the middle.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from unittest import mock

import psycopg
from privacy_ops import runs, signing, thresholds
from privacy_ops.datamap import grants
from privacy_ops.datamap.loader import sha256
from privacy_ops.datamap.model import DataMap
from privacy_ops.erasure import execute, verify
from privacy_ops.erasure.certificates import certify as certificate
from privacy_ops.erasure.gates import judge_plan
from privacy_ops.erasure.objects import erase as object_erasure
from privacy_ops.erasure.plan import plan
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources, judge_detection
from privacy_ops.runs import Run
from privacy_ops.settings import DUTIES, KEY_PURPOSES, KeyRing, ObjectSettings, Settings, home_directory
from privacy_ops.stores import migrations, roles
from privacy_ops.stores.database import quote, quote_table
from privacy_ops.workspace import Workspace

from sandbox import provision
from sandbox.postgres import PostgresServer

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
MINOR, ADULT = date(2010, 5, 5), date(1980, 5, 5)
Key = tuple[Any, ...]
Row = dict[str, Any]


@dataclass(frozen=True)
class Reference:
    """Columns of a table that equal the key of ``to``. ``role``: how the map sees them.

    link: the way to the person. also: a further way, for rows without the first. unlink: emptied when the target goes.
    """

    columns: tuple[str, ...]
    to: str
    role: str
    nullable: bool
    enforced: bool
    on_delete: str = "NO ACTION"
    deferrable: bool = False


@dataclass
class Drawn:
    """One table: its key with types, what becomes of rows of an erased person, and its references."""

    name: str
    key: tuple[tuple[str, str], ...]
    erase: str  # DELETE, RETAIN_MIN, KEEP (about nobody) or OTHERS
    references: list[Reference] = field(default_factory=list)
    partitioned: bool = False
    computed: bool = False
    rows: list[Row] = field(default_factory=list)

    @property
    def key_columns(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.key)

    def key_of(self, row: Row) -> Key:
        return tuple(row[name] for name in self.key_columns)


@dataclass
class Schema:
    """A drawn database. The first table holds the people."""

    tables: dict[str, Drawn]

    @property
    def people(self) -> Drawn:
        return next(iter(self.tables.values()))

    def target(self, row: Row, reference: Reference) -> Row | None:
        wanted = tuple(row[c] for c in reference.columns)
        if any(value is None for value in wanted):
            return None
        there = self.tables[reference.to]
        return next((r for r in there.rows if there.key_of(r) == wanted), None)


def draw(seed: int, most_tables: int = 30) -> Schema:
    """A schema with rows; the same for the same seed."""
    dice = random.Random(seed)
    people = Drawn("people", _key(dice), "DELETE")
    tables = {"people": people}
    for number in range(1, dice.randint(2, most_tables)):
        name = f"t{number}" if dice.random() < 0.8 else f'odd "{number}" T'
        erase = dice.choices(["DELETE", "RETAIN_MIN", "OTHERS", "KEEP"], [6, 2, 1, 1])[0]
        table = Drawn(name, _key(dice), erase)
        table.partitioned = erase == "DELETE" and dice.random() < 0.15
        table.computed = dice.random() < 0.2
        tables[name] = table
    _refer(dice, list(tables.values()))
    schema = Schema(tables)
    _fill(dice, schema)
    return schema


def _key(dice: random.Random) -> tuple[tuple[str, str], ...]:
    kinds = ["bigint", "uuid", "text"]
    return tuple((f"k{n}", dice.choice(kinds)) for n in range(1, dice.choice([1, 1, 1, 2, 3]) + 1))


def _refer(dice: random.Random, tables: list[Drawn]) -> None:
    owned = [tables[0]]
    for table in tables[1:]:
        if table.erase in {"DELETE", "RETAIN_MIN"}:
            parent = dice.choice(owned)
            loose = table.erase == "RETAIN_MIN" and parent.erase == "DELETE"
            table.references.append(_reference(dice, table, parent, "link", nullable=loose or dice.random() < 0.3))
            owned.append(table)
        elif table.erase == "OTHERS":
            table.references.append(_reference(dice, table, dice.choice(owned), "unlink", nullable=True))
    for table in tables:
        for _ in range(dice.choice([0, 0, 0, 1, 1, 2])):
            to = dice.choice([t for t in owned if t.erase == "DELETE"])
            first = table.references[0] if table.references else None
            # A further way is for rows that nobody owns by the first: circles of tables come from here.
            way = first is not None and first.role == "link" and first.nullable and table.erase == "DELETE"
            if way and to.name != table.name and dice.random() < 0.5:
                table.references.append(_reference(dice, table, to, "also", nullable=True))
            elif table.erase != "KEEP":
                table.references.append(_reference(dice, table, to, "unlink", nullable=True))


def _reference(dice: random.Random, table: Drawn, to: Drawn, role: str, *, nullable: bool) -> Reference:
    number = len(table.references) + 1
    columns = tuple(f"r{number}_{name}" for name in to.key_columns)
    goes_along = role in {"link", "also"} and table.erase == "DELETE"
    actions = ["NO ACTION", "NO ACTION", "RESTRICT"] + (["CASCADE"] if goes_along else [])
    actions += ["SET NULL"] if nullable else []
    action = dice.choice(actions)
    return Reference(
        columns,
        to.name,
        role,
        nullable,
        enforced=role == "unlink" or dice.random() < 0.85,
        on_delete=action,
        deferrable=action == "NO ACTION" and dice.random() < 0.3,
    )


def _fill(dice: random.Random, schema: Schema) -> None:
    for table in schema.tables.values():
        for number in range(1, dice.randint(3, 9) if table is schema.people else dice.randint(0, 14)):
            row: Row = {name: _value(dice, kind, number) for name, kind in table.key}
            row["note"] = f"{table.name} {number}"
            if table is schema.people:
                row |= {
                    "born": MINOR if dice.random() < 0.4 else ADULT,
                    "status": "active",
                    "since": NOW.replace(year=2020),
                }
            table.rows.append(row)
    for table in schema.tables.values():
        for row in list(table.rows):
            for reference in table.references:
                # Circles are tied after all rows stand: whoever comes first points at nobody yet, but required
                # references only lead to tables drawn before.
                choices = schema.tables[reference.to].rows
                # A row of one person that must go with another's row is a contradiction; the gate refuses it (G-25).
                owned = reference.role == "also" and row[table.references[0].columns[0]] is not None
                if owned or (reference.nullable and (not choices or dice.random() < 0.35)):
                    row |= dict.fromkeys(reference.columns)
                elif choices:
                    target = dice.choice(choices)
                    there = schema.tables[reference.to].key_columns
                    row |= {c: target[k] for c, k in zip(reference.columns, there, strict=True)}
                else:
                    table.rows.remove(row)
                    break
        _drop_dangling(schema)


def _drop_dangling(schema: Schema) -> None:
    """Rows whose required target was taken away go too."""
    again = True
    while again:
        again = False
        for table in schema.tables.values():
            for row in list(table.rows):
                for reference in table.references:
                    if reference.columns[0] not in row or any(row[c] is None for c in reference.columns):
                        continue
                    if schema.target(row, reference) is None:
                        table.rows.remove(row)
                        again = True
                        break


def _value(dice: random.Random, kind: str, number: int) -> Any:
    if kind == "bigint":
        return number * 10 + dice.randint(0, 9)
    if kind == "uuid":
        return f"00000000-0000-4000-8000-{number:04d}{dice.randrange(16**8):08x}"
    return f"{number}, " + dice.choice(["a b", "x'y", 'q"z', "{1}", "\\n", ":p", "é", "%s"])


# --- what must stand afterwards ---------------------------------------------------------------------------------


def expected(schema: Schema) -> dict[str, list[Row]]:
    """Every table after its minors were erased, from the rows alone."""
    theirs: dict[str, set[Key]] = {name: set() for name in schema.tables}
    theirs["people"] = {schema.people.key_of(r) for r in schema.people.rows if r["born"] == MINOR}
    again = True
    while again:
        again = False
        for table in schema.tables.values():
            for row in table.rows:
                if table.key_of(row) not in theirs[table.name] and _belongs(schema, table, row, theirs):
                    theirs[table.name].add(table.key_of(row))
                    again = True
    after: dict[str, list[Row]] = {}
    for table in schema.tables.values():
        kept = []
        for row in table.rows:
            mine = table.key_of(row) in theirs[table.name]
            if mine and table.erase == "DELETE":
                continue
            row = dict(row)
            if mine:
                row["note"] = None
            for reference in table.references:
                target = schema.target(row, reference)
                there = schema.tables[reference.to]
                gone = target is not None and there.erase == "DELETE" and there.key_of(target) in theirs[there.name]
                if (reference.role == "unlink" and (gone or mine)) or (reference.role == "link" and mine and gone):
                    row |= dict.fromkeys(reference.columns)
            kept.append(row)
        after[table.name] = kept
    return after


def _belongs(schema: Schema, table: Drawn, row: Row, theirs: Mapping[str, set[Key]]) -> bool:
    if table.erase not in {"DELETE", "RETAIN_MIN"}:
        return False
    for reference in table.references:
        if reference.role == "unlink":
            continue
        if reference.role == "also" and all(row[c] is not None for c in table.references[0].columns):
            continue
        target = schema.target(row, reference)
        if target is not None and schema.tables[reference.to].key_of(target) in theirs[reference.to]:
            return True
    return False


# --- the database and its map --------------------------------------------------------------------------------------


def create(connection: psycopg.Connection[Any], schema: Schema) -> None:
    """Tables, rows, then keys and indexes."""
    connection.execute("CREATE SCHEMA draw")
    for table in schema.tables.values():
        columns = [f"{quote(name)} {kind}" for name, kind in table.key]
        for reference in table.references:
            kinds = dict(schema.tables[reference.to].key)
            columns += [
                f"{quote(c)} {kinds[k]}" + ("" if reference.nullable else " NOT NULL")
                for c, k in zip(reference.columns, schema.tables[reference.to].key_columns, strict=True)
            ]
        columns.append("note text")
        if table is schema.people:
            columns += ["born date NOT NULL", "status text NOT NULL", "since timestamptz NOT NULL"]
        if table.computed:
            columns.append("size int GENERATED ALWAYS AS (length(note)) STORED")
        keys = ", ".join(map(quote, table.key_columns))
        by = f" PARTITION BY HASH ({keys})" if table.partitioned else ""
        connection.execute(f"CREATE TABLE {_name(table)} ({', '.join(columns)}, PRIMARY KEY ({keys})){by}".encode())
        for part in range(3 if table.partitioned else 0):
            connection.execute(
                f"CREATE TABLE {quote_table(f'draw.{table.name} part {part}')} PARTITION OF {_name(table)}"
                f" FOR VALUES WITH (MODULUS 3, REMAINDER {part})".encode()
            )
        for row in table.rows:
            marks = ", ".join(["%s"] * len(row))
            connection.execute(
                f"INSERT INTO {_name(table)} ({', '.join(map(quote, row))}) VALUES ({marks})".encode(),
                list(row.values()),
            )
    for table in schema.tables.values():
        for reference in table.references:
            columns_sql = ", ".join(map(quote, reference.columns))
            connection.execute(f"CREATE INDEX ON {_name(table)} ({columns_sql})".encode())
            if reference.enforced:
                there = schema.tables[reference.to]
                connection.execute(
                    f"ALTER TABLE {_name(table)} ADD FOREIGN KEY ({columns_sql}) REFERENCES {_name(there)}"
                    f" ({', '.join(map(quote, there.key_columns))}) ON DELETE {reference.on_delete}"
                    f"{' DEFERRABLE INITIALLY DEFERRED' if reference.deferrable else ''}".encode()
                )


def map_of(schema: Schema) -> DataMap:
    """The map that somebody who knows the schema would write."""
    common = {"purpose": ["provide_service"], "retention": "account life"}
    tables: dict[str, Any] = {}
    for table in schema.tables.values():
        columns: dict[str, Any] = {name: {"category": "system.operations"} for name in table.key_columns}
        columns["note"] = {"category": "system.operations"}
        if table.erase == "RETAIN_MIN":
            columns["note"]["erase"] = "NULL"
        if table.computed:
            columns["size"] = {"category": "system.operations"}
        if table is schema.people:
            columns |= {
                "born": {"category": "user", "evidence": {"signal": "SIG-01", "kind": "birth_date"}},
                "status": {"category": "system.operations"},
                "since": {"category": "system.operations"},
            }
        entry: dict[str, Any] = {"key": list(table.key_columns), "columns": columns} | common
        for reference in table.references:
            emptied = reference.role == "unlink" or (
                reference.role == "link"
                and table.erase == "RETAIN_MIN"
                and schema.tables[reference.to].erase == "DELETE"
            )
            for column in reference.columns:
                columns[column] = {"category": "system.operations"} | ({"erase": "UNLINK"} if emptied else {})
            if reference.role in {"link", "also"}:
                link = {
                    "to": _plain(reference.to),
                    "columns": list(reference.columns),
                    "references": list(schema.tables[reference.to].key_columns),
                    "optional": reference.nullable,
                }
                if reference.role == "link":
                    entry["link"] = link
                else:
                    entry.setdefault("also", []).append(link)
        entry["erase"] = {"OTHERS": "KEEP"}.get(table.erase, table.erase)
        if table.erase in {"OTHERS", "KEEP"}:
            entry["about"] = "others" if table.erase == "OTHERS" else "nobody"
        tables[_plain(table.name)] = entry
    return DataMap.model_validate({
        "version": 1,
        "publisher": {
            "key": "draw", "name": "Drawn", "country": "GB", "regimes": ["UK"], "legal_timezone": "Europe/London",
        },
        "location": {"country": "GB", "region": "eu-west-2", "provider": "own"},
        "subject": {"table": "draw.people", "key": list(schema.people.key_columns), "registered_at": "since"},
        "restriction": {
            "table": "draw.people", "key": list(schema.people.key_columns), "column": "status", "value": "restricted",
        },
        "tables": tables,
    })  # fmt: skip


def _plain(name: str) -> str:
    return f"draw.{name.replace(chr(34), '')}"


def _name(table: Drawn) -> str:
    return quote_table(_plain(table.name))


def contents(connection: psycopg.Connection[Any], schema: Schema) -> dict[str, list[str]]:
    """Every table as it stands, one comparable text per row."""
    found = {}
    for table in schema.tables.values():
        names = [*table.key_columns, *(c for r in table.references for c in r.columns), "note"]
        names += ["born"] if table is schema.people else []
        rows = connection.execute(f"SELECT {', '.join(map(quote, names))} FROM {_name(table)}".encode())
        found[table.name] = sorted(repr([None if v is None else str(v) for v in row]) for row in rows)
    return found


def as_contents(schema: Schema, rows: Mapping[str, list[Row]]) -> dict[str, list[str]]:
    """The same texts of drawn rows."""
    found = {}
    for table in schema.tables.values():
        names = [*table.key_columns, *(c for r in table.references for c in r.columns), "note"]
        names += ["born"] if table is schema.people else []
        found[table.name] = sorted(
            repr([None if row.get(n) is None else str(row[n]) for n in names]) for row in rows[table.name]
        )
    return found


# --- the night -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ground:
    """Where drawn databases are made: ``fresh`` gives a new one with gov and roles, and a workspace for a map."""

    fresh: Callable[[], Any]  # context manager yielding (superuser dsn, workspace without the right map)


def examine(ground: Ground, schema: Schema, *, kill: bool) -> None:
    """One drawn database: erase, compare, erase again. AssertionError tells what differs."""
    with ground.fresh() as (dsn, workspace), psycopg.connect(dsn) as connection:
        create(connection, schema)
        connection.commit()
        data_map = map_of(schema)
        grants.apply(workspace_dsn(dsn), data_map)
        workspace = Workspace(workspace.settings, workspace.thresholds, data_map, sha256(data_map))
        wanted = as_contents(schema, expected(schema))
        run = open_run(workspace, "first")
        prepare(workspace, run)
        if kill:
            with _killed(), _swallowed():
                finish(workspace, run)
            assert (
                contents(connection, schema)["people"]
                == as_contents(schema, {t.name: t.rows for t in schema.tables.values()})["people"]
            ), "a killed erasure left something half done"
            connection.rollback()
        finish(workspace, run)
        _same(contents(connection, schema), wanted)
        connection.rollback()
        again = open_run(workspace, "second")
        prepare(workspace, again)
        finish(workspace, again)
        _same(contents(connection, schema), wanted)


def workspace_dsn(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+psycopg://", 1)


def _same(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> None:
    for table, rows in wanted.items():
        assert found[table] == rows, f"{table}: stands {found[table]}, expected {rows}"


class Killed(Exception):
    """Stands for the end of a process."""


@contextmanager
def _killed() -> Iterator[None]:
    """The last statement of the erasing transaction is never reached."""

    def die(*_: object) -> None:
        raise Killed

    with mock.patch.object(execute, "_record_erased", die):
        yield


@contextmanager
def _swallowed() -> Iterator[None]:
    try:
        yield
    except Killed:
        return


def open_run(workspace: Workspace, name: str) -> Run:
    with workspace.database("detect").transaction() as connection:
        return runs.open_run(
            connection,
            run_id=f"minor_data_deletion/{name}",
            dag_id="minor_data_deletion",
            now=NOW,
            run_type="manual",
            dry_run=False,
            thresholds_sha256=workspace.thresholds.sha256(),
            map_sha256=workspace.map_sha256,
        )


def prepare(workspace: Workspace, run: Run) -> None:
    check_sources(workspace, run)
    judge_detection(workspace, run, detect_and_restrict(workspace, run))
    plan(workspace, run, now=NOW)
    judge_plan(workspace, run, now=NOW)


def finish(workspace: Workspace, run: Run) -> None:
    execute.erase_database(workspace, run, now=NOW)
    object_erasure.erase_objects(workspace, run, now=NOW)
    verify.verify(workspace, run, now=NOW)
    certificate.certify(workspace, run, now=NOW)


# --- many of them ------------------------------------------------------------------------------------------------


def prove(examples: int, say: Callable[[str], None] = print, *, tables: int = 30) -> list[str]:
    """Draw ``examples`` schemas of up to ``tables`` tables, every other one with a kill; returns what went wrong."""
    from bench import world

    failures = []
    with world.stores() as (server, object_settings):
        ground = _ground(server, object_settings)
        for seed in range(examples):
            try:
                examine(ground, draw(seed, tables), kill=seed % 2 == 1)
            except Exception as error:  # ruff: ignore[BLE001] - each failure is reported with its seed
                failures.append(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}")
                say(failures[-1])
            if (seed + 1) % 25 == 0:
                say(f"{seed + 1} drawn schemas erased, {len(failures)} failures")
    return failures


def _ground(server: PostgresServer, object_settings: ObjectSettings) -> Ground:
    passwords = {duty: secrets.token_hex(16) for duty in DUTIES}
    provision.create_database(server, "draw_template")
    migrations.upgrade(server.dsn("draw_template"))
    roles.apply(server.dsn("draw_template"), passwords, closed_databases=())
    keys = KeyRing(
        hmac={purpose: {"k1": secrets.token_bytes(32)} for purpose in KEY_PURPOSES},
        current=dict.fromkeys(KEY_PURPOSES, "k1"),
        signing_key_pem=signing.generate_key_pem(),
    )
    limits = thresholds.load(home_directory() / "include" / "thresholds.yaml")

    @contextmanager
    def fresh() -> Iterator[tuple[str, Workspace]]:
        from bench import world

        name = f"draw_{secrets.token_hex(4)}"
        # Who may enter is not copied with a template.
        provision.administer(server, f"CREATE DATABASE {name} TEMPLATE draw_template")
        world.fresh_buckets(object_settings)
        world.make_evidence_bucket(object_settings, f"evidence-{name.replace('_', '-')}")
        given = Settings(
            home=home_directory(),
            dsns={duty: server.dsn(name, f"privacy_{duty}", passwords[duty]) for duty in DUTIES},
            objects=object_settings,
            keys=keys,
            evidence_bucket=f"evidence-{name.replace('_', '-')}",
        )
        dsn = server.dsn(name).replace("postgresql+psycopg://", "postgresql://", 1)
        yield (
            dsn,
            Workspace(given, limits, map_of(Schema({"people": Drawn("people", (("k1", "bigint"),), "DELETE")})), ""),
        )
        provision.drop_database(server, name)

    return Ground(fresh)


if __name__ == "__main__":
    import sys

    sys.exit(1 if prove(int(sys.argv[1]) if len(sys.argv) > 1 else 100) else 0)
