"""Links to releases against an S3 server that verifies signatures and expiry, as the embedded one does not.

The server is a package of npm with pinned hashes (``bench/verifying_store``), installed into a temporary folder.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.usage.delivery.archive import key_of

HERE = Path(__file__).parent / "verifying_store"
PROGRAMS = ("node", "npm")
BUCKET = "imp-exports"
BODY = b"a released pack"
# The server's one made-up account.
ACCESS, SECRET = "S3RVER", "S3RVER"
OURS, THEIRS = key_of("author-one", "2026-W46", "r1"), key_of("author-two", "2026-W46", "r2")
WEEK = timedelta(days=7)


class CannotProve(Exception):
    """The server is not to be had here; the message says why."""


@dataclass(frozen=True)
class Attack:
    """What was tried with a link, and whether the server gave nothing away."""

    title: str
    refused: bool


@contextmanager
def server() -> Iterator[ObjectSettings]:
    """The verifying server with two recipients' releases in it. Raises CannotProve."""
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        raise CannotProve(f"{' and '.join(missing)} missing")
    with tempfile.TemporaryDirectory(prefix="privacy-ops-links-") as made:
        folder = Path(made)
        for file in HERE.iterdir():
            shutil.copy(file, folder)
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(install, cwd=folder, capture_output=True, check=False).returncode:
            raise CannotProve("the server could not be installed from npm")
        store = subprocess.Popen(
            ["node", "serve.cjs", str(folder / "data"), BUCKET],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            port = store.stdout.readline().strip() if store.stdout else ""
            if not port:
                raise CannotProve("the server does not start with this version of Node")
            settings = ObjectSettings(f"http://127.0.0.1:{port}", ACCESS, SECRET, "eu-west-2")
            for key in (OURS, THEIRS):
                ObjectStore(settings).put(BUCKET, key, BODY)
            yield settings
        finally:
            store.kill()
            store.wait()


def fetches(url: str, method: str = "GET") -> bool:
    """Whether the server does what the request asks. Only 4xx counts as a refusal."""
    request = urllib.request.Request(url, method=method)  # ruff: ignore[S310] our own server
    try:
        with urllib.request.urlopen(request, timeout=30):  # ruff: ignore[S310]
            return True
    except urllib.error.HTTPError as error:
        if not 400 <= error.code < 500:
            raise
        return False


def changed(url: str, **query: str) -> str:
    """The same link with other values in its query."""
    parts = urlsplit(url)
    values = dict(parse_qsl(parts.query)) | query
    return urlunsplit(parts._replace(query=urlencode(values)))


def _other_digit(url: str) -> str:
    signature = dict(parse_qsl(urlsplit(url).query))["X-Amz-Signature"]
    return changed(url, **{"X-Amz-Signature": ("1" if signature[0] == "0" else "0") + signature[1:]})


def attack(settings: ObjectSettings, sleep: Callable[[float], None] = time.sleep) -> list[Attack]:
    """Try to get more out of a link than it gives. Raises AssertionError when an honest link does not work."""
    store = ObjectStore(settings)
    url = store.link(BUCKET, OURS, "", lasts=WEEK).url
    assert all(fetches(url) for _ in range(2)), "an honest link fetches, also twice"
    short = store.link(BUCKET, OURS, "", lasts=timedelta(seconds=1))
    sleep(3)
    forger = ObjectStore(ObjectSettings(settings.endpoint_url, ACCESS, "another secret", settings.region))
    stranger = ObjectStore(ObjectSettings(settings.endpoint_url, "NOBODY", SECRET, settings.region))
    tried = {
        "a link that has expired": short.url,
        "an expired link with a longer life written in": changed(short.url, **{"X-Amz-Expires": "604800"}),
        "an expired link with a later date written in": changed(
            short.url, **{"X-Amz-Date": dict(parse_qsl(urlsplit(url).query))["X-Amz-Date"], "X-Amz-Expires": "604800"}
        ),
        "a life of more than seven days": changed(url, **{"X-Amz-Expires": "604801"}),
        "another recipient's release": url.replace(OURS, THEIRS),
        "another version of the object": changed(url, versionId="another"),
        "the list of the bucket": url.replace(f"/{OURS}", "/"),
        "one digit of the signature changed": _other_digit(url),
        "signed with another secret": forger.link(BUCKET, OURS, "", lasts=WEEK).url,
        "signed by an unknown key": stranger.link(BUCKET, OURS, "", lasts=WEEK).url,
    }
    found = [Attack(title, not fetches(attempt)) for title, attempt in tried.items()]
    return found + [Attack(f"{method} with a link to fetch", not fetches(url, method)) for method in ("PUT", "DELETE")]
