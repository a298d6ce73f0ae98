"""What comes back after an erasure is found by keyed references alone, restricted, and erased again."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops.erasure.returning import resweep
from privacy_ops.errors import GateBlocked, StoreRefused
from privacy_ops.minors import service_levels
from privacy_ops.runs import Run
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press, map_of
from tests.integration.test_erasure_night import furnish

LONG_AGO = NOW - timedelta(days=90)
LATER = NOW + timedelta(days=1, hours=3)
CHILDREN = ("account", "subscriber", "attendee", "other_key", "object", "new_sign_up", "mentioned", "gone")


def readable(press: Press) -> Workspace:
    """The map says that people write freely into comments."""
    comment = press.workspace.data_map.tables["press.comment"].model_dump(mode="json", exclude_unset=True)
    comment["columns"]["body"] = {"category": "user.content.private"}
    return press.with_map(map_of(comment=comment))


def sweep(press: Press, at: Any, name: str, **changes: Any) -> tuple[Run, dict[str, Any]]:
    run = press.open_run(name, at=at, **changes)
    return run, resweep.sweep_due(readable(press), run, now=at)


def erase_children(press: Press, objects: ObjectStore) -> dict[str, UUID]:
    """Children who are erased, beside an adult who is not."""
    furnish(press, press.person(born=ADULT), objects)
    children = {name: press.person(born=MINOR, email=f"{name}.lowe@example.org") for name in CHILDREN}
    furnish(press, children["attendee"], objects)
    nights.whole(press.workspace, press.open_run())
    assert press.count("account") == 1
    return children


def bring_back(press: Press, children: dict[str, UUID], objects: ObjectStore) -> UUID:
    """Six ways to come back; returns the account that signed up anew."""
    child = children["account"]
    press.add("account", user_id=child, email="a@example.org", email_norm="a@example.org", created_at=LONG_AGO)
    press.add("comment", user_id=child, body="I am back")
    press.add("subscriber", email="  SUBSCRIBER.LOWE@EXAMPLE.ORG")
    badge = f"B-{children['attendee']}"
    press.add("attendee", name="R", badge_code=badge, attendee_type="delegate", registered_at=LONG_AGO)
    press.add("badge_scan", badge_code=badge, exhibitor="E1")
    press.person(email="other_key.lowe@example.org", created=LONG_AGO)
    objects.put("press-photos", f"imported/{children['object']}.jpg", b"again")
    other = press.person(born=ADULT)
    press.add("comment", user_id=other, body="write to Mentioned.Lowe@example.org, please")
    objects.put("press-attachments", "lists/old.csv", b"n,email\n1,mentioned.lowe@example.org\n2,x@example.org\n")
    batch = json.dumps({"user": {"id": str(children["mentioned"])}}).encode()
    objects.put("press-events", "batches/old.gz", gzip.compress(batch))
    return press.person(email="new_sign_up.lowe@example.org", created=NOW + timedelta(hours=9))


def test_what_comes_back_in_any_way_is_restricted_and_erased_again(press: Press, objects: ObjectStore) -> None:
    children = erase_children(press, objects)
    run, counts = sweep(press, LATER - timedelta(hours=2), "empty")
    assert (counts["due"], counts["returned"], counts["mentions"], counts["blind"]) == (len(CHILDREN), 0, 0, 0)
    assert counts["assets_not_looked_at"] == counts["unreadable"] == 0
    assert resweep.judge_sweep(press.workspace, run, now=LATER)["gate"] == "pass"
    assert sweep(press, LATER, "same day")[1]["due"] == 0, "swept once a day that is due"

    newcomer = bring_back(press, children, objects)
    week = NOW + timedelta(days=7, hours=3)
    _, rehearsed = sweep(press, week, "rehearsal", dry_run=True)
    assert (rehearsed["returned"], press.status(newcomer)) == (6, "active")
    run, counts = sweep(press, week, "week")

    # The walk-in's badge was scanned too: the row that it hangs on is the case.
    assert (counts["returned"], counts["new_records"], counts["mentions"], counts["opened"]) == (6, 1, 3, 6)
    assert (press.status(children["account"]), press.status(newcomer)) == ("restricted", "restricted")
    assert press.case_of(newcomer)._mapping["class"] == "SUSPECTED_MINOR"
    (level,) = (one for one in service_levels.measure(press.workspace, now=week) if one.metric == "M7")
    assert (level.worst, level.breached) == (5, 5), "each case of which something came back is over the limit"
    reopened = press.execute("SELECT count(*) AS n FROM gov.minor_case WHERE state = 'REOPENED'")[0].n
    assert reopened == 5, "account, subscriber, attendee, other key, object"
    with pytest.raises(GateBlocked, match="G-28-RETURNED"):
        resweep.judge_sweep(press.workspace, run, now=week)

    night = week + timedelta(days=1)
    facts = nights.whole(press.workspace, press.open_run("night", at=night), night)
    assert facts["plan"]["cases"] == facts["certified"]["certificates"] == 5
    assert (press.count("account"), press.count("attendee"), press.count("badge_scan")) == (3, 1, 1)
    assert not [v for v in objects.versions("press-photos") if "imported" in v.key]
    month = NOW + timedelta(days=50)
    _, counts = sweep(press, month, "month")
    assert (counts["returned"], counts["forgotten"] > 0) == (0, True)
    open_cases = press.execute("SELECT class FROM gov.minor_case WHERE state <> 'CLOSED'")
    assert [c._mapping["class"] for c in open_cases] == ["SUSPECTED_MINOR"]


def test_a_search_that_does_not_see_is_told_from_one_that_finds_nothing(
    press: Press, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    press.person(born=ADULT)
    press.person(born=MINOR)
    nights.whole(press.workspace, press.open_run())
    with (
        pytest.raises(StoreRefused, match="42501"),
        press.workspace.database("erase").transaction() as connection,
    ):
        connection.execute(text("DELETE FROM gov.suppression_entry"))
    monkeypatch.setattr(resweep.search, "_values", lambda *_: "SELECT 1 AS value, 1 AS n, 1 AS first WHERE false")
    run, counts = sweep(press, LATER, "sweep")
    assert counts["blind"] > 0
    with pytest.raises(GateBlocked, match="G-28-BLIND"):
        resweep.judge_sweep(press.workspace, run, now=LATER)
