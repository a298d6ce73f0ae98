"""Rows of a partitioned table go by the way from their owner; a digest of their keys tells them from any others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from privacy_ops.datamap import grants
from privacy_ops.erasure import execute
from privacy_ops.errors import GateBlocked, PlanChanged
from privacy_ops.runs import Run

from tests.integration import nights
from tests.integration.press import ADULT, COMMON, MAYBE_ACCOUNT, MINOR, NOW, Press, _columns, map_of

TABLES = """
CREATE TABLE press.reading (id bigint, user_id uuid REFERENCES press.account, at timestamptz, page text,
    PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE press.reading_1 PARTITION OF press.reading FOR VALUES FROM ('2026-11-01Z') TO ('2026-11-08Z');
CREATE TABLE press.reading_2 PARTITION OF press.reading FOR VALUES FROM ('2026-11-08Z') TO ('2026-11-15Z');
CREATE INDEX ON press.reading (user_id);
"""
READING = {
    "key": ["id", "at"],
    "erase": "DELETE",
    **COMMON,
    "link": MAYBE_ACCOUNT,
    "created_at": "at",
    "columns": _columns("id at page", user_id={}),
}


def reads(press: Press, who: UUID | None, *numbers: int) -> None:
    """Page views with these numbers; the even ones fall in the second week."""
    for number in numbers:
        press.execute(
            "INSERT INTO press.reading VALUES (:n, :u, CAST(:at AS timestamptz), '/')",
            n=number,
            u=who,
            at="2026-11-09Z" if number % 2 == 0 else "2026-11-02Z",
        )


@pytest.fixture
def planned(press: Press) -> tuple[Press, Run, UUID, UUID]:
    """A minor with three page views in two weeks and an adult with two, planned and judged."""
    press.execute(TABLES)
    data_map = map_of(reading=READING)
    grants.apply(press.superuser._url.render_as_string(hide_password=False), data_map)
    press.workspace = press.with_map(data_map)
    child, adult = press.person(born=MINOR), press.person(born=ADULT)
    reads(press, child, 1, 2, 3)
    reads(press, adult, 4, 5)
    run = press.open_run()
    nights.prepare(press.workspace, run)
    assert press.scalar("SELECT count(*) FROM gov.erasure_step WHERE digest IS NOT NULL") == 1
    return press, run, child, adult


def numbers(press: Press) -> list[int]:
    return [row.id for row in press.execute("SELECT id FROM press.reading ORDER BY id")]


def erase(press: Press, run: Run) -> Any:
    return execute.erase_database(press.workspace, run, now=NOW)


def test_the_rows_of_the_person_go_in_every_partition_and_nobody_elses(
    planned: tuple[Press, Run, UUID, UUID],
) -> None:
    press, run, child, _ = planned
    erase(press, run)
    assert numbers(press) == [4, 5]
    assert press.count("account", "user_id = :u", u=child) == 0


def test_a_row_that_lost_its_owner_after_the_plan_goes_by_its_key(planned: tuple[Press, Run, UUID, UUID]) -> None:
    press, run, _, _ = planned
    press.execute("UPDATE press.reading SET user_id = NULL WHERE id = 2")
    erase(press, run)
    assert numbers(press) == [4, 5]


@pytest.mark.parametrize(
    ("meanwhile", "left"),
    [
        ("UPDATE press.reading SET id = 7 WHERE id = 3", [1, 2, 4, 5, 7]),
        ("UPDATE press.reading SET at = '2026-11-03Z' WHERE id = 3", [1, 2, 3, 4, 5]),
        ("INSERT INTO press.reading SELECT 7, user_id, at, page FROM press.reading WHERE id = 3", [1, 2, 3, 4, 5, 7]),
        ("DELETE FROM press.reading WHERE id = 3", [1, 2, 4, 5]),
        (
            "UPDATE press.reading SET user_id = (SELECT user_id FROM press.reading WHERE id = 1) WHERE id = 5",
            [1, 2, 3, 4, 5],
        ),
    ],
    ids=["another row for a frozen one", "at another time", "one more", "one less", "the row of an adult"],
)
def test_rows_that_are_not_the_frozen_ones_stop_everything(
    planned: tuple[Press, Run, UUID, UUID], meanwhile: str, left: list[int]
) -> None:
    press, run, child, adult = planned
    press.execute(meanwhile)
    with pytest.raises(PlanChanged, match=r"press\.reading"):
        erase(press, run)
    assert numbers(press) == left
    assert press.count("account", "user_id IN (:c, :a)", c=child, a=adult) == 2


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE gov.erasure_step SET digest = digest + 1 WHERE digest IS NOT NULL",
        "UPDATE gov.erasure_step SET digest = NULL",
        "UPDATE gov.erasure_plan_case SET planned = '{}'",
    ],
    ids=["another digest", "no digest", "other counts"],
)
def test_what_was_counted_ahead_is_what_the_gate_judged(planned: tuple[Press, Run, UUID, UUID], forged: str) -> None:
    press, run, _, _ = planned
    assert press.execute(forged)
    with pytest.raises(GateBlocked, match="something else"):
        erase(press, run)
    assert numbers(press) == [1, 2, 3, 4, 5]
