-- Purpose: count an attempt before it is made; give up after the last.
-- Parameters: mail_id, attempts (most).
-- Grain: mail.
-- Idempotency: counts each attempt; nothing when another sender has it in hand.
UPDATE gov.delivery_mail SET
    attempts = LEAST(attempts + 1, :attempts),
    state = CASE WHEN attempts >= :attempts THEN 'failed' ELSE state END,
    fault = CASE WHEN attempts >= :attempts THEN 'TOO_MANY_ATTEMPTS' ELSE fault END
WHERE
    mail_id IN (
        SELECT m.mail_id FROM gov.delivery_mail AS m
        WHERE m.mail_id = :mail_id AND m.state = 'queued'
        FOR UPDATE SKIP LOCKED
    )
RETURNING state
