"""Which way a case may go, whatever happens in whatever order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.errors import UserError
from privacy_ops.minors.states import ERASING, NEXT, Standing, State, move


def test_every_state_is_in_the_table_and_nothing_else() -> None:
    assert set(NEXT) == set(State)
    assert set().union(*NEXT.values()) <= set(State)


@pytest.mark.parametrize("state", list(State))
def test_the_way_of_a_confirmed_case_leads_to_its_end(state: State) -> None:
    """From every state something closed can be reached; no case is lost half way."""
    seen, todo = {state}, [state]
    while todo:
        for following in NEXT[todo.pop()] - seen:
            seen.add(following)
            todo.append(following)
    assert seen & {State.CLOSED, State.CLEARED}


def test_a_cleared_case_is_at_its_end() -> None:
    assert NEXT[State.CLEARED] == frozenset()


@pytest.mark.parametrize(
    ("name", "case", "to"),
    [
        ("erase_a_suspicion", Standing(State.RESTRICTED, restricted=True), State.PRIMARY_ERASED),
        ("erase_what_was_cleared", Standing(State.CLEARED, decision="CLEARED"), State.ERASING),
        ("clear_without_people", Standing(State.RESTRICTED, restricted=True), State.CLEARED),
        ("clear_what_people_confirmed", Standing(State.DECIDED, decision="CONFIRMED"), State.CLEARED),
        ("clear_what_is_erased", Standing(State.PRIMARY_ERASED, confirmed=True, decision="CLEARED"), State.CLEARED),
        ("decide_without_people", Standing(State.IN_REVIEW, confirmed=True), State.DECIDED),
        ("open_again_what_is_closed", Standing(State.CLOSED, confirmed=True), State.RESTRICTED),
    ],
)
def test_what_must_not_happen(name: str, case: Standing, to: State) -> None:
    with pytest.raises(UserError):
        move(case, to)


FACTS = st.sampled_from(["confirmed", "CONFIRMED", "CLEARED", "nothing"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(State)), FACTS), max_size=12))
def test_no_erasure_without_confirmation_and_no_release_without_clearing(events: list[tuple[State, str]]) -> None:
    """Random events in random order: what is refused changes nothing, what passes keeps the two rules."""
    case = Standing()
    locked = False
    for to, fact in events:
        if fact == "confirmed":
            case = replace(case, confirmed=True)
        elif fact != "nothing" and case.decision is None:
            case = replace(case, decision=fact)
        try:
            case = move(case, to)
        except UserError:
            continue
        locked = locked or to is State.RESTRICTED
        if case.state in ERASING:
            assert case.confirmed or case.decision == "CONFIRMED"
        if case.state is State.CLEARED:
            assert case.decision == "CLEARED"
        if locked and not case.restricted:
            assert case.state is State.CLEARED
