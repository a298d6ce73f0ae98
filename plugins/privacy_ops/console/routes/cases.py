"""The page of a case, for those who may decide about cases; evidence is shown on demand, and who asked is noted first.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from privacy_ops import settings as configuration
from privacy_ops.airflow_support.settings import database_url
from privacy_ops.console import evidence
from privacy_ops.console.access import Needs, OwnForm, Right
from privacy_ops.console.view import page, rows
from privacy_ops.datamap import loader
from privacy_ops.datamap.model import DataMap
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement

router = APIRouter(prefix="/cases/{case_id}")


def evidence_database() -> Database:
    """Evidence of cases, cell by cell, as the duty `evidence` may read it."""
    return Database(database_url("privacy_ops_evidence"), duty="evidence")


def publishers_map() -> DataMap:
    """The map by which a place in the publisher's tables is found."""
    path = configuration.from_environment().data_map_path
    return loader.load(path if path.is_dir() else path.with_suffix(".yaml"))


EvidenceDatabase = Annotated[Database, Depends(evidence_database)]
Reviewer = Annotated[Any, Depends(Needs(Right.EVIDENCE))]


@router.get("", response_class=HTMLResponse)
def show_case(request: Request, case_id: UUID, user: Reviewer, database: EvidenceDatabase) -> HTMLResponse:
    """What is known about a case without looking at anybody. Changes nothing."""
    with database.transaction(read_only=True) as connection:
        return _case_page(request, user, connection, case_id, cells=None)


@router.post("/evidence", response_class=HTMLResponse, dependencies=[OwnForm])
def show_evidence(request: Request, case_id: UUID, user: Reviewer, database: EvidenceDatabase) -> HTMLResponse:
    """Write down who looks, and only then read the evidence where it stands."""
    data_map = publishers_map()
    person = {"person_id": str(user.get_id()), "person_name": str(user.get_name() or "")}
    with database.transaction() as connection:
        connection.execute(
            statement("console", "insert_evidence_view"), {"case_id": case_id, "at": datetime.now(UTC)} | person
        )
    with database.transaction(read_only=True) as connection:
        cells = list(evidence.cells(connection, data_map, case_id))
        return _case_page(request, user, connection, case_id, cells=cells)


def _case_page(
    request: Request, user: Any, connection: Any, case_id: UUID, *, cells: list[evidence.Cell] | None
) -> HTMLResponse:
    case = rows(connection, "select_case", case_id=case_id)
    if not case:
        raise HTTPException(404)
    answers = rows(connection, "select_case_answers", case_id=case_id)
    return page(request, user, "case", section="erasures", case=case[0]._mapping, answers=answers, cells=cells)
