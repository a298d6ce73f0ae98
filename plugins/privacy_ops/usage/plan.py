"""What a run is to release: its week, the packs, and who may be given what.

Derived from gov alone, so every step of a run, and the gate between them, arrives at the same plan by itself.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from privacy_ops.errors import UserError
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.usage import weeks
from privacy_ops.usage.recipients import CLAUSES
from privacy_ops.usage.spec import Spec
from privacy_ops.usage.weeks import Window


@dataclass(frozen=True)
class Grant:
    """One course of one recipient; no modules named means all of them."""

    course_id: str
    modules: tuple[str, ...] = ()
    agreements: tuple[str, ...] = ()

    def covers(self, module_id: str) -> bool:
        return not self.modules or module_id in self.modules


@dataclass(frozen=True)
class Registered:
    """A release as the register has it."""

    release_id: str
    spec_version: str
    object_prefix: str
    files: tuple[Mapping[str, Any], ...]
    pack_sha256: str
    n_rows: int
    n_withheld: int
    withdrawn: bool


@dataclass(frozen=True)
class PlannedPack:
    """One recipient's pack of one week. ``registered`` when it was released before: then it is only served."""

    product: str
    recipient_id: str
    iso_week: str
    release_id: str
    spec_version: str
    grants: tuple[Grant, ...]
    registered: Registered | None = None

    @property
    def prefix(self) -> str:
        """Where its files go in the bucket of exports."""
        return f"exports/{self.product}/{self.recipient_id}/{self.iso_week}/{self.release_id}/"


@dataclass(frozen=True)
class Plan:
    """Packs of a week by product and recipient; ``withdrawn`` counts releases that are refused for good."""

    window: Window
    packs: tuple[PlannedPack, ...]
    withdrawn: int = 0

    @property
    def courses(self) -> tuple[str, ...]:
        """Every course that any pack shows."""
        return tuple(sorted({grant.course_id for pack in self.packs for grant in pack.grants}))

    def lines(self) -> list[str]:
        """The plan as text, for fingerprints."""
        return [f"{p.prefix} {grant.course_id} {','.join(grant.modules)}" for p in self.packs for grant in p.grants]


def release_id(product: str, recipient_id: str, iso_week: str, spec_version: str) -> str:
    """Follows from what is released, never from the run that does it."""
    text = "\n".join((product, recipient_id, iso_week, spec_version))
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


def make_plan(connection: Connection, run: Run, window: Window, spec: Spec) -> Plan:
    """Packs that entitlements in force on the release day and over the whole window allow.

    A pack that was released under any spec version is planned as it was released: nothing is ever restated.
    """
    rows = connection.execute(
        statement("usage", "select_entitlements"),
        {
            "first_day": window.monday,
            "last_day": window.last_day,
            "release_day": release_day(run.as_of, window.timezone),
            "clauses": list(CLAUSES),
        },
    ).all()
    registered: dict[tuple[str, str], tuple[Registered, tuple[Grant, ...]]] = {}
    for row in connection.execute(statement("usage", "select_registered"), {"iso_week": window.key}):
        entry = Registered(
            row.release_id,
            row.spec_version,
            row.object_prefix,
            tuple(row.files),
            row.pack_sha256,
            row.n_rows,
            row.n_withheld,
            bool(row.withdrawn),
        )
        grants = tuple(Grant(g["course_id"], tuple(g["modules"]), tuple(g["agreements"])) for g in row.entitlement)
        registered[row.product, row.recipient_id] = (entry, grants)

    by_pack: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        by_pack[row.product, row.recipient_id].append(row)
    packs: list[PlannedPack] = []
    withdrawn = 0
    for (product, recipient), entitled in sorted(by_pack.items()):
        if (product, recipient) in registered:
            entry, grants = registered[product, recipient]
            if entry.withdrawn:
                withdrawn += 1
                continue
            packs.append(
                PlannedPack(product, recipient, window.key, entry.release_id, entry.spec_version, grants, entry)
            )
        else:
            ident = release_id(product, recipient, window.key, spec.version)
            packs.append(PlannedPack(product, recipient, window.key, ident, spec.version, _merged(entitled)))
    return Plan(window, tuple(packs), withdrawn)


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


def snapshot(pack: PlannedPack) -> list[dict[str, Any]]:
    """The grants as the register keeps them."""
    return [asdict(grant) for grant in pack.grants]


def uncovered(
    pairs: Iterable[tuple[str, str, str]], registry: Iterable[Any], window: Window, on: date
) -> list[tuple[str, str, str]]:
    """(product, recipient, course) that no single agreement and entitlement cover on every needed day.

    Written apart from ``select_entitlements`` on purpose: the gate asks again in another way.
    """
    needed = {day for day, _, _ in window.days()} | {on}
    covered = {
        (row.product, row.recipient_id, row.course_id)
        for row in registry
        if row.status == "active"
        and set(CLAUSES) <= set(row.clauses)
        and all(row.entitled_from <= d <= row.entitled_to and row.agreed_from <= d <= row.agreed_to for d in needed)
    }
    return sorted(set(pairs) - covered)
