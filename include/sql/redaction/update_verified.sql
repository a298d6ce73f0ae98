-- Purpose: the text was looked at again and is as it was left; nobody needs to know any more which row it was.
-- Parameters: redaction_id, at. Grain: proposal. Idempotency: once.
UPDATE gov.redaction SET
    state = 'verified',
    ended_at = :at,
    row_key = NULL
WHERE redaction_id = :redaction_id AND state = 'redacted'
