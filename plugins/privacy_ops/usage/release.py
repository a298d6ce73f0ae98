"""The steps of one export run, in order: input gate, protect, stage, files gate, publish, prove.

A run is of a week, and releases what closes with it: the week, and at times a block, a quarter, a year. Write, audit,
publish: files are staged below the run's own prefix, judged as read back from there, and put into the bucket of
exports only if their names are free. The register row and its hash are the memory: a released period is served as it
was, whoever asks and however often.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from privacy_ops import approvals, blocks, runs, signing
from privacy_ops.approvals import ApprovalRequest
from privacy_ops.errors import ReleaseRefused
from privacy_ops.gates import lock, runner
from privacy_ops.gates.suite import Suite
from privacy_ops.runs import Run
from privacy_ops.stores.objects import ObjectExists, ObjectStore
from privacy_ops.stores.sql import statement
from privacy_ops.usage import base_period, corrections, drawing, periods, suites, view
from privacy_ops.usage import plan as planning
from privacy_ops.usage.files.build import build
from privacy_ops.usage.files.model import PackContent
from privacy_ops.usage.files.sums import KeySigner
from privacy_ops.usage.files.text import markdown
from privacy_ops.usage.master import Master, Masters, read_masters
from privacy_ops.usage.measure import family_keys, measure
from privacy_ops.usage.pack import content_of, content_type, file_tables, pack_sha256, parts_shown, shown_columns
from privacy_ops.usage.periods import Period
from privacy_ops.usage.plan import Plan, PlannedPack, make_plan, week_of
from privacy_ops.usage.protecting import Protecting, references
from privacy_ops.usage.release_spec import ReleaseSpec
from privacy_ops.usage.utility import utility
from privacy_ops.usage.weeks import Window
from privacy_ops.workspace import Workspace

DUTY = "export"
RELEASE = "release"  # what a person approves
CONTACT = "the contact named in your agreement"
Files = dict[str, bytes]


def open_week(
    workspace: Workspace, run: Run, window: Window, *, correction: int | None = None, now: datetime | None = None
) -> dict[str, Any]:
    """Record which week the run exports; the first answer stands for every later step.

    ``correction``: number of the correction that the run carries out, from ``now`` on; then the week is the one with
    which the corrected period closed. Raises UserError for a number that nobody asked for or another run has.
    """
    with workspace.database(DUTY).transaction() as connection:
        if correction is not None and now is not None:
            zone = workspace.thresholds.legal_timezone
            bound = corrections.begin(connection, run, correction, timezone=zone, now=now)
            window = bound.period.windows()[-1]
        found = planning.open_week(connection, run, window)
    return {"iso_week": found.key, **({"correction": correction} if correction is not None else {})}


def judge_input(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Gate on the input of everything that closes: detection, entitlements, exclusions, window, volume. Raises
    GateBlocked, and ReleaseRefused for a correction that cannot be made.

    Where a block, quarter or year closes with the week, all of its weeks are judged: it is counted from them. Decides
    the base periods of courses that the quarter has none of yet: the plan follows from them.
    """
    spec = references(workspace).spec
    with workspace.database(DUTY).transaction() as connection:
        window = _week(workspace, connection, run)
        entitled = make_plan(connection, run, window, spec).entitled
        known = sorted(view.public_courses(connection, workspace.data_map, entitled))
        quarter = periods.of_kind(window, "quarter")
        base_period.decide(connection, workspace.data_map, run, spec, quarter, known, now=now)
        plan = make_plan(connection, run, window, spec)
        judged = plan.judged
        facts = _read_input(workspace, connection, judged)
        left = view.count_excluded_left(connection, workspace.data_map)
        volumes = _volumes(
            view.count_source_events(
                connection, workspace.data_map, judged.windows()[-1], suites.BASELINE_WEEKS + judged.weeks - 1
            )
        )
        metrics = {
            "detection_hours": connection.execute(
                statement("usage", "select_detection_age"), {"as_of": run.as_of}
            ).scalar_one(),
            "minors_left": left.pop("minor", 0),
            "excluded_left": sum(left.values()),
            "entitled_courses": len(entitled),
            "unknown_courses": len(set(entitled) - set(known)),
            "hours_closed": judged.windows()[-1].hours_closed(now),
            "window_hours": max((week.hours for week in judged.windows()), key=lambda hours: abs(hours - 168)),
            "events": facts["events"] if volumes.newest else 0,
            "missing_days": len(judged.days()) - facts["days"],
            "empty_weeks": volumes.empty,
            "baseline_weeks": volumes.baseline,
            "source_ratio": volumes.worst,
        }
        subject = _input_sha256(plan, spec, facts)
    suite = suites.input_suite(workspace.thresholds)
    return {
        "iso_week": window.key,
        "packs": len(plan.packs),
        **_judge(workspace, run, suite, metrics, subject, now),
    }


