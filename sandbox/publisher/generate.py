"""Fills the publisher: chunk by chunk, each with a random generator of its own, never all people at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from privacy_ops.settings import ObjectSettings

from sandbox.publisher.catalogue import Catalogue, make_catalogue, write_catalogue
from sandbox.publisher.commerce import write_commerce
from sandbox.publisher.conference import write_conference
from sandbox.publisher.database import Connection, connect
from sandbox.publisher.learning import write_learning
from sandbox.publisher.objects import Uploader, vendor_objects
from sandbox.publisher.plants import BY_DAY, NIGHT, REFERENCE_PEOPLE, Plant, planted_in, planted_tonight
from sandbox.publisher.population import People, make_people, write_people
from sandbox.publisher.rows import Ids, Rows
from sandbox.publisher.shared import shared_objects
from sandbox.publisher.subject import Subject
from sandbox.publisher.support import write_support
from sandbox.publisher.truth import add_subject, record_load
from sandbox.publisher.web import write_mobile, write_web

CHUNK = 2_000
SMALLEST = 200
CONTROL_EVERY = 40  # of the ordinary adults, one in so many is remembered by name of key
EVENTS_PER_PERSON = 20.0

Report = Callable[[int, int], None]  # people done, people in all


@dataclass(frozen=True)
class Batch:
    """What is made in one go: who, where in the order of people, and with which randomness."""

    first: int
    size: int
    plants: tuple[Plant, ...]
    randomness: tuple[int, ...]
    label: str
    night: int


def load(
    dsn: str,
    truth_dsn: str,
    object_settings: ObjectSettings | None,
    *,
    people: int,
    seed: int,
    anchor: date,
    events_per_person: float = EVENTS_PER_PERSON,
    report: Report | None = None,
) -> dict[str, int]:
    """Fill an empty publisher (schema, truth and buckets exist). All or nothing in each database.

    ``dsn`` and ``truth_dsn`` are a superuser's. Nothing happens after ``anchor`` 00:00 UTC. Without
    ``object_settings`` no objects are written. Returns counts of people, rows, objects and planted people.
    """
    if people < SMALLEST:
        raise ValueError(f"people must be at least {SMALLEST}: every trap is planted at least once")
    with ExitStack() as stack:
        connection = stack.enter_context(_bulk(dsn))
        truth = stack.enter_context(connect(truth_dsn))
        uploader = stack.enter_context(Uploader(object_settings)) if object_settings else None
        catalogue = make_catalogue()
        record_load(truth, publisher="imp", night=0, people=people, seed=seed, anchor=anchor)
        rows = Rows()
        write_catalogue(rows, catalogue, anchor)
        rows.copy(connection)
        if uploader:
            uploader.put_all(vendor_objects(anchor))
        ids = Ids()
        counts = {"people": people, "rows": 0, "planted": 0, "objects": 0}
        for batch in _batches(people, seed):
            written, planted = _write(
                batch, ids, catalogue, connection, truth, uploader, anchor, events_per_person, people
            )
            counts["rows"] += written
            counts["planted"] += planted
            if report:
                report(min(batch.first + batch.size, people), people)
        _advance_sequences(connection, ids)
        if uploader:
            uploader.wait()
            counts["objects"] = uploader.count
    _analyze(dsn)
    return counts


def plant_night(
    dsn: str,
    truth_dsn: str,
    object_settings: ObjectSettings | None,
    *,
    night: int,
    seed: int,
    anchor: date,
    by_day: bool = False,
) -> dict[str, int]:
    """Add the fresh minors and the canary of a further night (1, 2, …). Returns how many were planted.

    ``by_day``: instead, what comes in between two nights; its rows came this moment.
    """
    if night < 1:
        raise ValueError("night 0 is the first filling; further nights count from 1")
    plants = tuple(planted_tonight(BY_DAY if by_day else NIGHT))
    with ExitStack() as stack:
        connection = stack.enter_context(_bulk(dsn))
        truth = stack.enter_context(connect(truth_dsn))
        uploader = stack.enter_context(Uploader(object_settings)) if object_settings else None
        record_load(truth, publisher="imp", night=night, people=len(plants), seed=seed, anchor=anchor)
        ids = Ids(_next_numbers(connection))
        batch = Batch(0, len(plants), plants, (seed, 1, night), f"n{night}x", night)
        _write(
            batch, ids, make_catalogue(), connection, truth, uploader, anchor, EVENTS_PER_PERSON,
            REFERENCE_PEOPLE,
        )  # fmt: skip
        _advance_sequences(connection, ids)
        if by_day:
            _came_now(connection, truth, night)
    return {"planted": len(plants)}


_ARRIVALS = (
    ("core.user_account", "created_at"),
    ("core.user_profile", "updated_at"),
    ("support.ticket", "opened_at"),
    ("crm.email_subscriber", "added_at"),
)


def _came_now(connection: Connection, truth: Connection, night: int) -> None:
    """The rows of these people that say when they came say: now."""
    keys = [k for (k,) in truth.execute("SELECT user_key FROM truth.planted_subject WHERE night = %s", (night,))]
    for table, column in _ARRIVALS:
        connection.execute(
            f"UPDATE {table} SET {column} = now() WHERE user_id = ANY(%s::uuid[])",  # noqa: S608
            (keys,),
        )
    connection.execute(
        "UPDATE support.ticket_message SET at = now() WHERE ticket_id IN"
        " (SELECT id FROM support.ticket WHERE user_id = ANY(%s::uuid[]))",
        (keys,),
    )


@contextmanager
def _bulk(dsn: str) -> Iterator[Connection]:
    """A transaction that skips the checks of foreign keys: a test proves that every key is honest."""
    with connect(dsn) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL synchronous_commit = off")
        yield connection


def _next_numbers(connection: Connection) -> dict[str, int]:
    """The next free number of every table that numbers its rows by itself."""
    found = connection.execute(
        "SELECT n.nspname || '.' || c.relname, a.attname FROM pg_attribute AS a "
        "JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE a.attidentity = 'd' AND NOT c.relispartition AND n.nspname <> 'gov'"
    ).fetchall()
    numbers = {}
    for table, column in found:
        row = connection.execute(f"SELECT coalesce(max({column}), 0) + 1 FROM {table}").fetchone()  # noqa: S608
        numbers[table] = row[0] if row else 1
    serial = connection.execute(
        "SELECT coalesce(max(substring(serial FROM 5)::bigint), 0) + 1 FROM learn.certificate"
    ).fetchone()
    numbers["learn.certificate"] = serial[0] if serial else 1
    return numbers


def _advance_sequences(connection: Connection, ids: Ids) -> None:
    """Rows that are written later, by whoever, get numbers that are free."""
    for table, number in ids.tables():
        if table == "learn.certificate":
            continue  # numbered by text
        column = {"commerce.order_header": "order_id", "crm.email_subscriber": "subscriber_id"}.get(table, "id")
        connection.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s, false)", (table, column, number))


def _analyze(dsn: str) -> None:
    with connect(dsn) as connection:
        connection.execute("ANALYZE")


def _batches(people: int, seed: int) -> Iterator[Batch]:
    for number, first in enumerate(range(0, people, CHUNK)):
        size = min(CHUNK, people - first)
        plants = tuple(planted_in(people, first, first + size))
        yield Batch(first, size, plants, (seed, 0, number), "", 0)


def _write(
    batch: Batch,
    ids: Ids,
    catalogue: Catalogue,
    connection: Connection,
    truth: Connection,
    uploader: Uploader | None,
    anchor: date,
    events_per_person: float,
    publisher_size: int,
) -> tuple[int, int]:
    rows, facts = Rows(), Rows()
    people = People(
        rng=np.random.default_rng(batch.randomness),
        ids=ids,
        rows=rows,
        anchor=anchor,
        first=batch.first,
        size=batch.size,
        planted=len(batch.plants),
        label=batch.label,
        objects_share=min(1.0, REFERENCE_PEOPLE / publisher_size),
    )
    make_people(people)
    subjects = [_plant(people, position, plant) for position, plant in enumerate(batch.plants)]
    write_people(people)
    progress = write_learning(people, catalogue)
    write_commerce(people)
    write_web(people, progress, events_per_person)
    write_mobile(people)
    write_conference(people)
    write_support(people)
    for subject in subjects:
        for extra in subject.extra:
            extra()
    for plant, subject in zip(batch.plants, subjects, strict=True):
        add_subject(facts, plant, subject, batch.night)
    for position in range(len(batch.plants), batch.size, CONTROL_EVERY):
        facts.add("truth.control_subject", user_key=people.user_id[position])
    if uploader:
        for shared, user_keys in shared_objects(people):
            people.objects.append(shared)
            facts.add(
                "truth.shared_object", bucket=shared.bucket, key=shared.key, user_keys=user_keys, night=batch.night
            )
    for put in people.objects if uploader else ():
        for subject in subjects:
            text = f"{put.key} {put.body!s}"
            if subject.user_id not in text and subject.email not in text:
                continue
            facts.add(
                "truth.planted_object",
                user_key=subject.user_id,
                bucket=put.bucket,
                key=put.key,
                versions=put.versions,
                night=batch.night,
            )
    written = rows.count
    if uploader:
        uploader.put_all(people.objects)
    rows.copy(connection)
    facts.copy(truth)
    return written, len(batch.plants)


def _plant(people: People, position: int, plant: Plant) -> Subject:
    subject = Subject(people, position)
    plant.make(subject)
    # Whoever is not judged by a date of birth registered of late: nobody was a child when it was not asked.
    if plant.expectation in {"review", "flag"} and "created_at" not in subject.account:
        subject.registered(people.anchor - timedelta(days=200))
    people.override(position, account=subject.account, profile=subject.profile)
    return subject
