"""A minor among other people: what a family, a ward or an office shares goes only as far as it is the minor's."""

from __future__ import annotations

from datetime import timedelta

from privacy_ops.datamap import grants
from privacy_ops.workspace import Workspace

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press, map_of


def with_guardians(press: Press) -> Workspace:
    """The press, which also asks for a guardian's name and address."""
    press.execute(
        "CREATE TABLE press.guardian (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " user_id uuid NOT NULL REFERENCES press.account, name text NOT NULL, email text NOT NULL)"
    )
    press.execute("CREATE INDEX ON press.guardian (user_id)")
    data_map = map_of(
        guardian={
            "key": ["id"],
            "link": {"to": "press.account", "columns": ["user_id"]},
            "erase": "DELETE",
            "purpose": ["provide_service"],
            "retention": "account life",
            "columns": {
                "id": {
                    "category": "user.unique_id",
                    "evidence": {"signal": "SIG-07", "kind": "guardian", "subject": "row"},
                },
                "user_id": {"category": "user"},
                "name": {"category": "user.name", "identifier": "name"},
                "email": {"category": "user.contact.email", "identifier": "email"},
            },
        }
    )
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    return press.with_map(data_map)


def test_a_guardian_goes_with_the_child_and_keeps_what_is_their_own(press: Press) -> None:
    workspace = with_guardians(press)
    address = "parent.lowe@example.org"
    parent = press.person(born=ADULT, email=address)
    press.add("ticket", requester_email=address, user_id=parent)
    press.add("subscriber", email=address)
    for child in (press.person(born=MINOR), press.person(born=ADULT)):
        press.add("guardian", user_id=child, name="Parent Lowe", email=address)
    other = press.scalar("SELECT max(id) FROM press.guardian")

    nights.whole(workspace, press.open_run())

    assert press.execute("SELECT id FROM press.guardian") == [(other,)], "an adult's goes by a person's word only"
    assert (press.status(parent), press.count("ticket"), press.count("subscriber")) == ("active", 1, 1)


def test_a_childs_own_address_that_is_the_parents_leaves_the_parents_rows(press: Press) -> None:
    workspace = with_guardians(press)
    address = "family.lowe@example.org"
    child = press.person(born=MINOR, email=address)
    press.add("guardian", user_id=child, name="Parent Lowe", email=address)
    press.add("ticket", requester_email=address)
    press.add("ticket", requester_email=address, user_id=child)
    press.add("subscriber", email=address)
    nights.whole(workspace, press.open_run())
    assert (press.count("account"), press.count("guardian")) == (0, 0)
    assert press.execute("SELECT user_id FROM press.ticket") == [(None,)], "only what hangs on the child went"
    assert press.count("subscriber") == 1


def test_a_role_mailbox_is_nobodys(press: Press) -> None:
    press.person(born=ADULT)
    for address in ("icu@example.org", "kim@example.org"):
        child = press.person(born=MINOR, email=address)
        press.add("subscriber", email=address)
        press.add("subscriber", email=address, user_id=child)
    nights.whole(press.workspace, press.open_run())
    assert press.execute("SELECT email, user_id FROM press.subscriber") == [("icu@example.org", None)]


def test_a_parents_order_for_a_child_stays_without_the_child(press: Press) -> None:
    parent = press.person(born=ADULT)
    sale = press.add("sale", user_id=parent, bill_name="Parent Lowe", total=90)
    press.add("sale_line", sale_id=sale, sku="FAMILY-DAY")
    press.add(
        "attendee",
        user_id=parent,
        name="Child Lowe",
        badge_code="B1",
        attendee_type="child",
        age_or_dob="2020-03-04",
        registered_at=NOW - timedelta(days=30),
    )
    nights.whole(press.workspace, press.open_run())
    assert press.count("attendee") == 0
    assert press.execute("SELECT user_id, bill_name, total FROM press.sale") == [(parent, "Parent Lowe", 90)]
    assert (press.count("sale_line"), press.status(parent)) == (1, "active")
