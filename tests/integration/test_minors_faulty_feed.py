"""A feed that makes many people look like children: nobody is locked or erased by it, and the others go on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from privacy_ops.minors import intake, review
from privacy_ops.minors.gates import check_sources, source_gate

from tests.integration import nights
from tests.integration.press import MINOR, NOW, Press
from tests.integration.test_case_review import MONDAY, open_review, with_people
from tests.integration.test_minors_signals import CONFIRMED, LONG_AGO, SUSPECTED, TODAY, verdict, widen

SOURCE = "press.profile.dob_date"
SOFT = ("SOURCE_SUSPECT", "SOFT")
CHILDREN = "DATE '2009-01-03' + 20 * CAST(n AS integer)"  # a day of its own for everybody
ADULTS = "DATE '1960-01-03' + 31 * CAST(n AS integer)"


def feed_of(press: Press, name: str, count: int, born: str = CHILDREN) -> list[Any]:
    people = press.crowd(count, born)
    press.execute("UPDATE press.profile SET dob_source = :f WHERE user_id = ANY(:u)", f=name, u=people)
    return people


def judged(press: Press, name: str = "run", source: str = SOURCE) -> tuple[str, list[str]]:
    """The verdict on one source in a run (no history yet: that warns), and the checks that failed and block."""
    row = press.execute(
        "SELECT verdict, checks FROM gov.gate_result WHERE gate = :g AND run_id = :r",
        g=source_gate(source),
        r=f"minor_data_deletion/{name}",
    )[0]
    return row.verdict, [c["id"] for c in row.checks if not c["success"] and c["severity"] == "critical"]


def test_a_feed_bug_makes_two_fifths_of_all_accounts_look_like_minors(press: Press) -> None:
    """Nothing erased, nobody locked, out of exports and sends, the privacy lead asked; the genuine minor goes on."""
    press.workspace = with_people(press)
    adults = press.crowd(149, ADULTS)
    many = feed_of(press, "vendor_list", 100)
    genuine = press.person(written=MINOR.isoformat())
    genuine_too, doubted, *many = many  # both wrote it themselves; of the second, the feed says otherwise
    press.execute(
        "UPDATE press.profile SET dob_raw = :d WHERE user_id = ANY(:u)", d=MINOR.isoformat(), u=[genuine_too, doubted]
    )
    press.execute("UPDATE press.profile SET dob_date = '1960-01-03' WHERE user_id = :u", u=doubted)
    run = press.open_run()
    made = nights.prepare(press.workspace, run)

    assert judged(press) == ("block", ["G-05-MINORS"])
    assert {verdict(press, who) for who in many} == {SOFT}
    assert press.count("account", "status <> 'active'") == 3
    for who in (genuine, genuine_too):
        assert (verdict(press, who), press.status(who)) == (CONFIRMED, "restricted")
    assert verdict(press, doubted) == SUSPECTED
    soft = press.execute("SELECT subject_key FROM gov.out_of_use WHERE restriction = 'SOFT'")
    assert {key for (key,) in soft for key in key} == {str(who) for who in many}

    planned = press.execute("SELECT case_id FROM gov.erasure_plan_case")
    assert {case for (case,) in planned} == {press.case_of(who).case_id for who in (genuine, genuine_too)}
    assert made["cases"] == 2
    nights.finish(press.workspace, run)
    left = {user_id for (user_id,) in press.execute("SELECT user_id FROM press.account")}
    assert left == {*adults, *many, doubted}

    # On the next working morning the intake starts a review, and its questions go to the privacy lead at once.
    look = press.open_run("intake", at=MONDAY + timedelta(hours=1))
    assert intake.urgent_reviews(press.workspace, look, now=MONDAY + timedelta(hours=1)) == len(many)
    asking = open_review(press)
    chosen = review.choose(press.workspace, asking, now=MONDAY)
    assert (chosen["waiting"], chosen["with_lead"]) == (len(many) + 1, len(many))  # the doubted one as well
    asked = review.question(press.workspace, asking, chosen["cases"][0], person=1, now=MONDAY)
    assert asked is not None
    assert asked.people == ("lena",)


def test_the_worst_feed_of_a_column_counts_and_small_ones_do_not(press: Press) -> None:
    press.crowd(700, "DATE '1950-01-03' + 7 * CAST(n AS integer)")
    feed_of(press, "summer_school", 24)
    check_sources(press.workspace, press.open_run())
    assert judged(press) == ("warn", [])
    feed_of(press, "vendor_list", 25, "DATE '2010-03-01' + 9 * CAST(n AS integer)")  # 7 in 100 of all
    check_sources(press.workspace, press.open_run("second"))
    assert judged(press, "second") == ("block", ["G-05-MINORS"])
    feed_of(press, "vendor_list", 225, "DATE '1951-01-03' + 11 * CAST(n AS integer)")  # 10 in 100 of the feed
    check_sources(press.workspace, press.open_run("third"))
    assert judged(press, "third") == ("warn", [])


def test_a_small_feed_of_children_discredits_no_whole_column(press: Press) -> None:
    press.crowd(2970, "DATE '1950-01-03' + 5 * CAST(n AS integer)")
    feed_of(press, "summer_school", 29)
    check_sources(press.workspace, press.open_run())
    assert judged(press) == ("warn", [])
    feed_of(press, "summer_school", 1, "DATE '2012-02-02'")  # 30 of 3,000
    check_sources(press.workspace, press.open_run("second"))
    assert judged(press, "second") == ("block", ["G-05-MINORS"])


def test_who_was_locked_by_a_sound_night_stays_locked_and_waits(press: Press) -> None:
    child = press.person(born=MINOR)
    nights.find(press.workspace, press.open_run())
    many = feed_of(press, "vendor_list", 30)
    made = nights.prepare(
        press.workspace, press.open_run("second", at=NOW + timedelta(days=1)), NOW + timedelta(days=1)
    )
    assert verdict(press, child) == ("SOURCE_SUSPECT", "HARD")
    assert press.status(child) == "restricted"
    assert {verdict(press, who) for who in many} == {SOFT}
    assert made["cases"] == 0


@pytest.mark.parametrize(
    ("written", "many"),
    [
        ("to_char(DATE '2010-01-02' + CAST(n AS integer), 'DD/MM/YYYY')", True),
        ("to_char(DATE '2010-01-02' + CAST(n AS integer), 'DD Month YYYY')", True),
        ("CAST(2009 + n % 4 AS text)", True),
        ("to_char(DATE '1980-01-02' + CAST(n AS integer), 'DD Month YYYY')", False),
        ("to_char(DATE '2030-01-02' + CAST(n AS integer), 'DD/MM/YYYY')", False),  # no day of birth at all
        ("'01/01/1970'", False),  # a placeholder
    ],
)
def test_dates_are_counted_however_they_are_written(press: Press, written: str, many: bool) -> None:
    people = press.crowd(30, "NULL")
    press.execute(
        f"WITH them AS (SELECT user_id, row_number() OVER () AS n FROM press.profile)"
        f" UPDATE press.profile AS p SET dob_raw = {written} FROM them WHERE them.user_id = p.user_id"
    )
    assert len(people) == 30
    check_sources(press.workspace, press.open_run())
    assert ("G-05-MINORS" in judged(press, source="press.profile.dob_raw")[1]) is many


def test_a_feed_that_writes_what_nobody_can_read_is_no_source(press: Press) -> None:
    people = press.crowd(60, "NULL")
    written = (
        "UPDATE press.profile SET dob_raw = CASE WHEN user_id = ANY(CAST(:odd AS uuid[])) THEN :text ELSE :other END"
    )
    press.execute(written, odd=people[:2], text="W21 of 2010", other="23/04/1984 00:00:00\r")
    check_sources(press.workspace, press.open_run())
    assert judged(press, source="press.profile.dob_raw") == ("warn", [])  # two are somebody's fancy
    press.execute(written, odd=people[:3], text="W21 of 2010", other="23/04/1984 00:00:00\r")
    check_sources(press.workspace, press.open_run("second"))
    assert judged(press, "second", source="press.profile.dob_raw") == ("block", ["G-04-PARSE"])


def test_statements_count_while_they_may_hold_and_what_is_about_the_young_never_does(press: Press) -> None:
    wide = widen(press)

    def answers(at: Any, **said: Any) -> None:
        for who in wide.crowd(30, ADULTS):
            wide.execute(
                "INSERT INTO press.answer (user_id, answers, at) VALUES (:u, CAST(:a AS jsonb), :at)",
                u=who, a=json.dumps(said), at=at,
            )  # fmt: skip

    def blocked() -> set[str]:
        name = f"run{wide.scalar('SELECT count(*) FROM gov.run')}"
        found = check_sources(wide.workspace, wide.open_run(name))["excluded"]
        return {source for source in found if "G-05-MINORS" in judged(wide, name, source)[1]}

    answers(TODAY, school="Year 12", country="GB")
    answers(LONG_AGO, age=14, band="14-16")  # adults by now
    answers(TODAY, age=40, band="under 25")
    answers(TODAY, age=41, band="0-35")
    for n in range(30):
        wide.add("attendee", name="x", badge_code=f"b{n}", attendee_type="child", age_or_dob=f"2015-01-{n + 1:02d}",
                 registered_at=NOW)  # fmt: skip
    assert blocked() == set()
    answers(TODAY, age="15 years", band="<18", year=2011)
    wide.execute("UPDATE press.account SET adult = false, adult_said = :at", at=TODAY)
    assert blocked() == {
        "press.answer.answers.age",
        "press.answer.answers.band",
        "press.answer.answers.year",
        "press.account.adult",
    }
