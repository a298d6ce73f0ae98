"""Ends a night, or a replay of a restored database, with SIGKILL between any two things that it does to the world.

A night's moments are those of ``killed``, with the ``begin`` of each step; inside a transaction also: when the cells
under a hold were copied (``copied``), and when a mention was taken out of a text (``taken out``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from datetime import datetime

from privacy_ops.erasure import redaction
from privacy_ops.erasure.returning import restore
from privacy_ops.erasure.rows import held
from privacy_ops.runs import Run
from privacy_ops.settings import Settings

from tests.integration import nights
from tests.integration.killed import Clock, Ended, in_a_process
from tests.integration.press import workspace_of


def _night(settings: Settings, run: Run, now: datetime, steps: Sequence[str], clock: Clock) -> None:
    clock.after(held, "keep", "copied")
    clock.after(redaction, "_write", "taken out")
    workspace = workspace_of(settings)
    for clock.step in steps:
        clock.tick("begin")
        nights.STEPS[clock.step](workspace, run, now)


def _replay(settings: Settings, source: str, now: datetime, clock: Clock) -> None:
    def step(name: str) -> None:
        clock.step, clock.seen = name, Counter()

    restore.replay(workspace_of(settings), source, clock=lambda: now, step=step)


def night(
    settings: Settings, run: Run, now: datetime, *, kill_at: Set[str] = frozenset(), begin: str | None = None
) -> Ended:
    """One night in a process of its own, from the step ``begin`` on (None: the first), killed at the first moment
    of ``kill_at`` (none of them comes: it goes on to its end).
    """
    steps = tuple(nights.STEPS)
    steps = steps[steps.index(begin) :] if begin else steps
    return in_a_process(_night, settings, run, now, steps, kill_at=kill_at)


def replay(settings: Settings, source: str, now: datetime, *, kill_at: Set[str] = frozenset()) -> Ended:
    """One replay of a restored database; its moments are named by what it says it begins."""
    return in_a_process(_replay, settings, source, now, kill_at=kill_at)