def protect(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Count and protect every planned course that has no master of its period yet; keep the masters.

    Recounts the input and goes on only if it is what the gate judged. Raises GateBlocked, and ReleaseRefused for a
    correction after which every file would say what it said before; then nothing is kept.
    """
    known = references(workspace)
    with workspace.database(DUTY).transaction() as connection:
        window = _week(workspace, connection, run)
        _lock(connection, window)
        plan = make_plan(connection, run, window, known.spec)
        facts = _read_input(workspace, connection, plan.judged)
        lock.require_open(
            connection,
            run_id=run.run_id,
            gate=suites.INPUT,
            subject_sha256=_input_sha256(plan, known.spec, facts),
            now=now,
        )
        public = view.public_courses(connection, workspace.data_map, plan.entitled)
        again = frozenset(period.key for period in plan.recounted or ())
        work = Protecting(connection, workspace.data_map, run, known, public, now, plan.revision, again)
        for period, courses in plan.needed.items():
            work.ensure(period, courses)
        drawn = 0
        for period in sorted({pack.period for pack in plan.fresh}, key=lambda p: (p.weeks, p.key)):
            drawn += drawing.ensure(
                connection, workspace.data_map, run, period, known.spec, known.places, known.spellings, now=now
            )
        if plan.correction is not None and not make_plan(connection, run, window, known.spec).packs:
            raise ReleaseRefused(
                "there is nothing to correct: counted again, every file says what it said before",
                where=plan.correction.period.key,
                do="mend the sources first, then ask for another correction; or withdraw the release",
            )
    needed = sum(map(len, plan.needed.values()))
    return {"iso_week": window.key, "needed": needed, "protected": work.made, "drawn": drawn}


def stage(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Write every planned pack below the run's prefix of the staging bucket, replacing what a try before left.

    A pack that was released before is staged as it stands in the bucket of exports. Raises ReleaseRefused when
    that is not what the register says.
    """
    store, bucket = workspace.objects(), workspace.settings.staging_bucket
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        plan, contents, _ = _contents(workspace, connection, run)
    signer = KeySigner(workspace.settings.keys.signing_key_pem or b"")
    prefix = staging_prefix(run)
    store.delete_versions(bucket, list(store.versions(bucket, prefix)))
    for pack in plan.packs:
        files = _published_files(workspace, store, pack) if pack.registered else build(contents[pack], signer)
        for name, body in files.items():
            store.put(bucket, f"{prefix}{pack.prefix}{name}", body, content_type=content_type(name))
    return {
        "iso_week": plan.window.key,
        "packs": len(plan.packs),
        "released_before": len(plan.packs) - len(plan.fresh),
        "withdrawn": plan.withdrawn,
        **({"unchanged": len(plan.unchanged), "ended": plan.ended} if plan.correction else {}),
    }


def judge_files(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Gate on the staged files as read back. Raises GateBlocked."""
    known = references(workspace)
    staged = read_staged(workspace, run)
    trusted = signing.raw_public_keys(signing.trusted_keys(workspace.settings.keys))
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        plan, contents, masters = _contents(workspace, connection, run)
        beside = _beside(connection, plan, known.spec)
        replaced = _replaced(workspace, connection, plan)
        draws = drawing.read(connection, known.spec.spec_version, [pack.period.key for pack in plan.fresh])
        metrics = measure(contents, plan.packs, staged, masters, beside, known, trusted, replaced, draws)
        registry = connection.execute(statement("usage", "select_registry")).all()
        for period in {pack.period for pack in plan.fresh}:  # also of packs that are drawn alone
            fresh = [pack for pack in plan.fresh if pack.period == period]
            pairs = [(p.product, p.recipient_id, grant.course_id) for p in fresh for grant in p.grants]
            on = planning.release_day(run.as_of, period.timezone)
            metrics.uncovered += len(planning.uncovered(pairs, registry, period, on))
        for period, courses in plan.needed.items():
            metrics.restated += connection.execute(
                statement("usage", "count_restated_courses"),
                {"period_key": period.key, "spec_version": known.spec.spec_version, "courses": list(courses)},
            ).scalar_one()
        for period in {pack.period for pack in plan.fresh if known.spec.drawn(pack.period.kind)}:
            metrics.restated += connection.execute(
                statement("usage", "count_restated_draws"),
                {"period_key": period.key, "spec_version": known.spec.spec_version},
            ).scalar_one()
            metrics.overspent += drawing.is_overspent(connection, known.spec, period)
        new = _new_columns(connection, run, plan, contents)
    suite = suites.files_suite(known.spec)
    # What a person is asked stands from here on: another run's release must not take the question from under them.
    facts = {"first_columns": sorted({f"{pack.product}: {name}" for pack, names in new.items() for name in names})}
    return {"packs": len(staged), **_judge(workspace, run, suite, metrics.row(), staged_sha256(staged), now, facts)}


def release_request(workspace: Workspace, run: Run) -> ApprovalRequest | None:
    """What a person is asked before files leave the house: a product or a column that nobody was ever given, a gate
    that warned, a correction. None when nothing of the kind is among them."""
    staged = read_staged(workspace, run)
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        plan, contents, _ = _contents(workspace, connection, run)
        asks = _asks(connection, run, plan, contents)
    if not asks.packs:
        return None
    lines = [_pack_line(p, contents[p]) for p in asks.packs]
    return ApprovalRequest(
        RELEASE,
        asks.sha256(staged),
        f"Release of week {plan.window.key}: {asks.title}",
        "\n".join([
            "A person reads these files as an intruder would, before they leave the house: can anybody be singled out,"
            " linked or inferred?",
            "",
            *(f"- **{why}**" for why in asks.reasons),
            "",
            *lines,
            "",
            "The files stand in the staging bucket below this run's prefix; the files gate has judged them.",
        ]),
    )


def _pack_line(pack: PlannedPack, content: PackContent) -> str:
    """One pack in the question. Airflow shows it as Markdown: what the registry says stays words."""
    tables = ", ".join(f"{table.spec.name} with {len(table.rows)} rows" for table in content.tables)
    return f"- {markdown(pack.product)} for {markdown(pack.recipient_id)}, {pack.period.key}: {tables}"


def publish(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Put the judged files into the bucket of exports and enter them into the register, all packs or none.

    Under the year's lock: opens the files gate with the hash of what is staged now; needs a person's approval where
    ``release_request`` asks for one; a name that is taken is adopted if its bytes are equal (a try before crashed), and
    refused if not. Raises GateBlocked, ReleaseRefused.
    """
    store = workspace.objects()
    staged = read_staged(workspace, run)
    destinations = blocks.reached_by(store, workspace.settings.exports_bucket)
    done: dict[str, int] = defaultdict(int)
    with workspace.database(DUTY).transaction() as connection:
        window = _week(workspace, connection, run)
        _lock(connection, window)
        blocks.ask(connection, destinations, workspace.thresholds, now=now).require_clear()
        lock.require_open(
            connection, run_id=run.run_id, gate=suites.FILES, subject_sha256=staged_sha256(staged), now=now
        )
        plan, contents, masters = _contents(workspace, connection, run)
        if {pack.prefix for pack in plan.packs} != set(staged):
            raise ReleaseRefused(
                "the staged packs are not the ones that may be released now",
                where=run.run_id,
                do="entitlements changed or a release was withdrawn: clear the run from the input gate on",
            )
        spec = references(workspace).spec
        draws = drawing.read(connection, spec.spec_version, [pack.period.key for pack in plan.fresh])
        people: tuple[str, ...] = ()
        asks = _asks(connection, run, plan, contents)
        if asks.packs:
            people = approvals.require(connection, run.run_id, RELEASE, asks.sha256(staged), people=1)
        verdict = connection.execute(
            statement("gates", "select_newest_verdict"), {"run_id": run.run_id, "gate": suites.FILES}
        ).one()
        for pack in plan.packs:
            files = staged[pack.prefix]
            if pack.registered:
                if pack_sha256(files) != pack.registered.pack_sha256:
                    raise ReleaseRefused(
                        "the staged pack is not the one that was released",
                        where=pack.release_id,
                        do="clear the staging task: a released period is served, never restated",
                    )
                outcome, reason = "served", ""
            else:
                kept, adopted = _put(store, workspace.settings.exports_bucket, pack, files)
                outcome = "adopted" if adopted else "published"
                reason = f"{adopted} of {len(kept)} files were there already" if adopted else ""
                approvers = people if pack in asks.packs else ()
                about = utility(
                    contents[pack],
                    [masters[g.course_id, pack.period.key] for g in pack.grants if g.course_id not in pack.drawn_only],
                    list(file_tables(pack, spec)),
                    draws.get(pack.period.key),
                )
                _register(
                    connection, run, pack, contents[pack], about, files, kept, verdict.gate_result_id, approvers, now
                )
            connection.execute(
                statement("usage", "insert_release_event"),
                {
                    "release_id": pack.release_id,
                    "kind": outcome,
                    "run_id": run.run_id,
                    "at": now,
                    "reason": reason,
                },
            )
            done[outcome] += 1
    return {
        "iso_week": window.key,
        "published": done["published"],
        "adopted": done["adopted"],
        "served": done["served"],
    }


def judge_published(workspace: Workspace, run: Run, *, now: datetime) -> dict[str, Any]:
    """Read every planned pack back from the bucket of exports and hold it against the register."""
    spec = references(workspace).spec
    store, bucket = workspace.objects(), workspace.settings.exports_bucket
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        window = _week(workspace, connection, run)
        plan = make_plan(connection, run, window, spec)
        unapproved = connection.execute(
            statement("usage", "count_unapproved_releases"),
            {"run_id": run.run_id, "gates": [suites.INPUT, suites.FILES]},
        ).scalar_one()
    registered = [pack.registered for pack in plan.packs if pack.registered]
    wrong = 0
    for entry in registered:
        files = _read_files(store, bucket, entry.object_prefix)
        wrong += pack_sha256(files) != entry.pack_sha256
    metrics = {
        "packs": len(registered),
        "unregistered": len(plan.packs) - len(registered),
        "unapproved": unapproved,
        "wrong_bytes": wrong,
    }
    lines = "\n".join(sorted(f"{entry.release_id} {entry.pack_sha256}" for entry in registered))
    subject = hashlib.sha256(lines.encode()).hexdigest()
    judged = _judge(workspace, run, suites.published_suite(), metrics, subject, now)
    return {
        "iso_week": window.key,
        "recipients": len({pack.recipient_id for pack in plan.packs}),
        "releases": len(registered),
        "files": sum(len(entry.files) for entry in registered),
        "rows": sum(entry.n_rows for entry in registered),
        "withheld": sum(entry.n_withheld for entry in registered),
        "withdrawn": plan.withdrawn,
        **judged,
    }


def close(workspace: Workspace, run: Run, facts: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """End the run with its numbers."""
    with workspace.database(DUTY).transaction() as connection:
        runs.close_run(connection, run.run_id, now=now, state="done", facts=facts)
    return dict(facts)


def staging_prefix(run: Run) -> str:
    """The run's own folder in the staging bucket."""
    return f"usage/{hashlib.sha256(run.run_id.encode()).hexdigest()[:16]}/"


def read_staged(workspace: Workspace, run: Run) -> dict[str, Files]:
    """Staged files by pack prefix, exactly as they stand in the bucket."""
    store, bucket, prefix = workspace.objects(), workspace.settings.staging_bucket, staging_prefix(run)
    staged: dict[str, Files] = defaultdict(dict)
    for key in store.keys(bucket, prefix):
        folder, _, name = key.removeprefix(prefix).rpartition("/")
        staged[f"{folder}/"][name] = store.get(bucket, key)
    return dict(staged)


def staged_sha256(staged: Mapping[str, Mapping[str, bytes]]) -> str:
    """Hash of everything that is staged: what the files gate judges and publishing opens."""
    lines = [f"{prefix} {pack_sha256(files)}" for prefix, files in sorted(staged.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _week(workspace: Workspace, connection: Connection, run: Run) -> Window:
    return week_of(connection, run, workspace.thresholds.legal_timezone)


@dataclass(frozen=True)
class _Volumes:
    """How much the sources hold of a period's weeks. ``empty``: weeks without any event; ``baseline``: the fewest weeks
    with events among the eight before one of them; ``worst``: of those with a whole baseline, the week that is furthest
    from its median."""

    newest: int
    empty: int
    baseline: int
    worst: float


def _volumes(counts: Sequence[int]) -> _Volumes:
    """``counts``: events of the weeks of a baseline, and then of the period, oldest first."""
    size = suites.BASELINE_WEEKS
    before = [[count for count in counts[n - size : n] if count] for n in range(size, len(counts))]
    weeks = zip(counts[size:], before, strict=True)
    ratios = [count / statistics.median(known) for count, known in weeks if len(known) == size]
    return _Volumes(
        counts[-1],
        sum(not count for count in counts[size:]),
        min(map(len, before)),
        max(ratios, key=lambda ratio: abs(ratio - 1), default=1.0),
    )


def _read_input(workspace: Workspace, connection: Connection, judged: Period) -> dict[str, int]:
    """Freeze the input of the period in this transaction, and describe it in numbers."""
    view.build(connection, workspace.data_map, judged)
    row = connection.execute(statement("usage", "select_input_facts")).one()
    return {name: int(value or 0) for name, value in row._mapping.items()}


def _input_sha256(plan: Plan, spec: ReleaseSpec, facts: Mapping[str, int]) -> str:
    # Of what enters the counts alone: that somebody who was left out anyway is erased meanwhile changes nothing.
    entering = {name: value for name, value in facts.items() if name != "excluded"}
    text = json.dumps([plan.judged.key, plan.revision, spec.spec_version, plan.lines(), entering], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _lock(connection: Connection, window: Window) -> None:
    """One run at a time in an ISO year: its periods hang together."""
    year = periods.of_kind(window, "year")
    connection.execute(statement("usage", "lock_window"), {"period_key": year.key})


def _contents(
    workspace: Workspace, connection: Connection, run: Run
) -> tuple[Plan, dict[PlannedPack, PackContent], Masters]:
    """The plan, what each pack that was never released has to say, and the masters it is said from.

    Raises ReleaseRefused when a master is missing.
    """
    known = references(workspace)
    plan = make_plan(connection, run, _week(workspace, connection, run), known.spec)
    masters: dict[tuple[str, str], Master] = {}
    version, revision = known.spec.spec_version, plan.revision
    contents: dict[PlannedPack, PackContent] = {}
    for period, courses in plan.needed.items():
        masters |= read_masters(connection, version, [period.key], courses, revision=revision, least=revision)
    if plan.correction:  # a pack also shows courses that the correction does not touch
        others: dict[Period, set[str]] = defaultdict(set)
        for pack in plan.fresh:
            touched = plan.needed.get(pack.period, ())
            others[pack.period] |= {grant.course_id for grant in pack.grants} - set(touched)
        for period, rest in others.items():
            masters |= read_masters(connection, version, [period.key], sorted(rest))
    draws = drawing.read(connection, version, [pack.period.key for pack in plan.fresh])
    contact = workspace.settings.notice.contact or CONTACT
    try:
        for pack in plan.fresh:
            parts = parts_shown(pack, masters)
            for period, courses in parts.items():
                masters |= read_masters(connection, version, [period.key], courses, revision=revision)
            withdrawn = planning.withdrawn_of(connection, pack, parts)
            contents[pack] = content_of(pack, masters, known.places, known.spec, contact, withdrawn, draws)
    except KeyError:
        raise ReleaseRefused(
            "a planned course was not protected", where=run.run_id, do="clear the run from the input gate on"
        ) from None
    return plan, contents, masters


def _beside(connection: Connection, plan: Plan, spec: ReleaseSpec) -> dict[tuple[str, Period], list[Master]]:
    """Masters of all other periods that hang together with a planned one, by course and planned period."""
    found: dict[tuple[str, Period], list[Master]] = defaultdict(list)
    for period, courses in plan.needed.items():
        kept = read_masters(connection, spec.spec_version, family_keys(period), courses, revision=plan.revision)
        for (course, _), master in kept.items():
            found[course, period].append(master)
    return found


def _judge(
    workspace: Workspace,
    run: Run,
    suite: Suite,
    metrics: Mapping[str, Any],
    subject: str,
    now: datetime,
    facts: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Judge one metrics row, record the verdict and ``facts`` of the run together, then raise if it blocks."""
    import pandas as pd

    verdict = runner.judge(
        suite,
        pd.DataFrame([metrics]),
        run_id=run.run_id,
        subject_sha256=subject,
        judged_at=now,
        valid_for=timedelta(hours=workspace.thresholds.gate.validity_hours),
    )
    with workspace.database(DUTY).transaction() as connection:
        gate_result_id = runner.record(connection, verdict)
        if facts:
            runs.add_facts(connection, run.run_id, facts)
    runner.raise_if_blocked(verdict, gate_result_id)
    return {"gate": suite.gate, "verdict": verdict.verdict, "gate_result_id": gate_result_id}


@dataclass(frozen=True)
class _Asks:
    """Packs that a person has to approve, and why."""

    packs: tuple[PlannedPack, ...] = ()
    title: str = ""
    reasons: tuple[str, ...] = ()

    def sha256(self, staged: Mapping[str, Mapping[str, bytes]]) -> str:
        """Of exactly what is approved: the files, for these reasons."""
        files = staged_sha256({pack.prefix: staged.get(pack.prefix, {}) for pack in self.packs})
        return hashlib.sha256("\n".join((files, *self.reasons)).encode()).hexdigest()


def _asks(connection: Connection, run: Run, plan: Plan, contents: Mapping[PlannedPack, PackContent]) -> _Asks:
    """What must not go out without a person: of what is new everything after a warning or in a correction, and else
    every pack with a column that its product never had when the files were judged."""
    new = _new_columns(connection, run, plan, contents)
    reasons = {f"{pack.product}: {name} was never released" for pack, names in new.items() for name in names}
    warned = [name for gate in (suites.INPUT, suites.FILES) for name in _warnings(connection, run, gate)]
    packs = tuple(pack for pack in plan.fresh if new[pack])
    titles = ["new columns"] if packs else []
    if plan.fresh and warned:
        packs, titles = plan.fresh, [*titles, "a gate warned"]
    if plan.fresh and plan.correction:
        packs, titles = plan.fresh, [*titles, "a correction"]
        reasons.add(f"correction {plan.revision}, {plan.correction.period.key}: {plan.correction.reason}")
    return _Asks(packs, ", ".join(titles), (*sorted(reasons), *warned))


def _new_columns(
    connection: Connection, run: Run, plan: Plan, contents: Mapping[PlannedPack, PackContent]
) -> dict[PlannedPack, list[str]]:
    """Columns of each fresh pack that its product never had, or did not have when the files gate first judged this run.

    Without the latter the question would change while a person reads it: of two runs at once, the first to publish
    would make the other's answer one about something else.
    """
    rows = connection.execute(statement("usage", "select_known_columns"), {"run_id": run.run_id})
    known = {(row.product, row.shown) for row in rows}
    return {
        pack: [name for name in shown_columns(contents[pack]) if (pack.product, name) not in known]
        for pack in plan.fresh
    }


def _warnings(connection: Connection, run: Run, gate: str) -> list[str]:
    """Checks of the newest verdict of a gate that failed without blocking."""
    row = connection.execute(
        statement("gates", "select_newest_verdict"), {"run_id": run.run_id, "gate": gate}
    ).one_or_none()
    if row is None or row.verdict != "warn":
        return []
    rows = connection.execute(statement("gates", "select_failed_checks"), {"gate_result_id": row.gate_result_id})
    return [f"{gate} warned: {check.id}, {check.title}" for check in rows]


def _replaced(workspace: Workspace, connection: Connection, plan: Plan) -> dict[PlannedPack, list[Files]]:
    """The files of every revision that a correction takes the place of, as they stand."""
    store = workspace.objects()
    found: dict[PlannedPack, list[Files]] = {}
    for pack in plan.fresh:
        if pack.replaces is not None:
            about = {"product": pack.product, "recipient_id": pack.recipient_id, "period_key": pack.period.key}
            rows = connection.execute(
                statement("usage", "select_earlier_releases"), about | {"revision": pack.revision}
            )
            found[pack] = [
                _released_files(workspace, store, row.release_id, row.object_prefix, row.pack_sha256) for row in rows
            ]
    return found


def _read_files(store: ObjectStore, bucket: str, prefix: str) -> Files:
    return {key.removeprefix(prefix): store.get(bucket, key) for key in store.keys(bucket, prefix)}


def _published_files(workspace: Workspace, store: ObjectStore, pack: PlannedPack) -> Files:
    """A released pack as it stands. Raises ReleaseRefused when its bytes are not the registered ones."""
    if pack.registered is None:
        raise ReleaseRefused(
            "a pack was never released", where=pack.release_id, do="clear the run from the staging task on"
        )
    known = pack.registered
    return _released_files(workspace, store, known.release_id, known.object_prefix, known.pack_sha256)


def _released_files(workspace: Workspace, store: ObjectStore, release_id: str, prefix: str, sha256: str) -> Files:
    files = _read_files(store, workspace.settings.exports_bucket, prefix)
    if pack_sha256(files) != sha256:
        raise ReleaseRefused(
            "a published pack is not what the register says",
            where=release_id,
            do="treat it as an incident: restore the registered object versions",
        )
    return files


def _put(store: ObjectStore, bucket: str, pack: PlannedPack, files: Files) -> tuple[list[dict[str, Any]], int]:
    """Put each file if its name is free, the sums last; returns what the register keeps, and how many were there."""
    kept: list[dict[str, Any]] = []
    adopted = 0
    for name in sorted(files, key=lambda n: (n == "SHA256SUMS", n)):
        key, body = pack.prefix + name, files[name]
        try:
            version = store.put_if_absent(bucket, key, body, content_type=content_type(name))
        except ObjectExists:
            if store.get(bucket, key) != body:
                raise ReleaseRefused(
                    "another file of this name was published",
                    where=f"{pack.release_id}, {name}",
                    do="a released week is never restated; find out who wrote it",
                ) from None
            version = next((v.version_id for v in store.versions(bucket, key, exact=True) if not v.is_marker), "")
            adopted += 1
        kept.append({
            "name": name,
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "version_id": version,
        })
    return kept, adopted


def _register(
    connection: Connection,
    run: Run,
    pack: PlannedPack,
    content: PackContent,
    about: Mapping[str, object],
    files: Files,
    kept: list[dict[str, Any]],
    gate_result_id: int,
    approvers: tuple[str, ...],
    now: datetime,
) -> None:
    connection.execute(
        statement("usage", "insert_release"),
        {
            "release_id": pack.release_id,
            "product": pack.product,
            "recipient_id": pack.recipient_id,
            "iso_week": pack.iso_week,
            "period_key": pack.period.key,
            "window_start": pack.period.start,
            "window_end": pack.period.end,
            "spec_version": pack.spec_version,
            "as_of": run.as_of,
            "released_at": now,
            "run_id": run.run_id,
            "code_version": run.code_version,
            "thresholds_sha256": run.thresholds_sha256,
            "map_sha256": run.map_sha256,
            "object_prefix": pack.prefix,
            "files": json.dumps(kept),
            "pack_sha256": pack_sha256(files),
            "n_rows": sum(len(table.rows) for table in content.tables),
            "n_withheld": sum(all(v is None for v in row.values) for table in content.tables for row in table.rows),
            "utility": json.dumps(about),
            "entitlement": json.dumps(planning.snapshot(pack)),
            "gate_result_id": gate_result_id,
            "approvers": list(approvers),
            "revision": pack.revision,
            "supersedes": pack.replaces and pack.replaces.release_id,
            "columns": shown_columns(content),
        },
    )
