"""A small press of another shape: tables, about 500 made-up readers, and what is true about them.

Shows that a publisher is adopted by a map and not by code: composite keys, no schemas, a self reference, a cycle.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from sandbox.publisher import words
from sandbox.publisher.database import Connection, connect
from sandbox.publisher.rows import Rows
from sandbox.publisher.schema import OWNER
from sandbox.publisher.subject import years_before
from sandbox.publisher.truth import record_load

PUBLISHER = "smallpress"
FILES = Path(__file__).parent / "smallpress_schema"
BRANCHES = (("NOR", "Northbridge", "GB"), ("EAS", "Eastmere", "GB"), ("LAK", "Lakeside", "IE"))
READERS = 510
WORKS, CHAPTERS = 12, 4
FIRST_READER = 101  # numbers restart in each branch: only branch and number together name a person

# Planted, by name: birthday as years and days before the anchor, and what is expected.
MINORS = 6


def create_smallpress(dsn: str) -> None:
    """Create the tables in an empty database, owned by ``publisher_owner``. ``dsn`` is a superuser's."""
    with connect(dsn) as connection:
        connection.execute(
            f"DO $$ BEGIN CREATE ROLE {OWNER} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {OWNER}")
        connection.execute(f"SET LOCAL ROLE {OWNER}")
        for path in sorted(FILES.glob("*.sql")):
            connection.execute(path.read_text(encoding="utf-8"))


def fill_smallpress(dsn: str, truth_dsn: str | None, *, seed: int, anchor: date) -> dict[str, int]:
    """Fill the tables; the planted readers go to the truth database if it is named. Returns counts."""
    rng = np.random.default_rng((seed, 2))
    rows, facts = Rows(), Rows()
    planted = _planted(anchor)
    for code, town, country in BRANCHES:
        rows.add("branch", branch_code=code, town=town, country=country)
    for work in range(1, WORKS + 1):
        rows.add("work", work_no=work, name=f"{words.TOPICS[work % len(words.TOPICS)]}, volume {work}")
        for chapter in range(1, CHAPTERS + 1):
            rows.add("chapter", work_no=work, chapter_no=chapter, name=f"Chapter {chapter}")
    readers = [(BRANCHES[i % len(BRANCHES)][0], FIRST_READER + i // len(BRANCHES)) for i in range(READERS)]
    households = READERS // 3
    for number in range(1, households + 1):
        branch, reader = readers[(number - 1) * 3]
        rows.add(
            "household", household_no=number, street=f"{number} Mill Lane", town="Northbridge",
            contact_branch=branch, contact_no=reader,
        )  # fmt: skip
    remarks = 0
    for i, (branch, number) in enumerate(readers):
        name = f"{words.GIVEN[i % len(words.GIVEN)]} {words.FAMILY[i * 7 % len(words.FAMILY)]}"
        mail = f"reader.{branch}{number}@smallpress.example.org".lower()
        joined = anchor - timedelta(days=int(rng.integers(30, 2000)))
        birthday: date | None = anchor - timedelta(days=int(rng.integers(22 * 365, 80 * 365)))
        if rng.random() < 0.2:
            birthday = None
        plant = planted.get(i)
        if plant:
            birthday, joined = plant[1], min(joined, anchor) if plant[3] is None else plant[3]
            facts.add(
                "truth.planted_subject", publisher=PUBLISHER, user_key=f"{branch}/{number}", email=mail,
                name=plant[0], signal="SIG-01", expectation=plant[2],
                dob_min=birthday, dob_max=birthday, canary=False, shared_email=False, night=0,
            )  # fmt: skip
        inviter = readers[int(rng.integers(0, i))] if i and rng.random() < 0.3 else (None, None)
        rows.add(
            "reader", branch_code=branch, reader_no=number, full_name=name, mail=mail, birthday=birthday,
            joined=joined, employee=i % 100 == 99, household_no=i // 3 + 1 if i < households * 3 else None,
            invited_by_branch=inviter[0], invited_by_no=inviter[1],
        )  # fmt: skip
        for work in sorted({int(w) for w in rng.integers(1, WORKS + 1, 3)}):
            lent = anchor - timedelta(days=int(rng.integers(1, 25)))
            rows.add("loan", branch_code=branch, reader_no=number, work_no=work, lent_on=lent)
            for _ in range(int(rng.integers(1, 6))):
                rows.add(
                    "reading", branch_code=branch, reader_no=number, work_no=work,
                    chapter_no=int(rng.integers(1, CHAPTERS + 1)), seconds=int(rng.integers(60, 4000)),
                    began=f"{anchor - timedelta(days=int(rng.integers(1, 120)))} 10:00+00",
                )  # fmt: skip
        if plant or rng.random() < 0.2:
            remarks += 1
            answers = int(rng.integers(1, remarks)) if remarks > 1 and rng.random() < 0.6 else None
            rows.add(
                "remark", remark_no=remarks, branch_code=branch, reader_no=number, answers_no=answers,
                words="I liked this one.", written=f"{anchor - timedelta(days=1)} 09:00+00",
            )  # fmt: skip
        if plant or rng.random() < 0.3:
            rows.add(
                "receipt", receipt_no=i + 1, branch_code=branch, reader_no=number, payer_name=name,
                amount="12.50", paid_on=joined,
            )  # fmt: skip
        if plant or rng.random() < 0.5:
            rows.add("newsletter", mail=mail, since=joined)
    written = rows.count
    with connect(dsn) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        rows.copy(connection)
        _restart(connection)
    if truth_dsn:
        with connect(truth_dsn) as truth:
            record_load(truth, publisher=PUBLISHER, night=0, people=READERS, seed=seed, anchor=anchor)
            facts.copy(truth)
    return {"people": READERS, "rows": written, "planted": len(planted)}


def _planted(anchor: date) -> dict[int, tuple[str, date, str, date | None]]:
    """Position of the reader: plant, birthday, expectation, and the day of joining (None: any)."""
    recent = anchor - timedelta(days=200)
    found: dict[int, tuple[str, date, str, date | None]] = {
        40 + 60 * k: ("minor_birthday", years_before(anchor, 12 + k % 5) - timedelta(days=20), "stated", recent)
        for k in range(MINORS)
    }
    found[15] = ("minor_turns_18_tomorrow", years_before(anchor + timedelta(days=1), 18), "stated", recent)
    found[25] = ("adult_since_today", years_before(anchor, 18), "stated", recent)
    found[55] = ("placeholder_1900", date(1900, 1, 1), "never", None)
    found[65] = ("birthday_is_joining", recent, "never", recent)
    return found


def _restart(connection: Connection) -> None:
    for table, column in (("reading", "reading_no"), ("remark", "remark_no")):
        connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "  # noqa: S608
            f"(SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)"
        )
