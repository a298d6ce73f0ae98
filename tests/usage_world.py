"""A small made-up publisher for the tests of the export: few courses whose true counts are known by heart.

Week 2026-W46. Course 1 is popular, with one small module; course 2 has one small module beside one; course 3 is
new and small; course 4 is nobody's. Who is who is said by number, mail addresses end in example.org.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import yaml
from privacy_ops import approvals, runs
from privacy_ops.datamap import grants, loader
from privacy_ops.runs import Run
from privacy_ops.settings import DUTIES, KeyRing, ObjectSettings, Settings, home_directory
from privacy_ops.signing import generate_key_pem
from privacy_ops.stores import migrations, roles
from privacy_ops.stores.database import Database
from privacy_ops.usage import institutions, recipients, release, weeks
from privacy_ops.usage.recipients import CLAUSES
from privacy_ops.workspace import Workspace
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from sandbox.publisher.schema import create_schema
from tests import block_list

WEEK = weeks.from_key("2026-W46")
NOW = datetime(2026, 11, 18, 6, tzinfo=UTC)  # the Wednesday after
KEYS = KeyRing(signing_key_pem=generate_key_pem())
PASSWORDS = {duty: f"made-up-{duty}" for duty in DUTIES}
MODULES = {1: (10, 11, 12), 2: (20, 21), 3: (30,), 4: (40, 41)}
# module: people who start and how many of them complete, by number of person
STARTS = {10: (range(40), 25), 11: (range(20, 55), 20), 12: (range(3), 1)}
STARTS |= {
    20: (range(60, 100), 28),
    21: (range(60, 67), 2),
    30: (range(12), 6),
    40: (range(50), 30),
    41: (range(50), 30),
}

AGREED = {"clauses": list(CLAUSES), "from": date(2025, 1, 1), "to": date(2027, 12, 31)}
REGISTRY = {
    "recipients": [
        {"id": "author-one", "kind": "author", "name": "Author One", "country": "GB"},
        {"id": "author-two", "kind": "author", "name": "Author Two", "country": "PT"},
        {"id": "supporter-one", "kind": "supporter", "name": "Supporter One", "country": "GB"},
        {"id": "supporter-gone", "kind": "supporter", "name": "Supporter Gone", "country": "DE"},
    ],
    "agreements": [
        {"id": "A1", "recipient": "author-one", **AGREED},
        {"id": "A2", "recipient": "author-two", **AGREED},
        {"id": "A3", "recipient": "supporter-one", **AGREED},
        {"id": "A4", "recipient": "supporter-gone", **AGREED, "to": date(2026, 11, 14)},  # a day short of the week
    ],
    "entitlements": [
        {"recipient": "author-one", "product": "EXP-AUTHOR", "agreement": "A1", "courses": ["1", "3"]},
        {"recipient": "author-two", "product": "EXP-AUTHOR", "agreement": "A2", "courses": ["2"]},
        {"recipient": "supporter-one", "product": "EXP-SUPPORTER", "agreement": "A3", "courses": ["1", "2", "3"]},
        {"recipient": "supporter-gone", "product": "EXP-SUPPORTER", "agreement": "A4", "courses": ["1"]},
    ],
}


def person(number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"person{number}.example.org")


def make_database(dsn: str) -> None:
    """Publisher schema, gov, roles and grants in an empty database."""
    create_schema(dsn, first=date(2026, 8, 31), last=date(2026, 12, 6))
    migrations.upgrade(dsn)
    roles.apply(dsn, PASSWORDS, closed_databases=())
    grants.apply(dsn, loader.load(home_directory() / "include" / "datamap" / "imp"))
    block_list.renew(dsn)


def fill(dsn: str) -> None:
    """The people, courses and events of the module's docstring, and a detection that ended this night."""
    with Database(dsn).transaction() as c:
        for course, modules in MODULES.items():
            shared = {"from": date(2020, 1, 1)}
            c.execute(
                text("INSERT INTO learn.course (id, code, title, live_from) VALUES (:i, :c, :t, :from)"),
                {"i": course, "c": f"C{course:03d}", "t": f"Course {course}", **shared},
            )
            for module in modules:
                c.execute(
                    text(
                        "INSERT INTO learn.module (id, course_id, code, title, live_from)"
                        " VALUES (:i, :course, :c, :t, :from)"
                    ),
                    {"i": module, "course": course, "c": f"M{module}", "t": f"Module {module}", **shared},
                )
        add_people(c, range(120))
        for course, modules in MODULES.items():
            taken = sorted({p for m in modules for p in STARTS[m][0]})
            c.execute(
                text(
                    "INSERT INTO learn.enrolment (user_id, course_id, enrolled_at, status)"
                    " VALUES (:u, :c, :at, 'active')"
                ),
                [{"u": person(p), "c": course, "at": WEEK.start} for p in taken],
            )
            for module in modules:
                people, completers = STARTS[module]
                for p in people:
                    learn(c, p, module, day=p % 7, minutes=20, completes=p - people.start < completers)
        views = c.execute(text("SELECT count(*) FROM web.page_view")).scalar_one()
        progress = c.execute(text("SELECT count(*) + count(completed_at) FROM learn.module_progress")).scalar_one()
        for week in range(1, 9):
            c.execute(
                text(
                    "INSERT INTO web.page_view (at, session_id, user_id, module_id, url, dwell_s)"
                    " SELECT :at, gen_random_uuid(), :u, 40, 'x', 60 FROM generate_series(1, :n)"
                ),
                {"at": WEEK.before(week).start + timedelta(hours=30), "u": person(1), "n": views + progress},
            )
        detect(c, NOW - timedelta(hours=3))


