-- Purpose: eligible cases that must not be erased now, and why.
-- Parameters: none. Grain: case. Idempotency: gone with the transaction.
-- A hold over the whole case suspends erasure (of one over parts, in partial_hold, the parts alone are kept), and the
-- access request of a verified person until its answer is sealed. An unverified request does not.
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
SELECT
    e.case_id,
    EXISTS(
        SELECT 1 FROM gov.legal_hold AS h
        WHERE
            h.subject_ref = ANY(e.subject_refs) AND h.released_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM partial_hold AS p WHERE p.hold_id = h.hold_id)
    ) AS legal_hold,
    EXISTS(
        SELECT 1 FROM gov.dsr_request AS d
        WHERE
            d.subject_ref = ANY(e.subject_refs) AND d.type = 'ACCESS'
            AND d.identity_verified_at IS NOT NULL AND d.closed_at IS NULL AND d.sealed_at IS NULL
    ) AS access_request
FROM eligible AS e
