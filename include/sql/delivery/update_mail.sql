-- Purpose: what came of a mail.
-- Parameters: mail_id, state, fault, sent_at.
-- Grain: mail.
-- Idempotency: a mail that is no longer queued is left alone.
UPDATE gov.delivery_mail SET
    state = :state,
    fault = :fault,
    sent_at = :sent_at
WHERE mail_id = :mail_id AND state = 'queued'
