-- Purpose: count an attempt before it is made; give up after the last. Parameters: notice_id, attempts (most).
-- Grain: notice. Idempotency: counts each attempt.
UPDATE gov.notice SET
    attempts = LEAST(attempts + 1, :attempts),
    state = CASE WHEN attempts >= :attempts THEN 'failed' ELSE state END,
    fault = CASE WHEN attempts >= :attempts THEN 'TOO_MANY_ATTEMPTS' ELSE fault END
WHERE
    notice_id IN (
        SELECT n.notice_id FROM gov.notice AS n
        WHERE n.notice_id = :notice_id AND n.state = 'queued'
        FOR UPDATE SKIP LOCKED -- another sender has it in hand
    )
RETURNING state
