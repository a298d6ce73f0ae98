"""Ed25519 signatures over canonical JSON: what was signed can be checked by anybody with the public key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from privacy_ops.errors import ConfigError
from privacy_ops.settings import KeyRing

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_END = b"-----END PUBLIC KEY-----"
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Mapping[str, object]) -> str:
    """One text per value: sorted keys, no blanks, no NaN. Raises ValueError, TypeError for what JSON lacks."""
    return _CANONICAL.encode(value)


def generate_key_pem() -> bytes:
    """A new private key as unencrypted PKCS#8 PEM."""
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())


def _private(pem: bytes | None) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem or b"", None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            "there is no usable Ed25519 signing key",
            where="PRIVACY_OPS_SIGNING_KEY_FILE",
            do="name a PEM file with an unencrypted Ed25519 private key",
        )
    return key


def _publics(pem: bytes) -> list[Ed25519PublicKey]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    keys = []
    for block in pem.split(_END)[:-1]:
        try:
            key = load_pem_public_key(block.strip() + b"\n" + _END + b"\n")
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise ConfigError("a public key is not Ed25519 PEM", do="give PEM blocks of Ed25519 public keys")
        keys.append(key)
    if not keys:
        raise ConfigError("no public key was given", do="give PEM blocks of Ed25519 public keys")
    return keys


def public_key_pem(private_pem: bytes | None) -> bytes:
    """The public half as PEM. Raises ConfigError."""
    from cryptography.hazmat.primitives import serialization as s

    return _private(private_pem).public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)


def trusted_keys(keys: KeyRing) -> bytes:
    """PEM blocks of the key in use and of its predecessors."""
    return public_key_pem(keys.signing_key_pem) + keys.trusted_keys_pem


def fingerprint(public_pem: bytes) -> str:
    """SHA-256 of a public key's raw bytes, to name it."""
    return hashlib.sha256(_publics(public_pem)[0].public_bytes_raw()).hexdigest()


def sign(private_pem: bytes | None, body: Mapping[str, object]) -> str:
    """Signature of the canonical JSON of ``body`` as hex. Deterministic. Raises ConfigError."""
    return _private(private_pem).sign(canonical_json(body).encode()).hex()


def verifies(public_pem: bytes, body: Mapping[str, object], signature: str) -> bool:
    """Whether one of the keys in ``public_pem`` (one or more PEM blocks) made this signature of ``body``."""
    from cryptography.exceptions import InvalidSignature

    data = canonical_json(body).encode()
    for key in _publics(public_pem):
        try:
            key.verify(bytes.fromhex(signature), data)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def sign_bytes(private_pem: bytes | None, data: bytes) -> bytes:
    """The 64 bytes of a signature of ``data`` as they are. Deterministic. Raises ConfigError."""
    return _private(private_pem).sign(data)


def raw_public_keys(public_pem: bytes) -> tuple[bytes, ...]:
    """The 32 bytes of each key in ``public_pem`` (one or more PEM blocks). Raises ConfigError."""
    return tuple(key.public_bytes_raw() for key in _publics(public_pem))
