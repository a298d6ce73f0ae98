"""The ledger under attack: whoever changes it, with whatever rights in the database, is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from privacy_ops import ledger, signing, thresholds
from privacy_ops.errors import ConfigError, LedgerBroken, PrivacyOpsError, StoreUnavailable, UserError
from privacy_ops.settings import KeyRing, ObjectSettings, Settings, home_directory
from privacy_ops.stores import migrations
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.workspace import Workspace
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from sandbox.postgres import PostgresServer

NOW = datetime(2026, 11, 22, 2, 15, 0, 123456, tzinfo=UTC)
CASE = UUID("00000000-0000-4000-8000-000000000001")
BUCKET = "imp-evidence"
KEY = signing.generate_key_pem()


@pytest.fixture(scope="module")
def migrated(cluster: PostgresServer) -> Iterator[str]:
    """Superuser address of a database with gov."""
    admin = create_engine(cluster.dsn(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE ledger_publisher"))
    migrations.upgrade(cluster.dsn("ledger_publisher"))
    yield cluster.dsn("ledger_publisher")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE ledger_publisher WITH (FORCE)"))


@pytest.fixture
def workspace(migrated: str, objects: ObjectStore, object_settings: ObjectSettings) -> Workspace:
    """An empty ledger and an empty, locked evidence bucket."""
    with Database(migrated).transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("erasure_ledger", "ledger_copy", "suppression_entry"):
            connection.execute(text(f"DELETE FROM gov.{table}"))
        # Chunks of the suppression list are cut by id.
        connection.execute(text("ALTER TABLE gov.suppression_entry ALTER suppression_id RESTART"))
    objects.client.create_bucket(
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-2"},
        ObjectLockEnabledForBucket=True,
    )
    settings = Settings(
        home=Path(home_directory()),
        dsns={"erase": migrated},
        objects=object_settings,
        keys=KeyRing(signing_key_pem=KEY),
    )
    rules = thresholds.load(settings.include / "thresholds.yaml")
    return Workspace(settings, rules, cast("Any", None), "0" * 64)


def write(workspace: Workspace, count: int) -> None:
    with workspace.database("erase").transaction() as connection:
        ledger.append_many(
            connection,
            "erased",
            [({"rows": n, "table": "core.user_account"}, CASE) for n in range(count)],
            at=NOW,
        )


def suppress(workspace: Workspace, count: int, *, start: int = 0) -> None:
    with workspace.database("erase").transaction() as connection:
        for n in range(start, start + count):
            connection.execute(
                text(
                    "INSERT INTO gov.suppression_entry (hmac, id_type, key_id, reason, block, valid_until, case_id,"
                    " created_at) VALUES (:hmac, 'email', 'k1', 'MINOR', 'IMPORT_RESTORE', :until, :case, :at)"
                ),
                {"hmac": f"{n:064x}", "until": date(2030, 12, 31), "case": CASE, "at": NOW},
            )


def attack(workspace: Workspace, *statements: str) -> None:
    """What an administrator could do: triggers off, then anything."""
    with workspace.database("erase").transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def rewrite(connection: Connection, change: Callable[[dict[str, Any]], None]) -> None:
    """Write the whole chain anew with valid hashes, each entry changed by ``change``."""
    rows = [dict(r._mapping) for r in connection.execute(text("SELECT * FROM gov.erasure_ledger ORDER BY seq"))]
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(text("DELETE FROM gov.erasure_ledger"))
    last = ledger.GENESIS
    for row in rows:
        change(row)
        row["prev_hash"] = last
        row["hash"] = last = ledger.entry_hash(last, row["seq"], row["at"], row["kind"], row["case_id"], row["payload"])
        connection.execute(
            text("INSERT INTO gov.erasure_ledger VALUES (:seq, :at, :kind, :case_id, :payload, :prev_hash, :hash)"),
            row,
        )


def verify(workspace: Workspace) -> ledger.LedgerReport:
    with workspace.database("erase").transaction(read_only=True) as connection:
        return ledger.verify(connection)


def test_python_and_sql_hash_one_fixed_entry_alike(workspace: Workspace) -> None:
    """The pinned value guards both: entries written years ago must verify."""
    payload = {"rows": 3, "note": "naïve – über", "tables": ["core.user_account"]}
    with workspace.database("erase").transaction() as connection:
        entry = ledger.append(connection, "erased", payload, at=NOW, case_id=CASE)
    canonical = '{"note":"naïve – über","rows":3,"tables":["core.user_account"]}'
    lines = ("0" * 64, "1", "2026-11-22T02:15:00.123456Z", "erased", str(CASE), canonical)
    assert entry == ledger.LedgerEntry(1, hashlib.sha256("\n".join(lines).encode()).hexdigest())
    assert entry.hash == "310cc4750dc137340b83f9dc306691e8906cf0a37189b5b3d25cfa2a76c52520"
    assert entry.hash == ledger.entry_hash(ledger.GENESIS, 1, NOW, "erased", CASE, canonical)


def test_an_untouched_ledger_verifies(workspace: Workspace) -> None:
    assert verify(workspace).sound
    write(workspace, 2500)
    report = verify(workspace)
    assert (report.sound, report.entries, report.head.seq) == (True, 2500, 2500)
    with workspace.database("erase").transaction() as connection:
        ledger.require_sound(connection)


def test_order_and_time_zone_do_not_matter_to_the_hash(workspace: Workspace) -> None:
    with workspace.database("erase").transaction() as connection:
        ledger.append(connection, "note", {"b": 1, "a": 2}, at=NOW.astimezone())
        assert connection.execute(text("SELECT payload FROM gov.erasure_ledger")).scalar_one() == '{"a":2,"b":1}'
        assert ledger.verify(connection).sound


CHAIN_ATTACKS = {
    "changed_payload": ["UPDATE gov.erasure_ledger SET payload = '{\"rows\": 9}' WHERE seq = 4"],
    "changed_case": ["UPDATE gov.erasure_ledger SET case_id = NULL WHERE seq = 4"],
    "changed_time": ["UPDATE gov.erasure_ledger SET at = at + interval '1 microsecond' WHERE seq = 4"],
    "removed_first": ["DELETE FROM gov.erasure_ledger WHERE seq = 1"],
    "removed_middle": ["DELETE FROM gov.erasure_ledger WHERE seq = 4"],
    "removed_and_closed_up": [
        "DELETE FROM gov.erasure_ledger WHERE seq = 4",
        "UPDATE gov.erasure_ledger SET seq = seq - 1 WHERE seq > 4",
    ],
    "reordered": [
        "UPDATE gov.erasure_ledger SET seq = 100 WHERE seq = 4",
        "UPDATE gov.erasure_ledger SET seq = 4 WHERE seq = 5",
        "UPDATE gov.erasure_ledger SET seq = 5 WHERE seq = 100",
    ],
    "inserted_at_the_end": [
        "INSERT INTO gov.erasure_ledger SELECT 9, at, kind, case_id, payload, repeat('a', 64), repeat('b', 64)"
        " FROM gov.erasure_ledger WHERE seq = 8"
    ],
    "inserted_between": [
        "UPDATE gov.erasure_ledger SET seq = seq + 100 WHERE seq > 4",
        "UPDATE gov.erasure_ledger SET seq = seq - 99 WHERE seq > 100",
        "INSERT INTO gov.erasure_ledger SELECT 5, at, kind, case_id, payload, repeat('a', 64), repeat('b', 64)"
        " FROM gov.erasure_ledger WHERE seq = 4",
    ],
}


@pytest.mark.parametrize("name", CHAIN_ATTACKS)
def test_the_chain_alone_tells(workspace: Workspace, name: str) -> None:
    write(workspace, 8)
    assert verify(workspace).sound
    attack(workspace, *CHAIN_ATTACKS[name])
    assert not verify(workspace).sound
    with (
        pytest.raises(LedgerBroken, match=r"does not verify.*runbook"),
        workspace.database("erase").transaction() as connection,
    ):
        ledger.require_sound(connection)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_change_of_any_field_is_found(workspace: Workspace, data: st.DataObject) -> None:
    """Each example changes one field in a transaction that is rolled back."""
    if not verify(workspace).entries:
        write(workspace, 6)
    seq = data.draw(st.integers(1, 6))
    column, value = data.draw(
        st.one_of(
            st.tuples(st.just("seq"), st.integers(-3, 20)),
            st.tuples(st.just("at"), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001
            st.tuples(st.just("kind"), st.from_regex(r"\A[a-z][a-z_]{0,9}\Z")),
            st.tuples(st.just("case_id"), st.one_of(st.none(), st.uuids())),
            st.tuples(
                st.just("payload"),
                st.dictionaries(st.text("abc", max_size=3), st.integers(), max_size=3).map(json.dumps),
            ),
            st.tuples(st.sampled_from(["prev_hash", "hash"]), st.text("0123456789abcdef", min_size=64, max_size=64)),
        )
    )
    connection_of = workspace.database("erase")
    with pytest.raises(_Undo), connection_of.transaction() as connection:  # noqa: PT012 - the block is the example
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for constraint in ("pkey", "hash_key", "prev_hash_key"):  # an administrator can drop these too
            connection.execute(text(f"ALTER TABLE gov.erasure_ledger DROP CONSTRAINT erasure_ledger_{constraint}"))
        taken = connection.execute(
            text(f"SELECT {column} FROM gov.erasure_ledger WHERE seq = :s"), {"s": seq}
        ).scalar_one()
        if value == taken:
            raise _Undo
        connection.execute(text(f"UPDATE gov.erasure_ledger SET {column} = :v WHERE seq = :s"), {"v": value, "s": seq})
        assert not ledger.verify(connection).sound, (column, seq, value)
        raise _Undo


class _Undo(Exception):
    """Rolls the example back."""


def test_copies_lie_locked_in_the_bucket_and_verify(workspace: Workspace) -> None:
    write(workspace, 5)
    suppress(workspace, 3)
    facts = ledger.copy_out(workspace, NOW)
    assert facts == {"entries": 5, "segments": 1, "suppressed": 3, "seq": 5, "head": facts["head"]}
    report = ledger.check(workspace)
    assert (report.sound, report.heads_compared) == (True, 1)

    client = workspace.objects().client
    for key in workspace.objects().keys(BUCKET):
        lock = client.head_object(Bucket=BUCKET, Key=key)
        assert lock["ObjectLockMode"] == "COMPLIANCE"
        assert lock["ObjectLockRetainUntilDate"].date() == (NOW + timedelta(days=765)).date()
    versions = list(workspace.objects().versions(BUCKET))
    with pytest.raises(PrivacyOpsError):
        workspace.objects().delete_versions(BUCKET, versions)

    entries = [k for k in workspace.objects().keys(BUCKET) if k.startswith(ledger.ENTRIES)]
    first = json.loads(workspace.objects().get(BUCKET, entries[0]).splitlines()[0])
    assert json.loads(first["payload"]) == {"rows": 0, "table": "core.user_account"}


def test_a_second_copy_changes_nothing_and_a_later_one_adds_the_new(workspace: Workspace) -> None:
    write(workspace, 5)
    suppress(workspace, 1500)
    first = ledger.copy_out(workspace, NOW)
    keys = set(workspace.objects().keys(BUCKET))
    again = ledger.copy_out(workspace, NOW + timedelta(hours=1))
    assert (again["entries"], again["head"]) == (0, first["head"])
    assert set(workspace.objects().keys(BUCKET)) == keys

    write(workspace, 2)
    suppress(workspace, 1, start=1500)
    later = ledger.copy_out(workspace, NOW + timedelta(days=1))
    assert (later["entries"], later["seq"], later["suppressed"]) == (2, 7, 1501)
    added = set(workspace.objects().keys(BUCKET)) - keys
    assert len(added) == 3  # one segment, the one chunk that changed, one head
    assert ledger.check(workspace).sound


def test_nothing_to_copy_copies_nothing(workspace: Workspace) -> None:
    assert ledger.copy_out(workspace, NOW)["head"] == ""
    assert list(workspace.objects().keys(BUCKET)) == []
    assert ledger.check(workspace).sound


def test_many_segments_cover_the_chain(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_SEGMENT_ROWS", 3)
    write(workspace, 10)
    assert ledger.copy_out(workspace, NOW)["segments"] == 4
    assert ledger.check(workspace).sound


@pytest.mark.parametrize("survives", range(1, 5))
def test_killed_anywhere_it_goes_on(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, survives: int) -> None:
    """The store dies after the n-th write; more entries arrive before the next try."""
    monkeypatch.setattr(ledger, "_SEGMENT_ROWS", 3)
    write(workspace, 5)
    suppress(workspace, 2)
    real, writes = ObjectStore.put_if_absent, 0

    def dying(store: ObjectStore, *args: Any, **kwargs: Any) -> str:
        nonlocal writes
        writes += 1
        if writes > survives:
            raise StoreUnavailable("killed")
        return real(store, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "put_if_absent", dying)
        try:
            ledger.copy_out(workspace, NOW)
        except StoreUnavailable:
            assert survives < 4
    write(workspace, 2)
    ledger.copy_out(workspace, NOW + timedelta(minutes=5))
    report = ledger.check(workspace)
    assert report.sound, report.faults
    assert report.head.seq == 7


def test_killed_between_the_head_and_its_row_it_remembers_the_head(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace, 5)
    with monkeypatch.context() as patch:
        real = ledger.statement
        patch.setattr(ledger, "statement", lambda area, name: real(area, "no_such" if name == "insert_copy" else name))
        with pytest.raises(ConfigError):
            ledger.copy_out(workspace, NOW)
    again = ledger.copy_out(workspace, NOW + timedelta(minutes=5))
    with workspace.database("erase").transaction() as connection:
        rows = connection.execute(text("SELECT seq, object_key, copied_at FROM gov.ledger_copy")).all()
    assert rows == [(5, again["head"], NOW)]
    assert len([k for k in workspace.objects().keys(BUCKET) if k.startswith(ledger.HEADS)]) == 1


COPY_ATTACKS = {
    "cut_tail": ["DELETE FROM gov.erasure_ledger WHERE seq > 6"],
    "cut_all": ["DELETE FROM gov.erasure_ledger"],
}


@pytest.mark.parametrize("name", COPY_ATTACKS)
@pytest.mark.parametrize("hides_row", [False, True])
def test_a_cut_tail_is_found_by_its_signed_copy(workspace: Workspace, name: str, hides_row: bool) -> None:
    write(workspace, 8)
    ledger.copy_out(workspace, NOW)
    attack(workspace, *COPY_ATTACKS[name])
    assert not verify(workspace).sound  # the database's own memory of the copy
    if hides_row:
        attack(workspace, "DELETE FROM gov.ledger_copy")
        assert verify(workspace).sound  # the chain alone cannot know
    report = ledger.check(workspace)
    assert not report.sound
    assert any("tail was cut" in fault.what for fault in report.faults)
    with pytest.raises(LedgerBroken, match="tail was cut"):
        ledger.copy_out(workspace, NOW + timedelta(days=1))


@pytest.mark.parametrize("hides_row", [False, True])
def test_a_chain_rewritten_with_valid_hashes_is_found(workspace: Workspace, hides_row: bool) -> None:
    write(workspace, 8)
    ledger.copy_out(workspace, NOW)
    with workspace.database("erase").transaction() as connection:
        rewrite(connection, lambda row: row.update(payload='{"rows":0}') if row["seq"] == 3 else None)
    if hides_row:
        attack(workspace, "DELETE FROM gov.ledger_copy")
        assert verify(workspace).sound
    report = ledger.check(workspace)
    assert any("rewritten" in fault.what for fault in report.faults)
    with pytest.raises(LedgerBroken, match="rewritten"):
        ledger.copy_out(workspace, NOW + timedelta(days=1))


def test_a_tail_cut_and_grown_again_is_found(workspace: Workspace) -> None:
    write(workspace, 8)
    ledger.copy_out(workspace, NOW)
    attack(workspace, "DELETE FROM gov.erasure_ledger WHERE seq > 6", "DELETE FROM gov.ledger_copy")
    with workspace.database("erase").transaction() as connection:
        ledger.append_many(connection, "erased", [({"rows": 0}, None)] * 5, at=NOW)
    assert verify(workspace).sound
    assert not ledger.check(workspace).sound


def test_a_head_signed_by_somebody_else_is_found(workspace: Workspace) -> None:
    """An attacker who can write to the bucket but has no key cannot vouch for a rewritten chain."""
    write(workspace, 4)
    ledger.copy_out(workspace, NOW)
    body = {"seq": 9, "hash": "a" * 64, "suppression": {"rows": 0, "sha256": "", "chunks": []}}
    forged = {"body": body, "signature": signing.sign(signing.generate_key_pem(), body)}
    workspace.objects().put(BUCKET, f"{ledger.HEADS}{9:012d}-x.json", json.dumps(forged).encode())
    report = ledger.check(workspace)
    assert any("not signed by a trusted key" in fault.what for fault in report.faults)
    with pytest.raises(LedgerBroken, match="not signed"):
        ledger.copy_out(workspace, NOW)


def test_copies_hidden_below_a_delete_marker_or_a_newer_version_still_tell(workspace: Workspace) -> None:
    write(workspace, 8)
    head = str(ledger.copy_out(workspace, NOW)["head"])
    attack(workspace, "DELETE FROM gov.erasure_ledger WHERE seq > 6", "DELETE FROM gov.ledger_copy")
    workspace.objects().client.delete_object(Bucket=BUCKET, Key=head)
    assert not ledger.check(workspace).sound


def test_a_copied_segment_that_was_replaced_is_found(workspace: Workspace) -> None:
    write(workspace, 4)
    ledger.copy_out(workspace, NOW)
    key = next(k for k in workspace.objects().keys(BUCKET) if k.startswith(ledger.ENTRIES))
    forged = workspace.objects().get(BUCKET, key).replace(b'\\"rows\\":1', b'\\"rows\\":7')
    workspace.objects().put(BUCKET, key, forged)
    report = ledger.check(workspace)
    assert any("is not what the ledger holds" in fault.what for fault in report.faults)


def test_entries_that_were_never_copied_are_a_fault_once_they_are_due(workspace: Workspace) -> None:
    write(workspace, 1)
    assert any("no signed copy" in fault.what for fault in ledger.check(workspace).faults)


def test_a_former_key_still_verifies_what_it_signed(workspace: Workspace) -> None:
    write(workspace, 3)
    ledger.copy_out(workspace, NOW)
    new = signing.generate_key_pem()
    rotated = replace(
        workspace,
        settings=replace(
            workspace.settings,
            keys=KeyRing(signing_key_pem=new, trusted_keys_pem=signing.public_key_pem(KEY)),
        ),
    )
    write(workspace, 2)
    ledger.copy_out(rotated, NOW + timedelta(days=1))
    assert ledger.check(rotated).sound
    assert not ledger.check(workspace).sound  # the old key alone does not know the new one


def test_a_broken_chain_is_never_signed(workspace: Workspace) -> None:
    write(workspace, 4)
    attack(workspace, "UPDATE gov.erasure_ledger SET payload = '{}' WHERE seq = 2")
    with pytest.raises(LedgerBroken):
        ledger.copy_out(workspace, NOW)
    assert list(workspace.objects().keys(BUCKET)) == []


@pytest.mark.parametrize("payload", [{"to": "someone@example.org"}, {"nested": [{"x": "a.b+c@mail.example.org"}]}])
def test_what_looks_like_a_mail_address_is_refused_without_repeating_it(
    workspace: Workspace, payload: dict[str, object]
) -> None:
    with (
        pytest.raises(UserError, match="mail address") as caught,
        workspace.database("erase").transaction() as connection,
    ):
        ledger.append(connection, "note", payload, at=NOW)
    assert "example.org" not in str(caught.value)


def test_a_time_without_zone_and_a_kind_with_a_line_break_are_refused(workspace: Workspace) -> None:
    with workspace.database("erase").transaction() as connection, pytest.raises(UserError, match="time zone"):
        ledger.append(connection, "note", {}, at=NOW.replace(tzinfo=None))
    with pytest.raises(PrivacyOpsError, match="23514"), workspace.database("erase").transaction() as connection:
        ledger.append(connection, "note\nerased", {}, at=NOW)


def test_a_missing_key_a_missing_bucket_and_a_dead_store_say_so(workspace: Workspace) -> None:
    write(workspace, 1)
    keyless = replace(workspace, settings=replace(workspace.settings, keys=KeyRing()))
    with pytest.raises(ConfigError, match="PRIVACY_OPS_SIGNING_KEY_FILE"):
        ledger.copy_out(keyless, NOW)
    nowhere = replace(workspace, settings=replace(workspace.settings, evidence_bucket="imp-nowhere"))
    with pytest.raises(PrivacyOpsError, match="bucket does not exist"):
        ledger.copy_out(nowhere, NOW)


def test_two_writers_at_once_make_one_chain(workspace: Workspace) -> None:
    import threading

    def work() -> None:
        for _ in range(10):
            write(workspace, 3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = verify(workspace)
    assert (report.sound, report.entries) == (True, 120)
