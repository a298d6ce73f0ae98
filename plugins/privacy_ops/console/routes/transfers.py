"""Transfers: where personal data goes, what both regimes say of it, what is to be done, and what if.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path as File
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from privacy_ops import thresholds
from privacy_ops.console import pages, paging
from privacy_ops.console.access import Needs, Right
from privacy_ops.console.view import ConsoleDatabase, Now, listed, page, rows
from privacy_ops.errors import UserError
from privacy_ops.settings import home_directory
from privacy_ops.transfers import what_if
from privacy_ops.transfers.flows import Flow
from privacy_ops.transfers.inventory import load_reference
from privacy_ops.transfers.judge import Verdict, judge
from privacy_ops.transfers.reference import REGIMES, Reference
from privacy_ops.transfers.regimes import Rules

LEGAL_TIME = ZoneInfo("Europe/London")
NOT_COVERED = [verdict.value for verdict in (Verdict.UNCOVERED, Verdict.SCOPE_MISMATCH, Verdict.UNRESOLVED)]
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO")
MOST_JUDGED = 200  # flows that one question judges anew
_FIRST, _LAST = date(1990, 1, 1), date(2100, 1, 1)  # days that a question may be about

router = APIRouter(prefix="/transfers")
Reader = Annotated[Any, Depends(Needs(Right.TRANSFERS))]


def _snapshot(connection: Any) -> Any:
    found = rows(connection, "select_snapshot")
    return found[0] if found else None


@router.get("", response_class=HTMLResponse)
def show_transfers(request: Request, user: Reader, database: ConsoleDatabase, now: Now) -> HTMLResponse:
    """The newest inventory in figures, what is due first, and what is blocked."""
    today = now.astimezone(LEGAL_TIME).date()
    with database.transaction(read_only=True) as connection:
        snapshot = _snapshot(connection)
        values = {
            **_figures(connection, snapshot),
            "findings": rows(
                connection, "select_findings", status="open", severity=None, due_on=None, fingerprint=None, most=10
            ),
            "blocked": rows(connection, "select_blocked", most=paging.PAGE),
            "counts": rows(connection, "select_open_findings", today=today),
        }
    return page(request, user, "transfers", section="transfers", now=now, today=today, snapshot=snapshot, **values)


_FIGURES: dict[tuple[Any, ...], dict[str, Sequence[Any]]] = {}
MOST_FIGURES = 8


def _figures(connection: Any, snapshot: Any) -> dict[str, Sequence[Any]]:
    """Verdicts, countries and maps of an inventory. Of a published one they are counted once: it stays as it is."""
    if snapshot is None:
        return {"verdicts": [], "countries": [], "maps": []}
    key = (snapshot.snapshot_id, snapshot.run_id, snapshot.taken_at, snapshot.published_at)
    if (known := _FIGURES.get(key)) is not None:
        return known
    this = {"snapshot_id": snapshot.snapshot_id}
    counted = {
        "verdicts": rows(connection, "count_verdicts", **this),
        "countries": rows(connection, "count_flows_by_country", bad=NOT_COVERED, **this),
        "maps": [found for row in rows(connection, "select_inventory_maps", **this) if (found := pages.maps(row[0]))],
    }
    if snapshot.published_at is not None:
        if len(_FIGURES) >= MOST_FIGURES:
            _FIGURES.clear()
        _FIGURES[key] = counted
    return counted


@router.get("/findings", response_class=HTMLResponse)
def list_findings(
    request: Request,
    user: Reader,
    database: ConsoleDatabase,
    now: Now,
    status: Literal["open", "closed"] = "open",
    severity: str = "",
    after: str = "",
) -> HTMLResponse:
    """Findings, those that are due first first."""
    due_on, fingerprint = paging.after(after, str, str)
    with database.transaction(read_only=True) as connection:
        shown = listed(
            connection,
            "select_findings",
            lambda row: (row.due_on or "infinity", row.fingerprint),
            cursor=after,
            filters={"status": status, "severity": severity},
            status=status,
            severity=severity or None,
            due_on=due_on,
            fingerprint=fingerprint,
        )
    return page(
        request,
        user,
        "findings",
        section="transfers",
        now=now,
        today=now.astimezone(LEGAL_TIME).date(),
        shown=shown,
        status=status,
        severity=severity,
        severities=SEVERITIES,
    )


@router.get("/flows", response_class=HTMLResponse)
def list_flows(
    request: Request,
    user: Reader,
    database: ConsoleDatabase,
    now: Now,
    verdict: str = "",
    country: str = "",
    after: str = "",
) -> HTMLResponse:
    """The flows of the newest inventory, with the reasons for each verdict."""
    (flow_key,) = paging.after(after, str)
    with database.transaction(read_only=True) as connection:
        snapshot = _snapshot(connection)
        shown = listed(
            connection,
            "select_flows",
            lambda row: (row.flow_key,),
            cursor=after,
            filters={"verdict": verdict, "country": country},
            snapshot_id=snapshot.snapshot_id if snapshot else None,
            verdict=verdict or None,
            country=country or None,
            flow_key=flow_key,
        )
    return page(
        request,
        user,
        "flows",
        section="transfers",
        now=now,
        snapshot=snapshot,
        shown=shown,
        verdict=verdict,
        country=country,
        verdicts=[one.value for one in Verdict],
        not_covered=NOT_COVERED,
    )


@lru_cache(maxsize=2)
def _reference(include: File, _changed: int) -> Reference:
    return load_reference(include)


def _rules(include: File) -> Rules:
    limits = thresholds.load(include / "thresholds.yaml").transfers
    return Rules(limits.expiring_months, limits.assessment_review_months, limits.dpf_check_max_age_days)


@router.get("/what-if", response_class=HTMLResponse)
def ask_what_if(
    request: Request,
    user: Reader,
    database: ConsoleDatabase,
    now: Now,
    on: date | None = None,
    country: Annotated[str, "ISO code that stands in for the flow's own"] = "",
    flow: str = "",
    without: str = "",
) -> HTMLResponse:
    """Judge flows of the newest inventory on another day, in another country, or without a mechanism. Changes nothing.

    ``without`` is the id of a mechanism or adequacy instrument that falls away.
    """
    include = home_directory() / "include"
    changed = max(file.stat().st_mtime_ns for file in (include / "reference").iterdir())
    reference = _reference(include, changed)
    day = max(min(on or now.astimezone(LEGAL_TIME).date(), _LAST), _FIRST)
    with database.transaction(read_only=True) as connection:
        snapshot = _snapshot(connection)
        found = rows(
            connection,
            "select_flow_facts",
            snapshot_id=snapshot.snapshot_id if snapshot else None,
            flow_key=flow or None,
            most=MOST_JUDGED + 1,
        )
    unknown = bool(country) and reference.territory(country.upper()) is None
    asked = bool(on or country or without) and not unknown
    flows = [_flow(row.facts) for row in found[:MOST_JUDGED]]
    dropped, unnamed = what_if.Dropped(), ""
    try:
        if without:
            dropped = what_if.resolve([without], reference, [one for one in flows if one is not None])
    except UserError as error:
        asked, unnamed = False, str(error)
    rules, law = _rules(include), what_if.without(reference, dropped, day)
    judged = [
        None if one is None else _otherwise(row, one, law, day, country.upper(), dropped, rules)
        for row, one in zip(found[:MOST_JUDGED], flows, strict=True)
        if asked
    ]
    return page(
        request,
        user,
        "what_if",
        section="transfers",
        now=now,
        snapshot=snapshot,
        flows=[(row.flow_key, row.place, row.country) for row in found[:MOST_JUDGED]],
        cut=len(found) > MOST_JUDGED,
        asked=asked,
        unknown=unknown,
        unnamed=unnamed,
        followers=dropped.followers,
        judged=[one for one in judged if one is not None and one["changed"]],
        n_judged=sum(one is not None for one in judged),
        n_unreadable=judged.count(None),
        mechanisms=sorted({one.instrument_id for one in reference.instruments} | _mechanisms(found[:MOST_JUDGED])),
        form={"on": day.isoformat(), "country": country, "flow": flow, "without": without},
        not_covered=NOT_COVERED,
    )


def _mechanisms(found: Sequence[Any]) -> set[str]:
    return {str(one["mechanism_id"]) for row in found for one in row.facts.get("mechanisms", [])}


def _flow(facts: Any) -> Flow | None:
    """The flow as it was recorded; None: in a shape of another time."""
    try:
        return Flow.model_validate(facts)
    except ValidationError:
        return None


def _otherwise(
    row: Any, flow: Flow, law: Reference, day: date, country: str, dropped: what_if.Dropped, rules: Rules
) -> dict[str, Any]:
    """A flow's verdicts as published, and as they would be."""
    left = what_if.bare(flow, dropped)
    then = judge(left.model_copy(update={"country": country}) if country else left, law, day, day, rules)
    before = row.verdicts or {}
    return {
        "place": row.place,
        "country": row.country,
        "importer": row.importer,
        "before": before,
        "then": {regime: then[regime].verdict.value for regime in REGIMES},
        "reasons": {regime: then[regime].reasons for regime in REGIMES},
        "changed": any(before.get(regime) != then[regime].verdict.value for regime in REGIMES),
    }


@router.get("/{snapshot_id}/{name}", response_class=HTMLResponse)
def show_inventory_page(
    snapshot_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    name: Literal["report.html", "art30.html"],
    _user: Reader,
    database: ConsoleDatabase,
) -> HTMLResponse:
    """The report or the Article 30 record of a published inventory: the bytes whose hash stands in its manifest."""
    with database.transaction(read_only=True) as connection:
        found = rows(connection, "select_inventory_page", snapshot_id=snapshot_id, name=name)
    if not found:
        raise HTTPException(404)
    html = bytes(found[0].body).decode()
    return HTMLResponse(html, headers={"Content-Security-Policy": pages.report_policy(html)})
