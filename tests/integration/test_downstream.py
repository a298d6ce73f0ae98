"""The outbox: told once, told again, chased, escalated, never lost and never told too early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from privacy_ops.erasure.downstream import gate as downstream_gate
from privacy_ops.erasure.downstream import outbox as downstream
from privacy_ops.erasure.downstream import work_items
from privacy_ops.erasure.downstream.adapters import Message, Outcome
from privacy_ops.erasure.downstream.parties import Party
from privacy_ops.erasure.plan import plan, require_plan
from privacy_ops.errors import GateBlocked, StoreRefused, UserError
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.mail import MailServer
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from sandbox.postgres import PostgresServer
from tests import block_list
from tests.integration.press import NOW, Press
from tests.integration.processor import answers, processor, says
from tests.integration.told import copied, known_minor, press_at, telling

DONE = Outcome("acknowledged", reference="REF", found=1)
PARTIES = {
    "mailer": Party(kind="DELETE", webhook="https://mailer.example.org/e"),
    "badges": Party(kind="DELETE", webhook="https://badges.example.org/e"),
    "exhibitor:1": Party(kind="NOTICE", email="one@exhibitor.example.org"),
    "exhibitor:2": Party(kind="NOTICE", email="two@exhibitor.example.org"),
    "school": Party(kind="DELETE", webhook="https://school.example.org/e"),
    "importer": Party(kind="DELETE", webhook="https://importer.example.org/e"),
}


class Post:
    """Stands for the adapters: says what it is told to, and remembers what was sent."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self.outcomes, self.sent = list(outcomes) or [DONE], []

    def __call__(self, party: Party, message: Message) -> Outcome:
        self.sent.append((party, message))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


# Emptied and filled again for each test: a hundred times faster than a database for each.
_TABLES = ("work_item", "downstream_event", "downstream_instruction", "erasure_asset", "erasure_plan")


@pytest.fixture(scope="module")
def told_once(cluster: PostgresServer, press_template: str, object_settings: ObjectSettings) -> Iterator[Press]:
    """One minor known to four parties, erased at NOW: that the rows went is only said, not done."""
    with copied(cluster, press_template) as name:
        press = press_at(cluster, name, object_settings)
        workspace, run = telling(press), press.open_run()
        known_minor(press)
        check_sources(workspace, run)
        detect_and_restrict(workspace, run)
        plan(workspace, run, now=NOW)
        with workspace.database("erase").transaction() as connection:
            work_items.seal(connection, workspace, require_plan(connection, run.run_id), NOW)
        say_erased(press)
        for table in _TABLES:
            press.execute(f"CREATE TABLE press.kept_{table} AS SELECT * FROM gov.{table}")
        yield press


@pytest.fixture
def press(told_once: Press) -> Press:
    with told_once.superuser.transaction() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no triggers, no foreign keys
        for table in _TABLES:
            connection.exec_driver_sql(f"DELETE FROM gov.{table}")
            connection.exec_driver_sql(
                f"INSERT INTO gov.{table} OVERRIDING SYSTEM VALUE SELECT * FROM press.kept_{table}"
            )
    return told_once


@pytest.fixture
def told(press: Press) -> Workspace:
    return telling(press)


def say_erased(press: Press, state: str = "database_erased") -> None:
    press.execute("UPDATE gov.erasure_plan SET state = :s, database_erased_at = :t", s=state, t=NOW)


def only(press: Press, *parties: str) -> None:
    with press.superuser.transaction() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for table in ("work_item", "downstream_event", "downstream_instruction"):
            connection.execute(
                text(
                    f"DELETE FROM gov.{table} WHERE instruction_id IN"
                    " (SELECT instruction_id FROM gov.downstream_instruction WHERE NOT party = ANY(:p))"
                ),
                {"p": list(parties)},
            )


