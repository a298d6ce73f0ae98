"""The one message to a person who was shut out, and the answer that reaches a human."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from privacy_ops.errors import ConfigError, StoreRefused, StoreUnavailable, UserError
from privacy_ops.minors import notices
from privacy_ops.minors.notices import object_to, read_token, send, token
from privacy_ops.settings import MailSettings, NoticeSettings
from privacy_ops.workspace import Workspace

from tests.integration import nights
from tests.integration.press import ADULT, MINOR, NOW, Press, key_ring
from tests.integration.test_adapters import inbox  # noqa: F401 - a fixture

WORDS = NoticeSettings("https://press.example.org/wrong?t={token}", "privacy@press.example.org", "the ICO, ico.org.uk")
SOON = NOW + timedelta(minutes=5)


def able_to_write(press: Press, words: NoticeSettings = WORDS) -> Workspace:
    old = press.workspace
    mail = MailSettings("127.0.0.1", 1, sender="privacy@press.example.org", tls=False)
    return Workspace(replace(old.settings, mail=mail, notice=words), old.thresholds, old.data_map, old.map_sha256)


def found(press: Press, **child: Any) -> tuple[Workspace, UUID]:
    """A child that stated its date of birth, shut out, with a notice queued."""
    person = press.person(born=MINOR, **child)
    workspace, run = able_to_write(press), press.open_run()
    nights.find(workspace, run)
    assert notices.queue(workspace, run, now=NOW) == {"queued": 1}
    return workspace, person


def states(press: Press) -> list[Any]:
    return list(press.execute("SELECT state, attempts, fault FROM gov.notice"))


def test_one_neutral_message_goes_to_the_person_and_erasing_waits_for_the_answer(press: Press, inbox: Any) -> None:  # noqa: F811
    press.person(born=MINOR, written=ADULT.isoformat())  # suspected: people decide first, no notice
    press.person(born=MINOR, reg_no="R-1")  # something speaks against it
    workspace, person = found(press, email="Kim.Lowe@example.org", name="Kim Lowe")
    assert notices.queue(workspace, press.open_run(), now=NOW) == {"queued": 0}, "once"
    assert press.case_of(person).erase_after == NOW + timedelta(hours=2)

    assert send(workspace, inbox.server.send, now=SOON)["sent"] == 1
    assert send(workspace, inbox.server.send, now=SOON)["sent"] == 0

    (mail,) = inbox.mails
    assert mail["To"] == "Kim.Lowe@example.org"
    assert mail["Subject"] == "Your account"
    words = mail.get_content()
    assert "04:20 on 22 November 2026 (London time)" in words
    assert press.case_of(person).erase_after == SOON + timedelta(hours=2)
    for word in ("kim", "lowe", "2010", "hiv", "hepatitis", "health", "medical", "parent", "guardian", "course"):
        assert word not in words.lower()
    assert words.count("https://press.example.org/wrong?t=k1.") == 1
    kept = press.execute("SELECT to_jsonb(n)::text FROM gov.notice AS n")[0][0]
    assert "example.org" not in kept
    assert states(press) == [("sent", 1, None)]


def test_this_date_is_wrong_reaches_people_and_nothing_is_erased_before_they_decide(press: Press, inbox: Any) -> None:  # noqa: F811
    workspace, person = found(press)
    send(workspace, inbox.server.send, now=SOON)
    link = next(line for line in inbox.mails[0].get_content().splitlines() if "?t=" in line)

    answered = object_to(workspace, link.partition("?t=")[2], now=SOON)
    again = object_to(workspace, link.partition("?t=")[2], now=SOON)

    assert (answered["recorded"], answered["people_decide"]) == (True, True)
    assert (again["recorded"], again["people_decide"]) == (False, True)
    case = press.case_of(person)
    assert (case._mapping["class"], case.state, case.objected_at) == ("CONFIRMED_PENDING_COUNTER", "RESTRICTED", SOON)
    late = press.open_run("late", at=NOW + timedelta(hours=5))
    made = nights.prepare(workspace, late, NOW + timedelta(hours=5))
    assert made["cases"] == 0
    assert press.count("account", "user_id = :u", u=person) == 1


def test_a_server_that_is_away_or_killed_sends_later_and_an_address_that_is_none_is_given_up(press: Press) -> None:
    workspace, _ = found(press)
    handed: list[str] = []

    def away(_mail: EmailMessage) -> None:
        raise StoreUnavailable("away")

    def killed(mail: EmailMessage) -> None:
        handed.append(str(mail["Message-ID"]))
        raise KeyboardInterrupt

    assert send(workspace, away, now=SOON)["waiting"] == 1
    with pytest.raises(KeyboardInterrupt):
        send(workspace, killed, now=SOON)  # the server has it, we did not say so
    assert states(press) == [("queued", 2, None)]
    assert send(workspace, lambda mail: handed.append(str(mail["Message-ID"])), now=SOON)["sent"] == 1
    assert len(handed) == 2
    assert len(set(handed)) == 1, "the same Message-ID: mail programs drop the copy"

    # Attempts are bounded; what the server refuses, and what is no address, is a fault with a code.
    for number, (address, hand_over, fault) in enumerate([
        ("reader@example.org", away, "TOO_MANY_ATTEMPTS"),
        ("reader2@example.org", _refuse, "REFUSED"),
        ("two@example.org, three@example.org", handed.append, "NO_ADDRESS"),
        ("x@example.org\r\nBcc: all@example.org", handed.append, "NO_ADDRESS"),
    ]):
        press.execute("DELETE FROM gov.notice")
        case = press.scalar("SELECT case_id FROM gov.minor_case")
        press.execute("UPDATE press.account SET email = :e", e=address)
        press.execute("INSERT INTO gov.notice (case_id, kind, queued_at) VALUES (:c, 'RESTRICTED', now())", c=case)
        for _ in range(6):
            send(workspace, hand_over, now=SOON)
        assert [(state, code) for state, _, code in states(press)] == [("failed", fault)], number
    assert len(handed) == 2


def _refuse(_mail: EmailMessage) -> None:
    raise StoreRefused("no such mailbox")


def test_two_senders_at_once_send_one_mail_and_who_is_cleared_meanwhile_gets_none(press: Press) -> None:
    workspace, _ = found(press)
    handed: list[EmailMessage] = []
    both = threading.Barrier(2, timeout=10)

    def slow(mail: EmailMessage) -> None:
        handed.append(mail)
        second = send(workspace, handed.append, now=SOON)
        assert second["sent"] == 0
        both.wait()

    thread = threading.Thread(target=send, args=(workspace, slow), kwargs={"now": SOON})
    thread.start()
    both.wait()
    thread.join(10)
    assert len(handed) == 1
    assert states(press)[0][0] == "sent"

    press.execute("UPDATE gov.notice SET state = 'queued', sent_at = NULL, attempts = 0")
    press.execute("UPDATE gov.minor_case SET class = 'SUSPECTED_MINOR'")
    assert send(workspace, handed.append, now=SOON)["needless"] == 1
    assert len(handed) == 1


def test_nobody_is_written_to_without_a_way_to_answer_and_nobody_waits_without_a_mail_server(press: Press) -> None:
    press.person(born=MINOR)
    run = press.open_run()
    nights.find(press.workspace, run)
    assert notices.queue(press.workspace, run, now=NOW) == {"cannot_tell": 1}
    wordless = able_to_write(press, NoticeSettings("https://x.example.org", "c", ""))
    assert notices.queue(wordless, run, now=NOW) == {"cannot_tell": 1}
    with pytest.raises(ConfigError, match="PRIVACY_OPS_ANSWER_URL, PRIVACY_OPS_COMPLAINT_ADDRESS"):
        send(wordless, _refuse, now=NOW)
    assert press.scalar("SELECT count(*) FROM gov.notice") == 0
    assert press.scalar("SELECT count(*) FROM gov.minor_case WHERE erase_after IS NOT NULL") == 0
    with pytest.raises(StoreRefused), press.workspace.database("notify").transaction() as connection:
        connection.exec_driver_sql("SELECT name FROM press.profile")


# ---- tokens, without any store


CASE, KEYS = uuid4(), key_ring()


def test_a_token_names_its_case_until_it_expires() -> None:
    given = token(KEYS, CASE, SOON)
    assert read_token(KEYS, f" {given}\n", now=NOW) == CASE
    assert read_token(KEYS, given, now=SOON) == CASE
    with pytest.raises(UserError):
        read_token(KEYS, given, now=SOON + timedelta(seconds=1))


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_token_with_one_letter_changed_does_not_count(place: int) -> None:
    given = token(KEYS, CASE, SOON)
    forged = given[:place] + ("A" if given[place] != "A" else "B") + given[place + 1 :]
    with pytest.raises(UserError, match="does not count"):
        read_token(KEYS, forged, now=NOW)


@pytest.mark.parametrize("given", ["", ".", "k1", "k1.", "k9." + "A" * 54, "k1.ü", "k1." + "A" * 9999, "k1.A"])
def test_what_is_no_token_does_not_count(given: str) -> None:
    with pytest.raises(UserError, match="does not count"):
        read_token(KEYS, given, now=NOW)


def test_old_keys_still_open_old_links() -> None:
    given = token(KEYS, CASE, SOON)
    newer = replace(KEYS, hmac=dict(KEYS.hmac) | {"notices": {"k2": b"2" * 32, "k1": KEYS.hmac["notices"]["k1"]}})
    newer = replace(newer, current=dict(KEYS.current) | {"notices": "k2"})
    assert read_token(newer, given, now=NOW) == CASE
    assert token(newer, CASE, SOON).startswith("k2.")
