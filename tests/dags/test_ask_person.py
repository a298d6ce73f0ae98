"""A person's answer counts for exactly what the person was shown."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time import task_runner
from privacy_ops import approvals
from privacy_ops.airflow_support import approvals as asking
from privacy_ops.airflow_support.approvals import AnotherSubject, AskPerson, SamePersonAgain
from privacy_ops.approvals import ApprovalRequest
from privacy_ops.errors import GateBlocked, UserError

BODY = "Counts: [the report](/privacy/transfers/7/report.html), [the law](https://law.example.org/)"
SHOWN, OTHER = "ab" * 32, "cd" * 32


class TaskInstance:
    """Stands for a task instance: keeps its notes while it is parked."""

    id = UUID(int=7)

    def __init__(self) -> None:
        self.notes: dict[str, Any] = {}

    def xcom_push(self, *, key: str, value: object) -> None:
        self.notes[key] = value

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        assert task_ids == "approval"
        return self.notes.get(key)


class World:
    """The subject that stands there, the approvers there are, and what was recorded."""

    def __init__(self) -> None:
        self.subject: str | None = SHOWN
        self.approvers: tuple[str, ...] = ()
        self.recorded: list[tuple[str, str, str]] = []
        self.shown: Any = None
        self.refreshes = False

    def send(self, question: Any) -> Any:
        """What Airflow does with a question: 3.3.2 keeps the first one that a task puts, a later version may not."""
        if self.shown is None or self.refreshes:
            self.shown = question
        return self.shown

    def job(self, _duty: str) -> tuple[Any, Any]:
        return self, SimpleNamespace(run_id="d/1")

    def database(self, _duty: str) -> World:
        return self

    @contextmanager
    def transaction(self, **_: object) -> Any:
        yield None

    def request(self, *_: object) -> ApprovalRequest | None:
        if not self.subject:
            return None
        return ApprovalRequest("breaker", self.subject, "Erase?", f"{BODY} {self.subject[:16]}")

    def record(self, _c: object, _run: str, request: ApprovalRequest, *, approver: str, **more: Any) -> None:
        self.recorded.append((request.subject_sha256, approver, more["decision"]))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(asking, "current_job", made.job)
    monkeypatch.setattr(asking, "import_module", lambda _: SimpleNamespace(ask=made.request))
    monkeypatch.setattr(approvals, "approvers", lambda *_: made.approvers)
    monkeypatch.setattr(approvals, "record", made.record)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", made, raising=False)
    return made


def ask(person: int = 1) -> AskPerson:
    made = AskPerson(task_id="approval", request="some.module:ask", duty="erase", person=person)
    made.notifiers = []
    return made


def answer(option: str, person: str | None = "ann", name: str = "Ann") -> dict[str, Any]:
    who = {"id": person, "name": name} if person else None
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    return {"chosen_options": [option], "params_input": {}, "responded_at": at, "responded_by_user": who}


def parked(person: int = 1) -> dict[str, Any]:
    context = {"ti": TaskInstance()}
    with pytest.raises(TaskAwaitingInput):
        ask(person).execute(context)
    return context


def test_an_answer_is_recorded_for_what_was_shown(world: World) -> None:
    assert ask().execute_complete(parked(), answer("Approve")) == {"asked": True, "approved": True}
    assert world.recorded == [(SHOWN, "ann", "approve")]


@pytest.mark.parametrize(("base", "root"), [("http://airflow.example.org", ""), ("https://example.org/air/", "/air")])
def test_links_of_the_question_lead_below_the_path_of_airflow(
    world: World, base: str, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base)
    parked()
    links = f"[the report]({root}/privacy/transfers/7/report.html), [the law](https://law.example.org/)"
    assert links in world.shown.body


@pytest.mark.parametrize("now_there", [OTHER, None])
def test_an_approval_of_what_was_replaced_meanwhile_is_not_recorded_and_the_task_tries_again(
    world: World, now_there: str | None
) -> None:
    context = parked()
    world.subject = now_there
    with pytest.raises(AnotherSubject, match="asks again") as raised:
        ask().execute_complete(context, answer("Approve"))
    assert world.recorded == []
    assert not isinstance(raised.value, UserError), "Airflow would not try it again"
    if now_there is None:
        assert ask().execute(context) == {"asked": False}


def test_nobody_is_waited_for_while_airflow_shows_what_was_asked_before(world: World) -> None:
    """Seen on Airflow 3.3.2: a task that is tried again or cleared shows the words of its first question."""
    parked()
    parked()  # the same is asked once more
    world.subject = OTHER
    with pytest.raises(GateBlocked, match="start a new run"):
        ask().execute({"ti": TaskInstance()})
    beside = ask()
    beside.on_reject = "record"  # a run that goes on without an answer
    assert beside.execute({"ti": TaskInstance()}) == {"asked": False, "approved": False}
    world.refreshes = True
    parked()
    assert world.shown.body.endswith(OTHER[:16])


@pytest.mark.parametrize("now_there", [OTHER, None])
@pytest.mark.parametrize("who", ["ann", None])
def test_no_and_silence_about_what_was_replaced_meanwhile_stop_the_run(
    world: World, now_there: str | None, who: str | None
) -> None:
    context = parked()
    world.subject = now_there
    with pytest.raises(GateBlocked, match="asks again"):
        ask().execute_complete(context, answer("Reject", who))
    assert world.recorded == []


@pytest.mark.parametrize(("who", "decision"), [("ann", "reject"), (None, "timeout")])
def test_no_and_silence_are_recorded_and_stop_the_run(world: World, who: str | None, decision: str) -> None:
    with pytest.raises(GateBlocked):
        ask().execute_complete(parked(), answer("Reject", who))
    assert [entry[2] for entry in world.recorded] == [decision]


def test_the_second_person_must_be_another_one(world: World) -> None:
    world.approvers = ("ann",)
    with pytest.raises(SamePersonAgain):
        ask(2).execute_complete(parked(2), answer("Approve"))
    assert world.recorded == []


def test_people_are_told_apart_by_id_and_not_by_name(world: World) -> None:
    world.approvers = ("17",)
    with pytest.raises(SamePersonAgain):
        ask(2).execute_complete(parked(2), answer("Approve", "17", "renamed"))
    assert ask(2).execute_complete(parked(2), answer("Approve", "18", "17"))["approved"] is True
    assert world.recorded == [(SHOWN, "18", "approve")]


def test_nobody_is_asked_when_there_is_nothing_to_ask_or_enough_have_approved(world: World) -> None:
    world.approvers = ("ann",)
    assert ask().execute({"ti": TaskInstance()}) == {"asked": False}
    world.subject, world.approvers = None, ()
    assert ask().execute({"ti": TaskInstance()}) == {"asked": False}
