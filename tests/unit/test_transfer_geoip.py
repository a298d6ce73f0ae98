"""A GeoIP database that is missing, damaged, of another kind or too old is refused; a good one gives countries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from privacy_ops.errors import ConfigError
from privacy_ops.transfers.geoip import GeoDatabase

from sandbox.publisher import geoip
from tests.unit.transfer_flows import reference

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
TABLES = reference()


def opened(path: Path | None, now: datetime = NOW) -> GeoDatabase:
    return GeoDatabase.open(path, TABLES, now=now, max_age_days=30)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return geoip.write(tmp_path_factory.mktemp("geo") / "made-up.mmdb", NOW)


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize("code", ["GB", "IN", "VN"])
def test_countries_of_both_kinds_of_address(good: Path, code: str, v6: bool) -> None:
    assert opened(good).country(geoip.address(code, 77, v6=v6)) == code


@pytest.mark.parametrize("code", geoip.PSEUDO)
def test_a_pseudo_code_is_no_country(good: Path, code: str) -> None:
    assert opened(good).country(geoip.address(code, 5)) is None


@pytest.mark.parametrize("address", ["203.0.113.9", "127.0.0.1", "::1", "10.0.0.1", "2001:4860::1"])
def test_an_address_that_no_network_holds_is_unknown(good: Path, address: str) -> None:
    assert opened(good).country(address) is None


def test_ipv4_inside_ipv6_is_ipv4(good: Path) -> None:
    assert opened(good).country(f"::ffff:{geoip.address('IN', 3)}") == "IN"


def test_one_answer_serves_a_whole_network(good: Path) -> None:
    country, network = opened(good).locate(geoip.address("IN", 3))

    assert country == "IN"
    assert network == geoip.networks()["IN"][0]


def test_an_address_of_the_sixth_version_is_unknown_to_a_database_of_the_fourth(tmp_path: Path) -> None:
    database = opened(geoip.write(tmp_path / "v4.mmdb", NOW, ip_version=4))

    assert database.country(geoip.address("IN", 3)) == "IN"
    assert database.country(geoip.address("IN", 3, v6=True)) is None


@pytest.mark.parametrize(
    "record",
    [
        {}, {"country": {}}, {"country": {"iso_code": 7}}, {"country": "IN"}, {"country": {"iso_code": "QQ"}},
        {"registered_country": {"iso_code": "IN"}}, {"country": {"iso_code": ""}},
    ],
)  # fmt: skip
def test_a_record_without_a_country_is_unknown(tmp_path: Path, record: dict[str, object]) -> None:
    database = opened(geoip.write(tmp_path / "odd.mmdb", NOW, records={"IN": record}))

    assert database.country(geoip.address("IN", 3)) is None


def test_an_alias_is_its_country(tmp_path: Path) -> None:
    database = opened(geoip.write(tmp_path / "alias.mmdb", NOW, records={"GB": {"country": {"iso_code": "UK"}}}))

    assert database.country(geoip.address("GB", 3)) == "GB"


def refused(path: Path | None, now: datetime = NOW) -> str:
    with pytest.raises(ConfigError) as error:
        opened(path, now)
    return str(error.value)


def test_none_configured_missing_or_a_folder(tmp_path: Path) -> None:
    assert "no GeoIP database is configured" in refused(None)
    assert "cannot be read" in refused(tmp_path / "absent.mmdb")
    assert "cannot be read" in refused(tmp_path)


def test_thirty_days_old_is_good_and_a_second_more_is_not(good: Path) -> None:
    assert opened(good, NOW + timedelta(days=30)).built_at == NOW
    assert "older than 30 days" in refused(good, NOW + timedelta(days=30, seconds=1))


def test_a_database_from_the_future_is_refused(good: Path) -> None:
    assert "after today" in refused(good, NOW - timedelta(days=2))


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert "holds no countries" in refused(geoip.write(tmp_path / "asn.mmdb", NOW, database_type="Made-up-ASN"))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.9, 0.999])
def test_a_truncated_database_is_refused(good: Path, tmp_path: Path, share: float) -> None:
    whole = good.read_bytes()
    cut = tmp_path / "cut.mmdb"
    cut.write_bytes(whole[: int(len(whole) * share)])

    assert "damaged or not in MMDB format" in refused(cut)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_database_is_refused_or_gives_countries_but_never_breaks(
    good: Path, tmp_path: Path, data: st.DataObject
) -> None:
    body = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.mmdb"
    path.write_bytes(bytes(body))
    said = ""
    try:
        database = opened(path)
        found = [database.country(geoip.address(code, 9)) for code in ("GB", "IN", "EU")]
    except ConfigError as error:
        found, said = [], str(error)
    assert "What to do" in said if said else all(code is None or TABLES.territory(code) for code in found)
