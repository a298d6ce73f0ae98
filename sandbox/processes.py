"""Starts the runtime's long-lived programs so that every one of them can be found and ended again.

Each program leads a session of its own (Ctrl-C in the terminal does not reach it) and writes its pid file
itself before it becomes the program, so no interruption can lose it. Its children are found by session, by
descent, and by a mark in their environment, whichever of the three survives what they do.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MARK = "PRIVACY_OPS_RUNTIME"
NAME = "PRIVACY_OPS_PROCESS"

# Runs before the program: records who it is, then becomes it.
_PRELUDE = """
import json, os, sys
path, command = sys.argv[1], sys.argv[2:]
with open(path + ".new", "w") as file:
    json.dump({"pid": os.getpid()}, file)
os.replace(path + ".new", path)
os.execvp(command[0], command)
"""


@dataclass(frozen=True)
class Processes:
    """The programs of one runtime folder ``var``: pid files in ``var/run``, output in ``var/logs``."""

    var: Path
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def mark(self) -> str:
        return str(self.var.resolve())

    def _pid_file(self, name: str) -> Path:
        return self.var / "run" / f"{name}.json"

    def log(self, name: str) -> Path:
        """Where the program's output goes."""
        return self.var / "logs" / f"{name}.log"

    def names(self) -> list[str]:
        """Programs that were started and not yet ended."""
        return sorted(path.stem for path in (self.var / "run").glob("*.json"))

    def start(self, name: str, command: Sequence[str], *, environ: Mapping[str, str], cwd: Path | None = None) -> int:
        """Start ``command`` in the background; returns its process id. Does nothing when it runs already."""
        running = self.pid(name)
        if running is not None:
            return running
        for folder in (self._pid_file(name).parent, self.log(name).parent):
            folder.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PRELUDE, str(self._pid_file(name)), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                start_new_session=True,
                # Programs that set a title would wipe their environment, and our mark with it: SPT_NOENV.
                env={**environ, MARK: self.mark, NAME: name, "SPT_NOENV": "1"},
            )
        self._wait_recorded(name, process)
        return process.pid

    def run(self, name: str, command: Sequence[str], *, environ: Mapping[str, str], seconds: float) -> int:
        """Run ``command`` to its end, as one of the programs; returns its exit code. Raises TimeoutError."""
        self.start(name, command, environ=environ)
        process = self._children[name]
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop(name, patience=2)
            raise TimeoutError(f"{name} took more than {seconds:.0f} s; its log is {self.log(name)}") from None
        self._pid_file(name).unlink(missing_ok=True)
        return code

    def _wait_recorded(self, name: str, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError, KeyError):
                if json.loads(self._pid_file(name).read_text(encoding="utf-8"))["pid"] == process.pid:
                    break
            time.sleep(0.01)
        self._children[name] = process  # kept, so that its end is noticed

    def pid(self, name: str) -> int | None:
        """Process id of the live program, or None."""
        try:
            pid = int(json.loads(self._pid_file(name).read_text(encoding="utf-8"))["pid"])
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            environ = process.environ()
        except (OSError, ValueError, KeyError, psutil.Error):
            return None
        return pid if environ.get(MARK) == self.mark and environ.get(NAME) == name else None

    def is_running(self, name: str) -> bool:
        return self.pid(name) is not None

    def listens(self, name: str, port: int) -> bool:
        """Whether this very program, and not a stranger, listens on ``port``."""
        pid = self.pid(name)
        if pid is None:
            return False
        with contextlib.suppress(psutil.Error):
            leader = psutil.Process(pid)
            for process in (leader, *leader.children(recursive=True)):
                for socket in process.net_connections("tcp"):
                    if socket.status == psutil.CONN_LISTEN and socket.laddr.port == port:
                        return True
        return False

    def _recorded(self) -> set[int]:
        pids = set()
        for name in self.names():
            with contextlib.suppress(OSError, ValueError, KeyError):
                pids.add(int(json.loads(self._pid_file(name).read_text(encoding="utf-8"))["pid"]))
        return pids

    def members(self, *, name: str | None = None) -> list[psutil.Process]:
        """Every live process of this runtime (of one program with ``name``), leaders and what they started."""
        leaders = self._recorded() if name is None else {p for p in [self.pid(name)] if p is not None}
        # A session id is only ours while its leader is, or while someone in it carries the mark.
        spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
        marked: dict[int, psutil.Process] = {}
        sessions: dict[int, list[psutil.Process]] = {}
        for process in psutil.process_iter():
            if process.pid in spared:
                continue
            with contextlib.suppress(psutil.Error, OSError):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                sessions.setdefault(os.getsid(process.pid), []).append(process)
                environ = process.environ()
                if environ.get(MARK) == self.mark and name in {None, environ.get(NAME)}:
                    marked[process.pid] = process
        found = dict(marked)
        for session, inside in sessions.items():
            if session in leaders and any(p.pid in marked for p in inside):
                found.update((p.pid, p) for p in inside)
        for process in list(found.values()):
            with contextlib.suppress(psutil.Error):
                found.update((p.pid, p) for p in process.children(recursive=True) if p.pid not in spared)
        return list(found.values())

    def stop(self, name: str, *, patience: float = 15) -> None:
        """End one program and all it started."""
        self._end([name], self.members(name=name), patience)
        self._pid_file(name).unlink(missing_ok=True)

    def stop_all(self, *, first: Iterable[str] = (), patience: float = 15, spare: int | None = None) -> int:
        """End every program of this runtime; returns how many processes are left (0, or some are stuck).

        ``first`` are asked first and given time, so that they can still reach the others while they end.
        ``spare`` (a process id) and its children are left alone.
        """
        names = [n for n in first if n in self.names()]
        if names:
            self._end(names, [p for n in names for p in self.members(name=n)], patience)
        for _ in range(3):  # a process may start another one while we look
            left = self._without(spare)
            if not left:
                break
            self._end(self.names(), left, patience)
        remaining = len(self._without(spare))
        if not remaining:
            for name in self.names():
                self._pid_file(name).unlink(missing_ok=True)
        return remaining

    def _without(self, spare: int | None) -> list[psutil.Process]:
        kept = {spare}
        if spare is not None:
            with contextlib.suppress(psutil.Error):
                kept.update(child.pid for child in psutil.Process(spare).children(recursive=True))
        return [process for process in self.members() if process.pid not in kept]

    def _end(self, names: Sequence[str], members: list[psutil.Process], patience: float) -> None:
        # Leaders first, politely: they end their own children best. Then whoever is left, then hard.
        leaders = {pid for pid in map(self.pid, names) if pid is not None}
        rounds = (
            ([p for p in members if p.pid in leaders], signal.SIGTERM, patience),
            (members, signal.SIGTERM, patience / 3),
            (members, signal.SIGKILL, 5.0),
        )
        for targets, send, wait in rounds:
            for process in targets:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(send)
            _wait_gone(members if send == signal.SIGKILL else targets, wait)


def _wait_gone(processes: list[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        alive = False
        for process in processes:
            with contextlib.suppress(psutil.Error):
                if process.is_running() and process.status() == psutil.STATUS_ZOMBIE:
                    with contextlib.suppress(ChildProcessError, OSError):
                        os.waitpid(process.pid, os.WNOHANG)  # our own child: reap it
                elif process.is_running():
                    alive = True
        if not alive:
            return
        time.sleep(0.05)
