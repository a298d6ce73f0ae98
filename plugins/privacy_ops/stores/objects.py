"""S3-compatible object stores through boto3. This module is its only user.

Errors that leave here carry the S3 code and the bucket, never a key: keys may name a person.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from privacy_ops.errors import ConfigError, StoreRefused, StoreUnavailable
from privacy_ops.settings import ObjectSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_NOT_IN_A_CODE = re.compile(r"[^A-Za-z0-9_]")
_BATCH = 1000  # what one delete_objects call may name
_PART = 64 * 2**20
# Larger bodies go up in parts; one put carries 5 GiB at most.
_SINGLE_PUT = 1024 * 2**20
MULTI_REGION_HOME = "us-west-2"  # AWS answers for access points of many regions there alone
# S3 refuses a signature of version 4 that is to last longer.
LONGEST_LINK = timedelta(days=7)
_HERE = ("127.0.0.1", "::1", "localhost")
# Codes of single keys in an answer to delete_objects that another attempt may get past.
TRANSIENT_CODES = frozenset({"InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted"})


class ObjectRefused(StoreRefused):
    """The store answered and refused. ``code`` is S3's, as letters, digits and underscores."""

    def __init__(self, what: str, *, where: str = "", do: str = "", code: str = "REFUSED") -> None:
        super().__init__(what, where=where, do=do)
        self.code = f"HTTP_{code}" if code.isdigit() else _NOT_IN_A_CODE.sub("_", code) or "REFUSED"


class ObjectExists(StoreRefused):
    """``put_if_absent`` found the key taken."""


class ObjectMissing(StoreRefused):
    """There is no such key, or no such version of it."""


class ObjectChanged(StoreRefused):
    """Somebody wrote the object after it was read."""


@dataclass(frozen=True)
class ObjectVersion:
    """One version or delete marker of one key."""

    key: str
    version_id: str
    is_marker: bool
    size: int = 0
    etag: str = ""
    is_latest: bool = False
    modified: datetime | None = None


@dataclass(frozen=True)
class NotDeleted:
    """One key that an answer to delete_objects calls not deleted. Some stores leave the version out (``None``)."""

    key: str
    version_id: str | None
    code: str


@dataclass(frozen=True)
class Lock:
    """What keeps a version from being deleted: retention up to ``until``, a legal hold, or both."""

    until: datetime | None
    legal_hold: bool


