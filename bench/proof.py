"""`make proof`: what takes long or needs programs of the system, written to docs/proof.md with what was not proven.

python -m bench.proof [--people 1000000] [--truth-people 200000] [--seeds 1 2 3 4 5] [--schemas 200]
    [--only scale truth schemas crashes flows year attacks utility spark browser report spreadsheets links
     injection fab celery backfills]
    [--weeks 52] [--utility-seeds 1 2 3]
    [--var var]

A proof that cannot run says so; the exit code is 0 only if nothing that ran failed. With ``--only``, what an earlier
run proved stays in the report: each section says when it was carried out, and on which state of the code.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import (
    backfills,
    compose_stack,
    fab,
    injection,
    links,
    overhead,
    pack_pictures,
    pictures,
    scale,
    schemas,
    spark,
    spreadsheets,
    tour,
    truth,
    utility,
    world,
    year,
)
from bench.measure import machine
from sandbox import checks
from sandbox.publisher import flows
from sandbox.runtime import Runtime
from sandbox.state import PROJECT

REPORT = PROJECT / "docs" / "proof.md"
PICTURES = PROJECT / "docs" / "pictures"
FULL = 1_000_000
TRUTH = 200_000
SEEDS = (1, 2, 3, 4, 5)
SCHEMAS = 200
NIGHT = 2_000
CRASHES = (
    "tests/integration/test_crash_night.py",
    "tests/integration/test_crash_stores.py",
    "tests/integration/test_concurrency_night.py",
    "tests/integration/test_delivery_crash.py",
    "tests/integration/test_erasure_restore.py",
    "tests/integration/test_night_of_objects.py",
    "tests/integration/test_usage_release.py",
    "tests/integration/test_usage_drawing.py",
)
# Three to two processors: each waits for its own servers some of the time.
TOGETHER = ("--numprocesses", "3", "--dist", "worksteal", "--timeout", "3600")
_ENDED = re.compile(r"\[gw\d+\] \[ *(\d+%)\] ([A-Z]+(?:\(.*?\)|\[.*?\])?) (.*)")  # pytest's line about a test
ATTACKS = "tests/attack"
PUBLISHED = 0.9  # of the course × base-period cells of a small publisher
FLOWS = "tests/integration/test_transfer_observers.py"
# Programs of the system, and what cannot be proven without them.
PROGRAMS = {
    "chromium": (pictures.BROWSERS, "pictures of the UI in a browser"),
    "chromedriver": (pictures.DRIVERS, "pictures of the UI in a browser"),
    "LibreOffice": (("soffice", "libreoffice"), "released files in a spreadsheet"),
    "Node": (("node",), "links to releases against a server that verifies them"),
    "Redis": (("redis-server", "valkey-server"), "tasks spread over Celery workers"),
    "Java": (("java",), "the aggregate on Spark"),
}


@dataclass(frozen=True)
class Proof:
    """One section of the report. ``state``: proven, failed, or not carried out."""

    title: str
    state: Literal["proven", "failed", "not carried out"]
    lines: tuple[str, ...]


def missing() -> dict[str, str]:
    """Programs that are not there, and what is therefore not proven."""
    return {name: what for name, (commands, what) in PROGRAMS.items() if not any(map(shutil.which, commands))}


def prove_scale(people: int) -> Proof:
    """A large publisher, made, judged and erased."""
    found = scale.prove(people, say=say)
    took = ", ".join(f"{step} {spent:.0f} s" for step, spent in found.seconds.items())
    peaks = ", ".join(f"{step} {peak:.0f} MiB" for step, peak in found.peak_mib.items())
    small = ", ".join(f"{step} {peak:.0f} MiB" for step, peak in found.small_peak_mib.items())
    score = found.score
    size = "" if people >= FULL else f" This is not the full size of {FULL:,} people; the run was asked for less."
    lines = [
        f"- Size: {people:,} people, {found.rows:,} rows, {found.events:,} events.{size}",
        f"- Time: {took}.",
        f"- Peak memory of each step's process: {peaks}; with {found.small_people:,} people: {small}."
        f" Allowed: {scale.MEMORY_LIMIT_MIB} MiB.",
        f"- Erased: {found.erased.cases:,} cases, {found.erased.rows:,} rows deleted, {found.erased.retained:,} emptied"
        " and kept.",
        f"- The oracle, which shares no code with the jobs: {score['erased']:,} of {score['must_erase']:,} planted"
        f" minors erased, {score['held']} held, {score['missed']} missed, {score['wrongly_erased']} wrongly erased,"
        f" {score['residual_rows']} residual rows, {score['residual_objects']} residual objects,"
        f" {score['retained_with_identity']} kept orders that still name their buyer.",
        *(f"- Failed: {failure}." for failure in found.failures),
    ]
    return Proof("Scale", "failed" if found.failures else "proven", tuple(lines))


def prove_truth(people: int, seeds: Sequence[int]) -> Proof:
    """Publishers from several seeds, compared with what was planted."""
    found = truth.prove(people, seeds, say=say)
    failures = [failure for judged in found for failure in judged.failures]
    size = "" if people >= TRUTH and len(seeds) >= len(SEEDS) else " This is less than the full proof."
    lines = [
        f"- {len(seeds)} publishers of {people:,} people, each from a seed of its own.{size}",
        *(
            f"- Seed {j.seed}: {j.score['erased']:,} of {j.score['must_erase']:,} confirmed minors erased,"
            f" {j.score['missed']} missed, {j.score['held']} held; {j.score['wrongly_erased']} wrongly erased,"
            f" {j.score['wrongly_restricted']} wrongly restricted, {j.score['wrongly_released']} wrongly released;"
            f" {j.score['suspected_found']:,} of {j.score['suspected_planted']:,} for people to decide,"
            f" {j.score['class_differs']} in another class than the rules give;"
            f" {j.score['residual_rows']} residual rows, {j.score['residual_objects']} residual objects."
            f" {j.seconds:.0f} s."
            for j in found
        ),
        *(f"- Failed: {failure}." for failure in failures),
    ]
    return Proof("Ground truth", "failed" if failures else "proven", tuple(lines))


def prove_schemas(examples: int) -> Proof:
    """Databases that nobody designed."""
    failures = schemas.prove(examples, say)
    lines = [
        f"- {examples} random schemas of up to 30 tables (circles, composite and self references), every other one"
        " with a kill in the middle: every table holds exactly what must be left, also after a second night.",
        *(f"- Failed: {failure}." for failure in failures),
    ]
    return Proof("Random schemas", "failed" if failures or not examples else "proven", tuple(lines))


def _tests(wanted: Sequence[str], **environment: str) -> tuple[bool, tuple[str, ...]]:
    """Whether these tests pass, and what to say of them: pytest's last line, and each that failed by name.

    Each test, and each moment of one, is said when it ends.
    """
    lines = ["pytest said nothing"]
    with (
        checks.temporary_folder() as folder,
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "-v", "-rfE", "-p", "no:cacheprovider", *TOGETHER, *wanted],
            cwd=PROJECT,
            env={**os.environ, **folder, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as running,
    ):
        assert running.stdout
        for line in filter(None, map(str.strip, running.stdout)):
            lines.append(line)
            if ended := _ENDED.fullmatch(line):
                say("  " + " ".join(filter(None, ended.groups())))
    failed = [line.partition(" - ")[0] for line in lines if line.startswith(("FAILED ", "ERROR ", "SUBFAILED"))]
    return running.returncode == 0, (f"- {lines[-1].strip('= ')}.", *(f"- {line}" for line in failed))


def prove_crashes() -> Proof:
    """The night killed at every moment that it has, and stores that fail in the middle of it."""
    passed, said = _tests(CRASHES, PRIVACY_OPS_TEST_MOMENTS="all")
    lines = (
        "- Killed with SIGKILL before and after every commit and every writing S3 request, and between any two steps;"
        " PostgreSQL killed during the delete; S3 refusing, not answering, late, and deleting by halves; two things"
        " at once. Each time the next try ends in the same rows, objects, ledger facts and certificates as an"
        " undisturbed night.",
        *said,
    )
    return Proof("Crashes and concurrency", "proven" if passed else "failed", lines)


def prove_flows(seeds: Sequence[int]) -> Proof:
    """Undeclared flows of every kind, from several seeds."""
    passed, said = _tests([FLOWS], PRIVACY_OPS_TEST_SEEDS=",".join(map(str, seeds)))
    kinds = len({one.kind for one in flows.Flows.of(1).planted() if not one.declared} | {"replication"})
    lines = (
        f"- Seeds {', '.join(map(str, seeds))}: undeclared flows of {kinds} kinds planted in buckets, server,"
        " connections, access log, people list, annexes and badge scans. Each was found, and no declared look-alike was"
        " called undeclared.",
        *said,
    )
    return Proof(_TITLES["flows"], "proven" if passed else "failed", lines)


def prove_browser(var: Path | None) -> Proof:
    """The UI as a person sees it."""
    title = "The UI in a browser"
    if pictures.browser() is None:
        return Proof(title, "not carried out", ("- Chromium or its driver is missing.",))
    try:
        import selenium  # noqa: F401
    except ImportError:
        return Proof(title, "not carried out", ("- The Python package selenium is not installed.",))
    if var is not None and not (var / "runtime.json").exists():
        return Proof(title, "not carried out", ("- The runtime is not up: run `make demo` first.",))
    runtime = Runtime(var) if var else Runtime()
    if not runtime.status().get("api-server"):
        return Proof(title, "not carried out", ("- The runtime is not up: run `make demo` first.",))
    wrong = pictures.take(runtime, PICTURES)
    taken = sorted(path.name for path in PICTURES.glob("*.png"))
    lines = ["- Logged in through the login page as a made-up person; pictures in docs/pictures:", ""]
    lines += [f"  ![{name.removesuffix('.png')}](pictures/{name})" for name in taken]
    lines += [f"- Failed: {page}: {why}." for page, why in wrong.items()]
    return Proof(title, "failed" if wrong else "proven", tuple(lines))


def prove_tour(var: Path | None) -> Proof:
    """docs/tour.md step by step, and every page of the console with the keyboard alone."""
    title = _TITLES["tour"]
    if pictures.browser() is None:
        return Proof(title, "not carried out", ("- Chromium or its driver is missing.",))
    runtime = Runtime(var) if var else Runtime()
    if not runtime.status().get("api-server"):
        return Proof(title, "not carried out", ("- The runtime is not up: run `make demo` first.",))
    seen, wrong = tour.take(runtime)
    lines = [
        f"- docs/tour.md was walked in Chromium against the demonstration, {len(seen)} pictures taken again: a gate",
        "  shut by a mistake and opened by mending it, a case decided by two people, a backfill, a pack whose sums",
        "  hold, a certificate that verifies offline, what if.",
        "- Every page was walked with Tab alone: each link and field reached, the focus always to be seen.",
        *(f"- Failed: {step}: {why}." for step, why in wrong.items()),
    ]
    return Proof(title, "failed" if wrong else "proven", tuple(lines))


def prove_fab() -> Proof:
    """Airflow's auth manager for production, with its standard roles."""
    wrong = fab.prove()
    roles = ", ".join(sorted(set(fab.PEOPLE.values())))
    lines = [f"- An Airflow with FAB was made, with the roles {roles}; each has exactly the rights of docs/console.md."]
    if wrong:
        lines = [f"- Failed: {name} {why}." for name, why in wrong.items()]
    return Proof(_TITLES["fab"], "failed" if wrong else "proven", tuple(lines))


