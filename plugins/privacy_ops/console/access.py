"""Who may see, take and change what: one table, asked by every route, and shown in docs/console.md.

Airflow's auth manager decides (FAB and the simple one alike); where the deployment names anybody, as a reviewer or as a
privacy lead (PRIVACY_OPS_REVIEWERS, PRIVACY_OPS_PRIVACY_LEADS), only who is named: with leads alone named, leads alone.
A withdrawal needs a named lead: nobody named, nobody may.

Gates need no more than the web site: a report is rendered from checks that the scrub let out (ids, counts, texts of
ours), so no person stands in it, whoever reads it.

No ``from __future__ import annotations`` here: FastAPI must see the dependencies' real types.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from fastapi import Depends, Form, HTTPException, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from privacy_ops import settings as configuration

FORM_HOURS = 12


class Right(StrEnum):
    """What a route asks for."""

    LOOK = "look"
    DAG = "dag"
    ERASURES = "erasures"
    RELEASES = "releases"
    TRANSFERS = "transfers"
    EVIDENCE = "evidence"
    CERTIFICATE = "certificate"
    PACK = "pack"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Rule:
    """``dag``: whose runs must be readable, or whose questions answerable; "" asks for the web site alone.

    ``answers``: the person may answer required actions of the DAG, not only read its runs. ``named``: and is named.
    """

    what: str
    dag: str = ""
    answers: bool = False
    named: Literal["", "reviewer", "lead"] = ""


RULES: dict[Right, Rule] = {
    Right.LOOK: Rule("see the overview, gates and their reports"),
    Right.DAG: Rule("see the tabs of a DAG and of a run", dag="{dag_id}"),
    Right.ERASURES: Rule("see erasures", dag="minor_data_deletion"),
    Right.RELEASES: Rule("see releases", dag="course_usage_export"),
    Right.TRANSFERS: Rule("see transfers and ask what if", dag="transfer_inventory_check"),
    Right.EVIDENCE: Rule(
        "see a case and its evidence, and answer about mentions of minors",
        dag="minor_case_review",
        answers=True,
        named="reviewer",
    ),
    Right.CERTIFICATE: Rule("download certificates", dag="minor_case_review", answers=True, named="reviewer"),
    Right.PACK: Rule("download packs", dag="course_usage_export", answers=True, named="reviewer"),
    Right.WITHDRAW: Rule("withdraw releases", dag="course_usage_export", answers=True, named="lead"),
}


def may(user: Any, right: Right, dag_id: str = "") -> bool:
    """Whether Airflow, and the names of the deployment, allow it. ``dag_id`` is what ``{dag_id}`` stands for."""
    rule, manager = RULES[right], get_auth_manager()
    if not rule.dag:
        return bool(manager.is_authorized_view(access_view=AccessView.WEBSITE, user=user))
    allowed = manager.is_authorized_dag(
        method="PUT" if rule.answers else "GET",
        access_entity=DagAccessEntity.HITL_DETAIL if rule.answers else DagAccessEntity.RUN,
        details=DagDetails(id=rule.dag.format(dag_id=dag_id)),
        user=user,
    )
    return bool(allowed) and _is_named(user, rule)


def _is_named(user: Any, rule: Rule) -> bool:
    if not rule.named:
        return True
    known, person = configuration.from_environment(), user.get_id()
    if rule.named == "lead":
        return person in known.privacy_leads
    named = {*known.reviewers, *known.privacy_leads}
    return person in named if named else True


class Needs:
    """The dependency of a route that asks for one right, and returns who it is. Anonymous 401, without it 403."""

    def __init__(self, right: Right) -> None:
        self.right = right

    def __call__(self, request: Request, user: GetUserDep) -> Any:
        if not may(user, self.right, request.path_params.get("dag_id", "")):
            raise HTTPException(403)
        return user


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="privacy-console-form")


def _subject(request: Request, user: Any, action: str, values: Sequence[str]) -> list[str]:
    """What a form's token is bound to: this sign-in, this person, this action on this thing."""
    sign_in = request.headers.get("authorization") or request.cookies.get(COOKIE_NAME_JWT_TOKEN) or ""
    return [sha256(sign_in.encode()).hexdigest(), str(user.get_id()), action, *values]


def form_token(request: Request, user: Any, action: str, *values: str) -> str:
    """The hidden field of a form that calls the route function ``action`` with these path values."""
    return str(_signer().dumps(_subject(request, user, action, values)))


def own_page(request: Request) -> None:
    """Refuse a form that another site made the browser send: it must come from a page of this very host."""
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        trusted = said == "same-origin"
    else:
        trusted = urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "-")
    if not trusted:
        raise HTTPException(403)


def own_form(request: Request, user: GetUserDep, token: Annotated[str, Form(max_length=2000)] = "") -> None:
    """Refuse what no form of ours, made for this very sign-in, sent: same origin, and a token that fits."""
    own_page(request)
    values = [str(value) for value in request.path_params.values()]
    try:
        told = _signer().loads(token, max_age=FORM_HOURS * 3600)
    except BadSignature:
        told = None
    if told != _subject(request, user, request.scope["endpoint"].__name__, values):
        raise HTTPException(403, "The form is too old, or was made for another sign-in. Open the page again.")


OwnForm = Depends(own_form)
