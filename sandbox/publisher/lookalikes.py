"""Adults who look like minors, and dates of birth that no machine may act on."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

from sandbox.publisher.subject import ADULT, Subject, minor_birthday, years_before


def registered_at_seventeen(s: Subject) -> None:
    """Thirty now, a child when the account was made: an adult at discovery."""
    born = years_before(s.anchor, 30) - timedelta(days=int(s.rng.integers(5, 300)))
    s.dob(born)
    s.registered(years_before(born, -17) + timedelta(days=30))


def fixed(day: date) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        s.profile |= {"dob_raw": day.isoformat(), "dob_date": day, "dob_source": "web_form"}

    return make


def first_january_common(s: Subject) -> None:
    """1 January eight years ago and more, far too often: somebody meant only the year."""
    day = date(s.anchor.year - 16, 1, 1)
    s.profile |= {"dob_raw": day.isoformat(), "dob_date": day, "dob_source": "web_form"}
    s.born = (day, day.replace(month=12, day=31))
    s.registered(s.anchor - timedelta(days=150))


def dob_is_registration(days: int) -> Callable[[Subject], None]:
    def make(s: Subject) -> None:
        day = s.anchor - timedelta(days=int(s.rng.integers(20, 900)))
        s.registered(day)
        s.dob(day + timedelta(days=days))
        s.born = None

    return make


def dob_in_future(s: Subject) -> None:
    s.dob(s.anchor + timedelta(days=int(s.rng.integers(400, 3000))))
    s.born = None


def buddhist_year(s: Subject) -> None:
    day = date(s.anchor.year - 16, 4, 1)
    s.dob_text(f"{day.year + 543}-04-01", day, source="api")
    s.registered(s.anchor - timedelta(days=200))


def implausibly_young(s: Subject) -> None:
    """Five when the account was made: a typing error more likely than a reader of five."""
    s.registered(s.anchor - timedelta(days=300))
    s.dob(years_before(s.anchor - timedelta(days=300), 5))


def implausibly_old(s: Subject) -> None:
    s.dob(date(s.anchor.year - 131, 5, 5))
    s.born = None


def doctor_with_typo(s: Subject) -> None:
    """A registered doctor; the year of birth was mistyped."""
    s.registered(s.anchor - timedelta(days=400))
    s.dob(date(s.anchor.year - 14, 3, 17))
    s.profile |= {
        "title": "Dr",
        "occupation_code": "PHYS",
        "occupation_text": "Physician",
        "professional_reg_no": f"{int(s.rng.integers(1_000_000, 9_999_999))}",
        "reg_body": "GMC",
    }


def day_month_spanning(s: Subject) -> None:
    """One order of day and month gives an adult, the other a minor."""
    limit = years_before(s.anchor, ADULT)
    for low in range(1, 13):
        for high in range(low + 1, 13):
            adult, minor = date(limit.year, low, high), date(limit.year, high, low)
            if adult <= limit < minor:
                s.dob_text(f"{high:02d}/{low:02d}/{limit.year}", adult, minor)
                s.registered(s.anchor - timedelta(days=300))
                return
    # Late in December no such pair exists.
    s.dob_text(f"02/03/{limit.year - 1}", date(limit.year - 1, 2, 3), date(limit.year - 1, 3, 2))


def two_digit_adult(s: Subject) -> None:
    s.dob_text("14/05/68", source="import_csv")


def either_century(s: Subject) -> None:
    """A nine-year-old, or somebody of a hundred and nine."""
    year = s.anchor.year - 9
    s.dob_text(f"14/05/{year % 100:02d}", date(year - 100, 5, 14), date(year, 5, 14), source="import_csv")
    s.registered(s.anchor - timedelta(days=30))


def excel_1904_spanning(s: Subject) -> None:
    """A minor, or an adult if the sheet counted from 1904."""
    born = years_before(s.anchor, 17) - timedelta(days=20)
    s.dob(born, source="import_xlsx")
    s.born = (born - timedelta(days=1462), born + timedelta(days=1462))
    s.account["source"] = "import"
    s.registered(s.anchor - timedelta(days=200))


def utc_shift_spanning(s: Subject) -> None:
    """Written as an instant: eighteen in one time zone, seventeen in the next."""
    day = years_before(s.anchor, ADULT)
    s.dob_text(f"{day}T23:30:00Z", day, day + timedelta(days=1), source="api")


def year_only_spanning(s: Subject) -> None:
    year = s.anchor.year - ADULT
    s.dob_text(f"{year}", date(year, 1, 1), date(year, 12, 31), source="import_csv")


def month_only_spanning(s: Subject) -> None:
    first = date(s.anchor.year - ADULT, s.anchor.month, 1)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    s.dob_text(f"{first:%Y-%m}", first, last, source="import_csv")


def raw_and_date_disagree(s: Subject) -> None:
    """The text says an adult, the date column a minor: both readings stand."""
    s.dob(minor_birthday(s))
    s.profile["dob_raw"] = "1988-06-15"
    s.born = None  # both stand, for as long as nobody decides
    s.registered(s.anchor - timedelta(days=300))


def history(s: Subject, earlier: date, later: date, by: str) -> None:
    s.dob(later)
    s.born = None
    s.registered(s.anchor - timedelta(days=500))
    s.extra.append(
        lambda: s.people.rows.add(
            "core.user_profile_history",
            user_id=s.user_id,
            valid_from=s.moment(499),
            valid_to=s.moment(30),
            dob_raw=earlier.isoformat(),
            dob_date=earlier,
            dob_source="web_form",
            changed_by=by,
            reason="date of birth",
        )
    )


def changed_adult_to_minor(s: Subject) -> None:
    history(s, date(1985, 7, 9), minor_birthday(s, 12, 16), "user")


def changed_minor_to_adult(s: Subject) -> None:
    history(s, minor_birthday(s, 12, 16), date(s.anchor.year - 25, 7, 9), "user")


def corrected_by_support(s: Subject) -> None:
    """An adult mistyped the year; support checked, and corrected it."""
    history(s, minor_birthday(s, 12, 16), date(s.anchor.year - 30, 7, 9), "support")


def medical_student(s: Subject) -> None:
    s.profile |= {"occupation_text": "Medical student", "occupation_code": "STUD", "year_of_study": "2"}
