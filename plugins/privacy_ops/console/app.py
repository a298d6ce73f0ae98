"""The web pages below /privacy: who may look is Airflow's decision, what they see are verdicts and counts.

The page of a case is for those who may answer questions about cases; its evidence is shown on demand, and who asked
for it is written down first.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Depends, FastAPI, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse

from privacy_ops import settings as configuration
from privacy_ops.airflow_support.links import root_path
from privacy_ops.airflow_support.settings import database_url
from privacy_ops.console import evidence, inventory_pages, pages
from privacy_ops.datamap import loader
from privacy_ops.errors import PrivacyOpsError
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement

MOST = 200

# Styles stand in the page itself; nothing else may load, run, be sent or frame it from elsewhere.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
REVIEW_DAG = "minor_case_review"
# The page of a case holds one form. With no referrer at all a browser would not say where the form comes from.
CASE_HEADERS = {
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'"),
    "Referrer-Policy": "same-origin",
}


def console_database() -> Database:
    """The gov schema as the read-only duty `console` sees it."""
    return Database(database_url("privacy_ops_console"), duty="console")


ConsoleDatabase = Annotated[Database, Depends(console_database)]

# Anybody who may enter Airflow's web site may read reports: they hold counts, and tasks link to them.
app = FastAPI(
    title="Privacy operations",
    openapi_url=None,
    docs_url=None,
    redoc_url=None,
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
)

app.include_router(inventory_pages.router)


@app.middleware("http")
async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Put the security headers on every answer, errors included; a page may set one for itself."""
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@app.get("/gates", response_class=HTMLResponse)
def list_gates(database: ConsoleDatabase) -> HTMLResponse:
    """The newest verdicts of all gates."""
    with database.transaction(read_only=True) as connection:
        verdicts = connection.execute(statement("console", "select_newest_verdicts"), {"most": MOST}).all()
    return HTMLResponse(pages.gates(verdicts, now=datetime.now(UTC)))


@app.get("/gates/{gate_result_id}", response_class=HTMLResponse)
def show_gate(gate_result_id: Annotated[int, Path(ge=1, le=2**63 - 1)], database: ConsoleDatabase) -> HTMLResponse:
    """The report of one verdict, as it was rendered when the gate judged."""
    with database.transaction(read_only=True) as connection:
        html = connection.execute(
            statement("console", "select_gate_report"), {"gate_result_id": gate_result_id}
        ).scalar_one_or_none()
    if html is None:
        raise HTTPException(404)
    return HTMLResponse(html)


def evidence_database() -> Database:
    """Evidence of cases, cell by cell, as the duty `evidence` may read it."""
    return Database(database_url("privacy_ops_evidence"), duty="evidence")


EvidenceDatabase = Annotated[Database, Depends(evidence_database)]


def reviewer(user: GetUserDep) -> Any:
    """Who may answer questions about cases, and is named a reviewer where reviewers are named."""
    named = configuration.from_environment()
    allowed = get_auth_manager().is_authorized_dag(
        method="PUT",
        access_entity=DagAccessEntity.HITL_DETAIL,
        details=DagDetails(id=REVIEW_DAG),
        user=user,
    )
    if not allowed or (named.reviewers and user.get_id() not in {*named.reviewers, *named.privacy_leads}):
        raise HTTPException(403)
    return user


Reviewer = Annotated[Any, Depends(reviewer)]


def own_page(request: Request) -> None:
    """Refuse a form that another site made the browser send: it must come from a page of this very host."""
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        trusted = said == "same-origin"
    else:
        trusted = urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "-")
    if not trusted:
        raise HTTPException(403)


@app.get("/cases/{case_id}", response_class=HTMLResponse)
def show_case(case_id: UUID, _user: Reviewer, database: EvidenceDatabase) -> HTMLResponse:
    """What is known about a case without looking at anybody. Changes nothing."""
    with database.transaction(read_only=True) as connection:
        return _case_page(connection, case_id, cells=None)


@app.post("/cases/{case_id}/evidence", response_class=HTMLResponse, dependencies=[Depends(own_page)])
def show_evidence(case_id: UUID, user: Reviewer, database: EvidenceDatabase) -> HTMLResponse:
    """Write down who looks, and only then read the evidence where it stands."""
    settings = configuration.from_environment()
    path = settings.data_map_path
    data_map = loader.load(path if path.is_dir() else path.with_suffix(".yaml"))
    person = {"person_id": str(user.get_id()), "person_name": str(user.get_name() or "")}
    with database.transaction() as connection:
        connection.execute(
            statement("console", "insert_evidence_view"), {"case_id": case_id, "at": datetime.now(UTC)} | person
        )
    with database.transaction(read_only=True) as connection:
        return _case_page(connection, case_id, cells=list(evidence.cells(connection, data_map, case_id)))


def _case_page(connection: Any, case_id: UUID, *, cells: list[evidence.Cell] | None) -> HTMLResponse:
    this = {"case_id": case_id}
    case = connection.execute(statement("console", "select_case"), this).one_or_none()
    if case is None:
        raise HTTPException(404)
    answers = connection.execute(statement("console", "select_case_answers"), this).all()
    return HTMLResponse(pages.case(case, answers, cells), headers=CASE_HEADERS)


@app.exception_handler(404)
@app.exception_handler(RequestValidationError)
async def not_here(_request: Request, _error: Exception) -> HTMLResponse:
    text = "There is no such page, or no gate result or case of this number."
    return HTMLResponse(pages.message("Not found", text), 404)


@app.exception_handler(401)
async def sign_in(request: Request, _error: Exception) -> HTMLResponse:
    """Signing in leads back to what was asked for."""
    login = request.url.replace(path=f"{root_path()}/auth/login", query="")
    login = login.include_query_params(next=str(request.url))
    text = "These pages are for people who are signed in to Airflow."
    return HTMLResponse(pages.message("Please sign in", text, link=str(login), link_text="Sign in to Airflow"), 401)


@app.exception_handler(403)
async def refused(_request: Request, _error: Exception) -> HTMLResponse:
    return HTMLResponse(pages.message("Not allowed", "Your role in Airflow may not see these pages."), 403)


@app.exception_handler(PrivacyOpsError)
async def unavailable(_request: Request, error: PrivacyOpsError) -> HTMLResponse:
    """The database is down, refuses, or is not configured: the error's own words, which hold no secret."""
    return HTMLResponse(pages.message("This cannot be read now", str(error)), 503)
