-- Purpose: people decided that a public record stays as it is.
-- Parameters: redaction_id, at. Grain: proposal. Idempotency: once.
UPDATE gov.redaction SET
    ended_at = :at,
    row_key = NULL
WHERE redaction_id = :redaction_id AND state = 'kept' AND ended_at IS NULL
