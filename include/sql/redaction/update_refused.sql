-- Purpose: a text that is not the one that people read is left alone.
-- Parameters: redaction_id, at, reason. Grain: proposal. Idempotency: once.
UPDATE gov.redaction SET
    state = 'refused',
    reason = :reason,
    ended_at = :at,
    row_key = NULL
WHERE redaction_id = :redaction_id AND state = 'intended'