def hourly(press: Press, workspace: Workspace, post: Any, at: datetime = NOW, parties: Any = PARTIES) -> dict[str, Any]:
    run = press.open_run(f"hour-{at:%d%H%M}", at=at, logical_date=at - timedelta(hours=1))
    moved = downstream.follow_up(workspace, run, now=at)
    return {"moved": moved} | downstream.deliver(workspace, run, now=at, send=post, parties=parties)


def states(press: Press) -> dict[str, str]:
    return dict(press.execute("SELECT party, state FROM gov.downstream_instruction"))


def events(press: Press, party: str) -> list[str]:
    return [
        row.event
        for row in press.execute(
            "SELECT e.event FROM gov.downstream_event AS e JOIN gov.downstream_instruction USING (instruction_id)"
            " WHERE party = :p ORDER BY event_id",
            p=party,
        )
    ]


def alive(press: Press) -> int:
    return int(press.scalar("SELECT count(*) FROM gov.work_item WHERE sealed IS NOT NULL"))


def figures(press: Press, workspace: Workspace, at: datetime, parties: Any = PARTIES) -> dict[str, float]:
    with workspace.database("erase").transaction() as connection:
        return downstream_gate.metrics(connection, workspace, parties, now=at)


def test_everybody_is_told_once_and_what_they_know_is_destroyed_with_their_answer(
    press: Press, told: Workspace
) -> None:
    post = Post()
    assert hourly(press, told, post)["acknowledged"] == 4
    assert set(states(press).values()) == {"acknowledged"}
    assert {(p.kind, tuple(sorted(i["as"] for i in m.identifiers or ()))) for p, m in post.sent} == {
        ("DELETE", ("email", "subscriber")),
        ("DELETE", ("badge",)),
        ("NOTICE", ("badge",)),
    }
    assert alive(press) == 0
    assert events(press, "mailer") == ["created", "sending", "acknowledged"]
    assert hourly(press, told, post, NOW + timedelta(hours=1))["parties"] == 0
    assert len(post.sent) == 4


@pytest.fixture
def listed(press: Press) -> Iterator[str]:
    """Address of the press's superuser; the block list is fresh and empty again afterwards."""
    yield press.superuser._url.render_as_string(hide_password=False)
    press.execute("DELETE FROM gov.blocked_destination")
    press.execute("DELETE FROM gov.finding")
    block_list.renew(press.superuser._url.render_as_string(hide_password=False))


def test_a_blocked_party_is_told_nothing_until_the_block_is_lifted(press: Press, told: Workspace, listed: str) -> None:
    block_list.block(listed, "processor:mailer")
    post = Post()

    counts = hourly(press, told, post)
    assert (counts["acknowledged"], counts["held"]) == (3, 1)
    assert states(press)["mailer"] == "pending"
    assert events(press, "mailer") == ["created"]
    assert alive(press) == 1  # what it knows the person by waits, too
    block_list.lift(listed)
    assert hourly(press, told, post, NOW + timedelta(hours=1))["acknowledged"] == 1
    assert states(press)["mailer"] == "acknowledged"


@pytest.mark.parametrize("hours", [50, 51])
def test_a_stale_block_list_lets_nothing_out(press: Press, told: Workspace, listed: str, hours: int) -> None:
    block_list.renew(listed, (NOW - timedelta(hours=hours)).isoformat())
    post = Post()
    if hours == 50:
        assert hourly(press, told, post)["acknowledged"] == 4
        return
    with pytest.raises(GateBlocked, match="no transfer is cleared"):
        hourly(press, told, post)
    assert post.sent == []
    assert set(states(press).values()) == {"pending"}


def test_an_unreadable_block_list_lets_nothing_out(press: Press, told: Workspace, listed: str) -> None:
    post = Post()
    with block_list.unreadable(listed, "erase"), pytest.raises(StoreRefused, match="may not do this"):
        hourly(press, told, post)
    assert post.sent == []
    assert set(states(press).values()) == {"pending"}
    assert hourly(press, told, post, NOW + timedelta(hours=1))["acknowledged"] == 4


