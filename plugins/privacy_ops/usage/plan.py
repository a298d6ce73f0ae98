"""What a run is to release: its week, the periods that close with it, the packs, and who may be given what.

Derived from gov alone, so every step of a run, and the gate between them, arrives at the same plan by itself.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from privacy_ops.errors import ReleaseRefused, UserError
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.usage import base_period, corrections, counting, drawing, periods, weeks
from privacy_ops.usage.corrections import Correction
from privacy_ops.usage.frames import parts_of
from privacy_ops.usage.master import Master, read_revisions
from privacy_ops.usage.periods import Period
from privacy_ops.usage.protection import IN_FILES, Protected, cells_of, told
from privacy_ops.usage.recipients import CLAUSES
from privacy_ops.usage.release_spec import BasePeriod, Product, ReleaseSpec
from privacy_ops.usage.weeks import Window


@dataclass(frozen=True)
class Grant:
    """One course of one recipient; no modules named means all of them."""

    course_id: str
    modules: tuple[str, ...] = ()
    agreements: tuple[str, ...] = ()

    def covers(self, module_id: str) -> bool:
        return not self.modules or module_id in self.modules

    def includes(self, other: Grant) -> bool:
        """Whether it gives everything of the same course that ``other`` gives."""
        modules = not self.modules or bool(other.modules and set(other.modules) <= set(self.modules))
        return self.course_id == other.course_id and modules


@dataclass(frozen=True)
class Registered:
    """A release as the register has it."""

    release_id: str
    spec_version: str
    revision: int
    object_prefix: str
    files: tuple[Mapping[str, Any], ...]
    pack_sha256: str
    n_rows: int
    n_withheld: int
    withdrawn: bool


@dataclass(frozen=True)
class PlannedPack:
    """One recipient's pack of one period. ``registered`` when it was released before: then it is only served.

    ``iso_week``: the week with which the period closes. ``revision`` is 0 unless it corrects the release ``replaces``.
    ``drawn_only``: courses of which it has noisy counts and no protected master.
    """

    product: Product
    recipient_id: str
    recipient_name: str
    period: Period
    iso_week: str
    release_id: str
    spec_version: str
    grants: tuple[Grant, ...]
    registered: Registered | None = None
    revision: int = 0
    replaces: Registered | None = field(default=None, hash=False)
    drawn_only: frozenset[str] = frozenset()

    @property
    def prefix(self) -> str:
        """Where its files go in the bucket of exports."""
        return f"exports/{self.product}/{self.recipient_id}/{self.iso_week}/{self.release_id}/"


@dataclass(frozen=True)
class Plan:
    """Packs of everything that closes with a week, by period, product and recipient.

    ``entitled``: courses of which anybody may have anything now, whether a period of theirs closes or not.
    ``withdrawn`` counts releases that are refused for good. Of a correction, ``recounted`` are the courses that are
    counted again by period, ``unchanged`` the packs that turned out to say the same as before, and ``ended`` counts
    releases whose recipient may not be given anything any more.
    """

    window: Window
    packs: tuple[PlannedPack, ...]
    entitled: tuple[str, ...] = ()
    withdrawn: int = 0
    correction: Correction | None = None
    recounted: Mapping[Period, tuple[str, ...]] | None = None
    unchanged: tuple[PlannedPack, ...] = ()
    ended: int = 0

    @property
    def revision(self) -> int:
        """The revision that is being made; 0 when nothing is corrected."""
        return self.correction.revision if self.correction else 0

    @property
    def judged(self) -> Period:
        """The longest period of which anything is counted: its whole input has to be good."""
        found = [pack.period for pack in (*self.packs, *self.unchanged)]
        return max(found, key=lambda period: period.weeks, default=periods.of_week(self.window))

    @property
    def fresh(self) -> tuple[PlannedPack, ...]:
        """Packs that were never released."""
        return tuple(pack for pack in self.packs if pack.registered is None)

    @property
    def needed(self) -> dict[Period, tuple[str, ...]]:
        """Courses that are protected, by period, the finest first: those that fresh packs show from masters."""
        if self.recounted is not None:
            return dict(self.recounted) if self.fresh else {}
        found: dict[Period, set[str]] = defaultdict(set)
        for pack in self.fresh:
            found[pack.period] |= {grant.course_id for grant in pack.grants} - pack.drawn_only
        return {
            period: tuple(sorted(found[period])) for period in sorted(found, key=lambda p: p.weeks) if found[period]
        }

    def lines(self) -> list[str]:
        """The plan as text, for fingerprints."""
        packs = sorted((*self.packs, *self.unchanged), key=lambda pack: pack.prefix)
        return [f"{p.prefix} {grant.course_id} {','.join(grant.modules)}" for p in packs for grant in p.grants]


def release_id(product: str, recipient_id: str, period_key: str, spec_version: str, revision: int = 0) -> str:
    """Follows from what is released, never from the run that does it."""
    text = "\n".join((product, recipient_id, period_key, spec_version, *([str(revision)] if revision else [])))
    return "r" + hashlib.sha256(text.encode()).hexdigest()[:15]


def open_week(connection: Connection, run: Run, window: Window) -> Window:
    """Record the run's week and return the one that stands: clearing a run never moves its week."""
    key = connection.execute(
        statement("usage", "update_run_week"), {"run_id": run.run_id, "iso_week": window.key}
    ).scalar_one()
    return weeks.from_key(str(key), window.timezone)


