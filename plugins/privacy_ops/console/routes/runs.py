"""The tabs that Airflow shows on a DAG and on a run: what gov recorded of it.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from privacy_ops.console.access import Needs, Right
from privacy_ops.console.view import ConsoleDatabase, Now, page, rows

MOST_RUNS = 30
# Where the console says more about what a DAG does.
SECTION_OF = {
    "minor_data_deletion": "erasures",
    "minor_signal_intake": "erasures",
    "minor_case_review": "erasures",
    "erasure_verification": "erasures",
    "erasure_propagation": "erasures",
    "course_usage_export": "releases",
    "course_usage_delivery": "releases",
    "transfer_inventory_check": "transfers",
}
router = APIRouter(prefix="/dags/{dag_id}")
Reader = Annotated[Any, Depends(Needs(Right.DAG))]


@router.get("", response_class=HTMLResponse)
def show_dag(request: Request, dag_id: str, user: Reader, database: ConsoleDatabase, now: Now) -> HTMLResponse:
    """The newest runs of a DAG with the verdicts of their gates."""
    with database.transaction(read_only=True) as connection:
        runs = rows(connection, "select_runs_of_dag", dag_id=dag_id, most=MOST_RUNS)
        gates: dict[str, list[Any]] = {}
        for row in rows(connection, "select_verdicts_of_runs", runs=[run.run_id for run in runs]):
            gates.setdefault(row.run_id, []).append(row)
    return page(
        request,
        user,
        "dag",
        section=SECTION_OF.get(dag_id, "gates"),
        now=now,
        dag_id=dag_id,
        more=SECTION_OF.get(dag_id),
        runs=runs,
        gates=gates,
    )


@router.get("/runs/{run_id:path}", response_class=HTMLResponse)
def show_run(
    request: Request, dag_id: str, run_id: str, user: Reader, database: ConsoleDatabase, now: Now
) -> HTMLResponse:
    """One run: its gates, who approved what, and the counts that it recorded."""
    whole = f"{dag_id}/{run_id}"
    with database.transaction(read_only=True) as connection:
        found = rows(connection, "select_run", run_id=whole)
        gates = rows(connection, "select_verdicts_of_runs", runs=[whole])
        approvals = rows(connection, "select_approvals", run_id=whole)
    return page(
        request,
        user,
        "run",
        section=SECTION_OF.get(dag_id, "gates"),
        now=now,
        dag_id=dag_id,
        run_id=run_id,
        run=found[0] if found else None,
        gates=gates,
        approvals=approvals,
        facts=list(_flat(found[0].facts)) if found else [],
    )


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested counts as lines: plan › rows › DELETE."""
    for name, value in sorted(facts.items()):
        path = f"{above} › {name}" if above else name
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield path, ", ".join(map(str, value)) if isinstance(value, list) else value
