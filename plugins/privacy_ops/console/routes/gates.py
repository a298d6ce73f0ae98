"""Gates: their history, what they observed over time, and each verdict's report as it was rendered.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import HTMLResponse

from privacy_ops.console import pages, paging, trends
from privacy_ops.console.access import Needs, Right
from privacy_ops.console.view import ConsoleDatabase, Now, listed, page, rows

MOST_GATES = 300
VERDICTS_SHOWN = 60  # verdicts that a chart goes back
CHARTS = 12  # of the checks that moved

router = APIRouter(prefix="/gates")
Reader = Annotated[Any, Depends(Needs(Right.LOOK))]


@router.get("", response_class=HTMLResponse)
def list_gates(
    request: Request,
    user: Reader,
    database: ConsoleDatabase,
    now: Now,
    gate: str = "",
    verdict: str = "",
    after: str = "",
) -> HTMLResponse:
    """Verdicts, newest first, and every gate to choose from."""
    (number,) = paging.after(after, int)
    with database.transaction(read_only=True) as connection:
        gates = rows(connection, "select_gates", most=MOST_GATES)
        shown = listed(
            connection,
            "select_verdicts",
            lambda row: (row.gate_result_id,),
            cursor=after,
            filters={"gate": gate, "verdict": verdict},
            gate=gate or None,
            verdict=verdict or None,
            gate_result_id=number,
        )
    return page(request, user, "gates", section="gates", now=now, shown=shown, gates=gates, gate=gate, verdict=verdict)


@router.get("/trends/{gate:path}", response_class=HTMLResponse)
def show_trend(request: Request, gate: str, user: Reader, database: ConsoleDatabase, now: Now) -> HTMLResponse:
    """What each check of a gate observed, verdict by verdict."""
    with database.transaction(read_only=True) as connection:
        newest = rows(connection, "select_verdicts", gate=gate, verdict=None, gate_result_id=None, most=VERDICTS_SHOWN)
    if not newest:
        raise HTTPException(404)
    checks = _trends(list(reversed(newest)))
    return page(request, user, "trend", section="gates", now=now, gate=gate, verdicts=newest, checks=checks)


def _trends(verdicts: Sequence[Any]) -> list[dict[str, Any]]:
    """Each check of the newest verdict with what it observed, those that do not hold or moved first."""
    times = [verdict.judged_at for verdict in verdicts]
    by_id = [{check["id"]: check for check in verdict.checks} for verdict in verdicts]
    found = []
    for check in verdicts[-1].checks:
        history = [then.get(check["id"], {}) for then in by_id]
        values = [_figure(one.get("observed")) for one in history]
        known = [value for value in values if value is not None]
        failed = sum(not one.get("success", True) for one in history)
        found.append({"check": check, "values": values, "failed": failed, "moved": len(set(known)) > 1})
    found.sort(key=lambda one: (one["check"]["success"], -one["failed"], not one["moved"]))
    for place, one in enumerate(found):
        draw = len(verdicts) > 1 and place < CHARTS and (one["moved"] or one["failed"])
        title = f"{one['check']['id']} over time"
        one["chart"] = trends.line(title, times, {"observed": one["values"]}) if draw else None
    return found


def _figure(observed: Any) -> float | None:
    return float(observed) if isinstance(observed, int | float) and not isinstance(observed, bool) else None


@router.get("/{gate_result_id}", response_class=HTMLResponse)
def show_gate(
    gate_result_id: Annotated[int, Path(ge=1, le=2**63 - 1)], _user: Reader, database: ConsoleDatabase
) -> HTMLResponse:
    """The report of one verdict, as it was rendered when the gate judged."""
    with database.transaction(read_only=True) as connection:
        found = rows(connection, "select_gate_of_result", gate_result_id=gate_result_id)
    if not found:
        raise HTTPException(404)
    html = found[0].report_html
    return HTMLResponse(html, headers={"Content-Security-Policy": pages.report_policy(html)})
