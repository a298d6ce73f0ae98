"""The pages that a run of the transfer inventory published: its report and its record of processing activities.

They are served as they were judged: the bytes whose hash stands in the manifest.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path
from fastapi.responses import HTMLResponse

from privacy_ops.airflow_support.settings import database_url
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement

router = APIRouter()


def inventory_database() -> Database:
    """The gov schema as the read-only duty `console` sees it."""
    return Database(database_url("privacy_ops_console"), duty="console")


@router.get("/transfers/{snapshot_id}/{name}", response_class=HTMLResponse)
def show_inventory_page(
    snapshot_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    name: Literal["report.html", "art30.html"],
    database: Annotated[Database, Depends(inventory_database)],
) -> HTMLResponse:
    """One published page; 404 for a run that is blocked, not yet published, or unknown."""
    with database.transaction(read_only=True) as connection:
        body = connection.execute(
            statement("console", "select_inventory_page"), {"snapshot_id": snapshot_id, "name": name}
        ).scalar_one_or_none()
    if body is None:
        raise HTTPException(404)
    return HTMLResponse(bytes(body))
