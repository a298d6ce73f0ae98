"""What stands on the console's pages: hostile text is inert, packs and certificates come as registered, a withdrawal
is done and written down, and the other jobs' rows are read by the role of the pages alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import html5lib
import pytest
from fastapi import FastAPI
from privacy_ops.console import app as console
from privacy_ops.console import pages
from privacy_ops.gates.report import render
from privacy_ops.gates.runner import CheckResult
from privacy_ops.gates.suite import Suite, one_row
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.database import Database
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.usage.pack import pack_sha256
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.console_pages import OWN, browser, routes, token
from tests.dags.test_console import PASSWORDS, as_airflow_connection, database, governed, server  # noqa: F401

NOW = datetime.now(UTC).replace(microsecond=0)
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)><a href=javascript:alert(3)>{{7*7}}</a>"
CASE = UUID(int=7)
RELEASE = "r0123456789abcde"
FILES = {"README.md": b"figures", "usage.csv": b"course,starters\n1,20\n"}
PAGE = b"<p>page</p>"
CERTIFICATE = json.dumps({"page": {"sha256": hashlib.sha256(PAGE).hexdigest()}}).encode()
TABLES = [
    "console_action",
    "blocked_destination",
    "finding_change",
    "finding_waiver",
    "finding",
    "flow_verdict",
    "inventory_flow",
    "inventory_output",
    "inventory_snapshot",
    "release_delivery",
    "delivery_mail_release",
    "delivery_mail",
    "release_event",
    "release_register",
    "agreement",
    "recipient",
    "downstream_instruction",
    "certificate",
    "erasure_plan",
    "canary",
    "suppression_entry",
    "return_finding",
    "minor_case",
    "approval",
    "run",
    "gate_result",
]


def fill(everything: Database, word: str) -> None:
    """One row of everything that a page shows, with ``word`` wherever somebody else's text may stand."""
    quoted = json.dumps(word)
    release = "INSERT INTO gov.release_register (release_id, product, recipient_id, iso_week, window_start, window_end,"
    release += " spec_version, as_of, released_at, run_id, code_version, thresholds_sha256, map_sha256, object_prefix,"
    release += " files, pack_sha256, n_rows, n_withheld, entitlement, gate_result_id, approvers, period_key, utility)"
    facts = {
        "place": word, "nature": "STORAGE", "country": "US", "importer": {"entity_id": "x", "name": word,
        "relationship": "UNKNOWN", "role": "processor"}, "regimes": ["UK", "EU"], "owner": word,
    }  # fmt: skip
    kept = [
        {"name": name, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body), "version_id": None}
        for name, body in FILES.items()
    ]
    check = {"id": word, "title": word, "do": word, "severity": "critical", "success": False, "observed": 1}
    level = {
        "metric": word, "title": word, "unit": word, "note": word, "measured": 1, "open": 0, "over": 1, "breached": 1,
        "median": 1.5, "worst": 2.0, "target": 1, "limit": 2,
    }  # fmt: skip
    run, gate = f"minor_data_deletion/{word}", word
    statements: list[tuple[str, dict[str, Any]]] = [
        *(
            (
                "INSERT INTO gov.run (run_id, dag_id, as_of, run_type, dry_run, note, code_version, thresholds_sha256,"
                " map_sha256, tzdata_version, state, closed_at, facts) VALUES (:r, 'minor_data_deletion', :at,"
                " 'scheduled', false, :w, :w, 't', 'm', 't', 'done', :at, CAST(:f AS jsonb))",
                {"r": f"{run}{n}", "f": json.dumps({word: {word: word}, "service_levels": {"M1": level}})},
            )
            for n in ("", "2")
        ),
        *(
            (
                "INSERT INTO gov.gate_result (run_id, gate, verdict, subject_sha256, checks, judged_at, expires_at,"
                " report_html) VALUES (:r, :g, 'block', 's', CAST(:c AS jsonb), :at, :at, 'x')",
                {"r": run, "g": gate, "c": json.dumps([check | {"observed": n}])},
            )
            for n in (1, 2)
        ),
        (
            "INSERT INTO gov.approval (run_id, what, subject_sha256, approver, approver_name, decision, decided_at)"
            " VALUES (:r, :w, 's', :w, :w, 'approve', :at)",
            {"r": run},
        ),
        (
            "INSERT INTO gov.minor_case (case_id, subject_kind, subject_table, subject_key, subject_ref, ref_key_id,"
            " class, state, discovered_at, opened_by_run, judged_by_run) VALUES (:case, 'person', 't', NULL, 'ref',"
            " 'k', :w, 'CLOSED', :at, 'x', 'x'), (gen_random_uuid(), 'person', 't', ARRAY['secret-key'], 'other',"
            " 'k', :w, 'RESTRICTED', :at, 'x', 'x')",
            {},
        ),
        ("INSERT INTO gov.canary (subject_ref, ref_key_id, planted_at, expect) VALUES ('ref', 'k', :at, :w)", {}),
        (
            "INSERT INTO gov.erasure_plan (plan_id, run_id, frozen_at, as_of, state) VALUES (:case, :r, :at, :at,"
            " 'certified')",
            {"r": run},
        ),
        (
            "INSERT INTO gov.certificate (case_id, plan_id, bucket, object_key, sha256, issued_at, told_sha256)"
            " VALUES (:case, :case, 'imp-evidence', :k, :s, :at, '')",
            {"k": f"certificates/{CASE}.json", "s": hashlib.sha256(CERTIFICATE).hexdigest()},
        ),
        (
            "INSERT INTO gov.downstream_instruction (instruction_id, plan_id, case_id, party, state, reason,"
            " created_at) VALUES (:case, :case, :case, :w, 'refused', :w, :at)",
            {},
        ),
        (
            "INSERT INTO gov.suppression_entry (hmac, id_type, key_id, reason, block, valid_until, case_id, created_at)"
            " VALUES ('secret-hmac', :w, 'k', 'MINOR', 'IMPORT_RESTORE', :at, :case, :at)",
            {},
        ),
        (
            "INSERT INTO gov.recipient (recipient_id, kind, legal_name, country, status) VALUES ('author-one',"
            " 'author', :w, :w, 'active')",
            {},
        ),
        (
            f"{release} VALUES (:i, :w, 'author-one', :w, :at, :at, :w, :at, :at, :r, 'c', 't', 'm', 'exports/x/',"
            " CAST(:f AS jsonb), :p, 2, 1, CAST(:e AS jsonb), 1, ARRAY[:w], '2026-W47', CAST(:u AS jsonb))",
            {
                "i": RELEASE,
                "r": run,
                "f": json.dumps(kept),
                "p": pack_sha256(FILES),
                "e": json.dumps([{"course_id": word, "modules": [word], "agreements": [word]}]),
                "u": json.dumps({
                    "tables": {word: {"values": 3, "published": 2}},
                    "withheld_by": {word: 1},
                    "levels": {
                        word: {word: {word: {"cells": 4, "published": 3, "people": 85, "withheld": {word: [1, 15]}}}}
                    },
                    "rounding": [word],
                }),
            },
        ),
        (
            "INSERT INTO gov.release_event (release_id, kind, run_id, at, reason) VALUES (:i, 'published', :w, :at,"
            " :w)",
            {"i": RELEASE},
        ),
        (
            "INSERT INTO gov.inventory_snapshot (run_id, basis, taken_at, judged_on, known_on, reference_version,"
            " reference_sha256, reference_reviewed_on, registry_sha256, map_sha256, observers, inventory_sha256)"
            " VALUES (:r, 'observed', :at, :at, :at, :w, 's', :at, 's', 's', CAST(:o AS jsonb), 's')",
            {"r": run, "o": json.dumps([{"observer": word, "looked": True, "reason": word, "flows": 1}])},
        ),
        (
            "INSERT INTO gov.inventory_flow (snapshot_id, flow_key, place, nature, country, importer, personal,"
            " special_category, seen_by, detail, destination, facts) SELECT max(snapshot_id), :w, :w, :w, :w, :w,"
            " true, false, ARRAY[:w], :w, :w, CAST(:f AS jsonb) FROM gov.inventory_snapshot",
            {"f": json.dumps(facts)},
        ),
        (
            "INSERT INTO gov.flow_verdict (snapshot_id, flow_key, regime, verdict, instrument, flags, by_state,"
            " reasons) SELECT max(snapshot_id), :w, 'UK', 'COVERED', :w, '{}', '{}', CAST(:f AS jsonb)"
            " FROM gov.inventory_snapshot",
            {"f": f'[{{"step": "x", "text": {quoted}, "cites": {quoted}}}]'},
        ),
        (
            "INSERT INTO gov.finding (fingerprint, process, rule, severity, asset, title, what_to_do, owner, observers,"
            " status, first_seen, last_seen, due_on, last_run_id) VALUES (:w, :w, :w, 'CRITICAL', :w, :w, :w, :w,"
            " ARRAY[:w], 'open', :at, :at, :at, :r)",
            {"r": run},
        ),
        (
            "INSERT INTO gov.blocked_destination (destination, fingerprint, reason, blocked_at) VALUES (:w, :w, :w,"
            " :at)",
            {},
        ),
    ]
    with everything.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement, values in statements:
            asked = {"w": word, "at": NOW, "case": CASE} | values
            connection.execute(text(statement), {k: v for k, v in asked.items() if f":{k}" in statement})


