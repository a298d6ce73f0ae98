"""Ways to reach a party: what is sent, and what came of it. ``docs/downstream.md`` describes the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

Result = Literal["acknowledged", "sent", "refused", "retry", "broken"]


@dataclass(frozen=True)
class Message:
    """One instruction or notice. ``identifiers`` None: they were destroyed, this only reminds of an earlier one."""

    instruction_id: UUID
    kind: str
    publisher: str
    sent_at: datetime
    due_at: datetime
    reminder: int
    first_sent_at: datetime | None
    identifiers: list[dict[str, str]] | None


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. ``reason`` is a code and never what a party wrote.

    acknowledged: the party says it is done; sent: it has taken it; refused: it says no; retry: nobody can tell, later
    again with the same key; broken: trying again will not help before a person has mended something.
    """

    result: Result
    reason: str = ""
    reference: str | None = None
    found: int | None = None
    wait: timedelta | None = None
