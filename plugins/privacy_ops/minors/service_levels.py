"""What "immediately" comes to: eight figures measured from rows, with target, limit and what is over it.

M1 evidence seen → restricted, M2 restricted → decided by people (working days), M3 confirmed → erased in the database,
M4 → erased in every store, M5 told → acknowledged, M6 last backup overwritten, M7 what came back, M8 cleared after
restricting. Whatever still waits is measured up to now: an open case cannot look good by staying open.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from privacy_ops import runs, working_days
from privacy_ops.minors import decisions
from privacy_ops.minors.decisions import DUE_DAYS
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace

# Not measured against the clock of erasing: the law suspends it, or people decide.
_SUSPENDED = frozenset({"ON_HOLD", "CLEARED"})


@dataclass(frozen=True)
class Level:
    """One figure. ``unit``: hours, working days, days, count, share. ``over``: beyond the target; ``breached``: the
    limit. ``open``: how many of those measured still wait."""

    metric: str
    title: str
    unit: str
    measured: int
    target: float | None
    limit: float | None
    median: float | None
    worst: float | None
    over: int = 0
    breached: int = 0
    open: int = 0
    note: str = ""


@dataclass
class _Spans:
    """Durations in one unit, and how many of them still run."""

    values: list[float] = field(default_factory=list)
    targets: list[float] = field(default_factory=list)
    open: int = 0

    def add(self, value: float, target: float, *, still: bool) -> None:
        self.values.append(value)
        self.targets.append(target)
        self.open += still

    def level(self, metric: str, title: str, unit: str, target: float, limit: float, note: str = "") -> Level:
        return Level(
            metric,
            title,
            unit,
            len(self.values),
            target,
            limit,
            round(statistics.median(self.values), 2) if self.values else None,
            round(max(self.values), 2) if self.values else None,
            sum(value > own for value, own in zip(self.values, self.targets, strict=True)),
            sum(value > limit for value in self.values),
            self.open,
            note,
        )


def measure(workspace: Workspace, *, now: datetime, duty: str = "review") -> list[Level]:
    """All eight over the window before ``now``, and everything that still waits."""
    limits = workspace.thresholds
    since = now - timedelta(days=limits.service_levels.window_days)
    with workspace.database(duty).transaction(read_only=True) as connection:
        cases = _rows(connection, "select_cases", since, now)
        instructions = _rows(connection, "select_instructions", since, now)
        backups = _rows(connection, "select_backups", since, now)
        (returns,) = _rows(connection, "select_returns", since, now)
    return [
        restricted(cases, limits, now),
        decided(cases, limits, now),
        *erased(cases, limits, now),
        acknowledged(instructions, limits, now),
        backed_up(backups, limits, now),
        Level("M7", "Erased people found again", "count", returns.sweeps, 0, 0, None, returns.returned,
              returns.returned, returns.returned, note="of the sweeps after erasure"),
        false_positives(cases),
    ]  # fmt: skip


def _rows(connection: Connection, name: str, since: datetime, now: datetime) -> Sequence[Any]:
    return connection.execute(statement("service_levels", name), {"since": since, "now": now}).all()


def restricted(cases: Iterable[Any], limits: Thresholds, now: datetime) -> Level:
    """M1, of everybody whom a class restricts and whose evidence says when it came."""
    level, spans, backlog = limits.service_levels.restricted, _Spans(), 0
    for case in cases:
        if case.subject_kind != "person" or case.restriction == "NONE" or case.available_at is None:
            continue
        backlog += case.backlog
        own = level.scan_hours if case.backlog else level.target_hours
        end = case.restricted_at or now
        spans.add(_hours(case.available_at, end), own, still=case.restricted_at is None)
    note = f"{backlog} stood there before anybody looked, or do not say when they came: target {level.scan_hours:g} h"
    return spans.level(
        "M1", "Evidence seen to restricted", "hours", level.target_hours, level.breach_hours, note if backlog else ""
    )


def decided(cases: Iterable[Any], limits: Thresholds, now: datetime) -> Level:
    """M2, of every case that people decide; not of those that wait for a birthday, nor where nobody was restricted."""
    level, spans = limits.service_levels.decided, _Spans()
    for case in cases:
        case_class = case._mapping["class"]
        by_people = case_class in decisions.REVIEWED or case.objected_at is not None
        if not by_people or (case.decision is None and case.state in {"CLOSED", "CLEARED"}):
            continue
        start = case.objected_at or case.restricted_at or case.discovered_at
        if case_class in {"INDETERMINATE", "ADULT_NOW_COLLECTED_AS_MINOR"}:
            continue
        days = working_days.waited(start, case.decided_at or now, limits.legal_timezone)
        spans.add(days, DUE_DAYS.get(case_class, level.target_days), still=case.decided_at is None)
    return spans.level("M2", "Restricted to decided by people", "working days", level.target_days, level.breach_days)


def erased(cases: Iterable[Any], limits: Thresholds, now: datetime) -> tuple[Level, Level]:
    """M3 and M4, from the confirmation: the person's own statement, or the people who decided."""
    levels = limits.service_levels
    primary, everywhere = _Spans(), _Spans()
    for case in cases:
        by_machine = case._mapping["class"] == "CONFIRMED_MINOR" and case.objected_at is None
        if not (by_machine or case.decision == "CONFIRMED") or case.state in _SUSPENDED:
            continue
        start = case.decided_at or case.discovered_at
        for spans, target, end in (
            (primary, levels.erased.target_hours, case.erased_at),
            (everywhere, levels.everywhere.target_hours, case.everywhere_at),
        ):
            spans.add(_hours(start, end or now), target, still=end is None)
    return (
        primary.level("M3", "Confirmed to erased", "hours", levels.erased.target_hours, levels.erased.breach_hours),
        everywhere.level(
            "M4",
            "Confirmed to erased in every store",
            "hours",
            levels.everywhere.target_hours,
            levels.everywhere.breach_hours,
        ),
    )


