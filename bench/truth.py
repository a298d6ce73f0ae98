"""Proof of the ground truth: publishers from several seeds, judged, erased, and compared with what was planted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from privacy_ops import runs

from bench import erasing, world
from sandbox import provision
from sandbox.publisher import oracle
from sandbox.publisher.governance import plant_governance

EVENTS_PER_PERSON = 5  # events are the matter of the proof of scale
FOUND = ("suspected", "flags")  # of whom as many must be found as were planted


@dataclass(frozen=True)
class Judged:
    """What came of one seed."""

    seed: int
    people: int
    seconds: float
    score: dict[str, Any]

    @property
    def failures(self) -> tuple[str, ...]:
        """What does not hold. Empty: proven."""
        found = [f"seed {self.seed}: {name} is {self.score[name]}" for name in oracle.MUST_BE_ZERO if self.score[name]]
        found += [
            f"seed {self.seed}: of {self.score[f'{what}_planted']} {what} {self.score[f'{what}_found']} were found"
            for what in FOUND
            if self.score[f"{what}_found"] != self.score[f"{what}_planted"]
        ]
        if not self.score["erased"]:
            found.append(f"seed {self.seed}: nobody was erased")
        return tuple(found)


def prove(people: int, seeds: Sequence[int], *, say: Callable[[str], None]) -> tuple[Judged, ...]:
    """One publisher after the other, each with a night of its own; returns what came of each."""
    found = []
    with world.stores() as (server, object_settings):
        for seed in seeds:
            began = time.monotonic()
            world.fresh_buckets(object_settings)
            made = world.make(server, object_settings, f"seed_{seed}", world.now().date())
            made.generate(people, people * EVENTS_PER_PERSON, with_objects=True, seed=seed)
            plant_governance(made.workspace.settings, made.truth_dsn, now=world.now(), night=0)
            made.settle()
            run_id = made.detect()["run_id"]
            erasing.erase(made, run_id)
            erasing.finish(made, run_id)
            with made.workspace.database("erase").transaction(read_only=True) as connection:
                as_of = runs.read_run(connection, run_id).as_of
            score = oracle.score(made.truth_dsn, made.dsn, object_settings, as_of)
            found.append(Judged(seed, people, time.monotonic() - began, score))
            say(
                f"seed {seed}: {score['erased']:,} erased, {score['missed']} missed, {score['wrongly_erased']} wrongly"
                f" erased, {score['residual_rows']} residual rows, {score['suspected_found']:,} of"
                f" {score['suspected_planted']:,} suspected; {time.monotonic() - began:.0f} s"
            )
            for database in (made.name, f"{made.name}_truth"):
                provision.drop_database(server, database)
    return tuple(found)
