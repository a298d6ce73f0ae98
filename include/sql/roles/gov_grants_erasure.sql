-- Rights on the tables of erasure; see gov_grants_minors.sql.

GRANT SELECT, INSERT ON gov.erasure_change TO privacy_erase;

GRANT SELECT, INSERT, DELETE ON gov.erasure_rewrite, gov.erasure_rewrite_case TO privacy_erase;

-- Which version of which object it is stays.
GRANT UPDATE (
    late, rows_total, rows_found, state, reason, what, locked_until, done_at
) ON gov.erasure_rewrite TO privacy_erase;

GRANT UPDATE (rows_found) ON gov.erasure_rewrite_case TO privacy_erase;

-- Entries written ahead of an erasure that did not happen are taken back.
GRANT DELETE ON gov.suppression_entry TO privacy_erase;

GRANT SELECT ON gov.erasable_case TO privacy_erase, privacy_detect;

-- Holds and requests are entered by staff through the command line, under the duty that restricts and never erases.
GRANT INSERT ON gov.legal_hold, gov.dsr_request TO privacy_detect;

GRANT UPDATE (released_at) ON gov.legal_hold TO privacy_detect;

GRANT UPDATE (
    identity_verified_at, closed_at, sealed_at, sealed_approver, seal_bucket, seal_key, seal_sha256, seal_destroyed_at
) ON gov.dsr_request TO privacy_detect;

-- Places in other people's texts, and who confirmed that they go.
GRANT SELECT, INSERT ON gov.redaction, gov.redaction_answer TO privacy_erase;

GRANT UPDATE (
    state, row_key, reason, intent_at, redacted_at, result_sha256, ended_at
) ON gov.redaction TO privacy_erase;

-- What a hold over parts of a case keeps: written, and deleted when the hold ended; never read.
GRANT SELECT, INSERT, DELETE ON gov.erasure_hold TO privacy_erase;

GRANT UPDATE (kept) ON gov.erasure_hold TO privacy_erase;

GRANT INSERT ON gov.held_record TO privacy_erase;

GRANT EXECUTE ON FUNCTION gov.delete_held() TO privacy_erase;

-- Written and deleted at its term, never read.
GRANT INSERT ON gov.retained_record TO privacy_erase;

GRANT EXECUTE ON FUNCTION gov.delete_retained(date) TO privacy_erase;
