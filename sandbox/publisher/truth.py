"""The ground truth: a database of its own, which no duty's role can reach."""

from __future__ import annotations

from datetime import date

from sandbox.publisher import flows
from sandbox.publisher.database import Connection, connect
from sandbox.publisher.plants import Plant
from sandbox.publisher.rows import Rows
from sandbox.publisher.subject import Subject

SCHEMA = """
CREATE SCHEMA truth;
CREATE TABLE truth.load (
    load_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    publisher text NOT NULL,
    night integer NOT NULL,         -- 0: the first filling
    people integer NOT NULL,
    seed bigint NOT NULL,
    anchor date NOT NULL,
    UNIQUE (publisher, night)
);
CREATE TABLE truth.planted_subject (
    publisher text NOT NULL DEFAULT 'imp',
    user_key text NOT NULL,         -- the person's key; parts of a composite key joined by /
    email text,
    token text,                     -- a word that nobody else's data holds
    name text NOT NULL,             -- the plant
    signal text NOT NULL,
    expectation text NOT NULL CHECK (expectation IN ('stated', 'review', 'flag', 'never')),
    seen_as text NOT NULL DEFAULT '',  -- class of a case that people decide; empty: the rules allow more than one
    reporter text,                  -- who told us about this person
    dob_min date,                   -- all that was stated may mean
    dob_max date,
    hold text CHECK (hold IN ('legal_hold', 'access_request', 'unverified_request')),
    canary boolean NOT NULL,
    shared_email boolean NOT NULL,
    night integer NOT NULL,
    PRIMARY KEY (publisher, user_key)
);
CREATE TABLE truth.kept_row (       -- rows that stay when the planted person goes
    publisher text NOT NULL DEFAULT 'imp',
    user_key text NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE truth.planted_row (    -- rows that are people of their own, or hold some
    user_key text NOT NULL,         -- the account that they hang on, which is left alone
    table_name text NOT NULL,
    column_name text NOT NULL,
    value text NOT NULL,
    expectation text NOT NULL CHECK (expectation IN ('gone', 'reviewed', 'quarantined')),
    night integer NOT NULL
);
CREATE TABLE truth.shared_object (  -- objects that hold rows of many people
    bucket text NOT NULL,
    key text NOT NULL,
    user_keys text[] NOT NULL,      -- whose rows it held
    night integer NOT NULL
);
CREATE TABLE truth.planted_object (
    user_key text NOT NULL,
    bucket text NOT NULL,
    key text NOT NULL,
    versions integer NOT NULL,
    night integer NOT NULL
);
CREATE TABLE truth.control_subject (
    publisher text NOT NULL DEFAULT 'imp',
    user_key text NOT NULL,
    PRIMARY KEY (publisher, user_key)
);
CREATE TABLE truth.planted_flow (
    place text PRIMARY KEY,         -- the asset that a finding has to name
    kind text NOT NULL,             -- bucket_region, replication, grant, foreign_server, connection …
    country text NOT NULL,
    declared boolean NOT NULL
);
"""


def create_truth(dsn: str) -> None:
    """Create the tables in an empty database and close it to every role but its owner. ``dsn``: superuser."""
    with connect(dsn) as connection:
        database = connection.info.dbname.replace('"', '""')
        connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
        connection.execute(SCHEMA)
        for one in flows.static():
            connection.execute(
                "INSERT INTO truth.planted_flow VALUES (%s, %s, %s, %s)",
                (one.place, one.kind, one.country, one.declared),
            )


def record_load(connection: Connection, *, publisher: str, night: int, people: int, seed: int, anchor: date) -> None:
    connection.execute(
        "INSERT INTO truth.load (publisher, night, people, seed, anchor) VALUES (%s, %s, %s, %s, %s)",
        (publisher, night, people, seed, anchor),
    )


def add_subject(rows: Rows, plant: Plant, subject: Subject, night: int) -> None:
    """What the truth knows of one planted person."""
    low, high = subject.born or (None, None)
    rows.add(
        "truth.planted_subject",
        user_key=subject.user_id,
        email=subject.email,
        token=subject.token,
        name=plant.name,
        signal=plant.signal,
        expectation=plant.expectation,
        seen_as=plant.seen_as,
        reporter=subject.reporter,
        dob_min=low,
        dob_max=high,
        hold=subject.hold,
        canary=subject.canary,
        shared_email=subject.shared_email,
        night=night,
    )
    for table, column, value, expectation in subject.rows_expected:
        rows.add(
            "truth.planted_row",
            user_key=subject.user_id,
            table_name=table,
            column_name=column,
            value=value,
            expectation=expectation,
            night=night,
        )
    for table, column, value in subject.kept:
        rows.add("truth.kept_row", user_key=subject.user_id, table_name=table, column_name=column, value=value)
