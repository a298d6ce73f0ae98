-- Purpose: the characters are gone.
-- Parameters: redaction_id, at, result_sha256. Grain: proposal. Idempotency: in the transaction that changes the text.
UPDATE gov.redaction SET
    state = 'redacted',
    redacted_at = :at,
    result_sha256 = :result_sha256
WHERE redaction_id = :redaction_id AND state = 'intended'
