"""Enrolments, progress, attempts, certificates, course feedback of one chunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.publisher import words
from sandbox.publisher.catalogue import CANARY_COURSE, COURSES, ONE_HOSPITAL, ONE_HOSPITAL_COURSE, Catalogue
from sandbox.publisher.objects import Put
from sandbox.publisher.population import DAY, Ints, People
from sandbox.publisher.rows import NULL, Stamps, constant, pick, stamps, where

ENROLMENTS = 2.0  # per person, on average
RECENT_SHARE = 0.75  # of the enrolments, in the last RECENT_DAYS
RECENT_DAYS = 400
CERTIFICATE_OBJECT_SHARE = 0.05


@dataclass(frozen=True)
class Progress:
    """Who worked on which module, from when to when (NaT: not completed)."""

    person: Ints
    course: Ints
    module: Ints
    started: Stamps
    completed: Stamps


def write_learning(people: People, catalogue: Catalogue) -> Progress:
    """Rows of ``learn`` for the chunk; returns the progress that web activity is built on."""
    rng, rows, end = people.rng, people.rows, people.end
    who, course = _enrolments(people, catalogue)
    n = len(who)
    earliest = people.created[who] + np.timedelta64(3600, "s")
    recent = rng.random(n) < RECENT_SHARE
    enrolled = people.between(np.where(recent, people.ago(RECENT_DAYS), earliest), end, n)
    # Who is new enrols soon after registering: so the weeks before the anchor are not busier than others.
    soon = earliest + (rng.exponential(20, n) * DAY).astype("timedelta64[s]")
    enrolled = np.where(enrolled < earliest, soon, enrolled)
    happened = enrolled < end
    who, course, enrolled = who[happened], course[happened], enrolled[happened]
    n = len(who)
    number = np.array(people.ids.take("learn.enrolment", n))

    offered = catalogue.modules[course]
    taken = 1 + rng.binomial(offered - 1, 0.55)
    e = np.repeat(np.arange(n), taken)  # enrolment of each progress row
    step = np.arange(len(e)) - np.repeat(np.cumsum(taken) - taken, taken)
    pace = rng.uniform(1, 9, n)[e]
    started = enrolled[e] + ((step * pace + rng.exponential(1.0, len(e))) * DAY).astype("timedelta64[s]")
    keep = started < end
    e, step, started = e[keep], step[keep], started[keep]
    module = catalogue.first_module[course[e]] + step
    completed = started + ((rng.exponential(4.0, len(e)) * DAY).astype("timedelta64[s]") + np.timedelta64(1200, "s"))
    completed[(rng.random(len(e)) > 0.72) | (completed >= end)] = np.datetime64("NaT", "s")
    done = ~np.isnat(completed)
    finished = np.bincount(e, weights=done, minlength=n) == offered

    rows.columns(
        "learn.enrolment",
        id=[str(i) for i in number.tolist()],
        user_id=people.at(people.user_id, who),
        course_id=[str(c) for c in course.tolist()],
        enrolled_at=stamps(enrolled),
        status=pick(("active", "completed", "withdrawn"), np.where(finished, 1, np.where(rng.random(n) < 0.06, 2, 0))),
        route=pick(("self", "employer", "conference"), rng.choice(3, n, p=(0.8, 0.15, 0.05))),
    )
    rows.columns(
        "learn.module_progress",
        enrolment_id=[str(i) for i in number[e].tolist()],
        module_id=[str(m) for m in module.tolist()],
        started_at=stamps(started),
        completed_at=stamps(completed),
        seconds_active=[str(s) for s in (120 + rng.gamma(2.0, 600, len(e))).astype(int).tolist()],
        last_position=[str(p) for p in rng.integers(1, 40, len(e)).tolist()],
    )
    tried = np.flatnonzero(done & (rng.random(len(e)) < 0.6))
    score = np.clip(rng.normal(78, 12, len(tried)), 5, 100).round(1)
    rows.columns(
        "learn.assessment_attempt",
        id=[str(i) for i in people.ids.take("learn.assessment_attempt", len(tried))],
        enrolment_id=[str(i) for i in number[e[tried]].tolist()],
        module_id=[str(m) for m in module[tried].tolist()],
        score=[str(s) for s in score.tolist()],
        passed=pick(("f", "t"), (score >= 60).astype(np.int64)),
        answers=constant('{"q1": "b", "q2": "d"}', len(tried)),
        at=stamps(completed[tried]),
    )
    last = np.full(n, np.datetime64("NaT", "s"), dtype="datetime64[s]")
    last[e] = completed  # the last module's, as rows are in order
    certified = np.flatnonzero(finished & (rng.random(n) < 0.7))
    _certificates(people, who[certified], course[certified], last[certified])
    _feedback(people, who, course, enrolled)
    return Progress(who[e], course[e], module, started, completed)


def _enrolments(people: People, catalogue: Catalogue) -> tuple[Ints, Ints]:
    rng = people.rng
    who = np.repeat(np.arange(people.size), np.minimum(rng.poisson(ENROLMENTS, people.size), 6))
    course = rng.choice(COURSES + 1, len(who), p=catalogue.course_shares)
    colleague = people.institution[who] == ONE_HOSPITAL
    course[colleague & (rng.random(len(who)) < 0.5)] = ONE_HOSPITAL_COURSE
    course[~colleague & (course == ONE_HOSPITAL_COURSE)] = ONE_HOSPITAL_COURSE + 1
    course[(who < people.planted) & (course == CANARY_COURSE)] = CANARY_COURSE - 1
    once = np.unique(who * 1000 + course)
    return once // 1000, once % 1000


def _certificates(people: People, who: Ints, course: Ints, issued: Stamps) -> None:
    n = len(who)
    serials = [f"IMP-{i:09d}" for i in people.ids.take("learn.certificate", n)]
    stored = people.rng.random(n) < CERTIFICATE_OBJECT_SHARE * people.objects_share
    stored[who < people.planted] = True
    keys = where(stored, [f"certificates/{s}.pdf" for s in serials])
    names = [f"{people.profile['given_name'][i]} {people.profile['family_name'][i]}" for i in who.tolist()]
    people.rows.columns(
        "learn.certificate",
        serial=serials,
        user_id=people.at(people.user_id, who),
        course_id=[str(c) for c in course.tolist()],
        issued_at=stamps(issued),
        printed_name=names,
        pdf_key=keys,
        public_verify_slug=[f"v-{s.lower()}" for s in serials],
    )
    for key, position, name in zip(keys, who.tolist(), names, strict=True):
        if key != NULL:
            body = f"PDF (made up) certificate for {name}, account {people.user_id[position]}"
            people.objects.append(Put("imp-certificates", key, body, versions=2 if position % 3 == 0 else 1))


def _feedback(people: People, who: Ints, course: Ints, enrolled: Stamps) -> None:
    some = np.flatnonzero(people.rng.random(len(who)) < 0.03)
    people.rows.columns(
        "learn.course_feedback",
        id=[str(i) for i in people.ids.take("learn.course_feedback", len(some))],
        user_id=people.at(people.user_id, who[some]),
        course_id=[str(c) for c in course[some].tolist()],
        rating=[str(r) for r in people.rng.integers(2, 6, len(some)).tolist()],
        text=pick(words.COMMENTS, people.rng.integers(0, len(words.COMMENTS), len(some))),
        at=stamps(people.between(enrolled[some], people.end, len(some))),
    )
