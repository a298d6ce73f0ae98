"""The promises of the policy that the jobs keep: each green, amber or red by its newest evidence. Pure but for `load`.

Red: a job has no evidence newer than twice its period, a gate of its newest run blocks, a limit is broken, or a grave
finding is past its day. Amber: something warns, waits, or did not come to its end. Green: nothing of that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from privacy_ops import safe_yaml
from privacy_ops.errors import ConfigError

Colour = Literal["green", "amber", "red", "none"]
Sign = Literal["service_levels", "canaries", "returns", "ledger"]
_GRAVE = frozenset({"CRITICAL", "HIGH"})
_WORST: tuple[Colour, ...] = ("red", "amber", "green", "none")
EVERYTHING_ELSE = "*"
MOST_WARNINGS = 3  # more of one job are one line
CANARY_HOURS = 26  # a night and its slack: then a planted canary must have been found


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Job(_Frozen):
    """``backfills``: whether a backfill does the work, or only rehearses it."""

    every_hours: float
    backfills: bool = False


class Promise(_Frozen):
    """One sentence of the policy. Without ``jobs`` nothing of this project keeps it."""

    id: str
    section: str
    words: str
    jobs: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    findings: tuple[str, ...] = ()
    part: str = ""


class Promises(_Frozen):
    """The registry. Raises ValidationError for a job that it does not describe and an id that stands twice."""

    jobs: Mapping[str, Job]
    promises: tuple[Promise, ...]

    @model_validator(mode="after")
    def _agree(self) -> Promises:
        named = {job for promise in self.promises for job in promise.jobs}
        if unknown := named - set(self.jobs):
            raise ValueError(f"jobs without a period: {', '.join(sorted(unknown))}")
        ids = [promise.id for promise in self.promises]
        if len(set(ids)) != len(ids):
            raise ValueError("an id stands twice")
        return self

    @property
    def covered(self) -> tuple[Promise, ...]:
        return tuple(p for p in self.promises if p.jobs)

    @property
    def open(self) -> tuple[Promise, ...]:
        return tuple(p for p in self.promises if not p.jobs)

    @property
    def claimed_rules(self) -> frozenset[str]:
        return frozenset(rule for promise in self.promises for rule in promise.findings)


@cache
def load(path: Path) -> Promises:
    """Read the registry. Raises ConfigError."""
    try:
        return Promises.model_validate(safe_yaml.load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"the promises cannot be read: {error}", where=str(path), do="mend the file") from None


@dataclass(frozen=True)
class Gate:
    """The newest verdict of a gate in a job's newest run; ``failing`` are the ids of the checks that do not hold."""

    name: str
    verdict: str
    number: int
    judged_at: datetime
    failing: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobState:
    """The newest real run of a job (None: never) and its gates; ``done_at``: the newest that came to its end."""

    run_id: str | None = None
    state: str = ""
    as_of: datetime | None = None
    done_at: datetime | None = None
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True)
class OpenFindings:
    """How many findings of one rule and severity are open, and how many of them are past their day."""

    rule: str
    severity: str
    open: int
    overdue: int


@dataclass(frozen=True)
class Evidence:
    """What the pages read of gov. ``levels`` are the newest service levels, ``canaries`` (planted at, found)."""

    jobs: Mapping[str, JobState] = field(default_factory=dict)
    findings: Sequence[OpenFindings] = ()
    levels: Mapping[str, Mapping[str, Any]] | None = None
    canaries: Sequence[tuple[datetime, bool]] = ()
    returned: int = 0
    ledger_holds: bool | None = None
    paused: Collection[str] = ()


@dataclass(frozen=True)
class Said:
    """One thing that the evidence says: a colour, in words, and the path of the page that shows it."""

    colour: Colour
    text: str
    link: str = ""


@dataclass(frozen=True)
class Judged:
    """A promise, its colour, what speaks for it (worst first), and how new the oldest of its evidence is."""

    promise: Promise
    colour: Colour
    said: tuple[Said, ...]
    evidence_at: datetime | None


def judge(registry: Promises, evidence: Evidence, now: datetime) -> list[Judged]:
    """Every promise that jobs keep, in the order of the policy."""
    return [_judge(promise, registry, evidence, now) for promise in registry.covered]


def _judge(promise: Promise, registry: Promises, evidence: Evidence, now: datetime) -> Judged:
    said = [s for job in promise.jobs for s in _of_job(job, registry.jobs[job], evidence, now)]
    for sign in promise.signs:
        said.extend(_SIGNS[sign](evidence, now))
    said.extend(_of_findings(promise, registry, evidence.findings))
    said.sort(key=lambda one: _WORST.index(one.colour))
    ends = [evidence.jobs.get(job, JobState()).done_at for job in promise.jobs]
    oldest = None if None in ends else min(end for end in ends if end is not None)
    return Judged(promise, said[0].colour if said else "red", tuple(said), oldest)