def settle(dsn: str, base: str = "week") -> None:
    """People work in six hospitals and live in two countries; every course has that base period this quarter."""
    hospitals = [s.institution for s in institutions.load(home_directory() / "include" / "registry")][:6]
    with Database(dsn).transaction() as c:
        c.execute(
            text("INSERT INTO core.user_profile (user_id, institution, updated_at) VALUES (:u, :i, :at)"),
            [{"u": person(n), "i": hospitals[n % 6], "at": WEEK.before(9).start} for n in range(120)],
        )
        c.execute(
            text("UPDATE core.user_account SET country_declared = :c WHERE user_id = :u"),
            [{"u": person(n), "c": "GB" if n % 3 else "ZA"} for n in range(120)],
        )
        c.execute(
            text("INSERT INTO gov.release_base_period VALUES (:course, '2026-Q4', :base, 's', 'test', :at)"),
            [{"course": str(course), "base": base, "at": NOW} for course in MODULES],
        )


def add_people(c: Connection, numbers: range, **columns: str) -> None:
    """Ordinary members; ``columns`` override."""
    values = {"status": "active", "account_type": "member"} | columns
    c.execute(
        text(
            "INSERT INTO core.user_account (user_id, email_raw, email_norm, username, status, account_type, created_at)"
            " VALUES (:u, :e, :e, :n, :status, :account_type, :at)"
        ),
        [
            {
                "u": person(n),
                "e": f"person{n}@mail.example.org",
                "n": f"person{n}",
                "at": WEEK.before(9).start,
                **values,
            }
            for n in numbers
        ],
    )


def learn(c: Connection, number: int, module: int, *, day: int, minutes: int, completes: bool) -> None:
    """One person starts a module on a day of the week and views it; enrolment exists."""
    at = WEEK.days()[day][1] + timedelta(hours=10)
    c.execute(
        text(
            "INSERT INTO learn.module_progress (enrolment_id, module_id, started_at, completed_at)"
            " SELECT e.id, m.id, :at, :done FROM learn.module AS m JOIN learn.enrolment AS e"
            " ON e.course_id = m.course_id AND e.user_id = :u WHERE m.id = :m"
        ),
        {"u": person(number), "m": module, "at": at, "done": at + timedelta(hours=1) if completes else None},
    )
    view_page(c, number, module, at, minutes * 60)


def load_late(dsn: str, people: range, module: int = 20) -> None:
    """Starts of a module of course 2 that came too late for the week's release."""
    with Database(dsn).transaction() as c:
        for number in people:
            c.execute(
                text(
                    "INSERT INTO learn.enrolment (user_id, course_id, enrolled_at, status)"
                    " VALUES (:u, 2, :at, 'active')"
                ),
                {"u": person(number), "at": WEEK.start},
            )
            learn(c, number, module, day=number % 7, minutes=20, completes=True)


def view_page(c: Connection, number: int, module: int, at: datetime, seconds: int) -> None:
    c.execute(
        text(
            "INSERT INTO web.page_view (at, session_id, user_id, module_id, url, dwell_s)"
            " VALUES (:at, gen_random_uuid(), :u, :m, 'https://www.example.org/', :s)"
        ),
        {"at": at, "u": person(number), "m": module, "s": seconds},
    )


def erase_person(c: Connection, number: int) -> None:
    """What an erasure leaves of somebody: nothing."""
    for statement in (
        "DELETE FROM web.page_view WHERE user_id = :u",
        "DELETE FROM learn.module_progress WHERE enrolment_id IN (SELECT id FROM learn.enrolment WHERE user_id = :u)",
        "DELETE FROM learn.enrolment WHERE user_id = :u",
        "DELETE FROM core.user_profile WHERE user_id = :u",
        "DELETE FROM core.user_account WHERE user_id = :u",
    ):
        c.execute(text(statement), {"u": person(number)})


def detect(
    c: Connection, as_of: datetime, *, dry_run: bool = False, state: str = "done", rehearsal: bool | None = False
) -> None:
    """A nightly detection that ended. ``rehearsal``: what it wrote of itself; None: it wrote nothing."""
    key = f"minor_data_deletion/{as_of:%Y%m%dT%H%M}{dry_run}{state}"
    runs.open_run(
        c, run_id=key, dag_id="minor_data_deletion", now=as_of, run_type="scheduled", dry_run=dry_run,
        thresholds_sha256="t", map_sha256="m",
    )  # fmt: skip
    facts = {} if rehearsal is None else {"detection": {"rehearsal": rehearsal or dry_run}}
    runs.close_run(c, key, now=as_of + timedelta(minutes=9), state=state, facts=facts)


