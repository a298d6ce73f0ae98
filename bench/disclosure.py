"""Protection and attack of the stress bundle: 20 modules × 30 countries (6 regions), × 10 professions, and country ×
profession, all linked, 1,347 cells.

Two sizes: starters alone, and starters with completers among them, which doubles the numbers and links each pair. No
product of the specification is as fine; a course that publishes this much would still be done in its time.

    PYTHONPATH=plugins:. python -m bench.disclosure
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from privacy_ops.disclosure.linked.audit import audit, too_narrow
from privacy_ops.disclosure.linked.protect import protect
from privacy_ops.disclosure.linked.publish import publish
from privacy_ops.disclosure.linked.table import Table

from tests.linked_tables import RULES, stress

BUNDLES = 40
ONE, ALL = 2.0, 75.0  # seconds that one bundle may take, and forty
MEMORY_MIB = 600


@dataclass(frozen=True)
class Measured:
    """Seconds for protection, publication and audit, by the clock and of the processor; numbers withheld by a rule, and
    to protect these; peak memory of the process."""

    slowest: float
    total: float
    slowest_processor: float
    processor: float
    numbers: int
    primaries: int
    secondaries: int
    too_narrow: int
    peak_mib: float


def measure(tables: Iterable[Table]) -> Measured:
    """Each table protected, published and attacked; making them is not counted."""
    slowest = total = slowest_processor = processor = 0.0
    numbers = primaries = secondaries = narrow = 0
    for table in tables:
        wall, cpu = time.perf_counter(), time.process_time()
        mask = protect(table, RULES)
        found = audit(publish(table, mask, RULES), table.frame, RULES, mask.needs)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        slowest, total = max(slowest, wall), total + wall
        slowest_processor, processor = max(slowest_processor, cpu), processor + cpu
        numbers += len(table.frame.keys) * len(table.frame.measures)
        secondaries += mask.costs["linked"]
        primaries += len(mask.withheld) - mask.costs["linked"]
        narrow += len(too_narrow(found))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(slowest, total, slowest_processor, processor, numbers, primaries, secondaries, narrow, peak)


def run(bundles: int = BUNDLES, *, with_completers: bool = False) -> Measured:
    """``bundles`` different ones, one after another in one process of their own, so that its memory is theirs."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        return apart.submit(_run, bundles, with_completers).result()


def _run(bundles: int, with_completers: bool) -> Measured:
    return measure(stress(seed, with_completers=with_completers) for seed in range(bundles))


if __name__ == "__main__":
    for with_completers in (False, True):
        found = run(with_completers=with_completers)
        name = "starters and completers" if with_completers else "starters"
        print(
            f"{name}: {BUNDLES} bundles {found.total:.1f} s by the clock, {found.processor:.1f} s of the processor (at"
            f" most {ALL:.0f}), slowest {found.slowest:.2f} and {found.slowest_processor:.2f} s (at most {ONE:.0f}),"
            f" memory {found.peak_mib:.0f} MiB (at most {MEMORY_MIB}); of {found.numbers:,} numbers {found.primaries:,}"
            f" withheld by rule and {found.secondaries:,} to protect them; {found.too_narrow} intervals too narrow"
        )