@pytest.fixture
def filled(database: Database, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: F811
    """gov with one row of everything; the lead and the reviewer are named."""
    monkeypatch.setenv("PRIVACY_OPS_REVIEWERS", "rosa")
    monkeypatch.setenv("PRIVACY_OPS_PRIVACY_LEADS", "lena")
    monkeypatch.setattr("privacy_ops.console.airflow_state.create_session", Questions)
    fill(database, getattr(request, "param", "plain"))
    yield database
    with database.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in TABLES:
            connection.execute(text(f"DELETE FROM gov.{table}"))


class Questions:
    """Airflow's own database, as far as the overview asks it: a paused DAG and a question with a hostile subject."""

    def __enter__(self) -> Any:
        self.answers = [
            [("minor_data_deletion", NOW + timedelta(hours=3), False), (EVIL, None, True)],
            [("minor_data_deletion", EVIL, EVIL, NOW)],
        ]
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, _statement: object) -> Any:
        return self.answers.pop(0)


def paths(word: str) -> list[str]:
    """Every page that is only read, also with filters; ``word`` is what the rows were filled with."""
    said = quote(word, safe="")
    values = {
        "case_id": str(CASE), "release_id": RELEASE, "gate": said, "dag_id": "minor_data_deletion", "run_id": said,
    }  # fmt: skip
    queries = {
        "/releases": f"?course={said}&period={said}",
        "/transfers/what-if": f"?country=IE&without={said}&flow={said}",
        "/gates": f"?gate={said}",
        "/transfers/flows": f"?country={said}&verdict={said}",
    }
    found = []
    for route in routes(console.app):
        if (
            route.methods != {"GET"}
            or "gate_result_id" in route.path
            or "snapshot_id" in route.path
            or route.path.startswith(("/cases", "/redactions"))
        ):
            continue
        path = "/privacy" + re.sub(r"{(\w+)(:\w+)?}", lambda m: values[m.group(1)], route.path)
        found += [path + query for query in ("", queries.get(route.path)) if query is not None]
    return found


