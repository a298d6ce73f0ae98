"""Two ways to the same age: intervals in Python, numbers in SQL. Whoever one confirms, the other must confirm too."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from privacy_ops import thresholds
from privacy_ops.datamap.evidence import EvidenceColumn
from privacy_ops.datamap.model import AgeEvidence
from privacy_ops.erasure.rows import evidence
from privacy_ops.minors.classify import CaseClass, classify
from privacy_ops.minors.readings import Context
from privacy_ops.minors.signals import Said, interpret
from privacy_ops.minors.written_dates import MONTHS
from privacy_ops.stores.database import Database
from sqlalchemy import text

from tests.integration.press import HOME, NOW

TODAY = date(2026, 11, 22)
LIMITS = thresholds.load(HOME / "include" / "thresholds.yaml")
LeapRule = Literal["MAR_1", "FEB_28"]


@pytest.fixture(scope="module")
def database(press_template: str, cluster: Any) -> Database:
    return Database(cluster.dsn(press_template))


def second_way(
    database: Database,
    rows: Sequence[tuple[str, str, str, bool, date | None, str | None, str]],
    leap_rule: LeapRule = "MAR_1",
    at: datetime = NOW,
) -> list[bool | None]:
    """What SQL says of (value, kind, order, ages, said on, month, feed)."""
    limits = LIMITS.model_copy(update={"leap_rule": leap_rule})
    with database.transaction() as connection:
        connection.execute(
            text(
                "CREATE TEMPORARY TABLE given (no int, value text, kind text, day_order text, ages boolean,"
                " said_at timestamptz, month text, feed text, discovered_at timestamptz) ON COMMIT DROP"
            )
        )
        connection.execute(
            text("INSERT INTO given VALUES (:no, :value, :kind, :order, :ages, :said, :month, :feed, :at)"),
            [
                {"no": n, "value": v, "kind": k, "order": o, "ages": a, "said": s, "month": m, "feed": f, "at": at}
                for n, (v, k, o, a, s, m, f) in enumerate(rows)
            ],
        )
        found = connection.execute(
            text(f"SELECT no, minor FROM ({evidence.judged('SELECT * FROM given')}) AS j ORDER BY no"),
            evidence.parameters(limits),
        ).all()
    assert [row.no for row in found] == list(range(len(rows)))  # every statement answered once
    return [row.minor for row in found]


def first_way(
    row: tuple[str, str, str, bool, date | None, str | None, str], leap_rule: LeapRule = "MAR_1", on: date = TODAY
) -> CaseClass:
    value, kind, order, ages, said, month, feed = row
    source = EvidenceColumn(0, "t", "c", AgeEvidence(signal="SIG-01", kind=kind, order=order, ages=ages))  # type: ignore[arg-type]
    context = Context(on=on, order=order, spreadsheet="xls" in feed, leap_rule=leap_rule)  # type: ignore[arg-type]
    statement = interpret(source, Said(value, said, month or ""), context)
    return classify([statement] if statement else [], on=on, leap_rule=leap_rule).case_class


def written(day: date, rng: random.Random) -> tuple[str, str, str]:
    """(text, order, feed): one of the ways in which people and machines write a day."""
    names = [name for name, number in MONTHS.items() if number == day.month]
    hour = rng.choice((0, 1, 2, 3, 12, 21, 22, 23))
    ways = [
        (day.isoformat(), "unknown", ""),
        (day.isoformat(), "unknown", "import_xlsx"),
        (f"{day.day:02d}/{day.month:02d}/{day.year}", "dmy", ""),
        (f"{day.day}.{day.month}.{day.year}", "unknown", ""),
        (f"{day.month}-{day.day}-{day.year}", "mdy", ""),
        (f"{day.day:02d}/{day.month:02d}/{day.year % 100:02d}", "unknown", ""),
        (f"{day.month}/{day.day}/{day.year % 100:02d}", "mdy", ""),
        (f"{day.year}", "unknown", ""),
        (f"{day.year}-{day.month:02d}", "unknown", ""),
        (f"{day.month}/{day.year}", "unknown", ""),
        (f"{day:%Y%m%d}", "unknown", ""),
        (f"{day.isoformat()}T{hour:02d}:30:00Z", "unknown", ""),
        (f"{day.isoformat()} {hour:02d}:00:00+01", "unknown", ""),
        (str((day - date(1899, 12, 30)).days), "unknown", ""),
        (f"{day.day} {rng.choice(names)} {day.year}", "unknown", ""),
        (f"{rng.choice(names).title()} {day.day}, {day.year}", "unknown", ""),
        (f"{rng.choice(names)} {day.year}", "unknown", ""),
        (f"{day.day} de {rng.choice(names)} de {day.year}".upper(), "unknown", ""),
        (f"{day.year}年{day.month}月{day.day}日", "unknown", ""),
        (f"平成{day.year - 1988}年{day.month}月{day.day}日", "unknown", ""),
        (f"{day.year + 543}-{day.month:02d}-{day.day:02d}", "unknown", ""),
        (f"29/02/{day.year}", "unknown", ""),
        (f"{day:%d/%m/%Y} {hour:02d}:00:00", "dmy", ""),
        (f"{day:%m/%d/%Y} {hour % 12 or 12}:30:00 {'PM' if hour > 11 else 'AM'}", "mdy", ""),
        (f"{day.day} {rng.choice(names)} {day.year} {hour}:00", "unknown", ""),
        (f"{day:%d%m%Y}", "dmy", ""),
        (f"{day:%d / %m / %Y}", "dmy", ""),
        (f"{day:%d %m %Y}", "unknown", ""),
        (f"{day:%Y.%m.%d}.", "unknown", ""),
        (f"{(day - date(1899, 12, 30)).days}.75", "unknown", ""),
    ]
    value, order, feed = rng.choice(ways)
    if rng.random() < 0.3:  # what exports and keyboards put around it
        value = rng.choice(("", "\ufeff", "\u00a0", "\t")) + value.replace(" ", rng.choice((" ", "\u00a0", "  ")))
        value += rng.choice(("", "\r", "\n", "\u200b"))
    if rng.random() < 0.1:
        value = value.translate(str.maketrans("0123456789", rng.choice(("０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩"))))
    return value, order, feed


@pytest.mark.parametrize("leap_rule", ["MAR_1", "FEB_28"])
def test_whoever_detection_confirms_the_erasing_transaction_confirms_too(
    database: Database, leap_rule: LeapRule
) -> None:
    rng = random.Random(20261122)  # noqa: S311
    line = date(2008, 11, 22)
    near = [line + timedelta(days=n) for n in range(-40, 40)]
    far = [date(1915, 1, 1) + timedelta(days=rng.randrange(40_000)) for _ in range(900)]
    rows: list[Any] = [
        (value, "birth_text", order, False, TODAY, None, feed)
        for day in [*near, *near, *near, *far]
        for value, order, feed in [written(day, rng)]
    ]
    for _ in range(300):
        said = TODAY - timedelta(days=rng.randrange(1200))
        rows += [
            (str(rng.randrange(5, 30)) + rng.choice(("", "\r", "\tyears")), "age_number", "unknown", False, said, None,
             ""),
            (rng.choice(["<18", "under 18", "13-17", "16–18", "16-18", "18-24", "18+", "over 18", "13\u00a0- 17"]),
             "age_band", "unknown", False, said, None, ""),
            (rng.choice(["false", "no", "No\r", "true", "yes"]), "declared_adult", "unknown", False, said, None, ""),
            (str(rng.randrange(5, 30)), "birth_text", "unknown", True, said, None, ""),
            (rng.choice(["7 months", "9 years old", "aged 12", "15.5", "2010-05-05"]), "birth_text", "unknown", True,
             said, None, ""),
            (str(rng.randrange(2000, 2015)), "birth_text", "unknown", False, said,
             rng.choice(("", " ")) + str(rng.randrange(1, 13)), ""),
        ]  # fmt: skip
    first = [first_way(row, leap_rule) for row in rows]
    second = second_way(database, rows, leap_rule)
    # A confirmation always holds in the second way.
    assert [
        r for r, a, b in zip(rows, first, second, strict=True) if a is CaseClass.CONFIRMED_MINOR and b is not True
    ] == []
    # What the second way confirms is a minor in the first by every reading; some of them wait for people.
    minor = {CaseClass.CONFIRMED_MINOR, CaseClass.SUSPECTED_MINOR, CaseClass.NO_EVIDENCE, CaseClass.DOB_UNUSABLE}
    assert [r for r, a, b in zip(rows, first, second, strict=True) if b and a not in minor] == []
    adults = {CaseClass.ADULT, CaseClass.ADULT_NOW_COLLECTED_AS_MINOR}
    assert [r for r, a, b in zip(rows, first, second, strict=True) if a in adults and b] == []
    assert sum(a is CaseClass.CONFIRMED_MINOR for a in first) > 300
    assert sum(a is CaseClass.ADULT for a in first) > 300


@pytest.mark.parametrize(
    ("what", "row", "expected"),
    [
        ("eighteen_today", ("2008-11-22", "birth_date", "unknown", False, None, None, ""), False),
        ("eighteen_tomorrow", ("2008-11-23", "birth_date", "unknown", False, None, None, ""), True),
        ("sixteen_said_today", ("16", "age_number", "unknown", False, TODAY, None, ""), True),
        ("seventeen_said_a_year_ago", ("17", "age_number", "unknown", False, date(2025, 12, 5), None, ""), None),
        ("sixteen_said_long_ago", ("16", "age_number", "unknown", False, date(2024, 3, 10), None, ""), False),
        ("not_an_adult_said_today", ("false", "declared_adult", "unknown", False, TODAY, None, ""), True),
        ("not_an_adult_said_yesterday", ("no", "declared_adult", "unknown", False, date(2026, 11, 21), None, ""), None),
        ("nothing_to_read", ("soon", "birth_text", "unknown", False, None, None, ""), False),
        ("gone", (None, "birth_text", "unknown", False, None, None, ""), False),
        ("a_kind_that_never_decides", ("I am 15", "", "unknown", False, TODAY, None, ""), None),
    ],
)
def test_edges_of_the_second_way(database: Database, what: str, row: Any, expected: bool | None) -> None:
    assert second_way(database, [row]) == [expected]


def test_a_leap_birthday_follows_the_rule(database: Database) -> None:
    row = ("2008-02-29", "birth_date", "unknown", False, None, None, "")
    at = datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert second_way(database, [row], "MAR_1", at) == [True]
    assert second_way(database, [row], "FEB_28", at) == [False]