def prove_injection() -> Proof:
    """Hostile words on every page of the console, in Chromium."""
    title = _TITLES["injection"]
    if pictures.browser() is None:
        return Proof(title, "not carried out", ("- Chromium or its driver is missing.",))
    seen = injection.prove()
    lines = [
        f"- Script elements, attribute breakers, javascript: addresses, frames, style imports, Markdown and formulas"
        f" stood in every text of others (titles, keys, connections, declarations, gates, reasons): {seen.pages} pages",
        f"  opened, every element pointed at, {seen.showing} of them showing the words as text. No script ran,",
        "  no request left, and the policy had nothing to block.",
        "- The same words on a page without escaping were heard by the listener; under the console's policy alone they",
        "  were blocked.",
        *(f"- Failed: {page}: {why}." for page, why in seen.wrong.items()),
    ]
    good = not seen.wrong and seen.showing >= seen.pages // 2
    return Proof(title, "proven" if good else "failed", tuple(lines))


def prove_report(var: Path | None, name: str = "report", made: str = "packs", pictured: str = "pack") -> Proof:
    """The largest report below ``made`` as a reader opens it: a phone's width, dark and light, on paper."""
    title = _TITLES[name]
    if pictures.browser() is None:
        return Proof(title, "not carried out", ("- Chromium or its driver is missing.",))
    reports = sorted(((var or PROJECT / "var") / "demo" / made).rglob("report.html"))
    if not reports:
        return Proof(title, "not carried out", ("- There is no report: run `make demo` first.",))
    folder = PICTURES / pictured
    wrong = pack_pictures.take(max(reports, key=lambda report: report.stat().st_size), folder)
    lines = [
        "- Opened from disk at the width of a phone and of a screen, light and dark, and printed. It loaded nothing,"
    ]
    lines += ["  the browser had nothing to object to, and it is as wide as the window:", ""]
    lines += [f"  ![{path.stem}](pictures/{pictured}/{path.name})" for path in sorted(folder.glob("*.png"))]
    lines += [f"- Failed: {view}: {why}." for view, why in wrong.items()]
    return Proof(title, "failed" if wrong else "proven", tuple(lines))


