"""Erasures: cases by state and age, service levels over time, certificates, ledger, suppression; never a person.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from privacy_ops.airflow_support.settings import object_settings
from privacy_ops.console import paging, trends
from privacy_ops.console.access import Needs, OwnForm, Right
from privacy_ops.console.view import ConsoleDatabase, Now, listed, note, page, rows
from privacy_ops.erasure.certificates import document as certificate_document
from privacy_ops.errors import UserError
from privacy_ops.stores.objects import ObjectStore

LEGAL_TIME = ZoneInfo("Europe/London")
MEASURED = 60  # measurements that a chart goes back
CHAIN_CHECK, CHAIN_GATES = "G-33", ("erasure.plan", "erasure.done")
MEDIA_TYPES = {".json": "application/json", ".html": "text/html; charset=utf-8"}
OVER = ("CLOSED", "CLEARED")
AGES = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=35)}

router = APIRouter(prefix="/erasures")
Reader = Annotated[Any, Depends(Needs(Right.ERASURES))]


@router.get("", response_class=HTMLResponse)
def show_erasures(request: Request, user: Reader, database: ConsoleDatabase, now: Now) -> HTMLResponse:
    """The figures of the whole deletion on one page."""
    today = now.astimezone(LEGAL_TIME).date()
    with database.transaction(read_only=True) as connection:
        cases = rows(connection, "select_cases_by_age", **{name: now - age for name, age in AGES.items()})
        (late,) = rows(connection, "count_late_reviews", today=today)
        measured = list(reversed(rows(connection, "select_service_levels", most=MEASURED)))
        ledger = rows(connection, "select_ledger_state")
        values = {
            "certificates": rows(connection, "select_certificates", issued_at=None, case_id=None, most=10),
            "suppression": rows(connection, "select_suppression"),
            "instructions": _by_party(rows(connection, "select_instruction_states")),
            "returns": rows(connection, "select_returns"),
            "canaries": canaries(connection, most=10),
            "verified": ledger_verdict(connection),
        }
    return page(
        request,
        user,
        "erasures",
        section="erasures",
        now=now,
        open_cases=[row for row in cases if row.state not in OVER],
        over={state: sum(row.cases for row in cases if row.state == state) for state in OVER},
        late=late.late,
        levels=_levels(measured),
        n_measured=len(measured),
        measured_at=measured[-1].as_of if measured else None,
        ledger=ledger[0] if ledger else None,
        **values,
    )


def canaries(connection: Any, *, most: int) -> list[Any]:
    """The newest made-up people: planted when, expected as what, and their case, if there is one."""
    return list(rows(connection, "select_canaries", most=most))


def ledger_verdict(connection: Any) -> Any:
    """When a gate last verified the chain of the ledger, and whether it held; None: never."""
    found = rows(connection, "select_ledger_verdicts", gates=list(CHAIN_GATES), check_id=CHAIN_CHECK)
    return found[0] if found and found[0].holds is not None else None


def _levels(measured: Sequence[Any]) -> list[dict[str, Any]]:
    """Each service level as last measured, and its chart over all measurements."""
    if not measured:
        return []
    times = [row.as_of for row in measured]
    shown = []
    for metric, newest in sorted(measured[-1].levels.items()):
        history = [row.levels.get(metric) or {} for row in measured]
        series = {name: [one.get(name) for one in history] for name in ("median", "worst")}
        title = f"{metric} over time, in {newest['unit']}"
        chart = trends.line(title, times, series, limit=newest["limit"]) if len(measured) > 1 else None
        shown.append(newest | {"chart": chart})
    return shown


def _by_party(found: Sequence[Any]) -> dict[str, dict[str, Any]]:
    parties: dict[str, dict[str, Any]] = {}
    for row in found:
        parties.setdefault(row.party, {})[row.state] = row
    return parties


@router.get("/certificates", response_class=HTMLResponse)
def list_certificates(
    request: Request, user: Reader, database: ConsoleDatabase, now: Now, after: str = ""
) -> HTMLResponse:
    """All certificates, newest first."""
    issued_at, case_id = paging.after(after, datetime.fromisoformat, UUID)
    with database.transaction(read_only=True) as connection:
        shown = listed(
            connection,
            "select_certificates",
            lambda row: (row.issued_at, row.case_id),
            cursor=after,
            issued_at=issued_at,
            case_id=case_id,
        )
    return page(request, user, "certificates", section="erasures", now=now, shown=shown)


@router.get("/certificates/{case_id}", response_class=HTMLResponse)
def show_certificate(
    request: Request, case_id: UUID, user: Reader, database: ConsoleDatabase, now: Now
) -> HTMLResponse:
    """One certificate: when, of what, which files, who was told, who took it."""
    with database.transaction(read_only=True) as connection:
        files = _files(connection, case_id)
        instructions = rows(connection, "select_instructions_of_case", case_id=case_id)
        taken = rows(connection, "select_actions", target=str(case_id), most=paging.PAGE)
    return page(
        request,
        user,
        "certificate",
        section="erasures",
        now=now,
        case_id=case_id,
        files=files,
        names=_names(files),
        instructions=instructions,
        taken=taken,
    )


def _files(connection: Any, case_id: UUID) -> Sequence[Any]:
    found = rows(connection, "select_certificate", case_id=case_id)
    if not found:
        raise HTTPException(404)
    return found


def _names(files: Sequence[Any]) -> dict[str, tuple[str, str]]:
    """What can be downloaded: file name → bucket and key. Each document has a page of the same name beside it."""
    names = {}
    for row in files:
        stem = row.object_key.removesuffix(".json")
        for ending in MEDIA_TYPES:
            names[f"{stem.rpartition('/')[2]}{ending}"] = (row.bucket, f"{stem}{ending}")
    return names


@router.post("/certificates/{case_id}/download", dependencies=[OwnForm])
def download_certificate(
    case_id: UUID,
    user: Annotated[Any, Depends(Needs(Right.CERTIFICATE))],
    database: ConsoleDatabase,
    name: Annotated[str, Form(max_length=200)],
) -> Response:
    """A file of a certificate, as it was signed. Who takes it is written down first."""
    with database.transaction(read_only=True) as connection:
        files = _files(connection, case_id)
    if name not in (names := _names(files)):
        raise HTTPException(404)
    note(database, "certificate", str(case_id), user, datetime.now(UTC))
    bucket, key = names[name]
    store = ObjectStore(object_settings("privacy_ops_objects"))
    body = store.get(bucket, key)
    ending = key[key.rfind(".") :]
    registered = {row.object_key: row.sha256 for row in files}
    stem = key.removesuffix(ending)
    document = body if ending == ".json" else store.get(bucket, f"{stem}.json")
    # The register knows the document's hash, and the document that of its page.
    whole = hashlib.sha256(document).hexdigest() == registered[f"{stem}.json"]
    if whole and ending == ".html":
        whole = hashlib.sha256(body).hexdigest() == certificate_document.page_sha256(document)
    if not whole:
        raise UserError("the file in the bucket is not the one that was certified", where=key, do="tell the lead")
    return attachment(body, name, MEDIA_TYPES[ending])


def attachment(body: bytes, name: str, media_type: str) -> Response:
    """A file to keep: never shown inside the site, whatever is in it. ``name`` holds plain letters only."""
    return Response(
        body,
        media_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
