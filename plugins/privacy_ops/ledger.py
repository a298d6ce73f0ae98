"""The erasure ledger: append-only, hash-chained, and copied to a locked bucket before anything is destroyed.

Each entry's hash covers everything in it and the hash before it, so a changed, removed, reordered or inserted
entry breaks the chain. A cut tail and a rewritten chain have a whole chain again: only the signed heads that
lie in the locked bucket, outside the database, tell. What an entry says is references and counts: it stays
pseudonymous personal data, kept for accountability (GDPR Art. 5(2)) and to prevent return.

In the bucket:

    ledger/entries/<from>-<to>.jsonl       entries, one canonical JSON each; a resumed copy may overlap another
    ledger/suppression/<chunk>-<sha>.jsonl the suppression list in chunks of consecutive ids, named by content
    ledger/sweep/<chunk>-<sha>.jsonl       the references that later sweeps look for, likewise; locked for less long
    ledger/heads/<seq>-<sha>.json          signed: last entry, its hash, and the chunks that are the whole lists

``read_copy`` reads all of it back with no database at hand: what a replay after a restore needs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from privacy_ops import signing
from privacy_ops.errors import LedgerBroken, UserError
from privacy_ops.stores.database import stream, text_array
from privacy_ops.stores.objects import ObjectExists, ObjectStore
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

GENESIS = "0" * 64
ENTRIES, SUPPRESSION, SWEEP, HEADS = "ledger/entries/", "ledger/suppression/", "ledger/sweep/", "ledger/heads/"
_FIRST = -(2**63)  # an entry smuggled in below 1 must be read too
_SEGMENT_ROWS = 5000  # a few MB at most
_CHUNK_IDS = 1000
_MAX_FAULTS = 20
_T = TypeVar("_T")
_MAIL_ADDRESS = re.compile(r"[^\s\"@]+@[^\s\"@]+\.[^\s\"@]+")


@dataclass(frozen=True)
class LedgerEntry:
    """Where an entry stands in the chain."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Fault:
    """One thing wrong at one place. ``seq`` 0 is about the copies as a whole."""

    seq: int
    what: str


@dataclass
class LedgerReport:
    """What verification found. ``faults`` holds the first few of ``fault_count``."""

    entries: int = 0
    head: LedgerEntry = LedgerEntry(0, GENESIS)
    heads_compared: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return self.fault_count == 0

    def add(self, seq: int, what: str) -> None:
        self.fault_count += 1
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(Fault(seq, what))

    def require(self) -> None:
        """Raise LedgerBroken, naming the first faults, when anything is wrong."""
        if self.sound:
            return
        first = "; ".join(f"entry {f.seq}: {f.what}" for f in self.faults[:3])
        raise LedgerBroken(
            f"the erasure ledger does not verify ({self.fault_count} faults): {first}",
            where="gov.erasure_ledger",
            do="erase nothing; follow docs/runbooks/ledger.md, starting from the copies in the evidence bucket",
        )


def _batched(items: Iterable[_T], size: int) -> Iterator[tuple[_T, ...]]:
    iterator = iter(items)
    while batch := tuple(islice(iterator, size)):
        yield batch


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_hash(prev_hash: str, seq: int, at: datetime, kind: str, case_id: UUID | str | None, payload: str) -> str:
    """SHA-256 of one entry in the canonical form that gov.append_to_ledger writes: six lines, UTF-8."""
    lines = (prev_hash, str(seq), _moment(at), kind, str(case_id or ""), payload)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def append(
    connection: Connection,
    kind: str,
    payload: Mapping[str, object],
    *,
    at: datetime,
    case_id: UUID | None = None,
) -> LedgerEntry:
    """Append one entry in the caller's transaction. ``at`` is aware. Raises UserError for what may not be kept."""
    return _append(connection, kind, [(payload, case_id)], at)