def prove_spreadsheets(var: Path | None) -> Proof:
    """The released files in LibreOffice."""
    title = "Released files in a spreadsheet"
    if spreadsheets.program() is None:
        return Proof(title, "not carried out", ("- LibreOffice is missing.",))
    packs = (var or PROJECT / "var") / "demo" / "packs"
    if not packs.is_dir():
        return Proof(title, "not carried out", ("- There are no released packs: run `make demo` first.",))
    count, changed = spreadsheets.compare(packs)
    lines = [f"- LibreOffice opened {count} released CSV files; {count - len(changed)} came out with the same values."]
    lines += [f"- Failed: {name} changed." for name in changed]
    return Proof(title, "failed" if changed or not count else "proven", tuple(lines))


def prove_links() -> Proof:
    """Links to releases against a server that verifies signatures and expiry."""
    title = "Links to releases"
    try:
        with links.server() as settings:
            tried = links.attack(settings)
    except links.CannotProve as reason:
        return Proof(title, "not carried out", (f"- Unproven: {reason}.",))
    through = [one.title for one in tried if not one.refused]
    lines = [
        "- Against an S3 server that verifies signature and expiry: an honest link fetches its release;"
        f" {len(tried) - len(through)} of {len(tried)} other requests were refused:"
        f" {', '.join(one.title for one in tried)}.",
        "- Not shown by it: that an unsigned request is refused, which is a matter of the bucket's rights, and that a"
        " link opens one version only: this server keeps no versions.",
        *(f"- Failed: {one} got through." for one in through),
    ]
    return Proof(title, "failed" if through else "proven", tuple(lines))


