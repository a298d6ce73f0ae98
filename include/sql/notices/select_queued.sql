-- Purpose: notices that wait to be sent, oldest first. Parameters: most. Grain: notice. Idempotency: reads only.
SELECT notice_id
FROM gov.notice
WHERE state = 'queued'
ORDER BY queued_at, notice_id
LIMIT :most
