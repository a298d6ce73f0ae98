"""From the register to the recipient, on a real PostgreSQL as the export's own role and on an S3 API."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from privacy_ops import cli
from privacy_ops.errors import ConfigError, GateBlocked, ReleaseRefused, StoreRefused, StoreUnavailable, UserError
from privacy_ops.settings import MailSettings
from privacy_ops.stores.mail import MailServer
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.usage import release
from privacy_ops.usage.delivery import archive, by_hand, recall, standing
from privacy_ops.usage.delivery.follow_up import follow_up
from privacy_ops.usage.delivery.gate import judge_delivery
from privacy_ops.usage.delivery.prepare import prepare
from privacy_ops.usage.delivery.send import send
from privacy_ops.usage.files import sums
from privacy_ops.usage.pack import pack_sha256
from privacy_ops.workspace import Workspace
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer
from sandbox.state import new_signing_key
from tests import block_list
from tests import delivery_world as delivery
from tests import usage_world as world
from tests.delivery_world import ASK, CONTACTS, NOW, Box, ask, events, links, release_of
from tests.integration.test_adapters import inbox  # noqa: F401 - a fixture

DATABASE = "delivery_week"
BUCKET = "imp-exports"
DAY = timedelta(days=1)
RING = json.dumps({"contact": {"current": "k1", "keys": {"k1": (b"c" * 32).hex()}}})


def administer(cluster: PostgresServer, statement: str) -> None:
    engine = create_engine(cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


def create_buckets(objects: ObjectStore) -> None:
    for bucket in ("imp-staging", BUCKET, "imp-logs"):
        region = {"LocationConstraint": "eu-west-2"}
        objects.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=region)  # type: ignore[arg-type]
    objects.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


@dataclass
class Office:
    """A released week, the file with the addresses, and who takes the mails."""

    ws: Workspace
    dsn: str
    path: Path
    box: Box

    def run(self, name: str = "one", *, now: datetime = NOW, hand_over: Any = None) -> dict[str, dict[str, int]]:
        """What the job does in one hour, without its gate."""
        run = delivery.open_run(self.ws, name, now=now)
        return {
            "prepare": prepare(self.ws, run, now=now),
            "follow_up": follow_up(self.ws, run, now=now),
            "send": send(self.ws, run, hand_over or self.box.take, now=now),
        }

    def judge(self, name: str = "one", *, now: datetime = NOW) -> dict[str, Any]:
        return judge_delivery(self.ws, delivery.open_run(self.ws, name, now=now), now=now)

    def objects(self) -> list[str]:
        return sorted(self.ws.objects().keys(BUCKET, "delivery/"))


@dataclass(frozen=True)
class Released:
    """A week released once: its database, and its files as they stand in the bucket of exports."""

    dsn: str
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def week(cluster: PostgresServer, object_settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    from tests.conftest import _reset

    _reset(object_settings)
    create_buckets(ObjectStore(object_settings))
    administer(cluster, f"CREATE DATABASE {DATABASE}")
    dsn, path = cluster.dsn(DATABASE), tmp_path_factory.mktemp("registry") / "recipients.yaml"
    world.make_database(dsn)
    world.fill(dsn)
    world.settle(dsn)
    delivery.write(path)
    delivery.load(dsn, path)
    ws = world.workspace(dsn, object_settings)
    world.export(ws)
    yield Released(dsn, world.exported(ws))
    administer(cluster, f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture
def released(week: Released) -> dict[str, bytes]:
    return week.files


@pytest.fixture
def office(week: Released, objects: ObjectStore, object_settings: Any, tmp_path: Path) -> Office:
    """The released week as if nothing had been delivered: what a test before left is taken back."""
    delivery.take_back(week.dsn)
    create_buckets(objects)
    for key, body in week.files.items():
        objects.put(BUCKET, key, body)
    path = tmp_path / "recipients.yaml"
    delivery.write(path)
    delivery.load(week.dsn, path)
    return Office(delivery.able(world.workspace(week.dsn, object_settings), path), week.dsn, path, Box())


# ---- the ordinary way


def test_each_recipient_gets_one_mail_with_a_link_to_its_own_pack(office: Office, released: dict[str, bytes]) -> None:
    done = office.run()

    assert done["prepare"] == {"waiting": 3, "prepared": 3, "blocked": 0, "queued": 3}
    assert done["send"] == {"sent": 3, "failed": 0, "needless": 0, "waiting": 0}
    assert sorted(str(mail["To"]) for mail in office.box.mails) == sorted(
        CONTACTS[name] for name in ("author-one", "author-two", "supporter-one")
    )
    for recipient in ("author-one", "author-two", "supporter-one"):
        (mail,) = office.box.to(recipient)
        (link,) = links(mail)
        ident = release_of(office.dsn, recipient)
        path = urlsplit(link).path
        assert path == f"/{BUCKET}/delivery/{recipient}/{ident}/course-usage_2026-W46_{ident}.zip"
        body = office.ws.objects().get(BUCKET, path.removeprefix(f"/{BUCKET}/"))
        with zipfile.ZipFile(io.BytesIO(body)) as archived:
            held = {name.rpartition("/")[2]: archived.read(name) for name in archived.namelist()}
        assert held == {key.rpartition("/")[2]: b for key, b in released.items() if f"/{recipient}/" in key}
    assert office.run("two")["send"]["sent"] == 0, "once"


def test_the_mail_says_in_plain_words_what_it_is_until_when_and_what_was_agreed(office: Office) -> None:
    office.run()
    (mail,) = office.box.to("author-one")
    words = mail.get_content()
    (row,) = ask(
        office.dsn,
        "SELECT d.sha256, d.bytes FROM gov.release_delivery AS d JOIN gov.release_register AS r"
        " USING (release_id) WHERE r.recipient_id = 'author-one' AND d.kind = 'prepared'",
    )
    (sent,) = ask(
        office.dsn,
        "SELECT d.expires_at, d.country FROM gov.release_delivery AS d WHERE d.kind = 'sent' AND d.release_id = :r",
        r=release_of(office.dsn),
    )

    assert mail["Subject"] == "Use of your courses: week 46 of 2026"
    assert list(mail.iter_attachments()) == []
    assert "week 46 of 2026, 9 November 2026 to 15 November 2026" in words
    assert "for 14 days in all" in words
    assert "courses that you wrote" in words
    assert f"SHA-256: {row.sha256}" in words
    assert f"{row.bytes:,} bytes" in words
    assert f"until {sent.expires_at:%H:%M} on {sent.expires_at.day} {sent.expires_at:%B %Y} (London time)" in words
    assert sent.country == "GB"
    assert "Do not try to identify anybody" in words
    assert "signature" not in words, "this pack has none; a mail promises only what is there"
    assert words.count(ASK) == 2
    assert max(map(len, mail.as_string().splitlines())) < 100, "lines that every mail server takes"


def test_a_link_lasts_as_long_as_the_rules_say_and_opens_one_version_only(office: Office) -> None:
    office.run()
    for mail in office.box.mails:
        (link,) = links(mail)
        asked = parse_qs(urlsplit(link).query)
        assert asked["X-Amz-Expires"] == [str(7 * 86400)]
        assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert asked["X-Amz-SignedHeaders"] == ["host"]
        key = urlsplit(link).path.removeprefix(f"/{BUCKET}/")
        (version,) = office.ws.objects().versions(BUCKET, key, exact=True)
        assert asked["versionId"] == [version.version_id]


def test_the_archive_is_the_same_bytes_whoever_makes_it(office: Office, released: dict[str, bytes]) -> None:
    office.run()
    for key in office.objects():
        _, recipient, ident, name = key.split("/")
        files = {k.rpartition("/")[2]: b for k, b in released.items() if f"/{ident}/" in k}
        again = archive.pack_zip(name.removesuffix(".zip"), dict(reversed(files.items())))
        assert office.ws.objects().get(BUCKET, key) == again
        assert recipient in CONTACTS


def test_several_weeks_go_out_in_one_mail(office: Office) -> None:
    earlier = (
        "INSERT INTO gov.release_register SELECT (jsonb_populate_record(r, jsonb_build_object('release_id',"
        " 'rother', 'iso_week', '2026-W45', 'period_key', '2026-W45'))).* FROM gov.release_register AS r"
        " WHERE recipient_id = 'author-one'"
    )
    ask(office.dsn, earlier)
    office.run()
    (mail,) = office.box.to("author-one")
    assert mail["Subject"] == "Use of your courses: week 45 of 2026, week 46 of 2026"
    assert len(links(mail)) == 2


def test_a_pack_of_any_content_is_delivered_as_it_was_registered(office: Office) -> None:
    key = new_signing_key().encode()
    office.ws = replace(
        office.ws, settings=replace(office.ws.settings, keys=replace(delivery.KEYS, signing_key_pem=key))
    )
    files = {"usage.parquet": b"PAR1\x00\xff" * 99, "report.html": "<p>Größe</p>".encode(), "README.md": b"# Use\n"}
    files["SHA256SUMS"] = sums.write(files)
    files[sums.SIGNATURE] = sums.sign(files["SHA256SUMS"], sums.KeySigner(key))
    prefix = "exports/EXP-AUTHOR/author-one/2026-Q4/rother/"
    for name, body in files.items():
        office.ws.objects().put(BUCKET, prefix + name, body)
    told = {
        "release_id": "rother",
        "iso_week": "2026-Q4",
        "period_key": "2026-Q4",
        "object_prefix": prefix,
        "pack_sha256": pack_sha256(files),
        "files": [{"name": name, "sha256": hashlib.sha256(body).hexdigest()} for name, body in files.items()],
    }
    ask(
        office.dsn,
        "INSERT INTO gov.release_register SELECT (jsonb_populate_record(r, CAST(:told AS jsonb))).*"
        " FROM gov.release_register AS r WHERE recipient_id = 'author-one'",
        told=json.dumps(told),
    )
    office.run()
    (mail,) = office.box.to("author-one")
    assert f"name the key {sums.fingerprint(sums.KeySigner(key).public_key)}:" in mail.get_content()
    body = office.ws.objects().get(BUCKET, archive.key_of("author-one", "2026-Q4", "rother"))
    with zipfile.ZipFile(io.BytesIO(body)) as opened:
        assert {name.rpartition("/")[2]: opened.read(name) for name in opened.namelist()} == files


def test_a_quarter_is_called_a_quarter_and_a_correction_names_what_it_replaces_and_why(office: Office) -> None:
    first = release_of(office.dsn)
    office.run()
    assert first in "".join(office.objects())
    ask(
        office.dsn,
        "INSERT INTO gov.release_correction (period_key, reason, asked_by, asked_at)"
        " VALUES ('2026-W46', 'One feed was loaded twice.', 'x', :at)",
        at=NOW,
    )
    revised = {
        "release_id": "rother",
        "supersedes": first,
        "revision": ask(office.dsn, "SELECT max(revision) FROM gov.release_correction")[0][0],
    }
    copy = (
        "INSERT INTO gov.release_register SELECT (jsonb_populate_record(r, CAST(:told AS jsonb))).*"
        " FROM gov.release_register AS r WHERE release_id = :first"
    )
    ask(office.dsn, copy, told=json.dumps(revised), first=first)
    with pytest.raises(UserError, match="a correction has taken its place"):
        by_hand.resend(office.ws, first, by="Lena", now=NOW + DAY)
    office.run("corrected", now=NOW + DAY)
    words = office.box.to("author-one")[-1].get_content()
    assert f"It corrects release {first}: please delete that one, and every copy." in words
    assert "Reason: One feed was loaded twice." in words
    assert not [key for key in office.objects() if f"/{first}/" in key], "the older link opens nothing any more"
    assert [key for key in office.objects() if "/rother/" in key]
    assert office.judge("corrected", now=NOW + DAY)["verdict"] == "pass"
    office.run("later", now=NOW + 8 * DAY)
    assert not [mail for mail in office.box.to("author-one")[2:] if first in mail.get_content()]


# ---- what must not go out


def blocked(office: Office, recipient: str = "author-one") -> tuple[str, str]:
    return events(office.dsn, recipient)[-1]


def test_an_entitlement_that_ended_meanwhile_blocks_and_is_a_row_once(office: Office) -> None:
    ask(office.dsn, "UPDATE gov.entitlement SET valid_to = '2026-11-17' WHERE recipient_id = 'author-one'")
    for hour in range(3):
        office.run(f"hour {hour}", now=NOW + timedelta(hours=hour))
    assert events(office.dsn) == [("blocked", "NOT_ENTITLED")]
    assert office.box.to("author-one") == []
    assert not [key for key in office.objects() if "author-one" in key]
    # Extended: it goes out by itself.
    ask(office.dsn, "UPDATE gov.entitlement SET valid_to = '2027-12-31' WHERE recipient_id = 'author-one'")
    office.run("later", now=NOW + DAY)
    assert [kind for kind, _ in events(office.dsn)] == ["blocked", "prepared", "sent"]


@pytest.mark.parametrize(
    ("what", "statement", "reason"),
    [
        ("agreement", "UPDATE gov.agreement SET valid_to = '2026-11-17'", "NOT_ENTITLED"),
        ("clause", "UPDATE gov.agreement SET clauses = clauses[2:]", "NOT_ENTITLED"),
        ("course", "DELETE FROM gov.entitlement WHERE course_id = '3'", "NOT_ENTITLED"),
        ("module", "UPDATE gov.entitlement SET module_scope = '{10}'", "NOT_ENTITLED"),
        ("recipient", "UPDATE gov.recipient SET status = 'ended'", "RECIPIENT_ENDED"),
        ("contact", "UPDATE gov.recipient SET contact_hmac = NULL, contact_key_id = NULL", "NO_CONTACT"),
    ],
)
def test_what_gov_does_not_allow_any_more_is_not_sent(office: Office, what: str, statement: str, reason: str) -> None:
    ask(office.dsn, statement)
    office.run()
    assert blocked(office) == ("blocked", reason)
    assert office.box.to("author-one") == []


def test_today_is_a_day_in_london_and_the_last_day_counts(office: Office) -> None:
    last = "UPDATE gov.entitlement SET valid_to = '2026-11-18' WHERE recipient_id = 'author-one'"
    ask(office.dsn, last)
    office.run("last moment", now=datetime(2026, 11, 18, 23, 59, tzinfo=UTC))
    assert blocked(office)[0] == "sent"


def test_the_day_after_the_last_does_not_count(office: Office) -> None:
    ask(office.dsn, "UPDATE gov.entitlement SET valid_to = '2026-11-18' WHERE recipient_id = 'author-one'")
    office.run("too late", now=datetime(2026, 11, 19, 0, 0, tzinfo=UTC))
    assert blocked(office) == ("blocked", "NOT_ENTITLED")


@pytest.mark.parametrize("destination", [f"bucket:{BUCKET}", "recipient:author-one", "bucket:imp-backups-copy"])
def test_a_destination_on_the_block_list_gets_nothing(office: Office, destination: str) -> None:
    if destination == "bucket:imp-backups-copy":  # where S3 would copy the pack by itself
        block_list.replicate(office.ws.objects(), BUCKET, "imp-backups-copy")
    block_list.block(office.dsn, destination)
    before = office.objects()
    office.run()
    assert blocked(office) == ("blocked", "DESTINATION_BLOCKED")
    assert office.box.to("author-one") == []
    assert bool(office.box.to("author-two")) == destination.startswith("recipient")
    assert (office.objects() == before) == destination.startswith("bucket")
    block_list.lift(office.dsn)
    office.run("lifted", now=NOW + DAY)
    assert len(office.box.to("author-one")) == 1
    office.ws.objects().client.delete_bucket_replication(Bucket=BUCKET)


@pytest.mark.parametrize("hours", [0, 51])
def test_a_stale_block_list_clears_nothing(office: Office, hours: int) -> None:
    block_list.renew(office.dsn, (NOW - timedelta(hours=hours)).isoformat())
    try:
        office.run()
        assert blocked(office)[1] == ("NOT_CLEARED" if hours else "")
        assert bool(office.box.to("author-one")) == (not hours)
    finally:
        block_list.renew(office.dsn)


def test_an_unreadable_block_list_clears_nothing(office: Office) -> None:
    before = office.objects()
    with block_list.unreadable(office.dsn, "export"), pytest.raises(StoreRefused, match="may not do this"):
        office.run()
    assert (office.objects(), office.box.mails) == (before, [])
    assert ask(office.dsn, "SELECT 1 FROM gov.release_delivery WHERE kind IN ('prepared', 'sent')") == []
    assert office.run()["send"]["sent"] == 3


@pytest.mark.parametrize("tampering", ["changed", "missing", "more"])
def test_bytes_that_are_not_the_registered_ones_are_not_packed(office: Office, tampering: str) -> None:
    store = office.ws.objects()
    (prefix,) = {k.rpartition("/")[0] + "/" for k in store.keys(BUCKET, "exports/EXP-AUTHOR/author-one/")}
    if tampering == "changed":
        store.put(BUCKET, f"{prefix}README.md", b"something else")
    elif tampering == "missing":
        store.delete_versions(BUCKET, list(store.versions(BUCKET, f"{prefix}README.md")))
    else:
        store.put(BUCKET, f"{prefix}people.csv", b"name")
    office.run()
    assert blocked(office) == ("blocked", "BYTES_CHANGED")
    assert office.box.to("author-one") == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_another_object_under_the_deliverys_name_is_never_announced(office: Office, when: str) -> None:
    ident, store = release_of(office.dsn), office.ws.objects()
    key = archive.key_of("author-one", "2026-W46", ident)
    if when == "after":
        run = delivery.open_run(office.ws)
        prepare(office.ws, run, now=NOW)
        store.delete_versions(BUCKET, list(store.versions(BUCKET, key)))
    store.put(BUCKET, key, b"something else")
    for hour in range(3):
        office.run(f"hour {hour}", now=NOW + timedelta(hours=hour))
    assert blocked(office) == ("blocked", "BYTES_CHANGED")
    assert [kind for kind, _ in events(office.dsn)].count("blocked") == 1
    assert office.box.to("author-one") == []
    assert ask(office.dsn, "SELECT count(*) FROM gov.delivery_mail")[0][0] <= 3, "no new mail every hour"


def test_a_changed_file_of_addresses_sends_nothing_until_it_is_loaded(office: Office) -> None:
    stolen = CONTACTS | {"author-one": "somebody@elsewhere.example.org"}
    delivery.write(office.path, delivery.registry(stolen))
    office.run()
    office.run("again", now=NOW + timedelta(hours=1))
    assert events(office.dsn) == [("blocked", "CONTACT_CHANGED")]
    assert len(office.box.mails) == 2
    delivery.load(office.dsn, office.path)
    office.run("loaded", now=NOW + timedelta(hours=2))
    assert office.box.mails[-1]["To"] == "somebody@elsewhere.example.org"


def test_the_job_that_delivers_cannot_change_whom_it_writes_to(office: Office) -> None:
    for statement in (
        "UPDATE gov.recipient SET contact_hmac = repeat('0', 64)",
        "UPDATE gov.release_delivery SET kind = 'receipt'",
        "DELETE FROM gov.release_delivery",
        "UPDATE gov.delivery_mail SET recipient_id = 'author-two'",
        "DELETE FROM gov.delivery_mail",
    ):
        with pytest.raises(StoreRefused, match="42501"), office.ws.database("export").transaction() as connection:
            connection.execute(text(statement))


def test_a_dry_run_counts_and_sends_nothing(office: Office) -> None:
    run = delivery.open_run(office.ws, "dry", dry_run=True)
    assert prepare(office.ws, run, now=NOW)["rehearsal"] == 1
    assert follow_up(office.ws, run, now=NOW) == {"rehearsal": 1}
    assert send(office.ws, run, office.box.take, now=NOW)["sent"] == 0
    assert (office.objects(), office.box.mails) == ([], [])


def test_nobody_is_written_to_without_an_address_to_ask(office: Office) -> None:
    run = delivery.open_run(office.ws)
    prepare(office.ws, run, now=NOW)
    mute = replace(
        office.ws, settings=replace(office.ws.settings, notice=replace(office.ws.settings.notice, contact=""))
    )
    with pytest.raises(ConfigError, match="PRIVACY_OPS_PRIVACY_CONTACT"):
        send(mute, run, office.box.take, now=NOW)


# ---- away, refused, twice at once


class Killed(BaseException):
    """Stands for a sender that dies; test_delivery_crash.py ends real processes."""


def test_a_server_that_is_away_ends_the_round_and_the_mails_wait(office: Office) -> None:
    def away(_: EmailMessage) -> None:
        raise StoreUnavailable("away")

    assert office.run(hand_over=away)["send"] == {"sent": 0, "failed": 0, "needless": 0, "waiting": 3}
    assert office.run("two", now=NOW + timedelta(hours=1))["send"]["sent"] == 3


def test_a_mail_that_is_refused_is_a_row_and_a_red_gate_until_it_is_sent_again(office: Office) -> None:
    def refuse(mail: EmailMessage) -> None:
        if mail["To"] == CONTACTS["author-one"]:
            raise StoreRefused("no such mailbox")
        office.box.take(mail)

    assert office.run(hand_over=refuse)["send"]["failed"] == 1
    assert blocked(office) == ("blocked", "MAIL_REFUSED")
    with pytest.raises(GateBlocked, match=r"E-16-BLOCKED, E-16-MAIL"):
        office.judge()
    office.run("two", now=NOW + timedelta(hours=1))
    assert office.box.to("author-one") == [], "a person looks first"
    assert by_hand.resend(office.ws, release_of(office.dsn), by="Lena", now=NOW)
    assert not by_hand.resend(office.ws, release_of(office.dsn), by="Lena", now=NOW), "one is waiting"
    office.run("three", now=NOW + timedelta(hours=2))
    assert len(office.box.to("author-one")) == 1
    assert office.judge("three", now=NOW + timedelta(hours=2))["verdict"] == "pass"


def test_two_senders_at_once_send_each_mail_once(office: Office) -> None:
    run = delivery.open_run(office.ws)
    prepare(office.ws, run, now=NOW)
    gate = threading.Barrier(2, timeout=20)
    done: list[dict[str, int]] = []

    def both() -> None:
        gate.wait()
        done.append(send(office.ws, run, office.box.take, now=NOW))

    threads = [threading.Thread(target=both) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(mail["To"]) for mail in office.box.mails) == sorted({str(m["To"]) for m in office.box.mails})
    assert sum(one["sent"] for one in done) == 3


# ---- withdrawn


def test_a_withdrawn_release_is_gone_recalled_with_the_reason_and_never_sent_again(office: Office) -> None:
    office.run()
    ident = release_of(office.dsn)
    done = recall.withdraw(office.ws, ident, reason="One count  was\nwrong.", by="Lena", now=NOW + DAY)
    assert (done.first, done.told, done.deleted) == (True, True, 1)
    assert not [key for key in office.objects() if ident in key]
    assert list(office.ws.objects().versions(BUCKET, f"delivery/author-one/{ident}/")) == []
    again = recall.withdraw(office.ws, ident, reason="Another.", by="Max", now=NOW + 2 * DAY)
    assert (again.first, again.told, again.deleted) == (False, False, 0)

    office.run("recall", now=NOW + DAY)
    letter = office.box.to("author-one")[-1]
    assert letter["Subject"] == "Please delete: use of your courses, week 46 of 2026"
    assert f"Release {ident} (week 46 of 2026)\nReason: One count was wrong." in letter.get_content()
    assert links(letter) == []
    assert len(office.box.to("author-one")) == 2
    assert [kind for kind, _ in events(office.dsn)] == ["prepared", "sent", "recalled"]
    with pytest.raises(UserError, match="withdrawn"):
        by_hand.resend(office.ws, ident, by="Lena", now=NOW + DAY)
    office.run("ever", now=NOW + 10 * DAY)
    assert len(office.box.to("author-one")) == 2
    by_hand.receipt(office.ws, ident, said_by="the desk", at=NOW + 2 * DAY, now=NOW + 3 * DAY)


def test_a_recall_that_could_not_be_sent_is_tried_again_when_a_person_says_so(office: Office) -> None:
    office.run()
    ident = release_of(office.dsn)
    recall.withdraw(office.ws, ident, reason="Wrong.", by="Lena", now=NOW)
    delivery.write(office.path, delivery.registry(CONTACTS | {"author-one": "moved@author-one.example.org"}))
    assert office.run("two", now=NOW + timedelta(hours=1))["send"]["failed"] == 1
    with pytest.raises(GateBlocked, match=r"blocks: E-16-MAIL\."):
        office.judge("two", now=NOW + timedelta(hours=1))
    delivery.load(office.dsn, office.path)
    assert office.run("three", now=NOW + timedelta(hours=2))["send"]["sent"] == 0, "a person looks first"
    again = recall.withdraw(office.ws, ident, reason="Wrong.", by="Lena", now=NOW + timedelta(hours=2))
    assert (again.first, again.told) == (False, True)
    office.run("four", now=NOW + timedelta(hours=3))
    assert office.box.mails[-1]["To"] == "moved@author-one.example.org"
    assert str(office.box.mails[-1]["Subject"]).startswith("Please delete")
    assert office.judge("four", now=NOW + timedelta(hours=3))["verdict"] == "pass"


def test_a_withdrawn_release_is_never_planned_or_served_again(office: Office, objects: ObjectStore) -> None:
    recall.withdraw(office.ws, release_of(office.dsn), reason="One count was wrong.", by="Lena", now=NOW)
    run = world.open_run(office.ws, "again")
    release.judge_input(office.ws, run, now=NOW)
    release.protect(office.ws, run, now=NOW)
    staged = release.stage(office.ws, run)
    assert (staged["packs"], staged["withdrawn"]) == (2, 1)
    assert not any("author-one" in key for key in objects.keys("imp-staging"))


def test_what_was_withdrawn_before_its_mail_is_not_sent_and_nobody_is_told(office: Office) -> None:
    run = delivery.open_run(office.ws)
    prepare(office.ws, run, now=NOW)
    done = recall.withdraw(office.ws, release_of(office.dsn), reason="Too early.", by="Lena", now=NOW)
    assert (done.first, done.told, done.deleted) == (True, False, 1)
    assert send(office.ws, run, office.box.take, now=NOW)["needless"] == 1
    assert office.box.to("author-one") == []
    assert ("blocked", "WITHDRAWN") in events(office.dsn)
    assert office.judge()["verdict"] == "pass"


def test_what_was_put_and_never_noted_goes_too(office: Office) -> None:
    ident = release_of(office.dsn)
    office.ws.objects().put(BUCKET, archive.key_of("author-one", "2026-W46", ident), b"put by a try that died")
    office.ws.objects().put(BUCKET, "delivery/author-one/another/file.zip", b"of another release")
    assert recall.withdraw(office.ws, ident, reason="Wrong.", by="Lena", now=NOW).deleted == 1
    assert office.objects() == ["delivery/author-one/another/file.zip"]


def test_a_mail_that_may_have_gone_out_before_its_sender_died_is_recalled_too(office: Office) -> None:
    def take_and_die(mail: EmailMessage) -> None:
        office.box.take(mail)
        if mail["To"] == CONTACTS["author-one"]:
            raise Killed

    with pytest.raises(Killed):
        office.run(hand_over=take_and_die)
    assert recall.withdraw(office.ws, release_of(office.dsn), reason="Wrong.", by="Lena", now=NOW).told
    office.run("two", now=NOW + DAY)
    assert [str(mail["Subject"])[:13] for mail in office.box.to("author-one")] == ["Use of your c", "Please delete"]


def test_who_withdraws_waits_for_who_sends_so_that_a_link_is_never_sent_without_a_recall(office: Office) -> None:
    run = delivery.open_run(office.ws)
    prepare(office.ws, run, now=NOW)
    results: list[recall.Withdrawal] = []

    def withdraw() -> None:
        results.append(recall.withdraw(office.ws, release_of(office.dsn), reason="Wrong.", by="Lena", now=NOW))

    thread = threading.Thread(target=withdraw)

    def slow(mail: EmailMessage) -> None:
        office.box.take(mail)
        if mail["To"] == CONTACTS["author-one"]:
            thread.start()
            thread.join(1)
            assert thread.is_alive(), "it waits for the mail's transaction"

    send(office.ws, run, slow, now=NOW)
    thread.join(20)
    assert results[0].told


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 301, "ask lena@example.org"])
def test_a_reason_is_plain_words(office: Office, reason: str) -> None:
    with pytest.raises(UserError, match="the reason"):
        recall.withdraw(office.ws, release_of(office.dsn), reason=reason, by="Lena", now=NOW)


def test_an_unknown_release_is_named_as_such(office: Office) -> None:
    for act in (
        lambda: recall.withdraw(office.ws, "r0", reason="Wrong.", by="Lena", now=NOW),
        lambda: by_hand.show(office.ws, "r0"),
        lambda: by_hand.resend(office.ws, "r0", by="Lena", now=NOW),
        lambda: by_hand.receipt(office.ws, "r0", said_by="the desk", at=NOW, now=NOW),
    ):
        with pytest.raises(UserError, match="no such release"):
            act()


def test_a_withdrawal_does_not_loosen_what_the_export_refuses(office: Office) -> None:
    store = office.ws.objects()
    recall.withdraw(office.ws, release_of(office.dsn), reason="Wrong.", by="Lena", now=NOW)
    (prefix,) = {k.rpartition("/")[0] + "/" for k in store.keys(BUCKET, "exports/EXP-AUTHOR/author-two/")}
    store.put(BUCKET, f"{prefix}README.md", b"something else")
    run = world.open_run(office.ws, "again")
    release.judge_input(office.ws, run, now=NOW)
    release.protect(office.ws, run, now=NOW)
    with pytest.raises(ReleaseRefused):
        release.stage(office.ws, run)


# ---- fetched, confirmed, silent


def log_line(key: str, at: datetime, *, request: str = "3E57427F3EXAMPLE", status: str = "200", **more: str) -> str:
    """A line as S3 writes it."""
    uri = more.get("uri", f"GET /{BUCKET}/{key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=abc HTTP/1.1")
    return (
        f"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be {more.get('bucket', BUCKET)}"
        f" [{at:%d/%b/%Y:%H:%M:%S} +0000] 192.0.2.3 - {request} {more.get('operation', 'REST.GET.OBJECT')}"
        f' {key} "{uri}" {status} - 2662992 3462992 70 10 "-" "{more.get("agent", "curl/7.15.1")}" - s9lzHYrFp76ZVx'
        f" SigV4 ECDHE-RSA-AES128-GCM-SHA256 {more.get('auth', 'QueryString')} {BUCKET}.s3.eu-west-2.amazonaws.com"
        " TLSV1.2 - -\n"
    )


def with_logs(office: Office, *lines: str, name: str = "2026-11-19-00-00-00-A") -> Office:
    office.ws.objects().put("imp-logs", f"exports/{name}", "".join(lines).encode())
    told = replace(office.ws, settings=replace(office.ws.settings, access_logs="imp-logs/exports/"))
    return replace(office, ws=told)


def key_of(office: Office, recipient: str = "author-one") -> str:
    return archive.key_of(recipient, "2026-W46", release_of(office.dsn, recipient))


def test_a_download_in_the_access_log_is_noted_once_and_without_any_address(office: Office) -> None:
    office.run()
    key, at = key_of(office), NOW + timedelta(hours=5)
    logged = with_logs(office, log_line(key, at), log_line(key, at + DAY, request="OTHER", status="206"))
    assert logged.run("two", now=NOW + DAY)["follow_up"]["downloads"] == 1
    assert logged.run("three", now=NOW + DAY)["follow_up"]["log_files"] == 0, "each file once"
    with_logs(office, log_line(key, at), name="the same request again")
    assert logged.run("four", now=NOW + DAY)["follow_up"]["downloads"] == 0
    (row,) = ask(office.dsn, "SELECT * FROM gov.release_delivery WHERE kind = 'downloaded'")
    assert (row.release_id, row.at, row.reason) == (release_of(office.dsn), at, "")
    for table in ("gov.release_delivery", "gov.access_log_read"):
        kept = str(ask(office.dsn, f"SELECT to_jsonb(t)::text FROM {table} AS t"))
        assert "192.0.2.3" not in kept
        assert "3E57427F3EXAMPLE" not in kept


@pytest.mark.parametrize(
    "line",
    [
        {"status": "403"},
        {"operation": "REST.HEAD.OBJECT"},
        {"bucket": "another-bucket"},
        {"uri": f"GET /{BUCKET}/x HTTP/1.1", "auth": "AuthHeader"},  # what our own jobs read
    ],
    ids=lambda line: next(iter(line)),
)
def test_what_is_no_download_by_a_link_does_not_count(office: Office, line: dict[str, str]) -> None:
    office.run()
    logged = with_logs(office, log_line(key_of(office), NOW + DAY, **line), "not a line of a log\n", "\n")
    assert logged.run("two", now=NOW + DAY)["follow_up"] | {} == {
        "versions_deleted": 0, "log_files": 1, "downloads": 0, "findings": 0, "expired": 0, "renewed": 0, "blocked": 0,
    }  # fmt: skip


def test_a_download_after_the_entitlement_or_after_the_withdrawal_is_a_finding(office: Office) -> None:
    office.run()
    ask(office.dsn, "UPDATE gov.entitlement SET valid_to = '2026-11-20' WHERE recipient_id = 'author-one'")
    recall.withdraw(office.ws, release_of(office.dsn, "author-two"), reason="Wrong.", by="Lena", now=NOW + DAY)
    late = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)
    logged = with_logs(
        office,
        log_line(key_of(office), datetime(2026, 11, 20, 23, 30, tzinfo=UTC), request="IN-TIME"),
        log_line(key_of(office), late, request="LATE"),
        log_line(key_of(office, "author-two"), late, request="RECALLED"),
    )
    counts = logged.run("two", now=NOW + 3 * DAY)["follow_up"]
    assert (counts["downloads"], counts["findings"]) == (3, 2)
    assert [reason for kind, reason in events(office.dsn) if kind == "downloaded"] == ["", "AFTER_ENTITLEMENT"]
    assert ("downloaded", "AFTER_WITHDRAWAL") in events(office.dsn, "author-two")
    with pytest.raises(GateBlocked, match=r"blocks: E-16-WITHDRAWN\."):
        logged.judge("two", now=NOW + 3 * DAY)


def failed_checks(office: Office) -> set[str]:
    rows = ask(
        office.dsn,
        "SELECT checks FROM gov.gate_result WHERE gate = 'export.delivery' ORDER BY gate_result_id DESC LIMIT 1",
    )
    return {check["id"] for check in rows[0][0] if not check["success"]}


def test_silence_is_amber_after_72_hours_and_red_when_the_links_have_ended(office: Office) -> None:
    office.run()
    assert office.judge("early", now=NOW + timedelta(hours=71))["verdict"] == "pass"
    assert office.judge("late", now=NOW + timedelta(hours=72))["verdict"] == "warn"
    assert failed_checks(office) == {"E-16"}
    by_hand.receipt(office.ws, release_of(office.dsn), said_by="the desk", at=NOW + DAY, now=NOW + 3 * DAY)
    assert office.judge("later", now=NOW + timedelta(hours=73))["silent"] == 2


def test_who_has_not_come_gets_another_link_until_fourteen_days_are_over(office: Office) -> None:
    office.run()
    by_hand.receipt(office.ws, release_of(office.dsn, "author-two"), said_by="the desk", at=NOW, now=NOW)
    # Links are signed by the clock of this machine: what the row says is what the link says.
    ask(office.dsn, "ALTER TABLE gov.release_delivery DISABLE TRIGGER append_only")

    def links_end(at: datetime) -> None:
        ask(office.dsn, "UPDATE gov.release_delivery SET expires_at = :at WHERE kind = 'sent'", at=at)

    links_end(NOW + 7 * DAY)
    assert office.run("six", now=NOW + 6 * DAY)["follow_up"]["renewed"] == 0
    assert office.run("seven", now=NOW + 7 * DAY)["follow_up"]["renewed"] == 2
    assert len(office.box.to("author-one")) == 2
    assert len(office.box.to("author-two")) == 1, "it has confirmed"
    links_end(NOW + 14 * DAY)
    counts = office.run("fourteen", now=NOW + 14 * DAY)["follow_up"]
    assert (counts["renewed"], counts["expired"]) == (0, 2)
    assert office.run("fifteen", now=NOW + 15 * DAY)["follow_up"]["expired"] == 0, "once"
    assert len(office.box.to("author-one")) == 2
    with pytest.raises(GateBlocked, match="E-16-NEVER"):
        office.judge("fifteen", now=NOW + 15 * DAY)
    # A person sends it again: the days begin anew.
    for recipient in ("author-one", "supporter-one"):
        by_hand.resend(office.ws, release_of(office.dsn, recipient), by="Lena", now=NOW + 16 * DAY)
    office.run("sixteen", now=NOW + 16 * DAY)
    assert len(office.box.to("author-one")) == 3
    assert office.judge("sixteen", now=NOW + 16 * DAY)["verdict"] == "pass"


def test_a_link_is_not_renewed_for_who_is_not_entitled_any_more(office: Office) -> None:
    office.run()
    ask(office.dsn, "ALTER TABLE gov.release_delivery DISABLE TRIGGER append_only")
    ask(office.dsn, "UPDATE gov.release_delivery SET expires_at = :at WHERE kind = 'sent'", at=NOW + 7 * DAY)
    ask(office.dsn, "UPDATE gov.agreement SET valid_to = '2026-11-20' WHERE recipient_id = 'author-one'")
    office.run("seven", now=NOW + 7 * DAY)
    assert blocked(office) == ("blocked", "NOT_ENTITLED")
    assert len(office.box.to("author-one")) == 1
    with pytest.raises(UserError, match="agreement or entitlement"):
        by_hand.resend(office.ws, release_of(office.dsn), by="Lena", now=NOW + 8 * DAY)


def test_a_receipt_comes_after_the_mail_and_not_from_the_future(office: Office) -> None:
    ident = release_of(office.dsn)
    with pytest.raises(UserError, match="not sent yet"):
        by_hand.receipt(office.ws, ident, said_by="the desk", at=NOW, now=NOW)
    office.run()
    for at in (NOW - DAY, NOW + DAY):
        with pytest.raises(UserError, match="a receipt comes after"):
            by_hand.receipt(office.ws, ident, said_by="the desk", at=at, now=NOW)


def test_mails_that_nobody_takes_turn_the_gate_red_after_a_day(office: Office) -> None:
    prepare(office.ws, delivery.open_run(office.ws), now=NOW)
    assert office.judge("early", now=NOW + timedelta(hours=23))["verdict"] == "pass"
    with pytest.raises(GateBlocked, match="E-16-MAIL"):
        office.judge("late", now=NOW + timedelta(hours=24))


# ---- nothing leaks


def test_neither_address_nor_link_is_in_rows_logs_or_errors(
    office: Office,
    inbox: Any,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Through a real SMTP server, with everything that can go wrong on the way, at the most talkative level."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, logger="mail.log")  # the receiving server's, which is not ours
    run, said = delivery.open_run(office.ws), []
    said.append(str(prepare(office.ws, run, now=NOW)))
    away = MailServer(MailSettings("127.0.0.1", 1, sender="usage@press.example.org", tls=False))
    said.append(str(send(office.ws, run, away.send, now=NOW)))

    def broken(_: EmailMessage) -> None:
        raise StoreUnavailable("the mail server cannot be reached (TimeoutError)")

    said.append(str(send(office.ws, run, broken, now=NOW)))
    said.append(str(send(office.ws, run, inbox.server.send, now=NOW)))
    assert len(inbox.mails) == 3
    said.append(str(follow_up(office.ws, run, now=NOW)))
    said.append(str(judge_delivery(office.ws, run, now=NOW)))
    shown = [str(by_hand.show(office.ws, release_of(office.dsn))), str(by_hand.listing(office.ws))]
    delivery.write(office.path, delivery.registry(CONTACTS | {"author-one": "not one address, two@example.org"}))
    with pytest.raises(ConfigError) as error:
        prepare(office.ws, run, now=NOW)
    dump = "".join(
        str(ask(office.dsn, f"SELECT to_jsonb(t)::text FROM gov.{name} AS t"))
        for (name,) in ask(office.dsn, "SELECT tablename FROM pg_tables WHERE schemaname = 'gov'")
    )
    out = capsys.readouterr()
    everything = {
        "counts": "\n".join(said), "shown": "\n".join(shown), "rows": dump, "logs": caplog.text,
        "printed": out.out + out.err, "error": str(error.value) + repr(error.value.__cause__),
    }  # fmt: skip
    assert "author-one" in dump, "the canary looks where something is"
    for where, held in everything.items():
        for contact in CONTACTS.values():
            assert contact not in held, where
        assert "two@example.org" not in held, where
        assert "X-Amz-Signature" not in held, where
        assert "X-Amz-Credential" not in held, where


def test_the_tasks_leave_counts_and_no_address_or_link_in_xcom_and_logs(
    office: Office,
    inbox: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The whole recipe as the tasks call it; what they return and push is what Airflow stores."""
    from airflow.dag_processing.dagbag import DagBag
    from privacy_ops.airflow_support import settings as air
    from privacy_ops.settings import home_directory

    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, logger="mail.log")
    dag = DagBag(str(home_directory() / "dags" / "course_usage_delivery.py")).dags["course_usage_delivery"]
    run, pushed = delivery.open_run(office.ws), {}
    server = inbox.server._settings
    monkeypatch.setattr(air, "mail_settings", lambda: server)

    class Task:
        def xcom_push(self, *, key: str, value: object) -> None:
            pushed[key] = value

    for task in dag.topological_sort():
        call = task.python_callable  # type: ignore[union-attr]
        for name in ("current_job", "open_job"):
            monkeypatch.setitem(call.__globals__, name, lambda *_, **__: (office.ws, run))
        monkeypatch.setitem(call.__globals__, "utc_now", lambda: NOW)
        monkeypatch.setitem(call.__globals__, "get_current_context", lambda: {"ti": Task()})
        pushed[task.task_id] = call()
    assert len(inbox.mails) == 3
    assert pushed["send"] == {"sent": 3, "failed": 0, "needless": 0, "waiting": 0}
    assert pushed["gate_delivery"]["verdict"] == "pass"
    for held in (str(pushed), caplog.text):
        assert "X-Amz-" not in held
        assert not [contact for contact in CONTACTS.values() if contact in held]


