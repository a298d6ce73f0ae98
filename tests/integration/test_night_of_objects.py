"""A whole night with shared objects, copies and locks: planned, judged, erased, proven and said in the certificate."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops import ledger
from privacy_ops.erasure import execute, verify
from privacy_ops.erasure import objects as object_erasure
from privacy_ops.errors import GateBlocked, StoreRefused
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.workspace import Workspace

from tests.integration import crash, nights
from tests.integration.press import ADULT, MINOR, NOW, Press

HEAD = b"email,n\n"
LIST, BATCH = "lists/week.csv", "batches/day.gz"


def line(person: UUID) -> bytes:
    return json.dumps({"user": {"id": str(person)}, "did": "read"}).encode() + b"\n"


@pytest.fixture
def children(press: Press) -> list[UUID]:
    return [press.person(born=MINOR, email=f"child{n}@example.org", photo_key=f"photos/{n}") for n in range(2)]


@pytest.fixture
def adult(press: Press) -> UUID:
    return press.person(born=ADULT, email="adult@example.org")


@pytest.fixture
def planted(objects: ObjectStore, children: list[UUID], adult: UUID) -> ObjectStore:
    """Both children and an adult in a versioned list and in an unversioned batch; photos of the children."""
    objects.put("press-attachments", LIST, HEAD + b"CHILD0@example.org,1\n")
    objects.put("press-attachments", LIST, HEAD + b"child0@example.org,1\nadult@example.org,2\nchild1@example.org,3\n")
    objects.put("press-events", BATCH, gzip.compress(b"".join(map(line, (*children, adult)))))
    locking: Any = {"ObjectLockEnabled": "Enabled"}
    objects.client.put_object_lock_configuration(Bucket="press-photos", ObjectLockConfiguration=locking)
    for n in range(2):
        objects.put("press-photos", f"photos/{n}", b"x")
    return objects


def certificates(press: Press) -> list[Any]:
    store = press.workspace.objects()
    keys = [k for k in store.keys("press-evidence", "certificates/") if k.endswith(".json")]
    return [json.loads(store.get("press-evidence", key))["body"] for key in keys]


def listed(store: ObjectStore, bucket: str, key: str) -> list[bytes]:
    return [store.get(bucket, key, version_id=v.version_id) for v in store.versions(bucket, key, exact=True)]


def test_rows_in_shared_objects_are_planned_and_go_with_the_rest(
    press: Press, planted: ObjectStore, adult: UUID
) -> None:
    facts = nights.whole(press.workspace, press.open_run())
    assert facts["plan"]["shared_objects"] == 3  # two versions of the list, one batch
    assert facts["plan"]["shared_rows"] == 5
    assert facts["objects"]["shared_rows"] == 4  # taken out; the older version went whole
    assert listed(planted, "press-attachments", LIST) == [HEAD + b"adult@example.org,2\n"]
    assert gzip.decompress(planted.get("press-events", BATCH)) == line(adult)
    assert list(planted.versions("press-photos")) == []
    assets = {a["asset"]: a for body in certificates(press) for a in body["assets"] if a["method"] == "OBJECT_ROWS"}
    assert set(assets) == {"s3://press-attachments", "s3://press-events"}
    assert all(a["planned"] == a["done"] for a in assets.values())
    assert press.scalar("SELECT count(*) FROM gov.erasure_rewrite_case") == 0
    assert ledger.check(press.workspace).sound


def test_rows_that_came_after_the_plan_go_by_the_same_identifiers(
    press: Press, planted: ObjectStore, adult: UUID
) -> None:
    run = press.open_run()
    nights.prepare(press.workspace, run)
    planted.put("press-attachments", "lists/late.csv", HEAD + b"child0@example.org,9\nadult@example.org,8\n")
    nights.finish(press.workspace, run)
    assert listed(planted, "press-attachments", "lists/late.csv") == [HEAD + b"adult@example.org,8\n"]
    assert press.execute("SELECT late, state FROM gov.erasure_rewrite WHERE object_key = 'lists/late.csv'") == [
        (True, "done")
    ]


def test_rows_that_come_after_the_erasure_stop_the_certificate_until_they_are_gone_too(
    press: Press, planted: ObjectStore
) -> None:
    run = press.open_run()
    nights.prepare(press.workspace, run)
    execute.erase_database(press.workspace, run, now=NOW)
    object_erasure.erase_objects(press.workspace, run, now=NOW)
    planted.put("press-attachments", "lists/late.csv", HEAD + b"child0@example.org,9\n")
    planted.put("press-photos", "photos/0", b"late")
    with pytest.raises(GateBlocked, match="G-28-OBJECTS"):
        verify.verify(press.workspace, run, now=NOW)
    object_erasure.erase_objects(press.workspace, run, now=NOW)
    verify.verify(press.workspace, run, now=NOW)
    assert listed(planted, "press-attachments", "lists/late.csv") == [HEAD]


def test_a_shared_object_that_nobody_can_read_is_an_exception_and_named(press: Press, planted: ObjectStore) -> None:
    planted.put("press-events", "batches/broken.gz", gzip.compress(b'{"user": {"id": null}}\n' * 999)[:-9])
    facts = nights.whole(press.workspace, press.open_run())
    assert facts["plan"]["unreadable_objects"] == 1
    assert press.execute("SELECT state, reason, what FROM gov.erasure_rewrite WHERE state = 'exception'") == [
        ("exception", "BROKEN_GZIP", "its gzip stream is broken or cut short; put it anew")
    ]
    for body in certificates(press):
        assert [(e["asset"], e["reason"], e["until"]) for e in body["exceptions"]] == [
            ("s3://press-events", "BROKEN_GZIP", None)
        ]


def test_a_locked_photo_is_an_exception_in_the_certificate_and_goes_when_its_lock_ends(
    press: Press, planted: ObjectStore
) -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    client = planted.client
    client.put_object_retention(
        Bucket="press-photos", Key="photos/0", Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}
    )
    facts = nights.whole(press.workspace, press.open_run())
    assert facts["objects"]["exceptions"] == 1
    assert [v.key for v in planted.versions("press-photos")] == ["photos/0"]
    said = [e for body in certificates(press) for e in body["exceptions"]]
    assert said == [{"asset": "s3://press-photos", "reason": "LOCKED", "until": until.isoformat(), "objects": 1}]
    # The key is kept for that, and nothing else of the plan.
    assert press.execute("SELECT object_key, state FROM gov.erasure_object") == [("photos/0", "exception")]

    tomorrow = NOW + timedelta(days=1)
    assert nights.whole(press.workspace, press.open_run("second", at=tomorrow), tomorrow)["objects"]["keys"] == 0
    assert [v.key for v in planted.versions("press-photos")] == ["photos/0"]

    client.put_object_retention(
        Bucket="press-photos", Key="photos/0",
        Retention={"Mode": "COMPLIANCE", "RetainUntilDate": NOW - timedelta(days=1)},
    )  # fmt: skip
    later = until + timedelta(days=1)
    facts = nights.whole(press.workspace, press.open_run("later", at=later), later)
    assert facts["objects"]["ended_exceptions"] == 1
    assert list(planted.versions("press-photos")) == []
    assert press.scalar("SELECT count(*) FROM gov.erasure_object") == 0
    ended = list(press.execute("SELECT payload FROM gov.erasure_ledger WHERE kind = 'erased'"))
    assert sum("ended_exception" in str(e) for e in ended) == 1
    assert ledger.check(press.workspace).sound


def with_replicas(press: Press, store: ObjectStore) -> Workspace:
    """photos are replicated by a rule to a copy, lists by the map to another."""
    region: Any = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-2"}}
    for bucket in ("press-photos-copy", "press-lists-copy"):
        store.client.create_bucket(Bucket=bucket, **region)
        store.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule: Any = {
        "ID": "copy", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::press-photos-copy"},
    }  # fmt: skip
    store.client.put_bucket_replication(
        Bucket="press-photos", ReplicationConfiguration={"Role": "arn:aws:iam::123456789012:role/r", "Rules": [rule]}
    )
    data = press.workspace.data_map.model_dump()
    data["objects"]["lists"]["replicas"] = ["press-lists-copy"]
    return press.with_map(type(press.workspace.data_map).model_validate(data))


def test_copies_of_objects_and_of_shared_objects_are_erased_like_the_originals(
    press: Press, planted: ObjectStore, adult: UUID
) -> None:
    workspace = with_replicas(press, planted)
    for _ in range(2):
        planted.put("press-photos-copy", "photos/0", b"x")
        planted.put("press-photos-copy", "photos/01", b"another's")
    planted.put("press-lists-copy", LIST, HEAD + b"child1@example.org,3\nadult@example.org,2\n")
    planted.put("press-lists-copy", "other/week.csv", HEAD + b"child1@example.org,3\n")
    facts = nights.whole(workspace, press.open_run())
    assert facts["plan"]["copied_objects"] == 2
    assert {v.key for v in planted.versions("press-photos-copy")} == {"photos/01"}
    assert listed(planted, "press-lists-copy", LIST) == [HEAD + b"adult@example.org,2\n"]
    assert len(listed(planted, "press-lists-copy", "other/week.csv")) == 1  # outside the declared prefix
    assert press.scalar("SELECT count(*) FROM gov.erasure_residual WHERE asset = 's3://press-photos-copy'") == 1


def test_a_copy_that_holds_what_the_original_no_longer_has_stops_the_certificate(
    press: Press, planted: ObjectStore
) -> None:
    workspace = with_replicas(press, planted)
    run = press.open_run()
    nights.prepare(workspace, run)
    execute.erase_database(workspace, run, now=NOW)
    object_erasure.erase_objects(workspace, run, now=NOW)
    planted.put("press-photos-copy", "photos/0", b"replicated late")
    with pytest.raises(GateBlocked, match="G-28-OBJECTS"):
        verify.verify(workspace, run, now=NOW)


def test_a_bucket_that_refuses_is_raised_and_holds_up_nothing_else(
    press: Press, planted: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = press.open_run()
    nights.prepare(press.workspace, run)
    execute.erase_database(press.workspace, run, now=NOW)

    def refused(*_: object, **__: object) -> str:
        raise StoreRefused("the object store refused (AccessDenied)", where="bucket press-attachments")

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "replace", refused)
        with pytest.raises(StoreRefused, match="2 objects could not be erased: 1 × AccessDenied in press-attachments"):
            object_erasure.erase_objects(press.workspace, run, now=NOW)
    assert list(planted.versions("press-photos")) == []
    assert press.execute("SELECT DISTINCT state FROM gov.erasure_plan WHERE state <> 'void'") == [("database_erased",)]
    nights.finish(press.workspace, run)
    assert press.execute("SELECT DISTINCT state FROM gov.minor_case") == [("CLOSED",)]


@pytest.mark.parametrize("moment", ["sent PUT/1", "send PUT/2", "sent POST/2", "commit/2"])
def test_a_kill_while_shared_objects_are_written_is_survived(
    press: Press, planted: ObjectStore, adult: UUID, moment: str
) -> None:
    run = press.open_run()
    ended = crash.night(press.workspace.settings, run, NOW, kill_at={f"erase_objects/{moment}"})
    assert ended.killed
    assert not press.scalar("SELECT count(*) FROM gov.certificate")
    ended = crash.night(press.workspace.settings, run, NOW, begin="erase_objects")
    assert not ended.killed
    assert listed(planted, "press-attachments", LIST) == [HEAD + b"adult@example.org,2\n"]
    assert gzip.decompress(planted.get("press-events", BATCH)) == line(adult)
    assert press.scalar("SELECT count(*) FROM gov.certificate") == 2
    assert ledger.check(press.workspace).sound


def test_looking_again_finds_rows_by_listing_and_by_content(press: Press, planted: ObjectStore) -> None:
    def knows(kind: str, values: tuple[str, ...]) -> str | None:
        return "somebody" if kind == "email" and values == ("child1@example.org",) else None

    found = dict(object_erasure.residual_rows(press.workspace, knows))
    assert found == {"s3://press-attachments/lists/ rows": 1, "s3://press-events/batches/ rows": 0}
