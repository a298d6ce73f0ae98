"""What keeps a case from being erased, and what must be found: holds, access requests, canaries.

Stored under a keyed reference only. An unverified access request delays no erasure: otherwise anybody could
keep a child's data alive by asking for it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from privacy_ops import pseudonyms
from privacy_ops.datamap import scope as covered
from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import UserError
from privacy_ops.settings import Settings
from privacy_ops.stores.objects import ObjectStore

HOLD_REVIEW_DAYS = 90
SAFEGUARDING_REVIEW_DAYS = 1


def place_hold(
    connection: Connection,
    settings: Settings,
    user_key: tuple[str, ...],
    *,
    basis: str,
    approver: str,
    now: datetime,
    review_on: date,
    table: str = "",
    data_map: DataMap | None = None,
    scope: tuple[str, ...] = (),
) -> int:
    """Suspend the erasure of one person (legal claim, safeguarding); returns the hold's id.

    ``scope``: tables and columns of ``data_map``; only these cells are kept then, apart, and the rest is erased. Empty:
    the whole case waits. ``table``: where a row, not an account, is the subject.

    basis: a code. approver: the role or login that answers for it. Reviewed on ``review_on`` at the latest: 90 days
    after it was placed, and the next day where a child's safety is at stake (hours, not days, is the aim). A review
    that is late is a finding of every plan; nothing releases a hold by itself. Raises UserError.
    """
    longest = SAFEGUARDING_REVIEW_DAYS if basis == "SAFEGUARDING" else HOLD_REVIEW_DAYS
    if not approver.strip():
        raise UserError("a hold needs somebody who answers for it", where=f"hold {basis}", do="name the approver")
    if not 0 <= (review_on - now.date()).days <= longest:
        raise UserError(
            f"a hold for {basis} is reviewed within {longest} days", where=f"hold {basis}", do="name an earlier date"
        )
    if scope:
        if data_map is None:
            raise UserError("parts of a case are named in a data map", where=f"hold {basis}", do="give the map")
        covered.cells(data_map, scope)
    reference = pseudonyms.reference(settings.keys, "ledger", pseudonyms.subject_text(user_key, table=table))
    return int(
        connection.execute(
            text(
                "INSERT INTO gov.legal_hold (subject_ref, ref_key_id, basis, approver, placed_at, review_on, scope)"
                " VALUES (:ref, :key, :basis, :approver, :now, :review, :scope) RETURNING hold_id"
            ),
            {
                "ref": reference.value,
                "key": reference.key_id,
                "basis": basis,
                "approver": approver,
                "now": now,
                "review": review_on,
                "scope": list(scope),
            },
        ).scalar_one()
    )


def standing(connection: Connection) -> list[Row[Any]]:
    """Holds that stand, by the day of their review: hold_id, basis, approver, review_on, scope."""
    return list(
        connection.execute(
            text(
                "SELECT hold_id, basis, approver, review_on, scope FROM gov.legal_hold WHERE released_at IS NULL"
                " ORDER BY review_on, hold_id"
            )
        )
    )


def release_hold(connection: Connection, hold_id: int, *, now: datetime) -> None:
    """End a hold: the next plan takes the case up, and the next night deletes the cells that it kept."""
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


def seal_access_request(
    connection: Connection, request_id: int, *, bucket: str, key: str, sha256: str, approver: str, now: datetime
) -> None:
    """Record that the answer to a verified person's request lies encrypted in the object store: the data may go.

    approver: who answers for this way. Raises UserError unless the request is open and its person verified.
    """
    done = connection.execute(
        text(
            "UPDATE gov.dsr_request SET sealed_at = :now, sealed_approver = :approver, seal_bucket = :bucket,"
            " seal_key = :key, seal_sha256 = :sha WHERE request_id = :r AND type = 'ACCESS' AND closed_at IS NULL"
            " AND identity_verified_at IS NOT NULL AND sealed_at IS NULL"
        ),
        {"now": now, "approver": approver, "bucket": bucket, "key": key, "sha": sha256, "r": request_id},
    ).rowcount
    if not done:
        raise UserError(
            "there is no open access request of a verified person without a sealed answer",
            where=f"request {request_id}",
            do="verify the person first; an unverified request delays no erasure and needs no seal",
        )


def deliver_access_request(connection: Connection, store: ObjectStore, request_id: int, *, now: datetime) -> int:
    """Close a request whose answer was handed over, and destroy the sealed answer; returns how many versions went.

    Raises UserError when no sealed answer waits; StoreRefused, StoreUnavailable: the request stays open.
    """
    row = connection.execute(
        text(
            "SELECT seal_bucket, seal_key FROM gov.dsr_request"
            " WHERE request_id = :r AND sealed_at IS NOT NULL AND closed_at IS NULL FOR UPDATE"
        ),
        {"r": request_id},
    ).one_or_none()
    if row is None:
        raise UserError("no sealed answer waits for delivery", where=f"request {request_id}", do="seal it first")
    versions = list(store.versions(row.seal_bucket, row.seal_key, exact=True))
    store.delete_versions(row.seal_bucket, versions)
    connection.execute(
        text("UPDATE gov.dsr_request SET closed_at = :now, seal_destroyed_at = :now WHERE request_id = :r"),
        {"now": now, "r": request_id},
    )
    return len(versions)


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
