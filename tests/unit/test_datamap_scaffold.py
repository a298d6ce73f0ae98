"""Guesses for a first draft."""

from __future__ import annotations

import pytest
from privacy_ops.datamap import check, loader, scaffold, words
from privacy_ops.datamap.catalogue import Catalogue, LiveColumn, LiveTable
from privacy_ops.errors import DataMapError

from tests.datamap_factories import a_catalogue, a_key, a_table


@pytest.mark.parametrize(
    ("name", "type_name", "category"),
    [
        ("email_norm", "text", "user.contact.email"),
        ("contactEmail", "character varying", "user.contact.email"),
        ("email_hmac", "text", "user.unique_id"),
        ("dob", "date", "user.demographic.date_of_birth"),
        ("birth_year", "integer", "user.demographic.date_of_birth"),
        ("age_band", "text", "user.demographic.age_range"),
        ("family_name", "text", "user.name.last"),
        ("full_name", "text", "user.name"),
        ("client_ip", "inet", "user.device.ip_address"),
        ("password_hash", "text", "user.authorization.password"),
        ("reg_body", "text", "user.professional_information"),
        ("postcode", "text", "user.contact.address.postal_code"),
        ("remark", "text", "user.content.private"),
        ("avatar", "text", "user.content.self_image"),
    ],
)
def test_column_names_suggest_categories(name: str, type_name: str, category: str) -> None:
    found = words.guess(LiveColumn(name, type_name, nullable=True))
    assert found is not None
    assert found.category == category
    assert category in check.categories()


@pytest.mark.parametrize(
    ("name", "type_name"),
    [
        ("usage", "integer"),
        ("page_count", "integer"),
        ("file_name", "text"),
        ("email_sent", "boolean"),
        ("qty", "integer"),
    ],
)
def test_names_that_only_sound_personal_say_nothing(name: str, type_name: str) -> None:
    assert words.guess(LiveColumn(name, type_name, nullable=True)) is None


@pytest.mark.parametrize(
    ("name", "type_name", "says"),
    [
        ("birthday", "date", True),
        ("dob_raw", "text", True),
        ("dob_source", "text", False),
        ("born_verified", "boolean", False),
        ("reborn_at", "timestamp with time zone", False),
    ],
)
def test_birth_dates_are_told_from_what_stands_beside_them(name: str, type_name: str, says: bool) -> None:
    assert words.says_birth(LiveColumn(name, type_name, nullable=True)) is says


def library(*more: LiveTable) -> Catalogue:
    return a_catalogue(
        a_table("team", "id integer, title text"),
        a_table(
            "member",
            "id integer, mail text?, birthday date?, joined date, active boolean, team_id integer?",
            a_key("member", "team_id", "team"),
        ),
        a_table(
            "visit", "id integer, member_id integer, at timestamp with time zone", a_key("visit", "member_id", "member")
        ),
        a_table("visit_item", "id integer, visit_id integer, what text", a_key("visit_item", "visit_id", "visit")),
        *more,
    )


def drafted(catalogue: Catalogue):
    return scaffold.draft(catalogue, key="library", name="Library")


def codes(catalogue: Catalogue) -> set[str]:
    return {problem.code for problem in check.check(drafted(catalogue), catalogue)}


def test_people_are_where_mail_and_birth_dates_are_and_much_leads() -> None:
    data_map = drafted(library())
    assert data_map.subject.table == "member"
    assert data_map.subject.registered_at == "joined"
    assert (data_map.restriction.column, data_map.restriction.value) == ("active", "false")
    assert codes(library()) == {"MAP-DECIDE"}


def test_tables_are_linked_step_by_step_and_what_people_refer_to_is_nobodys() -> None:
    tables = drafted(library()).tables
    assert [tables[t].link.to for t in ("visit", "visit_item")] == ["member", "visit"]
    assert tables["visit_item"].erase == "DELETE"
    assert tables["team"].about == "nobody"


