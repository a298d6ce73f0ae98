"""What a plan freezes besides rows and the keys that stand in them: copies of its keys, and rows in shared objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops.datamap.model import ObjectStoreEntry
from privacy_ops.erasure.objects.rewrite import find
from privacy_ops.erasure.objects.rewrite.find import Finding, Shared
from privacy_ops.erasure.objects.rewrite.identify import Known
from privacy_ops.errors import StoreRefused
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace


def freeze(connection: Connection, workspace: Workspace, plan_id: UUID) -> dict[str, int]:
    """Freeze copies and findings of a plan whose cases and keys are frozen; returns counts.

    Reads every declared shared object, and changes nothing in any store. What cannot be read is frozen as an
    exception: the plan goes on, and the certificate names it. Raises StoreUnavailable.
    """
    this = {"plan_id": plan_id}
    store = workspace.objects()
    known = identifiers(connection, plan_id)
    if not len(known):
        return {
            "copied_objects": 0,
            "copies_unknown": 0,
            "shared_objects": 0,
            "shared_rows": 0,
            "unreadable_objects": 0,
        }
    copies = Copies(store)
    copied = 0
    rows = connection.execute(
        text("SELECT DISTINCT store, bucket FROM gov.erasure_object WHERE plan_id = :plan_id"), this
    )
    for row in rows.all():
        for copy in copies.of(row.bucket, workspace.data_map.objects[row.store]):
            copied += connection.execute(
                statement("erasure", "insert_copies_of_objects"), this | {"bucket": row.bucket, "copy": copy}
            ).rowcount
    counts = record(connection, plan_id, find.find(store, shared_stores(workspace, copies), known), late=False)
    return {"copied_objects": copied, "copies_unknown": len(copies.unknown)} | counts


class Copies:
    """Buckets that repeat others: as the map says, and as a replication rule does.

    ``unknown`` are buckets whose rules we may not read: for them the map alone counts, and the run says so.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.unknown: set[str] = set()
        self._store = store
        self._replicated = cache(self._rules_of)

    def of(self, bucket: str, entry: ObjectStoreEntry) -> tuple[str, ...]:
        """Copies of ``bucket``, and copies of these."""
        found: dict[str, None] = dict.fromkeys(entry.replicas if bucket == entry.bucket else ())
        todo = [bucket, *found]
        while todo:
            for copy in self._replicated(todo.pop()):
                if copy not in found and copy != bucket:
                    found[copy] = None
                    todo.append(copy)
        return tuple(found)

    def _rules_of(self, bucket: str) -> tuple[str, ...]:
        try:
            return self._store.copies(bucket)
        except StoreRefused:  # a bucket that is missing is refused again, and raised, when it is listed
            self.unknown.add(bucket)
            return ()


def shared_stores(workspace: Workspace, copies: Copies) -> tuple[Shared, ...]:
    """Every declared store of shared objects, and its copies."""
    return tuple(find.declared(workspace.data_map, copies.of))


def identifiers(connection: Connection, plan_id: UUID) -> Known:
    """The frozen identifiers of a plan that name one case alone."""
    rows = connection.execute(
        text(
            "SELECT kind, value, CASE WHEN kind = 'subject' THEN CAST(value AS text[]) ELSE ARRAY[value] END AS parts,"
            " case_id FROM gov.erasure_key WHERE plan_id = :plan_id AND kind NOT LIKE '%\\_shared'"
        ),
        {"plan_id": plan_id},
    )
    return Known((row.kind, row.parts, row.case_id) for row in rows)


def record(connection: Connection, plan_id: UUID, findings: Iterable[Finding], *, late: bool) -> dict[str, int]:
    """Write findings down; returns counts."""
    counts = Counter(shared_objects=0, shared_rows=0, unreadable_objects=0)
    for finding in findings:
        version = finding.version
        number = connection.execute(
            statement("erasure", "insert_rewrite"),
            {
                "plan_id": plan_id,
                "store": finding.shared.key,
                "bucket": finding.shared.bucket,
                "object_key": version.key if version else "",
                "version_id": version.version_id if version else "",
                "etag": version.etag if version else "",
                "late": late,
                "rows_total": finding.rows,
                "rows_found": finding.found.total(),
                "state": "exception" if finding.code else "planned",
                "reason": finding.code or None,
                "what": finding.what or None,
            },
        ).scalar()
        if finding.code:
            counts["unreadable_objects"] += 1
            continue
        counts["shared_objects"] += 1
        counts["shared_rows"] += finding.found.total()
        if number is not None:
            for case_id, found in finding.found.items():
                connection.execute(
                    statement("erasure", "insert_rewrite_case"),
                    {"plan_id": plan_id, "rewrite_no": number, "case_id": case_id, "rows_found": found},
                )
    return dict(counts)
