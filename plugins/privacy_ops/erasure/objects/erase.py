"""Erases the objects of plans whose rows are gone: whole objects, and people's rows in shared ones.

What is done is committed chunk by chunk; everything can be killed and repeated. What a lock keeps, or nobody can
read, becomes an exception: the plan goes on, its certificate names it, and later runs try again. What fails for
another reason holds up no other object, and is raised at the end: a plan is done only when everything in it is.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from privacy_ops import ledger, runs
from privacy_ops.datamap.model import EraseAction
from privacy_ops.erasure.objects import freeze as objects_plan
from privacy_ops.erasure.objects.batch import THREADS, Eraser, Outcome, Target
from privacy_ops.erasure.objects.rewrite import find
from privacy_ops.erasure.objects.rewrite.forget import Settled, settle
from privacy_ops.erasure.objects.rewrite.identify import Known, Lookup
from privacy_ops.erasure.plan import Plan, content_sha256, plans_in_state
from privacy_ops.errors import PlanChanged, PrivacyOpsError, StoreRefused, StoreUnavailable
from privacy_ops.runs import Run
from privacy_ops.stores.database import stream
from privacy_ops.stores.objects import ObjectMissing, ObjectStore, ObjectVersion
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

CHUNK = 64
_SHARED_CHUNK = 16
# Clocks of database and store differ; what is looked at twice does no harm.
_CLOCKS_DIFFER = timedelta(hours=1)
_AGAIN_LATER = frozenset({"CAME_BACK", "UNAVAILABLE", "WRITTEN_MEANWHILE", "InternalError", "SlowDown"})
_WORDS = re.compile(r"[^/]+")


def erase_objects(
    workspace: Workspace, run: Run, *, now: datetime, pause: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Erase the objects of this run's plan, of older ones left half done, and what a lock kept; returns counts.

    A plan whose proof found something left is gone over again. Raises StoreRefused or StoreUnavailable at the end
    when something could not be erased, PlanChanged when a plan is not as it was judged; what is done stays done.
    """
    if runs.is_rehearsal(run, max_drift_hours=workspace.thresholds.as_of_max_drift_hours):
        return {"rehearsal": True}
    store = workspace.objects()
    total = Counter(plans=0, keys=0, versions=0, markers=0, uploads=0, absent=0, exceptions=0, shared=0, shared_rows=0)
    errors: list[PrivacyOpsError] = []
    plans = [(p, again) for state, again in _STATES for p in plans_in_state(workspace, state)]
    for plan, again in plans:
        total["plans"] += 1
        try:
            with _Work(workspace, store, plan, now, pause) as work:
                total.update(work.whole(again=again))
        except (StoreRefused, StoreUnavailable, PlanChanged) as error:
            errors.append(error)
    try:
        total["ended_exceptions"] = _try_exceptions(workspace, store, now, pause)
        total["ended_exceptions"] += _try_shared_exceptions(workspace, store, now)
    except (StoreRefused, StoreUnavailable) as error:
        errors.append(error)
    with workspace.database("erase").transaction() as connection:
        runs.add_facts(connection, run.run_id, {"objects": dict(total)})
    if errors:
        # Where another attempt may help, the task is to be tried again.
        raise next((e for e in errors if isinstance(e, StoreUnavailable)), errors[0])
    return dict(total)


_STATES = (("database_erased", False), ("objects_erased", True))


