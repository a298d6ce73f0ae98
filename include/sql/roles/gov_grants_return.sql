-- Purpose: what each duty may do in the tables of return: sweeps, import checks, restores.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.
-- Erasure searches and remembers; detection opens the case and restricts, as it does for every other.

GRANT SELECT, INSERT, DELETE ON gov.sweep_identifier TO privacy_erase;

GRANT SELECT ON gov.sweep_identifier TO privacy_detect;

GRANT SELECT ON gov.sweep, gov.return_finding TO privacy_erase;

GRANT UPDATE (row_key, settled_at) ON gov.return_finding TO privacy_erase;

GRANT SELECT, INSERT ON gov.sweep, gov.return_finding TO privacy_detect;

GRANT SELECT, INSERT ON gov.backup_age_out TO privacy_erase;

GRANT UPDATE (aged_out_at) ON gov.backup_age_out TO privacy_erase;

GRANT SELECT, INSERT ON gov.restore TO privacy_erase;

GRANT UPDATE (state, head_seq, attempts, residual, ready_at) ON gov.restore TO privacy_erase;

-- An import asks by function and never reads the list; the publisher's own loader is granted the same by hand.
GRANT EXECUTE ON FUNCTION
gov.check_import(text[], timestamptz, date),
gov.is_suppressed(text[], timestamptz, date),
gov.hmac_sha256(bytea, text),
gov.suppression_references(text, text)
TO privacy_detect, privacy_erase;

-- A publisher's start-up asks whether a restored database is ready; numbers and times only.
GRANT SELECT ON gov.restore, gov.sweep, gov.backup_age_out TO privacy_console;

GRANT SELECT (finding_id, case_id, run_id, found_at, asset, found_by, verdict, rows, follow_up, settled_at)
ON gov.return_finding TO privacy_console;
