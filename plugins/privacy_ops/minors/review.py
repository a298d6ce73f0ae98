"""Cases that people decide: which are asked about, what is asked, and what an answer does.

Nothing here says who a case is about: a question holds codes, counts and working days, and a link to the page that
shows the evidence and writes down who looked. Nobody answering decides nothing: the person stays restricted, the
case rises to the privacy lead, and neither time nor an error ever releases or erases anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from privacy_ops import runs, working_days
from privacy_ops.errors import PrivacyOpsError, UserError
from privacy_ops.minors import decisions
from privacy_ops.minors.decisions import Answer, Vote
from privacy_ops.minors.readings import Flag
from privacy_ops.minors.restriction import Restriction
from privacy_ops.minors.states import NEXT, Standing, State, move
from privacy_ops.runs import Run
from privacy_ops.settings import Settings
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

OPTIONS: dict[str, Answer] = {"Confirm minor": "CONFIRM", "Clear": "CLEAR", "Keep restricted": "KEEP"}
KEEP = "Keep restricted"
LEAST_WAIT = timedelta(minutes=15)  # a question that would time out sooner is left to the next run
_TITLES = {
    "THIRD_PARTY_MINOR": "Does this file identify somebody under 18?",
    "ADULT_NOW_COLLECTED_AS_MINOR": "An adult now, a child when the data came: may we keep it?",
}
_MEANINGS = {
    "THIRD_PARTY_MINOR": (
        "*Confirm minor*: it does, and is deleted in every version; the editors tell its author and ask for a"
        " de-identified one. *Clear*: it identifies nobody, and is given free."
    ),
    "ADULT_NOW_COLLECTED_AS_MINOR": (
        "*Confirm minor*: everything of the account is erased, as the person asked or because there was no valid basis."
        " *Clear*: the account stays, after a fresh notice to the person."
    ),
}
_DIED = (
    "- **The person is recorded as having died**: a privacy lead decides. *Confirm minor*: the data go as anybody's do."
    " *Keep restricted*: they stay out of use. *Clear*: they are given free"
)
_LEVELS = ("in time", "late", "with the privacy lead", "with the privacy lead, again", "the privacy lead decides")


class SamePersonAgain(PrivacyOpsError):
    """The second of two people must be another one; the task asks again."""


@dataclass(frozen=True)
class Question:
    """What one person is asked. ``people``: ids that may answer; empty means whoever Airflow lets answer."""

    case_id: str
    evidence_hash: str
    title: str
    body: str
    people: tuple[str, ...]
    waits: timedelta


def choose(workspace: Workspace, run: Run, *, now: datetime, most: int | None = None) -> dict[str, Any]:
    """Let waiting cases rise, then choose those about which this run asks, the most urgent first.

    Returns ``cases`` (ids of cases) and counts; what is over the limit is counted before it is cut.
    """
    limits = workspace.thresholds
    classes = sorted(decisions.REVIEWED)
    with workspace.database("review").transaction() as connection:
        waiting = _rise(connection, workspace, classes, now)
        chosen = connection.execute(
            statement("review", "claim_questions"),
            {
                "classes": classes,
                "now": now,
                "until": deadline(workspace, run),
                "most": min(most or limits.review.questions_per_run, limits.review.questions_per_run),
            },
        ).scalars()
        cases = sorted(str(case_id) for case_id in chosen)
        counts = waiting | {"asked": len(cases), "not_asked": waiting["waiting"] - len(cases)}
        runs.add_facts(connection, run.run_id, {"review": counts})
    return {"cases": cases} | counts


def deadline(workspace: Workspace, run: Run) -> datetime:
    """When the questions of a run time out: before the next working day's run asks again."""
    return run.as_of + timedelta(hours=workspace.thresholds.review.answer_hours)


def _rise(connection: Connection, workspace: Workspace, classes: list[str], now: datetime) -> dict[str, Any]:
    levels = [0] * len(_LEVELS)
    changed = []
    for case in connection.execute(statement("review", "select_waiting_cases"), {"classes": classes}):
        case_class = case._mapping["class"]
        due, level = _urgency(workspace, case_class, case.waits_since, now)
        level = max(level, case.escalation)
        levels[level] += 1
        if (due, level) != (case.review_due, case.escalation):
            changed.append({"case_id": case.case_id, "due": due, "escalation": level})
    if changed:
        connection.execute(statement("review", "update_waiting_case"), changed)
    return {
        "waiting": sum(levels),
        "late": sum(levels[decisions.LATE :]),
        "with_lead": sum(levels[decisions.LEAD :]),
        "lead_decides": levels[decisions.LEAD_DECIDES],
    }


