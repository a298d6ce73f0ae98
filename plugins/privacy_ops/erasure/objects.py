"""Erases the objects of plans whose rows are gone.

A key is done when it was listed again and nothing was left. Everything can be killed and repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from itertools import islice
from typing import Any

from privacy_ops import ledger, runs
from privacy_ops.erasure.plan import Plan, content_sha256, plans_in_state
from privacy_ops.errors import PlanChanged, StoreRefused, StoreUnavailable, UserError
from privacy_ops.runs import Run
from privacy_ops.stores.database import stream
from privacy_ops.stores.objects import ObjectStore, ObjectVersion
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

_OBJECT_THREADS = 8
_OBJECT_CHUNK = 64


def erase_objects(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Erase the objects of this run's plan, and of older plans that a kill left half done; returns counts.

    Every version and delete marker of each key goes, unfinished uploads are aborted, and the key is listed again.
    What is refused (a lock, a missing right) stops neither other keys nor other plans; the first refusal is raised
    at the end. Raises StoreRefused, StoreUnavailable, PlanChanged (the plan is not as it was judged); what is done
    stays done.
    """
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": True}
    total = {"plans": 0, "keys": 0, "versions": 0, "markers": 0, "uploads": 0}
    store = workspace.objects()
    refused: list[UserError] = []
    for plan in plans_in_state(workspace, "database_erased"):
        total["plans"] += 1
        try:
            for name, count in _erase_objects_of(workspace, store, plan, now).items():
                total[name] += count
        except (StoreRefused, PlanChanged) as error:
            refused.append(error)
    if refused:
        raise refused[0]
    return total


def _erase_objects_of(workspace: Workspace, store: ObjectStore, plan: Plan, now: datetime) -> dict[str, int]:
    database = workspace.database("erase")
    counts = {"keys": 0, "versions": 0, "markers": 0, "uploads": 0}
    uploads: dict[str, list[tuple[str, str]]] = {}
    refused: list[StoreRefused] = []
    with database.transaction(read_only=True) as reading, ThreadPoolExecutor(_OBJECT_THREADS) as pool:
        # The lock was opened when the rows went; the verdict may have expired since, the content may not have moved.
        if content_sha256(reading, plan.plan_id) != plan.sha256:
            raise PlanChanged(
                "the plan whose objects were to go is not the one that was judged",
                where=plan.run_id,
                do="treat it as an incident: compare gov.erasure_object with the ledger; no object was erased",
            )
        rows = stream(reading, statement("erasure", "select_objects_to_erase"), {"plan_id": plan.plan_id})
        while chunk := list(islice(rows, _OBJECT_CHUNK)):
            for bucket in {row.bucket for row in chunk} - set(uploads):
                uploads[bucket] = store.multipart_uploads(bucket)
            tasks = [
                pool.submit(erase_key, store, row.bucket, row.object_key, row.is_prefix, uploads[row.bucket])
                for row in chunk
            ]
            wait(tasks)
            done = [(row, task.result()) for row, task in zip(chunk, tasks, strict=True) if task.exception() is None]
            # Committed chunk by chunk, also when a key of it was refused: a kill loses the record of one chunk at
            # most, whose keys are then found empty.
            if done:
                with database.transaction() as connection:
                    connection.execute(
                        statement("erasure", "update_object_erased"),
                        [{"plan_id": plan.plan_id, "object_no": r.object_no, "at": now, **n} for r, n in done],
                    )
            for error in (task.exception() for task in tasks):
                if isinstance(error, StoreRefused):
                    refused.append(error)
                elif error is not None:
                    raise error
            counts["keys"] += len(done)
            for _, numbers in done:
                for name, count in numbers.items():
                    counts[name] += count
    if refused:
        raise refused[0]
    with database.transaction() as connection:
        moved = connection.execute(
            statement("erasure", "update_plan_state"),
            {"plan_id": plan.plan_id, "state": "objects_erased", "before": "database_erased", "at": now},
        ).rowcount
        if moved:
            connection.execute(statement("erasure", "insert_object_assets"), {"plan_id": plan.plan_id})
            ledger.append(connection, "erased", {"plan_sha256": plan.sha256, "objects": counts}, at=now)
    return counts


def erase_key(
    store: ObjectStore, bucket: str, key: str, is_prefix: bool, uploads: list[tuple[str, str]]
) -> dict[str, int]:
    """Every version, marker and unfinished upload of one key (or of a folder); returns counts.

    Raises StoreUnavailable when the key is not empty afterwards: somebody writes to it.
    """
    found = _Counted(store.versions(bucket, key, exact=not is_prefix))
    store.delete_versions(bucket, found)
    aborted = 0
    for upload_key, upload_id in uploads:
        if upload_key == key or (is_prefix and upload_key.startswith(key)):
            store.abort_upload(bucket, upload_key, upload_id)
            aborted += 1
    if next(store.versions(bucket, key, exact=not is_prefix), None) is not None:
        raise StoreUnavailable(
            f"an object came back in bucket {bucket} while it was erased. What to do: find what writes there"
        )
    return {"versions": found.versions, "markers": found.markers, "uploads": aborted}


class _Counted:
    """Passes versions on and counts them."""

    def __init__(self, versions: Iterator[ObjectVersion]) -> None:
        self._inner = versions
        self.versions = self.markers = 0

    def __iter__(self) -> Iterator[ObjectVersion]:
        for version in self._inner:
            if version.is_marker:
                self.markers += 1
            else:
                self.versions += 1
            yield version
