"""Ends an export, an hour of deliveries or a withdrawal with SIGKILL between any two things that it does to the world.

A moment is ``step/what/number``: the ``number``-th commit, writing S3 request or mail of that step, before or after it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from multiprocessing.connection import Connection
from typing import Any

from privacy_ops.runs import Run
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database
from privacy_ops.stores.mail import MailServer
from privacy_ops.usage.delivery import recall
from privacy_ops.usage.delivery.follow_up import follow_up
from privacy_ops.usage.delivery.prepare import prepare
from privacy_ops.usage.delivery.send import send
from privacy_ops.workspace import Workspace

from tests import usage_world

TIMEOUT = 120
WHY, WHO = "One course was counted twice.", "Lena"

# Forking pytest itself would copy its threads.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["boto3", "psycopg", __name__])


def some_of(moments: list[str]) -> list[str]:
    """Every commit of a run, before and after it, and every tenth writing request: all of them take hours."""
    requests = [moment for moment in moments if "/request/" in moment or "/answer/" in moment]
    return [moment for moment in moments if "/commit" in moment] + requests[::10]


@dataclass
class _Clock:
    """Reports every moment, and kills its own process at the one it was given."""

    report: Connection
    kill_at: str
    step: str = ""
    seen: Counter[str] = field(default_factory=Counter)

    def tick(self, what: str) -> None:
        name = f"{self.step}/{what}"
        self.seen[name] += 1
        moment = f"{name}/{self.seen[name]}"
        self.report.send(moment)
        if moment == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _watch(clock: _Clock) -> None:
    """Only ever in a child process."""
    from botocore.httpsession import URLLib3Session

    transaction, send_request, hand_over = Database.transaction, URLLib3Session.send, MailServer.send

    @contextmanager
    def ticking(self: Database, *, read_only: bool = False) -> Iterator[Any]:
        with transaction(self, read_only=read_only) as connection:
            yield connection
            if not read_only:
                clock.tick("commit")
        if not read_only:
            clock.tick("committed")

    def sending(self: URLLib3Session, request: Any) -> Any:
        if request.method in {"GET", "HEAD"}:
            return send_request(self, request)
        clock.tick("request")
        answer = send_request(self, request)
        clock.tick("answer")
        return answer

    def mailing(self: MailServer, message: EmailMessage) -> None:
        clock.tick("mail")
        hand_over(self, message)
        clock.tick("mailed")

    Database.transaction = ticking  # type: ignore[method-assign]
    URLLib3Session.send = sending  # type: ignore[method-assign]
    MailServer.send = mailing  # type: ignore[method-assign]


def _hour(settings: Settings, run: Run, now: datetime, report: Connection, kill_at: str) -> None:
    clock = _Clock(report, kill_at)
    _watch(clock)
    workspace = Workspace.load(settings)
    clock.step = "prepare"
    prepare(workspace, run, now=now)
    clock.step = "follow_up"
    follow_up(workspace, run, now=now)
    clock.step = "send"
    send(workspace, run, MailServer(settings.mail).send, now=now)


def _export(settings: Settings, run: Run, now: datetime, report: Connection, kill_at: str) -> None:
    clock = _Clock(report, kill_at)
    _watch(clock)
    workspace = Workspace.load(settings)
    for clock.step, step in usage_world.STEPS.items():
        step(workspace, run, now)


def _withdrawal(settings: Settings, release_id: str, now: datetime, report: Connection, kill_at: str) -> None:
    clock = _Clock(report, kill_at, "withdraw")
    _watch(clock)
    recall.withdraw(Workspace.load(settings), release_id, reason=WHY, by=WHO, now=now)


def hour(settings: Settings, run: Run, now: datetime, kill_at: str = "") -> list[str]:
    """One hour in a process of its own; returns its moments, of which ``kill_at`` is the last when it came."""
    return _in_a_process(_hour, settings, run, now, kill_at)


def export(settings: Settings, run: Run, now: datetime, kill_at: str = "") -> list[str]:
    """One export in a process of its own, from its first step on."""
    return _in_a_process(_export, settings, run, now, kill_at)


def withdrawal(settings: Settings, release_id: str, now: datetime, kill_at: str = "") -> list[str]:
    return _in_a_process(_withdrawal, settings, release_id, now, kill_at)


def _in_a_process(target: Any, settings: Settings, what: object, now: datetime, kill_at: str) -> list[str]:
    receiving, sending = _processes.Pipe(duplex=False)
    child = _processes.Process(target=target, args=(settings, what, now, sending, kill_at))
    child.start()
    sending.close()
    moments: list[str] = []
    with suppress(EOFError):
        while True:
            moments.append(receiving.recv())
    child.join(TIMEOUT)
    if kill_at:
        assert child.exitcode == -signal.SIGKILL, f"it was not killed at {kill_at}: {child.exitcode}"
        assert moments[-1] == kill_at
    else:
        assert child.exitcode == 0
    return moments
