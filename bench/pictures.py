"""Proof by browser: pictures of the running Airflow UI, taken by headless Chromium through its driver."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sandbox.runtime import Runtime

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1500,950",
)
PATIENCE = 60


@dataclass(frozen=True)
class Page:
    """One picture: file name, path below the UI's address, and a text that shows that the page is there."""

    name: str
    path: str
    shows: str


def browser() -> tuple[str, str] | None:
    """Chromium and its driver, or None."""
    found = [next(filter(None, map(shutil.which, names)), None) for names in (BROWSERS, DRIVERS)]
    return (found[0], found[1]) if found[0] and found[1] else None


def pages(runtime: Runtime) -> tuple[Page, ...]:
    """What is pictured: of the newest runs, and the newest report of a gate."""
    api = runtime.api()
    wanted = [Page("dags", "/dags", "course_usage_export")]
    for dag_id in ("minor_data_deletion", "course_usage_export", "transfer_inventory_check"):
        wanted.append(Page(f"{dag_id}_grid", f"/dags/{dag_id}", dag_id))
        if runs := api.runs(dag_id):
            newest = max(runs, key=lambda run: run.logical_date or "")
            wanted.append(Page(f"{dag_id}_run", f"/dags/{dag_id}/runs/{quote(newest.run_id, safe='')}", dag_id))
    wanted.append(Page("required_actions", "/required_actions", "Required Action"))
    wanted.append(Page("gates", "/privacy/gates", "gate"))
    report = _newest_report(runtime)
    if report is not None:
        wanted.append(Page("gate_report", f"/privacy/gates/{report}", "gate"))
    return tuple(wanted)


def _newest_report(runtime: Runtime) -> int | None:
    """The newest verdict of the gate before an erasure, else of any gate."""
    from sandbox.publisher.database import connect

    with connect(runtime.server.dsn("publisher")) as connection:
        row = connection.execute(
            "SELECT gate_result_id FROM gov.gate_result"
            " ORDER BY (gate = 'erasure.plan') DESC, gate_result_id DESC LIMIT 1"
        ).fetchone()
    return int(row[0]) if row else None


@contextmanager
def driver(chromium: str, chromedriver: str, *, downloads: Path | None = None) -> Iterator[Any]:
    """A headless browser with a profile of its own; it saves what it downloads in ``downloads``."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(prefix="privacy-ops-browser-", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        if downloads is not None:
            options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        started = webdriver.Chrome(options=options, service=Service(chromedriver))
        started.set_page_load_timeout(PATIENCE)
        try:
            yield started
        finally:
            started.quit()


def take(runtime: Runtime, folder: Path, *, person: str = "lena") -> dict[str, str]:
    """Log in as a made-up person and take each picture; returns what went wrong, by page (empty: nothing).

    Raises RuntimeError when no browser is there or nobody can log in.
    """
    found = browser()
    if found is None:
        raise RuntimeError("there is no chromium with a chromedriver")
    folder.mkdir(parents=True, exist_ok=True)
    wrong: dict[str, str] = {}
    with driver(*found) as started:
        log_in(started, runtime.state.url, person, runtime.state.passwords[f"ui_{person}"])
        for page in pages(runtime):
            started.get(runtime.state.url + page.path)
            if not shows(started, page.shows):
                wrong[page.name] = f"{page.path.split('/')[1]} does not show {page.shows!r}"
            time.sleep(2.5)  # graphs are drawn after their data came
            started.save_screenshot(str(folder / f"{page.name}.png"))
    return wrong


def log_in(driver: Any, url: str, person: str, password: str) -> None:
    """Sign in through the login page. Raises RuntimeError."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support import expected_conditions as until
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get(f"{url}/auth/login")
    wait = WebDriverWait(driver, PATIENCE)
    wait.until(until.presence_of_element_located((By.NAME, "username"))).send_keys(person)
    driver.find_element(By.NAME, "password").send_keys(password)
    driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    try:
        wait.until(lambda d: "/auth/login" not in d.current_url)
    except Exception as error:
        raise RuntimeError("the login page does not let a made-up person in") from error


def shows(driver: Any, text: str) -> bool:
    """Whether the page comes to show this text, in any case, within PATIENCE."""
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    try:
        WebDriverWait(driver, PATIENCE).until(
            lambda d: text.lower() in d.find_element(By.TAG_NAME, "body").text.lower()
        )
    except TimeoutException:
        return False
    return True
