"""What keeps a case from being erased, and what must be found: holds, access requests, canaries.

Stored under a keyed reference only. An unverified access request delays no erasure: otherwise anybody could
keep a child's data alive by asking for it.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, text

from privacy_ops import pseudonyms
from privacy_ops.settings import Settings


def place_hold(
    connection: Connection,
    settings: Settings,
    user_key: tuple[str, ...],
    *,
    basis: str,
    approver: str,
    now: datetime,
    review_on: date,
) -> int:
    """Suspend the erasure of one person (legal claim, safeguarding); returns the hold's id.

    basis: a code. approver: the role or login that answers for it. Reviewed on ``review_on`` at the latest.
    """
    reference = pseudonyms.reference(settings.keys, "ledger", pseudonyms.subject_text(user_key))
    return int(
        connection.execute(
            text(
                "INSERT INTO gov.legal_hold (subject_ref, ref_key_id, basis, approver, placed_at, review_on)"
                " VALUES (:ref, :key, :basis, :approver, :now, :review) RETURNING hold_id"
            ),
            {
                "ref": reference.value,
                "key": reference.key_id,
                "basis": basis,
                "approver": approver,
                "now": now,
                "review": review_on,
            },
        ).scalar_one()
    )


def release_hold(connection: Connection, hold_id: int, *, now: datetime) -> None:
    """End a hold; the next plan takes the case up."""
    connection.execute(
        text("UPDATE gov.legal_hold SET released_at = :now WHERE hold_id = :h AND released_at IS NULL"),
        {"now": now, "h": hold_id},
    )


def open_access_request(
    connection: Connection,
    settings: Settings,
    user_key: tuple[str, ...],
    *,
    received_at: datetime,
    verified: bool,
) -> int:
    """Record a request for access; returns its id.

    Erasing while a verified person's request runs may be an offence (Data Protection Act 2018 s.173).
    """
    reference = pseudonyms.reference(settings.keys, "ledger", pseudonyms.subject_text(user_key))
    return int(
        connection.execute(
            text(
                "INSERT INTO gov.dsr_request (type, subject_ref, ref_key_id, received_at, identity_verified_at)"
                " VALUES ('ACCESS', :ref, :key, :at, :verified) RETURNING request_id"
            ),
            {
                "ref": reference.value,
                "key": reference.key_id,
                "at": received_at,
                "verified": received_at if verified else None,
            },
        ).scalar_one()
    )


def register_canary(
    connection: Connection, settings: Settings, user_key: tuple[str, ...], *, now: datetime, table: str = ""
) -> None:
    """Remember a made-up minor that detection must find. ``table``: where a row, not an account, is the subject."""
    reference = pseudonyms.reference(settings.keys, "ledger", pseudonyms.subject_text(user_key, table=table))
    connection.execute(
        text(
            "INSERT INTO gov.canary (subject_ref, ref_key_id, planted_at) VALUES (:ref, :key, :now)"
            " ON CONFLICT (subject_ref) DO NOTHING"
        ),
        {"ref": reference.value, "key": reference.key_id, "now": now},
    )