def week_of(connection: Connection, run: Run, timezone: str) -> Window:
    """The recorded week. Raises UserError when the run has none."""
    key = connection.execute(statement("usage", "select_run_week"), {"run_id": run.run_id}).scalar_one_or_none()
    if key is None:
        raise UserError("this run has no week", where=run.run_id, do="clear the run's first task")
    return weeks.from_key(str(key), timezone)


def release_day(as_of: datetime, timezone: str) -> date:
    """The civil date on which a run releases."""
    return as_of.astimezone(ZoneInfo(timezone)).date()


def make_plan(connection: Connection, run: Run, window: Window, spec: ReleaseSpec) -> Plan:
    """Packs of every period that closes with the week, as entitlements in force on the release day and over the whole
    period allow.

    A course has the tables of its base period, once that is decided. A pack that was released under any spec version
    is planned as it was released, in its newest revision: nothing is ever restated. The public list of a period is
    frozen with its draw: a course that goes by noisy counts alone and came later is left out. A run that carries a
    correction out plans that and nothing else. Raises ReleaseRefused when what it corrects cannot be.
    """
    correction = corrections.of_run(connection, run, window.timezone)
    if correction is not None:
        return _correcting(connection, run, window, spec, correction)
    closing = periods.closing_with(window)
    registered = _registered(connection, closing)
    draws = drawing.read(connection, spec.spec_version, [p.key for p in closing if spec.drawn(p.kind)])
    packs: list[PlannedPack] = []
    entitled: set[str] = set()
    withdrawn = 0
    for period in closing:
        by_pack = _entitled(connection, run, period)
        courses = sorted({row.course_id for rows in by_pack.values() for row in rows})
        entitled |= set(courses)
        bases = base_period.decided(connection, periods.of_kind(window, "quarter"), courses)
        for (product, recipient), rows in sorted(by_pack.items()):
            grants = _due(_merged(rows), period, product, bases, spec)
            if (draw := draws.get(period.key)) is not None:
                alone = _drawn_only(grants, period, product, bases, spec)
                grants = tuple(g for g in grants if g.course_id not in alone or draw.tells_of(g.course_id, g.modules))
            if (known := registered.get((product, recipient, period.key))) is not None:
                entry, grants = known
                if entry.withdrawn:
                    withdrawn += 1
                    continue
                ident, version, revision = entry.release_id, entry.spec_version, entry.revision
            elif grants:
                entry, version, revision = None, spec.spec_version, 0
                ident = release_id(product, recipient, period.key, version)
            else:
                continue
            drawn = _drawn_only(grants, period, product, bases, spec)
            name = rows[0].legal_name
            about = (product, recipient, name, period, window.key, ident, version, grants, entry)
            packs.append(PlannedPack(*about, revision=revision, drawn_only=drawn))
    return Plan(window, tuple(packs), tuple(sorted(entitled)), withdrawn)