def _urgency(workspace: Workspace, case_class: str, since: datetime, now: datetime) -> tuple[Any, int]:
    """The working day by which people should have decided, and how far the case has risen."""

    limits = workspace.thresholds
    first_day = since.astimezone(ZoneInfo(limits.legal_timezone)).date()
    due = working_days.after(first_day, decisions.DUE_DAYS.get(case_class, 0))
    level = decisions.escalation(
        case_class,
        working_days.waited(since, now, limits.legal_timezone),
        lead_days=limits.review.lead_days,
        lead_decides_days=limits.review.lead_decides_days,
    )
    return due, level


def question(
    workspace: Workspace, run: Run, case_id: str, *, person: int, now: datetime, base: str = ""
) -> Question | None:
    """What the ``person``-th answer of this run about a case is asked for; None when nobody needs to be asked.

    The second is asked only when somebody has answered and another person is still needed. An answer that this run
    recorded already is not asked for again: Airflow may try a task once more whose answer was written down.
    ``base``: path below which Airflow is served.
    """
    waits = deadline(workspace, run) - now
    if waits < LEAST_WAIT:
        return None
    with workspace.database("review").transaction(read_only=True) as connection:
        case = connection.execute(statement("review", "select_case"), {"case_id": UUID(case_id)}).one_or_none()
        if case is None or not _undecided(case):
            return None
        answers = _answers(connection, case)
    if sum(answer.run_id == run.run_id for answer in answers) >= person:
        return None
    votes = _votes(answers)
    held = decisions.standing(votes)
    if person > 1 and (not held or decisions.contested(votes)):
        return None
    return Question(
        case_id,
        case.evidence_hash or "",
        _title(case),
        _body(workspace, case, len(held), decisions.contested(votes), now, base),
        _people(
            workspace.settings,
            case.escalation >= decisions.LEAD or decisions.for_lead(case._mapping["class"], case.flags),
            decisions.contested(votes),
            tuple(held),
        ),
        waits,
    )


def _undecided(case: Any) -> bool:
    return case.decision is None and State.CLEARED in NEXT[State(case.state)] and case.evidence_hash is not None


def give_back(workspace: Workspace, run: Run, case_id: str) -> None:
    """The question cannot be put in this run: the next one may ask, and need not wait until this one's time is out."""
    with workspace.database("review").transaction() as connection:
        connection.execute(statement("review", "free_question"), _question_of(workspace, run, case_id))


def _question_of(workspace: Workspace, run: Run, case_id: str) -> dict[str, Any]:
    return {"case_id": UUID(case_id), "until": deadline(workspace, run)}


def _answers(connection: Connection, case: Any) -> Sequence[Any]:
    return connection.execute(
        statement("review", "select_votes"), {"case_id": case.case_id, "evidence_hash": case.evidence_hash or ""}
    ).all()


def _votes(answers: Sequence[Any]) -> list[Vote]:
    return [Vote(answer.person_id, answer.decision) for answer in answers]


def _people(settings: Settings, for_lead: bool, disputed: bool, answered: tuple[str, ...]) -> tuple[str, ...]:
    """Who may answer: reviewers who have not; a privacy lead, if one is left, once it is the lead's or is disputed."""
    reviewers = tuple(dict.fromkeys((*settings.reviewers, *settings.privacy_leads))) if settings.reviewers else ()
    left = tuple(p for p in reviewers if p not in answered)
    leads = tuple(p for p in settings.privacy_leads if p not in answered)
    if settings.reviewers and not left:
        return reviewers  # all have answered and disagree: any of them may change the answer
    return leads if leads and (for_lead or disputed) else left


def _title(case: Any) -> str:
    asked = _TITLES.get(case._mapping["class"], "Is this a person under 18?")
    return f"{asked} Case {str(case.case_id)[:8]}"


