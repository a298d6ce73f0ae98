"""The web pages below /privacy: who may look is Airflow's decision, what they see are states, verdicts and counts.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Awaitable, Callable

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse

from privacy_ops.airflow_support.links import root_path
from privacy_ops.console import pages
from privacy_ops.console.routes import cases, erasures, gates, overview, redactions, releases, runs, transfers
from privacy_ops.errors import PrivacyOpsError, UserError

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}

app = FastAPI(
    title="Privacy operations",
    openapi_url=None,
    docs_url=None,
    redoc_url=None,
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
)
for part in (overview, erasures, releases, transfers, gates, runs, cases, redactions):
    app.include_router(part.router)


@app.middleware("http")
async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Put the security headers on every answer, errors included; a page may set one for itself."""
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", pages.policy(styles=[""]))
    return response


def _message(status: int, title: str, text: str, *, link: str = "", link_text: str = "") -> HTMLResponse:
    html = pages.render("message", title=title, message=text, link=link, link_text=link_text)
    return HTMLResponse(html, status, headers={"Content-Security-Policy": pages.own_policy()})


@app.exception_handler(404)
async def not_here(_request: Request, _error: Exception) -> HTMLResponse:
    return _message(404, "Not found", "There is no such page, or nothing of this number or name.")


@app.exception_handler(RequestValidationError)
async def not_understood(request: Request, _error: Exception) -> HTMLResponse:
    if request.method == "GET":
        return await not_here(request, _error)
    return _message(422, "The form is not complete", "Go back, fill in every field, and send it again.")


@app.exception_handler(401)
async def sign_in(request: Request, _error: Exception) -> HTMLResponse:
    """Signing in leads back to what was asked for."""
    login = request.url.replace(path=f"{root_path()}/auth/login", query="")
    login = login.include_query_params(next=str(request.url))
    text = "These pages are for people who are signed in to Airflow."
    return _message(401, "Please sign in", text, link=str(login), link_text="Sign in to Airflow")


@app.exception_handler(403)
async def refused(_request: Request, error: Exception) -> HTMLResponse:
    said = error.detail if isinstance(error, HTTPException) else ""
    text = "Your role in Airflow may not see or do this." if said in {"", "Forbidden"} else str(said)
    return _message(403, "Not allowed", text)


@app.exception_handler(PrivacyOpsError)
async def unavailable(_request: Request, error: PrivacyOpsError) -> HTMLResponse:
    """The database is down, refuses, or is not configured: the error's own words, which hold no secret."""
    if type(error) is UserError:
        return _message(422, "This cannot be done", str(error))
    return _message(503, "This cannot be read now", str(error))
