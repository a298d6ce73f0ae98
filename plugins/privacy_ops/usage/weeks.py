"""ISO weeks in London: the windows of the export. Pure; the one place where a run learns its week.

A week runs from Monday 00:00 to Monday 00:00 London time: 168 hours, 167 when clocks go forward in it, 169 when
they go back. A year has 52 or 53 weeks (2026 has 53).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from privacy_ops.errors import UserError

_KEY = re.compile(r"(\d{4})-W(\d{2})")
ZONE = "Europe/London"


@dataclass(frozen=True, order=True)
class Window:
    """One ISO week. ``start`` and ``end`` are aware datetimes in UTC, end excluded."""

    monday: date
    timezone: str = ZONE

    @property
    def key(self) -> str:
        """For example ``2026-W47``."""
        year, week, _ = self.monday.isocalendar()
        return f"{year:04d}-W{week:02d}"

    @property
    def start(self) -> datetime:
        return midnight(self.monday, self.timezone)

    @property
    def end(self) -> datetime:
        return midnight(self.monday + timedelta(days=7), self.timezone)

    @property
    def last_day(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def hours(self) -> int:
        return int((self.end - self.start) / timedelta(hours=1))

    def days(self) -> tuple[tuple[date, datetime, datetime], ...]:
        """Each London day with its begin and end in UTC."""
        dates = [self.monday + timedelta(days=n) for n in range(7)]
        return tuple((d, midnight(d, self.timezone), midnight(d + timedelta(days=1), self.timezone)) for d in dates)

    def before(self, weeks: int) -> Window:
        return Window(self.monday - timedelta(weeks=weeks), self.timezone)

    def hours_closed(self, now: datetime) -> float:
        """Hours from the end of the week to ``now``; negative while it is open."""
        return (now - self.end) / timedelta(hours=1)


def midnight(day: date, timezone: str) -> datetime:
    """The instant at which a civil day begins there, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def from_key(key: str, timezone: str = ZONE) -> Window:
    """The week called ``key``. Raises UserError for what is not a week that exists."""
    match = _KEY.fullmatch(key)
    if match:
        try:
            return Window(date.fromisocalendar(int(match[1]), int(match[2]), 1), timezone)
        except ValueError:
            pass  # week 00, or 53 of a year that has 52
    raise UserError(
        "there is no such ISO week", where="Param iso_week", do="write it like 2026-W47; weeks run 01 to 52 or 53"
    )


def containing(moment: datetime, timezone: str = ZONE) -> Window:
    """The week in which ``moment`` (aware) falls."""
    if moment.tzinfo is None:
        raise ValueError("the moment has no time zone")
    day = moment.astimezone(ZoneInfo(timezone)).date()
    return Window(day - timedelta(days=day.weekday()), timezone)


def latest_closed(moment: datetime, grace_hours: int, timezone: str = ZONE) -> Window:
    """The newest week that had ended ``grace_hours`` before ``moment``; late events have come by then."""
    return containing(moment - timedelta(hours=grace_hours), timezone).before(1)


def resolve(
    *, iso_week: str | None, interval_end: datetime | None, now: datetime, grace_hours: int, timezone: str = ZONE
) -> Window:
    """The week of a run, however it was started.

    A week named by hand wins; else the end of the data interval of a scheduled or backfilled run decides;
    else (started by hand or REST without either) the wall clock.
    """
    if iso_week:
        return from_key(iso_week, timezone)
    return latest_closed(interval_end or now, grace_hours, timezone)
