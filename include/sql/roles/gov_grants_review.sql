-- Purpose: what each duty may do in the tables of review, notices and service levels.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.
-- Review decides and releases and never opens a case; evidence only shows; notify only sends.

GRANT USAGE ON SCHEMA gov TO privacy_review, privacy_evidence, privacy_notify;

GRANT SELECT ON gov.schema_version TO privacy_review, privacy_evidence, privacy_notify;

GRANT SELECT, INSERT ON gov.run TO privacy_review;

GRANT UPDATE (state, closed_at, facts) ON gov.run TO privacy_review;

GRANT SELECT ON gov.minor_case TO privacy_review;

GRANT UPDATE (
    class, state, decision, decided_at, decision_reason, review_due, escalation, asked_until, objected_at,
    subject_key, adult_on, closed_at, decided_by, restricted_at, restriction, restriction_previous
) ON gov.minor_case TO privacy_review;

-- A case that is cleared keeps the hash of its evidence and nothing that leads to the person.
GRANT SELECT, DELETE ON gov.minor_signal TO privacy_review;

GRANT SELECT, INSERT ON gov.case_decision, gov.case_objection TO privacy_review;

GRANT SELECT ON
gov.notice, gov.source_observation, gov.erasure_plan, gov.erasure_plan_case, gov.certificate
TO privacy_review;

-- Detection queues notices and asks for an erasure run; it cannot send and cannot decide.
GRANT SELECT, INSERT ON gov.notice TO privacy_detect;

GRANT SELECT ON gov.case_decision, gov.case_objection TO privacy_detect, privacy_erase;

-- The page that shows evidence says so first.
GRANT SELECT ON gov.minor_case, gov.minor_signal, gov.case_decision TO privacy_evidence;

GRANT SELECT (report_id, says) ON gov.minor_report TO privacy_evidence;

GRANT SELECT, INSERT ON gov.evidence_view TO privacy_evidence;

-- People propose that a mention goes, look at it, and answer whether it does, on a page of the same kind. Nothing is
-- taken out from there.
GRANT SELECT, INSERT ON gov.redaction TO privacy_evidence;

GRANT SELECT (finding_id, case_id, asset, row_key, found_at, verdict, settled_at) ON gov.return_finding
TO privacy_evidence;

GRANT UPDATE (state, row_key) ON gov.redaction TO privacy_evidence;

GRANT SELECT, INSERT ON gov.redaction_answer TO privacy_evidence;

-- Sending reads the key of the person, and the address where the publisher keeps it.
GRANT SELECT (
    case_id, subject_kind, subject_table, subject_key, class, state, objected_at, discovered_at, erase_after
) ON gov.minor_case TO privacy_notify;

GRANT UPDATE (erase_after) ON gov.minor_case TO privacy_notify;

GRANT SELECT ON gov.notice, gov.run TO privacy_notify;

GRANT UPDATE (state, attempts, fault, sent_at) ON gov.notice TO privacy_notify;

-- Service levels are measured from times and states.
GRANT SELECT ON gov.canary, gov.downstream_instruction, gov.backup_age_out, gov.sweep, gov.return_finding
TO privacy_review, privacy_erase;
