"""A press that discloses: an e-mail service, exhibitors who scanned a badge, a shop's bank, and somebody unknown."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from privacy_ops.datamap.model import DataMap
from privacy_ops.settings import DUTIES, ObjectSettings
from privacy_ops.stores.database import Database
from privacy_ops.workspace import Workspace

from sandbox.postgres import PostgresServer
from sandbox.provision import administer
from tests.integration.press import Press, map_of, settings_of, workspace_of

DISCLOSED: dict[str, list[dict[str, Any]]] = {
    "press.subscriber": [{"who": "mailer", "known_by": {"id": "subscriber", "email": "email"}}],
    "press.badge_scan": [
        {"who": "badges", "known_by": {"badge_code": "badge"}},
        {"by": "exhibitor", "prefix": "exhibitor", "known_by": {"badge_code": "badge"}},
    ],
    "press.profile": [
        {
            "by": "dob_source",
            "values": {"web_form": "", "import": "importer"},
            "known_by": {"reg_no": "number"},
        }
    ],
    "press.enrolment": [
        {
            "by": "status",
            "through": {"to": "press.account", "columns": ["user_id"]},
            "values": {"*": "school"},
            "known_by": {"course": "course"},
        }
    ],
}


def telling_map() -> DataMap:
    """The press's map with disclosures."""
    raw = map_of().model_dump(mode="json", exclude_defaults=True)
    for name, disclosed in DISCLOSED.items():
        raw["tables"][name]["disclosed_to"] = disclosed
    return DataMap.model_validate(raw)


def telling(press: Press) -> Workspace:
    """The press's workspace with that map."""
    return press.with_map(telling_map())


def known_minor(press: Press, **profile: Any) -> Any:
    """A minor whom a mailer, a badge system and two exhibitors know; returns the user id."""
    from tests.integration.press import MINOR, NOW

    user = press.person(born=MINOR, **profile)
    address = press.scalar("SELECT email FROM press.account WHERE user_id = :u", u=user)
    press.add("subscriber", email=address, user_id=user)
    badge = f"B-{str(user)[:8]}"
    press.add(
        "attendee",
        user_id=user,
        name="Reader",
        badge_code=badge,
        attendee_type="delegate",
        registered_at=NOW,
    )
    for exhibitor in ("1", "2"):
        press.add("badge_scan", badge_code=badge, exhibitor=exhibitor)
    return user


@contextmanager
def copied(cluster: PostgresServer, template: str) -> Iterator[str]:
    """Name of a copy of a database, dropped afterwards."""
    name = f"press_{secrets.token_hex(4)}"
    administer(cluster, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield name
    finally:
        administer(cluster, f"DROP DATABASE {name} WITH (FORCE)")


def press_at(cluster: PostgresServer, database: str, objects: ObjectSettings) -> Press:
    """A press on a copied database, without buckets."""
    dsns = {duty: cluster.dsn(database, f"privacy_{duty}", "press") for duty in DUTIES}
    return Press(Database(cluster.dsn(database)), workspace_of(settings_of(dsns, objects)))
