"""A small client of Airflow's REST API, logged in as one made-up person.

>>> api = AirflowApi(state.url, "emil", password)
>>> api.unpause("transfer_inventory_check")
>>> run = api.trigger("transfer_inventory_check", conf={"as_of": "2026-11-22"})
>>> api.wait(run, on_change=print).state
'success'
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FINISHED = frozenset({"success", "failed"})
AGAIN = 30.0  # seconds after which a question that is still open is put again: Airflow 3.3.2 may lose an answer
IN_TROUBLE = ("failed", "up_for_retry")
# Of Airflow's own events, those that end a try without a word in its log.
NOTED = ("state mismatch", "heartbeat timeout", "stuck in queued tries exceeded")
TASK_FINISHED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


class ApiError(RuntimeError):
    """The api-server refused or could not be reached. ``status`` is the HTTP status, 0 for no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class DagRun:
    """One run as the API shows it. ``logical_date`` is ISO text or None."""

    dag_id: str
    run_id: str
    state: str
    run_type: str = "manual"
    logical_date: str | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> DagRun:
        return cls(raw["dag_id"], raw["dag_run_id"], raw["state"], raw.get("run_type", ""), raw.get("logical_date"))


@dataclass(frozen=True)
class RequiredAction:
    """A question that waits for a person."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    subject: str
    options: tuple[str, ...]
    assigned: tuple[str, ...] = ()
    body: str | None = None


class _Questions:
    """Which open questions were put to somebody, and when."""

    def __init__(self) -> None:
        self._put: dict[tuple[str, str, int], float] = {}

    def due(self, still_open: Iterable[RequiredAction]) -> Iterator[RequiredAction]:
        """Those to put now: new ones, also those that a task raises again, and those that were put a while ago."""
        found = {(action.run_id, action.task_id, action.map_index): action for action in still_open}
        self._put = {key: when for key, when in self._put.items() if key in found}
        for key, action in found.items():
            if time.monotonic() - self._put.get(key, -AGAIN) >= AGAIN:
                self._put[key] = time.monotonic()
                yield action


def _took_too_long(error: OSError) -> bool:
    return isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)


def _name(task: Mapping[str, Any]) -> str:
    return str(task["task_id"]) if task["map_index"] < 0 else f"{task['task_id']}[{task['map_index']}]"


class AirflowApi:
    """REST as ``user``. Logs in on first use and again when the token has expired."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self.user = user
        self._password = password
        self._token: str | None = None
        # A proxy of the environment must not get between us and loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    # ---- plumbing

    def _send(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Any:
        request = urllib.request.Request(  # ruff: ignore[S310]
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json", **headers},
        )
        with self._opener.open(request, timeout=60) as answer:
            text = answer.read().decode()
        return json.loads(text) if text else None

    def _log_in(self) -> str:
        try:
            answer = self._send("POST", "/auth/token", {"username": self.user, "password": self._password}, {})
        except urllib.error.HTTPError as error:
            raise ApiError(f"Airflow refused the login of {self.user} ({error.code})", error.code) from None
        except (urllib.error.URLError, OSError) as error:
            raise ApiError(f"Airflow does not answer at {self.url} ({error}); is it up? `make up`") from None
        return str(answer["access_token"])

    def call(self, method: str, path: str, body: object = None, *, query: Mapping[str, Any] | None = None) -> Any:
        """Call ``/api/v2`` + ``path``; returns the parsed answer. Raises ApiError."""
        target = "/api/v2" + path
        if query:
            target += "?" + urllib.parse.urlencode({k: v for k, v in query.items() if v is not None}, doseq=True)
        for attempt in (1, 2, 3):
            if self._token is None:
                self._token = self._log_in()
            try:
                return self._send(method, target, body, {"Authorization": f"Bearer {self._token}"})
            except urllib.error.HTTPError as error:
                if error.code == 401 and attempt == 1:
                    self._token = None
                    continue
                detail = error.read().decode(errors="replace")[:500]
                raise ApiError(f"{method} {path}: {error.code} {detail}", error.code) from None
            except (urllib.error.URLError, OSError) as error:
                # A question that changes nothing is asked again: a starved server does not answer in time.
                if method == "GET" and attempt < 3 and _took_too_long(error):
                    continue
                raise ApiError(f"Airflow does not answer at {self.url} ({error}); is it up? `make up`") from None
        raise AssertionError("unreachable")

    # ---- the server

    def health(self) -> dict[str, str]:
        """State by component: metadatabase, scheduler, triggerer, dag_processor."""
        raw = self._send("GET", "/api/v2/monitor/health", None, {})
        return {name: str((part or {}).get("status")) for name, part in raw.items()}

    def answers(self) -> bool:
        """Whether the api-server answers at all."""
        try:
            self._send("GET", "/api/v2/version", None, {})
        except (urllib.error.URLError, OSError, ValueError):
            return False
        return True

    def set_pool(self, name: str, slots: int, description: str = "") -> None:
        """Create a pool, or bring it to ``slots``."""
        body = {"slots": slots, "description": description, "include_deferred": False}
        try:
            self.call("POST", "/pools", {"name": name, **body})
        except ApiError as error:
            if error.status != 409:
                raise
            self.call("PATCH", f"/pools/{name}", {"pool": name, **body})

    def dags(self) -> list[dict[str, Any]]:
        """All DAGs that were parsed."""
        return list(self.call("GET", "/dags", query={"limit": 100, "exclude_stale": True})["dags"])

    def import_errors(self) -> list[str]:
        """DAG files that do not load, with the last line of each reason."""
        raw = self.call("GET", "/importErrors", query={"limit": 100})["import_errors"]
        return [f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in raw]

    def unpause(self, dag_id: str, *, paused: bool = False) -> None:
        self.call("PATCH", f"/dags/{dag_id}", {"is_paused": paused})

    # ---- runs

    def trigger(
        self,
        dag_id: str,
        *,
        conf: Mapping[str, object] | None = None,
        logical_date: datetime | None = None,
        run_id: str | None = None,
        note: str | None = None,
    ) -> DagRun:
        """Start a run by hand."""
        body: dict[str, object] = {
            "logical_date": logical_date.isoformat() if logical_date else None,
            "conf": dict(conf or {}),
        }
        if run_id:
            body["dag_run_id"] = run_id
        if note:
            body["note"] = note
        return DagRun.read(self.call("POST", f"/dags/{dag_id}/dagRuns", body))

    def run(self, dag_id: str, run_id: str) -> DagRun:
        return DagRun.read(self.call("GET", f"/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id, safe='')}"))

    def runs(self, dag_id: str, *, run_type: str | None = None, limit: int = 100) -> list[DagRun]:
        """Runs of a DAG, newest first."""
        raw = self.call(
            "GET",
            f"/dags/{dag_id}/dagRuns",
            query={"limit": limit, "order_by": "-run_after", "run_type": run_type},
        )
        return [DagRun.read(r) for r in raw["dag_runs"]]

    def _of(self, run: DagRun) -> str:
        return f"/dags/{run.dag_id}/dagRuns/{urllib.parse.quote(run.run_id, safe='')}"

    def tasks(self, run: DagRun) -> dict[str, str]:
        """State by task id (mapped ones as ``task[3]``)."""
        raw = self.call("GET", f"{self._of(run)}/taskInstances", query={"limit": 200})["task_instances"]
        return {_name(task): task["state"] or "waiting" for task in raw}

    def errors(
        self, run: DagRun, task_id: str, *, map_index: int = -1, try_number: int | None = None
    ) -> list[tuple[str, str]]:
        """Class and message of the exceptions in the log of a task's try (its last)."""
        task = f"{self._of(run)}/taskInstances/{task_id}"
        if try_number is None:
            try_number = max(self.call("GET", task)["try_number"], 1)
        whole = {"full_content": True, "map_index": map_index}
        log = self.call("GET", f"{task}/logs/{try_number}", query=whole)["content"]
        found = [error for line in log if isinstance(line, dict) for error in line.get("error_detail") or ()]
        return [(str(error["exc_type"]), str(error["exc_value"])) for error in found]

    def troubles(self, run: DagRun) -> list[str]:
        """Each task of a run that failed or is to be tried again, with its try and why: the last error in its log, or
        what Airflow noted where the task said nothing (a lost heartbeat, an end that it did not expect)."""
        found = self.call("GET", f"{self._of(run)}/taskInstances", query={"limit": 200, "state": IN_TROUBLE})
        return [
            f"{_name(task)} {task['state']} in try {task['try_number']} of {task['max_tries'] + 1}:"
            f" {self._why(run, task)}"
            for task in found["task_instances"]
        ]

    def _why(self, run: DagRun, task: Mapping[str, Any]) -> str:
        which = {"map_index": task["map_index"], "try_number": max(task["try_number"], 1)}
        try:
            if found := self.errors(run, task["task_id"], **which):
                return ": ".join(found[-1])
            about = {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": task["task_id"], "order_by": "-when"}
            noted = self.call("GET", "/eventLogs", query=about | which | {"included_events": NOTED})["event_logs"]
        except ApiError as error:
            return f"its log cannot be read ({error})"
        return next((f"{event['event']}: {event['extra']}" for event in noted), "its log holds no error")

    def delete(self, run: DagRun) -> None:
        """Delete a run that is not to begin."""
        self.call("DELETE", self._of(run))

    def clear(self, run: DagRun, *, only_failed: bool = False) -> None:
        """Clear the run's tasks, so that the scheduler runs them again."""
        self.call("POST", f"{self._of(run)}/clear", {"dry_run": False, "only_failed": only_failed})

    def set_task_state(self, run: DagRun, task_id: str, state: str) -> None:
        """What a person does by "mark as success" in the UI."""
        self.call("PATCH", f"{self._of(run)}/taskInstances/{task_id}", {"new_state": state})

    def xcom(self, run: DagRun, task_id: str, key: str = "return_value") -> Any:
        """A task's value. Raises ApiError (404) when there is none."""
        path = f"{self._of(run)}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.call("GET", path, query={"deserialize": "false"})["value"]

    def wait(
        self,
        run: DagRun,
        *,
        seconds: float = 600,
        on_change: Callable[[str, str], None] | None = None,
        on_action: Callable[[RequiredAction], bool] | None = None,
    ) -> DagRun:
        """Wait until the run is over.

        ``on_change(task_id, state)`` is told of every change. ``on_action`` sees each question that the run asks,
        again when it is still open after a while, and returns False to leave it open; then the wait ends and the run
        comes back as it is. Raises TimeoutError.
        """
        deadline = time.monotonic() + seconds
        seen: dict[str, str] = {}
        put = _Questions()
        while True:
            states = self.tasks(run)
            if on_change:
                for task, state in states.items():
                    if seen.get(task) != state:
                        on_change(task, state)
            seen = states
            now = self.run(run.dag_id, run.run_id)
            if now.state in FINISHED:
                return now
            parked = any(s in {"awaiting_input", "deferred"} for s in states.values())
            for action in put.due(self.required_actions(run) if parked else ()):
                if on_action and not on_action(action):
                    return now
            if time.monotonic() > deadline:
                stuck = ", ".join(f"{t} is {s}" for t, s in states.items() if s not in TASK_FINISHED)
                raise TimeoutError(
                    "; ".join([
                        f"{run.dag_id} {run.run_id} was not over after {seconds:.0f} s: {stuck or now.state}",
                        *self.troubles(run),
                    ])
                )
            time.sleep(0.5)

    # ---- people

    def required_actions(self, run: DagRun | None = None) -> list[RequiredAction]:
        """Questions that wait for an answer, of one run or of all."""
        where = self._of(run) if run else "/dags/~/dagRuns/~"
        raw = self.call("GET", f"{where}/hitlDetails", query={"limit": 100, "response_received": "false"})
        found = []
        for detail in raw["hitl_details"]:
            task = detail["task_instance"]
            found.append(
                RequiredAction(
                    task["dag_id"],
                    task["dag_run_id"],
                    task["task_id"],
                    task["map_index"],
                    detail["subject"],
                    tuple(detail["options"]),
                    tuple(user["id"] for user in detail.get("assigned_users") or ()),
                    detail.get("body"),
                )
            )
        return found

    def answer(self, action: RequiredAction, option: str, *, params: Mapping[str, object] | None = None) -> None:
        """Answer a question as this user. Raises ApiError (403 when it was not put to this user, 409 when late)."""
        run_id = urllib.parse.quote(action.run_id, safe="")
        self.call(
            "PATCH",
            f"/dags/{action.dag_id}/dagRuns/{run_id}/taskInstances/{action.task_id}/{action.map_index}/hitlDetails",
            {"chosen_options": [option], "params_input": dict(params or {})},
        )

    # ---- backfills

    def backfill(
        self,
        dag_id: str,
        first: datetime,
        last: datetime,
        *,
        conf: Mapping[str, object] | None = None,
        max_active_runs: int = 1,
        run_backwards: bool = False,
        reprocess: str = "none",
    ) -> int:
        """Start a backfill of the intervals that begin between ``first`` and ``last``; returns its id."""
        raw = self.call(
            "POST",
            "/backfills",
            {
                "dag_id": dag_id,
                "from_date": first.isoformat(),
                "to_date": last.isoformat(),
                "dag_run_conf": dict(conf or {}),
                "max_active_runs": max_active_runs,
                "run_backwards": run_backwards,
                "reprocess_behavior": reprocess,
            },
        )
        return int(raw["id"])

    def wait_backfill(
        self,
        dag_id: str,
        backfill_id: int,
        *,
        seconds: float = 900,
        closed: bool = True,
        on_change: Callable[[str, str], None] | None = None,
        on_action: Callable[[RequiredAction], bool] | None = None,
    ) -> Sequence[DagRun]:
        """Wait until all runs of a backfill are over; returns them, oldest first. Raises TimeoutError.

        ``closed``: also until Airflow has noted that it is, which it looks for every 30 seconds and without which it
        takes no further backfill of the DAG. ``on_action`` sees each question that one of them asks, again when it is
        still open after a while.
        """
        deadline = time.monotonic() + seconds
        seen: dict[str, str] = {}
        put = _Questions()
        while True:
            over = not closed or self.call("GET", f"/backfills/{backfill_id}")["completed_at"] is not None
            mine = [
                DagRun.read(raw)
                for raw in self.call("GET", f"/dags/{dag_id}/dagRuns", query={"limit": 200, "run_type": "backfill"})[
                    "dag_runs"
                ]
            ]
            for run in mine:
                if on_change and seen.get(run.run_id) != run.state:
                    on_change(run.run_id, run.state)
                seen[run.run_id] = run.state
            names = {run.run_id for run in mine if run.state not in FINISHED}
            still_open = self.required_actions() if names else ()
            for action in put.due(action for action in still_open if action.run_id in names):
                if on_action:
                    on_action(action)
            if over and (mine or closed) and all(run.state in FINISHED for run in mine):
                return sorted(mine, key=lambda run: run.logical_date or "")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the backfill {backfill_id} of {dag_id} was not over after {seconds:.0f} s")
            time.sleep(1)