def prove_celery(people: int) -> Proof:
    """docker-compose.yaml as local processes: a night through CeleryExecutor, one of two workers killed in it."""
    title = _TITLES["celery"]
    try:
        found = compose_stack.prove(people, say)
    except compose_stack.CannotProve as reason:
        return Proof(title, "not carried out", (f"- {reason}.",))
    minors, states = found.minors, ", ".join(name for name, good in found.health.items() if good)
    lines = [
        "- docker-compose.yaml without Docker: the same commands with the same environment as local processes, hosts"
        " replaced by loopback. A real Redis with its password, two Celery workers, FAB with the roles of"
        " docs/roles.md, PostgreSQL and the S3 endpoint of the sandbox (in the place of SeaweedFS).",
        f"- airflow-init ended well; the health checks of {states} passed as they stand in the file.",
        "- The root file system of Airflow's services "
        + ("was read-only, as in the file." if found.read_only else "could not be made read-only here: not shown."),
        f"- minor_data_deletion over {people:,} people: {found.run.state}. {found.killed or 'No worker'} was killed"
        f" (SIGKILL, with all its processes) while it ran {found.killed_in or 'nothing'}; tried again:"
        f" {', '.join(f'{task} ({tries})' for task, tries in found.retried.items()) or 'nothing'}. Two people with the"
        " role of a reviewer let the erasure pass the volume breaker; an engineer started it.",
        f"- After it: {', '.join(f'{dag_id} {state}' for dag_id, state in found.rest.items())}.",
        f"- Ground truth: {minors['erased']} of {minors['must_erase']} erased, {minors['held']} held,"
        f" {minors['missed']} missed, {minors['wrongly_erased']} wrongly erased, {minors['residual_rows']} residual"
        f" rows, {minors['residual_objects']} residual objects.",
        f"- Secrets in the list of processes: {', '.join(found.shown_secrets) or 'none'}; in Airflow's tables and in"
        f" logs: {', '.join(found.kept_secrets) or 'none'}. {found.seconds:.0f} s.",
        f"- Messages to a chat's webhook, by the callback of the tasks: {len(found.messages)}:"
        f" {'; '.join(text.splitlines()[0] for text in found.messages) or 'none'}.",
        "- Then as if the deletion had not been started for two days and three verifications had never ended; the"
        f" watchkeeper looked twice, and operators had these mails:"
        f" {'; '.join(compose_stack.late_mails(found)) or 'none'}.",
        f"- OpenTelemetry: {sum('.privacy_ops.' in name for name in found.metrics)} of our figures reached a collector"
        " over OTLP, from the tasks.",
        *(
            f"- The run took {share.whole:.0f} s: {share.inside:.0f} s inside tasks, {share.people:.0f} s for people to"
            f" answer; Airflow's share of the rest {share.overhead:.0%} (with the wait for the killed worker)."
            for share in found.overhead
        ),
        "- Not shown by it: that the images build and start, networks, volumes, limits, SeaweedFS.",
        *(f"- Failed: {failure}." for failure in found.failures),
    ]
    return Proof(title, "failed" if found.failures else "proven", tuple(lines))


