"""The parts of a delivery that need no store: the file, the link, the mail, the log, the address."""

from __future__ import annotations

import hashlib
import hmac
import io
import random
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP, default
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops import pseudonyms, signing, thresholds
from privacy_ops.errors import ConfigError
from privacy_ops.settings import KeyRing, ObjectSettings, home_directory
from privacy_ops.stores.objects import LONGEST_LINK, Link, ObjectStore
from privacy_ops.usage import recipients
from privacy_ops.usage.delivery import archive, contacts, letters
from privacy_ops.usage.delivery.access_logs import parse
from privacy_ops.usage.delivery.letters import Announced, Envelope, Recalled
from privacy_ops.usage.delivery.standing import CONTACT_CHANGED, NO_CONTACT
from privacy_ops.usage.files import sums
from privacy_ops.usage.pack import pack_sha256
from pydantic import ValidationError

from sandbox.state import new_signing_key
from tests.delivery_world import CONTACTS, KEYS, registry, write

NOW = datetime(2026, 11, 18, 7, tzinfo=UTC)
WEEK = timedelta(days=7)
FILES = {"a.csv": b"x,y\n1,2\n", "README.md": b"# Use\n", "SHA256SUMS": b"0  a.csv\n"}

# ---- the file


@given(st.randoms())
def test_an_archive_is_the_same_bytes_in_any_order_of_its_files(order: random.Random) -> None:
    names = list(FILES)
    order.shuffle(names)
    body = archive.pack_zip("folder", {name: FILES[name] for name in names})
    assert hashlib.sha256(body).hexdigest() == "1ebd3fde877c6486896b447674baa74258b5bb96cefd5c43c7dd950dbb242ccc"


def test_an_archive_tells_neither_time_nor_machine_and_unpacks_to_the_same_files() -> None:
    with zipfile.ZipFile(io.BytesIO(archive.pack_zip("folder", FILES))) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(f"folder/{name}") for name in FILES} == FILES
        for entry in opened.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert (entry.create_system, entry.external_attr >> 16) == (3, 0o100644)
            assert entry.compress_type == zipfile.ZIP_STORED
            assert entry.extra == b""


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("changed", FILES | {"README.md": b"# Abuse\n"}),
        ("one more", FILES | {"people.csv": b"name"}),
        ("one missing", {"a.csv": FILES["a.csv"]}),
        ("renamed", {("b.csv" if name == "a.csv" else name): body for name, body in FILES.items()}),
        ("nothing", {}),
    ],
)
def test_only_the_registered_files_count_as_registered(name: str, files: dict[str, bytes]) -> None:
    told = [{"name": n, "sha256": hashlib.sha256(b).hexdigest()} for n, b in FILES.items()]
    assert archive.is_registered(FILES, told, pack_sha256(FILES))
    assert not archive.is_registered(files, told, pack_sha256(FILES)), name
    assert not archive.is_registered(FILES, told, "0" * 64), "another pack's hash"
    assert not archive.is_registered({}, [], pack_sha256({})), "an empty pack is none"


def test_recipients_share_no_prefix() -> None:
    ours = archive.prefix_of("author-one", "r1")
    assert archive.key_of("author-one", "2026-W46", "r1").startswith(ours)
    for other in (archive.key_of("author-one-more", "2026-W46", "r1"), archive.key_of("author-one", "2026-W46", "r11")):
        assert not other.startswith(ours)


# ---- the link

STORE = ObjectSettings("http://127.0.0.1:9", "AKEXAMPLE", "secret/with+signs", "eu-west-2")
KEY = archive.key_of("author-one", "2026-W46", "r1")


