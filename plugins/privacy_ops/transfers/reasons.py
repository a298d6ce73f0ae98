"""The words of a judgement: verdicts, and the code of every reason that a chain may hold, with what it means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Verdict(StrEnum):
    """Outcome for one flow under one regime."""

    NOT_A_TRANSFER = "NOT_A_TRANSFER"
    COVERED = "COVERED"
    COVERED_EXPIRING = "COVERED_EXPIRING"  # what carries it ends within the months of the thresholds
    COVERED_CHALLENGED = "COVERED_CHALLENGED"  # what carries it is before a court
    UNRESOLVED = "UNRESOLVED"  # a fact is missing; a finding, never a pass
    SCOPE_MISMATCH = "SCOPE_MISMATCH"  # there is an instrument or contract, and it does not fit
    UNCOVERED = "UNCOVERED"

    @property
    def rank(self) -> int:
        """Higher is better; grounds are compared by it."""
        return _RANKS[self]

    @property
    def covered(self) -> bool:
        return self.rank >= _RANKS[Verdict.COVERED_CHALLENGED]


_RANKS = {verdict: -position for position, verdict in enumerate(Verdict)}


class Code(StrEnum):
    """Why. The code that decided stands in the judgement; ``meaning`` is for people."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Code:
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    # No transfer: NONE_NEEDED with its reason.
    BEFORE_REGIME = "BEFORE_REGIME", "the law did not apply yet on this day"
    NOT_GOVERNED = "NOT_GOVERNED", "this law does not govern these data"
    ANONYMOUS = "ANONYMOUS", "the data are about nobody"
    TRANSIT = "TRANSIT", "the data only pass through"
    DIRECT_COLLECTION = "DIRECT_COLLECTION", "the person abroad gives the data directly"
    NOT_INITIATED = "NOT_INITIATED", "a processor returns data to its controller (UK: it initiates nothing)"
    SAME_ENTITY = "SAME_ENTITY", "exporter and importer are one legal entity"
    HOME_AREA = "HOME_AREA", "the place is inside the regime's own area"
    # Steps on the way.
    SEPARATE_ENTITY = "SEPARATE_ENTITY", "the importer is a separate organisation"
    IMPORTER_UNKNOWN = "IMPORTER_UNKNOWN", "nobody declared the importer: taken as a separate organisation"
    THIRD_COUNTRY = "THIRD_COUNTRY", "the place is outside the regime's own area"
    # No place that can be judged.
    COUNTRY_UNKNOWN = "COUNTRY_UNKNOWN", "nobody could tell the country"
    NOT_A_COUNTRY = "NOT_A_COUNTRY", "the code stands for no country (GeoIP and CDN pseudo-codes)"
    STATUS_UNCHECKED = "STATUS_UNCHECKED", "the territory's status has to be checked by a person first"
    # Adequacy.
    ADEQUATE = "ADEQUATE", "an instrument in force covers the importer"
    ADEQUATE_EXPIRING = "ADEQUATE_EXPIRING", "an instrument covers it and ends soon"
    ADEQUATE_CHALLENGED = "ADEQUATE_CHALLENGED", "an instrument covers it and is before a court"
    NO_INSTRUMENT = "NO_INSTRUMENT", "there is no instrument for the country under this regime"
    NOT_YET_IN_FORCE = "NOT_YET_IN_FORCE", "the instrument begins later"
    INSTRUMENT_ENDED = "INSTRUMENT_ENDED", "the instrument has passed its last day"
    INSTRUMENT_INVALIDATED = "INSTRUMENT_INVALIDATED", "a court has struck the instrument down"
    SCOPE_UNKNOWN = "SCOPE_UNKNOWN", "nobody knows whether the importer falls under the instrument"
    SCHEME_NOT_SUBJECT = "SCHEME_NOT_SUBJECT", "the importer is not subject to the law that the instrument asks for"
    SCOPE_EXCLUDED = "SCOPE_EXCLUDED", "the instrument leaves this processing out"
    DPF_NOT_LISTED = "DPF_NOT_LISTED", "the importer is not on the Data Privacy Framework list"
    DPF_INACTIVE = "DPF_INACTIVE", "the importer is not active on the list on this day"
    DPF_DATA_TYPE = "DPF_DATA_TYPE", "the importer is certified for the other type of data (HR / non-HR)"
    DPF_NO_UK_EXTENSION = "DPF_NO_UK_EXTENSION", "the importer has not taken the UK Extension"
    DPF_NOT_FLAGGED = "DPF_NOT_FLAGGED", "sensitive data were not flagged to the importer"
    DPF_JOURNALISM = "DPF_JOURNALISM", "the UK Extension does not carry data for journalism"
    EFTA_UNVERIFIED = "EFTA_UNVERIFIED", "nobody verified the decision's position for IS, LI and NO"
    # Mechanisms.
    MECHANISM_HOLDS = "MECHANISM_HOLDS", "the mechanism carries the flow"
    MECHANISM_EXPIRING = "MECHANISM_EXPIRING", "the mechanism carries the flow and ends soon"
    EU_CLAUSES_ALONE = "EU_CLAUSES_ALONE", "EU clauses do nothing under UK law without Addendum or IDTA"
    OTHER_REGIME = "OTHER_REGIME", "this kind of mechanism has no effect under this regime"
    NOT_YET_USABLE = "NOT_YET_USABLE", "this kind of mechanism could not be used yet"
    MECHANISM_DEAD = "MECHANISM_DEAD", "this kind of mechanism has been repealed"
    NOT_SIGNED = "NOT_SIGNED", "it is not signed, or not yet on this day"
    MECHANISM_ENDED = "MECHANISM_ENDED", "the contract has ended"
    SIGNED_OUT_OF_TIME = "SIGNED_OUT_OF_TIME", "it was signed when it could not be signed"
    NOT_A_PARTY = "NOT_A_PARTY", "the importer has not signed or docked"
    COUNTRY_NOT_NAMED = "COUNTRY_NOT_NAMED", "it does not name this country"
    ANNEXES_MISSING = "ANNEXES_MISSING", "annexes or tables are not filled"
    SPECIAL_NOT_LISTED = "SPECIAL_NOT_LISTED", "it does not list the special categories that flow"
    WRONG_MODULE = "WRONG_MODULE", "the module does not match the two roles"
    BASE_MISSING = "BASE_MISSING", "the contract that it stands on is not there"
    BASE_FAILS = "BASE_FAILS", "the contract that it stands on does not carry"
    NOT_IN_GROUP = "NOT_IN_GROUP", "binding rules bind the group, and the importer is not of it"
    NOT_APPROVED = "NOT_APPROVED", "no approval of an authority holds on this day"
    SYSTEMATIC = "SYSTEMATIC", "a derogation carries occasional transfers, and this one is systematic"
    NOT_NOTIFIED = "NOT_NOTIFIED", "compelling interests need a notice to the authority and the people"
    ASSESSMENT_MISSING = "ASSESSMENT_MISSING", "there is no transfer risk assessment on this day"
    ASSESSMENT_REFUSES = "ASSESSMENT_REFUSES", "the assessment says that data must not go"
    MEASURES_MISSING = "MEASURES_MISSING", "measures that the assessment asks for are not in place"
    CLAIM_REFUSED = "CLAIM_REFUSED", "declared as needing nothing, and it does need a ground"


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the chain: which question, what the answer was, which instrument, row or contract says so."""

    step: Literal["law", "data", "nature", "entity", "place", "adequacy", "mechanism", "state"]
    code: Code
    text: str
    cites: str = ""
