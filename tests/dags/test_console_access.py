"""Every route of the console: who gets in, who does not, and that no other site can make a browser change anything.

The routes come from the app itself: one that is added without a right, or a form without its token, fails here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi import FastAPI
from fastapi.routing import APIRoute
from privacy_ops.console import access
from privacy_ops.console import app as console
from privacy_ops.console.access import RULES, Needs, Right
from privacy_ops.settings import home_directory
from privacy_ops.stores.database import Database
from sqlalchemy import text

from tests.console_pages import OWN, browser, dependencies, routes, token
from tests.dags.test_console import database, governed, server  # noqa: F401 - fixtures

# Name, role in Airflow; how the demo's people and docs/console.md say it.
PEOPLE = {
    "anonymous": ("nobody", None),
    "without a role": ("nora", ""),
    "viewer": ("vera", "viewer"),
    "engineer": ("emil", "op"),
    "reviewer": ("rosa", "op"),
    "lead": ("lena", "admin"),
}
SEES = {"viewer", "engineer", "reviewer", "lead"}
WHO: dict[Right, set[str]] = {
    Right.LOOK: SEES,
    Right.DAG: SEES,
    Right.ERASURES: SEES,
    Right.RELEASES: SEES,
    Right.TRANSFERS: SEES,
    Right.EVIDENCE: {"reviewer", "lead"},
    Right.CERTIFICATE: {"reviewer", "lead"},
    Right.PACK: {"reviewer", "lead"},
    Right.WITHDRAW: {"lead"},
}
VALUES = {
    "case_id": str(uuid4()),
    "redaction_id": str(uuid4()),
    "finding_id": "1",
    "release_id": "r0123456789abcde",
    "gate_result_id": "1",
    "snapshot_id": "1",
    "gate": "erasure.plan",
    "dag_id": "minor_data_deletion",
    "run_id": "manual__1",
    "name": "report.html",
}
FIELDS = {"name": "a.json", "reason": "the agreement had ended"}
ALL = routes(console.app)
NAMES = [f"{sorted(route.methods or [])[0]} {route.path}" for route in ALL]


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVACY_OPS_REVIEWERS", "rosa")
    monkeypatch.setenv("PRIVACY_OPS_PRIVACY_LEADS", "lena")


@pytest.fixture(autouse=True)
def _evidence(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811
    """The duty that shows evidence is not what these tests are about: it sees the same empty tables."""
    from privacy_ops.console.routes import cases

    console.app.dependency_overrides[cases.evidence_database] = lambda: database
    monkeypatch.setattr("privacy_ops.console.airflow_state.create_session", _no_airflow)
    yield
    del console.app.dependency_overrides[cases.evidence_database]


def _no_airflow() -> None:
    from sqlalchemy.exc import OperationalError

    raise OperationalError("Airflow's database is not what these tests are about", None, Exception())


def rights(route: APIRoute) -> list[Right]:
    return [call.right for call in dependencies(route.dependant) if isinstance(call, Needs)]


def ask(server: FastAPI, who: str, route: APIRoute, *, forged: str | None = None, headers: dict[str, str] = OWN) -> int:  # noqa: F811
    """The status of a route as this person gets it, with a proper form where it is one."""
    name, role = PEOPLE[who]
    made = browser(server, role, name)
    named = re.findall(r"{(\w+)", route.path)
    path = "/privacy" + re.sub(r"{(\w+)(:\w+)?}", lambda m: VALUES[m.group(1)], route.path)
    if route.methods == {"GET"}:
        return int(made.get(path).status_code)
    field = token(made, route.endpoint.__name__, *(VALUES[n] for n in named), name=name) if forged is None else forged
    return int(made.post(path, data=FIELDS | {"token": field}, headers=headers).status_code)


@pytest.mark.parametrize("who", PEOPLE)
def test_each_route_lets_in_exactly_who_may(server: FastAPI, who: str) -> None:  # noqa: F811
    for route in ALL:
        (right,) = rights(route)
        status = ask(server, who, route)
        if who == "anonymous":
            assert status == 401, route.path
        elif who not in WHO[right]:
            assert status == 403, (who, route.path)
        else:
            assert status in {200, 404}, (who, route.path, status)


def test_no_route_is_without_a_right_and_no_form_without_its_token() -> None:
    def unguarded(app: FastAPI) -> list[str]:
        found = []
        for route in routes(app):
            assert route.methods in ({"GET"}, {"POST"}), route.path
            if len(rights(route)) != 1:
                found.append(f"{route.path} asks for no right")
            if "POST" in route.methods and access.own_form not in dependencies(route.dependant):
                found.append(f"{route.path} takes any form")
        return found

    assert len(ALL) >= 20
    assert unguarded(console.app) == []
    careless = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    careless.get("/new")(lambda: None)
    careless.post("/form", dependencies=[access.Depends(Needs(Right.LOOK))])(lambda: None)
    assert unguarded(careless) == ["/new asks for no right", "/form takes any form"]


def test_no_page_changes_anything(server: FastAPI, database: Database) -> None:  # noqa: F811
    with database.transaction() as connection:
        connection.execute(text("ALTER ROLE privacy_console SET default_transaction_read_only = on"))
    try:
        for route in ALL:
            if route.methods == {"GET"}:
                assert ask(server, "lead", route) in {200, 404}, route.path
    finally:
        with database.transaction() as connection:
            connection.execute(text("ALTER ROLE privacy_console RESET default_transaction_read_only"))


@pytest.mark.parametrize("route", [r for r in ALL if r.methods == {"POST"}], ids=lambda r: r.path)
def test_a_form_of_another_site_or_sign_in_is_refused(
    server: FastAPI,  # noqa: F811
    database: Database,  # noqa: F811
    route: APIRoute,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = [VALUES[n] for n in re.findall(r"{(\w+)", route.path)]
    action = route.endpoint.__name__
    lena = browser(server, "admin", "lena")
    good = token(lena, action, *values, name="lena")
    assert ask(server, "lead", route) != 403
    for headers in ({}, {"Origin": "https://evil.example.org"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
        assert ask(server, "lead", route, headers=headers) == 403, headers
    assert ask(server, "lead", route, headers={"Sec-Fetch-Site": "cross-site"} | OWN) == 403
    others = browser(server, "op", "rosa")
    for forged in (
        "",
        "x" * 40,
        token(others, action, *values, name="rosa"),
        token(others, action, *values, name="lena"),
        token(lena, "another_action", *values, name="lena"),
        token(lena, action, "r9999999999999999", name="lena"),
        good[:-2],
    ):
        assert ask(server, "lead", route, forged=forged) == 403, forged
    monkeypatch.setattr(access, "FORM_HOURS", -1)
    assert ask(server, "lead", route) == 403, "too old"
    with database.transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM gov.console_action")).scalar() == 0


def test_nobody_withdraws_where_no_lead_is_named(server: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    (withdraw,) = (route for route in ALL if route.path.endswith("/withdraw"))
    assert ask(server, "lead", withdraw) == 404
    monkeypatch.delenv("PRIVACY_OPS_PRIVACY_LEADS")
    assert ask(server, "lead", withdraw) == 403
    monkeypatch.setenv("PRIVACY_OPS_PRIVACY_LEADS", "vera")
    assert ask(server, "viewer", withdraw) == 403, "named, but Airflow lets a viewer answer nothing"


@pytest.mark.parametrize("right", [Right.EVIDENCE, Right.CERTIFICATE, Right.PACK])
@pytest.mark.parametrize(
    ("reviewers", "leads", "let_in"),
    [
        ("rosa", "lena", {"rosa", "lena"}),
        ("", "lena", {"lena"}),
        ("rosa", "", {"rosa"}),
        ("", "", {"rosa", "emil", "lena"}),
    ],
)
def test_where_anybody_is_named_only_who_is_named_sees_evidence(
    server: FastAPI, monkeypatch: pytest.MonkeyPatch, right: Right, reviewers: str, leads: str, let_in: set[str]  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setenv("PRIVACY_OPS_REVIEWERS", reviewers)
    monkeypatch.setenv("PRIVACY_OPS_PRIVACY_LEADS", leads)
    people = {"rosa": "op", "emil": "op", "lena": "admin", "vera": "viewer"}
    found = {n for n, role in people.items() if access.may(SimpleAuthManagerUser(username=n, role=role), right)}
    assert found == let_in


def test_the_docs_show_the_same_rights() -> None:
    shown = (home_directory() / "docs" / "console.md").read_text(encoding="utf-8")
    for right, rule in RULES.items():
        cells = " | ".join("yes" if who in WHO[right] else "–" for who in ("viewer", "engineer", "reviewer", "lead"))
        assert f"| {rule.what} | {cells} |" in shown, right


def test_the_overview_shows_no_evidence_of_a_dag_that_one_may_not_see(
    server: FastAPI,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lena = browser(server, "admin", "lena")
    whole = lena.get("/privacy/").text
    manager = get_auth_manager()
    monkeypatch.setattr(manager, "is_authorized_dag", lambda **q: q["details"].id == "transfer_inventory_check")
    cut = lena.get("/privacy/").text
    for said in ('id="P-52"', 'id="P-16"', "Canary", "/privacy/erasures"):
        assert (said in whole, said in cut) == (True, False), said
    assert 'id="P-41"' in cut
    assert "may not see" in cut
    assert lena.get("/privacy/erasures").status_code == 403


def test_airflow_is_asked_what_the_table_says(server: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Any auth manager decides, FAB's too: the questions are Airflow's own."""
    asked = []
    manager = get_auth_manager()
    monkeypatch.setattr(manager, "is_authorized_dag", lambda **q: asked.append(q) or True)
    monkeypatch.setattr(manager, "is_authorized_view", lambda **q: asked.append(q) or True)
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    lena = SimpleAuthManagerUser(username="lena", role=None)
    assert all(access.may(lena, right, "x") for right in Right)
    told = [
        (q["access_view"].value,) if "access_view" in q else (q["method"], q["access_entity"].value, q["details"].id)
        for q in asked
    ]
    assert told == [
        ("WEBSITE",),
        ("GET", "RUN", "x"),
        ("GET", "RUN", "minor_data_deletion"),
        ("GET", "RUN", "course_usage_export"),
        ("GET", "RUN", "transfer_inventory_check"),
        ("PUT", "HITL_DETAIL", "minor_case_review"),
        ("PUT", "HITL_DETAIL", "minor_case_review"),
        ("PUT", "HITL_DETAIL", "course_usage_export"),
        ("PUT", "HITL_DETAIL", "course_usage_export"),
    ]