# ---- at the command line


def test_a_person_lists_shows_confirms_resends_and_withdraws(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office.run()
    settings, ident = office.ws.settings, release_of(office.dsn)
    for name, value in {
        "PRIVACY_OPS_DSN_EXPORT": settings.dsn("export"),
        "PRIVACY_OPS_S3_ENDPOINT": settings.objects.endpoint_url,
        "PRIVACY_OPS_S3_ACCESS_KEY": settings.objects.access_key,
        "PRIVACY_OPS_S3_SECRET_KEY": settings.objects.secret_key,
        "PRIVACY_OPS_RECIPIENTS_REGISTRY": str(office.path),
        "PRIVACY_OPS_HMAC_KEYS": RING,
    }.items():
        monkeypatch.setenv(name, str(value))

    def said(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["privacy_ops", "release", *arguments])
        assert cli.main() == code
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return out.out + out.err

    assert "3 releases" in said("list")
    only = said("list", "--recipient", "author-one", "--open")
    assert f"{ident}  2026-W46  EXP-AUTHOR  author-one  sent 2026-11-18 07:00" in only
    assert "a fresh link goes out with the next run" in said("resend", ident, "--by", "Lena")
    assert "a mail is waiting already" in said("resend", ident, "--by", "Lena")
    assert "receipt noted" in said("receipt", ident, "--by", "the desk")
    assert "a receipt comes after the first mail" in said("receipt", ident, "--by", "x", "--at", "2020-01-01", code=2)
    assert "1 releases" not in said("list", "--recipient", "author-one", "--open")
    shown = said("show", ident)
    for words in ("SHA256SUMS", "prepared", "link until", "said by the desk", "published", "LINK sent", "LINK queued"):
        assert words in shown
    assert "usage_by_course_week: " in shown
    assert "figures published" in shown, "its utility, for people of the house"
    cost = said("utility", ident)
    for words in ("usage_by_course_week by course: ", "of a course's starters", "Rounding, ", "Differencing: no cell"):
        assert words in cost
    asked = said("correct", "2026-W46", "--reason", "One feed was loaded twice.", "--by", "Lena")
    assert 'airflow dags trigger course_usage_export --conf \'{"correction": ' in asked
    nothing = said("correct", "2026-W30", "--reason", "x", "--by", "Lena", code=2)
    assert "nothing of this period is released" in nothing
    withdrawn = said("withdraw", ident, "--reason", "One course was counted twice.", "--by", "Lena")
    assert "is withdrawn; 1 versions of its delivery deleted" in withdrawn
    assert "a recall goes out with the next run" in withdrawn
    assert "was withdrawn before; the first reason stands" in said("withdraw", ident, "--reason", "x", "--by", "y")
    assert "WITHDRAWN" in said("list")
    assert "One course was counted twice." in said("show", ident)
    assert "cannot be delivered: the release was withdrawn" in said("resend", ident, "--by", "Lena", code=2)
    assert "there is no such release" in said("show", "r0", code=2)
    assert "Missing option" in said("withdraw", ident, code=2)
    for contact in CONTACTS.values():
        assert contact not in said("show", ident)


def test_a_key_under_which_an_address_was_noted_is_in_use(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRIVACY_OPS_DSN_ERASE", world.as_role(office.dsn, "erase"))
    monkeypatch.setenv("PRIVACY_OPS_HMAC_KEYS", RING)
    monkeypatch.setattr(sys, "argv", ["privacy_ops", "keys", "check"])
    assert cli.main() == 0
    assert "contact/k1: 4 references\n" in capsys.readouterr().out


def test_dates_of_the_window_are_those_of_london(office: Office) -> None:
    with office.ws.database("export").transaction(read_only=True) as connection:
        one = standing.read(connection, office.ws, now=NOW)[0]
    assert (one.first_day, one.last_day) == (date(2026, 11, 9), date(2026, 11, 15))