def every_page(server: FastAPI) -> dict[str, str]:  # noqa: F811
    """The text of every page that is only read, with the values of the filled rows."""
    lena, found = browser(server, "admin", "lena"), {}
    for path in paths(EVIL):
        answer = lena.get(path)
        assert answer.status_code == 200, (path, answer.text[-300:])
        found[path] = answer.text
    return found


@pytest.mark.parametrize("filled", [EVIL], ids=["hostile"], indirect=True)
def test_hostile_words_of_others_stay_words(server: FastAPI, filled: Database) -> None:  # noqa: F811
    shown = every_page(server)
    assert len(shown) >= 16
    assert sum("&lt;script&gt;alert(1)" in page for page in shown.values()) >= 14, "the words stand there, escaped"
    ours = str(pages.render.__globals__["_asset"]("console.js"))
    for path, page in shown.items():
        tree = html5lib.parse(page, namespaceHTMLElements=False)
        scripts = ["".join(one.itertext()) for one in tree.iter("script")]
        assert scripts == [ours], path
        for element in tree.iter():
            if not isinstance(element.tag, str):
                continue
            assert element.tag not in {"img", "iframe", "object", "embed", "link", "base"}, path
            for name, value in element.attrib.items():
                assert not str(name).startswith("on"), (path, element.tag, name)
                assert str(name) != "style", (path, element.tag)
                if name in {"href", "action", "src"}:
                    assert value.startswith(("/", "#", "?")), (path, value)
        assert "49" not in page or "{{7*7}}" in page.replace("&#34;", '"'), "no template of ours is rendered twice"


