"""docs/tour.md carried out: every step in a real browser against the demonstration, with a picture of each.

python -m bench.tour        takes the pictures of docs/pictures/tour again; the demonstration must be up
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench import pictures
from sandbox import facts, mistake
from sandbox.airflow_api import ApiError, DagRun, RequiredAction
from sandbox.demo import Demo
from sandbox.runtime import Runtime
from sandbox.state import PROJECT

FOLDER = PROJECT / "docs" / "pictures" / "tour"
WIDE, PHONE = (1500, 950), (390, 844)
REVIEW, DELETION = "minor_case_review", "minor_data_deletion"
PATIENCE = 60
READING_SECONDS = 3  # Airflow 3.3.2 loses an answer that comes before the question is parked


class Tour:
    """One browser, one made-up person at a time. ``wrong`` collects what did not go as the tour says."""

    def __init__(self, runtime: Runtime, driver: Any, downloads: Path, folder: Path) -> None:
        self.runtime, self.driver, self.downloads, self.folder = runtime, driver, downloads, folder
        self.url = runtime.state.url
        self.wrong: dict[str, str] = {}
        self.seen: list[str] = []

    # ---- hands

    def sign_in(self, person: str) -> None:
        self.driver.delete_all_cookies()
        pictures.log_in(self.driver, self.url, person, self.runtime.state.passwords[f"ui_{person}"])

    def look(self, theme: str = "light", size: tuple[int, int] = WIDE) -> None:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_script("localStorage.setItem('theme', arguments[0])", theme)

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def picture(self, name: str, shows: str, *, wait: float = 2.5) -> None:
        if not pictures.shows(self.driver, shows):
            self.wrong[name] = f"the page does not show {shows!r}"
        time.sleep(wait)  # graphs are drawn after their data came
        self.driver.save_screenshot(str(self.folder / f"{name}.png"))
        self.seen.append(name)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """In the frame that Airflow shows the console in."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.support import expected_conditions as until
        from selenium.webdriver.support.ui import WebDriverWait

        frame = (By.CSS_SELECTOR, "iframe[src^='/privacy'], iframe[src*='/privacy']")
        WebDriverWait(self.driver, PATIENCE).until(until.frame_to_be_available_and_switch_to_it(frame))
        try:
            yield
        finally:
            self.driver.switch_to.default_content()

    def press(self, label: str) -> None:
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.XPATH, f"//button[normalize-space()={label!r}]").click()

    def downloaded(self, ending: str) -> Path:
        """The newest file that the browser saved. Raises TimeoutError."""
        for _ in range(PATIENCE * 4):
            if found := sorted(self.downloads.glob(f"*{ending}"), key=lambda path: path.stat().st_mtime):
                return found[-1]
            time.sleep(0.25)
        raise TimeoutError(f"the browser saved no file that ends in {ending}")

    def expect(self, step: str, holds: bool, why: str) -> None:
        if not holds:
            self.wrong[step] = why

    # ---- steps, in the order of docs/tour.md

    def overview(self) -> None:
        self.sign_in("lena")
        self.look()
        self.open("/plugin/privacy")
        with self.inside():
            self.picture("overview", "What the privacy policy promises")
        self.look("dark")
        self.open("/plugin/privacy")
        with self.inside():
            self.picture("overview_dark", "What the privacy policy promises")
        self.look("dark", PHONE)
        self.open("/privacy/")
        self.picture("overview_phone", "What the privacy policy promises", wait=0.5)
        width = self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        self.expect("overview_phone", width <= 0, "the page is wider than a phone")
        self.look()

    def red_gate(self) -> None:
        engineer = self.runtime.api(mistake.ENGINEER)
        try:
            run = engineer.wait(mistake.make(self.runtime), seconds=300)
            self._look_at_the_red_gate(run)
        finally:
            mistake.mend(self.runtime)
        engineer.clear(run, only_failed=True)
        run = engineer.wait(run, seconds=600, on_action=self._approve)
        self.expect("mended", run.state == "success", f"after the registry was mended the export is {run.state}")
        self.open(f"/dags/{run.dag_id}/runs/{quote(run.run_id, safe='')}/plugin/privacy-run")
        with self.inside():
            self.picture("mended", "export_input")

    def _approve(self, action: RequiredAction) -> bool:
        """The first release by a method asks the lead."""
        time.sleep(READING_SECONDS)
        self.runtime.api("lena").answer(action, "Approve")
        return True

    def _look_at_the_red_gate(self, run: DagRun) -> None:
        self.expect("red_run", run.state == "failed", f"the export with a mistake is {run.state}")
        self.sign_in(mistake.ENGINEER)
        self.look()
        self.open(f"/dags/{run.dag_id}/runs/{quote(run.run_id, safe='')}")
        self.picture("red_run", "gate_input")
        self.open(f"/dags/{run.dag_id}/runs/{quote(run.run_id, safe='')}/plugin/privacy-run")
        with self.inside():
            self.picture("red_tab", "E-02-courses")
        self.open("/privacy/gates?verdict=block")
        self.picture("red_gate", "shut now", wait=0.5)
        self.follow("report ")
        self.picture("red_report", "Every entitled course exists", wait=0.5)

    def follow(self, text: str) -> None:
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.PARTIAL_LINK_TEXT, text).click()

    def review(self) -> None:
        actions = [a for a in self.runtime.api("lena").required_actions() if a.dag_id == REVIEW]
        first = next((a for a in actions if a.task_id.endswith("first_answer")), None)
        if first is None:
            first = self._ask()
        if first is None:
            self.wrong["review"] = "no case waits for an answer"
            return
        self.sign_in("rosa")
        self.open("/required_actions")
        self.picture("required_actions", "Is this a person under 18")
        case = self._case(first)
        self.open(f"/privacy/cases/{case}")
        self.picture("case", "Show evidence", wait=0.5)
        before = facts.confirmed_cases(self.runtime)
        for _ in range(PATIENCE * 2):
            if facts.confirmed_cases(self.runtime) > before:
                return
            for action in self.runtime.api("lena").required_actions():
                person = Demo._reviewer(action)
                mine = (action.run_id, action.map_index) == (first.run_id, first.map_index)
                if person and mine and action.dag_id == REVIEW:
                    time.sleep(READING_SECONDS)
                    self._answer(person, action)
            time.sleep(1)
        self.wrong["review"] = "two people answered, and no case was decided"

    def _ask(self) -> RequiredAction | None:
        """Start a review that asks about one case; its first question."""
        engineer = self.runtime.api(mistake.ENGINEER)
        engineer.unpause(REVIEW)
        run = engineer.trigger(REVIEW, conf={"most_questions": 1})
        for _ in range(PATIENCE):
            for action in engineer.required_actions(run):
                if action.task_id.endswith("first_answer"):
                    return action
            time.sleep(1)
        return None

    def _answer(self, person: str, action: RequiredAction) -> None:
        try:
            self.runtime.api(person).answer(action, "Confirm minor", params={"reason": "EVIDENCE_READ"})
        except ApiError as error:
            print(f"tour: an answer was not taken: {error}", file=sys.stderr)

    def _case(self, action: RequiredAction) -> str:
        """The id of the case that a question is about: its text links to the case's page."""
        body = action.body or ""
        return body.partition("/privacy/cases/")[2][:36]

    def backfill(self) -> None:
        week = facts.next_older_week(self.runtime) or ""
        monday = datetime.strptime(week + "-1", "%G-W%V-%u").replace(tzinfo=UTC)
        begins = monday + timedelta(days=2, hours=6)  # the interval of a week ends on the Wednesday after it
        engineer = self.runtime.api(mistake.ENGINEER)
        self.sign_in(mistake.ENGINEER)
        engineer.backfill(mistake.EXPORT, begins, begins)
        state = self._wait_for_backfill(begins)
        self.expect("backfill", state == "success", f"the backfilled week is {state}")
        self.open(f"/dags/{mistake.EXPORT}/backfills")
        self.picture("backfill", "Backfill")

    def _wait_for_backfill(self, begins: datetime) -> str:
        """The state of the run of an interval when it is over; the lead answers what it asks."""
        for _ in range(PATIENCE * 10):
            for run in self.runtime.api(mistake.ENGINEER).runs(mistake.EXPORT, run_type="backfill"):
                mine = run.logical_date and datetime.fromisoformat(run.logical_date) == begins
                if mine and run.state in {"success", "failed"}:
                    return run.state
                for action in self.runtime.api("lena").required_actions(run) if mine else ():
                    self._approve(action)
            time.sleep(1)
        return "not over"

    def pack(self) -> None:
        self.sign_in("rosa")
        self.open("/privacy/releases")
        self.picture("releases", "Releases of course usage", wait=0.5)
        self.open("/plugin/privacy-releases")
        with self.inside():
            self.follow_first("a[href*='/privacy/releases/r']")
            self.press("Download pack (ZIP)")
            saved = self.downloaded(".zip")
            self.follow("All releases")
            self.follow_first("a[href*='/privacy/releases/r']")
            self.picture("release", "Download pack", wait=0.5)
        with zipfile.ZipFile(saved) as archive:
            archive.extractall(self.downloads)
        (sums,) = self.downloads.glob("*/SHA256SUMS")
        checked = subprocess.run(
            ["sha256sum", "--check", "--quiet", sums.name],
            cwd=sums.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        self.expect("pack", checked.returncode == 0, f"the sums of the pack do not hold: {checked.stdout}")

    def follow_first(self, selector: str) -> None:
        from selenium.webdriver.common.by import By

        self.driver.find_elements(By.CSS_SELECTOR, selector)[0].click()

    def certificate(self) -> None:
        self.sign_in("rosa")
        self.open("/privacy/erasures")
        self.picture("erasures", "Erasures", wait=0.5)
        self.follow_first("a[href*='/privacy/erasures/certificates/']")
        self.press("Download signed JSON")
        document = self.downloaded(".json")
        self.press("Download page")
        self.downloaded(".html")
        self.driver.refresh()
        self.picture("certificate", "Certificate of erasure", wait=0.5)
        keys = self.downloads / "keys.pem"
        environ = self.runtime.project_environment()
        said = self._cli(["certificate", "public-key"], environ)
        keys.write_text(said.stdout, encoding="utf-8")
        checked = self._cli(["certificate", "verify", str(document), "--public-key", str(keys)], {})
        self.expect("certificate", "signed and whole" in checked.stdout, f"it does not verify: {checked.stdout}")
        self.sign_in("lena")
        for name, path, text in (
            ("transfers", "/privacy/transfers", "Transfers across borders"),
            ("what_if", "/privacy/transfers/what-if?without=EU-GB", "would be judged otherwise"),
            ("trend", "/privacy/gates/trends/export_input", "What its checks observed"),
        ):
            self.open(path)
            self.picture(name, text, wait=0.5)

    @staticmethod
    def _cli(arguments: list[str], environ: dict[str, str]) -> Any:
        import os

        return subprocess.run(
            [sys.executable, "-m", "privacy_ops", *arguments],
            env={**os.environ, **environ, "PYTHONPATH": str(PROJECT / "plugins")},
            capture_output=True,
            text=True,
            check=False,
        )

    def keyboard(self) -> None:
        """Every page: from its top with the keyboard alone, focus always to be seen, all links and buttons reached."""
        from selenium.webdriver.common.keys import Keys

        self.sign_in("lena")
        release = facts.newest_release(self.runtime)
        for path in (
            "/",
            "/erasures",
            "/releases",
            f"/releases/{release}",
            "/transfers",
            "/transfers/what-if",
            "/gates",
        ):
            self.open(f"/privacy{path}")
            wanted = self.driver.execute_script(_REACHABLE)
            reached, first = set(), None
            for _ in range(len(wanted) + 5):
                self.driver.switch_to.active_element.send_keys(Keys.TAB)
                place, seen = self.driver.execute_script(_FOCUS)
                first = first or place
                if place:
                    reached.add(place)
                    self.expect(f"keyboard {path}", seen, f"nobody sees that {place} has the focus")
            missed = set(wanted) - reached
            self.expect(f"keyboard {path}", not missed, f"not reached with Tab: {sorted(missed)[:3]}")
            self.expect(f"keyboard {path}", first == "A:Skip to the content", f"Tab begins at {first}")


# What Tab should reach, and where it is with whether one can see it: named by tag and text, in order of the page.
_REACHABLE = """
const name = e => e.tagName + ':' + (e.innerText || e.name || e.id || '').trim().slice(0, 60);
const kinds = 'a[href], button, select, input:not([type=hidden]), textarea, summary, [tabindex="0"]';
return [...document.querySelectorAll(kinds)]
  .filter(e => e.checkVisibility()).map(name);
"""
_FOCUS = """
const e = document.activeElement, s = getComputedStyle(e);
if (e === document.body || e.id === 'main') return ['', true];
const name = e.tagName + ':' + (e.innerText || e.name || e.id || '').trim().slice(0, 60);
return [name, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1];
"""


def take(runtime: Runtime, folder: Path = FOLDER) -> tuple[list[str], dict[str, str]]:
    """Walk the tour; returns the pictures that were taken, and what went wrong by step (empty: nothing).

    Raises RuntimeError when no browser is there or nobody can log in.
    """
    found = pictures.browser()
    if found is None:
        raise RuntimeError("there is no chromium with a chromedriver")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="privacy-ops-tour-") as saved:
        downloads = Path(saved)
        with pictures.driver(*found, downloads=downloads) as driver:
            tour = Tour(runtime, driver, downloads, folder)
            steps: list[Callable[[], None]] = [
                tour.overview, tour.red_gate, tour.review, tour.backfill, tour.pack, tour.certificate, tour.keyboard,
            ]  # fmt: skip
            for step in steps:
                try:
                    step()
                except Exception as error:  # noqa: BLE001 - a step that breaks off is a finding; the others go on
                    tour.wrong[step.__name__] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            return tour.seen, tour.wrong


def main() -> int:
    seen, wrong = take(Runtime())
    print(json.dumps({"pictures": seen, "wrong": wrong}, indent=2))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
