"""Makes the masters that are missing: counts in temporary tables, protects in this process, keeps what is protected.

A quarter is linked to what its weeks or blocks told, a year to what its quarters told. Masters of such parts that are
missing are made first, released or not, so that backfills in any order end with the same bytes. True counts exist in
temporary tables and in this process only, until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import UserError
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.usage import base_period, counting, institutions, period_view, periods, places, release_spec, view
from privacy_ops.usage.counting import Postgres, Table, TrueCell
from privacy_ops.usage.frames import parts_of
from privacy_ops.usage.institutions import Spelling
from privacy_ops.usage.master import Master, digest, read_masters, read_revisions, to_json
from privacy_ops.usage.periods import Kind, Period
from privacy_ops.usage.places import Places
from privacy_ops.usage.protection import protect_period
from privacy_ops.usage.release_spec import BasePeriod, ReleaseSpec
from privacy_ops.usage.view import PublicCourse
from privacy_ops.workspace import Workspace

# Everything that a period's master holds; the total of a quarter also where a course goes by weeks.
TABLES: dict[Kind, tuple[Table, ...]] = {
    "week": ("period",),
    "block": ("period",),
    "quarter": ("period", "country_quarter", "region_quarter"),
    "year": ("region_year",),
}
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class References:
    """What a release follows from beside the people: the spec, and the public lists of places and institutions."""

    spec: ReleaseSpec
    places: Places
    spellings: tuple[Spelling, ...]


def references(workspace: Workspace) -> References:
    """Read them all. Raises ConfigError."""
    include = workspace.settings.include
    return References(
        release_spec.load(include / "release_spec.yaml"),
        places.load(include / "reference"),
        institutions.load(include / "registry"),
    )


@dataclass
class Protecting:
    """One transaction's work. The caller holds the export's lock of the year.

    ``correcting``: keys of the periods that are counted again, as ``revision``.
    """

    connection: Connection
    data_map: DataMap
    run: Run
    references: References
    public: Mapping[str, PublicCourse]
    now: datetime
    revision: int = 0
    correcting: frozenset[str] = frozenset()
    made: int = 0
    _counted: dict[tuple[str, str], list[TrueCell]] = field(default_factory=dict)  # by period and course

    def ensure(self, period: Period, courses: Sequence[str]) -> dict[str, Master]:
        """Masters of ``courses`` in ``period``, those that are missing made now.

        Raises UserError for a course that the publisher does not have, ValueError for counts that do not fit.
        """
        version = self.references.spec.spec_version
        least = self.revision if period.key in self.correcting else 0
        kept = read_masters(self.connection, version, [period.key], courses, revision=self.revision, least=least)
        missing = sorted(set(courses) - {course for course, _ in kept})
        if unknown := sorted(set(missing) - set(self.public)):
            raise UserError(
                f"{len(unknown)} entitled course(s) do not exist: {', '.join(unknown)}",
                where="registry of recipients",
                do="correct the course ids and load the registry again",
            )
        found = {course: master for (course, _), master in kept.items()}
        if missing:
            found |= self._make(period, missing)
        return found

    def _make(self, period: Period, courses: Sequence[str]) -> dict[str, Master]:
        bases = self._bases(period, courses)
        told: dict[str, list[Master]] = {course: [] for course in courses}
        for base in sorted(set(bases.values())):
            mine = [course for course in courses if bases[course] == base]
            for part in parts_of(period, base):
                for course, master in self.ensure(part, mine).items():
                    told[course].append(master)
                self._count(part, mine)
        self._count(period, courses)
        open_courses = self._open_courses(period, courses)
        before: Mapping[tuple[str, str], Sequence[tuple[int, Master]]] = {}
        if period.key in self.correcting:
            version = self.references.spec.spec_version
            before = read_revisions(self.connection, version, [period.key], courses, revision=self.revision)
        made = {}
        for course in courses:
            parts = parts_of(period, bases[course])
            cells = [cell for part in (*parts, period) for cell in self._counted[part.key, course]]
            protected = protect_period(
                period,
                bases[course],
                self.public[course],
                self.references.places,
                self.references.spec,
                cells,
                [master.protected for master in told[course]],
                is_open=course in open_courses,
                corrects=[master.protected for _, master in before.get((course, period.key), ())],
            )
            public = self.public[course]
            made[course] = Master(course, period.key, bases[course], public.title, public.modules, protected)
            self._keep(period, made[course], is_open=course in open_courses)
        return made

    def _bases(self, period: Period, courses: Sequence[str]) -> dict[str, BasePeriod]:
        """Of a year, the quarter: a year is linked to quarters, whatever these were linked to."""
        if period.kind == "year":
            return dict.fromkeys(courses, "quarter")
        quarter = periods.of_kind(period.windows()[0], "quarter")
        spec = self.references.spec
        return base_period.decide(self.connection, self.data_map, self.run, spec, quarter, courses, now=self.now)

    def _count(self, period: Period, courses: Sequence[str]) -> None:
        """Count what this transaction has not counted yet."""
        open_ = [course for course in courses if (period.key, course) not in self._counted]
        if not open_:
            return
        self._counted.update({(period.key, course): [] for course in open_})
        lists = period_view.build(
            self.connection, self.data_map, period, self.references.places, self.references.spellings, open_
        )
        tables = dict.fromkeys(open_, TABLES[period.kind])
        for cell in counting.count(Postgres(self.connection), period, lists, tables, self.references.spec.cap_seconds):
            self._counted[period.key, cell.course_id].append(cell)

    def _open_courses(self, period: Period, courses: Sequence[str]) -> set[str]:
        """Courses with enough learners ever by the period's end, or in a period that was protected up to it."""
        latched = self.connection.execute(
            statement("usage", "select_latched_courses"), {"ends_at": period.end, "courses": list(courses)}
        )
        found = {str(row.course_id) for row in latched}
        if ask := [course for course in courses if course not in found]:
            ever = view.count_starters(self.connection, self.data_map, _EVER, period.end, ask)
            least = self.references.spec.thresholds.lifetime_min_learners
            found |= {course for course, learners in ever.items() if learners >= least}
        return found

    def _keep(self, period: Period, master: Master, *, is_open: bool) -> None:
        text = to_json(master)
        self.connection.execute(
            statement("usage", "insert_master"),
            {
                "course_id": master.course_id,
                "period_key": period.key,
                "ends_at": period.end,
                "spec_version": self.references.spec.spec_version,
                "revision": self.revision if period.key in self.correcting else 0,
                "lifetime_reached": is_open,
                "cells": text,
                "sha256": digest(text),
                "run_id": self.run.run_id,
                "protected_at": self.now,
            },
        )
        self.made += 1
