-- Purpose: what came of a notice. Parameters: notice_id, state, fault, sent_at. Grain: notice.
-- Idempotency: a notice that is no longer queued is left alone.
UPDATE gov.notice SET
    state = :state,
    fault = :fault,
    sent_at = :sent_at
WHERE notice_id = :notice_id AND state = 'queued'
