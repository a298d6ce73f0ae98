"""The inventory gate: can this inventory be trusted? Findings never block; blindness, gaps and secrets do.

What blocks says that the inventory does not show what is there. Everything else warns: it is a finding as well, with
an owner and a due day, and the report says so.
"""

from __future__ import annotations

from privacy_ops.gates.suite import Check, Severity, Suite, at_least, at_most, one_row
from privacy_ops.thresholds import Thresholds

GATE = "transfer_inventory"


def _none(check_id: str, title: str, column: str, do: str, severity: Severity = "warning") -> Check:
    return at_most(check_id, title, column, 0, severity=severity, do=do)


def suite(thresholds: Thresholds) -> Suite:
    """Checks on the metrics row of ``include/sql/transfers/select_gate_metrics.sql``."""
    t = thresholds.transfers
    seen = "see the findings; each names what to do, who owns it and until when"
    return Suite(
        gate=GATE,
        title="Can this transfer inventory be trusted?",
        runbook="docs/runbooks/transfer_inventory_check.md",
        checks=(
            one_row(),
            at_least(
                "T-SEEN",
                "at least one flow was observed",
                "observed_flows",
                1,
                do="an inventory that sees nothing has not looked; check the observers' credentials",
            ),
            _none(
                "T-BLIND",
                "every observer could look",
                "observers_blind",
                "the report and the snapshot name the observer and its reason; restore its access and clear the run",
                "critical",
            ),
            _none(
                "T-01",
                "every store of personal data has a region and a country",
                "stores_without_place",
                "find out where the store is; add its region to cloud_regions.csv or to the data map",
                "critical",
            ),
            _none("T-02", "every store of personal data is registered", "stores_undeclared", seen),
            at_most(
                "T-03",
                f"the reference data were reviewed in the last {t.adequacy_reference_max_age_days} days",
                "reference_age_days",
                t.adequacy_reference_max_age_days,
                do="review include/reference and record it: python -m privacy_ops transfers review --by NAME",
            ),
            at_most(
                "T-03G",
                f"the GeoIP database was built in the last {t.geoip_max_age_days} days",
                "geoip_age_days",
                t.geoip_max_age_days,
                do="fetch the vendor's current country database, and clear the run from its observing task",
            ),
            _none("T-04", "every transfer has a ground that holds on the day", "uncovered", seen),
            _none("T-05", "every ground fits its flow", "out_of_scope", seen),
            _none("T-06", "every transfer risk assessment is there and in date", "assessments_overdue", seen),
            _none("T-07", "contractors work from declared countries only", "contractors_undeclared", seen),
            _none(
                "T-08",
                "every flow is judged under both regimes",
                "not_judged_twice",
                "clear the run from the judging task",
                "critical",
            ),
            _none(
                "T-09",
                "every replication target is declared",
                "replication_undeclared",
                "see the findings; the destination is on the block list until it is declared",
            ),
            _none("T-10", "every sub-processor is reviewed", "sub_processors_to_review", seen),
            at_most(
                "T-11",
                f"at most {t.max_unresolved_share:.0%} of the flows are unresolved",
                "unresolved_share",
                t.max_unresolved_share,
                do="see the findings of rule unresolved; register the missing facts",
            ),
            _none(
                "T-11S",
                "no flow of special-category data is unresolved",
                "unresolved_special",
                "see the findings of rule unresolved; register the missing facts",
                "critical",
            ),
            _none(
                "T-12",
                "no secret stands in any output",
                "secrets_in_outputs",
                "remove the secret from the registry's texts or the connection's host, and change it",
                "critical",
            ),
            _none(
                "T-13",
                "every change since the last inventory is explained",
                "changes_unexplained",
                "the report lists the changes; find out who made them and put them into the registry or the data map",
            ),
            at_least(
                "T-14",
                f"somebody signed off an inventory in the last {t.sign_off_max_age_days} days",
                "sign_offs_in_date",
                1,
                severity="warning",
                do="answer the required action of the task sign_off",
            ),
        ),
    )
