"""Erasing object versions our way beside a bare boto3 loop, on the same endpoint, the same number of versions each.

The bare loop lists each key, keeps what is exactly it, and deletes in batches of 1000. Ours lists, deletes, looks up
locks, counts, and lists again to prove that nothing is left.

python -m bench.objects
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from privacy_ops.erasure.objects.batch import THREADS, Eraser, Target
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.objects import ObjectStore

from sandbox.publisher.objects import client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "bench-versions"
KEYS, VERSIONS, FOLDER = 100, 10, 1000
REPEATS = 3
CHUNK = 64


@dataclass(frozen=True)
class Seconds:
    """Fastest of ``REPEATS`` per thousand versions: many keys of a few versions, and one folder of many."""

    ours_keys: float
    bare_keys: float
    ours_folder: float
    bare_folder: float

    @property
    def ratio(self) -> float:
        """Both kinds together."""
        return (self.ours_keys + self.ours_folder) / (self.bare_keys + self.bare_folder)


def measure(settings: ObjectSettings) -> Seconds:
    """Fill, erase and time, side by side. Ends with an error when anything is left or a neighbour went."""
    s3 = client(settings, connections=THREADS)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    keys = [f"photos/{n:05d}/picture.jpg" for n in range(KEYS)]
    neighbours = [f"{key}.bak" for key in keys]
    _fill(s3, neighbours, 1)
    store = ObjectStore(settings)
    times: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        for name, erase in (("ours", lambda t: _ours(store, t)), ("bare", lambda t: _bare(s3, t))):
            _fill(s3, keys, VERSIONS)
            times.setdefault(f"{name}_keys", []).append(_timed(erase, [Target(BUCKET, key, False) for key in keys]))
            _fill(s3, [f"events/{n}" for n in range(FOLDER)], 1)
            times.setdefault(f"{name}_folder", []).append(_timed(erase, [Target(BUCKET, "events/", True)]))
            left = [version.key for version in store.versions(BUCKET)]
            assert sorted(left) == neighbours, "something was left, or a neighbour went"
    store.delete_versions(BUCKET, list(store.versions(BUCKET)))
    s3.delete_bucket(Bucket=BUCKET)
    scale = {"keys": KEYS * VERSIONS / 1000, "folder": FOLDER / 1000}
    return Seconds(**{name: min(taken) / scale[name.partition("_")[2]] for name, taken in times.items()})


def _fill(s3: S3Client, keys: Sequence[str], versions: int) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(versions):
            list(pool.map(lambda key: s3.put_object(Bucket=BUCKET, Key=key, Body=b"made up"), keys))


def _timed(erase: Any, targets: list[Target]) -> float:
    began = time.perf_counter()
    erase(targets)
    return time.perf_counter() - began


def _ours(store: ObjectStore, targets: list[Target]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        eraser = Eraser(store, pool)
        for start in range(0, len(targets), CHUNK):
            outcomes = eraser.erase(targets[start : start + CHUNK])
            assert all(outcome.state == "erased" for outcome in outcomes.values())


def _bare(s3: S3Client, targets: list[Target]) -> None:
    batch: list[Any] = []

    def flush() -> None:
        if batch:
            s3.delete_objects(Bucket=BUCKET, Delete={"Objects": batch, "Quiet": True})
            batch.clear()

    for target in targets:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=target.key):
            for entry in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                if target.is_prefix or entry["Key"] == target.key:
                    batch.append({"Key": entry["Key"], "VersionId": entry["VersionId"]})
                if len(batch) == 1000:
                    flush()
    flush()


def main() -> None:
    from bench import world

    with world.stores() as (_, settings):
        found = measure(settings)
    print(f"ratio {found.ratio:.2f}  {found}")


if __name__ == "__main__":
    main()
