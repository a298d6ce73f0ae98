"""Page views, searches and app events of one chunk."""

from __future__ import annotations

import numpy as np

from sandbox.publisher import words
from sandbox.publisher.learning import Progress
from sandbox.publisher.objects import Put
from sandbox.publisher.population import DAY, TRUNCATED, People
from sandbox.publisher.rows import constant, pick, stamps, uuids

KEPT_DAYS = 395  # page views are kept for 13 months
MODULE_SHARE, GENERAL_SHARE, VISITOR_SHARE = 0.7, 0.1, 0.2  # of the page views


def write_web(people: People, progress: Progress, events_per_person: float) -> None:
    """Rows of ``web``: about ``events_per_person`` page views for each person of the chunk."""
    total = events_per_person * people.size
    _module_views(people, progress, total * MODULE_SHARE)
    _other_views(people, int(total * GENERAL_SHARE))
    if people.size > people.planted:
        _visitor_views(people, int(total * VISITOR_SHARE))
    _searches(people)


def _module_views(people: People, progress: Progress, total: float) -> None:
    rng = people.rng
    recent = np.flatnonzero(progress.started > people.ago(KEPT_DAYS))
    if len(recent) == 0:
        return
    views = rng.poisson(total / len(recent), len(recent))
    row = np.repeat(np.arange(len(recent)), views)
    p = recent[row]
    started = progress.started[p]
    until = np.where(np.isnat(progress.completed[p]), started + np.timedelta64(21 * DAY, "s"), progress.completed[p])
    at = started + (rng.random(len(p)) ** 1.5 * (until - started).astype(np.int64)).astype("timedelta64[s]")
    happened = at < people.end
    row, p, at = row[happened], p[happened], at[happened]
    n = len(p)
    # A session belongs to one person: two per module that somebody works on.
    sessions = uuids(rng, 2 * len(recent))
    half = rng.integers(0, 2, n)
    course, module = progress.course[p].tolist(), progress.module[p].tolist()
    person = progress.person[p]
    people.rows.columns(
        "web.page_view",
        id=[str(i) for i in people.ids.take("web.page_view", n)],
        at=stamps(at),
        session_id=pick(sessions, 2 * row + half),
        user_id=people.at(people.user_id, person),
        module_id=[str(m) for m in module],
        url=[f"https://www.example.org/courses/{c}/{m}" for c, m in zip(course, module, strict=True)],
        dwell_s=[str(s) for s in (15 + rng.gamma(1.2, 180, n)).astype(int).tolist()],
        geo_country=pick(words.COUNTRY_CODES, people.country[person]),
        ip_trunc=pick(TRUNCATED, rng.integers(0, len(TRUNCATED), n)),
        ua_family=pick(words.UA_FAMILIES, rng.integers(0, 4, n)),
    )


def _other_views(people: People, n: int) -> None:
    rng = people.rng
    who = rng.integers(0, people.size, n)
    at = people.between(np.maximum(people.created[who], people.ago(KEPT_DAYS)), people.end, n)
    people.rows.columns(
        "web.page_view",
        id=[str(i) for i in people.ids.take("web.page_view", n)],
        at=stamps(at),
        session_id=uuids(rng, n),
        user_id=people.at(people.user_id, who),
        url=[f"https://www.example.org/news/{i}" for i in rng.integers(1, 900, n).tolist()],
        referrer=pick(words.REFERRERS, rng.integers(0, 3, n)),
        dwell_s=[str(s) for s in rng.integers(3, 240, n).tolist()],
        geo_country=pick(words.COUNTRY_CODES, people.country[who]),
        ip_trunc=pick(TRUNCATED, rng.integers(0, len(TRUNCATED), n)),
        ua_family=pick(words.UA_FAMILIES, rng.integers(0, 4, n)),
    )