def append_many(
    connection: Connection,
    kind: str,
    entries: Iterable[tuple[Mapping[str, object], UUID | None]],
    *,
    at: datetime,
) -> None:
    """Append entries (payload, case) in order, a thousand at a time. Raises UserError as ``append`` does."""
    for batch in _batched(entries, 1000):
        _append(connection, kind, batch, at)


def _append(
    connection: Connection, kind: str, entries: Sequence[tuple[Mapping[str, object], UUID | None]], at: datetime
) -> LedgerEntry:
    """Append a batch; returns where its last entry stands."""
    if at.tzinfo is None:
        raise UserError("the time of a ledger entry has no time zone", where=f"kind {kind}")
    last = connection.execute(
        statement("ledger", "append_entries"),
        {
            "at": at,
            "kind": kind,
            "cases": f"{{{','.join(str(case) if case else 'NULL' for _, case in entries)}}}",
            "payloads": text_array([_payload(kind, payload) for payload, _ in entries]),
        },
    ).one()
    return LedgerEntry(last.seq, last.hash)


def _payload(kind: str, payload: Mapping[str, object]) -> str:
    text = signing.canonical_json(payload)
    # A trip-wire, not a filter: the ledger is locked for years, so the plainest slip must not get in.
    if "@" in text and _MAIL_ADDRESS.search(text):
        raise UserError(
            "a ledger entry holds what looks like a mail address",
            where=f"kind {kind}",
            do="write keyed references and counts only",
        )
    return text


def _verify_chain(rows: Iterable[Any], last: LedgerEntry, report: LedgerReport) -> Iterator[Any]:
    """Pass rows on, noting every break in the chain that begins after ``last``."""
    for row in rows:
        if row.seq != last.seq + 1:
            report.add(row.seq, f"entries are missing before it (the one before is {last.seq})")
        if row.prev_hash != last.hash:
            report.add(row.seq, "it does not follow from the entry before it (removed, reordered or inserted)")
        if entry_hash(row.prev_hash, row.seq, row.at, row.kind, row.case_id, row.payload) != row.hash:
            report.add(row.seq, "its content was changed")
        last = LedgerEntry(row.seq, row.hash)
        report.entries += 1
        report.head = last
        yield row


def verify(connection: Connection) -> LedgerReport:
    """Recompute the chain from its first entry, and compare it with the copies that the database remembers."""
    return _verify_against(connection, {})


def _verify_against(connection: Connection, heads: Mapping[int, set[str]]) -> LedgerReport:
    report = LedgerReport()
    expected = {seq: set(hashes) for seq, hashes in heads.items()}
    for copy in connection.execute(statement("ledger", "select_copies")):
        expected.setdefault(copy.seq, set()).add(copy.hash)
    rows = stream(connection, statement("ledger", "select_entries"), {"since": _FIRST})
    for row in _verify_chain(rows, LedgerEntry(0, GENESIS), report):
        if row.seq in expected and expected.pop(row.seq) != {row.hash}:
            report.add(row.seq, "it is not the entry that was copied and signed: the chain was rewritten")
    for seq in sorted(expected):
        if seq > report.head.seq:
            report.add(seq, "it was copied and signed, and is gone: the tail was cut")
    return report


def require_sound(connection: Connection) -> None:
    """Raise LedgerBroken unless the chain verifies. Compares with the bucket only in ``verify_with_copies``."""
    verify(connection).require()


