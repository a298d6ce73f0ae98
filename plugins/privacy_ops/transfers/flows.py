"""What is judged: one flow of personal data from the publisher to one importer in one place.

Plain frozen values. They are written into the inventory snapshot as they are, so that what was judged can be read
and judged again.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
Annex = Literal["I", "II", "III", "TABLES"]  # of the EU clauses; part 1 of the IDTA and the Addendum
ANNEXES: tuple[Annex, ...] = ("I", "II", "III", "TABLES")
Outcome = Literal["PROCEED", "PROCEED_WITH_MEASURES", "DO_NOT_TRANSFER"]
Derogation = Literal[  # GDPR Article 49(1), first subparagraph (a) to (g), and its second subparagraph
    "EXPLICIT_CONSENT",
    "CONTRACT_WITH_SUBJECT",
    "CONTRACT_FOR_SUBJECT",
    "PUBLIC_INTEREST",
    "LEGAL_CLAIMS",
    "VITAL_INTERESTS",
    "PUBLIC_REGISTER",
    "COMPELLING_INTERESTS",
]
NotNeeded = Literal["SAME_ENTITY", "HOME_AREA", "TRANSIT", "ANONYMOUS", "DIRECT_COLLECTION", "NOT_INITIATED"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DpfListing(_Frozen):
    """An importer's entry on the Data Privacy Framework list, as looked up on ``checked_on``."""

    certified_from: date
    lapses_on: date | None = None  # last good day
    data: tuple[DataType, ...] = Field(min_length=1)
    uk_extension_from: date | None = None
    listed_name: str = ""  # as the list calls it; empty: not written down
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
    kind: Literal["TRA", "TIA"] = "TRA"  # either method is accepted under either law
    done_on: date
    due_on: date | None = None  # default: the review period of the thresholds
    outcome: Outcome = "PROCEED"
    measures: tuple[str, ...] = ()  # supplementary measures that the assessment asks for
    measures_from: date | None = None  # first day on which all of them were in place


class Approval(_Frozen):
    """An authority's approval of binding corporate rules, a code of conduct or a certification."""

    reference: str
    authority: str
    approved_on: date
    ends_on: date | None = None  # last good day

    def holds(self, on: date) -> bool:
        return self.approved_on <= on and (self.ends_on is None or on <= self.ends_on)


class Mechanism(_Frozen):
    """A signed contract, an approval or a derogation that a flow rests on."""

    mechanism_id: str
    code: MechanismCode
    parties: tuple[str, ...] = Field(min_length=1)  # importers that signed or docked
    signed_on: date | None = None
    ends_on: date | None = None  # last good day
    modules: tuple[Literal[1, 2, 3, 4], ...] = ()
    annexes: tuple[Annex, ...] = ()  # those that are filled
    lists_special_category: bool = False
    countries: tuple[str, ...] = ()  # empty: wherever the parties are
    beneath: str | None = None  # the mechanism_id that this one stands on
    linked_agreement: str | None = None  # signed Article 28 terms, where the mechanism has none of its own
    terms_from: date | None = None  # first and last good day of those terms; None: not said
    terms_until: date | None = None
    assessment: Assessment | None = None
    approval: Approval | None = None
    derogation: Derogation | None = None  # ART49 only
    notified_on: date | None = None  # ART49, compelling interests: the authority and the people were told
    claims: NotNeeded | None = None  # NONE_NEEDED only: why nothing would be needed

    @model_validator(mode="before")
    @classmethod
    def _of_old_snapshots(cls, said: Any) -> Any:
        """Snapshots of before annexes were named say only whether they were complete."""
        if isinstance(said, dict) and "annexes_complete" in said:
            complete = said["annexes_complete"]
            said = {k: v for k, v in said.items() if k != "annexes_complete"} | {"annexes": ANNEXES if complete else ()}
        return said

    @model_validator(mode="after")
    def _own_fields(self) -> Mechanism:
        for field, value, code in (("derogation", self.derogation, "ART49"), ("claims", self.claims, "NONE_NEEDED")):
            if (value is not None) != (self.code == code):
                raise ValueError(f"{field} is said of {code}, and only of it")
        return self


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
    activity: str = ""  # of the record of processing
    data_categories: tuple[str, ...] = ()  # fideslang keys
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
