"""One planted person in the making, and what several plants do to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from sandbox.publisher.population import People

ADULT = 18


@dataclass
class Subject:
    """One planted person in the making, and what the truth database will know of them."""

    people: People
    position: int
    account: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    born: tuple[date, date] | None = None
    hold: str | None = None
    canary: bool = False
    token: str | None = None  # a word that nobody else's data holds
    shared_email: bool = False
    extra: list[Callable[[], None]] = field(default_factory=list)  # rows written once the person stands
    kept: list[tuple[str, str, str]] = field(default_factory=list)  # rows that must survive: table, column, value
    # Rows that are people of their own: table, column, value, and whether they are gone, reviewed or quarantined.
    rows_expected: list[tuple[str, str, str, str]] = field(default_factory=list)
    reporter: str | None = None  # who told us about this person

    @property
    def rng(self) -> np.random.Generator:
        return self.people.rng

    @property
    def anchor(self) -> date:
        return self.people.anchor

    @property
    def user_id(self) -> str:
        return self.people.user_id[self.position]

    @property
    def email(self) -> str:
        return self.people.account["email_norm"][self.position]

    def another(self) -> int:
        """Position of somebody else: an ordinary adult if the chunk has any."""
        first = self.people.planted if self.people.size > self.people.planted else 0
        other = int(self.rng.integers(first, self.people.size))
        return other if other != self.position else (other + 1) % self.people.size

    def registered(self, day: date) -> None:
        """The account came into being at noon of ``day``."""
        self.account["created_at"] = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 (UTC by COPY)

    def dob(self, day: date, *, form: str = "date", source: str = "web_form") -> None:
        """A full date of birth: as a date (with its text), as ISO text, or as day/month/year text."""
        self.born = (day, day)
        iso = day.isoformat()
        raw = f"{iso[8:]}/{iso[5:7]}/{iso[:4]}" if form == "dmy" else iso
        self.profile |= {"dob_raw": raw, "dob_date": day if form == "date" else None, "dob_source": source}

    def dob_text(
        self, raw: str, first: date | None = None, last: date | None = None, *, source: str = "web_form"
    ) -> None:
        """A text that may mean any date from ``first`` to ``last`` (one date: ``first`` alone; none: no evidence)."""
        self.born = None if first is None else (first, last or first)
        self.profile |= {"dob_raw": raw, "dob_date": None, "dob_source": source}

    def row(self, table: str, **values: Any) -> int:
        """Write one row with the next number of ``table`` as its ``id``; returns the number."""
        number = self.people.ids.one(table)
        self.people.rows.add(table, id=number, **values)
        return number

    def moment(self, days: float) -> np.datetime64:
        return self.people.ago(days)


def years_before(day: date, years: int) -> date:
    """The same day of the month ``years`` earlier (28 February for a 29th that does not exist)."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def minor_birthday(subject: Subject, low: int = 10, high: int = 17) -> date:
    """A birthday that is no 1 January and at least a month away from the 18th."""
    youngest = years_before(subject.anchor, low)
    oldest = years_before(subject.anchor, high + 1) + timedelta(days=32)
    day = oldest + timedelta(days=int(subject.rng.integers(0, (youngest - oldest).days)))
    return day + timedelta(days=1) if (day.month, day.day) == (1, 1) else day


def recently(subject: Subject, born: date) -> None:
    """Registered in the last year and a half, at ten or older."""
    tenth = years_before(born, -9) + timedelta(days=40)
    earliest = max(subject.anchor - timedelta(days=540), tenth)
    latest = subject.anchor - timedelta(days=3)
    days = max((latest - earliest).days, 0)
    subject.registered(earliest + timedelta(days=int(subject.rng.integers(0, days + 1))))


def minor(subject: Subject, *, form: str = "date") -> None:
    """A full date of birth of a minor."""
    born = minor_birthday(subject)
    if form == "dmy" and born.day <= 12:
        born = born.replace(day=13 + born.day)
    subject.dob(born, form=form, source=("web_form", "api", "conference")[int(subject.rng.integers(0, 3))])
    recently(subject, born)
    subject.account["age_declared_18"] = bool(subject.rng.random() < 0.8) or None


def address(s: Subject, domain: str) -> dict[str, str]:
    """An account's mail address in ``domain``."""
    email = f"{s.people.account['username'][s.position]}@{domain}"
    return {"email_raw": email, "email_norm": email}