class _Work:
    """One plan's objects."""

    def __init__(
        self, workspace: Workspace, store: ObjectStore, plan: Plan, now: datetime, pause: Callable[[float], None]
    ) -> None:
        self.workspace, self.store, self.plan, self.now, self.pause = workspace, store, plan, now, pause
        self.database = workspace.database("erase")
        self.this = {"plan_id": plan.plan_id}
        self.counts: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()  # by reason and bucket
        self.failed_shared: set[tuple[str, str]] = set()

    def __enter__(self) -> _Work:
        self.pool = ThreadPoolExecutor(THREADS)
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()

    def whole(self, *, again: bool) -> Counter[str]:
        """Everything; ``again`` also what was proven gone before. Raises at the end for what failed."""
        with self.database.transaction(read_only=True) as reading:
            # The lock was opened when the rows went; the verdict may have expired since, the content not have moved.
            if content_sha256(reading, self.plan.plan_id) != self.plan.sha256:
                raise PlanChanged(
                    "the plan whose objects were to go is not the one that was judged",
                    where=self.plan.run_id,
                    do="treat it as an incident: compare gov.erasure_object with the ledger; no object was erased",
                )
            self._erase_keys(reading, again=again)
            known = objects_plan.identifiers(reading, self.plan.plan_id)
        copies = objects_plan.Copies(self.store)
        self._forget_rows({(s.key, s.bucket): s for s in objects_plan.shared_stores(self.workspace, copies)}, known)
        if self.failed:
            raise self._failure()
        self._finish()
        return self.counts

    def _erase_keys(self, reading: Connection, *, again: bool) -> None:
        rows = stream(reading, statement("erasure", "select_objects_to_erase"), self.this | {"again": again})
        numbers: dict[Target, int] = {}  # of the chunk at hand

        def announce(told: Mapping[Target, tuple[int, int]]) -> None:
            # What a killed attempt deleted is found gone by the next: its number is written down before.
            with self.database.transaction() as connection:
                connection.execute(
                    statement("erasure", "update_object_listed"),
                    [self.this | {"object_no": numbers[t], "versions": v, "markers": m} for t, (v, m) in told.items()],
                )

        eraser = Eraser(self.store, self.pool, self.pause, announce)
        while chunk := list(islice(rows, CHUNK)):
            numbers = {Target(row.bucket, row.object_key, row.is_prefix): row.object_no for row in chunk}
            outcomes = erase_chunk(eraser, list(numbers))
            done = [(numbers[t], o) for t, o in outcomes.items() if o.state in {"erased", "exception"}]
            # Committed chunk by chunk: a kill loses the proofs of one chunk at most, whose keys are found empty then.
            if done:
                with self.database.transaction() as connection:
                    connection.execute(
                        statement("erasure", "update_object_erased"),
                        [self.this | {"object_no": number, "at": self.now} | _values(o) for number, o in done],
                    )
            for target, outcome in outcomes.items():
                self._count(target, outcome)
            if outcomes and all(o.reason == "UNAVAILABLE" for o in outcomes.values()):
                raise self._failure()

    def _count(self, target: Target, outcome: Outcome) -> None:
        self.counts["versions"] += outcome.versions
        self.counts["markers"] += outcome.markers
        self.counts["uploads"] += outcome.uploads
        if outcome.state == "failed":
            self.failed[f"{outcome.reason} in {target.bucket}"] += 1
            return
        self.counts["keys"] += 1
        self.counts["absent"] += outcome.state == "erased" and not outcome.versions + outcome.markers
        self.counts["exceptions"] += outcome.state == "exception"

    def _forget_rows(self, stores: dict[tuple[str, str], find.Shared], known: Known) -> None:
        """Planned shared objects first; then those that came after the plan, by the same frozen identifiers."""
        if not stores or not len(known):
            return
        with self.database.transaction(read_only=True) as connection:
            frozen_at = connection.execute(
                text("SELECT frozen_at FROM gov.erasure_plan WHERE plan_id = :plan_id"), self.this
            ).scalar_one()
            seen = {tuple(r) for r in connection.execute(statement("erasure", "select_known_versions"), self.this)}
        self._settle_planned(stores, known, exceptions=True)
        never_listed = {bucket for bucket, key, *_ in seen if not key}
        since = frozen_at - _CLOCKS_DIFFER
        for shared in stores.values():
            late = find.find(
                self.store, [shared], known, since=None if shared.bucket in never_listed else since, known=seen
            )
            listed = True
            while chunk := list(islice(late, _SHARED_CHUNK)):
                listed = listed and all(finding.version for finding in chunk)
                with self.database.transaction() as connection:
                    objects_plan.record(connection, self.plan.plan_id, chunk, late=True)
            if listed and shared.bucket in never_listed:
                self._settled(shared.key, shared.bucket, "", Settled())
        self._settle_planned(stores, known, exceptions=False)

    def _settle_planned(self, stores: dict[tuple[str, str], find.Shared], known: Known, *, exceptions: bool) -> None:
        with self.database.transaction(read_only=True) as connection:
            rows = connection.execute(
                statement("erasure", "select_rewrites_to_do"), self.this | {"exceptions": exceptions}
            ).all()
        rows = [row for row in rows if (row.bucket, row.object_key) not in self.failed_shared]
        for start in range(0, len(rows), _SHARED_CHUNK):
            chunk = rows[start : start + _SHARED_CHUNK]
            for row, done in zip(chunk, self.pool.map(lambda r: self._settle(r, stores, known), chunk), strict=True):
                self._settled(row.store, row.bucket, row.object_key, done)

    def _settled(self, store: str, bucket: str, key: str, done: Settled) -> None:
        if done.state == "failed":
            self.failed[f"{done.reason} in {bucket}"] += 1
            self.failed_shared.add((bucket, key))
            return
        with self.database.transaction() as connection:
            connection.execute(
                statement("erasure", "update_rewrites_done"),
                self.this
                | {"store": store, "bucket": bucket, "object_key": key, "at": self.now, "kept": sorted(done.kept)}
                | {"reason": done.reason or None, "what": done.what or None, "locked_until": done.locked_until},
            )
        self.counts["shared"] += bool(key)
        self.counts["shared_rows"] += done.rows
        self.counts["exceptions"] += len(done.kept)

    def _settle(self, row: Any, stores: dict[tuple[str, str], find.Shared], known: Known) -> Settled:
        shared = stores.get((row.store, row.bucket))
        if shared is None:
            return Settled("failed", reason="NOT_IN_MAP")
        return settle(self.store, shared, row.object_key, known, now=self.now, pause=self.pause)

    def _failure(self) -> PrivacyOpsError:
        said = ", ".join(f"{n} × {what}" for what, n in sorted(self.failed.items()))
        what = f"{self.failed.total()} objects could not be erased: {said}"
        if any(code.partition(" ")[0] in _AGAIN_LATER for code in self.failed):
            return StoreUnavailable(f"{what}. What to do: clear the task; if it stays so, find what writes there")
        return StoreRefused(what, do="look for missing rights; the cases stay open and all other objects are gone")

    def _finish(self) -> None:
        with self.database.transaction() as connection:
            moved = connection.execute(
                statement("erasure", "update_plan_state"),
                self.this | {"state": "objects_erased", "before": "database_erased", "at": self.now},
            ).rowcount
            if moved:
                # What went of each case, table by table and bucket by bucket: said once the last of it is gone.
                connection.execute(statement("erasure", "insert_assets"), self.this)
                connection.execute(statement("erasure", "insert_object_assets"), self.this)
                connection.execute(statement("erasure", "insert_rewrite_assets"), self.this)
                if not self.plan.cases:  # a night without minors erased nothing
                    return
                totals = connection.execute(statement("erasure", "select_object_totals"), self.this).mappings().one()
                ledger.append(
                    connection,
                    "erased",
                    {"plan_sha256": self.plan.sha256, "objects": {k: int(v) for k, v in sorted(totals.items())}},
                    at=self.now,
                )