@dataclass(frozen=True)
class ObjectFacts:
    """Everything about one version that a rewritten one takes over. ``kept`` are arguments of a put."""

    version_id: str
    etag: str
    size: int
    lock: Lock | None
    kept: Mapping[str, Any] = field(repr=False)
    tags: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Link:
    """A signed address of one object version: whoever holds it can fetch it. Never stored and never logged."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class BucketFacts:
    """What the API says about one bucket. ``location`` is the raw LocationConstraint (None = us-east-1)."""

    bucket: str
    location: str | None
    versioning: bool
    replication_targets: tuple[str, ...]
    object_lock: bool
    target_accounts: Mapping[str, str] = field(default_factory=dict)  # of targets that the rules put elsewhere


@dataclass(frozen=True)
class BucketSharing:
    """Whom a bucket lets in, as the store tells it. Never shown: a policy may hold anything."""

    bucket: str
    policy: str | None = field(repr=False)
    grants: Sequence[Mapping[str, Any]] = field(repr=False)
    owner: str | None = field(repr=False)


@dataclass(frozen=True)
class AccessPoint:
    """One access point of a bucket, with its own policy. ``account``: whose the bucket is, where the store says it."""

    name: str
    bucket: str
    policy: str | None = field(repr=False)
    account: str = ""
    multi_region: bool = False


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
            raise ObjectRefused(
                "the bucket does not exist", where=f"bucket {bucket}", do="create it or correct its name", code=code
            ) from None
        if code in {"NoSuchKey", "404", "NoSuchVersion"}:
            raise ObjectMissing("the object does not exist", where=f"bucket {bucket}") from None
        if status >= 500 or code in {"SlowDown", "RequestTimeout", "InternalError"}:
            raise StoreUnavailable(f"object store error {code} at bucket {bucket}") from None
        raise ObjectRefused(
            f"the object store refused ({code})", where=f"bucket {bucket}", do="correct keys and rights", code=code
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
        self._signer: S3Client | None = None

    @property
    def client(self) -> S3Client:
        """The boto3 client, made on first use (importing boto3 is slow)."""
        if self._client is None:
            self._client = self._connect(self._settings.endpoint_url)
        return self._client

    def _connect(
        self, endpoint_url: str | None, *, style: Literal["auto", "virtual"] = "auto", **more: Any
    ) -> S3Client:
        # At DEBUG these write every key and header, and keys may name a person.
        for name in ("boto3", "botocore", "s3transfer", "urllib3"):
            logging.getLogger(name).setLevel(logging.INFO)
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            aws_access_key_id=self._settings.access_key,
            aws_secret_access_key=self._settings.secret_key,
            region_name=self._settings.region,
            config=Config(
                retries={"max_attempts": 4, "mode": "standard"},
                connect_timeout=10,
                read_timeout=60,
                s3={"addressing_style": "path" if endpoint_url else style},
                **more,
            ),
        )

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

    def link(self, bucket: str, key: str, version_id: str, *, lasts: timedelta) -> Link:
        """A link that fetches exactly this version ("": there is no versioning) until it expires.

        Signed here (signature version 4), without asking the store; from what address is ``link_url``. Raises
        ConfigError for an address without TLS beyond this machine, ValueError for more than seven days.
        """
        if not timedelta(seconds=1) <= lasts <= LONGEST_LINK:
            raise ValueError("S3 signs links for a second to seven days")
        endpoint = self._settings.link_url or self._settings.endpoint_url
        if endpoint:
            parts = urlsplit(endpoint)
            if parts.scheme != "https" and parts.hostname not in _HERE:
                raise ConfigError(
                    "a link would leave this machine without TLS",
                    where=parts.hostname or "link_url",
                    do="set link_url in the connection privacy_ops_objects, or PRIVACY_OPS_S3_LINK_URL, to https://…",
                )
        # The address of the region itself: a redirect from the global one would break the signature.
        if self._signer is None:
            self._signer = self._connect(endpoint, signature_version="s3v4", style="virtual")
        with _clean_errors(bucket):
            url = self._signer.generate_presigned_url(
                "get_object",
                Params={"Bucket": bucket, "Key": key, **_of_version(version_id)},
                ExpiresIn=int(lasts.total_seconds()),
                HttpMethod="GET",
            )
        asked = parse_qs(urlsplit(url).query)
        signed_at = datetime.strptime(asked["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return Link(url, signed_at + timedelta(seconds=int(asked["X-Amz-Expires"][0])))

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

    def put_same(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        locked_until: datetime | None = None,
    ) -> bool:
        """Write once: True when this call wrote, False when the very same bytes are there (a retry).

        Raises ObjectExists when others are there; the caller says what that means.
        """
        try:
            self.put_if_absent(bucket, key, body, content_type=content_type, locked_until=locked_until)
        except ObjectExists:
            if self.get(bucket, key) != body:
                raise
            return False
        return True

    def versions(self, bucket: str, prefix: str = "", *, exact: bool = False) -> Iterator[ObjectVersion]:
        """Every version and delete marker below ``prefix``; with ``exact`` only of that very key.

        Works on unversioned buckets too (version id "null").
        """
        with _clean_errors(bucket):
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                found = _listed(page)
                if not exact:
                    yield from found
                    continue
                yield from (version for version in found if version.key == prefix)
                if _is_past(found, prefix):
                    return

    def version_pages(self, bucket: str, prefix: str, *, exact: bool = False) -> Iterator[list[ObjectVersion]]:
        """The same page by page (at most 1000 each), fit for deleting while one lists.

        A page is handed out after the next one was fetched: its marker names a version that is still there.
        """
        with _clean_errors(bucket):
            before: list[ObjectVersion] | None = None
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                found = _listed(page)
                if before is not None:
                    yield before
                before = [v for v in found if not exact or v.key == prefix]
                if exact and _is_past(found, prefix):
                    break
            if before is not None:
                yield before

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

    def delete_batch(self, bucket: str, versions: Sequence[ObjectVersion]) -> list[NotDeleted]:
        """Delete at most 1000 versions and markers in one call; returns those that the answer calls not deleted."""
        if len(versions) > _BATCH:
            raise ValueError(f"at most {_BATCH} versions in one call")
        if not versions:  # S3 refuses an empty list as malformed
            return []
        with _clean_errors(bucket):
            answer = self.client.delete_objects(
                Bucket=bucket,
                Delete={"Objects": [{"Key": v.key, "VersionId": v.version_id} for v in versions], "Quiet": True},
            )
        return [
            NotDeleted(str(e.get("Key", "")), e.get("VersionId"), str(e.get("Code", "unknown")))
            for e in answer.get("Errors", [])
        ]

    def lock_of(self, bucket: str, key: str, version_id: str) -> Lock | None:
        """Retention and legal hold of one version. Raises ObjectMissing when it is gone."""
        with _clean_errors(bucket):
            return _lock(self.client.head_object(Bucket=bucket, Key=key, **_of_version(version_id)))

    @contextmanager
    def reading(self, bucket: str, version: ObjectVersion) -> Generator[IO[bytes], None, None]:
        """The body of one version as a stream. Raises ObjectMissing (it is gone, or no longer the one that was
        listed), StoreRefused, StoreUnavailable.
        """
        same: dict[str, Any] = {"IfMatch": version.etag} if version.etag else {}
        try:
            with _clean_errors(bucket):
                answer = self.client.get_object(Bucket=bucket, Key=version.key, VersionId=version.version_id, **same)
        except ObjectExists:
            raise ObjectMissing("the object is no longer the one that was listed", where=f"bucket {bucket}") from None
        with _clean_errors(bucket), closing(answer["Body"]) as body:
            yield body  # type: ignore[misc]  # botocore's stream reads like a file

    def facts_of(self, bucket: str, key: str, version_id: str) -> ObjectFacts:
        """Head, tags and access list of one version ("null": of the object where there is no versioning)."""
        which: dict[str, Any] = {"Bucket": bucket, "Key": key, **_of_version(version_id)}
        with _clean_errors(bucket):
            head: Mapping[str, Any] = self.client.head_object(**which)
            tags = {t["Key"]: t["Value"] for t in self.client.get_object_tagging(**which).get("TagSet", [])}
            access = self.client.get_object_acl(**which)
        kept = {name: head[name] for name in _KEPT if head.get(name)}
        kept |= {put: head[got] for got, put in _KEPT_LOCK.items() if head.get(got)}
        kept |= _grants(access.get("Grants", []), access.get("Owner", {}).get("ID"))
        return ObjectFacts(
            str(head.get("VersionId", "null")),
            str(head["ETag"]),
            int(head["ContentLength"]),
            _lock(head),
            kept,
            tags,
        )

    def replace(
        self, bucket: str, key: str, body: IO[bytes], size: int, facts: ObjectFacts, *, now: datetime
    ) -> ObjectVersion:
        """Write ``body`` in place of the version that ``facts`` describe, with everything that they say.

        Returns the new version (id "null" without versioning). Raises ObjectChanged when the object is no longer
        that version: If-Match on its ETag, and on a versioned bucket also by the version before the new one, since
        some stores pass over If-Match. What another wrote in between stays.
        """
        extra = dict(facts.kept)
        until = extra.get("ObjectLockRetainUntilDate")
        if until is not None and until <= now:  # a retention that has ended cannot be written
            extra = {k: v for k, v in extra.items() if k not in {"ObjectLockMode", "ObjectLockRetainUntilDate"}}
        if facts.tags:
            extra["Tagging"] = urlencode(facts.tags)
        try:
            with _clean_errors(bucket):
                if size <= _SINGLE_PUT:
                    put: Mapping[str, Any] = self.client.put_object(
                        Bucket=bucket, Key=key, Body=body, IfMatch=facts.etag, **extra
                    )
                else:
                    put = self._put_in_parts(bucket, key, body, facts.etag, extra)
        except (ObjectExists, ObjectMissing):
            raise ObjectChanged("the object was written meanwhile", where=f"bucket {bucket}") from None
        new = ObjectVersion(key, str(put.get("VersionId", "null")), False, size, str(put.get("ETag", "")))
        if new.version_id != "null":
            self._require_successor(bucket, key, new.version_id, facts)
        return new

    def _put_in_parts(
        self, bucket: str, key: str, body: IO[bytes], etag: str, extra: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        which: dict[str, Any] = {"Bucket": bucket, "Key": key}
        which["UploadId"] = self.client.create_multipart_upload(**which, **extra)["UploadId"]
        try:
            parts: list[Any] = []
            while data := body.read(_PART):
                number = len(parts) + 1
                answer = self.client.upload_part(**which, PartNumber=number, Body=data)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
            done = self.client.complete_multipart_upload(**which, MultipartUpload={"Parts": parts}, IfMatch=etag)
        except BaseException:
            self.client.abort_multipart_upload(**which)
            raise
        return done

    def _require_successor(self, bucket: str, key: str, version_id: str, facts: ObjectFacts) -> None:
        """The version that follows the new one in the listing (newest first) is the one that was read."""
        listed = iter([v for v in self.versions(bucket, key, exact=True) if not v.is_marker])
        for version in listed:
            if version.version_id == version_id:
                before = next(listed, None)
                if before is None or before.version_id == facts.version_id:
                    return
                self.delete_batch(bucket, [version])
                raise ObjectChanged("the object was written meanwhile", where=f"bucket {bucket}")

    def multipart_uploads(self, bucket: str, prefix: str = "") -> list[tuple[str, str]]:
        """Unfinished uploads as (key, upload id)."""
        with _clean_errors(bucket):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
            return [(u["Key"], u["UploadId"]) for page in pages for u in page.get("Uploads", [])]

    def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        with _clean_errors(bucket):
            self.client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)

    def copies(self, bucket: str) -> tuple[str, ...]:
        """Buckets that this one replicates to. Raises StoreRefused without the right to know."""
        from botocore.exceptions import ClientError

        with _clean_errors(bucket):
            try:
                rules: Any = self.client.get_bucket_replication(Bucket=bucket)
            except ClientError as error:
                if str(error.response.get("Error", {}).get("Code")) != "ReplicationConfigurationNotFoundError":
                    raise
                return ()
        return _replication_targets(rules)

    def clock(self) -> datetime:
        """What time the store says it is, to the second. Raises StoreRefused, StoreUnavailable."""
        with _clean_errors(""):
            said = self.client.list_buckets()["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return parsedate_to_datetime(said)
        except (TypeError, ValueError):
            raise StoreRefused("the object store does not say what time it is", do="look at its proxy") from None

    def encrypts(self, bucket: str) -> bool | None:
        """Whether new objects are encrypted by default; None where the store does not answer that."""
        from botocore.exceptions import ClientError

        try:
            rules = self.client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        except ClientError as error:
            absent = error.response.get("Error", {}).get("Code") == "ServerSideEncryptionConfigurationNotFoundError"
            return False if absent else None
        return bool(rules)

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
        return BucketFacts(
            bucket, location, versioning, _replication_targets(rules), bool(lock), _replication_accounts(rules)
        )

    def account(self) -> str:
        """Number of the account that the credentials belong to. Raises StoreRefused when the store has none."""
        with _clean_errors("(account)"):
            found = str(self._side_client("sts").get_caller_identity().get("Account", ""))
        if not found:
            raise StoreRefused("the object store does not tell the account of the credentials")
        return found

    def sharing(self, bucket: str) -> BucketSharing:
        """Policy and access list of one bucket. Raises StoreRefused without the right to read them."""
        from botocore.exceptions import ClientError

        with _clean_errors(bucket):
            try:
                policy: str | None = self.client.get_bucket_policy(Bucket=bucket)["Policy"]
            except ClientError as error:
                if str(error.response.get("Error", {}).get("Code")) != "NoSuchBucketPolicy":
                    raise
                policy = None
            access = self.client.get_bucket_acl(Bucket=bucket)
        grants: list[Any] = list(access.get("Grants", []))
        return BucketSharing(bucket, policy, grants, access.get("Owner", {}).get("ID"))

    def access_points(self, account: str) -> tuple[AccessPoint, ...]:
        """Access points of all buckets, asked for in every region that holds one. Raises StoreRefused.

        A store without access points refuses the question: that is not the same as having none.
        """
        regions = {self._settings.region}
        # AWS answers for one region at a time; an endpoint of one's own answers for all of them.
        for bucket in () if self._settings.endpoint_url else self.buckets():
            with _clean_errors(bucket):
                told: Any = self.client.get_bucket_location(Bucket=bucket)
                location = str(told.get("LocationConstraint") or "us-east-1")
            regions.add("eu-west-1" if location == "EU" else location)
        found: dict[tuple[str, str], AccessPoint] = {}
        for region in sorted(regions):
            client = self._side_client("s3control", region, account)
            with _clean_errors("(access points)"):
                for point in _pages(client.list_access_points, "AccessPointList", account):
                    name, bucket = str(point["Name"]), str(point["Bucket"])
                    policy = _access_point_policy(client, account, name)
                    found[bucket, name] = AccessPoint(name, bucket, policy, str(point.get("BucketAccountId") or ""))
        return (*(found[key] for key in sorted(found)), *self._multi_region_access_points(account))

    def _multi_region_access_points(self, account: str) -> Iterator[AccessPoint]:
        """One for each bucket behind each of them. Only AWS has them: a store of one's own that does not know the
        question has none, while a refusal of AWS is a refusal.
        """
        from botocore.exceptions import ClientError

        client = self._side_client("s3control", MULTI_REGION_HOME, account)
        with _clean_errors("(multi-region access points)"):
            try:
                points = list(_pages(client.list_multi_region_access_points, "AccessPoints", account))
            except ClientError as error:
                if self._settings.endpoint_url and _unknown_to_the_store(error):
                    return
                raise
            for point in points:
                name = str(point["Name"])
                policy = _multi_region_policy(client, account, name)
                for region in point.get("Regions", []):
                    owner = str(region.get("BucketAccountId") or "")
                    yield AccessPoint(name, str(region["Bucket"]), policy, owner, multi_region=True)

    def _side_client(self, service: str, region: str | None = None, account: str = "") -> Any:
        """A client of another service at the same endpoint, with the same credentials."""
        import boto3
        from botocore.config import Config

        self._connect(self._settings.endpoint_url)  # quiets the loggers
        make: Any = boto3.client
        made = make(
            service,
            endpoint_url=self._settings.endpoint_url,
            aws_access_key_id=self._settings.access_key,
            aws_secret_access_key=self._settings.secret_key,
            region_name=region or self._settings.region,
            config=Config(retries={"max_attempts": 2, "mode": "standard"}, connect_timeout=10, read_timeout=60),
        )
        if self._settings.endpoint_url and account:
            # The account goes before the host's name, which an address without names cannot serve.
            def keep_host(request: Any, **_: Any) -> None:
                request.url = request.url.replace(f"://{account}.", "://", 1)

            made.meta.events.register(f"before-sign.{made.meta.service_model.service_id.hyphenize()}", keep_host)
        return made


# What a head tells and a put takes, name by name.
_KEPT = (
    "Metadata",
    "ContentType",
    "ContentEncoding",
    "ContentDisposition",
    "ContentLanguage",
    "CacheControl",
    "Expires",
    "StorageClass",
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "BucketKeyEnabled",
    "WebsiteRedirectLocation",
)
_KEPT_LOCK = {
    "ObjectLockMode": "ObjectLockMode",
    "ObjectLockRetainUntilDate": "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus": "ObjectLockLegalHoldStatus",
}


_GRANT_ARGUMENTS = {
    "FULL_CONTROL": "GrantFullControl",
    "READ": "GrantRead",
    "READ_ACP": "GrantReadACP",
    "WRITE_ACP": "GrantWriteACP",
}


def _grants(grants: Sequence[Any], owner: str | None) -> dict[str, str]:
    """An access list as arguments of a put. Empty when only the owner has access, as where there are no lists."""
    named: dict[str, list[str]] = {}
    for grant in grants:
        grantee, argument = grant.get("Grantee", {}), _GRANT_ARGUMENTS.get(grant.get("Permission", ""))
        who = f'id="{grantee["ID"]}"' if "ID" in grantee else f'uri="{grantee.get("URI", "")}"'
        if argument is not None:
            named.setdefault(argument, []).append(who)
    alone = {"GrantFullControl": [f'id="{owner}"']}
    return {} if named == alone else {argument: ", ".join(who) for argument, who in named.items()}


def _replication_targets(rules: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        sorted({
            str(rule.get("Destination", {}).get("Bucket", "")).removeprefix("arn:aws:s3:::")
            for rule in rules.get("ReplicationConfiguration", {}).get("Rules", [])
            if rule.get("Status") == "Enabled"
        })
    )


def _replication_accounts(rules: Mapping[str, Any]) -> dict[str, str]:
    """Account of each target bucket, where the rule names one."""
    found = {}
    for rule in rules.get("ReplicationConfiguration", {}).get("Rules", []):
        target = rule.get("Destination", {})
        if rule.get("Status") == "Enabled" and target.get("Account"):
            found[str(target.get("Bucket", "")).removeprefix("arn:aws:s3:::")] = str(target["Account"])
    return found


def _pages(ask: Callable[..., Any], key: str, account: str) -> Iterator[Mapping[str, Any]]:
    """Every entry of a listing of the account's access points, page by page."""
    more: dict[str, str] = {}
    while True:
        page = ask(AccountId=account, **more)
        yield from page.get(key, [])
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _unknown_to_the_store(error: Any) -> bool:
    """Whether a store answers that it has no such operation, which is not the same as that we may not use it."""
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return status in {404, 405, 501} or str(error.response.get("Error", {}).get("Code")) == "NotImplemented"


