"""Certificates of whole nights: complete, signed, checked without us, and never rewritten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from privacy_ops import ledger, signing
from privacy_ops.erasure import execute, verify
from privacy_ops.erasure.certificates import certify as certificate
from privacy_ops.erasure.certificates import document as certificate_document
from privacy_ops.erasure.downstream import outbox as downstream
from privacy_ops.erasure.downstream.adapters import Outcome
from privacy_ops.erasure.objects import erase as objects
from privacy_ops.errors import LedgerBroken, UserError
from privacy_ops.stores.objects import ObjectStore
from privacy_ops.workspace import Workspace

from tests.integration import nights
from tests.integration.press import MINOR, NOW, Press
from tests.integration.test_downstream import PARTIES, Post, hourly
from tests.integration.told import known_minor, telling

BUCKET = "press-evidence"
LATER = NOW + timedelta(hours=1)


def with_keys(workspace: Workspace, **changes: Any) -> Workspace:
    keys = replace(workspace.settings.keys, **changes)
    return replace(workspace, settings=replace(workspace.settings, keys=keys))


def documents(store: ObjectStore, suffix: str = ".json") -> dict[str, bytes]:
    keys = [k for k in store.keys(BUCKET, "certificates/") if k.endswith(suffix)]
    return {key: store.get(BUCKET, key) for key in keys}


def to_the_proof(workspace: Workspace, press: Press) -> Any:
    """A night up to the certificate."""
    run = press.open_run()
    nights.prepare(workspace, run)
    execute.erase_database(workspace, run, now=NOW)
    objects.erase_objects(workspace, run, now=NOW)
    verify.verify(workspace, run, now=NOW)
    return run


@pytest.fixture
def told(press: Press) -> Workspace:
    return telling(press)


def test_a_certificate_says_what_was_done_kept_told_and_proven(
    press: Press, told: Workspace, objects: ObjectStore, tmp_path: Path
) -> None:
    user = known_minor(press)
    press.add("sale", user_id=user, bill_name="Reader", total=12)
    nights.whole(told, press.open_run())
    case = press.execute("SELECT * FROM gov.minor_case")[0]
    files = certificate.files_of(told, case.case_id)
    assert set(files) == {f"{case.case_id}.json", f"{case.case_id}.html"}
    body = json.loads(files[f"{case.case_id}.json"])["body"]
    assert {"press.account", "press.badge_scan", "press.subscriber"} <= {a["asset"] for a in body["assets"]}
    assert {r["asset"] for r in body["retained"]} == {"press.sale"}
    assert {t["party"]: t["state"] for t in body["told"]} == dict.fromkeys(
        ("mailer", "badges", "exhibitor:1", "exhibitor:2"), "pending"
    )
    assert body["verification"]["checks"]["G-28-ROWS"] is True
    assert all(body["verification"]["checks"].values()) or body["verification"]["verdict"] == "warn"
    first, last = body["ledger"]
    kinds = press.execute("SELECT kind FROM gov.erasure_ledger WHERE seq IN (:a, :b) ORDER BY seq", a=first, b=last)
    assert [k.kind for k in kinds] == ["intent", "erased"]
    assert press.scalar("SELECT count(*) FROM gov.certificate_draft") == 0
    assert not any(str(user) in data.decode() for data in files.values())

    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "key.pem").write_bytes(signing.public_key_pem(told.settings.keys.signing_key_pem))
    command = [sys.executable, "-m", "privacy_ops", "certificate", "verify", f"{case.case_id}.json"]
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2] / "plugins")}
    done = subprocess.run(
        [*command, "--public-key", "key.pem"],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "signed and whole; so is its page" in done.stdout) == (0, True), done.stderr
    page = tmp_path / f"{case.case_id}.html"
    page.write_bytes(page.read_bytes().replace(b"erased", b"kept"))
    done = subprocess.run(
        [*command, "--public-key", "key.pem"],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "NOT a certificate" in done.stdout) == (1, True)


def test_a_kill_before_the_sealing_changes_no_byte_whatever_changed_meanwhile(
    press: Press, told: Workspace, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_minor(press)
    run = to_the_proof(told, press)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append_many", die)
        with pytest.raises(Killed):
            certificate.certify(told, run, now=NOW)
    before = documents(objects), documents(objects, ".html")
    assert len(before[0]) == 1
    # Meanwhile: another signing key, another key of references, an answer of a party, another hour.
    hourly(press, told, Post(), LATER)
    new_key = signing.generate_key_pem()
    rotated = with_keys(
        told,
        signing_key_pem=new_key,
        trusted_keys_pem=signing.public_key_pem(told.settings.keys.signing_key_pem),
        hmac={p: {**k, "k2": b"2" * 32} for p, k in told.settings.keys.hmac.items()},
        current=dict.fromkeys(told.settings.keys.hmac, "k2"),
    )
    assert certificate.certify(rotated, run, now=LATER)["certificates"] == 1
    assert (documents(objects), documents(objects, ".html")) == before
    assert press.scalar("SELECT state FROM gov.minor_case") == "CLOSED"
    assert ledger.check(rotated).sound
    # The states in it are those of then: what came later is a supplement.
    assert certificate.supplement(rotated, press.open_run("hour", at=LATER), now=LATER) == {"supplements": 1}


def test_a_certificate_of_somebody_else_is_never_taken_for_ours(
    press: Press, told: Workspace, objects: ObjectStore
) -> None:
    known_minor(press)
    run = to_the_proof(told, press)
    case = press.scalar("SELECT case_id FROM gov.minor_case")
    objects.put(BUCKET, f"certificates/{case}.json", b"{}")
    with pytest.raises(LedgerBroken, match="another certificate"):
        certificate.certify(told, run, now=NOW)
    assert press.scalar("SELECT state FROM gov.minor_case") == "VERIFYING"


def test_answers_that_come_later_make_a_supplement_and_rewrite_nothing(
    press: Press, told: Workspace, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_minor(press)
    nights.whole(told, press.open_run())
    case = press.scalar("SELECT case_id FROM gov.minor_case")
    first = documents(objects)
    run = press.open_run("hour", at=LATER)
    assert certificate.supplement(told, run, now=LATER) == {"supplements": 0}

    slow = {"exhibitor:1": Outcome("sent", "MAILED")}
    hourly(
        press,
        told,
        lambda p, m: slow.get("exhibitor:1") if p.email == PARTIES["exhibitor:1"].email else DONE,
        LATER,
    )
    assert certificate.supplement(told, run, now=LATER) == {"supplements": 0}, "one answer is still open"
    instruction = press.scalar("SELECT instruction_id FROM gov.downstream_instruction WHERE state = 'sent'")
    downstream.acknowledge(told, instruction, "X-7", now=LATER)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append", die)
        with pytest.raises(Killed):
            certificate.supplement(told, run, now=LATER)
    rotated = with_keys(
        told,
        signing_key_pem=signing.generate_key_pem(),
        trusted_keys_pem=signing.public_key_pem(told.settings.keys.signing_key_pem),
    )
    assert certificate.supplement(rotated, run, now=LATER + timedelta(hours=1)) == {"supplements": 1}
    assert certificate.supplement(rotated, run, now=LATER + timedelta(hours=2)) == {"supplements": 0}
    files = certificate.files_of(rotated, case)
    name = f"{case}.supplement-1"
    assert set(files) == {f"{case}.json", f"{case}.html", f"{name}.json", f"{name}.html"}
    assert documents(objects) | first == documents(objects)
    public = signing.trusted_keys(rotated.settings.keys)
    assert certificate_document.faults(files[f"{name}.json"], files[f"{name}.html"], public) == []
    body = json.loads(files[f"{name}.json"])["body"]
    assert {t["state"] for t in body["told"]} == {"acknowledged"}
    assert body["supplements_sha256"] == press.scalar("SELECT sha256 FROM gov.certificate")
    assert press.scalar("SELECT count(*) FROM gov.erasure_ledger WHERE kind = 'supplemented'") == 1
    assert ledger.check(rotated).sound


DONE = Outcome("acknowledged", reference="REF", found=1)


def test_a_person_is_found_by_a_key_that_was_current_then(press: Press, told: Workspace) -> None:
    user = press.person(born=MINOR, email="kim.lowe@example.org")
    nights.whole(told, press.open_run())
    rotated = with_keys(
        told,
        hmac={p: {**k, "k2": b"2" * 32} for p, k in told.settings.keys.hmac.items()},
        current=dict.fromkeys(told.settings.keys.hmac, "k2"),
    )
    found = certificate.find(rotated, (str(user),))
    assert [row.case_id for row in found] == [press.scalar("SELECT case_id FROM gov.minor_case")]
    assert [row.case_id for row in certificate.find_by_address(rotated, " Kim.Lowe@EXAMPLE.org")] == [
        row.case_id for row in found
    ]
    assert certificate.find_by_address(rotated, "kim@example.org") == certificate.find_by_address(rotated, "") == []
    assert certificate.find(rotated, (str(uuid4()),)) == []
    assert certificate.find(rotated, (str(user),), table="press.account") == []
    with pytest.raises(UserError, match="no certificate"):
        certificate.files_of(rotated, uuid4())
