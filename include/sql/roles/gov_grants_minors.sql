-- Purpose: what each duty may do in the tables of minors and erasure.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.
-- Detection opens cases and never touches a plan; erasure closes cases and never opens one.

GRANT SELECT, INSERT ON gov.source_observation TO privacy_detect;

GRANT UPDATE (
    observed_at, rows, nulls, parsed, placeholders, peak_default_rows, daily_median, over_represented, newest_row_at,
    verdict
) ON gov.source_observation TO privacy_detect;

GRANT SELECT, INSERT ON gov.minor_case TO privacy_detect;

-- Whose case it is, when it was opened and closed, and what people are asked and answered is not detection's to write;
-- of a question and a decision it only takes back what was about other evidence.
GRANT UPDATE (
    class, state, flags, evidence_hash, feed, discovered_at, evidence_at, adult_on, judged_by_run, restriction,
    source_faults, restricted_at, restriction_previous, decision, decided_at, decision_reason, asked_until, review_due,
    erase_after, erasure_requested_by
) ON gov.minor_case TO privacy_detect;

GRANT SELECT, INSERT, DELETE ON gov.minor_signal TO privacy_detect;

GRANT SELECT, INSERT, DELETE ON gov.age_question TO privacy_detect;

GRANT UPDATE (class, flags, signals, last_seen) ON gov.age_question TO privacy_detect;

-- Reports are entered by staff through the same duty that reads them.
GRANT SELECT, INSERT, UPDATE (withdrawn_at) ON gov.minor_report TO privacy_detect;

GRANT SELECT, INSERT ON gov.intake_cursor TO privacy_detect;

GRANT UPDATE (position, moved_by_run) ON gov.intake_cursor TO privacy_detect;

GRANT SELECT ON gov.out_of_use TO privacy_detect, privacy_export;

GRANT SELECT ON gov.minor_report TO privacy_erase;

GRANT SELECT ON gov.canary, gov.legal_hold, gov.dsr_request TO privacy_detect;

GRANT SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_by) ON gov.canary TO privacy_canary;

-- Whether a made-up person was erased: a keyed reference and a time.
GRANT SELECT (subject_ref, closed_at) ON gov.minor_case TO privacy_canary;

GRANT SELECT ON
gov.source_observation, gov.minor_case, gov.minor_signal, gov.canary, gov.legal_hold, gov.dsr_request
TO privacy_erase;

GRANT UPDATE (
    state, subject_key, evidence_hash, adult_on, restriction_previous, flags, closed_at
) ON gov.minor_case TO privacy_erase;

GRANT DELETE ON gov.minor_signal TO privacy_erase;

GRANT SELECT, INSERT ON
gov.erasure_plan, gov.erasure_step, gov.erasure_object, gov.erasure_key, gov.erasure_residual
TO privacy_erase;

-- A plan comes forward; which run made it as of when, and which rows, objects and keys of whom it names, stays.
GRANT UPDATE (
    state, sha256, cases, held, breaker_tripped, breaker, intent_at, control, database_erased_at, objects_erased_at,
    verified_at, set_aside
) ON gov.erasure_plan TO privacy_erase;

GRANT UPDATE (planned, digest, found, deleted, retained) ON gov.erasure_step TO privacy_erase;
GRANT UPDATE (planned) ON gov.erasure_plan_case TO privacy_erase;

GRANT UPDATE (
    versions, markers, uploads, state, reason, locked_until, erased_at
) ON gov.erasure_object TO privacy_erase;

GRANT UPDATE (kind) ON gov.erasure_key TO privacy_erase;

GRANT UPDATE (found) ON gov.erasure_residual TO privacy_erase;

GRANT SELECT, INSERT ON
gov.erasure_plan_case, gov.erasure_row, gov.erasure_asset, gov.certificate
TO privacy_erase;

-- Statistics of the plan just frozen: those of the last one mislead the planner. Plans are locked while one is carried
-- out.
GRANT MAINTAIN ON -- noqa: PRS
gov.erasure_plan, gov.erasure_row, gov.erasure_key, gov.erasure_plan_case, gov.erasure_object
TO privacy_erase;

GRANT DELETE ON
gov.erasure_plan_case, gov.erasure_step, gov.erasure_row, gov.erasure_object, gov.erasure_key
TO privacy_erase;

-- An export asks whether a confirmed minor is overdue and may still be in its inputs: states and times, no keys.
GRANT SELECT (case_id, class, state, discovered_at, judged_by_run, closed_at) ON gov.minor_case TO privacy_export;
