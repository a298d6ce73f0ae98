"""The inventory gate: can this inventory be trusted? Findings never block; blindness, gaps and secrets do."""

from __future__ import annotations

from privacy_ops.gates.suite import Check, Suite
from privacy_ops.thresholds import Thresholds

GATE = "transfer_inventory"


def _at_most(column: str, value: float) -> dict[str, object]:
    return {"column": column, "min_value": 0, "max_value": value}


def suite(thresholds: Thresholds) -> Suite:
    """Checks on the metrics row of ``include/sql/transfers/select_gate_metrics.sql``."""
    t = thresholds.transfers
    between = "ExpectColumnValuesToBeBetween"
    return Suite(
        gate=GATE,
        title="Can this transfer inventory be trusted?",
        runbook="docs/runbooks/transfer_inventory_check.md",
        checks=(
            Check(
                "T-ROW",
                "there is one row of metrics",
                "ExpectTableRowCountToEqual",
                {"value": 1},
                do="the snapshot is missing; clear the run from its first task",
            ),
            Check(
                "T-SEEN",
                "at least one flow was observed",
                between,
                {"column": "observed_flows", "min_value": 1},
                do="an inventory that sees nothing has not looked; check the observers' credentials",
            ),
            Check(
                "T-BLIND",
                "every observer could look",
                between,
                _at_most("observers_blind", 0),
                do="the snapshot names the observer and its reason; restore its access and clear the run",
            ),
            Check(
                "T-01",
                "every store of personal data has a region and a country",
                between,
                _at_most("stores_without_place", 0),
                do="find out where the store is; add its region to cloud_regions.csv or to the data map",
            ),
            Check(
                "T-03",
                f"the reference data were reviewed in the last {t.adequacy_reference_max_age_days} days",
                between,
                _at_most("reference_age_days", t.adequacy_reference_max_age_days),
                do="review include/reference and record it: python -m privacy_ops transfers review --by NAME",
            ),
            Check(
                "T-08",
                "every flow is judged under both regimes",
                between,
                _at_most("not_judged_twice", 0),
                do="clear the run from the judging task",
            ),
            Check(
                "T-09",
                "every replication target is declared",
                between,
                _at_most("replication_undeclared", 0),
                severity="warning",
                do="see the findings; the destination is on the block list until it is declared",
            ),
            Check(
                "T-11",
                f"at most {t.max_unresolved_share:.0%} of the flows are unresolved",
                between,
                _at_most("unresolved_share", t.max_unresolved_share),
                do="see the findings of rule unresolved; register the missing facts",
            ),
            Check(
                "T-11S",
                "no flow of special-category data is unresolved",
                between,
                _at_most("unresolved_special", 0),
                do="see the findings of rule unresolved; register the missing facts",
            ),
            Check(
                "T-12",
                "no secret stands in any output",
                between,
                _at_most("secrets_in_outputs", 0),
                do="remove the secret from the registry's texts or the connection's host, and change it",
            ),
        ),
    )
