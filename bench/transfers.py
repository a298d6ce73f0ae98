"""Flows judged under both regimes: time of the processor, and memory at ten times the flows.

python -m bench.transfers [--flows 100000]

Each size runs in a process of its own. Flows are made one after the other, as a snapshot would bring them; making
them is measured apart from judging them. Every territory, every kind of mechanism and every verdict occurs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from privacy_ops.settings import home_directory
from privacy_ops.transfers import reference
from privacy_ops.transfers.flows import Approval, Assessment, DpfListing, Flow, Importer, Mechanism
from privacy_ops.transfers.judge import judge
from privacy_ops.transfers.reference import Reference

FLOWS = 100_000
DAY = date(2026, 11, 22)
LIMIT_SECONDS, LIMIT_MEMORY = 10.0, 1.2


@dataclass(frozen=True)
class Measured:
    """Seconds of the processor and peak memory for so many flows."""

    flows: int
    judging: float
    making: float
    peak_mib: float
    verdicts: dict[str, int]


def _mechanism(name: str, code: str, **said: Any) -> Mechanism:
    return Mechanism(
        mechanism_id=name,
        code=code,
        parties=("acme",),
        signed_on=date(2023, 3, 1),
        annexes=("I", "II", "III", "TABLES"),
        assessment=Assessment(reference="tra", done_on=date(2026, 5, 4)),
        **said,
    )


_SCC = _mechanism("scc", "SCC_2021", modules=(2,), lists_special_category=True)
_GROUNDS: tuple[tuple[Mechanism, ...], ...] = (
    (),
    (_SCC, _mechanism("addendum", "UK_ADDENDUM", beneath="scc")),
    (_SCC, _mechanism("idta", "UK_IDTA", linked_agreement="dpa")),
    (
        _mechanism("scc-wrong", "SCC_2021", modules=(1,)),
        _mechanism("bcr", "BCR", approval=Approval(reference="d", authority="a", approved_on=date(2022, 1, 1))),
    ),
    (_mechanism("old", "SCC_OLD"), _mechanism("idta-ends", "UK_IDTA", ends_on=date(2027, 3, 1))),
)
_IMPORTERS: tuple[dict[str, Any], ...] = (
    {"relationship": "PROCESSOR"},
    {
        "relationship": "PROCESSOR",
        "dpf": DpfListing(
            certified_from=date(2024, 1, 1), data=("NON_HR",), uk_extension_from=date(2024, 1, 1), checked_on=DAY
        ),
    },
    {"relationship": "CONTROLLER", "role": "controller", "subject_to": {"PIPEDA": True, "APPI": False}},
    {"relationship": "OWN_EMPLOYEE"},
    {"relationship": "GROUP_COMPANY", "subject_to": {"PIPA": True}},
)


def flows(tables: Reference, count: int) -> Iterator[Flow]:
    """Different flows, one after the other."""
    codes = [None, *(t.code for t in tables.territories)]
    importers = [Importer(entity_id="acme", name="Acme Example", **said) for said in _IMPORTERS]
    for number in range(count):
        yield Flow(
            place=f"processor:{number}",
            nature="REMOTE_ACCESS" if number % 3 else "STORAGE",
            country=codes[number % len(codes)],
            importer=importers[number // 7 % len(importers)],
            regimes=("UK", "EU"),
            transfer_id=f"t-{number}",
            subject_states=("EU",) if number % 2 else (),
            special_category=number % 7 == 0,
            mechanisms=_GROUNDS[(number // len(codes)) % len(_GROUNDS)],
            owner="platform",
        )


def run(count: int) -> dict[str, Any]:
    """Make and judge ``count`` flows, keeping none of them."""
    tables = reference.load(home_directory() / "include" / "reference")
    began = time.process_time()
    for _ in flows(tables, count):
        pass
    making = time.process_time() - began
    verdicts: Counter[str] = Counter()
    began = time.process_time()
    for flow in flows(tables, count):
        for judgement in judge(flow, tables, DAY, DAY).values():
            verdicts[judgement.verdict.value] += 1
    return {"judging": time.process_time() - began - making, "making": making, "verdicts": dict(verdicts)}


def measure(count: int) -> Measured:
    """One size in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", "judge"],
        input=json.dumps({"flows": count}),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    return Measured(count, said["judging"], said["making"], said["peak_mib"], said["verdicts"])


def main() -> int:
    """Measure, say, and fail above the limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--flows", type=int, default=FLOWS)
    count = parser.parse_args().flows
    few, many = measure(count // 10), measure(count)
    per_flow = many.judging / count * 1e6
    memory = many.peak_mib / few.peak_mib
    print(f"{count:,} flows under two regimes: {many.judging:.2f} s, {per_flow:.0f} µs each (limit {LIMIT_SECONDS} s)")
    print(
        f"making them: {many.making:.2f} s; memory {few.peak_mib:.0f} → {many.peak_mib:.0f} MiB at ten times the flows"
    )
    print(", ".join(f"{n:,} {verdict}" for verdict, n in sorted(many.verdicts.items())))
    return int(many.judging > LIMIT_SECONDS * max(count / FLOWS, 1) or memory > LIMIT_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
