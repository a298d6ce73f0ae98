"""Whoever is not clearly adult reaches the judgement: what SQL leaves out, the judgement by itself calls adult."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from uuid import uuid4

from privacy_ops.minors.age import civil_date
from privacy_ops.minors.classify import OPENS_CASE, Statement, classify
from privacy_ops.minors.detect import detect_and_restrict
from privacy_ops.minors.gates import check_sources
from privacy_ops.minors.readings import Context, read
from sqlalchemy import text

from tests.integration.press import NOW, Press

ON = civil_date(NOW, "Europe/London")
FORMS = {
    "date": lambda day: day,
    "iso": lambda day: f"{day}",
    "dmy": lambda day: f"{day.day}/{day.month}/{day.year}",
    "dots": lambda day: f"{day.day:02}.{day.month:02}.{day.year}",
}


ACCOUNT = "INSERT INTO press.account (user_id, email, email_norm, created_at) VALUES (:key, :mail, :mail, :created)"
PROFILE = "INSERT INTO press.profile (user_id, dob_source, dob_date, dob_raw) VALUES (:key, :feed, :day, :raw)"


def _years_before(day: date, years: int) -> date:
    return day - timedelta(days=round(365.25 * years))


def test_nobody_is_left_out_whom_the_judgement_would_not_call_adult(press: Press) -> None:
    expected: dict[str, str | None] = {}
    accounts, profiles = [], []
    anchors = [*(_years_before(ON, age) for age in (18, 19, 22)), date(2008, 1, 1), date(2006, 12, 31)]
    joined = (NOW - timedelta(days=3), NOW - timedelta(days=700), NOW - timedelta(days=2500))
    for created, feed in product(joined, ("web_form", "members.xlsx")):
        came = civil_date(created, "Europe/London")
        near = [
            a + timedelta(days=d) for a in (*anchors, _years_before(came, 18)) for d in (-40, -9, -2, 0, 1, 2, 9, 40)
        ]
        for (number, day), plain in product(enumerate(near), (True, False)):
            value = FORMS["date" if plain else list(FORMS)[1 + number % 3]](day)
            readings = read(value, Context(ON, (came,), spreadsheet=feed == "members.xlsx"))
            found = classify([Statement("press.profile", readings)], on=ON, collected=came).case_class
            key = str(uuid4())
            accounts.append({"key": key, "mail": f"{key}@example.org", "created": created})
            profiles.append({
                "key": key,
                "feed": feed,
                "day": value if plain else None,
                "raw": None if plain else value,
            })
            expected[key] = str(found) if found in OPENS_CASE else None
    with press.superuser.transaction() as connection:
        connection.execute(text(ACCOUNT), accounts)
        connection.execute(text(PROFILE), profiles)
    run = press.open_run("run")
    check_sources(press.workspace, run)
    detect_and_restrict(press.workspace, run)
    seen = {
        row.key: row.found for row in press.execute("SELECT subject_key[1] AS key, class AS found FROM gov.minor_case")
    }
    assert sum(found is not None for found in expected.values()) > 100
    assert sum(found is None for found in expected.values()) > 50
    wrong = {k: (seen.get(k), found) for k, found in expected.items() if seen.get(k) != found}
    assert wrong == {}
