-- Purpose: from when no backup holds an erased person any more (M6).
-- Parameters: since. Grain: case. Idempotency: reads only.
SELECT
    b.erased_at,
    b.ages_out_on,
    b.aged_out_at
FROM gov.backup_age_out AS b
WHERE b.erased_at >= :since OR b.aged_out_at IS NULL
