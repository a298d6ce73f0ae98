"""Mentions of a minor in other people's texts: who may decide about cases names the words, looks at the place, and
confirms or rejects.

Nothing is taken out here: the night does it once two people have confirmed, signed in as two.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from privacy_ops import settings as configuration
from privacy_ops.airflow_support.links import root_path
from privacy_ops.console.access import OwnForm
from privacy_ops.console.routes.cases import EvidenceDatabase, Reviewer, publishers_map
from privacy_ops.console.view import Now, page
from privacy_ops.erasure import redaction
from privacy_ops.stores.sql import statement

router = APIRouter(prefix="/redactions")


@router.get("", response_class=HTMLResponse)
def list_redactions(request: Request, user: Reviewer, database: EvidenceDatabase, now: Now) -> HTMLResponse:
    """Proposals that wait for people or for the night. Names nobody who is mentioned."""
    tables = publishers_map().tables
    return page(
        request,
        user,
        "redactions",
        section="erasures",
        now=now,
        waiting=list(redaction.standing(database)),
        mentions=[(one, tables[one.asset].redactable()) for one in redaction.mentions(database) if one.asset in tables],
        people=redaction.PEOPLE,
    )


@router.post("/mentions/{finding_id}/propose", dependencies=[OwnForm])
def propose_redaction(
    finding_id: int,
    user: Reviewer,
    database: EvidenceDatabase,
    now: Now,
    column: Annotated[str, Form(max_length=100)] = "",
    words: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Name the words that are to go from a row that a sweep found. They are looked up, and neither kept nor shown."""
    found = redaction.mention(database, finding_id)
    if found is None:
        raise HTTPException(404)
    made = redaction.propose_by(
        database,
        publishers_map(),
        case_id=found.case_id,
        table=found.asset,
        column=column,
        key=tuple(found.row_key),
        by=_person(user),
        now=now,
        words=words,
    )
    return RedirectResponse(f"{root_path()}/privacy/redactions/{made}", status_code=303)


@router.get("/{redaction_id}", response_class=HTMLResponse)
def show_redaction(
    request: Request, redaction_id: UUID, user: Reviewer, database: EvidenceDatabase, now: Now
) -> HTMLResponse:
    """One proposal without its text, and who answered. Changes nothing."""
    return _proposal_page(request, user, database, redaction_id, now, lines=None)


@router.post("/{redaction_id}/show", response_class=HTMLResponse, dependencies=[OwnForm])
def show_place(
    request: Request, redaction_id: UUID, user: Reviewer, database: EvidenceDatabase, now: Now
) -> HTMLResponse:
    """Write down who looks, and only then show what stands around the words that would go."""
    _proposal(database, redaction_id)
    lines = redaction.show(database, publishers_map(), redaction_id, person=_person(user), now=now)
    return _proposal_page(request, user, database, redaction_id, now, lines=lines)


@router.post("/{redaction_id}/confirm", dependencies=[OwnForm])
def confirm_redaction(redaction_id: UUID, user: Reviewer, database: EvidenceDatabase, now: Now) -> Response:
    """Yes, these words go. After the second person's yes the next night takes them out."""
    return _answered(database, redaction_id, user, now, confirm=True)


@router.post("/{redaction_id}/reject", dependencies=[OwnForm])
def reject_redaction(redaction_id: UUID, user: Reviewer, database: EvidenceDatabase, now: Now) -> Response:
    """No: the text stays as it is, and the proposal is over."""
    return _answered(database, redaction_id, user, now, confirm=False)


def _person(user: Any) -> redaction.Person:
    return redaction.Person(str(user.get_id()), "login")


def _answered(database: Any, redaction_id: UUID, user: Any, now: Any, *, confirm: bool) -> Response:
    _proposal(database, redaction_id)
    redaction.answer(
        database,
        publishers_map(),
        configuration.from_environment(),
        redaction_id,
        person=_person(user),
        confirm=confirm,
        now=now,
    )
    return RedirectResponse(f"{root_path()}/privacy/redactions/{redaction_id}", status_code=303)


def _proposal(database: Any, redaction_id: UUID) -> tuple[Any, list[Any]]:
    """A proposal and its answers. Raises 404."""
    this = {"redaction_id": redaction_id}
    with database.transaction(read_only=True) as connection:
        found = connection.execute(statement("redaction", "select_redaction"), this).one_or_none()
        if found is None:
            raise HTTPException(404)
        answers = connection.execute(statement("redaction", "select_answers"), this).all()
    return found, [one for one in answers if one.answer != "viewed"]


def _proposal_page(
    request: Request, user: Any, database: Any, redaction_id: UUID, now: Any, *, lines: list[str] | None
) -> HTMLResponse:
    found, answers = _proposal(database, redaction_id)
    return page(
        request,
        user,
        "redaction",
        section="erasures",
        now=now,
        one=found,
        answers=answers,
        lines=lines,
        people=redaction.PEOPLE,
        published=publishers_map().tables[found.table_name].published,
    )
