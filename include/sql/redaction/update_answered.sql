-- Purpose: what people's answers make of a proposal; of one that was rejected nobody needs to know whose text it was.
-- Parameters: redaction_id, state. Grain: proposal. Idempotency: sets what the answers say.
UPDATE gov.redaction SET
    state = :state,
    row_key = CASE WHEN :state = 'rejected' THEN NULL ELSE row_key END
WHERE redaction_id = :redaction_id AND state = 'proposed'
