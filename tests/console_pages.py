"""People with made-up sign-ins, and forms as the console's pages would write them."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from privacy_ops.console import access
from starlette.requests import Request

HOST = "http://testserver"
OWN = {"Origin": HOST}


def browser(server: FastAPI, role: str | None = "viewer", name: str = "made-up-viewer") -> TestClient:
    """A browser, signed in by cookie as Airflow's own pages are; ``role`` None is nobody."""
    made = TestClient(server, base_url=HOST, raise_server_exceptions=False, follow_redirects=False)
    if role is not None:
        user = SimpleAuthManagerUser(username=name, role=role)
        made.cookies.set(access.COOKIE_NAME_JWT_TOKEN, server.state.auth_manager.generate_jwt(user))
    return made


def token(made: TestClient, action: str, *values: str, name: str = "made-up-viewer") -> str:
    """What stands in the hidden field of the form ``action`` on a page that this browser opened."""
    cookie = f"{access.COOKIE_NAME_JWT_TOKEN}={made.cookies.get(access.COOKIE_NAME_JWT_TOKEN)}"
    request = Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})
    return access.form_token(request, SimpleAuthManagerUser(username=name, role="op"), action, *values)


def routes(app: FastAPI) -> list[APIRoute]:
    """Every route that the app answers. Anything but an APIRoute (a mount, a plain function) fails here."""
    odd = [route for route in app.routes if not isinstance(route, APIRoute)]
    assert not odd, f"routes that no test knows how to ask: {odd}"
    return [route for route in app.routes if isinstance(route, APIRoute)]


def dependencies(dependant: Any) -> list[Any]:
    """Every callable that a route depends on, however deep."""
    found = []
    for one in dependant.dependencies:
        found += [one.call, *dependencies(one)]
    return found