def test_birth_date_becomes_evidence_with_its_feed() -> None:
    people = a_table("person", "id integer, dob text?, dob_source text?, created_at date")
    evidence = drafted(a_catalogue(people)).tables["person"].columns["dob"].evidence
    assert (evidence.signal, evidence.kind, evidence.source) == ("SIG-01", "birth_text", "dob_source")


def test_second_way_to_people_lets_go_where_it_may_be_empty() -> None:
    key = a_key("visit_note", "seen_with", "member")
    notes = a_table(
        "visit_note", "id integer, visit_id integer, seen_with integer?", a_key("visit_note", "visit_id", "visit"), key
    )
    entry = drafted(library(notes)).tables["visit_note"]
    assert entry.link.columns == ("seen_with",)  # the shorter way
    message = a_table(
        "message", "id integer, sender integer, reply_to integer?",
        a_key("message", "sender", "member"), a_key("message", "reply_to", "message"),
    )  # fmt: skip
    entry = drafted(library(message)).tables["message"]
    assert entry.link.columns == ("sender",)
    assert entry.columns["reply_to"].erase == "UNLINK"
    assert codes(library(message)) == {"MAP-DECIDE"}


def test_second_way_that_is_always_filled_is_a_second_owner() -> None:
    message = a_table(
        "message", "id integer, sender integer, recipient integer",
        a_key("message", "sender", "member"), a_key("message", "recipient", "member"),
    )  # fmt: skip
    entry = drafted(library(message)).tables["message"]
    assert {entry.link.columns, *(link.columns for link in entry.also)} == {("sender",), ("recipient",)}
    assert "go with either" in entry.note
    assert codes(library(message)) == {"MAP-DECIDE"}


def test_orders_keep_a_minimum_and_let_go_of_the_person() -> None:
    order = a_table(
        "order", "id integer, member_id integer?, bill_name text?, total numeric", a_key("order", "member_id", "member")
    )
    entry = drafted(library(order)).tables["order"]
    assert entry.erase == "RETAIN_MIN"
    assert entry.emptied() == ("member_id", "bill_name")


def test_order_that_cannot_let_go_is_deleted_for_a_person_to_decide() -> None:
    order = a_table("order", "id integer, member_id integer, total numeric", a_key("order", "member_id", "member"))
    assert drafted(library(order)).tables["order"].erase == "DELETE"
    assert codes(library(order)) == {"MAP-DECIDE"}


def test_mail_address_without_a_key_is_a_link_to_decide_on() -> None:
    entry = drafted(library(a_table("newsletter", "mail text", key=("mail",)))).tables["newsletter"]
    assert (entry.link.to, entry.link.references, entry.link.optional) == ("member", ("mail",), True)
    assert "share one" in entry.note


def test_strangers_with_names_are_others() -> None:
    entry = drafted(library(a_table("sponsor", "id integer, first_name text"))).tables["sponsor"]
    assert entry.about == "others"


def test_without_a_status_the_draft_asks_for_one_and_the_check_says_it_is_missing() -> None:
    people = a_catalogue(a_table("person", "id integer, mail text?, created_at date"))
    assert drafted(people).restriction.column == "restriction_state"
    assert codes(people) == {"MAP-DECIDE", "MAP-MISSING-COLUMN", "MAP-NO-RESTRICTION"}


def test_database_without_people_is_refused() -> None:
    with pytest.raises(DataMapError, match="no table looks as if it held people"):
        drafted(a_catalogue(a_table("stone", "id integer, weight integer")))


def test_draft_written_as_yaml_loads_as_the_same_map(tmp_path) -> None:
    data_map = drafted(library())
    path = tmp_path / "draft.yaml"
    path.write_text(scaffold.to_yaml(data_map), encoding="utf-8")
    assert loader.load(path) == data_map


def test_draft_blocks_all_work_until_it_is_decided() -> None:
    problems = check.check(drafted(library()), library())
    for work in ("erasure", "certificates", "exports"):
        assert check.blocking(problems, work)
