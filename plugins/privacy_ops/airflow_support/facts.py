"""Prints what ``doctor`` asks of Airflow as one line of JSON: settings and whether connections exist, no secret.

python -m privacy_ops.airflow_support.facts
"""

from __future__ import annotations

import json
from typing import Any

from airflow.sdk.configuration import conf

from privacy_ops.airflow_support.notifiers import MAIL_CONNECTION, WEBHOOK_CONNECTION
from privacy_ops.airflow_support.settings import connection_or_none
from privacy_ops.operations.doctor import AIRFLOW, POOL

_ALSO = ("core.executor", "logging.remote_logging")


def facts() -> dict[str, Any]:
    """Settings by section.option, and what has to be counted rather than shown."""
    found: dict[str, Any] = {}
    for name in (*AIRFLOW, *_ALSO):
        section, _, option = name.partition(".")
        found[name] = conf.get(section, option, fallback=None)
    found["fernet"] = bool(conf.get("core", "fernet_key", fallback=""))
    found["jwt_length"] = len(conf.get("api_auth", "jwt_secret", fallback="") or "")
    found["pool_slots"] = _slots()
    found["channel_mail"] = connection_or_none(MAIL_CONNECTION) is not None
    found["channel_webhook"] = connection_or_none(WEBHOOK_CONNECTION) is not None
    return found


def _slots() -> int | None:
    """Slots of the destructive pool; None where there is none, or Airflow's database is away."""
    from airflow.models.pool import Pool

    try:
        pool = Pool.get_pool(POOL)
    except Exception:  # noqa: BLE001 - whatever the driver says may hold an address
        return None
    return int(pool.slots) if pool else None


if __name__ == "__main__":
    print(json.dumps(facts()))  # noqa: T201
