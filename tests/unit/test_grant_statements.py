"""What each duty is granted, as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from privacy_ops.datamap import grants, loader
from privacy_ops.datamap.model import DataMap

from tests.datamap_factories import a_map, raw_map

IMP = loader.load(Path(__file__).parents[2] / "include" / "datamap" / "imp")


def given_to(duty: str, data_map: DataMap) -> list[str]:
    return [s for s in grants.statements(data_map) if s.startswith("GRANT") and s.endswith(f'"privacy_{duty}"')]


def test_detection_reads_evidence_and_ways_and_writes_the_restriction_only() -> None:
    assert given_to("detect", a_map()) == [
        'GRANT USAGE ON SCHEMA "public" TO "privacy_detect"',
        'GRANT SELECT ("facts", "id", "person_id") ON "note" TO "privacy_detect"',
        'GRANT SELECT ("born", "born_feed", "id", "joined", "state"), UPDATE ("state") ON "person" TO "privacy_detect"',
    ]


def test_erasure_deletes_where_rows_go_and_empties_named_columns() -> None:
    assert given_to("erase", a_map()) == [
        'GRANT USAGE ON SCHEMA "public" TO "privacy_erase"',
        'GRANT SELECT ON "author" TO "privacy_erase"',
        'GRANT SELECT, DELETE ON "letter" TO "privacy_erase"',
        'GRANT SELECT, UPDATE ("answers"), DELETE ON "note" TO "privacy_erase"',
        'GRANT SELECT, DELETE ON "person" TO "privacy_erase"',
        'GRANT SELECT, UPDATE ("payer", "person_id") ON "receipt" TO "privacy_erase"',
        'GRANT SELECT, DELETE ON "view_of_chapter" TO "privacy_erase"',
    ]


def test_export_reads_marked_columns_and_the_keys_between_them() -> None:
    assert given_to("export", a_map()) == [
        'GRANT USAGE ON SCHEMA "public" TO "privacy_export"',
        'GRANT SELECT ("id", "title") ON "form" TO "privacy_export"',
        'GRANT SELECT ("id", "staff") ON "person" TO "privacy_export"',
        'GRANT SELECT ("at", "chapter", "person_id", "seconds") ON "view_of_chapter" TO "privacy_export"',
    ]


def test_canaries_are_written_and_read_in_every_table_about_people() -> None:
    tables = {s.split(" ON ")[1].split(" TO ")[0] for s in given_to("canary", a_map()) if "SCHEMA" not in s}
    assert tables == {'"author"', '"letter"', '"note"', '"person"', '"receipt"', '"view_of_chapter"'}
    assert all("SELECT, INSERT ON" in s for s in given_to("canary", a_map()) if "SCHEMA" not in s)


def test_review_lifts_restrictions_evidence_reads_cells_and_notify_one_address() -> None:
    assert given_to("review", IMP) == [
        'GRANT USAGE ON SCHEMA "core" TO "privacy_review"',
        'GRANT USAGE ON SCHEMA "submissions" TO "privacy_review"',
        'GRANT SELECT ("status", "user_id"), UPDATE ("status") ON "core"."user_account" TO "privacy_review"',
        'GRANT SELECT ("id", "scan_status"), UPDATE ("scan_status") ON "submissions"."submission_file"'
        ' TO "privacy_review"',
    ]
    assert given_to("notify", IMP) == [
        'GRANT USAGE ON SCHEMA "core" TO "privacy_notify"',
        'GRANT SELECT ("email_raw", "user_id") ON "core"."user_account" TO "privacy_notify"',
    ]
    shown = " ".join(given_to("evidence", IMP))
    assert '"dob_raw"' in shown
    assert not any(word in shown for word in ("given_name", "address_1", "UPDATE", "INSERT", "DELETE"))


def test_inventory_reads_who_receives_and_where_they_are_but_not_whose_rows() -> None:
    found = given_to("inventory", IMP)

    assert 'GRANT SELECT ("exhibitor_id") ON "events"."badge_scan" TO "privacy_inventory"' in found
    assert 'GRANT SELECT ("country", "id") ON "events"."exhibitor" TO "privacy_inventory"' in found
    assert not any(word in " ".join(found) for word in ("badge_code", "user_id", "email", "UPDATE", "INSERT", "DELETE"))


@pytest.mark.parametrize("duty", ["migrate", "console"])
def test_other_duties_get_nothing(duty: str) -> None:
    assert given_to(duty, IMP) == []


def test_everything_is_taken_back_first() -> None:
    statements = grants.statements(IMP)
    first_grant = next(i for i, s in enumerate(statements) if s.startswith("GRANT"))
    assert all(s.startswith("REVOKE ALL") for s in statements[:first_grant])
    assert {s.split('SCHEMA "')[1].split('"')[0] for s in statements[:first_grant]} == {
        table.split(".")[0] for table in IMP.tables
    }


def test_no_duty_that_publishes_reads_an_identifier_of_the_publisher() -> None:
    identifying = {
        (name, column)
        for name, table in IMP.tables.items()
        for column, entry in table.columns.items()
        if entry.identifier in {"email", "phone", "name", "external"}
    }
    for name, rights in grants.rights(IMP, "export").items():
        assert rights.select is not None
        assert not {(name, column) for column in rights.select} & identifying


def test_strange_identifiers_are_quoted() -> None:
    raw = raw_map()
    raw["tables"]["Odd schema.select"] = {
        "key": ["from; drop"],
        "link": {"to": "person", "columns": ["from; drop"]},
        "erase": "DELETE",
        "columns": {"from; drop": {"category": "user"}},
    }
    wanted = 'GRANT SELECT, DELETE ON "Odd schema"."select" TO "privacy_erase"'
    assert wanted in grants.statements(DataMap.model_validate(raw))
