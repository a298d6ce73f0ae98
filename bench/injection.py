"""Hostile words in everything that the console shows, opened in Chromium: nothing runs, nothing leaves.

python -m bench.injection        needs Chromium and its driver; makes its own PostgreSQL and serves the pages itself

The words stand where other people's text may stand: course titles, bucket keys, connections, entries of the registry,
names of gates, reasons. Each would call a listener of ours if it were more than text. Two pages without our escaping
show that the listener hears: one without a policy, and one under the console's own, which must block it.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench import console, pictures

# What a hostile value tries; {to} is the listener.
WORDS = (
    """"'><script>fetch('{to}/script')</script>""",
    "<img src={to}/image onerror=fetch('{to}/onerror')>",
    "<svg onload=fetch('{to}/onload')></svg>",
    "<style>@import url({to}/style);</style>",
    """<iframe srcdoc="<script>parent.fetch('{to}/frame')</script>"></iframe>""",
    "<link rel=stylesheet href={to}/sheet>",
    """<a href="javascript:fetch('{to}/address')">x</a>""",
    "<form action={to}/form><button>x</button></form>",
    """\" onfocus=fetch('{to}/focus') autofocus x=\"""",
    "' onmouseover=fetch('{to}/pointer') y='",
    "javascript:fetch('{to}/scheme')",
    "[x](javascript:fetch('{to}/markdown)') ![x]({to}/picture)",
    '=HYPERLINK("{to}/formula") {{{{7*7}}}} &lt;script&gt; \u202e',
)
# Must be heard where nothing stands in the way.
LOUD = frozenset({"/script", "/image", "/onerror", "/onload", "/style", "/frame", "/sheet"})
PRESSED = "#pressed"  # behind an address: the text that it offers is asked for
WATCH = "window.blocked = []; addEventListener('securitypolicyviolation', e => blocked.push(e.violatedDirective));"
# Points at and focuses everything, and says what leads out of the site or was loaded besides the page.
TOUCH = """
for (const one of document.querySelectorAll('*'))
    for (const kind of ['mouseover', 'focus', 'error', 'load'])
        if (!(one instanceof HTMLLinkElement)) one.dispatchEvent(new Event(kind));
const out = [...document.querySelectorAll('[href], [action], [src]')]
    .map(one => new URL(one.href || one.action || one.src, location.href))
    .filter(url => url.origin !== location.origin).map(url => url.protocol);
return {blocked: window.blocked, out: out, loaded: performance.getEntriesByType('resource').map(e => e.name),
    text: document.body.innerText.length, words: document.body.innerText.includes('onerror=fetch'),
    place: document.body.innerText.includes('[[Ada]]')};
"""


