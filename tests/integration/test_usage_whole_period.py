"""What closes with a week is judged and entitled as a whole: a quarter from its first day on, not its last week."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta

import pytest
from privacy_ops.errors import GateBlocked
from privacy_ops.stores.database import Database
from privacy_ops.usage import plan, release, view, weeks
from privacy_ops.usage.protecting import references

from tests import usage_world as world
from tests.integration.usage_fixtures import sql

LAST = weeks.from_key("2026-W53")  # closes the quarter and the year
AFTER = datetime(2027, 1, 6, 6, tzinfo=UTC)


def see_the_last_week(dsn: str) -> None:
    with Database(dsn).transaction() as c:
        for number in range(50):
            world.view_page(c, number, 40, LAST.start + timedelta(hours=5 + number % 120), 600)
        world.detect(c, AFTER - timedelta(hours=3))


def test_somebody_left_in_an_early_week_of_the_quarter_blocks_it(ws, dsn, monkeypatch):
    """E-03: a faulty view; the person learned in week 46 alone, and week 53 closes the quarter."""
    see_the_last_week(dsn)
    sql(dsn, "DELETE FROM web.page_view WHERE user_id = :u AND at >= :a", u=world.person(5), a=LAST.start)
    sql(dsn, "UPDATE core.user_account SET status = 'restricted' WHERE user_id = :u", u=world.person(5))
    build = view.build

    def faulty(connection, data_map, window):
        usage = data_map.usage.model_copy(update={"exclusions": ()})
        build(connection, data_map.model_copy(update={"usage": usage}), window)

    monkeypatch.setattr(view, "build", faulty)
    run = world.open_run(ws, "last", week=LAST.key, now=AFTER)
    with pytest.raises(GateBlocked, match=r"blocks: E-03\. "):
        release.judge_input(ws, run, now=AFTER)


def test_weeks_that_were_not_loaded_are_a_warning_about_the_whole_year(ws, dsn):
    see_the_last_week(dsn)
    run = world.open_run(ws, "last", week=LAST.key, now=AFTER)
    judged = release.judge_input(ws, run, now=AFTER)
    assert judged["verdict"] == "warn"
    with Database(dsn).transaction() as c:
        failed = {row.id for row in c.exec_driver_sql(
            "SELECT x ->> 'id' AS id FROM gov.gate_result, jsonb_array_elements(checks) AS x"
            " WHERE NOT (x ->> 'success')::boolean"
        )}  # fmt: skip
    assert {"E-05-weeks", "E-05-days", "E-05-baseline"} <= failed


@pytest.mark.parametrize(
    ("name", "dates", "kinds"),
    [
        ("all_of_it", {}, {"week", "quarter", "year"}),
        ("from_the_middle_of_the_quarter", {"from": date(2026, 11, 9)}, {"week"}),
        ("from_the_second_quarter", {"from": date(2026, 4, 1)}, {"week", "quarter"}),
        ("ends_in_the_last_partial_week", {"to": date(2027, 1, 1)}, set()),
        ("ends_between_the_last_day_and_the_release", {"to": date(2027, 1, 5)}, set()),
    ],
)
def test_an_agreement_covers_the_whole_period_and_the_day_of_release(ws, dsn, tmp_path, name, dates, kinds):
    registry = copy.deepcopy(world.REGISTRY)
    for agreement in registry["agreements"]:
        if agreement["id"] == "A1":
            agreement.update(dates)
    world.entitle(dsn, tmp_path, registry)
    run = world.open_run(ws, "last", week=LAST.key, now=AFTER)
    with ws.database("export").transaction() as c:
        planned = plan.make_plan(c, run, LAST, references(ws).spec)
    assert {pack.period.kind for pack in planned.packs if pack.recipient_id == "author-one"} == kinds
