"""Ends an export, an hour of deliveries or a withdrawal with SIGKILL between any two things that it does to the world.

Their moments are those of ``killed``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from privacy_ops.runs import Run
from privacy_ops.settings import Settings
from privacy_ops.stores.mail import MailServer
from privacy_ops.usage.delivery import recall
from privacy_ops.usage.delivery.follow_up import follow_up
from privacy_ops.usage.delivery.prepare import prepare
from privacy_ops.usage.delivery.send import send
from privacy_ops.workspace import Workspace

from tests import usage_world
from tests.integration.killed import Clock, in_a_process

WHY, WHO = "One course was counted twice.", "Lena"


def some_of(moments: list[str]) -> list[str]:
    """Every commit of a run, before and after it, and every tenth writing request: all of them take hours."""
    requests = [moment for moment in moments if "/send " in moment or "/sent " in moment]
    return [moment for moment in moments if "/commit" in moment] + requests[::10]


def _hour(settings: Settings, run: Run, now: datetime, clock: Clock) -> None:
    workspace = Workspace.load(settings)
    clock.step = "prepare"
    prepare(workspace, run, now=now)
    clock.step = "follow_up"
    follow_up(workspace, run, now=now)
    clock.step = "send"
    send(workspace, run, MailServer(settings.mail).send, now=now)


def _export(settings: Settings, run: Run, now: datetime, clock: Clock) -> None:
    workspace = Workspace.load(settings)
    for clock.step, step in usage_world.STEPS.items():
        step(workspace, run, now)


def _withdrawal(settings: Settings, release_id: str, now: datetime, clock: Clock) -> None:
    clock.step = "withdraw"
    recall.withdraw(Workspace.load(settings), release_id, reason=WHY, by=WHO, now=now)


def hour(settings: Settings, run: Run, now: datetime, kill_at: str = "") -> list[str]:
    """One hour in a process of its own; returns its moments, of which ``kill_at`` is the last when it came."""
    return _moments(_hour, settings, run, now, kill_at)


def export(settings: Settings, run: Run, now: datetime, kill_at: str = "") -> list[str]:
    """One export in a process of its own, from its first step on."""
    return _moments(_export, settings, run, now, kill_at)


def withdrawal(settings: Settings, release_id: str, now: datetime, kill_at: str = "") -> list[str]:
    return _moments(_withdrawal, settings, release_id, now, kill_at)


def _moments(target: Any, settings: Settings, what: object, now: datetime, kill_at: str) -> list[str]:
    ended = in_a_process(target, settings, what, now, kill_at={kill_at} if kill_at else set())
    assert ended.killed is bool(kill_at), f"it was not killed at {kill_at}"
    return list(ended.moments)
