-- Purpose: eligible cases that must not be erased now, and why.
-- Parameters: none. Grain: case. Idempotency: gone with the transaction.
-- A hold suspends erasure, and the access request of a verified person until its answer is sealed. An unverified
-- request does not.
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
SELECT
    e.case_id,
    EXISTS(
        SELECT 1 FROM gov.legal_hold AS h
        WHERE h.subject_ref = ANY(e.subject_refs) AND h.released_at IS NULL
    ) AS legal_hold,
    EXISTS(
        SELECT 1 FROM gov.dsr_request AS d
        WHERE
            d.subject_ref = ANY(e.subject_refs) AND d.type = 'ACCESS'
            AND d.identity_verified_at IS NOT NULL AND d.closed_at IS NULL AND d.sealed_at IS NULL
    ) AS access_request
FROM eligible AS e