def prove_backfills() -> Proof:
    """docs/backfills.md on a small Airflow: what is allowed works, what is refused says why."""
    found = backfills.prove()
    wrong = [one for one in found.tried if one.wrong]
    lines = [
        f"- {backfills.PEOPLE:,} made-up people, a real scheduler. {len(found.tried)} things tried by command line,"
        " REST and in Chromium; minors were planted that no rehearsal may touch, and rows that it may not change were"
        " compared.",
        "",
        "| by | DAG | what | outcome |",
        "|---|---|---|---|",
        *(f"| {one.how} | {one.dag_id} | {_cell(one.what)} | {_cell(one.said)} |" for one in found.tried),
        "",
        "The runs by schedule before it, as Airflow recorded them:",
        "",
        *overhead.table(found.shares),
        "",
        *(f"- Failed: {one.how} {one.dag_id} {one.what}: {one.wrong}." for one in wrong),
        *(f"- Failed: {failure}." for failure in found.demo.failures),
    ]
    return Proof(
        _TITLES["backfills"], "failed" if wrong or found.demo.failures or not found.tried else "proven", tuple(lines)
    )


def _cell(text: str) -> str:
    """Text for a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def prove_attacks() -> Proof:
    """Every attack on the releases, wherever its tests are, on all of the Open University's presentations too."""
    from tests.attack import catalogue

    title = _TITLES["attacks"]
    elsewhere = {test.partition("[")[0] for attack in catalogue.ATTACKS for test in attack.tests()}
    elsewhere = {test for test in elsewhere if not test.startswith(f"{ATTACKS}/")}
    passed, said = _tests([ATTACKS, *sorted(elsewhere)], PRIVACY_OPS_TEST_MOMENTS="all")
    real = "OULAD_DIR" in os.environ
    lines = [
        "- The nineteen attacks of [attacks.md](attacks.md), on random tables, on made-up courses of every base period"
        + (" and on all 22 presentations of the Open University" if real else "")
        + ", those of runs on whole runs that were killed, repeated and read back: nothing recovered, no interval"
        " narrower than the protection; each breaks a weakened release.",
        *said,
    ]
    if not real:
        lines.append("- The Open University's data was not attacked: OULAD_DIR names no copy.")
    return Proof(title, "proven" if passed else "failed", tuple(lines))


