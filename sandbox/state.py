"""What one runtime remembers in ``var/``: ports, passwords, people who may log in, keys, and what was filled.

Everything here is readable by its owner alone. Passwords and ports live in ``runtime.json``; keys, which
outlive `make down`, in ``keys/``.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from privacy_ops.settings import DUTIES, KEY_PURPOSES

PROJECT = Path(__file__).resolve().parents[1]

# Where ports are looked for first; a taken one is stepped over.
PREFERRED_PORTS = {
    "airflow": 8080,
    "postgres": 54320,
    "objects": 54400,
    "processors": 54480,
    "scheduler_health": 8974,
    "worker_logs": 8793,
    "trigger_logs": 8794,
}


@dataclass(frozen=True)
class Person:
    """A made-up person who logs in to the Airflow UI. ``role`` is one of Airflow's simple roles."""

    name: str
    role: str
    duty: str


PEOPLE = (
    Person("vera", "viewer", "reads"),
    Person("emil", "op", "engineer: starts and clears runs"),
    Person("rosa", "op", "privacy reviewer"),
    Person("ravi", "op", "privacy reviewer"),
    Person("lena", "admin", "privacy lead"),
)


@dataclass
class State:
    """Content of ``runtime.json``. ``filled`` is None until database and objects hold the publisher."""

    var: Path
    ports: dict[str, int] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    filled: dict[str, object] | None = None
    migrated: bool = False  # Airflow's metadata database

    @classmethod
    def load(cls, var: Path) -> State:
        """As saved, or a new one with fresh passwords."""
        var.mkdir(parents=True, exist_ok=True)
        try:
            raw = json.loads((var / "runtime.json").read_text(encoding="utf-8"))
            state = cls(var, raw["ports"], raw["passwords"], raw["filled"], raw["migrated"])
        except (OSError, ValueError, KeyError):
            state = cls(var)
        known = dict(state.passwords)
        for name in (
            *("postgres", "airflow", "airflow_reader", "objects"),
            *(f"privacy_{duty}" for duty in DUTIES),
            *(f"ui_{person.name}" for person in PEOPLE),
        ):
            state.passwords.setdefault(name, secrets.token_hex(12))
        if state.passwords != known:  # saved at once: whoever loads next must not make up others
            state.save()
        return state

    def save(self) -> None:
        raw = asdict(self)
        del raw["var"]
        write_private(self.var / "runtime.json", json.dumps(raw, indent=2, sort_keys=True) + "\n")

    @property
    def url(self) -> str:
        """Address of the Airflow UI."""
        return f"http://localhost:{self.ports['airflow']}"


def write_private(path: Path, text: str) -> None:
    """Write atomically, readable by the owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        write_private(path, make())
    return path.read_text(encoding="utf-8")


def _complete_ring(path: Path, fresh: dict[str, object]) -> None:
    """Add keys for purposes that a ring made by an earlier version lacks."""
    if path.exists():
        held = json.loads(path.read_text(encoding="utf-8"))
        if set(fresh) - set(held):
            write_private(path, json.dumps(fresh | held))


@dataclass(frozen=True)
class Keys:
    """Keys of the sandbox, made on first use: HMAC keys by purpose (JSON), signing key file, Airflow's secrets."""

    hmac: str
    signing_key_file: Path
    fernet: str
    jwt: str
    api_secret: str


def keys(var: Path) -> Keys:
    """The keys below ``var/keys``; what is missing is generated."""
    folder = var / "keys"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    ring = {purpose: {"current": "k1", "keys": {"k1": secrets.token_hex(32)}} for purpose in KEY_PURPOSES}
    _complete_ring(folder / "hmac.json", ring)
    signing = folder / "signing.pem"
    _kept(signing, new_signing_key)
    return Keys(
        hmac=_kept(folder / "hmac.json", lambda: json.dumps(ring)),
        signing_key_file=signing,
        fernet=_kept(folder / "fernet.key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()),
        jwt=_kept(folder / "jwt.key", lambda: secrets.token_urlsafe(64)),
        api_secret=_kept(folder / "api.key", lambda: secrets.token_urlsafe(64)),
    )


def new_signing_key() -> str:
    """A fresh Ed25519 private key as PEM."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