def _access_point_policy(client: Any, account: str, name: str) -> str | None:
    told = _unless_missing(lambda: client.get_access_point_policy(AccountId=account, Name=name))
    return str(told["Policy"]) if told else None


def _multi_region_policy(client: Any, account: str, name: str) -> str | None:
    told = _unless_missing(lambda: client.get_multi_region_access_point_policy(AccountId=account, Name=name))
    policy = (told or {}).get("Policy", {}).get("Established", {}).get("Policy")
    return str(policy) if policy else None


def _unless_missing(ask: Callable[[], Any]) -> Any:
    """The answer, or None when the access point has no policy of its own."""
    from botocore.exceptions import ClientError

    try:
        return ask()
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        if code not in {"NoSuchAccessPointPolicy", "NoSuchMultiRegionAccessPointPolicy"}:
            raise
        return None


def _version(entry: Mapping[str, Any]) -> ObjectVersion:
    return ObjectVersion(
        entry["Key"],
        entry["VersionId"],
        False,
        entry.get("Size", 0),
        entry.get("ETag", ""),
        entry.get("IsLatest", False),
        entry.get("LastModified"),
    )


def _listed(page: Mapping[str, Any]) -> list[ObjectVersion]:
    found = [_version(entry) for entry in page.get("Versions", [])]
    return found + [ObjectVersion(m["Key"], m["VersionId"], True) for m in page.get("DeleteMarkers", [])]


def _is_past(found: Sequence[ObjectVersion], key: str) -> bool:
    """Whether a page of versions below ``key`` shows a longer key: the key itself comes before all of them."""
    return any(version.key != key for version in found)


def _of_version(version_id: str) -> dict[str, Any]:
    """The argument that names a version; none where there is no versioning."""
    return {} if version_id in {"", "null"} else {"VersionId": version_id}


def _lock(head: Mapping[str, Any]) -> Lock | None:
    until, held = head.get("ObjectLockRetainUntilDate"), head.get("ObjectLockLegalHoldStatus") == "ON"
    return Lock(until, held) if until is not None or held else None
