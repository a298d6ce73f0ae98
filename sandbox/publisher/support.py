"""Comments, survey answers and help-desk tickets of one chunk."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt

from sandbox.publisher import words
from sandbox.publisher.catalogue import SURVEYS
from sandbox.publisher.objects import Put
from sandbox.publisher.population import People
from sandbox.publisher.rows import NULL, constant, pick, stamps


def write_support(people: People) -> None:
    """Rows of ``feedback`` and ``support``."""
    _comments(people)
    _surveys(people)
    _tickets(people)


def _comments(people: People) -> None:
    """A third of the comments answer an earlier one of somebody else in the chunk."""
    rng = people.rng
    who = np.sort(rng.integers(people.planted, people.size, int(0.08 * (people.size - people.planted))))
    rng.shuffle(who)
    n = len(who)
    numbers = [str(i) for i in people.ids.take("feedback.comment", n)]
    answers = rng.random(n) < 0.33
    parents = [numbers[int(rng.integers(0, i))] if a and i else NULL for i, a in enumerate(answers.tolist())]
    at = np.sort(people.between(people.ago(700), people.end, n))
    at = np.maximum(at, people.created[who])
    people.rows.columns(
        "feedback.comment",
        id=numbers,
        user_id=people.at(people.user_id, who),
        parent_id=parents,
        text=pick(words.COMMENTS, rng.integers(0, len(words.COMMENTS), n)),
        context=[f"course/{c}" for c in rng.integers(1, 61, n).tolist()],
        at=stamps(at),
    )


def _surveys(people: People) -> None:
    rng = people.rng
    some = people.some(0.06)
    some = some[some >= people.planted]
    n = len(some)
    answers = [
        json.dumps({"age": age, "text": "useful"}) if k else json.dumps({"age_band": "25-34"})
        for age, k in zip(rng.integers(24, 70, n).tolist(), (rng.random(n) < 0.5).tolist(), strict=True)
    ]
    people.rows.columns(
        "feedback.survey_response",
        id=[str(i) for i in people.ids.take("feedback.survey_response", n)],
        survey_id=[str(s) for s in rng.integers(1, SURVEYS + 1, n).tolist()],
        user_id=people.at(people.user_id, some),
        answers=answers,
        at=stamps(people.between(np.maximum(people.created[some], people.ago(700)), people.end, n)),
    )
    for position in some[rng.random(n) < 0.05 * people.objects_share].tolist():
        user = people.user_id[position]
        people.objects.append(Put("imp-survey-attachments", f"surveys/{user}/scan.txt", f"answers of {user}"))


def _tickets(people: People) -> None:
    rng, rows = people.rng, people.rows
    some = people.some(0.03)
    some = some[some >= people.planted]
    n = len(some)
    numbers = list(people.ids.take("support.ticket", n))
    opened = people.between(np.maximum(people.created[some], people.ago(700)), people.end, n)
    rows.columns(
        "support.ticket",
        id=[str(i) for i in numbers],
        requester_email=people.at(people.account["email_norm"], some),
        user_id=people.at(people.user_id, some),
        subject=pick(words.SUBJECTS, rng.integers(0, len(words.SUBJECTS), n)),
        channel=pick(("email", "web_form"), rng.integers(0, 2, n)),
        status=constant("closed", n),
        opened_at=stamps(opened),
    )
    for author, delay, phrases in (("requester", 0, words.BODIES), ("agent", 7200, words.REPLIES)):
        rows.columns(
            "support.ticket_message",
            id=[str(i) for i in people.ids.take("support.ticket_message", n)],
            ticket_id=[str(i) for i in numbers],
            author=constant(author, n),
            body=pick(phrases, rng.integers(0, len(phrases), n)),
            at=stamps(opened + np.timedelta64(delay, "s")),
        )
    attach_files(people, numbers, some, rng.random(n) < 0.08 * people.objects_share)


def attach_files(people: People, tickets: list[int], who: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_]) -> None:
    """A message with one attachment for the chosen tickets."""
    for ticket, position, yes in zip(tickets, who.tolist(), chosen.tolist(), strict=True):
        if yes:
            key = f"tickets/{ticket}/screenshot.txt"
            people.rows.add(
                "support.ticket_message",
                id=people.ids.one("support.ticket_message"),
                ticket_id=ticket,
                author="requester",
                body="See the picture.",
                attachments=[key],
                at=people.ago(1),
            )
            body = f"picture sent by {people.account['email_norm'][position]}"
            people.objects.append(Put("imp-support-attachments", key, body, versions=2))
