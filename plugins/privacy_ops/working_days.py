"""Working days in England and Wales: the clock of everything that waits for people. Pure.

Weekends and bank holidays (Banking and Financial Dealings Act 1971, and proclaimed ones) do not count. A day is the
controller's civil date, not a span of 24 hours: what comes in on Friday evening has waited one day on Monday.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_working_day(day: date) -> bool:
    """Neither weekend nor bank holiday."""
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


def between(since: date, until: date) -> int:
    """Working days after ``since`` up to and including ``until``; 0 when ``until`` is not later."""
    days = (until - since).days
    return sum(1 for number in range(1, days + 1) if is_working_day(since + number * ONE_DAY))


def after(since: date, days: int) -> date:
    """The working day that is ``days`` working days after ``since``; for 0 that day itself, or the next working day."""
    day = since
    while days > 0 or not is_working_day(day):
        day += ONE_DAY
        if is_working_day(day) and days > 0:
            days -= 1
    return day


def waited(since: datetime, now: datetime, timezone: str) -> int:
    """Working days between two instants, counted on the civil dates of ``timezone``."""
    zone = ZoneInfo(timezone)
    return between(since.astimezone(zone).date(), now.astimezone(zone).date())
