"""Everything that the outputs of one run are written from: plain values, read once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from privacy_ops.transfers.publishing.art30 import Record
from privacy_ops.transfers.publishing.dependencies import Dependency
from privacy_ops.transfers.publishing.diff import Change
from privacy_ops.transfers.reasons import Verdict
from privacy_ops.transfers.reference import REGIMES, Regime


@dataclass(frozen=True)
class Judged:
    """One regime's word on one flow, as stored."""

    verdict: Verdict
    instrument: str
    expires_on: date | None
    flags: tuple[str, ...]
    by_state: Mapping[str, str]
    reasons: tuple[Mapping[str, str], ...]  # step, text, cites


@dataclass(frozen=True)
class FlowLine:
    """One flow with both verdicts; a regime that has not judged it is absent."""

    place: str
    nature: str
    country: str | None
    country_name: str
    importer: str
    importer_name: str
    relationship: str
    transfer_id: str | None
    detail: str
    seen_by: tuple[str, ...]
    personal: bool
    special_category: bool
    children: bool
    purposes: tuple[str, ...]
    owner: str
    note: str
    judged: Mapping[Regime, Judged]

    @property
    def gravest(self) -> Verdict:
        """The one that somebody must look at first; a flow that a regime has not judged is unresolved."""
        found = [j.verdict for j in self.judged.values()]
        if len(found) < len(REGIMES):
            found.append(Verdict.UNRESOLVED)
        return min(found, key=lambda verdict: verdict.rank)


@dataclass(frozen=True)
class FindingLine:
    """One finding of the run, with what is known of it over time; a re-judged day's findings have no history."""

    fingerprint: str
    severity: str
    rule: str
    asset: str
    title: str
    what_to_do: str
    owner: str
    status: str = ""
    first_seen: date | None = None
    due_on: date | None = None


@dataclass(frozen=True)
class SignedOff:
    """Who last stood behind an inventory, in which role, and when."""

    person: str
    role: str
    on: date
    inventory_sha256: str


@dataclass(frozen=True)
class Content:
    """One run. ``basis`` ``observed``: the world as it was seen; anything else is another day, judged again."""

    run_id: str
    as_of: datetime
    basis: str
    judged_on: date
    known_on: date
    publisher: str
    flows: tuple[FlowLine, ...]
    findings: tuple[FindingLine, ...]
    changes: tuple[Change, ...]
    compared_with: str  # run of the inventory before; empty: there was none
    record: Record
    dependencies: tuple[Dependency, ...]
    reference: Mapping[str, Any]  # the reference manifest
    observers: tuple[Mapping[str, Any], ...]
    signed_off: SignedOff | None
    sign_off_days: int

    @property
    def rejudged(self) -> bool:
        return self.basis != "observed"

    @property
    def unexplained(self) -> int:
        return sum(not change.explained for change in self.changes)
