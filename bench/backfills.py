"""docs/backfills.md carried out on a small Airflow: each DAG by command line and REST, one in the browser as well.

python -m bench.backfills [--people 1000] [--var VAR]    with --var, on the runtime in VAR, which is left up

What is allowed has to work and to change nothing but what the document says; what is refused has to be refused with a
sentence that names what is wrong. ``STANDING`` is what a rehearsal must leave as it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from croniter import croniter

from bench import overhead, pictures
from sandbox import facts
from sandbox.airflow_api import FINISHED, AirflowApi, ApiError, DagRun
from sandbox.demo import DELETION, ENGINEER, EXPORT, INVENTORY, LEAD, REVIEW, Demo, prepare
from sandbox.provision import PUBLISHER
from sandbox.publisher.database import connect
from sandbox.runtime import Runtime
from sandbox.state import PROJECT

PEOPLE = 1000
VIEWER = "vera"
LONG_AGO = timedelta(days=20)
_HASH = "SELECT md5(coalesce(string_agg(t::text, ';' ORDER BY t::text), '')) FROM gov."
# What a rehearsal leaves alone, by what it is: counts, or a hash of the rows.
STANDING = {
    "accounts": "SELECT count(*)::text FROM core.user_account",
    "restrictions": "SELECT count(*)::text FROM gov.minor_case WHERE restriction <> 'NONE'",
    "certificates": "SELECT count(*)::text FROM gov.certificate",
    "decisions": "SELECT count(*)::text FROM gov.case_decision",
    "notices": "SELECT count(*)::text FROM gov.notice",
    "instructions": "SELECT count(*)::text FROM gov.downstream_event",
    "sweeps": "SELECT count(*)::text FROM gov.sweep",
    "mails about releases": "SELECT count(*)::text FROM gov.delivery_mail",
    "deliveries": "SELECT count(*)::text FROM gov.release_delivery",
    "releases": "SELECT count(*)::text FROM gov.release_register",
    "cursor of the intake": _HASH + "intake_cursor AS t",
    "findings": _HASH + "finding AS t",
    "block list": _HASH + "blocked_destination AS t",
    "alerts": "SELECT count(*)::text FROM gov.operator_alert",
}  # fmt: skip
DRY = ("minor_signal_intake", "erasure_propagation", "erasure_verification", "course_usage_delivery", DELETION)
REFUSED: tuple[tuple[str, dict[str, object], str], ...] = (
    *((dag_id, {"dry_run": "no"}, "dry_run") for dag_id in DRY),
    (EXPORT, {"iso_week": "last week"}, "iso_week"),
    (EXPORT, {"iso_week": "2026-W7"}, "iso_week"),
    (INVENTORY, {"judge_on": "28.12.2031"}, "judge_on"),
    (REVIEW, {"most_questions": 0}, "most_questions"),
)


@dataclass(frozen=True)
class Tried:
    """One thing that was tried. ``wrong`` is empty where it went as the document says."""

    how: str
    dag_id: str
    what: str
    said: str
    wrong: str = ""


@dataclass
class Trials:
    """The trials on a runtime that is up. Each adds to ``tried``."""

    runtime: Runtime
    demo: Demo
    tried: list[Tried] = field(default_factory=list)
    shares: list[overhead.Share] = field(default_factory=list)

    # ---- hands

    @property
    def engineer(self) -> AirflowApi:
        return self.runtime.api(ENGINEER)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with connect(self.runtime.server.dsn(PUBLISHER)) as connection:
            return connection.execute(statement.encode(), values or None).fetchall()

    def standing(self) -> dict[str, str]:
        return {name: self.rows(statement)[0][0] for name, statement in STANDING.items()}

    def recorded(self, run: DagRun) -> tuple[bool, str]:
        """Whether the run says that it only counted, and its note."""
        found = self.rows("SELECT dry_run, note FROM gov.run WHERE run_id = %s", f"{run.dag_id}/{run.run_id}")
        return (bool(found[0][0]), str(found[0][1])) if found else (False, "never opened")

    def command(self, *words: str) -> tuple[int, str]:
        """``airflow`` on the command line: its exit code and what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *words],
            cwd=PROJECT, env=self.runtime.airflow_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def note(self, how: str, dag_id: str, what: str, said: str, *wrong: str) -> None:
        found = "; ".join(filter(None, wrong))
        self.tried.append(Tried(how, dag_id, what, said, found))
        self.demo.say(f"{how} {dag_id} {what}: {said}" + (f" [red]{found}[/red]" if found else ""))

    def interval(self, dag_id: str, back: timedelta = LONG_AGO) -> datetime:
        """Start of an interval of the DAG's schedule that long ago."""
        summary = next(dag["timetable_summary"] for dag in self.engineer.dags() if dag["dag_id"] == dag_id)
        begins: datetime = croniter(summary, datetime.now(UTC) - back).get_prev(datetime)
        return begins

    def backfills(self, dag_id: str) -> set[int]:
        return {one["id"] for one in self.engineer.call("GET", "/backfills", query={"dag_id": dag_id})["backfills"]}

    def wait(self, dag_id: str, number: int, begins: datetime) -> DagRun:
        """The one run of a backfill, when it is over."""
        runs = self.engineer.wait_backfill(dag_id, number, on_action=self._approve)
        return next(run for run in runs if run.logical_date and datetime.fromisoformat(run.logical_date) == begins)

    def _approve(self, action: Any) -> bool:
        time.sleep(3)
        try:
            self.runtime.api(LEAD).answer(action, "Approve" if "Approve" in action.options else action.options[-1])
        except ApiError as error:
            self.demo.say(f"    not taken: {error}")
        return True

    # ---- what is allowed

    def rehearsal(self, how: str, what: str, run: DagRun, before: Mapping[str, str], *, dry: bool, note: str) -> None:
        """Judge a run that must change nothing of ``STANDING``."""
        after = self.standing()
        changed = [name for name in STANDING if before[name] != after[name]]
        is_dry, said = self.recorded(run)
        self.note(
            how, run.dag_id, what, f"{run.state}; {said or 'no note'}",
            "" if run.state == "success" else f"the run is {run.state}",
            "" if is_dry == dry else f"dry_run is recorded as {is_dry}",
            "" if note in said else f"the note does not say {note!r}",
            f"it changed {', '.join(changed)}" if changed else "",
        )  # fmt: skip

    def by_command(self, dag_id: str, begins: datetime, conf: Mapping[str, object]) -> DagRun:
        known = self.backfills(dag_id)
        code, said = self.command(
            "backfill", "create", "--dag-id", dag_id, "--from-date", begins.isoformat(), "--to-date",
            begins.isoformat(), "--max-active-runs", "1", "--dag-run-conf", json.dumps(conf),
            "--reprocess-behavior", "completed",
        )  # fmt: skip
        fresh = self.backfills(dag_id) - known
        if code or len(fresh) != 1:
            raise RuntimeError(f"airflow backfill create ended with {code}: {said[-300:]}")
        return self.wait(dag_id, fresh.pop(), begins)

    def by_rest(self, dag_id: str, begins: datetime, conf: Mapping[str, object]) -> DagRun:
        number = self.engineer.backfill(dag_id, begins, begins, conf=conf, reprocess="completed")
        return self.wait(dag_id, number, begins)

    def dry_job(self, dag_id: str) -> None:
        """A job that destroys or sends: a backfill only counts, whatever is said; by hand unless it is said."""
        self.away_from_the_hour()
        backfilled = "Backfill: judged as of now, dry run only."
        for how, start in (("command line", self.by_command), ("REST", self.by_rest)):
            back = LONG_AGO if how == "REST" else LONG_AGO * 2
            before = self.standing()
            run = start(dag_id, self.interval(dag_id, back), {"dry_run": False})
            self.rehearsal(how, 'backfill with {"dry_run": false}', run, before, dry=True, note=backfilled)
        before = self.standing()
        run = self.demo.run(dag_id, {}, scheduled=False)
        self.rehearsal("REST", "by hand, nothing said", run, before, dry=True, note="")

    def old_date_by_hand(self) -> None:
        """A real run by hand about a day long past erases nothing, and says so."""
        before = self.standing()
        run = self.engineer.trigger(
            DELETION, conf={"dry_run": False}, logical_date=self.interval(DELETION, LONG_AGO * 3)
        )
        run = self.engineer.wait(run, on_action=self._approve)
        self.rehearsal(
            "REST", 'by hand with {"dry_run": false} about a day long past', run, before, dry=False,
            note="About a day long past: judged as of now, only counted.",
        )  # fmt: skip

    def real_by_hand(self) -> None:
        """The night by hand, when it is said: the planted minors go."""
        before = self.standing()
        run = self.demo.run(DELETION, {"dry_run": False}, scheduled=False)
        gone = int(self.standing()["certificates"]) - int(before["certificates"])
        self.note(
            "REST", DELETION, 'by hand with {"dry_run": false}', f"{run.state}; {gone} people erased and certified",
            "" if run.state == "success" and gone else "nobody was erased",
        )  # fmt: skip

    def exports(self) -> None:
        """Weeks of the past are what it is made for; a released one is served as it was."""
        week = facts.next_older_week(self.runtime) or ""
        monday = datetime.strptime(week + "-1", "%G-W%V-%u").replace(tzinfo=UTC)
        begins = monday + timedelta(days=2, hours=6)
        run = self.by_command(EXPORT, begins, {})
        released = facts.released_objects(self.runtime)
        (count,) = self.rows("SELECT count(*) FROM gov.release_register WHERE iso_week = %s", week)[0]
        self.note(
            "command line", EXPORT, f"backfill of {week}", f"{run.state}; {count} releases",
            "" if run.state == "success" and count else "no release came of it",
        )  # fmt: skip
        again = self.by_rest(EXPORT, begins, {})
        same = facts.released_objects(self.runtime) == released
        self.note(
            "REST", EXPORT, f"backfill of {week} once more", f"{again.state}; same bytes and versions: {same}",
            "" if again.state == "success" and same else "a released week changed",
        )  # fmt: skip
        open_week = f"{datetime.now(UTC):%G-W%V}"
        run = self.engineer.wait(self.engineer.trigger(EXPORT, conf={"iso_week": open_week}))
        said = self.log_line(run, "gate_input", "GateBlocked")
        self.note(
            "REST", EXPORT, f"by hand, {open_week}, which is not over", f"{run.state}: {said}",
            "" if run.state == "failed" and "E-04" in said and "What to do" in said else "it was not refused so",
        )  # fmt: skip

    def log_line(self, run: DagRun, task: str, holds: str) -> str:
        """What the log of a task's last try says about an error."""
        return next((said for kind, said in self.engineer.errors(run, task) if holds in kind), "")

    def days(self) -> None:
        """The inventory of past days, and of a day by hand: today's findings and block list stay."""
        for how, start in (("command line", self.by_command), ("REST", self.by_rest)):
            before = self.standing()
            run = start(INVENTORY, self.interval(INVENTORY, LONG_AGO if how == "REST" else LONG_AGO * 2), {})
            self.rehearsal(how, "backfill of a day", run, before, dry=False, note="")
        before = self.standing()
        run = self.engineer.wait(
            self.engineer.trigger(INVENTORY, conf={"judge_on": "2031-12-28"}), on_action=self._approve
        )
        self.rehearsal("REST", "by hand, judge_on 2031-12-28", run, before, dry=False, note="")

    def others(self, dag_id: str) -> None:
        """Jobs for which a backfill is one more look at what stands now."""
        self.away_from_the_hour()
        for how, start in (("command line", self.by_command), ("REST", self.by_rest)):
            before = self.standing()
            run = start(dag_id, self.interval(dag_id, LONG_AGO if how == "REST" else LONG_AGO * 2), {})
            self.rehearsal(how, "backfill", run, before, dry=False, note="")

    @staticmethod
    def away_from_the_hour() -> None:
        """Scheduled runs are real: wait until the next quarter of an hour has begun when it is near."""
        left = 15 * 60 - time.time() % (15 * 60)
        if left < 150:
            time.sleep(left + 45)

    # ---- what is refused

    def refusals(self) -> None:
        for dag_id, conf, name in REFUSED:
            day = self.interval(dag_id)
            self._refused(
                "REST",
                dag_id,
                f"run {json.dumps(conf)}",
                name,
                lambda c=conf, d=dag_id: self.engineer.trigger(d, conf=c),
            )
            self._refused(
                "REST", dag_id, f"backfill {json.dumps(conf)}", name,
                lambda c=conf, d=dag_id, b=day: self.engineer.backfill(d, b, b, conf=c),
            )  # fmt: skip
        code, said = self.command("dags", "trigger", DELETION, "--conf", '{"dry_run": "no"}')
        self.note(
            "command line", DELETION, 'run {"dry_run": "no"}', _sentence(said, "dry_run"),
            "" if code and "dry_run" in said else "it was not refused by name",
        )  # fmt: skip
        day = self.interval(DELETION)
        viewer = self.runtime.api(VIEWER)
        self._refused("REST", DELETION, "run, asked by a viewer", "403", lambda: viewer.trigger(DELETION))
        self._refused(
            "REST", DELETION, "backfill, asked by a viewer", "403", lambda: viewer.backfill(DELETION, day, day)
        )
        ahead = datetime.now(UTC) + timedelta(days=30)
        self._refused(
            "REST", DELETION, "backfill of days to come", "future",
            lambda: self.engineer.backfill(DELETION, ahead, ahead + timedelta(days=1)),
        )  # fmt: skip
        self._refused(
            "REST", DELETION, "backfill that ends before it begins", "date",
            lambda: self.engineer.backfill(DELETION, day, day - timedelta(days=5)),
        )  # fmt: skip

    def _refused(self, how: str, dag_id: str, what: str, says: str, ask: Callable[[], object]) -> None:
        try:
            ask()
        except ApiError as error:
            good = 400 <= error.status < 500 and says.lower() in str(error).lower()
            self.note(
                how, dag_id, what, f"{error.status} {_sentence(str(error), says)}", "" if good else "not as it should"
            )
        else:
            self.note(how, dag_id, what, "was taken", "it was not refused")

    def paused(self) -> None:
        """On a paused DAG the runs wait, and a second backfill is refused while the first is open."""
        dag_id = "erasure_verification"
        self.engineer.unpause(dag_id, paused=True)
        day = self.interval(dag_id, LONG_AGO * 3)
        number = self.engineer.backfill(dag_id, day, day)
        self._refused(
            "REST", dag_id, "a second backfill at once", "running backfill",
            lambda: self.engineer.backfill(dag_id, day, day),
        )  # fmt: skip
        time.sleep(15)
        mine = [
            run for run in self.engineer.runs(dag_id, run_type="backfill")
            if run.logical_date and datetime.fromisoformat(run.logical_date) == day
        ]  # fmt: skip
        states = {run.state for run in mine}
        self.note(
            "REST", dag_id, "backfill while it is paused", f"its run is {', '.join(states) or 'not there'} after 15 s",
            "" if states == {"queued"} else "it does not wait",
        )  # fmt: skip
        self.engineer.call("PUT", f"/backfills/{number}/cancel")

    # ---- in the browser

    def in_the_browser(self) -> None:
        """The dialog of the deletion: only counting is ticked; a run and a backfill as it offers them."""
        found = pictures.browser()
        if found is None:
            self.note("UI", DELETION, "dialog", "not carried out: no Chromium", "Chromium is missing")
            return
        with pictures.driver(*found) as driver:
            Dialog(self, driver).carry_out()

    # ---- the whole

    def carry_out(self) -> list[Tried]:
        """Everything, in an order in which each finds something to do or to leave alone."""
        demo = self.demo
        demo.run(INVENTORY, {}, scheduled=True)
        demo.run(DELETION, {"dry_run": False}, scheduled=True)
        demo.run(EXPORT, {}, scheduled=True)
        self.shares = overhead.every(self.runtime)
        demo.night = prepare(self.runtime)  # minors whom the rehearsals must leave alone
        self._step(self.refusals, self.rehearse_the_deletion, self.in_the_browser, self.real_by_hand)
        for dag_id in DRY:
            if dag_id != DELETION:
                self._step(partial(self.unpaused, dag_id, self.dry_job))
        self._step(
            self.exports, self.days, partial(self.unpaused, "watchkeeper", self.others), self.review, self.paused
        )
        return self.tried

    def _step(self, *steps: Callable[[], None]) -> None:
        """A step that breaks off is a finding; the others go on."""
        for step in steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001
                self.note("", "", "a step broke off", "", f"{type(error).__name__}: {str(error).splitlines()[0][:200]}")

    def rehearse_the_deletion(self) -> None:
        self.dry_job(DELETION)
        self.old_date_by_hand()

    def unpaused(self, dag_id: str, trial: Callable[[str], None]) -> None:
        """Its own scheduled run first; then the trial; then it rests, so that nothing real comes in between."""
        self.demo.run(dag_id, {}, scheduled=True)
        trial(dag_id)
        self.engineer.unpause(dag_id, paused=True)

    def review(self) -> None:
        """Its questions stay open for a day: the backfill has to be under way and ask nobody twice."""
        self.engineer.unpause(REVIEW)
        asked = self._asked()
        day = self.interval(REVIEW)
        self.engineer.backfill(REVIEW, day, day, conf={"most_questions": 1})
        deadline = time.monotonic() + 240
        state, now = "", asked
        while time.monotonic() < deadline:
            runs = [r for r in self.engineer.runs(REVIEW, run_type="backfill") if r.logical_date]
            state = runs[0].state if runs else ""
            now = self._asked()
            if state in FINISHED or now > asked:
                break
            time.sleep(2)
        self.note(
            "REST", REVIEW, 'backfill with {"most_questions": 1}', f"{state}; {len(now)} questions open",
            "" if state in {"running", "success"} else f"the run is {state}",
        )  # fmt: skip

    def _asked(self) -> set[tuple[str, str, int]]:
        actions = self.engineer.required_actions()
        return {(a.run_id, a.task_id, a.map_index) for a in actions if a.dag_id == REVIEW}


