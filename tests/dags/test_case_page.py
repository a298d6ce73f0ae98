"""The page of a case: reviewers only, evidence on demand, and who looked is written down before anything is shown."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from privacy_ops.datamap import grants, loader
from privacy_ops.stores.database import Database
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests import console_pages
from tests.dags.test_console import as_airflow_connection, server  # noqa: F401 - a fixture
from tests.integration.press import Press, map_of
from tests.integration.press_fixtures import migrated_press, press, press_template  # noqa: F401 - fixtures

OWN = console_pages.OWN


@pytest.fixture
def case(press: Press, monkeypatch: pytest.MonkeyPatch) -> UUID:  # noqa: F811
    """A suspicion about somebody who wrote a date of birth; the page's connection is the duty `evidence`."""
    url = make_url(press.workspace.settings.dsn("evidence"))
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_OPS_EVIDENCE", as_airflow_connection(url.render_as_string(False)))
    monkeypatch.setattr(loader, "load", lambda _path: map_of())
    for name in ("PRIVACY_OPS_REVIEWERS", "PRIVACY_OPS_PRIVACY_LEADS"):
        monkeypatch.delenv(name, raising=False)
    person, number = press.person(written="<b>5 May 2010</b>", name="Kim Lowe"), uuid4()
    press.execute(
        "INSERT INTO gov.minor_case (case_id, subject_kind, subject_table, subject_key, subject_ref, ref_key_id, class,"
        " state, evidence_hash, discovered_at, opened_by_run, judged_by_run) VALUES (:c, 'person', 'press.account',"
        " ARRAY[CAST(:u AS text)], 'r', 'k', 'SUSPECTED_MINOR', 'RESTRICTED', 'h', now(), 'x', 'x')",
        c=number,
        u=person,
    )
    press.execute(
        "INSERT INTO gov.minor_signal (case_id, source_table, source_column, row_key, signal, usable, value_hash)"
        " VALUES (:c, 'press.profile', 'dob_raw', ARRAY[CAST(:u AS text)], 'SIG-01', true, :h)",
        c=number,
        u=person,
        h=hashlib.sha256(f"{number} <b>5 May 2010</b>".encode()).hexdigest(),
    )
    return number


def browser(server: FastAPI, role: str | None = "op", name: str = "rosa") -> TestClient:  # noqa: F811
    return console_pages.browser(server, role, name)


def form(made: TestClient, case: object, name: str = "rosa") -> dict[str, str]:
    """What the button of the case's page sends."""
    return {"token": console_pages.token(made, "show_evidence", str(case), name=name)}


def views(press: Press) -> list[Any]:  # noqa: F811
    return list(press.execute("SELECT case_id, person_id, cells FROM gov.evidence_view ORDER BY view_id"))


def test_evidence_is_shown_on_demand_to_a_reviewer_and_the_look_is_written_down(
    server: FastAPI,  # noqa: F811
    press: Press,  # noqa: F811
    case: UUID,
) -> None:
    page = browser(server).get(f"/privacy/cases/{case}")
    assert page.status_code == 200
    assert "SIG-01" in page.text
    assert "2010" not in page.text
    assert views(press) == [], "reading the page changes nothing"

    made = browser(server)
    shown = made.post(f"/privacy/cases/{case}/evidence", headers=OWN, data=form(made, case))
    assert shown.status_code == 200, shown.text[-400:]
    assert "&lt;b&gt;5 May 2010&lt;/b&gt;" in shown.text
    assert "changed since" not in shown.text
    assert "Kim" not in shown.text, "the fields of the evidence and nothing else"
    assert views(press) == [(case, "rosa", 1)]
    for answer in (page, shown):
        assert answer.headers["cache-control"] == "no-store"
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "same-origin"

    press.execute("UPDATE press.profile SET dob_raw = '1980-05-05'")
    assert "changed since" in made.post(f"/privacy/cases/{case}/evidence", headers=OWN, data=form(made, case)).text


def test_nobody_else_gets_in_and_no_other_site_can_ask(
    server: FastAPI,  # noqa: F811
    press: Press,  # noqa: F811
    case: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, evidence = f"/privacy/cases/{case}", f"/privacy/cases/{case}/evidence"
    assert browser(server, None).get(page).status_code == 401
    assert browser(server, None).post(evidence, headers=OWN).status_code == 401
    assert browser(server, "viewer").get(page).status_code == 403
    assert browser(server, "viewer").post(evidence, headers=OWN).status_code == 403

    for headers in (
        {},
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"} | OWN,
    ):
        made = browser(server)
        assert made.post(evidence, headers=headers, data=form(made, case)).status_code == 403
    assert browser(server).post(evidence, headers=OWN).status_code == 403, "without the page's own token"
    assert browser(server).get(evidence).status_code == 405

    monkeypatch.setenv("PRIVACY_OPS_REVIEWERS", "ravi")
    assert browser(server).get(page).status_code == 403, "an engineer who may answer tasks is no reviewer"
    made = browser(server)
    assert made.post(evidence, headers=OWN, data=form(made, case)).status_code == 403
    assert browser(server, name="ravi").get(page).status_code == 200
    assert views(press) == []


def test_what_cannot_be_written_down_is_not_shown(server: FastAPI, press: Press, case: UUID) -> None:  # noqa: F811
    press.execute("REVOKE INSERT ON gov.evidence_view FROM privacy_evidence")
    try:
        made = browser(server)
        shown = made.post(f"/privacy/cases/{case}/evidence", headers=OWN, data=form(made, case))
    finally:
        press.execute("GRANT INSERT ON gov.evidence_view TO privacy_evidence")
    assert shown.status_code == 503
    assert "2010" not in shown.text

    for unknown in (uuid4(), "not-a-number"):
        assert browser(server).get(f"/privacy/cases/{unknown}").status_code == 404
        made = browser(server)
        sent = made.post(f"/privacy/cases/{unknown}/evidence", headers=OWN, data=form(made, unknown))
        assert sent.status_code in {404, 422}
    assert views(press) == []


def test_the_duty_that_shows_evidence_reads_cells_and_no_names(press: Press, case: UUID) -> None:  # noqa: F811
    from privacy_ops.errors import StoreRefused

    database = Database(press.workspace.settings.dsn("evidence"))
    for refused in (
        "SELECT name FROM press.profile",
        "SELECT email FROM press.account",
        "UPDATE gov.minor_case SET state = 'CLOSED'",
        "DELETE FROM gov.evidence_view",
        "INSERT INTO gov.case_decision SELECT",
    ):
        with pytest.raises(StoreRefused), database.transaction() as connection:
            connection.execute(text(refused))
    assert grants.rights(map_of(), "evidence")["press.profile"].update == set()
