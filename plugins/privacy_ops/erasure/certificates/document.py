"""A certificate as a document: what it may say, its page, its signatures, and how anybody checks them offline. Pure.

A certificate is two files, ``<case>.json`` and ``<case>.html``. The JSON holds the statement, our signature of it, and
our signature of the page's digest; the page holds the same statement again, for people and in a data block. Whoever has
the public key needs nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from privacy_ops import signing, templates

if TYPE_CHECKING:
    import jinja2

FORMAT = 2
_MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?([+-]\d{2}:\d{2}|Z)$"
_DAY = r"^\d{4}-\d{2}-\d{2}$"
_SHA256 = r"^[0-9a-f]{64}$"
_BLOCK = re.compile(r'<script type="application/json" id="statement">(.*?)</script>', re.DOTALL)

METHODS = {
    "DELETE": "rows deleted; dead tuples, write-ahead log and replicas age out",
    "EMPTY": "identifying columns emptied; the rest is kept on the ground named below",
    "UNLINK": "pointers in other people's rows emptied",
    "KEEP": "kept: holds nothing that names the person",
    "OBJECT_VERSIONS": "every version and delete marker deleted by version id",
    "OBJECT_ROWS": "rows taken out of shared objects; the former versions deleted",
}
STATES = {
    "pending": "not told yet",
    "sent": "told, has not answered yet",
    "chased": "told and reminded, has not answered yet",
    "escalated": "has not answered for a week; with people",
    "acknowledged": "has confirmed",
    "refused": "refuses; with people",
    "undeliverable": "cannot be reached; with people",
    "withdrawn": "ended without an answer, for the reason given",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Asset(_Strict):
    asset: str
    method: str
    planned: int = Field(ge=0)
    done: int = Field(ge=0)


class Retained(_Strict):
    asset: str
    ground: str
    rows: int = Field(ge=0)


class NotErased(_Strict):
    asset: str
    reason: str
    until: str | None
    objects: int = Field(ge=0)


class Held(_Strict):
    asset: str
    columns: list[str] = Field(min_length=1)
    hold: int
    basis: str
    review_on: str = Field(pattern=_DAY)
    rows: int = Field(ge=0)


class Redacted(_Strict):
    asset: str
    texts: int = Field(ge=1)
    places: int = Field(ge=1)
    redacted_at: str = Field(pattern=_MOMENT)


class HeldErased(_Strict):
    hold: int
    rows: int = Field(ge=1)
    erased_at: str = Field(pattern=_MOMENT)


class AgesOut(_Strict):
    asset: str
    rule: str


class Told(_Strict):
    instruction: str
    party: str
    kind: str | None
    state: str
    reason: str
    method: str | None
    told_at: str | None
    answered_at: str | None
    erased: int | None


class Verification(_Strict):
    gate: str
    gate_result_id: int
    verdict: Literal["pass", "warn"]
    judged_at: str = Field(pattern=_MOMENT)
    checks: dict[str, bool]


class Statement(_Strict):
    """What a certificate of one case says."""

    format: Literal[2]
    certificate_of: Literal["erasure"]
    case_id: str
    publisher: str
    subject: Literal["person", "row"]
    subject_ref: str = Field(pattern=_SHA256)
    ref_key_id: str
    ground: str
    decided: Literal["by rule", "by people"]
    died: bool = Field(default=False, description="the person had died: a privacy lead decided")
    discovered_at: str = Field(pattern=_MOMENT)
    restricted_at: str | None
    intent_at: str = Field(pattern=_MOMENT)
    database_erased_at: str = Field(pattern=_MOMENT)
    objects_erased_at: str = Field(pattern=_MOMENT)
    verified_at: str = Field(pattern=_MOMENT)
    issued_at: str = Field(pattern=_MOMENT)
    run_id: str
    plan_sha256: str = Field(pattern=_SHA256)
    code_version: str
    thresholds_sha256: str
    map_sha256: str
    ledger: list[int] = Field(min_length=2, max_length=2)
    assets: list[Asset]
    methods: dict[str, str]
    retained: list[Retained]
    exceptions: list[NotErased]
    held: list[Held] = Field(default=[], description="cells kept apart because of a hold, until it ends")
    redactions: list[Redacted] = Field(default=[], description="mentions taken out of other people's texts")
    ages_out: list[AgesOut]
    backups_beyond_use_until: str = Field(pattern=_DAY)
    logs_of_visitors: Literal["NOT_ATTRIBUTABLE"]
    verification: Verification
    swept_assets: int = Field(ge=1)
    residual: Literal[0]
    told: list[Told]


class Supplement(_Strict):
    """What parties answered after the certificate of a case. It adds, and replaces nothing."""

    format: Literal[2]
    certificate_of: Literal["supplement"]
    case_id: str
    publisher: str
    number: int = Field(ge=1)
    supplements_sha256: str = Field(pattern=_SHA256)
    as_of: str = Field(pattern=_MOMENT)
    told: list[Told]
    redactions: list[Redacted] = Field(default=[], description="mentions taken out of other people's texts until then")
    held_erased: list[HeldErased] = Field(default=[], description="what a hold kept, erased since the hold ended")


def schema() -> dict[str, Any]:
    """JSON schema of both kinds of statement, for ``docs/schemas/certificate.json``."""
    from pydantic import TypeAdapter

    return TypeAdapter(Statement | Supplement).json_schema()


def told_sha256(states: list[tuple[str, str]]) -> str:
    """Digest of (instruction, state): whether anything was answered since. Empty for nobody told."""
    lines = "\n".join(f"{instruction} {state}" for instruction, state in sorted(states))
    return hashlib.sha256(lines.encode()).hexdigest() if lines else ""


def issue(private_pem: bytes | None, body: dict[str, Any]) -> tuple[str, str]:
    """(document, page) of a statement, both signed. Raises ValidationError for a statement of another shape."""
    _model(body).model_validate(body)
    page = _render(body, signing.sign(private_pem, body), signing.public_key_pem(private_pem))
    digest = hashlib.sha256(page.encode()).hexdigest()
    document = {
        "body": body,
        "signature": signing.sign(private_pem, body),
        "key": signing.fingerprint(signing.public_key_pem(private_pem)),
        "page": {"sha256": digest, "signature": signing.sign(private_pem, _page_claim(body, digest))},
    }
    return signing.canonical_json(document), page


def page_sha256(document: bytes) -> str:
    """The digest of the page that was issued with a document. Whoever asks knows the document to be whole.

    Raises ValueError for what is no certificate.
    """
    try:
        return str(json.loads(document)["page"]["sha256"])
    except (TypeError, KeyError, RecursionError):
        raise ValueError("the file is not a certificate") from None


def _page_claim(body: dict[str, Any], digest: str) -> dict[str, object]:
    return {"page_of": body["case_id"], "number": body.get("number", 0), "sha256": digest}


def _model(body: Any) -> type[BaseModel]:
    supplement = isinstance(body, dict) and body.get("certificate_of") == "supplement"
    return Supplement if supplement else Statement


def faults(document: bytes, page: bytes | None, public_pem: bytes) -> list[str]:
    """What is wrong with a certificate; empty: it is ours and whole. Needs no database, settings or network.

    ``public_pem``: one or more Ed25519 public keys. Raises ConfigError when it holds none.
    """
    try:
        read = json.loads(document)
        body, signature = read["body"], str(read["signature"])
        digest, page_signature = str(read["page"]["sha256"]), str(read["page"]["signature"])
        signed = signing.verifies(public_pem, body, signature)
        page_signed = signing.verifies(public_pem, _page_claim(body, digest), page_signature)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ["the file is not a certificate"]
    found = []
    if set(read) != {"body", "signature", "key", "page"}:
        found.append("the file holds more than a certificate")
    if not signed:
        found.append("the statement is not signed by this key, or was changed")
    try:
        _model(body).model_validate(body)
    except ValidationError as error:
        wrong = sorted({".".join(map(str, e["loc"])) or "it" for e in error.errors()})
        found.append("the statement does not have the shape of one: " + ", ".join(wrong[:5]))
    if not page_signed:
        found.append("the page's digest is not signed by this key, or was changed")
    if page is not None:
        if hashlib.sha256(page).hexdigest() != digest:
            found.append("the page is not the one that was issued with this statement")
        elif _embedded(page) != body:
            found.append("the page says something else than the statement")
    return found


def _embedded(page: bytes) -> Any:
    match = _BLOCK.search(page.decode("utf-8", "replace"))
    try:
        return json.loads(match[1]) if match else None
    except ValueError:
        return None


@cache
def _template() -> jinja2.Template:
    return templates.environment(Path(__file__).parent).get_template("certificate.html.j2")


def _render(body: dict[str, Any], signature: str, public_pem: bytes) -> str:
    # Inside a script element only "<" could end it; JSON lets it be written otherwise.
    block = signing.canonical_json(body).replace("<", "\\u003c")
    return _template().render(
        body=body,
        block=block,
        signature=signature,
        fingerprint=signing.fingerprint(public_pem),
        states=STATES,
        supplement=body["certificate_of"] == "supplement",
    )
