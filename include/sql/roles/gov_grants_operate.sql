-- Purpose: what the duty that watches the jobs may do: note and tell, count, and write the runs of the watch. A trigger
-- (0022_owned_rows) refuses it every other run, but for saying that an open one failed.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.
-- Keys of people are out of its reach: of a case it reads states, times and the keyed reference.

GRANT USAGE ON SCHEMA gov TO privacy_operate;

GRANT SELECT ON gov.schema_version TO privacy_operate;

GRANT SELECT, INSERT ON gov.run TO privacy_operate;

GRANT UPDATE (state, closed_at, facts) ON gov.run TO privacy_operate;

GRANT SELECT, INSERT ON gov.operator_alert TO privacy_operate;

GRANT UPDATE (times, last_at, codes) ON gov.operator_alert TO privacy_operate;

GRANT SELECT, INSERT, DELETE ON gov.alert_delivery TO privacy_operate;

GRANT UPDATE (claimed_at, sent_at) ON gov.alert_delivery TO privacy_operate;

GRANT SELECT (
    case_id, subject_kind, subject_ref, class, state, decision, discovered_at, evidence_at, restricted_at, restriction,
    decided_at, objected_at, erase_after, closed_at
) ON gov.minor_case TO privacy_operate;

GRANT SELECT ON
gov.gate_result, gov.approval, gov.case_decision, gov.canary, gov.erasure_plan, gov.erasure_plan_case,
gov.erasure_residual, gov.certificate, gov.downstream_instruction, gov.backup_age_out, gov.sweep,
gov.release_register, gov.release_event, gov.finding, gov.blocked_destination
TO privacy_operate;

-- The return finding holds keys of mentions; its verdict and time do not.
GRANT SELECT (case_id, found_at, verdict) ON gov.return_finding TO privacy_operate;

-- The pages show what operators were told.
GRANT SELECT ON gov.operator_alert, gov.alert_delivery TO privacy_console;
