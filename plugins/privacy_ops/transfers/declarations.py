"""What the publisher declares about transfers, entry by entry: the shapes of ``include/registry``.

Field names follow the record of processing (GDPR Article 30) and, where they have a key for it, fideslang and the
Data Privacy Vocabulary; docs/registry.md holds the mapping. An entry says nothing by silence: what nobody wrote is
not known.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from privacy_ops.transfers.flows import (
    Annex,
    Approval,
    DataType,
    Derogation,
    DpfListing,
    Importer,
    Nature,
    NotNeeded,
    Outcome,
    Relationship,
    Role,
)
from privacy_ops.transfers.reference import MechanismCode, Regime

Country = Annotated[str, Field(min_length=1)]


class Entry(BaseModel):
    """Anything declared under a name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Contact(Entry):
    """Somebody who answers: an office, not a person's private address."""

    name: str = Field(min_length=1)
    contact: str = Field(min_length=1)


class Organisation(Entry):
    """The controller itself, as Article 30(1)(a) wants it."""

    name: str = Field(min_length=1)
    established: Country
    contact: str = Field(min_length=1)
    representative: Contact | None = None  # Article 27
    dpo: Contact | None = None
    joint_controllers: tuple[Contact, ...] = ()
    security: str = Field(min_length=1)  # general description, Article 30(1)(g)


class Activity(Entry):
    """One processing activity of the record. ``on_behalf_of``: the controller, where the publisher is processor."""

    name: str = Field(min_length=1)
    role: Role = "controller"
    on_behalf_of: str | None = None
    purposes: tuple[str, ...] = Field(min_length=1)
    data_subjects: tuple[str, ...] = Field(min_length=1)  # fideslang data_subjects
    data_categories: tuple[str, ...] = Field(min_length=1)  # fideslang data_categories
    legal_basis: str = Field(min_length=1)
    retention: str = Field(min_length=1)  # envisaged time limits for erasure
    security: str = ""  # what goes beyond the general description
    owner: str = ""
    review_on: date | None = None

    @model_validator(mode="after")
    def _for_whom(self) -> Activity:
        if (self.role == "processor") != (self.on_behalf_of is not None):
            raise ValueError("on_behalf_of is said where role is processor, and only there")
        return self


class Processor(Entry):
    """An organisation (or own staff) that can receive or reach data; the field names follow ``flows.Importer``."""

    name: str = Field(min_length=1)
    established: Country
    relationship: Relationship
    role: Role = "processor"
    subject_to: dict[str, bool] = Field(default_factory=dict)
    dpf: DpfListing | None = None
    contact: str = ""
    also_known_as: tuple[str, ...] = ()  # names under which observers may meet it
    owner: str = ""
    reviewed_on: date | None = None
    note: str = ""

    def importer(self, entity_id: str) -> Importer:
        said = self.model_dump(include={"name", "relationship", "role", "subject_to"})
        return Importer(entity_id=entity_id, dpf=self.dpf, **said)


class Agreed(Entry):
    """The sub-processors of one processor that somebody reviewed: name and countries."""

    reviewed_on: date
    notice_days: int = Field(default=30, ge=0)  # time to object to a change, Article 28(2)
    subprocessors: dict[str, tuple[Country, ...]] = Field(default_factory=dict)


class Contract(Entry):
    """A signed agreement that is not itself a ground of a transfer."""

    kind: Literal["ARTICLE_28", "ARTICLE_26", "DATA_SHARING", "SERVICES"]
    parties: tuple[str, ...] = Field(min_length=1)
    signed_on: date | None = None
    ends_on: date | None = None  # last good day
    sub_processor_notice_days: int | None = Field(default=None, ge=0)
    review_on: date | None = None
    owner: str = ""

    def holds(self, on: date) -> bool:
        """Signed and not ended on this day."""
        return self.signed_on is not None and self.signed_on <= on and (self.ends_on is None or on <= self.ends_on)