def test_a_link_carries_a_signature_of_version_4_and_says_when_it_ends() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    link = ObjectStore(STORE).link("imp-exports", KEY, "v/1+2", lasts=WEEK)
    asked = dict(parse_qsl(urlsplit(link.url).query))
    assert set(asked) == {
        "versionId", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    }  # fmt: skip
    assert asked["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert (asked["versionId"], asked["X-Amz-SignedHeaders"], asked["X-Amz-Expires"]) == ("v/1+2", "host", "604800")
    assert before + WEEK <= link.expires_at <= datetime.now(UTC) + WEEK
    signed = datetime.strptime(asked["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert link.expires_at == signed + WEEK
    assert asked["X-Amz-Credential"] == f"AKEXAMPLE/{signed:%Y%m%d}/eu-west-2/s3/aws4_request"
    assert "secret" not in link.url


def test_the_signature_is_that_of_the_exact_request_by_botocores_own_signer() -> None:
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = ObjectStore(STORE).link("imp-exports", KEY, "v1", lasts=WEEK).url
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    given_signature = asked.pop("X-Amz-Signature")
    signer = S3SigV4QueryAuth(Credentials(STORE.access_key, STORE.secret_key), "s3", STORE.region, expires=604800)
    bare = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(asked.items()))
    request = AWSRequest(method="GET", url=f"{parts.scheme}://{parts.netloc}{parts.path}?{bare}")
    request.context["timestamp"] = asked["X-Amz-Date"]
    canonical = signer.canonical_request(request)
    assert canonical.splitlines()[:2] == ["GET", f"/imp-exports/{KEY}"]
    assert canonical.splitlines()[-1] == "UNSIGNED-PAYLOAD"
    assert signer.signature(signer.string_to_sign(request, canonical), request) == given_signature


def test_the_signature_is_that_of_the_exact_request_worked_out_by_hand() -> None:
    """As the documentation of Signature Version 4 says, without any part of botocore."""
    url = ObjectStore(STORE).link("imp-exports", KEY, "v1", lasts=WEEK).url
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    signature = asked.pop("X-Amz-Signature")
    query = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in sorted(asked.items()))
    canonical = "\n".join(["GET", parts.path, query, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"])
    scope = asked["X-Amz-Credential"].partition("/")[2]
    told = "\n".join([
        "AWS4-HMAC-SHA256", asked["X-Amz-Date"], scope, hashlib.sha256(canonical.encode()).hexdigest()
    ])  # fmt: skip
    key = b"AWS4" + str(STORE.secret_key).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    assert hmac.digest(key, told.encode(), "sha256").hex() == signature


def test_on_aws_a_link_names_the_bucket_in_its_region() -> None:
    url = ObjectStore(replace(STORE, endpoint_url=None)).link("imp-exports", KEY, "", lasts=WEEK).url
    assert url.startswith(f"https://imp-exports.s3.eu-west-2.amazonaws.com/{KEY}?X-Amz-")
    assert "versionId" not in url


def test_a_link_is_made_for_the_address_under_which_recipients_reach_the_store() -> None:
    inside = replace(STORE, endpoint_url="http://objects:8333", link_url="https://files.press.example.org")
    link = ObjectStore(inside).link("imp-exports", KEY, "", lasts=WEEK)
    assert link.url.startswith(f"https://files.press.example.org/imp-exports/{KEY}?")


@pytest.mark.parametrize("address", ["http://objects:8333", "http://files.press.example.org", "ftp://x.example.org"])
def test_no_link_without_tls_leaves_this_machine(address: str) -> None:
    with pytest.raises(ConfigError, match="without TLS"):
        ObjectStore(replace(STORE, link_url=address)).link("imp-exports", KEY, "", lasts=WEEK)


@pytest.mark.parametrize("lasts", [timedelta(0), -WEEK, LONGEST_LINK + timedelta(seconds=1), timedelta(days=14)])
def test_no_link_lasts_longer_than_s3_takes(lasts: timedelta) -> None:
    with pytest.raises(ValueError, match="seven days"):
        ObjectStore(STORE).link("imp-exports", KEY, "", lasts=lasts)


@pytest.mark.parametrize("wrong", [{"link_days": 8}, {"open_days": 15}, {"receipt_hours": 73}, {"attempts": 0}])
def test_no_setting_goes_beyond_what_s3_signs_and_the_policy_allows(wrong: dict[str, int]) -> None:
    limits = thresholds.load(home_directory() / "include" / "thresholds.yaml").delivery
    assert (limits.link_days, limits.open_days, limits.receipt_hours) == (7, 14, 72)
    with pytest.raises(ValidationError):
        thresholds.Delivery(**(limits.model_dump() | wrong))


def test_a_link_is_not_shown_by_accident() -> None:
    link = Link("https://x.example.org/?X-Amz-Signature=abc", NOW)
    assert "abc" not in repr(link)
    assert "abc" not in repr(announced(link=link))


# ---- the mail

ENVELOPE = Envelope(
    UUID(int=7), Address(addr_spec="desk@author-one.example.org"), "A Press", "press", "usage@press.example.org",
    "Europe/London", NOW,
)  # fmt: skip


def announced(**more: Any) -> Announced:
    one = Announced(
        "r1", "EXP-AUTHOR", "2026-W46", date(2026, 11, 9), date(2026, 11, 15), "course-usage_2026-W46_r1.zip",
        5923, "ab" * 32, False, "", Link("https://x.example.org/file?" + "a" * 600, NOW + WEEK),
    )  # fmt: skip
    return replace(one, **more)


def template(name: str) -> str:
    return (home_directory() / "include" / "notices" / f"release_{name}.txt").read_text(encoding="utf-8")


def test_a_mail_survives_the_way_with_its_long_links_whole() -> None:
    sent = letters.announce(
        template("link"), ENVELOPE, [announced(), announced(release_id="r2", period_key="2026-W47")]
    )
    read = message_from_bytes(sent.as_bytes(policy=SMTP), policy=default)
    words = read.get_content()
    assert words.count("https://x.example.org/file?" + "a" * 600) == 2
    assert all(len(line) <= 78 for line in sent.as_bytes(policy=SMTP).decode("ascii").split("\r\n"))
    assert read["Subject"] == "Use of your courses: week 46 of 2026, week 47 of 2026"
    assert "until 07:00 on 25 November 2026 (London time)" in words
    assert "quoting r1, r2." in words
    assert "$" not in words


def test_in_summer_the_mail_names_the_hour_of_london() -> None:
    summer = Link("https://x.example.org", datetime(2026, 7, 1, 6, tzinfo=UTC))
    mail = letters.announce(template("link"), ENVELOPE, [announced(link=summer)])
    assert "until 07:00 on 1 July 2026" in mail.get_content()


def test_a_mail_names_key_and_command_of_a_signature_and_promises_none_that_is_not_there() -> None:
    key = new_signing_key().encode()
    listed = sums.write({name: body for name, body in FILES.items() if name != sums.SUMS})
    files = FILES | {sums.SUMS: listed, sums.SIGNATURE: sums.sign(listed, sums.KeySigner(key))}
    ring = KeyRing(signing_key_pem=key)
    name = archive.signer(archive.pack_zip("folder", files), ring)
    assert name.startswith("SHA256:")
    words = letters.announce(template("link"), ENVELOPE, [announced(signed=True, signer=name)]).get_content()
    assert f"name the key {name}:\n\n{sums.COMMAND}\n" in words

    successor = KeyRing(signing_key_pem=new_signing_key().encode(), trusted_keys_pem=signing.public_key_pem(key))
    assert archive.signer(archive.pack_zip("folder", files), successor) == name, "the key that signed, not the newest"
    stranger = KeyRing(signing_key_pem=new_signing_key().encode())
    assert archive.signer(archive.pack_zip("folder", files), stranger) == ""
    assert archive.signer(archive.pack_zip("folder", FILES), ring) == ""
    unnamed = letters.announce(template("link"), ENVELOPE, [announced(signed=True)]).get_content()
    assert "README.md in the folder says how to check it" in unnamed
    assert "\n3." not in letters.announce(template("link"), ENVELOPE, [announced()]).get_content()


def test_whoever_supports_and_wrote_is_told_both() -> None:
    both = [announced(), announced(product="EXP-SUPPORTER")]
    assert "courses that you support or wrote." in letters.announce(template("link"), ENVELOPE, both).get_content()


def test_a_recall_says_what_and_why_and_holds_no_link() -> None:
    mail = letters.recall(template("recall"), ENVELOPE, [Recalled("r1", "2026-W46", "One course was counted twice.")])
    words = mail.get_content()
    assert "Release r1 (week 46 of 2026)\nReason: One course was counted twice." in words
    assert "http" not in words
    assert "$" not in words
    assert mail["Message-ID"] == "<00000000-0000-0000-0000-000000000007@press.invalid>"


# ---- the access log

BUCKET = "amzn-s3-demo-bucket1"
AWS_EXAMPLE = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket1"
    " [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
    ' {request} REST.GET.OBJECT {key} "GET /amzn-s3-demo-bucket1/{key}{query} HTTP/1.1" {status} - 113 - 7 - "-"'
    ' "{agent}" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4'
    " ECDHE-RSA-AES128-GCM-SHA256 {auth} amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.2"
    " arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP Yes"
)


def logged(**more: str) -> str:
    told = {"request": "R1", "key": KEY, "query": "", "status": "200", "agent": "S3Console/0.4", "auth": "QueryString"}
    return AWS_EXAMPLE.format(**told | more)


def test_a_line_of_the_log_gives_key_and_time_and_no_address() -> None:
    (one,) = parse(logged(), BUCKET)
    assert (one.key, one.at) == (KEY, datetime(2019, 2, 6, 0, 0, 38, tzinfo=UTC))
    assert "192.0.2.3" not in repr(one)
    assert "R1" not in one.request_ref
    (again,) = parse(logged(status="206"), BUCKET)
    assert again == one


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({"auth": "AuthHeader"}, 0),
        ({"auth": "AuthHeader", "agent": "x QueryString"}, 0),
        ({"auth": "AuthHeader", "query": "?versionId=1&X-Amz-Algorithm=AWS4-HMAC-SHA256"}, 1),
        ({"auth": "-", "query": "?X-Amz-Signature=abc"}, 1),
        ({"status": "403"}, 0),
        ({"status": "304"}, 0),
        ({"agent": 'a "quoted" agent', "query": "?X-Amz-Algorithm=AWS4-HMAC-SHA256"}, 1),
        ({"key": KEY.replace("/", "%2F")}, 1),
    ],
)
def test_only_what_a_link_got_counts(more: dict[str, str], counts: int) -> None:
    found = list(parse(logged(**more), BUCKET))
    assert len(found) == counts
    assert {one.key for one in found} <= {KEY}


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading_of_a_log(text: str) -> None:
    assert list(parse(text, BUCKET)) == []
    assert len(list(parse(f"{logged()}\n{text}", BUCKET))) <= 1 + len(text.splitlines())


