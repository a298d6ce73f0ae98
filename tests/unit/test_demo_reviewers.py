"""Who of the demonstration's people answers a question of the review."""

from __future__ import annotations

import pytest

from sandbox.airflow_api import RequiredAction
from sandbox.demo import FIRST, LEAD, SECOND, Demo


def question(task: str, *assigned: str) -> RequiredAction:
    return RequiredAction("minor_case_review", "run", f"one_case.{task}", 0, "Review", ("Clear",), assigned)


@pytest.mark.parametrize(
    ("what", "action", "person"),
    [
        ("put_to_anybody", question("first_answer"), FIRST),
        ("put_to_both", question("first_answer", SECOND, FIRST), FIRST),
        ("raised_again_after_the_first_was_recorded", question("first_answer", SECOND), SECOND),
        ("the_second_of_two", question("second_answer", SECOND), SECOND),
        ("raised_again_for_the_second_after_the_other_answered", question("second_answer", FIRST), FIRST),
        ("put_to_the_lead_alone", question("first_answer", LEAD), LEAD),
        ("put_to_somebody_else", question("first_answer", "another"), None),
        ("another_question", question("sign_off"), None),
    ],
)
def test_a_question_is_answered_by_one_to_whom_it_is_put(what: str, action: RequiredAction, person: str | None) -> None:
    assert Demo._reviewer(action) == person, what
