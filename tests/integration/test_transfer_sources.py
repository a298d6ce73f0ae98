"""Sources of the inventory that the planted world does not hold: other jobs' deliveries, publications, readers of the
server, people's word, and access points of many regions. Each through its real store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from privacy_ops.errors import StoreRefused
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.transfers import inventory, registry
from privacy_ops.transfers.observers import Observation
from privacy_ops.transfers.observers.buckets import AccessPointObserver
from privacy_ops.transfers.observers.postgres import PostgresObserver
from privacy_ops.transfers.registry import Registry
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.integration.test_transfer_inventory import (  # noqa: F401 - fixtures
    NOW,
    PASSWORDS,
    PLANTED,
    Office,
    blocked_by,
    governed,
    office,
)
from tests.unit.transfer_flows import reference

TABLES = reference()
# --- what the other jobs sent out ------------------------------------------------------------------------------

DELIVERED = (
    "INSERT INTO gov.recipient (recipient_id, kind, legal_name, country, status) VALUES"
    " ('society-hanoi', 'supporter', 'Society', 'VN', 'active'), ('author-lima', 'author', 'Author', 'PE', 'active'),"
    " ('author-oslo', 'author', 'Author', 'NO', 'active')",
    "INSERT INTO gov.agreement VALUES ('agr-1', 'society-hanoi', '{}', '2026-01-01', '2026-11-22'),"
    " ('agr-2', 'author-lima', '{}', '2026-01-01', '2026-11-21'), ('agr-3', 'author-oslo', '{}', '2026-01-01',"
    " '2027-01-01')",
    "INSERT INTO gov.release_register SELECT (jsonb_populate_record(NULL::gov.release_register, jsonb_build_object("
    "'release_id', r, 'recipient_id', r, 'product', 'EXP-AUTHOR', 'iso_week', '2026-W46', 'period_key', '2026-W46',"
    " 'window_start', now(), 'window_end', now(), 'spec_version', '1', 'as_of', now(), 'released_at', now(), 'run_id',"
    " 'r', 'code_version', '1', 'thresholds_sha256', '', 'map_sha256', '', 'object_prefix', r, 'files', '[]'::jsonb,"
    " 'pack_sha256', '', 'n_rows', 1, 'n_withheld', 0, 'entitlement', '{}'::jsonb, 'gate_result_id', 1, 'approvers',"
    " '[]'::jsonb, 'utility', '{}'::jsonb, 'revision', 0, 'columns', '[]'::jsonb))).*"
    " FROM unnest(ARRAY['society-hanoi', 'author-lima', 'author-oslo']) AS r",
    # Oslo's was blocked before it left.
    "INSERT INTO gov.release_delivery (release_id, kind, at, run_id, reason, object_key) VALUES"
    " ('society-hanoi', 'prepared', now(), 'r', '', 'k'), ('author-lima', 'prepared', now(), 'r', '', 'k'),"
    " ('author-oslo', 'blocked', now(), 'r', 'NOT_ENTITLED', NULL)",
    "INSERT INTO gov.downstream_instruction (instruction_id, plan_id, case_id, party, state, created_at, instructed_at)"
    " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), party, state, now(), at FROM (VALUES"
    " ('brightmail', 'acknowledged', now()), ('dunav_mailing', 'sent', now()), ('nobody_knows', 'sent', now()),"
    " ('tindertree', 'pending', NULL)) AS told (party, state, at)",
)  # fmt: skip
LEFT = "gov.recipient, gov.agreement, gov.release_register, gov.release_delivery, gov.downstream_instruction"


@pytest.fixture
def delivered(office: Office) -> Iterator[Office]:  # noqa: F811
    """Packs to recipients abroad, and instructions, as the other jobs write them; without the rows that lead there."""
    with office.superuser.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for sql in DELIVERED:
            connection.exec_driver_sql(sql)
    yield office
    with office.superuser.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(f"TRUNCATE {LEFT} CASCADE"))


def test_deliveries_are_logged_and_no_transfer_while_instructions_are_judged(delivered: Office) -> None:
    delivered.write(
        "registry/processors.yaml", "  paylane:\n",
        "  dunav_mailing:\n    name: Dunav Mailing (made up)\n    established: RS\n    relationship: PROCESSOR\n"
        "  paylane:\n",
    )  # fmt: skip
    run = delivered.open()
    seen = delivered.look(run)
    inventory.publish_findings(delivered.workspace, run)

    assert (seen["observers"]["export_deliveries"], seen["blind"]) == (2, [])
    flows = delivered.ask(
        "SELECT f.place, f.country, f.personal, f.transfer_id, array_agg(v.verdict ORDER BY v.regime) AS verdicts"
        " FROM gov.inventory_flow AS f JOIN gov.flow_verdict AS v USING (snapshot_id, flow_key)"
        " WHERE 'export_deliveries' = ANY(f.seen_by) OR 'instructions' = ANY(f.seen_by) GROUP BY 1, 2, 3, 4 ORDER BY 1"
    )
    anonymous = ["NOT_A_TRANSFER", "NOT_A_TRANSFER"]
    assert [tuple(f) for f in flows if f.place.startswith("recipient:")] == [
        ("recipient:author-lima", "PE", False, None, anonymous),
        ("recipient:society-hanoi", "VN", False, "agreement:agr-1", anonymous),
    ]
    told = {f.place: f for f in flows if f.place.startswith("processor:")}
    assert set(told) == {"processor:brightmail", "processor:dunav_mailing"}  # what was not sent is no flow
    assert told["processor:brightmail"].transfer_id is not None
    uncovered = ["UNCOVERED", "UNCOVERED"]
    assert tuple(told["processor:dunav_mailing"])[1:] == ("RS", True, None, uncovered)

    found = {
        row.asset: (row.rule, row.severity)
        for row in delivered.ask("SELECT asset, rule, severity FROM gov.finding WHERE rule = ANY(:r)",
            r=["undeclared_flow", "processor_not_registered"])
    }  # fmt: skip
    assert found["processor:dunav_mailing"] == ("undeclared_flow", "CRITICAL")
    assert found["processor:nobody_knows"] == ("processor_not_registered", "HIGH")
    assert found["recipient:author-lima"] == ("undeclared_flow", "LOW")  # its agreement ended yesterday
    assert "recipient:society-hanoi" not in found
    assert "processor:brightmail" not in found
    blocked = delivered.ask("SELECT DISTINCT destination FROM gov.blocked_destination WHERE lifted_at IS NULL")
    assert {row.destination for row in blocked} == {*PLANTED, "processor:dunav_mailing"}


# --- the server ------------------------------------------------------------------------------------------------


def declared(**places: str) -> Registry:
    """The registry of the repository; ``payments`` also serves these places, by country."""
    from privacy_ops.settings import home_directory

    content = registry.load(home_directory() / "include" / "registry", TABLES).content()
    flows = content["transfers"]["payments"]["flows"]
    flows += [{"country": country, "nature": "PROCESSING", "places": [place]} for place, country in places.items()]
    return registry.of_content(content, TABLES, "test")


def server(dsn: str, known: Registry) -> Observation:
    url = make_url(dsn).set(username="privacy_inventory", password=PASSWORDS["inventory"])
    database = Database(url.render_as_string(hide_password=False), duty="inventory")
    return PostgresObserver(database, "imp", known, "GB", StoreRefused("no GeoIP database")).observe()


def test_a_publication_is_a_fact_and_its_readers_are_declared_or_unknown(governed: str) -> None:  # noqa: F811
    before = server(governed, declared())
    with Database(governed).transaction() as connection:
        connection.execute(text("CREATE PUBLICATION to_partner FOR TABLE events.conference"))
    try:
        unknown = server(governed, declared())
        known = server(governed, declared(**{"publication:to_partner": "IE"}))
    finally:
        with Database(governed).transaction() as connection:
            connection.execute(text("DROP PUBLICATION to_partner"))

    assert (before.looked, before.notes) == (True, ())
    (note,) = unknown.notes
    assert (note.rule, note.asset, note.severity) == (
        "publication_readers_unknown", "publication:to_partner", "LOW",
    )  # fmt: skip
    assert unknown.flows == before.flows
    assert known.notes == ()
    (flow,) = set(known.flows) - set(before.flows)
    assert (flow.place, flow.country, flow.entity) == ("publication:to_partner", "IE", "paylane")


@contextmanager
def standby(dsn: str, name: str) -> Iterator[None]:
    """Somebody who is connected as a replica is: a walsender of the server serves it."""
    address = make_url(dsn).set(drivername="postgresql", query={"replication": "true", "application_name": name})
    reader = psycopg.pq.PGconn.connect(address.render_as_string(hide_password=False).encode())
    try:
        assert reader.status == psycopg.pq.ConnStatus.OK, reader.error_message
        yield
    finally:
        reader.finish()


def test_a_reader_of_the_servers_log_is_seen_with_its_host(governed: str) -> None:  # noqa: F811
    with standby(governed, "standby_two"):
        seen = {flow.place: flow for flow in server(governed, declared()).flows}

    assert (seen["replica:standby_two"].home, seen["replica:standby_two"].country) == (True, "GB")  # on this machine


# --- people's word ---------------------------------------------------------------------------------------------


def test_a_word_ages_and_then_neither_counts_nor_stands_for_an_observer(
    office: Office,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> Any:
        raise StoreRefused("the object store has no access points")

    monkeypatch.setattr(ObjectStore, "access_points", refuse)
    days = office.workspace.thresholds.transfers.attestation_max_age_days
    said = NOW.date() - timedelta(days=days)  # counts today for the last time
    office.write(
        "registry/attested.yaml", "  embeds_of_pages:\n",
        "  no_access_points:\n    detector: T-D1\n    says: the store has none\n    owner: platform\n"
        f"    attested_on: {said}\n    stands_for: access_points\n  embeds_of_pages:\n",
    )  # fmt: skip

    first = office.open()
    seen = office.look(first)
    inventory.publish_findings(office.workspace, first)
    (kept,) = office.ask("SELECT observers FROM gov.inventory_snapshot")
    (word,) = [o for o in kept.observers if o["observer"] == "access_points"]
    assert (seen["blind"], word["looked"]) == ([], True)
    assert word["reason"] == "not looked: attested by platform as no_access_points"
    assert stale(office) == {}

    later = NOW + timedelta(days=1)
    second = office.open(later)
    assert office.look(second)["blind"] == ["access_points"]
    inventory.publish_findings(office.workspace, second)
    assert stale(office) == {"attested:no_access_points": "MEDIUM"}
    assert blocked_by(office, second, at=later) == ["T-BLIND"]


def stale(office: Office) -> dict[str, str]:  # noqa: F811
    rows = office.ask("SELECT asset, severity FROM gov.finding WHERE rule = 'attestation_stale'")
    return {row.asset: row.severity for row in rows}


# --- access points of many regions -----------------------------------------------------------------------------


def points(store: ObjectStore) -> Observation:
    return AccessPointObserver(store, declared()).observe()


def test_an_access_point_of_many_regions_is_seen_with_its_policy(
    objects: ObjectStore, object_settings: ObjectSettings
) -> None:
    for bucket in ("imp-one", "imp-two"):
        objects.client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    account = objects.account()
    control = objects._side_client("s3control", "us-west-2", account)
    assert points(objects).flows == ()
    control.create_multi_region_access_point(
        AccountId=account,
        Details={"Name": "everywhere", "Regions": [{"Bucket": "imp-one"}, {"Bucket": "imp-two"}]},
        ClientToken="one",
    )
    assert points(objects).flows == ()  # without a policy of its own it lets nobody in
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "s3:GetObject"}]}
    control.put_multi_region_access_point_policy(
        AccountId=account, Details={"Name": "everywhere", "Policy": json.dumps(policy)}, ClientToken="two"
    )

    seen = points(objects)
    assert seen.looked
    assert [(f.place, f.destination) for f in seen.flows] == [
        ("grant:imp-one>444455556666", "bucket:imp-one"), ("grant:imp-two>444455556666", "bucket:imp-two"),
    ]  # fmt: skip
    assert all("multi-region access point everywhere" in flow.detail for flow in seen.flows)


class Control:
    """The interface of access points of a store: one of many regions, one bucket of which is somebody else's."""

    def __init__(self, status: int = 200, code: str = "") -> None:
        self.status, self.code = status, code

    def list_access_points(self, **_: str) -> dict[str, Any]:
        return {"AccessPointList": []}

    def list_multi_region_access_points(self, **said: str) -> dict[str, Any]:
        if self.code:
            self.fail(self.code, self.status)
        listed = {"Name": "second", "Regions": [{"Bucket": "partner-lake", "BucketAccountId": "777788889999"}]}
        return {"AccessPoints": [listed]} if "NextToken" in said else {"AccessPoints": [], "NextToken": "more"}

    def get_multi_region_access_point_policy(self, **_: str) -> None:
        self.fail("NoSuchMultiRegionAccessPointPolicy", 404)

    def fail(self, code: str, status: int) -> None:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "List")  # type: ignore[typeddict-item,unused-ignore]


