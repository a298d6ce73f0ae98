"""`make demo`: the jobs through a real scheduler, and a table of what came of them.

Inventory and deletion, and new evidence that comes in after the night has looked, taken up by the intake; then, beside
the export, what follows: the erasure that the intake started, processors are told, erased people are looked for again,
the watchkeeper looks, and reviewers are asked about the cases that no machine may decide. Then a backfill of four past
weeks and a second run of a released week. The questions that runs ask are answered over REST by made-up people with
logins of their own: two of them confirm one case, which the next run erases; another and the newest sign-off stay
open to look at. Facts go to ``var/demo/summary.json``; the command fails when a run failed or a fact disagrees with
the ground truth.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from privacy_ops import settings as settings_of
from privacy_ops.transfers import inventory
from privacy_ops.usage import recipients, weeks
from privacy_ops.workspace import Workspace
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sandbox import base_periods, facts
from sandbox.airflow_api import FINISHED, AirflowApi, ApiError, DagRun, RequiredAction
from sandbox.provision import GROUND_TRUTH, PUBLISHER
from sandbox.publisher.generate import plant_night
from sandbox.publisher.governance import plant_governance
from sandbox.runtime import DEFAULT_PEOPLE, FAILURES, Runtime

INVENTORY, DELETION, EXPORT = "transfer_inventory_check", "minor_data_deletion", "course_usage_export"
REVIEW, PROPAGATION, VERIFICATION = "minor_case_review", "erasure_propagation", "erasure_verification"
INTAKE, WATCH = "minor_signal_intake", "watchkeeper"
ENGINEER, FIRST, SECOND, LEAD = "emil", "rosa", "ravi", "lena"
BACKFILLED_WEEKS = 4
READING_SECONDS = 3
PATIENCE = 600.0  # seconds until Airflow starts what is due or puts a question: a busy machine takes its time


# What the table shows of each job; summary.json holds everything.
SHOWN = {
    INVENTORY: (
        "flows", "verdicts_UK", "verdicts_EU", "findings", "undeclared_planted", "undeclared_found",
        "declared_lookalikes", "false_alarms", "blocked_destinations",
    ),
    DELETION: (
        "planted_confirmed", "detected", "detected_child_rows", "erased", "held", "missed", "wrongly_erased",
        "people_confirmed", "people_confirmed_erased", "residual_rows", "residual_objects",
        "suspected_planted", "suspected_found", "suspected_by_class",
        "wrongly_released", "wrongly_restricted", "third_party_planted", "third_party_found", "source_suspect",
        "flags_found", "restricted", "review_queue", "not_in_scope",
    ),
    INTAKE: (
        "planted_confirmed", "planted_suspected", "detected", "restricted", "minutes_to_restriction", "erased",
        "certified",
    ),
    REVIEW: ("confirmed", "waiting"),
    PROPAGATION: ("instructions", "acknowledged", "left_to_people", "received"),
    VERIFICATION: ("sweep",),
    EXPORT: (
        "releases", "recipients", "released_weeks", "files", "cells", "cells_withheld", "bytes_identical_on_rerun",
    ),
    WATCH: ("late", "breached", "noted", "channels"),
}  # fmt: skip


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {what.replace('_', ' ').lower()}" for what, number in numbers.items()) or "none"


@dataclass
class Demo:
    """One go of the demo on a runtime that is up. ``night`` 0 is the first; later ones count only what is new."""

    runtime: Runtime
    night: int
    weeks: int = BACKFILLED_WEEKS
    failures: list[str] = field(default_factory=list)

    @property
    def console(self) -> Console:
        return self.runtime.console

    def api(self, person: str) -> AirflowApi:
        return self.runtime.api(person)

    # ---- running

    def say(self, text: str) -> None:
        self.console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/dim]  {text}", highlight=False, soft_wrap=True)

    def run(
        self,
        dag_id: str,
        conf: dict[str, object],
        *,
        scheduled: bool,
        on_success: Callable[[str], None] = lambda _task: None,
    ) -> DagRun:
        """The scheduled run that unpausing brings about, or one started by hand; waits and answers its questions.

        ``on_success`` is told each task that ends well.
        """

        def changed(task: str, state: str) -> None:
            self._show(task, state)
            if state == "success":
                on_success(task)
            elif state == "up_for_retry":
                for trouble in engineer.troubles(run):
                    self.say(f"    {escape(trouble)}")

        engineer = self.api(ENGINEER)
        before = {run.run_id for run in engineer.runs(dag_id)}
        engineer.unpause(dag_id)
        run = self._scheduled(engineer, dag_id, before) if scheduled else engineer.trigger(dag_id, conf=conf)
        self.say(f"[bold]{dag_id}[/bold] {run.run_id}")
        started = time.monotonic()
        run = engineer.wait(run, seconds=900, on_change=changed, on_action=self.answer)
        self._note_failure(run)
        waiting = "" if run.state != "running" else " (waits for a sign-off)"
        self.say(f"[bold]{dag_id}[/bold] {run.state}{waiting} after {time.monotonic() - started:.0f} s")
        return run

    def _note_failure(self, run: DagRun) -> None:
        """A failed run is a failure of the demonstration; it says which task failed, in which try, and of what."""
        if run.state == "failed":
            self.failures.append("; ".join([f"{run.dag_id} {run.run_id} failed", *self.api(ENGINEER).troubles(run)]))

    @staticmethod
    def _scheduled(engineer: AirflowApi, dag_id: str, before: set[str]) -> DagRun:
        """The run that the scheduler starts; none by hand in its place, beside which it would come all the same."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for run in engineer.runs(dag_id, run_type="scheduled"):
                if run.run_id not in before:
                    return run
            time.sleep(0.5)
        raise TimeoutError(f"the scheduler started no run of {dag_id} in {PATIENCE:.0f} s")

    def _show(self, task: str, state: str) -> None:
        if state in {"success", "failed", "up_for_retry", "awaiting_input", "upstream_failed"}:
            self.say(f"    {task}: {state.replace('_', ' ')}")

    def answer(self, action: RequiredAction) -> bool:
        """Answer as the person whose duty it is. The sign-off of the inventory is left open."""
        if action.task_id == "sign_off":
            return False
        # Airflow 3.3.2 fails the try of a question that is answered before the scheduler has seen it parked.
        time.sleep(READING_SECONDS)
        person = {"first_approval": FIRST, "second_approval": SECOND}.get(action.task_id, LEAD)
        self.say(f"    {person} approves: {action.subject}")
        return self._give(person, action, "Approve")

    def _give(self, person: str, action: RequiredAction, option: str, **params: object) -> bool:
        """Give an answer. One that is not taken (it is on its way already) is asked for again while it is wanted."""
        try:
            self.api(person).answer(action, option, params=params)
        except ApiError as error:
            self.say(f"    not taken: {escape(str(error))}")
        return True

    def review(self) -> list[DagRun]:
        """Two reviewers confirm the case that a first run asks about; what a second run asks stays open to look at."""
        first = self._reviewed()
        second = self.api(ENGINEER).trigger(REVIEW, conf={"most_questions": 1})
        if self._question(second, "first_answer") is None:
            self.failures.append(f"{REVIEW} {second.run_id}: nobody was asked")
        return [first, self.api(ENGINEER).run(second.dag_id, second.run_id)]

    def _reviewed(self) -> DagRun:
        """One case is asked about, two people confirm it, and the run ends."""
        engineer = self.api(ENGINEER)
        # In the place of the scheduled run, which would ask about fifty cases at once.
        due = next(dag["next_dagrun_logical_date"] for dag in engineer.dags() if dag["dag_id"] == REVIEW)
        run = engineer.trigger(
            REVIEW,
            conf={"most_questions": 1},
            logical_date=datetime.fromisoformat(due) if due and self.night == 0 else None,
        )
        engineer.unpause(REVIEW)
        self.say(f"[bold]{REVIEW}[/bold] {run.run_id}")
        asked: set[str] = set()

        # A suspicion takes two people; a confirmation with something against it takes one.
        def confirm(action: RequiredAction) -> bool:
            if person := self._reviewer(action):
                asked.add(action.task_id)
                time.sleep(READING_SECONDS)
                self.say(f"    {person} confirms: {action.subject}")
                self._give(person, action, "Confirm minor", reason="EVIDENCE_READ")
            return True

        run = engineer.wait(run, seconds=PATIENCE, on_action=confirm)
        if not asked:
            self.failures.append(f"{REVIEW} {run.run_id}: nobody was asked")
        self._note_failure(run)
        return run

    @staticmethod
    def _reviewer(action: RequiredAction) -> str | None:
        """Who answers a question of the review: the one whose turn it is, or another if it is put to that one."""
        turns = {"first_answer": (FIRST, SECOND, LEAD), "second_answer": (SECOND, FIRST, LEAD)}
        several = turns.get(action.task_id.rpartition(".")[2], ())
        return next((person for person in several if not action.assigned or person in action.assigned), None)

    def _question(self, run: DagRun, task: str) -> RequiredAction | None:
        """The first question of a review; None when nobody was asked."""
        engineer = self.api(ENGINEER)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and engineer.run(run.dag_id, run.run_id).state not in FINISHED:
            for action in engineer.required_actions(run):
                if action.task_id.endswith(task):
                    return action
            time.sleep(0.5)
        return None

    def take_in(self, *, scheduled: bool) -> DagRun:
        """Evidence comes in by day; the intake restricts at once and starts the erasure of whom it confirms.

        Returns the intake's run. The intake is paused again: whom people confirm next is to wait for the next night,
        where the ground truth expects it; and an export whose people change between its gate and its counts is stopped.
        """
        publisher = self.runtime.publisher
        planted = plant_night(
            self.runtime.server.dsn(PUBLISHER),
            self.runtime.server.dsn(GROUND_TRUTH),
            self.runtime.object_settings,
            night=facts.newest_night(self.runtime) + 1,
            seed=publisher.seed,
            anchor=publisher.anchor,
            by_day=True,
        )
        settings = settings_of.from_environment(self.runtime.project_environment())
        night = facts.newest_night(self.runtime)
        plant_governance(settings, self.runtime.server.dsn(GROUND_TRUTH), now=datetime.now(UTC), night=night)
        self.say("came in by day: " + ", ".join(f"{n} {what}" for what, n in planted.items()))
        engineer = self.api(ENGINEER)
        taken = self.run(INTAKE, {"dry_run": False}, scheduled=scheduled)
        engineer.unpause(INTAKE, paused=True)
        for run in engineer.runs(REVIEW):
            # On a working day the intake asks reviewers at once, about fifty cases; here one case at a time is shown.
            if run.run_id == f"intake__{taken.run_id}":
                engineer.delete(run)
        return taken

    def settle(self) -> None:
        """End what the intake began by its schedule since an earlier demonstration: the night would wait behind it.

        Comes before anything is planted, which an open erasure would take.
        """
        engineer = self.api(ENGINEER)
        for dag_id in (INTAKE, REVIEW):
            engineer.unpause(dag_id, paused=True)
        for dag_id in (INTAKE, DELETION):
            still_open = [run for run in engineer.runs(dag_id) if run.state in {"queued", "running"}]
            for run in sorted(still_open, key=lambda run: run.state == "queued"):  # these wait behind the others
                self.say(f"[bold]{dag_id}[/bold] {run.run_id} is still open")
                engineer.wait(run, seconds=600, on_action=self.answer)
        for run in engineer.runs(REVIEW):
            if run.state == "queued" and run.run_id.startswith("intake__"):
                engineer.delete(run)

    def erasure_of(self, taken: DagRun, looked: Event) -> list[DagRun]:
        """The erasure that a run of the intake started, when it is over; ``looked`` is set when it judged everybody."""

        def changed(task: str, state: str) -> None:
            if task == "detect_and_restrict" and state == "success":
                looked.set()

        engineer = self.api(ENGINEER)
        started = [run for run in engineer.runs(DELETION) if run.run_id == f"intake__{taken.run_id}"]
        if not started:
            self.failures.append(f"{INTAKE} {taken.run_id} started no erasure")
        over = [engineer.wait(run, seconds=600, on_change=changed, on_action=self.answer) for run in started]
        for run in over:
            self._note_failure(run)
        return over

    def backfill(self, newest_week: str) -> list[DagRun]:
        """The weeks before ``newest_week``, two at a time."""
        monday = datetime.strptime(newest_week + "-1", "%G-W%V-%u").replace(tzinfo=UTC)
        # The interval that exports a week begins on the Wednesday in it and ends on the Wednesday after it.
        last = monday + timedelta(days=2, hours=6) - timedelta(weeks=1)
        first = last - timedelta(weeks=self.weeks - 1)
        engineer = self.api(ENGINEER)
        self.say(f"[bold]{EXPORT}[/bold] backfill of {self.weeks} weeks")
        number = engineer.backfill(EXPORT, first, last, max_active_runs=2)
        seen = {run.run_id for run in engineer.runs(EXPORT, run_type="backfill")}
        runs = engineer.wait_backfill(
            EXPORT,
            number,
            closed=False,
            on_change=lambda run, state: self.say(f"    {run}: {state}"),
            on_action=self.answer,
        )
        mine = [run for run in runs if run.run_id in seen or run.logical_date]
        for run in mine:
            self._note_failure(run)
        return mine

    # ---- the whole

    def go(self) -> dict[str, Any]:
        """Run everything; returns the facts."""
        first_night = self.night == 0
        started = datetime.now(UTC)
        released_before = facts.released_objects(self.runtime)
        runs: dict[str, list[DagRun]] = {}
        by_day: list[Future[DagRun]] = []

        def nightly(beside: ThreadPoolExecutor) -> None:
            def came_in(task: str = "detect_and_restrict") -> None:
                # The night has looked: what comes from now on is the intake's.
                if task == "detect_and_restrict" and not by_day:
                    by_day.append(beside.submit(self.take_in, scheduled=first_night))

            conf: dict[str, object] = {"dry_run": False}
            runs[DELETION] = [self.run(DELETION, conf, scheduled=first_night, on_success=came_in)]
            came_in()

        looked = Event()

        def told() -> None:
            try:
                # Whoever the intake had erased is told of, too.
                runs[INTAKE] += self.erasure_of(runs[INTAKE][0], looked)
            finally:
                looked.set()
            once(PROPAGATION, {"dry_run": False})()

        def decided() -> None:
            # A suspicion may stand on somebody whom the night erased: that erasure judges it anew, and what people
            # decided about the old evidence would not count.
            looked.wait()
            runs[REVIEW] = self.review()

        def once(dag_id: str, conf: dict[str, object]) -> Callable[[], None]:
            return lambda: runs.__setitem__(dag_id, [self.run(dag_id, conf, scheduled=first_night)])

        with ThreadPoolExecutor(1, thread_name_prefix="by day") as pool:
            self.beside(once(INVENTORY, {}), lambda: nightly(pool))
            runs[INTAKE] = [by_day[0].result()]
        self.beside(once(VERIFICATION, {"dry_run": False}), told, decided, once(EXPORT, {}), once(WATCH, {}))
        week = facts.newest_exported_week(self.runtime)
        if week is None:
            self.failures.append("no week was exported")
        elif first_night:
            runs[EXPORT] += self.backfill(week)
            released_before = facts.released_objects(self.runtime)
        if week is not None:
            runs[EXPORT].append(self.run(EXPORT, {"iso_week": week}, scheduled=False))
        watched = self.api(ENGINEER).xcom(runs[WATCH][-1], "look")
        summary = facts.summary(
            self.runtime, runs, night=self.night, started=started, released_before=released_before, watched=watched
        )
        summary["open_action"] = self.leave_one_open()
        self.failures += facts.disagreements(summary)
        self.api(ENGINEER).unpause(INTAKE)
        summary["failures"] = self.failures
        return summary

    @staticmethod
    def beside(*works: Callable[[], None]) -> None:
        """All of them at once; the first error is raised when all are over."""
        with ThreadPoolExecutor(len(works), thread_name_prefix="demo") as pool:
            for running in [pool.submit(work) for work in works]:
                running.result()

    def leave_one_open(self) -> dict[str, str] | None:
        """Answer the sign-offs that still wait, except the newest. Questions about cases stay as they are."""
        lead = self.api(LEAD)
        waiting = [action for action in lead.required_actions() if action.task_id == "sign_off"]
        newest = waiting[-1] if waiting else None
        for action in waiting[:-1]:
            try:
                lead.answer(action, "Approve")
                self.say(f"{LEAD} approves: {action.subject}")
            except ApiError:
                self.say(f"an older question could not be answered any more: {action.subject}")
        if newest is None:
            return None
        return {"dag": newest.dag_id, "run": newest.run_id, "task": newest.task_id, "subject": newest.subject}

    # ---- showing

    def show(self, summary: dict[str, Any], folder: Path) -> None:
        """The small table, where the packs are, and how to log in."""
        table = Table(title="What happened", title_justify="left", show_lines=False)
        table.add_column("job")
        table.add_column("fact")
        table.add_column("value", justify="right")
        for job, found in summary["jobs"].items():
            states = Counter(run["state"] for run in found["runs"])
            verdicts = Counter[str]()
            for by_verdict in found["gates"].values():
                verdicts.update(by_verdict)
            table.add_row(job, "runs", _counted(states))
            table.add_row("", "gates", _counted(verdicts))
            for name in SHOWN[job]:
                value = found[name]
                table.add_row("", name.replace("_", " "), _counted(value) if isinstance(value, dict) else str(value))
            table.add_section()
        self.console.print(table)
        self.console.print(
            f"Released packs: {folder / 'packs'}\nTransfer report: {folder / 'transfers' / 'report.html'}\n"
            f"All facts: {folder / 'summary.json'}",
            soft_wrap=True,
        )
        if summary["open_action"]:
            self.console.print(f"Left open for you: {summary['open_action']['subject']} (Required Actions in the UI)")
        self.runtime.show()
        for failure in summary["failures"]:
            self.console.print(failure, style="red", markup=False, soft_wrap=True)


