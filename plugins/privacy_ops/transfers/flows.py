"""What is judged: one flow of personal data from the publisher to one importer in one place.

Plain frozen values. They are written into the inventory snapshot as they are, so that what was judged can be read
and judged again.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from privacy_ops.transfers.reference import MechanismCode, Regime

Relationship = Literal[
    "PROCESSOR",
    "CONTROLLER",
    "GROUP_COMPANY",
    "CONTRACTOR",
    "AGENCY",
    "OWN_EMPLOYEE",
    "OWN_BRANCH",
    "UNKNOWN",  # nobody declared it: judged as a separate organisation
]
SAME_ENTITY: frozenset[Relationship] = frozenset({"OWN_EMPLOYEE", "OWN_BRANCH"})
Role = Literal["controller", "processor"]
Nature = Literal[
    "STORAGE", "PROCESSING", "REMOTE_ACCESS", "SUPPORT", "DISCLOSURE", "RETURN", "TRANSIT", "DIRECT_COLLECTION"
]
DataType = Literal["HR", "NON_HR"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DpfListing(_Frozen):
    """An importer's entry on the Data Privacy Framework list, as looked up on ``checked_on``."""

    certified_from: date
    lapses_on: date | None = None  # last good day
    data: tuple[DataType, ...] = Field(min_length=1)
    uk_extension_from: date | None = None
    checked_on: date

    def active(self, on: date) -> bool:
        return self.certified_from <= on and (self.lapses_on is None or on <= self.lapses_on)


class Importer(_Frozen):
    """Who receives or can reach the data. ``subject_to`` answers scope questions (PIPEDA, APPI, PIPA); a scheme that
    is not named is not known."""

    entity_id: str
    name: str
    relationship: Relationship
    role: Role = "processor"
    subject_to: dict[str, bool] = Field(default_factory=dict)
    dpf: DpfListing | None = None


class Assessment(_Frozen):
    """A transfer risk assessment (UK) or transfer impact assessment (EU)."""

    reference: str
    done_on: date
    due_on: date | None = None  # default: the review period of the thresholds


class Mechanism(_Frozen):
    """A signed contract, an approval or a derogation that a flow rests on."""

    mechanism_id: str
    code: MechanismCode
    parties: tuple[str, ...] = Field(min_length=1)  # importers that signed or docked
    signed_on: date | None = None
    ends_on: date | None = None  # last good day
    modules: tuple[Literal[1, 2, 3, 4], ...] = ()
    annexes_complete: bool = True
    lists_special_category: bool = False
    countries: tuple[str, ...] = ()  # empty: wherever the parties are
    beneath: str | None = None  # the mechanism_id that this one stands on
    linked_agreement: str | None = None  # Article 28 terms, where the mechanism has none of its own
    assessment: Assessment | None = None


class Flow(_Frozen):
    """One flow. ``regimes``: laws that govern the data. ``subject_states``: EEA states whose people it is about
    ("EU" for all members, codes otherwise; empty: any). ``country``: a code, or None when nobody could tell."""

    place: str  # bucket:…, replication:…>…, database:…, connection:…, processor:…
    nature: Nature
    country: str | None
    importer: Importer
    regimes: tuple[Regime, ...]
    exporter_role: Role = "controller"
    transfer_id: str | None = None  # the declaration, or None: undeclared
    personal: bool = True
    estimated: bool = False  # the country is what GeoIP says of an address, and nobody else says it
    data_type: DataType = "NON_HR"
    special_category: bool = False
    special_flagged: bool = False  # the importer was told which data are sensitive
    children: bool = False
    automated: bool = True
    purposes: tuple[str, ...] = ()
    occasional: bool = False
    subject_states: tuple[str, ...] = ()
    mechanisms: tuple[Mechanism, ...] = ()
    owner: str = ""
    note: str = ""

    @property
    def key(self) -> str:
        """Stable name of the flow: what flows where and to whom, whatever is said about it."""
        parts = (self.place, self.nature, self.country or "?", self.importer.entity_id)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]

    @property
    def declared(self) -> bool:
        return self.transfer_id is not None
