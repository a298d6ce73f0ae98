"""What every page of the console starts from: database, clock, and who looks.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from privacy_ops.airflow_support.links import root_path
from privacy_ops.airflow_support.settings import database_url
from privacy_ops.console import access, pages, paging
from privacy_ops.console.access import Right
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement


def console_database() -> Database:
    """The gov schema as the duty `console` sees it: it reads, and writes down what people take."""
    return Database(database_url("privacy_ops_console"), duty="console")


ConsoleDatabase = Annotated[Database, Depends(console_database)]


def clock() -> datetime:
    """The wall clock, read once per request."""
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(clock)]


def page(request: Request, user: Any, template: str, *, section: str, **values: Any) -> HTMLResponse:
    """A page of the console for this person: navigation by what they may see, forms bound to their sign-in."""
    root = root_path()
    html = pages.render(
        template,
        airflow=root,
        base=f"{root}/privacy",
        section=section,
        person=str(user.get_name() or user.get_id()),
        allowed={name: access.may(user, Right(right)) for name, _, right in pages.SECTIONS},
        may=lambda right: access.may(user, Right(right)),
        token=lambda action, *path: access.form_token(request, user, action, *path),
        **values,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": pages.own_policy(), "Referrer-Policy": "same-origin"})


def rows(connection: Any, name: str, /, **values: Any) -> Sequence[Any]:
    """All rows of a statement of the console."""
    found: Sequence[Any] = connection.execute(statement("console", name), values).all()
    return found


def listed(
    connection: Any,
    name: str,
    key: Callable[[Any], Sequence[Any]],
    *,
    cursor: str,
    filters: Mapping[str, str] | None = None,
    **values: Any,
) -> paging.Page:
    """One page of a statement of the console that begins after ``values`` and takes ``most``.

    ``key``: of a row, where the next page begins. ``filters`` are kept in the link that leads there.
    """
    found = rows(connection, name, **values, most=paging.PAGE + 1)
    return paging.page(found, key, cursor=cursor, **(filters or {}))


def note(database: Database, action: str, target: str, user: Any, now: datetime) -> None:
    """Write down what somebody is about to take or withdraw. Raises before it happens when that cannot be written."""
    person = {"person_id": str(user.get_id()), "person_name": str(user.get_name() or "")}
    with database.transaction() as connection:
        connection.execute(
            statement("console", "insert_action"), {"action": action, "target": target, "at": now} | person
        )
