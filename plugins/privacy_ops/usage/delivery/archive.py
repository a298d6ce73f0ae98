"""A registered pack as one ZIP file: the same bytes whenever and wherever it is made."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from privacy_ops import signing
from privacy_ops.settings import KeyRing
from privacy_ops.usage.files import sums
from privacy_ops.usage.pack import pack_sha256

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that ZIP can name
_UNIX = 3
_READABLE = 0o100644 << 16


def name_of(period_key: str, release_id: str) -> str:
    """The file's name without its ending, and the folder that it unpacks to."""
    return f"course-usage_{period_key}_{release_id}"


def key_of(recipient_id: str, period_key: str, release_id: str) -> str:
    """Where the file of a release stands in the bucket of exports; a recipient has a prefix of its own."""
    return f"{prefix_of(recipient_id, release_id)}{name_of(period_key, release_id)}.zip"


def prefix_of(recipient_id: str, release_id: str) -> str:
    return f"delivery/{recipient_id}/{release_id}/"


def pack_zip(folder: str, files: Mapping[str, bytes]) -> bytes:
    """``files`` by name, in order, below ``folder``. Not compressed: no version of any library changes the bytes."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE
            archive.writestr(entry, files[name])
    return body.getvalue()


def is_registered(files: Mapping[str, bytes], registered: Iterable[Mapping[str, Any]], sha256: str) -> bool:
    """Whether exactly these files, byte for byte, are in the register: nothing missing, nothing more."""
    told = {str(one["name"]): str(one["sha256"]) for one in registered}
    found = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    return bool(found) and found == told and pack_sha256(files) == sha256


def signer(body: bytes, keys: KeyRing) -> str:
    """Name of the key of ours that signed the SHA256SUMS in a ZIP; "" when there is no signature, or none of ours."""
    if keys.signing_key_pem is None:
        return ""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        held = {name.rpartition("/")[2]: name for name in archive.namelist()}
        if sums.SUMS not in held or sums.SIGNATURE not in held:
            return ""
        listed, signature = archive.read(held[sums.SUMS]), archive.read(held[sums.SIGNATURE])
    ours = signing.raw_public_keys(signing.trusted_keys(keys))
    return next((sums.fingerprint(key) for key in ours if sums.verifies(listed, signature, [key])), "")
