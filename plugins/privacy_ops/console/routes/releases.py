"""Releases: the register, what was withheld and why, packs for those who may, and taking one back.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from privacy_ops.airflow_support.links import root_path
from privacy_ops.airflow_support.settings import object_settings, settings_for
from privacy_ops.console import paging
from privacy_ops.console.access import Needs, OwnForm, Right
from privacy_ops.console.routes.erasures import attachment
from privacy_ops.console.view import ConsoleDatabase, Now, listed, note, page, rows
from privacy_ops.errors import UserError
from privacy_ops.settings import from_environment
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.stores.sql import statement
from privacy_ops.usage.delivery import archive, recall
from privacy_ops.usage.delivery.standing import DUTY, MEANING
from privacy_ops.usage.levels import IN_WORDS
from privacy_ops.usage.utility import level_reports
from privacy_ops.workspace import Workspace

router = APIRouter(prefix="/releases")
Reader = Annotated[Any, Depends(Needs(Right.RELEASES))]
ReleaseId = Annotated[str, Path(pattern=r"^r[0-9a-f]{15,40}$")]


@router.get("", response_class=HTMLResponse)
def list_releases(
    request: Request,
    user: Reader,
    database: ConsoleDatabase,
    now: Now,
    recipient: str = "",
    course: str = "",
    period: str = "",
    after: str = "",
) -> HTMLResponse:
    """The register by recipient, course and period, newest first."""
    released_at, release_id = paging.after(after, datetime.fromisoformat, str)
    filters = {"recipient": recipient, "course": course, "period": period}
    with database.transaction(read_only=True) as connection:
        recipients = rows(connection, "select_recipients")
        shown = listed(
            connection,
            "select_releases",
            lambda row: (row.released_at, row.release_id),
            cursor=after,
            filters=filters,
            recipient=recipient or None,
            period=period or None,
            course=json.dumps([{"course_id": course}]) if course else None,
            released_at=released_at,
            release_id=release_id,
        )
    return page(
        request,
        user,
        "releases",
        section="releases",
        now=now,
        shown=shown,
        filters=filters,
        recipient_names=[(row.recipient_id, row.legal_name) for row in recipients],
        reasons=IN_WORDS,
    )


@router.get("/{release_id}", response_class=HTMLResponse)
def show_release(
    request: Request, release_id: ReleaseId, user: Reader, database: ConsoleDatabase, now: Now
) -> HTMLResponse:
    """One release: files and hashes, what was withheld and why, and everything that happened to it."""
    with database.transaction(read_only=True) as connection:
        release = _release(connection, release_id)
        history = connection.execute(statement("delivery", "select_history"), {"release_id": release_id}).all()
        actions = rows(connection, "select_actions", target=release_id, most=paging.PAGE)
    return page(
        request,
        user,
        "release",
        section="releases",
        now=now,
        release=release,
        history=history,
        actions=actions,
        reasons=IN_WORDS,
        levels=level_reports(release.utility),
        meaning=MEANING,
    )


def _release(connection: Any, release_id: str) -> Any:
    found = rows(connection, "select_release", release_id=release_id)
    if not found:
        raise HTTPException(404)
    return found[0]


@router.post("/{release_id}/download", dependencies=[OwnForm])
def download_pack(
    release_id: ReleaseId,
    user: Annotated[Any, Depends(Needs(Right.PACK))],
    database: ConsoleDatabase,
    now: Now,
) -> Response:
    """The pack as one ZIP, byte for byte as registered. Who takes it is written down first."""
    with database.transaction(read_only=True) as connection:
        release = _release(connection, release_id)
    if release.withdrawn_at is not None:
        raise UserError("this release is withdrawn", where=release_id, do="nothing: it is not served again")
    note(database, "pack", release_id, user, now)
    store, bucket = ObjectStore(object_settings("privacy_ops_objects")), from_environment().exports_bucket
    files = {
        file["name"]: store.get(bucket, f"{release.object_prefix}{file['name']}", version_id=file["version_id"])
        for file in release.files
    }
    if not archive.is_registered(files, release.files, release.pack_sha256):
        raise UserError(
            "the files in the bucket are not those of the register",
            where=release_id,
            do="follow docs/runbooks/course_usage_export.md; hand nothing out",
        )
    name = archive.name_of(release.iso_week, release_id)
    return attachment(archive.pack_zip(name, files), f"{name}.zip", "application/zip")


@router.post("/{release_id}/withdraw", dependencies=[OwnForm])
def withdraw_release(
    release_id: ReleaseId,
    user: Annotated[Any, Depends(Needs(Right.WITHDRAW))],
    database: ConsoleDatabase,
    now: Now,
    reason: Annotated[str, Form(min_length=1, max_length=300)],
) -> Response:
    """Take a release back for good. Who does it is written down first; the reason goes to the recipient."""
    with database.transaction(read_only=True) as connection:
        _release(connection, release_id)
    person = str(user.get_id())
    recall.plain(reason, "the reason", 300)
    recall.plain(person, "your name in Airflow", 80)  # before it is written down that it was done
    note(database, "withdraw", release_id, user, now)
    workspace = Workspace.load(settings_for(DUTY))
    recall.withdraw(workspace, release_id, reason=reason, by=person, now=now)
    return RedirectResponse(f"{root_path()}/privacy/releases/{release_id}", status_code=303)
