"""What people's answers come to: how many, whose, and what silence does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.minors import decisions
from privacy_ops.minors.decisions import REVIEWED, Vote, escalation, outcome

SUSPECTED, COUNTER = "SUSPECTED_MINOR", "CONFIRMED_PENDING_COUNTER"
FILE, GROWN_UP = "THIRD_PARTY_MINOR", "ADULT_NOW_COLLECTED_AS_MINOR"
A, B, C, LEAD = "ann", "bob", "cat", "lena"


def votes(*given: tuple[str, str]) -> list[Vote]:
    return [Vote(person, answer) for person, answer in given]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "case_class", "signals", "given", "result"),
    [
        ("nobody_answered", SUSPECTED, {"SIG-10"}, (), None),
        ("one_person_does_not_confirm_a_suspicion", SUSPECTED, {"SIG-10"}, ((A, "CONFIRM"),), None),
        ("two_people_do", SUSPECTED, {"SIG-10"}, ((A, "CONFIRM"), (B, "CONFIRM")), "CONFIRMED"),
        ("the_same_person_twice_is_one", SUSPECTED, {"SIG-10"}, ((A, "CONFIRM"), (A, "CONFIRM")), None),
        ("one_confirms_against_a_counter_signal", COUNTER, {"SIG-01"}, ((A, "CONFIRM"),), "CONFIRMED"),
        ("one_clears_a_report", SUSPECTED, {"SIG-10"}, ((A, "CLEAR"),), "CLEARED"),
        ("one_does_not_clear_a_stated_date", SUSPECTED, {"SIG-01", "SIG-10"}, ((A, "CLEAR"),), None),
        ("two_clear_a_stated_date", COUNTER, {"SIG-01"}, ((A, "CLEAR"), (B, "CLEAR")), "CLEARED"),
        ("keeping_is_no_vote", SUSPECTED, {"SIG-10"}, ((A, "CONFIRM"), (B, "KEEP")), None),
        ("keeping_takes_back", SUSPECTED, {"SIG-10"}, ((A, "CONFIRM"), (A, "KEEP"), (B, "CONFIRM")), None),
        ("people_may_change_their_minds", COUNTER, {"SIG-01"}, ((A, "CLEAR"), (A, "CONFIRM")), "CONFIRMED"),
        ("disagreement_decides_nothing", SUSPECTED, {"SIG-10"}, ((A, "CONFIRM"), (B, "CLEAR")), None),
        (
            "more_people_do_not_outvote",
            SUSPECTED,
            {"SIG-10"},
            ((A, "CONFIRM"), (B, "CLEAR"), (C, "CONFIRM")),
            None,
        ),
        (
            "the_side_of_the_lead_wins",
            SUSPECTED,
            {"SIG-10"},
            ((A, "CONFIRM"), (B, "CLEAR"), (LEAD, "CONFIRM")),
            "CONFIRMED",
        ),
        ("a_lead_alone_is_still_one", SUSPECTED, {"SIG-10"}, ((LEAD, "CONFIRM"), (B, "CLEAR")), None),
        ("one_does_not_delete_a_file", FILE, {"SIG-16"}, ((A, "CONFIRM"),), None),
        ("two_delete_a_file", FILE, {"SIG-16"}, ((A, "CONFIRM"), (B, "CONFIRM")), "CONFIRMED"),
        ("one_gives_a_file_free", FILE, {"SIG-16"}, ((A, "CLEAR"),), "CLEARED"),
        ("reviewers_alone_do_not_erase_an_adult", GROWN_UP, {"SIG-01"}, ((A, "CONFIRM"), (B, "CONFIRM")), None),
        ("a_lead_alone_does_not_either", GROWN_UP, {"SIG-01"}, ((LEAD, "CONFIRM"),), None),
        ("the_lead_and_another_do", GROWN_UP, {"SIG-01"}, ((A, "CONFIRM"), (LEAD, "CONFIRM")), "CONFIRMED"),
        ("a_reviewer_does_not_settle_it", GROWN_UP, {"SIG-01"}, ((A, "CLEAR"),), None),
        ("the_lead_keeps_an_account", GROWN_UP, {"SIG-01"}, ((LEAD, "CLEAR"),), "CLEARED"),
        ("no_class_frees_itself", "INDETERMINATE", {"SIG-02"}, ((A, "KEEP"), (B, "KEEP")), None),
    ],
)
def test_what_answers_come_to(name: str, case_class: str, signals: set[str], given: tuple, result: str | None) -> None:
    assert outcome(votes(*given), case_class, signals, leads={LEAD}) == result


@pytest.mark.parametrize(
    ("name", "case_class", "given", "result"),
    [
        ("reviewers_decide_nothing_about_the_dead", COUNTER, ((A, "CONFIRM"), (B, "CONFIRM")), None),
        ("nor_do_they_release_them", COUNTER, ((A, "CLEAR"), (B, "CLEAR")), None),
        ("the_lead_does", COUNTER, ((LEAD, "CONFIRM"),), "CONFIRMED"),
        ("of_a_suspicion_the_lead_and_another", SUSPECTED, ((LEAD, "CONFIRM"), (A, "CONFIRM")), "CONFIRMED"),
        ("of_a_suspicion_not_the_lead_alone", SUSPECTED, ((LEAD, "CONFIRM"),), None),
    ],
)
def test_of_the_dead_a_privacy_lead_decides(name: str, case_class: str, given: tuple, result: str | None) -> None:
    assert outcome(votes(*given), case_class, {"SIG-01"}, leads={LEAD}, flags=["DIED"]) == result
    assert decisions.for_lead(case_class, ["DIED"])
    assert not decisions.for_lead(case_class)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([A, B, C, LEAD]), st.sampled_from(["CONFIRM", "CLEAR", "KEEP"])), max_size=8),
    st.sampled_from(sorted(REVIEWED)),
    st.sets(st.sampled_from(["SIG-01", "SIG-10", "SIG-12"])),
)
def test_a_decision_always_rests_on_enough_people(given: list, case_class: str, signals: set[str]) -> None:
    result = outcome(votes(*given), case_class, signals, leads={LEAD})
    answer = {"CONFIRMED": "CONFIRM", "CLEARED": "CLEAR", None: None}[result]
    if answer is None:
        return
    last = dict(given)
    people = {person for person, said in last.items() if said == answer}
    assert len(people) >= (1 if answer == "CONFIRM" and case_class == COUNTER else 1 + (answer == "CONFIRM"))
    if answer == "CLEAR" and "SIG-01" in signals and case_class != GROWN_UP:
        assert len(people) >= 2
    if case_class == GROWN_UP:
        assert LEAD in people


LEVELS = {"lead_days": (3, 5), "lead_decides_days": 10}


@pytest.mark.parametrize(
    ("case_class", "waited", "level"),
    [
        (SUSPECTED, 0, decisions.IN_TIME),
        (SUSPECTED, 1, decisions.IN_TIME),
        (SUSPECTED, 2, decisions.LATE),
        (SUSPECTED, 3, decisions.LEAD),
        (SUSPECTED, 4, decisions.LEAD),
        (SUSPECTED, 5, decisions.LEAD_AGAIN),
        (SUSPECTED, 9, decisions.LEAD_AGAIN),
        (SUSPECTED, 10, decisions.LEAD_DECIDES),
        (COUNTER, 0, decisions.IN_TIME),
        (COUNTER, 1, decisions.LATE),
        ("SOURCE_SUSPECT", 0, decisions.LEAD),
        (FILE, 1, decisions.IN_TIME),
        (FILE, 3, decisions.LEAD),
        (GROWN_UP, 20, decisions.IN_TIME),
        (GROWN_UP, 21, decisions.LEAD_DECIDES),
        ("INDETERMINATE", 9, decisions.IN_TIME),
        ("INDETERMINATE", 10, decisions.LEAD_DECIDES),
    ],
)
def test_what_nobody_decides_rises(case_class: str, waited: int, level: int) -> None:
    assert escalation(case_class, waited, **LEVELS) == level