def test_a_report_of_a_hostile_gate_runs_nothing(server: FastAPI, database: Database) -> None:  # noqa: F811
    suite = Suite(EVIL, EVIL, (one_row(),), runbook=EVIL)
    checks = [CheckResult(EVIL, EVIL, "critical", False, False, 1, EVIL)]
    page = render(
        suite, checks, verdict="block", run_id=EVIL, subject_sha256="s", judged_at=NOW, expires_at=NOW
    )  # fmt: skip
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    assert {element.tag for element in tree.iter() if isinstance(element.tag, str)} & {"script", "img", "a"} == set()
    policy = pages.report_policy(page)
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert len(style) == 1
    assert pages.policy(styles=style) == policy
    assert "script-src" not in policy


@pytest.mark.parametrize("filled", [EVIL], ids=["hostile"], indirect=True)
def test_pages_name_nobody(server: FastAPI, filled: Database) -> None:  # noqa: F811
    for path, page in every_page(server).items():
        for secret in ("secret-key", "secret-hmac", "subject_ref"):
            assert secret not in page, path


def test_a_published_report_is_served_as_it_was_judged(server: FastAPI, filled: Database) -> None:  # noqa: F811
    drawn = b"<svg class='chart' role='img'><path d='M0 0' fill='var(--covered)'></path></svg>"
    body = (
        b'<html><head><style>p {color: red}</style></head><div class="maps">' + drawn * 2 + b"</div><p>flows</p></html>"
    )
    lena = browser(server, "admin", "lena")
    with filled.transaction() as connection:
        number = connection.execute(text("SELECT max(snapshot_id) FROM gov.inventory_snapshot")).scalar_one()
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "INSERT INTO gov.inventory_output (snapshot_id, name, media_type, sha256, body)"
                " VALUES (:n, 'report.html', 'text/html', :s, :b)"
            ),
            {"n": number, "b": body, "s": hashlib.sha256(body).hexdigest()},
        )
    path = f"/privacy/transfers/{number}/report.html"
    assert lena.get(path).status_code == 404, "not published yet"
    assert drawn.decode() not in lena.get("/privacy/transfers").text
    with filled.transaction() as connection:
        connection.execute(text("UPDATE gov.inventory_snapshot SET published_at = now()"))
    shown = lena.get(path)
    assert (shown.status_code, shown.content) == (200, body)
    assert shown.headers["content-security-policy"] == pages.policy(styles=["p {color: red}"])
    assert lena.get(f"/privacy/transfers/{number}/manifest.json").status_code == 404
    for _ in range(2):  # counted, and from then on kept
        assert lena.get("/privacy/transfers").text.count(drawn.decode()) == 2, "the maps of its report"


