"""A shared object that nobody can read is never passed over: whoever may stand in it, nobody can say."""

from __future__ import annotations

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from privacy_ops.erasure import execute, verify
from privacy_ops.erasure.objects import erase as object_erasure
from privacy_ops.erasure.returning import resweep
from privacy_ops.errors import GateBlocked
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.workspace import Workspace

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press
from tests.integration.test_erasure_sweep import LATER

GZIP = ("press-events", "batches/cut.gz", gzip.compress(b'{"user": {"id": "nobody"}}\n' * 999)[:-9])


def _parquet() -> tuple[str, str, bytes]:
    whole = io.BytesIO()
    pq.write_table(pa.table({"email": ["nobody@example.org"] * 99}), whole)
    return "press-attachments", "lists/cut.parquet", whole.getvalue()[:-9]


@pytest.fixture
def workspace(press: Press) -> Workspace:
    """The press, whose lists are Parquet."""
    data = press.workspace.data_map.model_dump()
    data["objects"]["lists"]["rows"] |= {"format": "parquet", "pattern": "*.parquet"}
    return press.with_map(type(press.workspace.data_map).model_validate(data))


@pytest.mark.parametrize(("bucket", "key", "body"), [GZIP, _parquet()], ids=["gzip", "parquet"])
def test_an_object_that_is_cut_short_stops_the_certificate_and_the_later_sweep(
    press: Press, workspace: Workspace, objects: ObjectStore, bucket: str, key: str, body: bytes
) -> None:
    press.person(born=ADULT)
    press.person(born=MINOR)
    run = press.open_run()
    nights.prepare(workspace, run)
    execute.erase_database(workspace, run, now=NOW)
    object_erasure.erase_objects(workspace, run, now=NOW)
    cut = objects.put(bucket, key, body)
    with pytest.raises(GateBlocked, match=r"blocks: G-28-OBJECTS\."):
        verify.verify(workspace, run, now=NOW)
    objects.client.delete_object(Bucket=bucket, Key=key, VersionId=cut)
    nights.finish(workspace, run)

    cut = objects.put(bucket, key, body)
    run = press.open_run("sweep", at=LATER)
    assert resweep.sweep_due(workspace, run, now=LATER)["assets_not_looked_at"] == 1
    with pytest.raises(GateBlocked, match=r"blocks: G-28-LOOKED\."):
        resweep.judge_sweep(workspace, run, now=LATER)
