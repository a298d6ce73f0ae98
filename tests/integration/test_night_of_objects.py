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
from privacy_ops.erasure.objects import erase as object_erasure
from privacy_ops.errors import GateBlocked, StoreRefused
from privacy_ops.stores.objects import ObjectRefused, ObjectStore
from privacy_ops.workspace import Workspace

from tests.integration import crash, nights
from tests.integration.killed import ALL
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
    locking: Any = {"ObjectLockEnabled": "Enabled"}
    for bucket in ("press-attachments", "press-photos"):
        objects.client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=locking)
    objects.put("press-attachments", LIST, HEAD + b"CHILD0@example.org,1\n")
    objects.put("press-attachments", LIST, HEAD + b"child0@example.org,1\nadult@example.org,2\nchild1@example.org,3\n")
    objects.put("press-events", BATCH, gzip.compress(b"".join(map(line, (*children, adult)))))
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
    run = press.open_run()
    planned = nights.prepare(press.workspace, run)
    assert planned["shared_objects"] == 3  # two versions of the list, one batch
    assert planned["shared_rows"] == 5
    # What comes after the plan goes by its frozen identifiers.
    planted.put("press-attachments", "lists/late.csv", HEAD + b"child0@example.org,9\nadult@example.org,8\n")
    facts = nights.finish(press.workspace, run)
    assert facts["objects"]["shared_rows"] == 5  # taken out; the older version of the list went whole
    assert listed(planted, "press-attachments", "lists/late.csv") == [HEAD + b"adult@example.org,8\n"]
    assert press.execute("SELECT late, state FROM gov.erasure_rewrite WHERE object_key = 'lists/late.csv'") == [
        (True, "done")
    ]
    assert listed(planted, "press-attachments", LIST) == [HEAD + b"adult@example.org,2\n"]
    assert gzip.decompress(planted.get("press-events", BATCH)) == line(adult)
    assert list(planted.versions("press-photos")) == []
    assets = {a["asset"]: a for body in certificates(press) for a in body["assets"] if a["method"] == "OBJECT_ROWS"}
    assert set(assets) == {"s3://press-attachments", "s3://press-events"}
    assert all(a["planned"] == a["done"] for a in assets.values())
    assert press.scalar("SELECT count(*) FROM gov.erasure_rewrite_case") == 0
    assert ledger.check(press.workspace).sound


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


def lock(store: ObjectStore, bucket: str, key: str, version_id: str, until: datetime) -> None:
    store.client.put_object_retention(
        Bucket=bucket, Key=key, VersionId=version_id, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}
    )


def test_what_is_locked_or_broken_is_named_in_the_certificate_and_goes_when_the_lock_ends(
    press: Press, planted: ObjectStore
) -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    (photo,) = planted.versions("press-photos", "photos/0", exact=True)
    *_, older = planted.versions("press-attachments", LIST, exact=True)
    locked = [("press-photos", "photos/0", photo.version_id), ("press-attachments", LIST, older.version_id)]
    for bucket, key, version_id in locked:
        lock(planted, bucket, key, version_id, until)
    planted.put("press-events", "batches/broken.gz", gzip.compress(b'{"user": {"id": null}}\n' * 999)[:-9])

    facts = nights.whole(press.workspace, press.open_run())
    assert facts["plan"]["unreadable_objects"] == 1
    assert facts["objects"]["exceptions"] == 3
    assert [v.key for v in planted.versions("press-photos")] == ["photos/0"]
    assert listed(planted, "press-attachments", LIST)[0] == HEAD + b"adult@example.org,2\n"
    said = sorted(sorted((e["asset"], e["reason"], e["until"]) for e in b["exceptions"]) for b in certificates(press))
    of_photo = ("s3://press-photos", "LOCKED", until.isoformat())
    of_list = ("s3://press-attachments", "LOCKED", until.isoformat())
    broken = ("s3://press-events", "BROKEN_GZIP", None)
    assert said == sorted([[of_list, broken, of_photo], [broken]])
    assert press.scalar("SELECT what FROM gov.erasure_rewrite WHERE reason = 'BROKEN_GZIP'") == (
        "its gzip stream is broken or cut short; put it anew"
    )
    # The key is kept for that, and nothing else of the plan.
    assert press.execute("SELECT object_key, state FROM gov.erasure_object") == [("photos/0", "exception")]

    for bucket, key, version_id in locked:
        lock(planted, bucket, key, version_id, NOW - timedelta(days=1))
    for days, ended in ((1, 0), (60, 2)):  # before the date that was recorded, nobody asks
        later = NOW + timedelta(days=days)
        run = press.open_run(f"after {days} days", at=later)
        assert object_erasure.erase_objects(press.workspace, run, now=later)["ended_exceptions"] == ended
    assert list(planted.versions("press-photos")) == []
    assert listed(planted, "press-attachments", LIST) == [HEAD + b"adult@example.org,2\n"]
    assert press.scalar("SELECT count(*) FROM gov.erasure_object") == 0
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE payload LIKE '%ended_exception%'") == 2
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
    run = press.open_run()
    assert nights.prepare(workspace, run)["copied_objects"] == 2
    execute.erase_database(workspace, run, now=NOW)
    object_erasure.erase_objects(workspace, run, now=NOW)
    assert {v.key for v in planted.versions("press-photos-copy")} == {"photos/01"}
    assert listed(planted, "press-lists-copy", LIST) == [HEAD + b"adult@example.org,2\n"]
    assert len(listed(planted, "press-lists-copy", "other/week.csv")) == 1  # outside the declared prefix
    planted.put("press-photos-copy", "photos/0", b"replicated late")
    with pytest.raises(GateBlocked, match="G-28-OBJECTS"):
        verify.verify(workspace, run, now=NOW)
    object_erasure.erase_objects(workspace, run, now=NOW)
    verify.verify(workspace, run, now=NOW)


def test_a_bucket_that_refuses_is_raised_and_holds_up_nothing_else(
    press: Press, planted: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = press.open_run()
    nights.prepare(press.workspace, run)
    execute.erase_database(press.workspace, run, now=NOW)

    def refused(*_: object, **__: object) -> str:
        raise ObjectRefused("the object store refused", where="bucket press-attachments", code="AccessDenied")

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "replace", refused)
        with pytest.raises(StoreRefused, match="2 objects could not be erased: 1 × AccessDenied in press-attachments"):
            object_erasure.erase_objects(press.workspace, run, now=NOW)
    assert list(planted.versions("press-photos")) == []
    assert press.execute("SELECT DISTINCT state FROM gov.erasure_plan WHERE state <> 'void'") == [("database_erased",)]
    nights.finish(press.workspace, run)
    assert press.execute("SELECT DISTINCT state FROM gov.minor_case") == [("CLOSED",)]


@pytest.mark.parametrize("moment", ["sent PUT/1", "sent POST/2"] if ALL else ["sent POST/2"])
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
