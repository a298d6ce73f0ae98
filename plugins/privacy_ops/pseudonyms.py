"""Keyed references to people: what may stand in a ledger or a suppression list instead of an identifier.

HMAC-SHA-256 with one key per purpose. A keyed hash is still pseudonymous personal data while its key lives
(WP29 Opinion 05/2014); it is what remains after an erasure, never the way we erase.
"""

from __future__ import annotations

import contextlib
import hmac
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from privacy_ops.settings import KeyRing


@dataclass(frozen=True)
class Reference:
    """``value`` is 64 hex digits under the key ``key_id``."""

    key_id: str
    value: str


def _digest(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def reference(keys: KeyRing, purpose: str, text: str) -> Reference:
    """Reference under the current key of ``purpose``. Raises ConfigError when there is none."""
    key_id, key = keys.current_key(purpose)
    return Reference(key_id, _digest(key, text))


def references_all_keys(keys: KeyRing, purpose: str, text: str) -> tuple[Reference, ...]:
    """References under every key of ``purpose`` that is still held, for look-ups after a key rotation."""
    return tuple(Reference(key_id, _digest(key, text)) for key_id, key in sorted(keys.hmac.get(purpose, {}).items()))


class Referrer:
    """References to many, under every key of ``purpose`` that is still held, the current key's first.

    Raises ConfigError when there is no current key.
    """

    def __init__(self, keys: KeyRing, purpose: str) -> None:
        self.key_id, current = keys.current_key(purpose)
        others = [key for key_id, key in sorted(keys.hmac[purpose].items()) if key_id != self.key_id]
        self._keys = (current, *others)

    def values(self, text: str) -> list[str]:
        """The same as ``references_all_keys``, without the names of the keys."""
        return [_digest(key, text) for key in self._keys]


def subject_text(key: Iterable[object], *, table: str = "") -> str:
    """Canonical text of a subject's or row's key. Parts are length-prefixed, so no two keys share a text."""
    return "".join([f"{len(part)}:{part}" for part in (table, *map(str, key))])


def normalise_email(text: str) -> str:
    """Trimmed, NFKC, case folded, no invisible characters, IDNA domain; applied twice it changes nothing.

    Dots and ``+tag`` stay: they may be different people.
    """
    folded = _fold(text)
    local, at, domain = folded.rpartition("@")
    if not at:
        return folded
    if domain.isascii() and "xn--" not in domain:
        return folded
    with contextlib.suppress(UnicodeError):  # not a host name: keep what was written
        domain = domain.encode("idna").decode("ascii").lower()
    return f"{local}@{domain}"


def _fold(text: str) -> str:
    """Like NFKC_Casefold of Unicode: folding may undo a composition and the other way round, so until it rests."""
    if text.isascii():  # nearly every address; the rest is fifty times slower
        return text.strip().lower()
    before = None
    while text != before:
        before = text
        visible = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
        text = visible.strip().casefold()
    return text
