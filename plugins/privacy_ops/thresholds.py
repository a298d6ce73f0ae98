"""Every number a rule uses, frozen and validated, read from ``include/thresholds.yaml``."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from privacy_ops import safe_yaml
from privacy_ops.errors import ConfigError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlausibleAge(_Frozen):
    min_at_registration: int = Field(ge=0)
    max: int = Field(le=130)


class DefaultDates(_Frozen):
    """Dates that stand for "nobody entered one" (quality rule DQ-02)."""

    always: tuple[date, ...]
    when_frequent: tuple[date, ...]
    frequent_factor: float = Field(gt=1)
    frequent_min_rows: int = Field(ge=1)


class Breaker(_Frozen):
    """The volume breaker (gate G-08): trips at ``min_cases`` and one of the other three."""

    window_hours: int = Field(ge=1)
    min_cases: int = Field(ge=1)
    max_share: float = Field(gt=0, le=1)
    median_factor: float = Field(gt=0)
    median_days: int = Field(ge=1)
    min_history_runs: int = Field(ge=1)
    single_source_share: float = Field(gt=0, le=1)


class Gate(_Frozen):
    """A verdict is good for ``validity_hours``; an approval must time out before that."""

    validity_hours: int = Field(ge=1)
    approval_timeout_hours: int = Field(ge=1)

    def model_post_init(self, _context: object) -> None:
        if self.approval_timeout_hours >= self.validity_hours:
            raise ValueError("approval_timeout_hours must be below validity_hours")


class SourceQuality(_Frozen):
    fresh_hours: int = Field(ge=1)
    volume_band: float = Field(gt=0, lt=1)
    min_parse_rate: float = Field(ge=0, le=1)
    max_null_rate: float = Field(ge=0, le=1)
    max_single_date_share: float = Field(gt=0, le=1)
    # A publisher of medical education has few children; a feed that says otherwise is broken until somebody has looked.
    max_minor_share: float = Field(gt=0, le=1)
    min_minors: int = Field(ge=1, description="fewer in one feed are no sign of a fault")
    min_minors_share: float = Field(ge=0, le=1, description="of everybody in the source: smaller feeds fault no column")


class MailProvider(_Frozen):
    """A provider known to deliver several spellings to one mailbox. ``main``: the domain that stands for all."""

    main: str
    domains: tuple[str, ...] = Field(min_length=1)
    ignores: str = ""  # characters of the local part that make no difference
    tag: str = ""  # what follows this sign makes no difference


class Suppression(_Frozen):
    unknown_birth_months: int = Field(ge=1)
    providers: tuple[MailProvider, ...] = ()


class Sweep(_Frozen):
    """Later sweeps for what may come back: days after a case was closed, and how long they may be late."""

    after_days: tuple[int, ...] = Field(min_length=1)
    slack_days: int = Field(ge=1)
    late_hours: int = Field(ge=1)


class Evidence(_Frozen):
    """How long copies of the ledger stay locked: 24 months after the last backup has aged out."""

    lock_days: int = Field(ge=1)


class Downstream(_Frozen):
    """Instructions to processors and notices to recipients; hours and days since the party was told."""

    item_days: int = Field(ge=1, le=7, description="how long encrypted identifiers may wait")
    instruct_hours: int = Field(ge=1, le=24)
    chase_hours: int = Field(ge=1, le=72)
    escalate_days: int = Field(ge=1, le=7)
    breach_days: int = Field(ge=1, le=30)


class Review(_Frozen):
    """Questions to people about cases. Days are working days in England and Wales."""

    questions_per_run: int = Field(ge=1, le=500)
    answer_hours: int = Field(ge=1, lt=24, description="a question times out before the next day's run")
    lead_days: tuple[int, int] = Field(description="a suspicion not decided by then goes to the privacy lead")
    lead_decides_days: int = Field(ge=1)


class Notice(_Frozen):
    """The message to a person who was restricted on its own statement; ``answer_hours`` stays within the target."""

    answer_hours: float = Field(ge=0, le=4)
    attempts: int = Field(ge=1, le=20)
    token_days: int = Field(ge=1)


class Intake(_Frozen):
    minutes: int = Field(ge=1)
    late_minutes: int = Field(ge=1)


class HoursLevel(_Frozen):
    target_hours: float = Field(gt=0)
    breach_hours: float = Field(gt=0)


class RestrictedLevel(HoursLevel):
    scan_hours: float = Field(gt=0)


class DaysLevel(_Frozen):
    target_days: int = Field(ge=0)
    breach_days: int = Field(ge=0)


class ServiceLevels(_Frozen):
    """What "immediately" means in numbers, metric by metric."""

    window_days: int = Field(ge=1)
    restricted: RestrictedLevel
    decided: DaysLevel
    erased: HoursLevel
    everywhere: HoursLevel
    acknowledged: HoursLevel


class Export(_Frozen):
    """When a week is closed, and how far its volume may be from the usual. What is withheld: the release spec."""

    grace_hours: int = Field(ge=0)
    source_band: float = Field(gt=0, lt=1)


class Delivery(_Frozen):
    """How long a release may be fetched, and when silence calls a person (gate E-16)."""

    open_days: int = Field(ge=1, le=14, description="how long a release may be fetched after it was sent")
    link_days: int = Field(ge=1, le=7, description="S3 signs no link for longer; another one follows within open_days")
    receipt_hours: int = Field(ge=1, le=72)
    mail_hours: int = Field(ge=1)
    attempts: int = Field(ge=1)
    finding_days: int = Field(ge=1)


class Transfers(_Frozen):
    adequacy_reference_max_age_days: int = Field(ge=1)
    geoip_max_age_days: int = Field(ge=1, le=30, description="the licence asks for a refresh every 30 days")
    access_window_days: int = Field(ge=1)
    access_keep_days: int = Field(ge=1)
    attestation_max_age_days: int = Field(ge=1)
    subprocessors_max_age_days: int = Field(ge=1)
    block_list_max_age_hours: int = Field(ge=24)
    max_unresolved_share: float = Field(ge=0, le=1)
    expiring_months: int = Field(ge=0)
    assessment_review_months: int = Field(ge=1)
    dpf_check_max_age_days: int = Field(ge=1)
    review_soon_days: int = Field(ge=1)
    sign_off_max_age_days: int = Field(ge=1)


class Alerts(_Frozen):
    """How often operators are told: the same kind of the same DAG once in a window, the rest as one digest after it."""

    window_minutes: int = Field(ge=1)
    keep_hours: int = Field(ge=1, description="what a channel could not take for so long is not told any more")
    claim_minutes: int = Field(ge=1, description="a message whose sender was killed is sent again after it")


class Punctuality(_Frozen):
    """By when a DAG must have started after its hour and have ended after its start. ``cron`` is the DAG's own."""

    cron: str
    start_minutes: int = Field(ge=1)
    finish_minutes: int = Field(ge=1)
    waits_hours: int = Field(default=0, ge=0, description="how much longer a run may take in which people are asked")


