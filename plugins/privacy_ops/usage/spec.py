"""The specification of the release: rules and method, with a version that changes when either does.

Bytes of a release follow from its window and its spec version. Change ``METHOD`` with anything that changes bytes
(columns, wording, order of steps): a released week is then served as it was, never made anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from privacy_ops.disclosure.rules import Rules
from privacy_ops.errors import ConfigError
from privacy_ops.thresholds import Thresholds

METHOD = "usage-1"


@dataclass(frozen=True)
class Spec:
    """Rules in force, and the version that names them."""

    rules: Rules

    @property
    def version(self) -> str:
        rules = json.dumps(asdict(self.rules), sort_keys=True)
        return f"{METHOD}.{hashlib.sha256(rules.encode()).hexdigest()[:8]}"


def spec_of(thresholds: Thresholds) -> Spec:
    """The spec that the thresholds describe. Raises ConfigError for rules that would not protect."""
    export = thresholds.export
    try:
        return Spec(
            Rules(
                min_learners=export.min_learners,
                round_to=export.round_to,
                lifetime_min_learners=export.lifetime_min_learners,
                minutes_cap_per_day=export.minutes_cap_per_day,
            )
        )
    except ValueError as error:
        raise ConfigError(str(error), where="include/thresholds.yaml, export", do="correct the numbers") from None
