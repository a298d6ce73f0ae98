"""Empties object keys: every version, delete marker and unfinished upload, in batches, by exact key.

One pass lists what is there and deletes it; the next pass lists again. A key is proven empty by a listing, never by
the answer to a deletion. What a lock keeps is looked up and becomes an exception with its date; what another attempt
may get past is tried again a bounded number of times; whatever happens to one key, the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from threading import Lock
from typing import Literal

from privacy_ops.errors import StoreRefused, StoreUnavailable
from privacy_ops.stores.objects import TRANSIENT_CODES, ObjectMissing, ObjectRefused, ObjectStore, ObjectVersion
from privacy_ops.stores.objects import Lock as VersionLock

PASSES = 5
THREADS = 8
_BATCH = 1000
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0  # seconds; four times as long each time

State = Literal["open", "erased", "exception", "failed"]


@dataclass(frozen=True)
class Target:
    """One key, or with ``is_prefix`` everything below it."""

    bucket: str
    key: str
    is_prefix: bool

    def holds(self, key: str) -> bool:
        return key.startswith(self.key) if self.is_prefix else key == self.key


Announce = Callable[[Mapping[Target, tuple[int, int]]], None]


@dataclass
class Outcome:
    """What became of one target. ``reason`` is a code: LOCKED, LEGAL_HOLD, CAME_BACK, UNAVAILABLE, or S3's.

    ``told``: the versions and markers that were announced before anything was deleted.
    """

    state: State = "open"
    versions: int = 0
    markers: int = 0
    uploads: int = 0
    told: tuple[int, int] = (0, 0)
    reason: str = ""
    locked_until: datetime | None = None
    _pass: _Pass = field(default_factory=lambda: _Pass(), repr=False)


@dataclass
class _Pass:
    """What one listing of a target showed, and what became of it."""

    listed: int = 0
    locked: int = 0
    refused: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    until: datetime | None = None
    legal_hold: bool = False


class Eraser:
    """Empties targets of one store. ``pause`` sleeps so many seconds between attempts (tests pass their own).

    ``announce`` is told, before the first deletion, of how many versions and markers targets hold: who writes that down
    knows them after a kill too. It may be called by several threads at once.
    """

    def __init__(
        self,
        store: ObjectStore,
        pool: ThreadPoolExecutor,
        pause: Callable[[float], None] = time.sleep,
        announce: Announce = lambda _: None,
    ):
        self._store, self._pool, self._pause, self._announce = store, pool, pause, announce
        self._uploads: dict[str, list[tuple[str, str]]] = {}
        self._crowded: set[str] = set()  # buckets with too many neighbours for one listing over many targets
        self._counting = Lock()  # versions of one target may go in two batches at once

    def erase(self, targets: Sequence[Target]) -> dict[Target, Outcome]:
        """What became of each target; memory is bounded by 1000 versions per target."""
        outcomes = {target: Outcome() for target in targets}
        for number in range(PASSES):
            open_ = {t: o for t, o in outcomes.items() if o.state == "open"}
            if not open_:
                break
            if number and any(o._pass.again for o in open_.values()):
                self._pause(min(FIRST_PAUSE * 4 ** (number - 1), LONGEST_PAUSE))
            self._one_pass(open_, first=number == 0, last=number == PASSES - 1)
            if all("UNAVAILABLE" in o._pass.again for o in open_.values()):
                # The client has tried each call several times: the store is away, and the task comes again.
                for outcome in open_.values():
                    outcome.state, outcome.reason = "failed", "UNAVAILABLE"
        return outcomes

    def _one_pass(self, outcomes: dict[Target, Outcome], *, first: bool, last: bool) -> None:
        before = {target: outcome._pass for target, outcome in outcomes.items()}
        for outcome in outcomes.values():
            outcome._pass = _Pass()
        proving = all(p.listed for p in before.values())  # deleted just now: mostly nothing is left
        empty = self._proven_empty(outcomes) if proving else set()
        small: dict[str, list[tuple[Target, ObjectVersion]]] = {}
        for target, few in self._pool.map(
            lambda t: (t, self._list(t, outcomes[t], first=first)), [t for t in outcomes if t not in empty]
        ):
            small.setdefault(target.bucket, []).extend((target, version) for version in few)
            if first and few:
                outcomes[target].told = _numbers([few])
        if first and (told := {target: outcomes[target].told for found in small.values() for target, _ in found}):
            self._announce(told)
        batches = [
            (bucket, found[n : n + _BATCH]) for bucket, found in small.items() for n in range(0, len(found), _BATCH)
        ]
        list(self._pool.map(lambda b: self._delete(b[0], b[1], outcomes), batches))
        for target, outcome in outcomes.items():
            self._conclude(target, outcome, before[target], last=last)

    def _list(self, target: Target, outcome: Outcome, *, first: bool) -> list[ObjectVersion]:
        """Up to 1000 versions of a small target. A larger one is counted, and emptied page by page at once."""
        seen = outcome._pass
        try:
            pages: Iterator[list[ObjectVersion]] = self._pages(target)
            few = next(pages, [])
            second = next(pages, None)
            if second is None:
                seen.listed += len(few)
                return few
            if first:  # whole, before anything goes: of a page that a kill interrupts nobody knows how much went
                outcome.told = _numbers(chain([few, second], pages))
                self._announce({target: outcome.told})
                pages = self._pages(target)
            else:
                pages = chain([few, second], pages)
            page = next(pages, None)
            while page is not None:
                following = next(pages, None)  # fetched before this page goes
                seen.listed += len(page)
                if page:
                    self._delete(target.bucket, [(target, v) for v in page], {target: outcome})
                page = following
        except StoreUnavailable:
            seen.again.add("UNAVAILABLE")
        except StoreRefused as error:
            seen.refused.add(code_of(error))
        return []

    def _pages(self, target: Target) -> Iterator[list[ObjectVersion]]:
        return self._store.version_pages(target.bucket, target.key, exact=not target.is_prefix)

    def _delete(
        self, bucket: str, found: Sequence[tuple[Target, ObjectVersion]], outcomes: dict[Target, Outcome]
    ) -> None:
        """One call; then each version that was not deleted is looked at, and each that was is counted."""
        try:
            errors = self._store.delete_batch(bucket, [version for _, version in found])
        except StoreUnavailable:
            for target, _ in found:
                outcomes[target]._pass.again.add("UNAVAILABLE")
            return
        except StoreRefused as error:
            for target, _ in found:
                outcomes[target]._pass.refused.add(code_of(error))
            return
        codes = {(e.key, e.version_id): e.code for e in errors}
        for target, version in found:
            code = codes.get((version.key, version.version_id)) or codes.get((version.key, None))
            left = None if code is None else self._why_left(bucket, version, code)
            with self._counting:
                _count(outcomes[target], version, left)

    def _why_left(self, bucket: str, version: ObjectVersion, code: str) -> VersionLock | str | None:
        """Why a version that was called not deleted is still there: its lock, or a code. None: it is gone after all."""
        if code in TRANSIENT_CODES or version.is_marker:
            return code
        try:
            return self._store.lock_of(bucket, version.key, version.version_id) or code
        except ObjectMissing:
            return None
        except (StoreUnavailable, StoreRefused):
            return code

    def _conclude(self, target: Target, outcome: Outcome, before: _Pass, *, last: bool) -> None:
        seen = outcome._pass
        troubled = seen.refused or seen.again
        if not seen.listed and not troubled:
            outcome.state = "erased"
        elif seen.listed and seen.listed == seen.locked == before.locked:
            outcome.state = "exception"
            outcome.reason = "LEGAL_HOLD" if seen.legal_hold else "LOCKED"
            outcome.locked_until = None if seen.legal_hold else seen.until
        elif seen.refused and not seen.again and before.refused:
            outcome.state, outcome.reason = "failed", min(seen.refused)
        elif last:
            outcome.state = "failed"
            outcome.reason = min(seen.again | seen.refused, default="CAME_BACK")
        if outcome.state in {"erased", "exception"}:
            try:
                outcome.uploads += self._abort_uploads(target)
            except StoreUnavailable:
                outcome.state, outcome.reason = ("failed" if last else "open"), "UNAVAILABLE"
                seen.again.add("UNAVAILABLE")
            except StoreRefused as error:
                outcome.state, outcome.reason = "failed", code_of(error)

    def _abort_uploads(self, target: Target) -> int:
        """Unfinished uploads of the target; a bucket's are listed once."""
        if target.bucket not in self._uploads:
            self._uploads[target.bucket] = self._store.multipart_uploads(target.bucket)
        mine = [u for u in self._uploads[target.bucket] if target.holds(u[0])]
        aborted = 0
        for key, upload_id in mine:
            try:
                self._store.abort_upload(target.bucket, key, upload_id)
                aborted += 1
            except ObjectMissing:
                continue
        return aborted

    def _proven_empty(self, targets: Iterable[Target]) -> set[Target]:
        """Targets of which one listing over all of them shows nothing: far fewer calls than one listing each.

        Left to single listings when their neighbours are too many.
        """
        proven: set[Target] = set()
        by_bucket: dict[str, list[Target]] = {}
        for target in targets:
            by_bucket.setdefault(target.bucket, []).append(target)
        for bucket, mine in by_bucket.items():
            budget = len(mine) // 4
            if budget == 0 or bucket in self._crowded:
                continue
            left = dict.fromkeys(mine)
            exact = {t.key: t for t in mine if not t.is_prefix}
            folders = [t for t in mine if t.is_prefix]
            try:
                pages = self._store.version_pages(bucket, _common_prefix([t.key for t in mine]))
                for number, page in enumerate(pages):
                    if number >= budget:
                        self._crowded.add(bucket)
                        break
                    for version in page:
                        if version.key in exact:
                            left.pop(exact[version.key], None)
                        for folder in folders:
                            if version.key.startswith(folder.key):
                                left.pop(folder, None)
                else:
                    proven |= set(left)
            except (StoreUnavailable, StoreRefused):
                continue
        return proven


def _count(outcome: Outcome, version: ObjectVersion, left: VersionLock | str | None) -> None:
    seen = outcome._pass
    if isinstance(left, VersionLock):
        seen.locked += 1
        seen.legal_hold |= left.legal_hold
        if left.until is not None:
            seen.until = max(left.until, seen.until or left.until)
    elif left in TRANSIENT_CODES:
        seen.again.add(left)
    elif left is not None:
        seen.refused.add(left)
    elif version.is_marker:
        outcome.markers += 1
    else:
        outcome.versions += 1


def _numbers(pages: Iterable[Sequence[ObjectVersion]]) -> tuple[int, int]:
    """How many versions and how many markers there are in all."""
    versions = markers = 0
    for page in pages:
        here = sum(version.is_marker for version in page)
        versions, markers = versions + len(page) - here, markers + here
    return versions, markers


def _common_prefix(keys: Sequence[str]) -> str:
    first, last = min(keys), max(keys)
    return first[: next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def code_of(error: StoreRefused) -> str:
    """The code of a refusal, for records."""
    return error.code if isinstance(error, ObjectRefused) else "REFUSED"