def prepare(runtime: Runtime) -> int:
    """Plant a further night when the last one was judged already; register holds, canaries and the reference review.

    Returns the night to run.
    """
    environment = runtime.project_environment()
    workspace = Workspace.load(settings_of.from_environment(environment))
    publisher, truth = runtime.server.dsn(PUBLISHER), runtime.server.dsn(GROUND_TRUTH)
    now = datetime.now(UTC)
    night = facts.newest_night(runtime)
    if facts.deletions_done(runtime) > night:
        night += 1
        planted = plant_night(
            publisher,
            truth,
            runtime.object_settings,
            night=night,
            seed=runtime.publisher.seed,
            anchor=runtime.publisher.anchor,
        )
        runtime.console.print(f"planted night {night}: " + ", ".join(f"{n} {what}" for what, n in planted.items()))
    if not facts.is_registered(runtime, night):
        plant_governance(workspace.settings, truth, now=now, night=night)
    with workspace.database("migrate").transaction() as connection:
        recipients.load_registry(connection, workspace.settings.recipients_path, workspace.settings.keys)
    registry = recipients.read_registry(workspace.settings.recipients_path)
    entitled = [course for entry in registry.entitlements for course in entry.courses]
    this_week = weeks.containing(now, workspace.thresholds.legal_timezone)
    base_periods.show_weeks(workspace, entitled, (this_week.before(n) for n in range(60)), now=now)
    with workspace.database("inventory").transaction() as connection:
        reviewed = inventory.load_reference(workspace.settings.include)
        inventory.record_review(connection, reviewer=LEAD, reviewed_at=now, reference_sha256=reviewed.sha256)
    return night


def main(arguments: list[str] | None = None) -> int:
    """Bring the runtime up (or plant a new night), run the demo, write and show the facts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=int(os.environ.get("PEOPLE") or DEFAULT_PEOPLE))
    parser.add_argument("--var", type=Path, default=None, help="folder of the runtime (default: var)")
    parser.add_argument("--weeks", type=int, default=BACKFILLED_WEEKS, help="past weeks to export (default: 4)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    runtime = Runtime(options.var) if options.var else Runtime()
    try:
        runtime.up(options.people)
        Demo(runtime, facts.newest_night(runtime), options.weeks).settle()
        demo = Demo(runtime, prepare(runtime), options.weeks)
        summary = demo.go()
    except FAILURES as error:
        runtime.console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        runtime.console.print("interrupted; `make down` ends what was started")
        return 130
    folder = runtime.var / "demo"
    shutil.rmtree(folder / "packs", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    facts.copy_packs(runtime, folder / "packs")
    shutil.rmtree(folder / "transfers", ignore_errors=True)
    facts.copy_inventory(runtime, folder / "transfers")
    summary["seconds"] = round(time.monotonic() - started)
    (folder / "summary.json").write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    demo.show(summary, folder)
    return 1 if summary["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
