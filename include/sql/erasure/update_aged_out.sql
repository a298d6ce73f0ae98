-- Purpose: every backup that exists is younger than the erasure: none holds the person any more.
-- Parameters: at, today, oldest (NULL: no backup is listed; then the day alone counts). Grain: case.
-- Idempotency: written once.
UPDATE gov.backup_age_out SET aged_out_at = :at
WHERE
    aged_out_at IS NULL
    AND CASE
        WHEN cast(:oldest AS timestamptz) IS NULL THEN ages_out_on < :today
        ELSE erased_at < cast(:oldest AS timestamptz)
    END
