"""Ends a night with SIGKILL between any two things that it does to the world, in a process of its own.

A moment is ``step/what/number``: the ``number``-th commit or writing S3 request of that step, before (``commit``,
``send POST``) or after it (``committed``, ``sent POST``), or the ``begin`` of the step itself. Inside a transaction:
when the cells under a hold were copied (``copied``), and when a mention was taken out of a text (``taken out``).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from privacy_ops.erasure import redaction
from privacy_ops.erasure.returning import restore
from privacy_ops.erasure.rows import held
from privacy_ops.runs import Run
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database

from tests.integration import nights
from tests.integration.press import workspace_of

ALL = os.environ.get("PRIVACY_OPS_TEST_MOMENTS") == "all"  # every moment and every variant (`make proof`)
READING = frozenset({"GET", "HEAD"})
TIMEOUT = 120

# One process imports everything once; each night is a fork of it. Forking pytest itself would copy its threads.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["great_expectations", "pandas", "boto3", "psycopg", __name__])


@dataclass
class _Clock:
    """Reports every moment, and kills its own process at the first of those it was given."""

    report: Connection
    kill_at: Set[str]
    step: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tick(self, what: str) -> None:
        with self.lock:
            name = f"{self.step}/{what}"
            self.seen[name] += 1
            moment = f"{name}/{self.seen[name]}"
            self.report.send(moment)
            if moment in self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def _watch(clock: _Clock) -> None:
    """Let the clock tick at every commit and every writing request. Only ever in a child process."""
    from botocore.httpsession import URLLib3Session

    transaction, send = Database.transaction, URLLib3Session.send

    @contextmanager
    def ticking(self: Database, *, read_only: bool = False) -> Iterator[Any]:
        with transaction(self, read_only=read_only) as connection:
            yield connection
            if not read_only:
                clock.tick("commit")
        if not read_only:
            clock.tick("committed")

    def sending(self: URLLib3Session, request: Any) -> Any:
        writes = request.method not in READING
        if writes:
            clock.tick(f"send {request.method}")
        answer = send(self, request)
        if writes:
            clock.tick(f"sent {request.method}")
        return answer

    def after(module: Any, name: str, what: str) -> None:
        work = getattr(module, name)

        def ticked(*given: Any, **named: Any) -> Any:
            done = work(*given, **named)
            clock.tick(what)
            return done

        setattr(module, name, ticked)

    after(held, "keep", "copied")
    after(redaction, "_write", "taken out")
    Database.transaction = ticking  # type: ignore[method-assign]
    URLLib3Session.send = sending  # type: ignore[method-assign]


def _night(
    settings: Settings, run: Run, now: datetime, steps: Sequence[str], report: Connection, kill_at: Set[str]
) -> None:
    clock = _Clock(report, kill_at)
    _watch(clock)
    workspace = workspace_of(settings)
    for name in steps:
        clock.step = name
        clock.tick("begin")
        nights.STEPS[name](workspace, run, now)


def _replay(settings: Settings, source: str, now: datetime, report: Connection, kill_at: Set[str]) -> None:
    clock = _Clock(report, kill_at)
    _watch(clock)

    def step(name: str) -> None:
        clock.step, clock.seen = name, Counter()

    restore.replay(workspace_of(settings), source, clock=lambda: now, step=step)


@dataclass(frozen=True)
class Ended:
    """How a night in a process of its own ended: its moments, the step it was in, and whether it was killed."""

    moments: tuple[str, ...]
    killed: bool

    @property
    def moment(self) -> str:
        return self.moments[-1]

    @property
    def step(self) -> str:
        return self.moments[-1].partition("/")[0]


def night(
    settings: Settings, run: Run, now: datetime, *, kill_at: Set[str] = frozenset(), begin: str | None = None
) -> Ended:
    """One night in a process of its own, from the step ``begin`` on (None: the first), killed at the first moment
    of ``kill_at`` (none of them comes: it goes on to its end).
    """
    steps = tuple(nights.STEPS)
    steps = steps[steps.index(begin) :] if begin else steps
    return _in_a_process(_night, settings, run, now, steps, kill_at=kill_at)


def replay(settings: Settings, source: str, now: datetime, *, kill_at: Set[str] = frozenset()) -> Ended:
    """One replay of a restored database; its moments are named by what it says it begins."""
    return _in_a_process(_replay, settings, source, now, kill_at=kill_at)


def _in_a_process(work: Callable[..., None], *given: Any, kill_at: Set[str]) -> Ended:
    report, theirs = _processes.Pipe(duplex=False)
    child = _processes.Process(target=work, args=(*given, theirs, kill_at))
    child.start()
    theirs.close()
    moments: list[str] = []
    with report, suppress(EOFError):
        while True:
            moments.append(report.recv())
    child.join(TIMEOUT)
    if child.exitcode not in {0, -signal.SIGKILL}:
        raise AssertionError(f"it ended with {child.exitcode} after {moments[-1:]}")
    return Ended(tuple(moments), child.exitcode != 0)
