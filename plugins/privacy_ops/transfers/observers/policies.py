"""Who a bucket policy or an access list lets in beyond the account itself. Pure; nothing of a policy is quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:(?:iam|sts)::)?([0-9]{12})(?::.*)?")
# Conditions that name the account that is let in, whatever the principal says.
_ACCOUNT_CONDITIONS = frozenset({"aws:principalaccount", "s3:dataaccesspointaccount", "aws:sourceaccount"})
# Keys that narrow down who may come. Conditions of other keys alone (how, not who) leave it public, as S3 says too.
_NARROWING = re.compile(
    r"aws:(principal|source|userid|username|vpc|calledvia|via)|s3:(dataaccesspoint|.*kms-key-id)", re.IGNORECASE
)
_EXACT = frozenset({"stringequals", "stringlike", "stringequalsignorecase", "foranyvalue:stringequals"})
_EVERYBODY = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
_DELIVERY = "/groups/s3/LogDelivery"


@dataclass(frozen=True)
class Grantee:
    """``who``: an account number, or why it cannot be told; never a piece of the policy."""

    kind: Literal["account", "public", "unread"]
    who: str = ""


def grantees(policy: str | None, account: str) -> tuple[Grantee, ...]:
    """Everybody but ``account`` whom a policy allows anything, each once. What cannot be read is a grantee too."""
    if not (policy or "").strip():
        return ()
    try:
        found = json.loads(policy or "")
    except (ValueError, RecursionError):
        return (Grantee("unread", "the policy is not JSON"),)
    statements = found.get("Statement") if isinstance(found, Mapping) else None
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list):
        return (Grantee("unread", "the policy has no statements"),)
    seen = dict.fromkeys(g for statement in statements for g in _of_statement(statement))
    return tuple(g for g in seen if g != Grantee("account", account))


def _of_statement(statement: Any) -> Iterator[Grantee]:
    if not isinstance(statement, Mapping):
        yield Grantee("unread", "a statement is no object")
        return
    effect = str(statement.get("Effect", "")).lower()
    if effect == "deny":
        return
    if effect != "allow":
        yield Grantee("unread", "a statement neither allows nor denies")
        return
    bound = _accounts_of(statement.get("Condition"))
    if "NotPrincipal" in statement:
        yield Grantee("unread", "all but some") if _narrows(statement.get("Condition")) else Grantee("public")
        return
    for kind, who in _principals(statement.get("Principal")):
        if kind == "Service":
            continue  # the provider's own services act for the account
        if who == "*" and kind in {"*", "AWS"}:
            if bound:
                yield from (Grantee("account", one) for one in bound)
            elif _narrows(statement.get("Condition")):
                yield Grantee("unread", "anybody under a condition")
            else:
                yield Grantee("public")
        elif kind == "AWS" and (match := _ACCOUNT.fullmatch(who)):
            yield Grantee("account", match[1])
        else:
            yield Grantee("unread", f"a principal of type {kind}" if kind.isalnum() else "a principal")


def _principals(principal: Any) -> Iterator[tuple[str, str]]:
    if principal == "*":
        yield "*", "*"
    elif isinstance(principal, Mapping) and principal:
        for kind, value in principal.items():
            known = str(kind) if kind in {"AWS", "Service", "Federated", "CanonicalUser"} else "other"
            for one in value if isinstance(value, list) else [value]:
                yield known, one if isinstance(one, str) else ""
    else:
        yield "other", ""


def _narrows(condition: Any) -> bool:
    """Whether a condition may say who is let in. One that cannot be read may."""
    if not isinstance(condition, Mapping):
        return bool(condition)
    tests = list(condition.values())
    return any(not isinstance(keys, Mapping) or any(_NARROWING.match(str(key)) for key in keys) for keys in tests)


def _accounts_of(condition: Any) -> tuple[str, ...]:
    """Account numbers that a condition binds the statement to; empty when it does not, or not exactly."""
    found: list[str] = []
    for operator, tests in condition.items() if isinstance(condition, Mapping) else ():
        if str(operator).lower() not in _EXACT or not isinstance(tests, Mapping):
            continue
        for key, value in tests.items():
            if str(key).lower() not in _ACCOUNT_CONDITIONS:
                continue
            values = value if isinstance(value, list) else [value]
            if not all(isinstance(v, str) and re.fullmatch(r"[0-9]{12}", v) for v in values):
                return ()
            found += values
    return tuple(dict.fromkeys(found))


def listed(grants: Sequence[Mapping[str, Any]], owner: str | None) -> tuple[Grantee, ...]:
    """Everybody but the owner whom an access list names."""
    found: dict[Grantee, None] = {}
    for grant in grants:
        grantee = grant.get("Grantee") if isinstance(grant, Mapping) else None
        if not isinstance(grantee, Mapping):
            found.setdefault(Grantee("unread", "an entry of the access list"))
            continue
        uri = str(grantee.get("URI", ""))
        if uri.endswith(_EVERYBODY):
            found.setdefault(Grantee("public"))
        elif uri.endswith(_DELIVERY) or (owner and grantee.get("ID") == owner):
            continue
        else:
            found.setdefault(Grantee("unread", "another owner in the access list"))
    return tuple(found)
