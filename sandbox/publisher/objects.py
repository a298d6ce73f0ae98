"""The publisher's buckets: regions, versioning, object lock, and the flows that nobody declared."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from privacy_ops.settings import ObjectSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Bucket:
    """``planted``: this bucket sends personal data to a region that no register names."""

    name: str
    region: str
    versioned: bool = False
    locked: bool = False
    replicates_to: str | None = None
    planted: bool = False


BUCKETS = (
    Bucket("imp-weblogs", "eu-west-2"),
    Bucket("imp-mobile-events", "eu-west-2"),
    Bucket("imp-profile-photos", "eu-west-2", versioned=True),
    Bucket("imp-submissions", "eu-west-1", versioned=True),
    Bucket("imp-certificates", "eu-west-2", versioned=True),
    Bucket("imp-survey-attachments", "eu-west-2"),
    Bucket("imp-support-attachments", "eu-west-2", versioned=True),
    Bucket("imp-exports", "eu-west-2", versioned=True),
    Bucket("imp-evidence", "eu-west-2", versioned=True, locked=True),
    Bucket("imp-staging", "eu-west-2"),
    Bucket("imp-badge-scan-vendor", "us-east-1"),
    Bucket("imp-esp-exports", "us-east-1"),
    Bucket("imp-analytics-scratch", "ap-south-1", planted=True),
    Bucket("imp-backups-copy", "us-east-1", versioned=True, planted=True),
    Bucket("imp-backups", "eu-west-2", versioned=True, replicates_to="imp-backups-copy"),
)


def client(settings: ObjectSettings, *, connections: int = 10) -> S3Client:
    """A boto3 client of its own: what judges the jobs does not read through their code."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
        config=Config(
            max_pool_connections=connections,
            s3={"addressing_style": "path"} if settings.endpoint_url else {},
        ),
    )


def create_buckets(settings: ObjectSettings) -> None:
    """Create what is missing of ``BUCKETS``, with versioning, lock and replication. May be called again."""
    s3 = client(settings)
    # A bucket is created through an endpoint of its own region.
    regions = functools.cache(lambda region: client(dataclasses.replace(settings, region=region)))
    present = {bucket.get("Name") for bucket in s3.list_buckets().get("Buckets", [])}
    for bucket in BUCKETS:
        if bucket.name not in present:
            _create(regions(bucket.region), bucket)
        if bucket.versioned:
            s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
        if bucket.replicates_to:
            s3.put_bucket_replication(
                Bucket=bucket.name,
                ReplicationConfiguration={
                    "Role": "arn:aws:iam::123456789012:role/imp-replication",
                    "Rules": [
                        {
                            "ID": "copy",
                            "Status": "Enabled",
                            "Priority": 1,
                            "Filter": {"Prefix": ""},
                            "DeleteMarkerReplication": {"Status": "Disabled"},
                            "Destination": {"Bucket": f"arn:aws:s3:::{bucket.replicates_to}"},
                        }
                    ],
                },
            )


def _create(s3: S3Client, bucket: Bucket) -> None:
    extra: dict[str, Any] = {"ObjectLockEnabledForBucket": True} if bucket.locked else {}
    # us-east-1 is the region without a name: a bucket there has no LocationConstraint, and naming it is refused.
    if bucket.region != "us-east-1":
        extra["CreateBucketConfiguration"] = {"LocationConstraint": bucket.region}
    s3.create_bucket(Bucket=bucket.name, **extra)


@dataclass(frozen=True)
class Put:
    """One object to write, ``versions`` times (earlier versions differ by their first line)."""

    bucket: str
    key: str
    body: str | bytes
    versions: int = 1


class Uploader:
    """Writes objects on a few threads while rows are made; holds one chunk's objects at a time."""

    def __init__(self, settings: ObjectSettings, *, threads: int = 4) -> None:
        self._s3 = client(settings, connections=threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="objects")
        self._pending: list[Future[None]] = []
        self.count = 0

    def __enter__(self) -> Uploader:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def wait(self) -> None:
        """Wait for what was handed over, and raise its first error."""
        for future in self._pending:
            future.result()
        self._pending.clear()

    def put_all(self, puts: Iterable[Put]) -> None:
        """Hand over the next chunk, after the one before is written."""
        self.wait()
        for put in puts:
            self.count += put.versions
            self._pending.append(self._pool.submit(self._put, put))

    def _put(self, put: Put) -> None:
        for version in range(put.versions, 0, -1):
            body = put.body if isinstance(put.body, bytes) else put.body.encode()
            if version > 1:
                body = f"older version {version}\n".encode() + body
            self._s3.put_object(Bucket=put.bucket, Key=put.key, Body=body)


def vendor_objects(anchor: date) -> list[Put]:
    """Files that lead to no planted person: raw logs, vendors' drops, a backup, and the scratch bucket abroad."""
    puts = []
    for hours in range(1, 25):
        at = datetime(anchor.year, anchor.month, anchor.day, tzinfo=UTC) - timedelta(hours=hours)
        lines = (
            f"198.51.100.{n} www.example.org [{at:%d/%b/%Y:%H}:{n:02d}:00 +0000] "
            f'"GET /news/{n} HTTP/2" 200 "Firefox/145 (made up)" -\n'
            for n in range(1, 40)
        )
        puts.append(Put("imp-weblogs", f"weblogs/{at:%Y/%m/%d/%H}.log", "".join(lines)))
    day = f"{anchor - timedelta(days=1)}"
    puts += [
        Put("imp-badge-scan-vendor", f"drops/{day}/scans.csv", "badge_code,scanned_at\nB99999999,\n"),
        Put("imp-esp-exports", f"exports/{day}/subscribers.csv", "email\nvisitor.esp@list.example.org\n"),
        Put("imp-backups", f"backups/{day}.dump", "encrypted backup (made up)", versions=2),
        Put("imp-backups-copy", f"backups/{day}.dump", "encrypted backup (made up)"),
        Put("imp-analytics-scratch", f"experiments/{day}/readers.csv", "email\nvisitor.test@list.example.org\n"),
    ]
    return puts
