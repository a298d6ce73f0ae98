"""What changed since the last inventory, and why. Pure.

A verdict is a function of the flow's facts, the reference data, the thresholds, the code and the day. Two snapshots
record all of these, so a change that none of them accounts for is unexplained (check T-13): somebody must find out
what was created, moved or deleted without a word in the registry or the data map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from privacy_ops.transfers.reference import REGIMES, Regime

Kind = Literal["flow_added", "flow_removed", "flow_changed", "verdict_changed"]
UNEXPLAINED = "unexplained"
# What a snapshot was made from, as people call it.
Input = Literal["registry", "data map", "reference data", "thresholds", "code"]


@dataclass(frozen=True)
class Outcome:
    """A verdict as it is compared: what was decided, what carries it, and the step that decided."""

    verdict: str
    instrument: str
    expires_on: date | None
    because: str


@dataclass(frozen=True)
class Line:
    """One flow of a snapshot. ``facts``: everything that the judgement read."""

    key: str
    place: str
    nature: str
    country: str | None
    importer: str
    transfer_id: str | None
    seen_by: tuple[str, ...]
    facts: Mapping[str, Any]
    outcomes: Mapping[Regime, Outcome]

    @property
    def spot(self) -> tuple[str, str, str | None]:
        """What flows where, whoever is said to receive it."""
        return self.place, self.nature, self.country


@dataclass(frozen=True)
class Snapshot:
    """One inventory. ``looked``: what each observer said of itself; one that is absent was not asked."""

    run_id: str
    taken_on: date
    judged_on: date
    inputs: Mapping[Input, str]
    looked: Mapping[str, bool]
    lines: Mapping[str, Line]


@dataclass(frozen=True)
class Change:
    """One difference. ``explanation`` is ``unexplained`` when nothing that was recorded accounts for it."""

    kind: Kind
    flow_key: str
    place: str
    nature: str
    country: str | None
    importer: str
    regime: str  # of a verdict; empty for a flow
    before: str
    after: str
    explanation: str

    @property
    def explained(self) -> bool:
        return self.explanation != UNEXPLAINED


def compare(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Every difference, by place."""
    found = [*_flows(before, after)]
    for key in before.lines.keys() & after.lines.keys():
        found += _same_flow(before, after, before.lines[key], after.lines[key])
    return tuple(sorted(found, key=lambda c: (c.place, c.nature, c.country or "", c.importer, c.kind, c.regime)))


def _flows(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """Flows that came and went."""
    came = [line for key, line in after.lines.items() if key not in before.lines]
    went = [line for key, line in before.lines.items() if key not in after.lines]
    then = {line.spot: line for line in went}
    now = {line.spot: line for line in came}
    for line in came:
        said = _why_came(line, then.get(line.spot), before, after)
        yield _change("flow_added", line, "", _verdicts(line), said)
    for line in went:
        said = _why_went(line, now.get(line.spot), before, after)
        yield _change("flow_removed", line, _verdicts(line), "", said)


def _change(kind: Kind, line: Line, before: str, after: str, said: str, regime: str = "") -> Change:
    return Change(
        kind,
        line.key,
        line.place,
        line.nature,
        line.country,
        line.importer,
        regime,
        before,
        after,
        said or UNEXPLAINED,
    )


def _verdicts(line: Line) -> str:
    return ", ".join(f"{regime} {line.outcomes[regime].verdict}" for regime in REGIMES if regime in line.outcomes)


def _differs(name: Input, before: Snapshot, after: Snapshot) -> bool:
    return before.inputs[name] != after.inputs[name]


def _why_came(line: Line, then: Line | None, before: Snapshot, after: Snapshot) -> str:
    if then is not None and _differs("registry", before, after):
        return f"the registry changed: {line.importer} receives it, before it was {then.importer}"
    declared = line.transfer_id is not None and "registry" in line.seen_by
    if declared and _differs("registry", before, after):
        return f"the registry declares it now, as {line.transfer_id}"
    if "data_map" in line.seen_by and _differs("data map", before, after):
        return "the data map names it now"
    if blind := _not_looking(line, before):
        return f"{blind} did not look last time"
    return ""


def _why_went(line: Line, now: Line | None, before: Snapshot, after: Snapshot) -> str:
    if now is not None and _differs("registry", before, after):
        return f"the registry changed: {now.importer} receives it, before it was {line.importer}"
    if blind := _not_looking(line, after):
        return f"{blind} did not look in this run"
    seen_by = set(line.seen_by)
    # What something else than the papers had seen is gone from the world: new papers do not explain that.
    if seen_by <= {"registry", "data_map"}:
        if "registry" in seen_by and _differs("registry", before, after):
            return "the registry declares it no more"
        if "data_map" in seen_by and _differs("data map", before, after):
            return "the data map names it no more"
    return ""


def _not_looking(line: Line, snapshot: Snapshot) -> str:
    """Names of those who saw the flow in the one snapshot, when none of them looked in the other; else empty."""
    if any(snapshot.looked.get(name, False) for name in line.seen_by):
        return ""
    return ", ".join(line.seen_by)


def _same_flow(before: Snapshot, after: Snapshot, then: Line, now: Line) -> Iterator[Change]:
    fields = tuple(
        name
        for name in sorted(then.facts.keys() | now.facts.keys())
        if then.facts.get(name) != now.facts.get(name)
    )  # fmt: skip
    said = _why_facts(fields, before, after)
    if fields:
        yield _change("flow_changed", now, "", ", ".join(fields), said)
    for regime in REGIMES:
        old, new = then.outcomes.get(regime), now.outcomes.get(regime)
        if old is None or new is None or (old.verdict, old.instrument) == (new.verdict, new.instrument):
            continue
        why = [said] if fields and said else []
        why += [
            f"{name} changed" for name in ("reference data", "thresholds", "code") if _differs(name, before, after)
        ]  # fmt: skip
        if before.judged_on != after.judged_on:
            why.append(_why_day(old, new, before.judged_on, after.judged_on))
        yield _change("verdict_changed", now, _outcome(old), _outcome(new), "; ".join(why), regime)


def _why_facts(fields: tuple[str, ...], before: Snapshot, after: Snapshot) -> str:
    changed = [name for name in ("registry", "data map", "code") if _differs(name, before, after)]
    return f"{' and '.join(changed)} changed: {', '.join(fields)}" if changed and fields else ""


def _why_day(old: Outcome, new: Outcome, then: date, now: date) -> str:
    if old.expires_on is not None and then <= old.expires_on < now:
        return f"the last good day of {old.instrument} was {old.expires_on.isoformat()}"
    return f"judged on {now.isoformat()}, before on {then.isoformat()}: {new.because}"


def _outcome(outcome: Outcome) -> str:
    return f"{outcome.verdict} {outcome.instrument}".rstrip()
