"""The states of a case and every change that is allowed, in one table. Pure.

Restrict first, erase second: erasing needs a confirmation (by the person's own statement or by people), releasing
needs people who cleared the case, and nothing leads from one to the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from privacy_ops.errors import UserError


class State(StrEnum):
    """Where a case stands."""

    OPEN = "OPEN"
    RESTRICTED = "RESTRICTED"
    IN_REVIEW = "IN_REVIEW"
    DECIDED = "DECIDED"  # people confirmed it
    HOLD_CHECK = "HOLD_CHECK"
    INTENT_LOGGED = "INTENT_LOGGED"
    ERASING = "ERASING"
    PRIMARY_ERASED = "PRIMARY_ERASED"
    PROPAGATING = "PROPAGATING"
    VERIFYING = "VERIFYING"
    PARTIAL_RETAINED = "PARTIAL_RETAINED"  # the law keeps a minimum
    ON_HOLD = "ON_HOLD"
    ERRORED = "ERRORED"  # tried again
    REOPENED = "REOPENED"  # something came back
    CLOSED = "CLOSED"
    CLEARED = "CLEARED"  # people found an adult: released


S = State
_ERASE = {S.HOLD_CHECK, S.INTENT_LOGGED, S.ERASING, S.PRIMARY_ERASED, S.ON_HOLD, S.ERRORED}
_DECIDE = {S.DECIDED, S.CLEARED}

# From each state, where a case may go. Steps of one transaction may be left out: a confirmed case that is erased at
# once goes from RESTRICTED to PRIMARY_ERASED.
NEXT: dict[State, frozenset[State]] = {
    S.OPEN: frozenset({S.RESTRICTED, S.IN_REVIEW} | _DECIDE | _ERASE),
    S.RESTRICTED: frozenset({S.IN_REVIEW} | _DECIDE | _ERASE),
    S.IN_REVIEW: frozenset({S.RESTRICTED} | _DECIDE),
    S.DECIDED: frozenset(_ERASE),
    S.HOLD_CHECK: frozenset(_ERASE - {S.HOLD_CHECK}),
    S.ON_HOLD: frozenset({S.RESTRICTED, S.IN_REVIEW} | _DECIDE | (_ERASE - {S.ON_HOLD})),
    S.INTENT_LOGGED: frozenset({S.ERASING, S.PRIMARY_ERASED, S.ERRORED, S.ON_HOLD}),
    S.ERASING: frozenset({S.PRIMARY_ERASED, S.ERRORED}),
    S.PRIMARY_ERASED: frozenset({S.PROPAGATING, S.VERIFYING, S.PARTIAL_RETAINED, S.ERRORED, S.REOPENED, S.CLOSED}),
    S.PROPAGATING: frozenset({S.VERIFYING, S.PARTIAL_RETAINED, S.ERRORED, S.REOPENED, S.CLOSED}),
    S.VERIFYING: frozenset({S.PARTIAL_RETAINED, S.ERRORED, S.REOPENED, S.CLOSED}),
    S.PARTIAL_RETAINED: frozenset({S.VERIFYING, S.REOPENED, S.CLOSED}),
    S.ERRORED: frozenset(_ERASE - {S.ERRORED} | {S.VERIFYING, S.PROPAGATING}),
    S.REOPENED: frozenset(_ERASE | {S.VERIFYING, S.CLOSED}),
    S.CLOSED: frozenset({S.REOPENED}),
    S.CLEARED: frozenset(),
}
ERASING = frozenset({S.INTENT_LOGGED, S.ERASING, S.PRIMARY_ERASED, S.PROPAGATING})
BEFORE_DECISION = frozenset(state for state, following in NEXT.items() if S.CLEARED in following)


@dataclass(frozen=True)
class Standing:
    """State of a case with what its changes depend on.

    confirmed: by the person's own statement with nothing against it. decision: of people, if any. restricted:
    whether the person is locked.
    """

    state: State = S.OPEN
    confirmed: bool = False
    decision: str | None = None
    restricted: bool = False


def move(case: Standing, to: State) -> Standing:
    """The case in its new state. Raises UserError when the table or the case's own facts do not allow it."""
    if to not in NEXT[case.state]:
        raise UserError(f"a case cannot go from {case.state} to {to}", do="read the case; it has moved on meanwhile")
    if to is S.DECIDED and case.decision != "CONFIRMED":
        raise UserError("only people who confirmed it make a case DECIDED", do="raise the question again")
    if to is S.CLEARED and case.decision != "CLEARED":
        raise UserError("only people who cleared it release a case", do="raise the question again")
    if to in ERASING and not (case.confirmed or case.decision == "CONFIRMED"):
        raise UserError("nobody is erased who is not confirmed", do="let people decide first")
    restricted = (case.restricted or to is S.RESTRICTED) and to is not S.CLEARED
    return replace(case, state=to, restricted=restricted)