def _correcting(connection: Connection, run: Run, window: Window, spec: ReleaseSpec, correction: Correction) -> Plan:
    """Every release of the corrected period, and of the periods that it is counted into, as a new revision.

    Once the masters of the revision are there, only of those packs that say something else than before.
    """
    chain = {period.key: period for period in correction.periods}
    kept: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(
        statement("usage", "select_protected_courses"), {"periods": list(chain), "spec_version": spec.spec_version}
    ):
        kept[row.period_key].add(row.course_id)
    mine = kept[correction.period.key]
    if not mine:
        raise ReleaseRefused(
            "nothing of this period can be corrected: all that was released of it are noisy counts",
            where=correction.period.key,
            do="leave it: they were drawn once, and a second draw would let a reader average the noise away; or"
            " withdraw the release",
        )
    recounted = {period: tuple(sorted(kept[key] & mine)) for key, period in chain.items() if kept[key] & mine}
    found = _Found(connection, spec, recounted, correction.revision)
    packs: list[PlannedPack] = []
    unchanged: list[PlannedPack] = []
    withdrawn = ended = 0
    for (product, recipient, key), (entry, grants) in sorted(_registered(connection, chain.values()).items()):
        period = chain[key]
        if entry.spec_version != spec.spec_version:
            raise ReleaseRefused(
                "what is to be corrected was released under other rules",
                where=f"{key}, {entry.spec_version}",
                do="correct it with the code and spec of that version, or withdraw it: two sets of rules tell too much",
            )
        if not {grant.course_id for grant in grants} & mine:
            continue
        now = _entitled(connection, run, period).get((product, recipient), [])
        if entry.withdrawn:
            withdrawn += 1
            continue
        if not all(any(given.includes(grant) for given in _merged(now)) for grant in grants):
            ended += 1
            continue
        is_made = entry.revision >= correction.revision
        revision = entry.revision if is_made else correction.revision
        pack = PlannedPack(
            product,
            recipient,
            now[0].legal_name,
            period,
            period.windows()[-1].key,
            entry.release_id if is_made else release_id(product, recipient, key, spec.spec_version, revision),
            spec.spec_version,
            grants,
            entry if is_made else None,
            revision,
            None if is_made else entry,
            frozenset(grant.course_id for grant in grants) - kept[key],
        )
        (packs if is_made or found.says_otherwise(pack, entry.revision) else unchanged).append(pack)
    return Plan(window, tuple(packs), tuple(sorted(mine)), withdrawn, correction, recounted, tuple(unchanged), ended)


class _Found:
    """What the masters of a revision say beside those of every revision before it."""

    def __init__(
        self, connection: Connection, spec: ReleaseSpec, recounted: Mapping[Period, tuple[str, ...]], revision: int
    ) -> None:
        self.spec = spec
        self.old: dict[tuple[str, str], list[tuple[int, Master]]] = {}
        self.new: dict[tuple[str, str], Master] = {}
        for period, courses in recounted.items():
            every = read_revisions(connection, spec.spec_version, [period.key], courses, revision=revision)
            for at, masters in every.items():
                self.old[at] = [(number, master) for number, master in masters if number < revision]
                if made := [master for number, master in masters if number == revision]:
                    (self.new[at],) = made

    def says_otherwise(self, pack: PlannedPack, since: int) -> bool:
        """Whether a pack would say something else than in revision ``since``, the last that its recipient was given, in
        its tables or in the charts of its parts; True as long as nothing was counted again."""
        return not self.new or any(
            _told(self._then(at, since).protected, pack.product, self.spec)
            != _told(self.new[at].protected, pack.product, self.spec)
            for grant in pack.grants
            if (own := self.new.get((grant.course_id, pack.period.key))) is not None
            for shown in (pack.period, *parts_of(pack.period, own.base))
            if (at := (grant.course_id, shown.key)) in self.new
        )

    def _then(self, at: tuple[str, str], since: int) -> Master:
        """The newest master of a course and period up to a revision."""
        return [master for number, master in self.old[at] if number <= since][-1]


def _told(kept: Protected, product: Product, spec: ReleaseSpec) -> list[Mapping[Any, Any]]:
    given = spec.audiences[product].tables
    tables = sorted(name for name in given if given[name].profile == "threshold")  # a draw is never made again
    every = (told(cells_of(kept, product, table)) for table in tables)
    return [{entry: value for entry, value in one.items() if entry.measure in IN_FILES} for one in every]


