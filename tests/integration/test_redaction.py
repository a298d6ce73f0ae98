"""A mention of a minor in somebody else's text: two people confirm, the night takes it out, the rest stays."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops import ledger
from privacy_ops.datamap import grants
from privacy_ops.erasure import redaction
from privacy_ops.erasure.certificates import certify as certificate
from privacy_ops.errors import StoreRefused, UserError
from privacy_ops.stores.database import Database
from privacy_ops.workspace import Workspace

from tests.integration import nights
from tests.integration.killed import ALL
from tests.integration.press import ADULT, COMMON, MAYBE_ACCOUNT, MINOR, NOW, Press, map_of

TEXT = "Thanks to Ada Lowe, who is in my son's class. Ada found the error."
AFTER = "Thanks to [redacted], who is in my son's class. [redacted] found the error."
SPANS = [(10, 18), (46, 49)]
LATER = NOW + timedelta(days=1)
NOTHING = {"redacted": 0, "refused": 0, "failed": 0}


def signed_in(name: str) -> redaction.Person:
    return redaction.Person(name, "login")


@dataclass
class Place:
    press: Press
    workspace: Workspace
    case: UUID
    comment: int

    def propose(self, **changes: Any) -> UUID:
        given: dict[str, Any] = {"spans": SPANS, "by": signed_in("rosa"), "now": NOW} | changes
        where = {"table": "press.comment", "column": "body", "key": (str(self.comment),)} | given
        return redaction.propose(self.workspace, case_id=self.case, **where)

    @property
    def evidence(self) -> Database:
        """What the console has: it sees single texts, and changes none."""
        return self.workspace.database("evidence")

    def show(self, proposal: UUID, person: redaction.Person, **changes: Any) -> list[str]:
        return redaction.show(self.evidence, self.workspace.data_map, proposal, person=person, now=NOW, **changes)

    def answer(self, proposal: UUID, person: redaction.Person, *, confirm: bool = True) -> str:
        workspace = self.workspace
        return redaction.answer(
            self.evidence, workspace.data_map, workspace.settings, proposal, person=person, confirm=confirm, now=NOW
        )

    def name(self, **people: tuple[str, ...]) -> None:
        old = self.workspace
        self.workspace = Workspace(replace(old.settings, **people), old.thresholds, old.data_map, old.map_sha256)

    def confirm(self, proposal: UUID, *people: str) -> str:
        state = ""
        for person in map(signed_in, people):
            self.show(proposal, person)
            state = self.answer(proposal, person)
        return state

    def text(self) -> str:
        return str(self.press.scalar("SELECT body FROM press.comment WHERE id = :i", i=self.comment))

    def entries(self, kind: str) -> list[dict[str, Any]]:
        rows = self.press.execute("SELECT payload FROM gov.erasure_ledger WHERE kind = :k ORDER BY seq", k=kind)
        return [json.loads(row.payload) for row in rows]


@pytest.fixture
def place(press: Press) -> Place:
    columns: dict[str, Any] = {
        "id": {"category": "system.operations"},
        "user_id": {"category": "user"},
        "parent_id": {"category": "user", "erase": "UNLINK"},
        "body": {"category": "user.content", "evidence": {"signal": "SIG-12", "kind": "free_text"}},
    }
    comment = {"key": ["id"], "link": MAYBE_ACCOUNT, "erase": "DELETE", "columns": columns} | COMMON
    data_map = map_of(comment=comment)
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    workspace = press.with_map(data_map)
    child, author = press.person(born=MINOR, name="Ada Lowe"), press.person(born=ADULT)
    comment_id = press.add("comment", user_id=author, body=TEXT)
    press.add("comment", user_id=author, body="another text of the same author, Ada Lowe")
    nights.find(workspace, press.open_run())
    return Place(press, workspace, press.case_of(child).case_id, comment_id)


def test_two_people_confirm_and_the_night_takes_out_exactly_the_places(place: Place) -> None:
    others = "SELECT md5(string_agg(c::text, '|' ORDER BY id)) FROM press.comment AS c WHERE id <> :i"
    before = place.press.scalar(others, i=place.comment)
    proposal = place.propose()
    assert place.confirm(proposal, "rosa") == "proposed"
    assert place.confirm(proposal, "rosa") == "proposed", "the same person twice is one"
    assert redaction.carry_out(place.workspace, now=NOW) == NOTHING
    assert place.text() == TEXT
    assert place.confirm(proposal, "ravi") == "confirmed"
    made = nights.whole(place.workspace, place.press.open_run("night"))
    assert made["database"]["redacted"] == 1
    assert place.text() == AFTER
    assert place.press.scalar(others, i=place.comment) == before
    row = place.press.execute("SELECT * FROM gov.redaction")[0]
    assert (row.state, row.row_key) == ("verified", None)
    assert [e["redaction"] for e in place.entries("redaction_intent")] == [str(proposal)]
    assert len(place.entries("redacted")) == 1
    said = json.loads(certificate.files_of(place.workspace, place.case)[f"{place.case}.json"])["body"]
    assert [(r["asset"], r["texts"], r["places"]) for r in said["redactions"]] == [("press.comment.body", 1, 2)]
    assert redaction.carry_out(place.workspace, now=LATER) == NOTHING
    assert place.text() == AFTER
    assert ledger.check(place.workspace).fault_count == 0
    kept = str(place.press.execute("SELECT * FROM gov.redaction")) + str(
        place.press.execute("TABLE gov.erasure_ledger")
    )
    assert "Ada" not in kept


def test_a_text_that_changed_meanwhile_is_left_alone(place: Place) -> None:
    proposal = place.propose()
    place.confirm(proposal, "rosa", "ravi")
    place.press.execute("UPDATE press.comment SET body = 'PS ' || body WHERE id = :i", i=place.comment)
    assert redaction.carry_out(place.workspace, now=NOW) == NOTHING | {"refused": 1}
    assert place.text() == "PS " + TEXT
    assert place.press.scalar("SELECT reason FROM gov.redaction") == "TEXT_CHANGED"
    assert place.entries("redaction_refused")[0]["reason"] == "TEXT_CHANGED"
    assert redaction.carry_out(place.workspace, now=LATER) == NOTHING


def test_a_row_that_went_meanwhile_is_said_to_be_gone(place: Place) -> None:
    place.confirm(place.propose(), "rosa", "ravi")
    place.press.execute("DELETE FROM press.comment")
    assert redaction.carry_out(place.workspace, now=NOW) == NOTHING | {"refused": 1}
    assert place.press.scalar("SELECT reason FROM gov.redaction") == "ROW_GONE"


def test_one_no_ends_it(place: Place) -> None:
    proposal = place.propose()
    place.confirm(proposal, "rosa")
    place.show(proposal, signed_in("ravi"))
    assert place.answer(proposal, signed_in("ravi"), confirm=False) == "rejected"
    with pytest.raises(UserError, match="not open"):
        place.confirm(proposal, "lena")
    redaction.carry_out(place.workspace, now=NOW)
    assert place.text() == TEXT


def test_nobody_answers_about_what_they_have_not_looked_at(place: Place) -> None:
    proposal = place.propose()
    with pytest.raises(UserError, match="not looked at"):
        place.answer(proposal, signed_in("rosa"))
    assert place.show(proposal, signed_in("rosa"), around=3) == [
        "to [[Ada Lowe]], w",
        "s. [[Ada]] fo",
    ]


def test_one_human_with_a_sign_in_and_an_account_is_not_two(place: Place) -> None:
    proposal, account = place.propose(), redaction.Person("account:rosa", "account")
    place.confirm(proposal, "rosa")
    place.show(proposal, account)
    assert place.answer(proposal, account) == "proposed"
    assert next(iter(redaction.standing(place.evidence))).confirmations == 1
    other = redaction.Person("account:ravi", "account")
    place.show(proposal, other)
    assert place.answer(proposal, other) == "confirmed"
    ways = place.press.execute("SELECT DISTINCT person, way FROM gov.redaction_answer ORDER BY 1")
    assert ways == [("account:ravi", "account"), ("account:rosa", "account"), ("rosa", "login")]


def test_a_state_without_two_peoples_answers_takes_nothing_out(place: Place) -> None:
    proposal = place.propose()
    place.confirm(proposal, "rosa")
    place.press.execute("UPDATE gov.redaction SET state = 'confirmed'")
    assert redaction.carry_out(place.workspace, now=NOW) == NOTHING
    assert place.text() == TEXT


def test_where_reviewers_are_named_nobody_else_answers(place: Place) -> None:
    proposal = place.propose()
    place.name(reviewers=("rosa", "ravi"))
    for person in ("emil", "rosa"):
        place.show(proposal, signed_in(person))
    with pytest.raises(UserError, match="only reviewers answer"):
        place.answer(proposal, signed_in("emil"))
    assert place.answer(proposal, signed_in("rosa")) == "proposed"
    with pytest.raises(UserError, match="answers for"):
        redaction.Person("  ", "login")


def test_words_are_found_instead_of_places(place: Place) -> None:
    place.confirm(place.propose(spans=(), words="ADA LOWE"), "rosa", "ravi")
    redaction.carry_out(place.workspace, now=NOW)
    assert place.text() == TEXT.replace("Ada Lowe", redaction.MARKER)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"column": "user_id"}, "does not say that people write"),
        ({"table": "press.nowhere"}, "does not say that people write"),
        ({"key": ("999999",)}, "no such row"),
        ({"spans": [(60, 99)]}, "not inside"),
        ({"spans": (), "words": "Eve"}, "nothing is named"),
    ],
)
def test_a_place_that_is_none_is_refused(place: Place, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(UserError, match=why):
        place.propose(**changes)


def test_a_kill_before_the_text_is_changed_is_made_good_by_the_next_call(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.confirm(place.propose(), "rosa", "ravi")
    real = ledger.copy_out

    def no_copy(*_: Any) -> None:
        raise StoreRefused("the store is away")

    monkeypatch.setattr("privacy_ops.ledger.copy_out", no_copy)
    with pytest.raises(StoreRefused):
        redaction.carry_out(place.workspace, now=NOW)
    assert place.text() == TEXT, "nothing goes before it is written down outside"
    monkeypatch.setattr("privacy_ops.ledger.copy_out", real)
    assert redaction.carry_out(place.workspace, now=NOW) == NOTHING | {"redacted": 1}
    assert place.text() == AFTER
    assert len(place.entries("redaction_intent")) == len(place.entries("redacted")) == 1


def test_what_is_taken_out_after_the_certificate_is_signed_as_a_supplement(place: Place) -> None:
    nights.whole(place.workspace, place.press.open_run("night"))
    place.confirm(place.propose(), "rosa", "ravi")
    redaction.carry_out(place.workspace, now=LATER)
    hour = place.press.open_run("hour", at=LATER)
    assert certificate.supplement(place.workspace, hour, now=LATER + timedelta(hours=1)) == {"supplements": 1}
    assert certificate.supplement(place.workspace, hour, now=LATER + timedelta(hours=2)) == {"supplements": 0}
    name = f"{place.case}.supplement-1.json"
    said = json.loads(certificate.files_of(place.workspace, place.case)[name])["body"]
    assert [(r["asset"], r["places"]) for r in said["redactions"]] == [("press.comment.body", 2)]


def test_a_text_that_may_not_be_changed_holds_up_no_erasure(place: Place) -> None:
    place.confirm(place.propose(), "rosa", "ravi")
    place.press.execute("REVOKE UPDATE ON press.comment FROM privacy_erase")
    made = nights.whole(place.workspace, place.press.open_run("night"))
    assert (made["database"]["failed"], made["certified"]["certificates"]) == (1, 1)
    assert made["verified"]["gates"] == ["warn"]
    assert place.text() == TEXT


def author(place: Place, *, decided: str, words: str) -> tuple[UUID, int]:
    """An article names the child among its authors; the night after the erasure lists it, and people answer."""
    press = place.press
    press.execute("CREATE TABLE press.author (id bigint PRIMARY KEY, name text, email text)")
    email = press.scalar("SELECT email FROM press.account WHERE status = 'restricted'")
    press.execute("INSERT INTO press.author VALUES (7, 'Ada Lowe', :e)", e=email)
    named: dict[str, Any] = {
        "id": {"category": "user.unique_id"},
        "name": {"category": "user.name", "identifier": "name"},
        "email": {"category": "user.contact.email", "identifier": "email"},
    }
    table = {"about": "others", "key": ["id"], "erase": "KEEP", "published": True, "columns": named} | COMMON
    comment = place.workspace.data_map.tables["press.comment"].model_dump(mode="json", exclude_defaults=True)
    data_map = map_of(comment=comment, author=table)
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    place.workspace = press.with_map(data_map)
    place.name(reviewers=("rosa", "edith"), privacy_leads=("lena",), editors=("edith",))
    nights.whole(place.workspace, press.open_run("night"))
    (found,) = (one for one in redaction.mentions(place.workspace) if one.asset == "press.author")
    proposal = place.propose(
        table=found.asset, column="email", key=tuple(found.row_key), spans=(), words=words or email
    )
    for person in map(signed_in, ("rosa", "lena", "edith")):
        assert press.scalar("SELECT state FROM gov.redaction") == "proposed", "editor and lead, not just anybody"
        place.show(proposal, person)
        place.answer(proposal, person, confirm=decided == "confirmed")
    assert press.scalar("SELECT state FROM gov.redaction") == decided
    return proposal, 7


@pytest.mark.parametrize("decided", ["kept", "confirmed"] if ALL else ["kept"])
def test_an_editor_and_the_lead_decide_about_an_article_that_names_a_minor(place: Place, decided: str) -> None:
    author(place, decided=decided, words="")
    done = redaction.carry_out(place.workspace, now=LATER)
    assert done == NOTHING | {"redacted": int(decided == "confirmed")}
    name, email = place.press.execute("SELECT name, email FROM press.author")[0]
    assert (name, email == redaction.MARKER) == ("Ada Lowe", decided == "confirmed")
    assert "press.author" not in {one.asset for one in redaction.mentions(place.workspace)}, "it is settled"
    assert len(place.entries("published_kept")) == int(decided == "kept")
    assert redaction.carry_out(place.workspace, now=LATER) == NOTHING
    assert ledger.check(place.workspace).fault_count == 0