def entitle(dsn: str, folder: Path, registry: dict | None = None) -> None:
    """Load a registry the way the owner of gov does."""
    path = folder / "recipients.yaml"
    path.write_text(yaml.safe_dump(registry or REGISTRY, sort_keys=False), encoding="utf-8")
    with Database(as_role(dsn, "migrate"), duty="migrate").transaction() as c:
        recipients.load_registry(c, path)


def as_role(dsn: str, duty: str) -> str:
    url = make_url(dsn).set(username=roles.role_name(duty), password=PASSWORDS[duty])
    return url.render_as_string(hide_password=False)


def workspace(dsn: str, objects: ObjectSettings) -> Workspace:
    """What a job starts from, with nothing but the export's own role."""
    return Workspace.load(Settings(home_directory(), {"export": as_role(dsn, "export")}, objects, KEYS))


def open_run(ws: Workspace, name: str = "one", *, week: str = WEEK.key, now: datetime = NOW) -> Run:
    with ws.database("export").transaction() as c:
        run = runs.open_run(
            c, run_id=f"course_usage_export/{name}", dag_id="course_usage_export", now=now, run_type="manual",
            dry_run=False, thresholds_sha256=ws.thresholds.sha256(), map_sha256=ws.map_sha256,
        )  # fmt: skip
    release.open_week(ws, run, weeks.from_key(week))
    return run


def prepare(ws: Workspace, name: str = "one", *, week: str = WEEK.key, now: datetime = NOW) -> Run:
    """Everything up to the files gate."""
    run = open_run(ws, name, week=week, now=now)
    release.judge_input(ws, run, now=now)
    release.protect(ws, run, now=now)
    release.stage(ws, run)
    release.judge_files(ws, run, now=now)
    return run


def approve(ws: Workspace, run: Run, *, decision: str = "approve", now: datetime = NOW) -> bool:
    """A person answers, if one is asked."""
    request = release.release_request(ws, run)
    if request is None:
        return False
    with ws.database("export").transaction() as c:
        approvals.record(c, run.run_id, request, approver="reviewer", decision=decision, at=now)
    return True


def export(ws: Workspace, name: str = "one", *, week: str = WEEK.key, now: datetime = NOW) -> dict:
    """A whole run; returns what publishing said."""
    run = prepare(ws, name, week=week, now=now)
    approve(ws, run, now=now)
    outcome = release.publish(ws, run, now=now)
    release.judge_published(ws, run, now=now)
    return outcome


def exported(ws: Workspace) -> dict[str, bytes]:
    """Everything in the bucket of exports."""
    store, bucket = ws.objects(), ws.settings.exports_bucket
    return {key: store.get(bucket, key) for key in store.keys(bucket)}


# The steps of a run as its DAG has them, with the person who answers.
STEPS: dict[str, Callable[[Workspace, Run, datetime], object]] = {
    "judge_input": lambda ws, run, now: release.judge_input(ws, run, now=now),
    "protect": lambda ws, run, now: release.protect(ws, run, now=now),
    "stage": lambda ws, run, now: release.stage(ws, run),
    "judge_files": lambda ws, run, now: release.judge_files(ws, run, now=now),
    "approve": lambda ws, run, now: approve(ws, run, now=now),
    "publish": lambda ws, run, now: release.publish(ws, run, now=now),
    "judge_published": lambda ws, run, now: release.judge_published(ws, run, now=now),
}


def with_noise(
    ws: Workspace, folder: Path, tables: Mapping[str, Mapping[str, object]] | None = None, **changes: object
) -> Workspace:
    """The same workspace under a spec that has noisy counts by week and nothing else, or these tables by audience."""
    include = home_directory() / "include"
    (folder / "include").mkdir()
    for path in include.iterdir():
        if path.name != "release_spec.yaml":
            (folder / "include" / path.name).symlink_to(path)
    read = yaml.safe_load((include / "release_spec.yaml").read_text(encoding="utf-8"))
    for product, parts in (("EXP-AUTHOR", ["course", "module"]), ("EXP-SUPPORTER", ["course"])):
        table = {"parts": parts, "measures": ["starters", "completers"], "profile": "differential_privacy"}
        read["audiences"][product]["tables"] = tables[product] if tables else {"period": table}
    noise = {"rho": {"week": 0.0147}, "rho_per_year": 0.78, "cells_per_person": 5, "least_shown": 25}
    read["differential_privacy"] = noise | changes
    (folder / "include" / "release_spec.yaml").write_text(yaml.safe_dump(read), encoding="utf-8")
    return Workspace.load(replace(ws.settings, home=folder))
