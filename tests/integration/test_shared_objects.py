"""A person's rows inside objects that many share: written anew beside other writers, with nothing lost."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from privacy_ops.datamap.model import SharedRows
from privacy_ops.erasure.objects.rewrite import find
from privacy_ops.erasure.objects.rewrite.find import Shared
from privacy_ops.erasure.objects.rewrite.forget import ATTEMPTS, Settled, settle
from privacy_ops.erasure.objects.rewrite.identify import Known
from privacy_ops.errors import StoreUnavailable
from privacy_ops.stores import objects as stores
from privacy_ops.stores.objects import ObjectStore

from tests.integration import faulty

NOW = datetime.now(UTC)
KNOWN = Known([("email", ("kim@example.org",), "kim"), ("email", ("sam@example.org",), "sam")])
HEAD, KIM, SAM, ANN = b"n,email\n", b"1,Kim@example.org\n", b"2,sam@example.org\n", b'3,"ann@example.org"\n'
KEY = "lists/week.csv"


def shared(bucket: str = "versioned", **rows: Any) -> Shared:
    spec = {"format": "csv", "pattern": "*", "keys": [{"fields": ["email"], "kind": "email"}]} | rows
    return Shared("lists", bucket, "lists/", SharedRows.model_validate(spec))


@pytest.fixture
def store(objects: ObjectStore) -> ObjectStore:
    region: Any = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-2"}}
    for bucket in ("versioned", "plain"):
        objects.client.create_bucket(Bucket=bucket, **region)
    objects.client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    objects.client.create_bucket(Bucket="safe", ObjectLockEnabledForBucket=True, **region)
    return objects


def forget(store: ObjectStore, where: Shared, key: str = KEY) -> Settled:
    return settle(store, where, key, KNOWN, now=NOW, pause=lambda _: None)


def bodies(store: ObjectStore, bucket: str, key: str = KEY) -> list[bytes]:
    """Newest first."""
    return [
        store.get(bucket, key, version_id=v.version_id)
        for v in store.versions(bucket, key, exact=True)
        if not v.is_marker
    ]


@pytest.mark.parametrize("bucket", ["versioned", "plain"])
def test_the_object_is_written_anew_and_no_version_holds_the_person(store: ObjectStore, bucket: str) -> None:
    for body in (HEAD + ANN, HEAD + KIM, HEAD + KIM + ANN + SAM):
        store.put(bucket, KEY, body)
    done = forget(store, shared(bucket))
    kept = [HEAD + ANN, HEAD + ANN] if bucket == "versioned" else [HEAD + ANN]
    assert bodies(store, bucket) == kept
    assert (done.state, done.rows, done.rewritten) == ("done", 2, 1)
    assert forget(store, shared(bucket)).rewritten == 0


def test_everything_about_the_object_stays(store: ObjectStore) -> None:
    store.client.put_object(
        Bucket="versioned", Key=KEY, Body=HEAD + KIM, ContentType="text/csv", ContentEncoding="identity",
        ContentLanguage="en", ContentDisposition="attachment", CacheControl="no-store", StorageClass="STANDARD_IA",
        ServerSideEncryption="AES256", Metadata={"made-by": "a test"}, Tagging="owner=list%20office&x=1",
        GrantRead="uri=http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    )  # fmt: skip

    def facts() -> dict[str, Any]:
        head = store.client.head_object(Bucket="versioned", Key=KEY)
        names = stores._KEPT
        found: dict[str, Any] = {name: head.get(name) for name in names if head.get(name)}
        found["tags"] = store.client.get_object_tagging(Bucket="versioned", Key=KEY)["TagSet"]
        found["grants"] = store.client.get_object_acl(Bucket="versioned", Key=KEY)["Grants"]
        return found

    before = facts()
    assert len(before) >= 10
    assert forget(store, shared()).rewritten == 1
    assert bodies(store, "versioned") == [HEAD]
    assert facts() == before


class Writer:
    """Writes the object itself, the moment we are about to."""

    def __init__(self, store: ObjectStore, bucket: str, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
        self.written: list[bytes] = []
        replace = ObjectStore.replace

        def interrupted(inner: ObjectStore, *args: Any, **named: Any) -> str:
            if len(self.written) < times:
                self.written.append(HEAD + KIM + b"%d,late@example.org\n" % len(self.written))
                store.put(bucket, KEY, self.written[-1])
            return replace(inner, *args, **named)

        monkeypatch.setattr(ObjectStore, "replace", interrupted)


@pytest.mark.parametrize("bucket", ["versioned", "plain"])
def test_what_another_writes_meanwhile_is_never_lost(
    store: ObjectStore, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(bucket, KEY, HEAD + KIM + ANN)
    Writer(store, bucket, monkeypatch)
    done = forget(store, shared(bucket))
    assert bodies(store, bucket) == [HEAD + b"0,late@example.org\n"]
    assert done.state == "done"


def test_a_store_that_passes_over_the_condition_is_found_out_by_its_versions(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("versioned", KEY, HEAD + KIM + ANN)
    Writer(store, "versioned", monkeypatch)
    passed_over = 0

    def without_condition(params: dict[str, Any], **_: object) -> None:
        nonlocal passed_over
        passed_over += params["headers"].pop("If-Match", None) is not None

    store.client.meta.events.register("before-call.s3.PutObject", without_condition)
    assert forget(store, shared()).state == "done"
    assert passed_over >= 2
    assert bodies(store, "versioned") == [HEAD + b"0,late@example.org\n"]


def test_a_writer_that_does_not_stop_is_reported_and_loses_nothing(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("plain", KEY, HEAD + KIM)
    writer = Writer(store, "plain", monkeypatch, times=10**6)
    done = forget(store, shared("plain"))
    assert (done.state, done.reason, len(writer.written)) == ("failed", "WRITTEN_MEANWHILE", ATTEMPTS)
    assert bodies(store, "plain") == [writer.written[-1]]


@pytest.mark.parametrize(
    ("fault", "method", "bucket"),
    [("unanswered", "PUT", "versioned"), ("unanswered", "PUT", "plain"), ("unavailable", "GET", "plain")],
)
def test_a_request_that_fails_or_is_never_answered_changes_nothing_in_the_end(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, bucket: str, fault: Any, method: str
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    store.put(bucket, KEY, HEAD + KIM + ANN)
    with faulty.in_front_of(store._settings.endpoint_url or "") as front:
        behind = ObjectStore(dataclasses.replace(store._settings, endpoint_url=front.address))
        front.in_turn([fault, fault], when=lambda asked: asked.method == method and KEY in asked.path)
        assert forget(behind, shared(bucket)).state == "done"
        assert front.met
    assert bodies(store, bucket) == [HEAD + ANN]


def test_an_older_version_under_lock_is_an_exception_and_the_current_one_is_clean(store: ObjectStore) -> None:
    until = NOW.replace(microsecond=0) + timedelta(days=1)
    store.put("safe", KEY, HEAD + KIM)
    locked = next(store.versions("safe", KEY, exact=True))
    store.client.put_object_retention(
        Bucket="safe", Key=KEY, VersionId=locked.version_id,
        Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
    )  # fmt: skip
    store.put("safe", KEY, HEAD + KIM + ANN)
    done = forget(store, shared("safe"))
    assert (done.state, done.reason, done.locked_until) == ("exception", "LOCKED", until)
    assert done.kept == {locked.version_id}
    assert bodies(store, "safe") == [HEAD + ANN, HEAD + KIM]


def test_a_deleted_object_whose_versions_hold_the_person_is_gone_with_its_marker(store: ObjectStore) -> None:
    store.put("versioned", KEY, HEAD + KIM)
    store.client.delete_object(Bucket="versioned", Key=KEY)
    assert forget(store, shared()).state == "done"
    assert list(store.versions("versioned")) == []


def test_what_is_read_back_wrong_is_taken_back(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("versioned", KEY, HEAD + KIM + ANN)

    def spoiled(params: dict[str, Any], **_: object) -> None:
        params["Body"] = b"spoiled"

    store.client.meta.events.register("before-parameter-build.s3.PutObject", spoiled)
    done = forget(store, shared())
    assert done.state == "failed"
    assert bodies(store, "versioned") == [HEAD + KIM + ANN]


def test_a_large_object_goes_up_in_parts(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_SINGLE_PUT", 2**20)
    monkeypatch.setattr(stores, "_PART", 5 * 2**20)
    rest = (b"9" * 10**5 + b",ann@example.org\n") * 60
    store.client.put_object(Bucket="versioned", Key=KEY, Body=HEAD + KIM + rest, Metadata={"a": "b"})
    assert forget(store, shared()).state == "done"
    assert bodies(store, "versioned") == [HEAD + rest]
    assert store.client.head_object(Bucket="versioned", Key=KEY)["Metadata"] == {"a": "b"}
    assert store.multipart_uploads("versioned") == []


def test_parquet_in_a_store_keeps_everybody_else(store: ObjectStore) -> None:
    table = pa.table({"email": ["kim@example.org", "ann@example.org", None], "n": [1, 2, 3]})
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=1)
    store.put("versioned", KEY, out.getvalue())
    assert forget(store, shared(format="parquet")).rows == 1
    (body,) = bodies(store, "versioned")
    assert pq.read_table(io.BytesIO(body)).to_pylist() == table.to_pylist()[1:]


@pytest.fixture
def mixed(store: ObjectStore) -> ObjectStore:
    packed = gzip.compress(json.dumps({"email": "kim@example.org"}).encode() + b"\n")
    for key, body in (
        ("lists/a.jsonl.gz", packed),
        ("lists/b.jsonl.gz", packed[:-4]),
        ("lists/c.jsonl.gz", b""),
        ("lists/d.jsonl.gz", gzip.compress(json.dumps({"email": None}).encode())),
        ("lists/readme.txt", b"not one of them"),
        ("elsewhere/a.jsonl.gz", packed),
    ):
        store.put("versioned", key, body)
    return store


def test_finding_reads_every_version_and_sets_aside_what_it_cannot_read(mixed: ObjectStore) -> None:
    where = shared(format="jsonl", compression="gzip", pattern="*.jsonl.gz")
    found = {f.version.key if f.version else "": f for f in find.find(mixed, [where], KNOWN)}
    assert {key: f.code for key, f in found.items()} == {"lists/a.jsonl.gz": "", "lists/b.jsonl.gz": "BROKEN_GZIP"}
    assert found["lists/a.jsonl.gz"].found == Counter(kim=1)
    assert forget(mixed, where, "lists/b.jsonl.gz").reason == "BROKEN_GZIP"
    (missing,) = find.find(mixed, [shared("no-such-bucket")], KNOWN)
    assert (missing.version, missing.code) == (None, "NoSuchBucket")


def test_a_store_that_is_away_has_not_been_looked_at(mixed: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> Any:
        raise StoreUnavailable("away")

    monkeypatch.setattr(ObjectStore, "reading", away)
    with pytest.raises(StoreUnavailable):
        list(find.find(mixed, [shared(pattern="*.txt")], KNOWN))
    assert forget(mixed, shared(), "lists/readme.txt").reason == "UNAVAILABLE"
