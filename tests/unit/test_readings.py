"""What a written date of birth may mean, rule by rule."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.datamap.plain_text import plain
from privacy_ops.minors.age import Interval
from privacy_ops.minors.readings import Context, Flag, read
from privacy_ops.minors.written_dates import FORMS, MONTHS, meanings

TODAY = date(2026, 11, 22)
DEFAULTS = frozenset({date(1900, 1, 1), date(1970, 1, 1)})


def context(**changes: object) -> Context:
    return Context(**({"on": TODAY, "registered": (date(2025, 3, 1),), "defaults": DEFAULTS} | changes))  # type: ignore[arg-type]


def days(*values: date) -> tuple[Interval, ...]:
    return tuple(Interval.day(v) for v in values)


@pytest.mark.parametrize("raw", [None, "", "   ", "n/a", "unknown", "31/04/2010", "2010-02-30", "99/99/2010"])
def test_missing_or_impossible_is_no_evidence(raw: str | None) -> None:
    result = read(raw, context())
    assert not result.usable
    assert result.flags == {Flag.MISSING}


@pytest.mark.parametrize(
    ("raw", "flag"),
    [
        ("1900-01-01", Flag.DEFAULT),
        ("01/01/1970", Flag.DEFAULT),
        ("2026-11-23", Flag.FUTURE),
        ("9999-12-31", Flag.FUTURE),
        ("2025-02-28", Flag.EQUALS_REGISTRATION),
        ("2025-03-01", Flag.EQUALS_REGISTRATION),
        ("2025-03-02", Flag.EQUALS_REGISTRATION),
        ("1915-11-21", Flag.IMPLAUSIBLE_OLD),
    ],
)
def test_unusable_dates(raw: str, flag: Flag) -> None:
    result = read(raw, context())
    assert not result.usable
    assert flag in result.flags


@pytest.mark.parametrize(
    ("what", "raw", "usable"),
    [
        ("two_days_before_registration", "2025-02-27", True),
        ("two_days_after_registration", "2025-03-03", True),
        ("today_is_not_the_future", "2026-11-22", True),
        ("exactly_110_years_old", "1916-11-22", True),
        ("one_hundred_and_eleven", "1915-11-22", False),
    ],
    ids=lambda v: v if isinstance(v, str) and "_" in v else "",
)
def test_edges_of_the_quality_rules(what: str, raw: str, usable: bool) -> None:
    assert read(raw, context()).usable is usable


def test_too_young_to_register_is_usable_but_flagged() -> None:
    assert read("2017-03-02", context()).flags == {Flag.IMPLAUSIBLE_YOUNG}  # seven on the day of registration
    assert read("2017-03-01", context()).flags == frozenset()  # eight on that day
    assert read("2017-03-02", context()).usable


def test_an_accompanying_child_is_never_implausibly_young() -> None:
    assert read("2020-05-05", context(min_age_at_registration=None)).flags == frozenset()


def test_a_date_column_is_read_as_it_is() -> None:
    assert read(date(2009, 5, 2), context()).intervals == days(date(2009, 5, 2))


@pytest.mark.parametrize(
    ("raw", "order", "expected"),
    [
        ("23/11/2008", "unknown", [date(2008, 11, 23)]),
        ("11/23/2008", "unknown", [date(2008, 11, 23)]),
        ("23.11.2008", "dmy", [date(2008, 11, 23)]),
        ("3-4-2009", "dmy", [date(2009, 4, 3)]),
        ("3-4-2009", "mdy", [date(2009, 3, 4)]),
        ("5/5/2009", "unknown", [date(2009, 5, 5)]),
        (" 2008-11-23 ", "unknown", [date(2008, 11, 23)]),
        ("\ufeff2008-11-23\r", "unknown", [date(2008, 11, 23)]),
        ("23\u00a0November\t2008", "unknown", [date(2008, 11, 23)]),
        ("23 / 11 / 2008", "unknown", [date(2008, 11, 23)]),
        ("23 11 2008", "unknown", [date(2008, 11, 23)]),
        ("23112008", "unknown", [date(2008, 11, 23)]),
        ("2008.11.23.", "unknown", [date(2008, 11, 23)]),
        ("٢٣/١١/٢٠٠٨", "unknown", [date(2008, 11, 23)]),
        ("２００８-１１-２３", "unknown", [date(2008, 11, 23)]),
        ("23/11/2008 12:30:00", "unknown", [date(2008, 11, 23)]),
        ("11/23/2008 4:30 PM", "unknown", [date(2008, 11, 23)]),
        ("23 Nov 2008 09:00", "unknown", [date(2008, 11, 23)]),
    ],
)
def test_full_dates_that_have_one_reading(raw: str, order: str, expected: list[date]) -> None:
    result = read(raw, context(order=order))
    assert result.intervals == days(*expected)
    assert result.flags == frozenset()


def test_an_ambiguous_day_and_month_keeps_both_readings() -> None:
    result = read("12/11/2008", context())
    assert result.intervals == days(date(2008, 11, 12), date(2008, 12, 11))
    assert result.flags == {Flag.DAY_MONTH_AMBIGUOUS}


def test_one_reading_in_the_future_leaves_the_other() -> None:
    result = read("01/12/2026", context(registered=()))  # 1 December is to come, 12 January was
    assert result.intervals == days(date(2026, 1, 12))
    assert result.flags == {Flag.DAY_MONTH_AMBIGUOUS, Flag.FUTURE}


UNREAD = ["12 or so", "around 2010", "39772 days", "22 Smarch 2008", "2010-2012", "11/2008/x", "Nov 2008 10:00"]


@pytest.mark.parametrize("raw", [*UNREAD, "ſ22/11/22", "22.11.2008 at noon"])
def test_other_ways_of_writing_are_counted_not_guessed(raw: str) -> None:
    result = read(raw, context())
    assert not result.usable
    assert result.flags == {Flag.UNSUPPORTED_FORMAT}


@pytest.mark.parametrize("raw", [*UNREAD[:-1], "n/a", "ask me", "22.11.2008 at noon"])
def test_the_gate_of_a_source_counts_what_nobody_can_read(raw: str) -> None:
    assert not re.fullmatch(FORMS, plain(raw).lower())


@given(st.dates(date(1900, 1, 1), date(2026, 11, 22)), st.data())
def test_the_gate_of_a_source_knows_every_form_that_is_read(day: date, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name, number in MONTHS.items() if number == day.month]))
    clock = data.draw(st.sampled_from(["", " 00:00", "T10:00:00Z", " 11:59 p.m.", " 10:00:00+01"]))
    whole = [
        format(day, way) for way in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%y", "%d%m%Y", "%d %m %Y", "%Y/%m/%d.", "%Y%m%d")
    ]
    whole += [f"{day.day} de {name} de {day.year}", f"{name.title()} {day.day}, {day.year}"]
    whole += [f"{day.day}. {name} {day.year}", f"{day.year}年{day.month}月{day.day}日"]
    whole += [f"昭和{day.year % 60 + 1}年{day.month}月{day.day}日"]
    part = (f"{day.year}", f"{day:%m/%Y}", f"{name} {day.year}", f"{(day - date(1880, 1, 1)).days}.5")
    written = data.draw(st.sampled_from([w + clock for w in whole] + list(part)))
    assert meanings(plain(written))
    assert re.fullmatch(FORMS, plain(written).lower())


def span(first: date, last: date) -> tuple[Interval, ...]:
    return (Interval(first, last),)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2009", span(date(2009, 1, 1), date(2009, 12, 31))),
        ("2009-05", span(date(2009, 5, 1), date(2009, 5, 31))),
        ("02/2008", span(date(2008, 2, 1), date(2008, 2, 29))),
        ("Nov 2008", span(date(2008, 11, 1), date(2008, 11, 30))),
        ("mayo de 2010", span(date(2010, 5, 1), date(2010, 5, 31))),
        ("2026", span(date(2026, 1, 1), TODAY)),  # nobody is born after today
    ],
)
def test_a_part_of_a_date_is_a_span(raw: str, expected: tuple[Interval, ...]) -> None:
    result = read(raw, context(registered=()))
    assert result.intervals == expected
    assert result.flags == {Flag.PARTIAL}


@pytest.mark.parametrize(
    "raw",
    ["22 November 2008", "November 22, 2008", "22nd of Nov. 2008", "22 de noviembre de 2008", "22 novembre 2008",
     "22. November 2008", "20081122", "2008/11/22", "2008年11月22日", "平成20年11月22日", "H20.11.22"],
)  # fmt: skip
def test_months_by_name_and_other_forms_of_a_whole_date(raw: str) -> None:
    result = read(raw, context())
    assert result.intervals == days(date(2008, 11, 22))
    assert result.flags == frozenset()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("14/05/68", [date(1968, 5, 14)]),  # 2068 is to come
        ("14/05/17", [date(1917, 5, 14), date(2017, 5, 14)]),
        ("14/05/11", [date(2011, 5, 14)]),  # nobody of 1911 lives
        ("22/11/15", [date(1915, 11, 22), date(2015, 11, 22)][1:]),  # 111 today
        ("23/11/15", [date(1915, 11, 23), date(2015, 11, 23)]),  # 110 until tomorrow
        ("03/04/09", [date(2009, 3, 4), date(2009, 4, 3)]),
    ],
)
def test_two_digits_mean_this_century_or_the_last(raw: str, expected: list[date]) -> None:
    result = read(raw, context(registered=()))
    assert result.intervals == days(*expected)
    assert Flag.TWO_DIGIT_YEAR in result.flags


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2008-11-21T21:59:59Z", [date(2008, 11, 21)]),
        ("2008-11-21T22:00Z", [date(2008, 11, 21), date(2008, 11, 22)]),
        ("2008-11-21 23:00:00+00", [date(2008, 11, 21), date(2008, 11, 22)]),
        ("2008-11-21T00:00:00.000Z", [date(2008, 11, 20), date(2008, 11, 21)]),
        ("2008-11-21T02:59+02:00", [date(2008, 11, 20), date(2008, 11, 21)]),
        ("2008-11-21T03:00Z", [date(2008, 11, 21)]),
    ],
)
def test_an_instant_near_midnight_may_be_either_day(raw: str, expected: list[date]) -> None:
    result = read(raw, context())
    assert result.intervals == days(*expected)
    assert (Flag.TIME_ZONE_SHIFT in result.flags) is (len(expected) == 2)


def test_a_number_of_days_counts_from_1900_or_from_1904() -> None:
    result = read("39774", context())
    assert result.intervals == days(date(2008, 11, 22), date(2012, 11, 23))
    assert result.flags == {Flag.SPREADSHEET_EPOCH}
    assert read("39774.0", context(spreadsheet=True)) == result  # no third and fourth reading by the feed's name


@pytest.mark.parametrize(
    ("raw", "expected", "flags"),
    [
        ("2553-04-01", [date(2010, 4, 1)], {Flag.FUTURE, Flag.OTHER_CALENDAR}),  # Buddhist era
        ("2550-04-01", [date(2007, 4, 1)], {Flag.FUTURE, Flag.OTHER_CALENDAR}),
        ("2100-04-01", [], {Flag.FUTURE}),
        ("0099-04-01", [date(2010, 4, 1)], {Flag.IMPLAUSIBLE_OLD, Flag.OTHER_CALENDAR}),  # Minguo
    ],
)
def test_a_year_that_makes_no_sense_is_read_by_other_calendars(
    raw: str, expected: list[date], flags: set[Flag]
) -> None:
    result = read(raw, context())
    assert result.intervals == days(*expected)
    assert result.flags == flags


def test_a_leap_day_of_a_common_year_is_the_day_before_or_after() -> None:
    result = read("29/02/2010", context())
    assert result.intervals == days(date(2010, 2, 28), date(2010, 3, 1))
    assert result.flags == {Flag.INVALID_LEAP}
    assert read("2008-02-29", context()).flags == frozenset()
    assert read("2010-02-30", context()).flags == {Flag.MISSING}


@given(st.dates(date(1930, 1, 1), TODAY - timedelta(days=3)), st.integers(-2, 2))
def test_the_day_of_birth_survives_a_shift_through_utc_near_midnight(day: date, offset: int) -> None:
    """Local midnight stored as UTC, by a machine two hours around Greenwich: the true day is among the readings."""
    stored = datetime(day.year, day.month, day.day, tzinfo=timezone(timedelta(hours=offset))).astimezone(UTC)
    assert Interval.day(day) in read(stored.strftime("%Y-%m-%dT%H:%M:%SZ"), Context(on=TODAY)).intervals


@given(st.dates(date(1930, 1, 1), TODAY - timedelta(days=1463)), st.sampled_from((1900, 1904)))
def test_the_true_date_is_among_the_readings_of_a_serial_number(day: date, epoch: int) -> None:
    first = date(1899, 12, 30) if epoch == 1900 else date(1904, 1, 1)
    if (serial := (day - first).days) >= 10_000:
        assert Interval.day(day) in read(str(serial), Context(on=TODAY)).intervals


@given(st.text(max_size=30))
def test_nothing_that_people_type_raises(raw: str) -> None:
    result = read(raw, context())
    assert result.usable or result.flags


@given(st.dates(date(1917, 1, 1), TODAY - timedelta(days=1)))
def test_iso_and_date_agree(day: date) -> None:
    assert read(day.isoformat(), context()) == read(day, context())


@given(st.dates(date(1917, 1, 1), TODAY), st.sampled_from("/.-"))
def test_the_true_date_is_always_among_the_readings(day: date, mark: str) -> None:
    written = f"{day.day}{mark}{day.month:02d}{mark}{day.year}"
    free = Context(on=TODAY)
    result = read(written, free)
    assert Interval.day(day) in result.intervals
    assert len(result.intervals) <= 2
    short = read(f"{day.day}{mark}{day.month:02d}{mark}{day.year % 100:02d}", free)
    assert Interval.day(day) in short.intervals


def test_a_spreadsheet_may_have_counted_from_1904() -> None:
    result = read("2009-05-02", context(spreadsheet=True))
    assert result.intervals == days(date(2005, 5, 1), date(2009, 5, 2), date(2013, 5, 3))
    assert result.flags == {Flag.SPREADSHEET_EPOCH}


def test_another_epoch_that_makes_no_sense_is_no_reading() -> None:
    result = read("2014-05-02", context(spreadsheet=True))  # plus four years: too young to have registered
    assert result.intervals == days(date(2010, 5, 1), date(2014, 5, 2))
    assert result.flags == {Flag.SPREADSHEET_EPOCH}


def test_a_far_too_frequent_first_of_january_says_the_year_at_most() -> None:
    result = read("2010-01-01", context(year_only=frozenset({date(2010, 1, 1)})))
    assert result.intervals == (Interval(date(2010, 1, 1), date(2010, 12, 31)),)
    assert result.flags == {Flag.YEAR_ONLY}


def test_another_first_of_january_is_a_day_like_any_other() -> None:
    result = read("2009-01-01", context(year_only=frozenset({date(2010, 1, 1)})))
    assert result.intervals == days(date(2009, 1, 1))
    assert result.flags == frozenset()
