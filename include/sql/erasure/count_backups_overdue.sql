-- Purpose: erased cases that a backup may still hold though its time is over (measure M6).
-- Parameters: today. Grain: one row. Idempotency: reads only.
SELECT count(*) FROM gov.backup_age_out
WHERE aged_out_at IS NULL AND ages_out_on < :today