@dataclass
class Dialog:
    """The dialog behind the button Trigger, as an engineer uses it."""

    trials: Trials
    driver: Any

    def carry_out(self) -> None:
        trials = self.trials
        state = trials.runtime.state
        pictures.log_in(self.driver, state.url, ENGINEER, state.passwords[f"ui_{ENGINEER}"])
        before, known = trials.standing(), {run.run_id for run in trials.engineer.runs(DELETION)}
        self._open()
        self._picture("trigger_dialog")
        self._press("Trigger", inside=True)
        run = self._appears(lambda: [r for r in trials.engineer.runs(DELETION) if r.run_id not in known])
        run = trials.engineer.wait(run, on_action=trials._approve)
        trials.rehearsal("UI", "Single Run as the dialog offers it", run, before, dry=True, note="")
        before, known = trials.standing(), {run.run_id for run in trials.engineer.runs(DELETION)}
        self._open()
        self._choose("Backfill")
        day = trials.interval(DELETION, LONG_AGO + timedelta(days=3))
        self._dates(day - timedelta(hours=1), day + timedelta(hours=1))
        self._picture("backfill_dialog")
        self._press("Run Backfill", inside=True)
        run = self._appears(
            lambda: [r for r in trials.engineer.runs(DELETION, run_type="backfill") if r.run_id not in known]
        )
        run = trials.engineer.wait(run, on_action=trials._approve)
        note = "Backfill: judged as of now, dry run only."
        trials.rehearsal("UI", "Backfill of a day", run, before, dry=True, note=note)

    def _open(self) -> None:
        self.driver.set_window_size(1400, 1300)
        self.driver.get(f"{self.trials.runtime.state.url}/dags/{DELETION}")
        self._press("Trigger", inside=False)

    def _find(self, path: str) -> Any:
        from selenium.webdriver.common.by import By
        from selenium.webdriver.support import expected_conditions as until
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 60).until(until.element_to_be_clickable((By.XPATH, path)))

    def _press(self, label: str, *, inside: bool) -> None:
        where = "//*[@role='dialog']" if inside else ""
        button = self._find(
            f"{where}//button[normalize-space()='{label}' or @aria-label='{label}' or @aria-label='{label} Dag']"
        )
        self.driver.execute_script("arguments[0].click()", button)
        time.sleep(2)

    def _choose(self, label: str) -> None:
        self._find(f"//*[@role='dialog']//label[contains(., '{label}')]").click()
        time.sleep(2)

    def _dates(self, first: datetime, last: datetime) -> None:
        """Type both moments into the fields that open below From and To."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        for place, moment in enumerate((first, last)):
            self.driver.find_elements(By.CSS_SELECTOR, "[role=dialog] [data-testid=datetime-input]")[place].click()
            time.sleep(1)
            for hint, how in (("YYYY/MM/DD", "%Y/%m/%d"), ("HH:mm", "%H:%M")):
                fields = self.driver.find_elements(By.CSS_SELECTOR, f"input[placeholder='{hint}']")
                field = next(one for one in fields if one.is_displayed())
                field.send_keys(Keys.CONTROL, "a")
                field.send_keys(moment.strftime(how), Keys.TAB)
                time.sleep(1)
            self._find("//*[@role='dialog']//*[normalize-space(text())='Date Range']").click()
            time.sleep(1)

    def _picture(self, name: str) -> None:
        folder = PROJECT / "docs" / "pictures" / "backfills"
        folder.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(folder / f"{name}.png"))

    @staticmethod
    def _appears(look: Callable[[], list[DagRun]]) -> DagRun:
        for _ in range(60):
            if found := look():
                return found[0]
            time.sleep(1)
        raise TimeoutError("the dialog started nothing")


def _sentence(text: str, holds: str) -> str:
    """What was said around ``holds``, short enough for a report and without quotes of the machine."""
    try:
        detail = json.loads(text[text.index("{") :])["detail"]
        text = detail if isinstance(detail, str) else json.dumps(detail)
    except (ValueError, KeyError):
        lines = [line for line in text.splitlines() if holds.lower() in line.lower()]
        text = lines[-1] if lines else text[-200:]
    return " ".join(text.split()).partition(" Failed validating")[0][:160]


def prove(people: int = PEOPLE, *, var: Path | None = None) -> Trials:
    """Carry everything out: in a runtime of its own, which is taken down again, or in the one in ``var``."""
    with tempfile.TemporaryDirectory(prefix="backfills-") as folder:
        runtime = Runtime(var or Path(folder))
        try:
            runtime.up(people)
            trials = Trials(runtime, Demo(runtime, prepare(runtime)))
            trials.carry_out()
            return trials
        finally:
            if var is None:
                runtime.down()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.backfills", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--var", type=Path, default=None)
    given = parser.parse_args(arguments)
    found = prove(given.people, var=given.var)
    wrong = [one for one in found.tried if one.wrong]
    for one in found.tried:
        print(f"{'WRONG' if one.wrong else 'ok':5} {one.how:12} {one.dag_id:26} {one.what}: {one.said} {one.wrong}")
    return 1 if wrong or not found.tried or found.demo.failures else 0


if __name__ == "__main__":
    sys.exit(main())
