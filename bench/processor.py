"""Processor time of this process and of PostgreSQL's, as a machine that others use says nothing by its clock; and its
peak memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil


def peak_mib() -> float:
    """The most memory (MiB) that this process held at once.

    ``getrusage`` would begin with what the process held that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    # Linux counts in kilobytes, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def of_session(pid: int) -> float:
    """Processor seconds that the session of PostgreSQL with this process has used: Linux knows them to the nanosecond,
    other systems in hundredths."""
    schedule = Path(f"/proc/{pid}/schedstat")
    if schedule.exists():
        return int(schedule.read_text(encoding="ascii").split()[0]) / 1e9
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


class Meter:
    """Processor seconds of this process and of the sessions that ended.

    postmaster: the process that starts the sessions; it knows what those that ended have used, in hundredths of a
    second.
    """

    def __init__(self, postmaster: int) -> None:
        self._postmaster = psutil.Process(postmaster)

    def used(self) -> float:
        ended = self._postmaster.cpu_times()
        return float(time.process_time() + ended.children_user + ended.children_system)

    def spent(self, work: Callable[[], object], times: int = 1) -> float:
        """Seconds of one turn of ``work``, which closes its sessions; several ``times`` are counted together."""
        before = self.used()
        for _ in range(times):
            work()
        return (self.used() - before) / times
