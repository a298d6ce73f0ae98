"""Observers without a store, assembly, findings, due days, files."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.datamap import loader
from privacy_ops.transfers import files, registry
from privacy_ops.transfers.assemble import Entry, assemble, undeclared_destinations
from privacy_ops.transfers.findings import due_on, find
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.observers import (
    ConnectionFact,
    ConnectionObserver,
    Observation,
    ObservedFlow,
    RegistryObserver,
    host_of,
)
from privacy_ops.transfers.regimes import add_months

from tests.unit.transfer_flows import ROOT, TODAY, contract, flow, reference

TABLES = reference()
KNOWN = registry.load(ROOT / "include" / "registry", TABLES)
MAP = loader.load(ROOT / "include" / "datamap" / "imp")


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("db.example.org", "db.example.org"),
        ("https://user:p4ss@api.example.org:8443/v1?x=1", "api.example.org"),
        ("https://user:p@ss/w#rd@api.example.org/v1", "api.example.org"),
        ("user:secret@db.example.org", "db.example.org"),
        ("DB.Example.ORG", "db.example.org"),
        ("[::1]:5432", "::1"),
        ("", None),
        (None, None),
        ("http://[broken", None),
    ],
)
def test_only_the_bare_host_is_kept(typed: str | None, host: str | None) -> None:
    assert host_of(typed) == host


@given(st.text(st.characters(codec="ascii", exclude_characters="@"), min_size=8))
def test_no_password_survives_in_a_host(password: str) -> None:
    found = host_of(f"https://user:{password}@api.example.org")

    assert found in {"api.example.org", None}


def seen(*records: ConnectionFact) -> tuple[ObservedFlow, ...]:
    return ConnectionObserver(records, KNOWN, "GB").observe().flows


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.2.3.4", "192.168.0.9", "::1", "db", "db.internal"])
def test_own_machines_are_home(host: str) -> None:
    (found,) = seen(ConnectionFact("c", "postgres", host))

    assert (found.home, found.country) == (True, "GB")


@pytest.mark.parametrize("host", ["files.example.net", "sftp.example.org:22"])
def test_unknown_hosts_are_unresolved(host: str) -> None:
    (found,) = seen(ConnectionFact("c", "sftp", host))

    assert (found.home, found.country) == (False, None)


def test_a_connection_without_host_is_unresolved_unless_it_leads_nowhere() -> None:
    assert seen(ConnectionFact("c", "fs", None), ConnectionFact("s", "aws", None)) == ()
    assert [f.country for f in seen(ConnectionFact("c", "http", None))] == [None]


def test_observers_that_could_not_look_say_so() -> None:
    assert not ConnectionObserver(None, KNOWN, "GB").observe().looked
    empty = registry.Registry()
    assert not RegistryObserver(empty).observe().looked


def entries(*flows: ObservedFlow, observer: str = "buckets") -> tuple[Entry, ...]:
    return assemble([Observation(observer, flows, looked=True)], KNOWN, MAP, TABLES)


def test_a_declared_bucket_takes_importer_and_mechanisms_of_its_declaration() -> None:
    (entry,) = entries(ObservedFlow("bucket:imp-esp-exports", "STORAGE", "US", "us-east-1"))

    assert (entry.flow.transfer_id, entry.flow.importer.entity_id) == ("campaigns", "brightmail")
    assert [m.code for m in entry.flow.mechanisms] == ["SCC_2021", "UK_ADDENDUM"]


def test_a_declared_bucket_in_another_country_is_not_declared() -> None:
    found = entries(ObservedFlow("bucket:imp-weblogs", "STORAGE", "SG", "ap-southeast-1"))
    judged = [(e, judge(e.flow, TABLES, TODAY, TODAY)) for e in found]
    (finding,) = [f for f in find(judged, [], KNOWN) if f.asset == "bucket:imp-weblogs"]

    assert found[0].flow.transfer_id is None
    assert (finding.rule, finding.severity) == ("place_differs", "CRITICAL")


def test_a_bucket_of_nobody_s_data_is_no_transfer_wherever_it_is() -> None:
    (entry,) = entries(ObservedFlow("bucket:imp-exports", "STORAGE", "SG", "ap-southeast-1"))

    assert not entry.flow.personal
    assert {j.verdict for j in judge(entry.flow, TABLES, TODAY, TODAY).values()} == {"NOT_A_TRANSFER"}


def test_an_unknown_bucket_is_taken_as_personal() -> None:
    (entry,) = entries(ObservedFlow("bucket:nobody-knows", "STORAGE", "SG", "ap-southeast-1"))

    assert entry.flow.personal


def test_the_same_flow_seen_twice_is_one_entry() -> None:
    seen_twice = ObservedFlow("bucket:imp-submissions", "STORAGE", "IE", "eu-west-1")
    found = assemble(
        [Observation("buckets", (seen_twice,), looked=True), Observation("data_map", (seen_twice,), looked=True)],
        KNOWN,
        MAP,
        TABLES,
    )

    assert [e.seen_by for e in found] == [("buckets", "data_map")]


def test_a_copy_and_its_bucket_are_one_undeclared_destination() -> None:
    found = entries(
        ObservedFlow("bucket:copy", "STORAGE", "US", "us-east-1", destination="bucket:copy"),
        ObservedFlow("replication:imp-backups>copy", "STORAGE", "US", "us-east-1", destination="bucket:copy"),
    )

    assert undeclared_destinations(found) == ("bucket:copy",)


def test_a_registered_host_of_a_processor_that_is_declared_elsewhere_is_undeclared() -> None:
    found = entries(ObservedFlow("connection:x", "PROCESSING", "SG", "h", entity="paylane"), observer="connections")

    assert (found[0].flow.transfer_id, found[0].flow.importer.entity_id) == (None, "paylane")


def findings_of(*flows: Flow) -> list[tuple[str, str]]:
    judged = [(Entry(f, ("registry",), "declared", f.place), judge(f, TABLES, TODAY, TODAY)) for f in flows]
    return [(f.rule, f.severity) for f in find(judged, [], KNOWN)]


OWNED = {"owner": "platform"}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (flow("IN", **OWNED), [("uncovered", "CRITICAL"), ("uncovered", "CRITICAL")]),
        (flow("IN", mechanisms=(contract(),), **OWNED), [("scope_mismatch", "HIGH")]),
        (flow("IN", mechanisms=(contract(),), children=True, **OWNED), [("scope_mismatch", "CRITICAL")]),
        (flow("CA", **OWNED), [("unresolved", "MEDIUM"), ("unresolved", "MEDIUM")]),
        (flow("CA", special_category=True, **OWNED), [("unresolved", "HIGH"), ("unresolved", "HIGH")]),
        (flow("NZ"), [("owner_missing", "LOW")]),
        (flow("NZ", **OWNED), []),
        (
            flow("IN", nature="REMOTE_ACCESS", importer={"relationship": "OWN_EMPLOYEE"}, **OWNED),
            [("employee_abroad", "INFO")],
        ),
        (
            flow("IN", mechanisms=(contract(), contract("UK_IDTA", linked_agreement=None)), **OWNED),
            [("no_article_28_terms", "HIGH")],
        ),
        (
            flow("BR", subject_states=(), mechanisms=(contract("UK_IDTA"),), **OWNED),
            [("efta_unverified", "MEDIUM")],
        ),
    ],
)  # fmt: skip
def test_findings_and_their_severity(one: Flow, expected: list[tuple[str, str]]) -> None:
    assert findings_of(one) == expected


@pytest.mark.parametrize(
    ("severity", "first_seen", "due"),
    [
        ("CRITICAL", date(2026, 11, 22), date(2026, 11, 22)),
        ("HIGH", date(2026, 11, 20), date(2026, 11, 27)),  # a Friday: five working days end on the next
        ("HIGH", date(2026, 11, 22), date(2026, 11, 27)),  # a Sunday
        ("MEDIUM", date(2026, 11, 20), date(2026, 12, 18)),
        ("LOW", date(2026, 11, 20), date(2027, 1, 19)),
        ("INFO", date(2026, 11, 20), None),
    ],
)
def test_due_days(severity: str, first_seen: date, due: date | None) -> None:
    assert due_on(severity, first_seen) == due  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "sftp://joe:hunter2@files.example.org",
        "postgresql+psycopg://:pw@db/x",
        "password = hunter2",
        "AKIAABCDEFGHIJKLMNOP",
        "-----BEGIN RSA PRIVATE KEY-----",
        "api_key: 12345",
        "what the job knows: correct-horse",
    ],
)
def test_secrets_are_counted_and_removed(text: str) -> None:
    known = ("correct-horse",)

    assert files.count_secrets([b"plain", text.encode()], known) >= 1
    assert files.count_secrets([files.redact(text, known).encode()], known) == 0


@pytest.mark.parametrize(
    "text", ["https://api.example.org:8443/x", "mail to a@example.org", "bucket:imp-weblogs", "s3"]
)
def test_ordinary_text_is_no_secret(text: str) -> None:
    assert files.count_secrets([text.encode()], ("short",)) == 0


@given(st.sampled_from("=+-@"), st.text(max_size=5))
def test_no_cell_is_a_formula(first: str, rest: str) -> None:
    body = files.findings_csv([{"title": first + rest}]).decode()

    assert f"'{first}" in body


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(9999, 12, 31), 24, date.max),
    ],
)
def test_months_later(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later
