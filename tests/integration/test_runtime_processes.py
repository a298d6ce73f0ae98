"""Ending the runtime leaves no process behind, whatever the programs did to hide."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.processes import MARK, Processes

SLEEP = "import time; time.sleep(600)"
TREE = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True)
subprocess.Popen([sys.executable, "-c", {SLEEP!r}], env={{}})
time.sleep(600)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    some = Processes(tmp_path / "a var with blanks")
    try:
        yield some
    finally:
        some.stop_all(patience=1)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def start(processes: Processes, name: str, code: str) -> int:
    pid = processes.start(name, [sys.executable, "-c", code], environ=dict(os.environ))
    wait_for(lambda: processes.pid(name) == pid)
    return pid


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_tree_ends_with_its_leader(processes: Processes) -> None:
    leader = psutil.Process(start(processes, "tree", TREE))
    wait_for(lambda: len(leader.children()) == 3)
    pids = [leader.pid, *(child.pid for child in leader.children())]

    assert processes.stop_all(patience=3) == 0

    assert all(map(is_gone, pids))
    assert processes.names() == []


def test_children_whose_leader_was_killed_are_found_by_session_and_mark(processes: Processes) -> None:
    leader = psutil.Process(start(processes, "tree", TREE))
    wait_for(lambda: len(leader.children()) == 3)
    children = [child.pid for child in leader.children()]
    leader.kill()
    leader.wait()

    assert processes.stop_all(patience=3) == 0

    assert all(map(is_gone, children))


def test_a_process_with_the_mark_alone_is_found(processes: Processes) -> None:
    lost = subprocess.Popen(
        [sys.executable, "-c", SLEEP], env={**os.environ, MARK: processes.mark}, start_new_session=True
    )
    try:
        wait_for(lambda: lost.pid in {p.pid for p in processes.members()})
        assert processes.stop_all(patience=3) == 0
        assert lost.poll() is not None or is_gone(lost.pid)
    finally:
        lost.kill()
        lost.wait()


def test_a_process_of_another_runtime_is_left_alone(processes: Processes, tmp_path: Path) -> None:
    other = Processes(tmp_path / "another var")
    pid = start(other, "sleeper", SLEEP)
    try:
        assert processes.stop_all(patience=1) == 0
        assert other.pid("sleeper") == pid
    finally:
        other.stop_all(patience=1)


def test_a_program_deaf_to_sigterm_is_ended_hard(processes: Processes) -> None:
    pid = start(processes, "stubborn", STUBBORN)
    time.sleep(0.3)  # it needs a moment to become deaf
    processes.stop("stubborn", patience=0.5)
    assert is_gone(pid)


def test_a_recycled_process_id_is_not_taken_for_ours(processes: Processes) -> None:
    start(processes, "sleeper", SLEEP)
    (processes.var / "run" / "sleeper.json").write_text(f'{{"pid": {os.getpid()}}}')
    assert processes.pid("sleeper") is None


def test_a_second_start_finds_the_first(processes: Processes) -> None:
    pid = start(processes, "sleeper", SLEEP)
    assert start(processes, "sleeper", SLEEP) == pid


def test_ctrl_c_in_the_terminal_does_not_reach_the_programs(processes: Processes) -> None:
    pid = start(processes, "sleeper", SLEEP)
    assert os.getsid(pid) == pid
    assert os.getpgid(pid) != os.getpgid(0)


def test_output_goes_to_the_log(processes: Processes) -> None:
    processes.start("speaker", [sys.executable, "-c", "print('hello')"], environ=dict(os.environ))
    wait_for(lambda: processes.log("speaker").read_text() == "hello\n")


def test_signals_and_sockets_are_not_inherited(processes: Processes) -> None:
    """A server socket of the starter must not live on in a program: its port would stay taken."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start the tests without it
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            start(processes, "sleeper", SLEEP)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