# ---- the address


def loaded(tmp_path: Path, **changed: str) -> recipients.Registry:
    path = tmp_path / "recipients.yaml"
    write(path, registry(CONTACTS | changed))
    return recipients.read_registry(path)


def test_an_address_counts_only_if_it_is_the_one_that_was_loaded(tmp_path: Path) -> None:
    noted = recipients.contact_reference(KEYS, CONTACTS["author-one"])
    same = loaded(tmp_path)
    assert contacts.address_of(same, KEYS, "author-one", noted.key_id, noted.value) == Address(
        addr_spec=CONTACTS["author-one"]
    )
    other = loaded(tmp_path, **{"author-one": "somebody@elsewhere.example.org"})
    assert contacts.address_of(other, KEYS, "author-one", noted.key_id, noted.value) == CONTACT_CHANGED
    assert contacts.address_of(same, KEYS, "author-two", noted.key_id, noted.value) == CONTACT_CHANGED
    assert contacts.address_of(same, KEYS, "nobody", noted.key_id, noted.value) == NO_CONTACT
    assert contacts.address_of(same, KEYS, "author-one", None, None) == NO_CONTACT


def test_an_old_key_still_knows_the_address_and_a_lost_one_says_what_to_do(tmp_path: Path) -> None:
    noted = recipients.contact_reference(KEYS, CONTACTS["author-one"])
    newer = KeyRing({"contact": {"k1": KEYS.hmac["contact"]["k1"], "k2": b"n" * 32}}, {"contact": "k2"})
    known = contacts.address_of(loaded(tmp_path), newer, "author-one", noted.key_id, noted.value)
    assert isinstance(known, Address)
    lost = KeyRing({"contact": {"k2": b"n" * 32}}, {"contact": "k2"})
    with pytest.raises(ConfigError, match="recipients load"):
        contacts.address_of(loaded(tmp_path), lost, "author-one", noted.key_id, noted.value)


@pytest.mark.parametrize(
    "contact",
    ["", "nobody", "two@example.org, three@example.org", "x@example.org\nBcc: all@example.org", "x@localhost",
     "Desk <desk@example.org>", "désk@example.org", "x@exämple.org", "a" * 250 + "@example.org"],
)  # fmt: skip
def test_what_is_not_one_plain_address_is_refused_and_not_repeated(tmp_path: Path, contact: str) -> None:
    path, entries = tmp_path / "recipients.yaml", registry()
    next(r for r in entries["recipients"] if r["id"] == "author-one")["contact"] = contact
    write(path, entries)
    with pytest.raises(ConfigError, match=r"contact: give one plain mail address") as error:
        recipients.read_registry(path)
    assert "example.org" not in str(error.value).replace(str(path), "")


def test_the_projects_registry_names_a_made_up_address_for_everybody() -> None:
    known = recipients.read_registry(home_directory() / "include" / "registry" / "recipients.yaml")
    assert all(one.contact and one.contact.endswith("example.org") for one in known.recipients)
    assert "example.org" not in repr(known)
    assert len({pseudonyms.normalise_email(str(one.contact)) for one in known.recipients}) == len(known.recipients)
