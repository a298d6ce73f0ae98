"""Conference attendance and submitted work of one chunk."""

from __future__ import annotations

import hashlib

import numpy as np

from sandbox.publisher import words
from sandbox.publisher.catalogue import CONFERENCES, EXHIBITORS
from sandbox.publisher.objects import Put
from sandbox.publisher.population import People
from sandbox.publisher.rows import constant, pick, stamps, where


def write_conference(people: People) -> None:
    """Rows of ``events`` and ``submissions``. Planted people attend only if their plant says so."""
    _attendance(people)
    _submissions(people)


def _attendance(people: People) -> None:
    rng, rows = people.rng, people.rows
    some = people.some(0.06)
    some = some[some >= people.planted]
    n = len(some)
    profile = people.profile
    numbers = list(people.ids.take("events.attendee", n))
    badges = [f"B{i:08d}" for i in numbers]
    registered = people.between(np.maximum(people.created[some], people.ago(700)), people.end, n)
    kind = rng.choice(3, n, p=(0.85, 0.07, 0.08))
    rows.columns(
        "events.attendee",
        id=[str(i) for i in numbers],
        conference_id=[str(c) for c in rng.integers(1, CONFERENCES + 1, n).tolist()],
        user_id=people.at(people.user_id, some),
        name=[f"{profile['given_name'][i]} {profile['family_name'][i]}" for i in some.tolist()],
        email=people.at(people.account["email_norm"], some),
        phone=people.at(profile["telephone"], some),
        institution=people.at(profile["institution"], some),
        badge_code=badges,
        attendee_type=pick(("delegate", "speaker", "accompanying_person"), kind),
        dietary=where(rng.random(n) < 0.2, pick(("vegetarian", "halal", "no nuts"), rng.integers(0, 3, n))),
        access_needs=where(rng.random(n) < 0.03, constant("step-free access", n)),
        registered_at=stamps(registered),
    )
    scanned = np.flatnonzero(rng.random(n) < 0.3)
    rows.columns(
        "events.badge_scan",
        id=[str(i) for i in people.ids.take("events.badge_scan", len(scanned))],
        badge_code=[badges[i] for i in scanned.tolist()],
        exhibitor_id=[str(e) for e in rng.integers(1, EXHIBITORS + 1, len(scanned)).tolist()],
        scanned_at=stamps(people.between(registered[scanned], people.end, len(scanned))),
    )


def _submissions(people: People) -> None:
    rng = people.rng
    some = people.some(0.008)
    for position in some[some >= people.planted].tolist():
        kind = ("dataset", "figure", "manuscript")[int(rng.integers(0, 3))]
        stored = rng.random() < 0.3 * people.objects_share
        write_submission(people, position, kind=kind, body="id,arm,outcome\n1,a,better\n", stored=bool(stored))


def write_submission(
    people: People,
    position: int,
    *,
    kind: str,
    body: str,
    stored: bool = True,
    status: str = "submitted",
    findings: str | None = None,
    own_author: bool = True,
) -> int:
    """One submission by the person at ``position`` with its authors and a file; returns its number."""
    rows, ids, rng = people.rows, people.ids, people.rng
    number = ids.one("submissions.submission")
    created = people.created[position : position + 1]
    submitted = people.between(np.maximum(created, people.ago(1200)), people.end, 1)[0]
    rows.add(
        "submissions.submission",
        id=number,
        type=kind,
        title=f"{kind.capitalize()} {number}: {words.TOPICS[number % len(words.TOPICS)]}",
        corresponding_user_id=people.user_id[position],
        status=status,
        submitted_at=submitted,
    )
    profile = people.profile
    if own_author:
        rows.add(
            "submissions.submission_author",
            id=ids.one("submissions.submission_author"),
            submission_id=number,
            name=f"{profile['given_name'][position]} {profile['family_name'][position]}",
            email=people.account["email_norm"][position],
            affiliation=words.INSTITUTIONS[int(people.institution[position])],
        )
    rows.add(
        "submissions.submission_author",
        id=ids.one("submissions.submission_author"),
        submission_id=number,
        name=f"{words.GIVEN[int(rng.integers(0, len(words.GIVEN)))]} Co-Author",
        email=f"coauthor.{people.label}{number}@mail.example.org",
        affiliation=words.INSTITUTIONS[int(rng.integers(0, len(words.INSTITUTIONS)))],
    )
    key = f"submissions/{number}/{kind}.csv"
    rows.add(
        "submissions.submission_file",
        id=ids.one("submissions.submission_file"),
        submission_id=number,
        object_key=key,
        mime="text/csv",
        sha256=hashlib.sha256(body.encode()).hexdigest(),
        scan_status="clean" if findings is None else "findings",
        scan_findings_ref=findings,
        scanned_at=submitted,
    )
    if stored:
        people.objects.append(Put("imp-submissions", key, body, versions=2))
    return number
