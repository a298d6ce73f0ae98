"""SHA256SUMS and its signature, which a recipient checks with a tool that is there already.

The tool is ``ssh-keygen``: Windows 10 and later, macOS and Linux bring it along. ``openssl pkeyutl -rawin`` would do,
but Windows has no openssl, and that of macOS lacks the option. The signature is OpenSSH's SSHSIG: Ed25519 under a
namespace, so that it can never be taken for anything else that the key has signed.
https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from privacy_ops import signing

SUMS = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.sig"
SIGNERS = "allowed_signers"
NAMESPACE = "course-usage-pack"
IDENTITY = "publisher"
# The same line in a POSIX shell and in the Windows command prompt; run in the folder of the pack.
COMMAND = f"ssh-keygen -Y verify -f {SIGNERS} -I {IDENTITY} -n {NAMESPACE} -s {SIGNATURE} < {SUMS}"

_KEY_TYPE = b"ssh-ed25519"
_HASH = b"sha512"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_.-]+)")


class Signer(Protocol):
    """Whoever signs: 32 bytes of an Ed25519 public key, and 64 bytes of signature for any data."""

    @property
    def public_key(self) -> bytes: ...

    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True)
class KeySigner:
    """Signs with a private key in PEM; the key stays out of every repr."""

    private_pem: bytes

    def __repr__(self) -> str:
        return "KeySigner()"

    @property
    def public_key(self) -> bytes:
        return signing.raw_public_keys(signing.public_key_pem(self.private_pem))[0]

    def sign(self, data: bytes) -> bytes:
        return signing.sign_bytes(self.private_pem, data)


def write(files: Mapping[str, bytes]) -> bytes:
    """One line per file, sorted by name, as ``sha256sum`` writes and reads them."""
    return "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in sorted(files.items())).encode()


def parse(sums: bytes) -> dict[str, str]:
    """Hash by file name. Raises ValueError for anything that ``write`` would not have written."""
    lines = sums.decode("ascii").splitlines()
    found = [match.groups() for line in lines if (match := _LINE.fullmatch(line))]
    names = [name for _, name in found]
    if len(found) != len(lines) or names != sorted(set(names)) or not sums.endswith(b"\n"):
        raise ValueError("SHA256SUMS is not a list of hashes and names")
    return {name: digest for digest, name in found}


def sign(sums: bytes, signer: Signer) -> bytes:
    """The signature file. Deterministic, because Ed25519 is."""
    blob = _envelope(signer.public_key) + _string(_string(_KEY_TYPE) + _string(signer.sign(_signed(sums))))
    text = base64.b64encode(blob).decode()
    lines = [text[i : i + 70] for i in range(0, len(text), 70)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def verifies(sums: bytes, signature: bytes, public_keys: Iterable[bytes]) -> bool:
    """Whether one of the keys (32 bytes each) made this signature of ``sums``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        lines = signature.decode("ascii").splitlines()
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    except (UnicodeDecodeError, binascii.Error):
        return False
    if len(lines) < 3 or (lines[0], lines[-1]) != (_BEGIN, _END):
        return False
    for key in public_keys:
        # All before the 64 bytes is fixed, so it is compared and never parsed.
        head = _envelope(key) + _string(_string(_KEY_TYPE) + _string(bytes(64)))[:-64]
        if len(blob) != len(head) + 64 or not blob.startswith(head):
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(blob[-64:], _signed(sums))
        except InvalidSignature:
            continue
        return True
    return False


def allowed_signers(public_key: bytes) -> bytes:
    """The file by which ``ssh-keygen`` knows the key, and for which signatures it is good."""
    encoded = base64.b64encode(_public_blob(public_key)).decode()
    return f'{IDENTITY} namespaces="{NAMESPACE}" {_KEY_TYPE.decode()} {encoded}\n'.encode()


def fingerprint(public_key: bytes) -> str:
    """The key's name as ``ssh-keygen`` prints it."""
    digest = hashlib.sha256(_public_blob(public_key)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _public_blob(public_key: bytes) -> bytes:
    return _string(_KEY_TYPE) + _string(public_key)


def _envelope(public_key: bytes) -> bytes:
    """What stands before the signature in the file: version 1, key, namespace, nothing reserved, hash."""
    head = b"SSHSIG" + struct.pack(">I", 1) + _string(_public_blob(public_key))
    return head + _string(NAMESPACE.encode()) + _string(b"") + _string(_HASH)


def _signed(sums: bytes) -> bytes:
    """What the key signs."""
    digest = hashlib.sha512(sums).digest()
    return b"SSHSIG" + _string(NAMESPACE.encode()) + _string(b"") + _string(_HASH) + _string(digest)
