"""Changing HMAC keys: a new one is added and used, old ones stay for as long as anything lives under them.

The identifiers behind a reference are gone, so nothing can be keyed anew; a look-up asks under every key held.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from privacy_ops.errors import UserError
from privacy_ops.settings import KeyRing
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace


class InUse(NamedTuple):
    """One key under which ``references`` still live. ``held``: the key ring has it."""

    purpose: str
    key_id: str
    references: int
    held: bool


def in_use(workspace: Workspace, *, today: date) -> list[InUse]:
    """Keys under which references live, whether or not the key ring holds them."""
    keys = workspace.settings.keys
    with workspace.database("erase").transaction(read_only=True) as connection:
        rows = connection.execute(
            statement("erasure", "select_key_ids_in_use"),
            {"today": today, "ledger_days": workspace.thresholds.evidence.lock_days},
        ).all()
    return [InUse(r.purpose, r.key_id, int(r.held), r.key_id in keys.hmac.get(r.purpose, {})) for r in rows]


def rotated(keys: KeyRing, purpose: str) -> str:
    """The key ring as JSON (the value of PRIVACY_OPS_HMAC_KEYS) with a new key of ``purpose`` in use. A secret."""
    held = _known(keys, purpose)
    number = 1 + max((int(k[1:]) for k in held if k[:1] == "k" and k[1:].isdigit()), default=len(held))
    name = f"k{number}"
    hmac = {**keys.hmac, purpose: {**held, name: secrets.token_bytes(32)}}
    return _json(hmac, {**keys.current, purpose: name})


def dropped(workspace: Workspace, purpose: str, key_id: str, *, today: date) -> str:
    """The key ring as JSON without one key. Raises UserError while it is in use or references live under it."""
    keys = workspace.settings.keys
    held = _known(keys, purpose)
    where = f"{purpose}/{key_id}"
    if key_id not in held:
        raise UserError("there is no such key", where=where, do="`keys check` lists those in use")
    if keys.current.get(purpose) == key_id:
        raise UserError("this key is in use for new references", where=where, do="rotate first")
    alive = next((k for k in in_use(workspace, today=today) if (k.purpose, k.key_id) == (purpose, key_id)), None)
    if alive is not None:
        raise UserError(
            f"{alive.references} references still live under this key",
            where=where,
            do="keep it: without it nobody can tell whom they are about, and they cannot be made anew",
        )
    return _json({**keys.hmac, purpose: {k: v for k, v in held.items() if k != key_id}}, keys.current)


def _known(keys: KeyRing, purpose: str) -> Mapping[str, bytes]:
    if purpose not in keys.hmac:
        raise UserError(f"there is no key of the purpose {purpose!r}", do="use one of " + ", ".join(sorted(keys.hmac)))
    return keys.hmac[purpose]


def _json(hmac: Mapping[str, Mapping[str, bytes]], current: Mapping[str, str]) -> str:
    return json.dumps(
        {
            purpose: {"current": current[purpose], "keys": {name: value.hex() for name, value in sorted(held.items())}}
            for purpose, held in sorted(hmac.items())
        },
        indent=2,
    )
