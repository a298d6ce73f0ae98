"""What parties know a person by is taken down before the rows go, encrypted, once, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from privacy_ops.erasure.downstream import work_items
from privacy_ops.erasure.plan import plan, require_plan
from privacy_ops.errors import ConfigError, UserError
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources
from privacy_ops.settings import KeyRing
from privacy_ops.workspace import Workspace

from tests.integration.press import ADULT, NOW, Press
from tests.integration.told import known_minor, telling


def prepare(workspace: Workspace, run: Any) -> None:
    check_sources(workspace, run)
    detect_and_restrict(workspace, run)
    plan(workspace, run, now=NOW)


def seal(workspace: Workspace, run: Any) -> int:
    with workspace.database("erase").transaction() as connection:
        return work_items.seal(connection, workspace, require_plan(connection, run.run_id), NOW)


def opened(press: Press, keys: KeyRing) -> dict[str, set[tuple[str, str]]]:
    rows = press.execute(
        "SELECT i.case_id, i.party, w.key_id, w.nonce, w.sealed FROM gov.downstream_instruction AS i"
        " JOIN gov.work_item AS w USING (instruction_id)"
    )
    return {
        row.party: {(one["as"], one["value"]) for one in work_items.identifiers_of(keys, row) or []} for row in rows
    }


def test_everybody_who_knows_a_minor_gets_what_they_know_and_nothing_stands_open(press: Press) -> None:
    workspace = telling(press)
    user = known_minor(press, source="import", reg_no="1234567")
    press.add("enrolment", user_id=user, course="c-1")
    stranger = press.person(born=ADULT)
    press.add("subscriber", email="other@example.org", user_id=stranger)
    run = press.open_run()
    # A registration number speaks against a machine's decision; without it the case is confirmed.
    press.execute("UPDATE press.profile SET reg_no = NULL WHERE user_id = :u", u=user)
    prepare(workspace, run)
    assert seal(workspace, run) == 5
    subscriber, address = press.execute("SELECT id, email FROM press.subscriber WHERE user_id = :u", u=user)[0]
    badge = {("badge", f"B-{str(user)[:8]}")}
    assert opened(press, workspace.settings.keys) == {
        "mailer": {("subscriber", str(subscriber)), ("email", address)},
        "badges": badge,
        "exhibitor:1": badge,
        "exhibitor:2": badge,
        "school": {("course", "c-1")},
    }
    held = press.execute("SELECT CAST(sealed AS text) AS s, CAST(w AS text) AS all FROM gov.work_item AS w")
    assert not [row for row in held if address.encode().hex() in row.s or address in row.all]
    assert press.scalar("SELECT count(*) FROM gov.work_item WHERE expires_at = :t", t=NOW + timedelta(days=7)) == 5


def test_sealing_again_changes_nothing(press: Press) -> None:
    workspace, run = telling(press), press.open_run()
    known_minor(press)
    prepare(workspace, run)
    seal(workspace, run)
    held = ("SELECT * FROM gov.work_item ORDER BY 1", "SELECT * FROM gov.downstream_event ORDER BY 1")
    before = [press.execute(sql) for sql in held]
    assert seal(workspace, run) == 4
    assert [press.execute(sql) for sql in held] == before


def test_a_number_shared_with_somebody_else_is_never_told_and_somebody_must_look(press: Press) -> None:
    workspace, run = telling(press), press.open_run()
    user = known_minor(press)
    address = press.scalar("SELECT email FROM press.account WHERE user_id = :u", u=user)
    press.execute("DELETE FROM press.badge_scan")
    stranger = press.person(born=ADULT)
    press.add("subscriber", email=address, user_id=stranger)
    prepare(workspace, run)
    seal(workspace, run)
    known = opened(press, workspace.settings.keys)
    assert {as_ for as_, _ in known["mailer"]} == {"subscriber"}
    assert press.scalar("SELECT reason FROM gov.downstream_instruction WHERE party = 'mailer'") == "SOME_SHARED"


def test_a_value_that_the_map_does_not_explain_names_an_unknown_party(press: Press) -> None:
    workspace = telling(press)
    told = workspace.data_map.tables["press.profile"].disclosed_to[0]
    assert told.party("import") == "importer"
    assert told.party("web_form") is None
    assert told.party("partner") == "unknown:partner"


def test_an_item_opens_only_for_its_case_and_party_and_with_its_key(press: Press) -> None:
    keys = press.workspace.settings.keys
    run = press.open_run()
    workspace = telling(press)
    known_minor(press)
    prepare(workspace, run)
    seal(workspace, run)
    row = press.execute(
        "SELECT i.case_id, i.party, w.key_id, w.nonce, w.sealed FROM gov.downstream_instruction AS i"
        " JOIN gov.work_item AS w USING (instruction_id) ORDER BY i.party LIMIT 1"
    )[0]
    item = work_items.Sealed(row.key_id, bytes(row.nonce), bytes(row.sealed))
    assert work_items.decrypt(keys, item, case_id=row.case_id, party=row.party)
    with pytest.raises(UserError, match="does not open"):
        work_items.decrypt(keys, item, case_id=row.case_id, party="somebody_else")
    changed = replace(item, sealed=item.sealed[:-1] + bytes([item.sealed[-1] ^ 1]))
    with pytest.raises(UserError, match="does not open"):
        work_items.decrypt(keys, changed, case_id=row.case_id, party=row.party)
    with pytest.raises(ConfigError, match="not in the ring"):
        work_items.decrypt(replace(keys, hmac={}), item, case_id=row.case_id, party=row.party)


def test_made_up_people_are_told_to_nobody(press: Press) -> None:
    workspace, run = telling(press), press.open_run()
    user = known_minor(press)
    prepare(workspace, run)
    case = press.case_of(user)
    press.execute(
        "INSERT INTO gov.canary (subject_ref, ref_key_id, planted_at) VALUES (:r, :k, :t)",
        r=case.subject_ref,
        k=case.ref_key_id,
        t=NOW,
    )
    assert seal(workspace, run) == 0
