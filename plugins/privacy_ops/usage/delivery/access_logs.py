"""Downloads, from the access log that S3 writes: which release, when. No address of anybody is read or kept.

The log names who asked by IP address; that stays in the log's own bucket and ages out there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from privacy_ops.stores.objects import ObjectMissing
from privacy_ops.stores.sql import statement
from privacy_ops.usage.delivery import standing
from privacy_ops.usage.delivery.standing import DUTY
from privacy_ops.workspace import Workspace

AFTER_WITHDRAWAL = "AFTER_WITHDRAWAL"
AFTER_ENTITLEMENT = "AFTER_ENTITLEMENT"
_MOST = 5000
_FIELD = re.compile(r'\[[^\]]*\]|"[^"]*"|\S+')
# Positions in a line of the log; later fields follow a text that the client chose, and are not relied upon alone.
_BUCKET, _TIME, _REQUEST, _OPERATION, _KEY, _URI, _STATUS, _AUTHENTICATION = 1, 2, 5, 6, 7, 8, 9, 21
_SIGNED = ("x-amz-algorithm=", "x-amz-signature=")


@dataclass(frozen=True)
class Download:
    """One request that was served by a link."""

    key: str
    at: datetime
    request_ref: str


def parse(text: str, bucket: str) -> Iterator[Download]:
    """Requests by signed links that got an object of ``bucket``. Lines of any other kind are passed over.

    What our own jobs read is signed in a header and does not count.
    """
    for line in text.splitlines():
        fields = _FIELD.findall(line)
        if len(fields) <= _STATUS or fields[_BUCKET] != bucket or fields[_OPERATION] != "REST.GET.OBJECT":
            continue
        by_link = any(sign in fields[_URI].lower() for sign in _SIGNED) or (
            len(fields) > _AUTHENTICATION and fields[_AUTHENTICATION] == "QueryString"
        )
        if fields[_STATUS] not in {"200", "206"} or not by_link:
            continue
        try:
            at = datetime.strptime(fields[_TIME], "[%d/%b/%Y:%H:%M:%S %z]")
        except ValueError:
            continue
        # Keys are encoded twice in the log; ours hold nothing that a second decoding would change.
        key = unquote(unquote(fields[_KEY]))
        reference = hashlib.sha256(f"{bucket} {fields[_REQUEST]}".encode()).hexdigest()
        yield Download(key, at, reference)


def import_logs(workspace: Workspace, *, by: str, now: datetime, most: int = _MOST) -> dict[str, int]:
    """Note downloads from log files that were not read before, each file once; returns counts.

    A download after a withdrawal, or after the entitlement ended, is a finding.
    """
    counts = {"log_files": 0, "downloads": 0, "findings": 0}
    if not workspace.settings.access_logs:
        return counts | {"no_access_logs": 1}
    bucket, _, prefix = workspace.settings.access_logs.partition("/")
    store, database = workspace.objects(), workspace.database(DUTY)
    listed = store.keys(bucket, prefix)
    while keys := list(islice(listed, 1000)):
        with database.transaction(read_only=True) as connection:
            read = set(connection.execute(statement("delivery", "select_logs_read"), {"keys": keys}).scalars())
        for key in (key for key in keys if key not in read):
            if counts["log_files"] == most:
                return counts
            try:
                text = store.get(bucket, key).decode("utf-8", "replace")
            except ObjectMissing:  # aged out meanwhile
                continue
            with database.transaction() as connection:
                found = _note(connection, workspace, text, by=by)
                connection.execute(
                    statement("delivery", "insert_log_read"), {"object_key": key, "at": now, "downloads": len(found)}
                )
            counts["log_files"] += 1
            counts["downloads"] += len(found)
            counts["findings"] += sum(reason != "" for reason in found)
    return counts


def _note(connection: Connection, workspace: Workspace, text: str, *, by: str) -> list[str]:
    """Note the first download of each release in a file, and the first of each finding; returns their reasons.

    A download in parts is many requests.
    """
    zone = ZoneInfo(workspace.thresholds.legal_timezone)
    done: dict[tuple[str, str], bool] = {}
    for one in sorted(parse(text, workspace.settings.exports_bucket), key=lambda d: d.at):
        row: Any = connection.execute(
            statement("delivery", "select_at_download"),
            {"object_key": one.key, "at": one.at, "day": one.at.astimezone(zone).date()},
        ).one_or_none()
        if row is None:
            continue
        reason = AFTER_WITHDRAWAL if row.withdrawn else AFTER_ENTITLEMENT if row.ended else ""
        if (row.release_id, reason) not in done:
            done[row.release_id, reason] = standing.note(
                connection,
                row.release_id,
                "downloaded",
                at=one.at,
                by=by,
                reason=reason,
                request_ref=one.request_ref,
            )
    return [reason for (_, reason), noted in done.items() if noted]
