"""Writes shared objects without the rows of planned subjects, proves it by reading back, and purges older versions.

An object is settled when no version of it holds such a row any more. Everything may be killed and repeated: each
attempt begins with what the store holds then. Nothing is written over what another wrote meanwhile.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Literal, cast

from privacy_ops.erasure.objects.batch import FIRST_PAUSE, code_of
from privacy_ops.erasure.objects.rewrite import find, lines, parquet
from privacy_ops.erasure.objects.rewrite.find import Shared
from privacy_ops.erasure.objects.rewrite.identify import Lookup
from privacy_ops.erasure.objects.rewrite.lines import Read, Unreadable
from privacy_ops.errors import StoreRefused, StoreUnavailable
from privacy_ops.stores.objects import ObjectChanged, ObjectMissing, ObjectStore, ObjectVersion

ATTEMPTS = 6
_BATCH = 1000


@dataclass
class Settled:
    """What became of one shared object.

    ``state``: done, exception (versions in ``kept`` hold rows or cannot be read, and stay; ``reason`` why), failed.
    """

    state: Literal["done", "exception", "failed"] = "done"
    rows: int = 0  # taken out of current versions
    rewritten: int = 0
    purged: int = 0
    reason: str = ""
    what: str = ""
    locked_until: datetime | None = None
    kept: set[str] = field(default_factory=set)

    def keep(self, version: ObjectVersion, reason: str, what: str = "", until: datetime | None = None) -> None:
        self.kept.add(version.version_id)
        self.state, self.reason, self.what = "exception", reason, what or self.what
        if until is not None:
            self.locked_until = max(until, self.locked_until or until)

    def fail(self, reason: str) -> None:
        self.state, self.reason = "failed", reason


def settle(
    store: ObjectStore, shared: Shared, key: str, lookup: Lookup, *, now: datetime, pause: Callable[[float], None]
) -> Settled:
    """Free every version of one object from rows that ``lookup`` knows. What concerns it alone is not raised."""
    done = Settled()
    clean: set[tuple[str, str]] = set()
    trouble = 0
    for _ in range(ATTEMPTS):
        try:
            if _attempt(store, shared, key, lookup, now, done, clean):
                return done
        except (ObjectChanged, ObjectMissing):
            done.fail("WRITTEN_MEANWHILE")
        except StoreUnavailable:
            done.fail("UNAVAILABLE")
        except StoreRefused as error:
            done.fail(code_of(error))
            return done
        else:
            continue
        pause(FIRST_PAUSE * 2**trouble)
        trouble += 1
    if done.state != "failed":
        done.fail("CAME_BACK")
    return done


def _attempt(
    store: ObjectStore,
    shared: Shared,
    key: str,
    lookup: Lookup,
    now: datetime,
    done: Settled,
    clean: set[tuple[str, str]],
) -> bool:
    """Look at every version and free those that hold rows. True when there was nothing (more) to do."""
    if done.state == "failed":
        done.state = "exception" if done.kept else "done"
    dirty, has_current = [], False
    for version in store.versions(shared.bucket, key, exact=True):
        has_current |= version.is_latest
        if version.is_marker or version.version_id in done.kept or (version.version_id, version.etag) in clean:
            continue
        try:
            hits = find.count(store, shared, version, lookup).hits
        except Unreadable as error:
            done.keep(version, error.code, error.what)
            continue
        if hits:
            dirty.append(version)
        else:
            clean.add((version.version_id, version.etag))
    if not dirty:
        return True
    current = next((version for version in dirty if version.is_latest), None)
    if current is not None:
        try:
            new = _rewrite(store, shared, current, lookup, now, done)
            clean.add((new.version_id, new.etag))  # read before it was put, and compared byte by byte afterwards
        except Unreadable as error:
            done.keep(current, error.code, error.what)
    # Without versioning the one just replaced is gone; elsewhere the next attempt sees whether one is left.
    older = [v for v in dirty if v.version_id not in done.kept | {"null"} or not v.is_latest]
    _purge(store, shared, older, done, has_current=has_current)
    return False


def _purge(
    store: ObjectStore, shared: Shared, versions: list[ObjectVersion], done: Settled, *, has_current: bool
) -> None:
    """Delete versions that hold rows; those that a lock keeps are exceptions. The next attempt looks again.

    Markers of an object that was deleted go with its last version.
    """
    for start in range(0, len(versions), _BATCH):
        batch = versions[start : start + _BATCH]
        errors = store.delete_batch(shared.bucket, batch)
        done.purged += len(batch) - len(errors)
        named = {error.version_id for error in errors}
        for version in batch if None in named else [v for v in batch if v.version_id in named]:
            try:
                lock = store.lock_of(shared.bucket, version.key, version.version_id)
            except ObjectMissing:
                continue
            if lock is not None:
                reason = "LEGAL_HOLD" if lock.legal_hold else "LOCKED"
                done.keep(version, reason, until=None if lock.legal_hold else lock.until)
    if versions and not has_current:
        left = list(islice(store.versions(shared.bucket, versions[0].key, exact=True), _BATCH))
        if left and all(version.is_marker for version in left):
            store.delete_batch(shared.bucket, left)


def _rewrite(
    store: ObjectStore, shared: Shared, version: ObjectVersion, lookup: Lookup, now: datetime, done: Settled
) -> ObjectVersion:
    """Put the current version anew without the rows; returns the new one.

    Raises ObjectChanged, Unreadable; then nothing was replaced.
    """
    facts = store.facts_of(shared.bucket, version.key, version.version_id)
    if facts.etag != version.etag:
        raise ObjectChanged("the object was written meanwhile", where=f"bucket {shared.bucket}")
    with tempfile.SpooledTemporaryFile(find.IN_MEMORY) as spool:
        out = cast("IO[bytes]", spool)
        with store.reading(shared.bucket, version) as body:
            read = _strip(body, out, shared, lookup)
        _require_right(out, read, shared, lookup)
        digest, size = _digest(out)
        out.seek(0)
        new = store.replace(shared.bucket, version.key, out, size, facts, now=now)
    with store.reading(shared.bucket, new) as body:
        stored, _ = _digest(body)
    if stored != digest:
        if new.version_id != "null":
            store.delete_batch(shared.bucket, [new])
        raise ObjectChanged("what was read back is not what was written", where=f"bucket {shared.bucket}")
    done.rows += read.hits
    done.rewritten += 1
    return new


def _strip(body: IO[bytes], out: IO[bytes], shared: Shared, lookup: Lookup) -> Read:
    if shared.spec.format == "parquet":
        with find.spooled(body) as source:
            return parquet.strip(source, out, shared.spec, lookup)
    return lines.strip(body, out, shared.spec, lookup)


def _require_right(out: IO[bytes], read: Read, shared: Shared, lookup: Lookup) -> None:
    """What is about to be written, read from the start: nobody planned, every other row, the same bytes."""
    out.seek(0)
    counted = (parquet if shared.spec.format == "parquet" else lines).count(out, shared.spec, lookup)
    if counted.hits or counted.rows != read.rows - read.hits or counted.rest_sha256 != read.rest_sha256:
        raise Unreadable("NOT_REPRODUCIBLE", "written anew, it would not be what it was without these rows")


def _digest(stream: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    if stream.seekable():
        stream.seek(0)
    while data := stream.read(2**20):
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size