def prove_utility(seeds: Sequence[int]) -> Proof:
    """What a small publisher's readers see."""
    lines, failed = [], False
    for seed in seeds:
        found = utility.measure(seed, say=say)
        shares = {product: found.share(product) for product in utility.PRODUCTS}
        failed = failed or found.exposed > 0 or min(shares.values()) < PUBLISHED
        cells = {product: sum(n for (p, _), n in found.cells.items() if p == product) for product in shares}
        bases = ", ".join(f"{n} {kind}" for (p, kind), n in sorted(found.cells.items()) if p == utility.PRODUCTS[0])
        others = {
            name: found.measures[utility.PRODUCTS[0], name] / cells[utility.PRODUCTS[0]]
            for name in ("completers", "minutes")
        }
        lines.append(
            f"- Seed {seed}: "
            + ", ".join(f"{product} {share:.1%} of {cells[product]}" for product, share in shares.items())
            + f" course × base-period cells published ({bases}; minutes in {others['minutes']:.0%}, completers in"
            f" {others['completers']:.0%}); by weeks alone {found.weekly:.0%} would have ten starters, by quarters"
            f" {found.quarterly:.0%}. Withheld: "
            + (", ".join(f"{n} × {why}" for why, n in sorted(found.why.items())) or "none")
            + f". Numbers told too closely: {found.exposed}. {found.seconds:.0f} s."
        )
    return Proof(_TITLES["utility"], "failed" if failed or not lines else "proven", tuple(lines))


def prove_spark() -> Proof:
    """The counting statements on a third engine."""
    title = _TITLES["spark"]
    try:
        spark.install()
    except spark.CannotRun as reason:
        return Proof(title, "not carried out", (f"- {reason}.",))
    with world.stores() as (server, _):
        found = spark.compare(server.dsn())
    took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.seconds.items())
    lines = (
        f"- The same text on PostgreSQL, DuckDB and Spark (local, two processors): {found.cells:,} cells of"
        f" {found.events:,} events, equal in every number. {took}.",
        "- The rules that keep it so are held by a test: staged steps, plain GROUP BY and UNION ALL, AS everywhere.",
    )
    return Proof(title, "proven", lines)


def prove_year(weeks: int) -> Proof:
    """A year of weekly exports by ``airflow backfill create``, in several orders."""
    title = _TITLES["year"]
    passes = list(year.prove(weeks))
    first = passes[0]
    wrong = [one for one in passes if one.failed or one.files != first.files]
    lines = [
        f"- {weeks} weeks backfilled with a real scheduler by `airflow backfill create`, people answering what was"
        f" asked: {len(first.files)} files in {first.releases} releases. Passes, each from an empty register:",
        *(
            f"  - {one.name.replace('_', ' ')}: {one.runs} runs, {one.failed} failed, {one.differences(first)} files"
            f" differ from the first pass, {one.seconds:.0f} s ({one.seconds / weeks:.1f} s a week)"
            for one in passes
        ),
        "- Parallel: four runs at once. Interrupted: three at once, newest first; the scheduler was killed three times"
        " with all that it ran, and started again.",
    ]
    return Proof(title, "failed" if wrong or not first.files else "proven", tuple(lines))


def render(proofs: Sequence[Proof], absent: dict[str, str], *, date: str, about: str, spent: float) -> str:
    """The report as Markdown."""
    lines = [
        "# Proof",
        "",
        f"Written by `make proof` on {date}, {spent:.0f} s. Machine: {about}.",
        "",
        "| proof | result |",
        "|---|---|",
        *(f"| {proof.title} | {proof.state} |" for proof in proofs),
        "",
    ]
    if absent:
        lines += ["Missing on this machine, and therefore not proven:", ""]
        lines += [f"- {name}: {what}" for name, what in absent.items()]
        lines.append("")
    for proof in proofs:
        lines += [f"## {proof.title}: {proof.state}", "", *proof.lines, ""]
    return "\n".join(lines).rstrip() + "\n"


def earlier(report: str) -> dict[str, Proof]:
    """Sections of a report by title, as ``render`` wrote them; what was not carried out is left out."""
    found = {}
    for section in re.split(r"^## ", report, flags=re.MULTILINE)[1:]:
        heading, *lines = section.strip().splitlines()
        title, _, state = heading.rpartition(": ")
        if state in {"proven", "failed"}:
            found[title] = Proof(title, "proven" if state == "proven" else "failed", tuple(lines[1:]))
    return found


