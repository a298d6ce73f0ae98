"""From where people reach the data: groups, sources, and what each weighs; blindness instead of empty success."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from privacy_ops.errors import ConfigError, StoreUnavailable
from privacy_ops.transfers.findings import Finding, find
from privacy_ops.transfers.geoip import GeoDatabase
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.observers import access, postgres
from privacy_ops.transfers.observers.base import Guarded, Observation, ObservedFlow
from privacy_ops.transfers.observers.postgres import PostgresObserver

from sandbox.publisher import geoip
from tests.unit.test_transfer_findings import KNOWN, MAP, TABLES, TODAY, assemble

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


class Server:
    """A database that answers every query with the same rows."""

    host = "127.0.0.1"

    def __init__(self, rows: Sequence[Any] = (), error: Exception | None = None) -> None:
        self.rows, self.error = rows, error

    @contextmanager
    def transaction(self, **_: Any) -> Iterator[Server]:
        if self.error:
            raise self.error
        yield self

    def execute(self, *_: Any, **__: Any) -> Any:
        return _Rows(self.rows)


class _Rows(list[Any]):
    def all(self) -> list[Any]:
        return list(self)


@pytest.fixture(scope="module")
def geo(tmp_path_factory: pytest.TempPathFactory) -> GeoDatabase:
    path: Path = geoip.write(tmp_path_factory.mktemp("geo") / "m.mmdb", NOW)
    return GeoDatabase.open(path, TABLES, now=NOW, max_age_days=30)


WINDOW = {"as_of": NOW, "window_days": 30}


def by_address(geo: Any, *rows: tuple[str, str, str, int], error: Exception | None = None) -> access.AccessGeoObserver:
    found = [SimpleNamespace(engagement=e, employer=who, address=ip_address(ip), accesses=n) for e, who, ip, n in rows]
    server: Any = Server(found, error)
    return access.AccessGeoObserver(server, KNOWN, TABLES, "GB", geo=geo, **WINDOW)


def by_log(*rows: tuple[str, str, str | None, int]) -> access.AccessLogObserver:
    found = [SimpleNamespace(engagement=e, employer=who, country=c, accesses=n) for e, who, c, n in rows]
    server: Any = Server(found)
    return access.AccessLogObserver(server, KNOWN, TABLES, "GB", **WINDOW)


def by_people(*rows: tuple[str, str, str]) -> access.PeopleObserver:
    server: Any = Server([SimpleNamespace(engagement=e, employer=who, country=c, people=1) for e, who, c in rows])
    return access.PeopleObserver(server, KNOWN, TABLES, "GB", as_of=NOW)


def findings(*observations: Observation) -> dict[tuple[str, str], str]:
    entries = assemble(observations, KNOWN, MAP, TABLES)
    judged = [(entry, judge(entry.flow, TABLES, TODAY, TODAY)) for entry in entries]
    found: tuple[Finding, ...] = find(judged, observations, KNOWN)
    assert not any(f.destination for f in found if f.severity != "CRITICAL")
    return {(f.rule, f.asset): f.severity for f in found}


ASSET = "processor:sahyadri"


def test_a_contractor_by_geoip_alone_is_medium(geo: GeoDatabase) -> None:
    seen = by_address(geo, ("contractor", "sahyadri", geoip.address("VN", 4), 3)).observe()

    assert findings(seen) == {("contractor_access_undeclared", ASSET): "MEDIUM"}


def test_a_contractor_by_two_sources_is_high_and_never_critical(geo: GeoDatabase) -> None:
    one = by_address(geo, ("contractor", "sahyadri", geoip.address("VN", 4), 3)).observe()
    two = by_log(("contractor", "sahyadri", "vn", 1)).observe()
    three = by_people(("contractor", "sahyadri", "VN")).observe()

    assert findings(one, two) == {("contractor_access_undeclared", ASSET): "HIGH"}
    assert findings(one, two, three) == {("contractor_access_undeclared", ASSET): "HIGH"}


def test_sources_that_name_different_countries_are_one_source_each(geo: GeoDatabase) -> None:
    one = by_address(geo, ("contractor", "sahyadri", geoip.address("VN", 4), 3)).observe()
    two = by_log(("contractor", "sahyadri", "PH", 1)).observe()
    found = find(
        [(e, judge(e.flow, TABLES, TODAY, TODAY)) for e in assemble([one, two], KNOWN, MAP, TABLES)], [one, two], KNOWN
    )

    assert {(f.subject, f.severity) for f in found} == {("VN", "MEDIUM"), ("PH", "MEDIUM")}


def test_a_declared_country_and_the_publishers_own_are_no_finding(geo: GeoDatabase) -> None:
    seen = by_address(
        geo,
        ("contractor", "sahyadri", geoip.address("IN", 4), 3),
        ("contractor", "sahyadri", geoip.address("GB", 4, v6=True), 1),
        ("employee", "imp_staff", geoip.address("GB", 4), 9),
    ).observe()

    assert findings(seen) == {}


def test_an_employee_abroad_is_info(geo: GeoDatabase) -> None:
    seen = by_address(geo, ("employee", "imp_staff", geoip.address("VN", 4), 3)).observe()

    assert findings(seen) == {("employee_abroad", "processor:imp_staff"): "INFO"}


@pytest.mark.parametrize(("engagement", "who", "severity"), [
    ("contractor", "sahyadri", "MEDIUM"), ("employee", "imp_staff", "INFO"),
])  # fmt: skip
@pytest.mark.parametrize("code", geoip.PSEUDO)
def test_a_pseudo_code_is_said_and_no_flow(
    geo: GeoDatabase, code: str, engagement: str, who: str, severity: str
) -> None:
    seen = by_address(geo, (engagement, who, geoip.address(code, 4), 3)).observe()

    assert seen.flows == ()
    assert findings(seen) == {("access_place_unknown", f"processor:{who}"): severity}


def test_an_actor_whom_nobody_knows_and_an_employer_whom_nobody_registered(geo: GeoDatabase) -> None:
    seen = by_address(
        geo,
        ("unknown", "", geoip.address("GB", 4), 1),
        ("agency", "nobody_ltd", geoip.address("GB", 5), 1),
    ).observe()

    assert findings(seen) == {
        ("access_by_unknown_actor", "access:unknown-actors"): "HIGH",
        ("processor_not_registered", "processor:nobody_ltd"): "HIGH",
    }


def test_addresses_of_one_network_are_looked_up_once_and_stand_in_nothing(geo: GeoDatabase) -> None:
    rows = [("contractor", "sahyadri", geoip.address("VN", n), 2) for n in range(500)]
    observer = by_address(geo, *rows)
    seen = observer.observe()

    assert observer.networks == 1
    assert sum(observer.counts.values()) == 1000
    assert "100.64." not in f"{seen}{observer.counts}"


def test_each_source_is_blind_without_what_it_needs(geo: GeoDatabase) -> None:
    assert "not being filled" in by_address(geo).observe().reason
    assert not by_address(ConfigError("no GeoIP database is configured"), ("e", "w", "::1", 1)).observe().looked
    assert not by_address(geo, error=StoreUnavailable("database error 57P01")).observe().looked
    assert "not being filled" in by_log().observe().reason
    assert not by_log().observe().looked
    assert not by_people().observe().looked


def test_an_observer_that_breaks_is_blind_and_its_error_is_not_quoted() -> None:
    class Broken:
        name = "broken"

        def observe(self) -> Observation:
            raise RuntimeError("postgresql://user:hunter2@db.example.org")

    seen = Guarded(Broken()).observe()

    assert not seen.looked
    assert "RuntimeError" in seen.reason
    assert "hunter2" not in seen.reason


# --- the server ------------------------------------------------------------------------------------------------


def server(*links: tuple[str, str, str | None], geo: Any = None, error: Exception | None = None) -> Observation:
    rows = [SimpleNamespace(kind=kind, name=name, host=host) for kind, name, host in links]
    database: Any = Server(rows, error)
    lookup = geo if geo is not None else ConfigError("no GeoIP database is configured")
    return PostgresObserver(database, "imp", KNOWN, "GB", lookup).observe()


def test_links_of_the_server() -> None:
    seen = server(
        ("foreign_server", "here", "localhost"),
        ("foreign_server", "there", "sydney.tindertree.example.org"),
        ("foreign_server", "odd", None),
        ("idle_slot", "left_over", None),
        ("replica", "standby", "10.0.0.7"),
        ("subscription", "two", "a.rds.eu-west-2.amazonaws.com,127.0.0.1"),
    )

    assert {(f.place, f.country, f.home) for f in seen.flows} == {
        ("foreign_server:here", "GB", True),
        ("foreign_server:there", "AU", False),
        ("foreign_server:odd", None, False),
        ("replica:standby", "GB", True),
        ("subscription:two", "GB", False),
        ("subscription:two", "GB", True),
    }
    assert [n.rule for n in seen.notes] == ["idle_replication_slot"]


def test_a_replica_by_its_address_is_an_estimate_or_blindness(geo: GeoDatabase) -> None:
    link = ("replica", "standby", geoip.address("VN", 9))
    (flow,) = server(link, geo=geo).flows

    assert (flow.country, flow.estimated) == ("VN", True)
    assert not server(link).looked


def test_what_the_administrator_may_not_read_is_blindness() -> None:
    assert "pg_subscription" in server(("unseen", "pg_subscription", None)).reason
    assert not server(error=StoreUnavailable("x")).looked
    assert postgres.PostgresObserver.name == "postgres"


def test_the_server_itself_is_where_its_host_is() -> None:
    database: Any = Server()
    database.host = "imp.rds.eu-west-2.amazonaws.com"
    found = PostgresObserver(database, "imp", KNOWN, "GB", ConfigError("none")).observe().flows

    assert found == (
        ObservedFlow("database:imp", "STORAGE", "GB", "imp.rds.eu-west-2.amazonaws.com", entity="aws_emea"),
    )
    database.host = "db.elsewhere.example.org"
    (unknown,) = PostgresObserver(database, "imp", KNOWN, "GB", ConfigError("none")).observe().flows
    assert unknown.country is None
