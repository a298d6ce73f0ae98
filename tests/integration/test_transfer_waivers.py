"""A finding is waived by a named person until a day: never a critical one, never for longer than 90 days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from privacy_ops.errors import StoreRefused, UserError
from privacy_ops.stores.database import DatabaseFault
from privacy_ops.transfers import inventory, waivers
from sqlalchemy import text

from tests.integration.test_transfer_days import run_day
from tests.integration.test_transfer_inventory import NOW, Office, governed, office

__all__ = ["governed", "office"]  # fixtures

TODAY = NOW.date()


def standing(office: Office, day: date) -> dict[str, dict[str, Any]]:
    with office.workspace.database("inventory").transaction() as connection:
        found = waivers.standing(connection, process=inventory.PROCESS, today=day)
    return {row["fingerprint"]: row for row in found}


def waive(office: Office, fingerprint: str, *, until: date, at: datetime = NOW, **said: str) -> waivers.Waived:
    with office.workspace.database("inventory").transaction() as connection:
        return waivers.waive(
            connection,
            process=inventory.PROCESS,
            fingerprint=fingerprint,
            approver=said.get("by", "lena"),
            reason=said.get("reason", "FIX_SCHEDULED"),
            until=until,
            at=at,
            today=at.date(),
        )


def test_a_waiver_holds_until_its_last_day_and_the_finding_is_open_again_after(office: Office) -> None:
    run_day(office, NOW)
    medium = next(f for f in standing(office, TODAY).values() if f["severity"] == "MEDIUM")
    name, due = medium["fingerprint"], medium["due_on"]
    last = TODAY + timedelta(days=2)

    done = waive(office, name[:8], until=last)
    assert (done.fingerprint, done.until) == (name, last)
    for day in (TODAY, last):
        assert (standing(office, day)[name]["state"], standing(office, day)[name]["waived_until"]) == ("waived", last)
    assert standing(office, last + timedelta(days=1))[name]["state"] == "new"
    assert not standing(office, last)[name]["overdue"]

    run_day(office, NOW + timedelta(days=2))
    assert standing(office, last)[name]["state"] == "waived"
    run_day(office, NOW + timedelta(days=3))
    ended = office.ask("SELECT fingerprint FROM gov.finding_change WHERE change = 'waiver_ended'")
    assert [row.fingerprint for row in ended] == [name]
    after = standing(office, TODAY + timedelta(days=3))[name]
    assert (after["state"], after["due_on"]) == ("waiver_ended", due)
    assert standing(office, due + timedelta(days=1))[name]["overdue"]

    run_day(office, NOW + timedelta(days=4))  # it is noted once
    assert len(office.ask("SELECT 1 FROM gov.finding_change WHERE change = 'waiver_ended'")) == 1
    assert standing(office, TODAY + timedelta(days=4))[name]["state"] == "open"


def test_what_cannot_be_waived_is_refused_with_the_reason(office: Office) -> None:
    run_day(office, NOW)
    found = standing(office, TODAY)
    critical = next(f["fingerprint"] for f in found.values() if f["severity"] == "CRITICAL")
    other = next(f["fingerprint"] for f in found.values() if f["severity"] not in {"CRITICAL", "INFO"})
    ninety = TODAY + timedelta(days=90)

    for fingerprint, said, says in (
        (critical, {"until": ninety}, "critical finding cannot be waived"),
        (other, {"until": ninety + timedelta(days=1)}, "90 days at most"),
        (other, {"until": TODAY - timedelta(days=1)}, "ended already"),
        (other, {"until": ninety, "by": " "}, "name of who"),
        (other, {"until": ninety, "reason": "because"}, "no reason for a waiver"),
        ("ffffffffff", {"until": ninety}, "no finding has"),
        ("ab", {"until": ninety}, "too short"),
    ):
        with pytest.raises(UserError, match=says):
            waive(office, fingerprint, **said)  # type: ignore[arg-type]
    assert office.ask("SELECT 1 FROM gov.finding_waiver") == []

    sql = (
        "INSERT INTO gov.finding_waiver (fingerprint, approver, reason, waived_at, waived_on, expires_on)"
        " VALUES (:f, 'lena', 'FIX_SCHEDULED', now(), :d, :u)"
    )
    for fingerprint, until in ((critical, ninety), (other, ninety + timedelta(days=1))):
        with (
            pytest.raises((StoreRefused, DatabaseFault)),
            office.workspace.database("inventory").transaction() as connection,
        ):
            connection.execute(text(sql), {"f": fingerprint, "d": TODAY, "u": until})

    assert waive(office, other, until=ninety).until == ninety


def test_a_finding_that_becomes_critical_is_waived_no_more(office: Office) -> None:
    run_day(office, NOW)
    name = next(f["fingerprint"] for f in standing(office, TODAY).values() if f["severity"] == "MEDIUM")
    waive(office, name, until=TODAY + timedelta(days=30))

    office.ask("UPDATE gov.finding SET severity = 'CRITICAL' WHERE fingerprint = :f RETURNING 1", f=name)

    assert standing(office, TODAY)[name]["state"] != "waived"