@pytest.mark.parametrize("late", ["blocked", "stale"])
def test_what_is_blocked_between_the_list_and_the_attempt_is_not_sent(
    press: Press, told: Workspace, listed: str, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(press, "mailer")
    if late == "blocked":
        block_list.block(listed, "processor:mailer")
    else:
        press.execute("DELETE FROM gov.block_list_renewal")
    monkeypatch.setattr(downstream.blocks, "ask", lambda *_, **__: downstream.blocks.BlockList(True, frozenset()))
    post = Post()
    hourly(press, told, post)
    assert post.sent == []
    assert states(press) == {"mailer": "pending"}


@pytest.mark.parametrize("state", ["frozen", "void", "building"])
def test_nobody_is_told_before_the_rows_are_gone(press: Press, told: Workspace, state: str) -> None:
    say_erased(press, state)
    post = Post()
    hourly(press, told, post)
    assert post.sent == []
    assert set(states(press).values()) == ({"withdrawn"} if state == "void" else {"pending"})
    assert alive(press) == (0 if state == "void" else 4)


def test_a_rehearsal_tells_nobody_and_moves_nothing(press: Press, told: Workspace) -> None:
    post, late = Post(), NOW + timedelta(days=40)
    run = press.open_run("backfill", at=late, run_type="backfill")
    assert downstream.follow_up(told, run, now=late) == {"rehearsal": True}
    assert downstream.deliver(told, run, now=late, send=post, parties=PARTIES) == {
        "rehearsal": True,
        "due": 4,
    }
    assert (post.sent, set(states(press).values()), alive(press)) == ([], {"pending"}, 4)


def test_a_kill_between_sending_and_recording_sends_again_with_the_same_key(
    press: Press, told: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(press, "mailer")
    post = Post()

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(downstream, "_record", die)
        with pytest.raises(Killed):
            hourly(press, told, post)
    assert states(press) == {"mailer": "pending"}
    hourly(press, told, post, NOW + timedelta(minutes=10))  # nobody knows yet whether it still runs
    assert len(post.sent) == 1
    hourly(press, told, post, NOW + timedelta(hours=1))
    assert states(press) == {"mailer": "acknowledged"}
    first, second = (message for _, message in post.sent)
    assert first.instruction_id == second.instruction_id
    assert first.identifiers == second.identifiers
    assert events(press, "mailer") == ["created", "sending", "sending", "acknowledged"]


def test_a_party_that_is_away_is_tried_later_and_later_and_holds_up_nobody(press: Press, told: Workspace) -> None:
    def post(party: Party, message: Message) -> Outcome:
        return Outcome("retry", "HTTP_503") if "mailer" in (party.webhook or "") else DONE

    result = hourly(press, told, post)
    assert (result["retry"], result["acknowledged"]) == (1, 3)
    due = [press.scalar("SELECT next_attempt_at FROM gov.downstream_instruction WHERE party = 'mailer'")]
    hourly(press, told, post, due[-1])
    due.append(press.scalar("SELECT next_attempt_at FROM gov.downstream_instruction WHERE party = 'mailer'"))
    assert [d - s for d, s in zip(due, [NOW, due[0]], strict=True)] == [
        timedelta(minutes=30),
        timedelta(hours=1),
    ]
    assert states(press)["mailer"] == "pending"


def test_a_wait_that_the_party_asks_for_is_kept(press: Press, told: Workspace) -> None:
    only(press, "mailer")
    hourly(press, told, Post(Outcome("retry", "HTTP_429", wait=timedelta(hours=5))))
    assert press.scalar("SELECT next_attempt_at FROM gov.downstream_instruction") == NOW + timedelta(hours=5)


def test_a_silent_party_is_reminded_escalated_and_a_breach_is_written_down(press: Press, told: Workspace) -> None:
    only(press, "mailer")
    post = Post(Outcome("sent", "ACCEPTED"))
    hourly(press, told, post)
    assert states(press) == {"mailer": "sent"}
    hourly(press, told, post, NOW + timedelta(hours=71))
    assert len(post.sent) == 1
    hourly(press, told, post, NOW + timedelta(hours=72))
    assert states(press) == {"mailer": "chased"}
    hourly(press, told, post, NOW + timedelta(hours=73))
    assert len(post.sent) == 2
    hourly(press, told, post, NOW + timedelta(days=7))
    assert states(press) == {"mailer": "escalated"}
    assert alive(press) == 0
    hourly(press, told, post, NOW + timedelta(days=30))
    hourly(press, told, post, NOW + timedelta(days=30, hours=1))
    assert [m.reminder for _, m in post.sent] == [0, 1, 2, 2]
    assert [m.identifiers is None for _, m in post.sent] == [False, False, True, True]
    assert events(press, "mailer").count("breached") == 1
    found = figures(press, told, NOW + timedelta(days=30))
    assert (found["late"], found["escalated"], found["breached"]) == (1, 1, 1)
    hourly(press, told, Post(DONE), NOW + timedelta(days=38))
    assert states(press) == {"mailer": "acknowledged"}


@pytest.mark.parametrize(
    ("parties", "reason"),
    [({}, "UNKNOWN_PARTY"), ({"mailer": Party(kind="DELETE")}, "NO_WAY_TO_REACH")],
)
def test_a_party_nobody_can_reach_is_loud_and_told_as_soon_as_it_can_be(
    press: Press, told: Workspace, parties: dict[str, Party], reason: str
) -> None:
    only(press, "mailer")
    hourly(press, told, Post(), parties=parties)
    row = press.execute("SELECT state, reason FROM gov.downstream_instruction")[0]
    assert tuple(row) == ("undeliverable", reason)
    assert figures(press, told, NOW)["undeliverable"] == 1
    assert figures(press, told, NOW, parties)["unreachable_parties"] >= 1
    hourly(press, told, Post(), NOW + timedelta(hours=1))
    assert states(press) == {"mailer": "acknowledged"}


def test_a_404_is_no_success(press: Press, told: Workspace) -> None:
    only(press, "mailer")
    hourly(press, told, Post(Outcome("broken", "HTTP_404")))
    assert states(press) == {"mailer": "undeliverable"}
    assert alive(press) == 1


def test_identifiers_destroyed_before_the_party_was_told_go_to_people(press: Press, told: Workspace) -> None:
    only(press, "mailer")
    away = Post(Outcome("retry", "TIMEOUT"))
    hourly(press, told, away)
    assert figures(press, told, NOW + timedelta(days=6, hours=1))["identifiers_going"] == 1
    end = NOW + timedelta(days=7)
    hourly(press, told, away, end)
    assert len(away.sent) == 1
    row = press.execute("SELECT state, reason FROM gov.downstream_instruction")[0]
    assert tuple(row) == ("escalated", "IDENTIFIERS_GONE")
    assert figures(press, told, end)["identifiers_gone"] == 1


def test_one_item_that_does_not_open_holds_up_no_other(press: Press, told: Workspace) -> None:
    press.execute(
        "UPDATE gov.work_item SET sealed = CAST('x' AS bytea) WHERE instruction_id ="
        " (SELECT instruction_id FROM gov.downstream_instruction WHERE party = 'mailer')"
    )
    hourly(press, told, Post())
    assert states(press)["mailer"] == "undeliverable"
    assert list(states(press).values()).count("acknowledged") == 3


def test_an_adapter_that_breaks_leaks_nothing_and_is_tried_again(
    press: Press, told: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    only(press, "mailer")
    hourly(press, told, Post(RuntimeError("child@example.org")))
    assert press.scalar("SELECT reason FROM gov.downstream_instruction") == "ADAPTER_FAULT"
    assert states(press) == {"mailer": "pending"}
    assert "child@" not in caplog.text


def test_a_person_acknowledges_what_was_mailed_and_the_reference_is_only_a_hash(press: Press, told: Workspace) -> None:
    only(press, "exhibitor:1")
    instruction = press.scalar("SELECT instruction_id FROM gov.downstream_instruction")
    with pytest.raises(UserError, match="nobody was told"):
        downstream.acknowledge(told, instruction, "X-1", now=NOW)
    hourly(press, told, Post(Outcome("sent", "MAILED")))
    assert downstream.acknowledge(told, instruction, "X-1", now=NOW + timedelta(hours=5)) == "exhibitor:1"
    downstream.acknowledge(told, instruction, "X-1", now=NOW + timedelta(hours=9))
    row = press.execute("SELECT * FROM gov.downstream_instruction")[0]
    assert (row.state, row.acked_at) == ("acknowledged", NOW + timedelta(hours=5))
    assert "X-1" not in str(row)
    with told.database("erase").transaction() as connection:
        assert downstream.acknowledgement_times(connection)["median_hours"] == 5
    with pytest.raises(UserError, match="no such instruction"):
        downstream.acknowledge(told, UUID(int=1), "X-1", now=NOW)
    with pytest.raises(UserError, match="reference"):
        downstream.acknowledge(told, instruction, " ", now=NOW)


def test_people_end_what_cannot_be_told_and_say_why(press: Press, told: Workspace) -> None:
    only(press, "exhibitor:1")
    instruction = press.scalar("SELECT instruction_id FROM gov.downstream_instruction")
    with pytest.raises(UserError, match="unknown reason"):
        downstream.close(told, instruction, "TIRED", now=NOW)
    downstream.close(told, instruction, "DISPROPORTIONATE", now=NOW)
    assert tuple(press.execute("SELECT state, reason FROM gov.downstream_instruction")[0]) == (
        "withdrawn",
        "DISPROPORTIONATE",
    )
    assert alive(press) == 0


def test_a_refusal_waits_for_people_until_they_send_it_again(press: Press, told: Workspace) -> None:
    only(press, "mailer")
    hourly(press, told, Post(Outcome("refused", "PARTY_REFUSES")))
    post = Post()
    hourly(press, told, post, NOW + timedelta(days=2))
    assert post.sent == []
    assert figures(press, told, NOW + timedelta(days=2))["refused"] == 1
    instruction = press.scalar("SELECT instruction_id FROM gov.downstream_instruction")
    downstream.retry(told, instruction, now=NOW + timedelta(days=2))
    hourly(press, told, post, NOW + timedelta(days=2, hours=1))
    assert states(press) == {"mailer": "acknowledged"}


def test_a_party_that_knows_only_shared_numbers_is_not_told_and_somebody_is_asked_to_talk_to_it(
    press: Press, told: Workspace
) -> None:
    only(press, "mailer")
    press.execute("DELETE FROM gov.work_item")
    press.execute("UPDATE gov.downstream_instruction SET state = 'undeliverable', reason = 'ONLY_SHARED'")
    post, late = Post(), NOW + timedelta(days=2)
    hourly(press, told, post, late)
    assert post.sent == []
    found = figures(press, told, late)
    assert {name for name, value in found.items() if value} == {"open_instructions", "only_shared"}
    assert downstream_gate.judge_outbox(told, press.open_run("late"), now=late, parties=PARTIES)["gate"] == "warn"
    hourly(press, told, post, NOW + timedelta(days=7))
    assert (states(press), post.sent) == ({"mailer": "escalated"}, [])


def test_the_events_only_grow(press: Press, told: Workspace) -> None:
    with pytest.raises(Exception, match=r"42501|may not"), told.database("erase").transaction() as connection:
        connection.exec_driver_sql("DELETE FROM gov.downstream_event")
    with pytest.raises(Exception, match=r"42501|may not"):
        press.execute("UPDATE gov.downstream_event SET detail = ''")


def test_the_whole_way_over_http(press: Press, told: Workspace) -> None:
    only(press, "mailer", "badges")
    with processor() as mailer, processor() as badges:
        badges.script = [says(404)]
        parties = PARTIES | {
            "mailer": Party(kind="DELETE", webhook=mailer.url),
            "badges": Party(kind="DELETE", webhook=badges.url),
        }
        hourly(press, told, None, parties=parties)
        assert states(press) == {"mailer": "acknowledged", "badges": "undeliverable"}
        assert {one["as"] for one in mailer.requests[0].body["identifiers"]} == {"subscriber", "email"}
        badges.script = [answers("accepted", 202)]
        hourly(press, told, None, NOW + timedelta(hours=1), parties)
        badges.script = [answers()]
        hourly(press, told, None, NOW + timedelta(hours=74), parties)
    assert set(states(press).values()) == {"acknowledged"}
    assert len({r.headers["Idempotency-Key"] for r in badges.requests}) == 1
    assert badges.requests[-1].body["reminder"] == 1


FAULTS: dict[str, Callable[[Press], object]] = {
    "G-34-UNDELIVERABLE": lambda p: p.execute("UPDATE gov.downstream_instruction SET state = 'undeliverable',"
                                              " instructed_at = :t", t=NOW),
    "G-34-REFUSED": lambda p: p.execute("UPDATE gov.downstream_instruction SET state = 'refused', instructed_at = :t",
                                        t=NOW),
    "G-34-INSTRUCTED": lambda p: p.execute("UPDATE gov.erasure_plan SET database_erased_at = :t",
                                           t=NOW - timedelta(hours=24)),
    "G-34-GONE": lambda p: p.execute("UPDATE gov.work_item SET sealed = NULL, nonce = NULL, destroyed_at = :t", t=NOW),
    "G-34-ITEMS": lambda p: (
        p.execute("UPDATE gov.downstream_instruction SET state = 'sent', instructed_at = :t", t=NOW),
        p.execute("UPDATE gov.work_item SET expires_at = :t", t=NOW - timedelta(seconds=1)),
    ),
    "G-34-ESCALATED": lambda p: p.execute("UPDATE gov.downstream_instruction SET state = 'escalated',"
                                          " instructed_at = :t", t=NOW),
    "G-34-BREACH": lambda p: p.execute("UPDATE gov.downstream_instruction SET state = 'chased', instructed_at = :t",
                                       t=NOW - timedelta(days=30)),
    "G-34-COMPLETE": lambda p: p.execute("INSERT INTO gov.erasure_asset SELECT plan_id, case_id, 'press.badge_scan',"
                                         " 'DELETE', 1, 1 FROM gov.erasure_plan_case"),
}  # fmt: skip


@pytest.mark.parametrize("check", FAULTS)
def test_each_check_blocks_alone(press: Press, told: Workspace, check: str) -> None:
    only(press, "mailer")
    run = press.open_run("hour")
    assert downstream_gate.judge_outbox(told, run, now=NOW, parties=PARTIES)["gate"] == "pass"
    FAULTS[check](press)
    with pytest.raises(GateBlocked):
        downstream_gate.judge_outbox(told, run, now=NOW, parties=PARTIES)
    newest = press.execute("SELECT checks FROM gov.gate_result ORDER BY gate_result_id DESC LIMIT 1")[0].checks
    failed = {c["id"] for c in newest if not c["success"] and c["severity"] == "critical"}
    assert failed == {check}


def test_a_party_without_a_way_blocks_before_anybody_is_erased(press: Press) -> None:
    workspace, run = telling(press), press.open_run("hour")
    with pytest.raises(GateBlocked):
        downstream_gate.judge_outbox(workspace, run, now=NOW, parties={})


def test_without_a_mail_server_a_mail_is_undeliverable_and_says_why(press: Press, told: Workspace) -> None:
    only(press, "exhibitor:1")
    with pytest.raises(UserError, match="mail server"):
        MailServer(None)
    hourly(press, told, None)
    assert press.scalar("SELECT reason FROM gov.downstream_instruction") == "OUR_SETTINGS"