def state_of_code() -> str:
    """Commit that is checked out, with a mark when files differ from it; "unknown" without git."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


_TITLES = {
    "scale": "Scale",
    "year": "A year of exports",
    "truth": "Ground truth",
    "schemas": "Random schemas",
    "crashes": "Crashes and concurrency",
    "attacks": "Attacks on releases",
    "utility": "What a small publisher's readers see",
    "spark": "The aggregate on Spark",
    "flows": "Undeclared flows",
    "browser": "The UI in a browser",
    "tour": "The tour and the console in a browser",
    "injection": "Hostile words in the console, in a browser",
    "fab": "Rights of the console under FAB",
    "report": "The report of a pack in a browser",
    "inventory": "The report of a transfer inventory in a browser",
    "spreadsheets": "Released files in a spreadsheet",
    "links": "Links to releases",
    "celery": "Celery workers with Redis",
    "backfills": "Runs by hand and backfills",
}


def say(text: str) -> None:
    print(f"{world.now():%H:%M:%S}  {text}", flush=True)


def _carry_out(title: str, proof: Callable[[], Proof]) -> Proof:
    """A proof that breaks has failed, and the others still run."""
    say(title)
    try:
        return proof()
    except Exception as error:  # ruff: ignore[BLE001] the report must say so, whatever it was
        say(f"{title}: {error}")
        return Proof(title, "failed", (f"- It broke: {type(error).__name__}.",))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the proofs and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.proof", description=__doc__)
    parser.add_argument("--people", type=int, default=FULL, help="size of the proof of scale")
    parser.add_argument("--truth-people", type=int, default=TRUTH, help="size of each publisher of the ground truth")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="seeds of the ground truth")
    parser.add_argument("--schemas", type=int, default=SCHEMAS, help="how many random schemas")
    parser.add_argument("--utility-seeds", type=int, nargs="+", default=(1, 2, 3), help="small publishers to make up")
    parser.add_argument("--weeks", type=int, default=year.WEEKS, help="length of the year that is backfilled")
    parser.add_argument("--only", nargs="+", choices=tuple(_TITLES), default=None)
    parser.add_argument("--var", type=Path, default=None, help="folder of the runtime that is up (default: var)")
    parser.add_argument("--output", type=Path, default=REPORT)
    given = parser.parse_args(arguments)
    about, began, absent = machine(), time.monotonic(), missing()
    for name, what in absent.items():
        say(f"{name} is missing: not proven: {what}")
    steps: dict[str, Callable[[], Proof]] = {
        "browser": lambda: prove_browser(given.var),
        "tour": lambda: prove_tour(given.var),
        "injection": prove_injection,
        "fab": prove_fab,
        "report": lambda: prove_report(given.var),
        "inventory": lambda: prove_report(given.var, "inventory", "transfers", "inventory"),
        "spreadsheets": lambda: prove_spreadsheets(given.var),
        "links": prove_links,
        "celery": lambda: prove_celery(NIGHT),
        "backfills": prove_backfills,
        "schemas": lambda: prove_schemas(given.schemas),
        "crashes": prove_crashes,
        "attacks": prove_attacks,
        "utility": lambda: prove_utility(given.utility_seeds),
        "spark": prove_spark,
        "flows": lambda: prove_flows(given.seeds),
        "year": lambda: prove_year(given.weeks),
        "truth": lambda: prove_truth(given.truth_people, given.seeds),
        "scale": lambda: prove_scale(given.people),
    }
    kept = earlier(given.output.read_text(encoding="utf-8")) if given.output.exists() else {}
    code = state_of_code()
    proofs = []
    for name, proof in steps.items():
        title = _TITLES[name]
        if given.only is None or name in given.only:
            done = _carry_out(title, proof)
            at = f"Carried out on {world.now():%Y-%m-%d} on {code}."
            proofs.append(Proof(title, done.state, (at, "", *done.lines)))
        else:
            proofs.append(kept.get(title) or Proof(title, "not carried out", ("- Not asked for in this run.",)))
    spent = time.monotonic() - began
    report = render(proofs, absent, date=f"{world.now():%Y-%m-%d}", about=about, spent=spent)
    given.output.write_text(report, encoding="utf-8")
    print(report)
    return 1 if any(proof.state == "failed" for proof in proofs) else 0


if __name__ == "__main__":
    sys.exit(main())