def erase_chunk(eraser: Eraser, targets: list[Target]) -> dict[Target, Outcome]:
    """One chunk of keys (a seam for tests)."""
    return eraser.erase(targets)


def _values(outcome: Outcome) -> dict[str, Any]:
    return {
        # Announced numbers stand already.
        "versions": outcome.versions - outcome.told[0],
        "markers": outcome.markers - outcome.told[1],
        "uploads": outcome.uploads,
        "state": outcome.state,
        "reason": outcome.reason or None,
        "locked_until": outcome.locked_until,
    }


def _try_exceptions(workspace: Workspace, store: ObjectStore, now: datetime, pause: Callable[[float], None]) -> int:
    """Try what locks kept, of every plan carried out; returns how many keys are gone now."""
    database = workspace.database("erase")
    ended = 0
    with database.transaction(read_only=True) as reading, ThreadPoolExecutor(THREADS) as pool:
        rows = stream(reading, statement("erasure", "select_ended_exceptions"), {"now": now})
        eraser = Eraser(store, pool, pause)
        while chunk := list(islice(rows, CHUNK)):
            by_target = {Target(row.bucket, row.object_key, row.is_prefix): row for row in chunk}
            for target, outcome in erase_chunk(eraser, list(by_target)).items():
                row = by_target[target]
                if outcome.state not in {"erased", "exception"}:
                    continue
                with database.transaction() as connection:
                    this = {"plan_id": row.plan_id, "object_no": row.object_no}
                    connection.execute(
                        statement("erasure", "update_object_erased"), this | {"at": now} | _values(outcome)
                    )
                    if outcome.state == "erased":
                        ended += 1
                        ledger.append(
                            connection,
                            "erased",
                            {"plan_sha256": row.sha256, "ended_exception": f"s3://{row.bucket}", "objects": 1},
                            at=now,
                            case_id=row.case_id,
                        )
                        connection.execute(statement("erasure", "delete_object"), this)
    return ended


def _try_shared_exceptions(workspace: Workspace, store: ObjectStore, now: datetime) -> int:
    """Delete older versions of shared objects whose lock has ended; returns how many are gone now.

    Their plans are sealed and know nobody any more: a version that has become the current one, with rows of others
    in it, is left to the later sweeps.
    """
    database = workspace.database("erase")
    with database.transaction(read_only=True) as connection:
        rows = connection.execute(statement("erasure", "select_ended_rewrites"), {"now": now}).all()
    ended = 0
    for row in rows:
        versions = {v.version_id: v for v in store.versions(row.bucket, row.object_key, exact=True)}
        version = versions.get(row.version_id)
        if version is not None and (version.is_latest or store.delete_batch(row.bucket, [version])):
            continue
        ended += 1
        with database.transaction() as connection:
            connection.execute(
                statement("erasure", "update_rewrite_ended"),
                {"plan_id": row.plan_id, "rewrite_no": row.rewrite_no, "at": now},
            )
            ledger.append(
                connection,
                "erased",
                {"plan_sha256": row.sha256, "ended_exception": f"s3://{row.bucket}", "shared_objects": 1},
                at=now,
            )
    return ended