def _of_job(name: str, job: Job, evidence: Evidence, now: datetime) -> Iterator[Said]:
    state = evidence.jobs.get(name, JobState())
    link = f"dags/{name}"
    paused = "; it is paused in Airflow" if name in evidence.paused else ""
    if state.done_at is None:
        yield Said("red", f"{name} has never come to its end{paused}", link)
    elif now - state.done_at > timedelta(hours=2 * job.every_hours):
        yield Said("red", f"{name} last came to its end on {state.done_at:%Y-%m-%d %H:%M}{paused}", link)
    else:
        yield Said("green", f"{name} came to its end on {state.done_at:%Y-%m-%d %H:%M}", link)
    for gate in state.gates:
        if gate.verdict == "block":
            yield Said("red", f"gate {gate.name} is shut{_checks(gate)}", f"gates/{gate.number}")
    warning = [gate for gate in state.gates if gate.verdict == "warn"]
    if len(warning) > MOST_WARNINGS:
        yield Said("amber", f"{len(warning)} gates of the newest {name} warn", link)
    else:
        for gate in warning:
            yield Said("amber", f"gate {gate.name} warns{_checks(gate)}", f"gates/{gate.number}")
    if state.state != "done" and state.as_of and state.done_at and state.as_of > state.done_at:
        said = "failed" if state.state == "failed" else "has not come to its end"
        yield Said("amber", f"the newest run of {name} {said}", link)


def _checks(gate: Gate) -> str:
    return f": {', '.join(gate.failing)}" if gate.failing else ""


def _levels(evidence: Evidence, _now: datetime) -> Iterator[Said]:
    if evidence.levels is None:
        yield Said("red", "no run has measured the service levels", "erasures")
        return
    for metric, level in sorted(evidence.levels.items()):
        if level["breached"]:
            yield Said("red", f"{metric} {level['title']}: {level['breached']} beyond the limit", "erasures")
        elif level["over"]:
            yield Said("amber", f"{metric} {level['title']}: {level['over']} beyond the target", "erasures")
    if not any(level["breached"] or level["over"] for level in evidence.levels.values()):
        yield Said("green", "every service level is within its target", "erasures")


def _canaries(evidence: Evidence, now: datetime) -> Iterator[Said]:
    if not evidence.canaries:
        yield Said("amber", "no canary was planted: nobody knows whether the detectors see", "erasures")
        return
    due = [found for at, found in evidence.canaries if now - at > timedelta(hours=CANARY_HOURS) or found]
    missed = due.count(False)
    if missed:
        yield Said("red", f"{missed} of the newest canaries were not found", "erasures")
    elif due:
        yield Said("green", "every canary that was due was found", "erasures")
    else:
        yield Said("amber", "the newest canary waits for its first night", "erasures")


def _returns(evidence: Evidence, _now: datetime) -> Iterator[Said]:
    if evidence.returned:
        yield Said("red", f"data of {evidence.returned} erased people stood somewhere again", "erasures")
    else:
        yield Said("green", "nothing of an erased person has come back", "erasures")


def _ledger(evidence: Evidence, _now: datetime) -> Iterator[Said]:
    if evidence.ledger_holds is None:
        yield Said("amber", "no gate has verified the ledger yet", "erasures")
    elif evidence.ledger_holds:
        yield Said("green", "the chain of the ledger verified", "erasures")
    else:
        yield Said("red", "the chain of the ledger does not verify", "erasures")


_SIGNS = {"service_levels": _levels, "canaries": _canaries, "returns": _returns, "ledger": _ledger}


def _of_findings(promise: Promise, registry: Promises, found: Iterable[OpenFindings]) -> Iterator[Said]:
    if not promise.findings:
        return
    others = EVERYTHING_ELSE in promise.findings
    mine = [f for f in found if f.rule in promise.findings or (others and f.rule not in registry.claimed_rules)]
    for one in mine:
        if one.severity == "INFO":
            continue
        red = one.severity in _GRAVE or one.overdue
        late = f", {one.overdue} past the day" if one.overdue else ""
        text = f"{one.open} open: {one.rule.replace('_', ' ')} ({one.severity.lower()}{late})"
        yield Said("red" if red else "amber", text, "transfers/findings")
    if all(one.severity == "INFO" for one in mine):
        yield Said("green", "no finding about it is open", "transfers/findings")
