"""A reviewer is asked about what is shown, by the task that stands between Airflow and the case."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time import task_runner
from privacy_ops.airflow_support import reviews
from privacy_ops.airflow_support.reviews import AskReviewer
from privacy_ops.minors.review import Question

CASE = str(UUID(int=3))


class Airflow:
    """Keeps the first question that a task puts, as 3.3.2 does."""

    shown: Any = None

    def send(self, question: Any) -> Any:
        self.shown = self.shown or question
        return self.shown


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Airflow:
    made = Airflow()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", made, raising=False)
    monkeypatch.setattr(reviews, "current_job", lambda *_: (None, SimpleNamespace(run_id="minor_case_review/1")))
    return made


def ask(monkeypatch: pytest.MonkeyPatch, body: str, people: tuple[str, ...]) -> Any:
    """One try of the task, when this is what there is to ask."""
    asked = Question(CASE, f"hash of {body}", "A minor? Case 00000000", body, people, timedelta(hours=20))
    monkeypatch.setattr(reviews.review, "question", lambda *_, **__: asked)
    task = AskReviewer(task_id="first_answer", case_id=CASE, person=1)
    task.notifiers = []
    return task.execute({"ti": SimpleNamespace(id=UUID(int=7), xcom_push=lambda **_: None)})


@pytest.mark.parametrize(
    ("body", "people"),
    [
        pytest.param("Evidence: SIG-01 x 2", ("ann", "bob"), id="other_evidence"),
        pytest.param("Evidence: SIG-01 x 1", ("bob",), id="other_people"),
    ],
)
def test_a_question_that_airflow_does_not_show_is_not_waited_for_and_left_to_the_next_run(
    airflow: Airflow, monkeypatch: pytest.MonkeyPatch, body: str, people: tuple[str, ...]
) -> None:
    given_back: list[str] = []
    monkeypatch.setattr(reviews.review, "give_back", lambda _w, _r, case_id: given_back.append(case_id))
    for _ in range(2):  # the very same is asked again by a second try
        with pytest.raises(TaskAwaitingInput):
            ask(monkeypatch, "Evidence: SIG-01 x 1", ("ann", "bob"))
    assert airflow.shown.body == "Evidence: SIG-01 x 1"
    assert given_back == []

    assert ask(monkeypatch, body, people) == {"asked": False}
    assert given_back == [CASE]