def acknowledged(instructions: Iterable[Any], limits: Thresholds, now: datetime) -> Level:
    """M5; whoever was never reached is measured since the instruction was written."""
    level, spans = limits.service_levels.acknowledged, _Spans()
    for row in instructions:
        start = row.instructed_at or row.created_at
        spans.add(_hours(start, row.acked_at or now), level.target_hours, still=row.acked_at is None)
    return spans.level("M5", "Told to acknowledged", "hours", level.target_hours, level.breach_hours)


def backed_up(backups: Iterable[Any], limits: Thresholds, now: datetime) -> Level:
    """M6, in days since the erasure."""
    spans, days = _Spans(), float(limits.backup_max_age_days)
    today = now.astimezone(ZoneInfo(limits.legal_timezone)).date()
    unseen = 0
    for row in backups:
        end = row.aged_out_at or now
        spans.add(_hours(row.erased_at, end) / 24, days, still=row.aged_out_at is None)
        unseen += row.aged_out_at is None and today > row.ages_out_on
    note = f"{unseen} past their day without a list of backups that shows it" if unseen else ""
    return spans.level("M6", "Erased to last backup overwritten", "days", days, days, note)


def false_positives(cases: Iterable[Any]) -> Level:
    """M8: reported, never a target: a target would teach people not to restrict."""
    all_restricted = [case for case in cases if case.restricted_at is not None]
    cleared = sum(case.decision == "CLEARED" for case in all_restricted)
    share = round(cleared / len(all_restricted), 4) if all_restricted else None
    return Level("M8", "Cleared after restricting", "share", len(all_restricted), None, None, share, None)


def _hours(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 0.0) / 3600


def facts(levels: Iterable[Level]) -> dict[str, Any]:
    """The figures for the record of a run, and the names of those that are breached."""
    found = {level.metric: asdict(level) for level in levels}
    return {"service_levels": found, "breached": [name for name, level in found.items() if level["breached"]]}


def record(workspace: Workspace, run: Run, *, now: datetime, duty: str = "erase") -> list[str]:
    """Measure, and keep the figures in the record of a run; returns the names of what is over its limit."""
    found = facts(measure(workspace, now=now, duty=duty))
    with workspace.database(duty).transaction() as connection:
        runs.add_facts(connection, run.run_id, found)
    breached: list[str] = found["breached"]
    return breached
