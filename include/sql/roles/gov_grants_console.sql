-- Purpose: what the pages may read beside what the other files grant them, and the one table that they write.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.
-- Of a case its states and times: no key, no reference, no evidence. Of ledger, suppression and canaries only counts.

GRANT SELECT (
    case_id, subject_kind, class, state, restriction, decision, decision_reason, discovered_at, restricted_at,
    decided_at, closed_at, review_due, escalation, objected_at
) ON gov.minor_case TO privacy_console;

GRANT SELECT ON gov.certificate, gov.certificate_supplement TO privacy_console;

GRANT SELECT ON gov.ledger_state, gov.suppression_count, gov.canary_state TO privacy_console;

GRANT SELECT, INSERT ON gov.console_action TO privacy_console;
