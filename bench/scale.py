"""Proof of scale: a large publisher made in flat memory, judged, erased, and looked through by the oracle."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from privacy_ops import runs

from bench import erasing, world
from sandbox.publisher import oracle
from sandbox.publisher.governance import plant_governance

EVENTS_PER_PERSON = 20
MEMORY_LIMIT_MIB = 600  # of any task, whatever the number of people


@dataclass(frozen=True)
class Scale:
    """What was run and what came of it. Seconds by step, peak memory of a step's process in MiB."""

    people: int
    events: int
    rows: int
    seconds: dict[str, float]
    peak_mib: dict[str, float]
    small_people: int
    small_peak_mib: dict[str, float]
    erased: erasing.Erased
    score: dict[str, Any]

    @property
    def failures(self) -> tuple[str, ...]:
        """What does not hold. Empty: proven."""
        found = [f"{name} is {self.score[name]}" for name in oracle.MUST_BE_ZERO if self.score[name]]
        found += [
            f"{step} took {peak:.0f} MiB, more than {MEMORY_LIMIT_MIB}"
            for step, peak in self.peak_mib.items()
            if peak > MEMORY_LIMIT_MIB
        ]
        if not self.score["erased"]:
            found.append("nobody was erased")
        return tuple(found)


def prove(people: int, *, say: Callable[[str], None], folder: Path | None = None) -> Scale:
    """Fill, detect, erase and certify ``people`` people with 20 events each; a tenth of it first, for comparison."""
    today = world.now().date()
    seconds: dict[str, float] = {}
    peaks: dict[str, float] = {}
    with world.stores(folder) as (server, object_settings):
        small = max(people // 10, 1_000)
        world.fresh_buckets(object_settings)
        tenth = world.make(server, object_settings, "tenth", today)
        small_peaks = {
            "generate": tenth.generate(small, small * EVENTS_PER_PERSON)["peak_mib"],
            "detect": tenth.detect()["peak_mib"],
        }
        say(f"{small:,} people: " + ", ".join(f"{step} {peak:.0f} MiB" for step, peak in small_peaks.items()))

        whole = world.make(server, object_settings, "whole", today)
        made = whole.generate(people, people * EVENTS_PER_PERSON, with_objects=True)
        seconds["generate"], peaks["generate"] = made["seconds"], made["peak_mib"]
        with whole.connect() as connection:
            events = world.number(
                connection,
                "SELECT (SELECT count(*) FROM web.page_view) + (SELECT count(*) FROM mobile.usage_event_account)"
                " + (SELECT count(*) FROM mobile.usage_event_anon)",
            )
        say(f"{people:,} people, {made['rows']:,} rows, {events:,} events in {made['seconds']:.0f} s")
        plant_governance(whole.workspace.settings, whole.truth_dsn, now=world.now(), night=0)
        whole.settle()

        found = whole.detect()
        seconds["detect"], peaks["detect"] = found["seconds"], found["peak_mib"]
        say(f"detection in {found['seconds']:.0f} s, {found['peak_mib']:.0f} MiB: {found['opened']:,} cases")
        erased = erasing.erase(whole, found["run_id"])
        seconds |= {"plan": erased.plan, "plan gate": erased.gate, "erase database": erased.execute}
        say(f"{erased.cases:,} people, {erased.rows:,} rows erased in {erased.seconds:.0f} s")
        began = time.monotonic()
        erasing.finish(whole, found["run_id"])
        seconds["erase objects, verify, certify"] = time.monotonic() - began
        say("objects erased, swept and certified")

        began = time.monotonic()
        score = oracle.score(whole.truth_dsn, whole.dsn, object_settings, _as_of(whole, found["run_id"]))
        seconds["oracle"] = time.monotonic() - began
        say(f"oracle: {score['erased']:,} erased, {score['missed']} missed, {score['residual_rows']} residual rows")
    return Scale(people, events, made["rows"], seconds, peaks, small, small_peaks, erased, score)


def _as_of(publisher: world.World, run_id: str) -> datetime:
    with publisher.workspace.database("erase").transaction(read_only=True) as connection:
        return runs.read_run(connection, run_id).as_of
