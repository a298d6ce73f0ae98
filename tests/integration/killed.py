"""Work in a process of its own, ended with SIGKILL between any two things that it does to the world.

A moment is ``step/what/number``: the ``number``-th commit, writing S3 request or mail of that step, before (``commit``,
``send POST``, ``mail``) or after it (``committed``, ``sent POST``, ``mailed``), or what a step adds of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from multiprocessing.connection import Connection
from typing import Any

from privacy_ops.stores.database import Database
from privacy_ops.stores.mail import MailServer

ALL = os.environ.get("PRIVACY_OPS_TEST_MOMENTS") == "all"  # every moment and every variant (`make proof`)
READING = frozenset({"GET", "HEAD"})
TIMEOUT = 120

# Each process is a fork of one that has everything imported and has used it once; a fork of pytest itself would have
# copies of its threads. There is one such process to a session, whoever asks: what it holds is said here alone.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.integration.warm"])


@dataclass
class Clock:
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

    def after(self, module: Any, name: str, what: str) -> None:
        """Tick whenever this function of the module has done its work. Only ever in a child process."""
        work = getattr(module, name)

        def ticked(*given: Any, **named: Any) -> Any:
            done = work(*given, **named)
            self.tick(what)
            return done

        setattr(module, name, ticked)


@dataclass(frozen=True)
class Ended:
    """How work in a process of its own ended: its moments, the step it was in, and whether it was killed."""

    moments: tuple[str, ...]
    killed: bool

    @property
    def moment(self) -> str:
        return self.moments[-1]

    @property
    def step(self) -> str:
        return self.moments[-1].partition("/")[0]


def in_a_process(work: Callable[..., None], *given: Any, kill_at: Set[str] = frozenset()) -> Ended:
    """Do ``work(*given, clock)`` in a process that is killed at the first moment of ``kill_at``; none of them: at none.

    Raises AssertionError when it ended in any other way.
    """
    report, theirs = _processes.Pipe(duplex=False)
    child = _processes.Process(target=_begin, args=(work, given, theirs, kill_at))
    child.start()
    theirs.close()
    moments: list[str] = []
    with report, suppress(EOFError):
        while True:
            moments.append(report.recv())
    child.join(TIMEOUT)
    if child.exitcode not in {0, -signal.SIGKILL}:
        raise AssertionError(f"it ended with {child.exitcode} after {moments[-1:]}")
    killed = child.exitcode != 0
    if killed and moments[-1] not in kill_at:
        raise AssertionError(f"somebody else killed it after {moments[-1]}")
    return Ended(tuple(moments), killed)


def _begin(work: Callable[..., None], given: tuple[Any, ...], report: Connection, kill_at: Set[str]) -> None:
    clock = Clock(report, kill_at)
    _watch(clock)
    work(*given, clock)


def _watch(clock: Clock) -> None:
    """Let the clock tick at every commit, writing request and mail. Only ever in a child process."""
    from botocore.httpsession import URLLib3Session

    transaction, send, hand_over = Database.transaction, URLLib3Session.send, MailServer.send

    @contextmanager
    def ticking(self: Database, *, read_only: bool = False) -> Iterator[Any]:
        with transaction(self, read_only=read_only) as connection:
            yield connection
            if not read_only:
                clock.tick("commit")
        if not read_only:
            clock.tick("committed")

    def sending(self: URLLib3Session, request: Any) -> Any:
        if request.method in READING:
            return send(self, request)
        clock.tick(f"send {request.method}")
        answer = send(self, request)
        clock.tick(f"sent {request.method}")
        return answer

    def mailing(self: MailServer, message: EmailMessage) -> None:
        clock.tick("mail")
        hand_over(self, message)
        clock.tick("mailed")

    Database.transaction = ticking  # type: ignore[method-assign]
    URLLib3Session.send = sending  # type: ignore[method-assign]
    MailServer.send = mailing  # type: ignore[method-assign]