def verify_with_copies(connection: Connection, store: ObjectStore, bucket: str, public_key: bytes) -> LedgerReport:
    """Verify the chain, then compare it with every signed head and every copied entry in the locked bucket.

    ``public_key``: one or more PEM blocks. Every version counts, so hiding a copy below a newer one or below a
    delete marker does not help. A database without copies is a fault as soon as it has entries.
    """
    # Listed before the ledger is read: a copy made meanwhile must not look like an entry that is gone.
    copied_heads = [v for v in store.versions(bucket, HEADS) if not v.is_marker]
    copied_entries = [v for v in store.versions(bucket, ENTRIES) if not v.is_marker]
    heads: dict[int, set[str]] = {}
    untrusted: list[str] = []
    for version in copied_heads:
        head = _open_head(store.get(bucket, version.key, version_id=version.version_id), public_key)
        if head is None:
            untrusted.append(version.key)
        else:
            heads.setdefault(head["seq"], set()).add(head["hash"])
    report = _verify_against(connection, heads)
    report.heads_compared = len(heads)
    for key in untrusted:
        report.add(0, f"the copied head {key.removeprefix(HEADS)} is not signed by a trusted key")
    if report.entries and not heads:
        report.add(0, "there is no signed copy in the bucket to compare with")
    covered = 0
    for version in sorted(copied_entries, key=lambda v: v.key):
        rows = _read_segment(store.get(bucket, version.key, version_id=version.version_id))
        if not _is_of_ledger(connection, rows):
            report.add(
                rows[0].seq if rows else 0,
                f"the copy {version.key.removeprefix(ENTRIES)} is not what the ledger holds",
            )
        elif rows[0].seq <= covered + 1:
            covered = max(covered, rows[-1].seq)
    if covered < max(heads, default=0):
        report.add(covered + 1, "it is missing from the copies")
    return report


def _is_of_ledger(connection: Connection, rows: list[CopiedEntry]) -> bool:
    """Whether copied entries chain, and end in an entry of the ledger: then all of them are the ledger's."""
    if not rows:
        return False
    report = LedgerReport()
    for _ in _verify_chain(rows, LedgerEntry(rows[0].seq - 1, rows[0].prev_hash), report):
        pass
    known = connection.execute(statement("ledger", "select_hash"), {"seq": rows[-1].seq})
    return report.sound and known.scalar_one_or_none() == rows[-1].hash


@dataclass(frozen=True)
class CopiedEntry:
    """One entry as its copy says it."""

    seq: int
    at: datetime
    kind: str
    case_id: str | None
    payload: str
    prev_hash: str
    hash: str


def _read_segment(body: bytes) -> list[CopiedEntry]:
    """Entries of a copied segment; empty when it cannot be read as one."""
    try:
        raw = [json.loads(line) for line in body.decode().splitlines()]
        return [CopiedEntry(**{**r, "at": datetime.fromisoformat(r["at"])}) for r in raw]
    except (ValueError, TypeError, KeyError):
        return []


def _open_head(raw: bytes, public_key: bytes) -> dict[str, Any] | None:
    """The body of a signed head, or None when it is not one that a trusted key signed."""
    try:
        head = json.loads(raw)
        body, signature = head["body"], head["signature"]
        seq, hash_, _ = int(body["seq"]), str(body["hash"]), body["suppression"]["sha256"]
    except (ValueError, TypeError, KeyError):
        return None
    if not signing.verifies(public_key, body, str(signature)):
        return None
    return {**body, "seq": seq, "hash": hash_}


