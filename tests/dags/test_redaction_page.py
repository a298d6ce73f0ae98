"""A mention of a minor in somebody else's text, in the console: reviewers look, and two who signed in confirm."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from privacy_ops.datamap import grants, loader
from privacy_ops.erasure import redaction
from sqlalchemy.engine import make_url

from tests import console_pages
from tests.dags.test_console import as_airflow_connection, server  # noqa: F401 - a fixture
from tests.integration.press import ADULT, COMMON, MAYBE_ACCOUNT, Press, map_of
from tests.integration.press_fixtures import migrated_press, press, press_template  # noqa: F401 - fixtures
from tests.integration.test_case_review import suspect

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TEXT = "<b>Thanks</b> to Ada Lowe, of my son's class."


@pytest.fixture
def proposal(press: Press, monkeypatch: pytest.MonkeyPatch) -> UUID:  # noqa: F811
    """Words of an adult's comment that are to go; the page's connection is the duty `evidence`."""
    text = {"category": "user.content", "evidence": {"signal": "SIG-12", "kind": "free_text"}}
    columns: dict[str, Any] = {"id": {"category": "system.operations"}, "user_id": {"category": "user"}, "body": text}
    columns["parent_id"] = {"category": "user", "erase": "UNLINK"}
    data_map = map_of(comment={"key": ["id"], "link": MAYBE_ACCOUNT, "erase": "DELETE", "columns": columns} | COMMON)
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    press.workspace = press.with_map(data_map)
    monkeypatch.setattr(loader, "load", lambda _path: data_map)
    url = make_url(press.workspace.settings.dsn("evidence"))
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_OPS_EVIDENCE", as_airflow_connection(url.render_as_string(False)))
    monkeypatch.setenv("PRIVACY_OPS_REVIEWERS", "rosa,ravi")
    monkeypatch.delenv("PRIVACY_OPS_PRIVACY_LEADS", raising=False)
    person = suspect(press)
    comment = press.add("comment", user_id=press.person(born=ADULT), body=TEXT)
    first = TEXT.index("Ada")
    return redaction.propose(
        press.workspace, case_id=press.case_of(person).case_id, table="press.comment", column="body",
        key=(str(comment),), spans=[(first, first + 8)], by=redaction.Person("account:emil", "account"), now=NOW,
    )  # fmt: skip


def send(made: TestClient, action: str, route: str, proposal: UUID, name: str) -> Any:
    data = {"token": console_pages.token(made, action, str(proposal), name=name)}
    where = f"/privacy/redactions/{proposal}/{route}"
    return made.post(where, headers=console_pages.OWN, data=data, follow_redirects=False)


def answers(press: Press) -> list[tuple[str, str, str]]:  # noqa: F811
    rows = press.execute("SELECT person, way, answer FROM gov.redaction_answer ORDER BY answer, person")
    return [tuple(row) for row in rows]


def test_two_people_who_signed_in_look_and_confirm_and_nothing_is_taken_out_here(
    server: FastAPI,  # noqa: F811
    press: Press,  # noqa: F811
    proposal: UUID,
) -> None:
    rosa, ravi = (console_pages.browser(server, "op", name) for name in ("rosa", "ravi"))
    listed, page = rosa.get("/privacy/redactions"), rosa.get(f"/privacy/redactions/{proposal}")
    assert str(proposal) in listed.text
    assert "0 of 2" in listed.text
    assert page.status_code == 200
    assert not any("Lowe" in answer.text for answer in (listed, page))
    assert answers(press) == [], "reading the pages changes nothing"
    assert send(rosa, "confirm_redaction", "confirm", proposal, "rosa").status_code == 422, "not looked at"

    shown = send(rosa, "show_place", "show", proposal, "rosa")
    assert shown.status_code == 200, shown.text[-400:]
    assert "&lt;b&gt;Thanks&lt;/b&gt; to [[Ada Lowe]], of my son" in shown.text
    assert answers(press) == [("rosa", "login", "viewed")]
    for _ in range(2):
        assert send(rosa, "confirm_redaction", "confirm", proposal, "rosa").status_code == 303
    assert press.scalar("SELECT state FROM gov.redaction") == "proposed", "twice the same person is one"

    send(ravi, "show_place", "show", proposal, "ravi")
    assert send(ravi, "confirm_redaction", "confirm", proposal, "ravi").status_code == 303
    assert press.scalar("SELECT state FROM gov.redaction") == "confirmed"
    assert press.scalar("SELECT body FROM press.comment WHERE body <> ''") == TEXT
    assert "ravi confirmed (signed in)" in ravi.get(f"/privacy/redactions/{proposal}").text


def test_a_reviewer_proposes_the_words_of_a_mention_that_a_sweep_found(
    server: FastAPI,  # noqa: F811
    press: Press,  # noqa: F811
    proposal: UUID,
) -> None:
    case, comment = press.execute("SELECT case_id, row_key FROM gov.redaction")[0]
    finding = press.scalar(
        "INSERT INTO gov.return_finding (case_id, run_id, found_at, asset, found_by, verdict, rows, row_key)"
        " VALUES (:c, 'r', now(), 'press.comment', 'email', 'mention', 1, :k) RETURNING finding_id",
        c=case, k=comment,
    )  # fmt: skip
    rosa, vera = console_pages.browser(server, "op", "rosa"), console_pages.browser(server, "op", "vera")

    def propose(made: TestClient, name: str, **said: str) -> Any:
        data = {"token": console_pages.token(made, "propose_redaction", str(finding), name=name)} | said
        where = f"/privacy/redactions/mentions/{finding}/propose"
        return made.post(where, headers=console_pages.OWN, data=data, follow_redirects=False)

    listed = rosa.get("/privacy/redactions")
    assert f"/redactions/mentions/{finding}/propose" in listed.text
    assert "<option>body</option>" in listed.text
    assert propose(vera, "vera", column="body", words="Ada Lowe").status_code == 403
    for wrong in ({"column": "body", "words": "Bo Lowe"}, {"column": "body"}, {"column": "user_id", "words": "Ada"}):
        refused = propose(rosa, "rosa", **wrong)
        assert refused.status_code == 422, wrong
        assert "Bo Lowe" not in refused.text
    made = propose(rosa, "rosa", column="body", words="Ada Lowe")
    assert made.status_code == 303, made.text[-300:]
    number = made.headers["location"].rsplit("/", 1)[1]
    rows = press.execute(
        "SELECT proposed_by, firsts, lasts, state FROM gov.redaction WHERE redaction_id = :r", r=number
    )
    assert rows == [("rosa", [TEXT.index("Ada")], [TEXT.index("Ada") + 8], "proposed")]
    press.execute("UPDATE gov.return_finding SET settled_at = now(), row_key = NULL")
    assert propose(rosa, "rosa", column="body", words="Ada Lowe").status_code == 404


def test_who_is_no_reviewer_neither_sees_nor_answers_and_one_no_is_enough(
    server: FastAPI,  # noqa: F811
    press: Press,  # noqa: F811
    proposal: UUID,
) -> None:
    for role, name in (("viewer", "vera"), ("op", "emil")):
        made = console_pages.browser(server, role, name)
        assert made.get("/privacy/redactions").status_code == 403
        for action, route in (("show_place", "show"), ("confirm_redaction", "confirm"), ("reject_redaction", "reject")):
            assert send(made, action, route, proposal, name).status_code == 403
    assert answers(press) == []
    rosa = console_pages.browser(server, "op", "rosa")
    send(rosa, "show_place", "show", proposal, "rosa")
    assert send(rosa, "reject_redaction", "reject", proposal, "rosa").status_code == 303
    assert press.execute("SELECT state, row_key FROM gov.redaction") == [("rejected", None)]