class AssessmentEntry(Entry):
    """A transfer risk assessment (UK) or transfer impact assessment (EU) on file."""

    kind: Literal["TRA", "TIA"]
    done_on: date
    due_on: date | None = None
    outcome: Outcome
    countries: tuple[Country, ...] = ()
    measures: tuple[str, ...] = ()
    measures_from: date | None = None
    owner: str = ""

    @model_validator(mode="after")
    def _measures(self) -> AssessmentEntry:
        if (self.outcome == "PROCEED_WITH_MEASURES") != bool(self.measures):
            raise ValueError("measures are named where the outcome asks for them, and only there")
        return self


class MechanismEntry(Entry):
    """A ground of transfers; ``assessment`` and ``linked_agreement`` name entries of their own files."""

    code: MechanismCode
    parties: tuple[str, ...] = Field(min_length=1)
    signed_on: date | None = None
    ends_on: date | None = None
    modules: tuple[Literal[1, 2, 3, 4], ...] = ()
    annexes: tuple[Annex, ...] = ()
    lists_special_category: bool = False
    countries: tuple[Country, ...] = ()
    beneath: str | None = None
    linked_agreement: str | None = None
    assessment: str | None = None
    approval: Approval | None = None
    derogation: Derogation | None = None
    notified_on: date | None = None
    claims: NotNeeded | None = None

    @model_validator(mode="after")
    def _own_fields(self) -> MechanismEntry:
        for field, value, code in (("derogation", self.derogation, "ART49"), ("claims", self.claims, "NONE_NEEDED")):
            if (value is not None) != (self.code == code):
                raise ValueError(f"{field} is said of {code}, and only of it")
        return self


class DeclaredFlow(Entry):
    """Where data go: each place, or the importer's own systems when none is named."""

    country: Country
    nature: Nature
    places: tuple[str, ...] = ()


class Encryption(Entry):
    """``key_holder``: who could read the data at rest."""

    in_transit: bool
    at_rest: bool
    key_holder: Literal["publisher", "importer", "third_party"]


class Transfer(Entry):
    """One declaration: to whom, for what, on which mechanisms, where; since when and until when it was so."""

    importer: str
    activity: str = ""
    exporter_role: Role = "controller"
    purposes: tuple[str, ...] = Field(min_length=1)
    data_subjects: tuple[str, ...] = ()
    data_categories: tuple[str, ...] = ()
    data_type: DataType = "NON_HR"
    personal: bool = True
    special_category: bool = False
    special_flagged: bool = False
    children: bool = False
    automated: bool = True
    occasional: bool = False
    regimes: tuple[Regime, ...] | None = None  # default: the publisher's
    subject_states: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    onward: tuple[str, ...] = ()  # recipients beyond the importer and its sub-processors, in words
    volume: Literal["", "UNDER_1K", "1K_TO_100K", "OVER_100K"] = ""
    frequency: Literal["", "CONTINUOUS", "DAILY", "WEEKLY", "OCCASIONAL"] = ""
    medium: str = ""
    encryption: Encryption | None = None
    declared_from: date | None = None  # None: as long as anybody knows
    declared_until: date | None = None
    owner: str = ""
    review_on: date | None = None
    flows: tuple[DeclaredFlow, ...] = Field(min_length=1)
    note: str = ""

    def declared_on(self, day: date) -> bool:
        """Whether this was declared on this day, both ends included."""
        return (self.declared_from is None or self.declared_from <= day) and (
            self.declared_until is None or day <= self.declared_until
        )


class Host(Entry):
    """Who runs a host, and where."""

    processor: str
    country: Country


class Attestation(Entry):
    """What a batch job cannot see, and a person answers for. ``stands_for``: an observer that does not apply here."""

    detector: str = Field(pattern=r"^T-D([1-9]|10)$")
    says: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    attested_on: date
    stands_for: str | None = None

    def fresh(self, on: date, max_age_days: int) -> bool:
        """Whether it still counts on a day; one from the future does not."""
        return 0 <= (on - self.attested_on).days <= max_age_days