@dataclass
class Seen:
    """``pages``: opened; ``showing``: of them, those that show the hostile words as text; ``wrong``: by page."""

    pages: int = 0
    showing: int = 0
    wrong: dict[str, str] = field(default_factory=dict)


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """Address of a server on this machine, and the paths that it was asked for."""
    heard: list[str] = []

    class Hears(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Hears)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_port}", heard
    finally:
        made.shutdown()
        made.server_close()


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of the app on this machine."""
    import uvicorn

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="off", h11_max_incomplete_event_size=2**18)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [one]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{one.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def hostile(to: str) -> str:
    """All words as one value."""
    return " ".join(word.format(to=to) for word in WORDS)


def prove() -> Seen:
    """Open every page with hostile words in it. Raises RuntimeError without a browser, or for a silent control."""
    found = pictures.browser()
    if found is None:
        raise RuntimeError("Chromium or its driver is missing")
    with (
        listener() as (to, heard),
        console.database(0) as (dsns, server),
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        word = hostile(to)
        lena = console.signed_in(dsns, folder)
        pages = _seed(make_url(server.dsn("console")).render_as_string(hide_password=False), word)
        _controls(lena.app, word)
        with served(lena.app) as home, pictures.driver(*found) as driver:
            return _walk(driver, home, dict(lena.cookies.items()), pages, heard)


def _seed(dsn: str, word: str) -> list[str]:
    from privacy_ops.console import airflow_state
    from privacy_ops.gates.report import render
    from privacy_ops.gates.runner import CheckResult
    from privacy_ops.gates.suite import Suite, one_row
    from privacy_ops.stores.database import Database

    from tests.dags import test_console_pages as rows

    everything, now = Database(dsn), datetime.now(UTC)
    rows.fill(everything, word)
    report = render(
        Suite(word, word, (one_row(),), runbook=word),
        [CheckResult(word, word, "critical", False, False, 1, word)],
        verdict="block", run_id=word, subject_sha256="s", judged_at=now, expires_at=now,
    )  # fmt: skip
    with everything.transaction() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        number = connection.execute(
            text(
                "INSERT INTO gov.gate_result (run_id, gate, verdict, subject_sha256, checks, judged_at, expires_at,"
                " report_html) VALUES (:w, :w, 'block', 's', '[]', :now, :now, :html) RETURNING gate_result_id"
            ),
            {"w": word, "now": now, "html": report},
        ).scalar_one()
    state = airflow_state.AirflowState(
        [airflow_state.NextRun("minor_data_deletion", now, True)],
        [airflow_state.Question("minor_data_deletion", word, word, now)],
    )
    airflow_state.read = lambda _dags: state
    mention = f"/privacy/redactions/{_mention(everything, word)}"
    people = [f"/privacy/cases/{rows.CASE}", "/privacy/redactions", mention, f"{mention}{PRESSED}"]
    return [*rows.paths(word), *people, f"/privacy/gates/{number}", f"/privacy/nothing?{word}"]


def _mention(everything: Any, word: str) -> UUID:
    """A proposal about a hostile comment, by hostile people, that the page shows when it is asked to."""
    from privacy_ops.erasure import redaction
    from privacy_ops.stores.sql import statement

    from tests.dags.test_console_pages import CASE, NOW

    number, written = uuid4(), f"{word} Ada {word}"
    first = written.index("Ada")
    with everything.transaction() as connection:
        connection.execute(text("CREATE SCHEMA feedback"))
        connection.execute(text('CREATE TABLE feedback.comment (id bigint PRIMARY KEY, "text" text)'))
        connection.execute(text("GRANT USAGE ON SCHEMA feedback TO privacy_evidence"))
        connection.execute(text("GRANT SELECT ON feedback.comment TO privacy_evidence"))
        connection.execute(text("INSERT INTO feedback.comment VALUES (1, :written)"), {"written": written})
        connection.execute(
            statement("redaction", "insert_redaction"),
            {
                "redaction_id": number, "case_id": CASE, "table_name": "feedback.comment", "column_name": "text",
                "row_key": ["1"], "firsts": [first], "lasts": [first + 3], "at": NOW, "by": word,
                "text_sha256": redaction.digest(number, written),
            },
        )  # fmt: skip
        connection.execute(
            statement("redaction", "insert_answer"),
            {"redaction_id": number, "way": "login", "person": word, "answer": "confirmed", "at": NOW},
        )
    return number


def _controls(app: Any, word: str) -> None:
    from fastapi.responses import HTMLResponse
    from privacy_ops.console import pages

    html = f"<!doctype html><title>control</title><body><p>{word}</p></body>"

    def bare() -> HTMLResponse:
        return HTMLResponse(html)

    def guarded() -> HTMLResponse:
        return HTMLResponse(html, headers={"Content-Security-Policy": pages.own_policy()})

    app.add_api_route("/control/bare", bare)
    app.add_api_route("/control/guarded", guarded)


def _walk(driver: Any, home: str, cookies: dict[str, str], pages: list[str], heard: list[str]) -> Seen:
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})

    def look(path: str) -> dict[str, Any]:
        heard.clear()
        driver.get(home + path.removesuffix(PRESSED))
        if path.endswith(PRESSED):
            driver.find_element("css selector", "form[action$='/show'] button").click()
        told: dict[str, Any] = driver.execute_script(TOUCH)
        time.sleep(0.3)
        return told | {"heard": sorted(set(heard)), "blocked": driver.execute_script("return window.blocked")}

    look("/control/bare")
    time.sleep(1)
    if missing := LOUD - set(heard):
        raise RuntimeError(f"the control is not heard: {', '.join(sorted(missing))}")
    guarded = look("/control/guarded")
    if guarded["heard"] or not guarded["blocked"]:
        raise RuntimeError(f"the policy of the pages blocks nothing: {guarded}")
    for name, value in cookies.items():
        driver.add_cookie({"name": name, "value": value, "path": "/"})
    seen = Seen()
    for path in pages:
        told = look(path)
        shown = path.partition("?")[0][:60]
        seen.pages += 1
        seen.showing += bool(told["words"])
        for what in ("heard", "blocked", "out", "loaded"):
            if told[what]:
                seen.wrong[shown] = f"{what}: {told[what]}"
        if not told["text"]:
            seen.wrong[shown] = "the page is empty"
        if path.endswith(PRESSED) is not told["place"]:
            seen.wrong[shown] = "the text of a mention is shown where it was asked for, and nowhere else"
    return seen


def main() -> int:
    """Exit code 1 for anything that ran, left, or had to be blocked."""
    seen = prove()
    print(f"{seen.pages} pages, {seen.showing} of them show the hostile words as text", seen.wrong or "")
    return int(bool(seen.wrong) or seen.showing < seen.pages // 2)


if __name__ == "__main__":
    sys.exit(main())
