"""What people's answers about one case come to. Pure.

A suspicion is confirmed by two different people. Where the person's own statement already confirmed it and only
something else speaks against it, one reviewer is enough. Clearing a case in which a date of birth was stated (SIG-01)
takes two as well: releasing a child is harm too. Whoever disagrees leaves it to the privacy lead.

Where somebody has died the privacy lead decides: the law on personal data is about the living (GDPR recital 27), and
the person stays out of use until then.

Two classes are not about a person under 18. A file in which a child was found is deleted when people confirm it, and
given free when it identifies nobody. Of an adult whose data came when it was a child the privacy lead decides: to
confirm is to erase, to clear is to keep the account.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from privacy_ops.minors.classify import CaseClass
from privacy_ops.minors.readings import Flag

Answer = Literal["CONFIRM", "CLEAR", "KEEP"]
Outcome = Literal["CONFIRMED", "CLEARED"]

OUTCOME: dict[str, Outcome] = {"CONFIRM": "CONFIRMED", "CLEAR": "CLEARED"}
# What a person may give as the reason: codes only, nobody writes about anybody.
REASONS = (
    "EVIDENCE_READ",
    "OWN_STATEMENT",
    "VERIFIED_REPORT",
    "ANSWERED_QUESTION",
    "PROFESSIONAL_RECORD",
    "TYPING_ERROR",
    "ABOUT_SOMEBODY_ELSE",
    "FAULTY_SOURCE",
    "NOT_CLEAR_YET",
    "IDENTIFIES_NOBODY",
    "ERASURE_REQUESTED",
    "NO_VALID_BASIS",
    "PERSON_HAS_DIED",
    "NOBODY_HAS_DIED",
)
# Working days until people should have decided; those that are not named wait for the calendar, not for people.
DUE_DAYS: dict[str, int] = {
    "CONFIRMED_PENDING_COUNTER": 0,
    "SOURCE_SUSPECT": 0,
    "SUSPECTED_MINOR": 1,
    "THIRD_PARTY_MINOR": 1,
    "INDETERMINATE": 10,
    "ADULT_NOW_COLLECTED_AS_MINOR": 20,  # 30 days
}
REVIEWED = frozenset(DUE_DAYS)
IN_TIME, LATE, LEAD, LEAD_AGAIN, LEAD_DECIDES = range(5)


@dataclass(frozen=True)
class Vote:
    """One person's answer; ``person`` is the id in Airflow, never the name."""

    person: str
    answer: Answer


def people_needed(answer: str, case_class: str, signals: Collection[str]) -> int:
    """How many different people must give this answer."""
    if answer == "CONFIRM":
        return 1 if case_class == CaseClass.CONFIRMED_PENDING_COUNTER else 2
    releases = case_class != CaseClass.ADULT_NOW_COLLECTED_AS_MINOR  # nobody was locked
    return 2 if releases and "SIG-01" in signals else 1


def for_lead(case_class: str, flags: Collection[str] = ()) -> bool:
    """Whether the privacy lead is asked from the start."""
    return case_class == CaseClass.SOURCE_SUSPECT or _with_lead(case_class, flags)


def _with_lead(case_class: str, flags: Collection[str]) -> bool:
    """Whether nothing is decided without a privacy lead."""
    return case_class == CaseClass.ADULT_NOW_COLLECTED_AS_MINOR or Flag.DIED in flags


def standing(votes: Sequence[Vote]) -> dict[str, Answer]:
    """The last answer of each person, in order of time; whoever only keeps has not voted."""
    last: dict[str, Answer] = {}
    for vote in votes:
        last.pop(vote.person, None)
        if vote.answer != "KEEP":
            last[vote.person] = vote.answer
    return last


def contested(votes: Sequence[Vote]) -> bool:
    """Whether people disagree."""
    return len(set(standing(votes).values())) > 1


def outcome(
    votes: Sequence[Vote],
    case_class: str,
    signals: Collection[str],
    leads: Collection[str] = (),
    flags: Collection[str] = (),
) -> Outcome | None:
    """What is decided, or None while somebody is still to be asked.

    Once people disagree, only the side on which a privacy lead stands can win, and no lead may stand on the other.
    Where nobody is under age, or the person has died, a lead, if one is named, is always among those who decide.
    """
    held = standing(votes)
    disputed = contested(votes)
    for answer, result in OUTCOME.items():
        side = {person for person, given in held.items() if given == answer}
        others = set(held) - side
        if not side or len(side) < people_needed(answer, case_class, signals):
            continue
        if _with_lead(case_class, flags) and leads and not side & set(leads):
            continue
        if not disputed or (side & set(leads) and not others & set(leads)):
            return result
    return None


def escalation(case_class: str, waited: int, *, lead_days: tuple[int, int], lead_decides_days: int) -> int:
    """How far an undecided case has risen after ``waited`` working days. It rises; it never decides by itself."""
    if case_class == CaseClass.ADULT_NOW_COLLECTED_AS_MINOR:  # the lead's from the start; nobody waits locked out
        return LEAD_DECIDES if waited > DUE_DAYS[case_class] else IN_TIME
    if waited >= lead_decides_days:
        return LEAD_DECIDES
    if case_class == "INDETERMINATE":
        return IN_TIME
    if waited >= lead_days[1]:
        return LEAD_AGAIN
    if waited >= lead_days[0] or case_class == "SOURCE_SUSPECT":
        return LEAD
    return LATE if waited > DUE_DAYS.get(case_class, 0) else IN_TIME