def copy_out(workspace: Workspace, now: datetime) -> dict[str, object]:
    """Copy new entries, the suppression list and a signed head into the locked evidence bucket.

    Nothing is signed that does not follow from the newest head already there. Killed at any point it goes on
    where it was; called twice it changes nothing. Returns counts and the head's key. ``now`` is aware UTC.
    Raises LedgerBroken (the chain is broken, cut or rewritten), ConfigError (no signing key), StoreRefused,
    StoreUnavailable.
    """
    keys, bucket, store = workspace.settings.keys, workspace.settings.evidence_bucket, workspace.objects()
    until = now + timedelta(days=workspace.thresholds.evidence.lock_days)
    trusted = signing.trusted_keys(keys)
    before_key, before = _newest_head(store, bucket, trusted)
    last = LedgerEntry(int(before["seq"]), str(before["hash"])) if before else LedgerEntry(0, GENESIS)
    database = workspace.database("erase")
    report = LedgerReport(head=last)
    segments = 0
    with database.transaction(read_only=True) as connection:
        _require_continuation(connection, last)
        rows = stream(connection, statement("ledger", "select_entries"), {"since": last.seq + 1})
        for segment in _batched(_verify_chain(rows, last, report), _SEGMENT_ROWS):
            report.require()
            key = f"{ENTRIES}{segment[0].seq:012d}-{segment[-1].seq:012d}.jsonl"
            _put_same(store, bucket, key, _lines(_entry_record(row) for row in segment), until)
            segments += 1
        suppression = _copy_list(
            stream(connection, statement("ledger", "select_suppression_entries")),
            store, bucket, SUPPRESSION, until, _known(before, "suppression"),
        )  # fmt: skip
        limits = workspace.thresholds.sweep
        sweep = _copy_list(
            stream(connection, statement("ledger", "select_sweep_identifiers")),
            store, bucket, SWEEP, now + timedelta(days=max(limits.after_days) + limits.slack_days),
            _known(before, "sweep"),
        )  # fmt: skip
    body: dict[str, Any] = {
        "format": 1,
        "seq": report.head.seq,
        "hash": report.head.hash,
        "suppression": suppression,
        "sweep": sweep,
        "copied_at": _moment(now),
        "key": signing.fingerprint(trusted),
    }
    nothing_new = before is not None and all(body[k] == before.get(k) for k in ("seq", "hash", "suppression", "sweep"))
    if before is None and not report.head.seq and not suppression["rows"] and not sweep["rows"]:
        return {"entries": 0, "segments": 0, "suppressed": 0, "seq": 0, "head": ""}
    if nothing_new:
        assert before is not None  # noqa: S101 - for the type checker
        head_key, body = before_key, before
    else:
        # Zero-padded so that the newest sorts last; the time tells two heads of one entry apart.
        head_key = f"{HEADS}{report.head.seq:012d}-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.json"
        signed = {"body": body, "signature": signing.sign(keys.signing_key_pem, body)}
        _put_same(store, bucket, head_key, signing.canonical_json(signed).encode(), until, "application/json")
    with database.transaction() as connection:
        connection.execute(
            statement("ledger", "insert_copy"),
            {
                "seq": body["seq"],
                "hash": body["hash"],
                "suppression_sha256": body["suppression"]["sha256"],
                "bucket": bucket,
                "object_key": head_key,
                "copied_at": datetime.fromisoformat(body["copied_at"]),
            },
        )
    return {
        "entries": report.entries,
        "segments": segments,
        "suppressed": suppression["rows"],
        "seq": body["seq"],
        "head": head_key,
    }


def _newest_head(store: ObjectStore, bucket: str, trusted: bytes) -> tuple[str, dict[str, Any] | None]:
    key = max(store.keys(bucket, HEADS), default="")
    if not key:
        return "", None
    head = _open_head(store.get(bucket, key), trusted)
    if head is None:
        raise LedgerBroken(
            "the newest copied head of the ledger is not signed by a trusted key",
            where=f"bucket {bucket}",
            do="erase nothing; find out who wrote it. A former key belongs in PRIVACY_OPS_TRUSTED_KEYS_FILE",
        )
    return key, head


def _require_continuation(connection: Connection, last: LedgerEntry) -> None:
    """The ledger still holds the entry of the newest head, and the bucket still holds the newest known copy."""
    report = LedgerReport()
    if last.seq:
        found = connection.execute(statement("ledger", "select_hash"), {"seq": last.seq}).scalar_one_or_none()
        if found is None:
            report.add(last.seq, "it was copied and signed, and is gone: the tail was cut, or an old backup restored")
        elif found != last.hash:
            report.add(last.seq, "it is not the entry that was copied and signed: the chain was rewritten")
    newest = max((copy.seq for copy in connection.execute(statement("ledger", "select_copies"))), default=0)
    if newest > last.seq:
        report.add(newest, "its signed copy is no longer in the evidence bucket")
    report.require()


def _known(head: Mapping[str, Any] | None, name: str) -> set[str]:
    """Chunks of a list that a head names."""
    return {chunk["key"] for chunk in head.get(name, {}).get("chunks", [])} if head else set()


