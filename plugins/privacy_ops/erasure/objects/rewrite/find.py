"""Finds rows of planned subjects in shared objects: lists declared stores and reads every version, changing nothing."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import IO, cast

from privacy_ops.datamap.model import DataMap, ObjectStoreEntry, SharedRows
from privacy_ops.erasure.objects.batch import code_of
from privacy_ops.erasure.objects.rewrite import lines, parquet
from privacy_ops.erasure.objects.rewrite.identify import Lookup
from privacy_ops.erasure.objects.rewrite.lines import Read, Unreadable
from privacy_ops.errors import StoreRefused
from privacy_ops.stores.objects import ObjectMissing, ObjectStore, ObjectVersion

THREADS = 4
IN_MEMORY = 32 * 2**20  # larger objects that must be sought in lie in an unnamed temporary file
_AT_ONCE = 64


@dataclass(frozen=True)
class Shared:
    """One declared store of shared objects, in one bucket: its own, or one that repeats it."""

    key: str
    bucket: str
    prefix: str
    spec: SharedRows


@dataclass(frozen=True)
class Finding:
    """A version that holds rows of planned subjects, or could not be read (``code`` and ``what`` say why).

    ``version`` is None when the bucket could not be listed.
    """

    shared: Shared
    version: ObjectVersion | None
    rows: int = 0
    found: Counter[Hashable] = field(default_factory=Counter)
    code: str = ""
    what: str = ""


def declared(data_map: DataMap, copies: Callable[[str, ObjectStoreEntry], Collection[str]]) -> Iterator[Shared]:
    """Stores of shared objects, each also in the buckets that ``copies`` names for it."""
    for key, entry in data_map.objects.items():
        if entry.rows is not None:
            for bucket in (entry.bucket, *copies(entry.bucket, entry)):
                yield Shared(key, bucket, entry.prefix, entry.rows)


def find(
    store: ObjectStore,
    stores: Collection[Shared],
    lookup: Lookup,
    *,
    since: datetime | None = None,
    known: Collection[tuple[str, str, str, str]] = (),
) -> Iterator[Finding]:
    """Versions with rows of planned subjects, and what could not be read.

    ``since`` leaves out what was written earlier, ``known`` versions (bucket, key, version id, ETag). Raises
    StoreUnavailable: a store that is away has not been looked at.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        for shared in stores:
            versions = iter(_versions(store, shared, since, known))
            try:
                while chunk := list(islice(versions, _AT_ONCE)):
                    yield from filter(None, pool.map(lambda v, s=shared: _look(store, s, v, lookup), chunk))
            except ObjectMissing:
                raise
            except StoreRefused as error:
                yield Finding(shared, None, code=code_of(error), what="the bucket cannot be listed")


def _versions(
    store: ObjectStore, shared: Shared, since: datetime | None, known: Collection[tuple[str, str, str, str]]
) -> Iterator[ObjectVersion]:
    for version in store.versions(shared.bucket, shared.prefix):
        if version.is_marker or not fnmatchcase(version.key, shared.spec.pattern):
            continue
        if since is not None and version.modified is not None and version.modified < since:
            continue
        if (shared.bucket, version.key, version.version_id, version.etag) not in known:
            yield version


def _look(store: ObjectStore, shared: Shared, version: ObjectVersion, lookup: Lookup) -> Finding | None:
    try:
        read = count(store, shared, version, lookup)
    except ObjectMissing:
        return None
    except Unreadable as error:
        return Finding(shared, version, code=error.code, what=error.what)
    except StoreRefused as error:
        return Finding(shared, version, code=code_of(error), what="the object store refused to give it")
    return Finding(shared, version, read.rows, read.found) if read.hits else None


def count(store: ObjectStore, shared: Shared, version: ObjectVersion, lookup: Lookup) -> Read:
    """What one version holds. Raises Unreadable, ObjectMissing, StoreRefused, StoreUnavailable."""
    with store.reading(shared.bucket, version) as body:
        if shared.spec.format == "parquet":
            with spooled(body) as file:
                return parquet.count(file, shared.spec, lookup)
        return lines.count(body, shared.spec, lookup)


def spooled(body: IO[bytes]) -> IO[bytes]:
    """The body where one can seek in it: in memory, or in a file without a name that goes with its handle."""
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the caller closes it
    while data := body.read(2**20):
        file.write(data)
    file.seek(0)
    return cast("IO[bytes]", file)