# --- looking again -----------------------------------------------------------------------------------------------


def residual(connection: Connection, workspace: Workspace, plan: Plan) -> Iterator[tuple[str, int]]:
    """(bucket, versions, markers and uploads left of planned keys, or named after an erased subject).

    Every bucket is listed whole and anew. What a lock keeps, and is recorded so, does not count.
    """
    store = workspace.objects()
    rows = connection.execute(
        text("SELECT bucket, object_key, is_prefix, state FROM gov.erasure_object WHERE plan_id = :p"),
        {"p": plan.plan_id},
    ).all()
    names = set(
        connection.execute(
            text(
                "SELECT k.part FROM gov.erasure_key AS e, unnest(CAST(e.value AS text[])) AS k (part)"
                " WHERE e.plan_id = :p AND e.kind = 'subject' AND length(k.part) >= 8"
            ),
            {"p": plan.plan_id},
        ).scalars()
    )
    exact: dict[tuple[str, str], str] = {(row.bucket, row.object_key): row.state for row in rows if not row.is_prefix}
    folders: dict[tuple[str, str], str] = {(row.bucket, row.object_key): row.state for row in rows if row.is_prefix}

    def state_of(bucket: str, key: str) -> str | None:
        """The state of the plan's entry that covers this key; "named" when a subject is named in it."""
        if found := exact.get((bucket, key)):
            return found
        words = _WORDS.findall(key)
        parents = ("/".join(words[:n]) + "/" for n in range(1, len(words) + 1))
        covering = next((folders[bucket, parent] for parent in parents if (bucket, parent) in folders), None)
        return covering or (None if names.isdisjoint(words) else "named")

    buckets = {e.bucket for e in workspace.data_map.objects.values() if e.erase is EraseAction.OBJ_ALL_VERSIONS}
    for bucket in sorted(buckets | {row.bucket for row in rows}):
        left = 0
        for version in store.versions(bucket):
            state = state_of(bucket, version.key)
            if state is not None and not (state == "exception" and _is_locked(store, bucket, version)):
                left += 1
        left += sum(1 for key, _ in store.multipart_uploads(bucket) if state_of(bucket, key))
        yield f"s3://{bucket}", left


def _is_locked(store: ObjectStore, bucket: str, version: ObjectVersion) -> bool:
    if version.is_marker:
        return False
    try:
        return store.lock_of(bucket, version.key, version.version_id) is not None
    except ObjectMissing:
        return True


def residual_rows(
    workspace: Workspace, lookup: Lookup, exceptions: Collection[tuple[str, str, str]] = ()
) -> Iterator[tuple[str, int]]:
    """(store and bucket, rows of people whom ``lookup`` knows) by reading every shared object anew.

    An object that cannot be read counts as one, for nobody can say. ``exceptions`` (bucket, key, version id) are
    left out: they are recorded, and named in certificates.
    """
    store = workspace.objects()
    for shared in objects_plan.shared_stores(workspace, objects_plan.Copies(store)):
        left = 0
        for finding in find.find(store, [shared], lookup):
            place = (
                shared.bucket,
                *((finding.version.key, finding.version.version_id) if finding.version else ("", "")),
            )
            if place not in exceptions:
                left += finding.found.total() if not finding.code else 1
        yield f"s3://{shared.bucket}/{shared.prefix} rows", left


def residual_rows_of(connection: Connection, workspace: Workspace, plan: Plan) -> Iterator[tuple[str, int]]:
    """The same for the frozen identifiers of one plan."""
    exceptions = {
        tuple(row)
        for row in connection.execute(
            text(
                "SELECT bucket, object_key, version_id FROM gov.erasure_rewrite"
                " WHERE plan_id = :p AND state = 'exception'"
            ),
            {"p": plan.plan_id},
        )
    }
    known = objects_plan.identifiers(connection, plan.plan_id)
    yield from residual_rows(workspace, known, exceptions)


def exceptions(connection: Connection, plan: Plan) -> dict[UUID | None, list[dict[str, object]]]:
    """What could not be erased, by case (None: concerns every case), for certificates."""
    found: dict[UUID | None, list[dict[str, object]]] = {}
    for row in connection.execute(statement("erasure", "select_object_exceptions"), {"plan_id": plan.plan_id}):
        found.setdefault(row.case_id, []).append({
            "asset": row.asset,
            "reason": row.reason,
            "until": row.locked_until.isoformat() if row.locked_until else None,
            "objects": int(row.objects),
        })
    return found