def _copy_list(
    rows: Iterable[Any], store: ObjectStore, bucket: str, prefix: str, until: datetime, known: set[str]
) -> dict[str, Any]:
    """Copy the chunks of a list that the bucket does not have; returns its row count, digest and chunks.

    ``rows`` begin with their id and are in its order. The whole list is read each time: an entry with a lower id
    may be committed later than one with a higher.
    """
    digest, chunks, total = hashlib.sha256(), [], 0
    for number, group in groupby(rows, key=lambda row: (row[0] - 1) // _CHUNK_IDS):
        records = [_record(row) for row in group]
        body = _lines(records)
        sha256 = hashlib.sha256(body).hexdigest()
        key = f"{prefix}{number:08d}-{sha256[:16]}.jsonl"
        if key not in known:
            _put_same(store, bucket, key, body, until)
        digest.update(sha256.encode())
        chunks.append({"key": key, "sha256": sha256})
        total += len(records)
    return {"rows": total, "sha256": digest.hexdigest(), "chunks": chunks}


def _entry_record(row: Any) -> dict[str, object]:
    return {
        "seq": row.seq,
        "at": _moment(row.at),
        "kind": row.kind,
        "case_id": str(row.case_id) if row.case_id else None,
        "payload": row.payload,
        "prev_hash": row.prev_hash,
        "hash": row.hash,
    }


def _record(row: Any) -> dict[str, object]:
    def plain(value: object) -> object:
        if isinstance(value, datetime):
            return _moment(value)
        return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value

    return {name: plain(value) for name, value in row._mapping.items()}


def _lines(records: Iterable[Mapping[str, object]]) -> bytes:
    return "".join(signing.canonical_json(record) + "\n" for record in records).encode()


def _put_same(
    store: ObjectStore,
    bucket: str,
    key: str,
    body: bytes,
    until: datetime,
    content_type: str = "application/jsonl",
) -> None:
    """Write a locked object, or accept the one that is there when it has the same bytes. Raises LedgerBroken."""
    try:
        store.put_same(bucket, key, body, content_type=content_type, locked_until=until)
    except ObjectExists:
        raise LedgerBroken(
            "a copy of this name with another content lies in the evidence bucket",
            where=f"bucket {bucket}, {key}",
            do="erase nothing; the database was rewritten or restored since. Follow docs/runbooks/ledger.md",
        ) from None


@dataclass(frozen=True)
class Copy:
    """The copies in a bucket as of their newest signed head, verified while they are read."""

    store: ObjectStore
    bucket: str
    head: Mapping[str, Any]

    @property
    def seq(self) -> int:
        return int(self.head["seq"])

    @property
    def hash(self) -> str:
        return str(self.head["hash"])

    def entries(self) -> Iterator[CopiedEntry]:
        """Every entry up to the head, in order, once. Raises LedgerBroken for anything that does not chain."""
        last = LedgerEntry(0, GENESIS)
        hashes: list[str] = []
        report = LedgerReport()
        versions = [v for v in self.store.versions(self.bucket, ENTRIES) if not v.is_marker]
        for version in sorted(versions, key=lambda v: (v.key, v.version_id)):
            rows = _read_segment(self.store.get(self.bucket, version.key, version_id=version.version_id))
            if not rows:
                report.add(0, f"the copy {version.key.removeprefix(ENTRIES)} cannot be read")
            for row in rows:
                # A resumed copy may overlap another; it must say the same.
                if row.seq <= last.seq:
                    if row.seq < 1 or hashes[row.seq - 1] != row.hash:
                        report.add(row.seq, "two copies of it differ")
                    continue
                if row.seq > self.seq:
                    break  # copied, but not signed: a kill came between, and nothing was erased on it
                list(_verify_chain([row], last, report))
                report.require()
                last = LedgerEntry(row.seq, row.hash)
                hashes.append(row.hash)
                yield row
            report.require()
        if (last.seq, last.hash) != ((self.seq, self.hash) if self.seq else (0, GENESIS)):
            report.add(last.seq + 1, "it is missing from the copies, or not what the head was signed for")
        report.require()

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Rows of the list ``suppression`` or ``sweep``. Raises LedgerBroken for a chunk that was not signed so."""
        for chunk in self.head.get(name, {}).get("chunks", []):
            body = self.store.get(self.bucket, chunk["key"])
            if hashlib.sha256(body).hexdigest() != chunk["sha256"]:
                raise LedgerBroken(
                    "a copied list is not what was signed",
                    where=f"bucket {self.bucket}, {chunk['key']}",
                    do="list all versions of that key: the locked one is still there; put nothing back before",
                )
            yield from map(json.loads, body.decode().splitlines())


def read_copy(store: ObjectStore, bucket: str, public_key: bytes) -> Copy:
    """The copies of a bucket; needs no database. Raises UserError when there are none, LedgerBroken for a false head.

    Every version of a head counts: a newer one cannot be hidden below a delete marker.
    """
    versions = [v for v in store.versions(bucket, HEADS) if not v.is_marker]
    if not versions:
        raise UserError("there is no copy of a ledger in this bucket", where=f"bucket {bucket}", do="name another")
    newest = max(version.key for version in versions)
    heads = [
        _open_head(store.get(bucket, v.key, version_id=v.version_id), public_key) for v in versions if v.key == newest
    ]
    if None in heads or any(head != heads[0] for head in heads) or heads[0] is None:
        raise LedgerBroken(
            "the newest copied head of the ledger is not signed by a trusted key",
            where=f"bucket {bucket}",
            do="replay nothing; find out who wrote it. A former key belongs in PRIVACY_OPS_TRUSTED_KEYS_FILE",
        )
    return Copy(store, bucket, heads[0])


def require_continued(connection: Connection, copy: Copy) -> int:
    """Refuse a database whose ledger went another way than the copy; returns its last entry's number (0: none).

    The number may be lower than the copy's: the database is older, a restored backup.
    """
    newest = connection.execute(statement("ledger", "select_last_seq")).scalar_one()
    if newest and newest <= copy.seq:
        here = connection.execute(statement("ledger", "select_hash"), {"seq": newest}).scalar_one()
        there = next((entry.hash for entry in copy.entries() if entry.seq == newest), None)
    else:
        here = connection.execute(statement("ledger", "select_hash"), {"seq": copy.seq}).scalar_one_or_none()
        there = copy.hash if copy.seq and newest else here
    if here != there:
        raise LedgerBroken(
            "the database's ledger went another way than its copy",
            where="gov.erasure_ledger",
            do="a job ran in the restored database before the replay: restore it again and replay first",
        )
    return int(newest)


def append_copied(connection: Connection, entries: Iterable[CopiedEntry]) -> int:
    """Append copied entries as they were; returns how many. Raises LedgerBroken when a hash comes out otherwise."""
    count = 0
    for batch in _batched(entries, 1000):
        last = connection.execute(
            statement("ledger", "append_copied"),
            {
                "times": [entry.at for entry in batch],
                "kinds": [entry.kind for entry in batch],
                "cases": [entry.case_id for entry in batch],
                "payloads": [entry.payload for entry in batch],
            },
        ).one()
        # The last hash covers every entry before it.
        if last.hash != batch[-1].hash:
            raise LedgerBroken(
                "a copied entry does not follow from the database's ledger",
                where=f"gov.erasure_ledger, entry {batch[0].seq} or after",
                do="restore the database again and replay before any job runs in it",
            )
        count += len(batch)
    return count


def check(workspace: Workspace) -> LedgerReport:
    """``verify_with_copies`` with the workspace's database, bucket and trusted keys."""
    with workspace.database("erase").transaction(read_only=True) as connection:
        return verify_with_copies(
            connection,
            workspace.objects(),
            workspace.settings.evidence_bucket,
            signing.trusted_keys(workspace.settings.keys),
        )
