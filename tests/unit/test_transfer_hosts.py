"""Hosts in address fields: odd spellings, lists, sockets, placeholders; and no secret, whatever was typed."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.airflow_support.connections import addresses, fact
from privacy_ops.errors import ConfigError
from privacy_ops.transfers.observers.connections import AddressObserver, ConnectionFact, ConnectionObserver
from privacy_ops.transfers.observers.hosts import Hosts, hosts_in, own

from tests.unit.test_transfer_findings import KNOWN

UNREAD = Hosts(unread=True)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("db.example.org", ("db.example.org",)),
        ("DB.Example.ORG.", ("db.example.org",)),
        ("db.example.org:5432", ("db.example.org",)),
        ("https://user:p4ss@api.example.org:8443/v1?x=1#y", ("api.example.org",)),
        ("//api.example.org/x", ("api.example.org",)),
        ("https://api.example.org/users/joe@corp.example.net", ("api.example.org",)),
        ("postgresql://u:p@h1.example.org:5432,h2.example.org:5433/db", ("h1.example.org", "h2.example.org")),
        ("mongodb://u:p@a.example.org,b.example.org/?replicaSet=x", ("a.example.org", "b.example.org")),
        ("a.example.org:9092, b.example.org:9092", ("a.example.org", "b.example.org")),
        ("postgresql:///db", ("localhost",)),
        ("/var/run/postgresql", ("localhost",)),
        ("unix:/run/redis.sock", ("localhost",)),
        ("host=h.example.org password='a host=evil.example.org' dbname=x", ("h.example.org",)),
        ("dbname=x user=y", ("localhost",)),
        ("host=/tmp dbname=x", ("localhost",)),
        ("jdbc:postgresql://db.example.org:5432/x?password=s3", ("db.example.org",)),
        ("jdbc:sqlserver://db.example.org:1433;password=s3", ("db.example.org",)),
        ("jdbc:oracle:thin:@db.example.org:1521", ("db.example.org",)),
        ("::1", ("::1",)),
        ("[2001:db8::7]:5432", ("2001:db8::7",)),
        ("fe80::1%eth0", ("fe80::1",)),
        ("::ffff:192.0.2.7", ("192.0.2.7",)),
        ("http://[::1]/x", ("::1",)),
        ("bücher.example.org", ("xn--bcher-kva.example.org",)),
        ("ｅxample。org", ("example.org",)),
        ("2130706433", ("127.0.0.1",)),
        ("0x7f.1", ("127.0.0.1",)),
        ("0300.0250.1.1", ("192.168.1.1",)),
        ("my_db", ("my_db",)),
    ],
)  # fmt: skip
def test_odd_hosts_are_read(typed: str, names: tuple[str, ...]) -> None:
    assert hosts_in(typed) == Hosts(names)


@pytest.mark.parametrize(
    "typed",
    [
        "${DB_HOST}", "{{ var.value.host }}", "$HOST", "<host>", "%(host)s", "***", "http://[broken",
        "https://user:pass", "a b c", "host with blank", "-bad-.example.org", "999.999.999.999.1", "x" * 9000,
        "db\n.example.org",
        "xn--\x00",
        "https://u:p@a.example.org/cb?to=x@b.example.org", "💥.example.org:x", "..", "host='unfinished",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_to_be_unread_and_not_guessed(typed: str) -> None:
    found = hosts_in(typed)

    assert found.unread
    assert found.names == ()


def test_an_empty_field_holds_nothing() -> None:
    assert hosts_in(None) == hosts_in("  ") == Hosts()


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_and_what_it_reads_is_a_bare_name(text: str) -> None:
    for name in hosts_in(text).names:
        assert name.isascii()
        assert not set(name) & set("/?#@ \\'\"=;,$")


SECRET = st.text(string.ascii_letters + string.digits + "!#$&()*+-/:;<=>?[]^_{|}~%.", min_size=1, max_size=30)
SHAPES = (
    "https://user:{}@api.example.org/v1",
    "postgresql://user:{}@h1.example.org,h2.example.org/db",
    "https://api.example.org/hook?token={}",
    "https://api.example.org/hook#{}",
    "jdbc:postgresql://db.example.org/x?user=y&password={}",
    "jdbc:sqlserver://db.example.org:1433;user=y;password={}",
    "user:{}@db.example.org",
)


@given(SECRET.map(lambda s: f"zQ7{s}Kx9"), st.sampled_from(SHAPES))
def test_no_secret_survives_in_a_host(secret: str, shape: str) -> None:
    found = hosts_in(shape.format(secret))

    assert "zq7" not in " ".join(found.names).lower()
    assert "kx9" not in " ".join(found.names).lower()


@given(SECRET.map(lambda s: f"zQ7{s}Kx9"))
def test_no_secret_of_a_connection_reaches_a_record_or_its_flows(secret: str) -> None:
    extra = {
        "endpoint_url": f"https://key:{secret}@s3.example.org",
        "password": secret,
        "api_key": secret,
        "aws_secret_access_key": secret,
        "nested": {"proxyHost": "proxy.example.org", "private_key": secret},
        "dsn": f"host=h.example.org password={secret}",
        "hosts": ["a.example.org", f"b.example.org:{secret}"],
    }  # fmt: skip
    record = fact("c", "http", f"https://user:{secret}@api.example.org", extra)
    seen = ConnectionObserver([record], KNOWN, "GB").observe()
    text = f"{record!r} {record.host} {record.more} {seen}".lower()

    assert "zq7" not in text
    assert "kx9" not in text


def test_hosts_of_extra_fields_are_found_wherever_they_stand() -> None:
    extra = {
        "extra__google__endpoint_url": "https://a.example.org",
        "bootstrap.servers": "b.example.org:9092,c.example.org:9092",
        "proxies": {"https": "d.example.org:3128"},
        "list": ["https://e.example.org/x"],
        "region_name": "eu-west-2",
        "hostKeyPolicy": "ignore",
        "schema": "https",
        "verify": True,
    }

    assert list(addresses(extra)) == [
        "https://a.example.org", "b.example.org:9092,c.example.org:9092", "d.example.org:3128", "https://e.example.org/x",
    ]  # fmt: skip


def test_a_placeholder_in_a_host_is_unresolved_and_not_passed_over() -> None:
    (flow,) = ConnectionObserver([fact("c", "http", "${HOST}", {})], KNOWN, "GB").observe().flows

    assert (flow.country, flow.detail) == (None, "host not told")


def test_an_address_of_the_world_is_left_to_geoip_which_is_blind_without_a_database() -> None:
    records = [ConnectionFact("c", "sftp", "100.64.0.9")]

    assert ConnectionObserver(records, KNOWN, "GB").observe().flows == ()
    assert not AddressObserver(records, KNOWN, ConfigError("no GeoIP database is configured")).observe().looked
    assert AddressObserver([], KNOWN, ConfigError("none")).observe().looked  # nothing to look up


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.1.1.1", "::", "db", "x.internal", "192.168.3.4", "fd00::1"])
def test_own_hosts(host: str) -> None:
    assert own(host)
