"""Registers planted legal holds, access requests, reports and canaries in ``gov``, as the publisher's staff would."""

from __future__ import annotations

from datetime import datetime, timedelta

from privacy_ops.minors import holds
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database
from sqlalchemy import text

from sandbox.publisher.database import connect

_REPORT = text(
    "INSERT INTO gov.minor_report (signal, reporter, subject_table, subject_key, reported_at) VALUES"
    " (CASE :reporter WHEN 'PROCESSOR' THEN 'SIG-20' ELSE 'SIG-11' END, :reporter, 'core.user_account',"
    " ARRAY[:key], :at)"
)


def plant_governance(
    settings: Settings, truth_dsn: str, *, now: datetime, night: int, duty: str = "migrate"
) -> dict[str, int]:
    """Place the holds and open the requests of one night's planted people; returns how many of each.

    The unverified request delays nothing: the oracle expects that person to be erased.
    """
    with connect(truth_dsn) as truth:
        held = truth.execute(
            "SELECT user_key, hold, canary, reporter FROM truth.planted_subject WHERE publisher = 'imp' AND night = %s "
            "AND (hold IS NOT NULL OR canary OR reporter IS NOT NULL) ORDER BY user_key",
            (night,),
        ).fetchall()
    counts = {"legal_hold": 0, "access_request": 0, "unverified_request": 0, "canary": 0, "report": 0}
    with Database.for_duty(settings, duty).transaction() as connection:
        for user_key, hold, canary, reporter in held:
            key = (user_key,)
            if reporter:
                connection.execute(_REPORT, {"reporter": reporter, "key": user_key, "at": now})
                counts["report"] += 1
            if canary:
                holds.register_canary(connection, settings, key, now=now)
                counts["canary"] += 1
            if hold == "legal_hold":
                holds.place_hold(
                    connection,
                    settings,
                    key,
                    basis="LEGAL_CLAIM",
                    approver="head-of-legal",
                    now=now,
                    review_on=(now + timedelta(days=60)).date(),
                )
            elif hold is not None:
                holds.open_access_request(connection, settings, key, received_at=now, verified=hold == "access_request")
            if hold is not None:
                counts[hold] += 1
    return counts