class Thresholds(_Frozen):
    legal_timezone: str
    adult_age: int = Field(ge=18, le=18, description="the policy says 18; nothing else is allowed")
    leap_rule: Literal["MAR_1", "FEB_28"]
    as_of_max_drift_hours: int = Field(ge=1)
    detection_max_age_hours: int = Field(ge=1)
    plausible_age: PlausibleAge
    default_dates: DefaultDates
    breaker: Breaker
    gate: Gate
    source_quality: SourceQuality
    suppression: Suppression
    sweep: Sweep
    backup_max_age_days: int = Field(ge=0)
    evidence: Evidence
    downstream: Downstream
    review: Review
    notice: Notice
    intake: Intake
    service_levels: ServiceLevels
    export: Export
    delivery: Delivery
    transfers: Transfers
    alerts: Alerts
    punctuality: dict[str, Punctuality]

    def sha256(self) -> str:
        """Hash of the values, recorded with each run."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load(path: Path) -> Thresholds:
    """Read ``path`` (YAML). Raises ConfigError naming each wrong entry."""
    try:
        return Thresholds.model_validate(safe_yaml.load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError("the thresholds cannot be read", where=str(path), do=str(error.strerror)) from None
    except yaml.YAMLError as error:
        raise ConfigError("the thresholds are not valid YAML", where=str(path), do=str(error)) from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError("the thresholds are not valid", where=str(path), do=wrong) from None
