-- Purpose: a replay that was begun and has not ended well.
-- Parameters: none. Grain: at most one row. Idempotency: reads only.
SELECT restore_id FROM gov.restore
WHERE state <> 'ready'
ORDER BY started_at
LIMIT 1