def _visitor_views(people: People, n: int) -> None:
    """Visitors without an account: sessions of four views that lead to nobody."""
    rng = people.rng
    sessions = uuids(rng, n // 4 + 1)
    at = people.between(people.ago(KEPT_DAYS), people.end, n)
    people.rows.columns(
        "web.page_view",
        id=[str(i) for i in people.ids.take("web.page_view", n)],
        at=stamps(at),
        session_id=[sessions[i // 4] for i in range(n)],
        url=[f"https://www.example.org/news/{i}" for i in rng.integers(1, 900, n).tolist()],
        referrer=pick(words.REFERRERS, rng.integers(0, 3, n)),
        dwell_s=[str(s) for s in rng.integers(3, 240, n).tolist()],
        geo_country=pick(words.COUNTRY_CODES, rng.choice(len(words.COUNTRIES), n, p=words.COUNTRY_SHARES)),
        ip_trunc=pick(TRUNCATED, rng.integers(0, len(TRUNCATED), n)),
        ua_family=pick(words.UA_FAMILIES, rng.integers(0, 4, n)),
    )


def _searches(people: People) -> None:
    rng = people.rng
    for share, known in ((0.6, True), (0.2, False)):
        n = int(people.size * share)
        who = rng.integers(0, people.size, n)
        begin = np.maximum(people.created[who], people.ago(180)) if known else people.ago(180)
        owner = {"user_id": people.at(people.user_id, who)} if known else {}
        people.rows.columns(
            "web.search_query",
            id=[str(i) for i in people.ids.take("web.search_query", n)],
            q=pick(words.SEARCHES, rng.integers(0, len(words.SEARCHES), n)),
            at=stamps(people.between(begin, people.end, n)),
            **owner,
        )


def write_mobile(people: People) -> None:
    """Rows of ``mobile``, and the files that the app uploads."""
    rng, rows = people.rng, people.rows
    users = people.some(0.25)
    installs = uuids(rng, len(users))
    k = np.repeat(np.arange(len(users)), rng.poisson(10, len(users)))
    who, n = users[k], len(k)
    at = people.between(np.maximum(people.created[who], people.ago(KEPT_DAYS)), people.end, n)
    rows.columns(
        "mobile.usage_event_account",
        id=[str(i) for i in people.ids.take("mobile.usage_event_account", n)],
        user_id=people.at(people.user_id, who),
        install_id=pick(installs, k),
        event=pick(("open", "read", "calculate", "sync"), rng.integers(0, 4, n)),
        at=stamps(at),
        late_arrival=pick(("f", "t"), (rng.random(n) < 0.02).astype(np.int64)),
    )
    m = int(people.size * 2) if people.size > people.planted else 0
    rows.columns(
        "mobile.usage_event_anon",
        id=[str(i) for i in people.ids.take("mobile.usage_event_anon", m)],
        app=constant("drug-interactions", m),
        version=pick(("4.1", "4.2", "5.0"), rng.integers(0, 3, m)),
        os=pick(("android", "ios"), rng.integers(0, 2, m)),
        event=pick(("open", "read", "calculate"), rng.integers(0, 3, m)),
        at=stamps(people.between(people.ago(KEPT_DAYS), people.end, m)),
        rotating_session=uuids(rng, m),
        country=pick(words.COUNTRY_CODES, rng.choice(len(words.COUNTRIES), m, p=words.COUNTRY_SHARES)),
    )
    sharers = people.some(0.005)
    rows.columns(
        "mobile.emailed_report",
        id=[str(i) for i in people.ids.take("mobile.emailed_report", len(sharers))],
        user_id=people.at(people.user_id, sharers),
        to_email=[f"colleague.{people.label}{people.first + i}@mail.example.org" for i in sharers.tolist()],
        sent_at=stamps(people.between(np.maximum(people.created[sharers], people.ago(7)), people.end, len(sharers))),
    )
    share = np.where(np.arange(people.size) < people.planted, 0.15, 0.006) * people.objects_share
    for position in np.flatnonzero(rng.random(people.size) < share).tolist():
        user = people.user_id[position]
        people.objects.append(Put("imp-mobile-events", f"events/{user}/batch-1.json", f'{{"user": "{user}"}}'))
