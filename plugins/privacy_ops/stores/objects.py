"""S3-compatible object stores through boto3. This module is its only user.

Errors that leave here carry the S3 code and the bucket, never a key: keys may name a person.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from privacy_ops.errors import StoreRefused, StoreUnavailable
from privacy_ops.settings import ObjectSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ObjectExists(StoreRefused):
    """``put_if_absent`` found the key taken."""


@dataclass(frozen=True)
class ObjectVersion:
    """One version or delete marker of one key."""

    key: str
    version_id: str
    is_marker: bool
    size: int = 0


@dataclass(frozen=True)
class BucketFacts:
    """What the API says about one bucket. ``location`` is the raw LocationConstraint (None = us-east-1)."""

    bucket: str
    location: str | None
    versioning: bool
    replication_targets: tuple[str, ...]
    object_lock: bool


@contextmanager
def _clean_errors(bucket: str) -> Generator[None, None, None]:
    from botocore import exceptions as boto

    try:
        yield
    except boto.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in {"PreconditionFailed", "ConditionalRequestConflict"}:
            raise ObjectExists("an object of this name exists already", where=f"bucket {bucket}") from None
        if code in {"NoSuchBucket"}:
            raise StoreRefused(
                "the bucket does not exist", where=f"bucket {bucket}", do="create it or correct its name"
            ) from None
        if code in {"NoSuchKey", "404", "NoSuchVersion"}:
            raise StoreRefused("the object does not exist", where=f"bucket {bucket}") from None
        if status >= 500 or code in {"SlowDown", "RequestTimeout", "InternalError"}:
            raise StoreUnavailable(f"object store error {code} at bucket {bucket}") from None
        raise StoreRefused(
            f"the object store refused ({code})", where=f"bucket {bucket}", do="correct keys and rights"
        ) from None
    except boto.BotoCoreError as error:
        raise StoreUnavailable(
            f"the object store cannot be reached ({type(error).__name__}) for bucket {bucket}. "
            "What to do: start it, or correct the endpoint"
        ) from None


class ObjectStore:
    """One S3 endpoint."""

    def __init__(self, settings: ObjectSettings) -> None:
        self._settings = settings
        self._client: S3Client | None = None

    @property
    def client(self) -> S3Client:
        """The boto3 client, made on first use (importing boto3 is slow)."""
        if self._client is None:
            # At DEBUG these write every key and header, and keys may name a person.
            for name in ("boto3", "botocore", "s3transfer", "urllib3"):
                logging.getLogger(name).setLevel(logging.INFO)
            import boto3
            from botocore.config import Config

            self._client = boto3.client(
                "s3",
                endpoint_url=self._settings.endpoint_url,
                aws_access_key_id=self._settings.access_key,
                aws_secret_access_key=self._settings.secret_key,
                region_name=self._settings.region,
                config=Config(
                    retries={"max_attempts": 4, "mode": "standard"},
                    connect_timeout=10,
                    read_timeout=60,
                    s3={"addressing_style": "path"} if self._settings.endpoint_url else {},
                ),
            )
        return self._client

    def buckets(self) -> list[str]:
        """Names of all buckets that the credentials can list."""
        with _clean_errors("(all)"):
            return sorted(b["Name"] for b in self.client.list_buckets().get("Buckets", []) if "Name" in b)

    def get(self, bucket: str, key: str, *, version_id: str | None = None) -> bytes:
        """Body of the current version, or of ``version_id``. Raises StoreRefused, StoreUnavailable."""
        with _clean_errors(bucket):
            if version_id is None:
                return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
            return self.client.get_object(Bucket=bucket, Key=key, VersionId=version_id)["Body"].read()

    def exists(self, bucket: str, key: str) -> bool:
        from botocore.exceptions import ClientError

        with _clean_errors(bucket):
            try:
                self.client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                    return False
                raise
            return True

    def put(self, bucket: str, key: str, body: bytes, *, content_type: str = "application/octet-stream") -> str:
        """Write, replacing what is there; returns the version id ("" on an unversioned bucket)."""
        with _clean_errors(bucket):
            answer = self.client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
            return answer.get("VersionId", "")

    def put_if_absent(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        locked_until: datetime | None = None,
    ) -> str:
        """Write only if the key is free (``IfNoneMatch='*'``); returns the version id. Raises ObjectExists."""
        extra: dict[str, Any] = {}
        if locked_until is not None:
            extra = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": locked_until}
        with _clean_errors(bucket):
            answer = self.client.put_object(
                Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*", **extra
            )
            return answer.get("VersionId", "")

    def versions(self, bucket: str, prefix: str = "", *, exact: bool = False) -> Iterator[ObjectVersion]:
        """Every version and delete marker below ``prefix``; with ``exact`` only of that very key.

        Works on unversioned buckets too (version id "null").
        """
        with _clean_errors(bucket):
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                for entry in page.get("Versions", []):
                    if not exact or entry["Key"] == prefix:
                        yield ObjectVersion(entry["Key"], entry["VersionId"], False, entry.get("Size", 0))
                for marker in page.get("DeleteMarkers", []):
                    if not exact or marker["Key"] == prefix:
                        yield ObjectVersion(marker["Key"], marker["VersionId"], True)

    def keys(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """Current keys below ``prefix``."""
        with _clean_errors(bucket):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield entry["Key"]

    def delete_versions(self, bucket: str, versions: Iterable[ObjectVersion]) -> int:
        """Delete exactly these versions and markers; returns how many went. Raises StoreRefused on any refusal."""
        gone = 0
        batch: list[ObjectVersion] = []

        def flush() -> int:
            with _clean_errors(bucket):
                answer = self.client.delete_objects(
                    Bucket=bucket,
                    Delete={
                        "Objects": [{"Key": v.key, "VersionId": v.version_id} for v in batch],
                        "Quiet": True,
                    },
                )
            errors = answer.get("Errors", [])
            if errors:
                codes = sorted({str(e.get("Code", "unknown")) for e in errors})
                raise StoreRefused(
                    f"{len(errors)} object versions were not deleted ({', '.join(codes)})",
                    where=f"bucket {bucket}",
                    do="look for object lock or missing rights; the case stays open",
                )
            return len(batch)

        for version in versions:
            batch.append(version)
            if len(batch) == 1000:
                gone += flush()
                batch.clear()
        if batch:
            gone += flush()
        return gone

    def multipart_uploads(self, bucket: str, prefix: str = "") -> list[tuple[str, str]]:
        """Unfinished uploads as (key, upload id)."""
        with _clean_errors(bucket):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
            return [(u["Key"], u["UploadId"]) for page in pages for u in page.get("Uploads", [])]

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        with _clean_errors(bucket):
            self.client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)

    def facts(self, bucket: str) -> BucketFacts:
        """Location, versioning, replication and lock of one bucket. Raises StoreRefused when it cannot look."""
        from botocore.exceptions import ClientError

        def optional(call: str, absent: frozenset[str]) -> dict[str, Any]:
            try:
                return dict(getattr(self.client, call)(Bucket=bucket))
            except ClientError as error:
                if str(error.response.get("Error", {}).get("Code")) in absent:
                    return {}
                raise

        with _clean_errors(bucket):
            location = self.client.get_bucket_location(Bucket=bucket).get("LocationConstraint")
            versioning = self.client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
            rules = optional("get_bucket_replication", frozenset({"ReplicationConfigurationNotFoundError"}))
            lock = optional("get_object_lock_configuration", frozenset({"ObjectLockConfigurationNotFoundError"}))
        targets = {
            str(rule.get("Destination", {}).get("Bucket", "")).removeprefix("arn:aws:s3:::")
            for rule in rules.get("ReplicationConfiguration", {}).get("Rules", [])
            if rule.get("Status") == "Enabled"
        }
        return BucketFacts(bucket, location, versioning, tuple(sorted(targets)), bool(lock))
