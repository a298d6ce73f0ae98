"""Keys emptied in an object store: exactly these, every version, and honestly when something stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from privacy_ops.erasure.objects.batch import PASSES, Eraser, Outcome, Target
from privacy_ops.errors import StoreUnavailable
from privacy_ops.stores.objects import NotDeleted, ObjectStore, ObjectVersion

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
EU: Any = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-2"}}


@pytest.fixture
def store(objects: ObjectStore) -> ObjectStore:
    objects.client.create_bucket(Bucket="drawer", **EU)
    objects.client.put_bucket_versioning(Bucket="drawer", VersioningConfiguration={"Status": "Enabled"})
    objects.client.create_bucket(Bucket="plain", **EU)
    objects.client.create_bucket(Bucket="safe", ObjectLockEnabledForBucket=True, **EU)
    return objects


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def erase(store: ObjectStore, pool: ThreadPoolExecutor, *targets: Target) -> list[Outcome]:
    outcomes = Eraser(store, pool, pause=lambda _: None).erase(targets)
    return [outcomes[target] for target in targets]


def fill(store: ObjectStore, bucket: str, *keys: str, times: int = 1) -> None:
    for _ in range(times):
        for key in keys:
            store.put(bucket, key, b"x")


def left(store: ObjectStore, bucket: str) -> set[str]:
    return {version.key for version in store.versions(bucket)}


def test_a_neighbour_by_prefix_is_never_touched(store: ObjectStore, pool: ThreadPoolExecutor) -> None:
    fill(store, "drawer", "p/1", "p/10", "p/1.bak", "p/1/x", "f/1/a", "f/1/b/c", "f/10/a", "f/1", times=2)
    store.client.delete_object(Bucket="drawer", Key="p/1")
    one, folder, absent = erase(
        store, pool, Target("drawer", "p/1", False), Target("drawer", "f/1/", True), Target("drawer", "p/", False)
    )
    assert left(store, "drawer") == {"p/10", "p/1.bak", "p/1/x", "f/10/a", "f/1"}
    assert (one.state, one.versions, one.markers) == ("erased", 2, 1)
    assert (folder.state, folder.versions, folder.markers) == ("erased", 4, 0)
    assert (absent.state, absent.versions) == ("erased", 0)


def test_many_keys_are_proven_empty_by_few_listings(
    store: ObjectStore, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"p/{n}" for n in range(24)]
    fill(store, "drawer", *keys, times=2)
    fill(store, "drawer", "p/neighbour", "q/far")
    asked: Counter[str] = Counter()
    pages = ObjectStore.version_pages

    def counted(self: ObjectStore, bucket: str, prefix: str, *, exact: bool = False) -> Any:
        asked["exact" if exact else "range"] += 1
        return pages(self, bucket, prefix, exact=exact)

    monkeypatch.setattr(ObjectStore, "version_pages", counted)
    outcomes = erase(store, pool, *(Target("drawer", key, False) for key in keys))
    assert all(o.state == "erased" and o.versions == 2 for o in outcomes)
    assert asked == {"exact": 24, "range": 1}
    assert left(store, "drawer") == {"p/neighbour", "q/far"}


def test_a_key_with_many_neighbours_costs_one_listing(
    store: ObjectStore, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, "drawer", "p/1", *(f"p/1{n}" for n in range(12)), times=2)
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    listings = 0

    def count(**_: object) -> None:
        nonlocal listings
        listings += 1

    store.client.meta.events.register("before-call.s3.ListObjectVersions", count)
    (one,) = erase(store, pool, Target("drawer", "p/1", False))
    assert (one.state, one.versions, listings) == ("erased", 2, 2)


def test_unfinished_uploads_of_the_key_are_aborted_and_no_others(store: ObjectStore, pool: ThreadPoolExecutor) -> None:
    for key in ("p/1", "p/10", "f/1/a"):
        store.client.create_multipart_upload(Bucket="plain", Key=key)
    one, folder = erase(store, pool, Target("plain", "p/1", False), Target("plain", "f/1/", True))
    assert (one.uploads, folder.uploads) == (1, 1)
    assert [key for key, _ in store.multipart_uploads("plain")] == ["p/10"]


def test_a_folder_of_many_pages_is_emptied_page_by_page(
    store: ObjectStore, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")
    fill(store, "drawer", *(f"f/{n}" for n in range(8)), times=3)
    fill(store, "drawer", "g")
    largest = 0
    delete = ObjectStore.delete_batch

    def watched(self: ObjectStore, bucket: str, versions: Sequence[ObjectVersion]) -> list[NotDeleted]:
        nonlocal largest
        largest = max(largest, len(versions))
        return delete(self, bucket, versions)

    monkeypatch.setattr(ObjectStore, "delete_batch", watched)
    (folder,) = erase(store, pool, Target("drawer", "f/", True))
    assert (folder.state, folder.versions) == ("erased", 24)
    assert largest == 5
    assert left(store, "drawer") == {"g"}


def test_a_folder_of_many_pages_is_announced_whole_before_anything_goes(
    store: ObjectStore, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    fill(store, "drawer", *(f"f/{n:02}" for n in range(15)), times=2)
    store.client.delete_object(Bucket="drawer", Key="f/00")
    delete, told, batches = store.delete_batch, list[Any](), Counter[str]()

    def dies_on_the_second_page(bucket: str, versions: Sequence[ObjectVersion]) -> list[NotDeleted]:
        batches["n"] += 1
        if batches["n"] == 2:
            delete(bucket, versions[:3])
            raise KeyboardInterrupt
        return delete(bucket, versions)

    monkeypatch.setattr(store, "delete_batch", dies_on_the_second_page)
    target = Target("drawer", "f/", True)
    with pytest.raises(KeyboardInterrupt):
        Eraser(store, pool, lambda _: None, told.append).erase([target])
    outcome = Eraser(store, pool, lambda _: None, told.append).erase([target])[target]
    # Recorded is the largest number announced, and what an attempt deleted beside what it announced.
    assert [sum(numbers[target]) for numbers in told] == [31, 18]
    assert told[0] == {target: (30, 1)}
    assert (outcome.versions - outcome.told[0], outcome.markers - outcome.told[1]) == (0, 0)
    assert left(store, "drawer") == set()


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_locked_version_is_an_exception_with_its_date_until_the_lock_ends(
    store: ObjectStore, pool: ThreadPoolExecutor, mode: Any
) -> None:
    fill(store, "safe", "a", "b", times=2)
    locked = next(v for v in store.versions("safe", "a", exact=True))
    store.client.put_object_retention(
        Bucket="safe", Key="a", VersionId=locked.version_id, Retention={"Mode": mode, "RetainUntilDate": SOON}
    )
    a, b = erase(store, pool, Target("safe", "a", False), Target("safe", "b", False))
    assert (a.state, a.reason, a.locked_until, a.versions) == ("exception", "LOCKED", SOON, 1)
    assert (b.state, b.versions) == ("erased", 2)
    assert [v.version_id for v in store.versions("safe")] == [locked.version_id]
    store.client.put_object_retention(
        Bucket="safe", Key="a", VersionId=locked.version_id,
        Retention={"Mode": mode, "RetainUntilDate": SOON - timedelta(days=9)},
    )  # fmt: skip
    (a,) = erase(store, pool, Target("safe", "a", False))
    assert (a.state, a.versions, left(store, "safe")) == ("erased", 1, set())


def test_a_legal_hold_is_an_exception_without_a_date(store: ObjectStore, pool: ThreadPoolExecutor) -> None:
    fill(store, "safe", "a")
    store.client.put_object_legal_hold(Bucket="safe", Key="a", LegalHold={"Status": "ON"})
    (a,) = erase(store, pool, Target("safe", "a", False))
    assert (a.state, a.reason, a.locked_until) == ("exception", "LEGAL_HOLD", None)
    store.client.put_object_legal_hold(Bucket="safe", Key="a", LegalHold={"Status": "OFF"})
    assert erase(store, pool, Target("safe", "a", False))[0].state == "erased"


@pytest.mark.parametrize(
    ("code", "with_version", "times", "state"),
    [
        ("InternalError", True, 2, "erased"),
        ("SlowDown", False, 1, "erased"),
        ("InternalError", True, 10**6, "failed"),
        ("AccessDenied", True, 10**6, "failed"),
        ("AccessDenied", False, 10**6, "failed"),
    ],
)
def test_errors_of_single_keys_are_tried_again_a_few_times_and_hold_up_no_other(
    store: ObjectStore,
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    with_version: bool,
    times: int,
    state: str,
) -> None:
    fill(store, "drawer", "a", "b", times=3)
    delete, calls = ObjectStore.delete_batch, 0

    def faulty(self: ObjectStore, bucket: str, versions: Sequence[ObjectVersion]) -> list[NotDeleted]:
        nonlocal calls
        calls += 1
        wrong = [v for v in versions if v.key == "a"] if calls <= times else []
        if right := [v for v in versions if v not in wrong]:
            delete(self, bucket, right)
        return [NotDeleted(v.key, v.version_id if with_version else None, code) for v in wrong]

    monkeypatch.setattr(ObjectStore, "delete_batch", faulty)
    a, b = erase(store, pool, Target("drawer", "a", False), Target("drawer", "b", False))
    assert (b.state, b.versions) == ("erased", 3)
    assert a.state == state
    assert calls <= PASSES
    # What is said to have gone is gone, and what is there is not said to have gone.
    assert a.versions == 3 - len(list(store.versions("drawer", "a", exact=True)))
    if state == "failed":
        assert (a.versions, a.reason) == (0, code)


def test_a_store_that_is_away_fails_soon_and_says_so(
    store: ObjectStore, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, "drawer", "a")
    calls = 0

    def away(*_: object) -> list[NotDeleted]:
        nonlocal calls
        calls += 1
        raise StoreUnavailable("away")

    monkeypatch.setattr(ObjectStore, "delete_batch", away)
    (a,) = erase(store, pool, Target("drawer", "a", False))
    assert (a.state, a.reason, a.versions, calls) == ("failed", "UNAVAILABLE", 0, 1)


def test_a_writer_that_does_not_stop_is_followed_a_few_times_and_reported(
    store: ObjectStore, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, "drawer", "a", "b")
    delete = ObjectStore.delete_batch

    def and_again(self: ObjectStore, bucket: str, versions: Sequence[ObjectVersion]) -> list[NotDeleted]:
        answer = delete(self, bucket, versions)
        if any(v.key == "a" for v in versions):
            store.put(bucket, "a", b"once more")
        return answer

    monkeypatch.setattr(ObjectStore, "delete_batch", and_again)
    a, b = erase(store, pool, Target("drawer", "a", False), Target("drawer", "b", False))
    assert (a.state, a.reason, a.versions) == ("failed", "CAME_BACK", PASSES)
    assert b.state == "erased"