def _body(workspace: Workspace, case: Any, answered: int, disputed: bool, now: datetime, base: str) -> str:
    zone = workspace.thresholds.legal_timezone
    case_class = case._mapping["class"]
    signals = ", ".join(f"{code} x {n}" for code, n in sorted(case.signals.items())) or "none left"
    confirm = decisions.people_needed("CONFIRM", case_class, case.signals)
    clear = decisions.people_needed("CLEAR", case_class, case.signals)
    lines = [
        f"- Class: **{case_class}**, about {'an account' if case.subject_kind == 'person' else 'a single row'}",
        f"- Evidence: {signals}",
        f"- Flags: {', '.join(sorted(case.flags)) or 'none'}",
        f"- Waits since {working_days.waited(case.waits_since, now, zone)} working day(s), due"
        f" {case.review_due or 'now'}: {_LEVELS[case.escalation]}",
        f"- People needed: {confirm} to confirm, {clear} to clear; {answered} have answered",
    ]
    if case.objected_at is not None:
        lines.append("- The person says that the date is wrong")
    if Flag.DIED in case.flags:
        lines.append(_DIED)
    if disputed:
        lines.append("- People disagree: the side of a privacy lead decides")
    if meaning := _MEANINGS.get(case_class):
        lines.append(f"- {meaning}")
    if case.subject_kind == "row":
        shown = "The row is in quarantine until you decide" if case.restricted_at else "The row is flagged"
    else:
        shown = f"The person is {'shut out until you decide' if case.restricted_at else 'flagged, not shut out'}"
    return (
        "\n".join(lines) + f"\n\n{shown}."
        f" Read the evidence on [the page of this case]({base}/privacy/cases/{case.case_id});"
        " who looks is written down. Do not write about the person anywhere. No answer keeps everything as it is."
    )


def decide(
    workspace: Workspace,
    run: Run,
    case_id: str,
    *,
    evidence_hash: str,
    answer: Answer,
    reason: str,
    person_id: str,
    person_name: str,
    now: datetime,
) -> dict[str, Any]:
    """Record one person's answer about exactly the evidence that was shown, and act when enough have given it.

    Returns ``recorded``, ``outcome`` and ``released`` (0 or 1). An answer about evidence that changed meanwhile, or
    about a case that is decided, is not recorded. Raises SamePersonAgain when one person gives both answers,
    UserError when the person is no reviewer or the reason is no code.
    """
    settings = workspace.settings
    if settings.reviewers and person_id not in {*settings.reviewers, *settings.privacy_leads}:
        raise UserError("only reviewers decide about cases", where="PRIVACY_OPS_REVIEWERS", do="let a reviewer answer")
    if reason not in decisions.REASONS:
        raise UserError("the reason is not one of the codes", do="use one of " + ", ".join(decisions.REASONS))
    this: dict[str, Any] = {"case_id": UUID(case_id)}
    with workspace.database("review").transaction() as connection:
        connection.execute(statement("review", "lock_case"), this)
        case = connection.execute(statement("review", "select_case"), this).one()
        if not _undecided(case) or case.evidence_hash != evidence_hash:
            return {"recorded": False, "outcome": None, "released": 0, "why": "the case or its evidence changed"}
        votes = _votes(_answers(connection, case))
        if answer != "KEEP" and decisions.standing(votes).get(person_id) == answer:
            raise SamePersonAgain("the same person answered twice; another one must. The task asks again.")
        connection.execute(
            statement("review", "insert_decision"),
            this
            | {
                "evidence_hash": evidence_hash,
                "decision": answer,
                "reason": reason,
                "person_id": person_id,
                "person_name": person_name,
                "run_id": run.run_id,
                "at": now,
            },
        )
        votes.append(Vote(person_id, answer))
        result = decisions.outcome(votes, case._mapping["class"], case.signals, settings.privacy_leads, case.flags)
        released = 0
        if result is not None:
            released = _act(connection, workspace, case, result, reason, now)
        elif answer == "KEEP" or decisions.contested(votes):  # nobody else is asked in this run
            connection.execute(statement("review", "free_question"), _question_of(workspace, run, case_id))
    return {"recorded": True, "outcome": result, "released": released}


def _act(
    connection: Connection, workspace: Workspace, case: Any, result: decisions.Outcome, reason: str, now: datetime
) -> int:
    """Carry out what was decided, in the transaction that records the deciding answer. Returns who was released."""
    to = State.DECIDED if result == "CONFIRMED" else State.CLEARED
    move(Standing(State(case.state), decision=result, restricted=case.restricted_at is not None), to)
    states = sorted(str(state) for state, following in NEXT.items() if to in following)
    this = {"case_id": case.case_id}
    bound = this | {"at": now, "reason": reason, "states": states}
    restriction = Restriction(workspace.data_map, connection)
    if result == "CONFIRMED":
        restriction.lock(case.case_id, at=now)
        connection.execute(statement("review", "update_decided"), bound)
        return 0
    released = restriction.release(case.case_id)
    connection.execute(statement("review", "update_cleared"), bound)
    connection.execute(statement("review", "delete_signals_of_case"), this)
    return released


def close(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Count what people decided in this run, and close it."""
    with workspace.database("review").transaction() as connection:
        row = connection.execute(statement("review", "count_decided"), {"run_id": run.run_id}).one()
        counts = {name: int(value) for name, value in row._mapping.items()}
        runs.close_run(connection, run.run_id, now=now, state="done", facts={"decided": counts})
    return counts