def observed(store: ObjectStore, control: Control, monkeypatch: pytest.MonkeyPatch) -> Observation:
    monkeypatch.setattr(store, "account", lambda: "123456789012")
    monkeypatch.setattr(store, "_side_client", lambda *_: control)
    monkeypatch.setattr(store, "buckets", list)
    return points(store)


def test_a_bucket_of_somebody_else_behind_it_is_a_disclosure(
    object_settings: ObjectSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (flow,) = observed(ObjectStore(object_settings), Control(), monkeypatch).flows

    assert (flow.place, flow.nature) == ("grant:partner-lake>777788889999", "DISCLOSURE")


@pytest.mark.parametrize(
    ("endpoint", "status", "code", "looked"),
    [
        ("own", 501, "NotImplemented", True),
        ("own", 405, "MethodNotAllowed", True),
        ("own", 403, "AccessDenied", False),
        ("AWS", 501, "NotImplemented", False),
        ("AWS", 403, "AccessDenied", False),
    ],
)
def test_a_store_that_does_not_know_the_question_has_none_and_aws_always_knows_it(
    object_settings: ObjectSettings,
    endpoint: str,
    status: int,
    code: str,
    looked: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = object_settings if endpoint == "own" else replace(object_settings, endpoint_url=None)
    seen = observed(ObjectStore(settings), Control(status, code), monkeypatch)

    assert (seen.looked, seen.flows) == (looked, ())
