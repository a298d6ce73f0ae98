"""What the sandbox's client of Airflow says about a failed run, and how long it bears with a busy server."""

from __future__ import annotations

import urllib.error
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox import airflow_api
from sandbox.airflow_api import AirflowApi, ApiError, DagRun, RequiredAction

RUN = DagRun("minor_data_deletion", "r", "failed")


class Answers(AirflowApi):
    """A client whose server says what the test wrote down, by the end of the path; nothing else is there."""

    def __init__(self, **answers: Any) -> None:
        super().__init__("http://127.0.0.1:1", "emil", "-")
        self.answers_by_end = answers

    def call(self, method: str, path: str, body: object = None, *, query: Mapping[str, Any] | None = None) -> Any:
        if path.endswith("/taskInstances"):
            assert query is not None
            return {"task_instances": [t for t in self.answers_by_end["tasks"] if t["state"] in query["state"]]}
        if path == "/eventLogs":
            assert query is not None
            return {"event_logs": [e for e in self.answers_by_end["events"] if e["event"] in query["included_events"]]}
        if (log := self.answers_by_end.get(path.split("/")[-3])) is None:
            raise ApiError("GET: 404", 404)
        return {"content": log}


def task(task_id: str, state: str, attempt: int, *, map_index: int = -1) -> dict[str, Any]:
    return {"task_id": task_id, "state": state, "try_number": attempt, "max_tries": 2, "map_index": map_index}


def test_a_failed_run_names_its_failed_tasks_with_try_and_last_error() -> None:
    errors = [{"exc_type": "StoreUnavailable", "exc_value": "database error 57P03"}]
    blocked = [{"exc_type": "GateBlocked", "exc_value": "gate erasure.plan blocks: G-21"}]
    api = Answers(
        tasks=[
            task("plan", "success", 1),
            task("gate_plan", "failed", 3),
            task("one_case.first_answer", "up_for_retry", 2, map_index=4),
            task("verify", "failed", 1),
            task("certify", "upstream_failed", 0),
        ],
        gate_plan=["::group::", {"event": "x"}, {"event": "y", "error_detail": errors}, {"error_detail": blocked}],
        **{"one_case.first_answer": []},
        events=[
            {"event": "running", "extra": None},
            {"event": "state mismatch", "extra": "finished with state success"},
        ],
    )
    assert api.troubles(RUN) == [
        "gate_plan failed in try 3 of 3: GateBlocked: gate erasure.plan blocks: G-21",
        "one_case.first_answer[4] up_for_retry in try 2 of 3: state mismatch: finished with state success",
        "verify failed in try 1 of 3: its log cannot be read (GET: 404)",
    ]


def test_a_question_is_put_when_it_is_new_raised_again_or_open_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(airflow_api.time, "monotonic", lambda: clock[0])
    first, second = (RequiredAction("d", "r", name, -1, "Erase?", ()) for name in ("first", "second"))
    questions = airflow_api._Questions()
    assert list(questions.due([first])) == [first]
    clock[0] = 1
    assert list(questions.due([first, second])) == [second]
    clock[0] = airflow_api.AGAIN
    assert list(questions.due([first, second])) == [first]
    assert list(questions.due([])) == []
    assert list(questions.due([first])) == [first], "its task raised it again"


@pytest.mark.parametrize(
    ("method", "error", "sent"),
    [
        ("GET", TimeoutError(), 3),
        ("GET", urllib.error.URLError(TimeoutError()), 3),
        ("GET", urllib.error.URLError(ConnectionRefusedError()), 1),
        ("POST", TimeoutError(), 1),
    ],
)
def test_only_what_changes_nothing_is_asked_again_of_a_busy_server(
    monkeypatch: pytest.MonkeyPatch, method: str, error: OSError, sent: int
) -> None:
    api = AirflowApi("http://127.0.0.1:1", "emil", "-")
    monkeypatch.setattr(api, "_token", "t")
    calls = []

    def busy(*call: object) -> None:
        calls.append(call)
        raise error

    monkeypatch.setattr(api, "_send", busy)
    with pytest.raises(ApiError, match="does not answer"):
        api.call(method, "/dags")
    assert len(calls) == sent
