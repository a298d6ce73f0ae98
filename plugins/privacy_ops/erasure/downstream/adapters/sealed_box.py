"""Encrypts identifiers for one party: X25519 with a fresh key, HKDF-SHA256, AES-256-GCM."""

from __future__ import annotations

import base64
import secrets
from typing import Any

ALGORITHM = "X25519-HKDF-SHA256-AES256GCM"
_INFO = b"privacy_ops downstream"


def _cipher(shared: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, None, _INFO).derive(shared))


def seal(public_key: str, plain: bytes, associated: bytes) -> dict[str, str]:
    """``public_key``: 32 raw bytes in base64. ``associated`` (the instruction's id) must be known to open it."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    fresh, nonce = X25519PrivateKey.generate(), secrets.token_bytes(12)
    shared = fresh.exchange(X25519PublicKey.from_public_bytes(base64.b64decode(public_key)))

    def text(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    return {
        "algorithm": ALGORITHM,
        "ephemeral_key": text(fresh.public_key().public_bytes_raw()),
        "nonce": text(nonce),
        "ciphertext": text(_cipher(shared).encrypt(nonce, plain, associated)),
    }


def unseal(private_key: bytes, box: dict[str, str], associated: bytes) -> bytes:
    """The party's side, for tests and as an example. Raises InvalidTag when anything was changed."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    raw = {name: base64.b64decode(box[name]) for name in ("ephemeral_key", "nonce", "ciphertext")}
    theirs = X25519PublicKey.from_public_bytes(raw["ephemeral_key"])
    shared = X25519PrivateKey.from_private_bytes(private_key).exchange(theirs)
    return bytes(_cipher(shared).decrypt(raw["nonce"], raw["ciphertext"], associated))