def test_an_empty_gov_has_pages_too(server: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr("privacy_ops.console.airflow_state.create_session", Questions)
    vera = browser(server, "viewer", "vera")
    for path in ("", "erasures", "erasures/certificates", "releases", "transfers", "transfers/findings",
                 "transfers/flows", "transfers/what-if?country=US", "transfers/what-if?on=0001-01-01&without=EU-AD",
                 "dags/minor_data_deletion"):  # fmt: skip
        assert vera.get(f"/privacy/{path}").status_code == 200, path
    assert "has never come to its end" in vera.get("/privacy/").text


@pytest.fixture
def stores(
    objects: ObjectStore,
    object_settings: ObjectSettings,
    governed: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> ObjectStore:
    """Buckets with the pack and the certificate; Airflow's connections lead there."""
    from dataclasses import asdict

    for bucket in ("imp-exports", "imp-evidence"):
        region = {"LocationConstraint": "eu-west-2"}
        objects.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=region)  # type: ignore[arg-type]
    for name, body in FILES.items():
        objects.put("imp-exports", f"exports/x/{name}", body)
    objects.put("imp-evidence", f"certificates/{CASE}.json", CERTIFICATE)
    objects.put("imp-evidence", f"certificates/{CASE}.html", PAGE)
    known = asdict(object_settings)
    extra = {"region_name": known["region"], "endpoint_url": known["endpoint_url"]}
    keys = {"login": known["access_key"], "password": known["secret_key"]}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_OPS_OBJECTS", json.dumps({"conn_type": "aws", "extra": extra} | keys))
    url = make_url(governed).set(username="privacy_export", password=PASSWORDS["export"])
    monkeypatch.setenv(
        "AIRFLOW_CONN_PRIVACY_OPS_EXPORT", as_airflow_connection(url.render_as_string(hide_password=False))
    )
    return objects


def actions(everything: Database) -> list[tuple[str, str, str]]:
    with everything.transaction() as connection:
        found = connection.execute(text("SELECT action, target, person_id FROM gov.console_action ORDER BY action_id"))
        return [tuple(row) for row in found]


def test_a_pack_comes_byte_for_byte_and_who_took_it_is_kept(
    server: FastAPI, filled: Database, stores: ObjectStore  # noqa: F811
) -> None:  # fmt: skip
    rosa = browser(server, "op", "rosa")
    url = f"/privacy/releases/{RELEASE}/download"
    form = {"token": token(rosa, "download_pack", RELEASE, name="rosa")}
    answer = rosa.post(url, data=form, headers=OWN)
    assert answer.status_code == 200, answer.text[-300:]
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        assert {name.rpartition("/")[2]: pack.read(name) for name in pack.namelist()} == FILES
    assert actions(filled) == [("pack", RELEASE, "rosa")]
    assert "rosa" in rosa.get(f"/privacy/releases/{RELEASE}").text

    stores.put("imp-exports", "exports/x/usage.csv", b"course,starters\n1,3\n")
    assert rosa.post(url, data=form, headers=OWN).status_code == 422, "changed since it was registered"

    with filled.transaction() as connection:
        connection.execute(text("REVOKE INSERT ON gov.console_action FROM privacy_console"))
    try:
        unwritten = rosa.post(url, data=form, headers=OWN)
    finally:
        with filled.transaction() as connection:
            connection.execute(text("GRANT INSERT ON gov.console_action TO privacy_console"))
    assert (unwritten.status_code, b"PK" in unwritten.content) == (503, False)


def test_a_certificate_comes_as_signed(server: FastAPI, filled: Database, stores: ObjectStore) -> None:  # noqa: F811
    rosa = browser(server, "op", "rosa")
    url = f"/privacy/erasures/certificates/{CASE}/download"
    form = {"token": token(rosa, "download_certificate", str(CASE), name="rosa")}
    got = rosa.post(url, data=form | {"name": f"{CASE}.json"}, headers=OWN)
    assert (got.status_code, got.content) == (200, CERTIFICATE)
    page = rosa.post(url, data=form | {"name": f"{CASE}.html"}, headers=OWN)
    assert (page.content, page.headers["content-disposition"][:10]) == (PAGE, "attachment")
    assert "sandbox" in page.headers["content-security-policy"]
    for name in ("../secrets.json", f"certificates/{CASE}.json", "other.json"):
        assert rosa.post(url, data=form | {"name": name}, headers=OWN).status_code == 404
    assert actions(filled) == [("certificate", str(CASE), "rosa")] * 2
    # A page that is not the one of its document, and any file beside a document that is not the registered one.
    stores.put("imp-evidence", f"certificates/{CASE}.html", b"<p>nothing was erased</p>")
    assert rosa.post(url, data=form | {"name": f"{CASE}.html"}, headers=OWN).status_code == 422
    assert rosa.post(url, data=form | {"name": f"{CASE}.json"}, headers=OWN).status_code == 200
    forged = hashlib.sha256(b"<p>nothing was erased</p>").hexdigest()
    stores.put("imp-evidence", f"certificates/{CASE}.json", json.dumps({"page": {"sha256": forged}}).encode())
    for ending in ("json", "html"):
        answer = rosa.post(url, data=form | {"name": f"{CASE}.{ending}"}, headers=OWN)
        assert (answer.status_code, b"nothing was erased" in answer.content) == (422, False), ending


def test_a_lead_withdraws_with_a_reason_and_it_is_kept(
    server: FastAPI, filled: Database, stores: ObjectStore  # noqa: F811
) -> None:  # fmt: skip
    lena = browser(server, "admin", "lena")
    url = f"/privacy/releases/{RELEASE}/withdraw"
    form = {"token": token(lena, "withdraw_release", RELEASE, name="lena")}
    assert lena.post(url, data=form, headers=OWN).status_code == 422, "no reason"
    said = lena.post(url, data=form | {"reason": "write to kim@example.org"}, headers=OWN)
    assert (said.status_code, "mail address" in said.text) == (422, True)
    assert actions(filled) == []

    done = lena.post(url, data=form | {"reason": "the agreement had ended"}, headers=OWN)
    assert (done.status_code, done.headers["location"]) == (303, f"/privacy/releases/{RELEASE}")
    assert actions(filled) == [("withdraw", RELEASE, "lena")]
    with filled.transaction() as connection:
        events = connection.execute(
            text("SELECT kind, run_id, reason FROM gov.release_event WHERE kind = 'withdrawn'")
        ).all()
    assert [tuple(row) for row in events] == [("withdrawn", "by hand: lena", "the agreement had ended")]
    page = lena.get(f"/privacy/releases/{RELEASE}").text
    assert "Download pack" not in page
    assert "the agreement had ended" in page
    form = {"token": token(lena, "download_pack", RELEASE, name="lena")}
    assert lena.post(f"/privacy/releases/{RELEASE}/download", data=form, headers=OWN).status_code == 422


def test_buttons_stand_only_where_they_would_work(server: FastAPI, filled: Database) -> None:  # noqa: F811
    path = f"/privacy/releases/{RELEASE}"
    seen = {
        who: [
            word in browser(server, role, who).get(path).text
            for word in ("Download pack", "Withdraw r", "what each rule cost", "3 of 4 (75 %)", "1, up to 15 %")
        ]
        for who, role in (("vera", "viewer"), ("emil", "op"), ("rosa", "op"), ("lena", "admin"))
    }
    reviewer = [True, False, *[True] * 3]  # whoever may have the pack sees what its rules cost
    assert seen == {"vera": [False] * 5, "emil": [False] * 5, "rosa": reviewer, "lena": [True] * 5}


def test_the_role_of_the_pages_reads_no_key_and_changes_nothing(filled: Database) -> None:
    from privacy_ops.console.view import console_database
    from privacy_ops.errors import StoreRefused

    for refused in (
        "SELECT subject_key FROM gov.minor_case",
        "SELECT subject_ref FROM gov.minor_case",
        "SELECT hmac FROM gov.suppression_entry",
        "SELECT * FROM gov.canary",
        "DELETE FROM gov.console_action",
        "INSERT INTO gov.release_event SELECT",
    ):
        with pytest.raises(StoreRefused), console_database().transaction() as connection:
            connection.execute(text(refused))