def _entitled(connection: Connection, run: Run, period: Period) -> dict[tuple[Product, str], list[Any]]:
    """Entitlements that cover the period and the day of release, by product and recipient."""
    found: dict[tuple[Product, str], list[Any]] = defaultdict(list)
    for row in connection.execute(
        statement("usage", "select_entitlements"),
        {
            "first_day": period.monday,
            "last_day": period.last_day,
            "release_day": release_day(run.as_of, period.timezone),
            "clauses": list(CLAUSES),
        },
    ):
        found[row.product, row.recipient_id].append(row)
    return found


def _registered(
    connection: Connection, closing: Iterable[Period]
) -> dict[tuple[Product, str, str], tuple[Registered, tuple[Grant, ...]]]:
    """Releases of these periods by product, recipient and period, with the grants of the day they were made."""
    found = {}
    for row in connection.execute(statement("usage", "select_registered"), {"periods": [p.key for p in closing]}):
        entry = Registered(
            row.release_id,
            row.spec_version,
            row.revision,
            row.object_prefix,
            tuple(row.files),
            row.pack_sha256,
            row.n_rows,
            row.n_withheld,
            bool(row.withdrawn),
        )
        grants = tuple(Grant(g["course_id"], tuple(g["modules"]), tuple(g["agreements"])) for g in row.entitlement)
        found[row.product, row.recipient_id, row.period_key] = (entry, grants)
    return found


def _due(
    grants: Iterable[Grant], period: Period, product: Product, bases: Mapping[str, BasePeriod], spec: ReleaseSpec
) -> tuple[Grant, ...]:
    """Grants of courses of which this audience has a table that closes with the period."""
    due = counting.due(period, bases)
    some = {"period"}  # who wrote some modules sees those, and no country or region of the course
    found = []
    for grant in grants:
        has = spec.closing(product, period.kind, due.get(grant.course_id, ()))
        if has & some if grant.modules else has:
            found.append(grant)
    return tuple(found)


def _drawn_only(
    grants: Iterable[Grant], period: Period, product: Product, bases: Mapping[str, BasePeriod], spec: ReleaseSpec
) -> frozenset[str]:
    """Courses of which this audience has noisy counts of the period, and nothing else."""
    due = counting.due(period, bases)
    return frozenset(
        grant.course_id
        for grant in grants
        if not spec.closing(product, period.kind, due.get(grant.course_id, ()), "threshold")
    )


def _merged(rows: Iterable[Any]) -> tuple[Grant, ...]:
    """One grant per course: entitlements add up, and one without a list of modules covers all."""
    scopes: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    agreements: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        scopes[row.course_id].append(tuple(row.module_scope))
        agreements[row.course_id].add(row.agreement_id)
    return tuple(
        Grant(
            course,
            () if () in found else tuple(sorted({m for scope in found for m in scope})),
            tuple(sorted(agreements[course])),
        )
        for course, found in sorted(scopes.items())
    )


def withdrawn_of(connection: Connection, pack: PlannedPack, parts: Iterable[Period]) -> set[str]:
    """Keys of those of ``parts`` of which this recipient's release of this product was withdrawn."""
    return {
        key
        for (product, recipient, key), (entry, _) in _registered(connection, parts).items()
        if entry.withdrawn and (product, recipient) == (pack.product, pack.recipient_id)
    }


def snapshot(pack: PlannedPack) -> list[dict[str, Any]]:
    """The grants as the register keeps them."""
    return [asdict(grant) for grant in pack.grants]


def uncovered(
    pairs: Iterable[tuple[str, str, str]], registry: Iterable[Any], period: Period, on: date
) -> list[tuple[str, str, str]]:
    """(product, recipient, course) that no single agreement and entitlement cover on every needed day.

    Written apart from ``select_entitlements`` on purpose: the gate asks again in another way.
    """
    needed = {day for window in period.windows() for day, _, _ in window.days()} | {on}
    covered = {
        (row.product, row.recipient_id, row.course_id)
        for row in registry
        if row.status == "active"
        and set(CLAUSES) <= set(row.clauses)
        and all(row.entitled_from <= d <= row.entitled_to and row.agreed_from <= d <= row.agreed_to for d in needed)
    }
    return sorted(set(pairs) - covered)
