"""The web pages below /privacy: who may look is Airflow's decision, what they see are verdicts and counts.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse

from privacy_ops.airflow_support.links import root_path
from privacy_ops.airflow_support.settings import database_url
from privacy_ops.console import pages
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


@app.middleware("http")
async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Put the security headers on every answer, errors included."""
    response = await call_next(request)
    response.headers.update(HEADERS)
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


@app.exception_handler(404)
@app.exception_handler(RequestValidationError)
async def not_here(_request: Request, _error: Exception) -> HTMLResponse:
    text = "There is no such page, or no gate result of this number."
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
    return HTMLResponse(pages.message("The gate results cannot be read now", str(error)), 503)
