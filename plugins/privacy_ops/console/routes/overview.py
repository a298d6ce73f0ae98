"""The first page: what the policy promises, what the jobs' newest evidence says, what runs next, who is waited for.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from privacy_ops.console import access, airflow_state, promises
from privacy_ops.console.access import Needs, Right
from privacy_ops.console.promises import Evidence, Gate, JobState, OpenFindings, Promises
from privacy_ops.console.routes.erasures import canaries, ledger_verdict
from privacy_ops.console.view import ConsoleDatabase, Now, page, rows
from privacy_ops.settings import home_directory

LEGAL_TIME = ZoneInfo("Europe/London")
# Shown as well, though no promise rests on it alone.
OTHER_JOBS = ("course_usage_delivery",)
router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def show_overview(
    request: Request, user: Annotated[Any, Depends(Needs(Right.LOOK))], database: ConsoleDatabase, now: Now
) -> HTMLResponse:
    """Promises with colour and evidence; next runs, open questions and the canary."""
    registry = promises.load(home_directory() / "include" / "registry" / "promises.yaml")
    dags = [dag for dag in (*registry.jobs, *OTHER_JOBS) if access.may(user, Right.DAG, dag)]
    airflow = airflow_state.read(dags)
    with database.transaction(read_only=True) as connection:
        evidence = gather(connection, registry, airflow.paused, now)
        newest = canaries(connection, most=1) if access.may(user, Right.ERASURES) else []
    # Evidence is for those who may see the runs that it comes from.
    judged = [one for one in promises.judge(registry, evidence, now) if set(one.promise.jobs) <= set(dags)]
    counts = {colour: sum(one.colour == colour for one in judged) for colour in ("green", "amber", "red")}
    return page(
        request,
        user,
        "overview",
        section="",
        now=now,
        judged=judged,
        counts=counts,
        n_hidden=len(registry.covered) - len(judged),
        not_covered=registry.open,
        sees_erasures=access.may(user, Right.ERASURES),
        airflow_state=airflow,
        canary=newest[0] if newest else None,
    )


def gather(connection: Any, registry: Promises, paused: Iterable[str], now: datetime) -> Evidence:
    """The evidence for every promise, from a handful of statements."""
    backfilled = [name for name, job in registry.jobs.items() if job.backfills]
    found = rows(connection, "select_job_runs", dags=list(registry.jobs), backfilled=backfilled)
    gates: dict[str, list[Gate]] = {}
    for row in rows(connection, "select_verdicts_of_runs", runs=[row.run_id for row in found if row.run_id]):
        failing = tuple(check["id"] for check in row.checks if not check["success"])
        gates.setdefault(row.run_id, []).append(Gate(row.gate, row.verdict, row.gate_result_id, row.judged_at, failing))
    jobs = {
        row.dag_id: JobState(row.run_id, row.state or "", row.as_of, row.done_at, tuple(gates.get(row.run_id, ())))
        for row in found
    }
    levels: Mapping[str, Any] | None = next(
        (row.levels for row in rows(connection, "select_service_levels", most=1)), None
    )
    today = now.astimezone(LEGAL_TIME).date()
    returned = sum(row.unsettled for row in rows(connection, "select_returns") if row.verdict == "returned")
    verdict = ledger_verdict(connection)
    return Evidence(
        jobs=jobs,
        findings=[OpenFindings(*row) for row in rows(connection, "select_open_findings", today=today)],
        levels=levels,
        canaries=[(row.planted_at, row.state is not None) for row in canaries(connection, most=5)],
        returned=returned,
        ledger_holds=None if verdict is None else verdict.holds,
        paused=frozenset(paused),
    )
