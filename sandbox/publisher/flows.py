"""Flows that nobody declared, one of each kind that an observer sees, and declared ones that look like them.

What is planted follows from the seed alone. ``FOUND_BY`` are the rules of findings that count as an alarm: every
undeclared plant must be the asset of one, and nothing else may be.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from privacy_ops.settings import ObjectSettings

from sandbox.publisher import geoip
from sandbox.publisher.database import Connection, connect
from sandbox.publisher.objects import BUCKETS, client

FOUND_BY = (
    "undeclared_flow",
    "place_differs",
    "contractor_access_undeclared",
    "processor_not_registered",
    "recipient_unexplained",
    "subprocessor_undeclared",
    "subprocessor_moved",
    "public_access",
    "grant_unread",
    "uncovered",
    "scope_mismatch",
)
_REGIONS = (
    ("ap-south-1", "IN"), ("ap-southeast-1", "SG"), ("sa-east-1", "BR"), ("af-south-1", "ZA"), ("me-central-1", "AE"),
)  # fmt: skip
# Registered hosts of processors in countries that no transfer declares.
_HOSTS = (
    ("ap-southeast.brightmail.example.org", "SG"),
    ("mumbai.paylane.example.org", "IN"),
    ("sydney.tindertree.example.org", "AU"),
    ("cape.meridian-metrics.example.org", "ZA"),
)
_ACCOUNTS = (("444455556666", "AU"), ("777788889999", "SG"))
_DECLARED_ACCOUNT = "111122223333"
_SHARED = ("imp-survey-attachments", "imp-support-attachments", "imp-profile-photos")
_ABROAD = ("VN", "PH", "EG", "KE", "RS", "TR")
SECRET = "not-a-real-password"  # noqa: S105 - stands wherever a real one would: it must come out nowhere
_ACCESSES = 40  # of each person with access


@dataclass(frozen=True)
class PlantedFlow:
    """``place``: the asset that a finding has to name. ``declared``: it looks like one of the others and is not."""

    place: str
    kind: str
    country: str
    declared: bool = False


@dataclass(frozen=True)
class Flows:
    """Everything that one seed plants."""

    bucket: tuple[str, str, str]  # name, region, country
    grant: tuple[str, str, str]  # bucket, account, country
    foreign: tuple[str, str]  # host, country
    subscription: tuple[str, str]
    connection: tuple[str, str]
    extra: tuple[str, str]
    address: str  # country of a bare address
    contractor: str  # country
    agency: str
    exhibitor: str

    @classmethod
    def of(cls, seed: int) -> Flows:
        rng = random.Random(seed)
        region, country = rng.choice(_REGIONS)
        hosts = rng.sample(_HOSTS, 4)
        account, owner = rng.choice(_ACCOUNTS)
        abroad = rng.sample(_ABROAD, 4)
        bucket = f"imp-trial-{rng.randrange(10**4):04d}"
        return cls(
            (bucket, region, country), (rng.choice(_SHARED), account, owner), hosts[0], hosts[1], hosts[2], hosts[3],
            abroad[0], abroad[1], abroad[2], abroad[3],
        )  # fmt: skip

    def planted(self) -> Iterator[PlantedFlow]:
        yield PlantedFlow(f"bucket:{self.bucket[0]}", "bucket_region", self.bucket[2])
        yield PlantedFlow(f"grant:{self.grant[0]}>{self.grant[1]}", "grant", self.grant[2])
        yield PlantedFlow(f"grant:imp-esp-exports>{_DECLARED_ACCOUNT}", "grant", "US", True)
        yield PlantedFlow("foreign_server:crm_mirror", "foreign_server", self.foreign[1])
        yield PlantedFlow("foreign_server:reporting", "foreign_server", "GB", True)
        yield PlantedFlow("subscription:mirror_in", "subscription", self.subscription[1])
        yield PlantedFlow("subscription:beside_us", "subscription", "GB", True)
        yield PlantedFlow("connection:vendor_sync", "connection", self.connection[1])
        yield PlantedFlow("connection:vendor_extra", "connection", self.extra[1])
        yield PlantedFlow("connection:legacy_sftp", "address", self.address)
        for name in ("campaigns", "payments", "intranet", "socket"):
            yield PlantedFlow(f"connection:{name}", "connection", "", True)
        yield PlantedFlow("processor:sahyadri", "contractor_access", self.contractor)
        yield PlantedFlow("processor:quillon_agency", "people", self.agency)
        yield PlantedFlow("processor:exhibitor:9", "recipient", self.exhibitor)
        yield PlantedFlow("processor:exhibitor:3", "recipient", "IN", True)
        yield PlantedFlow("subprocessor:brightmail>Nightjar Analytics Pte", "subprocessor", "SG")
        yield PlantedFlow("subprocessor:tindertree>Tuatara Hosting Ltd", "subprocessor", "AU")
        yield PlantedFlow("subprocessor:lecternware>Maplehost Hosting Inc.", "subprocessor", "CA", True)

    def connections(self) -> dict[str, dict[str, Any]]:
        """Airflow connections by id, each with a made-up secret."""
        secret = {"login": "sync", "password": SECRET}
        return {
            "vendor_sync": {"conn_type": "http", "host": self.connection[0], **secret},
            "vendor_extra": {"conn_type": "generic", "extra": {"webhookUrl": f"https://{self.extra[0]}/in"}, **secret},
            "legacy_sftp": {"conn_type": "sftp", "host": geoip.address(self.address, 22), **secret},
            "campaigns": {"conn_type": "http", "host": "smtp.brightmail.example.org", **secret},
            "payments": {"conn_type": "http", "host": "https://API.Paylane.example.org./v1", **secret},
            "intranet": {"conn_type": "http", "host": "10.20.30.40", **secret},
            "socket": {"conn_type": "postgres", "host": "/var/run/postgresql", **secret},
        }


def plant(dsn: str, truth_dsn: str, object_settings: ObjectSettings, *, seed: int, now: datetime) -> int:
    """Plant in stores, server and gov, and note it in the ground truth; returns how many are undeclared.

    ``dsn`` and ``truth_dsn`` are a superuser's. Subscriptions keep a database from being dropped: ``uproot``.
    """
    flows = Flows.of(seed)
    _plant_buckets(flows, object_settings)
    with connect(dsn) as connection:
        _plant_server(connection, flows)
        _plant_people(connection, flows, random.Random(seed), now)
        _plant_listings(connection, now)
        _plant_exhibitor(connection, flows, now)
    planted = list(flows.planted())
    with connect(truth_dsn) as truth:
        for one in planted:
            truth.execute(
                "INSERT INTO truth.planted_flow VALUES (%s, %s, %s, %s)",
                (one.place, one.kind, one.country, one.declared),
            )
    return sum(not one.declared for one in planted)


def uproot(dsn: str) -> None:
    """Remove the subscriptions, so that the database can be dropped."""
    with connect(dsn) as connection:
        for name in ("mirror_in", "beside_us"):
            connection.execute(f"DROP SUBSCRIPTION IF EXISTS {name}".encode())


def _plant_buckets(flows: Flows, settings: ObjectSettings) -> None:
    name, region, _ = flows.bucket
    client(replace(settings, region=region)).create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": region},  # type: ignore[typeddict-item]
    )
    s3 = client(settings)
    for bucket, account in (flows.grant[:2], ("imp-esp-exports", _DECLARED_ACCOUNT)):
        statement = {
            "Sid": SECRET,
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
        # Of an action that no job needs: the embedded store heeds denials, and reads none of their conditions.
        denial = {**statement, "Effect": "Deny", "Principal": "*", "Action": "s3:GetObjectTorrent"}
        policy = {"Version": "2012-10-17", "Statement": [statement, denial]}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def _plant_server(connection: Connection, flows: Flows) -> None:
    connection.execute("CREATE FOREIGN DATA WRAPPER made_up")  # the embedded server ships none
    for name, host in (("crm_mirror", flows.foreign[0]), ("reporting", "reports.rds.eu-west-2.amazonaws.com")):
        connection.execute(f"CREATE SERVER {name} FOREIGN DATA WRAPPER made_up OPTIONS (host '{host}')".encode())
        connection.execute(
            f"CREATE USER MAPPING FOR CURRENT_USER SERVER {name} OPTIONS (user 'mirror', password '{SECRET}')".encode()
        )
    for name, address in (
        # A password that looks like another host, and one inside an address.
        ("mirror_in", f"user=r password=''x host={SECRET}'' host={flows.subscription[0]} dbname=x"),
        ("beside_us", f"postgresql://r:{SECRET}@127.0.0.1:5432/x"),
    ):
        connection.execute(
            f"CREATE SUBSCRIPTION {name} CONNECTION '{address}'"
            " PUBLICATION p WITH (connect = false, enabled = false, slot_name = NONE)".encode()
        )


def _plant_people(connection: Connection, flows: Flows, rng: random.Random, now: datetime) -> None:
    """People with access, and from where they worked in the last three weeks."""
    people = [
        *((f"E{n:03d}", "employee", "imp_staff", "GB", ("GB",)) for n in range(8)),
        ("E101", "employee", "imp_staff", "GB", ("GB", "FR")),  # roaming
        ("E102", "employee", "imp_staff", "IN", ("IN", "XX")),  # the editor abroad, once through a tunnel
        ("C201", "contractor", "sahyadri", "IN", ("IN",)),
        ("C202", "contractor", "sahyadri", "IN", ("IN", "GB")),  # through our own network as well
        ("C203", "contractor", "sahyadri", "IN", ("IN", flows.contractor)),
        ("A301", "agency", "quillon_agency", flows.agency, ()),
    ]  # fmt: skip
    for reference, engagement, employer, home, _ in people:
        connection.execute(
            "INSERT INTO gov.staff VALUES (%s, %s, %s, %s, NULL)", (reference, engagement, employer, home)
        )
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY gov.access_log (actor, at, ip, country, store) FROM STDIN") as copy,
    ):
        for reference, _, _, _, countries in people:
            for number in range(_ACCESSES if countries else 0):
                country = countries[number % len(countries)]
                at = now - timedelta(minutes=rng.randrange(60, 21 * 24 * 60))
                ip = geoip.address(country, rng.randrange(10_000), v6=rng.random() < 0.3)
                stated = None if country in geoip.PSEUDO or rng.random() < 0.5 else country
                copy.write_row((reference, at, ip, stated, "database:imp"))


def _plant_listings(connection: Connection, now: datetime) -> None:
    """What each processor's annex says: as agreed, but for one new name and one that moved."""
    said: Mapping[str, tuple[tuple[str, str], ...]] = {
        "aws_emea": (("", ""),),
        "brightmail": (
            ("Coppice Cloud Inc.", "US"), ("Larkspur Support LLC", "US"), ("Nightjar Analytics Pte", "SG"),
        ),
        "confluence_badges": (("Coppice Cloud Inc.", "US"),),
        "lecternware": (("Maplehost Hosting Inc.", "CA"),),
        "meridian_metrics": (("Rheinrechner GmbH", "DE"),),
        "tindertree": (("Tuatara Hosting Ltd", "NZ"), ("Tuatara Hosting Ltd", "AU")),
    }  # fmt: skip
    for processor, listed in said.items():
        for name, country in listed:
            connection.execute(
                "INSERT INTO gov.subprocessor_listing VALUES (%s, %s, %s, %s, '', 'annex of the contract')",
                (processor, (now - timedelta(days=20)).date(), name, country),
            )


