"""The linked tables of one course and one period: true counts on one side, what a reader gets on the other.

Modules of a course are overlapping sets of people: the course counts their union, so for each count
``largest module ≤ course ≤ sum of modules``. Seconds do add up. A ``Counts`` never leaves the process that
counted; a ``PublishedCell`` is all that is ever stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Flag = Literal["published", "withheld"]

# Distinct people per cell. Starters and completers are some of the learners.
COUNTS = ("learners", "starters", "completers")


@dataclass(frozen=True)
class Counts:
    """True facts of one cell: distinct people, and seconds after the daily cap."""

    learners: int = 0
    starters: int = 0
    completers: int = 0
    seconds: int = 0

    def __post_init__(self) -> None:
        if min(self.learners, self.starters, self.completers, self.seconds) < 0:
            raise ValueError("a count is below zero")
        if max(self.starters, self.completers) > self.learners:
            raise ValueError("starters and completers are learners, there cannot be more of them")


@dataclass(frozen=True)
class CourseTable:
    """True facts of one course and its modules in one period. A module nobody used is there with zeros."""

    course_id: str
    course: Counts
    modules: Mapping[str, Counts]

    def __post_init__(self) -> None:
        for name in COUNTS:
            parts = [getattr(counts, name) for counts in self.modules.values()]
            if not max(parts, default=0) <= getattr(self.course, name) <= sum(parts):
                raise ValueError(f"{name} of course {self.course_id} do not fit those of its modules")
        if sum(counts.seconds for counts in self.modules.values()) != self.course.seconds:
            raise ValueError(f"the seconds of course {self.course_id} are not the sum of its modules'")


@dataclass(frozen=True)
class PublishedCell:
    """One cell as any reader may see it. ``module_id`` None is the course itself.

    A withheld cell holds nothing at all: too few, none, and withheld to protect another look the same.
    """

    course_id: str
    module_id: str | None
    flag: Flag
    learners: int | None = None
    starters: int | None = None
    completers: int | None = None
    mean_minutes_band: str | None = None

    def __post_init__(self) -> None:
        values = (self.learners, self.starters, self.completers, self.mean_minutes_band)
        if self.flag == "withheld" and any(v is not None for v in values):
            raise ValueError("a withheld cell holds a value")
        if self.flag == "published" and any(v is None for v in values):
            raise ValueError("a published cell lacks a value")
