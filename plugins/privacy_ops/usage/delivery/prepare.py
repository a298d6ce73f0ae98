"""The first step: what is registered and not sent yet is checked, packed once, and queued for a mail."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection

from privacy_ops import runs
from privacy_ops.runs import Run
from privacy_ops.stores.objects import ObjectExists, ObjectMissing, ObjectStore
from privacy_ops.usage.delivery import archive, standing
from privacy_ops.usage.delivery.checks import Checks
from privacy_ops.usage.delivery.standing import BYTES_CHANGED, DUTY, Standing
from privacy_ops.workspace import Workspace

CONTENT_TYPE = "application/zip"


def prepare(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, int]:
    """Pack every release that may be delivered and was not; queue one mail per recipient. Returns counts.

    What is blocked is a row with its reason. A try that died between object and row finds its own bytes.
    """
    counts = {"waiting": 0, "prepared": 0, "blocked": 0, "queued": 0}
    database = workspace.database(DUTY)
    with database.transaction(read_only=True) as connection:
        waiting = standing.read(connection, workspace, now=now)
    counts["waiting"] = len(waiting)
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return counts | {"rehearsal": 1, "blocked": sum(one.blocked() is not None for one in waiting)}
    checks, ready = Checks(workspace), []
    for waits in waiting:
        with database.transaction() as connection:
            standing.lock(connection, [waits.release_id])
            (one,) = standing.read(connection, workspace, now=now, releases=[waits.release_id])
            reason = checks.reason(one)
            if reason is None and one.object_key is None:
                if _put(connection, workspace, checks.store, one, run, now):
                    counts["prepared"] += 1
                else:
                    reason = BYTES_CHANGED
            if reason is None:
                ready.append(one.release_id)
            else:
                counts["blocked"] += 1
                standing.note_blocked(connection, one, reason, at=now, by=run.run_id)
    with database.transaction() as connection:
        standing.lock(connection, ready)
        counts["queued"] = standing.queue(connection, ready, "LINK", at=now, by=run.run_id)
    return counts


def _put(
    connection: Connection, workspace: Workspace, store: ObjectStore, one: Standing, run: Run, now: datetime
) -> bool:
    """Put the ZIP and note it; False when the files, or what stands under its name, are not what they must be."""
    bucket, prefix = workspace.settings.exports_bucket, one.object_prefix
    try:
        files = {key.removeprefix(prefix): store.get(bucket, key) for key in store.keys(bucket, prefix)}
    except ObjectMissing:
        return False
    if not archive.is_registered(files, one.files, one.pack_sha256):
        return False
    key = archive.key_of(one.recipient_id, one.period_key, one.release_id)
    body = archive.pack_zip(archive.name_of(one.period_key, one.release_id), files)
    try:
        store.put_same(bucket, key, body, content_type=CONTENT_TYPE)
    except ObjectExists:
        return False
    version = next((v.version_id for v in store.versions(bucket, key, exact=True) if not v.is_marker), "")
    standing.note(
        connection,
        one.release_id,
        "prepared",
        at=now,
        by=run.run_id,
        object_key=key,
        sha256=hashlib.sha256(body).hexdigest(),
        bytes=len(body),
        version_id=version,
    )
    return True