def _plant_exhibitor(connection: Connection, flows: Flows, now: datetime) -> None:
    """An exhibitor that nobody registered scans the badge of a visitor without an account."""
    connection.execute("INSERT INTO events.exhibitor VALUES (9, 'Exhibitor 9 Ltd', %s)", (flows.exhibitor,))
    connection.execute(
        "INSERT INTO events.exhibitor SELECT 3, 'Exhibitor 3 Ltd', 'IN'"
        " WHERE NOT EXISTS (SELECT 1 FROM events.exhibitor WHERE id = 3)"
    )
    connection.execute(
        "INSERT INTO events.conference SELECT 1, 'Congress', 'London', 'GB', %s, %s"
        " WHERE NOT EXISTS (SELECT 1 FROM events.conference WHERE id = 1)",
        (now.date(), now.date()),
    )
    connection.execute(
        "INSERT INTO events.attendee (conference_id, name, email, badge_code, attendee_type, registered_at)"
        " VALUES (1, 'Visitor of a stand', 'visitor.stand@list.example.org', 'B-STAND-9', 'delegate', %s)",
        (now - timedelta(days=3),),
    )
    for exhibitor in (9, 3):
        connection.execute(
            "INSERT INTO events.badge_scan (badge_code, exhibitor_id, scanned_at) VALUES ('B-STAND-9', %s, %s)",
            (exhibitor, now - timedelta(days=2)),
        )


def static() -> Iterator[PlantedFlow]:
    """What the buckets of every publisher plant."""
    countries = {"us-east-1": "US", "ap-south-1": "IN"}
    for bucket in BUCKETS:
        if bucket.planted:
            yield PlantedFlow(f"bucket:{bucket.name}", "bucket_region", countries[bucket.region])
        if bucket.replicates_to:
            target = next(b for b in BUCKETS if b.name == bucket.replicates_to)
            yield PlantedFlow(f"replication:{bucket.name}>{target.name}", "replication", countries[target.region])
