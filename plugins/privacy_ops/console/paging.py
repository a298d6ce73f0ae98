"""Pages of a long table by key: where the last page ended, not how many rows to skip."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

PAGE = 50


@dataclass(frozen=True)
class Page:
    """``rows`` of this page; ``older`` is the query string that leads to the next one, "" on the last."""

    rows: Sequence[Any]
    older: str
    first: bool


def after(cursor: str, *kinds: Callable[[str], Any]) -> list[Any]:
    """The key at which a page begins; as many Nones for the first page and for what nobody of us wrote."""
    try:
        told = json.loads(urlsafe_b64decode(cursor.encode()))
        if len(told) == len(kinds):
            return [kind(str(value)) for kind, value in zip(kinds, told, strict=True)]
    except (ValueError, TypeError):
        pass
    return [None] * len(kinds)


def page(found: Sequence[Any], key: Callable[[Any], Sequence[Any]], *, cursor: str, **filters: str) -> Page:
    """The first ``PAGE`` of ``found`` (which holds one more when there are more), with the way on."""
    shown = found[:PAGE]
    older = ""
    if len(found) > PAGE:
        last = json.dumps([getattr(value, "isoformat", lambda v=value: str(v))() for value in key(shown[-1])])
        older = urlencode(
            {"after": urlsafe_b64encode(last.encode()).decode()} | {k: v for k, v in filters.items() if v}
        )
    return Page(shown, older, not cursor)
